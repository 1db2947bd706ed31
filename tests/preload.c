// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands between the reader and the module, and makes the module one of
 * another version. MMLENS_TEST says which:
 *	newer	a later contract, with queries, fields, flags and types of
 *		record that the reader doesn't know
 *	older	its structures are shorter than the reader's
 *	fewer	it lacks all queries but the first
 *	other	it isn't mmlens at all
 *	lie:X	it says something else than the kernel has, in records of kind X
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mmlens.h"

typedef int (*ioctl_function)(int fd, unsigned long request, ...);

static int fail(int error)
{
	errno = error;
	return -1;
}

static void newer_info(struct mmlens_info *info)
{
	info->abi = MMLENS_ABI + 1;
	info->queries |= 0xff00;
	info->fields |= 0xff00;
}

/* A record of a type that is yet to be invented, ahead of all others. */
static void newer_records(struct mmlens_walk *walk)
{
	const struct mmlens_record unknown = {
		.size = 40, .type = 200, .level = 0,
	};
	char *buffer = (char *)(unsigned long)walk->buffer;

	if (walk->written + unknown.size > walk->buffer_size)
		return;
	memmove(buffer + unknown.size, buffer, walk->written);
	memset(buffer, 0xee, unknown.size);
	memcpy(buffer, &unknown, sizeof(unknown));
	walk->written += unknown.size;
	walk->records++;
}

static int as_newer(ioctl_function real, int fd, unsigned long request,
		    void *arg)
{
	int ret = real(fd, request, arg);

	if (ret)
		return ret;
	if (request == MMLENS_INFO)
		newer_info(arg);
	else
		newer_records(arg);
	return 0;
}

static int as_fewer(ioctl_function real, int fd, unsigned long request,
		    void *arg)
{
	int ret = real(fd, request, arg);

	if (!ret && request == MMLENS_INFO)
		((struct mmlens_info *)arg)->queries &= 1;
	return ret;
}

/* ---- lies ---- */

static void lie_of_entry(struct mmlens_record *rec)
{
	struct mmlens_pte *pte = (void *)rec;
	struct mmlens_run *run = (void *)rec;
	struct mmlens_level *level = (void *)rec;

	switch (rec->type) {
	case MMLENS_REC_PTE:
		pte->value++;
		pte->flags ^= MMLENS_PTE_WRITE;
		break;
	case MMLENS_REC_RUN:
		run->value++;
		run->flags ^= MMLENS_PTE_WRITE;
		break;
	case MMLENS_REC_LEVEL:
		if ((level->flags & MMLENS_PTE_STATE) == MMLENS_STATE_PRESENT)
			level->value++;
		break;
	}
}

static void lie_of_vma(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_VMA)
		((struct mmlens_vma *)rec)->inode++;
}

static void lie_of_smaps(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_SMAPS)
		((struct mmlens_smaps *)rec)->rss += 4096;
}

static void lie_of_numa(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_NUMA)
		((struct mmlens_numa *)rec)->pages++;
}

static void lie_of_pfns(struct mmlens_record *rec)
{
	struct mmlens_pfns *run = (void *)rec;

	if (rec->type != MMLENS_REC_PFNS)
		return;
	run->page_flags ^= 1 << 2;
	run->mapcount++;
}

static void lie_of_page(struct mmlens_record *rec)
{
	struct mmlens_page *page = (void *)rec;

	if (rec->type != MMLENS_REC_PAGE)
		return;
	page->page_flags ^= 1 << 2;
	page->mapcount++;
}

static void lie_of_proc(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_PROC)
		((struct mmlens_proc *)rec)->threads++;
}

static void lie_of_table(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_TABLE)
		((struct mmlens_table *)rec)->flags |= MMLENS_TABLE_UNCOUNTED;
}

static void lie_of_zone(struct mmlens_record *rec)
{
	struct mmlens_zone *zone = (void *)rec;

	if (rec->type != MMLENS_REC_ZONE)
		return;
	zone->min++;
	zone->managed += 100000;
}

static void lie_of_counters(struct mmlens_record *rec)
{
	struct mmlens_counters *counters = (void *)rec;

	if (rec->type == MMLENS_REC_COUNTERS)
		counters->value[0] += 100000;
}

/* The last block of a list isn't told. */
static void lie_of_blocks(struct mmlens_record *rec)
{
	struct mmlens_blocks *blocks = (void *)rec;

	if (rec->type == MMLENS_REC_BLOCKS && blocks->cpu < 0 &&
	    blocks->flags & MMLENS_BLOCKS_LAST && blocks->count)
		blocks->count--;
}

static void lie_of_lru(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_LRU)
		((struct mmlens_lru_list *)rec)->pages += 100000;
}

static void lie_of_user(struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_USER)
		((struct mmlens_user *)rec)->pfn++;
}

static const struct {
	const char *kind;
	void (*lie)(struct mmlens_record *rec);
} lies[] = {
	{ "pte", lie_of_entry }, { "vma", lie_of_vma },
	{ "smaps", lie_of_smaps }, { "numa", lie_of_numa },
	{ "pfns", lie_of_pfns }, { "page", lie_of_page },
	{ "proc", lie_of_proc }, { "table", lie_of_table },
	{ "zone", lie_of_zone }, { "counters", lie_of_counters },
	{ "blocks", lie_of_blocks }, { "lru", lie_of_lru },
	{ "user", lie_of_user },
};

static int as_liar(ioctl_function real, int fd, unsigned long request,
		   void *arg, const char *kind)
{
	const struct mmlens_walk *walk = arg;
	int ret = real(fd, request, arg);
	struct mmlens_record *rec;
	char *buffer;

	if (ret || request == MMLENS_INFO)
		return ret;
	buffer = (char *)(unsigned long)walk->buffer;
	for (unsigned long at = 0; at < walk->written; at += rec->size) {
		rec = (void *)(buffer + at);
		for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
			if (!strcmp(kind, lies[i].kind))
				lies[i].lie(rec);
	}
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	ioctl_function real = (ioctl_function)dlsym(RTLD_NEXT, "ioctl");
	const char *which = getenv("MMLENS_TEST");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != MMLENS_IOC || !which)
		return real(fd, request, arg);
	if (!strcmp(which, "newer"))
		return as_newer(real, fd, request, arg);
	if (!strcmp(which, "older"))
		return fail(E2BIG);
	if (!strcmp(which, "fewer"))
		return as_fewer(real, fd, request, arg);
	if (!strcmp(which, "other"))
		return fail(ENOTTY);
	if (!strncmp(which, "lie:", 4))
		return as_liar(real, fd, request, arg, which + 4);
	return real(fd, request, arg);
}
