/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's addresses on x86-64: which part is what, and what its entries
 * say.  The layout is that of Documentation/arch/x86/x86_64/mm.rst; where KASLR
 * has put its parts stands in exported variables.
 */
#ifndef MML_KMAP_ARCH_H
#define MML_KMAP_ARCH_H

#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/cpu_entry_area.h>
#include <asm/fixmap.h>
#include <asm/vsyscall.h>

#include "uapi/mmlens.h"

#define MML_MAX_KMAP_LEVELS	5
#define MML_MAX_REGIONS		16

/**
 * struct mml_region - A part of the kernel's addresses.
 * @name:	as in &struct mmlens_region
 * @flags:	MMLENS_REGION_*
 * @start:	first address
 * @end:	address after the last
 */
struct mml_region {
	char name[24];
	u32 flags;
	unsigned long start;
	unsigned long end;
};

/* The first address that the kernel's half of the top table translates. */
static inline unsigned long mml_kmap_first(void)
{
	return 0UL - (PGDIR_SIZE << 8);
}

/* log2 of what an entry translates, from the top; returns how many levels. */
static inline unsigned int mml_kmap_levels(u8 *level, u8 *shift)
{
	static const u8 below[] = { PUD_SHIFT, PMD_SHIFT, PAGE_SHIFT };
	unsigned int n = 0, i;

	level[n] = MMLENS_LEVEL_PGD;
	shift[n++] = PGDIR_SHIFT;
	if (pgtable_l5_enabled()) {
		level[n] = MMLENS_LEVEL_P4D;
		shift[n++] = P4D_SHIFT;
	}
	for (i = 0; i < ARRAY_SIZE(below); i++) {
		level[n] = MMLENS_LEVEL_PUD - i;
		shift[n++] = below[i];
	}
	return n;
}

/* The direct map may take as much, if KASLR has left that much. */
static inline unsigned long mml_direct_map_end(void)
{
	return min(PAGE_OFFSET + MAXMEM, (unsigned long)VMALLOC_START);
}

static inline unsigned long mml_vmemmap_end(void)
{
	const unsigned long size = (MAXMEM >> PAGE_SHIFT) * sizeof(struct page);

	return min(VMEMMAP_START + size, CPU_ENTRY_AREA_BASE);
}

/* In order of address; returns how many. */
static inline unsigned int mml_regions(struct mml_region *regions)
{
	const struct mml_region all[] = {
		{ "guard_hole", 0, GUARD_HOLE_BASE_ADDR, GUARD_HOLE_END_ADDR },
#ifdef CONFIG_MODIFY_LDT_SYSCALL
		{ "ldt_remap", 0, LDT_BASE_ADDR, LDT_END_ADDR },
#endif
		{ "direct_map", 0, PAGE_OFFSET, mml_direct_map_end() },
		{ "vmalloc", 0, VMALLOC_START, VMALLOC_END + 1 },
		{ "vmemmap", 0, VMEMMAP_START, mml_vmemmap_end() },
#ifdef CONFIG_KASAN
		{ "kasan_shadow", MMLENS_REGION_SKIPPED, KASAN_SHADOW_START,
		  KASAN_SHADOW_END },
#endif
		{ "cpu_entry_area", 0, CPU_ENTRY_AREA_BASE,
		  CPU_ENTRY_AREA_BASE + P4D_SIZE },
#ifdef CONFIG_X86_ESPFIX64
		{ "espfix", 0, ESPFIX_BASE_ADDR, ESPFIX_BASE_ADDR + P4D_SIZE },
#endif
#ifdef CONFIG_EFI
		{ "efi", 0, EFI_VA_END, EFI_VA_START },
#endif
		{ "kernel_text", 0, __START_KERNEL_map, MODULES_VADDR },
		{ "modules", 0, MODULES_VADDR, MODULES_END },
#ifdef CONFIG_X86_VSYSCALL_EMULATION
		/* It is the highest page of the fixmap. */
		{ "fixmap", 0, FIXADDR_START, VSYSCALL_ADDR },
		{ "vsyscall", 0, VSYSCALL_ADDR, VSYSCALL_ADDR + PAGE_SIZE },
#else
		{ "fixmap", 0, FIXADDR_START, FIXADDR_TOP + PAGE_SIZE },
#endif
	};

	BUILD_BUG_ON(ARRAY_SIZE(all) > MML_MAX_REGIONS);
	memcpy(regions, all, sizeof(all));
	return ARRAY_SIZE(all);
}

/* The end of the part that isn't walked and holds @addr; 0: it's in none. */
static inline unsigned long mml_kmap_skips(unsigned long addr)
{
#ifdef CONFIG_KASAN
	if (addr >= KASAN_SHADOW_START && addr < KASAN_SHADOW_END)
		return KASAN_SHADOW_END;
#endif
	return 0;
}

/*
 * The table that translates for this process in kernel mode, or in user mode;
 * NULL where user mode has none of its own.
 */
static inline const u64 *mml_kmap_top(bool user)
{
	pgd_t *pgd = current->mm->pgd;

	if (!user)
		return (const u64 *)pgd;
#if defined(CONFIG_PAGE_TABLE_ISOLATION) || \
	defined(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION)
	if (boot_cpu_has(X86_FEATURE_PTI))
		return (const u64 *)kernel_to_user_pgdp(pgd);
#endif
	return NULL;
}

/* Entries of a Xen PV guest have the PFNs of the machine. */
static inline bool mml_kmap_is_ours(void)
{
	return !boot_cpu_has(X86_FEATURE_XENPV);
}

static inline bool mml_kmap_is_table(u64 entry, u8 level)
{
	if (!(entry & _PAGE_PRESENT) || level == MMLENS_LEVEL_PTE)
		return false;
	return level > MMLENS_LEVEL_PUD || !(entry & _PAGE_PSE);
}

/* The bits of an entry that are its PFN; a leaf's PAT bit is below them. */
static inline u64 mml_kmap_pfn_mask(u8 shift)
{
	return PTE_PFN_MASK & ~((1ULL << shift) - 1);
}

/*
 * What entries of one run have in common.  One that isn't present has its PFN
 * inverted (asm/pgtable-invert.h), all bits of it.
 */
static inline u64 mml_kmap_key(u64 entry, u8 shift)
{
	u64 pfn = entry & _PAGE_PRESENT ? mml_kmap_pfn_mask(shift) :
					  PTE_PFN_MASK;

	return entry & ~(pfn | _PAGE_ACCESSED | _PAGE_DIRTY);
}

/* State and MMLENS_PTE_* of an entry that isn't empty. */
static inline u32 mml_kmap_flags(u64 entry, u8 level)
{
	u32 flags;

	if (mml_kmap_is_table(entry, level))
		return mml_decode_table(native_make_pte(entry));
	flags = mml_arch_flags(native_make_pte(entry));
	flags |= entry & _PAGE_PRESENT ? MMLENS_STATE_PRESENT :
					 MMLENS_STATE_OTHER;
	if (level != MMLENS_LEVEL_PTE)
		flags |= MMLENS_PTE_LEAF;
	if (entry & _PAGE_RW)
		flags |= MMLENS_PTE_WRITE;
	if (entry & _PAGE_ACCESSED)
		flags |= MMLENS_PTE_ACCESSED;
	if (entry & _PAGE_DIRTY)
		flags |= MMLENS_PTE_DIRTY;
	return flags;
}

#endif
