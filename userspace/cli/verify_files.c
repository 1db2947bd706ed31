// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify: the files of /proc/PID that mmlens shows with the same bytes, and what
 * procps makes of them.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verify.h"

/* ---- mappings ---- */

static int each_area(struct verify *v, int pid, unsigned int flags,
		     void (*area)(struct view *view, const void *context,
				  const struct mmlens_area *area),
		     struct view *view, const void *context)
{
	const struct mmlens_request request = { .pid = pid };
	struct mmlens_areas *areas = mmlens_areas_open(v->lens, &request, flags);
	const struct mmlens_area *next;
	int ret;

	if (!areas)
		return -errno;
	while ((ret = mmlens_areas_next(areas, &next)) > 0)
		area(view, context, next);
	mmlens_areas_close(areas);
	return ret == -ESTALE ? -ESRCH : ret;
}

/* ---- looks ---- */

/**
 * struct file - A file of a process, and how ours is made.
 * @name:	below /proc/PID
 * @flags:	MMLENS_AREAS_*
 * @put:	writes a mapping
 * @context:	for it
 * @unknown:	fields that the kernel has and this reader doesn't know
 * @target:	whose
 */
struct file {
	const char *name;
	unsigned int flags;
	void (*put)(struct view *view, const void *context,
		    const struct mmlens_area *area);
	const void *context;
	const char *unknown;
	const struct verify_target *target;
};

static int head(const char *line)
{
	return isxdigit((unsigned char)*line) && !isupper((unsigned char)*line) ?
		2 : 0;
}

static bool is_named(const char *names, const char *line)
{
	const size_t length = strcspn(line, ":");
	const char *at = names;

	while (*at) {
		const size_t n = strcspn(at, ",");

		if (n == length && !strncmp(at, line, n))
			return true;
		at += n;
		at += strspn(at, ", ");
	}
	return false;
}

/* Lines of fields that aren't known are left out, as they are of ours. */
static void leave_out(char *text, const char *names)
{
	char *to = text, *line = text;

	if (!names || !*names)
		return;
	while (*line) {
		const size_t length = strcspn(line, "\n") + 1;

		if (!is_named(names, line)) {
			memmove(to, line, length);
			to += length;
		}
		if (!line[length - 1])
			return;
		line += length;
	}
	*to = '\0';
}

static char *kernels(void *context)
{
	const struct file *f = context;
	char *text = verify_read_of(f->target->pid, f->name);

	if (text)
		leave_out(text, f->unknown);
	return text;
}

static int ours(struct verify *v, struct view *view, void *context)
{
	const struct file *f = context;

	return each_area(v, f->target->pid, f->flags, f->put, view, f->context);
}

static int look(struct verify *v, void *context)
{
	const struct file *f = context;
	const struct verify_sources sources = { kernels, ours, context };
	char subject[VERIFY_SUBJECT];
	struct verify_texts text = { .subject = subject, .head = head };

	verify_subject(subject, f->target);
	return verify_bracket(v, &text, &sources);
}

/* Whose kernel lacks the file, its own process lacks it, too. */
static int compare(struct verify *v, struct file *f,
		   const struct verify_target *target)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", f->name);
	if (!verify_has(v, path))
		return 0;
	f->target = target;
	return verify_settle(v, look, f);
}

/* ---- maps, numa_maps ---- */

static void put_maps(struct view *view, const void *context,
		     const struct mmlens_area *area)
{
	(void)context;
	maps_text.area(view, area);
}

static int check_maps(struct verify *v, const struct verify_target *target)
{
	struct file f = {
		.name = "maps", .flags = MMLENS_AREAS_GATE, .put = put_maps,
	};

	return compare(v, &f, target);
}

static void put_numa(struct view *view, const void *context,
		     const struct mmlens_area *area)
{
	(void)context;
	numa_text.area(view, area);
}

static int check_numa_maps(struct verify *v, const struct verify_target *target)
{
	struct file f = {
		.name = "numa_maps", .flags = MMLENS_AREAS_NUMA,
		.put = put_numa,
	};

	return compare(v, &f, target);
}

/* ---- smaps, smaps_rollup ---- */

static void put_smaps(struct view *view, const void *context,
		      const struct mmlens_area *area)
{
	smaps_text.area(view, context, area);
}

static void put_rollup(struct view *view, const void *context,
		       const struct mmlens_area *area)
{
	rollup_text.area(view, context, area);
}

static int compare_sums(struct verify *v, const struct verify_target *target,
			struct file f, bool rollup)
{
	struct mmlens_smaps_format format;
	int ret = mmlens_smaps_format_read(v->info, rollup, &format);

	if (ret == -EPROTO)
		return verify_skip(v, "/proc/self/%s: not in a form that is known here",
				   f.name);
	if (ret)
		return verify_skip(v, "/proc/self/%s: %s", f.name,
				   strerror(-ret));
	f.flags |= MMLENS_AREAS_SMAPS | MMLENS_AREAS_FIELDS;
	f.context = &format;
	f.unknown = format.unknown;
	return compare(v, &f, target);
}

static int check_smaps(struct verify *v, const struct verify_target *target)
{
	const struct file f = {
		.name = "smaps", .flags = MMLENS_AREAS_GATE, .put = put_smaps,
	};

	return compare_sums(v, target, f, false);
}

