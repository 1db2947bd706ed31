// SPDX-License-Identifier: LGPL-2.1-or-later
/* Page-table entries, one by one or as runs. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct mmlens_entries {
	struct mmlens_stream *stream;
	const struct mmlens_info *info;
	const struct mmlens_run *row;		/* record being taken apart */
	const struct mmlens_page *pages;	/* or this one */
	uint32_t row_at;			/* its next entry */
	struct mmlens_entry_run run;		/* being built */
	bool have_run;
	bool bare;			/* the state of pages wasn't asked for */
	int end;			/* what the entries ended with */
	bool ended;
};

struct mmlens_entries *
mmlens_entries_open(struct mmlens *lens, const struct mmlens_request *request)
{
	struct mmlens_entries *entries = calloc(1, sizeof(*entries));
	struct mmlens_request with_runs = *request;

	if (!entries)
		return NULL;
	entries->info = &lens->info;
	/* Taken apart again by mmlens_entries_next(). */
	with_runs.flags |= MMLENS_WALK_RUNS;
	/* Those of a capture are rows of any length with it, 512 without. */
	if (mml_is_capture(lens) && !(request->flags & MMLENS_WALK_STATE)) {
		with_runs.flags |= MMLENS_WALK_STATE;
		entries->bare = true;
	}
	entries->stream = mmlens_stream_open(lens, MMLENS_NR_PTES, &with_runs);
	if (!entries->stream) {
		free(entries);
		return NULL;
	}
	return entries;
}

uint64_t mmlens_level_size(const struct mmlens_info *info, unsigned int level)
{
	if (level >= ARRAY_SIZE(info->level_shift) || !info->level_shift[level])
		return 0;
	return 1ull << info->level_shift[level];
}

static int pte_to_entry(const struct mmlens_info *info,
			const struct mmlens_pte *pte,
			struct mmlens_entry *entry)
{
	uint64_t size = mmlens_level_size(info, pte->head.level);

	if (!size || pte->va + size < pte->va)
		return -EPROTO;
	*entry = (struct mmlens_entry) {
		.va = pte->va,
		.size = size,
		.raw = pte->raw,
		.value = pte->value,
		.flags = pte->flags,
		.level = pte->head.level,
	};
	return 1;
}

static int hole_to_entry(const struct mmlens_hole *hole,
			 struct mmlens_entry *entry)
{
	if (hole->end <= hole->start)
		return -EPROTO;
	*entry = (struct mmlens_entry) {
		.va = hole->start,
		.size = hole->end - hole->start,
		.flags = MMLENS_STATE_NONE,
		.level = hole->head.level,
	};
	return 1;
}

/* The next entry of the record that is being taken apart. */
static int row_to_entry(struct mmlens_entries *entries,
			struct mmlens_entry *entry)
{
	const struct mmlens_run *row = entries->row;
	uint32_t i = entries->row_at++;
	struct mmlens_pte pte = {
		.head.level = row->head.level,
		.flags = row->flags,
		.va = row->va + i * mmlens_level_size(entries->info,
						      row->head.level),
		.raw = row->raw[i],
		.value = row->value + ((int64_t)(row->raw[i] - row->raw[0]) >>
				       entries->info->page_shift),
	};

	if (entries->row_at == row->count)
		entries->row = NULL;
	return pte_to_entry(entries->info, &pte, entry);
}

/* The place in a folio @pages behind one: a folio behind it is like it. */
static uint32_t index_behind(const struct mmlens_page_state *page,
			     uint64_t pages)
{
	return (page->folio_index + pages) & ((1ull << page->order) - 1);
}

static struct mmlens_page_state page_state(const struct mmlens_page *page)
{
	return (struct mmlens_page_state) {
		.flags = page->page_flags,
		.memcg = page->memcg,
		.mapcount = page->mapcount,
		.folio_index = page->folio_index,
		.order = page->order,
		.lru = page->lru,
		.generation = page->generation,
		.tier = page->tier,
		.node = page->node,
		.zone = page->zone,
	};
}

