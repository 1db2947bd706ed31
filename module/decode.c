// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel and architecture bits -> the stable bits of uapi/mmlens.h.
 *
 * A leaf above the lowest level is looked at through the PTE accessors: what
 * they test stands at the same bits of both.  Its PFN doesn't, so callers
 * bring it.  Nothing here takes a lock; callers hold what keeps the entry, and
 * the page that it maps, in place.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pkeys.h>

#include "compat/leafops.h"
#include "compat/page.h"
#include "compat/pte.h"
#include "compat/vma.h"
#include "decode.h"
#include "decode_arch.h"

/* ZERO_PAGE() is exported in all series, the name of its PFN isn't. */
static bool mml_pfn_is_zero(unsigned long pfn)
{
	return pfn == page_to_pfn(ZERO_PAGE(0));
}

static u32 mml_decode_vma_bits(struct vm_area_struct *vma, u8 level)
{
	u32 flags = 0;

	if (level != MMLENS_LEVEL_PTE)
		flags |= MMLENS_PTE_LEAF;
	if (vma->vm_flags & VM_HUGETLB)
		flags |= MMLENS_PTE_HUGETLB;
	if (vma->vm_flags & VM_SOFTDIRTY)
		flags |= MMLENS_PTE_SOFT_DIRTY;
	return flags;
}

/*
 * PROT_NONE in a VMA that allows access is a NUMA hint, or how userfaultfd
 * tracks accesses (7.3).
 */
static bool mml_is_numa_hint(struct vm_area_struct *vma, pte_t entry)
{
	if (!pte_protnone(entry) || !vma_is_accessible(vma))
		return false;
#ifdef VM_UFFD_RWP
	if ((vma->vm_flags & VM_UFFD_RWP) && pte_uffd(entry))
		return false;
#endif
	return true;
}

static struct mml_entry mml_decode_present(struct vm_area_struct *vma,
					   u8 level, pte_t entry,
					   unsigned long pfn)
{
	u32 flags = mml_decode_vma_bits(vma, level) | mml_arch_flags(entry);

	if (pte_write(entry))
		flags |= MMLENS_PTE_WRITE;
	if (pte_young(entry))
		flags |= MMLENS_PTE_ACCESSED;
	if (pte_dirty(entry))
		flags |= MMLENS_PTE_DIRTY;
	if (pte_special(entry))
		flags |= MMLENS_PTE_SPECIAL;
	if (mml_entry_devmap(entry))
		flags |= MMLENS_PTE_DEVMAP;
	if (pte_uffd(entry))
		flags |= MMLENS_PTE_UFFD_WP;
	if (mml_pfn_is_zero(pfn))
		flags |= MMLENS_PTE_ZERO;
	/* pagemap doesn't look at a hugetlb entry's own bit. */
	if (pte_soft_dirty(entry) && !(flags & MMLENS_PTE_HUGETLB))
		flags |= MMLENS_PTE_SOFT_DIRTY;

	if (pte_protnone(entry))
		flags |= MMLENS_PTE_PROT_NONE;
	flags |= mml_is_numa_hint(vma, entry) ? MMLENS_STATE_NUMA_HINT :
						MMLENS_STATE_PRESENT;
	return (struct mml_entry){ .flags = flags, .value = pfn };
}

static struct mml_entry mml_decode_marker(softleaf_t leaf)
{
	struct mml_entry e = {
		.flags = MMLENS_STATE_MARKER,
		.value = mml_softleaf_markers(leaf),
	};

	if (e.value & MMLENS_MARKER_UFFD)
		e.flags |= MMLENS_PTE_UFFD_WP;
	return e;
}

/* softleaf_to_pfn() is asked only of those that have one: by 7.3 it insists. */
static struct mml_entry mml_decode_softleaf(softleaf_t leaf)
{
	struct mml_entry e = {};

	switch (softleaf_type(leaf)) {
	case SOFTLEAF_SWAP:
		e.flags = MMLENS_STATE_SWAP;
		e.value = (u64)swp_type(leaf) << 58 | swp_offset(leaf);
		return e;
	case SOFTLEAF_MARKER:
		return mml_decode_marker(leaf);
	case SOFTLEAF_MIGRATION_WRITE:
		e.flags = MMLENS_STATE_MIGRATION | MMLENS_PTE_WRITE;
		e.flags |= mml_softleaf_migration_flags(leaf);
		break;
	case SOFTLEAF_MIGRATION_READ_EXCLUSIVE:
		e.flags = MMLENS_STATE_MIGRATION | MMLENS_PTE_ANON_EXCLUSIVE;
		e.flags |= mml_softleaf_migration_flags(leaf);
		break;
	case SOFTLEAF_MIGRATION_READ:
		e.flags = MMLENS_STATE_MIGRATION;
		e.flags |= mml_softleaf_migration_flags(leaf);
		break;
	case SOFTLEAF_DEVICE_PRIVATE_WRITE:
		e.flags = MMLENS_STATE_DEVICE_PRIVATE | MMLENS_PTE_WRITE;
		break;
	case SOFTLEAF_DEVICE_PRIVATE_READ:
		e.flags = MMLENS_STATE_DEVICE_PRIVATE;
		break;
	case SOFTLEAF_DEVICE_EXCLUSIVE:
		e.flags = MMLENS_STATE_DEVICE_EXCLUSIVE;
		break;
	case SOFTLEAF_HWPOISON:
		e.flags = MMLENS_STATE_HWPOISON;
		break;
	default:
		e.flags = MMLENS_STATE_OTHER;
		return e;
	}
	e.value = softleaf_to_pfn(leaf);
	return e;
}

