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
	RUN_VALUE = 68,
	RUN_RAW = 90,
	RUN_BITS = 109,

	ENTRY_LEVEL = 13,
	ENTRY_SIZE = 19,
	ENTRY_STATE = 25,
	ENTRY_FLAGS = 35,
	ENTRY_VALUE = 53,
	ENTRY_RAW = 66,
	ENTRY_BITS = 85,
};

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

static void run_heading(struct line *l, bool raw)
{
	line_string(l, "START-END");
	line_pad(l, RUN_ENTRIES);
	line_right(l, 7, "ENTRIES");
	line_string(l, "LEVEL");
	line_pad(l, RUN_STATE);
	line_string(l, "STATE");
	line_pad(l, RUN_FLAGS);
	line_string(l, "FLAGS");
	line_pad(l, RUN_VALUE);
	line_string(l, "PFN/SWAP");
	if (!raw)
		return;
	line_pad(l, RUN_RAW);
	line_string(l, "FIRST RAW");
	line_pad(l, RUN_BITS);
	line_string(l, "BITS");
}

static void entry_heading(struct line *l, bool raw)
{
	line_string(l, "ADDRESS");
	line_pad(l, ENTRY_LEVEL);
	line_string(l, "LEVEL ");
	line_right(l, 5, "SIZE");
	line_string(l, "STATE");
	line_pad(l, ENTRY_FLAGS);
	line_string(l, "FLAGS");
	line_pad(l, ENTRY_VALUE);
	line_string(l, "PFN/SWAP");
	line_pad(l, ENTRY_RAW);
	line_string(l, "RAW");
	if (!raw)
		return;
	line_pad(l, ENTRY_BITS);
	line_string(l, "BITS");
}

static void text_begin(struct view *v, int pid, bool each, bool raw)
{
	struct line l = {};

	(void)pid;
	if (each)
		entry_heading(&l, raw);
	else
		run_heading(&l, raw);
	line_char(&l, '\0');
	view_heading(v, l.text);
}

/* State, flags and value, from this column on. */
static void text_what(struct line *l, const struct mmlens_info *info,
		      const struct mmlens_entry_run *run, size_t flags, size_t value)
{
	line_string(l, mmlens_state_name(mmlens_state(run->flags)));
	if (is_none(run->flags))
		return;
	line_pad(l, flags);
	line_letters(l, mmlens_pte_flags(), run->flags);
	line_pad(l, value);
	text_value(l, info, run);
}

static void text_run(struct view *v, const struct mmlens_entry_run *run,
		     bool raw)
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
	text_what(&l, v->info, run, RUN_FLAGS, RUN_VALUE);
	if (raw && !is_none(run->flags)) {
		line_pad(&l, RUN_RAW);
		text_raw(&l, v->info, run, true, RUN_BITS);
	}
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

static void text_entry(struct view *v, const struct mmlens_entry *e, bool raw)
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
	text_what(&l, v->info, &run, ENTRY_FLAGS, ENTRY_VALUE);
	if (!is_none(e->flags)) {
		line_pad(&l, ENTRY_RAW);
		text_raw(&l, v->info, &run, raw, ENTRY_BITS);
	}
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

static void member_state(struct line *l, uint32_t flags)
{
	member_name(l, "state", mmlens_state_name(mmlens_state(flags)));
	if (!is_none(flags))
		member_flags(l, "flags", mmlens_pte_flags(), flags);
}

static void json_pte_begin(struct view *v, int pid, bool each, bool raw)
{
	(void)raw;
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, each ? "entries" : "runs", '[');
}

static void json_pte_entry(struct view *v, const struct mmlens_entry *e,
			   bool raw)
{
	struct line l;

	l.length = 0;
	line_char(&l, '{');
	member_hex(&l, "va", e->va);
	member_name(&l, "level", mmlens_level_name(e->level));
	member_number(&l, "size", e->size);
	if (!is_none(e->flags))
		member_hex(&l, "raw", e->raw);
	if (raw && !is_none(e->flags))
		member_raw_bits(&l, v->info, e->level, e->flags, e->raw);
	member_state(&l, e->flags);
	member_value(&l, e->flags, e->value);
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static void json_pte_run(struct view *v, const struct mmlens_entry_run *run,
			 bool raw)
{
	struct line l;

	l.length = 0;
	line_char(&l, '{');
	member_hex(&l, "start", run->start);
	member_hex(&l, "end", run->end);
	member_name(&l, "level", mmlens_level_name(run->level));
	if (!is_none(run->flags))
		member_number(&l, "entries", run->entries);
	member_number(&l, "size", run->end - run->start);
	if (raw && !is_none(run->flags)) {
		member_hex(&l, "raw", run->raw);
		member_raw_bits(&l, v->info, run->level, run->flags, run->raw);
	}
	member_state(&l, run->flags);
	member_value(&l, run->flags, run->value);
	if (!is_none(run->flags))
		member_bool(&l, "contiguous", run->contiguous);
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
