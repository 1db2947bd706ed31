/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A capture being taken: its answers (capture_take.c), its files. */
#ifndef MMLENS_LIB_CAPTURE_TAKE_H
#define MMLENS_LIB_CAPTURE_TAKE_H

#include "capture.h"

/* What all entries are asked with; what is asked for less is made of it. */
#define MMLENS_CAPTURE_PTES \
	(MMLENS_WALK_PAGE | MMLENS_WALK_STATE | MMLENS_WALK_ABSENT | \
	 MMLENS_WALK_RUNS)

struct range {
	uint64_t start;
	uint64_t end;
};

/* Lines of a file that none other has. */
struct lines {
	char *text;
	size_t length;
	size_t room;
};

struct taken {
	int pid;
	struct mmlens_smaps sums;
};

/**
 * struct take - A capture under way.
 * @lens:	where the answers come from
 * @w:		where they go
 * @request:	what was asked for
 * @taken:	the processes
 * @count:	how many
 * @now:	the one under way
 * @vmas:	its mappings
 * @vma_count:	how many
 * @failed:	there is no memory for them
 * @failed_pid:	the process that couldn't be taken
 * @frames_end:	PFN behind the last page frame that came
 * @others:	processes of the machine
 * @other_count: how many
 * @users:	lines about users
 * @uid:	the user that came last
 * @gaps:	lines about page frames without a page
 * @records:	written so far
 * @told:	records since the beginning, for the caller
 * @stats:	of all walks
 */
struct take {
	struct mmlens *lens;
	struct mml_writer *w;
	const struct mmlens_capture_request *request;
	struct taken *taken;
	size_t count;
	struct taken *now;
	struct range *vmas;
	size_t vma_count;
	bool failed;
	int failed_pid;
	uint64_t frames_end;
	int *others;
	size_t other_count;
	struct lines users;
	uint32_t uid;
	struct lines gaps;
	uint64_t records;
	uint64_t told;
	struct mmlens_stats stats;
};

int take_record(struct take *t, const struct mmlens_record *rec);

/* ---- capture_files.c ---- */

/* Noted, to be written with the machine's or the common files. */
void take_user(struct take *t, uint32_t uid);
void take_other(struct take *t, int pid);
/* Page frames of [start, end) have no page. */
void take_gap(struct take *t, uint64_t start, uint64_t end);

/* 0 or a negative errno; a file that isn't there is none. */
int take_process_files(struct take *t, const struct taken *taken);
int take_machine_files(struct take *t);
int take_common_files(struct take *t);

void take_free(struct take *t);

#endif
