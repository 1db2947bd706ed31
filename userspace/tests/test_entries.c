// SPDX-License-Identifier: GPL-2.0-only
/* Entries, the runs that they make, areas, translations. */
#include <errno.h>

#include "fake.h"
#include "test.h"

static const struct mmlens_request request = { .pid = 1 };

#define P MMLENS_STATE_PRESENT
#define S MMLENS_STATE_SWAP

static uint64_t slot(unsigned int type, uint64_t offset)
{
	return (uint64_t)type << 58 | offset;
}

struct walk {
	struct mmlens_entry_run runs[16];
	int count;
	int end;
};

static struct walk walk_runs(const struct fake_call *calls, unsigned int count)
{
	struct mmlens_entries *entries;
	struct walk walk = {};
	struct mmlens *lens;
	struct fake fake;

	fake_init(&fake, calls, count);
	lens = fake_open(&fake);
	entries = mmlens_entries_open(lens, &request);
	CHECK(entries);
	if (!entries)
		goto out;
	while (walk.count < 16 &&
	       (walk.end = mmlens_runs_next(entries,
					    &walk.runs[walk.count])) > 0)
		walk.count++;
	CHECK_NUMBER(mmlens_runs_next(entries, &walk.runs[15]), walk.end);
	mmlens_entries_close(entries);
out:
	mmlens_close(lens);
	return walk;
}

static void runs_merge_what_is_alike(void)
{
	struct records a = {}, b = {};
	struct walk w;

	add_pte(&a, 1, 0x1000, P | MMLENS_PTE_USER, 10, 0xa);
	add_pte(&a, 1, 0x2000, P | MMLENS_PTE_USER, 11, 0xb);
	/* A call's end doesn't end a run. */
	add_pte(&b, 1, 0x3000, P | MMLENS_PTE_USER, 99, 0xc);
	/* Other flags, then a gap, then another level. */
	add_pte(&b, 1, 0x4000, P, 100, 0xd);
	add_pte(&b, 1, 0x6000, P, 101, 0xe);
	add_pte(&b, 2, 0x200000, P, 512, 0xf);
	add_pte(&b, 2, 0x400000, P, 1024, 0xf);
	const struct fake_call calls[] = { PART(a), WHOLE(b) };
	w = walk_runs(calls, 2);

	CHECK_NUMBER(w.count, 4);
	CHECK_NUMBER(w.end, 0);
	CHECK_NUMBER(w.runs[0].start, 0x1000);
	CHECK_NUMBER(w.runs[0].end, 0x4000);
	CHECK_NUMBER(w.runs[0].entries, 3);
	CHECK_NUMBER(w.runs[0].value, 10);
	CHECK_NUMBER(w.runs[0].raw, 0xa);
	CHECK(!w.runs[0].contiguous);
	CHECK_NUMBER(w.runs[1].start, 0x4000);
	CHECK_NUMBER(w.runs[1].end, 0x5000);
	CHECK_NUMBER(w.runs[2].start, 0x6000);
	CHECK_NUMBER(w.runs[3].entries, 2);
	CHECK_NUMBER(w.runs[3].end, 0x600000);
	CHECK(w.runs[3].contiguous);
}

static void runs_of_swap_keep_to_a_device(void)
{
	struct records a = {};
	struct walk w;

	add_pte(&a, 1, 0x1000, S, slot(0, 5), 0);
	add_pte(&a, 1, 0x2000, S, slot(0, 6), 0);
	add_pte(&a, 1, 0x3000, S, slot(1, 7), 0);
	const struct fake_call calls[] = { WHOLE(a) };
	w = walk_runs(calls, 1);
	CHECK_NUMBER(w.count, 2);
	CHECK_NUMBER(w.runs[0].entries, 2);
	CHECK(w.runs[0].contiguous);
	CHECK_NUMBER(w.runs[1].entries, 1);
}

