// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of a plot: the first panel over the whole width, the others two in
 * a row, each with its title, legend, axes and series.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

#define HEADER		54.0
#define FOOTER		14.0
#define FIRST_HEIGHT	214.0
#define OTHER_HEIGHT	178.0
#define MARGIN		14.0
#define AXIS_ROOM	68.0	/* for the numbers on the left */
#define TIME_ROOM	20.0	/* for those below */
#define TITLE_ROOM	20.0
#define LEGEND_ROW	15.0
#define TEXT		11.0

#define PAPER		0xffffffu
#define INK		0x222222u
#define PALE		0x666666u
#define GRID		0xe4e4e4u
#define FRAME		0xaaaaaau

struct rectangle {
	double x, y, width, height;
};

/* A panel while it is drawn. */
struct drawing {
	const struct plot *plot;
	const struct plot_panel *panel;
	const struct plot_canvas *canvas;
	struct rectangle box;		/* of the data */
	double bottom, top;		/* of the axis */
	struct plot_point *points;	/* room for all moments */
	double *low;
};

/* ---- primitives ---- */

static void put_text(const struct plot_canvas *c, double x, double y,
		     double size, enum plot_anchor anchor, bool bold,
		     uint32_t color, const char *text)
{
	const struct plot_text t = {
		.at = { x, y },
		.size = size,
		.anchor = anchor,
		.bold = bold,
		.color = color,
		.text = text,
	};

	c->text(c->context, &t);
}

static void put_line(const struct plot_canvas *c, double x1, double y1,
		     double x2, double y2, double width, uint32_t color,
		     bool dashed)
{
	const struct plot_point points[] = { { x1, y1 }, { x2, y2 } };

	c->line(c->context, points, 2, width, color, dashed);
}

static double text_width(const char *text)
{
	return strlen(text) * TEXT * PLOT_ADVANCE;
}

/* ---- axes ---- */

static double x_at(const struct drawing *d, double seconds)
{
	const double *x = d->plot->x;
	double span = x[d->plot->count - 1] - x[0];

	return d->box.x + (span > 0 ? (seconds - x[0]) / span : 0) *
				  d->box.width;
}

static double y_at(const struct drawing *d, double value)
{
	double share;

	if (d->panel->log)
		share = value <= d->bottom ? 0 : log(value / d->bottom) /
						 log(d->top / d->bottom);
	else
		share = value / d->top;
	if (share > 1)
		share = 1;
	return d->box.y + d->box.height * (1 - share);
}

/* A step that gives at most @most steps: of bytes powers of 2, else 1, 2, 5. */
static double nice_step(enum plot_unit unit, double range, unsigned int most)
{
	double least = range / most, step;

	if (unit == PLOT_BYTES)
		return exp2(ceil(log2(least > 1 ? least : 1)));
	step = pow(10, floor(log10(least)));
	if (step < 1)
		step = 1;
	if (step >= least)
		return step;
	return 2 * step >= least ? 2 * step : 5 * step >= least ? 5 * step :
								  10 * step;
}

static double time_step(double span, unsigned int most)
{
	static const double steps[] = {
		0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120,
		300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
	};
	double step = 86400;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (span / steps[i] <= most)
			return steps[i];
	while (span / step > most)
		step *= 2;
	return step;
}

static void draw_level(const struct drawing *d, double value)
{
	double y = y_at(d, value);
	char label[32];

	plot_value(label, sizeof(label), d->panel->unit, value);
	put_line(d->canvas, d->box.x, y, d->box.x + d->box.width, y, 1, GRID,
		 false);
	put_text(d->canvas, d->box.x - 6, y + TEXT * 0.36, TEXT, PLOT_END,
		 false, PALE, label);
}

/* Sets the ends of the axis, too. */
static void draw_levels(struct drawing *d)
{
	double least, most, step;

	if (!plot_range(d->plot, d->panel, &least, &most))
		least = most = 1;
	if (d->panel->log) {
		/* Whole powers of two, a few of them named. */
		d->bottom = exp2(floor(log2(least)));
		d->top = exp2(ceil(log2(most * 1.05)));
		if (d->top <= d->bottom)
			d->top = 2 * d->bottom;
		step = exp2(ceil(log2(d->top / d->bottom) / 5));
		for (double at = d->bottom; at <= d->top * 1.001; at *= step)
			draw_level(d, at);
		return;
	}
	step = nice_step(d->panel->unit, most, d->box.height > 140 ? 6 : 4);
	d->top = step * ceil(most / step);
	if (most > 0.97 * d->top)
		d->top += step;
	for (double at = 0; at <= d->top * 1.001; at += step)
		draw_level(d, at);
}

