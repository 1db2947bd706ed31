// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_SMAPS: VMAs and the sums of their pages, as smap_gather_stats() of
 * fs/proc/task_mmu.c makes them.
 *
 * Locking: as vma_sums.c says.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page_idle.h>

#include "compat/page.h"
#include "compat/pte.h"
#include "compat/shmem.h"
#include "compat/vma.h"
#include "decode.h"
#include "decode_arch.h"
#include "pgwalk.h"
#include "smaps.h"
#include "vma.h"

/* Fractional bits of pss, as PSS_SHIFT of fs/proc/task_mmu.c. */
#define MML_PSS_SHIFT	12

/*
 * What is to be known of a page to add it up, as a small number: neighbours
 * mostly are alike, so they are counted first and added up together.
 */
#define MML_PAGE_ANON		(1u << 0)
#define MML_PAGE_SWAPBACKED	(1u << 1)
#define MML_PAGE_DIRTY		(1u << 2)
#define MML_PAGE_REFERENCED	(1u << 3)
#define MML_PAGE_PRIVATE	(1u << 4)
#define MML_PAGE_KSM		(1u << 5)

/* What an entry says of the page that it maps. */
struct mml_mapping {
	bool young;
	bool dirty;
	bool present;
	bool migration;
};

/* Add @size bytes of pages of a class, which count @pss. */
static void mml_smaps_add(struct mmlens_smaps *sums, unsigned int class,
			  bool locked, u64 size, u64 pss)
{
	const bool anon = class & MML_PAGE_ANON;
	const bool private = class & MML_PAGE_PRIVATE;

	sums->rss += size;
	sums->pss += pss;
	if (anon)
		sums->pss_anon += pss;
	else if (class & MML_PAGE_SWAPBACKED)
		sums->pss_shmem += pss;
	else
		sums->pss_file += pss;
	if (locked)
		sums->pss_locked += pss;
	if (class & MML_PAGE_REFERENCED)
		sums->referenced += size;
	if (class & MML_PAGE_KSM)
		sums->ksm += size;
	if (anon)
		sums->anonymous += size;
	if (class & MML_PAGE_DIRTY) {
		sums->pss_dirty += pss;
		*(private ? &sums->private_dirty : &sums->shared_dirty) += size;
	} else {
		*(private ? &sums->private_clean : &sums->shared_clean) += size;
		if (anon && !(class & MML_PAGE_SWAPBACKED))
			sums->lazyfree += size;
	}
}

/* Add up what was tallied, and begin anew. */
static void mml_smaps_flush(struct mml_smaps *smaps)
{
	struct mml_tally *tally = &smaps->tally;
	const bool locked = smaps->vma.vm_flags & VM_LOCKED;
	u64 pss = (u64)PAGE_SIZE << MML_PSS_SHIFT;

	if (!tally->pages)
		return;
	if (tally->mapcount >= 2)
		pss = div_u64(pss, tally->mapcount);
	mml_smaps_add(&smaps->sums, tally->class, locked,
		      tally->pages << PAGE_SHIFT, tally->pages * pss);
	tally->pages = 0;
}

/* Neighbours mostly are of one class and mapped as often: add them as one. */
static inline void mml_smaps_tally(struct mml_smaps *smaps, unsigned int class,
				   int mapcount, u64 pages)
{
	struct mml_tally *tally = &smaps->tally;

	if (class != tally->class || mapcount != tally->mapcount) {
		mml_smaps_flush(smaps);
		tally->class = class;
		tally->mapcount = mapcount;
	}
	tally->pages += pages;
}

/*
 * All of a class but whether the page is private.
 * @flags:	the flags word of the page's folio
 * @mapping:	the folio's, with its low bits
 */
static inline unsigned int mml_smaps_class(unsigned long flags,
					   unsigned long mapping,
					   const struct page *page,
					   const struct mml_mapping *m)
{
	unsigned int class = 0;

	if (mapping & MML_MAPPING_ANON) {
		class |= MML_PAGE_ANON;
		if ((mapping & MML_MAPPING_KSM) == MML_MAPPING_KSM)
			class |= MML_PAGE_KSM;
	}
	if (mml_flag(flags, PG_swapbacked))
		class |= MML_PAGE_SWAPBACKED;
	if (m->dirty || mml_flag(flags, PG_dirty))
		class |= MML_PAGE_DIRTY;
	if (m->young || mml_flag(flags, PG_referenced) ||
	    mml_page_young(flags, page))
		class |= MML_PAGE_REFERENCED;
	return class;
}

