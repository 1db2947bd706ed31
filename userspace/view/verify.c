// SPDX-License-Identifier: GPL-2.0-only
/* verify: checks, how much each compared, and what didn't agree. */
#include <inttypes.h>
#include <string.h>

#include "view.h"

void verify_list_text(struct view *v, const char *name, const char *oracle,
		      const char *what)
{
	fprintf(v->out, "%-12s %-30s %s\n", name, oracle, what);
	view_check(v);
}

/* ---- text ---- */

static void text_begin(struct view *v)
{
	view_heading(v, "CHECK           COMPARED MISMATCHES AGAINST");
}

static void put_mismatches(struct view *v, const struct verify_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		fprintf(v->out, "  %s: kernel %s, mmlens %s\n",
			r->shown[i].key, r->shown[i].kernel, r->shown[i].ours);
	if (r->mismatches > r->count)
		fprintf(v->out, "  ... and %" PRIu64 " more\n",
			r->mismatches - r->count);
}

static void text_result(struct view *v, const struct verify_result *r)
{
	const bool wrong = r->mismatches || r->error;

	if (wrong && v->color)
		fputs("\033[31m", v->out);
	if (r->skipped)
		fprintf(v->out, "%-12s %11s %10s %s: skipped: %s\n", r->name,
			"-", "-", r->oracle, r->skipped);
	else if (r->error)
		fprintf(v->out, "%-12s %11" PRIu64 " %10" PRIu64 " %s: failed: %s\n",
			r->name, r->compared, r->mismatches, r->oracle,
			strerror(r->error));
	else
		fprintf(v->out, "%-12s %11" PRIu64 " %10" PRIu64 " %s\n",
			r->name, r->compared, r->mismatches, r->oracle);
	if (wrong && v->color)
		fputs("\033[m", v->out);
	put_mismatches(v, r);
	if (r->moved)
		fprintf(v->out, "  %" PRIu64 " didn't stand still, and weren't compared\n",
			r->moved);
	if (r->refused)
		fprintf(v->out, "  %u %s may not be looked at\n", r->refused,
			r->refused == 1 ? "process" : "processes");
	/* Each as it is done: all of them take a while. */
	fflush(v->out);
	view_check(v);
}

static void text_end(struct view *v, const struct verify_summary *sum)
{
	fprintf(v->out, "%" PRIu64 " comparisons in %u checks: %" PRIu64 " %s, %u skipped, %u failed\n",
		sum->compared, sum->checks, sum->mismatches,
		sum->mismatches == 1 ? "mismatch" : "mismatches", sum->skipped,
		sum->failed);
	view_check(v);
}

const struct verify_view verify_text = {
	.begin = text_begin,
	.result = text_result,
	.end = text_end,
};

/* ---- JSON ---- */

static void json_verify_begin(struct view *v)
{
	json_document(v);
	json_begin(v, "checks", '[');
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_add_bytes(o, key, text, strlen(text));
}

static struct json_object *mismatch_object(const struct verify_mismatch *m)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "what", m->key);
	add_text(o, "kernel", m->kernel);
	add_text(o, "mmlens", m->ours);
	return o;
}

static void json_result(struct view *v, const struct verify_result *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *shown = json_object_new_array();

	json_add_string(o, "check", r->name);
	json_add_string(o, "oracle", r->oracle);
	json_add_number(o, "compared", r->compared);
	json_add_number(o, "mismatches", r->mismatches);
	if (r->processes)
		json_add_number(o, "processes", r->processes);
	if (r->refused)
		json_add_number(o, "refused", r->refused);
	if (r->moved)
		json_add_number(o, "moved", r->moved);
	if (r->skipped)
		json_add_string(o, "skipped", r->skipped);
	if (r->error)
		json_add_string(o, "error", strerror(r->error));
	for (size_t i = 0; i < r->count; i++)
		json_object_array_add(shown, mismatch_object(&r->shown[i]));
	if (r->count)
		json_object_object_add(o, "shown", shown);
	else
		json_object_put(shown);
	json_put(v, NULL, o);
}

static void json_verify_end(struct view *v, const struct verify_summary *sum)
{
	struct json_object *o = json_object_new_object();

	json_end(v);
	json_add_number(o, "compared", sum->compared);
	json_add_number(o, "mismatches", sum->mismatches);
	json_add_number(o, "skipped", sum->skipped);
	json_add_number(o, "failed", sum->failed);
	json_put_members(v, o);
	json_end(v);
}

const struct verify_view verify_json = {
	.begin = json_verify_begin,
	.result = json_result,
	.end = json_verify_end,
};
