// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of huge pages: transparent ones, and of hugetlb. */
#include <errno.h>
#include <linux/memfd.h>
#include <unistd.h>

#include "workload.h"

#define HUGE_2M		(21 << MAP_HUGE_SHIFT)
#define HUGE_1G		(30 << MAP_HUGE_SHIFT)
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT	26
#endif

#define THP_DIRECTORY	"/sys/kernel/mm/transparent_hugepage/"
#define HUGETLB_1G_FREE	"/sys/kernel/mm/hugepages/hugepages-1048576kB/" \
			"free_hugepages"

static char *slot_thp(size_t size)
{
	char *start = slot(size, READ_WRITE, ANON_PRIVATE, -1);

	if (start == MAP_FAILED || madvise(start, size, MADV_HUGEPAGE))
		return NULL;
	return start;
}

/* Do the frames of 2 MiB at start follow each other, from an aligned one? */
static bool is_huge(const char *start)
{
	uint64_t first = pagemap_of(start) & PAGEMAP_PFN;

	if (!first || first % (MIB2 / PAGE))
		return false;
	for (size_t page = 0; page < MIB2 / PAGE; page++)
		if ((pagemap_of(start + page * PAGE) & PAGEMAP_PFN) !=
		    first + page)
			return false;
	return true;
}

static const char *make_huge_zero(void)
{
	char *start = slot_thp(2 * MIB2);

	if (!start)
		return because("MADV_HUGEPAGE");
	touch(start, 1);
	touch(start + MIB2, 1);
	if (!is_huge(start))
		return "a read fault gave no huge zero page";
	region("huge_zero", start, 2 * MIB2);
	return NULL;
}

static const char *make_thp(void)
{
	char *start = slot_thp(2 * MIB2);

	if (!start)
		return because("MADV_HUGEPAGE");
	fill(start, 2 * MIB2);
	if (!is_huge(start) || !is_huge(start + MIB2))
		return "no huge page to be had";
	region("thp", start, 2 * MIB2);
	return NULL;
}

/* A huge page that entries of 4 KiB map, since one of them differs. */
static const char *make_thp_split(void)
{
	char *start = slot_thp(MIB2);

	if (!start)
		return because("MADV_HUGEPAGE");
	fill(start, MIB2);
	if (!is_huge(start))
		return "no huge page to be had";
	if (mprotect(start + 7 * PAGE, PAGE, PROT_READ))
		return because("mprotect");
	region("thp_split", start, MIB2);
	return NULL;
}

static const char *make_thp_prot_none(void)
{
	char *start = slot_thp(MIB2);

	if (!start)
		return because("MADV_HUGEPAGE");
	fill(start, MIB2);
	if (!is_huge(start))
		return "no huge page to be had";
	if (mprotect(start, MIB2, PROT_NONE))
		return because("mprotect");
	region("thp_prot_none", start, MIB2);
	return NULL;
}

/* Not written since clear_refs. */
static char *thp_before_clear;

static const char *make_thp_before_clear(void)
{
	thp_before_clear = slot_thp(2 * MIB2);
	if (!thp_before_clear)
		return because("MADV_HUGEPAGE");
	madvise(thp_before_clear, 2 * MIB2, MADV_DONTFORK);
	fill(thp_before_clear, 2 * MIB2);
	if (!is_huge(thp_before_clear) || !is_huge(thp_before_clear + MIB2))
		return "no huge page to be had";
	return NULL;
}

static const char *make_thp_soft_clean(void)
{
	if (!thp_before_clear || !is_huge(thp_before_clear))
		return "no huge page to be had";
	fill(thp_before_clear + MIB2, MIB2);
	region("thp_soft_clean", thp_before_clear, MIB2);
	region("thp_soft_dirty", thp_before_clear + MIB2, MIB2);
	return NULL;
}

static const char *make_thp_shmem(void)
{
	int fd = new_memfd("huge memfd", MIB2, 0);
	char *start = slot(MIB2, READ_WRITE, MAP_SHARED, fd);

	if (madvise(start, MIB2, MADV_HUGEPAGE))
		return because("MADV_HUGEPAGE");
	fill(start, MIB2);
	if (!is_huge(start))
		return "no huge page of shared memory to be had";
	region("thp_shmem", start, MIB2);
	return NULL;
}

static const char *make_thp_locked(void)
{
	char *start = slot_thp(MIB2);

	if (!start)
		return because("MADV_HUGEPAGE");
	fill(start, MIB2);
	if (!is_huge(start))
		return "no huge page to be had";
	if (mlock(start, MIB2))
		return because("mlock");
	region("thp_locked", start, MIB2);
	return NULL;
}

/* A private mapping of a huge page of shared memory, of which one is a copy. */
static const char *make_thp_shmem_private(void)
{
	int fd = new_memfd("huge private", MIB2, 0);
	char *shared = slot(MIB2, READ_WRITE, MAP_SHARED, fd);
	char *start = slot(MIB2, READ_WRITE, MAP_PRIVATE, fd);

	if (madvise(shared, MIB2, MADV_HUGEPAGE))
		return because("MADV_HUGEPAGE");
	fill(shared, MIB2);
	if (!is_huge(shared))
		return "no huge page of shared memory to be had";
	fill(start, PAGE);
	touch(start, MIB2);
	region("thp_shmem_copied", start, PAGE);
	region("thp_shmem_private", start + PAGE, MIB2 - PAGE);
	return NULL;
}

