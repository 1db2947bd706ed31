// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's regions, and one page by the process's address and the kernel's. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "experiments.h"

static uint64_t bytes_of(const struct lab *lab, const struct mmlens_kmap *run)
{
	return run->count *
	       mmlens_level_size(lab->view->info, run->head.level);
}

static bool is_leaf(const struct mmlens_kmap *run)
{
	return mmlens_state(run->flags) == MMLENS_STATE_PRESENT;
}

/**
 * struct sums - What a region has mapped, in bytes.
 * @mapped:	all of it
 * @level:	by the level of the leaves
 * @wx:		what may be written to and executed
 */
struct sums {
	uint64_t mapped;
	uint64_t level[MMLENS_LEVEL_PGD + 1];
	uint64_t wx;
};

static struct sums sum_of(const struct lab *lab,
			  const struct mmlens_kernel_map *map, uint64_t start,
			  uint64_t end)
{
	struct sums s = {};

	for (size_t i = 0; i < map->count; i++) {
		const struct mmlens_kmap *run = &map->runs[i];

		if (!is_leaf(run) || run->va < start || run->va >= end)
			continue;
		s.mapped += bytes_of(lab, run);
		s.level[run->head.level] += bytes_of(lab, run);
		if (mmlens_kmap_is_wx(run))
			s.wx += bytes_of(lab, run);
	}
	return s;
}

static const struct mmlens_region *region_named(
	const struct mmlens_kernel_map *map, const char *name)
{
	for (size_t i = 0; i < map->region_count; i++)
		if (!strcmp(map->regions[i].name, name))
			return &map->regions[i];
	return NULL;
}

/* ---- steps ---- */

static void regions(struct lab *lab, const struct mmlens_kernel_map *map)
{
	static const struct lab_columns columns = {
		.label = "REGION",
		.name = { "MAPPED", "4 kB", "2 MiB", "1 GiB", "W+X" },
		.unit = { LAB_BYTES, LAB_BYTES, LAB_BYTES, LAB_BYTES,
			  LAB_BYTES },
		.count = 5,
	};
	uint64_t wx = 0;

	lab_step(lab, "The kernel's half of every address space, by region: what is mapped, by leaves of each size");
	lab_table(lab, &columns);
	for (size_t i = 0; i < map->region_count; i++) {
		const struct mmlens_region *r = &map->regions[i];
		struct sums s = sum_of(lab, map, r->start, r->end);
		const uint64_t row[] = { s.mapped, s.level[MMLENS_LEVEL_PTE],
					 s.level[MMLENS_LEVEL_PMD],
					 s.level[MMLENS_LEVEL_PUD], s.wx };

		lab_row(lab, r->name, row);
		wx += s.wx;
	}
	lab_expect(lab, !wx, "Nothing of the kernel may be written to and executed (W^X).");
}

static void direct_map(struct lab *lab, const struct mmlens_kernel_map *map)
{
	const struct mmlens_region *r = region_named(map, "direct_map");
	struct sums s;

	lab_step(lab, "The direct map: all of physical memory, at a constant offset");
	if (!r) {
		lab_fail(lab, 0, "there is no region direct_map");
		return;
	}
	s = sum_of(lab, map, r->start, r->end);
	lab_say(lab, "It has %" PRIu64 " kB mapped; MemTotal of /proc/meminfo is %" PRIu64 " kB.",
		s.mapped >> 10, lab_meminfo("MemTotal") >> 10);
	lab_expect(lab, s.mapped >= lab_meminfo("MemTotal"),
		   "All memory is mapped in it, so that the kernel reaches any page at once.");
	lab_expect(lab, s.level[MMLENS_LEVEL_PMD] + s.level[MMLENS_LEVEL_PUD] >
			s.mapped / 2,
		   "Most of it by huge leaves: few page tables and few TLB entries.");
}

/* The same page frame by two addresses. */
static void own_page(struct lab *lab, const struct mmlens_kernel_map *map)
{
	const struct mmlens_region *r = region_named(map, "direct_map");
	struct mmlens_translation user, kernel = {};
	uint64_t area, alias, bits;
	int ret;

	lab_step(lab, "A page of a process, by its own address and by the kernel's");
	area = lab_do(lab, 0, work_map, LAB_PAGE, 0, 0);
	lab_do(lab, 0, work_write, area, LAB_PAGE, LAB_PAGE);
	user = lab_translate(lab, 0, area);
	if (!lab_goes_on(lab) || !r)
		return;
	alias = r->start + user.phys;
	ret = mmlens_translate_kernel(lab->lens, alias, false, &kernel);
	if (ret) {
		lab_fail(lab, ret, "the direct map");
		return;
	}
	lab_show_translation(lab, &user);
	lab_show_translation(lab, &kernel);
	bits = lab_pagemap(lab_pid(lab, 0), area);
	lab_pair(lab, "PFN of the process's page", "/proc/PID/pagemap", LAB_PFN,
		 user.phys / LAB_PAGE, PAGEMAP_PFN(bits), 0);
	lab_expect(lab, kernel.mapped && kernel.phys == user.phys,
		   "Both lead to physical 0x%" PRIx64 ": the kernel's address is 0x%" PRIx64 " (where the direct map begins) + that.",
		   user.phys, (uint64_t)r->start);
	lab_expect(lab, user.user && !kernel.user && kernel.rw && kernel.nx,
		   "By one the process may access it; the other is the kernel's alone: readable, writable, never executable.");
}

static void run(struct lab *lab)
{
	struct mmlens_kernel_map *map;

	lab_start(lab);
	map = mmlens_kernel_map_read(lab->lens, 0, 0, false);
	if (!map && errno == EOPNOTSUPP)
		lab_cannot(lab, "the kernel's page table can't be read in a Xen PV guest");
	if (!map) {
		lab_fail(lab, errno, "the kernel's page table");
		return;
	}
	regions(lab, map);
	direct_map(lab, map);
	own_page(lab, map);
	mmlens_kernel_map_free(map);
}

const struct lab_experiment lab_kernelmap = {
	.name = "kernelmap",
	.summary = "the kernel's regions, and the direct map of one's own page",
	.plan = "The kernel's page table is walked; then a process writes one page, and it is looked for in the direct map.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_KMAP),
	.limit = 16 * MIB,
	.run = run,
};
