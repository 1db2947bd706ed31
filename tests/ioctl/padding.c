// SPDX-License-Identifier: GPL-2.0-only
/* Each byte of what comes is one that the module wrote, and none is a leak. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the compiler would put between members, nobody would write. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "mmlens.h"
#pragma GCC diagnostic pop

#include "ioctl.h"

/*
 * Differ in each bit of a byte.  A byte that equals all of them, one after the
 * other, wasn't written; one that changes by itself does so once in 2^48.
 */
static const unsigned char patterns[] = { 0xa5, 0x5a, 0x3c, 0xc3, 0x96, 0x69 };

#define PATTERNS (sizeof(patterns) / sizeof(*patterns))

/* Bytes of the room that had each pattern so far. */
static unsigned char untouched[ROOM_SIZE];

static const char *fill(const struct query *query, pid_t pid, uint32_t flags,
			unsigned char pattern, size_t *written)
{
	struct mmlens_walk walk = walk_for(query, pid);

	walk.flags = flags;
	memset(room, pattern, sizeof(room));
	if (ioctl(device(), query->request, &walk))
		return wrong("%s with %#x: %s", query->name, flags,
			     strerror(errno));
	*written = walk.written;
	return NULL;
}

static const char *all_written(const struct query *query, pid_t pid,
			       uint32_t flags)
{
	size_t least = sizeof(room);

	memset(untouched, 1, sizeof(untouched));
	for (size_t i = 0; i < PATTERNS; i++) {
		size_t written;
		const char *why = fill(query, pid, flags, patterns[i],
				       &written);

		if (why)
			return why;
		if (!written)
			return wrong("%s with %#x: nothing", query->name,
				     flags);
		if (written < least)
			least = written;
		for (size_t at = 0; at < written; at++)
			untouched[at] &= room[at] == patterns[i];
	}
	for (size_t at = 0; at < least; at++)
		if (untouched[at])
			return wrong("%s with %#x: byte %zu isn't written",
				     query->name, flags, at);
	return NULL;
}

/* @each is told each query with each of its flags, and with all of them. */
static const char *each_flag(const char *(*each)(const struct query *query,
						 pid_t pid, uint32_t flags))
{
	pid_t pid = sleeper();
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++) {
		const uint32_t flags = queries[i].flags;

		why = each(&queries[i], pid, 0) ?:
		      each(&queries[i], pid, flags & ~MMLENS_WALK_RUNS);
		for (uint32_t bit = 1; !why && bit < ALL_FLAGS; bit <<= 1)
			if (flags & bit)
				why = each(&queries[i], pid, bit);
	}
	end_of(pid);
	return why;
}

static const char *case_every_byte_is_written(void)
{
	return each_flag(all_written);
}

/* ---- a target that stands still ---- */

static const struct mmlens_record *record_at(const unsigned char *bytes,
					     size_t at, size_t *begin)
{
	const struct mmlens_record *record = (const void *)bytes;

	for (*begin = 0; *begin + record->size <= at && record->size;
	     *begin += record->size, record = (const void *)(bytes + *begin))
		;
	return record;
}

static const char *differs(const struct query *query, uint32_t flags,
			   const unsigned char *first, size_t size)
{
	size_t at = 0, begin;
	const struct mmlens_record *record;

	while (at < size && first[at] == room[at])
		at++;
	if (at == size)
		return NULL;
	record = record_at(first, at, &begin);
	return wrong("%s with %#x: byte %zu of a record of type %u",
		     query->name, flags, at - begin, record->type);
}

static const char *same_twice(const struct query *query, pid_t pid,
			      uint32_t flags)
{
	static unsigned char first[ROOM_SIZE];
	const char *why = NULL;
	size_t size, again;

	/* Of pages that others share, counts change as these come and go. */
	if (query->system || flags & MMLENS_WALK_STATE)
		return NULL;
	for (int i = 0; i < 3; i++) {
		why = fill(query, pid, flags, patterns[0], &size);
		memcpy(first, room, sizeof(first));
		why = why ?: fill(query, pid, flags, patterns[1], &again);
		if (why)
			return why;
		why = size != again ? wrong("%s: %zu and %zu bytes",
					    query->name, size, again) :
		      differs(query, flags, first, size);
		if (!why)
			return NULL;
	}
	return why;
}

