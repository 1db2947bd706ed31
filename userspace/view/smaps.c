// SPDX-License-Identifier: GPL-2.0-only
/*
 * smaps and smaps_rollup: the bytes of /proc/PID/smaps and smaps_rollup
 * (show_smap() and show_smaps_rollup() of fs/proc/task_mmu.c).
 */
#include <string.h>

#include "line.h"
#include "view.h"

/* ---- text ---- */

static void text_begin(struct view *v, int pid)
{
	(void)v;
	(void)pid;
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)v;
	(void)count;
	(void)stats;
}

static void line_fields(struct line *l,
			const struct mmlens_smaps_format *format,
			const struct mmlens_area *area)
{
	for (size_t i = 0; i < format->count; i++) {
		const struct mmlens_smaps_field *f = &format->fields[i];

		line_bytes(l, f->label, f->label_length);
		line_number_right(l, f->width, mmlens_smaps_value(f, area));
		if (f->kb)
			line_bytes(l, " kB\n", 4);
		else
			line_char(l, '\n');
	}
}

void line_vm_flags(struct line *l, const struct mmlens_smaps_format *format,
		   uint64_t raw)
{
	for (; raw; raw &= raw - 1) {
		const char *name = format->vm_flags[__builtin_ctzll(raw)];

		if (!*name)
			continue;
		line_bytes(l, name, 2);
		line_char(l, ' ');
	}
}

/* All fields fit into one line's room: 48 of 40 bytes at most. */
static void text_area(struct view *v, const struct mmlens_smaps_format *format,
		      const struct mmlens_area *area)
{
	struct line l;

	maps_line(v, area);
	l.length = 0;
	line_fields(&l, format, area);
	if (format->has_vm_flags) {
		line_put(&l, v);
		line_string(&l, "VmFlags: ");
		line_vm_flags(&l, format, area->vma->raw_flags);
		line_char(&l, '\n');
	}
	line_put(&l, v);
}

static void rollup_area(struct view *v,
			const struct mmlens_smaps_format *format,
			const struct mmlens_area *area)
{
	struct mmlens_area head = { .vma = area->vma, .name = "[rollup]",
				    .name_length = 8 };
	struct line l;

	maps_line(v, &head);
	l.length = 0;
	line_fields(&l, format, area);
	line_put(&l, v);
}

const struct smaps_view smaps_text = {
	.begin = text_begin,
	.area = text_area,
	.end = text_end,
};

const struct smaps_view rollup_text = {
	.begin = text_begin,
	.area = rollup_area,
	.end = text_end,
};

/* ---- JSON ---- */

static void add_vm_flags(struct json_object *o,
			 const struct mmlens_smaps_format *format,
			 uint64_t raw)
{
	struct json_object *names = json_object_new_array();

	for (; raw; raw &= raw - 1) {
		const char *name = format->vm_flags[__builtin_ctzll(raw)];

		if (*name)
			json_object_array_add(names,
					      json_object_new_string(name));
	}
	json_object_object_add(o, "vm_flags", names);
}

static bool has_field(const struct mmlens_smaps_format *format,
		      const char *name)
{
	for (size_t i = 0; i < format->count; i++)
		if (!strcmp(format->fields[i].name, name))
			return true;
	return false;
}

void smaps_add_fields(struct json_object *o,
		      const struct mmlens_smaps_format *format,
		      const struct mmlens_area *area)
{
	json_add_number(o, "swap_pss", area->swap_pss);
	if (has_field(format, "MMUPageSize"))
		json_add_number(o, "mmu_page_size",
				1ull << area->vma->page_shift);
	if (has_field(format, "THPeligible"))
		json_add_bool(o, "thp_eligible", area->thp_eligible);
	if (has_field(format, "ProtectionKey"))
		json_add_number(o, "protection_key", area->vma->pkey);
	if (format->has_vm_flags)
		add_vm_flags(o, format, area->vma->raw_flags);
}

static void json_area(struct view *v, const struct mmlens_smaps_format *format,
		      const struct mmlens_area *area)
{
	struct json_object *o = maps_object(area);

	smaps_add_fields(o, format, area);
	json_put(v, NULL, o);
}

static void json_smaps_begin(struct view *v, int pid)
{
	maps_json.begin(v, pid);
}

static void json_smaps_end(struct view *v, uint64_t count,
			   const struct mmlens_stats *stats)
{
	maps_json.end(v, count, stats);
}

const struct smaps_view smaps_json = {
	.begin = json_smaps_begin,
	.area = json_area,
	.end = json_smaps_end,
};

static void json_rollup_begin(struct view *v, int pid)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
}

static void json_rollup_area(struct view *v,
			     const struct mmlens_smaps_format *format,
			     const struct mmlens_area *area)
{
	struct json_object *o = json_object_new_object();

	json_add_hex(o, "start", area->vma->start);
	json_add_hex(o, "end", area->vma->end);
	maps_add_sums(o, area->smaps);
	smaps_add_fields(o, format, area);
	json_put_members(v, o);
}

static void json_rollup_end(struct view *v, uint64_t count,
			    const struct mmlens_stats *stats)
{
	json_walk(v, "vmas", count, stats);
	json_end(v);
}

const struct smaps_view rollup_json = {
	.begin = json_rollup_begin,
	.area = json_rollup_area,
	.end = json_rollup_end,
};
