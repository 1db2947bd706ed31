// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs behind "mmlens trace".  Each says that something happened to
 * the memory of a process that is traced; what it is called is the reader's
 * business.
 *
 * Page-table entries are read where they stand: at fentry the one before, at
 * fexit the one after.  The function in between holds what keeps the table in
 * place.  Around a system call nothing does: when another thread unmaps the
 * same range just then, what is read may be of neither moment.
 */
#include "common.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- page faults ---- */

/* include/linux/mm_types.h; the same in all series. */
#define FAULT_FLAG_WRITE	(1u << 0)
#define FAULT_FLAG_TRIED	(1u << 5)
#define FAULT_FLAG_USER		(1u << 6)
#define FAULT_FLAG_INSTRUCTION	(1u << 8)
#define FAULT_FLAG_UNSHARE	(1u << 10)	/* 6.1 and later */

#define VM_FAULT_MAJOR		0x0004
#define VM_FAULT_RETRY		0x0400
#define VM_FAULT_ERROR		0x0873 /* OOM, SIGBUS, SIGSEGV, HWPOISON,
					* HWPOISON_LARGE, FALLBACK */

#define VM_ACCESS		0x00000007
#define VM_SHARED		0x00000008
#define VM_HUGETLB		0x00400000

/* What mm_account_fault() has counted for this thread. */
static __always_inline __u64 faults_counted(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, min_flt) + BPF_CORE_READ(task, maj_flt);
}

