// SPDX-License-Identifier: GPL-2.0-only
/* One address through all levels, huge pages at two of them, and TLB reach. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "experiments.h"

#define POOLS	"/sys/kernel/mm/hugepages/hugepages-"

/* Above this, an address of a process needs the fifth level. */
#define FOUR_LEVELS	(UINT64_C(1) << 47)
/* One whose indices in pgd and p4d are both others than a low address's. */
#define HIGH		((UINT64_C(5) << 48) + (UINT64_C(9) << 39))

/* One page, near @hint. */
static int64_t work_map_at(uint64_t hint, uint64_t b, uint64_t c)
{
	void *area = mmap((void *)(uintptr_t)hint, LAB_PAGE,
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)b;
	(void)c;
	if (area == MAP_FAILED)
		return -errno;
	*(volatile char *)area = 1;
	return (int64_t)(uintptr_t)area;
}

/* A page of hugetlb of 1 << @shift bytes. */
static int64_t work_map_huge(uint64_t shift, uint64_t b, uint64_t c)
{
	void *area = mmap(NULL, 1ull << shift, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			  (int)(shift << 26), -1, 0);

	(void)b;
	(void)c;
	if (area == MAP_FAILED)
		return -errno;
	*(volatile char *)area = 1;
	return (int64_t)(uintptr_t)area;
}

/* ---- what is met ---- */

/* At each level the bits of the address that are its index. */
static bool show_indices(struct lab *lab, const struct mmlens_translation *t)
{
	static const struct lab_columns columns = {
		.label = "LEVEL",
		.name = { "SHIFT", "ADDRESS BITS", "INDEX MET" },
		.count = 3,
	};
	const struct mmlens_info *info = lab->view->info;
	bool same = t->steps;

	lab_table(lab, &columns);
	for (unsigned int i = 0; i < t->steps; i++) {
		unsigned int level = t->step[i].head.level;
		unsigned int shift = info->level_shift[level];
		const uint64_t row[] = { shift, t->address >> shift & 511,
					 t->step[i].index };

		same = same && row[1] == row[2];
		lab_row(lab, mmlens_level_name(level), row);
	}
	return same;
}

/* The next table is where the entry before says. */
static bool is_chained(const struct mmlens_translation *t)
{
	for (unsigned int i = 1; i < t->steps; i++)
		if (t->step[i].table_pfn != t->step[i - 1].value)
			return false;
	return t->steps;
}

static void look_at(struct lab *lab, uint64_t address, unsigned int levels,
		    uint64_t size)
{
	struct mmlens_translation t = lab_translate(lab, 0, address);
	uint64_t pfn = PAGEMAP_PFN(lab_pagemap(lab_pid(lab, 0), address));
	bool same;

	lab_show_translation(lab, &t);
	same = show_indices(lab, &t);
	lab_pair(lab, "PFN", "/proc/PID/pagemap", LAB_PFN, t.phys / LAB_PAGE,
		 pfn, 0);
	lab_expect(lab, same && is_chained(&t),
		   "At each level nine bits of the address are the index into a table of 512 entries, and the entry's PFN is where the next table is.");
	lab_expect(lab, t.steps == levels && t.size == size,
		   "%u loads translate it, to a page of %" PRIu64 " kB.", levels,
		   size >> 10);
}

/* ---- pages of each size ---- */

static uint64_t small_page(struct lab *lab)
{
	unsigned int levels = lab->view->info->levels;
	uint64_t address;

	lab_step(lab, "A page of 4 kB; this kernel runs with %u levels of page tables",
		 levels);
	address = lab_do(lab, 0, work_map_at, 0, 0, 0);
	look_at(lab, address + 0x123, levels, LAB_PAGE);
	return address;
}

/* ---- four levels and five ---- */

/* The step at a level; NULL: the walk has none there. */
static const struct mmlens_level *step_at(const struct mmlens_translation *t,
					  unsigned int level)
{
	for (unsigned int i = 0; i < t->steps; i++)
		if (t->step[i].head.level == level)
			return &t->step[i];
	return NULL;
}

