// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: times jobs of mmlens against what a user would run instead, in one
 * boot, in turn, and prints medians and their ratio: a table to standard error
 * and JSON to standard output.
 *
 * bench [WORD]		only jobs and curves that have WORD in their name
 * bench --rollups	no job: reads every smaps_rollup once
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define RUNS	5

/* Medians of one job. */
struct result {
	uint64_t ours;
	uint64_t theirs;
	uint64_t amount;
	uint64_t max_hold_ns;
	uint64_t restarts;
};

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
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

/* What one way says, or how long it takes to say it. */
static uint64_t measure(enum measure kind,
			uint64_t (*run)(const struct target *),
			const struct target *target, uint64_t *amount)
{
	uint64_t begin = now_ns();

	*amount = run(target);
	return kind == TIME ? now_ns() - begin : *amount;
}

static void check_amounts(const struct job *job, uint64_t ours,
			  uint64_t theirs)
{
	if (!job->unit || ours == theirs)
		return;
	fprintf(stderr, "bench: %s: %llu %s, but %s has %llu\n", job->name,
		(unsigned long long)ours, job->unit, job->against,
		(unsigned long long)theirs);
	exit(1);
}

/* Jobs in a row that look at the same share it. */
static const struct target *target_of(const struct job *job)
{
	static struct target target;
	static void (*made_by)(struct target *target);

	if (job && job->setup == made_by)
		return &target;
	drop_rooms();
	reap(&target);
	made_by = job ? job->setup : NULL;
	if (job)
		job->setup(&target);
	return &target;
}

/* One run to warm up, where that changes anything. */
static void run_job(const struct job *job, struct result *result)
{
	uint64_t ours[RUNS] = { 0 }, theirs[RUNS] = { 0 }, amount;
	int runs = job->measure == SIZE ? 1 : RUNS;
	const struct target *target = target_of(job);

	walk_max_hold_ns = 0;
	walk_restarts = 0;
	for (int i = job->measure == TIME ? -1 : 0; i < runs; i++) {
		int at = i < 0 ? 0 : i;

		ours[at] = measure(job->measure, job->ours, target,
				   &result->amount);
		if (!job->theirs)
			continue;
		theirs[at] = measure(job->measure, job->theirs, target,
				     &amount);
		check_amounts(job, result->amount, amount);
	}
	result->ours = median(ours, runs);
	result->theirs = median(theirs, runs);
	result->max_hold_ns = walk_max_hold_ns;
	result->restarts = walk_restarts;
}

static double ratio_of(const struct result *r)
{
	return r->ours ? (double)r->theirs / r->ours : 0;
}

static bool reached(const struct job *job, const struct result *r)
{
	if (job->at_least && ratio_of(r) < job->at_least)
		return false;
	return !job->at_most || r->ours <= job->at_most;
}

/* ms or KiB */
static double scaled(const struct job *job, uint64_t value)
{
	return job->measure == SIZE ? value / 1024.0 : value / 1e6;
}

static const char *scale_name(const struct job *job)
{
	return job->measure == SIZE ? "KiB" : "ms";
}

static void print_row(const struct job *job, const struct result *r)
{
	char wanted[32] = "", ratio[32] = "", theirs[32] = "";

	if (job->theirs) {
		snprintf(theirs, sizeof(theirs), "%.3f",
			 scaled(job, r->theirs));
		snprintf(ratio, sizeof(ratio), "%.2f", ratio_of(r));
	}
	if (job->at_least)
		snprintf(wanted, sizeof(wanted), ">= %.4g", job->at_least);
	if (job->at_most)
		snprintf(wanted, sizeof(wanted), "<= %.0f %s",
			 scaled(job, job->at_most), scale_name(job));
	fprintf(stderr, "%-40s %10.3f %10s %-3s %7s %11s %4s %9.1f  %s\n",
		job->name, scaled(job, r->ours), theirs, scale_name(job), ratio,
		wanted, job->at_least || job->at_most ?
		(reached(job, r) ? "yes" : "NO") : "", r->max_hold_ns / 1e3,
		job->against ? job->against : "");
	if (job->note)
		job->note();
}

static void print_json(const struct job *job, const struct result *r,
		       const char *sep)
{
	const char *unit = job->measure == SIZE ? "bytes" : "ns";

	printf("%s\n  {\"job\": \"%s\", \"against\": %s%s%s, \"unit\": \"%s\", "
	       "\"amount\": %llu, \"ours_%s\": %llu, \"theirs_%s\": %llu, "
	       "\"ratio\": %.3f, \"at_least\": %.2f, \"at_most_%s\": %llu, "
	       "\"reached\": %s, \"max_lock_hold_ns\": %llu, "
	       "\"restarts\": %llu}", sep, job->name,
	       job->against ? "\"" : "", job->against ? job->against : "null",
	       job->against ? "\"" : "", job->unit ? job->unit : "",
	       (unsigned long long)r->amount,
	       unit, (unsigned long long)r->ours,
	       unit, (unsigned long long)r->theirs, ratio_of(r),
	       job->at_least, unit, (unsigned long long)job->at_most,
	       reached(job, r) ? "true" : "false",
	       (unsigned long long)r->max_hold_ns,
	       (unsigned long long)r->restarts);
}

