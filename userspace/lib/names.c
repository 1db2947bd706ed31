// SPDX-License-Identifier: LGPL-2.1-or-later
/* What bits are called: one table a set. tests/test_names.c holds each of them
 * against the contract. */
#include "internal.h"

static const struct mmlens_flag pte_flags[] = {
	{ MMLENS_PTE_USER, "u", "user", "user mode may access" },
	{ MMLENS_PTE_WRITE, "w", "rw", "writable" },
	{ MMLENS_PTE_NX, "n", "nx", "not executable" },
	{ MMLENS_PTE_ACCESSED, "a", "accessed", "accessed" },
	{ MMLENS_PTE_DIRTY, "d", "dirty", "written to" },
	{ MMLENS_PTE_GLOBAL, "g", "global", "stays in the TLB" },
	{ MMLENS_PTE_LEAF, "l", "leaf", "maps a page above level pte" },
	{ MMLENS_PTE_HUGETLB, "h", "hugetlb", "of a hugetlb mapping" },
	{ MMLENS_PTE_SPECIAL, "s", "special", "no struct page to be used" },
	{ MMLENS_PTE_DEVMAP, "v", "devmap", "of ZONE_DEVICE memory" },
	{ MMLENS_PTE_SOFT_DIRTY, "D", "soft_dirty", "soft-dirty" },
	{ MMLENS_PTE_UFFD_WP, "U", "uffd_wp",
	  "write-protected through userfaultfd" },
	{ MMLENS_PTE_PROT_NONE, "p", "prot_none", "PROT_NONE or NUMA hint" },
	{ MMLENS_PTE_ZERO, "z", "zero", "the zero page or the huge one" },
	{ MMLENS_PTE_ANON_EXCLUSIVE, "x", "anon_exclusive",
	  "anonymous page of this process alone" },
	{ MMLENS_PTE_FILE, "f", "file", "page of a file or of shared memory" },
	{ MMLENS_PTE_EXCLUSIVE, "e", "exclusive", "mapped once" },
	{}
};

