// SPDX-License-Identifier: GPL-2.0-only
/* mmlens watch: a timeline of processes and of the zones' free memory. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pace.h"
#include "watch.h"

enum {
	OPT_FOR = OPT_OWN,
	OPT_CSV,
	OPT_LINES,
	OPT_CHART,
	OPT_PLOT,
	OPT_ACCESSED,
	OPT_RESET,
	OPT_LRU,
	OPT_ZONES,
	OPT_COUNTERS,
};

static const struct option long_options[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'n' },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "pid", required_argument, NULL, 'p' },
	{ "csv", no_argument, NULL, OPT_CSV },
	{ "lines", no_argument, NULL, OPT_LINES },
	{ "chart", no_argument, NULL, OPT_CHART },
	{ "plot", required_argument, NULL, OPT_PLOT },
	{ "accessed", no_argument, NULL, OPT_ACCESSED },
	{ "reset", no_argument, NULL, OPT_RESET },
	{ "lru", no_argument, NULL, OPT_LRU },
	{ "zones", no_argument, NULL, OPT_ZONES },
	{ "counters", no_argument, NULL, OPT_COUNTERS },
	COMMON_OPTIONS
};

/* ---- processes ---- */

static int add_pid(const struct command *self, struct watch_arguments *a,
		   const char *text)
{
	int pid = cli_parse_pid(text);
	int *grown;

	if (!pid)
		return cli_usage(self, "'%s' isn't a PID", text);
	for (size_t i = 0; i < a->pid_count; i++)
		if (a->pids[i] == pid)
			return CLI_GO_ON;
	grown = reallocarray(a->pids, a->pid_count + 1, sizeof(*grown));
	if (!grown) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	a->pids = grown;
	grown[a->pid_count++] = pid;
	return CLI_GO_ON;
}

/* As pidstat has it: "PID,PID,..." */
static int add_pids(const struct command *self, struct watch_arguments *a,
		    const char *list)
{
	char *copy = strdup(list), *save, *word;
	int status = copy ? CLI_GO_ON : CLI_FAILED;

	for (word = copy ? strtok_r(copy, ",", &save) : NULL;
	     word && status == CLI_GO_ON; word = strtok_r(NULL, ",", &save))
		status = add_pid(self, a, word);
	free(copy);
	return status;
}

/* ---- options ---- */

static int add_plot(const struct command *self, struct watch_arguments *a,
		    const char *path)
{
	const char *end = strrchr(path, '.');

	if (!end || (strcasecmp(end, ".svg") && strcasecmp(end, ".png")))
		return cli_usage(self, "%s: ends neither with .svg nor .png",
				 path);
	if (!strcasecmp(end, ".png") && !plot_has_png()) {
		cli_error("%s: this mmlens was built without libpng (try: FILE.svg)",
			  path);
		return CLI_FAILED;
	}
	if (a->plot_count == WATCH_PLOTS)
		return cli_usage(self, "%s: one plot too many", path);
	a->plots[a->plot_count++] = path;
	return CLI_GO_ON;
}

static int set_form(const struct command *self, struct watch_arguments *a,
		    enum watch_form form)
{
	if (a->form != WATCH_AS_FITS && a->form != form)
		return cli_usage(self, "--lines, --chart, --csv and --json exclude each other");
	if (form == WATCH_AS_CHART && !chart_is_built()) {
		cli_error("--chart: this mmlens was built without ncurses (try: --lines)");
		return CLI_FAILED;
	}
	a->form = form;
	return CLI_GO_ON;
}

static int set_seconds(const struct command *self, double *seconds)
{
	if (pace_parse_seconds(optarg, seconds))
		return CLI_GO_ON;
	return cli_usage(self, "'%s' isn't a number of seconds, from 0.01 on",
			 optarg);
}

static int set_count(const struct command *self, unsigned int *count)
{
	if (cli_parse_number(optarg, INT_MAX, count) && *count)
		return CLI_GO_ON;
	return cli_usage(self, "'%s' isn't a number from 1 on", optarg);
}

