// SPDX-License-Identifier: GPL-2.0-only
/* What is remembered of samples: the last states, sums, and some for the plot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

/* Several for each column of a plot. */
#define MOST_KEPT	4096

int watch_begin(struct watch *w, size_t count)
{
	w->count = count;
	w->stride = 1;
	w->last = calloc(count, sizeof(*w->last));
	w->last_ns = calloc(count, sizeof(*w->last_ns));
	w->set = calloc(count, sizeof(*w->set));
	w->history = calloc(MOST_KEPT, sizeof(*w->history));
	w->number = calloc(MOST_KEPT, sizeof(*w->number));
	return w->last && w->last_ns && w->set && w->history && w->number ?
		0 : -ENOMEM;
}

/* The last of those that are kept may be on show. */
static void drop_some(struct watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->kept; i++) {
		if (w->number[i] % w->stride && i + 1 < w->kept) {
			mmlens_sample_free(w->history[i]);
			continue;
		}
		w->number[n] = w->number[i];
		w->history[n++] = w->history[i];
	}
	w->kept = n;
}

static void keep(struct watch *w, struct mmlens_sample *sample)
{
	drop_some(w);
	while (w->kept == MOST_KEPT) {
		w->stride *= 2;
		drop_some(w);
	}
	w->number[w->kept] = w->cost.samples;
	w->history[w->kept++] = sample;
}

static void remember(struct watch *w, size_t i)
{
	const struct mmlens_sample_process *p = &w->now->processes[i];
	struct watch_set *set = &w->set[i];

	if (p->exited)
		return;
	/* One on its way out has no memory any more: what it had is told. */
	if (w->last[i].known & ~p->known)
		return;
	w->last[i] = *p;
	w->last_ns[i] = w->now->time_ns;
	/* What was used before the first reset is of no interval. */
	if (!(p->known & MMLENS_SAMPLE_SUMS) || (w->reset && !w->before))
		return;
	set->samples++;
	set->bytes += p->sums.referenced;
	set->rss += p->sums.rss;
	if (p->sums.referenced > set->most)
		set->most = p->sums.referenced;
}

static void add_cost(struct watch_cost *c, const struct mmlens_sample *sample)
{
	c->samples++;
	c->ns += sample->cost_ns;
	if (sample->cost_ns > c->max_ns)
		c->max_ns = sample->cost_ns;
	if (sample->stats.max_hold_ns > c->max_hold_ns)
		c->max_hold_ns = sample->stats.max_hold_ns;
}

void watch_take(struct watch *w, struct mmlens_sample *sample)
{
	keep(w, sample);
	w->before = w->now;
	w->now = sample;
	if (!w->before)
		w->start_ns = sample->at_ns;
	add_cost(&w->cost, sample);
	for (size_t i = 0; i < w->count; i++)
		remember(w, i);
}

void watch_took_clear(struct watch *w, uint64_t ns)
{
	w->cleared_ns = ns;
	w->cost.clears++;
	w->cost.clear_ns += ns;
	if (ns > w->cost.max_clear_ns)
		w->cost.max_clear_ns = ns;
}

void watch_end(struct watch *w)
{
	for (size_t i = 0; i < w->kept; i++)
		mmlens_sample_free(w->history[i]);
	free(w->history);
	free(w->number);
	free(w->last);
	free(w->last_ns);
	free(w->set);
}
