// SPDX-License-Identifier: GPL-2.0-only
/* The LRU lists, and what stands on them. */
#include <errno.h>

#include "command.h"
#include "test.h"

static struct fake fake;

/* An inode that no cgroup of this machine has. */
#define MEMCG 0xfedcba9876543ull

static struct mmlens_lru_list make_list(unsigned int lru, uint32_t flags,
					uint64_t pages)
{
	return (struct mmlens_lru_list) {
		.head = { sizeof(struct mmlens_lru_list), MMLENS_REC_LRU, 0 },
		.flags = flags | MMLENS_LIST_LAST,
		.memcg = MEMCG,
		.pages = pages,
		.cursor = 0x100 + lru,
		.lru = lru,
		.zone = MMLENS_LIST_ALL_ZONES,
	};
}

static void add_list(struct records *r, unsigned int lru, uint32_t flags,
		     uint64_t pages, uint32_t count)
{
	struct mmlens_lru_list list = make_list(lru, flags, pages);

	list.count = count;
	add_record(r, &list, sizeof(list));
}

static void add_generation(struct records *r, unsigned int lru, uint64_t seq,
			   uint64_t age_ms, uint64_t pages, uint32_t count)
{
	struct mmlens_lru_list list =
		make_list(lru, MMLENS_LIST_COUNTED | MMLENS_LIST_ENABLED |
			       MMLENS_LIST_CURRENT, pages);

	list.cursor = 0x200 + seq;
	list.seq = seq;
	list.age_ms = age_ms;
	list.generation = 1 + seq % 4;
	list.zone = 15;	/* one that no machine has */
	list.count = count;
	add_record(r, &list, sizeof(list));
}

