/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The contract of /dev/mmlens, included by the module and by its readers.
 *
 * Every query is an ioctl that takes one structure, in and out.  Its first
 * member is its size as the caller knows it: a caller that is older than the
 * module has its structure extended with zeroes, one that is newer is refused
 * with E2BIG unless all that the module doesn't know is zero.
 *
 * A walk writes records to the caller's buffer.  Each record begins with
 * struct mmlens_record, which says its type and size; a reader skips a type
 * that it doesn't know by its size.  A new meaning gets a new type, a type
 * never changes its meaning, and a record only ever grows at its end.
 *
 * All members have the same offset and size for 32-bit and 64-bit callers.
 * Every byte of a record is written: padding and reserved members are zero.
 *
 * Access: CAP_SYS_ADMIN in the initial user namespace, checked on open and
 * again on every call, and no kernel lockdown in confidentiality mode.
 */
#ifndef _UAPI_MMLENS_H
#define _UAPI_MMLENS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MMLENS_DEVICE		"/dev/mmlens"

/* Revision of this contract; grows when something is added to it. */
#define MMLENS_ABI		4

/* ------------------------------------------------------------------------
 * Records
 */

/**
 * enum mmlens_record_type - What a record is.
 * @MMLENS_REC_VMA:	&struct mmlens_vma
 * @MMLENS_REC_NAME:	&struct mmlens_name, the name of the VMA before it
 * @MMLENS_REC_PTE:	&struct mmlens_pte, one page-table entry
 * @MMLENS_REC_HOLE:	&struct mmlens_hole, a range of empty entries
 * @MMLENS_REC_LEVEL:	&struct mmlens_level, one step of a translation
 * @MMLENS_REC_SMAPS:	&struct mmlens_smaps, the sums of the VMA before it
 * @MMLENS_REC_RUN:	&struct mmlens_run, page-table entries in a row
 * @MMLENS_REC_PAGE:	&struct mmlens_page, entries with the state of their pages
 * @MMLENS_REC_NUMA:	&struct mmlens_numa, the policy and nodes of the VMA
 *			before it
 * @MMLENS_REC_NODE:	&struct mmlens_node, one node's part of the NUMA record
 *			before it
 * @MMLENS_REC_TABLE:	&struct mmlens_table, one page-table page
 * @MMLENS_REC_PROC:	&struct mmlens_proc, one process
 * @MMLENS_REC_MEMNODE:	&struct mmlens_memnode, a NUMA node's memory
 * @MMLENS_REC_ZONE:	&struct mmlens_zone, a zone of the node before it
 * @MMLENS_REC_COUNTERS: &struct mmlens_counters, numbers of the node or zone
 *			before it
 * @MMLENS_REC_PAGESET:	&struct mmlens_pageset, what a CPU keeps of the zone
 *			before it
 * @MMLENS_REC_BLOCKS:	&struct mmlens_blocks, free blocks in the order of a list
 * @MMLENS_REC_PAGEBLOCKS: &struct mmlens_pageblocks, page blocks in a row
 * @MMLENS_REC_PFNS:	&struct mmlens_pfns, page frames in a row with their state
 * @MMLENS_REC_USER:	&struct mmlens_user, where a process maps page frames
 * @MMLENS_REC_BACKING:	&struct mmlens_backing, what backs the page frames of the
 *			PFNS record before it
 * @MMLENS_REC_REGION:	&struct mmlens_region, a part of the kernel's addresses
 * @MMLENS_REC_KMAP:	&struct mmlens_kmap, entries of the kernel's page table in
 *			a row
 * @MMLENS_REC_LRU:	&struct mmlens_lru_list, an LRU list, or a part of it
 */
enum mmlens_record_type {
	MMLENS_REC_VMA		= 1,
	MMLENS_REC_NAME		= 2,
	MMLENS_REC_PTE		= 3,
	MMLENS_REC_HOLE		= 4,
	MMLENS_REC_LEVEL	= 5,
	MMLENS_REC_SMAPS	= 6,
	MMLENS_REC_RUN		= 7,
	MMLENS_REC_PAGE		= 8,
	MMLENS_REC_NUMA		= 9,
	MMLENS_REC_NODE		= 10,
	MMLENS_REC_TABLE	= 11,
	MMLENS_REC_PROC		= 12,
	MMLENS_REC_MEMNODE	= 13,
	MMLENS_REC_ZONE		= 14,
	MMLENS_REC_COUNTERS	= 15,
	MMLENS_REC_PAGESET	= 16,
	MMLENS_REC_BLOCKS	= 17,
	MMLENS_REC_PAGEBLOCKS	= 18,
	MMLENS_REC_PFNS		= 19,
	MMLENS_REC_USER		= 20,
	MMLENS_REC_BACKING	= 21,
	MMLENS_REC_REGION	= 22,
	MMLENS_REC_KMAP		= 23,
	MMLENS_REC_LRU		= 24,
};

/**
 * enum mmlens_level_id - Level of a page table, counted from the leaves.
 *
 * A level that this kernel folds (p4d without five-level paging) has no
 * entries of its own and never stands in a record.
 */
enum mmlens_level_id {
	MMLENS_LEVEL_NONE	= 0,	/* the record isn't of a page table */
	MMLENS_LEVEL_PTE	= 1,
	MMLENS_LEVEL_PMD	= 2,
	MMLENS_LEVEL_PUD	= 3,
	MMLENS_LEVEL_P4D	= 4,
	MMLENS_LEVEL_PGD	= 5,
};

/**
 * struct mmlens_record - Head of every record.
 * @size:	bytes from here to the next record, a multiple of 8
 * @type:	&enum mmlens_record_type
 * @level:	&enum mmlens_level_id
 */
struct mmlens_record {
	__u16 size;
	__u8 type;
	__u8 level;
};

/* ---- page-table entries ---- */

/* The low four bits of mmlens_pte.flags: what the entry is. */
#define MMLENS_PTE_STATE	0x0000000fu

/**
 * enum mmlens_pte_state - What a page-table entry is.
 *
 * Mirrors include/linux/leafops.h (swapops.h before 6.19) of the kernel.
 *
 * @MMLENS_STATE_NONE:	 empty
 * @MMLENS_STATE_TABLE:	 present, points to the next level's table
 * @MMLENS_STATE_PRESENT: present leaf; value is the PFN.  A leaf that the
 *			 hardware doesn't see because its VMA allows no access
 *			 is present, with %MMLENS_PTE_PROT_NONE.
 * @MMLENS_STATE_NUMA_HINT: the same in a VMA that allows access: NUMA
 *			 balancing waits for the fault.  value is the true PFN.
 * @MMLENS_STATE_SWAP:	 swapped out; value is a swap slot
 * @MMLENS_STATE_MIGRATION: the page is being moved; value is the PFN that
 *			 it leaves
 * @MMLENS_STATE_DEVICE_PRIVATE: the page is in a device's memory; value is
 *			 its PFN
 * @MMLENS_STATE_DEVICE_EXCLUSIVE: a device holds the page for itself; value
 *			 is its PFN
 * @MMLENS_STATE_HWPOISON: the page was lost to a memory error; value is its
 *			 PFN
 * @MMLENS_STATE_MARKER: no page, but something to remember; value has
 *			 MMLENS_MARKER_* bits
 * @MMLENS_STATE_OTHER:	 none of the above; raw tells
 */
enum mmlens_pte_state {
	MMLENS_STATE_NONE		= 0,
	MMLENS_STATE_TABLE		= 1,
	MMLENS_STATE_PRESENT		= 2,
	MMLENS_STATE_NUMA_HINT		= 3,
	MMLENS_STATE_SWAP		= 4,
	MMLENS_STATE_MIGRATION		= 5,
	MMLENS_STATE_DEVICE_PRIVATE	= 6,
	MMLENS_STATE_DEVICE_EXCLUSIVE	= 7,
	MMLENS_STATE_HWPOISON		= 8,
	MMLENS_STATE_MARKER		= 9,
	MMLENS_STATE_OTHER		= 15,
};

/*
 * The other bits of mmlens_pte.flags.  On a non-present entry a bit is set
 * where the kernel keeps that fact in it (soft-dirty, uffd-wp, a migration
 * entry's accessed and dirty, ...).
 */
#define MMLENS_PTE_USER		(1u << 4)  /* user mode may access */
#define MMLENS_PTE_WRITE	(1u << 5)  /* writable; of a migration or
					    * device entry: was writable */
