// SPDX-License-Identifier: GPL-2.0-only
/* Kinds that a forked child shares. */
#include <unistd.h>

#include "workload.h"

#define SIXTEEN		(16 * PAGE)
#define HUGE_2M		(21 << 26)
#define MTHP		(64ul << 10)

static char *cow, *broken, *shared, *thp, *thp_halved, *mthp, *hugetlb;

static const char *make_cow(void)
{
	cow = slot_anon(SIXTEEN);
	fill(cow, SIXTEEN);
	region("cow", cow, SIXTEEN);
	broken = slot_anon(SIXTEEN);
	fill(broken, SIXTEEN);
	return NULL;
}

static const char *make_cow_broken(void)
{
	fill(broken, SIXTEEN);
	region("cow_broken", broken, SIXTEEN);
	return NULL;
}

/*
 * The child touches the first half, which is as large as what the kernel maps
 * around a fault.
 */
static const char *make_shared(void)
{
	shared = slot(2 * SIXTEEN, READ_WRITE, ANON_SHARED, -1);
	fill(shared, 2 * SIXTEEN);
	region("shared_by_two", shared, SIXTEEN);
	region("shared_by_one", shared + SIXTEEN, SIXTEEN);
	return NULL;
}

static char *new_thp(void)
{
	char *start = slot(MIB2, READ_WRITE, ANON_PRIVATE, -1);

	madvise(start, MIB2, MADV_HUGEPAGE);
	fill(start, MIB2);
	return start;
}

static const char *make_thp_cow(void)
{
	thp = new_thp();
	region("thp_cow", thp, MIB2);
	return NULL;
}

/* Huge here, in pages of 4 KiB in the child, who gives half of it away. */
static const char *make_thp_halved(void)
{
	thp_halved = new_thp();
	region("thp_halved", thp_halved, MIB2);
	return NULL;
}

static const char *make_mthp_halved(void)
{
	if (access("/sys/kernel/mm/transparent_hugepage/hugepages-64kB", F_OK))
		return "no transparent huge pages of 64 KiB in this kernel";
	mthp = slot(MTHP, READ_WRITE, ANON_PRIVATE, -1);
	madvise(mthp, MTHP, MADV_HUGEPAGE);
	fill(mthp, MTHP);
	region("mthp_halved", mthp, MTHP);
	return NULL;
}

static const char *make_hugetlb_cow(void)
{
	hugetlb = slot(MIB2, READ_WRITE,
		       ANON_PRIVATE | MAP_HUGETLB | HUGE_2M, -1);
	if (hugetlb == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(hugetlb, 1);
	region("hugetlb_cow", hugetlb, MIB2);
	return NULL;
}

void shared_child(void)
{
	touch(shared, SIXTEEN);
	munmap(thp_halved, MIB2 / 2);
	if (mthp)
		munmap(mthp, MTHP / 2);
}

const struct kind shared_kinds[] = {
	{ "cow", PHASE_FORK, make_cow },
	{ "cow_broken", PHASE_FORKED, make_cow_broken },
	{ "shared", PHASE_FORK, make_shared },
	{ "thp_cow", PHASE_FORK, make_thp_cow },
	{ "thp_halved", PHASE_FORK, make_thp_halved },
	{ "mthp_halved", PHASE_FORK, make_mthp_halved },
	{ "hugetlb_cow", PHASE_FORK, make_hugetlb_cow },
	{ NULL, 0, NULL },
};
