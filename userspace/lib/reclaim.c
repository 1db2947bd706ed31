// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What reclaim would take: the rules of mm/vmscan.c played through on a copy of
 * the lists.
 *
 * Classic lists.  As do_try_to_free_pages(): from priority 12 to 0 each list is
 * scanned for its length >> priority, 32 pages of one list after the other
 * (shrink_lruvec()), which of them as get_scan_count() says:
 *  - without swap, with swappiness 0, or while there are many inactive file
 *    pages (cache_trim_mode), file pages alone; else anonymous and file pages as
 *    swappiness : 200 - swappiness;
 *  - active lists only where the inactive one is low (inactive_is_low()); what
 *    leaves their tail comes to the head of the inactive list, but for
 *    executable file pages that were used.
 * From the tail of an inactive list, as shrink_folio_list() and
 * folio_check_references(): what entries used since the last look goes on round
 * once, and becomes active if it was used twice, by several mappings, or is
 * executable and of a file; what is dirty and of a file, or is being written,
 * becomes active; what is mlocked leaves the list; the rest is taken, also
 * unmapped file pages that were read twice.
 *
 * Generations.  As evict_folios(): from the oldest generation, file pages unless
 * the oldest anonymous one is older (get_type_to_scan() with no refaults on
 * either side, which are the kernel's secret); what entries used becomes young;
 * where a type has but two generations left all that was used is made young and a
 * new one begun (inc_max_seq()).  Tiers are left out: without refaults they
 * protect nothing.
 *
 * What isn't known here is taken as even: refaults and the costs of either type,
 * protection by memory.low and memory.min below the cgroup, VM_RAND_READ and
 * VM_SEQ_READ.  The kernel may take more than it is asked for; this stops there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "reclaim.h"

/* Of kernel-page-flags.h. */
#define KPF_REFERENCED	(1ull << 2)
#define KPF_DIRTY	(1ull << 4)
#define KPF_WRITEBACK	(1ull << 8)
#define KPF_UNEVICTABLE	(1ull << 18)
#define KPF_MLOCKED	(1ull << 33)

/* Of mm/vmscan.c and include/linux/mmzone.h. */
#define DEF_PRIORITY	12
#define CLUSTER		32
#define RETRIES		16
#define MIN_GENS	2
#define GENS		4
#define LRU_BATCH	64

#define NOTHING		UINT32_MAX

enum type { ANON, FILE_BACKED, TYPES };

/* folio.flags */
enum {
	REFERENCED = 1 << 0,	/* PG_referenced */
	EXECUTABLE = 1 << 1,	/* mapped so */
	DIRTY = 1 << 2,		/* or under writeback */
	PINNED = 1 << 3,	/* unevictable or mlocked */
	TAKEN = 1 << 4,
};

/**
 * struct folio - A folio on a list.
 * @pfn:	of its first page
 * @next:	index of the one that is taken after it
 * @order:	log2 of its pages
 * @flags:	as above
 * @mapping:	which one used it last; 0: none
 * @used:	mappings that used it; stops at the highest
 */
struct folio {
	uint64_t pfn;
	uint32_t next;
	uint32_t mapping;
	uint8_t order;
	uint8_t flags;
	uint8_t used;
};

/* A list: taken from the first on, added to behind the last. */
struct queue {
	uint32_t first;
	uint32_t last;
	uint64_t pages;
};

/* The lists of one memory cgroup on one node. */
struct lruvec {
	uint64_t memcg;
	uint32_t node;
	bool generations;
	struct queue inactive[TYPES];
	struct queue active[TYPES];
	struct queue gens[TYPES][GENS];
	bool has_seq[TYPES];
	uint64_t min_seq[TYPES];
	uint64_t max_seq;
};

struct mml_reclaim {
	struct mml_reclaim_settings settings;
	struct folio *folios;
	size_t count;
	uint32_t *by_pfn;
	struct lruvec *lruvecs;
	size_t lruvec_count;
	uint64_t target;
	uint64_t taken;
	bool deactivate;	/* whatever the lists' lengths are */
	bool skipped;		/* active lists were passed by */
};

/* ---- lists ---- */

static uint64_t pages_of(const struct folio *f)
{
	return 1ull << f->order;
}

static void queue_init(struct queue *q)
{
	*q = (struct queue) { .first = NOTHING, .last = NOTHING };
}

static void push(struct mml_reclaim *r, struct queue *q, uint32_t i)
{
	r->folios[i].next = NOTHING;
	if (q->last == NOTHING)
		q->first = i;
	else
		r->folios[q->last].next = i;
	q->last = i;
	q->pages += pages_of(&r->folios[i]);
}

static void push_first(struct mml_reclaim *r, struct queue *q, uint32_t i)
{
	r->folios[i].next = q->first;
	q->first = i;
	if (q->last == NOTHING)
		q->last = i;
	q->pages += pages_of(&r->folios[i]);
}

static uint32_t pop(struct mml_reclaim *r, struct queue *q)
{
	uint32_t i = q->first;

	if (i == NOTHING)
		return i;
	q->first = r->folios[i].next;
	if (q->first == NOTHING)
		q->last = NOTHING;
	q->pages -= pages_of(&r->folios[i]);
	return i;
}

static struct queue *gen_of(struct lruvec *v, enum type type, uint64_t seq)
{
	return &v->gens[type][seq % GENS];
}

/* ---- making the copy ---- */

struct mml_reclaim *mml_reclaim_new(const struct mml_reclaim_settings *s)
{
	struct mml_reclaim *r = calloc(1, sizeof(*r));

	if (r)
		r->settings = *s;
	return r;
}

void mml_reclaim_free(struct mml_reclaim *r)
{
	if (!r)
		return;
	free(r->folios);
	free(r->by_pfn);
	free(r->lruvecs);
	free(r);
}

static void lruvec_init(struct lruvec *v, const struct mmlens_lru_list *list)
{
	*v = (struct lruvec) { .memcg = list->memcg, .node = list->node };
	for (int type = 0; type < TYPES; type++) {
		queue_init(&v->inactive[type]);
		queue_init(&v->active[type]);
		for (int gen = 0; gen < GENS; gen++)
			queue_init(&v->gens[type][gen]);
	}
}

/* Lists of one lruvec come one after the other. */
static struct lruvec *lruvec_of(struct mml_reclaim *r,
				const struct mmlens_lru_list *list)
{
	struct lruvec *all = r->lruvecs;
	size_t n = r->lruvec_count;

	if (n && all[n - 1].memcg == list->memcg &&
	    all[n - 1].node == list->node)
		return &all[n - 1];
	all = mmlens_grown(all, n, sizeof(*all));
	if (!all)
		return NULL;
	r->lruvecs = all;
	lruvec_init(&all[n], list);
	r->lruvec_count++;
	return &all[n];
}

static uint8_t flags_of(const struct mmlens_pfns *page)
{
	uint8_t flags = 0;

	if (page->page_flags & KPF_REFERENCED)
		flags |= REFERENCED;
	if (page->page_flags & (KPF_DIRTY | KPF_WRITEBACK))
		flags |= DIRTY;
	if (page->page_flags & (KPF_UNEVICTABLE | KPF_MLOCKED))
		flags |= PINNED;
	return flags;
}

/* The folios of a list behind those that are there; the first's index. */
static int add_folios(struct mml_reclaim *r,
		      const struct mmlens_lru_contents *lru)
{
	for (size_t i = 0; i < lru->count; i++) {
		struct folio *all = mmlens_grown(r->folios, r->count,
						 sizeof(*all));

		if (!all || r->count == NOTHING)
			return -ENOMEM;
		r->folios = all;
		all[r->count++] = (struct folio) {
			.pfn = lru->folios[i].pfn,
			.order = lru->folios[i].order,
			.flags = flags_of(&lru->folios[i]),
		};
	}
	return 0;
}

/*
 * Which list that is here; NULL: one that isn't scanned.  A generation that isn't
 * in use has no pages.
 */
static struct queue *queue_of(struct lruvec *v,
			      const struct mmlens_lru_list *list)
{
	enum type type = list->lru == MMLENS_LRU_INACTIVE_FILE ||
			 list->lru == MMLENS_LRU_ACTIVE_FILE ? FILE_BACKED :
							       ANON;

	if (list->lru == MMLENS_LRU_UNEVICTABLE)
		return NULL;
	if (!list->generation)
		return list->lru == MMLENS_LRU_ACTIVE_ANON ||
		       list->lru == MMLENS_LRU_ACTIVE_FILE ? &v->active[type] :
							     &v->inactive[type];
	if (!(list->flags & MMLENS_LIST_CURRENT))
		return NULL;
	if (!v->has_seq[type] || list->seq < v->min_seq[type])
		v->min_seq[type] = list->seq;
	v->has_seq[type] = true;
	if (list->seq > v->max_seq)
		v->max_seq = list->seq;
	return gen_of(v, type, list->seq);
}

int mml_reclaim_add(struct mml_reclaim *r,
		    const struct mmlens_lru_contents *lru)
{
	struct lruvec *v = lruvec_of(r, &lru->list);
	size_t first = r->count;
	struct queue *q;
	int ret;

	if (!v)
		return -ENOMEM;
	if (lru->list.generation && lru->list.flags & MMLENS_LIST_ENABLED)
		v->generations = true;
	q = queue_of(v, &lru->list);
	if (!q)
		return 0;
	ret = add_folios(r, lru);
	if (ret)
		return ret;
	/* Of a generation the highest zone, which comes last, is taken first. */
	if (lru->list.generation)
		for (size_t i = r->count; i > first; i--)
			push_first(r, q, i - 1);
	else
		for (size_t i = first; i < r->count; i++)
			push(r, q, i);
	return 0;
}

/* ---- by page frame ---- */

static int compare_pfns(const void *a, const void *b, void *folios)
{
	const struct folio *all = folios;
	uint64_t x = all[*(const uint32_t *)a].pfn;
	uint64_t y = all[*(const uint32_t *)b].pfn;

	return x < y ? -1 : x > y;
}

int mml_reclaim_index(struct mml_reclaim *r)
{
	r->by_pfn = calloc(r->count + 1, sizeof(*r->by_pfn));
	if (!r->by_pfn)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++)
		r->by_pfn[i] = i;
	if (r->count)
		qsort_r(r->by_pfn, r->count, sizeof(*r->by_pfn), compare_pfns,
			r->folios);
	return 0;
}