/* What a record holds of anything but the target differs some time. */
static const char *case_quiet_target_is_the_same(void)
{
	return each_flag(same_twice);
}

/* ---- text ---- */

static bool ends_in_zeros(const char *text, size_t size)
{
	for (size_t at = strnlen(text, size); at < size; at++)
		if (text[at])
			return false;
	return true;
}

static const struct mmlens_proc *find_proc(const struct records *records,
					   pid_t pid)
{
	for (size_t at = 0; at < records->size;) {
		const struct mmlens_record *record =
			(const void *)(records->bytes + at);
		const struct mmlens_proc *proc = (const void *)record;

		if (record->type == MMLENS_REC_PROC && proc->pid == pid)
			return proc;
		at += record->size;
	}
	return NULL;
}

static const struct query *query_of(unsigned long request)
{
	const struct query *query = queries;

	while (query->request != request)
		query++;
	return query;
}

/* A task's name is changed in place: a long one lies behind a short one. */
static const char *case_name_without_the_old_one(void)
{
	const struct mmlens_proc *proc;
	struct records records;
	const char *why;

	prctl(PR_SET_NAME, "fifteen-letters");
	prctl(PR_SET_NAME, "x");
	why = gather(query_of(MMLENS_PROCS), 0, 0, sizeof(room), &records);
	if (why)
		return why;
	proc = find_proc(&records, getpid());
	if (!proc)
		return wrong("this process isn't told");
	if (strcmp(proc->comm, "x") ||
	    !ends_in_zeros(proc->comm, sizeof(proc->comm)))
		return wrong("name '%s', and something behind it", proc->comm);
	return NULL;
}

/* Whether the texts of a record end in zeros; counts records that have any. */
static bool texts_end(const struct mmlens_record *record, size_t *seen)
{
	const struct mmlens_backing *backing = (const void *)record;
	const struct mmlens_region *region = (const void *)record;
	const struct mmlens_zone *zone = (const void *)record;

	++*seen;
	switch (record->type) {
	case MMLENS_REC_BACKING:
		return ends_in_zeros(backing->filesystem,
				     sizeof(backing->filesystem)) &&
		       ends_in_zeros(backing->name, sizeof(backing->name));
	case MMLENS_REC_REGION:
		return ends_in_zeros(region->name, sizeof(region->name));
	case MMLENS_REC_ZONE:
		return ends_in_zeros(zone->name, sizeof(zone->name));
	default:
		--*seen;
		return true;
	}
}

static const char *texts_of(unsigned long request, uint32_t flags)
{
	const struct query *query = query_of(request);
	struct records records;
	size_t seen = 0;
	const char *why = gather(query, 0, flags, sizeof(room), &records);

	for (size_t at = 0; !why && at < records.size;) {
		const struct mmlens_record *record =
			(const void *)(records.bytes + at);

		if (!texts_end(record, &seen))
			why = wrong("%s: something behind a text in a record "
				    "of type %u", query->name, record->type);
		at += record->size;
	}
	if (!why && !seen)
		why = wrong("%s: no text", query->name);
	return why;
}

static const char *case_texts_end_in_zeros(void)
{
	return texts_of(MMLENS_ZONES, 0) ?: texts_of(MMLENS_KMAP, 0) ?:
	       texts_of(MMLENS_PAGES, MMLENS_WALK_BACKING);
}

static const char *case_info_ends_in_zeros(void)
{
	struct mmlens_info info = { .size = sizeof(info) };

	if (ioctl(device(), MMLENS_INFO, &info))
		return wrong("%s", strerror(errno));
	if (!*info.version || !*info.release ||
	    !ends_in_zeros(info.version, sizeof(info.version)) ||
	    !ends_in_zeros(info.release, sizeof(info.release)))
		return wrong("%s, %s, and something behind", info.version,
			     info.release);
	return NULL;
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case padding_cases[] = {
	CASE(every_byte_is_written), CASE(quiet_target_is_the_same),
	CASE(name_without_the_old_one), CASE(texts_end_in_zeros),
	CASE(info_ends_in_zeros),
	{ NULL, NULL },
};
