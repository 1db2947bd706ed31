// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_VMAS: the VMAs of a process, as show_map_vma() of fs/proc/task_mmu.c
 * describes them.
 *
 * Locking: one step holds mmap_lock for reading for at most MML_STEP_VMAS
 * VMAs.  Those of one step are of one moment, two steps aren't; each VMA is
 * whole.  The cursor is the end of the last VMA, so that one that grew or was
 * merged meanwhile isn't told twice.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "compat/shmem.h"
#include "compat/thp.h"
#include "compat/vma.h"
#include "decode.h"
#include "vma.h"

#define MML_STEP_VMAS	32

/* A name that is nobody's memory, or NULL. */
static const char *mml_vma_label(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->name) {
		const char *name = vma->vm_ops->name(vma);

		if (name)
			return name;
	}
	if (mml_vma_is_heap(vma))
		return "[heap]";
	if (mml_vma_is_stack(vma))
		return "[stack]";
	return NULL;
}

/*
 * The name in walk->name, or elsewhere as long as mmap_lock is held; NULL
 * without one.  A path longer than MML_NAME_SIZE is told as d_path() fails.
 */
static const char *mml_vma_name(struct mml_walk *walk,
				struct vm_area_struct *vma)
{
	const char *anon = mml_vma_anon_name(vma);
	const char *name;

	if (vma->vm_file && !anon) {
		name = d_path(file_user_path(vma->vm_file), walk->name,
			      MML_NAME_SIZE);
		return IS_ERR(name) ? "(name too long)" : name;
	}
	if (!vma->vm_file) {
		name = mml_vma_label(vma);
		if (name)
			return name;
	}
	if (!anon)
		return NULL;
	snprintf(walk->name, MML_NAME_SIZE, "[%s:%s]",
		 vma->vm_file ? "anon_shmem" : "anon", anon);
	return walk->name;
}

static void mml_emit_name(struct mml_walk *walk, const char *name)
{
	size_t length = strnlen(name, MML_NAME_SIZE);
	struct mmlens_name *rec;

	rec = mml_emit(&walk->sink, MMLENS_REC_NAME, 0,
		       ALIGN(sizeof(*rec) + length + 1, 8));
	if (WARN_ON_ONCE(!rec))
		return;
	rec->length = length;
	memcpy(rec->name, name, length);
}

static void mml_vma_file(struct mmlens_vma *rec, struct vm_area_struct *vma)
{
	const struct inode *inode = file_user_inode(vma->vm_file);

	rec->flags |= MMLENS_VMA_FILE;
	rec->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	rec->inode = inode->i_ino;
	rec->dev_major = MAJOR(inode->i_sb->s_dev);
	rec->dev_minor = MINOR(inode->i_sb->s_dev);
}

/**
 * mml_emit_vma() - Emit a VMA and its name.
 * @walk:	inside of a step, with mmap_lock held
 * @vma:	the VMA
 *
 * Returns: false, with nothing emitted, when there is less than MML_VMA_ROOM.
 */
bool mml_emit_vma(struct mml_walk *walk, struct vm_area_struct *vma)
{
	struct mmlens_vma *rec;
	const char *name;

	if (mml_sink_room(&walk->sink) < MML_VMA_ROOM)
		return false;
	rec = mml_emit(&walk->sink, MMLENS_REC_VMA, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return false;

	rec->page_shift = ilog2(vma_kernel_pagesize(vma));
	rec->start = vma->vm_start;
	rec->end = vma->vm_end;
	rec->raw_flags = vma->vm_flags;
	rec->flags = mml_decode_vm_flags(vma);
	rec->pkey = mml_decode_pkey(vma);
	mml_vma_thp(vma, rec);
	if (vma_is_anonymous(vma))
		rec->flags |= MMLENS_VMA_ANON;
	if (mml_vma_shmem(vma))
		rec->flags |= MMLENS_VMA_SHMEM;
	if (vma->vm_file)
		mml_vma_file(rec, vma);
	if (mml_vma_is_stack(vma))
		rec->flags |= MMLENS_VMA_STACK;
	if (mml_vma_is_heap(vma))
		rec->flags |= MMLENS_VMA_HEAP;

	name = mml_vma_name(walk, vma);
	if (name) {
		rec->flags |= MMLENS_VMA_NAMED;
		mml_emit_name(walk, name);
	}
	return true;
}

static void mml_walk_vma_batch(struct mml_walk *walk)
{
	struct mml_vmas vmas = mml_vmas_from(walk->mm, walk->cursor);
	unsigned int n;

	for (n = 0; n < MML_STEP_VMAS; n++) {
		struct vm_area_struct *vma = mml_vmas_next(&vmas);

		if (!vma || vma->vm_start >= walk->end ||
		    walk->cursor >= walk->end) {
			walk->done = true;
			return;
		}
		if (!mml_emit_vma(walk, vma))
			return;
		/* A call that goes on there is in the range that was asked. */
		walk->cursor = min(vma->vm_end, walk->end);
	}
}

static int mml_walk_vma_step(struct mml_walk *walk)
{
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	mml_walk_vma_batch(walk);
	mml_mmap_unlock(walk);
	return 0;
}

const struct mml_walker mml_walk_vmas = {
	.name		= "vma",
	.nr		= MMLENS_NR_VMAS,
	.step_room	= MML_VMA_ROOM,
	.step		= mml_walk_vma_step,
};
