// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two looks at the LRU lists, compared by PFN.  A look is an array of folios in
 * order of PFN, 16 bytes each, and the lists that they are on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Of kernel-page-flags.h. */
#define KPF_UPTODATE	(1ull << 3)

/* A folio and the index of its list. */
struct spot {
	uint64_t pfn;
	uint32_t list;
	uint8_t order;
};

/* A list; @youngest is the highest sequence number of its lruvec. */
struct spot_list {
	struct mmlens_lru_list list;
	uint64_t youngest;
};

struct mmlens_lru_look {
	struct spot *spots;
	size_t count;
	struct spot_list *lists;
	size_t list_count;
	uint64_t pages;
	struct mmlens_stats stats;
};

static const char *const place_names[MMLENS_PLACES] = {
	"none", "isolated", "inactive_anon", "active_anon", "inactive_file",
	"active_file", "unevictable", "anon_gen0", "anon_gen1", "anon_gen2",
	"anon_gen3", "file_gen0", "file_gen1", "file_gen2", "file_gen3",
};

const char *mmlens_lru_place_name(unsigned int place)
{
	return place < MMLENS_PLACES ? place_names[place] : "?";
}

/* ---- a look ---- */

static int add_list(struct mmlens_lru_look *look,
		    const struct mmlens_lru_list *list)
{
	struct spot_list *all = mmlens_grown(look->lists, look->list_count,
					     sizeof(*all));

	if (!all)
		return -ENOMEM;
	look->lists = all;
	all[look->list_count++] = (struct spot_list) { .list = *list };
	return 0;
}

static int add_spots(const struct mmlens_lru_contents *lru, void *context)
{
	struct mmlens_lru_look *look = context;
	int ret = add_list(look, &lru->list);

	for (size_t i = 0; i < lru->count && !ret; i++) {
		struct spot *all = mmlens_grown(look->spots, look->count,
						sizeof(*all));

		if (!all)
			return -ENOMEM;
		look->spots = all;
		all[look->count++] = (struct spot) {
			.pfn = lru->folios[i].pfn,
			.list = look->list_count - 1,
			.order = lru->folios[i].order,
		};
	}
	return ret;
}

/* What was met twice, as it moved on, was there last. */
static int compare_spots(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	return x->list < y->list ? 1 : x->list > y->list ? -1 : 0;
}

static void sort_spots(struct mmlens_lru_look *look)
{
	size_t n = 0;

	if (look->count)
		qsort(look->spots, look->count, sizeof(*look->spots),
		      compare_spots);
	for (size_t i = 0; i < look->count; i++) {
		if (n && look->spots[n - 1].pfn == look->spots[i].pfn)
			continue;
		look->spots[n++] = look->spots[i];
		look->pages += 1ull << look->spots[i].order;
	}
	look->count = n;
}

static bool is_same_lruvec(const struct spot_list *a, const struct spot_list *b)
{
	return a->list.memcg == b->list.memcg && a->list.node == b->list.node;
}

/* Lists of one lruvec come in a row. */
static void find_youngest(struct mmlens_lru_look *look)
{
	size_t end;

	for (size_t i = 0; i < look->list_count; i = end) {
		uint64_t youngest = 0;

		for (end = i; end < look->list_count &&
		     is_same_lruvec(&look->lists[i], &look->lists[end]); end++)
			if (look->lists[end].list.generation &&
			    look->lists[end].list.seq > youngest)
				youngest = look->lists[end].list.seq;
		for (size_t k = i; k < end; k++)
			look->lists[k].youngest = youngest;
	}
}

struct mmlens_lru_look *mmlens_lru_look_read(struct mmlens *lens)
{
	struct mmlens_request request = { .flags = MMLENS_WALK_FOLIOS };
	struct mmlens_lru_look *look = calloc(1, sizeof(*look));
	int ret;

	if (!look)
		return NULL;
	ret = mmlens_lru_read(lens, &request, add_spots, look, &look->stats);
	if (ret) {
		mmlens_lru_look_free(look);
		errno = -ret;
		return NULL;
	}
	sort_spots(look);
	find_youngest(look);
	return look;
}

void mmlens_lru_look_free(struct mmlens_lru_look *look)
{
	if (!look)
		return;
	free(look->spots);
	free(look->lists);
	free(look);
}

const struct mmlens_stats *
mmlens_lru_look_stats(const struct mmlens_lru_look *look)
{
	return &look->stats;
}

uint64_t mmlens_lru_look_pages(const struct mmlens_lru_look *look)
{
	return look->pages;
}

/* ---- what became of pages ---- */

static const struct spot_list *list_of(const struct mmlens_lru_look *look,
				       const struct spot *spot)
{
	return &look->lists[spot->list];
}

static unsigned int place_of(const struct spot_list *at)
{
	const struct mmlens_lru_list *list = &at->list;
	uint64_t age;

	if (!list->generation)
		return MMLENS_PLACE_LIST + (list->lru > MMLENS_LRU_UNEVICTABLE ?
					    0 : list->lru);
	age = at->youngest - list->seq;
	if (age > 3)
		age = 3;
	return (list->lru == MMLENS_LRU_INACTIVE_FILE ? MMLENS_PLACE_FILE_GEN :
							MMLENS_PLACE_ANON_GEN) +
	       age;
}

static bool is_active(const struct spot_list *at)
{
	return at->list.lru == MMLENS_LRU_ACTIVE_ANON ||
	       at->list.lru == MMLENS_LRU_ACTIVE_FILE;
}

