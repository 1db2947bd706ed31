// SPDX-License-Identifier: GPL-2.0-only
/* zones: watermarks, what the free pages mean against them, and kswapd. */
#include <inttypes.h>
#include <string.h>

#include "line.h"
#include "view.h"

/* Runs without success after which the kernel takes a node for hopeless. */
#define MAX_RECLAIM_RETRIES 16

/* What follows from the number of free pages (mm/page_alloc.c, mm/vmscan.c). */
static const struct {
	const char *name;
	const char *help;
} states[] = {
	{ "empty", "has no pages" },
	{ "above_high", "kswapd sleeps, or goes to sleep" },
	{ "below_high", "kswapd goes on until high if it was woken" },
	{ "below_low", "an allocation wakes kswapd" },
	{ "below_min", "allocations reclaim pages themselves" },
};

enum { EMPTY, ABOVE_HIGH, BELOW_HIGH, BELOW_LOW, BELOW_MIN };

static unsigned int state_of(const struct mmlens_zone *zone)
{
	if (!(zone->flags & MMLENS_ZONE_POPULATED))
		return EMPTY;
	if (zone->free >= zone->high)
		return ABOVE_HIGH;
	if (zone->free >= zone->low)
		return BELOW_HIGH;
	return zone->free >= zone->min ? BELOW_LOW : BELOW_MIN;
}

void zones_legend(FILE *out)
{
	fputs("\nState: the free pages against the watermarks\n", out);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		fprintf(out, "  %-10s %s\n", states[i].name, states[i].help);
	fputs("\nBar: free pages up to twice the high watermark, which l"
	      " (low), m (min) and h (high) mark; '>' is more\n", out);
}

static uint64_t kept_by_cpus(const struct mmlens_zone_state *zone)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < zone->pageset_count; i++)
		pages += zone->pagesets[i].count;
	return pages;
}

static bool is_hopeless(const struct mmlens_memnode *node)
{
	return node->kswapd_failures >= MAX_RECLAIM_RETRIES;
}

static const char *kswapd_state(const struct mmlens_memnode *node)
{
	return node->flags & MMLENS_NODE_KSWAPD_SLEEPS ? "sleeps" : "runs";
}

static const char *zone_name(const struct mmlens_node_state *node, size_t index)
{
	return index < node->zone_count ? node->zones[index].zone.name : "?";
}

/* ---- text ---- */

#define BAR 24

static void mark(char *bar, uint64_t at, uint64_t end, char letter)
{
	if (end && at < end)
		bar[at * BAR / end] = letter;
}

static void put_bar(struct line *l, const struct mmlens_zone *zone)
{
	uint64_t end = 2 * zone->high;
	size_t filled = 0;
	char bar[BAR];

	if (end)
		filled = zone->free < end ? zone->free * BAR / end : BAR;
	memset(bar, '=', filled);
	memset(bar + filled, ' ', BAR - filled);
	mark(bar, zone->low, end, 'l');
	mark(bar, zone->min, end, 'm');
	mark(bar, zone->high, end, 'h');
	line_char(l, '[');
	line_bytes(l, bar, sizeof(bar));
	line_char(l, zone->free > end ? '>' : ']');
}

static void put_amount(struct line *l, const struct view *v,
		       const struct zones_options *o, uint64_t pages)
{
	char room[TEXT_HUMAN];

	if (o->abbreviate)
		line_right(l, 9, text_human(room, pages <<
					    v->info->page_shift));
	else
		line_right_number(l, 9, pages);
}

/* Its members in the order of the columns. */
static void put_zone(struct view *v, const struct mmlens_zone_state *state,
		     const struct zones_options *o)
{
	const struct mmlens_zone *zone = &state->zone;
	const uint64_t amounts[] = {
		zone->spanned, zone->present, zone->managed, zone->free,
		kept_by_cpus(state), zone->min, zone->low, zone->high,
		zone->boost,
	};
	struct line line;

	line.length = 0;
	line_right_number(&line, 4, zone->node);
	line_string(&line, zone->name);
	line_pad(&line, 14);
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		put_amount(&line, v, o, amounts[i]);
	put_bar(&line, zone);
	line_char(&line, ' ');
	line_string(&line, states[state_of(zone)].name);
	line_end(&line, v);
}

static void put_heading(struct view *v)
{
	static const char *const names[] = {
		"SPANNED", "PRESENT", "MANAGED", "FREE", "CPUS", "MIN", "LOW",
		"HIGH", "BOOST",
	};
	struct line line;

	line.length = 0;
	line_string(&line, "NODE ZONE");
	line_pad(&line, 14);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		line_right(&line, 9, names[i]);
	line_pad(&line, line.length + BAR + 3);
	line_string(&line, "STATE");
	line_char(&line, '\0');
	view_heading(v, line.text);
}

static void put_kswapd(struct view *v, const struct mmlens_node_state *state)
{
	const struct mmlens_memnode *node = &state->node;

	fprintf(v->out, "node %" PRIu32 ": kswapd %s", node->node,
		kswapd_state(node));
	if (node->kswapd_zone < node->zones)
		fprintf(v->out, ", woken for order %" PRIu32 " up to %s",
			node->kswapd_order,
			zone_name(state, node->kswapd_zone));
	if (node->kswapd_failures)
		fprintf(v->out, ", %" PRIu32 " runs without success%s",
			node->kswapd_failures,
			is_hopeless(node) ? ": given up" : "");
	putc('\n', v->out);
}

