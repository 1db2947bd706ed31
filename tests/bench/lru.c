// SPDX-License-Identifier: GPL-2.0-only
/*
 * The LRU lists: pages listed, against a look at every page frame that only tells
 * whether it is on some list; and what listing them costs a process that maps,
 * touches and unmaps memory on another processor.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define LISTED		GIB
#define TURN		(4 * MIB)	/* small: whole ones are counted */
#define SECONDS		5

/* ---- pages listed ---- */

/* Of the last run of each way. */
static struct { uint64_t pages, ns; } listed, scanned;

uint64_t lru_lists(const struct target *target)
{
	uint64_t begin = now_ns();

	(void)target;
	listed.pages = walk_process(MMLENS_LRU, 0, MMLENS_WALK_FOLIOS);
	listed.ns = now_ns() - begin;
	return listed.pages;
}

uint64_t lru_flags(const struct target *target)
{
	uint64_t begin = now_ns();

	(void)target;
	scanned.pages = frames_on_lru();
	scanned.ns = now_ns() - begin;
	return scanned.pages;
}

void note_lru(void)
{
	fprintf(stderr,
		"  last run: %llu folios and lists in order, %.1f M a second; %llu pages that are on some list, %.1f M a second\n",
		(unsigned long long)listed.pages,
		listed.pages * 1e3 / listed.ns,
		(unsigned long long)scanned.pages,
		scanned.pages * 1e3 / scanned.ns);
}

/* ---- faults beside it ---- */

/* Shared by the two: turns that the process has made. */
static uint64_t *turns;

static void child_faults(struct target *shared)
{
	char *map = mmap(NULL, LISTED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || madvise(map, LISTED, MADV_NOHUGEPAGE))
		die("mmap");
	write_pages(map, LISTED);
	shared->start = (uintptr_t)map;
	shared->size = LISTED;
	raise(SIGSTOP);
	for (;;) {
		map = mmap(NULL, TURN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED || madvise(map, TURN, MADV_NOHUGEPAGE))
			die("mmap");
		for (uint64_t page = 0; page < TURN; page += PAGE)
			*(volatile char *)(map + page) = 1;
		munmap(map, TURN);
		__atomic_fetch_add(turns, 1, __ATOMIC_RELAXED);
	}
}

void setup_faults(struct target *target)
{
	turns = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED)
		die("mmap");
	spawn(target, child_faults);
}

/* ns for each turn, while @look is done without pause. */
static uint64_t turn_beside(const struct target *target,
			    uint64_t (*look)(const struct target *target))
{
	uint64_t before = __atomic_load_n(turns, __ATOMIC_RELAXED);
	uint64_t begin = now_ns(), passed;
	int status;

	kill(target->pid, SIGCONT);
	while (now_ns() - begin < SECONDS * 1000000000ull)
		look(target);
	kill(target->pid, SIGSTOP);
	if (waitpid(target->pid, &status, WUNTRACED) != target->pid ||
	    !WIFSTOPPED(status))
		die("target");
	passed = now_ns() - begin;
	before = __atomic_load_n(turns, __ATOMIC_RELAXED) - before;
	if (!before)
		die("no fault");
	return passed / before;
}

static uint64_t nothing(const struct target *target)
{
	(void)target;
	usleep(10000);
	return 0;
}

uint64_t faults_beside_lru(const struct target *target)
{
	return turn_beside(target, lru_lists);
}

uint64_t faults_alone(const struct target *target)
{
	return turn_beside(target, nothing);
}
