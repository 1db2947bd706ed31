// SPDX-License-Identifier: GPL-2.0-only
/* Walks of processes that change all the time: every record is possible. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioctl.h"

#define SECONDS		4
#define MIB		(1ul << 20)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* First PFN above all memory; the zero pages and all anonymous ones are
 * below. */
static uint64_t highest_pfn(void)
{
	FILE *file = fopen("/proc/iomem", "re");
	unsigned long long start, end, highest = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx-%llx : System RAM", &start, &end) == 2 &&
		    strstr(line, "System RAM") && end > highest)
			highest = end;
	if (file)
		fclose(file);
	return (highest + 1) / PAGE;
}

/* ---- what changes ---- */

static void write_pages(char *start, size_t size, size_t step)
{
	for (size_t at = 0; at < size; at += step)
		((volatile char *)start)[at] = at;
}

static void change_mapping(char *start, size_t size)
{
	switch (rand() % 8) {
	case 0:
		munmap(start + size / 4, size / 2);
		break;
	case 1:
		mprotect(start, size / 2, PROT_NONE);
		break;
	case 2:
		madvise(start, size, MADV_HUGEPAGE);
		write_pages(start, size, PAGE);
		break;
	case 3:
		madvise(start, size / 2, MADV_DONTNEED);
		break;
	case 4:
		madvise(start, size, MADV_PAGEOUT);
		break;
	case 5:
		madvise(start, size, 25 /* MADV_COLLAPSE */);
		break;
	case 6:
		if (mremap(start, size, size / 2, 0) == MAP_FAILED)
			return;
		break;
	case 7:
		madvise(start, size, MADV_FREE);
		break;
	}
}

static void change_memory(void)
{
	for (int i = 0; i < 20; i++) {
		size_t size = (1 + rand() % 4) * MIB;
		int kind = rand() % 3 ? MAP_PRIVATE : MAP_SHARED;
		char *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   kind | MAP_ANONYMOUS, -1, 0);

		if (start == MAP_FAILED)
			continue;
		write_pages(start, size, (1 + rand() % 8) * PAGE);
		change_mapping(start, size);
		if (rand() % 2)
			munmap(start, size);
	}
}

