// SPDX-License-Identifier: GPL-2.0-only
/*
 * ps: processes, and what they amount to by mapping, by user and for the whole
 * machine, as smem 1.5 has them.  One table of columns drives headings, JSON
 * members, sums and sorting.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "line.h"
#include "view.h"

enum form {
	NUMBER,
	AMOUNT,			/* bytes */
	SWAP_AMOUNT,		/* bytes, of the swap space */
	TEXT,
	LABEL,			/* the last column */
};

/* Sets of enum ps_kind. */
enum {
	IN_PROCESSES = 1 << PS_PROCESSES,
	IN_MAPPINGS = 1 << PS_MAPPINGS,
	IN_USERS = 1 << PS_USERS,
	IN_SYSTEM = 1 << PS_SYSTEM,
	IN_MEMORY = IN_PROCESSES | IN_MAPPINGS | IN_USERS,
};

/**
 * struct ps_column - A column.
 * @name:	for --sort, and its member in JSON
 * @heading:	what stands above it; NULL: not shown, for --sort alone
 * @form:	how it is shown
 * @kinds:	tables that have it
 * @offset:	of the member of &struct ps_row
 */
struct ps_column {
	const char *name;
	const char *heading;
	enum form form;
	unsigned int kinds;
	size_t offset;
};

/* In the order in which they stand in a line. */
static const struct ps_column columns[] = {
#define COLUMN(name, heading, form, kinds, member) \
	{ name, heading, form, kinds, offsetof(struct ps_row, member) }
	COLUMN("order", NULL, NUMBER, IN_SYSTEM, order),
	COLUMN("pid", "PID", NUMBER, IN_PROCESSES, pid),
	COLUMN("user", "USER", TEXT, IN_PROCESSES | IN_USERS, user),
	COLUMN("count", "COUNT", NUMBER, IN_MAPPINGS | IN_USERS, count),
	COLUMN("pids", "PIDS", NUMBER, IN_MAPPINGS, pids),
	COLUMN("vss", "VSS", AMOUNT, IN_MEMORY, vss),
	COLUMN("rss", "RSS", AMOUNT, IN_MEMORY, rss),
	COLUMN("pss", "PSS", AMOUNT, IN_MEMORY, pss),
	COLUMN("uss", "USS", AMOUNT, IN_MEMORY, uss),
	COLUMN("swap", "SWAP", SWAP_AMOUNT, IN_MEMORY, swap),
	COLUMN("tables", "TABLES", AMOUNT, IN_PROCESSES | IN_USERS, tables),
	COLUMN("avgpss", "AVGPSS", AMOUNT, IN_MAPPINGS, avgpss),
	COLUMN("used", "USED", AMOUNT, IN_SYSTEM, used),
	COLUMN("cache", "CACHE", AMOUNT, IN_SYSTEM, cache),
	COLUMN("noncache", "NONCACHE", AMOUNT, IN_SYSTEM, noncache),
	COLUMN("command", "COMMAND", LABEL, IN_PROCESSES, label),
	COLUMN("name", NULL, LABEL, IN_PROCESSES, comm),
	COLUMN("map", "MAP", LABEL, IN_MAPPINGS, label),
	COLUMN("area", "AREA", LABEL, IN_SYSTEM, label),
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool has_column(enum ps_kind kind, const struct ps_column *c)
{
	return c->kinds & 1u << kind;
}

static bool shows_column(enum ps_kind kind, const struct ps_column *c)
{
	return has_column(kind, c) && c->heading;
}

static bool is_amount(const struct ps_column *c)
{
	return c->form == AMOUNT || c->form == SWAP_AMOUNT;
}

static bool is_number(const struct ps_column *c)
{
	return c->form == NUMBER || is_amount(c);
}

static uint64_t *number_at(const struct ps_row *row, const struct ps_column *c)
{
	return (uint64_t *)((char *)row + c->offset);
}

static const char *text_at(const struct ps_row *row, const struct ps_column *c)
{
	if (c->offset == offsetof(struct ps_row, comm))
		return row->comm;
	return *(const char **)((char *)row + c->offset);
}

static bool is_unknown(const struct ps_row *row)
{
	return row->flags & MMLENS_PROC_RACED;
}

const struct ps_column *ps_find_column(enum ps_kind kind, const char *name)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (has_column(kind, &columns[i]) &&
		    !strcasecmp(columns[i].name, name))
			return &columns[i];
	return NULL;
}

