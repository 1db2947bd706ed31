// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify: LRU lists against what the kernel counts: zoneinfo, memory.numa_stat and
 * memory.stat of memory cgroups, lru_gen of debugfs; what is on them against
 * kpageflags.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify.h"

#define LRU_GEN	"/sys/kernel/debug/lru_gen"

#define NODES	64
#define TYPES	3

enum { ANON, FILES, UNEVICTABLE };

static const char *const type_names[TYPES] = { "anon", "file", "unevictable" };

static unsigned int type_of(const struct mmlens_lru_list *list)
{
	switch (list->lru) {
	case MMLENS_LRU_INACTIVE_ANON:
	case MMLENS_LRU_ACTIVE_ANON:
		return ANON;
	case MMLENS_LRU_UNEVICTABLE:
		return UNEVICTABLE;
	default:
		return FILES;
	}
}

/* ---- the lengths of all lists ---- */

struct lists {
	struct mmlens_lru_list *list;
	size_t count;
};

static int add_list(const struct mmlens_lru_contents *lru, void *context)
{
	struct lists *lists = context;
	struct mmlens_lru_list *grown = lists->list;

	if (!(lists->count & (lists->count - 1)))
		grown = reallocarray(grown, 2 * lists->count + 1,
				     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	lists->list = grown;
	grown[lists->count++] = lru->list;
	return 0;
}

static int read_lists(struct verify *v, struct lists *lists)
{
	const struct mmlens_request request = {};

	*lists = (struct lists) {};
	return mmlens_lru_read(v->lens, &request, add_list, lists, NULL);
}

/* CPUs count on their own up to a threshold. */
static uint64_t drift(void)
{
	return 64 + 125 * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- zoneinfo ---- */

struct totals {
	uint64_t pages[NODES][TYPES];
};

/* What is active counts with what isn't: generations are counted as either. */
static void read_zoneinfo(const char *text, struct totals *totals)
{
	unsigned int node = 0, at = 0;
	unsigned long long pages;
	const char *line;
	char name[64];

	memset(totals, 0, sizeof(*totals));
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "Node %u,", &at) == 1)
			node = at;
		if (node >= NODES ||
		    sscanf(line, " nr_zone_%63s %llu", name, &pages) != 2)
			continue;
		for (unsigned int i = 0; i < TYPES; i++) {
			const size_t n = strlen(type_names[i]);
			const size_t m = strlen(name);

			if (m >= n && !strcmp(name + m - n, type_names[i]) &&
			    (strstr(name, "active_") == name ||
			     strstr(name, "inactive_") == name ||
			     i == UNEVICTABLE))
				totals->pages[node][i] += pages;
		}
	}
}

static int look_at_zoneinfo(struct verify *v, void *context)
{
	struct totals *sums = calloc(3, sizeof(*sums));
	char *before = verify_read("/proc/zoneinfo"), *after = NULL;
	struct lists lists = {};
	int ret = sums && before ? read_lists(v, &lists) : -ENOMEM;

	(void)context;
	if (!ret) {
		after = verify_read("/proc/zoneinfo");
		ret = after ? 0 : -errno;
	}
	for (size_t i = 0; i < lists.count && !ret; i++) {
		const struct mmlens_lru_list *list = &lists.list[i];

		if (list->node < NODES)
			sums[1].pages[list->node][type_of(list)] += list->pages;
	}
	if (!ret) {
		read_zoneinfo(before, &sums[0]);
		read_zoneinfo(after, &sums[2]);
	}
	for (unsigned int i = 0; i < NODES * TYPES && !ret; i++) {
		const unsigned int node = i / TYPES, type = i % TYPES;

		if (sums[0].pages[node][type] || sums[1].pages[node][type])
			verify_number(v, sums[0].pages[node][type],
				      sums[1].pages[node][type],
				      sums[2].pages[node][type], drift(),
				      "node %u: %s pages", node,
				      type_names[type]);
	}
	free(lists.list);
	free(before);
	free(after);
	free(sums);
	return ret;
}

