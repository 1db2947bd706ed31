// SPDX-License-Identifier: GPL-2.0-only
/* The same from the kernel's files, as fast as they can be read. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PM_PRESENT	(1ull << 63)
#define PM_PFN		((1ull << 55) - 1)

static char buffer[256 << 10];

/* Bytes of the file; 0 when it can't be read: the process is gone. */
uint64_t read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t all = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		all += n;
	close(fd);
	return all;
}

uint64_t read_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return read_file(path);
}

/* Kept between the runs of a job: what is measured isn't how they are made. */
static struct room {
	uint64_t *at;
	size_t count;
} rooms[2];

static void drop_room(struct room *room)
{
	if (room->at)
		munmap(room->at, room->count * sizeof(*room->at));
	*room = (struct room) { 0 };
}

void drop_rooms(void)
{
	drop_room(&rooms[0]);
	drop_room(&rooms[1]);
}

static uint64_t *room_for(struct room *room, size_t count)
{
	if (room->count == count)
		return room->at;
	drop_room(room);
	room->at = mmap(NULL, count * sizeof(*room->at),
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (room->at == MAP_FAILED)
		die("mmap");
	room->count = count;
	return room->at;
}

static void read_pagemap(const struct target *target, uint64_t *entries,
			 size_t count)
{
	size_t want = count * sizeof(*entries);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", target->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, entries, want, target->start / PAGE *
			    sizeof(*entries)) != (ssize_t)want)
		die(path);
	close(fd);
}

/* One bulk pread of the range; the number of entries that aren't empty. */
uint64_t pagemap(const struct target *target)
{
	size_t count = target->size / PAGE;
	uint64_t *entries = room_for(&rooms[0], count);
	uint64_t used = 0;

	read_pagemap(target, entries, count);
	for (size_t i = 0; i < count; i += 512) {
		size_t some = count - i < 512 ? count - i : 512;

		used += entries[i] >> 62 ? some : 0;
	}
	return used;
}

static const char *const page_names[] = {
	"/proc/kpageflags", "/proc/kpagecount", "/proc/kpagecgroup",
};
#define PAGE_FILES	(sizeof(page_names) / sizeof(*page_names))

/* Entries from here on whose PFNs follow each other. */
static size_t run_length(const uint64_t *entries, size_t left)
{
	size_t n = 1;

	while (n < left && entries[n] == entries[0] + n)
		n++;
	return n;
}

/* pagemap, and for each run of PFNs a read of each file about pages. */
uint64_t page_files(const struct target *target)
{
	size_t count = target->size / PAGE, n;
	uint64_t *entries = room_for(&rooms[0], count);
	uint64_t *state = room_for(&rooms[1], count);
	int files[PAGE_FILES];
	uint64_t pages = 0;

	for (size_t f = 0; f < PAGE_FILES; f++)
		files[f] = open(page_names[f], O_RDONLY | O_CLOEXEC);
	read_pagemap(target, entries, count);
	for (size_t i = 0; i < count; i += n) {
		uint64_t pfn = entries[i] & PM_PFN;

		n = run_length(entries + i, count - i);
		if (!(entries[i] & PM_PRESENT))
			continue;
		pages += n;
		for (size_t f = 0; f < PAGE_FILES; f++)
			if (pread(files[f], state, n * sizeof(*state),
				  pfn * sizeof(*state)) < 0)
				die(page_names[f]);
	}
	for (size_t f = 0; f < PAGE_FILES; f++)
		close(files[f]);
	return pages;
}

/* All of a file of one entry a page frame, 1 MiB at a time. */
static uint64_t read_frames(const char *path)
{
	const size_t size = MIB;
	uint64_t *room = room_for(&rooms[0], size / sizeof(*room));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t all = 0;
	ssize_t n;

	if (fd < 0)
		die(path);
	while ((n = read(fd, room, size)) > 0)
		all += n;
	close(fd);
	return all / sizeof(*room);
}

/* Flags and mapcount of every page frame; how many there are. */
uint64_t frame_files(void)
{
	return read_frames(page_names[0]) + read_frames(page_names[1]);
}

#define KPF_LRU		(1ull << 5)

/* Page frames that are on some LRU list, by kpageflags. */
uint64_t frames_on_lru(void)
{
	const size_t size = MIB;
	uint64_t *room = room_for(&rooms[0], size / sizeof(*room)), found = 0;
	int fd = open(page_names[0], O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die(page_names[0]);
	while ((n = read(fd, room, size)) > 0)
		for (size_t i = 0; i < n / sizeof(*room); i++)
			found += !!(room[i] & KPF_LRU);
	close(fd);
	return found;
}

/* smaps_rollup of every process that has one; how many. */
uint64_t all_rollups(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint64_t read = 0;

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 0)
			read += !!read_of(pid, "smaps_rollup");
	}
	closedir(dir);
	return read;
}

/* ---- every process's pagemap ---- */

/* Entries of a part of pagemap that map a page from @start to before @end. */
static uint64_t count_in(const uint64_t *entries, size_t count, uint64_t start,
			 uint64_t end)
{
	uint64_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += (entries[i] & PM_PRESENT) &&
			 (entries[i] & PM_PFN) - start < end - start;
	return found;
}

static uint64_t count_vma(int fd, uint64_t from, uint64_t to, uint64_t start,
			  uint64_t end)
{
	uint64_t *room = (uint64_t *)buffer, found = 0;
	uint64_t at = from / PAGE * 8;

	while (at < to / PAGE * 8) {
		size_t want = to / PAGE * 8 - at;
		ssize_t n;

		if (want > sizeof(buffer))
			want = sizeof(buffer);
		n = pread(fd, room, want, at);
		if (n <= 0)
			break;
		found += count_in(room, n / 8, start, end);
		at += n;
	}
	return found;
}

static uint64_t count_pagemap(int pid, uint64_t start, uint64_t end)
{
	unsigned long long from, to;
	uint64_t found = 0;
	char path[64];
	FILE *maps;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (maps && fd >= 0 &&
	       fscanf(maps, "%llx-%llx%*[^\n]", &from, &to) == 2)
		/* not the gate area, which is the kernel's */
		if (!(from >> 63))
			found += count_vma(fd, from, to, start, end);
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
	return found;
}

/*
 * Every pagemap, VMA by VMA: how often page frames from @start to before @end
 * are mapped.
 */
uint64_t all_pagemaps(uint64_t start, uint64_t end)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint64_t found = 0;

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 0)
			found += count_pagemap(pid, start, end);
	}
	closedir(dir);
	return found;
}
