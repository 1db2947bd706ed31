// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: text for people, made from the same records as the ioctl's.
 *
 * A read shows records from the session's sink and does the next step when
 * they are used up; between two reads the walk stands still and holds nothing
 * of its target.
 *
 * Locking: the session's mutex serializes reads and writes of one open file;
 * mml_target_lock guards the common target.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "core.h"
#include "debugfs.h"
#include "text.h"

/**
 * struct mml_target - Whom to look at.
 * @pid:	process; 0: nobody
 * @start:	first address
 * @end:	address after the last; 0: all from @start
 */
struct mml_target {
	pid_t pid;
	unsigned long start;
	unsigned long end;
};

static DEFINE_MUTEX(mml_target_lock);
static struct mml_target mml_target;
static struct dentry *mml_dir;

/* ---- the target, as text ---- */

static int mml_target_parse(char *text, struct mml_target *target)
{
	char *rest = strim(text);
	char *pid = strsep(&rest, " \t");
	char *start = strsep(&rest, " \t");
	char *end = strsep(&rest, " \t");
	struct mml_target t = {};

	if (rest || kstrtoint(pid, 10, &t.pid) || t.pid < 1)
		return -EINVAL;
	if (start && kstrtoul(start, 16, &t.start))
		return -EINVAL;
	if (end && kstrtoul(end, 16, &t.end))
		return -EINVAL;
	if (!PAGE_ALIGNED(t.start) || !PAGE_ALIGNED(t.end) ||
	    t.start >= TASK_SIZE_MAX || t.end > TASK_SIZE_MAX)
		return -EINVAL;
	if (end && t.end < t.start)
		return -EINVAL;
	*target = t;
	return 0;
}

static int mml_target_from_user(const char __user *ubuf, size_t count,
				struct mml_target *target)
{
	char buf[64];

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (memchr(buf, '\0', count))
		return -EINVAL;
	buf[count] = '\0';
	return mml_target_parse(buf, target);
}

/* ---- maps, smaps, pte, tables: walks of a process ---- */

/* What a read shows next. */
enum mml_phase {
	MML_PHASE_HEADER,
	MML_PHASE_RECORDS,
	MML_PHASE_TRAILER,
	MML_PHASE_END,
};

/**
 * struct mml_file - An open file that shows a walk.
 * @session:	its walk
 * @walker:	the kind
 * @target:	whom this file was told to look at; else the common one
 * @phase:	what comes next
 * @offset:	of the next record in the sink
 * @records:	shown so far
 * @ledger:	instead of records pages by node, zone and bucket are shown, at
 *		the end; NULL in other files
 */
struct mml_file {
	struct mml_session *session;
	const struct mml_walker *walker;
	struct mml_target target;
	enum mml_phase phase;
	size_t offset;
	u64 records;
	u64 *ledger;
};

static struct mml_target mml_file_target(const struct mml_file *f)
{
	struct mml_target target = f->target;

	if (target.pid)
		return target;
	mutex_lock(&mml_target_lock);
	target = mml_target;
	mutex_unlock(&mml_target_lock);
	return target;
}

/* Is there anything to walk? */
static bool mml_file_walks(const struct mml_file *f)
{
	return mml_walker_is_system(f->walker) || f->session->walk.pid;
}

/* ---- the ledger ---- */

#define MML_LEDGER_ZONES	(nr_node_ids * MAX_NR_ZONES)

static u64 *mml_ledger_zone(const struct mml_file *f, unsigned int node,
			    unsigned int zone)
{
	return f->ledger + (node * MAX_NR_ZONES + zone) * MML_LEDGER_BUCKETS;
}

static void mml_ledger_add(struct mml_file *f, const struct mmlens_record *rec)
{
	const struct mmlens_pfns *pfns = (const struct mmlens_pfns *)rec;

	/* They come from flags that may be torn. */
	if (rec->type == MMLENS_REC_PFNS && pfns->node < nr_node_ids &&
	    pfns->zone < MAX_NR_ZONES)
		mml_ledger_zone(f, pfns->node, pfns->zone)[pfns->bucket] +=
			pfns->count;
}

