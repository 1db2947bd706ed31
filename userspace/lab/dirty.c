// SPDX-License-Identifier: GPL-2.0-only
/* How the kernel comes to know which pages of a file were written. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "experiments.h"

#define SIZE	(1 * MIB)
#define PAGES	(SIZE / LAB_PAGE)
/* One page in so many is written. */
#define EACH	16
#define WRITTEN	(PAGES / EACH)

#define KPF(bit)	(1ull << KPF_##bit)

/**
 * struct look - The mapping at one moment.
 * @entries:	of its pages; to be freed
 * @faults:	of the workload; before 6.0 those that drop the lock to throttle
 *		the writer count as major
 */
struct look {
	struct mmlens_entry *entries;
	uint64_t faults;
};

static struct look look_at(struct lab *lab, uint64_t area)
{
	struct look l = {};
	uint64_t minor, major;

	l.entries = lab_entries(lab, 0, area, SIZE);
	lab_faults(lab_pid(lab, 0), &minor, &major);
	l.faults = minor + major;
	return l;
}

static void move_on(struct look *before, struct look *now)
{
	free(before->entries);
	*before = *now;
}

/* Entries of pages that have these flags, all of them. */
static uint64_t having(const struct look *l, uint32_t flags)
{
	uint64_t n = 0;

	for (size_t i = 0; l->entries && i < PAGES; i++)
		n += lab_is(&l->entries[i], flags);
	return n;
}

static uint64_t dirty_pages(const struct look *l)
{
	uint64_t n = 0;

	for (size_t i = 0; l->entries && i < PAGES; i++)
		n += l->entries[i].has_page &&
		     l->entries[i].page.flags & KPF(DIRTY);
	return n;
}

static void show(struct lab *lab, const struct look *a, const struct look *b)
{
	if (!a->entries || !b->entries)
		return;
	lab_number(lab, "entries that allow writing", NULL, LAB_COUNT,
		   having(a, MMLENS_PTE_WRITE), having(b, MMLENS_PTE_WRITE));
	lab_number(lab, "entries with the dirty bit", NULL, LAB_COUNT,
		   having(a, MMLENS_PTE_DIRTY), having(b, MMLENS_PTE_DIRTY));
	lab_number(lab, "pages that are dirty", NULL, LAB_PAGES,
		   dirty_pages(a), dirty_pages(b));
	lab_number(lab, "page faults", "/proc/PID/stat", LAB_COUNT, a->faults,
		   b->faults);
}

/* The kernel's own word for a page's state. */
static void check_kpageflags(struct lab *lab, const struct mmlens_entry *e)
{
	uint64_t flags = 0;

	if (!lab_goes_on(lab) || mmlens_kpageflags(e->value, &flags) != 1)
		return;
	lab_pair(lab, "first page is dirty", "/proc/kpageflags", LAB_COUNT,
		 !!(e->page.flags & KPF(DIRTY)), !!(flags & KPF(DIRTY)), 0);
}

static int64_t work_sync(uint64_t address, uint64_t size, uint64_t c)
{
	(void)c;
	return msync((void *)(uintptr_t)address, size, MS_SYNC) ? -1 : 0;
}

static void read_all(struct lab *lab, uint64_t area, struct look *now)
{
	struct mmlens_entry none = {};

	lab_step(lab, "A file of 1 MiB on a disk, written and clean, is mapped shared and writable, and each page is read");
	lab_do(lab, 0, work_read, area, SIZE, LAB_PAGE);
	*now = look_at(lab, area);
	if (!lab_goes_on(lab))
		return;
	lab_show_entry(lab, "the first page", area, &none, &now->entries[0]);
	lab_expect(lab, !having(now, MMLENS_PTE_WRITE) &&
		   !having(now, MMLENS_PTE_DIRTY),
		   "The mapping allows writing, but no entry does: the kernel wants to be told of the first write to each page.");
}

static void write_some(struct lab *lab, uint64_t area, struct look *now)
{
	struct look before = *now;

	lab_step(lab, "One page in %d is written", EACH);
	lab_do(lab, 0, work_write, area, SIZE, EACH * LAB_PAGE);
	*now = look_at(lab, area);
	show(lab, &before, now);
	if (lab_goes_on(lab)) {
		lab_show_entry(lab, "the first page, written", area,
			       &before.entries[0], &now->entries[0]);
		lab_show_entry(lab, "the second page, not written",
			       area + LAB_PAGE, &before.entries[1],
			       &now->entries[1]);
		check_kpageflags(lab, &now->entries[0]);
		lab_expect(lab, now->faults - before.faults >= WRITTEN,
			   "Each first write took a fault (%" PRIu64 " for %llu pages): writes are captured by write-protection.",
			   now->faults - before.faults,
			   (unsigned long long)WRITTEN);
		lab_expect(lab, having(now, MMLENS_PTE_WRITE) == WRITTEN &&
			   having(now, MMLENS_PTE_DIRTY) == WRITTEN,
			   "Exactly the written pages' entries became writable and dirty; their neighbours' didn't change.");
		lab_expect(lab, lab_is(&now->entries[0], MMLENS_PTE_DIRTY) &&
			   now->entries[0].page.flags & KPF(DIRTY),
			   "The fault marked the page itself as well: writeback finds it by the page, and needn't look for dirty bits.");
	}
	free(before.entries);
}

