// SPDX-License-Identifier: GPL-2.0-only
/* lru --pid, --after and --watch: where pages stand, the model, what moves. */
#include <errno.h>

#include "command.h"
#include "test.h"

#include "../lib/reclaim.h"

static struct fake fake;
static struct records entries, lists, users, second, pages;

/* A number that no process has. */
#define PID "--pid=99999999"

static void add_list(struct records *r, unsigned int lru,
		     unsigned int generation, uint64_t seq, uint32_t count)
{
	struct mmlens_lru_list list = {
		.head = { sizeof(list), MMLENS_REC_LRU, 0 },
		.flags = MMLENS_LIST_LAST | MMLENS_LIST_ENABLED |
			 (generation ? MMLENS_LIST_CURRENT : 0),
		.seq = seq,
		.age_ms = generation ? 1500 : 0,
		.count = count,
		.lru = lru,
		.generation = generation,
		.zone = generation ? 15 : MMLENS_LIST_ALL_ZONES,
	};

	add_record(r, &list, sizeof(list));
}

static void add_folio(struct records *r, uint64_t pfn, unsigned int order,
		      uint64_t flags)
{
	struct mmlens_pfns page = {
		.head = { sizeof(page), MMLENS_REC_PFNS, 0 },
		.count = 1,
		.pfn = pfn,
		.page_flags = flags,
		.order = order,
		.refcount = 1,
		.lru = MMLENS_LRU_INACTIVE_FILE,
		.bucket = MMLENS_BUCKET_INACTIVE_FILE,
	};

	add_record(r, &page, sizeof(page));
}

static void add_mapped(uint64_t va, uint64_t pfn, uint32_t count,
		       unsigned int lru, uint64_t flags)
{
	const struct mmlens_page_state state = {
		.flags = flags, .lru = lru, .mapcount = 1,
	};

	add_page(&entries, MMLENS_LEVEL_PTE, va, MMLENS_STATE_PRESENT, pfn,
		 count, &state);
}

static void add_use(uint64_t pfn, uint32_t count, uint32_t flags)
{
	struct mmlens_user user = {
		.head = { sizeof(user), MMLENS_REC_USER, MMLENS_LEVEL_PTE },
		.flags = MMLENS_STATE_PRESENT | flags,
		.pid = 99999999,
		.count = count,
		.va = pfn << 12,
		.pfn = pfn,
	};

	add_record(&users, &user, sizeof(user));
}

/* ---- --pid ---- */

/* Pages 0x100 to 0x109 on a list of twenty, and others on none. */
static int run_pid(const char *a, const char *b)
{
	struct fake_call calls[3];

	entries = lists = users = (struct records) {};
	add_mapped(0x10000, 0x100, 10, MMLENS_LRU_INACTIVE_FILE, 1 << 5);
	add_mapped(0x30000, 0x900, 2, MMLENS_LRU_NONE, 0);
	add_mapped(0x40000, 0x901, 1, MMLENS_LRU_UNEVICTABLE, 0);
	add_mapped(0x50000, 0x902, 1, MMLENS_LRU_ACTIVE_ANON, 0);
	add_mapped(0x60000, 0x903, 1, MMLENS_LRU_NONE, 1 << 24);
	add_mapped(0x70000, 0x904, 1, MMLENS_LRU_NONE, 1 << 17);
	add_pte(&entries, MMLENS_LEVEL_PTE, 0x80000, MMLENS_STATE_SWAP, 5, 6);
	add_list(&lists, MMLENS_LRU_INACTIVE_FILE, 0, 0, 20);
	for (int i = 0; i < 20; i++)
		add_folio(&lists, 0xf8 + i, 0, 0);
	add_use(0x100, 1, MMLENS_PTE_ACCESSED | MMLENS_EFF_NX);
	add_use(0x101, 9, MMLENS_EFF_NX);
	calls[0] = (struct fake_call) WHOLE(entries);
	calls[1] = (struct fake_call) WHOLE(lists);
	calls[2] = (struct fake_call) WHOLE(users);
	calls[1].max_hold_ns = 4200;
	fake_init(&fake, calls, ARRAY_SIZE(calls));
	return run_command(&fake, "lru", PID, a, b);
}