static void mml_ledger_show(struct seq_file *m, const struct mml_file *f)
{
	unsigned int node, zone;

	for_each_online_node(node)
		for (zone = 0; zone < MAX_NR_ZONES; zone++)
			mml_text_ledger(m, node, zone,
					mml_ledger_zone(f, node, zone));
}

/* ---- the sequence of what is shown ---- */

/* Do steps until there are records, or the walk is at its end. */
static int mml_file_fetch(struct mml_file *f)
{
	struct mml_walk *walk = &f->session->walk;
	int err;

	f->offset = 0;
	mml_sink_reset(&walk->sink, MML_SINK_SIZE);
	if (walk->done)
		return 0;
	err = mml_walk_begin(walk);
	if (err)
		return err;
	do {
		err = mml_walk_step(walk, MML_SINK_SIZE);
		cond_resched();
	} while (!err && !walk->done && !walk->sink.used);
	mml_walk_end(walk);
	return err;
}

static int mml_file_restart(struct mml_file *f)
{
	struct mml_target target = mml_file_target(f);

	f->phase = MML_PHASE_HEADER;
	f->offset = 0;
	f->records = 0;
	if (f->ledger)
		memset(f->ledger, 0, array3_size(MML_LEDGER_ZONES,
						 MML_LEDGER_BUCKETS,
						 sizeof(*f->ledger)));
	mml_sink_reset(&f->session->walk.sink, 0);
	if (mml_walker_is_system(f->walker))
		return mml_walk_init(&f->session->walk, f->walker, 0, 0, 0, 0);
	if (!target.pid) {
		f->session->walk.pid = 0;
		return 0;
	}
	return mml_walk_init(&f->session->walk, f->walker, target.pid,
			     target.start, target.end, f->walker->flags &
			     MMLENS_WALK_PAGE);
}

static void *mml_seq_current(struct mml_file *f)
{
	struct mml_walk *walk = &f->session->walk;
	int err;

	if (f->phase == MML_PHASE_RECORDS && f->offset >= walk->sink.used) {
		err = mml_file_walks(f) ? mml_file_fetch(f) : 0;
		if (err)
			return ERR_PTR(err);
		if (!walk->sink.used)
			f->phase = MML_PHASE_TRAILER;
	}
	return f->phase == MML_PHASE_END ? NULL : f;
}

static void *mml_seq_start(struct seq_file *m, loff_t *pos)
{
	struct mml_file *f = m->private;
	int err;

	if (!*pos) {
		err = mml_file_restart(f);
		if (err)
			return ERR_PTR(err);
	}
	return mml_seq_current(f);
}

static void *mml_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct mml_file *f = m->private;
	struct mmlens_record *rec;

	++*pos;
	switch (f->phase) {
	case MML_PHASE_RECORDS:
		rec = (void *)(f->session->walk.sink.buf + f->offset);
		if (f->ledger)
			mml_ledger_add(f, rec);
		f->offset += rec->size;
		f->records++;
		break;
	case MML_PHASE_TRAILER:
		if (mml_file_walks(f))
			mml_stats_add(&f->session->walk, f->records);
		fallthrough;
	default:
		f->phase++;
	}
	return mml_seq_current(f);
}

static void mml_seq_stop(struct seq_file *m, void *v)
{
}

static void mml_seq_trailer(struct seq_file *m, const struct mml_file *f)
{
	const struct mml_walk *walk = &f->session->walk;

	if (!mml_file_walks(f)) {
		seq_puts(m, "# no target: write PID [START [END]] to this file or to target\n");
		return;
	}
	seq_puts(m, "# ");
	if (walk->pid)
		seq_printf(m, "pid %d ", walk->pid);
	seq_printf(m, "records %llu restarts %u max_lock_hold_ns %llu\n",
		   f->records, walk->restarts, walk->max_hold_ns);
}

