// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The ledger: every page frame in one bucket.
 *
 * The walk of page frames tells most of them.  What it leaves untold is looked
 * for on the lists of CPUs, and then behind the first page of an allocation.
 * What is left may have been on its way meanwhile: it is looked at again.
 * Last, of the kernel's own what it has mapped for vmalloc() is told apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Looks at what is untold. */
#define PASSES 3

struct job {
	struct mmlens *lens;
	struct mmlens_stats stats;
	struct mmlens_frames_list ram;
	struct mmlens_frames_list kept;
};

/* ---- runs ---- */

static bool is_alike(const struct mmlens_ledger_run *a,
		     const struct mmlens_ledger_run *b)
{
	return a->node == b->node && a->zone == b->zone &&
	       a->bucket == b->bucket && a->order == b->order &&
	       a->migratetype == b->migratetype;
}

static int add(struct mmlens_ledger *ledger,
	       const struct mmlens_ledger_run *run)
{
	struct mmlens_ledger_run *runs = ledger->runs, *last;

	if (!run->count)
		return 0;
	last = ledger->count ? &runs[ledger->count - 1] : NULL;
	if (last && last->pfn + last->count == run->pfn &&
	    is_alike(last, run)) {
		last->count += run->count;
		return 0;
	}
	runs = mmlens_grown(runs, ledger->count, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	ledger->runs = runs;
	runs[ledger->count++] = *run;
	return 0;
}

/* The part of @run from @pfn on that ends at @end, as @bucket. */
static int add_part(struct mmlens_ledger *ledger,
		    const struct mmlens_ledger_run *run, uint64_t pfn,
		    uint64_t end, uint8_t bucket)
{
	struct mmlens_ledger_run part = *run;

	part.pfn = pfn;
	part.count = end - pfn;
	part.bucket = bucket;
	return add(ledger, &part);
}

/*
 * Divide @run: what lies in @list is @inside, the rest @outside.  The list is
 * in order and without overlaps.
 */
static int divide(struct mmlens_ledger *ledger,
		  const struct mmlens_ledger_run *run,
		  const struct mmlens_frames_list *list, uint8_t inside,
		  uint8_t outside)
{
	const uint64_t end = run->pfn + run->count;
	size_t i = mmlens_frames_find(list, run->pfn);
	uint64_t at = run->pfn;
	int ret = 0;

	for (; !ret && at < end; i++) {
		const struct mmlens_frames *f = &list->frames[i];
		bool any = i < list->count && f->start < end;
		uint64_t from = any && f->start > at ? f->start : at;
		uint64_t to = any && f->end < end ? f->end : end;

		if (!any)
			return add_part(ledger, run, at, end, outside);
		ret = add_part(ledger, run, at, from, outside);
		if (!ret)
			ret = add_part(ledger, run, from, to, inside);
		at = to;
	}
	return ret;
}

/* ---- walks ---- */

/* Of free blocks alone the order and the type say which list they are on. */
static struct mmlens_ledger_run run_of(const struct mmlens_pfns *pfns)
{
	bool buddy = pfns->bucket == MMLENS_BUCKET_BUDDY;

	return (struct mmlens_ledger_run) {
		.pfn = pfns->pfn,
		.count = pfns->count,
		.node = pfns->node,
		.zone = pfns->zone,
		.bucket = pfns->bucket,
		.order = buddy ? pfns->order : 0,
		.migratetype = buddy ? pfns->migratetype : 0,
	};
}

static int add_pfns(struct job *job, struct mmlens_ledger *ledger,
		    const struct mmlens_pfns *pfns)
{
	const struct mmlens_ledger_run run = run_of(pfns);

	if (run.bucket != MMLENS_BUCKET_RESERVED)
		return add(ledger, &run);
	return divide(ledger, &run, &job->ram, run.bucket, MMLENS_LEDGER_HOLE);
}

static int scan(struct job *job, struct mmlens_ledger *ledger, uint64_t start,
		uint64_t end)
{
	struct mmlens_pages *pages = mmlens_pages_open(job->lens, start, end);
	const struct mmlens_pfns *pfns;
	int ret;

	if (!pages)
		return -errno;
	while ((ret = mmlens_pages_next(pages, &pfns)) > 0) {
		ret = add_pfns(job, ledger, pfns);
		if (ret)
			break;
	}
	mmlens_stats_add(&job->stats, mmlens_pages_stats(pages));
	mmlens_pages_close(pages);
	return ret;
}

/* Look again at what is untold, the rest as it was. */
static int scan_untold(struct job *job, struct mmlens_ledger *to,
		       const struct mmlens_ledger *from)
{
	int ret = 0;

	for (size_t i = 0; i < from->count && !ret; i++) {
		const struct mmlens_ledger_run *run = &from->runs[i];

		ret = run->bucket ? add(to, run) :
		      scan(job, to, run->pfn, run->pfn + run->count);
	}
	return ret;
}

/* ---- what CPUs keep ---- */

static int find_kept(struct job *job, struct mmlens_ledger *to,
		     const struct mmlens_ledger *from)
{
	int ret;

	free(job->kept.frames);
	job->kept = (struct mmlens_frames_list) {};
	ret = mmlens_kept_read(&job->kept, job->lens, &job->stats);
	for (size_t i = 0; i < from->count && !ret; i++) {
		const struct mmlens_ledger_run *run = &from->runs[i];

		ret = run->bucket ? add(to, run) :
		      divide(to, run, &job->kept, MMLENS_LEDGER_KEPT,
			     MMLENS_BUCKET_UNTOLD);
	}
	return ret;
}

/* ---- allocations of higher order ---- */

/*
 * The pages behind the first of an allocation of higher order that isn't
 * compound have no reference.  They are what is untold between a page in use
 * and the end of the block of a power of two that begins with that page.
 */
static bool is_rest(const struct mmlens_ledger_run *before,
		    const struct mmlens_ledger_run *run)
{
	const uint64_t size = run->count + 1, head = run->pfn - 1;

	return before->bucket == MMLENS_BUCKET_KERNEL &&
	       before->pfn + before->count == run->pfn &&
	       before->node == run->node && before->zone == run->zone &&
	       !(size & (size - 1)) && !(head & (size - 1));
}

static int find_rests(struct mmlens_ledger *to,
		      const struct mmlens_ledger *from)
{
	int ret = 0;

	for (size_t i = 0; i < from->count && !ret; i++) {
		struct mmlens_ledger_run run = from->runs[i];

		if (i && !run.bucket && is_rest(&from->runs[i - 1], &run))
			run.bucket = MMLENS_LEDGER_REST;
		ret = add(to, &run);
	}
	return ret;
}

/* ---- vmalloc ---- */

static int find_vmapped(struct job *job, struct mmlens_ledger *ledger)
{
	const struct mmlens_ledger from = *ledger;
	struct mmlens_frames_list list = {};
	int ret;

	if (!mmlens_has_query(job->lens, MMLENS_NR_KMAP))
		return 0;
	ret = mmlens_vmapped_read(&list, job->lens, &job->stats);
	ledger->runs = NULL;
	ledger->count = 0;
	for (size_t i = 0; i < from.count && !ret; i++) {
		const struct mmlens_ledger_run *run = &from.runs[i];

		ret = run->bucket != MMLENS_BUCKET_KERNEL ? add(ledger, run) :
		      divide(ledger, run, &list, MMLENS_LEDGER_VMALLOC,
			     MMLENS_BUCKET_KERNEL);
	}
	free(from.runs);
	free(list.frames);
	return ret;
}

/* ---- together ---- */

static bool is_whole(const struct mmlens_ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (!ledger->runs[i].bucket)
			return false;
	return true;
}

/* Takes the runs of @ledger on to those of the next pass. */
static int look(struct job *job, struct mmlens_ledger *ledger, bool first)
{
	struct mmlens_ledger scanned = {}, found = {};
	int ret = first ? scan(job, &scanned, 0, 0) :
			  scan_untold(job, &scanned, ledger);

	if (!ret)
		ret = find_kept(job, &found, &scanned);
	ledger->count = 0;
	if (!ret)
		ret = find_rests(ledger, &found);
	free(scanned.runs);
	free(found.runs);
	return ret;
}

static int read_all(struct job *job, struct mmlens_ledger *ledger)
{
	const unsigned int shift = mmlens_get_info(job->lens)->page_shift;
	int ret = 0;

	job->ram.frames = mmlens_ram_read(shift, &job->ram.count);
	if (!job->ram.frames)
		return -errno;
	for (unsigned int pass = 0; pass < PASSES && !ret; pass++) {
		ret = look(job, ledger, !pass);
		if (!ret && is_whole(ledger))
			break;
	}
	if (!ret)
		ret = find_vmapped(job, ledger);
	free(job->ram.frames);
	free(job->kept.frames);
	ledger->stats = job->stats;
	return ret;
}

struct mmlens_ledger *mmlens_ledger_read(struct mmlens *lens)
{
	struct mmlens_ledger *ledger = calloc(1, sizeof(*ledger));
	struct job job = { .lens = lens };
	int ret;

	if (!ledger)
		return NULL;
	ret = read_all(&job, ledger);
	if (!ret)
		return ledger;
	mmlens_ledger_free(ledger);
	errno = -ret;
	return NULL;
}

void mmlens_ledger_free(struct mmlens_ledger *ledger)
{
	if (ledger)
		free(ledger->runs);
	free(ledger);
}

void mmlens_ledger_sum(const struct mmlens_ledger *ledger, uint32_t node,
		       unsigned int zone,
		       uint64_t pages[MMLENS_LEDGER_BUCKETS])
{
	memset(pages, 0, MMLENS_LEDGER_BUCKETS * sizeof(*pages));
	for (size_t i = 0; i < ledger->count; i++) {
		const struct mmlens_ledger_run *run = &ledger->runs[i];

		if (run->node == node && run->zone == zone)
			pages[run->bucket % MMLENS_LEDGER_BUCKETS] += run->count;
	}
}
