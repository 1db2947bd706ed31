// SPDX-License-Identifier: GPL-2.0-only
/* Free blocks and page blocks: records put together, and what is made of them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "fake.h"
#include "internal.h"
#include "test.h"

static struct fake fake;

/* ---- the module's answer ---- */

static void add_zones(struct records *r)
{
	struct mmlens_memnode node = {
		.head = { sizeof(node), MMLENS_REC_MEMNODE, 0 },
		.zones = 2, .present = 4096, .spanned = 4096,
	};
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.flags = MMLENS_ZONE_POPULATED, .spanned = 4096,
		.present = 4096, .managed = 4096, .name = "Normal",
	};
	struct mmlens_zone empty = {
		.head = { sizeof(empty), MMLENS_REC_ZONE, 0 },
		.index = 1, .name = "Movable",
	};

	add_record(r, &node, sizeof(node));
	add_record(r, &zone, sizeof(zone));
	add_record(r, &empty, sizeof(empty));
}

static void add_blocks(struct records *r, struct mmlens_blocks blocks,
		       const uint64_t *pfns)
{
	struct {
		struct mmlens_blocks head;
		uint64_t pfn[8];
	} rec = { .head = blocks };

	rec.head.head = (struct mmlens_record) {
		sizeof(blocks) + blocks.count * 8, MMLENS_REC_BLOCKS, 0,
	};
	memcpy(rec.pfn, pfns, blocks.count * sizeof(*pfns));
	add_record(r, &rec, rec.head.head.size);
}

#define BLOCKS(r, cpu_, order_, type_, position_, flags_, ...) \
	add_blocks(r, (struct mmlens_blocks) { \
		.cpu = cpu_, .order = order_, .migratetype = type_, \
		.position = position_, .flags = flags_, \
		.count = sizeof((uint64_t[]){ __VA_ARGS__ }) / 8 }, \
		(uint64_t[]){ __VA_ARGS__ })
#define EMPTY(r, cpu_, order_, type_) \
	add_blocks(r, (struct mmlens_blocks) { \
		.cpu = cpu_, .order = order_, .migratetype = type_, \
		.flags = MMLENS_BLOCKS_LAST }, (uint64_t[]){ 0 })

static void add_lists(struct records *r)
{
	EMPTY(r, -1, 0, MMLENS_MIGRATE_UNMOVABLE);
	BLOCKS(r, -1, 0, MMLENS_MIGRATE_MOVABLE, 0, 0, 7, 5);
	BLOCKS(r, -1, 0, MMLENS_MIGRATE_MOVABLE, 2, MMLENS_BLOCKS_LAST, 9);
	BLOCKS(r, -1, 1, MMLENS_MIGRATE_UNMOVABLE, 0, MMLENS_BLOCKS_LAST,
	       1024);
	EMPTY(r, -1, 1, MMLENS_MIGRATE_MOVABLE);
	BLOCKS(r, 3, 0, MMLENS_MIGRATE_MOVABLE, 0,
	       MMLENS_BLOCKS_LAST | MMLENS_BLOCKS_CUT, 100, 99);
}

static void add_pageblocks(struct records *r, uint64_t pfn, unsigned int count,
			   unsigned int type)
{
	struct mmlens_pageblocks run = {
		.head = { sizeof(run), MMLENS_REC_PAGEBLOCKS, 0 },
		.pfn = pfn, .count = count, .order = 9, .migratetype = type,
	};

	add_record(r, &run, sizeof(run));
}

/* A walk that held a lock for 1.9 us at most. */
#define HELD(r) { .data = (r).data, .length = (r).length, \
		  .status = MMLENS_STATUS_DONE, .max_hold_ns = 1900 }

/* Run a command on the sample, as it reads it: zones, page blocks, lists. */
static int run(const char *command, const char *a, const char *b,
	       const char *c)
{
	struct records zones = {}, blocks = {}, lists = {};
	int status;

	add_zones(&zones);
	add_pageblocks(&blocks, 0, 2, MMLENS_MIGRATE_MOVABLE);
	add_pageblocks(&blocks, 1024, 1, MMLENS_MIGRATE_MOVABLE);
	add_pageblocks(&blocks, 2048, 4, MMLENS_MIGRATE_UNMOVABLE);
	add_lists(&lists);
	{
		const struct fake_call calls[] = {
			WHOLE(zones), WHOLE(blocks), HELD(lists),
		};

		fake_init(&fake, calls, 3);
		status = run_command(&fake, command, a, b, c);
		CHECK(!fake.broken);
	}
	return status;
}

