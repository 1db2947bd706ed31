// SPDX-License-Identifier: GPL-2.0-only
/*
 * zoneinfo and buddyinfo, as the kernel's files: zoneinfo_show_print() and
 * frag_show_print() of mm/vmstat.c.
 */
#include <inttypes.h>
#include <string.h>

#include "view.h"

static bool is_populated(const struct mmlens_zone_state *zone)
{
	return zone->zone.flags & MMLENS_ZONE_POPULATED;
}

static bool is_first_populated(const struct mmlens_node_state *node,
			       const struct mmlens_zone_state *zone)
{
	for (size_t i = 0; i < node->zone_count; i++)
		if (is_populated(&node->zones[i]))
			return zone == &node->zones[i];
	return false;
}

/* ---- text ---- */

/* Lines of counters; both lists together are as long as the labels. */
static void put_counters(FILE *out, const struct mmlens_labels_list *labels,
			 const struct mmlens_numbers *first,
			 const struct mmlens_numbers *second)
{
	for (size_t i = 0; i < labels->count; i++) {
		uint64_t value = i < first->count ? first->value[i] :
				 second->value[i - first->count];

		fprintf(out, "\n%s%" PRIu64, labels->label[i], value);
	}
}

static void put_lines(FILE *out, const struct mmlens_labels_list *labels,
		      const struct mmlens_node_state *node,
		      const struct mmlens_zone_state *zone,
		      const struct mmlens_pageset *pageset)
{
	for (size_t i = 0; i < labels->count; i++) {
		int64_t value;

		if (mmlens_zoneinfo_value(labels->label[i], node, zone,
					  pageset, &value))
			fprintf(out, "\n%s%" PRId64, labels->label[i], value);
	}
}

static void put_protection(FILE *out, const struct mmlens_numbers *reserve)
{
	fputs("\n        protection: (", out);
	for (size_t i = 0; i < reserve->count; i++)
		fprintf(out, "%s%" PRId64, i ? ", " : "",
			(int64_t)reserve->value[i]);
	putc(')', out);
}

static void put_zone(FILE *out, const struct mmlens_zoneinfo_format *format,
		     const struct mmlens_node_state *node,
		     const struct mmlens_zone_state *zone)
{
	static const struct mmlens_numbers none;

	fprintf(out, "Node %" PRIu32 ", zone %8s", zone->zone.node,
		zone->zone.name);
	if (is_first_populated(node, zone)) {
		fputs("\n  per-node stats", out);
		put_counters(out, &format->node, &node->stats, &none);
	}
	put_lines(out, &format->head, node, zone, NULL);
	put_protection(out, &zone->reserve);
	if (is_populated(zone)) {
		put_counters(out, &format->stats, &zone->stats, &zone->numa);
		fputs("\n  pagesets", out);
		for (size_t i = 0; i < zone->pageset_count; i++) {
			fprintf(out, "\n    cpu: %" PRIu32,
				zone->pagesets[i].cpu);
			put_lines(out, &format->pageset, node, zone,
				  &zone->pagesets[i]);
		}
		put_lines(out, &format->tail, node, zone, NULL);
	}
	putc('\n', out);
}

void zoneinfo_text(struct view *v, const struct mmlens_zoneinfo_format *format,
		   const struct mmlens_zones *zones)
{
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++)
			put_zone(v->out, format, node, &node->zones[j]);
	}
	view_check(v);
}

void buddyinfo_text(struct view *v, const struct mmlens_zones *zones)
{
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++) {
			const struct mmlens_zone_state *zone = &node->zones[j];

			if (!is_populated(zone))
				continue;
			fprintf(v->out, "Node %" PRIu32 ", zone %8s ",
				zone->zone.node, zone->zone.name);
			for (size_t k = 0; k < zone->free.count; k++)
				fprintf(v->out, "%6" PRIu64 " ",
					zone->free.value[k]);
			putc('\n', v->out);
		}
	}
	view_check(v);
}

/* ---- JSON ---- */

