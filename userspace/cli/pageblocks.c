// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pageblocks: what each page block is for, by address. */
#include "cli.h"

struct arguments {
	struct free_filter filter;
	bool map;
	bool json;
};

enum { OPT_MAP = OPT_OWN };

static const struct option long_options[] = {
	FREE_OPTIONS,
	{ "map", no_argument, NULL, OPT_MAP },
	COMMON_OPTIONS
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "n:z:t:h", long_options,
				NULL)) != -1) {
		status = CLI_GO_ON;
		if (c == 'n' || c == 'z' || c == 't')
			status = cli_free_option(self, c, &a->filter);
		else if (c == OPT_MAP)
			a->map = true;
		else
			status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	if (a->map && a->json)
		return cli_usage(self, "--map is a picture of its own: leave out --json");
	return cli_no_more(self, argc, argv);
}

static int show(struct session *s, void *context,
		const struct free_memory *memory)
{
	const struct arguments *a = context;

	if (a->json)
		pageblocks_json(&s->view, memory, &a->filter);
	else if (a->map)
		pageblocks_map_text(&s->view, memory, &a->filter);
	else
		pageblocks_text(&s->view, memory, &a->filter);
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

const struct command cmd_pageblocks = {
	.name = "pageblocks",
	.arguments = "[--map] [-n NODE] [-z ZONE] [-t TYPE] [--json]",
	.summary = "the migratetype of every page block, by address",
	.help = "      --map        a picture\n"
		FREE_HELP
		COMMON_HELP,
	.legend = pageblocks_map_legend,
	.run = run,
};
