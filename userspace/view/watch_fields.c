// SPDX-License-Identifier: GPL-2.0-only
/* The numbers of a process that watch shows, and what follows from two samples. */
#include <math.h>
#include <time.h>

#include "timeline.h"

#define PART(member)	offsetof(struct mmlens_sample_process, member)
#define SUMS		MMLENS_SAMPLE_SUMS

const struct watch_field watch_fields[] = {
	{ .name = "vsize", .help = "VmSize",
	  .parts = { PART(vsize) } },
	{ .name = "vm_rss", .heading = "RSS", .lines = WATCH_IN_COUNTERS,
	  .help = "VmRSS, the sum of the next three",
	  .parts = { PART(rss_anon), PART(rss_file), PART(rss_shmem) } },
	{ .name = "rss", .heading = "RSS", .lines = WATCH_IN_LINES,
	  .help = "resident, by the page tables (Rss of smaps_rollup)",
	  .needs = SUMS, .parts = { PART(sums.rss) } },
	{ .name = "rss_anon", .heading = "ANON", .lines = WATCH_IN_LINES,
	  .help = "RssAnon: anonymous",
	  .parts = { PART(rss_anon) } },
	{ .name = "rss_file", .heading = "FILE", .lines = WATCH_IN_LINES,
	  .help = "RssFile: of files",
	  .parts = { PART(rss_file) } },
	{ .name = "rss_shmem", .heading = "SHMEM", .lines = WATCH_IN_LINES,
	  .help = "RssShmem: of shared memory and tmpfs",
	  .parts = { PART(rss_shmem) } },
	{ .name = "hugetlb", .help = "HugetlbPages, not part of RSS",
	  .parts = { PART(hugetlb) } },
	{ .name = "swap", .heading = "SWAP", .lines = WATCH_IN_LINES,
	  .help = "VmSwap: swapped out",
	  .parts = { PART(swap) } },
	{ .name = "pss", .help = "each page divided by how often it is mapped",
	  .needs = SUMS, .shift = 12, .parts = { PART(sums.pss) } },
	{ .name = "uss", .help = "mapped by nobody else",
	  .needs = SUMS, .parts = { PART(sums.private_clean),
				    PART(sums.private_dirty) } },
	{ .name = "dirty", .heading = "DIRTY", .lines = WATCH_IN_LINES,
	  .help = "to be written before it can be reclaimed",
	  .needs = SUMS, .parts = { PART(sums.shared_dirty),
				    PART(sums.private_dirty) } },
	{ .name = "referenced", .heading = "REFERENCED",
	  .lines = WATCH_IN_LINES,
	  .help = "used since its accessed bits were cleared",
	  .needs = SUMS, .parts = { PART(sums.referenced) } },
	{ .name = "anon_huge", .help = "anonymous, in huge pages",
	  .needs = SUMS, .parts = { PART(sums.anon_huge) } },
	{ .name = "tables", .heading = "TABLES", .lines = WATCH_IN_LINES,
	  .help = "VmPTE: page tables",
	  .parts = { PART(tables) } },
	{ .name = "minor_faults", .heading = "MINFLT/s", .kind = WATCH_EVENTS,
	  .lines = WATCH_IN_LINES,
	  .help = "page faults that didn't wait for a device",
	  .parts = { PART(minor_faults) } },
	{ .name = "major_faults", .heading = "MAJFLT/s", .kind = WATCH_EVENTS,
	  .lines = WATCH_IN_LINES, .help = "page faults that did",
	  .parts = { PART(major_faults) } },
	{}
};

bool watch_known(const struct watch_field *field,
		 const struct mmlens_sample_process *process)
{
	return !process->exited &&
	       (process->known & field->needs) == field->needs;
}

uint64_t watch_value(const struct watch_field *field,
		     const struct mmlens_sample_process *process)
{
	uint64_t sum = 0;

	for (int i = 0; i < WATCH_PARTS && field->parts[i]; i++)
		sum += *(const uint64_t *)((const char *)process +
					   field->parts[i]);
	return sum >> field->shift;
}

void watch_legend(FILE *out)
{
	fputs("\nNumbers of a process (heading in lines, name in JSON and CSV):\n",
	      out);
	for (const struct watch_field *f = watch_fields; f->name; f++)
		fprintf(out, "  %-11s %-13s %s\n", f->heading ? f->heading : "",
			f->name, f->help);
	fputs("Lines have KiB, JSON and CSV bytes, of zones pages.\n", out);
}

/* ---- two samples ---- */

double watch_rate(const struct watch *w, const struct watch_field *field,
		  size_t process)
{
	const struct mmlens_sample_process *now, *before;
	double seconds;

	if (!w->before)
		return NAN;
	now = &w->now->processes[process];
	before = &w->before->processes[process];
	seconds = (w->now->at_ns - w->before->at_ns) * 1e-9;
	if (now->exited || before->exited || seconds <= 0)
		return NAN;
	return (watch_value(field, now) - watch_value(field, before)) / seconds;
}

double watch_seconds(const struct watch *w, const struct mmlens_sample *sample)
{
	return (sample->at_ns - w->start_ns) * 1e-9;
}

bool watch_has_just_exited(const struct watch *w, size_t process)
{
	return w->now->processes[process].exited &&
	       (!w->before || !w->before->processes[process].exited);
}

double watch_share(const struct watch *w)
{
	double seconds = watch_seconds(w, w->now) + w->now->cost_ns * 1e-9;

	/* The first has its interval still before it. */
	if (seconds < w->interval)
		seconds = w->interval;
	return (w->cost.ns + w->cost.clear_ns) * 1e-9 / seconds;
}

void watch_clock(char *room, size_t size, const struct watch *w,
		 uint64_t time_ns)
{
	time_t seconds = time_ns / 1000000000;
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(room, size, "%H:%M:%S", &tm);
	if (w->interval < 1)
		snprintf(room + n, size - n, ".%03u",
			 (unsigned int)(time_ns / 1000000 % 1000));
}
