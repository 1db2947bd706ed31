// SPDX-License-Identifier: GPL-2.0-only
/* The jobs: what is done with mmlens and what is run instead. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define GIB	(1ull << 30)
#define PAGE	4096ull

uint64_t walk_max_hold_ns;
uint64_t walk_restarts;

/* As libmmlens: one buffer that is used again for each call. */
static char buffer[256 << 10] __attribute__((aligned(4096)));

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(MMLENS_DEVICE);
	return fd;
}

/* Entries in the records of one call. */
static uint64_t count_entries(uint64_t written)
{
	uint64_t at, entries = 0;

	for (at = 0; at < written;) {
		const struct mmlens_record *rec = (void *)(buffer + at);

		if (rec->type == MMLENS_REC_RUN)
			entries += ((const struct mmlens_run *)rec)->count;
		else
			entries++;
		at += rec->size;
	}
	return entries;
}

/* Walk the target's range to its end; returns the number of entries. */
uint64_t walk(unsigned long request, const struct target *target,
	      uint32_t flags)
{
	struct mmlens_walk w = {
		.size = sizeof(w),
		.flags = flags,
		.pid = target->pid,
		.start = target->start,
		.end = target->start + target->size,
		.buffer = (uintptr_t)buffer,
		.buffer_size = sizeof(buffer),
	};
	uint64_t entries = 0;

	do {
		if (ioctl(device(), request, &w))
			die("ioctl");
		entries += count_entries(w.written);
		walk_restarts += w.restarts;
		if (w.max_hold_ns > walk_max_hold_ns)
			walk_max_hold_ns = w.max_hold_ns;
	} while (!(w.status & MMLENS_STATUS_DONE));
	return entries;
}

/* ---- 1 GiB of 4 KiB pages ---- */

static void child_1g(struct target *shared)
{
	char *map = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t at;

	if (map == MAP_FAILED || madvise(map, GIB, MADV_NOHUGEPAGE))
		die("1 GiB");
	for (at = 0; at < GIB; at += PAGE)
		map[at] = 1;
	shared->start = (uintptr_t)map;
	shared->size = GIB;
}

static void setup_1g(struct target *target)
{
	spawn(target, child_1g);
}

static uint64_t ptes(const struct target *target)
{
	return walk(MMLENS_PTES, target, MMLENS_WALK_RUNS);
}

static uint64_t ptes_page(const struct target *target)
{
	return walk(MMLENS_PTES, target, MMLENS_WALK_RUNS | MMLENS_WALK_PAGE);
}

/* One bulk pread of the range; the number of entries that aren't empty. */
static uint64_t pagemap(const struct target *target)
{
	static uint64_t *entries;
	size_t n = target->size / PAGE, i;
	uint64_t used = 0;
	char path[64];
	int fd;

	if (!entries) {
		entries = malloc(n * sizeof(*entries));
		if (!entries)
			die("malloc");
	}
	snprintf(path, sizeof(path), "/proc/%d/pagemap", target->pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path);
	if (pread(fd, entries, n * sizeof(*entries),
		  target->start / PAGE * sizeof(*entries)) !=
	    (ssize_t)(n * sizeof(*entries)))
		die(path);
	close(fd);
	for (i = 0; i < n; i += 512)
		used += entries[i] >> 62 ? 512 : 0;
	return used;
}

/* ---- a reservation of 1 TiB ---- */

static void child_1t(struct target *shared)
{
	char *map = mmap(NULL, 1024 * GIB, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		die("1 TiB");
	shared->start = (uintptr_t)map;
	shared->size = 1024 * GIB;
}

static void setup_1t(struct target *target)
{
	spawn(target, child_1t);
}

const struct job jobs[] = {
	{
		.name = "every PTE of 1 GiB of 4 KiB pages",
		.against = "pread of /proc/PID/pagemap",
		.setup = setup_1g,
		.ours = ptes,
		.theirs = pagemap,
		.unit = "entries",
		.at_least = 2,
	},
	{
		.name = "the same with file and exclusive bits",
		.against = "pread of /proc/PID/pagemap",
		.setup = setup_1g,
		.ours = ptes_page,
		.theirs = pagemap,
		.unit = "entries",
	},
	{
		.name = "a reservation of 1 TiB, PROT_NONE",
		.setup = setup_1t,
		.ours = ptes,
		.unit = "entries",
		.at_most_ns = 2000000,
	},
};
const size_t nr_jobs = sizeof(jobs) / sizeof(jobs[0]);