static struct mml_entry mml_decode_nonpresent(struct vm_area_struct *vma,
					      u8 level, pte_t entry)
{
	struct mml_entry e = mml_decode_softleaf(softleaf_from_pte(entry));

	e.flags |= mml_decode_vma_bits(vma, level);
	if (pte_swp_soft_dirty(entry) && !(e.flags & MMLENS_PTE_HUGETLB))
		e.flags |= MMLENS_PTE_SOFT_DIRTY;
	if (pte_swp_uffd(entry))
		e.flags |= MMLENS_PTE_UFFD_WP;
	if ((e.flags & MMLENS_PTE_STATE) == MMLENS_STATE_SWAP &&
	    mml_swp_exclusive(entry))
		e.flags |= MMLENS_PTE_ANON_EXCLUSIVE;
	return e;
}

/**
 * mml_decode_entry() - Decode a leaf or a non-present entry.
 * @vma:	what it belongs to
 * @level:	MMLENS_LEVEL_* that it stands at
 * @entry:	the entry as a PTE; neither empty nor a table
 * @pfn:	PFN that a present one maps
 */
struct mml_entry mml_decode_entry(struct vm_area_struct *vma, u8 level,
				  pte_t entry, unsigned long pfn)
{
	if (pte_present(entry))
		return mml_decode_present(vma, level, entry, pfn);
	return mml_decode_nonpresent(vma, level, entry);
}

/* What a page of hugetlb adds to the entry at @entryp. */
static u32 mml_decode_hugetlb_page(struct page *page, const void *entryp)
{
	struct folio *folio = page_folio(page);
	u32 add = 0;

	/* Tail pages of hugetlb may have no struct page. */
	if (!folio_test_anon(folio))
		add |= MMLENS_PTE_FILE;
	else if (mml_page_anon_exclusive(folio_page(folio, 0)))
		add |= MMLENS_PTE_ANON_EXCLUSIVE;
	if (mml_hugetlb_exclusive(folio, page, entryp))
		add |= MMLENS_PTE_EXCLUSIVE;
	return add;
}

/**
 * mml_decode_page() - What struct page adds to an entry.
 * @e:		the entry as decoded
 * @entryp:	where the entry stands
 *
 * Mirrors pte_to_pagemap_entry() and its kin in fs/proc/task_mmu.c, for the
 * huge zero page too: pagemap calls it a file's; its entry is
 * special, and so nobody's, by 7.3.
 *
 * Returns: more MMLENS_PTE_* to set.
 */
u32 mml_decode_page(const struct mml_entry *e, const void *entryp)
{
	struct page *page;

	if (!mml_entry_has_page(e->flags) || !pfn_valid(e->value))
		return 0;
	page = pfn_to_page(e->value);
	if (!mml_entry_is_mapped(e->flags))
		return folio_test_anon(page_folio(page)) ? 0 : MMLENS_PTE_FILE;
	if (e->flags & MMLENS_PTE_HUGETLB)
		return mml_decode_hugetlb_page(page, entryp);
	return mml_decode_mapped_page(page);
}

/**
 * mml_decode_huge_zero() - Does a decoded leaf map the huge zero page?
 * @vma:	what the leaf belongs to
 * @level:	MMLENS_LEVEL_* that it stands at
 * @e:		the leaf as decoded
 */
bool mml_decode_huge_zero(struct vm_area_struct *vma, u8 level,
			  const struct mml_entry *e)
{
	if (level != MMLENS_LEVEL_PMD || (vma->vm_flags & VM_HUGETLB) ||
	    !vma_is_anonymous(vma))
		return false;
	if ((e->flags & MMLENS_PTE_STATE) != MMLENS_STATE_PRESENT ||
	    !pfn_valid(e->value))
		return false;
	return mml_page_is_huge_zero(page_folio(pfn_to_page(e->value)));
}

/* The bits of an entry that points to a table. */
u32 mml_decode_table(pte_t entry)
{
	u32 flags = MMLENS_STATE_TABLE | mml_arch_flags(entry);

	if (pte_write(entry))
		flags |= MMLENS_PTE_WRITE;
	if (pte_young(entry))
		flags |= MMLENS_PTE_ACCESSED;
	return flags & ~MMLENS_PTE_GLOBAL;
}

