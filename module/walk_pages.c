// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_PAGES: the state of every page of online memory, by PFN, as
 * fs/proc/page.c tells it of one.
 *
 * Locking: none.  A step is one RCU section of at most MML_STEP_PAGES looks.
 * No reference is taken, so a page may be freed and become another's while it
 * is looked at: each word is read once, and what leads from one struct page to
 * another (a tail to its folio, a page to its free block) is followed only to
 * where the memmap is, and only if it fits there.  Pages are told one by one
 * as they are at that moment; a folio or a block that changes may be told torn.
 * With MMLENS_WALK_BACKING a folio has a reference while it is looked at for
 * what backs it, and its inode's i_lock is taken; the reference is dropped in
 * the same step, outside of the RCU section.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "backing.h"
#include "compat/memmap.h"
#include "compat/pageblock.h"
#include "core.h"
#include "page.h"

/* Looks at pages that one step takes; a free block is one. */
#define MML_STEP_PAGES	2048
/* Records that one step makes with what backs their pages. */
#define MML_STEP_BACKED	32

#define MML_MAX_BLOCK	(ARRAY_SIZE(((struct zone *)NULL)->free_area) - 1)

/**
 * struct mml_scan - A step.
 * @walk:	whose
 * @run:	the record that is begun at the sink's end, or NULL
 * @told:	PFN of the last one that was finished
 * @looks:	how many are left
 * @full:	the sink has no room for another record
 * @migratetype: of the page block
 * @head:	the folio that was asked last whether it is mapped
 * @mapped:	it is
 */
struct mml_scan {
	struct mml_walk *walk;
	struct mmlens_pfns *run;
	unsigned long told;
	unsigned int looks;
	bool full;
	u8 migratetype;
	const struct page *head;
	bool mapped;
};

/* ---- runs ---- */

static void mml_scan_flush(struct mml_scan *scan)
{
	if (!scan->run)
		return;
	scan->told = scan->run->pfn;
	mml_sink_commit(&scan->walk->sink, MMLENS_REC_PFNS, 0,
			sizeof(*scan->run));
	scan->run = NULL;
}

/* Does @rec go on where @run ends, with the same state? */
static bool mml_run_continues(const struct mmlens_pfns *run,
			      const struct mmlens_pfns *rec)
{
	u32 size = 1U << run->order;

	return run->pfn + run->count == rec->pfn &&
	       run->page_flags == rec->page_flags &&
	       run->memcg == rec->memcg &&
	       run->mapcount == rec->mapcount &&
	       run->refcount == rec->refcount &&
	       ((run->folio_index + run->count) & (size - 1)) ==
	       rec->folio_index &&
	       run->count <= U32_MAX - rec->count &&
	       !memcmp(&run->order, &rec->order,
		       sizeof(*run) - offsetof(struct mmlens_pfns, order));
}

/* Add pages to the run, or begin another; false when there is no room. */
static bool mml_scan_add(struct mml_scan *scan, const struct mmlens_pfns *rec)
{
	if (scan->run && mml_run_continues(scan->run, rec)) {
		scan->run->count += rec->count;
		return true;
	}
	mml_scan_flush(scan);
	scan->run = mml_sink_end(&scan->walk->sink, sizeof(*rec));
	if (scan->run)
		*scan->run = *rec;
	else
		scan->full = true;
	return !scan->full;
}

/* ---- pages ---- */

/*
 * The first page of the folio that @page is in; @page itself where it is none
 * of a large one, or where what leads there has just changed.
 */
static struct page *mml_scan_head(struct page *page, unsigned long pfn)
{
	struct page *head = compound_head(page);
	unsigned long index;
	unsigned int order;

	if (head == page)
		return page;
	index = page - head;
	if (head > page || index > pfn ||
	    index >= 1UL << MML_MAX_FOLIO_ORDER ||
	    mml_online_page(pfn - index) != head ||
	    !mml_flag(mml_page_flags(head), PG_head))
		return page;
	order = mml_raw_order(head);
	if (order > MML_MAX_FOLIO_ORDER || index >> order ||
	    (pfn - index) & ((1UL << order) - 1))
		return page;
	return head;
}

/* Asked once for a folio: it may be a question to each of its pages. */
static bool mml_scan_mapped(struct mml_scan *scan, const struct mml_look *look)
{
	if (!look->order)
		return mml_look_mapped(look);
	if (scan->head != look->head) {
		scan->head = look->head;
		scan->mapped = mml_look_mapped(look);
	}
	return scan->mapped;
}

