// SPDX-License-Identifier: GPL-2.0-only
/* How an experiment goes on and ends, and what it says. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"

enum {
	STATUS_SEEN = 0,
	STATUS_NOT_SEEN = 1,
	STATUS_CANNOT = 3,
};

/* ---- signals ---- */

static volatile sig_atomic_t interrupted;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

bool lab_interrupted(void)
{
	return interrupted;
}

/*
 * However often they come: what was begun is taken back.  Where the reader of
 * the output goes, the write fails and that ends it.
 */
static void signals_take(struct sigaction old[SIGNALS + 1])
{
	struct sigaction action = { .sa_handler = on_signal };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	interrupted = 0;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &action, &old[i]);
	sigaction(SIGPIPE, &ignore, &old[SIGNALS]);
}

static void signals_give_back(const struct sigaction old[SIGNALS + 1])
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &old[i], NULL);
	sigaction(SIGPIPE, &old[SIGNALS], NULL);
}

double lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

void lab_sleep(struct lab *lab, double seconds)
{
	double end = lab_now() + seconds, left;

	while (lab_goes_on(lab) && (left = end - lab_now()) > 0) {
		int ms = left > 0.05 ? 50 : (int)(left * 1000) + 1;

		poll(NULL, 0, ms);
	}
}

/* ---- how it ends ---- */

bool lab_goes_on(struct lab *lab)
{
	if (lab->result != LAB_GOES_ON)
		return false;
	if (interrupted)
		lab->result = LAB_INTERRUPTED;
	else if (lab->view->error) {
		lab->result = LAB_FAILED;
		snprintf(lab->why, sizeof(lab->why), "standard output: %s",
			 strerror(lab->view->error));
	}
	return lab->result == LAB_GOES_ON;
}

static void end_with(struct lab *lab, enum lab_result result,
		     const char *format, va_list ap)
{
	if (!lab_goes_on(lab))
		return;
	lab->result = result;
	vsnprintf(lab->why, sizeof(lab->why), format, ap);
}

void lab_fail(struct lab *lab, int error, const char *what, ...)
{
	va_list ap;
	size_t n;

	if (!lab_goes_on(lab))
		return;
	va_start(ap, what);
	end_with(lab, LAB_FAILED, what, ap);
	va_end(ap);
	n = strlen(lab->why);
	if (error)
		snprintf(lab->why + n, sizeof(lab->why) - n, ": %s",
			 strerror(abs(error)));
}

void lab_cannot(struct lab *lab, const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	end_with(lab, LAB_CANNOT, why, ap);
	va_end(ap);
}

/* ---- what is said ---- */

static void table_end(struct lab *lab)
{
	if (lab->columns)
		lab->show->table_end(lab->view);
	lab->columns = NULL;
}

static void step_end(struct lab *lab)
{
	table_end(lab);
	if (lab->step)
		lab->show->step_end(lab->view);
}

/* What is to be shown, in lab->text.  False: nothing is shown any more. */
static bool compose(struct lab *lab, const char *format, va_list ap)
{
	if (!lab_goes_on(lab))
		return false;
	vsnprintf(lab->text, sizeof(lab->text), format, ap);
	return true;
}

void lab_step(struct lab *lab, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (compose(lab, format, ap)) {
		step_end(lab);
		lab->show->step(lab->view, ++lab->step, lab->text);
	}
	va_end(ap);
	if (lab->smaller)
		lab_say(lab, "Little memory is available here: sizes are smaller than planned.");
	lab->smaller = false;
}

void lab_say(struct lab *lab, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (compose(lab, format, ap)) {
		table_end(lab);
		lab->show->say(lab->view, lab->text);
	}
	va_end(ap);
}

void lab_expect(struct lab *lab, bool seen, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (compose(lab, format, ap)) {
		table_end(lab);
		lab->show->lesson(lab->view, lab->text, seen);
		if (seen)
			lab->seen++;
		else
			lab->missed++;
	}
	va_end(ap);
}

void lab_number(struct lab *lab, const char *name, const char *source,
		enum lab_unit unit, uint64_t before, uint64_t after)
{
	const struct lab_number number = {
		.name = name,
		.source = source,
		.unit = unit,
		.before = before,
		.after = after,
	};