static void runs_of_markers_keep_to_a_kind(void)
{
	struct records a = {};
	struct walk w;

	add_pte(&a, 1, 0x1000, MMLENS_STATE_MARKER, MMLENS_MARKER_UFFD, 0);
	add_pte(&a, 1, 0x2000, MMLENS_STATE_MARKER, MMLENS_MARKER_UFFD, 0);
	add_pte(&a, 1, 0x3000, MMLENS_STATE_MARKER, MMLENS_MARKER_GUARD, 0);
	const struct fake_call calls[] = { WHOLE(a) };
	w = walk_runs(calls, 1);
	CHECK_NUMBER(w.count, 2);
	CHECK_NUMBER(w.runs[0].entries, 2);
}

static void runs_of_holes_keep_to_a_level(void)
{
	struct records a = {};
	struct walk w;

	add_hole(&a, 1, 0x1000, 0x3000);
	add_hole(&a, 1, 0x3000, 0x200000);
	add_hole(&a, 2, 0x200000, 0x600000);
	const struct fake_call calls[] = { WHOLE(a) };
	w = walk_runs(calls, 1);
	CHECK_NUMBER(w.count, 2);
	CHECK_NUMBER(w.runs[0].end, 0x200000);
	CHECK_NUMBER(w.runs[1].start, 0x200000);
	CHECK_NUMBER(w.runs[1].level, MMLENS_LEVEL_PMD);
}

static void a_run_that_is_cut_off_comes_out(void)
{
	struct records a = {};
	struct walk w;

	add_pte(&a, 1, 0x1000, P, 10, 0);
	const struct fake_call calls[] = { PART(a), { .error = -ESRCH } };
	w = walk_runs(calls, 2);
	CHECK_NUMBER(w.count, 1);
	CHECK_NUMBER(w.end, -ESTALE);
}

static void an_empty_walk_has_no_runs(void)
{
	struct records a = {};
	struct walk w;

	const struct fake_call calls[] = { WHOLE(a) };
	w = walk_runs(calls, 1);
	CHECK_NUMBER(w.count, 0);
	CHECK_NUMBER(w.end, 0);
}

/* How a walk of this one record ends. */
static int end_of(const struct records *r)
{
	const struct fake_call calls[] = { WHOLE(*r) };
	struct walk w = walk_runs(calls, 1);

	return w.count ? w.count : w.end;
}

static void entries_make_sense(void)
{
	struct records level = {}, address = {}, hole = {}, good = {};

	add_pte(&level, 4, 0x1000, P, 10, 0);	/* folded */
	CHECK_NUMBER(end_of(&level), -EPROTO);
	add_pte(&address, 2, 0xfffffffffffff000, P, 10, 0);
	CHECK_NUMBER(end_of(&address), -EPROTO);
	add_hole(&hole, 1, 0x2000, 0x2000);
	CHECK_NUMBER(end_of(&hole), -EPROTO);
	add_stranger(&good);
	add_pte(&good, 1, 0x1000, P, 10, 0);
	CHECK_NUMBER(end_of(&good), 1);
}

/* ---- areas ---- */

static void areas_have_their_names_and_sums(void)
{
	struct records a = {}, b = {};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	struct mmlens *lens;
	struct fake fake;

	add_vma(&a, 0x1000, 0x2000, MMLENS_VMA_READ);
	add_name(&a, "/bin/sh");
	add_smaps(&a, 4096, 0);
	add_vma(&a, 0x3000, 0x4000, 0);
	/* The sums of the second come with another call. */
	add_stranger(&b);
	add_smaps(&b, 8192, 0);
	const struct fake_call calls[] = { PART(a), WHOLE(b) };
	fake_init(&fake, calls, 2);
	lens = fake_open(&fake);
	areas = mmlens_areas_open(lens, &request, MMLENS_AREAS_SMAPS);
	CHECK(fake.last_request == MMLENS_SMAPS);

	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->vma->start, 0x1000);
	CHECK_STRING(area->name, "/bin/sh");
	CHECK_NUMBER(area->smaps->rss, 4096);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->vma->start, 0x3000);
	CHECK(!area->name);
	CHECK_NUMBER(area->smaps->rss, 8192);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 0);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 0);
	mmlens_areas_close(areas);
	mmlens_close(lens);
}