static void add_label(struct json_object *o, const char *label, int64_t value)
{
	size_t length;
	const char *key = mmlens_zoneinfo_key(label, &length);
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)length, key);
	for (char *at = name; *at; at++)
		if (*at == ' ')
			*at = '_';
	json_object_object_add(o, name, json_object_new_int64(value));
}

static struct json_object *
counters_object(const struct mmlens_labels_list *labels, size_t first,
		const struct mmlens_numbers *numbers)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < numbers->count; i++)
		add_label(o, labels->label[first + i], numbers->value[i]);
	return o;
}

static void add_lines(struct json_object *o,
		      const struct mmlens_labels_list *labels,
		      const struct mmlens_node_state *node,
		      const struct mmlens_zone_state *zone,
		      const struct mmlens_pageset *pageset)
{
	for (size_t i = 0; i < labels->count; i++) {
		int64_t value;

		if (mmlens_zoneinfo_value(labels->label[i], node, zone,
					  pageset, &value))
			add_label(o, labels->label[i], value);
	}
}

static struct json_object *array_of(const struct mmlens_numbers *numbers)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < numbers->count; i++)
		json_object_array_add(
			a, json_object_new_int64(numbers->value[i]));
	return a;
}

static struct json_object *
pagesets_array(const struct mmlens_zoneinfo_format *format,
	       const struct mmlens_node_state *node,
	       const struct mmlens_zone_state *zone)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < zone->pageset_count; i++) {
		struct json_object *o = json_object_new_object();

		json_add_number(o, "cpu", zone->pagesets[i].cpu);
		add_lines(o, &format->pageset, node, zone, &zone->pagesets[i]);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *
zone_object(const struct mmlens_zoneinfo_format *format,
	    const struct mmlens_node_state *node,
	    const struct mmlens_zone_state *zone)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "zone", zone->zone.name);
	json_add_bool(o, "populated", is_populated(zone));
	add_lines(o, &format->head, node, zone, NULL);
	json_object_object_add(o, "protection", array_of(&zone->reserve));
	if (!is_populated(zone))
		return o;
	json_object_object_add(o, "stats",
			       counters_object(&format->stats, 0,
					       &zone->stats));
	json_object_object_add(o, "numa",
			       counters_object(&format->stats,
					       zone->stats.count, &zone->numa));
	json_object_object_add(o, "pagesets",
			       pagesets_array(format, node, zone));
	add_lines(o, &format->tail, node, zone, NULL);
	return o;
}

static uint64_t count_zones(const struct mmlens_zones *zones)
{
	uint64_t count = 0;

	for (size_t i = 0; i < zones->count; i++)
		count += zones->nodes[i].zone_count;
	return count;
}

void zoneinfo_json(struct view *v, const struct mmlens_zoneinfo_format *format,
		   const struct mmlens_zones *zones)
{
	json_document(v);
	json_begin(v, "nodes", '[');
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		json_begin(v, NULL, '{');
		json_put(v, "node", json_object_new_uint64(node->node.node));
		json_put(v, "stats",
			 counters_object(&format->node, 0, &node->stats));
		json_begin(v, "zones", '[');
		for (size_t j = 0; j < node->zone_count; j++)
			json_put(v, NULL, zone_object(format, node,
						      &node->zones[j]));
		json_end(v);
		json_end(v);
	}
	json_end(v);
	json_walk(v, "zones", count_zones(zones), &zones->stats);
	json_end(v);
}

void buddyinfo_json(struct view *v, const struct mmlens_zones *zones)
{
	json_document(v);
	json_begin(v, "zones", '[');
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++) {
			const struct mmlens_zone_state *zone = &node->zones[j];
			struct json_object *o;

			if (!is_populated(zone))
				continue;
			o = json_object_new_object();
			json_add_number(o, "node", zone->zone.node);
			json_add_string(o, "zone", zone->zone.name);
			json_object_object_add(o, "free_by_order",
					       array_of(&zone->free));
			json_put(v, NULL, o);
		}
	}
	json_end(v);
	json_walk(v, "zones", count_zones(zones), &zones->stats);
	json_end(v);
}
