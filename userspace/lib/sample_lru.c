// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * On which LRU lists the pages of a process stand, by the pages' own flags: its
 * page tables are walked, the lists aren't.  How old a generation is only the
 * lruvec knows, so the numbers of generations are asked for where pages have any.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* Pages of one lruvec in one generation of one type. */
struct generation {
	uint64_t memcg;
	uint32_t node;
	uint8_t lru;		/* its type, as a list of generations has it */
	uint8_t index;		/* 1 + it, as pages have it */
	bool known;
	uint64_t seq;
	uint64_t youngest;	/* of the lruvec */
	uint64_t pages;
};

struct places {
	struct mmlens_sample_process *process;
	struct generation *generations;
	size_t count;
};

static uint8_t type_of(unsigned int lru)
{
	return lru == MMLENS_LRU_INACTIVE_FILE || lru == MMLENS_LRU_ACTIVE_FILE ?
		MMLENS_LRU_INACTIVE_FILE : MMLENS_LRU_INACTIVE_ANON;
}

static struct generation *generation_of(struct places *p,
					const struct mmlens_page_state *page)
{
	struct generation *all = p->generations;

	for (size_t i = p->count; i-- > 0;)
		if (all[i].memcg == page->memcg && all[i].node == page->node &&
		    all[i].lru == type_of(page->lru) &&
		    all[i].index == page->generation)
			return &all[i];
	all = mmlens_grown(all, p->count, sizeof(*all));
	if (!all)
		return NULL;
	p->generations = all;
	all += p->count++;
	*all = (struct generation) {
		.memcg = page->memcg,
		.node = page->node,
		.lru = type_of(page->lru),
		.index = page->generation,
	};
	return all;
}

static int add_run(struct places *p, const struct mmlens_entry_run *run,
		   unsigned int shift)
{
	const uint64_t pages = (run->end - run->start) >> shift;
	unsigned int place = MMLENS_PLACE_NONE;

	if (!mmlens_state_is_present(mmlens_state(run->flags)))
		return 0;
	if (run->has_page && run->page.generation) {
		struct generation *g = generation_of(p, &run->page);

		if (!g)
			return -ENOMEM;
		g->pages += pages;
		return 0;
	}
	if (run->has_page && run->page.lru <= MMLENS_LRU_UNEVICTABLE &&
	    run->page.lru != MMLENS_LRU_NONE)
		place = MMLENS_PLACE_LIST + run->page.lru;
	p->process->lru[place] += pages;
	return 0;
}

static int read_entries(struct places *p, struct mmlens *lens,
			struct mmlens_stats *stats)
{
	struct mmlens_request request = {
		.pid = p->process->pid,
		.flags = MMLENS_WALK_STATE,
	};
	struct mmlens_entries *entries = mmlens_entries_open(lens, &request);
	struct mmlens_entry_run run;
	int ret;

	if (!entries)
		return -errno;
	while ((ret = mmlens_runs_next(entries, &run)) > 0) {
		ret = add_run(p, &run, lens->info.page_shift);
		if (ret)
			break;
	}
	mmlens_stats_add(stats, mmlens_entries_stats(entries));
	mmlens_entries_close(entries);
	return ret;
}

/* ---- how old generations are ---- */

static int take_list(const struct mmlens_lru_contents *lru, void *context)
{
	const struct mmlens_lru_list *list = &lru->list;
	struct places *p = context;

	if (!list->generation || !(list->flags & MMLENS_LIST_CURRENT))
		return 0;
	for (size_t i = 0; i < p->count; i++) {
		struct generation *g = &p->generations[i];

		if (g->memcg != list->memcg || g->node != list->node)
			continue;
		if (list->seq > g->youngest)
			g->youngest = list->seq;
		if (g->lru != list->lru || g->index != list->generation)
			continue;
		g->known = true;
		g->seq = list->seq;
	}
	return 0;
}

/* One whose lruvec went meanwhile stands on no list that there is. */
static unsigned int place_of(const struct generation *g)
{
	uint64_t age = g->youngest - g->seq;

	if (!g->known)
		return MMLENS_PLACE_NONE;
	if (age > 3)
		age = 3;
	return (g->lru == MMLENS_LRU_INACTIVE_FILE ? MMLENS_PLACE_FILE_GEN :
						     MMLENS_PLACE_ANON_GEN) +
	       age;
}

static int place_generations(struct places *p, struct mmlens *lens,
			     struct mmlens_stats *stats)
{
	struct mmlens_request request = {};
	int ret = mmlens_lru_read(lens, &request, take_list, p, stats);

	for (size_t i = 0; i < p->count && !ret; i++) {
		const struct generation *g = &p->generations[i];

		p->process->lru[place_of(g)] += g->pages;
	}
	return ret;
}

int mml_sample_lru(struct mmlens *lens, struct mmlens_sample_process *process,
		   struct mmlens_stats *stats)
{
	struct places p = { .process = process };
	int ret = read_entries(&p, lens, stats);

	if (!ret && p.count)
		ret = place_generations(&p, lens, stats);
	free(p.generations);
	if (!ret)
		process->known |= MMLENS_SAMPLE_LRU;
	return ret;
}