static struct mmlens_free_lists *read_lists(const struct fake_call *calls,
					    unsigned int count)
{
	struct mmlens_free_lists *lists;
	struct mmlens *lens;

	fake_init(&fake, calls, count);
	lens = fake_open(&fake);
	lists = mmlens_free_lists_read(lens);
	mmlens_close(lens);
	return lists;
}

static void records_of_a_list_are_joined(void)
{
	struct records r = {};
	struct mmlens_free_lists *lists;

	add_lists(&r);
	lists = read_lists(&(struct fake_call) WHOLE(r), 1);
	CHECK(lists);
	CHECK_NUMBER(lists->count, 5);
	CHECK_NUMBER(lists->lists[0].count, 0);
	CHECK_NUMBER(lists->lists[1].count, 3);
	CHECK_NUMBER(lists->lists[1].pfn[0], 7);
	CHECK_NUMBER(lists->lists[1].pfn[2], 9);
	CHECK(!lists->lists[1].cut);
	CHECK(lists->lists[4].cut);
	CHECK_NUMBER(lists->lists[4].cpu, 3);
	mmlens_free_lists_free(lists);
	mmlens_free_lists_free(NULL);
}

/* What was told from the position on is void, also from another call. */
static void a_list_that_begins_again(void)
{
	struct records first = {}, second = {};
	struct mmlens_free_lists *lists;

	BLOCKS(&first, -1, 0, 1, 0, 0, 7, 5, 3);
	BLOCKS(&second, -1, 0, 1, 0, 0, 8);
	BLOCKS(&second, -1, 0, 1, 1, MMLENS_BLOCKS_LAST, 6);
	lists = read_lists((const struct fake_call[]) {
		PART(first), WHOLE(second) }, 2);
	CHECK(lists);
	CHECK_NUMBER(lists->count, 1);
	CHECK_NUMBER(lists->lists[0].count, 2);
	CHECK_NUMBER(lists->lists[0].pfn[0], 8);
	CHECK_NUMBER(lists->lists[0].pfn[1], 6);
	mmlens_free_lists_free(lists);
}

static void records_that_make_no_sense(void)
{
	struct records gap = {}, long_one = {};
	struct mmlens_blocks blocks = {
		.head = { sizeof(blocks), MMLENS_REC_BLOCKS, 0 }, .count = 1,
	};

	BLOCKS(&gap, -1, 0, 1, 0, 0, 7);
	BLOCKS(&gap, -1, 0, 1, 2, 0, 8);
	CHECK(!read_lists(&(struct fake_call) WHOLE(gap), 1));
	CHECK_NUMBER(errno, EPROTO);
	add_record(&long_one, &blocks, sizeof(blocks));
	CHECK(!read_lists(&(struct fake_call) WHOLE(long_one), 1));
	CHECK_NUMBER(errno, EPROTO);
}

static void page_blocks_are_joined(void)
{
	struct mmlens_pageblock_map *map;
	struct records r = {};
	struct fake_call call;
	struct mmlens *lens;

	add_pageblocks(&r, 0, 2, 1);
	add_pageblocks(&r, 1024, 1, 1);
	add_pageblocks(&r, 2048, 1, 1);
	add_pageblocks(&r, 2560, 1, 0);
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	lens = fake_open(&fake);
	map = mmlens_pageblock_map_read(lens, 0, 0);
	CHECK(map);
	CHECK_NUMBER(map->count, 3);
	CHECK_NUMBER(map->runs[0].count, 3);
	CHECK_NUMBER(map->order, 9);
	mmlens_pageblock_map_free(map);
	mmlens_close(lens);
}

