// SPDX-License-Identifier: GPL-2.0-only
/*
 * races [--seed N] [--seconds N] [--readers N] [--only KIND[,KIND]...]
 *	lets each kind of change go on in a process of its own while readers do
 *	every query of each of them, and says how often each took place, or why
 *	it can't here
 * races --list
 *	the kinds
 * races --cycles N --module FILE
 *	loads and unloads the module, which mustn't be loaded, so many times
 *	while processes open its files
 *
 * Exit status: 0; 1 when an answer was wrong; 2 when it couldn't run.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "races.h"

#define MAX_KINDS	48
#define MAX_READERS	8

static const struct kind *const tables[] = {
	memory_kinds, process_kinds, machine_kinds,
};

/* What readers saw; each has its own. */
struct seen {
	uint64_t calls;
	uint64_t records;
	uint64_t restarts;
	uint64_t gone;		/* ended by ESRCH or ENXIO */
	uint64_t by_query[16];
	char wrong[256];
};

static struct shared {
	struct result results[MAX_KINDS];
	struct seen seen[MAX_READERS];
	volatile pid_t targets[TARGETS];
} *shared;

struct result *mine;
volatile pid_t *targets;
static unsigned int slot;
static uint64_t random_state;

static const struct kind *kinds[MAX_KINDS];
static pid_t pids[MAX_KINDS];
static size_t kind_count;

static uint64_t seed = 1, seconds = 10, readers = 2;
static const char *only, *module;
static uint64_t cycle_count;

/* ---- help ---- */

pid_t bound_fork(void)
{
	const pid_t parent = getpid();
	const pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

uint32_t any(uint32_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return below ? ((z ^ z >> 31) >> 32) * below >> 32 : 0;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

bool read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got >= 0;
}

uint64_t vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "re");
	unsigned long long value, found = 0;
	char key[64];

	while (file && fscanf(file, "%63s %llu", key, &value) == 2)
		if (!strcmp(key, name))
			found = value;
	if (file)
		fclose(file);
	return found;
}

bool has_nodes(unsigned int count)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u",
		 count - 1);
	return !access(path, F_OK);
}

void touch(char *start, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		((volatile char *)start)[at] = at / PAGE + 1;
}

char *memory(size_t size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	touch(at, size);
	return at;
}

enum outcome says(enum outcome outcome, const char *what)
{
	if (mine)
		snprintf(mine->why, sizeof(mine->why), "%s%s%s", what,
			 errno ? ": " : "", errno ? strerror(errno) : "");
	return outcome;
}

void look_at(pid_t pid)
{
	targets[slot] = pid;
}

void look_at_me(void)
{
	look_at(getpid());
}

/* ---- changes ---- */

static void be_child(unsigned int number)
{
	random_state = seed * 1000 + number;
	slot = number % TARGETS;
}

static void keep_changing(const struct kind *kind, unsigned int number)
{
	be_child(number);
	/* There are many of them, and readers are to get on. */
	if (nice(10) < 0)
		errno = 0;
	mine = &shared->results[number];
	look_at_me();
	if (kind->prepare && kind->prepare() == CANNOT)
		_exit(1);
	for (;;) {
		switch (kind->change()) {
		case DONE:
			mine->done++;
			break;
		case FAILED:
			mine->failed++;
			break;
		case CANNOT:
			_exit(1);
		}
		usleep(any(2 * kind->pause_us));
	}
}

static bool is_wanted(const struct kind *kind)
{
	const size_t length = strlen(kind->name);

	for (const char *at = only; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, kind->name, length) &&
		    (!at[length] || at[length] == ','))
			return true;
	}
	return !only && !kind->asked;
}

static void gather_kinds(void)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct kind *k = tables[t]; k->name; k++)
			if (is_wanted(k) && kind_count < MAX_KINDS)
				kinds[kind_count++] = k;
}

/* ---- readers ---- */

static unsigned char *buffer;

/*
 * While memory goes online a zone manages more than is present: the kernel
 * counts one before the other.
 */
static const char *check(const struct mmlens_record *record, size_t left)
{
	if (record->type == MMLENS_REC_ZONE &&
	    record->size == sizeof(struct mmlens_zone) && record->size <= left)
		return NULL;
	return check_record(record, left);
}

static const char *look(struct seen *seen, const struct mmlens_walk *walk)
{
	for (size_t at = 0; at < walk->written;) {
		const struct mmlens_record *record =
			(const void *)(buffer + at);
		const char *why = check(record, walk->written - at);

		if (why)
			return why;
		at += record->size;
		seen->records++;
	}
	return NULL;
}

/* A whole walk of a process; of the machine a part, which may be far in. */
static const char *walk_once(struct seen *seen, size_t number, pid_t pid)
{
	const struct query *query = &queries[number];
	struct mmlens_walk walk = {
		.size = sizeof(walk), .pid = query->system ? 0 : pid,
		.flags = any(~0u) & query->flags,
		.buffer = (uintptr_t)buffer,
		.buffer_size = any(2) ? ROOM_SIZE : MMLENS_BUFFER_MIN,
	};
	unsigned int most = query->system ? 20 : 2000;

	if (query->request == MMLENS_VTOP)
		walk.start = (uintptr_t)buffer;
	if (query->request == MMLENS_PAGES || query->request == MMLENS_USERS) {
		walk.start = any(1 << 18);
		walk.end = walk.start + 1 + any(4096);
	}
	do {
		const char *why;

		seen->calls++;
		seen->by_query[number]++;
		if (ioctl(device(), query->request, &walk)) {
			if (errno == EOPNOTSUPP)
				return NULL;
			if ((errno != ESRCH && errno != ENXIO) ||
			    query->system)
				return wrong("%s", strerror(errno));
			seen->gone++;
			return NULL;
		}
		seen->restarts += walk.restarts;
		why = look(seen, &walk);
		if (why)
			return why;
	} while (!(walk.status & MMLENS_STATUS_DONE) && --most);
	return NULL;
}

