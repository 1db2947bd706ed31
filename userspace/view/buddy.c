// SPDX-License-Identifier: GPL-2.0-only
/* buddy and pagetypeinfo: free blocks by order and migratetype. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "line.h"
#include "view.h"

#define MIGRATETYPES (MMLENS_MIGRATE_OTHER + 1)

bool free_filter_zone(const struct free_filter *f,
		      const struct mmlens_zone *zone)
{
	if (!(zone->flags & MMLENS_ZONE_POPULATED))
		return false;
	return (f->node < 0 || (uint32_t)f->node == zone->node) &&
	       (!f->zone || !strcasecmp(f->zone, zone->name));
}

bool free_filter_type(const struct free_filter *f, unsigned int migratetype)
{
	return f->migratetype < 0 ||
	       (unsigned int)f->migratetype == migratetype;
}

bool free_filter_list(const struct free_filter *f,
		      const struct mmlens_free_list *list)
{
	return free_filter_type(f, list->migratetype) &&
	       (f->order < 0 || (unsigned int)f->order == list->order);
}

static bool is_of_zone(const struct mmlens_free_list *list,
		       const struct mmlens_zone *zone)
{
	return list->node == zone->node && list->zone == zone->index;
}

uint32_t free_types(const struct free_memory *memory)
{
	uint32_t types = 0;

	for (size_t i = 0; i < memory->lists->count; i++)
		if (memory->lists->lists[i].cpu < 0 &&
		    memory->lists->lists[i].migratetype < MIGRATETYPES)
			types |= 1u << memory->lists->lists[i].migratetype;
	return types;
}

static const struct mmlens_free_list *
find_list(const struct free_memory *memory, const struct mmlens_zone *zone,
	  unsigned int order, unsigned int migratetype)
{
	const struct mmlens_free_lists *lists = memory->lists;

	for (size_t i = 0; i < lists->count; i++) {
		const struct mmlens_free_list *list = &lists->lists[i];

		if (list->cpu < 0 && is_of_zone(list, zone) &&
		    list->order == order && list->migratetype == migratetype)
			return list;
	}
	return NULL;
}

uint64_t free_blocks_of(const struct free_memory *memory,
			const struct mmlens_zone *zone, unsigned int order,
			unsigned int migratetype)
{
	const struct mmlens_free_list *list =
		find_list(memory, zone, order, migratetype);

	return list ? list->count : 0;
}

static unsigned int orders(const struct free_memory *memory)
{
	unsigned int most = 0;

	for (size_t i = 0; i < memory->lists->count; i++)
		if (memory->lists->lists[i].cpu < 0 &&
		    memory->lists->lists[i].order >= most)
			most = memory->lists->lists[i].order + 1;
	return most;
}

/* ---- zones in order ---- */

typedef void (*show_zone)(struct view *v, const struct free_memory *memory,
			  const struct mmlens_zone *zone,
			  const struct free_filter *filter);

static void each_zone(struct view *v, const struct free_memory *memory,
		      const struct free_filter *filter, show_zone show)
{
	const struct mmlens_zones *zones = memory->zones;

	for (size_t i = 0; i < zones->count; i++)
		for (size_t j = 0; j < zones->nodes[i].zone_count; j++)
			if (free_filter_zone(filter,
					     &zones->nodes[i].zones[j].zone))
				show(v, memory, &zones->nodes[i].zones[j].zone,
				     filter);
}

/* ---- buddy: a table for each zone ---- */

struct totals {
	uint64_t blocks;
	uint64_t pages;
	uint64_t cpus;
	bool cut;
};

static struct totals totals_of(const struct free_memory *memory,
			       const struct mmlens_zone *zone)
{
	struct totals t = {};

	for (size_t i = 0; i < memory->lists->count; i++) {
		const struct mmlens_free_list *list = &memory->lists->lists[i];

		if (!is_of_zone(list, zone))
			continue;
		t.cut |= list->cut;
		if (list->cpu >= 0) {
			t.cpus += (uint64_t)list->count << list->order;
			continue;
		}
		t.blocks += list->count;
		t.pages += (uint64_t)list->count << list->order;
	}
	return t;
}

