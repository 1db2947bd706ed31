// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMLENS_KMAP: the kernel's own page table, as mm/ptdump.c walks it.
 *
 * init_mm isn't exported, but its half of the top table is that of each process:
 * entries of the top are made at boot or copied to all (sync_global_pgds()), so
 * that of the calling process is walked.
 *
 * Locking: none that the kernel's tables have is exported (ptdump takes
 * mmap_lock of init_mm).  A batch is one way down from the top and the entries
 * of one table (at most 512), copied with interrupts off; what they mean is made
 * of the copy with interrupts on.  Three things make that safe:
 *
 * - Tables are unlinked, then the TLBs of all CPUs are flushed, then they are
 *   freed (pud_free_pmd_page() and pmd_free_pte_page() of huge vmalloc and
 *   ioremap, cpa_collapse_large_pages()).  The flush is an interrupt that waits
 *   for us, so a table that was met stays for the batch.
 * - Where it isn't (INVLPGB of newer AMD processors), and where memory is
 *   unplugged (free_pte_table() frees first), a table may go meanwhile.  So a
 *   table's PFN must be one with a memmap, each entry is read by a load that
 *   may fault, and when all is read the way down is read again: if it isn't the
 *   same, nothing of the batch is used (restarts).
 * - A batch is tried eight times; then the table is told as one, and left.
 *
 * What may be torn: entries are read once each, so those of a table may be of
 * different moments; batches are.  Accessed and dirty bits aren't told.
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "core.h"
#include "decode.h"
#include "decode_arch.h"
#include "kmap_arch.h"

/* Batches of a step; between two of them interrupts are on. */
#define MML_STEP_LOOKS	16
#define MML_KMAP_TRIES	8

/**
 * struct mml_kmap_step - One entry on the way down.
 * @entryp:	where it stands
 * @entry:	its value, read once
 * @denied:	what this entry and those above it deny, MMLENS_EFF_*
 */
struct mml_kmap_step {
	const u64 *entryp;
	u64 entry;
	u32 denied;
};

/**
 * struct mml_kmap - A step.
 * @walk:	whose
 * @run:	the record that is begun at the sink's end, or NULL
 * @full:	the sink has no room for another record
 * @top:	the top table
 * @levels:	how many there are
 * @level:	MMLENS_LEVEL_* of each, from the top
 * @shift:	log2 of the bytes that an entry of it translates
 * @path:	the way down to the cursor
 * @depth:	entries of it
 * @copied:	entries in @copy
 * @copy:	the last of @path and what stands behind it, up to a table
 */
struct mml_kmap {
	struct mml_walk *walk;
	struct mmlens_kmap *run;
	bool full;
	const u64 *top;
	unsigned int levels;
	u8 level[MML_MAX_KMAP_LEVELS];
	u8 shift[MML_MAX_KMAP_LEVELS];
	struct mml_kmap_step path[MML_MAX_KMAP_LEVELS];
	unsigned int depth;
	unsigned int copied;
	u64 copy[PTRS_PER_PTE];
};

/* ---- reading, with interrupts off ---- */

static bool mml_kmap_read(const u64 *entryp, u64 *entry)
{
	__get_kernel_nofault(entry, entryp, u64, fault);
	return true;
fault:
	return false;
}

/* The table that an entry points to; NULL where there is no memory. */
static const u64 *mml_kmap_table(u64 entry)
{
	unsigned long pfn = PHYS_PFN(entry & PTE_PFN_MASK);

	return pfn_valid(pfn) ? __va(PFN_PHYS(pfn)) : NULL;
}

static unsigned int mml_kmap_index(unsigned long addr, u8 shift)
{
	return (addr >> shift) % PTRS_PER_PTE;
}

/* The entry of @addr in @table, at the next level of the path. */
static bool mml_kmap_down(struct mml_kmap *km, const u64 *table,
			  unsigned long addr)
{
	struct mml_kmap_step *step = &km->path[km->depth];

	step->entryp = table + mml_kmap_index(addr, km->shift[km->depth]);
	if (!mml_kmap_read(step->entryp, &step->entry))
		return false;
	step->denied = mml_arch_denied(native_make_pte(step->entry));
	if (km->depth)
		step->denied |= step[-1].denied;
	km->depth++;
	return true;
}

/* From the top to the first entry that isn't a table; false: it was lost. */
static bool mml_kmap_descend(struct mml_kmap *km, unsigned long addr)
{
	const u64 *table = km->top;
	unsigned int last;

	km->depth = 0;
	do {
		if (!table || !mml_kmap_down(km, table, addr))
			return false;
		last = km->depth - 1;
		table = mml_kmap_table(km->path[last].entry);
	} while (mml_kmap_is_table(km->path[last].entry, km->level[last]));
	return true;
}

