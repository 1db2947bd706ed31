// SPDX-License-Identifier: GPL-2.0-only
/* lru --pid: where a process's pages stand on the LRU lists, and which go. */
#include <inttypes.h>
#include <string.h>

#include "line.h"
#include "view.h"

/* "inactive_file", or the type of a generation. */
static const char *list_name(const struct mmlens_lru_list *list)
{
	if (!list->generation)
		return mmlens_lru_name(list->lru);
	return list->lru == MMLENS_LRU_INACTIVE_FILE ? "file" : "anon";
}

static const char *kinds_name(unsigned int kinds)
{
	switch (kinds) {
	case 0:
		return "none";
	case MMLENS_LRU_CLASSIC:
		return "classic";
	case MMLENS_LRU_GENERATIONS:
		return "generations";
	default:
		return "mixed";
	}
}

/* ---- pages that go, in a row ---- */

struct run {
	uint64_t start;
	uint64_t end;
};

/* The next run of them from mapping *@i on; false: there is none. */
static bool next_run(const struct view *v, const struct mmlens_lru_process *p,
		     size_t *i, struct run *run)
{
	const unsigned int shift = v->info->page_shift;

	for (; *i < p->mapping_count && !p->mappings[*i].goes; ++*i)
		;
	if (*i == p->mapping_count)
		return false;
	run->start = run->end = p->mappings[*i].va;
	for (; *i < p->mapping_count && p->mappings[*i].goes &&
	     p->mappings[*i].va == run->end; ++*i)
		run->end += (uint64_t)p->mappings[*i].pages << shift;
	return true;
}

/* ---- text ---- */

/* Widths of the columns; BAR is that of a whole list. */
enum { PART_NAME = 12, PAGES = 10, BAR = 40 };

static void text_name(struct view *v, const char *name)
{
	if (name)
		text_path(v->out, name, strlen(name), "\n");
	else
		putc('-', v->out);
}

static void text_head(struct view *v, const struct lru_pid_list *l)
{
	const struct mmlens_lru_share *share = l->share;
	const struct mmlens_lru_list *list = &share->list;

	fputs("\nmemcg ", v->out);
	text_name(v, l->memcg);
	fprintf(v->out, " node %u %s", list->node, list_name(list));
	if (list->generation) {
		fprintf(v->out, " generation %" PRIu64 ", %" PRIu64 ".%" PRIu64
			" s old", (uint64_t)list->seq,
			(uint64_t)list->age_ms / 1000,
			(uint64_t)list->age_ms % 1000 / 100);
		if (l->zone)
			fprintf(v->out, ", zone %s", l->zone);
	}
	fprintf(v->out, ": %" PRIu64 " pages, of %" PRIu64 " folios on the list",
		share->pages, share->folios);
	if (list->flags & MMLENS_LIST_CUT)
		fputs(" (the rest of it couldn't be read)", v->out);
	putc('\n', v->out);
}

static void text_part(struct view *v, unsigned int part, uint64_t pages,
		      uint64_t most)
{
	struct line l;
	char name[24];

	l.length = 0;
	snprintf(name, sizeof(name), "%u-%u%%", part * 100 / MMLENS_LRU_PARTS,
		 (part + 1) * 100 / MMLENS_LRU_PARTS);
	line_string(&l, "  ");
	line_string(&l, name);
	line_pad(&l, PART_NAME);
	line_number_right(&l, PAGES, pages);
	if (pages)
		line_char(&l, ' ');
	/* What is there is seen. */
	for (uint64_t i = 0; pages && i < (pages * BAR + most - 1) / most; i++)
		line_char(&l, '#');
	line_end(&l, v);
}

static void text_list(struct view *v, const struct lru_pid_list *l)
{
	uint64_t most = 1;

	text_head(v, l);
	for (int i = 0; i < MMLENS_LRU_PARTS; i++)
		if (l->share->parts[i] > most)
			most = l->share->parts[i];
	for (int i = 0; i < MMLENS_LRU_PARTS; i++)
		text_part(v, i, l->share->parts[i], most);
}

static const char *const off_texts[] = {
	[MMLENS_LRU_OFF_NONE] = "isolated, or in a CPU's batch",
	[MMLENS_LRU_OFF_MOVED] = "moved to another list meanwhile",
	[MMLENS_LRU_OFF_UNLINKED] = "unevictable, which isn't listed",
	[MMLENS_LRU_OFF_HUGETLB] = "hugetlb",
	[MMLENS_LRU_OFF_ZERO] = "zero page",
	[MMLENS_LRU_OFF_SPECIAL] = "not accounted, or a device's",
	[MMLENS_LRU_OFF_MIGRATION] = "being moved",
};

static void text_sums(struct view *v, const struct lru_pid_look *look)
{
	const struct mmlens_lru_process *p = look->process;

	fprintf(v->out, "PID %d maps %" PRIu64 " pages: %" PRIu64 " on LRU lists",
		look->pid, p->mapped, p->on);
	if (p->swapped)
		fprintf(v->out, "; %" PRIu64 " more are swapped out",
			p->swapped);
	putc('\n', v->out);
	for (int off = 1; off < MMLENS_LRU_OFFS; off++)
		if (p->off[off])
			fprintf(v->out, "%10" PRIu64 " on none: %s\n",
				p->off[off], off_texts[off]);
}

