/* SPDX-License-Identifier: GPL-2.0-only */
/* What an experiment of mmlens lab says and shows, as text and as JSON. */
#ifndef MMLENS_LAB_VIEW_H
#define MMLENS_LAB_VIEW_H

#include "view.h"

enum lab_unit {
	LAB_COUNT,
	LAB_BYTES,		/* shown in kB */
	LAB_PAGES,
	LAB_PFN,
};

/**
 * struct lab_intro - What stands before the first step.
 * @name:	of the experiment
 * @summary:	one line
 * @plan:	what it will do, and to what
 * @group:	path of the memory cgroup that it is in; NULL: none
 * @limit:	bytes that the cgroup may have; 0: no limit
 */
struct lab_intro {
	const char *name;
	const char *summary;
	const char *plan;
	const char *group;
	uint64_t limit;
};

/**
 * struct lab_number - A counter before a step and after it.
 * @name:	as the kernel calls it, or in words
 * @source:	the kernel's file that it is of; NULL: mmlens's own count
 * @unit:	of both
 * @before:	what it was
 * @after:	what it is
 */
struct lab_number {
	const char *name;
	const char *source;
	enum lab_unit unit;
	uint64_t before;
	uint64_t after;
};

/**
 * struct lab_pair - What mmlens says, and what the kernel's own file says.
 * @name:	of what
 * @source:	the file
 * @unit:	of both
 * @ours:	by mmlens
 * @kernel:	by the file
 */
struct lab_pair {
	const char *name;
	const char *source;
	enum lab_unit unit;
	uint64_t ours;
	uint64_t kernel;
};

/**
 * struct lab_change - A page-table entry before a step and after it.
 * @what:	which; NULL: only the address
 * @address:	that it translates
 * @before:	the entry; NULL: only @after is shown
 * @after:	the entry
 */
struct lab_change {
	const char *what;
	uint64_t address;
	const struct mmlens_entry *before;
	const struct mmlens_entry *after;
};

#define LAB_COLUMNS	12

/**
 * struct lab_columns - The heading of a table.
 * @label:	of the first column, which has words; NULL: there is none
 * @name:	of each column
 * @unit:	of each column
 * @count:	columns
 */
struct lab_columns {
	const char *label;
	const char *name[LAB_COLUMNS];
	enum lab_unit unit[LAB_COLUMNS];
	size_t count;
};

/**
 * struct lab_outcome - How it went.
 * @result:	"seen", "not seen", "can't run here", "failed", "interrupted"
 * @why:	a sentence; "" for none
 * @seen:	lessons
 * @missed:	lessons that the machine didn't show
 */
struct lab_outcome {
	const char *result;
	const char *why;
	unsigned int seen;
	unsigned int missed;
};

/**
 * struct lab_view - What is shown, in the order in which it happens.
 * @begin:	once
 * @step:	a step begins
 * @step_end:	it has ended
 */
struct lab_view {
	void (*begin)(struct view *v, const struct lab_intro *intro);
	void (*step)(struct view *v, unsigned int number, const char *text);
	void (*say)(struct view *v, const char *text);
	void (*number)(struct view *v, const struct lab_number *number);
	void (*pair)(struct view *v, const struct lab_pair *pair);
	void (*entry)(struct view *v, const struct lab_change *change);
	void (*translation)(struct view *v, const struct mmlens_translation *t);
	void (*table)(struct view *v, const struct lab_columns *columns);
	void (*row)(struct view *v, const struct lab_columns *columns,
		    const char *label, const uint64_t *values);
	void (*table_end)(struct view *v);
	void (*lesson)(struct view *v, const char *text, bool seen);
	void (*step_end)(struct view *v);
	void (*end)(struct view *v, const struct lab_outcome *outcome);
};

extern const struct lab_view lab_text, lab_json;

/* A line of mmlens lab list. */
struct lab_listed {
	const char *name;
	const char *summary;
};

void lab_list_text(struct view *v, const struct lab_listed *list, size_t count);
void lab_list_json(struct view *v, const struct lab_listed *list, size_t count);

#endif
