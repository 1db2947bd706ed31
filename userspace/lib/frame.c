// SPDX-License-Identifier: LGPL-2.1-or-later
/* One page frame: its state and what backs it, put together. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Take a part of what is known; what isn't about that page is passed by. */
static void take_part(struct mmlens_frame *frame, uint64_t pfn,
		      const struct mmlens_record *rec, bool *found)
{
	const struct mmlens_pfns *page = (const void *)rec;
	const struct mmlens_backing *backing = (const void *)rec;

	if (rec->type == MMLENS_REC_PFNS && page->pfn == pfn) {
		memcpy(&frame->page, page, sizeof(frame->page));
		*found = true;
	}
	if (rec->type == MMLENS_REC_BACKING && backing->pfn == pfn)
		memcpy(&frame->backing, backing, sizeof(frame->backing));
}

int mmlens_frame_read(struct mmlens *lens, uint64_t pfn,
		      struct mmlens_frame *frame)
{
	struct mmlens_request request = { .flags = MMLENS_WALK_BACKING,
					  .start = pfn, .end = pfn + 1 };
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	bool found = false;
	int ret;

	*frame = (struct mmlens_frame) {};
	/* The end would stand for all. */
	if (pfn == UINT64_MAX)
		return 0;
	stream = mmlens_stream_open(lens, MMLENS_NR_PAGES, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0)
		take_part(frame, pfn, rec, &found);
	frame->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret ? ret : found;
}
