// SPDX-License-Identifier: GPL-2.0-only
/* The queries, for other programs than bin/ioctl as well. */
#include <stdarg.h>
#include <stdio.h>

#include "ioctl.h"

const struct query queries[] = {
	{ MMLENS_VMAS, "vmas", 0, false },
	{ MMLENS_PTES, "ptes",
	  MMLENS_WALK_PAGE | MMLENS_WALK_ABSENT | MMLENS_WALK_RUNS |
	  MMLENS_WALK_STATE, false },
	{ MMLENS_VTOP, "vtop", 0, false },
	{ MMLENS_SMAPS, "smaps", MMLENS_WALK_TOTAL, false },
	{ MMLENS_NUMA_MAPS, "numa_maps", 0, false },
	{ MMLENS_TABLES, "tables", 0, false },
	{ MMLENS_PROCS, "procs", MMLENS_WALK_TOTAL, true },
	{ MMLENS_ZONES, "zones", 0, true },
	{ MMLENS_FREE, "free", 0, true },
	{ MMLENS_PAGEBLOCKS, "pageblocks", 0, true },
	{ MMLENS_PAGES, "pages", MMLENS_WALK_BACKING, true },
	{ MMLENS_USERS, "users", 0, true },
	{ MMLENS_KMAP, "kmap", MMLENS_WALK_FRAMES, true },
	{ MMLENS_LRU, "lru", MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING, true },
};
const size_t query_count = sizeof(queries) / sizeof(*queries);

const char *wrong(const char *format, ...)
{
	static _Thread_local char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

bool has_own_range(const struct query *query)
{
	return query->request == MMLENS_PAGES ||
	       query->request == MMLENS_USERS ||
	       query->request == MMLENS_KMAP ||
	       query->request == MMLENS_LRU ||
	       query->request == MMLENS_PAGEBLOCKS;
}

uint32_t needy_flags(const struct query *query)
{
	return query->request != MMLENS_KMAP ? 0 :
	       MMLENS_WALK_USER_HALF | MMLENS_WALK_LEVELS;
}

bool takes_range(const struct query *query)
{
	return query->request != MMLENS_VTOP && !query->system;
}
