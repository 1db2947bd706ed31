// SPDX-License-Identifier: GPL-2.0-only
/* mmlens zoneinfo and mmlens buddyinfo: zones, as the kernel's files. */
#include <errno.h>
#include <string.h>

#include "cli.h"

static int parse(const struct command *self, int argc, char **argv, bool *json)
{
	int status = cli_parse_common(self, argc, argv, json);

	return status == CLI_GO_ON ? cli_no_more(self, argc, argv) : status;
}

static int explain_format(int error)
{
	if (error == -EPROTO)
		cli_error("/proc/zoneinfo: not in a form that this reader knows: is there a newer mmlens?");
	else
		cli_error("/proc/zoneinfo: %s (its fields are the running kernel's; is /proc mounted?)",
			  strerror(-error));
	return CLI_FAILED;
}

/* Every label has its number, and every number its label. */
static bool fits(const struct mmlens_zoneinfo_format *format,
		 const struct mmlens_zones *zones)
{
	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		if (node->stats.count != format->node.count)
			return false;
		for (size_t j = 0; j < node->zone_count; j++) {
			const struct mmlens_zone_state *zone = &node->zones[j];

			if (zone->zone.flags & MMLENS_ZONE_POPULATED &&
			    zone->stats.count + zone->numa.count !=
			    format->stats.count)
				return false;
		}
	}
	return true;
}

static void tell_unknown(const struct mmlens_labels_list *labels,
			 const struct mmlens_zones *zones,
			 const struct mmlens_pageset *pageset)
{
	const struct mmlens_node_state *node = &zones->nodes[0];

	for (size_t i = 0; i < labels->count; i++) {
		size_t length;
		int64_t value;

		if (mmlens_zoneinfo_value(labels->label[i], node,
					  &node->zones[0], pageset, &value))
			continue;
		mmlens_zoneinfo_key(labels->label[i], &length);
		cli_error("this kernel's zoneinfo has a field that this reader doesn't know and leaves out: %.*s",
			  (int)length,
			  mmlens_zoneinfo_key(labels->label[i], &length));
	}
}

static int show_zoneinfo(struct session *s, void *context,
			 const struct mmlens_zones *zones)
{
	static const struct mmlens_pageset any;
	struct mmlens_zoneinfo_format format;
	int ret = mmlens_zoneinfo_format_read(&format);

	(void)context;
	if (!ret && !fits(&format, zones)) {
		mmlens_zoneinfo_format_free(&format);
		ret = -EPROTO;
	}
	if (ret)
		return explain_format(ret);
	tell_unknown(&format.head, zones, NULL);
	tell_unknown(&format.pageset, zones, &any);
	tell_unknown(&format.tail, zones, NULL);
	if (s->json)
		zoneinfo_json(&s->view, &format, zones);
	else
		zoneinfo_text(&s->view, &format, zones);
	mmlens_zoneinfo_format_free(&format);
	return CLI_OK;
}

static int show_buddyinfo(struct session *s, void *context,
			  const struct mmlens_zones *zones)
{
	(void)context;
	if (s->json)
		buddyinfo_json(&s->view, zones);
	else
		buddyinfo_text(&s->view, zones);
	return CLI_OK;
}

int cli_show_zones(const struct command *self, bool json, void *context,
		   int (*show)(struct session *s, void *context,
			       const struct mmlens_zones *zones))
{
	struct mmlens_zones *zones;
	struct session s;
	int status;

	status = session_open(&s, MMLENS_NR_ZONES, json);
	if (status != CLI_GO_ON)
		return status;
	zones = mmlens_zones_read(s.lens);
	if (zones && zones->count && zones->nodes[0].zone_count)
		status = show(&s, context, zones);
	else
		status = session_explain_of(&s, self->name,
					    zones ? -EPROTO : -errno);
	mmlens_zones_free(zones);
	return session_close(&s, status);
}

static int run(const struct command *self, int argc, char **argv,
	       int (*show)(struct session *s, void *context,
			   const struct mmlens_zones *zones))
{
	bool json = false;
	int status = parse(self, argc, argv, &json);

	if (status != CLI_GO_ON)
		return status;
	return cli_show_zones(self, json, NULL, show);
}

static int run_zoneinfo(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, show_zoneinfo);
}

static int run_buddyinfo(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, show_buddyinfo);
}

const struct command cmd_zoneinfo = {
	.name = "zoneinfo",
	.arguments = "[--json]",
	.summary = "nodes, zones and what CPUs keep, as /proc/zoneinfo",
	.help = COMMON_HELP,
	.run = run_zoneinfo,
};

const struct command cmd_buddyinfo = {
	.name = "buddyinfo",
	.arguments = "[--json]",
	.summary = "free blocks of each zone by order, as /proc/buddyinfo",
	.help = COMMON_HELP,
	.run = run_buddyinfo,
};
