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

static void child_written(struct target *shared)
{
	volatile char *map = reserve(shared, PROT_READ | PROT_WRITE);

	if (!madvise((void *)map, amount, POPULATE_WRITE))
		return;
	for (uint64_t at = 0; at < amount; at += PAGE)
		map[at] = 1;
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

/* What each of many processes has beside the program: a small daemon's. */
#define PROCESS_MEMORY	(2 * MIB)
#define PROCESS_VMAS	32

static void become_daemon(struct target *shared)
{
	const uint64_t piece = PROCESS_MEMORY / PROCESS_VMAS;
	char *map;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	amount = PROCESS_MEMORY;
	map = reserve(shared, PROT_READ | PROT_WRITE);
	for (uint64_t at = 0; at < amount; at += PAGE)
		((volatile char *)map)[at] = 1;
	for (uint64_t at = 0; at < amount; at += 2 * piece)
		if (mprotect(map + at, piece, PROT_READ))
			die("mprotect");
	__atomic_fetch_add(&shared->ready, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* They end with their parent. */
static void child_processes(struct target *shared)
{
	for (uint64_t i = 0; i < amount; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			become_daemon(shared);
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) < amount)
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

void setup_processes(struct target *target, uint64_t count)
{
	amount = count;
	spawn(target, child_processes);
}
