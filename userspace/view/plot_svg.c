// SPDX-License-Identifier: GPL-2.0-only
/* A plot as SVG: text, with the reader's own fonts. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "plot.h"
#include "view.h"

/* Names are what others chose; XML has no place for control characters. */
static void put_escaped(FILE *out, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t n = utf8_length(text, left);

		if (!n || (unsigned char)*text < ' ' || *text == 0x7f) {
			putc('?', out);
			n = 1;
		} else if (*text == '<') {
			fputs("&lt;", out);
		} else if (*text == '>') {
			fputs("&gt;", out);
		} else if (*text == '&') {
			fputs("&amp;", out);
		} else {
			fwrite(text, 1, n, out);
		}
		text += n;
		left -= n;
	}
}

static void put_points(FILE *out, const struct plot_point *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%.1f,%.1f", i ? " " : "", points[i].x,
			points[i].y);
}

static void svg_line(void *context, const struct plot_point *points,
		     size_t count, double width, uint32_t color, bool dashed)
{
	FILE *out = context;

	fprintf(out, "<polyline fill=\"none\" stroke=\"#%06x\" stroke-width=\"%.1f\"%s points=\"",
		color, width, dashed ? " stroke-dasharray=\"5 3\"" : "");
	put_points(out, points, count);
	fputs("\"/>\n", out);
}

static void svg_area(void *context, const struct plot_point *high,
		     const double *low, size_t count, uint32_t color)
{
	FILE *out = context;

	fprintf(out, "<polygon fill=\"#%06x\" points=\"", color);
	put_points(out, high, count);
	for (size_t i = count; i-- > 0;)
		fprintf(out, " %.1f,%.1f", high[i].x, low[i]);
	fputs("\"/>\n", out);
}

static void svg_text(void *context, const struct plot_text *t)
{
	static const char *const anchors[] = { "start", "middle", "end" };
	FILE *out = context;

	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"%s\"%s fill=\"#%06x\">",
		t->at.x, t->at.y, t->size, anchors[t->anchor],
		t->bold ? " font-weight=\"bold\"" : "", t->color);
	put_escaped(out, t->text);
	fputs("</text>\n", out);
}

int plot_svg(const struct plot *plot, FILE *out)
{
	const struct plot_canvas canvas = {
		.context = out,
		.line = svg_line,
		.area = svg_area,
		.text = svg_text,
	};
	int ret;

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n<title>",
		PLOT_WIDTH, plot_height(plot), PLOT_WIDTH, plot_height(plot));
	put_escaped(out, plot->title);
	fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
	      out);
	ret = plot_draw(plot, &canvas);
	fputs("</svg>\n", out);
	if (!ret && ferror(out))
		ret = errno ? -errno : -EIO;
	return ret;
}
