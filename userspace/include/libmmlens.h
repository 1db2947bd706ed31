/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmmlens: what a program needs to ask the mmlens kernel module.
 *
 * The library gathers: it opens a transport, asks it, checks what comes back
 * and hands out plain records.  It never prints and never exits.  A function
 * that returns int returns 0 or more, or a negative errno; one that returns a
 * pointer returns NULL and sets errno.  Nothing here is synchronised: use one
 * &struct mmlens per thread.
 *
 * The records and their fields are described in the contract, mmlens.h.
 */
#ifndef LIBMMLENS_H
#define LIBMMLENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmlens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- connection ---- */

struct mmlens;

/**
 * struct mmlens_transport - Where answers come from.
 * @ioctl:	as ioctl(2) on the device: fills @arg, returns 0 or a negative
 *		errno
 * @close:	frees @context; may be NULL
 */
struct mmlens_transport {
	int (*ioctl)(void *context, unsigned long request, void *arg);
	void (*close)(void *context);
};

/**
 * mmlens_open - Open the device and ask the module what it is.
 * @device:	path, NULL for %MMLENS_DEVICE
 *
 * Errors: those of open(2); ENOTTY when the device doesn't know MMLENS_INFO;
 * EPROTO when its answer makes no sense; ENOMEM.
 */
struct mmlens *mmlens_open(const char *device);

/**
 * mmlens_open_transport - As mmlens_open(), with another source of answers.
 * @ops:	must outlive the connection
 * @context:	given to @ops; closed with the connection, and on failure
 */
struct mmlens *mmlens_open_transport(const struct mmlens_transport *ops,
				     void *context);

/** mmlens_close - Close; NULL is fine. */
void mmlens_close(struct mmlens *lens);

/** mmlens_get_info - What the module said about itself when it was opened. */
const struct mmlens_info *mmlens_get_info(const struct mmlens *lens);

/** mmlens_has_query - Whether the module answers query @nr (MMLENS_NR_*). */
bool mmlens_has_query(const struct mmlens *lens, unsigned int nr);

/** mmlens_lib_version - Version of this library. */
const char *mmlens_lib_version(void);

/* ---- records as they come ---- */

/**
 * struct mmlens_request - What to walk.
 * @pid:	process or thread, above 0
 * @flags:	MMLENS_WALK_*
 * @start:	first address, a multiple of the page size
 * @end:	address after the last, a multiple of the page size; 0: all
 * @from:	of LRU lists: the cursor of the list to begin with; 0: the first
 */
struct mmlens_request {
	int pid;
	uint32_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t from;
};

/**
 * struct mmlens_stats - What a walk was like so far.
 * @records:	records that the module has written
 * @calls:	calls into the module
 * @restarts:	steps that met a change under way and were done again
 * @max_hold_ns: longest time that a lock of the process was held
 * @truncated:	the walk ended with an error, before its end
 */
struct mmlens_stats {
	uint64_t records;
	uint64_t calls;
	uint64_t restarts;
	uint64_t max_hold_ns;
	bool truncated;
};

/** mmlens_stats_add - What several walks were like together. */
void mmlens_stats_add(struct mmlens_stats *sum,
		      const struct mmlens_stats *add);

struct mmlens_stream;

/**
 * mmlens_stream_open - Begin a walk.
 * @lens:	connection
 * @nr:		MMLENS_NR_* of a walk
 * @request:	what to walk
 *
 * The first call into the module is made here, so what is wrong with the
 * request or its target shows before there is any record.
 *
 * Errors: EOPNOTSUPP when the module doesn't know the query; those listed at
 * &struct mmlens_walk; EPROTO for an answer that breaks the contract.
 */
struct mmlens_stream *mmlens_stream_open(struct mmlens *lens, unsigned int nr,
					 const struct mmlens_request *request);

/**
 * mmlens_stream_next - The next record.
 * @stream:	the walk
 * @record:	out: valid until the next call
 *
 * Records of types that this library doesn't know are handed out too, and are
 * to be skipped.  Those that it knows are at least as long as their structure.
 *
 * Return: 1 with a record, 0 at the end, -ESTALE when the process exited or
 * executed another program during the walk (all that was read has been handed
 * out), -EPROTO for a malformed record, or another negative errno.
 */
int mmlens_stream_next(struct mmlens_stream *stream,
		       const struct mmlens_record **record);

/** mmlens_stream_stats - The walk so far. */
const struct mmlens_stats *
mmlens_stream_stats(const struct mmlens_stream *stream);

/** mmlens_stream_close - End the walk; NULL is fine. */
void mmlens_stream_close(struct mmlens_stream *stream);

/* ---- virtual memory areas ---- */

#define MMLENS_AREAS_SMAPS	(1u << 0)  /* sum up the pages of each */
#define MMLENS_AREAS_GATE	(1u << 1)  /* with the gate area behind the
					    * last, as /proc/PID/maps has it */
#define MMLENS_AREAS_NUMA	(1u << 2)  /* policy and nodes of each */
#define MMLENS_AREAS_TOTAL	(1u << 3)  /* with _SMAPS: one area over all */
#define MMLENS_AREAS_FIELDS	(1u << 4)  /* with _SMAPS: also what smaps shows
					    * and the module can't know alone */

/**
 * struct mmlens_area - One VMA with its name and its sums.
 * @vma:	as the module wrote it
 * @name:	NUL-terminated, nothing escaped; NULL without a name
 * @name_length: bytes
 * @smaps:	NULL unless asked for
 * @numa:	NULL unless asked for
 * @nodes:	of @numa
 * @node_count:	how many
 * @swap_pss:	SwapPss in bytes, with %MMLENS_AREAS_FIELDS
 * @thp_eligible: THPeligible, with %MMLENS_AREAS_FIELDS
 */
struct mmlens_area {
	const struct mmlens_vma *vma;
	const char *name;
	size_t name_length;
	const struct mmlens_smaps *smaps;
	const struct mmlens_numa *numa;
	const struct mmlens_node *nodes;
	size_t node_count;
	uint64_t swap_pss;
	bool thp_eligible;
};

struct mmlens_areas;

/**
 * mmlens_areas_open - Begin to walk the VMAs of a process.
 * @lens:	connection
 * @request:	which; its flags must be 0
 * @flags:	MMLENS_AREAS_*
 *
 * The gate area ([vsyscall]) isn't part of any address space.  It is added
 * where /proc/PID/maps shows it: for 64-bit processes of a kernel that maps
 * it, when the request has no end.
 *
 * How often a swap slot is used is known to the kernel alone: SwapPss comes
 * from /proc/PID/smaps (smaps_rollup with %MMLENS_AREAS_TOTAL), which is read
 * once, and only when page tables of the process hold swap slots.
 *
 * Errors: as mmlens_stream_open(); EINVAL for flags that exclude each other.
 */
struct mmlens_areas *mmlens_areas_open(struct mmlens *lens,
				       const struct mmlens_request *request,
				       unsigned int flags);

/**
 * mmlens_areas_next - The next VMA.
 * @areas:	the walk
 * @area:	out: valid until the next call
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_areas_next(struct mmlens_areas *areas,
		      const struct mmlens_area **area);

/** mmlens_areas_stats - The walk so far. */
const struct mmlens_stats *mmlens_areas_stats(const struct mmlens_areas *areas);

/** mmlens_areas_close - End the walk; NULL is fine. */
void mmlens_areas_close(struct mmlens_areas *areas);

/* ---- processes ---- */

#define MMLENS_PROCS_SMAPS	(1u << 0)  /* sum up the memory of each */

/**
 * struct mmlens_process_sums - One process and the sums over its memory.
 * @proc:	as the module wrote it
 * @smaps:	over all of its VMAs; NULL unless asked for, without an address
 *		space, and where the process lost it before the sums were begun.
 *		With %MMLENS_PROC_RACED they are of a part of it
 */
struct mmlens_process_sums {
	const struct mmlens_proc *proc;
	const struct mmlens_smaps *smaps;
};

struct mmlens_procs;

/**
 * mmlens_procs_open - Begin to walk the processes, in order of PID.
 * @lens:	connection
 * @flags:	MMLENS_PROCS_*
 *
 * Nothing is read from /proc.
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_procs *mmlens_procs_open(struct mmlens *lens, unsigned int flags);

/**
 * mmlens_procs_next - The next process.
 * @procs:	the walk
 * @sums:	out: valid until the next call
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_procs_next(struct mmlens_procs *procs,
		      const struct mmlens_process_sums **sums);

/** mmlens_procs_stats - The walk so far. */
const struct mmlens_stats *mmlens_procs_stats(const struct mmlens_procs *procs);

/** mmlens_procs_close - End the walk; NULL is fine. */
void mmlens_procs_close(struct mmlens_procs *procs);

/**
 * mmlens_process_sum - Sum up the memory of one process.
 * @lens:	connection
 * @pid:	process or thread
 * @smaps:	out: over all of its VMAs; zeroes without any
 *
 * Return: 0, or a negative errno as mmlens_stream_open() and
 * mmlens_stream_next().
 */
int mmlens_process_sum(struct mmlens *lens, int pid,
		       struct mmlens_smaps *smaps);

/* ---- page tables themselves ---- */

struct mmlens_tables;

/**
 * mmlens_tables_open - Begin to walk the page-table pages of a process.
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_tables *mmlens_tables_open(struct mmlens *lens,
					 const struct mmlens_request *request);

/**
 * mmlens_tables_next - The next page-table page.
 * @tables:	the walk
 * @table:	out: valid until the next call
 *
 * Return: as mmlens_stream_next(); -EPROTO also for a table that has more
 * entries in use than it has.
 */
