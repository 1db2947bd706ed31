// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of memory with a file behind it, or a device. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define SIXTEEN		(16 * PAGE)

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static const char *make_file_clean(void)
{
	int fd = new_file("clean", SIXTEEN);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_PRIVATE, fd);

	touch(start, SIXTEEN);
	region("file_clean", start, SIXTEEN);
	return NULL;
}

static const char *make_file_cow(void)
{
	int fd = new_file("cow", SIXTEEN);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_PRIVATE, fd);

	touch(start, SIXTEEN);
	fill(start, SIXTEEN);
	region("file_cow", start, SIXTEEN);
	return NULL;
}

static const char *make_file_shared(void)
{
	int fd = new_file("shared", SIXTEEN);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);

	fill(start, SIXTEEN);
	region("file_shared", start, SIXTEEN);
	return NULL;
}

/* Offset above 4 GiB, of a file that is a hole up to there. */
static const char *make_file_offset(void)
{
	int fd = new_file("offset", PAGE);
	char *start;

	if (ftruncate(fd, 5 * GIB))
		return because("ftruncate");
	start = mmap(slot_take(SIXTEEN), SIXTEEN, PROT_READ, MAP_SHARED, fd,
		     5 * GIB - SIXTEEN);
	if (start == MAP_FAILED)
		return because("mmap");
	touch(start, SIXTEEN);
	region("file_offset", start, SIXTEEN);
	return NULL;
}

/* Beyond the end of the file there is nothing to map. */
static const char *make_file_short(void)
{
	int fd = new_file("short", 4 * PAGE);
	char *start = slot(SIXTEEN, PROT_READ, MAP_SHARED, fd);

	touch(start, 4 * PAGE);
	region("file_short", start, 4 * PAGE);
	region("file_beyond", start + 4 * PAGE, 12 * PAGE);
	return NULL;
}

static const char *make_shared_anon(void)
{
	char *start = slot(SIXTEEN, READ_WRITE, ANON_SHARED, -1);

	fill(start, SIXTEEN);
	region("shared_anon", start, SIXTEEN);
	return NULL;
}

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

/* Shared memory can have a name of its own since 6.2. */
static const char *make_shared_anon_name(void)
{
	char *start = slot(SIXTEEN, READ_WRITE, ANON_SHARED, -1);

	fill(start, SIXTEEN);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, SIXTEEN,
		  "shared by name"))
		return because("PR_SET_VMA_ANON_NAME");
	region("shared_anon_name", start, SIXTEEN);
	return NULL;
}

/* Names of memfds may have every byte but NUL. */
static const char *make_memfd_name(void)
{
	int fd = new_memfd("a\nb\\c \xc3\xa4\xff\x01", SIXTEEN, 0);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);

	fill(start, SIXTEEN);
	region("memfd_name", start, SIXTEEN);
	return NULL;
}

static const char *make_file_locked(void)
{
	int fd = new_file("locked", SIXTEEN);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);

	fill(start, SIXTEEN);
	if (mlock(start, SIXTEEN))
		return because("mlock");
	region("file_locked", start, SIXTEEN);
	return NULL;
}

static const char *make_memfd(void)
{
	int fd = new_memfd("mmlens memfd", SIXTEEN, 0);
	char *start = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);

	fill(start, SIXTEEN);
	region("memfd", start, SIXTEEN);
	return NULL;
}

/* The same pages twice in this process: mapped, but not once. */
static const char *make_memfd_twice(void)
{
	int fd = new_memfd("twice", SIXTEEN, 0);
	char *one = slot(SIXTEEN, READ_WRITE, MAP_SHARED, fd);
	char *other = slot(SIXTEEN, PROT_READ, MAP_SHARED, fd);

	fill(one, SIXTEEN);
	touch(other, SIXTEEN);
	region("memfd_twice", one, SIXTEEN);
	region("memfd_twice_read", other, SIXTEEN);
	return NULL;
}

static const char *make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, SIXTEEN, IPC_CREAT | 0600);
	char *start;

	if (id < 0)
		return because("shmget");
	start = shmat(id, slot_take(SIXTEEN), 0);
	shmctl(id, IPC_RMID, NULL);
	if (start == (void *)-1)
		return because("shmat");
	fill(start, SIXTEEN);
	region("sysv", start, SIXTEEN);
	return NULL;
}

static const char *make_secret(void)
{
	int fd = syscall(SYS_memfd_secret, 0);
	char *start;

	if (fd < 0)
		return because("memfd_secret");
	if (ftruncate(fd, 4 * PAGE))
		return because("memfd_secret: ftruncate");
	start = slot(4 * PAGE, READ_WRITE, MAP_SHARED, fd);
	if (start == MAP_FAILED)
		return because("memfd_secret: mmap");
	fill(start, 4 * PAGE);
	region("secret", start, 4 * PAGE);
	return NULL;
}

