// SPDX-License-Identifier: GPL-2.0-only
/* tables: page-table pages, how many, how full and where the emptiest are. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "view.h"

static uint64_t bytes_of(const struct occupancy *o, uint64_t tables)
{
	return tables << o->info->page_shift;
}

static unsigned long long kb(uint64_t bytes)
{
	return bytes >> 10;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static uint64_t wasted(const struct occupancy_level *level)
{
	return level->tables - occupancy_needed(level);
}

static unsigned int entries_each(const struct occupancy_level *level)
{
	return level->tables ? level->entries / level->tables : 0;
}

/* ---- text ---- */

static void text_nothing(struct view *v)
{
	(void)v;
}

static void text_begin(struct view *v, const struct mmlens_process *process,
		       bool each)
{
	char *name = text_cmdline(process->comm, strlen(process->comm),
				  process);

	fprintf(v->out, "%d:   %s\n", process->tgid, name ? name : "?");
	free(name);
	if (each)
		view_heading(v, "LEVEL ADDRESS             PFN NODE    USED FLAGS");
}

static void text_table(struct view *v, const struct mmlens_table *t)
{
	bool deposited = t->flags & MMLENS_TABLE_DEPOSITED;
	struct line l = {};
	char room[32];

	line_string(&l, mmlens_level_name(t->head.level));
	line_pad(&l, 6);
	line_hex(&l, t->va, 12);
	snprintf(room, sizeof(room), "0x%llx", t->pfn);
	line_char(&l, ' ');
	line_right(&l, 10, deposited ? "-" : room);
	snprintf(room, sizeof(room), "%u", t->node);
	line_right(&l, 4, deposited ? "-" : room);
	snprintf(room, sizeof(room), "%u/%u", t->used, t->entries);
	line_right(&l, 7, deposited ? "-" : room);
	line_flags(&l, mmlens_table_flags(), t->flags, ",");
	while (l.text[l.length - 1] == ' ')
		l.length--;
	line_end(&l, v);
}

/* The answer first: how much, how little would do. */
static void text_headline(struct view *v, const struct occupancy_sum *sum)
{
	char all[TEXT_HUMAN], needed[TEXT_HUMAN], waste[TEXT_HUMAN];

	fprintf(v->out,
		"%s of page tables; %s, all full, would do; %s (%.1f%%) wasted\n",
		text_human(all, sum->bytes), text_human(needed, sum->needed),
		text_human(waste, sum->wasted),
		percent(sum->wasted, sum->bytes));
}

static void text_level(struct view *v, const struct occupancy *o,
		       unsigned int id)
{
	const struct occupancy_level *level = &o->level[id];

	fprintf(v->out,
		"%-9s %10" PRIu64 " %11llu %14" PRIu64 " %5.1f%% %10" PRIu64 " %11llu %11llu%s\n",
		mmlens_level_name(id), level->tables,
		kb(bytes_of(o, level->tables)), level->used,
		percent(level->used, level->entries), level->bucket[0],
		kb(bytes_of(o, occupancy_needed(level))),
		kb(bytes_of(o, wasted(level))),
		level->uncounted ? "  not in VmPTE" : "");
}

static void text_levels(struct view *v, const struct occupancy *o,
			const struct occupancy_sum *sum)
{
	view_heading(v, "LEVEL         TABLES      KBYTES           USED FILLED      EMPTY   NEEDED_KB   WASTED_KB");
	for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
		if (o->level[id].tables)
			text_level(v, o, id);
	if (o->deposited)
		fprintf(v->out, "%-9s %10" PRIu64 " %11llu  reserve: kept for when huge pages are split\n",
			"deposited", o->deposited, kb(sum->reserve));
	fprintf(v->out,
		"%-9s %10" PRIu64 " %11llu %14s %6s %10" PRIu64 " %11llu %11llu\n",
		"VmPTE", sum->tables, kb(sum->bytes), "", "", sum->empty,
		kb(sum->needed), kb(sum->wasted));
	for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
		if (o->level[id].shared)
			fprintf(v->out,
				"%" PRIu64 " of level %s (hugetlb) other processes have too\n",
				o->level[id].shared, mmlens_level_name(id));
}

