// SPDX-License-Identifier: GPL-2.0-only
/* Records as text, for debugfs: one line a record, a name behind its VMA. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

#include "core.h"
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
	case MMLENS_NR_ZONES:
		return "zones";
	case MMLENS_NR_FREE:
		return "buddy";
	case MMLENS_NR_PAGES:
		return "ledger";
	case MMLENS_NR_LRU:
		return "lru";
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

static void mml_text_memnode(struct seq_file *m,
			     const struct mmlens_memnode *rec)
{
	seq_printf(m, "node %u start_pfn=%llu spanned=%llu present=%llu",
		   rec->node, rec->start_pfn, rec->spanned, rec->present);
	seq_printf(m, " kswapd=%s order=%u failures=%u\n",
		   rec->flags & MMLENS_NODE_KSWAPD_SLEEPS ? "sleeps" : "runs",
		   rec->kswapd_order, rec->kswapd_failures);
}

/* All in pages. */
static void mml_text_zone(struct seq_file *m, const struct mmlens_zone *rec)
{
	seq_printf(m, "zone %u %s start_pfn=%llu spanned=%llu present=%llu managed=%llu",
		   rec->node, rec->name, rec->start_pfn, rec->spanned,
		   rec->present, rec->managed);
	seq_printf(m, " free=%llu boost=%llu min=%llu low=%llu high=%llu",
		   rec->free, rec->boost, rec->min, rec->low, rec->high);
	seq_printf(m, " cma=%llu highatomic=%llu\n", rec->cma,
		   rec->highatomic);
}

static const char *const mml_counters_names[] = {
	[MMLENS_COUNTERS_NODE]		= "node",
	[MMLENS_COUNTERS_ZONE]		= "zone",
	[MMLENS_COUNTERS_NUMA]		= "numa",
	[MMLENS_COUNTERS_RESERVE]	= "reserve",
	[MMLENS_COUNTERS_FREE]		= "free_by_order",
};

static void mml_text_counters(struct seq_file *m,
			      const struct mmlens_counters *rec)
{
	size_t n = (rec->head.size - sizeof(*rec)) / sizeof(rec->value[0]), i;

	seq_printf(m, " %s", mml_text_or(mml_counters_names[rec->kind]));
	for (i = 0; i < n; i++)
		seq_printf(m, " %llu", rec->value[i]);
	seq_putc(m, '\n');
}

static void mml_text_pageset(struct seq_file *m,
			     const struct mmlens_pageset *rec)
{
	seq_printf(m, " cpu %u count=%d high=%d batch=%d\n", rec->cpu,
		   rec->count, rec->high, rec->batch);
}

static const char *const mml_migratetype_names[] = {
	[MMLENS_MIGRATE_UNMOVABLE]	= "Unmovable",
	[MMLENS_MIGRATE_MOVABLE]	= "Movable",
	[MMLENS_MIGRATE_RECLAIMABLE]	= "Reclaimable",
	[MMLENS_MIGRATE_HIGHATOMIC]	= "HighAtomic",
	[MMLENS_MIGRATE_CMA]		= "CMA",
	[MMLENS_MIGRATE_ISOLATE]	= "Isolate",
	[MMLENS_MIGRATE_OTHER]		= "Other",
};

/* PFNs in hexadecimal, in the order of the list; none of an empty one. */
static void mml_text_blocks(struct seq_file *m, const struct mmlens_blocks *rec)
{
	u32 i;

	if (!rec->count)
		return;
	seq_printf(m, "node %u zone %u", rec->node, rec->zone);
	if (rec->cpu >= 0)
		seq_printf(m, " cpu %d", rec->cpu);
	seq_printf(m, " order %u %s position %u:", rec->order,
		   mml_text_or(mml_migratetype_names[rec->migratetype]),
		   rec->position);
	for (i = 0; i < rec->count; i++)
		seq_printf(m, " %llx", rec->pfn[i]);
	seq_puts(m, rec->flags & MMLENS_BLOCKS_CUT ? " ...\n" : "\n");
}

static const char *const mml_bucket_names[] = {
	[MMLENS_BUCKET_UNTOLD]		= "untold",
	[MMLENS_BUCKET_BUDDY]		= "buddy",
	[MMLENS_BUCKET_INACTIVE_ANON]	= "inactive_anon",
	[MMLENS_BUCKET_ACTIVE_ANON]	= "active_anon",
	[MMLENS_BUCKET_INACTIVE_FILE]	= "inactive_file",
	[MMLENS_BUCKET_ACTIVE_FILE]	= "active_file",
	[MMLENS_BUCKET_UNEVICTABLE]	= "unevictable",
	[MMLENS_BUCKET_ANON]		= "anon",
	[MMLENS_BUCKET_MAPPED]		= "mapped",
	[MMLENS_BUCKET_HUGETLB]		= "hugetlb",
	[MMLENS_BUCKET_HUGETLB_FREE]	= "hugetlb_free",
	[MMLENS_BUCKET_SLAB]		= "slab",
	[MMLENS_BUCKET_TABLE]		= "table",
	[MMLENS_BUCKET_ZSMALLOC]	= "zsmalloc",
	[MMLENS_BUCKET_KMALLOC]		= "kmalloc",
	[MMLENS_BUCKET_RESERVED]	= "reserved",
	[MMLENS_BUCKET_OFFLINE]		= "offline",
	[MMLENS_BUCKET_HWPOISON]	= "hwpoison",
	[MMLENS_BUCKET_KERNEL]		= "kernel",
};

