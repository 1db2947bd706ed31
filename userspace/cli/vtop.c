// SPDX-License-Identifier: GPL-2.0-only
/* mmlens vtop: how addresses of a process are translated. */
#include <errno.h>

#include "cli.h"

struct arguments {
	bool json;
	int pid;
	int count;
	char **addresses;
};

static const struct option long_options[] = { COMMON_OPTIONS };

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	uint64_t address;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	if (argc - optind < 2)
		return cli_usage(self, "vtop: needs a PID and an address");
	a->pid = cli_parse_pid(argv[optind]);
	if (!a->pid)
		return cli_usage(self, "'%s' isn't a PID", argv[optind]);
	a->addresses = argv + optind + 1;
	a->count = argc - optind - 1;
	for (int i = 0; i < a->count; i++)
		if (!cli_parse_address(a->addresses[i], &address))
			return cli_usage(self, "'%s' isn't an address",
					 a->addresses[i]);
	return CLI_GO_ON;
}

static int check_addresses(const struct session *s, const struct arguments *a)
{
	uint64_t address;

	for (int i = 0; i < a->count; i++) {
		cli_parse_address(a->addresses[i], &address);
		if (address < s->view.info->task_size)
			continue;
		cli_error("0x%llx: above the user range, which ends at 0x%llx",
			  (unsigned long long)address,
			  s->view.info->task_size);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int translate_all(struct session *s, const struct arguments *a)
{
	const struct vtop_view *view = s->json ? &vtop_json : &vtop_text;
	struct mmlens_translation t;
	uint64_t address;
	int ret = 0;

	for (int i = 0; i < a->count && !s->view.error; i++) {
		cli_parse_address(a->addresses[i], &address);
		ret = mmlens_translate(s->lens, a->pid, address, &t);
		if (ret && !i)
			return session_explain(s, a->pid, ret);
		if (ret)
			break;
		if (!i)
			view->begin(&s->view, a->pid);
		view->address(&s->view, &t);
	}
	view->end(&s->view);
	return session_explain(s, a->pid, ret);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct session s;
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_VTOP, a.json);
	if (status != CLI_GO_ON)
		return status;
	status = check_addresses(&s, &a);
	if (!status)
		status = translate_all(&s, &a);
	return session_close(&s, status);
}

const struct command cmd_vtop = {
	.name = "vtop",
	.arguments = "[--json] PID ADDRESS...",
	.summary = "how an address is translated, level by level",
	.help =
	COMMON_HELP
	"\nAddresses are hexadecimal, with or without 0x.\n",
	.run = run,
};
