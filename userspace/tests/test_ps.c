// SPDX-License-Identifier: GPL-2.0-only
/* Processes: what the library puts together and what ps makes of it. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

static struct fake fake;

/* ---- the library ---- */

static void processes_come_with_their_sums(void)
{
	const struct mmlens_process_sums *sums;
	struct records a = {}, b = {};
	struct mmlens_procs *procs;
	struct mmlens *lens;

	add_stranger(&a);
	add_proc(&a, 1, 0, 0, "init");
	add_stranger(&a);
	add_smaps(&a, 4096, 0);
	add_proc(&a, 2, 0, MMLENS_PROC_KTHREAD | MMLENS_PROC_NO_MM, "kthreadd");
	add_proc(&a, 3, 5, 0, "fifteen--bytes-");
	/* The sums come with the next call. */
	add_smaps(&b, 8192, 0);
	add_proc(&b, 4, 5, MMLENS_PROC_RACED, "x");
	const struct fake_call calls[] = { PART(a), WHOLE(b) };
	fake_init(&fake, calls, 2);
	lens = fake_open(&fake);
	procs = mmlens_procs_open(lens, MMLENS_PROCS_SMAPS);

	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 1);
	CHECK_STRING(sums->proc->comm, "init");
	CHECK_NUMBER(sums->smaps->rss, 4096);
	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 1);
	CHECK_NUMBER(sums->proc->pid, 2);
	CHECK(!sums->smaps);
	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 1);
	CHECK_STRING(sums->proc->comm, "fifteen--bytes-");
	CHECK_NUMBER(sums->smaps->rss, 8192);
	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 1);
	CHECK(!sums->smaps);
	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 0);
	CHECK_NUMBER(mmlens_procs_next(procs, &sums), 0);
	CHECK_NUMBER(fake.last.pid, 0);
	CHECK_NUMBER(fake.last.flags, MMLENS_WALK_TOTAL);
	CHECK_NUMBER(mmlens_procs_stats(procs)->calls, 2);
	CHECK(!fake.broken);
	mmlens_procs_close(procs);
	mmlens_close(lens);
}

static int end_of_procs(const struct fake_call *calls, unsigned int count,
			unsigned int flags)
{
	const struct mmlens_process_sums *sums;
	struct mmlens_procs *procs;
	struct mmlens *lens;
	int ret;

	fake_init(&fake, calls, count);
	lens = fake_open(&fake);
	procs = mmlens_procs_open(lens, flags);
	CHECK(procs);
	while ((ret = mmlens_procs_next(procs, &sums)) > 0)
		;
	mmlens_procs_close(procs);
	mmlens_close(lens);
	return ret;
}

static void a_process_without_its_sums_is_none(void)
{
	struct records a = {}, b = {};

	add_proc(&a, 1, 0, 0, "a");
	add_proc(&b, 2, 0, 0, "b");
	const struct fake_call lacks[] = { PART(a), WHOLE(b) };
	const struct fake_call cut[] = { PART(a), { .error = -EINTR } };
	const struct fake_call empty[] = { WHOLE((struct records) {}) };

	CHECK_NUMBER(end_of_procs(lacks, 2, MMLENS_PROCS_SMAPS), -EPROTO);
	CHECK_NUMBER(end_of_procs(lacks, 2, 0), 0);
	CHECK_NUMBER(end_of_procs(cut, 2, MMLENS_PROCS_SMAPS), -EINTR);
	CHECK_NUMBER(end_of_procs(cut, 2, 0), -EINTR);
	CHECK_NUMBER(end_of_procs(empty, 1, MMLENS_PROCS_SMAPS), 0);
	mmlens_procs_close(NULL);
}

static void a_process_can_be_summed_up_alone(void)
{
	struct mmlens_smaps smaps;
	struct records a = {};
	struct mmlens *lens;

	add_vma(&a, 0x1000, 0x3000, 0);
	add_smaps(&a, 4096, 0);
	const struct fake_call calls[] = { WHOLE(a), { .error = -ENXIO } };
	fake_init(&fake, calls, 2);
	lens = fake_open(&fake);
	CHECK_NUMBER(mmlens_process_sum(lens, 7, &smaps), 0);
	CHECK_NUMBER(smaps.rss, 4096);
	CHECK_NUMBER(fake.last.pid, 7);
	CHECK_NUMBER(fake.last.flags, MMLENS_WALK_TOTAL);
	CHECK_NUMBER(mmlens_process_sum(lens, 8, &smaps), -ENXIO);
	mmlens_close(lens);
}

