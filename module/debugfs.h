/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MML_DEBUGFS_H
#define MML_DEBUGFS_H

void mml_debugfs_init(void);
void mml_debugfs_exit(void);

#endif
