/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: what numbers, bits and levels are called. */
#ifndef LIBMMLENS_NAMES_H
#define LIBMMLENS_NAMES_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- names ---- */

/**
 * struct mmlens_flag - A bit and what it is called.
 * @bit:	the bit; 0 ends a table
 * @brief:	a letter (or VmFlags' two); "" without
 * @name:	long name, as in JSON
 * @help:	what it means
 */
struct mmlens_flag {
	uint64_t bit;
	const char *brief;
	const char *name;
	const char *help;
};

/** mmlens_pte_flags - MMLENS_PTE_*, without the state. */
const struct mmlens_flag *mmlens_pte_flags(void);
/** mmlens_vma_flags - MMLENS_VMA_*; those of the kernel with their mnemonic. */
const struct mmlens_flag *mmlens_vma_flags(void);
/** mmlens_marker_flags - MMLENS_MARKER_*. */
const struct mmlens_flag *mmlens_marker_flags(void);
/** mmlens_field_flags - MMLENS_FIELD_*. */
const struct mmlens_flag *mmlens_field_flags(void);
/** mmlens_query_flags - 1 << MMLENS_NR_*. */
const struct mmlens_flag *mmlens_query_flags(void);
/** mmlens_table_flags - MMLENS_TABLE_*. */
const struct mmlens_flag *mmlens_table_flags(void);
/** mmlens_proc_flags - MMLENS_PROC_*. */
const struct mmlens_flag *mmlens_proc_flags(void);
/** mmlens_effective_flags - MMLENS_EFF_*, named as those of the entry itself. */
const struct mmlens_flag *mmlens_effective_flags(void);
/**
 * mmlens_page_flags - 1 << KPF_*, with the long names of page-types.
 *
 * Bit 34 is "mappedtodisk" on every kernel (PG_owner_2 of later ones is the
 * same bit; of an anonymous page it is PageAnonExclusive).
 */
const struct mmlens_flag *mmlens_page_flags(void);

/** mmlens_state_name - Name of a state; "other" for an unknown one. */
const char *mmlens_state_name(unsigned int state);
/** mmlens_level_name - "pte" to "pgd"; "?" for an unknown level. */
const char *mmlens_level_name(unsigned int level);
/** mmlens_lru_name - "inactive_anon" and so on; "none"; "?" for an unknown one. */
const char *mmlens_lru_name(unsigned int lru);
/** mmlens_migratetype_name - "unmovable" and so on; "?" for an unknown one. */
const char *mmlens_migratetype_name(unsigned int type);
/** mmlens_page_kind_name - "buddy" and so on; "?" for an unknown one. */
const char *mmlens_page_kind_name(unsigned int kind);
/** mmlens_backing_kind_name - "anon" and so on; "?" for an unknown one. */
const char *mmlens_backing_kind_name(unsigned int kind);
/** mmlens_arch_name - As uname -m has it; NULL for one not known here. */
const char *mmlens_arch_name(unsigned int machine);

/* More names than any entry can have. */
#define MMLENS_MAX_RAW_BITS	32

/**
 * mmlens_raw_bits - Name the bits of a raw entry as its architecture does.
 * @info:	says the architecture
 * @level:	level of the entry
 * @flags:	its flags: what a bit means depends on the state
 * @raw:	the entry
 * @names:	out: static strings, lowest bit first
 *
 * Return: how many; 0 for an entry that isn't present (its bits are the
 * kernel's own) and for an architecture that isn't known here.
 */
size_t mmlens_raw_bits(const struct mmlens_info *info, unsigned int level,
		       uint32_t flags, uint64_t raw,
		       const char *names[MMLENS_MAX_RAW_BITS]);

/* ---- what numbers of a page stand for ---- */

struct mmlens_labels;

/**
 * mmlens_labels_open - Begin to look names up.
 *
 * Nothing is read before it is asked for, and nothing twice.
 */
struct mmlens_labels *mmlens_labels_open(void);

/**
 * mmlens_memcg_path - The path of a memory cgroup.
 * @labels:	what has been looked up so far
 * @inode:	as in &struct mmlens_page
 *
 * Return: its path below the hierarchy's root as it is mounted here ("/" is
 * the root), valid until @labels is closed; NULL for 0, for one that has been
 * removed and for one outside of this cgroup namespace.
 */
const char *mmlens_memcg_path(struct mmlens_labels *labels, uint64_t inode);

/**
 * mmlens_memcg_find - The memory cgroup of a path.
 * @labels:	what has been looked up so far
 * @path:	as /proc/PID/cgroup has it ("/" is the root), or its directory
 * @inode:	out: the inode number of its directory
 *
 * Return: 0, or a negative errno: -ENODEV where no hierarchy that may have
 * memory cgroups is mounted, -ENOENT, -ENOTDIR, -EXDEV for a directory of
 * another file system, ...
 */
int mmlens_memcg_find(struct mmlens_labels *labels, const char *path,
		      uint64_t *inode);

/**
 * mmlens_zone_name - The name of a zone by its index, from /proc/zoneinfo.
 *
 * Return: valid until @labels is closed; NULL for one that isn't there.
 */
const char *mmlens_zone_name(struct mmlens_labels *labels, unsigned int zone);

/** mmlens_labels_close - Forget them; NULL is fine. */
void mmlens_labels_close(struct mmlens_labels *labels);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_NAMES_H */
