// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How folios are mapped: what tools/mm/thpmaps of the kernel tells, from the
 * entries and the state of their pages.  One piece of a folio is looked at at
 * a time, so that memory doesn't grow with the process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Of kernel-page-flags.h. */
#define KPF_ANON	(1ull << 12)
#define KPF_HUGE	(1ull << 17)
#define KPF_THP		(1ull << 22)
#define KPF_ZERO_PAGE	(1ull << 24)

/* Pages of one folio that follow each other in both kinds of addresses. */
struct piece {
	uint64_t va;		/* of its first page */
	uint64_t pfn;
	uint64_t pages;		/* 0: there's none */
	uint32_t index;		/* of its first page in the folio */
	uint8_t order;
	uint8_t level;
	enum mmlens_folio_kind kind;
};

struct mmlens_folios {
	const struct mmlens_info *info;
	struct mmlens_areas *areas;
	struct mmlens_entries *entries;
	struct mmlens_row row;		/* what comes next, if there is any */
	bool have_row;
	int end;			/* what the entries ended with */
	bool ended;
	struct piece piece;
	struct mmlens_folio_sums sums;
};

struct mmlens_folios *mmlens_folios_open(struct mmlens *lens,
					 const struct mmlens_request *request)
{
	struct mmlens_folios *folios = calloc(1, sizeof(*folios));
	struct mmlens_request with_state = *request;
	int error;

	if (!folios)
		return NULL;
	folios->info = &lens->info;
	with_state.flags |= MMLENS_WALK_STATE;
	folios->areas = mmlens_areas_open(lens, request, 0);
	if (!folios->areas)
		goto err_free;
	folios->entries = mmlens_entries_open(lens, &with_state);
	if (!folios->entries)
		goto err_close;
	return folios;

err_close:
	error = errno;
	mmlens_areas_close(folios->areas);
	errno = error;
err_free:
	free(folios);
	return NULL;
}

/* ---- pieces ---- */

static void add_piece(struct mmlens_folios *folios)
{
	const struct piece *p = &folios->piece;
	uint64_t size = 1ull << p->order << folios->info->page_shift;
	uint64_t bytes = p->pages << folios->info->page_shift;
	struct mmlens_folio_bytes *sum =
		&folios->sums.bytes[p->kind][p->level][p->order];

	if (!p->pages)
		return;
	folios->sums.rss[p->kind] += bytes;
	if (bytes < size)
		sum->partial += bytes;
	else if (p->va & (size - 1))
		sum->unaligned += bytes;
	else
		sum->aligned += bytes;
	folios->piece.pages = 0;
}

/* As vm_normal_page() and smaps_account() of the kernel see it. */
static bool is_accounted(const struct mmlens_entry *e)
{
	return e->has_page &&
	       !(e->flags & (MMLENS_PTE_SPECIAL | MMLENS_PTE_ZERO)) &&
	       !(e->page.flags & KPF_ZERO_PAGE) &&
	       e->level <= MMLENS_LEVEL_PGD;
}

static enum mmlens_folio_kind kind_of(const struct mmlens_entry *e)
{
	if (e->flags & MMLENS_PTE_HUGETLB || e->page.flags & KPF_HUGE)
		return MMLENS_FOLIO_HUGETLB;
	return e->page.flags & KPF_ANON ? MMLENS_FOLIO_ANON :
					  MMLENS_FOLIO_FILE;
}

static struct piece piece_of(const struct mmlens_info *info,
			     const struct mmlens_entry *e)
{
	bool large = e->page.flags & (KPF_THP | KPF_HUGE);

	return (struct piece) {
		.va = e->va,
		.pfn = e->value,
		.pages = e->size >> info->page_shift,
		.index = large ? e->page.folio_index : 0,
		.order = large ? e->page.order : 0,
		.level = e->level,
		.kind = kind_of(e),
	};
}

static bool continues(const struct mmlens_info *info, const struct piece *p,
		      const struct piece *next)
{
	return p->pages && next->va == p->va + (p->pages << info->page_shift) &&
	       next->pfn == p->pfn + p->pages && next->order == p->order &&
	       next->level == p->level && next->kind == p->kind &&
	       next->index == p->index + p->pages;
}

/* A leaf of pages that aren't a large folio (a device's) is as large as it is. */
static void fit_order(struct piece *p)
{
	while (p->pages > 1ull << p->order &&
	       p->order < MMLENS_FOLIO_ORDERS - 1) {
		p->order++;
		p->index = 0;
	}
}

