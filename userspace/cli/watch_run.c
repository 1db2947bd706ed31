// SPDX-License-Identifier: GPL-2.0-only
/* The loop of watch: a sample, what is shown of it, and the plot at the end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "pace.h"
#include "watch.h"

/**
 * struct looper - A watch under way.
 * @s:		connection and output
 * @a:		what was asked for
 * @w:		what there has been
 * @targets:	the processes
 * @view:	how samples are shown; NULL: as a chart
 * @chart:	the chart
 * @plots:	files, as @a has them
 */
struct looper {
	struct session *s;
	const struct watch_arguments *a;
	struct watch w;
	struct mmlens_target *targets;
	const struct watch_view *view;
	struct chart *chart;
	FILE *plots[WATCH_PLOTS];
};

/* ---- before ---- */

/* Those that aren't there are said; the others are watched. */
static int find_targets(struct looper *l, size_t *count)
{
	int status = CLI_OK;

	*count = 0;
	l->targets = calloc(l->a->pid_count, sizeof(*l->targets));
	if (!l->targets)
		return session_explain_of(l->s, "watch", -ENOMEM);
	for (size_t i = 0; i < l->a->pid_count; i++) {
		int pid = l->a->pids[i];
		int ret = mmlens_target_find(pid, &l->targets[*count]);

		if (ret)
			status = cli_worse(status,
					   session_explain(l->s, pid, ret));
		else
			++*count;
	}
	return status;
}

/* Before it begins, not after hours: a plot that can't be written is said. */
static int open_plots(struct looper *l)
{
	for (size_t i = 0; i < l->a->plot_count; i++) {
		const char *path = l->a->plots[i];
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

		l->plots[i] = fd < 0 ? NULL : fdopen(fd, "w");
		if (!l->plots[i]) {
			cli_error("%s: %s", path, strerror(errno));
			return CLI_FAILED;
		}
	}
	return CLI_OK;
}

