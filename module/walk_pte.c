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

#include "compat/pte.h"
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "pgwalk.h"

static void mml_emit_entry(struct mml_walk *walk, u8 level, unsigned long va,
			   pte_t entry, u32 flags, u64 value)
{
	struct mmlens_pte *rec = mml_emit(&walk->sink, MMLENS_REC_PTE, level,
					  sizeof(*rec));

	if (WARN_ON_ONCE(!rec))
		return;
	rec->flags = flags;
	rec->va = va;
	rec->raw = pte_val(entry);
	rec->value = value;
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

/* Is all but the PFN of a decoded entry told by its other bits? */
static bool mml_entry_may_run(const struct mml_entry *e)
{
	u32 state = e->flags & MMLENS_PTE_STATE;

	/* A special one may be the zero page. */
	return IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) &&
	       !(e->flags & MMLENS_PTE_SPECIAL) &&
	       (state == MMLENS_STATE_PRESENT ||
		state == MMLENS_STATE_NUMA_HINT);
}

/*
 * Neighbouring present entries mostly differ in their PFN alone, so what the
 * other bits mean is decoded once for each run of them.
 */
static void mml_walk_pte_ptes(struct mml_walk *walk,
			      struct vm_area_struct *vma, unsigned long addr,
			      pte_t *ptep, unsigned int n)
{
	bool with_page = walk->flags & MMLENS_WALK_PAGE;
	unsigned long hole = addr;
	struct mml_entry e = {};
	u64 key, last = MML_NO_KEY;
	unsigned int i;
	u32 flags;

	for (i = 0; i < n; i++, addr += PAGE_SIZE) {
		pte_t entry = mml_entry_read(ptep + i);

		if (pte_none(entry))
			continue;
		if (hole < addr)
			mml_emit_hole(walk, hole, addr, MMLENS_LEVEL_PTE);
		hole = addr + PAGE_SIZE;

		key = mml_arch_key(entry);
		if (key == last) {
			e.value = pte_pfn(entry);
		} else {
			e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry,
					     pte_pfn(entry));
			last = mml_entry_may_run(&e) ? key : MML_NO_KEY;
		}
		flags = e.flags;
		if (with_page)
			flags |= mml_decode_page(&e, ptep + i);
		mml_emit_entry(walk, MMLENS_LEVEL_PTE, addr, entry, flags,
			       e.value);
	}
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
	mml_emit_entry(walk, leaf->level, va, leaf->entry, e.flags, e.value);
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
	.flags		= MMLENS_WALK_PAGE | MMLENS_WALK_ABSENT,
	.step_room	= 2 * sizeof(struct mmlens_pte),
	.step		= mml_walk_pte_step,
};