int mmlens_tables_next(struct mmlens_tables *tables,
		       const struct mmlens_table **table);

/** mmlens_tables_stats - The walk so far. */
const struct mmlens_stats *
mmlens_tables_stats(const struct mmlens_tables *tables);

/** mmlens_tables_close - End the walk; NULL is fine. */
void mmlens_tables_close(struct mmlens_tables *tables);
/* ---- settings for large folios ---- */

/**
 * enum mmlens_thp_setting - What "enabled" and "shmem_enabled" can say.
 *
 * The words of /sys/kernel/mm/transparent_hugepage; "madvise" and "advise" are
 * one.
 */
enum mmlens_thp_setting {
	MMLENS_THP_SET_NEVER,
	MMLENS_THP_SET_ALWAYS,
	MMLENS_THP_SET_WITHIN_SIZE,
	MMLENS_THP_SET_ADVISE,
	MMLENS_THP_SET_INHERIT,
	MMLENS_THP_SET_DENY,
	MMLENS_THP_SET_FORCE,
	MMLENS_THP_SETTINGS,
};

/**
 * struct mmlens_thp_settings - The machine's settings for large folios.
 * @anon:	the common setting for anonymous memory
 * @shmem:	the common setting for shared memory
 * @pmd:	bit of the order that a PMD maps
 * @anon_orders: by setting: the orders that have it; without settings by size
 *		every order inherits the common one
 * @shmem_orders: the same of shared memory
 * @shmem_sized: there are settings by size for shared memory
 */
struct mmlens_thp_settings {
	enum mmlens_thp_setting anon;
	enum mmlens_thp_setting shmem;
	uint32_t pmd;
	uint32_t anon_orders[MMLENS_THP_SETTINGS];
	uint32_t shmem_orders[MMLENS_THP_SETTINGS];
	bool shmem_sized;
};

/**
 * mmlens_thp_read - Read the settings.
 * @info:	of the module
 * @dir:	NULL for /sys/kernel/mm/transparent_hugepage.  What isn't there
 *		counts as "never".
 * @settings:	out
 */
void mmlens_thp_read(const struct mmlens_info *info, const char *dir,
		     struct mmlens_thp_settings *settings);

/**
 * mmlens_thp_eligible - Whether a VMA may have large folios.
 *
 * Mirrors THPeligible of smaps: thp_vma_allowable_orders() of
 * include/linux/huge_mm.h and shmem_allowable_huge_orders() of mm/shmem.c.
 */
bool mmlens_thp_eligible(const struct mmlens_thp_settings *settings,
			 const struct mmlens_area *area);

/* ---- the fields of smaps ---- */

/**
 * struct mmlens_smaps_field - One line of an entry of smaps.
 * @name:	the kernel's
 * @label:	what stands before the number, spaces included
 * @label_length: bytes
 * @width:	least width of the number
 * @kb:		the number is in kB, and the line says so
 * @adds_up:	a sum over VMAs means something
 * @what:	for mmlens_smaps_value()
 */
struct mmlens_smaps_field {
	const char *name;
	char label[32];
	uint8_t label_length;
	uint8_t width;
	bool kb;
	bool adds_up;
	uint8_t what;
};

#define MMLENS_MAX_SMAPS_FIELDS	48

/**
 * struct mmlens_smaps_format - How the running kernel writes smaps.
 * @count:	fields
 * @fields:	in the kernel's order
 * @has_vm_flags: "VmFlags" ends an entry
 * @vm_flags:	by bit of @raw_flags of &struct mmlens_vma: the mnemonic, "??"
 *		for a bit without one, "" for one that isn't shown
 * @unknown:	fields of the kernel that aren't known here, divided by commas;
 *		"" for none
 */
struct mmlens_smaps_format {
	size_t count;
	struct mmlens_smaps_field fields[MMLENS_MAX_SMAPS_FIELDS];
	bool has_vm_flags;
	char vm_flags[64][3];
	char unknown[256];
};

/**
 * mmlens_smaps_format_parse - Learn a kernel's format from what it wrote.
 * @info:	of the module
 * @text:	smaps or smaps_rollup; the first entry is the model.  A mnemonic
 *		that not every kernel knows counts only if it occurs.
 * @format:	out
 *
 * Return: 0, or -EPROTO for what is neither.
 */
int mmlens_smaps_format_parse(const struct mmlens_info *info, const char *text,
			      struct mmlens_smaps_format *format);

/**
 * mmlens_smaps_format_read - Learn the format of the running kernel from the
 * caller's own smaps, or its smaps_rollup.
 *
 * Return: 0, or a negative errno.
 */
int mmlens_smaps_format_read(const struct mmlens_info *info, bool rollup,
			     struct mmlens_smaps_format *format);

/**
 * mmlens_smaps_value - The number of a field, as the kernel shows it.
 * @area:	of a walk with %MMLENS_AREAS_SMAPS and %MMLENS_AREAS_FIELDS
 */
uint64_t mmlens_smaps_value(const struct mmlens_smaps_field *field,
			    const struct mmlens_area *area);

/* ---- NUMA policies ---- */

/* More bytes than any policy's text has, with its NUL. */
#define MMLENS_POLICY_TEXT	64

/**
 * mmlens_numa_policy - A policy as numa_maps shows it.
 * @text:	out: NUL-terminated, cut off at the length that the kernel has
 *
 * Mirrors mpol_to_str() of mm/mempolicy.c.
 */
void mmlens_numa_policy(const struct mmlens_numa *numa,
			char text[MMLENS_POLICY_TEXT]);

/* ---- page-table entries ---- */

/**
 * struct mmlens_page_state - What the kernel says about a mapped page.
 * @flags:	1 << KPF_*, as in &struct mmlens_page
 * @memcg:	inode number of its memory cgroup, 0 for none
 * @mapcount:	how often it is mapped, as kpagecount
 * @folio_index: pages of its folio before it
 * @order:	log2 of the pages in the folio
 * @lru:	&enum mmlens_lru
 * @generation:	1 + index of its generation, 0 for none
 * @tier:	its tier there
 * @node:	NUMA node
 * @zone:	index of the zone in the node
 */
struct mmlens_page_state {
	uint64_t flags;
	uint64_t memcg;
	int32_t mapcount;
	uint32_t folio_index;
	uint8_t order;
	uint8_t lru;
	uint8_t generation;
	uint8_t tier;
	uint16_t node;
	uint8_t zone;
};

/**
 * struct mmlens_entry - One page-table entry, or a hole of empty ones.
 * @va:		first address
 * @size:	bytes that it translates; of a hole its whole length
 * @raw:	as the architecture holds it
 * @value:	as in &struct mmlens_pte
 * @flags:	as in &struct mmlens_pte; of a hole 0 (%MMLENS_STATE_NONE)
 * @level:	&enum mmlens_level_id
 * @has_page:	@page is known: only with %MMLENS_WALK_STATE
 * @page:	of its page; above level PTE of the first one
 */
struct mmlens_entry {
	uint64_t va;
	uint64_t size;
	uint64_t raw;
	uint64_t value;
	uint32_t flags;
	uint8_t level;
	bool has_page;
	struct mmlens_page_state page;
};

/**
 * struct mmlens_entry_run - Neighbours that differ in their value alone.
 *
 * Where the state of pages is known, it is the same for each of them but for
 * the place in the folio, and they are contiguous: in one folio, or small
 * pages or folios one behind another.
 *
 * @start:	first address
 * @end:	address after the last
 * @entries:	how many
 * @raw:	of the first
 * @value:	of the first
 * @flags:	of each
 * @level:	of each
 * @contiguous:	each one's PFN or swap slot follows the one's before
 * @has_page:	@page is known
 * @page:	of the first
 */
struct mmlens_entry_run {
	uint64_t start;
	uint64_t end;
	uint64_t entries;
	uint64_t raw;
	uint64_t value;
	uint32_t flags;
	uint8_t level;
	bool contiguous;
	bool has_page;
	struct mmlens_page_state page;
};

struct mmlens_entries;

/**
 * mmlens_entries_open - Begin to walk the page tables of a process.
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_entries *
mmlens_entries_open(struct mmlens *lens, const struct mmlens_request *request);

/**
 * mmlens_entries_next - The next entry.
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_entries_next(struct mmlens_entries *entries,
			struct mmlens_entry *entry);

/**
 * mmlens_runs_next - The next run of like entries.
 *
 * Takes the same walk as mmlens_entries_next(); use one of them.
 *
 * Return: as mmlens_stream_next().  The run that an error cuts off is handed
 * out first.
 */
int mmlens_runs_next(struct mmlens_entries *entries,
		     struct mmlens_entry_run *run);

/** mmlens_entries_stats - The walk so far. */
const struct mmlens_stats *
mmlens_entries_stats(const struct mmlens_entries *entries);

/** mmlens_entries_close - End the walk; NULL is fine. */
void mmlens_entries_close(struct mmlens_entries *entries);

/** mmlens_state - What an entry is, from its flags. */
static inline enum mmlens_pte_state mmlens_state(uint32_t flags)
{
	return (enum mmlens_pte_state)(flags & MMLENS_PTE_STATE);
}

/** mmlens_state_is_present - Whether the hardware's bits are in such an entry. */
bool mmlens_state_is_present(enum mmlens_pte_state state);

/** mmlens_state_has_pfn - Whether the value of such an entry is a PFN. */
bool mmlens_state_has_pfn(enum mmlens_pte_state state);

