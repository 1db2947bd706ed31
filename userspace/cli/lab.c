// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lab: guided experiments on the machine that it runs on. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "lab.h"

enum { OPT_PLOT = OPT_OWN };

static const struct option long_options[] = {
	{ "plot", required_argument, NULL, OPT_PLOT },
	COMMON_OPTIONS
};

/**
 * struct lab_arguments - What the command line says.
 * @json:	one JSON document
 * @plot:	where the plot goes; NULL: nowhere
 * @experiment:	which; NULL: list them
 */
struct lab_arguments {
	bool json;
	const char *plot;
	const struct lab_experiment *experiment;
};

static const struct lab_experiment *find(const char *name)
{
	for (size_t i = 0; lab_experiments[i]; i++)
		if (!strcmp(lab_experiments[i]->name, name))
			return lab_experiments[i];
	return NULL;
}

/* ---- list ---- */

static int list(const struct lab_arguments *a)
{
	struct lab_listed listed[32];
	struct session s = { .view.out = stdout };
	size_t n = 0;

	for (; n < 32 && lab_experiments[n]; n++)
		listed[n] = (struct lab_listed) {
			.name = lab_experiments[n]->name,
			.summary = lab_experiments[n]->summary,
		};
	(a->json ? lab_list_json : lab_list_text)(&s.view, listed, n);
	return session_finish(&s, CLI_OK);
}

static void print_legend(FILE *out)
{
	fputs("\nExperiments:\n", out);
	for (size_t i = 0; lab_experiments[i]; i++)
		fprintf(out, "  %-12s %s\n", lab_experiments[i]->name,
			lab_experiments[i]->summary);
}

/* ---- run ---- */

/* Each query that it asks must be one that the module answers. */
static int open_for(struct session *s, const struct lab_arguments *a)
{
	int status = session_open(s, MMLENS_NR_PTES, a->json);
	uint64_t lacks;

	if (status != CLI_GO_ON)
		return status;
	lacks = a->experiment->queries & ~s->view.info->queries;
	if (!lacks)
		return CLI_GO_ON;
	cli_error("lab run %s: the module can't answer query %d that it asks (mmlens info)",
		  a->experiment->name, __builtin_ctzll(lacks));
	return session_close(s, CLI_FAILED);
}

static int run_experiment(const struct lab_arguments *a)
{
	struct session s;
	struct lab lab = { .experiment = a->experiment, .plot_path = a->plot };
	int status = open_for(&s, a);

	if (status != CLI_GO_ON)
		return status;
	lab.lens = s.lens;
	lab.view = &s.view;
	lab.show = a->json ? &lab_json : &lab_text;
	status = lab_run(&lab);
	if (lab.result == LAB_FAILED)
		cli_error("lab run %s: %s", a->experiment->name, lab.why);
	return session_close(&s, status);
}

/* ---- arguments ---- */

static int check_plot(const struct command *self, const char *path)
{
	const char *end = strrchr(path, '.');

	if (!end || (strcasecmp(end, ".svg") && strcasecmp(end, ".png")))
		return cli_usage(self, "%s: ends neither with .svg nor .png",
				 path);
	if (strcasecmp(end, ".png") || plot_has_png())
		return CLI_GO_ON;
	cli_error("%s: this mmlens was built without libpng (try: FILE.svg)",
		  path);
	return CLI_FAILED;
}

static int parse_operands(const struct command *self, struct lab_arguments *a,
			  int argc, char **argv)
{
	const char *word = optind < argc ? argv[optind] : "";

	if (!strcmp(word, "list")) {
		optind++;
		if (a->plot)
			return cli_usage(self, "lab list draws nothing");
		return cli_no_more(self, argc, argv);
	}
	if (strcmp(word, "run"))
		return cli_usage(self, "lab: list or run");
	if (++optind == argc)
		return cli_usage(self, "lab run: which experiment? (mmlens lab list)");
	a->experiment = find(argv[optind]);
	if (!a->experiment)
		return cli_usage(self, "'%s' isn't an experiment (mmlens lab list)",
				 argv[optind]);
	optind++;
	return cli_no_more(self, argc, argv);
}

static int parse(const struct command *self, struct lab_arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		status = CLI_GO_ON;
		if (c == OPT_PLOT) {
			a->plot = optarg;
			status = check_plot(self, optarg);
		} else {
			status = cli_common_option(self, c, &a->json);
		}
		if (status != CLI_GO_ON)
			return status;
	}
	status = cli_no_from(self);
	if (status != CLI_GO_ON)
		return status;
	return parse_operands(self, a, argc, argv);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct lab_arguments a = {};
	int status = parse(self, &a, argc, argv);

	if (status != CLI_GO_ON)
		return status;
	return a.experiment ? run_experiment(&a) : list(&a);
}

const struct command cmd_lab = {
	.name = "lab",
	.arguments = "list | run [--plot FILE] [--json] NAME",
	.summary = "guided experiments: something happens, and it is shown what changed and why",
	.help =
	"      --plot FILE  draw what the experiment follows over time (pageout,\n"
	"                   zones), as .svg or .png\n"
	"      --json       one JSON document\n"
	"  -h, --help       this text\n"
	"      --version    the reader's version\n"
	"\n"
	"Each says first what it will do.  Its workload is in a memory cgroup of its\n"
	"own where there is one, and what it changes is put back, after ^C too.\n"
	"\n"
	"Exit status of lab run: 0 its lessons were seen, 1 one wasn't, or it failed,\n"
	"2 usage, 3 it can't run here (it says why).\n",
	.legend = print_legend,
	.run = run,
};
