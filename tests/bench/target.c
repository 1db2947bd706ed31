// SPDX-License-Identifier: GPL-2.0-only
/* Processes to look at. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* What the next child is to make. */
static uint64_t amount;

void spawn(struct target *target, void (*child)(struct target *shared))
{
	struct target *shared = mmap(NULL, sizeof(*shared),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (shared == MAP_FAILED)
		die("mmap");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(shared);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("target");
	*target = *shared;
	target->pid = pid;
	munmap(shared, sizeof(*shared));
}

void reap(struct target *target)
{
	if (!target->pid)
		return;
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	target->pid = 0;
}

static char *reserve(struct target *shared, int prot)
{
	char *map = mmap(NULL, amount, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED || madvise(map, amount, MADV_NOHUGEPAGE))
		die("mmap");
	shared->start = (uintptr_t)map;
	shared->size = amount;
	return map;
}

/* Of 5.14 and later; faster than a fault for each page. */
#define POPULATE_READ	22
#define POPULATE_WRITE	23

void write_pages(char *map, uint64_t size)
{
	if (!madvise(map, size, POPULATE_WRITE))
		return;
	for (uint64_t at = 0; at < size; at += PAGE)
		((volatile char *)map)[at] = 1;
}

static void child_written(struct target *shared)
{
	write_pages(reserve(shared, PROT_READ | PROT_WRITE), amount);
}

/* Entries without memory behind them. */
static void child_zero_pages(struct target *shared)
{
	const volatile char *map = reserve(shared, PROT_READ);

	if (!madvise((void *)map, amount, POPULATE_READ))
		return;
	for (uint64_t at = 0; at < amount; at += PAGE)
		(void)map[at];
}

static void child_reserved(struct target *shared)
{
	reserve(shared, PROT_NONE);
}

/* VMAs that differ from their neighbours, a page in each. */
static void child_vmas(struct target *shared)
{
	uint64_t count = amount;
	char *map;

	amount = count * PAGE;
	map = reserve(shared, PROT_READ | PROT_WRITE);
	for (uint64_t i = 0; i < count; i++) {
		((volatile char *)map)[i * PAGE] = 1;
		if (i % 2 && mprotect(map + i * PAGE, PAGE, PROT_READ))
			die("mprotect");
	}
}

/*
 * What each of many processes has beside the program's own 22 VMAs.  With the
 * usual 6 MiB it is like an idle python3, which has 6.8 MiB in 45; an idle bash
 * has 3.2 MiB in 43, redis-server 14.6 MiB in 91.
 */
#define PROCESSES	500
#define PROCESS_VMAS	24

static void become_daemon(struct target *shared)
{
	const uint64_t piece = amount / PROCESS_VMAS / PAGE * PAGE;
	char *map;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map = reserve(shared, PROT_READ | PROT_WRITE);
	write_pages(map, amount);
	for (int i = 0; i < PROCESS_VMAS; i += 2)
		if (mprotect(map + i * piece, piece, PROT_READ))
			die("mprotect");
	__atomic_fetch_add(&shared->ready, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* They end with their parent. */
static void child_processes(struct target *shared)
{
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			become_daemon(shared);
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) < PROCESSES)
		usleep(10000);
}

void setup_written(struct target *target, uint64_t size)
{
	amount = size;
	spawn(target, child_written);
}

void setup_zero_pages(struct target *target, uint64_t size)
{
	amount = size;
	spawn(target, child_zero_pages);
}

void setup_reserved(struct target *target, uint64_t size)
{
	amount = size;
	spawn(target, child_reserved);
}

void setup_vmas(struct target *target, uint64_t count)
{
	amount = count;
	spawn(target, child_vmas);
}

void setup_processes(struct target *target, uint64_t size)
{
	amount = size;
	spawn(target, child_processes);
}
