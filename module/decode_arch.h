/* SPDX-License-Identifier: GPL-2.0-only */
/* What the generic page-table accessors don't tell, by architecture. */
#ifndef MML_DECODE_ARCH_H
#define MML_DECODE_ARCH_H

#include <linux/elf-em.h>
#include <linux/pgtable.h>

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

/* The bits of a leaf that aren't its PFN. */
static inline u64 mml_arch_key(pte_t entry)
{
	return pte_val(entry) & ~PTE_PFN_MASK;
}

#elif defined(CONFIG_UML) && defined(CONFIG_64BIT)

/* User-mode Linux: for profiling the module at native speed. */
#define MML_ARCH	EM_X86_64
#define pte_protnone(pte)	(!!(pte_val(pte) & _PAGE_PROTNONE))

static inline u32 mml_arch_flags(pte_t entry)
{
	return (pte_val(entry) & _PAGE_USER) ? MMLENS_PTE_USER : 0;
}

static inline u64 mml_arch_key(pte_t entry)
{
	return pte_val(entry) & ~PAGE_MASK;
}

#else
#error "mmlens doesn't know the page-table entries of this architecture yet"
#endif

#endif
