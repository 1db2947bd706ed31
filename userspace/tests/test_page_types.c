// SPDX-License-Identifier: GPL-2.0-only
/* page-types: what its options mean, and what it writes. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

#define KPF(bit) (1ull << (bit))

static struct fake fake;

/* ---- specifications ---- */

static void ranges_are_the_tools(void)
{
	static const struct {
		const char *text;
		uint64_t start;
		uint64_t end;
	} good[] = {
		{ "5", 5, 6 },
		{ "0", 0, 1 },
		{ "0x10", 16, 17 },
		{ "0x10+4", 16, 20 },
		{ "0x10+0", 16, 16 },
		{ "3,9", 3, 9 },
		{ "3,3", 3, 3 },
		{ "7,", 7, UINT64_MAX },
		{ "7+", 7, UINT64_MAX },
		{ ",9", 0, 9 },
		{ "+9", 0, 9 },
		{ "8+0x7fffffffffffffff", 8, 0x8000000000000007 },
		{ "-1,", UINT64_MAX, UINT64_MAX },
	};
	static const char *const bad[] = {
		"", ",", "+", "x", "9,3", "3,x", "x,3", "a+1",
	};
	uint64_t start, end;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK_NUMBER(mmlens_page_range_parse(good[i].text, &start,
						     &end), 0);
		CHECK_NUMBER(start, good[i].start);
		CHECK_NUMBER(end, good[i].end);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_NUMBER(mmlens_page_range_parse(bad[i], &start, &end),
			     -EINVAL);
}

static void names_are_the_tools(void)
{
	static const struct {
		const char *text;
		uint64_t flags;
	} good[] = {
		{ "", 0 },
		{ "lru", KPF(5) },
		{ "anon", KPF(12) },
		{ "mm", KPF(11) },
		{ "compound", KPF(15) | KPF(16) },
		{ "c", KPF(15) | KPF(16) },
		{ "compound_t", KPF(16) },
		{ "lru,active", KPF(5) | KPF(6) },
		{ "0x10,lru", KPF(4) | KPF(5) },
		{ "lru,~active", KPF(5) },
		{ "0", 0 },
		{ ",lru,", KPF(5) },
		{ "lru=active", KPF(5) },
		{ "file", KPF(61) },
		{ "mmap_e", KPF(63) },
	};
	uint64_t flags;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK_NUMBER(mmlens_page_types_names(good[i].text, &flags), 0);
		CHECK_NUMBER(flags, good[i].flags);
	}
	CHECK_NUMBER(mmlens_page_types_names("nonsense", &flags), -EINVAL);
	CHECK_NUMBER(mmlens_page_types_names("lru,nonsense", &flags), -EINVAL);
}

static bool takes(const char *text, uint64_t flags)
{
	struct mmlens_page_filter filter;

	CHECK_NUMBER(mmlens_page_filter_parse(text, &filter), 0);
	return mmlens_page_filter_takes(&filter, flags);
}

static void filters_are_the_tools(void)
{
	const uint64_t lru = KPF(5), active = KPF(6), dirty = KPF(4);
	struct mmlens_page_filter filter;

	CHECK(takes("lru,active", lru));
	CHECK(takes("lru,active", active | dirty));
	CHECK(!takes("lru,active", dirty));
	CHECK(takes("lru,active=lru", lru | dirty));
	CHECK(!takes("lru,active=lru", lru | active));
	CHECK(!takes("lru,active=lru", dirty));
	CHECK(takes("lru,~active", lru | dirty));
	CHECK(!takes("lru,~active", lru | active));
	CHECK(!takes("~active", active));
	CHECK(takes("~active", lru));
	CHECK(takes("=lru,active", lru | active));
	CHECK(!takes("=lru,active", lru | active | dirty));
	CHECK(takes("=", 0));
	CHECK(!takes("=", lru));
	CHECK(!takes("", lru));
	CHECK_NUMBER(mmlens_page_filter_parse("lru=x", &filter), -EINVAL);
	CHECK_NUMBER(mmlens_page_filter_parse("x=lru", &filter), -EINVAL);
	CHECK_NUMBER(mmlens_page_filter_parse("lru,~x", &filter), -EINVAL);
}