static bool is_file(const struct spot_list *at)
{
	return at->list.lru == MMLENS_LRU_INACTIVE_FILE ||
	       at->list.lru == MMLENS_LRU_ACTIVE_FILE;
}

/* Lists between which a page goes up and down. */
static bool are_kin(const struct spot_list *a, const struct spot_list *b)
{
	return is_same_lruvec(a, b) &&
	       !a->list.generation == !b->list.generation &&
	       a->list.lru != MMLENS_LRU_UNEVICTABLE &&
	       b->list.lru != MMLENS_LRU_UNEVICTABLE &&
	       is_file(a) == is_file(b);
}

/* The sum that a page of both looks counts in; NULL: it stayed. */
static uint64_t *sum_of(struct mmlens_lru_moves *moves,
			const struct spot_list *from,
			const struct spot_list *to)
{
	if (!are_kin(from, to))
		return mmlens_lru_is_same(&from->list, &to->list) ?
			NULL : &moves->other;
	if (!from->list.generation) {
		if (is_active(from) == is_active(to))
			return NULL;
		return is_active(to) ? &moves->activated : &moves->deactivated;
	}
	if (to->list.seq > from->list.seq)
		return &moves->activated;
	if (to->list.seq < from->list.seq)
		return &moves->deactivated;
	return to->youngest > from->youngest ? &moves->aged : NULL;
}

static void count_moved(struct mmlens_lru_moves *moves,
			const struct spot_list *from,
			const struct spot_list *to, uint64_t pages)
{
	uint64_t *sum = sum_of(moves, from, to);

	moves->pages[place_of(from)][place_of(to)] += pages;
	if (sum)
		*sum += pages;
}

/* ---- those that are on no list any more ---- */

struct gone {
	uint64_t pfn;
	uint8_t order;
	uint8_t place;
	bool in_use;
};

struct gone_list {
	struct gone *gone;
	size_t count;
};

static int add_gone(struct gone_list *list, const struct spot *spot,
		    unsigned int place)
{
	struct gone *all = mmlens_grown(list->gone, list->count, sizeof(*all));

	if (!all)
		return -ENOMEM;
	list->gone = all;
	all[list->count++] = (struct gone) {
		.pfn = spot->pfn,
		.order = spot->order,
		.place = place,
	};
	return 0;
}

/*
 * A page that reclaim or a move holds, or that was put back since: of a file or
 * anonymous still.  The kernel's own pages aren't up to date with anything.
 */
static bool is_in_use(const struct mmlens_pfns *run)
{
	if (run->bucket >= MMLENS_BUCKET_INACTIVE_ANON &&
	    run->bucket <= MMLENS_BUCKET_MAPPED)
		return true;
	return run->bucket == MMLENS_BUCKET_KERNEL &&
	       run->page_flags & KPF_UPTODATE;
}

/* One walk over the memory that they lie in. */
static int look_after(struct gone_list *list, struct mmlens *lens,
		      struct mmlens_stats *stats)
{
	const struct mmlens_pfns *run;
	struct mmlens_pages *pages;
	size_t i = 0;
	int ret;

	if (!list->count)
		return 0;
	pages = mmlens_pages_open(lens, list->gone[0].pfn,
				  list->gone[list->count - 1].pfn + 1);
	if (!pages)
		return -errno;
	while ((ret = mmlens_pages_next(pages, &run)) > 0) {
		for (; i < list->count && list->gone[i].pfn < run->pfn; i++)
			;
		for (; i < list->count &&
		     list->gone[i].pfn < run->pfn + run->count; i++)
			list->gone[i].in_use = is_in_use(run);
	}
	mmlens_stats_add(stats, mmlens_pages_stats(pages));
	mmlens_pages_close(pages);
	return ret;
}

static void count_gone(struct mmlens_lru_moves *moves,
		       const struct gone_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct gone *gone = &list->gone[i];
		uint64_t pages = 1ull << gone->order;

		moves->pages[gone->place][gone->in_use ? MMLENS_PLACE_ISOLATED :
							 MMLENS_PLACE_NONE] += pages;
		*(gone->in_use ? &moves->isolated : &moves->left) += pages;
	}
}

/* ---- both ---- */

static int compare_looks(const struct mmlens_lru_look *before,
			 const struct mmlens_lru_look *after,
			 struct mmlens_lru_moves *moves, struct gone_list *gone)
{
	const struct spot *a = before->spots, *a_end = a + before->count;
	const struct spot *b = after->spots, *b_end = b + after->count;
	int ret = 0;

	while (!ret && (a < a_end || b < b_end)) {
		if (b == b_end || (a < a_end && a->pfn < b->pfn)) {
			ret = add_gone(gone, a, place_of(list_of(before, a)));
			a++;
		} else if (a == a_end || b->pfn < a->pfn) {
			moves->appeared += 1ull << b->order;
			moves->pages[MMLENS_PLACE_NONE]
				    [place_of(list_of(after, b))] +=
				1ull << b->order;
			b++;
		} else {
			count_moved(moves, list_of(before, a),
				    list_of(after, b), 1ull << b->order);
			a++;
			b++;
		}
	}
	return ret;
}

int mmlens_lru_moves_read(struct mmlens *lens,
			  const struct mmlens_lru_look *before,
			  const struct mmlens_lru_look *after,
			  struct mmlens_lru_moves *moves)
{
	struct gone_list gone = {};
	int ret;

	*moves = (struct mmlens_lru_moves) { .stats = after->stats };
	ret = compare_looks(before, after, moves, &gone);
	if (!ret)
		ret = look_after(&gone, lens, &moves->stats);
	if (!ret)
		count_gone(moves, &gone);
	free(gone.gone);
	return ret;
}
