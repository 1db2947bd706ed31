// SPDX-License-Identifier: GPL-2.0-only
/* What the commands about free blocks share; mmlens pagetypeinfo. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

bool cli_parse_number(const char *text, unsigned int most, unsigned int *value)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoul(text, &end, 0);
	if (errno || *end || number > most)
		return false;
	*value = number;
	return true;
}

static bool parse_type(const char *text, int *migratetype)
{
	for (int type = 0; type < MMLENS_MIGRATE_OTHER; type++) {
		const char *name = mmlens_migratetype_label(type);

		if (strcasecmp(name, "Other") && !strcasecmp(name, text)) {
			*migratetype = type;
			return true;
		}
	}
	return false;
}

int cli_free_option(const struct command *self, int option,
		    struct free_filter *filter)
{
	unsigned int number;

	switch (option) {
	case 'n':
		if (!cli_parse_number(optarg, INT_MAX, &number))
			return cli_usage(self, "'%s' isn't a node", optarg);
		filter->node = (int)number;
		return CLI_GO_ON;
	case 'z':
		filter->zone = optarg;
		return CLI_GO_ON;
	case 't':
		if (!parse_type(optarg, &filter->migratetype))
			return cli_usage(self, "'%s' isn't a migratetype (see --help)",
					 optarg);
		return CLI_GO_ON;
	case 'o':
		if (!cli_parse_number(optarg, 63, &number))
			return cli_usage(self, "'%s' isn't an order", optarg);
		filter->order = (int)number;
		return CLI_GO_ON;
	}
	return CLI_USAGE;
}

static int gather(struct session *s, struct free_memory *memory)
{
	memory->zones = mmlens_zones_read(s->lens);
	if (!memory->zones)
		return -errno;
	memory->blocks = mmlens_pageblock_map_read(s->lens, 0, 0);
	if (!memory->blocks)
		return -errno;
	memory->lists = mmlens_free_lists_read(s->lens);
	return memory->lists ? 0 : -errno;
}

int cli_show_free(const struct command *self, bool json, void *context,
		  int (*show)(struct session *s, void *context,
			      const struct free_memory *memory))
{
	struct free_memory memory = {};
	struct session s;
	int status, ret;

	status = session_open(&s, MMLENS_NR_FREE, json);
	if (status != CLI_GO_ON)
		return status;
	ret = gather(&s, &memory);
	status = ret ? session_explain_of(&s, self->name, ret) :
		       show(&s, context, &memory);
	mmlens_free_lists_free(memory.lists);
	mmlens_pageblock_map_free(memory.blocks);
	mmlens_zones_free(memory.zones);
	return session_close(&s, status);
}

/* ---- mmlens pagetypeinfo ---- */

static int show_pagetypeinfo(struct session *s, void *context,
			     const struct free_memory *memory)
{
	(void)context;
	if (s->json)
		pagetypeinfo_json(&s->view, memory);
	else
		pagetypeinfo_text(&s->view, memory);
	return CLI_OK;
}

static int run_pagetypeinfo(const struct command *self, int argc, char **argv)
{
	bool json = false;
	int status;

	status = cli_parse_common(self, argc, argv, &json);
	if (status == CLI_GO_ON)
		status = cli_no_more(self, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	return cli_show_free(self, json, NULL, show_pagetypeinfo);
}

const struct command cmd_pagetypeinfo = {
	.name = "pagetypeinfo",
	.arguments = "[--json]",
	.summary = "free blocks by migratetype, as /proc/pagetypeinfo",
	.help = COMMON_HELP,
	.run = run_pagetypeinfo,
};