static void write_again(struct lab *lab, uint64_t area, struct look *now)
{
	struct look next;

	lab_step(lab, "The same pages are written once more");
	lab_do(lab, 0, work_write, area, SIZE, EACH * LAB_PAGE);
	next = look_at(lab, area);
	show(lab, now, &next);
	lab_expect(lab, next.faults == now->faults,
		   "No fault: a page that is known to be dirty may be written freely.");
	move_on(now, &next);
}

static void write_back(struct lab *lab, uint64_t area, struct look *now)
{
	struct look before = *now;
	uint64_t same = 0;

	lab_step(lab, "The file is written back (msync)");
	lab_do(lab, 0, work_sync, area, SIZE, 0);
	*now = look_at(lab, area);
	show(lab, &before, now);
	if (lab_goes_on(lab)) {
		lab_show_entry(lab, "the first page", area, &before.entries[0],
			       &now->entries[0]);
		check_kpageflags(lab, &now->entries[0]);
		for (size_t i = 0; i < PAGES; i++)
			same += i % EACH && before.entries[i].raw ==
						    now->entries[i].raw;
		lab_expect(lab, !having(now, MMLENS_PTE_WRITE) &&
			   !having(now, MMLENS_PTE_DIRTY) && !dirty_pages(now),
			   "Writeback cleared the dirty bits and protected the entries again, before it read the pages.");
		lab_expect(lab, same == PAGES - WRITTEN,
			   "No other entry was touched: it went from each dirty page to the entries that map it (rmap), not through the page table.");
	}
	free(before.entries);
}

static void write_after(struct lab *lab, uint64_t area, struct look *now)
{
	struct look next;

	lab_step(lab, "The same pages are written a third time");
	lab_do(lab, 0, work_write, area, SIZE, EACH * LAB_PAGE);
	next = look_at(lab, area);
	show(lab, now, &next);
	lab_expect(lab, next.faults - now->faults >= WRITTEN &&
		   having(&next, MMLENS_PTE_DIRTY) == WRITTEN,
		   "It faults again: from one writeback to the next, each page that is written costs one fault.");
	move_on(now, &next);
}

/* A file in memory is never written back: nobody waits for the first write. */
static void in_memory(struct lab *lab, int fd)
{
	struct look before, now;
	uint64_t area;

	lab_step(lab, "The same with a file in memory (memfd), which nothing is ever written back of");
	area = lab_do(lab, 0, work_map_file, fd, SIZE, PROT_READ | PROT_WRITE);
	lab_do(lab, 0, work_read, area, SIZE, LAB_PAGE);
	before = look_at(lab, area);
	lab_do(lab, 0, work_write, area, SIZE, EACH * LAB_PAGE);
	now = look_at(lab, area);
	show(lab, &before, &now);
	if (lab_goes_on(lab)) {
		lab_show_entry(lab, "the first page, written", area,
			       &before.entries[0], &now.entries[0]);
		lab_expect(lab, having(&before, MMLENS_PTE_WRITE) == PAGES &&
			   now.faults == before.faults,
			   "Its entries are writable from the start, and the first write takes no fault.");
		lab_expect(lab, having(&now, MMLENS_PTE_DIRTY) -
				   having(&before, MMLENS_PTE_DIRTY) == WRITTEN,
			   "The processor alone set the dirty bits. The kernel reads them when it unmaps or reclaims the page.");
		lab_say(lab, "So of the ways to find what was written, this kernel captures write faults for files on a disk, goes from the page to its entries (rmap) to protect them again, and looks at dirty bits of page tables only as they are unmapped: it never scans page tables for them.");
	}
	free(before.entries);
	free(now.entries);
}

/* All blocks are there, so that pages aren't new when they are written. */
static int make_file(struct lab *lab)
{
	static const char page[LAB_PAGE] = "a page of the file";
	int fd = lab_make_file(lab, "file", 0);

	for (size_t i = 0; fd >= 0 && i < PAGES; i++)
		if (pwrite(fd, page, LAB_PAGE, (off_t)(i * LAB_PAGE)) !=
		    (ssize_t)LAB_PAGE)
			lab_fail(lab, EIO, "the file");
	if (fd >= 0)
		fsync(fd);
	return fd;
}

static void run(struct lab *lab)
{
	int fd = make_file(lab), memory = memfd_create("lab", MFD_CLOEXEC);
	struct look now = {};
	uint64_t area;

	if (memory < 0 || ftruncate(memory, SIZE))
		lab_fail(lab, errno, "memfd");
	lab_start(lab);
	area = lab_do(lab, 0, work_map_file, fd, SIZE, PROT_READ | PROT_WRITE);
	read_all(lab, area, &now);
	write_some(lab, area, &now);
	write_again(lab, area, &now);
	write_back(lab, area, &now);
	write_after(lab, area, &now);
	free(now.entries);
	in_memory(lab, memory);
	if (memory >= 0)
		close(memory);
	if (fd >= 0)
		close(fd);
}

const struct lab_experiment lab_dirty = {
	.name = "dirty",
	.summary = "how the kernel comes to know which pages of a file were written",
	.plan = "A process maps a file of 1 MiB on a disk (a temporary one in /var/tmp), reads it, writes a page here and there, has it written back, and writes again.",
	.queries = LAB_LOOKS,
	.limit = 64 * MIB,
	.run = run,
};
