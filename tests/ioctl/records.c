// SPDX-License-Identifier: GPL-2.0-only
/* Each type of record: what the contract promises, and what is possible. */
#include <string.h>

#include "ioctl.h"

static bool is_zero(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)bytes)[i])
			return false;
	return true;
}

static const char *check_vma(const struct mmlens_vma *vma, size_t left)
{
	const struct mmlens_name *name = (const void *)(vma + 1);

	if (vma->head.size != sizeof(*vma) || vma->head.level ||
	    !is_zero(vma->reserved, sizeof(vma->reserved)))
		return wrong("VMA %#llx: head or reserved", vma->start);
	if (vma->start >= vma->end || vma->start % PAGE || vma->end % PAGE)
		return wrong("VMA %#llx-%#llx", vma->start, vma->end);
	if (!(vma->flags & MMLENS_VMA_FILE) &&
	    (vma->offset || vma->inode || vma->dev_major || vma->dev_minor))
		return wrong("VMA %#llx: a file's members", vma->start);
	if (vma->flags & MMLENS_VMA_NAMED &&
	    (left <= sizeof(*vma) || name->head.type != MMLENS_REC_NAME))
		return wrong("VMA %#llx: its name doesn't follow", vma->start);
	return NULL;
}

static const char *check_name(const struct mmlens_name *name)
{
	size_t room_for_name = name->head.size - sizeof(*name);

	if (name->head.level || !name->length ||
	    name->length >= room_for_name ||
	    room_for_name > (name->length | 7) + 1)
		return wrong("name of %u bytes in %u", name->length,
			     name->head.size);
	for (size_t i = 0; i < room_for_name; i++)
		if (!name->name[i] != (i >= name->length))
			return wrong("byte %zu of a name of %u", i,
				     name->length);
	return NULL;
}

static const char *check_pte(const struct mmlens_pte *pte)
{
	uint32_t state = pte->flags & MMLENS_PTE_STATE;

	if (pte->head.size != sizeof(*pte))
		return wrong("PTE of %u bytes", pte->head.size);
	if (!pte->head.level || pte->head.level > MMLENS_LEVEL_PUD)
		return wrong("PTE at level %u", pte->head.level);
	if (!pte->raw || pte->va % PAGE)
		return wrong("PTE %#llx, raw %#llx", pte->va, pte->raw);
	if (state < MMLENS_STATE_PRESENT || state > MMLENS_STATE_MARKER)
		return wrong("PTE %#llx: state %u", pte->va, state);
	if (pte->flags & ~(0x3fffffu | MMLENS_PTE_FILE | MMLENS_PTE_EXCLUSIVE))
		return wrong("PTE %#llx: flags %#x", pte->va, pte->flags);
	return NULL;
}

static const char *check_run(const struct mmlens_run *run)
{
	struct mmlens_pte first = {
		.head = { .size = sizeof(first), .level = run->head.level },
		.flags = run->flags, .va = run->va, .raw = run->raw[0],
	};

	if (run->reserved || run->count < 2 || run->count > 512 ||
	    run->head.size != sizeof(*run) + run->count * sizeof(*run->raw))
		return wrong("run %#llx of %u entries", run->va, run->count);
	return check_pte(&first);
}

static const char *check_hole(const struct mmlens_hole *hole)
{
	if (hole->head.size != sizeof(*hole) || hole->reserved ||
	    !hole->head.level)
		return wrong("hole %#llx: head or reserved", hole->start);
	if (hole->start >= hole->end || hole->start % PAGE ||
	    hole->end % PAGE)
		return wrong("hole %#llx-%#llx", hole->start, hole->end);
	return NULL;
}

static const char *check_level(const struct mmlens_level *level)
{
	if (level->head.size != sizeof(*level) || level->reserved ||
	    !level->head.level || level->index > 511 || !level->table_pfn)
		return wrong("level %u: index %u", level->head.level,
			     level->index);
	return NULL;
}

/* Every page that counts is clean or dirty, shared or private. */
static const char *check_smaps(const struct mmlens_smaps *s)
{
	if (s->head.size != sizeof(*s) || s->head.level)
		return wrong("sums of %u bytes", s->head.size);
	if (s->flags & ~MMLENS_SMAPS_RACED)
		return wrong("sums with flags %#x", s->flags);
	if (s->rss != s->shared_clean + s->shared_dirty + s->private_clean +
		      s->private_dirty)
		return wrong("rss %llu isn't clean and dirty", s->rss);
	if (s->pss >> 12 > s->rss || s->pss_dirty > s->pss ||
	    s->pss_anon + s->pss_file + s->pss_shmem > s->pss + 4096)
		return wrong("rss %llu, pss %llu", s->rss, s->pss >> 12);
	if (s->referenced > s->rss || s->anonymous > s->rss ||
	    s->ksm > s->rss || s->lazyfree > s->rss ||
	    s->anon_huge + s->shmem_huge + s->file_huge > s->rss)
		return wrong("a part is more than rss %llu", s->rss);
	if (s->swap_anon > s->swap)
		return wrong("swap %llu, of page tables %llu", s->swap,
			     s->swap_anon);
	return NULL;
}

