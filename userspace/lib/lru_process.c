// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a process's pages stand on the LRU lists, and which of them reclaim
 * would take.  Page tables, lists and who used what are three walks, one after
 * the other: what moves between them is told as such.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "reclaim.h"

/* Of kernel-page-flags.h. */
#define KPF_HUGE	(1ull << 17)
#define KPF_ZERO_PAGE	(1ull << 24)

static const char *const off_names[] = {
	[MMLENS_LRU_ON] = "on_list",
	[MMLENS_LRU_OFF_NONE] = "none",
	[MMLENS_LRU_OFF_MOVED] = "moved",
	[MMLENS_LRU_OFF_UNLINKED] = "unevictable",
	[MMLENS_LRU_OFF_HUGETLB] = "hugetlb",
	[MMLENS_LRU_OFF_ZERO] = "zero_page",
	[MMLENS_LRU_OFF_SPECIAL] = "special",
	[MMLENS_LRU_OFF_MIGRATION] = "migration",
};

const char *mmlens_lru_off_name(unsigned int off)
{
	return off < ARRAY_SIZE(off_names) ? off_names[off] : "?";
}

/* ---- what it maps ---- */

static enum mmlens_lru_off off_of(const struct mmlens_entry *e)
{
	if (mmlens_state(e->flags) == MMLENS_STATE_MIGRATION)
		return MMLENS_LRU_OFF_MIGRATION;
	if (e->flags & MMLENS_PTE_ZERO ||
	    (e->has_page && e->page.flags & KPF_ZERO_PAGE))
		return MMLENS_LRU_OFF_ZERO;
	if (!e->has_page || e->flags & MMLENS_PTE_SPECIAL)
		return MMLENS_LRU_OFF_SPECIAL;
	if (e->flags & MMLENS_PTE_HUGETLB || e->page.flags & KPF_HUGE)
		return MMLENS_LRU_OFF_HUGETLB;
	if (e->page.lru == MMLENS_LRU_UNEVICTABLE)
		return MMLENS_LRU_OFF_UNLINKED;
	/* Until it is found on one. */
	return e->page.lru ? MMLENS_LRU_OFF_MOVED : MMLENS_LRU_OFF_NONE;
}

static bool goes_on(const struct mmlens_lru_mapping *m,
		    const struct mmlens_lru_mapping *next, unsigned int shift)
{
	return m->pfn == next->pfn && m->off == next->off &&
	       m->va + ((uint64_t)m->pages << shift) == next->va;
}

static int add_mapping(struct mmlens_lru_process *p,
		       const struct mmlens_lru_mapping *next,
		       unsigned int shift)
{
	struct mmlens_lru_mapping *all = p->mappings;
	size_t n = p->mapping_count;

	p->mapped += next->pages;
	if (n && goes_on(&all[n - 1], next, shift)) {
		all[n - 1].pages += next->pages;
		return 0;
	}
	all = mmlens_grown(all, n, sizeof(*all));
	if (!all)
		return -ENOMEM;
	p->mappings = all;
	all[p->mapping_count++] = *next;
	return 0;
}

static int add_entry(struct mmlens_lru_process *p, const struct mmlens_entry *e,
		     unsigned int shift)
{
	const enum mmlens_pte_state state = mmlens_state(e->flags);
	struct mmlens_lru_mapping next = {
		.pfn = e->value,
		.va = e->va,
		.pages = e->size >> shift,
		.lru = e->has_page ? e->page.lru : MMLENS_LRU_NONE,
	};

	if (state == MMLENS_STATE_SWAP)
		p->swapped += next.pages;
	if (!mmlens_state_is_present(state) && state != MMLENS_STATE_MIGRATION)
		return 0;
	next.off = off_of(e);
	if (e->has_page && e->page.order)
		next.pfn -= e->page.folio_index;
	return add_mapping(p, &next, shift);
}

static int read_entries(struct mmlens_lru_process *p, struct mmlens *lens,
			int pid)
{
	struct mmlens_request request = {
		.pid = pid,
		.flags = MMLENS_WALK_STATE,
	};
	struct mmlens_entries *entries = mmlens_entries_open(lens, &request);
	struct mmlens_entry entry;
	int ret;

	if (!entries)
		return -errno;
	while ((ret = mmlens_entries_next(entries, &entry)) > 0) {
		ret = add_entry(p, &entry, lens->info.page_shift);
		if (ret)
			break;
	}
	mmlens_stats_add(&p->stats, mmlens_entries_stats(entries));
	mmlens_entries_close(entries);
	return ret;
}

static int compare_pfns(const void *a, const void *b)
{
	const struct mmlens_lru_mapping *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct mmlens_lru_mapping *x = a, *y = b;

	return x->va < y->va ? -1 : x->va > y->va;
}

static void sort(struct mmlens_lru_process *p,
		 int (*compare)(const void *, const void *))
{
	if (p->mapping_count)
		qsort(p->mappings, p->mapping_count, sizeof(*p->mappings),
		      compare);
}

