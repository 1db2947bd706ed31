/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: LRU lists, and samples of processes and zones. */
#ifndef LIBMMLENS_LRU_H
#define LIBMMLENS_LRU_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- LRU lists ---- */

/**
 * struct mmlens_lru_contents - An LRU list.
 * @list:	what it is, as its last part said: %MMLENS_LIST_CUT in its flags
 *		says that the rest of it was left
 * @start:	position of the first folio from the tail, which reclaim takes
 *		first; the next one has the next position
 * @count:	how many folios there are
 * @folios:	the state of the first page of each, a moment after it was found on
 *		the list: lru and generation say whether it still is
 * @backings:	what backs each; NULL where it wasn't asked for.  One that isn't
 *		known is all zero
 */
struct mmlens_lru_contents {
	struct mmlens_lru_list list;
	uint64_t start;
	size_t count;
	const struct mmlens_pfns *folios;
	const struct mmlens_backing *backings;
};

/** mmlens_lru_is_same() - Are these records of the same list? */
bool mmlens_lru_is_same(const struct mmlens_lru_list *a,
			const struct mmlens_lru_list *b);

/**
 * mmlens_lru_read() - Read the LRU lists, one after the other.
 * @lens:	the connection
 * @request:	flags: %MMLENS_WALK_FOLIOS and with it %MMLENS_WALK_BACKING, or 0;
 *		start and end: positions on each list, from its tail; from: the
 *		list to begin with
 * @told:	is given each list as it is complete, for the time of the call; not
 *		0: read no further
 * @context:	for @told
 * @stats:	added to; may be NULL
 *
 * Returns: 0, what @told returned, or a negative errno.
 */
int mmlens_lru_read(struct mmlens *lens, const struct mmlens_request *request,
		    int (*told)(const struct mmlens_lru_contents *lru, void *context),
		    void *context, struct mmlens_stats *stats);

/* ---- a process on the LRU lists ---- */

/* Parts of a list in a histogram, from its tail, which reclaim takes first. */
#define MMLENS_LRU_PARTS	10

/**
 * enum mmlens_lru_off - Why a mapped page is on no list.
 * @MMLENS_LRU_ON:	it is on one
 * @MMLENS_LRU_OFF_NONE: taken off for a while, as by reclaim or a move, or not put
 *			on one yet: CPUs do that in batches
 * @MMLENS_LRU_OFF_MOVED: it was on one, but went on before that was read
 * @MMLENS_LRU_OFF_UNLINKED: it can't be evicted, and the kernel links such pages
 *			on no list (5.18 and later)
 * @MMLENS_LRU_OFF_HUGETLB: of hugetlb
 * @MMLENS_LRU_OFF_ZERO: a zero page
 * @MMLENS_LRU_OFF_SPECIAL: one that the kernel doesn't account, or a device's
 * @MMLENS_LRU_OFF_MIGRATION: the entry waits for its page to be moved
 * @MMLENS_LRU_OFFS:	how many
 */
enum mmlens_lru_off {
	MMLENS_LRU_ON,
	MMLENS_LRU_OFF_NONE,
	MMLENS_LRU_OFF_MOVED,
	MMLENS_LRU_OFF_UNLINKED,
	MMLENS_LRU_OFF_HUGETLB,
	MMLENS_LRU_OFF_ZERO,
	MMLENS_LRU_OFF_SPECIAL,
	MMLENS_LRU_OFF_MIGRATION,
	MMLENS_LRU_OFFS,
};

/**
 * struct mmlens_lru_share - What a process has on a list.
 * @list:	the list
 * @folios:	folios on all of it
 * @pages:	pages that the process maps there, each as often as it does
 * @parts:	the same by place: the first is the tail
 */
struct mmlens_lru_share {
	struct mmlens_lru_list list;
	uint64_t folios;
	uint64_t pages;
	uint64_t parts[MMLENS_LRU_PARTS];
};

