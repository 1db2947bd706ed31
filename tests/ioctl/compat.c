// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit caller: the structures are the same, and so are the answers.
 *
 * int $0x80 is the system call of 32-bit programs, and a 64-bit one may use it
 * for what stands in the lowest 4 GiB.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl.h"

#ifdef __x86_64__

#define I386_GETPID	20
#define I386_IOCTL	54

static long call_32(long number, long first, long second, long third)
{
	long result;

	asm volatile("int $0x80" : "=a" (result)
		     : "a" (number), "b" (first), "c" (second), "d" (third)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static const char *is_there(void)
{
	return call_32(I386_GETPID, 0, 0, 0) == getpid() ? NULL : "no";
}

/* Without the emulation in the kernel the child gets a signal. */
static bool kernel_takes_32(void)
{
	return !in_child(is_there);
}

struct low {
	struct mmlens_walk walk;
	struct mmlens_info info;
	unsigned char room[ROOM_SIZE] __attribute__((aligned(PAGE)));
};

static long ioctl_32(unsigned long request, void *arg)
{
	return call_32(I386_IOCTL, device(), request, (uintptr_t)arg);
}

static const char *same_info(struct low *low)
{
	low->info = (struct mmlens_info) { .size = sizeof(low->info) };
	if (ioctl_32(MMLENS_INFO, &low->info))
		return wrong("MMLENS_INFO is refused");
	if (low->info.abi != MMLENS_ABI)
		return wrong("abi %u", low->info.abi);
	return NULL;
}

static const char *same_records_once(struct low *low,
				     const struct query *query, pid_t pid)
{
	struct records records;
	const char *why = gather(query, pid, 0, sizeof(low->room), &records);
	long result;

	if (why)
		return why;
	low->walk = walk_for(query, pid);
	low->walk.buffer = (uintptr_t)low->room;
	result = ioctl_32(query->request, &low->walk);
	if (result)
		return wrong("%s: %s", query->name, strerror(-result));
	if (low->walk.status != MMLENS_STATUS_DONE)
		return wrong("%s isn't done", query->name);
	if (low->walk.written != records.size ||
	    memcmp(low->room, records.bytes, records.size))
		return wrong("%s: other records", query->name);
	return NULL;
}

/*
 * How often a page is mapped may change between two looks, as when a process
 * begins or ends: what counts is that they always differ.
 */
#define ATTEMPTS	30
#define PAUSE_US	200000

static const char *same_records(struct low *low, const struct query *query,
				pid_t pid)
{
	const char *why = NULL;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		why = same_records_once(low, query, pid);
		if (!why)
			break;
		usleep(PAUSE_US);
	}
	return why;
}

/* Processes come and go: the answer is well-formed, and the first one there. */
static const char *same_processes(struct low *low)
{
	const struct mmlens_proc *first = (const void *)low->room;
	long result;

	low->walk = walk_of(0);
	low->walk.buffer = (uintptr_t)low->room;
	result = ioctl_32(MMLENS_PROCS, &low->walk);
	if (result)
		return wrong("procs: %s", strerror(-result));
	if (first->head.type != MMLENS_REC_PROC || first->pid != 1)
		return wrong("procs begin with a record of type %u",
			     first->head.type);
	return check_record(&first->head, low->walk.written);
}

static const char *same_errors(struct low *low)
{
	static const struct {
		unsigned long request;
		uint32_t size, flags;
		int error;
	} cases[] = {
		{ MMLENS_PTES, 8, 0, EINVAL },
		{ MMLENS_PTES, sizeof(struct mmlens_walk), ~0u, EINVAL },
		{ MMLENS_PTES ^ 1 << 8, sizeof(struct mmlens_walk), 0, ENOTTY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		low->walk = walk_of(getpid());
		low->walk.buffer = (uintptr_t)low->room;
		low->walk.size = cases[i].size;
		low->walk.flags = cases[i].flags;
		if (ioctl_32(cases[i].request, &low->walk) != -cases[i].error)
			return wrong("case %zu: not %s", i,
				     strerror(cases[i].error));
	}
	if (ioctl_32(MMLENS_PTES, (void *)8) != -EFAULT)
		return wrong("a structure nowhere is taken");
	return NULL;
}

static const char *case_caller_of_32_bits(void)
{
	struct low *low;
	const char *why;
	pid_t pid;

	if (!kernel_takes_32())
		return "skip: this kernel runs no 32-bit programs";
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		return wrong("no memory below 4 GiB");
	pid = sleeper();
	kill(pid, SIGSTOP);
	why = same_info(low);
	for (size_t i = 0; !why && i < query_count; i++)
		if (!queries[i].system)
			why = same_records(low, &queries[i], pid);
	why = why ?: same_processes(low);
	end_of(pid);
	return why ?: same_errors(low);
}

#else

static const char *case_caller_of_32_bits(void)
{
	return "skip: no 32-bit system calls from a 64-bit program";
}

#endif

const struct test_case compat_cases[] = {
	{ "caller_of_32_bits", case_caller_of_32_bits },
	{ NULL, NULL },
};