#define MMLENS_PTE_NX		(1u << 6)  /* not executable */
#define MMLENS_PTE_ACCESSED	(1u << 7)
#define MMLENS_PTE_DIRTY	(1u << 8)
#define MMLENS_PTE_GLOBAL	(1u << 9)
#define MMLENS_PTE_LEAF		(1u << 10) /* maps a page above level PTE */
#define MMLENS_PTE_HUGETLB	(1u << 11) /* of a hugetlb VMA */
#define MMLENS_PTE_SPECIAL	(1u << 12) /* no struct page to be used */
#define MMLENS_PTE_DEVMAP	(1u << 13) /* of ZONE_DEVICE, before 6.17 */
#define MMLENS_PTE_SOFT_DIRTY	(1u << 14) /* as pagemap's bit 55: the entry's
					    * own or its whole VMA's */
#define MMLENS_PTE_UFFD_WP	(1u << 15) /* as pagemap's bit 57 */
#define MMLENS_PTE_PROT_NONE	(1u << 16)
#define MMLENS_PTE_ZERO		(1u << 17) /* the zero page or the huge one */
#define MMLENS_PTE_ANON_EXCLUSIVE (1u << 18) /* anonymous page of this process
					    * alone (5.19 and later): as a swap
					    * or migration entry keeps it; of a
					    * present one PageAnonExclusive,
					    * with %MMLENS_WALK_PAGE */
/*
 * Effective permissions of a present leaf: this entry's and those of all the
 * levels above it.  In &struct mmlens_level: down to this level.
 */
#define MMLENS_EFF_USER	(1u << 19)
#define MMLENS_EFF_WRITE	(1u << 20)
#define MMLENS_EFF_NX	(1u << 21)
/* Only with %MMLENS_WALK_PAGE: they are read from struct page. */
#define MMLENS_PTE_FILE		(1u << 24) /* as pagemap's bit 61: page of a
					    * file or of shared memory */
#define MMLENS_PTE_EXCLUSIVE	(1u << 25) /* as pagemap's bit 56: mapped once,
					    * as far as this kernel tells; of
					    * a leaf: its first page */

/* value of MMLENS_STATE_SWAP */
#define MMLENS_SWAP_TYPE(value)		((__u32)((value) >> 58))
#define MMLENS_SWAP_OFFSET(value)	((value) & ((1ull << 58) - 1))

/* value of MMLENS_STATE_MARKER */
#define MMLENS_MARKER_UFFD	(1u << 0)
#define MMLENS_MARKER_POISON	(1u << 1) /* swap-in error, 6.0 and later */
#define MMLENS_MARKER_GUARD	(1u << 2) /* MADV_GUARD_INSTALL, 6.13 on */

/**
 * struct mmlens_pte - One page-table entry, at the level that the head names.
 * @head:	%MMLENS_REC_PTE
 * @flags:	&enum mmlens_pte_state and MMLENS_PTE_*
 * @va:		first user address that the entry translates
 * @raw:	the entry as the architecture holds it
 * @value:	PFN of the first 4 KiB (base-size) page at @va, swap slot or
 *		marker, as the state says; else 0
 */
struct mmlens_pte {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 raw;
	__u64 value;
};

/**
 * struct mmlens_run - Entries of one table that differ at most in their PFN,
 * with %MMLENS_WALK_RUNS.
 * @head:	%MMLENS_REC_RUN; the record's size depends on @count
 * @flags:	as in &struct mmlens_pte, of each of them
 * @va:		first user address that the first of them translates
 * @value:	PFN of the first of them
 * @count:	how many, at least 2; they translate consecutive addresses
 * @reserved:	0
 * @raw:	the entries as the architecture holds them.  Nothing but the PFN
 *		differs, so that of entry i is
 *		@value + ((__s64)(raw[i] - raw[0]) >> page_shift).
 */
struct mmlens_run {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 value;
	__u32 count;
	__u32 reserved;
	__u64 raw[];
};

/**
 * enum mmlens_lru - Which LRU list a page's folio stands on.
 *
 * As enum lru_list of include/linux/mmzone.h, and 0 for none of them.  With
 * the multi-generational LRU the folio is in a generation of that type instead
 * (&struct mmlens_page.generation).
 */
enum mmlens_lru {
	MMLENS_LRU_NONE			= 0,
	MMLENS_LRU_INACTIVE_ANON	= 1,
	MMLENS_LRU_ACTIVE_ANON		= 2,
	MMLENS_LRU_INACTIVE_FILE	= 3,
	MMLENS_LRU_ACTIVE_FILE		= 4,
	MMLENS_LRU_UNEVICTABLE		= 5,
};

/**
 * struct mmlens_page - Present entries with the state of their pages, with
 * %MMLENS_WALK_STATE.
 * @head:	%MMLENS_REC_PAGE
 * @flags:	as in &struct mmlens_pte, of each of them
 * @va:		first user address that the first of them translates
 * @raw:	the first entry as the architecture holds it; those behind it
 *		differ in the PFN alone
 * @value:	PFN of the first; each one's is one above that of the one before
 * @page_flags:	bits of include/uapi/linux/kernel-page-flags.h (KPF_*), of each;
 *		those that only fs/proc/page.c names (from 32 on) too
 * @memcg:	inode number of the memory cgroup that the pages are charged to,
 *		as kpagecgroup; 0 for none
 * @count:	how many entries; 1 for a leaf above level PTE, whose page state
 *		is that of its first page
 * @mapcount:	of each page, as kpagecount
 * @folio_index: pages between the folio's first and the first of these
 * @order:	log2 of the pages in the folio
 * @lru:	&enum mmlens_lru
 * @generation:	0: in none; else 1 + the index of its generation (sequence
 *		number modulo 4)
 * @tier:	its tier there
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @reserved:	0
 *
 * Mirrors stable_page_flags() and its kin in fs/proc/page.c.
 */
struct mmlens_page {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 raw;
	__u64 value;
	__u64 page_flags;
	__u64 memcg;
	__u32 count;
	__s32 mapcount;
	__u32 folio_index;
	__u8 order;
	__u8 lru;
	__u8 generation;
	__u8 tier;
	__u16 node;
	__u8 zone;
	__u8 reserved[5];
};

/**
 * struct mmlens_hole - Empty entries, with %MMLENS_WALK_ABSENT.
 * @head:	%MMLENS_REC_HOLE, at the level whose entry is empty
 * @reserved:	0
 * @start:	first address
 * @end:	address after the last.  Neighbouring holes aren't merged.
 */
struct mmlens_hole {
	struct mmlens_record head;
	__u32 reserved;
	__u64 start;
	__u64 end;
};

/**
 * struct mmlens_level - One step of the translation of an address.
 * @head:	%MMLENS_REC_LEVEL
 * @flags:	as in &struct mmlens_pte; state TABLE where the walk goes on
 * @va:		first address that the entry translates
 * @raw:	the entry as the architecture holds it
 * @value:	as in &struct mmlens_pte; of a table its PFN
 * @table_pfn:	PFN of the page-table page that the entry stands in
 * @index:	the entry's index in that table
 * @reserved:	0
 */
struct mmlens_level {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 raw;
	__u64 value;
	__u64 table_pfn;
	__u32 index;
	__u32 reserved;
};

/* ---- virtual memory areas ---- */

/*
 * mmlens_vma.flags: the kernel's VM_* flags at fixed places, in the order of
 * VmFlags in Documentation/filesystems/proc.rst.
 */