static void an_area_without_its_sums_stays_back(void)
{
	struct records a = {};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	struct mmlens *lens;
	struct fake fake;

	add_vma(&a, 0x1000, 0x2000, MMLENS_VMA_READ);
	add_smaps(&a, 4096, 0);
	add_vma(&a, 0x3000, 0x4000, 0);
	const struct fake_call calls[] = { PART(a), { .error = -ESRCH } };
	fake_init(&fake, calls, 2);
	lens = fake_open(&fake);
	areas = mmlens_areas_open(lens, &request, MMLENS_AREAS_SMAPS);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), -ESTALE);
	CHECK(mmlens_areas_stats(areas)->truncated);
	mmlens_areas_close(areas);
	mmlens_close(lens);
}

static void an_area_keeps_the_longest_name(void)
{
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	struct records a = {};
	struct mmlens *lens;
	struct fake fake;
	char name[4097];

	memset(name, 'n', 4096);
	name[4096] = '\0';
	add_vma(&a, 0x1000, 0x2000, 0);
	add_name(&a, name);
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	areas = mmlens_areas_open(lens, &request, 0);
	CHECK(fake.last_request == MMLENS_VMAS);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->name_length, 4096);
	CHECK_STRING(area->name, name);
	mmlens_areas_close(areas);
	mmlens_close(lens);
}

/* ---- translations ---- */

static int translate_of(unsigned int abi, const struct records *r,
			uint64_t address, struct mmlens_translation *t)
{
	const struct fake_call calls[] = { WHOLE(*r) };
	struct mmlens *lens;
	struct fake fake;
	int ret;

	fake_init(&fake, calls, 1);
	fake.info.abi = abi;
	lens = fake_open(&fake);
	ret = mmlens_translate(lens, 1, address, t);
	CHECK_NUMBER(fake.last.start, address & ~0xfffull);
	CHECK_NUMBER(fake.last.end, 0);
	mmlens_close(lens);
	return ret;
}

static int translate(const struct records *r, uint64_t address,
		     struct mmlens_translation *t)
{
	return translate_of(MMLENS_ABI, r, address, t);
}

#define USER_RW (MMLENS_PTE_USER | MMLENS_PTE_WRITE)

static void a_translation_adds_up(void)
{
	struct mmlens_translation t;
	struct records r = {};

	add_level(&r, 5, 0, MMLENS_STATE_TABLE | USER_RW, 7, 0x67, 6, 0);
	add_level(&r, 3, 0, MMLENS_STATE_TABLE | MMLENS_PTE_USER, 8, 0x67, 7,
		  0);
	/* The module says what is left, and for once it isn't the sum. */
	add_level(&r, 2, 0x200000, P | USER_RW | MMLENS_PTE_NX |
		  MMLENS_EFF_WRITE, 0x400, 0x67, 8, 1);
	CHECK_NUMBER(translate(&r, 0x212345, &t), 0);
	CHECK(t.mapped);
	CHECK(!t.user);
	CHECK(t.rw);
	CHECK(!t.nx);
	/* One that is too old to say it. */
	CHECK_NUMBER(translate_of(1, &r, 0x212345, &t), 0);
	CHECK_NUMBER(t.steps, 3);
	CHECK(t.mapped);
	CHECK_NUMBER(t.phys, 0x412345);
	CHECK_NUMBER(t.size, 0x200000);
	CHECK(t.user);
	CHECK(!t.rw);
	CHECK(t.nx);
}

static void a_hole_has_no_translation(void)
{
	struct mmlens_translation t;
	struct records r = {}, none = {};

	add_level(&r, 5, 0, MMLENS_STATE_TABLE | USER_RW, 7, 0x67, 6, 0);
	add_level(&r, 3, 0, MMLENS_STATE_NONE, 0, 0, 7, 0);
	CHECK_NUMBER(translate(&r, 0x1234, &t), 0);
	CHECK(!t.mapped);
	CHECK_NUMBER(t.steps, 2);
	CHECK_NUMBER(translate(&none, 0x1234, &t), 0);
	CHECK(!t.mapped);
	CHECK_NUMBER(t.steps, 0);
	CHECK(!t.user);
}

static void a_translation_of_too_many_steps_is_refused(void)
{
	struct mmlens_translation t;
	struct records r = {};

	for (int i = 0; i <= MMLENS_MAX_STEPS; i++)
		add_level(&r, 5, 0, MMLENS_STATE_TABLE, 7, 0x67, 6, 0);
	CHECK_NUMBER(translate(&r, 0, &t), -EPROTO);
}

