// SPDX-License-Identifier: GPL-2.0-only
/* What small objects of the kernel take, in the ledger. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "experiments.h"

#define OBJECTS	16384
/* Less than that can't be: struct file, its dentry, the counter. */
#define EACH	(256 + 128 + 32)

static int *held;

/* Each is a struct file, a dentry and a counter of the kernel's. */
static int64_t work_open(uint64_t count, uint64_t b, uint64_t c)
{
	const struct rlimit limit = { count + 64, count + 64 };

	(void)b;
	(void)c;
	held = calloc(count, sizeof(*held));
	if (!held || setrlimit(RLIMIT_NOFILE, &limit))
		return held ? -errno : -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		held[i] = eventfd(0, 0);
		if (held[i] < 0)
			return -errno;
	}
	return (int64_t)count;
}

static int64_t work_close(uint64_t count, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	for (uint64_t i = 0; i < count; i++)
		close(held[i]);
	free(held);
	return 0;
}

/**
 * struct look - What slabs take.
 * @ledger:	pages in that bucket
 * @vmstat:	pages by the kernel's count, which has large kmalloc() in it, too
 * @charged:	bytes of the memory cgroup
 * @files:	files that are open on the machine
 */
struct look {
	uint64_t ledger;
	uint64_t vmstat;
	uint64_t charged;
	uint64_t files;
};

static struct look look_at(struct lab *lab)
{
	struct look l = {};

	/* What is counted by CPU comes together, and what is freed is. */
	lab_sleep(lab, 2.2);
	l.files = lab_file_number("/proc/sys/fs/file-nr");
	l.charged = lab_group_stat(lab, "slab");
	l.vmstat = lab_vmstat("nr_slab_reclaimable") +
		   lab_vmstat("nr_slab_unreclaimable");
	l.ledger = lab_in_ledger(lab, MMLENS_BUCKET_SLAB);
	return l;
}

static void show(struct lab *lab, const struct look *a, const struct look *b)
{
	lab_number(lab, "open files", "/proc/sys/fs/file-nr", LAB_COUNT,
		   a->files, b->files);
	lab_number(lab, "pages of slabs in the ledger", NULL, LAB_PAGES,
		   a->ledger, b->ledger);
	lab_number(lab, "nr_slab_*reclaimable", "/proc/vmstat", LAB_PAGES,
		   a->vmstat, b->vmstat);
	if (lab->group.kind == LAB_GROUP_V2)
		lab_number(lab, "slab", "memory.stat", LAB_BYTES, a->charged,
			   b->charged);
}

static void run(struct lab *lab)
{
	struct look before, held_open, closed;
	uint64_t grown, least = OBJECTS * EACH / LAB_PAGE, resident[2];

	lab_start(lab);
	lab_step(lab, "A process opens %d eventfds: no page of its own, but three small objects of the kernel each",
		 OBJECTS);
	resident[0] = lab_status(lab_pid(lab, 0), "RssAnon");
	before = look_at(lab);
	lab_do(lab, 0, work_open, OBJECTS, 0, 0);
	held_open = look_at(lab);
	resident[1] = lab_status(lab_pid(lab, 0), "RssAnon");
	show(lab, &before, &held_open);
	lab_number(lab, "RssAnon", "/proc/PID/status", LAB_BYTES, resident[0],
		   resident[1]);
	grown = held_open.ledger > before.ledger ?
		held_open.ledger - before.ledger : 0;
	lab_pair(lab, "pages that came", "/proc/vmstat", LAB_PAGES, grown,
		 held_open.vmstat - before.vmstat, grown / 8 + 64);
	lab_expect(lab, grown >= least,
		   "The ledger has %" PRIu64 " pages more in slabs: about %" PRIu64 " bytes for each. Objects of one kind stand side by side in pages that the slab allocator takes from the buddy allocator.",
		   grown, grown * LAB_PAGE / OBJECTS);
	lab_expect(lab, (resident[1] - resident[0]) < grown * LAB_PAGE / 4,
		   "The process's RSS says nothing of it.");
	if (lab->group.kind == LAB_GROUP_V2)
		lab_expect(lab, held_open.charged - before.charged >=
				least * LAB_PAGE / 2,
			   "But its memory cgroup is charged for them.");

	lab_step(lab, "It closes them");
	lab_do(lab, 0, work_close, OBJECTS, 0, 0);
	closed = look_at(lab);
	show(lab, &held_open, &closed);
	lab_expect(lab, closed.ledger < held_open.ledger &&
		   held_open.ledger - closed.ledger >= grown / 2,
		   "Pages whose objects were all freed went back to the buddy allocator.");
}

const struct lab_experiment lab_slab = {
	.name = "slab",
	.summary = "where small objects of the kernel land in the ledger",
	.plan = "A process opens 16384 eventfds, which take about 10 MiB of the kernel's memory, and closes them. All page frames are looked at before and after.",
	.queries = LAB_LOOKS | LAB_QUERY(MMLENS_NR_PAGES) |
		   LAB_QUERY(MMLENS_NR_FREE),
	.limit = 128 * MIB,
	.run = run,
};
