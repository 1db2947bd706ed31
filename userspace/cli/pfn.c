// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pfn: all about page frames, and who maps them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct arguments {
	bool json;
	bool no_who;
	const char *range;		/* of --who */
	uint64_t start;			/* of it */
	uint64_t end;
	size_t count;
	uint64_t *pfns;
};

enum { OPT_WHO = OPT_OWN, OPT_NO_WHO };

static const struct option long_options[] = {
	{ "who", required_argument, NULL, OPT_WHO },
	{ "no-who", no_argument, NULL, OPT_NO_WHO },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

/* Physical addresses have 64 bits at most, and the last one's PFN no next. */
#define MAX_PFN	(1ull << 52)

/* Decimal, or hexadecimal with 0x; @end is set behind it. */
static bool parse_pfn(const char *text, const char **end, uint64_t *pfn)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*pfn = strtoull(text, &stop, text[0] == '0' &&
			(text[1] | 0x20) == 'x' ? 16 : 10);
	*end = stop;
	return !errno && *pfn < MAX_PFN;
}

/* START-END, START+COUNT or one PFN. */
static bool parse_range(const char *text, uint64_t *start, uint64_t *end)
{
	char sign;

	if (!parse_pfn(text, &text, start))
		return false;
	*end = *start + 1;
	sign = *text;
	if (!sign)
		return true;
	if ((sign != '-' && sign != '+') || !parse_pfn(text + 1, &text, end))
		return false;
	if (sign == '+')
		*end += *start;
	return !*text && *end > *start;
}

static int parse_operands(const struct command *self, struct arguments *a,
			  int argc, char **argv)
{
	if (optind == argc)
		return cli_usage(self, "needs a PFN");
	a->pfns = calloc(argc - optind, sizeof(*a->pfns));
	if (!a->pfns) {
		cli_error("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	for (; optind < argc; optind++) {
		const char *end;

		if (!parse_pfn(argv[optind], &end, &a->pfns[a->count++]) ||
		    *end)
			return cli_usage(self, "'%s' isn't a PFN",
					 argv[optind]);
	}
	return CLI_GO_ON;
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == OPT_WHO) {
			a->range = optarg;
			continue;
		}
		if (c == OPT_NO_WHO) {
			a->no_who = true;
			continue;
		}
		status = cli_common_option(self, c, &a->json);
		if (status != CLI_GO_ON)
			return status;
	}
	if (!a->range)
		return parse_operands(self, a, argc, argv);
	if (a->no_who)
		return cli_usage(self, "--who and --no-who exclude each other");
	if (!parse_range(a->range, &a->start, &a->end))
		return cli_usage(self, "'%s' isn't a range of PFNs", a->range);
	return cli_no_more(self, argc, argv);
}

/* ---- who maps them ---- */

/**
 * struct answer - What was gathered for all page frames together.
 * @users:	who maps them; NULL: not asked
 * @commands:	what processes are called
 * @labels:	what numbers stand for
 * @stats:	of all walks so far
 */
struct answer {
	struct mmlens_users *users;
	struct commands commands;
	struct mmlens_labels *labels;
	struct mmlens_stats stats;
};

static bool holds(const struct mmlens_user *user, uint64_t pfn)
{
	return pfn - user->pfn < user->count;
}

static bool is_wanted(const struct mmlens_user *user, void *context)
{
	const struct arguments *a = context;

	for (size_t i = 0; i < a->count; i++)
		if (holds(user, a->pfns[i]))
			return true;
	return false;
}

/* One walk for all PFNs, from the lowest to the highest. */
static int gather(struct session *s, struct arguments *a, struct answer *answer)
{
	uint64_t low = a->range ? a->start : a->pfns[0];
	uint64_t high = a->range ? a->end - 1 : low;

	for (size_t i = 0; i < a->count; i++) {
		low = a->pfns[i] < low ? a->pfns[i] : low;
		high = a->pfns[i] > high ? a->pfns[i] : high;
	}
	answer->users = mmlens_users_read(s->lens, low, high + 1,
					  a->range ? NULL : is_wanted, a);
	if (!answer->users)
		return -errno;
	answer->stats = answer->users->stats;
	return answer->users->count ? commands_read(&answer->commands, s->lens) :
				      0;
}

