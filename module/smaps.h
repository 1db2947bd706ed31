/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums over the pages of VMAs, for all walks that make them. */
#ifndef MML_SMAPS_H
#define MML_SMAPS_H

#include "core.h"
#include "vma_sums.h"

/**
 * struct mml_tally - Pages in a row that count alike, to be added up as one.
 * @class:	what they count as (walk_smaps.c)
 * @mapcount:	of each
 * @pages:	how many; they are of the VMA under way
 */
struct mml_tally {
	unsigned int class;
	int mapcount;
	u64 pages;
};

/**
 * struct mml_smaps - What is summed up now; the head of a walk's private part.
 * @vma:	the VMA under way
 * @shmem:	its mapping when some of that is swapped out and must be looked
 *		for
 * @first:	start of the first VMA
 * @last:	end of the last one
 * @tally:	pages that aren't in @sums yet
 * @sums:	so far
 */
struct mml_smaps {
	struct mml_vma_mark vma;
	struct address_space *shmem;
	unsigned long first;
	unsigned long last;
	struct mml_tally tally;
	struct mmlens_smaps sums;
};

int mml_smaps_total_step(struct mml_walk *walk, bool *done);
void mml_smaps_emit(struct mml_walk *walk, u32 flags);

#endif