static const struct {
	unsigned long vm_flag;
	u64 flag;
} mml_vm_flags[] = {
	{ VM_READ,		MMLENS_VMA_READ },
	{ VM_WRITE,		MMLENS_VMA_WRITE },
	{ VM_EXEC,		MMLENS_VMA_EXEC },
	{ VM_SHARED,		MMLENS_VMA_SHARED },
	{ VM_MAYREAD,		MMLENS_VMA_MAYREAD },
	{ VM_MAYWRITE,		MMLENS_VMA_MAYWRITE },
	{ VM_MAYEXEC,		MMLENS_VMA_MAYEXEC },
	{ VM_MAYSHARE,		MMLENS_VMA_MAYSHARE },
	{ VM_GROWSDOWN,		MMLENS_VMA_GROWSDOWN },
	{ VM_PFNMAP,		MMLENS_VMA_PFNMAP },
	{ VM_LOCKED,		MMLENS_VMA_LOCKED },
	{ VM_IO,		MMLENS_VMA_IO },
	{ VM_SEQ_READ,		MMLENS_VMA_SEQ_READ },
	{ VM_RAND_READ,		MMLENS_VMA_RAND_READ },
	{ VM_DONTCOPY,		MMLENS_VMA_DONTCOPY },
	{ VM_DONTEXPAND,	MMLENS_VMA_DONTEXPAND },
	{ VM_LOCKONFAULT,	MMLENS_VMA_LOCKONFAULT },
	{ VM_ACCOUNT,		MMLENS_VMA_ACCOUNT },
	{ VM_NORESERVE,		MMLENS_VMA_NORESERVE },
	{ VM_HUGETLB,		MMLENS_VMA_HUGETLB },
	{ VM_SYNC,		MMLENS_VMA_SYNC },
	{ VM_ARCH_1,		MMLENS_VMA_ARCH_1 },
	{ VM_WIPEONFORK,	MMLENS_VMA_WIPEONFORK },
	{ VM_DONTDUMP,		MMLENS_VMA_DONTDUMP },
	{ VM_SOFTDIRTY,		MMLENS_VMA_SOFTDIRTY },
	{ VM_MIXEDMAP,		MMLENS_VMA_MIXEDMAP },
	{ VM_HUGEPAGE,		MMLENS_VMA_HUGEPAGE },
	{ VM_NOHUGEPAGE,	MMLENS_VMA_NOHUGEPAGE },
	{ VM_MERGEABLE,		MMLENS_VMA_MERGEABLE },
	{ VM_UFFD_MISSING,	MMLENS_VMA_UFFD_MISSING },
	{ VM_UFFD_WP,		MMLENS_VMA_UFFD_WP },
#ifdef VM_UFFD_MINOR		/* 5.13 */
	{ VM_UFFD_MINOR,	MMLENS_VMA_UFFD_MINOR },
#endif
#ifdef VM_UFFD_RWP		/* 7.3 */
	{ VM_UFFD_RWP,		MMLENS_VMA_UFFD_RWP },
#endif
#ifdef VM_SHADOW_STACK		/* 6.6 */
	{ VM_SHADOW_STACK,	MMLENS_VMA_SHADOW_STACK },
#endif
#ifdef VM_DROPPABLE		/* 6.11 */
	{ VM_DROPPABLE,		MMLENS_VMA_DROPPABLE },
#endif
#ifdef VM_SEALED		/* 6.10 */
	{ VM_SEALED,		MMLENS_VMA_SEALED },
#endif
#ifdef VM_MAYBE_GUARD		/* 6.19 */
	{ VM_MAYBE_GUARD,	MMLENS_VMA_MAYBE_GUARD },
#endif
#ifdef VM_DENYWRITE		/* until 5.15 */
	{ VM_DENYWRITE,		MMLENS_VMA_DENYWRITE },
#endif
};

/* MMLENS_VMA_* of a VMA; its mmap_lock is held. */
u64 mml_decode_vm_flags(struct vm_area_struct *vma)
{
	unsigned long vm_flags = vma->vm_flags;
	u64 flags = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mml_vm_flags); i++)
		if (vm_flags & mml_vm_flags[i].vm_flag)
			flags |= mml_vm_flags[i].flag;
	return flags;
}

/* How VmFlags of smaps is made: fill in vma_bit and vma_hidden. */
void mml_decode_vma_bits_info(struct mmlens_info *info)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mml_vm_flags); i++)
		if (mml_vm_flags[i].vm_flag)
			info->vma_bit[ilog2(mml_vm_flags[i].flag)] =
				1 + ilog2(mml_vm_flags[i].vm_flag);
	info->vma_hidden = mml_vm_flags_hidden();
}

u32 mml_decode_pkey(struct vm_area_struct *vma)
{
	return vma_pkey(vma);
}