static void the_machine_has_memory(void)
{
	struct mmlens_meminfo m;

	CHECK_NUMBER(mmlens_meminfo_read(&m), 0);
	CHECK(m.total > m.free);
	CHECK(m.total > m.anon && m.anon > 0);
	CHECK(m.cached > 0);
}

/* ---- the command ---- */

/* Nobody has these numbers, so that they have no names. */
#define USER_A 3999999990u
#define USER_B 3999999991u

static void add_sums(struct records *r, uint64_t rss, uint64_t swap)
{
	struct mmlens_smaps smaps = {
		.head = { sizeof(smaps), MMLENS_REC_SMAPS, 0 },
		.rss = rss,
		.pss = (rss / 2) << 12,
		.private_clean = rss / 8,
		.private_dirty = rss / 8,
		.private_hugetlb = 1 << 30,
		.swap = swap,
	};

	add_record(r, &smaps, sizeof(smaps));
}

static struct records machine(void)
{
	struct records r = {};

	add_proc(&r, 1, USER_A, 0, "in\nit");
	add_sums(&r, 64 << 10, 0);
	add_proc(&r, 2, USER_A, MMLENS_PROC_KTHREAD | MMLENS_PROC_NO_MM,
		 "kthreadd");
	add_proc(&r, 30, USER_B, 0, "big");
	add_sums(&r, 4ull << 40, 1 << 20);
	add_proc(&r, 40, USER_B, MMLENS_PROC_NO_MM, "dead");
	add_proc(&r, 500, USER_B, MMLENS_PROC_RACED, "gone");
	add_sums(&r, 4096, 0);
	add_proc(&r, 600, USER_A, 0, "mid");
	add_sums(&r, 8 << 20, 0);
	return r;
}

static int ps(const char *a, const char *b, const char *c)
{
	static struct records r;
	static struct fake_call call;

	r = machine();
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	return run_command(&fake, "ps", a, b, c);
}

static void ps_is_sorted_and_leaves_out_what_has_no_memory(void)
{
	CHECK_NUMBER(ps("-t", NULL, NULL), CLI_OK);
	CHECK_STRING(output,
"PID USER          VSS        RSS        PSS        USS SWAP TABLES COMMAND\n"
"500 3999999991      -          -          -          -    -      - gone\n"
"  1 3999999990 102400         64         32         16    0     40 in it\n"
"600 3999999990 102400       8192       4096       2048    0     40 mid\n"
" 30 3999999991 102400 4294967296 2147483648 1073741824 1024     40 big\n"
"--------------------------------------------------------------------------\n"
"  4 2          307200 4294975552 2147487776 1073743888 1024    120\n");
	CHECK_STRING(errors, "mmlens: 1 process ended or executed another program during the walk: not all of its memory is in the sums\n");
	CHECK_NUMBER(fake.last.flags, MMLENS_WALK_TOTAL);
}

static void ps_shows_everything_when_asked(void)
{
	CHECK_NUMBER(ps("-aH", "--sort=COMMAND", "-r"), CLI_OK);
	CHECK_STRING(output,
"600 3999999990 102400       8192       4096       2048    0 40 mid\n"
"  2 3999999990 102400          0          0          0    0 40 [kthreadd]\n"
"  1 3999999990 102400         64         32         16    0 40 in it\n"
"500 3999999991      -          -          -          -    -  - gone\n"
" 40 3999999991 102400          0          0          0    0 40 [dead] <defunct>\n"
" 30 3999999991 102400 4294967296 2147483648 1073741824 1024 40 big\n");
	CHECK_STRING(errors, "");
}

static void sizes_can_have_units(void)
{
	CHECK_NUMBER(ps("-kH", "-s", "pid"), CLI_OK);
	CHECK(strstr(output, " 30 3999999991 100.0M  4.0T  2.0T  1.0T 1.0M 40.0K big\n"));
	CHECK(strstr(output, "  1 3999999990 100.0M 64.0K 32.0K 16.0K    0 40.0K in it\n"));
	CHECK_NUMBER(ps("-p", NULL, NULL), CLI_OK);
	CHECK(strstr(output, "%"));
	CHECK_NUMBER(ps("-p", "-k", NULL), CLI_USAGE);
}

