// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_USERS: who maps page frames, by walking everybody's page tables.
 *
 * The walk goes from PID to PID of the caller's namespace.  Between two calls
 * it holds nothing: the generation says which process is under way and when
 * the walk began, the cursor where in it, and by its lowest bits whether it is
 * still the same address space.  Processes that started later are passed by,
 * else a walk beside one that forks would never end.
 *
 * Locking: as walk_pte.c, but a step takes some tables more: of most entries it
 * looks at nothing but the PFN.  RCU for the look for a process.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "compat/pte.h"
#include "compat/vma.h"
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "pgwalk.h"
#include "proc.h"

/* A step's entries.  Whatever takes more than a compare costs MML_USERS_LOOK. */
#define MML_USERS_ENTRIES	(8 * 512 + 64)
#define MML_USERS_LOOK		8

/* The generation: the time of the walk's start above the PID of the process. */
#define MML_USERS_PID_BITS	23
#define MML_USERS_PID_MASK	((1ULL << MML_USERS_PID_BITS) - 1)

/**
 * struct mml_users - A walk of a call.
 * @begun:	what follows is known
 * @since:	when the walk began, in units of mml_users_time()
 * @pid:	the process under way, or the first to look for
 * @tag:	low bits that tell its address space; 0: nothing of it was walked
 * @beside:	what needn't be looked at
 * @run:	pages in a row that are to be emitted; without any, count is 0
 */
struct mml_users {
	bool begun;
	u64 since;
	int pid;
	unsigned long tag;
	struct mml_beside beside;
	struct mmlens_user run;
};

/* In units of about a millisecond since boot. */
static u64 mml_users_time(u64 ns)
{
	return ns >> 20;
}

/* ---- runs ---- */

