// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/mmlens: the contract of uapi/mmlens.h.
 *
 * Locking: a session's mutex serializes the callers of one descriptor.  User
 * memory is read and written with no other lock held.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "core.h"
#include "info.h"

/* The sizes of the structures in the first version of the contract. */
#define MML_INFO_SIZE_V1	160
#define MML_WALK_SIZE_V1	96

static int mml_open(struct inode *inode, struct file *file)
{
	struct mml_session *session;
	int err = mml_access_check();

	if (err)
		return err;
	session = mml_session_create();
	if (!session)
		return -ENOMEM;
	file->private_data = session;
	return nonseekable_open(inode, file);
}

static int mml_release(struct inode *inode, struct file *file)
{
	mml_session_destroy(file->private_data);
	return 0;
}

/*
 * Read a structure that begins with its size, as the caller knows it: what it
 * doesn't have is zero, what we don't know must be.
 */
static int mml_get_struct(void *dst, size_t size, size_t min_size,
			  const void __user *arg, u32 *usize)
{
	if (get_user(*usize, (const u32 __user *)arg))
		return -EFAULT;
	if (*usize < min_size)
		return -EINVAL;
	if (*usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(dst, size, arg, *usize);
}

static int mml_put_struct(void __user *arg, u32 usize, const void *src,
			  size_t size)
{
	if (copy_to_user(arg, src, min_t(size_t, usize, size)))
		return -EFAULT;
	return 0;
}

static int mml_ioctl_info(void __user *arg)
{
	struct mmlens_info in, info = {};
	u32 usize;
	int err;

	BUILD_BUG_ON(offsetof(struct mmlens_info, vma_bit) != MML_INFO_SIZE_V1);
	err = mml_get_struct(&in, sizeof(in), MML_INFO_SIZE_V1, arg, &usize);
	if (err)
		return err;
	if (in.flags)
		return -EINVAL;
	info.size = usize;
	mml_info_fill(&info);
	return mml_put_struct(arg, usize, &info, sizeof(info));
}

/* Take up the walk where the caller says that it stood. */
static int mml_walk_resume(struct mml_walk *walk,
			   const struct mmlens_walk *req)
{
	if (!req->cursor && !req->generation)
		return 0;
	if (!req->generation)
		return -EINVAL;
	if (!mml_walker_is_system(walk->walker) &&
	    (req->cursor < walk->start || req->cursor > walk->end ||
	     !PAGE_ALIGNED(req->cursor)))
		return -EINVAL;
	walk->cursor = req->cursor;
	walk->generation = req->generation;
	return 0;
}

static int mml_walk_from_user(struct mml_walk *walk,
			      const struct mml_walker *walker,
			      const struct mmlens_walk *req)
{
	int err;

	if (req->reserved)
		return -EINVAL;
	if (req->start > ULONG_MAX || req->end > ULONG_MAX ||
	    req->cursor > ULONG_MAX || req->buffer_size > LONG_MAX)
		return -EINVAL;
	if (req->buffer_size < MMLENS_BUFFER_MIN || req->buffer % 8)
		return -EINVAL;
	if (!access_ok(u64_to_user_ptr(req->buffer), req->buffer_size))
		return -EFAULT;
	err = mml_walk_init(walk, walker, req->pid, req->start, req->end,
			    req->flags);
	if (err)
		return err;
	return mml_walk_resume(walk, req);
}

/*
 * Records are multiples of 8 bytes, in the sink and in the aligned buffer of
 * the caller, so they go over as such.  Most steps write a few KiB, where this
 * is as fast as copy_to_user(), and much faster under emulation, which runs
 * the string instructions of that byte by byte.
 */
static int mml_records_to_user(u64 __user *dst, const struct mml_sink *sink)
{
	const u64 *src = (const u64 *)sink->buf;
	size_t n = sink->used / sizeof(u64), i;

	if (!user_write_access_begin(dst, sink->used))
		return -EFAULT;
	for (i = 0; i < n; i++)
		unsafe_put_user(src[i], dst + i, efault);
	user_write_access_end();
	return 0;

efault:
	user_write_access_end();
	return -EFAULT;
}

static int mml_walk_to_user(struct mml_walk *walk, struct mmlens_walk *req)
{
	struct mml_sink *sink = &walk->sink;
	u64 room = req->buffer_size;

	while (mml_walk_goes_on(walk, room)) {
		int err = mml_walk_step(walk, room);

		if (err)
			return err;
		err = mml_records_to_user(u64_to_user_ptr(req->buffer +
							  req->written), sink);
		if (err)
			return err;
		req->written += sink->used;
		req->records += sink->records;
		room -= sink->used;
		cond_resched();
	}
	return 0;
}

static int mml_walk_run(struct mml_session *session,
			const struct mml_walker *walker,
			struct mmlens_walk *req)
{
	struct mml_walk *walk = &session->walk;
	int err;

	err = mml_walk_from_user(walk, walker, req);
	if (err)
		return err;
	err = mml_walk_begin(walk);
	if (err)
		return err;
	req->written = 0;
	req->records = 0;
	err = mml_walk_to_user(walk, req);
	mml_walk_end(walk);
	mml_stats_add(walk, req->records);

	req->status = walk->done ? MMLENS_STATUS_DONE :
				   MMLENS_STATUS_TRUNCATED;
	req->cursor = walk->cursor;
	req->generation = walk->generation;
	req->restarts = walk->restarts;
	req->max_hold_ns = walk->max_hold_ns;
	return err;
}

static int mml_ioctl_walk(struct mml_session *session,
			  const struct mml_walker *walker, void __user *arg)
{
	struct mmlens_walk req;
	u32 usize;
	int err;

	BUILD_BUG_ON(sizeof(req) != MML_WALK_SIZE_V1);
	err = mml_get_struct(&req, sizeof(req), MML_WALK_SIZE_V1, arg, &usize);
	if (err)
		return err;
	if (mutex_lock_killable(&session->lock))
		return -EINTR;
	err = mml_walk_run(session, walker, &req);
	mutex_unlock(&session->lock);
	if (err)
		return err;
	req.size = usize;
	return mml_put_struct(arg, usize, &req, sizeof(req));
}

/*
 * A call is known by its type, number and direction.  The size in it is that
 * of the caller's headers, as is the structure's own, which counts.
 */
static long mml_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct mml_walker *walker;
	int err = mml_access_check();

	if (err)
		return err;
	if (_IOC_TYPE(cmd) != MMLENS_IOC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	if (_IOC_NR(cmd) == MMLENS_NR_INFO)
		return mml_ioctl_info((void __user *)arg);
	walker = mml_walker_find(_IOC_NR(cmd));
	if (!walker)
		return -ENOTTY;
	return mml_ioctl_walk(file->private_data, walker, (void __user *)arg);
}

static const struct file_operations mml_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_open,
	.release	= mml_release,
	.unlocked_ioctl	= mml_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice mml_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "mmlens",
	.mode	= 0600,
	.fops	= &mml_fops,
};

int mml_chardev_init(void)
{
	return misc_register(&mml_device);
}

void mml_chardev_exit(void)
{
	misc_deregister(&mml_device);
}
