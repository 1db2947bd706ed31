// SPDX-License-Identifier: GPL-2.0-only
/* Differences: what became of each entry, told from two made-up captures. */
#include <errno.h>
#include <unistd.h>

#include "capture_take.h"
#include "fake.h"
#include "internal.h"
#undef ARRAY_SIZE
#include "test.h"

#define BASE	0x7f0000000000ull
#define LOW	0x010000000000ull	/* terabytes are above */
#define P	(MMLENS_STATE_PRESENT | MMLENS_PTE_USER)
#define W	MMLENS_PTE_WRITE
#define D	MMLENS_PTE_DIRTY
#define A	MMLENS_PTE_ACCESSED
#define F	MMLENS_PTE_FILE
#define S	MMLENS_STATE_SWAP

/* A process of one mapping, with these entries. */
static struct mmlens *made_up(const struct mmlens_info *info,
			      struct records *vmas, struct records *entries)
{
	struct records *const both[] = { vmas, entries };
	static const unsigned int nrs[] = { MMLENS_NR_VMAS, MMLENS_NR_PTES };
	static const uint32_t flags[] = { 0, MMLENS_CAPTURE_PTES };
	struct mml_writer *w = mml_writer_open("/tmp/x", info, 0);
	struct mml_capture *capture;
	char why[MML_WHY] = "";

	for (int i = 0; i < 2; i++) {
		mml_writer_begin(w, nrs[i], flags[i], 42, NULL);
		for (size_t at = 0; at < both[i]->length;) {
			const struct mmlens_record *rec =
				(const void *)(both[i]->data + at);

			mml_writer_record(w, rec);
			at += rec->size;
		}
		mml_writer_end(w, 0, NULL);
	}
	capture = mml_capture_open(mml_writer_finish(w), why);
	CHECK_STRING(why, "");
	return mml_replay_open(capture, false);
}

struct seen {
	struct mmlens_diff_area areas[8];
	size_t count;
	unsigned int changes;
	unsigned int last;
};

static int on_area(const struct mmlens_diff_area *area, void *context)
{
	struct seen *seen = context;

	if (seen->count < 8)
		seen->areas[seen->count++] = *area;
	return 0;
}

static int on_change(const struct mmlens_diff_change *change, void *context)
{
	struct seen *seen = context;

	seen->changes++;
	seen->last = change->kinds;
	return 0;
}

static const struct mmlens_diff_told told = {
	.change = on_change, .area = on_area,
};

static int compare(struct records *vmas, struct records *before,
		   struct records *after, struct seen *seen)
{
	struct mmlens *a = made_up(&fake_info, vmas, before);
	struct mmlens *b = made_up(&fake_info, vmas, after);
	int ret = mmlens_diff(a, b, 42, 42, &told, seen);

	mmlens_close(a);
	mmlens_close(b);
	return ret;
}

