// SPDX-License-Identifier: GPL-2.0-only
/* watch for programs: CSV, and JSON with an object a sample. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "line.h"
#include "timeline.h"

/* UTC, as RFC 3339 has it. */
static void utc(char room[64], uint64_t time_ns)
{
	time_t seconds = time_ns / 1000000000;
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(room, 64, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(room + n, 64 - n, ".%03uZ",
		 (unsigned int)(time_ns / 1000000 % 1000));
}

static const char *state_of(const struct mmlens_sample_process *p)
{
	return p->exited ? "exited" : "alive";
}

/* ---- CSV ---- */

static void csv_head(struct view *v, const struct watch *w)
{
	FILE *out = v->out;

	fputs("time,seconds,pid,name,state", out);
	for (const struct watch_field *f = watch_fields; f->name; f++)
		fprintf(out, ",%s", f->name);
	for (unsigned int i = 0; i < MMLENS_PLACES; i++)
		if (i != MMLENS_PLACE_ISOLATED)
			fprintf(out, ",lru_%s", mmlens_lru_place_name(i));
	for (size_t i = 0; i < w->now->zone_count; i++) {
		const struct mmlens_sample_zone *z = &w->now->zones[i];

		fprintf(out, ",node%" PRIu32 "_%s_free,node%" PRIu32
			"_%s_min,node%" PRIu32 "_%s_low,node%" PRIu32 "_%s_high",
			z->node, z->name, z->node, z->name, z->node, z->name,
			z->node, z->name);
		for (size_t order = 0; order < z->orders; order++)
			fprintf(out, ",node%" PRIu32 "_%s_order%zu", z->node,
				z->name, order);
	}
	fputs(",cost_ns,max_lock_hold_ns,clear_refs_ns\n", out);
}

/* RFC 4180: a name may hold anything. */
static void csv_name(FILE *out, const char *name)
{
	if (!strpbrk(name, ",\"\r\n")) {
		fputs(name, out);
		return;
	}
	putc('"', out);
	for (; *name; name++) {
		if (*name == '"')
			putc('"', out);
		putc(*name, out);
	}
	putc('"', out);
}

static void csv_fields(FILE *out, const struct mmlens_sample_process *p)
{
	for (const struct watch_field *f = watch_fields; f->name; f++) {
		putc(',', out);
		if (watch_known(f, p))
			fprintf(out, "%" PRIu64, watch_value(f, p));
	}
	for (unsigned int i = 0; i < MMLENS_PLACES; i++) {
		if (i == MMLENS_PLACE_ISOLATED)
			continue;
		putc(',', out);
		if (p->known & MMLENS_SAMPLE_LRU)
			fprintf(out, "%" PRIu64, p->lru[i]);
	}
}

/* The zones of the head: one that went since has no numbers. */
static void csv_zones(FILE *out, const struct watch *w)
{
	const struct mmlens_sample *head = w->history[0], *now = w->now;

	for (size_t i = 0; i < head->zone_count; i++) {
		const struct mmlens_sample_zone *z = &head->zones[i], *at = NULL;

		for (size_t j = 0; j < now->zone_count; j++)
			if (now->zones[j].node == z->node &&
			    !strcmp(now->zones[j].name, z->name))
				at = &now->zones[j];
		if (at)
			fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				",%" PRIu64, at->free, at->min, at->low,
				at->high);
		else
			fputs(",,,,", out);
		for (size_t order = 0; order < z->orders; order++) {
			putc(',', out);
			if (at)
				fprintf(out, "%" PRIu64, at->blocks[order]);
		}
	}
}

static void csv_process(struct view *v, const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];
	char time[64];

	utc(time, w->now->time_ns);
	fprintf(v->out, "%s,%.3f,%d,", time, watch_seconds(w, w->now), p->pid);
	csv_name(v->out, w->last[i].name);
	fprintf(v->out, ",%s", state_of(p));
	csv_fields(v->out, p);
	csv_zones(v->out, w);
	fprintf(v->out, ",%" PRIu64 ",%" PRIu64 ",", w->now->cost_ns,
		w->now->stats.max_hold_ns);
	if (w->cleared_ns)
		fprintf(v->out, "%" PRIu64, w->cleared_ns);
	putc('\n', v->out);
}

