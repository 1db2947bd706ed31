// SPDX-License-Identifier: LGPL-2.1-or-later
/* Processes: a process and the sums over its memory, put together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct mmlens_procs {
	struct mmlens_stream *stream;
	bool with_smaps;
	bool ended;
	int end;			/* what the stream ended with */
	const struct mmlens_record *ahead;	/* the next process */
	struct mmlens_proc proc;
	struct mmlens_smaps smaps;
	struct mmlens_process_sums sums;
};

struct mmlens_procs *mmlens_procs_open(struct mmlens *lens, unsigned int flags)
{
	struct mmlens_procs *procs = calloc(1, sizeof(*procs));
	struct mmlens_request request = {};

	if (!procs)
		return NULL;
	procs->with_smaps = flags & MMLENS_PROCS_SMAPS;
	if (procs->with_smaps)
		request.flags = MMLENS_WALK_TOTAL;
	procs->stream = mmlens_stream_open(lens, MMLENS_NR_PROCS, &request);
	if (!procs->stream) {
		free(procs);
		return NULL;
	}
	return procs;
}

/* The next record of the stream; its end is kept. */
static bool take(struct mmlens_procs *procs, const struct mmlens_record **rec)
{
	int ret;

	if (procs->ended)
		return false;
	ret = mmlens_stream_next(procs->stream, rec);
	if (ret > 0)
		return true;
	procs->ended = true;
	procs->end = ret;
	return false;
}

static void begin_process(struct mmlens_procs *procs,
			  const struct mmlens_record *rec)
{
	memcpy(&procs->proc, rec, sizeof(procs->proc));
	procs->proc.comm[sizeof(procs->proc.comm) - 1] = '\0';
	procs->sums = (struct mmlens_process_sums) { .proc = &procs->proc };
}

/* The next record that begins a process; what isn't one's part is skipped. */
static bool find_process(struct mmlens_procs *procs)
{
	const struct mmlens_record *rec = procs->ahead;

	procs->ahead = NULL;
	while (!rec || rec->type != MMLENS_REC_PROC)
		if (!take(procs, &rec))
			return false;
	begin_process(procs, rec);
	return true;
}

/* Take the records up to the next process's. */
static void add_parts(struct mmlens_procs *procs)
{
	const struct mmlens_record *rec;

	while (take(procs, &rec)) {
		if (rec->type == MMLENS_REC_PROC) {
			procs->ahead = rec;
			return;
		}
		if (rec->type != MMLENS_REC_SMAPS)
			continue;
		memcpy(&procs->smaps, rec, sizeof(procs->smaps));
		procs->sums.smaps = &procs->smaps;
	}
}

/* Only a process without memory, or that lost it, may go without sums. */
static bool lacks_sums(const struct mmlens_procs *procs)
{
	return procs->with_smaps && !procs->sums.smaps &&
	       !(procs->proc.flags & (MMLENS_PROC_NO_MM | MMLENS_PROC_RACED));
}

int mmlens_procs_next(struct mmlens_procs *procs,
		      const struct mmlens_process_sums **sums)
{
	*sums = &procs->sums;
	if (!find_process(procs))
		return procs->end;
	if (procs->with_smaps)
		add_parts(procs);
	if (lacks_sums(procs))
		return procs->ended && procs->end ? procs->end : -EPROTO;
	return 1;
}

const struct mmlens_stats *mmlens_procs_stats(const struct mmlens_procs *procs)
{
	return mmlens_stream_stats(procs->stream);
}

void mmlens_procs_close(struct mmlens_procs *procs)
{
	if (!procs)
		return;
	mmlens_stream_close(procs->stream);
	free(procs);
}

/* All from rss to swap_anon are sums. */
void mmlens_smaps_add(struct mmlens_smaps *sum, const struct mmlens_smaps *add)
{
	const __u64 *from = &add->rss;
	__u64 *to = &sum->rss;

	for (size_t i = 0; i <= (size_t)(&add->swap_anon - from); i++)
		to[i] += from[i];
}

int mmlens_process_sum(struct mmlens *lens, int pid, struct mmlens_smaps *smaps)
{
	struct mmlens_request request = { .pid = pid,
					  .flags = MMLENS_WALK_TOTAL };
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	memset(smaps, 0, sizeof(*smaps));
	stream = mmlens_stream_open(lens, MMLENS_NR_SMAPS, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0)
		if (rec->type == MMLENS_REC_SMAPS)
			memcpy(smaps, rec, sizeof(*smaps));
	mmlens_stream_close(stream);
	return ret;
}