#define MMLENS_VMA_READ		(1ull << 0)	/* rd */
#define MMLENS_VMA_WRITE	(1ull << 1)	/* wr */
#define MMLENS_VMA_EXEC		(1ull << 2)	/* ex */
#define MMLENS_VMA_SHARED	(1ull << 3)	/* sh */
#define MMLENS_VMA_MAYREAD	(1ull << 4)	/* mr */
#define MMLENS_VMA_MAYWRITE	(1ull << 5)	/* mw */
#define MMLENS_VMA_MAYEXEC	(1ull << 6)	/* me */
#define MMLENS_VMA_MAYSHARE	(1ull << 7)	/* ms */
#define MMLENS_VMA_GROWSDOWN	(1ull << 8)	/* gd */
#define MMLENS_VMA_PFNMAP	(1ull << 9)	/* pf */
#define MMLENS_VMA_LOCKED	(1ull << 10)	/* lo */
#define MMLENS_VMA_IO		(1ull << 11)	/* io */
#define MMLENS_VMA_SEQ_READ	(1ull << 12)	/* sr */
#define MMLENS_VMA_RAND_READ	(1ull << 13)	/* rr */
#define MMLENS_VMA_DONTCOPY	(1ull << 14)	/* dc */
#define MMLENS_VMA_DONTEXPAND	(1ull << 15)	/* de */
#define MMLENS_VMA_LOCKONFAULT	(1ull << 16)	/* lf */
#define MMLENS_VMA_ACCOUNT	(1ull << 17)	/* ac */
#define MMLENS_VMA_NORESERVE	(1ull << 18)	/* nr */
#define MMLENS_VMA_HUGETLB	(1ull << 19)	/* ht */
#define MMLENS_VMA_SYNC		(1ull << 20)	/* sf */
#define MMLENS_VMA_ARCH_1	(1ull << 21)	/* ar */
#define MMLENS_VMA_WIPEONFORK	(1ull << 22)	/* wf */
#define MMLENS_VMA_DONTDUMP	(1ull << 23)	/* dd */
#define MMLENS_VMA_SOFTDIRTY	(1ull << 24)	/* sd */
#define MMLENS_VMA_MIXEDMAP	(1ull << 25)	/* mm */
#define MMLENS_VMA_HUGEPAGE	(1ull << 26)	/* hg */
#define MMLENS_VMA_NOHUGEPAGE	(1ull << 27)	/* nh */
#define MMLENS_VMA_MERGEABLE	(1ull << 28)	/* mg */
#define MMLENS_VMA_UFFD_MISSING	(1ull << 29)	/* um */
#define MMLENS_VMA_UFFD_WP	(1ull << 30)	/* uw */
#define MMLENS_VMA_UFFD_MINOR	(1ull << 31)	/* ui */
#define MMLENS_VMA_UFFD_RWP	(1ull << 32)	/* ur */
#define MMLENS_VMA_SHADOW_STACK	(1ull << 33)	/* ss */
#define MMLENS_VMA_DROPPABLE	(1ull << 34)	/* dp */
#define MMLENS_VMA_SEALED	(1ull << 35)	/* sl */
#define MMLENS_VMA_MAYBE_GUARD	(1ull << 36)	/* gu */
#define MMLENS_VMA_DENYWRITE	(1ull << 37)	/* dw, before 5.15 */
#define MMLENS_VMA_BTI		(1ull << 38)	/* bt, arm64 */
#define MMLENS_VMA_MTE		(1ull << 39)	/* mt, arm64 */
/* Not flags of the kernel but facts about the VMA. */
#define MMLENS_VMA_FILE		(1ull << 56)	/* vm_file is set: device,
						 * inode and offset are its */
#define MMLENS_VMA_STACK	(1ull << 57)	/* holds the initial stack */
#define MMLENS_VMA_HEAP		(1ull << 58)	/* holds the program break */
#define MMLENS_VMA_NAMED	(1ull << 59)	/* a NAME record follows */
#define MMLENS_VMA_ANON		(1ull << 60)	/* anonymous: no vm_ops */
#define MMLENS_VMA_SHMEM	(1ull << 61)	/* its file is of shmem/tmpfs */

/**
 * enum mmlens_thp - Whose settings decide whether a VMA may have large folios.
 * @MMLENS_THP_NEVER:	none: the VMA can't
 * @MMLENS_THP_ANON:	/sys/kernel/mm/transparent_hugepage/enabled, and that of
 *			each size where the kernel has them; "madvise" allows
 *			VMAs with %MMLENS_VMA_HUGEPAGE
 * @MMLENS_THP_SHMEM:	shmem_enabled there, and that of each size where the
 *			kernel has them, for shmem without a mount option (see
 *			@thp_mount of &struct mmlens_vma)
 * @MMLENS_THP_FILE:	enabled there, the common one
 * @MMLENS_THP_ALWAYS:	none: the VMA may
 */
enum mmlens_thp {
	MMLENS_THP_NEVER	= 0,
	MMLENS_THP_ANON		= 1,
	MMLENS_THP_SHMEM	= 2,
	MMLENS_THP_FILE		= 3,
	MMLENS_THP_ALWAYS	= 4,
};

/**
 * struct mmlens_vma - One VMA; a &struct mmlens_name follows if it has a name.
 * @head:	%MMLENS_REC_VMA
 * @page_shift:	log2 of the size in bytes of the pages that back it
 *		(KernelPageSize in smaps)
 * @start:	first address
 * @end:	address after the last
 * @flags:	MMLENS_VMA_*
 * @raw_flags:	vm_flags as this kernel has them
 * @offset:	bytes into the file; 0 without one
 * @inode:	number of the file's inode; 0 without one
 * @dev_major:	of the file's device
 * @dev_minor:	of the file's device
 * @pkey:	protection key, 0 without
 * @thp_orders:	bit N: a folio of order N fits into the VMA, and nothing but a
 *		setting keeps it out
 * @thp:	&enum mmlens_thp
 * @thp_mount:	of %MMLENS_THP_SHMEM: the mount's huge= option, 0 never,
 *		1 always, 2 within_size, 3 advise; 255: the kernel's own mount,
 *		which shmem_enabled decides for
 * @thp_within:	of %MMLENS_THP_SHMEM: the highest order that within_size allows
 *		for the size of the file; 0: none
 * @thp_mount_within: the same where it is the mount's option: up to
 *		6.12 that is about the order that a PMD maps alone
 * @reserved:	0
 *
 * Mirrors show_map_vma() of fs/proc/task_mmu.c.
 */
struct mmlens_vma {
	struct mmlens_record head;
	__u32 page_shift;
	__u64 start;
	__u64 end;
	__u64 flags;
	__u64 raw_flags;
	__u64 offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 pkey;
	__u32 thp_orders;
	__u8 thp;
	__u8 thp_mount;
	__u8 thp_within;
	__u8 thp_mount_within;
	__u8 reserved[4];
};

/**
 * struct mmlens_name - The name of the VMA in the record before.
 * @head:	%MMLENS_REC_NAME; the record's size depends on the name's
 * @length:	bytes in @name without its end
 * @name:	as /proc/PID/maps has it, but with nothing escaped: a path (with
 *		" (deleted)" behind it where that is so), "[heap]", "[stack]",
 *		"[vdso]", "[anon:NAME]", "[anon_shmem:NAME]", ...; NUL bytes
 *		fill the record
 */
struct mmlens_name {
	struct mmlens_record head;
	__u32 length;
	char name[];
};

/* mmlens_smaps.flags */
/*
 * The VMA changed while its pages were summed up: the sums end where that was
 * noticed, and what is mapped from there on follows as another VMA.
 */
#define MMLENS_SMAPS_RACED	(1u << 0)

/**
 * struct mmlens_smaps - Sums over the pages that a VMA maps, in bytes.
 * @head:	%MMLENS_REC_SMAPS
 * @flags:	MMLENS_SMAPS_*
 * @rss:	Rss
 * @pss:	Pss; this and the other pss members have 12 fractional bits
 * @pss_anon:	Pss_Anon of smaps_rollup
 * @pss_file:	Pss_File of smaps_rollup
 * @pss_shmem:	Pss_Shmem of smaps_rollup
 * @pss_dirty:	Pss_Dirty
 * @pss_locked:	Locked
 * @shared_clean: Shared_Clean
 * @shared_dirty: Shared_Dirty
 * @private_clean: Private_Clean
 * @private_dirty: Private_Dirty
 * @referenced:	Referenced
 * @anonymous:	Anonymous
 * @ksm:	KSM
 * @lazyfree:	LazyFree
 * @anon_huge:	AnonHugePages
 * @shmem_huge:	ShmemPmdMapped
 * @file_huge:	FilePmdMapped
 * @shared_hugetlb: Shared_Hugetlb
 * @private_hugetlb: Private_Hugetlb
 * @swap:	Swap
 * @swap_anon:	the part of @swap that stands in page tables: SwapPss is 0 where
 *		this is, and can't be known from here otherwise (how often a
 *		swap slot is used isn't exported by the kernel)
 *
 * Mirrors smap_gather_stats() of fs/proc/task_mmu.c.
 */
struct mmlens_smaps {
	struct mmlens_record head;
	__u32 flags;
	__u64 rss;
	__u64 pss;
	__u64 pss_anon;
	__u64 pss_file;
	__u64 pss_shmem;
	__u64 pss_dirty;
	__u64 pss_locked;
	__u64 shared_clean;
	__u64 shared_dirty;
	__u64 private_clean;
	__u64 private_dirty;
	__u64 referenced;
	__u64 anonymous;
	__u64 ksm;
	__u64 lazyfree;
	__u64 anon_huge;
	__u64 shmem_huge;
	__u64 file_huge;
	__u64 shared_hugetlb;
	__u64 private_hugetlb;
	__u64 swap;
	__u64 swap_anon;
};

