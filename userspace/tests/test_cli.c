// SPDX-License-Identifier: GPL-2.0-only
/* What the command says and returns when a module isn't as it should be. */
#include <errno.h>
#include <unistd.h>

#include "cli.h"
#include "fake.h"
#include "test.h"

static struct fake fake;
static int connect_error;

static struct mmlens *connect_fake(void)
{
	errno = connect_error;
	return connect_error ? NULL : fake_open(&fake);
}

/* What the command wrote, until the next one runs. */
static char output[65536], errors[4096];

static void take(FILE *f, int into, int saved, char *room, size_t size)
{
	size_t n;

	fflush(into == STDOUT_FILENO ? stdout : stderr);
	dup2(saved, into);
	close(saved);
	rewind(f);
	n = fread(room, 1, size - 1, f);
	room[n] = '\0';
	fclose(f);
}

/* Run "mmlens A B C D". */
static int run_command(const char *a, const char *b, const char *c,
		       const char *d)
{
	char *argv[] = { "mmlens", (char *)a, (char *)b, (char *)c, (char *)d,
			 NULL };
	FILE *out = tmpfile(), *err = tmpfile();
	int saved_out, saved_err, status, argc = 0;

	while (argv[argc])
		argc++;
	fflush(stdout);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	cli_connect = connect_fake;
	status = cli_run(argc, argv);
	take(out, STDOUT_FILENO, saved_out, output, sizeof(output));
	take(err, STDERR_FILENO, saved_err, errors, sizeof(errors));
	return status;
}

/* No process has so high a PID: /proc can say nothing about it. */
#define PID "2147483647"

static void check_connect(int error, const char *want)
{
	connect_error = error;
	CHECK_NUMBER(run_command("maps", PID, NULL, NULL), CLI_FAILED);
	CHECK_STRING(output, "");
	CHECK(strstr(errors, want));
	connect_error = 0;
}

static void a_missing_module_is_named(void)
{
	check_connect(ENOENT, "mmlens: /dev/mmlens: No such file or directory (is the module loaded? try: sudo modprobe mmlens)\n");
	check_connect(EACCES, "mmlens: /dev/mmlens: Permission denied (try: sudo)\n");
	check_connect(ENOTTY, "doesn't understand this reader (");
	check_connect(E2BIG, "install both from one version\n");
}

static void an_older_module_is_named(void)
{
	fake_init(&fake, NULL, 0);
	fake.info.queries = 1;
	CHECK_NUMBER(run_command("pmap", "-x", PID, NULL), CLI_FAILED);
	CHECK(strstr(errors, "the module (1.2.3, contract 4) can't answer what this reader ("));
	CHECK_STRING(output, "");
	CHECK(fake.closed);
}

static void check_walk_error(int error, int status, const char *want)
{
	const struct fake_call calls[] = { { .error = error } };

	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", "--json", PID, NULL), status);
	CHECK_STRING(output, "");
	if (strcmp(errors, want))
		CHECK(strstr(errors, want));
	CHECK(fake.closed);
}

static void errors_of_a_walk_are_told_apart(void)
{
	check_walk_error(-ESRCH, CLI_MISSING,
			 "mmlens: PID " PID ": no such process\n");
	check_walk_error(-ENXIO, CLI_FAILED,
			 "mmlens: PID " PID ": has no address space\n");
	check_walk_error(-EPERM, CLI_FAILED, "Operation not permitted (");
	check_walk_error(-E2BIG, CLI_FAILED, "the module (1.2.3, contract 4)");
	check_walk_error(-EINTR, CLI_FAILED, "Interrupted system call\n");
}

static void a_target_that_goes_away_ends_the_walk(void)
{
	struct records a = {};

	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	const struct fake_call calls[] = { PART(a), { .error = -ESRCH } };
	const char *note = "mmlens: PID " PID ": exited or executed another program during the walk\n";

	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command("pte", PID, NULL, NULL), CLI_FAILED);
	CHECK(strstr(output, "000000001000-000000002000"));
	CHECK_STRING(errors, note);

	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command("pte", "--each", "--json", PID), CLI_FAILED);
	CHECK(strstr(output, "\"truncated\": true"));
	CHECK(strstr(output, "\"entries\": 1,"));
	CHECK_STRING(output + strlen(output) - 3, "}}\n");
	CHECK_STRING(errors, note);
	CHECK(fake.closed);
}

static void nonsense_is_not_shown_as_truth(void)
{
	struct mmlens_record head = { 3, MMLENS_REC_PTE, 1 };
	struct records a = {};
	char bad[8] = {};

	memcpy(bad, &head, sizeof(head));
	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	add_record(&a, bad, sizeof(bad));
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", "--json", PID, NULL), CLI_FAILED);
	CHECK(strstr(output, "\"truncated\": true"));
	CHECK(strstr(errors, "install both from one version"));
}

