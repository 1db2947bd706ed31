// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks that sum something up over each VMA: the VMA's record, then theirs.
 *
 * Locking: as MMLENS_PTES.  The lock is let go within a VMA that has more
 * entries than a step may look at; one that isn't the same afterwards ends
 * there (MMLENS_SMAPS_RACED), and the walk goes on from that address.
 */
#include <linux/mm.h>

#include "compat/vma.h"
#include "vma.h"
#include "vma_sums.h"

static bool mml_vma_sums_begin(struct mml_walk *walk,
			       struct vm_area_struct *vma,
			       const struct mml_vma_sums_ops *ops)
{
	walk->done = mml_walk_at_end(walk, vma);
	if (walk->done ||
	    mml_sink_room(&walk->sink) < MML_VMA_ROOM + ops->room)
		return false;
	if (!mml_emit_vma(walk, vma))
		return false;
	walk->cursor = max(walk->cursor, vma->vm_start);
	walk->pending = true;
	mml_vma_mark(walk->private, vma);
	ops->take(walk, vma);
	return true;
}

static void mml_vma_sums_finish(struct mml_walk *walk, u32 flags,
				const struct mml_vma_sums_ops *ops)
{
	walk->pending = false;
	ops->emit(walk, flags);
}

/* One VMA, or what is left of it: false when the step is over. */
static bool mml_vma_sums_one(struct mml_walk *walk, struct mml_vmas *vmas,
			     const struct mml_vma_sums_ops *ops)
{
	struct vm_area_struct *vma;

	if (!mml_walk_charge(walk, MML_VMA_COST))
		return false;
	vma = mml_vmas_next(vmas);
	if (walk->pending && !mml_vma_is_marked(walk->private, vma)) {
		walk->restarts++;
		*vmas = mml_vmas_from(walk->mm, walk->cursor);
		mml_vma_sums_finish(walk, MMLENS_SMAPS_RACED, ops);
		return true;
	}
	if (!walk->pending && !mml_vma_sums_begin(walk, vma, ops))
		return false;
	if (!ops->walk(walk, vma, min(vma->vm_end, walk->end)))
		return false;
	mml_vma_sums_finish(walk, 0, ops);
	return true;
}

/**
 * mml_vma_sums_step() - A step of such a walk.
 * @walk:	its private part begins with a &struct mml_vma_mark
 * @ops:	how to sum up
 *
 * Returns: 0 or a negative errno.
 */
int mml_vma_sums_step(struct mml_walk *walk, const struct mml_vma_sums_ops *ops)
{
	struct mml_vmas vmas;
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	vmas = mml_vmas_from(walk->mm, walk->cursor);
	while (mml_vma_sums_one(walk, &vmas, ops))
		;
	mml_mmap_unlock(walk);
	return 0;
}
