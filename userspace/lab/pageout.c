// SPDX-License-Identifier: GPL-2.0-only
/* A memory cgroup that gets full: page cache goes, then swap, then the process. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"

#define LIMIT	(64 * MIB)
#define FILE_SIZE (96 * MIB)
#define SWAP	(32 * MIB)
#define CHUNK	(4 * MIB)
/* More than limit and swap together, for swap that can't be limited. */
#define MOST	(512 * MIB)
#define MOMENTS	(MOST / CHUNK + FILE_SIZE / CHUNK + 8)

/**
 * struct moment - The workload at one moment, in bytes.
 * @file:	RssFile, of the file alone by mmlens
 * @anon:	RssAnon, likewise of the anonymous mapping
 * @swap:	swapped out
 * @usage:	what the memory cgroup has
 * @major:	major faults
 */
struct moment {
	uint64_t file;
	uint64_t anon;
	uint64_t swap;
	uint64_t usage;
	uint64_t major;
};

/**
 * struct areas - The mappings of the workload.
 * @file:	of the file
 * @anon:	anonymous; 0: not yet
 */
struct areas {
	uint64_t file;
	uint64_t anon;
};

static struct moment look_at(struct lab *lab, const struct areas *a)
{
	struct moment m = { .usage = lab_group_usage(lab) };
	struct mmlens_smaps sums;
	uint64_t minor;

	m.file = lab_sums(lab, 0, a->file, FILE_SIZE).rss;
	if (a->anon) {
		sums = lab_sums(lab, 0, a->anon, MOST);
		m.anon = sums.rss;
		m.swap = sums.swap;
	}
	lab_faults(lab_pid(lab, 0), &minor, &m.major);
	return m;
}

static void note(struct lab *lab, const struct moment *m, uint64_t touched)
{
	const uint64_t row[] = { touched, m->file, m->anon, m->swap, m->usage };
	const double values[] = { m->file, m->anon, m->swap, m->usage };

	lab_row(lab, NULL, row);
	lab_plot_note(lab, values);
}

static void open_plot(struct lab *lab)
{
	struct plot_panel *panel;

	lab_plot_begin(lab, MOMENTS, "a memory cgroup of 64 MiB gets full");
	panel = lab_plot_panel(lab, "resident by kind, and what is swapped out");
	lab_plot_series(lab, panel, "file", PLOT_AREA, PLOT_SKY);
	lab_plot_series(lab, panel, "anonymous", PLOT_AREA, PLOT_ORANGE);
	lab_plot_series(lab, panel, "swapped out", PLOT_LINE, PLOT_RED);
	lab_plot_series(lab, panel, "charged to the cgroup", PLOT_DASHED,
			PLOT_BLACK);
}

static const struct lab_columns columns = {
	.name = { "TOUCHED", "RSS FILE", "RSS ANON", "SWAPPED", "CHARGED" },
	.unit = { LAB_BYTES, LAB_BYTES, LAB_BYTES, LAB_BYTES, LAB_BYTES },
	.count = 5,
};

/* ---- steps ---- */

static struct moment read_file(struct lab *lab, const struct areas *a)
{
	struct moment m = {};
	uint64_t most = 0;

	lab_step(lab, "A file of 96 MiB is mapped and read, in a cgroup that may have 64 MiB");
	lab_table(lab, &columns);
	for (uint64_t at = 0; at < FILE_SIZE && lab_goes_on(lab); at += CHUNK) {
		lab_do(lab, 0, work_read, a->file + at, CHUNK, LAB_PAGE);
		m = look_at(lab, a);
		most = m.file > most ? m.file : most;
		note(lab, &m, at + CHUNK);
	}
	lab_pair(lab, "RSS of the file's mapping", "/proc/PID/smaps", LAB_BYTES,
		 m.file, lab_smaps(lab_pid(lab, 0), a->file, "Rss"), 0);
	lab_expect(lab, most <= LIMIT && m.file < FILE_SIZE,
		   "RSS stops growing at the limit (%" PRIu64 " kB at most): for each page that comes, another one of the file goes. It is clean, so that nothing has to be written.",
		   most >> 10);
	lab_expect(lab, !m.swap && !lab_group_oom_kills(lab),
		   "Nobody was killed and nothing swapped: page cache is memory that can be had back.");
	return m;
}

