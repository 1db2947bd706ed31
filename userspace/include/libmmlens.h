/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmmlens: what a program needs to ask the mmlens kernel module.
 *
 * The library gathers: it opens a transport, asks it, checks what comes back
 * and hands out plain records.  It never prints and never exits.  A function
 * that returns int returns 0 or more, or a negative errno; one that returns a
 * pointer returns NULL and sets errno.  Nothing here is synchronised: use one
 * &struct mmlens per thread.
 *
 * The records and their fields are described in the contract, mmlens.h.
 */
#ifndef LIBMMLENS_H
#define LIBMMLENS_H

#include "libmmlens_connection.h"
#include "libmmlens_process.h"
#include "libmmlens_memory.h"
#include "libmmlens_lru.h"
#include "libmmlens_kernel.h"
#include "libmmlens_names.h"
#include "libmmlens_capture.h"

#endif /* LIBMMLENS_H */
