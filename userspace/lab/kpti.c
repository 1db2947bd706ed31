// SPDX-License-Identifier: GPL-2.0-only
/* Page-table isolation: the two page tables of one process side by side. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments.h"

#define MELTDOWN	"/sys/devices/system/cpu/vulnerabilities/meltdown"
#define RAW_NX		(1ull << 63)

static uint64_t mapped_in(const struct lab *lab,
			  const struct mmlens_kernel_map *map, uint64_t start,
			  uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mmlens_kmap *run = &map->runs[i];

		if (mmlens_state(run->flags) == MMLENS_STATE_PRESENT &&
		    run->va >= start && run->va < end)
			sum += run->count *
			       mmlens_level_size(lab->view->info,
						 run->head.level);
	}
	return sum;
}

/* Region by region, what either table maps. */
static void side_by_side(struct lab *lab, const struct mmlens_kernel_map *kernel,
			 const struct mmlens_kernel_map *user)
{
	static const struct lab_columns columns = {
		.label = "REGION",
		.name = { "IN KERNEL", "IN USER" },
		.unit = { LAB_BYTES, LAB_BYTES },
		.count = 2,
	};
	uint64_t all[2] = {};

	lab_step(lab, "What of the kernel is mapped while it runs, and while the process does");
	lab_table(lab, &columns);
	for (size_t i = 0; i < kernel->region_count; i++) {
		const struct mmlens_region *r = &kernel->regions[i];
		const uint64_t row[] = {
			mapped_in(lab, kernel, r->start, r->end),
			mapped_in(lab, user, r->start, r->end),
		};

		lab_row(lab, r->name, row);
		all[0] += row[0];
		all[1] += row[1];
	}
	lab_row(lab, "total", all);
	lab_expect(lab, all[1] && all[1] * 10 < all[0],
		   "In user mode nearly nothing of the kernel is mapped (%" PRIu64 " kB of %" PRIu64 " kB): what is needed to enter it. What isn't mapped can't be read by speculation either.",
		   all[1] >> 10, all[0] >> 10);
}

static struct mmlens_translation kernel_address(struct lab *lab,
						uint64_t address, bool user)
{
	struct mmlens_translation t = {};
	int ret;

	if (!lab_goes_on(lab))
		return t;
	ret = mmlens_translate_kernel(lab->lens, address, user, &t);
	if (ret)
		lab_fail(lab, ret, "the kernel's page table");
	return t;
}

/* A page of the process, in the direct map of either table. */
static void direct_map(struct lab *lab, const struct mmlens_kernel_map *kernel,
		       uint64_t area)
{
	struct mmlens_translation own = lab_translate(lab, 0, area), t[2];
	uint64_t start = 0;

	for (size_t i = 0; i < kernel->region_count; i++)
		if (!strcmp(kernel->regions[i].name, "direct_map"))
			start = kernel->regions[i].start;
	lab_step(lab, "A page of the process, by the kernel's address in the direct map");
	t[0] = kernel_address(lab, start + own.phys, false);
	t[1] = kernel_address(lab, start + own.phys, true);
	lab_say(lab, "By the kernel's table:");
	lab_show_translation(lab, &t[0]);
	lab_say(lab, "By user mode's table:");
	lab_show_translation(lab, &t[1]);
	lab_expect(lab, t[0].mapped && t[0].phys == own.phys && !t[1].mapped,
		   "The kernel's table has it, user mode's hasn't: the direct map, which is all of memory, isn't there while the process runs.");
	lab_expect(lab, t[1].steps && t[0].steps &&
		   t[1].step[0].table_pfn == t[0].step[0].table_pfn + 1,
		   "The two top tables are neighbours (PFN 0x%llx and 0x%llx): to change between them, one bit of CR3 is flipped.",
		   t[0].steps ? (unsigned long long)t[0].step[0].table_pfn : 0,
		   t[1].steps ? (unsigned long long)t[1].step[0].table_pfn : 0);
}

/* The entry code, which both need. */
static void entry_code(struct lab *lab, const struct mmlens_kernel_map *user)
{
	const struct mmlens_kmap *run = NULL;
	struct mmlens_translation t[2];

	lab_step(lab, "A page of code that both have");
	for (size_t i = 0; !run && i < user->count; i++)
		if (mmlens_state(user->runs[i].flags) ==
		    MMLENS_STATE_PRESENT &&
		    !(user->runs[i].flags & MMLENS_PTE_NX))
			run = &user->runs[i];
	if (!run) {
		lab_fail(lab, 0, "user mode's table has no code of the kernel");
		return;
	}
	t[0] = kernel_address(lab, run->va, false);
	t[1] = kernel_address(lab, run->va, true);
	lab_show_translation(lab, &t[0]);
	lab_show_translation(lab, &t[1]);
	lab_expect(lab, t[0].mapped && t[1].mapped && t[0].phys == t[1].phys,
		   "Both tables map it to the same page: a system call begins there, and the first that it does is to load the kernel's table.");
}

/* The kernel's copy of the process's part can't be executed. */
static void user_half(struct lab *lab, uint64_t area)
{
	struct mmlens_translation t = lab_translate(lab, 0, area);

	lab_step(lab, "The process's own half, in the kernel's table");
	lab_show_translation(lab, &t);
	lab_expect(lab, t.steps && t.step[0].raw & RAW_NX,
		   "The kernel's table maps all of the process, but the top entry has NX: if the kernel ever returned with the wrong table, the process couldn't run.");
}

static void cannot(struct lab *lab)
{
	char *text = lab_file(MELTDOWN);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	lab_cannot(lab, "page-table isolation is off (%s: %s; the boot parameter pti=on switches it on)",
		   MELTDOWN, text ? text : "isn't there");
	free(text);
}

static void run(struct lab *lab)
{
	struct mmlens_kernel_map *kernel, *user;
	uint64_t area;

	user = mmlens_kernel_map_read(lab->lens, 0, 0, true);
	if (!user && errno == EOPNOTSUPP) {
		cannot(lab);
		return;
	}
	kernel = mmlens_kernel_map_read(lab->lens, 0, 0, false);
	if (!user || !kernel) {
		lab_fail(lab, errno, "the kernel's page table");
		goto out;
	}
	lab_start(lab);
	area = lab_do(lab, 0, work_map, LAB_PAGE, 0, 0);
	lab_do(lab, 0, work_write, area, LAB_PAGE, LAB_PAGE);
	side_by_side(lab, kernel, user);
	direct_map(lab, kernel, area);
	entry_code(lab, user);
	user_half(lab, area);
out:
	mmlens_kernel_map_free(kernel);
	mmlens_kernel_map_free(user);
}

const struct lab_experiment lab_kpti = {
	.name = "kpti",
	.summary = "page-table isolation: the kernel's and user mode's page table side by side",
	.plan = "The kernel's half of both page tables is walked, and one page of a process is looked for in each.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_KMAP),
	.limit = 16 * MIB,
	.run = run,
};
