// SPDX-License-Identifier: GPL-2.0-only
/* mmlens maps: the mappings of a process, as /proc/PID/maps. */
#include <errno.h>

#include "cli.h"

static const struct option long_options[] = { COMMON_OPTIONS };

static int parse(const struct command *self, int argc, char **argv, int *pid,
		 bool *json)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		status = cli_common_option(self, c, json);
		if (status != CLI_GO_ON)
			return status;
	}
	return cli_only_pid(self, argc, argv, pid);
}

static int walk(struct session *s, struct mmlens_areas *areas, int pid)
{
	const struct maps_view *view = s->json ? &maps_json : &maps_text;
	const struct mmlens_area *area;
	uint64_t count = 0;
	int ret;

	view->begin(&s->view, pid);
	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		view->area(&s->view, area);
		count++;
		if (s->view.error)
			return CLI_FAILED;
	}
	view->end(&s->view, count, mmlens_areas_stats(areas));
	return session_explain(s, pid, ret);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct mmlens_request request = {};
	struct mmlens_areas *areas;
	struct session s;
	bool json = false;
	int status;

	status = parse(self, argc, argv, &request.pid, &json);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_VMAS, json);
	if (status != CLI_GO_ON)
		return status;

	areas = mmlens_areas_open(s.lens, &request, MMLENS_AREAS_GATE);
	if (areas)
		status = walk(&s, areas, request.pid);
	else
		status = session_explain(&s, request.pid, -errno);
	mmlens_areas_close(areas);
	return session_close(&s, status);
}

const struct command cmd_maps = {
	.name = "maps",
	.arguments = "[--json] PID",
	.summary = "the mappings of a process, as /proc/PID/maps",
	.help = COMMON_HELP,
	.run = run,
};