/* ---- NUMA ---- */

/* Nodes from here on aren't told. */
#define MMLENS_MAX_NODES	128

/**
 * struct mmlens_numa - Where the pages of a VMA are, with %MMLENS_NUMA_MAPS; a
 * &struct mmlens_node for each node that has some follows.
 * @head:	%MMLENS_REC_NUMA
 * @flags:	%MMLENS_SMAPS_RACED, as there
 * @mode:	MPOL_* of include/uapi/linux/mempolicy.h of the policy that holds
 *		at the VMA's start, without its flags; MPOL_DEFAULT: none
 * @mode_flags:	MPOL_F_* of the same header
 * @policy_nodes: the policy's nodes, bit N of word N / 64
 * @pages:	pages mapped; of hugetlb, huge pages
 * @anon:	of them anonymous
 * @dirty:	of them dirty
 * @mapcount_max: the highest mapcount
 * @swapcache:	of them in the swap cache
 * @active:	of them active or unevictable
 * @writeback:	of them under writeback
 *
 * Mirrors struct numa_maps of fs/proc/task_mmu.c.
 */
struct mmlens_numa {
	struct mmlens_record head;
	__u32 flags;
	__u32 mode;
	__u32 mode_flags;
	__u64 policy_nodes[MMLENS_MAX_NODES / 64];
	__u64 pages;
	__u64 anon;
	__u64 dirty;
	__u64 mapcount_max;
	__u64 swapcache;
	__u64 active;
	__u64 writeback;
};

/**
 * struct mmlens_node - Pages on one node.
 * @head:	%MMLENS_REC_NODE
 * @node:	the node
 * @pages:	how many of &struct mmlens_numa.pages
 */
struct mmlens_node {
	struct mmlens_record head;
	__u32 node;
	__u64 pages;
};

/* ---- page tables themselves ---- */

/* mmlens_table.flags */
/* Isn't in use: kept beside a huge PMD, for when it is split.  No @pfn. */
#define MMLENS_TABLE_DEPOSITED	(1u << 0)
/* Of hugetlb, and other processes have it too. */
#define MMLENS_TABLE_SHARED	(1u << 1)
/* VmPTE of /proc/PID/status doesn't count it (PGD, P4D). */
#define MMLENS_TABLE_UNCOUNTED	(1u << 2)

/**
 * struct mmlens_table - One page-table page.
 * @head:	%MMLENS_REC_TABLE, at the level of the entries in it
 * @flags:	MMLENS_TABLE_*
 * @va:		first user address that it translates
 * @pfn:	its PFN
 * @node:	its NUMA node
 * @entries:	entries in it for user addresses
 * @used:	of them not empty
 */
struct mmlens_table {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 pfn;
	__u32 node;
	__u16 entries;
	__u16 used;
};

/* ---- processes ---- */

/* mmlens_proc.flags */
#define MMLENS_PROC_KTHREAD	(1u << 0)	/* a kernel thread */
#define MMLENS_PROC_NO_MM	(1u << 1)	/* no address space: a kernel
						 * thread or a zombie */
/* The process ended or executed another program while it was summed up. */
#define MMLENS_PROC_RACED	(1u << 2)

/**
 * struct mmlens_proc - One process.  With %MMLENS_WALK_TOTAL a
 * &struct mmlens_smaps over all of its VMAs follows, unless %MMLENS_PROC_NO_MM
 * or %MMLENS_PROC_RACED is set.
 * @head:	%MMLENS_REC_PROC
 * @flags:	MMLENS_PROC_*
 * @pid:	as the caller's PID namespace numbers it
 * @ppid:	its parent's, 0 where that isn't in the namespace
 * @uid:	effective user ID, as the caller's user namespace numbers it
 * @threads:	how many it has
 * @start_ns:	when it was started, nanoseconds since boot
 * @vsize:	VmSize of /proc/PID/status; this and what follows in bytes
 * @rss_anon:	RssAnon, as the kernel counts it (per CPU since 6.2: it may be
 *		off by some pages a CPU)
 * @rss_file:	RssFile
 * @rss_shmem:	RssShmem
 * @swap:	VmSwap
 * @tables:	VmPTE
 * @comm:	name as in /proc/PID/comm, NUL-terminated
 */
struct mmlens_proc {
	struct mmlens_record head;
	__u32 flags;
	__s32 pid;
	__s32 ppid;
	__u32 uid;
	__u32 threads;
	__u64 start_ns;
	__u64 vsize;
	__u64 rss_anon;
	__u64 rss_file;
	__u64 rss_shmem;
	__u64 swap;
	__u64 tables;
	char comm[16];
};

/* ---- physical memory: nodes and zones ---- */

/* mmlens_memnode.flags */
#define MMLENS_NODE_KSWAPD_SLEEPS (1u << 0)	/* kswapd waits to be woken */

/**
 * struct mmlens_memnode - A NUMA node that is online, as pg_data_t of the kernel.
 * @head:	%MMLENS_REC_MEMNODE
 * @flags:	MMLENS_NODE_*
 * @node:	its number
 * @zones:	how many zones it has, those without pages included
 * @kswapd_order: order that kswapd was woken for
 * @kswapd_zone: highest zone that it was woken for, @zones when it wasn't
 * @kswapd_failures: runs in a row in which it reclaimed nothing; from 16 on the
 *		kernel takes the node for hopeless and lets it sleep
 * @reserved:	0
 * @start_pfn:	first PFN
 * @spanned:	pages from there to its end, holes included
 * @present:	pages, without holes
 */
struct mmlens_memnode {
	struct mmlens_record head;
	__u32 flags;
	__u32 node;
	__u32 zones;
	__u32 kswapd_order;
	__u32 kswapd_zone;
	__u32 kswapd_failures;
	__u32 reserved;
	__u64 start_pfn;
	__u64 spanned;
	__u64 present;
};

/* mmlens_zone.flags */
#define MMLENS_ZONE_POPULATED	(1u << 0)	/* has pages */

/**
 * struct mmlens_zone - A zone, as struct zone of the kernel; all in pages.
 * @head:	%MMLENS_REC_ZONE
 * @flags:	MMLENS_ZONE_*
 * @node:	its node
 * @index:	its place in the node, 0 for the lowest
 * @start_pfn:	first PFN
 * @spanned:	from there to its end, holes included
 * @present:	without holes
 * @managed:	what the buddy allocator was given
 * @cma:	present pages of the contiguous memory allocator
 * @free:	as the kernel counts them: those in the free lists and those that
 *		CPUs keep, less what CPUs haven't told yet
 * @boost:	what the watermarks are raised by for now; it is in them
 * @min:	watermark below which only the privileged may allocate
 * @low:	watermark that wakes kswapd
 * @high:	watermark at which kswapd sleeps again
 * @promo:	watermark up to which kswapd goes where memory is tiered; 0 before
 *		kernels had it
 * @highatomic:	reserved for urgent allocations of high order
 * @highatomic_free: of them free (6.12 and later; 0 before)
 * @name:	"DMA", "Normal", ..., NUL-terminated
 */
struct mmlens_zone {
	struct mmlens_record head;
	__u32 flags;
	__u32 node;
	__u32 index;
	__u64 start_pfn;
	__u64 spanned;
	__u64 present;
	__u64 managed;
	__u64 cma;
	__u64 free;
	__u64 boost;
	__u64 min;
	__u64 low;
	__u64 high;
	__u64 promo;
	__u64 highatomic;
	__u64 highatomic_free;
	char name[16];
};

/**
 * enum mmlens_counters_kind - What the numbers of a record are.
 * @MMLENS_COUNTERS_NODE: of a node, by enum node_stat_item of this kernel; as
 *		zoneinfo has them, huge pages of some
 * @MMLENS_COUNTERS_ZONE: of a zone, by enum zone_stat_item
 * @MMLENS_COUNTERS_NUMA: of a zone, by enum numa_stat_item: allocations that hit
 *		their node, missed it, ...
 * @MMLENS_COUNTERS_RESERVE: of a zone: pages kept from allocations that could be
 *		of a higher zone, by the index of that
 * @MMLENS_COUNTERS_FREE: of a zone: free blocks in its lists, by order
 *
 * The names of the first three are those in /proc/zoneinfo, in that order.
 */
