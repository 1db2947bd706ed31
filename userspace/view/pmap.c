// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmap: the bytes of procps pmap 4.0 (src/pmap.c there), with these of its
 * bugs mended: -x -A sums up what it shows and nothing else; a mapping whose
 * line is longer than 1023 bytes stays one mapping.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

/* Widths of the columns. */
enum {
	ADDRESS = 16,
	NUMBER = 7,
	MODE = 5,
};

/*
 * What /proc/PID/maps shows as name, each unprintable byte as '?'.  To be
 * freed; NULL without memory.
 */
static char *printable_name(const struct mmlens_area *area)
{
	bool path = area->vma->flags & MMLENS_VMA_FILE;
	char *text = malloc(4 * area->name_length + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < area->name_length; i++) {
		unsigned char c = area->name[i];

		if (c == '\n' && path) {
			memcpy(text + n, "\\012", 4);
			n += 4;
		} else {
			text[n++] = isprint(c) ? c : '?';
		}
	}
	text[n] = '\0';
	return text;
}

static bool is_sysv(const struct pmap_options *o, const struct mmlens_area *area,
		    const char *name)
{
	return o->have_sysv && area->vma->dev_major == o->sysv_major &&
	       area->vma->dev_minor == o->sysv_minor && strstr(name, "/SYSV");
}

static const char *anonymous_name(const struct mmlens_vma *vma)
{
	return vma->flags & MMLENS_VMA_STACK ? "  [ stack ]" : "  [ anon ]";
}

/* A name counts from its last slash, and one without is no name at all. */
static void mapping(struct view *v, const struct pmap_options *o,
		    const struct mmlens_area *area)
{
	char *name = area->name ? printable_name(area) : NULL;
	const char *slash = name ? strrchr(name, '/') : NULL;

	if (!slash)
		fputs(anonymous_name(area->vma), v->out);
	else if (is_sysv(o, area, name))
		fprintf(v->out, "  [ shmid=0x%llx ]", area->vma->inode);
	else if (o->path)
		fputs(strchr(name, '/'), v->out);
	else
		fputs(slash[1] ? slash + 1 : slash, v->out);
	putc('\n', v->out);
	free(name);
}

static const char *mode(char text[6], uint64_t flags)
{
	text[0] = flags & MMLENS_VMA_READ ? 'r' : '-';
	text[1] = flags & MMLENS_VMA_WRITE ? 'w' : '-';
	text[2] = flags & MMLENS_VMA_EXEC ? 'x' : '-';
	text[3] = flags & MMLENS_VMA_MAYSHARE ? 's' : '-';
	text[4] = '-';
	text[5] = '\0';
	return text;
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

static void device_area(struct view *v, const struct mmlens_vma *vma)
{
	char perms[6];

	fprintf(v->out, "%0*llx %*llu %*s %0*llx %03x:%05x ", ADDRESS,
		vma->start, NUMBER, kb(vma->end - vma->start), MODE,
		mode(perms, vma->flags), 16, vma->offset, vma->dev_major,
		vma->dev_minor);
}

static void extended_area(struct view *v, const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;
	char perms[6];

	fprintf(v->out, "%0*llx %*llu %*llu %*llu %*s ", ADDRESS, vma->start,
		NUMBER, kb(vma->end - vma->start), NUMBER,
		kb(area->smaps->rss), NUMBER, kb(dirty_bytes(area->smaps)),
		MODE, mode(perms, vma->flags));
}

static void plain_area(struct view *v, const struct mmlens_vma *vma)
{
	char perms[6];

	fprintf(v->out, "%016llx %6lluK %s ", vma->start,
		kb(vma->end - vma->start), mode(perms, vma->flags));
}

static void text_area(struct view *v, const struct pmap_options *o,
		      const struct mmlens_area *area)
{
	switch (o->format) {
	case PMAP_PLAIN:
		plain_area(v, area->vma);
		break;
	case PMAP_EXTENDED:
		extended_area(v, area);
		break;
	case PMAP_DEVICE:
		device_area(v, area->vma);
		break;
	}
	mapping(v, o, area);
	view_check(v);
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
	if (o->quiet)
		return;
	switch (o->format) {
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
	(void)o;
	json_put(v, NULL, maps_object(area));
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
	if (o->format == PMAP_EXTENDED) {
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
