// SPDX-License-Identifier: LGPL-2.1-or-later
/* Raw page-table entries that didn't come through the module. */
#include <elf.h>

#include "internal.h"

#define X86_P		(1ull << 0)
#define X86_RW		(1ull << 1)
#define X86_US		(1ull << 2)
#define X86_PWT		(1ull << 3)
#define X86_A		(1ull << 5)
#define X86_D		(1ull << 6)
#define X86_PS		(1ull << 7)
#define X86_G		(1ull << 8)	/* PROT_NONE without P */
#define X86_SPECIAL	(1ull << 9)	/* of a leaf: SW1 */
#define X86_NX		(1ull << 63)
#define X86_PFN		0x000ffffffffff000ull

/*
 * arch/x86/include/asm/pgtable_64.h: 5 bits of type, then the offset, inverted.
 * The types above are the kernel's for what isn't in swap; how many depends on
 * its configuration, 9 at most (include/linux/swap.h).
 */
#define X86_SWAP_TYPE(raw)	((raw) >> 59)
#define X86_SWAP_OFFSET(raw)	((~(raw) << 5) >> 14)
#define SWAP_TYPES		(32 - 9)

/* The first page that a leaf of this level maps. */
static uint64_t x86_pfn(const struct mmlens_info *info, unsigned int level,
			uint64_t raw)
{
	uint64_t size = mmlens_level_size(info, level);

	/* Inverted, so that a speculative access gets nowhere. */
	if (!(raw & X86_P))
		raw = ~raw;
	/* Of a huge page PAT stands among the low bits. */
	return (raw & X86_PFN & ~(size - 1)) >> info->page_shift;
}

static void x86_leaf(const struct mmlens_info *info, struct mmlens_entry *e)
{
	static const struct {
		uint64_t bit;
		uint32_t flag;
	} bits[] = {
		{ X86_US, MMLENS_PTE_USER },
		{ X86_RW, MMLENS_PTE_WRITE },
		{ X86_A, MMLENS_PTE_ACCESSED },
		{ X86_D, MMLENS_PTE_DIRTY },
		{ X86_SPECIAL, MMLENS_PTE_SPECIAL },
		{ X86_NX, MMLENS_PTE_NX },
	};

	e->flags = MMLENS_STATE_PRESENT;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (e->raw & bits[i].bit)
			e->flags |= bits[i].flag;
	if (!(e->raw & X86_P))
		e->flags |= MMLENS_PTE_PROT_NONE;
	else if (e->raw & X86_G)
		e->flags |= MMLENS_PTE_GLOBAL;
	if (e->level != MMLENS_LEVEL_PTE)
		e->flags |= MMLENS_PTE_LEAF;
	e->value = x86_pfn(info, e->level, e->raw);
}

static void x86_decode(const struct mmlens_info *info, struct mmlens_entry *e)
{
	if (!e->raw) {
		e->flags = MMLENS_STATE_NONE;
	} else if (e->raw & X86_P && e->level != MMLENS_LEVEL_PTE &&
		   !(e->raw & X86_PS)) {
		e->flags = MMLENS_STATE_TABLE;
	} else if (e->raw & (X86_P | X86_G)) {
		x86_leaf(info, e);
	} else if (X86_SWAP_TYPE(e->raw) < SWAP_TYPES) {
		e->flags = MMLENS_STATE_SWAP;
		if (e->raw & X86_PWT)
			e->flags |= MMLENS_PTE_ANON_EXCLUSIVE;
		e->value = X86_SWAP_TYPE(e->raw) << 58 |
			   X86_SWAP_OFFSET(e->raw);
	} else {
		e->flags = MMLENS_STATE_OTHER;
	}
}

bool mmlens_entry_decode(const struct mmlens_info *info, uint64_t va,
			 unsigned int level, uint64_t raw,
			 struct mmlens_entry *entry)
{
	uint64_t size = mmlens_level_size(info, level);

	if (info->arch != EM_X86_64 || !size)
		return false;
	*entry = (struct mmlens_entry) {
		.va = va & ~(size - 1),
		.size = size,
		.raw = raw,
		.level = level,
	};
	x86_decode(info, entry);
	return true;
}
