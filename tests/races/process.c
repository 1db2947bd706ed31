// SPDX-License-Identifier: GPL-2.0-only
/* Processes that come and go, with what looks at them. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "races.h"

static char *start;

static enum outcome prepare(void)
{
	start = memory(2 * MIB);
	return start ? DONE : says(CANNOT, "mmap");
}

/* A child that may be looked at; it lives as long as @live takes. */
static enum outcome child(void (*live)(void))
{
	pid_t pid = bound_fork();
	int status;

	if (!pid) {
		live();
		_exit(0);
	}
	if (pid < 0)
		return says(FAILED, "fork");
	look_at(pid);
	waitpid(pid, &status, 0);
	look_at(getpid());
	return DONE;
}

static void live_forked(void)
{
	touch(start, any(2) * MIB);
	usleep(any(3000));
}

static enum outcome change_fork(void)
{
	return child(live_forked);
}

static void live_executing(void)
{
	usleep(any(2000));
	execl("/proc/self/exe", "races", "--nothing", NULL);
}

static enum outcome change_exec(void)
{
	return child(live_executing);
}

static void *touch_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		touch(start, 2 * MIB);
	return NULL;
}

/* It ends in the middle of what its threads do. */
static void live_threaded(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, touch_for_ever, NULL);
	usleep(any(5000));
}

static enum outcome change_exit(void)
{
	return child(live_threaded);
}

/* ---- a reader that is killed ---- */

static void read_for_ever(void)
{
	static unsigned char buffer[ROOM_SIZE] __attribute__((aligned(8)));
	int fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	for (unsigned int i = any(query_count);; i++) {
		const struct query *query = &queries[i % query_count];
		struct mmlens_walk walk = {
			.size = sizeof(walk), .flags = query->flags,
			.pid = query->system ? 0 : getppid(),
			.buffer = (uintptr_t)buffer,
			.buffer_size = sizeof(buffer),
		};

		if (query->request == MMLENS_VTOP)
			walk.start = (uintptr_t)buffer & -PAGE;
		while (!ioctl(fd, query->request, &walk) &&
		       !(walk.status & MMLENS_STATUS_DONE))
			;
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Seconds in which one that was killed must be gone, on a busy machine. */
#define DEATH	20

static enum outcome change_kill(void)
{
	pid_t pid = bound_fork();
	double killed;
	int status;

	if (!pid)
		read_for_ever();
	if (pid < 0)
		return says(FAILED, "fork");
	usleep(any(30000));
	kill(pid, SIGKILL);
	killed = now();
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return says(FAILED, "the reader ended by itself");
	if (now() - killed > DEATH)
		return says(FAILED, "a reader took long to die");
	return DONE;
}

/* ---- memory cgroups ---- */

#define CGROUPS	"/sys/fs/cgroup"

/* Each in a group of its own: the kinds run side by side. */
static char group[64];

static bool group_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return write_file(path, text);
}

static bool make_group(void)
{
	static unsigned int number;

	snprintf(group, sizeof(group), CGROUPS "/races-%d-%u", getpid(),
		 number++);
	return !mkdir(group, 0755);
}

/* Whoever was in it needs a moment to be gone. */
static bool remove_group(void)
{
	for (int i = 0; i < 200; i++) {
		if (!rmdir(group))
			return true;
		usleep(5000);
	}
	return false;
}

static enum outcome prepare_memcg(void)
{
	if (!write_file(CGROUPS "/cgroup.subtree_control", "+memory"))
		return says(CANNOT, "memory cgroups");
	return prepare();
}

static void live_in_group(void)
{
	char *at;

	group_file("cgroup.procs", "0");
	at = memory(2 * MIB);
	if (at && any(2))
		group_file("memory.reclaim", "1M");
	write_file(CGROUPS "/cgroup.procs", "0");
	if (at)
		touch(at, 2 * MIB);
}

static enum outcome change_memcg(void)
{
	enum outcome outcome;

	if (!make_group())
		return says(FAILED, "mkdir");
	outcome = child(live_in_group);
	if (!remove_group())
		return says(FAILED, "rmdir");
	return outcome;
}

/* ---- killed for want of memory ---- */

#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

static void live_large(void)
{
	memory(8 * MIB);
	pause();
}

/*
 * What becomes of a process that is killed for want of memory: others take its
 * memory away while it is still there.  The kernel itself says much more about
 * it in its log.
 */
static enum outcome change_reap(void)
{
	pid_t pid = bound_fork();
	int fd, error = 0;

	if (!pid) {
		live_large();
		_exit(0);
	}
	if (pid < 0)
		return says(FAILED, "fork");
	look_at(pid);
	usleep(any(20000));
	fd = syscall(SYS_pidfd_open, pid, 0);
	kill(pid, SIGKILL);
	if (syscall(SYS_process_mrelease, fd, 0))
		error = errno;
	waitpid(pid, NULL, 0);
	look_at(getpid());
	close(fd);
	errno = error;
	/* It may have been faster. */
	if (!error)
		return DONE;
	return says(error == ENOSYS ? CANNOT : FAILED, "process_mrelease");
}

static void live_too_large(void)
{
	group_file("cgroup.procs", "0");
	memory(64 * MIB);
}

/* Killed by the kernel for want of memory, in the middle of being read. */
static enum outcome change_oom(void)
{
	uint64_t before = vmstat("oom_kill");

	if (!make_group())
		return says(FAILED, "mkdir");
	group_file("memory.swap.max", "0");
	if (!group_file("memory.max", "8M"))
		return says(CANNOT, "memory.max");
	child(live_too_large);
	if (!remove_group())
		return says(FAILED, "rmdir");
	errno = 0;
	return vmstat("oom_kill") > before ? DONE :
	       says(FAILED, "nobody was killed");
}

/* Those of kinds that were ended in between. */
static void undo_memcg(void)
{
	glob_t found;

	if (glob(CGROUPS "/races-*", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		snprintf(group, sizeof(group), "%s", found.gl_pathv[i]);
		remove_group();
	}
	globfree(&found);
}

const struct kind process_kinds[] = {
	{ "fork", prepare, change_fork, NULL, 1000, false },
	{ "exec", NULL, change_exec, NULL, 1000, false },
	{ "exit", prepare, change_exit, NULL, 1000, false },
	{ "kill-reader", NULL, change_kill, NULL, 1000, false },
	{ "memcg", prepare_memcg, change_memcg, undo_memcg, 2000, false },
	{ "reap", NULL, change_reap, NULL, 5000, false },
	{ "oom", prepare_memcg, change_oom, undo_memcg, 20000, true },
	{}
};
