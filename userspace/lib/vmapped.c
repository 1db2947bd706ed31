// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The page frames that the kernel has mapped a second time: for vmalloc(), as
 * stacks of tasks, for modules.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Regions whose mappings are of pages taken for them. */
static const char *const names[] = { "vmalloc", "modules" };
#define REGIONS ARRAY_SIZE(names)

struct regions {
	uint64_t start[REGIONS];
	uint64_t end[REGIONS];
};

static void add_region(struct regions *regions,
		       const struct mmlens_region *region)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (!strcmp(region->name, names[i])) {
			regions->start[i] = region->start;
			regions->end[i] = region->end;
		}
}

static bool is_of_region(const struct regions *regions, uint64_t va)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (va >= regions->start[i] && va < regions->end[i])
			return true;
	return false;
}

static int add_run(struct mmlens_frames_list *list, struct mmlens *lens,
		   const struct regions *regions,
		   const struct mmlens_kmap *run)
{
	const struct mmlens_info *info = mmlens_get_info(lens);
	const uint64_t pages = mmlens_level_size(info, run->head.level) >>
			       info->page_shift;

	if (mmlens_state(run->flags) != MMLENS_STATE_PRESENT ||
	    !run->consecutive || !is_of_region(regions, run->va))
		return 0;
	return mmlens_frames_add(list, run->value,
				 run->value + run->count * pages);
}

static int add_record(struct mmlens_frames_list *list, struct mmlens *lens,
		      struct regions *regions, const struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_REGION)
		add_region(regions, (const void *)rec);
	if (rec->type == MMLENS_REC_KMAP)
		return add_run(list, lens, regions, (const void *)rec);
	return 0;
}

int mmlens_vmapped_read(struct mmlens_frames_list *list, struct mmlens *lens,
			struct mmlens_stats *stats)
{
	struct mmlens_request request = { .flags = MMLENS_WALK_FRAMES };
	const struct mmlens_record *rec;
	struct regions regions = {};
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_KMAP, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		ret = add_record(list, lens, &regions, rec);
		if (ret)
			break;
	}
	mmlens_stats_add(stats, mmlens_stream_stats(stream));
	mmlens_stream_close(stream);
	mmlens_frames_sort(list);
	return ret;
}
