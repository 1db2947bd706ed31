// SPDX-License-Identifier: GPL-2.0-only
/* Raw entries, kinds that follow from them, and how events are shown. */
#include <elf.h>

#include "test.h"
#include "trace.h"
#include "view.h"

#define VA	0x7f0000201000ull

static const struct mmlens_info info = {
	.arch = EM_X86_64,
	.page_shift = 12,
	.level_shift = { [MMLENS_LEVEL_PTE] = 12, [MMLENS_LEVEL_PMD] = 21,
			 [MMLENS_LEVEL_PUD] = 30, [MMLENS_LEVEL_PGD] = 39 },
	.version = "1", .release = "5.10",
};

/* Anonymous pages as Linux maps them: user, accessed, no execute. */
#define READ_ONLY(pfn)	(0x8000000000000025ull | (uint64_t)(pfn) << 12)
#define WRITABLE(pfn)	(0x8000000000000067ull | (uint64_t)(pfn) << 12)
/* Type 1, offset 5: the offset is inverted. */
#define SWAPPED		(1ull << 59 | (~5ull << 14 >> 5 & ~0x1ffull))

static struct mmlens_entry decode(unsigned int level, uint64_t raw)
{
	struct mmlens_entry e = {};

	CHECK(mmlens_entry_decode(&info, VA, level, raw, &e));
	CHECK_NUMBER(e.raw, raw);
	return e;
}

static void test_decode(void)
{
	struct mmlens_info other = info;
	struct mmlens_entry e = decode(MMLENS_LEVEL_PTE, 0);

	CHECK_NUMBER(e.flags, MMLENS_STATE_NONE);
	e = decode(MMLENS_LEVEL_PTE, WRITABLE(0x1234));
	CHECK_NUMBER(e.value, 0x1234);
	CHECK_NUMBER(e.flags, MMLENS_STATE_PRESENT | MMLENS_PTE_USER |
		     MMLENS_PTE_WRITE | MMLENS_PTE_ACCESSED | MMLENS_PTE_DIRTY |
		     MMLENS_PTE_NX);
	/* A huge page's PAT stands where the lowest bit of the PFN would. */
	e = decode(MMLENS_LEVEL_PMD, WRITABLE(0x1200) | 1 << 7 | 1 << 12);
	CHECK_NUMBER(e.value, 0x1200);
	CHECK(e.flags & MMLENS_PTE_LEAF);
	CHECK_NUMBER(e.va, VA & ~0x1fffffull);
	e = decode(MMLENS_LEVEL_PMD, 0x1234067);
	CHECK_NUMBER(e.flags, MMLENS_STATE_TABLE);
	/* PROT_NONE: without P, with G, the PFN inverted. */
	e = decode(MMLENS_LEVEL_PTE, (~(0x1234ull << 12) &
				      0x000ffffffffff000ull) | 0x120);
	CHECK_NUMBER(e.value, 0x1234);
	CHECK(e.flags & MMLENS_PTE_PROT_NONE);
	e = decode(MMLENS_LEVEL_PTE, SWAPPED);
	CHECK_NUMBER(mmlens_state(e.flags), MMLENS_STATE_SWAP);
	CHECK_NUMBER(MMLENS_SWAP_TYPE(e.value), 1);
	CHECK_NUMBER(MMLENS_SWAP_OFFSET(e.value), 5);
	/* A type that is never a swap area's. */
	e = decode(MMLENS_LEVEL_PTE, 31ull << 59);
	CHECK_NUMBER(e.flags, MMLENS_STATE_OTHER);
	CHECK(!mmlens_entry_decode(&info, VA, MMLENS_LEVEL_P4D, 1, &e));
	other.arch = EM_AARCH64;
	CHECK(!mmlens_entry_decode(&other, VA, MMLENS_LEVEL_PTE, 1, &e));
}

static enum trace_kind fault(uint32_t flags, uint64_t before, uint64_t after,
			     unsigned int level)
{
	struct trace_record r = {
		.hook = HOOK_FAULT, .va = VA,
		.flags = flags | TRACE_BEFORE | TRACE_AFTER | TRACE_ADDRESS,
		.before = before, .after = after,
		.level_before = MMLENS_LEVEL_PTE, .level_after = level,
	};
	struct trace_event e;

	trace_event_of(&info, &r, &e);
	return e.kind;
}

