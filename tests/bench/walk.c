// SPDX-License-Identifier: GPL-2.0-only
/* Walks with the module, without the library. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "bench.h"

uint64_t walk_max_hold_ns;
uint64_t walk_restarts;

/* As libmmlens: one buffer that is used again for each call. */
static char buffer[64 << 10] __attribute__((aligned(4096)));

int open_device(void)
{
	int fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(MMLENS_DEVICE);
	return fd;
}

/* Entries in the records of one call. */
static uint64_t count_entries(uint64_t written)
{
	uint64_t at, entries = 0;

	for (at = 0; at < written;) {
		const struct mmlens_record *rec = (void *)(buffer + at);

		if (rec->type == MMLENS_REC_RUN)
			entries += ((const struct mmlens_run *)rec)->count;
		else if (rec->type == MMLENS_REC_PAGE)
			entries += ((const struct mmlens_page *)rec)->count;
		else if (rec->type == MMLENS_REC_PFNS)
			entries += ((const struct mmlens_pfns *)rec)->count;
		else if (rec->type == MMLENS_REC_USER)
			entries += ((const struct mmlens_user *)rec)->count;
		else
			entries++;
		at += rec->size;
	}
	return entries;
}

static uint64_t walk_to_end(unsigned long request, struct mmlens_walk *w)
{
	static int fd = -1;
	uint64_t entries = 0;

	if (fd < 0)
		fd = open_device();
	w->size = sizeof(*w);
	w->buffer = (uintptr_t)buffer;
	w->buffer_size = sizeof(buffer);
	do {
		if (ioctl(fd, request, w))
			die("ioctl");
		entries += count_entries(w->written);
		walk_restarts += w->restarts;
		if (w->max_hold_ns > walk_max_hold_ns)
			walk_max_hold_ns = w->max_hold_ns;
	} while (!(w->status & MMLENS_STATUS_DONE));
	return entries;
}

/* Walk the target's range to its end; returns the number of entries. */
uint64_t walk(unsigned long request, const struct target *target,
	      uint32_t flags)
{
	struct mmlens_walk w = {
		.flags = flags,
		.pid = target->pid,
		.start = target->start,
		.end = target->start + target->size,
	};

	return walk_to_end(request, &w);
}

/* All of a process, or with 0 what a query of the machine is about. */
uint64_t walk_process(unsigned long request, pid_t pid, uint32_t flags)
{
	struct mmlens_walk w = { .flags = flags, .pid = pid };

	return walk_to_end(request, &w);
}

/* Of page frames from @start to before @end. */
uint64_t walk_frames(unsigned long request, uint64_t start, uint64_t end)
{
	struct mmlens_walk w = { .start = start, .end = end };

	return walk_to_end(request, &w);
}
