// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the module's processes: PROC and SMAPS records from the files
 * of /proc, few a call, in order of PID.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_transport.h"

#define PROCESSES_PER_CALL 3

typedef void (*take_t)(void *to, const char *key, const char *value);

/* Read "KEY: NUMBER" lines of /proc/PID/@file.  Return: false without it. */
static bool read_keys(int pid, const char *file, take_t take, void *to)
{
	char path[64], line[256];
	bool any = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		take(to, line, colon + 1);
		any = true;
	}
	fclose(f);
	return any;
}

static void take_status(void *to, const char *key, const char *value)
{
	unsigned long long number = strtoull(value, NULL, 10);
	struct mmlens_proc *proc = to;
	unsigned int euid;

	if (!strcmp(key, "PPid"))
		proc->ppid = (int)number;
	else if (!strcmp(key, "Threads"))
		proc->threads = number;
	else if (!strcmp(key, "VmSize"))
		proc->vsize = number << 10;
	else if (!strcmp(key, "VmPTE"))
		proc->tables = number << 10;
	else if (!strcmp(key, "Uid") && sscanf(value, "%*u %u", &euid) == 1)
		proc->uid = euid;
}

static const struct {
	const char *key;
	size_t offset;
	unsigned int shift;
} keys[] = {
#define KEY(key, member, shift) \
	{ key, offsetof(struct mmlens_smaps, member), shift }
	KEY("Rss", rss, 10),
	KEY("Pss", pss, 22),
	KEY("Private_Clean", private_clean, 10),
	KEY("Private_Dirty", private_dirty, 10),
	KEY("Swap", swap, 10),
};

static void take_rollup(void *to, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(key, keys[i].key))
			*(uint64_t *)((char *)to + keys[i].offset) =
				strtoull(value, NULL, 10) << keys[i].shift;
}

static void put(struct mmlens_walk *walk, const void *record, size_t size)
{
	memcpy((char *)(uintptr_t)walk->buffer + walk->written, record, size);
	walk->written += size;
	walk->records++;
}

static bool put_process(struct mmlens_walk *walk, int pid)
{
	struct mmlens_proc proc = {
		.head = { sizeof(proc), MMLENS_REC_PROC, 0 },
		.pid = pid,
	};
	struct mmlens_smaps smaps = {
		.head = { sizeof(smaps), MMLENS_REC_SMAPS, 0 },
	};
	struct mmlens_process process;
	bool total = walk->flags & MMLENS_WALK_TOTAL;

	if (mmlens_process_read(pid, &process) ||
	    !read_keys(pid, "status", take_status, &proc))
		return false;
	snprintf(proc.comm, sizeof(proc.comm), "%.15s", process.comm);
	if (process.kernel_thread)
		proc.flags |= MMLENS_PROC_KTHREAD;
	if (process.kernel_thread || !proc.vsize)
		proc.flags |= MMLENS_PROC_NO_MM;
	else if (!read_keys(pid, "smaps_rollup", take_rollup, &smaps))
		proc.flags |= MMLENS_PROC_RACED;
	put(walk, &proc, sizeof(proc));
	if (total && !(proc.flags & MMLENS_PROC_NO_MM))
		put(walk, &smaps, sizeof(smaps));
	return true;
}

/* The lowest PID from @from on; 0: none. */
static int next_pid(int from)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (isdigit((unsigned char)*entry->d_name) && pid >= from &&
		    (!found || pid < found))
			found = pid;
	}
	closedir(dir);
	return found;
}

int proc_procs(struct mmlens_walk *walk)
{
	int left = PROCESSES_PER_CALL, pid = (int)walk->cursor;

	walk->generation = 1;
	while ((pid = next_pid(pid)) && left) {
		left -= put_process(walk, pid);
		pid++;
	}
	walk->cursor = pid;
	walk->status = pid ? MMLENS_STATUS_TRUNCATED : MMLENS_STATUS_DONE;
	return 0;
}