enum mmlens_counters_kind {
	MMLENS_COUNTERS_NODE	= 1,
	MMLENS_COUNTERS_ZONE	= 2,
	MMLENS_COUNTERS_NUMA	= 3,
	MMLENS_COUNTERS_RESERVE	= 4,
	MMLENS_COUNTERS_FREE	= 5,
};

/**
 * struct mmlens_counters - Numbers in a row.
 * @head:	%MMLENS_REC_COUNTERS
 * @kind:	&enum mmlens_counters_kind
 * @value:	each; the record's size says how many
 */
struct mmlens_counters {
	struct mmlens_record head;
	__u32 kind;
	__u64 value[];
};

/**
 * struct mmlens_pageset - What a CPU keeps of a populated zone, in pages.
 * @head:	%MMLENS_REC_PAGESET
 * @cpu:	the CPU, which is online
 * @count:	free pages that it keeps
 * @high:	above that it gives some back
 * @batch:	how many it takes or gives at once
 * @high_min:	@high moves between this (6.12 and later; @high before)
 * @high_max:	and this
 * @stat_threshold: the zone's counters are told of changes above that
 */
struct mmlens_pageset {
	struct mmlens_record head;
	__u32 cpu;
	__s32 count;
	__s32 high;
	__s32 batch;
	__s32 high_min;
	__s32 high_max;
	__s32 stat_threshold;
};

/**
 * enum mmlens_migratetype - What a page block is for, as enum migratetype of
 * the kernel, whose numbers depend on how it was built.
 * @MMLENS_MIGRATE_UNMOVABLE: allocations that stay where they are
 * @MMLENS_MIGRATE_MOVABLE: those that can be moved
 * @MMLENS_MIGRATE_RECLAIMABLE: caches that can be shrunk
 * @MMLENS_MIGRATE_HIGHATOMIC: the reserve for urgent allocations
 * @MMLENS_MIGRATE_CMA:	the contiguous memory allocator's
 * @MMLENS_MIGRATE_ISOLATE: nothing may be allocated from it for now
 * @MMLENS_MIGRATE_OTHER: none of these
 */
enum mmlens_migratetype {
	MMLENS_MIGRATE_UNMOVABLE	= 0,
	MMLENS_MIGRATE_MOVABLE		= 1,
	MMLENS_MIGRATE_RECLAIMABLE	= 2,
	MMLENS_MIGRATE_HIGHATOMIC	= 3,
	MMLENS_MIGRATE_CMA		= 4,
	MMLENS_MIGRATE_ISOLATE		= 5,
	MMLENS_MIGRATE_OTHER		= 15,
};

/* mmlens_blocks.flags */
#define MMLENS_BLOCKS_LAST	(1u << 0) /* no more of this list follows */
#define MMLENS_BLOCKS_CUT	(1u << 1) /* the list goes on, but was left: it
					   * changed too often between two looks */

/**
 * struct mmlens_blocks - Free blocks, in the order of the list they stand on.
 * @head:	%MMLENS_REC_BLOCKS; the record's size depends on @count
 * @node:	NUMA node
 * @position:	how many blocks of the list stand before the first of these.  It
 *		is the number of those told so far; where it is less, the list
 *		changed under the walk: what was told from there on is void
 * @cpu:	CPU that keeps them; -1: the buddy allocator
 * @zone:	index of the zone in its node
 * @order:	log2 of the pages in each
 * @migratetype: &enum mmlens_migratetype of the list; OTHER: this kernel keeps
 *		several types on it
 * @flags:	MMLENS_BLOCKS_*
 * @count:	how many; 0 of an empty list
 * @pfn:	the first page of each.  An allocation of that order and type takes
 *		the one at position 0
 *
 * Mirrors free_area of struct zone and lists of struct per_cpu_pages
 * (include/linux/mmzone.h).  Each list of each zone with pages comes, the empty
 * ones of the buddy allocator too.  Each record is of one moment.
 */
struct mmlens_blocks {
	struct mmlens_record head;
	__u32 node;
	__u32 position;
	__s32 cpu;
	__u8 zone;
	__u8 order;
	__u8 migratetype;
	__u8 flags;
	__u32 count;
	__u64 pfn[];
};

/**
 * struct mmlens_pageblocks - Page blocks in a row that are alike.
 * @head:	%MMLENS_REC_PAGEBLOCKS
 * @node:	NUMA node
 * @pfn:	of the first block's first page
 * @count:	how many blocks
 * @zone:	index of the zone in its node
 * @order:	log2 of the pages in each
 * @migratetype: &enum mmlens_migratetype
 * @reserved:	0
 *
 * Mirrors get_pageblock_migratetype() of mm/page_alloc.c.  A block whose pages
 * are all offline has no record.
 */
struct mmlens_pageblocks {
	struct mmlens_record head;
	__u32 node;
	__u64 pfn;
	__u32 count;
	__u8 zone;
	__u8 order;
	__u8 migratetype;
	__u8 reserved;
};

/**
 * enum mmlens_page_kind - What a page is, as far as struct page tells and its
 * flags don't.
 * @MMLENS_PAGE_KIND_NONE: nothing is told: what the flags say, or an owner that
 *		leaves no mark
 * @MMLENS_PAGE_KIND_BUDDY: free, in a block of the buddy allocator
 * @MMLENS_PAGE_KIND_OFFLINE: logically offline: a balloon's, or memory that a
 *		hypervisor keeps
 * @MMLENS_PAGE_KIND_TABLE: holds a page table
 * @MMLENS_PAGE_KIND_GUARD: guards an allocation (debug_pagealloc)
 * @MMLENS_PAGE_KIND_HUGETLB: of hugetlb, in use or not
 * @MMLENS_PAGE_KIND_SLAB: of the slab allocator
 * @MMLENS_PAGE_KIND_ZSMALLOC: of zsmalloc (6.12 and later)
 * @MMLENS_PAGE_KIND_UNACCEPTED: free, not accepted from the hypervisor yet (6.12
 *		and later)
 * @MMLENS_PAGE_KIND_LARGE_KMALLOC: kmalloc() of more than slabs have (7.3)
 * @MMLENS_PAGE_KIND_MAYBE_HUGE_ZERO: of a folio that may be the huge zero page,
 *		or a driver's of that size: this kernel doesn't tell (before
 *		7.3).  Its flags lack KPF_ZERO_PAGE and KPF_THP, which
 *		kpageflags has if it is.
 * @MMLENS_PAGE_KIND_OTHER: the kernel has a type for it that isn't known here
 */
enum mmlens_page_kind {
	MMLENS_PAGE_KIND_NONE		= 0,
	MMLENS_PAGE_KIND_BUDDY		= 1,
	MMLENS_PAGE_KIND_OFFLINE	= 2,
	MMLENS_PAGE_KIND_TABLE		= 3,
	MMLENS_PAGE_KIND_GUARD		= 4,
	MMLENS_PAGE_KIND_HUGETLB	= 5,
	MMLENS_PAGE_KIND_SLAB		= 6,
	MMLENS_PAGE_KIND_ZSMALLOC	= 7,
	MMLENS_PAGE_KIND_UNACCEPTED	= 8,
	MMLENS_PAGE_KIND_LARGE_KMALLOC	= 9,
	MMLENS_PAGE_KIND_MAYBE_HUGE_ZERO = 10,
	MMLENS_PAGE_KIND_OTHER		= 15,
};

/**
 * enum mmlens_bucket - What a page is used for: each page is in one.
 * @MMLENS_BUCKET_UNTOLD: struct page doesn't tell: without a reference, and the
 *		buddy allocator doesn't have it.  One that a CPU keeps
 *		(%MMLENS_FREE), or behind the first of an allocation of higher
 *		order, or on its way from one place to another
 * @MMLENS_BUCKET_BUDDY: free, in a block of the buddy allocator
 * @MMLENS_BUCKET_INACTIVE_ANON: on that LRU list, or of that type in a
 *		generation; this and the next four as &enum mmlens_lru
 * @MMLENS_BUCKET_ACTIVE_ANON: likewise
 * @MMLENS_BUCKET_INACTIVE_FILE: likewise
 * @MMLENS_BUCKET_ACTIVE_FILE: likewise
 * @MMLENS_BUCKET_UNEVICTABLE: likewise
 * @MMLENS_BUCKET_ANON:	anonymous, on no LRU list
 * @MMLENS_BUCKET_MAPPED: mapped by a process, or of shared memory, on no LRU list
 * @MMLENS_BUCKET_HUGETLB: of hugetlb, in use
 * @MMLENS_BUCKET_HUGETLB_FREE: of hugetlb, free
 * @MMLENS_BUCKET_SLAB:	of the slab allocator
 * @MMLENS_BUCKET_TABLE: page tables
 * @MMLENS_BUCKET_ZSMALLOC: of zsmalloc, where the kernel tells
 * @MMLENS_BUCKET_KMALLOC: kmalloc() of more than slabs have, where it tells
 * @MMLENS_BUCKET_RESERVED: PG_reserved: the kernel's image, firmware's, what was
 *		taken at boot, and holes that have a struct page
 * @MMLENS_BUCKET_OFFLINE: logically offline, or not accepted yet
 * @MMLENS_BUCKET_HWPOISON: lost to a memory error
 * @MMLENS_BUCKET_KERNEL: any other in use
 */
