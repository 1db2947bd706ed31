// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Large folios: the machine's settings, and what they and the facts about a VMA
 * come to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const struct {
	const char *word;
	enum mmlens_thp_setting setting;
} words[] = {
	{ "never", MMLENS_THP_SET_NEVER },
	{ "always", MMLENS_THP_SET_ALWAYS },
	{ "within_size", MMLENS_THP_SET_WITHIN_SIZE },
	{ "advise", MMLENS_THP_SET_ADVISE },
	{ "madvise", MMLENS_THP_SET_ADVISE },
	{ "inherit", MMLENS_THP_SET_INHERIT },
	{ "deny", MMLENS_THP_SET_DENY },
	{ "force", MMLENS_THP_SET_FORCE },
};

/* The word in brackets is the one that holds. */
static enum mmlens_thp_setting parse_setting(const char *line)
{
	const char *open = strchr(line, '[');
	size_t length;

	if (!open)
		return MMLENS_THP_SET_NEVER;
	open++;
	length = strcspn(open, "]");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (length == strlen(words[i].word) &&
		    !strncmp(open, words[i].word, length))
			return words[i].setting;
	return MMLENS_THP_SET_NEVER;
}

static bool read_setting(const char *dir, const char *sub, const char *file,
			 enum mmlens_thp_setting *setting)
{
	char path[512], line[256];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s%s/%s", dir, *sub ? "/" : "", sub,
		 file);
	f = mmlens_source_open(path);
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f);
	fclose(f);
	if (ok)
		*setting = parse_setting(line);
	return ok;
}

/* "hugepages-NkB": the bit of its order, 0 for another name. */
static uint32_t order_of(const struct mmlens_info *info, const char *name)
{
	unsigned long long kb;
	unsigned int order;

	if (sscanf(name, "hugepages-%llukB", &kb) != 1 || !kb)
		return 0;
	order = 63 - __builtin_clzll(kb) + 10;
	if (order < info->page_shift || order - info->page_shift > 31)
		return 0;
	return 1u << (order - info->page_shift);
}

/**
 * struct sizes - Settings by size, as they are read.
 * @info:	says the page size
 * @dir:	where they are
 * @file:	which of them
 * @orders:	out: bits of orders, by setting
 * @found:	there are some
 */
struct sizes {
	const struct mmlens_info *info;
	const char *dir;
	const char *file;
	uint32_t *orders;
	bool found;
};

static void read_size(const char *name, void *context)
{
	struct sizes *sizes = context;
	enum mmlens_thp_setting setting;
	uint32_t bit = order_of(sizes->info, name);

	if (!bit || !read_setting(sizes->dir, name, sizes->file, &setting))
		return;
	sizes->orders[setting] |= bit;
	sizes->found = true;
}

/* Returns: there are settings by size. */
static bool read_sizes(const struct mmlens_info *info, const char *dir,
		       const char *file, uint32_t orders[MMLENS_THP_SETTINGS])
{
	struct sizes sizes = {
		.info = info, .dir = dir, .file = file, .orders = orders,
	};

	mmlens_source_list(dir, read_size, &sizes);
	if (!sizes.found)
		orders[MMLENS_THP_SET_INHERIT] = ~0u;
	return sizes.found;
}

void mmlens_thp_read(const struct mmlens_info *info, const char *dir,
		     struct mmlens_thp_settings *settings)
{
	unsigned int order = info->level_shift[MMLENS_LEVEL_PMD] -
			     info->page_shift;

	*settings = (struct mmlens_thp_settings) {};
	dir = dir ? dir : MMLENS_THP_DIRECTORY;
	settings->pmd = order < 32 ? 1u << order : 0;
	read_setting(dir, "", "enabled", &settings->anon);
	read_setting(dir, "", "shmem_enabled", &settings->shmem);
	read_sizes(info, dir, "enabled", settings->anon_orders);
	settings->shmem_sized = read_sizes(info, dir, "shmem_enabled",
					   settings->shmem_orders);
}

const struct mmlens_thp_settings *mmlens_thp_settings(struct mmlens *lens)
{
	if (!lens->thp_known)
		mmlens_thp_read(&lens->info, NULL, &lens->thp);
	lens->thp_known = true;
	return &lens->thp;
}

/* ---- what they come to ---- */

static bool advised(const struct mmlens_vma *vma)
{
	return vma->flags & MMLENS_VMA_HUGEPAGE;
}

