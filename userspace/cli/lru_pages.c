// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru --pages: what stands on the lists, and whose it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"

/**
 * struct job - What is shown, list by list.
 * @s:		the connection
 * @a:		what was asked for
 * @table:	the lists
 * @labels:	what numbers stand for
 * @view:	how
 * @users:	who maps page frames
 * @commands:	what processes are called
 * @mappers:	of one folio, filled anew for each
 * @room:	how many there may be
 * @at:		the list of the table that is to come
 * @folios:	shown so far
 * @stats:	of all walks
 */
struct job {
	struct session *s;
	const struct lru_arguments *a;
	const struct lru_table *table;
	struct mmlens_labels *labels;
	const struct lru_pages_view *view;
	struct mmlens_users *users;
	struct commands commands;
	struct pfn_mapper *mappers;
	size_t room;
	size_t at;
	uint64_t folios;
	struct mmlens_stats stats;
};

/* ---- who maps a folio ---- */

/*
 * The entry of a huge page that was lost to a memory error names all of its
 * pages, though some may have been freed since.
 */
static bool maps(const struct mmlens_user *user, const struct mmlens_pfns *page)
{
	return user->pfn + user->count > page->pfn &&
	       (mmlens_state(user->flags) != MMLENS_STATE_HWPOISON ||
		page->bucket == MMLENS_BUCKET_HWPOISON);
}

static struct pfn_mapper *add_mapper(struct job *job, size_t n)
{
	if (n == job->room) {
		const size_t room = n ? 2 * n : 16;
		struct pfn_mapper *grown = reallocarray(job->mappers, room,
							sizeof(*grown));

		if (!grown)
			return NULL;
		job->mappers = grown;
		job->room = room;
	}
	return &job->mappers[n];
}

/* The part of what @user maps that is in the folio. */
static void mapper_fill(struct pfn_mapper *m, const struct job *job,
			const struct mmlens_user *user,
			const struct mmlens_pfns *page)
{
	const uint64_t first = user->pfn > page->pfn ? user->pfn : page->pfn;
	const uint64_t end = page->pfn + (1ull << page->order);
	const uint64_t user_end = user->pfn + user->count;

	*m = (struct pfn_mapper) {
		.user = user,
		.pfn = first,
		.va = user->va + ((first - user->pfn)
				  << job->s->view.info->page_shift),
		.count = (uint32_t)((user_end < end ? user_end : end) - first),
		.comm = commands_name(&job->commands, user->pid),
	};
}

static int find_mappers(struct job *job, struct lru_folio *folio)
{
	const struct mmlens_users *users = job->users;
	const uint64_t end = folio->page->pfn + (1ull << folio->page->order);
	size_t n = 0;

	for (size_t i = mmlens_users_first(users, folio->page->pfn);
	     i < users->count && users->users[i].pfn < end; i++) {
		struct pfn_mapper *m;

		if (!maps(&users->users[i], folio->page))
			continue;
		m = add_mapper(job, n++);
		if (!m)
			return -ENOMEM;
		mapper_fill(m, job, &users->users[i], folio->page);
	}
	folio->mappers = job->mappers;
	folio->count = n;
	return 0;
}

/* ---- a list ---- */

static int show_folio(struct job *job, const struct mmlens_lru_contents *lru,
		      size_t i)
{
	static const struct mmlens_backing unknown;
	struct lru_folio folio = {
		.position = lru->start + i,
		.page = &lru->folios[i],
		.backing = lru->backings ? &lru->backings[i] : &unknown,
	};
	int ret = find_mappers(job, &folio);

	if (ret)
		return ret;
	job->view->folio(&job->s->view, &lru->list, &folio);
	session_progress(job->folios++, folio.page->pfn);
	return 0;
}

