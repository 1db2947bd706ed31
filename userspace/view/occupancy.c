// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the page tables of a process amount to, in a size that doesn't grow
 * with them: a process can have tens of millions.
 */
#include <stdlib.h>
#include <string.h>

#include "view.h"

void occupancy_begin(struct occupancy *o, const struct mmlens_info *info,
		     struct occupancy_range *top, size_t room)
{
	memset(o, 0, sizeof(*o));
	o->info = info;
	o->top = top;
	o->room = room;
}

/* ---- how full ---- */

/* The largest share of a table's entries that each bucket holds: 1 / this. */
static const unsigned int share[OCCUPANCY_BUCKETS] = { 0, 32, 8, 2, 1, 1 };

void occupancy_bucket(unsigned int bucket, unsigned int entries,
		      unsigned int *first, unsigned int *last)
{
	if (bucket == 0) {
		*first = *last = 0;
	} else if (bucket == OCCUPANCY_BUCKETS - 1) {
		*first = *last = entries;
	} else {
		*first = bucket == 1 ? 1 : entries / share[bucket - 1];
		*last = entries / share[bucket] - 1;
	}
}

static unsigned int bucket_of(unsigned int used, unsigned int entries)
{
	unsigned int bucket = 1;

	if (!used)
		return 0;
	if (used == entries)
		return OCCUPANCY_BUCKETS - 1;
	while (used >= entries / share[bucket])
		bucket++;
	return bucket;
}

static bool is_sparse(const struct mmlens_table *t)
{
	return t->used < t->entries / 2;
}

/* ---- the emptiest ranges ---- */

static uint64_t unused(const struct occupancy_range *r)
{
	return r->entries - r->used;
}

static size_t fullest(const struct occupancy *o)
{
	size_t found = 0;

	for (size_t i = 1; i < o->ranges; i++)
		if (unused(&o->top[i]) < unused(&o->top[found]))
			found = i;
	return found;
}

/* Keep a range that is complete if it is among those with the most unused. */
static void keep(struct occupancy *o, struct occupancy_range *r)
{
	size_t at = o->ranges;

	if (!r->level)
		return;
	o->all_ranges++;
	if (o->ranges < o->room) {
		o->ranges++;
	} else if (o->room) {
		at = fullest(o);
		if (unused(&o->top[at]) >= unused(r))
			at = o->room;
	}
	if (at < o->room)
		o->top[at] = *r;
	r->level = 0;
}

/* Bytes of addresses that a table of @level translates. */
static uint64_t table_span(const struct occupancy *o,
			   const struct mmlens_table *t)
{
	return t->entries * mmlens_level_size(o->info, t->head.level);
}

/*
 * Where one table is less than half full and the next as well, they are
 * neighbours whatever isn't mapped between them, unless that is more than a
 * whole table of the level above could translate.
 */
static bool is_neighbour(const struct occupancy *o,
			 const struct occupancy_range *r,
			 const struct mmlens_table *t)
{
	uint64_t gap = t->va - r->end;

	return r->level && t->va >= r->end &&
	       gap / t->entries < table_span(o, t);
}

static void extend(struct occupancy *o, const struct mmlens_table *t)
{
	struct occupancy_range *r = &o->open[t->head.level];

	if (!is_sparse(t) || !is_neighbour(o, r, t))
		keep(o, r);
	if (!is_sparse(t))
		return;
	if (!r->level)
		*r = (struct occupancy_range) { .start = t->va,
						.level = t->head.level };
	r->end = t->va + table_span(o, t);
	r->tables++;
	r->entries += t->entries;
	r->used += t->used;
}

static int most_unused_first(const void *left, const void *right)
{
	const struct occupancy_range *a = left, *b = right;

	if (unused(a) != unused(b))
		return unused(a) < unused(b) ? 1 : -1;
	if (a->start != b->start)
		return a->start > b->start ? 1 : -1;
	return (a->level > b->level) - (a->level < b->level);
}

/* ---- sums ---- */

static void count_node(struct occupancy *o, const struct mmlens_table *t)
{
	unsigned int node = t->node;

	if (node > MMLENS_MAX_NODES)
		node = MMLENS_MAX_NODES;
	o->node[node][t->head.level]++;
}

void occupancy_add(struct occupancy *o, const struct mmlens_table *t)
{
	struct occupancy_level *level = &o->level[t->head.level];

	if (t->flags & MMLENS_TABLE_DEPOSITED) {
		o->deposited++;
		return;
	}
	if (!t->entries)
		return;
	level->tables++;
	level->entries += t->entries;
	level->used += t->used;
	level->bucket[bucket_of(t->used, t->entries)]++;
	level->shared += !!(t->flags & MMLENS_TABLE_SHARED);
	level->uncounted |= !!(t->flags & MMLENS_TABLE_UNCOUNTED);
	count_node(o, t);
	/* There is but one at the top, and nothing to be gained there. */
	if (!(t->flags & MMLENS_TABLE_UNCOUNTED))
		extend(o, t);
}

void occupancy_finish(struct occupancy *o)
{
	for (size_t i = 0; i < OCCUPANCY_LEVELS; i++)
		keep(o, &o->open[i]);
	if (o->ranges)
		qsort(o->top, o->ranges, sizeof(*o->top), most_unused_first);
}

uint64_t occupancy_needed(const struct occupancy_level *level)
{
	uint64_t each = level->tables ? level->entries / level->tables : 0;

	return each ? level->used / each + !!(level->used % each) : 0;
}

void occupancy_sum(const struct occupancy *o, struct occupancy_sum *sum)
{
	unsigned int shift = o->info->page_shift;
	uint64_t needed = 0, tables = 0;

	*sum = (struct occupancy_sum) {};
	for (size_t i = 0; i < OCCUPANCY_LEVELS; i++) {
		const struct occupancy_level *level = &o->level[i];

		if (level->uncounted)
			continue;
		tables += level->tables;
		needed += occupancy_needed(level);
		sum->empty += level->bucket[0];
	}
	sum->tables = tables + o->deposited;
	sum->bytes = sum->tables << shift;
	sum->reserve = o->deposited << shift;
	sum->needed = needed << shift;
	sum->wasted = (tables - needed) << shift;
}