/* Is the folio aligned to its size, and is the page one of its? */
static bool mml_look_fits(const struct mml_look *look, unsigned long pfn)
{
	return !((pfn - look->index) & ((1UL << look->order) - 1)) &&
	       !(look->index >> look->order);
}

/* Look at a page; if its folio changes meanwhile, at the page alone. */
static void mml_scan_look(struct page *page, unsigned long pfn,
			  struct mml_look *look)
{
	mml_look_at(page, mml_scan_head(page, pfn), look);
	if (mml_look_fits(look, pfn))
		return;
	mml_look_at(page, page, look);
	if (!mml_look_fits(look, pfn))
		look->order = 0;
}

static u8 mml_bucket_of_kind(const struct mmlens_pfns *rec)
{
	switch (rec->kind) {
	case MMLENS_PAGE_KIND_BUDDY:
		return MMLENS_BUCKET_BUDDY;
	case MMLENS_PAGE_KIND_HUGETLB:
		return rec->refcount ? MMLENS_BUCKET_HUGETLB :
				       MMLENS_BUCKET_HUGETLB_FREE;
	case MMLENS_PAGE_KIND_SLAB:
		return MMLENS_BUCKET_SLAB;
	case MMLENS_PAGE_KIND_TABLE:
		return MMLENS_BUCKET_TABLE;
	case MMLENS_PAGE_KIND_ZSMALLOC:
		return MMLENS_BUCKET_ZSMALLOC;
	case MMLENS_PAGE_KIND_LARGE_KMALLOC:
		return MMLENS_BUCKET_KMALLOC;
	case MMLENS_PAGE_KIND_OFFLINE:
	case MMLENS_PAGE_KIND_UNACCEPTED:
		return MMLENS_BUCKET_OFFLINE;
	}
	return MMLENS_BUCKET_UNTOLD;
}

/* MMLENS_BUCKET_*, from what else the record says. */
static u8 mml_bucket(const struct mmlens_pfns *rec)
{
	u8 bucket = mml_bucket_of_kind(rec);

	if (rec->page_flags & BIT_ULL(KPF_HWPOISON))
		return MMLENS_BUCKET_HWPOISON;
	if (bucket)
		return bucket;
	if (rec->page_flags & BIT_ULL(KPF_RESERVED))
		return MMLENS_BUCKET_RESERVED;
	if (rec->lru)
		return MMLENS_BUCKET_INACTIVE_ANON + rec->lru -
		       MMLENS_LRU_INACTIVE_ANON;
	if (!rec->refcount)
		return MMLENS_BUCKET_UNTOLD;
	if (rec->page_flags & BIT_ULL(KPF_ANON))
		return MMLENS_BUCKET_ANON;
	if (rec->page_flags & (BIT_ULL(KPF_MMAP) | BIT_ULL(KPF_SWAPBACKED)))
		return MMLENS_BUCKET_MAPPED;
	return MMLENS_BUCKET_KERNEL;
}

static void mml_scan_describe(struct mml_scan *scan, struct page *page,
			      unsigned long pfn, struct mml_look *look,
			      struct mmlens_pfns *rec)
{
	u8 tier = 0;

	mml_scan_look(page, pfn, look);
	*rec = (struct mmlens_pfns){
		.count		= 1,
		.pfn		= pfn,
		.page_flags	= mml_kpageflags(look,
						 mml_scan_mapped(scan, look)),
		.memcg		= mml_kpagecgroup((struct folio *)look->head,
						  page),
		.mapcount	= mml_kpagecount(look),
		.refcount	= look->refs,
		.folio_index	= look->index,
		.order		= look->order,
		.kind		= mml_look_kind(look),
		.migratetype	= scan->migratetype,
		.lru		= mml_look_lru(look),
		.generation	= mml_look_generation(look, &tier),
		.node		= mml_look_node(look),
		.zone		= mml_look_zone(look),
	};
	rec->tier = tier;
	rec->bucket = mml_bucket(rec);
}

/*
 * Pages behind @page, up to @limit, that can't differ from it: none of the
 * words differs that make a state.  The zero page is told by its PFN alone.
 */
