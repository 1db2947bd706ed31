/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MMLENS_TEST_PROC_TRANSPORT_H
#define MMLENS_TEST_PROC_TRANSPORT_H

#include "libmmlens.h"

/* A connection to /proc, as far as that goes. */
struct mmlens *proc_open(void);

/* Its answer to MMLENS_PROCS. */
int proc_procs(struct mmlens_walk *walk);

#endif
