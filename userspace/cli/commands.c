// SPDX-License-Identifier: GPL-2.0-only
/* Names of processes, all read at once. */
#include <errno.h>
#include <stdlib.h>

#include "cli.h"

static int commands_add(struct commands *commands,
			const struct mmlens_proc *proc)
{
	size_t n = commands->count;
	struct mmlens_proc *procs = commands->procs;

	if (!(n & (n - 1))) {
		procs = reallocarray(procs, n ? 2 * n : 1, sizeof(*procs));
		if (!procs)
			return -ENOMEM;
		commands->procs = procs;
	}
	procs[n] = *proc;
	commands->count++;
	return 0;
}

int commands_read(struct commands *commands, struct mmlens *lens)
{
	const struct mmlens_process_sums *sums;
	struct mmlens_procs *procs = mmlens_procs_open(lens, 0);
	int ret;

	if (!procs)
		return -errno;
	while ((ret = mmlens_procs_next(procs, &sums)) > 0) {
		ret = commands_add(commands, sums->proc);
		if (ret)
			break;
	}
	mmlens_procs_close(procs);
	return ret;
}

static int compare_pids(const void *key, const void *member)
{
	const struct mmlens_proc *proc = member;
	int pid = *(const int *)key;

	return pid < proc->pid ? -1 : pid > proc->pid;
}

const char *commands_name(const struct commands *commands, int pid)
{
	const struct mmlens_proc *proc;

	if (!commands->count)
		return NULL;
	proc = bsearch(&pid, commands->procs, commands->count,
		       sizeof(*commands->procs), compare_pids);
	return proc ? proc->comm : NULL;
}

void commands_free(struct commands *commands)
{
	free(commands->procs);
}