static void flags_are_shown_as_the_tools(void)
{
	const uint64_t head = KPF(15), huge = KPF(17), owner = KPF(34);

	CHECK_NUMBER(mmlens_page_types_known(KPF(5) | head | owner), KPF(5));
	CHECK_NUMBER(mmlens_page_types_known(huge | head | KPF(32)),
		     huge | head);
	CHECK_NUMBER(mmlens_page_types_raw(KPF(12) | owner, 0),
		     KPF(12) | KPF(47));
	CHECK_NUMBER(mmlens_page_types_raw(owner, 0), owner);
	CHECK_NUMBER(mmlens_page_types_raw(KPF(7) | KPF(6) | KPF(1), 0),
		     KPF(7) | KPF(50) | KPF(51));
	CHECK_NUMBER(mmlens_page_types_raw(KPF(9), 0), KPF(48));
	CHECK_NUMBER(mmlens_page_types_raw(KPF(9) | KPF(8), 0),
		     KPF(9) | KPF(8));
	CHECK_NUMBER(mmlens_page_types_raw(0, MMLENS_STATE_PRESENT |
					   MMLENS_PTE_FILE |
					   MMLENS_PTE_EXCLUSIVE),
		     KPF(61) | KPF(63));
	CHECK_NUMBER(mmlens_page_types_raw(0, MMLENS_STATE_SWAP |
					   MMLENS_PTE_SOFT_DIRTY),
		     KPF(62) | KPF(40));
	CHECK_NUMBER(mmlens_page_types_raw(0, MMLENS_STATE_MARKER), KPF(62));
}

/* Which slot is free decides, and 0 has one of its own. */
static void types_are_in_the_tools_order(void)
{
	static struct mmlens_page_types types;
	const uint64_t high = KPF(20);

	CHECK_NUMBER(mmlens_page_types_add(&types, high, 3), 0);
	CHECK_NUMBER(mmlens_page_types_add(&types, 2 * high, 4), 0);
	CHECK_NUMBER(mmlens_page_types_add(&types, 0, 5), 0);
	CHECK_NUMBER(mmlens_page_types_add(&types, 1, 6), 0);
	CHECK_NUMBER(mmlens_page_types_add(&types, high, 7), 0);
	CHECK_NUMBER(types.total, 25);
	CHECK_NUMBER(types.type[0].pages, 5);
	CHECK_NUMBER(types.type[1].flags, high);
	CHECK_NUMBER(types.type[1].pages, 10);
	CHECK_NUMBER(types.type[2].flags, 2 * high);
	CHECK_NUMBER(types.type[3].flags, 1);
	for (uint64_t i = 1; i < MMLENS_PAGE_TYPES - 3; i++)
		CHECK_NUMBER(mmlens_page_types_add(&types, i << 30, 1), 0);
	CHECK_NUMBER(mmlens_page_types_add(&types, 0x7777ull << 40, 1),
		     -ENOSPC);
}

/* ---- the command ---- */

/* Page frames up to 0x40; those without a page have no flags. */
static int frames(uint64_t pfn, uint64_t *flags)
{
	*flags = 0;
	return pfn < 0x40;
}

static int no_file(uint64_t pfn, uint64_t *flags)
{
	(void)pfn;
	(void)flags;
	return -EACCES;
}

static void add_pfns(struct records *r, uint64_t pfn, uint32_t count,
		     uint64_t flags, uint64_t memcg, int mapcount)
{
	struct mmlens_pfns run = {
		.head = { sizeof(run), MMLENS_REC_PFNS, 0 },
		.count = count,
		.pfn = pfn,
		.page_flags = flags,
		.memcg = memcg,
		.mapcount = mapcount,
	};

	add_record(r, &run, sizeof(run));
}

#define TABLE \
	"             flags\tpage-count       MB" \
	"  symbolic-flags\t\t\tlong-symbolic-flags\n"
#define NONE "___________________________________________"

