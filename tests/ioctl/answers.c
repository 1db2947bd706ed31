// SPDX-License-Identifier: GPL-2.0-only
/* What good requests bring, down to each byte; and targets that go away. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ioctl.h"

/* ---- the information ---- */

static const char *case_info(void)
{
	struct mmlens_info info = { .size = sizeof(info) };
	struct utsname name;
	unsigned int levels = 0;

	if (ioctl(device(), MMLENS_INFO, &info))
		return wrong("%s", strerror(errno));
	uname(&name);
	for (int i = 0; i < 8; i++)
		levels += !!info.level_shift[i];
	if (info.size != sizeof(info) || info.flags || info.abi != MMLENS_ABI)
		return wrong("size %u flags %u abi %u", info.size, info.flags,
			     info.abi);
	if (info.page_shift != 12 || info.level_shift[1] != 12 ||
	    info.level_shift[2] != 21 || info.level_shift[3] != 30)
		return wrong("page_shift %u", info.page_shift);
	if (levels != info.levels || (levels != 4 && levels != 5))
		return wrong("%u levels, %u sizes", info.levels, levels);
	if (info.level_shift[0] || info.level_shift[6] || info.level_shift[7])
		return wrong("sizes of levels that aren't there");
	if (info.task_size != (levels == 5 ? 1ull << 56 : 1ull << 47) - PAGE)
		return wrong("task_size %#llx", info.task_size);
	if (strcmp(info.release, name.release))
		return wrong("release '%s' on '%s'", info.release,
			     name.release);
	if (!info.version[0] || info.version[sizeof(info.version) - 1])
		return wrong("version without an end");
	if ((info.queries & 255) != 255)
		return wrong("queries %#llx", info.queries);
	return NULL;
}

