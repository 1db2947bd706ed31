// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any text where the kernel's files or a user's words are expected.  The first
 * byte says which parser gets it.
 */
#include <stdlib.h>

#include "capture.h"
#include "fake.h"
#include "fuzz.h"
#include "internal.h"

static void smaps_format(char *text)
{
	struct mmlens_smaps_format format;

	mmlens_smaps_format_parse(&fake_info, text, &format);
}

static void zoneinfo_format(char *text)
{
	struct mmlens_zoneinfo_format format = {};

	if (!mmlens_zoneinfo_format_parse(&format, text))
		mmlens_zoneinfo_format_free(&format);
}

static void swap_sums(char *text)
{
	struct mmlens_swap swap;

	if (!mmlens_swap_parse(&swap, text))
		mmlens_swap_free(&swap);
}

static void page_filter(char *text)
{
	struct mmlens_page_filter filter;

	mmlens_page_filter_parse(text, &filter);
}

static void page_range(char *text)
{
	uint64_t start, end;

	mmlens_page_range_parse(text, &start, &end);
}

/* Files as they are read through a capture that has them. */
static const char *const paths[] = {
	"/proc/42/stat", "/proc/42/status", "/proc/42/exe", "/proc/meminfo",
	"/proc/zoneinfo", "/proc/iomem", "/proc/self/smaps", "/proc/self/maps",
	"/proc/42/cgroup", "/proc/sys/vm/extfrag_threshold",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
	MML_FILE_USERS, MML_FILE_MEMCGS, MML_FILE_MEMCG_ROOT, MML_FILE_SYSV,
	MML_FILE_KPAGEFLAGS,
};

static struct mmlens *open_with_files(const char *text, size_t size)
{
	struct mml_writer *w = mml_writer_open("/dev/shm/fuzz", &fake_info, 0);
	char why[MML_WHY];
	struct mml_capture *capture;
	int fd;

	for (size_t i = 0; w && i < ARRAY_SIZE(paths); i++)
		mml_writer_file(w, paths[i], text, size);
	fd = w ? mml_writer_finish(w) : -1;
	capture = fd < 0 ? NULL : mml_capture_open(fd, why);
	return capture ? mml_replay_open(capture, true) : NULL;
}

static void read_labels(void)
{
	struct mmlens_labels *labels = mmlens_labels_open();
	uint64_t inode;

	mmlens_zone_name(labels, 1);
	mmlens_memcg_path(labels, 1);
	mmlens_memcg_find(labels, "/a", &inode);
	mmlens_labels_close(labels);
}

static void read_files(struct mmlens *lens)
{
	struct mmlens_thp_settings thp;
	struct mmlens_process process;
	struct mmlens_meminfo meminfo;
	char name[MMLENS_GATE_NAME];
	struct mmlens_vma gate;
	uint32_t major, minor;
	uint64_t flags;
	size_t count;

	mmlens_process_read(42, &process);
	mmlens_meminfo_read(&meminfo);
	mmlens_thp_read(&fake_info, NULL, &thp);
	mmlens_sysv_device(&major, &minor);
	mmlens_gate_find(42, NULL, &gate, name);
	mmlens_gate_find(42, &fake_info, &gate, name);
	mmlens_kpageflags(77, &flags);
	mmlens_extfrag_threshold();
	free(mmlens_ram_read(12, &count));
	free(mmlens_user_name(0));
	read_labels();
	mmlens_close(lens);
}

static void (*const parsers[])(char *text) = {
	smaps_format, zoneinfo_format, swap_sums, page_filter, page_range,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t which = size ? data[0] % (ARRAY_SIZE(parsers) + 1) : 0;
	struct mmlens *lens;
	char *text;

	if (!size)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	if (which < ARRAY_SIZE(parsers)) {
		parsers[which](text);
	} else {
		lens = open_with_files(text, size - 1);
		if (lens)
			read_files(lens);
	}
	free(text);
	return 0;
}
