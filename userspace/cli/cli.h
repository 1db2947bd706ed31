/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: arguments -> library -> view.  One file a subcommand; the
 * table of them is in cli.c.
 */
#ifndef MMLENS_CLI_H
#define MMLENS_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "libmmlens.h"
#include "view.h"

enum {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_MISSING = 42,	/* as procps pmap: some PID isn't there */
	CLI_GO_ON = -1,		/* of parsers: no exit status yet */
};

/**
 * struct command - A subcommand.
 * @name:	what the user types
 * @arguments:	behind the name, in the usage line
 * @summary:	one line
 * @help:	the options and what else is to be said; may be NULL
 * @legend:	prints what @help can't hold; may be NULL
 * @run:	returns an exit status
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	void (*legend)(FILE *out);
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command cmd_info, cmd_maps, cmd_pmap, cmd_pte, cmd_vtop;
extern const struct command cmd_ps, cmd_tables, cmd_folios;
extern const struct command cmd_zones, cmd_zoneinfo, cmd_buddyinfo;
extern const struct command cmd_buddy, cmd_pageblocks, cmd_pagetypeinfo;
extern const struct command cmd_page_types, cmd_ledger, cmd_pfn, cmd_kmap;
extern const struct command cmd_frag, cmd_lru, cmd_watch, cmd_snap;
extern const struct command cmd_diff;
extern const struct command cmd_smaps, cmd_smaps_rollup, cmd_numa_maps;
extern const struct command cmd_trace, cmd_lab, cmd_verify;

/* What main() does.  Return: exit status. */
int cli_run(int argc, char **argv);

/* Where a connection comes from; tests put their own here. */
extern struct mmlens *(*cli_connect)(void);

/* The capture that answers are from; NULL: the running machine. */
extern const char *cli_from;

/* What the kernel says of a page frame without a page; tests have their own. */
extern int (*cli_kpageflags)(uint64_t pfn, uint64_t *flags);

