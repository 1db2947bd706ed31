// SPDX-License-Identifier: GPL-2.0-only
/* mmlens maps: the mappings of a process, as /proc/PID/maps. */
#include <errno.h>

#include "cli.h"

static int walk(struct session *s, const struct maps_view *view,
		struct mmlens_areas *areas, int pid)
{
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

int cli_show_areas(struct session *s, const struct maps_view *view, int pid,
		   unsigned int flags)
{
	struct mmlens_request request = { .pid = pid };
	struct mmlens_areas *areas;
	int status;

	areas = mmlens_areas_open(s->lens, &request, flags);
	if (!areas)
		return session_explain(s, pid, -errno);
	status = walk(s, view, areas, pid);
	mmlens_areas_close(areas);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct session s;
	bool json = false;
	int pid, status;

	status = cli_parse_only_pid(self, argc, argv, &pid, &json);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_VMAS, json);
	if (status != CLI_GO_ON)
		return status;
	status = cli_show_areas(&s, json ? &maps_json : &maps_text, pid,
				MMLENS_AREAS_GATE);
	return session_close(&s, status);
}

const struct command cmd_maps = {
	.name = "maps",
	.arguments = "[--json] PID",
	.summary = "the mappings of a process, as /proc/PID/maps",
	.help = COMMON_HELP,
	.run = run,
};