enum mmlens_bucket {
	MMLENS_BUCKET_UNTOLD		= 0,
	MMLENS_BUCKET_BUDDY		= 1,
	MMLENS_BUCKET_INACTIVE_ANON	= 2,
	MMLENS_BUCKET_ACTIVE_ANON	= 3,
	MMLENS_BUCKET_INACTIVE_FILE	= 4,
	MMLENS_BUCKET_ACTIVE_FILE	= 5,
	MMLENS_BUCKET_UNEVICTABLE	= 6,
	MMLENS_BUCKET_ANON		= 7,
	MMLENS_BUCKET_MAPPED		= 8,
	MMLENS_BUCKET_HUGETLB		= 9,
	MMLENS_BUCKET_HUGETLB_FREE	= 10,
	MMLENS_BUCKET_SLAB		= 11,
	MMLENS_BUCKET_TABLE		= 12,
	MMLENS_BUCKET_ZSMALLOC		= 13,
	MMLENS_BUCKET_KMALLOC		= 14,
	MMLENS_BUCKET_RESERVED		= 15,
	MMLENS_BUCKET_OFFLINE		= 16,
	MMLENS_BUCKET_HWPOISON		= 17,
	MMLENS_BUCKET_KERNEL		= 18,
};

/**
 * struct mmlens_pfns - Page frames in a row whose pages have the same state.
 * @head:	%MMLENS_REC_PFNS
 * @count:	how many
 * @pfn:	the first.  Where there is a gap to the record before there is
 *		no online memory; neighbours of the same state aren't always one
 *		record.
 * @page_flags:	as in &struct mmlens_page, of each; of any page, so also BUDDY,
 *		SLAB, PGTABLE and so on, as kpageflags has them
 * @memcg:	as there
 * @mapcount:	of each page, as kpagecount
 * @refcount:	references to the folio; of a free page 0
 * @folio_index: pages between the first of the folio, or of the free block, and
 *		the first of these.  Free blocks of one order may be in a row:
 *		that of page i is (@folio_index + i) modulo 1 << @order.
 * @order:	log2 of the pages in the folio or the free block
 * @kind:	&enum mmlens_page_kind
 * @migratetype: &enum mmlens_migratetype of the page block
 * @lru:	&enum mmlens_lru
 * @generation:	as in &struct mmlens_page
 * @tier:	as there
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @bucket:	&enum mmlens_bucket
 * @reserved:	0
 *
 * Pages are read one after another, without a reference to any: a page that
 * changes meanwhile may be told torn.
 */
struct mmlens_pfns {
	struct mmlens_record head;
	__u32 count;
	__u64 pfn;
	__u64 page_flags;
	__u64 memcg;
	__s32 mapcount;
	__s32 refcount;
	__u32 folio_index;
	__u8 order;
	__u8 kind;
	__u8 migratetype;
	__u8 lru;
	__u8 generation;
	__u8 tier;
	__u16 node;
	__u8 zone;
	__u8 bucket;
	__u8 reserved[2];
};

/**
 * enum mmlens_backing_kind - What holds a page's contents when it is reclaimed.
 * @MMLENS_BACKING_KIND_NONE: nothing that struct page tells of: free, the kernel's
 *		own, or cut off from its file meanwhile
 * @MMLENS_BACKING_KIND_ANON: anonymous memory
 * @MMLENS_BACKING_KIND_KSM:	anonymous memory that KSM has merged
 * @MMLENS_BACKING_KIND_SWAP_CACHE: of shared memory, in the swap cache alone
 * @MMLENS_BACKING_KIND_FILE: the page cache of a file or of a block device
 * @MMLENS_BACKING_KIND_SHMEM: shared memory: tmpfs, memfd, System V, MAP_SHARED
 * @MMLENS_BACKING_KIND_HUGETLB: a file of hugetlbfs
 * @MMLENS_BACKING_KIND_MOVABLE: a driver's, which can move it (a balloon, zsmalloc)
 */
enum mmlens_backing_kind {
	MMLENS_BACKING_KIND_NONE		= 0,
	MMLENS_BACKING_KIND_ANON		= 1,
	MMLENS_BACKING_KIND_KSM		= 2,
	MMLENS_BACKING_KIND_SWAP_CACHE	= 3,
	MMLENS_BACKING_KIND_FILE		= 4,
	MMLENS_BACKING_KIND_SHMEM		= 5,
	MMLENS_BACKING_KIND_HUGETLB		= 6,
	MMLENS_BACKING_KIND_MOVABLE		= 7,
};

/* mmlens_backing.flags */
#define MMLENS_BACKING_INODE	(1u << 0) /* device, inode, offset and
					   * filesystem are known */
#define MMLENS_BACKING_INDEX	(1u << 1) /* index is known */
#define MMLENS_BACKING_SWAP	(1u << 2) /* in the swap cache: swap is its
					   * slot */

/* Bytes of a name that are told. */
#define MMLENS_BACKING_NAME	64

/**
 * struct mmlens_backing - What backs the pages of the record before, with
 * %MMLENS_WALK_BACKING.
 * @head:	%MMLENS_REC_BACKING
 * @flags:	MMLENS_BACKING_*
 * @pfn:	of the first page, as in the record before
 * @index:	page->index, of the first page and in pages of the base size.  Of
 *		anonymous memory as a rule its address >> page_shift where it was
 *		touched first; of a file that of the page in it
 * @offset:	of the first page in the file, in bytes
 * @inode:	number of the file's inode
 * @swap:	swap slot, as in &struct mmlens_pte
 * @dev_major:	of the file's device, as /proc/PID/maps has it
 * @dev_minor:	of the file's device
 * @kind:	&enum mmlens_backing_kind
 * @reserved:	0
 * @filesystem:	type of the file's file system, NUL-terminated; empty: unknown
 * @name:	one of the file's names, its last part alone, NUL-terminated and
 *		cut off where it is longer; empty: none is known
 *
 * The page is held while that is read.  The next page's index and offset are
 * one page further.
 */
struct mmlens_backing {
	struct mmlens_record head;
	__u32 flags;
	__u64 pfn;
	__u64 index;
	__u64 offset;
	__u64 inode;
	__u64 swap;
	__u32 dev_major;
	__u32 dev_minor;
	__u8 kind;
	__u8 reserved[7];
	char filesystem[16];
	char name[MMLENS_BACKING_NAME];
};

/**
 * struct mmlens_user - Page-table entries of a process that name page frames in
 * a row: each present one, and each that stands for a page while it is moved,
 * is a device's, is lost or waits for a NUMA fault.
 * @head:	%MMLENS_REC_USER, at the level of the entries
 * @flags:	as in &struct mmlens_pte, of each
 * @pid:	the process, as the caller's PID namespace numbers it
 * @count:	how many pages of the base size; of a larger page those in the
 *		range that was asked for
 * @va:		user address of the first page
 * @pfn:	its PFN; each next page has the next PFN and the next address
 */
struct mmlens_user {
	struct mmlens_record head;
	__u32 flags;
	__s32 pid;
	__u32 count;
	__u64 va;
	__u64 pfn;
};

/* ---- the kernel's own page table ---- */

/* mmlens_region.flags */
#define MMLENS_REGION_SKIPPED	(1u << 0) /* its entries aren't walked: KASAN's
					   * shadow has the same tables many
					   * thousand times */

/**
 * struct mmlens_region - A part of the kernel's addresses, as it lies now.
 * @head:	%MMLENS_REC_REGION
 * @flags:	MMLENS_REGION_*
 * @start:	first address
 * @end:	address after the last that the layout keeps for it; what is mapped
 *		in it is told by &struct mmlens_kmap
 * @name:	short name, NUL-terminated
 *
 * Mirrors Documentation/arch/x86/x86_64/mm.rst.  Addresses that are in no region
 * may be mapped all the same.
 */