static int check_lengths(struct verify *v)
{
	if (!verify_has(v, "/proc/zoneinfo"))
		return 0;
	return verify_settle(v, look_at_zoneinfo, NULL);
}

/* ---- memory cgroups ---- */

/* Where version 2 is mounted; to be freed.  NULL: it isn't, with memory. */
static char *find_root(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	char *root = NULL, *path;

	while (f && !root && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			root = strdup(m->mnt_dir);
	if (f)
		endmntent(f);
	if (!root || asprintf(&path, "%s/memory.numa_stat", root) < 0)
		return root;
	if (access(path, R_OK)) {
		free(root);
		root = NULL;
	}
	free(path);
	return root;
}

/* Bytes of a line of memory.numa_stat: "anon N0=1 N1=2". */
static uint64_t numa_bytes(const char *text, const char *name)
{
	const size_t length = strlen(name);
	uint64_t sum = 0;
	const char *at;

	for (at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, length) && at[length] == ' ')
			break;
	}
	while (at && *at && *at != '\n') {
		if (*at == '=')
			sum += strtoull(at + 1, NULL, 10);
		at++;
	}
	return sum;
}

/* By type, with what is below the cgroup. */
static void group_totals(const char *text, uint64_t bytes[TYPES])
{
	bytes[ANON] = numa_bytes(text, "inactive_anon") +
		      numa_bytes(text, "active_anon");
	bytes[FILES] = numa_bytes(text, "inactive_file") +
		       numa_bytes(text, "active_file");
	bytes[UNEVICTABLE] = numa_bytes(text, "unevictable");
}

struct group {
	const char *root;
	const char *path;		/* below it */
	struct mmlens_labels *labels;
};

static bool is_below(struct group *group, uint64_t memcg)
{
	const char *path = mmlens_memcg_path(group->labels, memcg);
	const size_t length = strlen(group->path);

	if (!strcmp(group->path, "/"))
		return true;
	return path && !strncmp(path, group->path, length) &&
	       (!path[length] || path[length] == '/');
}

static char *read_group(const struct group *group, const char *file)
{
	char *name, *text;

	if (asprintf(&name, "%s%s/%s", group->root, group->path, file) < 0)
		return NULL;
	text = verify_read(name);
	free(name);
	return text;
}

static int look_at_group(struct verify *v, void *context)
{
	struct group *group = context;
	char *before = read_group(group, "memory.numa_stat"), *after = NULL;
	uint64_t sums[3][TYPES] = {};
	struct lists lists = {};
	/* A cgroup that is gone is no mismatch. */
	int ret = before ? read_lists(v, &lists) : -ESRCH;

	if (!ret) {
		after = read_group(group, "memory.numa_stat");
		ret = after ? 0 : -ESRCH;
	}
	for (size_t i = 0; i < lists.count && !ret; i++)
		if (is_below(group, lists.list[i].memcg))
			sums[1][type_of(&lists.list[i])] +=
				lists.list[i].pages << v->info->page_shift;
	if (!ret) {
		group_totals(before, sums[0]);
		group_totals(after, sums[2]);
		for (unsigned int i = 0; i < TYPES; i++)
			verify_number(v, sums[0][i], sums[1][i], sums[2][i],
				      drift() << v->info->page_shift,
				      "%s: %s bytes", group->path,
				      type_names[i]);
	}
	free(lists.list);
	free(before);
	free(after);
	return ret;
}

/* The memory cgroups that have pages, each once. */
static int each_group(struct verify *v, struct group *group)
{
	const size_t most = v->o->all ? SIZE_MAX : v->o->samples;
	struct lists lists;
	int ret = read_lists(v, &lists);
	size_t done = 0;

	for (size_t i = 0; i < lists.count && !ret && done < most; i++) {
		const uint64_t memcg = lists.list[i].memcg;
		const char *path;

		if (i && lists.list[i - 1].memcg == memcg)
			continue;
		path = mmlens_memcg_path(group->labels, memcg);
		/* The root's file is of all, which isn't counted at once. */
		if (!path || !strcmp(path, "/"))
			continue;
		group->path = path;
		ret = verify_settle(v, look_at_group, group);
		if (ret == -ESRCH)
			ret = 0;
		done++;
	}
	free(lists.list);
	if (!ret && !done)
		verify_skip(v, "no memory cgroup but the root has pages");
	return ret;
}

