// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The translation of an address, of what is stored: one way down through each
 * page-table page, and all entries.  The upper levels of an address are those of
 * any other in the same table, and its own entry is among the entries.
 */
#include <errno.h>
#include <string.h>

#include "capture_take.h"
#include "internal.h"
#include "replay.h"

/**
 * struct way - A way down that is the longest that @address shares.
 * @step:	its levels, the last one is in the table of the address's entry
 * @count:	how many; 0: none is known
 */
struct way {
	struct mmlens_level step[MMLENS_MAX_STEPS];
	unsigned int count;
};

/* Is the address translated by the table that the entry stands in? */
static bool is_in_table(const struct mmlens_info *info,
			const struct mmlens_level *step, uint64_t address)
{
	const uint64_t size = mmlens_level_size(info, step->head.level);
	const uint64_t first = step->va - step->index * size;
	/* As many entries as fit into a page. */
	const uint64_t entries = (1ull << info->page_shift) / 8;

	return size && address >= first && (address - first) / size < entries;
}

static bool same_entry(const struct mmlens_info *info,
		       const struct mmlens_level *step, uint64_t address)
{
	const uint64_t size = mmlens_level_size(info, step->head.level);

	return !((step->va ^ address) & ~(size - 1));
}

/* How much of a way is @address's, too. */
static unsigned int shared(const struct mmlens_info *info,
			   const struct way *way, uint64_t address)
{
	unsigned int n = 0;

	while (n < way->count && is_in_table(info, &way->step[n], address)) {
		if (!same_entry(info, &way->step[n++], address))
			break;
	}
	return n;
}

static void keep_longer(const struct mmlens_info *info, struct way *best,
			const struct way *way, uint64_t address)
{
	const unsigned int n = shared(info, way, address);

	if (n <= best->count)
		return;
	*best = *way;
	best->count = n;
}

static int find_way(struct replay *r, int pid, uint64_t address,
		    struct way *best)
{
	const struct mmlens_info *info = mml_capture_info(r->capture);
	struct replay_walk walk = {
		.stored = mml_capture_find(r->capture, MMLENS_NR_VTOP, 0, pid),
	};
	const struct mmlens_record *rec;
	struct way way = {};
	int ret;

	best->count = 0;
	while ((ret = replay_peek(r, &walk, &rec)) > 0) {
		const struct mmlens_level *step = (const void *)rec;

		replay_skip(&walk, rec);
		if (rec->type != MMLENS_REC_LEVEL)
			continue;
		/* Levels go down; where they go up another way begins. */
		if (way.count && rec->level >=
				 way.step[way.count - 1].head.level) {
			keep_longer(info, best, &way, address);
			way.count = 0;
		}
		if (way.count < MMLENS_MAX_STEPS)
			memcpy(&way.step[way.count++], step, sizeof(*step));
	}
	keep_longer(info, best, &way, address);
	return ret;
}

/* 1: a mapping has the address, 0: none */
static int is_mapped(struct replay *r, int pid, uint64_t address)
{
	struct replay_walk walk = {
		.stored = mml_capture_find(r->capture, MMLENS_NR_VMAS, 0, pid),
	};
	const struct mmlens_record *rec;
	int ret;

	if (!walk.stored)
		return 0;
	while ((ret = replay_peek(r, &walk, &rec)) > 0) {
		const struct mmlens_vma *vma = (const void *)rec;

		if (rec->type == MMLENS_REC_VMA && address >= vma->start &&
		    address < vma->end)
			return 1;
		replay_skip(&walk, rec);
	}
	return ret;
}

/* The entry of @address as the last step of the way, empty if there is none. */
static int find_entry(struct replay *r, int pid, uint64_t address,
		      struct mmlens_level *step)
{
	const struct mmlens_info *info = mml_capture_info(r->capture);
	const uint64_t size = mmlens_level_size(info, step->head.level);
	const uint64_t before = step->va;
	_Alignas(8) char room[MMLENS_BUFFER_MIN];
	struct mmlens_walk ask = {
		.flags = MMLENS_WALK_PAGE,
		.buffer = (uintptr_t)room,
		.buffer_size = sizeof(room),
	};
	struct replay_out out = { .walk = &ask };
	struct replay_walk walk = {
		.stored = mml_capture_find(r->capture, MMLENS_NR_PTES,
					   MMLENS_CAPTURE_PTES, pid),
		.nr = MMLENS_NR_PTES,
		.flags = MMLENS_WALK_PAGE,
		.start = address,
		.end = address + 1,
	};
	const struct mmlens_record *rec;
	const struct mmlens_pte *pte = (const void *)room;
	const struct mmlens_run *run = (const void *)room;
	int ret = 0;

	step->va = address & ~(size - 1);
	step->index += (int64_t)(step->va - before) / (int64_t)size;
	step->flags = MMLENS_STATE_NONE;
	step->value = 0;
	step->raw = 0;
	if (!walk.stored)
		return 0;
	replay_seek(&walk);
	while (!ask.written && (ret = replay_peek(r, &walk, &rec)) > 0) {
		replay_record(info, &walk, rec, &out);
		replay_skip(&walk, rec);
	}
	if (ret < 0 || !ask.written || pte->head.level != step->head.level)
		return ret < 0 ? ret : 0;
	step->flags = pte->flags;
	step->value = pte->head.type == MMLENS_REC_RUN ? run->value :
							 pte->value;
	step->raw = pte->head.type == MMLENS_REC_RUN ? run->raw[0] : pte->raw;
	return 0;
}

int replay_vtop(struct replay *r, int pid, uint64_t address,
		struct replay_out *out)
{
	const struct mmlens_info *info = mml_capture_info(r->capture);
	struct mmlens_level *last;
	struct way way;
	int ret = is_mapped(r, pid, address);

	if (ret <= 0)
		return ret;
	ret = find_way(r, pid, address, &way);
	if (ret < 0 || !way.count)
		return ret;
	last = &way.step[way.count - 1];
	if (!same_entry(info, last, address))
		ret = find_entry(r, pid, address, last);
	for (unsigned int i = 0; i < way.count && !ret; i++) {
		/* Steps above are of the same entry, with its own address. */
		if (!replay_put(out, &way.step[i].head))
			return -EMSGSIZE;
	}
	return ret;
}
