// SPDX-License-Identifier: GPL-2.0-only
/* Bad arguments: each is refused with its error, and nothing is written. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ioctl.h"

/* A case that makes one change to a good request, by who must refuse it. */
#define REFUSED_BY(WHO, NAME, ERROR, CHANGE)				\
static void change_##NAME(struct mmlens_walk *walk) { CHANGE; }		\
static const char *case_##NAME(void)					\
{									\
	return WHO(change_##NAME, ERROR);				\
}

#define REFUSED(...)		REFUSED_BY(all_refuse, __VA_ARGS__)
#define RANGE_REFUSED(...)	REFUSED_BY(unranged_refuse, __VA_ARGS__)
#define EACH_REFUSES(...)	REFUSED_BY(each_refuses, __VA_ARGS__)

#define VALUES(...)		VALUES_BY(all_refuse, __VA_ARGS__)
#define RANGE_VALUES(...)	VALUES_BY(unranged_refuse, __VA_ARGS__)
#define EACH_REFUSES_VALUES(...) VALUES_BY(each_refuses, __VA_ARGS__)
#define VALUES_BY(WHO, NAME, ERROR, TYPE, MEMBER, ...)			\
static TYPE value_##NAME;						\
static void change_##NAME(struct mmlens_walk *walk)			\
{									\
	walk->MEMBER = value_##NAME;					\
}									\
static const char *case_##NAME(void)					\
{									\
	static const TYPE values[] = { __VA_ARGS__ };			\
									\
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {	\
		const char *why;					\
									\
		value_##NAME = values[i];				\
		why = WHO(change_##NAME, ERROR);			\
		if (why)						\
			return why;					\
	}								\
	return NULL;							\
}

/* ---- the process ---- */

EACH_REFUSES_VALUES(pid_below_one, EINVAL, int32_t, pid, 0, -1, -4242, INT_MIN)
EACH_REFUSES(kernel_thread, ENXIO, walk->pid = 2)

static pid_t dead;

static void change_dead(struct mmlens_walk *walk)
{
	walk->pid = dead;
}

static const char *case_zombie(void)
{
	siginfo_t info;
	const char *why;

	dead = sleeper();
	kill(dead, SIGKILL);
	waitid(P_PID, dead, &info, WEXITED | WNOWAIT);
	why = each_refuses(change_dead, ENXIO);
	waitpid(dead, NULL, 0);
	return why;
}

static const char *case_no_such_process(void)
{
	dead = sleeper();
	end_of(dead);
	return each_refuses(change_dead, ESRCH);
}

EACH_REFUSES(pid_too_large, ESRCH, walk->pid = INT_MAX)

/* ---- the range ---- */

static uint64_t task_size(void)
{
	static struct mmlens_info info = { .size = sizeof(info) };

	if (!info.task_size && ioctl(device(), MMLENS_INFO, &info))
		return 0;
	return info.task_size;
}

RANGE_VALUES(start_unaligned, EINVAL, uint64_t, start, 1, 8, PAGE - 1,
	     PAGE + 1, 3 * PAGE / 2, 0x7fffffff0001)
RANGE_VALUES(end_unaligned, EINVAL, uint64_t, end, 1, PAGE + 8, ~0ull)
REFUSED(end_before_start, EINVAL,
	walk->start = 4 * PAGE; walk->end = 3 * PAGE)
RANGE_REFUSED(start_above, EINVAL, walk->start = task_size() + PAGE)
RANGE_REFUSED(start_in_kernel, EINVAL, walk->start = 0xffff888000000000)
RANGE_REFUSED(start_highest, EINVAL, walk->start = -PAGE)
RANGE_REFUSED(end_above, EINVAL, walk->end = task_size() + PAGE)
RANGE_REFUSED(end_highest, EINVAL, walk->end = -PAGE)

static const char *case_empty_range(void)
{
	for (size_t i = 0; i < query_count; i++) {
		struct mmlens_walk walk = walk_of(getpid());

		if (!takes_range(&queries[i]))
			continue;
		walk.start = walk.end = (uintptr_t)room;
		if (ioctl(device(), queries[i].request, &walk))
			return wrong("%s: %s", queries[i].name,
				     strerror(errno));
		if (walk.written || walk.records ||
		    walk.status != MMLENS_STATUS_DONE)
			return wrong("%s: %llu records", queries[i].name,
				     (unsigned long long)walk.records);
	}
	return NULL;
}

static const char *case_vtop_with_end(void)
{
	struct mmlens_walk walk = walk_of(getpid());

	walk.start = (uintptr_t)room;
	walk.end = walk.start + PAGE;
	return refused(device(), MMLENS_VTOP, &walk, sizeof(walk), EINVAL);
}

/* The machine: neither one process nor addresses. */
static const char *of_something(unsigned long request)
{
	const struct mmlens_walk right = walk_of(0);
	struct mmlens_walk walks[] = { right, right, right, right, right };
	const char *why = NULL;

	walks[0].pid = getpid();
	walks[1].pid = -1;
	walks[2].start = PAGE;
	walks[3].end = PAGE;
	walks[4].end = task_size();
	for (int i = 0; !why && i < 5; i++)
		why = refused(device(), request, &walks[i], sizeof(walks[i]),
			      EINVAL);
	return why;
}

static const char *case_procs_of_something(void)
{
	return of_something(MMLENS_PROCS);
}

static const char *case_zones_of_something(void)
{
	return of_something(MMLENS_ZONES);
}

/* One bit of a number, and its neighbours. */
static uint64_t hostile_number(unsigned int i)
{
	return (1ull << i / 3) - i % 3 + 1;
}

/*
 * A cursor of the machine may be anything, and a generation: they end the walk
 * or it goes on from somewhere.
 */
static const char *case_system_cursors(void)
{
	struct mmlens_walk walk;

	for (size_t q = 0; q < query_count; q++) {
		if (!queries[q].system)
			continue;
		for (unsigned int i = 0; i < 3 * 64; i++) {
			for (int both = 0; both < 4; both++) {
				walk = walk_of(0);
				walk.cursor = both & 1 ? ~0ull << i % 64 :
							 hostile_number(i);
				walk.generation = both & 2 ?
						  hostile_number(i) | 1 : 1;
				if (ioctl(device(), queries[q].request, &walk))
					return wrong("%s: cursor %#llx, generation %#llx: %s",
						     queries[q].name,
						     walk.cursor,
						     walk.generation,
						     strerror(errno));
			}
		}
	}
	return NULL;
}

/* ---- PFNs: any range and any cursor ---- */

static const char *case_pages_of_something(void)
{
	struct mmlens_walk walk = walk_of(getpid());
	const char *why;

	why = refused(device(), MMLENS_PAGES, &walk, sizeof(walk), EINVAL);
	walk = walk_of(0);
	walk.start = 2;
	walk.end = 1;
	if (!why)
		why = refused(device(), MMLENS_PAGES, &walk, sizeof(walk),
			      EINVAL);
	return why;
}

/* Records that the call wrote are in the range, whatever the cursor was. */
static const char *check_pages_call(const struct mmlens_walk *walk)
{
	uint64_t end = walk->end ? walk->end : ~0ull;

	for (uint64_t at = 0; at < walk->written;) {
		const struct mmlens_pfns *run = (const void *)(room + at);

		if (run->head.type != MMLENS_REC_PFNS || !run->head.size)
			return wrong("a record of type %u", run->head.type);
		if (run->pfn < walk->start || run->pfn >= end ||
		    run->count > end - run->pfn)
			return wrong("%u PFNs from %#llx on in %#llx-%#llx",
				     run->count, run->pfn, walk->start,
				     walk->end);
		at += run->head.size;
	}
	return NULL;
}

static const char *pages_call(uint64_t start, uint64_t end, uint64_t cursor,
			      uint64_t generation)
{
	struct mmlens_walk walk = walk_of(0);

	walk.start = start;
	walk.end = end;
	walk.cursor = cursor;
	walk.generation = generation;
	if (ioctl(device(), MMLENS_PAGES, &walk))
		return wrong("%#llx-%#llx at %#llx: %s",
			     (unsigned long long)start,
			     (unsigned long long)end,
			     (unsigned long long)cursor, strerror(errno));
	return check_pages_call(&walk);
}

static const char *case_pages_cursors(void)
{
	static const uint64_t generations[] = { 1, 2, ~0ull };
	const char *why = NULL;

	for (unsigned int bit = 0; !why && bit < 64; bit++) {
		for (int less = 0; !why && less < 3; less++) {
			uint64_t at = (1ull << bit) - less + 1;

			why = pages_call(0, 0, at, generations[less]);
			if (!why)
				why = pages_call(0x1000, 0x1003, at, 1);
			if (!why)
				why = pages_call(at, 0, at, 1);
			if (!why)
				why = pages_call(0, at, 0, 0);
		}
	}
	return why;
}

static const char *case_pages_ranges(void)
{
	static const uint64_t ends[] = {
		0, 1, 2, 511, 512, 0x7fff, 0x8000, 0x8001, 0xfffff, 0x100000,
		1ull << 40, 1ull << 52, ~0ull - 1, ~0ull,
	};
	const char *why = NULL;
	size_t count = sizeof(ends) / sizeof(*ends);

	for (size_t i = 0; !why && i < count; i++)
		for (size_t j = i; !why && j < count; j++)
			why = pages_call(ends[i], ends[j], 0, 0);
	return why;
}

/* ---- the buffer ---- */

static uint64_t mapping(size_t size, int prot)
{
	void *start = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	return (uintptr_t)start;
}

REFUSED(buffer_null, EFAULT, walk->buffer = 0)
REFUSED(buffer_of_kernel, EFAULT, walk->buffer = 0xffff888000000000)
REFUSED(buffer_highest, EFAULT, walk->buffer = -8ull)
VALUES(buffer_too_small, EINVAL, uint64_t, buffer_size, 0, 1, 8, PAGE,
       MMLENS_BUFFER_MIN - 8, MMLENS_BUFFER_MIN - 1)
REFUSED(buffer_misaligned, EINVAL, walk->buffer += 4)
REFUSED(buffer_odd, EINVAL, walk->buffer += 1)
REFUSED(buffer_read_only, EFAULT,
	walk->buffer = mapping(sizeof(room), PROT_READ))
REFUSED(buffer_no_access, EFAULT,
	walk->buffer = mapping(sizeof(room), PROT_NONE))

static void change_unmapped(struct mmlens_walk *walk)
{
	walk->buffer = mapping(sizeof(room), PROT_READ);
	munmap((void *)(uintptr_t)walk->buffer, sizeof(room));
}

static const char *case_buffer_unmapped(void)
{
	return all_refuse(change_unmapped, EFAULT);
}

/* Its size goes around the end of the address space. */
static const char *case_buffer_too_large(void)
{
	static const uint64_t sizes[] = {
		~0ull, ~0ull - 7, 1ull << 63, 1ull << 62,
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct mmlens_walk walk = walk_of(getpid());

		walk.buffer_size = sizes[i];
		if (!ioctl(device(), MMLENS_PTES, &walk))
			return wrong("accepted a buffer of %#llx bytes",
				     (unsigned long long)sizes[i]);
		if (errno != EFAULT && errno != EINVAL)
			return wrong("%#llx: %s", (unsigned long long)sizes[i],
				     strerror(errno));
	}
	return NULL;
}

/* More records than the mapped part of the buffer has room for. */
static const char *case_buffer_partly_mapped(void)
{
	unsigned char *touched = (void *)(uintptr_t)
		mapping(1024 * PAGE, PROT_READ | PROT_WRITE);
	struct mmlens_walk walk = walk_of(getpid()), before;

	/* Many entries: one huge page would fit into the part that is there. */
	madvise(touched, 1024 * PAGE, MADV_NOHUGEPAGE);
	memset(touched, 1, 1024 * PAGE);
	walk.start = (uintptr_t)touched;
	walk.end = walk.start + 1024 * PAGE;
	walk.buffer = mapping(16 * PAGE, PROT_READ | PROT_WRITE);
	walk.buffer_size = 16 * PAGE;
	munmap((char *)(uintptr_t)walk.buffer + PAGE, 15 * PAGE);
	before = walk;
	if (!ioctl(device(), MMLENS_PTES, &walk))
		return wrong("accepted");
	if (errno != EFAULT)
		return wrong("%s", strerror(errno));
	if (memcmp(&walk, &before, sizeof(walk)))
		return wrong("the structure was written to");
	return NULL;
}

/* ---- flags, reserved, cursor ---- */

static const char *case_unknown_flags(void)
{
	for (size_t i = 0; i < query_count; i++) {
		for (int bit = 0; bit < 32; bit++) {
			struct mmlens_walk walk =
				walk_for(&queries[i], getpid());
			const char *why;

			walk.flags = 1u << bit;
			if (walk.flags & (queries[i].flags |
					  needy_flags(&queries[i])))
				continue;
			why = refused(device(), queries[i].request, &walk,
				      sizeof(walk), EINVAL);
			if (why)
				return why;
		}
	}
	return NULL;
}

VALUES(reserved, EINVAL, uint32_t, reserved, 1, 0x80000000, ~0u)

EACH_REFUSES(cursor_without_generation, EINVAL, walk->cursor = walk->start + PAGE)
EACH_REFUSES(cursor_unaligned, EINVAL,
	walk->generation = 1; walk->cursor = walk->start + 1)
EACH_REFUSES(cursor_before_start, EINVAL,
	walk->generation = 1; walk->start = (uintptr_t)room;
	walk->cursor = walk->start - PAGE)
EACH_REFUSES(cursor_above, EINVAL,
	walk->generation = 1; walk->cursor = task_size() + PAGE)
EACH_REFUSES(cursor_highest, EINVAL,
	walk->generation = 1; walk->cursor = -PAGE)
EACH_REFUSES(generation_of_nobody, ESRCH,
	walk->generation = 0x123456789abcdef1; walk->cursor = walk->start)

static const char *case_cursor_behind_end(void)
{
	struct mmlens_walk walk = walk_of(getpid());

	walk.start = (uintptr_t)room;
	walk.end = walk.start + 4 * PAGE;
	walk.cursor = walk.end + PAGE;
	walk.generation = 1;
	return refused(device(), MMLENS_PTES, &walk, sizeof(walk), EINVAL);
}

/* A good generation, of another process. */
static const char *case_generation_of_another(void)
{
	pid_t other = sleeper();
	struct mmlens_walk walk = walk_of(other);
	const char *why;

	if (ioctl(device(), MMLENS_PTES, &walk))
		return wrong("%s", strerror(errno));
	walk.pid = getpid();
	why = refused(device(), MMLENS_PTES, &walk, sizeof(walk), ESRCH);
	end_of(other);
	return why;
}

/* ---- the structure ---- */

/* One that is larger than the module's. */
union large {
	struct mmlens_walk walk;
	struct mmlens_info info;
	unsigned char bytes[PAGE + 64];
	uint32_t size;
};

static const char *case_structure_too_small(void)
{
	static const uint32_t sizes[] = {
		0, 1, 4, 8, sizeof(struct mmlens_walk) - 8,
		sizeof(struct mmlens_walk) - 1,
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct mmlens_info info = { .size = sizes[i] };
		const char *why;

		for (size_t q = 0; q < query_count; q++) {
			struct mmlens_walk walk = walk_for(&queries[q],
							   getpid());

			walk.size = sizes[i];
			why = refused(device(), queries[q].request, &walk,
				      sizeof(walk), EINVAL);
			if (why)
				return why;
		}
		why = refused(device(), MMLENS_INFO, &info, sizeof(info),
			      EINVAL);
		if (why)
			return why;
	}
	return NULL;
}

static const char *case_structure_larger(void)
{
	for (size_t q = 0; q < query_count; q++) {
		union large large = {};

		large.walk = walk_for(&queries[q], getpid());
		large.size = PAGE;
		if (ioctl(device(), queries[q].request, &large))
			return wrong("%s: %s", queries[q].name,
				     strerror(errno));
		if (!large.walk.written || large.size != PAGE)
			return wrong("%s: size %u, %llu bytes",
				     queries[q].name, large.size,
				     (unsigned long long)large.walk.written);
	}
	return NULL;
}

static const char *case_info_larger(void)
{
	union large large = { .size = sizeof(struct mmlens_info) + 64 };

	if (ioctl(device(), MMLENS_INFO, &large))
		return wrong("%s", strerror(errno));
	if (large.info.abi != MMLENS_ABI)
		return wrong("abi %u", large.info.abi);
	return NULL;
}

/* The byte at each place in the tail is looked at. */
static const char *case_structure_tail(void)
{
	static const size_t places[] = { 0, 1, 7, 8, 63, 500 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		union large large = {};
		const char *why;

		large.walk = walk_of(getpid());
		large.size = sizeof(struct mmlens_walk) + places[i] + 1;
		large.bytes[sizeof(struct mmlens_walk) + places[i]] = 1;
		why = refused(device(), MMLENS_PTES, &large, sizeof(large),
			      E2BIG);
		if (why)
			return why;
		memset(&large, 0, sizeof(large));
		large.size = sizeof(struct mmlens_info) + places[i] + 1;
		large.bytes[sizeof(struct mmlens_info) + places[i]] = 1;
		why = refused(device(), MMLENS_INFO, &large, sizeof(large),
			      E2BIG);
		if (why)
			return why;
	}
	return NULL;
}

static const char *case_structure_huge(void)
{
	static const uint32_t sizes[] = { PAGE + 1, 1u << 31, ~0u };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		union large large = {};
		const char *why;

		large.walk = walk_of(getpid());
		large.size = sizes[i];
		why = refused(device(), MMLENS_PTES, &large, sizeof(large),
			      E2BIG);
		if (why)
			return why;
	}
	return NULL;
}

static const char *call_at(unsigned long request, uintptr_t arg, int error)
{
	if (ioctl(device(), request, (void *)arg) >= 0)
		return wrong("accepted a structure at %#lx",
			     (unsigned long)arg);
	if (errno != error)
		return wrong("structure at %#lx: %s", (unsigned long)arg,
			     strerror(errno));
	return NULL;
}

static const char *case_structure_nowhere(void)
{
	static const uintptr_t places[] = {
		0, 1, (uintptr_t)-8, (uintptr_t)-PAGE,
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *why = call_at(MMLENS_INFO, places[i], EFAULT);

		for (size_t q = 0; !why && q < query_count; q++)
			why = call_at(queries[q].request, places[i], EFAULT);
		if (why)
			return why;
	}
	return NULL;
}

/* All but its last bytes are mapped. */
static const char *case_structure_cut(void)
{
	char *page = (void *)(uintptr_t)mapping(2 * PAGE,
						PROT_READ | PROT_WRITE);
	struct mmlens_walk walk = walk_of(getpid());
	char *at = page + PAGE - sizeof(walk) + 8;

	memcpy(at, &walk, sizeof(walk));
	munmap(page + PAGE, PAGE);
	return call_at(MMLENS_PTES, (uintptr_t)at, EFAULT);
}

static const char *case_structure_read_only(void)
{
	struct mmlens_walk *page = (void *)(uintptr_t)
		mapping(PAGE, PROT_READ | PROT_WRITE);

	*page = walk_of(getpid());
	mprotect(page, PAGE, PROT_READ);
	return call_at(MMLENS_PTES, (uintptr_t)page, EFAULT);
}

static const char *case_info_flags(void)
{
	for (int bit = 0; bit < 32; bit++) {
		struct mmlens_info info = { .size = sizeof(info) };
		const char *why;

		info.flags = 1u << bit;
		why = refused(device(), MMLENS_INFO, &info, sizeof(info),
			      EINVAL);
		if (why)
			return why;
	}
	return NULL;
}

/* ---- the kernel's page table: its addresses, any cursor ---- */

static const char *kmap_refuses(uint32_t flags, uint64_t start, uint64_t end)
{
	struct mmlens_walk walk = walk_of(0);
	const char *why;

	walk.flags = flags;
	walk.start = start;
	walk.end = end;
	why = refused(device(), MMLENS_KMAP, &walk, sizeof(walk), EINVAL);
	return why ? wrong("flags %#x, %#llx-%#llx", flags,
			   (unsigned long long)start,
			   (unsigned long long)end) : NULL;
}

static const char *case_kmap_of_something(void)
{
	static const struct {
		uint32_t flags;
		uint64_t start, end;
	} bad[] = {
		{ 0, PAGE, 0 }, { 0, 0, PAGE }, { 0, 0x7ffffffff000, 0 },
		{ 0, 0, 1ull << 56 }, { 0, 0xff00000000000000 - PAGE, 0 },
		{ 0, -PAGE + 1, 0 }, { 0, 0, -PAGE + 1 }, { 0, 0, ~0ull },
		{ 0, -PAGE, -2ull * PAGE },
		{ MMLENS_WALK_LEVELS, 0, 0 }, { MMLENS_WALK_LEVELS, PAGE, 0 },
		{ MMLENS_WALK_LEVELS, -2ull * PAGE, -PAGE },
		{ MMLENS_WALK_LEVELS, -PAGE + 8, 0 },
		{ MMLENS_WALK_LEVELS | MMLENS_WALK_USER_HALF, 0, 0 },
		{ MMLENS_WALK_FRAMES << 2, -PAGE, 0 },
	};
	const char *why = NULL;
	struct mmlens_walk walk = walk_of(getpid());

	for (size_t i = 0; !why && i < sizeof(bad) / sizeof(bad[0]); i++)
		why = kmap_refuses(bad[i].flags, bad[i].start, bad[i].end);
	return why ?: refused(device(), MMLENS_KMAP, &walk, sizeof(walk),
			      EINVAL);
}

/* In the range and in order, whatever the cursor was. */
static const char *check_kmap_call(const struct mmlens_walk *walk)
{
	uint64_t last = 0;

	for (uint64_t at = 0; at < walk->written;) {
		const struct mmlens_record *head = (const void *)(room + at);
		const struct mmlens_kmap *run = (const void *)head;

		at += head->size;
		if (head->type == MMLENS_REC_REGION && head->size)
			continue;
		if (head->type != MMLENS_REC_KMAP || !head->size)
			return wrong("a record of type %u", head->type);
		if ((walk->end && run->va >= walk->end) || run->va < last)
			return wrong("%#llx after %#llx, in %#llx-%#llx",
				     run->va, (unsigned long long)last,
				     walk->start, walk->end);
		last = run->va;
	}
	return NULL;
}

static const char *case_kmap_cursors(void)
{
	static const uint64_t starts[] = { 0, 0xffffffff80000000, -PAGE };
	static const uint64_t ends[] = { 0, 0xffffffffc0000000, -PAGE };
	const char *why = NULL;

	for (unsigned int i = 0; !why && i < 9 * 64; i++) {
		struct mmlens_walk walk = walk_of(0);

		walk.start = starts[i % 3];
		walk.end = ends[i / 3 % 3];
		if (walk.end && walk.end <= walk.start)
			continue;
		walk.cursor = ~0ull << i / 9;
		walk.generation = i % 2 + 1;
		if (ioctl(device(), MMLENS_KMAP, &walk))
			return wrong("%#llx-%#llx at %#llx: %s", walk.start,
				     walk.end, walk.cursor, strerror(errno));
		why = check_kmap_call(&walk);
	}
	return why;
}

/* From the top of the table down, also where there is nothing. */
static const char *case_kmap_levels(void)
{
	static const uint64_t places[] = {
		0xffff800000000000, 0xffff888000000000, 0xffffffff81000000,
		0xffffffffffe00000, -PAGE,
	};
	struct mmlens_info info = { .size = sizeof(info) };

	if (ioctl(device(), MMLENS_INFO, &info))
		return wrong("%s", strerror(errno));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct mmlens_walk walk = walk_of(0);
		const struct mmlens_record *first = (const void *)room;

		walk.flags = MMLENS_WALK_LEVELS;
		walk.start = places[i];
		if (ioctl(device(), MMLENS_KMAP, &walk))
			return wrong("%#llx: %s", walk.start, strerror(errno));
		if (!walk.records || walk.records > info.levels ||
		    walk.status != MMLENS_STATUS_DONE ||
		    first->type != MMLENS_REC_LEVEL ||
		    first->level != MMLENS_LEVEL_PGD)
			return wrong("%#llx: %llu records of type %u",
				     walk.start, walk.records, first->type);
	}
	return NULL;
}

