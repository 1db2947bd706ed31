// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plot on a terminal: panels one below the other, a column for each moment, areas
 * as bars with eighths of a cell, lines as dots.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"
#include "timeline.h"

#ifdef MMLENS_HAVE_CURSES
#include <curses.h>
#include <langinfo.h>

#define LABELS		10	/* columns for the numbers on the left */
#define HEAD		2	/* lines above the panels */
#define LEAST_ROWS	3	/* of a panel, for its bars */

/* A pair of colours for each of a plot's; 0 is the terminal's own. */
#define PAIRS		48

struct chart {
	SCREEN *screen;
	bool unicode;
	bool colors;
	bool many;			/* 256 of them */
	uint32_t pairs[PAIRS];
	short pair_count;
};

/* A panel while it is drawn. */
struct cells {
	struct chart *chart;
	const struct plot *plot;
	const struct plot_panel *panel;
	int top, rows, width;
	double bottom_value, top_value;
};

bool chart_is_built(void)
{
	return true;
}

struct chart *chart_begin(void)
{
	struct chart *chart = calloc(1, sizeof(*chart));

	if (!chart)
		return NULL;
	chart->screen = newterm(NULL, stdout, stdin);
	if (!chart->screen) {
		free(chart);
		return NULL;
	}
	chart->unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!getenv("NO_COLOR") || !*getenv("NO_COLOR"))
		chart->colors = has_colors() && start_color() == OK &&
				use_default_colors() == OK;
	chart->many = chart->colors && COLORS >= 256;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	return chart;
}

void chart_end(struct chart *chart)
{
	if (!chart)
		return;
	endwin();
	delscreen(chart->screen);
	free(chart);
}

size_t chart_width(const struct chart *chart)
{
	const int width = COLS - LABELS;

	(void)chart;
	return width > 1 ? width : 1;
}

bool chart_key(struct chart *chart)
{
	int key;

	(void)chart;
	/* A change of the size comes as a key. */
	while ((key = getch()) != ERR)
		if (key == 'q' || key == 'Q' || key == 27)
			return true;
	return false;
}

/* ---- colours ---- */

/* Of the cube of 6 by 6 by 6, or of the eight that all have. */
static short color_number(const struct chart *chart, uint32_t color)
{
	const int r = color >> 16 & 255, g = color >> 8 & 255, b = color & 255;
	const int most = r > g ? (r > b ? r : b) : (g > b ? g : b);

	if (chart->many)
		return 16 + 36 * ((r * 5 + 127) / 255) +
		       6 * ((g * 5 + 127) / 255) + (b * 5 + 127) / 255;
	if (!most)
		return -1;
	return (r * 2 > most ? 1 : 0) | (g * 2 > most ? 2 : 0) |
	       (b * 2 > most ? 4 : 0);
}

static attr_t ink(struct chart *chart, uint32_t color)
{
	short i;

	/* Black is whatever the terminal writes with. */
	if (!chart->colors || color == PLOT_BLACK)
		return A_NORMAL;
	for (i = 0; i < chart->pair_count; i++)
		if (chart->pairs[i] == color)
			return COLOR_PAIR(i + 1);
	if (i == PAIRS || i + 1 >= COLOR_PAIRS)
		return A_NORMAL;
	chart->pairs[chart->pair_count++] = color;
	init_pair(i + 1, color_number(chart, color), -1);
	return COLOR_PAIR(i + 1);
}

/* ---- bars and dots ---- */

static const char *const eighths[] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586",
	"\u2587", "\u2588",
};

static void put_cell(const struct cells *c, int row, int column,
		     const struct plot_series *s, unsigned int eighth)
{
	char letter[2] = {};
	const char *text = letter;

	if (!s || !eighth)
		return;
	letter[0] = *s->name ? *s->name : '.';
	/* Without colours the first letter of the name tells them apart. */
	if (c->chart->unicode && c->chart->colors)
		text = eighths[eighth];
	else if (eighth < 4)
		return;
	attrset(ink(c->chart, s->color));
	mvaddstr(c->top + row, LABELS + column, text);
}

/* From 0 at the bottom to the number of rows. */
static double height_of(const struct cells *c, double value)
{
	double share;

	if (c->panel->log)
		share = value <= c->bottom_value ? 0 :
			log(value / c->bottom_value) /
			log(c->top_value / c->bottom_value);
	else
		share = value / c->top_value;
	return c->rows * (share < 0 ? 0 : share > 1 ? 1 : share);
}

/* The area at a height, or the uppermost where that is above all of them. */
static const struct plot_series *area_at(const struct cells *c, size_t i,
					 double height)
{
	const struct plot_series *found = NULL;

	for (size_t j = 0; j < c->panel->count; j++) {
		const struct plot_series *s = &c->panel->series[j];

		if (s->form != PLOT_AREA || isnan(s->y[i]) || !s->y[i])
			continue;
		found = s;
		if (height_of(c, plot_top(c->panel, j, i)) > height)
			break;
	}
	return found;
}