/* What is behind the strings' ends is zero, too. */
static const char *case_info_padding(void)
{
	struct mmlens_info info;

	memset(&info, POISON, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	if (ioctl(device(), MMLENS_INFO, &info))
		return wrong("%s", strerror(errno));
	for (size_t i = strlen(info.version); i < sizeof(info.version); i++)
		if (info.version[i])
			return wrong("byte %zu of version", i);
	for (size_t i = strlen(info.release); i < sizeof(info.release); i++)
		if (info.release[i])
			return wrong("byte %zu of release", i);
	return NULL;
}

/* ---- the records ---- */

/* Tables with one entry each, more than fit into a small buffer. */
static void make_tables(void)
{
	const size_t step = 2ul << 20, size = 400 * step;
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	madvise(start, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += step)
		start[at] = 1;
}

/* A child with some of everything that a walk meets. */
static pid_t rich_child(void)
{
	pid_t pid;

	for (int i = 0; i < 40; i++) {
		char *start = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (int page = 0; page < 64; page += 1 + i % 5)
			start[page * PAGE] = 1;
		mprotect(start, PAGE * (1 + i % 7), PROT_NONE);
	}
	make_tables();
	pid = sleeper();
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	return pid;
}

/* ---- entries in a row ---- */

static const char *compare_expanded(pid_t pid, uint32_t flags)
{
	struct records plain, runs;
	const char *why = gather(&queries[1], pid, flags, 1 << 20, &plain);
	size_t before;

	why = why ?: gather(&queries[1], pid, flags | MMLENS_WALK_RUNS,
			    1 << 20, &runs);
	if (why)
		return why;
	before = runs.size;
	expand(&plain);
	expand(&runs);
	if (runs.size == before)
		why = wrong("no runs");
	else if (runs.size != plain.size ||
		 memcmp(runs.bytes, plain.bytes, plain.size))
		why = wrong("flags %u: %zu bytes of entries, %zu of runs",
			    flags, plain.size, runs.size);
	free(plain.bytes);
	free(runs.bytes);
	return why;
}

/* Runs are the same entries, PROT_NONE ones and all. */
static const char *case_runs_expand_alike(void)
{
	pid_t pid = rich_child();
	const char *why = NULL;

	for (uint32_t flags = 0; !why && flags < 4; flags++)
		why = compare_expanded(pid, flags);
	end_of(pid);
	return why;
}

/* With the state of pages the entries are the same, and all have it. */
static const char *case_state_expands_alike(void)
{
	struct records plain, state;
	pid_t pid = rich_child();
	const char *why = gather(&queries[1], pid, MMLENS_WALK_PAGE, 1 << 20,
				 &plain);
	size_t before;

	why = why ?: gather(&queries[1], pid, MMLENS_WALK_STATE, 1 << 20,
			    &state);
	end_of(pid);
	if (why)
		return why;
	before = state.size;
	expand(&plain);
	expand(&state);
	forget_pages(&plain);
	forget_pages(&state);
	if (state.size == before)
		why = wrong("no states of pages");
	else if (state.size != plain.size ||
		 memcmp(state.bytes, plain.bytes, plain.size))
		why = wrong("%zu bytes of entries, %zu of those with state",
			    plain.size, state.size);
	free(plain.bytes);
	free(state.bytes);
	return why;
}

/* ---- buffers ---- */

static const char *compare_steps(const struct query *query, pid_t pid,
				 uint32_t flags)
{
	static const size_t steps[] = {
		MMLENS_BUFFER_MIN, MMLENS_BUFFER_MIN + 8, 12344, 65536,
	};
	struct records whole, parts;
	const char *why = gather(query, pid, flags, 8 << 20, &whole);

	if (!why)
		expand(&whole);
	for (size_t i = 0; !why && i < sizeof(steps) / sizeof(*steps); i++) {
		why = gather(query, pid, flags, steps[i], &parts);
		if (why)
			break;
		expand(&parts);
		if (parts.size != whole.size ||
		    memcmp(parts.bytes, whole.bytes, whole.size))
			why = wrong("%s: %zu bytes in %llu calls of %zu, %zu in %llu calls",
				    query->name, parts.size,
				    (unsigned long long)parts.calls, steps[i],
				    whole.size,
				    (unsigned long long)whole.calls);
		else if (i == 0 && parts.calls < 2 &&
			 query->request != MMLENS_VTOP &&
			 !(flags & MMLENS_WALK_TOTAL))
			why = wrong("%s: all fits into one small buffer",
				    query->name);
		free(parts.bytes);
	}
	free(whole.bytes);
	return why;
}

/* How large the buffer is makes no difference. */
static const char *case_buffer_size_alike(void)
{
	pid_t pid = rich_child();
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		for (uint32_t flags = 0; !why && flags < ALL_FLAGS; flags++)
			if (!(flags & ~queries[i].flags) &&
			    !queries[i].system)
				why = compare_steps(&queries[i], pid, flags);
	end_of(pid);
	return why;
}

/* Above the PIDs of before and in order; the one that is looked for is there. */
static const char *look_for(const struct records *records, pid_t pid)
{
	bool found = false;
	int last = 0;

	for (size_t at = 0; at < records->size;) {
		const struct mmlens_record *rec =
			(const void *)(records->bytes + at);
		const struct mmlens_proc *proc = (const void *)rec;

		at += rec->size;
		if (rec->type != MMLENS_REC_PROC)
			continue;
		if (proc->pid <= last)
			return wrong("%d comes after %d", proc->pid, last);
		last = proc->pid;
		found |= last == pid;
	}
	return found ? NULL : wrong("process %d is missing", pid);
}

static const struct query *query_of(unsigned long request)
{
	size_t i = 0;

	while (queries[i].request != request)
		i++;
	return &queries[i];
}

/* Processes come and go, so only what stays is compared. */
static const char *case_processes_in_small_buffers(void)
{
	const struct query *query = query_of(MMLENS_PROCS);
	pid_t pid = rich_child(), more[32];
	struct records records;
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		more[i] = sleeper();

	for (int total = 0; !why && total < 2; total++) {
		why = gather(query, 0, total ? MMLENS_WALK_TOTAL : 0,
			     MMLENS_BUFFER_MIN, &records);
		why = why ?: look_for(&records, pid);
		why = why ?: look_for(&records, getpid());
		why = why ?: look_for(&records, 1);
		if (!why && total && records.calls < 2)
			why = wrong("all fits into one small buffer");
		free(records.bytes);
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		end_of(more[i]);
	end_of(pid);
	return why;
}

/* Not a byte behind what is said to be written. */
static const char *case_written_and_no_more(void)
{
	for (size_t i = 0; i < query_count; i++) {
		struct mmlens_walk walk = walk_for(&queries[i], getpid());

		walk.buffer_size = MMLENS_BUFFER_MIN;
		memset(room, POISON, sizeof(room));
		if (ioctl(device(), queries[i].request, &walk))
			return wrong("%s: %s", queries[i].name,
				     strerror(errno));
		if (!walk.written || walk.written > MMLENS_BUFFER_MIN ||
		    walk.written % 8)
			return wrong("%s: %llu bytes written", queries[i].name,
				     walk.written);
		for (size_t at = walk.written; at < sizeof(room); at++)
			if (room[at] != POISON)
				return wrong("%s: byte %zu of %llu",
					     queries[i].name, at,
					     walk.written);
	}
	return NULL;
}

/* What a call gives back besides its outputs is what it got. */
static const char *case_inputs_stay(void)
{
	for (size_t i = 0; i < query_count; i++) {
		struct mmlens_walk in = walk_for(&queries[i], getpid());
		struct mmlens_walk out = in;

		if (ioctl(device(), queries[i].request, &out))
			return wrong("%s: %s", queries[i].name,
				     strerror(errno));
		if (out.size != in.size || out.flags != in.flags ||
		    out.pid != in.pid || out.start != in.start ||
		    out.end != in.end || out.buffer != in.buffer ||
		    out.buffer_size != in.buffer_size || out.reserved)
			return wrong("%s changed an input", queries[i].name);
		if (queries[i].system)
			continue;
		if (!out.max_hold_ns || !out.generation)
			return wrong("%s: hold %llu, generation %llu",
				     queries[i].name, out.max_hold_ns,
				     out.generation);
	}
	return NULL;
}

/* The types that each query may answer with. */
static const uint32_t allowed_types[] = {
	1u << MMLENS_REC_VMA | 1u << MMLENS_REC_NAME,
	1u << MMLENS_REC_PTE | 1u << MMLENS_REC_HOLE | 1u << MMLENS_REC_RUN |
	1u << MMLENS_REC_PAGE,
	1u << MMLENS_REC_LEVEL,
	1u << MMLENS_REC_VMA | 1u << MMLENS_REC_NAME | 1u << MMLENS_REC_SMAPS,
	1u << MMLENS_REC_VMA | 1u << MMLENS_REC_NAME | 1u << MMLENS_REC_NUMA |
	1u << MMLENS_REC_NODE,
	1u << MMLENS_REC_TABLE,
	1u << MMLENS_REC_PROC | 1u << MMLENS_REC_SMAPS,
	1u << MMLENS_REC_MEMNODE | 1u << MMLENS_REC_ZONE |
	1u << MMLENS_REC_COUNTERS | 1u << MMLENS_REC_PAGESET,
	1u << MMLENS_REC_BLOCKS,
	1u << MMLENS_REC_PAGEBLOCKS,
	1u << MMLENS_REC_PFNS | 1u << MMLENS_REC_BACKING,
	1u << MMLENS_REC_USER,
	1u << MMLENS_REC_REGION | 1u << MMLENS_REC_KMAP,
	1u << MMLENS_REC_LRU | 1u << MMLENS_REC_PFNS | 1u << MMLENS_REC_BACKING,
};

static const char *check_records(size_t query, pid_t pid, uint32_t flags)
{
	struct records records;
	uint64_t count = 0;
	const char *why = gather(&queries[query], pid, flags,
				 MMLENS_BUFFER_MIN, &records);

	for (size_t at = 0; !why && at < records.size; count++) {
		const struct mmlens_record *record =
			(const void *)(records.bytes + at);

		why = check_record(record, records.size - at);
		if (!why && !(allowed_types[query] >> record->type & 1))
			why = wrong("%s: a record of type %u",
				    queries[query].name, record->type);
		at += record->size;
	}
	if (!why && count != records.count)
		why = wrong("%s: %llu records, not %llu",
			    queries[query].name, (unsigned long long)count,
			    (unsigned long long)records.count);
	free(records.bytes);
	return why;
}

static const char *case_records_are_whole(void)
{
	pid_t pid = rich_child();
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		for (uint32_t flags = 0; !why && flags < ALL_FLAGS; flags++)
			if (!(flags & ~queries[i].flags))
				why = check_records(i, i == 2 ? getpid() : pid,
						    flags);
	end_of(pid);
	return why;
}

/* Without MMLENS_WALK_PAGE nothing is said about pages. */
static const char *case_page_bits_on_request(void)
{
	struct records records;
	const char *why = gather(&queries[1], getpid(), 0, 1 << 20, &records);

	for (size_t at = 0; !why && at < records.size; at += 32) {
		const struct mmlens_pte *pte =
			(const void *)(records.bytes + at);

		if (pte->flags & (MMLENS_PTE_FILE | MMLENS_PTE_EXCLUSIVE))
			why = wrong("%#llx: flags %#x", pte->va, pte->flags);
	}
	return why;
}

/* ---- tables that are full ---- */

#define FULL_SIZE	(8ul << 20)

/* A child with a VMA of whole PTE tables, and all of their entries there. */
static pid_t full_child(uint64_t *start)
{
	uintptr_t place = (uintptr_t)mmap(NULL, 2 * FULL_SIZE, PROT_NONE,
					  MAP_PRIVATE | MAP_ANONYMOUS |
					  MAP_NORESERVE, -1, 0);
	char *full = (char *)((place + FULL_SIZE - 1) & -FULL_SIZE);

	mprotect(full, FULL_SIZE, PROT_READ | PROT_WRITE);
	madvise(full, FULL_SIZE, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < FULL_SIZE; at += PAGE)
		full[at] = 1;
	*start = (uintptr_t)full;
	return sleeper();
}

static const char *look_at_full(const struct query *query, pid_t pid,
				uint64_t start, uint32_t flags)
{
	struct mmlens_walk walk = walk_of(pid);
	uint64_t calls = 0, records = 0;

	walk.flags = flags;
	walk.start = start;
	walk.end = start + FULL_SIZE;
	do {
		if (ioctl(device(), query->request, &walk))
			return wrong("%s: %s", query->name, strerror(errno));
		records += walk.records;
		if (++calls > 10000)
			return wrong("%s doesn't come to its end",
				     query->name);
	} while (!(walk.status & MMLENS_STATUS_DONE));
	if (query->request == MMLENS_PTES &&
	    !(flags & (MMLENS_WALK_RUNS | MMLENS_WALK_STATE)) &&
	    records != FULL_SIZE / PAGE)
		return wrong("%llu entries", (unsigned long long)records);
	return NULL;
}

/* The last record is of the VMA that is full. */
static const char *sums_of_full(pid_t pid, uint64_t start)
{
	struct mmlens_walk walk = walk_of(pid);
	const struct mmlens_smaps *sums;

	walk.start = start;
	walk.end = start + FULL_SIZE;
	if (ioctl(device(), MMLENS_SMAPS, &walk))
		return wrong("%s", strerror(errno));
	sums = (const void *)(room + walk.written - sizeof(*sums));
	if (sums->head.type != MMLENS_REC_SMAPS || sums->rss != FULL_SIZE ||
	    sums->anonymous != FULL_SIZE)
		return wrong("rss %llu", sums->rss);
	return NULL;
}

/* A step has room for the entries of a whole table. */
static const char *case_full_tables(void)
{
	uint64_t start;
	pid_t pid = full_child(&start);
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		for (uint32_t flags = 0; !why && flags < ALL_FLAGS; flags++)
			if (!(flags & ~queries[i].flags) &&
			    takes_range(&queries[i]))
				why = look_at_full(&queries[i], pid, start,
						   flags);
	why = why ?: sums_of_full(pid, start);
	end_of(pid);
	return why;
}

/* ---- who is asked about ---- */

static void *wait_for_ever(void *tid)
{
	__atomic_store_n((pid_t *)tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

/* A thread stands for its process. */
static const char *case_thread(void)
{
	static pid_t tid;
	struct mmlens_walk walk;
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_ever, &tid))
		return wrong("pthread_create");
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		usleep(1000);
	walk = walk_of(tid);
	walk.start = (uintptr_t)room;
	walk.end = walk.start + PAGE;
	if (ioctl(device(), MMLENS_VMAS, &walk))
		return wrong("%s", strerror(errno));
	if (!walk.records)
		return wrong("no VMA");
	return NULL;
}

static const char *as_first_of_namespace(void)
{
	struct mmlens_walk walk = walk_of(1);
	char *mine = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (getpid() != 1)
		return wrong("PID %d", getpid());
	mprotect(mine, PAGE, PROT_NONE);
	walk.start = (uintptr_t)mine;
	walk.end = walk.start + PAGE;
	if (ioctl(device(), MMLENS_VMAS, &walk))
		return wrong("%s", strerror(errno));
	if (!walk.records)
		return wrong("PID 1 is somebody else");
	walk = walk_of(2);
	return refused(device(), MMLENS_VMAS, &walk, sizeof(walk), ESRCH);
}

/* Numbers are those of the caller's PID namespace. */
static const char *case_pid_namespace(void)
{
	device();
	if (unshare(CLONE_NEWPID))
		return wrong("unshare: %s", strerror(errno));
	return in_child(as_first_of_namespace);
}

/* ---- targets that go away in the middle of a walk ---- */

static const char *begin(struct mmlens_walk *walk, pid_t pid,
			 unsigned long request)
{
	*walk = walk_of(pid);
	walk->buffer_size = MMLENS_BUFFER_MIN;
	if (ioctl(device(), request, walk))
		return wrong("%s", strerror(errno));
	if (walk->status != MMLENS_STATUS_TRUNCATED)
		return wrong("the walk fits into one call");
	return NULL;
}

static const char *gone(struct mmlens_walk *walk, unsigned long request)
{
	return refused(device(), request, walk, sizeof(*walk), ESRCH);
}

static const char *exit_in_the_middle(unsigned long request)
{
	pid_t pid = rich_child();
	struct mmlens_walk walk;
	siginfo_t info;
	const char *why = begin(&walk, pid, request);

	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	why = why ?: gone(&walk, request);
	waitpid(pid, NULL, 0);
	return why ?: gone(&walk, request);
}

static const char *case_exit_in_the_middle(void)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		if (takes_range(&queries[i]))
			why = exit_in_the_middle(queries[i].request);
	return why;
}

static pid_t will_exec(int *go)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, 0))
		exit(1);
	pid = fork();
	if (!pid) {
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[1]);
		if (read(pipes[0], &byte, 1) != 1)
			_exit(1);
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	close(pipes[0]);
	*go = pipes[1];
	return pid;
}