/* Of a setting that knows nothing but always, madvise and never. */
static bool common_allows(enum mmlens_thp_setting setting,
			  const struct mmlens_vma *vma)
{
	return setting == MMLENS_THP_SET_ALWAYS ||
	       (setting == MMLENS_THP_SET_ADVISE && advised(vma));
}

static uint32_t anon_orders(const struct mmlens_thp_settings *s,
			    const struct mmlens_vma *vma)
{
	uint32_t orders = s->anon_orders[MMLENS_THP_SET_ALWAYS];

	if (advised(vma))
		orders |= s->anon_orders[MMLENS_THP_SET_ADVISE];
	if (common_allows(s->anon, vma))
		orders |= s->anon_orders[MMLENS_THP_SET_INHERIT];
	return orders;
}

/*
 * The huge= option of the file's mount; of the kernel's own mount it is what
 * was last written to shmem_enabled.
 */
static enum mmlens_thp_setting mount_option(const struct mmlens_thp_settings *s,
					    const struct mmlens_vma *vma)
{
	static const enum mmlens_thp_setting options[] = {
		MMLENS_THP_SET_NEVER, MMLENS_THP_SET_ALWAYS,
		MMLENS_THP_SET_WITHIN_SIZE, MMLENS_THP_SET_ADVISE,
	};

	if (vma->thp_mount == 255)
		return s->shmem;
	if (vma->thp_mount < ARRAY_SIZE(options))
		return options[vma->thp_mount];
	return MMLENS_THP_SET_NEVER;
}

/* Orders whose folios are within the size of the file. */
static uint32_t within_size(unsigned int highest)
{
	return highest && highest < 31 ? (2u << highest) - 1 : 0;
}

/* shmem_huge_global_enabled(); deny and force go over mount options. */
static uint32_t mount_orders(const struct mmlens_thp_settings *s,
			     const struct mmlens_vma *vma)
{
	if (s->shmem == MMLENS_THP_SET_DENY)
		return 0;
	if (s->shmem == MMLENS_THP_SET_FORCE)
		return s->pmd;
	switch (mount_option(s, vma)) {
	case MMLENS_THP_SET_ALWAYS:
		return ~0u;
	case MMLENS_THP_SET_WITHIN_SIZE:
		return advised(vma) ? ~0u : within_size(vma->thp_mount_within);
	case MMLENS_THP_SET_ADVISE:
		return advised(vma) ? ~0u : 0;
	default:
		return 0;
	}
}

/*
 * Memory on the kernel's own mount (MAP_SHARED with MAP_ANONYMOUS, memfd) has
 * settings by size, but for segments of System V, whose name nobody else can
 * have there.
 */
static bool is_anon_shmem(const struct mmlens_area *area)
{
	return area->vma->thp_mount == 255 &&
	       !(area->name && !strncmp(area->name, "/SYSV", 5));
}

/* shmem_allowable_huge_orders() */
static uint32_t shmem_orders(const struct mmlens_thp_settings *s,
			     const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;
	uint32_t common = mount_orders(s, vma), orders;

	if (!s->shmem_sized || !is_anon_shmem(area))
		return common;
	if (s->shmem == MMLENS_THP_SET_DENY)
		return 0;
	if (s->shmem == MMLENS_THP_SET_FORCE)
		return s->shmem_orders[MMLENS_THP_SET_INHERIT];

	orders = s->shmem_orders[MMLENS_THP_SET_ALWAYS];
	orders |= s->shmem_orders[MMLENS_THP_SET_WITHIN_SIZE] &
		  within_size(vma->thp_within);
	if (advised(vma))
		orders |= s->shmem_orders[MMLENS_THP_SET_ADVISE];
	if (common)
		orders |= s->shmem_orders[MMLENS_THP_SET_INHERIT];
	return orders;
}

bool mmlens_thp_eligible(const struct mmlens_thp_settings *s,
			 const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;

	switch (vma->thp) {
	case MMLENS_THP_ANON:
		return vma->thp_orders & anon_orders(s, vma);
	case MMLENS_THP_SHMEM:
		return vma->thp_orders & shmem_orders(s, area);
	case MMLENS_THP_FILE:
		return vma->thp_orders && common_allows(s->anon, vma);
	case MMLENS_THP_ALWAYS:
		return true;
	default:
		return false;
	}
}
