// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmlens tables: the page-table pages of processes.
 *
 * A process can have tens of millions of them: they are summed up, or shown,
 * as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define RANGES_DEFAULT	10
#define RANGES_MOST	10000

struct arguments {
	bool json;
	bool all;
	bool each;
	bool ranges_given;
	size_t ranges;
	int count;
	char **pids;
};

struct job {
	const struct arguments *a;
	struct session s;
	const struct tables_view *view;
	struct occupancy_range *top;
	struct occupancy occupancy;
	struct tables_process *processes;	/* of --all */
	size_t count;
	uint64_t shown;
	struct mmlens_stats stats;		/* of --all */
};

enum {
	OPT_ALL = OPT_OWN,
	OPT_EACH,
	OPT_RANGES,
};

static const struct option long_options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "each", no_argument, NULL, OPT_EACH },
	{ "ranges", required_argument, NULL, OPT_RANGES },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static bool parse_count(const char *text, size_t *count)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*count = strtoul(text, &end, 10);
	return !errno && !*end && *count <= RANGES_MOST;
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case OPT_ALL:
		a->all = true;
		return CLI_GO_ON;
	case OPT_EACH:
		a->each = true;
		return CLI_GO_ON;
	case OPT_RANGES:
		a->ranges_given = true;
		if (!parse_count(optarg, &a->ranges))
			return cli_usage(self, "--ranges takes a number up to %d",
					 RANGES_MOST);
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int check(const struct command *self, const struct arguments *a)
{
	if (a->all && a->count)
		return cli_usage(self, "tables: --all takes no PID");
	if (a->all && (a->each || a->ranges_given))
		return cli_usage(self, "tables: --each and --ranges are of a PID, not of --all");
	if (!a->all && !a->count)
		return cli_usage(self, "tables: no PID given (--all for every process)");
	for (int i = 0; i < a->count; i++)
		if (!cli_parse_pid(a->pids[i]))
			return cli_usage(self, "'%s' isn't a PID", a->pids[i]);
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	a->pids = argv + optind;
	a->count = argc - optind;
	return check(self, a);
}

/* ---- one process ---- */

static int walk(struct job *job, struct mmlens_tables *tables)
{
	const struct mmlens_table *table;
	int ret;

	while ((ret = mmlens_tables_next(tables, &table)) > 0) {
		occupancy_add(&job->occupancy, table);
		if (job->a->each)
			job->view->table(&job->s.view, table);
		session_progress(++job->shown, table->va);
		if (job->s.view.error)
			return 0;
	}
	return ret;
}

static struct mmlens_tables *begin_walk(struct job *job, int pid)
{
	struct mmlens_request request = { .pid = pid };

	occupancy_begin(&job->occupancy, job->s.view.info, job->top,
			job->top ? job->a->ranges : 0);
	return mmlens_tables_open(job->s.lens, &request);
}

static int show(struct job *job, int pid)
{
	struct mmlens_tables *tables = begin_walk(job, pid);
	struct mmlens_process process;
	int ret;

	if (!tables)
		return session_explain(&job->s, pid, -errno);
	/* Without a name there is still its memory to be shown. */
	mmlens_process_read(pid, &process);
	job->view->begin(&job->s.view, &process, job->a->each);
	ret = walk(job, tables);
	session_progress_end();
	occupancy_finish(&job->occupancy);
	job->view->summary(&job->s.view, &job->occupancy, job->a->each,
			   mmlens_tables_stats(tables));
	mmlens_tables_close(tables);
	return session_explain(&job->s, pid, ret);
}

static int show_each(struct job *job)
{
	int status = CLI_OK;

	job->view->document(&job->s.view);
	for (int i = 0; i < job->a->count && !job->s.view.error; i++) {
		if (i && !job->a->json)
			putc('\n', job->s.view.out);
		status = cli_worse(status,
				   show(job, cli_parse_pid(job->a->pids[i])));
	}
	job->view->finish(&job->s.view);
	return status;
}

/* ---- all processes ---- */