static bool is_sleep(pid_t pid)
{
	char path[64], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, sizeof(name), file))
		return false;
	fclose(file);
	return !strcmp(name, "sleep\n");
}

static const char *exec_in_the_middle(unsigned long request)
{
	struct mmlens_walk walk;
	const char *why;
	pid_t pid;
	int go;

	end_of(rich_child());	/* whatever it maps, the next one inherits */
	pid = will_exec(&go);
	why = begin(&walk, pid, request);
	if (write(go, "", 1) != 1)
		return wrong("write: %s", strerror(errno));
	for (int i = 0; i < 1000 && !is_sleep(pid); i++)
		usleep(10000);
	why = why ?: gone(&walk, request);
	end_of(pid);
	close(go);
	return why;
}

static const char *case_exec_in_the_middle(void)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < query_count; i++)
		if (takes_range(&queries[i]))
			why = exec_in_the_middle(queries[i].request);
	return why;
}

/* ---- several callers ---- */

struct caller {
	pthread_t thread;
	const char *why;
	pid_t pid;
	struct records records;
};

static void *call_often(void *arg)
{
	struct caller *caller = arg;

	for (int i = 0; i < 10 && !caller->why; i++) {
		free(caller->records.bytes);
		caller->why = gather(&queries[1], caller->pid, 3,
				     MMLENS_BUFFER_MIN, &caller->records);
	}
	return NULL;
}

