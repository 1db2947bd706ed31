/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plots over time.  One description, struct plot, is laid out once (plot.c) and
 * drawn by whatever has the few operations of a canvas: SVG, PNG.  The chart on a
 * terminal takes the same description and has a layout of its own.
 */
#ifndef MMLENS_PLOT_H
#define MMLENS_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLOT_SERIES	24
#define PLOT_PANELS	12
#define PLOT_MARKS	16

enum plot_form {
	PLOT_LINE,
	PLOT_DASHED,
	PLOT_AREA,		/* on top of the areas before it */
};

enum plot_unit {
	PLOT_BYTES,
	PLOT_PER_SECOND,
};

/**
 * struct plot_series - A quantity over time.
 * @name:	for the legend; "": not in it
 * @form:	how it is drawn
 * @color:	0xRRGGBB
 * @y:		a value for each moment of the plot, NAN where there is none
 */
struct plot_series {
	char name[40];
	enum plot_form form;
	uint32_t color;
	double *y;
};

/**
 * struct plot_panel - Quantities with a common axis.
 * @title:	what they are
 * @unit:	of all
 * @log:	the axis has steps by factors, and no zero
 * @series:	areas from the lowest on
 * @count:	how many
 */
struct plot_panel {
	char title[96];
	enum plot_unit unit;
	bool log;
	struct plot_series series[PLOT_SERIES];
	size_t count;
};

/**
 * struct plot_mark - Something that happened.
 * @x:		when
 * @text:	what
 */
struct plot_mark {
	double x;
	char text[64];
};

/**
 * struct plot - Panels with a common time.
 * @title:	first line
 * @subtitle:	second line
 * @x:		moments, in seconds, in order
 * @count:	how many
 * @gap:	between moments that are further apart nothing is drawn
 * @panels:	the first is the widest
 * @panel_count: how many
 * @marks:	events
 * @mark_count:	how many
 */
struct plot {
	char title[160];
	char subtitle[400];
	double *x;
	size_t count;
	double gap;
	struct plot_panel panels[PLOT_PANELS];
	size_t panel_count;
	struct plot_mark marks[PLOT_MARKS];
	size_t mark_count;
};

/* Colours that are told apart with any kind of sight (Okabe and Ito, 2008). */
#define PLOT_BLACK	0x000000u
#define PLOT_ORANGE	0xe69f00u
#define PLOT_SKY	0x56b4e9u
#define PLOT_GREEN	0x009e73u
#define PLOT_YELLOW	0xf0e442u
#define PLOT_BLUE	0x0072b2u
#define PLOT_RED	0xd55e00u
#define PLOT_PURPLE	0xcc79a7u
#define PLOT_GREY	0x999999u

/*
 * A plot for moments that are still to be set, and a series of a panel, all of
 * whose values are NAN; NULL without memory or room.
 */
struct plot *plot_new(size_t count);
struct plot_panel *plot_add_panel(struct plot *plot, enum plot_unit unit,
				  const char *title);
struct plot_series *plot_add_series(const struct plot *plot,
				    struct plot_panel *panel, const char *name,
				    enum plot_form form, uint32_t color);
void plot_free(struct plot *plot);

/* The series has a value other than 0. */
bool plot_is_used(const struct plot *plot, const struct plot_series *series);
/* Moments @i - 1 and @i are too far apart. */
bool plot_is_gap(const struct plot *plot, size_t i);
/* The top of an area at a moment, or the value of a line; NAN: none. */
double plot_top(const struct plot_panel *panel, size_t series, size_t i);
/* The highest of all series, and the lowest above zero; false: there is none. */
bool plot_range(const struct plot *plot, const struct plot_panel *panel,
		double *least, double *most);
/* "64 MiB", "2.5k/s" */
void plot_value(char *room, size_t size, enum plot_unit unit, double value);
/* "12 s", "1:30", "2:00:00" */
void plot_time(char *room, size_t size, double seconds);

/* ---- drawing ---- */

enum plot_anchor { PLOT_START, PLOT_MIDDLE, PLOT_END };

struct plot_point {
	double x;
	double y;
};

/**
 * struct plot_text - Text to be drawn.
 * @at:		the baseline
 * @size:	in pixels; a character is PLOT_ADVANCE of it wide at most
 * @anchor:	which end @at is
 * @bold:	set off
 * @color:	0xRRGGBB
 * @text:	UTF-8
 */
struct plot_text {
	struct plot_point at;
	double size;
	enum plot_anchor anchor;
	bool bold;
	uint32_t color;
	const char *text;
};

#define PLOT_ADVANCE	0.6

/**
 * struct plot_canvas - What can be drawn.
 * @context:	of the operations
 * @line:	through points, in one piece
 * @area:	between two lines whose points have the same @x
 * @text:	text
 */
struct plot_canvas {
	void *context;
	void (*line)(void *context, const struct plot_point *points,
		     size_t count, double width, uint32_t color, bool dashed);
	void (*area)(void *context, const struct plot_point *high,
		     const double *low, size_t count, uint32_t color);
	void (*text)(void *context, const struct plot_text *text);
};

#define PLOT_WIDTH	960

/* Pixels that it needs. */
unsigned int plot_height(const struct plot *plot);
/* Return: 0, or a negative errno. */
int plot_draw(const struct plot *plot, const struct plot_canvas *canvas);

/* The whole file.  Return: 0, or a negative errno. */
int plot_svg(const struct plot *plot, FILE *out);
/* The same; -EOPNOTSUPP where this was built without libpng. */
int plot_png(const struct plot *plot, FILE *out);
bool plot_has_png(void);

/*
 * Strokes of a character: points "XY" in a grid 4 wide, with the baseline at 6 and
 * capitals from 0 on; a space ends a stroke.
 */
const char *plot_glyph(unsigned char c);

#endif
