/* SPDX-License-Identifier: GPL-2.0-only */
/* watch: samples of processes and zones as lines, CSV, JSON, chart and plot. */
#ifndef MMLENS_TIMELINE_H
#define MMLENS_TIMELINE_H

#include "plot.h"
#include "view.h"

enum watch_kind {
	WATCH_BYTES,
	WATCH_EVENTS,		/* since the process was started */
};

/* Whether lines have it. */
enum watch_lines {
	WATCH_NOT_IN_LINES,
	WATCH_IN_LINES,
	WATCH_IN_COUNTERS,	/* instead of what the walk would tell */
};

#define WATCH_PARTS	3

/**
 * struct watch_field - A number of a process: all views but the plot have them
 * from one table.
 * @name:	in JSON and CSV
 * @heading:	above its column
 * @help:	what it is
 * @kind:	its unit
 * @lines:	&enum watch_lines
 * @needs:	MMLENS_SAMPLE_* without which it isn't known; 0: counters do
 * @shift:	bits behind the point
 * @parts:	offsets in &struct mmlens_sample_process whose sum it is; 0: none
 */
struct watch_field {
	const char *name;
	const char *heading;
	const char *help;
	enum watch_kind kind;
	enum watch_lines lines;
	unsigned int needs;
	unsigned int shift;
	size_t parts[WATCH_PARTS];
};

/* They end with one without a name. */
extern const struct watch_field watch_fields[];

bool watch_known(const struct watch_field *field,
		 const struct mmlens_sample_process *process);
uint64_t watch_value(const struct watch_field *field,
		     const struct mmlens_sample_process *process);
void watch_legend(FILE *out);

/**
 * struct watch_cost - What samples took, all together.
 * @samples:	how many
 * @ns:		time
 * @max_ns:	of the longest
 * @max_hold_ns: longest time that a lock was held
 * @clears:	times that accessed bits were cleared
 * @clear_ns:	time of those
 * @max_clear_ns: of the longest
 * @cpu_ns:	processor time of the whole program
 */
struct watch_cost {
	uint64_t samples;
	uint64_t ns;
	uint64_t max_ns;
	uint64_t max_hold_ns;
	uint64_t clears;
	uint64_t clear_ns;
	uint64_t max_clear_ns;
	uint64_t cpu_ns;
};

/**
 * struct watch_set - A process's referenced memory over all samples.
 * @samples:	how many told it
 * @bytes:	the sum of all
 * @most:	the highest
 * @rss:	the sum of what was resident
 */
struct watch_set {
	uint64_t samples;
	double bytes;
	uint64_t most;
	double rss;
};

/**
 * struct watch - A watch so far.
 * @interval:	seconds between samples
 * @flags:	MMLENS_SAMPLE_* of all samples
 * @accessed:	the view of the working set
 * @reset:	accessed bits are cleared behind each sample
 * @lru:	lines tell LRU lists, too
 * @zones:	lines tell zones, too
 * @count:	processes
 * @last:	the last that is known of each
 * @last_ns:	when that was, as time_ns of &struct mmlens_sample
 * @set:	of each
 * @start_ns:	at_ns of the first sample
 * @now:	this sample
 * @before:	the one before; NULL: this is the first
 * @cleared_ns:	what clearing behind the sample before took; 0: nothing was cleared
 * @cost:	so far
 * @history:	samples for chart and plot, in order: each @stride-th from the
 *		first on, @before and @now
 * @number:	of each, how many were before it
 * @kept:	how many there are in @history
 * @stride:	1 until there are too many
 */
struct watch {
	double interval;
	unsigned int flags;
	bool accessed;
	bool reset;
	bool lru;
	bool zones;
	size_t count;
	struct mmlens_sample_process *last;
	uint64_t *last_ns;
	struct watch_set *set;
	uint64_t start_ns;
	struct mmlens_sample *now;
	struct mmlens_sample *before;
	uint64_t cleared_ns;
	struct watch_cost cost;
	struct mmlens_sample **history;
	uint64_t *number;
	size_t kept;
	uint64_t stride;
};

/* Of one sample to the one before; NAN without. */
double watch_rate(const struct watch *w, const struct watch_field *field,
		  size_t process);
/* Seconds since the first sample. */
double watch_seconds(const struct watch *w, const struct mmlens_sample *sample);
/* It has exited since the sample before. */
bool watch_has_just_exited(const struct watch *w, size_t process);
/* Share of the time that samples took, 0 to 1. */
double watch_share(const struct watch *w);
/* "12:03:04", with milliseconds where samples come faster than once a second. */
void watch_clock(char *room, size_t size, const struct watch *w,
		 uint64_t time_ns);

/**
 * struct watch_view - A way to show samples as they come.
 * @sample:	show @now
 * @end:	after the last; may be NULL
 */
struct watch_view {
	void (*sample)(struct view *v, const struct watch *w);
	void (*end)(struct view *v, const struct watch *w);
};
extern const struct watch_view watch_lines, watch_csv, watch_json;

/* The last sample as lines, and what watch_lines has at its end. */
void watch_lines_last(struct view *v, const struct watch *w);

/* Samples from number @first of the history on.  NULL: no memory. */
struct plot *watch_plot(const struct watch *w, const struct mmlens_info *info,
			size_t first);

/* ---- the chart on a terminal ---- */

struct chart;

bool chart_is_built(void);
/* NULL: this terminal can't. */
struct chart *chart_begin(void);
/* Moments that fit. */
size_t chart_width(const struct chart *chart);
void chart_draw(struct chart *chart, const struct plot *plot);
/* Take a key; true: to end. */
bool chart_key(struct chart *chart);
void chart_end(struct chart *chart);

#endif
