// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the module that takes its records from /proc of the running
 * kernel: VMAs and sums from smaps, totals from smaps_rollup, nodes from
 * numa_maps, entries from pagemap.  It knows neither
 * raw entries nor levels above PTE, but its names and numbers are real, so
 * that what the reader makes of them can be compared with other tools.
 *
 * It gives few records a call, so that every walk is continued.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "proc_transport.h"

#define RECORDS_PER_CALL 3

struct proc_vma {
	struct mmlens_vma vma;
	struct mmlens_smaps smaps;
	struct mmlens_numa numa;
	struct mmlens_node nodes[8];
	size_t node_count;
	char *name;
};

struct proc_module {
	int pid;			/* that vmas are of */
	struct proc_vma *vmas;
	size_t count;
};

/* ---- reading smaps ---- */

static uint64_t flag_of_mnemonic(const char *mnemonic)
{
	const struct mmlens_flag *f;

	for (f = mmlens_vma_flags(); f->bit; f++)
		if (!strcmp(f->brief, mnemonic))
			return f->bit;
	return 0;
}

/* Bits of vm_flags on x86-64 in include/linux/mm.h, 5.10 to 6.18. */
static const struct {
	const char *mnemonic;
	unsigned int bit;
} vm_bits[] = {
	{ "rd", 0 }, { "wr", 1 }, { "ex", 2 }, { "sh", 3 }, { "mr", 4 },
	{ "mw", 5 }, { "me", 6 }, { "ms", 7 }, { "gd", 8 }, { "um", 9 },
	{ "pf", 10 }, { "gu", 11 }, { "uw", 12 }, { "lo", 13 }, { "io", 14 },
	{ "sr", 15 }, { "rr", 16 }, { "dc", 17 }, { "de", 18 }, { "lf", 19 },
	{ "ac", 20 }, { "nr", 21 }, { "ht", 22 }, { "sf", 23 }, { "ar", 24 },
	{ "wf", 25 }, { "dd", 26 }, { "sd", 27 }, { "mm", 28 }, { "hg", 29 },
	{ "nh", 30 }, { "mg", 31 }, { "ss", 37 }, { "ui", 38 }, { "dp", 40 },
	{ "sl", 42 },
};

#define VM_BITS (sizeof(vm_bits) / sizeof(vm_bits[0]))

static void parse_vm_flags(struct proc_vma *v, char *list)
{
	char *save, *word;

	for (word = strtok_r(list, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		v->vma.flags |= flag_of_mnemonic(word);
		for (size_t i = 0; i < VM_BITS; i++)
			if (!strcmp(vm_bits[i].mnemonic, word))
				v->vma.raw_flags |= 1ull << vm_bits[i].bit;
	}
}

static void fill_vma_bits(struct mmlens_info *info)
{
	for (size_t i = 0; i < VM_BITS; i++) {
		uint64_t flag = flag_of_mnemonic(vm_bits[i].mnemonic);

		if (flag)
			info->vma_bit[__builtin_ctzll(flag)] =
				vm_bits[i].bit + 1;
	}
}

/* \012 back to a newline. */
static char *unescape(const char *text)
{
	char *name = strdup(text), *to = name;

	for (const char *from = name; *from;) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return name;
}

static bool parse_head(char *line, struct proc_vma *v)
{
	unsigned long long start, end, offset, inode;
	unsigned int major, minor;
	char perms[5];
	int at;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu%n", &start, &end,
		   perms, &offset, &major, &minor, &inode, &at) != 7)
		return false;
	memset(v, 0, sizeof(*v));
	v->vma = (struct mmlens_vma) {
		.head = { sizeof(v->vma), MMLENS_REC_VMA, 0 },
		.page_shift = 12,
		.start = start, .end = end,
		.offset = offset, .inode = inode,
		.dev_major = major, .dev_minor = minor,
	};
	line[strcspn(line, "\n")] = '\0';
	while (line[at] == ' ')
		at++;
	if (line[at])
		v->name = unescape(line + at);
	if (major || minor || inode)
		v->vma.flags |= MMLENS_VMA_FILE;
	v->smaps.head = (struct mmlens_record) { sizeof(v->smaps),
						 MMLENS_REC_SMAPS, 0 };
	return true;
}