static int mml_seq_show(struct seq_file *m, void *v)
{
	struct mml_file *f = m->private;

	switch (f->phase) {
	case MML_PHASE_HEADER:
		seq_printf(m, "mmlens 1 %s\n", mml_text_kind(f->walker->nr));
		break;
	case MML_PHASE_RECORDS:
		mml_text_record(m, (void *)(f->session->walk.sink.buf +
					    f->offset));
		break;
	case MML_PHASE_TRAILER:
		if (f->ledger)
			mml_ledger_show(m, f);
		mml_seq_trailer(m, f);
		break;
	case MML_PHASE_END:
		break;
	}
	return 0;
}

static const struct seq_operations mml_seq_ops = {
	.start	= mml_seq_start,
	.next	= mml_seq_next,
	.stop	= mml_seq_stop,
	.show	= mml_seq_show,
};

static int mml_file_open(struct inode *inode, struct file *file)
{
	struct mml_file *f;
	int err = mml_access_check();

	if (err)
		return err;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->walker = inode->i_private;
	f->session = mml_session_create();
	err = f->session ? seq_open(file, &mml_seq_ops) : -ENOMEM;
	if (err)
		goto err_free;
	((struct seq_file *)file->private_data)->private = f;
	return 0;

err_free:
	if (f->session)
		mml_session_destroy(f->session);
	kfree(f);
	return err;
}

static int mml_file_release(struct inode *inode, struct file *file)
{
	struct mml_file *f = ((struct seq_file *)file->private_data)->private;

	kvfree(f->ledger);
	mml_session_destroy(f->session);
	kfree(f);
	return seq_release(inode, file);
}

static int mml_ledger_open(struct inode *inode, struct file *file)
{
	struct mml_file *f;
	int err = mml_file_open(inode, file);

	if (err)
		return err;
	f = ((struct seq_file *)file->private_data)->private;
	f->ledger = kvcalloc(MML_LEDGER_ZONES,
			     MML_LEDGER_BUCKETS * sizeof(*f->ledger),
			     GFP_KERNEL);
	if (f->ledger)
		return 0;
	mml_file_release(inode, file);
	return -ENOMEM;
}

static ssize_t mml_file_read(struct file *file, char __user *buf, size_t count,
			     loff_t *ppos)
{
	struct mml_file *f = ((struct seq_file *)file->private_data)->private;
	ssize_t ret = mml_access_check();

	if (ret)
		return ret;
	if (mutex_lock_killable(&f->session->lock))
		return -EINTR;
	ret = seq_read(file, buf, count, ppos);
	mutex_unlock(&f->session->lock);
	return ret;
}

/* To seek is to walk again, as far as that. */
static loff_t mml_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct mml_file *f = ((struct seq_file *)file->private_data)->private;
	loff_t ret = mml_access_check();

	if (ret)
		return ret;
	if (mutex_lock_killable(&f->session->lock))
		return -EINTR;
	ret = seq_lseek(file, offset, whence);
	mutex_unlock(&f->session->lock);
	return ret;
}

/* A target for this open file; what is read next is of it, from the start. */
static ssize_t mml_file_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct mml_file *f = ((struct seq_file *)file->private_data)->private;
	struct mml_target target;
	int err = mml_access_check() ?:
		  mml_target_from_user(buf, count, &target);

	if (err)
		return err;
	if (mutex_lock_killable(&f->session->lock))
		return -EINTR;
	f->target = target;
	*ppos = 0;
	mutex_unlock(&f->session->lock);
	return count;
}

static const struct file_operations mml_file_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_file_open,
	.release	= mml_file_release,
	.read		= mml_file_read,
	.write		= mml_file_write,
	.llseek		= mml_file_llseek,
};

/* Of the whole machine: without a target to write. */
static const struct file_operations mml_system_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_file_open,
	.release	= mml_file_release,
	.read		= mml_file_read,
	.llseek		= mml_file_llseek,
};

/* Read to its end to be shown: as much as the walk takes, without a record. */
static const struct file_operations mml_ledger_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_ledger_open,
	.release	= mml_file_release,
	.read		= mml_file_read,
	.llseek		= mml_file_llseek,
};

/* ---- version, stats, target: small files ---- */

