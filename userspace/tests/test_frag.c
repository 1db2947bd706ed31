// SPDX-License-Identifier: GPL-2.0-only
/* Fragmentation: the kernel's indices, and what stands in the way. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

static struct fake fake;

/* ---- indices: examples counted by hand ---- */

static void indices_of_no_memory(void)
{
	uint64_t none[3] = {};
	const struct mmlens_numbers free = { 3, none };

	CHECK_NUMBER(mmlens_extfrag_index(&free, 1), 0);
	CHECK_NUMBER(mmlens_unusable_index(&free, 1), 1000);
}

/* 100 pages, all of them single: order 2 needs four in one block. */
static void indices_of_small_blocks(void)
{
	uint64_t blocks[3] = { 100 };
	const struct mmlens_numbers free = { 3, blocks };

	CHECK_NUMBER(mmlens_extfrag_index(&free, 0), -1000);
	CHECK_NUMBER(mmlens_unusable_index(&free, 0), 0);
	/* 1000 - (1000 + 100 * 1000 / 4) / 100 */
	CHECK_NUMBER(mmlens_extfrag_index(&free, 2), 740);
	CHECK_NUMBER(mmlens_unusable_index(&free, 2), 1000);
}

static void indices_of_mixed_blocks(void)
{
	uint64_t blocks[3] = { 10, 5, 2 };
	const struct mmlens_numbers free = { 3, blocks };

	CHECK_NUMBER(mmlens_extfrag_index(&free, 2), -1000);
	/* 20 of 28 pages are in smaller blocks. */
	CHECK_NUMBER(mmlens_unusable_index(&free, 2), 714);
	CHECK_NUMBER(mmlens_unusable_index(&free, 1), 357);
	/* An order above the largest block: 1000 - (1000 + 28000 / 8) / 17 */
	CHECK_NUMBER(mmlens_extfrag_index(&free, 3), 736);
}

/* ---- the command ---- */

#define KPF(bit) (1ull << (bit))

static void add_zones(struct records *r)
{
	struct mmlens_memnode node = {
		.head = { sizeof(node), MMLENS_REC_MEMNODE, 0 }, .zones = 1,
	};
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.flags = MMLENS_ZONE_POPULATED, .present = 64, .spanned = 64,
		.free = 6, .name = "Normal",
	};
	struct {
		struct mmlens_counters head;
		uint64_t value[3];
	} free = {
		.head = { .head = { sizeof(free), MMLENS_REC_COUNTERS, 0 },
			  .kind = MMLENS_COUNTERS_FREE },
		.value = { 2, 2 },
	};

	add_record(r, &node, sizeof(node));
	add_record(r, &zone, sizeof(zone));
	add_record(r, &free, sizeof(free));
}

static void add_pfns(struct records *r, struct mmlens_pfns run)
{
	run.head = (struct mmlens_record) { sizeof(run), MMLENS_REC_PFNS, 0 };
	run.migratetype = MMLENS_MIGRATE_MOVABLE;
	add_record(r, &run, sizeof(run));
}

/* The block at PFN 4: two pages free, one movable, one kept by a CPU. */
static void add_first(struct records *r)
{
	add_pfns(r, (struct mmlens_pfns) { .pfn = 4, .count = 2, .order = 1,
		 .bucket = MMLENS_BUCKET_BUDDY });
	add_pfns(r, (struct mmlens_pfns) { .pfn = 6, .count = 1, .mapcount = 2,
		 .refcount = 2, .page_flags = KPF(12),
		 .bucket = MMLENS_BUCKET_ACTIVE_ANON });
	add_pfns(r, (struct mmlens_pfns) { .pfn = 7, .count = 1,
		 .bucket = MMLENS_BUCKET_UNTOLD });
}

/* That at 8: one is slab's, one pinned, one held, one mlocked. */
static void add_second(struct records *r)
{
	add_pfns(r, (struct mmlens_pfns) { .pfn = 8, .count = 1, .refcount = 1,
		 .bucket = MMLENS_BUCKET_SLAB });
	add_pfns(r, (struct mmlens_pfns) { .pfn = 9, .count = 1, .mapcount = 1,
		 .refcount = 1025, .page_flags = KPF(12),
		 .bucket = MMLENS_BUCKET_ACTIVE_ANON });
	add_pfns(r, (struct mmlens_pfns) { .pfn = 10, .count = 1,
		 .refcount = 3, .bucket = MMLENS_BUCKET_INACTIVE_ANON });
	add_pfns(r, (struct mmlens_pfns) { .pfn = 11, .count = 1,
		 .mapcount = 1, .refcount = 1,
		 .page_flags = KPF(12) | KPF(33),
		 .bucket = MMLENS_BUCKET_UNEVICTABLE });
}

