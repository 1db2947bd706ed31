// SPDX-License-Identifier: GPL-2.0-only
/* What a record is: its entries, and the kind that follows from them. */
#include <string.h>

#include "trace.h"

static enum mmlens_pte_state state_of(const struct mmlens_entry *e)
{
	return mmlens_state(e->flags);
}

static bool is_present(const struct mmlens_entry *e)
{
	return state_of(e) == MMLENS_STATE_PRESENT;
}

/* The PFN at an address, whatever the level that maps it. */
static uint64_t pfn_at(const struct mmlens_info *info,
		       const struct mmlens_entry *e, uint64_t va)
{
	return e->value + ((va & (e->size - 1)) >> info->page_shift);
}

/* A fault where a page was mapped already. */
static enum trace_kind kind_mapped(const struct mmlens_info *info,
				   const struct trace_event *e)
{
	const struct trace_record *r = e->record;

	if (e->before.flags & MMLENS_PTE_PROT_NONE && r->flags & TRACE_ACCESS)
		return TRACE_NUMA_HINT;
	if (!(r->flags & (TRACE_WRITE | TRACE_UNSHARE)))
		return TRACE_SPURIOUS;
	if (e->before.flags & MMLENS_PTE_WRITE)
		return TRACE_SPURIOUS;
	if (r->flags & TRACE_SHARED)
		return TRACE_SHARED_DIRTY;
	if (!(r->flags & TRACE_AFTER) || !is_present(&e->after))
		return TRACE_OTHER_FAULT;
	if (pfn_at(info, &e->before, r->va) != pfn_at(info, &e->after, r->va))
		return TRACE_COW;
	return e->after.flags & MMLENS_PTE_WRITE ? TRACE_REUSE :
						   TRACE_OTHER_FAULT;
}

/* A fault where nothing was mapped. */
static enum trace_kind kind_empty(const struct trace_event *e)
{
	uint32_t flags = e->record->flags;

	if (flags & TRACE_AFTER && is_present(&e->after) &&
	    e->after.level != MMLENS_LEVEL_PTE)
		return TRACE_THP;
	if (!(flags & TRACE_WRITE))
		return TRACE_READ_FAULT;
	if (flags & TRACE_SHARED)
		return TRACE_SHARED_DIRTY;
	/* do_cow_fault(): a private copy of a file's page from the start. */
	return flags & TRACE_OPS ? TRACE_COW : TRACE_WRITE_FAULT;
}

static enum trace_kind kind_of_fault(const struct mmlens_info *info,
				     const struct trace_event *e)
{
	uint32_t flags = e->record->flags;

	if (flags & TRACE_ERROR)
		return TRACE_FAULT_ERROR;
	if (flags & TRACE_HUGETLB)
		return TRACE_HUGETLB_FAULT;
	if (!(flags & TRACE_BEFORE))
		return TRACE_OTHER_FAULT;
	switch (state_of(&e->before)) {
	case MMLENS_STATE_NONE:
		return kind_empty(e);
	case MMLENS_STATE_PRESENT:
		return kind_mapped(info, e);
	case MMLENS_STATE_SWAP:
		return TRACE_SWAP_IN;
	default:
		return TRACE_OTHER_FAULT;
	}
}

/* try_to_unmap_one(): also of migration, before 5.14. */
static enum trace_kind kind_of_unmap(const struct trace_event *e)
{
	if (!(e->record->flags & TRACE_AFTER))
		return TRACE_EVICT;
	switch (state_of(&e->after)) {
	case MMLENS_STATE_SWAP:
		return TRACE_SWAP_OUT;
	case MMLENS_STATE_OTHER:
		return TRACE_MIGRATE_OUT;
	default:
		return TRACE_EVICT;
	}
}

static enum trace_kind kind_of(const struct mmlens_info *info,
			       const struct trace_event *e)
{
	switch (e->record->hook) {
	case HOOK_FAULT:
		return kind_of_fault(info, e);
	case HOOK_UNMAP:
		return kind_of_unmap(e);
	}
	for (int i = 0; i < TRACE_KINDS; i++)
		if (trace_kinds[i].hook == e->record->hook)
			return i;
	return TRACE_KINDS;
}

void trace_event_of(const struct mmlens_info *info,
		    const struct trace_record *record,
		    struct trace_event *event)
{
	event->record = record;
	memset(event->enums, 0, sizeof(event->enums));
	if (record->flags & TRACE_BEFORE)
		mmlens_entry_decode(info, record->va, record->level_before,
				    record->before, &event->before);
	if (record->flags & TRACE_AFTER)
		mmlens_entry_decode(info, record->va, record->level_after,
				    record->after, &event->after);
	event->kind = kind_of(info, event);
}
