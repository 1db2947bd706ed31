// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. */
#include <linux/module.h>

#include "chardev.h"
#include "core.h"
#include "debugfs.h"

static int __init mml_init(void)
{
	int err;

	mml_core_init();
	mml_debugfs_init();
	err = mml_chardev_init();
	if (err)
		goto err_debugfs;
	return 0;

err_debugfs:
	mml_debugfs_exit();
	return err;
}

static void __exit mml_exit(void)
{
	mml_chardev_exit();
	mml_debugfs_exit();
}

module_init(mml_init);
module_exit(mml_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(MMLENS_VERSION);
MODULE_DESCRIPTION("Shows page tables, zones, free lists and LRU lists as they are");
MODULE_AUTHOR("The mmlens developers");