static void test_faults(void)
{
	const unsigned int pte = MMLENS_LEVEL_PTE, pmd = MMLENS_LEVEL_PMD;

	CHECK_NUMBER(fault(0, 0, READ_ONLY(1), pte), TRACE_READ_FAULT);
	CHECK_NUMBER(fault(TRACE_WRITE, 0, WRITABLE(1), pte),
		     TRACE_WRITE_FAULT);
	CHECK_NUMBER(fault(TRACE_WRITE | TRACE_OPS, 0, WRITABLE(1), pte),
		     TRACE_COW);
	CHECK_NUMBER(fault(TRACE_WRITE, READ_ONLY(1), WRITABLE(2), pte),
		     TRACE_COW);
	CHECK_NUMBER(fault(TRACE_UNSHARE, READ_ONLY(1), READ_ONLY(2), pte),
		     TRACE_COW);
	CHECK_NUMBER(fault(TRACE_WRITE, READ_ONLY(1), WRITABLE(1), pte),
		     TRACE_REUSE);
	CHECK_NUMBER(fault(TRACE_WRITE | TRACE_SHARED, READ_ONLY(1),
			   WRITABLE(1), pte), TRACE_SHARED_DIRTY);
	CHECK_NUMBER(fault(0, SWAPPED, READ_ONLY(1), pte), TRACE_SWAP_IN);
	CHECK_NUMBER(fault(TRACE_WRITE, 0, WRITABLE(512) | 1 << 7, pmd),
		     TRACE_THP);
	CHECK_NUMBER(fault(TRACE_WRITE, WRITABLE(1), WRITABLE(1), pte),
		     TRACE_SPURIOUS);
	CHECK_NUMBER(fault(0, READ_ONLY(1), READ_ONLY(1), pte),
		     TRACE_SPURIOUS);
	CHECK_NUMBER(fault(TRACE_ACCESS, 0x120, READ_ONLY(1), pte),
		     TRACE_NUMA_HINT);
	CHECK_NUMBER(fault(0, 31ull << 59, READ_ONLY(1), pte),
		     TRACE_OTHER_FAULT);
	CHECK_NUMBER(fault(TRACE_ERROR, 0, 0, pte), TRACE_FAULT_ERROR);
	CHECK_NUMBER(fault(TRACE_HUGETLB, 0, WRITABLE(512) | 1 << 7, pmd),
		     TRACE_HUGETLB_FAULT);
}

/* What reclaim leaves tells what it did. */
static enum trace_kind unmap(uint64_t after)
{
	struct trace_record r = {
		.hook = HOOK_UNMAP, .va = VA, .after = after,
		.flags = TRACE_ADDRESS | TRACE_AFTER,
		.level_after = MMLENS_LEVEL_PTE,
	};
	struct trace_event e;

	trace_event_of(&info, &r, &e);
	return e.kind;
}

static void test_unmap(void)
{
	CHECK_NUMBER(unmap(SWAPPED), TRACE_SWAP_OUT);
	CHECK_NUMBER(unmap(0), TRACE_EVICT);
	CHECK_NUMBER(unmap(31ull << 59), TRACE_MIGRATE_OUT);
}

/* Each kind has a name of its own, no group's, and what it says is said. */
static void test_kinds(void)
{
	for (int i = 0; i < TRACE_KINDS; i++) {
		const struct trace_kind_info *kind = &trace_kinds[i];

		CHECK(kind->name && kind->group && kind->help);
		CHECK_NUMBER(trace_kinds_named(kind->name,
					       strlen(kind->name)), 1ull << i);
		CHECK(trace_kinds_named(kind->group, strlen(kind->group)) &
		      1ull << i);
		for (int j = 0; j < TRACE_KINDS; j++)
			CHECK(strcmp(kind->name, trace_kinds[j].group) ||
			      i == j);
	}
	CHECK_NUMBER(trace_kinds_named("all", 3), TRACE_ALL);
	CHECK_NUMBER(trace_kinds_named("co", 2), 0);
	CHECK_NUMBER(trace_kinds_named("", 0), 0);
}

static char *shown(const struct trace_view *view)
{
	static char text[8192];
	const struct trace_record r = {
		.time = 1500000, .ns = 900, .hook = HOOK_FAULT, .va = VA,
		.flags = TRACE_WRITE | TRACE_BEFORE | TRACE_AFTER |
			 TRACE_ADDRESS | TRACE_TIMED,
		.before = READ_ONLY(1), .after = WRITABLE(2),
		.level_before = MMLENS_LEVEL_PTE,
		.level_after = MMLENS_LEVEL_PTE,
		.tgid = 7, .tid = 8, .owner = 7, .comm = "cat",
	};
	struct trace_shown s = {
		.tgid = 7, .begun = 1000000, .ended = 2000000, .lost = 3,
		.count = { [TRACE_COW] = 1 }, .ns = { [TRACE_COW] = 900 },
	};
	struct view v = { .info = &info };
	struct trace_event e;

	memset(text, 0, sizeof(text));
	v.out = fmemopen(text, sizeof(text) - 1, "w");
	trace_event_of(&info, &r, &e);
	view->begin(&v, &s);
	view->event(&v, &s, &e);
	view->lost(&v, 3);
	view->end(&v, &s);
	fclose(v.out);
	return text;
}

static void test_text(void)
{
	const char *text = shown(&trace_text);

	CHECK(strstr(text, "     0.000500       8 cow             7f0000201000   pte 0x1 una                   pte 0x2 uwnad                 write 900ns\n"));
	CHECK(strstr(text, "-- 3 events lost --\n"));
	CHECK(strstr(text, "1 events in 0.001 s, 3 lost\n"));
}

/* Each line is a document of its own. */
static void test_json(void)
{
	char *text = shown(&trace_json), *line, *rest = text;
	struct json_object *o = NULL, *member;
	int lines = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		o = json_tokener_parse(line);
		CHECK(o);
		if (++lines == 2) {
			CHECK(json_object_object_get_ex(o, "before", &member));
			CHECK(json_object_object_get_ex(member, "pfn", &member));
			CHECK_NUMBER(json_object_get_int(member), 1);
			CHECK(json_object_object_get_ex(o, "kind", &member));
			CHECK_STRING(json_object_get_string(member), "cow");
		}
		json_object_put(o);
	}
	CHECK_NUMBER(lines, 4);
}

TESTS(TEST(test_decode), TEST(test_faults), TEST(test_unmap), TEST(test_kinds),
      TEST(test_text), TEST(test_json))
