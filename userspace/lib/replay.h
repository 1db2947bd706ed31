/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transport that answers out of a capture: calls and walks (replay.c), what
 * is made of what was stored (replay_records.c), ways down (replay_vtop.c).
 */
#ifndef MMLENS_LIB_REPLAY_H
#define MMLENS_LIB_REPLAY_H

#include "capture.h"

/**
 * struct replay_walk - A walk from call to call.
 * @ticket:	its mmlens_walk.generation; 0: none
 * @used:	when it was, to forget the oldest
 * @stored:	the answer it is made of
 * @nr:		the query
 * @flags:	MMLENS_WALK_* that it was asked with
 * @start:	as in &struct mmlens_walk
 * @end:	0: no end
 * @block:	the block under way
 * @at:		the next record in it
 * @done:	nothing is to come
 * @skipped:	what the last leading record began isn't wanted
 * @part:	entries of the record under way that were handed out
 * @left:	folios that are left of the part of a list
 * @place:	the place in its list of the next folio
 * @sums:	with MMLENS_WALK_TOTAL of a process: all of them
 * @whole:	and from where to where
 */
struct replay_walk {
	uint64_t ticket;
	uint64_t used;
	const struct mml_stored *stored;
	unsigned int nr;
	uint32_t flags;
	uint64_t start;
	uint64_t end;
	size_t block;
	size_t at;
	bool done;
	bool skipped;
	uint32_t part;
	uint32_t left;
	uint64_t place;
	struct mmlens_smaps sums;
	struct mmlens_vma whole;
};

/* The walks at a time that are remembered: views have two or three. */
#define REPLAY_WALKS 16

struct replay {
	struct mml_capture *capture;
	bool files;
	uint64_t tickets;
	struct replay_walk walks[REPLAY_WALKS];
};

/* What a call is to be given. */
struct replay_out {
	struct mmlens_walk *walk;
	bool full;
};

/* Room for @size bytes, zeroed and counted; NULL and full without. */
void *replay_room(struct replay_out *out, size_t size);
/* Return: false when there is no room. */
bool replay_put(struct replay_out *out, const struct mmlens_record *rec);

/*
 * The next record that is stored, which stays the next until @walk->at is moved;
 * 1, 0 at the end, or a negative errno.
 */
int replay_peek(struct replay *r, struct replay_walk *walk,
		const struct mmlens_record **rec);
/* To the last block that begins before @walk->start does. */
void replay_seek(struct replay_walk *walk);
void replay_skip(struct replay_walk *walk, const struct mmlens_record *rec);

/*
 * Hand out what @rec comes to.  Return: false to have it once more when there
 * is room again.
 */
bool replay_record(const struct mmlens_info *info, struct replay_walk *walk,
		   const struct mmlens_record *rec, struct replay_out *out);
/* What comes behind the last one.  Return: as replay_record(). */
bool replay_end(const struct mmlens_info *info, struct replay_walk *walk,
		struct replay_out *out);

/* All of the translation of @address; 0 or a negative errno. */
int replay_vtop(struct replay *r, int pid, uint64_t address,
		struct replay_out *out);

#endif
