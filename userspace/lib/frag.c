// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fragmentation: which blocks come closest to be free, and what stands in the
 * way.  One walk of all page frames finds the blocks, a second one of those
 * alone their pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define KPF_WRITEBACK	(1ull << 8)
#define KPF_ANON	(1ull << 12)
#define KPF_SWAPCACHE	(1ull << 13)
#define KPF_MLOCKED	(1ull << 33)
#define KPF_PRIVATE	(1ull << 35)

/* What a pin of a small page adds to its references (GUP_PIN_COUNTING_BIAS). */
#define PIN 1024

/* ---- the kernel's indices ---- */

struct sums {
	uint64_t pages;
	uint64_t blocks;
	uint64_t suitable;
};

/* As fill_contig_page_info(). */
static struct sums sums_of(const struct mmlens_numbers *free,
			   unsigned int order)
{
	struct sums s = {};

	for (size_t i = 0; i < free->count; i++) {
		s.blocks += free->value[i];
		s.pages += free->value[i] << i;
		if (i >= order)
			s.suitable += free->value[i] << (i - order);
	}
	return s;
}

int mmlens_extfrag_index(const struct mmlens_numbers *free, unsigned int order)
{
	const struct sums s = sums_of(free, order);

	if (!s.blocks)
		return 0;
	if (s.suitable)
		return -1000;
	return 1000 - (int)((1000 + (s.pages * 1000 >> order)) / s.blocks);
}

int mmlens_unusable_index(const struct mmlens_numbers *free,
			  unsigned int order)
{
	const struct sums s = sums_of(free, order);

	if (!s.pages)
		return 1000;
	return (int)((s.pages - (s.suitable << order)) * 1000 / s.pages);
}

/* ---- what stands in the way ---- */

static bool is_of_user(const struct mmlens_pfns *run)
{
	return run->bucket >= MMLENS_BUCKET_INACTIVE_ANON &&
	       run->bucket <= MMLENS_BUCKET_MAPPED;
}

/*
 * References that aren't those of who maps it, of the page or swap cache and of
 * the file system.  How often a large folio is mapped one page doesn't tell.
 */
static int64_t extra_references(const struct mmlens_pfns *run)
{
	int64_t known = run->mapcount;

	if (run->order)
		return 0;
	known += run->page_flags & KPF_ANON ?
		 !!(run->page_flags & KPF_SWAPCACHE) : 1;
	known += !!(run->page_flags & KPF_PRIVATE);
	return run->refcount - known;
}

static enum mmlens_obstacle obstacle_of(const struct mmlens_pfns *run)
{
	int64_t extra;

	if (!is_of_user(run))
		return MMLENS_OBSTACLE_FIXED;
	extra = extra_references(run);
	if (extra >= PIN)
		return MMLENS_OBSTACLE_PINNED;
	if (extra > 0)
		return MMLENS_OBSTACLE_HELD;
	if (run->page_flags & KPF_WRITEBACK)
		return MMLENS_OBSTACLE_WRITEBACK;
	if (run->page_flags & KPF_MLOCKED)
		return MMLENS_OBSTACLE_MLOCKED;
	return MMLENS_OBSTACLE_MOVABLE;
}

/* Those that compaction doesn't get out of the way. */
static uint64_t stuck_pages(const struct mmlens_candidate *c)
{
	return c->pages[MMLENS_OBSTACLE_HELD] +
	       c->pages[MMLENS_OBSTACLE_PINNED] +
	       c->pages[MMLENS_OBSTACLE_FIXED];
}

static uint64_t all_pages(const struct mmlens_candidate *c)
{
	uint64_t sum = c->free;

	for (unsigned int i = 0; i < MMLENS_OBSTACLES; i++)
		sum += c->pages[i];
	return sum;
}

/* ---- blocks ---- */

struct job {
	struct mmlens *lens;
	struct mmlens_frag *frag;
	size_t most;
	bool (*takes)(uint32_t node, unsigned int zone, void *context);
	void *context;
	struct mmlens_candidate now;	/* the block that is looked at */
	bool mixed;			/* it is of two zones */
};

