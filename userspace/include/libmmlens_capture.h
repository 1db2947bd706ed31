/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: captures, and what changed between two. */
#ifndef LIBMMLENS_CAPTURE_H
#define LIBMMLENS_CAPTURE_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- captures ---- */

/**
 * struct mmlens_capture_request - What goes into a capture.
 * @pids:	processes
 * @count:	how many
 * @machine:	zones, free blocks, page frames, LRU lists, who maps what, the
 *		kernel's page table and the list of all processes
 * @entries:	of processes the mappings and page-table entries alone
 * @progress:	told now and then of bytes written and records so far; returns
 *		true to end it, with -EINTR.  May be NULL.
 * @context:	for it
 */
struct mmlens_capture_request {
	const int *pids;
	size_t count;
	bool machine;
	bool entries;
	bool (*progress)(uint64_t bytes, uint64_t records, void *context);
	void *context;
};

/**
 * struct mmlens_capture_stats - What came of it.
 * @records:	records in it
 * @bytes:	of the file
 * @failed_pid:	the process that an error is about; 0: none
 * @walk:	of all walks
 */
struct mmlens_capture_stats {
	uint64_t records;
	uint64_t bytes;
	int failed_pid;
	struct mmlens_stats walk;
};

/**
 * mmlens_capture_write - Write a capture (docs/capture.md).
 * @lens:	connection to a running machine
 * @path:	the file.  It is there when it is whole and on the disk; one of
 *		that name is replaced then.  Until then nothing is.
 * @request:	what goes into it
 * @stats:	out, after an error too
 *
 * Memory doesn't grow with what is captured, but for the index: some bytes for
 * every 256 KiB of records, and the bounds of the mappings of one process.
 * Where there is more than one processor, up to two threads compress meanwhile;
 * they get no signals and end before it returns.
 *
 * Return: 0, or a negative errno: of the file, of a query, -EINTR.
 */
int mmlens_capture_write(struct mmlens *lens, const char *path,
			 const struct mmlens_capture_request *request,
			 struct mmlens_capture_stats *stats);

/**
 * mmlens_capture_now - A capture without a name, for this process alone.
 * @directory:	whose file system it takes room of
 *
 * As mmlens_capture_write() followed by mmlens_capture_open(), but files of
 * /proc and /sys go on to be the running machine's.
 *
 * Return: NULL and errno.
 */
struct mmlens *mmlens_capture_now(struct mmlens *lens, const char *directory,
				  const struct mmlens_capture_request *request,
				  struct mmlens_capture_stats *stats);

/**
 * mmlens_capture_open - A connection that answers out of a capture.
 * @path:	the file
 * @why:	out: what is wrong with it, for people, after an error
 * @room:	bytes of it
 *
 * Until it is closed, functions of this library that read files of /proc and
 * /sys read those that the capture has, in this process, of the one that was
 * opened last.  A query that it has no answer to ends with ENODATA, a process
 * that it doesn't have with ESRCH, damage that is met later with EBADMSG.
 *
 * Return: NULL and errno, EBADMSG for a file that isn't a whole capture.
 */
struct mmlens *mmlens_capture_open(const char *path, char *why, size_t room);

/**
 * mmlens_capture_why - What was wrong with the last query, for people.
 *
 * Return: NULL when nothing was, or it isn't a capture.
 */
const char *mmlens_capture_why(const struct mmlens *lens);

/**
 * struct mmlens_capture_about - When and of what.
 * @seconds:	since 1970, when it was taken
 * @machine:	of the machine, too
 */
struct mmlens_capture_about {
	uint64_t seconds;
	bool machine;
};

/** mmlens_capture_about - Return: false for a running machine. */
bool mmlens_capture_about(const struct mmlens *lens,
			  struct mmlens_capture_about *about);

/** mmlens_capture_pids - Processes in it: how many; as many as fit into @pids. */
size_t mmlens_capture_pids(const struct mmlens *lens, int *pids, size_t room);

