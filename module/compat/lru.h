/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The LRU lists and whose they are.
 *
 *   5.11    lru_lock is each lruvec's, no longer the node's
 *   5.18    what is unevictable stands on no list any more: the place of the
 *	     links counts mlock()s
 *   6.1     the multi-generational LRU
 *   7.0     the page tells its memcg through an object's, and when a memcg is
 *	     removed its pages become its parent's
 */
#ifndef MML_COMPAT_LRU_H
#define MML_COMPAT_LRU_H

#include <linux/cgroup.h>
#include <linux/memcontrol.h>
#include <linux/mm_inline.h>
#include <linux/mmzone.h>
#include <linux/sched/task.h>

#include "compat/kpageflags.h"

/* The lock that keeps the lists of @lruvec, which is of @pgdat. */
static inline spinlock_t *mml_lru_lock(struct lruvec *lruvec,
				       struct pglist_data *pgdat)
{
#ifdef MML_HAVE_LRUVEC_LOCK
	return &lruvec->lru_lock;
#else
	return &pgdat->lru_lock;
#endif
}

/* Do unevictable pages stand on their list? */
static inline bool mml_lru_links_unevictable(void)
{
#ifdef MML_HAVE_MLOCK_COUNT
	return false;
#else
	return true;
#endif
}

/* ---- generations ---- */

#ifdef CONFIG_LRU_GEN

#define MML_LRU_GENS		MAX_NR_GENS

/* Do pages that are added come into generations? */
static inline bool mml_lru_gen_enabled(const struct lruvec *lruvec)
{
	return READ_ONCE(lruvec->lrugen.enabled);
}

static inline struct list_head *mml_lru_gen_list(struct lruvec *lruvec,
						 unsigned int gen, bool file,
						 unsigned int zone)
{
	return &lruvec->lrugen.folios[gen][file][zone];
}

/* Pages there, by the kernel's own count, which may lag by some. */
static inline long mml_lru_gen_pages(const struct lruvec *lruvec,
				     unsigned int gen, bool file,
				     unsigned int zone)
{
	return READ_ONCE(lruvec->lrugen.nr_pages[gen][file][zone]);
}

/* The youngest sequence number that has this index. */
static inline unsigned long mml_lru_gen_seq(const struct lruvec *lruvec,
					    unsigned int gen)
{
	const unsigned long max = READ_ONCE(lruvec->lrugen.max_seq);

	return max - (max - gen) % MAX_NR_GENS;
}

/* Is it one that is in use? */
static inline bool mml_lru_gen_is_current(const struct lruvec *lruvec,
					  unsigned int gen, bool file)
{
	return mml_lru_gen_seq(lruvec, gen) >=
	       READ_ONCE(lruvec->lrugen.min_seq[file]);
}

/* When it began, in jiffies. */
static inline unsigned long mml_lru_gen_birth(const struct lruvec *lruvec,
					      unsigned int gen)
{
	return READ_ONCE(lruvec->lrugen.timestamps[gen]);
}

#else

#define MML_LRU_GENS		0

static inline bool mml_lru_gen_enabled(const struct lruvec *lruvec)
{
	return false;
}

static inline struct list_head *mml_lru_gen_list(struct lruvec *lruvec,
						 unsigned int gen, bool file,
						 unsigned int zone)
{
	return NULL;
}

static inline long mml_lru_gen_pages(const struct lruvec *lruvec,
				     unsigned int gen, bool file,
				     unsigned int zone)
{
	return 0;
}

static inline unsigned long mml_lru_gen_seq(const struct lruvec *lruvec,
					    unsigned int gen)
{
	return 0;
}

static inline bool mml_lru_gen_is_current(const struct lruvec *lruvec,
					  unsigned int gen, bool file)
{
	return false;
}

static inline unsigned long mml_lru_gen_birth(const struct lruvec *lruvec,
					      unsigned int gen)
{
	return 0;
}

#endif

/* ---- whose they are ---- */

/* How many memcgs are looked for at once: each look passes all of them by. */
#define MML_MEMCGS	16

/**
 * struct mml_memcgs - Memory cgroups with a reference each.
 * @last:	the largest number of those that were found; 0: there are none
 * @count:	how many could be had of them
 * @css:	in order of their numbers, which go from 1, the root's, on
 */
struct mml_memcgs {
	unsigned int last;
	unsigned int count;
	struct cgroup_subsys_state *css[MML_MEMCGS];
};

#ifdef CONFIG_MEMCG

/* The root's: that of the task that was there before all others. */
static inline struct cgroup_subsys_state *mml_memcg_root(void)
{
	struct css_set *set = rcu_dereference(init_task.cgroups);

	return READ_ONCE(set->subsys[memory_cgrp_id]);
}

/* Put it where it belongs; the one with the largest number may have to go. */
static inline void mml_memcgs_insert(struct mml_memcgs *memcgs,
				     struct cgroup_subsys_state *css)
{
	unsigned int i = memcgs->count;

