// SPDX-License-Identifier: GPL-2.0-only
/* Commands as a user runs them; what they print is read and dropped. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static char buffer[64 << 10];

static void execute(const char *const argv[], int output)
{
	if (dup2(output, 1) < 0)
		_exit(127);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/*
 * Bytes that it printed.  @peak_rss: bytes of memory that it needed.  Fork and
 * not vfork: a process's peak counts what it was before it executed anything.
 */
uint64_t run_command(const char *const argv[], uint64_t *peak_rss)
{
	struct rusage usage;
	uint64_t bytes = 0;
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(pipes))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		execute(argv, pipes[1]);
	close(pipes[1]);
	while ((n = read(pipes[0], buffer, sizeof(buffer))) > 0)
		bytes += n;
	close(pipes[0]);
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: %s %s: status %#x\n", argv[0], argv[1],
			status);
		exit(1);
	}
	if (peak_rss)
		*peak_rss = usage.ru_maxrss * KIB;
	return bytes;
}