/* ---- what changed between two captures ---- */

/*
 * What became of a page; one may have several.  Those from
 * %MMLENS_DIFF_DIRTIED to %MMLENS_DIFF_PROTECTED are of pages that are the same
 * on both sides, or were moved.
 */
#define MMLENS_DIFF_FAULTED_IN	(1u << 0)
#define MMLENS_DIFF_COW		(1u << 1)
#define MMLENS_DIFF_MIGRATED	(1u << 2)
#define MMLENS_DIFF_REPLACED	(1u << 3)
#define MMLENS_DIFF_COLLAPSED	(1u << 4)
#define MMLENS_DIFF_SPLIT	(1u << 5)
#define MMLENS_DIFF_SWAPPED_OUT	(1u << 6)
#define MMLENS_DIFF_SWAPPED_IN	(1u << 7)
#define MMLENS_DIFF_DIRTIED	(1u << 8)
#define MMLENS_DIFF_CLEANED	(1u << 9)
#define MMLENS_DIFF_ACCESSED	(1u << 10)
#define MMLENS_DIFF_CLEARED	(1u << 11)
#define MMLENS_DIFF_PROTECTED	(1u << 12)
#define MMLENS_DIFF_UNMAPPED	(1u << 13)
#define MMLENS_DIFF_OTHER	(1u << 14)
#define MMLENS_DIFF_KINDS	15

/**
 * struct mmlens_diff_change - A stretch that one entry translates on each side.
 * @start:	first address
 * @end:	address after the last
 * @kinds:	MMLENS_DIFF_*, never 0
 * @before:	the entry, which may be larger than the stretch; NULL: none
 * @after:	likewise
 */
struct mmlens_diff_change {
	uint64_t start;
	uint64_t end;
	unsigned int kinds;
	const struct mmlens_entry *before;
	const struct mmlens_entry *after;
};

/**
 * struct mmlens_diff_area - A mapping, or what is left of one that isn't there.
 * @start:	first address
 * @end:	address after the last
 * @before:	the mapping that was there, the first if there were several;
 *		NULL: none
 * @after:	the one that is there; NULL: none
 * @changed:	pages of the base size with any change
 * @pages:	likewise, by the number of the bit of what became of them
 * @collapses:	larger leaves that came to be
 * @splits:	larger leaves that were split
 */
struct mmlens_diff_area {
	uint64_t start;
	uint64_t end;
	const struct mmlens_area *before;
	const struct mmlens_area *after;
	uint64_t changed;
	uint64_t pages[MMLENS_DIFF_KINDS];
	uint64_t collapses;
	uint64_t splits;
};

/**
 * struct mmlens_diff_told - Who is told, in order of address.
 * @begin:	a mapping begins, nothing is counted yet; NULL: nobody
 * @change:	a change in it; NULL: nobody
 * @area:	the mapping, with all that was counted, changed or not
 *
 * Each returns 0, or what is to end it.
 */
struct mmlens_diff_told {
	int (*begin)(const struct mmlens_diff_area *area, void *context);
	int (*change)(const struct mmlens_diff_change *change, void *context);
	int (*area)(const struct mmlens_diff_area *area, void *context);
};

/**
 * mmlens_diff - Compare the address spaces of two captures.
 * @before:	the earlier one
 * @after:	the later one
 * @pid_before:	a process of the earlier one
 * @pid_after:	of the later one, as a rule the same
 * @told:	who is told
 * @context:	for him
 *
 * Memory doesn't grow with what is compared.
 *
 * Return: 0; -EXDEV for captures of machines whose page tables aren't alike;
 * another negative errno; or what was returned by one who was told.
 */
int mmlens_diff(struct mmlens *before, struct mmlens *after, int pid_before,
		int pid_after, const struct mmlens_diff_told *told,
		void *context);

/** mmlens_diff_flags - MMLENS_DIFF_*, with what they mean. */
const struct mmlens_flag *mmlens_diff_flags(void);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_CAPTURE_H */
