// SPDX-License-Identifier: GPL-2.0-only
/* kmap: the kernel's own page table, region by region. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* Lines of a region that are shown without --all. */
#define MOST_LINES 1000

/**
 * struct kmap_sums - What was counted.
 * @leaves:	present entries that map pages, by level
 * @wx:		of them writable and executable ones
 */
struct kmap_sums {
	uint64_t leaves[MMLENS_LEVEL_PGD + 1];
	uint64_t wx;
};

static void count_run(struct kmap_sums *sums, const struct mmlens_kmap *run)
{
	if (mmlens_state(run->flags) != MMLENS_STATE_PRESENT ||
	    run->head.level > MMLENS_LEVEL_PGD)
		return;
	sums->leaves[run->head.level] += run->count;
	if (mmlens_kmap_is_wx(run))
		sums->wx += run->count;
}

static bool is_shown(const struct kmap_options *o,
		     const struct mmlens_region *region)
{
	return !o->region || (region && !strcmp(o->region, region->name));
}

/* A run of the region (NULL: of none) that is to be shown. */
static bool is_line(const struct mmlens_kernel_map *map,
		    const struct kmap_options *o,
		    const struct mmlens_region *region,
		    const struct mmlens_kmap *run)
{
	return mmlens_kernel_map_region(map, run->va) == region &&
	       (!o->wx || mmlens_kmap_is_wx(run));
}

static uint64_t run_size(const struct view *v, const struct mmlens_kmap *run)
{
	return run->count * mmlens_level_size(v->info, run->head.level);
}

/* ---- text ---- */

enum {
	SIZE = 39,
	LEVEL = 47,
	EFFECTIVE = 52,
	STATE = 57,
	PFNS = 66,
	BITS = 86,
};

