# SPDX-License-Identifier: GPL-2.0-only
#
# The facts about a kernel that its headers don't tell the preprocessor, one a
# line: a text is looked for in a header, and MML_HAVE_<FACT> is defined where
# it is found.  Who uses a fact stands in compat/*.h; what the preprocessor
# can tell (#ifdef) needs no line here.

# $(call mml-export,FACT,symbol): is it exported?
mml-export = $(shell grep -qswF '$(2)' $(objtree)/Module.symvers && echo -DMML_HAVE_$(1))

# $(call mml-fact,FACT,header below include/,extended regular expression)
mml-fact = $(shell grep -qsE '$(3)' $(srctree)/include/$(2) && echo -DMML_HAVE_$(1))

mml-facts := \
	$(call mml-fact,FOLIO,linux/mm_types.h,^struct folio \{) \
	$(call mml-fact,LEAFOPS,linux/leafops.h,softleaf_t) \
	$(call mml-fact,PAGE_ERROR,linux/page-flags.h,PG_error) \
	$(call mml-fact,KPF_OF_FOLIO,linux/page-flags.h,stable_page_flags.const) \
	$(call mml-fact,XAS_GET_ORDER,linux/xarray.h,int xas_get_order) \
	$(call mml-fact,LRU_TIER_WORKINGSET,linux/mm_inline.h,lru_tier_from_refs.int refs. bool) \
	$(call mml-fact,PAGE_MEM_CGROUP,linux/mm_types.h,struct mem_cgroup \*mem_cgroup;) \
	$(call mml-fact,COMPOUND_INFO,linux/mm_types.h,unsigned long compound_info;) \
	$(call mml-fact,THP_ACTIVE,linux/huge_mm.h,bool transparent_hugepage_active) \
	$(call mml-fact,THP_ORDERS,linux/huge_mm.h,unsigned long thp_vma_allowable_orders) \
	$(call mml-fact,PMD_FOLIO_SUPPORT,linux/pagemap.h,bool mapping_pmd_folio_support) \
	$(call mml-fact,MPOL_V,linux/mempolicy.h,preferred_node;) \
	$(call mml-fact,GUP_PROTNONE_FLAGS,linux/mm.h,gup_can_follow_protnone.unsigned int flags) \
	$(call mml-fact,FILE_USER_PATH,linux/fs.h,file_user_path) \
	$(call mml-fact,INITIAL_HEAP,linux/mm.h,vma_is_initial_heap) \
	$(call mml-fact,PAGE_MAPCOUNT,linux/mm.h,int page_mapcount.struct page) \
	$(call mml-fact,PTE_UFFD,asm-generic/pgtable_uffd.h,int pte_uffd.pte_t) \
	$(call mml-fact,SWP_EXCLUSIVE,linux/swapops.h,pte_swp_exclusive) \
	$(call mml-fact,MAYBE_MAPPED_SHARED,linux/mm.h,folio_maybe_mapped_shared) \
	$(call mml-fact,PER_CPU_PAGESET,linux/mmzone.h,^struct per_cpu_pageset \{) \
	$(call mml-fact,PCP_HIGH_MIN,linux/mmzone.h,int high_min;) \
	$(call mml-fact,PCP_LOCK,linux/mmzone.h,spinlock_t lock;.*Protects lists) \
	$(call mml-fact,CMA_PAGES,linux/mmzone.h,zone_cma_pages) \
	$(call mml-fact,WMARK_PROMO,linux/mmzone.h,WMARK_PROMO[[:punct:]]) \
	$(call mml-fact,FREE_HIGHATOMIC,linux/mmzone.h,nr_free_highatomic;) \
	$(call mml-fact,ATOMIC_KSWAPD_FAILURES,linux/mmzone.h,atomic_t kswapd_failures;) \
	$(call mml-fact,COMPOUND_DTOR,linux/mm_types.h,unsigned char compound_dtor;) \
	$(call mml-fact,LARGE_KMALLOC,linux/page-flags.h,PGTY_large_kmalloc) \
	$(call mml-fact,PAGE_SNAPSHOT,linux/mm.h,void snapshot_page) \
	$(call mml-export,STABLE_PAGE_FLAGS,stable_page_flags) \
	$(call mml-fact,PRINT_IN_THP,linux/mmzone.h,vmstat_item_print_in_thp) \
	$(call mml-fact,HUGETLB_PAGE_INDEX,linux/pagemap.h,linear_hugepage_index) \
	$(call mml-fact,FOR_EACH_ALIAS,linux/dcache.h,define for_each_alias) \
	$(call mml-fact,INODE_STATE,linux/fs.h,inode_state_read.struct inode) \
	$(call mml-fact,LRUVEC_LOCK,linux/mmzone.h,per lruvec lru_lock) \
	$(call mml-fact,MLOCK_COUNT,linux/mm_types.h,unsigned int mlock_count;)
