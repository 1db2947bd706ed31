/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model of what reclaim takes; nothing of it is done to the machine. */
#ifndef MMLENS_LIB_RECLAIM_H
#define MMLENS_LIB_RECLAIM_H

#include "libmmlens.h"

struct mml_reclaim;

/**
 * struct mml_reclaim_settings - What decides besides the lists.
 * @swappiness:	0 to 200
 * @swap:	pages that can be swapped out at most
 * @page_shift:	log2 of the base page size
 */
struct mml_reclaim_settings {
	unsigned int swappiness;
	uint64_t swap;
	unsigned int page_shift;
};

/* NULL without memory. */
struct mml_reclaim *mml_reclaim_new(const struct mml_reclaim_settings *s);
void mml_reclaim_free(struct mml_reclaim *r);

/* A list that reclaim may take from.  Returns 0 or -ENOMEM. */
int mml_reclaim_add(struct mml_reclaim *r,
		    const struct mmlens_lru_contents *lru);

/* All lists are there.  Returns 0 or -ENOMEM. */
int mml_reclaim_index(struct mml_reclaim *r);

/* The page frames from the first folio to behind the last. */
void mml_reclaim_range(const struct mml_reclaim *r, uint64_t *start,
		       uint64_t *end);

/* Entries that were used map these pages. */
void mml_reclaim_use(struct mml_reclaim *r, const struct mmlens_user *user);

/* Reclaim @pages.  Returns how many were. */
uint64_t mml_reclaim_run(struct mml_reclaim *r, uint64_t pages);

/* Was the folio of this first page taken? */
bool mml_reclaim_took(const struct mml_reclaim *r, uint64_t pfn);

/* 1: classic lists, 2: generations, 3: both. */
unsigned int mml_reclaim_kinds(const struct mml_reclaim *r);

#endif
