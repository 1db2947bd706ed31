/* SPDX-License-Identifier: GPL-2.0-only */
/* One file each. */
#ifndef MMLENS_LAB_EXPERIMENTS_H
#define MMLENS_LAB_EXPERIMENTS_H

#include "lab.h"

#define LAB_QUERY(nr)	(1ull << (nr))
/* What all of them look at. */
#define LAB_LOOKS \
	(LAB_QUERY(MMLENS_NR_PTES) | LAB_QUERY(MMLENS_NR_SMAPS) | \
	 LAB_QUERY(MMLENS_NR_VTOP))

extern const struct lab_experiment lab_lazy, lab_cow, lab_dirty, lab_pageout;
extern const struct lab_experiment lab_accessed, lab_walk, lab_kpti, lab_zones;
extern const struct lab_experiment lab_buddy, lab_swap, lab_hugepages;
extern const struct lab_experiment lab_kernelmap, lab_slab, lab_vmalloc;

#endif