/**
 * struct mmlens_lru_mapping - Pages of one folio that a process maps in a row.
 * @pfn:	of the folio's first page
 * @va:		address of the first of these
 * @pages:	how many
 * @lru:	&enum mmlens_lru as it was mapped
 * @off:	&enum mmlens_lru_off
 * @goes:	reclaim would take it
 */
struct mmlens_lru_mapping {
	uint64_t pfn;
	uint64_t va;
	uint32_t pages;
	uint8_t lru;
	uint8_t off;
	bool goes;
};

#define MMLENS_LRU_CLASSIC	(1u << 0)
#define MMLENS_LRU_GENERATIONS	(1u << 1)

/**
 * struct mmlens_lru_after - What reclaim would take, by a model of it.
 * @asked:	pages to be reclaimed
 * @taken:	pages that would be; less than @asked: there is no more
 * @named:	pages of the process among them, each as often as it is mapped
 * @kinds:	MMLENS_LRU_CLASSIC and MMLENS_LRU_GENERATIONS: of lists that it takes
 *		from
 * @swap:	pages that could be swapped out
 * @swappiness:	0 to 200
 * @memcg:	path of the memory cgroup that it takes from, with those below;
 *		NULL: from the machine
 */
struct mmlens_lru_after {
	uint64_t asked;
	uint64_t taken;
	uint64_t named;
	unsigned int kinds;
	uint64_t swap;
	unsigned int swappiness;
	char *memcg;
};

/**
 * struct mmlens_lru_process - Where a process's pages stand.
 * @mapped:	pages that it maps, each as often as it does: the sum of @on and
 *		@off
 * @on:		of them on lists
 * @off:	of them on none, by &enum mmlens_lru_off
 * @swapped:	pages that are swapped out
 * @shares:	lists that have some of them, in the order of the lists
 * @share_count: how many
 * @mappings:	all of them, in order of address
 * @mapping_count: how many
 * @after:	what reclaim would take; all zero where it wasn't asked for
 * @stats:	of all walks
 */
struct mmlens_lru_process {
	uint64_t mapped;
	uint64_t on;
	uint64_t off[MMLENS_LRU_OFFS];
	uint64_t swapped;
	struct mmlens_lru_share *shares;
	size_t share_count;
	struct mmlens_lru_mapping *mappings;
	size_t mapping_count;
	struct mmlens_lru_after after;
	struct mmlens_stats stats;
};

/**
 * mmlens_lru_process_read() - Find a process's pages on the LRU lists.
 * @lens:	the connection
 * @pid:	the process
 * @after:	pages to reclaim, in a model, from its memory cgroup; 0: no model
 *
 * Memory grows with the pages that the process maps, and with @after with the
 * folios of its memory cgroup.
 *
 * Return: to be freed with mmlens_lru_process_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_lru_process *
mmlens_lru_process_read(struct mmlens *lens, int pid, uint64_t after);

/** mmlens_lru_process_free() - NULL is fine. */
void mmlens_lru_process_free(struct mmlens_lru_process *process);

/** mmlens_lru_off_name() - "batch", "hugetlb" and so on; "?" for none. */
const char *mmlens_lru_off_name(unsigned int off);

/* ---- two looks at the LRU lists ---- */

struct mmlens_lru_look;

/**
 * mmlens_lru_look_read() - Note which folio is on which list.
 * @lens:	the connection
 *
 * It takes 16 bytes a folio.
 *
 * Return: to be freed with mmlens_lru_look_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_lru_look *mmlens_lru_look_read(struct mmlens *lens);

/** mmlens_lru_look_free() - NULL is fine. */
void mmlens_lru_look_free(struct mmlens_lru_look *look);

/**
 * enum mmlens_lru_place - Where a page is, for a comparison of two looks.
 * @MMLENS_PLACE_NONE:	on no list; in the first look: not in use as it is now
 * @MMLENS_PLACE_ISOLATED: on no list, but in use: taken off for a while
 * @MMLENS_PLACE_LIST:	with &enum mmlens_lru added: on that classic list
 * @MMLENS_PLACE_ANON_GEN: in an anonymous generation: the youngest; those up to 3
 *			places behind it are older by as many
 * @MMLENS_PLACE_FILE_GEN: the same of a file generation
 * @MMLENS_PLACES:	how many
 */
