// SPDX-License-Identifier: GPL-2.0-only
/* mmlens numa_maps: policies and nodes of mappings, as /proc/PID/numa_maps. */
#include "cli.h"

static int run(const struct command *self, int argc, char **argv)
{
	struct session s;
	bool json = false;
	int pid, status;

	status = cli_parse_only_pid(self, argc, argv, &pid, &json);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_NUMA_MAPS, json);
	if (status != CLI_GO_ON)
		return status;
	if (!mmlens_has_numa_maps()) {
		cli_error("numa_maps: this kernel knows no NUMA policies (it has no /proc/PID/numa_maps, which takes CONFIG_NUMA)");
		return session_close(&s, CLI_FAILED);
	}
	status = cli_show_areas(&s, json ? &numa_json : &numa_text, pid,
				MMLENS_AREAS_NUMA);
	return session_close(&s, status);
}

const struct command cmd_numa_maps = {
	.name = "numa_maps",
	.arguments = "[--json] PID",
	.summary = "policies and nodes of mappings, as /proc/PID/numa_maps",
	.help = COMMON_HELP,
	.run = run,
};
