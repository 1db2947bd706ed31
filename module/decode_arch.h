/* SPDX-License-Identifier: GPL-2.0-only */
/* What the generic page-table accessors don't tell, by architecture. */
#ifndef MML_DECODE_ARCH_H
#define MML_DECODE_ARCH_H

#include <linux/elf-em.h>
#include <linux/pgtable.h>

#include "uapi/mmlens.h"

/**
 * struct mml_beside - For a look at many entries that are to name pages of a
 * range: what an entry needn't be decoded for.
 * @mask:	bits of a present one that are its PFN
 * @low:	what they are of the first page
 * @size:	from there to the range's end in bytes, less one
 *
 * mml_arch_beside() makes it of the PFNs from @start to before @end, and
 * mml_arch_count_beside() says how many entries from @ptep on surely name no
 * such page.  It is a loop of its own: nearly all entries are seen by it alone.
 */
struct mml_beside {
	u64 mask;
	u64 low;
	u64 size;
};

#if defined(CONFIG_X86_64)

#define MML_ARCH	EM_X86_64

static inline u32 mml_arch_flags(pte_t entry)
{
	pteval_t val = pte_val(entry);
	u32 flags = 0;

	if (val & _PAGE_USER)
		flags |= MMLENS_PTE_USER;
	if (val & _PAGE_NX)
		flags |= MMLENS_PTE_NX;
	/* The bit means PROT_NONE where the entry isn't present. */
	if ((val & (_PAGE_PRESENT | _PAGE_GLOBAL)) ==
	    (_PAGE_PRESENT | _PAGE_GLOBAL))
		flags |= MMLENS_PTE_GLOBAL;
	return flags;
}

/* The bits of a present leaf that are its PFN, in their place. */
static inline u64 mml_arch_pfn_mask(void)
{
	return PTE_PFN_MASK;
}

/* An entry as it stands in memory. */
static inline u64 mml_arch_raw(pte_t entry)
{
	return native_pte_val(entry);
}

/*
 * Does an entry in memory hold the PFN as it is?  Not where PROT_NONE has it
 * inverted for the hardware, and in a Xen PV guest it's the machine's.
 */
static inline bool mml_arch_has_pfn(pte_t entry, unsigned long pfn)
{
	return !boot_cpu_has(X86_FEATURE_XENPV) &&
	       (mml_arch_raw(entry) & mml_arch_pfn_mask()) == PFN_PHYS(pfn);
}

static inline void mml_arch_beside(u64 start, u64 end,
				   struct mml_beside *beside)
{
	const u64 most = (PTE_PFN_MASK >> PAGE_SHIFT) + 1;

	beside->mask = PTE_PFN_MASK;
	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		/* Entries hold other PFNs: none is left out. */
		beside->low = 0;
		beside->size = U64_MAX;
	} else if (start >= min(end, most)) {
		/* No page begins there. */
		beside->low = 1;
		beside->size = 0;
	} else {
		beside->low = PFN_PHYS(start);
		beside->size = PFN_PHYS(min(end, most) - start) - 1;
	}
}

static inline bool mml_arch_is_beside(u64 raw, const struct mml_beside *beside)
{
	if (!(raw & _PAGE_PRESENT))
		return !raw;
	return (raw & beside->mask) - beside->low > beside->size;
}

/* Entries that are looked at together, without a branch for each. */
#define MML_GROUP	8

static inline bool mml_arch_all_empty(const pte_t *ptep)
{
	u64 some = 0;
	unsigned int i;

	_Pragma("GCC unroll 8")
	for (i = 0; i < MML_GROUP; i++)
		some |= mml_arch_raw(READ_ONCE(ptep[i]));
	return !some;
}

/* All of a group present and beside, or all empty? */
static inline bool mml_arch_all_beside(const pte_t *ptep, u64 mask, u64 low,
				       u64 size)
{
	u64 all = _PAGE_PRESENT, least = U64_MAX;
	unsigned int i;

	_Pragma("GCC unroll 8")
	for (i = 0; i < MML_GROUP; i++) {
		const u64 raw = mml_arch_raw(READ_ONCE(ptep[i]));

		all &= raw;
		least = min(least, (raw & mask) - low);
	}
	return all ? least > size : mml_arch_all_empty(ptep);
}

