// SPDX-License-Identifier: GPL-2.0-only
/* How folios are mapped: the sums, and what the renderers make of them. */
#include <errno.h>

#include "fake.h"
#include "test.h"
#include "view.h"

static const struct mmlens_request request = { .pid = 1 };

#define P MMLENS_STATE_PRESENT
#define PAGE 4096ull
#define PMD (2ull << 20)

/* kpageflags' bits. */
#define ANON (1ull << 12)
#define HEAD (1ull << 15)
#define TAIL (1ull << 16)
#define HUGE (1ull << 17)
#define THP (1ull << 22)
#define ZERO (1ull << 24)

/* Pages @first to @last of a folio of @order whose first has @pfn, at @va. */
static void add_part(struct records *r, uint64_t va, uint64_t pfn,
		     unsigned int order, uint64_t flags, uint32_t first,
		     uint32_t last)
{
	struct mmlens_page_state state = {
		.flags = flags | HEAD, .order = order, .mapcount = 1,
	};

	if (!first) {
		add_page(r, 1, va, P, pfn, 1, &state);
		first++;
		va += PAGE;
	}
	state.flags = flags | TAIL;
	state.folio_index = first;
	if (first <= last)
		add_page(r, 1, va, P, pfn + first, last - first + 1, &state);
}

static void add_whole(struct records *r, uint64_t va, uint64_t pfn,
		      unsigned int order, uint64_t flags)
{
	add_part(r, va, pfn, order, flags, 0, (1u << order) - 1);
}

static void add_small(struct records *r, uint64_t va, uint64_t pfn,
		      uint64_t flags, uint32_t count)
{
	const struct mmlens_page_state state = { .flags = flags };

	add_page(r, 1, va, P, pfn, count, &state);
}

static void add_leaf(struct records *r, unsigned int level, uint64_t va,
		     uint32_t flags, uint64_t pfn, unsigned int order,
		     uint64_t page_flags, uint32_t index)
{
	const struct mmlens_page_state state = {
		.flags = page_flags | (index ? TAIL : HEAD),
		.order = order, .folio_index = index,
	};

	add_page(r, level, va, P | MMLENS_PTE_LEAF | flags, pfn, 1, &state);
}

struct result {
	struct mmlens_folio_sums sums[4];
	uint64_t start[4];
	int count;
	int end;
	struct mmlens_stats stats;
};

/* VMAs of the first call, entries of the others. */
static struct result sum_up(const struct fake_call *calls, unsigned int count)
{
	static struct result r;
	const struct mmlens_folio_sums *sums;
	const struct mmlens_area *area;
	struct mmlens_folios *folios;
	struct mmlens *lens;
	struct fake fake;

	memset(&r, 0, sizeof(r));
	fake_init(&fake, calls, count);
	lens = fake_open(&fake);
	folios = mmlens_folios_open(lens, &request);
	CHECK(folios);
	if (!folios)
		goto out;
	CHECK(fake.last.flags & MMLENS_WALK_STATE);
	while (r.count < 4 &&
	       (r.end = mmlens_folios_next(folios, &area, &sums)) > 0) {
		r.start[r.count] = area->vma->start;
		r.sums[r.count++] = *sums;
	}
	r.stats = mmlens_folios_stats(folios);
	mmlens_folios_close(folios);
out:
	mmlens_close(lens);
	return r;
}

/* The sums of one VMA that has all of @entries. */
static struct mmlens_folio_sums sums_of(const struct records *entries)
{
	struct records vma = {};
	struct result r;

	add_vma(&vma, 0, 1ull << 40, MMLENS_VMA_READ);
	const struct fake_call calls[] = { WHOLE(vma), WHOLE(*entries) };
	r = sum_up(calls, 2);
	CHECK_NUMBER(r.count, 1);
	CHECK_NUMBER(r.end, 0);
	return r.sums[0];
}