static void put_zone_head(struct view *v, const struct free_memory *memory,
			  const struct mmlens_zone *zone,
			  const struct free_filter *filter)
{
	const struct totals t = totals_of(memory, zone);
	const uint32_t types = free_types(memory);
	struct line line = {};

	fprintf(v->out, "node %" PRIu32 ", zone %s: %" PRIu64
		" pages in %" PRIu64 " free blocks, %" PRIu64
		" pages kept by CPUs%s\n", zone->node, zone->name, t.pages,
		t.blocks, t.cpus, t.cut ? " (+: and more)" : "");
	line_string(&line, " ORDER   SIZE");
	for (unsigned int type = 0; type < MIGRATETYPES; type++)
		if (types >> type & 1 && free_filter_type(filter, type)) {
			line_char(&line, ' ');
			line_right(&line, 11, mmlens_migratetype_label(type));
			line.length--;
		}
	line_char(&line, '\0');
	view_heading(v, line.text);
}

static void put_count(struct line *l, const struct mmlens_free_list *list)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu%s", list ? list->count : 0,
		 list && list->cut ? "+" : "");
	line_char(l, ' ');
	line_right(l, 11, text);
	l->length--;
}

static void put_order(struct view *v, const struct free_memory *memory,
		      const struct mmlens_zone *zone, unsigned int order,
		      const struct free_filter *filter)
{
	const uint32_t types = free_types(memory);
	char room[TEXT_HUMAN];
	struct line line = {};

	line_number_right(&line, 6, order);
	line_char(&line, ' ');
	line_right(&line, 6,
		   text_human(room, 1ull << (v->info->page_shift + order)));
	line.length--;
	for (unsigned int type = 0; type < MIGRATETYPES; type++)
		if (types >> type & 1 && free_filter_type(filter, type))
			put_count(&line, find_list(memory, zone, order, type));
	line_end(&line, v);
}

/* What a CPU keeps: its lists stand together. */
static void put_cpu(struct view *v, const struct mmlens_free_list *list,
		    size_t left, const struct mmlens_zone *zone,
		    const struct free_filter *filter)
{
	const int32_t cpu = list->cpu;
	const char *before = "";

	for (; left && list->cpu == cpu && is_of_zone(list, zone);
	     list++, left--) {
		if (!free_filter_list(filter, list))
			continue;
		if (!*before)
			fprintf(v->out, " CPU %" PRId32 ":", cpu);
		fprintf(v->out, "%s order %u %s %zu%s", before, list->order,
			mmlens_migratetype_label(list->migratetype),
			list->count, list->cut ? "+" : "");
		before = ",";
	}
	if (*before)
		putc('\n', v->out);
}

static void put_cpus(struct view *v, const struct free_memory *memory,
		     const struct mmlens_zone *zone,
		     const struct free_filter *filter)
{
	const struct mmlens_free_list *lists = memory->lists->lists;
	const size_t count = memory->lists->count;

	for (size_t i = 0; i < count; i++)
		if (lists[i].cpu >= 0 && is_of_zone(&lists[i], zone) &&
		    (!i || lists[i - 1].cpu != lists[i].cpu ||
		     !is_of_zone(&lists[i - 1], zone)))
			put_cpu(v, &lists[i], count - i, zone, filter);
}

static void put_zone(struct view *v, const struct free_memory *memory,
		     const struct mmlens_zone *zone,
		     const struct free_filter *filter)
{
	const unsigned int end = orders(memory);

	put_zone_head(v, memory, zone, filter);
	for (unsigned int order = 0; order < end; order++)
		if (filter->order < 0 || (unsigned int)filter->order == order)
			put_order(v, memory, zone, order, filter);
	put_cpus(v, memory, zone, filter);
}

void view_hold(struct view *v, const struct mmlens_stats *stats)
{
	fprintf(v->out, "longest lock hold %" PRIu64 ".%" PRIu64 " us",
		stats->max_hold_ns / 1000, stats->max_hold_ns % 1000 / 100);
	if (stats->restarts)
		fprintf(v->out, ", %" PRIu64 " restarts", stats->restarts);
	putc('\n', v->out);
	view_check(v);
}

void buddy_text(struct view *v, const struct free_memory *memory,
		const struct free_filter *filter)
{
	each_zone(v, memory, filter, put_zone);
	view_hold(v, &memory->lists->stats);
}

