// SPDX-License-Identifier: GPL-2.0-only
/* The table of subcommands; dispatch, help and messages. */
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct command *const commands[] = {
	&cmd_maps,
	&cmd_smaps,
	&cmd_smaps_rollup,
	&cmd_numa_maps,
	&cmd_pmap,
	&cmd_pte,
	&cmd_vtop,
	&cmd_tables,
	&cmd_folios,
	&cmd_ps,
	&cmd_zones,
	&cmd_buddy,
	&cmd_pageblocks,
	&cmd_zoneinfo,
	&cmd_buddyinfo,
	&cmd_pagetypeinfo,
	&cmd_frag,
	&cmd_ledger,
	&cmd_page_types,
	&cmd_pfn,
	&cmd_lru,
	&cmd_kmap,
	&cmd_watch,
	&cmd_snap,
	&cmd_diff,
	&cmd_trace,
	&cmd_lab,
	&cmd_verify,
	&cmd_info,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void verror(const char *format, va_list ap)
{
	char *text;

	if (vasprintf(&text, format, ap) < 0)
		return;
	/* What was written so far comes first where both go to one place. */
	fflush(stdout);
	/* In one piece: others may write there too. */
	fprintf(stderr, "mmlens: %s\n", text);
	free(text);
}

void cli_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	verror(format, ap);
	va_end(ap);
}

int cli_usage(const struct command *self, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	verror(format, ap);
	va_end(ap);
	fprintf(stderr, "Try: mmlens %s -h\n", self->name);
	return CLI_USAGE;
}

int cli_worse(int a, int b)
{
	return a > b ? a : b;
}

/* ---- help ---- */

static void print_usage(FILE *out)
{
	fputs("Usage: mmlens COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "Shows what the memory management of the running kernel holds.\n"
	      "\nCommands:\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("  help         this text, or what COMMAND does\n"
	      "\n"
	      "  mmlens COMMAND -h   its options\n"
	      "  mmlens --version    the reader's version\n"
	      "\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 42 some PID missing\n",
	      out);
}

static int print_help(const struct command *self)
{
	printf("Usage: mmlens %s %s\n%c%s.\n", self->name, self->arguments,
	       self->summary[0] - 'a' + 'A', self->summary + 1);
	if (self->help)
		printf("\n%s", self->help);
	if (self->legend)
		self->legend(stdout);
	return CLI_OK;
}

static int print_version(void)
{
	printf("mmlens %s\n", mmlens_lib_version());
	return CLI_OK;
}

static int unknown_command(const char *name)
{
	cli_error("'%s' isn't a command", name);
	fputs("Try: mmlens --help\n", stderr);
	return CLI_USAGE;
}

static int run_help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_usage(stdout);
		return CLI_OK;
	}
	command = find_command(argv[1]);
	return command ? print_help(command) : unknown_command(argv[1]);
}

int cli_no_from(const struct command *self)
{
	if (!cli_from)
		return CLI_GO_ON;
	return cli_usage(self, "%s is about the running machine: it takes no --from",
			 self->name);
}

int cli_common_option(const struct command *self, int option, bool *json)
{
	switch (option) {
	case OPT_JSON:
		*json = true;
		return CLI_GO_ON;
	case OPT_FROM:
		cli_from = optarg;
		return CLI_GO_ON;
	case 'h':
		return print_help(self);
	case OPT_VERSION:
		return print_version();
	default:
		/* getopt_long has said what is wrong. */
		fprintf(stderr, "Try: mmlens %s -h\n", self->name);
		return CLI_USAGE;
	}
}

/* ---- dispatch ---- */

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[32];

	/* What getopt_long begins its messages with. */
	snprintf(name, sizeof(name), "mmlens %s", command->name);
	argv[0] = name;
	optind = 0;
	return command->run(command, argc, argv);
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(name, "-h") || !strcmp(name, "--help") ||
	    !strcmp(name, "help"))
		return run_help(argc - 1, argv + 1);
	if (!strcmp(name, "-V") || !strcmp(name, "--version"))
		return print_version();
	command = find_command(name);
	if (!command)
		return unknown_command(name);
	return run_command(command, argc - 1, argv + 1);
}

int cli_run(int argc, char **argv)
{
	int status;

	cli_from = NULL;
	/* Which bytes can be printed; numbers stay as they are. */
	setlocale(LC_CTYPE, "");
	status = dispatch(argc, argv);
	/* A session has reported and cleared what went wrong before. */
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("standard output: %s", strerror(errno));
		return CLI_FAILED;
	}
	return status;
}