static int check_rollup(struct verify *v, const struct verify_target *target)
{
	const struct file f = {
		.name = "smaps_rollup", .flags = MMLENS_AREAS_TOTAL,
		.put = put_rollup,
	};

	return compare_sums(v, target, f, true);
}

/* ---- pmap ---- */

struct pmap {
	const char *option;		/* NULL: none */
	enum pmap_format format;
	const struct verify_target *target;
};

/* All that is written to @fd, with a NUL behind. */
static char *read_pipe(int fd)
{
	char *text = NULL, part[4096];
	size_t length;
	FILE *out = open_memstream(&text, &length);
	ssize_t got;

	if (!out)
		return NULL;
	while ((got = read(fd, part, sizeof(part))) > 0 ||
	       (got < 0 && errno == EINTR))
		if (got > 0)
			fwrite(part, 1, got, out);
	fclose(out);
	return text;
}

static int spawn(const char *const argv[], int out, pid_t *pid)
{
	/* Words and numbers as the kernel has them. */
	static char locale[] = "LC_ALL=C", path[] = "PATH=/usr/bin:/bin";
	char *const environment[] = { locale, path, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	error = posix_spawnp(pid, argv[0], &actions, NULL,
			     (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

/* What procps says; NULL and errno. */
static char *procps(void *context)
{
	const struct pmap *p = context;
	char pid[16];
	const char *argv[] = { "pmap", pid, p->option, NULL };
	char *text = NULL;
	int ends[2], status = -1, ret;
	pid_t child;

	snprintf(pid, sizeof(pid), "%d", p->target->pid);
	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	ret = spawn(argv, ends[1], &child);
	close(ends[1]);
	if (!ret) {
		text = read_pipe(ends[0]);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	if (text && !status)
		return text;
	free(text);
	errno = ret ? -ret : ESRCH;
	return NULL;
}

struct with_totals {
	const struct pmap_options *o;
	struct pmap_totals *totals;
};

static void put_and_add(struct view *view, const void *context,
			const struct mmlens_area *area)
{
	const struct with_totals *with = context;

	pmap_text.area(view, with->o, area);
	pmap_add(with->totals, area);
}

static int our_pmap(struct verify *v, struct view *view, void *context)
{
	const struct pmap *p = context;
	struct pmap_options o = { .format = p->format, .high = UINT64_MAX };
	const int pid = p->target->pid;
	const unsigned int flags = MMLENS_AREAS_GATE |
		(pmap_has_sums(p->format) ? MMLENS_AREAS_SMAPS : 0);
	struct pmap_totals totals = {};
	const struct with_totals with = { &o, &totals };
	static const struct mmlens_stats no_stats;
	struct mmlens_process process;
	size_t length = 0;
	char *cmdline;
	int ret = mmlens_process_read(pid, &process);

	if (ret)
		return ret;
	o.have_sysv = !mmlens_sysv_device(&o.sysv_major, &o.sysv_minor);
	cmdline = mmlens_process_cmdline(pid, &length);
	pmap_text.begin(view, &o, &process, cmdline, cmdline ? length : 0);
	free(cmdline);
	ret = each_area(v, pid, flags, put_and_add, view, &with);
	pmap_text.end(view, &o, &totals, &no_stats);
	return ret;
}

static int look_pmap(struct verify *v, void *context)
{
	const struct pmap *p = context;
	const struct verify_sources sources = { procps, our_pmap, context };
	char subject[VERIFY_SUBJECT + 8], whose[VERIFY_SUBJECT];
	struct verify_texts text = { .subject = subject, .head = head };

	verify_subject(whose, p->target);
	snprintf(subject, sizeof(subject), "%s%s%s", whose,
		 p->option ? " " : "", p->option ? p->option : "");
	return verify_bracket(v, &text, &sources);
}

/* -X and -XX show of smaps what that check compares, and cut names. */
static int check_pmap(struct verify *v, const struct verify_target *target)
{
	struct pmap forms[] = {
		{ NULL, PMAP_PLAIN, target },
		{ "-x", PMAP_EXTENDED, target },
		{ "-d", PMAP_DEVICE, target },
	};
	int ret = 0;

	for (size_t i = 0; i < 3 && !ret; i++)
		ret = verify_settle(v, look_pmap, &forms[i]);
	if (ret == -ENOENT)
		return verify_skip(v, "pmap isn't installed (Debian: procps)");
	return ret;
}

const struct verify_check verify_files[] = {
	{ "maps", "/proc/PID/maps", "mappings", MMLENS_NR_VMAS,
	  .process = check_maps },
	{ "smaps", "/proc/PID/smaps", "sums and flags of mappings",
	  MMLENS_NR_SMAPS, .process = check_smaps },
	{ "smaps_rollup", "/proc/PID/smaps_rollup", "sums of a process",
	  MMLENS_NR_SMAPS, .process = check_rollup },
	{ "numa_maps", "/proc/PID/numa_maps", "policies and nodes of mappings",
	  MMLENS_NR_NUMA_MAPS, .process = check_numa_maps },
	{ "pmap", "pmap, -x and -d of procps", "mappings",
	  MMLENS_NR_SMAPS, .process = check_pmap },
	{},
};
