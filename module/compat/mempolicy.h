/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the nodes of a memory policy stand.
 *
 *   5.14 w.user_nodemask and nodes instead of v.nodes and v.preferred_node
 */
#ifndef MML_COMPAT_MEMPOLICY_H
#define MML_COMPAT_MEMPOLICY_H

#include <linux/mempolicy.h>

#ifdef CONFIG_NUMA

/* As mpol_to_str() tells them. */
static inline nodemask_t mml_mpol_nodes(const struct mempolicy *pol)
{
#ifdef MML_HAVE_MPOL_V
	if (pol->mode == MPOL_PREFERRED)
		return nodemask_of_node(pol->v.preferred_node);
	return pol->v.nodes;
#else
	return pol->nodes;
#endif
}

static inline unsigned int mml_mpol_mode(const struct mempolicy *pol)
{
#ifdef MML_HAVE_MPOL_V
	if (pol->mode == MPOL_PREFERRED && (pol->flags & MPOL_F_LOCAL))
		return MPOL_LOCAL;
#endif
	return pol->mode;
}

#endif

#endif
