// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru: how long the LRU lists are, and how old. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

const char *lru_kind_name(unsigned int kinds)
{
	if (kinds == LRU_KIND_CLASSIC)
		return "classic";
	return kinds == LRU_KIND_GENERATIONS ? "generations" : "both";
}

const char *lru_list_name(const struct mmlens_lru_list *list)
{
	if (!list->generation)
		return mmlens_lru_name(list->lru);
	return list->lru == MMLENS_LRU_INACTIVE_FILE ? "file" : "anon";
}

/* ---- text ---- */

enum {
	LIST_SEQ = 20,
	LIST_ZONE = 30,
	LIST_AGE = 38,
	LIST_PAGES = 46,
	LIST_MIB = 58,
};

void line_lru_memcg(struct line *l, const struct lru_line *line)
{
	const struct mmlens_lru_list *list = line->list;

	if (!list->memcg) {
		line_string(l, "the node's (no memory cgroups)");
		return;
	}
	if (line->labels.memcg) {
		line_name(l, line->labels.memcg);
	} else {
		line_string(l, "inode ");
		line_number(l, list->memcg);
	}
	if (list->flags & MMLENS_LIST_OFFLINE)
		line_string(l, " (removed)");
}

/* "8.7s", "3m12s", "5h03m", "2d07h" */
static const char *text_age(char room[16], uint64_t ms)
{
	const unsigned int s = (unsigned int)(ms / 1000 % 60);
	const unsigned int m = (unsigned int)(ms / 60000 % 60);
	const unsigned int h = (unsigned int)(ms / 3600000 % 24);
	const unsigned int days = (unsigned int)(ms / 86400000 % 100000);

	if (days)
		snprintf(room, 16, "%ud%02uh", days, h);
	else if (h)
		snprintf(room, 16, "%uh%02um", h, m);
	else if (m)
		snprintf(room, 16, "%um%02us", m, s);
	else
		snprintf(room, 16, "%u.%us", s, (unsigned int)(ms % 1000 / 100));
	return room;
}

static void text_generation(struct line *l, const struct lru_line *line)
{
	const struct mmlens_lru_list *list = line->list;
	char age[16];

	if (!list->generation) {
		line_pad(l, LIST_ZONE - 1);
		return;
	}
	line_pad(l, LIST_SEQ);
	line_number_right(l, LIST_ZONE - 1 - l->length, list->seq);
	line_pad(l, LIST_ZONE);
	if (line->labels.zone)
		line_string(l, line->labels.zone);
	else
		line_number(l, list->zone);
	line_pad(l, LIST_AGE);
	line_right(l, LIST_PAGES - LIST_AGE - 1, text_age(age, list->age_ms));
	l->length--;
}

/* What is out of the ordinary. */
static const char *note_of(const struct mmlens_lru_list *list)
{
	if (list->flags & MMLENS_LIST_NO_ORDER && list->pages)
		return "on no list: the kernel only counts them";
	if (!(list->flags & MMLENS_LIST_COUNTED))
		return "being moved to generations";
	if (!(list->flags & MMLENS_LIST_ENABLED) && list->pages)
		return "being moved to the other kind of lists";
	if (list->generation && !(list->flags & MMLENS_LIST_CURRENT) &&
	    list->pages)
		return "no generation in use";
	return NULL;
}

static void text_pages(struct line *l, const struct view *v,
		       const struct mmlens_lru_list *list)
{
	char mib[24];

	line_pad(l, LIST_PAGES);
	if (!(list->flags & MMLENS_LIST_COUNTED)) {
		line_right(l, LIST_MIB - LIST_PAGES, "?");
		return;
	}
	line_number_right(l, LIST_MIB - LIST_PAGES, list->pages);
	snprintf(mib, sizeof(mib), "%.1f",
		 (double)(list->pages << v->info->page_shift) / (1 << 20));
	line_char(l, ' ');
	line_right(l, 10, mib);
	l->length--;
}

static void text_list(struct view *v, const struct lru_line *line)
{
	const char *note = note_of(line->list);
	struct line l = {};

	line_number_right(&l, 4, line->list->node);
	line_char(&l, ' ');
	line_string(&l, lru_list_name(line->list));
	text_generation(&l, line);
	text_pages(&l, v, line->list);
	if (note) {
		line_string(&l, "  ");
		line_string(&l, note);
	}
	line_end(&l, v);
}

static void text_memcg(struct view *v, const struct lru_line *line)
{
	struct line l = {};

	line_lru_memcg(&l, line);
	line_end(&l, v);
}

static bool is_empty(const struct mmlens_lru_list *list)
{
	return list->flags & MMLENS_LIST_COUNTED && !list->pages;
}

static void heading(struct view *v)
{
	struct line l = {};

	line_string(&l, "NODE LIST");
	line_pad(&l, LIST_ZONE - 4);
	line_string(&l, "SEQ ZONE");
	line_pad(&l, LIST_PAGES - 4);
	line_string(&l, "AGE        PAGES        MiB");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

void lru_text(struct view *v, unsigned int kinds, const struct lru_line *lines,
	      size_t count, bool all, const struct mmlens_stats *stats)
{
	const struct mmlens_lru_list *before = NULL;

	fprintf(v->out, "LRU lists: %s\n", lru_kind_name(kinds));
	heading(v);
	for (size_t i = 0; i < count && !v->error; i++) {
		if (!all && is_empty(lines[i].list))
			continue;
		if (!before || before->memcg != lines[i].list->memcg)
			text_memcg(v, &lines[i]);
		before = lines[i].list;
		text_list(v, &lines[i]);
	}
	view_hold(v, stats);
}

/* ---- JSON ---- */

static void add_bytes(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_add_bytes(o, key, text, strlen(text));
}

static void add_generation(struct json_object *o, const struct lru_line *line)
{
	const struct mmlens_lru_list *list = line->list;

	json_add_number(o, "generation", list->generation - 1);
	json_add_number(o, "seq", list->seq);
	json_add_number(o, "age_ms", list->age_ms);
	json_add_bool(o, "current", list->flags & MMLENS_LIST_CURRENT);
	json_add_number(o, "zone", list->zone);
	add_bytes(o, "zone_name", line->labels.zone);
}

struct json_object *lru_list_object(const struct lru_line *line)
{
	const struct mmlens_lru_list *list = line->list;
	struct json_object *o = json_object_new_object();

	json_add_number(o, "memcg", list->memcg);
	add_bytes(o, "memcg_path", line->labels.memcg);
	json_add_bool(o, "offline", list->flags & MMLENS_LIST_OFFLINE);
	json_add_number(o, "node", list->node);
	json_add_string(o, "kind", list->generation ? "generation" : "classic");
	json_add_string(o, "list", lru_list_name(list));
	if (list->generation)
		add_generation(o, line);
	json_add_bool(o, "enabled", list->flags & MMLENS_LIST_ENABLED);
	json_add_bool(o, "ordered", !(list->flags & MMLENS_LIST_NO_ORDER));
	if (list->flags & MMLENS_LIST_COUNTED)
		json_add_number(o, "pages", list->pages);
	return o;
}

void lru_json(struct view *v, unsigned int kinds, const struct lru_line *lines,
	      size_t count, const struct mmlens_stats *stats)
{
	json_document(v);
	json_put(v, "kind", json_object_new_string(lru_kind_name(kinds)));
	json_begin(v, "lists", '[');
	for (size_t i = 0; i < count && !v->error; i++)
		json_put(v, NULL, lru_list_object(&lines[i]));
	json_end(v);
	json_walk(v, "lists", count, stats);
	json_end(v);
}
