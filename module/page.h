/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a page that a process maps. */
#ifndef MML_PAGE_H
#define MML_PAGE_H

#include "compat/kpageflags.h"
#include "uapi/mmlens.h"

void mml_page_describe(struct page *page, struct mmlens_page *rec);

/**
 * struct mml_page_words - What a page's state is made of, undecoded: pages
 * that agree in it have the same state.
 * @flags:	the flags word, with node and zone
 * @head:	what leads a tail to its folio, the same for neighbours of one;
 *		of others 0
 * @memcg:	whose it is
 * @kind:	the low bits of its mapping
 * @mapcount:	of the page alone
 * @refs:	references; what a mapped page's state doesn't have
 */
struct mml_page_words {
	unsigned long flags;
	unsigned long head;
	unsigned long memcg;
	unsigned long kind;
	int mapcount;
	int refs;
};

static inline struct mml_page_words mml_page_words(const struct page *page)
{
	const union mml_page_counts counts = mml_page_counts(page);

	return (struct mml_page_words){
		.flags		= mml_page_flags(page),
		.head		= mml_page_head_word(page),
		.memcg		= mml_page_memcg_word(page),
		.kind		= mml_page_kind(page),
		.mapcount	= counts.mapcount,
		.refs		= counts.refs,
	};
}

/*
 * Has @page the state of the one before it, which had @words?  A tail's memcg
 * and mapping are its head's, and what stands in their place is of no meaning.
 */
static inline bool mml_page_same(const struct page *page,
				 const struct mml_page_words *words)
{
	if (mml_page_flags(page) != words->flags ||
	    mml_page_head_word(page) != words->head ||
	    atomic_read(&page->_mapcount) != words->mapcount)
		return false;
	if (words->head)
		return true;
	return mml_page_memcg_word(page) == words->memcg &&
	       mml_page_kind(page) == words->kind;
}

#endif