static bool fits_chart(const struct watch_arguments *a)
{
	const char *term = getenv("TERM");

	if (a->form == WATCH_AS_CHART)
		return true;
	return a->form == WATCH_AS_FITS && chart_is_built() &&
	       isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

static void choose_view(struct looper *l)
{
	switch (l->a->form) {
	case WATCH_AS_CSV:
		l->view = &watch_csv;
		break;
	case WATCH_AS_JSON:
		l->view = &watch_json;
		break;
	default:
		l->view = fits_chart(l->a) ? NULL : &watch_lines;
	}
}

/* Lines tell less, so less is looked at. */
static unsigned int sample_flags(const struct looper *l)
{
	const struct watch_arguments *a = l->a;
	unsigned int flags = MMLENS_SAMPLE_ZONES;

	if (a->counters)
		return flags;
	flags |= MMLENS_SAMPLE_SUMS;
	if (a->lru || a->plot_count || l->view != &watch_lines)
		flags |= MMLENS_SAMPLE_LRU;
	return flags;
}

/* What the module can't tell isn't asked. */
static unsigned int known_flags(const struct mmlens *lens, unsigned int flags)
{
	if (!mmlens_has_query(lens, MMLENS_NR_ZONES))
		flags &= ~MMLENS_SAMPLE_ZONES;
	if (!mmlens_has_query(lens, MMLENS_NR_LRU))
		flags &= ~MMLENS_SAMPLE_LRU;
	return flags;
}

static void warn_of_reset(const struct looper *l)
{
	if (l->a->reset)
		cli_error("--reset: the kernel clears the accessed bits of %s after each sample (1 to /proc/PID/clear_refs): its page tables change, its TLB is flushed, and reclaim takes its pages for unused",
			  l->w.count > 1 ? "each process" : "the process");
}

/* ---- samples ---- */

static int clear_bits(struct looper *l)
{
	uint64_t all = 0, ns;

	for (size_t i = 0; i < l->w.count; i++) {
		int ret;

		if (l->w.now->processes[i].exited)
			continue;
		ret = mmlens_accessed_clear(&l->targets[i], &ns);
		if (!ret)
			all += ns;
		else if (ret != -ESRCH)
			return ret;
	}
	watch_took_clear(&l->w, all);
	return 0;
}

static bool all_exited(const struct watch *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (!w->now->processes[i].exited)
			return false;
	return true;
}

static void show_chart(struct looper *l)
{
	size_t fit = chart_width(l->chart), first = 0;
	struct plot *plot;

	if (l->w.kept > fit)
		first = l->w.kept - fit;
	plot = watch_plot(&l->w, l->s->view.info, first);
	if (plot)
		chart_draw(l->chart, plot);
	plot_free(plot);
}

static void measure_cpu(struct watch *w)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	w->cost.cpu_ns = ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int step(struct looper *l)
{
	struct mmlens_sample *sample;

	sample = mmlens_sample_read(l->s->lens, l->targets, l->w.count,
				    l->w.flags);
	if (!sample)
		return -errno;
	watch_take(&l->w, sample);
	measure_cpu(&l->w);
	if (l->view)
		l->view->sample(&l->s->view, &l->w);
	else
		show_chart(l);
	return l->a->reset && !all_exited(&l->w) ? clear_bits(l) : 0;
}

/* Enough samples, time enough, or nothing left to look at. */
static bool is_done(const struct looper *l, const struct pace *pace)
{
	const struct watch_arguments *a = l->a;
	double begun;

	if (!l->w.now)
		return false;
	begun = l->w.start_ns * 1e-9;
	return l->s->view.error || all_exited(&l->w) ||
	       (a->count && l->w.cost.samples >= a->count) ||
	       (a->duration && pace->due - begun > a->duration + 0.001);
}

/* Keys are taken while it waits, and before a sample, for the size. */
static enum pace_event wait_for_sample(struct looper *l, struct pace *pace)
{
	int fd = l->chart && isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
	enum pace_event event;

	do {
		event = pace_wait(pace, fd);
		if (fd >= 0 && chart_key(l->chart))
			return PACE_INTERRUPTED;
		if (event == PACE_INPUT)
			show_chart(l);
	} while (event == PACE_INPUT);
	return event;
}

static int loop(struct looper *l)
{
	struct pace pace;
	int ret = 0;

	pace_begin(&pace, l->a->interval);
	if (!l->view)
		l->chart = chart_begin();
	if (!l->view && !l->chart) {
		pace_end(&pace);
		return -ENOTTY;
	}
	while (!ret && wait_for_sample(l, &pace) == PACE_DUE) {
		ret = step(l);
		pace_next(&pace);
		if (is_done(l, &pace))
			break;
	}
	chart_end(l->chart);
	pace_end(&pace);
	return ret;
}

/* ---- after ---- */

static int write_plot(const struct looper *l, const struct plot *plot, size_t i)
{
	const char *path = l->a->plots[i];
	FILE *out = l->plots[i];
	bool png = !strcasecmp(strrchr(path, '.'), ".png");
	int ret;

	/* What was there before, if that is a file. */
	if (ftruncate(fileno(out), 0) && errno != EINVAL)
		ret = -errno;
	else
		ret = png ? plot_png(plot, out) : plot_svg(plot, out);
	if (!ret && fflush(out))
		ret = -errno;
	if (!ret)
		return CLI_OK;
	cli_error("%s: %s", path, strerror(-ret));
	return CLI_FAILED;
}

static int write_plots(const struct looper *l)
{
	int status = CLI_OK;
	struct plot *plot;

	if (!l->a->plot_count || !l->w.kept)
		return CLI_OK;
	plot = watch_plot(&l->w, l->s->view.info, 0);
	if (!plot)
		return session_explain_of(l->s, "plot", -ENOMEM);
	for (size_t i = 0; i < l->a->plot_count; i++)
		status = cli_worse(status, write_plot(l, plot, i));
	plot_free(plot);
	return status;
}

static void close_plots(struct looper *l)
{
	for (size_t i = 0; i < l->a->plot_count; i++)
		if (l->plots[i])
			fclose(l->plots[i]);
}

/* What a chart showed is gone with it. */
static void show_end(struct looper *l)
{
	if (!l->w.now)
		return;
	if (l->view && l->view->end)
		l->view->end(&l->s->view, &l->w);
	else if (!l->view)
		watch_lines_last(&l->s->view, &l->w);
}

static int watch_targets(struct looper *l)
{
	int ret = loop(l);
	int status;

	if (ret == -ENOTTY && !l->view) {
		cli_error("this terminal (TERM=%s) can't show a chart (try: --lines)",
			  getenv("TERM") ? getenv("TERM") : "");
		return CLI_FAILED;
	}
	show_end(l);
	status = ret ? session_explain_of(l->s, "watch", ret) : CLI_OK;
	return cli_worse(status, write_plots(l));
}

int watch_run(struct session *s, const struct watch_arguments *a)
{
	struct looper l = {
		.s = s,
		.a = a,
		.w = {
			.interval = a->interval,
			.accessed = a->accessed,
			.reset = a->reset,
			.lru = a->lru,
			.zones = a->zones,
		},
	};
	size_t count;
	int status = find_targets(&l, &count);

	choose_view(&l);
	l.w.flags = known_flags(s->lens, sample_flags(&l));
	if (count && watch_begin(&l.w, count)) {
		status = session_explain_of(s, "watch", -ENOMEM);
	} else if (count) {
		int opened = open_plots(&l);

		for (size_t i = 0; i < count; i++)
			l.w.last[i].pid = l.targets[i].pid;

		/* Where a reader of lines goes, there is still the plot. */
		if (a->plot_count)
			signal(SIGPIPE, SIG_IGN);
		warn_of_reset(&l);
		if (!opened)
			opened = watch_targets(&l);
		status = cli_worse(status, opened);
	}
	close_plots(&l);
	watch_end(&l.w);
	free(l.targets);
	return status;
}
