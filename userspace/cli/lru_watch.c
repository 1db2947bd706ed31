// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru --watch: what moves between the LRU lists. */
#include <errno.h>

#include "cli.h"
#include "pace.h"

/* One comparison, shown; the later look becomes the earlier. */
static int step(struct session *s, struct mmlens_lru_look **before,
		double *begun, struct lru_watch_step *shown)
{
	struct mmlens_lru_look *after;
	struct mmlens_lru_moves moves;
	double at = pace_now();
	int ret;

	after = mmlens_lru_look_read(s->lens);
	if (!after)
		return -errno;
	ret = mmlens_lru_moves_read(s->lens, *before, after, &moves);
	if (!ret) {
		shown->number++;
		shown->seconds = at - *begun;
		shown->moves = &moves;
		shown->listed = mmlens_lru_look_pages(after);
		(s->json ? lru_watch_json : lru_watch_text)(&s->view, shown);
		shown->moves = NULL;
	}
	mmlens_lru_look_free(*before);
	*before = after;
	*begun = at;
	return ret;
}

int lru_watch(struct session *s, double seconds, unsigned int count)
{
	struct lru_watch_step shown = {};
	double begun = pace_now();
	struct mmlens_lru_look *look;
	struct pace pace;
	int ret = 0;

	look = mmlens_lru_look_read(s->lens);
	if (!look)
		return session_explain_of(s, "lru", -errno);
	pace_begin(&pace, seconds);
	while (!ret && !s->view.error && (!count || shown.number < count)) {
		pace_next(&pace);
		if (pace_wait(&pace, -1) != PACE_DUE)
			break;
		ret = step(s, &look, &begun, &shown);
	}
	pace_end(&pace);
	mmlens_lru_look_free(look);
	return session_explain_of(s, "lru", ret);
}
