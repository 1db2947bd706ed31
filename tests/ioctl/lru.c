// SPDX-License-Identifier: GPL-2.0-only
/* MMLENS_LRU: cursors and generations that nobody gave out, and where lists are
 * begun and gone on with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ioctl.h"

/* As module/walk_lru.c packs them, for what is meant to look like its own. */
static uint64_t cursor_of(uint64_t memcg, uint64_t node, uint64_t list,
			  uint64_t position)
{
	return memcg << 44 | node << 34 | list << 28 | position;
}

static uint64_t generation_of(uint64_t beside, uint64_t pfn, uint64_t restarts)
{
	return beside << 45 | pfn << 5 | restarts << 2 | MMLENS_LIST_FROM;
}

static struct mmlens_walk lru_walk(uint32_t flags)
{
	struct mmlens_walk walk = walk_of(0);

	walk.flags = flags;
	return walk;
}

static const struct query *lru_query(void)
{
	size_t i = 0;

	while (queries[i].request != MMLENS_LRU)
		i++;
	return &queries[i];
}

static const char *case_lru_of_something(void)
{
	struct mmlens_walk walks[] = {
		lru_walk(0), lru_walk(0), lru_walk(0), lru_walk(0),
	};
	const char *why = NULL;

	walks[0].pid = getpid();
	walks[1].pid = -1;
	walks[2].start = 2;
	walks[2].end = 1;
	walks[3].start = ~0ull;
	walks[3].end = ~0ull - 1;
	for (size_t i = 0; !why && i < sizeof(walks) / sizeof(*walks); i++)
		why = refused(device(), MMLENS_LRU, &walks[i],
			      sizeof(walks[i]), EINVAL);
	return why;
}

/* ---- what nobody gave out ---- */

/* Records of a call: each as the contract says, and folios where they are told. */
static const char *check_call(const struct mmlens_walk *walk)
{
	uint32_t left = 0;
	const char *why = NULL;

	for (uint64_t at = 0; !why && at < walk->written;) {
		const struct mmlens_record *rec = (const void *)(room + at);

		why = check_record(rec, walk->written - at);
		if (!why && rec->type == MMLENS_REC_PFNS && !left--)
			why = wrong("a folio too many");
		if (!why && rec->type == MMLENS_REC_LRU && left)
			why = wrong("%u folios are missing", left);
		if (rec->type == MMLENS_REC_LRU)
			left = ((const struct mmlens_lru_list *)rec)->count;
		at += rec->size;
	}
	return why ?: left ? wrong("%u folios are missing", left) : NULL;
}

static const char *hostile_call(uint32_t flags, uint64_t cursor,
				uint64_t generation)
{
	struct mmlens_walk walk = lru_walk(flags);
	const char *why;

	walk.buffer_size = MMLENS_BUFFER_MIN;
	walk.cursor = cursor;
	walk.generation = generation;
	if (ioctl(device(), MMLENS_LRU, &walk))
		return wrong("cursor %#llx, generation %#llx: %s",
			     (unsigned long long)cursor,
			     (unsigned long long)generation, strerror(errno));
	why = check_call(&walk);
	if (why)
		printf("# cursor %#llx, generation %#llx\n",
		       (unsigned long long)cursor,
		       (unsigned long long)generation);
	return why;
}

/* xorshift: the same numbers each time. */
static uint64_t next_number(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static uint32_t some_flags(void)
{
	return next_number() % 8 ? MMLENS_WALK_FOLIOS :
		MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING;
}

/* PFNs behind the last of the machine's memory, and a little more. */
static uint64_t frames_end(void)
{
	return sysconf(_SC_PHYS_PAGES) + (1ull << 20) + 65536;
}

#define STRIDE	17

/* Free pages, tails, slab, tables, those of other lists, holes: all there are. */
static const char *case_lru_bookmarks(void)
{
	const uint64_t end = frames_end();
	const char *why = NULL;

	for (uint64_t pfn = next_number() % STRIDE; !why && pfn < end;
	     pfn += STRIDE)
		why = hostile_call(some_flags(),
				   cursor_of(pfn / STRIDE % 3, 0,
					     next_number() % 46, 1),
				   generation_of(next_number(), pfn,
						 next_number() % 8));
	return why;
}

static uint64_t any_of(const uint64_t *values, size_t count)
{
	return values[next_number() % count];
}

#define ANY_OF(...)	any_of((const uint64_t[]){ __VA_ARGS__ },	\
			       sizeof((uint64_t[]){ __VA_ARGS__ }) / 8)