static void check_sort(const char *column, const char *first)
{
	CHECK_NUMBER(ps("-Hr", "--sort", column), CLI_OK);
	if (!strstr(output, first) ||
	    strchr(output, '\n') < strstr(output, first)) {
		fprintf(stderr, "%s:\n%s", column, output);
		CHECK(false);
	}
}

static void every_column_sorts(void)
{
	check_sort("pid", "mid");
	check_sort("USER", "gone");
	check_sort("name", "mid");
	check_sort("command", "mid");
	check_sort("Swap", "big");
	check_sort("uss", "big");
	check_sort("pss", "big");
	check_sort("rss", "big");
	check_sort("vss", "mid");
	check_sort("tables", "mid");
	CHECK_NUMBER(ps("-s", "foo", NULL), CLI_USAGE);
	CHECK(strstr(errors, "no column is named 'foo'; there are: pid user vss rss pss uss swap tables command name\n"));
	CHECK_NUMBER(ps("-ms", "tables", NULL), CLI_USAGE);
	CHECK(strstr(errors, "there are: count pids vss rss pss uss swap avgpss map\n"));
}

static void users_are_summed_up(void)
{
	CHECK_NUMBER(ps("-ut", NULL, NULL), CLI_OK);
	CHECK_STRING(output,
"USER       COUNT    VSS        RSS        PSS        USS SWAP TABLES\n"
"3999999990     2 204800       8256       4128       2064    0     80\n"
"3999999991     1 102400 4294967296 2147483648 1073741824 1024     40\n"
"--------------------------------------------------------------------\n"
"               3 307200 4294975552 2147487776 1073743888 1024    120\n");
	CHECK(strstr(errors, "1 process ended"));
}

static void no_process_is_a_table_too(void)
{
	const struct fake_call call = WHOLE((struct records) {});

	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "ps", "-t", NULL, NULL), CLI_OK);
	CHECK_STRING(output,
"PID USER VSS RSS PSS USS SWAP TABLES COMMAND\n"
"--------------------------------------------\n"
"  0 0      0   0   0   0    0      0\n");
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "ps", "--json", NULL, NULL), CLI_OK);
	CHECK(strstr(output, "\"processes\": [], \"total\": { \"vss\": 0,"));
}

/* PIDs that /proc knows nothing about. */
#define A 2147483640
#define B 2147483641
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static void pids_are_picked(void)
{
	struct records list = {}, sums = {};

	add_proc(&list, 1, USER_A, 0, "init");
	add_proc(&list, A, USER_A, 0, "a");
	add_proc(&list, B, USER_A, 0, "b");
	add_vma(&sums, 0x1000, 0x3000, 0);
	add_sums(&sums, 8192, 0);
	const struct fake_call calls[] = { WHOLE(list), WHOLE(sums),
					   { .error = -ESRCH } };
	fake_init(&fake, calls, 3);
	CHECK_NUMBER(run_command(&fake, "ps", TEXT(A), "/proc/" TEXT(B),
				 "2147483642"), CLI_MISSING);
	CHECK_STRING(output,
"       PID USER          VSS RSS PSS USS SWAP TABLES COMMAND\n"
"2147483641 3999999990      -   -   -   -    -      - b\n"
"2147483640 3999999990 102400   8   4   2    0     40 a\n");
	CHECK_STRING(errors, "mmlens: PID 2147483642: no such process\n");
	CHECK_NUMBER(fake.made, 3);
	CHECK_NUMBER(fake.last.pid, B);
	CHECK(fake.closed);
}

static void add_mapping(struct records *r, uint64_t start, const char *name,
			uint64_t rss)
{
	add_vma(r, start, start + 0x4000, 0);
	if (name)
		add_name(r, name);
	add_sums(r, rss, 0);
}

