// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmlens ps: every process, and what they amount to by mapping and by user.
 *
 * All processes come from one walk: nothing is read from /proc for each.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct arguments {
	enum ps_kind kind;
	struct ps_options view;
	const char *sort;
	const struct ps_column *by;
	bool reverse;
	bool all;
	bool command_line;
	bool numeric;
	bool json;
	int count;
	char **pids;
};

/**
 * struct wanted - A PID that was asked for.
 * @pid:	as it was given
 * @tgid:	of its process
 * @found:	the walk met it
 */
struct wanted {
	int pid;
	int tgid;
	bool found;
};

struct job {
	const struct arguments *a;
	struct session s;
	struct users users;
	struct wanted *wanted;
	struct ps_table processes;
	struct ps_table table;		/* of -m, -u or -w */
	void *index;			/* tsearch(3) of the table's rows */
	struct mmlens_stats stats;
};

static const struct option long_options[] = {
	{ "sort", required_argument, NULL, 's' },
	{ "reverse", no_argument, NULL, 'r' },
	{ "mappings", no_argument, NULL, 'm' },
	{ "users", no_argument, NULL, 'u' },
	{ "system", no_argument, NULL, 'w' },
	{ "all", no_argument, NULL, 'a' },
	{ "command-line", no_argument, NULL, 'c' },
	{ "totals", no_argument, NULL, 't' },
	{ "no-header", no_argument, NULL, 'H' },
	{ "abbreviate", no_argument, NULL, 'k' },
	{ "percent", no_argument, NULL, 'p' },
	{ "numeric", no_argument, NULL, 'n' },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static int set_kind(const struct command *self, struct arguments *a,
		    enum ps_kind kind)
{
	if (a->kind != PS_PROCESSES && a->kind != kind)
		return cli_usage(self, "-m, -u and -w exclude each other");
	a->kind = kind;
	return CLI_GO_ON;
}

static int set_units(const struct command *self, struct arguments *a,
		     enum ps_units units)
{
	if (a->view.units != PS_KB && a->view.units != units)
		return cli_usage(self, "-k and -p exclude each other");
	a->view.units = units;
	return CLI_GO_ON;
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'm':
		return set_kind(self, a, PS_MAPPINGS);
	case 'u':
		return set_kind(self, a, PS_USERS);
	case 'w':
		return set_kind(self, a, PS_SYSTEM);
	case 'k':
		return set_units(self, a, PS_SUFFIX);
	case 'p':
		return set_units(self, a, PS_PERCENT);
	case 's':
		a->sort = optarg;
		break;
	case 'r':
		a->reverse = true;
		break;
	case 'a':
		a->all = true;
		break;
	case 'c':
		a->command_line = true;
		break;
	case 't':
		a->view.totals = true;
		break;
	case 'H':
		a->view.no_header = true;
		break;
	case 'n':
		a->numeric = true;
		break;
	default:
		return cli_common_option(self, c, &a->json);
	}
	return CLI_GO_ON;
}

static int parse_sort(const struct command *self, struct arguments *a)
{
	char *names;
	int status;

	a->by = a->sort ? ps_find_column(a->kind, a->sort) :
			  ps_default_column(a->kind);
	if (a->by)
		return CLI_GO_ON;
	names = ps_column_names(a->kind);
	status = cli_usage(self, "no column is named '%s'; there are: %s",
			   a->sort, names ? names : "");
	free(names);
	return status;
}

static int parse_pids(const struct command *self, struct arguments *a)
{
	if (a->count && a->kind == PS_SYSTEM)
		return cli_usage(self, "ps: -w is of the whole machine and takes no PID");
	for (int i = 0; i < a->count; i++)
		if (!cli_parse_pid(a->pids[i]))
			return cli_usage(self, "'%s' isn't a PID", a->pids[i]);
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "s:rmuwactHkpnh",
				   long_options, parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	a->pids = argv + optind;
	a->count = argc - optind;
	if (a->command_line && a->kind != PS_PROCESSES)
		return cli_usage(self, "-c goes with none of -m, -u and -w");
	status = parse_sort(self, a);
	return status == CLI_GO_ON ? parse_pids(self, a) : status;
}

/* ---- rows ---- */

static struct ps_row *add_row(struct ps_table *table, const char *label,
			      size_t length)
{
	/* Grown to each power of two. */
	bool full = !(table->count & (table->count - 1));
	struct ps_row *row = calloc(1, sizeof(*row));
	struct ps_row **grown = table->rows;

	if (row)
		row->label = calloc(1, length + 1);
	if (row && row->label && full)
		grown = reallocarray(table->rows,
				     table->count ? 2 * table->count : 1,
				     sizeof(*grown));
	if (!row || !row->label || !grown) {
		free(row ? row->label : NULL);
		free(row);
		return NULL;
	}
	memcpy(row->label, label, length);
	row->length = length;
	table->rows = grown;
	grown[table->count++] = row;
	return row;
}

