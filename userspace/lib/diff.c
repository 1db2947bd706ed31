// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What changed in an address space between two captures: two sequences of rows of
 * entries in order of address, merged.  Where a row of one side meets one of the
 * other, all of their entries have changed alike, so that the time it takes
 * grows with the records of both and not with the entries that these claim.
 * Memory grows with neither.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/**
 * struct side - One of both captures.
 * @areas:	its mappings
 * @area:	the first that isn't passed by; NULL: none is left
 * @entries:	its entries
 * @row:	the first that aren't
 * @at:		what is left of them begins here
 * @have:	there are some
 */
struct side {
	struct mmlens_areas *areas;
	const struct mmlens_area *area;
	struct mmlens_entries *entries;
	struct mmlens_row row;
	uint64_t at;
	bool have;
};

struct diff {
	const struct mmlens_info *info;
	struct side before;
	struct side after;
	struct mmlens_diff_area row;
	const struct mmlens_diff_told *told;
	void *context;
	uint64_t leaf;		/* the larger one that was counted last */
};

/* ---- what a change is ---- */

/* A page that is being moved is there as well. */
static bool is_there(uint32_t flags)
{
	switch (mmlens_state(flags)) {
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
	case MMLENS_STATE_MIGRATION:
	case MMLENS_STATE_DEVICE_PRIVATE:
	case MMLENS_STATE_DEVICE_EXCLUSIVE:
		return true;
	default:
		return false;
	}
}

static bool is_swap(uint32_t flags)
{
	return mmlens_state(flags) == MMLENS_STATE_SWAP;
}

/* What decides who may do what with the page, and whether that is noticed. */
#define RIGHTS \
	(MMLENS_PTE_STATE | MMLENS_PTE_USER | MMLENS_PTE_WRITE | \
	 MMLENS_PTE_NX | MMLENS_PTE_PROT_NONE | MMLENS_PTE_UFFD_WP)

static unsigned int compare_bits(uint32_t before, uint32_t after)
{
	const uint32_t set = after & ~before, gone = before & ~after;
	unsigned int kinds = 0;

	kinds |= set & MMLENS_PTE_DIRTY ? MMLENS_DIFF_DIRTIED : 0;
	kinds |= gone & MMLENS_PTE_DIRTY ? MMLENS_DIFF_CLEANED : 0;
	kinds |= set & MMLENS_PTE_ACCESSED ? MMLENS_DIFF_ACCESSED : 0;
	kinds |= gone & MMLENS_PTE_ACCESSED ? MMLENS_DIFF_CLEARED : 0;
	return kinds;
}

/*
 * Another page at the same address.  Who writes to a page that he shares gets
 * a copy that he may write to; to him who is moved everything is as it was.
 */
static unsigned int other_page(uint32_t before, uint32_t after)
{
	const bool was_file = before & MMLENS_PTE_FILE;
	const bool is_file = after & MMLENS_PTE_FILE;

	if (after & MMLENS_PTE_WRITE &&
	    (!(before & MMLENS_PTE_WRITE) || (was_file && !is_file)))
		return MMLENS_DIFF_COW;
	if (!((before ^ after) & RIGHTS) && was_file == is_file &&
	    !((before ^ after) & MMLENS_PTE_ZERO))
		return MMLENS_DIFF_MIGRATED | compare_bits(before, after);
	return MMLENS_DIFF_REPLACED;
}

/* The PFN of the page at @at. */
static uint64_t pfn_at(const struct diff *d, const struct mmlens_entry *entry,
		       uint64_t at)
{
	return entry->value + ((at - entry->va) >> d->info->page_shift);
}

static unsigned int compare_present(const struct diff *d,
				    const struct mmlens_entry *before,
				    const struct mmlens_entry *after,
				    uint64_t at)
{
	unsigned int kinds = 0;

	if (after->size > before->size)
		/* It is made of copies: other pages go without saying. */
		return MMLENS_DIFF_COLLAPSED |
		       compare_bits(before->flags, after->flags);
	if (after->size < before->size)
		kinds = MMLENS_DIFF_SPLIT;
	if (pfn_at(d, before, at) != pfn_at(d, after, at))
		return kinds | other_page(before->flags, after->flags);
	kinds |= compare_bits(before->flags, after->flags);
	if ((before->flags ^ after->flags) & RIGHTS)
		kinds |= MMLENS_DIFF_PROTECTED;
	return kinds;
}