struct mmlens_region {
	struct mmlens_record head;
	__u32 flags;
	__u64 start;
	__u64 end;
	char name[24];
};

/**
 * struct mmlens_kmap - Entries of the kernel's page table that stand in a row
 * and differ at most in their PFN and in accessed and dirty.
 * @head:	%MMLENS_REC_KMAP, at the level of the entries
 * @flags:	as in &struct mmlens_pte, without ACCESSED and DIRTY; state PRESENT
 *		(a leaf), OTHER (not present, but not empty), or TABLE for a table
 *		that changed each time it was looked at and was left
 * @va:		address that the first of them translates
 * @count:	how many; they translate consecutive addresses.  Neighbours that
 *		are alike aren't always one record.
 * @raw:	the first as the architecture holds it, without its PFN, accessed
 *		and dirty; the same of each
 * @value:	PFN of the first, in state PRESENT; else 0
 * @consecutive: 1: the PFNs follow each other as the addresses do
 * @reserved:	0
 *
 * Mirrors note_page() of arch/x86/mm/dump_pagetables.c.
 */
struct mmlens_kmap {
	struct mmlens_record head;
	__u32 flags;
	__u64 va;
	__u64 count;
	__u64 raw;
	__u64 value;
	__u32 consecutive;
	__u32 reserved;
};

/* ---- LRU lists ---- */

/* mmlens_lru_list.flags */
#define MMLENS_LIST_LAST		(1u << 0) /* no more of this list follows */
#define MMLENS_LIST_CUT		(1u << 1) /* the list goes on, but the rest of it
					   * is left: it changed too often */
#define MMLENS_LIST_COUNTED	(1u << 2) /* pages is known */
#define MMLENS_LIST_NO_ORDER	(1u << 3) /* the kernel counts these pages, but
					   * links them on no list (unevictable,
					   * 5.18 and later) */
#define MMLENS_LIST_ENABLED	(1u << 4) /* pages that are added come to lists of
					   * this kind: classic or generations */
#define MMLENS_LIST_CURRENT	(1u << 5) /* of a generation: it is one in use */
#define MMLENS_LIST_OFFLINE	(1u << 6) /* the memcg was removed; its pages are
					   * still charged to it */

/* mmlens_lru_list.zone of the classic lists */
#define MMLENS_LIST_ALL_ZONES	0xff

/**
 * struct mmlens_lru_list - An LRU list, or with %MMLENS_WALK_FOLIOS a part of
 * one: the folios of the next @count PFNS records, in the order of the list.
 * @head:	%MMLENS_REC_LRU
 * @flags:	MMLENS_LIST_*
 * @memcg:	inode number of the memory cgroup's directory; 0 without memory
 *		cgroups
 * @pages:	pages on the whole list, in units of the base size, by the
 *		kernel's own count; it may lag, and with generations the kernel
 *		counts a page in the one that it will be moved to
 * @seq:	of a generation: its sequence number, as in
 *		/sys/kernel/debug/lru_gen
 * @age_ms:	of a generation: milliseconds since it began
 * @cursor:	a walk begins with this list if this is its cursor, and its
 *		generation %MMLENS_LIST_FROM
 * @position:	how many folios of the list stand before the first of these, from
 *		the end that reclaim takes first.  It is the number of those told
 *		(or passed by) so far; where it is less, the place was lost: what
 *		was told from there on is void
 * @count:	how many PFNS records follow, each of one folio
 * @node:	NUMA node
 * @lru:	&enum mmlens_lru.  Of a generation INACTIVE_ANON or INACTIVE_FILE
 *		tells its type
 * @generation:	0: a classic list; else 1 + the index of the generation (sequence
 *		number modulo 4)
 * @zone:	of a generation: index of the zone in its node; else
 *		%MMLENS_LIST_ALL_ZONES
 * @reserved:	0
 *
 * Mirrors struct lruvec and struct lru_gen_folio (include/linux/mmzone.h).  All
 * folios of one record were on the list at the same moment; their state is of
 * the moment after.  One that has left the list since then says so by its own lru
 * and generation, and it isn't there if its memory went offline.  The tail, which
 * reclaim takes first, is at position 0.
 */
struct mmlens_lru_list {
	struct mmlens_record head;
	__u32 flags;
	__u64 memcg;
	__u64 pages;
	__u64 seq;
	__u64 age_ms;
	__u64 cursor;
	__u32 position;
	__u32 count;
	__u32 node;
	__u8 lru;
	__u8 generation;
	__u8 zone;
	__u8 reserved;
};

/* mmlens_walk.generation of a walk that begins with a list. */
#define MMLENS_LIST_FROM		3

/* ------------------------------------------------------------------------
 * Queries
 */

/* Query numbers: the _IOC_NR of each ioctl, and its bit in mmlens_info. */
#define MMLENS_NR_INFO		0
#define MMLENS_NR_VMAS		1
#define MMLENS_NR_PTES		2
#define MMLENS_NR_VTOP		3
#define MMLENS_NR_SMAPS		4
#define MMLENS_NR_NUMA_MAPS	5
#define MMLENS_NR_TABLES	6
#define MMLENS_NR_PROCS		7
#define MMLENS_NR_ZONES		8
#define MMLENS_NR_FREE		9
#define MMLENS_NR_PAGEBLOCKS	10
#define MMLENS_NR_PAGES		11
#define MMLENS_NR_USERS		12
#define MMLENS_NR_KMAP		13	/* x86-64 */
#define MMLENS_NR_LRU		14

/* mmlens_info.fields: what this kernel can tell. */
#define MMLENS_FIELD_SOFT_DIRTY		(1ull << 0)
#define MMLENS_FIELD_UFFD_WP		(1ull << 1)
#define MMLENS_FIELD_ANON_EXCLUSIVE	(1ull << 2)
#define MMLENS_FIELD_MARKERS		(1ull << 3)
/* MMLENS_PTE_EXCLUSIVE is exact, not "maybe shared" (6.16 and later can be
 * built without a mapcount for each page) */
#define MMLENS_FIELD_PAGE_MAPCOUNT	(1ull << 4)

/**
 * struct mmlens_info - What the module is and can do.
 * @size:	sizeof(struct mmlens_info), in
 * @flags:	must be 0
 * @abi:	out: MMLENS_ABI of the module
 * @arch:	out: ELF machine number (EM_X86_64, EM_AARCH64, ...)
 * @page_shift:	out: log2 of the base page size
 * @levels:	out: levels of page tables in use (4 or 5 on x86-64)
 * @task_size:	out: first address above the largest user address space
 * @queries:	out: bit N set: query number N is there
 * @fields:	out: MMLENS_FIELD_*
 * @level_shift: out: log2 of the bytes that one entry translates, by
 *		&enum mmlens_level_id; 0 for a folded level
 * @version:	out: the module's version, NUL-terminated
 * @release:	out: the kernel's release (uname -r), NUL-terminated
 * @vma_bit:	out: by bit number of &struct mmlens_vma.flags: 1 + the number of
 *		the bit in raw_flags that it mirrors; 0 where this kernel has
 *		none
 * @vma_hidden:	out: bits of raw_flags that VmFlags of smaps has no mnemonic for
 *		because another field tells them
 *
 * Errors: EPERM, EINVAL, E2BIG, EFAULT.
 */
struct mmlens_info {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 arch;
	__u32 page_shift;
	__u32 levels;
	__u64 task_size;
	__u64 queries;
	__u64 fields;
	__u8 level_shift[8];
	char version[32];
	char release[72];
	__u8 vma_bit[64];
	__u64 vma_hidden;
};

/* mmlens_walk.flags, in */
#define MMLENS_WALK_PAGE	(1u << 0)  /* PTES: also MMLENS_PTE_FILE and
					    * MMLENS_PTE_EXCLUSIVE */
#define MMLENS_WALK_ABSENT	(1u << 1)  /* PTES: also mmlens_hole records */
#define MMLENS_WALK_RUNS	(1u << 2)  /* PTES: entries in a row may come as
					    * one mmlens_run: a quarter of the
					    * bytes, and nothing is lost */
#define MMLENS_WALK_STATE	(1u << 3)  /* PTES: a mmlens_page record for
					    * each present entry whose page the
					    * kernel describes, and for those
					    * in a row that only differ in
					    * their PFN by one */
#define MMLENS_WALK_TOTAL	(1u << 4)  /* SMAPS: one VMA record from the
					    * first VMA's start to the last
					    * one's end (0 and 0 where there is
					    * none), without flags, and one
					    * SMAPS record over all;
					    * PROCS: a SMAPS record, too */
