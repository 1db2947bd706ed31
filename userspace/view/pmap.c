// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmap: the bytes of procps pmap 4.0 (src/pmap.c there), with these of its
 * bugs mended: -x -A sums up what it shows and nothing else; a mapping whose
 * line is longer than 1023 bytes stays one mapping.  -X and -XX are in
 * pmap_wide.c.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "view.h"

/* Widths of the columns. */
enum {
	ADDRESS = 16,
	NUMBER = 7,
	MODE = 5,
};

/* Each unprintable byte as '?', and a newline of a path as \\012. */
static void put_name(struct line *l, struct view *v,
		     const struct mmlens_area *area, const char *name)
{
	bool path = area->vma->flags & MMLENS_VMA_FILE;

	for (; *name; name++) {
		unsigned char c = *name;

		if (l->length + 4 > sizeof(l->text))
			line_put(l, v);
		if (c == '\n' && path)
			line_string(l, "\\012");
		else
			line_char(l, isprint(c) ? c : '?');
	}
}

static bool is_sysv(const struct pmap_options *o, const struct mmlens_area *area)
{
	return o->have_sysv && area->vma->dev_major == o->sysv_major &&
	       area->vma->dev_minor == o->sysv_minor &&
	       strstr(area->name, "/SYSV");
}

static const char *anonymous_name(const struct mmlens_vma *vma)
{
	return vma->flags & MMLENS_VMA_STACK ? "  [ stack ]" : "  [ anon ]";
}

/* A name counts from its last slash, and one without is no name at all. */
static void mapping(struct line *l, struct view *v,
		    const struct pmap_options *o,
		    const struct mmlens_area *area)
{
	const char *name = area->name;
	const char *slash = name ? strrchr(name, '/') : NULL;

	if (!slash) {
		line_string(l, anonymous_name(area->vma));
	} else if (is_sysv(o, area)) {
		line_string(l, "  [ shmid=0x");
		line_hex(l, area->vma->inode, 1);
		line_string(l, " ]");
	} else if (o->path) {
		put_name(l, v, area, strchr(name, '/'));
	} else {
		put_name(l, v, area, slash[1] ? slash + 1 : slash);
	}
	line_end(l, v);
}

static void line_mode(struct line *l, uint64_t flags)
{
	line_char(l, flags & MMLENS_VMA_READ ? 'r' : '-');
	line_char(l, flags & MMLENS_VMA_WRITE ? 'w' : '-');
	line_char(l, flags & MMLENS_VMA_EXEC ? 'x' : '-');
	line_char(l, flags & MMLENS_VMA_MAYSHARE ? 's' : '-');
	line_string(l, "- ");
}

bool pmap_has_sums(enum pmap_format format)
{
	return format == PMAP_EXTENDED || pmap_has_fields(format);
}

bool pmap_has_fields(enum pmap_format format)
{
	return format == PMAP_WIDE || format == PMAP_ALL;
}

bool pmap_in_range(const struct pmap_options *o, const struct mmlens_area *area)
{
	return area->vma->end - 1 >= o->low && area->vma->start <= o->high;
}

static uint64_t dirty_bytes(const struct mmlens_smaps *smaps)
{
	return smaps->shared_dirty + smaps->private_dirty;
}

void pmap_add(struct pmap_totals *totals, const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;
	uint64_t size = vma->end - vma->start;

	totals->areas++;
	if (vma->flags & MMLENS_VMA_MAYSHARE)
		totals->shared += size;
	else if (vma->flags & MMLENS_VMA_WRITE)
		totals->writable += size;
	else
		totals->readonly += size;
	if (area->smaps) {
		totals->rss += area->smaps->rss;
		totals->dirty += dirty_bytes(area->smaps);
	}
}

static uint64_t total_size(const struct pmap_totals *t)
{
	return t->shared + t->writable + t->readonly;
}

static unsigned long long kb(uint64_t bytes)
{
	return bytes >> 10;
}

/* ---- text ---- */

static void text_document(struct view *v)
{
	(void)v;
}

static void text_headings(struct view *v, const struct pmap_options *o)
{
	if (o->format == PMAP_EXTENDED)
		fprintf(v->out, "%-*s %*s %*s %*s %-*s Mapping\n", ADDRESS,
			"Address", NUMBER, "Kbytes", NUMBER, "RSS", NUMBER,
			"Dirty", MODE, "Mode");
	else if (o->format == PMAP_DEVICE)
		fprintf(v->out, "%-*s %*s %-*s %-*s %-*s Mapping\n", ADDRESS,
			"Address", NUMBER, "Kbytes", MODE, "Mode", 16,
			"Offset", 9, "Device");
}

static void text_begin(struct view *v, const struct pmap_options *o,
		       const struct mmlens_process *process,
		       const char *cmdline, size_t length)
{
	char *text = text_cmdline(cmdline, length, process);

	fprintf(v->out, "%d:   %s\n", process->tgid, text ? text : "?");
	free(text);
	if (!o->quiet)
		text_headings(v, o);
	view_check(v);
}

