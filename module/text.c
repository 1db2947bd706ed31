// SPDX-License-Identifier: GPL-2.0-only
/* Records as text, for debugfs: one line a record, a name behind its VMA. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

#include "text.h"

static const char *const mml_level_names[] = {
	[MMLENS_LEVEL_PTE] = "pte",
	[MMLENS_LEVEL_PMD] = "pmd",
	[MMLENS_LEVEL_PUD] = "pud",
	[MMLENS_LEVEL_P4D] = "p4d",
	[MMLENS_LEVEL_PGD] = "pgd",
};

static const char *const mml_state_names[MMLENS_PTE_STATE + 1] = {
	[MMLENS_STATE_NONE]		= "none",
	[MMLENS_STATE_TABLE]		= "table",
	[MMLENS_STATE_PRESENT]		= "present",
	[MMLENS_STATE_NUMA_HINT]	= "numa_hint",
	[MMLENS_STATE_SWAP]		= "swap",
	[MMLENS_STATE_MIGRATION]	= "migration",
	[MMLENS_STATE_DEVICE_PRIVATE]	= "device_private",
	[MMLENS_STATE_DEVICE_EXCLUSIVE]	= "device_exclusive",
	[MMLENS_STATE_HWPOISON]		= "hwpoison",
	[MMLENS_STATE_MARKER]		= "marker",
	[MMLENS_STATE_OTHER]		= "other",
};

struct mml_bit_name {
	u32 bit;
	const char *name;
};

static const struct mml_bit_name mml_pte_names[] = {
	{ MMLENS_PTE_USER,		"user" },
	{ MMLENS_PTE_WRITE,		"rw" },
	{ MMLENS_PTE_NX,		"nx" },
	{ MMLENS_PTE_ACCESSED,		"accessed" },
	{ MMLENS_PTE_DIRTY,		"dirty" },
	{ MMLENS_PTE_GLOBAL,		"global" },
	{ MMLENS_PTE_LEAF,		"leaf" },
	{ MMLENS_PTE_HUGETLB,		"hugetlb" },
	{ MMLENS_PTE_SPECIAL,		"special" },
	{ MMLENS_PTE_DEVMAP,		"devmap" },
	{ MMLENS_PTE_SOFT_DIRTY,	"soft_dirty" },
	{ MMLENS_PTE_UFFD_WP,		"uffd_wp" },
	{ MMLENS_PTE_PROT_NONE,		"prot_none" },
	{ MMLENS_PTE_ZERO,		"zero" },
	{ MMLENS_PTE_ANON_EXCLUSIVE,	"anon_exclusive" },
	{ MMLENS_PTE_FILE,		"file" },
	{ MMLENS_PTE_EXCLUSIVE,		"exclusive" },
};

static const struct mml_bit_name mml_effective_names[] = {
	{ MMLENS_EFF_USER,		"effective:user" },
	{ MMLENS_EFF_WRITE,		"effective:rw" },
	{ MMLENS_EFF_NX,		"effective:nx" },
};

static const struct mml_bit_name mml_table_names[] = {
	{ MMLENS_TABLE_DEPOSITED,	"deposited" },
	{ MMLENS_TABLE_SHARED,		"shared" },
	{ MMLENS_TABLE_UNCOUNTED,	"uncounted" },
};

static const struct mml_bit_name mml_marker_names[] = {
	{ MMLENS_MARKER_UFFD,		"uffd" },
	{ MMLENS_MARKER_POISON,		"poison" },
	{ MMLENS_MARKER_GUARD,		"guard" },
};

const char *mml_text_kind(unsigned int nr)
{
	switch (nr) {
	case MMLENS_NR_VMAS:
		return "maps";
	case MMLENS_NR_PTES:
		return "pte";
	case MMLENS_NR_SMAPS:
		return "smaps";
	case MMLENS_NR_TABLES:
		return "tables";
	}
	return "unknown";
}

static const char *mml_text_or(const char *name)
{
	return name ?: "unknown";
}

static void mml_text_bits(struct seq_file *m, u32 bits,
			  const struct mml_bit_name *names, size_t n)
{
	const char *sep = " ";
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(bits & names[i].bit))
			continue;
		seq_printf(m, "%s%s", sep, names[i].name);
		sep = ",";
	}
}

static void mml_text_value(struct seq_file *m, u32 state, u64 value)
{
	switch (state) {
	case MMLENS_STATE_SWAP:
		seq_printf(m, " swap=%u:%llu", MMLENS_SWAP_TYPE(value),
			   (u64)MMLENS_SWAP_OFFSET(value));
		break;
	case MMLENS_STATE_MARKER:
		mml_text_bits(m, value, mml_marker_names,
			      ARRAY_SIZE(mml_marker_names));
		break;
	case MMLENS_STATE_OTHER:
		break;
	default:
		seq_printf(m, " pfn=%llu", value);
	}
}

static void mml_text_pte(struct seq_file *m, const struct mmlens_pte *rec)
{
	u32 state = rec->flags & MMLENS_PTE_STATE;

	seq_printf(m, "%llx %s %s raw=%016llx", rec->va,
		   mml_text_or(mml_level_names[rec->head.level]),
		   mml_text_or(mml_state_names[state]), rec->raw);
	mml_text_value(m, state, rec->value);
	mml_text_bits(m, rec->flags, mml_pte_names, ARRAY_SIZE(mml_pte_names));
	mml_text_bits(m, rec->flags, mml_effective_names,
		      ARRAY_SIZE(mml_effective_names));
	seq_putc(m, '\n');
}

/* The name, if there is one, is the next record of the same step. */
static const struct mmlens_name *mml_text_name(const struct mmlens_vma *rec)
{
	return rec->flags & MMLENS_VMA_NAMED ? (const void *)(rec + 1) : NULL;
}