/* The first four are of a process. */
static void read_text(void)
{
	static const char *const names[] = {
		"maps", "pte", "smaps", "tables", "zones", "buddy", "lru",
	};
	const uint32_t which = any(7);
	char path[64], text[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/mmlens/%s",
		 names[which]);
	fd = open(path, (which < 4 ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%d", targets[any(kind_count)]);
	if (which >= 4 || write(fd, text, strlen(text)) > 0)
		for (int i = 0; i < 64 && read(fd, buffer, 8192) > 0; i++)
			;
	close(fd);
}

static void keep_reading(unsigned int number)
{
	struct seen *seen = &shared->seen[number];
	const char *why = NULL;

	be_child(MAX_KINDS + number);
	buffer = mmap(NULL, ROOM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (!why) {
		size_t query = any(query_count);
		pid_t pid = targets[any(kind_count)];

		if (pid > 0)
			why = walk_once(seen, query, pid);
		if (why)
			snprintf(seen->wrong, sizeof(seen->wrong), "%s: %s",
				 queries[query].name, why);
		if (!any(64))
			read_text();
	}
	_exit(1);
}

int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(MMLENS_DEVICE);
		exit(2);
	}
	return fd;
}

/* ---- what came of it ---- */

static bool report(void)
{
	struct seen sum = {};
	bool right = true;

	for (size_t i = 0; i < kind_count; i++) {
		const struct result *r = &shared->results[i];

		printf("race %s %llu, %llu failed%s%s\n", kinds[i]->name,
		       (unsigned long long)r->done,
		       (unsigned long long)r->failed, *r->why ? ": " : "",
		       r->why);
	}
	for (unsigned int i = 0; i < readers; i++) {
		const struct seen *s = &shared->seen[i];

		sum.calls += s->calls;
		sum.records += s->records;
		sum.restarts += s->restarts;
		sum.gone += s->gone;
		for (size_t q = 0; q < query_count; q++)
			sum.by_query[q] += s->by_query[q];
		if (*s->wrong) {
			printf("failed %s\n", s->wrong);
			right = false;
		}
	}
	printf("calls");
	for (size_t q = 0; q < query_count; q++)
		printf(" %s %llu", queries[q].name,
		       (unsigned long long)sum.by_query[q]);
	printf("\ntotal %llu calls, %llu records, %llu restarts, %llu targets that were gone, %llu s, seed %llu\n",
	       (unsigned long long)sum.calls,
	       (unsigned long long)sum.records,
	       (unsigned long long)sum.restarts, (unsigned long long)sum.gone,
	       (unsigned long long)seconds, (unsigned long long)seed);
	return right;
}

static void end_all(const pid_t *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (all[i] > 0)
			kill(all[i], SIGKILL);
	for (size_t i = 0; i < count; i++)
		if (all[i] > 0)
			waitpid(all[i], NULL, 0);
}

/* A reader that has ended proves nothing more. */
static bool is_wrong(void)
{
	for (unsigned int i = 0; i < readers; i++)
		if (*shared->seen[i].wrong)
			return true;
	return false;
}

static void run(void)
{
	pid_t reading[MAX_READERS];

	for (size_t i = 0; i < kind_count; i++) {
		pids[i] = bound_fork();
		if (!pids[i])
			keep_changing(kinds[i], i);
	}
	for (unsigned int i = 0; i < readers; i++) {
		reading[i] = bound_fork();
		if (!reading[i])
			keep_reading(i);
	}
	for (uint64_t i = 0; i < seconds && !is_wrong(); i++)
		sleep(1);
	end_all(reading, readers);
	end_all(pids, kind_count);
	for (size_t i = 0; i < kind_count; i++)
		if (kinds[i]->undo)
			kinds[i]->undo();
}

static void usage(const char *name)
{
	fprintf(stderr, "usage: %s [--seed N] [--seconds N] [--readers N] [--only KIND[,KIND]...] | --list | --cycles N --module FILE\n",
		name);
	exit(2);
}

static void list(void)
{
	gather_kinds();
	for (size_t i = 0; i < kind_count; i++)
		puts(kinds[i]->name);
	exit(0);
}

static void parse(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seed", 1, NULL, 's' }, { "seconds", 1, NULL, 't' },
		{ "readers", 1, NULL, 'r' }, { "only", 1, NULL, 'o' },
		{ "cycles", 1, NULL, 'c' }, { "module", 1, NULL, 'm' },
		{ "list", 0, NULL, 'l' }, { "nothing", 0, NULL, 'n' }, {},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		switch (option) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			readers = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			only = optarg;
			break;
		case 'c':
			cycle_count = strtoull(optarg, NULL, 0);
			break;
		case 'm':
			module = optarg;
			break;
		case 'l':
			list();
			break;
		case 'n':	/* a process that has executed something */
			usleep(500);
			exit(0);
		default:
			usage(argv[0]);
		}
	if (optind < argc || !readers || readers > MAX_READERS)
		usage(argv[0]);
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	if (module)
		return cycles(module, cycle_count);
	gather_kinds();
	if (!kind_count)
		usage(argv[0]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	targets = shared->targets;
	device();
	run();
	return !report();
}