/* ---- the call ---- */

static bool is_known(unsigned int nr)
{
	for (size_t i = 0; i < query_count; i++)
		if (nr == _IOC_NR(queries[i].request))
			return true;
	return nr == MMLENS_NR_INFO;
}

static const char *case_unknown_call(void)
{
	union large large = {};

	large.walk = walk_of(getpid());
	for (unsigned int nr = 0; nr < 256; nr++) {
		const char *why;

		if (is_known(nr))
			continue;
		why = refused(device(),
			      _IOWR(MMLENS_IOC, nr, struct mmlens_walk),
			      &large, sizeof(large), ENOTTY);
		if (why)
			return wrong("number %u is known", nr);
	}
	return NULL;
}

static const char *case_other_type(void)
{
	struct mmlens_walk walk = walk_of(getpid());

	for (int type = 0; type < 256; type++) {
		const char *why;

		if (type == MMLENS_IOC || type == 'T' || type == 'f')
			continue;
		why = refused(device(), _IOWR(type, MMLENS_NR_PTES,
					      struct mmlens_walk),
			      &walk, sizeof(walk), ENOTTY);
		if (why)
			return why;
	}
	return NULL;
}

static const char *case_other_direction(void)
{
	struct mmlens_walk walk = walk_of(getpid());
	const unsigned long requests[] = {
		_IO(MMLENS_IOC, MMLENS_NR_PTES),
		_IOR(MMLENS_IOC, MMLENS_NR_PTES, struct mmlens_walk),
		_IOW(MMLENS_IOC, MMLENS_NR_PTES, struct mmlens_walk),
		_IO(MMLENS_IOC, MMLENS_NR_INFO),
		_IOR(MMLENS_IOC, MMLENS_NR_INFO, struct mmlens_info),
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		const char *why = refused(device(), requests[i], &walk,
					  sizeof(walk), ENOTTY);

		if (why)
			return why;
	}
	return NULL;
}

