/* SPDX-License-Identifier: GPL-2.0-only */
/* The sink: records of one step in a bounce buffer. */
#ifndef MML_EMIT_H
#define MML_EMIT_H

#include <linux/string.h>
#include <linux/types.h>

#include "uapi/mmlens.h"

/* A run of one entry is gathered in more room than its record takes. */
#define MML_SINK_SLACK		sizeof(u64)

/*
 * Room for one record for each entry of a page table, and for a VMA with the
 * longest name beside them.
 */
#define MML_SINK_SIZE		(512 * sizeof(struct mmlens_page) + 8192)

/**
 * struct mml_sink - A bounce buffer for records.
 * @buf:	MML_SINK_SIZE + MML_SINK_SLACK bytes
 * @limit:	bytes that this step may use
 * @used:	bytes in use
 * @records:	how many records they are
 */
struct mml_sink {
	u8 *buf;
	size_t limit;
	size_t used;
	u64 records;
};

static inline void mml_sink_reset(struct mml_sink *sink, size_t limit)
{
	sink->limit = min_t(size_t, limit, MML_SINK_SIZE);
	sink->used = 0;
	sink->records = 0;
}

static inline size_t mml_sink_room(const struct mml_sink *sink)
{
	return sink->limit - sink->used;
}

/**
 * mml_sink_end() - Where the next record will stand.
 * @sink:	the sink
 * @size:	bytes that it will have at most
 *
 * Returns: the place, whose bytes are to be written all, or NULL when there is
 * no room.
 */
static inline void *mml_sink_end(const struct mml_sink *sink, size_t size)
{
	return size <= mml_sink_room(sink) ? sink->buf + sink->used : NULL;
}

/**
 * mml_sink_commit() - Append the record that was written at the end.
 * @sink:	the sink
 * @type:	MMLENS_REC_*
 * @level:	MMLENS_LEVEL_*
 * @size:	bytes of the record, head included, a multiple of 8
 */
static inline void mml_sink_commit(struct mml_sink *sink, u8 type, u8 level,
				   size_t size)
{
	struct mmlens_record *head;

	head = (struct mmlens_record *)(sink->buf + sink->used);
	head->size = size;
	head->type = type;
	head->level = level;
	sink->used += size;
	sink->records++;
}

/**
 * mml_emit() - Append a record.
 * @sink:	the sink
 * @type:	MMLENS_REC_*
 * @level:	MMLENS_LEVEL_*
 * @size:	bytes of the record, head included, a multiple of 8
 *
 * Returns: the record, its head filled in and all else zero, or NULL when
 * there is no room.
 */
void *mml_emit(struct mml_sink *sink, u8 type, u8 level, size_t size);

#endif
