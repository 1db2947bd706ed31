// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults [--only NAME]
 *	lets the first allocation of each thing that the module can be asked for
 *	fail, then the second, and so on until one went through without
 * faults --load FILE [--first N] [--step N]
 *	the same for loading the module, which mustn't be loaded
 *
 * A line for each:
 *	fault NAME N injected, N refused
 * The first is how many allocations were made to fail, the second how often
 * the caller was told; the others had something else to fall back on.
 *
 * Needs a kernel built with CONFIG_FAULT_INJECTION_DEBUG_FS and FAILSLAB (and
 * FAIL_PAGE_ALLOC for pages): /proc/self/fail-nth, "fault-injection.rst" in
 * the kernel's documentation.
 *
 * Exit status: 0; 1 when something was wrong; 2 when it couldn't run; 3 when
 * the kernel has no fault injection.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../ioctl/ioctl.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/mmlens/"
/* No call makes as many allocations. */
#define MOST		100000

static const char *only;
static bool wrong_somewhere, copies_fail;
static unsigned char *buffer;
static pid_t target;

/* ---- one fault ---- */

static int fail_nth = -1;

/*
 * Copies from and to user memory count as well where the kernel can let them
 * fail, those of this file too: then none was due any more.
 */
static void arm(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, length, 0) == length ||
	    (errno == EFAULT &&
	     pwrite(fail_nth, text, length, 0) == length))
		return;
	perror(FAIL_NTH);
	exit(2);
}

/* Was the fault injected?  Afterwards none is due. */
static bool disarm(void)
{
	char text[16] = "1";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 1 &&
	    errno != EFAULT) {
		perror(FAIL_NTH);
		exit(2);
	}
	arm(0);
	return !atoi(text);
}

/* EFAULT is of a copy that failed; loading has errors of others' choice. */
static bool is_right(const char *name, int error)
{
	return !error || error == ENOMEM || !strcmp(name, "load") ||
	       (error == EFAULT && copies_fail);
}

static void failed(const char *name, unsigned int n, const char *why)
{
	printf("failed %s: allocation %u: %s\n", name, n, why);
	wrong_somewhere = true;
}

/*
 * @call returns 0 or an errno; what it takes it gives back.  Without a fault it
 * must go well, before and after each one.
 */
static void each_fault(const char *name, int (*call)(const void *),
		       const void *argument, unsigned int first,
		       unsigned int step)
{
	unsigned int injected = 0, refused = 0;

	if (only && strcmp(only, name))
		return;
	for (unsigned int n = first; n < MOST; n += step) {
		int error;

		arm(n);
		error = call(argument);
		if (!disarm()) {
			if (error)
				failed(name, n, strerror(error));
			break;
		}
		injected++;
		refused += !!error;
		if (!is_right(name, error))
			failed(name, n, strerror(error));
		error = call(argument);
		if (error)
			failed(name, n, "the call after it isn't answered");
	}
	printf("fault %s %u injected, %u refused\n", name, injected, refused);
}

/* ---- what is asked ---- */

static int open_device(const void *unused)
{
	int fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	(void)unused;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

struct question {
	const struct query *query;
	uint32_t flags;
};

int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(MMLENS_DEVICE);
		exit(2);
	}
	return fd;
}

/* Some calls of one walk. */
static int ask(const void *argument)
{
	const struct question *q = argument;
	struct mmlens_walk walk = {
		.size = sizeof(walk), .flags = q->flags,
		.pid = q->query->system ? 0 : target,
		.buffer = (uintptr_t)buffer, .buffer_size = ROOM_SIZE,
	};

	if (q->query->request == MMLENS_VTOP)
		walk.start = (uintptr_t)buffer;
	for (int i = 0; i < 4 && !(walk.status & MMLENS_STATUS_DONE); i++) {
		if (ioctl(device(), q->query->request, &walk))
			return errno == EOPNOTSUPP ? 0 : errno;
		for (size_t at = 0; at < walk.written;) {
			const struct mmlens_record *record =
				(const void *)(buffer + at);

			if (check_record(record, walk.written - at))
				return EILSEQ;
			at += record->size;
		}
	}
	return 0;
}

