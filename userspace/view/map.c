// SPDX-License-Identifier: GPL-2.0-only
/* Maps of a zone: a character for each piece of its memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "view.h"

#define MAP_WIDTH 64
#define MAP_ROWS 32

bool memory_map_make(struct memory_map *map, const struct mmlens_zone *zone,
		     unsigned int kinds)
{
	uint64_t end = zone->start_pfn + zone->spanned;

	*map = (struct memory_map) { .zone = zone, .kinds = kinds };
	for (;; map->order++) {
		map->start = zone->start_pfn >> map->order << map->order;
		map->count = (end - map->start + (1ull << map->order) - 1) >>
			     map->order;
		if (map->count <= MAP_WIDTH * MAP_ROWS)
			break;
	}
	map->pages = calloc(map->count * kinds + 1, sizeof(*map->pages));
	return map->pages;
}

void memory_map_free(struct memory_map *map)
{
	free(map->pages);
}

void memory_map_add(struct memory_map *map, uint64_t pfn, uint64_t count,
		    unsigned int kind)
{
	const uint64_t size = 1ull << map->order;
	const uint64_t last = map->start + ((uint64_t)map->count << map->order);
	uint64_t end = pfn + count < last ? pfn + count : last;

	if (pfn < map->start)
		pfn = map->start;
	while (pfn < end) {
		size_t cell = (pfn - map->start) >> map->order;
		uint64_t next = (pfn | (size - 1)) + 1;
		uint64_t pages = (next < end ? next : end) - pfn;

		map->pages[cell * map->kinds + kind] += pages;
		pfn += pages;
	}
}

int memory_map_most(const struct memory_map *map, const uint64_t *cell)
{
	int most = -1;

	for (unsigned int kind = 0; kind < map->kinds; kind++)
		if (cell[kind] && (most < 0 || cell[kind] > cell[most]))
			most = (int)kind;
	return most;
}

static void put_cell(struct view *v, const struct memory_cell *cell,
		     const char **color)
{
	const char *now = cell->color ? cell->color : "\033[0m";

	if (v->color && now != *color)
		fputs(now, v->out);
	*color = now;
	putc(cell->letter, v->out);
}

void memory_map_put(struct view *v, const struct memory_map *map,
		    memory_cell_of of)
{
	char room[TEXT_HUMAN];
	const char *color = NULL;

	fprintf(v->out, "node %" PRIu32 ", zone %s: %s a character\n",
		map->zone->node, map->zone->name,
		text_human(room, 1ull << (map->order + v->info->page_shift)));
	for (size_t i = 0; i < map->count; i++) {
		const struct memory_cell cell =
			of(map, map->pages + i * map->kinds);

		if (i % MAP_WIDTH == 0) {
			fprintf(v->out, "0x%09" PRIx64 " [",
				map->start + ((uint64_t)i << map->order));
			color = NULL;
		}
		put_cell(v, &cell, &color);
		if (i % MAP_WIDTH == MAP_WIDTH - 1 || i == map->count - 1)
			fputs(v->color ? "\033[0m]\n" : "]\n", v->out);
	}
	view_check(v);
}

/* ---- what is free, and what page blocks are for ---- */

enum { PRESENT, FREE, KINDS };

static void add_present(struct memory_map *map,
			const struct free_memory *memory, bool by_type)
{
	for (size_t i = 0; i < memory->blocks->count; i++) {
		const struct mmlens_pageblocks *run = &memory->blocks->runs[i];

		if (run->node == map->zone->node &&
		    run->zone == map->zone->index)
			memory_map_add(map, run->pfn, (uint64_t)run->count <<
				       run->order, by_type ?
				       run->migratetype % map->kinds : PRESENT);
	}
}

static void add_free(struct memory_map *map, const struct free_memory *memory,
		     const struct free_filter *filter)
{
	for (size_t i = 0; i < memory->lists->count; i++) {
		const struct mmlens_free_list *list = &memory->lists->lists[i];

		if (list->node != map->zone->node ||
		    list->zone != map->zone->index ||
		    !free_filter_list(filter, list))
			continue;
		for (size_t j = 0; j < list->count; j++)
			memory_map_add(map, list->pfn[j], 1ull << list->order,
				       FREE);
	}
}

