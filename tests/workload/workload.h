/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The workload: one process that makes every kind of page-table entry on
 * purpose, each kind in its own region at a known address, and says where.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE		4096ul
#define MIB2		(2ul << 20)
#define GIB		(1ul << 30)
#define TIB		(1ul << 40)

#ifndef MADV_COLD
#define MADV_COLD		20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_HWPOISON
#define MADV_HWPOISON		100
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif

#define ANON_PRIVATE	(MAP_PRIVATE | MAP_ANONYMOUS)
#define ANON_SHARED	(MAP_SHARED | MAP_ANONYMOUS)
#define READ_WRITE	(PROT_READ | PROT_WRITE)

/*
 * A maker returns NULL when its regions are there, otherwise why this kernel
 * or machine can't have them.
 */
typedef const char *(*maker)(void);

/* When a kind is made, relative to what changes every other mapping. */
enum phase {
	PHASE_CLEAR,	/* before the process clears its soft-dirty bits */
	PHASE_CLEARED,	/* after that, on regions of PHASE_CLEAR */
	PHASE_FORK,	/* before the fork: shared with the child */
	PHASE_FORKED,	/* in the parent, after the fork */
	PHASE_LAST,	/* what would disturb other kinds */
};

struct kind {
	const char *name;
	enum phase phase;
	maker make;
};

/* Each file of makers has one table; a NULL name ends it. */
extern const struct kind plain_kinds[];
extern const struct kind file_kinds[];
extern const struct kind huge_kinds[];
extern const struct kind shared_kinds[];
extern const struct kind swap_kinds[];
extern const struct kind uffd_kinds[];

/* What the child does to its own copies once it is forked. */
void shared_child(void);

/* Memory of node 1; and to be busy for ever. */
void make_far_memory(void);
void spin(void) __attribute__((noreturn));

/* Policies of VMAs, of shared memory, and of the process. */
void make_policies(void);

/* @count VMAs that can't merge, with a page in each second one. */
void make_vmas(size_t count);

/*
 * What settings of transparent huge pages concern; files in each directory.
 * @disable: flags of PR_SET_THP_DISABLE, -1: no call.
 */
void make_eligible(int disable, int count, char **directories);

/* Do the steps that standard input names; says "ready" itself. */
void make_steps(void) __attribute__((noreturn));

/* A mapping of a file with a very long path. */
const char *make_long_path(void);

/* ---- what the makers use ---- */

/* The directory for files that a maker maps. */
extern const char *workload_directory;

/* An address for @size bytes of our own, far from every other region. */
void *slot_take(size_t size);
/* Map @size bytes there. */
void *slot(size_t size, int prot, int flags, int fd);
/* slot() of READ_WRITE anonymous private memory without huge pages. */
void *slot_anon(size_t size);

/* One line of the manifest. */
void region(const char *name, const void *start, size_t size);

/* Write to, or read, each page of the range. */
void fill(void *start, size_t size);
void touch(const void *start, size_t size);

/* This process's own pagemap entry of an address. */
uint64_t pagemap_of(const void *address);
#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_SWAP	(1ull << 62)
#define PAGEMAP_PFN	((1ull << 55) - 1)

/* Push the range out to swap; why not, or NULL. */
const char *swap_out(void *start, size_t size);

/* A file of @size bytes of data, open for reading and writing. */
int new_file(const char *name, size_t size);
/* A memfd of @size bytes. */
int new_memfd(const char *name, size_t size, unsigned int flags);

/* First line of a file as a number; -1 without the file. */
long number_in(const char *path);

/* "what: strerror(errno)", for a maker to return. */
const char *because(const char *what);
/* The same, and the end of the program: what must not fail. */
void die(const char *what) __attribute__((noreturn));

#endif /* WORKLOAD_H */
