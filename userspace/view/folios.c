// SPDX-License-Identifier: GPL-2.0-only
/* folios: how large folios are mapped, a line for each size and level. */
#include <string.h>

#include "line.h"
#include "view.h"

static const char *const kinds[] = {
	[MMLENS_FOLIO_ANON] = "anon",
	[MMLENS_FOLIO_FILE] = "file",
	[MMLENS_FOLIO_HUGETLB] = "hugetlb",
};

static uint64_t all_of(const struct mmlens_folio_bytes *b)
{
	return b->aligned + b->unaligned + b->partial;
}

static uint64_t folio_size(const struct mmlens_info *info, unsigned int order)
{
	return 1ull << order << info->page_shift;
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? (part * 100 + whole / 2) / whole : 0;
}

/* ---- text ---- */

/* Columns: of a name its first character, of a number the one behind it. */
enum {
	PAGE = 26,
	KIND = 32,
	FOLIO = 40,
	LEVEL = 47,
	ALIGNED = 53,
	UNALIGNED = 64,
	PARTIAL = 75,
	PERCENT = 86,
	NAME = 91,
};

/* What a line is about: a VMA, or the process without one. */
struct subject {
	const struct mmlens_area *area;
	const struct mmlens_folio_sums *sums;
};

static void text_begin(struct view *v, int pid)
{
	struct line l = {};

	(void)pid;
	line_string(&l, "START-END");
	line_pad(&l, PAGE);
	line_string(&l, " PAGE KIND    ");
	line_right(&l, LEVEL - 1 - FOLIO, "FOLIO");
	line_string(&l, "LEVEL ");
	line_right(&l, UNALIGNED - 1 - ALIGNED, "ALIGNED");
	line_right(&l, PARTIAL - 1 - UNALIGNED, "UNALIGNED");
	line_right(&l, PERCENT - 1 - PARTIAL, "PARTIAL");
	line_right(&l, NAME - 1 - PERCENT, "%");
	line_string(&l, "NAME");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void right_size(struct line *l, size_t width, uint64_t size)
{
	struct line text;

	text.length = 0;
	line_size(&text, size);
	line_char(&text, '\0');
	line_right(l, width, text.text);
}

static void text_subject(struct line *l, const struct mmlens_area *area)
{
	if (!area) {
		line_string(l, "total");
		line_pad(l, PAGE);
		line_right(l, KIND - 1 - PAGE, "-");
		return;
	}
	line_hex(l, area->vma->start, 12);
	line_char(l, '-');
	line_hex(l, area->vma->end, 12);
	line_pad(l, PAGE);
	right_size(l, KIND - 1 - PAGE, 1ull << area->vma->page_shift);
}

/* The name is written by itself: it may be longer than a line. */
static void text_name(struct view *v, const struct mmlens_area *area)
{
	if (!area || !area->name)
		return;
	putc(' ', v->out);
	text_path(v->out, area->name, area->name_length, "\n");
}

static void text_row(struct view *v, const struct subject *s, unsigned int kind,
		     unsigned int level, unsigned int order)
{
	const struct mmlens_folio_bytes *b = &s->sums->bytes[kind][level][order];
	struct line l;

	l.length = 0;
	text_subject(&l, s->area);
	line_string(&l, kinds[kind]);
	line_pad(&l, FOLIO);
	right_size(&l, LEVEL - 1 - FOLIO, folio_size(v->info, order));
	line_string(&l, mmlens_level_name(level));
	line_pad(&l, ALIGNED);
	line_right_number(&l, UNALIGNED - 1 - ALIGNED, b->aligned >> 10);
	line_right_number(&l, PARTIAL - 1 - UNALIGNED, b->unaligned >> 10);
	line_right_number(&l, PERCENT - 1 - PARTIAL, b->partial >> 10);
	line_right_number(&l, NAME - 1 - PERCENT,
			  percent(all_of(b), s->sums->rss[kind]));
	l.length--;
	fwrite(l.text, 1, l.length, v->out);
	text_name(v, s->area);
	putc('\n', v->out);
}

static void text_rows(struct view *v, const struct subject *s)
{
	for (int kind = 0; kind < MMLENS_FOLIO_KINDS; kind++)
		for (int level = 0; level <= MMLENS_LEVEL_PGD; level++)
			for (int order = 0; order < MMLENS_FOLIO_ORDERS; order++)
				if (all_of(&s->sums->bytes[kind][level][order]))
					text_row(v, s, kind, level, order);
	view_check(v);
}

static void text_area(struct view *v, const struct mmlens_area *area,
		      const struct mmlens_folio_sums *sums)
{
	text_rows(v, &(struct subject) { area, sums });
}

/* Bytes of a kind in large folios, and of them by leaves above level PTE. */
static uint64_t large_bytes(const struct mmlens_folio_sums *sums,
			    unsigned int kind, bool leaves)
{
	uint64_t bytes = 0;

	for (int level = 0; level <= MMLENS_LEVEL_PGD; level++)
		for (int order = 1; order < MMLENS_FOLIO_ORDERS; order++)
			if (!leaves || level > MMLENS_LEVEL_PTE)
				bytes += all_of(&sums->bytes[kind][level][order]);
	return bytes;
}

static void text_summary(struct view *v, const struct mmlens_folio_sums *sums,
			 unsigned int kind)
{
	uint64_t rss = sums->rss[kind];

	fprintf(v->out,
		"%s: %llu kB, %llu%% in large folios, %llu%% by entries above level pte\n",
		kinds[kind], (unsigned long long)rss >> 10,
		(unsigned long long)percent(large_bytes(sums, kind, false), rss),
		(unsigned long long)percent(large_bytes(sums, kind, true), rss));
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_folio_sums *total,
		     const struct mmlens_stats *stats)
{
	(void)count;
	(void)stats;
	text_rows(v, &(struct subject) { NULL, total });
	for (int kind = 0; kind < MMLENS_FOLIO_KINDS; kind++)
		if (total->rss[kind])
			text_summary(v, total, kind);
	view_check(v);
}

const struct folios_view folios_text = {
	.begin = text_begin,
	.area = text_area,
	.end = text_end,
};

/* ---- JSON ---- */

static struct json_object *json_row(const struct mmlens_info *info,
				    const struct mmlens_folio_bytes *b,
				    unsigned int kind, unsigned int level,
				    unsigned int order)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "kind", kinds[kind]);
	json_add_number(o, "order", order);
	json_add_number(o, "size", folio_size(info, order));
	json_add_string(o, "level", mmlens_level_name(level));
	json_add_number(o, "aligned", b->aligned);
	json_add_number(o, "unaligned", b->unaligned);
	json_add_number(o, "partial", b->partial);
	return o;
}

