/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renderers: records in, text or JSON out.  Nothing here gathers.
 *
 * Each command's view is a set of functions, once as text and once as JSON,
 * that take the same records.  A write that fails is remembered in
 * view.error; the caller looks at it when it likes.
 */
#ifndef MMLENS_VIEW_H
#define MMLENS_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "libmmlens.h"
#include "trace.h"

#define VIEW_JSON_DEPTH 8

/**
 * struct view - Where output goes and how it is dressed.
 * @out:	stream
 * @info:	of the module
 * @color:	@out is a terminal that wants colour
 * @error:	errno of the first write that failed, 0 so far
 * @depth:	open JSON objects and arrays
 * @closer:	'}' or ']' of each
 * @begun:	whether each has a member already
 */
struct view {
	FILE *out;
	const struct mmlens_info *info;
	bool color;
	int error;
	unsigned int depth;
	char closer[VIEW_JSON_DEPTH];
	bool begun[VIEW_JSON_DEPTH];
};

/* Note a failed write.  To be called before errno is lost. */
void view_check(struct view *v);

/* Flush.  Return: 0, or the errno of the first write that failed. */
int view_finish(struct view *v);

/* A line of column headings, set off where there is colour. */
void view_heading(struct view *v, const char *text);

/* ---- JSON, written as it comes ---- */

/* Open an object ('{') or array ('['); @key is NULL inside an array. */
void json_begin(struct view *v, const char *key, char opener);
void json_end(struct view *v);
/* What stands before a member: a comma, a line break, its key. */
void json_before(struct view *v, const char *key);
/* Write a member and drop it; @key is NULL inside an array. */
void json_put(struct view *v, const char *key, struct json_object *value);

/* Write the members of an object and drop it. */
void json_put_members(struct view *v, struct json_object *members);

/* {"mmlens": {...}: the head of every document. */
void json_document(struct view *v);
/* "walk": {...}; @counted names what @count counts. */
void json_walk(struct view *v, const char *counted, uint64_t count,
	       const struct mmlens_stats *stats);

/* Members of an object that is still in memory. */
void json_add_number(struct json_object *o, const char *key, uint64_t value);
void json_add_string(struct json_object *o, const char *key,
		     const char *value);
void json_add_bool(struct json_object *o, const char *key, bool value);
/* "0x..." */
void json_add_hex(struct json_object *o, const char *key, uint64_t value);
/* The long names of the flags of a table that are set. */
void json_add_flags(struct json_object *o, const char *key,
		    const struct mmlens_flag *table, uint64_t flags);
/* Bytes as UTF-8; where they aren't that, "KEY_hex" has them as they are. */
void json_add_bytes(struct json_object *o, const char *key, const char *bytes,
		    size_t length);

/* ---- text ---- */

/*
 * Bytes of the UTF-8 character at @s (RFC 3629), 0 when it isn't one within
 * @left bytes.
 */
size_t utf8_length(const char *s, size_t left);

/* Name of the architecture, "em_N" for one that has none here. */
const char *text_arch(char *room, const struct mmlens_info *info);
#define TEXT_ARCH 24

/*
 * @text with the characters @escaped (none above '?') in octal, as
 * seq_path(m, path, escaped) of the kernel.
 */
void text_path(FILE *out, const char *text, size_t length, const char *escaped);

/*
 * The command line as procps shows it: arguments divided by spaces, control
 * characters and what isn't UTF-8 as '?', "[NAME]" without arguments.  To be
 * freed; NULL without memory.
 */
char *text_cmdline(const char *cmdline, size_t length,
		   const struct mmlens_process *process);

/* ---- maps ---- */

