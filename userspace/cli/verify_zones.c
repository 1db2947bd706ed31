// SPDX-License-Identifier: GPL-2.0-only
/* verify: zones, free blocks and counters against the kernel's files of them. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* ---- zoneinfo, buddyinfo, pagetypeinfo ---- */

struct file {
	const char *path;
	int (*show)(struct verify *v, struct view *view);
	int (*head)(const char *line);
	uint64_t (*slack)(const char *line);
};

static char *kernels(void *context)
{
	return verify_read(((const struct file *)context)->path);
}

static int ours(struct verify *v, struct view *view, void *context)
{
	return ((const struct file *)context)->show(v, view);
}

static int look_at_file(struct verify *v, void *context)
{
	const struct file *f = context;
	const struct verify_sources sources = { kernels, ours, context };
	struct verify_texts text = {
		.subject = f->path + strlen("/proc/"),
		.head = f->head, .slack = f->slack,
	};

	return verify_bracket(v, &text, &sources);
}

static int compare_file(struct verify *v, struct file *f)
{
	int ret;

	if (!verify_has(v, f->path))
		return 0;
	ret = verify_settle(v, look_at_file, f);
	if (ret == -EPROTO)
		return verify_skip(v, "%s: not in a form that is known here",
				   f->path);
	return ret;
}

static int show_zoneinfo(struct verify *v, struct view *view)
{
	struct mmlens_zoneinfo_format format;
	struct mmlens_zones *zones = mmlens_zones_read(v->lens);
	int ret = zones ? mmlens_zoneinfo_format_read(&format) : -errno;

	if (!ret) {
		zoneinfo_text(view, &format, zones);
		mmlens_zoneinfo_format_free(&format);
	}
	mmlens_zones_free(zones);
	return ret;
}

static int head_of_zoneinfo(const char *line)
{
	if (!strncmp(line, "Node ", 5))
		return 2;
	return !strncmp(line, "    cpu: ", 9);
}

/* What nothing changes as long as nobody sets it. */
static uint64_t slack_of_zoneinfo(const char *line)
{
	static const char *const still[] = {
		"boost", "min", "low", "high", "promo", "spanned", "present",
		"managed", "cma", "batch", "start_pfn", "protection",
	};
	const char *key = line + strspn(line, " ");

	for (size_t i = 0; i < sizeof(still) / sizeof(still[0]); i++)
		if (!strncmp(key, still[i], strlen(still[i])))
			return 0;
	return VERIFY_PAGES;
}

static int check_zoneinfo(struct verify *v)
{
	struct file f = {
		"/proc/zoneinfo", show_zoneinfo, head_of_zoneinfo,
		slack_of_zoneinfo,
	};

	return compare_file(v, &f);
}

static int show_buddyinfo(struct verify *v, struct view *view)
{
	struct mmlens_zones *zones = mmlens_zones_read(v->lens);

	if (!zones)
		return -errno;
	buddyinfo_text(view, zones);
	mmlens_zones_free(zones);
	return 0;
}

static int check_buddyinfo(struct verify *v)
{
	struct file f = { "/proc/buddyinfo", show_buddyinfo, NULL, NULL };

	return compare_file(v, &f);
}

static int show_pagetypeinfo(struct verify *v, struct view *view)
{
	struct free_memory memory = {};
	int ret = 0;

	memory.zones = mmlens_zones_read(v->lens);
	if (memory.zones)
		memory.blocks = mmlens_pageblock_map_read(v->lens, 0, 0);
	if (memory.blocks)
		memory.lists = mmlens_free_lists_read(v->lens);
	if (memory.lists)
		pagetypeinfo_text(view, &memory);
	else
		ret = -errno;
	mmlens_free_lists_free(memory.lists);
	mmlens_pageblock_map_free(memory.blocks);
	mmlens_zones_free(memory.zones);
	return ret;
}

static int check_pagetypeinfo(struct verify *v)
{
	struct file f = { "/proc/pagetypeinfo", show_pagetypeinfo, NULL, NULL };

	return compare_file(v, &f);
}

/* ---- counters: meminfo, vmstat ---- */

