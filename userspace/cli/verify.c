// SPDX-License-Identifier: GPL-2.0-only
/* mmlens verify: what the module says against all that the kernel says. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

static const struct verify_check *const families[] = {
	verify_files, verify_entries, verify_frames, verify_processes,
	verify_zones, verify_lists, verify_kernel,
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- arguments ---- */

enum {
	OPT_OTHERS = OPT_OWN,
	OPT_SAMPLES,
	OPT_ALL,
	OPT_QUICK,
	OPT_MOST,
	OPT_LIST,
};

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "others", required_argument, NULL, OPT_OTHERS },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "quick", no_argument, NULL, OPT_QUICK },
	{ "most", required_argument, NULL, OPT_MOST },
	{ "list", no_argument, NULL, OPT_LIST },
	COMMON_OPTIONS
};

struct arguments {
	struct verify_options o;
	int *pids;
	char **names;		/* of checks; none: all */
	int name_count;
	bool list;
	bool json;
};

static int add_pid(const struct command *self, struct arguments *a,
		   const char *text)
{
	const int pid = cli_parse_pid(text);
	int *grown;

	if (!pid)
		return cli_usage(self, "'%s' isn't a PID", text);
	grown = reallocarray(a->pids, a->o.pid_count + 1, sizeof(*grown));
	if (!grown) {
		cli_error("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	a->pids = grown;
	grown[a->o.pid_count++] = pid;
	a->o.pids = grown;
	return CLI_GO_ON;
}

static int parse_amount(const struct command *self, const char *text,
			unsigned int least, unsigned int *value)
{
	if (cli_parse_number(text, 1000000, value) && *value >= least)
		return CLI_GO_ON;
	return cli_usage(self, "'%s' isn't a number from %u to 1000000", text,
			 least);
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'p':
		return add_pid(self, a, optarg);
	case OPT_OTHERS:
		return parse_amount(self, optarg, 0, &a->o.others);
	case OPT_SAMPLES:
		return parse_amount(self, optarg, 1, &a->o.samples);
	case OPT_MOST:
		return parse_amount(self, optarg, 0, &a->o.most);
	case OPT_ALL:
		a->o.all = true;
		return CLI_GO_ON;
	case OPT_QUICK:
		a->o.others = 0;
		a->o.samples = 4;
		return CLI_GO_ON;
	case OPT_LIST:
		a->list = true;
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static const struct verify_check *find_check(const char *name)
{
	for (size_t i = 0; i < FAMILIES; i++)
		for (const struct verify_check *c = families[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "p:h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	a->names = argv + optind;
	a->name_count = argc - optind;
	for (int i = 0; i < a->name_count; i++)
		if (!find_check(a->names[i]))
			return cli_usage(self, "'%s' isn't a check (mmlens verify --list)",
					 a->names[i]);
	return cli_no_from(self);
}

static bool is_wanted(const struct arguments *a, const char *name)
{
	for (int i = 0; i < a->name_count; i++)
		if (!strcmp(a->names[i], name))
			return true;
	return !a->name_count;
}

/* ---- whom to look at ---- */

static int add_target(struct verify *v, int pid, const char *comm)
{
	struct verify_target *grown =
		reallocarray(v->targets, v->target_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	v->targets = grown;
	grown[v->target_count].pid = pid;
	snprintf(grown[v->target_count].comm, sizeof(grown->comm), "%.15s",
		 comm);
	v->target_count++;
	return 0;
}

/* With the most memory first. */
static int by_size(const void *a, const void *b)
{
	const struct mmlens_proc *one = a, *other = b;
	const uint64_t x = one->rss_anon + one->rss_file;
	const uint64_t y = other->rss_anon + other->rss_file;

	return x > y ? -1 : x < y;
}

static int add_others(struct verify *v)
{
	struct commands all = {};
	size_t most = v->o->all ? SIZE_MAX : v->o->others;
	int ret = commands_read(&all, v->lens);

	if (all.count)
		qsort(all.procs, all.count, sizeof(*all.procs), by_size);
	for (size_t i = 0; i < all.count && most && !ret; i++) {
		const struct mmlens_proc *proc = &all.procs[i];

		if (proc->flags & (MMLENS_PROC_NO_MM | MMLENS_PROC_KTHREAD) ||
		    proc->pid == getpid() || proc->pid == v->child.pid)
			continue;
		ret = add_target(v, proc->pid, proc->comm);
		most--;
	}
	commands_free(&all);
	return ret;
}

/* Return: exit status; some PID may be missing. */
static int add_named(struct verify *v, const struct session *s)
{
	for (size_t i = 0; i < v->o->pid_count; i++) {
		struct mmlens_process process;
		int ret = mmlens_process_read(v->o->pids[i], &process);

		if (!ret && (process.kernel_thread || process.state == 'Z'))
			ret = -ENXIO;
		if (!ret)
			ret = add_target(v, v->o->pids[i], process.comm);
		if (ret)
			return session_explain(s, v->o->pids[i], ret);
	}
	return CLI_GO_ON;
}

static int find_targets(struct verify *v, const struct session *s)
{
	int ret;

	if (v->o->pid_count)
		return add_named(v, s);
	ret = add_target(v, getpid(), "mmlens");
	if (!ret && v->child.pid)
		ret = add_target(v, v->child.pid, "mmlens-child");
	if (!ret)
		ret = add_others(v);
	return ret ? session_explain(s, 0, ret) : CLI_GO_ON;
}

/* ---- checks ---- */

/* Those that have gone meanwhile are no matter. */
static int run_targets(struct verify *v, const struct verify_check *check)
{
	struct verify_result *r = v->result;
	int ret = 0;

	for (size_t i = 0; i < v->target_count && !r->skipped; i++) {
		ret = check->process(v, &v->targets[i]);
		if (ret == -ESRCH || ret == -ENXIO)
			continue;
		/* A security module may keep it from root. */
		if (ret == -EACCES || ret == -EPERM) {
			r->refused++;
			continue;
		}
		if (ret)
			return ret;
		r->processes++;
	}
	return 0;
}

static void run_check(struct verify *v, const struct verify_check *check,
		      struct verify_result *r)
{
	int ret;

	*r = (struct verify_result) {
		.name = check->name, .oracle = check->oracle,
	};
	v->result = r;
	if (!mmlens_has_query(v->lens, check->nr)) {
		verify_skip(v, "the module doesn't answer that query here");
		return;
	}
	ret = check->run ? check->run(v) : run_targets(v, check);
	if (ret)
		r->error = -ret;
}

static void free_result(struct verify_result *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->shown[i].key);
		free(r->shown[i].kernel);
		free(r->shown[i].ours);
	}
	free(r->shown);
	free(r->skipped);
}

static void add_up(struct verify_summary *sum, const struct verify_result *r)
{
	sum->checks++;
	sum->compared += r->compared;
	sum->mismatches += r->mismatches;
	sum->skipped += !!r->skipped;
	sum->failed += !!r->error;
}

static int run_checks(struct session *s, struct verify *v,
		      const struct arguments *a)
{
	const struct verify_view *view = a->json ? &verify_json : &verify_text;
	struct verify_summary sum = {};
	struct verify_result r;

	view->begin(&s->view);
	for (size_t i = 0; i < FAMILIES; i++) {
		for (const struct verify_check *c = families[i]; c->name; c++) {
			if (!is_wanted(a, c->name) || s->view.error)
				continue;
			run_check(v, c, &r);
			view->result(&s->view, &r);
			add_up(&sum, &r);
			free_result(&r);
		}
	}
	view->end(&s->view, &sum);
	return sum.mismatches || sum.failed ? CLI_FAILED : CLI_OK;
}

/*
 * The reader looks at itself, too: what it takes of memory it keeps, so that
 * what it sees stands still while it looks again.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 4 << 20);
}

static int run_all(struct session *s, const struct arguments *a)
{
	struct verify v = { .lens = s->lens, .info = s->view.info, .o = &a->o };
	int ret = verify_child_start(&v.child), status;

	if (ret)
		cli_error("child: %s (goes on without)", strerror(-ret));
	status = find_targets(&v, s);
	if (status == CLI_GO_ON)
		status = run_checks(s, &v, a);
	verify_child_end(&v.child);
	free(v.targets);
	return status;
}

/* ---- the list of checks ---- */

static int list_checks(const struct arguments *a)
{
	struct view view = { .out = stdout };
	static const struct mmlens_info no_info = { .page_shift = 12 };

	view.info = &no_info;
	for (size_t i = 0; i < FAMILIES; i++)
		for (const struct verify_check *c = families[i]; c->name; c++)
			if (is_wanted(a, c->name))
				verify_list_text(&view, c->name, c->oracle,
						 c->what);
	return view_finish(&view) ? CLI_FAILED : CLI_OK;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {
		.o = { .others = 4, .samples = 32, .most = 10 },
	};
	struct session s;
	int status = parse(self, &a, argc, argv);

	if (status == CLI_GO_ON && a.list) {
		status = list_checks(&a);
	} else if (status == CLI_GO_ON) {
		keep_memory();
		status = session_open(&s, MMLENS_NR_VMAS, a.json);
		if (status == CLI_GO_ON)
			status = session_close(&s, run_all(&s, &a));
	}
	free(a.pids);
	return status;
}

const struct command cmd_verify = {
	.name = "verify",
	.arguments = "[-p PID]... [--quick|--all] [OPTIONS] [CHECK]...",
	.summary = "cross-checks mmlens against all that the kernel tells elsewhere",
	.help =
	"  -p, --pid PID    look at that process; otherwise at the reader itself, a\n"
	"                   child with known kinds of entries, and some others\n"
	"      --others N   as many others, those with the most memory (4)\n"
	"      --samples N  places to look at in what is large (32)\n"
	"      --quick      no others, few places\n"
	"      --all        every process, every page: takes its time\n"
	"      --most N     mismatches of a check to show (10)\n"
	"      --list       the checks, and what each compares with\n"
	COMMON_HELP
	"\nWhat moves between two looks is looked at again; a mismatch is what differs\n"
	"each time.  Exit status: 0 all agree, 1 some don't, 2 usage, 42 some PID missing.\n",
	.run = run,
};
