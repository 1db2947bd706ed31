/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists of free pages that each CPU keeps of a zone.
 *
 *   by 6.1  they have a lock of their own, so that one CPU may look at
 *	     another's; blocks up to PAGE_ALLOC_COSTLY_ORDER and huge pages are
 *	     kept, too.  Before that only the CPU itself, with interrupts off,
 *	     may look (with PREEMPT_RT not even that)
 */
#ifndef MML_COMPAT_FREE_H
#define MML_COMPAT_FREE_H

#include <linux/mmzone.h>
#include <linux/smp.h>

#include "compat/pageblock.h"
#include "compat/zone.h"

#define MML_NR_CPU_LISTS	ARRAY_SIZE(((struct per_cpu_pages *)NULL)->lists)

static inline unsigned int mml_cpu_list_order(unsigned int list)
{
#ifdef NR_LOWORDER_PCP_LISTS
	if (list >= NR_LOWORDER_PCP_LISTS)
		return pageblock_order;
#endif
	return list / MIGRATE_PCPTYPES;
}

/* MMLENS_MIGRATE_*; huge pages that aren't movable share a list. */
static inline u8 mml_cpu_list_migratetype(unsigned int list)
{
#ifdef NR_LOWORDER_PCP_LISTS
	if (list == NR_LOWORDER_PCP_LISTS)
		return MMLENS_MIGRATE_OTHER;
	if (list > NR_LOWORDER_PCP_LISTS)
		return MMLENS_MIGRATE_MOVABLE;
#endif
	return mml_migratetype(list % MIGRATE_PCPTYPES);
}

/**
 * mml_cpu_lists() - Look at a CPU's lists while nobody changes them.
 * @zone:	a zone with pages
 * @cpu:	which CPU
 * @look:	called with interrupts off, maybe on that CPU
 * @arg:	for @look
 *
 * Returns: whether it could.
 */
static inline bool mml_cpu_lists(struct zone *zone, unsigned int cpu,
				 void (*look)(void *arg), void *arg)
{
#ifdef MML_HAVE_PCP_LOCK
	struct per_cpu_pages *pcp = per_cpu_ptr(zone->per_cpu_pageset, cpu);
	unsigned long flags;

	spin_lock_irqsave(&pcp->lock, flags);
	look(arg);
	spin_unlock_irqrestore(&pcp->lock, flags);
	return true;
#else
	return !IS_ENABLED(CONFIG_PREEMPT_RT) &&
	       !smp_call_function_single(cpu, look, arg, true);
#endif
}

#endif
