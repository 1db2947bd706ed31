// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_ZONES: the nodes' memory, its zones and what each CPU keeps of them,
 * as zoneinfo_show_print() of mm/vmstat.c has it.
 *
 * Locking: none.  Each number is read once, as the kernel's own files do it;
 * two of them may be of different moments.  Nodes and zones are never freed.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "compat/zone.h"
#include "core.h"

/* CPUs that one step looks at. */
#define MML_STEP_CPUS	64

/*
 * A cursor is what comes next: a node (@slot 0), a zone of it (@slot - 1) or
 * the parts of CPUs from @cpu - 1 on of that zone.
 */
struct mml_zone_at {
	unsigned int node;
	unsigned int slot;
	unsigned int cpu;
};

#define MML_ZONE_CPU_BITS	16
#define MML_ZONE_SLOTS		(MAX_NR_ZONES + 1)

static struct mml_zone_at mml_zone_at(unsigned long cursor)
{
	const unsigned long place = cursor >> MML_ZONE_CPU_BITS;

	return (struct mml_zone_at){
		.node = min_t(unsigned long, place / MML_ZONE_SLOTS,
			      MAX_NUMNODES),
		.slot = place % MML_ZONE_SLOTS,
		.cpu  = cursor & ((1UL << MML_ZONE_CPU_BITS) - 1),
	};
}

static unsigned long mml_zone_cursor(const struct mml_zone_at *at)
{
	unsigned long place = (unsigned long)at->node * MML_ZONE_SLOTS +
			      at->slot;

	BUILD_BUG_ON(NR_CPUS >= 1UL << MML_ZONE_CPU_BITS);
	return place << MML_ZONE_CPU_BITS | at->cpu;
}

/* ---- records ---- */

#define MML_COUNTERS_SIZE(n)	(sizeof(struct mmlens_counters) + \
				 (n) * sizeof(u64))

/* The most that one place of the cursor takes. */
#define MML_ZONE_ROOM	(sizeof(struct mmlens_memnode) + \
			 sizeof(struct mmlens_zone) + \
			 MML_COUNTERS_SIZE(NR_VM_NODE_STAT_ITEMS) + \
			 MML_COUNTERS_SIZE(NR_VM_ZONE_STAT_ITEMS) + \
			 MML_COUNTERS_SIZE(MML_NR_NUMA_EVENTS) + \
			 MML_COUNTERS_SIZE(MAX_NR_ZONES) + \
			 MML_COUNTERS_SIZE(MML_NR_ORDERS))

/* Room for @n numbers; there is some, step_room has seen to it. */
static u64 *mml_zone_counters(struct mml_walk *walk, u32 kind, unsigned int n)
{
	struct mmlens_counters *rec;

	rec = mml_emit(&walk->sink, MMLENS_REC_COUNTERS, 0,
		       MML_COUNTERS_SIZE(n));
	if (WARN_ON_ONCE(!rec))
		return NULL;
	rec->kind = kind;
	return rec->value;
}

