// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of anonymous memory in pages of 4 KiB. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

#define SIXTEEN		(16 * PAGE)

/* Neither accessed since (clear_refs 1) nor written since (clear_refs 4). */
static char *before_clear;

static const char *make_before_clear(void)
{
	before_clear = slot_anon(SIXTEEN);
	madvise(before_clear, SIXTEEN, MADV_DONTFORK);
	fill(before_clear, SIXTEEN);
	return NULL;
}

static const char *make_soft_dirty(void)
{
	region("soft_clean", before_clear, SIXTEEN / 2);
	fill(before_clear + SIXTEEN / 2, SIXTEEN / 2);
	region("soft_dirty", before_clear + SIXTEEN / 2, SIXTEEN / 2);
	return NULL;
}

static const char *make_anon(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	region("anon", start, SIXTEEN);
	return NULL;
}

static const char *make_zero(void)
{
	char *start = slot_anon(SIXTEEN);

	touch(start, SIXTEEN);
	region("zero", start, SIXTEEN);
	return NULL;
}

static const char *make_untouched(void)
{
	region("untouched", slot_anon(4 * MIB2), 4 * MIB2);
	return NULL;
}

/* Pages 0, 3, 6, ... are there. */
static const char *make_every_third(void)
{
	char *start = slot_anon(96 * PAGE);

	for (size_t page = 0; page < 96; page += 3)
		fill(start + page * PAGE, PAGE);
	region("every_third", start, 96 * PAGE);
	return NULL;
}

/* The last entry of one table and the first of the next. */
static const char *make_border(const char *name, uintptr_t border)
{
	char *start = (char *)border - PAGE;

	start = mmap(start, 2 * PAGE, READ_WRITE,
		     ANON_PRIVATE | MAP_FIXED, -1, 0);
	if (start == MAP_FAILED)
		return because("mmap");
	fill(start, 2 * PAGE);
	region(name, start, 2 * PAGE);
	return NULL;
}

/* Inside a reservation, so that nothing else can lie there. */
static const char *make_borders(void)
{
	uintptr_t start = (uintptr_t)slot(2 * GIB, PROT_NONE,
					  ANON_PRIVATE | MAP_NORESERVE, -1);

	make_border("border_2m", start + MIB2);
	return make_border("border_1g", start + GIB);
}

/* The border of 512 GiB: between two tables of the highest levels. */
static const char *make_border_512g(void)
{
	return make_border("border_512g", 0x0f8000000000);
}

static const char *make_prot_none(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN / 2);
	touch(start + SIXTEEN / 2, SIXTEEN / 2);
	if (mprotect(start, SIXTEEN, PROT_NONE))
		return because("mprotect");
	region("prot_none", start, SIXTEEN / 2);
	region("prot_none_zero", start + SIXTEEN / 2, SIXTEEN / 2);
	return NULL;
}

static const char *make_read_only(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (mprotect(start, SIXTEEN, PROT_READ))
		return because("mprotect");
	region("read_only", start, SIXTEEN);
	return NULL;
}

static const char *make_executable(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (mprotect(start, SIXTEEN, PROT_READ | PROT_EXEC))
		return because("mprotect");
	region("executable", start, SIXTEEN);
	return NULL;
}

static const char *make_pkey(void)
{
	char *start = slot_anon(SIXTEEN);
	int key = pkey_alloc(0, 0);

	fill(start, SIXTEEN);
	if (key < 0)
		return because("pkey_alloc");
	if (pkey_mprotect(start, SIXTEEN, READ_WRITE, key))
		return because("pkey_mprotect");
	region("pkey", start, SIXTEEN);
	return NULL;
}

static const char *make_locked(void)
{
	char *start = slot_anon(SIXTEEN);

	if (mlock(start, SIXTEEN))
		return because("mlock");
	fill(start, SIXTEEN);
	region("locked", start, SIXTEEN);
	return NULL;
}

/* Half of it was there before, the other half comes when it is touched. */
static const char *make_locked_on_fault(void)
{
	char *start = slot_anon(2 * SIXTEEN);

	fill(start, SIXTEEN / 2);
	if (mlock2(start, 2 * SIXTEEN, MLOCK_ONFAULT))
		return because("mlock2");
	fill(start + SIXTEEN / 2, SIXTEEN / 2);
	region("locked_on_fault", start, SIXTEEN);
	region("locked_untouched", start + SIXTEEN, SIXTEEN);
	return NULL;
}

static const char *make_lazyfree(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (madvise(start, SIXTEEN, MADV_FREE))
		return because("MADV_FREE");
	region("lazyfree", start, SIXTEEN);
	return NULL;
}

static const char *make_moved(void)
{
	char *start = slot_anon(SIXTEEN);
	char *target = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (mremap(start, SIXTEEN, SIXTEEN, MREMAP_MAYMOVE | MREMAP_FIXED,
		   target) != target)
		return because("mremap");
	region("moved", target, SIXTEEN);
	return NULL;
}

static const char *make_reserved(void)
{
	void *start = slot(TIB, PROT_NONE, ANON_PRIVATE | MAP_NORESERVE, -1);

	if (start == MAP_FAILED)
		return because("mmap");
	region("reserved_1t", start, TIB);
	return NULL;
}

