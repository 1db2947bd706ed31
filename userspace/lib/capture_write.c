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

#include "capture.h"
#include "internal.h"

/* Level 1 is nearly as small here: the coder has left little to be found. */
#define LEVEL 1

struct mml_writer {
	char *path;
	char *directory;
	char *temporary;		/* its name meanwhile; NULL: none */
	int fd;
	uint64_t size;
	unsigned int page_shift;
	ZSTD_CCtx *zstd;
	struct mml_coder *coder;
	struct mml_stored *stored;
	size_t count;
	bool begun;			/* the last one is under way */
	uint8_t *coded;
	size_t coded_length;
	size_t length;			/* of the records in it */
	uint64_t first;
	uint8_t *packed;
	size_t packed_room;
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
	size_t n;
	int ret;

	if (most > w->packed_room) {
		uint8_t *grown = realloc(w->packed, most);

		if (!grown)
			return -ENOMEM;
		w->packed = grown;
		w->packed_room = most;
	}
	n = ZSTD_compress2(w->zstd, w->packed, w->packed_room, data, length);
	if (ZSTD_isError(n))
		return -ENOMEM;
	ret = write_all(w, w->packed, n);
	return ret ? ret : (ssize_t)n;
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

static int prepare(struct mml_writer *w)
{
	w->zstd = ZSTD_createCCtx();
	w->coder = malloc(sizeof(*w->coder));
	w->coded = malloc(MML_CODED_MAX);
	if (!w->zstd || !w->coder || !w->coded)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
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
	free(w->coder);
	free(w->coded);
	free(w->packed);
	ZSTD_freeCCtx(w->zstd);
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
	w->page_shift = info->page_shift;
	ret = find_directory(w, path);
	if (!ret)
		ret = prepare(w);
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

static void begin_block(struct mml_writer *w)
{
	mml_coder_reset(w->coder, w->page_shift);
	w->coded_length = 0;
	w->length = 0;
}

static int flush_block(struct mml_writer *w)
{
	struct mml_stored *stored = &w->stored[w->count - 1];
	struct mml_block *blocks, block = {
		.offset = w->size,
		.coded = w->coded_length,
		.length = w->length,
		.first = w->first,
	};
	ssize_t n;

	if (!w->coded_length)
		return 0;
	blocks = mmlens_grown(stored->blocks, stored->count, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	stored->blocks = blocks;
	n = write_frame(w, w->coded, w->coded_length);
	if (n < 0)
		return n;
	block.size = n;
	blocks[stored->count++] = block;
	begin_block(w);
	return 0;
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
	begin_block(w);
	return 0;
}

int mml_writer_record(struct mml_writer *w, const struct mmlens_record *rec,
		      uint64_t key)
{
	int ret = 0;

	if (w->length && w->length + rec->size > MML_BLOCK_BYTES)
		ret = flush_block(w);
	if (ret)
		return ret;
	if (!w->length)
		w->first = key;
	w->coded_length += mml_encode(w->coder, rec,
				      w->coded + w->coded_length);
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
		memcpy(w->coded + w->coded_length, at, n);
		w->coded_length += n;
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
	const uint64_t at = htole64(w->size), count = w->count;
	struct bytes b = {};
	int ret = add_numbers(&b, &count, 1);
	ssize_t n = 0;

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
