/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guided experiments: each has a workload of its own do something, looks before
 * and after, and says what changed and why.
 *
 * What goes wrong ends the experiment: from then on all of these functions do
 * nothing and return 0, so that an experiment reads from its first step to its
 * last.  Loops ask lab_goes_on().
 */
#ifndef MMLENS_LAB_H
#define MMLENS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab_view.h"
#include "libmmlens.h"
#include "plot.h"

#define LAB_PAGE	UINT64_C(4096)
#define KIB		(UINT64_C(1) << 10)
#define MIB		(UINT64_C(1) << 20)

/**
 * enum lab_result - How an experiment ended.
 * @LAB_GOES_ON:	it hasn't, or all lessons were seen
 * @LAB_FAILED:		something that isn't the lesson went wrong
 * @LAB_CANNOT:		this machine can't show it
 * @LAB_INTERRUPTED:	by a signal
 */
enum lab_result {
	LAB_GOES_ON,
	LAB_FAILED,
	LAB_CANNOT,
	LAB_INTERRUPTED,
};

struct lab;

/**
 * struct lab_experiment - One of them.
 * @name:	what the user types
 * @summary:	one line
 * @plan:	what it does, and to what; whoever reads it knows what may happen
 *		to the machine
 * @queries:	bits 1 << MMLENS_NR_* that it asks
 * @limit:	bytes that its memory cgroup may have; 0: no limit
 * @run:	does it
 */
struct lab_experiment {
	const char *name;
	const char *summary;
	const char *plan;
	uint64_t queries;
	uint64_t limit;
	void (*run)(struct lab *lab);
};

/* In the order in which they are listed; NULL ends them. */
extern const struct lab_experiment *const lab_experiments[];

/* What a workload is told to do; it runs in the workload's process. */
typedef int64_t (*lab_work)(uint64_t a, uint64_t b, uint64_t c);

#define LAB_WORKERS	2

/**
 * struct lab_worker - A process that does what it is told, and waits.
 * @pid:	its PID; 0: there is none
 * @ends:	of its socket: ours and its own
 */
struct lab_worker {
	int pid;
	int ends[2];
};

enum lab_group_kind { LAB_GROUP_NONE, LAB_GROUP_V1, LAB_GROUP_V2 };

/**
 * struct lab_group - The memory cgroup of the workload.
 * @kind:	of which version
 * @path:	its directory
 */
struct lab_group {
	enum lab_group_kind kind;
	char path[256];
};

#define LAB_SETTINGS	16

/**
 * struct lab_setting - A setting that is put back.
 * @path:	its file
 * @value:	what it was
 */
struct lab_setting {
	char path[160];
	char value[64];
};

/**
 * struct lab - An experiment under way.
 * @experiment:	which
 * @lens:	connection
 * @show:	how it is shown
 * @view:	where
 * @result:	how it ended
 * @why:	a sentence about that
 * @text:	what is being shown
 * @smaller:	sizes are smaller than planned
 * @step:	the number of the step
 * @seen:	lessons
 * @missed:	lessons that weren't seen
 * @worker:	processes
 * @group:	of these
 * @setting:	what has been changed on the machine
 * @settings:	how many
 * @directory:	of its files, on a disk; "": there is none
 * @swap:	its own swap file; "": there is none
 * @columns:	of the table that is open
 * @plot:	what is drawn over time; NULL: nothing
 * @plotted:	moments that have been noted
 * @plot_path:	where it goes; NULL: nowhere
 * @began:	the first moment, by lab_now()
 */
struct lab {
	const struct lab_experiment *experiment;
	struct mmlens *lens;
	const struct lab_view *show;
	struct view *view;
	enum lab_result result;
	char why[400];
	char text[1200];
	bool smaller;
	unsigned int step;
	unsigned int seen;
	unsigned int missed;
	struct lab_worker worker[LAB_WORKERS];
	struct lab_group group;
	struct lab_setting setting[LAB_SETTINGS];
	size_t settings;
	char directory[64];
	char swap[96];
	const struct lab_columns *columns;
	struct plot *plot;
	size_t plotted;
	const char *plot_path;
	double began;
};

/* ---- an experiment as a whole (engine.c) ---- */

/*
 * Run it to its end and take everything back.  Return: 0 all lessons seen, 1 not
 * or failed, 3 it can't run here.
 */
int lab_run(struct lab *lab);