static const struct {
	uint32_t before;	/* flags; 0: no entry */
	uint64_t old;		/* PFN or slot */
	uint32_t after;
	uint64_t new;
	unsigned int kinds;
} cases[] = {
	{ P | W, 1, P | W, 1, 0 },
	{ 0, 0, P | W | D, 1, MMLENS_DIFF_FAULTED_IN },
	{ P, 1, 0, 0, MMLENS_DIFF_UNMAPPED },
	{ P | D, 1, P | W | D | A, 2, MMLENS_DIFF_COW },
	{ P | W | F, 1, P | W | D, 2, MMLENS_DIFF_COW },
	{ P | MMLENS_PTE_ZERO, 1, P | W | D, 2, MMLENS_DIFF_COW },
	{ P | W | D, 1, P | W | D, 2, MMLENS_DIFF_MIGRATED },
	{ P | W, 1, P | W | D, 2, MMLENS_DIFF_MIGRATED | MMLENS_DIFF_DIRTIED },
	{ P, 1, P | MMLENS_PTE_NX, 2, MMLENS_DIFF_REPLACED },
	{ P | W | D, 1, S, 9, MMLENS_DIFF_SWAPPED_OUT },
	{ 0, 0, S, 9, MMLENS_DIFF_SWAPPED_OUT },
	{ S, 9, P | W, 1, MMLENS_DIFF_SWAPPED_IN },
	{ S, 9, S, 9, 0 },
	{ S, 9, S, 10, MMLENS_DIFF_SWAPPED_IN | MMLENS_DIFF_SWAPPED_OUT },
	{ S, 9, 0, 0, MMLENS_DIFF_UNMAPPED },
	{ P | W, 1, P | W | D, 1, MMLENS_DIFF_DIRTIED },
	{ P | W | D, 1, P | W, 1, MMLENS_DIFF_CLEANED },
	{ P | W, 1, P | W | A, 1, MMLENS_DIFF_ACCESSED },
	{ P | W | A, 1, P | W, 1, MMLENS_DIFF_CLEARED },
	{ P | W, 1, P, 1, MMLENS_DIFF_PROTECTED },
	{ P | W | D, 1, P, 1, MMLENS_DIFF_PROTECTED | MMLENS_DIFF_CLEANED },
	{ P, 1, MMLENS_STATE_NUMA_HINT | MMLENS_PTE_USER, 1,
	  MMLENS_DIFF_PROTECTED },
	{ P, 1, MMLENS_STATE_MIGRATION | MMLENS_PTE_USER, 1,
	  MMLENS_DIFF_PROTECTED },
	{ MMLENS_STATE_MARKER, 4, MMLENS_STATE_MARKER, 4, 0 },
	{ 0, 0, MMLENS_STATE_MARKER, 4, MMLENS_DIFF_OTHER },
};

static void each_change_is_told(void)
{
	struct records vmas = {}, before, after;

	add_vma(&vmas, BASE, BASE + 0x100000, MMLENS_VMA_READ);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = {};

		before.length = after.length = 0;
		if (cases[i].before)
			add_pte(&before, 1, BASE, cases[i].before,
				cases[i].old, 0);
		if (cases[i].after)
			add_pte(&after, 1, BASE, cases[i].after, cases[i].new,
				0);
		CHECK_NUMBER(compare(&vmas, &before, &after, &seen), 0);
		CHECK_NUMBER(seen.changes, !!cases[i].kinds);
		if (seen.last != cases[i].kinds)
			fprintf(stderr, "case %zu\n", i);
		CHECK_NUMBER(seen.last, cases[i].kinds);
		CHECK_NUMBER(seen.count, 1);
		CHECK_NUMBER(seen.areas[0].changed, !!cases[i].kinds);
	}
}

static uint64_t pages_of(const struct mmlens_diff_area *area, unsigned int kind)
{
	return area->pages[__builtin_ctz(kind)];
}

/* A leaf in place of entries, and the other way round, page by page. */
static void leaves_are_split_and_collapsed(void)
{
	struct records vmas = {}, small = {}, large = {};
	struct seen seen = {};

	add_vma(&vmas, BASE, BASE + 0x400000, MMLENS_VMA_READ);
	add_pte(&large, 2, BASE, P | W | MMLENS_PTE_LEAF, 0x200, 0);
	for (uint64_t i = 0; i < 512; i++)
		if (i != 100)
			add_pte(&small, 1, BASE + i * 4096, P | W, 0x200 + i,
				0);
	CHECK_NUMBER(compare(&vmas, &large, &small, &seen), 0);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_SPLIT), 511);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_UNMAPPED), 1);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_MIGRATED), 0);
	CHECK_NUMBER(seen.areas[0].splits, 1);
	CHECK_NUMBER(seen.areas[0].changed, 512);

	seen = (struct seen) {};
	CHECK_NUMBER(compare(&vmas, &small, &large, &seen), 0);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_COLLAPSED), 511);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_FAULTED_IN), 1);
	CHECK_NUMBER(seen.areas[0].collapses, 1);
}