enum mmlens_lru_place {
	MMLENS_PLACE_NONE	= 0,
	MMLENS_PLACE_ISOLATED	= 1,
	MMLENS_PLACE_LIST	= 1,
	MMLENS_PLACE_ANON_GEN	= 7,
	MMLENS_PLACE_FILE_GEN	= 11,
	MMLENS_PLACES		= 15,
};

/**
 * struct mmlens_lru_moves - What moved between two looks, in pages.
 * @pages:	by place in the first look and by place in the second; those that
 *		stayed, too
 * @appeared:	that are on a list now and weren't
 * @left:	that were on a list and are in use no more, or not as they were
 * @isolated:	that were on a list and are on none, but still in use
 * @activated:	from an inactive list to the active one, or to a younger
 *		generation
 * @deactivated: the other way round, but for those that grew older where they are
 * @aged:	whose generation is the same and isn't as young any more, as others
 *		began
 * @other:	between classic lists and generations, from or to unevictable, or
 *		from one type or memory cgroup to another
 */
struct mmlens_lru_moves {
	uint64_t pages[MMLENS_PLACES][MMLENS_PLACES];
	uint64_t appeared;
	uint64_t left;
	uint64_t isolated;
	uint64_t activated;
	uint64_t deactivated;
	uint64_t aged;
	uint64_t other;
	struct mmlens_stats stats;
};

/**
 * mmlens_lru_moves_read() - Compare two looks.
 * @lens:	the connection: what became of pages that are on no list any more
 *		is asked now
 * @moves:	out
 *
 * Pages are known by their PFN: one that was freed and used again between the
 * looks counts as moved.
 *
 * Return: 0 or a negative errno.
 */
int mmlens_lru_moves_read(struct mmlens *lens,
			  const struct mmlens_lru_look *before,
			  const struct mmlens_lru_look *after,
			  struct mmlens_lru_moves *moves);

/** mmlens_lru_look_stats() - What the walk was like. */
const struct mmlens_stats *
mmlens_lru_look_stats(const struct mmlens_lru_look *look);

/** mmlens_lru_look_pages() - Pages that are on lists. */
uint64_t mmlens_lru_look_pages(const struct mmlens_lru_look *look);

/** mmlens_lru_place_name() - "inactive_file", "anon_gen0" and so on. */
const char *mmlens_lru_place_name(unsigned int place);

/* ---- samples: processes and zones at one moment ---- */

#define MMLENS_SAMPLE_SUMS	(1u << 0)  /* walk page tables for their sums */
#define MMLENS_SAMPLE_LRU	(1u << 1)  /* and for the pages' LRU lists */
#define MMLENS_SAMPLE_ZONES	(1u << 2)  /* nodes and zones */

/**
 * struct mmlens_target - A process to be sampled.
 * @pid:	its PID
 * @start:	when it was started, in clock ticks since boot: another process of
 *		that PID isn't it
 */
struct mmlens_target {
	int pid;
	uint64_t start;
};

/**
 * struct mmlens_sample_process - A process in a sample.
 * @pid:	its PID
 * @exited:	it has gone, or is a zombie: nothing but @pid is known
 * @known:	%MMLENS_SAMPLE_SUMS: @sums is, %MMLENS_SAMPLE_LRU: @lru is
 * @name:	its name, NUL-terminated
 * @vsize:	VmSize of /proc/PID/status; this and what follows in bytes, by the
 *		kernel's own counters, which may be off by some pages a CPU
 * @rss_anon:	RssAnon
 * @rss_file:	RssFile
 * @rss_shmem:	RssShmem
 * @hugetlb:	HugetlbPages
 * @swap:	VmSwap
 * @tables:	VmPTE
 * @minor_faults: of all of its threads since it was started
 * @major_faults: those that had to wait for a device
 * @sums:	over all of its VMAs, as smaps_rollup
 * @lru:	pages that it maps, each as often as it does, by &enum
 *		mmlens_lru_place: %MMLENS_PLACE_NONE are on no list
 */