static bool is_better(const struct mmlens_candidate *a,
		      const struct mmlens_candidate *b)
{
	const uint64_t x = stuck_pages(a), y = stuck_pages(b);

	if (x != y)
		return x < y;
	return a->free != b->free ? a->free > b->free : a->pfn < b->pfn;
}

static int compare(const void *a, const void *b)
{
	return is_better(a, b) ? -1 : is_better(b, a);
}

static void keep_best(struct job *job)
{
	struct mmlens_frag *frag = job->frag;

	if (frag->count)
		qsort(frag->candidates, frag->count, sizeof(job->now), compare);
	if (frag->count > job->most)
		frag->count = job->most;
}

/* Keep the block that was looked at, for which there is room. */
static void close_block(struct job *job)
{
	struct mmlens_frag *frag = job->frag;
	const uint64_t size = 1ull << frag->order;

	if (job->mixed || all_pages(&job->now) != size ||
	    job->now.free == size)
		return;
	if (job->takes &&
	    !job->takes(job->now.node, job->now.zone, job->context))
		return;
	frag->candidates[frag->count++] = job->now;
	if (frag->count == 2 * job->most)
		keep_best(job);
}

static void open_block(struct job *job, uint64_t pfn,
		       const struct mmlens_pfns *run)
{
	job->mixed = false;
	job->now = (struct mmlens_candidate) {
		.pfn = pfn,
		.node = run->node,
		.zone = run->zone,
		.migratetype = run->migratetype,
	};
}

static void count(struct mmlens_candidate *c, const struct mmlens_pfns *run,
		  uint64_t pages)
{
	if (run->bucket == MMLENS_BUCKET_BUDDY)
		c->free += pages;
	else if (run->bucket == MMLENS_BUCKET_UNTOLD)
		c->pages[MMLENS_OBSTACLE_KEPT] += pages;
	else
		c->pages[obstacle_of(run)] += pages;
}

static void add_to_blocks(struct job *job, const struct mmlens_pfns *run)
{
	const uint64_t size = 1ull << job->frag->order;
	const uint64_t end = run->pfn + run->count;
	uint64_t at = run->pfn;

	while (at < end) {
		const uint64_t block = at & ~(size - 1);
		const uint64_t next = block + size < end ? block + size : end;

		if (block != job->now.pfn || !all_pages(&job->now)) {
			close_block(job);
			open_block(job, block, run);
		}
		if (run->node != job->now.node || run->zone != job->now.zone)
			job->mixed = true;
		count(&job->now, run, next - at);
		at = next;
	}
}

/* ---- walks ---- */

static int walk(struct job *job, uint64_t start, uint64_t end,
		int (*take)(struct job *job, void *to,
			    const struct mmlens_pfns *run), void *to)
{
	struct mmlens_pages *pages = mmlens_pages_open(job->lens, start, end);
	const struct mmlens_pfns *run;
	int ret;

	if (!pages)
		return -errno;
	while ((ret = mmlens_pages_next(pages, &run)) > 0) {
		ret = take(job, to, run);
		if (ret)
			break;
	}
	mmlens_stats_add(&job->frag->stats, mmlens_pages_stats(pages));
	mmlens_pages_close(pages);
	return ret;
}

static int take_for_blocks(struct job *job, void *to,
			   const struct mmlens_pfns *run)
{
	(void)to;
	add_to_blocks(job, run);
	return 0;
}

/* ---- the pages of the best ---- */

