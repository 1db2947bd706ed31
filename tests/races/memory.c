// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a process's own memory. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "races.h"

#define SIZE	(4 * MIB)

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#define COLLAPSE	25	/* MADV_COLLAPSE */

static char *start;

/* Anonymous memory or shared, small pages or huge ones. */
static char *some_memory(size_t size)
{
	int kind = any(3) ? MAP_PRIVATE : MAP_SHARED;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			kind | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, size, any(2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	touch(at, size);
	return at;
}

static size_t some_pages(char **at)
{
	size_t first = any(SIZE / PAGE), count = 1 + any(256);

	if (count > SIZE / PAGE - first)
		count = SIZE / PAGE - first;
	*at = start + first * PAGE;
	return count * PAGE;
}

static enum outcome prepare(void)
{
	start = some_memory(SIZE);
	return start ? DONE : says(CANNOT, "mmap");
}

static enum outcome change_munmap(void)
{
	char *at;
	size_t size = some_pages(&at);

	if (munmap(at, size))
		return says(FAILED, "munmap");
	at = mmap(at, size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (at == MAP_FAILED)
		return says(FAILED, "mmap");
	touch(at, size);
	return DONE;
}

static enum outcome change_mremap(void)
{
	const size_t size = any(2) ? HUGE / 2 : 2 * HUGE;
	char *at = some_memory(HUGE), *moved;

	if (!at)
		return says(FAILED, "mmap");
	moved = mremap(at, HUGE, size, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED) {
		munmap(at, HUGE);
		return says(FAILED, "mremap");
	}
	munmap(moved, size);
	return DONE;
}

static enum outcome change_mprotect(void)
{
	static const int protections[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
	};
	char *at;
	size_t size = some_pages(&at);

	if (mprotect(at, size, protections[any(3)]))
		return says(FAILED, "mprotect");
	mprotect(at, size, PROT_READ | PROT_WRITE);
	touch(at, size);
	return DONE;
}

/* An advice that never worked isn't known here. */
static bool is_missing(void)
{
	return errno == EINVAL && !mine->done;
}

static enum outcome advise(int advice, const char *what)
{
	char *at;
	size_t size = some_pages(&at);

	if (madvise(at, size, advice))
		return says(is_missing() ? CANNOT : FAILED, what);
	touch(at, size);
	return DONE;
}

static enum outcome change_dontneed(void)
{
	return advise(MADV_DONTNEED, "MADV_DONTNEED");
}

static enum outcome prepare_private(void)
{
	start = memory(SIZE);
	return start ? DONE : says(CANNOT, "mmap");
}

static enum outcome change_free(void)
{
	return advise(MADV_FREE, "MADV_FREE");
}

/* Counts only what really went to swap. */
static enum outcome change_pageout(void)
{
	uint64_t before = vmstat("pswpout");
	enum outcome outcome = advise(MADV_PAGEOUT, "MADV_PAGEOUT");

	if (outcome == DONE && vmstat("pswpout") == before) {
		errno = 0;
		return says(FAILED, "nothing was swapped out");
	}
	return outcome;
}

/* ---- huge pages ---- */

/* At the start of a huge page's range. */
static enum outcome prepare_huge(void)
{
	char *at = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return says(CANNOT, "mmap");
	start = (char *)(((uintptr_t)at + HUGE - 1) & -HUGE);
	return DONE;
}

static enum outcome change_split(void)
{
	uint64_t before = vmstat("thp_split_pmd");

	madvise(start, HUGE, MADV_HUGEPAGE);
	touch(start, HUGE);
	if (any(2))
		madvise(start + any(256) * PAGE, 8 * PAGE, MADV_DONTNEED);
	else
		mprotect(start + any(256) * PAGE, 8 * PAGE, PROT_READ);
	mprotect(start, HUGE, PROT_READ | PROT_WRITE);
	madvise(start, HUGE, MADV_DONTNEED);
	if (vmstat("thp_split_pmd") == before) {
		errno = 0;
		return says(FAILED, "no huge page was split");
	}
	return DONE;
}

static enum outcome change_collapse(void)
{
	madvise(start, HUGE, MADV_NOHUGEPAGE);
	touch(start, HUGE);
	madvise(start, HUGE, MADV_HUGEPAGE);
	if (madvise(start, HUGE, COLLAPSE))
		return says(is_missing() ? CANNOT : FAILED,
			    "MADV_COLLAPSE");
	madvise(start, HUGE, MADV_DONTNEED);
	return DONE;
}

/* A file's pages: their tables are freed under those who look. */
static enum outcome prepare_shmem(void)
{
	int fd = memfd_create("races", MFD_CLOEXEC);

	if (prepare_huge() == CANNOT || fd < 0 || ftruncate(fd, 2 * HUGE))
		return says(CANNOT, "memfd");
	if (mmap(start, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED)
		return says(CANNOT, "mmap");
	return DONE;
}

static enum outcome change_collapse_shmem(void)
{
	madvise(start, HUGE, MADV_REMOVE);
	touch(start, HUGE);
	if (madvise(start, HUGE, COLLAPSE))
		return says(is_missing() ? CANNOT : FAILED,
			    "MADV_COLLAPSE of shared memory");
	return DONE;
}

/* ---- files that lose pages and names ---- */

static int file = -1;

static enum outcome prepare_file(void)
{
	char path[] = "/var/tmp/races-XXXXXX";

	file = mkstemp(path);
	if (file < 0 || ftruncate(file, SIZE))
		return says(CANNOT, "file");
	unlink(path);
	start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	return start == MAP_FAILED ? says(CANNOT, "mmap") : DONE;
}

static enum outcome change_truncate(void)
{
	/* Of both halves, and not so much that it has hardly a turn. */
	touch(start, SIZE / 16);
	touch(start + SIZE / 2, SIZE / 16);
	if (ftruncate(file, any(2) ? 0 : SIZE / 2) || ftruncate(file, SIZE))
		return says(FAILED, "truncate");
	return DONE;
}

static enum outcome change_unlink(void)
{
	char path[] = "/dev/shm/races-XXXXXX", other[64];
	int fd = mkstemp(path);
	char *at;

	if (fd < 0 || ftruncate(fd, 16 * PAGE)) {
		if (fd >= 0)
			close(fd);
		return says(FAILED, "file");
	}
	at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		touch(at, 16 * PAGE);
	snprintf(other, sizeof(other), "%s-renamed", path);
	if (rename(path, other) || unlink(other))
		return says(FAILED, "rename");
	munmap(at, 16 * PAGE);
	close(fd);
	return DONE;
}

/* Of one that was ended in between. */
static void undo_unlink(void)
{
	glob_t found;

	if (glob("/dev/shm/races-*", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- userfaultfd ---- */

static int uffd = -1;

static void *fault_handler(void *unused)
{
	struct uffd_msg message;

	(void)unused;
	while (read(uffd, &message, sizeof(message)) == sizeof(message)) {
		uint64_t at = message.arg.pagefault.address & -PAGE;
		struct uffdio_zeropage zero = { .range = { at, PAGE } };
		struct uffdio_writeprotect off = { .range = { at, PAGE } };

		if (message.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
			ioctl(uffd, UFFDIO_WRITEPROTECT, &off);
		else
			ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static enum outcome prepare_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register range = {
		.mode = UFFDIO_REGISTER_MODE_MISSING |
			UFFDIO_REGISTER_MODE_WP,
	};
	pthread_t thread;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	start = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)start;
	range.range.len = MIB;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range) ||
	    pthread_create(&thread, NULL, fault_handler, NULL))
		return says(CANNOT, "userfaultfd");
	return DONE;
}

static enum outcome change_uffd(void)
{
	struct uffdio_writeprotect on = {
		.range = { (uintptr_t)start, MIB },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	touch(start, MIB);
	if (ioctl(uffd, UFFDIO_WRITEPROTECT, &on))
		return says(FAILED, "UFFDIO_WRITEPROTECT");
	touch(start, MIB);
	madvise(start, MIB, MADV_DONTNEED);
	return DONE;
}

/* ---- pages that move ---- */

static enum outcome prepare_move(void)
{
	if (!has_nodes(2)) {
		errno = 0;
		return says(CANNOT, "one node only");
	}
	return prepare_private();
}

static enum outcome change_move_pages(void)
{
	static void *pages[SIZE / PAGE];
	static int nodes[SIZE / PAGE], status[SIZE / PAGE];
	const int node = any(2);

	for (size_t i = 0; i < SIZE / PAGE; i++) {
		pages[i] = start + i * PAGE;
		nodes[i] = node;
	}
	if (syscall(SYS_move_pages, 0, SIZE / PAGE, pages, nodes, status,
		    2 /* MPOL_MF_MOVE */) < 0)
		return says(FAILED, "move_pages");
	touch(start, SIZE);
	return DONE;
}

static enum outcome change_migrate_pages(void)
{
	static unsigned int turn;
	unsigned long from = 1 << turn % 2, to = 1 << (turn + 1) % 2;

	turn++;
	if (syscall(SYS_migrate_pages, 0, 64, &from, &to) < 0)
		return says(FAILED, "migrate_pages");
	touch(start, SIZE);
	return DONE;
}

/* Every second page, so that compaction finds much to do. */
static enum outcome change_compaction(void)
{
	uint64_t before = vmstat("compact_migrate_scanned");
	char *at = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return says(FAILED, "mmap");
	madvise(at, 16 * MIB, MADV_NOHUGEPAGE);
	touch(at, 16 * MIB);
	for (size_t i = 0; i < 16 * MIB; i += 2 * PAGE)
		madvise(at + i, PAGE, MADV_DONTNEED);
	if (!write_file("/proc/sys/vm/compact_memory", "1"))
		says(FAILED, "compact_memory");
	munmap(at, 16 * MIB);
	return vmstat("compact_migrate_scanned") != before ? DONE :
	       says(FAILED, "nothing was scanned");
}

/* ---- by the kernel's own threads ---- */

static enum outcome prepare_numa(void)
{
	if (prepare_move() == CANNOT)
		return CANNOT;
	if (!write_file("/proc/sys/kernel/numa_balancing", "1"))
		return says(CANNOT, "numa_balancing");
	write_file("/sys/kernel/debug/sched/numa_balancing/scan_delay_ms",
		   "10");
	write_file("/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms",
		   "10");
	return DONE;
}

/* It looks at what a process that runs has. */
static enum outcome change_numa(void)
{
	uint64_t before = vmstat("numa_pte_updates");

	for (int i = 0; i < 200; i++)
		touch(start, SIZE);
	if (vmstat("numa_pte_updates") == before) {
		errno = 0;
		return says(FAILED, "no entry was made a hint");
	}
	return DONE;
}

static void undo_numa(void)
{
	write_file("/proc/sys/kernel/numa_balancing", "0");
}

static enum outcome prepare_ksm(void)
{
	start = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED || madvise(start, MIB, MADV_MERGEABLE))
		return says(CANNOT, "MADV_MERGEABLE");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	if (!write_file("/sys/kernel/mm/ksm/run", "1"))
		return says(CANNOT, "ksm/run");
	return DONE;
}

/* Alike until they are merged; then they are parted again. */
static enum outcome change_ksm(void)
{
	char text[32];

	memset(start, 1 + any(200), MIB);
	for (int i = 0; i < 100; i++) {
		usleep(20000);
		if (read_file("/sys/kernel/mm/ksm/pages_sharing", text,
			      sizeof(text)) && atoi(text) > 0) {
			touch(start, MIB / 2);
			return DONE;
		}
	}
	errno = 0;
	return says(FAILED, "nothing was merged");
}

static void undo_ksm(void)
{
	write_file("/sys/kernel/mm/ksm/run", "2");
	write_file("/sys/kernel/mm/ksm/run", "0");
}

const struct kind memory_kinds[] = {
	{ "munmap", prepare, change_munmap, NULL, 1000, false },
	{ "mremap", NULL, change_mremap, NULL, 2000, false },
	{ "mprotect", prepare, change_mprotect, NULL, 1000, false },
	{ "dontneed", prepare, change_dontneed, NULL, 1000, false },
	{ "free", prepare_private, change_free, NULL, 1000, false },
	{ "pageout", prepare_private, change_pageout, NULL, 5000, false },
	{ "split", prepare_huge, change_split, NULL, 3000, false },
	{ "collapse", prepare_huge, change_collapse, NULL, 3000, false },
	{ "collapse-shmem", prepare_shmem, change_collapse_shmem, NULL,
	  5000, false },
	{ "truncate", prepare_file, change_truncate, NULL, 5000, false },
	{ "unlink", NULL, change_unlink, undo_unlink, 3000, false },
	{ "userfaultfd", prepare_uffd, change_uffd, NULL, 5000, false },
	{ "move-pages", prepare_move, change_move_pages, NULL, 10000, false },
	{ "migrate-pages", prepare_move, change_migrate_pages, NULL, 10000, false },
	{ "compaction", NULL, change_compaction, NULL, 50000, false },
	{ "numa-balancing", prepare_numa, change_numa, undo_numa, 10000, false },
	{ "ksm", prepare_ksm, change_ksm, undo_ksm, 1000, false },
	{}
};
