// SPDX-License-Identifier: GPL-2.0-only
/* The command on top of /proc instead of the module, for check-proc. */
#include "cli.h"
#include "proc_transport.h"

int main(int argc, char **argv)
{
	cli_connect = proc_open;
	return cli_run(argc, argv);
}