static void buddy_as_text(void)
{
	CHECK_NUMBER(run("buddy", NULL, NULL, NULL), 0);
	CHECK_STRING(output,
		"node 0, zone Normal: 5 pages in 4 free blocks, 2 pages kept by CPUs (+: and more)\n"
		" ORDER   SIZE   Unmovable     Movable\n"
		"     0   4.0K           0           3\n"
		"     1   8.0K           1           0\n"
		" CPU 3: order 0 Movable 2+\n"
		"longest lock hold 1.9 us\n");
	CHECK_NUMBER(run("buddy", "-t", "unmovable", NULL), 0);
	CHECK(strstr(output, " ORDER   SIZE   Unmovable\n"));
	CHECK(!strstr(output, "CPU 3"));
	CHECK_NUMBER(run("buddy", "-l", "-o0", NULL), 0);
	CHECK_STRING(output,
		"NODE ZONE       CPU ORDER TYPE         POSITION PFN\n"
		"   0 Normal      -     0 Movable             0 0x7\n"
		"   0 Normal      -     0 Movable             1 0x5\n"
		"   0 Normal      -     0 Movable             2 0x9\n"
		"   0 Normal      3     0 Movable             0 0x64\n"
		"   0 Normal      3     0 Movable             1 0x63\n"
		"longest lock hold 1.9 us\n");
}

static void buddy_as_json(void)
{
	CHECK_NUMBER(run("buddy", "--json", "-l", "-o1"), 0);
	CHECK(strstr(output, "{ \"node\": 0, \"zone\": \"Normal\", \"order\": 1, \"migratetype\": \"Unmovable\", \"blocks\": 1, \"cut\": false, \"pfns\": [ 1024 ] }"));
	CHECK(strstr(output, "\"max_lock_hold_ns\": 1900"));
}

static void maps_of_zones(void)
{
	CHECK_NUMBER(run("buddy", "--map", NULL, NULL), 0);
	CHECK(strstr(output, "node 0, zone Normal: 8.0K a character\n"));
	/* 7 and 5 are the second of two, 9 too; 1024 and 1025 are both free */
	CHECK(strstr(output, "0x000000000 [..555..."));
	CHECK(strstr(output, "0x000000400 [#..."));
	CHECK(strstr(output, "0x000000600 [    "));
	CHECK_NUMBER(run("pageblocks", "--map", NULL, NULL), 0);
	CHECK(strstr(output, "0x000000000 [mmmm"));
	CHECK(strstr(output, "0x000000800 [uuuu"));
}

static void pageblocks_as_text(void)
{
	CHECK_NUMBER(run("pageblocks", NULL, NULL, NULL), 0);
	CHECK_STRING(output,
		"NODE ZONE     FIRST PFN   LAST PFN       BLOCKS TYPE\n"
		"   0 Normal   0x000000000-0x0000005ff        3 Movable\n"
		"   0 Normal   0x000000800-0x000000fff        4 Unmovable\n"
		"order 9: 512 pages a block\n"
		"longest lock hold 1.9 us\n");
	CHECK_NUMBER(run("pageblocks", "--json", "-zNormal", "-tMovable"), 0);
	CHECK(strstr(output, "\"first_pfn\": 0, \"last_pfn\": 1535, \"blocks\": 3"));
	CHECK(!strstr(output, "Unmovable"));
}

static void pagetypeinfo_as_the_kernels(void)
{
	CHECK_NUMBER(run("pagetypeinfo", NULL, NULL, NULL), 0);
	CHECK_STRING(output,
		"Page block order: 9\n"
		"Pages per block:  512\n"
		"\n"
		"Free pages count per migrate type at order       0      1 \n"
		"Node    0, zone   Normal, type    Unmovable      0      1 \n"
		"Node    0, zone   Normal, type      Movable      3      0 \n"
		"\n"
		"Number of blocks type     Unmovable      Movable \n"
		"Node 0, zone   Normal            4            3 \n");
}

/* ---- the ledger ---- */

static void add_pfns(struct records *r, uint64_t pfn, unsigned int count,
		     unsigned int bucket, unsigned int order)
{
	struct mmlens_pfns run = {
		.head = { sizeof(run), MMLENS_REC_PFNS, 0 },
		.pfn = pfn, .count = count, .bucket = bucket, .order = order,
		.migratetype = MMLENS_MIGRATE_MOVABLE,
	};

	add_record(r, &run, sizeof(run));
}