/* Entries in a row in one record, @count as it says, @raw as there are. */
static void add_row(struct records *r, uint64_t va, uint64_t value,
		    uint32_t count, const uint64_t *raw, size_t n)
{
	struct mmlens_run head = {
		.head = { sizeof(head) + n * sizeof(*raw), MMLENS_REC_RUN, 1 },
		.flags = P,
		.va = va,
		.value = value,
		.count = count,
	};

	add_record(r, &head, sizeof(head));
	add_record(r, raw, n * sizeof(*raw));
}

static void a_row_is_taken_apart(void)
{
	/* PFNs that go up, and down, below bits that stay. */
	static const uint64_t raw[] = { 0x8000000000005025, 0x8000000000009025,
					0x8000000000002025 };
	struct mmlens_entries *entries;
	struct mmlens_entry entry;
	struct records r = {};
	struct mmlens *lens;
	struct fake fake;

	add_row(&r, 0x1000, 5, 3, raw, 3);
	add_pte(&r, 1, 0x9000, P, 77, 0x4d025);
	const struct fake_call calls[] = { WHOLE(r) };
	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	entries = mmlens_entries_open(lens, &request);
	for (int i = 0; i < 3; i++) {
		static const uint64_t pfn[] = { 5, 9, 2 };

		CHECK_NUMBER(mmlens_entries_next(entries, &entry), 1);
		CHECK_NUMBER(entry.va, 0x1000 + i * 0x1000);
		CHECK_NUMBER(entry.value, pfn[i]);
		CHECK_NUMBER(entry.raw, raw[i]);
	}
	CHECK_NUMBER(mmlens_entries_next(entries, &entry), 1);
	CHECK_NUMBER(entry.value, 77);
	CHECK_NUMBER(mmlens_entries_next(entries, &entry), 0);
	mmlens_entries_close(entries);
	mmlens_close(lens);
}

static void a_row_that_claims_too_much_is_refused(void)
{
	static const uint64_t raw[] = { 0x1025, 0x2025 };
	const uint32_t claims[] = { 0, 3, UINT32_MAX };

	for (size_t i = 0; i < 3; i++) {
		struct records r = {};

		add_row(&r, 0x1000, 1, claims[i], raw, 2);
		const struct fake_call calls[] = { WHOLE(r) };
		CHECK_NUMBER(walk_runs(calls, 1).end, -EPROTO);
	}
}

/* Only of present entries is it told that they are in a row. */
static void a_row_of_what_is_not_present_is_refused(void)
{
	static const uint64_t raw[] = { 0x1025, 0x2025 };
	const struct mmlens_page_state state = {};
	struct records run = {}, pages = {};

	add_row(&run, 0x1000, 1, 2, raw, 2);
	((struct mmlens_run *)run.data)->flags = MMLENS_STATE_SWAP;
	add_page(&pages, 1, 0x1000, MMLENS_STATE_NUMA_HINT, 5, 2, &state);
	const struct fake_call calls[] = { WHOLE(run), WHOLE(pages) };
	CHECK_NUMBER(walk_runs(&calls[0], 1).end, -EPROTO);
	CHECK_NUMBER(walk_runs(&calls[1], 1).end, -EPROTO);
}

/* ---- the state of pages ---- */

/* Four billion entries in one record are one run, and take no time. */
static void a_run_is_as_long_as_its_rows(void)
{
	static const uint32_t claimed = 0xffffffff;
	const uint64_t start = 0x10000000000, end = start + (claimed * 4096ull);
	const struct mmlens_page_state state = { .mapcount = 1 };
	struct records r = {};
	struct walk got;

	add_page(&r, 1, start, P, 0x1000, claimed, &state);
	add_page(&r, 1, end, P, 0x1000ull + claimed, 7, &state);
	add_page(&r, 1, end + 0x7000, P, 0x1000, claimed, &state);
	const struct fake_call calls[] = { WHOLE(r) };
	got = walk_runs(calls, 1);
	CHECK_NUMBER(got.end, 0);
	CHECK_NUMBER(got.count, 2);
	CHECK_NUMBER(got.runs[0].entries, claimed + 7ull);
	CHECK_NUMBER(got.runs[0].end, end + 0x7000);
	CHECK_NUMBER(got.runs[1].value, 0x1000);
	CHECK_NUMBER(got.runs[1].entries, claimed);
}