static void mml_smaps_account(struct mml_smaps *smaps, struct page *page,
			      unsigned int nr, const struct mml_mapping *m)
{
	struct folio *folio = page_folio(page);
	unsigned int class = mml_smaps_class(mml_page_flags(&folio->page),
					     mml_page_mapping(&folio->page),
					     page, m);
	unsigned int i;

	/* A mapcount can't be had of what isn't present. */
	if (folio_ref_count(folio) == 1 || mml_smaps_uncounted(m->present,
							       m->migration)) {
		if (mml_smaps_private(m->present))
			class |= MML_PAGE_PRIVATE;
		mml_smaps_tally(smaps, class, 1, nr);
		return;
	}
	for (i = 0; i < nr; i++) {
		bool private;
		int mapcount = mml_smaps_mapcount(folio, page + i, &private);

		mml_smaps_tally(smaps, class | (private ? MML_PAGE_PRIVATE : 0),
				max(mapcount, 1), 1);
	}
}

static struct mml_mapping mml_smaps_mapping(pte_t entry, u32 flags)
{
	u32 state = flags & MMLENS_PTE_STATE;
	bool present = pte_present(entry);

	return (struct mml_mapping){
		.young = present && (flags & MMLENS_PTE_ACCESSED),
		.dirty = present && (flags & MMLENS_PTE_DIRTY),
		.present = present || state == MMLENS_STATE_DEVICE_PRIVATE,
		.migration = state == MMLENS_STATE_MIGRATION,
	};
}

/* An entry of any kind. */
static void mml_smaps_entry(struct mml_smaps *smaps, struct vm_area_struct *vma,
			    pte_t entry)
{
	struct mmlens_smaps *sums = &smaps->sums;
	struct mml_entry e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					      pte_pfn(entry));
	struct mml_mapping m;

	if ((e.flags & MMLENS_PTE_STATE) == MMLENS_STATE_SWAP) {
		sums->swap += PAGE_SIZE;
		sums->swap_anon += PAGE_SIZE;
	}
	if (!mml_entry_has_page(e.flags) || !pfn_valid(e.value))
		return;
	m = mml_smaps_mapping(entry, e.flags);
	mml_smaps_account(smaps, pfn_to_page(e.value), 1, &m);
}

/*
 * Is this a present entry whose page struct page describes, as its bits alone
 * tell?  Nearly all are.
 */
static bool mml_smaps_is_plain(pte_t entry)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) && pte_present(entry) &&
	       !pte_special(entry) && !mml_entry_devmap(entry);
}

static void mml_smaps_swapped(struct mml_smaps *smaps,
			      struct vm_area_struct *vma, unsigned long start,
			      unsigned long end)
{
	smaps->sums.swap += mml_shmem_swapped(smaps->shmem,
					      linear_page_index(vma, start),
					      linear_page_index(vma, end)) <<
			    PAGE_SHIFT;
}

/* No entries: of shared memory mapped privately, pages that weren't copied. */
static void mml_smaps_none(struct mml_smaps *smaps, struct vm_area_struct *vma,
			   unsigned long start, unsigned long end)
{
	if (smaps->shmem && !(vma->vm_flags & VM_SHARED))
		mml_smaps_swapped(smaps, vma, start, end);
}

/* How many entries from @ptep on, of @n, are empty? */
static unsigned int mml_none_run(const pte_t *ptep, unsigned int n)
{
	unsigned int i = 0;

	while (i < n && pte_none(mml_entry_read(ptep + i)))
		i++;
	return i;
}

/**
 * struct mml_alike - What an entry and its page were like, undecoded: those
 * that agree in it, and whose entry only differs in the PFN, count the same.
 * @key:	the entry without its PFN
 * @page:	the page
 */
struct mml_alike {
	u64 key;
	struct mml_glance page;
};

/*
 * How many entries from @ptep on, of @n, are alike?  Most of a walk's time goes
 * here: a function of its own keeps all of it in registers.
 */
static noinline unsigned int mml_alike_run(const struct mml_alike *alike,
					   const pte_t *ptep, unsigned int n)
{
	const struct mml_glance glance = alike->page;
	const u64 not_pfn = ~mml_arch_pfn_mask();
	const u64 key = alike->key;
	const pte_t *at;

	for (at = ptep; at < ptep + n; at++) {
		u64 pfn = mml_arch_raw(mml_entry_read(at)) ^ key;

		if (pfn & not_pfn ||
		    !mml_page_looks(pfn_to_page(pfn >> PAGE_SHIFT), &glance))
			break;
	}
	return at - ptep;
}

/*
 * Add up a page that is no part of a large folio, present, by what was learnt
 * of it: all of one look.
 */