/* The first mapping of that folio or a later one, in order of PFN. */
static size_t find(const struct mmlens_lru_process *p, uint64_t pfn)
{
	size_t low = 0, high = p->mapping_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->mappings[middle].pfn >= pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* ---- the memory cgroup ---- */

/* "7:memory:/a" or "0::/a" of /proc/PID/cgroup: how good it is, 0 not at all. */
static int rate_line(const char *line, const char **path)
{
	const char *controllers = strchr(line, ':');
	const char *colon = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!colon)
		return 0;
	*path = colon + 1;
	if (colon == controllers + 1)
		return 1;
	for (const char *c = controllers; c < colon; c = strpbrk(c + 1, ",:"))
		if (!strncmp(c + 1, "memory", 6) && strchr(",:", c[7]))
			return 2;
	return 0;
}

/* Path in the hierarchy; to be freed.  NULL: there is none, or it is gone. */
static char *path_of(int pid)
{
	char *found = NULL, *text, *line, *rest, name[32];
	int best = 0;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	text = mmlens_read_file(name);
	if (!text)
		return NULL;
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *path;
		int rating = rate_line(line, &path);

		if (rating <= best)
			continue;
		best = rating;
		free(found);
		found = strdup(path);
	}
	free(text);
	return found;
}

static bool is_below(const char *path, const char *of)
{
	size_t length = strlen(of);

	return !strcmp(of, "/") ||
	       (path && !strncmp(path, of, length) &&
		strchr("/", path[length]));
}

/* A file of the cgroup; false where there is none, or no number. */
static bool read_number(const char *root, const char *path, const char *name,
			uint64_t *value)
{
	char *file, *text, *end;
	bool ok = false;

	if (asprintf(&file, "%s%s/%s", root, path, name) < 0)
		return false;
	text = mmlens_read_file(file);
	free(file);
	if (text) {
		*value = strtoull(text, &end, 10);
		ok = end != text;
	}
	free(text);
	return ok;
}

/* A cgroup without the memory controller is its parent's concern. */
static void climb(const char *root, char *path)
{
	char *file, *slash;
	bool there;

	while ((slash = strrchr(path, '/')) && path[1]) {
		if (asprintf(&file, "%s%s/memory.stat", root, path) < 0)
			return;
		there = mmlens_source_has(file);
		free(file);
		if (there)
			return;
		slash[slash == path] = '\0';
	}
}

/* ---- what reclaim would take ---- */

/**
 * struct gather - What is read into.
 * @process:	the process
 * @labels:	paths of memory cgroups
 * @reclaim:	the model; NULL: none
 * @pid:	whose cgroup was asked for last
 * @counts:	its use of pages counts
 */
struct gather {
	struct mmlens_lru_process *process;
	struct mmlens_labels *labels;
	struct mml_reclaim *reclaim;
	int pid;
	bool counts;
};

static uint64_t swap_free(unsigned int shift)
{
	char *text = mmlens_read_file("/proc/meminfo");
	const char *line = text ? strstr(text, "SwapFree:") : NULL;
	unsigned long long kib = 0;

	if (line)
		sscanf(line, "SwapFree: %llu", &kib);
	free(text);
	return kib >> (shift - 10);
}

/* What the cgroup may swap out. */
static uint64_t swap_room(const char *root, const char *path,
			  unsigned int shift)
{
	uint64_t room = swap_free(shift), most, now;

	if (!root || !path ||
	    !read_number(root, path, "memory.swap.max", &most) ||
	    !read_number(root, path, "memory.swap.current", &now))
		return room;
	most = most > now ? (most - now) >> shift : 0;
	return most < room ? most : room;
}

static unsigned int swappiness(const char *root, const char *path)
{
	uint64_t value;

	if ((root && path &&
	     read_number(root, path, "memory.swappiness", &value)) ||
	    read_number("/proc", "/sys/vm", "swappiness", &value))
		return value < 200 ? value : 200;
	return 60;
}

static int begin_reclaim(struct gather *g, int pid, unsigned int shift)
{
	struct mmlens_lru_after *after = &g->process->after;
	const char *root = mmlens_memcg_root(g->labels);
	char *path = root ? path_of(pid) : NULL;

	if (path)
		climb(root, path);
	after->memcg = path;
	after->swap = swap_room(root, path, shift);
	after->swappiness = swappiness(root, path);
	g->reclaim = mml_reclaim_new(&(struct mml_reclaim_settings) {
		.swappiness = after->swappiness,
		.swap = after->swap,
		.page_shift = shift,
	});
	return g->reclaim ? 0 : -ENOMEM;
}

/* Does reclaim take from this list?  Without cgroups from all. */
static bool is_reclaimed(struct gather *g, const struct mmlens_lru_list *list)
{
	const char *of = g->process->after.memcg;

	return g->reclaim &&
	       (!of || !list->memcg ||
		is_below(mmlens_memcg_path(g->labels, list->memcg), of));
}

/* Those outside of the cgroup that is reclaimed from aren't asked. */
static bool use_counts(struct gather *g, int pid)
{
	const char *of = g->process->after.memcg;
	char *path;

	if (pid == g->pid)
		return g->counts;
	path = of ? path_of(pid) : NULL;
	g->pid = pid;
	g->counts = !of || is_below(path, of);
	free(path);
	return g->counts;
}