/* The counters of all nodes and zones by name. */
struct sums {
	struct mmlens_zoneinfo_format format;
	struct mmlens_zones *zones;
};

static int sums_read(struct verify *v, struct sums *sums)
{
	int ret = mmlens_zoneinfo_format_read(&sums->format);

	sums->zones = NULL;
	if (ret)
		return ret;
	sums->zones = mmlens_zones_read(v->lens);
	if (sums->zones)
		return 0;
	ret = -errno;
	mmlens_zoneinfo_format_free(&sums->format);
	return ret;
}

static void sums_free(struct sums *sums)
{
	mmlens_zoneinfo_format_free(&sums->format);
	mmlens_zones_free(sums->zones);
}

static uint64_t number_at(const struct mmlens_numbers *first,
			  const struct mmlens_numbers *second, size_t i)
{
	if (i < first->count)
		return first->value[i];
	i -= first->count;
	return second && i < second->count ? second->value[i] : 0;
}

static uint64_t sum_node(const struct sums *sums, size_t label)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sums->zones->count; i++)
		sum += number_at(&sums->zones->nodes[i].stats, NULL, label);
	return sum;
}

static uint64_t sum_zones(const struct sums *sums, size_t label)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sums->zones->count; i++) {
		const struct mmlens_node_state *node = &sums->zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++)
			sum += number_at(&node->zones[j].stats,
					 &node->zones[j].numa, label);
	}
	return sum;
}

/* By the number of a label: those of nodes come first. */
static uint64_t sum_at(const struct sums *sums, size_t i, char name[64])
{
	const size_t nodes = sums->format.node.count;
	const char *label = i < nodes ? sums->format.node.label[i] :
					sums->format.stats.label[i - nodes];
	size_t length;
	const char *key = mmlens_zoneinfo_key(label, &length);

	snprintf(name, 64, "%.*s", (int)length, key);
	return i < nodes ? sum_node(sums, i) : sum_zones(sums, i - nodes);
}

static size_t sum_count(const struct sums *sums)
{
	return sums->format.node.count + sums->format.stats.count;
}

static bool sum_named(const struct sums *sums, const char *wanted,
		      uint64_t *value)
{
	char name[64];

	for (size_t i = 0; i < sum_count(sums); i++) {
		*value = sum_at(sums, i, name);
		if (!strcmp(name, wanted))
			return true;
	}
	return false;
}

/* The text behind it and before it, and what is summed up in between. */
static int look_at_sums(struct verify *v, const char *path,
			void (*compare)(struct verify *v,
					const struct sums *sums,
					const char *before, const char *after))
{
	char *before = verify_read(path), *after = NULL;
	struct sums sums = {};
	int ret = before ? sums_read(v, &sums) : -errno;

	if (!ret) {
		after = verify_read(path);
		if (after)
			compare(v, &sums, before, after);
		else
			ret = -errno;
		sums_free(&sums);
	}
	free(before);
	free(after);
	return ret;
}

/* A key with what divides it from its number. */
static bool find_word(const char *text, const char *name, uint64_t *value)
{
	char key[72];

	snprintf(key, sizeof(key), "%s ", name);
	return verify_value(text, key, value);
}

static void compare_vmstat(struct verify *v, const struct sums *sums,
			   const char *before, const char *after)
{
	char name[64];

	for (size_t i = 0; i < sum_count(sums); i++) {
		const uint64_t ours = sum_at(sums, i, name);
		uint64_t one, other;

		if (find_word(before, name, &one) &&
		    find_word(after, name, &other))
			verify_number(v, one, ours, other, VERIFY_PAGES, "%s",
				      name);
	}
}

static int look_at_vmstat(struct verify *v, void *context)
{
	(void)context;
	return look_at_sums(v, "/proc/vmstat", compare_vmstat);
}

static int check_vmstat(struct verify *v)
{
	if (!verify_has(v, "/proc/vmstat"))
		return 0;
	return verify_settle(v, look_at_vmstat, NULL);
}

