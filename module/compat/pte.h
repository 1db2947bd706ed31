/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table accessors that changed their name or came and went.
 *
 *   6.17 pte_devmap() and its kin were dropped (ZONE_DEVICE pages are normal)
 *   7.3  pte_uffd_wp() became pte_uffd()
 */
#ifndef MML_COMPAT_PTE_H
#define MML_COMPAT_PTE_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#ifndef MML_HAVE_PTE_UFFD
#define pte_uffd	pte_uffd_wp
#define pte_swp_uffd	pte_swp_uffd_wp
#endif

/* A leaf of any level as a PTE: the flags stand at the same bits in both. */
static inline bool mml_entry_devmap(pte_t entry)
{
#ifdef __HAVE_ARCH_PTE_DEVMAP
	return pte_devmap(entry);
#else
	return false;
#endif
}

/*
 * Read an entry of an upper level that other CPUs may change: once, so that
 * what is tested is what is used.  64-bit entries are read in one piece.
 */
#define mml_entry_read(p)	READ_ONCE(*(p))

#endif
