// SPDX-License-Identifier: GPL-2.0-only
/* verify: each entry against /proc/PID/pagemap, and the way down to it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_SOFT_DIRTY	(1ull << 55)
#define PM_EXCLUSIVE	(1ull << 56)
#define PM_UFFD_WP	(1ull << 57)	/* since 5.14 */
#define PM_GUARD	(1ull << 58)	/* since 6.15 */
#define PM_FILE		(1ull << 61)
#define PM_SWAP		(1ull << 62)
#define PM_PRESENT	(1ull << 63)
#define PM_FRAME	((1ull << 55) - 1)
#define PM_TYPE_BITS	5

/* Pages that are compared at a time. */
#define CHUNK		4096u

/* Chunks of a mapping; of a larger one some are looked at. */
#define CHUNKS		256u

/**
 * struct job - One process.
 * @target:	it
 * @fd:		its pagemap
 * @known:	bits of pagemap that this kernel tells
 * @vma:	the mapping
 * @start:	of the chunk
 * @pages:	in it
 * @before:	what pagemap has
 * @wanted:	what it should have
 * @ignored:	bits that aren't compared
 * @after:	what pagemap has then
 */
struct job {
	const struct verify_target *target;
	int fd;
	uint64_t known;
	struct mmlens_vma vma;
	uint64_t start;
	uint32_t pages;
	uint64_t before[CHUNK];
	uint64_t wanted[CHUNK];
	uint64_t ignored[CHUNK];
	uint64_t after[CHUNK];
};

/* ---- what pagemap must have ---- */

/* Of what is neither here nor in swap pagemap says what kind of entry it is. */
static uint64_t frame_of(const struct mmlens_entry *entry, uint64_t *ignored)
{
	switch (mmlens_state(entry->flags)) {
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
		return entry->value;
	case MMLENS_STATE_SWAP:
		return MMLENS_SWAP_TYPE(entry->value) |
		       MMLENS_SWAP_OFFSET(entry->value) << PM_TYPE_BITS;
	case MMLENS_STATE_OTHER:
		*ignored |= PM_FRAME;
		return 0;
	default:
		*ignored |= (1u << PM_TYPE_BITS) - 1;
		return entry->value << PM_TYPE_BITS;
	}
}

/* As pte_to_pagemap_entry() and its kin in fs/proc/task_mmu.c. */
static uint64_t bits_of(const struct mmlens_entry *entry, uint64_t *ignored)
{
	const enum mmlens_pte_state state = mmlens_state(entry->flags);
	const bool present = mmlens_state_is_present(state);
	uint64_t bits = 0;

	bits |= entry->flags & MMLENS_PTE_SOFT_DIRTY ? PM_SOFT_DIRTY : 0;
	bits |= entry->flags & MMLENS_PTE_UFFD_WP ? PM_UFFD_WP : 0;
	/* Of hugetlb pages that aren't there it tells no more. */
	if (!present && entry->flags & MMLENS_PTE_HUGETLB)
		return bits;
	bits |= present ? PM_PRESENT : PM_SWAP;
	bits |= entry->flags & MMLENS_PTE_FILE ? PM_FILE : 0;
	bits |= entry->flags & MMLENS_PTE_EXCLUSIVE ? PM_EXCLUSIVE : 0;
	if (state == MMLENS_STATE_MARKER &&
	    entry->value & MMLENS_MARKER_GUARD)
		bits |= PM_GUARD;
	return bits | (frame_of(entry, ignored) & PM_FRAME & ~*ignored);
}

static uint64_t step_of(const struct mmlens_entry *entry)
{
	switch (mmlens_state(entry->flags)) {
	case MMLENS_STATE_PRESENT:
	case MMLENS_STATE_NUMA_HINT:
		return 1;
	default:
		return entry->flags & MMLENS_PTE_HUGETLB ? 0 :
			1u << PM_TYPE_BITS;
	}
}

static void put(const struct verify *v, struct job *job,
		const struct mmlens_entry *entry)
{
	const unsigned int shift = v->info->page_shift;
	const uint64_t end = job->start + ((uint64_t)job->pages << shift);
	uint64_t ignored = ~job->known, step = step_of(entry);
	const uint64_t first = bits_of(entry, &ignored);
	uint64_t at = entry->va < job->start ? job->start : entry->va;

	for (; at < end && at - entry->va < entry->size; at += 1ull << shift) {
		const uint64_t behind = (at - entry->va) >> shift;
		const size_t i = (at - job->start) >> shift;

		job->wanted[i] = first + behind * step;
		job->ignored[i] = ignored;
		/* Whether one is mapped once is told of the first page. */
		if (behind)
			job->ignored[i] |= PM_EXCLUSIVE;
	}
}

