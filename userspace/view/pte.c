// SPDX-License-Identifier: GPL-2.0-only
/* pte: page-table entries, one by one or as runs. */
#include <string.h>

#include "line.h"
#include "view.h"

/* ---- text ---- */

/* Columns; of a run and of an entry. */
enum {
	RUN_ENTRIES = 26,
	RUN_LEVEL = 34,
	RUN_STATE = 40,
	RUN_FLAGS = 50,
	RUN_EFFECTIVE = 68,
	RUN_VALUE = 73,
	RUN_RAW = 95,
	RUN_BITS = 114,

	ENTRY_LEVEL = 13,
	ENTRY_SIZE = 19,
	ENTRY_STATE = 25,
	ENTRY_FLAGS = 35,
	ENTRY_EFFECTIVE = 53,
	ENTRY_VALUE = 58,
	ENTRY_RAW = 71,
	ENTRY_BITS = 90,

	/* The names of nearly all of a leaf's bits. */
	BITS_WIDTH = 40,

	/* Of a page, from where its columns begin. */
	PAGE_LRU = 22,
	PAGE_NODE = 39,
	PAGE_ZONE = 44,
	PAGE_FLAGS = 52,
	PAGE_MEMCG = 116,
};

/* The longest path of a memory cgroup that is shown. */
#define MEMCG_LENGTH 1024

static bool is_none(uint32_t flags)
{
	return mmlens_state(flags) == MMLENS_STATE_NONE;
}

/* A number that ends before @column, where there is room. */
static void line_before(struct line *l, size_t column, const char *digits)
{
	line_right(l, column - 1 - l->length, digits);
}

/*
 * What the value says: a PFN, a swap slot or markers.  A run whose values
 * follow each other gets its last one too, another one an ellipsis.
 */
static void text_value(struct line *l, const struct mmlens_info *info,
		       const struct mmlens_entry_run *run)
{
	uint64_t pages = (run->end - run->start) >> info->page_shift;
	enum mmlens_pte_state state = mmlens_state(run->flags);
	uint64_t first = run->value;

	if (state == MMLENS_STATE_MARKER) {
		line_flags(l, mmlens_marker_flags(), run->value, ",");
		return;
	}
	if (state == MMLENS_STATE_SWAP) {
		first = MMLENS_SWAP_OFFSET(run->value);
		line_number(l, MMLENS_SWAP_TYPE(run->value));
		line_char(l, ':');
	} else if (!mmlens_state_has_pfn(state)) {
		return;
	}
	line_string(l, "0x");
	line_hex(l, first, 1);
	if (!run->contiguous) {
		line_string(l, "...");
	} else if (run->entries > 1) {
		line_string(l, "-0x");
		line_hex(l, first + pages - 1, 1);
	}
}

static void text_raw(struct line *l, const struct mmlens_info *info,
		     const struct mmlens_entry_run *run, bool bits, size_t column)
{
	line_string(l, "0x");
	line_hex(l, run->raw, 16);
	if (!bits)
		return;
	line_pad(l, column);
	line_raw_bits(l, info, run->level, run->flags, run->raw);
	while (l->text[l->length - 1] == ' ')
		l->length--;
}

static void page_heading(struct line *l, size_t column)
{
	line_pad(l, column);
	line_string(l, "MAPCOUNT ORDER  INDEX");
	line_pad(l, column + PAGE_LRU);
	line_string(l, "LRU");
	line_pad(l, column + PAGE_NODE);
	line_string(l, "NODE");
	line_pad(l, column + PAGE_ZONE);
	line_string(l, "ZONE");
	line_pad(l, column + PAGE_FLAGS);
	line_string(l, "PAGE FLAGS");
	line_pad(l, column + PAGE_MEMCG);
	line_string(l, "MEMCG");
}

/* Where the columns of pages begin: behind all others. */
static size_t page_column(const struct pte_options *o)
{
	if (o->raw)
		return (o->each ? ENTRY_BITS : RUN_BITS) + BITS_WIDTH;
	return o->each ? ENTRY_BITS : RUN_RAW;
}

static void run_heading(struct line *l, const struct pte_options *o)
{
	line_string(l, "START-END");
	line_pad(l, RUN_ENTRIES);
	line_right(l, 7, "ENTRIES");
	line_string(l, "LEVEL");
	line_pad(l, RUN_STATE);
	line_string(l, "STATE");
	line_pad(l, RUN_FLAGS);
	line_string(l, "FLAGS");
	line_pad(l, RUN_EFFECTIVE);
	line_string(l, "EFF");
	line_pad(l, RUN_VALUE);
	line_string(l, "PFN/SWAP");
	if (!o->raw)
		return;
	line_pad(l, RUN_RAW);
	line_string(l, "FIRST RAW");
	line_pad(l, RUN_BITS);
	line_string(l, "BITS");
}