const struct ps_column *ps_default_column(enum ps_kind kind)
{
	return ps_find_column(kind, kind == PS_SYSTEM ? "order" : "pss");
}

char *ps_column_names(enum ps_kind kind)
{
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	const char *before = "";

	if (!f)
		return NULL;
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!has_column(kind, &columns[i]))
			continue;
		fprintf(f, "%s%s", before, columns[i].name);
		before = " ";
	}
	fclose(f);
	return text;
}

/* ---- order ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_column(const struct ps_row *a, const struct ps_row *b,
			  const struct ps_column *by)
{
	if (!is_number(by))
		return strcmp(text_at(a, by), text_at(b, by));
	/* What isn't known comes before what is 0. */
	if (is_amount(by) && is_unknown(a) != is_unknown(b))
		return is_unknown(a) ? -1 : 1;
	return compare_numbers(*number_at(a, by), *number_at(b, by));
}

static int compare_rows(const void *left, const void *right, void *by)
{
	const struct ps_row *a = *(struct ps_row *const *)left;
	const struct ps_row *b = *(struct ps_row *const *)right;
	int order = compare_column(a, b, by);

	if (!order)
		order = compare_numbers(a->pid, b->pid);
	if (!order)
		order = compare_numbers(a->uid, b->uid);
	return order ? order : strcmp(a->label, b->label);
}

void ps_sort(struct ps_table *table, const struct ps_column *by, bool reverse)
{
	size_t n = table->count;

	if (n)
		qsort_r(table->rows, n, sizeof(*table->rows), compare_rows,
			(void *)by);
	for (size_t i = 0; reverse && i < n / 2; i++) {
		struct ps_row *row = table->rows[i];

		table->rows[i] = table->rows[n - 1 - i];
		table->rows[n - 1 - i] = row;
	}
}

/* ---- sums ---- */

static int compare_uids(const void *a, const void *b)
{
	return compare_numbers(*(const uint64_t *)a, *(const uint64_t *)b);
}

/* 0 without memory for it. */
static uint64_t different_users(const struct ps_table *table)
{
	uint64_t *uids = calloc(table->count + 1, sizeof(*uids));
	uint64_t users = 0;

	if (!uids)
		return 0;
	for (size_t i = 0; i < table->count; i++)
		uids[i] = table->rows[i]->uid;
	qsort(uids, table->count, sizeof(*uids), compare_uids);
	for (size_t i = 0; i < table->count; i++)
		users += !i || uids[i] != uids[i - 1];
	free(uids);
	return users;
}

void ps_total(const struct ps_table *table, struct ps_row *total)
{
	*total = (struct ps_row) {};
	for (size_t i = 0; i < table->count; i++) {
		if (is_unknown(table->rows[i]))
			continue;
		for (size_t c = 0; c < COLUMNS; c++)
			if (is_number(&columns[c]))
				*number_at(total, &columns[c]) +=
					*number_at(table->rows[i],
						   &columns[c]);
	}
	total->pid = table->count;
}

/* ---- text ---- */

const char *text_human(char *room, uint64_t bytes)
{
	static const char units[] = { '\0', 'K', 'M', 'G', 'T', 'P', 'E' };
	double amount = bytes;
	size_t unit = 0;

	while (amount >= 1024) {
		amount /= 1024;
		unit++;
	}
	if (bytes)
		snprintf(room, TEXT_HUMAN, "%.1f%.1s", amount, &units[unit]);
	else
		strcpy(room, "0");
	return room;
}

/* A user's name is cut off here; nothing else is as long. */
#define FIELD 64

static void percent(char *room, uint64_t bytes, uint64_t whole)
{
	if (whole)
		snprintf(room, FIELD, "%.2f%%", 100.0 * bytes / whole);
	else
		strcpy(room, "N/A");
}

/* In the end of the room: there are thousands of these, and all twice. */
static const char *decimal(char *room, uint64_t number)
{
	char *at = room + FIELD;

	*--at = '\0';
	do
		*--at = '0' + number % 10;
	while (number /= 10);
	return at;
}

