// SPDX-License-Identifier: GPL-2.0-only
/* watch as lines, one for each process and sample, in KiB. */
#include <inttypes.h>
#include <math.h>

#include "line.h"
#include "timeline.h"

enum { CLOCK_WIDTH = 12, COLUMN = 10, NARROW = 8 };

/* A terminal's worth of lines has headings of its own. */
#define LINES_A_HEADING	20

static bool shows(const struct watch *w, const struct watch_field *f)
{
	if (w->accessed)
		return false;
	if (f->lines == WATCH_IN_COUNTERS)
		return !(w->flags & MMLENS_SAMPLE_SUMS);
	return f->lines == WATCH_IN_LINES &&
	       (w->flags & f->needs) == f->needs;
}

static void put_dash(struct line *l, size_t width)
{
	line_right(l, width, "-");
}

static void put_rate(struct line *l, size_t width, double rate)
{
	char text[32];

	if (isnan(rate)) {
		put_dash(l, width);
		return;
	}
	snprintf(text, sizeof(text), "%.*f", rate && rate < 10 ? 1 : 0, rate);
	line_right(l, width, text);
}

static void put_ms(struct line *l, size_t width, uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", ns * 1e-6);
	line_right(l, width, text);
}

/* ---- headings ---- */

static void put_heading(struct view *v, const struct watch *w)
{
	struct line l = {};

	line_string(&l, "TIME");
	line_pad(&l, CLOCK_WIDTH + 1);
	line_right(&l, NARROW, "PID");
	for (const struct watch_field *f = watch_fields; f->name; f++)
		if (shows(w, f))
			line_right(&l, COLUMN, f->heading);
	if (w->accessed) {
		line_right(&l, COLUMN, "RSS");
		line_right(&l, COLUMN, "REFERENCED");
		line_right(&l, NARROW, "%RSS");
		line_right(&l, COLUMN, "CHANGE");
		if (w->reset)
			line_right(&l, NARROW, "CLEAR-ms");
	} else if (w->flags & MMLENS_SAMPLE_ZONES) {
		line_right(&l, COLUMN, "FREE");
	}
	line_right(&l, NARROW, "COST-ms");
	line_string(&l, "COMMAND");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static bool needs_heading(const struct watch *w)
{
	uint64_t lines = LINES_A_HEADING / w->count;

	return (w->cost.samples - 1) % (lines ? lines : 1) == 0;
}

/* ---- a process ---- */

static uint64_t free_bytes(const struct watch *w, const struct view *v)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < w->now->zone_count; i++)
		pages += w->now->zones[i].free;
	return pages << v->info->page_shift;
}

static void put_fields(struct line *l, const struct view *v,
		       const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];

	for (const struct watch_field *f = watch_fields; f->name; f++) {
		if (!shows(w, f))
			continue;
		if (f->kind == WATCH_EVENTS)
			put_rate(l, COLUMN, watch_rate(w, f, i));
		else if (watch_known(f, p))
			line_right_number(l, COLUMN, watch_value(f, p) >> 10);
		else
			put_dash(l, COLUMN);
	}
	if (w->flags & MMLENS_SAMPLE_ZONES)
		line_right_number(l, COLUMN, free_bytes(w, v) >> 10);
}

static void put_accessed(struct line *l, const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];
	const struct mmlens_sample_process *before =
		w->before ? &w->before->processes[i] : NULL;
	char share[24];

	if (!(p->known & MMLENS_SAMPLE_SUMS)) {
		for (int column = 0; column < 2; column++)
			put_dash(l, COLUMN);
		put_dash(l, NARROW);
		put_dash(l, COLUMN);
		return;
	}
	line_right_number(l, COLUMN, p->sums.rss >> 10);
	line_right_number(l, COLUMN, p->sums.referenced >> 10);
	snprintf(share, sizeof(share), "%.1f",
		 p->sums.rss ? 100. * p->sums.referenced / p->sums.rss : 0);
	line_right(l, NARROW, share);
	if (before && before->known & MMLENS_SAMPLE_SUMS)
		line_right_number(l, COLUMN,
				  ((int64_t)p->sums.referenced -
				   (int64_t)before->sums.referenced) / 1024);
	else
		put_dash(l, COLUMN);
}

static void begin_line(struct line *l, const struct watch *w, int pid)
{
	char clock[32];

	watch_clock(clock, sizeof(clock), w, w->now->time_ns);
	line_string(l, clock);
	line_pad(l, CLOCK_WIDTH + 1);
	line_right_number(l, NARROW, pid);
}

static void put_process(struct view *v, const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];
	struct line l = {};

	begin_line(&l, w, p->pid);
	if (w->accessed)
		put_accessed(&l, w, i);
	else
		put_fields(&l, v, w, i);
	if (w->reset && w->cleared_ns)
		put_ms(&l, NARROW, w->cleared_ns);
	else if (w->reset)
		put_dash(&l, NARROW);
	put_ms(&l, NARROW, w->now->cost_ns);
	line_name(&l, p->name);
	line_end(&l, v);
}

