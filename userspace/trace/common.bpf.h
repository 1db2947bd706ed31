/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs share: maps, whose an event is, how an entry is read, and
 * records in the making.
 */
#ifndef MMLENS_TRACE_COMMON_BPF_H
#define MMLENS_TRACE_COMMON_BPF_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"
#include "mmlens.h"

/* Set before the programs are loaded. */
const volatile __u64 direct_map = 0;	/* where physical address 0 is mapped;
					 * 0: entries can't be read */
const volatile __u32 top_shift = 39;	/* of the top table */
const volatile __u32 only_tgid = 0;	/* the process; 0: see targets */
const volatile __u64 wake_at = 1 << 20;	/* bytes that wake the reader */

/*
 * Events that weren't handed on: without room, or because the program was
 * skipped.  That happens when a thread that is in a program is preempted, and
 * the next one on that CPU gets to the same program (5.12 and later).
 */
__u64 lost = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 15);
	__type(key, __u32);
	__type(value, __u8);
} targets SEC(".maps");

/* ---- what is under way ---- */

enum slot {
	SLOT_FAULT,
	SLOT_CALL,
	SLOT_RMAP,
	SLOT_RECLAIM,
	SLOT_MEMCG_RECLAIM,
	SLOT_COMPACT,
	SLOT_SPLIT,
	SLOTS = 8,
};

struct pending {
	__u64 start;
	__u64 va;
	__u64 raw;
	__u64 mm;		/* whose memory, of a fault */
	__u64 extra;
	__u64 faults;		/* of the thread that were seen or are counted lost */
	__u32 level;		/* 0: unknown */
	__u16 retried;		/* the fault will be tried once more */
	__u16 open;		/* the end is still to come */
};

/* By thread and slot.  Old ones go when there are too many. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 14);
	__type(key, __u64);
	__type(value, struct pending);
} pending SEC(".maps");

static __always_inline __u64 pending_key(enum slot slot)
{
	return (bpf_get_current_pid_tgid() & 0xffffffff) * SLOTS + slot;
}

static __always_inline struct pending *pending_get(enum slot slot)
{
	__u64 key = pending_key(slot);

	return bpf_map_lookup_elem(&pending, &key);
}

static __always_inline struct pending *pending_put(enum slot slot)
{
	struct pending *p = pending_get(slot), fresh = {};
	__u64 key;

	if (p)
		return p;
	key = pending_key(slot);
	bpf_map_update_elem(&pending, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&pending, &key);
}

static __always_inline void count_lost(__u64 count)
{
	__sync_fetch_and_add(&lost, count);
}

/* One that is open already has missed its end. */
static __always_inline void pending_open(struct pending *p)
{
	if (p->open)
		count_lost(1);
	p->open = 1;
}

/* The one of this thread, which ends here. */
static __always_inline struct pending *pending_close(enum slot slot)
{
	struct pending *p = pending_get(slot);

	if (p)
		p->open = 0;
	return p;
}

/* ---- whose ---- */

static __always_inline bool is_target(__u32 tgid)
{
	if (only_tgid)
		return tgid == only_tgid;
	return bpf_map_lookup_elem(&targets, &tgid);
}

static __always_inline bool by_target(void)
{
	return is_target(bpf_get_current_pid_tgid() >> 32);
}

#define PF_KTHREAD 0x00200000

/* By a process that is traced, or by the kernel for the whole machine. */
static __always_inline bool by_target_or_kernel(void)
{
	struct task_struct *task;

	if (by_target())
		return true;
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* The process that has this memory; 0 without CONFIG_MEMCG. */
static __always_inline __u32 owner_of(struct mm_struct *mm)
{
	if (!bpf_core_field_exists(mm->owner))
		return 0;
	return BPF_CORE_READ(mm, owner, tgid);
}

static __always_inline struct mm_struct *current_mm(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm);
}

/* ---- page tables ---- */

#ifdef __TARGET_ARCH_x86
#define ENTRY_PRESENT	(1ull << 0)
#define ENTRY_LEAF	(1ull << 7)
#define ENTRY_PFN	0x000ffffffffff000ull

/*
 * The entry that translates @va: a leaf, or the one where the walk ends.
 * Returns its level, 0 when it can't be read.
 */
static __always_inline __u32 read_entry(struct mm_struct *mm, __u64 va,
					__u64 *raw)
{
	__u64 table = (__u64)BPF_CORE_READ(mm, pgd);
	__u32 level = MMLENS_LEVEL_PGD, shift = top_shift;

	*raw = 0;
	if (!direct_map || !table)
		return 0;
#pragma unroll
	for (int i = 0; i < 5; i++) {
		if (bpf_probe_read_kernel(raw, sizeof(*raw), (void *)(table +
				(va >> (shift & 63) & 511) * sizeof(*raw))))
			return 0;
		if (shift == 12)
			return MMLENS_LEVEL_PTE;
		level = shift == 21 ? MMLENS_LEVEL_PMD :
			shift == 30 ? MMLENS_LEVEL_PUD :
			i == 0 ? MMLENS_LEVEL_PGD : MMLENS_LEVEL_P4D;
		if (!(*raw & ENTRY_PRESENT))
			return level;
		if (shift <= 30 && *raw & ENTRY_LEAF)
			return level;
		table = direct_map + (*raw & ENTRY_PFN);
		shift -= 9;
	}
	return 0;
}
#else
static __always_inline __u32 read_entry(struct mm_struct *mm, __u64 va,
					__u64 *raw)
{
	*raw = 0;
	return 0;
}
#endif

/* ---- records ---- */

static __always_inline struct trace_record *record_begin(__u16 hook)
{
	struct trace_record *r;
	__u64 id;

	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count_lost(1);
		return NULL;
	}
	id = bpf_get_current_pid_tgid();
	__builtin_memset(r, 0, sizeof(*r));
	r->time = bpf_ktime_get_ns();
	r->tgid = id >> 32;
	r->tid = id;
	r->hook = hook;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	return r;
}

/* A wake-up costs more than an event: the reader comes by itself, too. */
static __always_inline void record_end(struct trace_record *r)
{
	__u64 full = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	bpf_ringbuf_submit(r, full >= wake_at ? BPF_RB_FORCE_WAKEUP :
						BPF_RB_NO_WAKEUP);
}

static __always_inline void record_since(struct trace_record *r, __u64 start)
{
	r->ns = r->time - start;
	r->flags |= TRACE_TIMED;
}

/* What stood at the address before, and stands there now. */
static __always_inline void record_entries(struct trace_record *r,
					   struct mm_struct *mm, __u64 va,
					   const struct pending *p)
{
	__u64 raw;

	r->va = va;
	r->flags |= TRACE_ADDRESS;
	if (p && p->va == va && p->level) {
		r->before = p->raw;
		r->level_before = p->level;
		r->flags |= TRACE_BEFORE;
	}
	r->level_after = read_entry(mm, va, &raw);
	r->after = raw;
	if (r->level_after)
		r->flags |= TRACE_AFTER;
}

static __always_inline struct pending *look_before(enum slot slot,
						   struct mm_struct *mm,
						   __u64 va)
{
	struct pending *p = pending_put(slot);
	__u64 raw;

	if (!p)
		return NULL;
	p->level = read_entry(mm, va, &raw);
	p->raw = raw;
	p->va = va;
	p->start = bpf_ktime_get_ns();
	return p;
}

#endif
