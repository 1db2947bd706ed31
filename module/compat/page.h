/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's own statistics say about sharing, from struct page.
 *
 *   by 6.12 page_mapcount() went; what replaced it is private to fs/proc;
 *	     pagemap asks whether hugetlb's page table is shared
 *   6.15    folio_maybe_mapped_shared(); with it CONFIG_NO_PAGE_MAPCOUNT, where
 *	     single pages of a large folio have no mapcount
 */
#ifndef MML_COMPAT_PAGE_H
#define MML_COMPAT_PAGE_H

#include <linux/hugetlb.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "compat/folio.h"

/*
 * Number of page-table entries that map @page itself, as pagemap, smaps and
 * kpagecount count (folio_precise_page_mapcount() in fs/proc/internal.h).
 */
static inline int mml_page_mapcount(struct folio *folio, struct page *page)
{
#ifdef MML_HAVE_PAGE_MAPCOUNT
	return page_mapcount(page);
#else
	int mapcount = atomic_read(&page->_mapcount) + 1;

	/* A page's type shares the place of its mapcount. */
	if (mapcount < 0)
		mapcount = 0;
	if (folio_test_large(folio))
		mapcount += folio_entire_mapcount(folio);
	return mapcount;
#endif
}

/* The flags word, which became a structure in 6.18. */
static inline unsigned long mml_page_flags(const struct page *page)
{
	return READ_ONCE(*(const unsigned long *)&page->flags);
}

/* A bit of a flags word, 0 or 1. */
static inline unsigned int mml_flag(unsigned long flags, unsigned int bit)
{
	return flags >> bit & 1;
}

/*
 * smaps' idea of young, from the flags word of the folio; before folios, of
 * the page itself.
 */
static inline unsigned int mml_page_young(unsigned long flags,
					  const struct page *page)
{
#if defined(CONFIG_64BIT) && (defined(CONFIG_PAGE_IDLE_FLAG) || \
			      defined(CONFIG_IDLE_PAGE_TRACKING))
#ifndef MML_HAVE_FOLIO
	flags = mml_page_flags(page);
#endif
	return mml_flag(flags, PG_young);
#else
	return 0;
#endif
}

/* The low bits of a folio's mapping that tell what kind of memory it is. */
#ifdef FOLIO_MAPPING_FLAGS
#define MML_MAPPING_ANON	FOLIO_MAPPING_ANON
#define MML_MAPPING_KSM		FOLIO_MAPPING_KSM
#else
#define MML_MAPPING_ANON	PAGE_MAPPING_ANON
#define MML_MAPPING_KSM		PAGE_MAPPING_KSM
#endif

/* The mapping of a page that isn't a tail, with its low bits. */
static inline unsigned long mml_page_mapping(const struct page *page)
{
	return (unsigned long)READ_ONCE(page->mapping);
}

/* The low bits of a page's mapping, where they mean something. */
static inline unsigned long mml_page_kind(const struct page *page)
{
	return mml_page_mapping(page) & MML_MAPPING_KSM;
}

/**
 * union mml_page_counts - Two neighbours in struct page, read in one look.
 * @word:	both
 * @mapcount:	entries that map the page alone, less one
 * @refs:	references
 */
union mml_page_counts {
	u64 word;
	struct {
		int mapcount;
		int refs;
	};
};

static inline union mml_page_counts mml_page_counts(const struct page *page)
{
	BUILD_BUG_ON(offsetof(struct page, _mapcount) % sizeof(u64));
	BUILD_BUG_ON(offsetof(struct page, _refcount) !=
		     offsetofend(struct page, _mapcount));
	return (union mml_page_counts){
		.word = READ_ONCE(*(const u64 *)&page->_mapcount),
	};
}

/*
 * What leads a tail to its folio, 0 of a page that isn't one: the folio's
 * address, or by 7.3 what to mask the tail's own address with.
 */
#ifdef MML_HAVE_COMPOUND_INFO
#define MML_HEAD_WORD compound_info
#else
#define MML_HEAD_WORD compound_head
#endif
static inline unsigned long mml_page_head_word(const struct page *page)
{
	unsigned long head = READ_ONCE(page->MML_HEAD_WORD);

	return head & 1 ? head : 0;
}

/**
 * struct mml_glance - What one look at a page finds, undecoded.
 * @flags:	its flags word
 * @mapping:	its mapping, with the low bits
 * @counts:	its mapcount and its reference count
 */
struct mml_glance {
	unsigned long flags;
	unsigned long mapping;
	union mml_page_counts counts;
};

static inline struct mml_glance mml_page_glance(const struct page *page)
{
	return (struct mml_glance){
		.flags	 = mml_page_flags(page),
		.mapping = mml_page_mapping(page),
		.counts	 = mml_page_counts(page),
	};
}

