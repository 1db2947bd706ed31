/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmmlens: memory of processes: VMAs, page tables, sums. */
#ifndef LIBMMLENS_PROCESS_H
#define LIBMMLENS_PROCESS_H

#include "libmmlens_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

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
 * struct mmlens_row - Entries in a row, each of which goes on where the one
 * before it ends, in its addresses and in what its value counts.
 * @first:	the first of them
 * @count:	how many; those behind the first are as it is otherwise
 */
struct mmlens_row {
	struct mmlens_entry first;
	uint64_t count;
};

/**
 * mmlens_rows_next - As many entries at once as there are in one record.
 *
 * Takes the same walk as mmlens_entries_next(); use one.  What is the same for
 * all of them costs no more than for one, however many a capture says they are.
 *
 * Return: as mmlens_stream_next().
 */
int mmlens_rows_next(struct mmlens_entries *entries, struct mmlens_row *row);

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

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_PROCESS_H */
