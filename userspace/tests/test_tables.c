// SPDX-License-Identifier: GPL-2.0-only
/* Page-table pages: sums, histogram, ranges, and what is shown of them. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

#define PTE MMLENS_LEVEL_PTE
#define PMD MMLENS_LEVEL_PMD
#define PUD MMLENS_LEVEL_PUD
#define PGD MMLENS_LEVEL_PGD
#define MB2 (2ull << 20)
#define GB (1ull << 30)

static struct occupancy occupancy;
static struct occupancy_range top[4];
static struct fake fake;

static void begin(size_t room)
{
	occupancy_begin(&occupancy, &fake_info, top, room);
}

static void add_flagged(unsigned int level, uint64_t va, unsigned int used,
			uint32_t flags)
{
	struct mmlens_table table = {
		.head = { sizeof(table), MMLENS_REC_TABLE, level },
		.flags = flags,
		.va = va,
		.entries = level == PGD ? 256 : 512,
		.used = used,
	};

	occupancy_add(&occupancy, &table);
}

static void add(unsigned int level, uint64_t va, unsigned int used)
{
	add_flagged(level, va, used, 0);
}

/* ---- arithmetic ---- */

static void check_bucket(unsigned int bucket, unsigned int first,
			 unsigned int last)
{
	unsigned int got_first, got_last;

	occupancy_bucket(bucket, 512, &got_first, &got_last);
	CHECK_NUMBER(got_first, first);
	CHECK_NUMBER(got_last, last);
	begin(0);
	add(PTE, 0, first);
	add(PTE, MB2, last);
	CHECK_NUMBER(occupancy.level[PTE].bucket[bucket], 2);
}

static void buckets_have_their_bounds(void)
{
	check_bucket(0, 0, 0);
	check_bucket(1, 1, 15);
	check_bucket(2, 16, 63);
	check_bucket(3, 64, 255);
	check_bucket(4, 256, 511);
	check_bucket(5, 512, 512);
}

/* Every number of entries is in one bucket, and in its bounds. */
static void buckets_have_no_gaps(void)
{
	static const unsigned int sizes[] = { 256, 512, 2048, 8192 };

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned int first, last, next = 0;

		for (unsigned int b = 0; b < OCCUPANCY_BUCKETS; b++) {
			occupancy_bucket(b, sizes[s], &first, &last);
			CHECK_NUMBER(first, next);
			CHECK(last >= first);
			next = last + 1;
		}
		CHECK_NUMBER(next, sizes[s] + 1);
	}
}

static void waste_is_what_full_tables_would_not_need(void)
{
	struct occupancy_sum sum;

	begin(4);
	add_flagged(PGD, 0, 1, MMLENS_TABLE_UNCOUNTED);
	add(PUD, 0, 1);
	add(PMD, 0, 4);
	add(PTE, 0, 512);
	add(PTE, MB2, 1);
	add(PTE, 2 * MB2, 0);
	add(PTE, 3 * MB2, 511);
	add_flagged(PTE, 4 * MB2, 0, MMLENS_TABLE_DEPOSITED);
	occupancy_finish(&occupancy);
	occupancy_sum(&occupancy, &sum);
	CHECK_NUMBER(sum.tables, 7);
	CHECK_NUMBER(sum.bytes, 7 * 4096);
	CHECK_NUMBER(sum.reserve, 4096);
	/* 1024 entries need two tables; one each for the levels above. */
	CHECK_NUMBER(sum.needed, 4 * 4096);
	CHECK_NUMBER(sum.wasted, 2 * 4096);
	CHECK_NUMBER(sum.empty, 1);
	CHECK(occupancy.level[PGD].uncounted);
	add(PTE, 5 * MB2, 1);
	CHECK_NUMBER(occupancy_needed(&occupancy.level[PTE]), 3);
}

static void nothing_amounts_to_nothing(void)
{
	struct occupancy_sum sum;

	begin(4);
	occupancy_finish(&occupancy);
	occupancy_sum(&occupancy, &sum);
	CHECK_NUMBER(sum.bytes + sum.needed + sum.wasted + sum.reserve, 0);
	CHECK_NUMBER(occupancy.ranges, 0);
	CHECK_NUMBER(occupancy_needed(&occupancy.level[PTE]), 0);
}

/* 11 GiB of page tables where 0.1 would do. */
static void millions_fit_into_the_same_room(void)
{
	const uint64_t count = 2883584;
	struct occupancy_sum sum;

	begin(1);
	for (uint64_t i = 0; i < count; i++)
		add(PTE, i * MB2, 5);
	occupancy_finish(&occupancy);
	occupancy_sum(&occupancy, &sum);
	CHECK_NUMBER(sum.bytes, 11 * GB);
	CHECK_NUMBER(sum.needed, (count * 5 + 511) / 512 * 4096);
	CHECK_NUMBER(sum.wasted, sum.bytes - sum.needed);
	CHECK_NUMBER(occupancy.ranges, 1);
	CHECK_NUMBER(top[0].start, 0);
	CHECK_NUMBER(top[0].end, count * MB2);
	CHECK_NUMBER(top[0].used, count * 5);
}

