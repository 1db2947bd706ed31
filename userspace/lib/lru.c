// SPDX-License-Identifier: LGPL-2.1-or-later
/* The LRU lists: parts of a list put together, one list at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/**
 * struct lru_reader - The list under way.
 * @lru:	what is handed on
 * @folios:	its folios
 * @backings:	what backs them
 * @begun:	there is a list under way
 * @left:	PFNS records of its part that are to come
 * @wants_backing: a BACKING record follows each
 * @told:	whom to hand it to
 * @context:	what he is given
 */
struct lru_reader {
	struct mmlens_lru_contents lru;
	struct mmlens_pfns *folios;
	struct mmlens_backing *backings;
	bool begun;
	uint32_t left;
	bool wants_backing;
	int (*told)(const struct mmlens_lru_contents *lru, void *context);
	void *context;
};

bool mmlens_lru_is_same(const struct mmlens_lru_list *a,
			const struct mmlens_lru_list *b)
{
	return a->memcg == b->memcg && a->node == b->node && a->lru == b->lru &&
	       a->generation == b->generation && a->zone == b->zone;
}

/* The list under way is complete. */
static int finish(struct lru_reader *r)
{
	if (!r->begun)
		return 0;
	r->begun = false;
	r->lru.folios = r->folios;
	r->lru.backings = r->wants_backing ? r->backings : NULL;
	return r->told(&r->lru, r->context);
}

/* A list begins, or another part of it, or it begins once more. */
static int begin_part(struct lru_reader *r, const struct mmlens_lru_list *list)
{
	struct mmlens_lru_contents *lru = &r->lru;
	int ret = 0;

	if (r->left)
		return -EPROTO;
	if (r->begun && !mmlens_lru_is_same(&lru->list, list))
		ret = finish(r);
	if (ret)
		return ret;
	/* What was told goes on at its end at least. */
	if (!r->begun ||
	    list->position < lru->list.position + lru->list.count)
		lru->count = 0;
	r->begun = true;
	r->left = list->count;
	memcpy(&lru->list, list, sizeof(*list));
	return 0;
}

static int add_folio(struct lru_reader *r, const struct mmlens_pfns *page)
{
	size_t n = r->lru.count;
	struct mmlens_pfns *folios;

	if (!r->left--)
		return -EPROTO;
	folios = mmlens_grown(r->folios, n, sizeof(*folios));
	if (!folios)
		return -ENOMEM;
	r->folios = folios;
	memcpy(&folios[n], page, sizeof(*page));
	if (r->wants_backing) {
		struct mmlens_backing *backings =
			mmlens_grown(r->backings, n, sizeof(*backings));

		if (!backings)
			return -ENOMEM;
		r->backings = backings;
		backings[n] = (struct mmlens_backing) {};
	}
	r->lru.count++;
	return 0;
}

static int add_backing(struct lru_reader *r,
		       const struct mmlens_backing *backing)
{
	if (!r->wants_backing || !r->lru.count ||
	    r->folios[r->lru.count - 1].pfn != backing->pfn)
		return -EPROTO;
	memcpy(&r->backings[r->lru.count - 1], backing, sizeof(*backing));
	return 0;
}

static int take_record(struct lru_reader *r, const struct mmlens_record *rec)
{
	switch (rec->type) {
	case MMLENS_REC_LRU:
		return begin_part(r, (const void *)rec);
	case MMLENS_REC_PFNS:
		return add_folio(r, (const void *)rec);
	case MMLENS_REC_BACKING:
		return add_backing(r, (const void *)rec);
	}
	return 0;
}

static int read_lists(struct lru_reader *r, struct mmlens_stream *stream)
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		ret = take_record(r, rec);
		if (ret)
			return ret;
	}
	if (!ret && r->left)
		ret = -EPROTO;
	return ret ? ret : finish(r);
}

int mmlens_lru_read(struct mmlens *lens, const struct mmlens_request *request,
		    int (*told)(const struct mmlens_lru_contents *lru, void *context),
		    void *context, struct mmlens_stats *stats)
{
	struct lru_reader r = {
		.lru.start = request->start,
		.wants_backing = request->flags & MMLENS_WALK_BACKING,
		.told = told,
		.context = context,
	};
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_LRU, request);
	if (!stream)
		return -errno;
	ret = read_lists(&r, stream);
	if (stats)
		mmlens_stats_add(stats, mmlens_stream_stats(stream));
	mmlens_stream_close(stream);
	free(r.folios);
	free(r.backings);
	return ret;
}
