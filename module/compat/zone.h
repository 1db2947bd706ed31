/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zones: their per-CPU parts, and what newer kernels keep of them.
 *
 *   5.11    CMA's pages are counted by zone
 *   5.14    struct per_cpu_pageset became per_cpu_pages and per_cpu_zonestat;
 *	     NUMA's counters became events that wait at the CPUs
 *   by 6.1  huge pages are counted in base pages, which zoneinfo turns back;
 *	     a watermark for promotion
 *   by 6.12 a CPU's limit moves between two; free pages of the highatomic
 *	     reserve are counted
 *   by 7.3  kswapd's failures are an atomic counter
 */
#ifndef MML_COMPAT_ZONE_H
#define MML_COMPAT_ZONE_H

#include <linux/huge_mm.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

/* From order 0 to the largest; their number has had three names. */
#define MML_NR_ORDERS	ARRAY_SIZE(((struct zone *)NULL)->free_area)

/* Pages that a CPU keeps of a zone, and what it counts. */
static inline const struct per_cpu_pages *mml_zone_pcp(const struct zone *zone,
						       int cpu)
{
#ifdef MML_HAVE_PER_CPU_PAGESET
	return &per_cpu_ptr(zone->pageset, cpu)->pcp;
#else
	return per_cpu_ptr(zone->per_cpu_pageset, cpu);
#endif
}

static inline int mml_zone_stat_threshold(const struct zone *zone, int cpu)
{
#ifndef CONFIG_SMP
	return 0;
#elif defined(MML_HAVE_PER_CPU_PAGESET)
	return per_cpu_ptr(zone->pageset, cpu)->stat_threshold;
#else
	return per_cpu_ptr(zone->per_cpu_zonestats, cpu)->stat_threshold;
#endif
}

static inline int mml_pcp_high_min(const struct per_cpu_pages *pcp)
{
#ifdef MML_HAVE_PCP_HIGH_MIN
	return pcp->high_min;
#else
	return pcp->high;
#endif
}

static inline int mml_pcp_high_max(const struct per_cpu_pages *pcp)
{
#ifdef MML_HAVE_PCP_HIGH_MIN
	return pcp->high_max;
#else
	return pcp->high;
#endif
}

static inline u64 mml_zone_cma(struct zone *zone)
{
#ifdef MML_HAVE_CMA_PAGES
	return zone_cma_pages(zone);
#else
	return 0;
#endif
}

static inline u64 mml_zone_free_highatomic(const struct zone *zone)
{
#ifdef MML_HAVE_FREE_HIGHATOMIC
	return READ_ONCE(zone->nr_free_highatomic);
#else
	return 0;
#endif
}

static inline int mml_node_kswapd_failures(pg_data_t *node)
{
#ifdef MML_HAVE_ATOMIC_KSWAPD_FAILURES
	return atomic_read(&node->kswapd_failures);
#else
	return READ_ONCE(node->kswapd_failures);
#endif
}

/* A counter of a node as zoneinfo has it: pages, and huge pages of some. */
static inline u64 mml_node_stat(pg_data_t *node, int item)
{
	long pages = atomic_long_read(&node->vm_stat[item]);

	/* Differences that wait at the CPUs can make it negative. */
	if (pages < 0)
		return 0;
#ifdef MML_HAVE_PRINT_IN_THP
	if (vmstat_item_print_in_thp(item))
		return pages / HPAGE_PMD_NR;
#endif
	return pages;
}

static inline u64 mml_zone_promo(const struct zone *zone)
{
#ifdef MML_HAVE_WMARK_PROMO
	return zone->_watermark[WMARK_PROMO] + zone->watermark_boost;
#else
	return 0;
#endif
}

/* NUMA's counters, with what the CPUs haven't handed over yet. */
#ifdef CONFIG_NUMA
#ifdef MML_HAVE_PER_CPU_PAGESET
#define MML_NR_NUMA_EVENTS	NR_VM_NUMA_STAT_ITEMS

static inline u64 mml_zone_numa_event(struct zone *zone, int item)
{
	return zone_numa_state_snapshot(zone, item);
}
#else
#define MML_NR_NUMA_EVENTS	NR_VM_NUMA_EVENT_ITEMS

static inline u64 mml_zone_numa_event(struct zone *zone, int item)
{
	u64 sum = zone_numa_event_state(zone, item);
	int cpu;

	for_each_online_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(zone->per_cpu_zonestats,
					     cpu)->vm_numa_event[item]);
	return sum;
}
#endif
#else
#define MML_NR_NUMA_EVENTS	0

static inline u64 mml_zone_numa_event(struct zone *zone, int item)
{
	return 0;
}
#endif

#endif