/* The BIOS of a PC: frames that the kernel doesn't manage as memory. */
static const char *make_bios(void)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	char *start;

	if (fd < 0)
		return because("/dev/mem");
	start = mmap(slot_take(SIXTEEN), SIXTEEN, PROT_READ, MAP_SHARED, fd,
		     0xf0000);
	close(fd);
	if (start == MAP_FAILED)
		return because("/dev/mem: mmap");
	region("bios", start, SIXTEEN);
	return NULL;
}

/* Registers of a device: frames without a struct page. */
static const char *make_device(void)
{
	const char *reason = "no PCI device has registers to map";
	glob_t found;

	if (glob("/sys/bus/pci/devices/*/resource[0-5]", 0, NULL, &found))
		return reason;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_RDWR | O_SYNC | O_CLOEXEC);
		char *start = MAP_FAILED;

		if (fd >= 0)
			start = slot(PAGE, READ_WRITE, MAP_SHARED, fd);
		close(fd);
		if (start == MAP_FAILED)
			continue;
		region("device", start, PAGE);
		reason = NULL;
		break;
	}
	globfree(&found);
	return reason;
}

/* Names that /proc/PID/maps writes in a way of its own. */
static const char *const odd_names[] = {
	"with blanks in it", "with\nnewline", "with\\backslash", "with\ttab",
	"\xc3\xbcml\xc3\xa4ut-\xe6\xbc\xa2\xe5\xad\x97", "\xff\xfe invalid",
	"[heap]", "quote\"and'", " (deleted)", "\x1b[31mred\x7f",
};

static const char *make_names(void)
{
	size_t count = sizeof(odd_names) / sizeof(*odd_names);
	char *start = slot(2 * count * PAGE, PROT_NONE, ANON_PRIVATE, -1);

	for (size_t i = 0; i < count; i++) {
		int fd = new_file(odd_names[i], PAGE);

		start = mmap(start, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
			     fd, 0);
		if (start == MAP_FAILED)
			return because("mmap");
		touch(start, PAGE);
		region("names", start, PAGE);
		close(fd);
		start += 2 * PAGE;
	}
	return NULL;
}

static const char *make_deleted(void)
{
	char path[4096];
	int fd = new_file("gone\nwith blanks", SIXTEEN);
	char *start = slot(SIXTEEN, PROT_READ, MAP_PRIVATE, fd);

	snprintf(path, sizeof(path), "%s/gone\nwith blanks",
		 workload_directory);
	if (unlink(path))
		return because("unlink");
	touch(start, SIXTEEN);
	region("deleted", start, SIXTEEN);
	return NULL;
}

/*
 * A path of more than 3 KiB.  Not one of the kinds: procps pmap takes the line
 * of such a mapping for several.
 */
const char *make_long_path(void)
{
	char name[201] = { 0 };
	int directory = open(workload_directory, O_PATH | O_CLOEXEC);
	char *start;
	int fd;

	memset(name, 'd', sizeof(name) - 1);
	for (int depth = 0; depth < 15; depth++) {
		int inner;

		if (mkdirat(directory, name, 0700))
			return because("mkdirat");
		inner = openat(directory, name, O_PATH | O_CLOEXEC);
		close(directory);
		directory = inner;
	}
	fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, PAGE))
		return because("openat");
	start = slot(PAGE, PROT_READ, MAP_SHARED, fd);
	touch(start, PAGE);
	region("long_path", start, PAGE);
	close(fd);
	return NULL;
}

const struct kind file_kinds[] = {
	{ "file_clean", PHASE_FORKED, make_file_clean },
	{ "file_cow", PHASE_FORKED, make_file_cow },
	{ "file_shared", PHASE_FORKED, make_file_shared },
	{ "file_offset", PHASE_FORKED, make_file_offset },
	{ "file_short", PHASE_FORKED, make_file_short },
	{ "shared_anon", PHASE_FORKED, make_shared_anon },
	{ "shared_anon_name", PHASE_FORKED, make_shared_anon_name },
	{ "file_locked", PHASE_FORKED, make_file_locked },
	{ "memfd", PHASE_FORKED, make_memfd },
	{ "memfd_name", PHASE_FORKED, make_memfd_name },
	{ "memfd_twice", PHASE_FORKED, make_memfd_twice },
	{ "sysv", PHASE_FORKED, make_sysv },
	{ "secret", PHASE_FORKED, make_secret },
	{ "bios", PHASE_FORKED, make_bios },
	{ "device", PHASE_FORKED, make_device },
	{ "names", PHASE_FORKED, make_names },
	{ "deleted", PHASE_FORKED, make_deleted },
	{ NULL, 0, NULL },
};
