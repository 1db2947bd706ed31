// SPDX-License-Identifier: GPL-2.0-only
/* Which LRU lists there are, and which of them are asked for. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"

/* ---- names ---- */

static bool select_generation(struct lru_selector *selector, const char *text)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	selector->seq = strtoull(text, &end, 10);
	selector->which = LRU_GENERATION;
	return !errno && !*end;
}

bool lru_select(struct lru_selector *selector, const char *name)
{
	selector->name = name;
	if (!strncmp(name, "gen:", 4))
		return select_generation(selector, name + 4);
	if (!strcmp(name, "anon") || !strcmp(name, "file")) {
		selector->which = LRU_TYPE;
		selector->lru = *name == 'f' ? MMLENS_LRU_INACTIVE_FILE :
					       MMLENS_LRU_INACTIVE_ANON;
		return true;
	}
	for (unsigned int lru = MMLENS_LRU_INACTIVE_ANON;
	     lru <= MMLENS_LRU_UNEVICTABLE; lru++)
		if (!strcmp(name, mmlens_lru_name(lru))) {
			selector->which = LRU_CLASSIC;
			selector->lru = lru;
			return true;
		}
	return false;
}

/* ---- memory cgroups ---- */

/* @ and the number of its inode: the only way to one that was removed. */
static int parse_inode(struct lru_selector *selector)
{
	char *end;

	errno = 0;
	selector->memcg = strtoull(selector->path + 1, &end, 10);
	if (isdigit((unsigned char)selector->path[1]) && !*end && !errno)
		return CLI_GO_ON;
	cli_error("%s: isn't @ and the number of an inode", selector->path);
	return CLI_FAILED;
}

int lru_select_memcg(struct lru_selector *selector,
		     struct mmlens_labels *labels)
{
	int ret;

	if (!selector->path)
		return CLI_GO_ON;
	if (*selector->path == '@')
		return parse_inode(selector);
	ret = mmlens_memcg_find(labels, selector->path, &selector->memcg);
	if (!ret)
		return CLI_GO_ON;
	if (ret == -ENODEV)
		cli_error("%s: no cgroup file system with memory cgroups is mounted (try: mount -t cgroup2 none /sys/fs/cgroup)",
			  selector->path);
	else
		cli_error("%s: isn't a memory cgroup: %s (give its path as in /proc/PID/cgroup, or its directory below /sys/fs/cgroup)",
			  selector->path, ret == -EXDEV ?
				  "not of the cgroup file system" :
				  strerror(-ret));
	return CLI_FAILED;
}

/* ---- lists ---- */

static bool takes_name(const struct lru_selector *selector,
		       const struct mmlens_lru_list *list)
{
	switch (selector->which) {
	case LRU_ALL:
		break;
	case LRU_CLASSIC:
		return !list->generation && list->lru == selector->lru;
	case LRU_TYPE:
		return list->lru == selector->lru ||
		       list->lru == selector->lru + 1;
	case LRU_GENERATION:
		return list->generation && list->seq == selector->seq;
	}
	return true;
}

bool lru_selector_takes(const struct lru_selector *selector,
			const struct mmlens_lru_list *list)
{
	return (!selector->path || selector->memcg == list->memcg) &&
	       (selector->node < 0 ||
		(uint32_t)selector->node == list->node) &&
	       takes_name(selector, list);
}

struct lru_line lru_line_of(const struct mmlens_lru_list *list,
			    struct mmlens_labels *labels)
{
	return (struct lru_line) {
		.list = list,
		.labels.memcg = mmlens_memcg_path(labels, list->memcg),
		.labels.zone = list->generation ?
			mmlens_zone_name(labels, list->zone) : NULL,
	};
}

/* A list under way, and where it stood among the others. */
struct reading {
	struct lru_table *table;
	const struct lru_selector *selector;
	size_t seen;
};

/* What is unevictable is the same with both kinds. */
static unsigned int kind_of(const struct mmlens_lru_list *list)
{
	if (!(list->flags & MMLENS_LIST_ENABLED))
		return 0;
	if (list->generation)
		return LRU_KIND_GENERATIONS;
	return list->lru == MMLENS_LRU_UNEVICTABLE ? 0 : LRU_KIND_CLASSIC;
}

static int add_list(const struct mmlens_lru_contents *lru, void *context)
{
	struct reading *r = context;
	struct lru_table *table = r->table;
	struct mmlens_lru_list *grown;

	if (!r->seen++)
		table->root = lru->list.memcg;
	table->kinds |= kind_of(&lru->list);
	if (!lru_selector_takes(r->selector, &lru->list))
		return 0;
	grown = table->lists;
	if (!(table->count & (table->count - 1))) {
		grown = reallocarray(grown, table->count ? 2 * table->count : 1,
				     sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		table->lists = grown;
	}
	grown[table->count++] = lru->list;
	return 0;
}

static int compare(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

/* Those of a memcg and node come together; a cursor is in order of lists. */
static int compare_lists(const void *a, const void *b)
{
	const struct mmlens_lru_list *x = a, *y = b;
	int order = compare(x->memcg, y->memcg);

	if (!order)
		order = compare(x->node, y->node);
	if (!order)
		order = compare(x->lru, y->lru);
	if (!order)
		order = compare(x->seq, y->seq);
	if (!order)
		order = compare(x->cursor, y->cursor);
	return order;
}

int lru_table_read(struct lru_table *table, struct mmlens *lens,
		   const struct lru_selector *selector)
{
	struct mmlens_request request = {};
	struct reading r = { .table = table, .selector = selector };
	int ret;

	ret = mmlens_lru_read(lens, &request, add_list, &r, &table->stats);
	if (!ret && table->count)
		qsort(table->lists, table->count, sizeof(*table->lists),
		      compare_lists);
	return ret;
}

void lru_table_free(struct lru_table *table)
{
	free(table->lists);
}
