// SPDX-License-Identifier: GPL-2.0-only
/* ledger: every page frame in one bucket, by zone. */
#include <errno.h>
#include <inttypes.h>

#include "line.h"
#include "view.h"

/* In the order in which they are shown, and their letters in maps. */
static const struct {
	uint8_t bucket;
	char letter;
	const char *color;
} shown[] = {
	{ MMLENS_BUCKET_BUDDY, '.', "\033[32m" },
	{ MMLENS_LEDGER_KEPT, ',', "\033[32m" },
	{ MMLENS_BUCKET_INACTIVE_ANON, 'a', "\033[36m" },
	{ MMLENS_BUCKET_ACTIVE_ANON, 'A', "\033[36m" },
	{ MMLENS_BUCKET_INACTIVE_FILE, 'f', "\033[34m" },
	{ MMLENS_BUCKET_ACTIVE_FILE, 'F', "\033[34m" },
	{ MMLENS_BUCKET_UNEVICTABLE, 'U', "\033[35m" },
	{ MMLENS_BUCKET_ANON, 'n', "\033[36m" },
	{ MMLENS_BUCKET_MAPPED, 'm', "\033[36m" },
	{ MMLENS_BUCKET_HUGETLB, 'H', "\033[35m" },
	{ MMLENS_BUCKET_HUGETLB_FREE, 'h', "\033[35m" },
	{ MMLENS_BUCKET_SLAB, 'S', "\033[33m" },
	{ MMLENS_BUCKET_TABLE, 'T', "\033[33m" },
	{ MMLENS_BUCKET_ZSMALLOC, 'z', "\033[33m" },
	{ MMLENS_BUCKET_KMALLOC, 'k', "\033[33m" },
	{ MMLENS_BUCKET_KERNEL, 'K', "\033[31m" },
	{ MMLENS_LEDGER_REST, 'r', "\033[31m" },
	{ MMLENS_LEDGER_VMALLOC, 'v', "\033[33m" },
	{ MMLENS_BUCKET_RESERVED, 'R', "\033[31m" },
	{ MMLENS_BUCKET_OFFLINE, 'o', "\033[31m" },
	{ MMLENS_BUCKET_HWPOISON, 'X', "\033[31m" },
	{ MMLENS_BUCKET_UNTOLD, '?', "\033[31m" },
	{ MMLENS_LEDGER_HOLE, ' ', NULL },
};
#define SHOWN (sizeof(shown) / sizeof(shown[0]))

typedef void (*show_zone)(struct view *v, const struct mmlens_zone *zone,
			  const struct mmlens_ledger *ledger, bool free);

static void each_zone(struct view *v, const struct mmlens_zones *zones,
		      const struct mmlens_ledger *ledger,
		      const struct free_filter *filter, bool free,
		      show_zone show)
{
	for (size_t i = 0; i < zones->count; i++)
		for (size_t j = 0; j < zones->nodes[i].zone_count; j++) {
			const struct mmlens_zone *zone =
				&zones->nodes[i].zones[j].zone;

			if (free_filter_zone(filter, zone))
				show(v, zone, ledger, free);
		}
}

/* All but what isn't memory. */
static uint64_t sum_of(const uint64_t pages[MMLENS_LEDGER_BUCKETS])
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < MMLENS_LEDGER_HOLE; i++)
		sum += pages[i];
	return sum;
}

static bool is_of_zone(const struct mmlens_ledger_run *run,
		       const struct mmlens_zone *zone)
{
	return run->node == zone->node && run->zone == zone->index;
}

/* ---- free blocks by order and type ---- */

#define ORDERS 32
#define TYPES (MMLENS_MIGRATE_OTHER + 1)

struct blocks {
	uint64_t pages[ORDERS][TYPES];
};