/* Is it worth a heading? */
static bool is_shown(const struct job *job,
		     const struct mmlens_lru_contents *lru)
{
	return job->a->all || job->s->json || lru->count ||
	       (lru->list.flags & MMLENS_LIST_NO_ORDER && lru->list.pages);
}

static int show_list(struct job *job, const struct mmlens_lru_contents *lru)
{
	const struct lru_line line = lru_line_of(&lru->list, job->labels);
	const size_t head = job->a->head;
	const size_t first = head && lru->count > head ? lru->count - head : 0;
	int ret = 0;

	if (!is_shown(job, lru))
		return 0;
	job->view->list(&job->s->view, &line, lru->count - first);
	for (size_t i = first; i < lru->count && !ret && !job->s->view.error;
	     i++)
		ret = show_folio(job, lru, i);
	job->view->list_end(&job->s->view, &line);
	return ret;
}

/* The index of a generation may have gone to another one meanwhile. */
static bool is_next(const struct job *job, const struct mmlens_lru_list *list)
{
	return job->at < job->table->count &&
	       mmlens_lru_is_same(list, &job->table->lists[job->at]) &&
	       lru_selector_takes(&job->a->selector, list);
}

/* As long as the walk comes to the lists of the table, it goes on. */
static int take_list(const struct mmlens_lru_contents *lru, void *context)
{
	struct job *job = context;

	if (!is_next(job, &lru->list))
		return 1;
	job->at++;
	return show_list(job, lru);
}

/* The next list, and those behind it that are next in the table as well. */
static int read_lists(struct job *job)
{
	const struct mmlens_lru_list *list = &job->table->lists[job->at];
	const struct mmlens_request request = {
		.flags = MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING,
		.end = job->a->tail,
		.from = list->cursor,
	};
	const size_t before = job->at;
	int ret;

	ret = mmlens_lru_read(job->s->lens, &request, take_list, job,
			      &job->stats);
	if (ret < 0)
		return ret;
	if (job->at == before) {
		const struct lru_line line = lru_line_of(list, job->labels);

		job->view->gone(&job->s->view, &line);
		job->at++;
	}
	return 0;
}

/* ---- what is unevictable and on no list ---- */

/**
 * struct unevictable - All that are, by PFN.
 * @count:	how many
 * @folios:	the first page of each
 */
struct unevictable {
	size_t count;
	struct unevictable_folio {
		uint64_t pfn;
		uint64_t memcg;
		uint32_t node;
	} *folios;
};

