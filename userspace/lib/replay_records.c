// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is stored, cut to what was asked for. */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "replay.h"

/* A row of entries is handed out in parts of as many: that fits any buffer. */
#define ROW 512

/* ---- mappings ---- */

static bool meets(const struct replay_walk *walk, uint64_t start, uint64_t end)
{
	return end > walk->start && start < walk->end;
}

/* One record stands for all of them in the end. */
static bool total(const struct mmlens_info *info, struct replay_walk *walk,
		  const struct mmlens_record *rec)
{
	const struct mmlens_vma *vma = (const void *)rec;

	if (rec->type == MMLENS_REC_SMAPS)
		mmlens_smaps_add(&walk->sums, (const void *)rec);
	if (rec->type != MMLENS_REC_VMA)
		return true;
	if (!walk->whole.end)
		walk->whole.start = vma->start;
	walk->whole.end = vma->end;
	walk->whole.page_shift = info->page_shift;
	return true;
}

/* A mapping's other records follow it. */
static bool area(const struct mmlens_info *info, struct replay_walk *walk,
		 const struct mmlens_record *rec, struct replay_out *out)
{
	const struct mmlens_vma *vma = (const void *)rec;

	if (walk->flags & MMLENS_WALK_TOTAL)
		return total(info, walk, rec);
	if (rec->type == MMLENS_REC_VMA)
		walk->skipped = !meets(walk, vma->start, vma->end);
	return walk->skipped || replay_put(out, rec);
}

/* ---- page-table entries ---- */

/* What isn't told unless it is asked for. */
static uint32_t flags_without(const struct replay_walk *walk, uint32_t flags)
{
	const uint32_t state = flags & MMLENS_PTE_STATE;

	if (walk->flags & MMLENS_WALK_PAGE)
		return flags;
	flags &= ~(MMLENS_PTE_FILE | MMLENS_PTE_EXCLUSIVE);
	if (state == MMLENS_STATE_PRESENT || state == MMLENS_STATE_NUMA_HINT)
		flags &= ~MMLENS_PTE_ANON_EXCLUSIVE;
	return flags;
}

/*
 * Of entries of @size in a row from @va on those in the range: how many come
 * first that aren't, and how many are.
 */
static uint32_t cut(const struct replay_walk *walk, uint64_t va, uint64_t size,
		    uint32_t count, uint32_t *first)
{
	uint64_t skip = walk->start > va ? (walk->start - va) / size : 0;
	uint64_t end = count;

	if (walk->end <= va)
		return 0;
	if ((walk->end - 1 - va) / size + 1 < end)
		end = (walk->end - 1 - va) / size + 1;
	*first = skip < end ? skip : end;
	return end - *first;
}

static bool entry(struct replay_walk *walk, const struct mmlens_record *rec,
		  uint64_t size, struct replay_out *out)
{
	const struct mmlens_pte *pte = (const void *)rec;
	struct mmlens_pte *to;

	if (!meets(walk, pte->va, pte->va + size))
		return true;
	if (!replay_put(out, rec))
		return false;
	to = (void *)(uintptr_t)(out->walk->buffer + out->walk->written -
				 rec->size);
	to->flags = flags_without(walk, pte->flags);
	return true;
}

/* @n entries from the @first on of a row, as one by one or as a row. */
static bool put_row(const struct mmlens_page *page, uint32_t flags,
		    uint32_t first, uint32_t n, unsigned int shift,
		    struct replay_out *out)
{
	const uint64_t bytes = (uint64_t)first << shift;
	struct mmlens_run *run;
	struct mmlens_pte *pte;

	if (n == 1) {
		pte = replay_room(out, sizeof(*pte));
		if (!pte)
			return false;
		*pte = (struct mmlens_pte) {
			.head = { sizeof(*pte), MMLENS_REC_PTE,
				  page->head.level },
			.flags = flags,
			.va = page->va + bytes,
			.raw = page->raw + bytes,
			.value = page->value + first,
		};
		return true;
	}
	run = replay_room(out, sizeof(*run) + n * sizeof(run->raw[0]));
	if (!run)
		return false;
	*run = (struct mmlens_run) {
		.head = { sizeof(*run) + n * sizeof(run->raw[0]),
			  MMLENS_REC_RUN, page->head.level },
		.flags = flags,
		.va = page->va + bytes,
		.value = page->value + first,
		.count = n,
	};
	for (uint32_t i = 0; i < n; i++)
		run->raw[i] = page->raw + bytes + ((uint64_t)i << shift);
	return true;
}