/* "mmlens: ...\n" on standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and where to find help.  Return: CLI_USAGE. */
int cli_usage(const struct command *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- arguments ---- */

/* Options that every subcommand has; they end its long options. */
enum {
	OPT_JSON = 256,
	OPT_VERSION,
	OPT_FROM,
	OPT_OWN,		/* the first of a subcommand's own */
};
#define COMMON_OPTIONS \
	{ "json", no_argument, NULL, OPT_JSON }, \
	{ "from", required_argument, NULL, OPT_FROM }, \
	{ "help", no_argument, NULL, 'h' }, \
	{ "version", no_argument, NULL, OPT_VERSION }, \
	{}

#define COMMON_HELP \
	"      --json       one JSON document\n" \
	"      --from FILE  a capture (mmlens snap) instead of the running machine\n" \
	"  -h, --help       this text\n" \
	"      --version    the reader's version\n"

/* Handle a common option or an unknown one.  Return: CLI_GO_ON or a status. */
int cli_common_option(const struct command *self, int option, bool *json);

/*
 * Have @take told each option, with the subcommand's arguments; it returns
 * CLI_GO_ON or a status, and so does this.
 */
int cli_parse_options(const struct command *self, int argc, char **argv,
		      const char *letters, const struct option *long_options,
		      int (*take)(const struct command *self, void *arguments,
				  int option),
		      void *arguments);

/* The common options alone.  Return: likewise. */
int cli_parse_common(const struct command *self, int argc, char **argv,
		     bool *json);

/* Refuse what stands behind the options.  Return: CLI_GO_ON or a status. */
int cli_no_more(const struct command *self, int argc, char **argv);

/* A PID, or /proc/PID.  Return: 0 when @text is none. */
int cli_parse_pid(const char *text);

/* The only operand, a PID.  Return: CLI_GO_ON or a status. */
int cli_only_pid(const struct command *self, int argc, char **argv, int *pid);

/*
 * A PID, and behind it START[-END] or nothing.  Return: CLI_GO_ON or a status;
 * @range stays as it is where there is none.
 */
int cli_pid_and_range(const struct command *self, int argc, char **argv,
		      int *pid, const char **range);

/* The common options and a PID, nothing else.  Return: as cli_only_pid(). */
int cli_parse_only_pid(const struct command *self, int argc, char **argv,
		       int *pid, bool *json);

/*
 * START-END, multiples of the page size, or the page that holds START.
 * Return: CLI_GO_ON, or CLI_USAGE and said what is wrong.
 */
int cli_parse_range(const struct mmlens_info *info, const char *text,
		    uint64_t *start, uint64_t *end);

/* The same of kernel addresses; an @end of 0 is behind the last of all. */
int cli_parse_kernel_range(const struct mmlens_info *info, const char *text,
			   uint64_t *start, uint64_t *end);

/* Hexadecimal with or without 0x.  Return: false when @text is no address. */
bool cli_parse_address(const char *text, uint64_t *address);

/* ---- a connection and where its answers go ---- */

struct session {
	struct mmlens *lens;
	struct view view;
	bool json;
};

/*
 * Connect, and see that the module answers query @nr.
 * Return: CLI_GO_ON or a status, with what is wrong on standard error.
 */
int session_open(struct session *s, unsigned int nr, bool json);
/*
 * See that the module knows revision @abi of the contract, for what isn't a
 * query of its own.  Return: CLI_GO_ON, or CLI_FAILED and said so.
 */
int session_need_abi(const struct session *s, unsigned int abi);
/* Refuse --from, for what a capture can't answer.  Return: as that. */
int cli_no_from(const struct command *self);
/* Show what @lens, which stays the caller's, gives. */
void session_of(struct session *s, struct mmlens *lens, bool json);
/* As session_close(), but @s->lens isn't closed. */
int session_finish(struct session *s, int status);
/* Return: @status, or CLI_FAILED when something couldn't be written. */
int session_close(struct session *s, int status);

/*
 * Say what a negative errno about @pid means; 0 stands for all processes.
 * Return: CLI_OK for 0, CLI_MISSING for ESRCH, else CLI_FAILED.
 */
int session_explain(const struct session *s, int pid, int error);
/* The same of what isn't a process; never CLI_MISSING. */
int session_explain_of(const struct session *s, const char *subject, int error);

/* The same of the kernel's page table, or of user mode's. */
int session_explain_kernel(const struct session *s, bool user, int error);

/* ---- names of processes ---- */

/**
 * struct commands - What processes are called, in order of PID.
 * @procs:	their records
 * @count:	how many
 */
struct commands {
	struct mmlens_proc *procs;
	size_t count;
};

/* Read them into an empty one, to be freed.  Return: 0 or a negative errno. */
int commands_read(struct commands *commands, struct mmlens *lens);
/* NULL: it started or ended meanwhile. */
const char *commands_name(const struct commands *commands, int pid);
void commands_free(struct commands *commands);

/* ---- names of users ---- */

struct user;

/**
 * struct users - Those that were asked for.
 * @numeric:	their numbers, not their names
 */
struct users {
	bool numeric;
	struct user *list;
	size_t count;
};

/* Valid until users_free(). */
const char *users_name(struct users *users, uint32_t uid);
void users_free(struct users *users);
/* Walk VMAs (MMLENS_AREAS_*) and show each.  Return: a status. */
int cli_show_areas(struct session *s, const struct maps_view *view, int pid,
		   unsigned int flags);

/* Read nodes and zones and @show them.  Return: exit status. */
int cli_show_zones(const struct command *self, bool json, void *context,
		   int (*show)(struct session *s, void *context,
			       const struct mmlens_zones *zones));

/* Read zones, free blocks and page blocks and @show them.  Return: exit status. */
int cli_show_free(const struct command *self, bool json, void *context,
		  int (*show)(struct session *s, void *context,
			      const struct free_memory *memory));

/*
 * Take an option that says which zones, orders and types to show.
 * Return: CLI_GO_ON or a status.
 */
#define FREE_OPTIONS \
	{ "node", required_argument, NULL, 'n' }, \
	{ "zone", required_argument, NULL, 'z' }, \
	{ "type", required_argument, NULL, 't' }
#define FREE_HELP \
	"  -n, --node NODE  of that NUMA node alone\n" \
	"  -z, --zone ZONE  of that zone alone, as Normal\n" \
	"  -t, --type TYPE  of that migratetype alone, as Movable\n"
int cli_free_option(const struct command *self, int option,
		    struct free_filter *filter);

/* A number from 0 to @most.  Return: false when @text is none. */
bool cli_parse_number(const char *text, unsigned int most, unsigned int *value);

/*
 * How the running kernel writes smaps or smaps_rollup; what this reader doesn't
 * know of it is said.  Return: CLI_GO_ON or a status.
 */
int cli_smaps_format(const struct session *s, bool rollup,
		     struct mmlens_smaps_format *format);

/**
 * struct lru_pid_options - What lru --pid shows.
 * @pid:	the process
 * @has_after:	what reclaim would take, too
 * @after:	of that many bytes
 * @pages:	the addresses of those, too
 */
struct lru_pid_options {
	int pid;
	bool has_after;
	uint64_t after;
	bool pages;
};

/* lru --pid, lru --watch; a @count of 0: until it is ended.  Return: a status. */
int lru_show_pid(struct session *s, const struct lru_pid_options *o);
int lru_watch(struct session *s, double seconds, unsigned int count);

/* Bytes with K, M, G or T behind, or without.  Return: false for no size. */
bool lru_parse_size(const char *text, uint64_t *bytes);

/**
 * struct trace_child - A command that is to be traced from its start.
 * @pid:	its process; 0: none
 * @hold:	what it waits for
 */
struct trace_child {
	int pid;
	int hold;
};

/* Start it; it waits.  Return: 0 or a negative errno. */
int trace_child_start(struct trace_child *child, char **argv);
/* Let it run. */
void trace_child_go(struct trace_child *child);
/* When it is waiting, end it. */
void trace_child_cancel(struct trace_child *child);
/* Reap it where it has ended.  Return: false when it couldn't be executed. */
bool trace_child_ran(struct trace_child *child);

/* A status for two of them: missing counts more than failed. */
int cli_worse(int a, int b);

/* On a terminal, how far a long walk is, on standard error. */
void session_progress(uint64_t entries, uint64_t address);
/* The same of a capture; it counts by itself. */
void session_progress_bytes(uint64_t bytes, uint64_t records);
void session_progress_end(void);

#endif
