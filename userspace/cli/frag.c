// SPDX-License-Identifier: GPL-2.0-only
/* mmlens frag: why an order can't be had, and what stands in the way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define MOST_CANDIDATES 1000000
#define MOST_ORDER 20

/* Candidates for which it pays to leave out who maps none of their pages. */
#define FEW 64

struct arguments {
	struct frag_options view;
	unsigned int candidates;
	bool json;
};

static const struct option long_options[] = {
	{ "node", required_argument, NULL, 'n' },
	{ "zone", required_argument, NULL, 'z' },
	{ "order", required_argument, NULL, 'o' },
	{ "count", required_argument, NULL, 'c' },
	{ "all", no_argument, NULL, 'a' },
	COMMON_OPTIONS
};

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'n':
	case 'z':
	case 'o':
		return cli_free_option(self, c, &a->view.filter);
	case 'a':
		a->view.all = true;
		return CLI_GO_ON;
	case 'c':
		if (cli_parse_number(optarg, MOST_CANDIDATES, &a->candidates) &&
		    a->candidates)
			return CLI_GO_ON;
		return cli_usage(self, "'%s' isn't a number from 1 to %d",
				 optarg, MOST_CANDIDATES);
	default:
		return cli_common_option(self, c, &a->json);
	}
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	const struct free_filter *filter = &a->view.filter;
	int status;

	status = cli_parse_options(self, argc, argv, "n:z:o:c:ah", long_options,
				   parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	if (filter->order > MOST_ORDER)
		return cli_usage(self, "%d isn't an order", filter->order);
	if (filter->order < 0 && (a->candidates || a->view.all))
		return cli_usage(self, "%s needs --order",
				 a->candidates ? "--count" : "--all");
	if (!a->candidates)
		a->candidates = 3;
	return cli_no_more(self, argc, argv);
}

/* ---- whose ---- */

/**
 * struct answer - What was gathered.
 * @zones:	zones
 * @frag:	the blocks that come closest; NULL: not asked
 * @users:	who maps their pages
 * @commands:	what processes are called
 * @labels:	paths of memory cgroups
 * @owners:	of each candidate's blockers
 */
struct answer {
	struct mmlens_zones *zones;
	struct mmlens_frag *frag;
	struct mmlens_users *users;
	struct commands commands;
	struct mmlens_labels *labels;
	struct frag_owner **owners;
};

/* Is it of a page of a candidate? */
static bool is_wanted(const struct mmlens_user *user, void *context)
{
	const struct mmlens_frag *frag = context;
	const uint64_t size = 1ull << frag->order;

	for (size_t i = 0; i < frag->count; i++)
		if (user->pfn < frag->candidates[i].pfn + size &&
		    frag->candidates[i].pfn < user->pfn + user->count)
			return true;
	return false;
}

static int read_users(struct session *s, struct answer *answer)
{
	struct mmlens_frag *frag = answer->frag;
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < frag->count; i++) {
		const uint64_t pfn = frag->candidates[i].pfn;

		low = pfn < low ? pfn : low;
		high = pfn > high ? pfn : high;
	}
	answer->users = mmlens_users_read(s->lens, low,
					  high + (1ull << frag->order),
					  frag->count > FEW ? NULL : is_wanted,
					  frag);
	if (!answer->users)
		return -errno;
	mmlens_stats_add(&frag->stats, &answer->users->stats);
	return commands_read(&answer->commands, s->lens);
}

/* What is of a file that nobody maps has a name at least. */
static int name_file(struct session *s, const struct mmlens_pfns *run,
		     struct frag_owner *owner)
{
	struct mmlens_frame frame;
	int ret;

	if (run->bucket != MMLENS_BUCKET_INACTIVE_FILE &&
	    run->bucket != MMLENS_BUCKET_ACTIVE_FILE &&
	    run->bucket != MMLENS_BUCKET_UNEVICTABLE)
		return 0;
	ret = mmlens_frame_read(s->lens, run->pfn, &frame);
	if (ret > 0)
		memcpy(owner->file, frame.backing.name, sizeof(owner->file));
	return ret < 0 ? ret : 0;
}

/*
 * Does it map the page?  The entry of a huge page that was lost to a memory
 * error names all of its pages, though some may have been freed since.
 */
static bool maps(const struct mmlens_user *user, const struct mmlens_pfns *run)
{
	if (run->pfn - user->pfn >= user->count)
		return false;
	return mmlens_state(user->flags) != MMLENS_STATE_HWPOISON ||
	       run->bucket == MMLENS_BUCKET_HWPOISON;
}

