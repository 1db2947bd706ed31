// SPDX-License-Identifier: GPL-2.0-only
/* mmlens zones: how much of each zone is free, and what that means now. */
#include "cli.h"

struct arguments {
	struct zones_options view;
	bool json;
};

static const struct option long_options[] = {
	{ "abbreviate", no_argument, NULL, 'k' },
	{ "cpus", no_argument, NULL, 'c' },
	COMMON_OPTIONS
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "kch", long_options, NULL)) != -1) {
		status = CLI_GO_ON;
		if (c == 'k')
			a->view.abbreviate = true;
		else if (c == 'c')
			a->view.cpus = true;
		else
			status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	return cli_no_more(self, argc, argv);
}

static int show(struct session *s, void *context,
		const struct mmlens_zones *zones)
{
	const struct arguments *a = context;

	if (a->json)
		zones_json(&s->view, zones);
	else
		zones_text(&s->view, zones, &a->view);
	return CLI_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	return cli_show_zones(self, a.json, &a, show);
}

const struct command cmd_zones = {
	.name = "zones",
	.arguments = "[-k] [-c] [--json]",
	.summary = "how much of each zone is free, and what that means now",
	.help = "  -k, --abbreviate bytes with a suffix, not pages\n"
		"  -c, --cpus       what each CPU keeps, too\n"
		COMMON_HELP,
	.legend = zones_legend,
	.run = run,
};