static void mml_smaps_small(struct mml_smaps *smaps, const struct page *page,
			    const struct mml_alike *alike,
			    const struct mml_mapping *m)
{
	const struct mml_glance *glance = &alike->page;
	unsigned int class = mml_smaps_class(glance->flags, glance->mapping,
					     page, m);
	int mapcount = glance->counts.mapcount + 1;

	if (glance->counts.refs == 1 || mapcount < 2) {
		class |= MML_PAGE_PRIVATE;
		mapcount = 1;
	}
	mml_smaps_tally(smaps, class, mapcount, 1);
}

/*
 * A present entry, as its bits alone tell, and those after it, of @n, that
 * count the same.  Returns how many these are.
 */
static unsigned int mml_smaps_plain(struct mml_smaps *smaps, pte_t entry,
				    pte_t *ptep, unsigned int n)
{
	unsigned long pfn = pte_pfn(entry);
	struct page *page = pfn_to_page(pfn);
	const struct mml_alike alike = {
		.key  = mml_arch_key(entry),
		.page = mml_page_glance(page),
	};
	const struct mml_mapping m = {
		.young	 = pte_young(entry),
		.dirty	 = pte_dirty(entry),
		.present = true,
	};
	unsigned int run;

	/* What counts of a part of a large folio isn't in its own words. */
	if (mml_page_head_word(page) || mml_flag(alike.page.flags, PG_head)) {
		mml_smaps_account(smaps, page, 1, &m);
		return 1;
	}
	mml_smaps_small(smaps, page, &alike, &m);
	if (!mml_arch_has_pfn(entry, pfn))
		return 1;
	run = mml_alike_run(&alike, ptep + 1, n - 1);
	smaps->tally.pages += run;
	return 1 + run;
}

static void mml_smaps_ptes(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *pmd, unsigned long addr,
			   pte_t *ptep, unsigned int n)
{
	struct mml_smaps *smaps = walk->private;
	unsigned int i, run;

	if (vma->vm_flags & VM_HUGETLB)
		return;
	for (i = 0; i < n; i += run) {
		pte_t entry = mml_entry_read(ptep + i);

		if (pte_none(entry)) {
			run = 1 + mml_none_run(ptep + i + 1, n - i - 1);
			mml_smaps_none(smaps, vma, addr + i * PAGE_SIZE,
				       addr + (i + run) * PAGE_SIZE);
		} else if (mml_smaps_is_plain(entry)) {
			run = mml_smaps_plain(smaps, entry, ptep + i, n - i);
		} else {
			mml_smaps_entry(smaps, vma, entry);
			run = 1;
		}
	}
}

static void mml_smaps_hole(struct mml_walk *walk, struct vm_area_struct *vma,
			   unsigned long start, unsigned long end, u8 level)
{
	mml_smaps_none(walk->private, vma, start, end);
}

static void mml_smaps_hugetlb(struct mmlens_smaps *sums,
			      struct vm_area_struct *vma,
			      const struct mml_step *leaf,
			      const struct mml_entry *e)
{
	struct page *page;
	u64 size = vma_kernel_pagesize(vma);
	bool private;

	if (!mml_entry_has_page(e->flags) || !pfn_valid(e->value))
		return;
	page = pfn_to_page(e->value);
	if (pte_present(leaf->entry))
		private = mml_hugetlb_private(page_folio(page), page,
					      leaf->entryp);
	else
		private = mml_smaps_private(false);
	if (private)
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
	m = mml_smaps_mapping(leaf->entry, e.flags);
	mml_smaps_huge(&smaps->sums, page_folio(page), 1UL << leaf->shift);
	mml_smaps_account(smaps, page, 1U << (leaf->shift - PAGE_SHIFT), &m);
}

static const struct mml_pgwalk_ops mml_smaps_ops = {
	.ptes	= mml_smaps_ptes,
	.leaf	= mml_smaps_leaf,
	.hole	= mml_smaps_hole,
};

/* ---- one VMA after the other ---- */

/*
 * Swapped-out pages of shared memory are looked for in so much of it at once:
 * they stand in its mapping, not in page tables.
 */
#define MML_SHMEM_STEP	(32UL << 20)

static void mml_smaps_take(struct mml_walk *walk, struct vm_area_struct *vma)
{
	struct mml_smaps *smaps = walk->private;
	struct address_space *shmem = mml_vma_shmem(vma);

	smaps->shmem = shmem && mml_shmem_has_swapped(shmem) ? shmem : NULL;
}

