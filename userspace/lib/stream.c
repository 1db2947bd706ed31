// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records as they come: one fixed buffer, filled again from where the last
 * call stopped, each record checked before it is handed out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* 2048 entries a call: enough for its own cost, and few pages to fault in. */
#define STREAM_BUFFER (64 * 1024)

struct mmlens_stream {
	struct mmlens *lens;
	unsigned long request;
	struct mmlens_walk walk;	/* also holds cursor and generation */
	struct mmlens_stats stats;
	size_t at;			/* next record in buffer */
	size_t filled;			/* bytes of records in buffer */
	int end;			/* what next returns once it is empty */
	bool ended;
	_Alignas(8) char buffer[STREAM_BUFFER];
};

static const unsigned long requests[] = {
	[MMLENS_NR_VMAS]      = MMLENS_VMAS,
	[MMLENS_NR_PTES]      = MMLENS_PTES,
	[MMLENS_NR_VTOP]      = MMLENS_VTOP,
	[MMLENS_NR_SMAPS]     = MMLENS_SMAPS,
	[MMLENS_NR_NUMA_MAPS] = MMLENS_NUMA_MAPS,
	[MMLENS_NR_TABLES]    = MMLENS_TABLES,
	[MMLENS_NR_PROCS]     = MMLENS_PROCS,
	[MMLENS_NR_ZONES]     = MMLENS_ZONES,
	[MMLENS_NR_FREE]      = MMLENS_FREE,
	[MMLENS_NR_PAGEBLOCKS] = MMLENS_PAGEBLOCKS,
	[MMLENS_NR_PAGES]     = MMLENS_PAGES,
	[MMLENS_NR_USERS]     = MMLENS_USERS,
	[MMLENS_NR_KMAP]      = MMLENS_KMAP,
	[MMLENS_NR_LRU]       = MMLENS_LRU,
};

/* Least bytes of each type: a record may grow, it never shrinks. */
static const size_t least_size[] = {
	[MMLENS_REC_VMA]   = sizeof(struct mmlens_vma),
	[MMLENS_REC_NAME]  = sizeof(struct mmlens_name),
	[MMLENS_REC_PTE]   = sizeof(struct mmlens_pte),
	[MMLENS_REC_HOLE]  = sizeof(struct mmlens_hole),
	[MMLENS_REC_LEVEL] = sizeof(struct mmlens_level),
	[MMLENS_REC_SMAPS] = sizeof(struct mmlens_smaps),
	[MMLENS_REC_RUN]   = sizeof(struct mmlens_run),
	[MMLENS_REC_PAGE]  = sizeof(struct mmlens_page),
	[MMLENS_REC_NUMA]  = sizeof(struct mmlens_numa),
	[MMLENS_REC_NODE]  = sizeof(struct mmlens_node),
	[MMLENS_REC_TABLE] = sizeof(struct mmlens_table),
	[MMLENS_REC_PROC]  = sizeof(struct mmlens_proc),
	[MMLENS_REC_MEMNODE]  = sizeof(struct mmlens_memnode),
	[MMLENS_REC_ZONE]     = sizeof(struct mmlens_zone),
	[MMLENS_REC_COUNTERS] = sizeof(struct mmlens_counters),
	[MMLENS_REC_PAGESET]  = sizeof(struct mmlens_pageset),
	[MMLENS_REC_BLOCKS]   = sizeof(struct mmlens_blocks),
	[MMLENS_REC_PAGEBLOCKS] = sizeof(struct mmlens_pageblocks),
	[MMLENS_REC_PFNS]     = sizeof(struct mmlens_pfns),
	[MMLENS_REC_USER]     = sizeof(struct mmlens_user),
	[MMLENS_REC_BACKING]  = sizeof(struct mmlens_backing),
	[MMLENS_REC_REGION]   = sizeof(struct mmlens_region),
	[MMLENS_REC_KMAP]     = sizeof(struct mmlens_kmap),
	[MMLENS_REC_LRU]      = sizeof(struct mmlens_lru_list),
};

static void stream_end(struct mmlens_stream *s, int end)
{
	s->ended = true;
	s->end = end;
	s->stats.truncated = end < 0;
}

static void add_stats(struct mmlens_stats *stats,
		      const struct mmlens_walk *walk)
{
	stats->calls++;
	stats->records += walk->records;
	stats->restarts += walk->restarts;
	if (walk->max_hold_ns > stats->max_hold_ns)
		stats->max_hold_ns = walk->max_hold_ns;
}

