/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs hand to the reader; both sides include this. */
#ifndef MMLENS_TRACE_EVENT_H
#define MMLENS_TRACE_EVENT_H

#include <linux/types.h>

/* Where an event was seen. */
enum trace_hook {
	HOOK_FAULT,
	HOOK_MMAP,
	HOOK_MUNMAP,
	HOOK_MREMAP,
	HOOK_MPROTECT,
	HOOK_PKEY_MPROTECT,
	HOOK_BRK,
	HOOK_MADVISE,
	HOOK_MLOCK,
	HOOK_MLOCK2,
	HOOK_MUNLOCK,
	HOOK_MLOCKALL,
	HOOK_MUNLOCKALL,
	HOOK_MSYNC,
	HOOK_UNMAP,
	HOOK_MIGRATE_OUT,
	HOOK_MIGRATE_IN,
	HOOK_CLEAN,
	HOOK_AGE,
	HOOK_SPLIT,
	HOOK_COLLAPSE,
	HOOK_DIRECT_RECLAIM,
	HOOK_MEMCG_RECLAIM,
	HOOK_SHRINK_INACTIVE,
	HOOK_SHRINK_ACTIVE,
	HOOK_ISOLATE,
	HOOK_LRU_ADD,
	HOOK_ACTIVATE,
	HOOK_DIRTY,
	HOOK_THROTTLE,
	HOOK_WRITEBACK,
	HOOK_PAGEOUT,
	HOOK_MIGRATE,
	HOOK_COMPACT,
	HOOK_KSWAPD_WAKE,
	HOOK_KSWAPD_SLEEP,
	HOOK_WAKE_KSWAPD,
	HOOK_OOM_KILL,
	HOOKS,
};

/* trace_record.flags */
#define TRACE_WRITE	(1u << 0)	/* of a fault: to write */
#define TRACE_EXEC	(1u << 1)	/* to fetch an instruction */
#define TRACE_KERNEL	(1u << 2)	/* the kernel's own access */
#define TRACE_UNSHARE	(1u << 3)	/* to have the page for itself */
#define TRACE_MAJOR	(1u << 4)	/* counted as major */
#define TRACE_ERROR	(1u << 5)	/* the fault failed */
#define TRACE_REMOTE	(1u << 6)	/* in another process's memory */
#define TRACE_SHARED	(1u << 7)	/* the VMA is MAP_SHARED */
#define TRACE_OPS	(1u << 8)	/* the VMA isn't anonymous memory's */
#define TRACE_HUGETLB	(1u << 9)
#define TRACE_ACCESS	(1u << 10)	/* the VMA allows some access */
#define TRACE_BEFORE	(1u << 11)	/* before is known */
#define TRACE_AFTER	(1u << 12)	/* after is known */
#define TRACE_ADDRESS	(1u << 13)	/* va is known */
#define TRACE_TIMED	(1u << 14)	/* ns is known */
#define TRACE_RESULT	(1u << 15)	/* result is known */

/**
 * struct trace_record - An event.
 * @time:	when it ended, ns of CLOCK_MONOTONIC
 * @ns:		how long it took
 * @va:		user address
 * @before:	raw entry of @va, or of the level where the walk ended
 * @after:	the same when the event had ended
 * @result:	of a system call
 * @args:	by @hook
 * @tgid:	process that it happened in, in the initial PID namespace
 * @tid:	thread
 * @owner:	process whose memory it is about; 0: none
 * @flags:	TRACE_*
 * @hook:	&enum trace_hook
 * @level_before: &enum mmlens_level_id
 * @level_after: the same
 * @comm:	name of the thread
 */
struct trace_record {
	__u64 time;
	__u64 ns;
	__u64 va;
	__u64 before;
	__u64 after;
	__s64 result;
	__u64 args[3];
	__u32 tgid;
	__u32 tid;
	__u32 owner;
	__u32 flags;
	__u16 hook;
	__u8 level_before;
	__u8 level_after;
	__u32 reserved;
	char comm[16];
};

#endif
