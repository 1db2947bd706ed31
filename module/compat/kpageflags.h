/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page's flags as /proc/kpageflags has them (stable_page_flags() in
 * fs/proc/page.c), its mapcount as /proc/kpagecount, its memcg as
 * /proc/kpagecgroup, and where it stands on the LRU lists.
 *
 *   5.11    page->mem_cgroup became page->memcg_data
 *   6.1     the multi-generational LRU
 *   by 6.12 flags are those of the folio, not of the single page; kpagecount no
 *	     longer tells pages with a type apart; PG_error went, and
 *	     PG_mappedtodisk became PG_owner_2
 *   by 6.12 what a page is (slab, hugetlb, ...) is a number where its mapcount
 *	     stands; before, bits there, a flag and the folio's destructor
 *   by 7.3  offline and page-table pages are told by the folio;
 *	     stable_page_flags() is exported
 */
#ifndef MML_COMPAT_KPAGEFLAGS_H
#define MML_COMPAT_KPAGEFLAGS_H

#include <linux/cgroup.h>
#include <linux/kernel-page-flags.h>
#include <linux/memcontrol.h>
#include <linux/mm_inline.h>
#include <linux/page-flags.h>

#include "compat/page.h"
#include "uapi/mmlens.h"

/* ---- a page's type, where it has one, in the place of its mapcount ---- */

