/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs that are timed against what a user would run instead. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mmlens.h"

#define KIB	(1ull << 10)
#define MIB	(1ull << 20)
#define GIB	(1ull << 30)
#define TIB	(1ull << 40)
#define PAGE	4096ull

/**
 * struct target - A process to look at.
 * @pid:	stopped; 0 when there is none
 * @start:	first address of what matters in it
 * @size:	bytes of that
 * @ready:	how many of its children are ready
 */
struct target {
	pid_t pid;
	uintptr_t start;
	size_t size;
	uint64_t ready;
};

/**
 * enum measure - What a job's numbers are.
 * @TIME:	ns that @ours and @theirs take
 * @WAIT:	ns that @ours and @theirs return, on two processors
 * @HOLD:	the same, on any number of them
 * @SIZE:	bytes that @ours returns; taken once
 */
enum measure { TIME, WAIT, HOLD, SIZE };

/**
 * struct job - One thing to be done, in two ways.
 * @name:	what
 * @against:	what is run instead; NULL: nothing, only a bound
 * @measure:	what is compared
 * @setup:	makes the target; called once; may be NULL
 * @ours:	does it with mmlens; returns how much it read, in units
 * @theirs:	does it without; NULL without @against
 * @unit:	of what the two return, which must be equal; NULL: they needn't
 * @at_least:	wanted ratio of theirs to ours; 0: none
 * @at_most:	wanted bound of ours, in ns or bytes; 0: none
 * @note:	writes more about the last run; may be NULL
 */
struct job {
	const char *name;
	const char *against;
	enum measure measure;
	void (*setup)(struct target *target);
	uint64_t (*ours)(const struct target *target);
	uint64_t (*theirs)(const struct target *target);
	const char *unit;
	double at_least;
	uint64_t at_most;
	void (*note)(void);
};

extern const struct job jobs[];
extern const size_t nr_jobs;

/**
 * struct curve - The same for targets of growing size.
 * @name:	what
 * @against:	what is run instead
 * @unit:	of the sizes
 * @sizes:	0 ends them
 * @setup:	makes a target of that size
 * @ours:	as in &struct job
 * @theirs:	as in &struct job
 */
struct curve {
	const char *name;
	const char *against;
	const char *unit;
	const uint64_t *sizes;
	void (*setup)(struct target *target, uint64_t size);
	uint64_t (*ours)(const struct target *target);
	uint64_t (*theirs)(const struct target *target);
};

extern const struct curve curves[];
extern const size_t nr_curves;

/* main.c */
void die(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);

/* target.c: processes to look at; each stops itself when it is ready */
void spawn(struct target *target, void (*child)(struct target *shared));
void reap(struct target *target);
void write_pages(char *map, uint64_t size);
void setup_written(struct target *target, uint64_t size);
void setup_zero_pages(struct target *target, uint64_t size);
void setup_reserved(struct target *target, uint64_t size);
void setup_vmas(struct target *target, uint64_t count);
void setup_processes(struct target *target, uint64_t size);

/* walk.c: with the module; longest lock hold and restarts of all walks */
extern uint64_t walk_max_hold_ns;
extern uint64_t walk_restarts;

int open_device(void);
uint64_t walk(unsigned long request, const struct target *target,
	      uint32_t flags);
uint64_t walk_process(unsigned long request, pid_t pid, uint32_t flags);
uint64_t walk_frames(unsigned long request, uint64_t start, uint64_t end);

/* files.c: with the kernel's files */
void drop_rooms(void);
uint64_t read_file(const char *path);
uint64_t read_of(pid_t pid, const char *name);
uint64_t pagemap(const struct target *target);
uint64_t page_files(const struct target *target);
uint64_t frame_files(void);
uint64_t frames_on_lru(void);
uint64_t all_rollups(void);
uint64_t all_pagemaps(uint64_t start, uint64_t end);

/* command.c */
uint64_t run_command(const char *const argv[], uint64_t *peak_rss);

/* lru.c: the lists, and what it costs another process to look at them */
uint64_t lru_lists(const struct target *target);
uint64_t lru_flags(const struct target *target);
void note_lru(void);
void setup_faults(struct target *target);
uint64_t faults_beside_lru(const struct target *target);
uint64_t faults_alone(const struct target *target);

/* trace.c: ns of page faults that are traced, and of as many that aren't */
uint64_t faults_counted(const struct target *target);
uint64_t faults_shown(const struct target *target);
uint64_t faults_untraced(const struct target *target);

/* waits.c: a process that maps, touches and unmaps while it is watched */
void setup_fragments(struct target *target);
uint64_t hold_under_mmlens(const struct target *target);
uint64_t hold_under_pagetypeinfo(const struct target *target);
void note_holds(void);
void setup_waits(struct target *target);
uint64_t wait_under_mmlens(const struct target *target);
uint64_t wait_under_rollup(const struct target *target);
void note_waits(void);

#endif