	if (i == MML_MEMCGS && css->id > memcgs->css[--i]->id)
		return;
	for (; i && memcgs->css[i - 1]->id > css->id; i--)
		memcgs->css[i] = memcgs->css[i - 1];
	memcgs->css[i] = css;
	memcgs->count = min(memcgs->count + 1, (unsigned int)MML_MEMCGS);
}

/* Take references; those that are on their way out have none to give. */
static inline void mml_memcgs_take(struct mml_memcgs *memcgs)
{
	unsigned int i, kept = 0;

	memcgs->last = memcgs->count ? memcgs->css[memcgs->count - 1]->id : 0;
	for (i = 0; i < memcgs->count; i++)
		if (css_tryget(memcgs->css[i]))
			memcgs->css[kept++] = memcgs->css[i];
	memcgs->count = kept;
}

/* Those with the smallest numbers from @id on. */
static inline void mml_memcgs_get(struct mml_memcgs *memcgs, unsigned int id)
{
	struct cgroup_subsys_state *css;

	memcgs->count = 0;
	rcu_read_lock();
	css_for_each_descendant_pre(css, mml_memcg_root())
		if (css->id >= (int)id)
			mml_memcgs_insert(memcgs, css);
	mml_memcgs_take(memcgs);
	rcu_read_unlock();
}

static inline void mml_memcgs_put(struct mml_memcgs *memcgs)
{
	while (memcgs->count)
		css_put(memcgs->css[--memcgs->count]);
}

static inline unsigned int mml_memcg_id(const struct cgroup_subsys_state *css)
{
	return css->id;
}

/* Inode number of its directory. */
static inline u64 mml_memcg_ino(const struct cgroup_subsys_state *css)
{
	return cgroup_ino(css->cgroup);
}

/* Path of its directory; the length, or less than 0. */
static inline int mml_memcg_path(const struct cgroup_subsys_state *css,
				 char *path, size_t size)
{
	return cgroup_path(css->cgroup, path, size);
}

static inline bool mml_memcg_is_online(const struct cgroup_subsys_state *css)
{
	return READ_ONCE(css->flags) & CSS_ONLINE;
}

/* Its lists on a node; NULL where it has none. */
static inline struct lruvec *mml_memcg_lruvec(struct cgroup_subsys_state *css,
					      unsigned int node)
{
	struct mem_cgroup *memcg = mem_cgroup_from_css(css);

	return memcg->nodeinfo[node] ? &memcg->nodeinfo[node]->lruvec : NULL;
}

/* Pages on a list, by the kernel's own count; with generations: on several. */
static inline unsigned long mml_memcg_lru_size(const struct lruvec *lruvec,
					       enum lru_list lru,
					       unsigned int zone)
{
	const struct mem_cgroup_per_node *mz =
		container_of(lruvec, struct mem_cgroup_per_node, lruvec);

	return READ_ONCE(mz->lru_zone_size[zone][lru]);
}

/*
 * Is the page on a list of @lruvec?  Under its lock, and inside of an RCU
 * section: what has PG_lru and its memcg stands on one of its lists.
 */
static inline bool mml_lru_is_on(struct page *page,
				 const struct lruvec *lruvec,
				 const struct pglist_data *pgdat)
{
	struct mem_cgroup *memcg;

	if (!mml_flag(mml_page_flags(page), PG_lru) ||
	    page_pgdat(page) != pgdat)
		return false;
	if (mem_cgroup_disabled())
		return true;
	memcg = mml_page_memcg((struct folio *)page, page);
	if (!memcg)
		memcg = mem_cgroup_from_css(mml_memcg_root());
	return memcg->nodeinfo[pgdat->node_id] &&
	       lruvec == &memcg->nodeinfo[pgdat->node_id]->lruvec;
}

#else

struct cgroup_subsys_state;

static inline void mml_memcgs_get(struct mml_memcgs *memcgs, unsigned int id)
{
	memcgs->last = 0;
	memcgs->count = 0;
}

static inline void mml_memcgs_put(struct mml_memcgs *memcgs)
{
}

static inline unsigned int mml_memcg_id(const struct cgroup_subsys_state *css)
{
	return 0;
}

static inline u64 mml_memcg_ino(const struct cgroup_subsys_state *css)
{
	return 0;
}

static inline int mml_memcg_path(const struct cgroup_subsys_state *css,
				 char *path, size_t size)
{
	return -ENOENT;
}

static inline bool mml_memcg_is_online(const struct cgroup_subsys_state *css)
{
	return true;
}

static inline struct lruvec *mml_memcg_lruvec(struct cgroup_subsys_state *css,
					      unsigned int node)
{
	return NULL;
}

static inline unsigned long mml_memcg_lru_size(const struct lruvec *lruvec,
					       enum lru_list lru,
					       unsigned int zone)
{
	return 0;
}

static inline bool mml_lru_is_on(struct page *page,
				 const struct lruvec *lruvec,
				 const struct pglist_data *pgdat)
{
	return mml_flag(mml_page_flags(page), PG_lru) &&
	       page_pgdat(page) == pgdat;
}

#endif

#endif