/* PFNs 0x10 to 0x1f, and 0x21. */
static int run_machine(const char *a, const char *b, const char *c)
{
	static struct records r;
	static struct fake_call call;

	r.length = 0;
	add_pfns(&r, 0x10, 8, KPF(5) | KPF(34), 7, 1);
	add_pfns(&r, 0x18, 8, KPF(5), 7, 1);
	add_pfns(&r, 0x21, 1, KPF(12) | KPF(34), 9, 2);
	call = (struct fake_call)WHOLE(r);
	fake_init(&fake, &call, 1);
	return run_command(&fake, "page-types", a, b, c);
}

static void table_of_all_page_frames(void)
{
	cli_kpageflags = frames;
	CHECK_NUMBER(run_machine(NULL, NULL, NULL), 0);
	CHECK_NUMBER(fake.last_request, MMLENS_PAGES);
	CHECK_STRING(output, TABLE
		"0x0000000000000000\t        47        0  " NONE "\t\n"
		"0x0000000000000020\t        16        0"
		"  _____l_____________________________________\tlru\n"
		"0x0000000000001000\t         1        0"
		"  ____________a______________________________\tanonymous\n"
		"             total\t        64        0\n");
	CHECK_STRING(errors, "");
	/* Without the kernel's file, up to the last page that there is. */
	cli_kpageflags = no_file;
	CHECK_NUMBER(run_machine("-b", "nopage", NULL), 0);
	CHECK(strstr(output, "\t        17        0  ____________________n"));
}

static void lists_of_page_frames(void)
{
	cli_kpageflags = frames;
	CHECK_NUMBER(run_machine("-lN", "-b", "lru,anon"), 0);
	CHECK_STRING(output, "offset\tlen\tflags\n"
		"10\t10\t_____l_____________________________________\n"
		"21\t1\t____________a______________________________\n");
	CHECK_NUMBER(run_machine("-lNrMC", "-b", "lru,anon"), 0);
	CHECK_STRING(output, "cgroup\tmap-cnt\toffset\tlen\tflags\n"
		"@7\t1\t10\t8\t_____l_______________________d_____________\n"
		"@7\t1\t18\t8\t_____l_____________________________________\n"
		"@9\t2\t21\t1\t____________a_______________________d______\n");
	CHECK_NUMBER(run_machine("-LN", "-c", "@9"), 0);
	CHECK_STRING(output, "offset\tflags\n"
		"21\t____________a______________________________\n");
	CHECK_NUMBER(run_machine("-lN", "-a", "0x10,0x22"), 0);
	CHECK_NUMBER(fake.last.start, 0x10);
	CHECK_NUMBER(fake.last.end, 0x22);
	CHECK_STRING(output, "offset\tlen\tflags\n"
		"10\t10\t_____l_____________________________________\n"
		"20\t1\t" NONE "\n"
		"21\t1\t____________a______________________________\n");
}

static void lists_end_with_the_table(void)
{
	cli_kpageflags = frames;
	CHECK_NUMBER(run_machine("-l", "-b", "anon"), 0);
	CHECK_STRING(output, "offset\tlen\tflags\n"
		"21\t1\t____________a______________________________\n"
		"\n\n" TABLE
		"0x0000000000001000\t         1        0"
		"  ____________a______________________________\tanonymous\n"
		"             total\t         1        0\n");
}

/* A small page, a slot, the zero page, a huge page's two others. */
static int run_process(const char *a, const char *b, const char *c)
{
	static struct records areas, r, huge;
	static struct fake_call calls[3];
	const struct mmlens_page_state state = {
		.flags = KPF(12), .memcg = 7, .mapcount = 1,
	};
	const uint32_t present = MMLENS_STATE_PRESENT;

	areas.length = r.length = huge.length = 0;
	add_page(&r, MMLENS_LEVEL_PTE, 0x10000, present, 0x99, 2, &state);
	add_pte(&r, MMLENS_LEVEL_PTE, 0x12000, MMLENS_STATE_SWAP,
		2ull << 58 | 0x55, 0x1234);
	add_pte(&r, MMLENS_LEVEL_PMD, 0x200000, present | MMLENS_PTE_LEAF,
		0x400, 0x4000e7);
	add_pfns(&huge, 0x400, 1, KPF(15) | KPF(22), 7, 1);
	add_pfns(&huge, 0x401, 511, KPF(16) | KPF(22), 7, 1);
	calls[0] = (struct fake_call)WHOLE(areas);
	calls[1] = (struct fake_call)WHOLE(r);
	calls[2] = (struct fake_call)WHOLE(huge);
	fake_init(&fake, calls, 3);
	return run_command(&fake, "page-types", a, b, c);
}

