// SPDX-License-Identifier: GPL-2.0-only
/* What an experiment draws over time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lab.h"

/* Without a place to put it, nothing is noted. */
void lab_plot_begin(struct lab *lab, size_t moments, const char *title)
{
	struct plot *plot;

	if (!lab_goes_on(lab) || !lab->plot_path)
		return;
	plot = plot_new(moments);
	if (!plot) {
		lab_fail(lab, ENOMEM, "a plot");
		return;
	}
	snprintf(plot->title, sizeof(plot->title), "mmlens lab run %s: %s",
		 lab->experiment->name, title);
	snprintf(plot->subtitle, sizeof(plot->subtitle), "Linux %s",
		 lab->view->info->release);
	plot->gap = INFINITY;
	lab->plot = plot;
}

struct plot_panel *lab_plot_panel(struct lab *lab, const char *title)
{
	if (!lab->plot)
		return NULL;
	return plot_add_panel(lab->plot, PLOT_BYTES, title);
}

void lab_plot_series(struct lab *lab, struct plot_panel *panel,
		     const char *name, enum plot_form form, uint32_t color)
{
	if (panel && !plot_add_series(lab->plot, panel, name, form, color))
		lab_fail(lab, ENOMEM, "a plot");
}

void lab_plot_note(struct lab *lab, const double *values)
{
	struct plot *plot = lab->plot;
	size_t at = lab->plotted;

	if (!plot || at == plot->count)
		return;
	plot->x[at] = lab_now() - lab->began;
	for (size_t p = 0; p < plot->panel_count; p++)
		for (size_t s = 0; s < plot->panels[p].count; s++)
			plot->panels[p].series[s].y[at] = *values++;
	lab->plotted++;
}

void lab_plot_mark(struct lab *lab, const char *text)
{
	struct plot *plot = lab->plot;

	if (!plot || plot->mark_count == PLOT_MARKS)
		return;
	plot->marks[plot->mark_count].x = lab_now() - lab->began;
	snprintf(plot->marks[plot->mark_count].text,
		 sizeof(plot->marks[0].text), "%s", text);
	plot->mark_count++;
}

static int write_plot(struct lab *lab)
{
	const char *end = strrchr(lab->plot_path, '.');
	FILE *out = fopen(lab->plot_path, "we");
	int ret;

	if (!out)
		return -errno;
	if (end && !strcasecmp(end, ".png"))
		ret = plot_png(lab->plot, out);
	else
		ret = plot_svg(lab->plot, out);
	if (fclose(out) && !ret)
		ret = -errno;
	return ret;
}

void lab_plot_end(struct lab *lab)
{
	int ret = 0;

	if (!lab->plot)
		return;
	/* Moments that didn't come aren't drawn, nor is what is behind the last. */
	lab->plot->count = lab->plotted;
	for (size_t i = 0; lab->plotted && i < lab->plot->mark_count; i++)
		lab->plot->marks[i].x = fmin(lab->plot->marks[i].x,
					     lab->plot->x[lab->plotted - 1]);
	if (lab->plotted)
		ret = write_plot(lab);
	plot_free(lab->plot);
	lab->plot = NULL;
	if (ret)
		lab_fail(lab, ret, "%s", lab->plot_path);
	else if (lab->plotted)
		lab_say(lab, "The plot is in %s.", lab->plot_path);
}
