// SPDX-License-Identifier: GPL-2.0-only
/* Page frames: their cards, and who maps them. */
#include <errno.h>

#include "command.h"
#include "test.h"

static struct fake fake;

static void add_user(struct records *r, int pid, uint64_t va, uint64_t pfn,
		     uint32_t count, unsigned int level)
{
	struct mmlens_user user = {
		.head = { sizeof(user), MMLENS_REC_USER, level },
		.flags = MMLENS_STATE_PRESENT | MMLENS_PTE_USER |
			 MMLENS_PTE_WRITE | MMLENS_EFF_USER | MMLENS_EFF_WRITE |
			 MMLENS_EFF_NX,
		.pid = pid,
		.count = count,
		.va = va,
		.pfn = pfn,
	};

	add_record(r, &user, sizeof(user));
}

/* Page 7 of a folio of 16, of a file on 8:1. */
static void add_file_page(struct records *r, uint64_t pfn)
{
	struct mmlens_pfns page = {
		.head = { sizeof(page), MMLENS_REC_PFNS, 0 },
		.count = 1,
		.pfn = pfn,
		.page_flags = 1 << 5 | 1 << 3,
		.mapcount = 2,
		.refcount = 4,
		.folio_index = 7,
		.order = 4,
		.migratetype = MMLENS_MIGRATE_MOVABLE,
		.lru = MMLENS_LRU_ACTIVE_FILE,
		.zone = 15,	/* one that no machine has */
	};
	struct mmlens_backing backing = {
		.head = { sizeof(backing), MMLENS_REC_BACKING, 0 },
		.flags = MMLENS_BACKING_INODE | MMLENS_BACKING_INDEX,
		.pfn = pfn,
		.index = 3,
		.offset = 0x3000,
		.inode = 42,
		.dev_major = 8,
		.dev_minor = 1,
		.kind = MMLENS_BACKING_KIND_FILE,
		.filesystem = "ext4",
		.name = "na\nme",
	};

	add_record(r, &page, sizeof(page));
	add_record(r, &backing, sizeof(backing));
}

static void add_file_vma(struct records *r, uint64_t start)
{
	struct mmlens_vma vma = {
		.head = { sizeof(vma), MMLENS_REC_VMA, 0 },
		.page_shift = 12,
		.start = start,
		.end = start + 0x10000,
		.flags = MMLENS_VMA_FILE | MMLENS_VMA_NAMED,
		.inode = 42,
		.dev_major = 8,
		.dev_minor = 1,
	};

	add_record(r, &vma, sizeof(vma));
	add_name(r, "/a/name");
}

static struct records users, procs, page, first, second;

/* Two processes map PFN 0x1007, one in a run. */
static int run(const char *a, const char *b, const char *c)
{
	struct fake_call calls[5];

	users = procs = page = first = second = (struct records) {};
	add_user(&users, 9, 0x7000, 0x1000, 16, MMLENS_LEVEL_PTE);
	add_user(&users, 10, 0x200000, 0x1007, 1, MMLENS_LEVEL_PMD);
	add_stranger(&users);
	add_proc(&procs, 9, 0, 0, "nine");
	add_proc(&procs, 10, 0, 0, "t\x1bn");
	add_file_page(&page, 0x1007);
	add_file_vma(&first, 0x7000);
	add_vma(&second, 0x200000, 0x400000, MMLENS_VMA_ANON);
	calls[0] = (struct fake_call) WHOLE(users);
	calls[1] = (struct fake_call) WHOLE(procs);
	calls[2] = (struct fake_call) WHOLE(page);
	calls[3] = (struct fake_call) WHOLE(first);
	calls[4] = (struct fake_call) WHOLE(second);
	calls[0].max_hold_ns = 4200;
	fake_init(&fake, calls, ARRAY_SIZE(calls));
	return run_command(&fake, "pfn", a, b, c);
}