static void ranges_reach_the_module(void)
{
	const struct fake_call calls[] = { WHOLE((struct records) {}) };

	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", "--absent", PID, "0x1000-3000"),
		     CLI_OK);
	CHECK_NUMBER(fake.last.start, 0x1000);
	CHECK_NUMBER(fake.last.end, 0x3000);
	CHECK(fake.last.flags & MMLENS_WALK_ABSENT);
	CHECK(fake.last.flags & MMLENS_WALK_PAGE);

	/* An address stands for its page, the last one too. */
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", PID, "7fffffffefff", NULL), CLI_OK);
	CHECK_NUMBER(fake.last.start, 0x7fffffffe000);
	CHECK_NUMBER(fake.last.end, 0x7ffffffff000);

	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", PID, "7ffffffff000", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command("pte", PID, "-1000", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command("pte", PID, "1000-", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command("pte", PID, "1000-1000", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command("pte", PID, "11112222333344445", NULL),
		     CLI_USAGE);
	CHECK_NUMBER(run_command("vtop", PID, "0x", NULL), CLI_USAGE);
	CHECK_NUMBER(fake.made, 0);
}

static void pages_reach_the_module(void)
{
	const struct mmlens_page_state state = { .flags = 1 << 11, .memcg = 1,
						 .mapcount = 1 };
	struct records a = {};

	add_page(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 3, &state);
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", "--pages", PID, NULL), CLI_OK);
	CHECK(fake.last.flags & MMLENS_WALK_STATE);
	CHECK(strstr(output, "000000001000-000000004000       3 pte"));
	CHECK(strstr(output, " mmap "));
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", "--each", "--pages", PID), CLI_OK);
	CHECK(strstr(output, "\n000000003000 pte "));
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command("pte", PID, NULL, NULL), CLI_OK);
	CHECK(!(fake.last.flags & MMLENS_WALK_STATE));

	/* A module from before would only say EINVAL. */
	fake_init(&fake, calls, 1);
	fake.info.abi = 1;
	CHECK_NUMBER(run_command("pte", "--pages", PID, NULL), CLI_FAILED);
	CHECK(strstr(errors, "contract 1) can't answer what this reader ("));
	CHECK_NUMBER(run_command("folios", PID, NULL, NULL), CLI_FAILED);
	CHECK(strstr(errors, "contract 1) can't answer what this reader ("));
	CHECK_NUMBER(fake.made, 0);
}

static void folios_takes_a_range(void)
{
	struct records vmas = {}, pages = {};
	const struct mmlens_page_state state = { .flags = 1 << 12 };

	add_vma(&vmas, 0x1000, 0x9000, 0);
	add_page(&pages, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 2, &state);
	const struct fake_call calls[] = { WHOLE(vmas), WHOLE(pages) };
	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command("folios", PID, "1000-3000", NULL), CLI_OK);
	CHECK_NUMBER(fake.last.start, 0x1000);
	CHECK_NUMBER(fake.last.end, 0x3000);
	CHECK(strstr(output, "anon: 8 kB, 0% in large folios, "));

	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command("folios", "--json", PID, NULL), CLI_OK);
	CHECK_NUMBER(fake.last.start, 0);
	CHECK_NUMBER(fake.last.end, 0);
	CHECK(strstr(output, "\"anonymous\": 8192"));
	CHECK_NUMBER(run_command("folios", PID, "1001-3000", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command("folios", PID, "1000", "2000"), CLI_USAGE);
}

/* What is about a machine that runs doesn't show it in place of a capture. */
static void some_commands_take_no_capture(void)
{
	CHECK_NUMBER(run_command("watch", "--from", "/nothing", PID),
		     CLI_USAGE);
	CHECK(strstr(errors, "it takes no --from"));
	CHECK_NUMBER(run_command("trace", "--from", "/nothing", PID),
		     CLI_USAGE);
	CHECK(strstr(errors, "it takes no --from"));
	CHECK_NUMBER(run_command("snap", "--from", "/nothing", "-o/x"),
		     CLI_USAGE);
	CHECK(strstr(errors, "it takes no --from"));
}

TESTS(TEST(a_missing_module_is_named),
      TEST(an_older_module_is_named),
      TEST(errors_of_a_walk_are_told_apart),
      TEST(a_target_that_goes_away_ends_the_walk),
      TEST(nonsense_is_not_shown_as_truth),
      TEST(ranges_reach_the_module),
      TEST(pages_reach_the_module),
      TEST(folios_takes_a_range),
      TEST(some_commands_take_no_capture))
