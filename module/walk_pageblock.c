// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_PAGEBLOCKS: what each page block is for.
 *
 * Locking: none; an RCU section keeps the bits of a section that goes away.
 * Blocks change their type at any time.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "compat/memmap.h"
#include "compat/pageblock.h"
#include "core.h"

/* Blocks that one step looks at. */
#define MML_STEP_PAGEBLOCKS	1024

/* A block as its record will have it; false where all of it is offline. */
static bool mml_pageblock_look(struct mmlens_pageblocks *rec,
			       unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	struct zone *zone;

	if (!page)
		return false;
	/* A section may have more pages than its zone. */
	zone = page_zone(page);
	if (pfn + pageblock_nr_pages <= zone->zone_start_pfn ||
	    pfn >= zone_end_pfn(zone))
		return false;
	*rec = (struct mmlens_pageblocks){
		.node	     = zone_to_nid(zone),
		.pfn	     = pfn,
		.count	     = 1,
		.zone	     = zone_idx(zone),
		.order	     = pageblock_order,
		.migratetype = mml_pageblock_migratetype(page, pfn),
	};
	return true;
}

/* The next block that may be online. */
static unsigned long mml_pageblock_next(unsigned long pfn, unsigned long last)
{
	unsigned long next = round_down(mml_memmap_next(pfn, last),
					pageblock_nr_pages);

	return max(next, pfn + pageblock_nr_pages);
}

static bool mml_pageblocks_alike(const struct mmlens_pageblocks *a,
				 const struct mmlens_pageblocks *b)
{
	return a->node == b->node && a->zone == b->zone &&
	       a->migratetype == b->migratetype &&
	       a->pfn + ((u64)a->count << a->order) == b->pfn;
}

static void mml_pageblocks_flush(struct mml_walk *walk,
				 struct mmlens_pageblocks *run)
{
	struct mmlens_pageblocks *rec;

	if (!run->count)
		return;
	rec = mml_sink_end(&walk->sink, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	*rec = *run;
	mml_sink_commit(&walk->sink, MMLENS_REC_PAGEBLOCKS, 0, sizeof(*rec));
	run->count = 0;
}

/* Blocks from the cursor on, up to @last; the room is at least one record's. */
static void mml_pageblocks_scan(struct mml_walk *walk, unsigned long last)
{
	struct mmlens_pageblocks run = {}, next;

	while (walk->cursor < last && mml_walk_charge(walk, 1)) {
		if (!mml_pageblock_look(&next, walk->cursor)) {
			walk->cursor = mml_pageblock_next(walk->cursor, last);
			continue;
		}
		if (run.count && mml_pageblocks_alike(&run, &next)) {
			run.count++;
		} else {
			mml_pageblocks_flush(walk, &run);
			if (mml_sink_room(&walk->sink) < sizeof(next))
				break;
			run = next;
		}
		walk->cursor += pageblock_nr_pages;
	}
	mml_pageblocks_flush(walk, &run);
}

static int mml_walk_pageblocks_step(struct mml_walk *walk)
{
	unsigned long last = min(walk->end, mml_memmap_end());

	walk->budget = MML_STEP_PAGEBLOCKS;
	walk->cursor = round_down(walk->cursor, pageblock_nr_pages);
	rcu_read_lock();
	mml_pageblocks_scan(walk, last);
	rcu_read_unlock();
	walk->done = walk->cursor >= last;
	return 0;
}

const struct mml_walker mml_walk_pageblocks = {
	.name		= "pageblock",
	.nr		= MMLENS_NR_PAGEBLOCKS,
	.scope		= MML_OF_RANGE,
	.step_room	= sizeof(struct mmlens_pageblocks),
	.step		= mml_walk_pageblocks_step,
};
