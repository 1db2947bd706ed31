// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify: the kernel's own page table against iomem, modules and vmallocinfo, and
 * page frames against the memory that iomem has.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* Of those that the kernel's header keeps to itself, as fs/proc/page.c. */
#define KPF_RESERVED	32

#define ANY	(-1)

/* How an address must be mapped. */
struct mapping {
	uint64_t va;
	uint64_t phys;		/* 0: anywhere */
	int rw;			/* ANY, 0 or 1 */
	int nx;
	const char *what;
};

static int compare_mapping(struct verify *v, const struct mapping *m)
{
	struct mmlens_translation t;
	int ret = mmlens_translate_kernel(v->lens, m->va, false, &t);

	if (ret)
		return ret;
	verify_number(v, 1, t.mapped, 1, 0, "%s 0x%" PRIx64 ": mapped", m->what,
		      m->va);
	if (!t.mapped)
		return 0;
	if (m->phys)
		verify_bits(v, m->phys, t.phys, NULL,
			    "%s 0x%" PRIx64 ": physical address", m->what,
			    m->va);
	if (m->rw != ANY)
		verify_number(v, m->rw, t.rw, m->rw, 0,
			      "%s 0x%" PRIx64 ": writable", m->what, m->va);
	if (m->nx != ANY)
		verify_number(v, m->nx, t.nx, m->nx, 0,
			      "%s 0x%" PRIx64 ": not executable", m->what,
			      m->va);
	return 0;
}

/* EOPNOTSUPP: a Xen PV guest. */
static int settle_kernel(struct verify *v,
			 int (*look)(struct verify *v, void *context),
			 void *context)
{
	int ret = verify_settle(v, look, context);

	if (ret == -EOPNOTSUPP)
		return verify_skip(v, "the kernel's page table can't be read here");
	return ret;
}

/* ---- the image ---- */

static uint64_t symbol(const char *name)
{
	char *text = verify_read("/proc/kallsyms"), *at, key[32];
	uint64_t value = 0;

	snprintf(key, sizeof(key), " %s\n", name);
	at = text ? strstr(text, key) : NULL;
	if (at) {
		while (at > text && at[-1] != '\n')
			at--;
		value = strtoull(at, NULL, 16);
	}
	free(text);
	return value;
}

static bool iomem_range(const char *text, const char *name, uint64_t *start,
			uint64_t *end)
{
	unsigned long long first, last;
	char key[48];
	const char *at;

	snprintf(key, sizeof(key), " : %s\n", name);
	at = strstr(text, key);
	while (at && at > text && at[-1] != '\n')
		at--;
	if (!at || sscanf(at, " %llx-%llx", &first, &last) != 2 || !last)
		return false;
	*start = first;
	*end = last + 1;
	return true;
}

static const struct {
	const char *name;
	int rw;
	int nx;
} parts[] = {
	{ "Kernel code", 0, 0 },
	{ "Kernel rodata", 0, 1 },
	/* The kernel protects some of it, as the table of interrupts. */
	{ "Kernel data", ANY, 1 },
	{ "Kernel bss", ANY, 1 },
};

struct image {
	char *iomem;
	uint64_t text;		/* address of _text */
	uint64_t code;		/* where that is in memory */
};

static int look_at_part(struct verify *v, const struct image *image,
			unsigned int part)
{
	const uint64_t page = 1ull << v->info->page_shift;
	uint64_t start, end, pages, step;
	int ret = 0;

	if (!iomem_range(image->iomem, parts[part].name, &start, &end))
		return 0;
	start &= -page;
	pages = (end - start + page - 1) / page;
	step = v->o->all ? 1 : pages / (4 * v->o->samples) + 1;
	for (uint64_t i = 0; i < pages && !ret; i += step) {
		const struct mapping m = {
			.va = image->text + (start + i * page - image->code),
			.phys = start + i * page,
			.rw = parts[part].rw, .nx = parts[part].nx,
			.what = parts[part].name,
		};

		ret = compare_mapping(v, &m);
	}
	return ret;
}

static int look_at_image(struct verify *v, void *context)
{
	int ret = 0;

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]) && !ret;
	     i++)
		ret = look_at_part(v, context, i);
	return ret;
}

static int check_image(struct verify *v)
{
	struct image image = {};
	uint64_t end;
	int ret = 0;

	if (!verify_has(v, "/proc/iomem") || !verify_has(v, "/proc/kallsyms"))
		return 0;
	image.iomem = verify_read("/proc/iomem");
	image.text = symbol("_text");
	if (!image.iomem || !image.text ||
	    !iomem_range(image.iomem, "Kernel code", &image.code, &end))
		verify_skip(v, "/proc/kallsyms or /proc/iomem has no addresses of the kernel");
	else
		ret = settle_kernel(v, look_at_image, &image);
	free(image.iomem);
	return ret;
}

