// SPDX-License-Identifier: GPL-2.0-only
/* What a watch has seen, as a plot: which panels, which series, which colours. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "timeline.h"

/* More processes than that share their panels. */
#define MOST_ALONE	3

struct building {
	const struct watch *w;
	const struct mmlens_info *info;
	struct plot *plot;
	struct mmlens_sample *const *samples;
	bool failed;
};

typedef double (*value_t)(const struct building *b, size_t i,
			  const void *what, size_t which);

/* A series whose values @value knows. */
static void add(struct building *b, struct plot_panel *panel, const char *name,
		enum plot_form form, uint32_t color, value_t value,
		const void *what, size_t which)
{
	struct plot_series *s;

	if (!panel)
		return;
	s = plot_add_series(b->plot, panel, name, form, color);
	if (!s) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < b->plot->count; i++)
		s->y[i] = value(b, i, what, which);
}

/* ---- values ---- */

static const struct watch_field *field(const char *name)
{
	const struct watch_field *f = watch_fields;

	while (f->name && strcmp(f->name, name))
		f++;
	return f;
}

static double field_value(const struct building *b, size_t i, const void *what,
			  size_t which)
{
	const struct mmlens_sample_process *p = &b->samples[i]->processes[which];
	const struct watch_field *f = what;

	return watch_known(f, p) ? (double)watch_value(f, p) : NAN;
}

static double field_rate(const struct building *b, size_t i, const void *what,
			 size_t which)
{
	double before, now, seconds;

	if (!i)
		return NAN;
	before = field_value(b, i - 1, what, which);
	now = field_value(b, i, what, which);
	seconds = b->plot->x[i] - b->plot->x[i - 1];
	return seconds > 0 ? (now - before) / seconds : NAN;
}

/* Pages of a process in one place, in bytes. */
static double place_value(const struct building *b, size_t i, const void *what,
			  size_t which)
{
	const struct mmlens_sample_process *p = &b->samples[i]->processes[which];
	const unsigned int *place = what;

	return p->known & MMLENS_SAMPLE_LRU ?
		(double)(p->lru[*place] << b->info->page_shift) : NAN;
}

static const struct mmlens_sample_zone *
zone_at(const struct building *b, size_t i, const struct mmlens_sample_zone *as)
{
	const struct mmlens_sample *s = b->samples[i];

	for (size_t j = 0; j < s->zone_count; j++)
		if (s->zones[j].node == as->node &&
		    !strcmp(s->zones[j].name, as->name))
			return &s->zones[j];
	return NULL;
}

/* @which is the offset of a member. */
static double zone_value(const struct building *b, size_t i, const void *what,
			 size_t which)
{
	const struct mmlens_sample_zone *z = zone_at(b, i, what);

	if (!z)
		return NAN;
	return (double)(*(const uint64_t *)((const char *)z + which)
			<< b->info->page_shift);
}

/* Orders together, of all zones. */
struct orders {
	const char *name;
	size_t from, to;
	uint32_t color;
};

static double order_value(const struct building *b, size_t i, const void *what,
			  size_t which)
{
	const struct mmlens_sample *s = b->samples[i];
	const struct orders *o = what;
	double bytes = 0;

	(void)which;
	for (size_t j = 0; j < s->zone_count; j++)
		for (size_t k = o->from; k <= o->to && k < s->zones[j].orders;
		     k++)
			bytes += (double)(s->zones[j].blocks[k]
					  << (k + b->info->page_shift));
	return bytes;
}

/* ---- panels ---- */

static void title_of(const struct building *b, size_t process, char *room,
		     size_t size, const char *what)
{
	const struct mmlens_sample_process *p = &b->w->last[process];

	if (b->w->count == 1)
		snprintf(room, size, "%s", what);
	else
		snprintf(room, size, "PID %d %.16s: %s", p->pid, p->name, what);
}

static void add_memory(struct building *b, size_t process)
{
	static const struct {
		const char *name, *field;
		enum plot_form form;
		uint32_t color;
	} all[] = {
		{ "anon", "rss_anon", PLOT_AREA, PLOT_BLUE },
		{ "file", "rss_file", PLOT_AREA, PLOT_GREEN },
		{ "shmem", "rss_shmem", PLOT_AREA, PLOT_SKY },
		{ "hugetlb", "hugetlb", PLOT_AREA, PLOT_PURPLE },
		{ "swap", "swap", PLOT_AREA, PLOT_RED },
		{ "referenced", "referenced", PLOT_LINE, PLOT_ORANGE },
		{ "dirty", "dirty", PLOT_DASHED, PLOT_BLACK },
	};
	struct plot_panel *panel;
	char title[96];

	title_of(b, process, title, sizeof(title), "memory");
	panel = plot_add_panel(b->plot, PLOT_BYTES, title);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add(b, panel, all[i].name, all[i].form, all[i].color,
		    field_value, field(all[i].field), process);
}