static int check_groups(struct verify *v)
{
	struct group group = { .labels = mmlens_labels_open() };
	char *root = find_root();
	int ret = 0;

	if (!root) {
		verify_skip(v, "no memory cgroups of version 2");
	} else if (!group.labels) {
		ret = -ENOMEM;
	} else {
		group.root = root;
		ret = each_group(v, &group);
	}
	mmlens_labels_close(group.labels);
	free(root);
	return ret;
}

/* ---- lru_gen ---- */

struct gen {
	struct mmlens_labels *labels;
	bool has_memcgs;
};

struct place {
	uint64_t memcg;
	unsigned int node;
	uint64_t seq;
};

static uint64_t pages_at(const struct lists *lists, const struct place *place,
			 unsigned int type)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < lists->count; i++) {
		const struct mmlens_lru_list *l = &lists->list[i];

		if (l->generation && l->memcg == place->memcg &&
		    l->node == place->node && l->seq == place->seq &&
		    type_of(l) == type)
			sum += l->pages;
	}
	return sum;
}

/* "memcg    ID PATH"; without memory cgroups it is 0. */
static bool take_memcg(const struct gen *gen, const char *line,
		       struct place *place)
{
	char path[512] = "/";

	if (strncmp(line, "memcg ", 6))
		return false;
	if (sscanf(line, "memcg %*u %511[^\n]", path) != 1)
		strcpy(path, "/");
	/* One that is gone has no directory, and no number that is known. */
	if (!gen->has_memcgs)
		place->memcg = 0;
	else if (mmlens_memcg_find(gen->labels, path, &place->memcg))
		place->memcg = UINT64_MAX;
	return true;
}

static bool take_seq(const char *line, struct place *place, uint64_t pages[2])
{
	unsigned long long seq, anon, file;

	if (sscanf(line, " %llu %*u %llu%*[a-z ] %llu", &seq, &anon, &file) !=
	    3 && sscanf(line, " %llu %*u %llu %llu", &seq, &anon, &file) != 3)
		return false;
	place->seq = seq;
	pages[ANON] = anon;
	pages[FILES] = file;
	return true;
}

/* The same line of a later look, if it is the same generation. */
static bool pages_then(const struct gen *gen, const char *text,
		       const struct place *wanted, uint64_t pages[2])
{
	struct place place = {};
	const char *line;
	unsigned int node;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (take_memcg(gen, line, &place))
			continue;
		if (sscanf(line, " node %u", &node) == 1)
			place.node = node;
		else if (take_seq(line, &place, pages) &&
			 place.memcg == wanted->memcg &&
			 place.node == wanted->node && place.seq == wanted->seq)
			return true;
	}
	return false;
}

static void compare_gen(struct verify *v, const struct gen *gen,
			const struct lists *lists, const struct place *place,
			const uint64_t pages[2], const char *after)
{
	uint64_t then[2];

	if (place->memcg == UINT64_MAX ||
	    !pages_then(gen, after, place, then))
		return;
	for (unsigned int type = ANON; type <= FILES; type++)
		verify_number(v, pages[type], pages_at(lists, place, type),
			      then[type], 0,
			      "memcg %" PRIu64 " node %u generation %" PRIu64 " %s",
			      place->memcg, place->node, place->seq,
			      type_names[type]);
}

