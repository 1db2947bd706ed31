// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel's tool page-types (tools/mm/page-types.c of 7.3) makes of
 * page flags: its names, its specifications of flags and pages, its table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define KPF(bit)		(1ull << (bit))
#define KPF_ERROR		KPF(1)
#define KPF_ACTIVE		KPF(6)
#define KPF_SLAB		KPF(7)
#define KPF_WRITEBACK		KPF(8)
#define KPF_RECLAIM		KPF(9)
#define KPF_ANON		KPF(12)
#define KPF_COMPOUND		(KPF(15) | KPF(16))
#define KPF_HUGE		KPF(17)
#define KPF_OWNER_2		KPF(34)
#define KPF_SOFTDIRTY		KPF(40)
/* The tool's own, for what is told by another one's bit. */
#define KPF_ANON_EXCLUSIVE	KPF(47)
#define KPF_READAHEAD		KPF(48)
#define KPF_SLUB_FROZEN		KPF(50)
#define KPF_SLUB_DEBUG		KPF(51)
#define KPF_FILE		KPF(61)
#define KPF_SWAP		KPF(62)
#define KPF_MMAP_EXCLUSIVE	KPF(63)

/* Those that it shows in raw mode alone. */
#define KPF_RAW			(0xffffull << 32)

/* Its letters, which aren't unique, and names; help says what sort it is. */
static const struct mmlens_flag flags[] = {
	{ KPF(0), "L", "locked", "" },
	{ KPF(1), "E", "error", "" },
	{ KPF(2), "R", "referenced", "" },
	{ KPF(3), "U", "uptodate", "" },
	{ KPF(4), "D", "dirty", "" },
	{ KPF(5), "l", "lru", "" },
	{ KPF(6), "A", "active", "" },
	{ KPF(7), "S", "slab", "" },
	{ KPF(8), "W", "writeback", "" },
	{ KPF(9), "I", "reclaim", "" },
	{ KPF(10), "B", "buddy", "" },
	{ KPF(11), "M", "mmap", "" },
	{ KPF(12), "a", "anonymous", "" },
	{ KPF(13), "s", "swapcache", "" },
	{ KPF(14), "b", "swapbacked", "" },
	{ KPF(15), "H", "compound_head", "" },
	{ KPF(16), "T", "compound_tail", "" },
	{ KPF(17), "G", "huge", "" },
	{ KPF(18), "u", "unevictable", "" },
	{ KPF(19), "X", "hwpoison", "" },
	{ KPF(20), "n", "nopage", "" },
	{ KPF(21), "x", "ksm", "" },
	{ KPF(22), "t", "thp", "" },
	{ KPF(23), "o", "offline", "" },
	{ KPF(24), "z", "zero_page", "" },
	{ KPF(25), "i", "idle_page", "" },
	{ KPF(26), "g", "pgtable", "" },
	{ KPF(32), "r", "reserved", "raw" },
	{ KPF(33), "m", "mlocked", "raw" },
	{ KPF(34), "d", "owner_2", "raw" },
	{ KPF(35), "P", "private", "raw" },
	{ KPF(36), "p", "private_2", "raw" },
	{ KPF(37), "O", "owner_private", "raw" },
	{ KPF(38), "h", "arch", "raw" },
	{ KPF(40), "f", "softdirty", "raw" },
	{ KPF(41), "H", "arch_2", "raw" },
	{ KPF_ANON_EXCLUSIVE, "d", "anon_exclusive", "raw" },
	{ KPF_READAHEAD, "I", "readahead", "raw" },
	{ KPF_SLUB_FROZEN, "A", "slub_frozen", "raw" },
	{ KPF_SLUB_DEBUG, "E", "slub_debug", "raw" },
	{ KPF_FILE, "F", "file", "raw" },
	{ KPF_SWAP, "w", "swap", "raw" },
	{ KPF_MMAP_EXCLUSIVE, "1", "mmap_exclusive", "raw" },
	{}
};

const struct mmlens_flag *mmlens_page_types_flags(void)
{
	return flags;
}

/* ---- flags as the tool shows them ---- */

uint64_t mmlens_page_types_known(uint64_t kpf)
{
	kpf &= ~KPF_RAW;
	/* Which pages are compound is told of hugetlb alone. */
	if (!(kpf & KPF_HUGE))
		kpf &= ~KPF_COMPOUND;
	return kpf;
}

/* Move a bit that means something else on this page. */
static uint64_t moved(uint64_t kpf, uint64_t from, uint64_t to)
{
	return kpf & from ? (kpf & ~from) | to : kpf;
}

