// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: times jobs of mmlens against what a user would run instead, in one
 * boot, in turn, and prints medians and their ratio: a table to standard error
 * and JSON to standard output.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define RUNS	7

/* Medians of one job. */
struct result {
	uint64_t ours_ns;
	uint64_t theirs_ns;
	uint64_t amount;
	uint64_t max_hold_ns;
	uint64_t restarts;
};

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Run @child in a process of its own that then stops itself. */
void spawn(struct target *target, void (*child)(struct target *shared))
{
	struct target *shared = mmap(NULL, sizeof(*shared),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (shared == MAP_FAILED)
		die("mmap");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(shared);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("target");
	*target = *shared;
	target->pid = pid;
	munmap(shared, sizeof(*shared));
}

static void reap(struct target *target)
{
	if (!target->pid)
		return;
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static uint64_t time_of(uint64_t (*run)(const struct target *),
			const struct target *target, uint64_t *amount)
{
	uint64_t begin = now_ns();

	*amount = run(target);
	return now_ns() - begin;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void run_job(const struct job *job, struct result *result)
{
	uint64_t ours[RUNS], theirs[RUNS] = { 0 }, amount;
	struct target target = { 0 };
	int i;

	job->setup(&target);
	walk_max_hold_ns = 0;
	walk_restarts = 0;
	/* One run of each to warm up. */
	for (i = -1; i < RUNS; i++) {
		int at = i < 0 ? 0 : i;

		ours[at] = time_of(job->ours, &target, &result->amount);
		if (!job->theirs)
			continue;
		theirs[at] = time_of(job->theirs, &target, &amount);
		if (amount != result->amount) {
			fprintf(stderr, "bench: %s: %llu %s, but %s has %llu\n",
				job->name, (unsigned long long)result->amount,
				job->unit, job->against,
				(unsigned long long)amount);
			exit(1);
		}
	}
	result->ours_ns = median(ours, RUNS);
	result->theirs_ns = median(theirs, RUNS);
	result->max_hold_ns = walk_max_hold_ns;
	result->restarts = walk_restarts;
	reap(&target);
}

static int reached(const struct job *job, const struct result *r)
{
	if (job->at_least &&
	    (double)r->theirs_ns / r->ours_ns < job->at_least)
		return 0;
	return !job->at_most_ns || r->ours_ns <= job->at_most_ns;
}

static void print_row(const struct job *job, const struct result *r)
{
	char wanted[32] = "", ratio[32] = "", theirs[32] = "";

	if (job->theirs) {
		snprintf(theirs, sizeof(theirs), "%.3f", r->theirs_ns / 1e6);
		snprintf(ratio, sizeof(ratio), "%.2f",
			 (double)r->theirs_ns / r->ours_ns);
	}
	if (job->at_least)
		snprintf(wanted, sizeof(wanted), ">= %.1f", job->at_least);
	if (job->at_most_ns)
		snprintf(wanted, sizeof(wanted), "<= %.0f ms",
			 job->at_most_ns / 1e6);
	fprintf(stderr, "%-40s %10.3f %10s %7s %9s %4s %9.1f  %s\n", job->name,
		r->ours_ns / 1e6, theirs, ratio, wanted,
		reached(job, r) ? "yes" : "NO", r->max_hold_ns / 1e3,
		job->against ? job->against : "");
}

static void print_json(const struct job *job, const struct result *r,
		       const char *sep)
{
	printf("%s\n  {\"job\": \"%s\", \"against\": %s%s%s, \"unit\": \"%s\", "
	       "\"amount\": %llu, \"ours_ns\": %llu, \"theirs_ns\": %llu, "
	       "\"ratio\": %.3f, \"at_least\": %.1f, \"at_most_ns\": %llu, "
	       "\"reached\": %s, \"max_lock_hold_ns\": %llu, "
	       "\"restarts\": %llu}", sep, job->name,
	       job->against ? "\"" : "", job->against ? job->against : "null",
	       job->against ? "\"" : "", job->unit,
	       (unsigned long long)r->amount, (unsigned long long)r->ours_ns,
	       (unsigned long long)r->theirs_ns,
	       (double)r->theirs_ns / r->ours_ns, job->at_least,
	       (unsigned long long)job->at_most_ns,
	       reached(job, r) ? "true" : "false",
	       (unsigned long long)r->max_hold_ns,
	       (unsigned long long)r->restarts);
}

int main(int argc, char **argv)
{
	struct utsname uts;
	size_t i, done = 0;

	if (uname(&uts))
		die("uname");
	fprintf(stderr, "kernel %s, medians of %d runs\n", uts.release, RUNS);
	fprintf(stderr, "%-40s %10s %10s %7s %9s %4s %9s  %s\n", "job",
		"mmlens ms", "other ms", "ratio", "wanted", "", "lock us",
		"against");
	printf("{\"kernel\": \"%s\", \"runs\": %d, \"jobs\": [", uts.release,
	       RUNS);
	for (i = 0; i < nr_jobs; i++) {
		struct result result = { 0 };

		if (argc > 1 && !strstr(jobs[i].name, argv[1]))
			continue;
		run_job(&jobs[i], &result);
		print_row(&jobs[i], &result);
		print_json(&jobs[i], &result, done++ ? "," : "");
		fflush(stdout);
	}
	printf("\n]}\n");
	return 0;
}