#define OF(sums, kind, level, order) \
	(&(sums).bytes[MMLENS_FOLIO_##kind][MMLENS_LEVEL_##level][order])

static void whole_folios_are_told_by_their_alignment(void)
{
	struct mmlens_folio_sums s;
	struct records e = {};

	add_whole(&e, 0x10000, 0x1000, 4, ANON | THP);
	add_whole(&e, 0x21000, 0x1010, 4, ANON | THP);
	/* One behind another; then one of a file. */
	add_whole(&e, 0x31000, 0x1020, 4, ANON | THP);
	add_whole(&e, 0x44000, 0x2000, 2, THP);
	add_small(&e, 0x48000, 0x3000, ANON, 3);
	add_small(&e, 0x4c000, 0x9000, 0, 2);
	s = sums_of(&e);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->aligned, 16 * PAGE);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->unaligned, 32 * PAGE);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->partial, 0);
	CHECK_NUMBER(OF(s, FILE, PTE, 2)->aligned, 4 * PAGE);
	CHECK_NUMBER(OF(s, ANON, PTE, 0)->aligned, 3 * PAGE);
	CHECK_NUMBER(OF(s, FILE, PTE, 0)->aligned, 2 * PAGE);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_ANON], 51 * PAGE);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_FILE], 6 * PAGE);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_HUGETLB], 0);
}

static void parts_of_folios_are_partial(void)
{
	struct mmlens_folio_sums s;
	struct records e = {};

	add_part(&e, 0x10000, 0x1000, 4, ANON | THP, 0, 14);	/* no end */
	add_part(&e, 0x21000, 0x1010, 4, ANON | THP, 1, 15);	/* no head */
	add_part(&e, 0x40000, 0x1020, 4, ANON | THP, 0, 3);	/* a gap */
	add_part(&e, 0x45000, 0x1020, 4, ANON | THP, 5, 15);
	/* Whole, but its second half is elsewhere. */
	add_part(&e, 0x60000, 0x2000, 2, THP, 0, 1);
	add_part(&e, 0x72000, 0x2000, 2, THP, 2, 3);
	/* Each page at its place, in a wrong order. */
	add_part(&e, 0x80000, 0x3000, 1, THP, 1, 1);
	add_part(&e, 0x81000, 0x3000, 1, THP, 0, 0);
	s = sums_of(&e);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->partial, (15 + 15 + 4 + 11) * PAGE);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->aligned, 0);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->unaligned, 0);
	CHECK_NUMBER(OF(s, FILE, PTE, 2)->partial, 4 * PAGE);
	CHECK_NUMBER(OF(s, FILE, PTE, 1)->partial, 2 * PAGE);
}

/* Tails that differ in more than their place are one folio all the same. */
static void a_folio_in_many_records_is_whole(void)
{
	struct mmlens_page_state tail = { .flags = ANON | THP | TAIL,
					  .order = 4, .folio_index = 1 };
	struct mmlens_folio_sums s;
	struct records e = {};

	add_part(&e, 0x10000, 0x1000, 4, ANON | THP, 0, 0);
	add_page(&e, 1, 0x11000, P | MMLENS_PTE_ACCESSED, 0x1001, 7, &tail);
	tail.folio_index = 8;
	tail.mapcount = 5;
	add_page(&e, 1, 0x18000, P, 0x1008, 8, &tail);
	s = sums_of(&e);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->aligned, 16 * PAGE);
	CHECK_NUMBER(OF(s, ANON, PTE, 4)->partial, 0);
}

