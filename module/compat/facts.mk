# SPDX-License-Identifier: GPL-2.0-only
#
# The facts about a kernel that its headers don't tell the preprocessor, one a
# line: a text is looked for in a header, and MML_HAVE_<FACT> is defined where
# it is found.  Who uses a fact stands in compat/*.h; what the preprocessor
# can tell (#ifdef, __has_include) needs no line here.

# $(call mml-fact,FACT,header below include/,extended regular expression)
mml-fact = $(shell grep -qsE '$(3)' $(srctree)/include/$(2) && echo -DMML_HAVE_$(1))

mml-facts := \
	$(call mml-fact,GUP_PROTNONE_FLAGS,linux/mm.h,gup_can_follow_protnone.unsigned int flags) \
	$(call mml-fact,FILE_USER_PATH,linux/fs.h,file_user_path) \
	$(call mml-fact,INITIAL_HEAP,linux/mm.h,vma_is_initial_heap) \
	$(call mml-fact,PAGE_MAPCOUNT,linux/mm.h,int page_mapcount.struct page) \
	$(call mml-fact,PTE_UFFD,asm-generic/pgtable_uffd.h,int pte_uffd.pte_t) \
	$(call mml-fact,SWP_EXCLUSIVE,linux/swapops.h,pte_swp_exclusive) \
	$(call mml-fact,MAYBE_MAPPED_SHARED,linux/mm.h,folio_maybe_mapped_shared) \
	$(call mml-fact,HUGETLB_PMD_SHARED,linux/hugetlb.h,hugetlb_pmd_shared)
