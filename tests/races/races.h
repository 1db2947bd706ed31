/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes while the module looks: each kind of change in a process that
 * does nothing else, and readers of all of them.
 */
#ifndef RACES_H
#define RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../ioctl/ioctl.h"

#define MIB	(1ul << 20)
#define HUGE	(2 * MIB)

/* What a change came to: done, tried in vain, or impossible on this machine. */
enum outcome {
	DONE,
	FAILED,
	CANNOT,
};

/**
 * struct kind - A kind of change.
 * @name:	as in --only
 * @prepare:	once, in its process; NULL: nothing to prepare.  CANNOT ends it
 * @change:	again and again
 * @undo:	by the parent when all have ended; may be NULL
 * @pause_us:	between two changes
 * @asked:	only with --only
 */
struct kind {
	const char *name;
	enum outcome (*prepare)(void);
	enum outcome (*change)(void);
	void (*undo)(void);
	unsigned int pause_us;
	bool asked;
};

/* One table a file; a NULL name ends it. */
extern const struct kind memory_kinds[];
extern const struct kind process_kinds[];
extern const struct kind machine_kinds[];

/**
 * struct result - What became of a kind; in memory that all processes share.
 * @done:	changes that took place
 * @failed:	that didn't
 * @why:	the last thing that stood in the way
 */
struct result {
	uint64_t done;
	uint64_t failed;
	char why[96];
};

extern struct result *mine;	/* of this process's kind */

/* Says why, for FAILED and CANNOT; adds what errno means. */
enum outcome says(enum outcome outcome, const char *what);

/* ---- processes that are looked at ---- */

#define TARGETS	64

/* In shared memory; 0 is nobody. */
extern volatile pid_t *targets;

/* This process (or that one) may be looked at; the slot is the caller's. */
void look_at_me(void);
void look_at(pid_t pid);

/* ---- help ---- */

/* A child that doesn't outlive its parent, however soon that is killed. */
pid_t bound_fork(void);
uint32_t any(uint32_t below);
bool write_file(const char *path, const char *text);
bool read_file(const char *path, char *text, size_t size);
/* A counter of /proc/vmstat; 0 where it isn't. */
uint64_t vmstat(const char *name);
bool has_nodes(unsigned int count);
/* Memory with each page written to, or NULL. */
char *memory(size_t size);
void touch(char *start, size_t size);

/* --cycles: exit status. */
int cycles(const char *module, unsigned int count);

#endif /* RACES_H */
