// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmlens page-types: pages by their flags, as the kernel's tool, whose options
 * are these too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

/* As many as the tool takes. */
#define MAX_RANGES	1024
#define MAX_FILTERS	64

#define KPF_NOPAGE	(1ull << 20)
#define KPF_THP		(1ull << 22)
#define KPF_ZERO_PAGE	(1ull << 24)

struct range {
	uint64_t start;
	uint64_t end;
};

struct arguments {
	struct page_types_options view;
	struct range ranges[MAX_RANGES];
	size_t range_count;
	struct mmlens_page_filter filters[MAX_FILTERS];
	size_t filter_count;
	uint64_t memcg;			/* only pages of it; 0: all */
	const char *memcg_path;		/* the same as a directory */
	int pid;			/* its pages; 0: all page frames */
	bool raw;
	bool no_summary;
	bool json;
};

struct job {
	const struct arguments *a;
	struct session s;
	const struct page_types_view *view;
	struct mmlens_page_types *types;
	struct page_list list;		/* to be shown; none if its count is 0 */
};

int (*cli_kpageflags)(uint64_t pfn, uint64_t *flags) = mmlens_kpageflags;

static const struct option long_options[] = {
	{ "raw", no_argument, NULL, 'r' },
	{ "describe", required_argument, NULL, 'd' },
	{ "addr", required_argument, NULL, 'a' },
	{ "bits", required_argument, NULL, 'b' },
	{ "cgroup", required_argument, NULL, 'c' },
	{ "pid", required_argument, NULL, 'p' },
	{ "list", no_argument, NULL, 'l' },
	{ "list-each", no_argument, NULL, 'L' },
	{ "list-cgroup", no_argument, NULL, 'C' },
	{ "list-mapcnt", no_argument, NULL, 'M' },
	{ "no-summary", no_argument, NULL, 'N' },
	COMMON_OPTIONS
};

/* ---- arguments ---- */

static int parse_range(const struct command *self, struct arguments *a)
{
	struct range *r = &a->ranges[a->range_count];

	if (a->range_count == MAX_RANGES)
		return cli_usage(self, "page-types: too many ranges");
	if (mmlens_page_range_parse(optarg, &r->start, &r->end))
		return cli_usage(self, "page-types: '%s' isn't N, N+M, N,M, N, or ,M in pages",
				 optarg);
	a->range_count++;
	return CLI_GO_ON;
}

static int parse_filter(const struct command *self, struct arguments *a)
{
	if (a->filter_count == MAX_FILTERS)
		return cli_usage(self, "page-types: too many filters");
	if (mmlens_page_filter_parse(optarg, &a->filters[a->filter_count]))
		return cli_usage(self, "page-types: '%s' has a name that is no flag's",
				 optarg);
	a->filter_count++;
	return CLI_GO_ON;
}

/* A directory of the cgroup file system, or @ and its inode number. */
static int parse_memcg(const struct command *self, struct arguments *a)
{
	char *end;

	if (*optarg == '@') {
		a->memcg = strtoull(optarg + 1, &end, 0);
		if (a->memcg && !*end)
			return CLI_GO_ON;
		return cli_usage(self, "page-types: '%s' isn't @ and a number",
				 optarg);
	}
	a->memcg_path = optarg;
	return CLI_GO_ON;
}

static int parse_pid(const struct command *self, struct arguments *a)
{
	a->pid = cli_parse_pid(optarg);
	if (!a->pid)
		return cli_usage(self, "'%s' isn't a PID", optarg);
	a->view.va = true;
	return CLI_GO_ON;
}

static int describe(const struct command *self)
{
	struct view v = { .out = stdout };
	uint64_t flags;

	if (mmlens_page_types_names(optarg, &flags))
		return cli_usage(self, "page-types: '%s' has a name that is no flag's",
				 optarg);
	page_types_describe(&v, flags);
	return CLI_OK;
}

static int parse_option(const struct command *self, void *arguments, int c)
{
	struct arguments *a = arguments;

	switch (c) {
	case 'r':
		a->raw = true;
		return CLI_GO_ON;
	case 'd':
		return describe(self);
	case 'a':
		return parse_range(self, a);
	case 'b':
		return parse_filter(self, a);
	case 'c':
		return parse_memcg(self, a);
	case 'p':
		return parse_pid(self, a);
	case 'l':
	case 'L':
		a->view.list = c == 'l';
		a->view.each = c == 'L';
		return CLI_GO_ON;
	case 'C':
		a->view.memcg = true;
		return CLI_GO_ON;
	case 'M':
		a->view.mapcount = true;
		return CLI_GO_ON;
	case 'N':
		a->no_summary = true;
		return CLI_GO_ON;
	}
	return cli_common_option(self, c, &a->json);
}