/* The two levels that tell them apart, of both addresses. */
static void show_apart(struct lab *lab, const struct mmlens_translation *low,
		       const struct mmlens_translation *high)
{
	static const struct lab_columns columns = {
		.label = "INDEX MET",
		.name = { "BELOW 2^47", "ABOVE" },
		.count = 2,
	};

	lab_table(lab, &columns);
	for (unsigned int i = 0; i < 2; i++) {
		const uint64_t row[] = { low->step[i].index,
					 high->step[i].index };

		lab_row(lab, mmlens_level_name(low->step[i].head.level), row);
	}
}

/* Where the walks of both go on in tables of their own. */
static void part(struct lab *lab, const struct mmlens_translation *low,
		 const struct mmlens_translation *high)
{
	const struct mmlens_level *pgd[] = { step_at(low, MMLENS_LEVEL_PGD),
					     step_at(high, MMLENS_LEVEL_PGD) };
	const struct mmlens_level *p4d[] = { step_at(low, MMLENS_LEVEL_P4D),
					     step_at(high, MMLENS_LEVEL_P4D) };
	bool there = pgd[0] && pgd[1] && p4d[0] && p4d[1];

	show_apart(lab, low, high);
	lab_expect(lab, there && !pgd[0]->index && pgd[1]->index &&
		   pgd[0]->table_pfn == pgd[1]->table_pfn,
		   "The pgd's index is nine bits more, 48 to 56: entry 0 has all that four levels could reach, and this page is behind entry %u.",
		   there ? pgd[1]->index : 0);
	lab_expect(lab, there && p4d[0]->index != p4d[1]->index &&
		   p4d[0]->table_pfn != p4d[1]->table_pfn &&
		   p4d[1]->table_pfn != pgd[1]->table_pfn,
		   "p4d isn't folded: it is a level with tables of its own, one for each entry of the pgd that is in use, and does what the pgd does with four levels.");
}

static void above(struct lab *lab, uint64_t low)
{
	struct mmlens_translation t[2];
	uint64_t high;

	lab_step(lab, "A page above 2^47, which a process gets when it asks for such an address");
	high = lab_do(lab, 0, work_map_at, HIGH, 0, 0);
	look_at(lab, high + 0x123, lab->view->info->levels, LAB_PAGE);
	t[0] = lab_translate(lab, 0, low);
	t[1] = lab_translate(lab, 0, high);
	part(lab, &t[0], &t[1]);
	lab_expect(lab, low < FOUR_LEVELS && high >= FOUR_LEVELS,
		   "Only who asks gets one: the page before, without a hint, is at 0x%" PRIx64 ". Some programs keep marks of their own in the bits above.",
		   low);
}

/* It can be asked all the same. */
static void not_above(struct lab *lab, uint64_t low)
{
	const struct mmlens_info *info = lab->view->info;
	struct mmlens_translation t;
	uint64_t given;

	lab_step(lab, "A process asks for a page above 2^47");
	given = lab_do(lab, 0, work_map_at, HIGH, 0, 0);
	lab_expect(lab, given < FOUR_LEVELS,
		   "Asked for one at 0x%" PRIx64 ", the kernel gave one at 0x%" PRIx64 ": with four levels, addresses of processes end at 2^47 (128 TiB).",
		   HIGH, given);
	t = lab_translate(lab, 0, low);
	lab_expect(lab, t.steps && !step_at(&t, MMLENS_LEVEL_P4D) &&
		   !info->level_shift[MMLENS_LEVEL_P4D],
		   "p4d is folded: no table is between the pgd and the pud. The kernel's code goes through p4d_offset() on each machine, but here that gives back the pgd's entry.");
	lab_say(lab, "Five levels (a processor with la57, a kernel with CONFIG_X86_5LEVEL, and no no5lvl) would add nine bits, 48 to 56: p4d has tables of its own then, a process may have 2^56 (64 PiB), and each walk is one load longer. Run there, this shows a page above 2^47.");
}

static void high_page(struct lab *lab, uint64_t low)
{
	if (lab->view->info->levels < 5)
		not_above(lab, low);
	else
		above(lab, low);
}

/* ---- huge pages ---- */

