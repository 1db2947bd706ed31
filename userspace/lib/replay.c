// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers out of a capture.  A query is stored once, with all that can be asked
 * of it; ranges and flags are seen to here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "capture_take.h"
#include "internal.h"
#include "replay.h"

/* Below are numbers that mean something to callers (MMLENS_LIST_FROM). */
#define FIRST_TICKET 16

/* ---- handing out ---- */

void *replay_room(struct replay_out *out, size_t size)
{
	struct mmlens_walk *walk = out->walk;
	char *at = (char *)(uintptr_t)walk->buffer + walk->written;

	out->full = walk->buffer_size - walk->written < size;
	if (out->full)
		return NULL;
	memset(at, 0, size);
	walk->written += size;
	walk->records++;
	return at;
}

bool replay_put(struct replay_out *out, const struct mmlens_record *rec)
{
	void *at = replay_room(out, rec->size);

	if (at)
		memcpy(at, rec, rec->size);
	return at;
}

/* Are its records in the order of what its range is of? */
static bool has_order(const struct replay_walk *walk)
{
	return walk->nr == MMLENS_NR_PTES || walk->nr == MMLENS_NR_PAGES;
}

/* Nothing in the block that comes next is in the range, or in any behind it. */
static bool is_over(const struct replay_walk *walk)
{
	return !walk->at && has_order(walk) &&
	       walk->stored->blocks[walk->block].first >= walk->end;
}

int replay_peek(struct replay *r, struct replay_walk *walk,
		const struct mmlens_record **rec)
{
	const uint8_t *data;
	size_t length;
	int ret;

	while (walk->block < walk->stored->count && !is_over(walk)) {
		ret = mml_capture_block(r->capture, walk->stored, walk->block,
					&data, &length);
		if (ret)
			return ret;
		if (walk->at < length) {
			*rec = (const void *)(data + walk->at);
			return 1;
		}
		walk->block++;
		walk->at = 0;
	}
	return 0;
}

void replay_skip(struct replay_walk *walk, const struct mmlens_record *rec)
{
	walk->at += rec->size;
	walk->part = 0;
}

/* ---- which answer ---- */

static const char *name_of(unsigned int nr)
{
	static const char *const names[] = {
		[MMLENS_NR_VMAS] = "mappings",
		[MMLENS_NR_PTES] = "page-table entries",
		[MMLENS_NR_VTOP] = "translations",
		[MMLENS_NR_SMAPS] = "sums of mappings",
		[MMLENS_NR_NUMA_MAPS] = "nodes of mappings",
		[MMLENS_NR_TABLES] = "page-table pages",
		[MMLENS_NR_PROCS] = "processes",
		[MMLENS_NR_ZONES] = "zones",
		[MMLENS_NR_FREE] = "free blocks",
		[MMLENS_NR_PAGEBLOCKS] = "page blocks",
		[MMLENS_NR_PAGES] = "page frames",
		[MMLENS_NR_USERS] = "who maps what",
		[MMLENS_NR_KMAP] = "kernel page table",
		[MMLENS_NR_LRU] = "LRU lists",
	};

	return nr < ARRAY_SIZE(names) && names[nr] ? names[nr] : "such answer";
}

/* @format has the query's name in it. */
__attribute__((format(printf, 2, 3)))
static int missing(struct replay *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(mml_capture_why(r->capture), MML_WHY, format, ap);
	va_end(ap);
	return -ENODATA;
}

static bool has_process(const struct replay *r, int pid)
{
	size_t count;
	const struct mml_stored *all = mml_capture_all(r->capture, &count);

	for (size_t i = 0; i < count; i++)
		if (all[i].pid == pid && all[i].nr != MML_STORED_FILE)
			return true;
	return false;
}

static int not_there(struct replay *r, unsigned int nr, int pid)
{
	if (pid && !has_process(r, pid))
		return -ESRCH;
	if (pid)
		return missing(r, "has no %s of PID %d (they are taken with: mmlens snap %d, without --entries)",
			       name_of(nr), pid, pid);
	if (mml_capture_header(r->capture)->flags & MML_HEADER_MACHINE)
		return missing(r, "has no %s: the kernel that it was taken on doesn't tell them",
			       name_of(nr));
	return missing(r, "has no %s (they are taken with: mmlens snap --machine)",
		       name_of(nr));
}