/* Numbers out of each range, also all of them at once. */
static const char *case_lru_numbers(void)
{
	const uint64_t frames = frames_end();
	const char *why = NULL;

	for (int i = 0; !why && i < 100000; i++) {
		uint64_t memcg = ANY_OF(0, 1, 2, 3, 77, 0xffff, 0xffffe,
					0xfffff);
		uint64_t node = ANY_OF(0, 0, 0, 1, 2, 63, 64, 1022, 1023);
		uint64_t list = next_number() % 64;
		uint64_t position = ANY_OF(0, 1, 127, 128, 129, 1 << 20,
					   (1 << 28) - 257, (1 << 28) - 256,
					   (1 << 28) - 1);
		uint64_t pfn = ANY_OF(0, 1, (1ull << 40) - 1, 1ull << 39,
				      1ull << 36, next_number() % frames,
				      next_number() % frames);

		why = hostile_call(some_flags(),
				   cursor_of(memcg, node, list, position),
				   generation_of(next_number(), pfn,
						 next_number() % 8));
	}
	return why;
}

static const char *case_lru_any_bits(void)
{
	const char *why = NULL;

	for (int i = 0; !why && i < 100000; i++)
		why = hostile_call(some_flags(),
				   next_number() & next_number(),
				   next_number());
	return why;
}

/* From wherever it is begun, a walk comes to its end. */
static const char *case_lru_any_walk_ends(void)
{
	for (int i = 0; i < 100; i++) {
		struct mmlens_walk walk = lru_walk(MMLENS_WALK_FOLIOS);
		uint64_t calls = 0;

		walk.cursor = cursor_of(next_number() % 2, 0,
					next_number() % 64,
					next_number() % 1000);
		walk.generation = generation_of(next_number(), next_number(),
						next_number() % 8);
		do {
			const char *why;

			if (ioctl(device(), MMLENS_LRU, &walk))
				return wrong("%s", strerror(errno));
			why = check_call(&walk);
			if (why)
				return why;
			if (++calls > 100000)
				return wrong("a walk doesn't end");
		} while (!(walk.status & MMLENS_STATUS_DONE));
	}
	return NULL;
}

/* A place that isn't one: the list is told from its start. */
static const char *case_lru_lost_place(void)
{
	const struct mmlens_lru_list *list = (const void *)room;
	struct mmlens_walk walk = lru_walk(MMLENS_WALK_FOLIOS);

	walk.buffer_size = MMLENS_BUFFER_MIN;
	walk.cursor = cursor_of(1, 0, 0, 5000);
	walk.generation = generation_of(0, (1ull << 40) - 1, 0);
	if (ioctl(device(), MMLENS_LRU, &walk))
		return wrong("%s", strerror(errno));
	if (!walk.restarts || list->head.type != MMLENS_REC_LRU ||
	    list->position || list->count || list->flags & MMLENS_LIST_LAST)
		return wrong("%u restarts, position %u, %u folios, flags %#x",
			     walk.restarts, list->position, list->count,
			     list->flags);
	return check_call(&walk);
}

/* ---- what it gave out ---- */

static bool is_same_list(const struct mmlens_lru_list *a,
			 const struct mmlens_lru_list *b)
{
	return a->memcg == b->memcg && a->node == b->node && a->lru == b->lru &&
	       a->generation == b->generation && a->zone == b->zone;
}

static const char *begin_with(const struct mmlens_lru_list *list,
			      uint32_t flags)
{
	const struct mmlens_lru_list *first = (const void *)room;
	struct mmlens_walk walk = lru_walk(flags);

	walk.cursor = list->cursor;
	walk.generation = MMLENS_LIST_FROM;
	if (ioctl(device(), MMLENS_LRU, &walk))
		return wrong("%s", strerror(errno));
	if (!walk.written || !is_same_list(first, list) || first->position)
		return wrong("list %u, generation %u of memcg %llu isn't the first",
			     list->lru, list->generation,
			     (unsigned long long)list->memcg);
	return NULL;
}

