// SPDX-License-Identifier: GPL-2.0-only
/* trace: events as they come, and what they come to. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* ---- text ---- */

enum {
	TIME = 13,
	TID = 8,
	KIND = 22,
	ADDRESS = 38,
	BEFORE = 53,
	AFTER = 83,
	DETAILS = 113,
};

static void line_seconds(struct line *l, uint64_t ns, size_t width)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64,
		 ns / 1000000000, ns / 1000 % 1000000);
	line_right(l, width, text);
}

/* The letters of the flags that are set. */
static void line_set_letters(struct line *l, uint32_t flags)
{
	const struct mmlens_flag *f;

	for (f = mmlens_pte_flags(); f->bit; f++)
		if (flags & f->bit)
			line_string(l, f->brief);
}

static void line_entry(struct line *l, const struct mmlens_entry *e)
{
	enum mmlens_pte_state state = mmlens_state(e->flags);

	switch (state) {
	case MMLENS_STATE_NONE:
		line_char(l, '-');
		return;
	case MMLENS_STATE_SWAP:
		line_string(l, "swap ");
		line_number(l, MMLENS_SWAP_TYPE(e->value));
		line_string(l, ":0x");
		line_hex(l, MMLENS_SWAP_OFFSET(e->value), 1);
		return;
	case MMLENS_STATE_PRESENT:
		line_string(l, mmlens_level_name(e->level));
		line_string(l, " 0x");
		line_hex(l, e->value, 1);
		line_char(l, ' ');
		line_set_letters(l, e->flags);
		return;
	default:
		line_string(l, mmlens_state_name(state));
		line_string(l, " 0x");
		line_hex(l, e->raw, 1);
	}
}

static void line_entries(struct line *l, const struct trace_event *e)
{
	const struct trace_record *r = e->record;

	line_pad(l, ADDRESS);
	line_hex(l, r->va, 12);
	line_pad(l, BEFORE);
	if (r->flags & TRACE_BEFORE)
		line_entry(l, &e->before);
	else
		line_char(l, '?');
	line_pad(l, AFTER);
	if (r->flags & TRACE_AFTER)
		line_entry(l, &e->after);
	else
		line_char(l, '?');
}

static const char *access_name(uint32_t flags)
{
	if (flags & TRACE_UNSHARE)
		return "unshare";
	if (flags & TRACE_WRITE)
		return "write";
	return flags & TRACE_EXEC ? "exec" : "read";
}

static void line_args(struct line *l, const struct trace_event *e)
{
	const struct trace_kind_info *kind = &trace_kinds[e->kind];

	for (int i = 0; i < TRACE_ARGS && kind->args[i]; i++) {
		line_char(l, ' ');
		line_string(l, kind->args[i]);
		line_char(l, '=');
		if (e->enums[i]) {
			line_name(l, e->enums[i]);
		} else if (kind->form[i] == TRACE_HEX) {
			line_string(l, "0x");
			line_hex(l, e->record->args[i], 1);
		} else {
			line_number(l, e->record->args[i]);
		}
	}
}

static void line_result(struct line *l, int64_t result)
{
	line_string(l, " = ");
	if (result < 0 && result >= -4095) {
		line_char(l, '-');
		line_number(l, -result);
	} else {
		line_string(l, result ? "0x" : "");
		line_hex(l, result, 1);
	}
}

static void line_details(struct line *l, const struct trace_shown *shown,
			 const struct trace_event *e)
{
	const struct trace_record *r = e->record;

	if (r->hook == HOOK_FAULT) {
		line_char(l, ' ');
		line_string(l, access_name(r->flags));
		if (r->flags & TRACE_KERNEL)
			line_string(l, " kernel");
		if (r->flags & TRACE_MAJOR)
			line_string(l, " major");
		if (r->flags & TRACE_REMOTE)
			line_string(l, " remote");
	}
	line_args(l, e);
	if (r->flags & TRACE_RESULT)
		line_result(l, r->result);
	if (r->flags & TRACE_TIMED) {
		line_char(l, ' ');
		line_number(l, r->ns);
		line_string(l, "ns");
	}
	if (r->tgid != (uint32_t)shown->tgid) {
		line_string(l, " by ");
		line_name(l, r->comm);
	}
}

