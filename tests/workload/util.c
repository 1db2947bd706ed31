// SPDX-License-Identifier: GPL-2.0-only
/* What the makers share: addresses, the manifest, pages, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workload.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Slots begin on a border of 512 GiB, out of the way of brk and mmap. */
#define SLOT_FIRST	0x100000000000ul
#define SLOT_STEP	(4 * GIB)

static uintptr_t next_slot = SLOT_FIRST;

void *slot_take(size_t size)
{
	void *at = (void *)next_slot;

	next_slot += (size + SLOT_STEP) & ~(SLOT_STEP - 1);
	return at;
}

void *slot(size_t size, int prot, int flags, int fd)
{
	return mmap(slot_take(size), size, prot, flags | MAP_FIXED_NOREPLACE,
		    fd, 0);
}

void *slot_anon(size_t size)
{
	void *start = slot(size, READ_WRITE, ANON_PRIVATE, -1);

	if (start == MAP_FAILED)
		die("mmap");
	madvise(start, size, MADV_NOHUGEPAGE);
	return start;
}

void region(const char *name, const void *start, size_t size)
{
	printf("region %s 0x%lx 0x%lx\n", name, (unsigned long)start,
	       (unsigned long)start + (unsigned long)size);
}

/* No two pages have the same bytes, none is zero: KSM leaves them apart. */
void fill(void *start, size_t size)
{
	static uint64_t pattern = 0x6d6d6c656e730000;

	for (size_t at = 0; at < size; at += PAGE) {
		volatile uint64_t *word = (uint64_t *)((char *)start + at);

		word[0] = pattern++;
		word[1] = ~pattern;
	}
}

void touch(const void *start, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		(void)*((const volatile char *)start + at);
}

uint64_t pagemap_of(const void *address)
{
	static int fd = -1;
	uint64_t entry;
	off_t at = (uintptr_t)address / PAGE * sizeof(entry);

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
		die("/proc/self/pagemap");
	return entry;
}

static bool all_out(const char *start, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		if (pagemap_of(start + at) & PAGEMAP_PRESENT)
			return false;
	return true;
}

const char *swap_out(void *start, size_t size)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		if (madvise(start, size, MADV_PAGEOUT))
			return because("MADV_PAGEOUT");
		if (all_out(start, size))
			return NULL;
		usleep(20000);
	}
	return "MADV_PAGEOUT left pages in memory (no swap?)";
}

int new_file(const char *name, size_t size)
{
	char path[4096];
	char *data = malloc(size);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", workload_directory, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || !data)
		die(path);
	memset(data, 'x', size);
	if (write(fd, data, size) != (ssize_t)size)
		die(path);
	free(data);
	return fd;
}

int new_memfd(const char *name, size_t size, unsigned int flags)
{
	int fd = memfd_create(name, flags | MFD_CLOEXEC);

	if (fd < 0)
		return fd;
	if (ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

long number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

const char *because(const char *what)
{
	static char reason[256];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(errno));
	return reason;
}

void die(const char *what)
{
	fprintf(stderr, "workload: %s\n", because(what));
	exit(1);
}