static const struct mmlens_flag vma_flags[] = {
	{ MMLENS_VMA_READ, "rd", "read", "readable" },
	{ MMLENS_VMA_WRITE, "wr", "write", "writable" },
	{ MMLENS_VMA_EXEC, "ex", "exec", "executable" },
	{ MMLENS_VMA_SHARED, "sh", "shared", "shared" },
	{ MMLENS_VMA_MAYREAD, "mr", "mayread", "may become readable" },
	{ MMLENS_VMA_MAYWRITE, "mw", "maywrite", "may become writable" },
	{ MMLENS_VMA_MAYEXEC, "me", "mayexec", "may become executable" },
	{ MMLENS_VMA_MAYSHARE, "ms", "mayshare", "may be shared" },
	{ MMLENS_VMA_GROWSDOWN, "gd", "growsdown", "grows down" },
	{ MMLENS_VMA_PFNMAP, "pf", "pfnmap", "pages without struct page" },
	{ MMLENS_VMA_LOCKED, "lo", "locked", "locked in memory" },
	{ MMLENS_VMA_IO, "io", "io", "memory-mapped I/O" },
	{ MMLENS_VMA_SEQ_READ, "sr", "seq_read", "MADV_SEQUENTIAL" },
	{ MMLENS_VMA_RAND_READ, "rr", "rand_read", "MADV_RANDOM" },
	{ MMLENS_VMA_DONTCOPY, "dc", "dontcopy", "not copied by fork" },
	{ MMLENS_VMA_DONTEXPAND, "de", "dontexpand", "can't be grown" },
	{ MMLENS_VMA_LOCKONFAULT, "lf", "lockonfault", "locked when touched" },
	{ MMLENS_VMA_ACCOUNT, "ac", "account", "counts as committed memory" },
	{ MMLENS_VMA_NORESERVE, "nr", "noreserve", "no swap reserved" },
	{ MMLENS_VMA_HUGETLB, "ht", "hugetlb", "of hugetlb pages" },
	{ MMLENS_VMA_SYNC, "sf", "sync", "synchronous page faults" },
	{ MMLENS_VMA_ARCH_1, "ar", "arch_1", "the architecture's own" },
	{ MMLENS_VMA_WIPEONFORK, "wf", "wipeonfork", "empty after fork" },
	{ MMLENS_VMA_DONTDUMP, "dd", "dontdump", "not in core dumps" },
	{ MMLENS_VMA_SOFTDIRTY, "sd", "softdirty", "all of it soft-dirty" },
	{ MMLENS_VMA_MIXEDMAP, "mm", "mixedmap",
	  "pages with and without struct page" },
	{ MMLENS_VMA_HUGEPAGE, "hg", "hugepage", "MADV_HUGEPAGE" },
	{ MMLENS_VMA_NOHUGEPAGE, "nh", "nohugepage", "MADV_NOHUGEPAGE" },
	{ MMLENS_VMA_MERGEABLE, "mg", "mergeable", "KSM may merge its pages" },
	{ MMLENS_VMA_UFFD_MISSING, "um", "uffd_missing",
	  "userfaultfd: missing pages" },
	{ MMLENS_VMA_UFFD_WP, "uw", "uffd_wp",
	  "userfaultfd: write protection" },
	{ MMLENS_VMA_UFFD_MINOR, "ui", "uffd_minor",
	  "userfaultfd: minor faults" },
	{ MMLENS_VMA_UFFD_RWP, "ur", "uffd_rwp",
	  "userfaultfd: read and write protection" },
	{ MMLENS_VMA_SHADOW_STACK, "ss", "shadow_stack", "shadow stack" },
	{ MMLENS_VMA_DROPPABLE, "dp", "droppable", "may be dropped" },
	{ MMLENS_VMA_SEALED, "sl", "sealed", "mseal()ed" },
	{ MMLENS_VMA_MAYBE_GUARD, "gu", "maybe_guard",
	  "may hold guard regions" },
	{ MMLENS_VMA_DENYWRITE, "dw", "denywrite",
	  "its file can't be written to" },
	{ MMLENS_VMA_BTI, "bt", "bti", "branch target identification" },
	{ MMLENS_VMA_MTE, "mt", "mte", "memory tagging" },
	{ MMLENS_VMA_FILE, "", "file", "maps a file" },
	{ MMLENS_VMA_STACK, "", "stack", "holds the initial stack" },
	{ MMLENS_VMA_HEAP, "", "heap", "holds the program break" },
	{ MMLENS_VMA_NAMED, "", "named", "has a name" },
	{ MMLENS_VMA_ANON, "", "anon", "anonymous" },
	{ MMLENS_VMA_SHMEM, "", "shmem", "of shared memory or tmpfs" },
	{}
};

static const struct mmlens_flag marker_flags[] = {
	{ MMLENS_MARKER_UFFD, "u", "uffd", "userfaultfd write protection" },
	{ MMLENS_MARKER_POISON, "p", "poison", "an access gets SIGBUS" },
	{ MMLENS_MARKER_GUARD, "g", "guard", "an access gets SIGSEGV" },
	{}
};

static const struct mmlens_flag field_flags[] = {
	{ MMLENS_FIELD_SOFT_DIRTY, "", "soft_dirty", "soft-dirty tracking" },
	{ MMLENS_FIELD_UFFD_WP, "", "uffd_wp",
	  "userfaultfd write protection" },
	{ MMLENS_FIELD_ANON_EXCLUSIVE, "", "anon_exclusive",
	  "which anonymous pages are exclusive" },
	{ MMLENS_FIELD_MARKERS, "", "markers", "PTE markers" },
	{ MMLENS_FIELD_PAGE_MAPCOUNT, "", "page_mapcount",
	  "how often each page is mapped" },
	{}
};

