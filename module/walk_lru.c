// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_LRU: the LRU lists of each memory cgroup and node, in their order.
 *
 * Locking: lru_lock of the lists (before 5.11: of the node), with interrupts off,
 * for at most MML_STEP_FOLIOS entries, of which nothing but the PFN is noted.
 * Each page is looked at afterwards as MMLENS_PAGES does, with no lock.  The
 * memory cgroup has a reference for one step.  No page ever has one: it can be
 * reclaimed while its list is walked.
 *
 * A list can't be held between two batches.  The folios told last are bookmarks:
 * the list goes on behind the last of them that is still on a list of this lruvec
 * and has the neighbour that it had, or none any more, which is what reclaim
 * leaves.  Where there is none the list is told once more from its tail, which
 * voids what was told before.  Between two calls one bookmark is kept.
 *
 * With generations a page's flags may be ahead of the list that it stands on, so
 * a bookmark may have moved to another one.  That shows when the walk comes to
 * the end of that.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "compat/lru.h"
#include "compat/memmap.h"
#include "core.h"
#include "cursor.h"

#define MML_STEP_FOLIOS		128
/* A step has a budget of MML_STEP_ENTRIES; a list costs one. */
#define MML_LRU_BATCH_COST	64U
#define MML_LRU_BOOKMARKS	16

/* How often a list is begun again before the rest of it is left. */
#define MML_LRU_RESTARTS	7

/* Lists of one memcg and node: the classic ones, then generations. */
#define MML_CLASSIC_LISTS	NR_LRU_LISTS
#define MML_LRU_LISTS		(MML_CLASSIC_LISTS + \
				 MML_LRU_GENS * 2 * MAX_NR_ZONES)

/* Bits of the cursor, from the lowest on. */
#define MML_POSITION_BITS	28
#define MML_LIST_BITS		6
#define MML_NODE_BITS		10
#define MML_MEMCG_BITS		20
/* Bits of the generation above the lowest, which is 1, and MML_BEGUN. */
#define MML_RESTARTS_BITS	3
#define MML_PFN_BITS		40
#define MML_BESIDE_BITS		19

#define MML_BEGUN		(MMLENS_LIST_FROM & ~1UL)

/* Folios of a list after which the rest of it is left. */
#define MML_LRU_MOST		((1U << MML_POSITION_BITS) - 2 * MML_STEP_FOLIOS)

/**
 * struct mml_lru - Where the walk stands.
 * @memcg:	number of a memory cgroup
 * @node:	node
 * @list:	of those there
 * @position:	folios of that list that were told or passed by
 * @restarts:	how often it was begun again
 * @kept:	how many of @bookmark there are
 * @bookmark:	PFNs of the folios told last, the last one last
 * @beside:	lowest bits of the PFN that stood before the first bookmark
 * @gathered:	how many of @pfn there are
 * @pfn:	a batch
 */
struct mml_lru {
	unsigned int memcg;
	unsigned int node;
	unsigned int list;
	unsigned int position;
	unsigned int restarts;
	unsigned int kept;
	unsigned long bookmark[MML_LRU_BOOKMARKS];
	unsigned long beside;
	unsigned int gathered;
	unsigned long pfn[MML_STEP_FOLIOS];
};

/**
 * struct mml_lru_list - A list.
 * @lruvec:	what it is of
 * @pgdat:	its node
 * @head:	its head; NULL: what it counts is on none
 * @lru:	which one, as the classic lists go
 * @gen:	index of the generation, or -1
 * @zone:	of a generation
 */
struct mml_lru_list {
	struct lruvec *lruvec;
	struct pglist_data *pgdat;
	struct list_head *head;
	enum lru_list lru;
	int gen;
	unsigned int zone;
};

/* ---- where the walk stands, as the caller keeps it ---- */

static void mml_lru_begin_list(struct mml_lru *at, unsigned int list)
{
	at->list = list;
	at->position = 0;
	at->restarts = 0;
	at->kept = 0;
	at->beside = 0;
}

/* The caller's cursor and generation may say anything. */
static void mml_lru_from(struct mml_lru *at, const struct mml_walk *walk)
{
	unsigned long cursor = walk->cursor;
	unsigned long generation = walk->generation >> 2;

	if (!(walk->generation & MML_BEGUN))
		return;
	at->position = mml_take_bits(&cursor, MML_POSITION_BITS);
	at->list = mml_take_bits(&cursor, MML_LIST_BITS);
	at->node = mml_take_bits(&cursor, MML_NODE_BITS);
	at->memcg = mml_take_bits(&cursor, MML_MEMCG_BITS);
	at->restarts = mml_take_bits(&generation, MML_RESTARTS_BITS);
	if (at->kept)
		return;
	at->bookmark[0] = mml_take_bits(&generation, MML_PFN_BITS);
	at->beside = mml_take_bits(&generation, MML_BESIDE_BITS);
	at->kept = !!at->position;
}