static void add_kept(struct records *r)
{
	struct {
		struct mmlens_blocks head;
		uint64_t pfn[1];
	} rec = {
		.head = { .head = { sizeof(rec), MMLENS_REC_BLOCKS, 0 },
			  .count = 1, .cpu = 0,
			  .flags = MMLENS_BLOCKS_LAST },
		.pfn = { 7 },
	};

	add_record(r, &rec, sizeof(rec));
}

static void add_user(struct records *r, int pid, uint64_t va, uint64_t pfn)
{
	struct mmlens_user user = {
		.head = { sizeof(user), MMLENS_REC_USER, MMLENS_LEVEL_PTE },
		.flags = MMLENS_STATE_PRESENT, .pid = pid, .count = 1,
		.va = va, .pfn = pfn,
	};

	add_record(r, &user, sizeof(user));
}

static int run(const char *a, const char *b, const char *c)
{
	struct records zones = {}, all = {}, lists = {}, first = {};
	struct records second = {}, users = {}, procs = {};
	int status;

	add_zones(&zones);
	add_first(&all);
	add_second(&all);
	add_first(&first);
	add_second(&second);
	add_kept(&lists);
	add_user(&users, 7, 0x1000, 6);
	add_user(&users, 8, 0x2000, 6);
	add_user(&users, 8, 0x5000, 9);
	add_proc(&procs, 7, 0, 0, "seven");
	add_proc(&procs, 8, 0, 0, "eight");
	{
		const struct fake_call calls[] = {
			WHOLE(zones), WHOLE(all), WHOLE(lists), WHOLE(first),
			WHOLE(second), WHOLE(users), WHOLE(procs),
			/* of what may be of a file */
			{ .data = second.data, .length = 0,
			  .status = MMLENS_STATUS_DONE },
		};

		fake_init(&fake, calls, 8);
		status = run_command(&fake, "frag", a, b, c);
		CHECK(!fake.broken);
	}
	return status;
}

static void candidates_as_text(void)
{
	CHECK_NUMBER(run("-o2", NULL, NULL), 0);
	CHECK_STRING(output,
		"node 0, zone Normal: 6 pages free\n"
		" ORDER    SIZE     BLOCKS  EXTFRAG UNUSABLE WHY NOT\n"
		"     2   16.0K          0    0.375    1.000 lack of memory\n"
		"order 2 (16.0K): the blocks that come closest\n"
		"1. PFN 0x4-0x7, node 0, zone Normal, Movable: 2 pages free, 1 movable, 1 kept\n"
		"   PFN           PAGES WHY       WHAT           WHOSE\n"
		"   0x000000006       1 movable   active_anon    seven[7] 0x1000 and 1 more\n"
		"   0x000000007       1 kept      kept\n"
		"2. PFN 0x8-0xb, node 0, zone Normal, Movable: 1 fixed, 1 pinned, 1 held, 1 mlocked\n"
		"   PFN           PAGES WHY       WHAT           WHOSE\n"
		"   0x000000008       1 fixed     slab\n"
		"   0x000000009       1 pinned    active_anon    eight[8] 0x5000\n"
		"   0x00000000a       1 held      inactive_anon\n"
		"   0x00000000b       1 mlocked   unevictable\n"
		"longest lock hold 0.0 us\n");
}

static void candidates_as_json(void)
{
	CHECK_NUMBER(run("-o2", "--json", NULL), 0);
	CHECK(strstr(output, "\"order\": 2, \"blocks\": 0, \"extfrag_index\": 375, \"unusable_index\": 1000"));
	CHECK(strstr(output, "\"free\": 2, \"pages\": { \"kept\": 1, \"movable\": 1, \"writeback\": 0"));
	CHECK(strstr(output, "\"pid\": 7, \"va\": \"0x1000\", \"mappings\": 2, \"comm\": \"seven\""));
}

static void arguments_make_sense(void)
{
	fake_init(&fake, NULL, 0);
	CHECK_NUMBER(run_command(&fake, "frag", "-o", "21", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "frag", "-c", "3", NULL), 2);
	CHECK(strstr(errors, "--count needs --order"));
	CHECK_NUMBER(run_command(&fake, "frag", "-o2", "-c", "0"), 2);
	CHECK_NUMBER(run_command(&fake, "frag", "--all", NULL, NULL), 2);
	CHECK_NUMBER(fake.made, 0);
}

TESTS(TEST(indices_of_no_memory),
      TEST(indices_of_small_blocks),
      TEST(indices_of_mixed_blocks),
      TEST(candidates_as_text),
      TEST(candidates_as_json),
      TEST(arguments_make_sense))