static void text_begin(struct view *v, const struct trace_shown *shown)
{
	struct line l;

	if (shown->summary)
		return;
	l.length = 0;
	line_right(&l, TIME, "TIME");
	line_right(&l, TID - 1, "TID");
	line_string(&l, "KIND");
	line_pad(&l, ADDRESS);
	line_string(&l, "ADDRESS");
	line_pad(&l, BEFORE);
	line_string(&l, "BEFORE");
	line_pad(&l, AFTER);
	line_string(&l, "AFTER");
	line_pad(&l, DETAILS);
	line_string(&l, "DETAILS");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_event(struct view *v, const struct trace_shown *shown,
		       const struct trace_event *e)
{
	const struct trace_record *r = e->record;
	struct line l;

	l.length = 0;
	line_seconds(&l, r->time > shown->begun ? r->time - shown->begun : 0,
		     TIME);
	line_right_number(&l, TID - 1, r->tid);
	line_string(&l, trace_kinds[e->kind].name);
	if (r->flags & TRACE_ADDRESS)
		line_entries(&l, e);
	line_pad(&l, DETAILS);
	l.length--;
	line_details(&l, shown, e);
	line_end(&l, v);
}

static void text_lost(struct view *v, uint64_t count)
{
	fprintf(v->out, "-- %" PRIu64 " events lost --\n", count);
	view_check(v);
}

static void text_end(struct view *v, const struct trace_shown *shown)
{
	uint64_t all = 0;

	if (!shown->summary)
		putc('\n', v->out);
	view_heading(v, "     COUNT      TOTAL ns       MEAN ns  KIND");
	for (int i = 0; i < TRACE_KINDS; i++) {
		uint64_t n = shown->count[i];

		if (!n)
			continue;
		all += n;
		fprintf(v->out, "%10" PRIu64, n);
		if (shown->ns[i])
			fprintf(v->out, " %13" PRIu64 " %13" PRIu64,
				shown->ns[i], shown->ns[i] / n);
		else
			fprintf(v->out, " %13s %13s", "", "");
		fprintf(v->out, "  %s\n", trace_kinds[i].name);
	}
	fprintf(v->out, "%" PRIu64 " events in %.3f s, %" PRIu64 " lost\n", all,
		(shown->ended - shown->begun) * 1e-9, shown->lost);
	view_check(v);
}

const struct trace_view trace_text = {
	.begin = text_begin,
	.event = text_event,
	.lost = text_lost,
	.end = text_end,
};

/* ---- JSON lines ---- */

static void member_entry(struct line *l, const char *key,
			 const struct mmlens_entry *e)
{
	enum mmlens_pte_state state = mmlens_state(e->flags);

	line_string(l, ", \"");
	line_string(l, key);
	line_string(l, "\": {");
	member_name(l, "level", mmlens_level_name(e->level));
	member_name(l, "state", mmlens_state_name(state));
	if (state != MMLENS_STATE_NONE) {
		member_hex(l, "raw", e->raw);
		member_flags(l, "flags", mmlens_pte_flags(), e->flags);
		member_value(l, e->flags, e->value);
	}
	line_char(l, '}');
}

static void member_args(struct line *l, const struct trace_event *e)
{
	const struct trace_kind_info *kind = &trace_kinds[e->kind];

	for (int i = 0; i < TRACE_ARGS && kind->args[i]; i++) {
		if (e->enums[i])
			member_name(l, kind->args[i], e->enums[i]);
		else
			member_number(l, kind->args[i], e->record->args[i]);
	}
}

static void member_fault(struct line *l, uint32_t flags)
{
	member_name(l, "access", access_name(flags));
	member_bool(l, "kernel", flags & TRACE_KERNEL);
	member_bool(l, "major", flags & TRACE_MAJOR);
	if (flags & TRACE_REMOTE)
		member_bool(l, "remote", true);
}

static void json_trace_begin(struct view *v, const struct trace_shown *shown)
{
	struct json_object *names = json_object_new_array();

	for (int i = 0; i < TRACE_KINDS; i++)
		if (shown->untraced & 1ull << i)
			json_object_array_add(names,
				json_object_new_string(trace_kinds[i].name));
	json_document(v);
	json_put(v, "pid", json_object_new_int(shown->tgid));
	json_put(v, "begun_ns", json_object_new_uint64(shown->begun));
	json_put(v, "entries", json_object_new_boolean(shown->entries));
	json_put(v, "untraced", names);
	json_end(v);
}

static void json_trace_event(struct view *v, const struct trace_shown *shown,
			     const struct trace_event *e)
{
	const struct trace_record *r = e->record;
	struct line l;

	(void)shown;
	l.length = 0;
	line_char(&l, '{');
	member_number(&l, "time_ns", r->time);
	member_number(&l, "pid", r->tgid);
	member_number(&l, "tid", r->tid);
	member_text(&l, "comm", r->comm);
	member_name(&l, "kind", trace_kinds[e->kind].name);
	if (r->owner)
		member_number(&l, "owner", r->owner);
	if (r->flags & TRACE_ADDRESS)
		member_hex(&l, "va", r->va);
	if (r->flags & TRACE_BEFORE)
		member_entry(&l, "before", &e->before);
	if (r->flags & TRACE_AFTER)
		member_entry(&l, "after", &e->after);
	if (r->hook == HOOK_FAULT)
		member_fault(&l, r->flags);
	member_args(&l, e);
	if (r->flags & TRACE_RESULT)
		member_signed(&l, "result", r->result);
	if (r->flags & TRACE_TIMED)
		member_number(&l, "ns", r->ns);
	line_char(&l, '}');
	line_end(&l, v);
}

static void json_trace_lost(struct view *v, uint64_t count)
{
	fprintf(v->out, "{\"lost\": %" PRIu64 "}\n", count);
	view_check(v);
}

static void json_trace_end(struct view *v, const struct trace_shown *shown)
{
	struct json_object *counts = json_object_new_object();
	struct json_object *ns = json_object_new_object();

	for (int i = 0; i < TRACE_KINDS; i++) {
		if (shown->count[i])
			json_add_number(counts, trace_kinds[i].name,
					shown->count[i]);
		if (shown->ns[i])
			json_add_number(ns, trace_kinds[i].name, shown->ns[i]);
	}
	json_begin(v, NULL, '{');
	json_put(v, "counts", counts);
	json_put(v, "ns", ns);
	json_put(v, "ended_ns", json_object_new_uint64(shown->ended));
	json_put(v, "lost", json_object_new_uint64(shown->lost));
	json_end(v);
}

const struct trace_view trace_json = {
	.begin = json_trace_begin,
	.event = json_trace_event,
	.lost = json_trace_lost,
	.end = json_trace_end,
};

void trace_legend(FILE *out)
{
	const char *group = "";

	fputs("\nKinds, by group:\n", out);
	for (int i = 0; i < TRACE_KINDS; i++) {
		const struct trace_kind_info *kind = &trace_kinds[i];

		fprintf(out, "  %-10s  %-15s  %s\n",
			strcmp(group, kind->group) ? kind->group : "",
			kind->name, kind->help);
		group = kind->group;
	}
}
