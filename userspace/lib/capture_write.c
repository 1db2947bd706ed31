// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A capture file comes to be: blocks as they fill up, then the index.  It has
 * no name, or one of its own, until it is whole and on the disk.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "capture_pack.h"
#include "internal.h"

struct mml_writer {
	char *path;
	char *directory;
	char *temporary;		/* its name meanwhile; NULL: none */
	int fd;
	uint64_t size;
	struct mml_stored *stored;
	size_t count;
	struct mml_packer *packer;
	uint8_t *block;			/* under way */
	size_t length;			/* of what is in it */
};

/* ---- bytes ---- */

static int write_all(struct mml_writer *w, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t n = write(w->fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= n;
		w->size += n;
	}
	return 0;
}

/* One frame with a checksum.  Return: its bytes, or a negative errno. */
static ssize_t write_frame(struct mml_writer *w, const void *data,
			   size_t length)
{
	const size_t most = ZSTD_compressBound(length);
	ZSTD_CCtx *zstd = mml_compressor();
	uint8_t *frame = malloc(most);
	ssize_t ret = -ENOMEM;
	size_t n;

	if (!zstd || !frame)
		goto out;
	n = ZSTD_compress2(zstd, frame, most, data, length);
	if (ZSTD_isError(n))
		goto out;
	ret = write_all(w, frame, n);
	if (!ret)
		ret = n;
out:
	free(frame);
	ZSTD_freeCCtx(zstd);
	return ret;
}

static void put_le32(uint8_t *out, uint32_t value)
{
	value = htole32(value);
	memcpy(out, &value, sizeof(value));
}

static int write_head(struct mml_writer *w)
{
	uint8_t head[MML_HEAD_SIZE] = {};

	put_le32(head, MML_SKIPPABLE);
	put_le32(head + 4, MML_HEAD_SIZE - 8);
	memcpy(head + 8, MML_CAPTURE_MAGIC, 15);
	head[23] = MML_CAPTURE_VERSION;
	return write_all(w, head, sizeof(head));
}

/*
 * The vDSO would read a page that all processes share, and be one more in its
 * mapcount from then on, which is about to be captured.
 */