/*
 * A walk that has begun ends with ESRCH when its address space is gone, and
 * with ENXIO when what is left of the process is a zombie.
 */
static int gone_or(const struct mmlens_stream *s, int error)
{
	if (s->stats.calls && (error == -ESRCH || error == -ENXIO))
		return -ESTALE;
	return error;
}

static int stream_fill(struct mmlens_stream *s)
{
	struct mmlens_walk *walk = &s->walk;
	uint64_t cursor = walk->cursor;
	int ret;

	walk->status = 0;
	walk->written = 0;
	walk->records = 0;
	walk->restarts = 0;
	walk->max_hold_ns = 0;
	ret = s->lens->ops->ioctl(s->lens->context, s->request, walk);
	if (ret)
		return gone_or(s, ret);

	add_stats(&s->stats, walk);
	if (walk->written > sizeof(s->buffer))
		return -EPROTO;
	s->at = 0;
	s->filled = walk->written;
	if (walk->status & MMLENS_STATUS_DONE)
		stream_end(s, 0);
	else if (!walk->written && walk->cursor == cursor)
		return -EPROTO;	/* it would never end */
	return 0;
}

static bool name_is_sane(const struct mmlens_record *rec)
{
	const struct mmlens_name *name = (const void *)rec;

	return name->length <= rec->size - sizeof(*name);
}

/* Entries in a row are present ones: PFNs alone go on from one to the next. */
static bool run_is_sane(const struct mmlens_record *rec)
{
	const struct mmlens_run *run = (const void *)rec;

	return run->count &&
	       mmlens_state(run->flags) == MMLENS_STATE_PRESENT &&
	       run->count <= (rec->size - sizeof(*run)) / sizeof(run->raw[0]);
}

static bool blocks_are_sane(const struct mmlens_record *rec)
{
	const struct mmlens_blocks *blocks = (const void *)rec;

	return blocks->order < 64 &&
	       blocks->count <= (rec->size - sizeof(*blocks)) /
				sizeof(blocks->pfn[0]);
}

/*
 * A leaf above level PTE stands alone.  Those in a row end within the user
 * range, and within their folio if it is a large one.
 */
static bool page_is_sane(const struct mmlens_info *info,
			 const struct mmlens_record *rec)
{
	const struct mmlens_page *page = (const void *)rec;
	uint64_t pages = info->task_size >> info->page_shift;
	uint64_t first = page->va >> info->page_shift;

	if (!page->count || page->order > 31)
		return false;
	if (page->folio_index >> page->order)
		return false;
	if (page->count == 1)
		return true;
	if (rec->level != MMLENS_LEVEL_PTE ||
	    mmlens_state(page->flags) != MMLENS_STATE_PRESENT ||
	    first > pages || page->count > pages - first ||
	    page->value + page->count < page->value)
		return false;
	return !page->order || page->folio_index + (uint64_t)page->count <=
			       1ull << page->order;
}

/* Not beyond what a PFN can be, and in the folio or block, or one like it. */
static bool pfns_are_sane(const struct mmlens_record *rec)
{
	const struct mmlens_pfns *run = (const void *)rec;

	return run->count && run->pfn + run->count > run->pfn &&
	       run->order <= 31 && !(run->folio_index >> run->order);
}

/* Within what PFNs can be, and within the user range. */
static bool user_is_sane(const struct mmlens_info *info,
			 const struct mmlens_record *rec)
{
	const struct mmlens_user *user = (const void *)rec;
	uint64_t pages = info->task_size >> info->page_shift;
	uint64_t first = user->va >> info->page_shift;

	return user->count && user->pfn + user->count > user->pfn &&
	       first < pages && user->count <= pages - first;
}

static bool backing_is_sane(const struct mmlens_record *rec)
{
	const struct mmlens_backing *backing = (const void *)rec;

	return memchr(backing->name, '\0', sizeof(backing->name)) &&
	       memchr(backing->filesystem, '\0', sizeof(backing->filesystem));
}

static bool region_is_sane(const struct mmlens_record *rec)
{
	const struct mmlens_region *region = (const void *)rec;

	return region->start < region->end &&
	       memchr(region->name, '\0', sizeof(region->name));
}

/* Of a level that there is, and not beyond the last address. */
static bool kmap_is_sane(const struct mmlens_info *info,
			 const struct mmlens_record *rec)
{
	const struct mmlens_kmap *run = (const void *)rec;
	uint64_t size = mmlens_level_size(info, rec->level);

	return size && run->count && !(run->va & (size - 1)) &&
	       run->count - 1 <= (UINT64_MAX - run->va) / size;
}