static const char *make_thp_collapsed(void)
{
	char *start = slot_anon(MIB2);

	fill(start, MIB2);
	madvise(start, MIB2, MADV_HUGEPAGE);
	for (int attempt = 0; madvise(start, MIB2, MADV_COLLAPSE); attempt++)
		if (errno != EAGAIN || attempt == 10)
			return because("MADV_COLLAPSE");
	region("thp_collapsed", start, MIB2);
	return NULL;
}

static const char *make_mthp(void)
{
	char *start = slot_thp(64ul << 10);

	if (access(THP_DIRECTORY "hugepages-64kB", F_OK))
		return "no transparent huge pages of 64 KiB in this kernel";
	fill(start, PAGE);
	if (!(pagemap_of(start + 15 * PAGE) & PAGEMAP_PRESENT))
		return "no huge page of 64 KiB to be had";
	region("mthp", start, 64ul << 10);
	return NULL;
}

static const char *make_hugetlb(void)
{
	char *start = slot(3 * MIB2, READ_WRITE,
			   ANON_PRIVATE | MAP_HUGETLB | HUGE_2M, -1);

	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(start, 1);
	fill(start + MIB2, 1);
	region("hugetlb", start, 2 * MIB2);
	region("hugetlb_untouched", start + 2 * MIB2, MIB2);
	return NULL;
}

static const char *make_hugetlb_shared(void)
{
	char *start = slot(MIB2, READ_WRITE,
			   ANON_SHARED | MAP_HUGETLB | HUGE_2M, -1);

	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(start, 1);
	region("hugetlb_shared", start, MIB2);
	return NULL;
}

/* A page of the file, mapped privately and not written to. */
static const char *make_hugetlb_memfd(void)
{
	int fd = new_memfd("huge", MIB2, MFD_HUGETLB | MFD_HUGE_2MB);
	char *start;

	if (fd < 0)
		return because("MFD_HUGETLB");
	start = slot(MIB2, READ_WRITE, MAP_SHARED, fd);
	if (start == MAP_FAILED)
		return because("MFD_HUGETLB: mmap");
	fill(start, 1);
	munmap(start, MIB2);
	start = slot(MIB2, READ_WRITE, MAP_PRIVATE, fd);
	touch(start, 1);
	region("hugetlb_memfd", start, MIB2);
	return NULL;
}

static const char *make_hugetlb_prot_none(void)
{
	char *start = slot(MIB2, READ_WRITE,
			   ANON_PRIVATE | MAP_HUGETLB | HUGE_2M, -1);

	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(start, 1);
	if (mprotect(start, MIB2, PROT_NONE))
		return because("mprotect");
	region("hugetlb_prot_none", start, MIB2);
	return NULL;
}

static const char *make_hugetlb_1g(void)
{
	char *start;

	if (number_in(HUGETLB_1G_FREE) < 1)
		return "no hugetlb page of 1 GiB is reserved "
		       "(hugepagesz=1G hugepages=1 at boot)";
	start = slot(GIB, READ_WRITE,
		     ANON_PRIVATE | MAP_HUGETLB | HUGE_1G, -1);
	if (start == MAP_FAILED)
		return because("MAP_HUGETLB of 1 GiB");
	fill(start, 1);
	region("hugetlb_1g", start, GIB);
	return NULL;
}

static const char *make_hugetlb_hwpoison(void)
{
	char *start = slot(MIB2, READ_WRITE,
			   ANON_PRIVATE | MAP_HUGETLB | HUGE_2M, -1);

	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(start, 1);
	if (madvise(start, MIB2, MADV_HWPOISON) && errno != EINTR)
		return because("MADV_HWPOISON");
	if (pagemap_of(start) & PAGEMAP_PRESENT)
		return "the poisoned hugetlb page stayed mapped";
	region("hugetlb_hwpoison", start, MIB2);
	return NULL;
}

const struct kind huge_kinds[] = {
	{ "thp_before_clear", PHASE_CLEAR, make_thp_before_clear },
	{ "thp_soft_clean", PHASE_CLEARED, make_thp_soft_clean },
	{ "huge_zero", PHASE_FORKED, make_huge_zero },
	{ "thp", PHASE_FORKED, make_thp },
	{ "thp_split", PHASE_FORKED, make_thp_split },
	{ "thp_prot_none", PHASE_FORKED, make_thp_prot_none },
	{ "thp_shmem", PHASE_FORKED, make_thp_shmem },
	{ "thp_locked", PHASE_FORKED, make_thp_locked },
	{ "thp_shmem_private", PHASE_FORKED, make_thp_shmem_private },
	{ "thp_collapsed", PHASE_FORKED, make_thp_collapsed },
	{ "mthp", PHASE_FORKED, make_mthp },
	{ "hugetlb", PHASE_FORKED, make_hugetlb },
	{ "hugetlb_shared", PHASE_FORKED, make_hugetlb_shared },
	{ "hugetlb_memfd", PHASE_FORKED, make_hugetlb_memfd },
	{ "hugetlb_prot_none", PHASE_FORKED, make_hugetlb_prot_none },
	{ "hugetlb_1g", PHASE_FORKED, make_hugetlb_1g },
	{ "hugetlb_hwpoison", PHASE_LAST, make_hugetlb_hwpoison },
	{ NULL, 0, NULL },
};
