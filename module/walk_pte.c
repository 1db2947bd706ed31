// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_PTES: every entry of the page tables in a range.
 *
 * Locking: one step holds mmap_lock for reading and looks at no more than
 * MML_STEP_ENTRIES entries; inside, page-table locks as pgwalk.c says, the one
 * of a PTE table for the entries of that table.  Entries of one step are of
 * one moment as far as the page-table lock keeps them; two steps aren't.
 */
#include <linux/mm.h>
#include <linux/overflow.h>

#include "compat/pte.h"
#include "compat/vma.h"
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "page.h"
#include "pgwalk.h"

static void mml_emit_entry(struct mml_sink *sink, u8 level, unsigned long va,
			   u64 raw, u32 flags, u64 value)
{
	struct mmlens_pte *rec = mml_sink_end(sink, sizeof(*rec));

	if (WARN_ON_ONCE(!rec))
		return;
	rec->flags = flags;
	rec->va = va;
	rec->raw = raw;
	rec->value = value;
	mml_sink_commit(sink, MMLENS_REC_PTE, level, sizeof(*rec));
}

static void mml_emit_hole(struct mml_walk *walk, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end, u8 level)
{
	struct mmlens_hole *rec;

	if (!(walk->flags & MMLENS_WALK_ABSENT))
		return;
	rec = mml_emit(&walk->sink, MMLENS_REC_HOLE, level, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	rec->start = start;
	rec->end = end;
}

/*
 * Is all but the PFN of a decoded entry told by its other bits, and does the
 * PFN stand in it as it is?  x86 inverts the PFN of one that isn't present for
 * the hardware.  hugetlb's pages are decoded in a way of their own.
 */
static bool mml_entry_may_run(const struct mml_entry *e)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) &&
	       (e->flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT &&
	       !(e->flags & (MMLENS_PTE_DEVMAP | MMLENS_PTE_PROT_NONE |
			     MMLENS_PTE_HUGETLB));
}

/*
 * What the entries of a run agree in.  Of special ones the PFN too: one may be
 * the zero page, and the next not.
 */
static u64 mml_run_key(pte_t entry, u32 flags)
{
	return flags & MMLENS_PTE_SPECIAL ? pte_val(entry) :
					    mml_arch_key(entry);
}

/*
 * The flags of a decoded entry, with its effective permissions, and with what
 * its page adds if that was asked.
 */
static u32 mml_entry_flags(const struct mml_walk *walk,
			   const struct mml_entry *e, const void *entryp,
			   u32 denied)
{
	u32 flags = e->flags | mml_effective(e->flags, denied);

	if (walk->flags & MMLENS_WALK_PAGE)
		flags |= mml_decode_page(e, entryp);
	return flags;
}

/* What struct page adds to a small entry that may run. */
static u32 mml_run_page(unsigned long pfn)
{
	return pfn_valid(pfn) ? mml_decode_mapped_page(pfn_to_page(pfn)) : 0;
}

/*
 * Copy entries to @raw as long as they are like the first, which stands there
 * and has @flags; returns how many.
 */
static unsigned int mml_run_gather(const struct mml_walk *walk,
				   const pte_t *ptep, unsigned int n,
				   u32 flags, u64 *raw)
{
	const bool with_page = (walk->flags & MMLENS_WALK_PAGE) &&
			       !(flags & MMLENS_PTE_SPECIAL);
	const u64 key = mml_run_key(__pte(raw[0]), flags);
	const u32 page = flags & MML_PAGE_FLAGS;
	unsigned int i;

	for (i = 1; i < n; i++) {
		pte_t entry = mml_entry_read(ptep + i);

		if (mml_run_key(entry, flags) != key)
			break;
		if (with_page && mml_run_page(pte_pfn(entry)) != page)
			break;
		raw[i] = pte_val(entry);
	}
	return i;
}

/*
 * Emit the entry that begins at @ptep, and those behind it that are like it if
 * the caller takes runs; returns how many.  A run of n takes no more room than
 * n single entries, but for one that is gathered in vain (MML_SINK_SLACK).
 */
