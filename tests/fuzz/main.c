// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz [--seed N] [--calls N] [--seconds N] [--threads N] [--coverage FILE]
 *	calls the module until there were so many calls or so many seconds have
 *	passed, and says how many calls of each kind had which result
 * fuzz --input HEX
 *	tries one input that was printed, again and again for as long
 *
 * Exit status: 0; 1 when a call broke the contract: then it says which, and
 * the input; 2 when it couldn't run.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_THREADS	16

static struct options {
	uint64_t seed;
	uint64_t calls;
	uint64_t seconds;
	uint64_t threads;
	const char *coverage;
	bool replay;
	struct input input;
} options = { .seed = 1, .calls = ~0ull, .seconds = 10, .threads = 3 };

static volatile bool stopped, failed;
static double end_time;

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* ---- memory ---- */

static unsigned char *mapping(size_t size, int prot)
{
	unsigned char *at = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return at;
}

/* Memory with nothing before and behind it. */
static unsigned char *island(size_t size)
{
	unsigned char *at = mapping(size + 2 * PAGE, PROT_NONE);

	mprotect(at + PAGE, size, PROT_READ | PROT_WRITE);
	poison(at + PAGE, size);
	return at + PAGE;
}

static void make_read_only(struct fuzzer *f)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 4 * PAGE)) {
		perror("memfd");
		exit(2);
	}
	f->image = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	f->image_rw = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
	close(fd);
}

static void prepare(struct fuzzer *f, unsigned int number)
{
	f->number = number;
	f->rng.state = options.seed * 0x10001 + number;
	f->fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	memset(f->files, 0xff, sizeof(f->files));
	f->room = island(ROOM);
	f->place = island(4 * PAGE);
	f->fresh = mapping(ROOM, PROT_READ | PROT_WRITE);
	f->hole = mapping(ROOM, PROT_NONE);
	munmap(f->hole, ROOM);
	make_read_only(f);
	f->corpus = calloc(CORPUS, sizeof(*f->corpus));
}

/* ---- calls ---- */

/*
 * Half of them are right, so that walks get as deep as they can; of the others
 * each has something changed, of a new one or of one that found new code.
 */
static void next_input(struct fuzzer *f, struct input *input)
{
	struct rng *rng = &f->rng;

	if (f->corpus_size && rng_one_in(rng, 2))
		*input = f->corpus[rng_below(rng, f->corpus_size)];
	else
		input_make(rng, input);
	if (rng_one_in(rng, 2))
		input_mutate(rng, input);
}

static void keep(struct fuzzer *f, const struct input *input)
{
	if (f->corpus_size < CORPUS)
		f->corpus[f->corpus_size++] = *input;
	else
		f->corpus[rng_below(&f->rng, CORPUS)] = *input;
}

static void report_failure(struct fuzzer *f, const struct input *input,
			   const char *why)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *what = input->call < CALL_WALKS ?
			   queries[input->call].name :
			   input->call == CALL_DEBUGFS ?
			   file_names[input->file] : "info";

	pthread_mutex_lock(&lock);
	printf("failed %s: %s (thread %u, call %llu, seed %llu)\n", what, why,
	       f->number, (unsigned long long)f->calls,
	       (unsigned long long)options.seed);
	printf("target %u place %u where %u base %u resume %u damaged %u command %#x; pid %d flags %#x size %u start %#llx end %#llx cursor %#llx generation %#llx buffer_size %#llx\n",
	       input->target, input->place, input->where, input->base,
	       input->resume, input->damaged, input->command, input->walk.pid,
	       input->walk.flags, input->walk.size, input->walk.start,
	       input->walk.end, input->walk.cursor, input->walk.generation,
	       input->walk.buffer_size);
	input_print(input);
	pthread_mutex_unlock(&lock);
	failed = stopped = true;
}

static void call(struct fuzzer *f, const struct input *input)
{
	const char *why;

	kcov_reset(f);
	f->calls++;
	if (input->call == CALL_DEBUGFS)
		why = file_once(f, input);
	else
		why = call_once(f, input);
	if (kcov_new(f))
		keep(f, input);
	if (why)
		report_failure(f, input, why);
}

static void *run(void *argument)
{
	struct fuzzer *f = argument;
	const uint64_t share = options.calls / options.threads +
			       (f->number < options.calls % options.threads);
	struct input input;

	kcov_start(f);
	while (!stopped && f->calls < share) {
		if (options.replay)
			input = options.input;
		else
			next_input(f, &input);
		call(f, &input);
		if (f->calls % 32 == 0 && now() > end_time)
			break;
	}
	file_close_all(f);
	return NULL;
}

/* ---- who disturbs ---- */