static unsigned long mml_lru_cursor(const struct mml_lru *at,
				    unsigned int position)
{
	unsigned long cursor = 0;

	BUILD_BUG_ON(MML_LRU_LISTS >= 1 << MML_LIST_BITS);
	BUILD_BUG_ON(MAX_NUMNODES > 1 << MML_NODE_BITS);

	mml_put_bits(&cursor, MML_MEMCG_BITS, at->memcg);
	mml_put_bits(&cursor, MML_NODE_BITS, at->node);
	mml_put_bits(&cursor, MML_LIST_BITS, at->list);
	mml_put_bits(&cursor, MML_POSITION_BITS, position);
	return cursor;
}

/* The PFN that stood before the last bookmark, or what is known of it. */
static unsigned long mml_lru_last_beside(const struct mml_lru *at)
{
	return at->kept > 1 ? at->bookmark[at->kept - 2] : at->beside;
}

static void mml_lru_to(struct mml_walk *walk, const struct mml_lru *at)
{
	unsigned long generation = 0;

	BUILD_BUG_ON(MML_LRU_RESTARTS >= 1 << MML_RESTARTS_BITS);

	if (at->kept) {
		mml_put_bits(&generation, MML_BESIDE_BITS,
			     mml_lru_last_beside(at));
		mml_put_bits(&generation, MML_PFN_BITS,
			     at->bookmark[at->kept - 1]);
	}
	mml_put_bits(&generation, MML_RESTARTS_BITS, at->restarts);
	walk->cursor = mml_lru_cursor(at, at->position);
	walk->generation = generation << 2 | MMLENS_LIST_FROM;
}

/* ---- which lists there are ---- */

static bool mml_list_is_file(const struct mml_lru_list *list)
{
	return list->lru >= LRU_INACTIVE_FILE;
}

/* List number @n of @lruvec. */
static struct mml_lru_list mml_lru_list(struct lruvec *lruvec,
					struct pglist_data *pgdat,
					unsigned int n)
{
	struct mml_lru_list list = {
		.lruvec = lruvec,
		.pgdat	= pgdat,
		.gen	= -1,
		.lru	= n,
	};
	bool file;

	if (n < MML_CLASSIC_LISTS) {
		if (n != LRU_UNEVICTABLE || mml_lru_links_unevictable())
			list.head = &lruvec->lists[n];
		return list;
	}
	n -= MML_CLASSIC_LISTS;
	list.zone = n % MAX_NR_ZONES;
	file = n / MAX_NR_ZONES % 2;
	list.gen = n / MAX_NR_ZONES / 2;
	list.lru = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	list.head = mml_lru_gen_list(lruvec, list.gen, file, list.zone);
	return list;
}

/* Pages on a classic list, by the kernel's count. */
static unsigned long mml_classic_pages(const struct mml_lru_list *list)
{
	unsigned long pages = 0;
	unsigned int zone;

	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		if (list->lruvec != &list->pgdat->__lruvec)
			pages += mml_memcg_lru_size(list->lruvec, list->lru,
						    zone);
		else
			pages += zone_page_state(&list->pgdat->node_zones[zone],
						 NR_ZONE_LRU_BASE + list->lru);
	return pages;
}

/*
 * While there are generations what the classic lists count is in those; as long
 * as the kernel moves pages from the one to the other, nothing counts either.
 */
static void mml_list_count_classic(const struct mml_lru_list *list,
				   struct mmlens_lru_list *rec)
{
	const bool generations = mml_lru_gen_enabled(list->lruvec);

	rec->zone = MMLENS_LIST_ALL_ZONES;
	if (!list->head)
		rec->flags |= MMLENS_LIST_NO_ORDER;
	if (!generations || list->lru == LRU_UNEVICTABLE) {
		rec->flags |= MMLENS_LIST_ENABLED | MMLENS_LIST_COUNTED;
		rec->pages = mml_classic_pages(list);
	} else if (list_empty(list->head)) {
		rec->flags |= MMLENS_LIST_COUNTED;
	}
}

static void mml_list_count_gen(const struct mml_lru_list *list,
			       struct mmlens_lru_list *rec)
{
	const bool file = mml_list_is_file(list);
	const unsigned long birth = mml_lru_gen_birth(list->lruvec, list->gen);

