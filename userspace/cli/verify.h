/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmlens verify: what the module says against what the kernel says elsewhere.
 * Checks (verify_*.c) look at both; verify_settle.c keeps what differs each time;
 * verify.c has the table of them.
 */
#ifndef MMLENS_VERIFY_H
#define MMLENS_VERIFY_H

#include "cli.h"
#include "verify_child.h"

/* What moves between two looks is looked at so often. */
#define VERIFY_TRIES	10

/* Of a look: what was looked at has changed meanwhile, so it proves nothing. */
#define VERIFY_MOVED	1

/* Pages that a program takes and gives back as it looks. */
#define VERIFY_PAGES	64

/**
 * struct verify_target - A process that is looked at.
 * @pid:	its PID
 * @comm:	its name
 */
struct verify_target {
	int pid;
	char comm[16];
};

/**
 * struct verify_options - What was asked for.
 * @pids:	these processes; none: the usual ones
 * @pid_count:	how many
 * @others:	processes besides the reader and its child
 * @samples:	places that are looked at of what is too large to be looked at
 *		as a whole
 * @all:	everything: each process, each page
 * @most:	mismatches that are shown of a check
 */
struct verify_options {
	const int *pids;
	size_t pid_count;
	unsigned int others;
	unsigned int samples;
	bool all;
	unsigned int most;
};

/* Differences of one look, or of all so far. */
struct verify_differences {
	struct verify_mismatch *list;
	size_t count;
	uint64_t more;		/* that there was no room for */
};

/**
 * struct verify - A run.
 * @lens:	connection
 * @info:	of the module
 * @o:		what was asked for
 * @targets:	processes
 * @target_count: how many
 * @child:	the one with known kinds of entries; its PID is 0 without one
 * @result:	of the check under way
 * @now:	what differs in the look under way
 * @compared:	comparisons in it
 */
struct verify {
	struct mmlens *lens;
	const struct mmlens_info *info;
	const struct verify_options *o;
	struct verify_target *targets;
	size_t target_count;
	struct verify_child child;
	struct verify_result *result;
	struct verify_differences now;
	uint64_t compared;
};

/**
 * struct verify_check - Something to be compared.
 * @name:	what the user types
 * @oracle:	where the kernel says it
 * @what:	what is compared, in a few words
 * @nr:		the query that it needs
 * @run:	of all; 0, or a negative errno that ended it
 * @process:	instead: of one process.  -ESRCH: it is gone
 */
struct verify_check {
	const char *name;
	const char *oracle;
	const char *what;
	unsigned int nr;
	int (*run)(struct verify *v);
	int (*process)(struct verify *v, const struct verify_target *target);
};

/* Each family's; an empty one ends it. */
extern const struct verify_check verify_files[], verify_entries[];
extern const struct verify_check verify_processes[], verify_frames[];
extern const struct verify_check verify_zones[], verify_lists[];
extern const struct verify_check verify_kernel[];

/* ---- verify_settle.c ---- */

/*
 * Look until nothing differs, at most VERIFY_TRIES times: what differs each time
 * is a mismatch.  @look returns 0, VERIFY_MOVED or a negative errno; so does this,
 * but for VERIFY_MOVED.
 */
int verify_settle(struct verify *v,
		  int (*look)(struct verify *v, void *context), void *context);

/* Note that both differ in what the key says; one key is of one place. */
void verify_differs(struct verify *v, const char *kernel, const char *ours,
		    const char *key, ...) __attribute__((format(printf, 4, 5)));
/* The same of numbers; not a difference within @slack of either look. */
void verify_number(struct verify *v, uint64_t before, uint64_t ours,
		   uint64_t after, uint64_t slack, const char *key, ...)
	__attribute__((format(printf, 6, 7)));
/*
 * The same of something that stood still; @tell writes a number in words, NULL: in
 * hexadecimal.
 */
void verify_bits(struct verify *v, uint64_t kernel, uint64_t ours,
		 void (*tell)(FILE *out, uint64_t value), const char *key, ...)
	__attribute__((format(printf, 5, 6)));

/* There is nothing to compare with, because ...  Return: 0. */
int verify_skip(struct verify *v, const char *why, ...)
	__attribute__((format(printf, 2, 3)));

/* To be called when a check is done. */
void verify_forget(struct verify_differences *d);

/* ---- verify_text.c ---- */

/* A file, whole, with a NUL behind; to be freed.  NULL and errno. */
char *verify_read(const char *path);
char *verify_read_of(int pid, const char *file);

/* Is it there?  Otherwise the check is skipped. */
bool verify_has(struct verify *v, const char *path);

/**
 * struct verify_texts - Text that the kernel has written, and ours.
 * @subject:	whose; what keys begin with
 * @before:	the kernel's
 * @ours:	what was told in between
 * @after:	the kernel's
 * @head:	2: a line is the head of those that follow, 1: below such a one,
 *		0: none.  NULL: there are none
 * @slack:	of the numbers of a line; NULL: none
 */
struct verify_texts {
	const char *subject;
	char *before;
	char *ours;
	char *after;
	int (*head)(const char *line);
	uint64_t (*slack)(const char *line);
};

/* Line by line; takes the text apart.  Return: as a look. */
int verify_lines(struct verify *v, struct verify_texts *text);

/**
 * struct verify_sources - Where text comes from.
 * @kernel:	the kernel's, to be freed; NULL and errno
 * @ours:	writes ours; 0 or a negative errno
 * @context:	for both
 */
struct verify_sources {
	char *(*kernel)(void *context);
	int (*ours)(struct verify *v, struct view *view, void *context);
	void *context;
};

/* The kernel's, ours, the kernel's; then line by line.  Return: as a look. */
int verify_bracket(struct verify *v, struct verify_texts *text,
		   const struct verify_sources *sources);

/* The number behind a key at the start of a line.  Return: false without it. */
bool verify_value(const char *text, const char *key, uint64_t *value);

/* "PID 12 (bash)" */
#define VERIFY_SUBJECT	40
void verify_subject(char room[VERIFY_SUBJECT],
		    const struct verify_target *target);

/* ---- words of /proc that are read by number ---- */

/*
 * Words of /proc/PID/pagemap, kpageflags and so on, from the @first on.
 * Return: how many there are, or a negative errno.
 */
long verify_words(int fd, uint64_t first, size_t count, uint64_t *words);

#endif
