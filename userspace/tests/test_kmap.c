// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's page table: runs put together, and what is made of them. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

#define PRESENT	MMLENS_STATE_PRESENT
#define DIRECT	0xffff888000000000ull
#define IMAGE	0xffffffff80000000ull
#define M	(1ull << 20)

static struct fake fake;

/* ---- the module's answer ---- */

static void add_region(struct records *r, const char *name, uint32_t flags,
		       uint64_t start, uint64_t end)
{
	struct mmlens_region region = {
		.head = { sizeof(region), MMLENS_REC_REGION, 0 },
		.flags = flags, .start = start, .end = end,
	};

	strcpy(region.name, name);
	add_record(r, &region, sizeof(region));
}

static void add_run(struct records *r, unsigned int level, uint64_t va,
		    uint64_t count, uint32_t flags, uint64_t pfn, uint64_t raw)
{
	struct mmlens_kmap run = {
		.head = { sizeof(run), MMLENS_REC_KMAP, level },
		.flags = flags, .va = va, .count = count, .raw = raw,
		.value = pfn,
		.consecutive = mmlens_state(flags) == PRESENT,
	};

	add_record(r, &run, sizeof(run));
}

#define RW_NX	(PRESENT | MMLENS_EFF_WRITE | MMLENS_EFF_NX)

static void add_regions(struct records *r)
{
	add_region(r, "direct_map", 0, DIRECT, DIRECT + 64 * M);
	add_region(r, "kasan_shadow", MMLENS_REGION_SKIPPED, DIRECT + 64 * M,
		   DIRECT + 128 * M);
	add_region(r, "kernel_text", 0, IMAGE, IMAGE + 1024 * M);
}

/* The last two are in no region and at the end of all addresses. */
static void add_runs(struct records *r)
{
	add_run(r, 1, DIRECT, 3, RW_NX, 0, 0x8000000000000103);
	add_run(r, 1, DIRECT + 0x3000, 1, RW_NX, 3, 0x8000000000000103);
	add_run(r, 1, DIRECT + 0x4000, 2, RW_NX, 9, 0x8000000000000103);
	add_run(r, 2, DIRECT + 2 * M, 4, PRESENT | MMLENS_EFF_WRITE, 512,
		0x183);
	add_run(r, 2, IMAGE, 1, PRESENT, 0x1000, 0x181);
	add_run(r, 1, IMAGE + 2 * M, 1, MMLENS_STATE_OTHER, 0, 0x100);
	add_run(r, 1, -0x2000, 2, RW_NX, 7, 0x8000000000000103);
}

/* 7.5 us with interrupts off. */
#define HELD(r) { .data = (r).data, .length = (r).length, \
		  .status = MMLENS_STATUS_DONE, .max_hold_ns = 7512 }

static int run(const char *a, const char *b, const char *c)
{
	struct records r = {};
	int status;

	add_regions(&r);
	add_runs(&r);
	{
		const struct fake_call call = HELD(r);

		fake_init(&fake, &call, 1);
		status = run_command(&fake, "kmap", a, b, c);
		CHECK(!fake.broken);
	}
	return status;
}

static struct mmlens_kernel_map *read_map(const struct records *r)
{
	const struct fake_call call = WHOLE(*r);
	struct mmlens_kernel_map *map;
	struct mmlens *lens;

	fake_init(&fake, &call, 1);
	lens = fake_open(&fake);
	map = mmlens_kernel_map_read(lens, 0, 0, false);
	mmlens_close(lens);
	return map;
}

static void alike_runs_are_joined(void)
{
	struct records r = {};
	struct mmlens_kernel_map *map;

	add_regions(&r);
	add_runs(&r);
	map = read_map(&r);
	CHECK(map);
	CHECK_NUMBER(map->region_count, 3);
	CHECK_NUMBER(map->count, 5);
	CHECK_NUMBER(map->runs[0].count, 6);
	CHECK(!map->runs[0].consecutive);
	CHECK(map->runs[1].consecutive);
	CHECK(mmlens_kmap_is_wx(&map->runs[1]));
	CHECK(!mmlens_kmap_is_wx(&map->runs[0]));
	CHECK(!mmlens_kmap_is_wx(&map->runs[2]));
	CHECK(!mmlens_kmap_is_wx(&map->runs[3]));
	CHECK_STRING(mmlens_kernel_map_region(map, IMAGE)->name,
		     "kernel_text");
	CHECK(!mmlens_kernel_map_region(map, -0x1000));
	mmlens_kernel_map_free(map);
	mmlens_kernel_map_free(NULL);
}

static void regions_part_runs(void)
{
	struct records r = {};
	struct mmlens_kernel_map *map;

	add_regions(&r);
	add_run(&r, 2, DIRECT + 60 * M, 4, RW_NX, 512, 0x183);
	map = read_map(&r);
	CHECK(map);
	CHECK_NUMBER(map->count, 2);
	CHECK_NUMBER(map->runs[0].count, 2);
	CHECK_NUMBER(map->runs[1].va, DIRECT + 64 * M);
	CHECK_NUMBER(map->runs[1].value, 512 + 1024);
	mmlens_kernel_map_free(map);
}

