/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to the memory of processes, as it happens.  The source gathers
 * by BPF programs and never prints.  It stands apart from libmmlens, which
 * needs no libbpf.
 */
#ifndef MMLENS_TRACE_H
#define MMLENS_TRACE_H

#include "event.h"
#include "libmmlens.h"

/* ---- kinds of events ---- */

enum trace_kind {
	/* page faults */
	TRACE_READ_FAULT,
	TRACE_WRITE_FAULT,
	TRACE_COW,
	TRACE_REUSE,
	TRACE_SHARED_DIRTY,
	TRACE_SWAP_IN,
	TRACE_THP,
	TRACE_HUGETLB_FAULT,
	TRACE_NUMA_HINT,
	TRACE_SPURIOUS,
	TRACE_OTHER_FAULT,
	TRACE_FAULT_ERROR,
	/* system calls */
	TRACE_MMAP,
	TRACE_MUNMAP,
	TRACE_MREMAP,
	TRACE_MPROTECT,
	TRACE_PKEY_MPROTECT,
	TRACE_BRK,
	TRACE_MADVISE,
	TRACE_MLOCK,
	TRACE_MLOCK2,
	TRACE_MUNLOCK,
	TRACE_MLOCKALL,
	TRACE_MUNLOCKALL,
	TRACE_MSYNC,
	/* entries that the kernel changes by itself */
	TRACE_SWAP_OUT,
	TRACE_EVICT,
	TRACE_MIGRATE_OUT,
	TRACE_MIGRATE_IN,
	TRACE_CLEAN,
	TRACE_AGE,
	TRACE_SPLIT,
	TRACE_COLLAPSE,
	/* reclaim */
	TRACE_DIRECT_RECLAIM,
	TRACE_MEMCG_RECLAIM,
	TRACE_SHRINK_INACTIVE,
	TRACE_SHRINK_ACTIVE,
	TRACE_ISOLATE,
	TRACE_LRU_ADD,
	TRACE_ACTIVATE,
	/* writing out */
	TRACE_DIRTY,
	TRACE_THROTTLE,
	TRACE_WRITEBACK,
	TRACE_PAGEOUT,
	/* moving */
	TRACE_MIGRATE,
	TRACE_COMPACT,
	/* the machine */
	TRACE_KSWAPD_WAKE,
	TRACE_KSWAPD_SLEEP,
	TRACE_WAKE_KSWAPD,
	TRACE_OOM_KILL,
	TRACE_KINDS,
};

/* How an argument is shown. */
enum trace_form {
	TRACE_NUMBER,
	TRACE_HEX,
	TRACE_ENUM,		/* by its name in the kernel */
};

#define TRACE_ARGS 3

/**
 * struct trace_kind_info - A kind of events.
 * @name:	in the output and behind -e
 * @group:	another name that -e takes for it and its like
 * @help:	what happened
 * @hook:	where it is seen
 * @args:	what its arguments are called; NULL: unused
 * @form:	how they are shown
 */
struct trace_kind_info {
	const char *name;
	const char *group;
	const char *help;
	enum trace_hook hook;
	const char *args[TRACE_ARGS];
	enum trace_form form[TRACE_ARGS];
};
extern const struct trace_kind_info trace_kinds[TRACE_KINDS];

/* A bit a kind. */
#define TRACE_ALL ((1ull << TRACE_KINDS) - 1)

/* The kinds that a name or a group stands for; 0: none. */
uint64_t trace_kinds_named(const char *name, size_t length);
/* The hooks, a bit each, that kinds need. */
uint64_t trace_hooks_of(uint64_t kinds);

/* ---- events ---- */

/**
 * struct trace_event - Something that happened.
 * @kind:	what
 * @record:	as it was seen
 * @before:	the entry of the address, with %TRACE_BEFORE in the record's flags
 * @after:	the same when it had happened, with %TRACE_AFTER
 * @enums:	names of the arguments that are %TRACE_ENUM; NULL: not known
 */
struct trace_event {
	enum trace_kind kind;
	const struct trace_record *record;
	struct mmlens_entry before;
	struct mmlens_entry after;
	const char *enums[TRACE_ARGS];
};

/* Make an event of a record: its entries are decoded, its kind is found out. */
void trace_event_of(const struct mmlens_info *info,
		    const struct trace_record *record,
		    struct trace_event *event);

/* ---- the source ---- */

/**
 * struct trace_options - What to trace.
 * @tgid:	process
 * @follow:	its children too
 * @kinds:	a bit each
 * @buffer:	bytes of the buffer; 0: %TRACE_BUFFER
 */
struct trace_options {
	int tgid;
	bool follow;
	uint64_t kinds;
	uint64_t buffer;
};

#define TRACE_BUFFER	(16ull << 20)

struct trace;

/**
 * trace_open - Begin to trace.
 * @lens:	connection
 * @options:	what
 * @why:	out: what failed, for a message; NULL: nothing to add
 *
 * Errors: EOPNOTSUPP when this was built without libbpf or the kernel has no
 * BTF; EPERM; ESRCH no such process; EXDEV in a PID namespace of its own; and
 * those of bpf(2).
 */
struct trace *trace_open(struct mmlens *lens,
			 const struct trace_options *options, const char **why);

/* The kinds that were asked for and that this kernel can't trace. */
uint64_t trace_untraced(const struct trace *trace);
/* Whether the entries of addresses are read. */
bool trace_reads_entries(const struct trace *trace);

/**
 * trace_read - Hand out what has happened.
 * @trace:	of trace_open()
 * @timeout:	ms to wait for something
 * @each:	called for each event
 * @context:	given to @each
 *
 * Return: how many, or a negative errno; -EINTR after a signal.
 */
int trace_read(struct trace *trace, int timeout,
	       void (*each)(void *context, const struct trace_event *event),
	       void *context);

/* Events that were lost so far. */
uint64_t trace_lost(const struct trace *trace);
/* Whether nothing that is traced is left. */
bool trace_is_over(const struct trace *trace);

/* Detach.  What has happened before can still be read. */
void trace_stop(struct trace *trace);
void trace_close(struct trace *trace);

#endif
