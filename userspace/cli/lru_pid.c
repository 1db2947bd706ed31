// SPDX-License-Identifier: GPL-2.0-only
/* mmlens lru --pid: where a process's pages stand, and which go next. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

bool lru_parse_size(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "kmgt";
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end) {
		suffix = strchr(suffixes, tolower((unsigned char)*end));
		if (!suffix || end[1])
			return false;
		shift = 10 * (suffix - suffixes + 1);
	}
	if (*bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

/* ---- what lists and cgroups are called ---- */

static struct lru_pid_list *label_lists(const struct mmlens_lru_process *p,
					struct mmlens_labels *labels)
{
	struct lru_pid_list *lists = calloc(p->share_count + 1, sizeof(*lists));

	for (size_t i = 0; lists && i < p->share_count; i++) {
		const struct mmlens_lru_list *list = &p->shares[i].list;

		lists[i].share = &p->shares[i];
		lists[i].memcg = mmlens_memcg_path(labels, list->memcg);
		if (list->generation)
			lists[i].zone = mmlens_zone_name(labels, list->zone);
	}
	return lists;
}

static int show(struct session *s, const struct lru_pid_options *o,
		const struct mmlens_lru_process *p)
{
	struct mmlens_labels *labels = mmlens_labels_open();
	struct lru_pid_list *lists = labels ? label_lists(p, labels) : NULL;
	struct lru_pid_look look = {
		.pid = o->pid,
		.process = p,
		.lists = lists,
		.has_after = o->has_after,
		.pages = o->pages,
	};

	if (lists)
		(s->json ? lru_pid_json : lru_pid_text)(&s->view, &look);
	free(lists);
	mmlens_labels_close(labels);
	return lists ? CLI_OK : session_explain_of(s, "lru", -ENOMEM);
}

int lru_show_pid(struct session *s, const struct lru_pid_options *o)
{
	const unsigned int shift = s->view.info->page_shift;
	struct mmlens_lru_process *p;
	uint64_t pages = 0;
	int status;

	if (o->has_after)
		pages = (o->after >> shift) +
			!!(o->after & ((1ull << shift) - 1));
	p = mmlens_lru_process_read(s->lens, o->pid, pages);
	if (!p)
		return session_explain(s, o->pid, -errno);
	status = show(s, o, p);
	mmlens_lru_process_free(p);
	return status;
}
