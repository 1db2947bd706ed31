/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of trace.bpf.c, and what each needs of the kernel. */
#ifndef MMLENS_TRACE_PROGRAMS_H
#define MMLENS_TRACE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_facts.h"

/* The hooks, a bit each, that this kernel has a program for. */
uint64_t programs_present(const struct kernel_facts *facts);
/* Is this program one of those @hooks need here? */
bool programs_wanted(const struct kernel_facts *facts, const char *name,
		     uint64_t hooks, bool follow);

/* Names that programs need: each in turn, NULL behind the last. */
const char *programs_need(size_t i);

#endif
