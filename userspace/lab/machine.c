// SPDX-License-Identifier: GPL-2.0-only
/* Files, settings and swap of the machine, and what its kernel says itself. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lab.h"

/* ---- files ---- */

char *lab_file(const char *path)
{
	size_t room = 64 * 1024, n = 0;
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(room + 1) : NULL, *grown;

	while (text) {
		n += fread(text + n, 1, room - n, f);
		if (n < room)
			break;
		room *= 2;
		grown = realloc(text, room + 1);
		if (!grown)
			free(text);
		text = grown;
	}
	if (text)
		text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

bool lab_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value);
}

bool lab_find_number(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	while (text && strncmp(text, name, length)) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return false;
	/* A longer name begins with this one: look behind it. */
	if (text[length] != ' ' && text[length] != ':' && text[length] != '\t')
		return lab_find_number(strchr(text, '\n') ?
				       strchr(text, '\n') + 1 : NULL,
				       name, value);
	*value = strtoull(text + length + 1, NULL, 10);
	return true;
}

static uint64_t number_in(const char *path, const char *name)
{
	char *text = lab_file(path);
	uint64_t value = 0;

	if (text)
		lab_find_number(text, name, &value);
	free(text);
	return value;
}

uint64_t lab_meminfo(const char *name)
{
	return number_in("/proc/meminfo", name) << 10;
}

uint64_t lab_vmstat(const char *name)
{
	return number_in("/proc/vmstat", name);
}

uint64_t lab_file_number(const char *path)
{
	char *text = lab_file(path);
	uint64_t value = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return value;
}

/* ---- settings ---- */

/* The value itself, or of "always [madvise] never" the word in brackets. */
static void value_of(const char *text, char room[64])
{
	const char *open = strchr(text, '[');
	size_t length = strcspn(text, "\n");

	if (open) {
		text = open + 1;
		length = strcspn(text, "]");
	}
	snprintf(room, 64, "%.*s", (int)length, text);
}

bool lab_set(struct lab *lab, const char *path, const char *value)
{
	struct lab_setting *s = &lab->setting[lab->settings];
	char *text;

	if (!lab_goes_on(lab) || lab->settings == LAB_SETTINGS)
		return false;
	text = lab_file(path);
	if (!text)
		return false;
	snprintf(s->path, sizeof(s->path), "%s", path);
	value_of(text, s->value);
	free(text);
	if (!strcmp(s->value, value))
		return true;
	/* Before it is changed: whatever happens, it is put back. */
	lab->settings++;
	if (lab_write(path, value))
		return true;
	lab->settings--;
	return false;
}

void lab_settings_restore(struct lab *lab)
{
	while (lab->settings) {
		const struct lab_setting *s = &lab->setting[--lab->settings];

		lab_write(s->path, s->value);
	}
}

/* ---- files of its own ---- */

/* Of file systems in memory: nothing of them is ever written back. */
#define TMPFS	0x01021994
#define RAMFS	0x858458f6

static bool is_on_disk(const char *path)
{
	struct statfs s;

	return !statfs(path, &s) && s.f_type != TMPFS && s.f_type != RAMFS;
}

static bool make_directory(struct lab *lab)
{
	static const char *const places[] = { "/var/tmp", "/tmp", "/root" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!is_on_disk(places[i]))
			continue;
		snprintf(lab->directory, sizeof(lab->directory),
			 "%s/mmlens-lab-XXXXXX", places[i]);
		if (mkdtemp(lab->directory))
			return true;
	}
	lab->directory[0] = '\0';
	lab_cannot(lab, "there is no directory on a disk (/var/tmp, /tmp or /root)");
	return false;
}

static int create(struct lab *lab, char path[96], const char *name)
{
	int fd;

	if (!lab->directory[0] && !make_directory(lab))
		return -1;
	snprintf(path, 96, "%s/%s", lab->directory, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		lab_fail(lab, errno, "%s", path);
	return fd;
}

int lab_make_file(struct lab *lab, const char *name, uint64_t size)
{
	char path[96];
	int fd;

	if (!lab_goes_on(lab))
		return -1;
	fd = create(lab, path, name);
	if (fd < 0)
		return -1;
	/* The last reference is the descriptor's: it goes when that does. */
	unlink(path);
	if (ftruncate(fd, (off_t)size))
		lab_fail(lab, errno, "%s", path);
	return fd;
}

void lab_files_remove(struct lab *lab)
{
	if (lab->swap[0]) {
		swapoff(lab->swap);
		unlink(lab->swap);
	}
	lab->swap[0] = '\0';
	if (lab->directory[0])
		rmdir(lab->directory);
	lab->directory[0] = '\0';
}

/* ---- swap ---- */

/* What mkswap writes: version 1, and the number of the last page. */
static bool write_swap_header(int fd, uint64_t bytes)
{
	static const char magic[] = "SWAPSPACE2";
	const uint32_t head[] = { 1, (uint32_t)(bytes / LAB_PAGE - 1) };

	return pwrite(fd, head, sizeof(head), 1024) == sizeof(head) &&
	       pwrite(fd, magic, 10, (off_t)(LAB_PAGE - 10)) == 10;
}

static bool make_swap(struct lab *lab, uint64_t bytes)
{
	char path[96];
	int fd = create(lab, path, "swap");
	bool good;

	if (fd < 0)
		return false;
	strcpy(lab->swap, path);
	good = !posix_fallocate(fd, 0, (off_t)bytes) &&
	       write_swap_header(fd, bytes) && !fsync(fd);
	close(fd);
	return good && !swapon(path, 0);
}

void lab_need_swap(struct lab *lab, uint64_t bytes)
{
	int error;

	if (!lab_goes_on(lab) || lab_meminfo("SwapFree") >= bytes)
		return;
	if (make_swap(lab, bytes)) {
		lab_say(lab, "The machine has no swap of that size: a file of %" PRIu64 " MiB, %s, is swapped to until this ends.",
			bytes / MIB, lab->swap);
		return;
	}
	error = errno;
	lab_cannot(lab, "there isn't enough swap, and a swap file can't be had: %s",
		   strerror(error));
}

/* ---- a process ---- */

static char *file_of(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return lab_file(path);
}

uint64_t lab_status(int pid, const char *name)
{
	char *text = file_of(pid, "status");
	uint64_t value = 0;

	if (text)
		lab_find_number(text, name, &value);
	free(text);
	return value << 10;
}

/* Does this line of smaps begin the mapping that has the address? */
static bool begins(const char *line, uint64_t address)
{
	uint64_t start, end;

	return sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 &&
	       start <= address && address < end;
}

uint64_t lab_smaps(int pid, uint64_t address, const char *name)
{
	char *text = file_of(pid, "smaps"), *line = text;
	uint64_t value = 0;

	while (line && !begins(line, address)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line)
		lab_find_number(line, name, &value);
	free(text);
	return value << 10;
}

void lab_faults(int pid, uint64_t *minor, uint64_t *major)
{
	char *text = file_of(pid, "stat"), *at = text ? strrchr(text, ')') : NULL;

	*minor = *major = 0;
	/* Behind the name: state, six numbers, flags; then these. */
	if (at)
		sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64,
		       minor, major);
	free(text);
}

uint64_t lab_pagemap(int pid, uint64_t address)
{
	uint64_t bits = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (pread(fd, &bits, sizeof(bits), (off_t)(address / LAB_PAGE * 8)) !=
	    sizeof(bits))
		bits = 0;
	close(fd);
	return bits;
}