static int look_at_gens(struct verify *v, void *context)
{
	struct gen *gen = context;
	char *before = verify_read(LRU_GEN), *after = NULL;
	struct place place = {};
	struct lists lists = {};
	const char *line;
	uint64_t pages[2];
	unsigned int node;
	int ret = before ? read_lists(v, &lists) : -errno;

	if (!ret) {
		after = verify_read(LRU_GEN);
		ret = after ? 0 : -errno;
	}
	gen->has_memcgs = false;
	for (size_t i = 0; i < lists.count; i++)
		gen->has_memcgs |= lists.list[i].memcg;
	for (line = ret ? NULL : before; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (take_memcg(gen, line, &place))
			continue;
		if (sscanf(line, " node %u", &node) == 1)
			place.node = node;
		else if (take_seq(line, &place, pages))
			compare_gen(v, gen, &lists, &place, pages, after);
	}
	free(lists.list);
	free(before);
	free(after);
	return ret;
}

static int check_gens(struct verify *v)
{
	struct gen gen = {};
	int ret;

	if (!verify_has(v, LRU_GEN))
		return 0;
	gen.labels = mmlens_labels_open();
	if (!gen.labels)
		return -ENOMEM;
	ret = verify_settle(v, look_at_gens, &gen);
	mmlens_labels_close(gen.labels);
	return ret;
}

/* ---- what is on them ---- */

/* Of a list, as many are looked at. */
#define FOLIOS	512u

struct contents {
	struct verify *v;
	int fd;
};

static int compare_contents(const struct mmlens_lru_contents *lru,
			    void *context)
{
	const struct contents *c = context;
	struct verify *v = c->v;
	const size_t step = v->o->all ? 1 : lru->count / FOLIOS + 1;
	uint64_t pages = 0, flags;

	for (size_t i = 0; i < lru->count; i++)
		pages += 1ull << lru->folios[i].order;
	if (lru->list.flags & MMLENS_LIST_COUNTED && !lru->start &&
	    !(lru->list.flags & (MMLENS_LIST_CUT | MMLENS_LIST_NO_ORDER)))
		verify_number(v, lru->list.pages, pages, lru->list.pages,
			      lru->list.generation ? VERIFY_PAGES : 0,
			      "memcg %llu node %u %s %u zone %u: pages",
			      lru->list.memcg, lru->list.node,
			      mmlens_lru_name(lru->list.lru),
			      lru->list.generation, lru->list.zone);
	for (size_t i = 0; i < lru->count; i += step) {
		const struct mmlens_pfns *folio = &lru->folios[i];

		/* It has left the list, by its own words. */
		if (folio->lru != lru->list.lru && !folio->generation)
			continue;
		if (verify_words(c->fd, folio->pfn, 1, &flags) == 1)
			verify_number(v, flags >> KPF_LRU & 1, 1,
				      flags >> KPF_LRU & 1, 0,
				      "PFN 0x%llx: on an LRU list",
				      folio->pfn);
	}
	return 0;
}

static int look_at_contents(struct verify *v, void *context)
{
	struct contents *c = context;
	const struct mmlens_request request = { .flags = MMLENS_WALK_FOLIOS };

	return mmlens_lru_read(v->lens, &request, compare_contents, c, NULL);
}

static int check_contents(struct verify *v)
{
	struct contents c = { .v = v };
	int ret;

	if (!verify_has(v, "/proc/kpageflags"))
		return 0;
	c.fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (c.fd < 0)
		return -errno;
	ret = verify_settle(v, look_at_contents, &c);
	close(c.fd);
	return ret;
}

const struct verify_check verify_lists[] = {
	{ "lru", "/proc/zoneinfo", "lengths of LRU lists", MMLENS_NR_LRU,
	  .run = check_lengths },
	{ "lru-pages", "/proc/kpageflags", "what is on LRU lists",
	  MMLENS_NR_LRU, .run = check_contents },
	{ "numa_stat", "memory.numa_stat", "LRU lists of memory cgroups",
	  MMLENS_NR_LRU, .run = check_groups },
	{ "lru_gen", LRU_GEN, "generations", MMLENS_NR_LRU,
	  .run = check_gens },
	{},
};