/* It has ioctls, nothing else. */
static const char *case_no_reading(void)
{
	char byte = 0;

	if (read(device(), &byte, 1) >= 0)
		return wrong("it can be read");
	if (write(device(), &byte, 1) >= 0)
		return wrong("it can be written");
	if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device(), 0) != MAP_FAILED)
		return wrong("it can be mapped");
	if (lseek(device(), 0, SEEK_SET) >= 0)
		return wrong("it has a position");
	return NULL;
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case argument_cases[] = {
	CASE(pid_below_one), CASE(pid_too_large), CASE(kernel_thread),
	CASE(zombie), CASE(no_such_process),
	CASE(start_unaligned), CASE(end_unaligned), CASE(end_before_start),
	CASE(start_above), CASE(start_in_kernel), CASE(start_highest),
	CASE(end_above), CASE(end_highest), CASE(empty_range),
	CASE(vtop_with_end), CASE(procs_of_something),
	CASE(zones_of_something), CASE(system_cursors),
	CASE(pages_of_something), CASE(pages_cursors), CASE(pages_ranges),
	CASE(kmap_of_something), CASE(kmap_cursors), CASE(kmap_levels),
	CASE(buffer_null), CASE(buffer_of_kernel), CASE(buffer_highest),
	CASE(buffer_too_small), CASE(buffer_misaligned), CASE(buffer_odd),
	CASE(buffer_read_only), CASE(buffer_no_access), CASE(buffer_unmapped),
	CASE(buffer_too_large), CASE(buffer_partly_mapped),
	CASE(unknown_flags), CASE(reserved),
	CASE(cursor_without_generation), CASE(cursor_unaligned),
	CASE(cursor_before_start), CASE(cursor_above), CASE(cursor_highest),
	CASE(cursor_behind_end), CASE(generation_of_nobody),
	CASE(generation_of_another),
	CASE(structure_too_small), CASE(structure_larger), CASE(info_larger),
	CASE(structure_tail), CASE(structure_huge), CASE(structure_nowhere),
	CASE(structure_cut), CASE(structure_read_only), CASE(info_flags),
	CASE(unknown_call), CASE(other_type), CASE(other_direction),
	CASE(no_reading),
	{ NULL, NULL },
};