static const struct mmlens_flag query_flags[] = {
	{ 1u << MMLENS_NR_INFO, "", "info", "what the module is" },
	{ 1u << MMLENS_NR_VMAS, "", "vmas", "virtual memory areas" },
	{ 1u << MMLENS_NR_PTES, "", "ptes", "page-table entries" },
	{ 1u << MMLENS_NR_VTOP, "", "vtop", "translation of an address" },
	{ 1u << MMLENS_NR_SMAPS, "", "smaps", "sums over the pages of a VMA" },
	{ 1u << MMLENS_NR_NUMA_MAPS, "", "numa_maps", "nodes of a VMA's pages" },
	{ 1u << MMLENS_NR_TABLES, "", "tables", "page-table pages" },
	{ 1u << MMLENS_NR_PROCS, "", "procs", "processes" },
	{ 1u << MMLENS_NR_ZONES, "", "zones", "nodes and zones" },
	{ 1u << MMLENS_NR_FREE, "", "free", "lists of free blocks" },
	{ 1u << MMLENS_NR_PAGEBLOCKS, "", "pageblocks", "page blocks" },
	{ 1u << MMLENS_NR_PAGES, "", "pages", "every page frame" },
	{ 1u << MMLENS_NR_USERS, "", "users", "who maps page frames" },
	{ 1u << MMLENS_NR_KMAP, "", "kmap", "the kernel's own page table" },
	{ 1u << MMLENS_NR_LRU, "", "lru", "the LRU lists" },
	{}
};

static const struct mmlens_flag table_flags[] = {
	{ MMLENS_TABLE_DEPOSITED, "d", "deposited",
	  "kept beside a huge page, for when it is split" },
	{ MMLENS_TABLE_SHARED, "s", "shared",
	  "of hugetlb, other processes have it too" },
	{ MMLENS_TABLE_UNCOUNTED, "u", "uncounted", "VmPTE doesn't count it" },
	{}
};

static const struct mmlens_flag proc_flags[] = {
	{ MMLENS_PROC_KTHREAD, "", "kthread", "a kernel thread" },
	{ MMLENS_PROC_NO_MM, "", "no_mm", "has no address space" },
	{ MMLENS_PROC_RACED, "", "raced",
	  "ended or executed another program during the walk" },
	{}
};

/* Those of an entry itself are in pte_flags, by the same names. */
static const struct mmlens_flag effective_flags[] = {
	{ MMLENS_EFF_USER, "u", "user", "user mode may access" },
	{ MMLENS_EFF_WRITE, "w", "rw", "writable" },
	{ MMLENS_EFF_NX, "n", "nx", "not executable" },
	{}
};

/*
 * Bits of kernel-page-flags.h, and those above 31 that only fs/proc/page.c
 * and page-types know.  Letters as page-types has them, but for arch_2, whose
 * it has twice, and arch_3, which it doesn't know.
 */