static void put_exit(struct view *v, const struct watch *w, size_t i)
{
	const struct mmlens_sample_process *last = &w->last[i];
	struct line l = {};
	char clock[32];

	begin_line(&l, w, w->now->processes[i].pid);
	watch_clock(clock, sizeof(clock), w, w->last_ns[i]);
	line_name(&l, last->name);
	line_string(&l, " has exited; last, at ");
	line_string(&l, clock);
	line_char(&l, ':');
	for (const struct watch_field *f = watch_fields; f->name; f++) {
		if (f->lines == WATCH_NOT_IN_LINES || !watch_known(f, last) ||
		    (f->lines == WATCH_IN_COUNTERS &&
		     last->known & MMLENS_SAMPLE_SUMS))
			continue;
		line_char(&l, ' ');
		line_string(&l, f->name);
		line_char(&l, ' ');
		line_number(&l, watch_value(f, last) >>
				(f->kind == WATCH_BYTES ? 10 : 0));
	}
	line_end(&l, v);
}

/* ---- LRU lists and zones ---- */

static void put_lru(struct view *v, const struct mmlens_sample_process *p)
{
	struct line l = {};

	if (!(p->known & MMLENS_SAMPLE_LRU))
		return;
	line_pad(&l, CLOCK_WIDTH + 1);
	line_right_number(&l, NARROW, p->pid);
	line_string(&l, "pages on LRU lists:");
	for (unsigned int place = 0; place < MMLENS_PLACES; place++) {
		if (!p->lru[place])
			continue;
		line_char(&l, ' ');
		line_string(&l, mmlens_lru_place_name(place));
		line_char(&l, ' ');
		line_number(&l, p->lru[place]);
	}
	line_end(&l, v);
}

static void put_zone(struct view *v, const struct mmlens_sample_zone *z)
{
	struct line l = {};

	line_pad(&l, CLOCK_WIDTH + 1);
	line_string(&l, "node ");
	line_number(&l, z->node);
	line_char(&l, ' ');
	line_name(&l, z->name);
	line_string(&l, ": pages free ");
	line_number(&l, z->free);
	line_string(&l, " min ");
	line_number(&l, z->min);
	line_string(&l, " low ");
	line_number(&l, z->low);
	line_string(&l, " high ");
	line_number(&l, z->high);
	line_string(&l, z->kswapd_runs ? ", kswapd runs" : ", kswapd sleeps");
	line_string(&l, "; free blocks by order:");
	for (size_t i = 0; i < z->orders; i++) {
		line_char(&l, ' ');
		line_number(&l, z->blocks[i]);
	}
	line_end(&l, v);
}

static void put_sample(struct view *v, const struct watch *w)
{
	for (size_t i = 0; i < w->count; i++) {
		if (watch_has_just_exited(w, i))
			put_exit(v, w, i);
		if (w->now->processes[i].exited)
			continue;
		put_process(v, w, i);
		if (w->lru)
			put_lru(v, &w->now->processes[i]);
	}
	for (size_t i = 0; i < w->now->zone_count && w->zones; i++)
		put_zone(v, &w->now->zones[i]);
	fflush(v->out);
	view_check(v);
}

static void show_sample(struct view *v, const struct watch *w)
{
	if (needs_heading(w))
		put_heading(v, w);
	put_sample(v, w);
}

/* ---- the end ---- */

static void put_set(struct view *v, const struct watch *w, size_t i)
{
	const struct watch_set *set = &w->set[i];
	char mean[32], most[32], rss[32];

	if (!set->samples)
		return;
	plot_value(mean, sizeof(mean), PLOT_BYTES, set->bytes / set->samples);
	plot_value(most, sizeof(most), PLOT_BYTES, set->most);
	plot_value(rss, sizeof(rss), PLOT_BYTES, set->rss / set->samples);
	fprintf(v->out, "PID %d: %s referenced on average, %s at most, of %s resident (%s)\n",
		w->last[i].pid, mean, most, rss,
		w->reset ? "used within an interval" :
			   "used since the kernel last cleared the bits, at its own pace");
}

static void show_end(struct view *v, const struct watch *w)
{
	const struct watch_cost *c = &w->cost;

	if (!c->samples)
		return;
	for (size_t i = 0; i < w->count && w->accessed; i++)
		put_set(v, w, i);
	fprintf(v->out, "%" PRIu64 " samples in %.1f s: %.2f ms each, %.2f ms at most, %.2f%% of the time, %.2f s of a processor; longest lock hold %.1f us\n",
		c->samples, watch_seconds(w, w->now), c->ns * 1e-6 / c->samples,
		c->max_ns * 1e-6, 100 * watch_share(w), c->cpu_ns * 1e-9,
		c->max_hold_ns * 1e-3);
	if (c->clears)
		fprintf(v->out, "accessed bits cleared %" PRIu64 " times: %.2f ms each, %.2f ms at most, with a flush of the TLB each time\n",
			c->clears, c->clear_ns * 1e-6 / c->clears,
			c->max_clear_ns * 1e-6);
}

void watch_lines_last(struct view *v, const struct watch *w)
{
	put_heading(v, w);
	put_sample(v, w);
	show_end(v, w);
}

const struct watch_view watch_lines = {
	.sample = show_sample,
	.end = show_end,
};
