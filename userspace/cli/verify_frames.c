// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify: page frames against /proc/kpageflags, kpagecount and kpagecgroup: by
 * number, and as page tables map them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verify.h"

/* Page frames that are compared at a time. */
#define WINDOW	4096u

/* ---- the kernel's files ---- */

enum which { FLAGS, COUNT, CGROUP };

static const char *const paths[] = {
	[FLAGS] = "/proc/kpageflags",
	[COUNT] = "/proc/kpagecount",
	[CGROUP] = "/proc/kpagecgroup",
};

/* "uptodate,lru,mmap"; as the kernel has each bit. */
static void tell_flags(FILE *out, uint64_t flags)
{
	const char *divider = "";

	for (const struct mmlens_flag *f = mmlens_page_flags(); f->bit; f++) {
		if (!(flags & f->bit))
			continue;
		fprintf(out, "%s%s", divider, f->name);
		divider = ",";
	}
	if (!*divider)
		fputs("no flag", out);
}

static void tell_number(FILE *out, uint64_t value)
{
	fprintf(out, "%" PRId64, (int64_t)value);
}

static void (*const tell[])(FILE *out, uint64_t value) = {
	[FLAGS] = tell_flags,
	[COUNT] = tell_number,
	[CGROUP] = tell_number,
};

/* What differs by kernel in kpageflags, and isn't followed. */
struct quirks {
	uint64_t all;		/* of every page */
	uint64_t huge_zero;	/* of one that may be the huge zero page */
};

