// SPDX-License-Identifier: GPL-2.0-only
/* How experiments are shown, and what runs them, without a module. */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "lab.h"
#include "test.h"

static const struct mmlens_info info = {
	.arch = EM_X86_64, .page_shift = 12,
	.version = "1", .release = "6.1",
};

static char shown[65536];

/* What was written to the view's stream. */
static FILE *open_shown(struct view *v)
{
	*v = (struct view) { .out = tmpfile(), .info = &info };
	return v->out;
}

static void read_shown(struct view *v)
{
	size_t n;

	fflush(v->out);
	rewind(v->out);
	n = fread(shown, 1, sizeof(shown) - 1, v->out);
	shown[n] = '\0';
	fclose(v->out);
}

static const struct mmlens_entry writable = {
	.va = 0x7f0000000000, .size = 4096, .level = MMLENS_LEVEL_PTE,
	.raw = 0x8000000001234867, .value = 0x1234,
	.flags = MMLENS_STATE_PRESENT | MMLENS_PTE_USER | MMLENS_PTE_WRITE |
		 MMLENS_PTE_NX,
}, read_only = {
	.va = 0x7f0000000000, .size = 4096, .level = MMLENS_LEVEL_PTE,
	.raw = 0x8000000001234825, .value = 0x1234,
	.flags = MMLENS_STATE_PRESENT | MMLENS_PTE_USER | MMLENS_PTE_NX |
		 MMLENS_PTE_ACCESSED,
}, swapped = {
	.va = 0x7f0000000000, .size = 4096, .level = MMLENS_LEVEL_PTE,
	.raw = 0x1, .value = 1ull << 58 | 5, .flags = MMLENS_STATE_SWAP,
};

static void show_change(const struct lab_view *show,
			const struct mmlens_entry *before,
			const struct mmlens_entry *after)
{
	const struct lab_change c = { .what = "a page", .address = after->va,
				      .before = before, .after = after };
	struct view v;

	open_shown(&v);
	show->entry(&v, &c);
	read_shown(&v);
}

static void test_marks(void)
{
	show_change(&lab_text, &writable, &read_only);
	CHECK_STRING(shown,
		"   entry of 0x7f0000000000, a page\n"
		"      before  present pte 0x8000000001234867 PFN 0x1234 user rw nx\n"
		"      after   present pte 0x8000000001234825 PFN 0x1234 user -rw nx +accessed\n");
	show_change(&lab_text, NULL, &swapped);
	CHECK_STRING(shown,
		"   entry of 0x7f0000000000, a page\n"
		"      is      swap pte 0x0000000000000001 type 1 slot 0x5\n");
	show_change(&lab_json, &read_only, &swapped);
	CHECK(strstr(shown, "\"va\": \"0x7f0000000000\""));
	CHECK(strstr(shown, "\"after\": {\"state\": \"swap\""));
	CHECK(strstr(shown, "\"swap\": {\"type\": 1, \"offset\": 5}"));
}

static void test_words(void)
{
	static const char text[] =
		"Words that are longer than a line has room for go on in the next one, and so do those behind them.";
	struct view v;
	char *line;

	open_shown(&v);
	lab_text.lesson(&v, text, true);
	read_shown(&v);
	CHECK(!strncmp(shown, "   seen: Words", 14));
	for (line = strtok(shown, "\n"); line; line = strtok(NULL, "\n"))
		CHECK(strlen(line) < 85);
}

static void test_numbers(void)
{
	static const char text[] = "SwapFreeX: 7\nSwapFree:      12 kB\nSwap 3\n";
	uint64_t value = 0;

	CHECK(lab_find_number(text, "SwapFree", &value));
	CHECK_NUMBER(value, 12);
	CHECK(lab_find_number(text, "Swap", &value));
	CHECK_NUMBER(value, 3);
	CHECK(!lab_find_number(text, "SwapFre", &value));
	CHECK(!lab_find_number("", "Swap", &value));
}

/* ---- the engine, without looks at the module's answers ---- */

static char setting[] = "/tmp/mmlens-test-lab-XXXXXX";
static uint64_t killed_by;

static int64_t work_die(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	kill(getpid(), SIGKILL);
	return 0;
}

static void run_all(struct lab *lab)
{
	uint64_t area, minor, major;

	lab_start(lab);
	lab_step(lab, "first");
	CHECK(lab_set(lab, setting, "new"));
	area = lab_do(lab, 0, work_map, 4 * MIB, 0, 0);
	CHECK_NUMBER(area % (2 * MIB), 0);
	lab_do(lab, 0, work_fill, area, MIB, 3);
	lab_fork(lab);
	lab_do(lab, 1, work_fill, area, LAB_PAGE, 4);
	CHECK_NUMBER(lab_do(lab, 0, work_check, area, MIB, 3), 256);
	CHECK_NUMBER(lab_do(lab, 1, work_check, area, MIB, 3), 255);
	CHECK_NUMBER(lab_smaps(lab_pid(lab, 0), area, "Size"), 4 * MIB);
	lab_faults(lab_pid(lab, 0), &minor, &major);
	CHECK(minor >= 256);
	CHECK_NUMBER(lab_try(lab, 0, work_die, 0, 0, 0), -EPIPE);
	killed_by = lab_killed_by(lab);
	lab_expect(lab, true, "seen");
}

