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
	bool each;
	bool absent;
	bool raw;
	const char *vma;	/* name of the VMAs to walk */
	const char *range;
};

struct job {
	const struct arguments *a;
	struct session s;
	const struct pte_view *view;
	struct range *ranges;
	size_t count;
	bool begun;		/* the head is out */
	uint64_t shown;
	struct mmlens_stats stats;
};

enum {
	OPT_EACH = OPT_OWN,
	OPT_ABSENT,
	OPT_RAW,
	OPT_VMA,
};

static const struct option long_options[] = {
	{ "each", no_argument, NULL, OPT_EACH },
	{ "absent", no_argument, NULL, OPT_ABSENT },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "vma", required_argument, NULL, OPT_VMA },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static int parse_option(const struct command *self, struct arguments *a, int c)
{
	switch (c) {
	case OPT_EACH:
		a->each = true;
		return CLI_GO_ON;
	case OPT_ABSENT:
		a->absent = true;
		return CLI_GO_ON;
	case OPT_RAW:
		a->raw = true;
		return CLI_GO_ON;
	case OPT_VMA:
		a->vma = optarg;
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		int status = parse_option(self, a, c);

		if (status != CLI_GO_ON)
			return status;
	}
	if (optind + 1 < argc) {
		a->range = argv[optind + 1];
		if (optind + 2 < argc)
			return cli_usage(self, "pte: '%s' is one argument too many",
					 argv[optind + 2]);
		argc--;
	}
	if (a->range && a->vma)
		return cli_usage(self, "pte: a range and --vma exclude each other");
	return cli_only_pid(self, argc, argv, &a->pid);
}

static bool split_range(const char *text, struct range *r, bool *single)
{
	char *start = strdup(text);
	char *end = start ? strchr(start, '-') : NULL;
	bool good = start;

	*single = !end;
	if (end)
		*end++ = '\0';
	good = good && cli_parse_address(start, &r->start);
	if (end)
		good = good && cli_parse_address(end, &r->end);
	free(start);
	return good;
}

/* START-END, or the page that holds START. */
static int check_range(const struct mmlens_info *info, const char *text,
		       struct range *r)
{
	uint64_t page = 1ull << info->page_shift;
	bool single;

	if (!split_range(text, r, &single)) {
		cli_error("'%s' is neither START nor START-END in hexadecimal",
			  text);
		return CLI_USAGE;
	}
	if (single) {
		r->start &= ~(page - 1);
		r->end = r->start + page;
	}
	if ((r->start | r->end) & (page - 1))
		cli_error("%s: not a multiple of the page size (%llu bytes)",
			  text, (unsigned long long)page);
	else if (r->start >= info->task_size || r->end > info->task_size)
		cli_error("%s: above the user range, which ends at 0x%llx",
			  text, info->task_size);
	else if (r->end < r->start)
		cli_error("%s: the end is before the start", text);
	else if (r->end == r->start)
		cli_error("%s: the range is empty", text);
	else
		return CLI_OK;
	return CLI_USAGE;
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
		status = check_range(job->s.view.info, job->a->range, &r);
		if (status)
			return status;
	}
	if (add_range(job, r.start, r.end))
		return CLI_OK;
	return session_explain(&job->s, job->a->pid, -ENOMEM);
}

/* ---- the walk ---- */

static int show_entries(struct job *job, struct mmlens_entries *entries)
{
	struct mmlens_entry entry;
	int ret;

	while ((ret = mmlens_entries_next(entries, &entry)) > 0) {
		job->view->entry(&job->s.view, &entry, job->a->raw);
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
		job->view->run(&job->s.view, &run, job->a->raw);
		if (mmlens_state(run.flags) != MMLENS_STATE_NONE)
			job->shown += run.entries;
		session_progress(job->shown, run.start);
		if (job->s.view.error)
			return 0;
	}
	return ret;
}

static void add_stats(struct mmlens_stats *sum, const struct mmlens_stats *add)
{
	sum->records += add->records;
	sum->calls += add->calls;
	sum->restarts += add->restarts;
	sum->truncated |= add->truncated;
	if (add->max_hold_ns > sum->max_hold_ns)
		sum->max_hold_ns = add->max_hold_ns;
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
	entries = mmlens_entries_open(job->s.lens, &request);
	if (!entries)
		return -errno;
	if (!job->begun)
		job->view->begin(&job->s.view, job->a->pid, job->a->each,
				 job->a->raw);
	job->begun = true;
	ret = job->a->each ? show_entries(job, entries) :
			     show_runs(job, entries);
	add_stats(&job->stats, mmlens_entries_stats(entries));
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
	status = find_ranges(&job);
	if (!status)
		status = walk(&job);
	free(job.ranges);
	return session_close(&job.s, status);
}

static void legend(FILE *out)
{
	const struct mmlens_flag *f;

	fputs("\nFlags:\n", out);
	for (f = mmlens_pte_flags(); f->bit; f++)
		fprintf(out, "  %s  %-15s %s\n", f->brief, f->name, f->help);
	fputs("\nStates:", out);
	for (int i = MMLENS_STATE_PRESENT; i <= MMLENS_STATE_MARKER; i++)
		fprintf(out, " %s", mmlens_state_name(i));
	fputs(" other\n", out);
}

const struct command cmd_pte = {
	.name = "pte",
	.arguments = "[--each] [--absent] [--raw] [--vma NAME] [--json] PID [START[-END]]",
	.summary = "the page-table entries of a process",
	.help =
	"      --each       one line an entry; otherwise runs of like entries\n"
	"      --absent     empty ranges too\n"
	"      --raw        raw entries, their bits by the architecture's names\n"
	"      --vma NAME   only mappings of this name: [heap], [stack], a file\n"
	COMMON_HELP
	"\nAddresses are hexadecimal, with or without 0x; END is the address after\n"
	"the last; START alone is the page that holds it.\n",
	.legend = legend,
	.run = run,
};