static void leaves_are_told_apart(void)
{
	struct mmlens_folio_sums s;
	struct records e = {};

	add_leaf(&e, 2, 2 * PMD, 0, 0x400, 9, ANON | THP, 0);
	add_leaf(&e, 2, 3 * PMD, 0, 0x600, 9, THP, 0);
	/* A large folio of a file behind two PMDs, and half of one. */
	add_leaf(&e, 2, 4 * PMD, 0, 0x800, 10, THP, 0);
	add_leaf(&e, 2, 5 * PMD, 0, 0xa00, 10, THP, 0x200);
	add_leaf(&e, 2, 6 * PMD, 0, 0xe00, 10, THP, 0x200);
	/* Behind PTEs it's another matter. */
	add_whole(&e, 7 * PMD, 0x2000, 9, ANON | THP);
	add_leaf(&e, 2, 8 * PMD, MMLENS_PTE_HUGETLB, 0x4000, 9, HUGE, 0);
	add_leaf(&e, 3, 1 << 30, MMLENS_PTE_HUGETLB, 0x40000, 18, HUGE, 0);
	/* A device's, whose pages aren't large folios. */
	add_leaf(&e, 3, 2u << 30, 0, 0x80000, 0, 0, 0);
	s = sums_of(&e);
	CHECK_NUMBER(OF(s, ANON, PMD, 9)->aligned, PMD);
	CHECK_NUMBER(OF(s, FILE, PMD, 9)->aligned, PMD);
	CHECK_NUMBER(OF(s, FILE, PMD, 10)->aligned, 2 * PMD);
	CHECK_NUMBER(OF(s, FILE, PMD, 10)->partial, PMD);
	CHECK_NUMBER(OF(s, ANON, PTE, 9)->aligned, PMD);
	CHECK_NUMBER(OF(s, HUGETLB, PMD, 9)->aligned, PMD);
	CHECK_NUMBER(OF(s, HUGETLB, PUD, 18)->aligned, 1 << 30);
	CHECK_NUMBER(OF(s, FILE, PUD, 18)->aligned, 1 << 30);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_HUGETLB], PMD + (1 << 30));
}

static void what_is_not_rss_is_left_out(void)
{
	const struct mmlens_page_state state = {};
	struct mmlens_folio_sums s;
	struct records e = {};

	add_page(&e, 1, 0x1000, P | MMLENS_PTE_SPECIAL, 5, 1, &state);
	add_page(&e, 1, 0x2000, P | MMLENS_PTE_ZERO, 6, 1, &state);
	add_leaf(&e, 2, PMD, 0, 0x400, 9, THP | ZERO, 0);
	add_pte(&e, 1, 0x400000, P, 9, 0);
	add_pte(&e, 1, 0x401000, MMLENS_STATE_SWAP, 9, 0);
	/* A driver's large page is no large folio. */
	add_whole(&e, 0x500000, 0x1000, 3, 0);
	s = sums_of(&e);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_ANON], 0);
	CHECK_NUMBER(s.rss[MMLENS_FOLIO_FILE], 8 * PAGE);
	CHECK_NUMBER(OF(s, FILE, PTE, 0)->aligned, 8 * PAGE);
}

static void a_vma_ends_a_folio(void)
{
	struct records vmas = {}, a = {}, b = {};
	struct result r;

	add_vma(&vmas, 0x10000, 0x18000, MMLENS_VMA_READ);
	add_vma(&vmas, 0x18000, 0x20000, 0);
	add_vma(&vmas, 0x30000, 0x31000, 0);
	add_small(&a, 0x1000, 1, ANON, 1);	/* of a VMA that is new */
	add_part(&a, 0x10000, 0x1000, 4, ANON | THP, 0, 9);
	add_part(&b, 0x1a000, 0x1000, 4, ANON | THP, 10, 15);
	add_small(&b, 0x20000, 1, ANON, 1);
	const struct fake_call calls[] = { WHOLE(vmas), PART(a), WHOLE(b) };
	r = sum_up(calls, 3);
	CHECK_NUMBER(r.count, 3);
	CHECK_NUMBER(r.end, 0);
	CHECK_NUMBER(r.start[2], 0x30000);
	CHECK_NUMBER(OF(r.sums[0], ANON, PTE, 4)->partial, 8 * PAGE);
	CHECK_NUMBER(OF(r.sums[1], ANON, PTE, 4)->partial, 8 * PAGE);
	CHECK_NUMBER(r.sums[0].rss[MMLENS_FOLIO_ANON], 8 * PAGE);
	CHECK_NUMBER(r.sums[2].rss[MMLENS_FOLIO_ANON], 0);
	CHECK_NUMBER(r.stats.calls, 3);
	CHECK(!r.stats.truncated);
}

