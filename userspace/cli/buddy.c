// SPDX-License-Identifier: GPL-2.0-only
/* mmlens buddy: the free blocks, in the order in which they are handed out. */
#include "cli.h"

struct arguments {
	struct free_filter filter;
	bool list;
	bool map;
	bool json;
};

enum { OPT_MAP = OPT_OWN };

static const struct option long_options[] = {
	FREE_OPTIONS,
	{ "order", required_argument, NULL, 'o' },
	{ "list", no_argument, NULL, 'l' },
	{ "map", no_argument, NULL, OPT_MAP },
	COMMON_OPTIONS
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "n:z:t:o:lh", long_options,
				NULL)) != -1) {
		status = CLI_GO_ON;
		switch (c) {
		case 'n':
		case 'z':
		case 't':
		case 'o':
			status = cli_free_option(self, c, &a->filter);
			break;
		case 'l':
			a->list = true;
			break;
		case OPT_MAP:
			a->map = true;
			break;
		default:
			status = cli_common_option(self, c, &a->json);
		}
		if (status != CLI_GO_ON)
			return status;
	}
	if (a->map && (a->list || a->json))
		return cli_usage(self, "--map is a picture of its own: leave out %s",
				 a->list ? "--list" : "--json");
	return cli_no_more(self, argc, argv);
}

static int show(struct session *s, void *context,
		const struct free_memory *memory)
{
	const struct arguments *a = context;

	if (a->json)
		buddy_json(&s->view, memory, &a->filter, a->list);
	else if (a->map)
		buddy_map_text(&s->view, memory, &a->filter);
	else if (a->list)
		buddy_list_text(&s->view, memory, &a->filter);
	else
		buddy_text(&s->view, memory, &a->filter);
	return CLI_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .filter = { -1, NULL, -1, -1 } };
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	return cli_show_free(self, a.json, &a, show);
}

const struct command cmd_buddy = {
	.name = "buddy",
	.arguments = "[-l|--map] [-n NODE] [-z ZONE] [-o ORDER] [-t TYPE] [--json]",
	.summary = "the free blocks of the buddy allocator and of CPUs",
	.help = "  -l, --list       each block, in the order of its list: position 0 is\n"
		"                   handed out next\n"
		"      --map        where the free memory is\n"
		FREE_HELP
		"  -o, --order N    of that order alone\n"
		COMMON_HELP
		"\nA number with a '+' is of a list that goes on: it changed too often"
		"\nwhile it was read.\n",
	.legend = buddy_map_legend,
	.run = run,
};
