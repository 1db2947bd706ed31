/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs that are timed against what a user would run instead. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mmlens.h"

/**
 * struct target - A process to look at.
 * @pid:	stopped; 0 when there is none
 * @start:	first address of what matters in it
 * @size:	bytes of that
 */
struct target {
	pid_t pid;
	uintptr_t start;
	size_t size;
};

/**
 * struct job - One thing to be done, in two ways.
 * @name:	what
 * @against:	what is run instead; NULL: nothing, only a bound
 * @setup:	makes the target; called once
 * @ours:	does it with mmlens; returns how much it read, in units
 * @theirs:	does it without; NULL without @against
 * @unit:	of what the two return, which must be equal
 * @at_least:	wanted ratio of their time to ours; 0: none
 * @at_most_ns:	wanted bound of our time; 0: none
 */
struct job {
	const char *name;
	const char *against;
	void (*setup)(struct target *target);
	uint64_t (*ours)(const struct target *target);
	uint64_t (*theirs)(const struct target *target);
	const char *unit;
	double at_least;
	uint64_t at_most_ns;
};

extern const struct job jobs[];
extern const size_t nr_jobs;

void die(const char *what) __attribute__((noreturn));
void spawn(struct target *target, void (*child)(struct target *shared));

/* Longest lock hold and restarts of all walks since the last reset, ns. */
extern uint64_t walk_max_hold_ns;
extern uint64_t walk_restarts;

uint64_t walk(unsigned long request, const struct target *target,
	      uint32_t flags);

#endif
