// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which physical addresses are memory, from /proc/iomem. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

const char *mmlens_iomem_path = "/proc/iomem";

/* Frames that are memory from end to end. */
static bool parse_ram(const char *line, unsigned int page_shift,
		      struct mmlens_frames *frames)
{
	unsigned long long first, last;
	int name = 0;

	if (sscanf(line, " %llx-%llx : %n", &first, &last, &name) != 2 ||
	    strncmp(line + name, "System RAM", strlen("System RAM")))
		return false;
	frames->start = (first + (1ull << page_shift) - 1) >> page_shift;
	frames->end = (last + 1) >> page_shift;
	return frames->start < frames->end;
}

struct mmlens_frames *mmlens_ram_read(unsigned int page_shift, size_t *count)
{
	FILE *f = mmlens_source_open(mmlens_iomem_path);
	struct mmlens_frames *ram = NULL, frames, *grown;
	char line[256];

	*count = 0;
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		if (!parse_ram(line, page_shift, &frames))
			continue;
		grown = mmlens_grown(ram, *count, sizeof(*ram));
		if (!grown) {
			free(ram);
			ram = NULL;
			break;
		}
		ram = grown;
		ram[(*count)++] = frames;
	}
	fclose(f);
	if (!ram)
		errno = *count ? ENOMEM : ENODATA;
	return ram;
}