static void tell_word(FILE *out, uint64_t word)
{
	static const struct mmlens_flag bits[] = {
		{ PM_PRESENT, "", "present", "" },
		{ PM_SWAP, "", "swap", "" },
		{ PM_FILE, "", "file", "" },
		{ PM_GUARD, "", "guard", "" },
		{ PM_UFFD_WP, "", "uffd_wp", "" },
		{ PM_EXCLUSIVE, "", "exclusive", "" },
		{ PM_SOFT_DIRTY, "", "soft_dirty", "" },
	};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (word & bits[i].bit)
			fprintf(out, "%s ", bits[i].name);
	fprintf(out, "0x%llx", word & PM_FRAME);
}

/* ---- a chunk ---- */

static int read_ours(struct verify *v, struct job *job)
{
	const uint64_t bytes = (uint64_t)job->pages << v->info->page_shift;
	const struct mmlens_request request = {
		.pid = job->target->pid, .flags = MMLENS_WALK_PAGE,
		.start = job->start, .end = job->start + bytes,
	};
	const uint64_t hole = job->vma.flags & MMLENS_VMA_SOFTDIRTY ?
			      PM_SOFT_DIRTY : 0;
	struct mmlens_entries *entries =
		mmlens_entries_open(v->lens, &request);
	struct mmlens_entry entry;
	int ret;

	if (!entries)
		return -errno;
	for (size_t i = 0; i < job->pages; i++) {
		job->wanted[i] = hole;
		job->ignored[i] = ~job->known;
	}
	while ((ret = mmlens_entries_next(entries, &entry)) > 0)
		put(v, job, &entry);
	mmlens_entries_close(entries);
	return ret == -ESTALE ? -ESRCH : ret;
}

static int read_pagemap(const struct verify *v, struct job *job,
			uint64_t *words)
{
	const long got = verify_words(job->fd,
				      job->start >> v->info->page_shift,
				      job->pages, words);

	if (got < 0)
		return (int)got;
	/* It ends where the addresses do that it knows; or the process has. */
	job->pages = got;
	return got ? 0 : -ESRCH;
}

static int look(struct verify *v, void *context)
{
	struct job *job = context;
	int ret = read_pagemap(v, job, job->before);

	if (!ret)
		ret = read_ours(v, job);
	if (!ret)
		ret = read_pagemap(v, job, job->after);
	for (size_t i = 0; i < job->pages && !ret; i++) {
		const uint64_t mask = ~job->ignored[i];
		const uint64_t at = job->start +
				    ((uint64_t)i << v->info->page_shift);

		if (job->before[i] != job->after[i])
			continue;
		verify_bits(v, job->before[i] & mask, job->wanted[i] & mask,
			    tell_word, "PID %d (%s) 0x%" PRIx64,
			    job->target->pid, job->target->comm, at);
	}
	return ret;
}

/* ---- a mapping ---- */

static uint64_t pages_of(const struct verify *v, const struct mmlens_vma *vma)
{
	uint64_t end = vma->end;

	if (end > v->info->task_size)
		end = v->info->task_size;
	return end > vma->start ? (end - vma->start) >> v->info->page_shift : 0;
}

static int compare_vma(struct verify *v, struct job *job)
{
	const uint64_t pages = pages_of(v, &job->vma);
	const uint64_t chunks = (pages + CHUNK - 1) / CHUNK;
	uint64_t step = 1;
	int ret = 0;

	/* Of bare frames it tells nothing. */
	if (job->vma.flags & MMLENS_VMA_PFNMAP)
		return 0;
	if (chunks > CHUNKS && !v->o->all)
		step = chunks / v->o->samples;
	for (uint64_t i = 0; i < chunks && !ret; i += step ? step : 1) {
		const uint64_t left = pages - i * CHUNK;

		job->start = job->vma.start +
			     (i * CHUNK << v->info->page_shift);
		job->pages = left < CHUNK ? left : CHUNK;
		ret = verify_settle(v, look, job);
	}
	return ret;
}

struct vmas {
	struct mmlens_vma *list;
	size_t count;
};

/* All of them first: walking and comparing would be two walks at a time. */
static int read_vmas(struct verify *v, int pid, struct vmas *vmas)
{
	const struct mmlens_request request = { .pid = pid };
	struct mmlens_areas *areas = mmlens_areas_open(v->lens, &request, 0);
	const struct mmlens_area *area;
	int ret;

	if (!areas)
		return -errno;
	while ((ret = mmlens_areas_next(areas, &area)) > 0) {
		struct mmlens_vma *grown = vmas->list;

		if (!(vmas->count & (vmas->count - 1)))
			grown = reallocarray(grown, 2 * vmas->count + 1,
					     sizeof(*grown));
		if (!grown) {
			ret = -ENOMEM;
			break;
		}
		vmas->list = grown;
		grown[vmas->count++] = *area->vma;
	}
	mmlens_areas_close(areas);
	return ret == -ESTALE ? -ESRCH : ret;
}

