// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pte: the page-table entries of a process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct range {
	uint64_t start;
	uint64_t end;		/* 0: to the end of the user range */
};

struct arguments {
	int pid;
	bool json;
	bool absent;
	struct pte_options pte;
	const char *vma;	/* name of the VMAs to walk */
	const char *range;
};

struct job {
	const struct arguments *a;
	struct session s;
	const struct pte_view *view;
	struct range *ranges;
	size_t count;
	struct mmlens_labels *labels;	/* with --pages in text, or NULL */
	bool begun;		/* the head is out */
	uint64_t shown;
	struct mmlens_stats stats;
};

enum {
	OPT_EACH = OPT_OWN,
	OPT_ABSENT,
	OPT_RAW,
	OPT_VMA,
	OPT_PAGES,
};

static const struct option long_options[] = {
	{ "each", no_argument, NULL, OPT_EACH },
	{ "absent", no_argument, NULL, OPT_ABSENT },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "vma", required_argument, NULL, OPT_VMA },
	{ "pages", no_argument, NULL, OPT_PAGES },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case OPT_EACH:
		a->pte.each = true;
		return CLI_GO_ON;
	case OPT_ABSENT:
		a->absent = true;
		return CLI_GO_ON;
	case OPT_RAW:
		a->pte.raw = true;
		return CLI_GO_ON;
	case OPT_VMA:
		a->vma = optarg;
		return CLI_GO_ON;
	case OPT_PAGES:
		a->pte.pages = true;
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	status = cli_pid_and_range(self, argc, argv, &a->pid, &a->range);
	if (status == CLI_GO_ON && a->range && a->vma)
		return cli_usage(self, "pte: a range and --vma exclude each other");
	return status;
}

/* ---- which ranges ---- */

static bool add_range(struct job *job, uint64_t start, uint64_t end)
{
	size_t room = job->count + 1;
	struct range *grown;

	grown = realloc(job->ranges, room * sizeof(*grown));
	if (!grown)
		return false;
	job->ranges = grown;
	grown[job->count++] = (struct range) { start, end };
	return true;
}

static bool has_name(const struct mmlens_area *area, const char *name)
{
	const char *slash;

	if (!area->name)
		return false;
	if (!strcmp(area->name, name))
		return true;
	slash = strrchr(area->name, '/');
	return slash && !strcmp(slash + 1, name);
}

static int find_vmas(struct job *job, struct mmlens_areas *areas)
{
	const struct mmlens_area *area;
	int ret;

	while ((ret = mmlens_areas_next(areas, &area)) > 0)
		if (has_name(area, job->a->vma) &&
		    !add_range(job, area->vma->start, area->vma->end))
			return -ENOMEM;
	return ret;
}

static int ranges_of_vma(struct job *job)
{
	struct mmlens_request request = { .pid = job->a->pid };
	struct mmlens_areas *areas;
	int ret;

	areas = mmlens_areas_open(job->s.lens, &request, 0);
	ret = areas ? find_vmas(job, areas) : -errno;
	mmlens_areas_close(areas);
	if (ret)
		return session_explain(&job->s, request.pid, ret);
	if (job->count)
		return CLI_OK;
	cli_error("PID %d: no mapping is named '%s'", request.pid,
		  job->a->vma);
	return CLI_FAILED;
}

static int find_ranges(struct job *job)
{
	struct range r = {};
	int status;

	if (job->a->vma)
		return ranges_of_vma(job);
	if (job->a->range) {
		status = cli_parse_range(job->s.view.info, job->a->range,
					 &r.start, &r.end);
		if (status != CLI_GO_ON)
			return status;
	}
	if (add_range(job, r.start, r.end))
		return CLI_OK;
	return session_explain(&job->s, job->a->pid, -ENOMEM);
}

/* ---- the walk ---- */

/* Names for people; JSON has the numbers. */
static struct page_labels find_labels(struct job *job, bool has_page,
				      const struct mmlens_page_state *page)
{
	if (!job->labels || !has_page)
		return (struct page_labels) {};
	return (struct page_labels) {
		.memcg = mmlens_memcg_path(job->labels, page->memcg),
		.zone = mmlens_zone_name(job->labels, page->zone),
	};
}

