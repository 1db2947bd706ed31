// SPDX-License-Identifier: GPL-2.0-only
/* page-types: pages by their flags, as tools/mm/page-types.c writes it. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* A letter for each flag that the tool knows, '_' where it isn't set. */
static void put_letters(struct line *l, uint64_t flags)
{
	const struct mmlens_flag *f;

	for (f = mmlens_page_types_flags(); f->bit; f++)
		line_char(l, flags & f->bit ? *f->brief : '_');
}

static void put_names(struct line *l, uint64_t flags)
{
	line_flags(l, mmlens_page_types_flags(), flags, ",");
}

static uint64_t megabytes(const struct view *v, uint64_t pages)
{
	return pages << v->info->page_shift >> 20;
}

/* "0x", 16 digits, a tab */
static void put_bits(struct line *l, uint64_t flags)
{
	line_string(l, "0x");
	line_hex(l, flags, 16);
	line_char(l, '\t');
}

void page_types_describe(struct view *v, uint64_t flags)
{
	struct line line;

	line.length = 0;
	put_bits(&line, flags);
	put_letters(&line, flags);
	line_char(&line, '\t');
	put_names(&line, flags);
	line_end(&line, v);
}

/* ---- text ---- */

static void text_begin(struct view *v, const struct page_types_options *o)
{
	if (!o->list && !o->each)
		return;
	fprintf(v->out, "%s%s%s%s\n", o->va ? "voffset\t" : "",
		o->memcg ? "cgroup\t" : "", o->mapcount ? "map-cnt\t" : "",
		o->list ? "offset\tlen\tflags" : "offset\tflags");
}

static void put_pages(struct view *v, const struct page_types_options *o,
		      const struct page_list *p, uint64_t i)
{
	struct line line;

	line.length = 0;
	if (o->va) {
		line_hex(&line, p->va + i, 1);
		line_char(&line, '\t');
	}
	if (o->memcg) {
		line_char(&line, '@');
		line_number(&line, p->memcg);
		line_char(&line, '\t');
	}
	if (o->mapcount) {
		line_number(&line, p->mapcount);
		line_char(&line, '\t');
	}
	line_hex(&line, p->pfn + i, 1);
	line_char(&line, '\t');
	if (o->list) {
		line_hex(&line, p->count, 1);
		line_char(&line, '\t');
	}
	put_letters(&line, p->flags);
	line_end(&line, v);
}

static void text_pages(struct view *v, const struct page_types_options *o,
		       const struct page_list *p)
{
	uint64_t lines = o->list ? 1 : p->count;

	for (uint64_t i = 0; i < lines && !v->error; i++)
		put_pages(v, o, p, i);
}

static void put_type(struct view *v, const struct mmlens_page_type *type)
{
	struct line line;

	line.length = 0;
	put_bits(&line, type->flags);
	line_number_right(&line, 10, type->pages);
	line_char(&line, ' ');
	line_number_right(&line, 8, megabytes(v, type->pages));
	line_string(&line, "  ");
	put_letters(&line, type->flags);
	line_char(&line, '\t');
	put_names(&line, type->flags);
	line_end(&line, v);
}

static void text_end(struct view *v, const struct page_types_options *o,
		     const struct mmlens_page_types *types)
{
	if (!types)
		return;
	if (o->list || o->each)
		fputs("\n\n", v->out);
	fputs("             flags\tpage-count       MB"
	      "  symbolic-flags\t\t\tlong-symbolic-flags\n", v->out);
	for (size_t i = 0; i < MMLENS_PAGE_TYPES; i++)
		if (types->type[i].pages)
			put_type(v, &types->type[i]);
	fprintf(v->out, "             total\t%10" PRIu64 " %8" PRIu64 "\n",
		types->total, megabytes(v, types->total));
	view_check(v);
}

const struct page_types_view page_types_text = {
	.begin = text_begin,
	.pages = text_pages,
	.end = text_end,
};

/* ---- JSON ---- */

static void json_start(struct view *v, const struct page_types_options *o)
{
	json_document(v);
	if (o->list || o->each)
		json_begin(v, "pages", '[');
}

static void put_members(struct view *v, const struct page_types_options *o,
			const struct page_list *p, uint64_t i)
{
	struct line line;

	line.length = 0;
	line_char(&line, '{');
	if (o->va)
		member_hex(&line, "va", (p->va + i) << v->info->page_shift);
	member_number(&line, "pfn", p->pfn + i);
	if (o->list)
		member_number(&line, "count", p->count);
	if (o->memcg)
		member_number(&line, "memcg", p->memcg);
	if (o->mapcount)
		member_number(&line, "mapcount", p->mapcount);
	member_flags(&line, "flags", mmlens_page_types_flags(), p->flags);
	line_char(&line, '}');
	member_put(&line, v, NULL);
}

static void json_pages(struct view *v, const struct page_types_options *o,
		       const struct page_list *p)
{
	uint64_t lines = o->list ? 1 : p->count;

	for (uint64_t i = 0; i < lines && !v->error; i++)
		put_members(v, o, p, i);
}

static struct json_object *type_object(const struct mmlens_page_type *type)
{
	struct json_object *o = json_object_new_object();

	json_add_hex(o, "bits", type->flags);
	json_add_number(o, "pages", type->pages);
	json_add_flags(o, "flags", mmlens_page_types_flags(), type->flags);
	return o;
}

static void json_finish(struct view *v, const struct page_types_options *o,
			const struct mmlens_page_types *types)
{
	if (o->list || o->each)
		json_end(v);
	if (types) {
		json_begin(v, "types", '[');
		for (size_t i = 0; i < MMLENS_PAGE_TYPES; i++)
			if (types->type[i].pages)
				json_put(v, NULL, type_object(&types->type[i]));
		json_end(v);
		json_put(v, "total", json_object_new_uint64(types->total));
	}
	json_end(v);
}

const struct page_types_view page_types_json = {
	.begin = json_start,
	.pages = json_pages,
	.end = json_finish,
};
