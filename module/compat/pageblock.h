/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page blocks: the kernel groups pages by mobility in blocks, and keeps some
 * bits for each of them, its migratetype among them.  What reads them
 * (get_pfnblock_flags_mask(), get_pfnblock_migratetype()) isn't exported.
 *
 *   by 7.3  isolation is a bit of its own beside the type that the block had
 */
#ifndef MML_COMPAT_PAGEBLOCK_H
#define MML_COMPAT_PAGEBLOCK_H

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>

#include "uapi/mmlens.h"

/* MMLENS_MIGRATE_* of the kernel's enum migratetype. */
static inline u8 mml_migratetype(int kernel)
{
	switch (kernel) {
	case MIGRATE_UNMOVABLE:
		return MMLENS_MIGRATE_UNMOVABLE;
	case MIGRATE_MOVABLE:
		return MMLENS_MIGRATE_MOVABLE;
	case MIGRATE_RECLAIMABLE:
		return MMLENS_MIGRATE_RECLAIMABLE;
	case MIGRATE_HIGHATOMIC:
		return MMLENS_MIGRATE_HIGHATOMIC;
#ifdef CONFIG_CMA
	case MIGRATE_CMA:
		return MMLENS_MIGRATE_CMA;
#endif
#ifdef CONFIG_MEMORY_ISOLATION
	case MIGRATE_ISOLATE:
		return MMLENS_MIGRATE_ISOLATE;
#endif
	}
	return MMLENS_MIGRATE_OTHER;
}

/* The type in the bits of one block. */
static inline u8 mml_pageblock_type(unsigned long bits)
{
#ifdef PAGEBLOCK_MIGRATETYPE_MASK
	if (bits & PAGEBLOCK_ISO_MASK)
		return MMLENS_MIGRATE_ISOLATE;
	return mml_migratetype(bits & PAGEBLOCK_MIGRATETYPE_MASK);
#else
	return mml_migratetype(bits & MIGRATETYPE_MASK);
#endif
}

/*
 * The bits of all blocks of the section (without sections, of the zone) that
 * @pfn is in, and in @pfn its place there; NULL where the section is being
 * removed.  They stay for as long as the caller is in an RCU section.
 */
static inline const unsigned long *mml_pageblock_bits(const struct page *page,
						      unsigned long *pfn)
{
#ifdef CONFIG_SPARSEMEM
	struct mem_section_usage *usage;

	usage = READ_ONCE(__pfn_to_section(*pfn)->usage);
	*pfn &= PAGES_PER_SECTION - 1;
	return usage ? usage->pageblock_flags : NULL;
#else
	const struct zone *zone = page_zone(page);

	*pfn -= round_down(zone->zone_start_pfn, pageblock_nr_pages);
	return zone->pageblock_flags;
#endif
}

/**
 * mml_pageblock_migratetype() - Migratetype of the block that a page is in.
 * @page:	of online memory
 * @pfn:	its PFN
 *
 * The caller is in an RCU section.
 *
 * Returns: MMLENS_MIGRATE_*; OTHER where the memory goes away just now.
 */
static inline u8 mml_pageblock_migratetype(const struct page *page,
					   unsigned long pfn)
{
	const unsigned long *bits = mml_pageblock_bits(page, &pfn);
	unsigned long bit = (pfn >> pageblock_order) * NR_PAGEBLOCK_BITS;

	if (!bits)
		return MMLENS_MIGRATE_OTHER;
	return mml_pageblock_type(READ_ONCE(bits[bit / BITS_PER_LONG]) >>
				  bit % BITS_PER_LONG);
}

#endif
