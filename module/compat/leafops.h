/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software-defined page-table entries, as <linux/leafops.h> has them.
 *
 * 6.19 replaced the predicates of <linux/swapops.h> by softleaf_t.  Before, an
 * entry's kind is its swap type, and the types are macros since the beginning,
 * so what a kernel lacks is told by the preprocessor:
 *   5.19 SWP_MIGRATION_READ_EXCLUSIVE, pte_swp_exclusive(), PTE markers
 *   6.0  SWP_SWAPIN_ERROR, from 6.4 on a marker
 *   6.1  accessed and dirty bits in migration entries, above SWP_PFN_MASK
 *   6.13 PTE_MARKER_GUARD
 *   6.15 SWP_DEVICE_EXCLUSIVE instead of a type for read and one for write
 */
#ifndef MML_COMPAT_LEAFOPS_H
#define MML_COMPAT_LEAFOPS_H

#include <linux/swap.h>
#include <linux/swapops.h>

#include "uapi/mmlens.h"

#ifdef MML_HAVE_LEAFOPS
#include <linux/leafops.h>
#else

typedef swp_entry_t softleaf_t;

/* Some stable kernels have two of the names, for what was backported. */
#undef softleaf_from_pte
#undef softleaf_to_pfn

enum softleaf_type {
	SOFTLEAF_NONE,
	SOFTLEAF_SWAP,
	SOFTLEAF_MIGRATION_READ,
	SOFTLEAF_MIGRATION_READ_EXCLUSIVE,
	SOFTLEAF_MIGRATION_WRITE,
	SOFTLEAF_DEVICE_PRIVATE_READ,
	SOFTLEAF_DEVICE_PRIVATE_WRITE,
	SOFTLEAF_DEVICE_EXCLUSIVE,
	SOFTLEAF_HWPOISON,
	SOFTLEAF_MARKER,
};

static inline softleaf_t softleaf_from_pte(pte_t pte)
{
	return pte_to_swp_entry(pte);
}

static inline enum softleaf_type softleaf_type(softleaf_t entry)
{
	unsigned int type = swp_type(entry);

	if (!entry.val)
		return SOFTLEAF_NONE;
	if (type < MAX_SWAPFILES)
		return SOFTLEAF_SWAP;

	switch (type) {
#ifdef CONFIG_MIGRATION
	case SWP_MIGRATION_READ:
		return SOFTLEAF_MIGRATION_READ;
	case SWP_MIGRATION_WRITE:
		return SOFTLEAF_MIGRATION_WRITE;
#endif
#ifdef SWP_MIGRATION_READ_EXCLUSIVE
	case SWP_MIGRATION_READ_EXCLUSIVE:
		return SOFTLEAF_MIGRATION_READ_EXCLUSIVE;
#endif
#ifdef CONFIG_DEVICE_PRIVATE
	case SWP_DEVICE_READ:
		return SOFTLEAF_DEVICE_PRIVATE_READ;
	case SWP_DEVICE_WRITE:
		return SOFTLEAF_DEVICE_PRIVATE_WRITE;
#endif
#ifdef SWP_DEVICE_EXCLUSIVE
	case SWP_DEVICE_EXCLUSIVE:
		return SOFTLEAF_DEVICE_EXCLUSIVE;
#endif
#ifdef SWP_DEVICE_EXCLUSIVE_READ
	case SWP_DEVICE_EXCLUSIVE_READ:
	case SWP_DEVICE_EXCLUSIVE_WRITE:
		return SOFTLEAF_DEVICE_EXCLUSIVE;
#endif
#ifdef CONFIG_MEMORY_FAILURE
	case SWP_HWPOISON:
		return SOFTLEAF_HWPOISON;
#endif
#ifdef SWP_SWAPIN_ERROR
	case SWP_SWAPIN_ERROR:
		return SOFTLEAF_MARKER;
#endif
#ifdef SWP_PTE_MARKER
	case SWP_PTE_MARKER:
		return SOFTLEAF_MARKER;
#endif
	}
	return SOFTLEAF_NONE;
}

static inline unsigned long softleaf_to_pfn(softleaf_t entry)
{
#ifdef SWP_PFN_MASK
	return swp_offset(entry) & SWP_PFN_MASK;
#else
	return swp_offset(entry);
#endif
}

#endif /* leafops.h */

/* MMLENS_MARKER_* of an entry of type SOFTLEAF_MARKER. */
static inline u32 mml_softleaf_markers(softleaf_t entry)
{
	u32 markers = 0;

#ifdef SWP_SWAPIN_ERROR
	if (swp_type(entry) == SWP_SWAPIN_ERROR)
		return MMLENS_MARKER_POISON;
#endif
#if defined(PTE_MARKER_UFFD_WP)
	if (swp_offset(entry) & PTE_MARKER_UFFD_WP)
		markers |= MMLENS_MARKER_UFFD;
#elif defined(PTE_MARKER_UFFD)
	if (swp_offset(entry) & PTE_MARKER_UFFD)
		markers |= MMLENS_MARKER_UFFD;
#endif
#if defined(PTE_MARKER_POISONED)
	if (swp_offset(entry) & PTE_MARKER_POISONED)
		markers |= MMLENS_MARKER_POISON;
#elif defined(PTE_MARKER_SWAPIN_ERROR)
	if (swp_offset(entry) & PTE_MARKER_SWAPIN_ERROR)
		markers |= MMLENS_MARKER_POISON;
#endif
#ifdef PTE_MARKER_GUARD
	if (swp_offset(entry) & PTE_MARKER_GUARD)
		markers |= MMLENS_MARKER_GUARD;
#endif
	return markers;
}

/* Accessed and dirty as a migration entry keeps them, MMLENS_PTE_*. */
static inline u32 mml_softleaf_migration_flags(softleaf_t entry)
{
	u32 flags = 0;

#ifdef SWP_MIG_YOUNG
	if (swp_offset(entry) & SWP_MIG_YOUNG)
		flags |= MMLENS_PTE_ACCESSED;
	if (swp_offset(entry) & SWP_MIG_DIRTY)
		flags |= MMLENS_PTE_DIRTY;
#endif
	return flags;
}

/* Does a swap entry say that its page was anonymous and exclusive (5.19)? */
static inline bool mml_swp_exclusive(pte_t pte)
{
#ifdef MML_HAVE_SWP_EXCLUSIVE
	return pte_swp_exclusive(pte);
#else
	return false;
#endif
}

#endif