/* What is stored of a query that is asked with @flags. */
static uint32_t stored_flags(unsigned int nr, uint32_t flags)
{
	switch (nr) {
	case MMLENS_NR_PTES:
		return MMLENS_CAPTURE_PTES;
	case MMLENS_NR_PROCS:
		return MMLENS_WALK_TOTAL;
	case MMLENS_NR_SMAPS:
		return 0;
	case MMLENS_NR_LRU:
		return flags ? MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING : 0;
	default:
		return flags;
	}
}

/* ---- walks ---- */

static struct replay_walk *new_walk(struct replay *r)
{
	struct replay_walk *walk = &r->walks[0];

	for (size_t i = 1; i < REPLAY_WALKS; i++)
		if (r->walks[i].used < walk->used)
			walk = &r->walks[i];
	*walk = (struct replay_walk) { .ticket = ++r->tickets };
	return walk;
}

static struct replay_walk *find_walk(struct replay *r, uint64_t ticket)
{
	for (size_t i = 0; i < REPLAY_WALKS; i++)
		if (r->walks[i].ticket == ticket)
			return &r->walks[i];
	return NULL;
}

void replay_seek(struct replay_walk *walk)
{
	const struct mml_stored *s = walk->stored;
	size_t low = 0, high = s->count;

	if (!has_order(walk))
		return;
	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (s->blocks[middle].first < walk->start)
			low = middle + 1;
		else
			high = middle;
	}
	walk->block = low ? low - 1 : 0;
}

/* Of lists from the one on whose cursor this is. */
static int seek_list(struct replay *r, struct replay_walk *walk, uint64_t from)
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = replay_peek(r, walk, &rec)) > 0) {
		if (rec->type == MMLENS_REC_LRU &&
		    ((const struct mmlens_lru_list *)rec)->cursor == from)
			return 0;
		replay_skip(walk, rec);
	}
	return ret;
}

/* Sums are of whole mappings, and page-table pages of the whole. */
static bool has_whole_only(unsigned int nr)
{
	return nr == MMLENS_NR_SMAPS || nr == MMLENS_NR_NUMA_MAPS ||
	       nr == MMLENS_NR_TABLES;
}

static int begin(struct replay *r, unsigned int nr, struct mmlens_walk *ask,
		 struct replay_walk **begun)
{
	const struct mml_stored *stored;
	struct replay_walk *walk;

	if (nr == MMLENS_NR_KMAP && ask->flags & MMLENS_WALK_LEVELS)
		return missing(r, "has no translations of kernel addresses (mmlens kmap shows the runs)");
	stored = mml_capture_find(r->capture, nr, stored_flags(nr, ask->flags),
				  ask->pid);
	if (!stored)
		return not_there(r, nr, ask->pid);
	if (stored->error && !stored->count)
		return -(int)stored->error;
	if (has_whole_only(nr) && (ask->start || ask->end))
		return missing(r, "has %s as a whole, not of a part of the addresses",
			       name_of(nr));
	walk = new_walk(r);
	walk->stored = stored;
	walk->nr = nr;
	walk->flags = ask->flags;
	walk->start = ask->start;
	walk->end = ask->end ? ask->end : UINT64_MAX;
	ask->max_hold_ns = stored->max_hold_ns;
	ask->restarts = stored->restarts;
	replay_seek(walk);
	*begun = walk;
	if (nr == MMLENS_NR_LRU && ask->generation == MMLENS_LIST_FROM)
		return seek_list(r, walk, ask->cursor);
	return 0;
}

static int fill(struct replay *r, struct replay_walk *walk,
		struct replay_out *out)
{
	const struct mmlens_info *info = mml_capture_info(r->capture);
	const struct mmlens_record *rec;
	int ret;

	while ((ret = replay_peek(r, walk, &rec)) > 0) {
		if (!replay_record(info, walk, rec, out))
			return 0;
		if (walk->done)
			break;
		replay_skip(walk, rec);
	}
	if (ret < 0 || !replay_end(info, walk, out))
		return ret;
	walk->done = true;
	return walk->stored->error ? -(int)walk->stored->error : 0;
}