/* Those without an argument. */
static int parse_switch(const struct command *self, struct watch_arguments *a,
			int c)
{
	switch (c) {
	case OPT_CSV:
		return set_form(self, a, WATCH_AS_CSV);
	case OPT_LINES:
		return set_form(self, a, WATCH_AS_LINES);
	case OPT_CHART:
		return set_form(self, a, WATCH_AS_CHART);
	case OPT_ACCESSED:
		a->accessed = true;
		return CLI_GO_ON;
	case OPT_RESET:
		a->accessed = a->reset = true;
		return CLI_GO_ON;
	case OPT_LRU:
		a->lru = true;
		return CLI_GO_ON;
	case OPT_ZONES:
		a->zones = true;
		return CLI_GO_ON;
	case OPT_COUNTERS:
		a->counters = true;
		return CLI_GO_ON;
	case OPT_JSON:
		return set_form(self, a, WATCH_AS_JSON);
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct watch_arguments *a = arguments;

	switch (c) {
	case 'i':
		return set_seconds(self, &a->interval);
	case 'n':
		return set_count(self, &a->count);
	case OPT_FOR:
		return set_seconds(self, &a->duration);
	case 'p':
		return add_pids(self, a, optarg);
	case OPT_PLOT:
		return add_plot(self, a, optarg);
	default:
		return parse_switch(self, a, c);
	}
}

static int parse(const struct command *self, struct watch_arguments *a,
		 int argc, char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "i:n:p:h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	for (; optind < argc && status == CLI_GO_ON; optind++)
		status = add_pid(self, a, argv[optind]);
	if (status != CLI_GO_ON)
		return status;
	if (!a->pid_count)
		return cli_usage(self, "%s: no PID given", self->name);
	if (a->counters && (a->accessed || a->lru))
		return cli_usage(self, "--counters leaves out what --accessed, --reset and --lru need");
	return CLI_GO_ON;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct watch_arguments a = { .interval = 1 };
	int status = parse(self, &a, argc, argv);
	struct session s;

	if (status == CLI_GO_ON)
		status = cli_no_from(self);
	if (status == CLI_GO_ON)
		status = session_open(&s, MMLENS_NR_SMAPS,
				      a.form == WATCH_AS_JSON);
	if (status == CLI_GO_ON)
		status = session_close(&s, watch_run(&s, &a));
	free(a.pids);
	return status;
}

const struct command cmd_watch = {
	.name = "watch",
	.arguments = "[-i SECONDS] [-n N|--for SECONDS] [--accessed [--reset]]\n"
		     "                    [--lru] [--zones] [--counters] [--lines|--chart|--csv|--json]\n"
		     "                    [--plot FILE]... PID...",
	.summary = "a timeline of processes and of free memory, and a plot of it",
	.help = "On a terminal a chart (q ends it), else a line for each process and sample,\n"
		"until ^C, or until all processes have exited.\n"
		"\n"
		"  -i, --interval SECONDS  from one sample to the next (1)\n"
		"  -n, --count N    N samples, not until ^C\n"
		"      --for SECONDS  for so long\n"
		"  -p, --pid PID,PID  the processes, as pidstat has them\n"
		"      --accessed   how much was used, by the accessed bits, which mmlens\n"
		"                   doesn't clear: used since the kernel did so at its own pace\n"
		"      --reset      the same, and have the kernel clear the bits after each\n"
		"                   sample (1 to /proc/PID/clear_refs): used within an interval.\n"
		"                   It changes the process's page tables, flushes its TLB, and\n"
		"                   reclaim takes its pages for unused\n"
		"      --lru        lines tell how many pages stand on which LRU list, too\n"
		"      --zones      lines tell watermarks and free blocks by order, too\n"
		"      --counters   the kernel's counters alone: no walk of page tables, the\n"
		"                   same cost for large processes and small ones\n"
		"      --lines      lines on a terminal, too\n"
		"      --chart      a chart, or fail\n"
		"      --csv        comma-separated values, a row for each process and sample\n"
		"      --plot FILE  write a plot at the end, as FILE.svg or FILE.png; may be\n"
		"                   given several times\n"
		"      --json       a JSON document for each sample, a line each\n"
		"  -h, --help       this text\n"
		"      --version    the reader's version\n",
	.legend = watch_legend,
	.run = run,
};