/* Sum up a VMA from the cursor on: false when the step is over before @end. */
static bool mml_smaps_walk(struct mml_walk *walk, struct vm_area_struct *vma,
			   unsigned long end)
{
	struct mml_smaps *smaps = walk->private;
	unsigned long from = walk->cursor, to = end;

	if (!smaps->shmem) {
		mml_pgwalk_vma(walk, vma, end, &mml_smaps_ops);
		return walk->cursor == end;
	}

	if (end - from > MML_SHMEM_STEP)
		to = from + MML_SHMEM_STEP;
	/* Another file may have come to stand there meanwhile. */
	if (mml_vma_shmem(vma) != smaps->shmem)
		smaps->shmem = NULL;
	mml_pgwalk_vma(walk, vma, to, &mml_smaps_ops);
	if (smaps->shmem && (vma->vm_flags & VM_SHARED))
		mml_smaps_swapped(smaps, vma, from, walk->cursor);
	return walk->cursor == end;
}

/**
 * mml_smaps_emit() - Emit the sums and forget them.
 * @walk:	its private part begins with a &struct mml_smaps
 * @flags:	MMLENS_SMAPS_*
 */
void mml_smaps_emit(struct mml_walk *walk, u32 flags)
{
	struct mml_smaps *smaps = walk->private;
	struct mmlens_smaps *rec;
	struct mmlens_record head;

	mml_smaps_flush(smaps);
	rec = mml_emit(&walk->sink, MMLENS_REC_SMAPS, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	head = rec->head;
	*rec = smaps->sums;
	rec->head = head;
	rec->flags = flags;
	*smaps = (struct mml_smaps){};
}

static const struct mml_vma_sums_ops mml_smaps_sums = {
	.room	= sizeof(struct mmlens_smaps),
	.take	= mml_smaps_take,
	.walk	= mml_smaps_walk,
	.emit	= mml_smaps_emit,
};

/* ---- all VMAs together ---- */

/* One VMA, or what is left of it; *@done is set when there are no more. */
static bool mml_smaps_next(struct mml_walk *walk, struct mml_vmas *vmas,
			   bool *done)
{
	struct mml_smaps *smaps = walk->private;
	struct vm_area_struct *vma;

	if (!mml_walk_charge(walk, MML_VMA_COST))
		return false;
	vma = mml_vmas_next(vmas);
	*done = mml_walk_at_end(walk, vma);
	if (*done)
		return false;
	if (!mml_vma_is_marked(&smaps->vma, vma)) {
		if (walk->cursor < smaps->vma.end)
			walk->restarts++;
		if (!smaps->last)
			smaps->first = vma->vm_start;
		smaps->last = vma->vm_end;
		walk->cursor = max(walk->cursor, vma->vm_start);
		/* What was tallied is of the VMA before. */
		mml_smaps_flush(smaps);
		mml_vma_mark(&smaps->vma, vma);
		mml_smaps_take(walk, vma);
	}
	return mml_smaps_walk(walk, vma, min(vma->vm_end, walk->end));
}

/**
 * mml_smaps_total_step() - Sum up more of all VMAs, without emitting anything.
 * @walk:	inside of a step; its private part begins with a
 *		&struct mml_smaps, zero at the start; its cursor moves on
 * @done:	set at the end
 *
 * Returns: 0 or a negative errno.
 */
int mml_smaps_total_step(struct mml_walk *walk, bool *done)
{
	struct mml_vmas vmas;
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	vmas = mml_vmas_from(walk->mm, walk->cursor);
	while (mml_smaps_next(walk, &vmas, done))
		;
	mml_mmap_unlock(walk);
	return 0;
}

static void mml_smaps_emit_total(struct mml_walk *walk)
{
	const struct mml_smaps *smaps = walk->private;
	struct mmlens_vma *vma;

	walk->done = true;
	walk->pending = false;
	vma = mml_emit(&walk->sink, MMLENS_REC_VMA, 0, sizeof(*vma));
	if (WARN_ON_ONCE(!vma))
		return;
	vma->page_shift = PAGE_SHIFT;
	vma->start = smaps->first;
	vma->end = smaps->last;
	mml_smaps_emit(walk, 0);
}

static int mml_walk_smaps_total(struct mml_walk *walk)
{
	bool done = false;
	int err;

	walk->pending = true;
	err = mml_smaps_total_step(walk, &done);
	if (done)
		mml_smaps_emit_total(walk);
	return err;
}

static int mml_walk_smaps_step(struct mml_walk *walk)
{
	if (walk->flags & MMLENS_WALK_TOTAL)
		return mml_walk_smaps_total(walk);
	return mml_vma_sums_step(walk, &mml_smaps_sums);
}

const struct mml_walker mml_walk_smaps = {
	.name		= "smaps",
	.nr		= MMLENS_NR_SMAPS,
	.flags		= MMLENS_WALK_TOTAL,
	.step_room	= MML_VMA_ROOM + sizeof(struct mmlens_smaps),
	.private_size	= sizeof(struct mml_smaps),
	.step		= mml_walk_smaps_step,
};