static char iomem[] = "/tmp/mmlens-iomem.XXXXXX";

static void remove_iomem(void)
{
	unlink(iomem);
}

/* PFN 0 to 3 aren't memory, 4 and 5 are reserved. */
static void write_iomem(void)
{
	static bool written;

	if (!written) {
		int fd = mkstemp(iomem);

		CHECK(dprintf(fd, "00000000-00003fff : Reserved\n"
			      "00004000-00ffffff : System RAM\n"
			      "  00200000-002fffff : Kernel code\n") > 0);
		close(fd);
		atexit(remove_iomem);
		written = true;
	}
	mmlens_iomem_path = iomem;
}

static void add_frames(struct records *r)
{
	add_pfns(r, 0, 6, MMLENS_BUCKET_RESERVED, 0);
	add_pfns(r, 6, 2, MMLENS_BUCKET_SLAB, 0);
	add_pfns(r, 8, 56, MMLENS_BUCKET_BUDDY, 3);
	/* The first of an allocation of four pages, and the rest of it. */
	add_pfns(r, 64, 1, MMLENS_BUCKET_KERNEL, 0);
	add_pfns(r, 65, 3, MMLENS_BUCKET_UNTOLD, 0);
	/* Of the next two, a CPU keeps the first. */
	add_pfns(r, 99, 2, MMLENS_BUCKET_UNTOLD, 0);
}

/* What is untold is looked at once more: now it is free, too. */
static int run_ledger(const char *a, const char *b)
{
	struct records zones = {}, frames = {}, lists = {}, again = {};
	struct records more = {}, nothing = {};
	int status;

	write_iomem();
	add_zones(&zones);
	add_frames(&frames);
	BLOCKS(&lists, 3, 0, MMLENS_MIGRATE_MOVABLE, 0, MMLENS_BLOCKS_LAST,
	       99);
	add_pfns(&again, 100, 1, MMLENS_BUCKET_UNTOLD, 0);
	BLOCKS(&more, 3, 0, MMLENS_MIGRATE_MOVABLE, 0, MMLENS_BLOCKS_LAST,
	       100, 99);
	{
		const struct fake_call calls[] = {
			WHOLE(zones), WHOLE(frames), WHOLE(lists),
			WHOLE(again), HELD(more), WHOLE(nothing),
		};

		fake_init(&fake, calls, 6);
		status = run_command(&fake, "ledger", a, b, NULL);
		CHECK(!fake.broken);
	}
	return status;
}

static void ledger_as_text(void)
{
	CHECK_NUMBER(run_ledger("--free", NULL), 0);
	CHECK(strstr(output, "node 0, zone Normal: 4096 pages present, 66 in buckets\n"));
	CHECK(strstr(output,
		" buddy                   56  224.0K   1.4% free blocks\n"
		"   order  3 Movable             56\n"
		" kept                     2    8.0K   0.0% free, kept by CPUs\n"
		" slab                     2    8.0K   0.0% slab allocator\n"
		" kernel                   1    4.0K   0.0% any other in use\n"
		" rest                     3   12.0K   0.1% behind the first page of an allocation\n"
		" reserved                 2    8.0K   0.0% taken at boot\n"
		" hole                     4   16.0K   0.1% no memory\n"
		"longest lock hold 1.9 us\n"));
}

static void ledger_as_json(void)
{
	CHECK_NUMBER(run_ledger("--json", "-zNormal"), 0);
	CHECK(strstr(output, "\"present\": 4096, \"sum\": 66, \"buckets\": { \"buddy\": 56, \"kept\": 2,"));
	CHECK(strstr(output, "\"free\": [ { \"order\": 3, \"migratetype\": \"Movable\", \"pages\": 56 } ], \"untold\": [ ] }"));
}

static void ledger_as_a_map(void)
{
	CHECK_NUMBER(run_ledger("--map", NULL), 0);
	CHECK(strstr(output, "0x000000000 [  RS............................Kr "));
}

