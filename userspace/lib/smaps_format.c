// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How the running kernel writes smaps: which fields, in which order, how wide.
 * That differs by series and configuration, so it is learnt from an entry that
 * the kernel itself has written: the caller's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

/* Fields that aren't sums; those come behind them in the table. */
enum {
	OF_VMA_SIZE,
	OF_PAGE_SIZE,
	OF_SWAP_PSS,
	OF_THP,
	OF_PKEY,
	OF_SUM,
};

static const struct {
	const char *name;
	unsigned int of;
	bool adds_up;
	size_t offset;			/* of a sum in struct mmlens_smaps */
	unsigned int shift;		/* of a sum, to kB */
} known[] = {
#define SUM(name, member) \
	{ name, OF_SUM, true, offsetof(struct mmlens_smaps, member), 10 }
#define PSS(name, member) \
	{ name, OF_SUM, true, offsetof(struct mmlens_smaps, member), 22 }
	{ "Size", OF_VMA_SIZE, true, 0, 0 },
	{ "KernelPageSize", OF_PAGE_SIZE, false, 0, 0 },
	/* Differs from the kernel's where mmlens doesn't run: on powerpc. */
	{ "MMUPageSize", OF_PAGE_SIZE, false, 0, 0 },
	SUM("Rss", rss),
	PSS("Pss", pss),
	PSS("Pss_Dirty", pss_dirty),
	PSS("Pss_Anon", pss_anon),
	PSS("Pss_File", pss_file),
	PSS("Pss_Shmem", pss_shmem),
	SUM("Shared_Clean", shared_clean),
	SUM("Shared_Dirty", shared_dirty),
	SUM("Private_Clean", private_clean),
	SUM("Private_Dirty", private_dirty),
	SUM("Referenced", referenced),
	SUM("Anonymous", anonymous),
	SUM("KSM", ksm),
	SUM("LazyFree", lazyfree),
	SUM("AnonHugePages", anon_huge),
	SUM("ShmemPmdMapped", shmem_huge),
	SUM("FilePmdMapped", file_huge),
	SUM("Shared_Hugetlb", shared_hugetlb),
	SUM("Private_Hugetlb", private_hugetlb),
	SUM("Swap", swap),
	{ "SwapPss", OF_SWAP_PSS, true, 0, 0 },
	PSS("Locked", pss_locked),
	{ "THPeligible", OF_THP, true, 0, 0 },
	{ "ProtectionKey", OF_PKEY, false, 0, 0 },
#undef SUM
#undef PSS
};

uint64_t mmlens_smaps_value(const struct mmlens_smaps_field *field,
			    const struct mmlens_area *area)
{
	const struct mmlens_vma *vma = area->vma;
	uint64_t value;

	switch (known[field->what].of) {
	case OF_VMA_SIZE:
		return (vma->end - vma->start) >> 10;
	case OF_PAGE_SIZE:
		return 1ull << vma->page_shift >> 10;
	case OF_SWAP_PSS:
		return area->swap_pss >> 10;
	case OF_THP:
		return area->thp_eligible;
	case OF_PKEY:
		return vma->pkey;
	default:
		memcpy(&value, (const char *)area->smaps +
		       known[field->what].offset, sizeof(value));
		return value >> known[field->what].shift;
	}
}

/* ---- lines ---- */

static bool find_known(struct mmlens_smaps_field *field, const char *line,
		       size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) != length ||
		    strncmp(known[i].name, line, length))
			continue;
		field->name = known[i].name;
		field->adds_up = known[i].adds_up;
		field->what = i;
		return true;
	}
	return false;
}

static void add_unknown(struct mmlens_smaps_format *format, const char *line,
			size_t length)
{
	size_t used = strlen(format->unknown);

	snprintf(format->unknown + used, sizeof(format->unknown) - used,
		 "%s%.*s", used ? ", " : "", (int)length, line);
}

/*
 * The kernel's labels are padded to 16 characters, and to one more than that
 * behind the name that fills them (Private_Hugetlb); the rest is the number's.
 */
static size_t label_length(size_t name_length)
{
	return name_length + 2 > 16 ? name_length + 2 : 16;
}

