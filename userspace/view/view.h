/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renderers: records in, text or JSON out.  Nothing here gathers.
 *
 * Each command's view is a set of functions, once as text and once as JSON,
 * that take the same records.  A write that fails is remembered in
 * view.error; the caller looks at it when it likes.
 */
#ifndef MMLENS_VIEW_H
#define MMLENS_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "libmmlens.h"

#define VIEW_JSON_DEPTH 8

/**
 * struct view - Where output goes and how it is dressed.
 * @out:	stream
 * @info:	of the module
 * @color:	@out is a terminal that wants colour
 * @error:	errno of the first write that failed, 0 so far
 * @depth:	open JSON objects and arrays
 * @closer:	'}' or ']' of each
 * @begun:	whether each has a member already
 */
struct view {
	FILE *out;
	const struct mmlens_info *info;
	bool color;
	int error;
	unsigned int depth;
	char closer[VIEW_JSON_DEPTH];
	bool begun[VIEW_JSON_DEPTH];
};

/* Note a failed write.  To be called before errno is lost. */
void view_check(struct view *v);

/* Flush.  Return: 0, or the errno of the first write that failed. */
int view_finish(struct view *v);

/* A line of column headings, set off where there is colour. */
void view_heading(struct view *v, const char *text);

/* ---- JSON, written as it comes ---- */

/* Open an object ('{') or array ('['); @key is NULL inside an array. */
void json_begin(struct view *v, const char *key, char opener);
void json_end(struct view *v);
/* What stands before a member: a comma, a line break, its key. */
void json_before(struct view *v, const char *key);
/* Write a member and drop it; @key is NULL inside an array. */
void json_put(struct view *v, const char *key, struct json_object *value);

/* Write the members of an object and drop it. */
void json_put_members(struct view *v, struct json_object *members);

/* {"mmlens": {...}: the head of every document. */
void json_document(struct view *v);
/* "walk": {...}; @counted names what @count counts. */
void json_walk(struct view *v, const char *counted, uint64_t count,
	       const struct mmlens_stats *stats);

/* Members of an object that is still in memory. */
void json_add_number(struct json_object *o, const char *key, uint64_t value);
void json_add_string(struct json_object *o, const char *key,
		     const char *value);
void json_add_bool(struct json_object *o, const char *key, bool value);
/* "0x..." */
void json_add_hex(struct json_object *o, const char *key, uint64_t value);
/* The long names of the flags of a table that are set. */
void json_add_flags(struct json_object *o, const char *key,
		    const struct mmlens_flag *table, uint64_t flags);
/* Bytes as UTF-8; where they aren't that, "KEY_hex" has them as they are. */
void json_add_bytes(struct json_object *o, const char *key, const char *bytes,
		    size_t length);

/* ---- text ---- */

/*
 * Bytes of the UTF-8 character at @s (RFC 3629), 0 when it isn't one within
 * @left bytes.
 */
size_t utf8_length(const char *s, size_t left);

/* Name of the architecture, "em_N" for one that has none here. */
const char *text_arch(char *room, const struct mmlens_info *info);
#define TEXT_ARCH 24

/* @text with newlines as \012, as seq_path(m, path, "\n") of the kernel. */
void text_path(FILE *out, const char *text, size_t length);

/*
 * The command line as procps shows it: arguments divided by spaces, control
 * characters and what isn't UTF-8 as '?', "[NAME]" without arguments.  To be
 * freed; NULL without memory.
 */
char *text_cmdline(const char *cmdline, size_t length,
		   const struct mmlens_process *process);

/* ---- maps ---- */

struct maps_view {
	void (*begin)(struct view *v, int pid);
	void (*area)(struct view *v, const struct mmlens_area *area);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct maps_view maps_text, maps_json;

/* A VMA with all that its records say. */
struct json_object *maps_object(const struct mmlens_area *area);

/* ---- pmap ---- */

enum pmap_format {
	PMAP_PLAIN,
	PMAP_EXTENDED,		/* -x */
	PMAP_DEVICE,		/* -d */
};

/**
 * struct pmap_options - What pmap shows.
 * @format:	columns
 * @quiet:	neither headings nor totals
 * @path:	whole paths
 * @low:	first address of interest
 * @high:	last address of interest
 * @have_sysv:	@sysv_major and @sysv_minor are known
 */
struct pmap_options {
	enum pmap_format format;
	bool quiet;
	bool path;
	uint64_t low;
	uint64_t high;
	bool have_sysv;
	uint32_t sysv_major;
	uint32_t sysv_minor;
};

/* Sums in bytes over the VMAs of one process that were shown. */
struct pmap_totals {
	uint64_t shared;
	uint64_t writable;	/* private */
	uint64_t readonly;	/* private */
	uint64_t rss;
	uint64_t dirty;
	uint64_t areas;
};

struct pmap_view {
	void (*document)(struct view *v);
	void (*begin)(struct view *v, const struct pmap_options *o,
		      const struct mmlens_process *process,
		      const char *cmdline, size_t length);
	void (*area)(struct view *v, const struct pmap_options *o,
		     const struct mmlens_area *area);
	void (*end)(struct view *v, const struct pmap_options *o,
		    const struct pmap_totals *totals,
		    const struct mmlens_stats *stats);
	void (*finish)(struct view *v);
};
extern const struct pmap_view pmap_text, pmap_json;

bool pmap_in_range(const struct pmap_options *o,
		   const struct mmlens_area *area);
void pmap_add(struct pmap_totals *totals, const struct mmlens_area *area);

/* ---- pte ---- */

/**
 * struct pte_view - One of entries and runs is used.
 * @begin:	before the first
 */
struct pte_view {
	void (*begin)(struct view *v, int pid, bool each, bool raw);
	void (*entry)(struct view *v, const struct mmlens_entry *entry,
		      bool raw);
	void (*run)(struct view *v, const struct mmlens_entry_run *run, bool raw);
	void (*end)(struct view *v, uint64_t count,
		    const struct mmlens_stats *stats);
};
extern const struct pte_view pte_text, pte_json;

/* ---- vtop ---- */

struct vtop_view {
	void (*begin)(struct view *v, int pid);
	void (*address)(struct view *v, const struct mmlens_translation *t);
	void (*end)(struct view *v);
};
extern const struct vtop_view vtop_text, vtop_json;

/* ---- info ---- */

void info_text(struct view *v);
void info_json(struct view *v);

#endif