static bool lru_is_sane(const struct mmlens_record *rec)
{
	const struct mmlens_lru_list *list = (const void *)rec;

	return list->lru > MMLENS_LRU_NONE &&
	       list->lru <= MMLENS_LRU_UNEVICTABLE && list->generation <= 4;
}

/* What is known of its type, which a record of a newer one passes. */
static bool record_is_sane(const struct mmlens_info *info,
			   const struct mmlens_record *rec)
{
	switch (rec->type) {
	case MMLENS_REC_NAME:
		return name_is_sane(rec);
	case MMLENS_REC_RUN:
		return run_is_sane(rec);
	case MMLENS_REC_BLOCKS:
		return blocks_are_sane(rec);
	case MMLENS_REC_PAGE:
		return page_is_sane(info, rec);
	case MMLENS_REC_PFNS:
		return pfns_are_sane(rec);
	case MMLENS_REC_USER:
		return user_is_sane(info, rec);
	case MMLENS_REC_BACKING:
		return backing_is_sane(rec);
	case MMLENS_REC_REGION:
		return region_is_sane(rec);
	case MMLENS_REC_KMAP:
		return kmap_is_sane(info, rec);
	case MMLENS_REC_LRU:
		return lru_is_sane(rec);
	default:
		return true;
	}
}

int mmlens_record_check(const struct mmlens_info *info,
			const struct mmlens_record *rec, size_t left)
{
	if (left < sizeof(uint64_t))
		return -EPROTO;
	if (!rec->size || rec->size % 8 || rec->size > left)
		return -EPROTO;
	if (rec->type < ARRAY_SIZE(least_size) &&
	    rec->size < least_size[rec->type])
		return -EPROTO;
	return record_is_sane(info, rec) ? 0 : -EPROTO;
}

int mmlens_stream_next(struct mmlens_stream *s,
		       const struct mmlens_record **record)
{
	const struct mmlens_record *rec;
	int ret;

	while (s->at == s->filled) {
		if (s->ended)
			return s->end;
		ret = stream_fill(s);
		if (ret) {
			stream_end(s, ret);
			return ret;
		}
	}

	rec = (const void *)(s->buffer + s->at);
	ret = mmlens_record_check(&s->lens->info, rec, s->filled - s->at);
	if (ret) {
		s->at = s->filled;
		stream_end(s, ret);
		return ret;
	}
	s->at += rec->size;
	*record = rec;
	return 1;
}

static int stream_begin(struct mmlens_stream *s, struct mmlens *lens,
			unsigned int nr, const struct mmlens_request *request)
{
	s->lens = lens;
	s->request = requests[nr];
	s->walk = (struct mmlens_walk) {
		.size = sizeof(s->walk),
		.flags = request->flags,
		.pid = request->pid,
		.start = request->start,
		.end = request->end,
		.cursor = request->from,
		.generation = request->from ? MMLENS_LIST_FROM : 0,
		.buffer = (uintptr_t)s->buffer,
		.buffer_size = sizeof(s->buffer),
	};
	s->stats = (struct mmlens_stats) {};
	s->at = 0;
	s->filled = 0;
	s->ended = false;
	return stream_fill(s);
}

struct mmlens_stream *mmlens_stream_open(struct mmlens *lens, unsigned int nr,
					 const struct mmlens_request *request)
{
	struct mmlens_stream *s;
	int ret;

	if (nr >= ARRAY_SIZE(requests) || !requests[nr]) {
		errno = EINVAL;
		return NULL;
	}
	if (!mmlens_has_query(lens, nr)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	ret = stream_begin(s, lens, nr, request);
	if (ret) {
		free(s);
		errno = -ret;
		return NULL;
	}
	return s;
}

void mmlens_stats_add(struct mmlens_stats *sum, const struct mmlens_stats *add)
{
	sum->records += add->records;
	sum->calls += add->calls;
	sum->restarts += add->restarts;
	sum->truncated |= add->truncated;
	if (add->max_hold_ns > sum->max_hold_ns)
		sum->max_hold_ns = add->max_hold_ns;
}

const struct mmlens_stats *
mmlens_stream_stats(const struct mmlens_stream *s)
{
	return &s->stats;
}

void mmlens_stream_close(struct mmlens_stream *s)
{
	free(s);
}