struct maps_view {
	void (*begin)(struct view *v, int pid);
	void (*area)(struct view *v, const struct mmlens_area *area);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct maps_view maps_text, maps_json;

/* A VMA with all that its records say. */
struct json_object *maps_object(const struct mmlens_area *area);
/* The sums of a VMA, in bytes, as members of @o. */
void maps_add_sums(struct json_object *o, const struct mmlens_smaps *smaps);
/* The line of maps, and the heads of smaps and smaps_rollup. */
void maps_line(struct view *v, const struct mmlens_area *area);

/* ---- page-types ---- */

/**
 * struct page_list - Pages in a row, to be listed.
 * @va:		number of the first page's virtual address
 * @pfn:	its PFN, or the offset of its swap slot
 * @count:	how many
 * @flags:	as they are shown
 * @memcg:	as in &struct mmlens_page
 * @mapcount:	as there
 */
struct page_list {
	uint64_t va;
	uint64_t pfn;
	uint64_t count;
	uint64_t flags;
	uint64_t memcg;
	uint64_t mapcount;
};

/**
 * struct page_types_options - What is shown.
 * @list:	pages in ranges
 * @each:	pages one by one
 * @va:		they are of a process: with their virtual address
 * @memcg:	with their memory cgroup
 * @mapcount:	with their mapcount
 */
struct page_types_options {
	bool list;
	bool each;
	bool va;
	bool memcg;
	bool mapcount;
};

struct page_types_view {
	void (*begin)(struct view *v, const struct page_types_options *o);
	void (*pages)(struct view *v, const struct page_types_options *o,
		      const struct page_list *pages);
	void (*end)(struct view *v, const struct page_types_options *o,
		    const struct mmlens_page_types *types);
};
extern const struct page_types_view page_types_text, page_types_json;

/* Flags with their letters and names, as the tool describes them. */
void page_types_describe(struct view *v, uint64_t flags);

/* ---- zones ---- */

/**
 * struct zones_options - How zones are shown.
 * @abbreviate:	bytes with a suffix instead of pages
 * @cpus:	what each CPU keeps, too
 */
struct zones_options {
	bool abbreviate;
	bool cpus;
};
void zones_text(struct view *v, const struct mmlens_zones *zones,
		const struct zones_options *o);
void zones_json(struct view *v, const struct mmlens_zones *zones);
/* What the words of the STATE column mean. */
void zones_legend(FILE *out);

/* ---- maps of a zone ---- */

/**
 * struct memory_map - A zone in pieces of one size.
 * @zone:	of which
 * @start:	PFN of the first piece, a multiple of their size
 * @order:	log2 of the pages in a piece: the least with which all of it fits
 *		on a screen
 * @count:	pieces
 * @kinds:	what a page can be counted as, from 0 on
 * @pages:	of each piece, by kind
 */
struct memory_map {
	const struct mmlens_zone *zone;
	uint64_t start;
	unsigned int order;
	size_t count;
	unsigned int kinds;
	uint64_t *pages;
};

/* A piece as it is drawn; @color is NULL or an escape sequence. */
struct memory_cell {
	char letter;
	const char *color;
};

/* How a piece is drawn whose pages are @pages, by kind. */
typedef struct memory_cell (*memory_cell_of)(const struct memory_map *map,
					     const uint64_t *pages);

/* Return: false without memory. */
bool memory_map_make(struct memory_map *map, const struct mmlens_zone *zone,
		     unsigned int kinds);
/* Count pages; those outside of the zone are passed by. */
void memory_map_add(struct memory_map *map, uint64_t pfn, uint64_t count,
		    unsigned int kind);
/* The kind that most pages of a piece are; -1: it has none. */
int memory_map_most(const struct memory_map *map, const uint64_t *pages);
void memory_map_put(struct view *v, const struct memory_map *map,
		    memory_cell_of of);
void memory_map_free(struct memory_map *map);

/* ---- buddy, pageblocks, pagetypeinfo ---- */

/**
 * struct free_memory - What the commands about free blocks show.
 * @zones:	nodes and zones
 * @lists:	free blocks
 * @blocks:	page blocks
 */
struct free_memory {
	struct mmlens_zones *zones;
	struct mmlens_free_lists *lists;
	struct mmlens_pageblock_map *blocks;
};

/**
 * struct free_filter - What of it is shown.
 * @node:	of that node; -1: of all
 * @zone:	of the zone with that name; NULL: of all
 * @migratetype: of that enum mmlens_migratetype; -1: of all
 * @order:	of that order; -1: of all
 */
struct free_filter {
	int node;
	const char *zone;
	int migratetype;
	int order;
};

bool free_filter_zone(const struct free_filter *f,
		      const struct mmlens_zone *zone);
bool free_filter_type(const struct free_filter *f, unsigned int migratetype);
bool free_filter_list(const struct free_filter *f,
		      const struct mmlens_free_list *list);

/* A bit for each migratetype that this kernel has. */
uint32_t free_types(const struct free_memory *memory);
/* Blocks on the buddy allocator's list of a zone. */
uint64_t free_blocks_of(const struct free_memory *memory,
			const struct mmlens_zone *zone, unsigned int order,
			unsigned int migratetype);

void buddy_text(struct view *v, const struct free_memory *memory,
		const struct free_filter *filter);
/* Each block, in the order of its list. */
void buddy_list_text(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter);
/* With @each the PFNs, too. */
void buddy_json(struct view *v, const struct free_memory *memory,
		const struct free_filter *filter, bool each);
/* Where the free blocks are. */
void buddy_map_text(struct view *v, const struct free_memory *memory,
		    const struct free_filter *filter);
void buddy_map_legend(FILE *out);
void pageblocks_map_legend(FILE *out);
/* As the kernel's file. */
void pagetypeinfo_text(struct view *v, const struct free_memory *memory);
void pagetypeinfo_json(struct view *v, const struct free_memory *memory);
void pageblocks_text(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter);
void pageblocks_map_text(struct view *v, const struct free_memory *memory,
			 const struct free_filter *filter);
void pageblocks_json(struct view *v, const struct free_memory *memory,
		     const struct free_filter *filter);

/* ---- frag ---- */

/**
 * struct frag_owner - Whose pages stand in the way.
 * @user:	who maps the first of them; NULL: nobody
 * @comm:	the process's name; NULL: it isn't known
 * @others:	mappings beside that one
 * @file:	name of the file that they are of; empty: none, or not known
 * @memcg:	path of the memory cgroup that they are charged to; NULL
 */
struct frag_owner {
	const struct mmlens_user *user;
	const char *comm;
	size_t others;
	char file[MMLENS_BACKING_NAME];
	const char *memcg;
};

/**
 * struct frag_options - What frag shows.
 * @filter:	of these zones, and of an order if that isn't negative
 * @all:	all that stands in the way, however much that is
 * @threshold:	vm.extfrag_threshold
 */
struct frag_options {
	struct free_filter filter;
	bool all;
	int threshold;
};

/* How easily each order can be had. */
void frag_text(struct view *v, const struct mmlens_zones *zones,
	       const struct frag_options *o);
/* The blocks that come closest, and owners[candidate][blocker]. */
void frag_candidates_text(struct view *v, const struct mmlens_zones *zones,
			  const struct mmlens_frag *frag,
			  struct frag_owner *const *owners,
			  const struct frag_options *o);
/* Both; @frag may be NULL */
void frag_json(struct view *v, const struct mmlens_zones *zones,
	       const struct mmlens_frag *frag,
	       struct frag_owner *const *owners, const struct frag_options *o);

/* ---- ledger ---- */

/* @free: blocks of the buddy allocator by order and type, too */
void ledger_text(struct view *v, const struct mmlens_zones *zones,
		 const struct mmlens_ledger *ledger,
		 const struct free_filter *filter, bool free);
void ledger_map_text(struct view *v, const struct mmlens_zones *zones,
		     const struct mmlens_ledger *ledger,
		     const struct free_filter *filter);
void ledger_json(struct view *v, const struct mmlens_zones *zones,
		 const struct mmlens_ledger *ledger,
		 const struct free_filter *filter);
void ledger_map_legend(FILE *out);

/* ---- lru --pid, lru --watch ---- */

/**
 * struct lru_pid_list - A list that has pages of the process.
 * @share:	what it has
 * @memcg:	path of the list's memory cgroup; NULL: none, or not known
 * @zone:	of a generation: name of its zone; NULL: not known
 */
struct lru_pid_list {
	const struct mmlens_lru_share *share;
	const char *memcg;
	const char *zone;
};

/**
 * struct lru_pid_look - What lru --pid shows.
 * @pid:	the process
 * @process:	where its pages stand
 * @lists:	those of its shares
 * @has_after:	what reclaim would take, too
 * @pages:	the addresses of those, too
 */
struct lru_pid_look {
	int pid;
	const struct mmlens_lru_process *process;
	const struct lru_pid_list *lists;
	bool has_after;
	bool pages;
};
void lru_pid_text(struct view *v, const struct lru_pid_look *look);
void lru_pid_json(struct view *v, const struct lru_pid_look *look);

/**
 * struct lru_watch_step - What moved between two looks.
 * @number:	from 1 on
 * @seconds:	between them
 * @moves:	what moved
 * @listed:	pages on lists, by the later look
 */
struct lru_watch_step {
	unsigned int number;
	double seconds;
	const struct mmlens_lru_moves *moves;
	uint64_t listed;
};
void lru_watch_text(struct view *v, const struct lru_watch_step *step);
/* A document on a line of its own. */
void lru_watch_json(struct view *v, const struct lru_watch_step *step);

/* Closing line: what the walk cost those that share its locks. */
void view_hold(struct view *v, const struct mmlens_stats *stats);

/* ---- zoneinfo, buddyinfo ---- */

void zoneinfo_text(struct view *v, const struct mmlens_zoneinfo_format *format,
		   const struct mmlens_zones *zones);
void zoneinfo_json(struct view *v, const struct mmlens_zoneinfo_format *format,
		   const struct mmlens_zones *zones);
void buddyinfo_text(struct view *v, const struct mmlens_zones *zones);
void buddyinfo_json(struct view *v, const struct mmlens_zones *zones);

/* ---- smaps, smaps_rollup ---- */

struct smaps_view {
	void (*begin)(struct view *v, int pid);
	void (*area)(struct view *v, const struct mmlens_smaps_format *format,
		     const struct mmlens_area *area);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct smaps_view smaps_text, smaps_json;
extern const struct smaps_view rollup_text, rollup_json;

/* The fields of smaps that aren't in its sums, as members of @o. */
void smaps_add_fields(struct json_object *o,
		      const struct mmlens_smaps_format *format,
		      const struct mmlens_area *area);

/* ---- numa_maps ---- */

extern const struct maps_view numa_text, numa_json;

/* ---- pmap ---- */

enum pmap_format {
	PMAP_PLAIN,
	PMAP_EXTENDED,		/* -x */
	PMAP_DEVICE,		/* -d */
	PMAP_WIDE,		/* -X */
	PMAP_ALL,		/* -XX */
};

struct pmap_wide;

/**
 * struct pmap_options - What pmap shows.
 * @format:	columns
 * @quiet:	neither headings nor totals
 * @path:	whole paths
 * @low:	first address of interest
 * @high:	last address of interest
 * @have_sysv:	@sysv_major and @sysv_minor are known
 * @fields:	of %PMAP_WIDE and %PMAP_ALL: what the kernel shows
 * @wide:	of the same, for text: what is to be shown once its widths are
 *		known
 */
struct pmap_options {
	enum pmap_format format;
	bool quiet;
	bool path;
	uint64_t low;
	uint64_t high;
	bool have_sysv;
	uint32_t sysv_major;
	uint32_t sysv_minor;
	const struct mmlens_smaps_format *fields;
	struct pmap_wide *wide;
};

/* Sums in bytes over the VMAs of one process that were shown. */
struct pmap_totals {
	uint64_t shared;
	uint64_t writable;	/* private */
	uint64_t readonly;	/* private */
	uint64_t rss;
	uint64_t dirty;
	uint64_t areas;
};

struct pmap_view {
	void (*document)(struct view *v);
	void (*begin)(struct view *v, const struct pmap_options *o,
		      const struct mmlens_process *process,
		      const char *cmdline, size_t length);
	void (*area)(struct view *v, const struct pmap_options *o,
		     const struct mmlens_area *area);
	void (*end)(struct view *v, const struct pmap_options *o,
		    const struct pmap_totals *totals,
		    const struct mmlens_stats *stats);
	void (*finish)(struct view *v);
};
extern const struct pmap_view pmap_text, pmap_json;

/* Whether the format shows what is in smaps; all of it. */
bool pmap_has_sums(enum pmap_format format);
bool pmap_has_fields(enum pmap_format format);

/*
 * Columns of -X and -XX.  They last over several processes: as in procps, a
 * column doesn't become narrower again.
 */
struct pmap_wide *pmap_wide_new(const struct mmlens_smaps_format *format,
				bool all);
void pmap_wide_free(struct pmap_wide *w);
/* Keep a mapping.  Sets view.error to ENOMEM without memory. */
void pmap_wide_add(struct view *v, struct pmap_wide *w,
		   const struct mmlens_area *area);
/* Show what was kept and forget it. */
void pmap_wide_show(struct view *v, const struct pmap_options *o);

bool pmap_in_range(const struct pmap_options *o,
		   const struct mmlens_area *area);
void pmap_add(struct pmap_totals *totals, const struct mmlens_area *area);

/* ---- pte ---- */

/**
 * struct pte_options - What pte shows.
 * @each:	entries, not runs of them
 * @raw:	raw entries, and what their bits are called
 * @pages:	the state of pages
 */
struct pte_options {
	bool each;
	bool raw;
	bool pages;
};

/**
 * struct page_labels - What numbers of a page stand for, where it is known.
 * @memcg:	path of its memory cgroup below the root; NULL
 * @zone:	name of its zone; NULL
 */
struct page_labels {
	const char *memcg;
	const char *zone;
};

/**
 * struct pte_view - One of entries and runs is used.
 * @begin:	before the first
 */
struct pte_view {
	void (*begin)(struct view *v, const struct pte_options *o, int pid);
	void (*entry)(struct view *v, const struct pte_options *o,
		      const struct mmlens_entry *entry,
		      const struct page_labels *labels);
	void (*run)(struct view *v, const struct pte_options *o,
		    const struct mmlens_entry_run *run,
		    const struct page_labels *labels);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct pte_view pte_text, pte_json;

/* ---- folios ---- */

struct folios_view {
	void (*begin)(struct view *v, int pid);
	void (*area)(struct view *v, const struct mmlens_area *area,
		     const struct mmlens_folio_sums *sums);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_folio_sums *total,
		    const struct mmlens_stats *stats);
};
extern const struct folios_view folios_text, folios_json;

/* ---- vtop ---- */

struct vtop_view {
	/* @pid 0: of the kernel */
	void (*begin)(struct view *v, int pid);
	void (*address)(struct view *v, const struct mmlens_translation *t);
	void (*end)(struct view *v);
};
extern const struct vtop_view vtop_text, vtop_json;

/* ---- pfn ---- */

/**
 * struct pfn_mapper - Page frames in a row, as a process maps them.
 * @user:	the entries
 * @pfn:	of the first page that is shown
 * @va:		its address
 * @count:	pages that are shown
 * @comm:	the process's name; NULL: it isn't known
 * @name:	of the mapping; NULL: it has none, or wasn't asked
 */
struct pfn_mapper {
	const struct mmlens_user *user;
	uint64_t pfn;
	uint64_t va;
	uint32_t count;
	const char *comm;
	char *name;
};

/**
 * struct pfn_card - What is shown of one page frame.
 * @pfn:	which
 * @frame:	its state; NULL: it isn't online memory
 * @labels:	what its numbers stand for
 * @path:	of the file that it is of; NULL: nobody that maps it tells
 * @who:	it is known who maps it
 * @mappers:	who
 * @count:	how many
 */
struct pfn_card {
	uint64_t pfn;
	const struct mmlens_frame *frame;
	struct page_labels labels;
	const char *path;
	bool who;
	const struct pfn_mapper *mappers;
	size_t count;
};

struct pfn_view {
	void (*begin)(struct view *v);
	void (*card)(struct view *v, const struct pfn_card *card);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct pfn_view pfn_text, pfn_json;

/* Who maps the page frames from @start to before @end; by PFN. */
void pfn_who_text(struct view *v, uint64_t start, uint64_t end,
		  const struct pfn_mapper *mappers, size_t count,
		  const struct mmlens_stats *stats);
void pfn_who_json(struct view *v, uint64_t start, uint64_t end,
		  const struct pfn_mapper *mappers, size_t count,
		  const struct mmlens_stats *stats);

/* ---- kmap ---- */

/**
 * struct kmap_options - What of the kernel's page table is shown.
 * @region:	name of the only region; NULL: all
 * @wx:		only what may be written to and executed
 * @user:	it is user mode's table
 * @all:	every line, however many a region has
 */
struct kmap_options {
	const char *region;
	bool wx;
	bool user;
	bool all;
};

void kmap_text(struct view *v, const struct mmlens_kernel_map *map,
	       const struct kmap_options *o);
void kmap_json(struct view *v, const struct mmlens_kernel_map *map,
	       const struct kmap_options *o);

/* ---- lru ---- */

/* Which lists pages that are added come to; while it is switched, both. */
#define LRU_KIND_CLASSIC	(1u << 0)
#define LRU_KIND_GENERATIONS	(1u << 1)

struct line;

/**
 * struct lru_line - An LRU list.
 * @list:	it
 * @labels:	what its numbers stand for
 */
struct lru_line {
	const struct mmlens_lru_list *list;
	struct page_labels labels;
};

/* Lists by memcg, in the order in which they stand; @all: empty ones too. */
void lru_text(struct view *v, unsigned int kinds, const struct lru_line *lines,
	      size_t count, bool all, const struct mmlens_stats *stats);
void lru_json(struct view *v, unsigned int kinds, const struct lru_line *lines,
	      size_t count, const struct mmlens_stats *stats);

/* "classic", "generations" or "both". */
const char *lru_kind_name(unsigned int kinds);
/* As memory.stat has it; of a generation "anon" or "file". */
const char *lru_list_name(const struct mmlens_lru_list *list);
/* A member for all that is known of a list without its folios. */
struct json_object *lru_list_object(const struct lru_line *line);
/* "/a/path", or what else there is to say whose it is. */
void line_lru_memcg(struct line *l, const struct lru_line *line);

/**
 * struct lru_folio - A folio of a list.
 * @position:	from the tail, which reclaim takes first
 * @page:	the state of its first page
 * @backing:	what backs that
 * @mappers:	who maps any of its pages
 * @count:	how many
 */
struct lru_folio {
	uint64_t position;
	const struct mmlens_pfns *page;
	const struct mmlens_backing *backing;
	const struct pfn_mapper *mappers;
	size_t count;
};

/**
 * struct lru_pages_view - lru --pages.
 * @begin:	before the first list
 * @list:	a list that has @count folios to be shown
 * @folio:	each of them
 * @list_end:	after them
 * @gone:	a list that isn't there any more, in place of those
 * @end:	after the last list
 */
struct lru_pages_view {
	void (*begin)(struct view *v, unsigned int kinds);
	void (*list)(struct view *v, const struct lru_line *line, size_t count);
	void (*folio)(struct view *v, const struct mmlens_lru_list *list,
		      const struct lru_folio *folio);
	void (*list_end)(struct view *v, const struct lru_line *line);
	void (*gone)(struct view *v, const struct lru_line *line);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct lru_pages_view lru_pages_text, lru_pages_json;

/* ---- ps ---- */

/* What a line of ps stands for. */
enum ps_kind {
	PS_PROCESSES,
	PS_MAPPINGS,		/* -m: a name */
	PS_USERS,		/* -u */
	PS_SYSTEM,		/* -w: a use of the machine's memory */
};

enum ps_units {
	PS_KB,
	PS_SUFFIX,		/* -k */
	PS_PERCENT,		/* -p */
};

/**
 * struct ps_row - A line of ps.  What its kind doesn't have is 0 or NULL.
 * @pid:	of a process
 * @ppid:	its parent's
 * @uid:	its effective user
 * @threads:	how many it has
 * @flags:	MMLENS_PROC_*; with RACED its amounts aren't known
 * @order:	place in the machine's summary
 * @count:	mappings of a name, processes of a user
 * @pids:	processes that have a mapping of this name
 * @vss:	bytes of address space; this and what follows in bytes
 * @rss:	resident
 * @pss:	resident, each page divided by how often it is mapped
 * @uss:	resident and mapped here only
 * @swap:	swapped out
 * @tables:	of page tables, as VmPTE
 * @avgpss:	@pss of each of @pids
 * @used:	of the machine's summary: in use
 * @cache:	of @used: can be reclaimed
 * @noncache:	of @used: can't
 * @user:	name of the user; not the row's own
 * @comm:	name of the process
 * @label:	what stands in the last column: a name or a command line with its
 *		NUL bytes; never NULL
 * @length:	its bytes
 */
struct ps_row {
	uint64_t pid;
	uint64_t ppid;
	uint64_t uid;
	uint64_t threads;
	uint64_t order;
	uint64_t count;
	uint64_t pids;
	uint64_t vss;
	uint64_t rss;
	uint64_t pss;
	uint64_t uss;
	uint64_t swap;
	uint64_t tables;
	uint64_t avgpss;
	uint64_t used;
	uint64_t cache;
	uint64_t noncache;
	const char *user;
	char *label;
	size_t length;
	uint32_t flags;
	char comm[16];
};

/**
 * struct ps_table - The lines of ps.
 * @kind:	what they stand for
 * @command_line: labels are command lines
 * @rows:	in the order in which they are shown
 * @count:	how many
 */
struct ps_table {
	enum ps_kind kind;
	bool command_line;
	struct ps_row **rows;
	size_t count;
};

/**
 * struct ps_options - How they are shown.
 * @units:	of amounts
 * @no_header:	no headings
 * @totals:	sums behind the last line
 * @memory:	bytes that are 100 %
 * @swap:	bytes that are 100 % of swap
 */
struct ps_options {
	enum ps_units units;
	bool no_header;
	bool totals;
	uint64_t memory;
	uint64_t swap;
};

struct ps_column;

/* The column of this name, whatever its case; NULL when @kind has none. */
const struct ps_column *ps_find_column(enum ps_kind kind, const char *name);
/* What lines are sorted by unless told otherwise. */
const struct ps_column *ps_default_column(enum ps_kind kind);
/* The names that ps_find_column() takes, divided by spaces; to be freed. */
char *ps_column_names(enum ps_kind kind);

/* Lowest first unless @reverse; like ones in order of PID or label. */
void ps_sort(struct ps_table *table, const struct ps_column *by, bool reverse);
/* Sum up; rows whose amounts aren't known are left out. */
void ps_total(const struct ps_table *table, struct ps_row *total);

void ps_text(struct view *v, const struct ps_table *table,
	     const struct ps_options *o);
/* @stats: of the walk; NULL without one */
void ps_json(struct view *v, const struct ps_table *table,
	     const struct mmlens_stats *stats);

/* "1.5G", as smem -k has it. */
const char *text_human(char *room, uint64_t bytes);
#define TEXT_HUMAN 16

/* ---- tables ---- */

#define OCCUPANCY_LEVELS (MMLENS_LEVEL_PGD + 1)
/* Empty, up to a 32nd, an 8th, a half, less than full, full. */
#define OCCUPANCY_BUCKETS 6

/**
 * struct occupancy_level - The tables of one level, without deposited ones.
 * @tables:	how many
 * @entries:	entries that they have
 * @used:	of them in use
 * @shared:	tables that other processes have too
 * @bucket:	tables by how full they are
 * @uncounted:	VmPTE doesn't count this level
 */
struct occupancy_level {
	uint64_t tables;
	uint64_t entries;
	uint64_t used;
	uint64_t shared;
	uint64_t bucket[OCCUPANCY_BUCKETS];
	bool uncounted;
};

/**
 * struct occupancy_range - Neighbouring tables that are less than half full.
 * @start:	first address that they translate
 * @end:	address after the last
 * @tables:	how many
 * @entries:	entries that they have
 * @used:	of them in use
 * @level:	of all of them; 0: no range
 */
struct occupancy_range {
	uint64_t start;
	uint64_t end;
	uint64_t tables;
	uint64_t entries;
	uint64_t used;
	unsigned int level;
};

/**
 * struct occupancy - What the page tables of a process amount to.
 * @info:	of the module
 * @level:	by &enum mmlens_level_id
 * @deposited:	tables kept for when huge pages are split
 * @node:	tables by node and level; the last is any other node
 * @open:	of each level the range that the last table may be part of
 * @top:	the ranges with the most unused entries, in no order until
 *		occupancy_finish(), then the one with the most first
 * @room:	of @top
 * @ranges:	of @top in use
 * @all_ranges:	how many there are in all
 *
 * Its size doesn't depend on the number of tables.
 */
struct occupancy {
	const struct mmlens_info *info;
	struct occupancy_level level[OCCUPANCY_LEVELS];
	uint64_t deposited;
	uint64_t node[MMLENS_MAX_NODES + 1][OCCUPANCY_LEVELS];
	struct occupancy_range open[OCCUPANCY_LEVELS];
	struct occupancy_range *top;
	size_t room;
	size_t ranges;
	uint64_t all_ranges;
};

/* @top has room for @room ranges. */
void occupancy_begin(struct occupancy *o, const struct mmlens_info *info,
		     struct occupancy_range *top, size_t room);
/* Tables of one level come in order of address. */
void occupancy_add(struct occupancy *o, const struct mmlens_table *table);
void occupancy_finish(struct occupancy *o);

/* Tables that would hold all of a level's used entries if they were full. */
uint64_t occupancy_needed(const struct occupancy_level *level);
/* The first and last number of entries in a bucket of a table of @entries. */
void occupancy_bucket(unsigned int bucket, unsigned int entries,
		      unsigned int *first, unsigned int *last);

/**
 * struct occupancy_sum - All levels that VmPTE counts; bytes.
 * @bytes:	of page tables: VmPTE
 * @reserve:	of them deposited
 * @needed:	what would do for the used entries
 * @wasted:	@bytes without @reserve and @needed
 * @tables:	how many in all
 * @empty:	of them without an entry in use, deposited ones apart
 */
struct occupancy_sum {
	uint64_t bytes;
	uint64_t reserve;
	uint64_t needed;
	uint64_t wasted;
	uint64_t tables;
	uint64_t empty;
};
void occupancy_sum(const struct occupancy *o, struct occupancy_sum *sum);

/**
 * struct tables_process - A line of tables --all.
 * @pid:	process
 * @comm:	its name
 * @sum:	of its page tables
 */
struct tables_process {
	int pid;
	char comm[16];
	struct occupancy_sum sum;
};

/**
 * struct tables_view - @summary of each process, or @all of many.
 * @table:	of each table, with --each, between @begin and @summary
 */
struct tables_view {
	void (*document)(struct view *v);
	void (*begin)(struct view *v, const struct mmlens_process *process,
		      bool each);
	void (*table)(struct view *v, const struct mmlens_table *table);
	void (*summary)(struct view *v, const struct occupancy *o, bool each,
			const struct mmlens_stats *stats);
	void (*all)(struct view *v, const struct tables_process *processes,
		    size_t count, const struct mmlens_stats *stats);
	void (*finish)(struct view *v);
};
extern const struct tables_view tables_text, tables_json;

/* ---- trace ---- */

/**
 * struct trace_shown - What a trace has come to.
 * @tgid:	the process
 * @begun:	ns of CLOCK_MONOTONIC
 * @ended:	the same
 * @untraced:	kinds that were asked for and can't be traced here
 * @entries:	entries of addresses are read
 * @summary:	no event is shown
 * @lost:	events
 * @count:	by kind
 * @ns:		that they took, by kind
 */
struct trace_shown {
	int tgid;
	uint64_t begun;
	uint64_t ended;
	uint64_t untraced;
	bool entries;
	bool summary;
	uint64_t lost;
	uint64_t count[TRACE_KINDS];
	uint64_t ns[TRACE_KINDS];
};

struct trace_view {
	void (*begin)(struct view *v, const struct trace_shown *shown);
	void (*event)(struct view *v, const struct trace_shown *shown,
		      const struct trace_event *event);
	void (*lost)(struct view *v, uint64_t count);
	void (*end)(struct view *v, const struct trace_shown *shown);
};
extern const struct trace_view trace_text, trace_json;

/* Kinds with what they mean. */
void trace_legend(FILE *out);

/* ---- info ---- */

void info_text(struct view *v);
void info_json(struct view *v);

/* ---- captures ---- */

/* What was written where. */
void snap_text(struct view *v, const char *path,
	       const struct mmlens_capture_request *request,
	       const struct mmlens_capture_stats *stats);
void snap_json(struct view *v, const char *path,
	       const struct mmlens_capture_request *request,
	       const struct mmlens_capture_stats *stats);

/* ---- what changed between two captures ---- */

/**
 * struct diff_sums - Of a mapping, or of all; see &struct mmlens_diff_area.
 */
struct diff_sums {
	uint64_t changed;
	uint64_t pages[MMLENS_DIFF_KINDS];
	uint64_t collapses;
	uint64_t splits;
};

struct diff_sums diff_sums_of(const struct mmlens_diff_area *area);
void diff_sums_add(struct diff_sums *sum, const struct diff_sums *add);
/* Is there anything to be said about it? */
bool diff_is_shown(const struct mmlens_diff_area *area);

/**
 * struct diff_step - A comparison.
 * @pid:	the process
 * @number:	of the comparison, from 1; 0: of two files
 * @seconds:	between the looks
 * @sums:	of all mappings, at the end
 */
struct diff_step {
	int pid;
	unsigned int number;
	double seconds;
	struct diff_sums sums;
};

/**
 * struct diff_view - @open comes before the first change of a mapping, where
 * changes are shown, @close for each mapping that has something to be said.
 */
struct diff_view {
	void (*begin)(struct view *v, const struct diff_step *step);
	void (*open)(struct view *v, const struct mmlens_diff_area *area);
	void (*change)(struct view *v, const struct mmlens_diff_change *change);
	void (*close)(struct view *v, const struct mmlens_diff_area *area,
		      bool opened);
	void (*end)(struct view *v, const struct diff_step *step);
};

extern const struct diff_view diff_text, diff_json;

/* ---- verify ---- */

/**
 * struct verify_mismatch - What differs, each time it is looked at.
 * @key:	where
 * @kernel:	what the kernel says
 * @ours:	what the module says
 */
struct verify_mismatch {
	char *key;
	char *kernel;
	char *ours;
};

/**
 * struct verify_result - What came of a check.
 * @name:	the check
 * @oracle:	what it compared with
 * @compared:	comparisons
 * @mismatches:	how many differed
 * @moved:	what never stood still, so that it couldn't be compared
 * @processes:	that were looked at
 * @refused:	that may not be
 * @skipped:	why there was nothing to compare with; NULL: there was
 * @error:	an errno that ended it, 0: none
 * @shown:	some of the mismatches
 * @count:	how many of them
 */
struct verify_result {
	const char *name;
	const char *oracle;
	uint64_t compared;
	uint64_t mismatches;
	uint64_t moved;
	unsigned int processes;
	unsigned int refused;
	char *skipped;
	int error;
	struct verify_mismatch *shown;
	size_t count;
};

/* Of all checks; skipped and failed ones are among them. */
struct verify_summary {
	unsigned int checks;
	unsigned int skipped;
	unsigned int failed;
	uint64_t compared;
	uint64_t mismatches;
};

struct verify_view {
	void (*begin)(struct view *v);
	void (*result)(struct view *v, const struct verify_result *result);
	void (*end)(struct view *v, const struct verify_summary *sum);
};
extern const struct verify_view verify_text, verify_json;

/* A check, what it compares with, and what it is about. */
void verify_list_text(struct view *v, const char *name, const char *oracle,
		      const char *what);

#endif
