// SPDX-License-Identifier: GPL-2.0-only
/* Kinds that userfaultfd makes: write protection, markers, poison. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define SIXTEEN		(16 * PAGE)
#define HUGE_2M		(21 << 26)

/* Newer than the headers of the oldest series: as the kernel has them. */
#define FEATURE_WP_SHMEM	(1ull << 12)
#define FEATURE_WP_UNPOPULATED	(1ull << 13)
#define FEATURE_POISON		(1ull << 14)
#define FEATURE_WP_ASYNC	(1ull << 15)
#define FEATURE_RWP		(1ull << 17)
#define REGISTER_MODE_RWP	(1ull << 3)
#define RWPROTECT_MODE_RWP	(1ull << 0)

struct range_mode {
	struct uffdio_range range;
	__u64 mode;
};

struct range_mode_count {
	struct range_mode in;
	__s64 count;
};

#define POISON		_IOWR(UFFDIO, 0x08, struct range_mode_count)
#define RWPROTECT	_IOWR(UFFDIO, 0x09, struct range_mode)

static int open_uffd(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

static uint64_t features_of_kernel(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = open_uffd();

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		api.features = 0;
	close(fd);
	return api.features;
}

/* A descriptor with those features; -1 when the kernel hasn't all of them. */
static int uffd_with(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd;

	if ((features_of_kernel() & features) != features)
		return -1;
	fd = open_uffd();
	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One descriptor with all that doesn't change the meaning of another. */
static int uffd_common(void)
{
	static int fd = -1;
	uint64_t wanted = UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_WP_SHMEM |
			  FEATURE_WP_UNPOPULATED | FEATURE_POISON;

	if (fd < 0)
		fd = uffd_with(features_of_kernel() & wanted);
	return fd;
}

static bool has(uint64_t feature)
{
	return features_of_kernel() & feature;
}

static const char *watch(int fd, void *start, size_t size, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)start, .len = size },
		.mode = mode,
	};

	if (fd < 0)
		return "userfaultfd doesn't have the feature";
	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		return because("UFFDIO_REGISTER");
	return NULL;
}

static const char *protect(int fd, void *start, size_t size)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)start, .len = size },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return because("UFFDIO_WRITEPROTECT");
	return NULL;
}

/* Register all of it, write-protect the first half, and say so. */
static const char *protect_half(const char *name, const char *other,
				void *start, size_t size)
{
	const char *reason;

	reason = watch(uffd_common(), start, size, UFFDIO_REGISTER_MODE_WP);
	if (!reason)
		reason = protect(uffd_common(), start, size / 2);
	if (reason)
		return reason;
	region(name, start, size / 2);
	region(other, (char *)start + size / 2, size / 2);
	return NULL;
}

static const char *make_uffd_wp(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	return protect_half("uffd_wp", "uffd_unprotected", start, SIXTEEN);
}

static const char *make_uffd_wp_zero(void)
{
	char *start = slot_anon(SIXTEEN);

	touch(start, SIXTEEN);
	return protect_half("uffd_wp_zero", "uffd_unprotected_zero",
			    start, SIXTEEN);
}

static const char *make_uffd_wp_thp(void)
{
	char *start = slot(2 * MIB2, READ_WRITE, ANON_PRIVATE, -1);

	madvise(start, 2 * MIB2, MADV_HUGEPAGE);
	fill(start, 2 * MIB2);
	return protect_half("uffd_wp_thp", "uffd_unprotected_thp",
			    start, 2 * MIB2);
}

static const char *make_uffd_marker_anon(void)
{
	if (!has(FEATURE_WP_UNPOPULATED))
		return "userfaultfd has no WP_UNPOPULATED";
	return protect_half("uffd_marker", "uffd_no_marker",
			    slot_anon(SIXTEEN), SIXTEEN);
}

static const char *make_uffd_wp_shmem(void)
{
	char *start = slot(SIXTEEN, READ_WRITE, ANON_SHARED, -1);

	if (!has(FEATURE_WP_SHMEM))
		return "userfaultfd has no WP_HUGETLBFS_SHMEM";
	fill(start, SIXTEEN);
	return protect_half("uffd_wp_shmem", "uffd_unprotected_shmem",
			    start, SIXTEEN);
}

static const char *make_uffd_marker_shmem(void)
{
	char *start = slot(SIXTEEN, READ_WRITE, ANON_SHARED, -1);

	if (!has(FEATURE_WP_SHMEM))
		return "userfaultfd has no WP_HUGETLBFS_SHMEM";
	return protect_half("uffd_marker_shmem", "uffd_no_marker_shmem",
			    start, SIXTEEN);
}

/* A marker that reclaim leaves behind, so that the protection isn't lost. */
static const char *make_uffd_marker_swap(void)
{
	char *start = slot(SIXTEEN, READ_WRITE, ANON_SHARED, -1);
	const char *reason;

	if (!has(FEATURE_WP_SHMEM))
		return "userfaultfd has no WP_HUGETLBFS_SHMEM";
	fill(start, SIXTEEN);
	reason = watch(uffd_common(), start, SIXTEEN, UFFDIO_REGISTER_MODE_WP);
	if (!reason)
		reason = protect(uffd_common(), start, SIXTEEN);
	if (!reason)
		reason = swap_out(start, SIXTEEN);
	if (!reason)
		region("uffd_marker_swap", start, SIXTEEN);
	return reason;
}

