/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: physical memory: nodes, zones, free blocks, page frames. */
#ifndef LIBMMLENS_MEMORY_H
#define LIBMMLENS_MEMORY_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- physical memory: nodes and zones ---- */

/**
 * struct mmlens_numbers - Numbers in a row.
 * @count:	how many
 * @value:	each
 */
struct mmlens_numbers {
	size_t count;
	uint64_t *value;
};

/**
 * struct mmlens_zone_state - A zone and what belongs to it.
 * @zone:	as the module wrote it; its name ends with a NUL
 * @reserve:	pages kept from allocations that could be of a higher zone, by
 *		index of that
 * @stats:	by enum zone_stat_item of the kernel; none in an empty zone
 * @numa:	by enum numa_stat_item; none in an empty zone
 * @free:	free blocks by order; none in an empty zone
 * @pagesets:	what each CPU keeps; none in an empty zone
 * @pageset_count: how many
 */
struct mmlens_zone_state {
	struct mmlens_zone zone;
	struct mmlens_numbers reserve;
	struct mmlens_numbers stats;
	struct mmlens_numbers numa;
	struct mmlens_numbers free;
	struct mmlens_pageset *pagesets;
	size_t pageset_count;
};

/**
 * struct mmlens_node_state - A node and its zones.
 * @node:	as the module wrote it
 * @stats:	by enum node_stat_item of the kernel
 * @zones:	all, from the lowest
 * @zone_count:	how many
 */
struct mmlens_node_state {
	struct mmlens_memnode node;
	struct mmlens_numbers stats;
	struct mmlens_zone_state *zones;
	size_t zone_count;
};

/**
 * struct mmlens_zones - The memory of the machine: nodes in order of number.
 * @nodes:	each
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_zones {
	struct mmlens_node_state *nodes;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_zones_read - Nodes, zones and what CPUs keep, as they are now.
 * @lens:	connection
 *
 * Return: to be freed with mmlens_zones_free(); NULL and errno as
 * mmlens_stream_open(), or EPROTO for records in an order that makes no sense.
 */
struct mmlens_zones *mmlens_zones_read(struct mmlens *lens);

/** mmlens_zones_free - NULL is fine. */
void mmlens_zones_free(struct mmlens_zones *zones);

/** mmlens_zones_find - Zone @index of @node; NULL: there is none. */
const struct mmlens_zone *mmlens_zones_find(const struct mmlens_zones *zones,
					    uint32_t node, unsigned int index);

/* ---- free blocks ---- */

/**
 * struct mmlens_free_list - A list of free blocks, in its order.
 * @node:	NUMA node
 * @cpu:	CPU that keeps it; -1: the buddy allocator
 * @zone:	index of the zone in its node
 * @order:	log2 of the pages in each block
 * @migratetype: enum mmlens_migratetype
 * @cut:	the list goes on behind what is here
 * @count:	blocks
 * @room:	for so many
 * @pfn:	first page of each; that of the block handed out next comes first
 */
struct mmlens_free_list {
	uint32_t node;
	int32_t cpu;
	uint8_t zone;
	uint8_t order;
	uint8_t migratetype;
	bool cut;
	size_t count;
	size_t room;
	uint64_t *pfn;
};

/**
 * struct mmlens_free_lists - All lists of free blocks.
 * @lists:	those of a zone together: the buddy allocator's by order and type,
 *		empty ones too, then the CPUs'
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_free_lists {
	struct mmlens_free_list *lists;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_free_lists_read - The free blocks, as they are now.
 * @lens:	connection
 *
 * Return: to be freed with mmlens_free_lists_free(); NULL and errno as
 * mmlens_stream_open(), or EPROTO for records in an order that makes no sense.
 */
struct mmlens_free_lists *mmlens_free_lists_read(struct mmlens *lens);

/** mmlens_free_lists_free - NULL is fine. */
void mmlens_free_lists_free(struct mmlens_free_lists *lists);