/* "NAME:   NUMBER[ kB]" */
static int add_field(struct mmlens_smaps_format *format, const char *line,
		     size_t name_length)
{
	struct mmlens_smaps_field *f = &format->fields[format->count];
	size_t label = label_length(name_length);
	size_t number = name_length + 1, end;

	number += strspn(line + number, " ");
	end = number + strspn(line + number, "0123456789");
	if (end == number)
		return -EPROTO;
	if (format->count == MMLENS_MAX_SMAPS_FIELDS ||
	    label >= sizeof(f->label) || !find_known(f, line, name_length)) {
		add_unknown(format, line, name_length);
		return 0;
	}
	snprintf(f->label, sizeof(f->label), "%.*s:%*s", (int)name_length, line,
		 (int)(label - name_length - 1), "");
	f->label_length = label;
	/* A number that leaves its column doesn't tell how wide that is. */
	f->width = number < label ? 1 : end - label;
	f->kb = !strncmp(line + end, " kB", 3);
	format->count++;
	return 0;
}

static bool is_field(const char *line)
{
	return *line >= 'A' && *line <= 'Z';
}

/* Returns 1 where the entry ends. */
static int parse_line(struct mmlens_smaps_format *format, const char *line)
{
	size_t length = strcspn(line, ":\n");

	if (!is_field(line))
		return 1;
	if (line[length] != ':')
		return -EPROTO;
	if (length == 7 && !strncmp(line, "VmFlags", 7)) {
		format->has_vm_flags = true;
		return 0;
	}
	return add_field(format, line, length);
}

static const char *next_line(const char *line)
{
	const char *end = strchrnul(line, '\n');

	return *end ? end + 1 : end;
}

/* ---- VmFlags ---- */

static bool has_mnemonic(const char *text, const char *mnemonic)
{
	const char *line;

	for (line = text; *line; line = next_line(line)) {
		const char *end = strchrnul(line, '\n');
		const char *at = line + 8;

		if (strncmp(line, "VmFlags:", 8))
			continue;
		for (; at + 3 <= end; at += 3)
			if (!strncmp(at + 1, mnemonic, 2))
				return true;
	}
	return false;
}

static void name_bits(const struct mmlens_info *info, const char *text,
		      struct mmlens_smaps_format *format)
{
	const struct mmlens_flag *flag;

	for (unsigned int i = 0; i < 64; i++)
		strcpy(format->vm_flags[i],
		       info->vma_hidden >> i & 1 ? "" : "??");
	for (flag = mmlens_vma_flags(); flag->bit; flag++) {
		unsigned int bit = info->vma_bit[__builtin_ctzll(flag->bit)];

		if (!bit || bit > 64 || strlen(flag->brief) != 2)
			continue;
		/* Older than its mnemonic: not every kernel has a word. */
		if (flag->bit == MMLENS_VMA_LOCKONFAULT &&
		    !has_mnemonic(text, flag->brief))
			continue;
		memcpy(format->vm_flags[bit - 1], flag->brief, 3);
	}
}

int mmlens_smaps_format_parse(const struct mmlens_info *info, const char *text,
			      struct mmlens_smaps_format *format)
{
	const char *line = text;
	int ret = 0;

	memset(format, 0, sizeof(*format));
	if (!*line || is_field(line))
		return -EPROTO;
	while (!ret && *(line = next_line(line)))
		ret = parse_line(format, line);
	if (ret < 0)
		return ret;
	if (!format->count)
		return -EPROTO;
	name_bits(info, text, format);
	return 0;
}

/* ---- the running kernel ---- */

char *mmlens_own_smaps(bool rollup)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	void *probe;
	char *text;

	if (rollup || mmlens_source())
		return mmlens_read_file(rollup ? "/proc/self/smaps_rollup" :
						 "/proc/self/smaps");
	/* A mapping that shows whether the kernel has a word for the flag. */
	probe = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe != MAP_FAILED && mlock2(probe, page, MLOCK_ONFAULT)) {
		munmap(probe, page);
		probe = MAP_FAILED;
	}
	text = mmlens_read_file("/proc/self/smaps");
	if (probe != MAP_FAILED) {
		int error = errno;

		munmap(probe, page);
		errno = error;
	}
	return text;
}

int mmlens_smaps_format_read(const struct mmlens_info *info, bool rollup,
			     struct mmlens_smaps_format *format)
{
	char *text = mmlens_own_smaps(rollup);
	int ret;

	if (!text)
		return -errno;
	ret = mmlens_smaps_format_parse(info, text, format);
	free(text);
	return ret;
}
