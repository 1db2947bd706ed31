// SPDX-License-Identifier: GPL-2.0-only
/* The workload and the ledger as mmlens sees them. */
#include <errno.h>
#include <stdlib.h>

#include "lab.h"

#define FLAGS	(MMLENS_WALK_STATE | MMLENS_WALK_PAGE | MMLENS_WALK_ABSENT)

static struct mmlens_entries *open_entries(struct lab *lab, unsigned int worker,
					   uint64_t address, uint64_t size)
{
	const struct mmlens_request request = {
		.pid = lab_pid(lab, worker),
		.flags = FLAGS,
		.start = address & ~(LAB_PAGE - 1),
		.end = (address + size + LAB_PAGE - 1) & ~(LAB_PAGE - 1),
	};
	struct mmlens_entries *entries;

	if (!lab_goes_on(lab))
		return NULL;
	entries = mmlens_entries_open(lab->lens, &request);
	if (!entries)
		lab_fail(lab, errno, "the page table of PID %d", request.pid);
	return entries;
}

static void close_entries(struct lab *lab, struct mmlens_entries *entries,
			  int ret)
{
	mmlens_entries_close(entries);
	if (ret < 0)
		lab_fail(lab, ret, "the page table of the workload");
}

struct mmlens_entry lab_entry(struct lab *lab, unsigned int worker,
			      uint64_t address)
{
	struct mmlens_entries *entries =
		open_entries(lab, worker, address, 1);
	struct mmlens_entry e = {};
	int ret;

	if (!entries)
		return e;
	ret = mmlens_entries_next(entries, &e);
	close_entries(lab, entries, ret);
	return e;
}

/* A leaf of a higher level, or a hole, is that of each page in it. */
static void spread(struct mmlens_entry *pages, uint64_t start, uint64_t size,
		   const struct mmlens_entry *e)
{
	for (uint64_t at = 0; at < size; at += LAB_PAGE)
		if (start + at >= e->va && start + at < e->va + e->size)
			pages[at / LAB_PAGE] = *e;
}

struct mmlens_entry *lab_entries(struct lab *lab, unsigned int worker,
				 uint64_t address, uint64_t size)
{
	struct mmlens_entry *pages = calloc(size / LAB_PAGE, sizeof(*pages));
	struct mmlens_entries *entries;
	struct mmlens_entry e;
	int ret;

	if (!pages) {
		lab_fail(lab, ENOMEM, "page-table entries");
		return NULL;
	}
	entries = open_entries(lab, worker, address, size);
	if (!entries)
		return pages;
	while ((ret = mmlens_entries_next(entries, &e)) > 0) {
		if (e.size == LAB_PAGE)
			pages[(e.va - address) / LAB_PAGE] = e;
		else
			spread(pages, address, size, &e);
	}
	close_entries(lab, entries, ret);
	return pages;
}

static void count(struct lab_tally *t, const struct mmlens_entry_run *run)
{
	uint64_t pages = (run->end - run->start) / LAB_PAGE;
	uint32_t flags = run->flags;

	if (mmlens_state(flags) == MMLENS_STATE_NONE)
		t->none += pages;
	if (mmlens_state(flags) == MMLENS_STATE_SWAP)
		t->swap += pages;
	if (mmlens_state(flags) != MMLENS_STATE_PRESENT &&
	    mmlens_state(flags) != MMLENS_STATE_NUMA_HINT)
		return;
	t->present += pages;
	t->zero += flags & MMLENS_PTE_ZERO ? pages : 0;
	t->writable += flags & MMLENS_PTE_WRITE ? pages : 0;
	t->dirty += flags & MMLENS_PTE_DIRTY ? pages : 0;
	t->accessed += flags & MMLENS_PTE_ACCESSED ? pages : 0;
	t->huge += flags & MMLENS_PTE_LEAF ? pages : 0;
}

/* Of a hole or a leaf that goes on outside of the range, the part in it. */
static void clip(struct mmlens_entry_run *run, uint64_t start, uint64_t end)
{
	if (run->start < start)
		run->start = start;
	if (run->end > end)
		run->end = end;
}

struct lab_tally lab_tally(struct lab *lab, unsigned int worker,
			   uint64_t address, uint64_t size)
{
	struct mmlens_entries *entries =
		open_entries(lab, worker, address, size);
	struct lab_tally t = {};
	struct mmlens_entry_run run;
	int ret;

	if (!entries)
		return t;
	while ((ret = mmlens_runs_next(entries, &run)) > 0) {
		clip(&run, address, address + size);
		count(&t, &run);
	}
	close_entries(lab, entries, ret);
	return t;
}

struct mmlens_smaps lab_sums(struct lab *lab, unsigned int worker,
			     uint64_t address, uint64_t size)
{
	const struct mmlens_request request = {
		.pid = lab_pid(lab, worker),
		.start = address,
		.end = address + size,
	};
	struct mmlens_smaps sums = {};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	int ret;

	if (!lab_goes_on(lab))
		return sums;
	areas = mmlens_areas_open(lab->lens, &request, MMLENS_AREAS_SMAPS);
	if (!areas) {
		lab_fail(lab, errno, "the mappings of PID %d", request.pid);
		return sums;
	}
	ret = mmlens_areas_next(areas, &area);
	if (ret > 0)
		sums = *area->smaps;
	else
		lab_fail(lab, ret, "the mapping of the workload");
	mmlens_areas_close(areas);
	return sums;
}

struct mmlens_translation lab_translate(struct lab *lab, unsigned int worker,
					uint64_t address)
{
	struct mmlens_translation t = {};
	int ret;

	if (!lab_goes_on(lab))
		return t;
	ret = mmlens_translate(lab->lens, lab_pid(lab, worker), address, &t);
	if (ret)
		lab_fail(lab, ret, "the translation of 0x%llx",
			 (unsigned long long)address);
	return t;
}

bool lab_is(const struct mmlens_entry *e, uint32_t flags)
{
	return (e->flags & flags) == flags;
}

bool lab_is_present(const struct mmlens_entry *e)
{
	return mmlens_state(e->flags) == MMLENS_STATE_PRESENT;
}

uint64_t lab_in_ledger(struct lab *lab, unsigned int bucket)
{
	struct mmlens_ledger *ledger;
	uint64_t pages = 0;

	if (!lab_goes_on(lab))
		return 0;
	ledger = mmlens_ledger_read(lab->lens);
	if (!ledger) {
		lab_fail(lab, errno, "the ledger");
		return 0;
	}
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->runs[i].bucket == bucket)
			pages += ledger->runs[i].count;
	mmlens_ledger_free(ledger);
	return pages;
}
