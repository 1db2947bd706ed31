// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files that views read besides the module's answers, and what the library
 * finds out by other means, written down as files of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_take.h"
#include "internal.h"

#define SWAP_MAX "memory.swap.max"
#define SWAP_CURRENT "memory.swap.current"

/* ---- lines ---- */

__attribute__((format(printf, 2, 3)))
static void add_line(struct lines *lines, const char *format, ...)
{
	char *line, *grown;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&line, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (lines->length + n + 1 > lines->room) {
		const size_t room = 2 * (lines->length + n + 1);

		grown = realloc(lines->text, room);
		if (!grown) {
			free(line);
			return;
		}
		lines->text = grown;
		lines->room = room;
	}
	memcpy(lines->text + lines->length, line, n + 1);
	lines->length += n;
	free(line);
}

static int take_lines(struct take *t, const char *path,
		      const struct lines *lines)
{
	return mml_writer_file(t->w, path, lines->text ? lines->text : "",
			       lines->length);
}

void take_free(struct take *t)
{
	free(t->users.text);
	free(t->gaps.text);
	free(t->others);
}

/* ---- files as they are ---- */

/* What can't be read isn't there, or isn't for us. */
static int take_file(struct take *t, const char *path)
{
	size_t length;
	char *text = mmlens_source_read(path, &length);
	int ret;

	if (!text)
		return errno == ENOMEM ? -ENOMEM : 0;
	ret = mml_writer_file(t->w, path, text, length);
	free(text);
	return ret;
}

/* That it is there is all that matters. */
static int take_presence(struct take *t, const char *path)
{
	if (!mmlens_source_has(path))
		return 0;
	return mml_writer_file(t->w, path, "", 0);
}

static int take_of_process(struct take *t, int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return take_file(t, path);
}

/* Enough to know whether it is a 32-bit program. */
static int take_program(struct take *t, int pid)
{
	unsigned char ident[16];
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, ident, sizeof(ident));
	close(fd);
	return n < 0 ? 0 : mml_writer_file(t->w, path, ident, n);
}

int take_process_files(struct take *t, const struct taken *taken)
{
	static const char *const files[] = {
		"stat", "status", "cmdline", "cgroup"
	};
	int ret = take_program(t, taken->pid);

	for (size_t i = 0; i < ARRAY_SIZE(files) && !ret; i++)
		ret = take_of_process(t, taken->pid, files[i]);
	/* Asked for SwapPss alone. */
	if (!ret && taken->sums.swap_anon)
		ret = take_of_process(t, taken->pid, "smaps");
	if (!ret && taken->sums.swap_anon)
		ret = take_of_process(t, taken->pid, "smaps_rollup");
	return ret;
}

/* ---- noted meanwhile ---- */

void take_user(struct take *t, uint32_t uid)
{
	char key[24], *name;

	snprintf(key, sizeof(key), "\n%u ", uid);
	if (!t->users.text)
		add_line(&t->users, "\n");
	if (t->users.text && strstr(t->users.text, key))
		return;
	name = mmlens_user_name(uid);
	if (name)
		add_line(&t->users, "%u %s\n", uid, name);
	free(name);
}

void take_other(struct take *t, int pid)
{
	int *grown = mmlens_grown(t->others, t->other_count, sizeof(*grown));

	if (!grown)
		return;
	t->others = grown;
	grown[t->other_count++] = pid;
}

static void add_gap(struct take *t, uint64_t start, uint64_t end,
		    uint64_t flags)
{
	add_line(&t->gaps, "%llu %llu %llu\n", (unsigned long long)start,
		 (unsigned long long)(end - start), (unsigned long long)flags);
}

/* Of @count page frames from @first on: 0 where the file ends. */
static size_t read_flags(int fd, uint64_t first, uint64_t *words, size_t count)
{
	ssize_t n = pread(fd, words, count * sizeof(*words),
			  (off_t)(first * sizeof(*words)));

	return n < 0 ? 0 : n / sizeof(*words);
}

/* kpageflags of page frames that no answer has, in rows of the same. */
void take_gap(struct take *t, uint64_t start, uint64_t end)
{
	const int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t words[512], first = start, flags = 0, pfn = start;
	size_t n;

	if (fd < 0)
		return;
	while (pfn < end) {
		n = end - pfn < ARRAY_SIZE(words) ? end - pfn :
						    ARRAY_SIZE(words);
		n = read_flags(fd, pfn, words, n);
		if (!n)
			break;
		for (size_t i = 0; i < n; i++, pfn++) {
			if (pfn > first && words[i] != flags) {
				add_gap(t, first, pfn, flags);
				first = pfn;
			}
			flags = words[i];
		}
	}
	if (pfn > first)
		add_gap(t, first, pfn, flags);
	t->frames_end = pfn;
	close(fd);
}

/* ---- the machine's ---- */

