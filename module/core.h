/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk and those who take part in it.
 *
 * A session (an open file) runs one walk at a time.  The core finds the target
 * and calls the walker's step() until the walk is done: each step takes the
 * lock once, reads one bounded batch, emits records to the sink and lets go.
 * Between steps no lock is held, and what the sink has is handed to an output
 * (user memory, text).
 */
#ifndef MML_CORE_H
#define MML_CORE_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "emit.h"
#include "step.h"
#include "uapi/mmlens.h"

/*
 * What one step may look at: the entries of one page table, and some looks at
 * upper levels and VMAs beside them.  A step that finds a VMA (at most 16) and
 * a table (1) must be able to take the whole table, or it would never end.
 */
#define MML_STEP_ENTRIES	(512 + 32)

/* Bytes for a VMA's name: a path of PATH_MAX bytes, or twice what fits. */
#define MML_NAME_SIZE		4096

struct mml_walk;

/* What a walk is about. */
enum mml_scope {
	MML_OF_PROCESS,		/* user addresses of a process */
	MML_OF_MACHINE,		/* all of it: no PID, no range */
	MML_OF_RANGE,		/* of the machine, from start to end in a unit
				 * of the walker's own: PFNs, kernel addresses */
};

/**
 * struct mml_walker - One kind of walk.
 * @name:	for the statistics
 * @nr:		MMLENS_NR_* of its ioctl
 * @flags:	the MMLENS_WALK_* that it takes
 * @scope:	what it is about.  Of the machine its cursor is its own, as is
 *		the generation from 1 on, and its step() sets the mm that it
 *		works on
 * @step_room:	bytes of records that a step may need at least
 * @private_size: bytes of mml_walk.private that it uses, zero at the start
 * @refuses:	says that the arguments (an @end of 0 as it came) aren't for this
 *		walker; may be NULL
 * @step:	reads one batch from mml_walk.cursor on and moves it; sets
 *		mml_walk.done at the end; 0 or a negative errno
 */
struct mml_walker {
	const char *name;
	unsigned int nr;
	u32 flags;
	enum mml_scope scope;
	size_t step_room;
	size_t private_size;
	bool (*refuses)(const struct mml_walk *walk);
	int (*step)(struct mml_walk *walk);
};

/**
 * struct mml_walk - A walk under way.
 * @walker:	its kind
 * @sink:	where records go
 * @mm:		the target between mml_walk_begin() and mml_walk_end(); NULL
 *		where there is none now
 * @pid:	the target, in the caller's PID namespace
 * @flags:	MMLENS_WALK_*
 * @start:	first address
 * @end:	address after the last
 * @cursor:	next address to look at
 * @generation:	identifies the address space; 0 before the first begin
 * @budget:	entries that the step under way may still look at
 * @done:	the end is reached
 * @pending:	records are begun whose rest must follow in the same call; there
 *		is room for it
 * @restarts:	steps that met a change under way and were done again
 * @place:	the page tables that were looked at last; not hugetlb's
 * @locked_at:	when the lock was taken, ns
 * @max_hold_ns: the longest hold so far
 * @name:	MML_NAME_SIZE bytes to build a name in
 * @private:	the walker's own
 */
struct mml_walk {
	const struct mml_walker *walker;
	struct mml_sink sink;
	struct mm_struct *mm;
	pid_t pid;
	u32 flags;
	unsigned long start;
	unsigned long end;
	unsigned long cursor;
	u64 generation;
	unsigned int budget;
	bool done;
	bool pending;
	u32 restarts;
	struct mml_place place;
	u64 locked_at;
	u64 max_hold_ns;
	char *name;
	void *private;
};

/**
 * struct mml_session - What an open file owns.
 * @lock:	serializes its users
 * @walk:	the walk under way
 */
struct mml_session {
	struct mutex lock;
	struct mml_walk walk;
};

extern const struct mml_walker *const mml_walkers[];
extern const unsigned int mml_nr_walkers;
extern const struct mml_walker mml_walk_vmas;
extern const struct mml_walker mml_walk_ptes;
extern const struct mml_walker mml_walk_vtop;
extern const struct mml_walker mml_walk_smaps;
extern const struct mml_walker mml_walk_numa_maps;
extern const struct mml_walker mml_walk_tables;
extern const struct mml_walker mml_walk_procs;
extern const struct mml_walker mml_walk_zones;
extern const struct mml_walker mml_walk_free;
extern const struct mml_walker mml_walk_pageblocks;
extern const struct mml_walker mml_walk_pages;
extern const struct mml_walker mml_walk_users;
extern const struct mml_walker mml_walk_kmap;
extern const struct mml_walker mml_walk_lru;

const struct mml_walker *mml_walker_find(unsigned int nr);

struct mml_session *mml_session_create(void);
void mml_session_destroy(struct mml_session *session);

int mml_lru_path(const struct mmlens_lru_list *rec, char *path, size_t size);

int mml_access_check(void);
u64 mml_generation(struct task_struct *task, struct mm_struct *mm);
int mml_walk_init(struct mml_walk *walk, const struct mml_walker *walker,
		  pid_t pid, unsigned long start, unsigned long end,
		  u32 flags);
int mml_walk_begin(struct mml_walk *walk);
int mml_walk_step(struct mml_walk *walk, size_t room);
void mml_walk_end(struct mml_walk *walk);

int mml_mmap_lock(struct mml_walk *walk);
void mml_mmap_unlock(struct mml_walk *walk);

bool mml_frame_emit(struct mml_walk *walk, unsigned long pfn);

/* Take @n entries from the step's budget; false when it is used up. */
static inline bool mml_walk_charge(struct mml_walk *walk, unsigned int n)
{
	if (walk->budget < n)
		return false;
	walk->budget -= n;
	return true;
}

/* Totals since the module was loaded, of all walks. */
struct mml_stats {
	atomic64_t calls;
	atomic64_t records;
	atomic64_t restarts;
	atomic64_t max_hold_ns;
};

/* Is there something to do, and is there room in the output for it? */
static inline bool mml_walk_goes_on(const struct mml_walk *walk, u64 room)
{
	return !walk->done &&
	       (walk->pending || room >= walk->walker->step_room);
}

struct mml_stats *mml_stats_of(const struct mml_walker *walker);
void mml_stats_add(const struct mml_walk *walk, u64 records);

/* Is it about the machine, not about a process of the caller's choice? */
static inline bool mml_walker_is_system(const struct mml_walker *walker)
{
	return walker->scope != MML_OF_PROCESS;
}

void mml_core_init(void);

#endif