static int parse(const struct command *self, struct arguments *a, int argc,
		 char **argv)
{
	int status;

	status = cli_parse_options(self, argc, argv, "rd:a:b:c:p:lLCMNh",
				   long_options, parse_option, a);
	if (status != CLI_GO_ON)
		return status;
	if (!a->range_count)
		a->ranges[a->range_count++] = (struct range) { 0, UINT64_MAX };
	return cli_no_more(self, argc, argv);
}

/* ---- pages, one run after another ---- */

static bool is_taken(const struct arguments *a, const struct page_list *p)
{
	for (size_t i = 0; i < a->filter_count; i++)
		if (!mmlens_page_filter_takes(&a->filters[i], p->flags))
			return false;
	return !a->memcg || p->memcg == a->memcg;
}

static void flush(struct job *job)
{
	if (job->list.count)
		job->view->pages(&job->s.view, &job->a->view, &job->list);
	job->list.count = 0;
}

/* Does @p go on where what is to be shown ends? */
static bool continues(const struct page_list *list, const struct page_list *p)
{
	return list->count && list->flags == p->flags &&
	       list->memcg == p->memcg && list->mapcount == p->mapcount &&
	       list->pfn + list->count == p->pfn &&
	       list->va + list->count == p->va;
}

static void add_to_list(struct job *job, const struct page_list *p)
{
	if (continues(&job->list, p)) {
		job->list.count += p->count;
		return;
	}
	flush(job);
	job->list = *p;
}

/* @p with the flags that the page has; @entry maps it, or 0. */
static int add_pages(struct job *job, struct page_list p, uint32_t entry)
{
	const struct arguments *a = job->a;
	const uint32_t huge_zero = MMLENS_PTE_ZERO | MMLENS_PTE_LEAF;

	/* That of its PFN alone can't be told on older kernels. */
	if ((entry & huge_zero) == huge_zero)
		p.flags |= KPF_THP | KPF_ZERO_PAGE;
	p.flags = a->raw ? mmlens_page_types_raw(p.flags, entry) :
			   mmlens_page_types_known(p.flags);
	if (!is_taken(a, &p))
		return 0;
	/* What isn't shown divides nothing. */
	if (!a->view.memcg)
		p.memcg = 0;
	if (!a->view.mapcount)
		p.mapcount = 0;
	if (a->view.list || a->view.each)
		add_to_list(job, &p);
	return mmlens_page_types_add(job->types, p.flags, p.count);
}

/* ---- page frames ---- */

/*
 * The first PFN that kpageflags doesn't have, which shows page frames without
 * a page, too; @end where it can't be asked.
 */
static uint64_t end_of_frames(uint64_t end)
{
	uint64_t low = 0, high = 1ull << 52;
	uint64_t flags;

	if (cli_kpageflags(0, &flags) <= 0)
		return end;
	while (high - low > 1) {
		uint64_t pfn = low + (high - low) / 2;

		if (cli_kpageflags(pfn, &flags) > 0)
			low = pfn;
		else
			high = pfn;
	}
	return high;
}

/* Page frames without a page, as the kernel says it of them. */
static int add_hole(struct job *job, uint64_t va, uint64_t start, uint64_t end,
		    uint32_t entry)
{
	struct page_list p = { .va = va, .pfn = start, .count = end - start };

	if (start >= end)
		return 0;
	if (cli_kpageflags(start, &p.flags) <= 0)
		p.flags = KPF_NOPAGE;
	return add_pages(job, p, entry);
}

static int add_run(struct job *job, const struct mmlens_pfns *run, uint64_t va,
		   uint32_t entry)
{
	const struct page_list p = {
		.va = va,
		.pfn = run->pfn,
		.count = run->count,
		.flags = run->page_flags,
		.memcg = run->memcg,
		.mapcount = (int64_t)run->mapcount,
	};

	return add_pages(job, p, entry);
}

/*
 * Page frames from @start to @end; the first is at @va, and mapped by @entry.
 * Holes are shown up to @end or to where the kernel's file ends.
 */
