// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What goes into a capture: the answers that views ask for, as the module gives
 * them, each asked once for all that can be made of it (replay.c does that), and
 * the files that views read besides (capture_files.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "capture_take.h"
#include "internal.h"

/* So many records between two calls of the caller's. */
#define TELL_EVERY 4096

/* Now and then the caller is told, and may end it. */
static int tell(struct take *t)
{
	if (++t->told % TELL_EVERY || !t->request->progress)
		return 0;
	return t->request->progress(mml_writer_size(t->w), t->records,
				    t->request->context) ? -EINTR : 0;
}

int take_record(struct take *t, const struct mmlens_record *rec)
{
	int ret = mml_writer_record(t->w, rec);

	t->records++;
	return ret ? ret : tell(t);
}

static int copy_records(struct take *t, struct mmlens_stream *stream,
			void (*look)(struct take *t,
				     const struct mmlens_record *rec))
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		if (look)
			look(t, rec);
		ret = take_record(t, rec);
		if (ret)
			return ret;
	}
	return ret;
}

/* An answer that this kernel doesn't give is an answer as well. */
static bool is_answer(int error)
{
	return error == -EOPNOTSUPP;
}

static int take_answer(struct take *t, unsigned int nr, uint32_t flags, int pid,
		       void (*look)(struct take *t,
				    const struct mmlens_record *rec))
{
	const struct mmlens_request request = { .pid = pid, .flags = flags };
	struct mmlens_stats stats = {};
	struct mmlens_stream *stream;
	int ret, error;

	if (!mmlens_has_query(t->lens, nr))
		return 0;
	stream = mmlens_stream_open(t->lens, nr, &request);
	error = stream ? 0 : -errno;
	if (error && !is_answer(error))
		return error;
	ret = mml_writer_begin(t->w, nr, flags, pid, NULL);
	if (!ret && stream)
		ret = copy_records(t, stream, look);
	if (stream) {
		stats = *mmlens_stream_stats(stream);
		mmlens_stats_add(&t->stats, &stats);
	}
	mmlens_stream_close(stream);
	return ret ? ret : mml_writer_end(t->w, error, &stats);
}

/* ---- a process ---- */

static void look_at_sums(struct take *t, const struct mmlens_record *rec)
{
	if (rec->type == MMLENS_REC_SMAPS)
		mmlens_smaps_add(&t->now->sums, (const void *)rec);
}

static void look_at_vma(struct take *t, const struct mmlens_record *rec)
{
	const struct mmlens_vma *vma = (const void *)rec;
	struct range *grown;

	if (rec->type != MMLENS_REC_VMA || t->failed)
		return;
	grown = mmlens_grown(t->vmas, t->vma_count, sizeof(*grown));
	t->failed = !grown;
	if (!grown)
		return;
	t->vmas = grown;
	grown[t->vma_count++] = (struct range) { vma->start, vma->end };
}