/* As row_to_entry(), of a record with the state of the pages. */
static int page_to_entry(struct mmlens_entries *entries,
			 struct mmlens_entry *entry)
{
	const struct mmlens_page *rec = entries->pages;
	uint64_t i = entries->row_at++;
	struct mmlens_pte pte = {
		.head.level = rec->head.level,
		.flags = rec->flags,
		.va = rec->va + (i << entries->info->page_shift),
		.raw = rec->raw + (i << entries->info->page_shift),
		.value = rec->value + i,
	};
	int ret;

	if (entries->row_at == rec->count)
		entries->pages = NULL;
	ret = pte_to_entry(entries->info, &pte, entry);
	if (entries->bare)
		return ret;
	entry->has_page = true;
	entry->page = page_state(rec);
	entry->page.folio_index = index_behind(&entry->page, i);
	return ret;
}

/* Begin to take a record apart.  Return: false for one that isn't known. */
static bool take_record(struct mmlens_entries *entries,
			const struct mmlens_record *rec)
{
	entries->row_at = 0;
	if (rec->type == MMLENS_REC_RUN)
		entries->row = (const void *)rec;
	else if (rec->type == MMLENS_REC_PAGE)
		entries->pages = (const void *)rec;
	return entries->row || entries->pages;
}

int mmlens_entries_next(struct mmlens_entries *entries,
			struct mmlens_entry *entry)
{
	const struct mmlens_record *rec;
	int ret = 1;

	while (ret > 0) {
		if (entries->row)
			return row_to_entry(entries, entry);
		if (entries->pages)
			return page_to_entry(entries, entry);
		ret = mmlens_stream_next(entries->stream, &rec);
		if (ret <= 0 || take_record(entries, rec))
			continue;
		if (rec->type == MMLENS_REC_PTE)
			return pte_to_entry(entries->info, (const void *)rec,
					    entry);
		if (rec->type == MMLENS_REC_HOLE)
			return hole_to_entry((const void *)rec, entry);
	}
	return ret;
}

/* ---- rows ---- */

void mmlens_row_cut(const struct mmlens_info *info, struct mmlens_row *row,
		    uint64_t count)
{
	struct mmlens_entry *e = &row->first;
	const uint64_t pages = count * (e->size >> info->page_shift);

	e->va += count * e->size;
	e->raw += count * e->size;
	e->value += pages;
	if (e->has_page)
		e->page.folio_index = index_behind(&e->page, pages);
	row->count -= count;
}

/* Entries of @run from its @first on whose raw entries are each a page apart. */
static uint32_t follow(const struct mmlens_run *run, uint32_t first,
		       uint64_t size)
{
	uint32_t i = first + 1;

	while (i < run->count && run->raw[i] == run->raw[i - 1] + size)
		i++;
	return i - first;
}

/* What is left of the record under way, as far as it is in a row. */
static uint64_t take_rest(struct mmlens_entries *entries, uint64_t size)
{
	uint64_t count;

	if (entries->pages) {
		count = 1 + entries->pages->count - entries->row_at;
		entries->pages = NULL;
		return count;
	}
	if (!entries->row)
		return 1;
	count = follow(entries->row, entries->row_at - 1, size);
	entries->row_at += count - 1;
	if (entries->row_at == entries->row->count)
		entries->row = NULL;
	return count;
}

int mmlens_rows_next(struct mmlens_entries *entries, struct mmlens_row *row)
{
	int ret = mmlens_entries_next(entries, &row->first);
	uint64_t last;

	if (ret <= 0)
		return ret;
	row->count = take_rest(entries, row->first.size);
	if (__builtin_mul_overflow(row->count, row->first.size, &last) ||
	    __builtin_add_overflow(row->first.va, last, &last))
		return -EPROTO;
	return 1;
}

bool mmlens_state_is_present(enum mmlens_pte_state state)
{
	switch (state) {
	case MMLENS_STATE_TABLE:
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
		return true;
	default:
		return false;
	}
}

bool mmlens_state_has_pfn(enum mmlens_pte_state state)
{
	switch (state) {
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
	case MMLENS_STATE_MIGRATION:
	case MMLENS_STATE_DEVICE_PRIVATE:
	case MMLENS_STATE_DEVICE_EXCLUSIVE:
	case MMLENS_STATE_HWPOISON:
		return true;
	default:
		return false;
	}
}

