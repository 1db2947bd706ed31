/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THPeligible of smaps: all of it but the settings, which aren't exported and
 * which a reader finds in /sys/kernel/mm/transparent_hugepage.
 *
 *   5.10    transparent_hugepage_active()
 *   by 6.1  hugepage_vma_check(): files can be eligible, VM_SPECIAL can't
 *   6.8     thp_vma_allowable_orders(): orders below PMD
 *   by 7.3  PR_SET_THP_DISABLE may except VMAs that were advised; files are
 *	     eligible by what their mapping supports; shmem's settings are about
 *	     the orders that fit
 */
#ifndef MML_COMPAT_THP_H
#define MML_COMPAT_THP_H

#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/coredump.h>

#include "compat/shmem.h"
#include "uapi/mmlens.h"

#ifdef CONFIG_TRANSPARENT_HUGEPAGE

#define MML_PMD_ORDER	(PMD_SHIFT - PAGE_SHIFT)

/* Has the process or the VMA refused? */
static inline bool mml_thp_refused(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_NOHUGEPAGE)
		return true;
#ifdef MMF_DISABLE_THP_EXCEPT_ADVISED
	if (mm_flags_test(MMF_DISABLE_THP_COMPLETELY, vma->vm_mm))
		return true;
	return !(vma->vm_flags & VM_HUGEPAGE) &&
	       mm_flags_test(MMF_DISABLE_THP_EXCEPT_ADVISED, vma->vm_mm);
#else
	return test_bit(MMF_DISABLE_THP, &vma->vm_mm->flags);
#endif
}

/* Orders whose folios fit, at the right alignment: a bit for each. */
static inline u32 mml_thp_orders(struct vm_area_struct *vma)
{
#ifdef MML_HAVE_THP_ORDERS
	unsigned long orders = vma_is_anonymous(vma) ?
			       THP_ORDERS_ALL_ANON : THP_ORDERS_ALL_FILE_DEFAULT;
	int order = highest_order(orders);

	while (orders && !thp_vma_suitable_order(vma, vma->vm_end -
						 (PAGE_SIZE << order), order))
		order = next_order(&orders, order);
	return orders;
#else
	/* The one of 5.10 takes the address as it is. */
	unsigned long last = (vma->vm_end & PMD_MASK) - PMD_SIZE;

	return transhuge_vma_suitable(vma, last) ? 1U << MML_PMD_ORDER : 0;
#endif
}

/* A stack that exec is still moving. */
static inline bool mml_vma_is_temporary_stack(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_GROWSDOWN | VM_GROWSUP)) &&
	       (vma->vm_flags & VM_STACK_INCOMPLETE_SETUP) ==
	       VM_STACK_INCOMPLETE_SETUP;
}

/* Highest order that huge=within_size allows by the file's size; 0: none. */
static inline u8 mml_thp_within(struct vm_area_struct *vma,
				struct inode *inode)
{
	loff_t pages = round_up(i_size_read(inode), PAGE_SIZE) >> PAGE_SHIFT;
	int order = MML_PMD_ORDER;

#if defined(MML_HAVE_THP_ACTIVE)
	return pages >= 1 << order &&
	       pages >= round_up(vma->vm_pgoff, 1UL << order) ? order : 0;
#elif defined(MML_HAVE_THP_ORDERS)
	while (order > 0 && pages < round_up(vma->vm_pgoff + 1, 1UL << order))
		order--;
	return order;
#else
	return pages >= round_up(vma->vm_pgoff + 1, 1UL << order) ? order : 0;
#endif
}

static inline void mml_thp_shmem(struct vm_area_struct *vma,
				 struct mmlens_vma *rec)
{
	struct inode *inode = file_inode(vma->vm_file);
	struct super_block *sb = inode->i_sb;
	const struct shmem_sb_info *info = sb->s_fs_info;

