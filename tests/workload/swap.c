// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of memory that is swapped out. */
#include "workload.h"

#define SIXTEEN		(16 * PAGE)

static char *before_clear;

static const char *make_before_clear(void)
{
	before_clear = slot_anon(SIXTEEN);
	madvise(before_clear, SIXTEEN, MADV_DONTFORK);
	fill(before_clear, SIXTEEN);
	return NULL;
}

static const char *make_swap_soft(void)
{
	const char *reason;

	fill(before_clear + SIXTEEN / 2, SIXTEEN / 2);
	reason = swap_out(before_clear, SIXTEEN);
	if (reason)
		return reason;
	region("swap_soft_clean", before_clear, SIXTEEN / 2);
	region("swap_soft_dirty", before_clear + SIXTEEN / 2, SIXTEEN / 2);
	return NULL;
}

static const char *make_swapped(const char *name)
{
	char *start = slot_anon(SIXTEEN);
	const char *reason;

	fill(start, SIXTEEN);
	reason = swap_out(start, SIXTEEN);
	if (!reason)
		region(name, start, SIXTEEN);
	return reason;
}

/* Swapped out, and then forked: both have the same slots. */
static const char *make_swap_shared(void)
{
	return make_swapped("swap_shared");
}

static const char *make_swap(void)
{
	return make_swapped("swap");
}

/* Back in memory; the slots stay theirs until they are written to. */
static const char *make_swap_back(void)
{
	char *start = slot_anon(SIXTEEN);
	const char *reason;

	fill(start, SIXTEEN);
	reason = swap_out(start, SIXTEEN);
	if (reason)
		return reason;
	touch(start, SIXTEEN);
	region("swap_back", start, SIXTEEN);
	return NULL;
}

/* The file keeps the slots, the page table nothing. */
static const char *make_swap_shmem(void)
{
	int fd = new_memfd("swapped", SIXTEEN, 0);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);
	const char *reason;

	fill(start, SIXTEEN);
	reason = swap_out(start, SIXTEEN);
	if (!reason)
		region("swap_shmem", start, SIXTEEN);
	return reason;
}

/*
 * A private mapping of a file of shared memory that is swapped out; one of its
 * pages was copied before.
 */
static const char *make_swap_shmem_private(void)
{
	int fd = new_memfd("swapped private", SIXTEEN, 0);
	char *shared = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);
	char *start = slot(2 * SIXTEEN, READ_WRITE, MAP_PRIVATE, fd);
	const char *reason;

	fill(shared, SIXTEEN);
	fill(start, PAGE);
	reason = swap_out(shared, SIXTEEN);
	munmap(shared, SIXTEEN);
	if (reason)
		return reason;
	region("swap_shmem_copied", start, PAGE);
	region("swap_shmem_private", start + PAGE, 2 * SIXTEEN - PAGE);
	return NULL;
}

/* Some pages are there, some swapped out, some in neither mapping's table. */
static const char *make_swap_shmem_part(void)
{
	int fd = new_memfd("swapped part", 2 * SIXTEEN, 0);
	char *start = slot(2 * SIXTEEN, READ_WRITE, MAP_SHARED, fd);
	const char *reason;

	fill(start, SIXTEEN);
	reason = swap_out(start, SIXTEEN);
	if (reason)
		return reason;
	region("swap_shmem_part", start, SIXTEEN);
	fill(start + SIXTEEN, SIXTEEN / 2);
	region("swap_shmem_there", start + SIXTEEN, SIXTEEN / 2);
	return NULL;
}

static const char *make_swap_thp(void)
{
	char *start = slot(MIB2, READ_WRITE, ANON_PRIVATE, -1);
	const char *reason;

	madvise(start, MIB2, MADV_HUGEPAGE);
	fill(start, MIB2);
	reason = swap_out(start, MIB2);
	if (!reason)
		region("swap_thp", start, MIB2);
	return reason;
}

static const char *make_swap_prot_none(void)
{
	char *start = slot_anon(SIXTEEN);
	const char *reason;

	fill(start, SIXTEEN);
	reason = swap_out(start, SIXTEEN);
	if (reason)
		return reason;
	if (mprotect(start, SIXTEEN, PROT_NONE))
		return because("mprotect");
	region("swap_prot_none", start, SIXTEEN);
	return NULL;
}

const struct kind swap_kinds[] = {
	{ "swap_before_clear", PHASE_CLEAR, make_before_clear },
	{ "swap_soft", PHASE_CLEARED, make_swap_soft },
	{ "swap_shared", PHASE_FORK, make_swap_shared },
	{ "swap", PHASE_FORKED, make_swap },
	{ "swap_back", PHASE_FORKED, make_swap_back },
	{ "swap_shmem", PHASE_FORKED, make_swap_shmem },
	{ "swap_shmem_private", PHASE_FORKED, make_swap_shmem_private },
	{ "swap_shmem_part", PHASE_FORKED, make_swap_shmem_part },
	{ "swap_thp", PHASE_FORKED, make_swap_thp },
	{ "swap_prot_none", PHASE_FORKED, make_swap_prot_none },
	{ NULL, 0, NULL },
};
