/* SPDX-License-Identifier: GPL-2.0-only */
/* An entry above level PTE, as it was read. */
#ifndef MML_STEP_H
#define MML_STEP_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <linux/types.h>

/* What an entry of a level above PTE is. */
enum mml_kind {
	MML_KIND_NONE,
	MML_KIND_TABLE,
	MML_KIND_LEAF,		/* a leaf, or not present and not empty */
};

/**
 * struct mml_step - One entry on the way down.
 * @entryp:	where it stands
 * @entry:	its value, read once, as a PTE
 * @pfn:	PFN that it maps or that its table has
 * @level:	MMLENS_LEVEL_*
 * @shift:	log2 of the bytes that it translates
 * @kind:	what it is
 * @denied:	what this entry and those above it deny, MMLENS_EFF_*
 */
struct mml_step {
	void *entryp;
	pte_t entry;
	unsigned long pfn;
	u8 level;
	u8 shift;
	enum mml_kind kind;
	u32 denied;
};

/**
 * struct mml_place - Where a walk was last, for those who look next to it.
 * @last:	the last entry of the way down
 * @pmds:	the table of PMDs that @last is in; NULL: it's in another one, or
 *		nothing was looked at since the lock was taken
 * @addr:	an address below @pmds
 * @above:	what the entries above @last deny, MMLENS_EFF_*
 */
struct mml_place {
	struct mml_step last;
	pmd_t *pmds;
	unsigned long addr;
	u32 above;
};

#endif
