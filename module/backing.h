/* SPDX-License-Identifier: GPL-2.0-only */
/* What backs a page. */
#ifndef MML_BACKING_H
#define MML_BACKING_H

#include <linux/mm_types.h>

#include "uapi/mmlens.h"

struct page *mml_backing_get(struct page *page, struct page *head);
void mml_backing_fill(struct page *page, struct page *head,
		      struct mmlens_backing *rec);

#endif
