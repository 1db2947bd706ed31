// SPDX-License-Identifier: GPL-2.0-only
/* Processes of every kind, whose PIDs inputs name. */
#include <fcntl.h>
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

#include "fuzz.h"

#define CHURNERS	2

unsigned char *area;
uint64_t stack_page;
uint64_t task_size;
uint64_t direct_map = 0xffff888000000000;
uint64_t memory_pfn;
uint64_t all_queries;

static pid_t rich, zombie, dead;
static pid_t churners[CHURNERS];
/* In memory that all have: who is there just now. */
static volatile pid_t *come_and_gone;

static void touch(size_t first, size_t pages, size_t step)
{
	for (size_t i = first; i < first + pages; i += step)
		((volatile unsigned char *)area)[i * PAGE] = i;
}

/*
 * Pages of many kinds next to each other: by halves of a MiB written, read,
 * shared, of a file, without access, absent, read ahead, cut into VMAs.
 */
static void make_area(void)
{
	const size_t part = 128;
	int fd = memfd_create("area", 0);

	area = mmap(NULL, (AREA_PAGES + 1024) * PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED || fd < 0 || ftruncate(fd, part * PAGE)) {
		perror("area");
		exit(2);
	}
	/* So that the first half may be a huge page. */
	area = (unsigned char *)(((uintptr_t)area + (2 << 20) - 1) &
				 -(uintptr_t)(2 << 20));
	mprotect(area, 7 * part * PAGE, PROT_READ | PROT_WRITE);
	madvise(area, 4 * part * PAGE, MADV_HUGEPAGE);
	touch(0, 512, 1);
	(void)mmap(area + 4 * part * PAGE, part * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, fd, 0);
	touch(4 * part, part, 2);
	touch(5 * part, part, 3);
	for (size_t i = 0; i < part; i += 4)
		mprotect(area + (5 * part + i) * PAGE, PAGE, PROT_READ);
	(void)mmap(area + 6 * part * PAGE, part * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED, fd, 0);
	touch(6 * part, part / 2, 5);
	madvise(area + 5 * part * PAGE, part * PAGE, 21 /* MADV_PAGEOUT */);
	close(fd);
}

static void be_rich(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* ---- those that come and go ---- */

static void change(struct rng *rng)
{
	size_t first = rng_below(rng, AREA_PAGES - 64);
	size_t size = (1 + rng_below(rng, 64)) * PAGE;
	unsigned char *at = area + first * PAGE;

	switch (rng_below(rng, 6)) {
	case 0:
		munmap(at, size);
		break;
	case 1:
		mprotect(at, size, rng_below(rng, 4));
		break;
	case 2:
		madvise(at, size, MADV_DONTNEED);
		break;
	case 3:
		(void)mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			   MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
		break;
	case 4:
		mremap(at, size, 2 * size, MREMAP_MAYMOVE);
		break;
	case 5:
		madvise(at, size, 21 /* MADV_PAGEOUT */);
		break;
	}
}

static void live(struct rng *rng, int number)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	come_and_gone[number] = getpid();
	for (unsigned int n = rng_below(rng, 12); n; n--) {
		change(rng);
		usleep(500);
	}
	if (rng_one_in(rng, 3))
		execl("/proc/self/exe", "fuzz", "--nothing", NULL);
	_exit(0);
}

/* Where a fork takes long, it would have the processor to itself. */
static void churn(unsigned int seed, int number)
{
	struct rng rng = { seed * 64ull + number };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		double began = now();
		pid_t pid = fork();

		rng_next(&rng);
		if (!pid)
			live(&rng, number);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		usleep(3000 + 4e6 * (now() - began));
	}
}

static pid_t start(void (*be)(void))
{
	pid_t pid = fork();

	if (!pid) {
		if (be)
			be();
		_exit(0);
	}
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	return pid;
}

/* ---- what is known of the machine ---- */

static void learn(void)
{
	struct mmlens_info info = { .size = sizeof(info) };
	struct mmlens_level levels[8] = {};
	struct mmlens_walk walk = {
		.size = sizeof(walk), .pid = getpid(), .buffer = 0,
		.start = (uintptr_t)area + 300 * PAGE,
	};
	static unsigned char buffer[MMLENS_BUFFER_MIN]
		__attribute__((aligned(8)));
	int fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	walk.buffer = (uintptr_t)buffer;
	walk.buffer_size = sizeof(buffer);
	if (fd < 0 || ioctl(fd, MMLENS_INFO, &info) ||
	    ioctl(fd, MMLENS_VTOP, &walk)) {
		perror(MMLENS_DEVICE);
		exit(2);
	}
	task_size = info.task_size;
	all_queries = info.queries;
	memcpy(levels, buffer, walk.written < sizeof(levels) ? walk.written :
							       sizeof(levels));
	if (walk.records)
		memory_pfn = levels[walk.records - 1].value & ~1023ull;
	close(fd);
}

void targets_start(unsigned int seed)
{
	siginfo_t info;
	int on_stack;

	come_and_gone = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stack_page = ((uintptr_t)&on_stack & -PAGE) - 16 * PAGE;
	make_area();
	learn();
	rich = start(be_rich);
	dead = start(NULL);
	waitpid(dead, NULL, 0);
	zombie = start(NULL);
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	for (int i = 0; i < CHURNERS; i++) {
		churners[i] = fork();
		if (!churners[i])
			churn(seed, i);
	}
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void targets_end(void)
{
	for (int i = 0; i < CHURNERS; i++)
		end(churners[i]);
	end(rich);
	waitpid(zombie, NULL, 0);
}

pid_t target_pid(const struct input *input)
{
	switch (input->target) {
	case TARGET_RICH:
		return rich;
	case TARGET_SELF:
		return getpid();
	case TARGET_THREAD:
		return gettid();
	case TARGET_CHURN:
		return come_and_gone[(input->walk.start >> 12) % CHURNERS];
	case TARGET_INIT:
		return 1;
	case TARGET_KERNEL:
		return 2;
	case TARGET_ZOMBIE:
		return zombie;
	case TARGET_DEAD:
		return dead;
	default:
		return input->walk.pid;
	}
}
