// SPDX-License-Identifier: GPL-2.0-only
/* Accessed bits, and what reclaim makes of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "experiments.h"

#define SIZE	(8 * MIB)
#define PAGES	(SIZE / LAB_PAGE)
/* Every other group of so many pages is touched. */
#define GROUP	16

#define KPF(bit)	(1ull << KPF_##bit)

#define LRU_GEN	"/sys/kernel/debug/lru_gen"
#define ENABLED	"/sys/kernel/mm/lru_gen/enabled"

enum { ALONE, TOUCHED, KINDS };

/**
 * struct kind - Pages that were touched, or those that were left alone.
 * @mapped:	still mapped
 * @accessed:	of them with the accessed bit
 * @referenced:	of them, page flag "referenced": found accessed once
 * @active:	of them on the active list
 * @generation:	of them by generation, from the first index on
 * @gone:	evicted
 */
struct kind {
	uint64_t mapped;
	uint64_t accessed;
	uint64_t referenced;
	uint64_t active;
	uint64_t generation[4];
	uint64_t gone;
};

static unsigned int kind_of(size_t page)
{
	return page / GROUP % 2 ? ALONE : TOUCHED;
}

static void count(struct kind *k, const struct mmlens_entry *e)
{
	if (!lab_is_present(e)) {
		k->gone++;
		return;
	}
	k->mapped++;
	k->accessed += lab_is(e, MMLENS_PTE_ACCESSED);
	k->referenced += e->has_page && e->page.flags & KPF(REFERENCED);
	k->active += e->page.lru == MMLENS_LRU_ACTIVE_FILE ||
		     e->page.lru == MMLENS_LRU_ACTIVE_ANON;
	if (e->page.generation)
		k->generation[(e->page.generation - 1) % 4]++;
}

static bool has_generations(const struct kind *k)
{
	return k->generation[0] || k->generation[1] || k->generation[2] ||
	       k->generation[3];
}

static void show(struct lab *lab, uint64_t area, struct kind kinds[KINDS])
{
	static const struct lab_columns classic = {
		.label = "PAGES",
		.name = { "mapped", "accessed", "referenced", "active list",
			  "evicted" },
		.count = 5,
	}, generations = {
		.label = "PAGES",
		.name = { "mapped", "accessed", "gen 0", "gen 1", "gen 2",
			  "gen 3", "evicted" },
		.count = 7,
	};
	static const char *const names[] = { "left alone", "touched" };
	struct mmlens_entry *entries = lab_entries(lab, 0, area, SIZE);
	bool gen = false;

	for (size_t i = 0; i < KINDS; i++)
		kinds[i] = (struct kind) {};
	for (size_t i = 0; entries && i < PAGES; i++)
		count(&kinds[kind_of(i)], &entries[i]);
	free(entries);
	for (size_t i = 0; i < KINDS; i++)
		gen = gen || has_generations(&kinds[i]);
	lab_table(lab, gen ? &generations : &classic);
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *k = &kinds[i];
		const uint64_t of_lists[] = { k->mapped, k->accessed,
					      k->referenced, k->active,
					      k->gone };
		const uint64_t of_generations[] = {
			k->mapped, k->accessed, k->generation[0],
			k->generation[1], k->generation[2], k->generation[3],
			k->gone };

		lab_row(lab, names[i], gen ? of_generations : of_lists);
	}
}

/* ---- in the workload ---- */

static int64_t work_touch_groups(uint64_t address, uint64_t size, uint64_t c)
{
	(void)c;
	for (uint64_t i = 0; i < size / LAB_PAGE; i++)
		if (kind_of(i) == TOUCHED)
			(void)*(volatile char *)(uintptr_t)(address +
							    i * LAB_PAGE);
	return 0;
}

/*
 * Reclaim clears accessed bits without telling the processor's TLB, which then
 * doesn't set them again: more pages than are flushed one by one are unmapped.
 */