static int add_folio(struct unevictable *u, const struct mmlens_pfns *run,
		     uint64_t pfn)
{
	if (!(u->count & (u->count - 1))) {
		struct unevictable_folio *grown =
			reallocarray(u->folios, u->count ? 2 * u->count : 1,
				     sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		u->folios = grown;
	}
	u->folios[u->count++] = (struct unevictable_folio) {
		.pfn = pfn,
		.memcg = run->memcg,
		.node = run->node,
	};
	return 0;
}

/* Of pages in a row the first ones of folios. */
static int add_run(struct unevictable *u, const struct mmlens_pfns *run)
{
	const uint64_t size = 1ull << run->order;
	const uint64_t first = run->folio_index % size;
	int ret = 0;

	if (run->lru != MMLENS_LRU_UNEVICTABLE)
		return 0;
	for (uint64_t i = (size - first) % size; i < run->count && !ret;
	     i += size)
		ret = add_folio(u, run, run->pfn + i);
	return ret;
}

static int find_unevictable(struct job *job, struct unevictable *u)
{
	struct mmlens_pages *pages = mmlens_pages_open(job->s->lens, 0, 0);
	const struct mmlens_pfns *run;
	int ret;

	if (!pages)
		return -errno;
	while ((ret = mmlens_pages_next(pages, &run)) > 0) {
		ret = add_run(u, run);
		if (ret)
			break;
	}
	mmlens_stats_add(&job->stats, mmlens_pages_stats(pages));
	mmlens_pages_close(pages);
	return ret;
}

/* Is it of the list?  What is charged to no memcg is the root's. */
static bool is_of(const struct job *job, const struct unevictable_folio *folio,
		  const struct mmlens_lru_list *list)
{
	const uint64_t memcg = folio->memcg ? folio->memcg : job->table->root;

	return folio->node == list->node && memcg == list->memcg;
}

/* Look at each of the list once more: what backs it isn't known yet. */
static int fill_list(struct job *job, const struct unevictable *u,
		     const struct mmlens_lru_list *list,
		     struct mmlens_pfns *folios,
		     struct mmlens_backing *backings, size_t *count)
{
	struct mmlens_frame frame;
	int ret;

	for (size_t i = 0; i < u->count; i++) {
		if (!is_of(job, &u->folios[i], list))
			continue;
		ret = mmlens_frame_read(job->s->lens, u->folios[i].pfn, &frame);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		mmlens_stats_add(&job->stats, &frame.stats);
		folios[*count] = frame.page;
		backings[(*count)++] = frame.backing;
	}
	return 0;
}

static int show_unevictable(struct job *job, const struct unevictable *u,
			    const struct mmlens_lru_list *list)
{
	struct mmlens_pfns *folios = calloc(u->count + 1, sizeof(*folios));
	struct mmlens_backing *backings = calloc(u->count + 1,
						 sizeof(*backings));
	struct mmlens_lru_contents lru = {
		.list = *list,
		.folios = folios,
		.backings = backings,
	};
	int ret = folios && backings ? 0 : -ENOMEM;

	if (!ret)
		ret = fill_list(job, u, list, folios, backings, &lru.count);
	if (!ret)
		ret = show_list(job, &lru);
	free(folios);
	free(backings);
	return ret;
}

/* Without an order there is no end to begin at. */
static bool wants_unevictable(const struct lru_arguments *a)
{
	return a->selector.which == LRU_CLASSIC &&
	       a->selector.lru == MMLENS_LRU_UNEVICTABLE &&
	       !a->tail && !a->head;
}

/* ---- all of them ---- */

static int gather(struct job *job)
{
	job->users = mmlens_users_read(job->s->lens, 0, 0, NULL, NULL);
	if (!job->users)
		return -errno;
	mmlens_stats_add(&job->stats, &job->users->stats);
	return commands_read(&job->commands, job->s->lens);
}

/* Of all of the table, which are those that keep no order. */
static int show_unordered(struct job *job)
{
	const struct lru_table *table = job->table;
	struct unevictable u = {};
	int ret = find_unevictable(job, &u);

	for (size_t i = 0; i < table->count && !ret && !job->s->view.error;
	     i++)
		ret = show_unevictable(job, &u, &table->lists[i]);
	free(u.folios);
	return ret;
}

static int show_lists(struct job *job)
{
	const struct lru_table *table = job->table;
	int ret = 0;

	if (wants_unevictable(job->a) &&
	    table->lists[0].flags & MMLENS_LIST_NO_ORDER)
		return show_unordered(job);
	while (job->at < table->count && !ret && !job->s->view.error)
		ret = read_lists(job);
	return ret;
}

int lru_show_pages(struct session *s, const struct lru_arguments *a,
		   const struct lru_table *table, struct mmlens_labels *labels)
{
	struct job job = {
		.s = s,
		.a = a,
		.table = table,
		.labels = labels,
		.view = s->json ? &lru_pages_json : &lru_pages_text,
		.stats = table->stats,
	};
	int ret = gather(&job);

	if (!ret) {
		job.view->begin(&s->view, table->kinds);
		ret = show_lists(&job);
		session_progress_end();
		job.stats.truncated |= ret < 0;
		job.view->end(&s->view, job.folios, &job.stats);
	}
	free(job.mappers);
	commands_free(&job.commands);
	mmlens_users_free(job.users);
	return session_explain_of(s, "lru", ret);
}