/**
 * struct mmlens_pageblock_map - Page blocks by address.
 * @runs:	those in a row that are alike; where there is no memory is no run
 * @count:	how many runs
 * @order:	log2 of the pages in a block
 * @stats:	of the walk
 */
struct mmlens_pageblock_map {
	struct mmlens_pageblocks *runs;
	size_t count;
	unsigned int order;
	struct mmlens_stats stats;
};

/**
 * mmlens_pageblock_map_read - What page blocks are for now.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all from @start on
 *
 * Return: to be freed with mmlens_pageblock_map_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_pageblock_map *
mmlens_pageblock_map_read(struct mmlens *lens, uint64_t start, uint64_t end);

/** mmlens_pageblock_map_free - NULL is fine. */
void mmlens_pageblock_map_free(struct mmlens_pageblock_map *map);

/** mmlens_migratetype_label - "Unmovable", as the kernel's files have it. */
const char *mmlens_migratetype_label(unsigned int migratetype);

/**
 * struct mmlens_labels_list - What stands before the numbers of lines.
 * @count:	lines
 * @label:	each, with its spaces
 */
struct mmlens_labels_list {
	size_t count;
	char **label;
};

/**
 * struct mmlens_zoneinfo_format - How the running kernel writes zoneinfo.
 * @node:	lines of a node's counters, by enum node_stat_item
 * @head:	from "pages free" to what stands before "protection"
 * @stats:	lines of a zone's counters and NUMA's, by their enums
 * @pageset:	of each CPU, without the line that names it
 * @tail:	behind the CPUs
 */
struct mmlens_zoneinfo_format {
	struct mmlens_labels_list node;
	struct mmlens_labels_list head;
	struct mmlens_labels_list stats;
	struct mmlens_labels_list pageset;
	struct mmlens_labels_list tail;
};

/**
 * mmlens_zoneinfo_format_read - Learn from /proc/zoneinfo how it is written.
 * @format:	out: to be freed with mmlens_zoneinfo_format_free()
 *
 * The names of counters, which lines there are and how they are indented differ
 * by series and configuration.  The numbers aren't taken from there.
 *
 * Return: 0, -EPROTO for a form that isn't known, or another negative errno.
 */
int mmlens_zoneinfo_format_read(struct mmlens_zoneinfo_format *format);
int mmlens_zoneinfo_format_parse(struct mmlens_zoneinfo_format *format,
				 char *text);
void mmlens_zoneinfo_format_free(struct mmlens_zoneinfo_format *format);

/**
 * mmlens_zoneinfo_key - The name in a label: without spaces, "pages" and colon.
 * @label:	of a list
 * @length:	out: bytes of the name
 */
const char *mmlens_zoneinfo_key(const char *label, size_t *length);

/**
 * mmlens_zoneinfo_value - The number of a line that isn't a counter.
 * @label:	of the lists head, pageset or tail
 * @node:	of the zone
 * @zone:	the zone
 * @pageset:	for a line of the list pageset, otherwise NULL
 * @value:	out
 *
 * Return: whether it is known.
 */
bool mmlens_zoneinfo_value(const char *label,
			   const struct mmlens_node_state *node,
			   const struct mmlens_zone_state *zone,
			   const struct mmlens_pageset *pageset,
			   int64_t *value);

/* ---- physical memory: page frames ---- */

struct mmlens_pages;

/**
 * mmlens_pages_open - Begin to walk page frames.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_pages *mmlens_pages_open(struct mmlens *lens, uint64_t start,
				       uint64_t end);

/**
 * mmlens_pages_next - Page frames in a row with the same state.
 * @pages:	the walk
 * @run:	out: valid until the next call
 *
 * In order of PFN.  Between two runs, there may be page frames that aren't
 * online memory.
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_pages_next(struct mmlens_pages *pages,
		      const struct mmlens_pfns **run);

/** mmlens_pages_stats - The walk so far. */
const struct mmlens_stats *mmlens_pages_stats(const struct mmlens_pages *pages);

/** mmlens_pages_close - End the walk; NULL is fine. */
void mmlens_pages_close(struct mmlens_pages *pages);

