// SPDX-License-Identifier: GPL-2.0-only
/* mmlens diff: what changed between two captures, or two looks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "pace.h"

struct arguments {
	const char *files[2];
	int pid;		/* 0: whichever both have */
	double seconds;		/* of live looks */
	unsigned int count;	/* of comparisons; 0: no end */
	bool live;
	bool each;
	bool json;
};

struct job {
	const struct arguments *a;
	struct session s;
	const struct diff_view *view;
	struct diff_step step;
	const struct mmlens_diff_area *area;
	bool begun;
	bool opened;
};

enum { OPT_PID = OPT_OWN, OPT_EVERY, OPT_COUNT, OPT_EACH };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, OPT_PID },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "each", no_argument, NULL, OPT_EACH },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static bool parse_count(const char *text, unsigned int *count)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	*count = value;
	return *text >= '0' && *text <= '9' && !*end && value &&
	       value <= 1000000000;
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case OPT_PID:
		a->pid = cli_parse_pid(optarg);
		if (!a->pid)
			return cli_usage(self, "'%s' isn't a PID", optarg);
		return CLI_GO_ON;
	case OPT_EVERY:
		a->live = true;
		if (!pace_parse_seconds(optarg, &a->seconds))
			return cli_usage(self, "'%s' isn't a time of 0.01 s to a year",
					 optarg);
		return CLI_GO_ON;
	case OPT_COUNT:
		if (!parse_count(optarg, &a->count))
			return cli_usage(self, "'%s' isn't a number above 0",
					 optarg);
		return CLI_GO_ON;
	case OPT_EACH:
		a->each = true;
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse_files(const struct command *self, struct arguments *a,
		       int argc, char **argv)
{
	if (a->count)
		return cli_usage(self, "diff: --count needs --every");
	if (argc - optind < 2)
		return cli_usage(self, "diff: needs two captures, or --pid PID --every SECONDS");
	a->files[0] = argv[optind++];
	a->files[1] = argv[optind++];
	return cli_no_more(self, argc, argv);
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	if (cli_from)
		return cli_usage(self, "diff: takes captures as arguments, not with --from");
	if (!a->live)
		return parse_files(self, a, argc, argv);
	if (!a->pid)
		return cli_usage(self, "diff: --every needs --pid");
	return cli_no_more(self, argc, argv);
}

/* ---- a comparison ---- */

/* Not before both are known to be there. */
static void begin(struct job *job)
{
	if (!job->begun)
		job->view->begin(&job->s.view, &job->step);
	job->begun = true;
}

static int begin_area(const struct mmlens_diff_area *area, void *context)
{
	struct job *job = context;

	begin(job);
	job->area = area;
	job->opened = false;
	return 0;
}

static int show_change(const struct mmlens_diff_change *change, void *context)
{
	struct job *job = context;

	if (!job->opened)
		job->view->open(&job->s.view, job->area);
	job->opened = true;
	job->view->change(&job->s.view, change);
	return job->s.view.error ? 1 : 0;
}

static int end_area(const struct mmlens_diff_area *area, void *context)
{
	const struct diff_sums sums = diff_sums_of(area);
	struct job *job = context;

	diff_sums_add(&job->step.sums, &sums);
	if (diff_is_shown(area))
		job->view->close(&job->s.view, area, job->opened);
	return job->s.view.error ? 1 : 0;
}

static int compare(struct job *job, struct mmlens *before,
		   struct mmlens *after, int pid)
{
	const struct mmlens_diff_told told = {
		.begin = begin_area,
		.change = job->a->each ? show_change : NULL,
		.area = end_area,
	};
	int ret;

	job->step.pid = pid;
	job->step.sums = (struct diff_sums) {};
	job->begun = false;
	ret = mmlens_diff(before, after, pid, pid, &told, job);
	if (ret < 0 && !job->begun)
		return ret;
	begin(job);
	job->view->end(&job->s.view, &job->step);
	return ret < 0 ? ret : 0;
}

/* ---- two files ---- */

static struct mmlens *open_file(const char *path)
{
	char why[256];
	struct mmlens *lens = mmlens_capture_open(path, why, sizeof(why));

	if (!lens)
		cli_error("%s: %s", path, why);
	return lens;
}

/* The only process of both; CLI_GO_ON, or said what is wrong. */
static int find_pid(const struct arguments *a, struct mmlens *before,
		    struct mmlens *after, int *pid)
{
	struct mmlens *const lenses[] = { before, after };
	int pids[2];

	for (int i = 0; i < 2; i++) {
		const size_t count = mmlens_capture_pids(lenses[i], &pids[i], 1);

		if (count == 1)
			continue;
		cli_error(count ? "%s: has several processes (say which with --pid)" :
				  "%s: has no process (mmlens snap -o FILE PID)",
			  a->files[i]);
		return CLI_FAILED;
	}
	*pid = pids[0];
	if (pids[0] == pids[1])
		return CLI_GO_ON;
	cli_error("%s is of process %d, %s of process %d", a->files[0],
		  pids[0], a->files[1], pids[1]);
	return CLI_FAILED;
}