static const char *check_page(const struct mmlens_page *page)
{
	uint32_t state = page->flags & MMLENS_PTE_STATE;

	if (page->head.size != sizeof(*page) || !page->head.level ||
	    page->head.level > MMLENS_LEVEL_PUD ||
	    !is_zero(page->reserved, sizeof(page->reserved)))
		return wrong("page %#llx: head or reserved", page->va);
	if (!page->raw || page->va % PAGE || !page->count ||
	    page->count > 512 ||
	    (page->head.level > MMLENS_LEVEL_PTE && page->count != 1))
		return wrong("page %#llx: raw %#llx, %u entries", page->va,
			     page->raw, page->count);
	if (state != MMLENS_STATE_PRESENT && state != MMLENS_STATE_NUMA_HINT)
		return wrong("page %#llx: state %u", page->va, state);
	if (page->order > 18 || page->folio_index >> page->order)
		return wrong("page %#llx: order %u, index %u", page->va,
			     page->order, page->folio_index);
	if (page->lru > MMLENS_LRU_UNEVICTABLE || page->generation > 4 ||
	    page->zone > 5 || page->node >= MMLENS_MAX_NODES)
		return wrong("page %#llx: list %u, generation %u, zone %u",
			     page->va, page->lru, page->generation,
			     page->zone);
	return NULL;
}

/* Its nodes follow, and all of its pages are on them. */
static const char *check_numa(const struct mmlens_numa *numa, size_t left)
{
	const unsigned char *end = (const unsigned char *)numa + left;
	const struct mmlens_node *node = (const void *)(numa + 1);
	uint64_t pages = 0;

	if (numa->head.size != sizeof(*numa) || numa->head.level ||
	    numa->flags & ~MMLENS_SMAPS_RACED || numa->mode > 15)
		return wrong("NUMA: flags %#x, mode %u", numa->flags,
			     numa->mode);
	if (numa->anon > numa->pages || numa->dirty > numa->pages ||
	    numa->swapcache > numa->pages || numa->active > numa->pages ||
	    numa->writeback > numa->pages)
		return wrong("NUMA: a part is more than %llu pages",
			     numa->pages);
	while ((const unsigned char *)(node + 1) <= end &&
	       node->head.type == MMLENS_REC_NODE) {
		pages += node->pages;
		node++;
	}
	if (pages != numa->pages)
		return wrong("NUMA: %llu pages, %llu on nodes", numa->pages,
			     (unsigned long long)pages);
	return NULL;
}

static const char *check_node(const struct mmlens_node *node)
{
	if (node->head.size != sizeof(*node) || node->head.level ||
	    node->node >= MMLENS_MAX_NODES || !node->pages)
		return wrong("node %u: %llu pages", node->node, node->pages);
	return NULL;
}

static const char *check_table(const struct mmlens_table *table)
{
	bool deposited = table->flags & MMLENS_TABLE_DEPOSITED;

	if (table->head.size != sizeof(*table) || !table->head.level ||
	    table->head.level > MMLENS_LEVEL_PGD || table->va % PAGE)
		return wrong("table %#llx: head", table->va);
	if (table->flags & ~(MMLENS_TABLE_DEPOSITED | MMLENS_TABLE_SHARED |
			     MMLENS_TABLE_UNCOUNTED))
		return wrong("table %#llx: flags %#x", table->va,
			     table->flags);
	if (table->used > table->entries || table->entries > 512 ||
	    deposited == !!table->pfn)
		return wrong("table %#llx: %u of %u used, PFN %#llx",
			     table->va, table->used, table->entries,
			     table->pfn);
	return NULL;
}

