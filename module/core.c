// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core: the registry of walkers, sessions, and the life of a walk.
 *
 * Locking: the only lock of a target that is taken here is its mmap_lock, for
 * reading and killably, once a step; a walker takes page-table locks inside.
 * The target's mm_users is held from mml_walk_begin() to mml_walk_end(), that
 * is for one call.
 */
#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core.h"

/* A new kind of walk is one line here. */
const struct mml_walker *const mml_walkers[] = {
	&mml_walk_vmas,
	&mml_walk_ptes,
	&mml_walk_vtop,
	&mml_walk_smaps,
	&mml_walk_numa_maps,
	&mml_walk_tables,
	&mml_walk_procs,
	&mml_walk_zones,
	&mml_walk_free,
	&mml_walk_pageblocks,
	&mml_walk_pages,
	&mml_walk_users,
	&mml_walk_lru,
#ifdef CONFIG_X86_64
	&mml_walk_kmap,
#endif
};

const unsigned int mml_nr_walkers = ARRAY_SIZE(mml_walkers);

static struct mml_stats mml_stats[ARRAY_SIZE(mml_walkers)];
static siphash_key_t mml_generation_key;

const struct mml_walker *mml_walker_find(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < mml_nr_walkers; i++)
		if (mml_walkers[i]->nr == nr)
			return mml_walkers[i];
	return NULL;
}

struct mml_stats *mml_stats_of(const struct mml_walker *walker)
{
	unsigned int i;

	for (i = 0; i < mml_nr_walkers - 1; i++)
		if (mml_walkers[i] == walker)
			break;
	return &mml_stats[i];
}

void mml_stats_add(const struct mml_walk *walk, u64 records)
{
	struct mml_stats *stats = mml_stats_of(walk->walker);
	s64 old = atomic64_read(&stats->max_hold_ns);

	atomic64_inc(&stats->calls);
	atomic64_add(records, &stats->records);
	atomic64_add(walk->restarts, &stats->restarts);
	while (old < walk->max_hold_ns &&
	       !atomic64_try_cmpxchg(&stats->max_hold_ns, &old,
				     walk->max_hold_ns))
		;
}

static size_t mml_private_size(void)
{
	size_t size = 0;
	unsigned int i;

	for (i = 0; i < mml_nr_walkers; i++)
		size = max(size, mml_walkers[i]->private_size);
	return size;
}

/**
 * mml_session_create() - Allocate what an open file owns.
 *
 * Returns: the session, or NULL without memory.
 */
struct mml_session *mml_session_create(void)
{
	struct mml_session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return NULL;
	mutex_init(&session->lock);
	/*
	 * kmalloc() would take the next power of two.  The caller is told of
	 * ENOMEM; that needs no trace in the kernel's log.
	 */
	session->walk.sink.buf = __vmalloc(MML_SINK_SIZE + MML_SINK_SLACK,
					   GFP_KERNEL | __GFP_NOWARN);
	session->walk.name = kmalloc(MML_NAME_SIZE, GFP_KERNEL);
	session->walk.private = kzalloc(mml_private_size(), GFP_KERNEL);
	if (!session->walk.sink.buf || !session->walk.name ||
	    !session->walk.private) {
		mml_session_destroy(session);
		return NULL;
	}
	return session;
}

void mml_session_destroy(struct mml_session *session)
{
	kfree(session->walk.private);
	kfree(session->walk.name);
	vfree(session->walk.sink.buf);
	mutex_destroy(&session->lock);
	kfree(session);
}

/**
 * mml_access_check() - May the current task be told anything?
 *
 * What records hold (physical addresses, page tables) is what lockdown in
 * confidentiality mode keeps even from root, as it does /proc/kcore.
 *
 * Returns: 0 or -EPERM.
 */
int mml_access_check(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return security_locked_down(LOCKDOWN_KCORE);
}

/* Is it a range that the walker can have? */
static bool mml_range_fits(const struct mml_walker *walker,
			   unsigned long start, unsigned long end)
{
	switch (walker->scope) {
	case MML_OF_PROCESS:
		return PAGE_ALIGNED(start) && PAGE_ALIGNED(end) &&
		       start <= TASK_SIZE_MAX && end <= TASK_SIZE_MAX &&
		       (!end || start <= end);
	case MML_OF_RANGE:
		return !end || start <= end;
	case MML_OF_MACHINE:
		return !start && !end;
	}
	return false;
}