/* Four billion pages in one record, of two VMAs: that takes no time. */
static void a_row_is_summed_up_at_once(void)
{
	static const uint32_t claimed = 0xffffffff;
	const uint64_t start = 0x10000000000, end = start + claimed * PAGE;
	struct records vmas = {}, r = {};
	struct result got;

	add_vma(&vmas, start + PAGE, start + 10 * PAGE, MMLENS_VMA_READ);
	add_vma(&vmas, start + 20 * PAGE, end, 0);
	add_small(&r, start, 0x1000, ANON, claimed);
	const struct fake_call calls[] = { WHOLE(vmas), WHOLE(r) };
	got = sum_up(calls, 2);
	CHECK_NUMBER(got.count, 2);
	CHECK_NUMBER(OF(got.sums[0], ANON, PTE, 0)->aligned, 9 * PAGE);
	CHECK_NUMBER(got.sums[0].rss[MMLENS_FOLIO_ANON], 9 * PAGE);
	CHECK_NUMBER(OF(got.sums[1], ANON, PTE, 0)->aligned,
		     (claimed - 20) * PAGE);
	CHECK_NUMBER(OF(got.sums[1], ANON, PTE, 0)->unaligned, 0);
}

static void a_folio_is_cut_by_a_vma(void)
{
	struct records vmas = {}, r = {};
	struct result got;

	add_vma(&vmas, 0x10000, 0x18000, MMLENS_VMA_READ);
	add_vma(&vmas, 0x18000, 0x30000, 0);
	add_whole(&r, 0x10000, 0x1000, 4, ANON | THP);
	add_whole(&r, 0x20000, 0x1010, 4, ANON | THP);
	const struct fake_call calls[] = { WHOLE(vmas), WHOLE(r) };
	got = sum_up(calls, 2);
	CHECK_NUMBER(OF(got.sums[0], ANON, PTE, 4)->partial, 8 * PAGE);
	CHECK_NUMBER(OF(got.sums[1], ANON, PTE, 4)->partial, 8 * PAGE);
	CHECK_NUMBER(OF(got.sums[1], ANON, PTE, 4)->aligned, 16 * PAGE);
}

static void a_vma_that_is_cut_off_stays_back(void)
{
	struct records vmas = {}, a = {};
	struct result r;

	add_vma(&vmas, 0x10000, 0x20000, 0);
	add_vma(&vmas, 0x20000, 0x30000, 0);
	add_small(&a, 0x10000, 1, ANON, 1);
	add_small(&a, 0x20000, 9, ANON, 1);
	const struct fake_call calls[] = { WHOLE(vmas), PART(a),
					   { .error = -ESRCH } };
	r = sum_up(calls, 3);
	CHECK_NUMBER(r.count, 1);
	CHECK_NUMBER(r.end, -ESTALE);
	CHECK(r.stats.truncated);
}

static void sums_add_up(void)
{
	static struct mmlens_folio_sums total;
	struct mmlens_folio_sums s;
	struct records e = {};

	add_part(&e, 0x10000, 0x1000, 4, ANON | THP, 0, 9);
	add_whole(&e, 0x40000, 0x2000, 4, ANON | THP);
	s = sums_of(&e);
	mmlens_folio_sums_add(&total, &s);
	mmlens_folio_sums_add(&total, &s);
	CHECK_NUMBER(OF(total, ANON, PTE, 4)->partial, 20 * PAGE);
	CHECK_NUMBER(OF(total, ANON, PTE, 4)->aligned, 32 * PAGE);
	CHECK_NUMBER(total.rss[MMLENS_FOLIO_ANON], 52 * PAGE);
}

/* ---- the view ---- */

static const struct mmlens_stats stats = { .max_hold_ns = 900 };

static void show(const struct folios_view *view, char **text)
{
	struct mmlens_vma vma = { .page_shift = 12, .start = 0x10000,
				  .end = 0x40000000,
				  .flags = MMLENS_VMA_READ };
	struct mmlens_area area = { .vma = &vma, .name = "/a\nb",
				    .name_length = 4 };
	struct mmlens_folio_sums s, none = {};
	struct view v = { .info = &fake_info };
	struct records e = {};
	size_t length;

	add_whole(&e, 0x10000, 0x1000, 4, ANON | THP);
	add_part(&e, 0x20000, 0x2000, 4, ANON | THP, 1, 3);
	add_small(&e, 0x30000, 0x3000, ANON, 5);
	add_whole(&e, 0x41000, 0x4000, 2, THP);
	add_leaf(&e, 2, 2 * PMD, 0, 0x400, 9, ANON | THP, 0);
	s = sums_of(&e);
	v.out = open_memstream(text, &length);
	view->begin(&v, 7);
	view->area(&v, &area, &s);
	area.name = NULL;
	view->area(&v, &area, &none);
	view->end(&v, 2, &s, &stats);
	CHECK_NUMBER(v.depth, 0);
	fclose(v.out);
}