/* Nothing is kept: it is counted as it comes. */
static bool count_use(const struct mmlens_user *user, void *context)
{
	struct gather *g = context;

	if (mmlens_state_is_present(mmlens_state(user->flags)) &&
	    use_counts(g, user->pid))
		mml_reclaim_use(g->reclaim, user);
	return false;
}

static int read_uses(struct gather *g, struct mmlens *lens)
{
	struct mmlens_users *users;
	uint64_t start, end;

	mml_reclaim_range(g->reclaim, &start, &end);
	if (start == end)
		return 0;
	users = mmlens_users_read(lens, start, end, count_use, g);
	if (!users)
		return -errno;
	mmlens_stats_add(&g->process->stats, &users->stats);
	mmlens_users_free(users);
	return 0;
}

static void name_pages(struct gather *g)
{
	struct mmlens_lru_process *p = g->process;

	for (size_t i = 0; i < p->mapping_count; i++) {
		struct mmlens_lru_mapping *m = &p->mappings[i];

		m->goes = m->off == MMLENS_LRU_ON &&
			  mml_reclaim_took(g->reclaim, m->pfn);
		if (m->goes)
			p->after.named += m->pages;
	}
}

static int play_reclaim(struct gather *g, struct mmlens *lens, uint64_t pages)
{
	struct mmlens_lru_after *after = &g->process->after;
	int ret = mml_reclaim_index(g->reclaim);

	if (!ret)
		ret = read_uses(g, lens);
	if (ret)
		return ret;
	after->asked = pages;
	after->taken = mml_reclaim_run(g->reclaim, pages);
	after->kinds = mml_reclaim_kinds(g->reclaim);
	name_pages(g);
	return 0;
}

/* ---- the lists ---- */

/* Pages of the folio that the process maps; 0 if they have been found already. */
static uint64_t find_folio(struct mmlens_lru_process *p, uint64_t pfn)
{
	uint64_t pages = 0;

	for (size_t i = find(p, pfn);
	     i < p->mapping_count && p->mappings[i].pfn == pfn; i++) {
		struct mmlens_lru_mapping *m = &p->mappings[i];

		if (m->off > MMLENS_LRU_OFF_UNLINKED || m->off == MMLENS_LRU_ON)
			continue;
		m->off = MMLENS_LRU_ON;
		pages += m->pages;
	}
	return pages;
}

static int add_share(struct mmlens_lru_process *p,
		     const struct mmlens_lru_share *share)
{
	struct mmlens_lru_share *all;

	p->on += share->pages;
	if (!share->pages)
		return 0;
	all = mmlens_grown(p->shares, p->share_count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	p->shares = all;
	all[p->share_count++] = *share;
	return 0;
}

static int take_list(const struct mmlens_lru_contents *lru, void *context)
{
	struct gather *g = context;
	struct mmlens_lru_share share = {
		.list = lru->list,
		.folios = lru->count,
	};

	for (size_t i = 0; i < lru->count; i++) {
		uint64_t pages = find_folio(g->process, lru->folios[i].pfn);

		share.pages += pages;
		share.parts[i * MMLENS_LRU_PARTS / lru->count] += pages;
	}
	if (is_reclaimed(g, &lru->list)) {
		int ret = mml_reclaim_add(g->reclaim, lru);

		if (ret)
			return ret;
	}
	return add_share(g->process, &share);
}

static void count_off(struct mmlens_lru_process *p)
{
	for (size_t i = 0; i < p->mapping_count; i++)
		if (p->mappings[i].off != MMLENS_LRU_ON)
			p->off[p->mappings[i].off] += p->mappings[i].pages;
}

static int read_process(struct gather *g, struct mmlens *lens, int pid,
			uint64_t after)
{
	struct mmlens_request request = { .flags = MMLENS_WALK_FOLIOS };
	struct mmlens_lru_process *p = g->process;
	int ret = read_entries(p, lens, pid);

	if (!ret && after)
		ret = begin_reclaim(g, pid, lens->info.page_shift);
	if (ret)
		return ret;
	sort(p, compare_pfns);
	ret = mmlens_lru_read(lens, &request, take_list, g, &p->stats);
	if (!ret && after)
		ret = play_reclaim(g, lens, after);
	sort(p, compare_addresses);
	count_off(p);
	return ret;
}

struct mmlens_lru_process *
mmlens_lru_process_read(struct mmlens *lens, int pid, uint64_t after)
{
	struct gather g = {
		.process = calloc(1, sizeof(*g.process)),
		.labels = mmlens_labels_open(),
	};
	int ret = -ENOMEM;

	if (g.process && g.labels)
		ret = read_process(&g, lens, pid, after);
	mmlens_labels_close(g.labels);
	mml_reclaim_free(g.reclaim);
	if (!ret)
		return g.process;
	mmlens_lru_process_free(g.process);
	errno = -ret;
	return NULL;
}

void mmlens_lru_process_free(struct mmlens_lru_process *process)
{
	if (!process)
		return;
	free(process->shares);
	free(process->mappings);
	free(process->after.memcg);
	free(process);
}