/* Without the state of the page it is an entry as any other. */
static bool plain_page(struct replay_walk *walk,
		       const struct mmlens_page *page, uint32_t first,
		       uint32_t count, unsigned int shift,
		       struct replay_out *out)
{
	const uint32_t flags = flags_without(walk, page->flags);

	while (walk->part < count) {
		const uint32_t left = count - walk->part;
		const uint32_t n = left < ROW ? left : ROW;

		if (!put_row(page, flags, first + walk->part, n, shift, out))
			return false;
		walk->part += n;
	}
	return true;
}

static uint32_t index_behind(uint32_t index, uint32_t pages, unsigned int order)
{
	return (index + pages) & ((1ull << order) - 1);
}

static bool page(const struct mmlens_info *info, struct replay_walk *walk,
		 const struct mmlens_record *rec, struct replay_out *out)
{
	const struct mmlens_page *page = (const void *)rec;
	uint64_t size = mmlens_level_size(info, rec->level);
	uint32_t first = 0, count;
	struct mmlens_page *to;

	if (!size)
		size = 1ull << info->page_shift;
	count = cut(walk, page->va, size, page->count, &first);
	if (!count)
		return true;
	if (!(walk->flags & MMLENS_WALK_STATE))
		return plain_page(walk, page, first, count, info->page_shift,
				  out);
	to = replay_room(out, sizeof(*to));
	if (!to)
		return false;
	*to = *page;
	to->head.size = sizeof(*to);
	to->flags = flags_without(walk, page->flags);
	to->va += (uint64_t)first << info->page_shift;
	to->raw += (uint64_t)first << info->page_shift;
	to->value += first;
	to->folio_index = index_behind(page->folio_index, first, page->order);
	to->count = count;
	return true;
}

static bool run(struct replay_walk *walk, const struct mmlens_record *rec,
		uint64_t size, const struct mmlens_info *info,
		struct replay_out *out)
{
	const struct mmlens_run *run = (const void *)rec;
	uint32_t first = 0;
	const uint32_t count = cut(walk, run->va, size, run->count, &first);
	const size_t bytes = sizeof(*run) + count * sizeof(run->raw[0]);
	struct mmlens_run *to;

	if (!count)
		return true;
	to = replay_room(out, bytes);
	if (!to)
		return false;
	memcpy(to, run, sizeof(*run));
	memcpy(to->raw, run->raw + first, count * sizeof(run->raw[0]));
	to->head.size = bytes;
	to->flags = flags_without(walk, run->flags);
	to->va += first * size;
	to->value += (int64_t)(run->raw[first] - run->raw[0]) >>
		     info->page_shift;
	to->count = count;
	return true;
}

/* As the module cuts them: where the range does. */
static bool hole(struct replay_walk *walk, const struct mmlens_record *rec,
		 struct replay_out *out)
{
	const struct mmlens_hole *hole = (const void *)rec;
	struct mmlens_hole *to;

	if (!(walk->flags & MMLENS_WALK_ABSENT) ||
	    !meets(walk, hole->start, hole->end))
		return true;
	if (!replay_put(out, rec))
		return false;
	to = (void *)(uintptr_t)(out->walk->buffer + out->walk->written -
				 rec->size);
	if (to->start < walk->start)
		to->start = walk->start;
	if (to->end > walk->end)
		to->end = walk->end;
	return true;
}

static bool entries(const struct mmlens_info *info, struct replay_walk *walk,
		    const struct mmlens_record *rec, struct replay_out *out)
{
	const uint64_t size = mmlens_level_size(info, rec->level);

	if (size && rec->type == MMLENS_REC_PTE)
		return entry(walk, rec, size, out);
	if (size && rec->type == MMLENS_REC_RUN)
		return run(walk, rec, size, info, out);
	if (rec->type == MMLENS_REC_PAGE)
		return page(info, walk, rec, out);
	if (rec->type == MMLENS_REC_HOLE)
		return hole(walk, rec, out);
	return replay_put(out, rec);
}