/* The kernel's own count tells of each fault that wasn't seen here. */
static __always_inline void count_lost_faults(struct pending *p)
{
	__u64 now = faults_counted();

	if (now > p->faults + 1)
		count_lost(now - p->faults - 1);
	p->faults = now;
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(fault_enter, struct vm_area_struct *vma, unsigned long address)
{
	struct mm_struct *mm;
	struct pending *p;

	if (!by_target())
		return 0;
	/*
	 * Before is before the first try: one that has to be repeated may have
	 * changed the entry already, as a write to a shared mapping before 6.0.
	 */
	p = pending_get(SLOT_FAULT);
	if (p && p->retried && p->va == address) {
		p->retried = 0;
		return 0;
	}
	mm = BPF_CORE_READ(vma, vm_mm);
	p = look_before(SLOT_FAULT, mm, address);
	if (!p)
		return 0;
	p->mm = (__u64)mm;
	p->retried = 0;
	if (!p->faults)
		p->faults = faults_counted();
	/* The VMA may be gone when the function returns. */
	p->extra = BPF_CORE_READ(vma, vm_flags) & 0xffffffff;
	if (BPF_CORE_READ(vma, vm_ops))
		p->extra |= 1ull << 32;
	return 0;
}

static __always_inline __u32 fault_flags(__u32 flags, __u32 ret)
{
	__u32 out = 0;

	if (flags & FAULT_FLAG_WRITE)
		out |= TRACE_WRITE;
	if (flags & FAULT_FLAG_INSTRUCTION)
		out |= TRACE_EXEC;
	if (flags & FAULT_FLAG_UNSHARE)
		out |= TRACE_UNSHARE;
	if (!(flags & FAULT_FLAG_USER))
		out |= TRACE_KERNEL;
	if (ret & VM_FAULT_MAJOR || flags & FAULT_FLAG_TRIED)
		out |= TRACE_MAJOR;
	if (ret & VM_FAULT_ERROR)
		out |= TRACE_ERROR;
	return out;
}

static __always_inline __u32 vma_flags(__u64 vm_flags)
{
	__u32 out = 0;

	if (vm_flags & VM_SHARED)
		out |= TRACE_SHARED;
	if (vm_flags & VM_HUGETLB)
		out |= TRACE_HUGETLB;
	if (vm_flags & VM_ACCESS)
		out |= TRACE_ACCESS;
	if (vm_flags >> 32)
		out |= TRACE_OPS;
	return out;
}

/* As mm_account_fault() counts: once, when it isn't to be tried again. */
SEC("fexit/handle_mm_fault")
int BPF_PROG(fault_exit, struct vm_area_struct *vma, unsigned long address,
	     unsigned int flags, struct pt_regs *regs, unsigned int ret)
{
	struct trace_record *r;
	struct mm_struct *mm;
	struct pending *p;

	if (!by_target())
		return 0;
	p = pending_get(SLOT_FAULT);
	if (ret & VM_FAULT_RETRY) {
		if (p)
			p->retried = 1;
		return 0;
	}
	if (p)
		count_lost_faults(p);
	r = record_begin(HOOK_FAULT);
	if (!r)
		return 0;
	mm = current_mm();
	r->flags = fault_flags(flags, ret);
	r->owner = r->tgid;
	if (p && p->va == address) {
		if (p->mm != (__u64)mm)
			r->flags |= TRACE_REMOTE;
		/* The faulting side holds it, though no longer the VMA. */
		mm = (struct mm_struct *)p->mm;
		r->flags |= vma_flags(p->extra);
		record_since(r, p->start);
	}
	record_entries(r, mm, address, p);
	record_end(r);
	return 0;
}

/* ---- system calls ---- */

static __always_inline int call_enter(__u64 va)
{
	struct pending *p;

	if (!by_target())
		return 0;
	p = look_before(SLOT_CALL, current_mm(), va);
	if (p)
		pending_open(p);
	return 0;
}

static __always_inline int call_exit(__u16 hook, __u64 va, long ret, __u64 a,
				     __u64 b, __u64 c)
{
	struct trace_record *r;
	struct pending *p;

	if (!by_target())
		return 0;
	p = pending_close(SLOT_CALL);
	r = record_begin(hook);
	if (!r)
		return 0;
	r->owner = r->tgid;
	r->result = ret;
	r->flags = TRACE_RESULT;
	r->args[0] = a;
	r->args[1] = b;
	r->args[2] = c;
	if (p)
		record_since(r, p->start);
	/* Without an address (mlockall) there is no entry to look at. */
	if (hook != HOOK_MLOCKALL && hook != HOOK_MUNLOCKALL)
		record_entries(r, current_mm(), va, p);
	record_end(r);
	return 0;
}

/*
 * What a function was given and has returned.  The BTF of some files of the
 * kernel has no more than the name of struct pt_regs, which the verifier doesn't
 * take for an argument's type: so it isn't to see the access.
 */
struct call {
	const struct pt_regs *regs;
	long ret;
};

static __always_inline struct call call_of(const void *ctx, __u32 size)
{
	struct call c = {};

	bpf_probe_read_kernel(&c, size, ctx);
	return c;
}

#define CALL_ENTER(name) \
SEC("fentry/__x64_sys_" #name) \
int name##_enter(const void *ctx) \
{ \
	struct call c = call_of(ctx, sizeof(c.regs)); \
	const struct pt_regs *regs = c.regs; \
\
	return call_enter(ARG(di)); \
}

#define CALL_EXIT(name, hook, va, a, b, d) \
SEC("fexit/__x64_sys_" #name) \
int name##_exit(const void *ctx) \
{ \
	struct call c = call_of(ctx, sizeof(c)); \
	const struct pt_regs *regs = c.regs; \
\
	return call_exit(hook, va, c.ret, a, b, d); \
}

/* The address is the first argument of nearly all. */
#define CALL(name, hook, a, b, c) \
	CALL_ENTER(name) \
	CALL_EXIT(name, hook, ARG(di), a, b, c)

#define ARG(reg) BPF_CORE_READ(regs, reg)

CALL(munmap, HOOK_MUNMAP, ARG(si), 0, 0)
CALL(mremap, HOOK_MREMAP, ARG(si), ARG(dx), ARG(r10))
CALL(mprotect, HOOK_MPROTECT, ARG(si), ARG(dx), 0)
CALL(pkey_mprotect, HOOK_PKEY_MPROTECT, ARG(si), ARG(dx), ARG(r10))
CALL(brk, HOOK_BRK, 0, 0, 0)
CALL(madvise, HOOK_MADVISE, ARG(si), ARG(dx), 0)
CALL(mlock, HOOK_MLOCK, ARG(si), 0, 0)
CALL(mlock2, HOOK_MLOCK2, ARG(si), ARG(dx), 0)
CALL(munlock, HOOK_MUNLOCK, ARG(si), 0, 0)
CALL(mlockall, HOOK_MLOCKALL, ARG(di), 0, 0)
CALL(munlockall, HOOK_MUNLOCKALL, 0, 0, 0)
CALL(msync, HOOK_MSYNC, ARG(si), ARG(dx), 0)

/* Where it is mapped is only known afterwards. */
CALL_ENTER(mmap)
CALL_EXIT(mmap, HOOK_MMAP, c.ret < 0 && c.ret >= -4095 ? ARG(di) : c.ret,
	  ARG(si), ARG(dx), ARG(r10))

/* ---- what is done to the entries that map a page ---- */

static __always_inline int rmap_enter(struct vm_area_struct *vma, __u64 va,
				      __u64 extra)
{
	struct mm_struct *mm = BPF_CORE_READ(vma, vm_mm);
	struct pending *p;

	if (!is_target(owner_of(mm)))
		return 0;
	p = look_before(SLOT_RMAP, mm, va);
	if (!p)
		return 0;
	pending_open(p);
	p->extra = extra;
	return 0;
}

static __always_inline int rmap_record(__u16 hook, struct mm_struct *mm,
				       __u32 owner, __u64 va,
				       const struct pending *p, __u64 pages)
{
	struct trace_record *r = record_begin(hook);

	if (!r)
		return 0;
	r->owner = owner;
	r->args[0] = pages;
	record_entries(r, mm, va, p);
	record_end(r);
	return 0;
}

/* An entry that is as it was isn't an event. */
static __always_inline int rmap_exit(__u16 hook, struct vm_area_struct *vma,
				     __u64 va, enum slot slot)
{
	struct mm_struct *mm = BPF_CORE_READ(vma, vm_mm);
	__u32 owner = owner_of(mm);
	struct pending *p;
	__u64 raw;

	if (!is_target(owner))
		return 0;
	p = pending_close(slot);
	if (!p || p->va != va)
		return 0;
	if (read_entry(mm, va, &raw) == p->level && raw == p->raw)
		return 0;
	return rmap_record(hook, mm, owner, va, p, 0);
}

#define RMAP(name, function, hook) \
SEC("fentry/" #function) \
int BPF_PROG(name##_enter, void *page, struct vm_area_struct *vma, \
	     unsigned long address) \
{ \
	return rmap_enter(vma, address, 0); \
} \
SEC("fexit/" #function) \
int BPF_PROG(name##_exit, void *page, struct vm_area_struct *vma, \
	     unsigned long address) \
{ \
	return rmap_exit(hook, vma, address, SLOT_RMAP); \
}

RMAP(unmap, try_to_unmap_one, HOOK_UNMAP)
RMAP(migrate_out, try_to_migrate_one, HOOK_MIGRATE_OUT)
RMAP(migrate_in, remove_migration_pte, HOOK_MIGRATE_IN)

/* The function says itself whether it did anything: @counter goes up. */
static __always_inline int counted_exit(__u16 hook, struct vm_area_struct *vma,
					__u64 va, __u32 counter)
{
	struct mm_struct *mm = BPF_CORE_READ(vma, vm_mm);
	__u32 owner = owner_of(mm);
	struct pending *p;

	if (!is_target(owner))
		return 0;
	p = pending_close(SLOT_RMAP);
	if (!p || p->va != va || (__u32)p->extra == counter)
		return 0;
	return rmap_record(hook, mm, owner, va, p, counter - (__u32)p->extra);
}

static __always_inline __u32 read_counter(const void *at)
{
	__u32 counter = 0;

	bpf_probe_read_kernel(&counter, sizeof(counter), at);
	return counter;
}

SEC("fentry/page_mkclean_one")
int BPF_PROG(clean_enter, void *page, struct vm_area_struct *vma,
	     unsigned long address, void *arg)
{
	return rmap_enter(vma, address, read_counter(arg));
}

SEC("fexit/page_mkclean_one")
int BPF_PROG(clean_exit, void *page, struct vm_area_struct *vma,
	     unsigned long address, void *arg)
{
	return counted_exit(HOOK_CLEAN, vma, address, read_counter(arg));
}

SEC("fentry/folio_referenced_one")
int BPF_PROG(age_enter, void *folio, struct vm_area_struct *vma,
	     unsigned long address, struct folio_referenced_arg *arg)
{
	return rmap_enter(vma, address, BPF_CORE_READ(arg, referenced));
}

SEC("fexit/folio_referenced_one")
int BPF_PROG(age_exit, void *folio, struct vm_area_struct *vma,
	     unsigned long address, struct folio_referenced_arg *arg)
{
	return counted_exit(HOOK_AGE, vma, address,
			    BPF_CORE_READ(arg, referenced));
}

SEC("fentry/page_referenced_one")
int BPF_PROG(age_page_enter, void *page, struct vm_area_struct *vma,
	     unsigned long address, struct page_referenced_arg *arg)
{
	return rmap_enter(vma, address, BPF_CORE_READ(arg, referenced));
}

SEC("fexit/page_referenced_one")
int BPF_PROG(age_page_exit, void *page, struct vm_area_struct *vma,
	     unsigned long address, struct page_referenced_arg *arg)
{
	return counted_exit(HOOK_AGE, vma, address,
			    BPF_CORE_READ(arg, referenced));
}

/* ---- huge pages ---- */

SEC("fentry/__split_huge_pmd")
int BPF_PROG(split_enter, struct vm_area_struct *vma, void *pmd,
	     unsigned long address)
{
	struct mm_struct *mm = BPF_CORE_READ(vma, vm_mm);
	struct pending *p;

	if (!is_target(owner_of(mm)))
		return 0;
	/* Also called under an unmapping, which has a slot of its own. */
	p = look_before(SLOT_SPLIT, mm, address);
	if (p)
		pending_open(p);
	return 0;
}

SEC("fexit/__split_huge_pmd")
int BPF_PROG(split_exit, struct vm_area_struct *vma, void *pmd,
	     unsigned long address)
{
	return rmap_exit(HOOK_SPLIT, vma, address, SLOT_SPLIT);
}

#define SCAN_SUCCEED 1

SEC("tracepoint/huge_memory/mm_collapse_huge_page")
int collapse(struct trace_event_raw_mm_collapse_huge_page *t)
{
	__u32 owner = owner_of(t->mm);
	struct trace_record *r;

	if (t->status != SCAN_SUCCEED || !is_target(owner))
		return 0;
	r = record_begin(HOOK_COLLAPSE);
	if (!r)
		return 0;
	r->owner = owner;
	record_end(r);
	return 0;
}

/* ---- reclaim and the LRU lists ---- */

static __always_inline int stall_begin(enum slot slot, __u64 extra)
{
	struct pending *p;

	if (!by_target_or_kernel())
		return 0;
	p = pending_put(slot);
	if (!p)
		return 0;
	p->start = bpf_ktime_get_ns();
	p->extra = extra;
	return 0;
}

static __always_inline int put_args(__u16 hook, __u64 a, __u64 b, __u64 c)
{
	struct trace_record *r = record_begin(hook);

	if (!r)
		return 0;
	r->args[0] = a;
	r->args[1] = b;
	r->args[2] = c;
	record_end(r);
	return 0;
}

static __always_inline int reclaim_end(__u16 hook, enum slot slot,
				       __u64 reclaimed)
{
	struct trace_record *r;
	struct pending *p;

	if (!by_target())
		return 0;
	p = pending_get(slot);
	r = record_begin(hook);
	if (!r)
		return 0;
	if (p && p->start) {
		r->args[0] = p->extra;
		record_since(r, p->start);
		p->start = 0;
	}
	r->args[1] = reclaimed;
	record_end(r);
	return 0;
}

SEC("tracepoint/vmscan/mm_vmscan_direct_reclaim_begin")
int reclaim_enter(struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template *t)
{
	return stall_begin(SLOT_RECLAIM, t->order);
}

SEC("tracepoint/vmscan/mm_vmscan_direct_reclaim_end")
int reclaim_exit(struct trace_event_raw_mm_vmscan_direct_reclaim_end_template *t)
{
	return reclaim_end(HOOK_DIRECT_RECLAIM, SLOT_RECLAIM, t->nr_reclaimed);
}

SEC("tracepoint/vmscan/mm_vmscan_memcg_reclaim_begin")
int memcg_reclaim_enter(struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template *t)
{
	return stall_begin(SLOT_MEMCG_RECLAIM, t->order);
}

SEC("tracepoint/vmscan/mm_vmscan_memcg_reclaim_end")
int memcg_reclaim_exit(struct trace_event_raw_mm_vmscan_direct_reclaim_end_template *t)
{
	return reclaim_end(HOOK_MEMCG_RECLAIM, SLOT_MEMCG_RECLAIM,
			   t->nr_reclaimed);
}

SEC("tracepoint/vmscan/mm_vmscan_lru_shrink_inactive")
int shrink_inactive(struct trace_event_raw_mm_vmscan_lru_shrink_inactive *t)
{
	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_SHRINK_INACTIVE, t->nid, t->nr_scanned,
			t->nr_reclaimed);
}

SEC("tracepoint/vmscan/mm_vmscan_lru_shrink_active")
int shrink_active(struct trace_event_raw_mm_vmscan_lru_shrink_active *t)
{
	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_SHRINK_ACTIVE, t->nid, t->nr_taken,
			t->nr_deactivated);
}

SEC("tracepoint/vmscan/mm_vmscan_lru_isolate")
int isolate(struct trace_event_raw_mm_vmscan_lru_isolate *t)
{
	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_ISOLATE, t->nr_scanned, t->nr_taken, t->lru);
}

SEC("tracepoint/pagemap/mm_lru_insertion")
int lru_add(struct trace_event_raw_mm_lru_insertion *t)
{
	struct trace_event_raw_mm_lru_insertion___enum *e = (void *)t;

	if (!by_target())
		return 0;
	/* By the helper: a load may be moved out of the condition. */
	return put_args(HOOK_LRU_ADD, t->pfn, bpf_core_field_exists(e->lru) ?
			BPF_CORE_READ(e, lru) : BPF_CORE_READ(t, lru), 0);
}

SEC("tracepoint/pagemap/mm_lru_activate")
int activate(struct trace_event_raw_mm_lru_activate *t)
{
	if (!by_target())
		return 0;
	return put_args(HOOK_ACTIVATE, t->pfn, 0, 0);
}

/* ---- writing out ---- */

SEC("tracepoint/writeback/writeback_dirty_page")
int dirty_page(struct trace_event_raw_writeback_page_template *t)
{
	if (!by_target())
		return 0;
	return put_args(HOOK_DIRTY, t->ino, t->index, 0);
}

SEC("tracepoint/writeback/writeback_dirty_folio")
int dirty_folio(struct trace_event_raw_writeback_folio_template *t)
{
	if (!by_target())
		return 0;
	return put_args(HOOK_DIRTY, t->ino, t->index, 0);
}

/* The tracepoint stands before each pause. */
SEC("tracepoint/writeback/balance_dirty_pages")
int throttle(struct trace_event_raw_balance_dirty_pages *t)
{
	if (t->pause <= 0 || !by_target())
		return 0;
	return put_args(HOOK_THROTTLE, t->pause, 0, 0);
}

SEC("tracepoint/writeback/writeback_single_inode")
int writeback(struct trace_event_raw_writeback_single_inode_template *t)
{
	if (!t->wrote || !by_target_or_kernel())
		return 0;
	return put_args(HOOK_WRITEBACK, t->ino, t->wrote, 0);
}

SEC("tracepoint/vmscan/mm_vmscan_writepage")
int pageout_page(struct trace_event_raw_mm_vmscan_writepage *t)
{
	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_PAGEOUT, t->pfn, 0, 0);
}

SEC("tracepoint/vmscan/mm_vmscan_write_folio")
int pageout_folio(struct trace_event_raw_mm_vmscan_write_folio *t)
{
	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_PAGEOUT, t->pfn, 0, 0);
}