static const char *const mml_lru_names[] = {
	[MMLENS_LRU_INACTIVE_ANON]	= "inactive_anon",
	[MMLENS_LRU_ACTIVE_ANON]	= "active_anon",
	[MMLENS_LRU_INACTIVE_FILE]	= "inactive_file",
	[MMLENS_LRU_ACTIVE_FILE]	= "active_file",
	[MMLENS_LRU_UNEVICTABLE]	= "unevictable",
};

/*
 * The path straight into the file's room, of which there will be more if it
 * doesn't suffice.  No path has a line feed.
 */
static void mml_text_lru_path(struct seq_file *m,
			      const struct mmlens_lru_list *rec)
{
	size_t size;
	char *room;
	int length;

	seq_putc(m, ' ');
	size = seq_get_buf(m, &room);
	length = mml_lru_path(rec, room, size);
	if (length == -ENOENT)
		seq_putc(m, '?');
	else
		seq_commit(m, length < (int)size ? max(length, 0) : -1);
}

static void mml_text_lru_gen(struct seq_file *m,
			     const struct mmlens_lru_list *rec)
{
	seq_printf(m, " gen %llu %s zone %u age_ms %llu", rec->seq,
		   rec->lru < MMLENS_LRU_INACTIVE_FILE ? "anon" : "file",
		   rec->zone, rec->age_ms);
}

/* None of an empty list. */
static void mml_text_lru(struct seq_file *m, const struct mmlens_lru_list *rec)
{
	const bool counted = rec->flags & MMLENS_LIST_COUNTED;

	if (counted && !rec->pages)
		return;
	seq_printf(m, "memcg %llu node %u", rec->memcg, rec->node);
	if (rec->generation)
		mml_text_lru_gen(m, rec);
	else
		seq_printf(m, " %s", mml_text_or(mml_lru_names[rec->lru]));
	if (counted)
		seq_printf(m, " pages %llu", rec->pages);
	else
		seq_puts(m, " pages ?");
	if (rec->flags & MMLENS_LIST_OFFLINE)
		seq_puts(m, " offline");
	if (rec->memcg)
		mml_text_lru_path(m, rec);
	seq_putc(m, '\n');
}

/**
 * mml_text_ledger() - Pages of a zone by bucket, one a line.
 * @m:		the file
 * @node:	NUMA node, online
 * @zone:	index of a zone of it
 * @pages:	by enum mmlens_bucket.  What has a struct page but isn't memory
 *		is reserved, and not among those present
 */
void mml_text_ledger(struct seq_file *m, int node, unsigned int zone,
		     const u64 pages[MML_LEDGER_BUCKETS])
{
	const struct zone *z = &NODE_DATA(node)->node_zones[zone];
	u64 sum = 0;
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(mml_bucket_names) != MML_LEDGER_BUCKETS);
	for (i = 0; i < MML_LEDGER_BUCKETS; i++)
		sum += pages[i];
	if (!sum)
		return;
	seq_printf(m, "node %d zone %u %s present=%lu sum=%llu\n", node, zone,
		   z->name, z->present_pages, sum);
	for (i = 0; i < MML_LEDGER_BUCKETS; i++)
		if (pages[i])
			seq_printf(m, " %s %llu\n", mml_bucket_names[i],
				   pages[i]);
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
	case MMLENS_REC_MEMNODE:
		mml_text_memnode(m, (const struct mmlens_memnode *)rec);
		break;
	case MMLENS_REC_ZONE:
		mml_text_zone(m, (const struct mmlens_zone *)rec);
		break;
	case MMLENS_REC_COUNTERS:
		mml_text_counters(m, (const struct mmlens_counters *)rec);
		break;
	case MMLENS_REC_BLOCKS:
		mml_text_blocks(m, (const struct mmlens_blocks *)rec);
		break;
	case MMLENS_REC_PAGESET:
		mml_text_pageset(m, (const struct mmlens_pageset *)rec);
		break;
	case MMLENS_REC_LRU:
		mml_text_lru(m, (const struct mmlens_lru_list *)rec);
		break;
	}
}