static void text_after(struct view *v, const struct lru_pid_look *look)
{
	const struct mmlens_lru_process *p = look->process;
	const struct mmlens_lru_after *after = &p->after;

	fprintf(v->out, "\nafter reclaim of %" PRIu64 " pages from ",
		after->asked);
	if (after->memcg) {
		fputs("memcg ", v->out);
		text_name(v, after->memcg);
	} else {
		fputs("the machine", v->out);
	}
	fprintf(v->out, " (a model of %s lists, swappiness %u, %s):\n",
		kinds_name(after->kinds), after->swappiness,
		after->swap ? "with swap" : "no swap");
	fprintf(v->out, "named pages: %" PRIu64 " of %" PRIu64 "\n",
		after->named, p->mapped);
	if (after->taken < after->asked)
		fprintf(v->out, "only %" PRIu64 " pages can be reclaimed\n",
			after->taken);
	if (after->kinds & MMLENS_LRU_GENERATIONS)
		fputs("with generations this is an approximation: refaults, which choose the type, aren't known\n",
		      v->out);
}

static void text_runs(struct view *v, const struct mmlens_lru_process *p)
{
	struct run run;
	size_t i = 0;

	while (next_run(v, p, &i, &run))
		fprintf(v->out, "%012" PRIx64 "-%012" PRIx64 " %10" PRIu64 "\n",
			run.start, run.end,
			(run.end - run.start) >> v->info->page_shift);
}

void lru_pid_text(struct view *v, const struct lru_pid_look *look)
{
	const struct mmlens_lru_process *p = look->process;

	text_sums(v, look);
	for (size_t i = 0; i < p->share_count; i++)
		text_list(v, &look->lists[i]);
	if (look->has_after)
		text_after(v, look);
	if (look->has_after && look->pages)
		text_runs(v, p);
	putc('\n', v->out);
	view_hold(v, &p->stats);
}

/* ---- JSON ---- */

static void add_name(struct json_object *o, const char *key, const char *name)
{
	if (name)
		json_add_bytes(o, key, name, strlen(name));
}

static struct json_object *json_list(const struct lru_pid_list *l)
{
	const struct mmlens_lru_share *share = l->share;
	const struct mmlens_lru_list *list = &share->list;
	struct json_object *o = json_object_new_object();
	struct json_object *parts = json_object_new_array();

	json_add_number(o, "memcg", list->memcg);
	add_name(o, "memcg_path", l->memcg);
	json_add_number(o, "node", list->node);
	json_add_string(o, "list", list_name(list));
	if (list->generation) {
		json_add_number(o, "seq", list->seq);
		json_add_number(o, "age_ms", list->age_ms);
		json_add_number(o, "zone", list->zone);
		add_name(o, "zone_name", l->zone);
	}
	json_add_number(o, "folios", share->folios);
	json_add_bool(o, "cut", list->flags & MMLENS_LIST_CUT);
	json_add_number(o, "pages", share->pages);
	for (int i = 0; i < MMLENS_LRU_PARTS; i++)
		json_object_array_add(parts,
				      json_object_new_uint64(share->parts[i]));
	json_object_object_add(o, "parts", parts);
	return o;
}

static struct json_object *json_off(const struct mmlens_lru_process *p)
{
	struct json_object *o = json_object_new_object();

	for (int off = 1; off < MMLENS_LRU_OFFS; off++)
		json_add_number(o, mmlens_lru_off_name(off), p->off[off]);
	return o;
}

static void json_runs(struct view *v, const struct mmlens_lru_process *p)
{
	struct run run;
	size_t i = 0;

	json_begin(v, "pages", '[');
	while (next_run(v, p, &i, &run)) {
		struct json_object *o = json_object_new_object();

		json_add_hex(o, "va", run.start);
		json_add_number(o, "count",
				(run.end - run.start) >> v->info->page_shift);
		json_put(v, NULL, o);
	}
	json_end(v);
}

static void json_after(struct view *v, const struct lru_pid_look *look)
{
	const struct mmlens_lru_process *p = look->process;
	const struct mmlens_lru_after *after = &p->after;
	struct json_object *o = json_object_new_object();

	json_begin(v, "after", '{');
	add_name(o, "memcg_path", after->memcg);
	json_add_string(o, "model", kinds_name(after->kinds));
	json_add_bool(o, "approximate", after->kinds & MMLENS_LRU_GENERATIONS);
	json_add_number(o, "swappiness", after->swappiness);
	json_add_number(o, "swap", after->swap);
	json_add_number(o, "asked", after->asked);
	json_add_number(o, "taken", after->taken);
	json_add_number(o, "named", after->named);
	json_add_number(o, "of", p->mapped);
	json_put_members(v, o);
	if (look->pages)
		json_runs(v, p);
	json_end(v);
}

void lru_pid_json(struct view *v, const struct lru_pid_look *look)
{
	const struct mmlens_lru_process *p = look->process;

	json_document(v);
	json_put(v, "pid", json_object_new_int(look->pid));
	json_put(v, "mapped", json_object_new_uint64(p->mapped));
	json_put(v, "on_lists", json_object_new_uint64(p->on));
	json_put(v, "off_lists", json_off(p));
	json_put(v, "swapped", json_object_new_uint64(p->swapped));
	json_begin(v, "lists", '[');
	for (size_t i = 0; i < p->share_count; i++)
		json_put(v, NULL, json_list(&look->lists[i]));
	json_end(v);
	if (look->has_after)
		json_after(v, look);
	json_walk(v, "lists", p->share_count, &p->stats);
	json_end(v);
}