static void mml_zone_emit_node(struct mml_walk *walk, pg_data_t *node)
{
	struct mmlens_memnode *rec;
	unsigned int i;
	u64 *value;

	rec = mml_emit(&walk->sink, MMLENS_REC_MEMNODE, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	/* What it is now, for nobody who waits: no barrier. */
	if (waitqueue_active(&node->kswapd_wait))
		rec->flags |= MMLENS_NODE_KSWAPD_SLEEPS;
	rec->node = node->node_id;
	rec->zones = MAX_NR_ZONES;
	rec->kswapd_order = READ_ONCE(node->kswapd_order);
	rec->kswapd_zone = READ_ONCE(node->kswapd_highest_zoneidx);
	rec->kswapd_failures = mml_node_kswapd_failures(node);
	rec->start_pfn = node->node_start_pfn;
	rec->spanned = node->node_spanned_pages;
	rec->present = node->node_present_pages;

	value = mml_zone_counters(walk, MMLENS_COUNTERS_NODE,
				  NR_VM_NODE_STAT_ITEMS);
	for (i = 0; value && i < NR_VM_NODE_STAT_ITEMS; i++)
		value[i] = mml_node_stat(node, i);
}

static void mml_zone_emit_counters(struct mml_walk *walk, struct zone *zone)
{
	unsigned int i;
	u64 *value;

	value = mml_zone_counters(walk, MMLENS_COUNTERS_RESERVE, MAX_NR_ZONES);
	for (i = 0; value && i < MAX_NR_ZONES; i++)
		value[i] = READ_ONCE(zone->lowmem_reserve[i]);
	if (!populated_zone(zone))
		return;
	value = mml_zone_counters(walk, MMLENS_COUNTERS_ZONE,
				  NR_VM_ZONE_STAT_ITEMS);
	for (i = 0; value && i < NR_VM_ZONE_STAT_ITEMS; i++)
		value[i] = zone_page_state(zone, i);
	value = mml_zone_counters(walk, MMLENS_COUNTERS_NUMA,
				  MML_NR_NUMA_EVENTS);
	for (i = 0; value && i < MML_NR_NUMA_EVENTS; i++)
		value[i] = mml_zone_numa_event(zone, i);
	value = mml_zone_counters(walk, MMLENS_COUNTERS_FREE, MML_NR_ORDERS);
	for (i = 0; value && i < MML_NR_ORDERS; i++)
		value[i] = READ_ONCE(zone->free_area[i].nr_free);
}

static void mml_zone_emit(struct mml_walk *walk, struct zone *zone)
{
	struct mmlens_zone *rec;

	rec = mml_emit(&walk->sink, MMLENS_REC_ZONE, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	if (populated_zone(zone))
		rec->flags |= MMLENS_ZONE_POPULATED;
	rec->node = zone_to_nid(zone);
	rec->index = zone_idx(zone);
	rec->start_pfn = zone->zone_start_pfn;
	rec->spanned = zone->spanned_pages;
	rec->present = zone->present_pages;
	rec->managed = zone_managed_pages(zone);
	rec->cma = mml_zone_cma(zone);
	rec->free = zone_page_state(zone, NR_FREE_PAGES);
	rec->boost = READ_ONCE(zone->watermark_boost);
	rec->min = min_wmark_pages(zone);
	rec->low = low_wmark_pages(zone);
	rec->high = high_wmark_pages(zone);
	rec->promo = mml_zone_promo(zone);
	rec->highatomic = READ_ONCE(zone->nr_reserved_highatomic);
	rec->highatomic_free = mml_zone_free_highatomic(zone);
	strscpy(rec->name, zone->name, sizeof(rec->name));
	mml_zone_emit_counters(walk, zone);
}

static void mml_zone_emit_pageset(struct mml_walk *walk, struct zone *zone,
				  unsigned int cpu)
{
	const struct per_cpu_pages *pcp = mml_zone_pcp(zone, cpu);
	struct mmlens_pageset *rec;

	rec = mml_emit(&walk->sink, MMLENS_REC_PAGESET, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	rec->cpu = cpu;
	rec->count = READ_ONCE(pcp->count);
	rec->high = READ_ONCE(pcp->high);
	rec->batch = READ_ONCE(pcp->batch);
	rec->high_min = mml_pcp_high_min(pcp);
	rec->high_max = mml_pcp_high_max(pcp);
	rec->stat_threshold = mml_zone_stat_threshold(zone, cpu);
}

/* ---- the walk ---- */

/* Parts of CPUs, as many as a step looks at. */
static void mml_zone_cpus(struct mml_walk *walk, struct mml_zone_at *at,
			  struct zone *zone)
{
	unsigned int n, cpu = at->cpu - 1;

	for (n = 0; n < MML_STEP_CPUS; n++) {
		/* The caller's cursor may say anything. */
		if (cpu < nr_cpu_ids)
			cpu = cpumask_next((int)cpu - 1, cpu_online_mask);
		if (cpu >= nr_cpu_ids) {
			at->slot++;
			at->cpu = 0;
			return;
		}
		if (mml_sink_room(&walk->sink) < sizeof(struct mmlens_pageset))
			break;
		mml_zone_emit_pageset(walk, zone, cpu);
		cpu++;
	}
	at->cpu = cpu + 1;
}

static void mml_zone_slot(struct mml_walk *walk, struct mml_zone_at *at)
{
	pg_data_t *node = NODE_DATA(at->node);
	struct zone *zone;

	if (!at->slot) {
		mml_zone_emit_node(walk, node);
		at->slot++;
		return;
	}
	zone = &node->node_zones[at->slot - 1];
	if (at->cpu) {
		mml_zone_cpus(walk, at, zone);
		return;
	}
	mml_zone_emit(walk, zone);
	if (populated_zone(zone))
		at->cpu = 1;
	else
		at->slot++;
}

static int mml_walk_zones_step(struct mml_walk *walk)
{
	struct mml_zone_at at = mml_zone_at(walk->cursor);

	while (at.node < MAX_NUMNODES && !node_online(at.node))
		at = (struct mml_zone_at){ .node = at.node + 1 };
	if (at.node >= MAX_NUMNODES) {
		walk->done = true;
		return 0;
	}
	mml_zone_slot(walk, &at);
	if (at.slot == MML_ZONE_SLOTS)
		at = (struct mml_zone_at){ .node = at.node + 1 };
	walk->cursor = mml_zone_cursor(&at);
	return 0;
}

const struct mml_walker mml_walk_zones = {
	.name		= "zone",
	.nr		= MMLENS_NR_ZONES,
	.scope		= MML_OF_MACHINE,
	.step_room	= MML_ZONE_ROOM,
	.step		= mml_walk_zones_step,
};
