/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that verify makes, with page-table entries of known kinds. */
#ifndef MMLENS_VERIFY_CHILD_H
#define MMLENS_VERIFY_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum verify_kind - What the entries of a region are, and why.
 * @VERIFY_WRITTEN:	anonymous memory that was written to
 * @VERIFY_ZERO:	anonymous memory that was only read: the zero page
 * @VERIFY_SHARED:	shared memory that was written to
 * @VERIFY_FILE:	a file's private pages that were read
 * @VERIFY_COPIED:	a file's private pages that were written to
 * @VERIFY_READ_ONLY:	written to, then made read-only
 * @VERIFY_NO_ACCESS:	written to, then made inaccessible
 * @VERIFY_LOCKED:	mlock()ed
 * @VERIFY_LAZY:	written to, then MADV_FREE
 * @VERIFY_HUGE:	memory that may be of huge pages
 * @VERIFY_HUGETLB:	hugetlb
 * @VERIFY_SWAPPED:	pushed out to swap
 * @VERIFY_UFFD_WP:	write-protected by userfaultfd
 * @VERIFY_GUARD:	guard markers
 * @VERIFY_HOLES:	each third page was written to
 */
enum verify_kind {
	VERIFY_WRITTEN,
	VERIFY_ZERO,
	VERIFY_SHARED,
	VERIFY_FILE,
	VERIFY_COPIED,
	VERIFY_READ_ONLY,
	VERIFY_NO_ACCESS,
	VERIFY_LOCKED,
	VERIFY_LAZY,
	VERIFY_HUGE,
	VERIFY_HUGETLB,
	VERIFY_SWAPPED,
	VERIFY_UFFD_WP,
	VERIFY_GUARD,
	VERIFY_HOLES,
	VERIFY_KINDS,
};

/* A region of one kind; without one @start is 0. */
struct verify_region {
	uint64_t start;
	uint64_t end;
};

/**
 * struct verify_child - The process.
 * @pid:	its PID; 0: there is none
 * @regions:	by kind
 */
struct verify_child {
	int pid;
	struct verify_region *regions;
};

/* Start it and wait until its entries are there.  Return: 0 or a negative errno. */
int verify_child_start(struct verify_child *child);
void verify_child_end(struct verify_child *child);

#endif
