// SPDX-License-Identifier: LGPL-2.1-or-later
/* NUMA policies in words: mpol_to_str() of mm/mempolicy.c. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

/* enum mempolicy_mode of include/uapi/linux/mempolicy.h: its numbers last. */
static const char *const modes[] = {
	"default",
	"prefer",
	"bind",
	"interleave",
	"local",
	"prefer (many)",
	"weighted interleave",
};

/* MPOL_F_*: installed headers may be older than the kernel. */
#define STATIC_NODES	(1u << 15)
#define RELATIVE_NODES	(1u << 14)
#define NUMA_BALANCING	(1u << 13)
#define MODE_FLAGS	(STATIC_NODES | RELATIVE_NODES | NUMA_BALANCING)

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3)))
static void append(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at, t->left, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= n;
}

static void append_flags(struct text *t, uint32_t flags)
{
	if (!(flags & MODE_FLAGS))
		return;
	append(t, "=");
	if (flags & STATIC_NODES)
		append(t, "static");
	else if (flags & RELATIVE_NODES)
		append(t, "relative");
	if (flags & NUMA_BALANCING)
		append(t, flags & (STATIC_NODES | RELATIVE_NODES) ?
			  "|balancing" : "balancing");
}

static bool has_node(const struct mmlens_numa *numa, unsigned int node)
{
	return node < MMLENS_MAX_NODES &&
	       numa->policy_nodes[node / 64] >> node % 64 & 1;
}

/* "0-2,5" */
static void append_nodes(struct text *t, const struct mmlens_numa *numa)
{
	const char *before = ":";

	for (unsigned int node = 0; node < MMLENS_MAX_NODES; node++) {
		unsigned int first = node;

		if (!has_node(numa, node))
			continue;
		while (has_node(numa, node + 1))
			node++;
		append(t, "%s%u", before, first);
		if (node > first)
			append(t, "-%u", node);
		before = ",";
	}
}

void mmlens_numa_policy(const struct mmlens_numa *numa,
			char text[MMLENS_POLICY_TEXT])
{
	struct text t = { text, MMLENS_POLICY_TEXT };

	*text = '\0';
	if (numa->mode >= ARRAY_SIZE(modes)) {
		append(&t, "unknown");
		return;
	}
	append(&t, "%s", modes[numa->mode]);
	append_flags(&t, numa->mode_flags);
	append_nodes(&t, numa);
}