/* The first address from @start on, below @end, that a VMA has; @end: none. */
static uint64_t mapped_from(const struct take *t, uint64_t start, uint64_t end)
{
	size_t low = 0, high = t->vma_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (t->vmas[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->vma_count || t->vmas[low].start >= end)
		return end;
	return t->vmas[low].start > start ? t->vmas[low].start : start;
}

static int take_translation(struct take *t, int pid, uint64_t address)
{
	struct mmlens_translation translation;
	int ret = mmlens_translate(t->lens, pid, address, &translation);

	for (unsigned int i = 0; i < translation.steps && !ret; i++)
		ret = take_record(t, &translation.step[i].head);
	return ret;
}

/*
 * One way down through each table: its last entry aside, which the entries
 * tell, it is that of all addresses of the table.
 */
static int take_ways(struct take *t, int pid, struct mmlens_tables *tables)
{
	const struct mmlens_info *info = mmlens_get_info(t->lens);
	const struct mmlens_table *table;
	uint64_t last = UINT64_MAX;
	int ret;

	while ((ret = mmlens_tables_next(tables, &table)) > 0) {
		const uint64_t end = table->va + table->entries *
			mmlens_level_size(info, table->head.level);
		const uint64_t address = mapped_from(t, table->va, end);

		if (table->flags & MMLENS_TABLE_DEPOSITED || address == last ||
		    address == end)
			continue;
		last = address;
		ret = take_translation(t, pid, address);
		if (ret)
			break;
	}
	return ret;
}

static int take_translations(struct take *t, int pid)
{
	const struct mmlens_request request = { .pid = pid };
	struct mmlens_tables *tables;
	int ret;

	if (!mmlens_has_query(t->lens, MMLENS_NR_VTOP) ||
	    !mmlens_has_query(t->lens, MMLENS_NR_TABLES))
		return 0;
	tables = mmlens_tables_open(t->lens, &request);
	if (!tables)
		return -errno;
	ret = mml_writer_begin(t->w, MMLENS_NR_VTOP, 0, pid, NULL);
	if (!ret)
		ret = take_ways(t, pid, tables);
	mmlens_tables_close(tables);
	return ret ? ret : mml_writer_end(t->w, 0, NULL);
}

static int take_process(struct take *t, struct taken *taken)
{
	const int pid = taken->pid;
	int ret;

	t->now = taken;
	t->vma_count = 0;
	ret = take_answer(t, MMLENS_NR_VMAS, 0, pid, look_at_vma);
	if (!ret && t->failed)
		ret = -ENOMEM;
	if (!ret)
		ret = take_answer(t, MMLENS_NR_PTES, MMLENS_CAPTURE_PTES, pid,
				  NULL);
	if (!ret && t->request->entries)
		return take_process_files(t, taken);
	if (!ret)
		ret = take_answer(t, MMLENS_NR_SMAPS, 0, pid, look_at_sums);
	if (!ret)
		ret = take_answer(t, MMLENS_NR_NUMA_MAPS, 0, pid, NULL);
	if (!ret)
		ret = take_answer(t, MMLENS_NR_TABLES, 0, pid, NULL);
	if (!ret)
		ret = take_translations(t, pid);
	return ret ? ret : take_process_files(t, taken);
}

static int take_processes(struct take *t)
{
	int ret = 0;

	for (size_t i = 0; i < t->count && !ret; i++) {
		ret = take_process(t, &t->taken[i]);
		if (ret)
			t->failed_pid = t->taken[i].pid;
	}
	return ret;
}

/* ---- who they are, without the others ---- */

static struct taken *find_taken(struct take *t, int pid)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->taken[i].pid == pid)
			return &t->taken[i];
	return NULL;
}

static int take_proc(struct take *t, const struct mmlens_proc *proc)
{
	struct taken *taken = find_taken(t, proc->pid);
	int ret;

	if (!taken)
		return 0;
	t->uid = proc->uid;
	take_user(t, proc->uid);
	ret = take_record(t, &proc->head);
	if (ret || proc->flags & (MMLENS_PROC_NO_MM | MMLENS_PROC_RACED))
		return ret;
	taken->sums.head = (struct mmlens_record) {
		sizeof(taken->sums), MMLENS_REC_SMAPS, MMLENS_LEVEL_NONE,
	};
	return take_record(t, &taken->sums.head);
}

/* The processes that were taken, with what their mappings add up to. */
static int take_those(struct take *t)
{
	const struct mmlens_request request = {};
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	struct mmlens_stats stats;
	int ret;

	if (!mmlens_has_query(t->lens, MMLENS_NR_PROCS))
		return 0;
	stream = mmlens_stream_open(t->lens, MMLENS_NR_PROCS, &request);
	if (!stream)
		return -errno;
	ret = mml_writer_begin(t->w, MMLENS_NR_PROCS, MMLENS_WALK_TOTAL, 0,
			       NULL);
	while (!ret && (ret = mmlens_stream_next(stream, &rec)) > 0)
		ret = rec->type == MMLENS_REC_PROC ?
			take_proc(t, (const void *)rec) : 0;
	stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	return ret ? ret : mml_writer_end(t->w, 0, &stats);
}

/* ---- the machine ---- */

static void look_at_proc(struct take *t, const struct mmlens_record *rec)
{
	const struct mmlens_proc *proc = (const void *)rec;

	if (rec->type != MMLENS_REC_PROC)
		return;
	take_user(t, proc->uid);
	take_other(t, proc->pid);
}

static void look_at_frames(struct take *t, const struct mmlens_record *rec)
{
	const struct mmlens_pfns *run = (const void *)rec;

	if (rec->type != MMLENS_REC_PFNS)
		return;
	if (run->pfn > t->frames_end)
		take_gap(t, t->frames_end, run->pfn);
	if (run->pfn + run->count > t->frames_end)
		t->frames_end = run->pfn + run->count;
}