static void free_table(struct ps_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		free(table->rows[i]->label);
		free(table->rows[i]);
	}
	free(table->rows);
}

/* As smem: what the pages of hugetlb take is in none of them. */
static void add_smaps(struct ps_row *row, const struct mmlens_smaps *smaps)
{
	row->rss += smaps->rss;
	row->pss += smaps->pss >> 12;
	row->uss += smaps->private_clean + smaps->private_dirty;
	row->swap += smaps->swap;
}

static int add_process(struct job *job, const struct mmlens_process_sums *sums)
{
	const struct mmlens_proc *proc = sums->proc;
	struct ps_row *row = add_row(&job->processes, proc->comm,
				     strlen(proc->comm));

	if (!row)
		return -ENOMEM;
	row->pid = proc->pid;
	row->ppid = proc->ppid;
	row->uid = proc->uid;
	row->user = users_name(&job->users, proc->uid);
	row->threads = proc->threads;
	row->flags = proc->flags;
	memcpy(row->comm, proc->comm, sizeof(row->comm));
	row->vss = proc->vsize;
	row->tables = proc->tables;
	if (sums->smaps)
		add_smaps(row, sums->smaps);
	return 0;
}

/* ---- which processes ---- */

/* A thread stands for its process. */
static int find_wanted(struct job *job)
{
	job->wanted = calloc(job->a->count + 1, sizeof(*job->wanted));
	if (!job->wanted)
		return -ENOMEM;
	for (int i = 0; i < job->a->count; i++) {
		struct wanted *w = &job->wanted[i];
		struct mmlens_process process;

		w->pid = cli_parse_pid(job->a->pids[i]);
		w->tgid = w->pid;
		if (!mmlens_process_read(w->pid, &process))
			w->tgid = process.tgid;
	}
	return 0;
}

static bool is_wanted(struct job *job, const struct mmlens_proc *proc)
{
	bool wanted = false;

	if (!job->a->count)
		return job->a->all || !(proc->flags & MMLENS_PROC_NO_MM);
	for (int i = 0; i < job->a->count; i++) {
		if (job->wanted[i].tgid != proc->pid)
			continue;
		job->wanted[i].found = true;
		wanted = true;
	}
	return wanted;
}

static int explain_missing(struct job *job)
{
	int status = CLI_OK;

	for (int i = 0; i < job->a->count; i++)
		if (!job->wanted[i].found)
			status = session_explain(&job->s, job->wanted[i].pid,
						 -ESRCH);
	return status;
}

static int walk_processes(struct job *job, struct mmlens_procs *procs)
{
	const struct mmlens_process_sums *sums;
	int ret;

	while ((ret = mmlens_procs_next(procs, &sums)) > 0) {
		if (!is_wanted(job, sums->proc))
			continue;
		ret = add_process(job, sums);
		if (ret)
			break;
	}
	return ret;
}

static int list_processes(struct job *job, unsigned int flags)
{
	struct mmlens_procs *procs = mmlens_procs_open(job->s.lens, flags);
	int ret;

	if (!procs)
		return -errno;
	ret = walk_processes(job, procs);
	mmlens_stats_add(&job->stats, mmlens_procs_stats(procs));
	mmlens_procs_close(procs);
	return ret;
}

static bool has_gone(int error)
{
	return error == -ESRCH || error == -ENXIO || error == -ESTALE;
}

/* A few processes of many are summed up one by one. */
static int sum_up_each(struct job *job)
{
	struct mmlens_smaps smaps;

	for (size_t i = 0; i < job->processes.count; i++) {
		struct ps_row *row = job->processes.rows[i];
		int ret;

		if (row->flags & MMLENS_PROC_NO_MM)
			continue;
		ret = mmlens_process_sum(job->s.lens, row->pid, &smaps);
		if (!ret)
			add_smaps(row, &smaps);
		else if (has_gone(ret))
			row->flags |= MMLENS_PROC_RACED;
		else
			return ret;
	}
	return 0;
}

static int take_command_lines(struct job *job)
{
	for (size_t i = 0; i < job->processes.count; i++) {
		struct ps_row *row = job->processes.rows[i];
		size_t length;
		char *text;

		if (row->flags & MMLENS_PROC_NO_MM)
			continue;
		text = mmlens_process_cmdline(row->pid, &length);
		if (!text)
			continue;	/* its name has to do */
		free(row->label);
		row->label = text;
		row->length = length;
	}
	return 0;
}