static int find_owner(struct session *s, const struct answer *answer,
		      const struct mmlens_pfns *run, struct frag_owner *owner)
{
	const struct mmlens_users *users = answer->users;

	for (size_t i = mmlens_users_first(users, run->pfn);
	     i < users->count && users->users[i].pfn <= run->pfn; i++) {
		const struct mmlens_user *user = &users->users[i];

		if (!maps(user, run))
			continue;
		if (owner->user)
			owner->others++;
		else
			owner->user = user;
	}
	if (owner->user)
		owner->comm = commands_name(&answer->commands,
					    owner->user->pid);
	owner->memcg = mmlens_memcg_path(answer->labels, run->memcg);
	return name_file(s, run, owner);
}

static int find_owners(struct session *s, struct answer *answer)
{
	const struct mmlens_frag *frag = answer->frag;
	int ret = 0;

	answer->owners = calloc(frag->count, sizeof(*answer->owners));
	answer->labels = mmlens_labels_open();
	if (!answer->owners || !answer->labels)
		return -ENOMEM;
	for (size_t i = 0; i < frag->count && !ret; i++) {
		const struct mmlens_candidate *c = &frag->candidates[i];

		answer->owners[i] = calloc(c->count + 1,
					   sizeof(**answer->owners));
		if (!answer->owners[i])
			return -ENOMEM;
		for (size_t j = 0; j < c->count && !ret; j++)
			ret = find_owner(s, answer, &c->blockers[j].run,
					 &answer->owners[i][j]);
	}
	return ret;
}

/* ---- together ---- */

struct zone_filter {
	const struct mmlens_zones *zones;
	const struct free_filter *filter;
};

static bool takes_zone(uint32_t node, unsigned int zone, void *context)
{
	const struct zone_filter *f = context;
	const struct mmlens_zone *z = mmlens_zones_find(f->zones, node, zone);

	return z && free_filter_zone(f->filter, z);
}

static int gather(struct session *s, const struct arguments *a,
		  struct answer *answer)
{
	struct zone_filter filter = { .filter = &a->view.filter };
	int ret;

	answer->zones = mmlens_zones_read(s->lens);
	if (!answer->zones)
		return -errno;
	if (a->view.filter.order < 0)
		return 0;
	filter.zones = answer->zones;
	answer->frag = mmlens_frag_read(s->lens, a->view.filter.order,
					a->candidates, takes_zone, &filter);
	if (!answer->frag)
		return -errno;
	if (!answer->frag->count)
		return 0;
	ret = read_users(s, answer);
	return ret ? ret : find_owners(s, answer);
}

static void show(struct session *s, const struct arguments *a,
		 const struct answer *answer)
{
	if (a->json) {
		frag_json(&s->view, answer->zones, answer->frag,
			  answer->owners, &a->view);
		return;
	}
	frag_text(&s->view, answer->zones, &a->view);
	if (answer->frag)
		frag_candidates_text(&s->view, answer->zones, answer->frag,
				     answer->owners, &a->view);
	else
		view_hold(&s->view, &answer->zones->stats);
}

static void answer_free(struct answer *answer)
{
	for (size_t i = 0; answer->owners && i < answer->frag->count; i++)
		free(answer->owners[i]);
	free(answer->owners);
	mmlens_labels_close(answer->labels);
	commands_free(&answer->commands);
	mmlens_users_free(answer->users);
	mmlens_frag_free(answer->frag);
	mmlens_zones_free(answer->zones);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = { .view.filter = { -1, NULL, -1, -1 } };
	struct answer answer = {};
	struct session s;
	int status = parse(self, &a, argc, argv);
	int ret;

	if (status != CLI_GO_ON)
		return status;
	status = session_open(&s, MMLENS_NR_USERS, a.json);
	if (status != CLI_GO_ON)
		return status;
	a.view.threshold = mmlens_extfrag_threshold();
	ret = gather(&s, &a, &answer);
	if (!ret)
		show(&s, &a, &answer);
	status = session_explain_of(&s, self->name, ret);
	answer_free(&answer);
	return session_close(&s, status);
}

const struct command cmd_frag = {
	.name = "frag",
	.arguments = "[-o ORDER [-c COUNT] [-a]] [-n NODE] [-z ZONE] [--json]",
	.summary = "why an order can't be had, and what stands in the way",
	.help = "  -o, --order N    which blocks of that order come closest to be free, what\n"
		"                   stands in the way and whose it is\n"
		"  -c, --count N    so many blocks (3)\n"
		"  -a, --all        all that stands in the way, not the first 16 lines\n"
		"  -n, --node NODE  of that NUMA node alone\n"
		"  -z, --zone ZONE  of that zone alone, as Normal\n"
		COMMON_HELP,
	.run = run,
};
