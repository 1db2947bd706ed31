// SPDX-License-Identifier: GPL-2.0-only
/* mmlens trace: what happens to the memory of a process, as it happens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "pace.h"
#include "trace.h"

/* How often it is looked whether events were lost. */
#define LOOK_NS 100000000ull

struct arguments {
	struct trace_options trace;
	bool json;
	bool summary;
	double seconds;		/* 0: until it ends */
	char **command;		/* NULL: a process that is there */
};

struct job {
	const struct arguments *a;
	struct session s;
	struct trace *trace;
	const struct trace_view *view;
	struct trace_shown shown;
	struct trace_child child;
};

enum {
	OPT_SECONDS = OPT_OWN,
	OPT_BUFFER,
};

static const struct option long_options[] = {
	{ "events", required_argument, NULL, 'e' },
	{ "follow", no_argument, NULL, 'f' },
	{ "summary", no_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

/* Kinds and groups, divided by commas. */
static int parse_events(const struct command *self, const char *list,
			uint64_t *kinds)
{
	for (;; list++) {
		size_t length = strcspn(list, ",");
		uint64_t named = trace_kinds_named(list, length);

		if (!named)
			return cli_usage(self, "trace: '%.*s' is no kind of event",
					 (int)length, list);
		*kinds |= named;
		list += length;
		if (!*list)
			return CLI_GO_ON;
	}
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'e':
		return parse_events(self, optarg, &a->trace.kinds);
	case 'f':
		a->trace.follow = true;
		return CLI_GO_ON;
	case 's':
		a->summary = true;
		return CLI_GO_ON;
	case OPT_SECONDS:
		if (pace_parse_seconds(optarg, &a->seconds))
			return CLI_GO_ON;
		return cli_usage(self, "trace: '%s' isn't a number of seconds",
				 optarg);
	case OPT_BUFFER:
		/* What BPF_MAP_CREATE takes. */
		if (lru_parse_size(optarg, &a->trace.buffer) &&
		    a->trace.buffer && a->trace.buffer <= 1ull << 31)
			return CLI_GO_ON;
		return cli_usage(self, "trace: '%s' isn't a size up to 2G",
				 optarg);
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	/* Options behind the command's name are its own. */
	status = cli_parse_options(self, argc, argv, "+e:fsh", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	if (!a->trace.kinds)
		a->trace.kinds = TRACE_ALL;
	if (optind && !strcmp(argv[optind - 1], "--")) {
		if (optind == argc)
			return cli_usage(self, "trace: no command behind --");
		a->command = argv + optind;
		return CLI_GO_ON;
	}
	return cli_only_pid(self, argc, argv, &a->trace.tgid);
}

/* ---- the end ---- */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static bool is_over(const struct job *job)
{
	uint64_t ns = job->a->seconds * 1e9;

	return pace_interrupted() || job->s.view.error || trace_is_over(job->trace) ||
	       (ns && now() - job->shown.begun >= ns);
}

/* ---- the trace ---- */

static void on_event(void *context, const struct trace_event *event)
{
	struct job *job = context;

	job->shown.count[event->kind]++;
	if (event->record->flags & TRACE_TIMED)
		job->shown.ns[event->kind] += event->record->ns;
	if (!job->shown.summary)
		job->view->event(&job->s.view, &job->shown, event);
}

static void look_for_losses(struct job *job)
{
	uint64_t lost = trace_lost(job->trace);

	if (lost > job->shown.lost && !job->shown.summary)
		job->view->lost(&job->s.view, lost - job->shown.lost);
	job->shown.lost = lost;
}

static int read_events(struct job *job)
{
	uint64_t looked = job->shown.begun;
	int ret = 0;

	while (ret >= 0 && !is_over(job)) {
		ret = trace_read(job->trace, 100, on_event, job);
		if (ret == -EINTR)
			ret = 0;
		if (now() - looked >= LOOK_NS) {
			looked = now();
			look_for_losses(job);
			fflush(job->s.view.out);
		}
	}
	job->shown.ended = now();
	trace_stop(job->trace);
	while (ret > 0 || !ret) {
		ret = trace_read(job->trace, 0, on_event, job);
		if (ret <= 0)
			break;
	}
	look_for_losses(job);
	return ret;
}

static int explain(const struct job *job, const char *why, int error)
{
	int tgid = job->a->trace.tgid;

	switch (-error) {
	case EXDEV:
		cli_error("trace: only in the initial PID namespace");
		return CLI_FAILED;
	case EOPNOTSUPP:
		if (why && *why == 'b')
			cli_error("trace: this reader was %s", why);
		else
			cli_error("trace: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF) that says what it is made of");
		return CLI_FAILED;
	case ESRCH:
	case EINVAL:
		if (!why)
			return session_explain(&job->s, tgid, -ESRCH);
	}
	if (!why)
		return session_explain(&job->s, tgid, error);
	cli_error("trace: %s: %s", why, strerror(-error));
	return CLI_FAILED;
}

/* Once, before the first event. */
static void say_untraced(const struct job *job)
{
	char names[1024] = "";

	for (int i = 0; i < TRACE_KINDS; i++)
		if (job->shown.untraced & 1ull << i) {
			strcat(names, *names ? ", " : "");
			strcat(names, trace_kinds[i].name);
		}
	if (*names)
		cli_error("trace: can't be traced on this kernel: %s", names);
	if (!job->shown.entries)
		cli_error("trace: page-table entries can't be read on this machine: events come without them");
}

static int show(struct job *job, struct trace_options *o)
{
	struct pace pace;
	const char *why;
	int ret;

	job->trace = trace_open(job->s.lens, o, &why);
	if (!job->trace)
		return explain(job, why, -errno);
	job->shown.tgid = o->tgid;
	job->shown.untraced = trace_untraced(job->trace);
	job->shown.entries = trace_reads_entries(job->trace);
	job->shown.summary = job->a->summary;
	say_untraced(job);
	/* ^C ends the trace; a second one ends all. */
	pace_begin(&pace, 0);
	job->shown.begun = now();
	job->view->begin(&job->s.view, &job->shown);
	/* Nobody is to wait for a buffer to fill to see that it goes. */
	fflush(job->s.view.out);
	if (job->child.pid)
		trace_child_go(&job->child);
	ret = read_events(job);
	if (ret >= 0)
		job->view->end(&job->s.view, &job->shown);
	trace_close(job->trace);
	pace_end(&pace);
	return ret < 0 ? session_explain_of(&job->s, "trace", ret) : CLI_OK;
}

static int show_command(struct job *job, struct trace_options *o)
{
	int ret = trace_child_start(&job->child, job->a->command);
	int status;

	if (ret)
		return session_explain_of(&job->s, "trace", ret);
	o->tgid = job->child.pid;
	status = show(job, o);
	if (!job->trace)
		trace_child_cancel(&job->child);
	else if (!trace_child_ran(&job->child))
		status = cli_worse(status, CLI_FAILED);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct job job = { .a = &a };
	int status;

	status = parse(self, &a, argc, argv);
	if (status == CLI_GO_ON)
		status = cli_no_from(self);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&job.s, MMLENS_NR_INFO, a.json);
	if (status != CLI_GO_ON)
		return status;
	job.view = a.json ? &trace_json : &trace_text;
	status = a.command ? show_command(&job, &a.trace) :
			     show(&job, &a.trace);
	return session_close(&job.s, status);
}

const struct command cmd_trace = {
	.name = "trace",
	.arguments = "[-e KIND,...] [-f] [-s] [--seconds N] [--buffer SIZE] [--json] PID | -- COMMAND [ARGUMENT...]",
	.summary = "what happens to the memory of a process, as it happens",
	.help =
	"  -e, --events KIND,...  of these kinds or groups alone\n"
	"  -f, --follow       children too\n"
	"  -s, --summary      the counts at the end alone\n"
	"      --seconds N    end after so long; else when the process ends\n"
	"      --buffer SIZE  room for what isn't read yet, a power of two (16M)\n"
	COMMON_HELP
	"\nBEFORE and AFTER are the page-table entry of the address; - is empty, ? isn't\n"
	"known. What the kernel does for the whole machine is shown, too (by NAME).\n"
	"With --json each line is an object: first what is traced, last the counts.\n",
	.legend = trace_legend,
	.run = run,
};
