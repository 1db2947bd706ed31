// SPDX-License-Identifier: LGPL-2.1-or-later
/* The page frames that CPUs keep: free, but the buddy allocator's no longer. */
#include <errno.h>

#include "internal.h"

static int add_kept(struct mmlens_frames_list *kept,
		    const struct mmlens_free_list *list)
{
	int ret = 0;

	for (size_t i = 0; i < list->count && !ret; i++)
		ret = mmlens_frames_add(kept, list->pfn[i],
					list->pfn[i] + (1ull << list->order));
	return ret;
}

int mmlens_kept_read(struct mmlens_frames_list *kept, struct mmlens *lens,
		     struct mmlens_stats *stats)
{
	struct mmlens_free_lists *lists = mmlens_free_lists_read(lens);
	int ret = 0;

	if (!lists)
		return -errno;
	for (size_t i = 0; i < lists->count && !ret; i++)
		if (lists->lists[i].cpu >= 0)
			ret = add_kept(kept, &lists->lists[i]);
	mmlens_frames_sort(kept);
	mmlens_stats_add(stats, &lists->stats);
	mmlens_free_lists_free(lists);
	return ret;
}