/* ---- page frames ---- */

static bool frames(struct replay_walk *walk, const struct mmlens_pfns *run,
		   struct replay_out *out)
{
	uint32_t first = 0;
	const uint32_t count = cut(walk, run->pfn, 1, run->count, &first);
	struct mmlens_pfns *to;

	walk->skipped = !count;
	if (!count)
		return true;
	to = replay_room(out, run->head.size);
	if (!to)
		return false;
	memcpy(to, run, run->head.size);
	to->pfn += first;
	to->count = count;
	to->folio_index = index_behind(run->folio_index, first, run->order);
	walk->left = first;
	return true;
}

/* Of the page frames before it, which began @walk->left pages later. */
static bool backing(const struct mmlens_info *info, struct replay_walk *walk,
		    const struct mmlens_backing *backing,
		    struct replay_out *out)
{
	struct mmlens_backing *to;

	if (walk->skipped)
		return true;
	to = replay_room(out, backing->head.size);
	if (!to)
		return false;
	memcpy(to, backing, backing->head.size);
	to->pfn += walk->left;
	if (backing->flags & MMLENS_BACKING_INDEX)
		to->index += walk->left;
	if (backing->flags & MMLENS_BACKING_INODE)
		to->offset += (uint64_t)walk->left << info->page_shift;
	if (backing->flags & MMLENS_BACKING_SWAP)
		to->swap += walk->left;
	return true;
}

/* A row of blocks is told from the block on that the range begins in. */
static bool pageblocks(struct replay_walk *walk,
		       const struct mmlens_pageblocks *run,
		       struct replay_out *out)
{
	const uint64_t size = 1ull << (run->order & 31);
	uint32_t first = 0;
	const uint32_t count = cut(walk, run->pfn, size, run->count, &first);
	struct mmlens_pageblocks *to;

	if (!count)
		return true;
	to = replay_room(out, run->head.size);
	if (!to)
		return false;
	memcpy(to, run, run->head.size);
	to->pfn += first * size;
	to->count = count;
	return true;
}

static bool user(const struct mmlens_info *info, struct replay_walk *walk,
		 const struct mmlens_user *run, struct replay_out *out)
{
	uint32_t first = 0;
	const uint32_t count = cut(walk, run->pfn, 1, run->count, &first);
	struct mmlens_user *to;

	if (!count)
		return true;
	to = replay_room(out, run->head.size);
	if (!to)
		return false;
	memcpy(to, run, run->head.size);
	to->va += (uint64_t)first << info->page_shift;
	to->pfn += first;
	to->count = count;
	return true;
}

/* ---- the kernel's page table ---- */

/* Where it ends at the last address of all, its end is 0. */
static bool kernel_run(const struct mmlens_info *info,
		       struct replay_walk *walk,
		       const struct mmlens_kmap *run, struct replay_out *out)
{
	const uint64_t size = mmlens_level_size(info, run->head.level);
	uint64_t first = walk->start > run->va ?
				 (walk->start - run->va) / size : 0;
	uint64_t end = run->count;
	struct mmlens_kmap *to;

	if (walk->end <= run->va)
		return true;
	if ((walk->end - 1 - run->va) / size < end)
		end = (walk->end - 1 - run->va) / size + 1;
	if (end > run->count)
		end = run->count;
	if (first >= end)
		return true;
	to = replay_room(out, run->head.size);
	if (!to)
		return false;
	memcpy(to, run, run->head.size);
	to->va += first * size;
	to->count = end - first;
	if (mmlens_state(run->flags) == MMLENS_STATE_PRESENT &&
	    run->consecutive)
		to->value += first * (size >> info->page_shift);
	return true;
}

static bool kernel(const struct mmlens_info *info, struct replay_walk *walk,
		   const struct mmlens_record *rec, struct replay_out *out)
{
	const struct mmlens_region *region = (const void *)rec;

	if (rec->type == MMLENS_REC_KMAP)
		return kernel_run(info, walk, (const void *)rec, out);
	if (rec->type == MMLENS_REC_REGION &&
	    !meets(walk, region->start, region->end))
		return true;
	return replay_put(out, rec);
}

