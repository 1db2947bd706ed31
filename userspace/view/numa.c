// SPDX-License-Identifier: GPL-2.0-only
/*
 * numa_maps: the bytes of /proc/PID/numa_maps (show_numa_map() of
 * fs/proc/task_mmu.c).  The gate area has no line there.
 */
#include <string.h>

#include "line.h"
#include "view.h"

/* ---- text ---- */

static void text_begin(struct view *v, int pid)
{
	(void)v;
	(void)pid;
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)v;
	(void)count;
	(void)stats;
}

/* A name that the process has given to shared memory isn't shown here. */
static const char *file_name(const struct mmlens_area *area)
{
	if (area->name && !strncmp(area->name, "[anon_shmem:", 12))
		return "/dev/zero (deleted)";
	return area->name ? area->name : "";
}

static void put_mapping(struct line *l, struct view *v,
			const struct mmlens_area *area)
{
	uint64_t flags = area->vma->flags;

	if (flags & MMLENS_VMA_FILE) {
		const char *name = file_name(area);

		line_string(l, " file=");
		line_put(l, v);
		text_path(v->out, name, strlen(name), "\n\t= ");
	} else if (flags & MMLENS_VMA_HEAP) {
		line_string(l, " heap");
	} else if (flags & MMLENS_VMA_STACK) {
		line_string(l, " stack");
	}
	if (flags & MMLENS_VMA_HUGETLB)
		line_string(l, " huge");
}

static void count(struct line *l, const char *key, uint64_t value)
{
	line_string(l, key);
	line_number(l, value);
}

static void line_counts(struct line *l, const struct mmlens_area *area)
{
	const struct mmlens_numa *n = area->numa;

	if (n->anon)
		count(l, " anon=", n->anon);
	if (n->dirty)
		count(l, " dirty=", n->dirty);
	if (n->pages != n->anon && n->pages != n->dirty)
		count(l, " mapped=", n->pages);
	if (n->mapcount_max > 1)
		count(l, " mapmax=", n->mapcount_max);
	if (n->swapcache)
		count(l, " swapcache=", n->swapcache);
	if (n->active < n->pages && !(area->vma->flags & MMLENS_VMA_HUGETLB))
		count(l, " active=", n->active);
	if (n->writeback)
		count(l, " writeback=", n->writeback);
}

/* 128 nodes of at most 26 bytes are more than a line holds. */
static void put_nodes(struct line *l, struct view *v,
		      const struct mmlens_area *area)
{
	for (size_t i = 0; i < area->node_count; i++) {
		count(l, " N", area->nodes[i].node);
		count(l, "=", area->nodes[i].pages);
		if (i % 32 == 31)
			line_put(l, v);
	}
}

static void text_area(struct view *v, const struct mmlens_area *area)
{
	char policy[MMLENS_POLICY_TEXT];
	struct line l;

	l.length = 0;
	mmlens_numa_policy(area->numa, policy);
	line_hex(&l, area->vma->start, 8);
	line_char(&l, ' ');
	line_string(&l, policy);
	put_mapping(&l, v, area);
	if (area->numa->pages) {
		line_counts(&l, area);
		put_nodes(&l, v, area);
		count(&l, " kernelpagesize_kB=",
		      1ull << area->vma->page_shift >> 10);
	}
	line_end(&l, v);
}

const struct maps_view numa_text = {
	.begin = text_begin,
	.area = text_area,
	.end = text_end,
};

/* ---- JSON ---- */

static struct json_object *nodes_object(const struct mmlens_area *area)
{
	struct json_object *nodes = json_object_new_object();

	for (size_t i = 0; i < area->node_count; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", area->nodes[i].node);
		json_add_number(nodes, key, area->nodes[i].pages);
	}
	return nodes;
}

static void json_area(struct view *v, const struct mmlens_area *area)
{
	const struct mmlens_numa *n = area->numa;
	struct json_object *o = maps_object(area);
	char policy[MMLENS_POLICY_TEXT];

	mmlens_numa_policy(n, policy);
	if (n->flags & MMLENS_SMAPS_RACED)
		json_add_bool(o, "raced", true);
	json_add_string(o, "policy", policy);
	json_add_number(o, "pages", n->pages);
	json_add_number(o, "anon", n->anon);
	json_add_number(o, "dirty", n->dirty);
	json_add_number(o, "mapmax", n->mapcount_max);
	json_add_number(o, "swapcache", n->swapcache);
	json_add_number(o, "active", n->active);
	json_add_number(o, "writeback", n->writeback);
	json_object_object_add(o, "nodes", nodes_object(area));
	json_put(v, NULL, o);
}

static void json_numa_begin(struct view *v, int pid)
{
	maps_json.begin(v, pid);
}

static void json_numa_end(struct view *v, uint64_t count,
			  const struct mmlens_stats *stats)
{
	maps_json.end(v, count, stats);
}

const struct maps_view numa_json = {
	.begin = json_numa_begin,
	.area = json_area,
	.end = json_numa_end,
};
