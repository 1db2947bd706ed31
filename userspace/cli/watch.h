/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of mmlens watch. */
#ifndef MMLENS_WATCH_H
#define MMLENS_WATCH_H

#include "cli.h"
#include "timeline.h"

#define WATCH_PLOTS	8

enum watch_form {
	WATCH_AS_FITS,		/* a chart on a terminal, else lines */
	WATCH_AS_LINES,
	WATCH_AS_CHART,
	WATCH_AS_CSV,
	WATCH_AS_JSON,
};

/**
 * struct watch_arguments - What was asked for.
 * @form:	how samples are shown
 * @json:	--json, as the common options have it
 * @interval:	seconds
 * @count:	samples; 0: no limit
 * @duration:	seconds; 0: no limit
 * @accessed:	the view of the working set
 * @reset:	clear accessed bits
 * @lru:	LRU lists in lines, too
 * @zones:	zones in lines, too
 * @counters:	no walks
 * @pids:	processes, each once
 * @pid_count:	how many
 * @plots:	files to be written at the end
 * @plot_count:	how many
 */
struct watch_arguments {
	enum watch_form form;
	bool json;
	double interval;
	unsigned int count;
	double duration;
	bool accessed;
	bool reset;
	bool lru;
	bool zones;
	bool counters;
	int *pids;
	size_t pid_count;
	const char *plots[WATCH_PLOTS];
	size_t plot_count;
};

/* Watch until something ends it, and write the plots.  Return: a status. */
int watch_run(struct session *s, const struct watch_arguments *a);

/* Room for what is remembered of @count processes.  Return: 0 or -ENOMEM. */
int watch_begin(struct watch *w, size_t count);
/* The next sample, which belongs to @w then. */
void watch_take(struct watch *w, struct mmlens_sample *sample);
/* What clearing took. */
void watch_took_clear(struct watch *w, uint64_t ns);
void watch_end(struct watch *w);

#endif