/**
 * struct mmlens_frame - All that is known of one page frame.
 * @page:	its state; of a free block or a folio from this page on
 * @backing:	what backs it
 * @stats:	of the walk
 */
struct mmlens_frame {
	struct mmlens_pfns page;
	struct mmlens_backing backing;
	struct mmlens_stats stats;
};

/**
 * mmlens_frame_read - Look at one page frame.
 * @lens:	connection
 * @pfn:	which
 * @frame:	out
 *
 * Return: 1, 0 where it isn't online memory, or a negative errno as
 * mmlens_stream_open().
 */
int mmlens_frame_read(struct mmlens *lens, uint64_t pfn,
		      struct mmlens_frame *frame);

/* ---- who maps page frames ---- */

/**
 * struct mmlens_users - Who maps page frames.
 * @users:	in order of PFN, PID and address
 * @reach:	of each, the PFN behind the last that it or one before it has
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_users {
	struct mmlens_user *users;
	uint64_t *reach;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_users_read - Make the map from page frames to who maps them.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all
 * @wanted:	says which are to be kept; NULL: all
 * @context:	of it
 *
 * It walks every process's page tables once, however many page frames these are.
 *
 * Return: to be freed with mmlens_users_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_users *
mmlens_users_read(struct mmlens *lens, uint64_t start, uint64_t end,
		  bool (*wanted)(const struct mmlens_user *user, void *context),
		  void *context);

/**
 * mmlens_users_first - The first that may map @pfn: none before it does, nor one
 * that begins behind @pfn.
 *
 * Return: its index; @users->count where nobody maps it.
 */
size_t mmlens_users_first(const struct mmlens_users *users, uint64_t pfn);

/** mmlens_users_free - NULL is fine. */
void mmlens_users_free(struct mmlens_users *users);

/**
 * mmlens_kpageflags - What the kernel's own file says of one page frame.
 *
 * For those that aren't online memory: there it is KPF_NOPAGE or, in newer
 * kernels, nothing.
 *
 * Return: 1 with @flags, 0 where the file has come to its end, or a negative
 * errno.
 */
int mmlens_kpageflags(uint64_t pfn, uint64_t *flags);

/* ---- the ledger: every page frame in one bucket ---- */

/**
 * enum mmlens_ledger_bucket - Those behind enum mmlens_bucket.
 * @MMLENS_LEDGER_KEPT:	free, on a CPU's list
 * @MMLENS_LEDGER_REST:	behind the first page of an allocation of higher order
 * @MMLENS_LEDGER_VMALLOC: the kernel's own, mapped by it for vmalloc(), as stacks of
 *			tasks or for modules; of x86-64, elsewhere with KERNEL
 * @MMLENS_LEDGER_HOLE:	has a struct page, but isn't memory by /proc/iomem
 * @MMLENS_LEDGER_BUCKETS: how many there are in all
 */
enum mmlens_ledger_bucket {
	MMLENS_LEDGER_KEPT = MMLENS_BUCKET_KERNEL + 1,
	MMLENS_LEDGER_REST,
	MMLENS_LEDGER_VMALLOC,
	MMLENS_LEDGER_HOLE,
	MMLENS_LEDGER_BUCKETS,
};

/**
 * struct mmlens_ledger_run - Page frames in a row in the same bucket.
 * @pfn:	the first
 * @count:	how many
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @bucket:	enum mmlens_bucket or enum mmlens_ledger_bucket
 * @order:	of blocks of the buddy allocator; else 0
 * @migratetype: of their page block
 */
struct mmlens_ledger_run {
	uint64_t pfn;
	uint64_t count;
	uint16_t node;
	uint8_t zone;
	uint8_t bucket;
	uint8_t order;
	uint8_t migratetype;
};

/**
 * struct mmlens_ledger - All page frames of online memory, in order of PFN.
 * @runs:	without overlaps
 * @count:	how many
 * @stats:	of all walks together
 */
