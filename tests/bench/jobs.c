// SPDX-License-Identifier: GPL-2.0-only
/* The jobs: what is done with mmlens and what is run instead. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

/* ---- page-table entries ---- */

static void setup_1g(struct target *target)
{
	setup_written(target, GIB);
}

static uint64_t ptes(const struct target *target)
{
	return walk(MMLENS_PTES, target, MMLENS_WALK_RUNS);
}

static uint64_t ptes_page(const struct target *target)
{
	return walk(MMLENS_PTES, target, MMLENS_WALK_RUNS | MMLENS_WALK_PAGE);
}

static uint64_t ptes_state(const struct target *target)
{
	return walk(MMLENS_PTES, target, MMLENS_WALK_STATE);
}

/* ---- a large process ---- */

static void setup_4g(struct target *target)
{
	setup_written(target, 4 * GIB);
}

static uint64_t smaps(const struct target *target)
{
	return walk_process(MMLENS_SMAPS, target->pid, 0);
}

static uint64_t smaps_file(const struct target *target)
{
	return read_of(target->pid, "smaps");
}

static uint64_t rollup(const struct target *target)
{
	return walk_process(MMLENS_SMAPS, target->pid, MMLENS_WALK_TOTAL);
}

static uint64_t rollup_file(const struct target *target)
{
	return read_of(target->pid, "smaps_rollup");
}

/* A command about the target: its PID is the last argument. */
static uint64_t command(const struct target *target, const char *program,
			const char *first, const char *second)
{
	char pid[16];
	const char *const argv[] = {
		program, first, second ? second : pid, second ? pid : NULL,
		NULL,
	};

	snprintf(pid, sizeof(pid), "%d", target->pid);
	return run_command(argv, NULL);
}

static uint64_t smaps_command(const struct target *target)
{
	return command(target, "mmlens", "smaps", NULL);
}

static uint64_t cat_smaps(const struct target *target)
{
	char path[64];
	const char *const argv[] = { "cat", path, NULL };

	snprintf(path, sizeof(path), "/proc/%d/smaps", target->pid);
	return run_command(argv, NULL);
}

/* ---- many VMAs ---- */

static void setup_5000(struct target *target)
{
	setup_vmas(target, 5000);
}

static uint64_t pmap_ours(const struct target *target)
{
	return command(target, "mmlens", "pmap", "-x");
}

static uint64_t pmap_theirs(const struct target *target)
{
	return command(target, "pmap", "-x", NULL);
}

/* ---- many processes ---- */

static void setup_500(struct target *target)
{
	setup_processes(target, 6 * MIB);
}

static uint64_t ps_command(const struct target *target)
{
	static const char *const argv[] = { "mmlens", "ps", NULL };

	(void)target;
	return run_command(argv, NULL);
}

/* This very program, started anew: a command against a command. */
static uint64_t rollups_command(const struct target *target)
{
	static const char *const argv[] = {
		"/proc/self/exe", "--rollups", NULL,
	};

	(void)target;
	return run_command(argv, NULL);
}

static uint64_t procs(const struct target *target)
{
	(void)target;
	return walk_process(MMLENS_PROCS, 0, MMLENS_WALK_TOTAL);
}

static uint64_t rollups(const struct target *target)
{
	(void)target;
	return all_rollups();
}

/* ---- every page frame ---- */

static uint64_t frames(const struct target *target)
{
	(void)target;
	return walk_process(MMLENS_PAGES, 0, 0);
}

static uint64_t frames_file(const struct target *target)
{
	(void)target;
	return frame_files();
}

static uint64_t page_types(const struct target *target)
{
	static const char *const argv[] = { "mmlens", "page-types", NULL };

	(void)target;
	return run_command(argv, NULL);
}

/* ---- who maps page frames ---- */

/*
 * A quarter of the target's 4 GiB, or what of them is there: the machine's
 * memory goes on behind the hole below 4 GiB.
 */
#define WHO_START	(4 * GIB / PAGE)
#define WHO_END		(5 * GIB / PAGE)

static uint64_t who(const struct target *target)
{
	(void)target;
	return walk_frames(MMLENS_USERS, WHO_START, WHO_END);
}

