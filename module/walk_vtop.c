// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_VTOP: the entries that translate one address, from the top.
 *
 * Locking: one step, under mmap_lock for reading and, for the last entry, the
 * page-table lock as pgwalk.c says (interrupts off for hugetlb).  The upper
 * entries are of one moment with it: nobody replaces them meanwhile.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "compat/pte.h"
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "pgwalk.h"

/* A way down, PTE included. */
#define MML_MAX_LEVELS	5

static void mml_emit_level(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *step)
{
	unsigned long size = 1UL << step->shift;
	struct mmlens_level *rec;
	struct mml_entry e = {};

	rec = mml_emit(&walk->sink, MMLENS_REC_LEVEL, step->level,
		       sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;

	if (step->kind == MML_KIND_TABLE) {
		e.flags = mml_decode_table(step->entry);
		e.value = step->pfn;
	} else if (step->kind == MML_KIND_LEAF) {
		e = mml_decode_entry(vma, step->level, step->entry, step->pfn);
		e.flags |= mml_decode_page(&e, step->entryp);
		if (mml_decode_huge_zero(vma, step->level, &e))
			e.flags |= MMLENS_PTE_ZERO;
	}
	rec->flags = e.flags | mml_effective(e.flags, step->denied);
	rec->value = e.value;
	rec->va = walk->start & ~(size - 1);
	rec->raw = pte_val(step->entry);
	rec->table_pfn = PHYS_PFN(__pa(step->entryp));
	rec->index = offset_in_page(step->entryp) / sizeof(pte_t);
}

static void mml_emit_path(struct mml_walk *walk, struct vm_area_struct *vma,
			  const struct mml_path *path)
{
	unsigned int i;

	for (i = 0; i < path->depth; i++)
		mml_emit_level(walk, vma, &path->steps[i]);
}

/* The PTE at @ptep, whose table @pmd points to and is held. */
static void mml_emit_pte_level(struct mml_walk *walk,
			       struct vm_area_struct *vma,
			       const struct mml_step *pmd, pte_t *ptep)
{
	pte_t entry = mml_entry_read(ptep);
	struct mml_step step = {
		.entryp	= ptep,
		.entry	= entry,
		.pfn	= pte_pfn(entry),
		.level	= MMLENS_LEVEL_PTE,
		.shift	= PAGE_SHIFT,
		.kind	= pte_none(entry) ? MML_KIND_NONE : MML_KIND_LEAF,
		.denied	= pmd->denied | mml_arch_denied(entry),
	};

	mml_emit_level(walk, vma, &step);
}

static void mml_vtop_hugetlb(struct mml_walk *walk, struct vm_area_struct *vma)
{
	struct mml_path path;
	struct mml_step *last;

	local_irq_disable();
	mml_descend(vma, walk->start, &path);
	mml_emit_path(walk, vma, &path);
	last = &path.steps[path.depth - 1];
	if (last->kind == MML_KIND_TABLE)
		mml_emit_pte_level(walk, vma, last,
				   pte_offset_kernel((pmd_t *)last->entryp,
						     walk->start));
	local_irq_enable();
}

/* False when the last entry changed: look again. */
static bool mml_vtop_try(struct mml_walk *walk, struct vm_area_struct *vma)
{
	const struct mml_step *last;
	struct mml_path path;
	pte_t *ptep = NULL;
	spinlock_t *ptl;

	mml_descend(vma, walk->start, &path);
	last = &path.steps[path.depth - 1];
	if (last->kind == MML_KIND_NONE) {
		mml_emit_path(walk, vma, &path);
		return true;
	}
	if (last->kind == MML_KIND_TABLE) {
		ptep = mml_pte_table_lock(vma->vm_mm, last, walk->start, &ptl);
		if (!ptep)
			return false;
	} else if (!mml_leaf_lock(vma->vm_mm, last, &ptl)) {
		return false;
	}
	mml_emit_path(walk, vma, &path);
	if (ptep)
		mml_emit_pte_level(walk, vma, last, ptep);
	spin_unlock(ptl);
	return true;
}

static int mml_walk_vtop_step(struct mml_walk *walk)
{
	struct vm_area_struct *vma;
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	walk->done = true;
	vma = find_vma(walk->mm, walk->start);
	if (!vma || vma->vm_start > walk->start)
		goto out_unlock;

	if (vma->vm_flags & VM_HUGETLB) {
		mml_vtop_hugetlb(walk, vma);
		goto out_unlock;
	}
	rcu_read_lock();
	if (!mml_vtop_try(walk, vma)) {
		/* The next step looks again, when the lock was let go. */
		walk->restarts++;
		walk->done = false;
	}
	rcu_read_unlock();
out_unlock:
	mml_mmap_unlock(walk);
	return 0;
}

/* It is about one address. */
static bool mml_walk_vtop_refuses(const struct mml_walk *walk)
{
	return walk->end || walk->start >= TASK_SIZE_MAX;
}

const struct mml_walker mml_walk_vtop = {
	.name		= "vtop",
	.nr		= MMLENS_NR_VTOP,
	.step_room	= MML_MAX_LEVELS * sizeof(struct mmlens_level),
	.refuses	= mml_walk_vtop_refuses,
	.step		= mml_walk_vtop_step,
};