static void *disturb(void *unused)
{
	struct rng rng = { options.seed };

	(void)unused;
	while (!stopped) {
		uint64_t *words = (uint64_t *)shared_place;

		for (int i = 0; i < 8; i++) {
			uint32_t at = rng_below(&rng, IMAGE / 8);

			/* Rather the structure than what is behind it. */
			if (rng_one_in(&rng, 2))
				at %= sizeof(struct mmlens_walk) / 8;
			/* It mustn't say that memory of ours is a buffer. */
			if (at == offsetof(struct mmlens_walk, buffer) / 8)
				words[at] = (uintptr_t)shared_room;
			else
				words[at] ^= 1ull << rng_below(&rng, 64);
			shared_room[rng_below(&rng, ROOM)] ^= 1;
		}
		usleep(200);
	}
	return NULL;
}

/* ---- what came of it ---- */

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ 0, "ok" }, { EPERM, "EPERM" }, { ESRCH, "ESRCH" },
		{ EINTR, "EINTR" }, { ENXIO, "ENXIO" }, { E2BIG, "E2BIG" },
		{ EBADF, "EBADF" }, { ENOMEM, "ENOMEM" },
		{ EFAULT, "EFAULT" }, { EINVAL, "EINVAL" },
		{ ENOTTY, "ENOTTY" }, { EOVERFLOW, "EOVERFLOW" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].error == error)
			return names[i].name;
	return "another";
}

static void print_counts(const char *what, const struct counts *counts)
{
	if (!counts->total)
		return;
	printf("calls %s %llu:", what, (unsigned long long)counts->total);
	for (int i = 0; i < ERRNOS; i++)
		if (counts->result[i])
			printf(" %s %llu", error_name(i),
			       (unsigned long long)counts->result[i]);
	putchar('\n');
}

static void add(struct counts *to, const struct counts *from)
{
	to->total += from->total;
	for (int i = 0; i < ERRNOS; i++)
		to->result[i] += from->result[i];
}

static void report(const struct fuzzer *fuzzers, double seconds)
{
	static struct counts kinds[CALL_KINDS], files[FILES];
	uint64_t calls = 0, records = 0, found = 0;
	char name[32];

	for (unsigned int t = 0; t < options.threads; t++) {
		calls += fuzzers[t].calls;
		records += fuzzers[t].records;
		found += fuzzers[t].corpus_size;
		for (int i = 0; i < CALL_KINDS; i++)
			add(&kinds[i], &fuzzers[t].counts[i]);
		for (int i = 0; i < FILES; i++)
			add(&files[i], &fuzzers[t].file_counts[i]);
	}
	for (int i = 0; i < CALL_WALKS; i++)
		print_counts(queries[i].name, &kinds[i]);
	print_counts("info", &kinds[CALL_INFO]);
	print_counts("unknown", &kinds[CALL_UNKNOWN]);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "debugfs/%s", file_names[i]);
		print_counts(name, &files[i]);
	}
	kcov_report(options.coverage);
	printf("total %llu calls, %llu records checked, %llu inputs kept, %.1f s, %llu threads, seed %llu\n",
	       (unsigned long long)calls, (unsigned long long)records,
	       (unsigned long long)found, seconds,
	       (unsigned long long)options.threads,
	       (unsigned long long)options.seed);
}

/* ---- start and end ---- */

static void usage(const char *name)
{
	fprintf(stderr, "usage: %s [--seed N] [--calls N] [--seconds N] [--threads N] [--coverage FILE] [--input HEX]\n",
		name);
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seed", 1, NULL, 's' }, { "calls", 1, NULL, 'c' },
		{ "seconds", 1, NULL, 't' }, { "threads", 1, NULL, 'j' },
		{ "coverage", 1, NULL, 'o' }, { "input", 1, NULL, 'i' },
		{ "nothing", 0, NULL, 'n' }, {},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		switch (option) {
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options.calls = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.seconds = strtoull(optarg, NULL, 0);
			break;
		case 'j':
			options.threads = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			options.coverage = optarg;
			break;
		case 'i':
			options.replay = input_parse(optarg, &options.input);
			if (!options.replay)
				usage(argv[0]);
			break;
		case 'n':	/* a process that has executed something */
			exit(0);
		default:
			usage(argv[0]);
		}
	if (optind < argc || !options.threads ||
	    options.threads > MAX_THREADS)
		usage(argv[0]);
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzers[MAX_THREADS];
	pthread_t threads[MAX_THREADS], disturber;
	double begin;

	parse(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (query_count != CALL_WALKS)
		usage("queries");
	targets_start(options.seed);
	shared_fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	shared_room = island(ROOM);
	shared_place = island(4 * PAGE);
	begin = now();
	end_time = begin + options.seconds;
	for (unsigned int i = 0; i < options.threads; i++)
		prepare(&fuzzers[i], i);
	pthread_create(&disturber, NULL, disturb, NULL);
	for (unsigned int i = 0; i < options.threads; i++)
		pthread_create(&threads[i], NULL, run, &fuzzers[i]);
	for (unsigned int i = 0; i < options.threads; i++)
		pthread_join(threads[i], NULL);
	stopped = true;
	pthread_join(disturber, NULL);
	targets_end();
	report(fuzzers, now() - begin);
	return failed;
}
