// SPDX-License-Identifier: GPL-2.0-only
/* verify: processes and their page tables against /proc/PID/stat and status. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* ---- status ---- */

/* Pages that counters of CPUs may be off by. */
static uint64_t drift(void)
{
	return 64 + 64 * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
}

struct member {
	const char *key;
	uint64_t value;
	uint64_t slack;
};

static void compare_status(struct verify *v, const struct mmlens_proc *proc,
			   const char *before, const char *after)
{
	const uint64_t slack = drift() << v->info->page_shift >> 10;
	const struct member members[] = {
		{ "\nPPid:", proc->ppid, 0 },
		{ "\nThreads:", proc->threads, 0 },
		{ "\nVmSize:", proc->vsize >> 10, 0 },
		{ "\nRssAnon:", proc->rss_anon >> 10, slack },
		{ "\nRssFile:", proc->rss_file >> 10, slack },
		{ "\nRssShmem:", proc->rss_shmem >> 10, slack },
		{ "\nVmSwap:", proc->swap >> 10, slack },
		{ "\nVmPTE:", proc->tables >> 10, 0 },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct member *m = &members[i];
		uint64_t one, other;

		if (verify_value(before, m->key + 1, &one) &&
		    verify_value(after, m->key + 1, &other))
			verify_number(v, one, m->value, other, m->slack,
				      "PID %d (%s) %.*s", proc->pid, proc->comm,
				      (int)strcspn(m->key + 1, ":"),
				      m->key + 1);
	}
}

/* "Uid: real effective ..." */
static void compare_uid(struct verify *v, const struct mmlens_proc *proc,
			const char *text)
{
	const char *line = strstr(text, "\nUid:");
	unsigned int uid;

	if (line && sscanf(line, "\nUid: %*u %u", &uid) == 1)
		verify_number(v, uid, proc->uid, uid, 0, "PID %d (%s) Uid",
			      proc->pid, proc->comm);
}

/* The name of a kernel thread that works has what it works at behind it. */
static void compare_name(struct verify *v, const struct mmlens_proc *proc)
{
	char *name = verify_read_of(proc->pid, "comm");

	if (!name)
		return;
	name[strcspn(name, "\n")] = '\0';
	v->compared++;
	if (strncmp(name, proc->comm, strlen(proc->comm)))
		verify_differs(v, name, proc->comm, "PID %d name", proc->pid);
	free(name);
}

/* ---- all of them ---- */

struct seen {
	int pid;
	char *status;
};

struct list {
	struct seen *seen;
	size_t count;
};

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->seen[i].status);
	free(list->seen);
}