static void pages_of_a_process(void)
{
	cli_kpageflags = frames;
	CHECK_NUMBER(run_process("-p7", "-l", NULL), 0);
	CHECK_STRING(output, "voffset\toffset\tlen\tflags\n"
		"10\t99\t2\t____________a______________________________\n"
		"12\t55\t1\t" NONE "\n"
		"200\t400\t200\t______________________t____________________\n"
		"\n\n" TABLE
		"0x0000000000000000\t         1        0  " NONE "\t\n"
		"0x0000000000400000\t       512        2"
		"  ______________________t____________________\tthp\n"
		"0x0000000000001000\t         2        0"
		"  ____________a______________________________\tanonymous\n"
		"             total\t       515        2\n");
	CHECK_NUMBER(fake.last_request, MMLENS_PAGES);
	CHECK_NUMBER(fake.last.start, 0x400);
	CHECK_NUMBER(fake.last.end, 0x600);
}

static void json_has_the_same(void)
{
	cli_kpageflags = frames;
	CHECK_NUMBER(run_machine("--json", "-l", "-banon"), 0);
	CHECK(strstr(output, "\"pages\": [\n  {\"pfn\": 33, \"count\": 1, "
			     "\"flags\": [\"anonymous\"]}]"));
	CHECK(strstr(output, "\"bits\": \"0x1000\", \"pages\": 1, "
			     "\"flags\": [ \"anonymous\" ]"));
	CHECK(strstr(output, "\"total\": 1}"));
}

static void flags_are_described(void)
{
	CHECK_NUMBER(run_machine("-d", "0x10,anon", NULL), 0);
	CHECK_STRING(output, "0x0000000000001010\t"
		"____D_______a______________________________\t"
		"dirty,anonymous\n");
}

static void usage_is_told(void)
{
	CHECK_NUMBER(run_machine("-a", "x", NULL), 2);
	CHECK_NUMBER(run_machine("-b", "nonsense", NULL), 2);
	CHECK_NUMBER(run_machine("-d", "nonsense", NULL), 2);
	CHECK_NUMBER(run_machine("-c", "@x", NULL), 2);
	CHECK_NUMBER(run_machine("-c", "/etc/passwd", NULL), 1);
	CHECK_NUMBER(run_machine("-c", "/no/such/directory", NULL), 1);
	CHECK_NUMBER(run_machine("-p", "0", NULL), 2);
	CHECK_NUMBER(run_machine("7", NULL, NULL), 2);
	CHECK_NUMBER(run_machine("-X", NULL, NULL), 2);
}

/* Runs that go back, or out of what was asked for. */
static void nonsense_is_refused(void)
{
	static struct records r;
	static struct fake_call call;

	for (int i = 0; i < 4; i++) {
		r.length = 0;
		add_pfns(&r, 0x10, 8, 0, 0, 0);
		add_pfns(&r, i == 0 ? 0x17 : i == 1 ? 0x1c : 0x18,
			 i == 2 ? 0 : 4, 0, 0, 0);
		if (i == 3)
			((struct mmlens_pfns *)r.data)->order = 32;
		call = (struct fake_call)WHOLE(r);
		fake_init(&fake, &call, 1);
		cli_kpageflags = frames;
		CHECK_NUMBER(run_command(&fake, "page-types", "-a",
					 "0x10,0x1f", NULL), 1);
	}
}

TESTS(TEST(ranges_are_the_tools),
      TEST(names_are_the_tools),
      TEST(filters_are_the_tools),
      TEST(flags_are_shown_as_the_tools),
      TEST(types_are_in_the_tools_order),
      TEST(table_of_all_page_frames),
      TEST(lists_of_page_frames),
      TEST(lists_end_with_the_table),
      TEST(pages_of_a_process),
      TEST(json_has_the_same),
      TEST(flags_are_described),
      TEST(usage_is_told),
      TEST(nonsense_is_refused))
