// SPDX-License-Identifier: GPL-2.0-only
/*
 * What backs a page: anonymous memory, a file, a driver.
 *
 * The caller holds a reference to the page, so it stays what it is, but it can
 * be cut off from its file at any time.  Its mapping is followed inside of one
 * RCU section, in which it was still the page's: a file's pages are cut off
 * before its inode goes, and inodes are freed after a grace period.  What the
 * inode leads to (superblock, names) is read under its i_lock, while it isn't
 * on its way out.
 *
 * Only page cache has a mapping that is one.  What has a type of its own (slab,
 * page tables, offline pages) is never followed; of other pages that drivers
 * use as they like, a mapping and its host must be where inodes are: in objects
 * of the slab allocator, which point to each other.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "backing.h"
#include "compat/backing.h"
#include "compat/shmem.h"
#include "page.h"

/* Is it of the slab allocator, from end to end? */
static bool mml_is_slab_object(const void *object, size_t size)
{
	const unsigned long first = (unsigned long)object;
	struct mml_look look;
	struct page *head;

	if (first % sizeof(long) || !virt_addr_valid(first) ||
	    !virt_addr_valid(first + size - 1))
		return false;
	head = virt_to_head_page(object);
	mml_look_at(head, head, &look);
	return mml_look_slab(&look) &&
	       virt_to_head_page(object + size - 1) == head;
}

/* The inode of a file's mapping, if it is one; inside of an RCU section. */
static struct inode *mml_mapping_inode(const struct address_space *mapping)
{
	struct inode *inode;

	if (!mml_is_slab_object(mapping, sizeof(*mapping)))
		return NULL;
	inode = READ_ONCE(mapping->host);
	if (!inode || !mml_is_slab_object(inode, sizeof(*inode)))
		return NULL;
	return inode;
}

static void mml_backing_name(struct inode *inode, char *name)
{
	struct dentry *dentry;

	for_each_alias(dentry, inode) {
		size_t length;

		spin_lock(&dentry->d_lock);
		length = min_t(size_t, dentry->d_name.len,
			       MMLENS_BACKING_NAME - 1);
		memcpy(name, dentry->d_name.name, length);
		spin_unlock(&dentry->d_lock);
		return;
	}
}

static bool mml_inode_is_shmem(const struct inode *inode)
{
	return IS_ENABLED(CONFIG_SHMEM) && S_ISREG(inode->i_mode) &&
	       inode->i_sb->s_magic == TMPFS_MAGIC;
}

/* Inside of an RCU section in which the inode was there. */
static void mml_backing_inode(struct inode *inode, struct mmlens_backing *rec)
{
	spin_lock(&inode->i_lock);
	if (mml_inode_is_leaving(inode))
		goto out_unlock;
	rec->flags |= MMLENS_BACKING_INODE;
	rec->offset = rec->index << PAGE_SHIFT;
	rec->inode = inode->i_ino;
	rec->dev_major = MAJOR(inode->i_sb->s_dev);
	rec->dev_minor = MINOR(inode->i_sb->s_dev);
	if (rec->kind == MMLENS_BACKING_KIND_FILE && mml_inode_is_shmem(inode))
		rec->kind = MMLENS_BACKING_KIND_SHMEM;
	strscpy(rec->filesystem, inode->i_sb->s_type->name,
		sizeof(rec->filesystem));
	mml_backing_name(inode, rec->name);
out_unlock:
	spin_unlock(&inode->i_lock);
}

static u8 mml_backing_kind(const struct mml_look *look)
{
	if (mml_look_movable(look))
		return MMLENS_BACKING_KIND_MOVABLE;
	if (mml_look_slab(look) || mml_flag(look->flags, PG_reserved))
		return MMLENS_BACKING_KIND_NONE;
	if (mml_type_is_any(look->head_word) && !mml_look_hugetlb(look))
		return MMLENS_BACKING_KIND_NONE;
	if (mml_look_ksm(look))
		return MMLENS_BACKING_KIND_KSM;
	if (mml_look_anon(look))
		return MMLENS_BACKING_KIND_ANON;
	if (look->mapping)
		return mml_look_hugetlb(look) ? MMLENS_BACKING_KIND_HUGETLB :
						MMLENS_BACKING_KIND_FILE;
	return mml_kpf_swapcache(look) ? MMLENS_BACKING_KIND_SWAP_CACHE :
					 MMLENS_BACKING_KIND_NONE;
}

/**
 * mml_backing_get() - Take a reference, to look at what backs a page.
 * @page:	of online memory; inside of the RCU section that found it
 * @head:	the first of its folio, as far as a look without a reference tells
 *
 * Returns: @head, to be put with put_page() when that section is left; NULL
 * where there is nothing to look at, or nothing to hold.
 */
struct page *mml_backing_get(struct page *page, struct page *head)
{
	struct mml_look look;

	mml_look_at(page, head, &look);
	if (mml_backing_kind(&look) == MMLENS_BACKING_KIND_NONE)
		return NULL;
	return get_page_unless_zero(head) ? head : NULL;
}

/* Of page cache and of swap cache. */
static void mml_backing_swap(const struct mml_look *look,
			     struct mmlens_backing *rec)
{
	swp_entry_t entry = { .val = READ_ONCE(look->head->private) };

	if (!mml_kpf_swapcache(look) || !entry.val)
		return;
	rec->flags |= MMLENS_BACKING_SWAP;
	rec->swap = (u64)swp_type(entry) << 58 |
		    (swp_offset(entry) + look->index);
}

static void mml_backing_file(const struct mml_look *look,
			     struct mmlens_backing *rec)
{
	struct inode *inode;

	inode = mml_mapping_inode((struct address_space *)look->mapping);
	/* Was it still the page's, when this RCU section had begun? */
	if (inode && mml_page_mapping(look->head) == look->mapping)
		mml_backing_inode(inode, rec);
	else
		rec->kind = MMLENS_BACKING_KIND_NONE;
}

/**
 * mml_backing_fill() - Fill in what struct page tells of what backs a page.
 * @page:	the page
 * @head:	the first of its folio, with a reference, or NULL without one
 * @rec:	zeroes but for its head and its PFN
 *
 * Inside of the RCU section in which the reference was taken.  A page that
 * became another folio's before that has nothing filled in.
 */
void mml_backing_fill(struct page *page, struct page *head,
		      struct mmlens_backing *rec)
{
	struct mml_look look;

	if (!head || compound_head(page) != head)
		return;
	mml_look_at(page, head, &look);
	rec->kind = mml_backing_kind(&look);
	if (rec->kind == MMLENS_BACKING_KIND_NONE ||
	    rec->kind == MMLENS_BACKING_KIND_MOVABLE)
		return;
	mml_backing_swap(&look, rec);
	if (rec->kind == MMLENS_BACKING_KIND_KSM ||
	    rec->kind == MMLENS_BACKING_KIND_SWAP_CACHE)
		return;
	rec->flags |= MMLENS_BACKING_INDEX;
	rec->index = mml_look_index(&look) + look.index;
	if (rec->kind != MMLENS_BACKING_KIND_ANON)
		mml_backing_file(&look, rec);
}
