// SPDX-License-Identifier: GPL-2.0-only
/* Memory comes when it is touched. */
#include <inttypes.h>

#include "experiments.h"

#define SIZE	(512 * MIB)

/**
 * struct look - The workload and its mapping at one moment.
 * @vsize:	VmSize
 * @rss:	of the mapping
 * @tables:	VmPTE
 * @charged:	anonymous memory of its memory cgroup
 * @faults:	minor ones
 * @first:	the entry of the mapping's first page
 */
struct look {
	uint64_t vsize;
	uint64_t rss;
	uint64_t tables;
	uint64_t charged;
	uint64_t faults;
	struct mmlens_entry first;
};

static struct look look_at(struct lab *lab, uint64_t area)
{
	int pid = lab_pid(lab, 0);
	struct look l = {
		.vsize = lab_status(pid, "VmSize"),
		.tables = lab_status(pid, "VmPTE"),
		.charged = lab_group_stat(lab, "anon"),
	};
	uint64_t major;

	lab_faults(pid, &l.faults, &major);
	if (!area)
		return l;
	l.rss = lab_sums(lab, 0, area, SIZE).rss;
	l.first = lab_entry(lab, 0, area);
	return l;
}

static void show(struct lab *lab, const struct look *a, const struct look *b,
		 uint64_t area)
{
	lab_number(lab, "VmSize (VSS)", "/proc/PID/status", LAB_BYTES, a->vsize,
		   b->vsize);
	lab_number(lab, "RSS of the mapping", NULL, LAB_BYTES, a->rss, b->rss);
	lab_number(lab, "VmPTE (page tables)", "/proc/PID/status", LAB_BYTES,
		   a->tables, b->tables);
	lab_number(lab, "minor faults", "/proc/PID/stat", LAB_COUNT, a->faults,
		   b->faults);
	if (lab->group.kind != LAB_GROUP_NONE)
		lab_number(lab, "anonymous memory charged", "memory.stat",
			   LAB_BYTES, a->charged, b->charged);
	lab_pair(lab, "RSS of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 b->rss, lab_smaps(lab_pid(lab, 0), area, "Rss"), 0);
}

static uint64_t map(struct lab *lab, struct look *now)
{
	struct look before = look_at(lab, 0);
	uint64_t area;

	lab_step(lab, "Map 512 MiB, as malloc() does for so much, and touch nothing");
	area = lab_do(lab, 0, work_map, SIZE, 0, 0);
	*now = look_at(lab, area);
	show(lab, &before, now, area);
	lab_show_entry(lab, "the first page", area, NULL, &now->first);
	/* The mapping is cut to be aligned: no more than that is missing. */
	lab_expect(lab, now->vsize - before.vsize >= SIZE,
		   "The address space grew by 512 MiB: VSS is what was asked for.");
	lab_expect(lab, !now->rss, "RSS didn't grow: no page frame was given for it.");
	lab_expect(lab, mmlens_state(now->first.flags) == MMLENS_STATE_NONE,
		   "The page-table entry is empty: a mapping (VMA) is a promise, kept when a page is touched.");
	return area;
}

static void read_part(struct lab *lab, uint64_t area, uint64_t part,
		      struct look *now)
{
	uint64_t pages = part / LAB_PAGE;
	struct look before = *now;
	struct lab_tally t;

	lab_step(lab, "Read a byte of each of the first %" PRIu64 " pages (%" PRIu64 " MiB)",
		 pages, part / MIB);
	lab_do(lab, 0, work_read, area, part, LAB_PAGE);
	*now = look_at(lab, area);
	t = lab_tally(lab, 0, area, part);
	show(lab, &before, now, area);
	lab_show_entry(lab, "the first page", area, &before.first, &now->first);
	lab_pair(lab, "PFN of the first page", "/proc/PID/pagemap", LAB_PFN,
		 now->first.value,
		 PAGEMAP_PFN(lab_pagemap(lab_pid(lab, 0), area)), 0);
	lab_expect(lab, lab_is(&now->first, MMLENS_PTE_ZERO) &&
		   !lab_is(&now->first, MMLENS_PTE_WRITE),
		   "A read fault maps the zero page, read-only: the one page of zeroes that everybody shares.");
	lab_expect(lab, t.zero == pages, "All %" PRIu64 " entries map that same page frame.",
		   pages);
	lab_expect(lab, now->faults - before.faults >= pages,
		   "Each of them took a page fault (%" PRIu64 " in all).",
		   now->faults - before.faults);
	lab_expect(lab, !now->rss, "RSS is still 0: the zero page isn't counted. Only page tables were paid for.");
}

static void write_part(struct lab *lab, uint64_t area, uint64_t part,
		       struct look *now)
{
	uint64_t half = part / 2, pages = half / LAB_PAGE;
	struct look before = *now;
	struct lab_tally t;

	lab_step(lab, "Write a byte of each page of the first half of these (%" PRIu64 " MiB)",
		 half / MIB);
	lab_do(lab, 0, work_write, area, half, LAB_PAGE);
	*now = look_at(lab, area);
	t = lab_tally(lab, 0, area, part);
	show(lab, &before, now, area);
	lab_show_entry(lab, "the first page", area, &before.first, &now->first);
	lab_expect(lab, lab_is(&now->first, MMLENS_PTE_WRITE |
			       MMLENS_PTE_DIRTY) &&
		   !lab_is(&now->first, MMLENS_PTE_ZERO) &&
		   now->first.value != before.first.value,
		   "A write fault gives a page frame of its own: another PFN, writable, dirty.");
	lab_expect(lab, now->rss == half && t.dirty == pages &&
		   t.zero == part / LAB_PAGE - pages,
		   "RSS is what was written, no more; the other half still maps the zero page.");
	lab_expect(lab, now->faults - before.faults >= pages,
		   "It took a second fault for each page that had been read first.");
	if (lab->group.kind != LAB_GROUP_NONE)
		lab_expect(lab, now->charged - before.charged >= half / 2,
			   "The memory cgroup is charged when the page frame is given, not when it is mapped.");
}

static void write_untouched(struct lab *lab, uint64_t area, uint64_t part,
			    struct look *now)
{
	uint64_t at = area + part, size = part / 2, pages = size / LAB_PAGE;
	struct look before = *now;

	lab_step(lab, "Write %" PRIu64 " MiB that were never read", size / MIB);
	lab_do(lab, 0, work_write, at, size, LAB_PAGE);
	*now = look_at(lab, area);
	show(lab, &before, now, area);
	lab_expect(lab, now->rss - before.rss == size &&
		   now->faults - before.faults >= pages &&
		   now->faults - before.faults < 2 * pages,
		   "Whoever writes first takes one fault a page, not two.");
	lab_expect(lab, now->vsize == before.vsize,
		   "VSS didn't change through all of this: it says what may be touched, RSS what was.");
}

static void run(struct lab *lab)
{
	uint64_t part = lab_size(lab, 64 * MIB), area;
	struct look now;

	lab_start(lab);
	area = map(lab, &now);
	read_part(lab, area, part, &now);
	write_part(lab, area, part, &now);
	write_untouched(lab, area, part, &now);
}

const struct lab_experiment lab_lazy = {
	.name = "lazy",
	.summary = "memory comes when it is touched, not when it is asked for",
	.plan = "A process maps 512 MiB of anonymous memory, reads a part of it and writes less (64 MiB in all, less on a small machine). Huge pages are kept out of it.",
	.queries = LAB_LOOKS,
	.limit = 256 * MIB,
	.run = run,
};
