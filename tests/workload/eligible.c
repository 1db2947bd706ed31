// SPDX-License-Identifier: GPL-2.0-only
/* VMAs that settings of transparent huge pages concern, and that they don't. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "workload.h"

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE	41
#endif

static const int advices[] = { MADV_NORMAL, MADV_HUGEPAGE, MADV_NOHUGEPAGE };

/* Sizes and places of VMAs: what of them fits an order, what doesn't. */
static const struct shape {
	const char *name;
	size_t skip;	/* before the first address */
	size_t size;
	size_t offset;	/* into the file */
} shapes[] = {
	{ "page", 0, PAGE, 0 },
	{ "64k", 0, 16 * PAGE, 0 },
	{ "1m", 0, MIB2 / 2, 0 },
	{ "4m", 0, 2 * MIB2, 0 },
	/* Without one aligned range of 2 MiB. */
	{ "askew", PAGE, 2 * MIB2 - 2 * PAGE, PAGE },
	/* Whole ranges of 2 MiB, but of the file others. */
	{ "other_offset", 0, 2 * MIB2, 5 * PAGE },
};
#define SHAPES		(sizeof(shapes) / sizeof(*shapes))

/* Each shape with each advice; fd -1: of anonymous memory. */
static void map_shapes(const char *kind, int fd, int prot, int flags)
{
	for (size_t i = 0; i < SHAPES; i++) {
		const struct shape *s = &shapes[i];

		for (size_t a = 0; a < 3; a++) {
			char *start = slot_take(2 * MIB2 + s->skip);
			char name[64];

			start = mmap(start + s->skip, s->size, prot,
				     flags | MAP_FIXED, fd,
				     fd < 0 ? 0 : s->offset);
			if (start == MAP_FAILED)
				die(kind);
			if (advices[a] != MADV_NORMAL)
				madvise(start, s->size, advices[a]);
			snprintf(name, sizeof(name), "%s_%s_%zu", kind,
				 s->name, a);
			region(name, start, s->size);
		}
	}
}

/* Large files, and one that within_size finds too small. */
static void map_files(const char *directory, int number)
{
	static const size_t sizes[] = { 4 * MIB2, 3 * PAGE };

	for (size_t i = 0; i < 2; i++) {
		char kind[32], name[32];
		int fd;

		workload_directory = directory;
		snprintf(name, sizeof(name), "eligible%zu", i);
		snprintf(kind, sizeof(kind), "files%d_%zu", number, i);
		fd = new_file(name, sizes[i]);
		map_shapes(kind, fd, READ_WRITE, MAP_SHARED);
		map_shapes(kind, fd, READ_WRITE, MAP_PRIVATE);
		close(fd);
	}
}

/* khugepaged takes text that nobody writes to. */
static void map_text(const char *directory)
{
	char path[4096];
	int fd;

	workload_directory = directory;
	close(new_file("text", 4 * MIB2));
	snprintf(path, sizeof(path), "%s/text", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	map_shapes("text", fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	close(fd);
}

/* Bounds of a fault: some pages are there, some entries are empty. */
static void populate(void)
{
	char *start = slot(2 * MIB2, READ_WRITE, ANON_PRIVATE, -1);

	fill(start, MIB2 / 2);
	region("populated", start, 2 * MIB2);
}

/* @disable: the second argument of prctl, -1 for no call. */
void make_eligible(int disable, int count, char **directories)
{
	int fd;

	if (disable >= 0 && prctl(PR_SET_THP_DISABLE, 1, disable, 0, 0)) {
		printf("missing disable %s\n", because("PR_SET_THP_DISABLE"));
		return;
	}
	map_shapes("anon", -1, READ_WRITE, ANON_PRIVATE);
	map_shapes("shared", -1, READ_WRITE, ANON_SHARED);
	fd = new_memfd("eligible", 4 * MIB2, 0);
	map_shapes("memfd", fd, READ_WRITE, MAP_SHARED);
	map_shapes("memfd_private", fd, READ_WRITE, MAP_PRIVATE);
	fd = new_memfd("small", 3 * PAGE, 0);
	map_shapes("memfd_small", fd, READ_WRITE, MAP_SHARED);
	for (int i = 0; i < count; i++)
		map_files(directories[i], i);
	map_text(directories[0]);
	populate();
}