static inline unsigned int mml_arch_count_beside(const pte_t *ptep,
						 unsigned int n,
						 const struct mml_beside *beside)
{
	const u64 mask = beside->mask, low = beside->low, size = beside->size;
	unsigned int i = 0, stop;

	while (i < n) {
		while (i + MML_GROUP <= n &&
		       mml_arch_all_beside(ptep + i, mask, low, size))
			i += MML_GROUP;
		stop = min(n, i + MML_GROUP);
		while (i < stop &&
		       mml_arch_is_beside(mml_arch_raw(READ_ONCE(ptep[i])),
					  beside))
			i++;
		if (i < stop)
			break;
	}
	return i;
}

static inline bool mml_arch_all_like(const pte_t *ptep, u64 next)
{
	u64 differ = 0;
	unsigned int i;

	_Pragma("GCC unroll 8")
	for (i = 0; i < MML_GROUP; i++)
		differ |= mml_arch_raw(READ_ONCE(ptep[i])) ^
			  (next + i * PAGE_SIZE);
	return !differ;
}

/* How many entries are @next and those behind it, each by one PFN more? */
static inline unsigned int mml_arch_count_like(const pte_t *ptep,
					       unsigned int n, u64 next)
{
	unsigned int i = 0;

	for (; i + MML_GROUP <= n && mml_arch_all_like(ptep + i, next);
	     i += MML_GROUP)
		next += MML_GROUP * PAGE_SIZE;
	for (; i < n && mml_arch_raw(READ_ONCE(ptep[i])) == next; i++)
		next += PAGE_SIZE;
	return i;
}

/* What an entry denies, whatever others allow: MMLENS_EFF_*. */
static inline u32 mml_arch_denied(pte_t entry)
{
	pteval_t val = pte_val(entry);
	u32 denied = 0;

	if (!(val & _PAGE_USER))
		denied |= MMLENS_EFF_USER;
	if (!(val & _PAGE_RW))
		denied |= MMLENS_EFF_WRITE;
	if (val & _PAGE_NX)
		denied |= MMLENS_EFF_NX;
	return denied;
}

/*
 * With page-table isolation there are two top tables, and the kernel's forbids
 * to execute what is the user's.  What holds for a process is in the other.
 */
static inline pte_t mml_arch_top(const void *entryp, pte_t entry)
{
#if defined(CONFIG_PAGE_TABLE_ISOLATION) || \
	defined(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION)
	if (boot_cpu_has(X86_FEATURE_PTI))
		return READ_ONCE(*(pte_t *)
				 kernel_to_user_pgdp((pgd_t *)entryp));
#endif
	return entry;
}

#elif defined(CONFIG_UML) && defined(CONFIG_64BIT)

/* User-mode Linux: for profiling the module at native speed. */
#define MML_ARCH	EM_X86_64
#define pte_protnone(pte)	(!!(pte_val(pte) & _PAGE_PROTNONE))

static inline u32 mml_arch_flags(pte_t entry)
{
	return (pte_val(entry) & _PAGE_USER) ? MMLENS_PTE_USER : 0;
}

static inline u64 mml_arch_pfn_mask(void)
{
	return PAGE_MASK;
}

static inline u64 mml_arch_raw(pte_t entry)
{
	return pte_val(entry);
}

static inline bool mml_arch_has_pfn(pte_t entry, unsigned long pfn)
{
	return (pte_val(entry) & PAGE_MASK) == PFN_PHYS(pfn);
}

static inline void mml_arch_beside(u64 start, u64 end,
				   struct mml_beside *beside)
{
}

static inline unsigned int mml_arch_count_beside(const pte_t *ptep,
						 unsigned int n,
						 const struct mml_beside *beside)
{
	unsigned int i = 0;

	while (i < n && !pte_val(READ_ONCE(ptep[i])))
		i++;
	return i;
}

static inline unsigned int mml_arch_count_like(const pte_t *ptep,
					       unsigned int n, u64 next)
{
	return 0;
}

static inline u32 mml_arch_denied(pte_t entry)
{
	u32 denied = 0;

	if (!(pte_val(entry) & _PAGE_USER))
		denied |= MMLENS_EFF_USER;
	if (!(pte_val(entry) & _PAGE_RW))
		denied |= MMLENS_EFF_WRITE;
	return denied;
}

static inline pte_t mml_arch_top(const void *entryp, pte_t entry)
{
	return entry;
}

#else
#error "mmlens doesn't know the page-table entries of this architecture yet"
#endif

/* The bits of a leaf that aren't its PFN. */
static inline u64 mml_arch_key(pte_t entry)
{
	return pte_val(entry) & ~mml_arch_pfn_mask();
}

#endif
