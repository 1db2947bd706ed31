// SPDX-License-Identifier: GPL-2.0-only
/* What stands for several entries becomes those entries. */
#include <stdlib.h>
#include <string.h>

#include "ioctl.h"

static size_t expanded_size(const struct records *records)
{
	size_t size = 0;

	for (size_t at = 0; at < records->size;) {
		const struct mmlens_record *rec =
			(const void *)(records->bytes + at);
		const struct mmlens_run *run = (const void *)rec;

		if (rec->type == MMLENS_REC_RUN)
			size += run->count * sizeof(struct mmlens_pte);
		else if (rec->type == MMLENS_REC_PAGE)
			size += ((const struct mmlens_page *)rec)->count *
				sizeof(struct mmlens_pte);
		else
			size += rec->size;
		at += rec->size;
	}
	return size;
}

static void expand_run(struct mmlens_pte *pte, const struct mmlens_run *run)
{
	uint64_t size = 1ull << (12 + 9 * (run->head.level - 1));

	for (uint32_t i = 0; i < run->count; i++)
		pte[i] = (struct mmlens_pte) {
			.head = {
				.size = sizeof(*pte),
				.type = MMLENS_REC_PTE,
				.level = run->head.level,
			},
			.flags = run->flags,
			.va = run->va + i * size,
			.raw = run->raw[i],
			.value = run->value +
				 ((int64_t)(run->raw[i] - run->raw[0]) >> 12),
		};
}

/* The pages themselves may change between two walks: their state is left. */
static void expand_page(struct mmlens_pte *pte, const struct mmlens_page *page)
{
	uint64_t size = 1ull << (12 + 9 * (page->head.level - 1));
	int64_t step = page->raw & 1 ? 1 << 12 : -(1 << 12);

	for (uint32_t i = 0; i < page->count; i++)
		pte[i] = (struct mmlens_pte) {
			.head = {
				.size = sizeof(*pte),
				.type = MMLENS_REC_PTE,
				.level = page->head.level,
			},
			.flags = page->flags,
			.va = page->va + i * size,
			.raw = page->raw + i * step,
			.value = page->value + i,
		};
}

/* Where a step ends, a hole may be told in two parts. */
static bool joins_hole(const struct mmlens_record *last,
		       const struct mmlens_record *rec)
{
	const struct mmlens_hole *first = (const void *)last;
	const struct mmlens_hole *second = (const void *)rec;

	return last && last->type == MMLENS_REC_HOLE &&
	       rec->type == MMLENS_REC_HOLE && last->level == rec->level &&
	       first->end == second->start;
}

/* Each run becomes the entries that it stands for, and holes are joined. */
void expand(struct records *records)
{
	size_t to = 0, size = expanded_size(records);
	unsigned char *bytes = malloc(size + 1);
	struct mmlens_record *last = NULL;

	for (size_t at = 0; at < records->size;) {
		const struct mmlens_record *rec =
			(const void *)(records->bytes + at);
		const struct mmlens_run *run = (const void *)rec;

		at += rec->size;
		if (joins_hole(last, rec)) {
			((struct mmlens_hole *)last)->end =
				((const struct mmlens_hole *)rec)->end;
			continue;
		}
		last = (void *)(bytes + to);
		if (rec->type == MMLENS_REC_RUN) {
			expand_run((void *)last, run);
			to += run->count * sizeof(struct mmlens_pte);
		} else if (rec->type == MMLENS_REC_PAGE) {
			const struct mmlens_page *page = (const void *)rec;

			expand_page((void *)last, page);
			to += page->count * sizeof(struct mmlens_pte);
		} else {
			memcpy(last, rec, rec->size);
			to += rec->size;
		}
	}
	free(records->bytes);
	records->bytes = bytes;
	records->size = to;
}

/* What only MMLENS_WALK_PAGE or _STATE tell. */
#define OF_PAGES	(MMLENS_PTE_FILE | MMLENS_PTE_EXCLUSIVE | \
			 MMLENS_PTE_ANON_EXCLUSIVE)

void forget_pages(struct records *records)
{
	for (size_t at = 0; at < records->size;) {
		struct mmlens_pte *pte = (void *)(records->bytes + at);

		if (pte->head.type == MMLENS_REC_PTE)
			pte->flags &= ~OF_PAGES;
		at += pte->head.size;
	}
}
