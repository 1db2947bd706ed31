// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workloads: forked from this process, so that a function has the same address
 * on both sides.  What one is told comes through a socket, and its answer when
 * it is done; in between it only waits, and its memory stands still.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

struct order {
	lab_work work;
	uint64_t argument[3];
};

/* ---- in the workload ---- */

/* The other end of the second process's socket, for when it is forked. */
static int second_end;

static _Noreturn void serve(int fd)
{
	struct order o;
	int64_t result;

	while (read(fd, &o, sizeof(o)) == (ssize_t)sizeof(o)) {
		result = o.work(o.argument[0], o.argument[1], o.argument[2]);
		if (write(fd, &result, sizeof(result)) != sizeof(result))
			break;
	}
	_exit(0);
}

/* It dies with its parent, and before others when memory runs out. */
static void settle(int parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	lab_write("/proc/self/oom_score_adj", "1000");
}

/* ^C is for the experiment, which ends its workload. */
static void ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static int64_t work_fork(uint64_t a, uint64_t b, uint64_t c)
{
	int parent = getpid();
	int pid = fork();

	(void)a;
	(void)b;
	(void)c;
	if (!pid) {
		settle(parent);
		serve(second_end);
	}
	return pid < 0 ? -errno : pid;
}

/* ---- in the experiment ---- */

int lab_pid(const struct lab *lab, unsigned int worker)
{
	return lab->worker[worker].pid;
}

static bool open_sockets(struct lab *lab)
{
	for (size_t i = 0; i < LAB_WORKERS; i++) {
		int *ends = lab->worker[i].ends;

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       ends)) {
			lab_fail(lab, errno, "socketpair");
			return false;
		}
	}
	return true;
}

static void close_end(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = 0;
}

static _Noreturn void be_worker(struct lab *lab, int parent)
{
	settle(parent);
	ignore_signals();
	second_end = lab->worker[1].ends[1];
	close(lab->worker[0].ends[0]);
	close(lab->worker[1].ends[0]);
	serve(lab->worker[0].ends[1]);
}

void lab_start(struct lab *lab)
{
	struct lab_worker *w = &lab->worker[0];
	int parent = getpid();

	if (!lab_goes_on(lab) || !open_sockets(lab))
		return;
	fflush(NULL);
	w->pid = fork();
	if (!w->pid)
		be_worker(lab, parent);
	if (w->pid < 0) {
		w->pid = 0;
		lab_fail(lab, errno, "fork");
		return;
	}
	close_end(&w->ends[1]);
	lab_group_enter(lab, w->pid);
}

void lab_fork(struct lab *lab)
{
	int64_t pid = lab_do(lab, 0, work_fork, 0, 0, 0);

	lab->worker[1].pid = pid;
	/* From here on, its death is seen. */
	close_end(&lab->worker[1].ends[1]);
}

/* Until there is an answer, or a signal. */
static int wait_for(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	sigset_t ours, before;
	int ret = 0;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	/* Signals come while it waits and not between the question and that. */
	sigprocmask(SIG_BLOCK, &ours, &before);
	if (!lab_interrupted())
		ret = ppoll(&input, 1, NULL, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret > 0 ? 0 : -EINTR;
}

int64_t lab_try(struct lab *lab, unsigned int worker, lab_work work, uint64_t a,
		uint64_t b, uint64_t c)
{
	const struct order o = { .work = work, .argument = { a, b, c } };
	int fd = lab->worker[worker].ends[0];
	int64_t result;
	ssize_t n;

	if (!lab_goes_on(lab) || !lab->worker[worker].pid)
		return 0;
	if (send(fd, &o, sizeof(o), MSG_NOSIGNAL) != (ssize_t)sizeof(o))
		return -EPIPE;
	if (wait_for(fd)) {
		lab_goes_on(lab);
		return -EINTR;
	}
	n = read(fd, &result, sizeof(result));
	return n == (ssize_t)sizeof(result) ? result : -EPIPE;
}

int64_t lab_do(struct lab *lab, unsigned int worker, lab_work work, uint64_t a,
	       uint64_t b, uint64_t c)
{
	int64_t result = lab_try(lab, worker, work, a, b, c);

	if (result == -EPIPE)
		lab_fail(lab, 0, "the workload died");
	else if (result < 0 && result >= -4095)
		lab_fail(lab, (int)result, "the workload");
	return lab_goes_on(lab) ? result : 0;
}

int lab_killed_by(struct lab *lab)
{
	int status, pid = lab->worker[0].pid;

	if (!pid || waitpid(pid, &status, 0) != pid)
		return 0;
	lab->worker[0].pid = 0;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* The second one is the first one's child, which goes after it. */
void lab_workers_end(struct lab *lab)
{
	if (lab->worker[1].pid > 0)
		kill(lab->worker[1].pid, SIGKILL);
	lab->worker[1].pid = 0;
	if (lab->worker[0].pid > 0) {
		kill(lab->worker[0].pid, SIGKILL);
		waitpid(lab->worker[0].pid, NULL, 0);
	}
	lab->worker[0].pid = 0;
	for (size_t i = 0; i < LAB_WORKERS; i++) {
		close_end(&lab->worker[i].ends[0]);
		close_end(&lab->worker[i].ends[1]);
	}
}