/* ---- modules ---- */

static uint64_t section(const char *module, const char *name)
{
	char path[160], *text;
	uint64_t value = 0;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", module,
		 name);
	text = verify_read(path);
	if (text)
		value = strtoull(text, NULL, 16);
	free(text);
	return value;
}

static int compare_module(struct verify *v, const char *name, uint64_t base)
{
	const struct mapping at_base = {
		.va = base, .rw = ANY, .nx = ANY, .what = name,
	};
	const struct mapping sections[] = {
		{ section(name, ".text"), 0, 0, 0, name },
		{ section(name, ".rodata"), 0, 0, 1, name },
		{ section(name, ".data"), 0, 1, 1, name },
	};
	int ret = compare_mapping(v, &at_base);

	for (size_t i = 0; i < 3 && !ret; i++)
		if (sections[i].va)
			ret = compare_mapping(v, &sections[i]);
	return ret;
}

static int look_at_modules(struct verify *v, void *context)
{
	char *text = verify_read("/proc/modules"), *rest = text, *line;
	char name[64], state[16];
	unsigned long long base;
	int ret = text ? 0 : -errno;

	(void)context;
	while (text && !ret && (line = strsep(&rest, "\n")))
		if (sscanf(line, "%63s %*u %*s %*s %15s %llx", name, state,
			   &base) == 3 && base && !strcmp(state, "Live"))
			ret = compare_module(v, name, base);
	free(text);
	return ret;
}

static int check_modules(struct verify *v)
{
	if (!verify_has(v, "/proc/modules"))
		return 0;
	return settle_kernel(v, look_at_modules, NULL);
}

/* ---- vmalloc ---- */

static uint64_t number_behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Bytes that are mapped for certain from its start; 0: that isn't known. */
static uint64_t mapped_bytes(const struct verify *v, const char *line,
			     uint64_t size)
{
	if (strstr(line, "unpurged") || strstr(line, "vm_map_ram"))
		return 0;
	if (strstr(line, " ioremap"))
		return size - (1ull << v->info->page_shift);
	return number_behind(line, " pages=") << v->info->page_shift;
}

static int compare_area(struct verify *v, const char *line)
{
	const uint64_t page = 1ull << v->info->page_shift;
	unsigned long long start, end;
	struct mapping m = { .rw = ANY, .nx = ANY, .what = "vmalloc" };
	uint64_t bytes, step;
	int ret = 0;

	if (sscanf(line, "0x%llx-0x%llx", &start, &end) != 2)
		return 0;
	bytes = mapped_bytes(v, line, end - start);
	/* Its ends, and some between them. */
	step = v->o->all ? page : (bytes / 4 & -page) + page;
	for (uint64_t at = 0; at < bytes && !ret; at += step) {
		m.va = start + at;
		ret = compare_mapping(v, &m);
	}
	return ret;
}

/* Areas that were there before, and are afterwards. */
static int look_at_areas(struct verify *v, void *context)
{
	const size_t most = v->o->all ? SIZE_MAX : 8u * v->o->samples;
	char *text = verify_read("/proc/vmallocinfo"), *rest = text, *line;
	size_t count = 0;
	int ret = text ? 0 : -errno;

	(void)context;
	while (text && !ret && count < most && (line = strsep(&rest, "\n"))) {
		ret = compare_area(v, line);
		count++;
	}
	free(text);
	return ret;
}

/* With %pK they are hashed for everyone, unless the setting is 1. */
static bool are_hashed(struct verify *v)
{
	char *text = verify_read("/proc/vmallocinfo");
	unsigned long long start = 0;

	if (text && sscanf(text, "0x%llx", &start) != 1)
		start = 0;
	free(text);
	return start < mmlens_kernel_start(v->info);
}

static int check_vmalloc(struct verify *v)
{
	if (!verify_has(v, "/proc/vmallocinfo"))
		return 0;
	if (are_hashed(v))
		return verify_skip(v, "the kernel hides its addresses in /proc/vmallocinfo (sysctl kernel.kptr_restrict=1 shows them to root)");
	return settle_kernel(v, look_at_areas, NULL);
}

/* ---- memory ---- */

#define RANGES	512

struct ram {
	size_t count;
	uint64_t start[RANGES];		/* PFNs */
	uint64_t end[RANGES];
	uint64_t pages[RANGES];		/* that were told */
	uint64_t block;			/* pages of a memory block; 0: none */
};