static uint64_t seconds_now(void)
{
	struct timespec ts = {};

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static int write_header(struct mml_writer *w, const struct mmlens_info *info,
			uint64_t flags)
{
	struct {
		struct mml_header header;
		struct mmlens_info info;
	} head = {
		.header = {
			.order = MML_ORDER,
			.info_size = sizeof(*info),
			.seconds = seconds_now(),
			.flags = flags,
		},
		.info = *info,
	};
	ssize_t n = write_frame(w, &head, sizeof(head));

	return n < 0 ? n : 0;
}

/* ---- the file ---- */

static int open_named(struct mml_writer *w)
{
	if (asprintf(&w->temporary, "%s/.mmlens-XXXXXX", w->directory) < 0) {
		w->temporary = NULL;
		return -ENOMEM;
	}
	w->fd = mkostemp(w->temporary, O_CLOEXEC);
	if (w->fd >= 0)
		return 0;
	free(w->temporary);
	w->temporary = NULL;
	return -errno;
}

/* Not every file system has files without a name. */
static int open_file(struct mml_writer *w)
{
	w->fd = open(w->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (w->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	return open_named(w);
}

static int find_directory(struct mml_writer *w, const char *path)
{
	char *copy = strdup(path);
	struct stat st;

	w->path = strdup(path);
	w->directory = copy ? strdup(dirname(copy)) : NULL;
	free(copy);
	if (!w->path || !w->directory)
		return -ENOMEM;
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;
	return 0;
}

static void free_writer(struct mml_writer *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->stored[i].path);
		free(w->stored[i].blocks);
	}
	free(w->stored);
	free(w->path);
	free(w->directory);
	free(w->temporary);
	mml_packer_close(w->packer);
	free(w);
}

void mml_writer_abort(struct mml_writer *w)
{
	const int error = errno;

	if (!w)
		return;
	if (w->temporary)
		unlink(w->temporary);
	if (w->fd >= 0)
		close(w->fd);
	free_writer(w);
	errno = error;
}

struct mml_writer *mml_writer_open(const char *path,
				   const struct mmlens_info *info,
				   uint64_t flags)
{
	struct mml_writer *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return NULL;
	w->fd = -1;
	w->packer = mml_packer_open(info->page_shift);
	ret = w->packer ? find_directory(w, path) : -ENOMEM;
	if (!ret)
		ret = open_file(w);
	if (!ret)
		ret = write_head(w);
	if (!ret)
		ret = write_header(w, info, flags);
	if (!ret)
		return w;
	mml_writer_abort(w);
	errno = -ret;
	return NULL;
}

uint64_t mml_writer_size(const struct mml_writer *w)
{
	return w->size;
}

/* ---- answers ---- */

static int write_block(struct mml_writer *w, const struct mml_packed *packed)
{
	struct mml_stored *stored = &w->stored[packed->answer];
	struct mml_block *blocks =
		mmlens_grown(stored->blocks, stored->count, sizeof(*blocks));

	if (!blocks)
		return -ENOMEM;
	stored->blocks = blocks;
	blocks[stored->count] = packed->block;
	blocks[stored->count++].offset = w->size;
	return write_all(w, packed->data, packed->block.size);
}

/* What is ready; with @all whatever has been filled. */
static int write_blocks(struct mml_writer *w, bool all)
{
	struct mml_packed packed;
	int ret;

	while ((ret = mml_packer_next(w->packer, all, &packed)) > 0) {
		ret = write_block(w, &packed);
		if (ret)
			break;
	}
	return ret;
}

/* What blocks are looked up by. */
static uint64_t key_of(const struct mmlens_record *rec)
{
	switch (rec->type) {
	case MMLENS_REC_PTE:
		return ((const struct mmlens_pte *)rec)->va;
	case MMLENS_REC_RUN:
		return ((const struct mmlens_run *)rec)->va;
	case MMLENS_REC_PAGE:
		return ((const struct mmlens_page *)rec)->va;
	case MMLENS_REC_HOLE:
		return ((const struct mmlens_hole *)rec)->start;
	case MMLENS_REC_PFNS:
		return ((const struct mmlens_pfns *)rec)->pfn;
	case MMLENS_REC_BACKING:
		return ((const struct mmlens_backing *)rec)->pfn;
	default:
		return 0;
	}
}

static int flush_block(struct mml_writer *w)
{
	const struct mml_stored *stored = &w->stored[w->count - 1];
	const bool plain = stored->nr == MML_STORED_FILE;

	if (!w->length)
		return 0;
	mml_packer_filled(w->packer, w->count - 1, w->length,
			  plain ? 0 : key_of((const void *)w->block), plain);
	w->block = mml_packer_room(w->packer);
	w->length = 0;
	return write_blocks(w, false);
}

int mml_writer_begin(struct mml_writer *w, unsigned int nr, uint32_t flags,
		     int pid, const char *path)
{
	struct mml_stored *grown, stored = {
		.nr = nr, .flags = flags, .pid = pid,
	};

	grown = mmlens_grown(w->stored, w->count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	w->stored = grown;
	if (path) {
		stored.path = strdup(path);
		if (!stored.path)
			return -ENOMEM;
	}
	grown[w->count++] = stored;
	w->block = mml_packer_room(w->packer);
	w->length = 0;
	return 0;
}

int mml_writer_record(struct mml_writer *w, const struct mmlens_record *rec)
{
	int ret = 0;

	if (w->length && w->length + rec->size > MML_BLOCK_BYTES)
		ret = flush_block(w);
	if (ret)
		return ret;
	memcpy(w->block + w->length, rec, rec->size);
	w->length += rec->size;
	w->stored[w->count - 1].records++;
	return 0;
}

int mml_writer_bytes(struct mml_writer *w, const void *data, size_t length)
{
	const char *at = data;
	int ret = 0;

	while (length && !ret) {
		size_t n = MML_BLOCK_BYTES - w->length;

		if (n > length)
			n = length;
		memcpy(w->block + w->length, at, n);
		w->length += n;
		at += n;
		length -= n;
		if (w->length == MML_BLOCK_BYTES)
			ret = flush_block(w);
	}
	return ret;
}

int mml_writer_end(struct mml_writer *w, int error,
		   const struct mmlens_stats *stats)
{
	struct mml_stored *stored = &w->stored[w->count - 1];

	stored->error = -error;
	if (stats) {
		stored->restarts = stats->restarts;
		stored->max_hold_ns = stats->max_hold_ns;
	}
	return flush_block(w);
}

int mml_writer_file(struct mml_writer *w, const char *path, const void *data,
		    size_t length)
{
	int ret = mml_writer_begin(w, MML_STORED_FILE, 0, 0, path);

	if (!ret)
		ret = mml_writer_bytes(w, data, length);
	return ret ? ret : mml_writer_end(w, 0, NULL);
}

/* ---- the index ---- */

struct bytes {
	uint8_t *data;
	size_t length;
	size_t room;
};

static int make_room(struct bytes *b, size_t more)
{
	uint8_t *grown;

	if (b->room - b->length >= more)
		return 0;
	grown = realloc(b->data, 2 * b->room + more);
	if (!grown)
		return -ENOMEM;
	b->data = grown;
	b->room = 2 * b->room + more;
	return 0;
}

static int add_numbers(struct bytes *b, const uint64_t *numbers, size_t count)
{
	int ret = make_room(b, count * 10);

	for (size_t i = 0; i < count && !ret; i++)
		b->length += mml_put_varint(b->data + b->length, numbers[i]);
	return ret;
}

static int add_stored(struct bytes *b, const struct mml_stored *s)
{
	const size_t length = s->path ? strlen(s->path) : 0;
	const uint64_t numbers[] = {
		s->nr, s->flags, (uint32_t)s->pid, s->error, s->restarts,
		s->max_hold_ns, s->records, length, s->count,
	};
	int ret = add_numbers(b, numbers, ARRAY_SIZE(numbers));

	if (!ret)
		ret = make_room(b, length);
	if (ret)
		return ret;
	if (length)
		memcpy(b->data + b->length, s->path, length);
	b->length += length;
	for (size_t i = 0; i < s->count && !ret; i++) {
		const struct mml_block *block = &s->blocks[i];
		const uint64_t sizes[] = {
			block->size, block->coded, block->length, block->first,
		};

		ret = add_numbers(b, sizes, ARRAY_SIZE(sizes));
	}
	return ret;
}

static int write_index(struct mml_writer *w)
{
	uint8_t tail[MML_TAIL_SIZE] = {};
	const uint64_t count = w->count;
	struct bytes b = {};
	int ret = write_blocks(w, true);
	ssize_t n = 0;
	uint64_t at;

	at = htole64(w->size);
	if (!ret)
		ret = add_numbers(&b, &count, 1);
	for (size_t i = 0; i < w->count && !ret; i++)
		ret = add_stored(&b, &w->stored[i]);
	if (!ret)
		n = write_frame(w, b.data, b.length);
	free(b.data);
	if (ret || n < 0)
		return ret ? ret : n;
	put_le32(tail, MML_SKIPPABLE);
	put_le32(tail + 4, MML_TAIL_SIZE - 8);
	memcpy(tail + 8, &at, sizeof(at));
	memcpy(tail + 16, MML_CAPTURE_END, 8);
	return write_all(w, tail, sizeof(tail));
}

/* ---- the end ---- */

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	/* Some file systems can't. */
	if (fsync(fd) && errno != EINVAL)
		ret = -errno;
	close(fd);
	return ret;
}

/* A name for the file that has none: rename() needs one to replace another. */
static int name_it(struct mml_writer *w)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	for (unsigned int i = 0; i < 1000; i++) {
		free(w->temporary);
		if (asprintf(&w->temporary, "%s/.mmlens-%d-%u", w->directory,
			     getpid(), i) < 0) {
			w->temporary = NULL;
			return -ENOMEM;
		}
		if (!linkat(AT_FDCWD, self, AT_FDCWD, w->temporary,
			    AT_SYMLINK_FOLLOW))
			return 0;
		if (errno != EEXIST)
			break;
	}
	free(w->temporary);
	w->temporary = NULL;
	return -errno;
}

int mml_writer_commit(struct mml_writer *w)
{
	int ret = write_index(w);

	if (!ret && fsync(w->fd))
		ret = -errno;
	if (!ret && !w->temporary)
		ret = name_it(w);
	if (!ret && rename(w->temporary, w->path))
		ret = -errno;
	if (!ret) {
		free(w->temporary);
		w->temporary = NULL;
		ret = sync_directory(w->directory);
	}
	mml_writer_abort(w);
	return ret;
}

int mml_writer_finish(struct mml_writer *w)
{
	int ret = write_index(w);

	if (!ret) {
		ret = w->fd;
		w->fd = -1;
	}
	mml_writer_abort(w);
	return ret;
}