static bool node_has_tables(const struct occupancy *o, unsigned int node)
{
	for (unsigned int id = 1; id < OCCUPANCY_LEVELS; id++)
		if (o->node[node][id])
			return true;
	return false;
}

/* Columns of the levels that there are, from the top. */
static void text_nodes(struct view *v, const struct occupancy *o)
{
	char heading[128] = "NODE ";
	size_t at = strlen(heading);

	for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
		if (o->level[id].tables)
			at += snprintf(heading + at, sizeof(heading) - at,
				       " %10s", mmlens_level_name(id));
	putc('\n', v->out);
	view_heading(v, heading);
	for (unsigned int node = 0; node <= MMLENS_MAX_NODES; node++) {
		if (!node_has_tables(o, node))
			continue;
		if (node == MMLENS_MAX_NODES)
			fprintf(v->out, "%-5s", "other");
		else
			fprintf(v->out, "%-5u", node);
		for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
			if (o->level[id].tables)
				fprintf(v->out, " %10" PRIu64,
					o->node[node][id]);
		putc('\n', v->out);
	}
}

/* The same on every level that VmPTE counts: a page of entries. */
static void text_histogram(struct view *v, const struct occupancy *o)
{
	char heading[128], room[24];
	size_t at = (size_t)snprintf(heading, sizeof(heading), "%-5s", "USED");
	unsigned int entries = entries_each(&o->level[MMLENS_LEVEL_PTE]);
	unsigned int first, last;

	if (!entries)
		entries = (1u << o->info->page_shift) / 8;
	for (unsigned int b = 0; b < OCCUPANCY_BUCKETS; b++) {
		occupancy_bucket(b, entries, &first, &last);
		if (first == last)
			snprintf(room, sizeof(room), "%u", first);
		else
			snprintf(room, sizeof(room), "%u-%u", first, last);
		at += (size_t)snprintf(heading + at, sizeof(heading) - at,
				       " %10s", room);
	}
	putc('\n', v->out);
	view_heading(v, heading);
	for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--) {
		if (!o->level[id].tables || o->level[id].uncounted)
			continue;
		fprintf(v->out, "%-5s", mmlens_level_name(id));
		for (unsigned int b = 0; b < OCCUPANCY_BUCKETS; b++)
			fprintf(v->out, " %10" PRIu64, o->level[id].bucket[b]);
		putc('\n', v->out);
	}
}

static void text_ranges(struct view *v, const struct occupancy *o)
{
	if (!o->ranges)
		return;
	fprintf(v->out, "\nEmptiest ranges (%zu of %" PRIu64 "):\n", o->ranges,
		o->all_ranges);
	view_heading(v, "START-END                 LEVEL     TABLES      KBYTES           USED FILLED");
	for (size_t i = 0; i < o->ranges; i++) {
		const struct occupancy_range *r = &o->top[i];

		fprintf(v->out,
			"%012" PRIx64 "-%012" PRIx64 " %-5s %10" PRIu64 " %11llu %14" PRIu64 " %5.1f%%\n",
			r->start, r->end, mmlens_level_name(r->level),
			r->tables, kb(bytes_of(o, r->tables)), r->used,
			percent(r->used, r->entries));
	}
}

static void text_summary(struct view *v, const struct occupancy *o, bool each,
			 const struct mmlens_stats *stats)
{
	struct occupancy_sum sum;

	(void)stats;
	if (each)
		return;
	occupancy_sum(o, &sum);
	text_headline(v, &sum);
	putc('\n', v->out);
	text_levels(v, o, &sum);
	text_nodes(v, o);
	text_histogram(v, o);
	text_ranges(v, o);
	view_check(v);
}

static void add_sum(struct occupancy_sum *total,
		    const struct occupancy_sum *add)
{
	total->bytes += add->bytes;
	total->reserve += add->reserve;
	total->needed += add->needed;
	total->wasted += add->wasted;
	total->tables += add->tables;
	total->empty += add->empty;
}