void mml_reclaim_range(const struct mml_reclaim *r, uint64_t *start,
		       uint64_t *end)
{
	const struct folio *last;

	*start = *end = 0;
	if (!r->count)
		return;
	*start = r->folios[r->by_pfn[0]].pfn;
	last = &r->folios[r->by_pfn[r->count - 1]];
	*end = last->pfn + pages_of(last);
}

/* The first in order of PFN that ends behind @pfn. */
static size_t find(const struct mml_reclaim *r, uint64_t pfn)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct folio *f = &r->folios[r->by_pfn[middle]];

		if (f->pfn + pages_of(f) > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * Which mapping that is, from 1 on: entries of one VMA agree in where the folio
 * would begin.  folio_referenced() counts a VMA once, whatever entries it has.
 */
static uint32_t mapping_of(const struct mml_reclaim *r,
			   const struct mmlens_user *user,
			   const struct folio *f)
{
	uint64_t base = (user->va >> r->settings.page_shift) - user->pfn +
			f->pfn;
	uint64_t mixed = (base ^ (uint64_t)user->pid << 40) *
			 0x9e3779b97f4a7c15ull;

	return (mixed >> 33) + 1;
}

void mml_reclaim_use(struct mml_reclaim *r, const struct mmlens_user *user)
{
	uint64_t end = user->pfn + user->count;

	for (size_t i = find(r, user->pfn); i < r->count; i++) {
		struct folio *f = &r->folios[r->by_pfn[i]];
		uint32_t mapping;

		if (f->pfn >= end)
			break;
		if (!(user->flags & MMLENS_EFF_NX))
			f->flags |= EXECUTABLE;
		if (!(user->flags & MMLENS_PTE_ACCESSED))
			continue;
		mapping = mapping_of(r, user, f);
		if (f->mapping != mapping && f->used < UINT8_MAX)
			f->used++;
		f->mapping = mapping;
	}
}

bool mml_reclaim_took(const struct mml_reclaim *r, uint64_t pfn)
{
	size_t i = find(r, pfn);
	const struct folio *f;

	if (i == r->count)
		return false;
	f = &r->folios[r->by_pfn[i]];
	return f->pfn == pfn && f->flags & TAKEN;
}

unsigned int mml_reclaim_kinds(const struct mml_reclaim *r)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < r->lruvec_count; i++)
		kinds |= r->lruvecs[i].generations ? 2 : 1;
	return kinds;
}