	rec->thp = MMLENS_THP_SHMEM;
	rec->thp_mount = sb->s_flags & SB_KERNMOUNT ? 255 : info->huge;
	rec->thp_within = mml_thp_within(vma, inode);
	rec->thp_mount_within = rec->thp_within;
#ifndef MML_HAVE_PMD_FOLIO_SUPPORT
	if (rec->thp_within < MML_PMD_ORDER)
		rec->thp_mount_within = 0;
#endif
#if defined(MML_HAVE_THP_ORDERS) && !defined(MML_HAVE_PMD_FOLIO_SUPPORT)
	rec->thp_orders = THP_ORDERS_ALL_FILE_DEFAULT;
#endif
}

static inline bool mml_thp_huge_fault(struct vm_area_struct *vma)
{
#if defined(MML_HAVE_THP_ORDERS)
	return vma->vm_ops && vma->vm_ops->huge_fault;
#else
	return false;
#endif
}

/* Can huge folios of the file be mapped, if THP is enabled? */
static inline bool mml_thp_file(struct vm_area_struct *vma)
{
	const struct inode *inode = vma->vm_file ? file_inode(vma->vm_file) :
						   NULL;

	if (!inode || !S_ISREG(inode->i_mode))
		return false;
#if defined(MML_HAVE_PMD_FOLIO_SUPPORT)
	return !IS_ANON_FILE(inode) &&
	       mapping_pmd_folio_support(vma->vm_file->f_mapping);
#elif defined(MML_HAVE_THP_ACTIVE)
	return false;
#else
	if (!IS_ENABLED(CONFIG_READ_ONLY_THP_FOR_FS))
		return false;
#ifndef MML_HAVE_THP_ORDERS
	if (!(vma->vm_flags & VM_EXEC))
		return false;
#endif
	return !inode_is_open_for_write(inode);
#endif
}

/* Those that had to be advised from 6.0 to 6.7 because khugepaged can't. */
static inline bool mml_thp_special(struct vm_area_struct *vma)
{
#if defined(MML_HAVE_THP_ORDERS) || defined(MML_HAVE_THP_ACTIVE)
	return false;
#else
	return vma->vm_flags & (VM_SPECIAL | VM_HUGETLB);
#endif
}

/* shmem's own VMAs; 5.10 knows them by their vm_ops, others by the file. */
static inline bool mml_thp_is_shmem(struct vm_area_struct *vma)
{
	if (!mml_vma_shmem(vma))
		return false;
#ifdef MML_HAVE_THP_ACTIVE
	return vma->vm_ops && vma->vm_ops->map_pages;
#else
	return true;
#endif
}

/**
 * mml_vma_thp() - Tell what decides whether a VMA may have large folios.
 * @vma:	its mmap_lock is held
 * @rec:	thp and what belongs to it are written
 */
static inline void mml_vma_thp(struct vm_area_struct *vma,
			       struct mmlens_vma *rec)
{
	rec->thp = MMLENS_THP_NEVER;
	if (mml_thp_refused(vma) || vma_is_dax(vma) || mml_thp_special(vma))
		return;
	rec->thp_orders = mml_thp_orders(vma);
	if (!rec->thp_orders)
		return;
	if (mml_thp_is_shmem(vma))
		mml_thp_shmem(vma, rec);
	else if (vma_is_anonymous(vma))
		rec->thp = mml_vma_is_temporary_stack(vma) ?
			   MMLENS_THP_NEVER : MMLENS_THP_ANON;
	else if (mml_thp_huge_fault(vma) && (vma->vm_flags & VM_PFNMAP))
		rec->thp = MMLENS_THP_ALWAYS;
	else if (mml_thp_huge_fault(vma) || mml_thp_file(vma))
		rec->thp = MMLENS_THP_FILE;
}

#else

static inline void mml_vma_thp(struct vm_area_struct *vma,
			       struct mmlens_vma *rec)
{
}

#endif

#endif
