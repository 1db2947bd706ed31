// SPDX-License-Identifier: GPL-2.0-only
/* The experiments that there are. */
#include "experiments.h"

const struct lab_experiment *const lab_experiments[] = {
	&lab_lazy,
	&lab_cow,
	&lab_pageout,
	&lab_dirty,
	&lab_accessed,
	&lab_walk,
	&lab_kpti,
	&lab_zones,
	&lab_buddy,
	&lab_swap,
	&lab_hugepages,
	&lab_kernelmap,
	&lab_slab,
	&lab_vmalloc,
	NULL,
};
