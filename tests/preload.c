// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands between the reader and the module, and makes the module one of
 * another version. MMLENS_TEST says which:
 *	newer	a later contract, with queries, fields, flags and types of
 *		record that the reader doesn't know
 *	older	its structures are shorter than the reader's
 *	fewer	it lacks all queries but the first
 *	other	it isn't mmlens at all
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mmlens.h"

typedef int (*ioctl_function)(int fd, unsigned long request, ...);

static int fail(int error)
{
	errno = error;
	return -1;
}

static void newer_info(struct mmlens_info *info)
{
	info->abi = MMLENS_ABI + 1;
	info->queries |= 0xff00;
	info->fields |= 0xff00;
}

/* A record of a type that is yet to be invented, ahead of all others. */
static void newer_records(struct mmlens_walk *walk)
{
	const struct mmlens_record unknown = {
		.size = 40, .type = 200, .level = 0,
	};
	char *buffer = (char *)(unsigned long)walk->buffer;

	if (walk->written + unknown.size > walk->buffer_size)
		return;
	memmove(buffer + unknown.size, buffer, walk->written);
	memset(buffer, 0xee, unknown.size);
	memcpy(buffer, &unknown, sizeof(unknown));
	walk->written += unknown.size;
	walk->records++;
}

static int as_newer(ioctl_function real, int fd, unsigned long request,
		    void *arg)
{
	int ret = real(fd, request, arg);

	if (ret)
		return ret;
	if (request == MMLENS_INFO)
		newer_info(arg);
	else
		newer_records(arg);
	return 0;
}

static int as_fewer(ioctl_function real, int fd, unsigned long request,
		    void *arg)
{
	int ret = real(fd, request, arg);

	if (!ret && request == MMLENS_INFO)
		((struct mmlens_info *)arg)->queries &= 1;
	return ret;
}

int ioctl(int fd, unsigned long request, ...)
{
	ioctl_function real = (ioctl_function)dlsym(RTLD_NEXT, "ioctl");
	const char *which = getenv("MMLENS_TEST");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != MMLENS_IOC || !which)
		return real(fd, request, arg);
	if (!strcmp(which, "newer"))
		return as_newer(real, fd, request, arg);
	if (!strcmp(which, "older"))
		return fail(E2BIG);
	if (!strcmp(which, "fewer"))
		return as_fewer(real, fd, request, arg);
	if (!strcmp(which, "other"))
		return fail(ENOTTY);
	return real(fd, request, arg);
}
