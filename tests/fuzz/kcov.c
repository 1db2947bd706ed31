// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which code of the module calls come to, as KCOV tells: it writes down where
 * this thread is in the kernel, once for each basic block.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV			"/sys/kernel/debug/kcov"
#define KCOV_INIT_TRACE		_IOR('c', 1, unsigned long)
#define KCOV_ENABLE		_IO('c', 100)
/* Places at most: what comes later in a long walk came before. */
#define TRACE			(32ul << 10)

struct function {
	uint64_t start;
	bool reached;
	char name[64];
};

static struct function *functions;
static size_t function_count;
static uint64_t text_start, text_end;
/* Is there something new of this place? By its address in the module. */
static unsigned char *seen;

bool kcov_is_there(void)
{
	return !access(KCOV, R_OK | W_OK);
}

static int by_start(const void *one, const void *other)
{
	const struct function *a = one, *b = other;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* The module's functions; those of loading are gone when it is loaded. */
static void read_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct function f = {}, *grown;
	char line[256], type, module[32];
	unsigned long long start;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %63s %31s", &start, &type, f.name,
			   module) != 4 ||
		    strcmp(module, "[mmlens]") || (type != 't' && type != 'T'))
			continue;
		/* Padding and thunks of the compiler's. */
		if (strncmp(f.name, "__pfx_", 6) == 0 ||
		    strncmp(f.name, "_sub_", 5) == 0)
			continue;
		f.start = start;
		grown = realloc(functions, (function_count + 1) * sizeof(f));
		if (!grown)
			break;
		functions = grown;
		functions[function_count++] = f;
	}
	if (file)
		fclose(file);
	qsort(functions, function_count, sizeof(f), by_start);
}

static void learn(void)
{
	read_symbols();
	if (!function_count || !functions[0].start)
		return;
	text_start = functions[0].start;
	text_end = functions[function_count - 1].start + PAGE;
	seen = calloc(1, text_end - text_start);
}

void kcov_start(struct fuzzer *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int fd = open(KCOV, O_RDWR | O_CLOEXEC);
	uint64_t *cover;

	if (fd < 0)
		return;
	pthread_once(&once, learn);
	if (!seen || ioctl(fd, KCOV_INIT_TRACE, TRACE))
		return;
	cover = mmap(NULL, TRACE * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, 0))
		return;
	f->cover = cover;
}

void kcov_reset(struct fuzzer *f)
{
	if (f->cover)
		__atomic_store_n(&f->cover[0], 0, __ATOMIC_RELAXED);
}

unsigned int kcov_new(struct fuzzer *f)
{
	unsigned int fresh = 0;

	if (!f->cover)
		return 0;
	for (uint64_t i = 1; i <= f->covered && i < TRACE; i++) {
		uint64_t at = f->cover[i] - text_start;

		if (at < text_end - text_start && !seen[at]) {
			seen[at] = 1;
			fresh++;
		}
	}
	return fresh;
}

static void mark_functions(void)
{
	for (size_t i = 0; i < function_count; i++) {
		uint64_t end = i + 1 < function_count ?
			       functions[i + 1].start : text_end;

		for (uint64_t at = functions[i].start; at < end; at++)
			functions[i].reached |= seen[at - text_start];
	}
}

/* Places as "FUNCTION+OFFSET", for addr2line and its kin. */
static void write_places(const char *path)
{
	FILE *file = fopen(path, "we");
	size_t f = 0;

	for (uint64_t at = text_start; file && at < text_end; at++) {
		while (f + 1 < function_count && functions[f + 1].start <= at)
			f++;
		if (seen[at - text_start])
			fprintf(file, "%s+%#llx\n", functions[f].name,
				(unsigned long long)(at -
						     functions[f].start));
	}
	if (file)
		fclose(file);
}

void kcov_report(const char *path)
{
	size_t places = 0, reached = 0;

	if (!seen) {
		printf("coverage: none, this kernel has no KCOV\n");
		return;
	}
	for (uint64_t at = 0; at < text_end - text_start; at++)
		places += seen[at];
	mark_functions();
	for (size_t i = 0; i < function_count; i++)
		reached += functions[i].reached;
	printf("coverage: %zu places, %zu of %zu functions; not:", places,
	       reached, function_count);
	for (size_t i = 0; i < function_count; i++)
		if (!functions[i].reached)
			printf(" %s", functions[i].name);
	putchar('\n');
	if (path)
		write_places(path);
}
