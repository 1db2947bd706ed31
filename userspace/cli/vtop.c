// SPDX-License-Identifier: GPL-2.0-only
/* mmlens vtop: how addresses of a process or of the kernel are translated. */
#include <errno.h>

#include "cli.h"

struct arguments {
	bool json;
	bool kernel;
	bool user;		/* user mode's table of the kernel */
	int pid;		/* 0 of the kernel */
	int count;
	char **addresses;
};

enum { OPT_USER = OPT_OWN };

static const struct option long_options[] = {
	{ "kernel", no_argument, NULL, 'k' },
	{ "user", no_argument, NULL, OPT_USER },
	COMMON_OPTIONS
};

static int parse_operands(const struct command *self, struct arguments *a,
			  int argc, char **argv)
{
	uint64_t address;

	if (argc - optind < (a->kernel ? 1 : 2))
		return cli_usage(self, a->kernel ? "vtop -k: needs an address" :
				 "vtop: needs a PID and an address");
	if (!a->kernel) {
		a->pid = cli_parse_pid(argv[optind]);
		if (!a->pid)
			return cli_usage(self, "'%s' isn't a PID",
					 argv[optind]);
		optind++;
	}
	a->addresses = argv + optind;
	a->count = argc - optind;
	for (int i = 0; i < a->count; i++)
		if (!cli_parse_address(a->addresses[i], &address))
			return cli_usage(self, "'%s' isn't an address",
					 a->addresses[i]);
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "kh", long_options, NULL)) != -1) {
		status = CLI_GO_ON;
		if (c == 'k')
			a->kernel = true;
		else if (c == OPT_USER)
			a->user = true;
		else
			status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	if (a->user && !a->kernel)
		return cli_usage(self, "--user goes with -k");
	return parse_operands(self, a, argc, argv);
}

static int check_address(const struct mmlens_info *info, bool kernel,
			 uint64_t address)
{
	uint64_t first = mmlens_kernel_start(info);

	if (!kernel && address >= info->task_size)
		cli_error("0x%llx: above the user range, which ends at 0x%llx",
			  (unsigned long long)address, info->task_size);
	else if (kernel && address < first)
		cli_error("0x%llx: below the kernel's range, which begins at 0x%llx",
			  (unsigned long long)address,
			  (unsigned long long)first);
	else
		return CLI_OK;
	return CLI_USAGE;
}

static int check_addresses(const struct session *s, const struct arguments *a)
{
	int status = CLI_OK;
	uint64_t address;

	for (int i = 0; !status && i < a->count; i++) {
		cli_parse_address(a->addresses[i], &address);
		status = check_address(s->view.info, a->kernel, address);
	}
	return status;
}

static int translate(struct session *s, const struct arguments *a,
		     uint64_t address, struct mmlens_translation *t)
{
	if (a->kernel)
		return mmlens_translate_kernel(s->lens, address, a->user, t);
	return mmlens_translate(s->lens, a->pid, address, t);
}

static int explain(struct session *s, const struct arguments *a, int error)
{
	if (a->kernel)
		return session_explain_kernel(s, a->user, error);
	return session_explain(s, a->pid, error);
}

static int translate_all(struct session *s, const struct arguments *a)
{
	const struct vtop_view *view = s->json ? &vtop_json : &vtop_text;
	struct mmlens_translation t;
	uint64_t address;
	int ret = 0;

	for (int i = 0; i < a->count && !s->view.error; i++) {
		cli_parse_address(a->addresses[i], &address);
		ret = translate(s, a, address, &t);
		if (ret && !i)
			return explain(s, a, ret);
		if (ret)
			break;
		if (!i)
			view->begin(&s->view, a->pid);
		view->address(&s->view, &t);
	}
	view->end(&s->view);
	return explain(s, a, ret);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct session s;
	int status;

	status = parse(self, &a, argc, argv);
	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, a.kernel ? MMLENS_NR_KMAP : MMLENS_NR_VTOP,
			      a.json);
	if (status != CLI_GO_ON)
		return status;
	status = check_addresses(&s, &a);
	if (!status)
		status = translate_all(&s, &a);
	return session_close(&s, status);
}

const struct command cmd_vtop = {
	.name = "vtop",
	.arguments = "[--json] PID ADDRESS... | -k [--user] [--json] ADDRESS...",
	.summary = "how an address is translated, level by level",
	.help =
	"  -k, --kernel     of the kernel's own addresses, not of a process\n"
	"      --user       with -k: by user mode's table, with page-table isolation\n"
	COMMON_HELP
	"\nAddresses are hexadecimal, with or without 0x.\n",
	.run = run,
};
