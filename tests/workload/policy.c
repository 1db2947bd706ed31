// SPDX-License-Identifier: GPL-2.0-only
/* Memory policies: of the process, of VMAs, of shared memory. */
#include <linux/mempolicy.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define SIXTEEN		(16 * PAGE)

/* Newer than the headers of the oldest series. */
#define MODE_LOCAL		4
#define MODE_PREFERRED_MANY	5
#define MODE_WEIGHTED		6
#define FLAG_BALANCING		(1 << 13)

/* Bit N: node N has memory, as far as one word goes. */
static unsigned long nodes_with_memory(void)
{
	FILE *file = fopen("/sys/devices/system/node/has_memory", "re");
	unsigned long nodes = 0;
	unsigned int first, last;

	while (file && fscanf(file, "%u", &first) == 1) {
		last = first;
		if (fscanf(file, "-%u", &last) < 0)
			last = first;
		for (unsigned int node = first; node <= last && node < 64; node++)
			nodes |= 1ul << node;
		if (fgetc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
	return nodes ? nodes : 1;
}

static long mbind(void *start, size_t size, int mode, unsigned long nodes)
{
	return syscall(SYS_mbind, start, size, mode, nodes ? &nodes : NULL,
		       nodes ? 65 : 0, 0);
}

struct policy {
	const char *name;
	int mode;
	bool nodes;	/* all with memory; otherwise none */
};

static const struct policy policies[] = {
	{ "policy_bind", MPOL_BIND, true },
	{ "policy_interleave", MPOL_INTERLEAVE, true },
	{ "policy_preferred", MPOL_PREFERRED, true },
	{ "policy_preferred_none", MPOL_PREFERRED, false },
	{ "policy_local", MODE_LOCAL, false },
	{ "policy_many", MODE_PREFERRED_MANY, true },
	{ "policy_weighted", MODE_WEIGHTED, true },
	{ "policy_static", MPOL_BIND | MPOL_F_STATIC_NODES, true },
	{ "policy_relative", MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES, true },
	{ "policy_balancing", MPOL_BIND | FLAG_BALANCING, true },
};
#define POLICIES	(sizeof(policies) / sizeof(*policies))

static void make_anon(const struct policy *policy, unsigned long nodes)
{
	char *start = slot_anon(SIXTEEN);

	if (mbind(start, SIXTEEN, policy->mode, policy->nodes ? nodes : 0)) {
		printf("missing %s %s\n", policy->name, because("mbind"));
		return;
	}
	fill(start, SIXTEEN);
	region(policy->name, start, SIXTEEN);
}

/*
 * The file of shared memory keeps a policy for each range: half of this one
 * has its own, and the second mapping has it without having been asked.
 */
static void make_shmem(unsigned long nodes)
{
	int fd = new_memfd("policy", 2 * SIXTEEN, 0);
	char *start = slot(2 * SIXTEEN, READ_WRITE, MAP_SHARED, fd);
	char *other = slot(2 * SIXTEEN, READ_WRITE, MAP_SHARED, fd);

	if (mbind(start, SIXTEEN, MPOL_INTERLEAVE, nodes)) {
		printf("missing policy_shmem %s\n", because("mbind"));
		return;
	}
	fill(start, 2 * SIXTEEN);
	touch(other, SIXTEEN);
	region("policy_shmem", start, 2 * SIXTEEN);
	region("policy_shmem_other", other, 2 * SIXTEEN);
}

static void make_other(const char *name, char *start, size_t size,
		       unsigned long nodes)
{
	if (start == MAP_FAILED || mbind(start, size, MPOL_BIND, nodes)) {
		printf("missing %s %s\n", name, because("mmap, mbind"));
		return;
	}
	fill(start, size);
	region(name, start, size);
}

void make_policies(void)
{
	unsigned long nodes = nodes_with_memory();
	char *thp = slot(2 * MIB2, READ_WRITE, ANON_PRIVATE, -1);

	for (size_t i = 0; i < POLICIES; i++)
		make_anon(&policies[i], nodes);
	make_shmem(nodes);
	madvise(thp, 2 * MIB2, MADV_HUGEPAGE);
	make_other("policy_thp", thp, 2 * MIB2, nodes);
	make_other("policy_hugetlb",
		   slot(MIB2, READ_WRITE,
			ANON_PRIVATE | MAP_HUGETLB | (21 << 26), -1), MIB2,
		   nodes);
	make_other("policy_file",
		   slot(SIXTEEN, READ_WRITE, MAP_SHARED,
			new_file("policy", SIXTEEN)), SIXTEEN, nodes);
	/* The process's own, for all that has none. */
	if (syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, &nodes, 65))
		die("set_mempolicy");
	region("policy_of_process", slot_anon(SIXTEEN), SIXTEEN);
}