static void pages_stand_somewhere(void)
{
	CHECK_NUMBER(run_pid(NULL, NULL), 0);
	CHECK_STRING(output,
		"PID 99999999 maps 16 pages: 10 on LRU lists; 1 more are swapped out\n"
		"         2 on none: isolated, or in a CPU's batch\n"
		"         1 on none: moved to another list meanwhile\n"
		"         1 on none: unevictable, which isn't listed\n"
		"         1 on none: hugetlb\n"
		"         1 on none: zero page\n"
		"\n"
		"memcg - node 0 inactive_file: 10 pages, of 20 folios on the list\n"
		"  0-10%              0\n"
		"  10-20%             0\n"
		"  20-30%             0\n"
		"  30-40%             0\n"
		"  40-50%             2 ########################################\n"
		"  50-60%             2 ########################################\n"
		"  60-70%             2 ########################################\n"
		"  70-80%             2 ########################################\n"
		"  80-90%             2 ########################################\n"
		"  90-100%            0\n"
		"\n"
		"longest lock hold 4.2 us\n");
	CHECK_NUMBER(fake.made, 2);
}

static void pages_stand_in_json(void)
{
	CHECK_NUMBER(run_pid("--json", NULL), 0);
	CHECK(strstr(output, "\"pid\": 99999999, \"mapped\": 16, \"on_lists\": 10"));
	CHECK(strstr(output, "\"off_lists\": { \"none\": 2, \"moved\": 1, \"unevictable\": 1, \"hugetlb\": 1, \"zero_page\": 1, \"special\": 0, \"migration\": 0 }"));
	CHECK(strstr(output, "\"list\": \"inactive_file\", \"folios\": 20, \"cut\": false, \"pages\": 10, \"parts\": [ 0, 0, 0, 0, 2, 2, 2, 2, 2, 0 ]"));
	CHECK(!strstr(output, "\"after\""));
}

/* Ten others stand before and behind; the first of ours was used. */
static void what_goes_is_named(void)
{
	CHECK_NUMBER(run_pid("--after=48K", "--json"), 0);
	CHECK(strstr(output, "\"model\": \"classic\", \"approximate\": false"));
	CHECK(strstr(output, "\"asked\": 12, \"taken\": 12, \"named\": 4, \"of\": 16"));
	CHECK(!strstr(output, "\"va\""));
	CHECK(!fake.broken);
	CHECK_NUMBER(run_pid("--after=48K", "--pages"), 0);
	CHECK(strstr(output, "named pages: 4 of 16\n"
		     "000000011000-000000015000          4\n"));
	CHECK_NUMBER(run_pid("--after=1G", NULL), 0);
	CHECK(strstr(output, "named pages: 10 of 16\n"
		     "only 20 pages can be reclaimed\n"));
}

static void nobody(void)
{
	struct fake_call call = { .error = -ESRCH };

	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "lru", PID, NULL, NULL), 42);
	CHECK(strstr(errors, "PID 99999999: no such process"));
}

/* ---- the model ---- */

static const struct mml_reclaim_settings no_swap = {
	.swappiness = 60, .page_shift = 12,
};

static struct mmlens_lru_contents contents(unsigned int lru,
					   const struct mmlens_pfns *folios,
					   size_t count)
{
	return (struct mmlens_lru_contents) {
		.list = {
			.lru = lru,
			.zone = MMLENS_LIST_ALL_ZONES,
			.flags = MMLENS_LIST_ENABLED,
		},
		.count = count,
		.folios = folios,
	};
}

static void use_by(struct mml_reclaim *r, int pid, uint64_t pfn, uint32_t flags)
{
	struct mmlens_user user = {
		.head.level = MMLENS_LEVEL_PTE,
		.flags = MMLENS_STATE_PRESENT | flags,
		.pid = pid,
		.count = 1,
		.va = pfn << 12,
		.pfn = pfn,
	};

	mml_reclaim_use(r, &user);
}

static void use(struct mml_reclaim *r, uint64_t pfn, uint32_t flags)
{
	use_by(r, 1, pfn, flags);
}

#define USED	(MMLENS_PTE_ACCESSED | MMLENS_EFF_NX)