static const struct {
	const char *key;
	size_t offset;
	unsigned int shift;
} keys[] = {
#define KEY(key, member, shift) \
	{ key, offsetof(struct mmlens_smaps, member), shift }
	KEY("Rss", rss, 10),
	KEY("Pss", pss, 22),
	KEY("Shared_Clean", shared_clean, 10),
	KEY("Shared_Dirty", shared_dirty, 10),
	KEY("Private_Clean", private_clean, 10),
	KEY("Private_Dirty", private_dirty, 10),
	KEY("Referenced", referenced, 10),
	KEY("Anonymous", anonymous, 10),
	KEY("Pss_Dirty", pss_dirty, 22),
	KEY("Pss_Anon", pss_anon, 22),
	KEY("Pss_File", pss_file, 22),
	KEY("Pss_Shmem", pss_shmem, 22),
	KEY("KSM", ksm, 10),
	KEY("LazyFree", lazyfree, 10),
	KEY("AnonHugePages", anon_huge, 10),
	KEY("ShmemPmdMapped", shmem_huge, 10),
	KEY("FilePmdMapped", file_huge, 10),
	KEY("Shared_Hugetlb", shared_hugetlb, 10),
	KEY("Private_Hugetlb", private_hugetlb, 10),
	KEY("Swap", swap, 10),
	KEY("Swap", swap_anon, 10),
	KEY("Locked", pss_locked, 22),
};

static void parse_key(struct proc_vma *v, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return;
	*colon++ = '\0';
	if (!strcmp(line, "VmFlags"))
		parse_vm_flags(v, colon);
	if (!strcmp(line, "KernelPageSize"))
		v->vma.page_shift = __builtin_ctzll(atoll(colon)) + 10;
	if (!strcmp(line, "ProtectionKey"))
		v->vma.pkey = atoi(colon);
	if (!strcmp(line, "THPeligible"))
		v->vma.thp = atoi(colon) ? MMLENS_THP_ALWAYS :
					   MMLENS_THP_NEVER;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(line, keys[i].key))
			*(uint64_t *)((char *)&v->smaps + keys[i].offset) =
				strtoull(colon, NULL, 10) << keys[i].shift;
}

static struct proc_vma *grow(struct proc_module *m)
{
	m->vmas = realloc(m->vmas, (m->count + 1) * sizeof(*m->vmas));
	if (!m->vmas)
		abort();
	return &m->vmas[m->count];
}

static void forget(struct proc_module *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->vmas[i].name);
	free(m->vmas);
	m->vmas = NULL;
	m->count = 0;
}

static uint64_t start_of_stack(int pid)
{
	unsigned long long stack = 0;
	char path[64], line[1024];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f)) {
		char *at = strrchr(line, ')');

		/* Field 28; the third comes behind the name. */
		for (int field = 2; at && field < 28; field++)
			at = strchr(at + 1, ' ');
		if (at)
			stack = strtoull(at, NULL, 10);
	}
	fclose(f);
	return stack;
}

static void mark(struct proc_module *m, int pid)
{
	uint64_t stack = start_of_stack(pid);

	for (size_t i = 0; i < m->count; i++) {
		struct proc_vma *v = &m->vmas[i];

		if (v->vma.start <= stack && stack <= v->vma.end)
			v->vma.flags |= MMLENS_VMA_STACK;
		if (v->name)
			v->vma.flags |= MMLENS_VMA_NAMED;
		if (v->name && !strcmp(v->name, "[heap]"))
			v->vma.flags |= MMLENS_VMA_HEAP;
	}
	/* The module doesn't see it; the library is to append it. */
	if (m->count && m->vmas[m->count - 1].name &&
	    !strcmp(m->vmas[m->count - 1].name, "[vsyscall]"))
		free(m->vmas[--m->count].name);
}

/* ---- reading numa_maps ---- */

static void parse_policy(struct mmlens_numa *numa, const char *word)
{
	/* Of what a test can count on; test_fields.c has the others. */
	if (!strncmp(word, "bind", 4))
		numa->mode = 2;
	else if (!strncmp(word, "interleave", 10))
		numa->mode = 3;
	else if (!strncmp(word, "local", 5))
		numa->mode = 4;
	if (strchr(word, ':'))
		numa->policy_nodes[0] = 1;
}

