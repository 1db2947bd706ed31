/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memmap: which page frames are online memory, as fs/proc/page.c asks it.
 *
 *   5.11    pfn_to_online_page() became a function (by 6.1 an exported one),
 *	     which knows subsections and device memory
 */
#ifndef MML_COMPAT_MEMMAP_H
#define MML_COMPAT_MEMMAP_H

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/pageblock-flags.h>

#ifdef CONFIG_SPARSEMEM
#define MML_MEMMAP_SECTION	PAGES_PER_SECTION
#else
#define MML_MEMMAP_SECTION	pageblock_nr_pages
#endif

/*
 * Pages that are online or not as a whole, and all of one page block; what
 * they are aligned to.  Their struct pages stand in a row.
 */
static inline unsigned long mml_memmap_unit(void)
{
	/* There each page frame must be asked for. */
	if (IS_ENABLED(CONFIG_HAVE_ARCH_PFN_VALID) ||
	    IS_ENABLED(CONFIG_HOLES_IN_ZONE))
		return 1;
#ifdef CONFIG_SPARSEMEM_VMEMMAP
	return min_t(unsigned long, PAGES_PER_SUBSECTION, pageblock_nr_pages);
#else
	return min_t(unsigned long, MML_MEMMAP_SECTION, pageblock_nr_pages);
#endif
}

/* The page, or NULL where there is no online memory. */
static inline struct page *mml_online_page(unsigned long pfn)
{
	return pfn_to_online_page(pfn);
}

/*
 * The page if there is online memory for what may be any pointer; NULL where
 * that can't be told without following it.
 */
static inline struct page *mml_page_at(const struct page *maybe)
{
#if defined(CONFIG_SPARSEMEM) && !defined(CONFIG_SPARSEMEM_VMEMMAP)
	return NULL;
#else
	struct page *page = mml_online_page(page_to_pfn(maybe));

	return page == maybe ? page : NULL;
#endif
}

static inline bool mml_section_is_online(unsigned long pfn)
{
#ifdef CONFIG_SPARSEMEM
	unsigned long section = pfn_to_section_nr(pfn);

	return section < NR_MEM_SECTIONS && online_section_nr(section);
#else
	return pfn_valid(pfn);
#endif
}

/*
 * The PFN after the last that may be online.  The memmap of a section that is
 * online is there from end to end.
 */
static inline unsigned long mml_memmap_end(void)
{
	unsigned long end = 0;
	int node;

	for_each_online_node(node)
		end = max(end, pgdat_end_pfn(NODE_DATA(node)));
	return round_up(end, MML_MEMMAP_SECTION);
}

/*
 * The next PFN that may be online, after one that isn't; at most @end.  It is
 * in the section of a node's first PFN or in one behind it.
 */
static inline unsigned long mml_memmap_next(unsigned long pfn,
					    unsigned long end)
{
	unsigned long next, at = end;
	int node;

	if (mml_section_is_online(pfn))
		return min(end, round_down(pfn, mml_memmap_unit()) +
				mml_memmap_unit());
	next = round_down(pfn, MML_MEMMAP_SECTION) + MML_MEMMAP_SECTION;
	for_each_online_node(node) {
		const pg_data_t *data = NODE_DATA(node);
		unsigned long start = round_down(data->node_start_pfn,
						 MML_MEMMAP_SECTION);

		if (round_up(pgdat_end_pfn((pg_data_t *)data),
			     MML_MEMMAP_SECTION) > next)
			at = min(at, max(start, next));
	}
	return at;
}

#endif
