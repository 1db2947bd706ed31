// SPDX-License-Identifier: LGPL-2.1-or-later
/* Nodes and zones: their records put together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int add_node(struct mmlens_zones *zones,
		    const struct mmlens_record *rec)
{
	struct mmlens_node_state *nodes;

	nodes = mmlens_grown(zones->nodes, zones->count, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	zones->nodes = nodes;
	nodes += zones->count++;
	*nodes = (struct mmlens_node_state) {};
	memcpy(&nodes->node, rec, sizeof(nodes->node));
	return 0;
}

static int add_zone(struct mmlens_node_state *node,
		    const struct mmlens_record *rec)
{
	struct mmlens_zone_state *zones;

	zones = mmlens_grown(node->zones, node->zone_count, sizeof(*zones));
	if (!zones)
		return -ENOMEM;
	node->zones = zones;
	zones += node->zone_count++;
	*zones = (struct mmlens_zone_state) {};
	memcpy(&zones->zone, rec, sizeof(zones->zone));
	zones->zone.name[sizeof(zones->zone.name) - 1] = '\0';
	return 0;
}

static int add_pageset(struct mmlens_zone_state *zone,
		       const struct mmlens_record *rec)
{
	struct mmlens_pageset *sets;

	sets = mmlens_grown(zone->pagesets, zone->pageset_count, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	zone->pagesets = sets;
	memcpy(sets + zone->pageset_count++, rec, sizeof(*sets));
	return 0;
}

static struct mmlens_numbers *numbers_of(struct mmlens_node_state *node,
					 struct mmlens_zone_state *zone,
					 uint32_t kind)
{
	if (kind == MMLENS_COUNTERS_NODE)
		return &node->stats;
	if (!zone)
		return NULL;
	switch (kind) {
	case MMLENS_COUNTERS_ZONE:
		return &zone->stats;
	case MMLENS_COUNTERS_NUMA:
		return &zone->numa;
	case MMLENS_COUNTERS_RESERVE:
		return &zone->reserve;
	case MMLENS_COUNTERS_FREE:
		return &zone->free;
	}
	return NULL;
}

/* A kind that isn't known is a newer module's. */
static int add_counters(struct mmlens_node_state *node,
			struct mmlens_zone_state *zone,
			const struct mmlens_record *rec)
{
	const struct mmlens_counters *counters = (const void *)rec;
	size_t bytes = rec->size - sizeof(*counters);
	struct mmlens_numbers *numbers = numbers_of(node, zone, counters->kind);

	if (!numbers)
		return 0;
	free(numbers->value);
	numbers->count = 0;
	numbers->value = malloc(bytes + 1);
	if (!numbers->value)
		return -ENOMEM;
	memcpy(numbers->value, counters->value, bytes);
	numbers->count = bytes / sizeof(uint64_t);
	return 0;
}

static int add_part(struct mmlens_zones *zones, const struct mmlens_record *rec)
{
	struct mmlens_zone_state *zone = NULL;
	struct mmlens_node_state *node;

	if (rec->type == MMLENS_REC_MEMNODE)
		return add_node(zones, rec);
	if (!zones->count)
		return -EPROTO;
	node = &zones->nodes[zones->count - 1];
	if (rec->type == MMLENS_REC_ZONE)
		return add_zone(node, rec);
	if (node->zone_count)
		zone = &node->zones[node->zone_count - 1];
	if (rec->type == MMLENS_REC_COUNTERS)
		return add_counters(node, zone, rec);
	if (rec->type == MMLENS_REC_PAGESET)
		return zone ? add_pageset(zone, rec) : -EPROTO;
	return 0;
}

static int read_all(struct mmlens_zones *zones, struct mmlens *lens)
{
	struct mmlens_request request = {};
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_ZONES, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		ret = add_part(zones, rec);
		if (ret)
			break;
	}
	zones->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret;
}

struct mmlens_zones *mmlens_zones_read(struct mmlens *lens)
{
	struct mmlens_zones *zones = calloc(1, sizeof(*zones));
	int ret;

	if (!zones)
		return NULL;
	ret = read_all(zones, lens);
	if (!ret)
		return zones;
	mmlens_zones_free(zones);
	errno = -ret;
	return NULL;
}

const struct mmlens_zone *mmlens_zones_find(const struct mmlens_zones *zones,
					    uint32_t node, unsigned int index)
{
	for (size_t i = 0; i < zones->count; i++)
		if (zones->nodes[i].node.node == node &&
		    index < zones->nodes[i].zone_count)
			return &zones->nodes[i].zones[index].zone;
	return NULL;
}

static void free_zone(struct mmlens_zone_state *zone)
{
	free(zone->reserve.value);
	free(zone->stats.value);
	free(zone->numa.value);
	free(zone->free.value);
	free(zone->pagesets);
}

void mmlens_zones_free(struct mmlens_zones *zones)
{
	if (!zones)
		return;
	for (size_t i = 0; i < zones->count; i++) {
		struct mmlens_node_state *node = &zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++)
			free_zone(&node->zones[j]);
		free(node->zones);
		free(node->stats.value);
	}
	free(zones->nodes);
	free(zones);
}
