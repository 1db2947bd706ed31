// SPDX-License-Identifier: GPL-2.0-only
/* diff: what changed between two captures, by mapping and by entry. */
#include <string.h>

#include "line.h"
#include "view.h"

/* ---- text ---- */

static void line_range(struct line *l, uint64_t start, uint64_t end)
{
	line_hex(l, start, 8);
	line_char(l, '-');
	line_hex(l, end, 8);
}

static void line_permissions(struct line *l, const struct mmlens_area *area)
{
	const uint64_t flags = area->vma->flags;

	line_char(l, flags & MMLENS_VMA_READ ? 'r' : '-');
	line_char(l, flags & MMLENS_VMA_WRITE ? 'w' : '-');
	line_char(l, flags & MMLENS_VMA_EXEC ? 'x' : '-');
	line_char(l, flags & MMLENS_VMA_MAYSHARE ? 's' : 'p');
}

static bool rights_differ(const struct mmlens_diff_area *area)
{
	const uint64_t rights = MMLENS_VMA_READ | MMLENS_VMA_WRITE |
				MMLENS_VMA_EXEC | MMLENS_VMA_MAYSHARE;

	return area->before && area->after &&
	       (area->before->vma->flags ^ area->after->vma->flags) & rights;
}

bool diff_is_shown(const struct mmlens_diff_area *area)
{
	return area->changed || !area->before || !area->after ||
	       rights_differ(area);
}

static void text_kinds(struct line *l, const struct diff_sums *sums)
{
	const struct mmlens_flag *kind = mmlens_diff_flags();
	const char *divider = "";

	for (unsigned int i = 0; kind[i].bit; i++) {
		if (!sums->pages[i])
			continue;
		line_string(l, divider);
		line_string(l, kind[i].name);
		line_char(l, ' ');
		line_number(l, sums->pages[i]);
		divider = ", ";
	}
	if (sums->collapses || sums->splits) {
		line_string(l, " (");
		line_number(l, sums->collapses + sums->splits);
		line_string(l, sums->collapses + sums->splits == 1 ?
				       " leaf)" : " leaves)");
	}
}

static void line_area(struct line *l, const struct mmlens_diff_area *area)
{
	const struct mmlens_area *known = area->after ? area->after :
							area->before;

	line_range(l, area->start, area->end);
	line_char(l, ' ');
	if (rights_differ(area)) {
		line_permissions(l, area->before);
		line_char(l, '>');
	}
	line_permissions(l, known);
	if (!area->before)
		line_string(l, " new");
	if (!area->after)
		line_string(l, " gone");
	if (known->name) {
		line_char(l, ' ');
		line_name(l, known->name);
	}
	line_char(l, ':');
}

static void text_open(struct view *v, const struct mmlens_diff_area *area)
{
	struct line l = {};

	line_area(&l, area);
	line_end(&l, v);
}

static void text_close(struct view *v, const struct mmlens_diff_area *area,
		       bool opened)
{
	const struct diff_sums sums = diff_sums_of(area);
	struct line l = {};

	if (opened)
		line_string(&l, "  sum:");
	else
		line_area(&l, area);
	line_char(&l, ' ');
	if (!area->changed)
		line_string(&l, "no entry changed");
	text_kinds(&l, &sums);
	line_end(&l, v);
}

/* "present 0x1234 u-w", "swap 1:0x5", "-" */
static void text_entry(struct line *l, const struct mmlens_info *info,
		       const struct mmlens_entry *entry, uint64_t at)
{
	enum mmlens_pte_state state;
	uint64_t value;

	if (!entry) {
		line_char(l, '-');
		return;
	}
	state = mmlens_state(entry->flags);
	value = entry->value + ((at - entry->va) >> info->page_shift);
	line_string(l, mmlens_level_name(entry->level));
	line_char(l, ' ');
	line_string(l, mmlens_state_name(state));
	if (state == MMLENS_STATE_MARKER) {
		line_char(l, ' ');
		line_flags(l, mmlens_marker_flags(), entry->value, ",");
	} else if (state == MMLENS_STATE_SWAP) {
		line_char(l, ' ');
		line_number(l, MMLENS_SWAP_TYPE(value));
		line_string(l, ":0x");
		line_hex(l, MMLENS_SWAP_OFFSET(value), 1);
	} else if (mmlens_state_has_pfn(state)) {
		line_string(l, " 0x");
		line_hex(l, value, 1);
	}
	line_char(l, ' ');
	line_letters(l, mmlens_pte_flags(), entry->flags);
}

static void text_change(struct view *v, const struct mmlens_diff_change *c)
{
	struct line l = {};

	line_string(&l, "  ");
	line_hex(&l, c->start, 8);
	line_char(&l, ' ');
	line_size(&l, c->end - c->start);
	line_char(&l, ' ');
	line_flags(&l, mmlens_diff_flags(), c->kinds, ",");
	line_string(&l, ": ");
	text_entry(&l, v->info, c->before, c->start);
	line_string(&l, " > ");
	text_entry(&l, v->info, c->after, c->start);
	line_end(&l, v);
}

static void text_begin(struct view *v, const struct diff_step *step)
{
	if (step->number)
		fprintf(v->out, "%s%.1f s\n", step->number > 1 ? "\n" : "",
			step->seconds);
}