/* One that has exited has a last row that says so. */
static void csv_sample(struct view *v, const struct watch *w)
{
	if (w->cost.samples == 1)
		csv_head(v, w);
	for (size_t i = 0; i < w->count; i++)
		if (!w->now->processes[i].exited || watch_has_just_exited(w, i))
			csv_process(v, w, i);
	fflush(v->out);
	view_check(v);
}

const struct watch_view watch_csv = { .sample = csv_sample };

/* ---- JSON ---- */

static void add_fields(struct json_object *o,
		       const struct mmlens_sample_process *p)
{
	for (const struct watch_field *f = watch_fields; f->name; f++)
		if (watch_known(f, p))
			json_add_number(o, f->name, watch_value(f, p));
}

static void add_lru(struct json_object *o,
		    const struct mmlens_sample_process *p)
{
	struct json_object *lru;

	if (!(p->known & MMLENS_SAMPLE_LRU))
		return;
	lru = json_object_new_object();
	for (unsigned int i = 0; i < MMLENS_PLACES; i++)
		if (i != MMLENS_PLACE_ISOLATED)
			json_add_number(lru, mmlens_lru_place_name(i),
					p->lru[i]);
	json_object_object_add(o, "lru_pages", lru);
}

static struct json_object *process_object(const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];
	const struct mmlens_sample_process *last = &w->last[i];
	struct json_object *o = json_object_new_object();

	json_add_number(o, "pid", p->pid);
	json_add_bytes(o, "name", last->name, strlen(last->name));
	json_add_string(o, "state", state_of(p));
	add_fields(o, p);
	add_lru(o, p);
	if (watch_has_just_exited(w, i)) {
		struct json_object *of = json_object_new_object();

		add_fields(of, last);
		add_lru(of, last);
		json_object_object_add(o, "last", of);
	}
	return o;
}

static struct json_object *zone_object(const struct mmlens_sample_zone *z)
{
	struct json_object *o = json_object_new_object();
	struct json_object *blocks = json_object_new_array();

	json_add_number(o, "node", z->node);
	json_add_string(o, "zone", z->name);
	json_add_number(o, "free", z->free);
	json_add_number(o, "min", z->min);
	json_add_number(o, "low", z->low);
	json_add_number(o, "high", z->high);
	json_add_string(o, "kswapd", z->kswapd_runs ? "runs" : "sleeps");
	for (size_t i = 0; i < z->orders; i++)
		json_object_array_add(blocks,
				      json_object_new_uint64(z->blocks[i]));
	json_object_object_add(o, "free_blocks", blocks);
	return o;
}

static struct json_object *number_with(const char *format, double value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	return json_object_new_double_s(value, text);
}

static struct json_object *cost_object(const struct watch *w)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "sample_ns", w->now->cost_ns);
	json_add_number(o, "mean_ns", w->cost.ns / w->cost.samples);
	json_object_object_add(o, "share", number_with("%.6f", watch_share(w)));
	json_add_number(o, "restarts", w->now->stats.restarts);
	json_add_number(o, "max_lock_hold_ns", w->now->stats.max_hold_ns);
	if (w->cleared_ns)
		json_add_number(o, "clear_refs_ns", w->cleared_ns);
	return o;
}

/* In one piece each: an array that is open has a line a member. */
static void show_json(struct view *v, const struct watch *w)
{
	struct json_object *processes = json_object_new_array();
	struct json_object *zones = json_object_new_array();
	char time[64];

	for (size_t i = 0; i < w->count; i++)
		json_object_array_add(processes, process_object(w, i));
	for (size_t i = 0; i < w->now->zone_count; i++)
		json_object_array_add(zones, zone_object(&w->now->zones[i]));
	utc(time, w->now->time_ns);
	json_document(v);
	json_put(v, "time", json_object_new_string(time));
	json_put(v, "seconds", number_with("%.3f", watch_seconds(w, w->now)));
	json_put(v, "processes", processes);
	if (w->flags & MMLENS_SAMPLE_ZONES)
		json_put(v, "zones", zones);
	else
		json_object_put(zones);
	json_put(v, "cost", cost_object(w));
	json_end(v);
	fflush(v->out);
}

const struct watch_view watch_json = { .sample = show_json };