/**
 * mmlens_entry_decode - What a raw entry says that didn't come from the module.
 * @info:	of the module
 * @va:		an address that it translates
 * @level:	&enum mmlens_level_id
 * @raw:	as it stands in memory
 * @entry:	out: what can be told from the entry alone: no flag that is the
 *		VMA's or the page's, no soft-dirty and no uffd-wp, whose bits
 *		kernels place differently.  A huge page's value is its first page;
 *		a NUMA hint is a present entry with %MMLENS_PTE_PROT_NONE; what
 *		isn't present and isn't in swap is %MMLENS_STATE_OTHER
 *
 * Return: false for an architecture whose entries aren't known here.
 */
bool mmlens_entry_decode(const struct mmlens_info *info, uint64_t va,
			 unsigned int level, uint64_t raw,
			 struct mmlens_entry *entry);

/**
 * mmlens_level_size - Bytes that an entry of @level translates.
 *
 * Return: 0 for a level that this kernel hasn't.
 */
uint64_t mmlens_level_size(const struct mmlens_info *info, unsigned int level);

/**
 * mmlens_has_effective - Whether the module sets MMLENS_EFF_*.
 *
 * Those before revision 2 of the contract don't.
 */
bool mmlens_has_effective(const struct mmlens_info *info);

/* ---- how folios are mapped ---- */

/**
 * enum mmlens_folio_kind - Whose a folio is.
 * @MMLENS_FOLIO_ANON:	anonymous
 * @MMLENS_FOLIO_FILE:	of a file or of shared memory
 * @MMLENS_FOLIO_HUGETLB: of hugetlb, which isn't part of RSS
 */
enum mmlens_folio_kind {
	MMLENS_FOLIO_ANON,
	MMLENS_FOLIO_FILE,
	MMLENS_FOLIO_HUGETLB,
	MMLENS_FOLIO_KINDS,
};

#define MMLENS_FOLIO_ORDERS 32

/**
 * struct mmlens_folio_bytes - Bytes mapped of folios of one order.
 * @aligned:	of folios that are mapped from their first page to their last,
 *		in one piece, at an address that is a multiple of their size
 * @unaligned:	the same at another address
 * @partial:	of all others
 */
struct mmlens_folio_bytes {
	uint64_t aligned;
	uint64_t unaligned;
	uint64_t partial;
};

/**
 * struct mmlens_folio_sums - How the folios of a VMA are mapped.
 * @bytes:	by kind, by level of the entries (%MMLENS_LEVEL_PTE,
 *		%MMLENS_LEVEL_PMD, ...) and by order.  Order 0 also has large
 *		pages that aren't folios of the page cache or anonymous ones
 *		(a driver's).
 * @rss:	the sum of a kind
 *
 * The zero pages and those that the kernel doesn't account (special entries)
 * aren't in it, as they aren't in Rss of smaps.
 */
struct mmlens_folio_sums {
	struct mmlens_folio_bytes bytes[MMLENS_FOLIO_KINDS]
				       [MMLENS_LEVEL_PGD + 1]
				       [MMLENS_FOLIO_ORDERS];
	uint64_t rss[MMLENS_FOLIO_KINDS];
};

struct mmlens_folios;

/**
 * mmlens_folios_open - Begin to sum up how folios are mapped, VMA by VMA.
 * @lens:	connection
 * @request:	which; its flags must be 0.  Folios that its ends cut are
 *		partly mapped.
 *
 * VMAs and entries are two walks: what is mapped between them is in neither.
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_folios *mmlens_folios_open(struct mmlens *lens,
					 const struct mmlens_request *request);

/**
 * mmlens_folios_next - The next VMA, with those that map nothing.
 * @folios:	the walk
 * @area:	out: the VMA; this and @sums are valid until the next call
 * @sums:	out: its sums
 *
 * Return: as mmlens_stream_next().  A VMA that isn't summed up to its end
 * isn't handed out.
 */
int mmlens_folios_next(struct mmlens_folios *folios,
		       const struct mmlens_area **area,
		       const struct mmlens_folio_sums **sums);

/** mmlens_folios_stats - Both walks so far; the longest hold of either. */
struct mmlens_stats mmlens_folios_stats(const struct mmlens_folios *folios);

/** mmlens_folios_close - End the walk; NULL is fine. */
void mmlens_folios_close(struct mmlens_folios *folios);

/** mmlens_folio_sums_add - Add @more to @sums. */
void mmlens_folio_sums_add(struct mmlens_folio_sums *sums,
			   const struct mmlens_folio_sums *more);

/* ---- physical memory: nodes and zones ---- */

/**
 * struct mmlens_numbers - Numbers in a row.
 * @count:	how many
 * @value:	each
 */
struct mmlens_numbers {
	size_t count;
	uint64_t *value;
};

/**
 * struct mmlens_zone_state - A zone and what belongs to it.
 * @zone:	as the module wrote it; its name ends with a NUL
 * @reserve:	pages kept from allocations that could be of a higher zone, by
 *		index of that
 * @stats:	by enum zone_stat_item of the kernel; none in an empty zone
 * @numa:	by enum numa_stat_item; none in an empty zone
 * @free:	free blocks by order; none in an empty zone
 * @pagesets:	what each CPU keeps; none in an empty zone
 * @pageset_count: how many
 */
struct mmlens_zone_state {
	struct mmlens_zone zone;
	struct mmlens_numbers reserve;
	struct mmlens_numbers stats;
	struct mmlens_numbers numa;
	struct mmlens_numbers free;
	struct mmlens_pageset *pagesets;
	size_t pageset_count;
};

/**
 * struct mmlens_node_state - A node and its zones.
 * @node:	as the module wrote it
 * @stats:	by enum node_stat_item of the kernel
 * @zones:	all, from the lowest
 * @zone_count:	how many
 */
struct mmlens_node_state {
	struct mmlens_memnode node;
	struct mmlens_numbers stats;
	struct mmlens_zone_state *zones;
	size_t zone_count;
};

/**
 * struct mmlens_zones - The memory of the machine: nodes in order of number.
 * @nodes:	each
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_zones {
	struct mmlens_node_state *nodes;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_zones_read - Nodes, zones and what CPUs keep, as they are now.
 * @lens:	connection
 *
 * Return: to be freed with mmlens_zones_free(); NULL and errno as
 * mmlens_stream_open(), or EPROTO for records in an order that makes no sense.
 */
struct mmlens_zones *mmlens_zones_read(struct mmlens *lens);

/** mmlens_zones_free - NULL is fine. */
void mmlens_zones_free(struct mmlens_zones *zones);

/** mmlens_zones_find - Zone @index of @node; NULL: there is none. */
const struct mmlens_zone *mmlens_zones_find(const struct mmlens_zones *zones,
					    uint32_t node, unsigned int index);

/* ---- free blocks ---- */

/**
 * struct mmlens_free_list - A list of free blocks, in its order.
 * @node:	NUMA node
 * @cpu:	CPU that keeps it; -1: the buddy allocator
 * @zone:	index of the zone in its node
 * @order:	log2 of the pages in each block
 * @migratetype: enum mmlens_migratetype
 * @cut:	the list goes on behind what is here
 * @count:	blocks
 * @room:	for so many
 * @pfn:	first page of each; that of the block handed out next comes first
 */
struct mmlens_free_list {
	uint32_t node;
	int32_t cpu;
	uint8_t zone;
	uint8_t order;
	uint8_t migratetype;
	bool cut;
	size_t count;
	size_t room;
	uint64_t *pfn;
};

/**
 * struct mmlens_free_lists - All lists of free blocks.
 * @lists:	those of a zone together: the buddy allocator's by order and type,
 *		empty ones too, then the CPUs'
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_free_lists {
	struct mmlens_free_list *lists;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_free_lists_read - The free blocks, as they are now.
 * @lens:	connection
 *
 * Return: to be freed with mmlens_free_lists_free(); NULL and errno as
 * mmlens_stream_open(), or EPROTO for records in an order that makes no sense.
 */
struct mmlens_free_lists *mmlens_free_lists_read(struct mmlens *lens);

/** mmlens_free_lists_free - NULL is fine. */
void mmlens_free_lists_free(struct mmlens_free_lists *lists);

/**
 * struct mmlens_pageblock_map - Page blocks by address.
 * @runs:	those in a row that are alike; where there is no memory is no run
 * @count:	how many runs
 * @order:	log2 of the pages in a block
 * @stats:	of the walk
 */
struct mmlens_pageblock_map {
	struct mmlens_pageblocks *runs;
	size_t count;
	unsigned int order;
	struct mmlens_stats stats;
};

/**
 * mmlens_pageblock_map_read - What page blocks are for now.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all from @start on
 *
 * Return: to be freed with mmlens_pageblock_map_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_pageblock_map *
mmlens_pageblock_map_read(struct mmlens *lens, uint64_t start, uint64_t end);

/** mmlens_pageblock_map_free - NULL is fine. */
void mmlens_pageblock_map_free(struct mmlens_pageblock_map *map);

/** mmlens_migratetype_label - "Unmovable", as the kernel's files have it. */
const char *mmlens_migratetype_label(unsigned int migratetype);

/**
 * struct mmlens_labels_list - What stands before the numbers of lines.
 * @count:	lines
 * @label:	each, with its spaces
 */
struct mmlens_labels_list {
	size_t count;
	char **label;
};

/**
 * struct mmlens_zoneinfo_format - How the running kernel writes zoneinfo.
 * @node:	lines of a node's counters, by enum node_stat_item
 * @head:	from "pages free" to what stands before "protection"
 * @stats:	lines of a zone's counters and NUMA's, by their enums
 * @pageset:	of each CPU, without the line that names it
 * @tail:	behind the CPUs
 */
struct mmlens_zoneinfo_format {
	struct mmlens_labels_list node;
	struct mmlens_labels_list head;
	struct mmlens_labels_list stats;
	struct mmlens_labels_list pageset;
	struct mmlens_labels_list tail;
};

