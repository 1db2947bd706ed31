/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel has, by its BTF. */
#ifndef MMLENS_TRACE_KERNEL_FACTS_H
#define MMLENS_TRACE_KERNEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

/**
 * struct kernel_facts - What was found.
 * @btf:	of the kernel
 * @names:	functions and tracepoints ("btf_trace_" before their name) that
 *		were found of those that programs.c names
 * @count:	how many
 * @owners:	an address space has its owner (CONFIG_MEMCG)
 * @enums:	types of the enums that name arguments; 0: isn't there
 */
#define FACTS_ENUMS 3
struct kernel_facts {
	struct btf *btf;
	const char **names;
	size_t count;
	bool owners;
	int enums[FACTS_ENUMS];
};

/* Return: 0, -EOPNOTSUPP without BTF, or another negative errno. */
int facts_read(struct kernel_facts *facts);
void facts_free(struct kernel_facts *facts);

/* Is there a function, or a tracepoint as "btf_trace_NAME"? */
bool facts_has(const struct kernel_facts *facts, const char *name);

/*
 * The kernel's name of the value of an argument: "list", "reason", "status";
 * NULL: it has none.
 */
const char *facts_enum_name(const struct kernel_facts *facts,
			    const char *argument, uint64_t value);

#endif