/* ---- the emptiest ranges ---- */

static void check_range(size_t i, uint64_t start, uint64_t end, uint64_t tables)
{
	CHECK_NUMBER(top[i].start, start);
	CHECK_NUMBER(top[i].end, end);
	CHECK_NUMBER(top[i].tables, tables);
}

static void neighbours_are_one_range(void)
{
	begin(4);
	add(PMD, 0, 300);
	add(PTE, 0, 255);
	add(PTE, MB2, 0);
	/* Half full: no range of its own, and the end of the one before. */
	add(PTE, 2 * MB2, 256);
	add(PTE, 3 * MB2, 1);
	/* Levels don't end each other's ranges. */
	add(PMD, GB, 2);
	/* A gap, but less than a PMD table spans. */
	add(PTE, GB, 2);
	add(PTE, GB + MB2, 3);
	/* A gap that is more. */
	add(PTE, 2 * GB + 2 * MB2, 1);
	occupancy_finish(&occupancy);
	CHECK_NUMBER(occupancy.ranges, 4);
	CHECK_NUMBER(occupancy.all_ranges, 4);
	check_range(0, 3 * MB2, GB + 2 * MB2, 3);
	check_range(1, 0, 2 * MB2, 2);
	check_range(2, 2 * GB + 2 * MB2, 2 * GB + 3 * MB2, 1);
	check_range(3, GB, 2 * GB, 1);
	CHECK_NUMBER(top[3].level, PMD);
	CHECK_NUMBER(top[0].used, 6);
	CHECK_NUMBER(top[0].entries, 3 * 512);
}

static void the_emptiest_are_kept(void)
{
	/* Ranges of 1 to 9 tables, the longest neither first nor last. */
	static const unsigned int lengths[] = { 3, 9, 1, 7, 5, 2, 8, 4, 6 };
	uint64_t va = 0;

	begin(3);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (unsigned int n = 0; n < lengths[i]; n++, va += MB2)
			add(PTE, va, 0);
		add(PTE, va, 512);
		va += MB2;
	}
	occupancy_finish(&occupancy);
	CHECK_NUMBER(occupancy.ranges, 3);
	CHECK_NUMBER(occupancy.all_ranges, ARRAY_SIZE(lengths));
	CHECK_NUMBER(top[0].tables, 9);
	CHECK_NUMBER(top[1].tables, 8);
	CHECK_NUMBER(top[2].tables, 7);
	begin(0);
	add(PTE, 0, 0);
	occupancy_finish(&occupancy);
	CHECK_NUMBER(occupancy.ranges, 0);
	CHECK_NUMBER(occupancy.all_ranges, 1);
}

/* ---- the command ---- */

static struct records some_tables(void)
{
	struct records r = {};

	add_table(&r, PGD, 0, MMLENS_TABLE_UNCOUNTED, 1);
	add_table(&r, PUD, 0, 0, 2);
	add_table(&r, PMD, 0, 0, 3);
	add_table(&r, PMD, GB, MMLENS_TABLE_SHARED, 512);
	add_table(&r, PTE, 0, 0, 512);
	add_stranger(&r);
	add_table(&r, PTE, MB2, 0, 10);
	add_table(&r, PTE, 2 * MB2, 0, 0);
	add_table(&r, PTE, 4 * MB2, MMLENS_TABLE_DEPOSITED, 0);
	return r;
}

/* No process has so high a PID: /proc can say nothing about it. */
#define PID "2147483647"

static int tables(const char *a, const char *b, const char *c)
{
	static struct records r;
	static struct fake_call call;

	r = some_tables();
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	return run_command(&fake, "tables", a, b, c);
}