/*
 * ' ' no memory, '.' nothing free, '1' to '9' tenths, '#' all; from red over
 * yellow to green.
 */
static struct memory_cell free_cell(const struct memory_map *map,
				    const uint64_t *pages)
{
	static const char *const colors[] = {
		"\033[31m", "\033[33m", "\033[93m", "\033[92m", "\033[32m",
	};
	uint64_t tenths;

	(void)map;
	if (!pages[PRESENT])
		return (struct memory_cell) { ' ', NULL };
	if (!pages[FREE])
		return (struct memory_cell) { '.', colors[0] };
	if (pages[FREE] >= pages[PRESENT])
		return (struct memory_cell) { '#', colors[4] };
	tenths = pages[FREE] * 10 / pages[PRESENT];
	return (struct memory_cell) {
		tenths ? (char)('0' + tenths) : '1', colors[tenths * 4 / 10],
	};
}

/* The first letter of its type, in lower case; '*' several. */
static struct memory_cell type_cell(const struct memory_map *map,
				    const uint64_t *pages)
{
	static const char *const colors[] = {
		[MMLENS_MIGRATE_UNMOVABLE] = "\033[31m",
		[MMLENS_MIGRATE_MOVABLE] = "\033[32m",
		[MMLENS_MIGRATE_RECLAIMABLE] = "\033[33m",
	};
	int most = memory_map_most(map, pages);

	if (most < 0)
		return (struct memory_cell) { ' ', NULL };
	for (unsigned int kind = 0; kind < map->kinds; kind++)
		if (pages[kind] && kind != (unsigned int)most)
			return (struct memory_cell) { '*', "\033[35m" };
	return (struct memory_cell) {
		(char)(*mmlens_migratetype_label(most) | ' '),
		(size_t)most < sizeof(colors) / sizeof(colors[0]) ?
		colors[most] : "\033[35m",
	};
}

static void put_zone_map(struct view *v, const struct free_memory *memory,
			 const struct mmlens_zone *zone,
			 const struct free_filter *filter, bool of_free)
{
	struct memory_map map;

	if (!memory_map_make(&map, zone,
			     of_free ? KINDS : MMLENS_MIGRATE_OTHER + 1)) {
		v->error = ENOMEM;
		return;
	}
	add_present(&map, memory, !of_free);
	if (of_free)
		add_free(&map, memory, filter);
	memory_map_put(v, &map, of_free ? free_cell : type_cell);
	memory_map_free(&map);
}

static void put_maps(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter, bool of_free)
{
	const struct mmlens_zones *zones = memory->zones;

	for (size_t i = 0; i < zones->count; i++)
		for (size_t j = 0; j < zones->nodes[i].zone_count; j++)
			if (free_filter_zone(filter,
					     &zones->nodes[i].zones[j].zone))
				put_zone_map(v, memory,
					     &zones->nodes[i].zones[j].zone,
					     filter, of_free);
}

void buddy_map_text(struct view *v, const struct free_memory *memory,
		    const struct free_filter *filter)
{
	put_maps(v, memory, filter, true);
	view_hold(v, &memory->lists->stats);
}

void buddy_map_legend(FILE *out)
{
	fputs("\nMap: each line begins with the PFN of its first character.\n"
	      "  ' ' no memory, '.' none of it free, 1 to 9 tenths of it free,"
	      " '#' all\n", out);
}

void pageblocks_map_text(struct view *v, const struct free_memory *memory,
			 const struct free_filter *filter)
{
	put_maps(v, memory, filter, false);
	view_hold(v, &memory->lists->stats);
}

void pageblocks_map_legend(FILE *out)
{
	fputs("\nMap: each line begins with the PFN of its first character.\n"
	      "  ' ' no memory, a letter the type of its page blocks, '*' of"
	      " several types\n", out);
}
