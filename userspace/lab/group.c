// SPDX-License-Identifier: GPL-2.0-only
/* A memory cgroup for the workload, of version 2 or 1, or none. */
#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"

/* ---- where it can be ---- */

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; at && (at = strstr(at, word)); at++)
		if ((at == text || strchr(" ,\n", at[-1])) &&
		    (!at[length] || strchr(" ,\n", at[length])))
			return true;
	return false;
}

/* A hierarchy of version 2 that has the memory controller. */
static bool controls_memory(const char *dir)
{
	char path[300], *text;
	bool has;

	snprintf(path, sizeof(path), "%s/cgroup.controllers", dir);
	text = lab_file(path);
	has = text && has_word(text, "memory");
	free(text);
	return has;
}

static enum lab_group_kind kind_of(const struct mntent *m)
{
	if (!strcmp(m->mnt_type, "cgroup2") && controls_memory(m->mnt_dir))
		return LAB_GROUP_V2;
	if (!strcmp(m->mnt_type, "cgroup") && has_word(m->mnt_opts, "memory"))
		return LAB_GROUP_V1;
	return LAB_GROUP_NONE;
}

static enum lab_group_kind find_root(char *root, size_t room)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	enum lab_group_kind kind = LAB_GROUP_NONE;
	struct mntent *m;

	if (!mounts)
		return LAB_GROUP_NONE;
	while (kind == LAB_GROUP_NONE && (m = getmntent(mounts))) {
		kind = kind_of(m);
		snprintf(root, room, "%s", m->mnt_dir);
	}
	endmntent(mounts);
	return kind;
}

/* Groups below the root get memory controlled, if they don't already. */
static bool delegate(struct lab *lab, const char *root)
{
	char path[300], *text;
	bool has;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	text = lab_file(path);
	has = text && has_word(text, "memory");
	free(text);
	if (has)
		return true;
	if (lab->settings == LAB_SETTINGS || !lab_write(path, "+memory"))
		return false;
	snprintf(lab->setting[lab->settings].path,
		 sizeof(lab->setting[0].path), "%.159s", path);
	strcpy(lab->setting[lab->settings++].value, "-memory");
	return true;
}

void lab_group_make(struct lab *lab)
{
	struct lab_group *g = &lab->group;
	char root[200];

	g->kind = find_root(root, sizeof(root));
	if (g->kind == LAB_GROUP_V2 && !delegate(lab, root))
		g->kind = LAB_GROUP_NONE;
	if (g->kind == LAB_GROUP_NONE)
		return;
	snprintf(g->path, sizeof(g->path), "%s/mmlens-lab-%d", root, getpid());
	if (mkdir(g->path, 0755)) {
		g->kind = LAB_GROUP_NONE;
		return;
	}
	if (lab->experiment->limit &&
	    !lab_group_limit(lab, lab->experiment->limit))
		lab_fail(lab, errno, "%s: its limit", g->path);
}

/* ---- its files ---- */

static void path_in(const struct lab *lab, char room[320], const char *name)
{
	snprintf(room, 320, "%s/%s", lab->group.path, name);
}

static bool write_in(struct lab *lab, const char *name, uint64_t value)
{
	char path[320], text[32];

	path_in(lab, path, name);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return lab_write(path, text);
}

static bool is_there(const struct lab *lab, const char *name)
{
	char path[320];

	path_in(lab, path, name);
	return !access(path, F_OK);
}

void lab_group_enter(struct lab *lab, int pid)
{
	if (lab->group.kind == LAB_GROUP_NONE)
		return;
	if (!write_in(lab, "cgroup.procs", pid))
		lab_fail(lab, errno, "%s/cgroup.procs", lab->group.path);
}

bool lab_group_limit(struct lab *lab, uint64_t bytes)
{
	if (lab->group.kind == LAB_GROUP_NONE)
		return false;
	return write_in(lab, lab->group.kind == LAB_GROUP_V2 ? "memory.max" :
			"memory.limit_in_bytes", bytes);
}