static unsigned long mml_scan_like(const struct page *page, unsigned long pfn,
				   const struct mml_page_words *words,
				   unsigned long limit)
{
	const unsigned long zero = page_to_pfn(ZERO_PAGE(0));
	unsigned long i;

	if (pfn == zero)
		return 1;
	if (zero > pfn)
		limit = min(limit, zero);
	for (i = 1; i < limit - pfn; i++)
		if (!mml_page_same(page + i, words) ||
		    page_ref_count(page + i) != words->refs)
			break;
	return i;
}

static unsigned long mml_scan_page(struct mml_scan *scan, struct page *page,
				   unsigned long pfn, unsigned long limit,
				   const struct mml_page_words *words)
{
	struct mml_look look;
	struct mmlens_pfns rec;

	mml_scan_describe(scan, page, pfn, &look, &rec);
	if (look.order || scan->walk->flags & MMLENS_WALK_BACKING)
		limit = min(limit, pfn - look.index + (1UL << look.order));
	/* A tail whose folio couldn't be found is told alone. */
	if (!words->head || look.index)
		rec.count = mml_scan_like(page, pfn, words, limit);
	return mml_scan_add(scan, &rec) ? rec.count : 0;
}

/* ---- free blocks ---- */

/* Could it be one of a free block? */
static bool mml_page_may_be_free(const struct mml_page_words *words)
{
	return MML_TYPE_IS(words->mapcount, buddy) ||
	       (!words->refs && !words->head);
}

/*
 * Pages of the free block that @page is in, from it on, and in @order the
 * block's; 0 where it isn't free.  As is_free_buddy_page(), but each order is
 * read once.
 */
static unsigned long mml_free_pages(const struct page *page, unsigned long pfn,
				    unsigned int *order)
{
	unsigned long index = 0, private;
	unsigned int i;

	for (i = 0; i <= MML_MAX_BLOCK; i++) {
		const struct page *first;

		if (i && !(pfn & 1UL << (i - 1)))
			continue;
		index = pfn & ((1UL << i) - 1);
		first = page - index;
		if (index && index > pfn % mml_memmap_unit() &&
		    mml_online_page(pfn - index) != first)
			return 0;
		if (!MML_TYPE_IS(atomic_read(&first->_mapcount), buddy))
			continue;
		private = READ_ONCE(first->private);
		if (private < i || private > MML_MAX_BLOCK ||
		    (pfn - index) & ((1UL << private) - 1))
			continue;
		*order = private;
		return (1UL << private) - index;
	}
	return 0;
}

/*
 * How many of the @n pages from @page on have the flags that @page has.  The
 * first of a block may have one that the others don't (it was reported to the
 * hypervisor).  What is lost to a memory error leaves its block; before there
 * were folios it didn't.
 */
static unsigned long mml_free_like(const struct page *page, bool first,
				   unsigned long n)
{
#ifdef MML_HAVE_FOLIO
	return first ? 1 : n;
#else
	const unsigned long flags = mml_page_flags(page);
	unsigned long i;

	for (i = 1; i < n; i++)
		if (mml_page_flags(page + i) != flags)
			break;
	return i;
#endif
}

static unsigned long mml_scan_free(struct mml_scan *scan, struct page *page,
				   unsigned long pfn, unsigned long n,
				   unsigned int order)
{
	unsigned long done = 0;

	while (done < n) {
		struct mml_look look;
		struct mmlens_pfns rec;

		mml_scan_describe(scan, page + done, pfn + done, &look, &rec);
		rec.page_flags |= BIT_ULL(KPF_BUDDY);
		rec.kind = MMLENS_PAGE_KIND_BUDDY;
		rec.bucket = mml_bucket(&rec);
		rec.order = order;
		rec.folio_index = (pfn + done) & ((1UL << order) - 1);
		rec.count = mml_free_like(page + done, !rec.folio_index,
					  n - done);
		if (!mml_scan_add(scan, &rec))
			break;
		done += rec.count;
		if (scan->walk->flags & MMLENS_WALK_BACKING)
			break;
	}
	return done;
}

/* ---- the walk ---- */

/* Pages of one unit of the memmap; returns the PFN after the last told. */
static unsigned long mml_scan_unit(struct mml_scan *scan, struct page *page,
				   unsigned long pfn, unsigned long limit)
{
	const unsigned long base = pfn;

	while (pfn < limit && scan->looks && !scan->full) {
		struct page *at = page + (pfn - base);
		const struct mml_page_words words = mml_page_words(at);
		unsigned long n = 0, looks;
		unsigned int order = 0;

		if (mml_page_may_be_free(&words))
			n = min(mml_free_pages(at, pfn, &order), limit - pfn);
		if (n) {
			n = mml_scan_free(scan, at, pfn, n, order);
			looks = 1;
		} else {
			n = mml_scan_page(scan, at, pfn, limit, &words);
			looks = n;
		}
		scan->looks -= min_t(unsigned long, scan->looks, looks);
		pfn += n;
	}
	return pfn;
}