/* ---- LRU lists ---- */

/* The place of the part in its list, and how much of it is wanted. */
static bool list(struct replay_walk *walk, const struct mmlens_lru_list *list,
		 struct replay_out *out)
{
	uint32_t first = 0;
	struct mmlens_lru_list *to;
	uint32_t count = cut(walk, list->position, 1, list->count, &first);

	to = replay_room(out, list->head.size);
	if (!to)
		return false;
	memcpy(to, list, list->head.size);
	to->position += first;
	to->count = count;
	walk->place = list->position;
	return true;
}

static bool folio(struct replay_walk *walk, const struct mmlens_record *rec,
		  struct replay_out *out)
{
	const uint64_t place = walk->place;
	const bool wanted = place >= walk->start && place < walk->end;

	if (wanted && !replay_put(out, rec))
		return false;
	walk->skipped = !wanted;
	walk->place++;
	return true;
}

static bool lists(struct replay_walk *walk, const struct mmlens_record *rec,
		  struct replay_out *out)
{
	if (rec->type == MMLENS_REC_LRU)
		return list(walk, (const void *)rec, out);
	if (rec->type == MMLENS_REC_PFNS)
		return folio(walk, rec, out);
	if (rec->type == MMLENS_REC_BACKING &&
	    (walk->skipped || !(walk->flags & MMLENS_WALK_BACKING)))
		return true;
	return replay_put(out, rec);
}

/* ---- all of them ---- */

bool replay_record(const struct mmlens_info *info, struct replay_walk *walk,
		   const struct mmlens_record *rec, struct replay_out *out)
{
	switch (walk->nr) {
	case MMLENS_NR_VMAS:
	case MMLENS_NR_SMAPS:
	case MMLENS_NR_NUMA_MAPS:
		return area(info, walk, rec, out);
	case MMLENS_NR_PTES:
		return entries(info, walk, rec, out);
	case MMLENS_NR_PROCS:
		if (rec->type == MMLENS_REC_SMAPS &&
		    !(walk->flags & MMLENS_WALK_TOTAL))
			return true;
		return replay_put(out, rec);
	case MMLENS_NR_PAGES:
		if (rec->type == MMLENS_REC_PFNS)
			return frames(walk, (const void *)rec, out);
		if (rec->type == MMLENS_REC_BACKING)
			return backing(info, walk, (const void *)rec, out);
		return replay_put(out, rec);
	case MMLENS_NR_PAGEBLOCKS:
		if (rec->type == MMLENS_REC_PAGEBLOCKS)
			return pageblocks(walk, (const void *)rec, out);
		return replay_put(out, rec);
	case MMLENS_NR_USERS:
		if (rec->type == MMLENS_REC_USER)
			return user(info, walk, (const void *)rec, out);
		return replay_put(out, rec);
	case MMLENS_NR_KMAP:
		return kernel(info, walk, rec, out);
	case MMLENS_NR_LRU:
		return lists(walk, rec, out);
	default:
		return replay_put(out, rec);
	}
}

bool replay_end(const struct mmlens_info *info, struct replay_walk *walk,
		struct replay_out *out)
{
	struct mmlens_walk *ask = out->walk;
	(void)info;

	if (walk->nr != MMLENS_NR_SMAPS || !(walk->flags & MMLENS_WALK_TOTAL))
		return true;
	out->full = ask->buffer_size - ask->written <
		    sizeof(walk->whole) + sizeof(walk->sums);
	if (out->full)
		return false;
	walk->whole.head = (struct mmlens_record) {
		sizeof(walk->whole), MMLENS_REC_VMA, MMLENS_LEVEL_NONE,
	};
	walk->whole.page_shift = info->page_shift;
	walk->sums.head = (struct mmlens_record) {
		sizeof(walk->sums), MMLENS_REC_SMAPS, MMLENS_LEVEL_NONE,
	};
	return replay_put(out, &walk->whole.head) &&
	       replay_put(out, &walk->sums.head);
}