static void a_card_has_all(void)
{
	CHECK_NUMBER(run("0x1007", NULL, NULL), 0);
	CHECK_STRING(output,
		"PFN           0x1007 (4103), physical 0x1007000\n"
		"flags         uptodate,lru\n"
		"folio         head 0x1000, order 4 (64K), page 7 of 16\n"
		"refcount      4\n"
		"mapcount      2\n"
		"node          0\n"
		"zone          15\n"
		"migratetype   Movable\n"
		"memcg         none\n"
		"LRU           active_file\n"
		"backing       file of ext4, device 08:01, inode 42, offset 0x3000\n"
		"file          /a/name\n"
		"mapped by     2 entries\n"
		"    PID COMMAND         ADDRESS            LEVEL STATE            FLAGS             EFF   MAPPING\n"
		"      9 nine            0x00000000e000     pte   present          uw--------------- urw-  /a/name\n"
		"     10 t?n             0x000000200000     pmd   present          uw--------------- urw-\n"
		"\n"
		"longest lock hold 4.2 us\n");
	CHECK(!fake.broken);
}

static void a_card_as_json(void)
{
	CHECK_NUMBER(run("4103", "--json", NULL), 0);
	CHECK(strstr(output, "\"pfn\": 4103, \"phys\": \"0x1007000\", \"online\": true"));
	CHECK(strstr(output, "\"folio\": { \"pfn\": 4096, \"order\": 4, \"index\": 7 }"));
	CHECK(strstr(output, "\"kind\": \"file\", \"index\": 3, \"device\": \"08:01\", \"inode\": 42, \"offset\": 12288, \"filesystem\": \"ext4\""));
	CHECK(strstr(output, "\"path\": \"/a/name\""));
	CHECK(strstr(output, "{ \"pid\": 9, \"comm\": \"nine\", \"va\": \"0xe000\", \"level\": \"pte\""));
	CHECK(strstr(output, "\"max_lock_hold_ns\": 4200"));
}

static void who_maps_a_range(void)
{
	CHECK_NUMBER(run("--who", "0x1000+16", NULL), 0);
	CHECK_STRING(output,
		"PFNS                       PAGES     PID COMMAND          ADDRESS        LEVEL STATE            FLAGS             EFF\n"
		"0x1000-0x100f                 16       9 nine             0x000000007000 pte   present          uw--------------- urw-\n"
		"0x1007                         1      10 t?n              0x000000200000 pmd   present          uw--------------- urw-\n"
		"of 16 page frames from 0x1000 on: mapped 17 times\n"
		"longest lock hold 4.2 us\n");
	CHECK_NUMBER(fake.made, 2);
	CHECK_NUMBER(run("--who", "0x1000-0x1010", "--json"), 0);
	CHECK(strstr(output, "\"start\": 4096, \"end\": 4112"));
	CHECK(strstr(output, "{ \"pfn\": 4096, \"count\": 16, \"pid\": 9, \"comm\": \"nine\", \"va\": \"0x7000\""));
}

static void what_is_not_memory(void)
{
	struct records nobody = {};
	struct fake_call calls[] = { WHOLE(nobody), WHOLE(nobody) };

	fake_init(&fake, calls, ARRAY_SIZE(calls));
	CHECK_NUMBER(run_command(&fake, "pfn", "77", NULL, NULL), 1);
	CHECK_STRING(output,
		"PFN           0x4d (77), physical 0x4d000\n"
		"memory        none that is online\n"
		"mapped by     no process\n"
		"\n"
		"longest lock hold 0.0 us\n");
	CHECK(strstr(errors, "0x4d: isn't online memory"));
}

static void a_free_block(void)
{
	struct records r = {};
	struct mmlens_pfns block = {
		.head = { sizeof(block), MMLENS_REC_PFNS, 0 },
		.count = 1,
		.pfn = 0x403,
		.page_flags = 1 << 10,
		.folio_index = 3,
		.order = 10,
		.kind = MMLENS_PAGE_KIND_BUDDY,
	};
	struct fake_call call;

	add_record(&r, &block, sizeof(block));
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "pfn", "--no-who", "0x403", NULL), 0);
	CHECK(strstr(output, "kind          buddy\nfree block    first 0x400, order 10 (4M), page 3 of 1024\n"));
	CHECK(!strstr(output, "mapped by"));
}