/*
 * Does another look find the same, and no tail of a large folio?  Of plain
 * reads, each used once, compilers make comparisons with memory.
 */
static inline bool mml_page_looks(const struct page *page,
				  const struct mml_glance *glance)
{
	/* What changed in between is seen, or changes after this look. */
	return data_race(*(const unsigned long *)&page->flags ==
			 glance->flags &&
			 *(const u64 *)&page->_mapcount ==
			 glance->counts.word &&
			 (unsigned long)page->mapping == glance->mapping &&
			 !(page->MML_HEAD_WORD & 1));
}

/* Of an anonymous page: is it of one process alone (5.19)? */
static inline bool mml_page_anon_exclusive(struct page *page)
{
#ifdef SWP_MIGRATION_READ_EXCLUSIVE
	return test_bit(PG_anon_exclusive, (unsigned long *)&page->flags);
#else
	return false;
#endif
}

static inline bool mml_has_page_mapcount(void)
{
#ifdef CONFIG_NO_PAGE_MAPCOUNT
	return false;
#else
	return true;
#endif
}

static inline bool mml_folio_shared(struct folio *folio, struct page *page)
{
#ifdef MML_HAVE_MAYBE_MAPPED_SHARED
	return folio_maybe_mapped_shared(folio);
#else
	return mml_page_mapcount(folio, page) != 1;
#endif
}

/* As pagemap's bit 56 for an entry of a VMA that isn't hugetlb's. */
static inline bool mml_page_exclusive(struct folio *folio, struct page *page)
{
	if (mml_has_page_mapcount())
		return mml_page_mapcount(folio, page) == 1;
	return !mml_folio_shared(folio, page);
}

/*
 * Does smaps count the page of the hugetlb entry at @ptep as private: is it
 * mapped once, by a table that one process has?
 */
static inline bool mml_hugetlb_private(struct folio *folio, struct page *page,
				       const void *ptep)
{
	return !hugetlb_pmd_shared((pte_t *)ptep) &&
	       !mml_folio_shared(folio, page);
}

/* As pagemap's bit 56 for it; with page_mapcount() the table wasn't asked. */
static inline bool mml_hugetlb_exclusive(struct folio *folio,
					 struct page *page,
					 const void *ptep)
{
#ifdef MML_HAVE_PAGE_MAPCOUNT
	return page_mapcount(page) == 1;
#else
	return mml_hugetlb_private(folio, page, ptep);
#endif
}

/*
 * Is a mapping summed up without asking for a mapcount, and as whose?  While
 * there was page_mapcount(), smaps did so for migration entries, as private;
 * since then for all that isn't present, as shared.
 */
static inline bool mml_smaps_uncounted(bool present, bool migration)
{
#ifdef MML_HAVE_PAGE_MAPCOUNT
	return migration;
#else
	return !present;
#endif
}

/*
 * In 6.1 smaps reached the page of a huge PMD in a way that stops at
 * PROT_NONE, and counted nothing for it.
 */
static inline bool mml_smaps_skips_prot_none_pmd(void)
{
#ifdef MML_HAVE_GUP_PROTNONE_FLAGS
	return true;
#else
	return false;
#endif
}

static inline bool mml_smaps_private(bool present)
{
#ifdef MML_HAVE_PAGE_MAPCOUNT
	return true;
#else
	return present;
#endif
}

/* The mapcount that smaps divides by, and whether it counts as private. */
static inline int mml_smaps_mapcount(struct folio *folio, struct page *page,
				     bool *private)
{
	int mapcount;

#ifdef CONFIG_NO_PAGE_MAPCOUNT
	/* As folio_average_page_mapcount() of fs/proc/internal.h. */
	int entire;

	*private = !folio_maybe_mapped_shared(folio);
	if (!folio_test_large(folio))
		return atomic_read(&folio->_mapcount) + 1;
	mapcount = folio_large_mapcount(folio);
	if (mapcount <= 0)
		return 0;
	entire = folio_entire_mapcount(folio);
	if (mapcount <= entire)
		return entire;
	mapcount = (mapcount - entire + folio_nr_pages(folio) / 2) >>
		   folio_order(folio);
	return max(mapcount + entire, 1);
#else
	mapcount = mml_page_mapcount(folio, page);
	*private = mapcount < 2;
	return mapcount;
#endif
}

/*
 * The huge zero page, whose PFN isn't exported.  It is the one page that a PMD
 * maps without being anonymous or of a file: it has no mapping at all.
 */
static inline bool mml_page_is_huge_zero(struct folio *folio)
{
	return !READ_ONCE(folio->page.mapping) && !folio_test_lru(folio);
}

#endif