/* What is there now counts; of what isn't, what is left. */
static void mappings_come_and_go(void)
{
	struct records old = {}, new = {}, entries = {}, none = {};
	struct mmlens *a, *b;
	struct seen seen = {};

	add_vma(&old, BASE, BASE + 0x3000, MMLENS_VMA_READ);
	add_vma(&old, BASE + 0x10000, BASE + 0x14000, MMLENS_VMA_READ);
	add_vma(&new, BASE + 0x11000, BASE + 0x12000, MMLENS_VMA_WRITE);
	add_vma(&new, BASE + 0x20000, BASE + 0x21000, MMLENS_VMA_READ);
	add_pte(&entries, 1, BASE + 0x1000, P, 5, 0);
	add_pte(&entries, 1, BASE + 0x13000, P, 6, 0);
	a = made_up(&fake_info, &old, &entries);
	b = made_up(&fake_info, &new, &none);
	CHECK_NUMBER(mmlens_diff(a, b, 42, 42, &told, &seen), 0);
	CHECK_NUMBER(seen.count, 5);
	CHECK_NUMBER(seen.areas[0].end, BASE + 0x3000);
	CHECK(!seen.areas[0].after);
	CHECK_NUMBER(seen.areas[0].changed, 1);
	CHECK_NUMBER(seen.areas[1].start, BASE + 0x10000);
	CHECK_NUMBER(seen.areas[1].end, BASE + 0x11000);
	CHECK(!seen.areas[1].after);
	CHECK(seen.areas[2].before && seen.areas[2].after);
	CHECK_NUMBER(seen.areas[3].start, BASE + 0x12000);
	CHECK_NUMBER(seen.areas[3].changed, 1);
	CHECK(!seen.areas[4].before);
	mmlens_close(a);
	mmlens_close(b);
}

static int tire(const struct mmlens_diff_change *change, void *context)
{
	struct seen *seen = context;

	CHECK_NUMBER(change->start, LOW + seen->changes * 4096ull);
	CHECK_NUMBER(change->end, change->start + 4096);
	CHECK_NUMBER(change->before->va, change->start);
	CHECK_NUMBER(change->before->value, 0x1000 + seen->changes);
	CHECK_NUMBER(change->after->value, 0x1001 + seen->changes);
	return ++seen->changes == 1000 ? 7 : 0;
}

/*
 * A record of some bytes can claim that there are four billion entries.  They
 * aren't walked, unless someone wants to be told of each, and he may end it.
 */
static void claims_cost_no_time(void)
{
	static const uint64_t claimed = 0xffffffff;
	static const struct mmlens_diff_told tired = {
		.change = tire, .area = on_area,
	}, sums = { .area = on_area };
	const struct mmlens_page_state state = { .mapcount = 1 };
	struct records vmas = {}, old = {}, new = {};
	struct mmlens *a, *b;
	struct seen seen = {};

	add_vma(&vmas, LOW, LOW + (claimed << 12), MMLENS_VMA_READ);
	add_page(&old, 1, LOW, P | W, 0x1000, claimed, &state);
	add_page(&new, 1, LOW, P | W | D, 0x1001, claimed, &state);
	a = made_up(&fake_info, &vmas, &old);
	b = made_up(&fake_info, &vmas, &new);
	CHECK_NUMBER(mmlens_diff(a, b, 42, 42, &sums, &seen), 0);
	CHECK_NUMBER(seen.areas[0].changed, claimed);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_MIGRATED), claimed);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_DIRTIED), claimed);

	seen = (struct seen) {};
	CHECK_NUMBER(mmlens_diff(a, a, 42, 42, &sums, &seen), 0);
	CHECK_NUMBER(seen.areas[0].changed, 0);

	seen = (struct seen) {};
	CHECK_NUMBER(mmlens_diff(a, b, 42, 42, &tired, &seen), 7);
	CHECK_NUMBER(seen.changes, 1000);
	mmlens_close(a);
	mmlens_close(b);
}

