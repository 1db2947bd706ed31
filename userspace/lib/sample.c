// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Samples.  Of a process: the kernel's counters, from its files in /proc, and
 * what the module sums up of its page tables.  Of the machine: zones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* ---- /proc/PID/stat and status ---- */

/* What stat says, as far as it matters here. */
struct stat_line {
	struct mmlens_process process;
	unsigned long long minor, major, start;
};

/* Read what fits in @room, which is plenty for both files. */
static int read_proc(int pid, const char *file, char *room, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, room, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n <= 0)
		return n ? (int)n : -ESRCH;
	room[n] = '\0';
	return 0;
}

/* "PID (NAME) STATE ...": fields 10, 12 and 22. */
static int read_stat(int pid, struct stat_line *line)
{
	char text[1024], *at;
	int ret = read_proc(pid, "stat", text, sizeof(text));

	if (ret)
		return ret;
	ret = mmlens_process_parse(text, &line->process);
	if (ret)
		return ret;
	/* The name's closing parenthesis has become a NUL. */
	at = text + strlen(text) + 1;
	if (sscanf(at, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &line->minor, &line->major, &line->start) != 3)
		return -EPROTO;
	return 0;
}

static bool is_gone(const struct stat_line *line)
{
	return line->process.state == 'Z' || line->process.state == 'X';
}

int mmlens_target_find(int pid, struct mmlens_target *target)
{
	struct stat_line line = {};
	int ret = read_stat(pid, &line);

	if (ret)
		return ret;
	if (line.process.kernel_thread || is_gone(&line))
		return -ENXIO;
	*target = (struct mmlens_target) { .pid = pid, .start = line.start };
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
#define KEY(key, member) \
	{ key ":", offsetof(struct mmlens_sample_process, member) }
	KEY("VmSize", vsize),
	KEY("RssAnon", rss_anon),
	KEY("RssFile", rss_file),
	KEY("RssShmem", rss_shmem),
	KEY("VmPTE", tables),
	KEY("VmSwap", swap),
	KEY("HugetlbPages", hugetlb),
};

static void take_line(struct mmlens_sample_process *process, const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t length = strlen(keys[i].key);

		if (!strncmp(line, keys[i].key, length))
			*(uint64_t *)((char *)process + keys[i].offset) =
				strtoull(line + length, NULL, 10) << 10;
	}
}

static int read_status(struct mmlens_sample_process *process)
{
	char text[8192];
	int ret = read_proc(process->pid, "status", text, sizeof(text));

	if (ret)
		return ret;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		take_line(process, line);
	}
	return 0;
}

/* Zeroes where it is another process by now. */
static int read_counters(struct mmlens_sample_process *process,
			 const struct mmlens_target *target)
{
	struct stat_line line = {};
	int ret = read_stat(target->pid, &line);

	*process = (struct mmlens_sample_process) { .pid = target->pid };
	if (!ret && (is_gone(&line) || line.start != target->start))
		ret = -ESRCH;
	if (ret)
		return ret;
	memcpy(process->name, line.process.comm, sizeof(process->name));
	process->minor_faults = line.minor;
	process->major_faults = line.major;
	return read_status(process);
}

/* ---- a process ---- */

static int read_sums(struct mmlens *lens, struct mmlens_sample_process *process,
		     struct mmlens_stats *stats)
{
	struct mmlens_request request = { .pid = process->pid,
					  .flags = MMLENS_WALK_TOTAL };
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	int ret;

	stream = mmlens_stream_open(lens, MMLENS_NR_SMAPS, &request);
	if (!stream)
		return -errno;
	while ((ret = mmlens_stream_next(stream, &rec)) > 0)
		if (rec->type == MMLENS_REC_SMAPS)
			memcpy(&process->sums, rec, sizeof(process->sums));
	mmlens_stats_add(stats, mmlens_stream_stats(stream));
	mmlens_stream_close(stream);
	if (!ret)
		process->known |= MMLENS_SAMPLE_SUMS;
	return ret;
}

static int read_process(struct mmlens *lens,
			struct mmlens_sample_process *process,
			const struct mmlens_target *target, unsigned int flags,
			struct mmlens_stats *stats)
{
	int ret = read_counters(process, target);

	if (!ret && flags & MMLENS_SAMPLE_SUMS)
		ret = read_sums(lens, process, stats);
	if (!ret && flags & MMLENS_SAMPLE_LRU)
		ret = mml_sample_lru(lens, process, stats);
	return ret;
}

static bool is_about_process(int error)
{
	return error == -ESRCH || error == -ENXIO || error == -ESTALE;
}