static const char *amount(char *room, const struct ps_column *c, uint64_t bytes,
			  const struct ps_options *o)
{
	switch (o->units) {
	case PS_KB:
		return decimal(room, bytes >> 10);
	case PS_SUFFIX:
		text_human(room, bytes);
		break;
	case PS_PERCENT:
		percent(room, bytes,
			c->form == SWAP_AMOUNT ? o->swap : o->memory);
		break;
	}
	return room;
}

/* What a row has in a column that isn't the last. */
static const char *field(char *room, const struct ps_row *row,
			 const struct ps_column *c, const struct ps_options *o)
{
	if (c->form == TEXT) {
		const char *text = text_at(row, c);

		if (strlen(text) < FIELD)
			return text;
		room[0] = '\0';
		return strncat(room, text, FIELD - 1);
	}
	if (!is_amount(c))
		return decimal(room, *number_at(row, c));
	if (is_unknown(row))
		return "-";
	return amount(room, c, *number_at(row, c), o);
}

/* The row of sums: what can't be summed up is empty. */
static bool has_total(enum ps_kind kind, const struct ps_column *c)
{
	return is_number(c) || (c->form == TEXT && kind == PS_PROCESSES);
}

static int longer(int width, const char *text)
{
	int length = (int)strlen(text);

	return length > width ? length : width;
}

struct layout {
	const struct ps_table *table;
	const struct ps_options *options;
	struct ps_row total;
	char users[24];
	int width[COLUMNS];
};

static void measure(struct layout *l, const struct ps_column *c, int *width)
{
	const struct ps_options *o = l->options;
	char room[FIELD];

	if (!o->no_header)
		*width = longer(*width, c->heading);
	if (c->form == LABEL)
		return;
	for (size_t i = 0; i < l->table->count; i++)
		*width = longer(*width,
				field(room, l->table->rows[i], c, o));
	if (o->totals && has_total(l->table->kind, c))
		*width = longer(*width, field(room, &l->total, c, o));
}

static void lay_out(struct layout *l)
{
	ps_total(l->table, &l->total);
	snprintf(l->users, sizeof(l->users), "%" PRIu64,
		 different_users(l->table));
	l->total.user = l->users;
	for (size_t i = 0; i < COLUMNS; i++)
		if (shows_column(l->table->kind, &columns[i]))
			measure(l, &columns[i], &l->width[i]);
}

/* A column that isn't the last. */
static void put_cell(struct line *line, const struct layout *l,
		     const struct ps_column *c, const char *text)
{
	size_t begin = line->length, width = l->width[c - columns];

	if (c->form == TEXT) {
		line_string(line, text);
		line_pad(line, begin + width + 1);
	} else {
		line_right(line, width, text);
	}
}

/* The last cell has no space behind it. */
static void end_cells(struct line *line)
{
	if (line->length && line->text[line->length - 1] == ' ')
		line->length--;
}

/* Masked as procps does; one without arguments by its name in brackets. */
static char *label_text(const struct ps_row *row)
{
	struct mmlens_process process = { .state = 'S' };
	bool no_mm = row->flags & MMLENS_PROC_NO_MM;

	if (no_mm && !(row->flags & MMLENS_PROC_KTHREAD))
		process.state = 'Z';
	strcpy(process.comm, row->comm);
	return text_cmdline(row->label, no_mm ? 0 : row->length, &process);
}

static void put_label(struct view *v, const struct ps_row *row)
{
	char *label = label_text(row);

	fputs(label ? label : "?", v->out);
	free(label);
}

static void put_row(struct view *v, const struct layout *l,
		    const struct ps_row *row)
{
	enum ps_kind kind = l->table->kind;
	struct line line;
	char room[FIELD];

	line.length = 0;
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct ps_column *c = &columns[i];

		if (!shows_column(kind, c))
			continue;
		if (c->form != LABEL) {
			put_cell(&line, l, c, field(room, row, c, l->options));
			continue;
		}
		line_put(&line, v);
		put_label(v, row);
	}
	end_cells(&line);
	line_end(&line, v);
}

