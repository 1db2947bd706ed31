// SPDX-License-Identifier: GPL-2.0-only
/* Huge pages that come by themselves (THP), and those that are asked for. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "experiments.h"

#define HUGE	(2 * MIB)
#define SIZE	(4 * HUGE)

#define ADVICE_COLLAPSE	25	/* 6.1 and later */

#define THP	"/sys/kernel/mm/transparent_hugepage/enabled"
#define POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
/* Pages of hugetlb. */
#define WANTED	2

static int64_t work_map_hugetlb(uint64_t size, uint64_t b, uint64_t c)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26,
			  -1, 0);

	(void)b;
	(void)c;
	return area == MAP_FAILED ? -errno : (int64_t)(uintptr_t)area;
}

/* Tables of level PTE that translate the range. */
static uint64_t tables_in(struct lab *lab, uint64_t area, uint64_t size,
			  uint64_t *deposited)
{
	const struct mmlens_request request = {
		.pid = lab_pid(lab, 0), .start = area, .end = area + size,
	};
	const struct mmlens_table *table;
	struct mmlens_tables *tables;
	uint64_t n = 0;
	int ret;

	*deposited = 0;
	if (!lab_goes_on(lab))
		return 0;
	tables = mmlens_tables_open(lab->lens, &request);
	if (!tables) {
		lab_fail(lab, errno, "the page tables of the workload");
		return 0;
	}
	while ((ret = mmlens_tables_next(tables, &table)) > 0) {
		if (table->head.level != MMLENS_LEVEL_PTE)
			continue;
		if (table->flags & MMLENS_TABLE_DEPOSITED)
			++*deposited;
		else
			n++;
	}
	mmlens_tables_close(tables);
	if (ret < 0)
		lab_fail(lab, ret, "the page tables of the workload");
	return n;
}

static void check_smaps(struct lab *lab, uint64_t area)
{
	struct mmlens_smaps sums = lab_sums(lab, 0, area, SIZE);
	int pid = lab_pid(lab, 0);

	lab_pair(lab, "RSS of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 sums.rss, lab_smaps(pid, area, "Rss"), 0);
	lab_pair(lab, "AnonHugePages", "/proc/PID/smaps", LAB_BYTES,
		 sums.anon_huge, lab_smaps(pid, area, "AnonHugePages"), 0);
}

/* ---- transparent huge pages ---- */

static uint64_t fault_in(struct lab *lab)
{
	uint64_t area, minor[2], major, deposited, tables;
	struct mmlens_entry none = {}, e;
	struct lab_tally t;

	lab_step(lab, "A process maps 8 MiB, says that huge pages are welcome (MADV_HUGEPAGE), and writes one byte of each 2 MiB");
	area = lab_do(lab, 0, work_map, SIZE, 0, 0);
	lab_do(lab, 0, work_advise, area, SIZE, MADV_HUGEPAGE);
	lab_faults(lab_pid(lab, 0), &minor[0], &major);
	lab_do(lab, 0, work_write, area, SIZE, HUGE);
	lab_faults(lab_pid(lab, 0), &minor[1], &major);
	t = lab_tally(lab, 0, area, SIZE);
	e = lab_entry(lab, 0, area);
	if (lab_goes_on(lab) && !t.huge)
		lab_cannot(lab, "the kernel gave no huge page: there is no free block of order 9 (mmlens frag)");
	tables = tables_in(lab, area, SIZE, &deposited);
	lab_show_entry(lab, "the first page", area, &none, &e);
	lab_number(lab, "minor faults", "/proc/PID/stat", LAB_COUNT, minor[0],
		   minor[1]);
	check_smaps(lab, area);
	lab_expect(lab, lab_is(&e, MMLENS_PTE_LEAF) &&
		   e.level == MMLENS_LEVEL_PMD && e.value % 512 == 0,
		   "The entry stands in the PMD and is a leaf: 512 pages in a row, aligned, from PFN 0x%" PRIx64 " on.",
		   e.value);
	lab_expect(lab, t.huge == SIZE / LAB_PAGE && minor[1] - minor[0] < 64,
		   "%d writes made 8 MiB resident, and took %" PRIu64 " faults instead of 2048.",
		   4, minor[1] - minor[0]);
	lab_expect(lab, !tables && deposited == SIZE / HUGE,
		   "No table of level PTE is in use; %" PRIu64 " are kept in reserve, for when a huge page is split.",
		   deposited);
	return area;
}

static void split(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, 0, area), after;
	struct lab_tally t;
	uint64_t deposited, tables;

	lab_step(lab, "It gives back one page of 4 kB in the middle of the first (MADV_DONTNEED)");
	lab_do(lab, 0, work_advise, area + HUGE / 2, LAB_PAGE, MADV_DONTNEED);
	after = lab_entry(lab, 0, area);
	t = lab_tally(lab, 0, area, HUGE);
	tables = tables_in(lab, area, SIZE, &deposited);
	lab_show_entry(lab, "the first page", area, &before, &after);
	check_smaps(lab, area);
	lab_expect(lab, after.level == MMLENS_LEVEL_PTE && t.present == 511 &&
		   t.none == 1,
		   "The entry was split: 511 entries of level PTE, and an empty one.");
	lab_expect(lab, after.value == before.value,
		   "The pages are where they were: it is the mapping that was split.");
	lab_expect(lab, tables == 1 && deposited == SIZE / HUGE - 1,
		   "A table from the reserve is in use now.");
}

