// SPDX-License-Identifier: GPL-2.0-only
/* A node's free memory in pieces, and compacted. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"

#define MOST	(512 * MIB)
#define LEAST	(64 * MIB)
/* Blocks of a huge page and larger. */
#define LARGE	9
#define ORDERS	16

/*
 * Of two buddies one is given back, and which one is as good as chance: where
 * compaction looks for free pages, each block without any has it take larger steps
 * through the next one, of up to 32 pages from the block's start on
 * (isolate_freepages() of mm/compaction.c), and with all odd or all even ones it
 * may find none.
 */
static bool is_given_back(uint64_t pfn)
{
	uint64_t scattered = (pfn >> 1) * 0x9e3779b97f4a7c15;

	return (scattered >> 63) == (pfn & 1);
}

static int64_t work_perforate(uint64_t address, uint64_t size, uint64_t c)
{
	const int self = getpid();

	(void)c;
	for (uint64_t i = 0; i < size; i += LAB_PAGE) {
		if (!is_given_back(lab_pagemap(self, address + i)))
			continue;
		if (madvise((void *)(uintptr_t)(address + i), LAB_PAGE,
			    MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

/* ---- looks ---- */

/**
 * struct look - The free blocks of a node.
 * @blocks:	by order
 * @free:	pages in them
 * @large:	pages in blocks of order LARGE and above
 */
struct look {
	uint64_t blocks[ORDERS];
	uint64_t free;
	uint64_t large;
};

static void add_zone(struct look *l, const struct mmlens_zone_state *z)
{
	for (size_t order = 0; order < z->free.count && order < ORDERS;
	     order++) {
		uint64_t pages = z->free.value[order] << order;

		l->blocks[order] += z->free.value[order];
		l->free += pages;
		l->large += order >= LARGE ? pages : 0;
	}
}

static struct look look_of(const struct mmlens_node_state *node)
{
	struct look l = {};

	for (size_t i = 0; i < node->zone_count; i++)
		add_zone(&l, &node->zones[i]);
	return l;
}

static struct mmlens_zones *read_zones(struct lab *lab)
{
	struct mmlens_zones *zones;

	if (!lab_goes_on(lab))
		return NULL;
	zones = mmlens_zones_read(lab->lens);
	if (!zones)
		lab_fail(lab, errno, "zones");
	return zones;
}

static struct look look_at(struct lab *lab, uint32_t node)
{
	struct mmlens_zones *zones = read_zones(lab);
	struct look l = {};

	for (size_t i = 0; zones && i < zones->count; i++)
		if (zones->nodes[i].node.node == node)
			l = look_of(&zones->nodes[i]);
	mmlens_zones_free(zones);
	return l;
}

/* Free blocks of an order on a node, by /proc/buddyinfo. */
static uint64_t in_buddyinfo(uint32_t node, unsigned int order)
{
	char *text = lab_file("/proc/buddyinfo"), *save, *line, *at;
	uint64_t sum = 0;
	unsigned int of;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		int used = 0;

		if (sscanf(line, "Node %u, zone %*s%n", &of, &used) != 1 ||
		    of != node || !used)
			continue;
		at = line + used;
		for (unsigned int i = 0; i < order; i++)
			strtoull(at, &at, 10);
		sum += strtoull(at, NULL, 10);
	}
	free(text);
	return sum;
}

static void show(struct lab *lab, const struct look *looks, size_t count)
{
	static const struct lab_columns columns = {
		.label = "FREE BLOCKS OF ORDER",
		.name = { "before", "taken", "perforated", "compacted",
			  "given back" },
		.count = 5,
	};
	struct lab_columns shown = columns;
	char name[8];

	shown.count = count;
	lab_table(lab, &shown);
	for (unsigned int order = 0; order < ORDERS; order++) {
		uint64_t row[5], any = 0;

		for (size_t i = 0; i < count; i++)
			any |= row[i] = looks[i].blocks[order];
		snprintf(name, sizeof(name), "%u", order);
		if (any || order <= 10)
			lab_row(lab, name, row);
	}
	/* The heading goes with this function. */
	lab_say(lab, "In blocks of order %d and above: %" PRIu64 " MiB of %" PRIu64 " MiB that are free.",
		LARGE, looks[count - 1].large * LAB_PAGE / MIB,
		looks[count - 1].free * LAB_PAGE / MIB);
}

/* ---- steps ---- */

/* The node with the most free memory, and how much of that is taken. */
static uint64_t choose(struct lab *lab, uint32_t *node)
{
	struct mmlens_zones *zones = read_zones(lab);
	uint64_t most = 0, size;

	*node = 0;
	for (size_t i = 0; zones && i < zones->count; i++) {
		struct look l = look_of(&zones->nodes[i]);

		if (l.free > most) {
			most = l.free;
			*node = zones->nodes[i].node.node;
		}
	}
	mmlens_zones_free(zones);
	size = most * LAB_PAGE / 2 & ~(2 * MIB - 1);
	if (size > MOST)
		size = MOST;
	if (lab_goes_on(lab) && size < LEAST)
		lab_cannot(lab, "no node has 128 MiB free");
	return size;
}

static void compact_once(struct lab *lab, uint32_t node)
{
	char path[80];

	if (!lab_goes_on(lab))
		return;
	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%" PRIu32 "/compact", node);
	if (!lab_write(path, "1") &&
	    !lab_write("/proc/sys/vm/compact_memory", "1"))
		lab_cannot(lab, "this kernel can't be asked to compact memory");
}

/* It may give up long before its scanners meet: until it gets no further. */
static struct look compact(struct lab *lab, uint32_t node, unsigned int *runs)
{
	uint64_t least = UINT64_MAX;
	double end = lab_now() + 30;
	struct look now = {};
	unsigned int idle = 0;

	for (*runs = 0; idle < 3 && lab_goes_on(lab) && lab_now() < end;
	     ++*runs) {
		compact_once(lab, node);
		now = look_at(lab, node);
		idle = now.blocks[0] < least ? 0 : idle + 1;
		least = now.blocks[0] < least ? now.blocks[0] : least;
	}
	return now;
}

static void take(struct lab *lab, uint32_t node, uint64_t area, uint64_t size,
		 struct look *looks)
{
	lab_step(lab, "A process takes %" PRIu64 " MiB of node %" PRIu32 ", page by page",
		 size / MIB, node);
	lab_do(lab, 0, work_bind, node, 0, 0);
	lab_do(lab, 0, work_write, area, size, LAB_PAGE);
	looks[1] = look_at(lab, node);
	show(lab, looks, 2);
	lab_expect(lab, looks[0].large > looks[1].large &&
		   (looks[0].large - looks[1].large) * LAB_PAGE >= size / 2,
		   "Pages were cut from the largest blocks: %" PRIu64 " MiB of order %d and above are gone.",
		   (looks[0].large - looks[1].large) * LAB_PAGE / MIB, LARGE);
}

static void perforate(struct lab *lab, uint32_t node, uint64_t area,
		      uint64_t size, struct look *looks)
{
	uint64_t freed;

	lab_step(lab, "It gives back one page of each two buddies: about %" PRIu64 " MiB, in pieces of 4 kB",
		 size / 2 / MIB);
	lab_do(lab, 0, work_perforate, area, size, 0);
	looks[2] = look_at(lab, node);
	show(lab, looks, 3);
	lab_pair(lab, "free blocks of order 0", "/proc/buddyinfo", LAB_COUNT,
		 looks[2].blocks[0], in_buddyinfo(node, 0),
		 looks[2].blocks[0] / 20 + 64);
	freed = (looks[2].free - looks[1].free) * LAB_PAGE;
	lab_expect(lab, freed >= size / 4 &&
		   (looks[2].large < looks[1].large ||
		    (looks[2].large - looks[1].large) * LAB_PAGE < size / 8),
		   "%" PRIu64 " MiB more are free, but none of it in large blocks: each free page's buddy is in use. An order of %d can't be had from this memory, however much is free.",
		   freed / MIB, LARGE);
}

static void repair(struct lab *lab, uint32_t node, uint64_t area, uint64_t size,
		   struct look *looks)
{
	struct mmlens_entry *before = lab_entries(lab, 0, area, size), *after;
	uint64_t moved = 0, kept = 0, grown;
	unsigned int runs;

	lab_step(lab, "The kernel is asked to compact the node (1 to its file compact), until it gets no further");
	looks[3] = compact(lab, node, &runs);
	after = lab_entries(lab, 0, area, size);
	for (uint64_t i = 0; before && after && i < size / LAB_PAGE; i++) {
		if (!kept && lab_is_present(&before[i]))
			kept = i;
		moved += lab_is_present(&before[i]) &&
			 lab_is_present(&after[i]) &&
			 before[i].value != after[i].value;
	}
	show(lab, looks, 4);
	if (before && after)
		lab_show_entry(lab, "a page that stayed in use",
			       area + kept * LAB_PAGE, &before[kept],
			       &after[kept]);
	lab_say(lab, "It was asked %u times.", runs);
	grown = looks[3].large > looks[2].large ?
		looks[3].large - looks[2].large : 0;
	lab_expect(lab, looks[3].blocks[0] < looks[2].blocks[0],
		   "%" PRIu64 " free pages found their buddies: they are in larger blocks, %" PRIu64 " MiB of them in blocks of order %d and above.",
		   looks[2].blocks[0] - looks[3].blocks[0],
		   grown * LAB_PAGE / MIB, LARGE);
	if (grown * LAB_PAGE < size / 16)
		lab_say(lab, "This kernel's compaction gave up long before all was compact.");
	lab_expect(lab, moved,
		   "%" PRIu64 " of the process's pages have another PFN: they were copied to one end, and the process noticed nothing.",
		   moved);
	free(before);
	free(after);
}

static void give_back(struct lab *lab, uint32_t node, uint64_t area,
		      uint64_t size, struct look *looks)
{
	lab_step(lab, "The process gives back the rest");
	lab_do(lab, 0, work_unmap, area, size, 0);
	looks[4] = look_at(lab, node);
	show(lab, looks, 5);
	lab_expect(lab, looks[4].large >= looks[0].large - looks[0].large / 8,
		   "The orders are back: each page that is freed merges with its buddy if that is free, and the two with theirs.");
}

/* What a CPU keeps is on no list of free blocks, and may be a tenth of a zone. */
static void keep_lists_short(struct lab *lab)
{
	static const char *const paths[] = {
		"/proc/sys/vm/percpu_pagelist_high_fraction",
		"/proc/sys/vm/percpu_pagelist_fraction",	/* before 5.14 */
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (lab_set(lab, paths[i], "1000000"))
			return;
}

static void run(struct lab *lab)
{
	struct look looks[5] = {};
	uint64_t size, area;
	uint32_t node;

	keep_lists_short(lab);
	lab_start(lab);
	size = choose(lab, &node);
	area = lab_do(lab, 0, work_map, size, 0, 0);
	looks[0] = look_at(lab, node);
	take(lab, node, area, size, looks);
	perforate(lab, node, area, size, looks);
	repair(lab, node, area, size, looks);
	give_back(lab, node, area, size, looks);
}

const struct lab_experiment lab_buddy = {
	.name = "buddy",
	.summary = "a node's free memory is fragmented, and compacted",
	.plan = "A process takes half of the free memory of the node that has most of it, but no more than 512 MiB, gives back one page of each two buddies, and the kernel is asked to compact that node. This touches the whole machine: while it goes on, others have that much less memory, and pages of theirs are moved. It is the first to be killed if memory runs out. Until this ends CPUs keep few free pages for themselves (vm.percpu_pagelist_high_fraction).",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_ZONES),
	.run = run,
};