static int list_add(struct list *list, int pid)
{
	struct seen *grown = list->seen;

	if (!(list->count & (list->count - 1)))
		grown = reallocarray(grown, 2 * list->count + 1,
				     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->seen = grown;
	grown[list->count++] = (struct seen) {
		pid, verify_read_of(pid, "status"),
	};
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

static int list_read(struct list *list)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int ret = dir ? 0 : -errno;

	*list = (struct list) {};
	while (dir && !ret && (entry = readdir(dir))) {
		const int pid = cli_parse_pid(entry->d_name);

		if (pid)
			ret = list_add(list, pid);
	}
	if (dir)
		closedir(dir);
	if (list->count)
		qsort(list->seen, list->count, sizeof(*list->seen), by_pid);
	return ret;
}

static const struct seen *list_find(const struct list *list, int pid)
{
	const struct seen key = { pid, NULL };

	return list->count ? bsearch(&key, list->seen, list->count,
				     sizeof(key), by_pid) : NULL;
}

static void compare_process(struct verify *v, const struct mmlens_proc *proc,
			    const struct list *before)
{
	const struct seen *seen = list_find(before, proc->pid);
	char *after = verify_read_of(proc->pid, "status");

	if (seen && seen->status && after) {
		compare_status(v, proc, seen->status, after);
		compare_uid(v, proc, after);
		compare_name(v, proc);
	} else if (!seen && after) {
		/* It has just begun, and is in the next look. */
		verify_differs(v, "isn't in /proc", "is there", "PID %d",
			       proc->pid);
	}
	free(after);
}

static int look_at_processes(struct verify *v, void *context)
{
	const struct mmlens_process_sums *sums;
	struct mmlens_procs *procs;
	struct list before;
	size_t next = 0;
	int ret = list_read(&before);

	(void)context;
	procs = ret ? NULL : mmlens_procs_open(v->lens, 0);
	if (!ret && !procs)
		ret = -errno;
	while (procs && (ret = mmlens_procs_next(procs, &sums)) > 0) {
		/* Those in between are there for the kernel alone. */
		for (; next < before.count &&
		       before.seen[next].pid < sums->proc->pid; next++)
			verify_differs(v, "is there", "isn't", "PID %d",
				       before.seen[next].pid);
		next += next < before.count &&
			before.seen[next].pid == sums->proc->pid;
		compare_process(v, sums->proc, &before);
	}
	for (; !ret && next < before.count; next++)
		verify_differs(v, "is there", "isn't", "PID %d",
			       before.seen[next].pid);
	mmlens_procs_close(procs);
	list_free(&before);
	return ret;
}

static int check_processes(struct verify *v)
{
	return verify_settle(v, look_at_processes, NULL);
}

/* ---- page tables ---- */

static int count_tables(struct verify *v, int pid, uint64_t *count)
{
	const struct mmlens_request request = { .pid = pid };
	struct mmlens_tables *tables = mmlens_tables_open(v->lens, &request);
	const struct mmlens_table *table;
	int ret;

	*count = 0;
	if (!tables)
		return -errno;
	while ((ret = mmlens_tables_next(tables, &table)) > 0)
		*count += !(table->flags & MMLENS_TABLE_UNCOUNTED);
	mmlens_tables_close(tables);
	return ret == -ESTALE ? -ESRCH : ret;
}

static int status_value(int pid, const char *key, uint64_t *value)
{
	char *text = verify_read_of(pid, "status");
	int ret = text ? 0 : -errno;

	if (text && !verify_value(text, key, value))
		ret = -ESRCH;
	free(text);
	return ret;
}

static int look_at_tables(struct verify *v, void *context)
{
	const struct verify_target *target = context;
	uint64_t before = 0, tables = 0, after = 0;
	int ret = status_value(target->pid, "VmPTE:", &before);

	if (!ret)
		ret = count_tables(v, target->pid, &tables);
	if (!ret)
		ret = status_value(target->pid, "VmPTE:", &after);
	if (!ret)
		verify_number(v, before, tables << v->info->page_shift >> 10,
			      after, 0, "PID %d (%s) VmPTE (kB)", target->pid,
			      target->comm);
	return ret;
}

static int check_tables(struct verify *v, const struct verify_target *target)
{
	struct verify_target t = *target;

	return verify_settle(v, look_at_tables, &t);
}

/* ---- who maps what ---- */

/* Page frames that are looked up at a time, and windows of them. */
#define WINDOW	4096u
#define WINDOWS	4u

#define PM_PRESENT	(1ull << 63)
#define PM_FRAME	((1ull << 55) - 1)

static void compare_user(struct verify *v, const struct mmlens_user *user)
{
	char path[40];
	uint64_t word;
	int fd;

	if (mmlens_state(user->flags) != MMLENS_STATE_PRESENT)
		return;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", user->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Of bare frames pagemap tells nothing. */
	if (verify_words(fd, user->va >> v->info->page_shift, 1, &word) == 1 &&
	    (word & PM_PRESENT || !(user->flags & MMLENS_PTE_SPECIAL)))
		verify_bits(v, word & PM_PRESENT ? word & PM_FRAME : 0,
			    user->pfn, NULL, "PID %d maps at 0x%llx",
			    user->pid, user->va);
	close(fd);
}

static int look_at_users(struct verify *v, void *context)
{
	const uint64_t start = *(const uint64_t *)context;
	struct mmlens_users *users =
		mmlens_users_read(v->lens, start, start + WINDOW, NULL, NULL);

	if (!users)
		return -errno;
	for (size_t i = 0; i < users->count; i++)
		compare_user(v, &users->users[i]);
	mmlens_users_free(users);
	return 0;
}

/* Frames of each target, found where it has its first page. */
static uint64_t frame_of(struct verify *v, int pid)
{
	const struct mmlens_request request = { .pid = pid };
	struct mmlens_entries *entries =
		mmlens_entries_open(v->lens, &request);
	struct mmlens_entry entry;
	uint64_t frame = 0;

	while (entries && mmlens_entries_next(entries, &entry) > 0) {
		if (mmlens_state(entry.flags) != MMLENS_STATE_PRESENT ||
		    entry.flags & (MMLENS_PTE_ZERO | MMLENS_PTE_SPECIAL))
			continue;
		frame = entry.value;
		break;
	}
	mmlens_entries_close(entries);
	return frame;
}

static int check_users(struct verify *v)
{
	int ret = 0;

	for (size_t i = 0; i < v->target_count && i < WINDOWS && !ret; i++) {
		uint64_t start = frame_of(v, v->targets[i].pid);

		start -= start % WINDOW;
		if (start)
			ret = verify_settle(v, look_at_users, &start);
	}
	return ret;
}

const struct verify_check verify_processes[] = {
	{ "processes", "/proc/PID/status", "processes and their counters",
	  MMLENS_NR_PROCS, .run = check_processes },
	{ "tables", "VmPTE of /proc/PID/status", "page-table pages",
	  MMLENS_NR_TABLES, .process = check_tables },
	{ "users", "/proc/PID/pagemap", "who maps page frames",
	  MMLENS_NR_USERS, .run = check_users },
	{},
};