struct mmlens_sample_process {
	int pid;
	bool exited;
	unsigned int known;
	char name[64];
	uint64_t vsize;
	uint64_t rss_anon;
	uint64_t rss_file;
	uint64_t rss_shmem;
	uint64_t hugetlb;
	uint64_t swap;
	uint64_t tables;
	uint64_t minor_faults;
	uint64_t major_faults;
	struct mmlens_smaps sums;
	uint64_t lru[MMLENS_PLACES];
};

#define MMLENS_SAMPLE_ORDERS	16

/**
 * struct mmlens_sample_zone - A zone that has pages; all in pages.
 * @node:	its node
 * @kswapd_runs: the node's kswapd doesn't sleep
 * @name:	"DMA", "Normal", ..., NUL-terminated
 * @free:	as in &struct mmlens_zone, and so are the watermarks
 * @min:	below that only the privileged may allocate
 * @low:	below that kswapd is woken
 * @high:	at that it sleeps again
 * @orders:	how many orders there are
 * @blocks:	free blocks in its lists, by order
 */
struct mmlens_sample_zone {
	uint32_t node;
	bool kswapd_runs;
	char name[16];
	uint64_t free;
	uint64_t min;
	uint64_t low;
	uint64_t high;
	size_t orders;
	uint64_t blocks[MMLENS_SAMPLE_ORDERS];
};

/**
 * struct mmlens_sample - What there was at one moment.
 * @time_ns:	nanoseconds since 1970 when it was begun
 * @at_ns:	the same by a clock that is never set (CLOCK_MONOTONIC)
 * @cost_ns:	time that it took
 * @stats:	of all walks
 * @processes:	in the order of the targets
 * @process_count: how many
 * @zones:	in order of node and zone
 * @zone_count:	how many
 */
struct mmlens_sample {
	uint64_t time_ns;
	uint64_t at_ns;
	uint64_t cost_ns;
	struct mmlens_stats stats;
	struct mmlens_sample_process *processes;
	size_t process_count;
	struct mmlens_sample_zone *zones;
	size_t zone_count;
};

/**
 * mmlens_target_find - Look a process up that is to be sampled.
 *
 * Return: 0, -ESRCH for no such process, -ENXIO for one without an address space,
 * or another negative errno.
 */
int mmlens_target_find(int pid, struct mmlens_target *target);

/**
 * mmlens_sample_read - Take a sample.
 * @lens:	connection
 * @targets:	processes
 * @count:	how many
 * @flags:	MMLENS_SAMPLE_*
 *
 * Counters, sums, lists and zones are read one after the other.  No accessed bit
 * is changed.
 *
 * Return: to be freed with mmlens_sample_free(); NULL and errno as
 * mmlens_stream_open().  Processes that have gone are no error.
 */
struct mmlens_sample *mmlens_sample_read(struct mmlens *lens,
					 const struct mmlens_target *targets,
					 size_t count, unsigned int flags);

/** mmlens_sample_free - NULL is fine. */
void mmlens_sample_free(struct mmlens_sample *sample);

/**
 * mmlens_accessed_clear - Have the kernel clear the accessed bits of a process.
 * @target:	the process; never another one that has its PID by now
 * @cost_ns:	out: time that it took
 *
 * By the kernel's own interface, which is 1 written to /proc/PID/clear_refs.  It
 * changes the entries of the process, flushes its TLB, and its pages look unused
 * to reclaim.
 *
 * Return: 0, -ESRCH, or another negative errno.
 */
int mmlens_accessed_clear(const struct mmlens_target *target,
			  uint64_t *cost_ns);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_LRU_H */
