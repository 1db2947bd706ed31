// SPDX-License-Identifier: GPL-2.0-only
/* maps: the bytes of /proc/PID/maps (show_map_vma() of fs/proc/task_mmu.c). */
#include <stddef.h>
#include <string.h>

#include "line.h"
#include "view.h"

static void text_begin(struct view *v, int pid)
{
	(void)v;
	(void)pid;
}

/*
 * The name's column: 25 + 6 * sizeof(void *) - 1 characters of the kernel's
 * own word, then a space.
 */
static int name_column(const struct mmlens_info *info)
{
	int word = info->task_size >> 32 ? 8 : 4;

	return 25 + 6 * word - 1;
}

static void maps_prefix(struct line *l, const struct mmlens_vma *vma)
{
	uint64_t f = vma->flags;

	line_hex(l, vma->start, 8);
	line_char(l, '-');
	line_hex(l, vma->end, 8);
	line_char(l, ' ');
	line_char(l, f & MMLENS_VMA_READ ? 'r' : '-');
	line_char(l, f & MMLENS_VMA_WRITE ? 'w' : '-');
	line_char(l, f & MMLENS_VMA_EXEC ? 'x' : '-');
	line_char(l, f & MMLENS_VMA_MAYSHARE ? 's' : 'p');
	line_char(l, ' ');
	line_hex(l, vma->offset, 8);
	line_char(l, ' ');
	line_hex(l, vma->dev_major, 2);
	line_char(l, ':');
	line_hex(l, vma->dev_minor, 2);
	line_char(l, ' ');
	line_number(l, vma->inode);
	line_char(l, ' ');
}

void maps_line(struct view *v, const struct mmlens_area *area)
{
	struct line l;

	l.length = 0;
	maps_prefix(&l, area->vma);
	if (area->name) {
		line_pad(&l, name_column(v->info) + 1);
		/* The kernel escapes paths and nothing else. */
		if (area->vma->flags & MMLENS_VMA_FILE) {
			line_put(&l, v);
			text_path(v->out, area->name, area->name_length, "\n");
		} else {
			line_bytes(&l, area->name, area->name_length);
		}
	}
	line_end(&l, v);
}

static void text_area(struct view *v, const struct mmlens_area *area)
{
	maps_line(v, area);
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)v;
	(void)count;
	(void)stats;
}

const struct maps_view maps_text = {
	.begin = text_begin,
	.area = text_area,
	.end = text_end,
};

/* ---- JSON ---- */

/* Members of &struct mmlens_smaps by the kernel's names for them. */
static const struct {
	const char *name;
	size_t offset;
	unsigned int fraction;	/* bits */
} sums[] = {
#define SUM(name, member, fraction) \
	{ name, offsetof(struct mmlens_smaps, member), fraction }
	SUM("rss", rss, 0),
	SUM("pss", pss, 12),
	SUM("pss_anon", pss_anon, 12),
	SUM("pss_file", pss_file, 12),
	SUM("pss_shmem", pss_shmem, 12),
	SUM("pss_dirty", pss_dirty, 12),
	SUM("locked", pss_locked, 12),
	SUM("shared_clean", shared_clean, 0),
	SUM("shared_dirty", shared_dirty, 0),
	SUM("private_clean", private_clean, 0),
	SUM("private_dirty", private_dirty, 0),
	SUM("referenced", referenced, 0),
	SUM("anonymous", anonymous, 0),
	SUM("ksm", ksm, 0),
	SUM("lazy_free", lazyfree, 0),
	SUM("anon_huge_pages", anon_huge, 0),
	SUM("shmem_pmd_mapped", shmem_huge, 0),
	SUM("file_pmd_mapped", file_huge, 0),
	SUM("shared_hugetlb", shared_hugetlb, 0),
	SUM("private_hugetlb", private_hugetlb, 0),
	SUM("swap", swap, 0),
#undef SUM
};

void maps_add_sums(struct json_object *o, const struct mmlens_smaps *smaps)
{
	if (smaps->flags & MMLENS_SMAPS_RACED)
		json_add_bool(o, "raced", true);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		const char *at = (const char *)smaps + sums[i].offset;
		uint64_t value;

		memcpy(&value, at, sizeof(value));
		json_add_number(o, sums[i].name, value >> sums[i].fraction);
	}
}

struct json_object *maps_object(const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;
	struct json_object *o = json_object_new_object();

	json_add_hex(o, "start", vma->start);
	json_add_hex(o, "end", vma->end);
	json_add_number(o, "size", vma->end - vma->start);
	/* A member "name" says the same as the flag. */
	json_add_flags(o, "flags", mmlens_vma_flags(),
		       vma->flags & ~MMLENS_VMA_NAMED);
	json_add_hex(o, "raw_flags", vma->raw_flags);
	json_add_number(o, "kernel_page_size", 1ull << vma->page_shift);
	if (vma->pkey)
		json_add_number(o, "protection_key", vma->pkey);
	if (vma->flags & MMLENS_VMA_FILE) {
		char device[24];

		snprintf(device, sizeof(device), "%02x:%02x", vma->dev_major,
			 vma->dev_minor);
		json_add_number(o, "offset", vma->offset);
		json_add_string(o, "device", device);
		json_add_number(o, "inode", vma->inode);
	}
	if (area->name)
		json_add_bytes(o, "name", area->name, area->name_length);
	if (area->smaps)
		maps_add_sums(o, area->smaps);
	return o;
}

static void json_maps_begin(struct view *v, int pid)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, "vmas", '[');
}

static void json_maps_area(struct view *v, const struct mmlens_area *area)
{
	json_put(v, NULL, maps_object(area));
}

static void json_maps_end(struct view *v, uint64_t count,
			  const struct mmlens_stats *stats)
{
	json_end(v);
	json_walk(v, "vmas", count, stats);
	json_end(v);
}

const struct maps_view maps_json = {
	.begin = json_maps_begin,
	.area = json_maps_area,
	.end = json_maps_end,
};