static void total_of(const struct tables_process *processes, size_t count,
		     struct occupancy_sum *total)
{
	*total = (struct occupancy_sum) {};
	for (size_t i = 0; i < count; i++)
		add_sum(total, &processes[i].sum);
}

static void text_line(struct view *v, const char *who,
		      const struct occupancy_sum *s, const char *name)
{
	fprintf(v->out,
		"%10s %10" PRIu64 " %10" PRIu64 " %11llu %11llu %11llu %11llu %5.1f%%%s%s\n",
		who, s->tables, s->empty, kb(s->bytes), kb(s->reserve),
		kb(s->needed), kb(s->wasted), percent(s->wasted, s->bytes),
		*name ? " " : "", name);
}

static void text_all(struct view *v, const struct tables_process *processes,
		     size_t count, const struct mmlens_stats *stats)
{
	struct occupancy_sum total;
	char room[16];

	(void)stats;
	total_of(processes, count, &total);
	text_headline(v, &total);
	putc('\n', v->out);
	view_heading(v, "       PID     TABLES      EMPTY      KBYTES  RESERVE_KB   NEEDED_KB   WASTED_KB WASTED COMMAND");
	for (size_t i = 0; i < count; i++) {
		const struct tables_process *p = &processes[i];
		struct mmlens_process process = {};
		char *name;

		strcpy(process.comm, p->comm);
		name = text_cmdline(p->comm, strlen(p->comm), &process);
		snprintf(room, sizeof(room), "%d", p->pid);
		text_line(v, room, &p->sum, name ? name : "?");
		free(name);
	}
	text_line(v, "total", &total, "");
	view_check(v);
}

const struct tables_view tables_text = {
	.document = text_nothing,
	.begin = text_begin,
	.table = text_table,
	.summary = text_summary,
	.all = text_all,
	.finish = text_nothing,
};

/* ---- JSON ---- */

static void tables_json_document(struct view *v)
{
	json_document(v);
	json_begin(v, "processes", '[');
}

static void tables_json_begin(struct view *v,
			      const struct mmlens_process *process, bool each)
{
	struct json_object *members = json_object_new_object();

	json_add_number(members, "pid", process->tgid);
	json_add_bytes(members, "comm", process->comm, strlen(process->comm));
	json_begin(v, NULL, '{');
	json_put_members(v, members);
	if (each)
		json_begin(v, "tables", '[');
}

static void tables_json_table(struct view *v, const struct mmlens_table *t)
{
	struct line l = {};

	line_char(&l, '{');
	member_hex(&l, "va", t->va);
	member_name(&l, "level", mmlens_level_name(t->head.level));
	if (!(t->flags & MMLENS_TABLE_DEPOSITED)) {
		member_number(&l, "pfn", t->pfn);
		member_number(&l, "node", t->node);
		member_number(&l, "entries", t->entries);
		member_number(&l, "used", t->used);
	}
	member_flags(&l, "flags", mmlens_table_flags(), t->flags);
	line_char(&l, '}');
	member_put(&l, v, NULL);
}

static struct json_object *histogram(const struct occupancy_level *level)
{
	struct json_object *buckets = json_object_new_array();
	unsigned int first, last;

	for (unsigned int b = 0; b < OCCUPANCY_BUCKETS; b++) {
		struct json_object *o = json_object_new_object();

		occupancy_bucket(b, entries_each(level), &first, &last);
		json_add_number(o, "first", first);
		json_add_number(o, "last", last);
		json_add_number(o, "tables", level->bucket[b]);
		json_object_array_add(buckets, o);
	}
	return buckets;
}

