// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SwapPss.  How often a swap slot is used (swp_swapcount()) isn't exported to
 * modules, so the kernel is asked through the only file that tells it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int add_range(struct mmlens_swap *swap, size_t *room, const char *line)
{
	struct mmlens_swap_range *r;
	char *dash, *end;

	if (swap->count == *room) {
		size_t more = *room ? *room * 2 : 64;

		r = realloc(swap->ranges, more * sizeof(*r));
		if (!r)
			return -ENOMEM;
		swap->ranges = r;
		*room = more;
	}
	r = &swap->ranges[swap->count];
	r->start = strtoull(line, &dash, 16);
	if (dash == line || *dash != '-')
		return -EPROTO;
	r->end = strtoull(dash + 1, &end, 16);
	r->pss = 0;
	swap->count++;
	return 0;
}

/* Names of fields begin with a capital letter, ranges never do. */
static bool is_field(const char *line)
{
	return *line >= 'A' && *line <= 'Z';
}

int mmlens_swap_parse(struct mmlens_swap *swap, char *text)
{
	static const char key[] = "SwapPss:";
	size_t room = 0;
	char *line = text;
	int ret = 0;

	*swap = (struct mmlens_swap) {};
	while (*line && !ret) {
		char *end = strchrnul(line, '\n');

		if (!is_field(line))
			ret = add_range(swap, &room, line);
		else if (swap->count && !strncmp(line, key, sizeof(key) - 1))
			swap->ranges[swap->count - 1].pss =
				strtoull(line + sizeof(key) - 1, NULL, 10)
				<< 10;
		line = *end ? end + 1 : end;
	}
	if (ret)
		mmlens_swap_free(swap);
	return ret;
}

int mmlens_swap_read(struct mmlens_swap *swap, int pid, bool rollup)
{
	char path[64], *text;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid,
		 rollup ? "smaps_rollup" : "smaps");
	text = mmlens_read_file(path);
	if (!text)
		return errno == ENOENT || errno == ESRCH ? -ESTALE : -errno;
	ret = mmlens_swap_parse(swap, text);
	free(text);
	return ret;
}

static int compare_range(const void *key, const void *range)
{
	const struct mmlens_vma *vma = key;
	const struct mmlens_swap_range *r = range;

	if (vma->start == r->start)
		return 0;
	return vma->start < r->start ? -1 : 1;
}

const struct mmlens_swap_range *
mmlens_swap_find(const struct mmlens_swap *swap, const struct mmlens_vma *vma)
{
	const struct mmlens_swap_range *r;

	if (!swap->count)
		return NULL;
	r = bsearch(vma, swap->ranges, swap->count, sizeof(*r), compare_range);
	return r && r->end == vma->end ? r : NULL;
}

void mmlens_swap_free(struct mmlens_swap *swap)
{
	free(swap->ranges);
	*swap = (struct mmlens_swap) {};
}