#define KPF(bit) (1ull << (bit))
static const struct mmlens_flag page_flags[] = {
	{ KPF(0), "L", "locked", "locked, for I/O as a rule" },
	{ KPF(1), "E", "error", "I/O error, of older kernels" },
	{ KPF(2), "R", "referenced", "referenced since it was last looked at" },
	{ KPF(3), "U", "uptodate", "its contents are valid" },
	{ KPF(4), "D", "dirty", "has data that isn't written back" },
	{ KPF(5), "l", "lru", "on an LRU list" },
	{ KPF(6), "A", "active", "on the active one" },
	{ KPF(7), "S", "slab", "of the slab allocator" },
	{ KPF(8), "W", "writeback", "being written back" },
	{ KPF(9), "I", "reclaim", "to be reclaimed once written, or read ahead" },
	{ KPF(10), "B", "buddy", "free" },
	{ KPF(11), "M", "mmap", "mapped" },
	{ KPF(12), "a", "anonymous", "anonymous" },
	{ KPF(13), "s", "swapcache", "has a swap slot" },
	{ KPF(14), "b", "swapbacked", "goes to swap, not to a file" },
	{ KPF(15), "H", "compound_head", "first page of a folio" },
	{ KPF(16), "T", "compound_tail", "another page of a folio" },
	{ KPF(17), "G", "huge", "of hugetlb" },
	{ KPF(18), "u", "unevictable", "can't be reclaimed" },
	{ KPF(19), "X", "hwpoison", "lost to a memory error" },
	{ KPF(20), "n", "nopage", "no page at all" },
	{ KPF(21), "x", "ksm", "merged by KSM" },
	{ KPF(22), "t", "thp", "of a large folio that isn't hugetlb's" },
	{ KPF(23), "o", "offline", "logically offline (a balloon's)" },
	{ KPF(24), "z", "zero_page", "the zero page or the huge one" },
	{ KPF(25), "i", "idle_page", "not accessed since it was marked idle" },
	{ KPF(26), "g", "pgtable", "holds a page table" },
	{ KPF(32), "r", "reserved", "the kernel's or the firmware's" },
	{ KPF(33), "m", "mlocked", "locked in memory" },
	{ KPF(34), "d", "mappedtodisk",
	  "has blocks on disk; of an anonymous page: of one process alone" },
	{ KPF(35), "P", "private", "the filesystem has data of its own for it" },
	{ KPF(36), "p", "private_2", "the same, for caches of filesystems" },
	{ KPF(37), "O", "owner_private", "the owner's own" },
	{ KPF(38), "h", "arch", "the architecture's own" },
	{ KPF(39), "c", "uncached", "mapped uncached, of older kernels" },
	{ KPF(40), "f", "softdirty", "soft-dirty" },
	{ KPF(41), "2", "arch_2", "the architecture's own" },
	{ KPF(42), "3", "arch_3", "the architecture's own" },
	{}
};
#undef KPF

static const char *const lrus[] = {
	[MMLENS_LRU_NONE] = "none",
	[MMLENS_LRU_INACTIVE_ANON] = "inactive_anon",
	[MMLENS_LRU_ACTIVE_ANON] = "active_anon",
	[MMLENS_LRU_INACTIVE_FILE] = "inactive_file",
	[MMLENS_LRU_ACTIVE_FILE] = "active_file",
	[MMLENS_LRU_UNEVICTABLE] = "unevictable",
};

static const char *const migratetypes[] = {
	[MMLENS_MIGRATE_UNMOVABLE] = "unmovable",
	[MMLENS_MIGRATE_MOVABLE] = "movable",
	[MMLENS_MIGRATE_RECLAIMABLE] = "reclaimable",
	[MMLENS_MIGRATE_HIGHATOMIC] = "highatomic",
	[MMLENS_MIGRATE_CMA] = "cma",
	[MMLENS_MIGRATE_ISOLATE] = "isolate",
	[MMLENS_MIGRATE_OTHER] = "other",
};

static const char *const page_kinds[] = {
	[MMLENS_PAGE_KIND_NONE] = "none",
	[MMLENS_PAGE_KIND_BUDDY] = "buddy",
	[MMLENS_PAGE_KIND_OFFLINE] = "offline",
	[MMLENS_PAGE_KIND_TABLE] = "table",
	[MMLENS_PAGE_KIND_GUARD] = "guard",
	[MMLENS_PAGE_KIND_HUGETLB] = "hugetlb",
	[MMLENS_PAGE_KIND_SLAB] = "slab",
	[MMLENS_PAGE_KIND_ZSMALLOC] = "zsmalloc",
	[MMLENS_PAGE_KIND_UNACCEPTED] = "unaccepted",
	[MMLENS_PAGE_KIND_LARGE_KMALLOC] = "large_kmalloc",
	[MMLENS_PAGE_KIND_MAYBE_HUGE_ZERO] = "maybe_huge_zero",
	[MMLENS_PAGE_KIND_OTHER] = "other",
};