static void draw_times(const struct drawing *d)
{
	const double *x = d->plot->x;
	double end = x[d->plot->count - 1];
	double step = time_step(end - x[0], (unsigned int)(d->box.width / 70));
	double bottom = d->box.y + d->box.height;
	char label[32];

	for (double at = ceil(x[0] / step) * step; at <= end + step * 0.001;
	     at += step) {
		put_line(d->canvas, x_at(d, at), bottom, x_at(d, at),
			 bottom + 4, 1, FRAME, false);
		plot_time(label, sizeof(label), at);
		put_text(d->canvas, x_at(d, at), bottom + 16, TEXT,
			 PLOT_MIDDLE, false, PALE, label);
	}
}

static void draw_frame(const struct drawing *d)
{
	const struct rectangle *b = &d->box;

	put_line(d->canvas, b->x, b->y, b->x, b->y + b->height, 1, FRAME,
		 false);
	put_line(d->canvas, b->x, b->y + b->height, b->x + b->width,
		 b->y + b->height, 1, FRAME, false);
}

/* ---- series ---- */

static bool has_value(const struct drawing *d, size_t series, size_t i)
{
	return !isnan(d->panel->series[series].y[i]);
}

/* Moments in a row with values, from @i on; what stands between is a gap. */
static size_t piece_length(const struct drawing *d, size_t series, size_t i)
{
	size_t n = 0;

	while (i + n < d->plot->count && has_value(d, series, i + n) &&
	       !(n && plot_is_gap(d->plot, i + n)))
		n++;
	return n;
}

static void draw_piece(const struct drawing *d, size_t series, size_t first,
		       size_t count)
{
	const struct plot_series *s = &d->panel->series[series];
	const struct plot_canvas *c = d->canvas;

	for (size_t i = 0; i < count; i++) {
		double top = plot_top(d->panel, series, first + i);

		d->points[i].x = x_at(d, d->plot->x[first + i]);
		d->points[i].y = y_at(d, top);
		d->low[i] = y_at(d, top - s->y[first + i]);
	}
	/* A moment alone is seen, too. */
	if (count == 1) {
		d->points[1] = d->points[0];
		d->points[0].x -= 1;
		d->points[1].x += 1;
		d->low[1] = d->low[0];
		count = 2;
	}
	if (s->form == PLOT_AREA)
		c->area(c->context, d->points, d->low, count, s->color);
	else
		c->line(c->context, d->points, count,
			s->form == PLOT_DASHED ? 1.2 : 2, s->color,
			s->form == PLOT_DASHED);
}

static void draw_series(const struct drawing *d, size_t series)
{
	size_t n;

	/* As in the legend. */
	if (!plot_is_used(d->plot, &d->panel->series[series]))
		return;
	for (size_t i = 0; i < d->plot->count; i += n) {
		n = piece_length(d, series, i);
		if (n)
			draw_piece(d, series, i, n);
		else
			n = 1;
	}
}

/* ---- marks ---- */

static void put_paper(const struct drawing *d, double x, double y, double width)
{
	const struct plot_point high[] = { { x, y - TEXT },
					   { x + width, y - TEXT } };
	const double low[] = { y + 3, y + 3 };

	d->canvas->area(d->canvas->context, high, low, 2, PAPER);
}

/* On paper of its own: it may stand on a line. */
static void draw_label(const struct drawing *d, double x, double y,
		       const char *text)
{
	const double width = text_width(text) * 1.05 + 4;

	/* To the left of it, or to the right where there is no room. */
	if (x - 4 - width < d->box.x)
		x += width + 4;
	else
		x -= 4;
	put_paper(d, x - width, y, width);
	put_text(d->canvas, x, y, TEXT, PLOT_END, false, INK, text);
}

static void draw_marks(const struct drawing *d)
{
	for (size_t i = 0; i < d->plot->mark_count; i++) {
		const struct plot_mark *m = &d->plot->marks[i];
		double x = x_at(d, m->x);

		put_line(d->canvas, x, d->box.y, x, d->box.y + d->box.height,
			 1, INK, true);
		if (d->panel != &d->plot->panels[0])
			continue;
		draw_label(d, x, d->box.y + 11 + 13 * (i % 4), m->text);
	}
}

/* ---- legend ---- */

static bool is_named(const struct drawing *d, const struct plot_series *s)
{
	return *s->name && plot_is_used(d->plot, s);
}

static double entry_width(const struct plot_series *s)
{
	return 22 + text_width(s->name) * 1.05 + 12;
}