static int take_commands(struct take *t)
{
	int ret = 0;

	for (size_t i = 0; i < t->other_count && !ret; i++)
		ret = take_of_process(t, t->others[i], "cmdline");
	for (size_t i = 0; i < t->other_count && !ret; i++)
		ret = take_of_process(t, t->others[i], "stat");
	return ret;
}

int take_machine_files(struct take *t)
{
	int ret = take_file(t, mmlens_iomem_path);

	/* kpageflags ends where the last section with pages does. */
	take_gap(t, t->frames_end, INT64_MAX / sizeof(uint64_t));
	add_gap(t, t->frames_end, t->frames_end, 0);
	if (!ret)
		ret = take_lines(t, MML_FILE_KPAGEFLAGS, &t->gaps);
	return ret ? ret : take_commands(t);
}

/* ---- memory cgroups ---- */

static int take_memcg_limits(struct take *t, const char *path)
{
	static const char *const names[] = {
		SWAP_MAX, SWAP_CURRENT, "memory.swappiness"
	};
	char *file;
	int ret = 0;

	if (asprintf(&file, "%s/memory.stat", path) < 0)
		return -ENOMEM;
	ret = take_presence(t, file);
	free(file);
	for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		if (asprintf(&file, "%s/%s", path, names[i]) < 0)
			return -ENOMEM;
		ret = take_file(t, file);
		free(file);
	}
	return ret;
}

static int take_memcg(struct take *t, struct lines *lines, const FTSENT *e,
		      size_t root)
{
	const char *below = e->fts_path + root;

	add_line(lines, "%llu %s\n",
		 (unsigned long long)e->fts_statp->st_ino,
		 *below ? below : "/");
	return take_memcg_limits(t, e->fts_path);
}

static int walk_memcgs(struct take *t, const char *root, struct lines *lines)
{
	char *const paths[] = { (char *)root, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int ret = 0;

	if (!fts)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (!ret && (e = fts_read(fts)))
		if (e->fts_info == FTS_D)
			ret = take_memcg(t, lines, e, strlen(root));
	fts_close(fts);
	return ret;
}

static int take_memcgs(struct take *t)
{
	struct mmlens_labels *labels = mmlens_labels_open();
	const char *root = labels ? mmlens_memcg_root(labels) : NULL;
	struct lines lines = {};
	int ret = 0;

	if (root) {
		ret = mml_writer_file(t->w, MML_FILE_MEMCG_ROOT, root,
				      strlen(root));
		if (!ret)
			ret = walk_memcgs(t, root, &lines);
		if (!ret)
			ret = take_lines(t, MML_FILE_MEMCGS, &lines);
	}
	free(lines.text);
	mmlens_labels_close(labels);
	return ret;
}

/* ---- what all have ---- */

struct thp {
	struct take *t;
	int ret;
};

/* Those of each size stand in directories of their own. */
static void take_thp(const char *name, void *context)
{
	static const char *const files[] = { "enabled", "shmem_enabled" };
	struct thp *thp = context;
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(files) && !thp->ret; i++) {
		if (!strcmp(name, files[i]))
			snprintf(path, sizeof(path), "%s/%s",
				 MMLENS_THP_DIRECTORY, name);
		else if (!strncmp(name, "hugepages-", 10))
			snprintf(path, sizeof(path), "%s/%s/%s",
				 MMLENS_THP_DIRECTORY, name, files[i]);
		else
			continue;
		thp->ret = take_file(thp->t, path);
	}
}

/* As smaps of any process would have it: what it says is ours. */
static int take_own(struct take *t)
{
	char *text = mmlens_own_smaps(false);
	int ret;

	if (!text)
		return errno == ENOMEM ? -ENOMEM : 0;
	ret = mml_writer_file(t->w, "/proc/self/smaps", text, strlen(text));
	free(text);
	return ret;
}

static int take_sysv(struct take *t)
{
	uint32_t dev_major, dev_minor;
	char text[32];

	if (mmlens_sysv_device(&dev_major, &dev_minor))
		return 0;
	snprintf(text, sizeof(text), "%u %u\n", dev_major, dev_minor);
	return mml_writer_file(t->w, MML_FILE_SYSV, text, strlen(text));
}

int take_common_files(struct take *t)
{
	static const char *const files[] = {
		"/proc/self/smaps_rollup", "/proc/self/maps",
		"/proc/meminfo", "/proc/zoneinfo",
		"/proc/sys/vm/extfrag_threshold", "/proc/sys/vm/swappiness",
	};
	struct thp thp = { .t = t };
	int ret = take_own(t);

	for (size_t i = 0; i < ARRAY_SIZE(files) && !ret; i++)
		ret = take_file(t, files[i]);
	if (!ret)
		ret = take_presence(t, "/proc/self/numa_maps");
	if (!ret)
		ret = take_sysv(t);
	mmlens_source_list(MMLENS_THP_DIRECTORY, take_thp, &thp);
	if (!ret)
		ret = thp.ret;
	if (!ret)
		ret = take_memcgs(t);
	return ret ? ret : take_lines(t, MML_FILE_USERS, &t->users);
}