static const char *check_proc(const struct mmlens_proc *proc)
{
	size_t length = strnlen(proc->comm, sizeof(proc->comm));

	if (proc->head.size != sizeof(*proc) || proc->head.level ||
	    proc->pid < 1 || proc->ppid < 0 || !proc->threads)
		return wrong("process %d of %d with %u threads", proc->pid,
			     proc->ppid, proc->threads);
	if (proc->flags & ~(MMLENS_PROC_KTHREAD | MMLENS_PROC_NO_MM |
			    MMLENS_PROC_RACED))
		return wrong("process %d: flags %#x", proc->pid, proc->flags);
	if (length == sizeof(proc->comm) ||
	    !is_zero(proc->comm + length, sizeof(proc->comm) - length))
		return wrong("process %d: a name without an end", proc->pid);
	if (proc->flags & MMLENS_PROC_NO_MM && (proc->vsize || proc->tables))
		return wrong("process %d: memory without an address space",
			     proc->pid);
	return NULL;
}

static const char *check_memnode(const struct mmlens_memnode *node)
{
	if (node->head.size != sizeof(*node) || node->head.level ||
	    node->reserved || node->flags & ~MMLENS_NODE_KSWAPD_SLEEPS)
		return wrong("memory of node %u: head", node->node);
	if (node->node >= MMLENS_MAX_NODES || !node->zones ||
	    node->kswapd_zone > node->zones || node->present > node->spanned)
		return wrong("memory of node %u: %llu of %llu pages",
			     node->node, node->present, node->spanned);
	return NULL;
}

static const char *check_zone(const struct mmlens_zone *zone)
{
	size_t length = strnlen(zone->name, sizeof(zone->name));

	if (zone->head.size != sizeof(*zone) || zone->head.level ||
	    zone->flags & ~MMLENS_ZONE_POPULATED)
		return wrong("zone %u: head", zone->index);
	if (zone->managed > zone->present || zone->present > zone->spanned ||
	    zone->free > zone->present ||
	    !zone->present != !(zone->flags & MMLENS_ZONE_POPULATED))
		return wrong("zone %u: %llu free, %llu managed, %llu present, %llu spanned",
			     zone->index, zone->free, zone->managed,
			     zone->present, zone->spanned);
	if (zone->min > zone->low || zone->low > zone->high)
		return wrong("zone %u: watermarks %llu %llu %llu", zone->index,
			     zone->min, zone->low, zone->high);
	if (!length || length == sizeof(zone->name) ||
	    !is_zero(zone->name + length, sizeof(zone->name) - length))
		return wrong("zone %u: its name", zone->index);
	return NULL;
}

static const char *check_pfns(const struct mmlens_pfns *run)
{
	if (run->head.size != sizeof(*run) || run->head.level ||
	    !is_zero(run->reserved, sizeof(run->reserved)))
		return wrong("PFN %#llx: head or reserved", run->pfn);
	if (!run->count || run->pfn + run->count > 1ull << 52)
		return wrong("%u PFNs from %#llx", run->count, run->pfn);
	if (run->order > 18 || run->folio_index >> run->order ||
	    (run->kind != MMLENS_PAGE_KIND_BUDDY && run->order &&
	     run->folio_index + (uint64_t)run->count > 1ull << run->order))
		return wrong("PFN %#llx: order %u, index %u, %u of them",
			     run->pfn, run->order, run->folio_index,
			     run->count);
	if (run->kind > MMLENS_PAGE_KIND_OTHER ||
	    (run->migratetype > MMLENS_MIGRATE_ISOLATE &&
	     run->migratetype != MMLENS_MIGRATE_OTHER) ||
	    run->lru > MMLENS_LRU_UNEVICTABLE || run->generation > 4 ||
	    run->tier > 3 || run->zone > 5 || run->node >= MMLENS_MAX_NODES)
		return wrong("PFN %#llx: kind %u, block %u, list %u, generation %u, zone %u of node %u",
			     run->pfn, run->kind, run->migratetype, run->lru,
			     run->generation, run->zone, run->node);
	return NULL;
}

static const char *check_counters(const struct mmlens_counters *counters)
{
	if (counters->head.level || !counters->kind ||
	    counters->kind > MMLENS_COUNTERS_FREE ||
	    counters->head.size < sizeof(*counters))
		return wrong("counters of kind %u: head", counters->kind);
	return NULL;
}

static const char *check_pageset(const struct mmlens_pageset *set)
{
	if (set->head.size != sizeof(*set) || set->head.level ||
	    set->count < 0 || set->high < 0 || set->batch < 0 ||
	    set->high_min > set->high_max)
		return wrong("CPU %u: %d of %d, in %d to %d", set->cpu,
			     set->count, set->high, set->high_min,
			     set->high_max);
	return NULL;
}