/* What is kept from allocations that could be of a higher zone. */
static void put_reserve(struct view *v, const struct mmlens_node_state *node,
			const struct mmlens_zone_state *zone,
			const struct zones_options *o)
{
	const char *before = "";
	bool any = false;

	for (size_t i = zone->zone.index + 1; i < zone->reserve.count; i++) {
		char room[TEXT_HUMAN];
		uint64_t pages = zone->reserve.value[i];

		if (!pages)
			continue;
		if (!any)
			fprintf(v->out,
				"node %" PRIu32 " %s: kept from allocations of ",
				zone->zone.node, zone->zone.name);
		any = true;
		if (o->abbreviate)
			fprintf(v->out, "%s%s %s", before, zone_name(node, i),
				text_human(room, pages << v->info->page_shift));
		else
			fprintf(v->out, "%s%s %" PRIu64, before,
				zone_name(node, i), pages);
		before = ", ";
	}
	if (any)
		putc('\n', v->out);
}

static void put_cpus(struct view *v, const struct mmlens_zone_state *zone)
{
	for (size_t i = 0; i < zone->pageset_count; i++) {
		const struct mmlens_pageset *set = &zone->pagesets[i];

		fprintf(v->out, "node %" PRIu32 " %s: CPU %" PRIu32
			" keeps %" PRId32 " pages of %" PRId32
			" (%" PRId32 " to %" PRId32 "), %" PRId32
			" at a time\n", zone->zone.node, zone->zone.name,
			set->cpu, set->count, set->high, set->high_min,
			set->high_max, set->batch);
	}
}

void zones_text(struct view *v, const struct mmlens_zones *zones,
		const struct zones_options *o)
{
	put_heading(v);
	for (size_t i = 0; i < zones->count; i++)
		for (size_t j = 0; j < zones->nodes[i].zone_count; j++)
			if (state_of(&zones->nodes[i].zones[j].zone) != EMPTY)
				put_zone(v, &zones->nodes[i].zones[j], o);
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		put_kswapd(v, node);
		for (size_t j = 0; j < node->zone_count; j++) {
			if (state_of(&node->zones[j].zone) == EMPTY)
				continue;
			put_reserve(v, node, &node->zones[j], o);
			if (o->cpus)
				put_cpus(v, &node->zones[j]);
		}
	}
	view_hold(v, &zones->stats);
}

/* ---- JSON: pages ---- */

static struct json_object *pageset_object(const struct mmlens_pageset *set)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "cpu", set->cpu);
	json_add_number(o, "count", set->count);
	json_add_number(o, "high", set->high);
	json_add_number(o, "batch", set->batch);
	json_add_number(o, "high_min", set->high_min);
	json_add_number(o, "high_max", set->high_max);
	return o;
}

static struct json_object *reserve_object(const struct mmlens_node_state *node,
					  const struct mmlens_zone_state *zone)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = zone->zone.index + 1; i < zone->reserve.count; i++)
		json_add_number(o, zone_name(node, i), zone->reserve.value[i]);
	return o;
}

static struct json_object *zone_object(const struct mmlens_node_state *node,
				       const struct mmlens_zone_state *state)
{
	const struct mmlens_zone *zone = &state->zone;
	struct json_object *o = json_object_new_object();
	struct json_object *cpus = json_object_new_array();

	json_add_string(o, "zone", zone->name);
	json_add_string(o, "state", states[state_of(zone)].name);
	json_add_number(o, "start_pfn", zone->start_pfn);
	json_add_number(o, "spanned", zone->spanned);
	json_add_number(o, "present", zone->present);
	json_add_number(o, "managed", zone->managed);
	json_add_number(o, "cma", zone->cma);
	json_add_number(o, "free", zone->free);
	json_add_number(o, "min", zone->min);
	json_add_number(o, "low", zone->low);
	json_add_number(o, "high", zone->high);
	json_add_number(o, "boost", zone->boost);
	json_add_number(o, "reserved_highatomic", zone->highatomic);
	json_object_object_add(o, "reserve", reserve_object(node, state));
	for (size_t i = 0; i < state->pageset_count; i++)
		json_object_array_add(cpus,
				      pageset_object(&state->pagesets[i]));
	json_object_object_add(o, "cpus", cpus);
	return o;
}

static void put_node(struct view *v, const struct mmlens_node_state *state)
{
	const struct mmlens_memnode *node = &state->node;
	struct json_object *kswapd = json_object_new_object();

	json_begin(v, NULL, '{');
	json_put(v, "node", json_object_new_uint64(node->node));
	json_put(v, "present", json_object_new_uint64(node->present));
	json_put(v, "spanned", json_object_new_uint64(node->spanned));
	json_add_string(kswapd, "state", kswapd_state(node));
	if (node->kswapd_zone < node->zones) {
		json_add_number(kswapd, "order", node->kswapd_order);
		json_add_string(kswapd, "zone",
				zone_name(state, node->kswapd_zone));
	}
	json_add_number(kswapd, "failures", node->kswapd_failures);
	json_add_bool(kswapd, "given_up", is_hopeless(node));
	json_put(v, "kswapd", kswapd);
	json_begin(v, "zones", '[');
	for (size_t i = 0; i < state->zone_count; i++)
		json_put(v, NULL, zone_object(state, &state->zones[i]));
	json_end(v);
	json_end(v);
}

void zones_json(struct view *v, const struct mmlens_zones *zones)
{
	uint64_t count = 0;

	json_document(v);
	json_begin(v, "nodes", '[');
	for (size_t i = 0; i < zones->count; i++) {
		put_node(v, &zones->nodes[i]);
		count += zones->nodes[i].zone_count;
	}
	json_end(v);
	json_walk(v, "zones", count, &zones->stats);
	json_end(v);
}
