/* SPDX-License-Identifier: GPL-2.0-only */
/* Descending page tables, for all walks of a process. */
#ifndef MML_PGWALK_H
#define MML_PGWALK_H

#include <linux/mm_types.h>

#include "core.h"
#include "step.h"

/**
 * struct mml_path - The way down to an address, from the top, without PTEs.
 * @steps:	entries read; all but the last are tables
 * @depth:	how many
 */
struct mml_path {
	struct mml_step steps[4];
	unsigned int depth;
};

void mml_descend(struct vm_area_struct *vma, unsigned long addr,
		 struct mml_path *path);
pte_t *mml_pte_table_lock(struct mm_struct *mm, const struct mml_step *pmd,
			  unsigned long addr, spinlock_t **ptl);
bool mml_leaf_lock(struct mm_struct *mm, const struct mml_step *leaf,
		   spinlock_t **ptl);

/**
 * struct mml_pgwalk_ops - What a walk does with what it meets.
 * @room:	entries that can be taken now; NULL: any number
 * @ptes:	@n entries from @ptep on, of the PTE table that @pmd points to;
 *		its lock is held (in a hugetlb VMA, interrupts are off)
 * @leaf:	a leaf or non-present entry above level PTE; its lock is held,
 *		except in a hugetlb VMA, where interrupts are off
 * @hole:	[start, end) has no entries, empty at @level; may be NULL
 */
struct mml_pgwalk_ops {
	unsigned int (*room)(const struct mml_walk *walk);
	void (*ptes)(struct mml_walk *walk, struct vm_area_struct *vma,
		     const struct mml_step *pmd, unsigned long addr,
		     pte_t *ptep, unsigned int n);
	void (*leaf)(struct mml_walk *walk, struct vm_area_struct *vma,
		     const struct mml_step *leaf, unsigned long addr);
	void (*hole)(struct mml_walk *walk, struct vm_area_struct *vma,
		     unsigned long start, unsigned long end, u8 level);
};

void mml_pgwalk_vma(struct mml_walk *walk, struct vm_area_struct *vma,
		    unsigned long end, const struct mml_pgwalk_ops *ops);

#endif
