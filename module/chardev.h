/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MML_CHARDEV_H
#define MML_CHARDEV_H

int mml_chardev_init(void);
void mml_chardev_exit(void);

#endif