static void run_begin(struct mmlens_entry_run *run,
		      const struct mmlens_row *row)
{
	const struct mmlens_entry *entry = &row->first;

	*run = (struct mmlens_entry_run) {
		.start = entry->va,
		.end = entry->va + row->count * entry->size,
		.entries = row->count,
		.raw = entry->raw,
		.value = entry->value,
		.flags = entry->flags,
		.level = entry->level,
		.contiguous = true,
		.has_page = entry->has_page,
		.page = entry->page,
	};
}

/* What the value of the entry behind a run is, if its pages go on in order. */
static uint64_t value_behind(const struct mmlens_info *info,
			     const struct mmlens_entry_run *run)
{
	uint64_t pages = (run->end - run->start) >> info->page_shift;

	return run->value + pages;
}

static bool value_fits(const struct mmlens_entry_run *run,
		       const struct mmlens_entry *entry)
{
	switch (mmlens_state(run->flags)) {
	case MMLENS_STATE_SWAP:
		return MMLENS_SWAP_TYPE(run->value) ==
		       MMLENS_SWAP_TYPE(entry->value);
	case MMLENS_STATE_MARKER:
		return run->value == entry->value;
	default:
		return true;
	}
}

static bool value_follows(const struct mmlens_info *info,
			  const struct mmlens_entry_run *run,
			  const struct mmlens_entry *entry)
{
	enum mmlens_pte_state state = mmlens_state(run->flags);

	if (mmlens_state_has_pfn(state) || state == MMLENS_STATE_SWAP)
		return entry->value == value_behind(info, run);
	return true;
}

/* Whether @entry's page is as those of @run and in its place behind them. */
static bool page_follows(const struct mmlens_info *info,
			 const struct mmlens_entry_run *run,
			 const struct mmlens_entry *entry)
{
	const struct mmlens_page_state *a = &run->page, *b = &entry->page;
	uint64_t pages = (run->end - run->start) >> info->page_shift;

	if (run->has_page != entry->has_page)
		return false;
	if (!run->has_page)
		return true;
	return entry->value == run->value + pages && a->flags == b->flags &&
	       a->memcg == b->memcg && a->mapcount == b->mapcount &&
	       a->order == b->order && a->lru == b->lru &&
	       a->generation == b->generation && a->tier == b->tier &&
	       a->node == b->node && a->zone == b->zone &&
	       b->folio_index == index_behind(a, pages);
}

/* Return: false when @row doesn't belong to @run. */
static bool run_extend(const struct mmlens_info *info,
		       struct mmlens_entry_run *run,
		       const struct mmlens_row *row)
{
	const struct mmlens_entry *entry = &row->first;

	if (entry->va != run->end || entry->level != run->level ||
	    entry->flags != run->flags || !value_fits(run, entry) ||
	    !page_follows(info, run, entry))
		return false;
	if (!value_follows(info, run, entry))
		run->contiguous = false;
	run->end += row->count * entry->size;
	run->entries += row->count;
	return true;
}

/* The run that the end of the walk leaves behind. */
static int flush_run(struct mmlens_entries *entries,
		     struct mmlens_entry_run *run)
{
	if (!entries->have_run)
		return entries->end;
	*run = entries->run;
	entries->have_run = false;
	return 1;
}

int mmlens_runs_next(struct mmlens_entries *entries,
		     struct mmlens_entry_run *run)
{
	struct mmlens_row row;

	while (!entries->ended) {
		int ret = mmlens_rows_next(entries, &row);

		if (ret <= 0) {
			entries->ended = true;
			entries->end = ret;
			break;
		}
		if (!entries->have_run) {
			run_begin(&entries->run, &row);
			entries->have_run = true;
		} else if (!run_extend(entries->info, &entries->run, &row)) {
			*run = entries->run;
			run_begin(&entries->run, &row);
			return 1;
		}
	}
	return flush_run(entries, run);
}

const struct mmlens_stats *
mmlens_entries_stats(const struct mmlens_entries *entries)
{
	return mmlens_stream_stats(entries->stream);
}

void mmlens_entries_close(struct mmlens_entries *entries)
{
	if (!entries)
		return;
	mmlens_stream_close(entries->stream);
	free(entries);
}