/* ---- one folio ---- */

enum verdict { TAKE, KEEP, ACTIVATE, LEAVE };

/* folio_check_references(): what entries tell is told once. */
static enum verdict check_references(struct folio *f, enum type type)
{
	unsigned int used = f->used;
	bool referenced = f->flags & REFERENCED;

	if (f->flags & PINNED)
		return LEAVE;
	f->used = 0;
	f->flags &= ~REFERENCED;
	if (!used)
		return TAKE;
	f->flags |= REFERENCED;
	if (referenced || used > 1 ||
	    (f->flags & EXECUTABLE && type == FILE_BACKED))
		return ACTIVATE;
	return KEEP;
}

/* shrink_folio_list() of one. */
static enum verdict judge(struct mml_reclaim *r, struct folio *f,
			  enum type type)
{
	enum verdict verdict = check_references(f, type);

	if (verdict != TAKE)
		return verdict;
	if (type == FILE_BACKED)
		return f->flags & DIRTY ? ACTIVATE : TAKE;
	if (r->settings.swap < pages_of(f))
		return ACTIVATE;
	r->settings.swap -= pages_of(f);
	return TAKE;
}

static void take(struct mml_reclaim *r, struct folio *f)
{
	f->flags |= TAKEN;
	r->taken += pages_of(f);
}