static int mml_version_show(struct seq_file *m, void *v)
{
	seq_puts(m, "mmlens 1 version\n");
	seq_printf(m, "module %s\nabi %u\nkernel %s\n", MMLENS_VERSION,
		   MMLENS_ABI, init_utsname()->release);
	return 0;
}

static int mml_stats_show(struct seq_file *m, void *v)
{
	unsigned int i;

	seq_puts(m, "mmlens 1 stats\n");
	seq_puts(m, "# walk calls records restarts max_lock_hold_ns\n");
	for (i = 0; i < mml_nr_walkers; i++) {
		struct mml_stats *stats = mml_stats_of(mml_walkers[i]);

		seq_printf(m, "%s %lld %lld %lld %lld\n", mml_walkers[i]->name,
			   atomic64_read(&stats->calls),
			   atomic64_read(&stats->records),
			   atomic64_read(&stats->restarts),
			   atomic64_read(&stats->max_hold_ns));
	}
	return 0;
}

static int mml_target_show(struct seq_file *m, void *v)
{
	struct mml_target target;

	mutex_lock(&mml_target_lock);
	target = mml_target;
	mutex_unlock(&mml_target_lock);

	seq_puts(m, "mmlens 1 target\n");
	if (target.pid)
		seq_printf(m, "%d 0x%lx 0x%lx\n", target.pid, target.start,
			   target.end ?: TASK_SIZE_MAX);
	return 0;
}

/* The inode has the function that shows the file. */
static int mml_small_open(struct inode *inode, struct file *file)
{
	int err = mml_access_check();

	return err ?: single_open(file, inode->i_private, NULL);
}

static ssize_t mml_small_read(struct file *file, char __user *buf,
			      size_t count, loff_t *ppos)
{
	int err = mml_access_check();

	return err ?: seq_read(file, buf, count, ppos);
}

static ssize_t mml_target_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	struct mml_target target;
	int err = mml_access_check() ?:
		  mml_target_from_user(buf, count, &target);

	if (err)
		return err;
	mutex_lock(&mml_target_lock);
	mml_target = target;
	mutex_unlock(&mml_target_lock);
	return count;
}

static const struct file_operations mml_small_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_small_open,
	.release	= single_release,
	.read		= mml_small_read,
	.llseek		= seq_lseek,
};

static const struct file_operations mml_target_fops = {
	.owner		= THIS_MODULE,
	.open		= mml_small_open,
	.release	= single_release,
	.read		= mml_small_read,
	.write		= mml_target_write,
	.llseek		= seq_lseek,
};

/*
 * A kernel without debugfs, or one where it is off, does without: as all users
 * of debugfs, we don't ask.
 */
void mml_debugfs_init(void)
{
	mml_dir = debugfs_create_dir("mmlens", NULL);
	debugfs_create_file("version", 0400, mml_dir, mml_version_show,
			    &mml_small_fops);
	debugfs_create_file("stats", 0400, mml_dir, mml_stats_show,
			    &mml_small_fops);
	debugfs_create_file("target", 0600, mml_dir, mml_target_show,
			    &mml_target_fops);
	debugfs_create_file("maps", 0600, mml_dir, (void *)&mml_walk_vmas,
			    &mml_file_fops);
	debugfs_create_file("pte", 0600, mml_dir, (void *)&mml_walk_ptes,
			    &mml_file_fops);
	debugfs_create_file("smaps", 0600, mml_dir, (void *)&mml_walk_smaps,
			    &mml_file_fops);
	debugfs_create_file("tables", 0600, mml_dir, (void *)&mml_walk_tables,
			    &mml_file_fops);
	debugfs_create_file("buddy", 0400, mml_dir, (void *)&mml_walk_free,
			    &mml_system_fops);
	debugfs_create_file("zones", 0400, mml_dir, (void *)&mml_walk_zones,
			    &mml_system_fops);
	debugfs_create_file("lru", 0400, mml_dir, (void *)&mml_walk_lru,
			    &mml_system_fops);
	debugfs_create_file("ledger", 0400, mml_dir, (void *)&mml_walk_pages,
			    &mml_ledger_fops);
}

void mml_debugfs_exit(void)
{
	debugfs_remove_recursive(mml_dir);
}