static bool is_migratetype(unsigned int type)
{
	return type <= MMLENS_MIGRATE_ISOLATE || type == MMLENS_MIGRATE_OTHER;
}

static const char *check_blocks(const struct mmlens_blocks *blocks)
{
	if (blocks->head.size != sizeof(*blocks) +
				 blocks->count * sizeof(blocks->pfn[0]) ||
	    blocks->head.level ||
	    blocks->flags & ~(MMLENS_BLOCKS_LAST | MMLENS_BLOCKS_CUT))
		return wrong("%u free blocks: head", blocks->count);
	if (blocks->cpu < -1 || blocks->order > 32 ||
	    !is_migratetype(blocks->migratetype) ||
	    (!blocks->count && !(blocks->flags & MMLENS_BLOCKS_LAST)))
		return wrong("free blocks of CPU %d, order %u, type %u",
			     blocks->cpu, blocks->order, blocks->migratetype);
	for (uint32_t i = 0; i < blocks->count; i++)
		if (blocks->pfn[i] & ((1ull << blocks->order) - 1))
			return wrong("free block %#llx of order %u",
				     blocks->pfn[i], blocks->order);
	return NULL;
}

static const char *check_pageblocks(const struct mmlens_pageblocks *run)
{
	if (run->head.size != sizeof(*run) || run->head.level ||
	    run->reserved || !run->count ||
	    !is_migratetype(run->migratetype) ||
	    run->pfn & ((1ull << run->order) - 1))
		return wrong("%u page blocks of type %u from %#llx on",
			     run->count, run->migratetype, run->pfn);
	return NULL;
}

static const char *check_user(const struct mmlens_user *user)
{
	unsigned int state = user->flags & MMLENS_PTE_STATE;

	if (user->head.size != sizeof(*user) ||
	    user->head.level < MMLENS_LEVEL_PTE ||
	    user->head.level > MMLENS_LEVEL_PUD)
		return wrong("%d at %#llx: head", user->pid, user->va);
	if (user->pid < 1 || !user->count || user->va % PAGE ||
	    user->pfn + user->count < user->pfn)
		return wrong("%u pages at %#llx of %d", user->count, user->va,
			     user->pid);
	if (state != MMLENS_STATE_PRESENT && state != MMLENS_STATE_NUMA_HINT &&
	    (state < MMLENS_STATE_MIGRATION || state > MMLENS_STATE_HWPOISON))
		return wrong("%#llx of %d: state %u", user->va, user->pid,
			     state);
	return NULL;
}

static bool is_filled(const char *text, size_t size)
{
	for (size_t i = strnlen(text, size); i < size; i++)
		if (text[i])
			return false;
	return !text[size - 1];
}

static const char *check_backing(const struct mmlens_backing *backing)
{
	uint32_t known = MMLENS_BACKING_INODE | MMLENS_BACKING_INDEX |
			 MMLENS_BACKING_SWAP;

	if (backing->head.size != sizeof(*backing) || backing->head.level ||
	    backing->flags & ~known ||
	    backing->kind > MMLENS_BACKING_KIND_MOVABLE)
		return wrong("backing of %#llx: head", backing->pfn);
	for (size_t i = 0; i < sizeof(backing->reserved); i++)
		if (backing->reserved[i])
			return wrong("backing of %#llx: reserved",
				     backing->pfn);
	if (!(backing->flags & MMLENS_BACKING_INODE) &&
	    (backing->inode || backing->offset || backing->dev_major ||
	     backing->filesystem[0] || backing->name[0]))
		return wrong("backing of %#llx: parts of a file",
			     backing->pfn);
	if (!is_filled(backing->name, sizeof(backing->name)) ||
	    !is_filled(backing->filesystem, sizeof(backing->filesystem)))
		return wrong("backing of %#llx: strings", backing->pfn);
	return NULL;
}

static const char *check_region(const struct mmlens_region *region)
{
	size_t length = strnlen(region->name, sizeof(region->name));

	if (region->head.size != sizeof(*region) || region->head.level ||
	    region->flags & ~MMLENS_REGION_SKIPPED ||
	    region->start >= region->end || region->start >> 56 != 0xff)
		return wrong("region %#llx-%#llx: head or bounds",
			     region->start, region->end);
	if (!length || length == sizeof(region->name) ||
	    !is_zero(region->name + length, sizeof(region->name) - length))
		return wrong("region %#llx: its name", region->start);
	return NULL;
}