static int64_t work_flush(uint64_t a, uint64_t b, uint64_t c)
{
	int64_t area = work_map(2 * MIB, 0, 0);

	(void)a;
	(void)b;
	(void)c;
	if (area < 0)
		return area;
	work_write(area, 2 * MIB, LAB_PAGE);
	return work_unmap(area, 2 * MIB, 0);
}

/* ---- steps ---- */

static void clear_accessed(struct lab *lab)
{
	char path[64];

	if (!lab_goes_on(lab))
		return;
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", lab_pid(lab, 0));
	if (!lab_write(path, "1"))
		lab_fail(lab, errno, "%s", path);
}

static uint64_t map_file(struct lab *lab, int fd)
{
	uint64_t area = lab_do(lab, 0, work_map_file, fd, SIZE, PROT_READ);

	lab_step(lab, "A process maps a file of 8 MiB and reads each page");
	/* Each page comes by itself: no readahead, no large folios. */
	lab_do(lab, 0, work_advise, area, SIZE, MADV_RANDOM);
	lab_do(lab, 0, work_read, area, SIZE, LAB_PAGE);
	/* Of a mapping that is read at random, reclaim passes the bits by. */
	lab_do(lab, 0, work_advise, area, SIZE, MADV_NORMAL);
	return area;
}

/*
 * Pages of a file begin in the oldest generation, where from 6.14 on aging
 * forgets again that they were accessed once.
 */
static uint64_t map_anonymous(struct lab *lab)
{
	uint64_t area;

	lab_step(lab, "A process writes 8 MiB of anonymous memory");
	lab_need_swap(lab, 2 * SIZE);
	area = lab_do(lab, 0, work_map, SIZE, 0, 0);
	lab_do(lab, 0, work_write, area, SIZE, LAB_PAGE);
	return area;
}

static void look_first(struct lab *lab, uint64_t area)
{
	struct kind kinds[KINDS];

	show(lab, area, kinds);
	lab_expect(lab, kinds[ALONE].accessed + kinds[TOUCHED].accessed ==
			PAGES,
		   "All %" PRIu64 " entries have the accessed bit: the processor sets it when it walks the page table for an access.",
		   PAGES);
	lab_expect(lab, !kinds[ALONE].active && !kinds[TOUCHED].active,
		   "None is on the active list: what was used once has to prove itself.");
}

static void touch_half(struct lab *lab, uint64_t area)
{
	struct kind kinds[KINDS];
	uint64_t before, after, major;
	struct mmlens_entry entry[2];

	lab_step(lab, "The accessed bits are cleared (1 to clear_refs), and every other group of %d pages is touched",
		 GROUP);
	/* What runs then has run before, or its own pages would fault. */
	lab_do(lab, 0, work_touch_groups, area, SIZE, 0);
	clear_accessed(lab);
	entry[0] = lab_entry(lab, 0, area);
	show(lab, area, kinds);
	lab_expect(lab, !kinds[ALONE].accessed && !kinds[TOUCHED].accessed,
		   "The kernel cleared all of them.");
	lab_faults(lab_pid(lab, 0), &before, &major);
	lab_do(lab, 0, work_touch_groups, area, SIZE, 0);
	lab_faults(lab_pid(lab, 0), &after, &major);
	entry[1] = lab_entry(lab, 0, area);
	lab_show_entry(lab, "the first page, touched", area, &entry[0],
		       &entry[1]);
	show(lab, area, kinds);
	lab_expect(lab, kinds[TOUCHED].accessed == PAGES / 2 &&
		   !kinds[ALONE].accessed,
		   "Exactly the touched pages have it again.");
	/* Its own code and stack may take one. */
	lab_expect(lab, after - before < GROUP,
		   "For these %" PRIu64 " accesses the process took %" PRIu64 " faults: the kernel isn't told of an access, it has to look.",
		   PAGES / 2, after - before);
}

/* ---- generations ---- */