static int open_of(int pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESRCH : -errno;
}

/* ---- bits that not every kernel has ---- */

static bool has_bit(const struct verify *v, enum verify_kind kind, uint64_t bit)
{
	uint64_t word = 0, at;
	bool has;
	int fd;

	if (!v->child.pid || !v->child.regions[kind].start)
		return false;
	fd = open_of(v->child.pid, "pagemap");
	if (fd < 0)
		return false;
	at = v->child.regions[kind].start >> v->info->page_shift;
	has = verify_words(fd, at, 1, &word) == 1 && word & bit;
	close(fd);
	return has;
}

/*
 * The child has entries of that kind: where pagemap hasn't the bit of one, it
 * hasn't it of any.
 */
static uint64_t known_bits(const struct verify *v)
{
	uint64_t known = ~(PM_UFFD_WP | PM_GUARD);

	known |= has_bit(v, VERIFY_UFFD_WP, PM_UFFD_WP) ? PM_UFFD_WP : 0;
	known |= has_bit(v, VERIFY_GUARD, PM_GUARD) ? PM_GUARD : 0;
	return known;
}

static int check_pagemap(struct verify *v, const struct verify_target *target)
{
	struct job *job = malloc(sizeof(*job));
	struct vmas vmas = {};
	int ret = job ? read_vmas(v, target->pid, &vmas) : -ENOMEM;

	if (!ret) {
		job->target = target;
		job->known = known_bits(v);
		job->fd = open_of(target->pid, "pagemap");
		ret = job->fd < 0 ? job->fd : 0;
		for (size_t i = 0; i < vmas.count && !ret; i++) {
			job->vma = vmas.list[i];
			ret = compare_vma(v, job);
		}
		if (job->fd >= 0)
			close(job->fd);
	}
	free(vmas.list);
	free(job);
	return ret;
}

/* ---- what the child has made ---- */

static const struct {
	const char *name;
	uint32_t state;
	uint32_t set;
	uint32_t clear;
} kinds[VERIFY_KINDS] = {
	[VERIFY_WRITTEN] = { "written", MMLENS_STATE_PRESENT,
			     MMLENS_PTE_USER | MMLENS_PTE_WRITE |
			     MMLENS_PTE_DIRTY,
			     MMLENS_PTE_ZERO | MMLENS_PTE_FILE },
	[VERIFY_ZERO] = { "only read", MMLENS_STATE_PRESENT,
			  MMLENS_PTE_USER | MMLENS_PTE_ZERO, MMLENS_PTE_WRITE },
	[VERIFY_SHARED] = { "shared", MMLENS_STATE_PRESENT,
			    MMLENS_PTE_USER | MMLENS_PTE_FILE |
			    MMLENS_PTE_DIRTY, 0 },
	[VERIFY_FILE] = { "of a file", MMLENS_STATE_PRESENT,
			  MMLENS_PTE_USER | MMLENS_PTE_FILE,
			  MMLENS_PTE_WRITE | MMLENS_PTE_DIRTY },
	[VERIFY_COPIED] = { "copied on write", MMLENS_STATE_PRESENT,
			    MMLENS_PTE_USER | MMLENS_PTE_WRITE |
			    MMLENS_PTE_DIRTY, MMLENS_PTE_FILE },
	[VERIFY_READ_ONLY] = { "read-only", MMLENS_STATE_PRESENT,
			       MMLENS_PTE_USER | MMLENS_PTE_DIRTY,
			       MMLENS_PTE_WRITE | MMLENS_PTE_PROT_NONE },
	[VERIFY_NO_ACCESS] = { "inaccessible", MMLENS_STATE_PRESENT,
			       MMLENS_PTE_PROT_NONE, MMLENS_PTE_WRITE },
	[VERIFY_LOCKED] = { "locked", MMLENS_STATE_PRESENT,
			    MMLENS_PTE_USER | MMLENS_PTE_WRITE, 0 },
	[VERIFY_HUGETLB] = { "hugetlb", MMLENS_STATE_PRESENT,
			     MMLENS_PTE_USER | MMLENS_PTE_HUGETLB |
			     MMLENS_PTE_LEAF, 0 },
	[VERIFY_SWAPPED] = { "swapped out", MMLENS_STATE_SWAP, 0, 0 },
	[VERIFY_UFFD_WP] = { "write-protected by userfaultfd",
			     MMLENS_STATE_PRESENT, MMLENS_PTE_UFFD_WP,
			     MMLENS_PTE_WRITE },
	[VERIFY_GUARD] = { "guard", MMLENS_STATE_MARKER, 0, 0 },
};

