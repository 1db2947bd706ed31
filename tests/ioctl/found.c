// SPDX-License-Identifier: GPL-2.0-only
/* What fuzzing found first. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioctl.h"

#define VMAS	120

/* What a call put into the room. */
static const char *check_all(const struct mmlens_walk *walk)
{
	for (uint64_t at = 0; at < walk->written;) {
		const struct mmlens_record *record = (const void *)(room + at);
		const char *why = check_record(record, walk->written - at);

		if (why)
			return why;
		at += record->size;
	}
	return NULL;
}

/* VMAs of two pages next to each other, each different from the next. */
static uint64_t make_vmas(void)
{
	char *start = mmap(NULL, 2 * VMAS * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < VMAS; i += 2)
		mprotect(start + 2 * i * PAGE, 2 * PAGE, PROT_NONE);
	return (uintptr_t)start;
}

/* All calls of a walk, each of which goes on where the last one ended. */
static const char *walk_to_end(const struct query *query, uint64_t start,
			       uint64_t end)
{
	struct mmlens_walk walk = walk_of(getpid());

	walk.buffer_size = MMLENS_BUFFER_MIN;
	walk.start = start;
	walk.end = end;
	for (int calls = 0; calls < 1000; calls++) {
		if (ioctl(device(), query->request, &walk))
			return wrong("%s: %s in call %d", query->name,
				     strerror(errno), calls);
		if (walk.cursor < start || walk.cursor > end)
			return wrong("%s: cursor %#llx of %#llx-%#llx",
				     query->name, walk.cursor, walk.start,
				     walk.end);
		if (walk.status & MMLENS_STATUS_DONE)
			return NULL;
	}
	return wrong("%s doesn't end", query->name);
}

/*
 * A range that ends inside of a VMA, of each length: somewhere the buffer is
 * full just there, and the cursor must be one that the next call takes.
 */
static const char *case_range_ends_in_a_vma(void)
{
	uint64_t start = make_vmas();
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		for (int n = 0; !why && takes_range(&queries[i]) && n < VMAS;
		     n++)
			why = walk_to_end(&queries[i], start,
					  start + (2 * n + 1) * PAGE);
	return why;
}

/* ---- processes that end as they are told of ---- */

#define SECONDS	4

/* New processes for ever, each of which is gone at once. */
static void keep_ending(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static const char *walk_procs(uint64_t *told)
{
	struct mmlens_walk walk = walk_of(0);
	const char *why;

	do {
		if (ioctl(device(), MMLENS_PROCS, &walk))
			return wrong("%s", strerror(errno));
		why = check_all(&walk);
		if (why)
			return why;
		*told += walk.records;
	} while (!(walk.status & MMLENS_STATUS_DONE));
	return NULL;
}

/*
 * One whose end its parent has been told of isn't a process any more: it has no
 * thread, and what it says of its parent may be stale.
 */
static const char *case_processes_that_end(void)
{
	const time_t end = time(NULL) + SECONDS;
	const char *why = NULL;
	uint64_t told = 0;
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i])
			keep_ending();
	}
	while (!why && time(NULL) < end)
		why = walk_procs(&told);
	for (int i = 0; i < 3; i++)
		end_of(pids[i]);
	return why ?: told ? NULL : wrong("no process");
}

/* ---- a place that is on another list meanwhile ---- */

/* Did the walk stop in the middle of a list of a CPU's single pages? */
static bool stopped_in_cpu_list(const struct mmlens_walk *walk)
{
	const struct mmlens_blocks *last = NULL;

	for (uint64_t at = 0; at < walk->written; at += last->head.size)
		last = (const void *)(room + at);
	return last && last->cpu >= 0 && !last->order && last->count &&
	       !(last->flags & MMLENS_BLOCKS_LAST);
}

/* The same page as the place on the lists behind that one. */
static const char *go_on_elsewhere(const struct mmlens_walk *walk)
{
	for (uint64_t list = 1; list < 24; list++) {
		struct mmlens_walk other = *walk;
		const char *why;

		other.cursor += list << 27;
		other.buffer_size = ROOM_SIZE;
		if (ioctl(device(), MMLENS_FREE, &other))
			return wrong("%s", strerror(errno));
		why = check_all(&other);
		if (why)
			return why;
	}
	return NULL;
}

/*
 * Single pages of a CPU aren't told as larger blocks, when the list on which the
 * walk stopped has lost that page to theirs.
 */
static const char *case_free_page_on_another_list(void)
{
	unsigned int found = 0;

	for (uint64_t more = 0; more < 4096; more += 64) {
		struct mmlens_walk walk = walk_of(0);

		walk.buffer_size = MMLENS_BUFFER_MIN + more;
		do {
			const char *why = NULL;

			if (ioctl(device(), MMLENS_FREE, &walk))
				return wrong("%s", strerror(errno));
			if (stopped_in_cpu_list(&walk)) {
				found++;
				why = go_on_elsewhere(&walk);
			}
			if (why)
				return why;
		} while (!(walk.status & MMLENS_STATUS_DONE));
	}
	return found ? NULL : "skip: no walk stopped there";
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case found_cases[] = {
	CASE(range_ends_in_a_vma), CASE(processes_that_end),
	CASE(free_page_on_another_list),
	{ NULL, NULL },
};