static void mapper_fill(struct pfn_mapper *m, const struct session *s,
			const struct answer *answer,
			const struct mmlens_user *user, uint64_t pfn,
			uint32_t count)
{
	*m = (struct pfn_mapper) {
		.user = user,
		.pfn = pfn,
		.va = user->va +
		      ((pfn - user->pfn) << s->view.info->page_shift),
		.count = count,
		.comm = commands_name(&answer->commands, user->pid),
	};
}

/* All of them, as they are. */
static struct pfn_mapper *all_mappers(const struct session *s,
				      const struct answer *answer)
{
	const struct mmlens_users *users = answer->users;
	struct pfn_mapper *mappers = calloc(users->count + 1, sizeof(*mappers));

	for (size_t i = 0; mappers && i < users->count; i++)
		mapper_fill(&mappers[i], s, answer, &users->users[i],
			    users->users[i].pfn, users->users[i].count);
	return mappers;
}

static int show_who(struct session *s, const struct arguments *a,
		    const struct answer *answer)
{
	struct pfn_mapper *mappers = all_mappers(s, answer);

	if (!mappers)
		return session_explain_of(s, "who", -ENOMEM);
	(s->json ? pfn_who_json : pfn_who_text)(&s->view, a->start, a->end,
						mappers, answer->users->count,
						&answer->stats);
	free(mappers);
	return CLI_OK;
}

/* ---- cards ---- */

/*
 * The mapping of @m: its name is noted, and with @backing whether it is of the
 * file that the page is of.
 */
static bool look_at_mapping(struct session *s, struct pfn_mapper *m,
			    const struct mmlens_backing *backing)
{
	struct mmlens_request request = {
		.pid = m->user->pid,
		.start = m->va,
		.end = m->va + (1ull << s->view.info->page_shift),
	};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	bool same = false;

	areas = mmlens_areas_open(s->lens, &request, 0);
	if (!areas)
		return false;
	if (mmlens_areas_next(areas, &area) > 0 && area->name) {
		m->name = strndup(area->name, area->name_length);
		same = backing && backing->flags & MMLENS_BACKING_INODE &&
		       area->vma->flags & MMLENS_VMA_FILE &&
		       area->vma->inode == backing->inode &&
		       area->vma->dev_major == backing->dev_major &&
		       area->vma->dev_minor == backing->dev_minor;
	}
	mmlens_areas_close(areas);
	return same;
}

static size_t count_mappers(const struct answer *answer, uint64_t pfn)
{
	size_t count = 0;

	for (size_t i = 0; answer->users && i < answer->users->count; i++)
		count += holds(&answer->users->users[i], pfn);
	return count;
}

/* Sorted by PID and address: by PFN they were by the first of their run. */
static int compare_mappers(const void *a, const void *b)
{
	const struct pfn_mapper *x = a, *y = b;

	if (x->user->pid != y->user->pid)
		return x->user->pid < y->user->pid ? -1 : 1;
	return x->va < y->va ? -1 : x->va > y->va;
}

/* Who maps the card's page, and as which file. */
static int add_mappers(struct session *s, const struct answer *answer,
		       struct pfn_card *card)
{
	const struct mmlens_backing *backing;
	struct pfn_mapper *mappers;
	size_t n = 0;

