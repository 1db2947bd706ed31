// SPDX-License-Identifier: LGPL-2.1-or-later
/* What /proc/meminfo says about the whole machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
#define KEY(key, member) { key, offsetof(struct mmlens_meminfo, member) }
	KEY("MemTotal", total),
	KEY("MemFree", free),
	KEY("Buffers", buffers),
	KEY("Cached", cached),
	KEY("AnonPages", anon),
	KEY("Mapped", mapped),
	KEY("SReclaimable", sreclaimable),
	KEY("SwapTotal", swap_total),
};

static void take(struct mmlens_meminfo *info, const char *key, uint64_t kb)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i].key))
			*(uint64_t *)((char *)info + keys[i].offset) = kb << 10;
}

int mmlens_meminfo_read(struct mmlens_meminfo *info)
{
	FILE *f = mmlens_source_open("/proc/meminfo");
	unsigned long long kb;
	char line[128], key[32];

	memset(info, 0, sizeof(*info));
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%31[^:]: %llu kB", key, &kb) == 2)
			take(info, key, kb);
	fclose(f);
	return info->total ? 0 : -EPROTO;
}
