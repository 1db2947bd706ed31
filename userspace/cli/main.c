// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include "cli.h"

int main(int argc, char **argv)
{
	static char room[64 * 1024];

	/* Dumps are large, and the usual 4 KiB make many small writes. */
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, room, _IOFBF, sizeof(room));
	return cli_run(argc, argv);
}
