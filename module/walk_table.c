// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_TABLES: the page-table pages of a process.
 *
 * A walk goes from PTE table to PTE table; on the way down to one, the tables
 * above it are told when the walk comes into them.  Whether it was in one
 * before is asked of the VMAs, so nothing has to be remembered from call to
 * call: a table that has an address of a VMA before the cursor was told then.
 *
 * Locking: one step holds mmap_lock for reading for one way down at least, on
 * which at most five tables are counted (2560 entries), and for as many as fit
 * into MML_STEP_ENTRIES.  Tables above level PTE stay, and their entries are
 * read once each; those of a PTE table are read under its lock, those of
 * hugetlb with interrupts off, as pgwalk.c says.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "compat/pte.h"
#include "core.h"
#include "pgwalk.h"
#include "vma_sums.h"

#define MML_MAX_TABLES	5

/* Entries of the table of a level that are for user addresses. */
static unsigned int mml_table_entries(u8 level)
{
	return level == MMLENS_LEVEL_PGD ? pgd_index(TASK_SIZE_MAX - 1) + 1 :
					   PTRS_PER_PTE;
}

static unsigned int mml_table_used(const pte_t *table, unsigned int entries)
{
	unsigned int used = 0, i;

	for (i = 0; i < entries; i++)
		used += !pte_none(mml_entry_read(table + i));
	return used;
}

