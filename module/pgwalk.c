// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descending page tables, for all walks of a process.
 *
 * Locking: mmap_lock is held for reading and the VMA is in the tree, so the
 * tables above level PTE stay: only munmap, mremap and exit free them, and
 * these have taken the VMA out of the tree first, under the lock for writing.
 * Two things go even so, and are held like this:
 *
 * - A PTE table is freed under the page-table locks alone when a file's pages
 *   are collapsed (6.5 and later) or an empty table is reclaimed (6.14 and
 *   later), after a grace period of RCU.  So its PMD is read and its lock
 *   taken inside of one RCU section, and the PMD is read again under the lock:
 *   while it is the same, and the lock is held, the table stays.  The lock is
 *   held for the entries of one table.
 * - hugetlb shares PMD tables between processes, and unshares them under locks
 *   that aren't exported.  As get_user_pages_fast() does, interrupts are kept
 *   off from the top entry to the last one: whoever frees a table waits for
 *   that, either by an interrupt to all CPUs or by a grace period.  Entries
 *   are read once each; no lock tells that two of them are of one moment.
 *
 * What may be torn: an entry is what it was when it was read.  The hardware
 * sets accessed and dirty bits at any time.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "compat/pte.h"
#include "decode_arch.h"
#include "pgwalk.h"

static enum mml_kind mml_pmd_kind(struct vm_area_struct *vma, pmd_t pmd)
{
	if (pmd_none(pmd))
		return MML_KIND_NONE;
	if (vma_kernel_pagesize(vma) >= PMD_SIZE || !pmd_present(pmd))
		return MML_KIND_LEAF;
	if (pmd_trans_huge(pmd) || pmd_leaf(pmd) ||
	    mml_entry_devmap(__pte(pmd_val(pmd))))
		return MML_KIND_LEAF;
	return MML_KIND_TABLE;
}

static enum mml_kind mml_pud_kind(struct vm_area_struct *vma, pud_t pud)
{
	if (pud_none(pud))
		return MML_KIND_NONE;
	if (vma_kernel_pagesize(vma) >= PUD_SIZE || !pud_present(pud))
		return MML_KIND_LEAF;
	if (pud_leaf(pud) || mml_entry_devmap(__pte(pud_val(pud))))
		return MML_KIND_LEAF;
	return MML_KIND_TABLE;
}

static void mml_path_add(struct mml_path *path, void *entryp, pte_t entry,
			 unsigned long pfn, u8 level, u8 shift,
			 enum mml_kind kind)
{
	const bool top = !path->depth;
	u32 denied = mml_arch_denied(top ? mml_arch_top(entryp, entry) : entry);

	if (!top)
		denied |= path->steps[path->depth - 1].denied;
	path->steps[path->depth++] = (struct mml_step){
		.entryp	= entryp,
		.entry	= entry,
		.pfn	= pfn,
		.level	= level,
		.shift	= shift,
		.kind	= kind,
		.denied	= denied,
	};
}

/* The last entry of @path points to the table at @table. */
static void mml_path_table(struct mml_path *path, const void *table)
{
	path->steps[path->depth - 1].pfn = PHYS_PFN(__pa(table));
}

/**
 * mml_descend() - Read the entries that lead to an address, without PTEs.
 * @vma:	holds @addr
 * @addr:	user address
 * @path:	filled in
 *
 * A folded level isn't in the path; its entry bears the name of the level
 * above, which stands in the same table.
 */