/* Records that no module of ours writes. */
static void no_sense(void (*add)(struct records *r))
{
	struct records r = {};

	add(&r);
	CHECK(!read_map(&r));
	CHECK_NUMBER(errno, EPROTO);
}

static void add_empty_run(struct records *r)
{
	add_run(r, 1, DIRECT, 0, RW_NX, 0, 1);
}

static void add_long_run(struct records *r)
{
	add_run(r, 1, -0x1000, 2, RW_NX, 0, 1);
}

static void add_strange_level(struct records *r)
{
	add_run(r, 4, DIRECT, 1, RW_NX, 0, 1);
}

static void add_unaligned(struct records *r)
{
	add_run(r, 2, DIRECT + 0x1000, 1, RW_NX, 0, 1);
}

static void add_backwards(struct records *r)
{
	add_run(r, 1, DIRECT + 0x1000, 1, RW_NX, 0, 1);
	add_run(r, 1, DIRECT, 1, RW_NX, 0, 1);
}

static void add_overlapping_regions(struct records *r)
{
	add_region(r, "a", 0, DIRECT, DIRECT + 2 * M);
	add_region(r, "b", 0, DIRECT + M, DIRECT + 3 * M);
}

static void add_nameless_region(struct records *r)
{
	struct mmlens_region region = {
		.head = { sizeof(region), MMLENS_REC_REGION, 0 },
		.start = DIRECT, .end = DIRECT + M,
	};

	memset(region.name, 'x', sizeof(region.name));
	add_record(r, &region, sizeof(region));
}

static void records_that_make_no_sense(void)
{
	no_sense(add_empty_run);
	no_sense(add_long_run);
	no_sense(add_strange_level);
	no_sense(add_unaligned);
	no_sense(add_backwards);
	no_sense(add_overlapping_regions);
	no_sense(add_nameless_region);
}

static void kmap_as_text(void)
{
	CHECK_NUMBER(run(NULL, NULL, NULL), 0);
	CHECK_STRING(output,
"START-END                                  SIZE LEVEL EFF STATE    PFN                BITS\n"
"direct_map 0xffff888000000000-0xffff888003ffffff 64M\n"
"0xffff888000000000-0xffff888000005fff     24K pte   -rw- present  0x0...              P RW G NX\n"
"0xffff888000200000-0xffff8880009fffff      8M pmd   -rwx present  0x200-0x9ff         P RW PS G  W+X\n"
"direct_map: 6 of 4K, 4 of 2M, 0 of 1G, 4 W+X\n"
"kasan_shadow 0xffff888004000000-0xffff888007ffffff 64M\n"
"not walked\n"
"kernel_text 0xffffffff80000000-0xffffffffbfffffff 1G\n"
"0xffffffff80000000-0xffffffff801fffff      2M pmd   -r-x present  0x1000-0x11ff       P PS G\n"
"0xffffffff80200000-0xffffffff80200fff      4K pte   ---- other    -                   0x100\n"
"kernel_text: 0 of 4K, 1 of 2M, 0 of 1G, 0 W+X\n"
"outside\n"
"0xffffffffffffe000-0xffffffffffffffff      8K pte   -rw- present  0x7-0x8             P RW G NX\n"
"outside: 2 of 4K, 0 of 2M, 0 of 1G, 0 W+X\n"
"total: 8 of 4K, 5 of 2M, 0 of 1G, 4 W+X\n"
"longest time with interrupts off 7.5 us\n");
}

static void kmap_of_a_part(void)
{
	CHECK_NUMBER(run("--wx", NULL, NULL), 0);
	CHECK(strstr(output, "8M pmd   -rwx present"));
	CHECK(!strstr(output, "kernel_text"));
	CHECK(!strstr(output, "outside"));
	CHECK(strstr(output, "total: 0 of 4K, 4 of 2M, 0 of 1G, 4 W+X\n"));
	CHECK_NUMBER(run("-rkernel_text", NULL, NULL), 0);
	CHECK(!strstr(output, "direct_map"));
	CHECK(!strstr(output, "outside"));
	CHECK_NUMBER(run("--region=nowhere", NULL, NULL), 2);
	CHECK(strstr(errors, "no region is called 'nowhere'"));
	CHECK_NUMBER(run("--user", NULL, NULL), 0);
	CHECK_NUMBER(fake.last.flags, MMLENS_WALK_USER_HALF);
	CHECK_NUMBER(run("ffffffff80000000-ffffffffffffffff", NULL, NULL), 0);
	CHECK_NUMBER(fake.last.start, 0xffffffff80000000);
	CHECK_NUMBER(fake.last.end, 0);
	CHECK_NUMBER(run("0xfffffffffffff123", NULL, NULL), 0);
	CHECK_NUMBER(fake.last.start, 0xfffffffffffff000);
	CHECK_NUMBER(fake.last.end, 0);
}

