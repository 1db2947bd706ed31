// SPDX-License-Identifier: GPL-2.0-only
/* lab: an experiment as it goes on.  What has changed is marked. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lab_view.h"
#include "line.h"

/* ---- text ---- */

#define WIDTH	79

enum {
	INDENT = 3,
	NAME_WIDTH = 34,
	LABEL_WIDTH = 20,
	COLUMN_WIDTH = 12,
};

static const char *bold(const struct view *v)
{
	return v->color ? "\033[1m" : "";
}

static const char *plain(const struct view *v)
{
	return v->color ? "\033[0m" : "";
}

/* Words in lines of WIDTH, from @indent on; newlines of @text begin others. */
static void put_words(struct view *v, const char *first, unsigned int indent,
		      const char *text)
{
	size_t column = indent;

	fputs(first, v->out);
	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + word > WIDTH) {
			fprintf(v->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putc(' ', v->out);
			column++;
		}
		fwrite(text, 1, word, v->out);
		column += word;
		text += word;
		if (*text == '\n') {
			fprintf(v->out, "\n%*s", (int)indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	putc('\n', v->out);
	fflush(v->out);
	view_check(v);
}

static void text_begin(struct view *v, const struct lab_intro *intro)
{
	char text[400];

	fprintf(v->out, "%s%s: %s%s\n\n", bold(v), intro->name, intro->summary,
		plain(v));
	put_words(v, "", 0, intro->plan);
	if (!intro->group)
		snprintf(text, sizeof(text), "There is no memory cgroup to be had here: what keeps it small is how much it takes.");
	else if (!intro->limit)
		snprintf(text, sizeof(text), "Its workload is in a memory cgroup of its own, %s, without a limit.",
			 intro->group);
	else
		snprintf(text, sizeof(text), "Its workload is in a memory cgroup of its own, %s, which may have %" PRIu64 " MiB.",
			 intro->group, intro->limit >> 20);
	put_words(v, "", 0, text);
}

static void text_step(struct view *v, unsigned int number, const char *text)
{
	char head[24];
	int n = snprintf(head, sizeof(head), "%u. ", number);

	fprintf(v->out, "\n%s", bold(v));
	put_words(v, head, n, text);
	fputs(plain(v), v->out);
}

static void text_say(struct view *v, const char *text)
{
	put_words(v, "   ", INDENT, text);
}

static void amount(char room[40], enum lab_unit unit, uint64_t value)
{
	if (unit == LAB_BYTES)
		snprintf(room, 40, "%" PRIu64 " kB", value >> 10);
	else if (unit == LAB_PFN)
		snprintf(room, 40, "0x%" PRIx64, value);
	else
		snprintf(room, 40, "%" PRIu64, value);
}

static void difference(char room[40], enum lab_unit unit, uint64_t before,
		       uint64_t after)
{
	char text[40];
	bool less = after < before;

	if (after == before || unit == LAB_PFN) {
		strcpy(room, after == before ? "=" : "changed");
		return;
	}
	amount(text, unit, less ? before - after : after - before);
	snprintf(room, 40, "%c%.38s", less ? '-' : '+', text);
}

static void text_number(struct view *v, const struct lab_number *n)
{
	char before[40], after[40], changed[40];

	amount(before, n->unit, n->before);
	amount(after, n->unit, n->after);
	difference(changed, n->unit, n->before, n->after);
	fprintf(v->out, "   %-*s %13s -> %13s  %s%s%s%s%s\n", NAME_WIDTH, n->name,
		before, after, n->before != n->after ? bold(v) : "", changed,
		plain(v), n->source ? "  " : "", n->source ? n->source : "");
	view_check(v);
}

static void text_pair(struct view *v, const struct lab_pair *p)
{
	char ours[40], kernel[40];

	amount(ours, p->unit, p->ours);
	amount(kernel, p->unit, p->kernel);
	fprintf(v->out, "   %-*s %13s, %s says %s\n", NAME_WIDTH, p->name, ours,
		p->source, kernel);
	view_check(v);
}

/* ---- an entry ---- */

static const char *mark_of(uint64_t bit, uint64_t mine, uint64_t other)
{
	return (mine & bit) == (other & bit) ? "" : mine & bit ? "+" : "-";
}

/*
 * Flags that are set, each marked where it isn't on the other side; after that
 * those that were, where this is the later side.
 */
static void put_flags(struct view *v, const struct mmlens_flag *table,
		      uint64_t mine, const uint64_t *before)
{
	uint64_t other = before ? *before : mine;

	for (; table->bit; table++) {
		const char *mark = mark_of(table->bit, mine, other);

		if (!((mine | other) & table->bit))
			continue;
		fprintf(v->out, " %s%s%s%s", *mark ? bold(v) : "", mark,
			table->name, *mark ? plain(v) : "");
	}
}

static void put_value(struct view *v, const struct mmlens_entry *e)
{
	enum mmlens_pte_state state = mmlens_state(e->flags);

	if (state == MMLENS_STATE_SWAP)
		fprintf(v->out, " type %" PRIu32 " slot 0x%llx",
			MMLENS_SWAP_TYPE(e->value),
			(unsigned long long)MMLENS_SWAP_OFFSET(e->value));
	else if (mmlens_state_has_pfn(state))
		fprintf(v->out, " PFN 0x%" PRIx64, e->value);
}

/* One side; @before marks what has changed since then. */
static void put_entry(struct view *v, const struct mmlens_entry *e,
		      const struct mmlens_entry *before)
{
	uint64_t flags = e->flags & ~MMLENS_PTE_STATE;
	uint64_t old = before ? before->flags & ~MMLENS_PTE_STATE : 0;

	fprintf(v->out, "%s", mmlens_state_name(mmlens_state(e->flags)));
	if (mmlens_state(e->flags) != MMLENS_STATE_NONE)
		fprintf(v->out, " %s 0x%016" PRIx64,
			mmlens_level_name(e->level), e->raw);
	put_value(v, e);
	put_flags(v, mmlens_pte_flags(), flags, before ? &old : NULL);
	putc('\n', v->out);
}

/* "anon generation 2", "inactive_file" */
static void put_lru(struct view *v, const struct mmlens_page_state *page)
{
	if (page->generation)
		fprintf(v->out, "generation %u", page->generation - 1u);
	else
		fputs(mmlens_lru_name(page->lru), v->out);
}

/* The kernel's own, which has another meaning for each kind of page, isn't. */
#define SHOWN	((1ull << 34) - 1)

static void put_page(struct view *v, const struct mmlens_entry *e,
		     const struct mmlens_entry *before)
{
	bool known = before && before->has_page;
	uint64_t old = known ? before->page.flags & SHOWN : 0;

	fprintf(v->out, "mapped %" PRId32 " times, list ", e->page.mapcount);
	put_lru(v, &e->page);
	fputs(", page", v->out);
	put_flags(v, mmlens_page_flags(), e->page.flags & SHOWN,
		  known ? &old : NULL);
	putc('\n', v->out);
}

static void text_entry(struct view *v, const struct lab_change *c)
{
	fprintf(v->out, "   entry of 0x%" PRIx64 "%s%s\n", c->address,
		c->what ? ", " : "", c->what ? c->what : "");
	if (c->before) {
		fputs("      before  ", v->out);
		put_entry(v, c->before, NULL);
	}
	if (c->before && c->before->has_page) {
		fputs("              ", v->out);
		put_page(v, c->before, NULL);
	}
	fputs(c->before ? "      after   " : "      is      ", v->out);
	put_entry(v, c->after, c->before);
	if (c->after->has_page) {
		fputs("              ", v->out);
		put_page(v, c->after, c->before);
	}
	view_check(v);
}

static void text_translation(struct view *v, const struct mmlens_translation *t)
{
	vtop_text.address(v, t);
}

/* ---- a table ---- */

static void text_table(struct view *v, const struct lab_columns *columns)
{
	fputs("  ", v->out);
	if (columns->label)
		fprintf(v->out, " %-*s", LABEL_WIDTH, columns->label);
	for (size_t i = 0; i < columns->count; i++)
		fprintf(v->out, " %*s", COLUMN_WIDTH, columns->name[i]);
	putc('\n', v->out);
}

static void text_row(struct view *v, const struct lab_columns *columns,
		     const char *label, const uint64_t *values)
{
	char room[40];

	fputs("  ", v->out);
	if (columns->label)
		fprintf(v->out, " %-*s", LABEL_WIDTH, label ? label : "");
	for (size_t i = 0; i < columns->count; i++) {
		amount(room, columns->unit[i], values[i]);
		fprintf(v->out, " %*s", COLUMN_WIDTH, room);
	}
	putc('\n', v->out);
	fflush(v->out);
	view_check(v);
}

static void text_nothing(struct view *v)
{
	(void)v;
}

/* ---- what came of it ---- */

static void text_lesson(struct view *v, const char *text, bool seen)
{
	char head[40];

	snprintf(head, sizeof(head), "   %s%s%s ", bold(v),
		 seen ? "seen:" : "NOT SEEN:", plain(v));
	put_words(v, head, INDENT + 2, text);
}

static void text_end(struct view *v, const struct lab_outcome *o)
{
	fprintf(v->out, "\n%s%s%s", bold(v), o->result, plain(v));
	if (*o->why)
		fprintf(v->out, ": %s", o->why);
	fprintf(v->out, " (lessons: %u seen, %u not seen)\n", o->seen,
		o->missed);
	view_check(v);
}

const struct lab_view lab_text = {
	.begin = text_begin,
	.step = text_step,
	.say = text_say,
	.number = text_number,
	.pair = text_pair,
	.entry = text_entry,
	.translation = text_translation,
	.table = text_table,
	.row = text_row,
	.table_end = text_nothing,
	.lesson = text_lesson,
	.step_end = text_nothing,
	.end = text_end,
};

void lab_list_text(struct view *v, const struct lab_listed *list, size_t count)
{
	view_heading(v, "EXPERIMENT   WHAT IT SHOWS");
	for (size_t i = 0; i < count; i++)
		fprintf(v->out, "%-12s %s\n", list[i].name, list[i].summary);
	view_check(v);
}

/* ---- JSON ---- */

static void json_lab_begin(struct view *v, const struct lab_intro *intro)
{
	struct json_object *o = json_object_new_object();

	json_document(v);
	json_add_string(o, "experiment", intro->name);
	json_add_string(o, "summary", intro->summary);
	json_add_string(o, "plan", intro->plan);
	if (intro->group)
		json_add_string(o, "memcg", intro->group);
	if (intro->limit)
		json_add_number(o, "limit", intro->limit);
	json_put_members(v, o);
	json_begin(v, "steps", '[');
}

static void json_step(struct view *v, unsigned int number, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_begin(v, NULL, '{');
	json_add_number(o, "step", number);
	json_add_string(o, "text", text);
	json_put_members(v, o);
	json_begin(v, "observations", '[');
}

static void json_step_end(struct view *v)
{
	json_end(v);
	json_end(v);
}

static void json_say(struct view *v, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "say", text);
	json_put(v, NULL, o);
}

static const char *unit_name(enum lab_unit unit)
{
	static const char *const names[] = {
		[LAB_COUNT] = "count",
		[LAB_BYTES] = "bytes",
		[LAB_PAGES] = "pages",
		[LAB_PFN] = "pfn",
	};

	return names[unit];
}

static void json_number(struct view *v, const struct lab_number *n)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "number", n->name);
	if (n->source)
		json_add_string(o, "source", n->source);
	json_add_string(o, "unit", unit_name(n->unit));
	json_add_number(o, "before", n->before);
	json_add_number(o, "after", n->after);
	json_put(v, NULL, o);
}