static void folios_lines_are_in_columns(void)
{
	char *text;

	show(&folios_text, &text);
	CHECK_STRING(text,
"START-END                  PAGE KIND     FOLIO LEVEL    ALIGNED  UNALIGNED    PARTIAL    % NAME\n"
"000000010000-000040000000    4K anon        4K pte           20          0          0    1 /a\\012b\n"
"000000010000-000040000000    4K anon       64K pte           64          0         12    4 /a\\012b\n"
"000000010000-000040000000    4K anon        2M pmd         2048          0          0   96 /a\\012b\n"
"000000010000-000040000000    4K file       16K pte            0         16          0  100 /a\\012b\n"
"total                         - anon        4K pte           20          0          0    1\n"
"total                         - anon       64K pte           64          0         12    4\n"
"total                         - anon        2M pmd         2048          0          0   96\n"
"total                         - file       16K pte            0         16          0  100\n"
"anon: 2144 kB, 99% in large folios, 96% by entries above level pte\n"
"file: 16 kB, 100% in large folios, 0% by entries above level pte\n");
	free(text);
}

static struct json_object *at(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	CHECK(json_object_object_get_ex(o, key, &value));
	return value;
}

static long long number(struct json_object *o, const char *key)
{
	return json_object_get_int64(at(o, key));
}

static void folios_json_has_the_fields_of_thpmaps(void)
{
	struct json_object *doc, *vma, *thp;
	char *text;

	show(&folios_json, &text);
	doc = json_tokener_parse(text);
	CHECK(doc);
	vma = json_object_array_get_idx(at(doc, "vmas"), 0);
	CHECK_NUMBER(number(vma, "kernel_page_size"), 4096);
	CHECK_NUMBER(number(vma, "rss"), 2160 << 10);
	CHECK_NUMBER(json_object_array_length(at(vma, "folios")), 4);
	thp = at(vma, "thpmaps");
	CHECK_NUMBER(number(thp, "anon-thp-pmd-aligned-2048kB"), 2048);
	CHECK_NUMBER(number(thp, "file-thp-pmd-aligned-2048kB"), 0);
	CHECK_NUMBER(number(thp, "anon-thp-pte-aligned-64kB"), 64);
	CHECK_NUMBER(number(thp, "anon-thp-pte-aligned-2048kB"), 0);
	CHECK_NUMBER(number(thp, "anon-thp-pte-partial"), 12);
	CHECK_NUMBER(number(thp, "file-thp-pte-unaligned-16kB"), 16);
	/* Two kinds, orders 2 to 9 twice, partial, by PMD. */
	CHECK_NUMBER(json_object_object_length(thp), 2 * (2 * 8 + 2));
	/* Nothing is mapped: thpmaps has nothing to say. */
	vma = json_object_array_get_idx(at(doc, "vmas"), 1);
	CHECK(!json_object_object_get_ex(vma, "thpmaps", NULL));
	CHECK_NUMBER(number(at(doc, "total"), "anonymous"), 2144 << 10);
	CHECK_NUMBER(number(at(doc, "walk"), "vmas"), 2);
	json_object_put(doc);
	free(text);
}

TESTS(TEST(whole_folios_are_told_by_their_alignment),
      TEST(parts_of_folios_are_partial),
      TEST(a_folio_in_many_records_is_whole),
      TEST(leaves_are_told_apart),
      TEST(what_is_not_rss_is_left_out),
      TEST(a_vma_ends_a_folio),
      TEST(a_row_is_summed_up_at_once),
      TEST(a_folio_is_cut_by_a_vma),
      TEST(a_vma_that_is_cut_off_stays_back),
      TEST(sums_add_up),
      TEST(folios_lines_are_in_columns),
      TEST(folios_json_has_the_fields_of_thpmaps))