/* ---- by mapping ---- */

static int compare_labels(const void *left, const void *right)
{
	const struct ps_row *a = left, *b = right;
	size_t length = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->label, b->label, length);

	if (order)
		return order;
	return (a->length > b->length) - (a->length < b->length);
}

static struct ps_row *row_of_name(struct job *job, const char *name,
				  size_t length)
{
	struct ps_row key = { .label = (char *)name, .length = length };
	struct ps_row *row, **found;

	found = tfind(&key, &job->index, compare_labels);
	if (found)
		return *found;
	row = add_row(&job->table, name, length);
	if (row && !tsearch(row, &job->index, compare_labels))
		return NULL;	/* the table still has it */
	return row;
}

static const char anonymous[] = "<anonymous>";

static int add_mapping(struct job *job, uint64_t pid,
		       const struct mmlens_area *area)
{
	struct ps_row *row;

	if (area->name_length)
		row = row_of_name(job, area->name, area->name_length);
	else
		row = row_of_name(job, anonymous, strlen(anonymous));
	if (!row)
		return -ENOMEM;
	row->count++;
	row->pids += row->pid != pid;
	row->pid = pid;		/* of the process that had it last */
	row->vss += area->vma->end - area->vma->start;
	add_smaps(row, area->smaps);
	return 0;
}

static int walk_mappings(struct job *job, uint64_t pid,
			 struct mmlens_areas *areas)
{
	const struct mmlens_area *area;
	int ret;

	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		ret = add_mapping(job, pid, area);
		if (ret)
			break;
	}
	return ret;
}

static int add_mappings(struct job *job, uint64_t pid)
{
	struct mmlens_request request = { .pid = (int)pid };
	struct mmlens_areas *areas;
	int ret;

	areas = mmlens_areas_open(job->s.lens, &request, MMLENS_AREAS_SMAPS);
	if (!areas)
		return -errno;
	ret = walk_mappings(job, pid, areas);
	mmlens_stats_add(&job->stats, mmlens_areas_stats(areas));
	mmlens_areas_close(areas);
	return ret;
}

static int by_mapping(struct job *job)
{
	for (size_t i = 0; i < job->processes.count; i++) {
		struct ps_row *row = job->processes.rows[i];
		int ret;

		if (row->flags & MMLENS_PROC_NO_MM)
			continue;
		ret = add_mappings(job, row->pid);
		if (has_gone(ret))
			row->flags |= MMLENS_PROC_RACED;
		else if (ret)
			return ret;
	}
	/* That of one process is of no use to anybody else. */
	for (size_t i = 0; i < job->table.count; i++) {
		struct ps_row *row = job->table.rows[i];

		row->pid = 0;
		row->avgpss = row->pss / row->pids;
	}
	return 0;
}

/* ---- by user ---- */

static struct ps_row *row_of_user(struct job *job, const struct ps_row *from)
{
	struct ps_table *table = &job->table;
	struct ps_row *row;

	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i]->uid == from->uid)
			return table->rows[i];
	row = add_row(table, "", 0);
	if (row) {
		row->uid = from->uid;
		row->user = from->user;
	}
	return row;
}

static int by_user(struct job *job)
{
	for (size_t i = 0; i < job->processes.count; i++) {
		const struct ps_row *from = job->processes.rows[i];
		struct ps_row *row;

		if (from->flags & MMLENS_PROC_RACED)
			continue;
		row = row_of_user(job, from);
		if (!row)
			return -ENOMEM;
		row->count++;
		row->vss += from->vss;
		row->rss += from->rss;
		row->pss += from->pss;
		row->uss += from->uss;
		row->swap += from->swap;
		row->tables += from->tables;
	}
	return 0;
}

/* ---- the machine ---- */