static uint64_t who_files(const struct target *target)
{
	(void)target;
	return all_pagemaps(WHO_START, WHO_END);
}

static uint64_t who_command(const struct target *target)
{
	static const char *const argv[] = {
		"mmlens", "pfn", "--who", "0x100000+0x40000", NULL,
	};

	(void)target;
	return run_command(argv, NULL);
}

/* ---- bounds ---- */

static void setup_16t(struct target *target)
{
	setup_reserved(target, 16 * TIB);
}

/* 4 million entries. */
static void setup_16g(struct target *target)
{
	setup_zero_pages(target, 16 * GIB);
}

static uint64_t reader_peak(const struct target *target)
{
	char pid[16], range[64];
	const char *const argv[] = {
		"mmlens", "pte", "--each", pid, range, NULL,
	};
	uint64_t peak;

	snprintf(pid, sizeof(pid), "%d", target->pid);
	snprintf(range, sizeof(range), "%lx-%lx", target->start,
		 target->start + target->size);
	run_command(argv, &peak);
	return peak;
}

/* Bytes that are neither free nor a process's or a file's. */
static uint64_t kernel_memory(void)
{
	static const struct {
		const char *name;
		int sign;
	} fields[] = {
		{ "MemTotal:", 1 }, { "MemFree:", -1 }, { "Buffers:", -1 },
		{ "Cached:", -1 }, { "AnonPages:", -1 },
	};
	FILE *file = fopen("/proc/meminfo", "re");
	char name[32];
	long long kib, sum = 0;

	while (file && fscanf(file, "%31s %lld%*[^\n]", name, &kib) == 2)
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			if (!strcmp(name, fields[i].name))
				sum += fields[i].sign * kib;
	if (file)
		fclose(file);
	return sum * KIB;
}

#define DESCRIPTORS	1000

/* With a walk begun on each, as whatever it keeps is there by then. */
static void use(int fd, pid_t pid, void *room)
{
	struct mmlens_walk w = {
		.size = sizeof(w), .pid = pid,
		.buffer = (uintptr_t)room, .buffer_size = MMLENS_BUFFER_MIN,
	};

	if (ioctl(fd, MMLENS_PTES, &w))
		die("ioctl");
}

static uint64_t per_descriptor(const struct target *target)
{
	static uint64_t room[MMLENS_BUFFER_MIN / sizeof(uint64_t)];
	const struct rlimit limit = { 2 * DESCRIPTORS, 2 * DESCRIPTORS };
	uint64_t before, after;
	int fds[DESCRIPTORS];

	setrlimit(RLIMIT_NOFILE, &limit);
	/* First once, so that the table of descriptors has grown. */
	for (int round = 0; round < 2; round++) {
		usleep(500000);	/* what is freed late */
		before = kernel_memory();
		for (int i = 0; i < DESCRIPTORS; i++) {
			fds[i] = open_device();
			use(fds[i], target->pid, room);
		}
		after = kernel_memory();
		for (int i = 0; i < DESCRIPTORS; i++)
			close(fds[i]);
	}
	return after > before ? (after - before) / DESCRIPTORS : 0;
}

static void setup_small(struct target *target)
{
	setup_written(target, MIB);
}

/* ---- captures ---- */

#define CAPTURE "/var/tmp/bench.cap"

static uint64_t snap(const char *kind, const struct target *target)
{
	char pid[16];
	const char *const argv[] = {
		"mmlens", "snap", "-q", "-o", CAPTURE, pid, kind, NULL,
	};

	snprintf(pid, sizeof(pid), "%d", target->pid);
	run_command(argv, NULL);
	return target->size / PAGE;
}

static uint64_t snap_entries(const struct target *target)
{
	return snap("--entries", target);
}

static uint64_t snap_all(const struct target *target)
{
	return snap(NULL, target);
}

/* A program is started here as well. */
static void start_reader(void)
{
	static const char *const argv[] = { "mmlens", "info", NULL };

	run_command(argv, NULL);
}