/* Lines of meminfo that are one counter, in pages. */
static const struct {
	const char *line;
	const char *counter;
} meminfo[] = {
	{ "AnonPages", "nr_anon_pages" },
	{ "Mapped", "nr_mapped" },
	{ "Shmem", "nr_shmem" },
	{ "Dirty", "nr_dirty" },
	{ "Writeback", "nr_writeback" },
	{ "SReclaimable", "nr_slab_reclaimable" },
	{ "SUnreclaim", "nr_slab_unreclaimable" },
	{ "PageTables", "nr_page_table_pages" },
	{ "Active(anon)", "nr_active_anon" },
	{ "Inactive(anon)", "nr_inactive_anon" },
	{ "Active(file)", "nr_active_file" },
	{ "Inactive(file)", "nr_inactive_file" },
	{ "Unevictable", "nr_unevictable" },
	{ "Mlocked", "nr_mlock" },
};

static void compare_line(struct verify *v, const char *line, uint64_t pages,
			 const char *before, const char *after)
{
	const unsigned int shift = v->info->page_shift - 10;
	uint64_t one, other;
	char key[40];

	snprintf(key, sizeof(key), "%s:", line);
	if (verify_value(before, key, &one) && verify_value(after, key, &other))
		verify_number(v, one, pages << shift, other,
			      (uint64_t)VERIFY_PAGES << shift, "%s (kB)", line);
}

static void compare_meminfo(struct verify *v, const struct sums *sums,
			    const char *before, const char *after)
{
	uint64_t value, free_pages = 0, managed = 0;

	for (size_t i = 0; i < sizeof(meminfo) / sizeof(meminfo[0]); i++)
		if (sum_named(sums, meminfo[i].counter, &value))
			compare_line(v, meminfo[i].line, value, before, after);
	for (size_t i = 0; i < sums->zones->count; i++) {
		const struct mmlens_node_state *node = &sums->zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++) {
			free_pages += node->zones[j].zone.free;
			managed += node->zones[j].zone.managed;
		}
	}
	compare_line(v, "MemFree", free_pages, before, after);
	compare_line(v, "MemTotal", managed, before, after);
}

static int look_at_meminfo(struct verify *v, void *context)
{
	(void)context;
	return look_at_sums(v, "/proc/meminfo", compare_meminfo);
}

static int check_meminfo(struct verify *v)
{
	if (!verify_has(v, "/proc/meminfo"))
		return 0;
	return verify_settle(v, look_at_meminfo, NULL);
}

/* ---- every page in one bucket ---- */

/* "Node 0, zone  Normal" and its "present". */
static bool present_of(const char *text, const struct mmlens_zone *zone,
		       uint64_t *present)
{
	unsigned int node;
	char name[32];

	for (; text; text = strstr(text + 1, "\nNode ")) {
		if (sscanf(text, " Node %u, zone %31s", &node, name) != 2 ||
		    node != zone->node || strcmp(name, zone->name))
			continue;
		text = strstr(text, "\n        present");
		return text && verify_value(text + 1, "        present",
					    present);
	}
	return false;
}

static void compare_ledger(struct verify *v, const struct mmlens_ledger *ledger,
			   const struct mmlens_zone *zone, const char *text)
{
	uint64_t pages[MMLENS_LEDGER_BUCKETS], sum = 0, present;

	if (!present_of(text, zone, &present))
		return;
	mmlens_ledger_sum(ledger, zone->node, zone->index, pages);
	for (unsigned int i = 0; i < MMLENS_LEDGER_BUCKETS; i++)
		if (i != MMLENS_LEDGER_HOLE)
			sum += pages[i];
	verify_number(v, present, sum, present, 0,
		      "node %" PRIu32 " %s: pages in buckets", zone->node,
		      zone->name);
}

static int look_at_ledger(struct verify *v, void *context)
{
	struct mmlens_ledger *ledger = mmlens_ledger_read(v->lens);
	struct mmlens_zones *zones = ledger ? mmlens_zones_read(v->lens) : NULL;
	char *text = zones ? verify_read("/proc/zoneinfo") : NULL;
	int ret = text ? 0 : -errno;

	(void)context;
	for (size_t i = 0; zones && text && i < zones->count; i++) {
		const struct mmlens_node_state *node = &zones->nodes[i];

		for (size_t j = 0; j < node->zone_count; j++)
			compare_ledger(v, ledger, &node->zones[j].zone, text);
	}
	free(text);
	mmlens_zones_free(zones);
	mmlens_ledger_free(ledger);
	return ret;
}

