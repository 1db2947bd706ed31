// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a zone's lock is held with interrupts off.  The module meters its
 * holds: told is the 99th percentile of the longest of each call, which has few.
 * The kernel's file doesn't: a timer on the same processor is late by its holds,
 * if it is due meanwhile; told is the 99th percentile of that, less what it is
 * late by when nobody looks.  Memory is taken and every second page freed before,
 * so that the lists are long.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define FRAGMENTED	(3 * GIB)
#define PERIOD		200000		/* ns */
#define SECONDS		2
#define SAMPLES		(SECONDS * 1000000000ull / PERIOD)

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
static uint64_t late[SAMPLES];
static size_t samples;

static void *timer(void *unused)
{
	struct timespec at;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &at);
	while (!stop_timer && samples < SAMPLES) {
		at.tv_nsec += PERIOD;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		late[samples] = now_ns() -
				(at.tv_sec * 1000000000ull + at.tv_nsec);
		if (late[samples++] > PERIOD)
			clock_gettime(CLOCK_MONOTONIC, &at);
	}
	return NULL;
}

static int compare_late(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t late_under(uint64_t (*look)(void))
{
	const struct sched_param first = { .sched_priority = 50 };
	uint64_t end = now_ns() + SECONDS * 1000000000ull;
	pthread_t thread;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	samples = 0;
	stop_timer = 0;
	if (pthread_create(&thread, NULL, timer, NULL) ||
	    pthread_setschedparam(thread, SCHED_FIFO, &first))
		die("pthread");
	while (now_ns() < end)
		look();
	stop_timer = 1;
	pthread_join(thread, NULL);
	qsort(late, samples, sizeof(*late), compare_late);
	return samples ? late[samples - 1 - samples / 100] : 0;
}

/* ---- the two ways ---- */

#define CALLS	(1u << 16)

static uint64_t ours, theirs, alone, blocks;
static uint64_t holds[CALLS];
static size_t calls;

/* With the smallest buffer, for few holds a call; false at the end. */
static bool one_call(int fd, struct mmlens_walk *w)
{
	static uint64_t room[MMLENS_BUFFER_MIN / sizeof(uint64_t)];

	w->size = sizeof(*w);
	w->buffer = (uintptr_t)room;
	w->buffer_size = sizeof(room);
	if (ioctl(fd, MMLENS_FREE, w))
		die("ioctl");
	if (calls < CALLS)
		holds[calls++] = w->max_hold_ns;
	return !(w->status & MMLENS_STATUS_DONE);
}

static uint64_t meter(void)
{
	uint64_t end = now_ns() + SECONDS * 1000000000ull;
	int fd = open_device();

	calls = 0;
	while (now_ns() < end) {
		struct mmlens_walk w = { 0 };

		while (one_call(fd, &w))
			;
	}
	close(fd);
	qsort(holds, calls, sizeof(*holds), compare_late);
	return holds[calls - 1 - calls / 100];
}

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
	ours = late_under(with_mmlens);
	return meter();
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
	alone = late_under(nothing);
	theirs = late_under(with_pagetypeinfo);
	return theirs > alone ? theirs - alone : 0;
}

void note_holds(void)
{
	fprintf(stderr,
		"  last run, how late a timer was: mmlens %.3f ms, "
		"pagetypeinfo %.3f ms, neither %.3f ms; %lu free blocks\n",
		ours / 1e6, theirs / 1e6, alone / 1e6, blocks);
}