/* Until the process dies, or it has had more than it could. */
static struct moment allocate(struct lab *lab, const struct areas *a,
			      struct moment last, uint64_t *touched,
			      struct moment *first_swap)
{
	lab_table(lab, &columns);
	for (*touched = 0; *touched < MOST && lab_goes_on(lab);) {
		if (lab_try(lab, 0, work_fill, a->anon + *touched, CHUNK, 1) < 0)
			break;
		*touched += CHUNK;
		last = look_at(lab, a);
		if (last.swap && !first_swap->swap) {
			*first_swap = last;
			lab_plot_mark(lab, "swapping begins");
		}
		note(lab, &last, *touched);
	}
	return last;
}

static void fill_up(struct lab *lab, const struct areas *a, struct moment full)
{
	uint64_t touched, kills = lab_group_oom_kills(lab), now;
	struct moment first_swap = {}, last;
	int killed;

	lab_step(lab, "Anonymous memory is written, until no more can be had");
	last = allocate(lab, a, full, &touched, &first_swap);
	lab_expect(lab, first_swap.swap && first_swap.file < full.file,
		   "At first it took the place of the file's pages, which need no swap; when %" PRIu64 " kB of the file were left, swapping began.",
		   first_swap.file >> 10);
	lab_expect(lab, last.usage <= LIMIT && last.swap >= SWAP / 4,
		   "The cgroup never had more than 64 MiB; what was written beside that, %" PRIu64 " kB, was in swap.",
		   last.swap >> 10);
	if (!lab_goes_on(lab))
		return;
	if (touched == MOST) {
		lab_expect(lab, false, "The process is killed when neither is left.");
		return;
	}
	lab_plot_mark(lab, "killed");
	killed = lab_killed_by(lab);
	now = lab_group_oom_kills(lab);
	lab_number(lab, "oom_kill", "memory.events", LAB_COUNT, kills, now);
	lab_expect(lab, killed == SIGKILL,
		   "When limit and swap were full (%" PRIu64 " kB written), the process was killed with SIGKILL.",
		   touched >> 10);
	lab_expect(lab, now > kills,
		   "It was the OOM killer of this cgroup: nobody outside of it had less memory.");
}

static void limit_swap(struct lab *lab)
{
	if (lab_group_limit_swap(lab, LIMIT, SWAP)) {
		lab_say(lab, "It may have %" PRIu64 " MiB of swap.", SWAP / MIB);
		return;
	}
	/* Without a limit of its own it may fill all that there is. */
	if (lab_meminfo("SwapFree") + LIMIT + CHUNK > MOST)
		lab_cannot(lab, "this kernel can't limit a cgroup's swap (swapaccount=1 at boot), and there is too much to fill");
	lab_say(lab, "This kernel can't limit its swap (boot parameter swapaccount=1): it may fill what there is, %" PRIu64 " MiB.",
		lab_meminfo("SwapFree") / MIB);
}

static void run(struct lab *lab)
{
	struct areas a = {};
	struct moment full;
	int fd;

	if (lab->group.kind == LAB_GROUP_NONE)
		lab_cannot(lab, "there is no memory cgroup, and the OOM killer would hit others");
	fd = lab_make_file(lab, "file", FILE_SIZE);
	open_plot(lab);
	lab_start(lab);
	lab_step(lab, "The limits");
	lab_need_swap(lab, SWAP);
	limit_swap(lab);
	a.file = lab_do(lab, 0, work_map_file, fd, FILE_SIZE, PROT_READ);
	full = read_file(lab, &a);
	a.anon = lab_do(lab, 0, work_map, MOST, 0, 0);
	fill_up(lab, &a, full);
	if (fd >= 0)
		close(fd);
}

const struct lab_experiment lab_pageout = {
	.name = "pageout",
	.summary = "a memory cgroup gets full: page cache goes, then swap, then the process",
	.plan = "A process maps a file that is larger than its memory cgroup's limit of 64 MiB, and then writes anonymous memory until the OOM killer ends it; the kernel's log will say so. The file and, if the machine has less than 32 MiB of free swap, a swap file are temporary ones in /var/tmp. Nobody outside of the cgroup is at risk.",
	.queries = LAB_LOOKS,
	.limit = LIMIT,
	.run = run,
};
