// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_NUMA_MAPS: VMAs, their memory policy and the nodes of their pages, as
 * show_numa_map() of fs/proc/task_mmu.c tells them.
 *
 * Locking: as vma_sums.c says.  A policy is copied under mmap_lock, that of
 * shared memory under its own lock too, that of the process under task_lock();
 * no reference to one is taken.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/pid.h>
#include <linux/sched/task.h>

#include "compat/mempolicy.h"
#include "compat/page.h"
#include "compat/pte.h"
#include "compat/shmem.h"
#include "decode.h"
#include "pgwalk.h"
#include "vma.h"
#include "vma_sums.h"

/**
 * struct mml_numa - A walk's VMA under way.
 * @vma:	the VMA
 * @sums:	so far, and its policy
 * @pages:	so far, by node
 */
struct mml_numa {
	struct mml_vma_mark vma;
	struct mmlens_numa sums;
	u64 pages[MMLENS_MAX_NODES];
};

/* ---- policies ---- */

#ifdef CONFIG_NUMA

static void mml_policy_copy(struct mmlens_numa *rec,
			    const struct mempolicy *pol)
{
	unsigned int mode = mml_mpol_mode(pol);
	nodemask_t nodes;
	int node;

	rec->mode = mode;
	rec->mode_flags = pol->flags & MPOL_MODE_FLAGS;
	if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL)
		return;
	nodes = mml_mpol_nodes(pol);
	for_each_node_mask(node, nodes)
		if (node < MMLENS_MAX_NODES)
			rec->policy_nodes[node / 64] |= 1ULL << node % 64;
}

/* As mpol_shared_policy_lookup(): of shared memory, for one page of it. */
static bool mml_policy_shared(struct mmlens_numa *rec,
			      struct shared_policy *sp, pgoff_t index)
{
	struct rb_node *n;
	bool found = false;

	read_lock(&sp->lock);
	for (n = sp->root.rb_node; n && !found;) {
		struct sp_node *node = rb_entry(n, struct sp_node, nd);

		if (index >= node->end) {
			n = n->rb_right;
		} else if (index < node->start) {
			n = n->rb_left;
		} else {
			mml_policy_copy(rec, node->policy);
			found = true;
		}
	}
	read_unlock(&sp->lock);
	return found;
}

static void mml_policy_task(struct mmlens_numa *rec, pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	put_pid(pid);
	if (!task)
		return;
	task_lock(task);
	if (task->mempolicy)
		mml_policy_copy(rec, task->mempolicy);
	task_unlock(task);
	put_task_struct(task);
}

/* The policy that holds at the VMA's start. */
static void mml_policy(const struct mml_walk *walk, struct vm_area_struct *vma,
		       struct mmlens_numa *rec)
{
	if (mml_vma_shmem(vma) && vma->vm_ops && vma->vm_ops->get_policy) {
		struct inode *inode = file_inode(vma->vm_file);

		if (mml_policy_shared(rec, &SHMEM_I(inode)->policy,
				      linear_page_index(vma, vma->vm_start)))
			return;
	} else if (vma->vm_policy) {
		mml_policy_copy(rec, vma->vm_policy);
		return;
	}
	mml_policy_task(rec, walk->pid);
}

#else

static void mml_policy(const struct mml_walk *walk, struct vm_area_struct *vma,
		       struct mmlens_numa *rec)
{
}

#endif

/* ---- pages ---- */

static void mml_numa_add(struct mml_numa *numa, struct page *page, bool dirty,
			 unsigned int pages)
{
	struct mmlens_numa *sums = &numa->sums;
	struct folio *folio = page_folio(page);
	unsigned int node = folio_nid(folio);
	bool private;
	int mapcount = mml_smaps_mapcount(folio, page, &private);

	sums->pages += pages;
	if (dirty || folio_test_dirty(folio))
		sums->dirty += pages;
	if (folio_test_swapcache(folio))
		sums->swapcache += pages;
	if (folio_test_active(folio) || folio_test_unevictable(folio))
		sums->active += pages;
	if (folio_test_writeback(folio))
		sums->writeback += pages;
	if (folio_test_anon(folio))
		sums->anon += pages;
	if (mapcount > 0)
		sums->mapcount_max = max_t(u64, sums->mapcount_max, mapcount);
	if (node < MMLENS_MAX_NODES)
		numa->pages[node] += pages;
}