/**
 * mml_walk_init() - Set a walk to its beginning.
 * @walk:	of a session
 * @walker:	which kind
 * @pid:	the target, in the caller's PID namespace; 0 of the machine
 * @start:	first address, or as the walker's scope says
 * @end:	address after the last; 0 for all from @start on
 * @flags:	MMLENS_WALK_*
 *
 * Returns: 0 or -EINVAL.
 */
int mml_walk_init(struct mml_walk *walk, const struct mml_walker *walker,
		  pid_t pid, unsigned long start, unsigned long end,
		  u32 flags)
{
	if (flags & ~walker->flags)
		return -EINVAL;
	if (mml_walker_is_system(walker) ? pid : pid < 1)
		return -EINVAL;
	if (!mml_range_fits(walker, start, end))
		return -EINVAL;

	walk->walker = walker;
	walk->pid = pid;
	walk->flags = flags;
	walk->start = start;
	walk->end = end;
	walk->cursor = start;
	walk->generation = 0;
	walk->done = false;
	walk->pending = false;
	walk->restarts = 0;
	walk->max_hold_ns = 0;
	memset(walk->private, 0, walker->private_size);
	if (walker->refuses && walker->refuses(walk))
		return -EINVAL;
	if (!end)
		walk->end = mml_walker_is_system(walker) ? ULONG_MAX :
							   TASK_SIZE_MAX;
	return 0;
}

/**
 * mml_generation() - Name the address space of a task.
 * @task:	the task
 * @mm:		its address space
 *
 * Returns: a keyed hash, which doesn't tell the address.  That alone wouldn't
 * do, it can be used again after an exec.
 */
u64 mml_generation(struct task_struct *task, struct mm_struct *mm)
{
	return siphash_3u64((unsigned long)mm, task->start_boottime,
			    READ_ONCE(task->self_exec_id),
			    &mml_generation_key) | 1;
}

/**
 * mml_walk_begin() - Take hold of the target for one call.
 * @walk:	initialized; a generation of 0 takes the target as it is, another
 *		one must be the target's
 *
 * Returns: 0, -ESRCH when the target is gone, -ENXIO when it has no address
 * space.
 */
int mml_walk_begin(struct mml_walk *walk)
{
	struct task_struct *task;
	struct pid *pid;
	u64 generation;
	int err = 0;

	if (mml_walker_is_system(walk->walker)) {
		walk->generation = walk->generation ?: 1;
		return 0;
	}
	pid = find_get_pid(walk->pid);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return -ESRCH;

	walk->mm = get_task_mm(task);
	generation = mml_generation(task, walk->mm);
	put_task_struct(task);

	if (walk->generation && walk->generation != generation)
		err = -ESRCH;
	else if (!walk->mm)
		err = -ENXIO;
	if (err)
		mml_walk_end(walk);
	if (!err)
		walk->generation = generation;
	return err;
}

void mml_walk_end(struct mml_walk *walk)
{
	if (walk->mm)
		mmput(walk->mm);
	walk->mm = NULL;
}

/**
 * mml_walk_step() - Do one step.
 * @walk:	between mml_walk_begin() and mml_walk_end()
 * @room:	bytes of records that the output can take, at least the walker's
 *		step_room
 *
 * Returns: 0; -EINTR on a fatal signal; -ESRCH when all that is left of the
 * target is our own reference; what the walker returns.
 */
int mml_walk_step(struct mml_walk *walk, size_t room)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!mml_walker_is_system(walk->walker) &&
	    atomic_read(&walk->mm->mm_users) == 1)
		return -ESRCH;

	mml_sink_reset(&walk->sink, room);
	walk->budget = MML_STEP_ENTRIES;
	return walk->walker->step(walk);
}

int mml_mmap_lock(struct mml_walk *walk)
{
	int err = mmap_read_lock_killable(walk->mm);

	walk->place.pmds = NULL;
	if (!err)
		walk->locked_at = ktime_get_ns();
	return err;
}

void mml_mmap_unlock(struct mml_walk *walk)
{
	u64 held;

	mmap_read_unlock(walk->mm);
	held = ktime_get_ns() - walk->locked_at;
	walk->max_hold_ns = max(walk->max_hold_ns, held);
}

void mml_core_init(void)
{
	get_random_bytes(&mml_generation_key, sizeof(mml_generation_key));
}