/* One more page in the pool, if there is none to be had. */
static bool have_page(struct lab *lab, const char *size, bool grow)
{
	char path[96], value[24];
	uint64_t all;

	snprintf(path, sizeof(path), POOLS "%s/free_hugepages", size);
	if (lab_file_number(path))
		return true;
	if (!grow)
		return false;
	snprintf(path, sizeof(path), POOLS "%s/nr_hugepages", size);
	all = lab_file_number(path) + 1;
	snprintf(value, sizeof(value), "%" PRIu64, all);
	return lab_set(lab, path, value) && lab_file_number(path) == all;
}

static void huge_page(struct lab *lab, unsigned int shift, const char *pool,
		      unsigned int saved, bool grow)
{
	int64_t address;

	lab_step(lab, "A huge page of %s", shift == 21 ? "2 MiB" : "1 GiB");
	if (!have_page(lab, pool, grow)) {
		lab_say(lab, "There is none to be had (%s%s/free_hugepages is 0).%s",
			POOLS, pool, grow ? "" :
			" One is reserved at boot: hugepagesz=1G hugepages=1.");
		return;
	}
	address = lab_try(lab, 0, work_map_huge, shift, 0, 0);
	if (address < 0) {
		lab_say(lab, "There is none to be had (%s).",
			strerror((int)-address));
		return;
	}
	look_at(lab, address + 0x12345, lab->view->info->levels - saved,
		UINT64_C(1) << shift);
	lab_expect(lab, lab_entry(lab, 0, address).flags & MMLENS_PTE_LEAF,
		   "The walk ends %u level%s earlier, at an entry that is a leaf: all that stands below it in the address is the offset in the page.",
		   saved, saved == 1 ? "" : "s");
}

/* ---- TLB ---- */

/* Entries of the second level's data TLB for 4 KiB; 0: not told. */
static uint64_t tlb_entries(void)
{
#if defined(__x86_64__)
	unsigned int a, b, c, d;

	/* AMD's; the fields' order of magnitude is theirs. */
	if (__get_cpuid(0x80000006, &a, &b, &c, &d) && b >> 16 & 0xfff)
		return b >> 16 & 0xfff;
	/* Intel's: a leaf for each TLB: type in EDX, ways and sets. */
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int type;

		if (!__get_cpuid_count(0x18, i, &a, &b, &c, &d))
			break;
		type = d & 31;
		if ((type == 1 || type == 3) && (d >> 5 & 7) >= 2 && b & 1)
			return (uint64_t)(b >> 16) * c;
	}
#endif
	return 0;
}

static void reach(struct lab *lab)
{
	static const struct lab_columns columns = {
		.label = "PAGES OF",
		.name = { "ENTRIES", "REACH" },
		.unit = { LAB_COUNT, LAB_BYTES },
		.count = 2,
	};
	static const struct {
		const char *name;
		uint64_t size;
	} sizes[] = { { "4 kB", 4 * KIB }, { "2 MiB", 2 * MIB },
		      { "1 GiB", 1024 * MIB } };
	uint64_t entries = tlb_entries();

	lab_step(lab, "How far a TLB reaches");
	if (!entries)
		lab_say(lab, "The processor doesn't tell how many entries its TLB has: 1024 are an example.");
	lab_table(lab, &columns);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t n = entries ? entries : 1024;
		const uint64_t row[] = { n, n * sizes[i].size };

		lab_row(lab, sizes[i].name, row);
	}
	lab_say(lab, "What isn't in reach costs a walk; a huge page makes an entry reach 512 times as far, and the walk shorter. Real processors have fewer entries for larger pages.");
}

static void run(struct lab *lab)
{
	uint64_t low;

	lab_start(lab);
	low = small_page(lab);
	high_page(lab, low);
	huge_page(lab, 21, "2048kB", 1, true);
	huge_page(lab, 30, "1048576kB", 2, false);
	reach(lab);
}

const struct lab_experiment lab_walk = {
	.name = "walk",
	.summary = "one address through all levels, huge pages at two of them, TLB reach",
	.plan = "A process maps a page of each size, and one above 2^47 where there are five levels, and each is translated step by step. If no huge page of 2 MiB is free, the pool (nr_hugepages) has one more until this ends; one of 1 GiB is used where one is free.",
	.queries = LAB_LOOKS,
	.limit = 64 * MIB,
	.run = run,
};
