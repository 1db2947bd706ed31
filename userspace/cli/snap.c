// SPDX-License-Identifier: GPL-2.0-only
/* mmlens snap: a capture of processes or of the machine. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct arguments {
	const char *path;
	struct mmlens_capture_request request;
	int *pids;
	bool quiet;
	bool json;
};

enum { OPT_MACHINE = OPT_OWN, OPT_ENTRIES };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "machine", no_argument, NULL, OPT_MACHINE },
	{ "entries", no_argument, NULL, OPT_ENTRIES },
	{ "quiet", no_argument, NULL, 'q' },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'o':
		a->path = optarg;
		return CLI_GO_ON;
	case OPT_MACHINE:
		a->request.machine = true;
		return CLI_GO_ON;
	case OPT_ENTRIES:
		a->request.entries = true;
		return CLI_GO_ON;
	case 'q':
		a->quiet = true;
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static bool is_named(const struct arguments *a, int pid)
{
	for (size_t i = 0; i < a->request.count; i++)
		if (a->pids[i] == pid)
			return true;
	return false;
}

static int parse_pids(const struct command *self, struct arguments *a,
		      int argc, char **argv)
{
	a->pids = calloc(argc, sizeof(*a->pids));
	if (!a->pids) {
		cli_error("snap: %s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	a->request.pids = a->pids;
	for (; optind < argc; optind++) {
		const int pid = cli_parse_pid(argv[optind]);

		if (!pid)
			return cli_usage(self, "'%s' isn't a PID",
					 argv[optind]);
		if (!is_named(a, pid))
			a->pids[a->request.count++] = pid;
	}
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "o:qh", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	status = cli_no_from(self);
	if (status != CLI_GO_ON)
		return status;
	if (!a->path)
		return cli_usage(self, "snap: needs -o FILE");
	status = parse_pids(self, a, argc, argv);
	if (status == CLI_GO_ON && !a->request.count && !a->request.machine)
		return cli_usage(self, "snap: needs a PID, or --machine");
	return status;
}

/* ---- taking it ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

/* Once: what is under way is left, and nothing of it stays. */
static void catch_signals(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};

	interrupted = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* It ends as if nobody had caught it. */
static void end_by_signal(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigemptyset(&action.sa_mask);
	sigaction(interrupted, &action, NULL);
	raise(interrupted);
}

static bool progress(uint64_t bytes, uint64_t records, void *context)
{
	(void)context;
	session_progress_bytes(bytes, records);
	return interrupted;
}

static int explain(const struct session *s, const struct arguments *a,
		   const struct mmlens_capture_stats *stats, int error)
{
	switch (error) {
	case -ESRCH:
	case -ENXIO:
	case -ESTALE:
		return session_explain(s, stats->failed_pid, error);
	case -EOPNOTSUPP:
		cli_error("%s: isn't a regular file", a->path);
		return CLI_FAILED;
	}
	return session_explain_of(s, a->path, error);
}

static int take(struct session *s, const struct arguments *a)
{
	struct mmlens_capture_stats stats;
	int ret;

	catch_signals();
	ret = mmlens_capture_write(s->lens, a->path, &a->request, &stats);
	session_progress_end();
	if (ret == -EINTR && interrupted) {
		mmlens_close(s->lens);
		end_by_signal();
	}
	if (ret)
		return explain(s, a, &stats, ret);
	if (a->json)
		snap_json(&s->view, a->path, &a->request, &stats);
	else if (!a->quiet)
		snap_text(&s->view, a->path, &a->request, &stats);
	return CLI_OK;
}

static int run_session(struct arguments *a)
{
	struct session s;
	int status = session_open(&s, MMLENS_NR_PTES, a->json);

	if (status != CLI_GO_ON)
		return status;
	a->request.progress = progress;
	return session_close(&s, take(&s, a));
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	int status = parse(self, &a, argc, argv);

	if (status == CLI_GO_ON)
		status = run_session(&a);
	free(a.pids);
	return status;
}

const struct command cmd_snap = {
	.name = "snap",
	.arguments = "-o FILE [--machine] [--entries] [-q] [--json] [PID...]",
	.summary = "write a capture, which any view shows with --from FILE",
	.help =
	"  -o, --output FILE  where to; it is replaced when the capture is whole\n"
	"      --machine    zones, free blocks, page frames, LRU lists, who maps\n"
	"                   what, the kernel's page table, the list of processes\n"
	"      --entries    of processes mappings and page-table entries alone,\n"
	"                   which is a fraction of the time: enough for diff, pte,\n"
	"                   maps and folios\n"
	"  -q, --quiet      don't say what was written\n"
	COMMON_HELP,
	.run = run,
};