static void add_folio(struct records *r, uint64_t pfn, unsigned int order,
		      unsigned int lru, unsigned int generation)
{
	struct mmlens_pfns page = {
		.head = { sizeof(page), MMLENS_REC_PFNS, 0 },
		.count = 1,
		.pfn = pfn,
		.page_flags = lru ? 1 << 5 | 1 << 3 : 1 << 3,
		.mapcount = 2,
		.refcount = 4,
		.order = order,
		.lru = lru,
		.generation = generation,
		.tier = generation ? 1 : 0,
	};
	struct mmlens_backing backing = {
		.head = { sizeof(backing), MMLENS_REC_BACKING, 0 },
		.flags = MMLENS_BACKING_INODE,
		.pfn = pfn,
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

static void add_user(struct records *r, int pid, uint64_t va, uint64_t pfn,
		     uint32_t count)
{
	struct mmlens_user user = {
		.head = { sizeof(user), MMLENS_REC_USER, MMLENS_LEVEL_PTE },
		.flags = MMLENS_STATE_PRESENT | MMLENS_PTE_USER,
		.pid = pid,
		.count = count,
		.va = va,
		.pfn = pfn,
	};

	add_record(r, &user, sizeof(user));
}

#define ON (MMLENS_LIST_COUNTED | MMLENS_LIST_ENABLED)

static struct records table, users, procs, walk, more;

/* ---- lists ---- */

static int run_table(const char *a, const char *b, const char *c)
{
	struct fake_call call = WHOLE(table);

	call.max_hold_ns = 1500;
	fake_init(&fake, &call, 1);
	return run_command(&fake, "lru", a, b, c);
}

static void fill_classic(void)
{
	table = (struct records) {};
	add_list(&table, MMLENS_LRU_INACTIVE_ANON, ON, 300, 0);
	add_list(&table, MMLENS_LRU_ACTIVE_ANON, ON, 0, 0);
	add_list(&table, MMLENS_LRU_UNEVICTABLE, ON | MMLENS_LIST_NO_ORDER |
		 MMLENS_LIST_OFFLINE, 7, 0);
}

static void classic_lists(void)
{
	fill_classic();
	CHECK_NUMBER(run_table(NULL, NULL, NULL), 0);
	CHECK_STRING(output,
		"LRU lists: classic\n"
		"NODE LIST                 SEQ ZONE        AGE        PAGES        MiB\n"
		"inode 4483583629026627\n"
		"   0 inactive_anon                                     300        1.2\n"
		"   0 unevictable                                         7        0.0  on no list: the kernel only counts them\n"
		"longest lock hold 1.5 us\n");
	CHECK_NUMBER(fake.last.flags, 0);
	CHECK_NUMBER(run_table("-a", NULL, NULL), 0);
	CHECK(strstr(output, "   0 active_anon                                         0        0.0\n"));
	CHECK_NUMBER(run_table("--list", "unevictable", NULL), 0);
	CHECK(strstr(output, "inode 4483583629026627 (removed)\n   0 unevictable"));
	CHECK(!strstr(output, "_anon"));
}

/* The oldest first, whatever the order in which the module has them. */
static void generations(void)
{
	table = (struct records) {};
	add_list(&table, MMLENS_LRU_INACTIVE_ANON, MMLENS_LIST_COUNTED, 0, 0);
	add_generation(&table, MMLENS_LRU_INACTIVE_FILE, 8, 1200, 10, 0);
	add_generation(&table, MMLENS_LRU_INACTIVE_FILE, 7, 192000, 256, 0);
	add_generation(&table, MMLENS_LRU_INACTIVE_ANON, 7, 90061000, 1, 0);
	CHECK_NUMBER(run_table(NULL, NULL, NULL), 0);
	CHECK_STRING(output,
		"LRU lists: generations\n"
		"NODE LIST                 SEQ ZONE        AGE        PAGES        MiB\n"
		"inode 4483583629026627\n"
		"   0 anon                   7 15        1d01h            1        0.0\n"
		"   0 file                   7 15        3m12s          256        1.0\n"
		"   0 file                   8 15         1.2s           10        0.0\n"
		"longest lock hold 1.5 us\n");
	CHECK_NUMBER(run_table("--list", "gen:8", NULL), 0);
	CHECK(strstr(output, " 8 15 "));
	CHECK(!strstr(output, " 7 15 "));
	CHECK_NUMBER(run_table("--list", "file", "--json"), 0);
	CHECK(strstr(output, "\"kind\": \"generations\""));
	CHECK(strstr(output, "{ \"memcg\": 4483583629026627, \"offline\": false, \"node\": 0, \"kind\": \"generation\", \"list\": \"file\", \"generation\": 3, \"seq\": 7, \"age_ms\": 192000, \"current\": true, \"zone\": 15, \"enabled\": true, \"ordered\": true, \"pages\": 256 }"));
	CHECK(strstr(output, "\"walk\": {\"lists\": 2, "));
	CHECK_NUMBER(run_table("--list", "inactive_anon", NULL), 0);
	CHECK(strstr(errors, "--list anon"));
}

/* While it is switched nobody has counted the classic lists. */
static void both_kinds(void)
{
	table = (struct records) {};
	add_list(&table, MMLENS_LRU_INACTIVE_ANON, 0, 0, 0);
	add_list(&table, MMLENS_LRU_ACTIVE_FILE, ON, 2, 0);
	add_generation(&table, MMLENS_LRU_INACTIVE_FILE, 8, 1200, 10, 0);
	CHECK_NUMBER(run_table(NULL, NULL, NULL), 0);
	CHECK(strstr(output, "LRU lists: both\n"));
	CHECK(strstr(output, "   0 inactive_anon                                       ?   being moved to generations\n"));
}

static void what_is_not_there(void)
{
	fill_classic();
	CHECK_NUMBER(run_table("--node", "3", NULL), 1);
	CHECK(strstr(errors, "node 3: has no LRU lists"));
	CHECK_NUMBER(run_table("--list", "gen:3", NULL), 1);
	CHECK_NUMBER(run_table("--memcg", "@77", NULL), 1);
	CHECK(strstr(errors, "@77: has no such lists"));
	CHECK_NUMBER(run_table("--memcg", "@x", NULL), 1);
	CHECK_NUMBER(fake.made, 0);
	CHECK_NUMBER(run_table("--memcg", "/proc/nowhere", NULL), 1);
	CHECK(strstr(errors, "/proc/nowhere: "));
	CHECK_STRING(output, "");
}

/* ---- what stands on them ---- */

/* The table, who maps what, names, and each list of @walk and @more. */
static int run_pages(unsigned int count, const char *a, const char *b,
		     const char *c)
{
	struct fake_call calls[5];

	users = procs = (struct records) {};
	add_user(&users, 9, 0x7000, 0x1000, 2);
	add_user(&users, 10, 0x20000, 0x1001, 3);
	add_proc(&procs, 9, 0, 0, "ni\"ne");
	add_proc(&procs, 10, 0, 0, "t\x1bn");
	calls[0] = (struct fake_call) WHOLE(table);
	calls[1] = (struct fake_call) WHOLE(users);
	calls[2] = (struct fake_call) WHOLE(procs);
	calls[3] = (struct fake_call) WHOLE(walk);
	calls[4] = (struct fake_call) WHOLE(more);
	calls[4].max_hold_ns = 4200;
	fake_init(&fake, calls, count);
	return run_command(&fake, "lru", a, b, c);
}

static void fill_pages(void)
{
	table = walk = more = (struct records) {};
	add_list(&table, MMLENS_LRU_INACTIVE_ANON, ON, 3, 0);
	add_generation(&table, MMLENS_LRU_INACTIVE_FILE, 6, 100, 5, 0);
	add_list(&walk, MMLENS_LRU_INACTIVE_ANON, ON | MMLENS_LIST_CUT, 3, 3);
	add_folio(&walk, 0x1000, 0, MMLENS_LRU_INACTIVE_ANON, 0);
	add_folio(&walk, 0x55, 0, MMLENS_LRU_NONE, 0);
	add_folio(&walk, 0x66, 0, MMLENS_LRU_ACTIVE_ANON, 0);
	/* What comes behind it isn't looked at. */
	add_list(&walk, MMLENS_LRU_ACTIVE_ANON, ON, 1, 1);
	add_folio(&walk, 0x77, 0, MMLENS_LRU_ACTIVE_ANON, 0);
	add_generation(&more, MMLENS_LRU_INACTIVE_FILE, 6, 100, 5, 1);
	add_folio(&more, 0x1001, 2, MMLENS_LRU_INACTIVE_FILE, 4);
}

static void pages_in_order(void)
{
	fill_pages();
	CHECK_NUMBER(run_pages(5, "--pages", NULL, NULL), 0);
	CHECK_STRING(output,
		"LRU lists: both\n"
		"inode 4483583629026627, node 0, inactive_anon: 3 pages\n"
		"POSITION PFN            PAGES   REFS   MAPS GEN TIER FLAGS                                                        OWNER\n"
		"       0 0x1000             1      4      2          uptodate,lru                                                 ni\"ne[9] 0x7000 ext4 na?me inode 42 offset 0x3000\n"
		"       1 0x55               1      4      2          uptodate                                                     (now isolated) ext4 na?me inode 42 offset 0x3000\n"
		"       2 0x66               1      4      2          uptodate,lru                                                 (now active_anon) ext4 na?me inode 42 offset 0x3000\n"
		"the list goes on: it changed too often while it was read\n"
		"inode 4483583629026627, node 0, file, generation 6 (2), zone 15: 5 pages\n"
		"POSITION PFN            PAGES   REFS   MAPS GEN TIER FLAGS                                                        OWNER\n"
		"       0 0x1001             4      4      2   3    1 uptodate,lru                                                 ni\"ne[9] 0x8000 +1 more ext4 na?me inode 42 offset 0x3000\n"
		"longest lock hold 4.2 us\n");
	CHECK_NUMBER(fake.last.flags, MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING);
	CHECK_NUMBER(fake.last.cursor, 0x206);
	CHECK_NUMBER(fake.last.generation, MMLENS_LIST_FROM);
	CHECK_NUMBER(fake.last.end, 0);
}

static void pages_as_json(void)
{
	fill_pages();
	CHECK_NUMBER(run_pages(5, "--pages", "--json", NULL), 0);
	CHECK(strstr(output, "\"pages\": 3, \"cut\": true, \"folios\": ["));
	CHECK(strstr(output, "{\"position\": 0, \"pfn\": 4096, \"order\": 0, \"flags\": [\"uptodate\", \"lru\"], \"refcount\": 4, \"mapcount\": 2, \"lru\": \"inactive_anon\", \"memcg\": 0, \"left\": false, \"backing\": {\"kind\": \"file\", \"device\": \"08:01\", \"inode\": 42, \"offset\": 12288, \"filesystem\": \"ext4\", \"name\": \"na\\nme\"}, \"users\": [{\"pid\": 9, \"comm\": \"ni\\\"ne\", \"va\": \"0x7000\", \"pages\": 1}]}"));
	CHECK(strstr(output, "\"lru\": \"none\", \"memcg\": 0, \"left\": true"));
	CHECK(strstr(output, "\"users\": [{\"pid\": 9, \"comm\": \"ni\\\"ne\", \"va\": \"0x8000\", \"pages\": 1}, {\"pid\": 10, \"comm\": \"t\\u001bn\", \"va\": \"0x20000\", \"pages\": 3}]}"));
	CHECK(strstr(output, "\"walk\": {\"folios\": 4, "));
}

static void ends_of_a_list(void)
{
	fill_pages();
	CHECK_NUMBER(run_pages(4, "--list", "inactive_anon", "--head=1"), 0);
	CHECK(strstr(output, "\n       2 0x66 "));
	CHECK(!strstr(output, "\n       1 0x55 "));
	CHECK_NUMBER(fake.last.end, 0);
	CHECK_NUMBER(run_pages(4, "--list", "inactive_anon", "--tail=2"), 0);
	CHECK_NUMBER(fake.last.end, 2);
	CHECK_NUMBER(fake.last.cursor, 0x101);
	CHECK_NUMBER(fake.made, 4);
}

/* Its memcg was removed, or its generation's index has gone to another one. */
static void lists_that_are_gone(void)
{
	fill_pages();
	walk = (struct records) {};
	add_list(&walk, MMLENS_LRU_ACTIVE_ANON, ON, 1, 1);
	add_folio(&walk, 0x77, 0, MMLENS_LRU_ACTIVE_ANON, 0);
	CHECK_NUMBER(run_pages(4, "--pages", "--list", "inactive_anon"), 0);
	CHECK(strstr(output, "inactive_anon: isn't there any more\n"));
	CHECK(!strstr(output, "0x77"));
	walk = (struct records) {};
	add_generation(&walk, MMLENS_LRU_INACTIVE_FILE, 10, 100, 5, 1);
	add_folio(&walk, 0x1001, 2, MMLENS_LRU_INACTIVE_FILE, 4);
	CHECK_NUMBER(run_pages(4, "--pages", "--list=gen:6", "--json"), 0);
	CHECK(strstr(output, "\"seq\": 6,"));
	CHECK(strstr(output, "\"gone\": true"));
	CHECK(!strstr(output, "\"pfn\""));
}

/* Where nothing links them they are found by PFN: first pages of folios. */
static void unevictable_by_pfn(void)
{
	struct mmlens_pfns run = {
		.head = { sizeof(run), MMLENS_REC_PFNS, 0 },
		.count = 3,
		.pfn = 0x1003,
		.folio_index = 3,
		.order = 2,
		.lru = MMLENS_LRU_UNEVICTABLE,
	};

	fill_classic();
	walk = more = (struct records) {};
	add_record(&walk, &run, sizeof(run));
	add_folio(&more, 0x1004, 2, MMLENS_LRU_UNEVICTABLE, 0);
	CHECK_NUMBER(run_pages(5, "--pages", "--list", "unevictable"), 0);
	CHECK(strstr(output, "unevictable: 7 pages, on no list: by PFN\n"));
	CHECK(strstr(output, "\n       - 0x1004             4 "));
	CHECK_NUMBER(fake.made, 5);
	CHECK_NUMBER(fake.last.start, 0x1004);
}

static void errors_of_a_walk(void)
{
	struct fake_call calls[2] = {};

	fill_classic();
	calls[0] = (struct fake_call) WHOLE(table);
	calls[1].error = -EPERM;
	fake_init(&fake, calls, 2);
	CHECK_NUMBER(run_command(&fake, "lru", "--pages", NULL, NULL), 1);
	CHECK(strstr(errors, "lru: Operation not permitted"));
	calls[0].error = -EPERM;
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(run_command(&fake, "lru", NULL, NULL, NULL), 1);
	CHECK_STRING(output, "");
}

static void arguments_make_sense(void)
{
	static const char *const wrong[][3] = {
		{ "1" }, { "--list", "x" }, { "--list", "gen:" },
		{ "--list", "gen:1x" }, { "--list", "none" },
		{ "--node", "x" }, { "--tail", "0" }, { "--head", "-1" },
		{ "--tail=1", "--head=1" }, { "--tail", "9999999999" },
		{ "--pages=1" }, { "--memcg" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		fake_init(&fake, NULL, 0);
		CHECK_NUMBER(run_command(&fake, "lru", wrong[i][0], wrong[i][1],
					 wrong[i][2]), 2);
		CHECK_NUMBER(fake.made, 0);
	}
}

TESTS(TEST(classic_lists),
      TEST(generations),
      TEST(both_kinds),
      TEST(what_is_not_there),
      TEST(pages_in_order),
      TEST(pages_as_json),
      TEST(ends_of_a_list),
      TEST(lists_that_are_gone),
      TEST(unevictable_by_pfn),
      TEST(errors_of_a_walk),
      TEST(arguments_make_sense))