static void text_end(struct view *v, const struct diff_step *step)
{
	struct line l = {};

	line_string(&l, "total: ");
	if (!step->sums.changed)
		line_string(&l, "no entry changed");
	text_kinds(&l, &step->sums);
	line_end(&l, v);
	fflush(v->out);
}

const struct diff_view diff_text = {
	.begin = text_begin,
	.open = text_open,
	.change = text_change,
	.close = text_close,
	.end = text_end,
};

/* ---- JSON ---- */

static struct json_object *kinds_object(const struct diff_sums *sums)
{
	const struct mmlens_flag *kind = mmlens_diff_flags();
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; kind[i].bit; i++)
		if (sums->pages[i])
			json_add_number(o, kind[i].name, sums->pages[i]);
	return o;
}

static void add_sums(struct json_object *o, const struct diff_sums *sums)
{
	json_add_number(o, "changed", sums->changed);
	json_object_object_add(o, "pages", kinds_object(sums));
	if (sums->collapses)
		json_add_number(o, "collapsed_leaves", sums->collapses);
	if (sums->splits)
		json_add_number(o, "split_leaves", sums->splits);
}

static void json_diff_begin(struct view *v, const struct diff_step *step)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(step->pid));
	if (step->number) {
		json_put(v, "look", json_object_new_uint64(step->number));
		json_put(v, "seconds", json_object_new_double(step->seconds));
	}
	json_begin(v, "vmas", '[');
}

static void put_area(struct view *v, const struct mmlens_diff_area *area)
{
	const struct mmlens_area *known = area->after ? area->after :
							area->before;
	struct json_object *o = json_object_new_object();

	json_begin(v, NULL, '{');
	json_add_hex(o, "start", area->start);
	json_add_hex(o, "end", area->end);
	json_add_flags(o, "flags", mmlens_vma_flags(),
		       known->vma->flags & ~MMLENS_VMA_NAMED);
	if (rights_differ(area))
		json_add_flags(o, "flags_before", mmlens_vma_flags(),
			       area->before->vma->flags & ~MMLENS_VMA_NAMED);
	if (!area->before)
		json_add_bool(o, "new", true);
	if (!area->after)
		json_add_bool(o, "gone", true);
	if (known->name)
		json_add_bytes(o, "name", known->name, known->name_length);
	json_put_members(v, o);
}

static void json_open(struct view *v, const struct mmlens_diff_area *area)
{
	put_area(v, area);
	json_begin(v, "entries", '[');
}

static void json_close(struct view *v, const struct mmlens_diff_area *area,
		       bool opened)
{
	const struct diff_sums sums = diff_sums_of(area);
	struct json_object *o = json_object_new_object();

	if (opened)
		json_end(v);
	else
		put_area(v, area);
	add_sums(o, &sums);
	json_put_members(v, o);
	json_end(v);
}

static struct json_object *entry_object(const struct mmlens_info *info,
					const struct mmlens_entry *entry,
					uint64_t at)
{
	struct json_object *o = json_object_new_object();
	const enum mmlens_pte_state state = mmlens_state(entry->flags);
	const uint64_t value = entry->value +
			       ((at - entry->va) >> info->page_shift);

	json_add_string(o, "level", mmlens_level_name(entry->level));
	json_add_string(o, "state", mmlens_state_name(state));
	json_add_flags(o, "flags", mmlens_pte_flags(),
		       entry->flags & ~MMLENS_PTE_STATE);
	if (mmlens_state_has_pfn(state))
		json_add_number(o, "pfn", value);
	if (state == MMLENS_STATE_SWAP) {
		struct json_object *swap = json_object_new_object();

		json_add_number(swap, "type", MMLENS_SWAP_TYPE(value));
		json_add_number(swap, "offset", MMLENS_SWAP_OFFSET(value));
		json_object_object_add(o, "swap", swap);
	}
	return o;
}

static void json_change(struct view *v, const struct mmlens_diff_change *c)
{
	struct json_object *o = json_object_new_object();

	json_add_hex(o, "va", c->start);
	json_add_number(o, "size", c->end - c->start);
	json_add_flags(o, "changes", mmlens_diff_flags(), c->kinds);
	if (c->before)
		json_object_object_add(o, "before",
				       entry_object(v->info, c->before,
						    c->start));
	if (c->after)
		json_object_object_add(o, "after",
				       entry_object(v->info, c->after,
						    c->start));
	json_put(v, NULL, o);
}

static void json_diff_end(struct view *v, const struct diff_step *step)
{
	struct json_object *o = json_object_new_object();

	json_end(v);
	add_sums(o, &step->sums);
	json_put_members(v, o);
	json_end(v);
	fflush(v->out);
}

const struct diff_view diff_json = {
	.begin = json_diff_begin,
	.open = json_open,
	.change = json_change,
	.close = json_close,
	.end = json_diff_end,
};

/* ---- sums ---- */

struct diff_sums diff_sums_of(const struct mmlens_diff_area *area)
{
	struct diff_sums sums = {
		.changed = area->changed,
		.collapses = area->collapses,
		.splits = area->splits,
	};

	memcpy(sums.pages, area->pages, sizeof(sums.pages));
	return sums;
}

void diff_sums_add(struct diff_sums *sum, const struct diff_sums *add)
{
	sum->changed += add->changed;
	sum->collapses += add->collapses;
	sum->splits += add->splits;
	for (unsigned int i = 0; i < MMLENS_DIFF_KINDS; i++)
		sum->pages[i] += add->pages[i];
}