static int walk_frames(struct job *job, uint64_t start, uint64_t end,
		       uint64_t va, uint32_t entry)
{
	const struct mmlens_pfns *run;
	struct mmlens_pages *pages;
	uint64_t at = start, last;
	int ret;

	if (start >= end)
		return 0;
	pages = mmlens_pages_open(job->s.lens, start, end);
	if (!pages)
		return -errno;
	while ((ret = mmlens_pages_next(pages, &run)) > 0) {
		if (run->pfn < at || run->pfn + run->count > end) {
			ret = -EPROTO;
			break;
		}
		ret = add_hole(job, va + at - start, at, run->pfn, entry);
		if (!ret)
			ret = add_run(job, run, va + run->pfn - start, entry);
		if (ret || job->s.view.error)
			break;
		at = run->pfn + run->count;
		session_progress(at - start, at);
	}
	mmlens_pages_close(pages);
	if (ret || at == end)
		return ret;
	last = end_of_frames(at);
	return add_hole(job, va + at - start, at, last < end ? last : end,
			entry);
}

static int walk_all_frames(struct job *job)
{
	int ret = 0;

	for (size_t i = 0; i < job->a->range_count && !ret; i++) {
		const struct range *r = &job->a->ranges[i];

		ret = walk_frames(job, r->start, r->end, r->start, 0);
	}
	return ret;
}

/* ---- a process ---- */

/* A swap slot, or what else stands where a page was. */
static int add_slot(struct job *job, const struct mmlens_entry *e, uint64_t va)
{
	struct page_list p = { .va = va, .count = 1 };

	/* pagemap doesn't tell of those. */
	if (e->flags & MMLENS_PTE_HUGETLB || job->a->memcg)
		return 0;
	p.pfn = mmlens_state(e->flags) == MMLENS_STATE_SWAP ?
		MMLENS_SWAP_OFFSET(e->value) : e->value;
	p.count = e->size >> job->s.view.info->page_shift;
	return add_pages(job, p, e->flags);
}

/* Entries in a row, of which the first may be that of page frame 0. */
static int add_row(struct job *job, const struct mmlens_row *row)
{
	const struct mmlens_entry *e = &row->first;
	const unsigned int shift = job->s.view.info->page_shift;
	const uint64_t skip = !e->value, count = row->count - skip;
	const uint64_t pages = e->size >> shift;
	struct page_list p = {
		.va = (e->va >> shift) + skip,
		.pfn = e->value + skip,
		.count = count,
		.flags = e->page.flags,
		.memcg = e->page.memcg,
		.mapcount = (int64_t)e->page.mapcount,
	};

	if (!mmlens_state_is_present(mmlens_state(e->flags)))
		return add_slot(job, e, e->va >> shift);
	if (!count)
		return 0;
	if (e->has_page && pages == 1)
		return add_pages(job, p, e->flags);
	/* A huge page's other pages, or one that isn't the kernel's to use. */
	return walk_frames(job, p.pfn, p.pfn + count * pages, p.va, e->flags);
}

static int walk_entries(struct job *job, uint64_t start, uint64_t end)
{
	struct mmlens_request request = {
		.pid = job->a->pid,
		.flags = MMLENS_WALK_PAGE | MMLENS_WALK_STATE,
		.start = start,
		.end = end,
	};
	struct mmlens_entries *entries;
	struct mmlens_row row;
	int ret;

	entries = mmlens_entries_open(job->s.lens, &request);
	if (!entries)
		return -errno;
	while ((ret = mmlens_rows_next(entries, &row)) > 0) {
		ret = add_row(job, &row);
		if (ret || job->s.view.error)
			break;
	}
	mmlens_entries_close(entries);
	return ret;
}

/* The tool sees what pagemap shows: nothing of pages that aren't the kernel's. */
static int walk_range(struct job *job, uint64_t start, uint64_t end)
{
	const struct mmlens_request request = {
		.pid = job->a->pid, .start = start, .end = end,
	};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	uint64_t at = start;
	int ret;

	areas = mmlens_areas_open(job->s.lens, &request, 0);
	if (!areas)
		return -errno;
	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		if (!(area->vma->flags & MMLENS_VMA_PFNMAP))
			continue;
		if (area->vma->start > at)
			ret = walk_entries(job, at, area->vma->start);
		if (ret < 0)
			break;
		at = area->vma->end;
	}
	mmlens_areas_close(areas);
	return ret || at >= end ? ret : walk_entries(job, at, end);
}

static int walk_process(struct job *job)
{
	const struct mmlens_info *info = job->s.view.info;
	const uint64_t last = info->task_size >> info->page_shift;
	int ret = 0;

	for (size_t i = 0; i < job->a->range_count && !ret; i++) {
		struct range r = job->a->ranges[i];

		if (r.end > last)
			r.end = last;
		if (r.start < r.end)
			ret = walk_range(job, r.start << info->page_shift,
					 r.end << info->page_shift);
	}
	return ret;
}