/* More than a thousand lines, in two calls. */
static void long_regions_are_cut(void)
{
	struct records first = {}, second = {};

	add_region(&first, "direct_map", 0, DIRECT, DIRECT + 64 * M);
	for (unsigned int i = 0; i < 1010; i++)
		add_run(i < 600 ? &first : &second, 1, DIRECT + i * 0x2000, 1,
			RW_NX, i, 3);
	{
		const struct fake_call calls[] = { PART(first), WHOLE(second) };

		fake_init(&fake, calls, 2);
		CHECK_NUMBER(run_command(&fake, "kmap", NULL, NULL, NULL), 0);
	}
	CHECK(strstr(output, "\n... 10 more lines (--all shows them)\n"
			     "direct_map: 1010 of 4K"));
}

static void kmap_as_json(void)
{
	CHECK_NUMBER(run("--json", NULL, NULL), 0);
	CHECK(strstr(output, "\"half\": \"kernel\""));
	CHECK(strstr(output, "\"name\": \"kasan_shadow\", \"start\": \"0xffff888004000000\", \"end\": \"0xffff888008000000\", \"walked\": false"));
	CHECK(strstr(output, "{\"va\": \"0xffff888000200000\", \"size\": 8388608, \"level\": \"pmd\", \"count\": 4, \"state\": \"present\", \"flags\": [], \"effective\": [\"rw\"], \"raw\": \"0x183\", \"raw_bits\": [\"P\", \"RW\", \"PS\", \"G\"], \"pfn\": 512, \"consecutive\": true, \"wx\": true}"));
	CHECK(strstr(output, "\"name\": \"outside\", \"runs\""));
	CHECK(strstr(output, "\"leaves\": {\"pte\": 8, \"pmd\": 5, \"pud\": 0, \"wx\": 4}"));
	CHECK(strstr(output, "\"max_lock_hold_ns\": 7512"));
}

static void arguments_make_sense(void)
{
	static const char *const bad[] = {
		"0", "7fffffffe000", "1000-2000", "x", "ffff888000000001-0",
		"ffff888000001000-ffff888000000000",
		"ffff888000000000-ffff888000000000",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_init(&fake, NULL, 0);
		CHECK_NUMBER(run_command(&fake, "kmap", bad[i], NULL, NULL), 2);
		CHECK_NUMBER(fake.made, 0);
	}
	CHECK_NUMBER(run_command(&fake, "kmap", "ffff888000000000", "1", NULL),
		     2);
	CHECK_NUMBER(run_command(&fake, "vtop", "-k", NULL, NULL), 2);
	CHECK_NUMBER(run_command(&fake, "vtop", "-k", "1000", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "vtop", "--user", "1", "1000"), 2);
	CHECK_NUMBER(fake.made, 0);
}

static void without_isolation(void)
{
	const struct fake_call none = { .error = -EOPNOTSUPP };

	fake_init(&fake, &none, 1);
	CHECK_NUMBER(run_command(&fake, "kmap", "--user", NULL, NULL), 1);
	CHECK(strstr(errors, "page-table isolation is off"));
	fake_init(&fake, &none, 1);
	CHECK_NUMBER(run_command(&fake, "kmap", NULL, NULL, NULL), 1);
	CHECK(strstr(errors, "Xen PV"));
	fake_init(&fake, NULL, 0);
	fake.info.queries = 0xfff;
	CHECK_NUMBER(run_command(&fake, "kmap", NULL, NULL, NULL), 1);
	CHECK(strstr(errors, "can't answer"));
}

static void one_address(void)
{
	struct records r = {};

	add_level(&r, MMLENS_LEVEL_PGD, 0xffffff8000000000,
		  MMLENS_STATE_TABLE | MMLENS_EFF_WRITE, 2, 0x2063, 1, 511);
	add_stranger(&r);
	add_level(&r, MMLENS_LEVEL_PUD, 0xffffffff80000000,
		  PRESENT | MMLENS_PTE_LEAF, 0x40000, 0x400000e1, 2, 510);
	{
		const struct fake_call calls[] = { WHOLE(r), WHOLE(r) };

		fake_init(&fake, calls, 2);
		CHECK_NUMBER(run_command(&fake, "vtop", "-k",
					 "0xffffffff80000123",
					 "ffffffff80001000"), 0);
		CHECK(!fake.broken);
		CHECK_NUMBER(fake.last.flags, MMLENS_WALK_LEVELS);
		CHECK_NUMBER(fake.last.pid, 0);
		CHECK_NUMBER(fake.last.start, 0xffffffff80001000);
		CHECK(strstr(output, "0xffffffff80000123 -> physical 0x40000123 (PFN 0x40000, offset 0x123 in a 1G page)\neffective: kernel only, read-only, execute\n"));
		fake_init(&fake, calls, 1);
		CHECK_NUMBER(run_command(&fake, "vtop", "-k", "--json",
					 "0xffffffff80000123"), 0);
		CHECK(strstr(output, "\"kernel\": true, \"addresses\": ["));
	}
}

TESTS(TEST(alike_runs_are_joined),
      TEST(regions_part_runs),
      TEST(records_that_make_no_sense),
      TEST(kmap_as_text),
      TEST(kmap_of_a_part),
      TEST(long_regions_are_cut),
      TEST(kmap_as_json),
      TEST(arguments_make_sense),
      TEST(without_isolation),
      TEST(one_address))