/* Fork; the child changes some and executes something, or exits. */
static void change_process(void)
{
	pid_t pid = fork();

	if (!pid) {
		change_memory();
		if (rand() % 2)
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	change_memory();
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Gets new PIDs for ever: each is at work for a moment and ends. */
static void keep_changing(unsigned int seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;; seed++) {
		pid_t pid = fork();

		if (!pid) {
			srand(seed);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			change_process();
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* ---- what is seen ---- */

struct seen {
	uint64_t rounds;
	uint64_t walks;
	uint64_t ended;		/* by ESRCH or ENXIO */
	uint64_t records;
	uint64_t restarts;
	uint64_t states[16];
	uint64_t highest;
};

static const char *look_at_pte(struct seen *seen, uint32_t flags,
			       uint64_t va, uint64_t value, uint64_t *last)
{
	uint32_t state = flags & MMLENS_PTE_STATE;
	bool has_frame = state == MMLENS_STATE_PRESENT ||
			 state == MMLENS_STATE_NUMA_HINT ||
			 state == MMLENS_STATE_MIGRATION;

	seen->states[state]++;
	if (va < *last)
		return wrong("%#llx comes after %#llx", (long long)va,
			     (long long)*last);
	*last = va;
	/* A special entry may be a device's, where there is no memory. */
	if (has_frame && !(flags & MMLENS_PTE_SPECIAL) &&
	    value >= seen->highest)
		return wrong("PFN %#llx of %#llx in state %u",
			     (long long)value, (long long)va, state);
	if (state == MMLENS_STATE_OTHER || state == MMLENS_STATE_NONE ||
	    state == MMLENS_STATE_TABLE)
		return wrong("state %u at %#llx", state, (long long)va);
	if (state == MMLENS_STATE_SWAP && MMLENS_SWAP_TYPE(value) > 3)
		return wrong("swap type %u at %#llx", MMLENS_SWAP_TYPE(value),
			     (long long)va);
	return NULL;
}

static const char *look_at(struct seen *seen,
			   const struct mmlens_record *record, uint64_t *last)
{
	const struct mmlens_pte *pte = (const void *)record;
	const struct mmlens_run *run = (const void *)record;
	const struct mmlens_vma *vma = (const void *)record;
	const struct mmlens_page *page = (const void *)record;
	const struct mmlens_table *table = (const void *)record;
	const struct mmlens_proc *proc = (const void *)record;
	const char *why = NULL;

	switch (record->type) {
	case MMLENS_REC_PTE:
		return look_at_pte(seen, pte->flags, pte->va, pte->value,
				   last);
	case MMLENS_REC_RUN:
		for (uint32_t i = 0; !why && i < run->count; i++)
			why = look_at_pte(seen, run->flags,
					  run->va + i * PAGE,
					  run->value +
					  ((int64_t)(run->raw[i] -
						     run->raw[0]) >> 12),
					  last);
		return why;
	case MMLENS_REC_PAGE:
		for (uint32_t i = 0; !why && i < page->count; i++)
			why = look_at_pte(seen, page->flags,
					  page->va + i * PAGE, page->value + i,
					  last);
		return why;
	case MMLENS_REC_TABLE:
		if (table->pfn >= seen->highest)
			return wrong("a table at PFN %#llx", table->pfn);
		return NULL;
	case MMLENS_REC_PROC:
		if ((uint64_t)proc->pid <= *last)
			return wrong("process %d comes after %llu", proc->pid,
				     (unsigned long long)*last);
		*last = proc->pid;
		return NULL;
	case MMLENS_REC_VMA:
		/* One may have been merged with the one before it meanwhile. */
		if (vma->end <= *last)
			return wrong("VMA that ends at %#llx comes after %#llx",
				     vma->end, (unsigned long long)*last);
		*last = vma->start;
	}
	return NULL;
}

static const char *look_at_all(struct seen *seen,
			       const struct mmlens_walk *walk, uint64_t *last)
{
	for (size_t at = 0; at < walk->written;) {
		const struct mmlens_record *record =
			(const void *)(room + at);
		const char *why = check_record(record, walk->written - at);

		why = why ?: look_at(seen, record, last);
		if (why)
			return why;
		at += record->size;
		seen->records++;
	}
	return NULL;
}

/* One walk from start to end, whatever becomes of the process. */
static const char *walk_once(struct seen *seen, const struct query *query,
			     pid_t pid)
{
	struct mmlens_walk walk = walk_for(query, pid);
	uint64_t last = 0;

	/* Each with all that it can tell and with the least, in turn. */
	walk.flags = seen->rounds & 1 ? query->flags : 0;
	seen->walks++;
	do {
		uint64_t cursor = walk.cursor;
		const char *why;

		if (ioctl(device(), query->request, &walk)) {
			seen->ended++;
			if (errno == ESRCH || errno == ENXIO)
				return NULL;
			return wrong("%s: %s", query->name, strerror(errno));
		}
		if (!query->system && walk.cursor < cursor)
			return wrong("%s goes back", query->name);
		seen->restarts += walk.restarts;
		why = look_at_all(seen, &walk, &last);
		if (why)
			return why;
	} while (!(walk.status & MMLENS_STATUS_DONE));
	return NULL;
}

static pid_t newest_child(pid_t pid)
{
	char path[64];
	FILE *file;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%d", &child) == 1)
		;
	fclose(file);
	return child;
}

/* The process, its child, and the child's child. */
static const char *walk_family(struct seen *seen, pid_t pid)
{
	const char *why = NULL;

	seen->rounds++;
	for (int depth = 0; pid && depth < 4; depth++) {
		for (size_t i = 0; !why && i < query_count; i++)
			why = walk_once(seen, &queries[i], pid);
		if (why)
			return why;
		pid = newest_child(pid);
	}
	return NULL;
}

static const char *judge(const struct seen *seen, const char *why)
{
	printf("# %llu walks, %llu cut short, %llu records, %llu restarts;",
	       (unsigned long long)seen->walks,
	       (unsigned long long)seen->ended,
	       (unsigned long long)seen->records,
	       (unsigned long long)seen->restarts);
	printf(" present %llu, swap %llu, migration %llu, numa_hint %llu\n",
	       (unsigned long long)seen->states[MMLENS_STATE_PRESENT],
	       (unsigned long long)seen->states[MMLENS_STATE_SWAP],
	       (unsigned long long)seen->states[MMLENS_STATE_MIGRATION],
	       (unsigned long long)seen->states[MMLENS_STATE_NUMA_HINT]);
	if (!why && seen->records < 1000)
		why = wrong("hardly any records");
	return why;
}

static const char *case_walk_while_it_changes(void)
{
	struct seen seen = { .highest = highest_pfn() };
	const char *why = NULL;
	double end = now() + SECONDS;
	pid_t pids[2];

	device();
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			keep_changing(1000 * i);
	}
	while (!why && now() < end)
		for (int i = 0; !why && i < 2; i++)
			why = walk_family(&seen, pids[i]);
	for (int i = 0; i < 2; i++)
		end_of(pids[i]);
	/* Whether one ended in the middle of a call is chance. */
	return judge(&seen, why);
}

/* ---- pages on their way ---- */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return;
	close(fd);
}

/* Every second page is there, so that compaction finds much to do. */
static char *scattered_pages(size_t size)
{
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(start, size, MADV_NOHUGEPAGE);
	write_pages(start, size, PAGE);
	for (size_t at = 0; at < size; at += 2 * PAGE)
		madvise(start + at, PAGE, MADV_DONTNEED);
	return start;
}

/* Move its pages to the other node and back, if there are two. */
static void move_between_nodes(char *start, size_t size, int node)
{
	unsigned long mask = 1ul << node;

	syscall(SYS_mbind, start, size, 2 /* MPOL_BIND */, &mask, 64,
		2 /* MPOL_MF_MOVE */);
}

static void keep_moving(size_t size)
{
	char *start = scattered_pages(size);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0;; i++) {
		write_text("/proc/sys/vm/compact_memory", "1");
		move_between_nodes(start, size, i % 2);
	}
}

/* Migration entries are told as such, with a frame that exists. */
static const char *case_walk_while_pages_move(void)
{
	struct seen seen = { .highest = highest_pfn() };
	double end = now() + SECONDS;
	const char *why = NULL;
	pid_t target;

	device();
	target = fork();
	if (!target)
		keep_moving(64 * MIB);
	for (; !why && now() < end; seen.rounds++)
		why = walk_once(&seen, &queries[1], target);
	end_of(target);
	return judge(&seen, why);
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case change_cases[] = {
	CASE(walk_while_it_changes), CASE(walk_while_pages_move),
	{ NULL, NULL },
};
