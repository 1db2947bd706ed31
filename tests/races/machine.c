// SPDX-License-Identifier: GPL-2.0-only
/* Changes of the machine, under all processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "races.h"

/* ---- swap ---- */

#define SWAP_SIZE	(32 * MIB)
#define SWAP_FILE	"/var/tmp/races-swap"

static char *start;

/* The first page of a swap file says so at its end. */
static bool make_swap(void)
{
	struct {
		char boot[1024];
		uint32_t version, last_page, bad_pages;
	} head = { .version = 1, .last_page = SWAP_SIZE / PAGE - 1 };
	int fd = open(SWAP_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool made;

	made = fd >= 0 && !posix_fallocate(fd, 0, SWAP_SIZE) &&
	       pwrite(fd, &head, sizeof(head), 0) == sizeof(head) &&
	       pwrite(fd, "SWAPSPACE2", 10, PAGE - 10) == 10 && !fsync(fd);
	if (fd >= 0)
		close(fd);
	return made;
}

static enum outcome prepare_swap(void)
{
	start = memory(4 * MIB);
	if (!start || !make_swap())
		return says(CANNOT, SWAP_FILE);
	return DONE;
}

static enum outcome change_swap(void)
{
	if (swapon(SWAP_FILE, SWAP_FLAG_PREFER | 1000))
		return says(errno == EINVAL ? CANNOT : FAILED, "swapon");
	madvise(start, 4 * MIB, 21 /* MADV_PAGEOUT */);
	usleep(any(20000));
	touch(start, MIB);
	if (swapoff(SWAP_FILE))
		return says(FAILED, "swapoff");
	return DONE;
}

static void undo_swap(void)
{
	swapoff(SWAP_FILE);
	unlink(SWAP_FILE);
}

/* ---- hugetlb ---- */

#define HUGETLB	"/sys/kernel/mm/hugepages/hugepages-2048kB/"

static enum outcome prepare_hugetlb(void)
{
	if (!write_file(HUGETLB "nr_hugepages", "2"))
		return says(CANNOT, "hugetlb");
	return DONE;
}

/*
 * To split such a VMA, 6.1.192 unshares tables without i_mmap_rwsem; where lockdep
 * is there it complains of itself (hugetlb_split()), whoever looks or doesn't.
 */
static size_t protected_of_hugetlb(void)
{
	return access("/proc/lockdep", F_OK) ? HUGE : 2 * HUGE;
}

static enum outcome change_hugetlb(void)
{
	int kind = any(2) ? MAP_PRIVATE : MAP_SHARED;
	char *at;

	write_file(HUGETLB "nr_hugepages", any(2) ? "6" : "3");
	at = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		  kind | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (at == MAP_FAILED)
		return says(FAILED, "no huge page");
	at[0] = at[HUGE] = 1;
	usleep(any(5000));
	if (any(2))
		mprotect(at, protected_of_hugetlb(), PROT_READ);
	munmap(at, 2 * HUGE);
	write_file(HUGETLB "nr_hugepages", "0");
	return DONE;
}

static void undo_hugetlb(void)
{
	write_file(HUGETLB "nr_hugepages", "0");
}

/* ---- memory that goes offline ---- */

#define MEMORY	"/sys/devices/system/memory/memory%u/"

static unsigned int block;

static bool block_file(const char *name, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), MEMORY "%s", block, name);
	return write_file(path, text);
}

#define BLOCKS	512

static bool is(const char *wanted)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), MEMORY "state", block);
	return read_file(path, text, sizeof(text)) &&
	       !strncmp(text, wanted, strlen(wanted));
}

static bool put_online(void)
{
	/* In the zone that it was in, where that is possible. */
	return block_file("state", "online") ||
	       block_file("state", "online_movable");
}

/* Those of a module, where there is one, come last and are movable. */
static enum outcome change_hotplug(void)
{
	unsigned int last = 0;

	for (block = 0; block < BLOCKS; block++)
		if (is("online"))
			last = block;
	block = last - any(4);
	if (!last || !block_file("state", "offline"))
		return says(last ? FAILED : CANNOT, "offline");
	usleep(any(20000));
	return put_online() ? DONE : says(FAILED, "online");
}

static void undo_hotplug(void)
{
	for (block = 0; block < BLOCKS; block++)
		if (is("offline"))
			put_online();
}

/* ---- generations ---- */

#define GENERATIONS	"/sys/kernel/mm/lru_gen/enabled"

static enum outcome change_generations(void)
{
	if (!write_file(GENERATIONS, "n"))
		return says(CANNOT, "no generations in this kernel");
	usleep(any(300000));
	if (!write_file(GENERATIONS, "y"))
		return says(FAILED, GENERATIONS);
	usleep(any(300000));
	return DONE;
}

static void undo_generations(void)
{
	write_file(GENERATIONS, "y");
}

/* ---- reclaim ---- */

static enum outcome change_caches(void)
{
	static unsigned int turn;

	return write_file("/proc/sys/vm/drop_caches", turn++ % 2 ? "1" : "2") ?
	       DONE : says(FAILED, "drop_caches");
}

/* ---- the module ---- */

/* Somebody has the device open, so it must stay. */
static enum outcome change_rmmod(void)
{
	if (!syscall(SYS_delete_module, "mmlens", O_NONBLOCK)) {
		errno = 0;
		return says(FAILED, "the module was unloaded in use");
	}
	return errno == EWOULDBLOCK ? DONE : says(FAILED, "delete_module");
}

const struct kind machine_kinds[] = {
	{ "swap", prepare_swap, change_swap, undo_swap, 50000, false },
	{ "hugetlb", prepare_hugetlb, change_hugetlb, undo_hugetlb, 10000, false },
	{ "hotplug", NULL, change_hotplug, undo_hotplug, 300000, false },
	{ "generations", NULL, change_generations, undo_generations, 1000, false },
	{ "drop-caches", NULL, change_caches, NULL, 300000, false },
	{ "rmmod", NULL, change_rmmod, NULL, 20000, false },
	{}
};