/* Lists that have pages stay lists meanwhile. */
static const char *case_lru_from_each_list(void)
{
	struct records lists;
	const char *why = gather(lru_query(), 0, 0, 1 << 20, &lists);
	unsigned int begun = 0;

	for (size_t at = 0; !why && at < lists.size;) {
		const struct mmlens_lru_list *list =
			(const void *)(lists.bytes + at);

		at += list->head.size;
		if (list->generation && list->pages < 64)
			continue;
		why = begin_with(list, begun++ % 2 ? MMLENS_WALK_FOLIOS : 0);
	}
	if (!why && begun < 5)
		why = wrong("%u lists", begun);
	free(lists.bytes);
	return why;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* PFNs of all folios of a walk, ascending; the number of them. */
static size_t folios_of(struct records *records, uint64_t *pfns)
{
	size_t n = 0;

	for (size_t at = 0; at < records->size;) {
		const struct mmlens_pfns *page =
			(const void *)(records->bytes + at);

		if (page->head.type == MMLENS_REC_PFNS)
			pfns[n++] = page->pfn;
		at += page->head.size;
	}
	qsort(pfns, n, sizeof(*pfns), compare_numbers);
	return n;
}

/* How many are in one of two ascending rows and not in the other. */
static size_t differences(const uint64_t *a, size_t n, const uint64_t *b,
			  size_t m)
{
	size_t i = 0, j = 0, found = 0;

	while (i < n && j < m) {
		found += a[i] != b[j];
		if (a[i] == b[j])
			i++, j++;
		else if (a[i] < b[j])
			i++;
		else
			j++;
	}
	return found + n - i + m - j;
}

/* The same folios, but for what the test itself and its output move. */
static const char *compare_folios(size_t step)
{
	struct records small, large;
	const char *why = gather(lru_query(), 0, MMLENS_WALK_FOLIOS, step,
				 &small);
	uint64_t *a, *b;
	size_t n, m, moved;

	why = why ?: gather(lru_query(), 0, MMLENS_WALK_FOLIOS, 8 << 20,
			    &large);
	if (why)
		return why;
	a = malloc(small.count * sizeof(*a));
	b = malloc(large.count * sizeof(*b));
	n = folios_of(&small, a);
	m = folios_of(&large, b);
	moved = differences(a, n, b, m);
	if (n < 500 || moved > 256 + n / 50)
		why = wrong("buffers of %zu: %zu folios, %zu in large ones, %zu differ",
			    step, n, m, moved);
	free(a);
	free(b);
	free(small.bytes);
	free(large.bytes);
	return why;
}

static const char *case_lru_buffers_alike(void)
{
	const char *why = compare_folios(MMLENS_BUFFER_MIN);

	return why ?: compare_folios(65536);
}

/* Of each list no more than was asked for, from where it was asked for. */
static const char *case_lru_positions(void)
{
	static const uint64_t bounds[][2] = {
		{ 0, 3 }, { 100, 300 }, { 5, 6 }, { 1ull << 40, 0 }, { 7, 7 },
	};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		const struct mmlens_record *rec;
		struct mmlens_walk walk = lru_walk(MMLENS_WALK_FOLIOS);
		uint64_t end = bounds[i][1] ? bounds[i][1] : ~0ull;

		walk.start = bounds[i][0];
		walk.end = bounds[i][1];
		do {
			const char *why;

			if (ioctl(device(), MMLENS_LRU, &walk))
				return wrong("%s", strerror(errno));
			why = check_call(&walk);
			if (why)
				return why;
			for (uint64_t at = 0; at < walk.written;
			     at += rec->size) {
				const struct mmlens_lru_list *list =
					(const void *)(room + at);

				rec = &list->head;
				if (rec->type == MMLENS_REC_LRU &&
				    (list->count > end - walk.start ||
				     (list->count && list->position >= end)))
					return wrong("%u folios at %u",
						     list->count,
						     list->position);
			}
		} while (!(walk.status & MMLENS_STATUS_DONE));
	}
	return NULL;
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case lru_cases[] = {
	CASE(lru_of_something), CASE(lru_bookmarks), CASE(lru_numbers),
	CASE(lru_any_bits), CASE(lru_any_walk_ends), CASE(lru_lost_place),
	CASE(lru_from_each_list), CASE(lru_buffers_alike),
	CASE(lru_positions),
	{ NULL, NULL },
};
