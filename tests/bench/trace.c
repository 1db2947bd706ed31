// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much slower a process is that is traced: it writes to pages that aren't
 * there, and does nothing else, so that every bit of its time is page faults.
 * On one processor the reader takes its share of that time, too.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define FAULTS	20000

static uint64_t time_faults(void)
{
	const size_t size = FAULTS * PAGE;
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t began;

	if (map == MAP_FAILED || madvise(map, size, MADV_NOHUGEPAGE))
		die("mmap");
	began = now_ns();
	for (size_t at = 0; at < size; at += PAGE)
		((volatile char *)map)[at] = 1;
	began = now_ns() - began;
	munmap(map, size);
	return began;
}

/* Returns when it traces: its first line says so. */
static pid_t begin_trace(const char *option)
{
	char path[] = "/tmp/bench-trace-XXXXXX", pid[16];
	int out = mkostemp(path, O_CLOEXEC);
	struct stat st = {};
	pid_t child;

	if (out < 0)
		die(path);
	unlink(path);
	snprintf(pid, sizeof(pid), "%d", getpid());
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		if (dup2(out, 1) < 0)
			_exit(127);
		execlp("mmlens", "mmlens", "trace", "--json", "-e", "fault",
		       option, pid, NULL);
		_exit(127);
	}
	while (!st.st_size) {
		if (fstat(out, &st) || waitpid(child, NULL, WNOHANG))
			die("mmlens trace");
		usleep(10000);
	}
	close(out);
	return child;
}

static uint64_t time_traced(const char *option)
{
	pid_t child = begin_trace(option);
	uint64_t ns = time_faults();
	int status;

	kill(child, SIGINT);
	if (waitpid(child, &status, 0) != child || status)
		die("mmlens trace");
	return ns;
}

uint64_t faults_counted(const struct target *target)
{
	(void)target;
	return time_traced("--summary");
}

uint64_t faults_shown(const struct target *target)
{
	(void)target;
	return time_traced("--buffer=16M");
}

uint64_t faults_untraced(const struct target *target)
{
	(void)target;
	return time_faults();
}