/*
 * The mappings of all others: what is mapped where is told by their names.  One
 * that has exited meanwhile has none.
 */
static int take_mappings(struct take *t)
{
	int ret = 0;

	for (size_t i = 0; i < t->other_count && !ret; i++) {
		if (find_taken(t, t->others[i]))
			continue;
		ret = take_answer(t, MMLENS_NR_VMAS, 0, t->others[i], NULL);
		if (ret == -ESTALE)
			ret = mml_writer_end(t->w, ret, NULL);
		else if (ret == -ESRCH || ret == -ENXIO)
			ret = 0;
	}
	return ret;
}

static int take_machine(struct take *t)
{
	static const struct {
		unsigned int nr;
		uint32_t flags;
		void (*look)(struct take *t, const struct mmlens_record *rec);
	} answers[] = {
		{ MMLENS_NR_PROCS, MMLENS_WALK_TOTAL, look_at_proc },
		{ MMLENS_NR_ZONES, 0, NULL },
		{ MMLENS_NR_FREE, 0, NULL },
		{ MMLENS_NR_PAGEBLOCKS, 0, NULL },
		{ MMLENS_NR_PAGES, 0, look_at_frames },
		{ MMLENS_NR_USERS, 0, NULL },
		{ MMLENS_NR_PAGES, MMLENS_WALK_BACKING, NULL },
		{ MMLENS_NR_LRU, 0, NULL },
		{ MMLENS_NR_LRU, MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING,
		  NULL },
		{ MMLENS_NR_KMAP, 0, NULL },
		{ MMLENS_NR_KMAP, MMLENS_WALK_FRAMES, NULL },
		{ MMLENS_NR_KMAP, MMLENS_WALK_USER_HALF, NULL },
	};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(answers) && !ret; i++)
		ret = take_answer(t, answers[i].nr, answers[i].flags, 0,
				  answers[i].look);
	if (!ret)
		ret = take_mappings(t);
	return ret ? ret : take_machine_files(t);
}

/* ---- all of it ---- */

static int take_all(struct take *t)
{
	int ret = take_processes(t);

	if (!ret)
		ret = t->request->machine ? take_machine(t) : take_those(t);
	return ret ? ret : take_common_files(t);
}

static struct mml_writer *take(struct mmlens *lens, const char *path,
			       const struct mmlens_capture_request *request,
			       struct mmlens_capture_stats *stats)
{
	struct take t = {
		.lens = lens, .request = request, .count = request->count,
	};
	int ret = -ENOMEM;

	t.taken = calloc(t.count + 1, sizeof(*t.taken));
	if (!t.taken)
		goto out;
	for (size_t i = 0; i < t.count; i++)
		t.taken[i].pid = request->pids[i];
	t.w = mml_writer_open(path, mmlens_get_info(lens),
			      request->machine ? MML_HEADER_MACHINE : 0);
	ret = t.w ? take_all(&t) : -errno;
	stats->records = t.records;
	stats->walk = t.stats;
	stats->failed_pid = t.failed_pid;
	if (ret) {
		mml_writer_abort(t.w);
		t.w = NULL;
	}
out:
	take_free(&t);
	free(t.vmas);
	free(t.taken);
	errno = -ret;
	return t.w;
}

int mmlens_capture_write(struct mmlens *lens, const char *path,
			 const struct mmlens_capture_request *request,
			 struct mmlens_capture_stats *stats)
{
	struct mml_writer *w;

	*stats = (struct mmlens_capture_stats) {};
	w = take(lens, path, request, stats);
	if (!w)
		return -errno;
	stats->bytes = mml_writer_size(w);
	return mml_writer_commit(w);
}

struct mmlens *mmlens_capture_now(struct mmlens *lens, const char *directory,
				  const struct mmlens_capture_request *request,
				  struct mmlens_capture_stats *stats)
{
	char why[MML_WHY], *path;
	struct mml_capture *capture;
	struct mml_writer *w;
	int fd;

	if (asprintf(&path, "%s/mmlens", directory) < 0)
		return NULL;
	*stats = (struct mmlens_capture_stats) {};
	w = take(lens, path, request, stats);
	free(path);
	if (!w)
		return NULL;
	stats->bytes = mml_writer_size(w);
	fd = mml_writer_finish(w);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	capture = mml_capture_open(fd, why);
	return capture ? mml_replay_open(capture, false) : NULL;
}