	mappers = calloc(count_mappers(answer, card->pfn) + 1,
			 sizeof(*mappers));
	if (!mappers)
		return -ENOMEM;
	backing = card->frame ? &card->frame->backing : NULL;
	for (size_t i = 0; i < answer->users->count; i++) {
		const struct mmlens_user *user = &answer->users->users[i];

		if (!holds(user, card->pfn))
			continue;
		mapper_fill(&mappers[n], s, answer, user, card->pfn, 1);
		if (look_at_mapping(s, &mappers[n], backing))
			card->path = mappers[n].name;
		n++;
	}
	qsort(mappers, n, sizeof(*mappers), compare_mappers);
	card->mappers = mappers;
	card->count = n;
	return 0;
}

static void card_free(struct pfn_card *card)
{
	struct pfn_mapper *mappers = (struct pfn_mapper *)card->mappers;

	for (size_t i = 0; i < card->count; i++)
		free(mappers[i].name);
	free(mappers);
}

static int show_card(struct session *s, struct answer *answer, uint64_t pfn,
		     const struct pfn_view *view)
{
	struct mmlens_frame frame;
	struct pfn_card card = { .pfn = pfn, .who = answer->users };
	int ret = mmlens_frame_read(s->lens, pfn, &frame);

	if (ret < 0)
		return ret;
	mmlens_stats_add(&answer->stats, &frame.stats);
	if (ret) {
		card.frame = &frame;
		card.labels.memcg = mmlens_memcg_path(answer->labels,
						      frame.page.memcg);
		card.labels.zone = mmlens_zone_name(answer->labels,
						    frame.page.zone);
	}
	if (card.who) {
		int err = add_mappers(s, answer, &card);

		if (err)
			return err;
	}
	view->card(&s->view, &card);
	card_free(&card);
	return ret;
}

/* CLI_FAILED when one of them isn't online memory. */
static int show_cards(struct session *s, const struct arguments *a,
		      struct answer *answer)
{
	const struct pfn_view *view = s->json ? &pfn_json : &pfn_text;
	int status = CLI_OK, ret = 0;
	size_t i;

	answer->labels = mmlens_labels_open();
	if (!answer->labels)
		return session_explain_of(s, "pfn", -ENOMEM);
	view->begin(&s->view);
	for (i = 0; i < a->count && ret >= 0; i++) {
		ret = show_card(s, answer, a->pfns[i], view);
		if (!ret) {
			cli_error("PFN 0x%llx: isn't online memory",
				  (unsigned long long)a->pfns[i]);
			status = CLI_FAILED;
		}
	}
	view->end(&s->view, i, &answer->stats);
	mmlens_labels_close(answer->labels);
	return ret < 0 ? session_explain_of(s, "pfn", ret) : status;
}

static int show(struct session *s, struct arguments *a)
{
	struct answer answer = {};
	int status, ret = 0;

	if (!a->no_who)
		ret = gather(s, a, &answer);
	if (ret)
		status = session_explain_of(s, "who maps them", ret);
	else if (a->range)
		status = show_who(s, a, &answer);
	else
		status = show_cards(s, a, &answer);
	mmlens_users_free(answer.users);
	commands_free(&answer.commands);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments a = {};
	struct session s;
	int status;

	status = parse(self, &a, argc, argv);
	if (status == CLI_GO_ON)
		status = session_open(&s, MMLENS_NR_USERS, a.json);
	if (status == CLI_GO_ON)
		status = session_close(&s, show(&s, &a));
	free(a.pfns);
	return status;
}

const struct command cmd_pfn = {
	.name = "pfn",
	.arguments = "[--no-who] [--json] PFN... | --who RANGE [--json]",
	.summary = "all about a page frame, and who maps it",
	.help = "      --who RANGE  who maps the page frames of START-END (END isn't in it),\n"
		"                   START+COUNT or of one PFN\n"
		"      --no-who     don't look for who maps the page: that walks the page\n"
		"                   tables of all processes\n"
		COMMON_HELP
		"\nPFNs are decimal, or hexadecimal with 0x. Exit status 1: one of them isn't\n"
		"online memory.\n",
	.run = run,
};