static unsigned int compare_one(const struct diff *d,
				const struct mmlens_entry *before,
				const struct mmlens_entry *after, uint64_t at)
{
	const bool was_there = before && is_there(before->flags);
	const bool is_now = after && is_there(after->flags);

	if (was_there && is_now)
		return compare_present(d, before, after, at);
	if (after && is_swap(after->flags)) {
		if (!before || !is_swap(before->flags))
			return MMLENS_DIFF_SWAPPED_OUT;
		return pfn_at(d, before, at) == pfn_at(d, after, at) ? 0 :
			MMLENS_DIFF_SWAPPED_IN | MMLENS_DIFF_SWAPPED_OUT;
	}
	if (is_now)
		return before && is_swap(before->flags) ?
			MMLENS_DIFF_SWAPPED_IN : MMLENS_DIFF_FAULTED_IN;
	if (before && !after)
		return MMLENS_DIFF_UNMAPPED;
	if (before && after && before->flags == after->flags &&
	    before->value == after->value)
		return 0;
	return MMLENS_DIFF_OTHER;
}

/* ---- rows of entries ---- */

static int next_row(struct side *side)
{
	int ret = mmlens_rows_next(side->entries, &side->row);

	side->have = ret > 0;
	side->at = side->row.first.va;
	return ret < 0 ? ret : 0;
}

static uint64_t end_of(const struct side *side)
{
	return side->row.first.va + side->row.count * side->row.first.size;
}

/* Is there more of it that begins below @end? */
static bool is_below(const struct side *side, uint64_t end)
{
	return side->have && side->at < end;
}

static int pass(struct side *side, uint64_t end)
{
	side->at = end;
	return end >= end_of(side) ? next_row(side) : 0;
}

/* That entry of the row which translates @at; @room is for it. */
static const struct mmlens_entry *
entry_at(const struct diff *d, const struct mmlens_row *row, uint64_t at,
	 struct mmlens_entry *room)
{
	const uint64_t size = row->first.size;
	uint64_t behind;

	if (at - row->first.va < size)
		return &row->first;
	behind = (at - row->first.va) / size * size;
	*room = row->first;
	room->va += behind;
	room->raw += behind;
	room->value += behind >> d->info->page_shift;
	return room;
}

/* Leaves of @row in [start, end) that weren't counted before. */
static uint64_t new_leaves(struct diff *d, const struct mmlens_row *row,
			   uint64_t start, uint64_t end)
{
	struct mmlens_entry room;
	const uint64_t first = entry_at(d, row, start, &room)->va;
	const uint64_t last = entry_at(d, row, end - 1, &room)->va;
	const bool counted = first == d->leaf;

	d->leaf = last;
	return (last - first) / row->first.size + !counted;
}

/* A leaf that others came of, or became, counts once. */
static void count_leaves(struct diff *d, unsigned int kinds,
			 const struct mmlens_row *before,
			 const struct mmlens_row *after, uint64_t start,
			 uint64_t end)
{
	if (kinds & MMLENS_DIFF_SPLIT)
		d->row.splits += new_leaves(d, before, start, end);
	else if (kinds & MMLENS_DIFF_COLLAPSED)
		d->row.collapses += new_leaves(d, after, start, end);
}

/* ---- a stretch of addresses that is of one row on each side ---- */