static void put_heading(struct view *v, const struct layout *l)
{
	struct line line;

	line.length = 0;
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!shows_column(l->table->kind, &columns[i]))
			continue;
		if (columns[i].form == LABEL)
			line_string(&line, columns[i].heading);
		else
			put_cell(&line, l, &columns[i], columns[i].heading);
	}
	end_cells(&line);
	line_char(&line, '\0');
	view_heading(v, line.text);
}

static void put_totals(struct view *v, const struct layout *l)
{
	char room[FIELD];
	struct line line;
	int length = -1;

	line.length = 0;
	for (size_t i = 0; i < COLUMNS; i++)
		if (shows_column(l->table->kind, &columns[i]))
			length += l->width[i] + 1;
	while (length-- > 0)
		line_char(&line, '-');
	line_end(&line, v);
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct ps_column *c = &columns[i];

		if (!shows_column(l->table->kind, c))
			continue;
		if (c->form == LABEL)
			break;
		put_cell(&line, l, c, has_total(l->table->kind, c) ?
			 field(room, &l->total, c, l->options) : "");
	}
	end_cells(&line);
	line_end(&line, v);
}

void ps_text(struct view *v, const struct ps_table *table,
	     const struct ps_options *o)
{
	struct layout l = { .table = table, .options = o };

	lay_out(&l);
	if (!o->no_header)
		put_heading(v, &l);
	for (size_t i = 0; i < table->count && !v->error; i++) {
		put_row(v, &l, table->rows[i]);
		view_check(v);
	}
	if (o->totals)
		put_totals(v, &l);
	view_check(v);
}

/* ---- JSON ---- */

static const char *const array_name[] = {
	[PS_PROCESSES] = "processes",
	[PS_MAPPINGS] = "mappings",
	[PS_USERS] = "users",
	[PS_SYSTEM] = "areas",
};

static void add_amounts(struct json_object *o, enum ps_kind kind,
			const struct ps_row *row)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (shows_column(kind, &columns[i]) && is_amount(&columns[i]))
			json_add_number(o, columns[i].name,
					*number_at(row, &columns[i]));
}

static void add_process(struct json_object *o, const struct ps_table *table,
			const struct ps_row *row)
{
	char *text;

	json_add_number(o, "pid", row->pid);
	json_add_number(o, "ppid", row->ppid);
	json_add_number(o, "uid", row->uid);
	json_add_string(o, "user", row->user);
	json_add_number(o, "threads", row->threads);
	json_add_bytes(o, "comm", row->comm, strlen(row->comm));
	text = table->command_line ? label_text(row) : NULL;
	if (text)
		json_add_bytes(o, "cmdline", text, strlen(text));
	free(text);
	json_add_flags(o, "flags", mmlens_proc_flags(), row->flags);
}

static struct json_object *row_object(const struct ps_table *table,
				      const struct ps_row *row)
{
	struct json_object *o = json_object_new_object();

	switch (table->kind) {
	case PS_PROCESSES:
		add_process(o, table, row);
		break;
	case PS_USERS:
		json_add_number(o, "uid", row->uid);
		json_add_string(o, "user", row->user);
		json_add_number(o, "count", row->count);
		break;
	case PS_MAPPINGS:
		json_add_bytes(o, "map", row->label, row->length);
		json_add_number(o, "count", row->count);
		json_add_number(o, "pids", row->pids);
		break;
	case PS_SYSTEM:
		json_add_string(o, "area", row->label);
		break;
	}
	if (!is_unknown(row))
		add_amounts(o, table->kind, row);
	return o;
}

void ps_json(struct view *v, const struct ps_table *table,
	     const struct mmlens_stats *stats)
{
	struct json_object *sums = json_object_new_object();
	struct ps_row total;

	json_document(v);
	json_begin(v, array_name[table->kind], '[');
	for (size_t i = 0; i < table->count && !v->error; i++)
		json_put(v, NULL, row_object(table, table->rows[i]));
	json_end(v);
	ps_total(table, &total);
	add_amounts(sums, table->kind, &total);
	json_put(v, "total", sums);
	if (stats)
		json_walk(v, array_name[table->kind], table->count, stats);
	json_end(v);
}
