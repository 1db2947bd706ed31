// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the module that takes its records from /proc of the running
 * kernel: VMAs and sums from smaps, entries from pagemap.  It knows neither
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

static void parse_vm_flags(struct proc_vma *v, char *list)
{
	char *save, *word;

	for (word = strtok_r(list, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		v->vma.flags |= flag_of_mnemonic(word);
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
	KEY("Swap", swap, 10),
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
	}
	/* The module doesn't see it; the library is to append it. */
	if (m->count && m->vmas[m->count - 1].name &&
	    !strcmp(m->vmas[m->count - 1].name, "[vsyscall]"))
		free(m->vmas[--m->count].name);
}

static int read_vmas(struct proc_module *m, int pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *f;

	forget(m);
	m->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
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
		    bool smaps)
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
	if (smaps)
		put(walk, &v->smaps, sizeof(v->smaps));
}

static bool meets(const struct mmlens_walk *walk, const struct mmlens_vma *vma)
{
	return vma->end > walk->start &&
	       (!walk->end || vma->start < walk->end);
}

static int walk_vmas(struct proc_module *m, struct mmlens_walk *walk,
		     bool smaps)
{
	size_t i = walk->cursor;
	int left = RECORDS_PER_CALL;

	for (; i < m->count && left; i++) {
		if (!meets(walk, &m->vmas[i].vma))
			continue;
		put_vma(walk, &m->vmas[i], smaps);
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
			put(walk, &pte, sizeof(pte));
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
	int fd, ret = 0;

	if (m->pid != walk->pid || !walk->generation)
		ret = read_vmas(m, walk->pid);
	if (ret)
		return ret;
	walk->generation = 1;
	switch (request) {
	case MMLENS_VMAS:
		return walk_vmas(m, walk, false);
	case MMLENS_SMAPS:
		return walk_vmas(m, walk, true);
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
			   1 << MMLENS_NR_PTES | 1 << MMLENS_NR_SMAPS,
		.level_shift = { 0, 12, 21, 30, 0, 39 },
		.version = "proc",
	};
	snprintf(info->release, sizeof(info->release), "%s", name.release);
	return 0;
}

static int proc_ioctl(void *context, unsigned long request, void *arg)
{
	if (request == MMLENS_INFO)
		return proc_info(arg);
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
