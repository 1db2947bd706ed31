// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru --pages: what stands on the LRU lists, in their order. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* What is written before a line gets too long. */
#define ENOUGH (LINE_MAX_LENGTH / 2)

/*
 * Where is it by its own flags, if not on @list?  Flags of a page that is in a
 * generation may be ahead of its list: that is no other place.
 */
static const char *elsewhere(const struct mmlens_lru_list *list,
			     const struct mmlens_pfns *page)
{
	if (page->lru == MMLENS_LRU_NONE)
		return page->refcount ? "isolated" : "freed";
	if (!list->generation && !page->generation)
		return page->lru == list->lru ? NULL :
						mmlens_lru_name(page->lru);
	if (!page->generation)
		return mmlens_lru_name(page->lru);
	if (!list->generation)
		return "a generation";
	if ((page->lru >= MMLENS_LRU_INACTIVE_FILE) ==
	    (list->lru >= MMLENS_LRU_INACTIVE_FILE))
		return NULL;
	return "a generation of the other type";
}

/* ---- text ---- */

enum {
	PAGE_PFN = 9,
	PAGE_PAGES = 21,
	PAGE_FLAGS = 53,
	PAGE_OWNER = 114,
};

static void text_begin(struct view *v, unsigned int kinds)
{
	fprintf(v->out, "LRU lists: %s\n", lru_kind_name(kinds));
}

static void line_list(struct line *l, const struct lru_line *line)
{
	const struct mmlens_lru_list *list = line->list;

	line_lru_memcg(l, line);
	line_string(l, ", node ");
	line_number(l, list->node);
	line_string(l, ", ");
	line_string(l, lru_list_name(list));
	if (!list->generation)
		return;
	line_string(l, ", generation ");
	line_number(l, list->seq);
	line_string(l, " (");
	line_number(l, list->generation - 1);
	line_string(l, "), zone ");
	if (line->labels.zone)
		line_string(l, line->labels.zone);
	else
		line_number(l, list->zone);
}

static void column_heading(struct view *v)
{
	struct line l = {};

	line_string(&l, "POSITION PFN            PAGES   REFS   MAPS GEN TIER");
	line_pad(&l, PAGE_FLAGS);
	line_string(&l, "FLAGS");
	line_pad(&l, PAGE_OWNER);
	line_string(&l, "OWNER");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_list(struct view *v, const struct lru_line *line, size_t count)
{
	const struct mmlens_lru_list *list = line->list;
	struct line l = {};

	line_list(&l, line);
	line_string(&l, ": ");
	if (list->flags & MMLENS_LIST_COUNTED) {
		line_number(&l, list->pages);
		line_string(&l, " pages");
	} else {
		line_string(&l, "not counted");
	}
	if (list->flags & MMLENS_LIST_NO_ORDER && !count && list->pages)
		line_string(&l, ", on no list: the kernel only counts them (--list unevictable finds them by PFN)");
	else if (list->flags & MMLENS_LIST_NO_ORDER && count)
		line_string(&l, ", on no list: by PFN");
	line_end(&l, v);
	if (count)
		column_heading(v);
}

static void line_mappers(struct line *l, const struct lru_folio *folio)
{
	const struct pfn_mapper *m = folio->mappers;

	line_name(l, m->comm ? m->comm : "?");
	line_char(l, '[');
	line_number(l, (uint64_t)m->user->pid);
	line_string(l, "] 0x");
	line_hex(l, m->va, 1);
	if (folio->count > 1) {
		line_string(l, " +");
		line_number(l, folio->count - 1);
		line_string(l, " more");
	}
	line_char(l, ' ');
}

static void line_backing(struct line *l, const struct mmlens_backing *backing)
{
	if (backing->flags & MMLENS_BACKING_INODE) {
		line_name(l, backing->filesystem[0] ? backing->filesystem :
						      "file");
		if (backing->name[0]) {
			line_char(l, ' ');
			line_name(l, backing->name);
		}
		line_string(l, " inode ");
		line_number(l, backing->inode);
		line_string(l, " offset 0x");
		line_hex(l, backing->offset, 1);
	} else {
		line_string(l, mmlens_backing_kind_name(backing->kind));
	}
	if (backing->flags & MMLENS_BACKING_SWAP) {
		line_string(l, " swap ");
		line_number(l, MMLENS_SWAP_TYPE(backing->swap));
		line_string(l, ":0x");
		line_hex(l, MMLENS_SWAP_OFFSET(backing->swap), 1);
	}
}

static void line_owner(struct line *l, const struct mmlens_lru_list *list,
		       const struct lru_folio *folio)
{
	const char *place = elsewhere(list, folio->page);

	if (place) {
		line_string(l, "(now ");
		line_string(l, place);
		line_string(l, ") ");
	}
	if (folio->count)
		line_mappers(l, folio);
	line_backing(l, folio->backing);
}

static void text_counts(struct line *l, const struct mmlens_pfns *page)
{
	line_right_number(l, 8, 1ll << page->order);
	line_right_number(l, 6, page->refcount);
	line_right_number(l, 6, page->mapcount);
	if (page->generation) {
		line_right_number(l, 3, page->generation - 1);
		line_right_number(l, 4, page->tier);
		l->length--;
	}
}

static void text_folio(struct view *v, const struct mmlens_lru_list *list,
		       const struct lru_folio *folio)
{
	const struct mmlens_pfns *page = folio->page;
	struct line l;

	/* Its room needn't be cleared for each of many. */
	l.length = 0;
	if (list->flags & MMLENS_LIST_NO_ORDER)
		line_right(&l, PAGE_PFN - 1, "-");
	else
		line_right_number(&l, PAGE_PFN - 1, (int64_t)folio->position);
	line_string(&l, "0x");
	line_hex(&l, page->pfn, 1);
	line_pad(&l, PAGE_PAGES);
	text_counts(&l, page);
	line_pad(&l, PAGE_FLAGS);
	if (page->page_flags)
		line_page_flags(&l, page->page_flags);
	else
		line_char(&l, '-');
	line_pad(&l, PAGE_OWNER);
	line_owner(&l, list, folio);
	line_end(&l, v);
}

static void text_list_end(struct view *v, const struct lru_line *line)
{
	if (line->list->flags & MMLENS_LIST_CUT)
		fputs("the list goes on: it changed too often while it was read\n",
		      v->out);
}

static void text_gone(struct view *v, const struct lru_line *line)
{
	struct line l = {};

	line_list(&l, line);
	line_string(&l, ": isn't there any more");
	line_end(&l, v);
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)count;
	view_hold(v, stats);
}