static unsigned int mml_emit_entries(struct mml_walk *walk,
				     struct vm_area_struct *vma, u32 denied,
				     unsigned long addr, const pte_t *ptep,
				     unsigned int n)
{
	struct mml_sink *sink = &walk->sink;
	pte_t entry = mml_entry_read(ptep);
	struct mml_entry e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					      pte_pfn(entry));
	u32 flags = mml_entry_flags(walk, &e, ptep,
				    denied | mml_arch_denied(entry));
	struct mmlens_run *rec;
	unsigned int count = 1;

	rec = mml_sink_end(sink, sizeof(struct mmlens_pte));
	if (WARN_ON_ONCE(!rec))
		return n;
	if ((walk->flags & MMLENS_WALK_RUNS) && mml_entry_may_run(&e)) {
		rec->raw[0] = pte_val(entry);
		count = mml_run_gather(walk, ptep, n, flags, rec->raw);
	}
	if (count == 1) {
		mml_emit_entry(sink, MMLENS_LEVEL_PTE, addr, pte_val(entry),
			       flags, e.value);
		return 1;
	}
	rec->flags = flags;
	rec->va = addr;
	rec->value = e.value;
	rec->count = count;
	rec->reserved = 0;
	mml_sink_commit(sink, MMLENS_REC_RUN, MMLENS_LEVEL_PTE,
			struct_size(rec, raw, count));
	return count;
}

/* ---- with the state of pages ---- */

/* The page that an entry maps and struct page describes, or NULL. */
static struct page *mml_state_page(const struct mml_entry *e)
{
	if (!mml_entry_is_mapped(e->flags))
		return NULL;
	return pfn_to_online_page(e->value);
}

/* Fill in a record for one entry. */
static void mml_state_fill(struct mmlens_page *rec, unsigned long va, u64 raw,
			   u32 flags, u64 value, struct page *page)
{
	rec->flags = flags;
	rec->va = va;
	rec->raw = raw;
	rec->value = value;
	rec->count = 1;
	mml_page_describe(page, rec);
}

/*
 * How many entries from @ptep on, the first included, map pages in a row that
 * are in the same state?
 */
static unsigned int mml_state_count(const pte_t *ptep, unsigned int n,
				    const struct page *page)
{
	const struct mml_page_words words = mml_page_words(page);
	u64 raw = pte_val(mml_entry_read(ptep));
	unsigned int i;

	for (i = 1; i < n; i++) {
		raw += PAGE_SIZE;
		if (pte_val(mml_entry_read(ptep + i)) != raw ||
		    !mml_page_same(page + i, &words))
			break;
	}
	return i;
}

/* As mml_emit_entries(). */
static unsigned int mml_emit_states(struct mml_walk *walk,
				    struct vm_area_struct *vma, u32 denied,
				    unsigned long addr, const pte_t *ptep,
				    unsigned int n)
{
	struct mml_sink *sink = &walk->sink;
	pte_t entry = mml_entry_read(ptep);
	struct mml_entry e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					      pte_pfn(entry));
	u32 flags = mml_entry_flags(walk, &e, ptep,
				    denied | mml_arch_denied(entry));
	struct page *page = mml_state_page(&e);
	struct mmlens_page *rec;

	if (!page) {
		mml_emit_entry(sink, MMLENS_LEVEL_PTE, addr, pte_val(entry),
			       flags, e.value);
		return 1;
	}
	rec = mml_sink_end(sink, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return n;
	mml_state_fill(rec, addr, pte_val(entry), flags, e.value, page);
	if (mml_entry_may_run(&e) && !(flags & MMLENS_PTE_SPECIAL))
		rec->count = mml_state_count(ptep, n, page);
	n = rec->count;
	mml_sink_commit(sink, MMLENS_REC_PAGE, MMLENS_LEVEL_PTE, sizeof(*rec));
	return n;
}

/* ---- */

static unsigned int mml_count_none(const pte_t *ptep, unsigned int n)
{
	unsigned int i = 0;

	while (i < n && pte_none(mml_entry_read(ptep + i)))
		i++;
	return i;
}

