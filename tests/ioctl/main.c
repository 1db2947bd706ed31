// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl --list		names of the cases
 * ioctl --run		runs all of them; a line each:
 *			ok NAME | failed NAME WHY | skip NAME WHY
 *			and before it "# WHAT" for what was seen
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioctl.h"

static const struct test_case *const tables[] = {
	argument_cases, access_cases, answer_cases, change_cases,
	compat_cases, lru_cases, found_cases, padding_cases,
};

unsigned char room[ROOM_SIZE] __attribute__((aligned(PAGE)));

int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		printf("%s: %s\n", MMLENS_DEVICE, strerror(errno));
		exit(1);
	}
	return fd;
}

struct mmlens_walk walk_of(pid_t pid)
{
	return (struct mmlens_walk) {
		.size = sizeof(struct mmlens_walk),
		.pid = pid,
		.buffer = (uintptr_t)room,
		.buffer_size = sizeof(room),
	};
}

/* vtop translates one address; the machine has the number 0. */
struct mmlens_walk walk_for(const struct query *query, pid_t pid)
{
	struct mmlens_walk walk = walk_of(query->system ? 0 : pid);

	if (query->request == MMLENS_VTOP)
		walk.start = (uintptr_t)room;
	return walk;
}

static bool is_poison(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != POISON)
			return false;
	return true;
}

const char *refused(int fd, unsigned long request, void *arg, size_t size,
		    int error)
{
	unsigned char before[2 * PAGE];

	memcpy(before, arg, size);
	memset(room, POISON, sizeof(room));
	if (ioctl(fd, request, arg) >= 0)
		return wrong("accepted, not refused with: %s", strerror(error));
	if (errno != error)
		return wrong("%s instead of: %s", strerror(errno),
			     strerror(error));
	if (memcmp(before, arg, size))
		return wrong("the structure was written to");
	if (!is_poison(room, sizeof(room)))
		return wrong("the buffer was written to");
	return NULL;
}

static const char *refuse(const struct query *query,
			  void (*change)(struct mmlens_walk *walk), int error)
{
	struct mmlens_walk walk = walk_for(query, getpid());
	char copy[256];
	const char *why;

	change(&walk);
	why = refused(device(), query->request, &walk, sizeof(walk), error);
	if (!why)
		return NULL;
	snprintf(copy, sizeof(copy), "%s", why);
	return wrong("%s: %s", query->name, copy);
}

const char *all_refuse(void (*change)(struct mmlens_walk *walk), int error)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		why = refuse(&queries[i], change, error);
	return why;
}

const char *unranged_refuse(void (*change)(struct mmlens_walk *walk),
			    int error)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		if (!has_own_range(&queries[i]))
			why = refuse(&queries[i], change, error);
	return why;
}

const char *each_refuses(void (*change)(struct mmlens_walk *walk), int error)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		if (!queries[i].system)
			why = refuse(&queries[i], change, error);
	return why;
}

pid_t sleeper(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		exit(1);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1))
		exit(1);
	close(ready[0]);
	return pid;
}

void end_of(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

const char *in_child(const char *(*body)(void))
{
	static char text[512];
	int said[2], status;
	ssize_t length;
	pid_t pid;

	fflush(stdout);
	if (pipe(said))
		return wrong("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		const char *why = body();

		if (why && write(said[1], why, strlen(why)) < 0)
			_exit(2);
		_exit(why ? 1 : 0);
	}
	close(said[1]);
	length = read(said[0], text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	close(said[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	return length > 0 ? text : wrong("the child ended with %#x", status);
}

static bool keep(struct records *records, const struct mmlens_walk *walk,
		 const unsigned char *buffer)
{
	unsigned char *bytes = realloc(records->bytes,
				       records->size + walk->written + 1);

	if (!bytes)
		return false;
	memcpy(bytes + records->size, buffer, walk->written);
	records->bytes = bytes;
	records->size += walk->written;
	records->count += walk->records;
	records->calls++;
	return true;
}

const char *gather(const struct query *query, pid_t pid, uint32_t flags,
		   size_t step, struct records *records)
{
	struct mmlens_walk walk = walk_for(query, pid);
	unsigned char *buffer = aligned_alloc(PAGE, step);

	*records = (struct records) {};
	walk.flags = flags;
	walk.buffer = (uintptr_t)buffer;
	walk.buffer_size = step;
	do {
		uint64_t cursor = walk.cursor;

		if (ioctl(device(), query->request, &walk))
			return wrong("%s: %s", query->name, strerror(errno));
		if (walk.written > step)
			return wrong("%s wrote %llu of %zu bytes", query->name,
				     (unsigned long long)walk.written, step);
		if (!keep(records, &walk, buffer))
			return wrong("no memory");
		if (!walk.written && walk.cursor == cursor &&
		    !(walk.status & MMLENS_STATUS_DONE))
			return wrong("%s stands still", query->name);
		if (walk.status != MMLENS_STATUS_DONE &&
		    walk.status != MMLENS_STATUS_TRUNCATED)
			return wrong("%s: status %#x", query->name,
				     walk.status);
	} while (!(walk.status & MMLENS_STATUS_DONE));
	free(buffer);
	return NULL;
}

typedef void (*visitor)(const struct test_case *test);

static void each_case(visitor visit)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct test_case *c = tables[i]; c->name; c++)
			visit(c);
}

static void print_name(const struct test_case *test)
{
	puts(test->name);
}

/* What the child says is its last line, whatever it said before. */
static void run_case(const struct test_case *test)
{
	const char *why = test->run();

	if (!why)
		printf("ok %s\n", test->name);
	else if (!strncmp(why, "skip: ", 6))
		printf("skip %s %s\n", test->name, why + 6);
	else
		printf("failed %s %s\n", test->name, why);
	fflush(stdout);
}

/* Seconds of a case that are worth to be told. */
#define LONG	5

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Each in a process of its own, so that none disturbs another. */
static void run_apart(const struct test_case *test)
{
	const double begin = now();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(1200);	/* a walk that never ends */
		run_case(test);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		printf("failed %s ended with %#x\n", test->name, status);
	if (now() - begin > LONG)
		printf("# %s took %.1f s\n", test->name, now() - begin);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		each_case(print_name);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--run")) {
		each_case(run_apart);
		return 0;
	}
	fprintf(stderr, "usage: %s --list | --run\n", argv[0]);
	return 2;
}
