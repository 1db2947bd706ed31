// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading the module while users arrive at each of its doors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "races.h"

#define DEBUGFS	"/sys/kernel/debug/mmlens/"

static const char *const doors[] = {
	MMLENS_DEVICE, DEBUGFS "maps", DEBUGFS "zones", DEBUGFS "target",
	DEBUGFS "ledger",
};
#define DOORS	(sizeof(doors) / sizeof(*doors))

/* In memory that all share. */
struct arrivals {
	uint64_t opened;
	uint64_t answered;
	uint64_t wrong;
};

static struct arrivals *arrivals;

/* What is open is answered, however soon the module wants to go. */
static void arrive(unsigned int number)
{
	struct arrivals *mine = &arrivals[number];

	for (;;) {
		struct mmlens_info info = { .size = sizeof(info) };
		int fd = open(doors[number], O_RDONLY | O_CLOEXEC);
		char text[16];
		bool good;

		if (fd < 0) {
			usleep(200);
			continue;
		}
		mine->opened++;
		if (number)
			good = read(fd, text, sizeof(text)) > 0 &&
			       !memcmp(text, "mmlens 1", 8);
		else
			good = !ioctl(fd, MMLENS_INFO, &info) &&
			       info.abi == MMLENS_ABI;
		/* A file of debugfs that goes while it is read says so. */
		if (good)
			mine->answered++;
		else if (!number || errno != EIO)
			mine->wrong++;
		close(fd);
		usleep(200);
	}
}

static bool load(int fd)
{
	if (!syscall(SYS_finit_module, fd, "", 0))
		return true;
	printf("failed load: %s\n", strerror(errno));
	return false;
}

/* Refused while somebody is inside. */
static bool unload(uint64_t *refused)
{
	for (int i = 0; i < 100000; i++) {
		if (!syscall(SYS_delete_module, "mmlens", O_NONBLOCK))
			return true;
		if (errno != EWOULDBLOCK && errno != EBUSY)
			break;
		++*refused;
		usleep(100);
	}
	printf("failed unload: %s\n", strerror(errno));
	return false;
}

int cycles(const char *module, unsigned int count)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC);
	uint64_t refused = 0, opened = 0, answered = 0, wrong = 0;
	unsigned int done;
	pid_t pids[DOORS];

	arrivals = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || arrivals == MAP_FAILED) {
		perror(module);
		return 2;
	}
	for (size_t i = 0; i < DOORS; i++) {
		pids[i] = bound_fork();
		if (!pids[i])
			arrive(i);
	}
	for (done = 0; done < count; done++) {
		if (!load(fd))
			break;
		usleep(any(5000));
		if (!unload(&refused))
			break;
	}
	for (size_t i = 0; i < DOORS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
		opened += arrivals[i].opened;
		answered += arrivals[i].answered;
		wrong += arrivals[i].wrong;
	}
	printf("cycles %u, %llu unloads refused, %llu arrivals, %llu answered, %llu wrong\n",
	       done, (unsigned long long)refused, (unsigned long long)opened,
	       (unsigned long long)answered, (unsigned long long)wrong);
	return done < count || wrong;
}