static int show_entries(struct job *job, struct mmlens_entries *entries)
{
	struct mmlens_entry entry;
	int ret;

	while ((ret = mmlens_entries_next(entries, &entry)) > 0) {
		const struct page_labels labels =
			find_labels(job, entry.has_page, &entry.page);

		job->view->entry(&job->s.view, &job->a->pte, &entry, &labels);
		job->shown++;
		session_progress(job->shown, entry.va);
		if (job->s.view.error)
			return 0;
	}
	return ret;
}

static int show_runs(struct job *job, struct mmlens_entries *entries)
{
	struct mmlens_entry_run run;
	int ret;

	while ((ret = mmlens_runs_next(entries, &run)) > 0) {
		const struct page_labels labels =
			find_labels(job, run.has_page, &run.page);

		job->view->run(&job->s.view, &job->a->pte, &run, &labels);
		if (mmlens_state(run.flags) != MMLENS_STATE_NONE)
			job->shown += run.entries;
		session_progress(job->shown, run.start);
		if (job->s.view.error)
			return 0;
	}
	return ret;
}

static int walk_range(struct job *job, const struct range *range)
{
	struct mmlens_request request = {
		.pid = job->a->pid,
		.flags = MMLENS_WALK_PAGE,
		.start = range->start,
		.end = range->end,
	};
	struct mmlens_entries *entries;
	int ret;

	if (job->a->absent)
		request.flags |= MMLENS_WALK_ABSENT;
	if (job->a->pte.pages)
		request.flags |= MMLENS_WALK_STATE;
	entries = mmlens_entries_open(job->s.lens, &request);
	if (!entries)
		return -errno;
	if (!job->begun)
		job->view->begin(&job->s.view, &job->a->pte, job->a->pid);
	job->begun = true;
	ret = job->a->pte.each ? show_entries(job, entries) :
				 show_runs(job, entries);
	mmlens_stats_add(&job->stats, mmlens_entries_stats(entries));
	mmlens_entries_close(entries);
	return ret;
}

static int walk(struct job *job)
{
	int ret = 0;

	for (size_t i = 0; i < job->count && !ret; i++)
		ret = walk_range(job, &job->ranges[i]);
	session_progress_end();
	if (job->begun)
		job->view->end(&job->s.view, job->shown, &job->stats);
	return session_explain(&job->s, job->a->pid, ret);
}

static int show(struct job *job)
{
	int status;

	if (job->a->pte.pages) {
		status = session_need_abi(&job->s, 2);
		if (status != CLI_GO_ON)
			return status;
		/* Without memory for them there are still the numbers. */
		if (!job->a->json)
			job->labels = mmlens_labels_open();
	}
	status = find_ranges(job);
	if (!status)
		status = walk(job);
	mmlens_labels_close(job->labels);
	free(job->ranges);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct job job = { .a = &a };
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&job.s, MMLENS_NR_PTES, a.json);
	if (status != CLI_GO_ON)
		return status;
	job.view = a.json ? &pte_json : &pte_text;
	return session_close(&job.s, show(&job));
}

static void legend(FILE *out)
{
	const struct mmlens_flag *f;

	fputs("\nFlags:\n", out);
	for (f = mmlens_pte_flags(); f->bit; f++)
		fprintf(out, "  %s  %-15s %s\n", f->brief, f->name, f->help);
	fputs("\nEFF: what all levels leave: u user, r read, w write, x execute\n",
	      out);
	fputs("\nStates:", out);
	for (int i = MMLENS_STATE_PRESENT; i <= MMLENS_STATE_MARKER; i++)
		fprintf(out, " %s", mmlens_state_name(i));
	fputs(" other\n", out);
}

const struct command cmd_pte = {
	.name = "pte",
	.arguments = "[--each] [--pages] [--absent] [--raw] [--vma NAME] [--json] PID [START[-END]]",
	.summary = "the page-table entries of a process",
	.help =
	"      --each       one line an entry; otherwise runs of like entries\n"
	"      --pages      page flags, mapcount, folio, LRU, memory cgroup of each page\n"
	"      --absent     empty ranges too\n"
	"      --raw        raw entries, their bits by the architecture's names\n"
	"      --vma NAME   only mappings of this name: [heap], [stack], a file\n"
	COMMON_HELP
	"\nAddresses are hexadecimal, with or without 0x; END is the address after\n"
	"the last; START alone is the page that holds it.\n",
	.legend = legend,
	.run = run,
};
