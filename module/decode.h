/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel and architecture bits -> the stable bits of uapi/mmlens.h. */
#ifndef MML_DECODE_H
#define MML_DECODE_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>

#include "uapi/mmlens.h"

/**
 * struct mml_entry - A decoded entry that isn't a table and isn't empty.
 * @flags:	state and MMLENS_PTE_*
 * @value:	as in &struct mmlens_pte
 */
struct mml_entry {
	u32 flags;
	u64 value;
};

struct mml_entry mml_decode_entry(struct vm_area_struct *vma, u8 level,
				  pte_t entry, unsigned long pfn);
u32 mml_decode_page(const struct mml_entry *e, const void *entryp);
bool mml_decode_huge_zero(struct vm_area_struct *vma, u8 level,
			  const struct mml_entry *e);
u32 mml_decode_table(pte_t entry);
u64 mml_decode_vm_flags(struct vm_area_struct *vma);
u32 mml_decode_pkey(struct vm_area_struct *vma);

/* Does an entry so decoded name a page that struct page describes? */
static inline bool mml_entry_has_page(u32 flags)
{
	switch (flags & MMLENS_PTE_STATE) {
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
		return !(flags & (MMLENS_PTE_SPECIAL | MMLENS_PTE_DEVMAP));
	case MMLENS_STATE_MIGRATION:
	case MMLENS_STATE_DEVICE_PRIVATE:
	case MMLENS_STATE_DEVICE_EXCLUSIVE:
	case MMLENS_STATE_HWPOISON:
		return true;
	}
	return false;
}

#endif
