// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmap -X and -XX: the bytes of procps pmap (print_extended_maps() of its
 * src/pmap.c), with these of its bugs mended: names and flags aren't cut off,
 * -A counts, and the last line has no sums that mean nothing (of page sizes and
 * protection keys) or that begin with the process before (before 4.0.4).
 *
 * A column is as wide as what it holds, so all mappings are kept until the last
 * one is known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "view.h"

enum {
	ADDRESS,
	PERM,
	OFFSET,
	DEVICE,
	INODE,
	FIRST_COLUMNS,
};

static const char *const first_headings[FIRST_COLUMNS] = {
	"Address", "Perm", "Offset", "Device", "Inode",
};

struct row {
	struct mmlens_vma vma;
	char *name;			/* NULL without */
	uint64_t *values;		/* of each column */
};

struct pmap_wide {
	const struct mmlens_smaps_format *format;
	const struct mmlens_smaps_field *columns[MMLENS_MAX_SMAPS_FIELDS];
	size_t widths[MMLENS_MAX_SMAPS_FIELDS];
	size_t column_count;
	bool vm_flags;
	struct row *rows;
	size_t row_count;
	size_t row_room;
};

/* What -X leaves to -XX. */
static bool is_detail(const char *name)
{
	static const char *const details[] = {
		"AnonHugePages", "KernelPageSize", "MMUPageSize",
		"Shared_Dirty", "Private_Dirty", "Shared_Clean",
		"Private_Clean",
	};

	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (!strcmp(details[i], name))
			return true;
	return false;
}

struct pmap_wide *pmap_wide_new(const struct mmlens_smaps_format *format,
				bool all)
{
	struct pmap_wide *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->format = format;
	w->vm_flags = all && format->has_vm_flags;
	for (size_t i = 0; i < format->count; i++)
		if (all || !is_detail(format->fields[i].name))
			w->columns[w->column_count++] = &format->fields[i];
	return w;
}

static void forget_rows(struct pmap_wide *w)
{
	for (size_t i = 0; i < w->row_count; i++) {
		free(w->rows[i].name);
		free(w->rows[i].values);
	}
	w->row_count = 0;
}

void pmap_wide_free(struct pmap_wide *w)
{
	if (!w)
		return;
	forget_rows(w);
	free(w->rows);
	free(w);
}

/* ---- keeping ---- */

static struct row *new_row(struct pmap_wide *w)
{
	if (w->row_count == w->row_room) {
		size_t room = w->row_room ? 2 * w->row_room : 64;
		struct row *grown = realloc(w->rows, room * sizeof(*grown));

		if (!grown)
			return NULL;
		w->rows = grown;
		w->row_room = room;
	}
	return &w->rows[w->row_count];
}

void pmap_wide_add(struct view *v, struct pmap_wide *w,
		   const struct mmlens_area *area)
{
	struct row *row = new_row(w);
	char *name = area->name ? strdup(area->name) : NULL;
	uint64_t *values = calloc(w->column_count + 1, sizeof(*values));

	if (!row || !values || (area->name && !name)) {
		free(name);
		free(values);
		v->error = ENOMEM;
		return;
	}
	for (size_t i = 0; i < w->column_count; i++)
		values[i] = mmlens_smaps_value(w->columns[i], area);
	*row = (struct row) { *area->vma, name, values };
	w->row_count++;
}

/* ---- cells ---- */

/* The cell of one of the first columns, into an empty line. */
static void first_cell(struct line *l, unsigned int column,
		       const struct mmlens_vma *vma)
{
	l->length = 0;
	switch (column) {
	case ADDRESS:
		line_hex(l, vma->start, 8);
		break;
	case PERM:
		line_char(l, vma->flags & MMLENS_VMA_READ ? 'r' : '-');
		line_char(l, vma->flags & MMLENS_VMA_WRITE ? 'w' : '-');
		line_char(l, vma->flags & MMLENS_VMA_EXEC ? 'x' : '-');
		line_char(l, vma->flags & MMLENS_VMA_MAYSHARE ? 's' : 'p');
		break;
	case OFFSET:
		line_hex(l, vma->offset, 8);
		break;
	case DEVICE:
		line_hex(l, vma->dev_major, 2);
		line_char(l, ':');
		line_hex(l, vma->dev_minor, 2);
		break;
	default:
		line_number(l, vma->inode);
	}
}

static void flags_cell(struct line *l, const struct pmap_wide *w,
		       const struct mmlens_vma *vma)
{
	l->length = 0;
	line_vm_flags(l, w->format, vma->raw_flags);
	if (l->length)
		l->length--;
}

static size_t digits(uint64_t value)
{
	size_t n = 1;

	while (value /= 10)
		n++;
	return n;
}

static void spaces(struct line *l, size_t n)
{
	while (n--)
		line_char(l, ' ');
}

static void cell_right(struct line *l, const struct line *cell, size_t width)
{
	if (cell->length < width)
		spaces(l, width - cell->length);
	line_bytes(l, cell->text, cell->length);
}

/* ---- widths ---- */

struct widths {
	size_t first[FIRST_COLUMNS];
	size_t vm_flags;
	uint64_t totals[MMLENS_MAX_SMAPS_FIELDS];
};