/* ---- migration and compaction ---- */

SEC("tracepoint/migrate/mm_migrate_pages")
int migrate(struct trace_event_raw_mm_migrate_pages *t)
{
	struct trace_event_raw_mm_migrate_pages___enum *e = (void *)t;

	if (!by_target_or_kernel())
		return 0;
	return put_args(HOOK_MIGRATE, t->succeeded, t->failed,
			bpf_core_field_exists(e->reason) ?
			BPF_CORE_READ(e, reason) : BPF_CORE_READ(t, reason));
}

SEC("tracepoint/compaction/mm_compaction_begin")
int compact_enter(void *t)
{
	return stall_begin(SLOT_COMPACT, 0);
}

SEC("tracepoint/compaction/mm_compaction_end")
int compact_exit(struct trace_event_raw_mm_compaction_end *t)
{
	struct trace_record *r;
	struct pending *p;

	if (!by_target_or_kernel())
		return 0;
	p = pending_get(SLOT_COMPACT);
	r = record_begin(HOOK_COMPACT);
	if (!r)
		return 0;
	if (p && p->start) {
		record_since(r, p->start);
		p->start = 0;
	}
	r->args[0] = t->zone_start;
	r->args[1] = t->zone_end;
	r->args[2] = t->status;
	record_end(r);
	return 0;
}