#define HEAD (1ull << 15)
#define TAIL (1ull << 16)

static void a_page_record_is_taken_apart(void)
{
	const struct mmlens_page_state tails = {
		.flags = TAIL | 1ull << 63, .memcg = 42, .mapcount = 3,
		.folio_index = 1, .order = 4, .lru = MMLENS_LRU_ACTIVE_ANON,
		.generation = 4, .tier = 2, .node = 300, .zone = 2,
	};
	const struct mmlens_page_state small = { .mapcount = -1 };
	struct mmlens_entries *entries;
	struct mmlens_entry e;
	struct records r = {};
	struct mmlens *lens;
	struct fake fake;

	add_page(&r, 1, 0x1000, P | MMLENS_EFF_USER, 0x101, 15, &tails);
	add_page(&r, 1, 0x10000, P, 7, 2, &small);
	add_pte(&r, 1, 0x12000, P | MMLENS_PTE_SPECIAL, 9, 0);
	const struct fake_call calls[] = { WHOLE(r) };
	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	entries = mmlens_entries_open(lens, &request);
	for (unsigned int i = 0; i < 15; i++) {
		CHECK_NUMBER(mmlens_entries_next(entries, &e), 1);
		CHECK_NUMBER(e.va, 0x1000 * (1 + i));
		CHECK_NUMBER(e.value, 0x101 + i);
		CHECK_NUMBER(e.raw, (0x101ull + i) << 12 | 0x67);
		CHECK_NUMBER(e.flags, P | MMLENS_EFF_USER);
		CHECK(e.has_page);
		CHECK_NUMBER(e.page.folio_index, 1 + i);
		CHECK_NUMBER(e.page.flags, tails.flags);
		CHECK_NUMBER(e.page.memcg, 42);
		CHECK_NUMBER(e.page.mapcount, 3);
		CHECK_NUMBER(e.page.order, 4);
		CHECK_NUMBER(e.page.lru, MMLENS_LRU_ACTIVE_ANON);
		CHECK_NUMBER(e.page.generation, 4);
		CHECK_NUMBER(e.page.tier, 2);
		CHECK_NUMBER(e.page.node, 300);
		CHECK_NUMBER(e.page.zone, 2);
	}
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_NUMBER(mmlens_entries_next(entries, &e), 1);
		CHECK_NUMBER(e.value, 7 + i);
		CHECK_NUMBER(e.page.folio_index, 0);
		CHECK_NUMBER(e.page.mapcount, -1);
	}
	CHECK_NUMBER(mmlens_entries_next(entries, &e), 1);
	CHECK(!e.has_page);
	CHECK_NUMBER(mmlens_entries_next(entries, &e), 0);
	mmlens_entries_close(entries);
	mmlens_close(lens);
}