static void mml_text_vma(struct seq_file *m, const struct mmlens_vma *rec)
{
	const struct mmlens_name *name = mml_text_name(rec);

	seq_printf(m, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu",
		   rec->start, rec->end,
		   rec->flags & MMLENS_VMA_READ ? 'r' : '-',
		   rec->flags & MMLENS_VMA_WRITE ? 'w' : '-',
		   rec->flags & MMLENS_VMA_EXEC ? 'x' : '-',
		   rec->flags & MMLENS_VMA_MAYSHARE ? 's' : 'p',
		   rec->offset, rec->dev_major, rec->dev_minor, rec->inode);
	if (name) {
		seq_putc(m, ' ');
		seq_escape(m, name->name, "\n\\");
	}
	seq_putc(m, '\n');
}

/* All in kB, as smaps. */
static void mml_text_smaps(struct seq_file *m, const struct mmlens_smaps *rec)
{
	seq_printf(m, " rss=%llu pss=%llu", rec->rss >> 10,
		   rec->pss >> (10 + 12));
	seq_printf(m, " shared_clean=%llu shared_dirty=%llu",
		   rec->shared_clean >> 10, rec->shared_dirty >> 10);
	seq_printf(m, " private_clean=%llu private_dirty=%llu",
		   rec->private_clean >> 10, rec->private_dirty >> 10);
	seq_printf(m, " referenced=%llu anonymous=%llu swap=%llu",
		   rec->referenced >> 10, rec->anonymous >> 10,
		   rec->swap >> 10);
	seq_puts(m, rec->flags & MMLENS_SMAPS_RACED ? " raced\n" : "\n");
}

static void mml_text_table(struct seq_file *m, const struct mmlens_table *rec)
{
	seq_printf(m, "%llx %s", rec->va,
		   mml_text_or(mml_level_names[rec->head.level]));
	if (!(rec->flags & MMLENS_TABLE_DEPOSITED))
		seq_printf(m, " pfn=%llu node=%u used=%u/%u", rec->pfn,
			   rec->node, rec->used, rec->entries);
	mml_text_bits(m, rec->flags, mml_table_names,
		      ARRAY_SIZE(mml_table_names));
	seq_putc(m, '\n');
}

/* One line for a record; none for a name, which stands behind its VMA. */
void mml_text_record(struct seq_file *m, const struct mmlens_record *rec)
{
	switch (rec->type) {
	case MMLENS_REC_PTE:
		mml_text_pte(m, (const struct mmlens_pte *)rec);
		break;
	case MMLENS_REC_VMA:
		mml_text_vma(m, (const struct mmlens_vma *)rec);
		break;
	case MMLENS_REC_SMAPS:
		mml_text_smaps(m, (const struct mmlens_smaps *)rec);
		break;
	case MMLENS_REC_TABLE:
		mml_text_table(m, (const struct mmlens_table *)rec);
		break;
	}
}
