// SPDX-License-Identifier: GPL-2.0-only
/*
 * What two looks differ in, and what of it stays.  The kernel is asked before and
 * after; what changes under way differs once and then no more, so that it is
 * looked for again.  What is left is wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify.h"

/* Differences of one look that are remembered one by one. */
#define MOST 4096

/* Mismatches from which on a check looks less often. */
#define MANY 100

static void drop(struct verify_mismatch *m)
{
	free(m->key);
	free(m->kernel);
	free(m->ours);
}

void verify_forget(struct verify_differences *d)
{
	for (size_t i = 0; i < d->count; i++)
		drop(&d->list[i]);
	free(d->list);
	*d = (struct verify_differences) {};
}

/* ---- noting ---- */

static void note(struct verify *v, const char *kernel, const char *ours,
		 const char *format, va_list ap)
{
	struct verify_differences *d = &v->now;
	struct verify_mismatch *m;

	if (!d->list)
		d->list = calloc(MOST, sizeof(*d->list));
	if (!d->list || d->count == MOST) {
		d->more++;
		return;
	}
	m = &d->list[d->count];
	m->kernel = strdup(kernel);
	m->ours = strdup(ours);
	if (vasprintf(&m->key, format, ap) < 0)
		m->key = NULL;
	if (m->key && m->kernel && m->ours) {
		d->count++;
		return;
	}
	drop(m);
	d->more++;
}

void verify_differs(struct verify *v, const char *kernel, const char *ours,
		    const char *key, ...)
{
	va_list ap;

	va_start(ap, key);
	note(v, kernel, ours, key, ap);
	va_end(ap);
}

static bool is_between(uint64_t before, uint64_t ours, uint64_t after,
		       uint64_t slack)
{
	const uint64_t low = before < after ? before : after;
	const uint64_t high = before < after ? after : before;

	return ours + slack >= low && ours <= high + slack;
}

void verify_number(struct verify *v, uint64_t before, uint64_t ours,
		   uint64_t after, uint64_t slack, const char *key, ...)
{
	char kernel[64], text[24];
	va_list ap;

	v->compared++;
	if (is_between(before, ours, after, slack))
		return;
	snprintf(text, sizeof(text), "%" PRIu64, ours);
	if (before == after)
		snprintf(kernel, sizeof(kernel), "%" PRIu64, before);
	else
		snprintf(kernel, sizeof(kernel), "%" PRIu64 " and then %" PRIu64,
			 before, after);
	va_start(ap, key);
	note(v, kernel, text, key, ap);
	va_end(ap);
}

static void in_hexadecimal(FILE *out, uint64_t value)
{
	fprintf(out, "0x%" PRIx64, value);
}

static void in_words(char *room, size_t size, uint64_t value,
		     void (*tell)(FILE *out, uint64_t value))
{
	FILE *out = fmemopen(room, size, "w");

	*room = '\0';
	if (!out)
		return;
	tell(out, value);
	fclose(out);
	room[size - 1] = '\0';
}

void verify_bits(struct verify *v, uint64_t kernel, uint64_t ours,
		 void (*tell)(FILE *out, uint64_t value), const char *key, ...)
{
	char texts[2][400];
	va_list ap;

	v->compared++;
	if (kernel == ours)
		return;
	if (!tell)
		tell = in_hexadecimal;
	in_words(texts[0], sizeof(texts[0]), kernel, tell);
	in_words(texts[1], sizeof(texts[1]), ours, tell);
	va_start(ap, key);
	note(v, texts[0], texts[1], key, ap);
	va_end(ap);
}

int verify_skip(struct verify *v, const char *why, ...)
{
	va_list ap;

	if (v->result->skipped)
		return 0;
	va_start(ap, why);
	if (vasprintf(&v->result->skipped, why, ap) < 0)
		v->result->skipped = NULL;
	va_end(ap);
	return 0;
}

/* ---- settling ---- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct verify_mismatch *)a)->key,
		      ((const struct verify_mismatch *)b)->key);
}

/* What is in both, as it is now. */
static void intersect(struct verify_differences *kept,
		      struct verify_differences *now)
{
	size_t n = 0;

	qsort(kept->list, kept->count, sizeof(*kept->list), by_key);
	for (size_t i = 0; i < now->count; i++) {
		struct verify_mismatch m = now->list[i];

		if (kept->count && bsearch(&m, kept->list, kept->count,
					   sizeof(m), by_key))
			now->list[n++] = m;
		else
			drop(&m);
	}
	now->count = n;
	if (kept->more < now->more)
		now->more = kept->more;
	verify_forget(kept);
	*kept = *now;
	*now = (struct verify_differences) {};
}

static void rest(unsigned int attempt)
{
	const struct timespec time = { .tv_nsec = 2000000L << attempt / 2 };

	nanosleep(&time, NULL);
}

/* What stays goes to the result: some of it to be shown. */
static void keep(struct verify *v, struct verify_differences *kept)
{
	struct verify_result *r = v->result;

	r->mismatches += kept->count + kept->more;
	for (size_t i = 0; i < kept->count && r->count < v->o->most; i++) {
		struct verify_mismatch *grown =
			reallocarray(r->shown, r->count + 1, sizeof(*grown));

		if (!grown)
			break;
		r->shown = grown;
		grown[r->count++] = kept->list[i];
		kept->list[i] = (struct verify_mismatch) {};
	}
}

int verify_settle(struct verify *v,
		  int (*look)(struct verify *v, void *context), void *context)
{
	struct verify_differences kept = {};
	/* Where much is wrong already, to be sure of all would take long. */
	const unsigned int tries =
		v->result->mismatches < MANY ? VERIFY_TRIES : 3;
	bool first = true;
	int ret = 0;

	for (unsigned int i = 0; i < tries; i++) {
		if (i)
			rest(i);
		v->compared = 0;
		ret = look(v, context);
		if (ret < 0)
			break;
		if (ret == VERIFY_MOVED) {
			verify_forget(&v->now);
			continue;
		}
		if (!first) {
			intersect(&kept, &v->now);
		} else {
			kept = v->now;
			v->now = (struct verify_differences) {};
		}
		first = false;
		if (!kept.count && !kept.more)
			break;
	}
	if (ret >= 0 && first)
		v->result->moved++;
	else if (ret >= 0)
		v->result->compared += v->compared;
	if (ret >= 0)
		keep(v, &kept);
	verify_forget(&kept);
	verify_forget(&v->now);
	return ret < 0 ? ret : 0;
}