static void runs_of_pages_are_contiguous_and_alike(void)
{
	struct mmlens_page_state head = { .flags = HEAD, .order = 2,
					  .mapcount = 1 };
	struct mmlens_page_state tail = { .flags = TAIL, .order = 2,
					  .mapcount = 1, .folio_index = 1 };
	struct mmlens_page_state small = { .mapcount = 1 };
	struct records a = {}, b = {};
	struct walk w;

	/* A folio: its first page, and the rest from two records. */
	add_page(&a, 1, 0x1000, P, 0x100, 1, &head);
	add_page(&a, 1, 0x2000, P, 0x101, 1, &tail);
	tail.folio_index = 2;
	add_page(&a, 1, 0x3000, P, 0x102, 2, &tail);
	/* Small pages in a row; then elsewhere; then another mapcount. */
	add_page(&a, 1, 0x5000, P, 0x104, 2, &small);
	add_page(&b, 1, 0x7000, P, 0x106, 1, &small);
	add_page(&b, 1, 0x8000, P, 0x200, 1, &small);
	small.mapcount = 2;
	add_page(&b, 1, 0x9000, P, 0x201, 1, &small);
	/* Another effective permission; one whose page isn't described. */
	add_page(&b, 1, 0xa000, P | MMLENS_EFF_NX, 0x202, 1, &small);
	add_pte(&b, 1, 0xb000, P | MMLENS_EFF_NX, 0x203, 0);
	const struct fake_call calls[] = { PART(a), WHOLE(b) };
	w = walk_runs(calls, 2);
	CHECK_NUMBER(w.end, 0);
	CHECK_NUMBER(w.count, 7);
	CHECK_NUMBER(w.runs[0].entries, 1);
	CHECK_NUMBER(w.runs[1].start, 0x2000);
	CHECK_NUMBER(w.runs[1].entries, 3);
	CHECK_NUMBER(w.runs[1].page.folio_index, 1);
	CHECK_NUMBER(w.runs[2].start, 0x5000);
	CHECK_NUMBER(w.runs[2].entries, 3);
	CHECK(w.runs[2].contiguous && w.runs[2].has_page);
	CHECK_NUMBER(w.runs[3].start, 0x8000);
	CHECK_NUMBER(w.runs[4].page.mapcount, 2);
	CHECK_NUMBER(w.runs[5].flags, P | MMLENS_EFF_NX);
	CHECK(!w.runs[6].has_page);
}

static void runs_of_huge_pages_keep_their_place(void)
{
	struct mmlens_page_state huge = { .flags = HEAD, .order = 9 };
	struct records a = {};
	struct walk w;

	/* Two folios one behind another, and parts of one of 1 GiB. */
	add_page(&a, 2, 0x40000000, P, 0x400, 1, &huge);
	add_page(&a, 2, 0x40200000, P, 0x600, 1, &huge);
	huge.order = 18;
	huge.folio_index = 0x800;
	add_page(&a, 2, 0x40400000, P, 0x800, 1, &huge);
	huge.folio_index = 0xa00;
	add_page(&a, 2, 0x40600000, P, 0xa00, 1, &huge);
	huge.folio_index = 0xa00;
	add_page(&a, 2, 0x40800000, P, 0xc00, 1, &huge);
	const struct fake_call calls[] = { WHOLE(a) };
	w = walk_runs(calls, 1);
	CHECK_NUMBER(w.count, 3);
	CHECK_NUMBER(w.runs[0].entries, 2);
	CHECK_NUMBER(w.runs[1].entries, 2);
	CHECK_NUMBER(w.runs[1].page.folio_index, 0x800);
	CHECK_NUMBER(w.runs[2].start, 0x40800000);
}

static void no_page_record_is_half_believed(void)
{
	const struct mmlens_page_state small = {};
	struct records none = {}, folded = {};

	add_page(&none, 1, 0x1000, P, 5, 0, &small);
	CHECK_NUMBER(end_of(&none), -EPROTO);
	add_page(&folded, 4, 0x1000, P, 5, 1, &small);
	CHECK_NUMBER(end_of(&folded), -EPROTO);
}

TESTS(TEST(runs_merge_what_is_alike),
      TEST(a_page_record_is_taken_apart),
      TEST(runs_of_pages_are_contiguous_and_alike),
      TEST(runs_of_huge_pages_keep_their_place),
      TEST(no_page_record_is_half_believed),
      TEST(a_row_is_taken_apart),
      TEST(a_row_that_claims_too_much_is_refused),
      TEST(a_row_of_what_is_not_present_is_refused),
      TEST(a_run_is_as_long_as_its_rows),
      TEST(runs_of_swap_keep_to_a_device),
      TEST(runs_of_markers_keep_to_a_kind),
      TEST(runs_of_holes_keep_to_a_level),
      TEST(a_run_that_is_cut_off_comes_out),
      TEST(an_empty_walk_has_no_runs),
      TEST(entries_make_sense),
      TEST(areas_have_their_names_and_sums),
      TEST(an_area_without_its_sums_stays_back),
      TEST(an_area_keeps_the_longest_name),
      TEST(a_translation_adds_up),
      TEST(a_hole_has_no_translation),
      TEST(a_translation_of_too_many_steps_is_refused))
