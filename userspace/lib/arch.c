// SPDX-License-Identifier: LGPL-2.1-or-later
/* What architectures are called, and the bits of their raw entries. */
#include <elf.h>

#include "internal.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

static const struct {
	unsigned int machine;
	const char *name;
} machines[] = {
	{ EM_386, "i686" },
	{ EM_X86_64, "x86_64" },
	{ EM_ARM, "armv7l" },
	{ EM_AARCH64, "aarch64" },
	{ EM_PPC64, "ppc64le" },
	{ EM_S390, "s390x" },
	{ EM_RISCV, "riscv64" },
	{ EM_LOONGARCH, "loongarch64" },
};

const char *mmlens_arch_name(unsigned int machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

/* Which x86 entries a bit's name holds for. */
enum {
	X86_TABLE = 1,		/* points to a table */
	X86_4K = 2,		/* leaf at level PTE */
	X86_HUGE = 4,		/* leaf above */
	X86_LEAF = X86_4K | X86_HUGE,
	X86_ANY = X86_TABLE | X86_LEAF,
};

struct raw_bit {
	unsigned char bit;
	unsigned char where;
	const char *name;
};

/*
 * Intel SDM volume 3, "Paging", and AMD APM volume 2, "Page Translation".
 * SWn are left to the kernel (_PAGE_BIT_SOFTWn of pgtable_types.h).
 */
static const struct raw_bit x86_bits[] = {
	{ 0, X86_ANY, "P" },
	{ 1, X86_ANY, "RW" },
	{ 2, X86_ANY, "US" },
	{ 3, X86_ANY, "PWT" },
	{ 4, X86_ANY, "PCD" },
	{ 5, X86_ANY, "A" },
	{ 6, X86_LEAF, "D" },
	{ 7, X86_HUGE, "PS" },
	{ 7, X86_4K, "PAT" },
	{ 8, X86_LEAF, "G" },
	{ 9, X86_ANY, "SW1" },
	{ 10, X86_ANY, "SW2" },
	{ 11, X86_ANY, "SW3" },
	{ 12, X86_HUGE, "PAT" },
	{ 57, X86_ANY, "SW4" },
	{ 58, X86_ANY, "SW5" },
	{ 63, X86_ANY, "NX" },
};

#define X86_P		(1ull << 0)

static const char *const x86_pkeys[16] = {
	NULL, "PKEY1", "PKEY2", "PKEY3", "PKEY4", "PKEY5", "PKEY6", "PKEY7",
	"PKEY8", "PKEY9", "PKEY10", "PKEY11", "PKEY12", "PKEY13", "PKEY14",
	"PKEY15",
};

static unsigned int x86_kind(unsigned int level, uint32_t flags)
{
	if (mmlens_state(flags) == MMLENS_STATE_TABLE)
		return X86_TABLE;
	return level == MMLENS_LEVEL_PTE ? X86_4K : X86_HUGE;
}

static size_t x86_raw_bits(unsigned int level, uint32_t flags, uint64_t raw,
			   const char **names)
{
	unsigned int kind = x86_kind(level, flags);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(x86_bits); i++) {
		const struct raw_bit *b = &x86_bits[i];
		const char *name = b->name;

		if (!(raw >> b->bit & 1) || !(b->where & kind))
			continue;
		/* Without P the CPU looks at nothing else; Linux sets G. */
		if (b->bit == 8 && !(raw & X86_P))
			name = "PROTNONE";
		names[n++] = name;
	}
	if (kind & X86_LEAF && x86_pkeys[raw >> 59 & 15])
		names[n++] = x86_pkeys[raw >> 59 & 15];
	return n;
}

size_t mmlens_raw_bits(const struct mmlens_info *info, unsigned int level,
		       uint32_t flags, uint64_t raw,
		       const char *names[MMLENS_MAX_RAW_BITS])
{
	if (!mmlens_state_is_present(mmlens_state(flags)))
		return 0;
	switch (info->arch) {
	case EM_X86_64:
		return x86_raw_bits(level, flags, raw, names);
	default:
		return 0;
	}
}
