// SPDX-License-Identifier: GPL-2.0-only
/* Memory on the other node than the one that its process runs on. */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define POLICY_DEFAULT	0
#define POLICY_BIND	2

static void allocate_on(int policy, unsigned long nodes)
{
	if (syscall(SYS_set_mempolicy, policy, nodes ? &nodes : NULL,
		    nodes ? 64 : 0))
		die("set_mempolicy");
}

void make_far_memory(void)
{
	char *small, *huge;

	allocate_on(POLICY_BIND, 1ul << 1);
	small = slot_anon(8 * MIB2);
	fill(small, 8 * MIB2);
	huge = slot(2 * MIB2, READ_WRITE, ANON_PRIVATE, -1);
	madvise(huge, 2 * MIB2, MADV_HUGEPAGE);
	fill(huge, 2 * MIB2);
	allocate_on(POLICY_DEFAULT, 0);
	region("far", small, 8 * MIB2);
	region("far_huge", huge, 2 * MIB2);
}

/* NUMA balancing looks at a process for each second that it runs. */
void spin(void)
{
	for (volatile unsigned long turns = 0;; turns++)
		;
}