struct stretch {
	const struct mmlens_row *before;	/* NULL: none */
	const struct mmlens_row *after;
	uint64_t start;
	uint64_t end;
	unsigned int kinds;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Entry by entry, to him who wants to know them all. */
static int tell_each(struct diff *d, const struct stretch *s)
{
	struct mmlens_diff_change change = { .kinds = s->kinds };
	struct mmlens_entry rooms[2];
	uint64_t at = s->start;
	int ret = 0;

	while (!ret && at < s->end) {
		change.start = at;
		change.end = s->end;
		if (s->before) {
			change.before = entry_at(d, s->before, at, &rooms[0]);
			change.end = least(change.end, change.before->va +
						       change.before->size);
		}
		if (s->after) {
			change.after = entry_at(d, s->after, at, &rooms[1]);
			change.end = least(change.end, change.after->va +
						       change.after->size);
		}
		ret = d->told->change(&change, d->context);
		at = change.end;
	}
	return ret;
}

/* What became of its first entry became of all: they differ alike. */
static unsigned int kinds_of(const struct diff *d, const struct stretch *s)
{
	struct mmlens_entry rooms[2];
	const struct mmlens_entry *before = NULL, *after = NULL;

	if (s->before)
		before = entry_at(d, s->before, s->start, &rooms[0]);
	if (s->after)
		after = entry_at(d, s->after, s->start, &rooms[1]);
	return compare_one(d, before, after, s->start);
}

static int tell(struct diff *d, struct stretch *s)
{
	const uint64_t pages = (s->end - s->start) >> d->info->page_shift;

	s->kinds = kinds_of(d, s);
	if (!s->kinds)
		return 0;
	for (unsigned int i = 0; i < MMLENS_DIFF_KINDS; i++)
		if (s->kinds >> i & 1)
			d->row.pages[i] += pages;
	d->row.changed += pages;
	count_leaves(d, s->kinds, s->before, s->after, s->start, s->end);
	return d->told->change ? tell_each(d, s) : 0;
}

/* The next stretch that is of one row on each side, or of none on one. */
static int compare_stretch(struct diff *d, uint64_t limit)
{
	struct side *a = &d->before, *b = &d->after;
	const bool in_a = is_below(a, limit), in_b = is_below(b, limit);
	const bool has_a = in_a && (!in_b || a->at <= b->at);
	const bool has_b = in_b && (!in_a || b->at <= a->at);
	struct stretch s = {
		.before = has_a ? &a->row : NULL,
		.after = has_b ? &b->row : NULL,
		.start = has_a ? a->at : b->at,
		.end = limit,
	};
	int ret;

	if (in_a)
		s.end = least(s.end, has_a ? end_of(a) : a->at);
	if (in_b)
		s.end = least(s.end, has_b ? end_of(b) : b->at);
	ret = tell(d, &s);
	if (!ret && has_a)
		ret = pass(a, s.end);
	if (!ret && has_b)
		ret = pass(b, s.end);
	return ret;
}

/* ---- mappings ---- */

static int next_area(struct side *side)
{
	int ret = mmlens_areas_next(side->areas, &side->area);

	if (ret <= 0)
		side->area = NULL;
	return ret < 0 ? ret : 0;
}

/* What ends up to @end is passed by. */
static int pass_areas(struct side *side, uint64_t end)
{
	int ret = 0;

	while (!ret && side->area && side->area->vma->end <= end)
		ret = next_area(side);
	return ret;
}

static int row(struct diff *d, uint64_t start, uint64_t end,
	       const struct mmlens_area *before,
	       const struct mmlens_area *after)
{
	int ret = 0;

	d->row = (struct mmlens_diff_area) {
		.start = start, .end = end, .before = before, .after = after,
	};
	if (d->told->begin)
		ret = d->told->begin(&d->row, d->context);
	while (!ret && (is_below(&d->before, end) || is_below(&d->after, end)))
		ret = compare_stretch(d, end);
	return ret ? ret : d->told->area(&d->row, d->context);
}

/*
 * The next mapping that is there now, or a part of one that was there where
 * none is now.
 */
static int compare_area(struct diff *d, uint64_t *at)
{
	const struct mmlens_area *a = d->before.area, *b = d->after.area;
	uint64_t start, end;
	int ret;

	if (a && (!b || a->vma->start < b->vma->start) &&
	    (!b || *at < b->vma->start)) {
		start = a->vma->start > *at ? a->vma->start : *at;
		end = b ? least(a->vma->end, b->vma->start) : a->vma->end;
		ret = row(d, start, end, a, NULL);
	} else {
		start = b->vma->start;
		end = b->vma->end;
		if (a && a->vma->start >= end)
			a = NULL;
		ret = row(d, start, end, a, b);
	}
	*at = end;
	if (!ret)
		ret = pass_areas(&d->before, end);
	return ret ? ret : pass_areas(&d->after, end);
}

static int compare(struct diff *d)
{
	uint64_t at = 0;
	int ret;

	ret = next_area(&d->before);
	if (!ret)
		ret = next_area(&d->after);
	if (!ret)
		ret = next_row(&d->before);
	if (!ret)
		ret = next_row(&d->after);
	while (!ret && (d->before.area || d->after.area))
		ret = compare_area(d, &at);
	return ret;
}

/* ---- both captures ---- */

static int open_side(struct side *side, struct mmlens *lens, int pid)
{
	const struct mmlens_request request = {
		.pid = pid,
		/* So that entries in a row come as one record. */
		.flags = MMLENS_WALK_PAGE | MMLENS_WALK_STATE,
	};
	const struct mmlens_request whole = { .pid = pid };

	side->areas = mmlens_areas_open(lens, &whole, 0);
	if (!side->areas)
		return -errno;
	side->entries = mmlens_entries_open(lens, &request);
	return side->entries ? 0 : -errno;
}

static void close_side(struct side *side)
{
	mmlens_areas_close(side->areas);
	mmlens_entries_close(side->entries);
}

/* Pages of other sizes have other addresses, bits of others other names. */
static bool are_alike(const struct mmlens_info *a, const struct mmlens_info *b)
{
	return a->arch == b->arch && a->page_shift == b->page_shift &&
	       !memcmp(a->level_shift, b->level_shift, sizeof(a->level_shift));
}

int mmlens_diff(struct mmlens *before, struct mmlens *after, int pid_before,
		int pid_after, const struct mmlens_diff_told *told,
		void *context)
{
	struct diff d = {
		.info = mmlens_get_info(after),
		.told = told,
		.context = context,
		.leaf = UINT64_MAX,
	};
	int ret;

	if (!are_alike(mmlens_get_info(before), d.info))
		return -EXDEV;
	ret = open_side(&d.before, before, pid_before);
	if (!ret)
		ret = open_side(&d.after, after, pid_after);
	if (!ret)
		ret = compare(&d);
	close_side(&d.before);
	close_side(&d.after);
	return ret;
}

/* ---- names ---- */

const struct mmlens_flag *mmlens_diff_flags(void)
{
	static const struct mmlens_flag flags[] = {
		{ MMLENS_DIFF_FAULTED_IN, "", "faulted_in",
		  "mapped now, and it wasn't" },
		{ MMLENS_DIFF_COW, "", "copied_on_write",
		  "another page, which may be written to" },
		{ MMLENS_DIFF_MIGRATED, "", "migrated",
		  "another page, with the same rights" },
		{ MMLENS_DIFF_REPLACED, "", "replaced",
		  "another page, with other rights or of another kind" },
		{ MMLENS_DIFF_COLLAPSED, "", "collapsed",
		  "a part of a larger leaf now" },
		{ MMLENS_DIFF_SPLIT, "", "split",
		  "was a part of a larger leaf" },
		{ MMLENS_DIFF_SWAPPED_OUT, "", "swapped_out",
		  "a swap slot now" },
		{ MMLENS_DIFF_SWAPPED_IN, "", "swapped_in",
		  "was a swap slot" },
		{ MMLENS_DIFF_DIRTIED, "", "dirtied", "dirty now" },
		{ MMLENS_DIFF_CLEANED, "", "cleaned", "not dirty any more" },
		{ MMLENS_DIFF_ACCESSED, "", "accessed", "accessed now" },
		{ MMLENS_DIFF_CLEARED, "", "cleared",
		  "not accessed any more: the bit was cleared" },
		{ MMLENS_DIFF_PROTECTED, "", "protected",
		  "the same page, with other rights" },
		{ MMLENS_DIFF_UNMAPPED, "", "unmapped",
		  "was mapped or a swap slot, and is nothing now" },
		{ MMLENS_DIFF_OTHER, "", "other",
		  "a marker, a lost page or an entry that isn't known" },
		{},
	};

	return flags;
}