static void add_working_set(struct building *b, size_t process)
{
	struct plot_panel *panel;
	char title[96];

	title_of(b, process, title, sizeof(title),
		 b->w->reset ? "working set: referenced within an interval" :
			       "referenced since the kernel cleared the bits");
	panel = plot_add_panel(b->plot, PLOT_BYTES, title);
	add(b, panel, "referenced", PLOT_AREA, PLOT_ORANGE, field_value,
	    field("referenced"), process);
	add(b, panel, "resident", PLOT_LINE, PLOT_BLUE, field_value,
	    field("rss"), process);
}

static const uint32_t process_colors[] = {
	PLOT_BLUE, PLOT_ORANGE, PLOT_GREEN, PLOT_RED, PLOT_SKY, PLOT_PURPLE,
	PLOT_BLACK, PLOT_GREY,
};
#define COLORS (sizeof(process_colors) / sizeof(process_colors[0]))

/* One field of many processes: those behind the last colour aren't shown. */
static void add_each(struct building *b, enum plot_unit unit, const char *title,
		     const char *name, value_t value)
{
	struct plot_panel *panel;
	char label[80];

	snprintf(label, sizeof(label), "%s%s", title,
		 b->w->count > COLORS ? " (of the first 8)" : "");
	panel = plot_add_panel(b->plot, unit, label);
	for (size_t i = 0; i < b->w->count && i < COLORS; i++) {
		snprintf(label, sizeof(label), "%d %.20s", b->w->last[i].pid,
			 b->w->last[i].name);
		add(b, panel, label, PLOT_LINE, process_colors[i], value,
		    field(name), i);
	}
}

static void add_faults(struct building *b)
{
	struct plot_panel *panel;

	if (b->w->count > 1) {
		add_each(b, PLOT_PER_SECOND, "minor page faults",
			 "minor_faults", field_rate);
		add_each(b, PLOT_PER_SECOND, "major page faults",
			 "major_faults", field_rate);
		return;
	}
	panel = plot_add_panel(b->plot, PLOT_PER_SECOND, "page faults");
	add(b, panel, "minor", PLOT_LINE, PLOT_SKY, field_rate,
	    field("minor_faults"), 0);
	add(b, panel, "major", PLOT_LINE, PLOT_RED, field_rate,
	    field("major_faults"), 0);
}

/* Older ones are paler; those that reclaim takes first. */
static void add_lru(struct building *b)
{
	static const struct {
		unsigned int place;
		uint32_t color;
	} all[] = {
		{ MMLENS_PLACE_LIST + MMLENS_LRU_ACTIVE_ANON, PLOT_BLUE },
		{ MMLENS_PLACE_LIST + MMLENS_LRU_INACTIVE_ANON, PLOT_SKY },
		{ MMLENS_PLACE_ANON_GEN, 0x005a8du },
		{ MMLENS_PLACE_ANON_GEN + 1, 0x2e86bfu },
		{ MMLENS_PLACE_ANON_GEN + 2, 0x7fb6dbu },
		{ MMLENS_PLACE_ANON_GEN + 3, 0xc6dff0u },
		{ MMLENS_PLACE_LIST + MMLENS_LRU_ACTIVE_FILE, PLOT_GREEN },
		{ MMLENS_PLACE_LIST + MMLENS_LRU_INACTIVE_FILE, 0x9bd9c4u },
		{ MMLENS_PLACE_FILE_GEN, 0x8a3b00u },
		{ MMLENS_PLACE_FILE_GEN + 1, 0xd55e00u },
		{ MMLENS_PLACE_FILE_GEN + 2, 0xf0a860u },
		{ MMLENS_PLACE_FILE_GEN + 3, 0xfbe0c3u },
		{ MMLENS_PLACE_LIST + MMLENS_LRU_UNEVICTABLE, PLOT_PURPLE },
		{ MMLENS_PLACE_NONE, PLOT_GREY },
	};
	struct plot_panel *panel = plot_add_panel(b->plot, PLOT_BYTES,
						  "its pages on LRU lists");

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add(b, panel, all[i].place == MMLENS_PLACE_NONE ? "on none" :
		    mmlens_lru_place_name(all[i].place), PLOT_AREA,
		    all[i].color, place_value, &all[i].place, 0);
}

static void add_zones(struct building *b)
{
	static const size_t marks[] = {
		offsetof(struct mmlens_sample_zone, min),
		offsetof(struct mmlens_sample_zone, low),
		offsetof(struct mmlens_sample_zone, high),
	};
	/* The last: watermarks don't come and go within a watch. */
	const struct mmlens_sample *s = b->samples[b->plot->count - 1];
	struct plot_panel *panel = plot_add_panel(b->plot, PLOT_BYTES,
				"free in zones, and min, low and high watermark");
	char name[40];

	if (panel)
		panel->log = true;
	for (size_t i = 0; i < s->zone_count && i < 5; i++) {
		const struct mmlens_sample_zone *z = &s->zones[i];

		snprintf(name, sizeof(name), "node %" PRIu32 " %s", z->node,
			 z->name);
		add(b, panel, name, PLOT_LINE, process_colors[i], zone_value,
		    z, offsetof(struct mmlens_sample_zone, free));
		for (size_t j = 0; j < 3; j++)
			add(b, panel, "", PLOT_DASHED, process_colors[i],
			    zone_value, z, marks[j]);
	}
}