void mml_descend(struct vm_area_struct *vma, unsigned long addr,
		 struct mml_path *path)
{
	struct mm_struct *mm = vma->vm_mm;
	u8 level = MMLENS_LEVEL_PGD;
	pgd_t *pgdp = pgd_offset(mm, addr);
	pgd_t pgd = mml_entry_read(pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	enum mml_kind kind;

	path->depth = 0;
	if (!mm_p4d_folded(mm)) {
		kind = pgd_none(pgd) ? MML_KIND_NONE : MML_KIND_TABLE;
		mml_path_add(path, pgdp, __pte(pgd_val(pgd)), 0, level,
			     PGDIR_SHIFT, kind);
		if (kind != MML_KIND_TABLE)
			return;
		mml_path_table(path, p4d_offset(&pgd, 0));
		level = MMLENS_LEVEL_P4D;
	}

	p4dp = p4d_offset(pgdp, addr);
	p4d = mml_entry_read(p4dp);
	if (!mm_pud_folded(mm)) {
		kind = p4d_none(p4d) ? MML_KIND_NONE : MML_KIND_TABLE;
		mml_path_add(path, p4dp, __pte(p4d_val(p4d)), 0, level,
			     P4D_SHIFT, kind);
		if (kind != MML_KIND_TABLE)
			return;
		mml_path_table(path, pud_offset(&p4d, 0));
		level = MMLENS_LEVEL_PUD;
	}

	pudp = pud_offset(p4dp, addr);
	pud = mml_entry_read(pudp);
	if (!mm_pmd_folded(mm)) {
		kind = mml_pud_kind(vma, pud);
		mml_path_add(path, pudp, __pte(pud_val(pud)), pud_pfn(pud),
			     level, PUD_SHIFT, kind);
		if (kind != MML_KIND_TABLE)
			return;
		level = MMLENS_LEVEL_PMD;
	}

	pmdp = pmd_offset(pudp, addr);
	pmd = mml_entry_read(pmdp);
	mml_path_add(path, pmdp, __pte(pmd_val(pmd)), pmd_pfn(pmd), level,
		     PMD_SHIFT, mml_pmd_kind(vma, pmd));
}

/* Is the entry of @step still what was read?  Its lock is held. */
static bool mml_step_same(const struct mml_step *step)
{
	pte_t now = mml_entry_read((pte_t *)step->entryp);

	return pte_val(now) == pte_val(step->entry);
}

/**
 * mml_pte_table_lock() - Lock the PTE table that a PMD points to.
 * @mm:		the target; mmap_lock is held
 * @pmd:	the PMD, as read inside of the RCU section that the caller is in
 * @addr:	address in its range
 * @ptl:	set to the lock that is held
 *
 * Returns: the entry of @addr, or NULL when the PMD has changed: read again.
 */
pte_t *mml_pte_table_lock(struct mm_struct *mm, const struct mml_step *pmd,
			  unsigned long addr, spinlock_t **ptl)
{
	pmd_t pmdval = __pmd(pte_val(pmd->entry));

	*ptl = pte_lockptr(mm, &pmdval);
	spin_lock(*ptl);
	if (!mml_step_same(pmd)) {
		spin_unlock(*ptl);
		return NULL;
	}
	return pte_offset_kernel(&pmdval, addr);
}

/**
 * mml_leaf_lock() - Lock a leaf above level PTE that isn't hugetlb's.
 * @mm:		the target; mmap_lock is held
 * @leaf:	the entry as read
 * @ptl:	set to the lock that is held
 *
 * Returns: false when the entry has changed: read again.
 */
bool mml_leaf_lock(struct mm_struct *mm, const struct mml_step *leaf,
		   spinlock_t **ptl)
{
	if (leaf->shift == PMD_SHIFT)
		*ptl = pmd_lockptr(mm, leaf->entryp);
	else
		*ptl = pud_lockptr(mm, leaf->entryp);
	spin_lock(*ptl);
	if (mml_step_same(leaf))
		return true;
	spin_unlock(*ptl);
	return false;
}

/* A step that met a change: to be done again, but never without end. */
static void mml_pgwalk_again(struct mml_walk *walk)
{
	walk->restarts++;
}

/* The end of the entry of @step, or @end if that comes first. */
static unsigned long mml_step_end(const struct mml_step *step,
				  unsigned long addr, unsigned long end)
{
	unsigned long size = 1UL << step->shift;
	unsigned long next = (addr & ~(size - 1)) + size;

	return next - 1 < end - 1 ? next : end;
}

/* A hugetlb page of a size between two levels is many entries in a table. */
static unsigned long mml_pgwalk_hugetlb_ptes(struct mml_walk *walk,
					     struct vm_area_struct *vma,
					     const struct mml_step *pmd,
					     unsigned long next,
					     const struct mml_pgwalk_ops *ops)
{
	unsigned int n = (next - walk->cursor) >> PAGE_SHIFT;

	n = min(n, walk->budget);
	if (ops->room)
		n = min(n, ops->room(walk));
	ops->ptes(walk, vma, pmd, walk->cursor,
		  pte_offset_kernel((pmd_t *)pmd->entryp, walk->cursor), n);
	walk->budget -= n;
	return walk->cursor + ((unsigned long)n << PAGE_SHIFT);
}

/* What one look down finds. */
static void mml_pgwalk_hugetlb(struct mml_walk *walk,
			       struct vm_area_struct *vma, unsigned long end,
			       const struct mml_pgwalk_ops *ops)
{
	const struct mml_step *last;
	struct mml_path path;
	unsigned long next;

	local_irq_disable();
	mml_descend(vma, walk->cursor, &path);
	last = &path.steps[path.depth - 1];
	next = mml_step_end(last, walk->cursor, end);
	if (last->kind == MML_KIND_LEAF)
		ops->leaf(walk, vma, last, walk->cursor);
	else if (last->kind == MML_KIND_TABLE)
		next = mml_pgwalk_hugetlb_ptes(walk, vma, last, next, ops);
	local_irq_enable();

	if (last->kind == MML_KIND_NONE && ops->hole)
		ops->hole(walk, vma, walk->cursor, next, last->level);
	walk->cursor = next;
}

/* Entries of one PTE table: false when the rest must wait for another step. */
static bool mml_pgwalk_table(struct mml_walk *walk, struct vm_area_struct *vma,
			     const struct mml_step *pmd, unsigned long end,
			     const struct mml_pgwalk_ops *ops)
{
	unsigned long next = mml_step_end(pmd, walk->cursor, end);
	unsigned int n = (next - walk->cursor) >> PAGE_SHIFT;
	spinlock_t *ptl;
	pte_t *ptep;

	if (ops->room)
		n = min(n, ops->room(walk));
	if (!n || !mml_walk_charge(walk, n))
		return false;

	ptep = mml_pte_table_lock(vma->vm_mm, pmd, walk->cursor, &ptl);
	if (!ptep) {
		mml_pgwalk_again(walk);
		return true;
	}
	ops->ptes(walk, vma, pmd, walk->cursor, ptep, n);
	spin_unlock(ptl);
	walk->cursor += (unsigned long)n << PAGE_SHIFT;
	return true;
}

static bool mml_pgwalk_leaf(struct mml_walk *walk, struct vm_area_struct *vma,
			    const struct mml_step *leaf, unsigned long end,
			    const struct mml_pgwalk_ops *ops)
{
	spinlock_t *ptl;

	if (!mml_leaf_lock(vma->vm_mm, leaf, &ptl)) {
		mml_pgwalk_again(walk);
		return true;
	}
	ops->leaf(walk, vma, leaf, walk->cursor);
	spin_unlock(ptl);
	walk->cursor = mml_step_end(leaf, walk->cursor, end);
	return true;
}

/* The whole way down to the cursor. */
static void mml_place_find(struct mml_place *place, struct vm_area_struct *vma,
			   unsigned long addr)
{
	struct mml_path path;

	mml_descend(vma, addr, &path);
	place->last = path.steps[path.depth - 1];
	place->pmds = NULL;
	if (path.depth < 2 || place->last.level != MMLENS_LEVEL_PMD)
		return;
	place->pmds = (pmd_t *)place->last.entryp - pmd_index(addr);
	place->addr = addr;
	place->above = path.steps[path.depth - 2].denied;
}

/* Another entry, or another value of it, in the same table. */
static void mml_place_move(struct mml_place *place, struct vm_area_struct *vma,
			   pmd_t *pmdp, pmd_t pmd)
{
	pte_t entry = __pte(pmd_val(pmd));

	place->last = (struct mml_step){
		.entryp	= pmdp,
		.entry	= entry,
		.pfn	= pmd_pfn(pmd),
		.level	= MMLENS_LEVEL_PMD,
		.shift	= PMD_SHIFT,
		.kind	= mml_pmd_kind(vma, pmd),
		.denied	= place->above | mml_arch_denied(entry),
	};
}

/*
 * The last step of the way down to the cursor.  VMAs stand side by side, and
 * while mmap_lock is held, a table of PMDs stays that translates any of them.
 * An entry with the same value is the same for another VMA: one whose pages are
 * huge by themselves, which mml_pmd_kind() asks for, shares none.
 */
static const struct mml_step *mml_pgwalk_last(struct mml_walk *walk,
					      struct vm_area_struct *vma)
{
	struct mml_place *place = &walk->place;
	const unsigned long addr = walk->cursor;
	pmd_t *pmdp, pmd;

