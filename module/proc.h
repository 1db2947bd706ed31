/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding processes, for all walks over them. */
#ifndef MML_PROC_H
#define MML_PROC_H

#include <linux/sched.h>

/* Processes that one step looks at. */
#define MML_STEP_PROCS	32

struct task_struct *mml_procs_find(int *nr);

#endif