/* Where pages of large folios have no mapcount of their own. */
static void an_average_is_told_as_such(void)
{
	struct fake_call calls[] = { WHOLE(page) };

	page = (struct records) {};
	add_file_page(&page, 5);
	calls[0] = (struct fake_call) WHOLE(page);
	fake_init(&fake, calls, 1);
	fake.info.fields &= ~MMLENS_FIELD_PAGE_MAPCOUNT;
	CHECK_NUMBER(run_command(&fake, "pfn", "--no-who", "5", NULL), 0);
	CHECK(strstr(output, "mapcount      2 (an average over its folio)\n"));
	CHECK(strstr(output, "file name     na?me\n"));
}

/* Steps end in the middle of what is in a row. */
static void runs_are_put_together(void)
{
	struct records r = {};
	struct mmlens_users *found;
	struct fake_call call;
	struct mmlens *lens;

	add_user(&r, 9, 0x7000, 0x10, 2, MMLENS_LEVEL_PTE);
	add_user(&r, 9, 0x9000, 0x12, 1, MMLENS_LEVEL_PTE);
	add_user(&r, 9, 0xa000, 0x14, 1, MMLENS_LEVEL_PTE);
	add_user(&r, 10, 0xb000, 0x5, 1, MMLENS_LEVEL_PTE);
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	lens = fake_open(&fake);
	found = mmlens_users_read(lens, 1, 100, NULL, NULL);
	CHECK(found);
	CHECK_NUMBER(found->count, 3);
	CHECK_NUMBER(found->users[0].pid, 10);
	CHECK_NUMBER(found->users[1].count, 3);
	CHECK_NUMBER(fake.last.start, 1);
	CHECK_NUMBER(fake.last.end, 100);
	mmlens_users_free(found);
	mmlens_close(lens);
}

static void records_that_make_no_sense(void)
{
	static const struct { uint64_t va, pfn; uint32_t count; } wrong[] = {
		{ 0x1000, 0x10, 0 }, { 0x1000, ~0ull, 2 },
		{ 0x7fffffffe000, 1, 2 }, { ~0xfffull, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct records r = {};
		struct fake_call call;
		struct mmlens *lens;

		add_user(&r, 1, wrong[i].va, wrong[i].pfn, wrong[i].count, 1);
		call = (struct fake_call) WHOLE(r);
		fake_init(&fake, &call, 1);
		lens = fake_open(&fake);
		CHECK(!mmlens_users_read(lens, 0, 0, NULL, NULL));
		CHECK_NUMBER(errno, EPROTO);
		mmlens_close(lens);
	}
}

static void arguments_make_sense(void)
{
	static const char *const wrong[][3] = {
		{ NULL }, { "x" }, { "1x" }, { "0x" }, { "--who", "5-5" },
		{ "--who", "5-" }, { "--who", "1+0" }, { "--who", "1-2-3" },
		{ "--who", "1", "2" }, { "--no-who", "--who", "1" },
		{ "0x10000000000000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fake_init(&fake, NULL, 0);
		CHECK_NUMBER(run_command(&fake, "pfn", wrong[i][0], wrong[i][1],
					 wrong[i][2]), 2);
		CHECK_NUMBER(fake.made, 0);
	}
}

TESTS(TEST(a_card_has_all),
      TEST(a_card_as_json),
      TEST(who_maps_a_range),
      TEST(what_is_not_memory),
      TEST(a_free_block),
      TEST(an_average_is_told_as_such),
      TEST(runs_are_put_together),
      TEST(records_that_make_no_sense),
      TEST(arguments_make_sense))