static void draw_entry(const struct drawing *d, const struct plot_series *s,
		       double x, double y)
{
	const struct plot_canvas *c = d->canvas;
	const struct plot_point high[] = { { x, y - 8 }, { x + 16, y - 8 } };
	const double low[] = { y + 1, y + 1 };

	if (s->form == PLOT_AREA)
		c->area(c->context, high, low, 2, s->color);
	else
		put_line(c, x, y - 3.5, x + 16, y - 3.5,
			 s->form == PLOT_DASHED ? 1.2 : 2.4, s->color,
			 s->form == PLOT_DASHED);
	put_text(c, x + 22, y, TEXT, PLOT_START, false, INK, s->name);
}

/* Where there is no canvas it only counts the rows. */
static unsigned int lay_out_legend(const struct drawing *d, double x, double y,
				   double width, bool draw)
{
	unsigned int rows = 0;
	double at = width;

	for (size_t i = 0; i < d->panel->count; i++) {
		const struct plot_series *s = &d->panel->series[i];

		if (!is_named(d, s))
			continue;
		if (!rows || at + entry_width(s) > width + 10) {
			at = 0;
			rows++;
		}
		if (draw)
			draw_entry(d, s, x + at, y + (rows - 1) * LEGEND_ROW);
		at += entry_width(s);
	}
	return rows;
}

/* ---- a panel ---- */

static void draw_panel(struct drawing *d, const struct rectangle *r)
{
	double x = r->x + AXIS_ROOM, width = r->width - AXIS_ROOM;
	double legend = LEGEND_ROW * lay_out_legend(d, 0, 0, width, false);

	put_text(d->canvas, x, r->y + 13, 12.5, PLOT_START, true, INK,
		 d->panel->title);
	lay_out_legend(d, x, r->y + TITLE_ROOM + 11, width, true);
	d->box = (struct rectangle) {
		.x = x,
		.y = r->y + TITLE_ROOM + legend + 6,
		.width = width,
		.height = r->height - TITLE_ROOM - legend - TIME_ROOM - 12,
	};
	draw_levels(d);
	/* Lines stand on areas. */
	for (size_t i = 0; i < d->panel->count; i++)
		if (d->panel->series[i].form == PLOT_AREA)
			draw_series(d, i);
	for (size_t i = 0; i < d->panel->count; i++)
		if (d->panel->series[i].form != PLOT_AREA)
			draw_series(d, i);
	draw_frame(d);
	draw_marks(d);
	draw_times(d);
}

/* ---- the whole ---- */

unsigned int plot_height(const struct plot *plot)
{
	const size_t others = plot->panel_count ? plot->panel_count - 1 : 0;
	const size_t rows = (others + 1) / 2;

	return (unsigned int)(HEADER + FIRST_HEIGHT + rows * OTHER_HEIGHT +
			      FOOTER);
}

static struct rectangle place_panel(const struct plot *plot, size_t i)
{
	const double half = (PLOT_WIDTH - 3 * MARGIN) / 2;
	const size_t row = i ? (i - 1) / 2 : 0;
	struct rectangle r = {
		.x = MARGIN,
		.y = HEADER,
		.width = PLOT_WIDTH - 2 * MARGIN,
		.height = FIRST_HEIGHT,
	};

	if (!i)
		return r;
	r.y += FIRST_HEIGHT + row * OTHER_HEIGHT;
	r.height = OTHER_HEIGHT;
	/* The last of an odd number has its row for itself. */
	if (i % 2 && i == plot->panel_count - 1)
		return r;
	r.width = half;
	if (!(i % 2))
		r.x += half + MARGIN;
	return r;
}

int plot_draw(const struct plot *plot, const struct plot_canvas *canvas)
{
	struct drawing d = {
		.plot = plot,
		.canvas = canvas,
		/* A moment alone is drawn with two points. */
		.points = calloc(plot->count + 1, sizeof(*d.points)),
		.low = calloc(plot->count + 1, sizeof(*d.low)),
	};
	int ret = d.points && d.low && plot->count ? 0 : -ENOMEM;

	put_text(canvas, MARGIN, 24, 17, PLOT_START, true, INK, plot->title);
	put_text(canvas, MARGIN, 42, TEXT, PLOT_START, false, PALE,
		 plot->subtitle);
	for (size_t i = 0; i < plot->panel_count && !ret; i++) {
		struct rectangle r = place_panel(plot, i);

		d.panel = &plot->panels[i];
		draw_panel(&d, &r);
	}
	free(d.points);
	free(d.low);
	return ret;
}
