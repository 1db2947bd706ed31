/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MML_INFO_H
#define MML_INFO_H

#include "uapi/mmlens.h"

void mml_info_fill(struct mmlens_info *info);

#endif
