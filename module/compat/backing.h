/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What backs a page: where its mapping and its index lead.
 *
 *   6.7     the index of a hugetlb page counts pages of the base size
 *   6.19    the state of an inode is read by inode_state_read()
 *   by 7.3  a mapping's second bit is KSM's alone; that a driver can move its
 *	     page is told by a flag, which means that with two types of pages and
 *	     something else (PG_uptodate) with all others
 *   by 7.3  for_each_alias(), and the list's member stands elsewhere
 */
#ifndef MML_COMPAT_BACKING_H
#define MML_COMPAT_BACKING_H

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mm.h>

#include "compat/kpageflags.h"

#ifndef MML_HAVE_FOR_EACH_ALIAS
#define for_each_alias(dentry, inode) \
	hlist_for_each_entry(dentry, &(inode)->i_dentry, d_u.d_alias)
#endif

/* Is it a driver's, which can move it? */
static inline bool mml_look_movable(const struct mml_look *look)
{
#ifdef FOLIO_MAPPING_ANON
	return mml_flag(look->flags, PG_uptodate) &&
	       (MML_TYPE_IS(look->head_word, offline) ||
		MML_TYPE_IS(look->head_word, zsmalloc));
#else
	return (look->mapping & PAGE_MAPPING_FLAGS) == PAGE_MAPPING_MOVABLE;
#endif
}

/* Of the folio's first page; in pages of the base size. */
static inline u64 mml_look_index(const struct mml_look *look)
{
#ifdef MML_HAVE_FOLIO
	u64 index = READ_ONCE(((struct folio *)look->head)->index);
#else
	u64 index = READ_ONCE(look->head->index);
#endif

#ifdef MML_HAVE_HUGETLB_PAGE_INDEX
	if (mml_look_hugetlb(look))
		index <<= look->order;
#endif
	return index;
}

/* Its i_lock is held.  On the way out, what it leads to may be gone. */
static inline bool mml_inode_is_leaving(struct inode *inode)
{
	const unsigned long no = I_NEW | I_FREEING | I_WILL_FREE | I_CLEAR;

#ifdef MML_HAVE_INODE_STATE
	return inode_state_read(inode) & no;
#else
	return inode->i_state & no;
#endif
}

#endif