/* Copy the table's entries from the last of the path to the next table. */
static bool mml_kmap_copy(struct mml_kmap *km)
{
	const unsigned int last = km->depth - 1;
	const u64 *entryp = km->path[last].entryp;
	const unsigned int n = PTRS_PER_PTE -
			       offset_in_page(entryp) / sizeof(*entryp);

	km->copy[0] = km->path[last].entry;
	for (km->copied = 1; km->copied < n; km->copied++) {
		u64 *entry = &km->copy[km->copied];

		if (!mml_kmap_read(entryp + km->copied, entry))
			return false;
		if (mml_kmap_is_table(*entry, km->level[last]))
			break;
	}
	return true;
}

/* Do the tables on the way down still lead there? */
static bool mml_kmap_is_same(const struct mml_kmap *km)
{
	unsigned int i;
	u64 now;

	smp_rmb();	/* the entries were read before */
	for (i = 0; i + 1 < km->depth; i++)
		if (!mml_kmap_read(km->path[i].entryp, &now) ||
		    (now ^ km->path[i].entry) & ~(u64)_PAGE_ACCESSED)
			return false;
	return true;
}

static bool mml_kmap_try(struct mml_kmap *km, unsigned long addr)
{
	struct mml_walk *walk = km->walk;
	u64 began, held;
	bool good;

	began = ktime_get_ns();
	local_irq_disable();
	good = mml_kmap_descend(km, addr) && mml_kmap_copy(km) &&
	       mml_kmap_is_same(km);
	local_irq_enable();
	held = ktime_get_ns() - began;
	walk->max_hold_ns = max(walk->max_hold_ns, held);
	return good;
}

/* False when the way down has changed each time. */
static bool mml_kmap_look(struct mml_kmap *km, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < MML_KMAP_TRIES; i++) {
		if (mml_kmap_try(km, addr))
			return true;
		km->walk->restarts++;
	}
	return false;
}

/* ---- runs ---- */

static void mml_kmap_flush(struct mml_kmap *km)
{
	if (km->run)
		mml_sink_commit(&km->walk->sink, MMLENS_REC_KMAP,
				km->run->head.level, sizeof(*km->run));
	km->run = NULL;
}

/* Does @rec go on where @run ends, with the same attributes? */
static bool mml_run_continues(const struct mmlens_kmap *run,
			      const struct mmlens_kmap *rec, u8 shift)
{
	return run->head.level == rec->head.level &&
	       run->flags == rec->flags && run->raw == rec->raw &&
	       run->va + (run->count << shift) == rec->va;
}

/* Add an entry to the run, or begin another; false when there is no room. */
static bool mml_kmap_add(struct mml_kmap *km, const struct mmlens_kmap *rec,
			 u8 shift)
{
	struct mmlens_kmap *run = km->run;

	if (run && mml_run_continues(run, rec, shift)) {
		bool next = run->value +
			    (run->count << (shift - PAGE_SHIFT)) == rec->value;

		if (next || !(km->walk->flags & MMLENS_WALK_FRAMES)) {
			run->consecutive &= next;
			run->count++;
			return true;
		}
	}
	mml_kmap_flush(km);
	km->run = mml_sink_end(&km->walk->sink, sizeof(*rec));
	if (km->run)
		*km->run = *rec;
	else
		km->full = true;
	return !km->full;
}

/* ---- entries ---- */