static void json_pair(struct view *v, const struct lab_pair *p)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "pair", p->name);
	json_add_string(o, "source", p->source);
	json_add_string(o, "unit", unit_name(p->unit));
	json_add_number(o, "ours", p->ours);
	json_add_number(o, "kernel", p->kernel);
	json_put(v, NULL, o);
}

/* As pte --each --pages has it. */
static void member_entry(struct view *v, const char *key,
			 const struct mmlens_entry *e)
{
	struct line l = {};

	line_char(&l, '{');
	member_name(&l, "state", mmlens_state_name(mmlens_state(e->flags)));
	if (mmlens_state(e->flags) != MMLENS_STATE_NONE) {
		member_name(&l, "level", mmlens_level_name(e->level));
		member_hex(&l, "raw", e->raw);
		member_flags(&l, "flags", mmlens_pte_flags(), e->flags);
		member_value(&l, e->flags, e->value);
	}
	if (e->has_page)
		member_page(&l, &e->page);
	line_char(&l, '}');
	member_put(&l, v, key);
}

static void json_entry(struct view *v, const struct lab_change *c)
{
	struct json_object *o = json_object_new_object();

	json_begin(v, NULL, '{');
	json_add_hex(o, "va", c->address);
	if (c->what)
		json_add_string(o, "what", c->what);
	json_put_members(v, o);
	if (c->before)
		member_entry(v, "before", c->before);
	member_entry(v, "after", c->after);
	json_end(v);
}