static void parse_count(struct proc_vma *v, const char *word)
{
	static const struct {
		const char *key;
		size_t offset;
	} counts[] = {
#define COUNT(key, member) { key "=", offsetof(struct mmlens_numa, member) }
		COUNT("anon", anon), COUNT("dirty", dirty),
		COUNT("mapmax", mapcount_max), COUNT("swapcache", swapcache),
		COUNT("writeback", writeback),
#undef COUNT
	};
	unsigned long long pages;
	unsigned int node;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		size_t length = strlen(counts[i].key);

		if (!strncmp(word, counts[i].key, length))
			*(uint64_t *)((char *)&v->numa + counts[i].offset) =
				strtoull(word + length, NULL, 10);
	}
	if (sscanf(word, "N%u=%llu", &node, &pages) != 2)
		return;
	v->numa.pages += pages;
	v->nodes[v->node_count++] = (struct mmlens_node) {
		.head = { sizeof(v->nodes[0]), MMLENS_REC_NODE, 0 },
		.node = node, .pages = pages,
	};
}

/* Spaces in names are escaped: words are divided by nothing else. */
static void parse_numa(struct proc_vma *v, char *line)
{
	const char *active = strstr(line, " active=");
	char *save, *word = strtok_r(line, " \n", &save);
	uint64_t count = active ? strtoull(active + 8, NULL, 10) : 0;

	v->numa = (struct mmlens_numa) {
		.head = { sizeof(v->numa), MMLENS_REC_NUMA, 0 },
	};
	word = strtok_r(NULL, " \n", &save);
	parse_policy(&v->numa, word);
	while ((word = strtok_r(NULL, " \n", &save)))
		parse_count(v, word);
	/* Not shown means that all of them are. */
	v->numa.active = active ? count : v->numa.pages;
}

static void read_numa(struct proc_module *m, int pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (getline(&line, &room, f) > 0) {
		uint64_t start = strtoull(line, NULL, 16);

		for (size_t i = 0; i < m->count; i++)
			if (m->vmas[i].vma.start == start)
				parse_numa(&m->vmas[i], line);
	}
	free(line);
	fclose(f);
}

static int read_vmas(struct proc_module *m, int pid, const char *file)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *f;

	forget(m);
	m->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	/* smaps_rollup of a kernel thread can't even be opened. */
	if (!f && errno == ESRCH)
		return -ENXIO;
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	while (getline(&line, &room, f) > 0) {
		if (parse_head(line, grow(m)))
			m->count++;
		else if (m->count)
			parse_key(&m->vmas[m->count - 1], line);
	}
	free(line);
	fclose(f);
	mark(m, pid);
	return m->count ? 0 : -ENXIO;
}

/* ---- answering ---- */

static void put(struct mmlens_walk *walk, const void *record, size_t size)
{
	memcpy((char *)(uintptr_t)walk->buffer + walk->written, record, size);
	walk->written += size;
	walk->records++;
}

static void put_vma(struct mmlens_walk *walk, const struct proc_vma *v,
		    unsigned long request)
{
	static _Alignas(8) char room[8192];
	struct mmlens_name *name = (void *)room;

	put(walk, &v->vma, sizeof(v->vma));
	if (v->name) {
		size_t length = strlen(v->name);
		size_t size = (sizeof(*name) + length + 8) & ~7ul;

		memset(room, 0, sizeof(room));
		name->head = (struct mmlens_record) { size, MMLENS_REC_NAME,
						      0 };
		name->length = length;
		memcpy(name->name, v->name, length);
		put(walk, name, size);
	}
	if (request == MMLENS_SMAPS)
		put(walk, &v->smaps, sizeof(v->smaps));
	if (request != MMLENS_NUMA_MAPS)
		return;
	put(walk, &v->numa, sizeof(v->numa));
	for (size_t i = 0; i < v->node_count; i++)
		put(walk, &v->nodes[i], sizeof(v->nodes[i]));
}

