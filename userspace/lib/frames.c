// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ranges of page frames, to be looked for in them. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int mmlens_frames_add(struct mmlens_frames_list *list, uint64_t start,
		      uint64_t end)
{
	struct mmlens_frames *grown = mmlens_grown(list->frames, list->count,
						   sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->frames = grown;
	grown[list->count++] = (struct mmlens_frames) { start, end };
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct mmlens_frames *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void mmlens_frames_sort(struct mmlens_frames_list *list)
{
	struct mmlens_frames *frames = list->frames;
	size_t n = 0;

	if (!list->count)
		return;
	qsort(frames, list->count, sizeof(*frames), by_start);
	for (size_t i = 1; i < list->count; i++) {
		if (frames[i].start > frames[n].end)
			frames[++n] = frames[i];
		else if (frames[i].end > frames[n].end)
			frames[n].end = frames[i].end;
	}
	list->count = n + 1;
}

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