static struct mmlens_kmap mml_kmap_record(const struct mml_kmap *km,
					  unsigned int depth, u64 entry,
					  unsigned long va)
{
	const u8 level = km->level[depth], shift = km->shift[depth];
	u32 denied = mml_arch_denied(native_make_pte(entry));
	u32 flags = mml_kmap_flags(entry, level);
	struct mmlens_kmap rec = {
		.head.level	= level,
		.va		= va,
		.count		= 1,
		.raw		= mml_kmap_key(entry, shift),
	};

	if (depth)
		denied |= km->path[depth - 1].denied;
	flags &= ~(MMLENS_PTE_ACCESSED | MMLENS_PTE_DIRTY);
	rec.flags = flags | mml_effective(flags, denied);
	if ((flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT) {
		rec.value = PHYS_PFN(entry & mml_kmap_pfn_mask(shift));
		rec.consecutive = 1;
	}
	return rec;
}

/* The entries that were copied; false when the rest must wait. */
static bool mml_kmap_entries(struct mml_kmap *km)
{
	struct mml_walk *walk = km->walk;
	const unsigned int last = km->depth - 1;
	const u8 shift = km->shift[last];
	unsigned int i;

	for (i = 0; i < km->copied && !walk->done; i++) {
		unsigned long va = walk->cursor & ~((1UL << shift) - 1);
		struct mmlens_kmap rec;

		if (km->copy[i]) {
			rec = mml_kmap_record(km, last, km->copy[i], va);
			if (!mml_kmap_add(km, &rec, shift))
				return false;
		}
		walk->cursor = va + (1UL << shift);
		/* Behind the last address there is 0. */
		walk->done = !walk->cursor || walk->cursor >= walk->end;
	}
	return true;
}

/* A table that can't be held: the last that was met is told as one. */
static bool mml_kmap_lost(struct mml_kmap *km)
{
	while (km->depth && !mml_kmap_is_table(km->path[km->depth - 1].entry,
					       km->level[km->depth - 1]))
		km->depth--;
	if (!km->depth) {
		km->walk->done = true;
		return true;
	}
	km->copy[0] = km->path[km->depth - 1].entry;
	km->copied = 1;
	return mml_kmap_entries(km);
}

static void mml_kmap_walk(struct mml_kmap *km)
{
	struct mml_walk *walk = km->walk;
	unsigned int looks = MML_STEP_LOOKS;
	bool more = true;

	while (more && looks-- && !walk->done) {
		unsigned long skip = mml_kmap_skips(walk->cursor);

		if (skip) {
			walk->cursor = skip;
			walk->done = skip >= walk->end;
		} else if (mml_kmap_look(km, walk->cursor)) {
			more = mml_kmap_entries(km);
		} else {
			more = mml_kmap_lost(km);
		}
	}
	mml_kmap_flush(km);
}

/* ---- regions ---- */

static void mml_kmap_emit_regions(struct mml_walk *walk)
{
	struct mml_region regions[MML_MAX_REGIONS];
	unsigned int n = mml_regions(regions), i;
	struct mmlens_region *rec;

	for (i = 0; i < n; i++) {
		const struct mml_region *region = &regions[i];

		if (region->end <= walk->start || region->start >= walk->end)
			continue;
		rec = mml_emit(&walk->sink, MMLENS_REC_REGION, 0, sizeof(*rec));
		if (WARN_ON_ONCE(!rec))
			return;
		rec->flags = region->flags;
		rec->start = region->start;
		rec->end = region->end;
		memcpy(rec->name, region->name, sizeof(rec->name));
	}
}

/* ---- one address ---- */

static void mml_kmap_emit_level(struct mml_kmap *km, unsigned int depth)
{
	const struct mml_kmap_step *step = &km->path[depth];
	const u8 level = km->level[depth], shift = km->shift[depth];
	struct mmlens_level *rec;
	u32 flags = 0;

	rec = mml_emit(&km->walk->sink, MMLENS_REC_LEVEL, level, sizeof(*rec));
	if (WARN_ON_ONCE(!rec))
		return;
	if (step->entry)
		flags = mml_kmap_flags(step->entry, level);
	rec->flags = flags | mml_effective(flags, step->denied);
	if (mml_kmap_is_table(step->entry, level))
		rec->value = PHYS_PFN(step->entry & PTE_PFN_MASK);
	else if ((flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT)
		rec->value = PHYS_PFN(step->entry & mml_kmap_pfn_mask(shift));
	rec->va = km->walk->start & ~((1UL << shift) - 1);
	rec->raw = step->entry;
	rec->table_pfn = PHYS_PFN(__pa(step->entryp));
	rec->index = offset_in_page(step->entryp) / sizeof(*step->entryp);
}

static void mml_kmap_translate(struct mml_kmap *km)
{
	unsigned int i;

	mml_kmap_look(km, km->walk->start);
	for (i = 0; i < km->depth; i++)
		mml_kmap_emit_level(km, i);
	km->walk->done = true;
}

/* ---- the walk ---- */

static int mml_walk_kmap_step(struct mml_walk *walk)
{
	struct mml_kmap *km = walk->private;

	km->walk = walk;
	km->full = false;
	if (!mml_kmap_is_ours() || !current->mm)
		return -EOPNOTSUPP;
	km->top = mml_kmap_top(walk->flags & MMLENS_WALK_USER_HALF);
	if (!km->top)
		return -EOPNOTSUPP;
	km->levels = mml_kmap_levels(km->level, km->shift);

	if (walk->flags & MMLENS_WALK_LEVELS) {
		mml_kmap_translate(km);
		return 0;
	}
	/* The caller's cursor may say anything. */
	walk->cursor = max3(walk->cursor, walk->start, mml_kmap_first());
	walk->done = walk->cursor >= walk->end;
	if (walk->generation == 1) {
		mml_kmap_emit_regions(walk);
		walk->generation++;
		return 0;
	}
	mml_kmap_walk(km);
	return 0;
}

static bool mml_walk_kmap_refuses(const struct mml_walk *walk)
{
	const unsigned long first = mml_kmap_first();

	if (!PAGE_ALIGNED(walk->start) || !PAGE_ALIGNED(walk->end))
		return true;
	if (walk->flags & MMLENS_WALK_LEVELS)
		return walk->end || walk->start < first;
	return (walk->start && walk->start < first) ||
	       (walk->end && walk->end <= first);
}

const struct mml_walker mml_walk_kmap = {
	.name		= "kmap",
	.nr		= MMLENS_NR_KMAP,
	.flags		= MMLENS_WALK_USER_HALF | MMLENS_WALK_LEVELS |
			  MMLENS_WALK_FRAMES,
	.scope		= MML_OF_RANGE,
	.step_room	= MML_MAX_REGIONS * sizeof(struct mmlens_region),
	.private_size	= sizeof(struct mml_kmap),
	.refuses	= mml_walk_kmap_refuses,
	.step		= mml_walk_kmap_step,
};