static struct json_object *level_object(const struct occupancy *occupancy,
					unsigned int id)
{
	const struct occupancy_level *level = &occupancy->level[id];
	struct json_object *o = json_object_new_object();

	json_add_string(o, "level", mmlens_level_name(id));
	json_add_number(o, "tables", level->tables);
	json_add_number(o, "bytes", bytes_of(occupancy, level->tables));
	json_add_number(o, "entries", level->entries);
	json_add_number(o, "used", level->used);
	json_add_number(o, "empty", level->bucket[0]);
	json_add_number(o, "shared", level->shared);
	json_add_number(o, "needed",
			bytes_of(occupancy, occupancy_needed(level)));
	json_add_number(o, "wasted", bytes_of(occupancy, wasted(level)));
	json_add_bool(o, "in_vmpte", !level->uncounted);
	json_object_object_add(o, "histogram", histogram(level));
	return o;
}

static void json_levels(struct view *v, const struct occupancy *o)
{
	json_begin(v, "levels", '[');
	for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
		if (o->level[id].tables)
			json_put(v, NULL, level_object(o, id));
	json_end(v);
}

static void json_nodes(struct view *v, const struct occupancy *o)
{
	json_begin(v, "nodes", '[');
	for (unsigned int node = 0; node <= MMLENS_MAX_NODES; node++) {
		struct json_object *members;

		if (!node_has_tables(o, node))
			continue;
		members = json_object_new_object();
		/* Without a number: nodes from MMLENS_MAX_NODES on. */
		if (node < MMLENS_MAX_NODES)
			json_add_number(members, "node", node);
		for (unsigned int id = OCCUPANCY_LEVELS - 1; id > 0; id--)
			if (o->level[id].tables)
				json_add_number(members, mmlens_level_name(id),
						o->node[node][id]);
		json_put(v, NULL, members);
	}
	json_end(v);
}

static void json_ranges(struct view *v, const struct occupancy *o)
{
	json_begin(v, "emptiest", '[');
	for (size_t i = 0; i < o->ranges; i++) {
		const struct occupancy_range *r = &o->top[i];
		struct json_object *members = json_object_new_object();

		json_add_hex(members, "start", r->start);
		json_add_hex(members, "end", r->end);
		json_add_string(members, "level", mmlens_level_name(r->level));
		json_add_number(members, "tables", r->tables);
		json_add_number(members, "bytes", bytes_of(o, r->tables));
		json_add_number(members, "entries", r->entries);
		json_add_number(members, "used", r->used);
		json_put(v, NULL, members);
	}
	json_end(v);
}

static struct json_object *sum_object(const struct occupancy_sum *sum)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "tables", sum->tables);
	json_add_number(o, "empty", sum->empty);
	json_add_number(o, "bytes", sum->bytes);
	json_add_number(o, "reserve", sum->reserve);
	json_add_number(o, "needed", sum->needed);
	json_add_number(o, "wasted", sum->wasted);
	return o;
}

static void tables_json_summary(struct view *v, const struct occupancy *o,
				bool each, const struct mmlens_stats *stats)
{
	struct occupancy_sum sum;

	occupancy_sum(o, &sum);
	if (each)
		json_end(v);
	json_levels(v, o);
	json_nodes(v, o);
	json_ranges(v, o);
	json_put(v, "total", sum_object(&sum));
	json_walk(v, "tables", sum.tables, stats);
	json_end(v);
}

static void tables_json_all(struct view *v,
			    const struct tables_process *processes,
			    size_t count, const struct mmlens_stats *stats)
{
	struct occupancy_sum total;

	for (size_t i = 0; i < count && !v->error; i++) {
		struct json_object *o = json_object_new_object();

		json_add_number(o, "pid", processes[i].pid);
		json_add_bytes(o, "comm", processes[i].comm,
			       strlen(processes[i].comm));
		json_object_object_add(o, "total",
				       sum_object(&processes[i].sum));
		json_put(v, NULL, o);
	}
	json_end(v);
	total_of(processes, count, &total);
	json_put(v, "total", sum_object(&total));
	json_walk(v, "processes", count, stats);
	json_end(v);
}

static void tables_json_finish(struct view *v)
{
	json_end(v);
	json_end(v);
}

const struct tables_view tables_json = {
	.document = tables_json_document,
	.begin = tables_json_begin,
	.table = tables_json_table,
	.summary = tables_json_summary,
	.all = tables_json_all,
	.finish = tables_json_finish,
};