static void mml_walk_pte_ptes(struct mml_walk *walk,
			      struct vm_area_struct *vma,
			      const struct mml_step *pmd, unsigned long addr,
			      pte_t *ptep, unsigned int n)
{
	unsigned int (*emit)(struct mml_walk *walk, struct vm_area_struct *vma,
			     u32 denied, unsigned long addr, const pte_t *ptep,
			     unsigned int n);
	unsigned int i = 0;

	emit = (walk->flags & MMLENS_WALK_STATE) ? mml_emit_states :
						   mml_emit_entries;
	while (i < n) {
		unsigned long va = addr + ((unsigned long)i << PAGE_SHIFT);
		unsigned int none = mml_count_none(ptep + i, n - i);

		if (none) {
			mml_emit_hole(walk, vma, va, va +
				      ((unsigned long)none << PAGE_SHIFT),
				      MMLENS_LEVEL_PTE);
			i += none;
			continue;
		}
		i += emit(walk, vma, pmd->denied, va, ptep + i, n - i);
	}
}

static bool mml_emit_leaf_state(struct mml_walk *walk,
				const struct mml_step *leaf, unsigned long va,
				const struct mml_entry *e)
{
	struct page *page = mml_state_page(e);
	struct mmlens_page *rec;

	if (!page)
		return false;
	rec = mml_sink_end(&walk->sink, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return true;
	mml_state_fill(rec, va, pte_val(leaf->entry), e->flags, e->value, page);
	mml_sink_commit(&walk->sink, MMLENS_REC_PAGE, leaf->level,
			sizeof(*rec));
	return true;
}

static void mml_walk_pte_leaf(struct mml_walk *walk,
			      struct vm_area_struct *vma,
			      const struct mml_step *leaf, unsigned long addr)
{
	unsigned long va = addr & ~((1UL << leaf->shift) - 1);
	struct mml_entry e = mml_decode_entry(vma, leaf->level, leaf->entry,
					      leaf->pfn);

	if (mml_decode_huge_zero(vma, leaf->level, &e))
		e.flags |= MMLENS_PTE_ZERO;
	e.flags = mml_entry_flags(walk, &e, leaf->entryp, leaf->denied);
	if ((walk->flags & MMLENS_WALK_STATE) &&
	    mml_emit_leaf_state(walk, leaf, va, &e))
		return;
	mml_emit_entry(&walk->sink, leaf->level, va, pte_val(leaf->entry),
		       e.flags, e.value);
}

/* Each entry that is looked at makes one record at most. */
static unsigned int mml_walk_pte_room(const struct mml_walk *walk)
{
	size_t size = (walk->flags & MMLENS_WALK_STATE) ?
		      sizeof(struct mmlens_page) : sizeof(struct mmlens_pte);

	return mml_sink_room(&walk->sink) / size;
}

static const struct mml_pgwalk_ops mml_walk_pte_ops = {
	.room	= mml_walk_pte_room,
	.ptes	= mml_walk_pte_ptes,
	.leaf	= mml_walk_pte_leaf,
	.hole	= mml_emit_hole,
};

static void mml_walk_pte_batch(struct mml_walk *walk)
{
	struct mml_vmas vmas = mml_vmas_from(walk->mm, walk->cursor);
	struct vm_area_struct *vma;

	while (mml_walk_charge(walk, 1)) {
		unsigned long end;

		vma = mml_vmas_next(&vmas);
		if (!vma || vma->vm_start >= walk->end ||
		    walk->cursor >= walk->end) {
			walk->done = true;
			return;
		}
		walk->cursor = max(walk->cursor, vma->vm_start);
		end = min(vma->vm_end, walk->end);
		mml_pgwalk_vma(walk, vma, end, &mml_walk_pte_ops);
		if (walk->cursor < end)
			return;
	}
}

static int mml_walk_pte_step(struct mml_walk *walk)
{
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	mml_walk_pte_batch(walk);
	mml_mmap_unlock(walk);
	return 0;
}

const struct mml_walker mml_walk_ptes = {
	.name		= "pte",
	.nr		= MMLENS_NR_PTES,
	.flags		= MMLENS_WALK_PAGE | MMLENS_WALK_ABSENT |
			  MMLENS_WALK_RUNS | MMLENS_WALK_STATE,
	.step_room	= 2 * sizeof(struct mmlens_page),
	.step		= mml_walk_pte_step,
};
