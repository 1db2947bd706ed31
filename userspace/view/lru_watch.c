// SPDX-License-Identifier: GPL-2.0-only
/* lru --watch: pages from list to list between two looks. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* A sum of all and its name. */
struct sum {
	const char *name;
	uint64_t pages;
};
#define SUMS 7

static void fill_sums(struct sum sums[SUMS], const struct mmlens_lru_moves *m)
{
	const struct sum all[SUMS] = {
		{ "appeared", m->appeared },
		{ "left", m->left },
		{ "isolated", m->isolated },
		{ "activated", m->activated },
		{ "deactivated", m->deactivated },
		{ "aged", m->aged },
		{ "other", m->other },
	};

	for (int i = 0; i < SUMS; i++)
		sums[i] = all[i];
}

/* ---- text ---- */

enum { NAME = 15, PAGES = 9 };

/* Places that pages were at, or are. */
static bool is_shown(const struct mmlens_lru_moves *m, unsigned int place,
		     bool from)
{
	for (int i = 0; i < MMLENS_PLACES; i++)
		if (from ? m->pages[place][i] : m->pages[i][place])
			return true;
	return false;
}

/* Columns as wide as their names. */
static size_t width_of(unsigned int place)
{
	size_t width = strlen(mmlens_lru_place_name(place));

	return width > PAGES ? width : PAGES;
}

static void text_heading(struct view *v, const struct mmlens_lru_moves *m)
{
	struct line l;

	l.length = 0;
	line_string(&l, "FROM \\ TO");
	line_pad(&l, NAME);
	for (int to = 0; to < MMLENS_PLACES; to++)
		if (is_shown(m, to, false))
			line_right(&l, width_of(to),
				   mmlens_lru_place_name(to));
	l.length--;
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_row(struct view *v, const struct mmlens_lru_moves *m,
		     unsigned int from)
{
	struct line l;

	l.length = 0;
	line_string(&l, mmlens_lru_place_name(from));
	line_pad(&l, NAME);
	for (int to = 0; to < MMLENS_PLACES; to++)
		if (is_shown(m, to, false))
			line_right_number(&l, width_of(to), m->pages[from][to]);
	l.length--;
	line_end(&l, v);
}

void lru_watch_text(struct view *v, const struct lru_watch_step *step)
{
	const struct mmlens_lru_moves *m = step->moves;
	struct sum sums[SUMS];

	fprintf(v->out, "%s%.3f s, %" PRIu64 " pages on lists\n",
		step->number > 1 ? "\n" : "", step->seconds, step->listed);
	text_heading(v, m);
	for (int from = 0; from < MMLENS_PLACES; from++)
		if (is_shown(m, from, true))
			text_row(v, m, from);
	fill_sums(sums, m);
	for (int i = 0; i < SUMS; i++)
		fprintf(v->out, "%s%s %" PRIu64, i ? ", " : "", sums[i].name,
			sums[i].pages);
	putc('\n', v->out);
	view_hold(v, &m->stats);
	fflush(v->out);
}

/* ---- JSON ---- */

static struct json_object *json_moves(const struct mmlens_lru_moves *m)
{
	struct json_object *moves = json_object_new_array();

	for (int from = 0; from < MMLENS_PLACES; from++) {
		for (int to = 0; to < MMLENS_PLACES; to++) {
			struct json_object *o;

			if (!m->pages[from][to])
				continue;
			o = json_object_new_object();
			json_add_string(o, "from", mmlens_lru_place_name(from));
			json_add_string(o, "to", mmlens_lru_place_name(to));
			json_add_number(o, "pages", m->pages[from][to]);
			json_object_array_add(moves, o);
		}
	}
	return moves;
}

void lru_watch_json(struct view *v, const struct lru_watch_step *step)
{
	struct json_object *list = json_moves(step->moves);
	struct sum sums[SUMS];

	json_document(v);
	json_put(v, "look", json_object_new_uint64(step->number));
	json_put(v, "seconds", json_object_new_double(step->seconds));
	json_put(v, "pages", json_object_new_uint64(step->listed));
	fill_sums(sums, step->moves);
	for (int i = 0; i < SUMS; i++)
		json_put(v, sums[i].name,
			 json_object_new_uint64(sums[i].pages));
	json_walk(v, "pairs", json_object_array_length(list),
		  &step->moves->stats);
	/* In one piece: an array that is open has a line a member. */
	json_put(v, "moves", list);
	json_end(v);
	fflush(v->out);
}
