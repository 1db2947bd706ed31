// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_FREE: the lists of free blocks, in their order.
 *
 * Locking: zone->lock, with interrupts off, for at most MML_STEP_BLOCKS blocks
 * and lists.  What a CPU keeps is read under the lock of its lists (before 6.0:
 * on that CPU, with interrupts off), for at most MML_STEP_CPU_BLOCKS blocks.
 *
 * A list can't be held between two looks.  The last block that was told is the
 * bookmark: it is where the list goes on if it is still free in one piece.  It
 * may meanwhile stand on another list, which shows when the walk comes to the
 * end of that.  That list may be of another CPU, which changes it while we look:
 * each step along a CPU's list is taken only to a free page of the zone.  Where
 * the place is lost the list is told once more from its start, which voids what
 * was told before.
 */
#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "compat/free.h"
#include "compat/memmap.h"
#include "core.h"
#include "cursor.h"

#define MML_STEP_BLOCKS		128
#define MML_STEP_CPU_BLOCKS	512

/* How often a list is begun again before the rest of it is left. */
#define MML_FREE_RESTARTS	7

/* Blocks of a list after which the rest of it is left. */
#define MML_FREE_MOST		((1U << MML_POSITION_BITS) - 2 * MML_STEP_CPU_BLOCKS)

#define MML_BUDDY_LISTS		(MML_NR_ORDERS * MIGRATE_TYPES)

/**
 * struct mml_free - Where the walk stands.
 * @node:	node
 * @zone:	index of a zone in it
 * @list:	of the buddy allocator by order and type; behind them the CPUs
 * @position:	blocks of that list that were told
 * @restarts:	how often it was begun again
 * @bookmark:	PFN of the last block that was told, if @position isn't 0
 */
struct mml_free {
	unsigned int node;
	unsigned int zone;
	unsigned int list;
	unsigned int position;
	unsigned int restarts;
	unsigned long bookmark;
};

/* The list number of a CPU's first one; its number may be nr_cpu_ids. */
static unsigned int mml_cpu_first_list(unsigned int cpu)
{
	return MML_BUDDY_LISTS + cpu * MML_NR_CPU_LISTS;
}

/* Bits of the cursor, from the lowest on. */
#define MML_POSITION_BITS	27
#define MML_LIST_BITS		24
#define MML_ZONE_BITS		3
/* Bits of the generation, which isn't 0. */
#define MML_RESTARTS_BITS	3

/* The caller's cursor and generation may say anything. */
static struct mml_free mml_free_from(const struct mml_walk *walk)
{
	unsigned long cursor = walk->cursor;
	unsigned long generation = walk->generation >> 1;
	struct mml_free at;

	at.position = mml_take_bits(&cursor, MML_POSITION_BITS);
	at.list = mml_take_bits(&cursor, MML_LIST_BITS);
	at.zone = mml_take_bits(&cursor, MML_ZONE_BITS);
	at.node = cursor;
	at.restarts = mml_take_bits(&generation, MML_RESTARTS_BITS);
	at.bookmark = generation;
	return at;
}

static void mml_free_to(struct mml_walk *walk, const struct mml_free *at)
{
	unsigned long cursor = at->node;

	BUILD_BUG_ON(MAX_NR_ZONES > 1 << MML_ZONE_BITS);
	BUILD_BUG_ON(MML_BUDDY_LISTS + (NR_CPUS + 1) * MML_NR_CPU_LISTS >=
		     1 << MML_LIST_BITS);
	BUILD_BUG_ON(MML_FREE_RESTARTS >= 1 << MML_RESTARTS_BITS);

	cursor = cursor << MML_ZONE_BITS | at->zone;
	cursor = cursor << MML_LIST_BITS | at->list;
	walk->cursor = cursor << MML_POSITION_BITS | at->position;
	walk->generation = ((u64)at->bookmark << MML_RESTARTS_BITS |
			    at->restarts) << 1 | 1;
}

static void mml_free_begin_list(struct mml_free *at, unsigned int list)
{
	at->list = list;
	at->position = 0;
	at->restarts = 0;
	at->bookmark = 0;
}

/* The zone to look at; those without pages are passed by. */
static struct zone *mml_free_zone(struct mml_free *at)
{
	for (; at->node < MAX_NUMNODES; at->node++, at->zone = 0) {
		if (!node_online(at->node))
			continue;
		for (; at->zone < MAX_NR_ZONES; at->zone++) {
			struct zone *zone;

			zone = &NODE_DATA(at->node)->node_zones[at->zone];
			if (populated_zone(zone) &&
			    at->list < mml_cpu_first_list(nr_cpu_ids))
				return zone;
			mml_free_begin_list(at, 0);
		}
	}
	return NULL;
}

/* ---- a list ---- */

