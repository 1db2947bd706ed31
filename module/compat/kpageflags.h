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

static inline u64 mml_kpf_copy(unsigned long flags, int kpf, int pg)
{
	return (u64)(flags >> pg & 1) << kpf;
}

/* The flags word that the kernel looks at for a page. */
static inline unsigned long mml_kpf_word(struct folio *folio,
					 struct page *page)
{
#ifdef MML_HAVE_KPF_OF_FOLIO
	return mml_page_flags(&folio->page);
#else
	return mml_page_flags(page);
#endif
}

/* Is a compound page one that is mapped as such (a THP of any size)? */
static inline bool mml_kpf_is_thp(struct folio *folio)
{
#ifdef MML_HAVE_KPF_OF_FOLIO
	return folio_test_large(folio) && folio_test_large_rmappable(folio);
#else
	return folio_test_large(folio) &&
	       (folio_test_lru(folio) || folio_test_anon(folio));
#endif
}

static inline bool mml_kpf_swapcache(struct folio *folio, unsigned long k)
{
#ifdef MML_HAVE_KPF_OF_FOLIO
	const unsigned long both = BIT(PG_swapbacked) | BIT(PG_swapcache);

	return (k & both) == both;
#else
	return folio_test_swapcache(folio);
#endif
}

static inline u64 mml_kpf_idle(struct folio *folio, unsigned long k)
{
#if defined(CONFIG_PAGE_IDLE_FLAG) && defined(CONFIG_64BIT)
	return mml_kpf_copy(k, KPF_IDLE, PG_idle);
#else
	return (u64)folio_test_idle(folio) << KPF_IDLE;
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
	return u;
}

static inline u64 mml_kpf_hwpoison(struct folio *folio, struct page *page,
				   unsigned long k)
{
#ifdef CONFIG_MEMORY_FAILURE
	if (!folio_test_hugetlb(folio))
		k = mml_page_flags(page);
	return mml_kpf_copy(k, KPF_HWPOISON, PG_hwpoison);
#else
	return 0;
#endif
}

/*
 * The huge zero page isn't a THP to folio_test_large_rmappable(), and isn't on
 * an LRU list; nothing else of a compound kind is mapped without a mapping.
 */
static inline u64 mml_kpf_zero(struct folio *folio, struct page *page)
{
	if (page == ZERO_PAGE(0))
		return BIT_ULL(KPF_ZERO_PAGE);
	if (folio_test_large(folio) && mml_page_is_huge_zero(folio) &&
	    !PageReserved(&folio->page) &&
	    folio_order(folio) == PMD_SHIFT - PAGE_SHIFT)
		return BIT_ULL(KPF_ZERO_PAGE) | BIT_ULL(KPF_THP);
	return 0;
}

/*
 * As kpageflags of a page that a process maps: it is neither free nor of the
 * slab allocator, nor a page table.
 */
static inline u64 mml_kpageflags(struct folio *folio, struct page *page)
{
	unsigned long k = mml_kpf_word(folio, page);
	u64 u = mml_kpf_copied(k);

	if (folio_mapped(folio))
		u |= BIT_ULL(KPF_MMAP);
	if (folio_test_anon(folio))
		u |= BIT_ULL(KPF_ANON);
	if (folio_test_ksm(folio))
		u |= BIT_ULL(KPF_KSM);
	if (page != &folio->page)
		u |= BIT_ULL(KPF_COMPOUND_TAIL);
	else if (folio_test_large(folio))
		u |= BIT_ULL(KPF_COMPOUND_HEAD);

	if (folio_test_hugetlb(folio))
		u |= BIT_ULL(KPF_HUGE);
	else if (mml_kpf_is_thp(folio))
		u |= BIT_ULL(KPF_THP);
	else
		u |= mml_kpf_zero(folio, page);

	u |= mml_kpf_idle(folio, k);
	if (mml_kpf_swapcache(folio, k))
		u |= BIT_ULL(KPF_SWAPCACHE);
	u |= mml_kpf_hwpoison(folio, page, k);
	return u;
}

/* As kpagecount. */
static inline int mml_kpagecount(struct folio *folio, struct page *page)
{
#ifdef CONFIG_NO_PAGE_MAPCOUNT
	bool private;

	return mml_smaps_mapcount(folio, page, &private);
#elif defined(MML_HAVE_PAGE_MAPCOUNT)
	return page_has_type(page) ? 0 : page_mapcount(page);
#else
	return mml_page_mapcount(folio, page);
#endif
}

/*
 * What tells whose memory a page is, as one word; 0 where the kernel doesn't
 * account it.
 */
static inline unsigned long mml_page_memcg_word(const struct page *page)
{
#if !defined(CONFIG_MEMCG)
	return 0;
#elif defined(MML_HAVE_PAGE_MEM_CGROUP)
	return (unsigned long)READ_ONCE(page->mem_cgroup);
#else
	return READ_ONCE(page->memcg_data);
#endif
}

#ifdef CONFIG_MEMCG
/* Inside of an RCU section. */
static inline struct mem_cgroup *mml_page_memcg(struct folio *folio,
						struct page *page)
{
#if defined(MML_HAVE_PAGE_MEM_CGROUP)
	unsigned long word = mml_page_memcg_word(page);

	/* The lowest bit says that it isn't a memcg. */
	return word & 1 ? NULL : (struct mem_cgroup *)word;
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

/* MMLENS_LRU_* by the folio's flags. */
static inline u8 mml_folio_lru(struct folio *folio)
{
	bool file = !folio_test_swapbacked(folio);

	if (!folio_test_lru(folio))
		return MMLENS_LRU_NONE;
	if (folio_test_unevictable(folio))
		return MMLENS_LRU_UNEVICTABLE;
	return MMLENS_LRU_INACTIVE_ANON + 2 * file +
	       folio_test_active(folio);
}

/* 1 + the index of its generation, or 0; its tier there. */
static inline u8 mml_folio_generation(struct folio *folio, u8 *tier)
{
#ifdef CONFIG_LRU_GEN
	int gen = folio_lru_gen(folio);
	int refs = folio_lru_refs(folio);

	if (gen < 0)
		return 0;
#ifdef MML_HAVE_LRU_TIER_WORKINGSET
	*tier = lru_tier_from_refs(refs, folio_test_workingset(folio));
#else
	*tier = lru_tier_from_refs(refs);
#endif
	return gen + 1;
#else
	return 0;
#endif
}

#endif
