// SPDX-License-Identifier: LGPL-2.1-or-later
/* Page frames, and what the kernel's own file says where there is no page. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "internal.h"

struct mmlens_pages {
	struct mmlens_stream *stream;
};

struct mmlens_pages *mmlens_pages_open(struct mmlens *lens, uint64_t start,
				       uint64_t end)
{
	struct mmlens_request request = { .start = start, .end = end };
	struct mmlens_pages *pages = malloc(sizeof(*pages));

	if (!pages)
		return NULL;
	pages->stream = mmlens_stream_open(lens, MMLENS_NR_PAGES, &request);
	if (pages->stream)
		return pages;
	free(pages);
	return NULL;
}

int mmlens_pages_next(struct mmlens_pages *pages,
		      const struct mmlens_pfns **run)
{
	const struct mmlens_record *rec;
	int ret;

	do
		ret = mmlens_stream_next(pages->stream, &rec);
	while (ret > 0 && rec->type != MMLENS_REC_PFNS);
	if (ret > 0)
		*run = (const void *)rec;
	return ret;
}

const struct mmlens_stats *mmlens_pages_stats(const struct mmlens_pages *pages)
{
	return mmlens_stream_stats(pages->stream);
}

void mmlens_pages_close(struct mmlens_pages *pages)
{
	if (pages)
		mmlens_stream_close(pages->stream);
	free(pages);
}

/*
 * "PFN COUNT FLAGS" lines of page frames without a page, the last at the file's
 * end.  Those with a page have flags, too, but the page frames tell those.
 */
static int captured_kpageflags(uint64_t pfn, uint64_t *flags)
{
	char *text = mmlens_read_file(MML_FILE_KPAGEFLAGS);
	unsigned long long first, count, word, end = 0;

	*flags = 0;
	if (!text)
		return -errno;
	for (const char *line = text; *line; line += *line == '\n') {
		if (sscanf(line, "%llu %llu %llu", &first, &count, &word) != 3)
			break;
		end = first + count;
		if (pfn >= first && pfn < end)
			*flags = word;
		line = strchrnul(line, '\n');
	}
	free(text);
	return pfn < end;
}

int mmlens_kpageflags(uint64_t pfn, uint64_t *flags)
{
	ssize_t n;
	int fd;

	if (mmlens_source())
		return captured_kpageflags(pfn, flags);
	/* Offsets are signed. */
	if (pfn > INT64_MAX / sizeof(*flags))
		return 0;
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, flags, sizeof(*flags), (off_t)(pfn * sizeof(*flags)));
	if (n < 0)
		n = -errno;
	close(fd);
	return n == sizeof(*flags) ? 1 : (int)n;
}