/* @pages small ones, each a folio of its own, which are as aligned as one is. */
static void add_small(struct mmlens_folios *folios, const struct piece *first,
		      uint64_t count)
{
	struct mmlens_folio_bytes *sum =
		&folios->sums.bytes[first->kind][first->level][0];
	const unsigned int shift = folios->info->page_shift;

	add_piece(folios);
	folios->sums.rss[first->kind] += count << shift;
	if (first->va & ((1ull << shift) - 1))
		sum->unaligned += count << shift;
	else
		sum->aligned += count << shift;
}

/* The first entries of a row that are of one folio. */
static void take_piece(struct mmlens_folios *folios, struct piece next,
		       uint64_t entries)
{
	next.pages *= entries;
	fit_order(&next);
	if (continues(folios->info, &folios->piece, &next)) {
		folios->piece.pages += next.pages;
		return;
	}
	add_piece(folios);
	folios->piece = next;
}

/* @count entries from the first of a row on. */
static void take_row(struct mmlens_folios *folios, struct mmlens_row row,
		     uint64_t count)
{
	struct piece next;
	uint64_t n;

	if (!is_accounted(&row.first)) {
		add_piece(folios);
		return;
	}
	row.count = count;
	while (row.count) {
		next = piece_of(folios->info, &row.first);
		if (row.count > 1 && !next.order) {
			add_small(folios, &next, row.count);
			return;
		}
		n = row.count == 1 ? 1 : (1ull << next.order) - next.index;
		if (n > row.count)
			n = row.count;
		take_piece(folios, next, n);
		mmlens_row_cut(folios->info, &row, n);
	}
}

/* ---- the walk ---- */

/* Return: false when there's none. */
static bool have_row(struct mmlens_folios *folios)
{
	if (folios->have_row)
		return true;
	if (folios->ended)
		return false;
	folios->end = mmlens_rows_next(folios->entries, &folios->row);
	folios->have_row = folios->end > 0;
	folios->ended = !folios->have_row;
	return folios->have_row;
}

/* Entries of the row that begin below @end, of which there are some. */
static uint64_t count_below(const struct mmlens_row *row, uint64_t end)
{
	const struct mmlens_entry *e = &row->first;
	const uint64_t count = (end - 1 - e->va) / e->size + 1;

	return count < row->count ? count : row->count;
}

/* Sum up the entries in @vma; skip those before, which are in none. */
static void sum_up(struct mmlens_folios *folios, const struct mmlens_vma *vma)
{
	struct mmlens_row *row = &folios->row;

	memset(&folios->sums, 0, sizeof(folios->sums));
	while (have_row(folios) && row->first.va < vma->end) {
		const bool before = row->first.va < vma->start;
		const uint64_t end = before ? vma->start : vma->end;
		const uint64_t n = count_below(row, end);

		if (!before)
			take_row(folios, *row, n);
		folios->have_row = n < row->count;
		if (folios->have_row)
			mmlens_row_cut(folios->info, row, n);
	}
	add_piece(folios);
}

int mmlens_folios_next(struct mmlens_folios *folios,
		       const struct mmlens_area **area,
		       const struct mmlens_folio_sums **sums)
{
	int ret = mmlens_areas_next(folios->areas, area);

	*sums = &folios->sums;
	if (ret <= 0)
		return ret;
	sum_up(folios, (*area)->vma);
	return folios->ended && folios->end < 0 ? folios->end : 1;
}

struct mmlens_stats mmlens_folios_stats(const struct mmlens_folios *folios)
{
	struct mmlens_stats sum = *mmlens_areas_stats(folios->areas);
	const struct mmlens_stats *more = mmlens_entries_stats(folios->entries);

	sum.records += more->records;
	sum.calls += more->calls;
	sum.restarts += more->restarts;
	sum.truncated |= more->truncated;
	if (more->max_hold_ns > sum.max_hold_ns)
		sum.max_hold_ns = more->max_hold_ns;
	return sum;
}

void mmlens_folios_close(struct mmlens_folios *folios)
{
	if (!folios)
		return;
	mmlens_entries_close(folios->entries);
	mmlens_areas_close(folios->areas);
	free(folios);
}

static void add_bytes(struct mmlens_folio_bytes *sum,
		      const struct mmlens_folio_bytes *more)
{
	sum->aligned += more->aligned;
	sum->unaligned += more->unaligned;
	sum->partial += more->partial;
}

void mmlens_folio_sums_add(struct mmlens_folio_sums *sums,
			   const struct mmlens_folio_sums *more)
{
	for (int kind = 0; kind < MMLENS_FOLIO_KINDS; kind++) {
		sums->rss[kind] += more->rss[kind];
		for (int level = 0; level <= MMLENS_LEVEL_PGD; level++)
			for (int order = 0; order < MMLENS_FOLIO_ORDERS; order++)
				add_bytes(&sums->bytes[kind][level][order],
					  &more->bytes[kind][level][order]);
	}
}
