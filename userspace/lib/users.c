// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who maps page frames: what processes map, turned round. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int compare_users(const void *a, const void *b)
{
	const struct mmlens_user *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->va < y->va ? -1 : x->va > y->va;
}

/*
 * The module ends a run with each step and each table: put together what goes on
 * with the one before.
 */
static bool goes_on(const struct mmlens_info *info,
		    const struct mmlens_user *run,
		    const struct mmlens_user *next)
{
	uint64_t bytes = (uint64_t)run->count << info->page_shift;

	return run->pid == next->pid && run->flags == next->flags &&
	       run->head.level == next->head.level &&
	       run->pfn + run->count == next->pfn &&
	       run->va + bytes == next->va &&
	       run->count + next->count > run->count;
}

static int add_user(struct mmlens_users *users, const struct mmlens_info *info,
		    const struct mmlens_user *user)
{
	struct mmlens_user *all = users->users;

	if (users->count && goes_on(info, &all[users->count - 1], user)) {
		all[users->count - 1].count += user->count;
		return 0;
	}
	all = mmlens_grown(all, users->count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	users->users = all;
	memcpy(&all[users->count++], user, sizeof(*user));
	return 0;
}

static int read_users(struct mmlens_users *users, struct mmlens *lens,
		      const struct mmlens_request *request,
		      bool (*wanted)(const struct mmlens_user *, void *),
		      void *context)
{
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_USERS, request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		const struct mmlens_user *user = (const void *)rec;

		if (rec->type != MMLENS_REC_USER ||
		    (wanted && !wanted(user, context)))
			continue;
		ret = add_user(users, &lens->info, user);
		if (ret)
			break;
	}
	users->stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret;
}

/* In order, and how far those up to each go. */
static int sort_users(struct mmlens_users *users)
{
	uint64_t reach = 0;

	if (!users->count)
		return 0;
	qsort(users->users, users->count, sizeof(*users->users),
	      compare_users);
	users->reach = calloc(users->count, sizeof(*users->reach));
	if (!users->reach)
		return -ENOMEM;
	for (size_t i = 0; i < users->count; i++) {
		const uint64_t end = users->users[i].pfn +
				     users->users[i].count;

		reach = end > reach ? end : reach;
		users->reach[i] = reach;
	}
	return 0;
}

size_t mmlens_users_first(const struct mmlens_users *users, uint64_t pfn)
{
	size_t low = 0, high = users->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (users->reach[middle] > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct mmlens_users *
mmlens_users_read(struct mmlens *lens, uint64_t start, uint64_t end,
		  bool (*wanted)(const struct mmlens_user *user, void *context),
		  void *context)
{
	struct mmlens_request request = { .start = start, .end = end };
	struct mmlens_users *users = calloc(1, sizeof(*users));
	int ret;

	if (!users)
		return NULL;
	ret = read_users(users, lens, &request, wanted, context);
	if (!ret)
		ret = sort_users(users);
	if (!ret)
		return users;
	mmlens_users_free(users);
	errno = -ret;
	return NULL;
}

void mmlens_users_free(struct mmlens_users *users)
{
	if (!users)
		return;
	free(users->users);
	free(users->reach);
	free(users);
}
