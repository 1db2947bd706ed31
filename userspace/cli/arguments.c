// SPDX-License-Identifier: GPL-2.0-only
/* Operands that several subcommands take. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int cli_parse_options(const struct command *self, int argc, char **argv,
		      const char *letters, const struct option *long_options,
		      int (*take)(const struct command *self, void *arguments,
				  int option),
		      void *arguments)
{
	int c, status;

	while ((c = getopt_long(argc, argv, letters, long_options,
				NULL)) != -1) {
		status = take(self, arguments, c);
		if (status != CLI_GO_ON)
			return status;
	}
	return CLI_GO_ON;
}

static int take_common(const struct command *self, void *json, int option)
{
	return cli_common_option(self, option, json);
}

int cli_parse_common(const struct command *self, int argc, char **argv,
		     bool *json)
{
	static const struct option long_options[] = { COMMON_OPTIONS };

	return cli_parse_options(self, argc, argv, "h", long_options,
				 take_common, json);
}

int cli_parse_pid(const char *text)
{
	char *end;
	long pid;

	if (!strncmp(text, "/proc/", 6))
		text += 6;
	if (!isdigit((unsigned char)*text))
		return 0;
	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || *end || pid < 1 || pid > INT_MAX)
		return 0;
	return (int)pid;
}

int cli_only_pid(const struct command *self, int argc, char **argv, int *pid)
{
	if (optind == argc)
		return cli_usage(self, "%s: no PID given", self->name);
	if (optind + 1 < argc)
		return cli_usage(self, "%s: '%s' is one argument too many",
				 self->name, argv[optind + 1]);
	*pid = cli_parse_pid(argv[optind]);
	if (!*pid)
		return cli_usage(self, "'%s' isn't a PID", argv[optind]);
	return CLI_GO_ON;
}

int cli_pid_and_range(const struct command *self, int argc, char **argv,
		      int *pid, const char **range)
{
	if (optind + 2 < argc)
		return cli_usage(self, "%s: '%s' is one argument too many",
				 self->name, argv[optind + 2]);
	if (optind + 1 < argc)
		*range = argv[--argc];
	return cli_only_pid(self, argc, argv, pid);
}

int cli_parse_only_pid(const struct command *self, int argc, char **argv,
		       int *pid, bool *json)
{
	int status = cli_parse_common(self, argc, argv, json);

	return status == CLI_GO_ON ? cli_only_pid(self, argc, argv, pid) :
				     status;
}

bool cli_parse_address(const char *text, uint64_t *address)
{
	char *end;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*address = strtoull(text, &end, 16);
	return !errno && !*end;
}

static bool split_range(const char *text, uint64_t *from, uint64_t *to,
			bool *single)
{
	char *start = strdup(text);
	char *end = start ? strchr(start, '-') : NULL;
	bool good = start;

	*single = !end;
	if (end)
		*end++ = '\0';
	good = good && cli_parse_address(start, from);
	if (end)
		good = good && cli_parse_address(end, to);
	free(start);
	return good;
}

int cli_parse_range(const struct mmlens_info *info, const char *text,
		    uint64_t *start, uint64_t *end)
{
	uint64_t page = 1ull << info->page_shift;
	bool single;

	if (!split_range(text, start, end, &single)) {
		cli_error("'%s' is neither START nor START-END in hexadecimal",
			  text);
		return CLI_USAGE;
	}
	if (single) {
		*start &= ~(page - 1);
		*end = *start + page;
	}
	if ((*start | *end) & (page - 1))
		cli_error("%s: not a multiple of the page size (%llu bytes)",
			  text, (unsigned long long)page);
	else if (*start >= info->task_size || *end > info->task_size)
		cli_error("%s: above the user range, which ends at 0x%llx",
			  text, info->task_size);
	else if (*end < *start)
		cli_error("%s: the end is before the start", text);
	else if (*end == *start)
		cli_error("%s: the range is empty", text);
	else
		return CLI_GO_ON;
	return CLI_USAGE;
}

int cli_parse_kernel_range(const struct mmlens_info *info, const char *text,
			   uint64_t *start, uint64_t *end)
{
	uint64_t page = 1ull << info->page_shift;
	uint64_t first = mmlens_kernel_start(info);
	bool single;

	if (!split_range(text, start, end, &single)) {
		cli_error("'%s' is neither START nor START-END in hexadecimal",
			  text);
		return CLI_USAGE;
	}
	if (single) {
		*start &= ~(page - 1);
		*end = *start + page;
	}
	/* As the last address is written. */
	if (*end == UINT64_MAX)
		*end = 0;
	if ((*start | *end) & (page - 1))
		cli_error("%s: not a multiple of the page size (%llu bytes)",
			  text, (unsigned long long)page);
	else if (*start < first)
		cli_error("%s: below the kernel's range, which begins at 0x%llx",
			  text, (unsigned long long)first);
	else if (*end && *end <= *start)
		cli_error("%s: the range is empty, or its end before its start",
			  text);
	else
		return CLI_GO_ON;
	return CLI_USAGE;
}

int cli_no_more(const struct command *self, int argc, char **argv)
{
	if (optind < argc)
		return cli_usage(self, "%s: '%s' is one argument too many",
				 self->name, argv[optind]);
	return CLI_GO_ON;
}
