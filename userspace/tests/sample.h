/* SPDX-License-Identifier: GPL-2.0-only */
/* A small capture with an answer to most queries, and a look at all of it. */
#ifndef MMLENS_TEST_SAMPLE_H
#define MMLENS_TEST_SAMPLE_H

#include <stddef.h>

#include "capture.h"

#define SAMPLE_PID 42

/* What captures have answers of, for what makes them up. */
struct sample_answer {
	unsigned int nr;
	uint32_t flags;
	int pid;
};

#define SAMPLE_ANSWERS 15
extern const struct sample_answer sample_answers[SAMPLE_ANSWERS];

/* Into a file, or without a name (@path NULL), then a descriptor is returned. */
int sample_write(const char *path);

/*
 * All that can be had of @lens, which it closes: a hash, or 0 when anything of
 * it was an error.  Whatever comes, nothing may crash.
 */
uint64_t sample_look(struct mmlens *lens);

#endif
