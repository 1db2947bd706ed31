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
 */
struct mmlens_request {
	int pid;
	uint32_t flags;
	uint64_t start;
	uint64_t end;
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

struct mmlens_stream;

/**
 * mmlens_stream_open - Begin a walk.
 * @lens:	connection
 * @nr:		MMLENS_NR_VMAS, _PTES, _VTOP or _SMAPS
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

/**
 * struct mmlens_area - One VMA with its name and its sums.
 * @vma:	as the module wrote it
 * @name:	NUL-terminated, nothing escaped; NULL without a name
 * @name_length: bytes
 * @smaps:	NULL unless asked for
 */
struct mmlens_area {
	const struct mmlens_vma *vma;
	const char *name;
	size_t name_length;
	const struct mmlens_smaps *smaps;
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
 * Errors: as mmlens_stream_open().
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

/* ---- page-table entries ---- */

/**
 * struct mmlens_entry - One page-table entry, or a hole of empty ones.
 * @va:		first address
 * @size:	bytes that it translates; of a hole its whole length
 * @raw:	as the architecture holds it
 * @value:	as in &struct mmlens_pte
 * @flags:	as in &struct mmlens_pte; of a hole 0 (%MMLENS_STATE_NONE)
 * @level:	&enum mmlens_level_id
 */
struct mmlens_entry {
	uint64_t va;
	uint64_t size;
	uint64_t raw;
	uint64_t value;
	uint32_t flags;
	uint8_t level;
};

/**
 * struct mmlens_entry_run - Neighbours that differ in their value alone.
 * @start:	first address
 * @end:	address after the last
 * @entries:	how many
 * @raw:	of the first
 * @value:	of the first
 * @flags:	of each
 * @level:	of each
 * @contiguous:	each one's PFN or swap slot follows the one's before
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

/** mmlens_state_has_pfn - Whether the value of such an entry is a PFN. */
bool mmlens_state_has_pfn(enum mmlens_pte_state state);

/**
 * mmlens_level_size - Bytes that an entry of @level translates.
 *
 * Return: 0 for a level that this kernel hasn't.
 */
uint64_t mmlens_level_size(const struct mmlens_info *info, unsigned int level);

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
 * @user:	every level lets user mode in
 * @rw:		every level allows writing
 * @nx:		some level forbids execution
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

/** mmlens_state_name - Name of a state; "other" for an unknown one. */
const char *mmlens_state_name(unsigned int state);
/** mmlens_level_name - "pte" to "pgd"; "?" for an unknown level. */
const char *mmlens_level_name(unsigned int level);
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

#ifdef __cplusplus
}
#endif

#endif /* LIBMMLENS_H */
