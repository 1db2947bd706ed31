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
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
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

/*
 * Entries in a row are gathered where their record will be: raw values behind
 * the end of the sink.  A run of n takes no more room than n single entries.
 */
struct mml_run {
	struct mmlens_run *rec;
	unsigned long va;
	u32 flags;
	u64 value;
	unsigned int count;
};

static void mml_run_close(struct mml_sink *sink, struct mml_run *run)
{
	struct mmlens_run *rec = run->rec;

	if (run->count == 1) {
		mml_emit_entry(sink, MMLENS_LEVEL_PTE, run->va, rec->raw[0],
			       run->flags, run->value);
	} else if (run->count) {
		rec->flags = run->flags;
		rec->va = run->va;
		rec->value = run->value;
		rec->count = run->count;
		rec->reserved = 0;
		mml_sink_commit(sink, MMLENS_REC_RUN, MMLENS_LEVEL_PTE,
				struct_size(rec, raw, run->count));
	}
	run->count = 0;
}

static void mml_run_open(struct mml_sink *sink, struct mml_run *run,
			 unsigned long va, u32 flags, u64 value, u64 raw)
{
	/* The one entry that isn't behind the last record's end. */
	run->rec = mml_sink_end(sink, sizeof(struct mmlens_pte));
	if (WARN_ON_ONCE(!run->rec))
		return;
	run->va = va;
	run->flags = flags;
	run->value = value;
	run->rec->raw[0] = raw;
	run->count = 1;
}

static void mml_emit_hole(struct mml_walk *walk, unsigned long start,
			  unsigned long end, u8 level)
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

/* No entry's key: a key has no bits where a PFN is. */
#define MML_NO_KEY	(~0ULL)

/*
 * Is all but the PFN of a decoded entry told by its other bits, and does the
 * PFN stand in it as it is?  A special one may be the zero page, and x86
 * inverts the PFN of one that isn't present for the hardware.
 */
static bool mml_entry_may_run(const struct mml_entry *e)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) &&
	       (e->flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT &&
	       !(e->flags & (MMLENS_PTE_SPECIAL | MMLENS_PTE_PROT_NONE));
}

/*
 * Neighbouring present entries mostly differ in their PFN alone, so what the
 * other bits mean is decoded once for each row of them, and they go into one
 * record where the caller takes that.
 */
static void mml_walk_pte_ptes(struct mml_walk *walk,
			      struct vm_area_struct *vma, unsigned long addr,
			      pte_t *ptep, unsigned int n)
{
	const bool with_page = walk->flags & MMLENS_WALK_PAGE;
	const bool runs = walk->flags & MMLENS_WALK_RUNS;
	struct mml_sink *sink = &walk->sink;
	u64 key, last = MML_NO_KEY;
	unsigned long hole = addr;
	struct mml_run run = {};
	struct mml_entry e = {};
	unsigned int i;
	u32 flags;

	for (i = 0; i < n; i++, addr += PAGE_SIZE) {
		pte_t entry = mml_entry_read(ptep + i);

		if (pte_none(entry))
			continue;
		if (hole < addr) {
			mml_run_close(sink, &run);
			mml_emit_hole(walk, hole, addr, MMLENS_LEVEL_PTE);
		}
		hole = addr + PAGE_SIZE;

		key = mml_arch_key(entry);
		if (key == last) {
			e.value = pte_pfn(entry);
		} else {
			mml_run_close(sink, &run);
			e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					     pte_pfn(entry));
			last = mml_entry_may_run(&e) ? key : MML_NO_KEY;
		}
		flags = e.flags;
		if (with_page)
			flags |= mml_decode_page(&e, ptep + i);

		if (run.count && flags == run.flags) {
			run.rec->raw[run.count++] = pte_val(entry);
			continue;
		}
		mml_run_close(sink, &run);
		if (runs && last != MML_NO_KEY)
			mml_run_open(sink, &run, addr, flags, e.value,
				     pte_val(entry));
		else
			mml_emit_entry(sink, MMLENS_LEVEL_PTE, addr,
				       pte_val(entry), flags, e.value);
	}
	mml_run_close(sink, &run);
	if (hole < addr)
		mml_emit_hole(walk, hole, addr, MMLENS_LEVEL_PTE);
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
	if (walk->flags & MMLENS_WALK_PAGE)
		e.flags |= mml_decode_page(&e, leaf->entryp);
	mml_emit_entry(&walk->sink, leaf->level, va, pte_val(leaf->entry),
		       e.flags, e.value);
}

/* Each entry that is looked at makes one record at most. */
static unsigned int mml_walk_pte_room(const struct mml_walk *walk)
{
	return mml_sink_room(&walk->sink) / sizeof(struct mmlens_pte);
}

static const struct mml_pgwalk_ops mml_walk_pte_ops = {
	.room	= mml_walk_pte_room,
	.ptes	= mml_walk_pte_ptes,
	.leaf	= mml_walk_pte_leaf,
	.hole	= mml_emit_hole,
};

static void mml_walk_pte_batch(struct mml_walk *walk)
{
	struct vm_area_struct *vma;

	while (mml_walk_charge(walk, 1)) {
		unsigned long end;

		vma = find_vma(walk->mm, walk->cursor);
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
			  MMLENS_WALK_RUNS,
	.step_room	= 2 * sizeof(struct mmlens_pte),
	.step		= mml_walk_pte_step,
};