static void count_blocks(struct blocks *blocks,
			 const struct mmlens_ledger *ledger,
			 const struct mmlens_zone *zone)
{
	*blocks = (struct blocks) {};
	for (size_t i = 0; i < ledger->count; i++) {
		const struct mmlens_ledger_run *run = &ledger->runs[i];

		if (run->bucket == MMLENS_BUCKET_BUDDY &&
		    is_of_zone(run, zone))
			blocks->pages[run->order % ORDERS]
				     [run->migratetype % TYPES] += run->count;
	}
}

static void put_blocks(struct view *v, const struct mmlens_ledger *ledger,
		       const struct mmlens_zone *zone)
{
	struct blocks blocks;

	count_blocks(&blocks, ledger, zone);
	for (unsigned int order = 0; order < ORDERS; order++)
		for (unsigned int type = 0; type < TYPES; type++)
			if (blocks.pages[order][type])
				fprintf(v->out, "   order %2u %-12s %9" PRIu64
					"\n", order,
					mmlens_migratetype_label(type),
					blocks.pages[order][type]);
}

/* ---- text ---- */

static void put_bucket(struct view *v, unsigned int bucket, uint64_t pages,
		       uint64_t of)
{
	char room[TEXT_HUMAN];

	fprintf(v->out, " %-14s %11" PRIu64 " %7s %5.1f%% %s\n",
		mmlens_bucket_name(bucket), pages,
		text_human(room, pages << v->info->page_shift),
		of ? 100. * (double)pages / (double)of : 0,
		mmlens_bucket_help(bucket));
}

/* What fits no bucket is never hidden. */
static void put_untold(struct view *v, const struct mmlens_ledger *ledger,
		       const struct mmlens_zone *zone)
{
	for (size_t i = 0; i < ledger->count; i++) {
		const struct mmlens_ledger_run *run = &ledger->runs[i];

		if (!run->bucket && is_of_zone(run, zone))
			fprintf(v->out, "   untold: PFN 0x%" PRIx64 "-0x%" PRIx64
				"\n", run->pfn, run->pfn + run->count - 1);
	}
}

static void put_zone(struct view *v, const struct mmlens_zone *zone,
		     const struct mmlens_ledger *ledger, bool free)
{
	uint64_t pages[MMLENS_LEDGER_BUCKETS];

	mmlens_ledger_sum(ledger, zone->node, zone->index, pages);
	fprintf(v->out, "node %" PRIu32 ", zone %s: %" PRIu64
		" pages present, %" PRIu64 " in buckets\n", zone->node,
		zone->name, (uint64_t)zone->present, sum_of(pages));
	view_heading(v, " BUCKET               PAGES    SIZE  SHARE WHAT");
	for (size_t i = 0; i < SHOWN; i++) {
		const unsigned int bucket = shown[i].bucket;

		if (!pages[bucket])
			continue;
		put_bucket(v, bucket, pages[bucket], zone->present);
		if (free && bucket == MMLENS_BUCKET_BUDDY)
			put_blocks(v, ledger, zone);
	}
	put_untold(v, ledger, zone);
}

void ledger_text(struct view *v, const struct mmlens_zones *zones,
		 const struct mmlens_ledger *ledger,
		 const struct free_filter *filter, bool free)
{
	each_zone(v, zones, ledger, filter, free, put_zone);
	view_hold(v, &ledger->stats);
}

/* ---- a map ---- */

/* What most pages of a piece are. */
static struct memory_cell cell_of(const struct memory_map *map,
				  const uint64_t *pages)
{
	int most = memory_map_most(map, pages);

	if (most < 0)
		return (struct memory_cell) { ' ', NULL };
	return (struct memory_cell) { shown[most].letter, shown[most].color };
}

static unsigned int place_of(unsigned int bucket)
{
	unsigned int i;

	for (i = 0; i < SHOWN - 1; i++)
		if (shown[i].bucket == bucket)
			break;
	return i;
}

