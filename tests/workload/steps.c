// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that are done one by one as they are asked for on standard input: each
 * makes so many events of one kind, no more and no fewer.  The process touches
 * nothing else in the regions of the steps.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

/* Pages of each step. */
enum {
	READ_PAGES = 11,
	WRITE_PAGES = 13,
	COW_PAGES = 17,
	FILE_PAGES = 19,
	SWAP_PAGES = 23,
	THP_PAGES = 2,
	CALLS = 3,
	STORM_PAGES = 1000,
};

static char *reads, *writes, *cows, *file, *swaps, *huge, *calls, *storm;

static void write_each(char *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		((volatile char *)start)[i * PAGE] = 2;
}

static void read_each(const char *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)((const volatile char *)start)[i * PAGE];
}

static void step_read(void)
{
	read_each(reads, READ_PAGES);
}

static void step_write(void)
{
	write_each(writes, WRITE_PAGES);
}

/* They are the zero page's. */
static void step_write_zero(void)
{
	write_each(reads, READ_PAGES);
}

/* While a child has them too. */
static void step_cow(void)
{
	int hold[2];
	pid_t child;
	char byte;

	if (pipe(hold))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		close(hold[1]);
		/* Ends with the parent's end of the pipe. */
		_exit(read(hold[0], &byte, 1) > 0);
	}
	close(hold[0]);
	write_each(cows, COW_PAGES);
	close(hold[1]);
	waitpid(child, NULL, 0);
}

static void step_file_read(void)
{
	read_each(file, FILE_PAGES);
}

static void step_file_write(void)
{
	write_each(file, FILE_PAGES);
}

static void step_sync(void)
{
	if (msync(file, FILE_PAGES * PAGE, MS_SYNC))
		die("msync");
}

static void step_swap_out(void)
{
	const char *why = swap_out(swaps, SWAP_PAGES * PAGE);

	if (why) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
}

static void step_swap_in(void)
{
	read_each(swaps, SWAP_PAGES);
}

static void step_thp(void)
{
	for (int i = 0; i < THP_PAGES; i++)
		huge[i * MIB2] = 1;
}

static void step_split(void)
{
	if (mprotect(huge, PAGE, PROT_READ))
		die("mprotect");
}

static void step_calls(void)
{
	for (int i = 0; i < CALLS; i++) {
		if (madvise(calls, PAGE, MADV_WILLNEED) ||
		    mprotect(calls, PAGE, i % 2 ? READ_WRITE : PROT_READ))
			die("calls");
	}
	if (munmap(calls, PAGE))
		die("munmap");
}

static void step_compact(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		die("compact_memory");
	close(fd);
}

/* As many faults as can be in no time. */
static void step_storm(void)
{
	madvise(storm, STORM_PAGES * PAGE, MADV_DONTNEED);
	write_each(storm, STORM_PAGES);
}

/* More than any limit of a memory cgroup: this doesn't come back. */
static void step_devour(void)
{
	char *all = slot_anon(1ul << 30);

	write_each(all, (1ul << 30) / PAGE);
}

static const struct step {
	const char *name;
	void (*run)(void);
} steps[] = {
	{ "read", step_read },
	{ "write", step_write },
	{ "write-zero", step_write_zero },
	{ "cow", step_cow },
	{ "file-read", step_file_read },
	{ "file-write", step_file_write },
	{ "sync", step_sync },
	{ "swap-out", step_swap_out },
	{ "swap-in", step_swap_in },
	{ "thp", step_thp },
	{ "split", step_split },
	{ "calls", step_calls },
	{ "compact", step_compact },
	{ "storm", step_storm },
	{ "devour", step_devour },
};

static char *pages(const char *name, size_t count)
{
	char *start = slot_anon(count * PAGE);

	region(name, start, count * PAGE);
	return start;
}

static void make_regions(void)
{
	int fd = new_file("steps", FILE_PAGES * PAGE);

	/* What isn't written back yet would be it some time. */
	if (fsync(fd))
		die("fsync");
	reads = pages("read", READ_PAGES);
	writes = pages("write", WRITE_PAGES);
	cows = pages("cow", COW_PAGES);
	fill(cows, COW_PAGES * PAGE);
	swaps = pages("swap", SWAP_PAGES);
	fill(swaps, SWAP_PAGES * PAGE);
	calls = pages("calls", 1);
	storm = pages("storm", STORM_PAGES);
	file = slot(FILE_PAGES * PAGE, READ_WRITE, MAP_SHARED, fd);
	region("file", file, FILE_PAGES * PAGE);
	huge = slot(THP_PAGES * MIB2, READ_WRITE, ANON_PRIVATE, -1);
	madvise(huge, THP_PAGES * MIB2, MADV_HUGEPAGE);
	region("thp", huge, THP_PAGES * MIB2);
}

static void run_step(const char *name, unsigned long times)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (strcmp(steps[i].name, name))
			continue;
		while (times--)
			steps[i].run();
		printf("done\n");
		return;
	}
	fprintf(stderr, "no step is called %s\n", name);
	exit(2);
}

void make_steps(void)
{
	char line[64], *times;

	make_regions();
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		times = strchr(line, ' ');
		if (times)
			*times++ = '\0';
		run_step(line, times ? strtoul(times, NULL, 10) : 1);
	}
	exit(0);
}