/* Dirty, mlocked, used twice or executed: all but the last goes round. */
static void what_is_passed_by(void)
{
	const struct mmlens_pfns folios[] = {
		{ .pfn = 1, .page_flags = 1 << 4 }, { .pfn = 2,
		.page_flags = 1ull << 33 }, { .pfn = 3 }, { .pfn = 4 },
		{ .pfn = 5, .page_flags = 1 << 2 }, { .pfn = 6 }, { .pfn = 8,
		.order = 1 },
	};
	struct mmlens_lru_contents file =
		contents(MMLENS_LRU_INACTIVE_FILE, folios, ARRAY_SIZE(folios));
	struct mml_reclaim *r = mml_reclaim_new(&no_swap);

	CHECK_NUMBER(mml_reclaim_add(r, &file), 0);
	CHECK_NUMBER(mml_reclaim_index(r), 0);
	use_by(r, 1, 3, USED);
	use_by(r, 2, 3, USED);
	use(r, 4, MMLENS_PTE_ACCESSED);
	/* Two entries of one mapping are one use. */
	use(r, 6, USED);
	use(r, 6, USED);
	CHECK_NUMBER(mml_reclaim_run(r, 1), 1);
	CHECK(mml_reclaim_took(r, 5));
	CHECK_NUMBER(mml_reclaim_run(r, 2), 2);
	CHECK(mml_reclaim_took(r, 8));
	CHECK(!mml_reclaim_took(r, 9));
	CHECK_NUMBER(mml_reclaim_run(r, 1), 1);
	CHECK(mml_reclaim_took(r, 6));
	CHECK(!mml_reclaim_took(r, 3));
	CHECK_NUMBER(mml_reclaim_kinds(r), MMLENS_LRU_CLASSIC);
	mml_reclaim_free(r);
}

/* Without swap anonymous pages stay, with it they share. */
static void swap_decides(void)
{
	struct mml_reclaim_settings s = no_swap;
	const struct mmlens_pfns one = { .pfn = 1 }, two = { .pfn = 2 };
	struct mmlens_lru_contents anon =
		contents(MMLENS_LRU_INACTIVE_ANON, &one, 1);
	struct mmlens_lru_contents file =
		contents(MMLENS_LRU_INACTIVE_FILE, &two, 1);

	for (int swap = 0; swap < 2; swap++) {
		struct mml_reclaim *r;

		s.swap = swap;
		r = mml_reclaim_new(&s);
		CHECK_NUMBER(mml_reclaim_add(r, &anon), 0);
		CHECK_NUMBER(mml_reclaim_add(r, &file), 0);
		CHECK_NUMBER(mml_reclaim_index(r), 0);
		CHECK_NUMBER(mml_reclaim_run(r, 2), 1 + swap);
		CHECK_NUMBER(mml_reclaim_took(r, 1), swap);
		CHECK(mml_reclaim_took(r, 2));
		mml_reclaim_free(r);
	}
}

/* What is active comes when the inactive list is low, its tail first. */
static void active_pages_come_last(void)
{
	const struct mmlens_pfns folios[] = {
		{ .pfn = 1 }, { .pfn = 2 }, { .pfn = 3 },
	};
	struct mmlens_lru_contents active =
		contents(MMLENS_LRU_ACTIVE_FILE, folios, ARRAY_SIZE(folios));
	struct mml_reclaim *r = mml_reclaim_new(&no_swap);

	CHECK_NUMBER(mml_reclaim_add(r, &active), 0);
	CHECK_NUMBER(mml_reclaim_index(r), 0);
	use(r, 1, MMLENS_PTE_ACCESSED);
	CHECK_NUMBER(mml_reclaim_run(r, 1), 1);
	CHECK(mml_reclaim_took(r, 2));
	CHECK_NUMBER(mml_reclaim_run(r, 9), 2);
	mml_reclaim_free(r);
}

static struct mmlens_lru_contents generation(uint64_t seq,
					     const struct mmlens_pfns *folio)
{
	struct mmlens_lru_contents c =
		contents(MMLENS_LRU_INACTIVE_FILE, folio, folio ? 1 : 0);

	c.list.generation = 1 + seq % 4;
	c.list.zone = 0;
	c.list.seq = seq;
	c.list.flags |= MMLENS_LIST_CURRENT;
	return c;
}

/* The oldest goes first; what was used isn't old. */
static void generations_go_by_age(void)
{
	const struct mmlens_pfns young = { .pfn = 1 }, old = { .pfn = 2 },
		used = { .pfn = 3 };
	struct mmlens_lru_contents c;
	struct mml_reclaim *r = mml_reclaim_new(&no_swap);

	c = generation(5, &used);
	CHECK_NUMBER(mml_reclaim_add(r, &c), 0);
	c = generation(6, &old);
	CHECK_NUMBER(mml_reclaim_add(r, &c), 0);
	c = generation(7, &young);
	CHECK_NUMBER(mml_reclaim_add(r, &c), 0);
	CHECK_NUMBER(mml_reclaim_index(r), 0);
	use(r, 3, USED);
	CHECK_NUMBER(mml_reclaim_run(r, 1), 1);
	CHECK(mml_reclaim_took(r, 2));
	CHECK_NUMBER(mml_reclaim_run(r, 1), 1);
	CHECK(mml_reclaim_took(r, 1));
	CHECK_NUMBER(mml_reclaim_run(r, 5), 1);
	CHECK_NUMBER(mml_reclaim_kinds(r), MMLENS_LRU_GENERATIONS);
	mml_reclaim_free(r);
}

