// SPDX-License-Identifier: GPL-2.0-only
/*
 * workload kinds DIRECTORY	every kind of entry; files go to DIRECTORY
 * workload bulk BYTES		BYTES of anonymous 4 KiB pages, all written
 * workload vmas COUNT		COUNT VMAs, half of them with a page
 * workload policies DIRECTORY	memory policies
 * workload eligible WHAT DIRECTORY...	VMAs for settings of huge pages; WHAT: the
 *				flags of PR_SET_THP_DISABLE, -1 for none
 * workload numa		memory of the other node; doesn't wait, but spins
 * workload path DIRECTORY	a file with a very long path
 * workload steps DIRECTORY	what standard input asks for, see steps.c
 *
 * Prints the manifest, one line a region,
 *	region NAME START END
 *	missing NAME REASON
 * then "ready", and waits until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

const char *workload_directory;

static const struct kind *const tables[] = {
	plain_kinds, file_kinds, huge_kinds,
	shared_kinds, swap_kinds, uffd_kinds,
};

static void make(enum phase phase)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (const struct kind *k = tables[i]; k->name; k++) {
			const char *reason;

			if (k->phase != phase)
				continue;
			reason = k->make();
			if (reason)
				printf("missing %s %s\n", k->name, reason);
		}
	}
}

static void write_clear_refs(const char *what)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, what, strlen(what)) < 0)
		die("/proc/self/clear_refs");
	close(fd);
}

/* The child shares all that was made so far and then sleeps. */
static void fork_child(void)
{
	int done[2];
	char byte;

	if (pipe(done))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "workload-child");
		shared_child();
		close(done[0]);
		close(done[1]);
		for (;;)
			pause();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 0)
		die("read");
	close(done[0]);
}

static void on_sigbus(int signal)
{
	(void)signal;	/* MADV_HWPOISON tells us that we lost the page */
}

static void make_kinds(void)
{
	struct sigaction bus = { .sa_handler = on_sigbus };

	sigaction(SIGBUS, &bus, NULL);
	make(PHASE_CLEAR);
	write_clear_refs("1");
	write_clear_refs("4");
	make(PHASE_CLEARED);
	make(PHASE_FORK);
	fork_child();
	make(PHASE_FORKED);
	make(PHASE_LAST);
}

static void make_bulk(size_t size)
{
	void *start = slot(size, READ_WRITE, ANON_PRIVATE, -1);

	madvise(start, size, MADV_NOHUGEPAGE);
	fill(start, size);
	region("bulk", start, size);
}

/*
 * Pages wait in a batch of their CPU before they stand on the LRU, from where
 * swap and KSM take them: stay on one CPU.
 */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	stay_on_one_cpu();
	if (argc == 3 && !strcmp(argv[1], "kinds")) {
		workload_directory = argv[2];
		make_kinds();
	} else if (argc == 3 && !strcmp(argv[1], "bulk")) {
		make_bulk(strtoull(argv[2], NULL, 0));
	} else if (argc == 3 && !strcmp(argv[1], "path")) {
		workload_directory = argv[2];
		if (make_long_path())
			return 1;
	} else if (argc == 3 && !strcmp(argv[1], "vmas")) {
		make_vmas(strtoull(argv[2], NULL, 0));
	} else if (argc == 3 && !strcmp(argv[1], "policies")) {
		workload_directory = argv[2];
		make_policies();
	} else if (argc > 3 && !strcmp(argv[1], "eligible")) {
		make_eligible(atoi(argv[2]), argc - 3, argv + 3);
	} else if (argc == 3 && !strcmp(argv[1], "steps")) {
		workload_directory = argv[2];
		make_steps();
	} else if (argc == 2 && !strcmp(argv[1], "numa")) {
		make_far_memory();
		printf("ready\n");
		spin();
	} else {
		fprintf(stderr,
			"usage: %s kinds DIRECTORY | bulk BYTES | vmas COUNT | "
			"policies DIRECTORY | eligible WHAT DIRECTORY... | "
			"path DIRECTORY | steps DIRECTORY | numa\n",
			argv[0]);
		return 2;
	}
	printf("ready\n");
	for (;;)
		pause();
}