/**
 * struct mml_free_list - A list that nobody changes for now.
 * @head:	its head
 * @area:	of the buddy allocator; NULL: it is a CPU's
 * @cpu:	which one, or -1
 * @order:	log2 of the pages in each block
 * @migratetype: MMLENS_MIGRATE_*
 */
struct mml_free_list {
	const struct list_head *head;
	const struct free_area *area;
	int cpu;
	u8 order;
	u8 migratetype;
};

static unsigned long mml_list_pfn(const struct list_head *entry)
{
	return page_to_pfn(list_entry(entry, struct page, lru));
}

/* Is it the head of a list, be it another one, not a block? */
static bool mml_is_head(const struct mml_free_list *list,
			const struct list_head *entry)
{
	return entry == list->head ||
	       (list->area && entry >= &list->area->free_list[0] &&
		entry < &list->area->free_list[MIGRATE_TYPES]);
}

/* The bookmark on the buddy allocator's list; NULL: it isn't there any more. */
static const struct list_head *mml_free_place(const struct mml_free *at,
					      const struct mml_free_list *list,
					      const struct zone *zone)
{
	struct page *page = pfn_to_online_page(at->bookmark);

	if (!page || page_zone(page) != zone || !PageBuddy(page) ||
	    page_private(page) != list->order)
		return NULL;
	return &page->lru;
}

/* Is it a free page of the zone that the buddy allocator doesn't have? */
static bool mml_is_kept_page(const struct list_head *entry,
			     const struct zone *zone)
{
	struct page *page = mml_page_at(list_entry(entry, struct page, lru));

	return page && page_zone(page) == zone && !page_ref_count(page) &&
	       !PageBuddy(page);
}

/* The bookmark on a CPU's list, where nothing tells a block's list. */
static const struct list_head *mml_free_cpu_place(const struct mml_free *at,
						  const struct zone *zone)
{
	struct page *page = mml_online_page(at->bookmark);

	return page && mml_is_kept_page(&page->lru, zone) ? &page->lru : NULL;
}

/*
 * Can it be looked at, the walk having come there from the one before?  What is
 * on a CPU's list of smaller blocks may begin where none of these does.
 */
static bool mml_is_block(const struct mml_free_list *list,
			 const struct list_head *entry,
			 const struct zone *zone)
{
	if (list->area)
		return !mml_is_head(list, entry);
	return mml_is_kept_page(entry, zone) &&
	       IS_ALIGNED(mml_list_pfn(entry), 1UL << list->order);
}

/* Blocks from @place on; false when it was the place on another list. */
static bool mml_free_gather(struct mmlens_blocks *rec, unsigned int max,
			    const struct mml_free_list *list,
			    const struct list_head *place,
			    const struct zone *zone)
{
	const struct list_head *entry = READ_ONCE(place->next);

	while (rec->count < max && entry != list->head) {
		if (!mml_is_block(list, entry, zone))
			return false;
		rec->pfn[rec->count++] = mml_list_pfn(entry);
		entry = READ_ONCE(entry->next);
	}
	if (entry == list->head)
		rec->flags = MMLENS_BLOCKS_LAST;
	return true;
}

/* The rest of the list is left. */
static void mml_free_cut(struct mmlens_blocks *rec)
{
	rec->count = 0;
	rec->flags = MMLENS_BLOCKS_LAST | MMLENS_BLOCKS_CUT;
}

/*
 * Fill in the next record of a list, as far as there is room for @max blocks;
 * false when the place is lost, and the list begins once more.
 */
static bool mml_free_fill(struct mml_walk *walk, struct mml_free *at,
			  struct mmlens_blocks *rec, unsigned int max,
			  const struct mml_free_list *list,
			  const struct zone *zone)
{
	const struct list_head *place = list->head;

	if (at->position && list->area)
		place = mml_free_place(at, list, zone);
	else if (at->position)
		place = mml_free_cpu_place(at, zone);

	if (at->position > MML_FREE_MOST) {
		mml_free_cut(rec);
		return true;
	}
	if (place && mml_free_gather(rec, max, list, place, zone))
		return true;
	rec->count = 0;
	walk->restarts++;
	at->position = 0;
	if (at->restarts++ < MML_FREE_RESTARTS)
		return false;
	rec->position = 0;
	mml_free_cut(rec);
	return true;
}

/* Tell of a list; false when the step is at its end. */
static bool mml_free_tell(struct mml_walk *walk, struct mml_free *at,
			  const struct mml_free_list *list,
			  const struct zone *zone)
{
	size_t room = mml_sink_room(&walk->sink);
	struct mmlens_blocks *rec;
	unsigned int max;

	if (!walk->budget || room < sizeof(*rec) + sizeof(rec->pfn[0]))
		return false;
	max = min_t(size_t, walk->budget,
		    (room - sizeof(*rec)) / sizeof(rec->pfn[0]));
	rec = mml_sink_end(&walk->sink, sizeof(*rec));
	*rec = (struct mmlens_blocks){
		.node	     = at->node,
		.position    = at->position,
		.cpu	     = list->cpu,
		.zone	     = at->zone,
		.order	     = list->order,
		.migratetype = list->migratetype,
	};
	if (!mml_free_fill(walk, at, rec, max, list, zone))
		return true;
	mml_sink_commit(&walk->sink, MMLENS_REC_BLOCKS, 0,
			sizeof(*rec) + rec->count * sizeof(rec->pfn[0]));
	walk->budget -= rec->count;
	if (rec->flags & MMLENS_BLOCKS_LAST) {
		mml_free_begin_list(at, at->list + 1);
		return true;
	}
	at->position += rec->count;
	at->bookmark = rec->pfn[rec->count - 1];
	return false;
}