static int add_area(struct ps_table *table, const char *name, uint64_t used,
		    uint64_t cache)
{
	struct ps_row *row = add_row(table, name, strlen(name));

	if (!row)
		return -ENOMEM;
	row->order = table->count;
	row->used = used;
	/* The kernel's numbers are of different moments. */
	row->cache = cache < used ? cache : used;
	row->noncache = used - row->cache;
	return 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* As smem -w, without what it has to be told. */
static int the_machine(struct job *job, const struct mmlens_meminfo *m)
{
	uint64_t user = m->anon + m->mapped;
	uint64_t cache = m->buffers + m->sreclaimable +
			 less(m->cached, m->mapped);
	struct ps_table *table = &job->table;
	int ret;

	ret = add_area(table, "kernel dynamic memory",
		       less(m->total, m->free + user), cache);
	if (!ret)
		ret = add_area(table, "userspace memory", user, m->mapped);
	if (!ret)
		ret = add_area(table, "free memory", m->free, m->free);
	return ret;
}

/* ---- all of it ---- */

static int gather(struct job *job, const struct mmlens_meminfo *meminfo)
{
	enum ps_kind kind = job->a->kind;
	bool each = job->a->count && kind != PS_MAPPINGS;
	int ret;

	if (kind == PS_SYSTEM)
		return the_machine(job, meminfo);
	ret = find_wanted(job);
	if (!ret)
		ret = list_processes(job, each || kind == PS_MAPPINGS ?
					  0 : MMLENS_PROCS_SMAPS);
	if (!ret && each)
		ret = sum_up_each(job);
	if (!ret && job->a->command_line)
		ret = take_command_lines(job);
	if (!ret && kind == PS_MAPPINGS)
		ret = by_mapping(job);
	if (!ret && kind == PS_USERS)
		ret = by_user(job);
	return ret;
}

/* Where the view doesn't say so itself. */
static void tell_raced(const struct job *job)
{
	unsigned int raced = 0;

	for (size_t i = 0; i < job->processes.count; i++)
		raced += !!(job->processes.rows[i]->flags & MMLENS_PROC_RACED);
	if (!raced)
		return;
	if (job->a->kind != PS_PROCESSES || job->a->view.totals)
		cli_error("%u process%s ended or executed another program during the walk: not all of %s memory is in the sums",
			  raced, raced > 1 ? "es" : "",
			  raced > 1 ? "their" : "its");
}

static void show(struct job *job)
{
	bool processes = job->a->kind == PS_PROCESSES;
	struct ps_table *table = processes ? &job->processes : &job->table;

	table->kind = job->a->kind;
	table->command_line = job->a->command_line;
	ps_sort(table, job->a->by, job->a->reverse);
	if (job->a->json)
		ps_json(&job->s.view, table,
			job->a->kind == PS_SYSTEM ? NULL : &job->stats);
	else
		ps_text(&job->s.view, table, &job->a->view);
	tell_raced(job);
}

static int gather_and_show(struct job *job, struct arguments *a)
{
	struct mmlens_meminfo meminfo;
	int ret;

	ret = mmlens_meminfo_read(&meminfo);
	if (ret) {
		cli_error("/proc/meminfo: %s", strerror(-ret));
		return CLI_FAILED;
	}
	a->view.memory = meminfo.total;
	a->view.swap = meminfo.swap_total;
	ret = gather(job, &meminfo);
	if (ret)
		return session_explain(&job->s, 0, ret);
	show(job);
	return job->wanted ? explain_missing(job) : CLI_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct job job = { .a = &a };
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&job.s, a.kind == PS_SYSTEM ? MMLENS_NR_INFO :
						  MMLENS_NR_PROCS, a.json);
	if (status != CLI_GO_ON)
		return status;
	job.users.numeric = a.numeric;
	status = gather_and_show(&job, &a);
	while (job.index)
		tdelete(*(void **)job.index, &job.index, compare_labels);
	free_table(&job.processes);
	free_table(&job.table);
	users_free(&job.users);
	free(job.wanted);
	return session_close(&job.s, status);
}

const struct command cmd_ps = {
	.name = "ps",
	.arguments = "[-m|-u|-w] [-a] [-c] [-s COLUMN] [-r] [-t] [-H] [-k|-p] [-n] [--json] [PID...]",
	.summary = "the memory of every process, or by mapping, by user, of the machine",
	.help =
	"  -m, --mappings      sums by name of mapping\n"
	"  -u, --users         sums by user\n"
	"  -w, --system        what the machine's memory is used for\n"
	"  -a, --all           kernel threads and zombies too\n"
	"  -c, --command-line  command lines, not names; reading a command line\n"
	"                      marks a page of the process as referenced\n"
	"  -s, --sort=COLUMN   pid, user, command, name, vss, rss, pss, uss, swap,\n"
	"                      tables; lowest first; pss unless told otherwise\n"
	"  -r, --reverse       highest first\n"
	"  -t, --totals        sums behind the last line\n"
	"  -H, --no-header     no headings\n"
	"  -k, --abbreviate    sizes with a unit; otherwise kB\n"
	"  -p, --percent       sizes as a share of the memory (of the swap space)\n"
	"  -n, --numeric       numbers of users, not names\n"
	COMMON_HELP
	"\nExit status 42: some PID is missing.\n",
	.run = run,
};
