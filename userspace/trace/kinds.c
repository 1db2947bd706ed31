// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of events: the one table behind -e, the help and the output. */
#include <string.h>

#include "trace.h"

#define FAULT(text, what) { \
	.name = text, .group = "fault", .help = what, .hook = HOOK_FAULT }
#define CALL(text, at, ...) { \
	.name = text, .group = "call", .help = text "(2)", .hook = at, \
	.args = { __VA_ARGS__ }, .form = { TRACE_HEX, TRACE_HEX, TRACE_HEX } }

const struct trace_kind_info trace_kinds[TRACE_KINDS] = {
	[TRACE_READ_FAULT] = FAULT("read", "nothing was mapped; read or executed"),
	[TRACE_WRITE_FAULT] = FAULT("write", "nothing was mapped; written"),
	[TRACE_COW] = FAULT("cow", "copied: the write went to another page"),
	[TRACE_REUSE] = FAULT("reuse", "made writable: nobody else had the page"),
	[TRACE_SHARED_DIRTY] =
		FAULT("shared-dirty", "write to a shared mapping noticed"),
	[TRACE_SWAP_IN] = FAULT("swap-in", "was in swap"),
	[TRACE_THP] = FAULT("thp", "nothing was mapped; a huge page is now"),
	[TRACE_HUGETLB_FAULT] = FAULT("hugetlb", "in a hugetlb mapping"),
	[TRACE_NUMA_HINT] = FAULT("numa-hint", "NUMA balancing asked to be told"),
	[TRACE_SPURIOUS] = FAULT("spurious", "the entry allowed it already"),
	[TRACE_OTHER_FAULT] =
		FAULT("other", "of none of these kinds, or unknown before"),
	[TRACE_FAULT_ERROR] =
		FAULT("fault-error", "failed; getrusage doesn't count it"),

	[TRACE_MMAP] = CALL("mmap", HOOK_MMAP, "length", "prot", "flags"),
	[TRACE_MUNMAP] = CALL("munmap", HOOK_MUNMAP, "length"),
	[TRACE_MREMAP] =
		CALL("mremap", HOOK_MREMAP, "length", "new_length", "flags"),
	[TRACE_MPROTECT] = CALL("mprotect", HOOK_MPROTECT, "length", "prot"),
	[TRACE_PKEY_MPROTECT] = CALL("pkey_mprotect", HOOK_PKEY_MPROTECT,
				     "length", "prot", "pkey"),
	[TRACE_BRK] = CALL("brk", HOOK_BRK),
	[TRACE_MADVISE] = {
		.name = "madvise", .group = "call", .help = "madvise(2)",
		.hook = HOOK_MADVISE, .args = { "length", "advice" },
		.form = { TRACE_HEX, TRACE_NUMBER } },
	[TRACE_MLOCK] = CALL("mlock", HOOK_MLOCK, "length"),
	[TRACE_MLOCK2] = CALL("mlock2", HOOK_MLOCK2, "length", "flags"),
	[TRACE_MUNLOCK] = CALL("munlock", HOOK_MUNLOCK, "length"),
	[TRACE_MLOCKALL] = CALL("mlockall", HOOK_MLOCKALL, "flags"),
	[TRACE_MUNLOCKALL] = CALL("munlockall", HOOK_MUNLOCKALL),
	[TRACE_MSYNC] = CALL("msync", HOOK_MSYNC, "length", "flags"),

	[TRACE_SWAP_OUT] = {
		.name = "swap-out", .group = "reclaim",
		.help = "unmapped by reclaim, now in swap",
		.hook = HOOK_UNMAP,
	},
	[TRACE_EVICT] = {
		.name = "evict", .group = "reclaim",
		.help = "unmapped by reclaim, now empty: a file's, or MADV_FREE",
		.hook = HOOK_UNMAP,
	},
	[TRACE_MIGRATE_OUT] = {
		.name = "migrate-out", .group = "migration",
		.help = "unmapped for the page to be moved",
		.hook = HOOK_MIGRATE_OUT,
	},
	[TRACE_MIGRATE_IN] = {
		.name = "migrate-in", .group = "migration",
		.help = "mapped again when it was moved",
		.hook = HOOK_MIGRATE_IN,
	},
	[TRACE_CLEAN] = {
		.name = "clean", .group = "writeback",
		.help = "cleaned and write-protected by writeback",
		.hook = HOOK_CLEAN,
		.args = { "pages" },
	},
	[TRACE_AGE] = {
		.name = "age", .group = "lru",
		.help = "found accessed by reclaim, the accessed bit cleared",
		.hook = HOOK_AGE,
	},
	[TRACE_SPLIT] = {
		.name = "split", .group = "huge",
		.help = "a huge page's entry became a table",
		.hook = HOOK_SPLIT,
	},
	[TRACE_COLLAPSE] = {
		.name = "collapse", .group = "huge",
		.help = "khugepaged made a huge page",
		.hook = HOOK_COLLAPSE,
	},

	[TRACE_DIRECT_RECLAIM] = {
		.name = "direct-reclaim", .group = "reclaim",
		.help = "had to free memory itself",
		.hook = HOOK_DIRECT_RECLAIM,
		.args = { "order", "reclaimed" },
	},
	[TRACE_MEMCG_RECLAIM] = {
		.name = "memcg-reclaim", .group = "reclaim",
		.help = "the same for the limit of a memory cgroup",
		.hook = HOOK_MEMCG_RECLAIM,
		.args = { "order", "reclaimed" },
	},
	[TRACE_SHRINK_INACTIVE] = {
		.name = "shrink-inactive", .group = "reclaim",
		.help = "pages of an inactive list reclaimed",
		.hook = HOOK_SHRINK_INACTIVE,
		.args = { "node", "scanned", "reclaimed" },
	},
	[TRACE_SHRINK_ACTIVE] = {
		.name = "shrink-active", .group = "reclaim",
		.help = "pages of an active list deactivated",
		.hook = HOOK_SHRINK_ACTIVE,
		.args = { "node", "taken", "deactivated" },
	},
	[TRACE_ISOLATE] = {
		.name = "isolate", .group = "reclaim",
		.help = "pages taken off a list",
		.hook = HOOK_ISOLATE,
		.args = { "scanned", "taken", "list" },
		.form = { TRACE_NUMBER, TRACE_NUMBER, TRACE_ENUM },
	},
	[TRACE_LRU_ADD] = {
		.name = "lru-add", .group = "lru",
		.help = "a page put on an LRU list",
		.hook = HOOK_LRU_ADD,
		.args = { "pfn", "list" },
		.form = { TRACE_HEX, TRACE_ENUM },
	},
	[TRACE_ACTIVATE] = {
		.name = "activate", .group = "lru",
		.help = "a page moved to an active list",
		.hook = HOOK_ACTIVATE,
		.args = { "pfn" },
		.form = { TRACE_HEX },
	},

	[TRACE_DIRTY] = {
		.name = "dirty", .group = "writeback",
		.help = "a page of a file became dirty",
		.hook = HOOK_DIRTY,
		.args = { "inode", "index" },
	},
	[TRACE_THROTTLE] = {
		.name = "throttle", .group = "writeback",
		.help = "made to wait for having dirtied much",
		.hook = HOOK_THROTTLE,
		.args = { "pause_ms" },
	},
	[TRACE_WRITEBACK] = {
		.name = "write-inode", .group = "writeback",
		.help = "pages of a file written out",
		.hook = HOOK_WRITEBACK,
		.args = { "inode", "pages" },
	},
	[TRACE_PAGEOUT] = {
		.name = "pageout", .group = "writeback",
		.help = "a page written out by reclaim",
		.hook = HOOK_PAGEOUT,
		.args = { "pfn" },
		.form = { TRACE_HEX },
	},

	[TRACE_MIGRATE] = {
		.name = "migrate", .group = "migration",
		.help = "pages moved",
		.hook = HOOK_MIGRATE,
		.args = { "succeeded", "failed", "reason" },
		.form = { TRACE_NUMBER, TRACE_NUMBER, TRACE_ENUM },
	},
	[TRACE_COMPACT] = {
		.name = "compact", .group = "compaction",
		.help = "a zone compacted",
		.hook = HOOK_COMPACT,
		.args = { "zone_start_pfn", "zone_end_pfn", "status" },
		.form = { TRACE_HEX, TRACE_HEX, TRACE_ENUM },
	},

	[TRACE_KSWAPD_WAKE] = {
		.name = "kswapd-wake", .group = "kswapd",
		.help = "kswapd of a node begins",
		.hook = HOOK_KSWAPD_WAKE,
		.args = { "node", "order" },
	},
	[TRACE_KSWAPD_SLEEP] = {
		.name = "kswapd-sleep", .group = "kswapd",
		.help = "kswapd of a node is done",
		.hook = HOOK_KSWAPD_SLEEP,
		.args = { "node" },
	},
	[TRACE_WAKE_KSWAPD] = {
		.name = "wake-kswapd", .group = "kswapd",
		.help = "woke kswapd of a node",
		.hook = HOOK_WAKE_KSWAPD,
		.args = { "node", "order" },
	},
	[TRACE_OOM_KILL] = {
		.name = "oom-kill", .group = "oom",
		.help = "a process chosen by the OOM killer",
		.hook = HOOK_OOM_KILL,
		.args = { "victim" },
	},
};

static bool is_called(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

uint64_t trace_kinds_named(const char *name, size_t length)
{
	uint64_t kinds = 0;

	if (is_called("all", name, length))
		return TRACE_ALL;
	for (int i = 0; i < TRACE_KINDS; i++)
		if (is_called(trace_kinds[i].name, name, length))
			return 1ull << i;
	for (int i = 0; i < TRACE_KINDS; i++)
		if (is_called(trace_kinds[i].group, name, length))
			kinds |= 1ull << i;
	return kinds;
}

uint64_t trace_hooks_of(uint64_t kinds)
{
	uint64_t hooks = 0;

	for (int i = 0; i < TRACE_KINDS; i++)
		if (kinds & 1ull << i)
			hooks |= 1ull << trace_kinds[i].hook;
	/* try_to_unmap_one() also unmaps for migration, before 5.14. */
	if (kinds & 1ull << TRACE_MIGRATE_OUT)
		hooks |= 1ull << HOOK_UNMAP;
	return hooks;
}