	rec->zone = list->zone;
	rec->generation = list->gen + 1;
	rec->flags |= MMLENS_LIST_COUNTED;
	if (mml_lru_gen_enabled(list->lruvec))
		rec->flags |= MMLENS_LIST_ENABLED;
	if (mml_lru_gen_is_current(list->lruvec, list->gen, file))
		rec->flags |= MMLENS_LIST_CURRENT;
	/* It is changed in batches, and may be less than none meanwhile. */
	rec->pages = max(mml_lru_gen_pages(list->lruvec, list->gen, file,
					   list->zone), 0L);
	rec->seq = mml_lru_gen_seq(list->lruvec, list->gen);
	rec->age_ms = jiffies_to_msecs(jiffies - birth);
}

/* Is there something to be said of it? */
static bool mml_list_is_told(const struct mml_lru_list *list,
			     const struct mmlens_lru_list *rec)
{
	if (list->gen < 0)
		return true;
	if (!list_empty(list->head) || rec->pages)
		return true;
	return rec->flags & MMLENS_LIST_ENABLED &&
	       rec->flags & MMLENS_LIST_CURRENT &&
	       populated_zone(&list->pgdat->node_zones[list->zone]);
}

/* ---- a batch ---- */

/* Is it the head of one of the lruvec's lists? */
static bool mml_lru_is_head(const struct list_head *entry,
			    const struct lruvec *lruvec)
{
	return (const void *)entry >= (const void *)lruvec &&
	       (const void *)entry < (const void *)(lruvec + 1);
}

/* Does it stand where the list may be gone on with? */
static struct list_head *mml_lru_mark(const struct mml_lru_list *list,
				      unsigned long pfn)
{
	struct page *page = mml_online_page(pfn);

	if (!page || !mml_lru_is_on(page, list->lruvec, list->pgdat))
		return NULL;
	if (!mml_lru_links_unevictable() &&
	    mml_flag(mml_page_flags(page), PG_unevictable))
		return NULL;
	return &page->lru;
}

/* Is what stands beside it, toward the tail, what stood there, or nothing? */
static bool mml_lru_has_beside(const struct list_head *mark,
			       const struct mml_lru_list *list,
			       unsigned long pfn)
{
	const unsigned long mask = (1UL << MML_BESIDE_BITS) - 1;
	const struct list_head *beside = mark->next;

	if (beside == list->head)
		return true;
	if (mml_lru_is_head(beside, list->lruvec))
		return false;
	return !((page_to_pfn(list_entry(beside, struct page, lru)) ^ pfn) &
		 mask);
}

/* Where the list goes on; NULL: the place is lost. */
static struct list_head *mml_lru_place(const struct mml_lru *at,
				       const struct mml_lru_list *list)
{
	unsigned int i = at->kept;

	if (!at->position)
		return list->head;
	while (i--) {
		struct list_head *mark = mml_lru_mark(list, at->bookmark[i]);

		if (mark && mml_lru_has_beside(mark, list,
					       i ? at->bookmark[i - 1] :
						   at->beside))
			return mark;
	}
	return NULL;
}

/* Keep the last of the batch, with those kept before. */
static void mml_lru_keep(struct mml_lru *at)
{
	unsigned int i;

	for (i = 0; i < at->gathered; i++) {
		if (at->kept == MML_LRU_BOOKMARKS) {
			at->beside = at->bookmark[0];
			memmove(at->bookmark, at->bookmark + 1,
				sizeof(at->bookmark) - sizeof(at->bookmark[0]));
			at->kept--;
		}
		at->bookmark[at->kept++] = at->pfn[i];
	}
}

enum mml_lru_outcome { MML_LRU_MORE, MML_LRU_END, MML_LRU_LOST };

/* The next folios, at most @max, under the lock. */
static enum mml_lru_outcome mml_lru_gather(struct mml_lru *at,
					   const struct mml_lru_list *list,
					   unsigned int max)
{
	const struct list_head *entry = mml_lru_place(at, list);

	at->gathered = 0;
	if (!entry)
		return MML_LRU_LOST;
	for (entry = entry->prev; entry != list->head; entry = entry->prev) {
		if (mml_lru_is_head(entry, list->lruvec))
			return MML_LRU_LOST;
		if (at->gathered == max)
			return MML_LRU_MORE;
		at->pfn[at->gathered++] =
			page_to_pfn(list_entry(entry, struct page, lru));
	}
	return MML_LRU_END;
}

