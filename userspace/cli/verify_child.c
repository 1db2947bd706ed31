// SPDX-License-Identifier: GPL-2.0-only
/*
 * A child whose page tables have entries of many kinds.  Where the kernel or the
 * machine can't make one, the region isn't there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verify_child.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif

#define PAGES	32u
#define HUGE	(2u << 20)
#define SIZE	(PAGES * page_size())

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* Memory of its own: a page without access is before it, and one behind. */
static char *take(size_t size, size_t aligned, int flags, int fd)
{
	const size_t around = 2 * page_size() + aligned;
	char *room = mmap(NULL, size + around, PROT_NONE, ANON | MAP_NORESERVE,
			  -1, 0);
	char *at;

	if (room == MAP_FAILED)
		return NULL;
	at = room + page_size();
	at += -(uintptr_t)at & (aligned - 1);
	at = mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

static char *take_anon(void)
{
	char *at = take(SIZE, page_size(), ANON, -1);

	if (at)
		madvise(at, SIZE, MADV_NOHUGEPAGE);
	return at;
}

static char *fill(char *at, size_t size, size_t step)
{
	for (size_t i = 0; at && i < size; i += step * page_size())
		*(volatile char *)(at + i) = 1;
	return at;
}

static char *touch(char *at, size_t size)
{
	for (size_t i = 0; at && i < size; i += page_size())
		(void)*(const volatile char *)(at + i);
	return at;
}

/* ---- kinds ---- */

static char *make_written(void)
{
	return fill(take_anon(), SIZE, 1);
}

static char *make_zero(void)
{
	return touch(take_anon(), SIZE);
}

static char *make_holes(void)
{
	return fill(take_anon(), SIZE, 3);
}

static char *make_shared(void)
{
	return fill(take(SIZE, page_size(), MAP_SHARED | MAP_ANONYMOUS, -1),
		    SIZE, 1);
}

/* The program itself is a file that is long enough, and will stay. */
static char *map_program(void)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *at;

	if (fd < 0 || lseek(fd, 0, SEEK_END) < (off_t)SIZE)
		return NULL;
	at = take(SIZE, page_size(), MAP_PRIVATE, fd);
	close(fd);
	return at;
}

static char *make_file(void)
{
	return touch(map_program(), SIZE);
}

static char *make_copied(void)
{
	return fill(map_program(), SIZE, 1);
}

static char *make_read_only(void)
{
	char *at = make_written();

	return at && !mprotect(at, SIZE, PROT_READ) ? at : NULL;
}

static char *make_no_access(void)
{
	char *at = make_written();

	return at && !mprotect(at, SIZE, PROT_NONE) ? at : NULL;
}

static char *make_locked(void)
{
	char *at = make_written();

	return at && !mlock(at, SIZE) ? at : NULL;
}

static char *make_lazy(void)
{
	char *at = make_written();

	return at && !madvise(at, SIZE, MADV_FREE) ? at : NULL;
}

static char *make_huge(void)
{
	char *at = take(2 * HUGE, HUGE, ANON, -1);

	if (!at || madvise(at, 2 * HUGE, MADV_HUGEPAGE))
		return NULL;
	return fill(at, 2 * HUGE, 1);
}

/* Without a page left in the pool the mapping fails. */
static char *make_hugetlb(void)
{
	const int flags = ANON | MAP_HUGETLB;
	char *at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, flags, -1, 0);

	return at == MAP_FAILED ? NULL : fill(at, HUGE, HUGE / page_size());
}

static bool all_have(const char *at, uint64_t bit)
{
	uint64_t words[PAGES];
	const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const off_t where = (off_t)((uintptr_t)at / page_size() * 8);
	bool all = fd >= 0 &&
		   pread(fd, words, sizeof(words), where) == sizeof(words);

	for (size_t i = 0; i < PAGES && all; i++)
		all = words[i] & bit;
	if (fd >= 0)
		close(fd);
	return all;
}

static char *make_swapped(void)
{
	char *at = make_written();

	if (!at || madvise(at, SIZE, MADV_PAGEOUT))
		return NULL;
	return all_have(at, 1ull << 62) ? at : NULL;
}

/* The descriptor stays open: what it protects is protected as long. */
static char *make_uffd_wp(void)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	const int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_WP, .range.len = SIZE,
	};
	struct uffdio_writeprotect wp = {
		.mode = UFFDIO_WRITEPROTECT_MODE_WP, .range.len = SIZE,
	};
	char *at = make_written();

	reg.range.start = wp.range.start = (uintptr_t)at;
	if (fd < 0 || !at || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return NULL;
	return at;
}

static char *make_guard(void)
{
	char *at = make_written();

	return at && !madvise(at, SIZE, MADV_GUARD_INSTALL) ? at : NULL;
}

static const struct {
	char *(*make)(void);
	size_t size;			/* 0: that of all */
} makers[VERIFY_KINDS] = {
	[VERIFY_WRITTEN] = { make_written, 0 },
	[VERIFY_ZERO] = { make_zero, 0 },
	[VERIFY_SHARED] = { make_shared, 0 },
	[VERIFY_FILE] = { make_file, 0 },
	[VERIFY_COPIED] = { make_copied, 0 },
	[VERIFY_READ_ONLY] = { make_read_only, 0 },
	[VERIFY_NO_ACCESS] = { make_no_access, 0 },
	[VERIFY_LOCKED] = { make_locked, 0 },
	[VERIFY_LAZY] = { make_lazy, 0 },
	[VERIFY_HUGE] = { make_huge, 2 * HUGE },
	[VERIFY_HUGETLB] = { make_hugetlb, HUGE },
	[VERIFY_SWAPPED] = { make_swapped, 0 },
	[VERIFY_UFFD_WP] = { make_uffd_wp, 0 },
	[VERIFY_GUARD] = { make_guard, 0 },
	[VERIFY_HOLES] = { make_holes, 0 },
};

/* ---- the process ---- */

static _Noreturn void be_child(struct verify_region *regions, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "mmlens-child");
	for (size_t i = 0; i < VERIFY_KINDS; i++) {
		const size_t size = makers[i].size ? makers[i].size : SIZE;
		char *at = makers[i].make();

		regions[i].end = at ? (uintptr_t)at + size : 0;
		regions[i].start = (uintptr_t)at;
	}
	close(ready);
	for (;;)
		pause();
}

static int start(struct verify_child *child, const int ends[2])
{
	char byte;

	child->pid = fork();
	if (!child->pid) {
		close(ends[0]);
		be_child(child->regions, ends[1]);
	}
	close(ends[1]);
	if (child->pid < 0) {
		child->pid = 0;
		return -errno;
	}
	/* It closes its end when it is ready, or ends. */
	while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
		;
	return 0;
}

int verify_child_start(struct verify_child *child)
{
	const size_t size = VERIFY_KINDS * sizeof(*child->regions);
	void *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2], ret;

	*child = (struct verify_child) {};
	if (room == MAP_FAILED)
		return -errno;
	if (pipe2(ends, O_CLOEXEC)) {
		ret = -errno;
		munmap(room, size);
		return ret;
	}
	child->regions = room;
	ret = start(child, ends);
	close(ends[0]);
	if (ret)
		verify_child_end(child);
	return ret;
}

void verify_child_end(struct verify_child *child)
{
	if (child->pid) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (child->regions)
		munmap(child->regions, VERIFY_KINDS * sizeof(*child->regions));
	*child = (struct verify_child) {};
}
