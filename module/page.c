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
	struct mml_look look;

	mml_look_at(page, compound_head(page), &look);
	look.entry = true;
	rec->page_flags = mml_kpageflags(&look, mml_look_mapped(&look));
	rec->memcg = mml_kpagecgroup((struct folio *)look.head, page);
	rec->mapcount = mml_kpagecount(&look);
	rec->folio_index = look.index;
	rec->order = look.order;
	rec->lru = mml_look_lru(&look);
	rec->tier = 0;
	rec->generation = mml_look_generation(&look, &rec->tier);
	rec->node = mml_look_node(&look);
	rec->zone = mml_look_zone(&look);
	memset(rec->reserved, 0, sizeof(rec->reserved));
}
