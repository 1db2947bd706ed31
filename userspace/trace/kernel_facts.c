// SPDX-License-Identifier: GPL-2.0-only
/* What the running kernel has, by its BTF. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel_facts.h"
#include "programs.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names that are looked for, in order. */
static const char **sorted_needs(size_t *count)
{
	const char **names;
	size_t n = 0;

	while (programs_need(n))
		n++;
	names = calloc(n, sizeof(*names));
	if (!names)
		return NULL;
	for (size_t i = 0; i < n; i++)
		names[i] = programs_need(i);
	qsort(names, n, sizeof(*names), compare);
	*count = n;
	return names;
}

/* Mark those that the kernel has: one pass over tens of thousands of types. */
static int find_needs(struct kernel_facts *facts)
{
	const char **names, *name;
	const struct btf_type *type;
	size_t count, kept = 0;
	bool *found;

	names = sorted_needs(&count);
	if (!names)
		return -ENOMEM;
	found = calloc(count, sizeof(*found));
	if (!found) {
		free(names);
		return -ENOMEM;
	}
	for (unsigned int id = 1; (type = btf__type_by_id(facts->btf, id));
	     id++) {
		const char **at;

		if (!btf_is_func(type) && !btf_is_typedef(type))
			continue;
		name = btf__name_by_offset(facts->btf, type->name_off);
		at = bsearch(&name, names, count, sizeof(*names), compare);
		if (at)
			found[at - names] = true;
	}
	for (size_t i = 0; i < count; i++)
		if (found[i])
			names[kept++] = names[i];
	free(found);
	facts->names = names;
	facts->count = kept;
	return 0;
}

static bool has_member(const struct btf *btf, const struct btf_type *type,
		       const char *member)
{
	const struct btf_member *m = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, m[i].name_off);
		const struct btf_type *inner = btf__type_by_id(btf, m[i].type);

		if (!strcmp(name, member))
			return true;
		/* mm_struct's own are in an unnamed structure. */
		if (!*name && btf_is_composite(inner) &&
		    has_member(btf, inner, member))
			return true;
	}
	return false;
}

static const struct {
	const char *argument;
	const char *name;	/* of the enum */
	const char *prefix;	/* of its values, not shown */
} enums[FACTS_ENUMS] = {
	{ "list", "lru_list", "LRU_" },
	{ "reason", "migrate_reason", "MR_" },
	{ "status", "compact_result", "COMPACT_" },
};

int facts_read(struct kernel_facts *facts)
{
	int id;

	facts->btf = btf__parse(KERNEL_BTF, NULL);
	if (libbpf_get_error(facts->btf)) {
		facts->btf = NULL;
		return -EOPNOTSUPP;
	}
	id = btf__find_by_name_kind(facts->btf, "mm_struct", BTF_KIND_STRUCT);
	facts->owners = id > 0 && has_member(facts->btf,
					     btf__type_by_id(facts->btf, id),
					     "owner");
	for (int i = 0; i < FACTS_ENUMS; i++) {
		id = btf__find_by_name_kind(facts->btf, enums[i].name,
					    BTF_KIND_ENUM);
		facts->enums[i] = id > 0 ? id : 0;
	}
	return find_needs(facts);
}

void facts_free(struct kernel_facts *facts)
{
	free(facts->names);
	btf__free(facts->btf);
}

bool facts_has(const struct kernel_facts *facts, const char *name)
{
	return bsearch(&name, facts->names, facts->count, sizeof(name),
		       compare);
}

static const char *value_name(const struct btf *btf, int id, uint64_t value)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_enum *e = btf_enum(type);

	for (int i = 0; i < btf_vlen(type); i++)
		if ((uint64_t)e[i].val == value)
			return btf__name_by_offset(btf, e[i].name_off);
	return NULL;
}

const char *facts_enum_name(const struct kernel_facts *facts,
			    const char *argument, uint64_t value)
{
	for (int i = 0; i < FACTS_ENUMS; i++) {
		size_t skip = strlen(enums[i].prefix);
		const char *name;

		if (!facts->enums[i] || strcmp(enums[i].argument, argument))
			continue;
		name = value_name(facts->btf, facts->enums[i], value);
		return name && !strncmp(name, enums[i].prefix, skip) ?
			name + skip : name;
	}
	return NULL;
}