static enum mml_lru_outcome mml_lru_batch(struct mml_walk *walk,
					  struct mml_lru *at,
					  const struct mml_lru_list *list,
					  unsigned int max)
{
	spinlock_t *lock = mml_lru_lock(list->lruvec, list->pgdat);
	enum mml_lru_outcome outcome;
	u64 since, held;

	rcu_read_lock();
	spin_lock_irq(lock);
	since = ktime_get_ns();
	outcome = mml_lru_gather(at, list, max);
	held = ktime_get_ns() - since;
	spin_unlock_irq(lock);
	rcu_read_unlock();
	walk->max_hold_ns = max(walk->max_hold_ns, held);
	return outcome;
}

/* ---- records ---- */

/* Bytes that a folio may need. */
static size_t mml_lru_folio_room(const struct mml_walk *walk)
{
	return sizeof(struct mmlens_pfns) +
	       (walk->flags & MMLENS_WALK_BACKING ?
		sizeof(struct mmlens_backing) : 0);
}

/* Of the batch's folios those at positions that were asked for. */
static void mml_lru_tell_folios(struct mml_walk *walk,
				const struct mml_lru *at,
				struct mmlens_lru_list *rec)
{
	unsigned int i;

	for (i = 0; i < at->gathered; i++)
		if (at->position + i >= walk->start &&
		    at->position + i < walk->end)
			rec->count += mml_frame_emit(walk, at->pfn[i]);
}

/* The place is lost: from the tail once more, or leave the rest. */
static void mml_lru_restart(struct mml_walk *walk, struct mml_lru *at,
			    struct mmlens_lru_list *rec)
{
	walk->restarts++;
	at->kept = 0;
	if (at->restarts++ < MML_LRU_RESTARTS) {
		/* Of the number's next memcg nothing has been told. */
		at->position = 0;
		rec->position = 0;
		return;
	}
	rec->flags |= MMLENS_LIST_LAST | MMLENS_LIST_CUT;
}

/* The next folios of the list, behind @rec. */
static void mml_lru_tell_batch(struct mml_walk *walk, struct mml_lru *at,
			       const struct mml_lru_list *list,
			       struct mmlens_lru_list *rec)
{
	unsigned long max = mml_sink_room(&walk->sink) /
			    mml_lru_folio_room(walk);
	enum mml_lru_outcome outcome;

	walk->budget -= min(walk->budget, MML_LRU_BATCH_COST);
	max = min3(max, walk->end - at->position, (unsigned long)MML_STEP_FOLIOS);
	outcome = mml_lru_batch(walk, at, list, max);
	if (outcome == MML_LRU_LOST) {
		mml_lru_restart(walk, at, rec);
		return;
	}
	mml_lru_tell_folios(walk, at, rec);
	mml_lru_keep(at);
	at->position += at->gathered;
	if (outcome == MML_LRU_END)
		rec->flags |= MMLENS_LIST_LAST;
	else if (at->position > MML_LRU_MOST)
		rec->flags |= MMLENS_LIST_LAST | MMLENS_LIST_CUT;
}

static void mml_lru_fill(const struct mml_lru *at,
			 const struct mml_lru_list *list,
			 const struct cgroup_subsys_state *css,
			 struct mmlens_lru_list *rec)
{
	*rec = (struct mmlens_lru_list){
		.memcg	  = css ? mml_memcg_ino(css) : 0,
		.cursor	  = mml_lru_cursor(at, 0),
		.position = at->position,
		.node	  = at->node,
		.lru	  = MMLENS_LRU_INACTIVE_ANON + list->lru,
	};
	if (css && !mml_memcg_is_online(css))
		rec->flags |= MMLENS_LIST_OFFLINE;
	if (list->gen < 0)
		mml_list_count_classic(list, rec);
	else
		mml_list_count_gen(list, rec);
}

/* Tell of a list; false where there's no room for it in this step. */
static bool mml_lru_tell(struct mml_walk *walk, struct mml_lru *at,
			 struct lruvec *lruvec,
			 const struct cgroup_subsys_state *css)
{
	const struct mml_lru_list list =
		mml_lru_list(lruvec, NODE_DATA(at->node), at->list);
	struct mmlens_lru_list *rec;

	if (mml_sink_room(&walk->sink) < walk->walker->step_room ||
	    !mml_walk_charge(walk, 1))
		return false;
	rec = mml_sink_end(&walk->sink, sizeof(*rec));
	mml_lru_fill(at, &list, css, rec);
	if (!mml_list_is_told(&list, rec)) {
		mml_lru_begin_list(at, at->list + 1);
		return true;
	}
	mml_sink_commit(&walk->sink, MMLENS_REC_LRU, 0, sizeof(*rec));
	if (!(walk->flags & MMLENS_WALK_FOLIOS) || !list.head ||
	    at->position >= walk->end)
		rec->flags |= MMLENS_LIST_LAST;
	else
		mml_lru_tell_batch(walk, at, &list, rec);
	if (rec->flags & MMLENS_LIST_LAST ||
	    at->position >= walk->end)
		mml_lru_begin_list(at, at->list + 1);
	return true;
}