static const char *check_kmap(const struct mmlens_kmap *run)
{
	uint32_t state = run->flags & MMLENS_PTE_STATE;

	if (run->head.size != sizeof(*run) || run->reserved ||
	    run->consecutive > 1 || !run->head.level ||
	    run->head.level > (state == MMLENS_STATE_TABLE ?
			       MMLENS_LEVEL_PGD : MMLENS_LEVEL_PUD))
		return wrong("kernel's entry %#llx: head", run->va);
	if (state != MMLENS_STATE_PRESENT && state != MMLENS_STATE_OTHER &&
	    state != MMLENS_STATE_TABLE)
		return wrong("kernel's entry %#llx: state %u", run->va, state);
	if (!run->count || run->va >> 56 != 0xff ||
	    run->va & ((PAGE << 9 * (run->head.level - 1)) - 1) ||
	    run->flags & (MMLENS_PTE_ACCESSED | MMLENS_PTE_DIRTY) ||
	    (run->raw & 1) != (state != MMLENS_STATE_OTHER))
		return wrong("%llu entries at %#llx: flags %#x, raw %#llx",
			     run->count, run->va, run->flags, run->raw);
	return NULL;
}

static const char *check_lru(const struct mmlens_lru_list *list)
{
	const uint32_t all = MMLENS_LIST_LAST | MMLENS_LIST_CUT |
			     MMLENS_LIST_COUNTED | MMLENS_LIST_NO_ORDER |
			     MMLENS_LIST_ENABLED | MMLENS_LIST_CURRENT |
			     MMLENS_LIST_OFFLINE;

	if (list->head.size != sizeof(*list) || list->head.level ||
	    list->reserved || list->flags & ~all)
		return wrong("LRU list: head, flags %#x", list->flags);
	if (!list->lru || list->lru > MMLENS_LRU_UNEVICTABLE ||
	    list->generation > 4 ||
	    !list->generation != (list->zone == MMLENS_LIST_ALL_ZONES))
		return wrong("LRU list %u, generation %u, zone %u", list->lru,
			     list->generation, list->zone);
	if (!list->generation && (list->seq || list->age_ms))
		return wrong("LRU list %u: an age", list->lru);
	if (!(list->flags & MMLENS_LIST_COUNTED) && list->pages)
		return wrong("LRU list %u: pages", list->lru);
	if (list->count > 128 || (list->flags & MMLENS_LIST_CUT &&
				  !(list->flags & MMLENS_LIST_LAST)))
		return wrong("LRU list %u: %u folios", list->lru, list->count);
	return NULL;
}

const char *check_record(const struct mmlens_record *record, size_t left)
{
	if (record->size < 8 || record->size % 8 || record->size > left)
		return wrong("a record of %u bytes", record->size);
	switch (record->type) {
	case MMLENS_REC_VMA:
		return check_vma((const void *)record, left);
	case MMLENS_REC_NAME:
		return check_name((const void *)record);
	case MMLENS_REC_PTE:
		return check_pte((const void *)record);
	case MMLENS_REC_RUN:
		return check_run((const void *)record);
	case MMLENS_REC_HOLE:
		return check_hole((const void *)record);
	case MMLENS_REC_LEVEL:
		return check_level((const void *)record);
	case MMLENS_REC_SMAPS:
		return check_smaps((const void *)record);
	case MMLENS_REC_PAGE:
		return check_page((const void *)record);
	case MMLENS_REC_NUMA:
		return check_numa((const void *)record, left);
	case MMLENS_REC_NODE:
		return check_node((const void *)record);
	case MMLENS_REC_TABLE:
		return check_table((const void *)record);
	case MMLENS_REC_PROC:
		return check_proc((const void *)record);
	case MMLENS_REC_MEMNODE:
		return check_memnode((const void *)record);
	case MMLENS_REC_ZONE:
		return check_zone((const void *)record);
	case MMLENS_REC_COUNTERS:
		return check_counters((const void *)record);
	case MMLENS_REC_BLOCKS:
		return check_blocks((const void *)record);
	case MMLENS_REC_PAGEBLOCKS:
		return check_pageblocks((const void *)record);
	case MMLENS_REC_PAGESET:
		return check_pageset((const void *)record);
	case MMLENS_REC_PFNS:
		return check_pfns((const void *)record);
	case MMLENS_REC_USER:
		return check_user((const void *)record);
	case MMLENS_REC_BACKING:
		return check_backing((const void *)record);
	case MMLENS_REC_REGION:
		return check_region((const void *)record);
	case MMLENS_REC_KMAP:
		return check_kmap((const void *)record);
	case MMLENS_REC_LRU:
		return check_lru((const void *)record);
	default:
		return wrong("record of type %u", record->type);
	}
}

