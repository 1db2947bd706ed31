// SPDX-License-Identifier: GPL-2.0-only
/* Watermarks, kswapd, and which memory reclaim prefers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "experiments.h"

#define CHUNK	(16 * MIB)
/* More than that isn't filled. */
#define MOST	(UINT64_C(16) << 30)
/* How much is read once kswapd has begun. */
#define AFTER	(8 * CHUNK)
/* What is shown of the time before. */
#define ROWS	12

#define SWAPPINESS "/proc/sys/vm/swappiness"
#define GENERATIONS "/sys/kernel/mm/lru_gen/enabled"
#define PART	(16 * MIB)

/* ---- looks ---- */

/**
 * struct moment - A node and what its kswapd has done; pages.
 * @managed:	of its largest zone, as what follows
 * @free:	free
 * @min:	watermarks
 * @low:	likewise
 * @high:	likewise
 * @all:	free in all zones of the node
 * @runs:	kswapd doesn't sleep
 * @woken:	how often kswapd has balanced nodes
 * @scanned:	pages that kswapd has looked at
 * @reclaimed:	pages that it has reclaimed
 * @stalls:	how often a process had to reclaim itself
 */
struct moment {
	uint64_t managed;
	uint64_t free;
	uint64_t min;
	uint64_t low;
	uint64_t high;
	uint64_t all;
	bool runs;
	uint64_t woken;
	uint64_t scanned;
	uint64_t reclaimed;
	uint64_t stalls;
};

