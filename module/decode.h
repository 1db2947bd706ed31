/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel and architecture bits -> the stable bits of uapi/mmlens.h. */
#ifndef MML_DECODE_H
#define MML_DECODE_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat/page.h"
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
void mml_decode_vma_bits_info(struct mmlens_info *info);

/* What struct page adds. */
#define MML_PAGE_FLAGS	(MMLENS_PTE_FILE | MMLENS_PTE_ANON_EXCLUSIVE | \
			 MMLENS_PTE_EXCLUSIVE)

/**
 * mml_effective() - Effective permissions, as bits of mmlens_pte.flags.
 * @flags:	of the entry as decoded
 * @denied:	what it and those above it deny, MMLENS_EFF_*
 *
 * Returns: MMLENS_EFF_*; none of an entry that the hardware doesn't look at.
 */
static inline u32 mml_effective(u32 flags, u32 denied)
{
	u32 state = flags & MMLENS_PTE_STATE;

	if (state != MMLENS_STATE_TABLE && (state != MMLENS_STATE_PRESENT ||
					    (flags & MMLENS_PTE_PROT_NONE)))
		return 0;
	return denied ^ (MMLENS_EFF_USER | MMLENS_EFF_WRITE);
}

/* Does an entry so decoded map its page, be it for a fault only? */
static inline bool mml_entry_is_mapped(u32 flags)
{
	return (flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT ||
	       (flags & MMLENS_PTE_STATE) == MMLENS_STATE_NUMA_HINT;
}

/**
 * mml_decode_mapped_page() - What struct page adds to an entry that maps it.
 * @page:	not of hugetlb
 *
 * Returns: more MMLENS_PTE_* to set.
 */
static inline u32 mml_decode_mapped_page(struct page *page)
{
	struct folio *folio = page_folio(page);
	u32 add = 0;

	if (!folio_test_anon(folio))
		add |= MMLENS_PTE_FILE;
	else if (mml_page_anon_exclusive(page))
		add |= MMLENS_PTE_ANON_EXCLUSIVE;
	if (mml_page_exclusive(folio, page))
		add |= MMLENS_PTE_EXCLUSIVE;
	return add;
}

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