/**
 * mmlens_zoneinfo_format_read - Learn from /proc/zoneinfo how it is written.
 * @format:	out: to be freed with mmlens_zoneinfo_format_free()
 *
 * The names of counters, which lines there are and how they are indented differ
 * by series and configuration.  The numbers aren't taken from there.
 *
 * Return: 0, -EPROTO for a form that isn't known, or another negative errno.
 */
int mmlens_zoneinfo_format_read(struct mmlens_zoneinfo_format *format);
int mmlens_zoneinfo_format_parse(struct mmlens_zoneinfo_format *format,
				 char *text);
void mmlens_zoneinfo_format_free(struct mmlens_zoneinfo_format *format);

/**
 * mmlens_zoneinfo_key - The name in a label: without spaces, "pages" and colon.
 * @label:	of a list
 * @length:	out: bytes of the name
 */
const char *mmlens_zoneinfo_key(const char *label, size_t *length);

/**
 * mmlens_zoneinfo_value - The number of a line that isn't a counter.
 * @label:	of the lists head, pageset or tail
 * @node:	of the zone
 * @zone:	the zone
 * @pageset:	for a line of the list pageset, otherwise NULL
 * @value:	out
 *
 * Return: whether it is known.
 */
bool mmlens_zoneinfo_value(const char *label,
			   const struct mmlens_node_state *node,
			   const struct mmlens_zone_state *zone,
			   const struct mmlens_pageset *pageset,
			   int64_t *value);

/* ---- physical memory: page frames ---- */

struct mmlens_pages;

/**
 * mmlens_pages_open - Begin to walk page frames.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all
 *
 * Errors: as mmlens_stream_open().
 */
struct mmlens_pages *mmlens_pages_open(struct mmlens *lens, uint64_t start,
				       uint64_t end);

/**
 * mmlens_pages_next - Page frames in a row with the same state.
 * @pages:	the walk
 * @run:	out: valid until the next call
 *
 * In order of PFN.  Between two runs, there may be page frames that aren't
 * online memory.
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_pages_next(struct mmlens_pages *pages,
		      const struct mmlens_pfns **run);

/** mmlens_pages_stats - The walk so far. */
const struct mmlens_stats *mmlens_pages_stats(const struct mmlens_pages *pages);

/** mmlens_pages_close - End the walk; NULL is fine. */
void mmlens_pages_close(struct mmlens_pages *pages);

/**
 * struct mmlens_frame - All that is known of one page frame.
 * @page:	its state; of a free block or a folio from this page on
 * @backing:	what backs it
 * @stats:	of the walk
 */
struct mmlens_frame {
	struct mmlens_pfns page;
	struct mmlens_backing backing;
	struct mmlens_stats stats;
};

/**
 * mmlens_frame_read - Look at one page frame.
 * @lens:	connection
 * @pfn:	which
 * @frame:	out
 *
 * Return: 1, 0 where it isn't online memory, or a negative errno as
 * mmlens_stream_open().
 */
int mmlens_frame_read(struct mmlens *lens, uint64_t pfn,
		      struct mmlens_frame *frame);

/* ---- who maps page frames ---- */

/**
 * struct mmlens_users - Who maps page frames.
 * @users:	in order of PFN, PID and address
 * @reach:	of each, the PFN behind the last that it or one before it has
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_users {
	struct mmlens_user *users;
	uint64_t *reach;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_users_read - Make the map from page frames to who maps them.
 * @lens:	connection
 * @start:	first PFN
 * @end:	PFN after the last; 0: all
 * @wanted:	says which are to be kept; NULL: all
 * @context:	of it
 *
 * It walks every process's page tables once, however many page frames these are.
 *
 * Return: to be freed with mmlens_users_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_users *
mmlens_users_read(struct mmlens *lens, uint64_t start, uint64_t end,
		  bool (*wanted)(const struct mmlens_user *user, void *context),
		  void *context);

/**
 * mmlens_users_first - The first that may map @pfn: none before it does, nor one
 * that begins behind @pfn.
 *
 * Return: its index; @users->count where nobody maps it.
 */
size_t mmlens_users_first(const struct mmlens_users *users, uint64_t pfn);

/** mmlens_users_free - NULL is fine. */
void mmlens_users_free(struct mmlens_users *users);

/**
 * mmlens_kpageflags - What the kernel's own file says of one page frame.
 *
 * For those that aren't online memory: there it is KPF_NOPAGE or, in newer
 * kernels, nothing.
 *
 * Return: 1 with @flags, 0 where the file has come to its end, or a negative
 * errno.
 */
int mmlens_kpageflags(uint64_t pfn, uint64_t *flags);

/* ---- the ledger: every page frame in one bucket ---- */

/**
 * enum mmlens_ledger_bucket - Those behind enum mmlens_bucket.
 * @MMLENS_LEDGER_KEPT:	free, on a CPU's list
 * @MMLENS_LEDGER_REST:	behind the first page of an allocation of higher order
 * @MMLENS_LEDGER_VMALLOC: the kernel's own, mapped by it for vmalloc(), as stacks of
 *			tasks or for modules; of x86-64, elsewhere with KERNEL
 * @MMLENS_LEDGER_HOLE:	has a struct page, but isn't memory by /proc/iomem
 * @MMLENS_LEDGER_BUCKETS: how many there are in all
 */
enum mmlens_ledger_bucket {
	MMLENS_LEDGER_KEPT = MMLENS_BUCKET_KERNEL + 1,
	MMLENS_LEDGER_REST,
	MMLENS_LEDGER_VMALLOC,
	MMLENS_LEDGER_HOLE,
	MMLENS_LEDGER_BUCKETS,
};

/**
 * struct mmlens_ledger_run - Page frames in a row in the same bucket.
 * @pfn:	the first
 * @count:	how many
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @bucket:	enum mmlens_bucket or enum mmlens_ledger_bucket
 * @order:	of blocks of the buddy allocator; else 0
 * @migratetype: of their page block
 */
struct mmlens_ledger_run {
	uint64_t pfn;
	uint64_t count;
	uint16_t node;
	uint8_t zone;
	uint8_t bucket;
	uint8_t order;
	uint8_t migratetype;
};

/**
 * struct mmlens_ledger - All page frames of online memory, in order of PFN.
 * @runs:	without overlaps
 * @count:	how many
 * @stats:	of all walks together
 */
