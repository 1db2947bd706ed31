// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plot as PNG: a rasteriser for lines, areas and text made of strokes, all of it
 * smoothed by how much of a pixel is covered, and libpng for the file.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

#ifdef MMLENS_HAVE_PNG
#include <png.h>

/**
 * struct raster - A picture in the making.
 * @width:	pixels
 * @height:	pixels
 * @rgb:	the picture
 * @mask:	how much of each pixel what is being drawn covers, 0 to 255: where
 *		it crosses itself it is no darker
 */
struct raster {
	int width;
	int height;
	uint8_t *rgb;
	uint8_t *mask;
};

/* Pixels of the mask that may be set. */
struct extent {
	int left, top, right, bottom;
};

static const struct extent nothing = { 1 << 20, 1 << 20, -1, -1 };

static int clamp(int value, int most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

static void cover(struct raster *r, struct extent *e, int x, int y,
		  double share)
{
	uint8_t *at = &r->mask[y * r->width + x];
	uint8_t value = share >= 1 ? 255 : (uint8_t)lround(share * 255);

	if (share <= 0 || value <= *at)
		return;
	*at = value;
	e->left = x < e->left ? x : e->left;
	e->right = x > e->right ? x : e->right;
	e->top = y < e->top ? y : e->top;
	e->bottom = y > e->bottom ? y : e->bottom;
}

/* What is covered gets the colour, and the mask is empty again. */
static void paint(struct raster *r, const struct extent *e, uint32_t color)
{
	const int ink[3] = { color >> 16 & 255, color >> 8 & 255, color & 255 };

	for (int y = e->top; y <= e->bottom; y++) {
		for (int x = e->left; x <= e->right; x++) {
			uint8_t *mask = &r->mask[y * r->width + x];
			uint8_t *rgb = &r->rgb[(y * r->width + x) * 3];

			for (int i = 0; i < 3 && *mask; i++)
				rgb[i] += (ink[i] - rgb[i]) * *mask / 255;
			*mask = 0;
		}
	}
}

/* ---- lines ---- */

static double distance(double x, double y, struct plot_point a,
		       struct plot_point b)
{
	double dx = b.x - a.x, dy = b.y - a.y;
	double length = dx * dx + dy * dy, along = 0;

	if (length > 0)
		along = ((x - a.x) * dx + (y - a.y) * dy) / length;
	along = along < 0 ? 0 : along > 1 ? 1 : along;
	return hypot(x - a.x - along * dx, y - a.y - along * dy);
}

static void stroke(struct raster *r, struct extent *e, struct plot_point a,
		   struct plot_point b, double width)
{
	double reach = width / 2 + 1;
	int left = clamp((int)floor(fmin(a.x, b.x) - reach), r->width - 1);
	int right = clamp((int)ceil(fmax(a.x, b.x) + reach), r->width - 1);
	int top = clamp((int)floor(fmin(a.y, b.y) - reach), r->height - 1);
	int bottom = clamp((int)ceil(fmax(a.y, b.y) + reach), r->height - 1);

	for (int y = top; y <= bottom; y++)
		for (int x = left; x <= right; x++)
			cover(r, e, x, y, width / 2 + 0.5 -
			      distance(x + 0.5, y + 0.5, a, b));
}

static struct plot_point between(struct plot_point a, struct plot_point b,
				 double share)
{
	return (struct plot_point) { a.x + (b.x - a.x) * share,
				     a.y + (b.y - a.y) * share };
}

#define DASH 5.0
#define DASH_AND_SPACE 8.0

/* @phase is how far the line has come; it goes on with the next piece. */
static void stroke_dashed(struct raster *r, struct extent *e,
			  struct plot_point a, struct plot_point b,
			  double width, double *phase)
{
	double length = hypot(b.x - a.x, b.y - a.y), at = 0;

	while (at < length) {
		double in = fmod(*phase, DASH_AND_SPACE);
		double to = (in < DASH ? DASH : DASH_AND_SPACE) - in + 1e-6;

		if (at + to > length)
			to = length - at;
		if (in < DASH)
			stroke(r, e, between(a, b, at / length),
			       between(a, b, (at + to) / length), width);
		at += to;
		*phase += to;
	}
}

/* Straight lines along the axes stay sharp in the middle of pixels. */
static struct plot_point snapped(struct plot_point p, bool x, bool y)
{
	return (struct plot_point) { x ? floor(p.x) + 0.5 : p.x,
				     y ? floor(p.y) + 0.5 : p.y };
}

static void png_line(void *context, const struct plot_point *points,
		     size_t count, double width, uint32_t color, bool dashed)
{
	struct raster *r = context;
	struct extent e = nothing;
	double phase = 0;

	for (size_t i = 1; i < count; i++) {
		struct plot_point a = points[i - 1], b = points[i];
		bool straight = count == 2 && width == 1;

		if (straight) {
			bool x = a.x == b.x, y = a.y == b.y;

			a = snapped(a, x, y);
			b = snapped(b, x, y);
		}
		if (dashed)
			stroke_dashed(r, &e, a, b, width, &phase);
		else
			stroke(r, &e, a, b, width);
	}
	paint(r, &e, color);
}

/* ---- areas ---- */

/* A column of pixels, filled from @high down to @low. */
static void fill_column(struct raster *r, struct extent *e, int x, double high,
			double low, double share)
{
	int top = clamp((int)floor(high), r->height - 1);
	int bottom = clamp((int)ceil(low), r->height - 1);

	for (int y = top; y <= bottom; y++)
		cover(r, e, x, y, share * (fmin(low, y + 1) - fmax(high, y)));
}

static void png_area(void *context, const struct plot_point *high,
		     const double *low, size_t count, uint32_t color)
{
	struct raster *r = context;
	struct extent e = nothing;
	double end = high[count - 1].x;
	int left = clamp((int)floor(high[0].x), r->width - 1);
	int right = clamp((int)ceil(end) - 1, r->width - 1);
	size_t i = 1;

	for (int x = left; x <= right; x++) {
		double from = fmax(high[0].x, x), to = fmin(end, x + 1);
		double middle = (from + to) / 2, share;

		while (i < count - 1 && high[i].x < middle)
			i++;
		share = high[i].x > high[i - 1].x ?
			(middle - high[i - 1].x) / (high[i].x - high[i - 1].x) :
			1;
		fill_column(r, &e, x,
			    high[i - 1].y + (high[i].y - high[i - 1].y) * share,
			    low[i - 1] + (low[i] - low[i - 1]) * share,
			    to - from);
	}
	paint(r, &e, color);
}

/* ---- text ---- */

/* Of the grid that glyphs are in, as shares of the size. */
#define GRID_X	0.102
#define GRID_Y	0.12

static void draw_glyph(struct raster *r, struct extent *e, unsigned char c,
		       struct plot_point at, double size, double width)
{
	struct plot_point before = {};
	bool begun = false;

	for (const char *s = plot_glyph(c); *s; s++) {
		struct plot_point p;

		if (*s == ' ') {
			begun = false;
			continue;
		}
		p.x = at.x + (s[0] - '0') * GRID_X * size;
		p.y = at.y + (s[1] - '0' - 6) * GRID_Y * size;
		s++;
		if (begun)
			stroke(r, e, before, p, width);
		before = p;
		begun = true;
	}
}

/* What isn't ASCII is one box a character. */
static size_t count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void draw_text(void *context, const struct plot_text *t)
{
	double width = t->size * (t->bold ? 0.15 : 0.1);
	double length = count_characters(t->text) * PLOT_ADVANCE * t->size;
	struct plot_point at = t->at;
	struct raster *r = context;
	struct extent e = nothing;

	if (t->anchor != PLOT_START)
		at.x -= t->anchor == PLOT_END ? length : length / 2;
	at.y = round(at.y);
	for (const char *c = t->text; *c; c++) {
		if ((*c & 0xc0) == 0x80)
			continue;
		draw_glyph(r, &e, *c, at, t->size, width);
		at.x += PLOT_ADVANCE * t->size;
	}
	paint(r, &e, t->color);
}

/* ---- the file ---- */

static void set_text(png_structp png, png_infop info, const char *title)
{
	png_text text[2] = {
		{ .compression = PNG_TEXT_COMPRESSION_NONE,
		  .key = (char *)"Title", .text = (char *)title },
		{ .compression = PNG_TEXT_COMPRESSION_NONE,
		  .key = (char *)"Software",
		  .text = (char *)"mmlens " MMLENS_VERSION },
	};

	png_set_text(png, info, text, 2);
}

static int write_png(const struct raster *r, const char *title, FILE *out)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_write_struct(&png, NULL);
		return -ENOMEM;
	}
	errno = 0;
	if (setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return errno ? -errno : -EIO;
	}
	png_init_io(png, out);
	png_set_IHDR(png, info, r->width, r->height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	/* Areas of one colour are shortest as they are. */
	png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
	set_text(png, info, title);
	png_write_info(png, info);
	for (int y = 0; y < r->height; y++)
		png_write_row(png, &r->rgb[y * r->width * 3]);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return 0;
}

int plot_png(const struct plot *plot, FILE *out)
{
	struct raster r = {
		.width = PLOT_WIDTH,
		.height = (int)plot_height(plot),
	};
	const struct plot_canvas canvas = {
		.context = &r,
		.line = png_line,
		.area = png_area,
		.text = draw_text,
	};
	size_t pixels = (size_t)r.width * r.height;
	int ret = -ENOMEM;

	r.rgb = malloc(pixels * 3);
	r.mask = calloc(pixels, 1);
	if (r.rgb && r.mask) {
		memset(r.rgb, 255, pixels * 3);
		ret = plot_draw(plot, &canvas);
	}
	if (!ret)
		ret = write_png(&r, plot->title, out);
	free(r.rgb);
	free(r.mask);
	return ret;
}

bool plot_has_png(void)
{
	return true;
}

#else

int plot_png(const struct plot *plot, FILE *out)
{
	(void)plot;
	(void)out;
	return -EOPNOTSUPP;
}

bool plot_has_png(void)
{
	return false;
}

#endif