/* ---- the walk ---- */

/* The lists on the node that the walk stands at, or on one behind it. */
static struct lruvec *mml_lru_lruvec(struct mml_lru *at,
				     struct cgroup_subsys_state *css)
{
	for (; at->node < MAX_NUMNODES; at->node++) {
		if (node_online(at->node) && at->list < MML_LRU_LISTS)
			return css ? mml_memcg_lruvec(css, at->node) :
				     &NODE_DATA(at->node)->__lruvec;
		mml_lru_begin_list(at, 0);
	}
	return NULL;
}

static void mml_lru_next_memcg(struct mml_lru *at, unsigned int id)
{
	at->memcg = id;
	at->node = 0;
	mml_lru_begin_list(at, 0);
}

/*
 * The lists of one memcg, on one node after the other; without one the nodes'
 * own.  Returns false where the step is at its end before.
 */
static bool mml_lru_memcg(struct mml_walk *walk, struct mml_lru *at,
			  struct cgroup_subsys_state *css)
{
	while (at->node < MAX_NUMNODES) {
		struct lruvec *lruvec = mml_lru_lruvec(at, css);

		if (!lruvec && at->node < MAX_NUMNODES)
			mml_lru_begin_list(at, MML_LRU_LISTS);
		else if (lruvec && !mml_lru_tell(walk, at, lruvec, css))
			return false;
	}
	mml_lru_next_memcg(at, at->memcg + 1);
	return true;
}

/* Memcgs from that of @at on, as far as the step goes. */
static void mml_lru_memcgs(struct mml_walk *walk, struct mml_lru *at)
{
	struct mml_memcgs memcgs;
	unsigned int i;

	mml_memcgs_get(&memcgs, at->memcg);
	if (!memcgs.last)
		walk->done = true;
	else if (!memcgs.count)
		mml_lru_next_memcg(at, memcgs.last + 1);
	for (i = 0; i < memcgs.count; i++) {
		const unsigned int id = mml_memcg_id(memcgs.css[i]);

		if (id != at->memcg)
			mml_lru_next_memcg(at, id);
		if (!mml_lru_memcg(walk, at, memcgs.css[i]))
			break;
	}
	mml_memcgs_put(&memcgs);
}

static int mml_walk_lru_step(struct mml_walk *walk)
{
	struct mml_lru *at = walk->private;

	mml_lru_from(at, walk);
	if (!mem_cgroup_disabled())
		mml_lru_memcgs(walk, at);
	else if (at->memcg || mml_lru_memcg(walk, at, NULL))
		walk->done = true;
	if (at->memcg >= 1U << MML_MEMCG_BITS)
		walk->done = true;
	mml_lru_to(walk, at);
	return 0;
}

/**
 * mml_lru_path() - The memory cgroup that a list is of.
 * @rec:	the list
 * @path:	room for the path of its directory
 * @size:	bytes of that
 *
 * Return: the path's length, or more than fits into @size; -ENOENT if it is gone,
 * or there are none.
 */
int mml_lru_path(const struct mmlens_lru_list *rec, char *path, size_t size)
{
	unsigned int id = rec->cursor >> (64 - MML_MEMCG_BITS);
	struct mml_memcgs memcgs = {};
	int length = -ENOENT;

	if (!mem_cgroup_disabled())
		mml_memcgs_get(&memcgs, id);
	/* Its number may be another one's by now. */
	if (memcgs.count && mml_memcg_id(memcgs.css[0]) == id &&
	    mml_memcg_ino(memcgs.css[0]) == rec->memcg)
		length = mml_memcg_path(memcgs.css[0], path, size);
	mml_memcgs_put(&memcgs);
	return length == -E2BIG ? size : length;
}

const struct mml_walker mml_walk_lru = {
	.name		= "lru",
	.nr		= MMLENS_NR_LRU,
	.flags		= MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING,
	.scope		= MML_OF_RANGE,
	.private_size	= sizeof(struct mml_lru),
	.step_room	= sizeof(struct mmlens_lru_list) +
			  sizeof(struct mmlens_pfns) +
			  sizeof(struct mmlens_backing),
	.step		= mml_walk_lru_step,
};