	if (!lab_goes_on(lab))
		return;
	table_end(lab);
	lab->show->number(lab->view, &number);
}

void lab_pair(struct lab *lab, const char *name, const char *source,
	      enum lab_unit unit, uint64_t ours, uint64_t kernel,
	      uint64_t slack)
{
	const struct lab_pair pair = {
		.name = name,
		.source = source,
		.unit = unit,
		.ours = ours,
		.kernel = kernel,
	};
	uint64_t off = ours > kernel ? ours - kernel : kernel - ours;

	if (!lab_goes_on(lab))
		return;
	table_end(lab);
	lab->show->pair(lab->view, &pair);
	if (off > slack)
		lab_expect(lab, false, "mmlens and %s agree about %s", source,
			   name);
}

void lab_show_entry(struct lab *lab, const char *what, uint64_t address,
		    const struct mmlens_entry *before,
		    const struct mmlens_entry *after)
{
	const struct lab_change change = {
		.what = what,
		.address = address,
		.before = before,
		.after = after,
	};

	if (!lab_goes_on(lab))
		return;
	table_end(lab);
	lab->show->entry(lab->view, &change);
}

void lab_show_translation(struct lab *lab, const struct mmlens_translation *t)
{
	if (!lab_goes_on(lab))
		return;
	table_end(lab);
	lab->show->translation(lab->view, t);
}

void lab_table(struct lab *lab, const struct lab_columns *columns)
{
	if (!lab_goes_on(lab))
		return;
	table_end(lab);
	lab->columns = columns;
	lab->show->table(lab->view, columns);
}

void lab_row(struct lab *lab, const char *label, const uint64_t *values)
{
	if (lab_goes_on(lab) && lab->columns)
		lab->show->row(lab->view, lab->columns, label, values);
}

/* ---- the whole ---- */

uint64_t lab_size(struct lab *lab, uint64_t wanted)
{
	uint64_t most = lab_meminfo("MemAvailable") / 8 & ~(2 * MIB - 1);

	if (wanted <= most)
		return wanted;
	if (most < 4 * MIB) {
		lab_cannot(lab, "less than 32 MiB of memory are available");
		return 4 * MIB;
	}
	lab->smaller = true;
	return most;
}

static void begin(struct lab *lab)
{
	const struct lab_experiment *e = lab->experiment;
	struct lab_intro intro = {
		.name = e->name,
		.summary = e->summary,
		.plan = e->plan,
		.limit = e->limit,
	};

	lab_group_make(lab);
	if (lab->group.kind != LAB_GROUP_NONE)
		intro.group = lab->group.path;
	lab->show->begin(lab->view, &intro);
	fflush(lab->view->out);
}

/* Each of these takes back what there is, and is fine with nothing. */
static void take_back(struct lab *lab)
{
	lab_workers_end(lab);
	lab_group_remove(lab);
	lab_files_remove(lab);
	lab_settings_restore(lab);
}

static int finish(struct lab *lab)
{
	struct lab_outcome outcome = {
		.why = lab->why,
		.seen = lab->seen,
		.missed = lab->missed,
	};
	int status = STATUS_NOT_SEEN;

	if (lab->result == LAB_CANNOT) {
		outcome.result = "can't run here";
		status = STATUS_CANNOT;
	} else if (lab->result == LAB_INTERRUPTED) {
		outcome.result = "interrupted";
	} else if (lab->result == LAB_FAILED) {
		outcome.result = "failed";
	} else if (lab->missed || !lab->seen) {
		outcome.result = "not seen";
	} else {
		outcome.result = "seen";
		status = STATUS_SEEN;
	}
	step_end(lab);
	lab->show->end(lab->view, &outcome);
	return status;
}

int lab_run(struct lab *lab)
{
	struct sigaction old[SIGNALS + 1];
	int status;

	signals_take(old);
	lab->began = lab_now();
	begin(lab);
	if (lab_goes_on(lab))
		lab->experiment->run(lab);
	take_back(lab);
	lab_plot_end(lab);
	status = finish(lab);
	signals_give_back(old);
	return status;
}