static void mml_users_flush(struct mml_walk *walk)
{
	struct mml_users *users = walk->private;
	struct mmlens_user *rec;

	if (!users->run.count)
		return;
	rec = mml_sink_end(&walk->sink, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	*rec = users->run;
	mml_sink_commit(&walk->sink, MMLENS_REC_USER, users->run.head.level,
			sizeof(*rec));
	users->run.count = 0;
}

/* Pages in a row are found: they go on with the run or begin another. */
static void mml_users_add(struct mml_walk *walk,
			  const struct mmlens_user *found)
{
	struct mml_users *users = walk->private;
	struct mmlens_user *run = &users->run;
	const u64 size = (u64)run->count << PAGE_SHIFT;

	if (run->count && run->head.level == found->head.level &&
	    run->flags == found->flags && run->pfn + run->count == found->pfn &&
	    run->va + size == found->va &&
	    run->count <= U32_MAX - found->count) {
		run->count += found->count;
		return;
	}
	mml_users_flush(walk);
	*run = *found;
}

/* What is looked at closer costs more than the one that it was charged for. */
static void mml_users_charge(struct mml_walk *walk)
{
	walk->budget -= min_t(unsigned int, walk->budget, MML_USERS_LOOK - 1);
}

/* ---- entries ---- */

/* Does an entry so decoded name a page, be it one without struct page? */
static bool mml_users_names_page(u32 flags)
{
	return mml_entry_is_mapped(flags) || mml_entry_has_page(flags);
}

/*
 * An entry of @pages pages from PFN @e.value and address @va on: those of them
 * that are in the range.
 */
static void mml_users_entry(struct mml_walk *walk, const struct mml_entry *e,
			    u32 denied, u8 level, unsigned long va,
			    unsigned long pages)
{
	struct mml_users *users = walk->private;
	const u64 first = max_t(u64, e->value, walk->start);
	const u64 end = min_t(u64, e->value + pages, walk->end);
	struct mmlens_user found;

	if (first >= end || !mml_users_names_page(e->flags))
		return;
	found = (struct mmlens_user){
		.head.level	= level,
		.flags		= e->flags | mml_effective(e->flags, denied),
		.pid		= users->pid,
		.count		= end - first,
		.va		= va + ((first - e->value) << PAGE_SHIFT),
		.pfn		= first,
	};
	mml_users_add(walk, &found);
}

/*
 * An entry that may name a page in the range.  Returns the raw value that the
 * next one has if it goes on with the run: it differs by the PFN alone, and by
 * one; 0: let it be decoded.
 */
static u64 mml_users_pte(struct mml_walk *walk, struct vm_area_struct *vma,
			 u32 denied, unsigned long va, pte_t entry)
{
	const u32 odd = MMLENS_PTE_SPECIAL | MMLENS_PTE_ZERO;
	struct mml_entry e;

	if (pte_none(entry))
		return 0;
	mml_users_charge(walk);
	e = mml_decode_entry(vma, MMLENS_LEVEL_PTE, entry, pte_pfn(entry));
	mml_users_entry(walk, &e, denied | mml_arch_denied(entry),
			MMLENS_LEVEL_PTE, va, 1);
	if ((e.flags & MMLENS_PTE_STATE) != MMLENS_STATE_PRESENT ||
	    (e.flags & odd) || !mml_arch_has_pfn(entry, e.value) ||
	    e.value < walk->start || e.value >= walk->end)
		return 0;
	return mml_arch_raw(entry) + PAGE_SIZE;
}

/*
 * Entries that go on with the run, if @next isn't 0: at most up to the end of
 * the range.
 */
static unsigned int mml_users_more(struct mml_walk *walk, const pte_t *ptep,
				   unsigned int n, u64 next)
{
	struct mml_users *users = walk->private;
	const u64 end = users->run.pfn + users->run.count;

	if (!next)
		return 0;
	n = mml_arch_count_like(ptep, min_t(u64, n, walk->end - end), next);
	users->run.count += n;
	return n;
}

static void mml_users_ptes(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *pmd, unsigned long addr,
			   pte_t *ptep, unsigned int n)
{
	struct mml_users *users = walk->private;
	unsigned int i = 0;
	u64 next;

	for (;;) {
		i += mml_arch_count_beside(ptep + i, n - i, &users->beside);
		if (i == n)
			return;
		next = mml_users_pte(walk, vma, pmd->denied,
				     addr + i * PAGE_SIZE,
				     mml_entry_read(ptep + i));
		i++;
		i += mml_users_more(walk, ptep + i, n - i, next);
	}
}

static void mml_users_leaf(struct mml_walk *walk, struct vm_area_struct *vma,
			   const struct mml_step *leaf, unsigned long addr)
{
	unsigned long va = addr & ~((1UL << leaf->shift) - 1);
	struct mml_entry e = mml_decode_entry(vma, leaf->level, leaf->entry,
					      leaf->pfn);

	mml_users_charge(walk);
	if (mml_decode_huge_zero(vma, leaf->level, &e))
		e.flags |= MMLENS_PTE_ZERO;
	mml_users_entry(walk, &e, leaf->denied, leaf->level, va,
			1UL << (leaf->shift - PAGE_SHIFT));
}

static void mml_users_hole(struct mml_walk *walk, struct vm_area_struct *vma,
			   unsigned long start, unsigned long end, u8 level)
{
	mml_users_charge(walk);
}

/* Each entry may end a run, and the last begin one. */
static unsigned int mml_users_room(const struct mml_walk *walk)
{
	const unsigned int room = mml_sink_room(&walk->sink) /
				  sizeof(struct mmlens_user);

	return room ? room - 1 : 0;
}

static const struct mml_pgwalk_ops mml_users_ops = {
	.room	= mml_users_room,
	.ptes	= mml_users_ptes,
	.leaf	= mml_users_leaf,
	.hole	= mml_users_hole,
};

/* ---- one process ---- */

/* Returns whether its end is reached. */
static bool mml_users_batch(struct mml_walk *walk)
{
	struct mml_vmas vmas = mml_vmas_from(walk->mm, walk->cursor);
	struct vm_area_struct *vma;

	while (mml_walk_charge(walk, 1)) {
		vma = mml_vmas_next(&vmas);
		if (!vma)
			return true;
		walk->cursor = max(walk->cursor, vma->vm_start);
		mml_pgwalk_vma(walk, vma, vma->vm_end, &mml_users_ops);
		if (walk->cursor < vma->vm_end)
			return false;
	}
	return false;
}

static void mml_users_leave(struct mml_walk *walk)
{
	struct mml_users *users = walk->private;

	mml_walk_end(walk);
	users->pid++;
	users->tag = 0;
	walk->cursor = 0;
}

static int mml_users_walk(struct mml_walk *walk)
{
	bool end;
	int err;

	/* All that is left of it may be our own reference. */
	if (atomic_read(&walk->mm->mm_users) == 1) {
		mml_users_leave(walk);
		return 0;
	}
	walk->budget = MML_USERS_ENTRIES;
	err = mml_mmap_lock(walk);
	if (err)
		return err;
	end = mml_users_batch(walk);
	mml_mmap_unlock(walk);
	mml_users_flush(walk);
	if (end)
		mml_users_leave(walk);
	return 0;
}

/* ---- from one to the next ---- */

/* Take its address space; false where it has none or isn't to be walked. */
static bool mml_users_take(struct mml_walk *walk, struct task_struct *task)
{
	struct mml_users *users = walk->private;
	unsigned long tag;

	if (mml_users_time(task->start_boottime) > users->since)
		return false;
	walk->mm = get_task_mm(task);
	if (!walk->mm)
		return false;
	/* Never 0: the hash is odd. */
	tag = mml_generation(task, walk->mm) & ~PAGE_MASK;
	if (users->tag && users->tag != tag) {
		mml_walk_end(walk);
		return false;
	}
	users->tag = tag;
	return true;
}

/* Find a process to walk; without one, the walk may be done. */
static void mml_users_find(struct mml_walk *walk)
{
	struct mml_users *users = walk->private;
	unsigned int n;

	for (n = 0; n < MML_STEP_PROCS && !walk->mm; n++) {
		int nr = users->pid;
		struct task_struct *task = mml_procs_find(&nr);

		if (!task) {
			walk->done = true;
			return;
		}
		if (nr != users->pid) {
			users->pid = nr;
			users->tag = 0;
			walk->cursor = 0;
		}
		if (!mml_users_take(walk, task))
			mml_users_leave(walk);
		put_task_struct(task);
	}
}

/*
 * The generation of a walk that begins is 1, which no other one is.  What the
 * caller makes up leads to no more than another process and another address.
 */
static void mml_users_begin(struct mml_walk *walk)
{
	struct mml_users *users = walk->private;

	users->begun = true;
	mml_arch_beside(walk->start, walk->end, &users->beside);
	if (walk->generation == 1) {
		users->since = mml_users_time(ktime_get_boottime_ns());
		users->pid = 1;
		walk->cursor = 0;
		return;
	}
	users->since = (walk->generation >> MML_USERS_PID_BITS) - 1;
	users->pid = walk->generation & MML_USERS_PID_MASK;
	users->tag = walk->cursor & ~PAGE_MASK;
	walk->cursor &= PAGE_MASK;
}

static int mml_walk_users_step(struct mml_walk *walk)
{
	struct mml_users *users = walk->private;
	int err = 0;

	if (!users->begun)
		mml_users_begin(walk);
	else
		walk->cursor &= PAGE_MASK;
	if (!walk->mm)
		mml_users_find(walk);
	if (walk->mm)
		err = mml_users_walk(walk);
	walk->cursor |= users->tag;
	walk->generation = (users->since + 1) << MML_USERS_PID_BITS |
			   users->pid;
	return err;
}

const struct mml_walker mml_walk_users = {
	.name		= "users",
	.nr		= MMLENS_NR_USERS,
	.scope		= MML_OF_RANGE,
	/* With room for some alone, steps would be as small. */
	.step_room	= MMLENS_BUFFER_MIN,
	.private_size	= sizeof(struct mml_users),
	.step		= mml_walk_users_step,
};
