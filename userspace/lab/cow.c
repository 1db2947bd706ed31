// SPDX-License-Identifier: GPL-2.0-only
/* What fork() copies, and when. */
#include <inttypes.h>
#include <stdlib.h>

#include "experiments.h"

#define SIZE	(4 * MIB)
#define PAGES	(SIZE / LAB_PAGE)
/* What the child writes of it. */
#define WRITTEN	(PAGES / 4)

enum { PARENT, CHILD };

/* Pss has 12 fractional bits. */
static uint64_t pss_bytes(const struct mmlens_smaps *sums)
{
	return sums->pss >> 12;
}

static uint64_t same_pfns(const struct mmlens_entry *a,
			  const struct mmlens_entry *b)
{
	uint64_t same = 0;

	for (size_t i = 0; i < PAGES; i++)
		same += lab_is_present(&a[i]) && lab_is_present(&b[i]) &&
			a[i].value == b[i].value;
	return same;
}

/* "A kB of its own + B kB / 2 = C kB" */
static void show_pss(struct lab *lab, unsigned int worker, const char *whose,
		     uint64_t area, uint64_t alone, uint64_t shared)
{
	struct mmlens_smaps sums = lab_sums(lab, worker, area, SIZE);
	uint64_t sum = (alone + shared / 2) * LAB_PAGE, rss = sums.rss;
	uint64_t uss = sums.private_clean + sums.private_dirty;
	int pid = lab_pid(lab, worker);

	lab_say(lab, "%s (PID %d): %" PRIu64 " pages of its own and %" PRIu64 " that two map: PSS = %" PRIu64 " x 4 kB + %" PRIu64 " x 4 kB / 2 = %" PRIu64 " kB; USS = %" PRIu64 " kB; RSS = %" PRIu64 " kB.",
		whose, pid, alone, shared, alone, shared, sum >> 10, uss >> 10,
		rss >> 10);
	lab_pair(lab, "PSS of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 pss_bytes(&sums), lab_smaps(pid, area, "Pss"), KIB);
	lab_expect(lab, pss_bytes(&sums) == sum,
		   "PSS is that sum.");
}

static void check_pfn(struct lab *lab, unsigned int worker, uint64_t address,
		      const struct mmlens_entry *e)
{
	uint64_t bits = lab_pagemap(lab_pid(lab, worker), address);

	lab_pair(lab, worker == CHILD ? "PFN, child" : "PFN, parent",
		 "/proc/PID/pagemap", LAB_PFN, e->value, PAGEMAP_PFN(bits), 0);
}

static void write_first(struct lab *lab, uint64_t area)
{
	struct mmlens_entry e;
	struct lab_tally t;

	lab_step(lab, "A process writes 4 MiB (%llu pages)",
		 (unsigned long long)PAGES);
	lab_do(lab, PARENT, work_fill, area, SIZE, 1);
	e = lab_entry(lab, PARENT, area);
	t = lab_tally(lab, PARENT, area, SIZE);
	lab_show_entry(lab, "its first page", area, NULL, &e);
	lab_expect(lab, t.writable == PAGES && t.dirty == PAGES,
		   "All of its entries are writable and dirty: the pages are its own.");
}

static void fork_second(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, PARENT, area);
	struct mmlens_entry *parent, *child;

	lab_step(lab, "It forks");
	lab_fork(lab);
	parent = lab_entries(lab, PARENT, area, SIZE);
	child = lab_entries(lab, CHILD, area, SIZE);
	if (lab_goes_on(lab)) {
		lab_show_entry(lab, "the parent's", area, &before, &parent[0]);
		lab_show_entry(lab, "the child's", area, NULL, &child[0]);
		check_pfn(lab, PARENT, area, &parent[0]);
		check_pfn(lab, CHILD, area, &child[0]);
		lab_expect(lab, same_pfns(parent, child) == PAGES,
			   "All %" PRIu64 " entries of both have the same PFNs: fork() copies page tables, not pages.",
			   PAGES);
		lab_expect(lab, lab_is(&before, MMLENS_PTE_WRITE) &&
			   !lab_is(&parent[0], MMLENS_PTE_WRITE) &&
			   !lab_is(&child[0], MMLENS_PTE_WRITE),
			   "Both sides lost the write permission, the parent too: the next write of either must fault.");
		lab_expect(lab, parent[0].page.mapcount == 2,
			   "The page's mapcount is 2.");
		lab_say(lab, "In PSS each page is divided by how many map it, so that all processes' PSS add up to what is in memory; in USS are those that nobody else maps.");
		show_pss(lab, PARENT, "The parent", area, 0, PAGES);
		show_pss(lab, CHILD, "The child", area, 0, PAGES);
	}
	free(child);
	free(parent);
}

