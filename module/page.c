// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a page that a process maps, as fs/proc/page.c tells it.
 *
 * The caller holds the page-table lock of an entry that maps the page, so the
 * page stays, and with it its folio.  Its flags change at any time.
 */
#include <linux/mm.h>

#include "page.h"

/**
 * mml_page_describe() - Fill in what struct page tells.
 * @page:	mapped, or one that struct page describes all the same (the zero
 *		page, a page of the vDSO)
 * @rec:	page_flags and what follows, but count, are written
 */
void mml_page_describe(struct page *page, struct mmlens_page *rec)
{
	struct folio *folio = page_folio(page);

	rec->page_flags = mml_kpageflags(folio, page);
	rec->memcg = mml_kpagecgroup(folio, page);
	rec->mapcount = mml_kpagecount(folio, page);
	rec->folio_index = page - &folio->page;
	rec->order = folio_test_large(folio) ? folio_order(folio) : 0;
	rec->lru = mml_folio_lru(folio);
	rec->tier = 0;
	rec->generation = mml_folio_generation(folio, &rec->tier);
	rec->node = folio_nid(folio);
	rec->zone = page_zonenum(&folio->page);
	memset(rec->reserved, 0, sizeof(rec->reserved));
}
