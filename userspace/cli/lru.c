// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru: the LRU lists, and what stands on them in which order. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"
#include "pace.h"

enum {
	OPT_PAGES = OPT_OWN,
	OPT_MEMCG,
	OPT_TAIL,
	OPT_HEAD,
	OPT_PID,
	OPT_AFTER,
	OPT_WATCH,
	OPT_COUNT,
};

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "pages", no_argument, NULL, OPT_PAGES },
	{ "memcg", required_argument, NULL, OPT_MEMCG },
	{ "node", required_argument, NULL, 'n' },
	{ "list", required_argument, NULL, 'l' },
	{ "tail", required_argument, NULL, OPT_TAIL },
	{ "head", required_argument, NULL, OPT_HEAD },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "watch", required_argument, NULL, OPT_WATCH },
	{ "count", required_argument, NULL, OPT_COUNT },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

/* As many as a position can count. */
#define MOST_FOLIOS INT_MAX

static int parse_count(const struct command *self, unsigned int *count)
{
	if (!cli_parse_number(optarg, MOST_FOLIOS, count) || !*count)
		return cli_usage(self, "'%s' isn't a number from 1 on", optarg);
	return CLI_GO_ON;
}

static int parse_node(const struct command *self, struct lru_selector *selector)
{
	unsigned int node;

	if (!cli_parse_number(optarg, INT_MAX, &node))
		return cli_usage(self, "'%s' isn't a node", optarg);
	selector->node = (int)node;
	return CLI_GO_ON;
}

/* Options of --pid and --watch. */
static int parse_motion(const struct command *self, struct lru_arguments *a,
			int c)
{
	switch (c) {
	case OPT_PID:
		a->pid.pid = cli_parse_pid(optarg);
		return a->pid.pid ? CLI_GO_ON :
			cli_usage(self, "'%s' isn't a PID", optarg);
	case OPT_AFTER:
		a->pid.has_after = true;
		return lru_parse_size(optarg, &a->pid.after) && a->pid.after ?
			CLI_GO_ON : cli_usage(self, "'%s' isn't a size", optarg);
	case OPT_WATCH:
		return pace_parse_seconds(optarg, &a->seconds) ? CLI_GO_ON :
			cli_usage(self, "'%s' isn't a number of seconds",
				  optarg);
	case OPT_COUNT:
		return parse_count(self, &a->count);
	}
	return cli_common_option(self, c, &a->json);
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct lru_arguments *a = arguments;

	switch (c) {
	case 'a':
		a->all = true;
		return CLI_GO_ON;
	case OPT_PAGES:
		a->pages = true;
		return CLI_GO_ON;
	case OPT_MEMCG:
		a->selector.path = optarg;
		return CLI_GO_ON;
	case 'n':
		return parse_node(self, &a->selector);
	case 'l':
		if (lru_select(&a->selector, optarg))
			return CLI_GO_ON;
		return cli_usage(self, "'%s' isn't a list (see --help)",
				 optarg);
	case OPT_TAIL:
		return parse_count(self, &a->tail);
	case OPT_HEAD:
		return parse_count(self, &a->head);
	default:
		return parse_motion(self, a, c);
	}
}

/* What doesn't go together; NULL: all does. */
static const char *conflict(const struct lru_arguments *a)
{
	const struct lru_selector *selector = &a->selector;
	bool lists = selector->name || selector->path || selector->node >= 0 ||
		     a->all || a->tail || a->head;

	if (a->tail && a->head)
		return "--tail and --head exclude each other";
	if (a->pid.pid && a->seconds)
		return "--pid and --watch exclude each other";
	if ((a->pid.pid || a->seconds) && lists)
		return "--pid and --watch are of all lists";
	if (a->pid.has_after && !a->pid.pid)
		return "--after needs --pid";
	if (a->pid.pid && a->pages && !a->pid.has_after)
		return "--pages with --pid needs --after";
	if (a->seconds && a->pages)
		return "--watch and --pages exclude each other";
	if (a->count && !a->seconds)
		return "--count needs --watch";
	return NULL;
}