static void tables_are_summed_up(void)
{
	CHECK_NUMBER(tables(PID, NULL, NULL), CLI_OK);
	CHECK_STRING(output,
"2147483647:   []\n"
"28.0K of page tables; 20.0K, all full, would do; 4.0K (14.3%) wasted\n"
"\n"
"LEVEL         TABLES      KBYTES           USED FILLED      EMPTY   NEEDED_KB   WASTED_KB\n"
"pgd                1           4              1   0.4%          0           4           0  not in VmPTE\n"
"pud                1           4              2   0.4%          0           4           0\n"
"pmd                2           8            515  50.3%          0           8           0\n"
"pte                3          12            522  34.0%          1           8           4\n"
"deposited          1           4  reserve: kept for when huge pages are split\n"
"VmPTE              7          28                                1          20           4\n"
"1 of level pmd (hugetlb) other processes have too\n"
"\n"
"NODE         pgd        pud        pmd        pte\n"
"0              1          1          2          2\n"
"1              0          0          0          1\n"
"\n"
"USED           0       1-15      16-63     64-255    256-511        512\n"
"pud            0          1          0          0          0          0\n"
"pmd            0          1          0          0          0          1\n"
"pte            1          1          0          0          0          1\n"
"\n"
"Emptiest ranges (3 of 3):\n"
"START-END                 LEVEL     TABLES      KBYTES           USED FILLED\n"
"000000200000-000000600000 pte            2           8             10   1.0%\n"
"000000000000-008000000000 pud            1           4              2   0.4%\n"
"000000000000-000040000000 pmd            1           4              3   0.6%\n");
	CHECK_STRING(errors, "");
	CHECK(fake.closed);
	CHECK_NUMBER(fake.last.flags, 0);
}

static void each_table_has_its_line(void)
{
	CHECK_NUMBER(tables("--each", PID, NULL), CLI_OK);
	CHECK_STRING(output,
"2147483647:   []\n"
"LEVEL ADDRESS             PFN NODE    USED FLAGS\n"
"pgd   000000000000     0x1000    0   1/256 uncounted\n"
"pud   000000000000     0x1000    0   2/512\n"
"pmd   000000000000     0x1000    0   3/512\n"
"pmd   000040000000    0x41000    0 512/512 shared\n"
"pte   000000000000     0x1000    0 512/512\n"
"pte   000000200000     0x1200    1  10/512\n"
"pte   000000400000     0x1400    0   0/512\n"
"pte   000000800000          -    -       - deposited\n");
}

static struct json_object *document(void)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *doc;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	doc = json_tokener_parse_ex(t, output, (int)strlen(output) + 1);
	CHECK(doc);
	json_tokener_free(t);
	return doc;
}

static struct json_object *at(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	CHECK(json_object_object_get_ex(o, key, &value));
	return value;
}

static long long number_at(struct json_object *o, const char *key)
{
	return json_object_get_int64(at(o, key));
}

static void json_has_all_of_it(void)
{
	struct json_object *doc, *process, *level, *bucket;

	CHECK_NUMBER(tables("--json", "--each", PID), CLI_OK);
	doc = document();
	process = json_object_array_get_idx(at(doc, "processes"), 0);
	CHECK_NUMBER(json_object_array_length(at(process, "tables")), 8);
	CHECK_NUMBER(json_object_array_length(at(process, "levels")), 4);
	level = json_object_array_get_idx(at(process, "levels"), 3);
	CHECK_NUMBER(number_at(level, "wasted"), 4096);
	bucket = json_object_array_get_idx(at(level, "histogram"), 1);
	CHECK_NUMBER(number_at(bucket, "last"), 15);
	CHECK_NUMBER(number_at(bucket, "tables"), 1);
	CHECK_NUMBER(json_object_array_length(at(process, "nodes")), 2);
	CHECK_NUMBER(json_object_array_length(at(process, "emptiest")), 3);
	CHECK_NUMBER(number_at(at(process, "total"), "bytes"), 7 * 4096);
	CHECK_NUMBER(number_at(at(process, "walk"), "tables"), 7);
	json_object_put(doc);
	CHECK_NUMBER(tables("--json", "--ranges=0", PID), CLI_OK);
	doc = document();
	process = json_object_array_get_idx(at(doc, "processes"), 0);
	CHECK_NUMBER(json_object_array_length(at(process, "emptiest")), 0);
	json_object_put(doc);
}

static void several_pids_are_told_apart(void)
{
	struct records a = some_tables();
	const struct fake_call calls[] = { { .error = -ESRCH }, WHOLE(a),
					   { .error = -ENXIO } };

	fake_init(&fake, calls, 3);
	CHECK_NUMBER(run_command(&fake, "tables", PID, PID, PID), CLI_MISSING);
	CHECK(strstr(output, "VmPTE              7"));
	CHECK(strstr(errors, "no such process"));
	CHECK(strstr(errors, "has no address space"));
	fake_init(&fake, calls, 3);
	CHECK_NUMBER(run_command(&fake, "tables", "--json", PID, PID),
		     CLI_MISSING);
	json_object_put(document());
}

