// SPDX-License-Identifier: GPL-2.0-only
/* mmlens trace -- COMMAND: a child that waits until it is traced. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* As a shell: couldn't be executed, wasn't found. */
#define NOT_EXECUTED	126
#define NOT_FOUND	127

static _Noreturn void be_child(int hold, char **argv)
{
	char go;

	if (read(hold, &go, 1) != 1)
		_exit(NOT_EXECUTED);
	execvp(argv[0], argv);
	cli_error("%s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? NOT_FOUND : NOT_EXECUTED);
}

int trace_child_start(struct trace_child *child, char **argv)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (!child->pid) {
		close(ends[1]);
		be_child(ends[0], argv);
	}
	close(ends[0]);
	if (child->pid > 0) {
		child->hold = ends[1];
		return 0;
	}
	child->pid = 0;
	close(ends[1]);
	return -errno;
}

void trace_child_go(struct trace_child *child)
{
	/* A child that is gone is found out afterwards. */
	if (write(child->hold, "", 1) == 1)
		errno = 0;
	close(child->hold);
}

void trace_child_cancel(struct trace_child *child)
{
	close(child->hold);
	waitpid(child->pid, NULL, 0);
}

bool trace_child_ran(struct trace_child *child)
{
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return true;
	return !WIFEXITED(status) || (WEXITSTATUS(status) != NOT_EXECUTED &&
				      WEXITSTATUS(status) != NOT_FOUND);
}