/*
 * Have the kernel age the cgroup on each node: "+ MEMCG NODE GENERATION SWAP SCAN",
 * with the youngest generation that there is.  False: it can't be asked.
 */
static bool age_node(unsigned int memcg, unsigned int node, uint64_t youngest)
{
	char text[80];

	snprintf(text, sizeof(text), "+ %u %u %" PRIu64 " 1 1", memcg, node,
		 youngest);
	return lab_write(LRU_GEN, text);
}

/* Is the line of a memory cgroup about ours?  Its path ends with our name. */
static bool is_ours(const struct lab *lab, const char *path)
{
	const char *name = strrchr(lab->group.path, '/');

	return strlen(path) >= strlen(name) &&
	       !strcmp(path + strlen(path) - strlen(name), name);
}

static bool age(struct lab *lab)
{
	char *text = lab_file(LRU_GEN), *save, *line, path[512];
	unsigned int memcg = 0, node = 0, id;
	uint64_t youngest = 0, seq, ms;
	bool ours = false, aged = false;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		bool other = sscanf(line, " memcg %u %511s", &id, path) == 2;

		if (other || sscanf(line, " node %u", &id) == 1) {
			/* What stood above is complete. */
			if (youngest)
				aged |= age_node(memcg, node, youngest);
			youngest = 0;
			node = id;
		}
		if (other) {
			memcg = id;
			ours = is_ours(lab, path);
		} else if (ours && sscanf(line, " %" SCNu64 " %" SCNu64, &seq,
					  &ms) == 2) {
			youngest = seq;
		}
	}
	if (youngest)
		aged |= age_node(memcg, node, youngest);
	free(text);
	return aged;
}

/* A generation that has most of those touched, and few of those left alone. */
static bool is_apart(const struct kind kinds[KINDS])
{
	for (size_t i = 0; i < 4; i++)
		if (kinds[TOUCHED].generation[i] >=
			    kinds[TOUCHED].mapped - kinds[TOUCHED].mapped / 8 &&
		    kinds[ALONE].generation[i] <= kinds[ALONE].mapped / 8)
			return true;
	return false;
}

static void touch(struct lab *lab, uint64_t area)
{
	lab_do(lab, 0, work_flush, 0, 0, 0);
	lab_do(lab, 0, work_touch_groups, area, SIZE, 0);
}

/* Kernels from 6.14 on want to see a page accessed twice. */
static void show_aging(struct lab *lab, uint64_t area)
{
	struct kind kinds[KINDS];
	unsigned int rounds;

	lab_say(lab, "This kernel keeps generations. It is asked to begin another one (" LRU_GEN "), which it does by itself when the oldest are used up:");
	for (rounds = 0; rounds < 3; rounds++) {
		if (rounds)
			touch(lab, area);
		if (!age(lab)) {
			lab_say(lab, "It can't be asked here.");
			return;
		}
		show(lab, area, kinds);
		if (is_apart(kinds))
			break;
		lab_say(lab, "Pages that were found accessed for the first time were only marked (referenced): they are touched again, and another generation begins.");
	}
	lab_expect(lab, is_apart(kinds) &&
		   kinds[TOUCHED].accessed < kinds[TOUCHED].mapped / 8,
		   "Aging walked the page table: pages with the accessed bit are in the youngest generation now, and lost the bit. To stay young, they have to be touched again.");
}

/* ---- reclaim ---- */

static void second_chance(struct lab *lab, const struct kind *before,
			  const struct kind *after)
{
	uint64_t kept = 0;

	if (before->accessed > after->gone + after->accessed)
		kept = before->accessed - after->gone - after->accessed;
	lab_expect(lab, kept,
		   "%" PRIu64 " touched pages that it met lost the bit, and stayed: a second chance. To be kept once more, they have to be touched again.",
		   kept);
	lab_expect(lab, after->referenced + after->active >
			before->referenced + before->active,
		   "On the page, it noted that (referenced): the next time it is found accessed, it goes to the active list.");
}

