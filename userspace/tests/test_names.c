// SPDX-License-Identifier: GPL-2.0-only
/* Each table of names against the contract, both ways. */
#include <ctype.h>
#include <elf.h>
#include <linux/kernel-page-flags.h>

#include "fake.h"
#include "test.h"
#include "uapi-names.h"

/* The long name that a bit of the contract gets: MMLENS_PTE_NX -> nx. */
static void long_name(char *room, const char *name, const char *prefix)
{
	/* Named as the issue and DESIGN have them. */
	if (!strcmp(name, "MMLENS_PTE_WRITE"))
		name = "MMLENS_PTE_RW";
	if (!strcmp(name, "MMLENS_EFF_WRITE"))
		name = "MMLENS_EFF_RW";
	name += strlen(prefix);
	while (*name)
		*room++ = tolower((unsigned char)*name++);
	*room = '\0';
}

static const struct mmlens_flag *find_bit(const struct mmlens_flag *table,
					  uint64_t bit)
{
	for (; table->bit; table++)
		if (table->bit == bit)
			return table;
	return NULL;
}

static bool is_of(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix)) &&
	       strcmp(name, "MMLENS_PTE_STATE");
}

/* Every bit of the contract is in the table under its name, and no other. */
static void compare(const struct mmlens_flag *table, const char *prefix,
		    bool numbers)
{
	const struct mmlens_flag *f;
	unsigned int bits = 0, rows = 0;
	char want[64];

	for (size_t i = 0; i < ARRAY_SIZE(uapi_names); i++) {
		uint64_t bit = uapi_names[i].value;

		if (!is_of(uapi_names[i].name, prefix))
			continue;
		bits++;
		f = find_bit(table, numbers ? 1ull << bit : bit);
		if (!f)
			fprintf(stderr, "%s has no name\n",
				uapi_names[i].name);
		CHECK(f);
		long_name(want, uapi_names[i].name, prefix);
		if (f)
			CHECK_STRING(f->name, want);
	}
	for (f = table; f->bit; f++)
		rows++;
	CHECK(bits > 0);
	CHECK_NUMBER(rows, bits);
}

static void tables_are_the_contract(void)
{
	compare(mmlens_pte_flags(), "MMLENS_PTE_", false);
	compare(mmlens_vma_flags(), "MMLENS_VMA_", false);
	compare(mmlens_marker_flags(), "MMLENS_MARKER_", false);
	compare(mmlens_field_flags(), "MMLENS_FIELD_", false);
	compare(mmlens_query_flags(), "MMLENS_NR_", true);
	compare(mmlens_table_flags(), "MMLENS_TABLE_", false);
	compare(mmlens_proc_flags(), "MMLENS_PROC_", false);
	compare(mmlens_effective_flags(), "MMLENS_EFF_", false);
}

static void check_enum(const char *prefix, const char *(*name)(unsigned int))
{
	unsigned int seen = 0;
	char want[64];

	for (size_t i = 0; i < ARRAY_SIZE(uapi_names); i++) {
		if (!is_of(uapi_names[i].name, prefix) ||
		    !strcmp(uapi_names[i].name, "MMLENS_LEVEL_NONE"))
			continue;
		long_name(want, uapi_names[i].name, prefix);
		CHECK_STRING(name(uapi_names[i].value), want);
		seen++;
	}
	CHECK(seen >= 5);
}

static void enums_are_the_contract(void)
{
	check_enum("MMLENS_STATE_", mmlens_state_name);
	check_enum("MMLENS_LEVEL_", mmlens_level_name);
	check_enum("MMLENS_LRU_", mmlens_lru_name);
	check_enum("MMLENS_MIGRATE_", mmlens_migratetype_name);
	check_enum("MMLENS_PAGE_KIND_", mmlens_page_kind_name);
	check_enum("MMLENS_BUCKET_", mmlens_bucket_name);
	check_enum("MMLENS_BACKING_KIND_", mmlens_backing_kind_name);
	CHECK_STRING(mmlens_lru_name(6), "?");
	CHECK_STRING(mmlens_migratetype_name(6), "?");
	CHECK_STRING(mmlens_migratetype_name(99), "?");
	CHECK_STRING(mmlens_page_kind_name(14), "?");
	CHECK_STRING(mmlens_page_kind_name(99), "?");
	CHECK_STRING(mmlens_backing_kind_name(8), "?");
	CHECK_STRING(mmlens_state_name(12), "other");
	CHECK_STRING(mmlens_state_name(999), "other");
	CHECK_STRING(mmlens_level_name(0), "?");
	CHECK_STRING(mmlens_level_name(99), "?");
}

