// SPDX-License-Identifier: GPL-2.0-only
/* pte: page-table entries, one by one or as runs. */
#include <string.h>

#include "view.h"

/* ---- text ---- */

/*
 * What the value says: a PFN, a swap slot or markers.  A run whose values
 * follow each other gets its last one too, another one an ellipsis.
 */
static void text_value(char room[64], const struct mmlens_info *info,
		       const struct mmlens_run *run)
{
	uint64_t pages = (run->end - run->start) >> info->page_shift;
	enum mmlens_pte_state state = mmlens_state(run->flags);
	unsigned long long first = run->value;
	unsigned long long last;
	int n = 0;

	*room = '\0';
	if (state == MMLENS_STATE_SWAP) {
		first = MMLENS_SWAP_OFFSET(run->value);
		n = sprintf(room, "%u:", MMLENS_SWAP_TYPE(run->value));
	} else if (!mmlens_state_has_pfn(state)) {
		return;
	}
	n += sprintf(room + n, "0x%llx", first);
	last = first + pages - 1;
	if (!run->contiguous)
		strcpy(room + n, "...");
	else if (run->entries > 1)
		sprintf(room + n, "-0x%llx", last);
}

/* "uffd,guard", for a marker; ends the line otherwise. */
static void text_markers(struct view *v, uint32_t flags, uint64_t value)
{
	const struct mmlens_flag *f = mmlens_marker_flags();
	const char *divider = "";

	if (mmlens_state(flags) != MMLENS_STATE_MARKER)
		return;
	for (; f->bit; f++) {
		if (!(value & f->bit))
			continue;
		fprintf(v->out, "%s%s", divider, f->name);
		divider = ",";
	}
}

static void text_raw_bits(struct view *v, unsigned int level, uint32_t flags,
			  uint64_t raw)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	size_t n = mmlens_raw_bits(v->info, level, flags, raw, names);

	for (size_t i = 0; i < n; i++)
		fprintf(v->out, " %s", names[i]);
}

#define RUN_FORMAT	"%-25s %7s %-5s %-9s %-17s %s"
#define ENTRY_FORMAT	"%-12s %-5s %5s %-9s %-17s %-12s %s"

static void text_begin(struct view *v, int pid, bool each, bool raw)
{
	char line[160];

	(void)pid;
	if (each)
		snprintf(line, sizeof(line), ENTRY_FORMAT, "ADDRESS", "LEVEL",
			 "SIZE", "STATE", "FLAGS", "PFN/SWAP",
			 raw ? "RAW                BITS" : "RAW");
	else
		snprintf(line, sizeof(line), RUN_FORMAT, "START-END",
			 "ENTRIES", "LEVEL", "STATE", "FLAGS",
			 raw ? "PFN/SWAP              FIRST RAW          BITS" :
			       "PFN/SWAP");
	view_heading(v, line);
}

static void text_run(struct view *v, const struct mmlens_run *run, bool raw)
{
	char flags[TEXT_FLAGS], value[64];

	fprintf(v->out, "%012llx-%012llx %7llu %-5s ",
		(unsigned long long)run->start, (unsigned long long)run->end,
		(unsigned long long)run->entries, mmlens_level_name(run->level));
	if (mmlens_state(run->flags) == MMLENS_STATE_NONE) {
		fputs("none\n", v->out);
		view_check(v);
		return;
	}
	text_value(value, v->info, run);
	fprintf(v->out, "%-9s %-17s ",
		mmlens_state_name(mmlens_state(run->flags)),
		text_flags(flags, mmlens_pte_flags(), run->flags));
	fprintf(v->out, raw ? "%-21s" : "%s", value);
	text_markers(v, run->flags, run->value);
	if (raw) {
		fprintf(v->out, " 0x%016llx", (unsigned long long)run->raw);
		text_raw_bits(v, run->level, run->flags, run->raw);
	}
	putc('\n', v->out);
	view_check(v);
}

static struct mmlens_run run_of_one(const struct mmlens_entry *e)
{
	return (struct mmlens_run) {
		.start = e->va,
		.end = e->va + e->size,
		.entries = 1,
		.value = e->value,
		.flags = e->flags,
		.level = e->level,
		.contiguous = true,
	};
}

static void text_entry(struct view *v, const struct mmlens_entry *e, bool raw)
{
	char size[16], flags[TEXT_FLAGS], value[64];
	const struct mmlens_run run = run_of_one(e);

	fprintf(v->out, "%012llx %-5s %5s ", (unsigned long long)e->va,
		mmlens_level_name(e->level), text_size(size, e->size));
	if (mmlens_state(e->flags) == MMLENS_STATE_NONE) {
		fputs("none\n", v->out);
		view_check(v);
		return;
	}
	text_value(value, v->info, &run);
	fprintf(v->out, "%-9s %-17s %-12s 0x%016llx",
		mmlens_state_name(mmlens_state(e->flags)),
		text_flags(flags, mmlens_pte_flags(), e->flags), value,
		(unsigned long long)e->raw);
	if (mmlens_state(e->flags) == MMLENS_STATE_MARKER) {
		putc(' ', v->out);
		text_markers(v, e->flags, e->value);
	}
	if (raw)
		text_raw_bits(v, e->level, e->flags, e->raw);
	putc('\n', v->out);
	view_check(v);
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

static void add_state(struct json_object *o, uint32_t flags)
{
	json_add_string(o, "state", mmlens_state_name(mmlens_state(flags)));
	if (mmlens_state(flags) != MMLENS_STATE_NONE)
		json_add_flags(o, "flags", mmlens_pte_flags(), flags);
}

static void pte_json_begin(struct view *v, int pid, bool each, bool raw)
{
	(void)raw;
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, each ? "entries" : "runs", '[');
}

static void pte_json_entry(struct view *v, const struct mmlens_entry *e,
			   bool raw)
{
	struct json_object *o = json_object_new_object();
	bool none = mmlens_state(e->flags) == MMLENS_STATE_NONE;

	json_add_hex(o, "va", e->va);
	json_add_string(o, "level", mmlens_level_name(e->level));
	json_add_number(o, "size", e->size);
	if (!none)
		json_add_hex(o, "raw", e->raw);
	if (!none && raw)
		json_add_raw_bits(o, v->info, e->level, e->flags, e->raw);
	add_state(o, e->flags);
	json_add_value(o, e->flags, e->value);
	json_put(v, NULL, o);
}

static void pte_json_run(struct view *v, const struct mmlens_run *run, bool raw)
{
	struct json_object *o = json_object_new_object();
	bool none = mmlens_state(run->flags) == MMLENS_STATE_NONE;

	json_add_hex(o, "start", run->start);
	json_add_hex(o, "end", run->end);
	json_add_string(o, "level", mmlens_level_name(run->level));
	json_add_number(o, "entries", run->entries);
	json_add_number(o, "size", run->end - run->start);
	if (raw && !none) {
		json_add_hex(o, "raw", run->raw);
		json_add_raw_bits(o, v->info, run->level, run->flags, run->raw);
	}
	add_state(o, run->flags);
	json_add_value(o, run->flags, run->value);
	if (!none)
		json_add_bool(o, "contiguous", run->contiguous);
	json_put(v, NULL, o);
}

static void pte_json_end(struct view *v, uint64_t count,
			 const struct mmlens_stats *stats)
{
	json_end(v);
	json_walk(v, "entries", count, stats);
	json_end(v);
}

const struct pte_view pte_json = {
	.begin = pte_json_begin,
	.entry = pte_json_entry,
	.run = pte_json_run,
	.end = pte_json_end,
};