/* ---- curves ---- */

static void run_point(const struct curve *curve, uint64_t size,
		      struct result *result)
{
	uint64_t ours[RUNS], theirs[RUNS], amount;
	struct target target = { 0 };

	curve->setup(&target, size);
	for (int i = 0; i < RUNS; i++) {
		ours[i] = measure(TIME, curve->ours, &target, &amount);
		theirs[i] = measure(TIME, curve->theirs, &target, &amount);
	}
	result->ours = median(ours, RUNS);
	result->theirs = median(theirs, RUNS);
	drop_rooms();
	reap(&target);
}

static void run_curve(const struct curve *curve, const char *sep)
{
	bool mib = !strcmp(curve->unit, "MiB");

	fprintf(stderr, "%s; against %s\n", curve->name, curve->against);
	printf("%s\n  {\"curve\": \"%s\", \"against\": \"%s\", "
	       "\"unit\": \"%s\", \"points\": [",
	       sep, curve->name, curve->against, mib ? "bytes" : curve->unit);
	for (size_t i = 0; curve->sizes[i]; i++) {
		uint64_t size = curve->sizes[i];
		struct result r = { 0 };

		run_point(curve, size, &r);
		fprintf(stderr, "  %8llu %-4s %12.3f %12.3f ms %8.2f\n",
			(unsigned long long)(mib ? size / MIB : size),
			curve->unit, r.ours / 1e6, r.theirs / 1e6,
			ratio_of(&r));
		printf("%s\n    {\"size\": %llu, \"ours_ns\": %llu, \"theirs_ns\": %llu}",
		       i ? "," : "", (unsigned long long)size,
		       (unsigned long long)r.ours,
		       (unsigned long long)r.theirs);
	}
	printf("]}");
}

static bool chosen(const char *name, const char *word)
{
	return !word || strstr(name, word);
}

static void run_jobs(const char *word)
{
	const char *sep = "";

	fprintf(stderr, "%-40s %10s %10s %-3s %7s %11s %4s %9s  %s\n", "job",
		"mmlens", "other", "", "ratio", "wanted", "", "lock us",
		"against");
	for (size_t i = 0; i < nr_jobs; i++) {
		struct result result = { 0 };

		if (!chosen(jobs[i].name, word))
			continue;
		if (jobs[i].measure == WAIT &&
		    sysconf(_SC_NPROCESSORS_ONLN) < 2) {
			fprintf(stderr, "%s: needs two processors\n",
				jobs[i].name);
			continue;
		}
		run_job(&jobs[i], &result);
		print_row(&jobs[i], &result);
		print_json(&jobs[i], &result, sep);
		fflush(stdout);
		sep = ",";
	}
	target_of(NULL);
}

static void run_curves(const char *word)
{
	const char *sep = "";

	for (size_t i = 0; i < nr_curves; i++) {
		if (!chosen(curves[i].name, word))
			continue;
		run_curve(&curves[i], sep);
		fflush(stdout);
		sep = ",";
	}
}

static bool is_known(const char *word)
{
	for (size_t i = 0; i < nr_jobs; i++)
		if (chosen(jobs[i].name, word))
			return true;
	for (size_t i = 0; i < nr_curves; i++)
		if (chosen(curves[i].name, word))
			return true;
	return false;
}

static int refuse(const char *word)
{
	fprintf(stderr, "bench: no job has '%s' in its name; there are:\n",
		word);
	for (size_t i = 0; i < nr_jobs; i++)
		fprintf(stderr, "  %s\n", jobs[i].name);
	for (size_t i = 0; i < nr_curves; i++)
		fprintf(stderr, "  %s\n", curves[i].name);
	return 2;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	struct utsname uts;

	if (word && !strcmp(word, "--rollups"))
		return all_rollups() ? 0 : 1;
	if (word && !is_known(word))
		return refuse(word);
	if (uname(&uts))
		die("uname");
	fprintf(stderr, "kernel %s, medians of %d runs\n", uts.release, RUNS);
	printf("{\"kernel\": \"%s\", \"runs\": %d, \"jobs\": [", uts.release,
	       RUNS);
	run_jobs(word);
	printf("\n], \"curves\": [");
	run_curves(word);
	printf("\n]}\n");
	return 0;
}