static int ram_read(struct verify *v, struct ram *ram)
{
	const unsigned int shift = v->info->page_shift;
	char *text = verify_read("/proc/iomem"), *rest = text, *line;
	unsigned long long first, last;
	int at;

	*ram = (struct ram) {};
	if (!text)
		return -errno;
	while ((line = strsep(&rest, "\n")) && ram->count < RANGES) {
		at = 0;
		if (sscanf(line, " %llx-%llx : %n", &first, &last, &at) != 2 ||
		    !at || strncmp(line + at, "System RAM", 10) || !last)
			continue;
		ram->start[ram->count] =
			(first + (1ull << shift) - 1) >> shift;
		ram->end[ram->count] = (last + 1) >> shift;
		ram->count++;
	}
	free(text);
	text = verify_read("/sys/devices/system/memory/block_size_bytes");
	ram->block = text ? strtoull(text, NULL, 16) >> shift : 0;
	free(text);
	return 0;
}

static void add_pages(struct verify *v, struct ram *ram,
		      const struct mmlens_pfns *run)
{
	const uint64_t start = run->pfn, end = run->pfn + run->count;
	uint64_t inside = 0;

	for (size_t i = 0; i < ram->count; i++) {
		const uint64_t low = start > ram->start[i] ? start :
							     ram->start[i];
		const uint64_t high = end < ram->end[i] ? end : ram->end[i];

		if (low < high) {
			ram->pages[i] += high - low;
			inside += high - low;
		}
	}
	/* What has a struct page and isn't memory is reserved. */
	v->compared++;
	if (inside < run->count && !(run->page_flags >> KPF_RESERVED & 1) &&
	    run->kind != MMLENS_PAGE_KIND_NONE)
		verify_differs(v, "not System RAM", "in use",
			       "PFN 0x%" PRIx64, start);
}

/* Memory blocks may be offline: iomem has them all the same. */
static uint64_t online_pages(const struct ram *ram, size_t i)
{
	uint64_t pages = 0, at = ram->start[i];

	while (at < ram->end[i]) {
		uint64_t end = ram->end[i], n;
		char path[80], *text;

		if (ram->block && (at / ram->block + 1) * ram->block < end)
			end = (at / ram->block + 1) * ram->block;
		n = ram->block ? at / ram->block : 0;
		snprintf(path, sizeof(path),
			 "/sys/devices/system/memory/memory%" PRIu64 "/online",
			 n);
		text = ram->block ? verify_read(path) : NULL;
		if (!text || *text != '0')
			pages += end - at;
		free(text);
		at = end;
	}
	return pages;
}

static int look_at_memory(struct verify *v, void *context)
{
	struct ram *ram = context;
	struct mmlens_pages *pages;
	const struct mmlens_pfns *run;
	int ret = ram_read(v, ram);

	if (!ret && !ram->count)
		return verify_skip(v, "/proc/iomem has no System RAM");
	pages = ret ? NULL : mmlens_pages_open(v->lens, 0, 0);
	if (!pages)
		return ret ? ret : -errno;
	while ((ret = mmlens_pages_next(pages, &run)) > 0)
		add_pages(v, ram, run);
	mmlens_pages_close(pages);
	for (size_t i = 0; i < ram->count && !ret; i++) {
		const uint64_t online = online_pages(ram, i);

		verify_number(v, online, ram->pages[i], online, 0,
			      "pages of PFN 0x%" PRIx64 " to 0x%" PRIx64,
			      ram->start[i], ram->end[i]);
	}
	return ret;
}

static int check_memory(struct verify *v)
{
	struct ram *ram;
	int ret;

	if (!verify_has(v, "/proc/iomem"))
		return 0;
	ram = malloc(sizeof(*ram));
	if (!ram)
		return -ENOMEM;
	ret = verify_settle(v, look_at_memory, ram);
	free(ram);
	return ret;
}

const struct verify_check verify_kernel[] = {
	{ "iomem", "/proc/iomem", "which page frames are memory",
	  MMLENS_NR_PAGES, .run = check_memory },
	{ "image", "/proc/iomem, /proc/kallsyms", "the kernel's image",
	  MMLENS_NR_KMAP, .run = check_image },
	{ "modules", "/proc/modules", "where modules are mapped",
	  MMLENS_NR_KMAP, .run = check_modules },
	{ "vmalloc", "/proc/vmallocinfo", "what vmalloc has mapped",
	  MMLENS_NR_KMAP, .run = check_vmalloc },
	{},
};
