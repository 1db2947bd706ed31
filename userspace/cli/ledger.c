// SPDX-License-Identifier: GPL-2.0-only
/* mmlens ledger: every page of memory in one bucket. */
#include <errno.h>

#include "cli.h"

struct arguments {
	struct free_filter filter;
	bool free;
	bool map;
	bool json;
};

enum { OPT_MAP = OPT_OWN };

static const struct option long_options[] = {
	{ "node", required_argument, NULL, 'n' },
	{ "zone", required_argument, NULL, 'z' },
	{ "free", no_argument, NULL, 'f' },
	{ "map", no_argument, NULL, OPT_MAP },
	COMMON_OPTIONS
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "n:z:fh", long_options,
				NULL)) != -1) {
		status = CLI_GO_ON;
		if (c == 'n' || c == 'z')
			status = cli_free_option(self, c, &a->filter);
		else if (c == 'f')
			a->free = true;
		else if (c == OPT_MAP)
			a->map = true;
		else
			status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	if (a->map && (a->json || a->free))
		return cli_usage(self, "--map is a picture of its own: leave out %s",
				 a->json ? "--json" : "--free");
	return cli_no_more(self, argc, argv);
}

static void show(struct session *s, const struct arguments *a,
		 const struct mmlens_zones *zones,
		 const struct mmlens_ledger *ledger)
{
	if (a->json)
		ledger_json(&s->view, zones, ledger, &a->filter);
	else if (a->map)
		ledger_map_text(&s->view, zones, ledger, &a->filter);
	else
		ledger_text(&s->view, zones, ledger, &a->filter, a->free);
}

static int gather(struct session *s, const struct arguments *a)
{
	struct mmlens_zones *zones = mmlens_zones_read(s->lens);
	struct mmlens_ledger *ledger;
	int ret = 0;

	if (!zones)
		return -errno;
	ledger = mmlens_ledger_read(s->lens);
	if (ledger)
		show(s, a, zones, ledger);
	else
		ret = -errno;
	mmlens_ledger_free(ledger);
	mmlens_zones_free(zones);
	return ret;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .filter = { -1, NULL, -1, -1 } };
	struct session s;
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_PAGES, a.json);
	if (status != CLI_GO_ON)
		return status;
	status = session_explain_of(&s, self->name, gather(&s, &a));
	return session_close(&s, status);
}

const struct command cmd_ledger = {
	.name = "ledger",
	.arguments = "[-f|--map] [-n NODE] [-z ZONE] [--json]",
	.summary = "every page of memory in one bucket",
	.help = "  -f, --free       free blocks by order and migratetype, too\n"
		"      --map        where the buckets are\n"
		"  -n, --node NODE  of that NUMA node alone\n"
		"  -z, --zone ZONE  of that zone alone, as Normal\n"
		COMMON_HELP,
	.legend = ledger_map_legend,
	.run = run,
};