static void reclaim(struct lab *lab, uint64_t area)
{
	struct kind before[KINDS], kinds[KINDS];
	bool gen;

	lab_step(lab, "The kernel is asked to reclaim 2 MiB from the memory cgroup");
	show(lab, area, before);
	gen = has_generations(&before[TOUCHED]);
	if (gen)
		show_aging(lab, area);
	lab_group_reclaim(lab, 2 * MIB);
	show(lab, area, kinds);
	lab_expect(lab, kinds[ALONE].gone >= 64 &&
		   kinds[ALONE].gone >= 4 * kinds[TOUCHED].gone,
		   "Of those left alone %" PRIu64 " were evicted, of those touched %" PRIu64 ": reclaim goes by the accessed bits.",
		   kinds[ALONE].gone, kinds[TOUCHED].gone);
	if (!gen)
		second_chance(lab, &before[TOUCHED], &kinds[TOUCHED]);
}

/*
 * Half of the file was passed when half of what was left alone was evicted: to
 * come by a touched page once more can take another round.
 */
static void until_twice(struct lab *lab, uint64_t area, uint64_t active,
			struct kind kinds[KINDS])
{
	for (unsigned int i = 0; i < 3 && lab_goes_on(lab) &&
				 kinds[TOUCHED].active <= active; i++) {
		lab_say(lab, "It hasn't come by one of them for the second time yet: touched once more, and 1 MiB is reclaimed.");
		touch(lab, area);
		lab_group_reclaim(lab, MIB);
		show(lab, area, kinds);
	}
	lab_expect(lab, kinds[TOUCHED].active > active,
		   "Pages that were found accessed twice are on the active list now (%" PRIu64 ").",
		   kinds[TOUCHED].active);
}

static void touch_again(struct lab *lab, uint64_t area)
{
	struct kind before[KINDS], kinds[KINDS];
	bool gen;

	lab_step(lab, "The same pages are touched again, and 2 MiB more are reclaimed");
	touch(lab, area);
	show(lab, area, before);
	gen = has_generations(&before[TOUCHED]);
	if (gen)
		age(lab);
	lab_group_reclaim(lab, 2 * MIB);
	show(lab, area, kinds);
	lab_expect(lab, kinds[ALONE].gone > before[ALONE].gone &&
		   kinds[ALONE].gone >= 2 * kinds[TOUCHED].gone,
		   "Again it took those left alone (%" PRIu64 " in all, against %" PRIu64 ").",
		   kinds[ALONE].gone, kinds[TOUCHED].gone);
	if (!gen)
		until_twice(lab, area, before[TOUCHED].active, kinds);
}

static bool keeps_generations(void)
{
	char *text = lab_file(ENABLED);
	bool on = text && strtoul(text, NULL, 16) & 1;

	free(text);
	return on;
}

static void run(struct lab *lab)
{
	uint64_t area;
	int fd;

	if (lab->group.kind == LAB_GROUP_NONE)
		lab_cannot(lab, "there is no memory cgroup to reclaim from, and reclaim of the whole machine would hit others");
	fd = lab_make_file(lab, "file", SIZE);
	lab_start(lab);
	area = keeps_generations() ? map_anonymous(lab) : map_file(lab, fd);
	look_first(lab, area);
	touch_half(lab, area);
	reclaim(lab, area);
	touch_again(lab, area);
	if (fd >= 0)
		close(fd);
}

const struct lab_experiment lab_accessed = {
	.name = "accessed",
	.summary = "accessed bits, second chance, active and inactive lists or generations",
	.plan = "A process maps a file of 8 MiB (a temporary one in /var/tmp) and reads it, or where the kernel keeps generations writes as much anonymous memory (and a temporary swap file is used if there is no swap); then a half of it is touched again, and the kernel reclaims from its memory cgroup.",
	.queries = LAB_LOOKS,
	.limit = 64 * MIB,
	.run = run,
};