static int ask_info(const void *unused)
{
	struct mmlens_info info = { .size = sizeof(info) };

	(void)unused;
	return ioctl(device(), MMLENS_INFO, &info) ? errno : 0;
}

/* Open, name the target, read, go back to the start, read, close. */
static int read_text(const void *argument)
{
	const char *name = argument;
	char path[64], text[16];
	int fd, error = 0;

	snprintf(path, sizeof(path), DEBUGFS "%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	snprintf(text, sizeof(text), "%d", target);
	if (strchr("mpst", *name) && strcmp(name, "stats") &&
	    write(fd, text, strlen(text)) < 0)
		error = errno;
	for (int i = 0; !error && i < 2; i++)
		if (read(fd, buffer, 8192) < 0 || lseek(fd, 0, SEEK_SET))
			error = errno;
	close(fd);
	return error;
}

/* The module, loaded and unloaded; the fault is the loading's. */
static int load(const void *argument)
{
	const int *fd = argument;
	bool injected;

	if (syscall(SYS_finit_module, *fd, "", 0))
		return errno;
	injected = disarm();
	if (syscall(SYS_delete_module, "mmlens", 0))
		return errno;
	if (!injected)
		arm(MOST);	/* still due */
	return 0;
}

/* ---- all of it ---- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 &&
		       write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Each allocation counts, and what fails is our own to tell. */
static void prepare(void)
{
	static const char *const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy", "fail_futex",
		"fail_make_request", "fail_io_timeout",
	};
	char path[96];
	bool any = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose",
			 kinds[i]);
		any |= write_file(path, "0");
		snprintf(path, sizeof(path),
			 "/sys/kernel/debug/%s/ignore-gfp-wait", kinds[i]);
		write_file(path, "N");
	}
	copies_fail = !access("/sys/kernel/debug/fail_usercopy", F_OK);
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem",
		   "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (!any || fail_nth < 0) {
		puts("this kernel has no fault injection");
		exit(3);
	}
	buffer = aligned_alloc(PAGE, ROOM_SIZE);
	memset(buffer, 0, ROOM_SIZE);
}

static void each_query(void)
{
	char name[64];

	for (size_t i = 0; i < query_count; i++) {
		const uint32_t flags[] = { 0, queries[i].flags };

		for (int all = 0; all < 1 + !!queries[i].flags; all++) {
			struct question question = { &queries[i], flags[all] };

			snprintf(name, sizeof(name), "%s%s", queries[i].name,
				 all ? "-all" : "");
			each_fault(name, ask, &question, 1, 1);
		}
	}
}

static void each_file(void)
{
	static const char *const files[] = {
		"maps", "pte", "smaps", "tables", "target", "version",
		"stats", "zones", "buddy", "lru", "ledger",
	};
	char name[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(name, sizeof(name), "debugfs/%s", files[i]);
		each_fault(name, read_text, files[i], 1, 1);
	}
}

static void ask_all(void)
{
	/* Who looks at its output waits for it. */
	target = fork();
	if (!target) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	/* To open it may fail in its own turn alone. */
	device();
	each_fault("open", open_device, NULL, 1, 1);
	each_fault("info", ask_info, NULL, 1, 1);
	each_query();
	each_file();
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
}

static void load_all(const char *path, unsigned int first, unsigned int step)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(2);
	}
	each_fault("load", load, &fd, first, step);
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "only", 1, NULL, 'o' }, { "load", 1, NULL, 'l' },
		{ "first", 1, NULL, 'f' }, { "step", 1, NULL, 's' }, {},
	};
	unsigned int first = 1, step = 1;
	const char *module = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		switch (option) {
		case 'o':
			only = optarg;
			break;
		case 'l':
			module = optarg;
			break;
		case 'f':
			first = strtoul(optarg, NULL, 0);
			break;
		case 's':
			step = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare();
	if (module)
		load_all(module, first, step ? step : 1);
	else
		ask_all();
	return wrong_somewhere;
}