static void json_translation(struct view *v, const struct mmlens_translation *t)
{
	vtop_json.address(v, t);
}

static void json_table(struct view *v, const struct lab_columns *columns)
{
	struct json_object *names = json_object_new_array();

	if (columns->label)
		json_object_array_add(names,
				      json_object_new_string(columns->label));
	for (size_t i = 0; i < columns->count; i++)
		json_object_array_add(names, json_object_new_string(
						     columns->name[i]));
	json_begin(v, NULL, '{');
	json_put(v, "columns", names);
	json_begin(v, "rows", '[');
}

static void json_row(struct view *v, const struct lab_columns *columns,
		     const char *label, const uint64_t *values)
{
	struct json_object *row = json_object_new_array();

	if (columns->label)
		json_object_array_add(row, json_object_new_string(
						   label ? label : ""));
	for (size_t i = 0; i < columns->count; i++)
		json_object_array_add(row, json_object_new_uint64(values[i]));
	json_put(v, NULL, row);
}

static void json_table_end(struct view *v)
{
	json_end(v);
	json_end(v);
}

static void json_lesson(struct view *v, const char *text, bool seen)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "lesson", text);
	json_add_bool(o, "seen", seen);
	json_put(v, NULL, o);
}

static void json_lab_end(struct view *v, const struct lab_outcome *outcome)
{
	struct json_object *o = json_object_new_object();

	json_end(v);
	json_add_string(o, "result", outcome->result);
	if (*outcome->why)
		json_add_string(o, "why", outcome->why);
	json_add_number(o, "lessons_seen", outcome->seen);
	json_add_number(o, "lessons_not_seen", outcome->missed);
	json_put_members(v, o);
	json_end(v);
}

const struct lab_view lab_json = {
	.begin = json_lab_begin,
	.step = json_step,
	.say = json_say,
	.number = json_number,
	.pair = json_pair,
	.entry = json_entry,
	.translation = json_translation,
	.table = json_table,
	.row = json_row,
	.table_end = json_table_end,
	.lesson = json_lesson,
	.step_end = json_step_end,
	.end = json_lab_end,
};

void lab_list_json(struct view *v, const struct lab_listed *list, size_t count)
{
	json_begin(v, NULL, '{');
	json_begin(v, "experiments", '[');
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_new_object();

		json_add_string(o, "name", list[i].name);
		json_add_string(o, "summary", list[i].summary);
		json_put(v, NULL, o);
	}
	json_end(v);
	json_end(v);
}
