// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a process waits because it is watched: it has much memory, maps,
 * touches and unmaps a little more in a loop, and notes how long each turn
 * took, while another looks at all of it without pause.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define WATCHED		(2 * GIB)
#define TURN		(16 * PAGE)
#define SAMPLES		(1u << 18)
#define SECONDS		5

/*
 * Shared by the two: how long each turn took, ns.  A turn that was under way
 * when the process was stopped belongs to no run: @run isn't what it was.
 */
struct turns {
	uint32_t run;
	uint32_t count;
	uint32_t worst;
	uint32_t ns[SAMPLES];
};

static struct turns *turns;

/* What came of a run, ns. */
struct wait {
	uint64_t worst;
	uint64_t most;	/* the 99.9th percentile */
	uint32_t count;
};

/* Of the last run of each way. */
static struct wait ours, theirs, alone;

static void one_turn(void)
{
	uint32_t run = __atomic_load_n(&turns->run, __ATOMIC_ACQUIRE);
	uint64_t begin = now_ns(), passed;
	volatile char *map = mmap(NULL, TURN, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t at = __atomic_load_n(&turns->count, __ATOMIC_RELAXED);

	if (map == MAP_FAILED)
		die("mmap");
	for (uint64_t page = 0; page < TURN; page += PAGE)
		map[page] = 1;
	munmap((void *)map, TURN);
	passed = now_ns() - begin;
	if (run != __atomic_load_n(&turns->run, __ATOMIC_ACQUIRE))
		return;
	if (passed > UINT32_MAX)
		passed = UINT32_MAX;
	if (passed > turns->worst)
		turns->worst = passed;
	if (at == SAMPLES)
		return;
	turns->ns[at] = passed;
	__atomic_store_n(&turns->count, at + 1, __ATOMIC_RELEASE);
}

static void child_waits(struct target *shared)
{
	char *map = mmap(NULL, WATCHED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || madvise(map, WATCHED, MADV_NOHUGEPAGE))
		die("mmap");
	write_pages(map, WATCHED);
	shared->start = (uintptr_t)map;
	shared->size = WATCHED;
	raise(SIGSTOP);
	for (;;)
		one_turn();
}

void setup_waits(struct target *target)
{
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED)
		die("mmap");
	spawn(target, child_waits);
}

static void nothing(const struct target *target)
{
	(void)target;
	usleep(10000);
}

static void with_mmlens(const struct target *target)
{
	walk_process(MMLENS_SMAPS, target->pid, 0);
}

static void with_rollup(const struct target *target)
{
	read_of(target->pid, "smaps_rollup");
}

static void stop(pid_t pid)
{
	int status;

	kill(pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("target");
}

static int compare_turns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void watch(const struct target *target,
		  void (*look)(const struct target *target),
		  struct wait *wait)
{
	uint64_t end = now_ns() + SECONDS * 1000000000ull;

	turns->worst = 0;
	__atomic_store_n(&turns->count, 0, __ATOMIC_RELEASE);
	__atomic_fetch_add(&turns->run, 1, __ATOMIC_RELEASE);
	kill(target->pid, SIGCONT);
	while (now_ns() < end)
		look(target);
	stop(target->pid);
	wait->count = __atomic_load_n(&turns->count, __ATOMIC_ACQUIRE);
	if (!wait->count)
		die("the watched process did nothing");
	qsort(turns->ns, wait->count, sizeof(*turns->ns), compare_turns);
	wait->worst = turns->worst;
	wait->most = turns->ns[wait->count - 1 - wait->count / 1000];
}

uint64_t wait_under_mmlens(const struct target *target)
{
	watch(target, with_mmlens, &ours);
	return ours.worst;
}

uint64_t wait_under_rollup(const struct target *target)
{
	watch(target, nothing, &alone);
	watch(target, with_rollup, &theirs);
	return theirs.worst;
}

void note_waits(void)
{
	fprintf(stderr,
		"  last run, worst and 99.9th percentile of a turn: "
		"mmlens %.3f %.3f ms of %u, smaps_rollup %.3f %.3f ms of %u, "
		"unwatched %.3f %.3f ms of %u\n",
		ours.worst / 1e6, ours.most / 1e6, ours.count,
		theirs.worst / 1e6, theirs.most / 1e6, theirs.count,
		alone.worst / 1e6, alone.most / 1e6, alone.count);
	munmap(turns, sizeof(*turns));
}
