// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a zone's lock is held with interrupts off: a timer on the same
 * processor is that late at worst.  Memory is taken and every second page freed
 * before, so that the lists are long.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define FRAGMENTED	(3 * GIB)
#define PERIOD		200000		/* ns */
#define SECONDS		2

static const char *const limits[] = {
	"/proc/sys/vm/percpu_pagelist_high_fraction",
	"/proc/sys/vm/percpu_pagelist_fraction",
};

/* Blocks go back to the buddy allocator: CPUs would keep many. */
static void limit_cpus(const char *value)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		FILE *file = fopen(limits[i], "we");

		if (!file)
			continue;
		fputs(value, file);
		fclose(file);
	}
}

static void child_fragments(struct target *shared)
{
	char *map = mmap(NULL, FRAGMENTED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || madvise(map, FRAGMENTED, MADV_NOHUGEPAGE))
		die("mmap");
	write_pages(map, FRAGMENTED);
	for (uint64_t at = 0; at < FRAGMENTED; at += 2 * PAGE)
		if (madvise(map + at, PAGE, MADV_DONTNEED))
			die("madvise");
	shared->start = (uintptr_t)map;
	shared->size = FRAGMENTED;
}

void setup_fragments(struct target *target)
{
	limit_cpus("1000000");
	spawn(target, child_fragments);
	limit_cpus("0");
}

/* ---- a timer ---- */

static volatile int stop_timer;
static uint64_t latest;

static void *timer(void *unused)
{
	struct timespec at;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &at);
	while (!stop_timer) {
		uint64_t late;

		at.tv_nsec += PERIOD;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		late = now_ns() - (at.tv_sec * 1000000000ull + at.tv_nsec);
		if (late > latest)
			latest = late;
		if (late > PERIOD)
			clock_gettime(CLOCK_MONOTONIC, &at);
	}
	return NULL;
}

static uint64_t latest_under(uint64_t (*look)(void))
{
	const struct sched_param first = { .sched_priority = 50 };
	uint64_t end = now_ns() + SECONDS * 1000000000ull;
	pthread_t thread;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	latest = 0;
	stop_timer = 0;
	if (pthread_create(&thread, NULL, timer, NULL) ||
	    pthread_setschedparam(thread, SCHED_FIFO, &first))
		die("pthread");
	while (now_ns() < end)
		look();
	stop_timer = 1;
	pthread_join(thread, NULL);
	return latest;
}

/* ---- the two ways ---- */

static uint64_t ours, theirs, alone, blocks;

static uint64_t with_mmlens(void)
{
	return walk_process(MMLENS_FREE, 0, 0);
}

static uint64_t with_pagetypeinfo(void)
{
	return read_file("/proc/pagetypeinfo");
}

static uint64_t nothing(void)
{
	usleep(1000);
	return 0;
}

uint64_t hold_under_mmlens(const struct target *target)
{
	(void)target;
	ours = latest_under(with_mmlens);
	return ours;
}

static uint64_t free_blocks(void)
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	uint64_t count, sum = 0;
	char line[512];
	int n;

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, "zone");

		if (!at || sscanf(at, "zone %*s%n", &n) < 0)
			continue;
		for (at += n; sscanf(at, "%lu%n", &count, &n) == 1; at += n)
			sum += count;
	}
	if (file)
		fclose(file);
	return sum;
}

uint64_t hold_under_pagetypeinfo(const struct target *target)
{
	(void)target;
	blocks = free_blocks();
	alone = latest_under(nothing);
	theirs = latest_under(with_pagetypeinfo);
	return theirs;
}

void note_holds(void)
{
	fprintf(stderr,
		"  last run, a timer at its latest: mmlens %.3f ms, "
		"pagetypeinfo %.3f ms, neither %.3f ms; %lu free blocks\n",
		ours / 1e6, theirs / 1e6, alone / 1e6, blocks);
}