/* A row of one side against parts of rows and single entries of the other. */
static void rows_are_cut_where_the_other_side_is(void)
{
	const struct mmlens_page_state state = { .mapcount = 1 };
	struct records vmas = {}, old = {}, new = {};
	struct seen seen = {};

	add_vma(&vmas, BASE, BASE + 0x9000, MMLENS_VMA_READ);
	add_vma(&vmas, BASE + 0x9000, BASE + 0x100000, MMLENS_VMA_WRITE);
	add_page(&old, 1, BASE, P | W, 0x1000, 16, &state);
	/* 0 to 2 the same, 3 not there, 4 to 7 moved, 8 swapped, ... */
	add_page(&new, 1, BASE, P | W, 0x1000, 3, &state);
	add_page(&new, 1, BASE + 0x4000, P | W, 0x2000, 4, &state);
	add_pte(&new, 1, BASE + 0x8000, S, 5, 0);
	/* ... 9 to 15 dirtied, 16 to 19 new. */
	add_page(&new, 1, BASE + 0x9000, P | W | D, 0x1009, 11, &state);
	CHECK_NUMBER(compare(&vmas, &old, &new, &seen), 0);
	CHECK_NUMBER(seen.count, 2);
	CHECK_NUMBER(seen.areas[0].changed, 6);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_UNMAPPED), 1);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_MIGRATED), 4);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_SWAPPED_OUT), 1);
	CHECK_NUMBER(seen.areas[1].changed, 11);
	CHECK_NUMBER(pages_of(&seen.areas[1], MMLENS_DIFF_DIRTIED), 7);
	CHECK_NUMBER(pages_of(&seen.areas[1], MMLENS_DIFF_FAULTED_IN), 4);
	CHECK_NUMBER(seen.changes, 17);
}

/* Four leaves whose pages follow each other. */
static void add_leaves(struct records *r)
{
	union {
		struct mmlens_run run;
		uint64_t words[sizeof(struct mmlens_run) / 8 + 4];
	} leaves = {
		.run = {
			.head = { sizeof(leaves), MMLENS_REC_RUN,
				  MMLENS_LEVEL_PMD },
			.flags = P | W | MMLENS_PTE_LEAF,
			.va = BASE, .value = 0x200, .count = 4,
		},
	};

	for (unsigned int i = 0; i < 4; i++)
		leaves.run.raw[i] = 0x200087 + i * 0x200000ull;
	add_record(r, &leaves, sizeof(leaves));
}

/* Leaves of one record, whose tables may be full or have gaps. */
static void leaves_in_a_row_are_counted(void)
{
	const struct mmlens_page_state state = { .mapcount = 1 };
	struct records vmas = {}, large = {}, small = {};
	struct seen seen = {};

	add_vma(&vmas, BASE, BASE + 0x800000, MMLENS_VMA_READ);
	add_leaves(&large);
	add_page(&small, 1, BASE + 0x1000, P | W, 0x201, 1500, &state);
	CHECK_NUMBER(compare(&vmas, &large, &small, &seen), 0);
	CHECK_NUMBER(seen.areas[0].splits, 3);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_SPLIT), 1500);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_UNMAPPED), 548);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_MIGRATED), 0);
	seen = (struct seen) {};
	CHECK_NUMBER(compare(&vmas, &small, &large, &seen), 0);
	CHECK_NUMBER(seen.areas[0].collapses, 3);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_COLLAPSED), 1500);
	CHECK_NUMBER(pages_of(&seen.areas[0], MMLENS_DIFF_FAULTED_IN), 548);
}

static void other_machines_are_refused(void)
{
	struct mmlens_info info = fake_info;
	struct records vmas = {}, none = {};
	struct mmlens *a, *b;
	struct seen seen = {};

	info.arch = 183;
	a = made_up(&fake_info, &vmas, &none);
	b = made_up(&info, &vmas, &none);
	CHECK_NUMBER(mmlens_diff(a, b, 42, 42, &told, &seen), -EXDEV);
	CHECK_NUMBER(mmlens_diff(a, a, 41, 42, &told, &seen), -ESRCH);
	mmlens_close(a);
	mmlens_close(b);
}

TESTS(
	TEST(each_change_is_told),
	TEST(leaves_are_split_and_collapsed),
	TEST(mappings_come_and_go),
	TEST(claims_cost_no_time),
	TEST(rows_are_cut_where_the_other_side_is),
	TEST(leaves_in_a_row_are_counted),
	TEST(other_machines_are_refused),
)
