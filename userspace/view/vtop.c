// SPDX-License-Identifier: GPL-2.0-only
/* vtop: the translation of an address, level by level. */
#include <string.h>

#include "line.h"
#include "view.h"

/* The entry that ends the translation; NULL where no VMA is. */
static const struct mmlens_level *last_step(const struct mmlens_translation *t)
{
	return t->steps ? &t->step[t->steps - 1] : NULL;
}

static const char *state_of(const struct mmlens_level *step)
{
	return mmlens_state_name(mmlens_state(step->flags));
}

/* ---- text ---- */

enum {
	TABLE = 6,
	INDEX = 21,
	RAW = 27,
	BITS = 46,
	EFFECTIVE = 69,
	STATE = 74,
};

static void text_begin(struct view *v, int pid)
{
	(void)v;
	(void)pid;
}

static void text_heading(struct view *v)
{
	struct line l = {};

	line_string(&l, "LEVEL");
	line_pad(&l, TABLE);
	line_string(&l, "TABLE");
	line_pad(&l, INDEX);
	line_string(&l, "INDEX");
	line_pad(&l, RAW);
	line_string(&l, "RAW");
	line_pad(&l, BITS);
	line_string(&l, "BITS");
	line_pad(&l, EFFECTIVE);
	line_string(&l, "EFF");
	line_pad(&l, STATE);
	line_string(&l, "STATE FLAGS");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_step(struct view *v, const struct mmlens_level *step)
{
	struct line l = {};
	char index[16];

	line_string(&l, mmlens_level_name(step->head.level));
	line_pad(&l, TABLE);
	line_string(&l, "0x");
	line_hex(&l, step->table_pfn << v->info->page_shift, 12);
	line_pad(&l, INDEX);
	snprintf(index, sizeof(index), "%u", step->index);
	line_right(&l, 5, index);
	line_string(&l, "0x");
	line_hex(&l, step->raw, 16);
	line_pad(&l, BITS);
	line_raw_bits(&l, v->info, step->head.level, step->flags, step->raw);
	line_pad(&l, EFFECTIVE);
	line_effective(&l, v->info, step->flags);
	line_pad(&l, STATE);
	line_string(&l, state_of(step));
	if (mmlens_state(step->flags) != MMLENS_STATE_NONE)
		line_char(&l, ' ');
	line_flags(&l, mmlens_pte_flags(), step->flags, ",");
	line_end(&l, v);
}

static void text_mapped(struct line *l, const struct mmlens_info *info,
			const struct mmlens_translation *t)
{
	line_string(l, "physical 0x");
	line_hex(l, t->phys, 1);
	line_string(l, " (PFN 0x");
	line_hex(l, t->phys >> info->page_shift, 1);
	line_string(l, ", offset 0x");
	line_hex(l, t->address & (t->size - 1), 1);
	line_string(l, " in a ");
	line_size(l, t->size);
	line_string(l, " page)\neffective: ");
	line_string(l, t->user ? "user" : "kernel only");
	line_string(l, t->rw ? ", read-write" : ", read-only");
	line_string(l, t->nx ? ", no execute" : ", execute");
}

static void text_value(struct line *l, const struct mmlens_level *last)
{
	enum mmlens_pte_state state = mmlens_state(last->flags);

	if (state == MMLENS_STATE_SWAP) {
		line_string(l, ", type ");
		line_number(l, MMLENS_SWAP_TYPE(last->value));
		line_string(l, ", offset 0x");
		line_hex(l, MMLENS_SWAP_OFFSET(last->value), 1);
	} else if (mmlens_state_has_pfn(state)) {
		line_string(l, ", PFN 0x");
		line_hex(l, last->value, 1);
	} else if (state == MMLENS_STATE_MARKER) {
		line_string(l, ", ");
		line_flags(l, mmlens_marker_flags(), last->value, ", ");
	}
}

static void text_unmapped(struct line *l, const struct mmlens_level *last)
{
	if (!last) {
		line_string(l, "not mapped: no VMA there");
		return;
	}
	line_string(l, "not present at level ");
	line_string(l, mmlens_level_name(last->head.level));
	line_string(l, ": ");
	if (mmlens_state(last->flags) == MMLENS_STATE_NONE)
		line_string(l, "the entry is empty");
	else
		line_string(l, state_of(last));
	text_value(l, last);
}

static void text_address(struct view *v, const struct mmlens_translation *t)
{
	struct line l = {};

	if (t->steps)
		text_heading(v);
	for (unsigned int i = 0; i < t->steps; i++)
		text_step(v, &t->step[i]);
	line_string(&l, "0x");
	line_hex(&l, t->address, 1);
	line_string(&l, " -> ");
	if (t->mapped)
		text_mapped(&l, v->info, t);
	else
		text_unmapped(&l, last_step(t));
	line_end(&l, v);
}

static void text_end(struct view *v)
{
	(void)v;
}

const struct vtop_view vtop_text = {
	.begin = text_begin,
	.address = text_address,
	.end = text_end,
};

/* ---- JSON ---- */

static void json_step(struct view *v, const struct mmlens_level *step)
{
	unsigned int level = step->head.level;
	struct line l = {};

	line_char(&l, '{');
	member_name(&l, "level", mmlens_level_name(level));
	member_hex(&l, "table", step->table_pfn << v->info->page_shift);
	member_number(&l, "table_pfn", step->table_pfn);
	member_number(&l, "index", step->index);
	member_hex(&l, "va", step->va);
	member_hex(&l, "raw", step->raw);
	member_raw_bits(&l, v->info, level, step->flags, step->raw);
	member_name(&l, "state", state_of(step));
	member_flags(&l, "flags", mmlens_pte_flags(), step->flags);
	member_effective(&l, v->info, step->flags);
	member_value(&l, step->flags, step->value);
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static void json_effective(struct view *v, const struct mmlens_translation *t)
{
	struct line l = {};

	line_char(&l, '{');
	member_bool(&l, "user", t->user);
	member_bool(&l, "rw", t->rw);
	member_bool(&l, "nx", t->nx);
	line_char(&l, '}');
	member_put(&l, v, "effective");
}

static void json_result(struct view *v, const struct mmlens_translation *t)
{
	struct json_object *o = json_object_new_object();

	if (t->mapped) {
		json_add_hex(o, "phys", t->phys);
		json_add_number(o, "page_size", t->size);
	} else {
		const struct mmlens_level *last = last_step(t);

		json_add_string(o, "reason",
				last ? state_of(last) : "unmapped");
	}
	json_put_members(v, o);
	if (t->mapped)
		json_effective(v, t);
}

static void vtop_json_begin(struct view *v, int pid)
{
	json_document(v);
	if (pid)
		json_put(v, "pid", json_object_new_int(pid));
	else
		json_put(v, "kernel", json_object_new_boolean(true));
	json_begin(v, "addresses", '[');
}

static void vtop_json_address(struct view *v,
			      const struct mmlens_translation *t)
{
	struct json_object *va = json_object_new_object();

	json_add_hex(va, "va", t->address);
	json_begin(v, NULL, '{');
	json_put_members(v, va);
	json_begin(v, "levels", '[');
	for (unsigned int i = 0; i < t->steps; i++)
		json_step(v, &t->step[i]);
	json_end(v);
	json_result(v, t);
	json_end(v);
}

static void vtop_json_end(struct view *v)
{
	json_end(v);
	json_end(v);
}

const struct vtop_view vtop_json = {
	.begin = vtop_json_begin,
	.address = vtop_json_address,
	.end = vtop_json_end,
};