static void add_node(struct moment *m, const struct mmlens_node_state *node)
{
	m->runs = !(node->node.flags & MMLENS_NODE_KSWAPD_SLEEPS);
	for (size_t i = 0; i < node->zone_count; i++) {
		const struct mmlens_zone *z = &node->zones[i].zone;

		m->all += z->free;
		if (z->managed <= m->managed)
			continue;
		m->managed = z->managed;
		m->free = z->free;
		m->min = z->min;
		m->low = z->low;
		m->high = z->high;
	}
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

static struct moment look_at(struct lab *lab, uint32_t node)
{
	struct moment m = {
		.woken = lab_vmstat("pageoutrun"),
		.scanned = lab_vmstat("pgscan_kswapd"),
		.reclaimed = lab_vmstat("pgsteal_kswapd"),
		.stalls = lab_vmstat("allocstall_dma32") +
			  lab_vmstat("allocstall_normal") +
			  lab_vmstat("allocstall_movable"),
	};
	struct mmlens_zones *zones = read_zones(lab);

	for (size_t i = 0; zones && i < zones->count; i++)
		if (zones->nodes[i].node.node == node)
			add_node(&m, &zones->nodes[i]);
	mmlens_zones_free(zones);
	return m;
}

/* The node that is filled soonest. */
static uint32_t choose(struct lab *lab)
{
	struct mmlens_zones *zones = read_zones(lab);
	uint64_t least = UINT64_MAX;
	uint32_t node = 0;

	for (size_t i = 0; zones && i < zones->count; i++) {
		struct moment m = {};

		add_node(&m, &zones->nodes[i]);
		/* Without memory, or nearly. */
		if (m.all * LAB_PAGE < 4 * CHUNK || m.all >= least)
			continue;
		least = m.all;
		node = zones->nodes[i].node.node;
	}
	mmlens_zones_free(zones);
	if (lab_goes_on(lab) && least == UINT64_MAX)
		lab_cannot(lab, "no node has 64 MiB free");
	if (lab_goes_on(lab) && least * LAB_PAGE > MOST)
		lab_cannot(lab, "every node has more than %" PRIu64 " GiB free: to fill one takes long",
			   MOST >> 30);
	return node;
}

static void show_zones(struct lab *lab, uint32_t node)
{
	static const struct lab_columns columns = {
		.label = "ZONE (pages)",
		.name = { "free", "min", "low", "high" },
		.count = 4,
	};
	struct mmlens_zones *zones = read_zones(lab);

	lab_table(lab, &columns);
	for (size_t i = 0; zones && i < zones->count; i++) {
		const struct mmlens_node_state *n = &zones->nodes[i];

		for (size_t j = 0; j < n->zone_count; j++) {
			const struct mmlens_zone *z = &n->zones[j].zone;
			const uint64_t row[] = { z->free, z->min, z->low,
						 z->high };

			if (n->node.node == node &&
			    z->flags & MMLENS_ZONE_POPULATED)
				lab_row(lab, z->name, row);
		}
	}
	mmlens_zones_free(zones);
}

/* ---- watermarks ---- */

static void open_plot(struct lab *lab, size_t moments)
{
	struct plot_panel *panel;

	lab_plot_begin(lab, moments, "page cache fills a node");
	panel = lab_plot_panel(lab, "free in the largest zone of the node, and its watermarks");
	lab_plot_series(lab, panel, "free", PLOT_LINE, PLOT_BLUE);
	lab_plot_series(lab, panel, "high", PLOT_DASHED, PLOT_GREEN);
	lab_plot_series(lab, panel, "low", PLOT_DASHED, PLOT_ORANGE);
	lab_plot_series(lab, panel, "min", PLOT_DASHED, PLOT_RED);
	panel = lab_plot_panel(lab, "reclaimed by kswapd");
	lab_plot_series(lab, panel, "reclaimed", PLOT_AREA, PLOT_SKY);
}

static void note(struct lab *lab, const struct moment *m,
		 const struct moment *first)
{
	const double page = LAB_PAGE;
	const double values[] = {
		m->free * page, m->high * page, m->low * page, m->min * page,
		(m->reclaimed - first->reclaimed) * page,
	};

	lab_plot_note(lab, values);
}

static void put_row(struct lab *lab, uint64_t read, const struct moment *m,
		    const struct moment *first)
{
	const uint64_t row[] = {
		read, m->free, m->runs, m->scanned - first->scanned,
		m->reclaimed - first->reclaimed, m->stalls - first->stalls,
	};

	lab_row(lab, NULL, row);
}

/* Return: the least that was free. */
static uint64_t fill(struct lab *lab, uint32_t node, int fd, uint64_t size,
		     const struct moment *first, struct moment *last)
{
	static const struct lab_columns columns = {
		.name = { "READ", "FREE PAGES", "kswapd runs", "scanned",
			  "reclaimed", "stalls" },
		.unit = { LAB_BYTES },
		.count = 6,
	};
	uint64_t every = size / CHUNK / ROWS + 1, left = AFTER;
	uint64_t least = first->free;

	lab_table(lab, &columns);
	*last = *first;
	for (uint64_t at = 0; at < size && left && lab_goes_on(lab);
	     at += CHUNK) {
		bool begun = last->reclaimed > first->reclaimed;

		lab_do(lab, 0, work_read_file, fd, at, CHUNK);
		*last = look_at(lab, node);
		note(lab, last, first);
		least = last->free < least ? last->free : least;
		if (begun || !(at / CHUNK % every) ||
		    last->reclaimed > first->reclaimed)
			put_row(lab, at + CHUNK, last, first);
		if (!begun && last->reclaimed > first->reclaimed)
			lab_plot_mark(lab, "kswapd reclaims");
		left -= begun ? CHUNK : 0;
	}
	return least;
}

static void watermarks(struct lab *lab)
{
	struct moment first, last;
	uint64_t size, least;
	uint32_t node = choose(lab);
	int fd;

	first = look_at(lab, node);
	size = first.all * LAB_PAGE + 64 * CHUNK;
	open_plot(lab, size / CHUNK + 1);
	fd = lab_make_file(lab, "file", size);
	lab_start(lab);
	lab_step(lab, "Node %" PRIu32 ", and its zones' watermarks", node);
	show_zones(lab, node);
	lab_say(lab, "Below low, whoever allocates wakes kswapd, which reclaims until free memory is above high; below min, he has to reclaim himself, and waits for it.");
	lab_step(lab, "A process reads a file of %" PRIu64 " MiB: page cache fills the node",
		 size / MIB);
	lab_do(lab, 0, work_bind, node, 0, 0);
	least = fill(lab, node, fd, size, &first, &last);
	lab_number(lab, "pgscan_kswapd", "/proc/vmstat", LAB_PAGES,
		   first.scanned, last.scanned);
	lab_number(lab, "pgsteal_kswapd", "/proc/vmstat", LAB_PAGES,
		   first.reclaimed, last.reclaimed);
	lab_number(lab, "pageoutrun", "/proc/vmstat", LAB_COUNT, first.woken,
		   last.woken);
	lab_expect(lab, last.woken > first.woken && last.reclaimed >
							     first.reclaimed,
		   "kswapd was woken and reclaimed %" PRIu64 " MiB.",
		   (last.reclaimed - first.reclaimed) * LAB_PAGE / MIB);
	/* Within a chunk, and what is kept for allocations of other zones. */
	lab_expect(lab, least <= first.high + 2 * CHUNK / LAB_PAGE &&
		   least * 2 > first.min,
		   "Free memory of the largest zone fell to the watermarks (%" PRIu64 " pages at the least; min %" PRIu64 ", low %" PRIu64 ", high %" PRIu64 ") and stays about there: what isn't free is used as page cache, and made free when it is needed.",
		   least, first.min, first.low, first.high);
	lab_expect(lab, last.stalls - first.stalls <
			(last.reclaimed - first.reclaimed) / 32 + 1,
		   "Processes had to reclaim themselves %" PRIu64 " times: kswapd did nearly all of it.",
		   last.stalls - first.stalls);
	/* The page cache goes with the file. */
	lab_workers_end(lab);
	if (fd >= 0)
		close(fd);
}

/* ---- swappiness ---- */

/**
 * struct taken - What reclaim took, in bytes.
 * @anon:	of anonymous memory
 * @file:	of page cache
 */
struct taken {
	uint64_t anon;
	uint64_t file;
};

static uint64_t less(uint64_t before, uint64_t after)
{
	return before > after ? before - after : 0;
}

/* As much of either kind, then a half of it all is reclaimed. */
static struct taken reclaim_with(struct lab *lab, const char *swappiness)
{
	struct taken before, after, taken = {};
	int fd = lab_make_file(lab, swappiness, PART);
	uint64_t area;

	if (!lab_set(lab, SWAPPINESS, swappiness))
		lab_fail(lab, errno, SWAPPINESS);
	lab_start(lab);
	area = lab_do(lab, 0, work_map, PART, 0, 0);
	lab_do(lab, 0, work_fill, area, PART, 1);
	/* Twice: what was read once would be taken before anything else. */
	for (int i = 0; i < 3; i++)
		lab_do(lab, 0, work_read_file, fd, 0, PART);
	before = (struct taken) { lab_group_stat(lab, "anon"),
				  lab_group_stat(lab, "file") };
	lab_group_reclaim(lab, PART);
	/* The kernel's sums may lag by two seconds. */
	lab_sleep(lab, 2.2);
	after = (struct taken) { lab_group_stat(lab, "anon"),
				 lab_group_stat(lab, "file") };
	taken.anon = less(before.anon, after.anon);
	taken.file = less(before.file, after.file);
	lab_workers_end(lab);
	if (fd >= 0)
		close(fd);
	return taken;
}

static void preferences(struct lab *lab)
{
	static const struct lab_columns columns = {
		.label = "SWAPPINESS",
		.name = { "swapped out", "cache taken" },
		.unit = { LAB_BYTES, LAB_BYTES },
		.count = 2,
	};
	struct taken low, high;
	uint64_t rows[2][2];

	lab_step(lab, "16 MiB of anonymous memory and 16 MiB of page cache, of which 16 MiB are reclaimed, with vm.swappiness 10 and then 200");
	if (lab->group.kind != LAB_GROUP_V2) {
		lab_say(lab, "It takes a memory cgroup of version 2, which isn't to be had here.");
		return;
	}
	lab_need_swap(lab, 2 * PART);
	/* Generations go by age first: as much of either is as old here. */
	lab_set(lab, GENERATIONS, "0");
	low = reclaim_with(lab, "10");
	high = reclaim_with(lab, "200");
	rows[0][0] = low.anon;
	rows[0][1] = low.file;
	rows[1][0] = high.anon;
	rows[1][1] = high.file;
	lab_table(lab, &columns);
	lab_row(lab, "10", rows[0]);
	lab_row(lab, "200", rows[1]);
	lab_expect(lab, high.anon > low.anon && high.file < low.file,
		   "swappiness says what reclaim prefers: the higher, the more anonymous memory is swapped out, and the more page cache is kept.");
}

static void run(struct lab *lab)
{
	watermarks(lab);
	preferences(lab);
}

const struct lab_experiment lab_zones = {
	.name = "zones",
	.summary = "watermarks are crossed, kswapd reclaims; swappiness decides what",
	.plan = "A process reads a file without any block (a temporary one in /var/tmp) until page cache fills the node that has least free memory. This touches the whole machine: kswapd drops other page cache and may swap. Nothing is pinned, and all of it can be had back at once, so that nobody runs out of memory; nodes with more than 16 GiB free aren't filled. Then vm.swappiness is changed for some seconds (with classic LRU lists, where the kernel keeps generations), and if the machine has less than 32 MiB of free swap, a temporary swap file is used.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_ZONES),
	.run = run,
};
