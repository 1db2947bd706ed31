// SPDX-License-Identifier: GPL-2.0-only
/* mmlens info: what the module and this kernel can do. */
#include "cli.h"

static int run(const struct command *self, int argc, char **argv)
{
	struct session s;
	bool json = false;
	int status;

	status = cli_parse_common(self, argc, argv, &json);
	if (status == CLI_GO_ON)
		status = cli_no_more(self, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_INFO, json);
	if (status != CLI_GO_ON)
		return status;
	if (json)
		info_json(&s.view);
	else
		info_text(&s.view);
	return session_close(&s, CLI_OK);
}

const struct command cmd_info = {
	.name = "info",
	.arguments = "[--json]",
	.summary = "what the module and this kernel can do",
	.help = COMMON_HELP,
	.run = run,
};
