// SPDX-License-Identifier: LGPL-2.1-or-later
/* The page frames that CPUs keep: free, but the buddy allocator's no longer. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

size_t mmlens_frames_find(const struct mmlens_frames_list *list, uint64_t pfn)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->frames[middle].end <= pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int by_start(const void *a, const void *b)
{
	const struct mmlens_frames *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* A page may have gone from list to list during the walk. */
static void drop_overlaps(struct mmlens_frames_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!n || list->frames[i].start >= list->frames[n - 1].end)
			list->frames[n++] = list->frames[i];
	list->count = n;
}

static int add_kept(struct mmlens_frames_list *kept,
		    const struct mmlens_free_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct mmlens_frames *grown = mmlens_grown(
			kept->frames, kept->count, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		kept->frames = grown;
		grown[kept->count++] = (struct mmlens_frames) {
			list->pfn[i], list->pfn[i] + (1ull << list->order),
		};
	}
	return 0;
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
	if (kept->count)
		qsort(kept->frames, kept->count, sizeof(*kept->frames),
		      by_start);
	drop_overlaps(kept);
	mmlens_stats_add(stats, &lists->stats);
	mmlens_free_lists_free(lists);
	return ret;
}