static bool is_enough(const struct mml_reclaim *r)
{
	return r->taken >= r->target;
}

/* ---- classic lists ---- */

static unsigned int square_root(uint64_t x)
{
	unsigned int root = 0;

	while ((uint64_t)(root + 1) * (root + 1) <= x)
		root++;
	return root;
}

/* inactive_is_low(), of numbers of pages of 4 KiB. */
static bool is_low(uint64_t inactive, uint64_t active)
{
	uint64_t gib = (inactive + active) >> 18;

	return inactive * (gib ? square_root(10 * gib) : 1) < active;
}

static void shrink_inactive(struct mml_reclaim *r, struct lruvec *v,
			    enum type type, uint64_t pages)
{
	struct queue *q = &v->inactive[type];

	for (uint64_t seen = 0; seen < pages && !is_enough(r);) {
		uint32_t i = pop(r, q);
		struct folio *f;

		if (i == NOTHING)
			break;
		f = &r->folios[i];
		seen += pages_of(f);
		switch (judge(r, f, type)) {
		case TAKE:
			take(r, f);
			break;
		case KEEP:
			push(r, q, i);
			break;
		case ACTIVATE:
			push(r, &v->active[type], i);
			break;
		case LEAVE:
			break;
		}
	}
}

static void shrink_active(struct mml_reclaim *r, struct lruvec *v,
			  enum type type, uint64_t pages)
{
	for (uint64_t seen = 0; seen < pages;) {
		uint32_t i = pop(r, &v->active[type]);
		struct folio *f;
		bool stays;

		if (i == NOTHING)
			break;
		f = &r->folios[i];
		seen += pages_of(f);
		if (f->flags & PINNED)
			continue;
		stays = f->used && f->flags & EXECUTABLE &&
			type == FILE_BACKED;
		f->used = 0;
		push(r, stays ? &v->active[type] : &v->inactive[type], i);
	}
}

