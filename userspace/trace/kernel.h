/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of the kernel's structures that the programs read.  libbpf finds
 * where they are on the running kernel by its BTF; one that isn't there makes
 * bpf_core_field_exists() false.
 */
#ifndef MMLENS_TRACE_KERNEL_H
#define MMLENS_TRACE_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct pt_regs {
	unsigned long r10;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct mm_struct;

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct signal_struct *signal;
	unsigned long min_flt;
	unsigned long maj_flt;
};

struct mm_struct {
	void *pgd;
	struct task_struct *owner;
};

struct vm_area_struct {
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	void *vm_ops;
};

/* Of 6.1 on and of before. */
struct folio_referenced_arg {
	int referenced;
};

struct page_referenced_arg {
	int referenced;
};

/* ---- records of tracepoints ---- */

struct trace_event_raw_mm_vmscan_kswapd_wake {
	int nid;
	int order;
};

struct trace_event_raw_mm_vmscan_wakeup_kswapd {
	int nid;
	int order;
};

struct trace_event_raw_mm_vmscan_kswapd_sleep {
	int nid;
};

struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template {
	int order;
};

struct trace_event_raw_mm_vmscan_direct_reclaim_end_template {
	unsigned long nr_reclaimed;
};

struct trace_event_raw_mm_vmscan_lru_shrink_inactive {
	int nid;
	unsigned long nr_scanned;
	unsigned long nr_reclaimed;
};

struct trace_event_raw_mm_vmscan_lru_shrink_active {
	int nid;
	unsigned long nr_taken;
	unsigned long nr_deactivated;
};

struct trace_event_raw_mm_vmscan_lru_isolate {
	unsigned long nr_scanned;
	unsigned long nr_taken;
	int lru;
};

struct trace_event_raw_mm_lru_insertion {
	unsigned long pfn;
	int lru;
};

/* A member that later became an enum is another one to libbpf. */
enum lru_list {
	LRU_INACTIVE_ANON,
};

struct trace_event_raw_mm_lru_insertion___enum {
	enum lru_list lru;
};

struct trace_event_raw_mm_lru_activate {
	unsigned long pfn;
};

/* writeback_dirty_page of before 5.18, writeback_dirty_folio since. */
struct trace_event_raw_writeback_page_template {
	unsigned long ino;
	unsigned long index;
};

struct trace_event_raw_writeback_folio_template {
	unsigned long ino;
	unsigned long index;
};

struct trace_event_raw_balance_dirty_pages {
	long pause;
};

struct trace_event_raw_writeback_single_inode_template {
	unsigned long ino;
	unsigned long wrote;
};

/* mm_vmscan_writepage of before 6.16, mm_vmscan_write_folio since. */
struct trace_event_raw_mm_vmscan_writepage {
	unsigned long pfn;
};

struct trace_event_raw_mm_vmscan_write_folio {
	unsigned long pfn;
};

struct trace_event_raw_mm_migrate_pages {
	unsigned long succeeded;
	unsigned long failed;
	int reason;
};

enum migrate_reason {
	MR_COMPACTION,
};

struct trace_event_raw_mm_migrate_pages___enum {
	enum migrate_reason reason;
};

struct trace_event_raw_mm_compaction_end {
	unsigned long zone_start;
	unsigned long zone_end;
	int status;
};

struct trace_event_raw_mm_collapse_huge_page {
	struct mm_struct *mm;
	int status;
};

struct trace_event_raw_mark_victim {
	int pid;
};

#pragma clang attribute pop

#endif