/* ---- all of it ---- */

static int show(struct job *job)
{
	const struct arguments *a = job->a;
	int ret;

	job->view->begin(&job->s.view, &a->view);
	ret = a->pid ? walk_process(job) : walk_all_frames(job);
	flush(job);
	session_progress_end();
	job->view->end(&job->s.view, &a->view,
		       a->no_summary ? NULL : job->types);
	if (a->pid)
		return session_explain(&job->s, a->pid, ret);
	return session_explain_of(&job->s, "page-types", ret);
}

/* Of a process, pages behind the first of a huge one are asked for, too. */
static int open_session(struct job *job)
{
	int status = session_open(&job->s, MMLENS_NR_PAGES, job->a->json);

	if (status != CLI_GO_ON)
		return status;
	job->view = job->a->json ? &page_types_json : &page_types_text;
	job->types = calloc(1, sizeof(*job->types));
	if (job->types)
		return CLI_GO_ON;
	return session_close(&job->s, session_explain_of(&job->s, "page-types",
							 -ENOMEM));
}

/* Of a capture as it was mounted where that was taken. */
static int find_captured_memcg(struct arguments *a)
{
	struct mmlens_labels *labels = mmlens_labels_open();
	int ret = labels ? mmlens_memcg_find(labels, a->memcg_path, &a->memcg) :
			   -ENOMEM;

	mmlens_labels_close(labels);
	if (!ret)
		return CLI_GO_ON;
	cli_error("%s: %s", a->memcg_path, strerror(-ret));
	return CLI_FAILED;
}

static int find_memcg(struct arguments *a)
{
	struct stat st;

	if (!a->memcg_path)
		return CLI_GO_ON;
	if (cli_from)
		return find_captured_memcg(a);
	if (stat(a->memcg_path, &st)) {
		cli_error("%s: %s", a->memcg_path, strerror(errno));
		return CLI_FAILED;
	}
	if (!S_ISDIR(st.st_mode)) {
		cli_error("%s: a cgroup is a directory", a->memcg_path);
		return CLI_FAILED;
	}
	a->memcg = st.st_ino;
	return CLI_GO_ON;
}

static int run_with(const struct command *self, struct arguments *a, int argc,
		    char **argv)
{
	struct job job = { .a = a };
	int status;

	status = parse(self, a, argc, argv);
	if (status == CLI_GO_ON)
		status = open_session(&job);
	if (status != CLI_GO_ON)
		return status;
	status = find_memcg(a);
	if (status == CLI_GO_ON)
		status = show(&job);
	free(job.types);
	return session_close(&job.s, status);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct arguments *a = calloc(1, sizeof(*a));
	int status;

	if (!a) {
		cli_error("page-types: %s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	status = run_with(self, a, argc, argv);
	free(a);
	return status;
}

static void legend(FILE *out)
{
	const struct mmlens_flag *f;
	unsigned int column = 0;

	fputs("\nFLAGS: names, beginnings of names or numbers, divided by commas\n"
	      "RANGE: N, N+M, N,M (to M - 1), N, (to the end), ,M\n"
	      "BITS:  A,B (one of them), A,B=A, A,~B (A without B), =A,B (nothing else)\n"
	      "\nFlags, (r) with --raw alone:\n", out);
	for (f = mmlens_page_types_flags(); f->bit; f++)
		fprintf(out, "%16s%s%s", f->name, *f->help ? "(r)" : "   ",
			++column % 4 ? "" : "\n");
	if (column % 4)
		putc('\n', out);
}

const struct command cmd_page_types = {
	.name = "page-types",
	.arguments = "[-r] [-a RANGE] [-b BITS] [-c CGROUP] [-p PID] [-l|-L] [-C] [-M] [-N] [--json]",
	.summary = "pages by their flags, as the kernel's tool page-types",
	.help =
	"  -r, --raw            all flags, and what they mean on this page\n"
	"  -d, --describe FLAGS their letters and names\n"
	"  -a, --addr RANGE     these page frames; with -p, pages of the address space\n"
	"  -b, --bits BITS      pages with these flags\n"
	"  -c, --cgroup CGROUP  pages of this memory cgroup: a directory, or @INODE\n"
	"  -p, --pid PID        pages of this process\n"
	"  -l, --list           pages in ranges\n"
	"  -L, --list-each      pages one by one\n"
	"  -C, --list-cgroup    with them the inode number of their memory cgroup\n"
	"  -M, --list-mapcnt    with them how often they are mapped\n"
	"  -N, --no-summary     no table\n"
	COMMON_HELP,
	.legend = legend,
	.run = run,
};
