// SPDX-License-Identifier: GPL-2.0-only
/* Entries that become swap slots, and come back. */
#include <inttypes.h>
#include <stdlib.h>

#include "experiments.h"

#define SIZE	(8 * MIB)
#define PAGES	(SIZE / LAB_PAGE)
/* What is read back of it. */
#define READ	(PAGES / 2)

#define ADVICE_PAGEOUT	21

#define SEED	7

/* The slot as pagemap has it: type in five bits, then the offset. */
static uint64_t slot_in_pagemap(uint64_t bits)
{
	return PAGEMAP_PFN(bits);
}

static uint64_t slot_of(const struct mmlens_entry *e)
{
	return (uint64_t)MMLENS_SWAP_TYPE(e->value) |
	       MMLENS_SWAP_OFFSET(e->value) << 5;
}

static bool is_swap(const struct mmlens_entry *e)
{
	return mmlens_state(e->flags) == MMLENS_STATE_SWAP;
}

static void show_process(struct lab *lab, uint64_t area, uint64_t before)
{
	int pid = lab_pid(lab, 0);
	struct mmlens_smaps sums = lab_sums(lab, 0, area, SIZE);

	lab_number(lab, "VmSwap", "/proc/PID/status", LAB_BYTES, before,
		   lab_status(pid, "VmSwap"));
	lab_pair(lab, "Swap of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 sums.swap, lab_smaps(pid, area, "Swap"), 0);
	lab_pair(lab, "RSS of the mapping", "/proc/PID/smaps", LAB_BYTES,
		 sums.rss, lab_smaps(pid, area, "Rss"), 0);
}

static void write_all(struct lab *lab, uint64_t area)
{
	struct lab_tally t;

	lab_step(lab, "A process writes 8 MiB, a number of its own into each page");
	lab_need_swap(lab, 4 * SIZE);
	lab_do(lab, 0, work_fill, area, SIZE, SEED);
	t = lab_tally(lab, 0, area, SIZE);
	lab_expect(lab, t.present == PAGES && !t.swap,
		   "All %" PRIu64 " pages are in memory.", PAGES);
}

/* Where the pages went, by an entry and by all of them. */
static struct mmlens_entry page_out(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, 0, area), after;
	uint64_t used = lab_status(lab_pid(lab, 0), "VmSwap");
	uint64_t free_before = lab_meminfo("SwapFree"), bits;
	struct lab_tally t;

	lab_step(lab, "The kernel is asked to reclaim them (MADV_PAGEOUT)");
	/* What a CPU hasn't put on its list yet isn't taken the first time. */
	for (int i = 0; i < 4; i++)
		lab_do(lab, 0, work_advise, area, SIZE, ADVICE_PAGEOUT);
	after = lab_entry(lab, 0, area);
	t = lab_tally(lab, 0, area, SIZE);
	bits = lab_pagemap(lab_pid(lab, 0), area);
	lab_show_entry(lab, "the first page", area, &before, &after);
	show_process(lab, area, used);
	lab_number(lab, "SwapFree of the machine", "/proc/meminfo", LAB_BYTES,
		   free_before, lab_meminfo("SwapFree"));
	lab_expect(lab, t.swap >= PAGES - PAGES / 64,
		   "%" PRIu64 " of %" PRIu64 " entries hold a swap slot instead of a PFN: not present for the processor, but the kernel knows where the page is.",
		   t.swap, PAGES);
	lab_expect(lab, is_swap(&after) && !lab_is_present(&after),
		   "The entry's bits have another meaning now: type (which swap area) and offset (which slot of it).");
	if (is_swap(&after))
		lab_pair(lab, "slot of the first page", "/proc/PID/pagemap",
			 LAB_PFN, slot_of(&after), slot_in_pagemap(bits), 0);
	lab_expect(lab, bits & PAGEMAP_SWAP, "pagemap says that it is swapped out.");
	return after;
}

static void read_back(struct lab *lab, uint64_t area,
		      const struct mmlens_entry *before)
{
	uint64_t minor[2], major[2], used = lab_status(lab_pid(lab, 0), "VmSwap");
	struct mmlens_entry after;
	struct lab_tally t;
	int64_t good;

	lab_step(lab, "It reads half of them");
	/* Pages whose write has just ended are still in the swap cache. */
	lab_group_reclaim(lab, lab_group_usage(lab));
	lab_faults(lab_pid(lab, 0), &minor[0], &major[0]);
	good = lab_do(lab, 0, work_check, area, READ * LAB_PAGE, SEED);
	lab_faults(lab_pid(lab, 0), &minor[1], &major[1]);
	after = lab_entry(lab, 0, area);
	t = lab_tally(lab, 0, area, READ * LAB_PAGE);
	lab_show_entry(lab, "the first page", area, before, &after);
	lab_number(lab, "major faults", "/proc/PID/stat", LAB_COUNT, major[0],
		   major[1]);
	lab_number(lab, "minor faults", "/proc/PID/stat", LAB_COUNT, minor[0],
		   minor[1]);
	show_process(lab, area, used);
	lab_expect(lab, lab_is_present(&after) && t.present >= READ - READ / 8,
		   "A fault brought each page back: the entry is present again, with a PFN.");
	lab_expect(lab, (uint64_t)good == READ,
		   "All %" PRIu64 " numbers are what they were.", READ);
	lab_expect(lab, minor[1] + major[1] > minor[0] + major[0],
		   "%" PRIu64 " faults had to wait for the swap area (major); %" PRIu64 " found the page in memory (minor): in the swap cache, from readahead or not dropped yet.",
		   major[1] - major[0], minor[1] - minor[0]);
}

static void write_back(struct lab *lab, uint64_t area)
{
	struct mmlens_entry before = lab_entry(lab, 0, area), after;

	lab_step(lab, "It writes the first page");
	lab_do(lab, 0, work_fill, area, LAB_PAGE, SEED + 1);
	after = lab_entry(lab, 0, area);
	lab_show_entry(lab, "the first page", area, &before, &after);
	lab_expect(lab, lab_is(&after, MMLENS_PTE_WRITE | MMLENS_PTE_DIRTY),
		   after.value == before.value ?
		   "The same page frame becomes writable and dirty: what its slot holds is out of date, so that it would have to be written again." :
		   "The entry is writable and dirty, with another PFN: this kernel copied the page, because the swap cache has it, too. What the slot holds is out of date.");
}

static void run(struct lab *lab)
{
	struct mmlens_entry swapped;
	uint64_t area;

	lab_start(lab);
	area = lab_do(lab, 0, work_map, SIZE, 0, 0);
	write_all(lab, area);
	swapped = page_out(lab, area);
	read_back(lab, area, &swapped);
	write_back(lab, area);
}

const struct lab_experiment lab_swap = {
	.name = "swap",
	.summary = "page-table entries become swap slots and come back",
	.plan = "A process writes 8 MiB, asks the kernel to page them out, and reads half of them back. If the machine has less than 32 MiB of free swap, a temporary swap file of that size in /var/tmp is used until this ends.",
	.queries = LAB_LOOKS,
	.limit = 64 * MIB,
	.run = run,
};