static int add_process(struct job *job, const struct mmlens_proc *proc)
{
	struct tables_process *grown;

	grown = reallocarray(job->processes, job->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	job->processes = grown;
	grown[job->count] = (struct tables_process) { .pid = proc->pid };
	memcpy(grown[job->count].comm, proc->comm, sizeof(proc->comm));
	job->count++;
	return 0;
}

static int list_processes(struct job *job)
{
	struct mmlens_procs *procs = mmlens_procs_open(job->s.lens, 0);
	const struct mmlens_process_sums *sums;
	int ret;

	if (!procs)
		return -errno;
	while ((ret = mmlens_procs_next(procs, &sums)) > 0) {
		if (sums->proc->flags & MMLENS_PROC_NO_MM)
			continue;
		ret = add_process(job, sums->proc);
		if (ret)
			break;
	}
	mmlens_stats_add(&job->stats, mmlens_procs_stats(procs));
	mmlens_procs_close(procs);
	return ret;
}

static int sum_up(struct job *job, struct tables_process *process)
{
	struct mmlens_tables *tables = begin_walk(job, process->pid);
	int ret;

	if (!tables)
		return -errno;
	ret = walk(job, tables);
	if (!ret) {
		mmlens_stats_add(&job->stats, mmlens_tables_stats(tables));
		occupancy_sum(&job->occupancy, &process->sum);
	}
	mmlens_tables_close(tables);
	return ret;
}

/* Those that have gone meanwhile have no page tables any more. */
static int sum_up_all(struct job *job)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->count; i++) {
		int ret = sum_up(job, &job->processes[i]);

		if (ret == -ESRCH || ret == -ENXIO || ret == -ESTALE)
			continue;
		if (ret)
			return ret;
		job->processes[kept++] = job->processes[i];
	}
	job->count = kept;
	return 0;
}

static int most_wasted_first(const void *left, const void *right)
{
	const struct tables_process *a = left, *b = right;

	if (a->sum.wasted != b->sum.wasted)
		return a->sum.wasted < b->sum.wasted ? 1 : -1;
	if (a->sum.bytes != b->sum.bytes)
		return a->sum.bytes < b->sum.bytes ? 1 : -1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int show_all(struct job *job)
{
	int ret = list_processes(job);

	if (!ret)
		ret = sum_up_all(job);
	session_progress_end();
	if (ret)
		return session_explain(&job->s, 0, ret);
	if (job->count)
		qsort(job->processes, job->count, sizeof(*job->processes),
		      most_wasted_first);
	job->view->document(&job->s.view);
	job->view->all(&job->s.view, job->processes, job->count, &job->stats);
	return CLI_OK;
}

/* ---- */

static int open_all(struct job *job)
{
	int status = session_open(&job->s, MMLENS_NR_TABLES, job->a->json);

	if (status != CLI_GO_ON)
		return status;
	job->view = job->a->json ? &tables_json : &tables_text;
	if (job->a->all || !job->a->ranges)
		return CLI_GO_ON;
	job->top = calloc(job->a->ranges, sizeof(*job->top));
	if (job->top)
		return CLI_GO_ON;
	status = session_explain(&job->s, 0, -ENOMEM);
	return session_close(&job->s, status);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .ranges = RANGES_DEFAULT };
	struct job *job;
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	job = calloc(1, sizeof(*job));
	if (!job) {
		cli_error("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	job->a = &a;
	status = open_all(job);
	if (status == CLI_GO_ON) {
		status = a.all ? show_all(job) : show_each(job);
		status = session_close(&job->s, status);
	}
	free(job->processes);
	free(job->top);
	free(job);
	return status;
}

const struct command cmd_tables = {
	.name = "tables",
	.arguments = "[--each] [--ranges N] [--json] PID... | --all [--json]",
	.summary = "page-table pages: how many, how full, where the emptiest are",
	.help =
	"      --all        every process, those that waste most first\n"
	"      --each       one line a page-table page\n"
	"      --ranges N   how many of the emptiest ranges; 10 unless told\n"
	COMMON_HELP
	"\nWasted is what the same entries, level by level in full tables, wouldn't\n"
	"need.  Tables deposited behind huge pages are a reserve and not wasted.\n"
	"Exit status 42: some PID is missing.\n",
	.run = run,
};