static void mappings_are_summed_up_by_name(void)
{
	struct records list = {}, a = {}, b = {};

	add_proc(&list, 1, USER_A, 0, "a");
	add_proc(&list, 2, USER_A, MMLENS_PROC_NO_MM, "k");
	add_proc(&list, 3, USER_A, 0, "b");
	add_proc(&list, 4, USER_A, 0, "gone");
	add_mapping(&a, 0x1000, "/x\ny", 8192);
	add_mapping(&a, 0x8000, "/x\ny", 8192);
	add_mapping(&a, 0x10000, NULL, 4096);
	add_mapping(&b, 0x1000, "/x\ny", 16384);
	add_mapping(&b, 0x10000, "/x", 0);
	const struct fake_call calls[] = { WHOLE(list), WHOLE(a), WHOLE(b),
					   { .error = -ESRCH } };
	fake_init(&fake, calls, 4);
	CHECK_NUMBER(run_command(&fake, "ps", "-mt", NULL, NULL), CLI_OK);
	CHECK_STRING(output,
"COUNT PIDS VSS RSS PSS USS SWAP AVGPSS MAP\n"
"    1    1  16   0   0   0    0      0 /x\n"
"    1    1  16   4   2   1    0      2 <anonymous>\n"
"    3    2  48  32  16   8    0      8 /x y\n"
"------------------------------------------\n"
"    5    4  80  36  18   9    0     10\n");
	CHECK(strstr(errors, "1 process ended"));
	fake_init(&fake, calls, 4);
	CHECK_NUMBER(run_command(&fake, "ps", "-m", "--json", NULL), CLI_OK);
	CHECK(strstr(output, "\"map\": \"/x\\ny\", \"count\": 3, \"pids\": 2, \"vss\": 49152, \"rss\": 32768,"));
}

static void the_machine_is_summed_up(void)
{
	fake_init(&fake, NULL, 0);
	CHECK_NUMBER(run_command(&fake, "ps", "-w", NULL, NULL), CLI_OK);
	CHECK(strstr(output, " kernel dynamic memory\n"));
	CHECK(strstr(output, " userspace memory\n"));
	CHECK(strstr(output, " free memory\n"));
	CHECK_NUMBER(run_command(&fake, "ps", "-w", "1", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command(&fake, "ps", "-w", "-m", NULL), CLI_USAGE);
	CHECK_NUMBER(run_command(&fake, "ps", "-wc", NULL, NULL), CLI_USAGE);
	CHECK_NUMBER(run_command(&fake, "ps", "0", NULL, NULL), CLI_USAGE);
}

static void ps_json_has_bytes(void)
{
	CHECK_NUMBER(ps("--json", "-a", NULL), CLI_OK);
	CHECK(strstr(output, "{ \"pid\": 30, \"ppid\": 1, \"uid\": 3999999991, \"user\": \"3999999991\", \"threads\": 1, \"comm\": \"big\", \"flags\": [ ], \"vss\": 104857600, \"rss\": 4398046511104, \"pss\": 2199023255552, \"uss\": 1099511627776, \"swap\": 1048576, \"tables\": 40960 }"));
	CHECK(strstr(output, "\"comm\": \"gone\", \"flags\": [ \"raced\" ] }"));
	CHECK(strstr(output, "\"flags\": [ \"kthread\", \"no_mm\" ], \"vss\""));
	CHECK(strstr(output, "\"walk\": {\"processes\": 6,"));
	CHECK(!strstr(output, "cmdline"));
}

static void an_error_is_of_all_processes(void)
{
	const struct fake_call call = { .error = -EPERM };

	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "ps", NULL, NULL, NULL), CLI_FAILED);
	CHECK(strstr(errors, "mmlens: processes: Operation not permitted ("));
	fake_init(&fake, NULL, 0);
	fake.info.queries = 0x1f;
	CHECK_NUMBER(run_command(&fake, "ps", NULL, NULL, NULL), CLI_FAILED);
	CHECK(strstr(errors, "can't answer what"));
}

TESTS(TEST(processes_come_with_their_sums),
      TEST(a_process_without_its_sums_is_none),
      TEST(a_process_can_be_summed_up_alone),
      TEST(the_machine_has_memory),
      TEST(ps_is_sorted_and_leaves_out_what_has_no_memory),
      TEST(ps_shows_everything_when_asked),
      TEST(sizes_can_have_units),
      TEST(every_column_sorts),
      TEST(users_are_summed_up),
      TEST(no_process_is_a_table_too),
      TEST(pids_are_picked),
      TEST(mappings_are_summed_up_by_name),
      TEST(the_machine_is_summed_up),
      TEST(ps_json_has_bytes),
      TEST(an_error_is_of_all_processes))
