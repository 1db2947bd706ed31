// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmlens smaps and mmlens smaps_rollup: the mappings of a process with their
 * sums, as /proc/PID/smaps and /proc/PID/smaps_rollup.
 */
#include <errno.h>
#include <string.h>

#include "cli.h"

int cli_smaps_format(const struct session *s, bool rollup,
		     struct mmlens_smaps_format *format)
{
	const char *file = rollup ? "smaps_rollup" : "smaps";
	int ret = mmlens_smaps_format_read(s->view.info, rollup, format);

	if (ret == -EPROTO) {
		cli_error("/proc/self/%s: not in a form that this reader knows: is there a newer mmlens?",
			  file);
		return CLI_FAILED;
	}
	if (ret) {
		cli_error("/proc/self/%s: %s (its fields are the running kernel's; is /proc mounted?)",
			  file, strerror(-ret));
		return CLI_FAILED;
	}
	if (*format->unknown)
		cli_error("this kernel's %s has fields that this reader doesn't know and leaves out: %s",
			  file, format->unknown);
	return CLI_GO_ON;
}

static int walk(struct session *s, const struct smaps_view *view,
		const struct mmlens_smaps_format *format,
		struct mmlens_areas *areas, int pid)
{
	const struct mmlens_area *area;
	uint64_t count = 0;
	int ret;

	view->begin(&s->view, pid);
	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		view->area(&s->view, format, area);
		count++;
		if (s->view.error)
			return CLI_FAILED;
	}
	view->end(&s->view, count, mmlens_areas_stats(areas));
	return session_explain(s, pid, ret);
}

/* An address space without mappings has a line of smaps_rollup all the same. */
static int walk_total(struct session *s, const struct smaps_view *view,
		      const struct mmlens_smaps_format *format,
		      struct mmlens_areas *areas, int pid)
{
	static const struct mmlens_vma no_vma;
	static const struct mmlens_smaps no_smaps;
	const struct mmlens_area nothing = { .vma = &no_vma,
					     .smaps = &no_smaps };
	const struct mmlens_area *area;
	int ret = mmlens_areas_next(areas, &area);

	if (ret < 0)
		return session_explain(s, pid, ret);
	view->begin(&s->view, pid);
	view->area(&s->view, format, ret ? area : &nothing);
	/* To the end of the walk, so that its statistics are whole. */
	while (ret > 0)
		ret = mmlens_areas_next(areas, &area);
	view->end(&s->view, 1, mmlens_areas_stats(areas));
	return session_explain(s, pid, ret);
}

static int show(struct session *s, const struct mmlens_request *request,
		bool rollup)
{
	const struct smaps_view *text = rollup ? &rollup_text : &smaps_text;
	const struct smaps_view *json = rollup ? &rollup_json : &smaps_json;
	const struct smaps_view *view = s->json ? json : text;
	unsigned int flags = MMLENS_AREAS_SMAPS | MMLENS_AREAS_FIELDS;
	struct mmlens_smaps_format format;
	struct mmlens_areas *areas;
	int status = cli_smaps_format(s, rollup, &format);

	if (status != CLI_GO_ON)
		return status;
	flags |= rollup ? MMLENS_AREAS_TOTAL : MMLENS_AREAS_GATE;
	areas = mmlens_areas_open(s->lens, request, flags);
	if (!areas)
		status = session_explain(s, request->pid, -errno);
	else if (rollup)
		status = walk_total(s, view, &format, areas, request->pid);
	else
		status = walk(s, view, &format, areas, request->pid);
	mmlens_areas_close(areas);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct mmlens_request request = {};
	struct session s;
	bool json = false;
	int status;

	status = cli_parse_only_pid(self, argc, argv, &request.pid, &json);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_SMAPS, json);
	if (status != CLI_GO_ON)
		return status;
	return session_close(&s, show(&s, &request, self == &cmd_smaps_rollup));
}

const struct command cmd_smaps = {
	.name = "smaps",
	.arguments = "[--json] PID",
	.summary = "the mappings and their memory, as /proc/PID/smaps",
	.help = COMMON_HELP,
	.run = run,
};

const struct command cmd_smaps_rollup = {
	.name = "smaps_rollup",
	.arguments = "[--json] PID",
	.summary = "the memory of a process, as /proc/PID/smaps_rollup",
	.help = COMMON_HELP,
	.run = run,
};