static uint64_t walk_entries(const struct target *target)
{
	start_reader();
	walk_process(MMLENS_PTES, target->pid,
		     MMLENS_WALK_PAGE | MMLENS_WALK_STATE |
		     MMLENS_WALK_ABSENT | MMLENS_WALK_RUNS);
	return target->size / PAGE;
}

static uint64_t walk_all(const struct target *target)
{
	walk_process(MMLENS_VMAS, target->pid, 0);
	walk_process(MMLENS_SMAPS, target->pid, 0);
	walk_process(MMLENS_NUMA_MAPS, target->pid, 0);
	walk_process(MMLENS_TABLES, target->pid, 0);
	return walk_entries(target);
}

static uint64_t snap_size(const struct target *target)
{
	struct stat st;

	snap("--entries", target);
	if (stat(CAPTURE, &st))
		die(CAPTURE);
	return st.st_size;
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
	}, {
		.name = "the same with file and exclusive bits",
		.against = "pread of /proc/PID/pagemap",
		.setup = setup_1g,
		.ours = ptes_page,
		.theirs = pagemap,
		.unit = "entries",
	}, {
		.name = "the same with the pages' state",
		.against = "pagemap, kpageflags, kpagecount, kpagecgroup",
		.setup = setup_1g,
		.ours = ptes_state,
		.theirs = page_files,
		.unit = "entries",
		.at_least = 20,
	}, {
		.name = "smaps of 4 GiB, all fields",
		.against = "read of /proc/PID/smaps",
		.setup = setup_4g,
		.ours = smaps,
		.theirs = smaps_file,
		.at_least = 3,
	}, {
		.name = "smaps of 4 GiB as a command",
		.against = "cat /proc/PID/smaps",
		.setup = setup_4g,
		.ours = smaps_command,
		.theirs = cat_smaps,
		.unit = "bytes",
	}, {
		.name = "smaps_rollup of 4 GiB",
		.against = "read of /proc/PID/smaps_rollup",
		.setup = setup_4g,
		.ours = rollup,
		.theirs = rollup_file,
		.at_least = 3,
	}, {
		.name = "pmap -x of 5,000 VMAs as a command",
		.against = "pmap -x of procps",
		.setup = setup_5000,
		.ours = pmap_ours,
		.theirs = pmap_theirs,
		.unit = "bytes",
		.at_least = 4,
	}, {
		.name = "ps of 500 processes as a command",
		.against = "a C program reading every smaps_rollup",
		.setup = setup_500,
		.ours = ps_command,
		.theirs = rollups_command,
		.at_least = 4,
	}, {
		.name = "their sums alone",
		.against = "read of every smaps_rollup in C",
		.setup = setup_500,
		.ours = procs,
		.theirs = rollups,
	}, {
		.name = "PFN scan of the machine, 4 GiB written",
		.against = "read of kpageflags and kpagecount",
		.setup = setup_4g,
		.ours = frames,
		.theirs = frames_file,
		.at_least = 10,
	}, {
		.name = "PFN scan as a command, page-types",
		.against = "read of kpageflags and kpagecount",
		.setup = setup_4g,
		.ours = page_types,
		.theirs = frames_file,
	}, {
		.name = "who maps 1 GiB",
		.against = "read of every pagemap in C",
		.setup = setup_4g,
		.ours = who,
		.theirs = who_files,
		.at_least = 20,
	}, {
		.name = "who maps 1 GiB as a command",
		.against = "read of every pagemap in C",
		.setup = setup_4g,
		.ours = who_command,
		.theirs = who_files,
	}, {
		.name = "LRU pages, 4 GiB written, in order",
		.against = "kpageflags: on some list, in no order",
		.setup = setup_4g,
		.ours = lru_lists,
		.theirs = lru_flags,
		.note = note_lru,
	}, {
		.name = "zone's lock, longest hold, 390,000 blocks",
		.against = "a loop reading /proc/pagetypeinfo",
		.measure = HOLD,
		.setup = setup_fragments,
		.ours = hold_under_mmlens,
		.theirs = hold_under_pagetypeinfo,
		.at_least = 20,
		.note = note_holds,
	}, {
		.name = "20,000 faults, counted by trace -s",
		.against = "the same untraced",
		.measure = HOLD,
		.ours = faults_counted,
		.theirs = faults_untraced,
	}, {
		.name = "20,000 faults, each a JSON line of trace",
		.against = "the same untraced",
		.measure = HOLD,
		.ours = faults_shown,
		.theirs = faults_untraced,
	}, {
		.name = "worst wait of a process being watched",
		.against = "a loop reading smaps_rollup",
		.measure = WAIT,
		.setup = setup_waits,
		.ours = wait_under_mmlens,
		.theirs = wait_under_rollup,
		.at_least = 10,
		.note = note_waits,
	}, {
		.name = "faults beside lru, 4 MiB a turn",
		.against = "the same alone",
		.measure = WAIT,
		.setup = setup_faults,
		.ours = faults_beside_lru,
		.theirs = faults_alone,
		.at_least = 0.95,
	}, {
		.name = "a reservation of 16 TiB, PROT_NONE",
		.setup = setup_16t,
		.ours = ptes,
		.unit = "entries",
		.at_most = 5000000,
	}, {
		.name = "smaps of the same",
		.setup = setup_16t,
		.ours = smaps,
		.at_most = 5000000,
	}, {
		.name = "reader's memory, 4 M entries as text",
		.measure = SIZE,
		.setup = setup_16g,
		.ours = reader_peak,
		.at_most = 8 * MIB,
	}, {
		.name = "module's memory by descriptor",
		.measure = SIZE,
		.setup = setup_small,
		.ours = per_descriptor,
		.at_most = 64 * KIB,
	}, {
		.name = "capture of the entries of 4 GiB of 4 KiB pages",
		.against = "mmlens info, and the walk",
		.setup = setup_4g,
		.ours = snap_entries,
		.theirs = walk_entries,
		.unit = "entries",
		.at_least = 0.5,
	}, {
		.name = "capture of the process of 4 GiB",
		.against = "mmlens info, and its walks",
		.setup = setup_4g,
		.ours = snap_all,
		.theirs = walk_all,
		.unit = "entries",
		.at_least = 0.5,
	}, {
		.name = "bytes of the capture of 4 GiB of 4 KiB pages",
		.measure = SIZE,
		.setup = setup_4g,
		.ours = snap_size,
		.at_most = 4 * GIB / PAGE,
	},
};
const size_t nr_jobs = sizeof(jobs) / sizeof(jobs[0]);