static bool meets(const struct mmlens_walk *walk, const struct mmlens_vma *vma)
{
	return vma->end > walk->start &&
	       (!walk->end || vma->start < walk->end);
}

static int walk_vmas(struct proc_module *m, struct mmlens_walk *walk,
		     unsigned long request)
{
	size_t i = walk->cursor;
	int left = RECORDS_PER_CALL;

	for (; i < m->count && left; i++) {
		if (!meets(walk, &m->vmas[i].vma))
			continue;
		put_vma(walk, &m->vmas[i], request);
		left--;
	}
	walk->cursor = i;
	walk->status = i == m->count ? MMLENS_STATUS_DONE :
				       MMLENS_STATUS_TRUNCATED;
	return 0;
}

/* Documentation/admin-guide/mm/pagemap.rst */
static bool entry_of(uint64_t va, uint64_t pm, struct mmlens_pte *pte)
{
	uint64_t low = pm & ((1ull << 55) - 1);
	bool present = pm >> 63 & 1, swapped = pm >> 62 & 1;

	if (!present && !swapped)
		return false;
	*pte = (struct mmlens_pte) {
		.head = { sizeof(*pte), MMLENS_REC_PTE, MMLENS_LEVEL_PTE },
		.va = va,
		.flags = present ? MMLENS_STATE_PRESENT | MMLENS_PTE_USER :
				   MMLENS_STATE_SWAP,
		.value = present ? low : (low & 31) << 58 | low >> 5,
	};
	pte->flags |= pm >> 55 & 1 ? MMLENS_PTE_SOFT_DIRTY : 0;
	pte->flags |= pm >> 56 & 1 ? MMLENS_PTE_EXCLUSIVE : 0;
	pte->flags |= pm >> 57 & 1 ? MMLENS_PTE_UFFD_WP : 0;
	pte->flags |= pm >> 61 & 1 ? MMLENS_PTE_FILE : 0;
	return true;
}

/* ---- the state of a page; only for root ---- */

#define KPF_HEAD	(1ull << 15)
#define KPF_TAIL	(1ull << 16)

enum { KPAGEFLAGS, KPAGECOUNT, KPAGECGROUP, KPAGE_FILES };

/* What one of these files says of a page; 0 when it can't be read. */
static uint64_t page_word(int which, uint64_t pfn)
{
	static const char *const paths[] = {
		"/proc/kpageflags", "/proc/kpagecount", "/proc/kpagecgroup"
	};
	static int fds[KPAGE_FILES];
	uint64_t word = 0;

	if (!fds[which])
		fds[which] = open(paths[which], O_RDONLY | O_CLOEXEC);
	if (pread(fds[which], &word, sizeof(word), pfn * 8) != sizeof(word))
		return 0;
	return word;
}

static unsigned int order_from(uint64_t head)
{
	unsigned int order = 0;
	uint64_t pages = 1;

	while (page_word(KPAGEFLAGS, head + pages) & KPF_TAIL)
		pages++;
	while (pages >>= 1)
		order++;
	return order;
}

/* A folio is looked through once, however many of its pages are mapped. */
static void place_in_folio(struct mmlens_page *page)
{
	static uint64_t head = ~0ull;
	static unsigned int order;
	uint64_t pfn = page->value;

	if (!(page->page_flags & (KPF_HEAD | KPF_TAIL)))
		return;
	while (page_word(KPAGEFLAGS, pfn) & KPF_TAIL)
		pfn--;
	if (pfn != head || pfn == page->value)
		order = order_from(pfn);
	head = pfn;
	page->order = order;
	page->folio_index = page->value - head;
}

static struct mmlens_page page_of(const struct mmlens_pte *pte)
{
	struct mmlens_page page = {
		.head = { sizeof(page), MMLENS_REC_PAGE, MMLENS_LEVEL_PTE },
		.flags = pte->flags,
		.va = pte->va,
		.value = pte->value,
		.count = 1,
		.page_flags = page_word(KPAGEFLAGS, pte->value),
		.mapcount = (int)page_word(KPAGECOUNT, pte->value),
		.memcg = page_word(KPAGECGROUP, pte->value),
	};

	place_in_folio(&page);
	return page;
}