static void entry_heading(struct line *l, const struct pte_options *o)
{
	line_string(l, "ADDRESS");
	line_pad(l, ENTRY_LEVEL);
	line_string(l, "LEVEL ");
	line_right(l, 5, "SIZE");
	line_string(l, "STATE");
	line_pad(l, ENTRY_FLAGS);
	line_string(l, "FLAGS");
	line_pad(l, ENTRY_EFFECTIVE);
	line_string(l, "EFF");
	line_pad(l, ENTRY_VALUE);
	line_string(l, "PFN/SWAP");
	line_pad(l, ENTRY_RAW);
	line_string(l, "RAW");
	if (!o->raw)
		return;
	line_pad(l, ENTRY_BITS);
	line_string(l, "BITS");
}

static void text_begin(struct view *v, const struct pte_options *o, int pid)
{
	struct line l = {};

	(void)pid;
	if (o->each)
		entry_heading(&l, o);
	else
		run_heading(&l, o);
	if (o->pages)
		page_heading(&l, page_column(o));
	line_char(&l, '\0');
	view_heading(v, l.text);
}

/* ---- the page ---- */

/* A list, or the type and generation as one word: anon_gen2_tier0. */
static void line_lru(struct line *l, const struct mmlens_page_state *page)
{
	const char *name = mmlens_lru_name(page->lru);
	const char *type = strchr(name, '_');

	if (!page->generation) {
		line_string(l, page->lru ? name : "-");
		return;
	}
	if (type) {
		line_string(l, type + 1);
		line_char(l, '_');
	}
	line_string(l, "gen");
	line_number(l, page->generation - 1);
	line_string(l, "_tier");
	line_number(l, page->tier);
}

/* The path, which may be anyone's, or the number. */
static void line_memcg(struct line *l, uint64_t memcg, const char *path)
{
	if (!memcg) {
		line_char(l, '-');
		return;
	}
	if (!path || strlen(path) > MEMCG_LENGTH) {
		line_number(l, memcg);
		return;
	}
	for (; *path; path++)
		line_char(l, *path < ' ' && *path >= 0 ? '?' : *path);
}

static void text_page(struct line *l, const struct mmlens_page_state *page,
		      const struct page_labels *labels, size_t column)
{
	line_pad(l, column);
	line_right_number(l, 8, page->mapcount);
	line_right_number(l, 5, page->order);
	line_right_number(l, 6, page->folio_index);
	line_lru(l, page);
	line_pad(l, column + PAGE_NODE);
	line_right_number(l, 4, page->node);
	if (labels->zone)
		line_string(l, labels->zone);
	else
		line_number(l, page->zone);
	line_pad(l, column + PAGE_FLAGS);
	if (page->flags)
		line_page_flags(l, page->flags);
	else
		line_char(l, '-');
	line_pad(l, column + PAGE_MEMCG);
	line_memcg(l, page->memcg, labels->memcg);
}

/* ---- the lines ---- */

/* State, flags and value, each from its column on. */
static void text_what(struct line *l, const struct mmlens_info *info,
		      const struct mmlens_entry_run *run, size_t flags,
		      size_t effective, size_t value)
{
	line_string(l, mmlens_state_name(mmlens_state(run->flags)));
	if (is_none(run->flags))
		return;
	line_pad(l, flags);
	line_letters(l, mmlens_pte_flags(), run->flags);
	line_pad(l, effective);
	line_effective(l, info, run->flags);
	line_pad(l, value);
	text_value(l, info, run);
}

static void text_run(struct view *v, const struct pte_options *o,
		     const struct mmlens_entry_run *run,
		     const struct page_labels *labels)
{
	struct line l, count;

	l.length = count.length = 0;
	line_hex(&l, run->start, 12);
	line_char(&l, '-');
	line_hex(&l, run->end, 12);
	line_char(&l, ' ');
	/* A hole is as long as it is, however many records it came in. */
	if (is_none(run->flags))
		line_char(&count, '-');
	else
		line_number(&count, run->entries);
	line_char(&count, '\0');
	line_before(&l, RUN_LEVEL, count.text);
	line_string(&l, mmlens_level_name(run->level));
	line_pad(&l, RUN_STATE);
	text_what(&l, v->info, run, RUN_FLAGS, RUN_EFFECTIVE, RUN_VALUE);
	if (o->raw && !is_none(run->flags)) {
		line_pad(&l, RUN_RAW);
		text_raw(&l, v->info, run, true, RUN_BITS);
	}
	if (o->pages && run->has_page)
		text_page(&l, &run->page, labels, page_column(o));
	line_end(&l, v);
}