static void child_writes(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before[2], parent, child;
	uint64_t first, last, major;

	lab_step(lab, "The child writes one page");
	before[PARENT] = lab_entry(lab, PARENT, area);
	before[CHILD] = lab_entry(lab, CHILD, area);
	lab_faults(lab_pid(lab, CHILD), &first, &major);
	lab_do(lab, CHILD, work_fill, area, LAB_PAGE, 2);
	lab_faults(lab_pid(lab, CHILD), &last, &major);
	parent = lab_entry(lab, PARENT, area);
	child = lab_entry(lab, CHILD, area);
	lab_show_entry(lab, "the child's", area, &before[CHILD], &child);
	lab_show_entry(lab, "the parent's", area, &before[PARENT], &parent);
	check_pfn(lab, CHILD, area, &child);
	lab_number(lab, "minor faults of the child", "/proc/PID/stat",
		   LAB_COUNT, first, last);
	lab_expect(lab, child.value != before[CHILD].value &&
		   lab_is(&child, MMLENS_PTE_WRITE | MMLENS_PTE_DIRTY),
		   "The write fault copied the page: the child has another PFN, writable.");
	lab_expect(lab, parent.value == before[PARENT].value &&
		   parent.page.mapcount == 1,
		   "The parent still has the old one, which nobody else maps now.");
	lab_expect(lab, !lab_is(&parent, MMLENS_PTE_WRITE),
		   "Its entry is still read-only: nobody told the parent.");
	lab_expect(lab, lab_do(lab, PARENT, work_check, area, LAB_PAGE, 1) == 1,
		   "What the parent reads there is what it wrote.");
}

static void parent_writes(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, PARENT, area), after;
	uint64_t first, last, major;

	lab_step(lab, "The parent writes the same page");
	lab_faults(lab_pid(lab, PARENT), &first, &major);
	lab_do(lab, PARENT, work_fill, area, LAB_PAGE, 3);
	lab_faults(lab_pid(lab, PARENT), &last, &major);
	after = lab_entry(lab, PARENT, area);
	lab_show_entry(lab, "the parent's", area, &before, &after);
	lab_number(lab, "minor faults of the parent", "/proc/PID/stat",
		   LAB_COUNT, first, last);
	lab_expect(lab, lab_is(&after, MMLENS_PTE_WRITE) &&
		   after.value == before.value && last > first,
		   "It faults too, but nothing is copied: the page is its own again, so the same PFN becomes writable (reuse).");
}

static void write_more(struct lab *lab, uint64_t area)
{
	struct mmlens_entry *parent, *child;
	uint64_t same;

	lab_step(lab, "The child writes a quarter of it");
	lab_do(lab, CHILD, work_fill, area, WRITTEN * LAB_PAGE, 2);
	parent = lab_entries(lab, PARENT, area, SIZE);
	child = lab_entries(lab, CHILD, area, SIZE);
	if (lab_goes_on(lab)) {
		same = same_pfns(parent, child);
		lab_number(lab, "pages that both map", NULL, LAB_PAGES, PAGES,
			   same);
		lab_expect(lab, same == PAGES - WRITTEN,
			   "What is shared shrank by exactly what was written.");
		show_pss(lab, PARENT, "The parent", area, WRITTEN, same);
		show_pss(lab, CHILD, "The child", area, WRITTEN, same);
	}
	free(child);
	free(parent);
}

static void run(struct lab *lab)
{
	uint64_t area;

	lab_start(lab);
	area = lab_do(lab, PARENT, work_map, SIZE, 0, 0);
	write_first(lab, area);
	fork_second(lab, area);
	child_writes(lab, area);
	parent_writes(lab, area);
	write_more(lab, area);
}

const struct lab_experiment lab_cow = {
	.name = "cow",
	.summary = "fork() shares pages, and the first write copies one",
	.plan = "A process writes 4 MiB of anonymous memory and forks; then one or the other writes. Huge pages are kept out of it.",
	.queries = LAB_LOOKS,
	.limit = 64 * MIB,
	.run = run,
};