/*
 * A process that executes another program loses its address space while it is
 * walked; if it does so twice it is shown without what the walks would tell.
 */
static int sample_process(struct mmlens *lens,
			  struct mmlens_sample_process *process,
			  const struct mmlens_target *target,
			  unsigned int flags, struct mmlens_stats *stats)
{
	int ret = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		ret = read_process(lens, process, target, flags, stats);
		if (!is_about_process(ret))
			return ret;
	}
	ret = read_counters(process, target);
	if (!is_about_process(ret))
		return ret;
	*process = (struct mmlens_sample_process) {
		.pid = target->pid,
		.exited = true,
	};
	return 0;
}

/* ---- zones ---- */

static void take_zone(struct mmlens_sample_zone *to,
		      const struct mmlens_memnode *node,
		      const struct mmlens_zone_state *state)
{
	const struct mmlens_zone *zone = &state->zone;

	*to = (struct mmlens_sample_zone) {
		.node = zone->node,
		.kswapd_runs = !(node->flags & MMLENS_NODE_KSWAPD_SLEEPS),
		.free = zone->free,
		.min = zone->min,
		.low = zone->low,
		.high = zone->high,
		.orders = state->free.count,
	};
	memcpy(to->name, zone->name, sizeof(to->name));
	if (to->orders > MMLENS_SAMPLE_ORDERS)
		to->orders = MMLENS_SAMPLE_ORDERS;
	for (size_t i = 0; i < to->orders; i++)
		to->blocks[i] = state->free.value[i];
}

static int take_zones(struct mmlens_sample *sample,
		      const struct mmlens_node_state *node)
{
	for (size_t i = 0; i < node->zone_count; i++) {
		struct mmlens_sample_zone *all;

		if (!(node->zones[i].zone.flags & MMLENS_ZONE_POPULATED))
			continue;
		all = mmlens_grown(sample->zones, sample->zone_count,
				   sizeof(*all));
		if (!all)
			return -ENOMEM;
		sample->zones = all;
		take_zone(&all[sample->zone_count++], &node->node,
			  &node->zones[i]);
	}
	return 0;
}

static int read_zones(struct mmlens *lens, struct mmlens_sample *sample)
{
	struct mmlens_zones *zones = mmlens_zones_read(lens);
	int ret = 0;

	if (!zones)
		return -errno;
	for (size_t i = 0; i < zones->count && !ret; i++)
		ret = take_zones(sample, &zones->nodes[i]);
	mmlens_stats_add(&sample->stats, &zones->stats);
	mmlens_zones_free(zones);
	return ret;
}

/* ---- all of it ---- */

struct mmlens_sample *mmlens_sample_read(struct mmlens *lens,
					 const struct mmlens_target *targets,
					 size_t count, unsigned int flags)
{
	struct mmlens_sample *sample = calloc(1, sizeof(*sample));
	int ret = 0;

	if (!sample)
		return NULL;
	sample->time_ns = clock_ns(CLOCK_REALTIME);
	sample->at_ns = clock_ns(CLOCK_MONOTONIC);
	sample->processes = calloc(count + 1, sizeof(*sample->processes));
	if (!sample->processes)
		ret = -ENOMEM;
	for (size_t i = 0; i < count && !ret; i++) {
		ret = sample_process(lens, &sample->processes[i], &targets[i],
				     flags, &sample->stats);
		sample->process_count++;
	}
	if (!ret && flags & MMLENS_SAMPLE_ZONES)
		ret = read_zones(lens, sample);
	sample->cost_ns = clock_ns(CLOCK_MONOTONIC) - sample->at_ns;
	if (!ret)
		return sample;
	mmlens_sample_free(sample);
	errno = -ret;
	return NULL;
}

void mmlens_sample_free(struct mmlens_sample *sample)
{
	if (!sample)
		return;
	free(sample->processes);
	free(sample->zones);
	free(sample);
}

/* ---- accessed bits ---- */

/* The file stays that of the process that it was opened of. */
static int clear_through(int fd, const struct mmlens_target *target)
{
	struct stat_line line = {};
	int ret = read_stat(target->pid, &line);

	if (!ret && line.start != target->start)
		ret = -ESRCH;
	if (!ret && write(fd, "1", 1) != 1)
		ret = -errno;
	return ret;
}

int mmlens_accessed_clear(const struct mmlens_target *target,
			  uint64_t *cost_ns)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", target->pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ret = clear_through(fd, target);
	close(fd);
	*cost_ns = clock_ns(CLOCK_MONOTONIC) - begun;
	return ret;
}
