/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMAs in order, and where their names come from.
 *
 *   5.17 anonymous VMAs can have a name (CONFIG_ANON_VMA_NAME); until 6.2 it
 *	  shares its place with what a file's VMA has there
 *   6.1  VMAs stand in a maple tree, no longer in a list beside their tree
 *   6.6  [heap] became what overlaps the break's range, not what touches it
 *   6.8  a file of a stacking file system shows the path that was opened
 */
#ifndef MML_COMPAT_VMA_H
#define MML_COMPAT_VMA_H

#include <linux/fs.h>
#include <linux/mm.h>

#ifndef MML_HAVE_FILE_USER_PATH
#define file_user_path(file)	(&(file)->f_path)
#define file_user_inode(file)	file_inode(file)
#endif

/*
 * struct mml_vmas - VMAs in order, inside of one hold of mmap_lock.
 * mml_vmas_from() begins with the one that holds @addr or follows it,
 * mml_vmas_next() gives it and those behind it, then NULL.
 */
#ifdef VMA_ITERATOR
struct mml_vmas {
	struct vma_iterator it;
};

static inline struct mml_vmas mml_vmas_from(struct mm_struct *mm,
					    unsigned long addr)
{
	struct mml_vmas vmas = {};

	vma_iter_init(&vmas.it, mm, addr);
	return vmas;
}

static inline struct vm_area_struct *mml_vmas_next(struct mml_vmas *vmas)
{
	return vma_next(&vmas->it);
}
#else
struct mml_vmas {
	struct vm_area_struct *next;
};

static inline struct mml_vmas mml_vmas_from(struct mm_struct *mm,
					    unsigned long addr)
{
	return (struct mml_vmas){ .next = find_vma(mm, addr) };
}

static inline struct vm_area_struct *mml_vmas_next(struct mml_vmas *vmas)
{
	struct vm_area_struct *vma = vmas->next;

	vmas->next = vma ? vma->vm_next : NULL;
	return vma;
}
#endif

/* Caller holds mmap_lock. */
static inline const char *mml_vma_anon_name(struct vm_area_struct *vma)
{
#ifdef CONFIG_ANON_VMA_NAME
	const size_t name = offsetof(struct vm_area_struct, anon_name);
	const size_t shared = offsetof(struct vm_area_struct, shared);
	bool in_union = name >= shared && name < shared + sizeof(vma->shared);

	if (in_union && vma->vm_file)
		return NULL;
	return vma->anon_name ? vma->anon_name->name : NULL;
#else
	return NULL;
#endif
}

static inline bool mml_vma_is_heap(struct vm_area_struct *vma)
{
#ifdef MML_HAVE_INITIAL_HEAP
	return vma_is_initial_heap(vma);
#else
	return vma->vm_start <= vma->vm_mm->brk &&
	       vma->vm_end >= vma->vm_mm->start_brk;
#endif
}

static inline bool mml_vma_is_stack(struct vm_area_struct *vma)
{
	return vma->vm_start <= vma->vm_mm->start_stack &&
	       vma->vm_end >= vma->vm_mm->start_stack;
}

/* Flags that smaps tells elsewhere: the protection key's bits. */
static inline unsigned long mml_vm_flags_hidden(void)
{
	unsigned long hidden = 0;

#ifdef CONFIG_ARCH_HAS_PKEYS
	hidden |= VM_PKEY_BIT0 | VM_PKEY_BIT1 | VM_PKEY_BIT2;
#ifdef VM_PKEY_BIT3
	hidden |= VM_PKEY_BIT3;
#endif
#ifdef VM_PKEY_BIT4
	hidden |= VM_PKEY_BIT4;
#endif
#endif
	return hidden;
}

#endif
