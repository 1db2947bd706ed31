// SPDX-License-Identifier: GPL-2.0-only
/* Where the kernel's stacks of threads land, in the ledger and in its map. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"

#define THREADS	256
/* Of the kernel, on x86-64: 16 KiB; more with KASAN. */
#define STACK	(16 * KIB)
#define USER_STACK (16 * KIB)

static int hold[2];

/* It waits until there is nobody left who could write. */
static int wait_for_end(void *argument)
{
	char byte;

	(void)argument;
	while (read(hold[0], &byte, 1) > 0)
		;
	return 0;
}

static int64_t work_threads(uint64_t count, uint64_t b, uint64_t c)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM;
	char *stacks = mmap(NULL, count * USER_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)b;
	(void)c;
	if (stacks == MAP_FAILED || pipe(hold))
		return -errno;
	for (uint64_t i = 0; i < count; i++)
		if (clone(wait_for_end, stacks + (i + 1) * USER_STACK, flags,
			  NULL) < 0)
			return -errno;
	return 0;
}

static int64_t work_end_threads(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	return close(hold[1]) ? -errno : 0;
}

/* ---- looks ---- */

/**
 * struct look - What the kernel has mapped for itself.
 * @ledger:	pages in that bucket
 * @used:	VmallocUsed
 * @stacks:	KernelStack
 * @areas:	lines of /proc/vmallocinfo
 * @mapped:	pages in the region vmalloc of the kernel's page table
 */
struct look {
	uint64_t ledger;
	uint64_t used;
	uint64_t stacks;
	uint64_t areas;
	uint64_t mapped;
};

static uint64_t areas(void)
{
	char *text = lab_file("/proc/vmallocinfo"), *at = text;
	uint64_t n = 0;

	while (at && (at = strchr(at, '\n'))) {
		n++;
		at++;
	}
	free(text);
	return n;
}

static uint64_t in_region(struct lab *lab)
{
	struct mmlens_kernel_map *map;
	uint64_t pages = 0;

	if (!lab_goes_on(lab))
		return 0;
	map = mmlens_kernel_map_read(lab->lens, 0, 0, false);
	if (!map) {
		lab_fail(lab, errno, "the kernel's page table");
		return 0;
	}
	for (size_t i = 0; i < map->count; i++) {
		const struct mmlens_kmap *run = &map->runs[i];
		const struct mmlens_region *r =
			mmlens_kernel_map_region(map, run->va);

		if (r && !strcmp(r->name, "vmalloc") &&
		    mmlens_state(run->flags) == MMLENS_STATE_PRESENT)
			pages += run->count *
				 mmlens_level_size(lab->view->info,
						   run->head.level) / LAB_PAGE;
	}
	mmlens_kernel_map_free(map);
	return pages;
}

static struct look look_at(struct lab *lab)
{
	struct look l = {};

	/* Stacks of threads that have ended go after a moment. */
	lab_sleep(lab, 1);
	l.used = lab_meminfo("VmallocUsed");
	l.stacks = lab_meminfo("KernelStack");
	l.areas = areas();
	l.ledger = lab_in_ledger(lab, MMLENS_LEDGER_VMALLOC);
	l.mapped = in_region(lab);
	return l;
}

static void show(struct lab *lab, const struct look *a, const struct look *b)
{
	lab_number(lab, "KernelStack", "/proc/meminfo", LAB_BYTES, a->stacks,
		   b->stacks);
	lab_number(lab, "VmallocUsed", "/proc/meminfo", LAB_BYTES, a->used,
		   b->used);
	lab_number(lab, "areas", "/proc/vmallocinfo", LAB_COUNT,
		   a->areas, b->areas);
	lab_number(lab, "pages in the ledger's vmalloc", NULL, LAB_PAGES,
		   a->ledger, b->ledger);
	lab_number(lab, "pages mapped in the region vmalloc", NULL, LAB_PAGES,
		   a->mapped, b->mapped);
}

static void run(struct lab *lab)
{
	struct look before, during, after;
	uint64_t grown, pages = THREADS * STACK / LAB_PAGE;

	lab_start(lab);
	lab_step(lab, "A process starts %d threads", THREADS);
	before = look_at(lab);
	lab_do(lab, 0, work_threads, THREADS, 0, 0);
	during = look_at(lab);
	show(lab, &before, &during);
	grown = during.ledger > before.ledger ?
		during.ledger - before.ledger : 0;
	lab_expect(lab, during.stacks - before.stacks >= THREADS * STACK,
		   "The kernel has a stack of its own for each: %" PRIu64 " kB more in all.",
		   (during.stacks - before.stacks) >> 10);
	if (grown < pages / 2)
		lab_say(lab, "Does this kernel map its stacks (CONFIG_VMAP_STACK)?");
	/* A CPU may have kept two from threads before. */
	lab_expect(lab, grown >= pages - pages / 8,
		   "%" PRIu64 " pages more are in the ledger's bucket vmalloc: single pages, that needn't be neighbours, mapped in a row with a guard page behind.",
		   grown);
	lab_expect(lab, during.mapped - before.mapped >= pages - pages / 8,
		   "The kernel's page table maps them in the region vmalloc; they are in the direct map as well, like all memory.");

	lab_step(lab, "They end");
	lab_do(lab, 0, work_end_threads, 0, 0, 0);
	after = look_at(lab);
	show(lab, &during, &after);
	lab_expect(lab, after.stacks < during.stacks &&
		   during.stacks - after.stacks >= THREADS * STACK / 2 &&
		   during.ledger - after.ledger >= pages / 2,
		   "The stacks are freed, and their pages leave the bucket. The kernel may take back the addresses later (lazily).");
}

const struct lab_experiment lab_vmalloc = {
	.name = "vmalloc",
	.summary = "where the kernel's stacks of threads land in the ledger and in its map",
	.plan = "A process starts 256 threads, which wait and end. All page frames and the kernel's page table are looked at before and after.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_PAGES) |
		   LAB_QUERY(MMLENS_NR_FREE) | LAB_QUERY(MMLENS_NR_KMAP),
	.limit = 64 * MIB,
	.run = run,
};
