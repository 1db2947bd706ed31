// SPDX-License-Identifier: GPL-2.0-only
/* verify: what counts as a mismatch, and what is found in made-up text. */
#include <errno.h>

#include "fake.h"
#include "test.h"
#include "verify.h"

static struct verify_result result;
static const struct verify_options options = { .most = 2, .samples = 1 };
static struct verify verify;

static void begin(void)
{
	memset(&result, 0, sizeof(result));
	verify = (struct verify) {
		.info = &fake_info, .o = &options, .result = &result,
	};
}

static void end(void)
{
	for (size_t i = 0; i < result.count; i++) {
		free(result.shown[i].key);
		free(result.shown[i].kernel);
		free(result.shown[i].ours);
	}
	free(result.shown);
	free(result.skipped);
}

/* ---- settling ---- */

/* What differs at each look, one letter a key; '!' moved, '.' is alike. */
static int as_told(struct verify *v, void *context)
{
	const char *const **at = context;
	const char *look = *(*at);

	if ((*at)[1])
		++*at;
	v->compared += 7;
	if (*look == '!')
		return VERIFY_MOVED;
	if (*look == 'E')
		return -EIO;
	for (; *look; look++)
		if (*look != '.')
			verify_differs(v, "kernel's", "ours", "at %c", *look);
	return 0;
}

static int settle(const char *const *looks)
{
	begin();
	return verify_settle(&verify, as_told, &looks);
}

static void what_stays_is_a_mismatch(void)
{
	static const char *const alike[] = { ".", NULL };
	static const char *const once[] = { "ab", ".", NULL };
	static const char *const others[] = { "ab", "cd", NULL };
	static const char *const stays[] = { "!", "abc", "cb", "b", NULL };
	static const char *const many[] = { "edcba", NULL };
	static const char *const moves[] = { "!", NULL };
	static const char *const fails[] = { "a", "E", NULL };

	CHECK_NUMBER(settle(alike), 0);
	CHECK_NUMBER(result.compared, 7);
	CHECK_NUMBER(result.mismatches, 0);
	end();
	CHECK_NUMBER(settle(once), 0);
	CHECK_NUMBER(result.mismatches, 0);
	CHECK_NUMBER(result.compared, 7);
	end();
	CHECK_NUMBER(settle(others), 0);
	CHECK_NUMBER(result.mismatches, 0);
	end();
	CHECK_NUMBER(settle(stays), 0);
	CHECK_NUMBER(result.mismatches, 1);
	CHECK_NUMBER(result.count, 1);
	CHECK_STRING(result.shown[0].key, "at b");
	CHECK_STRING(result.shown[0].kernel, "kernel's");
	CHECK_STRING(result.shown[0].ours, "ours");
	end();
	CHECK_NUMBER(settle(many), 0);
	CHECK_NUMBER(result.mismatches, 5);
	CHECK_NUMBER(result.count, 2);
	end();
	CHECK_NUMBER(settle(moves), 0);
	CHECK_NUMBER(result.moved, 1);
	CHECK_NUMBER(result.compared, 0);
	end();
	CHECK_NUMBER(settle(fails), -EIO);
	CHECK_NUMBER(result.mismatches, 0);
	end();
}

/* More than are remembered: their number is told. */
static int very_many(struct verify *v, void *context)
{
	(void)context;
	for (int i = 0; i < 5000; i++)
		verify_differs(v, "1", "2", "at %d", i);
	return 0;
}

static void many_mismatches_are_counted(void)
{
	begin();
	CHECK_NUMBER(verify_settle(&verify, very_many, NULL), 0);
	CHECK_NUMBER(result.mismatches, 5000);
	CHECK_NUMBER(result.count, 2);
	end();
}

static int numbers(struct verify *v, void *context)
{
	(void)context;
	verify_number(v, 10, 10, 10, 0, "same");
	verify_number(v, 10, 15, 20, 0, "between");
	verify_number(v, 20, 15, 10, 0, "between, falling");
	verify_number(v, 10, 13, 10, 3, "near");
	verify_number(v, 2, 0, 2, 3, "near zero");
	verify_number(v, 10, 14, 10, 3, "too far");
	verify_number(v, 10, 9, 20, 0, "below");
	return 0;
}

static void numbers_lie_between_both_looks(void)
{
	begin();
	CHECK_NUMBER(verify_settle(&verify, numbers, NULL), 0);
	CHECK_NUMBER(result.compared, 7);
	CHECK_NUMBER(result.mismatches, 2);
	CHECK_STRING(result.shown[0].key, "too far");
	CHECK_STRING(result.shown[0].kernel, "10");
	CHECK_STRING(result.shown[0].ours, "14");
	CHECK_STRING(result.shown[1].key, "below");
	CHECK_STRING(result.shown[1].kernel, "10 and then 20");
	end();
}

