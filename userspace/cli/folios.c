// SPDX-License-Identifier: GPL-2.0-only
/* mmlens folios: how large folios are mapped, as tools/mm/thpmaps. */
#include <errno.h>

#include "cli.h"

struct arguments {
	int pid;
	bool json;
	const char *range;
};

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status = cli_parse_common(self, argc, argv, &a->json);

	if (status != CLI_GO_ON)
		return status;
	return cli_pid_and_range(self, argc, argv, &a->pid, &a->range);
}

static int walk(struct session *s, struct mmlens_folios *folios, int pid)
{
	const struct folios_view *view = s->json ? &folios_json : &folios_text;
	struct mmlens_folio_sums total = {};
	const struct mmlens_folio_sums *sums;
	const struct mmlens_area *area;
	struct mmlens_stats stats;
	uint64_t count = 0;
	int ret;

	view->begin(&s->view, pid);
	while ((ret = mmlens_folios_next(folios, &area, &sums)) > 0) {
		view->area(&s->view, area, sums);
		mmlens_folio_sums_add(&total, sums);
		count++;
		session_progress(count, area->vma->start);
		if (s->view.error)
			return CLI_FAILED;
	}
	session_progress_end();
	stats = mmlens_folios_stats(folios);
	view->end(&s->view, count, &total, &stats);
	return session_explain(s, pid, ret);
}

static int show(struct session *s, const struct arguments *a)
{
	struct mmlens_request request = { .pid = a->pid };
	struct mmlens_folios *folios;
	uint64_t start, end;
	int status;

	status = session_need_abi(s, 2);
	if (status == CLI_GO_ON && a->range) {
		status = cli_parse_range(s->view.info, a->range, &start, &end);
		request.start = start;
		request.end = end;
	}
	if (status != CLI_GO_ON)
		return status;
	folios = mmlens_folios_open(s->lens, &request);
	if (!folios)
		return session_explain(s, a->pid, -errno);
	status = walk(s, folios, a->pid);
	mmlens_folios_close(folios);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct session s;
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_PTES, a.json);
	if (status != CLI_GO_ON)
		return status;
	return session_close(&s, show(&s, &a));
}

const struct command cmd_folios = {
	.name = "folios",
	.arguments = "[--json] PID [START[-END]]",
	.summary = "how large folios are mapped, as thpmaps of the kernel",
	.help =
	COMMON_HELP
	"\nIn kB, by mapping, kind, size of the folio and level of the entries:\n"
	"ALIGNED and UNALIGNED of folios mapped whole and in one piece, at a\n"
	"multiple of their size or not, PARTIAL of the others; % of the mapping's\n"
	"anon, file or hugetlb memory.  Addresses as in pte.\n",
	.run = run,
};