static int parse(const struct command *self, struct lru_arguments *a, int argc,
		 char **argv)
{
	const char *why;
	int status;

	status = cli_parse_options(self, argc, argv, "an:l:h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	why = conflict(a);
	if (why)
		return cli_usage(self, "%s", why);
	a->pages |= a->tail || a->head;
	a->pid.pages = a->pages;
	return cli_no_more(self, argc, argv);
}

/* ---- lists ---- */

static int show_lists(struct session *s, const struct lru_arguments *a,
		      const struct lru_table *table,
		      struct mmlens_labels *labels)
{
	struct lru_line *lines = calloc(table->count, sizeof(*lines));

	if (!lines)
		return session_explain_of(s, "lru", -ENOMEM);
	for (size_t i = 0; i < table->count; i++)
		lines[i] = lru_line_of(&table->lists[i], labels);
	if (s->json)
		lru_json(&s->view, table->kinds, lines, table->count,
			 &table->stats);
	else
		lru_text(&s->view, table->kinds, lines, table->count, a->all,
			 &table->stats);
	free(lines);
	return CLI_OK;
}

/* Say which of the selectors it may be. */
static int explain_nothing(const struct lru_selector *selector,
			   const struct lru_table *table)
{
	if (selector->path && !table->root)
		cli_error("%s: there are no memory cgroups: the controller is off (cgroup_disable=memory in /proc/cmdline?)",
			  selector->path);
	else if (selector->path)
		cli_error("%s: has no such lists (is the memory controller on for it? see cgroup.subtree_control of its parent)",
			  selector->path);
	else if (selector->name)
		cli_error("%s: there is no such list%s", selector->name,
			  selector->which == LRU_GENERATION ?
				  " (mmlens lru shows the generations)" : "");
	else
		cli_error("node %d: has no LRU lists", selector->node);
	return CLI_FAILED;
}

/* Lists that were asked for by name, but aren't in use. */
static void hint_kind(const struct lru_selector *selector, unsigned int kinds)
{
	if (selector->which == LRU_CLASSIC &&
	    selector->lru != MMLENS_LRU_UNEVICTABLE &&
	    kinds == LRU_KIND_GENERATIONS)
		cli_error("%s: isn't in use, the kernel keeps generations (try: --list %s)",
			  selector->name,
			  selector->lru >= MMLENS_LRU_INACTIVE_FILE ? "file" :
								      "anon");
}

static int show_selected(struct session *s, const struct lru_arguments *a,
			 const struct lru_table *table,
			 struct mmlens_labels *labels)
{
	if (!table->count)
		return explain_nothing(&a->selector, table);
	hint_kind(&a->selector, table->kinds);
	if (a->pages)
		return lru_show_pages(s, a, table, labels);
	return show_lists(s, a, table, labels);
}

static int show(struct session *s, struct lru_arguments *a)
{
	struct mmlens_labels *labels = mmlens_labels_open();
	struct lru_table table = {};
	int status, ret;

	if (!labels)
		return session_explain_of(s, "lru", -ENOMEM);
	status = lru_select_memcg(&a->selector, labels);
	if (status == CLI_GO_ON) {
		ret = lru_table_read(&table, s->lens, &a->selector);
		status = ret ? session_explain_of(s, "lru", ret) :
			       show_selected(s, a, &table, labels);
	}
	lru_table_free(&table);
	mmlens_labels_close(labels);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct lru_arguments a = { .selector.node = -1 };
	struct session s;
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	if (a.seconds && cli_from)
		return cli_usage(self, "lru: --watch and --from exclude each other: a capture stands still");
	status = session_open(&s, MMLENS_NR_LRU, a.json);
	if (status != CLI_GO_ON)
		return status;
	if (a.seconds)
		status = lru_watch(&s, a.seconds, a.count);
	else if (a.pid.pid)
		status = lru_show_pid(&s, &a.pid);
	else
		status = show(&s, &a);
	return session_close(&s, status);
}

const struct command cmd_lru = {
	.name = "lru",
	.arguments = "[-a] [--pages|--tail N|--head N] [--memcg PATH] [-n NODE] [-l LIST]\n"
		     "                  [--json]\n"
		     "       mmlens lru --pid PID [--after SIZE [--pages]] [--json]\n"
		     "       mmlens lru --watch SECONDS [--count N] [--json]",
	.summary = "the LRU lists of each memory cgroup, in their order",
	.help = "      --pages      what stands on them, from the end that reclaim takes\n"
		"                   first, and whose it is\n"
		"      --tail N     of each list the N folios that reclaim takes first\n"
		"      --head N     of each list the N folios that it takes last\n"
		"  -a, --all        empty lists too\n"
		"      --memcg PATH of that memory cgroup alone: its path as in\n"
		"                   /proc/PID/cgroup, its directory, or @INODE\n"
		"  -n, --node NODE  of that NUMA node alone\n"
		"  -l, --list LIST  of that list alone: inactive_anon, active_anon,\n"
		"                   inactive_file, active_file, unevictable; anon or file of\n"
		"                   either kind; gen:SEQ of that generation\n"
		"      --pid PID    where the pages of a process stand\n"
		"      --after SIZE and which of them would go if that much were reclaimed\n"
		"                   from its memory cgroup (512M; K, M, G); with --pages\n"
		"                   also their addresses\n"
		"      --watch SECONDS  what moves from list to list in that time, again and\n"
		"                   again\n"
		"      --count N    N times, not until ^C\n"
		COMMON_HELP,
	.run = run,
};