static unsigned long mml_scan_step(struct mml_scan *scan, unsigned long pfn,
				   unsigned long end)
{
	const unsigned long unit = mml_memmap_unit();

	while (pfn < end && scan->looks && !scan->full) {
		struct page *page = mml_online_page(pfn);
		unsigned long limit;

		scan->looks--;
		if (!page) {
			pfn = mml_memmap_next(pfn, end);
			continue;
		}
		limit = min(end, round_down(pfn, unit) + unit);
		scan->migratetype = mml_pageblock_migratetype(page, pfn);
		pfn = mml_scan_unit(scan, page, pfn, limit);
	}
	mml_scan_flush(scan);
	return pfn;
}

static int mml_walk_pages_step(struct mml_walk *walk)
{
	const unsigned long end = min(walk->end, mml_memmap_end());
	struct mml_scan scan = { .walk = walk, .looks = MML_STEP_PAGES };

	/* The caller's cursor may say anything. */
	walk->cursor = max(walk->cursor, walk->start);
	rcu_read_lock();
	walk->cursor = mml_scan_step(&scan, walk->cursor, end);
	rcu_read_unlock();
	walk->done = walk->cursor >= end;
	return 0;
}

/* ---- with what backs them ---- */

/*
 * One record of pages from @pfn on, and what backs them; returns the PFN after
 * the last that it is of, or that isn't online.
 */
static unsigned long mml_scan_backed(struct mml_walk *walk, unsigned long pfn,
				     unsigned long end)
{
	/* One look for the memmap, one for the page. */
	struct mml_scan scan = { .walk = walk, .looks = 2 };
	const u64 records = walk->sink.records;
	struct mmlens_backing *rec;
	struct page *page, *head = NULL;

	rcu_read_lock();
	pfn = mml_scan_step(&scan, pfn, end);
	if (walk->sink.records == records ||
	    !(walk->flags & MMLENS_WALK_BACKING))
		goto out_unlock;
	rec = mml_emit(&walk->sink, MMLENS_REC_BACKING, 0, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		goto out_unlock;
	rec->pfn = scan.told;
	page = pfn_to_page(scan.told);
	head = mml_backing_get(page, mml_scan_head(page, scan.told));
	mml_backing_fill(page, head, rec);
out_unlock:
	rcu_read_unlock();
	if (head)
		put_page(head);
	return pfn;
}

/**
 * mml_frame_emit() - Tell the state of one page frame, of another walk.
 * @walk:	it has room for a record of each kind; with MMLENS_WALK_BACKING
 *		it is told what backs the page, too
 * @pfn:	its PFN
 *
 * Returns: false where it isn't online memory any more: nothing is told.
 */
bool mml_frame_emit(struct mml_walk *walk, unsigned long pfn)
{
	const u64 records = walk->sink.records;

	mml_scan_backed(walk, pfn, pfn + 1);
	return walk->sink.records != records;
}

static int mml_walk_pages_backed_step(struct mml_walk *walk)
{
	const unsigned long end = min(walk->end, mml_memmap_end());
	unsigned int n;

	walk->cursor = max(walk->cursor, walk->start);
	for (n = 0; n < MML_STEP_BACKED && walk->cursor < end &&
	     mml_sink_room(&walk->sink) >= walk->walker->step_room; n++)
		walk->cursor = mml_scan_backed(walk, walk->cursor, end);
	walk->done = walk->cursor >= end;
	return 0;
}

static int mml_walk_pages_any_step(struct mml_walk *walk)
{
	if (walk->flags & MMLENS_WALK_BACKING)
		return mml_walk_pages_backed_step(walk);
	return mml_walk_pages_step(walk);
}

const struct mml_walker mml_walk_pages = {
	.name		= "page",
	.nr		= MMLENS_NR_PAGES,
	.flags		= MMLENS_WALK_BACKING,
	.scope		= MML_OF_RANGE,
	.step_room	= sizeof(struct mmlens_pfns) +
			  sizeof(struct mmlens_backing),
	.step		= mml_walk_pages_any_step,
};