/* Single pages, far apart in a reservation. */
static const char *make_sparse(void)
{
	const size_t size = 64 * GIB;
	char *start = slot(size, READ_WRITE, ANON_PRIVATE | MAP_NORESERVE, -1);

	if (start == MAP_FAILED)
		return because("mmap");
	madvise(start, size, MADV_NOHUGEPAGE);
	fill(start, PAGE);
	fill(start + 7 * GIB + 12345 * PAGE, PAGE);
	touch(start + 33 * GIB - PAGE, PAGE);
	fill(start + size - PAGE, PAGE);
	region("sparse_64g", start, size);
	return NULL;
}

static const char *make_guard(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (madvise(start, SIXTEEN / 2, MADV_GUARD_INSTALL))
		return because("MADV_GUARD_INSTALL");
	region("guard", start, SIXTEEN / 2);
	region("guard_beside", start + SIXTEEN / 2, SIXTEEN / 2);
	return NULL;
}

static const char *make_hwpoison(void)
{
	char *start = slot_anon(4 * PAGE);

	fill(start, 4 * PAGE);
	/* The signal that tells of the loss interrupts madvise. */
	if (madvise(start + PAGE, PAGE, MADV_HWPOISON) && errno != EINTR)
		return because("MADV_HWPOISON");
	region("hwpoison", start + PAGE, PAGE);
	region("hwpoison_beside", start + 2 * PAGE, 2 * PAGE);
	return NULL;
}

static bool merged(const char *one, const char *other)
{
	for (size_t at = 0; at < SIXTEEN; at += PAGE) {
		uint64_t a = pagemap_of(one + at), b = pagemap_of(other + at);

		if (!(a & PAGEMAP_PRESENT) ||
		    (a & PAGEMAP_PFN) != (b & PAGEMAP_PFN))
			return false;
	}
	return true;
}

static const char *make_ksm(void)
{
	char *start = slot_anon(2 * SIXTEEN);

	fill(start, SIXTEEN);
	memcpy(start + SIXTEEN, start, SIXTEEN);
	if (madvise(start, 2 * SIXTEEN, MADV_MERGEABLE))
		return because("MADV_MERGEABLE");
	if (number_in("/sys/kernel/mm/ksm/run") != 1)
		return "KSM isn't running";
	for (int attempt = 0; attempt < 200; attempt++) {
		if (merged(start, start + SIXTEEN)) {
			region("ksm", start, 2 * SIXTEEN);
			return NULL;
		}
		usleep(50000);
	}
	return "KSM merged nothing in 10 s";
}

static const char *make_anon_name(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, SIXTEEN,
		  "mmlens name, with blanks"))
		return because("PR_SET_VMA_ANON_NAME");
	region("anon_name", start, SIXTEEN);
	return NULL;
}

/* Anonymous pages of one region under many VMAs: flags differ, they can't
 * merge. */
static const char *make_many_vmas(void)
{
	char *start = slot_anon(64 * PAGE);

	fill(start, 64 * PAGE);
	for (size_t page = 0; page < 64; page += 2)
		if (mprotect(start + page * PAGE, PAGE, PROT_READ))
			return because("mprotect");
	region("many_vmas", start, 64 * PAGE);
	return NULL;
}

void make_vmas(size_t count)
{
	char *start = slot_anon(count * PAGE);

	for (size_t page = 0; page < count; page += 2) {
		fill(start + page * PAGE, PAGE);
		if (mprotect(start + page * PAGE, PAGE, PROT_READ))
			die("mprotect");
	}
	region("vmas", start, count * PAGE);
}

static const char *make_grows_down(void)
{
	char *start = slot(SIXTEEN, READ_WRITE,
			   ANON_PRIVATE | MAP_GROWSDOWN, -1);

	if (start == MAP_FAILED)
		return because("mmap");
	fill(start, SIXTEEN);
	region("grows_down", start, SIXTEEN);
	return NULL;
}

const struct kind plain_kinds[] = {
	{ "before_clear", PHASE_CLEAR, make_before_clear },
	{ "soft_dirty", PHASE_CLEARED, make_soft_dirty },
	{ "anon", PHASE_FORKED, make_anon },
	{ "zero", PHASE_FORKED, make_zero },
	{ "untouched", PHASE_FORKED, make_untouched },
	{ "every_third", PHASE_FORKED, make_every_third },
	{ "borders", PHASE_FORKED, make_borders },
	{ "border_512g", PHASE_FORKED, make_border_512g },
	{ "prot_none", PHASE_FORKED, make_prot_none },
	{ "read_only", PHASE_FORKED, make_read_only },
	{ "executable", PHASE_FORKED, make_executable },
	{ "pkey", PHASE_FORKED, make_pkey },
	{ "locked", PHASE_FORKED, make_locked },
	{ "locked_on_fault", PHASE_FORKED, make_locked_on_fault },
	{ "lazyfree", PHASE_FORKED, make_lazyfree },
	{ "moved", PHASE_FORKED, make_moved },
	{ "reserved_1t", PHASE_FORKED, make_reserved },
	{ "sparse_64g", PHASE_FORKED, make_sparse },
	{ "guard", PHASE_FORKED, make_guard },
	{ "anon_name", PHASE_FORKED, make_anon_name },
	{ "many_vmas", PHASE_FORKED, make_many_vmas },
	{ "grows_down", PHASE_FORKED, make_grows_down },
	{ "ksm", PHASE_LAST, make_ksm },
	{ "hwpoison", PHASE_LAST, make_hwpoison },
	{ NULL, 0, NULL },
};