static void widen(size_t *width, size_t length)
{
	if (*width < length)
		*width = length;
}

static void measure_row(struct widths *m, struct pmap_wide *w,
			const struct row *row, bool quiet)
{
	struct line cell;

	for (unsigned int i = 0; i < FIRST_COLUMNS; i++) {
		first_cell(&cell, i, &row->vma);
		widen(&m->first[i], cell.length);
	}
	if (w->vm_flags) {
		flags_cell(&cell, w, &row->vma);
		widen(&m->vm_flags, cell.length);
	}
	for (size_t i = 0; i < w->column_count; i++) {
		m->totals[i] += row->values[i];
		if (quiet)
			widen(&w->widths[i], digits(row->values[i]));
	}
}

/* A column has room for its heading and its total, unless there are none. */
static void measure(struct widths *m, struct pmap_wide *w, bool quiet)
{
	*m = (struct widths) {};
	for (size_t i = 0; i < w->row_count; i++)
		measure_row(m, w, &w->rows[i], quiet);
	if (quiet)
		return;
	for (unsigned int i = 0; i < FIRST_COLUMNS; i++)
		widen(&m->first[i], strlen(first_headings[i]));
	for (size_t i = 0; i < w->column_count; i++) {
		widen(&w->widths[i], strlen(w->columns[i]->name));
		widen(&w->widths[i], digits(m->totals[i]));
	}
	widen(&m->vm_flags, strlen("VmFlags"));
}

/* ---- lines ---- */

static void heading(struct line *l, size_t width, const char *name)
{
	spaces(l, width - strlen(name));
	line_string(l, name);
	line_char(l, ' ');
}

static void show_headings(struct view *v, const struct widths *m,
			  const struct pmap_wide *w)
{
	struct line l = {};

	for (unsigned int i = 0; i < FIRST_COLUMNS; i++)
		heading(&l, m->first[i], first_headings[i]);
	for (size_t i = 0; i < w->column_count; i++)
		heading(&l, w->widths[i], w->columns[i]->name);
	if (w->vm_flags)
		heading(&l, m->vm_flags, "VmFlags");
	line_string(&l, "Mapping");
	line_end(&l, v);
}

/* Names are as in smaps; without -p from behind their last slash. */
static void put_name(struct line *l, struct view *v, const struct row *row,
		     bool path)
{
	const char *name = row->name, *slash;

	line_char(l, ' ');
	if (!name) {
		line_end(l, v);
		return;
	}
	slash = path ? NULL : strrchr(name, '/');
	name = slash ? slash + 1 : name;
	line_put(l, v);
	text_path(v->out, name, strlen(name),
		  row->vma.flags & MMLENS_VMA_FILE ? "\n" : "");
	line_end(l, v);
}

static void show_row(struct view *v, const struct widths *m,
		     const struct pmap_wide *w, const struct row *row,
		     bool path)
{
	struct line l, cell;

	l.length = 0;
	for (unsigned int i = 0; i < FIRST_COLUMNS; i++) {
		if (i)
			line_char(&l, ' ');
		first_cell(&cell, i, &row->vma);
		cell_right(&l, &cell, m->first[i]);
	}
	for (size_t i = 0; i < w->column_count; i++) {
		line_char(&l, ' ');
		line_number_right(&l, w->widths[i], row->values[i]);
	}
	if (w->vm_flags) {
		line_char(&l, ' ');
		flags_cell(&cell, w, &row->vma);
		cell_right(&l, &cell, m->vm_flags);
	}
	put_name(&l, v, row, path);
}

static void total(struct line *l, const struct mmlens_smaps_field *column,
		  size_t width, uint64_t value)
{
	/* All keys are 0: that is no sum but what they are. */
	if (column->adds_up || !value) {
		line_number_right(l, width, value);
	} else {
		spaces(l, width - 1);
		line_char(l, '-');
	}
	line_char(l, ' ');
}

static void show_totals(struct view *v, const struct widths *m,
			const struct pmap_wide *w)
{
	struct line l = {};
	size_t gap = 0;

	for (unsigned int i = 0; i < FIRST_COLUMNS; i++)
		gap += m->first[i] + 1;
	spaces(&l, gap);
	for (size_t i = 0; i < w->column_count; i++) {
		for (size_t n = 0; n < w->widths[i]; n++)
			line_char(&l, '=');
		line_char(&l, ' ');
	}
	line_end(&l, v);
	spaces(&l, gap);
	for (size_t i = 0; i < w->column_count; i++)
		total(&l, w->columns[i], w->widths[i], m->totals[i]);
	line_string(&l, "KB ");
	line_end(&l, v);
}

void pmap_wide_show(struct view *v, const struct pmap_options *o)
{
	struct pmap_wide *w = o->wide;
	struct widths m;

	if (w->row_count) {
		measure(&m, w, o->quiet);
		if (!o->quiet)
			show_headings(v, &m, w);
		for (size_t i = 0; i < w->row_count; i++)
			show_row(v, &m, w, &w->rows[i], o->path);
		if (!o->quiet)
			show_totals(v, &m, w);
	}
	forget_rows(w);
}