bool lab_goes_on(struct lab *lab);
/* End it: @what, and what a negative errno means. */
void lab_fail(struct lab *lab, int error, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
/* End it: this machine can't show that, and why. */
void lab_cannot(struct lab *lab, const char *why, ...)
	__attribute__((format(printf, 2, 3)));
/* A signal has come; cleared when an experiment begins. */
bool lab_interrupted(void);
/*
 * @wanted bytes, or less where that would be more than an eighth of the memory
 * that is available; then it is said.
 */
uint64_t lab_size(struct lab *lab, uint64_t wanted);
/* Wait; a signal ends it. */
void lab_sleep(struct lab *lab, double seconds);
double lab_now(void);

/* ---- what is said and shown (engine.c) ---- */

void lab_step(struct lab *lab, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void lab_say(struct lab *lab, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A lesson: a sentence that says why it is so. */
void lab_expect(struct lab *lab, bool seen, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void lab_number(struct lab *lab, const char *name, const char *source,
		enum lab_unit unit, uint64_t before, uint64_t after);
/* Show both; they must differ by no more than @slack. */
void lab_pair(struct lab *lab, const char *name, const char *source,
	      enum lab_unit unit, uint64_t ours, uint64_t kernel,
	      uint64_t slack);
/* @before may be NULL. */
void lab_show_entry(struct lab *lab, const char *what, uint64_t address,
		    const struct mmlens_entry *before,
		    const struct mmlens_entry *after);
void lab_show_translation(struct lab *lab, const struct mmlens_translation *t);
/* Rows until the next thing that is shown.  @columns must stay there. */
void lab_table(struct lab *lab, const struct lab_columns *columns);
void lab_row(struct lab *lab, const char *label, const uint64_t *values);

/* ---- workloads (worker.c) ---- */

/* Start the first process, in the memory cgroup. */
void lab_start(struct lab *lab);
/* Have it fork the second. */
void lab_fork(struct lab *lab);
/* Have one do something.  A negative errno that it returns ends the experiment. */
int64_t lab_do(struct lab *lab, unsigned int worker, lab_work work, uint64_t a,
	       uint64_t b, uint64_t c);
/*
 * The same, where an error is an outcome, -EPIPE when the process has died.
 */
int64_t lab_try(struct lab *lab, unsigned int worker, lab_work work, uint64_t a,
		uint64_t b, uint64_t c);
/* The signal that ended the first process; 0: it still runs, or exited. */
int lab_killed_by(struct lab *lab);
void lab_workers_end(struct lab *lab);
int lab_pid(const struct lab *lab, unsigned int worker);

/* What workloads can do (work.c): addresses and bytes, or pages. */

/* Private anonymous memory, aligned to 2 MiB, without huge pages. */
int64_t work_map(uint64_t size, uint64_t b, uint64_t c);
/* The descriptor @fd, MAP_SHARED; @protection of mmap(2). */
int64_t work_map_file(uint64_t fd, uint64_t size, uint64_t protection);
int64_t work_unmap(uint64_t address, uint64_t size, uint64_t c);
/* Touch a page in each @stride bytes. */
int64_t work_read(uint64_t address, uint64_t size, uint64_t stride);
int64_t work_write(uint64_t address, uint64_t size, uint64_t stride);
/* Write numbers into pages, and see whether they are still there. */
int64_t work_fill(uint64_t address, uint64_t size, uint64_t seed);
int64_t work_check(uint64_t address, uint64_t size, uint64_t seed);
int64_t work_advise(uint64_t address, uint64_t size, uint64_t advice);
/* All that it allocates from here on comes from that NUMA node. */
int64_t work_bind(uint64_t node, uint64_t b, uint64_t c);
/* Bytes read from a descriptor that is read through, from @offset on. */
int64_t work_read_file(uint64_t fd, uint64_t offset, uint64_t size);

/* ---- the memory cgroup (group.c) ---- */

void lab_group_make(struct lab *lab);
void lab_group_enter(struct lab *lab, int pid);
void lab_group_remove(struct lab *lab);
bool lab_group_limit(struct lab *lab, uint64_t bytes);
/* How much may be swapped out; false: the kernel can't limit that. */
bool lab_group_limit_swap(struct lab *lab, uint64_t memory, uint64_t swap);
uint64_t lab_group_usage(struct lab *lab);
/* A line of memory.stat, by its name in version 2. */
uint64_t lab_group_stat(struct lab *lab, const char *name);
uint64_t lab_group_oom_kills(struct lab *lab);
/* Have the kernel reclaim from it; it may take less. */
void lab_group_reclaim(struct lab *lab, uint64_t bytes);

/* ---- the machine (machine.c) ---- */

/* Where files of /proc and /sys are read; NULL where one can't be. */
char *lab_file(const char *path);
/* Change a setting until the end.  False: it isn't there or doesn't take it. */
bool lab_set(struct lab *lab, const char *path, const char *value);
bool lab_write(const char *path, const char *value);
void lab_settings_restore(struct lab *lab);
/* A file on a disk, of that many bytes without any block; its descriptor. */
int lab_make_file(struct lab *lab, const char *name, uint64_t size);
void lab_files_remove(struct lab *lab);
/* Room to swap out to: what the machine has, or else a file of its own. */
void lab_need_swap(struct lab *lab, uint64_t bytes);
/* "NAME:   NUMBER": of /proc/meminfo in bytes, of /proc/vmstat as it is. */
uint64_t lab_meminfo(const char *name);
uint64_t lab_vmstat(const char *name);
/* A number in a file of its own. */
uint64_t lab_file_number(const char *path);
/* A word stands on a line behind @name: its number. */
bool lab_find_number(const char *text, const char *name, uint64_t *value);

/* ---- a process by the kernel's own files (machine.c) ---- */

/* A line of /proc/PID/status, in bytes. */
uint64_t lab_status(int pid, const char *name);
/* A line of the mapping's entry in /proc/PID/smaps, in bytes. */
uint64_t lab_smaps(int pid, uint64_t address, const char *name);
void lab_faults(int pid, uint64_t *minor, uint64_t *major);
/* The 64 bits of an address. */
uint64_t lab_pagemap(int pid, uint64_t address);
#define PAGEMAP_PFN(bits)	((bits) & ((1ull << 55) - 1))
#define PAGEMAP_PRESENT		(1ull << 63)
#define PAGEMAP_SWAP		(1ull << 62)
#define PAGEMAP_EXCLUSIVE	(1ull << 56)

/* ---- the same by mmlens (look.c) ---- */

/**
 * struct lab_tally - Entries of a range, by what they are; pages of 4 KiB.
 * @none:	empty
 * @present:	present, the zero page too
 * @zero:	of them the zero page
 * @swap:	swapped out
 * @writable:	of the present ones
 * @dirty:	likewise
 * @accessed:	likewise
 * @huge:	likewise: mapped by entries above level PTE
 */
struct lab_tally {
	uint64_t none;
	uint64_t present;
	uint64_t zero;
	uint64_t swap;
	uint64_t writable;
	uint64_t dirty;
	uint64_t accessed;
	uint64_t huge;
};

struct mmlens_entry lab_entry(struct lab *lab, unsigned int worker,
			      uint64_t address);
/* The entries of a range, one for each page of 4 KiB; to be freed. */
struct mmlens_entry *lab_entries(struct lab *lab, unsigned int worker,
				 uint64_t address, uint64_t size);
struct lab_tally lab_tally(struct lab *lab, unsigned int worker,
			   uint64_t address, uint64_t size);
struct mmlens_smaps lab_sums(struct lab *lab, unsigned int worker,
			     uint64_t address, uint64_t size);
struct mmlens_translation lab_translate(struct lab *lab, unsigned int worker,
					uint64_t address);
bool lab_is(const struct mmlens_entry *e, uint32_t flags);
bool lab_is_present(const struct mmlens_entry *e);
/* Pages in a bucket of the ledger, whoever has them. */
uint64_t lab_in_ledger(struct lab *lab, unsigned int bucket);

/* ---- a plot (plot.c of lab) ---- */

/* Room for so many moments. */
void lab_plot_begin(struct lab *lab, size_t moments, const char *title);
/* The values of the series, in the order in which they were added. */
void lab_plot_note(struct lab *lab, const double *values);
void lab_plot_mark(struct lab *lab, const char *text);
struct plot_panel *lab_plot_panel(struct lab *lab, const char *title);
void lab_plot_series(struct lab *lab, struct plot_panel *panel,
		     const char *name, enum plot_form form, uint32_t color);
void lab_plot_end(struct lab *lab);

#endif
