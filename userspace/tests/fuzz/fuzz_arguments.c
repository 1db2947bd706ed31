// SPDX-License-Identifier: GPL-2.0-only
/* Any command line, with a module that knows every query and answers none. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fake.h"
#include "fuzz.h"

#define MOST 16

static int refuse(void *context, unsigned long request, void *arg)
{
	(void)context;
	if (request != MMLENS_INFO)
		return -ESRCH;
	memcpy(arg, &fake_info, sizeof(fake_info));
	return 0;
}

static struct mmlens *connect_refusing(void)
{
	static const struct mmlens_transport transport = { .ioctl = refuse };

	return mmlens_open_transport(&transport, NULL);
}

static int no_frames(uint64_t pfn, uint64_t *flags)
{
	(void)pfn;
	(void)flags;
	return 0;
}

/* What would write files, read those of the machine, or change it (lab run). */
static bool is_harmless(char **argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "snap") || !strcmp(*argv, "diff") ||
		    !strcmp(*argv, "run") || strchr(*argv, '/') ||
		    !strncmp(*argv, "--f", 3))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text;
	char *argv[MOST + 2] = { "mmlens" };
	int argc = 1;

	fuzz_be_silent();
	cli_connect = connect_refusing;
	cli_kpageflags = no_frames;
	while (argc <= MOST && (argv[argc] = strsep(&rest, "\n")))
		argc++;
	argv[argc] = NULL;
	if (is_harmless(argv))
		cli_run(argc, argv);
	free(text);
	return 0;
}