/* Of all cgroups on the node together, as they stand before a round. */
struct balance {
	bool may_deactivate[TYPES];
	bool file_alone;
};

/* prepare_scan_count() */
static struct balance node_balance(const struct mml_reclaim *r, uint32_t node,
				   unsigned int priority)
{
	uint64_t inactive[TYPES] = {}, active[TYPES] = {};
	struct balance b;

	for (size_t i = 0; i < r->lruvec_count; i++) {
		const struct lruvec *v = &r->lruvecs[i];

		for (int type = 0; v->node == node && type < TYPES; type++) {
			inactive[type] += v->inactive[type].pages;
			active[type] += v->active[type].pages;
		}
	}
	for (int type = 0; type < TYPES; type++)
		b.may_deactivate[type] = r->deactivate ||
			is_low(inactive[type], active[type]);
	b.file_alone = inactive[FILE_BACKED] >> priority &&
		       !b.may_deactivate[FILE_BACKED];
	return b;
}

/* get_scan_count(): pages of a list of that type. */
static uint64_t scan_count(const struct mml_reclaim *r,
			   const struct balance *b, enum type type,
			   uint64_t pages, unsigned int priority)
{
	unsigned int swappiness = r->settings.swappiness;
	uint64_t scan = pages >> priority;

	if (!r->settings.swap || !swappiness || (priority && b->file_alone))
		return type == FILE_BACKED ? scan : 0;
	if (!priority)
		return scan;
	return scan * (type == ANON ? swappiness : 200 - swappiness) / 200;
}

static uint64_t cluster(uint64_t *left)
{
	uint64_t n = *left < CLUSTER ? *left : CLUSTER;

	*left -= n;
	return n;
}

/* shrink_list() of both of a type. */
static void shrink_type(struct mml_reclaim *r, struct lruvec *v,
			const struct balance *b, enum type type,
			uint64_t *inactive, uint64_t *active)
{
	uint64_t n = cluster(inactive);

	if (n)
		shrink_inactive(r, v, type, n);
	n = cluster(active);
	if (n && b->may_deactivate[type])
		shrink_active(r, v, type, n);
	else if (n)
		r->skipped = true;
}

static void shrink_lruvec(struct mml_reclaim *r, struct lruvec *v,
			  unsigned int priority)
{
	const struct balance b = node_balance(r, v->node, priority);
	uint64_t inactive[TYPES], active[TYPES];

	for (int type = 0; type < TYPES; type++) {
		inactive[type] = scan_count(r, &b, type,
					    v->inactive[type].pages, priority);
		active[type] = scan_count(r, &b, type, v->active[type].pages,
					  priority);
	}
	while (!is_enough(r) && (inactive[ANON] || inactive[FILE_BACKED] ||
				 active[FILE_BACKED]))
		for (int type = 0; type < TYPES; type++)
			shrink_type(r, v, &b, type, &inactive[type],
				    &active[type]);
	if (r->settings.swap &&
	    is_low(v->inactive[ANON].pages, v->active[ANON].pages))
		shrink_active(r, v, ANON, CLUSTER);
}

/* ---- generations ---- */

/* What entries used goes from this generation to the youngest. */
static void promote(struct mml_reclaim *r, struct lruvec *v, enum type type,
		    uint64_t seq)
{
	struct queue *q = gen_of(v, type, seq), old = *q;
	uint32_t i;

	queue_init(q);
	while ((i = pop(r, &old)) != NOTHING) {
		struct folio *f = &r->folios[i];

		push(r, f->used ? gen_of(v, type, v->max_seq) : q, i);
		f->used = 0;
	}
}

/* inc_min_seq(): the oldest generation becomes part of the next. */
static void merge_oldest(struct mml_reclaim *r, struct lruvec *v,
			 enum type type)
{
	struct queue *oldest = gen_of(v, type, v->min_seq[type]);
	uint32_t i;

