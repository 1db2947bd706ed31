// SPDX-License-Identifier: GPL-2.0-only
/* Which program wants what. */
#include <string.h>

#include "event.h"
#include "programs.h"

/*
 * @name is the program's; one that is two around a function ends in _enter and
 * _exit.  @needs is the function, or the tracepoint as BTF has it.  Hooks that
 * have several programs use the one that is there.
 */
static const struct program {
	const char *name;
	const char *needs;
	enum trace_hook hook;
	bool owner;		/* asks whose memory it is */
} programs[] = {
	{ "fault", "handle_mm_fault", HOOK_FAULT, false },
	{ "mmap", "__x64_sys_mmap", HOOK_MMAP, false },
	{ "munmap", "__x64_sys_munmap", HOOK_MUNMAP, false },
	{ "mremap", "__x64_sys_mremap", HOOK_MREMAP, false },
	{ "mprotect", "__x64_sys_mprotect", HOOK_MPROTECT, false },
	{ "pkey_mprotect", "__x64_sys_pkey_mprotect", HOOK_PKEY_MPROTECT,
	  false },
	{ "brk", "__x64_sys_brk", HOOK_BRK, false },
	{ "madvise", "__x64_sys_madvise", HOOK_MADVISE, false },
	{ "mlock", "__x64_sys_mlock", HOOK_MLOCK, false },
	{ "mlock2", "__x64_sys_mlock2", HOOK_MLOCK2, false },
	{ "munlock", "__x64_sys_munlock", HOOK_MUNLOCK, false },
	{ "mlockall", "__x64_sys_mlockall", HOOK_MLOCKALL, false },
	{ "munlockall", "__x64_sys_munlockall", HOOK_MUNLOCKALL, false },
	{ "msync", "__x64_sys_msync", HOOK_MSYNC, false },
	{ "unmap", "try_to_unmap_one", HOOK_UNMAP, true },
	/* 5.14; before, try_to_unmap_one() does that, too. */
	{ "migrate_out", "try_to_migrate_one", HOOK_MIGRATE_OUT, true },
	{ "migrate_in", "remove_migration_pte", HOOK_MIGRATE_IN, true },
	{ "clean", "page_mkclean_one", HOOK_CLEAN, true },
	{ "age", "folio_referenced_one", HOOK_AGE, true },
	/* before 5.18 */
	{ "age_page", "page_referenced_one", HOOK_AGE, true },
	{ "split", "__split_huge_pmd", HOOK_SPLIT, true },
	{ "collapse", "btf_trace_mm_collapse_huge_page", HOOK_COLLAPSE, true },
	{ "reclaim", "btf_trace_mm_vmscan_direct_reclaim_end",
	  HOOK_DIRECT_RECLAIM, false },
	{ "memcg_reclaim", "btf_trace_mm_vmscan_memcg_reclaim_end",
	  HOOK_MEMCG_RECLAIM, false },
	{ "shrink_inactive", "btf_trace_mm_vmscan_lru_shrink_inactive",
	  HOOK_SHRINK_INACTIVE, false },
	{ "shrink_active", "btf_trace_mm_vmscan_lru_shrink_active",
	  HOOK_SHRINK_ACTIVE, false },
	{ "isolate", "btf_trace_mm_vmscan_lru_isolate", HOOK_ISOLATE, false },
	{ "lru_add", "btf_trace_mm_lru_insertion", HOOK_LRU_ADD, false },
	{ "activate", "btf_trace_mm_lru_activate", HOOK_ACTIVATE, false },
	{ "dirty_page", "btf_trace_writeback_dirty_page", HOOK_DIRTY, false },
	{ "dirty_folio", "btf_trace_writeback_dirty_folio", HOOK_DIRTY, false },
	{ "throttle", "btf_trace_balance_dirty_pages", HOOK_THROTTLE, false },
	{ "writeback", "btf_trace_writeback_single_inode", HOOK_WRITEBACK,
	  false },
	{ "pageout_page", "btf_trace_mm_vmscan_writepage", HOOK_PAGEOUT, false },
	{ "pageout_folio", "btf_trace_mm_vmscan_write_folio", HOOK_PAGEOUT,
	  false },
	{ "migrate", "btf_trace_mm_migrate_pages", HOOK_MIGRATE, false },
	{ "compact", "btf_trace_mm_compaction_end", HOOK_COMPACT, false },
	{ "kswapd_wake", "btf_trace_mm_vmscan_kswapd_wake", HOOK_KSWAPD_WAKE,
	  false },
	{ "kswapd_sleep", "btf_trace_mm_vmscan_kswapd_sleep",
	  HOOK_KSWAPD_SLEEP, false },
	{ "wake_kswapd", "btf_trace_mm_vmscan_wakeup_kswapd", HOOK_WAKE_KSWAPD,
	  false },
	{ "oom_kill", "btf_trace_mark_victim", HOOK_OOM_KILL, false },
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

const char *programs_need(size_t i)
{
	return i < PROGRAMS ? programs[i].needs : NULL;
}

static bool is_there(const struct kernel_facts *facts, const struct program *p)
{
	return (facts->owners || !p->owner) && facts_has(facts, p->needs);
}

uint64_t programs_present(const struct kernel_facts *facts)
{
	uint64_t hooks = 0;

	for (size_t i = 0; i < PROGRAMS; i++)
		if (is_there(facts, &programs[i]))
			hooks |= 1ull << programs[i].hook;
	return hooks;
}

static bool is_named(const struct program *p, const char *name)
{
	size_t length = strlen(p->name);

	if (strncmp(p->name, name, length))
		return false;
	name += length;
	return !*name || !strcmp(name, "_enter") || !strcmp(name, "_exit");
}

bool programs_wanted(const struct kernel_facts *facts, const char *name,
		     uint64_t hooks, bool follow)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (is_named(&programs[i], name))
			return hooks & 1ull << programs[i].hook &&
			       is_there(facts, &programs[i]);
	return follow && !strncmp(name, "follow_", strlen("follow_"));
}