static void put_map(struct view *v, const struct mmlens_zone *zone,
		    const struct mmlens_ledger *ledger, bool free)
{
	struct memory_map map;

	(void)free;
	if (!memory_map_make(&map, zone, SHOWN)) {
		v->error = ENOMEM;
		return;
	}
	for (size_t i = 0; i < ledger->count; i++) {
		const struct mmlens_ledger_run *run = &ledger->runs[i];

		if (is_of_zone(run, zone))
			memory_map_add(&map, run->pfn, run->count,
				       place_of(run->bucket));
	}
	memory_map_put(v, &map, cell_of);
	memory_map_free(&map);
}

void ledger_map_text(struct view *v, const struct mmlens_zones *zones,
		     const struct mmlens_ledger *ledger,
		     const struct free_filter *filter)
{
	each_zone(v, zones, ledger, filter, false, put_map);
	view_hold(v, &ledger->stats);
}

void ledger_map_legend(FILE *out)
{
	fputs("\nBuckets, and the letter for what most of a piece of the map is:\n",
	      out);
	for (size_t i = 0; i < SHOWN; i++)
		fprintf(out, "  %c %-14s %s\n", shown[i].letter,
			mmlens_bucket_name(shown[i].bucket),
			mmlens_bucket_help(shown[i].bucket));
}

/* ---- JSON ---- */

static struct json_object *
buckets_object(const uint64_t pages[MMLENS_LEDGER_BUCKETS])
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < SHOWN; i++)
		json_add_number(o, mmlens_bucket_name(shown[i].bucket),
				pages[shown[i].bucket]);
	return o;
}

static struct json_object *blocks_object(const struct mmlens_ledger *ledger,
					 const struct mmlens_zone *zone)
{
	struct json_object *list = json_object_new_array();
	struct blocks blocks;

	count_blocks(&blocks, ledger, zone);
	for (unsigned int order = 0; order < ORDERS; order++)
		for (unsigned int type = 0; type < TYPES; type++) {
			struct json_object *o;

			if (!blocks.pages[order][type])
				continue;
			o = json_object_new_object();
			json_add_number(o, "order", order);
			json_add_string(o, "migratetype",
					mmlens_migratetype_label(type));
			json_add_number(o, "pages", blocks.pages[order][type]);
			json_object_array_add(list, o);
		}
	return list;
}

static struct json_object *untold_object(const struct mmlens_ledger *ledger,
					 const struct mmlens_zone *zone)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < ledger->count; i++) {
		const struct mmlens_ledger_run *run = &ledger->runs[i];
		struct json_object *o;

		if (run->bucket || !is_of_zone(run, zone))
			continue;
		o = json_object_new_object();
		json_add_number(o, "pfn", run->pfn);
		json_add_number(o, "pages", run->count);
		json_object_array_add(list, o);
	}
	return list;
}

static void put_zone_object(struct view *v, const struct mmlens_zone *zone,
			    const struct mmlens_ledger *ledger, bool free)
{
	struct json_object *o = json_object_new_object();
	uint64_t pages[MMLENS_LEDGER_BUCKETS];

	(void)free;
	mmlens_ledger_sum(ledger, zone->node, zone->index, pages);
	json_add_number(o, "node", zone->node);
	json_add_string(o, "zone", zone->name);
	json_add_number(o, "present", zone->present);
	json_add_number(o, "sum", sum_of(pages));
	json_object_object_add(o, "buckets", buckets_object(pages));
	json_object_object_add(o, "free", blocks_object(ledger, zone));
	json_object_object_add(o, "untold", untold_object(ledger, zone));
	json_put(v, NULL, o);
}

void ledger_json(struct view *v, const struct mmlens_zones *zones,
		 const struct mmlens_ledger *ledger,
		 const struct free_filter *filter)
{
	json_document(v);
	json_begin(v, "zones", '[');
	each_zone(v, zones, ledger, filter, false, put_zone_object);
	json_end(v);
	json_walk(v, "runs", ledger->count, &ledger->stats);
	json_end(v);
}