#ifdef PG_buddy
#define MML_TYPE_IS(word, name) \
	(((word) & (PAGE_TYPE_BASE | PG_##name)) == PAGE_TYPE_BASE)
#else
#define MML_TYPE_IS(word, name)	((u32)(word) >> 24 == PGTY_##name)
#endif

static inline bool mml_type_is_any(int word)
{
#ifdef PG_buddy
	return word < PAGE_MAPCOUNT_RESERVE;
#else
	return page_type_has_type(word);
#endif
}

/* ---- one look at a page and its folio ---- */

/* Without it large folios have no more than this. */
#ifdef MAX_FOLIO_ORDER
#define MML_MAX_FOLIO_ORDER	MAX_FOLIO_ORDER
#else
#define MML_MAX_FOLIO_ORDER	(PUD_SHIFT - PAGE_SHIFT)
#endif

/**
 * struct mml_look - What one look at a page and its folio found, undecoded.
 * @page:	the page
 * @head:	the folio's first; the page itself where it is one alone
 * @index:	pages between the two
 * @own:	the page's flags word
 * @flags:	the folio's
 * @mapping:	the folio's, with the low bits
 * @word:	the page's mapcount less one, or its type
 * @head_word:	the folio's type, if it has one
 * @refs:	references to the folio
 * @order:	log2 of its pages; 0 for one alone
 * @entry:	the caller holds an entry that maps the page
 *
 * Nothing but these is decoded, so that a page without a reference, which may
 * become something else meanwhile, trips nobody's assertion.
 */
struct mml_look {
	struct page *page;
	struct page *head;
	unsigned long index;
	unsigned long own;
	unsigned long flags;
	unsigned long mapping;
	int word;
	int head_word;
	int refs;
	unsigned int order;
	bool entry;
};

/* Of a compound page's first, whatever stands there. */
static inline unsigned int mml_raw_order(const struct page *head)
{
#ifdef MML_HAVE_COMPOUND_DTOR
	return READ_ONCE(head[1].compound_order);
#else
	return mml_page_flags(head + 1) & 0xff;
#endif
}

/**
 * mml_look_at() - Read what there is to be decoded.
 * @page:	the page
 * @head:	the first of its folio, or the page
 * @look:	out
 */
static inline void mml_look_at(struct page *page, struct page *head,
			       struct mml_look *look)
{
	const union mml_page_counts counts = mml_page_counts(head);
	unsigned int order = 0;

	look->page = page;
	look->head = head;
	look->index = page - head;
	look->own = mml_page_flags(page);
	look->flags = mml_page_flags(head);
	look->mapping = mml_page_mapping(head);
	look->word = page == head ? counts.mapcount :
				    atomic_read(&page->_mapcount);
	look->head_word = counts.mapcount;
	look->refs = counts.refs;
	/* What isn't aligned to two pages has no second one, whatever it says. */
	if (mml_flag(look->flags, PG_head) && !(page_to_pfn(head) & 1))
		order = mml_raw_order(head);
	look->order = order <= MML_MAX_FOLIO_ORDER ? order : 0;
	look->entry = false;
}

static inline bool mml_look_anon(const struct mml_look *look)
{
	return look->mapping & MML_MAPPING_ANON;
}

static inline bool mml_look_ksm(const struct mml_look *look)
{
	return IS_ENABLED(CONFIG_KSM) &&
	       (look->mapping & MML_MAPPING_KSM) == MML_MAPPING_KSM;
}

static inline bool mml_look_hugetlb(const struct mml_look *look)
{
#if !defined(CONFIG_HUGETLB_PAGE)
	return false;
#elif defined(MML_HAVE_COMPOUND_DTOR)
	return look->order &&
	       READ_ONCE(look->head[1].compound_dtor) == HUGETLB_PAGE_DTOR;
#else
	return MML_TYPE_IS(look->head_word, hugetlb);
#endif
}

static inline bool mml_look_slab(const struct mml_look *look)
{
#ifdef PG_buddy
	return mml_flag(look->flags, PG_slab);
#else
	return MML_TYPE_IS(look->head_word, slab);
#endif
}

/* The word that tells of page tables and offline pages. */
static inline int mml_look_type(const struct mml_look *look)
{
#ifdef MML_HAVE_PAGE_SNAPSHOT
	return look->head_word;
#else
	return look->word;
#endif
}

/* Entries that map a large folio as a whole. */
static inline int mml_look_entire(const struct mml_look *look)
{
#ifdef MML_HAVE_COMPOUND_DTOR
	return atomic_read(&look->head[1].compound_mapcount) + 1;
#else
	return atomic_read(&((struct folio *)look->head)->_entire_mapcount) + 1;
#endif
}

/*
 * Is any page of the folio mapped?  Before folios counted that, each page was
 * asked: no more than the page allocator gives at once.
 */
static inline bool mml_look_mapped(const struct mml_look *look)
{
#ifdef MML_HAVE_COMPOUND_DTOR
	unsigned int pages = 1U << min(look->order, MAX_ORDER - 1U);
	unsigned int i;

#endif
	if (!look->order)
		return look->word >= 0 && !mml_look_slab(look);
#ifdef MML_HAVE_COMPOUND_DTOR
	if (mml_look_slab(look))
		return false;
	if (mml_look_entire(look) > 0)
		return true;
	if (mml_look_hugetlb(look))
		return false;
	for (i = 0; i < pages; i++)
		if (atomic_read(&look->head[i]._mapcount) >= 0)
			return true;
	return false;
#else
	return atomic_read(&((struct folio *)look->head)->_large_mapcount) >= 0;
#endif
}

/* ---- kpageflags ---- */

static inline u64 mml_kpf_copy(unsigned long flags, int kpf, int pg)
{
	return (u64)(flags >> pg & 1) << kpf;
}

/* Is a large folio one that is mapped as such (a THP of any size)? */
static inline bool mml_kpf_is_thp(const struct mml_look *look)
{
	if (!look->order || !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return false;
#ifdef MML_HAVE_KPF_OF_FOLIO
	return mml_flag(mml_page_flags(look->head + 1), PG_large_rmappable);
#else
	return mml_flag(look->flags, PG_lru) || mml_look_anon(look);
#endif
}

static inline bool mml_kpf_swapcache(const struct mml_look *look)
{
	unsigned long word = look->flags;

#if !defined(MML_HAVE_FOLIO) && !defined(CONFIG_THP_SWAP)
	word = look->own;
#endif
	return IS_ENABLED(CONFIG_SWAP) &&
	       mml_flag(look->flags, PG_swapbacked) &&
	       mml_flag(word, PG_swapcache);
}

static inline u64 mml_kpf_idle(const struct mml_look *look)
{
#if defined(CONFIG_64BIT) && defined(CONFIG_PAGE_IDLE_FLAG)
	return mml_kpf_copy(look->flags, KPF_IDLE, PG_idle);
#elif defined(CONFIG_64BIT) && defined(CONFIG_IDLE_PAGE_TRACKING)
	return mml_kpf_copy(look->own, KPF_IDLE, PG_idle);
#else
	return (u64)folio_test_idle((struct folio *)look->head) << KPF_IDLE;
#endif
}

/* The bits that are copied as they are. */
static inline u64 mml_kpf_copied(unsigned long k)
{
	u64 u = 0;

	u |= mml_kpf_copy(k, KPF_LOCKED, PG_locked);
#ifdef MML_HAVE_PAGE_ERROR
	u |= mml_kpf_copy(k, KPF_ERROR, PG_error);
#endif
	u |= mml_kpf_copy(k, KPF_DIRTY, PG_dirty);
	u |= mml_kpf_copy(k, KPF_UPTODATE, PG_uptodate);
	u |= mml_kpf_copy(k, KPF_WRITEBACK, PG_writeback);
	u |= mml_kpf_copy(k, KPF_LRU, PG_lru);
	u |= mml_kpf_copy(k, KPF_REFERENCED, PG_referenced);
	u |= mml_kpf_copy(k, KPF_ACTIVE, PG_active);
	u |= mml_kpf_copy(k, KPF_RECLAIM, PG_reclaim);
	u |= mml_kpf_copy(k, KPF_SWAPBACKED, PG_swapbacked);
	u |= mml_kpf_copy(k, KPF_UNEVICTABLE, PG_unevictable);
	u |= mml_kpf_copy(k, KPF_MLOCKED, PG_mlocked);
#ifdef CONFIG_ARCH_USES_PG_UNCACHED
	u |= mml_kpf_copy(k, KPF_UNCACHED, PG_uncached);
#endif
	u |= mml_kpf_copy(k, KPF_RESERVED, PG_reserved);
#ifdef KPF_OWNER_2
	u |= mml_kpf_copy(k, KPF_OWNER_2, PG_owner_2);
#else
	u |= mml_kpf_copy(k, KPF_MAPPEDTODISK, PG_mappedtodisk);
#endif
	u |= mml_kpf_copy(k, KPF_PRIVATE, PG_private);
	u |= mml_kpf_copy(k, KPF_PRIVATE_2, PG_private_2);
	u |= mml_kpf_copy(k, KPF_OWNER_PRIVATE, PG_owner_priv_1);
	u |= mml_kpf_copy(k, KPF_ARCH, PG_arch_1);
#if defined(CONFIG_ARCH_USES_PG_ARCH_2) || \
	(defined(PG_buddy) && defined(CONFIG_64BIT))
	u |= mml_kpf_copy(k, KPF_ARCH_2, PG_arch_2);
#endif
#ifdef CONFIG_ARCH_USES_PG_ARCH_3
	u |= mml_kpf_copy(k, KPF_ARCH_3, PG_arch_3);
#endif
	return u;
}

static inline u64 mml_kpf_hwpoison(const struct mml_look *look)
{
#if !defined(CONFIG_MEMORY_FAILURE)
	return 0;
#elif defined(MML_HAVE_KPF_OF_FOLIO)
	return mml_kpf_copy(mml_look_hugetlb(look) ? look->flags : look->own,
			    KPF_HWPOISON, PG_hwpoison);
#else
	return mml_kpf_copy(look->own, KPF_HWPOISON, PG_hwpoison);
#endif
}

/*
 * May it be the huge zero page, which isn't a THP to the kernel's own tests and
 * isn't on an LRU list?  Of the pages that an entry maps it is the only one
 * without a mapping.  Of all pages some drivers' look the same.
 */
static inline bool mml_look_maybe_huge_zero(const struct mml_look *look)
{
	const unsigned long no = BIT(PG_lru) | BIT(PG_reserved);

	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       look->order == PMD_SHIFT - PAGE_SHIFT && !look->mapping &&
	       !(look->flags & no) && !mml_look_slab(look) &&
	       !mml_type_is_any(look->head_word) && !mml_look_hugetlb(look) &&
	       !mml_kpf_is_thp(look);
}

/* Does the kernel itself tell which of them is the huge zero page? */
static inline bool mml_knows_huge_zero(void)
{
#ifdef MML_HAVE_STABLE_PAGE_FLAGS
	return true;
#else
	return false;
#endif
}

static inline bool mml_look_huge_zero(const struct mml_look *look)
{
	if (!mml_look_maybe_huge_zero(look))
		return false;
#ifdef MML_HAVE_STABLE_PAGE_FLAGS
	return stable_page_flags(look->head) & BIT_ULL(KPF_ZERO_PAGE);
#else
	return look->entry;
#endif
}

static inline u64 mml_kpf_zero(const struct mml_look *look)
{
	if (look->page == ZERO_PAGE(0))
		return BIT_ULL(KPF_ZERO_PAGE);
	if (mml_look_huge_zero(look))
		return BIT_ULL(KPF_ZERO_PAGE) | BIT_ULL(KPF_THP);
	return 0;
}

/* What the page's type says, and whether it is of the slab allocator. */
static inline u64 mml_kpf_type(const struct mml_look *look)
{
	const int word = mml_look_type(look);
	u64 u = 0;

	if (MML_TYPE_IS(word, offline))
		u |= BIT_ULL(KPF_OFFLINE);
	if (MML_TYPE_IS(word, table))
		u |= BIT_ULL(KPF_PGTABLE);
	if (mml_look_slab(look))
		u |= BIT_ULL(KPF_SLAB);
	return u;
}

/* As kpageflags, but for KPF_BUDDY: who walks free blocks knows that. */
static inline u64 mml_kpageflags(const struct mml_look *look, bool mapped)
{
#ifdef MML_HAVE_KPF_OF_FOLIO
	u64 u = mml_kpf_copied(look->flags);
#else
	u64 u = mml_kpf_copied(look->own);
#endif

	if (mapped)
		u |= BIT_ULL(KPF_MMAP);
	if (mml_look_anon(look))
		u |= BIT_ULL(KPF_ANON);
	if (mml_look_ksm(look))
		u |= BIT_ULL(KPF_KSM);
	if (look->index)
		u |= BIT_ULL(KPF_COMPOUND_TAIL);
	else
		u |= mml_kpf_copy(look->flags, KPF_COMPOUND_HEAD, PG_head);

	if (mml_look_hugetlb(look))
		u |= BIT_ULL(KPF_HUGE);
	else if (mml_kpf_is_thp(look))
		u |= BIT_ULL(KPF_THP);
	else
		u |= mml_kpf_zero(look);

	u |= mml_kpf_type(look);
	u |= mml_kpf_idle(look);
	if (mml_kpf_swapcache(look))
		u |= BIT_ULL(KPF_SWAPCACHE);
	u |= mml_kpf_hwpoison(look);
	return u;
}

/* ---- kpagecount ---- */

/* Large folios of kernels where page_mapcount() was. */
static inline int mml_look_old_mapcount(const struct mml_look *look)
{
	int mapcount = look->word + 1;

#ifdef MML_HAVE_COMPOUND_DTOR
	/* A file's THP counts mappings of the whole at each page. */
	if (!mml_look_anon(look) && !mml_look_hugetlb(look))
		return mapcount;
	mapcount += mml_look_entire(look);
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	if (mml_flag(mml_page_flags(look->head + 1), PG_double_map))
		mapcount--;
#endif
#endif
	return mapcount;
}

/* As kpagecount. */
static inline int mml_kpagecount(const struct mml_look *look)
{
#ifdef CONFIG_NO_PAGE_MAPCOUNT
	bool private;

	return mml_smaps_mapcount((struct folio *)look->head, look->page,
				  &private);
#elif defined(MML_HAVE_PAGE_MAPCOUNT)
	if (mml_look_slab(look) || mml_type_is_any(look->word))
		return 0;
	return look->order ? mml_look_old_mapcount(look) : look->word + 1;
#else
	int mapcount = mml_type_is_any(look->word) ? 0 : look->word + 1;

	return look->order ? mapcount + mml_look_entire(look) : mapcount;
#endif
}

/*
 * What tells whose memory a page is, as one word; 0 where the kernel doesn't
 * account it, or doesn't as a whole.
 */
static inline unsigned long mml_page_memcg_word(const struct page *page)
{
#if !defined(CONFIG_MEMCG)
	return 0;
#else
#ifdef MML_HAVE_PAGE_MEM_CGROUP
	unsigned long word = (unsigned long)READ_ONCE(page->mem_cgroup);
#else
	unsigned long word = READ_ONCE(page->memcg_data);
#endif

	/* The lowest bit says that it isn't a memcg but what is about objects. */
	return word & 1 ? 0 : word;
#endif
}

#ifdef CONFIG_MEMCG
/* Inside of an RCU section. */
static inline struct mem_cgroup *mml_page_memcg(struct folio *folio,
						struct page *page)
{
#if defined(MML_HAVE_PAGE_MEM_CGROUP)
	return (struct mem_cgroup *)mml_page_memcg_word(page);
#elif defined(MML_HAVE_KPF_OF_FOLIO)
	return folio_memcg_check(folio);
#else
	return page_memcg_check(page);
#endif
}
#endif

/* As kpagecgroup: the closest online ancestor. */
static inline u64 mml_kpagecgroup(struct folio *folio, struct page *page)
{
	u64 ino = 0;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mml_page_memcg(folio, page);
	while (memcg && !(memcg->css.flags & CSS_ONLINE))
		memcg = parent_mem_cgroup(memcg);
	if (memcg)
		ino = cgroup_ino(memcg->css.cgroup);
	rcu_read_unlock();
#endif
	return ino;
}

/* ---- where it stands ---- */

/* MMLENS_LRU_* by the folio's flags. */
static inline u8 mml_look_lru(const struct mml_look *look)
{
	bool file = !mml_flag(look->flags, PG_swapbacked);

	if (!mml_flag(look->flags, PG_lru))
		return MMLENS_LRU_NONE;
	if (mml_flag(look->flags, PG_unevictable))
		return MMLENS_LRU_UNEVICTABLE;
	return MMLENS_LRU_INACTIVE_ANON + 2 * file +
	       mml_flag(look->flags, PG_active);
}

/* 1 + the index of its generation, or 0; its tier there. */
static inline u8 mml_look_generation(const struct mml_look *look, u8 *tier)
{
#ifdef CONFIG_LRU_GEN
	int gen = (look->flags & LRU_GEN_MASK) >> LRU_GEN_PGOFF;
	int refs = folio_lru_refs((struct folio *)look->head);

	if (!gen)
		return 0;
#ifdef MML_HAVE_LRU_TIER_WORKINGSET
	*tier = lru_tier_from_refs(refs, mml_flag(look->flags, PG_workingset));
#else
	*tier = lru_tier_from_refs(refs);
#endif
	return gen;
#else
	return 0;
#endif
}

static inline u16 mml_look_node(const struct mml_look *look)
{
#ifdef NODE_NOT_IN_PAGE_FLAGS
	return page_to_nid(look->head);
#else
	return look->flags >> NODES_PGSHIFT & NODES_MASK;
#endif
}

static inline u8 mml_look_zone(const struct mml_look *look)
{
	return look->flags >> ZONES_PGSHIFT & ZONES_MASK;
}

/* ---- what it is ---- */

/* MMLENS_PAGE_KIND_* by a word that may hold a type. */
static inline u8 mml_kind_of_word(int word)
{
	if (MML_TYPE_IS(word, buddy))
		return MMLENS_PAGE_KIND_BUDDY;
	if (MML_TYPE_IS(word, offline))
		return MMLENS_PAGE_KIND_OFFLINE;
	if (MML_TYPE_IS(word, table))
		return MMLENS_PAGE_KIND_TABLE;
	if (MML_TYPE_IS(word, guard))
		return MMLENS_PAGE_KIND_GUARD;
#ifndef PG_buddy
	if (MML_TYPE_IS(word, zsmalloc))
		return MMLENS_PAGE_KIND_ZSMALLOC;
	if (MML_TYPE_IS(word, unaccepted))
		return MMLENS_PAGE_KIND_UNACCEPTED;
#ifdef MML_HAVE_LARGE_KMALLOC
	if (MML_TYPE_IS(word, large_kmalloc))
		return MMLENS_PAGE_KIND_LARGE_KMALLOC;
#endif
#endif
	return mml_type_is_any(word) ? MMLENS_PAGE_KIND_OTHER :
				       MMLENS_PAGE_KIND_NONE;
}

static inline u8 mml_look_kind(const struct mml_look *look)
{
	if (mml_look_slab(look))
		return MMLENS_PAGE_KIND_SLAB;
	if (mml_look_hugetlb(look))
		return MMLENS_PAGE_KIND_HUGETLB;
	if (mml_type_is_any(look->word))
		return mml_kind_of_word(look->word);
	if (mml_type_is_any(look->head_word))
		return mml_kind_of_word(look->head_word);
	if (!mml_knows_huge_zero() && mml_look_maybe_huge_zero(look))
		return MMLENS_PAGE_KIND_MAYBE_HUGE_ZERO;
	return MMLENS_PAGE_KIND_NONE;
}

#endif
