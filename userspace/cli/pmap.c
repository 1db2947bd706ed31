// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pmap: the mappings of processes, as procps pmap. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct arguments {
	struct pmap_options pmap;
	struct mmlens_smaps_format fields;
	bool json;
	int count;
	char **pids;
};

static const struct option long_options[] = {
	{ "extended", no_argument, NULL, 'x' },
	{ "device", no_argument, NULL, 'd' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "show-path", no_argument, NULL, 'p' },
	{ "range", required_argument, NULL, 'A' },
	COMMON_OPTIONS
};

/* LOW[,HIGH]: LOW alone stands for both, what is left out for no limit. */
static bool parse_range(struct pmap_options *o, char *text)
{
	char *high = strchr(text, ',');

	if (high)
		*high++ = '\0';
	else
		high = text;
	if (*text && !cli_parse_address(text, &o->low))
		return false;
	return !*high || cli_parse_address(high, &o->high);
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;
	enum pmap_format format = PMAP_PLAIN;

	switch (c) {
	case 'X':
		format = a->pmap.format;
		format = pmap_has_fields(format) ? PMAP_ALL : PMAP_WIDE;
		if (a->pmap.format == PMAP_WIDE)
			a->pmap.format = PMAP_ALL;
		break;
	case 'x':
		format = PMAP_EXTENDED;
		break;
	case 'd':
		format = PMAP_DEVICE;
		break;
	case 'q':
		a->pmap.quiet = true;
		return CLI_GO_ON;
	case 'p':
		a->pmap.path = true;
		return CLI_GO_ON;
	case 'A':
		if (!parse_range(&a->pmap, optarg))
			return cli_usage(self, "-A takes LOW[,HIGH] in hexadecimal");
		return CLI_GO_ON;
	default:
		return cli_common_option(self, c, &a->json);
	}
	if (a->pmap.format != PMAP_PLAIN && a->pmap.format != format)
		return cli_usage(self, "-x, -X and -d exclude each other");
	a->pmap.format = format;
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "xXdqpA:h", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	a->pids = argv + optind;
	a->count = argc - optind;
	if (!a->count)
		return cli_usage(self, "pmap: no PID given");
	for (int i = 0; i < a->count; i++)
		if (!cli_parse_pid(a->pids[i]))
			return cli_usage(self, "'%s' isn't a PID", a->pids[i]);
	return CLI_GO_ON;
}

static int walk_areas(struct session *s, const struct pmap_options *o,
		      const struct pmap_view *view, struct mmlens_areas *areas,
		      struct pmap_totals *totals)
{
	const struct mmlens_area *area;
	int ret;

	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		if (area->vma->start > o->high)
			return 0;
		if (!pmap_in_range(o, area))
			continue;
		view->area(&s->view, o, area);
		pmap_add(totals, area);
		if (s->view.error)
			return 0;
	}
	return ret;
}

static void begin(struct session *s, const struct pmap_options *o,
		  const struct pmap_view *view, int pid)
{
	struct mmlens_process process;
	size_t length = 0;
	char *cmdline;

	/* Without these there is still the memory to be shown. */
	mmlens_process_read(pid, &process);
	cmdline = mmlens_process_cmdline(pid, &length);
	view->begin(&s->view, o, &process, cmdline, cmdline ? length : 0);
	free(cmdline);
}

static int show(struct session *s, const struct pmap_options *o, int pid)
{
	const struct pmap_view *view = s->json ? &pmap_json : &pmap_text;
	struct mmlens_request request = { .pid = pid };
	struct pmap_totals totals = {};
	struct mmlens_areas *areas;
	unsigned int flags = MMLENS_AREAS_GATE;
	int ret;

	if (pmap_has_sums(o->format))
		flags |= MMLENS_AREAS_SMAPS;
	if (pmap_has_fields(o->format))
		flags |= MMLENS_AREAS_FIELDS;
	areas = mmlens_areas_open(s->lens, &request, flags);
	if (!areas)
		return session_explain(s, pid, -errno);
	begin(s, o, view, pid);
	ret = walk_areas(s, o, view, areas, &totals);
	view->end(&s->view, o, &totals, mmlens_areas_stats(areas));
	mmlens_areas_close(areas);
	return session_explain(s, pid, ret);
}

static int show_all(struct session *s, const struct arguments *a)
{
	const struct pmap_view *view = s->json ? &pmap_json : &pmap_text;
	int status = CLI_OK;

	view->document(&s->view);
	for (int i = 0; i < a->count && !s->view.error; i++)
		status = cli_worse(status, show(s, &a->pmap,
						cli_parse_pid(a->pids[i])));
	view->finish(&s->view);
	return status;
}

/* What the format needs to know before the first process. */
static int prepare(struct session *s, struct arguments *a)
{
	struct pmap_options *o = &a->pmap;
	int status;

	o->have_sysv = !mmlens_sysv_device(&o->sysv_major, &o->sysv_minor);
	if (!pmap_has_fields(o->format))
		return CLI_GO_ON;
	status = cli_smaps_format(s, false, &a->fields);
	if (status != CLI_GO_ON)
		return status;
	o->fields = &a->fields;
	o->wide = pmap_wide_new(&a->fields, o->format == PMAP_ALL);
	if (!o->wide) {
		cli_error("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	return CLI_GO_ON;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .pmap.high = UINT64_MAX };
	struct session s;
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, pmap_has_sums(a.pmap.format) ?
				  MMLENS_NR_SMAPS : MMLENS_NR_VMAS, a.json);
	if (status != CLI_GO_ON)
		return status;
	status = prepare(&s, &a);
	if (status == CLI_GO_ON)
		status = show_all(&s, &a);
	pmap_wide_free(a.pmap.wide);
	return session_close(&s, status);
}

const struct command cmd_pmap = {
	.name = "pmap",
	.arguments = "[-x|-X|-XX|-d] [-q] [-p] [-A LOW[,HIGH]] [--json] PID...",
	.summary = "the mappings of processes, as procps pmap",
	.help =
	"  -x, --extended   resident and dirty memory of each mapping\n"
	"  -X               more of smaps\n"
	"  -XX              all that smaps has\n"
	"  -d, --device     offset and device of each mapping\n"
	"  -q, --quiet      neither headings nor totals\n"
	"  -p, --show-path  whole paths\n"
	"  -A, --range=LOW[,HIGH]\n"
	"                   only mappings that meet these addresses\n"
	COMMON_HELP
	"\nExit status 42: some PID is missing.\n",
	.run = run,
};