/* ---- kswapd and the OOM killer ---- */

SEC("tracepoint/vmscan/mm_vmscan_kswapd_wake")
int kswapd_wake(struct trace_event_raw_mm_vmscan_kswapd_wake *t)
{
	return put_args(HOOK_KSWAPD_WAKE, t->nid, t->order, 0);
}

SEC("tracepoint/vmscan/mm_vmscan_kswapd_sleep")
int kswapd_sleep(struct trace_event_raw_mm_vmscan_kswapd_sleep *t)
{
	return put_args(HOOK_KSWAPD_SLEEP, t->nid, 0, 0);
}

SEC("tracepoint/vmscan/mm_vmscan_wakeup_kswapd")
int wake_kswapd(struct trace_event_raw_mm_vmscan_wakeup_kswapd *t)
{
	if (!by_target())
		return 0;
	return put_args(HOOK_WAKE_KSWAPD, t->nid, t->order, 0);
}

SEC("tracepoint/oom/mark_victim")
int oom_kill(struct trace_event_raw_mark_victim *t)
{
	return put_args(HOOK_OOM_KILL, t->pid, 0, 0);
}

/* ---- children ---- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(follow_fork, struct task_struct *parent,
	     struct task_struct *child)
{
	__u32 from = BPF_CORE_READ(parent, tgid);
	__u32 to = BPF_CORE_READ(child, tgid);
	__u8 one = 1;

	if (from != to && is_target(from))
		bpf_map_update_elem(&targets, &to, &one, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(follow_exit, struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);

	if (!BPF_CORE_READ(task, signal, live.counter) && is_target(tgid))
		bpf_map_delete_elem(&targets, &tgid);
	return 0;
}