static void device_area(struct line *l, const struct mmlens_vma *vma)
{
	line_number_right(l, NUMBER, kb(vma->end - vma->start));
	line_char(l, ' ');
	line_mode(l, vma->flags);
	line_hex(l, vma->offset, 16);
	line_char(l, ' ');
	line_hex(l, vma->dev_major, 3);
	line_char(l, ':');
	line_hex(l, vma->dev_minor, 5);
	line_char(l, ' ');
}

static void extended_area(struct line *l, const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;

	line_number_right(l, NUMBER, kb(vma->end - vma->start));
	line_char(l, ' ');
	line_number_right(l, NUMBER, kb(area->smaps->rss));
	line_char(l, ' ');
	line_number_right(l, NUMBER, kb(dirty_bytes(area->smaps)));
	line_char(l, ' ');
	line_mode(l, vma->flags);
}

static void plain_area(struct line *l, const struct mmlens_vma *vma)
{
	line_number_right(l, NUMBER - 1, kb(vma->end - vma->start));
	line_string(l, "K ");
	line_mode(l, vma->flags);
}

static void text_area(struct view *v, const struct pmap_options *o,
		      const struct mmlens_area *area)
{
	struct line l;

	if (pmap_has_fields(o->format)) {
		pmap_wide_add(v, o->wide, area);
		return;
	}
	l.length = 0;
	line_hex(&l, area->vma->start, ADDRESS);
	line_char(&l, ' ');
	if (o->format == PMAP_DEVICE)
		device_area(&l, area->vma);
	else if (o->format == PMAP_EXTENDED)
		extended_area(&l, area);
	else
		plain_area(&l, area->vma);
	mapping(&l, v, o, area);
}

static void extended_totals(struct view *v, const struct pmap_totals *t)
{
	fprintf(v->out, "---------------- ------- ------- ------- \n");
	fprintf(v->out, "%-*s %*llu %*llu %*llu\n", ADDRESS, "total kB", NUMBER,
		kb(total_size(t)), NUMBER, kb(t->rss), NUMBER, kb(t->dirty));
}

static void text_end(struct view *v, const struct pmap_options *o,
		     const struct pmap_totals *t,
		     const struct mmlens_stats *stats)
{
	(void)stats;
	if (pmap_has_fields(o->format))
		pmap_wide_show(v, o);
	if (o->quiet)
		return;
	switch (o->format) {
	case PMAP_WIDE:
	case PMAP_ALL:
		break;
	case PMAP_PLAIN:
		fprintf(v->out, " total %16lluK\n", kb(total_size(t)));
		break;
	case PMAP_EXTENDED:
		extended_totals(v, t);
		break;
	case PMAP_DEVICE:
		fprintf(v->out,
			"mapped: %lluK    writeable/private: %lluK    shared: %lluK\n",
			kb(total_size(t)), kb(t->writable), kb(t->shared));
		break;
	}
	view_check(v);
}

const struct pmap_view pmap_text = {
	.document = text_document,
	.begin = text_begin,
	.area = text_area,
	.end = text_end,
	.finish = text_document,
};

/* ---- JSON ---- */

static void pmap_json_document(struct view *v)
{
	json_document(v);
	json_begin(v, "processes", '[');
}

static void pmap_json_begin(struct view *v, const struct pmap_options *o,
			    const struct mmlens_process *process,
			    const char *cmdline, size_t length)
{
	struct json_object *members = json_object_new_object();
	char *text = text_cmdline(cmdline, length, process);

	(void)o;
	json_add_number(members, "pid", process->tgid);
	if (text)
		json_add_bytes(members, "cmdline", text, strlen(text));
	json_begin(v, NULL, '{');
	json_put_members(v, members);
	json_begin(v, "vmas", '[');
	free(text);
}

static void pmap_json_area(struct view *v, const struct pmap_options *o,
			   const struct mmlens_area *area)
{
	struct json_object *object = maps_object(area);

	if (pmap_has_fields(o->format))
		smaps_add_fields(object, o->fields, area);
	json_put(v, NULL, object);
}

static void pmap_json_end(struct view *v, const struct pmap_options *o,
			  const struct pmap_totals *t,
			  const struct mmlens_stats *stats)
{
	struct json_object *total = json_object_new_object();

	json_add_number(total, "size", total_size(t));
	json_add_number(total, "shared", t->shared);
	json_add_number(total, "private_writable", t->writable);
	json_add_number(total, "private_readonly", t->readonly);
	if (pmap_has_sums(o->format)) {
		json_add_number(total, "rss", t->rss);
		json_add_number(total, "dirty", t->dirty);
	}
	json_end(v);
	json_put(v, "total", total);
	json_walk(v, "vmas", t->areas, stats);
	json_end(v);
}

static void pmap_json_finish(struct view *v)
{
	json_end(v);
	json_end(v);
}

const struct pmap_view pmap_json = {
	.document = pmap_json_document,
	.begin = pmap_json_begin,
	.area = pmap_json_area,
	.end = pmap_json_end,
	.finish = pmap_json_finish,
};
