// SPDX-License-Identifier: GPL-2.0-only
/* vtop: the translation of an address, level by level. */
#include <string.h>

#include "view.h"

/* Why an address has no physical one; NULL when it has. */
static const char *obstacle(const struct mmlens_translation *t)
{
	if (t->mapped)
		return NULL;
	if (!t->steps)
		return "unmapped";
	return mmlens_state_name(mmlens_state(t->step[t->steps - 1].flags));
}

/* ---- text ---- */

static void text_begin(struct view *v, int pid)
{
	(void)v;
	(void)pid;
}

static void text_names(struct view *v, uint32_t flags)
{
	const struct mmlens_flag *f = mmlens_pte_flags();
	const char *divider = " ";

	for (; f->bit; f++) {
		if (!(flags & f->bit))
			continue;
		fprintf(v->out, "%s%s", divider, f->name);
		divider = ",";
	}
}

static void text_step(struct view *v, const struct mmlens_level *step)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	size_t n = mmlens_raw_bits(v->info, step->head.level, step->flags,
				   step->raw, names);
	int width = 0;

	fprintf(v->out, "%-5s 0x%012llx %5u 0x%016llx ",
		mmlens_level_name(step->head.level),
		step->table_pfn << v->info->page_shift, step->index, step->raw);
	for (size_t i = 0; i < n; i++)
		width += fprintf(v->out, "%s%s", i ? " " : "", names[i]);
	fprintf(v->out, "%*s %s", width < 22 ? 22 - width : 0, "",
		mmlens_state_name(mmlens_state(step->flags)));
	text_names(v, step->flags);
	putc('\n', v->out);
}

static void text_mapped(struct view *v, const struct mmlens_translation *t)
{
	unsigned long long offset = t->address & (t->size - 1);
	char size[16];

	fprintf(v->out, "0x%llx -> physical 0x%llx", (unsigned long long)t->address,
		(unsigned long long)t->phys);
	fprintf(v->out, " (PFN 0x%llx, offset 0x%llx in a %s page)\n",
		(unsigned long long)t->phys >> v->info->page_shift, offset,
		text_size(size, t->size));
	fprintf(v->out, "effective: %s, %s, %s\n",
		t->user ? "user" : "kernel only",
		t->rw ? "read-write" : "read-only",
		t->nx ? "no execute" : "execute");
}

static void text_value(struct view *v, const struct mmlens_level *last)
{
	const struct mmlens_flag *f = mmlens_marker_flags();
	enum mmlens_pte_state state = mmlens_state(last->flags);

	if (state == MMLENS_STATE_SWAP)
		fprintf(v->out, ", type %u offset 0x%llx",
			MMLENS_SWAP_TYPE(last->value),
			MMLENS_SWAP_OFFSET(last->value));
	else if (mmlens_state_has_pfn(state))
		fprintf(v->out, ", PFN 0x%llx", last->value);
	else if (state == MMLENS_STATE_MARKER)
		for (; f->bit; f++)
			if (last->value & f->bit)
				fprintf(v->out, ", %s", f->name);
}

static void text_unmapped(struct view *v, const struct mmlens_translation *t)
{
	const struct mmlens_level *last;

	fprintf(v->out, "0x%llx -> ", (unsigned long long)t->address);
	if (!t->steps) {
		fprintf(v->out, "not mapped: no VMA there\n");
		return;
	}
	last = &t->step[t->steps - 1];
	fprintf(v->out, "not present at level %s: %s",
		mmlens_level_name(last->head.level), obstacle(t));
	text_value(v, last);
	putc('\n', v->out);
}

static void text_address(struct view *v, const struct mmlens_translation *t)
{
	char line[160];

	if (t->steps) {
		snprintf(line, sizeof(line), "%-5s %-14s %5s %-18s %-22s %s",
			 "LEVEL", "TABLE", "INDEX", "RAW", "BITS",
			 "STATE FLAGS");
		view_heading(v, line);
	}
	for (unsigned int i = 0; i < t->steps; i++)
		text_step(v, &t->step[i]);
	if (t->mapped)
		text_mapped(v, t);
	else
		text_unmapped(v, t);
	view_check(v);
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

static struct json_object *step_object(const struct mmlens_info *info,
				       const struct mmlens_level *step)
{
	struct json_object *o = json_object_new_object();
	unsigned int state = mmlens_state(step->flags);

	json_add_string(o, "level", mmlens_level_name(step->head.level));
	json_add_hex(o, "table", step->table_pfn << info->page_shift);
	json_add_number(o, "table_pfn", step->table_pfn);
	json_add_number(o, "index", step->index);
	json_add_hex(o, "va", step->va);
	json_add_hex(o, "raw", step->raw);
	json_add_raw_bits(o, info, step->head.level, step->flags, step->raw);
	json_add_string(o, "state", mmlens_state_name(state));
	json_add_flags(o, "flags", mmlens_pte_flags(), step->flags);
	json_add_value(o, step->flags, step->value);
	return o;
}

static void add_result(struct json_object *o, const struct mmlens_translation *t)
{
	struct json_object *effective;

	if (!t->mapped) {
		json_add_string(o, "reason", obstacle(t));
		return;
	}
	json_add_hex(o, "phys", t->phys);
	json_add_number(o, "page_size", t->size);
	effective = json_object_new_object();
	json_add_bool(effective, "user", t->user);
	json_add_bool(effective, "rw", t->rw);
	json_add_bool(effective, "nx", t->nx);
	json_object_object_add(o, "effective", effective);
}

static void vtop_json_begin(struct view *v, int pid)
{
	json_document(v);
	json_put(v, "pid", json_object_new_int(pid));
	json_begin(v, "addresses", '[');
}

static void vtop_json_address(struct view *v,
			      const struct mmlens_translation *t)
{
	struct json_object *o = json_object_new_object();
	struct json_object *levels = json_object_new_array();

	for (unsigned int i = 0; i < t->steps; i++)
		json_object_array_add(levels,
				      step_object(v->info, &t->step[i]));
	json_add_hex(o, "va", t->address);
	json_object_object_add(o, "levels", levels);
	add_result(o, t);
	json_put(v, NULL, o);
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
