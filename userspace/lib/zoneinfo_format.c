// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the running kernel writes /proc/zoneinfo (zoneinfo_show_print() of
 * mm/vmstat.c): the names of its counters, which lines there are and how they
 * are indented.  All of that differs by series and configuration, so it is
 * learnt from the file; the numbers aren't.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Runs without success after which the kernel takes a node for hopeless. */
#define MAX_RECLAIM_RETRIES 16

enum part {
	IN_NOTHING,
	IN_NODE,
	IN_HEAD,
	IN_STATS,
	IN_PAGESETS,
	IN_TAIL,
};

static struct mmlens_labels_list *
list_of(struct mmlens_zoneinfo_format *format, enum part part)
{
	switch (part) {
	case IN_NODE:
		return &format->node;
	case IN_HEAD:
		return &format->head;
	case IN_STATS:
		return &format->stats;
	case IN_PAGESETS:
		return &format->pageset;
	case IN_TAIL:
		return &format->tail;
	case IN_NOTHING:
		break;
	}
	return NULL;
}

static int add_label(struct mmlens_labels_list *list, const char *line)
{
	size_t length = strlen(line);
	char **grown;

	while (length && line[length - 1] >= '0' && line[length - 1] <= '9')
		length--;
	if (!length || !line[length])
		return -EPROTO;
	grown = reallocarray(list->label, list->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->label = grown;
	grown[list->count] = strndup(line, length);
	if (!grown[list->count])
		return -ENOMEM;
	list->count++;
	return 0;
}

static void forget(struct mmlens_labels_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->label[i]);
	free(list->label);
	*list = (struct mmlens_labels_list) {};
}

void mmlens_zoneinfo_format_free(struct mmlens_zoneinfo_format *format)
{
	forget(&format->node);
	forget(&format->head);
	forget(&format->stats);
	forget(&format->pageset);
	forget(&format->tail);
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* The first CPU's lines are those of all. */
static bool is_another_cpu(const struct mmlens_zoneinfo_format *format,
			   enum part part, const char *line)
{
	return part == IN_PAGESETS && begins(line, "    cpu:") &&
	       format->pageset.count;
}

/* What a line begins; its own label belongs there, too, or it has none. */
static enum part next_part(enum part part, const char *line, bool *labelled)
{
	*labelled = false;
	if (begins(line, "  per-node stats"))
		return IN_NODE;
	if (begins(line, "        protection:"))
		return IN_STATS;
	if (begins(line, "  pagesets"))
		return IN_PAGESETS;
	if (begins(line, "    cpu:"))
		return part;
	*labelled = true;
	if (begins(line, "  pages free"))
		return IN_HEAD;
	if (begins(line, "  node_unreclaimable:"))
		return IN_TAIL;
	return part;
}

/*
 * The zones that are populated have all parts, those that aren't end after
 * theirs: what has been learnt of a zone without a tail is forgotten.
 */
static void begin_zone(struct mmlens_zoneinfo_format *format)
{
	forget(&format->head);
	forget(&format->stats);
	forget(&format->pageset);
}

int mmlens_zoneinfo_format_parse(struct mmlens_zoneinfo_format *format,
				 char *text)
{
	enum part part = IN_NOTHING;
	bool other_cpus = false;
	char *line, *rest = text;

	*format = (struct mmlens_zoneinfo_format) {};
	while ((line = strsep(&rest, "\n"))) {
		bool labelled;
		int ret = 0;

		if (begins(line, "Node ")) {
			if (format->tail.count)
				break;
			begin_zone(format);
			part = IN_NOTHING;
			other_cpus = false;
			continue;
		}
		if (!*line)
			continue;
		other_cpus |= is_another_cpu(format, part, line);
		part = next_part(part, line, &labelled);
		if (part == IN_NOTHING)
			ret = -EPROTO;
		else if (labelled && !(part == IN_PAGESETS && other_cpus))
			ret = add_label(list_of(format, part), line);
		if (ret) {
			mmlens_zoneinfo_format_free(format);
			return ret;
		}
	}
	if (format->tail.count && format->node.count)
		return 0;
	mmlens_zoneinfo_format_free(format);
	return -EPROTO;
}

int mmlens_zoneinfo_format_read(struct mmlens_zoneinfo_format *format)
{
	char *text = mmlens_read_file("/proc/zoneinfo");
	int ret;

	if (!text)
		return -errno;
	ret = mmlens_zoneinfo_format_parse(format, text);
	free(text);
	return ret;
}

/* ---- numbers ---- */

const char *mmlens_zoneinfo_key(const char *label, size_t *length)
{
	const char *key = label + strspn(label, " ");

	if (begins(key, "pages "))
		key += strlen("pages ");
	*length = strlen(key);
	while (*length && strchr(" :", key[*length - 1]))
		--*length;
	return key;
}

static const struct {
	const char *key;
	size_t offset;
} zone_keys[] = {
#define KEY(key, member) { key, offsetof(struct mmlens_zone, member) }
	KEY("free", free),
	KEY("boost", boost),
	KEY("min", min),
	KEY("low", low),
	KEY("high", high),
	KEY("promo", promo),
	KEY("spanned", spanned),
	KEY("present", present),
	KEY("managed", managed),
	KEY("cma", cma),
	KEY("start_pfn", start_pfn),
	KEY("reserved_highatomic", highatomic),
	KEY("free_highatomic", highatomic_free),
#undef KEY
}, pageset_keys[] = {
#define KEY(key, member) { key, offsetof(struct mmlens_pageset, member) }
	KEY("count", count),
	KEY("high", high),
	KEY("batch", batch),
	KEY("high_min", high_min),
	KEY("high_max", high_max),
	KEY("vm stats threshold", stat_threshold),
#undef KEY
};

static bool is_key(const char *key, size_t length, const char *name)
{
	return strlen(name) == length && !strncmp(key, name, length);
}

static bool pageset_value(const char *key, size_t length,
			  const struct mmlens_pageset *pageset, int64_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(pageset_keys); i++) {
		if (!is_key(key, length, pageset_keys[i].key))
			continue;
		*value = *(const int32_t *)((const char *)pageset +
					    pageset_keys[i].offset);
		return true;
	}
	return false;
}

bool mmlens_zoneinfo_value(const char *label,
			   const struct mmlens_node_state *node,
			   const struct mmlens_zone_state *zone,
			   const struct mmlens_pageset *pageset, int64_t *value)
{
	size_t length;
	const char *key = mmlens_zoneinfo_key(label, &length);

	*value = 0;
	if (pageset)
		return pageset_value(key, length, pageset, value);
	if (is_key(key, length, "node_unreclaimable")) {
		*value = node->node.kswapd_failures >= MAX_RECLAIM_RETRIES;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(zone_keys); i++) {
		if (!is_key(key, length, zone_keys[i].key))
			continue;
		*value = *(const uint64_t *)((const char *)&zone->zone +
					     zone_keys[i].offset);
		return true;
	}
	return false;
}
