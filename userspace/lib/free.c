// SPDX-License-Identifier: LGPL-2.1-or-later
/* Free blocks and page blocks: their records put together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* ---- lists of free blocks ---- */

static bool is_of_list(const struct mmlens_free_list *list,
		       const struct mmlens_blocks *blocks)
{
	return list->node == blocks->node && list->zone == blocks->zone &&
	       list->cpu == blocks->cpu && list->order == blocks->order &&
	       list->migratetype == blocks->migratetype;
}

/* The list that a record goes on with, or a new one; NULL without memory. */
static struct mmlens_free_list *list_of(struct mmlens_free_lists *free_lists,
					const struct mmlens_blocks *blocks)
{
	struct mmlens_free_list *lists = free_lists->lists;

	if (free_lists->count &&
	    is_of_list(&lists[free_lists->count - 1], blocks))
		return &lists[free_lists->count - 1];
	lists = mmlens_grown(lists, free_lists->count, sizeof(*lists));
	if (!lists)
		return NULL;
	free_lists->lists = lists;
	lists += free_lists->count++;
	*lists = (struct mmlens_free_list) {
		.node = blocks->node,
		.cpu = blocks->cpu,
		.zone = blocks->zone,
		.order = blocks->order,
		.migratetype = blocks->migratetype,
	};
	return lists;
}

static int make_room(struct mmlens_free_list *list, size_t count)
{
	size_t room = list->room ? list->room : 16;
	uint64_t *pfn;

	while (room < count)
		room *= 2;
	if (room == list->room)
		return 0;
	pfn = reallocarray(list->pfn, room, sizeof(*pfn));
	if (!pfn)
		return -ENOMEM;
	list->pfn = pfn;
	list->room = room;
	return 0;
}

/* What stood from the record's position on is void. */
static int add_blocks(struct mmlens_free_lists *lists,
		      const struct mmlens_blocks *blocks)
{
	struct mmlens_free_list *list = list_of(lists, blocks);
	size_t end = (size_t)blocks->position + blocks->count;
	int ret;

	if (!list)
		return -ENOMEM;
	if (blocks->position > list->count)
		return -EPROTO;
	ret = make_room(list, end);
	if (ret)
		return ret;
	memcpy(list->pfn + blocks->position, blocks->pfn,
	       blocks->count * sizeof(*blocks->pfn));
	list->count = end;
	list->cut = blocks->flags & MMLENS_BLOCKS_CUT;
	return 0;
}

static int read_lists(struct mmlens_free_lists *lists, struct mmlens *lens)
{
	struct mmlens_request request = {};
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_FREE, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		if (rec->type != MMLENS_REC_BLOCKS)
			continue;
		ret = add_blocks(lists, (const void *)rec);
		if (ret)
			break;
	}
	lists->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret;
}

struct mmlens_free_lists *mmlens_free_lists_read(struct mmlens *lens)
{
	struct mmlens_free_lists *lists = calloc(1, sizeof(*lists));
	int ret;

	if (!lists)
		return NULL;
	ret = read_lists(lists, lens);
	if (!ret)
		return lists;
	mmlens_free_lists_free(lists);
	errno = -ret;
	return NULL;
}

void mmlens_free_lists_free(struct mmlens_free_lists *lists)
{
	if (!lists)
		return;
	for (size_t i = 0; i < lists->count; i++)
		free(lists->lists[i].pfn);
	free(lists->lists);
	free(lists);
}

/* ---- page blocks ---- */

/* Does @next go on where @run ends, with blocks of its kind? */
static bool goes_on(const struct mmlens_pageblocks *run,
		    const struct mmlens_pageblocks *next)
{
	return run->node == next->node && run->zone == next->zone &&
	       run->order == next->order &&
	       run->migratetype == next->migratetype &&
	       run->pfn + ((uint64_t)run->count << run->order) == next->pfn &&
	       run->count + next->count > run->count;
}

static int add_run(struct mmlens_pageblock_map *map,
		   const struct mmlens_pageblocks *run)
{
	struct mmlens_pageblocks *runs = map->runs;

	if (run->order > 31)
		return -EPROTO;
	map->order = run->order;
	if (map->count && goes_on(&runs[map->count - 1], run)) {
		runs[map->count - 1].count += run->count;
		return 0;
	}
	runs = mmlens_grown(runs, map->count, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	map->runs = runs;
	memcpy(&runs[map->count++], run, sizeof(*runs));
	return 0;
}

static int read_map(struct mmlens_pageblock_map *map, struct mmlens *lens,
		    uint64_t start, uint64_t end)
{
	struct mmlens_request request = { .start = start, .end = end };
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_PAGEBLOCKS, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		if (rec->type != MMLENS_REC_PAGEBLOCKS)
			continue;
		ret = add_run(map, (const void *)rec);
		if (ret)
			break;
	}
	map->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret;
}

struct mmlens_pageblock_map *
mmlens_pageblock_map_read(struct mmlens *lens, uint64_t start, uint64_t end)
{
	struct mmlens_pageblock_map *map = calloc(1, sizeof(*map));
	int ret;

	if (!map)
		return NULL;
	ret = read_map(map, lens, start, end);
	if (!ret)
		return map;
	mmlens_pageblock_map_free(map);
	errno = -ret;
	return NULL;
}

void mmlens_pageblock_map_free(struct mmlens_pageblock_map *map)
{
	if (!map)
		return;
	free(map->runs);
	free(map);
}