/* ---- --watch ---- */

/*
 * 1 stays, 2 becomes active, 3 leaves, 4 is isolated, 5 appears, 6 grows older as
 * 7, of two pages, becomes young.
 */
static int run_watch(const char *json)
{
	struct fake_call calls[3];

	lists = second = pages = (struct records) {};
	add_list(&lists, MMLENS_LRU_INACTIVE_FILE, 0, 0, 4);
	for (int i = 1; i <= 4; i++)
		add_folio(&lists, i, 0, 0);
	add_list(&lists, MMLENS_LRU_INACTIVE_FILE, 2, 5, 2);
	add_folio(&lists, 6, 0, 0);
	add_folio(&lists, 8, 1, 0);
	add_list(&second, MMLENS_LRU_INACTIVE_FILE, 0, 0, 2);
	add_folio(&second, 5, 0, 0);
	add_folio(&second, 1, 0, 0);
	add_list(&second, MMLENS_LRU_ACTIVE_FILE, 0, 0, 1);
	add_folio(&second, 2, 0, 0);
	add_list(&second, MMLENS_LRU_INACTIVE_FILE, 2, 5, 1);
	add_folio(&second, 6, 0, 0);
	add_list(&second, MMLENS_LRU_INACTIVE_FILE, 3, 6, 1);
	add_folio(&second, 8, 1, 0);
	add_folio(&pages, 4, 0, 0);
	calls[0] = (struct fake_call) WHOLE(lists);
	calls[1] = (struct fake_call) WHOLE(second);
	calls[2] = (struct fake_call) WHOLE(pages);
	fake_init(&fake, calls, ARRAY_SIZE(calls));
	return run_command(&fake, "lru", "--watch=0.01", "--count=1", json);
}

static void pages_move(void)
{
	CHECK_NUMBER(run_watch(NULL), 0);
	CHECK(strstr(output, "6 pages on lists\n"
		"FROM \\ TO           none  isolated inactive_file active_file file_gen0 file_gen1\n"
		"none                   0         0             1           0         0         0\n"
		"inactive_file          1         1             1           1         0         0\n"
		"file_gen0              0         0             0           0         2         1\n"
		"appeared 1, left 1, isolated 1, activated 3, deactivated 0, aged 1, other 0\n"));
	CHECK(!fake.broken);
}

static void moves_are_a_line(void)
{
	CHECK_NUMBER(run_watch("--json"), 0);
	CHECK(strchr(output, '\n') == output + strlen(output) - 1);
	CHECK(strstr(output, "\"look\": 1, \"seconds\": 0."));
	CHECK(strstr(output, "\"appeared\": 1, \"left\": 1, \"isolated\": 1, \"activated\": 3"));
	CHECK(strstr(output, "{ \"from\": \"file_gen0\", \"to\": \"file_gen1\", \"pages\": 1 }"));
}

static void arguments_make_sense(void)
{
	static const char *const wrong[][3] = {
		{ "--pid=x" }, { "--pid=0" }, { "--after=1M" },
		{ PID, "--after=" }, { PID, "--after=0" },
		{ PID, "--after=1X" }, { PID, "--after=1MM" },
		{ PID, "--after=-1" }, { PID, "--after=99999999999999T" },
		{ PID, "--watch=1" }, { "--watch=0" }, { "--watch=x" },
		{ "--watch=nan" }, { "--watch=1", "--count=0" },
		{ PID, "--count=1" }, { PID, "more" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fake_init(&fake, NULL, 0);
		CHECK_NUMBER(run_command(&fake, "lru", wrong[i][0], wrong[i][1],
					 wrong[i][2]), 2);
		CHECK_NUMBER(fake.made, 0);
	}
}

TESTS(TEST(pages_stand_somewhere),
      TEST(pages_stand_in_json),
      TEST(what_goes_is_named),
      TEST(nobody),
      TEST(what_is_passed_by),
      TEST(swap_decides),
      TEST(active_pages_come_last),
      TEST(generations_go_by_age),
      TEST(pages_move),
      TEST(moves_are_a_line),
      TEST(arguments_make_sense))
