// SPDX-License-Identifier: LGPL-2.1-or-later
/* The connection: a transport and what the module behind it says it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

static int device_ioctl(void *context, unsigned long request, void *arg)
{
	if (ioctl((int)(intptr_t)context, request, arg) < 0)
		return -errno;
	return 0;
}

static void device_close(void *context)
{
	close((int)(intptr_t)context);
}

const struct mmlens_transport mmlens_device_transport = {
	.ioctl = device_ioctl,
	.close = device_close,
};

bool mmlens_info_is_sane(const struct mmlens_info *info)
{
	if (!info->abi)
		return false;
	if (info->page_shift < 12 || info->page_shift > 16)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(info->level_shift); i++)
		if (info->level_shift[i] > 63)
			return false;
	return info->level_shift[MMLENS_LEVEL_PTE] == info->page_shift;
}

static int ask_info(struct mmlens *lens)
{
	struct mmlens_info *info = &lens->info;
	int ret;

	info->size = sizeof(*info);
	ret = lens->ops->ioctl(lens->context, MMLENS_INFO, info);
	if (ret)
		return ret;
	info->version[sizeof(info->version) - 1] = '\0';
	info->release[sizeof(info->release) - 1] = '\0';
	return mmlens_info_is_sane(info) ? 0 : -EPROTO;
}

struct mmlens *mmlens_open_transport(const struct mmlens_transport *ops,
				     void *context)
{
	struct mmlens *lens = calloc(1, sizeof(*lens));
	int ret = -ENOMEM;

	if (!lens)
		goto err_close;
	lens->ops = ops;
	lens->context = context;
	ret = ask_info(lens);
	if (ret)
		goto err_free;
	return lens;

err_free:
	free(lens);
err_close:
	if (ops->close)
		ops->close(context);
	errno = -ret;
	return NULL;
}

struct mmlens *mmlens_open(const char *device)
{
	int fd = open(device ? device : MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	return mmlens_open_transport(&mmlens_device_transport,
				     (void *)(intptr_t)fd);
}

void mmlens_close(struct mmlens *lens)
{
	if (!lens)
		return;
	if (lens->ops->close)
		lens->ops->close(lens->context);
	free(lens);
}

const struct mmlens_info *mmlens_get_info(const struct mmlens *lens)
{
	return &lens->info;
}

bool mmlens_has_query(const struct mmlens *lens, unsigned int nr)
{
	return nr < 64 && lens->info.queries >> nr & 1;
}

bool mmlens_has_effective(const struct mmlens_info *info)
{
	return info->abi >= 2;
}

void *mmlens_grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

const char *mmlens_lib_version(void)
{
	return MMLENS_VERSION;
}