static void tell_entry(FILE *out, uint64_t flags)
{
	fputs(mmlens_state_name(flags & MMLENS_PTE_STATE), out);
	for (const struct mmlens_flag *f = mmlens_pte_flags(); f->bit; f++)
		if (flags & f->bit)
			fprintf(out, " %s", f->name);
}

static void compare_made(struct verify *v, const struct mmlens_entry *entry,
			 enum verify_kind kind)
{
	const uint32_t checked = MMLENS_PTE_STATE | kinds[kind].set |
				 kinds[kind].clear;

	verify_bits(v, kinds[kind].state | kinds[kind].set,
		    entry->flags & checked, tell_entry, "%s: 0x%" PRIx64,
		    kinds[kind].name, entry->va);
}

/* Each page has an entry, and each entry is what was made. */
static int look_made(struct verify *v, void *context)
{
	const enum verify_kind kind = *(const enum verify_kind *)context;
	const struct verify_region *region = &v->child.regions[kind];
	const struct mmlens_request request = {
		.pid = v->child.pid, .flags = MMLENS_WALK_PAGE,
		.start = region->start, .end = region->end,
	};
	struct mmlens_entries *entries =
		mmlens_entries_open(v->lens, &request);
	struct mmlens_entry entry;
	uint64_t bytes = 0;
	int ret;

	if (!entries)
		return -errno;
	while ((ret = mmlens_entries_next(entries, &entry)) > 0) {
		bytes += entry.size;
		compare_made(v, &entry, kind);
	}
	mmlens_entries_close(entries);
	verify_number(v, region->end - region->start, bytes,
		      region->end - region->start, 0, "%s: bytes",
		      kinds[kind].name);
	return ret;
}

/* Later the kernel may take pages away, and merge or swap them. */
static int check_child(struct verify *v)
{
	int ret = 0;

	if (!v->child.pid)
		return verify_skip(v, "not with --pid");
	for (enum verify_kind kind = 0; kind < VERIFY_KINDS && !ret; kind++)
		if (kinds[kind].name && v->child.regions[kind].start)
			ret = verify_settle(v, look_made, &kind);
	return ret;
}

/* ---- the way down ---- */

struct way {
	const struct verify_target *target;
	int fd;
	uint64_t at;
};

static int look_down(struct verify *v, void *context)
{
	const struct way *way = context;
	const uint64_t page = way->at >> v->info->page_shift;
	struct mmlens_translation t = {};
	uint64_t before, after;
	int ret;

	if (verify_words(way->fd, page, 1, &before) != 1)
		return -ESRCH;
	ret = mmlens_translate(v->lens, way->target->pid, way->at, &t);
	if (ret)
		return ret;
	if (verify_words(way->fd, page, 1, &after) != 1)
		return -ESRCH;
	if (before != after)
		return VERIFY_MOVED;
	verify_bits(v, before & PM_PRESENT ? before & PM_FRAME : 0,
		    t.mapped ? t.phys >> v->info->page_shift : 0, NULL,
		    "PID %d (%s) PFN at 0x%" PRIx64, way->target->pid,
		    way->target->comm, way->at);
	return 0;
}

/* The first, the last and a page in the middle of a mapping. */
static int go_down(struct verify *v, struct way *way,
		   const struct mmlens_vma *vma)
{
	const uint64_t page = 1ull << v->info->page_shift;
	const uint64_t middle = (vma->end - vma->start) / 2 & ~(page - 1);
	const uint64_t at[] = { 0, middle, vma->end - vma->start - page };
	int ret = 0;

	if (vma->flags & MMLENS_VMA_PFNMAP || vma->end > v->info->task_size)
		return 0;
	for (size_t i = 0; i < 3 && !ret; i++) {
		way->at = vma->start + at[i];
		ret = verify_settle(v, look_down, way);
	}
	return ret;
}

static int check_vtop(struct verify *v, const struct verify_target *target)
{
	struct way way = { .target = target };
	struct vmas vmas = {};
	int ret = read_vmas(v, target->pid, &vmas);
	size_t step;

	if (!ret) {
		way.fd = open_of(target->pid, "pagemap");
		ret = way.fd < 0 ? way.fd : 0;
		step = v->o->all ? 1 : vmas.count / (4 * v->o->samples) + 1;
		for (size_t i = 0; i < vmas.count && !ret; i += step)
			ret = go_down(v, &way, &vmas.list[i]);
		if (way.fd >= 0)
			close(way.fd);
	}
	free(vmas.list);
	return ret;
}

const struct verify_check verify_entries[] = {
	{ "child", "what the child has made", "entries of known kinds",
	  MMLENS_NR_PTES, .run = check_child },
	{ "pagemap", "/proc/PID/pagemap", "page-table entries",
	  MMLENS_NR_PTES, .process = check_pagemap },
	{ "vtop", "/proc/PID/pagemap", "translations", MMLENS_NR_VTOP,
	  .process = check_vtop },
	{},
};