/* ---- curves ---- */

static const uint64_t populated[] = {
	MIB, 16 * MIB, 128 * MIB, GIB, 4 * GIB, 8 * GIB, 0,
};

static const uint64_t counts[] = { 1, 10, 100, 1000, 5000, 50000, 0 };

static const uint64_t process_sizes[] = { 2 * MIB, 8 * MIB, 0 };

static void setup_smaps(struct target *target, uint64_t size)
{
	/* What is written counts; more than this needs too much memory. */
	if (size <= 4 * GIB)
		setup_written(target, size);
	else
		setup_zero_pages(target, size);
}

const struct curve curves[] = {
	{
		.name = "entries by populated size",
		.against = "pread of /proc/PID/pagemap",
		.unit = "MiB",
		.sizes = populated,
		/* Their entries cost the same, and need no memory. */
		.setup = setup_zero_pages,
		.ours = ptes,
		.theirs = pagemap,
	}, {
		.name = "smaps by populated size (8 GiB: zero pages)",
		.against = "read of /proc/PID/smaps",
		.unit = "MiB",
		.sizes = populated,
		.setup = setup_smaps,
		.ours = smaps,
		.theirs = smaps_file,
	}, {
		.name = "smaps by VMAs, a page in each",
		.against = "read of /proc/PID/smaps",
		.unit = "VMAs",
		.sizes = counts,
		.setup = setup_vmas,
		.ours = smaps,
		.theirs = smaps_file,
	}, {
		.name = "sums of 500 processes by their size",
		.against = "read of every smaps_rollup in C",
		.unit = "MiB",
		.sizes = process_sizes,
		.setup = setup_processes,
		.ours = procs,
		.theirs = rollups,
	},
};
const size_t nr_curves = sizeof(curves) / sizeof(curves[0]);