const struct lru_pages_view lru_pages_text = {
	.begin = text_begin,
	.list = text_list,
	.folio = text_folio,
	.list_end = text_list_end,
	.gone = text_gone,
	.end = text_end,
};

/* ---- JSON ---- */

static void lru_json_begin(struct view *v, unsigned int kinds)
{
	json_document(v);
	json_put(v, "kind", json_object_new_string(lru_kind_name(kinds)));
	json_begin(v, "lists", '[');
}

static void lru_json_list(struct view *v, const struct lru_line *line,
			  size_t count)
{
	(void)count;
	json_begin(v, NULL, '{');
	json_put_members(v, lru_list_object(line));
	json_put(v, "cut", json_object_new_boolean(line->list->flags &
						   MMLENS_LIST_CUT));
	json_begin(v, "folios", '[');
}

static void member_inode(struct line *l, const struct mmlens_backing *backing)
{
	char device[32];

	snprintf(device, sizeof(device), "%02x:%02x", backing->dev_major,
		 backing->dev_minor);
	member_name(l, "device", device);
	member_number(l, "inode", backing->inode);
	member_number(l, "offset", backing->offset);
	member_text(l, "filesystem", backing->filesystem);
}

static void member_backing(struct line *l, const struct mmlens_backing *backing)
{
	line_string(l, ", \"backing\": {");
	member_name(l, "kind", mmlens_backing_kind_name(backing->kind));
	if (backing->flags & MMLENS_BACKING_INDEX)
		member_number(l, "index", backing->index);
	if (backing->flags & MMLENS_BACKING_INODE)
		member_inode(l, backing);
	if (backing->name[0])
		member_text(l, "name", backing->name);
	if (backing->flags & MMLENS_BACKING_SWAP) {
		line_string(l, ", \"swap\": {");
		member_number(l, "type", MMLENS_SWAP_TYPE(backing->swap));
		member_number(l, "offset", MMLENS_SWAP_OFFSET(backing->swap));
		line_char(l, '}');
	}
	line_char(l, '}');
}

static void member_mapper(struct line *l, const struct pfn_mapper *m)
{
	line_char(l, '{');
	member_number(l, "pid", (uint64_t)m->user->pid);
	if (m->comm)
		member_text(l, "comm", m->comm);
	member_hex(l, "va", m->va);
	member_number(l, "pages", m->count);
	line_char(l, '}');
}

static void member_mappers(struct line *l, struct view *v,
			   const struct lru_folio *folio)
{
	line_string(l, ", \"users\": [");
	for (size_t i = 0; i < folio->count; i++) {
		if (i)
			line_string(l, ", ");
		if (l->length > ENOUGH)
			line_put(l, v);
		member_mapper(l, &folio->mappers[i]);
	}
	line_char(l, ']');
}

static void member_state(struct line *l, const struct mmlens_pfns *page)
{
	member_page_flags(l, page->page_flags);
	member_signed(l, "refcount", page->refcount);
	member_signed(l, "mapcount", page->mapcount);
	member_name(l, "lru", mmlens_lru_name(page->lru));
	if (page->generation) {
		member_number(l, "generation", page->generation - 1);
		member_number(l, "tier", page->tier);
	}
}

static void lru_json_folio(struct view *v, const struct mmlens_lru_list *list,
			   const struct lru_folio *folio)
{
	const struct mmlens_pfns *page = folio->page;
	struct line l;

	l.length = 0;
	line_char(&l, '{');
	if (!(list->flags & MMLENS_LIST_NO_ORDER))
		member_number(&l, "position", folio->position);
	member_number(&l, "pfn", page->pfn);
	member_number(&l, "order", page->order);
	member_state(&l, page);
	member_number(&l, "memcg", page->memcg);
	member_bool(&l, "left", elsewhere(list, page));
	member_backing(&l, folio->backing);
	json_before(v, NULL);
	member_mappers(&l, v, folio);
	line_char(&l, '}');
	line_put(&l, v);
}

static void lru_json_list_end(struct view *v, const struct lru_line *line)
{
	(void)line;
	json_end(v);
	json_end(v);
}

static void lru_json_gone(struct view *v, const struct lru_line *line)
{
	struct json_object *o = lru_list_object(line);

	json_add_bool(o, "gone", true);
	json_put(v, NULL, o);
}

static void lru_json_end(struct view *v, uint64_t count,
			 const struct mmlens_stats *stats)
{
	json_end(v);
	json_walk(v, "folios", count, stats);
	json_end(v);
}

const struct lru_pages_view lru_pages_json = {
	.begin = lru_json_begin,
	.list = lru_json_list,
	.folio = lru_json_folio,
	.list_end = lru_json_list_end,
	.gone = lru_json_gone,
	.end = lru_json_end,
};
