// SPDX-License-Identifier: GPL-2.0-only
/* A look every so often, until there were enough or somebody ends it. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pace.h"

/* A look takes about as long as a walk. */
#define LEAST_SECONDS	0.01
#define MOST_SECONDS	(366 * 86400.0)

bool pace_parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && *end == 's')
		end++;
	return end != text && !*end && isfinite(*seconds) &&
	       *seconds >= LEAST_SECONDS && *seconds <= MOST_SECONDS;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

bool pace_interrupted(void)
{
	return interrupted;
}

double pace_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

void pace_begin(struct pace *p, double seconds)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	interrupted = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &p->old[0]);
	sigaction(SIGTERM, &action, &p->old[1]);
	sigaction(SIGHUP, &action, &p->old[2]);
	/* nohup(1) */
	if (p->old[2].sa_handler == SIG_IGN)
		sigaction(SIGHUP, &p->old[2], NULL);
	p->seconds = seconds;
	p->due = pace_now();
}

void pace_next(struct pace *p)
{
	double at = pace_now();

	p->due += p->seconds;
	/* What took longer than that isn't made up for. */
	if (p->due < at)
		p->due = at;
}

/* Signals come while it waits and not between the question and the wait. */
static int wait_for(int fd, double seconds)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	double whole, rest = modf(seconds, &whole);
	const struct timespec ts = {
		.tv_sec = whole,
		.tv_nsec = rest * 1e9,
	};
	sigset_t ours, before;
	int ret = 0;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	if (!interrupted)
		ret = ppoll(&input, 1, &ts, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

enum pace_event pace_wait(struct pace *p, int fd)
{
	double left;

	while (!interrupted && (left = p->due - pace_now()) > 0)
		if (wait_for(fd, left) > 0)
			return PACE_INPUT;
	return interrupted ? PACE_INTERRUPTED : PACE_DUE;
}

void pace_end(struct pace *p)
{
	sigaction(SIGINT, &p->old[0], NULL);
	sigaction(SIGTERM, &p->old[1], NULL);
	sigaction(SIGHUP, &p->old[2], NULL);
}