/* Walks through one descriptor at the same time don't mix. */
static const char *case_shared_descriptor(void)
{
	struct caller callers[4] = {};
	pid_t pid = rich_child();
	const char *why = NULL;

	device();
	for (int i = 0; i < 4; i++) {
		callers[i].pid = i % 2 ? pid : 1;
		pthread_create(&callers[i].thread, NULL, call_often,
			       &callers[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(callers[i].thread, NULL);
		why = why ?: callers[i].why;
	}
	if (!why && (callers[1].records.size != callers[3].records.size ||
		     memcmp(callers[1].records.bytes, callers[3].records.bytes,
			    callers[1].records.size)))
		why = wrong("two walks of one process differ");
	end_of(pid);
	return why;
}

static const char *walk_for_ever(void)
{
	for (;;) {
		struct records records;
		const char *why = gather(&queries[1], getppid(), 3,
					 MMLENS_BUFFER_MIN, &records);

		if (why)
			return why;
		free(records.bytes);
	}
}

/* SIGKILL ends a caller in the middle of a walk at once. */
static const char *case_kill_the_caller(void)
{
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(walk_for_ever() ? 1 : 0);
		usleep(20000 + 3000 * i);
		kill(pid, SIGKILL);
		for (int wait = 0; waitpid(pid, NULL, WNOHANG) != pid;
		     wait++) {
			if (wait > 500)
				return wrong("it doesn't die");
			usleep(10000);
		}
	}
	return NULL;
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case answer_cases[] = {
	CASE(info), CASE(info_padding), CASE(records_are_whole),
	CASE(runs_expand_alike), CASE(state_expands_alike),
	CASE(buffer_size_alike), CASE(processes_in_small_buffers),
	CASE(full_tables), CASE(written_and_no_more),
	CASE(inputs_stay), CASE(page_bits_on_request), CASE(thread),
	CASE(pid_namespace), CASE(exit_in_the_middle),
	CASE(exec_in_the_middle), CASE(shared_descriptor),
	CASE(kill_the_caller),
	{ NULL, NULL },
};