static int open_file(struct verify *v, enum which which)
{
	int fd;

	if (!verify_has(v, paths[which]))
		return -1;
	fd = open(paths[which], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		verify_skip(v, "%s: %s", paths[which], strerror(errno));
	return fd;
}

/* Of a page of our own: does it say that KSM has merged it? */
static bool calls_all_ksm(const struct verify *v, int fd)
{
	const size_t size = 1ul << v->info->page_shift;
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t word = 0, flags = 0;

	if (page != MAP_FAILED && map >= 0) {
		*(volatile char *)page = 1;
		if (verify_words(map, (uintptr_t)page >> v->info->page_shift, 1,
				 &word) == 1)
			verify_words(fd, word & ((1ull << 55) - 1), 1, &flags);
	}
	if (page != MAP_FAILED)
		munmap(page, size);
	if (map >= 0)
		close(map);
	return flags >> KPF_KSM & 1;
}

static struct quirks quirks_of(const struct verify *v, enum which which, int fd)
{
	struct quirks q = {};

	if (which != FLAGS)
		return q;
	q.all = calls_all_ksm(v, fd) ? 1ull << KPF_KSM : 0;
	q.huge_zero = 1ull << KPF_ZERO_PAGE | 1ull << KPF_THP;
	return q;
}

/* ---- by number ---- */

/**
 * struct window - Page frames in a row.
 * @which:	the file
 * @fd:		it
 * @quirks:	of it
 * @start:	the first
 * @pages:	how many
 * @before:	what the kernel says
 * @ours:	what the module says
 * @ignored:	bits that aren't compared; all of a frame that isn't online
 * @after:	what the kernel says then
 */
struct window {
	enum which which;
	int fd;
	struct quirks quirks;
	uint64_t start;
	uint32_t pages;
	uint64_t before[WINDOW];
	uint64_t ours[WINDOW];
	uint64_t ignored[WINDOW];
	uint64_t after[WINDOW];
};

static uint64_t value_of(enum which which, const struct mmlens_pfns *run)
{
	switch (which) {
	case FLAGS:
		return run->page_flags;
	case COUNT:
		return (uint64_t)(int64_t)run->mapcount;
	default:
		return run->memcg;
	}
}

static void put_run(struct window *w, const struct mmlens_pfns *run)
{
	const uint64_t value = value_of(w->which, run);
	uint64_t ignored = w->quirks.all;

	if (run->kind == MMLENS_PAGE_KIND_MAYBE_HUGE_ZERO)
		ignored |= w->quirks.huge_zero;
	for (uint32_t i = 0; i < run->count; i++) {
		const uint64_t at = run->pfn + i - w->start;

		if (at >= w->pages)
			continue;
		w->ours[at] = value;
		w->ignored[at] = ignored;
	}
}

/* Without a page kpageflags says so, or nothing; the others say nothing. */
static void clear(struct window *w)
{
	memset(w->ours, 0, sizeof(w->ours));
	for (size_t i = 0; i < w->pages; i++)
		w->ignored[i] = w->which == FLAGS ? 1ull << KPF_NOPAGE : 0;
}

static int read_ours(struct verify *v, struct window *w)
{
	struct mmlens_pages *pages =
		mmlens_pages_open(v->lens, w->start, w->start + w->pages);
	const struct mmlens_pfns *run;
	int ret;

	if (!pages)
		return -errno;
	clear(w);
	while ((ret = mmlens_pages_next(pages, &run)) > 0)
		put_run(w, run);
	mmlens_pages_close(pages);
	return ret;
}

static int look(struct verify *v, void *context)
{
	struct window *w = context;
	long got = verify_words(w->fd, w->start, w->pages, w->before);
	int ret;

	if (got <= 0)
		return (int)got;
	w->pages = got;
	ret = read_ours(v, w);
	if (ret)
		return ret;
	got = verify_words(w->fd, w->start, w->pages, w->after);
	if (got != w->pages)
		return got < 0 ? (int)got : VERIFY_MOVED;
	for (size_t i = 0; i < w->pages; i++)
		if (w->before[i] == w->after[i])
			verify_bits(v, w->before[i] & ~w->ignored[i],
				    w->ours[i] & ~w->ignored[i],
				    tell[w->which], "PFN 0x%" PRIx64,
				    w->start + i);
	return 0;
}

/* The PFN behind the last of all zones. */
static uint64_t last_frame(const struct mmlens_zones *zones)
{
	uint64_t last = 0;

	for (size_t i = 0; i < zones->count; i++) {
		const struct mmlens_memnode *node = &zones->nodes[i].node;

		if (node->start_pfn + node->spanned > last)
			last = node->start_pfn + node->spanned;
	}
	return last;
}

static int compare_windows(struct verify *v, struct window *w)
{
	struct mmlens_zones *zones = mmlens_zones_read(v->lens);
	uint64_t last, windows, step;
	int ret = 0;

	if (!zones)
		return -errno;
	last = last_frame(zones);
	mmlens_zones_free(zones);
	windows = (last + WINDOW - 1) / WINDOW;
	step = v->o->all ? 1 : windows / v->o->samples;
	for (uint64_t i = 0; i < windows && !ret; i += step ? step : 1) {
		w->start = i * WINDOW;
		w->pages = last - w->start < WINDOW ? last - w->start : WINDOW;
		ret = verify_settle(v, look, w);
	}
	return ret;
}

static int compare_file(struct verify *v, enum which which)
{
	struct window *w = malloc(sizeof(*w));
	int ret = 0;

	if (!w)
		return -ENOMEM;
	w->which = which;
	w->fd = open_file(v, which);
	if (w->fd >= 0) {
		w->quirks = quirks_of(v, which, w->fd);
		ret = compare_windows(v, w);
		close(w->fd);
	}
	free(w);
	return ret;
}

static int check_flags(struct verify *v)
{
	return compare_file(v, FLAGS);
}

static int check_count(struct verify *v)
{
	return compare_file(v, COUNT);
}

static int check_cgroup(struct verify *v)
{
	return compare_file(v, CGROUP);
}

/* ---- as they are mapped ---- */

/* Pages of a process that are compared, and of a run of entries. */
#define MAPPED	65536u
#define ROW	512u

struct mapped {
	const struct verify_target *target;
	enum which which;
	int fd;
	struct quirks quirks;
	uint64_t words[ROW];
};

static uint64_t state_of(enum which which, const struct mmlens_page_state *page)
{
	switch (which) {
	case FLAGS:
		return page->flags;
	case COUNT:
		return (uint64_t)(int64_t)page->mapcount;
	default:
		return page->memcg;
	}
}

/* Pages of one run are alike; of a huge one the first is told. */
static int compare_row(struct verify *v, struct mapped *m,
		       const struct mmlens_entry_run *run, uint64_t *pages)
{
	const uint64_t mapped = run->level == MMLENS_LEVEL_PTE ?
				run->entries : 1;
	const size_t count = mapped < ROW ? mapped : ROW;
	const uint64_t mask = ~m->quirks.all;
	const long got = verify_words(m->fd, run->value, count, m->words);

	if (got < 0)
		return (int)got;
	for (long i = 0; i < got; i++)
		verify_bits(v, m->words[i] & mask,
			    state_of(m->which, &run->page) & mask,
			    tell[m->which], "PID %d (%s) 0x%" PRIx64 " %s",
			    m->target->pid, m->target->comm,
			    run->start + ((uint64_t)i << v->info->page_shift),
			    paths[m->which] + strlen("/proc/"));
	*pages += got;
	return 0;
}

static int look_mapped(struct verify *v, void *context)
{
	struct mapped *m = context;
	const struct mmlens_request request = {
		.pid = m->target->pid,
		.flags = MMLENS_WALK_PAGE | MMLENS_WALK_STATE,
	};
	struct mmlens_entries *entries =
		mmlens_entries_open(v->lens, &request);
	struct mmlens_entry_run run;
	uint64_t pages = 0;
	int ret;

	if (!entries)
		return -errno;
	while ((ret = mmlens_runs_next(entries, &run)) > 0) {
		if (!run.has_page)
			continue;
		ret = compare_row(v, m, &run, &pages);
		if (ret || (pages > MAPPED && !v->o->all))
			break;
	}
	mmlens_entries_close(entries);
	if (ret > 0)
		ret = 0;
	return ret == -ESTALE ? -ESRCH : ret;
}

static int check_mapped(struct verify *v, const struct verify_target *target)
{
	struct mapped *m = malloc(sizeof(*m));
	int ret = 0;

	if (!m)
		return -ENOMEM;
	m->target = target;
	for (m->which = FLAGS; m->which <= CGROUP && !ret; m->which++) {
		if (m->which == CGROUP && access(paths[CGROUP], R_OK))
			break;
		m->fd = open_file(v, m->which);
		if (m->fd < 0)
			break;
		m->quirks = quirks_of(v, m->which, m->fd);
		ret = verify_settle(v, look_mapped, m);
		close(m->fd);
	}
	free(m);
	return ret;
}

const struct verify_check verify_frames[] = {
	{ "mapped", "/proc/kpageflags and its kin", "pages as they are mapped",
	  MMLENS_NR_PTES, .process = check_mapped },
	{ "kpageflags", "/proc/kpageflags", "flags of page frames",
	  MMLENS_NR_PAGES, .run = check_flags },
	{ "kpagecount", "/proc/kpagecount", "how often they are mapped",
	  MMLENS_NR_PAGES, .run = check_count },
	{ "kpagecgroup", "/proc/kpagecgroup", "whose they are",
	  MMLENS_NR_PAGES, .run = check_cgroup },
	{},
};
