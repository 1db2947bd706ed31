/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of mmlens lru share. */
#ifndef MMLENS_CLI_LRU_H
#define MMLENS_CLI_LRU_H

#include "cli.h"

/* What a name of lists stands for. */
enum lru_which {
	LRU_ALL,
	LRU_CLASSIC,		/* one of the five */
	LRU_TYPE,		/* anonymous memory or files, of either kind */
	LRU_GENERATION,		/* with that sequence number */
};

/**
 * struct lru_selector - Which lists.
 * @name:	as they were asked for; NULL: not
 * @which:	what it stands for
 * @lru:	with LRU_CLASSIC which; with LRU_TYPE INACTIVE_ANON or
 *		INACTIVE_FILE
 * @seq:	with LRU_GENERATION which
 * @path:	of a memory cgroup, as it was given; NULL: of all
 * @memcg:	its inode
 * @node:	NUMA node; -1: of all
 */
struct lru_selector {
	const char *name;
	enum lru_which which;
	unsigned int lru;
	uint64_t seq;
	const char *path;
	uint64_t memcg;
	int node;
};

/**
 * struct lru_arguments - What was asked for.
 * @selector:	of which lists
 * @all:	empty ones too
 * @pages:	what stands on them
 * @tail:	so many of each that reclaim takes first; 0: not asked
 * @head:	so many of each that it takes last; 0: not asked
 * @pid:	where the pages of a process stand
 * @seconds:	what moves in that time; 0: not asked
 * @count:	how often; 0: until it is stopped
 * @json:	as JSON
 */
struct lru_arguments {
	struct lru_selector selector;
	bool all;
	bool pages;
	unsigned int tail;
	unsigned int head;
	struct lru_pid_options pid;
	double seconds;
	unsigned int count;
	bool json;
};

/* Take a name of lists.  Return: false when @name is none. */
bool lru_select(struct lru_selector *selector, const char *name);

/* Find its memory cgroup.  Return: CLI_GO_ON, or CLI_FAILED and said why not. */
int lru_select_memcg(struct lru_selector *selector,
		     struct mmlens_labels *labels);

/**
 * struct lru_table - Lists without what stands on them.
 * @lists:	those that are selected, as they are shown: by memcg and node, of a
 *		type the oldest generation first
 * @count:	how many
 * @kinds:	LRU_KIND_* of all there are
 * @root:	memcg of the first list there is, which is the root's
 * @stats:	of the walk
 */
struct lru_table {
	struct mmlens_lru_list *lists;
	size_t count;
	unsigned int kinds;
	uint64_t root;
	struct mmlens_stats stats;
};

/* Read into an empty one, to be freed.  Return: 0 or a negative errno. */
int lru_table_read(struct lru_table *table, struct mmlens *lens,
		   const struct lru_selector *selector);
void lru_table_free(struct lru_table *table);

bool lru_selector_takes(const struct lru_selector *selector,
			const struct mmlens_lru_list *list);

/* What a list's numbers stand for; valid until @labels is closed. */
struct lru_line lru_line_of(const struct mmlens_lru_list *list,
			    struct mmlens_labels *labels);

/* lru --pages.  Return: exit status. */
int lru_show_pages(struct session *s, const struct lru_arguments *a,
		   const struct lru_table *table, struct mmlens_labels *labels);

#endif
