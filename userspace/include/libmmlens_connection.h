/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: a connection, and records as they come. */
#ifndef LIBMMLENS_CONNECTION_H
#define LIBMMLENS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmlens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- connection ---- */

struct mmlens;

/**
 * struct mmlens_transport - Where answers come from.
 * @ioctl:	as ioctl(2) on the device: fills @arg, returns 0 or a negative
 *		errno
 * @close:	frees @context; may be NULL
 */
struct mmlens_transport {
	int (*ioctl)(void *context, unsigned long request, void *arg);
	void (*close)(void *context);
};

/**
 * mmlens_open - Open the device and ask the module what it is.
 * @device:	path, NULL for %MMLENS_DEVICE
 *
 * Errors: those of open(2); ENOTTY when the device doesn't know MMLENS_INFO;
 * EPROTO when its answer makes no sense; ENOMEM.
 */
struct mmlens *mmlens_open(const char *device);

/**
 * mmlens_open_transport - As mmlens_open(), with another source of answers.
 * @ops:	must outlive the connection
 * @context:	given to @ops; closed with the connection, and on failure
 */
struct mmlens *mmlens_open_transport(const struct mmlens_transport *ops,
				     void *context);

/** mmlens_close - Close; NULL is fine. */
void mmlens_close(struct mmlens *lens);

/** mmlens_get_info - What the module said about itself when it was opened. */
const struct mmlens_info *mmlens_get_info(const struct mmlens *lens);

/** mmlens_has_query - Whether the module answers query @nr (MMLENS_NR_*). */
bool mmlens_has_query(const struct mmlens *lens, unsigned int nr);

/** mmlens_lib_version - Version of this library. */
const char *mmlens_lib_version(void);

/* ---- records as they come ---- */

/**
 * struct mmlens_request - What to walk.
 * @pid:	process or thread, above 0
 * @flags:	MMLENS_WALK_*
 * @start:	first address, a multiple of the page size
 * @end:	address after the last, a multiple of the page size; 0: all
 * @from:	of LRU lists: the cursor of the list to begin with; 0: the first
 */
struct mmlens_request {
	int pid;
	uint32_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t from;
};

/**
 * struct mmlens_stats - What a walk was like so far.
 * @records:	records that the module has written
 * @calls:	calls into the module
 * @restarts:	steps that met a change under way and were done again
 * @max_hold_ns: longest time that a lock of the process was held
 * @truncated:	the walk ended with an error, before its end
 */
struct mmlens_stats {
	uint64_t records;
	uint64_t calls;
	uint64_t restarts;
	uint64_t max_hold_ns;
	bool truncated;
};

/** mmlens_stats_add - What several walks were like together. */
void mmlens_stats_add(struct mmlens_stats *sum,
		      const struct mmlens_stats *add);

struct mmlens_stream;

/**
 * mmlens_stream_open - Begin a walk.
 * @lens:	connection
 * @nr:		MMLENS_NR_* of a walk
 * @request:	what to walk
 *
 * The first call into the module is made here, so what is wrong with the
 * request or its target shows before there is any record.
 *
 * Errors: EOPNOTSUPP when the module doesn't know the query; those listed at
 * &struct mmlens_walk; EPROTO for an answer that breaks the contract.
 */
struct mmlens_stream *mmlens_stream_open(struct mmlens *lens, unsigned int nr,
					 const struct mmlens_request *request);

/**
 * mmlens_stream_next - The next record.
 * @stream:	the walk
 * @record:	out: valid until the next call
 *
 * Records of types that this library doesn't know are handed out too, and are
 * to be skipped.  Those that it knows are at least as long as their structure.
 *
 * Return: 1 with a record, 0 at the end, -ESTALE when the process exited or
 * executed another program during the walk (all that was read has been handed
 * out), -EPROTO for a malformed record, or another negative errno.
 */
int mmlens_stream_next(struct mmlens_stream *stream,
		       const struct mmlens_record **record);

/** mmlens_stream_stats - The walk so far. */
const struct mmlens_stats *
mmlens_stream_stats(const struct mmlens_stream *stream);

/** mmlens_stream_close - End the walk; NULL is fine. */
void mmlens_stream_close(struct mmlens_stream *stream);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_CONNECTION_H */