static int explain(const struct arguments *a, struct mmlens *before,
		   struct mmlens *after, int pid, int error)
{
	struct mmlens *const lenses[] = { before, after };

	if (!error)
		return CLI_OK;
	if (error == -EXDEV) {
		cli_error("%s and %s are of machines whose page tables aren't alike",
			  a->files[0], a->files[1]);
		return CLI_FAILED;
	}
	for (int i = 0; i < 2; i++) {
		const char *why = mmlens_capture_why(lenses[i]);

		if (!why)
			continue;
		cli_error("%s: %s", a->files[i], why);
		return CLI_FAILED;
	}
	if (error == -ESRCH) {
		cli_error("PID %d: isn't in both captures", pid);
		return CLI_MISSING;
	}
	cli_error("%s, %s: %s", a->files[0], a->files[1], strerror(-error));
	return CLI_FAILED;
}

static int compare_opened(struct job *job, struct mmlens *before,
			  struct mmlens *after)
{
	int pid = job->a->pid, ret;

	if (!pid) {
		ret = find_pid(job->a, before, after, &pid);
		if (ret != CLI_GO_ON)
			return ret;
	}
	session_of(&job->s, after, job->a->json);
	ret = compare(job, before, after, pid);
	return session_finish(&job->s, explain(job->a, before, after, pid, ret));
}

static int compare_files(struct job *job)
{
	struct mmlens *before = open_file(job->a->files[0]);
	struct mmlens *after = before ? open_file(job->a->files[1]) : NULL;
	int status = CLI_FAILED;

	if (after)
		status = compare_opened(job, before, after);
	mmlens_close(after);
	mmlens_close(before);
	return status;
}

/* ---- looks at a process ---- */

/* On a disk, as a rule: it may have as many entries as there is memory. */
static const char *directory(void)
{
	const char *named = getenv("TMPDIR");

	return named && *named ? named : "/var/tmp";
}

static struct mmlens *look(struct job *job)
{
	const struct mmlens_capture_request request = {
		.pids = &job->a->pid, .count = 1, .entries = true,
	};
	struct mmlens_capture_stats stats;

	return mmlens_capture_now(job->s.lens, directory(), &request, &stats);
}

static int explain_look(const struct job *job, int error)
{
	switch (error) {
	case -ENOSPC:
	case -ENOENT:
	case -EACCES:
	case -EROFS:
		return session_explain_of(&job->s, directory(), error);
	default:
		return session_explain(&job->s, job->a->pid, error);
	}
}

/* One comparison; the later look becomes the earlier. */
static int step(struct job *job, struct mmlens **before, double *begun)
{
	struct mmlens *after = look(job);
	int ret;

	if (!after)
		return -errno;
	job->step.number++;
	job->step.seconds = pace_now() - *begun;
	*begun = pace_now();
	ret = compare(job, *before, after, job->a->pid);
	mmlens_close(*before);
	*before = after;
	return ret;
}

static int compare_looks(struct job *job)
{
	struct mmlens *before = look(job);
	double begun = pace_now();
	int ret = before ? 0 : -errno;
	struct pace pace;

	pace_begin(&pace, job->a->seconds);
	while (!ret && !job->s.view.error &&
	       (!job->a->count || job->step.number < job->a->count)) {
		pace_next(&pace);
		if (pace_wait(&pace, -1) != PACE_DUE)
			break;
		ret = step(job, &before, &begun);
	}
	pace_end(&pace);
	mmlens_close(before);
	return explain_look(job, ret);
}

static int run_live(struct job *job)
{
	int status = session_open(&job->s, MMLENS_NR_PTES, job->a->json);

	if (status != CLI_GO_ON)
		return status;
	return session_close(&job->s, compare_looks(job));
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct job job = { .a = &a };
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	job.view = a.json ? &diff_json : &diff_text;
	return a.live ? run_live(&job) : compare_files(&job);
}

static void legend(FILE *out)
{
	const struct mmlens_flag *f;

	fputs("\nWhat became of pages:\n", out);
	for (f = mmlens_diff_flags(); f->bit; f++)
		fprintf(out, "  %-16s %s\n", f->name, f->help);
}

const struct command cmd_diff = {
	.name = "diff",
	.arguments = "[--pid PID] [--each] [--json] FILE FILE\n"
		     "       mmlens diff --pid PID --every SECONDS [--count N] [--each] [--json]",
	.summary = "what changed in a process between two captures, or two looks",
	.help =
	"      --pid PID    the process, where captures have several\n"
	"      --every SECONDS  look at a running process, again and again\n"
	"      --count N    as many comparisons; otherwise until interrupted\n"
	"      --each       the entries, too\n"
	COMMON_HELP,
	.legend = legend,
	.run = run,
};