	if (!place->pmds || (addr ^ place->addr) & PUD_MASK) {
		mml_place_find(place, vma, addr);
		return &place->last;
	}
	pmdp = place->pmds + pmd_index(addr);
	pmd = mml_entry_read(pmdp);
	if (pmdp != place->last.entryp ||
	    pmd_val(pmd) != pte_val(place->last.entry))
		mml_place_move(place, vma, pmdp, pmd);
	return &place->last;
}

static bool mml_pgwalk_one(struct mml_walk *walk, struct vm_area_struct *vma,
			   unsigned long end, const struct mml_pgwalk_ops *ops)
{
	const struct mml_step *last;
	unsigned long next;
	bool more = true;

	rcu_read_lock();
	last = mml_pgwalk_last(walk, vma);
	switch (last->kind) {
	case MML_KIND_NONE:
		next = mml_step_end(last, walk->cursor, end);
		if (ops->hole)
			ops->hole(walk, vma, walk->cursor, next, last->level);
		walk->cursor = next;
		break;
	case MML_KIND_TABLE:
		more = mml_pgwalk_table(walk, vma, last, end, ops);
		break;
	case MML_KIND_LEAF:
		more = mml_pgwalk_leaf(walk, vma, last, end, ops);
		break;
	}
	rcu_read_unlock();
	return more;
}

/**
 * mml_pgwalk_vma() - Walk the page tables of a VMA from the cursor on.
 * @walk:	inside of a step, with mmap_lock held; its cursor is in @vma and
 *		moves to @end, or less far when the step's budget or the room
 *		for records is used up
 * @vma:	the VMA
 * @end:	where to stop, at most the VMA's end
 * @ops:	what to do with what is met
 */
void mml_pgwalk_vma(struct mml_walk *walk, struct vm_area_struct *vma,
		    unsigned long end, const struct mml_pgwalk_ops *ops)
{
	const bool hugetlb = vma->vm_flags & VM_HUGETLB;

	while (walk->cursor < end) {
		/* Each look down costs something, whatever it finds. */
		if (!mml_walk_charge(walk, 1))
			return;
		if (ops->room && !ops->room(walk))
			return;
		if (hugetlb)
			mml_pgwalk_hugetlb(walk, vma, end, ops);
		else if (!mml_pgwalk_one(walk, vma, end, ops))
			return;
	}
}