/* ---- buddy --list: each block ---- */

static void put_block(struct view *v, const struct mmlens_zone *zone,
		      const struct mmlens_free_list *list, size_t position)
{
	struct line line;

	line.length = 0;
	line_number_right(&line, 4, list->node);
	line_char(&line, ' ');
	line_string(&line, zone->name);
	line_pad(&line, 14);
	if (list->cpu >= 0)
		line_number_right(&line, 4, list->cpu);
	else
		line_string(&line, "   -");
	line_number_right(&line, 6, list->order);
	line_char(&line, ' ');
	line_string(&line, mmlens_migratetype_label(list->migratetype));
	line_pad(&line, 37);
	line_number_right(&line, 9, position);
	line_string(&line, " 0x");
	line_hex(&line, list->pfn[position], 1);
	line_end(&line, v);
}

static void put_blocks(struct view *v, const struct free_memory *memory,
		       const struct mmlens_zone *zone,
		       const struct free_filter *filter)
{
	for (size_t i = 0; i < memory->lists->count; i++) {
		const struct mmlens_free_list *list = &memory->lists->lists[i];

		if (!is_of_zone(list, zone) || !free_filter_list(filter, list))
			continue;
		for (size_t j = 0; j < list->count; j++)
			put_block(v, zone, list, j);
	}
}

void buddy_list_text(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter)
{
	view_heading(v, "NODE ZONE       CPU ORDER TYPE         POSITION PFN");
	each_zone(v, memory, filter, put_blocks);
	view_hold(v, &memory->lists->stats);
}

/* ---- buddy --json ---- */

static struct json_object *list_object(const struct mmlens_zone *zone,
				       const struct mmlens_free_list *list,
				       bool each)
{
	struct json_object *o = json_object_new_object();
	struct json_object *pfns;

	json_add_number(o, "node", list->node);
	json_add_string(o, "zone", zone->name);
	if (list->cpu >= 0)
		json_add_number(o, "cpu", list->cpu);
	json_add_number(o, "order", list->order);
	json_add_string(o, "migratetype",
			mmlens_migratetype_label(list->migratetype));
	json_add_number(o, "blocks", list->count);
	json_add_bool(o, "cut", list->cut);
	if (!each)
		return o;
	pfns = json_object_new_array();
	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(pfns,
				      json_object_new_uint64(list->pfn[i]));
	json_object_object_add(o, "pfns", pfns);
	return o;
}

void buddy_json(struct view *v, const struct free_memory *memory,
		const struct free_filter *filter, bool each)
{
	const struct mmlens_zones *zones = memory->zones;
	uint64_t blocks = 0;

	json_document(v);
	json_begin(v, "lists", '[');
	for (size_t i = 0; i < memory->lists->count; i++) {
		const struct mmlens_free_list *list = &memory->lists->lists[i];
		const struct mmlens_zone *zone =
			mmlens_zones_find(zones, list->node, list->zone);

		if (!zone || !free_filter_zone(filter, zone) ||
		    !free_filter_list(filter, list))
			continue;
		json_put(v, NULL, list_object(zone, list, each));
		blocks += list->count;
	}
	json_end(v);
	json_walk(v, "blocks", blocks, &memory->lists->stats);
	json_end(v);
}

/* ---- pagetypeinfo, as pagetypeinfo_show() of mm/vmstat.c ---- */

static void put_free_types(struct view *v, const struct free_memory *memory,
			   const struct mmlens_zone *zone,
			   const struct free_filter *filter)
{
	const uint32_t types = free_types(memory);
	const unsigned int end = orders(memory);

	(void)filter;
	for (unsigned int type = 0; type < MIGRATETYPES; type++) {
		if (!(types >> type & 1))
			continue;
		fprintf(v->out, "Node %4" PRIu32 ", zone %8s, type %12s ",
			zone->node, zone->name, mmlens_migratetype_label(type));
		for (unsigned int order = 0; order < end; order++)
			fprintf(v->out, "%6" PRIu64 " ",
				free_blocks_of(memory, zone, order, type));
		putc('\n', v->out);
	}
}

