// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_PROCS: every process, and the sums over its pages.
 *
 * The walk goes from PID to PID of the caller's namespace; its cursor is the
 * next one to look at.  A process is summed up within one call: between the
 * steps of that, the walk's mm is the process's, with a reference, and the
 * cursor an address.
 *
 * Locking: RCU for the look for a process; mmap_lock as walk_smaps.c says.
 */
#include <linux/cred.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>

#include "proc.h"
#include "smaps.h"

/**
 * struct mml_procs - A walk's process under way.
 * @smaps:	its sums so far; first, for mml_smaps_total_step()
 * @rec:	what its record will say
 */
struct mml_procs {
	struct mml_smaps smaps;
	struct mmlens_proc rec;
};

/**
 * mml_procs_find() - As find_ge_pid(): find a process.
 * @nr:		PID in the caller's namespace to begin at; set to that found
 *
 * Returns: the process with the lowest PID from there on, held, or NULL.
 */
struct task_struct *mml_procs_find(int *nr)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	while ((pid = idr_get_next(&ns->idr, nr))) {
		task = pid_task(pid, PIDTYPE_TGID);
		if (task) {
			get_task_struct(task);
			break;
		}
		(*nr)++;
	}
	rcu_read_unlock();
	return task;
}

static u64 mml_counter_bytes(struct mm_struct *mm, int member)
{
	return (u64)get_mm_counter(mm, member) << PAGE_SHIFT;
}

static void mml_procs_sizes(struct mmlens_proc *rec, struct mm_struct *mm)
{
	rec->vsize = (u64)READ_ONCE(mm->total_vm) << PAGE_SHIFT;
	rec->rss_anon = mml_counter_bytes(mm, MM_ANONPAGES);
	rec->rss_file = mml_counter_bytes(mm, MM_FILEPAGES);
	rec->rss_shmem = mml_counter_bytes(mm, MM_SHMEMPAGES);
	rec->swap = mml_counter_bytes(mm, MM_SWAPENTS);
	rec->tables = mm_pgtables_bytes(mm);
}

/*
 * False if its parent has taken leave of it meanwhile: it isn't a process any
 * more, and what it points to, a parent that may be gone as well, is stale.
 */
static bool mml_procs_describe(struct mmlens_proc *rec, int nr,
			       struct task_struct *task)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	bool alive;

	*rec = (struct mmlens_proc){
		.pid	  = nr,
		.threads  = get_nr_threads(task),
		.start_ns = task->start_boottime,
	};
	if (task->flags & PF_KTHREAD)
		rec->flags |= MMLENS_PROC_KTHREAD;
	rcu_read_lock();
	alive = pid_alive(task);
	if (alive)
		rec->ppid = task_tgid_nr_ns(rcu_dereference(task->real_parent),
					    ns);
	rec->uid = from_kuid_munged(current_user_ns(),
				    __task_cred(task)->euid);
	rcu_read_unlock();
	get_task_comm(rec->comm, task);
	/* The last thread is taken off before that. */
	return alive && rec->threads;
}

static void mml_procs_emit(struct mml_walk *walk)
{
	struct mml_procs *procs = walk->private;
	struct mmlens_proc *rec;
	struct mmlens_record head;

	rec = mml_emit(&walk->sink, MMLENS_REC_PROC, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	head = rec->head;
	*rec = procs->rec;
	rec->head = head;
	if (!(procs->rec.flags & (MMLENS_PROC_NO_MM | MMLENS_PROC_RACED)) &&
	    (walk->flags & MMLENS_WALK_TOTAL))
		mml_smaps_emit(walk, 0);
}

/* Go on with the process whose sums are under way. */
static int mml_procs_sum(struct mml_walk *walk)
{
	struct mml_procs *procs = walk->private;
	bool done = false;
	int err = 0;

	if (atomic_read(&walk->mm->mm_users) == 1) {
		/* All that is left of it is our own reference. */
		procs->rec.flags |= MMLENS_PROC_RACED;
		done = true;
	} else {
		err = mml_smaps_total_step(walk, &done);
	}
	if (!done)
		return err;
	mml_procs_emit(walk);
	mml_walk_end(walk);
	walk->pending = false;
	walk->cursor = procs->rec.pid + 1;
	return 0;
}

/* Take the process: its sums are to be made, or it is emitted at once. */
static void mml_procs_take(struct mml_walk *walk, int nr,
			   struct task_struct *task)
{
	struct mml_procs *procs = walk->private;
	struct mm_struct *mm = get_task_mm(task);

	walk->cursor = nr + 1;
	if (!mml_procs_describe(&procs->rec, nr, task)) {
		if (mm)
			mmput(mm);
		return;
	}
	if (!mm) {
		procs->rec.flags |= MMLENS_PROC_NO_MM;
		mml_procs_emit(walk);
		return;
	}
	mml_procs_sizes(&procs->rec, mm);
	walk->mm = mm;
	if (walk->flags & MMLENS_WALK_TOTAL) {
		procs->smaps = (struct mml_smaps){};
		walk->cursor = 0;
		walk->pending = true;
		return;
	}
	mml_procs_emit(walk);
	mml_walk_end(walk);
}

static int mml_walk_procs_step(struct mml_walk *walk)
{
	unsigned int n;

	for (n = 0; n < MML_STEP_PROCS; n++) {
		int nr = walk->cursor;
		struct task_struct *task;

		if (walk->pending)
			return mml_procs_sum(walk);
		if (mml_sink_room(&walk->sink) < walk->walker->step_room)
			return 0;
		if (walk->cursor > INT_MAX) {
			walk->done = true;
			return 0;
		}
		task = mml_procs_find(&nr);
		if (!task) {
			walk->done = true;
			return 0;
		}
		mml_procs_take(walk, nr, task);
		put_task_struct(task);
	}
	return 0;
}

const struct mml_walker mml_walk_procs = {
	.name		= "proc",
	.nr		= MMLENS_NR_PROCS,
	.flags		= MMLENS_WALK_TOTAL,
	.scope		= MML_OF_MACHINE,
	.step_room	= sizeof(struct mmlens_proc) +
			  sizeof(struct mmlens_smaps),
	.private_size	= sizeof(struct mml_procs),
	.step		= mml_walk_procs_step,
};