static int step(struct replay *r, unsigned int nr, struct mmlens_walk *ask)
{
	struct replay_out out = { .walk = ask };
	struct replay_walk *walk = NULL;
	int ret = 0;

	if (ask->generation < FIRST_TICKET)
		ret = begin(r, nr, ask, &walk);
	else
		walk = find_walk(r, ask->generation);
	if (ret)
		return ret;
	if (!walk || walk->nr != nr)
		return -EINVAL;
	walk->used = ++r->tickets;
	ret = fill(r, walk, &out);
	if (ret)
		return ret;
	ask->cursor++;
	ask->generation = walk->ticket;
	ask->status = walk->done ? MMLENS_STATUS_DONE :
				   MMLENS_STATUS_TRUNCATED;
	if (walk->done)
		walk->used = 0;
	return 0;
}

static int translate(struct replay *r, struct mmlens_walk *ask)
{
	struct replay_out out = { .walk = ask };
	const struct mml_stored *stored =
		mml_capture_find(r->capture, MMLENS_NR_VTOP, 0, ask->pid);

	if (!stored)
		return not_there(r, MMLENS_NR_VTOP, ask->pid);
	ask->status = MMLENS_STATUS_DONE;
	return replay_vtop(r, ask->pid, ask->start, &out);
}

/* ---- the transport ---- */

static int replay_ioctl(void *context, unsigned long request, void *arg)
{
	struct replay *r = context;

	mml_capture_why(r->capture)[0] = '\0';
	if (request == MMLENS_INFO) {
		memcpy(arg, mml_capture_info(r->capture),
		       sizeof(struct mmlens_info));
		return 0;
	}
	if (request == MMLENS_VTOP)
		return translate(r, arg);
	return step(r, _IOC_NR(request), arg);
}

static void replay_close(void *context)
{
	struct replay *r = context;

	if (mmlens_source() == r->capture)
		mmlens_source_set(NULL);
	mml_capture_close(r->capture);
	free(r);
}

static const struct mmlens_transport replay_transport = {
	.ioctl = replay_ioctl,
	.close = replay_close,
};

struct mmlens *mml_replay_open(struct mml_capture *capture, bool files)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r) {
		mml_capture_close(capture);
		return NULL;
	}
	r->capture = capture;
	r->tickets = FIRST_TICKET;
	if (files)
		mmlens_source_set(capture);
	return mmlens_open_transport(&replay_transport, r);
}

/* ---- captures, to callers ---- */

struct mmlens *mmlens_capture_open(const char *path, char *why, size_t room)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char reason[MML_WHY] = "";
	struct mml_capture *capture;
	struct mmlens *lens;

	if (fd < 0) {
		snprintf(why, room, "%s", strerror(errno));
		return NULL;
	}
	capture = mml_capture_open(fd, reason);
	snprintf(why, room, "%s", reason);
	if (!capture)
		return NULL;
	lens = mml_replay_open(capture, true);
	if (!lens)
		snprintf(why, room, "%s", strerror(errno));
	return lens;
}

static struct replay *replay_of(const struct mmlens *lens)
{
	return lens->ops == &replay_transport ? lens->context : NULL;
}

bool mml_is_capture(const struct mmlens *lens)
{
	return replay_of(lens);
}

const char *mmlens_capture_why(const struct mmlens *lens)
{
	struct replay *r = replay_of(lens);
	const char *why = r ? mml_capture_why(r->capture) : "";

	return *why ? why : NULL;
}

bool mmlens_capture_about(const struct mmlens *lens,
			  struct mmlens_capture_about *about)
{
	const struct replay *r = replay_of(lens);
	const struct mml_header *header;

	if (!r)
		return false;
	header = mml_capture_header(r->capture);
	*about = (struct mmlens_capture_about) {
		.seconds = header->seconds,
		.machine = header->flags & MML_HEADER_MACHINE,
	};
	return true;
}

size_t mmlens_capture_pids(const struct mmlens *lens, int *pids, size_t room)
{
	const struct replay *r = replay_of(lens);
	const struct mml_stored *all;
	size_t count = 0, n = 0;

	if (!r)
		return 0;
	all = mml_capture_all(r->capture, &count);
	for (size_t i = 0; i < count; i++) {
		if (all[i].nr != MMLENS_NR_PTES)
			continue;
		if (n < room)
			pids[n] = all[i].pid;
		n++;
	}
	return n;
}
