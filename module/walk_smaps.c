// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_SMAPS: VMAs and the sums of their pages, as smap_gather_stats() of
 * fs/proc/task_mmu.c makes them.
 *
 * Locking: as MMLENS_PTES.  The lock is let go within a VMA that has more
 * entries than a step may look at; one that isn't the same afterwards ends
 * there (MMLENS_SMAPS_RACED), and the walk goes on from that address.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page_idle.h>

#include "compat/page.h"
#include "compat/pte.h"
#include "decode.h"
#include "pgwalk.h"
#include "vma.h"

/* Fractional bits of pss, as PSS_SHIFT of fs/proc/task_mmu.c. */
#define MML_PSS_SHIFT	12

/* What a VMA costs beside its entries: the look for it, its name's path. */
#define MML_VMA_COST	16

/**
 * struct mml_smaps - A walk's VMA under way.
 * @start:	what it was when it was found
 * @end:	the same
 * @vm_flags:	the same
 * @pgoff:	the same
 * @sums:	so far
 */
struct mml_smaps {
	unsigned long start;
	unsigned long end;
	unsigned long vm_flags;
	unsigned long pgoff;
	struct mmlens_smaps sums;
};

/* What an entry says of the page that it maps. */
struct mml_mapping {
	bool young;
	bool dirty;
	bool locked;
	bool present;
	bool migration;
};

static void mml_smaps_add(struct mmlens_smaps *sums, struct folio *folio,
			  unsigned long size, u64 pss,
			  const struct mml_mapping *m, bool private)
{
	sums->pss += pss;
	if (folio_test_anon(folio))
		sums->pss_anon += pss;
	else if (folio_test_swapbacked(folio))
		sums->pss_shmem += pss;
	else
		sums->pss_file += pss;
	if (m->locked)
		sums->pss_locked += pss;

	if (m->dirty || folio_test_dirty(folio)) {
		sums->pss_dirty += pss;
		if (private)
			sums->private_dirty += size;
		else
			sums->shared_dirty += size;
	} else if (private) {
		sums->private_clean += size;
	} else {
		sums->shared_clean += size;
	}
}

/* Quantities that depend on the folio alone, not on who shares its pages. */
static void mml_smaps_folio(struct mmlens_smaps *sums, struct folio *folio,
			    unsigned long size, const struct mml_mapping *m)
{
	if (folio_test_anon(folio)) {
		sums->anonymous += size;
		if (!folio_test_swapbacked(folio) && !m->dirty &&
		    !folio_test_dirty(folio))
			sums->lazyfree += size;
	}
	if (folio_test_ksm(folio))
		sums->ksm += size;
	sums->rss += size;
	if (m->young || folio_test_young(folio) ||
	    folio_test_referenced(folio))
		sums->referenced += size;
}

static void mml_smaps_account(struct mmlens_smaps *sums, struct page *page,
			      unsigned int nr, const struct mml_mapping *m)
{
	struct folio *folio = page_folio(page);
	unsigned long size = (unsigned long)nr << PAGE_SHIFT;
	unsigned int i;

	mml_smaps_folio(sums, folio, size, m);

	/* A mapcount can't be had of what isn't present. */
	if (folio_ref_count(folio) == 1 || mml_smaps_uncounted(m->present,
							       m->migration)) {
		mml_smaps_add(sums, folio, size, (u64)size << MML_PSS_SHIFT, m,
			      mml_smaps_private(m->present));
		return;
	}

	for (i = 0; i < nr; i++, page++) {
		u64 pss = (u64)PAGE_SIZE << MML_PSS_SHIFT;
		bool private;
		int mapcount = mml_smaps_mapcount(folio, page, &private);

		if (mapcount >= 2)
			pss = div_u64(pss, mapcount);
		mml_smaps_add(sums, folio, PAGE_SIZE, pss, m, private);
	}
}

static struct mml_mapping mml_smaps_mapping(struct vm_area_struct *vma,
					    pte_t entry, u32 flags)
{
	u32 state = flags & MMLENS_PTE_STATE;
	bool present = pte_present(entry);

	return (struct mml_mapping){
		.young = present && (flags & MMLENS_PTE_ACCESSED),
		.dirty = present && (flags & MMLENS_PTE_DIRTY),
		.locked = vma->vm_flags & VM_LOCKED,
		.present = present || state == MMLENS_STATE_DEVICE_PRIVATE,
		.migration = state == MMLENS_STATE_MIGRATION,
	};
}

static void mml_smaps_entry(struct mmlens_smaps *sums,
			    struct vm_area_struct *vma, pte_t entry)
{
	struct mml_entry e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					      pte_pfn(entry));
	struct mml_mapping m;

	if ((e.flags & MMLENS_PTE_STATE) == MMLENS_STATE_SWAP)
		sums->swap += PAGE_SIZE;
	if (!mml_entry_has_page(e.flags) || !pfn_valid(e.value))
		return;
	m = mml_smaps_mapping(vma, entry, e.flags);
	mml_smaps_account(sums, pfn_to_page(e.value), 1, &m);
}

static void mml_smaps_ptes(struct mml_walk *walk, struct vm_area_struct *vma,
			   unsigned long addr, pte_t *ptep, unsigned int n)
{
	struct mml_smaps *smaps = walk->private;
	unsigned int i;

	if (vma->vm_flags & VM_HUGETLB)
		return;
	for (i = 0; i < n; i++) {
		pte_t entry = mml_entry_read(ptep + i);

		if (!pte_none(entry))
			mml_smaps_entry(&smaps->sums, vma, entry);
	}
}