static int add_blocker(struct mmlens_candidate *c,
		       const struct mmlens_pfns *run, uint64_t pfn,
		       uint64_t end, enum mmlens_obstacle obstacle)
{
	struct mmlens_blocker *grown, *b;

	if (pfn == end)
		return 0;
	grown = mmlens_grown(c->blockers, c->count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->blockers = grown;
	b = &grown[c->count++];
	memcpy(&b->run, run, sizeof(b->run));
	b->run.pfn = pfn;
	b->run.count = end - pfn;
	b->obstacle = obstacle;
	c->pages[obstacle] += end - pfn;
	return 0;
}

struct target {
	struct mmlens_candidate *candidate;
	const struct mmlens_frames_list *kept;
};

/* What has no reference a CPU keeps, or is the rest of an allocation. */
static int add_untold(const struct target *t, const struct mmlens_pfns *run)
{
	const uint64_t end = run->pfn + run->count;
	size_t i = mmlens_frames_find(t->kept, run->pfn);
	uint64_t at = run->pfn;
	int ret = 0;

	while (!ret && at < end) {
		bool any = i < t->kept->count &&
			   t->kept->frames[i].start < end;
		uint64_t from = any ? t->kept->frames[i].start : end;
		uint64_t to = any ? t->kept->frames[i].end : end;

		from = from > at ? from : at;
		to = to < end ? to : end;
		ret = add_blocker(t->candidate, run, at, from,
				  MMLENS_OBSTACLE_FIXED);
		if (!ret)
			ret = add_blocker(t->candidate, run, from, to,
					  MMLENS_OBSTACLE_KEPT);
		at = to;
		i++;
	}
	return ret;
}

static int take_for_candidate(struct job *job, void *to,
			      const struct mmlens_pfns *run)
{
	const struct target *t = to;

	(void)job;
	if (run->bucket == MMLENS_BUCKET_BUDDY) {
		t->candidate->free += run->count;
		return 0;
	}
	if (run->bucket == MMLENS_BUCKET_UNTOLD)
		return add_untold(t, run);
	return add_blocker(t->candidate, run, run->pfn, run->pfn + run->count,
			   obstacle_of(run));
}

static int look_closer(struct job *job)
{
	struct mmlens_frag *frag = job->frag;
	struct mmlens_frames_list kept = {};
	int ret = mmlens_kept_read(&kept, job->lens, &frag->stats);

	for (size_t i = 0; i < frag->count && !ret; i++) {
		struct mmlens_candidate *c = &frag->candidates[i];
		struct target target = { .candidate = c, .kept = &kept };

		c->free = 0;
		memset(c->pages, 0, sizeof(c->pages));
		ret = walk(job, c->pfn, c->pfn + (1ull << frag->order),
			   take_for_candidate, &target);
	}
	free(kept.frames);
	return ret;
}

struct mmlens_frag *
mmlens_frag_read(struct mmlens *lens, unsigned int order, size_t most,
		 bool (*takes)(uint32_t node, unsigned int zone, void *context),
		 void *context)
{
	struct mmlens_frag *frag = calloc(1, sizeof(*frag));
	struct job job = {
		.lens = lens, .frag = frag, .most = most, .takes = takes,
		.context = context,
	};
	int ret = -ENOMEM;

	if (!frag)
		return NULL;
	frag->order = order;
	frag->candidates = calloc(2 * most, sizeof(*frag->candidates));
	if (frag->candidates)
		ret = walk(&job, 0, 0, take_for_blocks, NULL);
	if (!ret) {
		close_block(&job);
		keep_best(&job);
		ret = look_closer(&job);
	}
	if (!ret) {
		keep_best(&job);
		return frag;
	}
	mmlens_frag_free(frag);
	errno = -ret;
	return NULL;
}

void mmlens_frag_free(struct mmlens_frag *frag)
{
	if (!frag)
		return;
	for (size_t i = 0; i < frag->count; i++)
		free(frag->candidates[i].blockers);
	free(frag->candidates);
	free(frag);
}

int mmlens_extfrag_threshold(void)
{
	FILE *f = mmlens_source_open("/proc/sys/vm/extfrag_threshold");
	int threshold = 500;

	if (!f)
		return threshold;
	if (fscanf(f, "%d", &threshold) != 1)
		threshold = 500;
	fclose(f);
	return threshold;
}