uint64_t mmlens_page_types_raw(uint64_t kpf, uint32_t entry)
{
	if (kpf & KPF_ANON)
		kpf = moved(kpf, KPF_OWNER_2, KPF_ANON_EXCLUSIVE);
	if (kpf & KPF_SLAB) {
		kpf = moved(kpf, KPF_ACTIVE, KPF_SLUB_FROZEN);
		kpf = moved(kpf, KPF_ERROR, KPF_SLUB_DEBUG);
	}
	if (!(kpf & KPF_WRITEBACK))
		kpf = moved(kpf, KPF_RECLAIM, KPF_READAHEAD);
	if (entry & MMLENS_PTE_SOFT_DIRTY)
		kpf |= KPF_SOFTDIRTY;
	if (entry & MMLENS_PTE_FILE)
		kpf |= KPF_FILE;
	if (entry & MMLENS_PTE_EXCLUSIVE)
		kpf |= KPF_MMAP_EXCLUSIVE;
	switch (entry & MMLENS_PTE_STATE) {
	case MMLENS_STATE_NONE:
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
		return kpf;
	}
	return kpf | KPF_SWAP;
}

/* ---- specifications ---- */

/* As strtoll(): what stands behind the digits isn't looked at. */
static bool parse_number(const char *text, uint64_t *number)
{
	*number = (uint64_t)strtoll(text, NULL, 0);
	return *number || *text == '0';
}

/* A name, the beginning of one, or a number. */
static bool parse_name(const char *text, size_t length, uint64_t *found)
{
	static const char compound[] = "compound";

	*found = 0;
	if (!length)
		return true;
	if (length <= strlen(compound) && !strncmp(text, compound, length)) {
		*found = KPF_COMPOUND;
		return true;
	}
	for (const struct mmlens_flag *f = flags; f->bit; f++) {
		if (strncmp(text, f->name, length))
			continue;
		*found = f->bit;
		return true;
	}
	return parse_number(text, found);
}

/* Names divided by commas, up to '=' or the end; @all: those behind '~', too */
static bool parse_names(const char *text, bool all, uint64_t *found)
{
	*found = 0;
	for (;;) {
		size_t length = strcspn(text, ",=");
		const char *end = text + length;
		uint64_t bits = 0;

		if (*text != '~') {
			if (!parse_name(text, length, &bits))
				return false;
		} else if (all && length > 1) {
			if (!parse_name(text + 1, length - 1, &bits))
				return false;
		}
		*found |= bits;
		if (*end != ',')
			return true;
		text = end + 1;
	}
}

int mmlens_page_types_names(const char *text, uint64_t *found)
{
	return parse_names(text, false, found) ? 0 : -EINVAL;
}

int mmlens_page_filter_parse(const char *text, struct mmlens_page_filter *f)
{
	const char *equal = strchr(text, '=');
	bool good;

	*f = (struct mmlens_page_filter) { .mask = ~0ull };
	if (equal) {
		good = equal == text || parse_names(text, false, &f->mask);
		good = good && parse_names(equal + 1, false, &f->bits);
	} else if (strchr(text, '~')) {
		good = parse_names(text, true, &f->mask) &&
		       parse_names(text, false, &f->bits);
	} else {
		good = parse_names(text, false, &f->mask);
		f->any = true;
	}
	return good ? 0 : -EINVAL;
}

bool mmlens_page_filter_takes(const struct mmlens_page_filter *f, uint64_t kpf)
{
	return f->any ? kpf & f->mask : (kpf & f->mask) == f->bits;
}

int mmlens_page_range_parse(const char *text, uint64_t *start, uint64_t *end)
{
	const char *divider = strchr(text, ',') ?: strchr(text, '+');
	uint64_t size = 1;

	*start = 0;
	if (divider != text && !parse_number(text, start))
		return -EINVAL;
	if (divider && (divider == text || divider[1])) {
		if (!parse_number(divider + 1, &size))
			return -EINVAL;
		if (*divider == ',') {
			if (size < *start)
				return -EINVAL;
			size -= *start;
		}
	} else if (divider) {
		size = UINT64_MAX;
	}
	*end = *start + (size < UINT64_MAX - *start ? size :
						      UINT64_MAX - *start);
	return 0;
}

/* ---- the table ---- */

/*
 * The tool shows its hash table from slot to slot; pages are in the same
 * order if they have the same slots, up to which one came first.
 */
static struct mmlens_page_type *slot_of(struct mmlens_page_types *types,
					uint64_t kpf)
{
	size_t slot = kpf % MMLENS_PAGE_TYPES;

	if (!kpf)
		return types->type;
	for (size_t i = 1; i < MMLENS_PAGE_TYPES; i++, slot++) {
		struct mmlens_page_type *type;

		if (!slot || slot >= MMLENS_PAGE_TYPES)
			slot = 1;
		type = &types->type[slot];
		if (!type->flags)
			type->flags = kpf;
		if (type->flags == kpf)
			return type;
	}
	return NULL;
}

int mmlens_page_types_add(struct mmlens_page_types *types, uint64_t kpf,
			  uint64_t pages)
{
	struct mmlens_page_type *type = slot_of(types, kpf);

	if (!type)
		return -ENOSPC;
	type->pages += pages;
	types->total += pages;
	return 0;
}