static void run_failing(struct lab *lab)
{
	lab_start(lab);
	lab_step(lab, "first");
	lab_do(lab, 0, work_advise, 1, 1, 0);
	lab_expect(lab, true, "not reached");
	CHECK(!lab_goes_on(lab));
	CHECK_NUMBER(lab_do(lab, 0, work_map, LAB_PAGE, 0, 0), 0);
}

static void run_interrupted(struct lab *lab)
{
	lab_start(lab);
	lab_step(lab, "first");
	CHECK(lab_set(lab, setting, "new"));
	raise(SIGINT);
	lab_expect(lab, true, "not reached");
}

static void run_missing(struct lab *lab)
{
	lab_step(lab, "first");
	lab_expect(lab, true, "seen");
	lab_expect(lab, false, "not there");
}

static void run_impossible(struct lab *lab)
{
	lab_cannot(lab, "for want of %s", "luck");
	lab_step(lab, "never");
}

static int run_experiment(void (*run)(struct lab *lab),
			  const struct lab_view *show)
{
	const struct lab_experiment e = {
		.name = "test", .summary = "a test", .plan = "Nothing much.",
		.run = run,
	};
	struct view v;
	struct lab lab = { .experiment = &e, .show = show, .view = &v };
	int status;

	open_shown(&v);
	status = lab_run(&lab);
	CHECK_NUMBER(lab.worker[0].pid, 0);
	CHECK_NUMBER(lab.group.kind, LAB_GROUP_NONE);
	CHECK_NUMBER(lab.settings, 0);
	read_shown(&v);
	return status;
}

static void check_setting(const char *want)
{
	char *text = lab_file(setting);

	CHECK(text);
	if (text)
		CHECK_STRING(text, want);
	free(text);
}

static void test_engine(void)
{
	int fd = mkstemp(setting);

	CHECK(fd >= 0 && write(fd, "old", 3) == 3);
	CHECK_NUMBER(run_experiment(run_all, &lab_text), 0);
	CHECK_NUMBER(killed_by, SIGKILL);
	check_setting("old");
	CHECK(strstr(shown, "\nseen (lessons: 1 seen, 0 not seen)\n"));
	CHECK_NUMBER(run_experiment(run_failing, &lab_text), 1);
	CHECK(strstr(shown, "\nfailed: the workload: "));
	CHECK_NUMBER(run_experiment(run_interrupted, &lab_text), 1);
	CHECK(strstr(shown, "\ninterrupted (lessons: 0 seen"));
	check_setting("old");
	CHECK_NUMBER(run_experiment(run_missing, &lab_text), 1);
	CHECK(strstr(shown, "NOT SEEN: not there\n"));
	CHECK(strstr(shown, "\nnot seen (lessons: 1 seen, 1 not seen)\n"));
	CHECK_NUMBER(run_experiment(run_impossible, &lab_text), 3);
	CHECK(strstr(shown, "\ncan't run here: for want of luck ("));
	close(fd);
	unlink(setting);
}

static void test_json(void)
{
	struct json_object *o, *member;

	CHECK_NUMBER(run_experiment(run_missing, &lab_json), 1);
	o = json_tokener_parse(shown);
	CHECK(o && json_object_object_get_ex(o, "result", &member) &&
	      !strcmp(json_object_get_string(member), "not seen"));
	json_object_put(o);
	CHECK_NUMBER(run_experiment(run_impossible, &lab_json), 3);
	o = json_tokener_parse(shown);
	CHECK(o && json_object_object_get_ex(o, "why", &member) &&
	      !strcmp(json_object_get_string(member), "for want of luck"));
	json_object_put(o);
}

/* Each is listed, and one that isn't there is wrong usage. */
static void test_command(void)
{
	struct fake fake = {};

	CHECK_NUMBER(run_command(&fake, "lab", "list", NULL, NULL), CLI_OK);
	for (size_t i = 0; lab_experiments[i]; i++)
		CHECK(strstr(output, lab_experiments[i]->name));
	CHECK_NUMBER(run_command(&fake, "lab", "run", "nonesuch", NULL),
		     CLI_USAGE);
	CHECK(strstr(errors, "'nonesuch' isn't an experiment"));
}

TESTS(TEST(test_marks), TEST(test_words), TEST(test_numbers),
      TEST(test_engine), TEST(test_json), TEST(test_command))
