/* SPDX-License-Identifier: GPL-2.0-only */
/* VMA records, for all walks that emit them. */
#ifndef MML_VMA_H
#define MML_VMA_H

#include "core.h"

bool mml_emit_vma(struct mml_walk *walk, struct vm_area_struct *vma);

/* Room that mml_emit_vma() may need. */
#define MML_VMA_ROOM	(sizeof(struct mmlens_vma) + \
			 sizeof(struct mmlens_name) + MML_NAME_SIZE + 32)

#endif