struct mmlens_ledger {
	struct mmlens_ledger_run *runs;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_ledger_read - Put every page frame into a bucket.
 * @lens:	connection
 *
 * %MMLENS_BUCKET_UNTOLD has what could not be told in three looks.
 *
 * Return: to be freed with mmlens_ledger_free(); NULL and errno as
 * mmlens_stream_open(), or that of reading /proc/iomem.
 */
struct mmlens_ledger *mmlens_ledger_read(struct mmlens *lens);

/** mmlens_ledger_free - NULL is fine. */
void mmlens_ledger_free(struct mmlens_ledger *ledger);

/** mmlens_ledger_sum - Pages of a zone by bucket. */
void mmlens_ledger_sum(const struct mmlens_ledger *ledger, uint32_t node,
		       unsigned int zone,
		       uint64_t pages[MMLENS_LEDGER_BUCKETS]);

/** mmlens_bucket_name - "buddy" and so on; "?" for an unknown one. */
const char *mmlens_bucket_name(unsigned int bucket);
/** mmlens_bucket_help - What it holds, in a few words. */
const char *mmlens_bucket_help(unsigned int bucket);

/* ---- fragmentation: what stands in the way of an order ---- */

/**
 * mmlens_extfrag_index - Why an order can't be had, as extfrag_index of debugfs.
 * @free:	free blocks of a zone by order
 * @order:	which
 *
 * Mirrors __fragmentation_index() of mm/vmstat.c.
 *
 * Return: thousandths: towards 0 for lack of memory, towards 1000 for
 * fragmentation; -1000 where it can be had.
 */
int mmlens_extfrag_index(const struct mmlens_numbers *free, unsigned int order);

/**
 * mmlens_unusable_index - How much of the free memory is in smaller blocks, in
 * thousandths, as unusable_index of debugfs.
 */
int mmlens_unusable_index(const struct mmlens_numbers *free,
			  unsigned int order);

/**
 * enum mmlens_obstacle - Why a page stands in the way of a free block.
 * @MMLENS_OBSTACLE_KEPT:	it is free, but a CPU keeps it
 * @MMLENS_OBSTACLE_MOVABLE:	compaction can move it
 * @MMLENS_OBSTACLE_WRITEBACK:	likewise, once it is written
 * @MMLENS_OBSTACLE_MLOCKED:	likewise, if vm.compact_unevictable_allowed is 1
 * @MMLENS_OBSTACLE_HELD:	someone has a reference beside those that map it
 *				and the page cache
 * @MMLENS_OBSTACLE_PINNED:	held by so many that it is pinned, for DMA as a rule
 * @MMLENS_OBSTACLE_FIXED:	it can't be moved: its bucket says what it is
 * @MMLENS_OBSTACLES:		how many there are
 */
enum mmlens_obstacle {
	MMLENS_OBSTACLE_KEPT,
	MMLENS_OBSTACLE_MOVABLE,
	MMLENS_OBSTACLE_WRITEBACK,
	MMLENS_OBSTACLE_MLOCKED,
	MMLENS_OBSTACLE_HELD,
	MMLENS_OBSTACLE_PINNED,
	MMLENS_OBSTACLE_FIXED,
	MMLENS_OBSTACLES,
};

/** mmlens_obstacle_name - "kept" and so on; "?" for an unknown one. */
const char *mmlens_obstacle_name(unsigned int obstacle);

/**
 * struct mmlens_blocker - Pages in a row that stand in the way.
 * @run:	their state
 * @obstacle:	enum mmlens_obstacle
 */
struct mmlens_blocker {
	struct mmlens_pfns run;
	uint8_t obstacle;
};

/**
 * struct mmlens_candidate - A block that isn't free as a whole.
 * @pfn:	its first page
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @migratetype: of its first page block
 * @free:	pages of it that the buddy allocator has
 * @pages:	the others, by why they stand in the way
 * @blockers:	in order of PFN
 * @count:	how many
 */
struct mmlens_candidate {
	uint64_t pfn;
	uint16_t node;
	uint8_t zone;
	uint8_t migratetype;
	uint64_t free;
	uint64_t pages[MMLENS_OBSTACLES];
	struct mmlens_blocker *blockers;
	size_t count;
};

/**
 * struct mmlens_frag - The blocks that come closest to be free.
 * @order:	log2 of the pages in each
 * @candidates:	those with the fewest pages that can't be moved first, then those
 *		with the fewest in the way at all
 * @count:	how many
 * @stats:	of all walks together
 */
struct mmlens_frag {
	unsigned int order;
	struct mmlens_candidate *candidates;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_frag_read - Look for the blocks that come closest to be free.
 * @lens:	connection
 * @order:	log2 of the pages in a block, at most 31
 * @most:	how many are wanted, at least 1
 * @takes:	whether a zone counts; NULL: all do
 * @context:	of it
 *
 * Return: to be freed with mmlens_frag_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_frag *
mmlens_frag_read(struct mmlens *lens, unsigned int order, size_t most,
		 bool (*takes)(uint32_t node, unsigned int zone, void *context),
		 void *context);

/** mmlens_frag_free - NULL is fine. */
void mmlens_frag_free(struct mmlens_frag *frag);

/* ---- page flags as the kernel's tool page-types has them ---- */

/**
 * mmlens_page_types_flags - Its names and letters, in its order.
 *
 * Not all letters are of one flag alone.  The help is "raw" of those that it
 * shows in raw mode alone.
 */
const struct mmlens_flag *mmlens_page_types_flags(void);

/** mmlens_page_types_known - Flags as it shows them. */
uint64_t mmlens_page_types_known(uint64_t flags);

/**
 * mmlens_page_types_raw - Flags as it shows them in raw mode.
 * @flags:	1 << KPF_*
 * @entry:	flags of the page-table entry (MMLENS_PTE_*); 0 without one
 */
uint64_t mmlens_page_types_raw(uint64_t flags, uint32_t entry);

/**
 * mmlens_page_types_names - Flags by names, beginnings of names or numbers,
 * divided by commas.
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_types_names(const char *text, uint64_t *flags);

/**
 * struct mmlens_page_filter - Which flags pages must have.
 * @mask:	those that matter
 * @bits:	what they must be
 * @any:	instead: one of them is set
 */
struct mmlens_page_filter {
	uint64_t mask;
	uint64_t bits;
	bool any;
};

/**
 * mmlens_page_filter_parse - A filter as the tool's option -b has it: "A,B" one
 * of them, "A,B=A" and "A,~B" the one without the other, "=A,B" nothing else.
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_filter_parse(const char *text,
			     struct mmlens_page_filter *filter);

/** mmlens_page_filter_takes - Does it let @flags through? */
bool mmlens_page_filter_takes(const struct mmlens_page_filter *filter,
			      uint64_t flags);

/**
 * mmlens_page_range_parse - Pages as the tool's option -a has them: "N", "N+M",
 * "N,M", "N," and ",M".
 * @start:	out: the first
 * @end:	out: after the last; UINT64_MAX without one
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_range_parse(const char *text, uint64_t *start, uint64_t *end);

#define MMLENS_PAGE_TYPES	8192

/**
 * struct mmlens_page_type - Pages whose flags are the same.
 * @flags:	as they are shown
 * @pages:	how many; 0: there are none in this place
 */
struct mmlens_page_type {
	uint64_t flags;
	uint64_t pages;
};

/**
 * struct mmlens_page_types - Pages by their flags.
 * @total:	all of them
 * @type:	in the order in which the tool shows them
 */
struct mmlens_page_types {
	uint64_t total;
	struct mmlens_page_type type[MMLENS_PAGE_TYPES];
};

/**
 * mmlens_page_types_add - Count pages.
 *
 * Return: 0, or -ENOSPC when there is no place for another type.
 */
int mmlens_page_types_add(struct mmlens_page_types *types, uint64_t flags,
			  uint64_t pages);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_MEMORY_H */
