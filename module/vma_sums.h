/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks that sum something up over each VMA. */
#ifndef MML_VMA_SUMS_H
#define MML_VMA_SUMS_H

#include <linux/mm.h>

#include "core.h"

/**
 * struct mml_vma_mark - What a VMA was like when it was found; the head of a
 * walk's private part.  All zero: no VMA.
 * @start:	vm_start
 * @end:	vm_end
 * @vm_flags:	vm_flags
 * @pgoff:	vm_pgoff
 */
struct mml_vma_mark {
	unsigned long start;
	unsigned long end;
	unsigned long vm_flags;
	unsigned long pgoff;
};

/**
 * struct mml_vma_sums_ops - How a VMA is summed up.
 * @room:	bytes of records that @emit may need
 * @take:	the VMA is new
 * @walk:	go on from the walk's cursor, at most to @end: false when the
 *		step is over before that
 * @emit:	emit what was summed up, with %MMLENS_SMAPS_RACED in @flags when
 *		the VMA changed meanwhile, and forget it
 */
struct mml_vma_sums_ops {
	size_t room;
	void (*take)(struct mml_walk *walk, struct vm_area_struct *vma);
	bool (*walk)(struct mml_walk *walk, struct vm_area_struct *vma,
		     unsigned long end);
	void (*emit)(struct mml_walk *walk, u32 flags);
};

/* What a VMA costs beside its entries: the look for it, its name's path. */
#define MML_VMA_COST	16

static inline void mml_vma_mark(struct mml_vma_mark *mark,
				const struct vm_area_struct *vma)
{
	mark->start = vma->vm_start;
	mark->end = vma->vm_end;
	mark->vm_flags = vma->vm_flags;
	mark->pgoff = vma->vm_pgoff;
}

static inline bool mml_vma_is_marked(const struct mml_vma_mark *mark,
				     const struct vm_area_struct *vma)
{
	return vma && vma->vm_start == mark->start &&
	       vma->vm_end == mark->end && vma->vm_pgoff == mark->pgoff &&
	       vma->vm_flags == mark->vm_flags;
}

/* Is @vma, the first one that ends behind the cursor, beyond the walk's end? */
static inline bool mml_walk_at_end(const struct mml_walk *walk,
				   const struct vm_area_struct *vma)
{
	return !vma || vma->vm_start >= walk->end || walk->cursor >= walk->end;
}

int mml_vma_sums_step(struct mml_walk *walk,
		      const struct mml_vma_sums_ops *ops);

#endif