/* ---- lines ---- */

struct text {
	const char *before;
	const char *ours;
	const char *after;
};

/* "a" to "f" and what is below them, "+". */
static int head(const char *line)
{
	return *line == '+' ? 1 : *line >= 'a' && *line <= 'f' ? 2 : 0;
}

static uint64_t slack(const char *line)
{
	return strstr(line, "about") ? 5 : 0;
}

/* The first of both looks, then the second. */
static char *kernels(void *context)
{
	struct text *t = context;
	const char *text = t->before;

	t->before = t->after;
	t->after = text;
	return strdup(text);
}

static int ours(struct verify *v, struct view *view, void *context)
{
	(void)v;
	fputs(((const struct text *)context)->ours, view->out);
	return 0;
}

static int lines(struct verify *v, void *context)
{
	const struct verify_sources sources = { kernels, ours, context };
	struct verify_texts text = {
		.subject = "it", .head = head, .slack = slack,
	};

	return verify_bracket(v, &text, &sources);
}

static void compare(const char *before, const char *ours, const char *after)
{
	struct text t = { before, ours, after };

	begin();
	CHECK_NUMBER(verify_settle(&verify, lines, &t), 0);
}

static void lines_are_those_of_one_look(void)
{
	compare("a-b r\nRss: 1 kB\n", "a-b r\nRss: 1 kB\n",
		"a-b r\nRss: 1 kB\n");
	CHECK_NUMBER(result.mismatches, 0);
	CHECK_NUMBER(result.compared, 2);
	end();
	/* From one look to the other it grew, and a column with it. */
	compare("a-b r\nRss:   1 kB\n", "a-b r\nRss:  12 kB\n",
		"a-b r\nRss: 100 kB\n");
	CHECK_NUMBER(result.mismatches, 0);
	end();
	compare("a-b r\nRss: 1 kB\n", "a-b r\nRss: 2 kB\n",
		"a-b r\nRss: 1 kB\n");
	CHECK_NUMBER(result.mismatches, 1);
	CHECK_STRING(result.shown[0].key, "it a-b Rss");
	CHECK_STRING(result.shown[0].kernel, "Rss: 1 kB");
	CHECK_STRING(result.shown[0].ours, "Rss: 2 kB");
	end();
	compare("a1 x\n+2\nN 1\n", "a1 x\n+2\nN 2\n", "a1 x\n+2\nN 1\n");
	CHECK_STRING(result.shown[0].key, "it a1 x +2 N");
	end();
	/* Another column is another byte. */
	compare("a-b r\nRss: 1 kB\n", "a-b r\nRss:  1 kB\n",
		"a-b r\nRss: 1 kB\n");
	CHECK_NUMBER(result.mismatches, 1);
	end();
	compare("about 10\n", "about 14\n", "about 10\n");
	CHECK_NUMBER(result.mismatches, 0);
	end();
	compare("about 10\n", "about 16\n", "about 10\n");
	CHECK_NUMBER(result.mismatches, 1);
	CHECK_STRING(result.shown[0].key, "it about 10");
	end();
	/* pagetypeinfo stops to count. */
	compare("x >100000 1\n", "x 123456 1\n", "x >100000 1\n");
	CHECK_NUMBER(result.mismatches, 0);
	end();
	compare("x >100000 1\n", "x 99999 1\n", "x >100000 1\n");
	CHECK_NUMBER(result.mismatches, 1);
	end();
}

static void lines_that_are_missing_are_told(void)
{
	compare("a\nb\n", "a\n", "a\nb\n");
	CHECK_NUMBER(result.mismatches, 1);
	CHECK_STRING(result.shown[0].key, "it lines");
	CHECK_STRING(result.shown[0].ours, "2, line 2 is \"\"");
	end();
	/* The kernel's own have changed meanwhile. */
	compare("a\nb\n", "a\n", "a\n");
	CHECK_NUMBER(result.mismatches, 0);
	CHECK_NUMBER(result.moved, 1);
	end();
}

static void values_are_found_by_their_key(void)
{
	uint64_t value = 0;

	CHECK(verify_value("VmPTE:\t     112 kB\n", "VmPTE:", &value));
	CHECK_NUMBER(value, 112);
	CHECK(verify_value("a 1\nnr_free 7\nb 2", "nr_free ", &value));
	CHECK_NUMBER(value, 7);
	CHECK(!verify_value("a 1\nb 2", "c", &value));
	CHECK(!verify_value("a: x\n", "a:", &value));
	CHECK(!verify_value("", "a:", &value));
}

TESTS(
	TEST(what_stays_is_a_mismatch),
	TEST(many_mismatches_are_counted),
	TEST(numbers_lie_between_both_looks),
	TEST(lines_are_those_of_one_look),
	TEST(lines_that_are_missing_are_told),
	TEST(values_are_found_by_their_key),
)