static void a_walk_that_breaks_off_says_so(void)
{
	struct records a = {}, bad = {};
	const char *note = "exited or executed another program";

	add_table(&a, PTE, 0, 0, 5);
	add_table(&bad, PTE, 0, 0, 513);
	const struct fake_call calls[] = { PART(a), { .error = -ESRCH } };
	const struct fake_call nonsense[] = { WHOLE(bad) };

	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command(&fake, "tables", "--json", PID, NULL),
		     CLI_FAILED);
	CHECK(strstr(output, "\"truncated\": true"));
	CHECK(strstr(errors, note));
	json_object_put(document());
	fake_init(&fake, nonsense, 1);
	CHECK_NUMBER(run_command(&fake, "tables", PID, NULL, NULL),
		     CLI_FAILED);
	CHECK(strstr(errors, "install both from one version"));
}

static const struct fake_call *all_calls(void)
{
	static struct records list, a, b, cut;
	static struct fake_call calls[5];

	list = a = b = cut = (struct records) {};
	add_proc(&list, 1, 0, 0, "small");
	add_proc(&list, 2, 0, MMLENS_PROC_KTHREAD | MMLENS_PROC_NO_MM, "k");
	add_proc(&list, 3, 0, 0, "wasteful");
	add_proc(&list, 4, 0, 0, "gone");
	add_proc(&list, 5, 0, 0, "vanished");
	add_table(&a, PTE, 0, 0, 500);
	for (uint64_t i = 0; i < 100; i++)
		add_table(&b, PTE, i * MB2, 0, 1);
	add_table(&cut, PTE, 0, 0, 1);
	calls[0] = (struct fake_call) WHOLE(list);
	calls[1] = (struct fake_call) WHOLE(a);
	calls[2] = (struct fake_call) WHOLE(b);
	calls[3] = (struct fake_call) { .error = -ESRCH };
	calls[4] = (struct fake_call) WHOLE(cut);
	calls[4].status = MMLENS_STATUS_TRUNCATED;
	return calls;
}

static void the_most_wasteful_comes_first(void)
{
	const struct fake_call *calls = all_calls();
	struct fake_call more[6];
	struct json_object *doc;

	memcpy(more, calls, 5 * sizeof(more[0]));
	more[5] = (struct fake_call) { .error = -ESRCH };
	fake_init(&fake, more, 6);
	CHECK_NUMBER(run_command(&fake, "tables", "--all", NULL, NULL),
		     CLI_OK);
	CHECK_STRING(output,
"404.0K of page tables; 8.0K, all full, would do; 396.0K (98.0%) wasted\n"
"\n"
"       PID     TABLES      EMPTY      KBYTES  RESERVE_KB   NEEDED_KB   WASTED_KB WASTED COMMAND\n"
"         3        100          0         400           0           4         396  99.0% wasteful\n"
"         1          1          0           4           0           4           0   0.0% small\n"
"     total        101          0         404           0           8         396  98.0%\n");
	CHECK_STRING(errors, "");
	CHECK_NUMBER(fake.made, 6);

	fake_init(&fake, more, 6);
	CHECK_NUMBER(run_command(&fake, "tables", "--all", "--json", NULL),
		     CLI_OK);
	doc = document();
	CHECK_NUMBER(json_object_array_length(at(doc, "processes")), 2);
	CHECK_NUMBER(number_at(at(doc, "total"), "wasted"), 396 << 10);
	CHECK_NUMBER(number_at(at(doc, "walk"), "processes"), 2);
	json_object_put(doc);
}

static void arguments_make_sense(void)
{
	CHECK_NUMBER(tables(NULL, NULL, NULL), CLI_USAGE);
	CHECK_NUMBER(tables("--all", PID, NULL), CLI_USAGE);
	CHECK_NUMBER(tables("--all", "--each", NULL), CLI_USAGE);
	CHECK_NUMBER(tables("--ranges", "x", PID), CLI_USAGE);
	CHECK_NUMBER(tables("--ranges", "-1", PID), CLI_USAGE);
	CHECK_NUMBER(tables("--ranges", "99999999999999999999", PID),
		     CLI_USAGE);
	CHECK_NUMBER(tables("0", NULL, NULL), CLI_USAGE);
	CHECK_NUMBER(fake.made, 0);
}

TESTS(TEST(buckets_have_their_bounds),
      TEST(buckets_have_no_gaps),
      TEST(waste_is_what_full_tables_would_not_need),
      TEST(nothing_amounts_to_nothing),
      TEST(millions_fit_into_the_same_room),
      TEST(neighbours_are_one_range),
      TEST(the_emptiest_are_kept),
      TEST(tables_are_summed_up),
      TEST(each_table_has_its_line),
      TEST(json_has_all_of_it),
      TEST(several_pids_are_told_apart),
      TEST(a_walk_that_breaks_off_says_so),
      TEST(the_most_wasteful_comes_first),
      TEST(arguments_make_sense))
