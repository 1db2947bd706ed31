// SPDX-License-Identifier: GPL-2.0-only
/* What a plot is made of: series, ranges, and numbers with units. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

static double *new_values(size_t count)
{
	double *values = calloc(count + 1, sizeof(*values));

	for (size_t i = 0; values && i < count; i++)
		values[i] = NAN;
	return values;
}

struct plot *plot_new(size_t count)
{
	struct plot *plot = calloc(1, sizeof(*plot));

	if (!plot)
		return NULL;
	plot->count = count;
	plot->gap = INFINITY;
	plot->x = new_values(count);
	if (plot->x)
		return plot;
	free(plot);
	return NULL;
}

struct plot_panel *plot_add_panel(struct plot *plot, enum plot_unit unit,
				  const char *title)
{
	struct plot_panel *panel = &plot->panels[plot->panel_count];

	if (plot->panel_count == PLOT_PANELS)
		return NULL;
	plot->panel_count++;
	panel->unit = unit;
	snprintf(panel->title, sizeof(panel->title), "%s", title);
	return panel;
}

struct plot_series *plot_add_series(const struct plot *plot,
				    struct plot_panel *panel, const char *name,
				    enum plot_form form, uint32_t color)
{
	struct plot_series *series = &panel->series[panel->count];

	if (panel->count == PLOT_SERIES)
		return NULL;
	series->y = new_values(plot->count);
	if (!series->y)
		return NULL;
	panel->count++;
	snprintf(series->name, sizeof(series->name), "%s", name);
	series->form = form;
	series->color = color;
	return series;
}

void plot_free(struct plot *plot)
{
	if (!plot)
		return;
	for (size_t i = 0; i < plot->panel_count; i++)
		for (size_t j = 0; j < plot->panels[i].count; j++)
			free(plot->panels[i].series[j].y);
	free(plot->x);
	free(plot);
}

bool plot_is_used(const struct plot *plot, const struct plot_series *series)
{
	for (size_t i = 0; i < plot->count; i++)
		if (!isnan(series->y[i]) && series->y[i] != 0)
			return true;
	return false;
}

bool plot_is_gap(const struct plot *plot, size_t i)
{
	return i && plot->x[i] - plot->x[i - 1] > plot->gap;
}

double plot_top(const struct plot_panel *panel, size_t series, size_t i)
{
	double top = panel->series[series].y[i];

	if (panel->series[series].form != PLOT_AREA)
		return top;
	for (size_t j = 0; j < series; j++)
		if (panel->series[j].form == PLOT_AREA &&
		    !isnan(panel->series[j].y[i]))
			top += panel->series[j].y[i];
	return top;
}

bool plot_range(const struct plot *plot, const struct plot_panel *panel,
		double *least, double *most)
{
	*least = INFINITY;
	*most = 0;
	for (size_t j = 0; j < panel->count; j++) {
		for (size_t i = 0; i < plot->count; i++) {
			double top = plot_top(panel, j, i);

			if (isnan(top) || top <= 0)
				continue;
			if (top > *most)
				*most = top;
			if (top < *least)
				*least = top;
		}
	}
	return *most > 0;
}

/* ---- numbers ---- */

/* Three digits at most, and no zeros behind the point. */
static void put_scaled(char *room, size_t size, double value,
		       const char *const *units, double base, const char *tail)
{
	int digits;

	for (; fabs(value) >= base * 0.9995 && units[1]; units++)
		value /= base;
	digits = fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0;
	while (digits && fabs(value * pow(10, digits - 1) -
			      round(value * pow(10, digits - 1))) < 0.05)
		digits--;
	snprintf(room, size, "%.*f%s%s", digits, value, *units, tail);
}

void plot_value(char *room, size_t size, enum plot_unit unit, double value)
{
	static const char *const bytes[] = {
		" B", " KiB", " MiB", " GiB", " TiB", " PiB", NULL
	};
	static const char *const counts[] = { "", "k", "M", "G", "T", NULL };

	if (unit == PLOT_BYTES && value == 0)
		snprintf(room, size, "0");
	else if (unit == PLOT_BYTES)
		put_scaled(room, size, value, bytes, 1024, "");
	else
		put_scaled(room, size, value, counts, 1000,
			   value == 0 ? "" : "/s");
}

void plot_time(char *room, size_t size, double seconds)
{
	unsigned long whole = (unsigned long)seconds;

	if (seconds < 60)
		snprintf(room, size, "%.*f s",
			 fabs(seconds - round(seconds)) < 0.001 ? 0 :
			 fabs(seconds * 10 - round(seconds * 10)) < 0.01 ? 1 :
									   2,
			 seconds);
	else if (seconds < 3600)
		snprintf(room, size, "%lu:%02lu", whole / 60, whole % 60);
	else
		snprintf(room, size, "%lu:%02lu:%02lu", whole / 3600,
			 whole / 60 % 60, whole % 60);
}
