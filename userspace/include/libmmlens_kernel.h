/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: the kernel's own page table. */
#ifndef LIBMMLENS_KERNEL_H
#define LIBMMLENS_KERNEL_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the kernel's own page table ---- */

/**
 * struct mmlens_kernel_map - What the kernel's page table maps.
 * @regions:	parts of the kernel's addresses, in order
 * @region_count: how many
 * @runs:	entries in a row that are alike, in order; none is in two regions
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_kernel_map {
	struct mmlens_region *regions;
	size_t region_count;
	struct mmlens_kmap *runs;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_kernel_map_read - Walk the kernel's page table.
 * @lens:	connection
 * @start:	first address, a multiple of the page size; 0: the first of all
 * @end:	address after the last; 0: all from @start on
 * @user:	what user mode's table has of the kernel, with page-table isolation
 *
 * Return: to be freed with mmlens_kernel_map_free(); NULL and errno as
 * mmlens_stream_open(), EOPNOTSUPP also without such a table.
 */
struct mmlens_kernel_map *mmlens_kernel_map_read(struct mmlens *lens,
						 uint64_t start, uint64_t end,
						 bool user);

/** mmlens_kernel_map_region - The region that @address is in, or NULL. */
const struct mmlens_region *
mmlens_kernel_map_region(const struct mmlens_kernel_map *map, uint64_t address);

/** mmlens_kernel_map_free - NULL is fine. */
void mmlens_kernel_map_free(struct mmlens_kernel_map *map);

/** mmlens_kernel_start - The first address of the kernel's half. */
uint64_t mmlens_kernel_start(const struct mmlens_info *info);

/** mmlens_kmap_is_wx - May it be written to and executed? */
bool mmlens_kmap_is_wx(const struct mmlens_kmap *run);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_KERNEL_H */
