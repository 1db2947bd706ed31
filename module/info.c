// SPDX-License-Identifier: GPL-2.0-only
/* What the module is and what it can do on this kernel. */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/utsname.h>

#include "compat/page.h"
#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "info.h"

/* log2 of what an entry translates, as mml_descend() names the levels. */
static void mml_info_levels(struct mmlens_info *info)
{
	struct mm_struct *mm = current->mm;
	u8 *shift = info->level_shift;
	u8 top = MMLENS_LEVEL_PGD;

	if (!mm_p4d_folded(mm)) {
		shift[top] = PGDIR_SHIFT;
		top = MMLENS_LEVEL_P4D;
		info->levels++;
	}
	if (!mm_pud_folded(mm)) {
		shift[top] = P4D_SHIFT;
		top = MMLENS_LEVEL_PUD;
		info->levels++;
	}
	if (!mm_pmd_folded(mm)) {
		shift[top] = PUD_SHIFT;
		top = MMLENS_LEVEL_PMD;
		info->levels++;
	}
	shift[top] = PMD_SHIFT;
	shift[MMLENS_LEVEL_PTE] = PAGE_SHIFT;
	info->levels += 2;
}

static u64 mml_info_fields(void)
{
	u64 fields = 0;

	if (IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
		fields |= MMLENS_FIELD_SOFT_DIRTY;
	if (IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP) &&
	    IS_ENABLED(CONFIG_USERFAULTFD))
		fields |= MMLENS_FIELD_UFFD_WP;
#ifdef SWP_MIGRATION_READ_EXCLUSIVE
	fields |= MMLENS_FIELD_ANON_EXCLUSIVE;
#endif
#ifdef SWP_PTE_MARKER
	fields |= MMLENS_FIELD_MARKERS;
#endif
	if (mml_has_page_mapcount())
		fields |= MMLENS_FIELD_PAGE_MAPCOUNT;
	return fields;
}

/**
 * mml_info_fill() - Fill in the outputs of MMLENS_INFO.
 * @info:	all zero but its inputs
 *
 * Runs in the caller's process: levels are those of its own address space.
 */
void mml_info_fill(struct mmlens_info *info)
{
	unsigned int i;

	info->abi = MMLENS_ABI;
	info->arch = MML_ARCH;
	info->page_shift = PAGE_SHIFT;
	info->task_size = TASK_SIZE_MAX;
	info->queries = 1ULL << MMLENS_NR_INFO;
	for (i = 0; i < mml_nr_walkers; i++)
		info->queries |= 1ULL << mml_walkers[i]->nr;
	info->fields = mml_info_fields();
	mml_info_levels(info);
	mml_decode_vma_bits_info(info);
	strscpy(info->version, MMLENS_VERSION, sizeof(info->version));
	strscpy(info->release, init_utsname()->release, sizeof(info->release));
}