static struct mmlens_table *mml_table_record(struct mml_walk *walk, u8 level,
					     unsigned long va, u32 flags)
{
	struct mmlens_table *rec;

	rec = mml_emit(&walk->sink, MMLENS_REC_TABLE, level, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return NULL;
	rec->flags = flags;
	rec->va = va;
	rec->node = U32_MAX;
	return rec;
}

/* The table that @entryp stands in, which begins to translate at @va. */
static void mml_table_emit(struct mml_walk *walk, u8 level, unsigned long va,
			   const void *entryp, u32 flags)
{
	const pte_t *table = (void *)((unsigned long)entryp & PAGE_MASK);
	struct mmlens_table *rec = mml_table_record(walk, level, va, flags);

	if (!rec)
		return;
	rec->pfn = PHYS_PFN(__pa(table));
	rec->node = page_to_nid(virt_to_page(table));
	rec->entries = mml_table_entries(level);
	rec->used = mml_table_used(table, rec->entries);
	walk->budget -= min_t(unsigned int, walk->budget, rec->entries);
}

/* First address that the table with the entry of @step translates. */
static unsigned long mml_table_start(unsigned long addr, u8 shift)
{
	unsigned int bits = shift + PAGE_SHIFT - ilog2(sizeof(pte_t));

	return bits < BITS_PER_LONG ? addr & ~((1UL << bits) - 1) : 0;
}

/* Does the walk come into the table that begins at @start only now? */
static bool mml_table_is_new(const struct mml_walk *walk, unsigned long start)
{
	unsigned long from = max(start, walk->start);
	struct vm_area_struct *vma;

	if (from >= walk->cursor)
		return true;
	vma = find_vma(walk->mm, from);
	return !vma || vma->vm_start >= walk->cursor;
}

static u32 mml_table_flags(const struct mml_walk *walk,
			   struct vm_area_struct *vma,
			   const struct mml_step *step)
{
	u32 flags = 0;

	/* mm_inc_nr_*() count PTE, PMD and PUD tables. */
	if (step->level == MMLENS_LEVEL_PGD || step->level == MMLENS_LEVEL_P4D)
		flags |= MMLENS_TABLE_UNCOUNTED;
	if ((vma->vm_flags & VM_HUGETLB) &&
	    step->level == MMLENS_LEVEL_PMD &&
	    hugetlb_pmd_shared(step->entryp))
		flags |= MMLENS_TABLE_SHARED;
	return flags;
}

static void mml_tables_path(struct mml_walk *walk, struct vm_area_struct *vma,
			    const struct mml_path *path)
{
	unsigned int i;

	for (i = 0; i < path->depth; i++) {
		const struct mml_step *step = &path->steps[i];
		unsigned long start = mml_table_start(walk->cursor,
						      step->shift);

		if (mml_table_is_new(walk, start))
			mml_table_emit(walk, step->level, start, step->entryp,
				       mml_table_flags(walk, vma, step));
	}
}

/* A table is kept beside a huge PMD of anonymous memory, in case it is split. */
static bool mml_tables_deposited(struct vm_area_struct *vma,
				 const struct mml_step *last)
{
	return last->kind == MML_KIND_LEAF && last->shift == PMD_SHIFT &&
	       vma_is_anonymous(vma) && !(vma->vm_flags & VM_HUGETLB);
}

static void mml_tables_hugetlb(struct mml_walk *walk,
			       struct vm_area_struct *vma,
			       struct mml_path *path)
{
	const struct mml_step *last;

	local_irq_disable();
	mml_descend(vma, walk->cursor, path);
	mml_tables_path(walk, vma, path);
	last = &path->steps[path->depth - 1];
	if (last->kind == MML_KIND_TABLE)
		mml_table_emit(walk, MMLENS_LEVEL_PTE,
			       mml_table_start(walk->cursor, PAGE_SHIFT),
			       pte_offset_kernel((pmd_t *)last->entryp,
						 walk->cursor), 0);
	local_irq_enable();
}

/* The PTE table of the cursor: false when the PMD changed. */
static bool mml_tables_pte(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *pmd, unsigned long start)
{
	spinlock_t *ptl;
	pte_t *ptep = mml_pte_table_lock(vma->vm_mm, pmd, walk->cursor, &ptl);

	if (!ptep)
		return false;
	mml_table_emit(walk, MMLENS_LEVEL_PTE, start, ptep, 0);
	spin_unlock(ptl);
	return true;
}

/* False, with nothing emitted, when the PMD changed: look again. */
static bool mml_tables_try(struct mml_walk *walk, struct vm_area_struct *vma,
			   struct mml_path *path)
{
	const struct mml_sink before = walk->sink;
	const struct mml_step *last;
	unsigned long start;

	mml_descend(vma, walk->cursor, path);
	mml_tables_path(walk, vma, path);
	last = &path->steps[path->depth - 1];
	start = mml_table_start(walk->cursor, PAGE_SHIFT);
	if (!mml_table_is_new(walk, start))
		return true;
	if (last->kind == MML_KIND_TABLE &&
	    !mml_tables_pte(walk, vma, last, start)) {
		walk->sink = before;
		return false;
	}
	if (mml_tables_deposited(vma, last))
		mml_table_record(walk, MMLENS_LEVEL_PTE, start,
				 MMLENS_TABLE_DEPOSITED);
	return true;
}

static bool mml_tables_descend(struct mml_walk *walk,
			       struct vm_area_struct *vma,
			       struct mml_path *path)
{
	bool same;

	if (vma->vm_flags & VM_HUGETLB) {
		mml_tables_hugetlb(walk, vma, path);
		return true;
	}
	rcu_read_lock();
	same = mml_tables_try(walk, vma, path);
	rcu_read_unlock();
	return same;
}

/* One way down: false when the step is over. */
static bool mml_tables_one(struct mml_walk *walk)
{
	struct vm_area_struct *vma;
	struct mml_path path;
	const struct mml_step *last;
	unsigned long size;

	if (mml_sink_room(&walk->sink) <
	    MML_MAX_TABLES * sizeof(struct mmlens_table) ||
	    !mml_walk_charge(walk, 1))
		return false;
	vma = find_vma(walk->mm, walk->cursor);
	walk->done = mml_walk_at_end(walk, vma);
	if (walk->done)
		return false;
	walk->cursor = max(walk->cursor, vma->vm_start);
	if (!mml_tables_descend(walk, vma, &path)) {
		walk->restarts++;
		return true;
	}
	last = &path.steps[path.depth - 1];
	size = 1UL << last->shift;
	/* The end of user space isn't at a boundary of every level. */
	if (walk->end - walk->cursor <= size - (walk->cursor & (size - 1)))
		walk->cursor = walk->end;
	else
		walk->cursor = (walk->cursor & ~(size - 1)) + size;
	return true;
}

static int mml_walk_tables_step(struct mml_walk *walk)
{
	int err = mml_mmap_lock(walk);

	if (err)
		return err;
	while (mml_tables_one(walk))
		;
	mml_mmap_unlock(walk);
	return 0;
}

const struct mml_walker mml_walk_tables = {
	.name		= "table",
	.nr		= MMLENS_NR_TABLES,
	.step_room	= MML_MAX_TABLES * sizeof(struct mmlens_table),
	.step		= mml_walk_tables_step,
};