static void collapse(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, 0, area), after;
	int64_t ret;

	lab_step(lab, "The hole is written, and the kernel is asked to make it huge again (MADV_COLLAPSE)");
	lab_do(lab, 0, work_write, area + HUGE / 2, LAB_PAGE, LAB_PAGE);
	ret = lab_try(lab, 0, work_advise, area, HUGE, ADVICE_COLLAPSE);
	if (ret == -EINVAL) {
		lab_say(lab, "This kernel can't be asked (6.1 and later can); khugepaged does it in its own time.");
		return;
	}
	after = lab_entry(lab, 0, area);
	lab_show_entry(lab, "the first page", area, &before, &after);
	lab_expect(lab, !ret && lab_is(&after, MMLENS_PTE_LEAF) &&
		   after.value != before.value,
		   "Its pages were copied into another block of 2 MiB, and one entry maps it again.");
}

/* ---- hugetlb ---- */

static bool fill_pool(struct lab *lab)
{
	char value[24];
	uint64_t wanted = lab_file_number(POOL) + WANTED;

	snprintf(value, sizeof(value), "%" PRIu64, wanted);
	return lab_set(lab, POOL, value) && lab_file_number(POOL) == wanted;
}

static void hugetlb(struct lab *lab)
{
	struct mmlens_entry none = {}, e;
	struct mmlens_smaps sums;
	uint64_t area, unused[2];
	int pid = lab_pid(lab, 0);

	lab_step(lab, "Huge pages of hugetlb: %d are put into the pool (nr_hugepages), mapped and written",
		 WANTED);
	if (!fill_pool(lab)) {
		lab_say(lab, "The pool didn't get them.");
		return;
	}
	unused[0] = lab_meminfo("HugePages_Free") >> 10;
	area = lab_do(lab, 0, work_map_hugetlb, WANTED * HUGE, 0, 0);
	lab_do(lab, 0, work_write, area, WANTED * HUGE, HUGE);
	unused[1] = lab_meminfo("HugePages_Free") >> 10;
	e = lab_entry(lab, 0, area);
	sums = lab_sums(lab, 0, area, WANTED * HUGE);
	lab_show_entry(lab, "the first page", area, &none, &e);
	lab_number(lab, "HugePages_Free", "/proc/meminfo", LAB_COUNT,
		   unused[0], unused[1]);
	lab_pair(lab, "hugetlb of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 sums.private_hugetlb + sums.shared_hugetlb,
		 lab_smaps(pid, area, "Private_Hugetlb") +
		 lab_smaps(pid, area, "Shared_Hugetlb"), 0);
	lab_expect(lab, lab_is(&e, MMLENS_PTE_LEAF | MMLENS_PTE_HUGETLB),
		   "It is a leaf of the PMD as well.");
	lab_expect(lab, !sums.rss && !lab_smaps(pid, area, "Rss") &&
		   unused[0] - unused[1] == WANTED,
		   "They come from a pool that was set aside, and aren't part of RSS; they are neither split nor swapped.");
}

/* Where they are off, they are on for those who ask until this ends. */
static void allow(struct lab *lab)
{
	char *text = lab_file(THP);

	if (!text)
		lab_cannot(lab, "this kernel has no transparent huge pages");
	else if (strstr(text, "[never]") && !lab_set(lab, THP, "madvise"))
		lab_cannot(lab, "transparent huge pages are off (%s)", THP);
	free(text);
}

static void run(struct lab *lab)
{
	uint64_t area;

	lab_start(lab);
	allow(lab);
	area = fault_in(lab);
	split(lab, area);
	collapse(lab, area);
	hugetlb(lab);
}

const struct lab_experiment lab_hugepages = {
	.name = "hugepages",
	.summary = "huge pages: transparent ones, split and collapsed, and those of hugetlb",
	.plan = "A process maps 8 MiB with huge pages, has one split and made anew, and maps two huge pages of hugetlb. Until this ends, the pool of hugetlb (nr_hugepages) has two pages more, and transparent_hugepage/enabled is madvise if it was never.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_TABLES),
	.limit = 64 * MIB,
	.run = run,
};