static const char *make_uffd_wp_swap(void)
{
	char *start = slot_anon(SIXTEEN);
	const char *reason;

	fill(start, SIXTEEN);
	reason = watch(uffd_common(), start, SIXTEEN, UFFDIO_REGISTER_MODE_WP);
	if (!reason)
		reason = protect(uffd_common(), start, SIXTEEN);
	if (!reason)
		reason = swap_out(start, SIXTEEN);
	if (!reason)
		region("uffd_wp_swap", start, SIXTEEN);
	return reason;
}

static char *slot_hugetlb(size_t size)
{
	return slot(size, READ_WRITE, ANON_SHARED | MAP_HUGETLB | HUGE_2M, -1);
}

static const char *make_uffd_wp_hugetlb(void)
{
	char *start = slot_hugetlb(2 * MIB2);

	if (!has(FEATURE_WP_SHMEM))
		return "userfaultfd has no WP_HUGETLBFS_SHMEM";
	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	fill(start, 1);
	fill(start + MIB2, 1);
	return protect_half("uffd_wp_hugetlb", "uffd_unprotected_hugetlb",
			    start, 2 * MIB2);
}

static const char *make_uffd_marker_hugetlb(void)
{
	char *start = slot_hugetlb(2 * MIB2);

	if (!has(FEATURE_WP_SHMEM))
		return "userfaultfd has no WP_HUGETLBFS_SHMEM";
	if (start == MAP_FAILED)
		return because("MAP_HUGETLB");
	return protect_half("uffd_marker_hugetlb", "uffd_no_marker_hugetlb",
			    start, 2 * MIB2);
}

static const char *poison(const char *name, char *start, size_t size)
{
	struct range_mode_count bad = {
		.in.range = { .start = (uintptr_t)start, .len = size },
	};
	const char *reason;

	if (!has(FEATURE_POISON))
		return "userfaultfd has no POISON";
	if (start == MAP_FAILED)
		return because("mmap");
	reason = watch(uffd_common(), start, size,
		       UFFDIO_REGISTER_MODE_MISSING);
	if (reason)
		return reason;
	if (ioctl(uffd_common(), POISON, &bad))
		return because("UFFDIO_POISON");
	region(name, start, size);
	return NULL;
}

static const char *make_uffd_poison(void)
{
	return poison("uffd_poison", slot_anon(SIXTEEN), SIXTEEN);
}

static const char *make_uffd_poison_hugetlb(void)
{
	return poison("uffd_poison_hugetlb", slot_hugetlb(MIB2), MIB2);
}

/* Asynchronous write protection works on files, too. */
static const char *make_uffd_wp_file(void)
{
	int fd = new_file("uffd", SIXTEEN);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_PRIVATE, fd);
	int uffd = uffd_with(FEATURE_WP_ASYNC);
	const char *reason;

	touch(start, SIXTEEN / 2);
	if (uffd < 0)
		return "userfaultfd has no WP_ASYNC";
	reason = watch(uffd, start, SIXTEEN, UFFDIO_REGISTER_MODE_WP);
	if (!reason)
		reason = protect(uffd, start, SIXTEEN);
	if (reason)
		return reason;
	region("uffd_wp_file", start, SIXTEEN / 2);
	return NULL;
}

static const char *block(const char *name, char *start, size_t size)
{
	int uffd = uffd_with(FEATURE_RWP);
	struct range_mode rwp = {
		.range = { .start = (uintptr_t)start, .len = size },
		.mode = RWPROTECT_MODE_RWP,
	};
	const char *reason;

	if (uffd < 0)
		return "userfaultfd has no RWP";
	reason = watch(uffd, start, size, REGISTER_MODE_RWP);
	if (reason)
		return reason;
	if (ioctl(uffd, RWPROTECT, &rwp))
		return because("UFFDIO_RWPROTECT");
	region(name, start, size);
	return NULL;
}

/* No access at all until the watcher allows it. */
static const char *make_uffd_rwp(void)
{
	char *start = slot_anon(SIXTEEN);

	fill(start, SIXTEEN);
	return block("uffd_rwp", start, SIXTEEN);
}

static const char *make_uffd_rwp_thp(void)
{
	char *start = slot(MIB2, READ_WRITE, ANON_PRIVATE, -1);

	madvise(start, MIB2, MADV_HUGEPAGE);
	fill(start, MIB2);
	return block("uffd_rwp_thp", start, MIB2);
}

const struct kind uffd_kinds[] = {
	{ "uffd_wp", PHASE_FORKED, make_uffd_wp },
	{ "uffd_wp_zero", PHASE_FORKED, make_uffd_wp_zero },
	{ "uffd_wp_thp", PHASE_FORKED, make_uffd_wp_thp },
	{ "uffd_marker", PHASE_FORKED, make_uffd_marker_anon },
	{ "uffd_wp_shmem", PHASE_FORKED, make_uffd_wp_shmem },
	{ "uffd_marker_shmem", PHASE_FORKED, make_uffd_marker_shmem },
	{ "uffd_marker_swap", PHASE_FORKED, make_uffd_marker_swap },
	{ "uffd_wp_swap", PHASE_FORKED, make_uffd_wp_swap },
	{ "uffd_wp_hugetlb", PHASE_FORKED, make_uffd_wp_hugetlb },
	{ "uffd_marker_hugetlb", PHASE_FORKED, make_uffd_marker_hugetlb },
	{ "uffd_poison", PHASE_FORKED, make_uffd_poison },
	{ "uffd_poison_hugetlb", PHASE_FORKED, make_uffd_poison_hugetlb },
	{ "uffd_wp_file", PHASE_FORKED, make_uffd_wp_file },
	{ "uffd_rwp", PHASE_FORKED, make_uffd_rwp },
	{ "uffd_rwp_thp", PHASE_FORKED, make_uffd_rwp_thp },
	{ NULL, 0, NULL },
};