static int check_ledger(struct verify *v)
{
	if (!verify_has(v, "/proc/zoneinfo") || !verify_has(v, "/proc/iomem"))
		return 0;
	return verify_settle(v, look_at_ledger, NULL);
}

/* ---- free blocks ---- */

/* Of those on a list, as many are looked at. */
#define BLOCKS	512u

static bool is_listed(const struct mmlens_free_lists *lists,
		      const struct mmlens_free_list *list, uint64_t pfn)
{
	for (size_t i = 0; i < lists->count; i++) {
		const struct mmlens_free_list *l = &lists->lists[i];

		if (l->node != list->node || l->zone != list->zone ||
		    l->cpu != list->cpu || l->order != list->order ||
		    l->migratetype != list->migratetype)
			continue;
		for (size_t j = 0; j < l->count; j++)
			if (l->pfn[j] == pfn)
				return true;
	}
	return false;
}

/* The buddy allocator's are marked, those that CPUs keep aren't. */
static void compare_block(struct verify *v, int fd,
			  const struct mmlens_free_lists *after,
			  const struct mmlens_free_list *list, uint64_t pfn)
{
	uint64_t flags;

	if (verify_words(fd, pfn, 1, &flags) != 1)
		return;
	if ((flags >> KPF_BUDDY & 1) == (list->cpu < 0)) {
		v->compared++;
		return;
	}
	/* It may have gone between two looks. */
	if (!is_listed(after, list, pfn))
		return;
	verify_number(v, flags >> KPF_BUDDY & 1, list->cpu < 0,
		      flags >> KPF_BUDDY & 1, 0,
		      "PFN 0x%" PRIx64 ", of order %u: in a free block", pfn,
		      list->order);
}

static int look_at_blocks(struct verify *v, void *context)
{
	const int fd = *(const int *)context;
	struct mmlens_free_lists *lists = mmlens_free_lists_read(v->lens);
	struct mmlens_free_lists *after =
		lists ? mmlens_free_lists_read(v->lens) : NULL;
	int ret = after ? 0 : -errno;

	for (size_t i = 0; after && i < lists->count; i++) {
		const struct mmlens_free_list *list = &lists->lists[i];
		const size_t step = v->o->all ? 1 : list->count / BLOCKS + 1;

		for (size_t j = 0; j < list->count; j += step)
			compare_block(v, fd, after, list, list->pfn[j]);
	}
	mmlens_free_lists_free(lists);
	mmlens_free_lists_free(after);
	return ret;
}

static int check_blocks(struct verify *v)
{
	int fd, ret;

	if (!verify_has(v, "/proc/kpageflags"))
		return 0;
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = verify_settle(v, look_at_blocks, &fd);
	close(fd);
	return ret;
}

const struct verify_check verify_zones[] = {
	{ "zoneinfo", "/proc/zoneinfo", "nodes, zones and CPUs",
	  MMLENS_NR_ZONES, .run = check_zoneinfo },
	{ "buddyinfo", "/proc/buddyinfo", "free blocks by order",
	  MMLENS_NR_ZONES, .run = check_buddyinfo },
	{ "pagetypeinfo", "/proc/pagetypeinfo",
	  "free blocks and page blocks by type", MMLENS_NR_FREE,
	  .run = check_pagetypeinfo },
	{ "free", "/proc/kpageflags", "blocks on free lists", MMLENS_NR_FREE,
	  .run = check_blocks },
	{ "vmstat", "/proc/vmstat", "counters", MMLENS_NR_ZONES,
	  .run = check_vmstat },
	{ "meminfo", "/proc/meminfo", "counters", MMLENS_NR_ZONES,
	  .run = check_meminfo },
	{ "ledger", "/proc/zoneinfo", "page frames by zone", MMLENS_NR_FREE,
	  .run = check_ledger },
	{},
};
