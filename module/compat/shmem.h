/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared memory: what it has swapped out, and which VMAs are of it.
 *
 * shmem_mapping() isn't exported before 6.12, so a file is known by its file
 * system, as its superblock's magic tells.
 *
 *   by 6.12 a swap entry in a mapping may stand for more than one page
 */
#ifndef MML_COMPAT_SHMEM_H
#define MML_COMPAT_SHMEM_H

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/stat.h>
#include <linux/xarray.h>

/* The mapping of a VMA of shared memory, or NULL. */
static inline struct address_space *
mml_vma_shmem(const struct vm_area_struct *vma)
{
	struct address_space *mapping;

	if (!IS_ENABLED(CONFIG_SHMEM) || !vma->vm_file)
		return NULL;
	mapping = vma->vm_file->f_mapping;
	if (!mapping->host || !S_ISREG(mapping->host->i_mode) ||
	    mapping->host->i_sb->s_magic != TMPFS_MAGIC)
		return NULL;
	return mapping;
}

static inline bool mml_shmem_has_swapped(struct address_space *mapping)
{
	return READ_ONCE(SHMEM_I(mapping->host)->swapped);
}

/* How many pages the entry at @xas is for, from @first to before @last. */
static inline unsigned long mml_shmem_pages(struct xa_state *xas, pgoff_t first,
					    pgoff_t last)
{
#ifdef MML_HAVE_XAS_GET_ORDER
	const unsigned long pages = 1UL << xas_get_order(xas);
	const pgoff_t begin = round_down(xas->xa_index, pages);

	return min(begin + pages, last) - max(begin, first);
#else
	return 1;
#endif
}

/* Pages of @mapping that are swapped out, from index @first to before @last. */
static inline unsigned long mml_shmem_swapped(struct address_space *mapping,
					      pgoff_t first, pgoff_t last)
{
	XA_STATE(xas, &mapping->i_pages, first);
	unsigned long pages = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(&xas, entry, last - 1) {
		if (xas_retry(&xas, entry) || !xa_is_value(entry))
			continue;
		pages += mml_shmem_pages(&xas, first, last);
	}
	rcu_read_unlock();
	return pages;
}

#endif
