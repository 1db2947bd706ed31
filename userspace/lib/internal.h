/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libmmlens share and keep to themselves. */
#ifndef MMLENS_LIB_INTERNAL_H
#define MMLENS_LIB_INTERNAL_H

#include "libmmlens.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct mmlens {
	const struct mmlens_transport *ops;
	void *context;
	struct mmlens_info info;
};

/* The ioctl on a device; the context is its descriptor. */
extern const struct mmlens_transport mmlens_device_transport;

/*
 * The gate area of @pid, if /proc/PID/maps shows one.  Returns false without.
 * @name must hold MMLENS_GATE_NAME bytes.
 */
#define MMLENS_GATE_NAME 32
bool mmlens_gate_find(int pid, struct mmlens_vma *vma, char *name);

#endif
