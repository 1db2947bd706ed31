// SPDX-License-Identifier: GPL-2.0-only
/* What workloads do when they are told to; addresses are the workload's. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab.h"

/* More than the page sizes that a leaf of level PMD has. */
#define ALIGNMENT	(2 * MIB)

static volatile unsigned char *at(uint64_t address)
{
	return (volatile unsigned char *)(uintptr_t)address;
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

int64_t work_map(uint64_t size, uint64_t b, uint64_t c)
{
	uint64_t room = size + ALIGNMENT, start, first;
	void *area = mmap(NULL, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)b;
	(void)c;
	if (area == MAP_FAILED)
		return -errno;
	start = (uintptr_t)area;
	first = (start + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (first > start)
		munmap(area, first - start);
	munmap(pointer(first + size), start + room - first - size);
	/* Without huge pages in the kernel, there is nothing to be said no to. */
	if (madvise(pointer(first), size, MADV_NOHUGEPAGE) && errno != EINVAL)
		return -errno;
	return (int64_t)first;
}

int64_t work_map_file(uint64_t fd, uint64_t size, uint64_t protection)
{
	void *area = mmap(NULL, size, (int)protection, MAP_SHARED, (int)fd, 0);

	return area == MAP_FAILED ? -errno : (int64_t)(uintptr_t)area;
}

int64_t work_unmap(uint64_t address, uint64_t size, uint64_t c)
{
	(void)c;
	return munmap(pointer(address), size) ? -errno : 0;
}

int64_t work_read(uint64_t address, uint64_t size, uint64_t stride)
{
	for (uint64_t i = 0; i < size; i += stride)
		(void)*at(address + i);
	return 0;
}

int64_t work_write(uint64_t address, uint64_t size, uint64_t stride)
{
	for (uint64_t i = 0; i < size; i += stride)
		*at(address + i) = 1;
	return 0;
}

static uint64_t number_of(uint64_t offset, uint64_t seed)
{
	return (offset + seed) * 0x9e3779b97f4a7c15ull;
}

int64_t work_fill(uint64_t address, uint64_t size, uint64_t seed)
{
	for (uint64_t i = 0; i < size; i += LAB_PAGE)
		*(volatile uint64_t *)pointer(address + i) =
			number_of(i, seed);
	return 0;
}

int64_t work_check(uint64_t address, uint64_t size, uint64_t seed)
{
	int64_t good = 0;

	for (uint64_t i = 0; i < size; i += LAB_PAGE)
		good += *(volatile uint64_t *)pointer(address + i) ==
			number_of(i, seed);
	return good;
}

int64_t work_advise(uint64_t address, uint64_t size, uint64_t advice)
{
	return madvise(pointer(address), size, (int)advice) ? -errno : 0;
}

int64_t work_read_file(uint64_t fd, uint64_t offset, uint64_t size)
{
	static char room[256 * 1024];
	uint64_t done = 0;

	while (done < size) {
		uint64_t left = size - done;
		ssize_t n = pread((int)fd, room,
				  left < sizeof(room) ? left : sizeof(room),
				  (off_t)(offset + done));

		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += n;
	}
	return (int64_t)done;
}

#define POLICY_BIND	2	/* MPOL_BIND of linux/mempolicy.h */

int64_t work_bind(uint64_t node, uint64_t b, uint64_t c)
{
	unsigned long mask[16] = {};
	const size_t bits = 8 * sizeof(mask[0]);

	(void)b;
	(void)c;
	if (node >= 16 * bits)
		return -EINVAL;
	mask[node / bits] = 1ul << node % bits;
	/* A kernel without NUMA has one node. */
	if (syscall(SYS_set_mempolicy, POLICY_BIND, mask, 16 * bits) &&
	    errno != ENOSYS)
		return -errno;
	return 0;
}