static void mml_free_held(struct mml_walk *walk, u64 since)
{
	walk->max_hold_ns = max(walk->max_hold_ns, ktime_get_ns() - since);
}

/* ---- the buddy allocator's, under zone->lock ---- */

static bool mml_free_buddy_list(struct mml_walk *walk, struct mml_free *at,
				const struct zone *zone)
{
	const unsigned int order = at->list / MIGRATE_TYPES;
	const unsigned int type = at->list % MIGRATE_TYPES;
	const struct mml_free_list list = {
		.head	     = &zone->free_area[order].free_list[type],
		.area	     = &zone->free_area[order],
		.cpu	     = -1,
		.order	     = order,
		.migratetype = mml_migratetype(type),
	};

	return mml_walk_charge(walk, 1) && mml_free_tell(walk, at, &list, zone);
}

static void mml_free_buddy(struct mml_walk *walk, struct mml_free *at,
			   struct zone *zone)
{
	unsigned long flags;
	u64 since;

	walk->budget = MML_STEP_BLOCKS;
	spin_lock_irqsave(&zone->lock, flags);
	since = ktime_get_ns();
	while (at->list < MML_BUDDY_LISTS &&
	       mml_free_buddy_list(walk, at, zone))
		;
	spin_unlock_irqrestore(&zone->lock, flags);
	mml_free_held(walk, since);
}

/* ---- those of a CPU ---- */

/* What a look at a CPU's lists is given. */
struct mml_free_look {
	struct mml_walk *walk;
	struct mml_free *at;
	struct zone *zone;
	unsigned int cpu;
};

/* Lists from that of @at on, those without a block left out. */
static void mml_free_look_at(void *arg)
{
	struct mml_free_look *look = arg;
	struct mml_free *at = look->at;
	const struct per_cpu_pages *pcp = mml_zone_pcp(look->zone, look->cpu);
	const unsigned int first = mml_cpu_first_list(look->cpu);
	u64 since = ktime_get_ns();

	while (at->list < first + MML_NR_CPU_LISTS) {
		const unsigned int n = at->list - first;
		const struct mml_free_list list = {
			.head	     = &pcp->lists[n],
			.cpu	     = look->cpu,
			.order	     = mml_cpu_list_order(n),
			.migratetype = mml_cpu_list_migratetype(n),
		};

		if (list_empty(list.head) && !at->position && !at->restarts)
			mml_free_begin_list(at, at->list + 1);
		else if (!mml_free_tell(look->walk, at, &list, look->zone))
			break;
	}
	mml_free_held(look->walk, since);
}

static void mml_free_cpu(struct mml_walk *walk, struct mml_free *at,
			 struct zone *zone)
{
	unsigned int cpu = (at->list - MML_BUDDY_LISTS) / MML_NR_CPU_LISTS;
	struct mml_free_look look = {
		.walk	= walk,
		.at	= at,
		.zone	= zone,
		.cpu	= cpumask_next((int)cpu - 1, cpu_online_mask),
	};

	if (look.cpu != cpu)
		mml_free_begin_list(at, mml_cpu_first_list(look.cpu));
	if (look.cpu >= nr_cpu_ids)
		return;
	walk->budget = MML_STEP_CPU_BLOCKS;
	if (!mml_cpu_lists(zone, look.cpu, mml_free_look_at, &look))
		mml_free_begin_list(at, mml_cpu_first_list(look.cpu + 1));
}

static int mml_walk_free_step(struct mml_walk *walk)
{
	struct mml_free at = mml_free_from(walk);
	struct zone *zone = mml_free_zone(&at);

	if (!zone)
		walk->done = true;
	else if (at.list < MML_BUDDY_LISTS)
		mml_free_buddy(walk, &at, zone);
	else
		mml_free_cpu(walk, &at, zone);
	mml_free_to(walk, &at);
	return 0;
}

const struct mml_walker mml_walk_free = {
	.name		= "free",
	.nr		= MMLENS_NR_FREE,
	.scope		= MML_OF_MACHINE,
	.step_room	= sizeof(struct mmlens_blocks) +
			  MML_STEP_CPU_BLOCKS * sizeof(u64),
	.step		= mml_walk_free_step,
};