static void text_heading(struct view *v)
{
	struct line l = {};

	line_string(&l, "START-END");
	line_pad(&l, SIZE + 4);
	line_string(&l, "SIZE");
	line_pad(&l, LEVEL + 1);
	line_string(&l, "LEVEL EFF STATE    PFN");
	line_pad(&l, BITS);
	line_string(&l, "BITS");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void put_range(struct line *l, uint64_t start, uint64_t size)
{
	line_string(l, "0x");
	line_hex(l, start, 16);
	line_string(l, "-0x");
	/* Behind the last address there is none. */
	line_hex(l, start + size - 1, 16);
}

static void put_size(struct line *l, uint64_t size)
{
	struct line text;

	text.length = 0;
	line_size(&text, size);
	line_char(&text, '\0');
	line_right(l, 8, text.text);
}

static void put_pfns(struct line *l, const struct view *v,
		     const struct mmlens_kmap *run)
{
	if (mmlens_state(run->flags) != MMLENS_STATE_PRESENT) {
		line_char(l, '-');
		return;
	}
	line_string(l, "0x");
	line_hex(l, run->value, 1);
	if (!run->consecutive) {
		line_string(l, "...");
		return;
	}
	line_string(l, "-0x");
	line_hex(l, run->value + (run_size(v, run) >> v->info->page_shift) - 1,
		 1);
}

static void text_run(struct view *v, const struct mmlens_kmap *run)
{
	struct line l;

	l.length = 0;
	put_range(&l, run->va, run_size(v, run));
	put_size(&l, run_size(v, run));
	line_string(&l, mmlens_level_name(run->head.level));
	line_pad(&l, EFFECTIVE);
	line_effective(&l, v->info, run->flags);
	line_pad(&l, STATE);
	line_string(&l, mmlens_state_name(mmlens_state(run->flags)));
	line_pad(&l, PFNS);
	put_pfns(&l, v, run);
	line_pad(&l, BITS);
	if (mmlens_state(run->flags) == MMLENS_STATE_PRESENT) {
		line_raw_bits(&l, v->info, run->head.level, run->flags,
			      run->raw);
	} else {
		line_string(&l, "0x");
		line_hex(&l, run->raw, 1);
	}
	if (mmlens_kmap_is_wx(run))
		line_string(&l, "  W+X");
	line_end(&l, v);
}

static void text_sums(struct view *v, const char *of,
		      const struct kmap_sums *sums)
{
	struct line l;

	l.length = 0;
	line_string(&l, of);
	line_char(&l, ':');
	for (int i = MMLENS_LEVEL_PTE; i <= MMLENS_LEVEL_PUD; i++) {
		line_char(&l, ' ');
		line_number(&l, sums->leaves[i]);
		line_string(&l, " of ");
		line_size(&l, mmlens_level_size(v->info, i));
		line_char(&l, ',');
	}
	line_char(&l, ' ');
	line_number(&l, sums->wx);
	line_string(&l, " W+X");
	line_end(&l, v);
}

static void text_region_head(struct view *v, const struct mmlens_region *region)
{
	struct line l;

	l.length = 0;
	if (!region) {
		line_string(&l, "outside");
	} else {
		line_string(&l, region->name);
		line_char(&l, ' ');
		put_range(&l, region->start, region->end - region->start);
		line_char(&l, ' ');
		line_size(&l, region->end - region->start);
	}
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_region(struct view *v, const struct mmlens_kernel_map *map,
			const struct kmap_options *o,
			const struct mmlens_region *region,
			struct kmap_sums *total)
{
	struct kmap_sums sums = {};
	uint64_t lines = 0;

	if (!o->wx && region)
		text_region_head(v, region);
	for (size_t i = 0; i < map->count; i++) {
		const struct mmlens_kmap *run = &map->runs[i];

		if (!is_line(map, o, region, run))
			continue;
		if (!lines++ && (o->wx || !region))
			text_region_head(v, region);
		if (o->all || lines <= MOST_LINES)
			text_run(v, run);
		count_run(&sums, run);
		count_run(total, run);
	}
	if (!o->all && lines > MOST_LINES)
		fprintf(v->out,
			"... %" PRIu64 " more lines (--all shows them)\n",
			lines - MOST_LINES);
	if (region && region->flags & MMLENS_REGION_SKIPPED)
		fputs("not walked\n", v->out);
	else if (lines)
		text_sums(v, region ? region->name : "outside", &sums);
	else if (!o->wx && region)
		fputs("nothing mapped\n", v->out);
	view_check(v);
}

static void text_end(struct view *v, const struct mmlens_stats *stats)
{
	fprintf(v->out,
		"longest time with interrupts off %" PRIu64 ".%" PRIu64 " us",
		stats->max_hold_ns / 1000, stats->max_hold_ns % 1000 / 100);
	if (stats->restarts)
		fprintf(v->out, ", %" PRIu64 " restarts",
			(uint64_t)stats->restarts);
	putc('\n', v->out);
	view_check(v);
}

void kmap_text(struct view *v, const struct mmlens_kernel_map *map,
	       const struct kmap_options *o)
{
	struct kmap_sums total = {};

	text_heading(v);
	for (size_t i = 0; i < map->region_count; i++)
		if (is_shown(o, &map->regions[i]))
			text_region(v, map, o, &map->regions[i], &total);
	if (is_shown(o, NULL))
		text_region(v, map, o, NULL, &total);
	text_sums(v, "total", &total);
	text_end(v, &map->stats);
}

/* ---- JSON ---- */

static void json_run(struct view *v, const struct mmlens_kmap *run)
{
	unsigned int level = run->head.level;
	struct line l;

	l.length = 0;
	line_char(&l, '{');
	member_hex(&l, "va", run->va);
	member_number(&l, "size", run_size(v, run));
	member_name(&l, "level", mmlens_level_name(level));
	member_number(&l, "count", run->count);
	member_name(&l, "state", mmlens_state_name(mmlens_state(run->flags)));
	member_flags(&l, "flags", mmlens_pte_flags(), run->flags);
	member_effective(&l, v->info, run->flags);
	member_hex(&l, "raw", run->raw);
	member_raw_bits(&l, v->info, level, run->flags, run->raw);
	if (mmlens_state(run->flags) == MMLENS_STATE_PRESENT) {
		member_number(&l, "pfn", run->value);
		member_bool(&l, "consecutive", run->consecutive);
	}
	member_bool(&l, "wx", mmlens_kmap_is_wx(run));
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static void json_sums(struct view *v, const struct kmap_sums *sums)
{
	struct line l;

	l.length = 0;
	line_char(&l, '{');
	for (int i = MMLENS_LEVEL_PTE; i <= MMLENS_LEVEL_PUD; i++)
		member_number(&l, mmlens_level_name(i), sums->leaves[i]);
	member_number(&l, "wx", sums->wx);
	line_char(&l, '}');
	member_put(&l, v, "leaves");
}

static void json_region(struct view *v, const struct mmlens_kernel_map *map,
			const struct kmap_options *o,
			const struct mmlens_region *region,
			struct kmap_sums *total)
{
	struct json_object *head = json_object_new_object();
	struct kmap_sums sums = {};

	json_add_string(head, "name", region ? region->name : "outside");
	if (region) {
		json_add_hex(head, "start", region->start);
		json_add_hex(head, "end", region->end);
		json_add_bool(head, "walked",
			      !(region->flags & MMLENS_REGION_SKIPPED));
	}
	json_begin(v, NULL, '{');
	json_put_members(v, head);
	json_begin(v, "runs", '[');
	for (size_t i = 0; i < map->count; i++) {
		if (!is_line(map, o, region, &map->runs[i]))
			continue;
		json_run(v, &map->runs[i]);
		count_run(&sums, &map->runs[i]);
		count_run(total, &map->runs[i]);
	}
	json_end(v);
	json_sums(v, &sums);
	json_end(v);
}

void kmap_json(struct view *v, const struct mmlens_kernel_map *map,
	       const struct kmap_options *o)
{
	struct kmap_sums total = {};

	json_document(v);
	json_put(v, "half", json_object_new_string(o->user ? "user" :
							     "kernel"));
	json_begin(v, "regions", '[');
	for (size_t i = 0; i < map->region_count; i++)
		if (is_shown(o, &map->regions[i]))
			json_region(v, map, o, &map->regions[i], &total);
	if (is_shown(o, NULL))
		json_region(v, map, o, NULL, &total);
	json_end(v);
	json_sums(v, &total);
	json_walk(v, "runs", map->count, &map->stats);
	json_end(v);
}
