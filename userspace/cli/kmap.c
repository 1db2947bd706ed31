// SPDX-License-Identifier: GPL-2.0-only
/* mmlens kmap: the kernel's own page table. */
#include <errno.h>
#include <string.h>

#include "cli.h"

struct arguments {
	struct kmap_options options;
	const char *range;
	bool json;
};

enum { OPT_WX = OPT_OWN, OPT_USER, OPT_ALL };

static const struct option long_options[] = {
	{ "region", required_argument, NULL, 'r' },
	{ "wx", no_argument, NULL, OPT_WX },
	{ "user", no_argument, NULL, OPT_USER },
	{ "all", no_argument, NULL, OPT_ALL },
	COMMON_OPTIONS
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "r:h", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'r':
			a->options.region = optarg;
			break;
		case OPT_WX:
			a->options.wx = true;
			break;
		case OPT_USER:
			a->options.user = true;
			break;
		case OPT_ALL:
			a->options.all = true;
			break;
		default:
			status = cli_common_option(self, c, &a->json);
			if (status != CLI_GO_ON)
				return status;
		}
	}
	if (optind < argc)
		a->range = argv[optind++];
	return cli_no_more(self, argc, argv);
}

static int check_region(const struct mmlens_kernel_map *map, const char *name)
{
	for (size_t i = 0; name && i < map->region_count; i++)
		if (!strcmp(map->regions[i].name, name))
			return CLI_GO_ON;
	if (!name)
		return CLI_GO_ON;
	cli_error("no region is called '%s' (mmlens kmap shows their names)",
		  name);
	return CLI_USAGE;
}

static int show(struct session *s, const struct arguments *a,
		const struct mmlens_kernel_map *map)
{
	int status = check_region(map, a->options.region);

	if (status != CLI_GO_ON)
		return status;
	if (a->json)
		kmap_json(&s->view, map, &a->options);
	else
		kmap_text(&s->view, map, &a->options);
	return CLI_OK;
}

static int run_session(struct session *s, const struct arguments *a)
{
	struct mmlens_kernel_map *map;
	uint64_t start = 0, end = 0;
	int status;

	if (a->range) {
		status = cli_parse_kernel_range(s->view.info, a->range, &start,
						&end);
		if (status != CLI_GO_ON)
			return status;
	}
	map = mmlens_kernel_map_read(s->lens, start, end, a->options.user);
	if (!map)
		return session_explain_kernel(s, a->options.user, -errno);
	status = show(s, a, map);
	mmlens_kernel_map_free(map);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct session s;
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_KMAP, a.json);
	if (status != CLI_GO_ON)
		return status;
	return session_close(&s, run_session(&s, &a));
}

const struct command cmd_kmap = {
	.name = "kmap",
	.arguments = "[-r REGION] [--wx] [--user] [--all] [--json] [START[-END]]",
	.summary = "the kernel's own page table, by region",
	.help = "  -r, --region NAME  of that region alone, as vmalloc\n"
		"      --wx         only what may be written to and executed\n"
		"      --user       what user mode's table has of the kernel, with\n"
		"                   page-table isolation\n"
		"      --all        all lines of regions that have more than 1000\n"
		COMMON_HELP
		"\nSTART-END are hexadecimal, with or without 0x, START alone stands for"
		"\nits page. A line is of neighbours with the same level and the same bits,"
		"\naccessed and dirty apart.\n",
	.run = run,
};