static struct json_object *json_rows(const struct mmlens_info *info,
				     const struct mmlens_folio_sums *sums)
{
	struct json_object *rows = json_object_new_array();

	for (int kind = 0; kind < MMLENS_FOLIO_KINDS; kind++) {
		for (int level = 0; level <= MMLENS_LEVEL_PGD; level++) {
			for (int order = 0; order < MMLENS_FOLIO_ORDERS;
			     order++) {
				const struct mmlens_folio_bytes *b =
					&sums->bytes[kind][level][order];

				if (all_of(b))
					json_object_array_add(
						rows, json_row(info, b, kind,
							       level, order));
			}
		}
	}
	return rows;
}

/* ---- thpmaps' fields, in kB ---- */

static void add_field(struct json_object *o, unsigned int kind,
		      const char *what, uint64_t size, uint64_t bytes)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-thp-%s-%llukB", kinds[kind], what,
		 (unsigned long long)size >> 10);
	json_add_number(o, name, bytes >> 10);
}

/*
 * What PMDs map is whole and aligned for thpmaps, whatever the folio's size.
 * It shows all orders from 2 up to a PMD's; others are here if they are there.
 */
static void add_thp(struct json_object *o, const struct mmlens_info *info,
		    const struct mmlens_folio_sums *sums, unsigned int kind)
{
	const struct mmlens_folio_bytes *pte =
		sums->bytes[kind][MMLENS_LEVEL_PTE];
	const struct mmlens_folio_bytes *pmd =
		sums->bytes[kind][MMLENS_LEVEL_PMD];
	uint64_t pmd_size = mmlens_level_size(info, MMLENS_LEVEL_PMD);
	uint64_t by_pmd = 0, partial = 0;
	char name[32];

	for (int order = 1; order < MMLENS_FOLIO_ORDERS; order++) {
		uint64_t size = folio_size(info, order);
		bool always = order > 1 && size <= pmd_size;

		if (always || pte[order].aligned)
			add_field(o, kind, "pte-aligned", size,
				  pte[order].aligned);
		if (always || pte[order].unaligned)
			add_field(o, kind, "pte-unaligned", size,
				  pte[order].unaligned);
		partial += pte[order].partial;
		by_pmd += all_of(&pmd[order]);
	}
	if (pmd_size)
		add_field(o, kind, "pmd-aligned", pmd_size, by_pmd);
	snprintf(name, sizeof(name), "%s-thp-pte-partial", kinds[kind]);
	json_add_number(o, name, partial >> 10);
}

static void add_sums(struct json_object *o, const struct mmlens_info *info,
		     const struct mmlens_folio_sums *sums)
{
	uint64_t rss = sums->rss[MMLENS_FOLIO_ANON] +
		       sums->rss[MMLENS_FOLIO_FILE];
	struct json_object *thp;

	json_add_number(o, "rss", rss);
	json_add_number(o, "anonymous", sums->rss[MMLENS_FOLIO_ANON]);
	json_add_number(o, "file", sums->rss[MMLENS_FOLIO_FILE]);
	json_add_number(o, "hugetlb", sums->rss[MMLENS_FOLIO_HUGETLB]);
	json_object_object_add(o, "folios", json_rows(info, sums));
	/* thpmaps says nothing about a mapping without RSS. */
	if (!rss)
		return;
	thp = json_object_new_object();
	add_thp(thp, info, sums, MMLENS_FOLIO_ANON);
	add_thp(thp, info, sums, MMLENS_FOLIO_FILE);
	json_object_object_add(o, "thpmaps", thp);
}

static void json_folios_begin(struct view *v, int pid)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, "vmas", '[');
}

static void json_folios_area(struct view *v, const struct mmlens_area *area,
			     const struct mmlens_folio_sums *sums)
{
	struct json_object *o = maps_object(area);

	add_sums(o, v->info, sums);
	json_put(v, NULL, o);
}

static void json_folios_end(struct view *v, uint64_t count,
			    const struct mmlens_folio_sums *total,
			    const struct mmlens_stats *stats)
{
	struct json_object *o = json_object_new_object();

	json_end(v);
	add_sums(o, v->info, total);
	json_put(v, "total", o);
	json_walk(v, "vmas", count, stats);
	json_end(v);
}

const struct folios_view folios_json = {
	.begin = json_folios_begin,
	.area = json_folios_area,
	.end = json_folios_end,
};