static void mml_smaps_hugetlb(struct mmlens_smaps *sums,
			      struct vm_area_struct *vma,
			      const struct mml_step *leaf,
			      const struct mml_entry *e)
{
	struct page *page;
	u64 size = vma_kernel_pagesize(vma);

	if (!mml_entry_has_page(e->flags) || !pfn_valid(e->value))
		return;
	page = pfn_to_page(e->value);
	if (pte_present(leaf->entry) &&
	    mml_hugetlb_private(page_folio(page), page, leaf->entryp))
		sums->private_hugetlb += size;
	else
		sums->shared_hugetlb += size;
}

static void mml_smaps_huge(struct mmlens_smaps *sums, struct folio *folio,
			   unsigned long size)
{
	if (folio_test_anon(folio))
		sums->anon_huge += size;
	else if (folio_test_swapbacked(folio))
		sums->shmem_huge += size;
	else if (!folio_is_zone_device(folio))
		sums->file_huge += size;
}

static void mml_smaps_leaf(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *leaf, unsigned long addr)
{
	struct mml_smaps *smaps = walk->private;
	struct mml_entry e = mml_decode_entry(vma, leaf->level, leaf->entry,
					      leaf->pfn);
	struct mml_mapping m;
	struct page *page;

	if (vma->vm_flags & VM_HUGETLB) {
		mml_smaps_hugetlb(&smaps->sums, vma, leaf, &e);
		return;
	}
	/* The kernel's sums don't look at PUDs. */
	if (leaf->level != MMLENS_LEVEL_PMD || !mml_entry_has_page(e.flags) ||
	    !pfn_valid(e.value) || mml_decode_huge_zero(vma, leaf->level, &e))
		return;
	if ((e.flags & MMLENS_PTE_PROT_NONE) && mml_smaps_skips_prot_none_pmd())
		return;
	page = pfn_to_page(e.value);
	m = mml_smaps_mapping(vma, leaf->entry, e.flags);
	mml_smaps_huge(&smaps->sums, page_folio(page), 1UL << leaf->shift);
	mml_smaps_account(&smaps->sums, page, 1U << (leaf->shift - PAGE_SHIFT),
			  &m);
}

static const struct mml_pgwalk_ops mml_smaps_ops = {
	.ptes	= mml_smaps_ptes,
	.leaf	= mml_smaps_leaf,
};

static bool mml_smaps_start(struct mml_walk *walk, struct vm_area_struct *vma)
{
	struct mml_smaps *smaps = walk->private;

	if (mml_sink_room(&walk->sink) < MML_VMA_ROOM + sizeof(smaps->sums))
		return false;
	if (!mml_emit_vma(walk, vma))
		return false;
	walk->cursor = max(walk->cursor, vma->vm_start);
	walk->pending = true;
	*smaps = (struct mml_smaps){
		.start		= vma->vm_start,
		.end		= vma->vm_end,
		.vm_flags	= vma->vm_flags,
		.pgoff		= vma->vm_pgoff,
	};
	return true;
}

static void mml_smaps_finish(struct mml_walk *walk, u32 flags)
{
	struct mml_smaps *smaps = walk->private;
	struct mmlens_smaps *rec;
	struct mmlens_record head;

	walk->pending = false;
	rec = mml_emit(&walk->sink, MMLENS_REC_SMAPS, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	head = rec->head;
	*rec = smaps->sums;
	rec->head = head;
	rec->flags = flags;
}

static bool mml_smaps_same(const struct mml_smaps *smaps,
			   struct vm_area_struct *vma)
{
	return vma && vma->vm_start == smaps->start &&
	       vma->vm_end == smaps->end && vma->vm_pgoff == smaps->pgoff &&
	       vma->vm_flags == smaps->vm_flags;
}

/* One VMA, or what is left of it: false when the step is over. */
static bool mml_smaps_one(struct mml_walk *walk)
{
	struct mml_smaps *smaps = walk->private;
	struct vm_area_struct *vma;
	unsigned long end;

	if (!mml_walk_charge(walk, MML_VMA_COST))
		return false;
	vma = find_vma(walk->mm, walk->cursor);
	if (walk->pending && !mml_smaps_same(smaps, vma)) {
		walk->restarts++;
		mml_smaps_finish(walk, MMLENS_SMAPS_RACED);
		return true;
	}
	if (!walk->pending) {
		if (!vma || vma->vm_start >= walk->end ||
		    walk->cursor >= walk->end) {
			walk->done = true;
			return false;
		}
		if (!mml_smaps_start(walk, vma))
			return false;
	}

	end = min(vma->vm_end, walk->end);
	mml_pgwalk_vma(walk, vma, end, &mml_smaps_ops);
	if (walk->cursor < end)
		return false;
	mml_smaps_finish(walk, 0);
	return true;
}

static int mml_walk_smaps_step(struct mml_walk *walk)
{
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	while (mml_smaps_one(walk))
		;
	mml_mmap_unlock(walk);
	return 0;
}

const struct mml_walker mml_walk_smaps = {
	.name		= "smaps",
	.nr		= MMLENS_NR_SMAPS,
	.step_room	= MML_VMA_ROOM + sizeof(struct mmlens_smaps),
	.private_size	= sizeof(struct mml_smaps),
	.step		= mml_walk_smaps_step,
};