bool lab_group_limit_swap(struct lab *lab, uint64_t memory, uint64_t swap)
{
	if (lab->group.kind == LAB_GROUP_V2)
		return is_there(lab, "memory.swap.max") &&
		       write_in(lab, "memory.swap.max", swap);
	return lab->group.kind == LAB_GROUP_V1 &&
	       is_there(lab, "memory.memsw.limit_in_bytes") &&
	       write_in(lab, "memory.memsw.limit_in_bytes", memory + swap);
}

uint64_t lab_group_usage(struct lab *lab)
{
	char path[320];

	if (lab->group.kind == LAB_GROUP_NONE)
		return 0;
	path_in(lab, path, lab->group.kind == LAB_GROUP_V2 ? "memory.current" :
		"memory.usage_in_bytes");
	return lab_file_number(path);
}

/* Names of version 1 that aren't those of version 2. */
static const char *name_in_v1(const char *name)
{
	static const char *const names[][2] = {
		{ "anon", "rss" }, { "file", "cache" },
		{ "file_dirty", "dirty" }, { "file_writeback", "writeback" },
		{ "file_mapped", "mapped_file" }, { "anon_thp", "rss_huge" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i][0], name))
			return names[i][1];
	return name;
}

uint64_t lab_group_stat(struct lab *lab, const char *name)
{
	uint64_t value = 0;
	char path[320], *text;

	if (lab->group.kind == LAB_GROUP_NONE)
		return 0;
	path_in(lab, path, "memory.stat");
	text = lab_file(path);
	if (lab->group.kind == LAB_GROUP_V1)
		name = name_in_v1(name);
	if (text)
		lab_find_number(text, name, &value);
	free(text);
	return value;
}

uint64_t lab_group_oom_kills(struct lab *lab)
{
	uint64_t value = 0;
	char path[320], *text;

	if (lab->group.kind == LAB_GROUP_NONE)
		return 0;
	path_in(lab, path, lab->group.kind == LAB_GROUP_V2 ? "memory.events" :
		"memory.oom_control");
	text = lab_file(path);
	if (text)
		lab_find_number(text, "oom_kill", &value);
	free(text);
	return value;
}

/* Where there is nothing to ask it of, a limit below what it has does it. */
static void reclaim_by_limit(struct lab *lab, const char *name, uint64_t bytes,
			     const char *none)
{
	uint64_t usage = lab_group_usage(lab);
	char path[320];

	path_in(lab, path, name);
	write_in(lab, name, usage > bytes ? usage - bytes : 0);
	lab_write(path, none);
}

void lab_group_reclaim(struct lab *lab, uint64_t bytes)
{
	char limit[32];

	if (!lab_goes_on(lab) || lab->group.kind == LAB_GROUP_NONE)
		return;
	if (lab->group.kind == LAB_GROUP_V1) {
		snprintf(limit, sizeof(limit), "%" PRId64,
			 lab->experiment->limit ?
			 (int64_t)lab->experiment->limit : -1);
		reclaim_by_limit(lab, "memory.limit_in_bytes", bytes, limit);
	} else if (is_there(lab, "memory.reclaim")) {
		write_in(lab, "memory.reclaim", bytes);
	} else {
		reclaim_by_limit(lab, "memory.high", bytes, "max");
	}
}

/* ---- its end ---- */

/* Whoever is still in it. */
static void kill_all(const struct lab *lab)
{
	char path[320], *text, *save, *word;

	path_in(lab, path, "cgroup.procs");
	text = lab_file(path);
	for (word = text ? strtok_r(text, "\n", &save) : NULL; word;
	     word = strtok_r(NULL, "\n", &save))
		if (atoi(word) > 1)
			kill(atoi(word), SIGKILL);
	free(text);
}

void lab_group_remove(struct lab *lab)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	if (lab->group.kind == LAB_GROUP_NONE)
		return;
	/* A process that was killed is in it until it has exited. */
	for (int tries = 0; tries < 1000; tries++) {
		if (!rmdir(lab->group.path) || errno == ENOENT)
			break;
		kill_all(lab);
		nanosleep(&moment, NULL);
	}
	lab->group.kind = LAB_GROUP_NONE;
}
