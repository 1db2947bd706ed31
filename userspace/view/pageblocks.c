// SPDX-License-Identifier: GPL-2.0-only
/* pageblocks: what each page block is for, by address. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

static const struct mmlens_zone *
zone_to_show(const struct free_memory *memory, const struct free_filter *filter,
	     const struct mmlens_pageblocks *run)
{
	const struct mmlens_zone *zone =
		mmlens_zones_find(memory->zones, run->node, run->zone);

	if (!zone || !free_filter_zone(filter, zone) ||
	    !free_filter_type(filter, run->migratetype))
		return NULL;
	return zone;
}

static uint64_t last_pfn(const struct mmlens_pageblocks *run)
{
	return run->pfn + ((uint64_t)run->count << run->order) - 1;
}

static void put_run(struct view *v, const struct mmlens_zone *zone,
		    const struct mmlens_pageblocks *run)
{
	struct line line;

	line.length = 0;
	line_number_right(&line, 4, run->node);
	line_char(&line, ' ');
	line_string(&line, zone->name);
	line_pad(&line, 14);
	line_string(&line, "0x");
	line_hex(&line, run->pfn, 9);
	line_string(&line, "-0x");
	line_hex(&line, last_pfn(run), 9);
	line_number_right(&line, 9, run->count);
	line_char(&line, ' ');
	line_string(&line, mmlens_migratetype_label(run->migratetype));
	line_end(&line, v);
}

void pageblocks_text(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter)
{
	view_heading(v, "NODE ZONE     FIRST PFN   LAST PFN       BLOCKS TYPE");
	for (size_t i = 0; i < memory->blocks->count; i++) {
		const struct mmlens_pageblocks *run = &memory->blocks->runs[i];
		const struct mmlens_zone *zone =
			zone_to_show(memory, filter, run);

		if (zone)
			put_run(v, zone, run);
	}
	fprintf(v->out, "order %u: %llu pages a block\n", memory->blocks->order,
		1ull << memory->blocks->order);
	view_hold(v, &memory->lists->stats);
}

void pageblocks_json(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter)
{
	uint64_t blocks = 0;

	json_document(v);
	json_put(v, "pageblock_order",
		 json_object_new_uint64(memory->blocks->order));
	json_begin(v, "runs", '[');
	for (size_t i = 0; i < memory->blocks->count; i++) {
		const struct mmlens_pageblocks *run = &memory->blocks->runs[i];
		const struct mmlens_zone *zone =
			zone_to_show(memory, filter, run);
		struct json_object *o;

		if (!zone)
			continue;
		o = json_object_new_object();
		json_add_number(o, "node", run->node);
		json_add_string(o, "zone", zone->name);
		json_add_number(o, "first_pfn", run->pfn);
		json_add_number(o, "last_pfn", last_pfn(run));
		json_add_number(o, "blocks", run->count);
		json_add_string(o, "migratetype",
				mmlens_migratetype_label(run->migratetype));
		json_put(v, NULL, o);
		blocks += run->count;
	}
	json_end(v);
	json_walk(v, "blocks", blocks, &memory->blocks->stats);
	json_end(v);
}
