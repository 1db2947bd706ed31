/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands that look again and again. */
#ifndef MMLENS_PACE_H
#define MMLENS_PACE_H

#include <signal.h>
#include <stdbool.h>

/**
 * struct pace - When the next look is due.
 * @seconds:	from one to the next
 * @due:	by pace_now()
 * @old:	what SIGINT, SIGTERM and SIGHUP did before
 */
struct pace {
	double seconds;
	double due;
	struct sigaction old[3];
};

enum pace_event {
	PACE_DUE,
	PACE_INPUT,		/* there is something to read */
	PACE_INTERRUPTED,	/* by one of those signals */
};

/* Seconds, as 0.5 or 2s.  Return: false for none. */
bool pace_parse_seconds(const char *text, double *seconds);

/* Seconds since some time, which never go back. */
double pace_now(void);

/*
 * The first look is due now.  These signals end waiting and let a look be
 * finished; a second one of them ends the program.
 */
void pace_begin(struct pace *p, double seconds);
/* Another look is due when the time is over, or now where it is already. */
void pace_next(struct pace *p);
/* Wait for it, or for something to read from @fd; -1: nothing is read. */
enum pace_event pace_wait(struct pace *p, int fd);
void pace_end(struct pace *p);
/* Whether one of those signals came since pace_begin(). */
bool pace_interrupted(void);

#endif