static const struct {
	const char *name;
	const char *help;
} buckets[] = {
	[MMLENS_BUCKET_UNTOLD] = { "untold", "no bucket fits" },
	[MMLENS_BUCKET_BUDDY] = { "buddy", "free blocks" },
	[MMLENS_LEDGER_KEPT] = { "kept", "free, kept by CPUs" },
	[MMLENS_BUCKET_INACTIVE_ANON] = { "inactive_anon", "LRU" },
	[MMLENS_BUCKET_ACTIVE_ANON] = { "active_anon", "LRU" },
	[MMLENS_BUCKET_INACTIVE_FILE] = { "inactive_file", "LRU" },
	[MMLENS_BUCKET_ACTIVE_FILE] = { "active_file", "LRU" },
	[MMLENS_BUCKET_UNEVICTABLE] = { "unevictable", "LRU" },
	[MMLENS_BUCKET_ANON] = { "anon", "anonymous, on no LRU list" },
	[MMLENS_BUCKET_MAPPED] = { "mapped", "mapped or shared, on no LRU list" },
	[MMLENS_BUCKET_HUGETLB] = { "hugetlb", "in use" },
	[MMLENS_BUCKET_HUGETLB_FREE] = { "hugetlb_free", "free huge pages" },
	[MMLENS_BUCKET_SLAB] = { "slab", "slab allocator" },
	[MMLENS_BUCKET_TABLE] = { "table", "page tables" },
	[MMLENS_BUCKET_ZSMALLOC] = { "zsmalloc", "compressed memory" },
	[MMLENS_BUCKET_KMALLOC] = { "kmalloc", "too large for slabs" },
	[MMLENS_BUCKET_KERNEL] = { "kernel", "any other in use" },
	[MMLENS_LEDGER_REST] = { "rest", "behind the first page of an allocation" },
	[MMLENS_LEDGER_VMALLOC] = { "vmalloc", "vmalloc, stacks of tasks, modules" },
	[MMLENS_BUCKET_RESERVED] = { "reserved", "taken at boot" },
	[MMLENS_BUCKET_OFFLINE] = { "offline", "ballooned or not accepted" },
	[MMLENS_BUCKET_HWPOISON] = { "hwpoison", "lost to memory errors" },
	[MMLENS_LEDGER_HOLE] = { "hole", "no memory" },
};

static const char *const obstacles[] = {
	[MMLENS_OBSTACLE_KEPT] = "kept",
	[MMLENS_OBSTACLE_MOVABLE] = "movable",
	[MMLENS_OBSTACLE_WRITEBACK] = "writeback",
	[MMLENS_OBSTACLE_MLOCKED] = "mlocked",
	[MMLENS_OBSTACLE_HELD] = "held",
	[MMLENS_OBSTACLE_PINNED] = "pinned",
	[MMLENS_OBSTACLE_FIXED] = "fixed",
};

static const char *const states[] = {
	[MMLENS_STATE_NONE] = "none",
	[MMLENS_STATE_TABLE] = "table",
	[MMLENS_STATE_PRESENT] = "present",
	[MMLENS_STATE_NUMA_HINT] = "numa_hint",
	[MMLENS_STATE_SWAP] = "swap",
	[MMLENS_STATE_MIGRATION] = "migration",
	[MMLENS_STATE_DEVICE_PRIVATE] = "device_private",
	[MMLENS_STATE_DEVICE_EXCLUSIVE] = "device_exclusive",
	[MMLENS_STATE_HWPOISON] = "hwpoison",
	[MMLENS_STATE_MARKER] = "marker",
	[MMLENS_STATE_OTHER] = "other",
};

static const char *const levels[] = {
	[MMLENS_LEVEL_PTE] = "pte",
	[MMLENS_LEVEL_PMD] = "pmd",
	[MMLENS_LEVEL_PUD] = "pud",
	[MMLENS_LEVEL_P4D] = "p4d",
	[MMLENS_LEVEL_PGD] = "pgd",
};