static void put_entry(struct mmlens_walk *walk, const struct mmlens_pte *pte)
{
	struct mmlens_page page;

	/* Without a PFN nobody said what it is. */
	if (!(walk->flags & MMLENS_WALK_STATE) || !pte->value ||
	    mmlens_state(pte->flags) != MMLENS_STATE_PRESENT) {
		put(walk, pte, sizeof(*pte));
		return;
	}
	page = page_of(pte);
	put(walk, &page, sizeof(page));
}

/* One page of pagemap, 512 entries, from @va on. */
static void put_page(struct mmlens_walk *walk, int fd,
		     const struct mmlens_vma *vma, uint64_t va)
{
	uint64_t pm[512], end = vma->end;
	struct mmlens_pte pte;
	ssize_t n;

	if (walk->end && walk->end < end)
		end = walk->end;
	n = pread(fd, pm, sizeof(pm), va >> 12 << 3) / 8;
	for (ssize_t i = 0; i < n && va + i * 4096 < end; i++)
		if (entry_of(va + i * 4096, pm[i], &pte))
			put_entry(walk, &pte);
	walk->cursor = va + 512 * 4096 < end ? va + 512 * 4096 : end;
}

static int walk_ptes(struct proc_module *m, struct mmlens_walk *walk, int fd)
{
	uint64_t at = walk->cursor ? walk->cursor : walk->start;

	for (size_t i = 0; i < m->count; i++) {
		const struct mmlens_vma *vma = &m->vmas[i].vma;

		if (vma->end <= at || !meets(walk, vma))
			continue;
		if (at < vma->start)
			at = vma->start;
		put_page(walk, fd, vma, at);
		walk->status = MMLENS_STATUS_TRUNCATED;
		return 0;
	}
	walk->status = MMLENS_STATUS_DONE;
	return 0;
}

static int open_pagemap(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int proc_walk(struct proc_module *m, unsigned long request,
		     struct mmlens_walk *walk)
{
	bool total = walk->flags & MMLENS_WALK_TOTAL;
	int fd, ret = 0;

	if (m->pid != walk->pid || !walk->generation)
		ret = read_vmas(m, walk->pid, total ? "smaps_rollup" : "smaps");
	if (ret)
		return ret;
	if (request == MMLENS_NUMA_MAPS && !walk->generation)
		read_numa(m, walk->pid);
	walk->generation = 1;
	switch (request) {
	case MMLENS_VMAS:
	case MMLENS_SMAPS:
	case MMLENS_NUMA_MAPS:
		return walk_vmas(m, walk, request);
	case MMLENS_PTES:
		fd = open_pagemap(walk->pid);
		if (fd < 0)
			return -ESRCH;
		ret = walk_ptes(m, walk, fd);
		close(fd);
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}

static int proc_info(struct mmlens_info *info)
{
	struct utsname name;

	uname(&name);
	*info = (struct mmlens_info) {
		.size = sizeof(*info),
		.abi = MMLENS_ABI,
		.arch = EM_X86_64,
		.page_shift = 12,
		.levels = 4,
		.task_size = 0x7ffffffff000,
		.queries = 1 << MMLENS_NR_INFO | 1 << MMLENS_NR_VMAS |
			   1 << MMLENS_NR_PTES | 1 << MMLENS_NR_SMAPS |
			   1 << MMLENS_NR_NUMA_MAPS | 1 << MMLENS_NR_PROCS,
		.level_shift = { 0, 12, 21, 30, 0, 39 },
		.version = "proc",
	};
	fill_vma_bits(info);
	snprintf(info->release, sizeof(info->release), "%s", name.release);
	return 0;
}

static int proc_ioctl(void *context, unsigned long request, void *arg)
{
	if (request == MMLENS_INFO)
		return proc_info(arg);
	if (request == MMLENS_PROCS)
		return proc_procs(arg);
	return proc_walk(context, request, arg);
}

static void proc_close(void *context)
{
	forget(context);
	free(context);
}

static const struct mmlens_transport proc_transport = {
	.ioctl = proc_ioctl,
	.close = proc_close,
};

struct mmlens *proc_open(void)
{
	return mmlens_open_transport(&proc_transport,
				     calloc(1, sizeof(struct proc_module)));
}