/* Each cell is of the area in its middle; the uppermost is filled in part. */
static void draw_bar(const struct cells *c, size_t i, int column)
{
	double all = 0;

	for (size_t j = 0; j < c->panel->count; j++)
		if (c->panel->series[j].form == PLOT_AREA &&
		    !isnan(c->panel->series[j].y[i]))
			all = height_of(c, plot_top(c->panel, j, i));
	for (int k = 0; k < c->rows && k < all; k++) {
		double fill = all - k < 1 ? all - k : 1;

		put_cell(c, c->rows - 1 - k, column, area_at(c, i, k + 0.5),
			 (unsigned int)(fill * 8 + 0.5));
	}
}

static void draw_dot(const struct cells *c, const struct plot_series *s,
		     size_t i, int column)
{
	int row = c->rows - 1 - (int)height_of(c, s->y[i]);

	if (!s->y[i] && !plot_is_used(c->plot, s))
		return;
	attrset(ink(c->chart, s->color) | A_BOLD);
	mvaddstr(c->top + (row < 0 ? 0 : row), LABELS + column,
		 s->form == PLOT_DASHED ? "-" : c->chart->unicode ? "\u2022" :
								    "*");
}

static void draw_moment(const struct cells *c, size_t i, int column)
{
	draw_bar(c, i, column);
	for (size_t j = 0; j < c->panel->count; j++)
		if (c->panel->series[j].form != PLOT_AREA &&
		    !isnan(c->panel->series[j].y[i]))
			draw_dot(c, &c->panel->series[j], i, column);
}

/* ---- a panel ---- */

static void put_value(const struct cells *c, int row, double value)
{
	char text[32];

	plot_value(text, sizeof(text), c->panel->unit, value);
	attrset(A_DIM);
	mvprintw(c->top + row, 0, "%*s", LABELS - 1, text);
}

/* The title, then each series with its value now. */
static void put_legend(const struct cells *c)
{
	size_t last = c->plot->count - 1;
	char value[32];

	attrset(A_BOLD);
	mvaddnstr(c->top - 1, 0, c->panel->title, COLS - 1);
	for (size_t j = 0; j < c->panel->count; j++) {
		const struct plot_series *s = &c->panel->series[j];
		int at = getcurx(stdscr);

		if (!*s->name || !plot_is_used(c->plot, s))
			continue;
		if (isnan(s->y[last]))
			snprintf(value, sizeof(value), "-");
		else
			plot_value(value, sizeof(value), c->panel->unit,
				   s->y[last]);
		if (at + (int)(strlen(s->name) + strlen(value)) + 5 >= COLS)
			break;
		attrset(ink(c->chart, s->color) | A_BOLD);
		printw("  %s", s->name);
		attrset(A_NORMAL);
		printw(" %s", value);
	}
}

static void draw_panel(struct cells *c)
{
	size_t count = c->plot->count, first = 0;
	double least, most;

	if (count > (size_t)c->width)
		first = count - c->width;
	if (!plot_range(c->plot, c->panel, &least, &most))
		least = most = 1;
	c->bottom_value = c->panel->log ? least / 1.5 : 0;
	c->top_value = most * (c->panel->log ? 1.2 : 1.02);
	put_legend(c);
	put_value(c, 0, c->top_value);
	put_value(c, c->rows - 1, c->bottom_value);
	for (size_t i = first; i < count; i++)
		draw_moment(c, i, (int)(i - first));
}

static void put_head(const struct plot *plot)
{
	attrset(A_BOLD);
	mvaddnstr(0, 0, plot->title, COLS - 1);
	attrset(A_NORMAL);
	mvaddnstr(1, 0, plot->subtitle, COLS - 1);
}

static void put_times(const struct plot *plot)
{
	char from[32], to[32];

	plot_time(from, sizeof(from), plot->x[0]);
	plot_time(to, sizeof(to), plot->x[plot->count - 1]);
	attrset(A_DIM);
	mvprintw(LINES - 1, 0, "%s to %s", from, to);
	for (size_t i = 0; i < plot->mark_count; i++)
		printw(", %s", plot->marks[i].text);
	printw("   (q ends)");
}

void chart_draw(struct chart *chart, const struct plot *plot)
{
	int rows = LINES - HEAD - 1, panels = (int)plot->panel_count;

	erase();
	put_head(plot);
	while (panels > 1 && rows / panels < LEAST_ROWS + 1)
		panels--;
	for (int i = 0; i < panels; i++) {
		int begin = HEAD + i * rows / panels;
		struct cells c = {
			.chart = chart,
			.plot = plot,
			.panel = &plot->panels[i],
			.top = begin + 1,
			.rows = HEAD + (i + 1) * rows / panels - begin - 1,
			.width = (int)chart_width(chart),
		};

		if (c.rows > 0)
			draw_panel(&c);
	}
	put_times(plot);
	refresh();
}

#else

bool chart_is_built(void)
{
	return false;
}

struct chart *chart_begin(void)
{
	return NULL;
}

size_t chart_width(const struct chart *chart)
{
	(void)chart;
	return 0;
}

void chart_draw(struct chart *chart, const struct plot *plot)
{
	(void)chart;
	(void)plot;
}

bool chart_key(struct chart *chart)
{
	(void)chart;
	return true;
}

void chart_end(struct chart *chart)
{
	(void)chart;
}

#endif