/* The kernel maps PFN 210 for vmalloc(), and 211 as its image. */
static void add_kmap(struct records *r)
{
	struct mmlens_region region = {
		.head = { sizeof(region), MMLENS_REC_REGION, 0 },
		.start = 0xffffc90000000000, .end = 0xffffe90000000000,
		.name = "vmalloc",
	};
	struct mmlens_kmap run = {
		.head = { sizeof(run), MMLENS_REC_KMAP, MMLENS_LEVEL_PTE },
		.flags = MMLENS_STATE_PRESENT, .va = region.start, .count = 1,
		.value = 210, .consecutive = 1,
	};

	add_record(r, &region, sizeof(region));
	add_record(r, &run, sizeof(run));
	run.va = 0xffffffff81000000;
	run.value = 211;
	add_record(r, &run, sizeof(run));
}

/* Nothing says what it is in three looks: it is listed. */
static void ledger_lists_what_is_untold(void)
{
	struct records zones = {}, frames = {}, lists = {}, again = {};
	struct records kmap = {};

	write_iomem();
	add_zones(&zones);
	add_pfns(&frames, 200, 2, MMLENS_BUCKET_UNTOLD, 0);
	add_pfns(&frames, 210, 2, MMLENS_BUCKET_KERNEL, 0);
	add_pfns(&again, 200, 2, MMLENS_BUCKET_UNTOLD, 0);
	add_lists(&lists);
	add_kmap(&kmap);
	{
		const struct fake_call calls[] = {
			WHOLE(zones), WHOLE(frames), WHOLE(lists),
			WHOLE(again), WHOLE(lists), WHOLE(again),
			WHOLE(lists), WHOLE(kmap),
		};

		fake_init(&fake, calls, 8);
		CHECK_NUMBER(run_command(&fake, "ledger", NULL, NULL, NULL), 0);
		CHECK(!fake.broken);
	}
	CHECK(strstr(output, " kernel                   1    4.0K   0.0% any other in use\n"
		     " vmalloc                  1    4.0K   0.0% vmalloc, stacks of tasks, modules\n"));
	CHECK(strstr(output, " untold                   2    8.0K   0.0% no bucket fits\n"
		     "   untold: PFN 0xc8-0xc9\n"));
}

static void ledger_without_iomem(void)
{
	struct records zones = {};

	add_zones(&zones);
	mmlens_iomem_path = "/nowhere";
	{
		const struct fake_call calls[] = { WHOLE(zones) };

		fake_init(&fake, calls, 1);
		CHECK_NUMBER(run_command(&fake, "ledger", NULL, NULL, NULL), 1);
	}
	CHECK(strstr(errors, "ledger: No such file"));
}

static void arguments_make_sense(void)
{
	fake_init(&fake, NULL, 0);
	CHECK_NUMBER(run_command(&fake, "buddy", "-t", "nothing", NULL), 2);
	CHECK(strstr(errors, "isn't a migratetype"));
	CHECK_NUMBER(run_command(&fake, "buddy", "-n", "-1", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "buddy", "-o", "x", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "buddy", "--map", "-l", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "pageblocks", "--map", "--json", NULL),
		     2);
	CHECK_NUMBER(run_command(&fake, "pageblocks", "1", NULL, NULL), 2);
	CHECK_NUMBER(run_command(&fake, "ledger", "--map", "--free", NULL), 2);
	CHECK_NUMBER(run_command(&fake, "ledger", "Normal", NULL, NULL), 2);
	CHECK_NUMBER(run_command(&fake, "pagetypeinfo", "-x", NULL, NULL), 2);
	CHECK_NUMBER(fake.made, 0);
}

TESTS(TEST(records_of_a_list_are_joined),
      TEST(a_list_that_begins_again),
      TEST(records_that_make_no_sense),
      TEST(page_blocks_are_joined),
      TEST(buddy_as_text),
      TEST(buddy_as_json),
      TEST(maps_of_zones),
      TEST(pageblocks_as_text),
      TEST(pagetypeinfo_as_the_kernels),
      TEST(ledger_as_text),
      TEST(ledger_as_json),
      TEST(ledger_as_a_map),
      TEST(ledger_lists_what_is_untold),
      TEST(ledger_without_iomem),
      TEST(arguments_make_sense))
