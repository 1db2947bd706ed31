/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folios, for kernels that don't have them yet (they came with 5.16).  There a
 * folio is a page that isn't a tail, as page_folio() finds it.
 */
#ifndef MML_COMPAT_FOLIO_H
#define MML_COMPAT_FOLIO_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page_idle.h>

#ifndef MML_HAVE_FOLIO

struct folio {
	struct page page;
};

static inline struct folio *page_folio(const struct page *page)
{
	return (struct folio *)compound_head((struct page *)page);
}

#define folio_page(folio, n)	nth_page(&(folio)->page, n)

#define MML_FOLIO_TEST(name, test)					\
	static inline bool folio_test_##name(const struct folio *folio)	\
	{								\
		return test((struct page *)&folio->page);		\
	}

MML_FOLIO_TEST(active, PageActive)
MML_FOLIO_TEST(anon, PageAnon)
MML_FOLIO_TEST(dirty, PageDirty)
MML_FOLIO_TEST(hugetlb, PageHuge)
MML_FOLIO_TEST(ksm, PageKsm)
MML_FOLIO_TEST(large, PageHead)
MML_FOLIO_TEST(lru, PageLRU)
MML_FOLIO_TEST(referenced, PageReferenced)
MML_FOLIO_TEST(swapbacked, PageSwapBacked)
MML_FOLIO_TEST(swapcache, PageSwapCache)
MML_FOLIO_TEST(unevictable, PageUnevictable)
MML_FOLIO_TEST(writeback, PageWriteback)
MML_FOLIO_TEST(young, page_is_young)
MML_FOLIO_TEST(idle, page_is_idle)

static inline int folio_ref_count(const struct folio *folio)
{
	return page_ref_count((struct page *)&folio->page);
}

static inline unsigned int folio_order(const struct folio *folio)
{
	return compound_order((struct page *)&folio->page);
}

static inline bool folio_mapped(struct folio *folio)
{
	return page_mapped(&folio->page);
}

static inline bool folio_is_zone_device(const struct folio *folio)
{
	return is_zone_device_page(&folio->page);
}

static inline int folio_nid(const struct folio *folio)
{
	return page_to_nid(&folio->page);
}

#endif

#endif