struct mmlens_ledger {
	struct mmlens_ledger_run *runs;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_ledger_read - Put every page frame into a bucket.
 * @lens:	connection
 *
 * %MMLENS_BUCKET_UNTOLD has what could not be told in three looks.
 *
 * Return: to be freed with mmlens_ledger_free(); NULL and errno as
 * mmlens_stream_open(), or that of reading /proc/iomem.
 */
struct mmlens_ledger *mmlens_ledger_read(struct mmlens *lens);

/** mmlens_ledger_free - NULL is fine. */
void mmlens_ledger_free(struct mmlens_ledger *ledger);

/** mmlens_ledger_sum - Pages of a zone by bucket. */
void mmlens_ledger_sum(const struct mmlens_ledger *ledger, uint32_t node,
		       unsigned int zone,
		       uint64_t pages[MMLENS_LEDGER_BUCKETS]);

/** mmlens_bucket_name - "buddy" and so on; "?" for an unknown one. */
const char *mmlens_bucket_name(unsigned int bucket);
/** mmlens_bucket_help - What it holds, in a few words. */
const char *mmlens_bucket_help(unsigned int bucket);

/* ---- fragmentation: what stands in the way of an order ---- */

/**
 * mmlens_extfrag_index - Why an order can't be had, as extfrag_index of debugfs.
 * @free:	free blocks of a zone by order
 * @order:	which
 *
 * Mirrors __fragmentation_index() of mm/vmstat.c.
 *
 * Return: thousandths: towards 0 for lack of memory, towards 1000 for
 * fragmentation; -1000 where it can be had.
 */
int mmlens_extfrag_index(const struct mmlens_numbers *free, unsigned int order);

/**
 * mmlens_unusable_index - How much of the free memory is in smaller blocks, in
 * thousandths, as unusable_index of debugfs.
 */
int mmlens_unusable_index(const struct mmlens_numbers *free,
			  unsigned int order);

/**
 * enum mmlens_obstacle - Why a page stands in the way of a free block.
 * @MMLENS_OBSTACLE_KEPT:	it is free, but a CPU keeps it
 * @MMLENS_OBSTACLE_MOVABLE:	compaction can move it
 * @MMLENS_OBSTACLE_WRITEBACK:	likewise, once it is written
 * @MMLENS_OBSTACLE_MLOCKED:	likewise, if vm.compact_unevictable_allowed is 1
 * @MMLENS_OBSTACLE_HELD:	someone has a reference beside those that map it
 *				and the page cache
 * @MMLENS_OBSTACLE_PINNED:	held by so many that it is pinned, for DMA as a rule
 * @MMLENS_OBSTACLE_FIXED:	it can't be moved: its bucket says what it is
 * @MMLENS_OBSTACLES:		how many there are
 */
enum mmlens_obstacle {
	MMLENS_OBSTACLE_KEPT,
	MMLENS_OBSTACLE_MOVABLE,
	MMLENS_OBSTACLE_WRITEBACK,
	MMLENS_OBSTACLE_MLOCKED,
	MMLENS_OBSTACLE_HELD,
	MMLENS_OBSTACLE_PINNED,
	MMLENS_OBSTACLE_FIXED,
	MMLENS_OBSTACLES,
};

/** mmlens_obstacle_name - "kept" and so on; "?" for an unknown one. */
const char *mmlens_obstacle_name(unsigned int obstacle);

/**
 * struct mmlens_blocker - Pages in a row that stand in the way.
 * @run:	their state
 * @obstacle:	enum mmlens_obstacle
 */
struct mmlens_blocker {
	struct mmlens_pfns run;
	uint8_t obstacle;
};

/**
 * struct mmlens_candidate - A block that isn't free as a whole.
 * @pfn:	its first page
 * @node:	NUMA node
 * @zone:	index of the zone in its node
 * @migratetype: of its first page block
 * @free:	pages of it that the buddy allocator has
 * @pages:	the others, by why they stand in the way
 * @blockers:	in order of PFN
 * @count:	how many
 */
struct mmlens_candidate {
	uint64_t pfn;
	uint16_t node;
	uint8_t zone;
	uint8_t migratetype;
	uint64_t free;
	uint64_t pages[MMLENS_OBSTACLES];
	struct mmlens_blocker *blockers;
	size_t count;
};

/**
 * struct mmlens_frag - The blocks that come closest to be free.
 * @order:	log2 of the pages in each
 * @candidates:	those with the fewest pages that can't be moved first, then those
 *		with the fewest in the way at all
 * @count:	how many
 * @stats:	of all walks together
 */
struct mmlens_frag {
	unsigned int order;
	struct mmlens_candidate *candidates;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_frag_read - Look for the blocks that come closest to be free.
 * @lens:	connection
 * @order:	log2 of the pages in a block, at most 31
 * @most:	how many are wanted, at least 1
 * @takes:	whether a zone counts; NULL: all do
 * @context:	of it
 *
 * Return: to be freed with mmlens_frag_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_frag *
mmlens_frag_read(struct mmlens *lens, unsigned int order, size_t most,
		 bool (*takes)(uint32_t node, unsigned int zone, void *context),
		 void *context);

/** mmlens_frag_free - NULL is fine. */
void mmlens_frag_free(struct mmlens_frag *frag);

/* ---- page flags as the kernel's tool page-types has them ---- */

/**
 * mmlens_page_types_flags - Its names and letters, in its order.
 *
 * Not all letters are of one flag alone.  The help is "raw" of those that it
 * shows in raw mode alone.
 */
const struct mmlens_flag *mmlens_page_types_flags(void);

/** mmlens_page_types_known - Flags as it shows them. */
uint64_t mmlens_page_types_known(uint64_t flags);

/**
 * mmlens_page_types_raw - Flags as it shows them in raw mode.
 * @flags:	1 << KPF_*
 * @entry:	flags of the page-table entry (MMLENS_PTE_*); 0 without one
 */
uint64_t mmlens_page_types_raw(uint64_t flags, uint32_t entry);

/**
 * mmlens_page_types_names - Flags by names, beginnings of names or numbers,
 * divided by commas.
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_types_names(const char *text, uint64_t *flags);

/**
 * struct mmlens_page_filter - Which flags pages must have.
 * @mask:	those that matter
 * @bits:	what they must be
 * @any:	instead: one of them is set
 */
struct mmlens_page_filter {
	uint64_t mask;
	uint64_t bits;
	bool any;
};

/**
 * mmlens_page_filter_parse - A filter as the tool's option -b has it: "A,B" one
 * of them, "A,B=A" and "A,~B" the one without the other, "=A,B" nothing else.
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_filter_parse(const char *text,
			     struct mmlens_page_filter *filter);

/** mmlens_page_filter_takes - Does it let @flags through? */
bool mmlens_page_filter_takes(const struct mmlens_page_filter *filter,
			      uint64_t flags);

/**
 * mmlens_page_range_parse - Pages as the tool's option -a has them: "N", "N+M",
 * "N,M", "N," and ",M".
 * @start:	out: the first
 * @end:	out: after the last; UINT64_MAX without one
 *
 * Return: 0, or -EINVAL.
 */
int mmlens_page_range_parse(const char *text, uint64_t *start, uint64_t *end);

#define MMLENS_PAGE_TYPES	8192

/**
 * struct mmlens_page_type - Pages whose flags are the same.
 * @flags:	as they are shown
 * @pages:	how many; 0: there are none in this place
 */
struct mmlens_page_type {
	uint64_t flags;
	uint64_t pages;
};

/**
 * struct mmlens_page_types - Pages by their flags.
 * @total:	all of them
 * @type:	in the order in which the tool shows them
 */
struct mmlens_page_types {
	uint64_t total;
	struct mmlens_page_type type[MMLENS_PAGE_TYPES];
};

/**
 * mmlens_page_types_add - Count pages.
 *
 * Return: 0, or -ENOSPC when there is no place for another type.
 */
int mmlens_page_types_add(struct mmlens_page_types *types, uint64_t flags,
			  uint64_t pages);

/* ---- translation of an address ---- */

#define MMLENS_MAX_STEPS	8

/**
 * struct mmlens_translation - How an address is translated.
 * @address:	the address
 * @steps:	entries met, from the top; 0 where no VMA is
 * @step:	the entries
 * @mapped:	there is a physical address
 * @phys:	physical address in bytes, when @mapped
 * @size:	bytes of the page, when @mapped
 * @user:	every level that was met lets user mode in
 * @rw:		every one allows writing
 * @nx:		some one forbids execution
 */
struct mmlens_translation {
	uint64_t address;
	unsigned int steps;
	struct mmlens_level step[MMLENS_MAX_STEPS];
	bool mapped;
	bool user;
	bool rw;
	bool nx;
	uint64_t phys;
	uint64_t size;
};

/**
 * mmlens_translate - Translate an address of a process.
 * @lens:	connection
 * @pid:	process or thread
 * @address:	any address, needn't be aligned
 * @out:	out: the steps and what follows from them
 *
 * Return: 0, or a negative errno as mmlens_stream_open().
 */
int mmlens_translate(struct mmlens *lens, int pid, uint64_t address,
		     struct mmlens_translation *out);

/**
 * mmlens_translate_kernel - Translate an address of the kernel.
 * @lens:	connection
 * @address:	from mmlens_kernel_start() on, needn't be aligned
 * @user:	as user mode's table has it, with page-table isolation
 * @out:	out: the steps and what follows from them
 *
 * Return: 0, or a negative errno as mmlens_kernel_map_read().
 */
int mmlens_translate_kernel(struct mmlens *lens, uint64_t address, bool user,
			    struct mmlens_translation *out);

/* ---- LRU lists ---- */

/**
 * struct mmlens_lru_contents - An LRU list.
 * @list:	what it is, as its last part said: %MMLENS_LIST_CUT in its flags
 *		says that the rest of it was left
 * @start:	position of the first folio from the tail, which reclaim takes
 *		first; the next one has the next position
 * @count:	how many folios there are
 * @folios:	the state of the first page of each, a moment after it was found on
 *		the list: lru and generation say whether it still is
 * @backings:	what backs each; NULL where it wasn't asked for.  One that isn't
 *		known is all zero
 */
struct mmlens_lru_contents {
	struct mmlens_lru_list list;
	uint64_t start;
	size_t count;
	const struct mmlens_pfns *folios;
	const struct mmlens_backing *backings;
};

/** mmlens_lru_is_same() - Are these records of the same list? */
bool mmlens_lru_is_same(const struct mmlens_lru_list *a,
			const struct mmlens_lru_list *b);

/**
 * mmlens_lru_read() - Read the LRU lists, one after the other.
 * @lens:	the connection
 * @request:	flags: %MMLENS_WALK_FOLIOS and with it %MMLENS_WALK_BACKING, or 0;
 *		start and end: positions on each list, from its tail; from: the
 *		list to begin with
 * @told:	is given each list as it is complete, for the time of the call; not
 *		0: read no further
 * @context:	for @told
 * @stats:	added to; may be NULL
 *
 * Returns: 0, what @told returned, or a negative errno.
 */
int mmlens_lru_read(struct mmlens *lens, const struct mmlens_request *request,
		    int (*told)(const struct mmlens_lru_contents *lru, void *context),
		    void *context, struct mmlens_stats *stats);

/* ---- a process on the LRU lists ---- */

/* Parts of a list in a histogram, from its tail, which reclaim takes first. */
#define MMLENS_LRU_PARTS	10

/**
 * enum mmlens_lru_off - Why a mapped page is on no list.
 * @MMLENS_LRU_ON:	it is on one
 * @MMLENS_LRU_OFF_NONE: taken off for a while, as by reclaim or a move, or not put
 *			on one yet: CPUs do that in batches
 * @MMLENS_LRU_OFF_MOVED: it was on one, but went on before that was read
 * @MMLENS_LRU_OFF_UNLINKED: it can't be evicted, and the kernel links such pages
 *			on no list (5.18 and later)
 * @MMLENS_LRU_OFF_HUGETLB: of hugetlb
 * @MMLENS_LRU_OFF_ZERO: a zero page
 * @MMLENS_LRU_OFF_SPECIAL: one that the kernel doesn't account, or a device's
 * @MMLENS_LRU_OFF_MIGRATION: the entry waits for its page to be moved
 * @MMLENS_LRU_OFFS:	how many
 */
enum mmlens_lru_off {
	MMLENS_LRU_ON,
	MMLENS_LRU_OFF_NONE,
	MMLENS_LRU_OFF_MOVED,
	MMLENS_LRU_OFF_UNLINKED,
	MMLENS_LRU_OFF_HUGETLB,
	MMLENS_LRU_OFF_ZERO,
	MMLENS_LRU_OFF_SPECIAL,
	MMLENS_LRU_OFF_MIGRATION,
	MMLENS_LRU_OFFS,
};

/**
 * struct mmlens_lru_share - What a process has on a list.
 * @list:	the list
 * @folios:	folios on all of it
 * @pages:	pages that the process maps there, each as often as it does
 * @parts:	the same by place: the first is the tail
 */
struct mmlens_lru_share {
	struct mmlens_lru_list list;
	uint64_t folios;
	uint64_t pages;
	uint64_t parts[MMLENS_LRU_PARTS];
};

/**
 * struct mmlens_lru_mapping - Pages of one folio that a process maps in a row.
 * @pfn:	of the folio's first page
 * @va:		address of the first of these
 * @pages:	how many
 * @lru:	&enum mmlens_lru as it was mapped
 * @off:	&enum mmlens_lru_off
 * @goes:	reclaim would take it
 */
struct mmlens_lru_mapping {
	uint64_t pfn;
	uint64_t va;
	uint32_t pages;
	uint8_t lru;
	uint8_t off;
	bool goes;
};

#define MMLENS_LRU_CLASSIC	(1u << 0)
#define MMLENS_LRU_GENERATIONS	(1u << 1)

/**
 * struct mmlens_lru_after - What reclaim would take, by a model of it.
 * @asked:	pages to be reclaimed
 * @taken:	pages that would be; less than @asked: there is no more
 * @named:	pages of the process among them, each as often as it is mapped
 * @kinds:	MMLENS_LRU_CLASSIC and MMLENS_LRU_GENERATIONS: of lists that it takes
 *		from
 * @swap:	pages that could be swapped out
 * @swappiness:	0 to 200
 * @memcg:	path of the memory cgroup that it takes from, with those below;
 *		NULL: from the machine
 */
struct mmlens_lru_after {
	uint64_t asked;
	uint64_t taken;
	uint64_t named;
	unsigned int kinds;
	uint64_t swap;
	unsigned int swappiness;
	char *memcg;
};

/**
 * struct mmlens_lru_process - Where a process's pages stand.
 * @mapped:	pages that it maps, each as often as it does: the sum of @on and
 *		@off
 * @on:		of them on lists
 * @off:	of them on none, by &enum mmlens_lru_off
 * @swapped:	pages that are swapped out
 * @shares:	lists that have some of them, in the order of the lists
 * @share_count: how many
 * @mappings:	all of them, in order of address
 * @mapping_count: how many
 * @after:	what reclaim would take; all zero where it wasn't asked for
 * @stats:	of all walks
 */
struct mmlens_lru_process {
	uint64_t mapped;
	uint64_t on;
	uint64_t off[MMLENS_LRU_OFFS];
	uint64_t swapped;
	struct mmlens_lru_share *shares;
	size_t share_count;
	struct mmlens_lru_mapping *mappings;
	size_t mapping_count;
	struct mmlens_lru_after after;
	struct mmlens_stats stats;
};

/**
 * mmlens_lru_process_read() - Find a process's pages on the LRU lists.
 * @lens:	the connection
 * @pid:	the process
 * @after:	pages to reclaim, in a model, from its memory cgroup; 0: no model
 *
 * Memory grows with the pages that the process maps, and with @after with the
 * folios of its memory cgroup.
 *
 * Return: to be freed with mmlens_lru_process_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_lru_process *
mmlens_lru_process_read(struct mmlens *lens, int pid, uint64_t after);

/** mmlens_lru_process_free() - NULL is fine. */
void mmlens_lru_process_free(struct mmlens_lru_process *process);

/** mmlens_lru_off_name() - "batch", "hugetlb" and so on; "?" for none. */
const char *mmlens_lru_off_name(unsigned int off);

/* ---- two looks at the LRU lists ---- */

struct mmlens_lru_look;

/**
 * mmlens_lru_look_read() - Note which folio is on which list.
 * @lens:	the connection
 *
 * It takes 16 bytes a folio.
 *
 * Return: to be freed with mmlens_lru_look_free(); NULL and errno as
 * mmlens_stream_open().
 */
struct mmlens_lru_look *mmlens_lru_look_read(struct mmlens *lens);

/** mmlens_lru_look_free() - NULL is fine. */
void mmlens_lru_look_free(struct mmlens_lru_look *look);

/**
 * enum mmlens_lru_place - Where a page is, for a comparison of two looks.
 * @MMLENS_PLACE_NONE:	on no list; in the first look: not in use as it is now
 * @MMLENS_PLACE_ISOLATED: on no list, but in use: taken off for a while
 * @MMLENS_PLACE_LIST:	with &enum mmlens_lru added: on that classic list
 * @MMLENS_PLACE_ANON_GEN: in an anonymous generation: the youngest; those up to 3
 *			places behind it are older by as many
 * @MMLENS_PLACE_FILE_GEN: the same of a file generation
 * @MMLENS_PLACES:	how many
 */
enum mmlens_lru_place {
	MMLENS_PLACE_NONE	= 0,
	MMLENS_PLACE_ISOLATED	= 1,
	MMLENS_PLACE_LIST	= 1,
	MMLENS_PLACE_ANON_GEN	= 7,
	MMLENS_PLACE_FILE_GEN	= 11,
	MMLENS_PLACES		= 15,
};

/**
 * struct mmlens_lru_moves - What moved between two looks, in pages.
 * @pages:	by place in the first look and by place in the second; those that
 *		stayed, too
 * @appeared:	that are on a list now and weren't
 * @left:	that were on a list and are in use no more, or not as they were
 * @isolated:	that were on a list and are on none, but still in use
 * @activated:	from an inactive list to the active one, or to a younger
 *		generation
 * @deactivated: the other way round, but for those that grew older where they are
 * @aged:	whose generation is the same and isn't as young any more, as others
 *		began
 * @other:	between classic lists and generations, from or to unevictable, or
 *		from one type or memory cgroup to another
 */
struct mmlens_lru_moves {
	uint64_t pages[MMLENS_PLACES][MMLENS_PLACES];
	uint64_t appeared;
	uint64_t left;
	uint64_t isolated;
	uint64_t activated;
	uint64_t deactivated;
	uint64_t aged;
	uint64_t other;
	struct mmlens_stats stats;
};

/**
 * mmlens_lru_moves_read() - Compare two looks.
 * @lens:	the connection: what became of pages that are on no list any more
 *		is asked now
 * @moves:	out
 *
 * Pages are known by their PFN: one that was freed and used again between the
 * looks counts as moved.
 *
 * Return: 0 or a negative errno.
 */
int mmlens_lru_moves_read(struct mmlens *lens,
			  const struct mmlens_lru_look *before,
			  const struct mmlens_lru_look *after,
			  struct mmlens_lru_moves *moves);

/** mmlens_lru_look_stats() - What the walk was like. */
const struct mmlens_stats *
mmlens_lru_look_stats(const struct mmlens_lru_look *look);

/** mmlens_lru_look_pages() - Pages that are on lists. */
uint64_t mmlens_lru_look_pages(const struct mmlens_lru_look *look);

/** mmlens_lru_place_name() - "inactive_file", "anon_gen0" and so on. */
const char *mmlens_lru_place_name(unsigned int place);

/* ---- samples: processes and zones at one moment ---- */

#define MMLENS_SAMPLE_SUMS	(1u << 0)  /* walk page tables for their sums */
#define MMLENS_SAMPLE_LRU	(1u << 1)  /* and for the pages' LRU lists */
#define MMLENS_SAMPLE_ZONES	(1u << 2)  /* nodes and zones */

/**
 * struct mmlens_target - A process to be sampled.
 * @pid:	its PID
 * @start:	when it was started, in clock ticks since boot: another process of
 *		that PID isn't it
 */
struct mmlens_target {
	int pid;
	uint64_t start;
};

/**
 * struct mmlens_sample_process - A process in a sample.
 * @pid:	its PID
 * @exited:	it has gone, or is a zombie: nothing but @pid is known
 * @known:	%MMLENS_SAMPLE_SUMS: @sums is, %MMLENS_SAMPLE_LRU: @lru is
 * @name:	its name, NUL-terminated
 * @vsize:	VmSize of /proc/PID/status; this and what follows in bytes, by the
 *		kernel's own counters, which may be off by some pages a CPU
 * @rss_anon:	RssAnon
 * @rss_file:	RssFile
 * @rss_shmem:	RssShmem
 * @hugetlb:	HugetlbPages
 * @swap:	VmSwap
 * @tables:	VmPTE
 * @minor_faults: of all of its threads since it was started
 * @major_faults: those that had to wait for a device
 * @sums:	over all of its VMAs, as smaps_rollup
 * @lru:	pages that it maps, each as often as it does, by &enum
 *		mmlens_lru_place: %MMLENS_PLACE_NONE are on no list
 */
struct mmlens_sample_process {
	int pid;
	bool exited;
	unsigned int known;
	char name[64];
	uint64_t vsize;
	uint64_t rss_anon;
	uint64_t rss_file;
	uint64_t rss_shmem;
	uint64_t hugetlb;
	uint64_t swap;
	uint64_t tables;
	uint64_t minor_faults;
	uint64_t major_faults;
	struct mmlens_smaps sums;
	uint64_t lru[MMLENS_PLACES];
};

#define MMLENS_SAMPLE_ORDERS	16

/**
 * struct mmlens_sample_zone - A zone that has pages; all in pages.
 * @node:	its node
 * @kswapd_runs: the node's kswapd doesn't sleep
 * @name:	"DMA", "Normal", ..., NUL-terminated
 * @free:	as in &struct mmlens_zone, and so are the watermarks
 * @min:	below that only the privileged may allocate
 * @low:	below that kswapd is woken
 * @high:	at that it sleeps again
 * @orders:	how many orders there are
 * @blocks:	free blocks in its lists, by order
 */
struct mmlens_sample_zone {
	uint32_t node;
	bool kswapd_runs;
	char name[16];
	uint64_t free;
	uint64_t min;
	uint64_t low;
	uint64_t high;
	size_t orders;
	uint64_t blocks[MMLENS_SAMPLE_ORDERS];
};

/**
 * struct mmlens_sample - What there was at one moment.
 * @time_ns:	nanoseconds since 1970 when it was begun
 * @at_ns:	the same by a clock that is never set (CLOCK_MONOTONIC)
 * @cost_ns:	time that it took
 * @stats:	of all walks
 * @processes:	in the order of the targets
 * @process_count: how many
 * @zones:	in order of node and zone
 * @zone_count:	how many
 */
struct mmlens_sample {
	uint64_t time_ns;
	uint64_t at_ns;
	uint64_t cost_ns;
	struct mmlens_stats stats;
	struct mmlens_sample_process *processes;
	size_t process_count;
	struct mmlens_sample_zone *zones;
	size_t zone_count;
};

/**
 * mmlens_target_find - Look a process up that is to be sampled.
 *
 * Return: 0, -ESRCH for no such process, -ENXIO for one without an address space,
 * or another negative errno.
 */
int mmlens_target_find(int pid, struct mmlens_target *target);

/**
 * mmlens_sample_read - Take a sample.
 * @lens:	connection
 * @targets:	processes
 * @count:	how many
 * @flags:	MMLENS_SAMPLE_*
 *
 * Counters, sums, lists and zones are read one after the other.  No accessed bit
 * is changed.
 *
 * Return: to be freed with mmlens_sample_free(); NULL and errno as
 * mmlens_stream_open().  Processes that have gone are no error.
 */
struct mmlens_sample *mmlens_sample_read(struct mmlens *lens,
					 const struct mmlens_target *targets,
					 size_t count, unsigned int flags);

/** mmlens_sample_free - NULL is fine. */
void mmlens_sample_free(struct mmlens_sample *sample);

/**
 * mmlens_accessed_clear - Have the kernel clear the accessed bits of a process.
 * @target:	the process; never another one that has its PID by now
 * @cost_ns:	out: time that it took
 *
 * By the kernel's own interface, which is 1 written to /proc/PID/clear_refs.  It
 * changes the entries of the process, flushes its TLB, and its pages look unused
 * to reclaim.
 *
 * Return: 0, -ESRCH, or another negative errno.
 */
int mmlens_accessed_clear(const struct mmlens_target *target,
			  uint64_t *cost_ns);

/* ---- the kernel's own page table ---- */

/**
 * struct mmlens_kernel_map - What the kernel's page table maps.
 * @regions:	parts of the kernel's addresses, in order
 * @region_count: how many
 * @runs:	entries in a row that are alike, in order; none is in two regions
 * @count:	how many
 * @stats:	of the walk
 */
struct mmlens_kernel_map {
	struct mmlens_region *regions;
	size_t region_count;
	struct mmlens_kmap *runs;
	size_t count;
	struct mmlens_stats stats;
};

/**
 * mmlens_kernel_map_read - Walk the kernel's page table.
 * @lens:	connection
 * @start:	first address, a multiple of the page size; 0: the first of all
 * @end:	address after the last; 0: all from @start on
 * @user:	what user mode's table has of the kernel, with page-table isolation
 *
 * Return: to be freed with mmlens_kernel_map_free(); NULL and errno as
 * mmlens_stream_open(), EOPNOTSUPP also without such a table.
 */
struct mmlens_kernel_map *mmlens_kernel_map_read(struct mmlens *lens,
						 uint64_t start, uint64_t end,
						 bool user);

/** mmlens_kernel_map_region - The region that @address is in, or NULL. */
const struct mmlens_region *
mmlens_kernel_map_region(const struct mmlens_kernel_map *map, uint64_t address);

/** mmlens_kernel_map_free - NULL is fine. */
void mmlens_kernel_map_free(struct mmlens_kernel_map *map);

/** mmlens_kernel_start - The first address of the kernel's half. */
uint64_t mmlens_kernel_start(const struct mmlens_info *info);

/** mmlens_kmap_is_wx - May it be written to and executed? */
bool mmlens_kmap_is_wx(const struct mmlens_kmap *run);

/* ---- names ---- */

/**
 * struct mmlens_flag - A bit and what it is called.
 * @bit:	the bit; 0 ends a table
 * @brief:	a letter (or VmFlags' two); "" without
 * @name:	long name, as in JSON
 * @help:	what it means
 */
struct mmlens_flag {
	uint64_t bit;
	const char *brief;
	const char *name;
	const char *help;
};

/** mmlens_pte_flags - MMLENS_PTE_*, without the state. */
const struct mmlens_flag *mmlens_pte_flags(void);
/** mmlens_vma_flags - MMLENS_VMA_*; those of the kernel with their mnemonic. */
const struct mmlens_flag *mmlens_vma_flags(void);
/** mmlens_marker_flags - MMLENS_MARKER_*. */
const struct mmlens_flag *mmlens_marker_flags(void);
/** mmlens_field_flags - MMLENS_FIELD_*. */
const struct mmlens_flag *mmlens_field_flags(void);
/** mmlens_query_flags - 1 << MMLENS_NR_*. */
const struct mmlens_flag *mmlens_query_flags(void);
/** mmlens_table_flags - MMLENS_TABLE_*. */
const struct mmlens_flag *mmlens_table_flags(void);
/** mmlens_proc_flags - MMLENS_PROC_*. */
const struct mmlens_flag *mmlens_proc_flags(void);
/** mmlens_effective_flags - MMLENS_EFF_*, named as those of the entry itself. */
const struct mmlens_flag *mmlens_effective_flags(void);
/**
 * mmlens_page_flags - 1 << KPF_*, with the long names of page-types.
 *
 * Bit 34 is "mappedtodisk" on every kernel (PG_owner_2 of later ones is the
 * same bit; of an anonymous page it is PageAnonExclusive).
 */
const struct mmlens_flag *mmlens_page_flags(void);

/** mmlens_state_name - Name of a state; "other" for an unknown one. */
const char *mmlens_state_name(unsigned int state);
/** mmlens_level_name - "pte" to "pgd"; "?" for an unknown level. */
const char *mmlens_level_name(unsigned int level);
/** mmlens_lru_name - "inactive_anon" and so on; "none"; "?" for an unknown one. */
const char *mmlens_lru_name(unsigned int lru);
/** mmlens_migratetype_name - "unmovable" and so on; "?" for an unknown one. */
const char *mmlens_migratetype_name(unsigned int type);
/** mmlens_page_kind_name - "buddy" and so on; "?" for an unknown one. */
const char *mmlens_page_kind_name(unsigned int kind);
/** mmlens_backing_kind_name - "anon" and so on; "?" for an unknown one. */
const char *mmlens_backing_kind_name(unsigned int kind);
/** mmlens_arch_name - As uname -m has it; NULL for one not known here. */
const char *mmlens_arch_name(unsigned int machine);

/* More names than any entry can have. */
#define MMLENS_MAX_RAW_BITS	32

/**
 * mmlens_raw_bits - Name the bits of a raw entry as its architecture does.
 * @info:	says the architecture
 * @level:	level of the entry
 * @flags:	its flags: what a bit means depends on the state
 * @raw:	the entry
 * @names:	out: static strings, lowest bit first
 *
 * Return: how many; 0 for an entry that isn't present (its bits are the
 * kernel's own) and for an architecture that isn't known here.
 */
size_t mmlens_raw_bits(const struct mmlens_info *info, unsigned int level,
		       uint32_t flags, uint64_t raw,
		       const char *names[MMLENS_MAX_RAW_BITS]);

/* ---- what numbers of a page stand for ---- */

struct mmlens_labels;

/**
 * mmlens_labels_open - Begin to look names up.
 *
 * Nothing is read before it is asked for, and nothing twice.
 */
struct mmlens_labels *mmlens_labels_open(void);

/**
 * mmlens_memcg_path - The path of a memory cgroup.
 * @labels:	what has been looked up so far
 * @inode:	as in &struct mmlens_page
 *
 * Return: its path below the hierarchy's root as it is mounted here ("/" is
 * the root), valid until @labels is closed; NULL for 0, for one that has been
 * removed and for one outside of this cgroup namespace.
 */
const char *mmlens_memcg_path(struct mmlens_labels *labels, uint64_t inode);

/**
 * mmlens_memcg_find - The memory cgroup of a path.
 * @labels:	what has been looked up so far
 * @path:	as /proc/PID/cgroup has it ("/" is the root), or its directory
 * @inode:	out: the inode number of its directory
 *
 * Return: 0, or a negative errno: -ENODEV where no hierarchy that may have
 * memory cgroups is mounted, -ENOENT, -ENOTDIR, -EXDEV for a directory of
 * another file system, ...
 */
int mmlens_memcg_find(struct mmlens_labels *labels, const char *path,
		      uint64_t *inode);

/**
 * mmlens_zone_name - The name of a zone by its index, from /proc/zoneinfo.
 *
 * Return: valid until @labels is closed; NULL for one that isn't there.
 */
const char *mmlens_zone_name(struct mmlens_labels *labels, unsigned int zone);

/** mmlens_labels_close - Forget them; NULL is fine. */
void mmlens_labels_close(struct mmlens_labels *labels);

/* ---- what /proc says about a target ---- */

/**
 * struct mmlens_process - A process as /proc/PID/stat and status have it.
 * @tgid:	its PID; of a thread its process's
 * @state:	one letter, 'Z' for a zombie
 * @kernel_thread: it is one
 * @comm:	its name, NUL-terminated
 */
struct mmlens_process {
	int tgid;
	char state;
	bool kernel_thread;
	char comm[64];
};

/**
 * mmlens_process_read - Look a process up.
 *
 * Return: 0, -ESRCH, or another negative errno.
 */
int mmlens_process_read(int pid, struct mmlens_process *process);

/**
 * mmlens_process_cmdline - The arguments of a process.
 * @pid:	process
 * @length:	out: bytes
 *
 * Return: the bytes of /proc/PID/cmdline (at most 128 KiB) and a NUL, to be
 * freed; NULL and errno.
 */
char *mmlens_process_cmdline(int pid, size_t *length);

/**
 * mmlens_sysv_device - The device of System V shared memory segments.
 *
 * Return: 0, or a negative errno where there is none.
 */
int mmlens_sysv_device(uint32_t *dev_major, uint32_t *dev_minor);

/**
 * struct mmlens_meminfo - The machine's memory as /proc/meminfo has it, bytes.
 * @total:	MemTotal
 * @free:	MemFree
 * @buffers:	Buffers
 * @cached:	Cached
 * @anon:	AnonPages
 * @mapped:	Mapped
 * @sreclaimable: SReclaimable
 * @swap_total:	SwapTotal
 */
struct mmlens_meminfo {
	uint64_t total;
	uint64_t free;
	uint64_t buffers;
	uint64_t cached;
	uint64_t anon;
	uint64_t mapped;
	uint64_t sreclaimable;
	uint64_t swap_total;
};

/**
 * mmlens_meminfo_read - Read /proc/meminfo.
 *
 * Return: 0, or a negative errno.
 */
int mmlens_meminfo_read(struct mmlens_meminfo *info);

/**
 * mmlens_user_name - What a user is called, by the effective user ID.
 *
 * Return: to be freed; NULL without a name.
 */
char *mmlens_user_name(uint32_t uid);

/** mmlens_has_numa_maps - Does the kernel have /proc/PID/numa_maps? */
bool mmlens_has_numa_maps(void);

/** mmlens_extfrag_threshold - vm.extfrag_threshold; 500 if it can't be read. */
int mmlens_extfrag_threshold(void);

/* ---- captures ---- */

/**
 * struct mmlens_capture_request - What goes into a capture.
 * @pids:	processes
 * @count:	how many
 * @machine:	zones, free blocks, page frames, LRU lists, who maps what, the
 *		kernel's page table and the list of all processes
 * @entries:	of processes the mappings and page-table entries alone
 * @progress:	told now and then of bytes written and records so far; returns
 *		true to end it, with -EINTR.  May be NULL.
 * @context:	for it
 */
struct mmlens_capture_request {
	const int *pids;
	size_t count;
	bool machine;
	bool entries;
	bool (*progress)(uint64_t bytes, uint64_t records, void *context);
	void *context;
};

/**
 * struct mmlens_capture_stats - What came of it.
 * @records:	records in it
 * @bytes:	of the file
 * @failed_pid:	the process that an error is about; 0: none
 * @walk:	of all walks
 */
struct mmlens_capture_stats {
	uint64_t records;
	uint64_t bytes;
	int failed_pid;
	struct mmlens_stats walk;
};

/**
 * mmlens_capture_write - Write a capture (docs/capture.md).
 * @lens:	connection to a running machine
 * @path:	the file.  It is there when it is whole and on the disk; one of
 *		that name is replaced then.  Until then nothing is.
 * @request:	what goes into it
 * @stats:	out, after an error too
 *
 * Memory doesn't grow with what is captured, but for the index: some bytes for
 * every 256 KiB of records, and the bounds of the mappings of one process.
 *
 * Return: 0, or a negative errno: of the file, of a query, -EINTR.
 */
int mmlens_capture_write(struct mmlens *lens, const char *path,
			 const struct mmlens_capture_request *request,
			 struct mmlens_capture_stats *stats);

/**
 * mmlens_capture_now - A capture without a name, for this process alone.
 * @directory:	whose file system it takes room of
 *
 * As mmlens_capture_write() followed by mmlens_capture_open(), but files of
 * /proc and /sys go on to be the running machine's.
 *
 * Return: NULL and errno.
 */
struct mmlens *mmlens_capture_now(struct mmlens *lens, const char *directory,
				  const struct mmlens_capture_request *request,
				  struct mmlens_capture_stats *stats);

/**
 * mmlens_capture_open - A connection that answers out of a capture.
 * @path:	the file
 * @why:	out: what is wrong with it, for people, after an error
 * @room:	bytes of it
 *
 * Until it is closed, functions of this library that read files of /proc and
 * /sys read those that the capture has, in this process, of the one that was
 * opened last.  A query that it has no answer to ends with ENODATA, a process
 * that it doesn't have with ESRCH, damage that is met later with EBADMSG.
 *
 * Return: NULL and errno, EBADMSG for a file that isn't a whole capture.
 */
struct mmlens *mmlens_capture_open(const char *path, char *why, size_t room);

/**
 * mmlens_capture_why - What was wrong with the last query, for people.
 *
 * Return: NULL when nothing was, or it isn't a capture.
 */
const char *mmlens_capture_why(const struct mmlens *lens);

/**
 * struct mmlens_capture_about - When and of what.
 * @seconds:	since 1970, when it was taken
 * @machine:	of the machine, too
 */
struct mmlens_capture_about {
	uint64_t seconds;
	bool machine;
};

/** mmlens_capture_about - Return: false for a running machine. */
bool mmlens_capture_about(const struct mmlens *lens,
			  struct mmlens_capture_about *about);

/** mmlens_capture_pids - Processes in it: how many; as many as fit into @pids. */
size_t mmlens_capture_pids(const struct mmlens *lens, int *pids, size_t room);

/* ---- what changed between two captures ---- */

/*
 * What became of a page; one may have several.  Those from
 * %MMLENS_DIFF_DIRTIED to %MMLENS_DIFF_PROTECTED are of pages that are the same
 * on both sides, or were moved.
 */
#define MMLENS_DIFF_FAULTED_IN	(1u << 0)
#define MMLENS_DIFF_COW		(1u << 1)
#define MMLENS_DIFF_MIGRATED	(1u << 2)
#define MMLENS_DIFF_REPLACED	(1u << 3)
#define MMLENS_DIFF_COLLAPSED	(1u << 4)
#define MMLENS_DIFF_SPLIT	(1u << 5)
#define MMLENS_DIFF_SWAPPED_OUT	(1u << 6)
#define MMLENS_DIFF_SWAPPED_IN	(1u << 7)
#define MMLENS_DIFF_DIRTIED	(1u << 8)
#define MMLENS_DIFF_CLEANED	(1u << 9)
#define MMLENS_DIFF_ACCESSED	(1u << 10)
#define MMLENS_DIFF_CLEARED	(1u << 11)
#define MMLENS_DIFF_PROTECTED	(1u << 12)
#define MMLENS_DIFF_UNMAPPED	(1u << 13)
#define MMLENS_DIFF_OTHER	(1u << 14)
#define MMLENS_DIFF_KINDS	15

/**
 * struct mmlens_diff_change - A stretch that one entry translates on each side.
 * @start:	first address
 * @end:	address after the last
 * @kinds:	MMLENS_DIFF_*, never 0
 * @before:	the entry, which may be larger than the stretch; NULL: none
 * @after:	likewise
 */
struct mmlens_diff_change {
	uint64_t start;
	uint64_t end;
	unsigned int kinds;
	const struct mmlens_entry *before;
	const struct mmlens_entry *after;
};

/**
 * struct mmlens_diff_area - A mapping, or what is left of one that isn't there.
 * @start:	first address
 * @end:	address after the last
 * @before:	the mapping that was there, the first if there were several;
 *		NULL: none
 * @after:	the one that is there; NULL: none
 * @changed:	pages of the base size with any change
 * @pages:	likewise, by the number of the bit of what became of them
 * @collapses:	larger leaves that came to be
 * @splits:	larger leaves that were split
 */
struct mmlens_diff_area {
	uint64_t start;
	uint64_t end;
	const struct mmlens_area *before;
	const struct mmlens_area *after;
	uint64_t changed;
	uint64_t pages[MMLENS_DIFF_KINDS];
	uint64_t collapses;
	uint64_t splits;
};

/**
 * struct mmlens_diff_told - Who is told, in order of address.
 * @begin:	a mapping begins, nothing is counted yet; NULL: nobody
 * @change:	a change in it; NULL: nobody
 * @area:	the mapping, with all that was counted, changed or not
 *
 * Each returns 0, or what is to end it.
 */
struct mmlens_diff_told {
	int (*begin)(const struct mmlens_diff_area *area, void *context);
	int (*change)(const struct mmlens_diff_change *change, void *context);
	int (*area)(const struct mmlens_diff_area *area, void *context);
};

/**
 * mmlens_diff - Compare the address spaces of two captures.
 * @before:	the earlier one
 * @after:	the later one
 * @pid_before:	a process of the earlier one
 * @pid_after:	of the later one, as a rule the same
 * @told:	who is told
 * @context:	for him
 *
 * Memory doesn't grow with what is compared.
 *
 * Return: 0; -EXDEV for captures of machines whose page tables aren't alike;
 * another negative errno; or what was returned by one who was told.
 */
int mmlens_diff(struct mmlens *before, struct mmlens *after, int pid_before,
		int pid_after, const struct mmlens_diff_told *told,
		void *context);

/** mmlens_diff_flags - MMLENS_DIFF_*, with what they mean. */
const struct mmlens_flag *mmlens_diff_flags(void);

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_H */