#define MMLENS_WALK_BACKING	(1u << 5)  /* PAGES: a BACKING record behind
					    * each PFNS record, which is of one
					    * folio or one free block;
					    * LRU with FOLIOS: the same */
#define MMLENS_WALK_USER_HALF	(1u << 6)  /* KMAP: what user mode's table has of
					    * the kernel, with page-table
					    * isolation */
#define MMLENS_WALK_LEVELS	(1u << 7)  /* KMAP: the translation of @start */
#define MMLENS_WALK_FRAMES	(1u << 8)  /* KMAP: a record of its own where the
					    * PFNs don't follow each other */
#define MMLENS_WALK_FOLIOS	(1u << 9)  /* LRU: also a PFNS record for the first
					    * page of each folio on the lists */

/* mmlens_walk.status, out */
#define MMLENS_STATUS_DONE	(1u << 0)  /* the walk has reached its end */
#define MMLENS_STATUS_TRUNCATED	(1u << 1)  /* the buffer is full: call again */

/**
 * struct mmlens_walk - A walk, continued from call to call.
 * @size:	in: sizeof(struct mmlens_walk)
 * @flags:	in: MMLENS_WALK_*
 * @pid:	in: the process, or any thread of it, as the caller's PID
 *		namespace numbers it; greater than 0.  Of the queries about the
 *		machine (from %MMLENS_PROCS on) 0
 * @status:	out: MMLENS_STATUS_*
 * @start:	in: first address, a multiple of the page size.  Of the machine
 *		0, or what the query says
 * @end:	in: address after the last, a multiple of the page size, at most
 *		mmlens_info.task_size; 0 stands for that.  Of the machine 0, or
 *		what the query says
 * @cursor:	in: 0 to begin; otherwise what the last call left here.
 *		out: where the next call goes on.  Of the machine it means
 *		something to the module alone
 * @generation:	in: 0 to begin; otherwise what the last call left here.
 *		out: identifies the address space that is walked.  Of the
 *		machine it means something to the module alone
 * @buffer:	in: user address of the buffer for records, 8-byte aligned
 * @buffer_size: in: its size in bytes
 * @written:	out: bytes of records written
 * @records:	out: records written
 * @restarts:	out: steps that met a change under way and were done again
 * @reserved:	must be 0
 * @max_hold_ns: out: the longest time that this call held a lock (of a process
 *		mmap_lock or a page-table lock), or of KMAP kept interrupts off
 *
 * Used by:
 *  %MMLENS_VMAS  records VMA, NAME: each VMA that meets [start, end).  One that
 *		  was merged with the one before it during the walk comes too
 *  %MMLENS_PTES  records PTE, RUN, HOLE: each non-empty leaf or non-present entry
 *		  that meets [start, end) in a VMA, in order of address
 *  %MMLENS_VTOP  records LEVEL: from the top, the entries that translate
 *		  @start; @end must be 0.  Without a VMA there: none.
 *  %MMLENS_SMAPS records VMA, NAME, SMAPS: each VMA that meets [start, end),
 *		  and the sums of its pages inside it
 *  %MMLENS_NUMA_MAPS records VMA, NAME, NUMA, NODE: each VMA that meets
 *		  [start, end), and where its pages inside it are
 *  %MMLENS_TABLES records TABLE: each page-table page that translates addresses
 *		  of a VMA that meets [start, end), upper levels first
 *  %MMLENS_PROCS records PROC, SMAPS: every process of the caller's PID
 *		  namespace, in order of PID
 *  %MMLENS_ZONES records MEMNODE, ZONE, COUNTERS, PAGESET: each node that is
 *		  online, its zones and the CPUs' parts of them
 *  %MMLENS_FREE  records BLOCKS: each list of free blocks, and those on it
 *  %MMLENS_PAGEBLOCKS records PAGEBLOCKS: the page blocks that meet the PFNs
 *		  from @start to @end (0: the last)
 *  %MMLENS_PAGES records PFNS, BACKING: the page frames of [start, end) that are
 *		  online memory; start and end are PFNs
 *  %MMLENS_USERS records USER: where processes map page frames of [start, end),
 *		  which are PFNs, in order of PID and address.  Processes of the
 *		  caller's PID namespace that started before the walk did; one
 *		  that ends or executes another program meanwhile is left
 *  %MMLENS_KMAP  records REGION, which meet [start, end), then KMAP: the entries
 *		  there of the kernel's page table; start and end are the kernel's
 *		  addresses, multiples of the page size, or 0.  With
 *		  %MMLENS_WALK_LEVELS records LEVEL: from the top, the entries
 *		  that translate @start; @end must be 0.
 *  %MMLENS_LRU	  records LRU, PFNS, BACKING: each LRU list of each memory cgroup
 *		  and node, and with %MMLENS_WALK_FOLIOS the folios at positions
 *		  [start, end) of each (0: to its end)
 *
 * Errors:
 *  EPERM	the caller lacks CAP_SYS_ADMIN, or the kernel is locked down
 *  EINVAL	size too small, unknown flags, pid below 1, a range that isn't
 *		aligned, ends before it starts or goes above the user range, a
 *		cursor outside of it, reserved not 0, a misaligned buffer or
 *		one smaller than MMLENS_BUFFER_MIN
 *  E2BIG	size too large and what is beyond isn't 0
 *  EFAULT	this structure or the buffer can't be read or written
 *  ESRCH	no such process, or the address space that the walk began in
 *		is gone (the process has exited or executed another program)
 *  ENXIO	the process has no address space: a kernel thread or a zombie
 *  EINTR	a fatal signal came
 *  ENOMEM	no memory
 *  EOPNOTSUPP	KMAP: there is no second table (%MMLENS_WALK_USER_HALF without
 *		page-table isolation), or the kernel is a Xen PV guest
 *
 * After an error outputs aren't written, and records may or may not have been.
 */
struct mmlens_walk {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 status;
	__u64 start;
	__u64 end;
	__u64 cursor;
	__u64 generation;
	__u64 buffer;
	__u64 buffer_size;
	__u64 written;
	__u64 records;
	__u32 restarts;
	__u32 reserved;
	__u64 max_hold_ns;
};

/* The smallest buffer for records: the longest record fits into it. */
#define MMLENS_BUFFER_MIN	8192

#define MMLENS_IOC		0xb7
#define MMLENS_INFO	_IOWR(MMLENS_IOC, MMLENS_NR_INFO, struct mmlens_info)
#define MMLENS_VMAS	_IOWR(MMLENS_IOC, MMLENS_NR_VMAS, struct mmlens_walk)
#define MMLENS_PTES	_IOWR(MMLENS_IOC, MMLENS_NR_PTES, struct mmlens_walk)
#define MMLENS_VTOP	_IOWR(MMLENS_IOC, MMLENS_NR_VTOP, struct mmlens_walk)
#define MMLENS_SMAPS	_IOWR(MMLENS_IOC, MMLENS_NR_SMAPS, struct mmlens_walk)
#define MMLENS_NUMA_MAPS _IOWR(MMLENS_IOC, MMLENS_NR_NUMA_MAPS, \
			       struct mmlens_walk)
#define MMLENS_TABLES	_IOWR(MMLENS_IOC, MMLENS_NR_TABLES, struct mmlens_walk)
#define MMLENS_PROCS	_IOWR(MMLENS_IOC, MMLENS_NR_PROCS, struct mmlens_walk)
#define MMLENS_ZONES	_IOWR(MMLENS_IOC, MMLENS_NR_ZONES, struct mmlens_walk)
#define MMLENS_FREE	_IOWR(MMLENS_IOC, MMLENS_NR_FREE, struct mmlens_walk)
#define MMLENS_PAGEBLOCKS _IOWR(MMLENS_IOC, MMLENS_NR_PAGEBLOCKS, \
				struct mmlens_walk)
#define MMLENS_PAGES	_IOWR(MMLENS_IOC, MMLENS_NR_PAGES, struct mmlens_walk)
#define MMLENS_USERS	_IOWR(MMLENS_IOC, MMLENS_NR_USERS, struct mmlens_walk)
#define MMLENS_KMAP	_IOWR(MMLENS_IOC, MMLENS_NR_KMAP, struct mmlens_walk)
#define MMLENS_LRU	_IOWR(MMLENS_IOC, MMLENS_NR_LRU, struct mmlens_walk)

#endif /* _UAPI_MMLENS_H */