	v->min_seq[type]++;
	while ((i = pop(r, oldest)) != NOTHING)
		push(r, gen_of(v, type, v->min_seq[type]), i);
}

/* inc_max_seq() */
static void age(struct mml_reclaim *r, struct lruvec *v)
{
	for (int type = 0; type < TYPES; type++) {
		for (uint64_t seq = v->min_seq[type]; seq < v->max_seq; seq++)
			promote(r, v, type, seq);
		promote(r, v, type, v->max_seq);
		if (v->max_seq - v->min_seq[type] + 1 == GENS)
			merge_oldest(r, v, type);
	}
	v->max_seq++;
}

static bool can_evict(const struct lruvec *v, enum type type)
{
	return v->max_seq - v->min_seq[type] + 1 > MIN_GENS;
}

/* try_to_inc_min_seq(): empty generations end. */
static void drop_empty(struct lruvec *v, enum type type)
{
	while (can_evict(v, type) &&
	       !gen_of(v, type, v->min_seq[type])->pages)
		v->min_seq[type]++;
}

static enum type type_to_scan(const struct mml_reclaim *r,
			      const struct lruvec *v)
{
	if (r->settings.swap && r->settings.swappiness &&
	    v->min_seq[ANON] < v->min_seq[FILE_BACKED])
		return ANON;
	return FILE_BACKED;
}

/* evict_folios(): up to a batch; returns the pages it looked at. */
static uint64_t evict(struct mml_reclaim *r, struct lruvec *v, enum type type)
{
	const uint64_t seq = v->min_seq[type];
	uint64_t seen = 0;
	uint32_t i;

	while (seen < LRU_BATCH && !is_enough(r) &&
	       (i = pop(r, gen_of(v, type, seq))) != NOTHING) {
		struct folio *f = &r->folios[i];
		enum verdict verdict;

		seen += pages_of(f);
		if (type == FILE_BACKED && f->flags & DIRTY) {
			push(r, gen_of(v, type, seq + 1), i);
			continue;
		}
		verdict = judge(r, f, type);
		if (verdict == TAKE)
			take(r, f);
		else if (verdict != LEAVE)
			push(r, gen_of(v, type, v->max_seq), i);
	}
	return seen;
}

static void shrink_generations(struct mml_reclaim *r, struct lruvec *v,
			       unsigned int priority)
{
	uint64_t pages = 0;

	for (int type = 0; type < TYPES; type++)
		for (int gen = 0; gen < GENS; gen++)
			pages += v->gens[type][gen].pages;
	for (uint64_t seen = 0, aged = 0; seen < pages >> priority &&
	     !is_enough(r) && aged < GENS;) {
		enum type type;
		uint64_t n;

		drop_empty(v, ANON);
		drop_empty(v, FILE_BACKED);
		type = type_to_scan(r, v);
		if (!can_evict(v, type)) {
			age(r, v);
			aged++;
			continue;
		}
		n = evict(r, v, type);
		seen += n;
		aged = n ? 0 : aged + 1;
	}
}

/* ---- all of them ---- */

/* do_try_to_free_pages() */
static void try_to_free(struct mml_reclaim *r)
{
	for (int priority = DEF_PRIORITY; priority >= 0; priority--) {
		for (size_t i = 0; i < r->lruvec_count && !is_enough(r); i++) {
			struct lruvec *v = &r->lruvecs[i];

			if (v->generations)
				shrink_generations(r, v, priority);
			else
				shrink_lruvec(r, v, priority);
		}
		if (is_enough(r))
			break;
	}
}

uint64_t mml_reclaim_run(struct mml_reclaim *r, uint64_t pages)
{
	r->target = pages;
	r->taken = 0;
	for (int retries = RETRIES; retries && !is_enough(r);) {
		uint64_t before = r->taken;

		r->skipped = false;
		try_to_free(r);
		if (r->taken != before)
			continue;
		/* Active lists have been passed by: not this time. */
		r->deactivate = r->skipped;
		retries--;
	}
	return r->taken;
}
