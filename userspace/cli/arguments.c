// SPDX-License-Identifier: GPL-2.0-only
/* Operands that several subcommands take. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

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