static struct mmlens_entry_run run_of_one(const struct mmlens_entry *e)
{
	return (struct mmlens_entry_run) {
		.start = e->va,
		.end = e->va + e->size,
		.entries = 1,
		.raw = e->raw,
		.value = e->value,
		.flags = e->flags,
		.level = e->level,
		.contiguous = true,
	};
}

static void text_entry(struct view *v, const struct pte_options *o,
		       const struct mmlens_entry *e,
		       const struct page_labels *labels)
{
	const struct mmlens_entry_run run = run_of_one(e);
	struct line l, size;

	l.length = size.length = 0;
	line_hex(&l, e->va, 12);
	line_pad(&l, ENTRY_LEVEL);
	line_string(&l, mmlens_level_name(e->level));
	line_pad(&l, ENTRY_SIZE);
	line_size(&size, e->size);
	line_char(&size, '\0');
	line_before(&l, ENTRY_STATE, size.text);
	text_what(&l, v->info, &run, ENTRY_FLAGS, ENTRY_EFFECTIVE,
		  ENTRY_VALUE);
	if (!is_none(e->flags)) {
		line_pad(&l, ENTRY_RAW);
		text_raw(&l, v->info, &run, o->raw, ENTRY_BITS);
	}
	if (o->pages && e->has_page)
		text_page(&l, &e->page, labels, page_column(o));
	line_end(&l, v);
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)v;
	(void)count;
	(void)stats;
}

const struct pte_view pte_text = {
	.begin = text_begin,
	.entry = text_entry,
	.run = text_run,
	.end = text_end,
};

/* ---- JSON ---- */

static void member_state(struct line *l, const struct mmlens_info *info,
			 uint32_t flags)
{
	member_name(l, "state", mmlens_state_name(mmlens_state(flags)));
	if (is_none(flags))
		return;
	member_flags(l, "flags", mmlens_pte_flags(), flags);
	member_effective(l, info, flags);
}

static void json_pte_begin(struct view *v, const struct pte_options *o,
			   int pid)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, o->each ? "entries" : "runs", '[');
}

static void json_pte_entry(struct view *v, const struct pte_options *o,
			   const struct mmlens_entry *e,
			   const struct page_labels *labels)
{
	struct line l;

	(void)labels;
	l.length = 0;
	line_char(&l, '{');
	member_hex(&l, "va", e->va);
	member_name(&l, "level", mmlens_level_name(e->level));
	member_number(&l, "size", e->size);
	if (!is_none(e->flags))
		member_hex(&l, "raw", e->raw);
	if (o->raw && !is_none(e->flags))
		member_raw_bits(&l, v->info, e->level, e->flags, e->raw);
	member_state(&l, v->info, e->flags);
	member_value(&l, e->flags, e->value);
	if (o->pages && e->has_page)
		member_page(&l, &e->page);
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static void json_pte_run(struct view *v, const struct pte_options *o,
			 const struct mmlens_entry_run *run,
			 const struct page_labels *labels)
{
	struct line l;

	(void)labels;
	l.length = 0;
	line_char(&l, '{');
	member_hex(&l, "start", run->start);
	member_hex(&l, "end", run->end);
	member_name(&l, "level", mmlens_level_name(run->level));
	if (!is_none(run->flags))
		member_number(&l, "entries", run->entries);
	member_number(&l, "size", run->end - run->start);
	if (o->raw && !is_none(run->flags)) {
		member_hex(&l, "raw", run->raw);
		member_raw_bits(&l, v->info, run->level, run->flags, run->raw);
	}
	member_state(&l, v->info, run->flags);
	member_value(&l, run->flags, run->value);
	if (!is_none(run->flags))
		member_bool(&l, "contiguous", run->contiguous);
	if (o->pages && run->has_page)
		member_page(&l, &run->page);
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static void json_pte_end(struct view *v, uint64_t count,
			 const struct mmlens_stats *stats)
{
	json_end(v);
	json_walk(v, "entries", count, stats);
	json_end(v);
}

const struct pte_view pte_json = {
	.begin = json_pte_begin,
	.entry = json_pte_entry,
	.run = json_pte_run,
	.end = json_pte_end,
};