/* Of an entry that is present, or would be but for PROT_NONE. */
static struct page *mml_numa_page(struct vm_area_struct *vma, u8 level,
				  pte_t entry, unsigned long pfn)
{
	struct mml_entry e;
	struct page *page;

	if (!pte_present(entry))
		return NULL;
	e = mml_decode_entry(vma, level, entry, pfn);
	if (!mml_entry_has_page(e.flags) || !pfn_valid(e.value) ||
	    mml_decode_huge_zero(vma, level, &e))
		return NULL;
	page = pfn_to_page(e.value);
	if (PageReserved(page) ||
	    !node_isset(page_to_nid(page), node_states[N_MEMORY]))
		return NULL;
	return page;
}

static void mml_numa_ptes(struct mml_walk *walk, struct vm_area_struct *vma,
			  const struct mml_step *pmd, unsigned long addr,
			  pte_t *ptep, unsigned int n)
{
	unsigned int i;

	if (vma->vm_flags & VM_HUGETLB)
		return;
	for (i = 0; i < n; i++) {
		pte_t entry = mml_entry_read(ptep + i);
		struct page *page = mml_numa_page(vma, MMLENS_LEVEL_PTE, entry,
						  pte_pfn(entry));

		if (page && !is_zone_device_page(page))
			mml_numa_add(walk->private, page, pte_dirty(entry), 1);
	}
}

static void mml_numa_leaf(struct mml_walk *walk, struct vm_area_struct *vma,
			  const struct mml_step *leaf, unsigned long addr)
{
	const bool hugetlb = vma->vm_flags & VM_HUGETLB;
	struct page *page;

	/* The kernel's sums don't look at PUDs but those of hugetlb. */
	if (!hugetlb && leaf->level != MMLENS_LEVEL_PMD)
		return;
	page = mml_numa_page(vma, leaf->level, leaf->entry, leaf->pfn);
	if (page)
		mml_numa_add(walk->private, page, pte_dirty(leaf->entry),
			     hugetlb ? 1 : 1U << (leaf->shift - PAGE_SHIFT));
}

static const struct mml_pgwalk_ops mml_numa_pgwalk = {
	.ptes	= mml_numa_ptes,
	.leaf	= mml_numa_leaf,
};

/* ---- VMAs ---- */

static void mml_numa_take(struct mml_walk *walk, struct vm_area_struct *vma)
{
	struct mml_numa *numa = walk->private;

	mml_policy(walk, vma, &numa->sums);
}

static bool mml_numa_walk(struct mml_walk *walk, struct vm_area_struct *vma,
			  unsigned long end)
{
	mml_pgwalk_vma(walk, vma, end, &mml_numa_pgwalk);
	return walk->cursor == end;
}

static void mml_numa_emit(struct mml_walk *walk, u32 flags)
{
	struct mml_numa *numa = walk->private;
	struct mmlens_numa *rec;
	struct mmlens_node *node;
	struct mmlens_record head;
	unsigned int i;

	rec = mml_emit(&walk->sink, MMLENS_REC_NUMA, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	head = rec->head;
	*rec = numa->sums;
	rec->head = head;
	rec->flags = flags;
	for (i = 0; i < MMLENS_MAX_NODES; i++) {
		if (!numa->pages[i])
			continue;
		node = mml_emit(&walk->sink, MMLENS_REC_NODE, 0, sizeof(*node));
		if (WARN_ON_ONCE(!node))
			break;
		node->node = i;
		node->pages = numa->pages[i];
	}
	memset(numa, 0, sizeof(*numa));
}

static const struct mml_vma_sums_ops mml_numa_sums = {
	.room	= sizeof(struct mmlens_numa) +
		  MMLENS_MAX_NODES * sizeof(struct mmlens_node),
	.take	= mml_numa_take,
	.walk	= mml_numa_walk,
	.emit	= mml_numa_emit,
};

static int mml_walk_numa_step(struct mml_walk *walk)
{
	return mml_vma_sums_step(walk, &mml_numa_sums);
}

const struct mml_walker mml_walk_numa_maps = {
	.name		= "numa",
	.nr		= MMLENS_NR_NUMA_MAPS,
	.step_room	= MML_VMA_ROOM + sizeof(struct mmlens_numa) +
			  MMLENS_MAX_NODES * sizeof(struct mmlens_node),
	.private_size	= sizeof(struct mml_numa),
	.step		= mml_walk_numa_step,
};