static uint64_t pageblocks_of(const struct free_memory *memory,
			      const struct mmlens_zone *zone,
			      unsigned int migratetype)
{
	uint64_t count = 0;

	for (size_t i = 0; i < memory->blocks->count; i++) {
		const struct mmlens_pageblocks *run = &memory->blocks->runs[i];

		if (run->node == zone->node && run->zone == zone->index &&
		    run->migratetype == migratetype)
			count += run->count;
	}
	return count;
}

static void put_block_types(struct view *v, const struct free_memory *memory,
			    const struct mmlens_zone *zone,
			    const struct free_filter *filter)
{
	const uint32_t types = free_types(memory);

	(void)filter;
	fprintf(v->out, "Node %" PRIu32 ", zone %8s ", zone->node, zone->name);
	for (unsigned int type = 0; type < MIGRATETYPES; type++)
		if (types >> type & 1)
			fprintf(v->out, "%12" PRIu64 " ",
				pageblocks_of(memory, zone, type));
	putc('\n', v->out);
}

static void put_node_types(struct view *v, const struct free_memory *memory,
			   int node)
{
	const struct free_filter filter = { node, NULL, -1, -1 };
	const uint32_t types = free_types(memory);
	const unsigned int end = orders(memory);

	fprintf(v->out, "Page block order: %u\nPages per block:  %llu\n\n",
		memory->blocks->order, 1ull << memory->blocks->order);
	fprintf(v->out, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned int order = 0; order < end; order++)
		fprintf(v->out, "%6u ", order);
	putc('\n', v->out);
	each_zone(v, memory, &filter, put_free_types);
	fprintf(v->out, "\n%-23s", "Number of blocks type ");
	for (unsigned int type = 0; type < MIGRATETYPES; type++)
		if (types >> type & 1)
			fprintf(v->out, "%12s ", mmlens_migratetype_label(type));
	putc('\n', v->out);
	each_zone(v, memory, &filter, put_block_types);
}

void pagetypeinfo_text(struct view *v, const struct free_memory *memory)
{
	for (size_t i = 0; i < memory->zones->count; i++)
		if (memory->zones->nodes[i].node.present)
			put_node_types(v, memory,
				       memory->zones->nodes[i].node.node);
	view_check(v);
}

static struct json_object *types_object(const struct free_memory *memory,
					const struct mmlens_zone *zone)
{
	struct json_object *o = json_object_new_object();
	const uint32_t types = free_types(memory);
	const unsigned int end = orders(memory);

	for (unsigned int type = 0; type < MIGRATETYPES; type++) {
		struct json_object *of = json_object_new_object();
		struct json_object *by_order = json_object_new_array();

		if (!(types >> type & 1)) {
			json_object_put(of);
			json_object_put(by_order);
			continue;
		}
		for (unsigned int order = 0; order < end; order++)
			json_object_array_add(by_order, json_object_new_uint64(
				free_blocks_of(memory, zone, order, type)));
		json_object_object_add(of, "free_by_order", by_order);
		json_add_number(of, "pageblocks",
				pageblocks_of(memory, zone, type));
		json_object_object_add(o, mmlens_migratetype_label(type), of);
	}
	return o;
}

static void put_types_object(struct view *v, const struct free_memory *memory,
			     const struct mmlens_zone *zone,
			     const struct free_filter *filter)
{
	struct json_object *o = json_object_new_object();

	(void)filter;
	json_add_number(o, "node", zone->node);
	json_add_string(o, "zone", zone->name);
	json_object_object_add(o, "migratetypes", types_object(memory, zone));
	json_put(v, NULL, o);
}

void pagetypeinfo_json(struct view *v, const struct free_memory *memory)
{
	const struct free_filter all = { -1, NULL, -1, -1 };
	uint64_t blocks = 0;

	for (size_t i = 0; i < memory->lists->count; i++)
		blocks += memory->lists->lists[i].count;
	json_document(v);
	json_put(v, "pageblock_order",
		 json_object_new_uint64(memory->blocks->order));
	json_begin(v, "zones", '[');
	each_zone(v, memory, &all, put_types_object);
	json_end(v);
	json_walk(v, "blocks", blocks, &memory->lists->stats);
	json_end(v);
}