static void add_orders(struct building *b)
{
	static const struct orders all[] = {
		{ "order 0", 0, 0, 0x440154 },
		{ "1-3", 1, 3, 0x3b528b },
		{ "4-6", 4, 6, 0x21918c },
		{ "7-8", 7, 8, 0x5ec962 },
		{ "9 and more", 9, MMLENS_SAMPLE_ORDERS, 0xfde725 },
	};
	struct plot_panel *panel = plot_add_panel(b->plot, PLOT_BYTES,
						  "free memory by order");

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		add(b, panel, all[i].name, PLOT_AREA, all[i].color,
		    order_value, &all[i], 0);
}

/* ---- marks, titles ---- */

static void add_exits(struct building *b)
{
	struct plot *plot = b->plot;

	for (size_t p = 0; p < b->w->count; p++) {
		for (size_t i = 1; i < plot->count; i++) {
			struct plot_mark *m = &plot->marks[plot->mark_count];

			if (!b->samples[i]->processes[p].exited ||
			    b->samples[i - 1]->processes[p].exited ||
			    plot->mark_count == PLOT_MARKS)
				continue;
			m->x = plot->x[i];
			snprintf(m->text, sizeof(m->text), "PID %d exited",
				 b->w->last[p].pid);
			plot->mark_count++;
		}
	}
}

/* "12.3 us", "65 ms" */
static const char *duration(char room[32], double ns)
{
	if (ns < 1e6)
		snprintf(room, 32, "%.1f us", ns * 1e-3);
	else
		snprintf(room, 32, "%.1f ms", ns * 1e-6);
	return room;
}

static void set_titles(struct building *b)
{
	const struct watch_cost *c = &b->w->cost;
	const struct mmlens_info *info = b->info;
	const struct watch *w = b->w;
	time_t start = b->samples[0]->time_ns / 1000000000;
	char arch[TEXT_ARCH], when[64], each[32], hold[32];
	struct plot *plot = b->plot;
	struct tm tm;

	if (w->count == 1)
		snprintf(plot->title, sizeof(plot->title), "%s (PID %d)",
			 w->last[0].name, w->last[0].pid);
	else
		snprintf(plot->title, sizeof(plot->title),
			 "%zu processes: %.40s (PID %d), %.40s (PID %d)%s", w->count,
			 w->last[0].name, w->last[0].pid, w->last[1].name,
			 w->last[1].pid, w->count > 2 ? ", ..." : "");
	localtime_r(&start, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(plot->subtitle, sizeof(plot->subtitle),
		 "Linux %s %s, %s, %" PRIu64 " samples every %g s; %s each, %.2f%% of the time, longest lock hold %s",
		 info->release, text_arch(arch, info), when, c->samples,
		 w->interval, duration(each, (double)c->ns / c->samples),
		 100 * watch_share(w), duration(hold, c->max_hold_ns));
}

static void add_panels(struct building *b)
{
	const struct watch *w = b->w;

	for (size_t i = 0; i < w->count && w->count <= MOST_ALONE; i++)
		(w->accessed ? add_working_set : add_memory)(b, i);
	if (w->count > MOST_ALONE) {
		add_each(b, PLOT_BYTES, "resident (VmRSS)", "vm_rss",
			 field_value);
		add_each(b, PLOT_BYTES, "swapped out", "swap", field_value);
		if (w->flags & MMLENS_SAMPLE_SUMS)
			add_each(b, PLOT_BYTES, "referenced", "referenced",
				 field_value);
	}
	add_faults(b);
	if (w->flags & MMLENS_SAMPLE_LRU && w->count == 1)
		add_lru(b);
	if (w->flags & MMLENS_SAMPLE_ZONES) {
		add_zones(b);
		add_orders(b);
	}
}

struct plot *watch_plot(const struct watch *w, const struct mmlens_info *info,
			size_t first)
{
	struct building b = {
		.w = w,
		.info = info,
		.samples = w->history + first,
		.plot = plot_new(w->kept - first),
	};

	if (!b.plot)
		return NULL;
	for (size_t i = 0; i < b.plot->count; i++)
		b.plot->x[i] = watch_seconds(w, b.samples[i]);
	b.plot->gap = 2.5 * w->interval * w->stride;
	set_titles(&b);
	add_panels(&b);
	add_exits(&b);
	if (!b.failed)
		return b.plot;
	plot_free(b.plot);
	return NULL;
}
