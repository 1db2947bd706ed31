/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libmmlens share and keep to themselves. */
#ifndef MMLENS_LIB_INTERNAL_H
#define MMLENS_LIB_INTERNAL_H

#include <stdio.h>

#include "libmmlens.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct mmlens {
	const struct mmlens_transport *ops;
	void *context;
	struct mmlens_info info;
	bool thp_known;
	struct mmlens_thp_settings thp;
};

/*
 * An array of @count members of @size bytes with room for one more; it grows to
 * each power of two.  NULL without memory: the array is as it was.
 */
void *mmlens_grown(void *array, size_t count, size_t size);

/* The ioctl on a device; the context is its descriptor. */
extern const struct mmlens_transport mmlens_device_transport;

/*
 * The gate area of @pid, if /proc/PID/maps shows one.  Returns false without.
 * @name must hold MMLENS_GATE_NAME bytes.  With @info its raw_flags are known
 * too, as far as VmFlags of smaps tells them.
 */
#define MMLENS_GATE_NAME 32
bool mmlens_gate_find(int pid, const struct mmlens_info *info,
		      struct mmlens_vma *vma, char *name);

/* What later arithmetic relies on. */
bool mmlens_info_is_sane(const struct mmlens_info *info);

/* 0, or -EPROTO for a record that breaks the contract; it has @left bytes. */
int mmlens_record_check(const struct mmlens_info *info,
			const struct mmlens_record *rec, size_t left);

/* ---- files of /proc and /sys, or of a capture ---- */

struct mml_capture;

/* Does it answer out of a capture? */
bool mml_is_capture(const struct mmlens *lens);

/* Read those of @capture from now on; NULL: the running machine's. */
void mmlens_source_set(struct mml_capture *capture);
struct mml_capture *mmlens_source(void);
/* As fopen() for reading. */
FILE *mmlens_source_open(const char *path);
/* Whole, with a NUL behind; to be freed.  NULL and errno. */
char *mmlens_source_read(const char *path, size_t *length);
bool mmlens_source_has(const char *path);
/* The names in a directory, some perhaps twice.  0 or a negative errno. */
int mmlens_source_list(const char *dir,
		       void (*told)(const char *name, void *context),
		       void *context);

/* Without its first @count entries. */
void mmlens_row_cut(const struct mmlens_info *info, struct mmlens_row *row,
		    uint64_t count);

/* What /proc/self/smaps has of a process that shows all that it can. */
char *mmlens_own_smaps(bool rollup);

#define MMLENS_THP_DIRECTORY "/sys/kernel/mm/transparent_hugepage"

/*
 * A file of /proc that may be large, whole and NUL-terminated; to be freed.
 * NULL and errno, ESRCH for a process that is gone.
 */
char *mmlens_read_file(const char *path);

/*
 * What a line of /proc/PID/stat says; the parenthesis that ends the name becomes a
 * NUL.  Returns 0 or -EPROTO.
 */
int mmlens_process_parse(char *line, struct mmlens_process *process);

/* Page frames [start, end). */
struct mmlens_frames {
	uint64_t start;
	uint64_t end;
};

struct mmlens_frames_list {
	struct mmlens_frames *frames;		/* in order, without overlaps */
	size_t count;
};

/* Return: 0 or -ENOMEM. */
int mmlens_frames_add(struct mmlens_frames_list *list, uint64_t start,
		      uint64_t end);
/* Put them in order and join those that touch. */
void mmlens_frames_sort(struct mmlens_frames_list *list);
/* The first that ends behind @pfn; @count where there is none. */
size_t mmlens_frames_find(const struct mmlens_frames_list *list, uint64_t pfn);

/*
 * What CPUs keep, into an empty list, to be freed; adds to @stats.
 * Returns 0 or a negative errno.
 */
int mmlens_kept_read(struct mmlens_frames_list *kept, struct mmlens *lens,
		     struct mmlens_stats *stats);

/* What the kernel has mapped for vmalloc() and its kin; likewise. */
int mmlens_vmapped_read(struct mmlens_frames_list *list, struct mmlens *lens,
			struct mmlens_stats *stats);

/* What /proc/iomem calls System RAM, in order; to be freed.  NULL and errno. */
extern const char *mmlens_iomem_path;	/* tests have their own */
struct mmlens_frames *mmlens_ram_read(unsigned int page_shift, size_t *count);

/* The settings for large folios, read once a connection. */
const struct mmlens_thp_settings *mmlens_thp_settings(struct mmlens *lens);

/* Where the memory cgroups are mounted; NULL: nowhere. */
const char *mmlens_memcg_root(struct mmlens_labels *labels);

/*
 * Where the pages of a sampled process stand; adds to @stats.  Returns 0 or a
 * negative errno.
 */
int mml_sample_lru(struct mmlens *lens, struct mmlens_sample_process *process,
		   struct mmlens_stats *stats);

void mmlens_smaps_add(struct mmlens_smaps *sum, const struct mmlens_smaps *add);

/* ---- SwapPss ---- */

struct mmlens_swap_range {
	uint64_t start;
	uint64_t end;
	uint64_t pss;			/* bytes */
};

struct mmlens_swap {
	size_t count;
	struct mmlens_swap_range *ranges;	/* in order of address */
};

/* From smaps, or smaps_rollup, of @pid.  Returns 0 or a negative errno. */
int mmlens_swap_read(struct mmlens_swap *swap, int pid, bool rollup);
int mmlens_swap_parse(struct mmlens_swap *swap, char *text);
/* The range that @vma is; NULL when it isn't there any more. */
const struct mmlens_swap_range *
mmlens_swap_find(const struct mmlens_swap *swap, const struct mmlens_vma *vma);
void mmlens_swap_free(struct mmlens_swap *swap);

#endif