const struct mmlens_flag *mmlens_pte_flags(void)
{
	return pte_flags;
}

const struct mmlens_flag *mmlens_vma_flags(void)
{
	return vma_flags;
}

const struct mmlens_flag *mmlens_marker_flags(void)
{
	return marker_flags;
}

const struct mmlens_flag *mmlens_field_flags(void)
{
	return field_flags;
}

const struct mmlens_flag *mmlens_query_flags(void)
{
	return query_flags;
}

const struct mmlens_flag *mmlens_table_flags(void)
{
	return table_flags;
}

const struct mmlens_flag *mmlens_proc_flags(void)
{
	return proc_flags;
}

const struct mmlens_flag *mmlens_effective_flags(void)
{
	return effective_flags;
}

const struct mmlens_flag *mmlens_page_flags(void)
{
	return page_flags;
}

const char *mmlens_lru_name(unsigned int lru)
{
	return lru < ARRAY_SIZE(lrus) ? lrus[lru] : "?";
}

/* As migratetype_names of mm/page_alloc.c. */
static const char *const migratetype_labels[] = {
	[MMLENS_MIGRATE_UNMOVABLE]   = "Unmovable",
	[MMLENS_MIGRATE_MOVABLE]     = "Movable",
	[MMLENS_MIGRATE_RECLAIMABLE] = "Reclaimable",
	[MMLENS_MIGRATE_HIGHATOMIC]  = "HighAtomic",
	[MMLENS_MIGRATE_CMA]	     = "CMA",
	[MMLENS_MIGRATE_ISOLATE]     = "Isolate",
};

const char *mmlens_migratetype_label(unsigned int migratetype)
{
	return migratetype < ARRAY_SIZE(migratetype_labels) ?
	       migratetype_labels[migratetype] : "Other";
}

const char *mmlens_migratetype_name(unsigned int type)
{
	if (type >= ARRAY_SIZE(migratetypes) || !migratetypes[type])
		return "?";
	return migratetypes[type];
}

const char *mmlens_page_kind_name(unsigned int kind)
{
	if (kind >= ARRAY_SIZE(page_kinds) || !page_kinds[kind])
		return "?";
	return page_kinds[kind];
}

const char *mmlens_bucket_name(unsigned int bucket)
{
	return bucket < ARRAY_SIZE(buckets) ? buckets[bucket].name : "?";
}

const char *mmlens_bucket_help(unsigned int bucket)
{
	return bucket < ARRAY_SIZE(buckets) ? buckets[bucket].help : "?";
}

const char *mmlens_obstacle_name(unsigned int obstacle)
{
	return obstacle < ARRAY_SIZE(obstacles) ? obstacles[obstacle] : "?";
}

static const char *const backing_kinds[] = {
	[MMLENS_BACKING_KIND_NONE]	 = "none",
	[MMLENS_BACKING_KIND_ANON]	 = "anon",
	[MMLENS_BACKING_KIND_KSM]	 = "ksm",
	[MMLENS_BACKING_KIND_SWAP_CACHE] = "swap_cache",
	[MMLENS_BACKING_KIND_FILE]	 = "file",
	[MMLENS_BACKING_KIND_SHMEM]	 = "shmem",
	[MMLENS_BACKING_KIND_HUGETLB]	 = "hugetlb",
	[MMLENS_BACKING_KIND_MOVABLE]	 = "movable",
};

const char *mmlens_backing_kind_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(backing_kinds) ? backing_kinds[kind] : "?";
}

const char *mmlens_state_name(unsigned int state)
{
	if (state >= ARRAY_SIZE(states) || !states[state])
		return "other";
	return states[state];
}

const char *mmlens_level_name(unsigned int level)
{
	if (level >= ARRAY_SIZE(levels) || !levels[level])
		return "?";
	return levels[level];
}