/* The long names of page-types, by the bit that kpageflags has them at. */
static void page_flags_are_those_of_page_types(void)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} want[] = {
		{ KPF_LOCKED, "locked" }, { KPF_ERROR, "error" },
		{ KPF_REFERENCED, "referenced" }, { KPF_UPTODATE, "uptodate" },
		{ KPF_DIRTY, "dirty" }, { KPF_LRU, "lru" },
		{ KPF_ACTIVE, "active" }, { KPF_SLAB, "slab" },
		{ KPF_WRITEBACK, "writeback" }, { KPF_RECLAIM, "reclaim" },
		{ KPF_BUDDY, "buddy" }, { KPF_MMAP, "mmap" },
		{ KPF_ANON, "anonymous" }, { KPF_SWAPCACHE, "swapcache" },
		{ KPF_SWAPBACKED, "swapbacked" },
		{ KPF_COMPOUND_HEAD, "compound_head" },
		{ KPF_COMPOUND_TAIL, "compound_tail" }, { KPF_HUGE, "huge" },
		{ KPF_UNEVICTABLE, "unevictable" },
		{ KPF_HWPOISON, "hwpoison" }, { KPF_NOPAGE, "nopage" },
		{ KPF_KSM, "ksm" }, { KPF_THP, "thp" },
		{ KPF_OFFLINE, "offline" }, { KPF_ZERO_PAGE, "zero_page" },
		{ KPF_IDLE, "idle_page" }, { KPF_PGTABLE, "pgtable" },
		/* include/linux/kernel-page-flags.h has no copy in /usr. */
		{ 32, "reserved" }, { 33, "mlocked" }, { 34, "mappedtodisk" },
		{ 35, "private" }, { 36, "private_2" },
		{ 37, "owner_private" }, { 38, "arch" }, { 39, "uncached" },
		{ 40, "softdirty" }, { 41, "arch_2" }, { 42, "arch_3" },
	};
	const struct mmlens_flag *f;
	unsigned int rows = 0;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		f = find_bit(mmlens_page_flags(), 1ull << want[i].bit);
		CHECK(f);
		if (f)
			CHECK_STRING(f->name, want[i].name);
	}
	for (f = mmlens_page_flags(); f->bit; f++)
		rows++;
	CHECK_NUMBER(rows, ARRAY_SIZE(want));
}

static void briefs_are_unique(const struct mmlens_flag *table, size_t length)
{
	for (const struct mmlens_flag *f = table; f->bit; f++) {
		CHECK_NUMBER(strlen(f->brief), length);
		for (const struct mmlens_flag *g = table; g != f; g++)
			CHECK(strcmp(f->brief, g->brief));
	}
}

static void letters_are_unique(void)
{
	briefs_are_unique(mmlens_pte_flags(), 1);
	briefs_are_unique(mmlens_marker_flags(), 1);
	briefs_are_unique(mmlens_table_flags(), 1);
	briefs_are_unique(mmlens_page_flags(), 1);
	for (const struct mmlens_flag *f = mmlens_vma_flags(); f->bit; f++)
		CHECK_NUMBER(strlen(f->brief), f->bit < 1ull << 56 ? 2 : 0);
}

static void check_raw(unsigned int level, uint32_t flags, uint64_t raw,
		      const char *want)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	size_t n = mmlens_raw_bits(&fake_info, level, flags, raw, names);
	char got[256] = "";

	for (size_t i = 0; i < n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, names[i]);
	}
	CHECK_STRING(got, want);
}

static void x86_bits_have_their_names(void)
{
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_PRESENT, 0x8000000012345867,
		  "P RW US A D SW3 NX");
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_PRESENT, 0x80 | 1, "P PAT");
	check_raw(MMLENS_LEVEL_PMD, MMLENS_STATE_PRESENT, 0x10e7,
		  "P RW US A D PS PAT");
	check_raw(MMLENS_LEVEL_PMD, MMLENS_STATE_TABLE, 0x1067, "P RW US A");
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_PRESENT, 0x160,
		  "A D PROTNONE");
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_PRESENT,
		  1 | 3ull << 59 | 1ull << 63, "P NX PKEY3");
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_PRESENT, ~0ull,
		  "P RW US PWT PCD A D PAT G SW1 SW2 SW3 SW4 SW5 NX PKEY15");
	check_raw(MMLENS_LEVEL_PTE, MMLENS_STATE_SWAP, ~0ull, "");
}

static void other_architectures_have_no_bits(void)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	struct mmlens_info info = fake_info;

	info.arch = EM_AARCH64;
	CHECK_NUMBER(mmlens_raw_bits(&info, MMLENS_LEVEL_PTE,
				     MMLENS_STATE_PRESENT, ~0ull, names), 0);
	CHECK_STRING(mmlens_arch_name(EM_AARCH64), "aarch64");
	CHECK(!mmlens_arch_name(9999));
}

TESTS(TEST(tables_are_the_contract),
      TEST(enums_are_the_contract),
      TEST(page_flags_are_those_of_page_types),
      TEST(letters_are_unique),
      TEST(x86_bits_have_their_names),
      TEST(other_architectures_have_no_bits))
