// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's own page table: its runs put together, region by region. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

uint64_t mmlens_kernel_start(const struct mmlens_info *info)
{
	unsigned int shift = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(info->level_shift); i++)
		if (info->level_shift[i] > shift)
			shift = info->level_shift[i];
	/* The upper half of the top table, which has 512 entries. */
	return shift < 56 ? -(1ull << (shift + 8)) : 0;
}

bool mmlens_kmap_is_wx(const struct mmlens_kmap *run)
{
	return mmlens_state(run->flags) == MMLENS_STATE_PRESENT &&
	       run->flags & MMLENS_EFF_WRITE && !(run->flags & MMLENS_EFF_NX);
}

const struct mmlens_region *
mmlens_kernel_map_region(const struct mmlens_kernel_map *map, uint64_t address)
{
	for (size_t i = 0; i < map->region_count; i++)
		if (address >= map->regions[i].start &&
		    address < map->regions[i].end)
			return &map->regions[i];
	return NULL;
}

static int add_region(struct mmlens_kernel_map *map,
		      const struct mmlens_region *region)
{
	struct mmlens_region *regions = map->regions;

	if (map->region_count &&
	    regions[map->region_count - 1].end > region->start)
		return -EPROTO;
	regions = mmlens_grown(regions, map->region_count, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	map->regions = regions;
	memcpy(&regions[map->region_count++], region, sizeof(*regions));
	return 0;
}

/* Do the PFNs of @next follow those of @run? */
static bool pfns_go_on(const struct mmlens_kmap *run,
		       const struct mmlens_kmap *next, uint64_t pages)
{
	return run->consecutive && next->consecutive &&
	       run->value + run->count * pages == next->value;
}

static bool goes_on(const struct mmlens_kernel_map *map,
		    const struct mmlens_kmap *run,
		    const struct mmlens_kmap *next, uint64_t size)
{
	return run->head.level == next->head.level &&
	       run->flags == next->flags && run->raw == next->raw &&
	       run->va + run->count * size == next->va &&
	       mmlens_kernel_map_region(map, run->va) ==
	       mmlens_kernel_map_region(map, next->va);
}

static int add_part(struct mmlens_kernel_map *map,
		    const struct mmlens_kmap *part, uint64_t size,
		    uint64_t pages)
{
	struct mmlens_kmap *runs = map->runs, *last;

	last = map->count ? &runs[map->count - 1] : NULL;
	if (last && last->va >= part->va)
		return -EPROTO;
	if (last && goes_on(map, last, part, size)) {
		last->consecutive = pfns_go_on(last, part, pages);
		last->count += part->count;
		return 0;
	}
	runs = mmlens_grown(runs, map->count, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	map->runs = runs;
	memcpy(&runs[map->count++], part, sizeof(*runs));
	return 0;
}

/* How many of @count entries stand before the next bound of a region. */
static uint64_t before_bound(const struct mmlens_kernel_map *map,
			     uint64_t va, uint64_t size, uint64_t count)
{
	for (size_t i = 0; i < map->region_count; i++) {
		const uint64_t bounds[] = { map->regions[i].start,
					    map->regions[i].end };

		for (size_t b = 0; b < ARRAY_SIZE(bounds); b++)
			if (bounds[b] > va && bounds[b] - va >= size &&
			    (bounds[b] - va) / size < count)
				count = (bounds[b] - va) / size;
	}
	return count;
}

static int add_run(struct mmlens_kernel_map *map, const struct mmlens *lens,
		   const struct mmlens_kmap *run)
{
	uint64_t size = mmlens_level_size(&lens->info, run->head.level);
	uint64_t pages = size >> lens->info.page_shift;
	struct mmlens_kmap part;
	uint64_t left;
	int ret = 0;

	memcpy(&part, run, sizeof(part));
	for (left = run->count; !ret && left; left -= part.count) {
		part.count = before_bound(map, part.va, size, left);
		ret = add_part(map, &part, size, pages);
		part.va += part.count * size;
		if (part.consecutive)
			part.value += part.count * pages;
	}
	return ret;
}

static int add_record(struct mmlens_kernel_map *map, const struct mmlens *lens,
		      const struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_REGION)
		return add_region(map, (const void *)rec);
	if (rec->type == MMLENS_REC_KMAP)
		return add_run(map, lens, (const void *)rec);
	return 0;
}

static int read_map(struct mmlens_kernel_map *map, struct mmlens *lens,
		    const struct mmlens_request *request)
{
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_KMAP, request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		ret = add_record(map, lens, rec);
		if (ret)
			break;
	}
	map->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret;
}

struct mmlens_kernel_map *mmlens_kernel_map_read(struct mmlens *lens,
						 uint64_t start, uint64_t end,
						 bool user)
{
	struct mmlens_request request = {
		.flags = user ? MMLENS_WALK_USER_HALF : 0,
		.start = start,
		.end = end,
	};
	struct mmlens_kernel_map *map = calloc(1, sizeof(*map));
	int ret;

	if (!map)
		return NULL;
	ret = read_map(map, lens, &request);
	if (!ret)
		return map;
	mmlens_kernel_map_free(map);
	errno = -ret;
	return NULL;
}

void mmlens_kernel_map_free(struct mmlens_kernel_map *map)
{
	if (!map)
		return;
	free(map->regions);
	free(map->runs);
	free(map);
}
