// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A capture file is read: what it has is checked before it is believed.  Of
 * the index all is read at once, of the rest the blocks that are asked for.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define ZSTD_STATIC_LINKING_ONLY
#endif
#include <zstd.h>

#include "capture.h"
#include "internal.h"

/* Blocks that are kept as they were taken apart. */
#define CACHED	8

/* An index that tells a million blocks. */
#define INDEX_MAX	(64u << 20)

/* No file of /proc is as long as that. */
#define FILE_MAX_BYTES (1ull << 30)

/* A header may grow. */
#define HEADER_MAX	65536

struct cached {
	const struct mml_block *block;	/* NULL: none */
	uint64_t used;
	uint8_t *data;
	size_t length;
};

struct mml_capture {
	int fd;
	uint64_t size;
	uint64_t blocks_at;		/* where the first begins */
	uint64_t index_at;
	struct mml_header header;
	struct mmlens_info info;
	struct mml_stored *stored;
	size_t count;
	const struct mml_stored **files;	/* by path */
	size_t file_count;
	ZSTD_DCtx *zstd;
	struct mml_coder *coder;
	uint8_t *packed;
	uint8_t *coded;
	struct cached cache[CACHED];
	uint64_t clock;
	char why[MML_WHY];
};

/* ---- what is wrong ---- */

__attribute__((format(printf, 3, 4)))
static int wrong(struct mml_capture *c, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->why, sizeof(c->why), format, ap);
	va_end(ap);
	return error;
}

static int damaged(struct mml_capture *c, uint64_t at, const char *what)
{
	return wrong(c, -EBADMSG, "damaged: %s at byte %llu", what,
		     (unsigned long long)at);
}

char *mml_capture_why(struct mml_capture *capture)
{
	return capture->why;
}

/* ---- bytes ---- */

static int read_at(struct mml_capture *c, void *data, size_t length,
		   uint64_t at)
{
	char *into = data;

	while (length) {
		ssize_t n = pread(c->fd, into, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return wrong(c, -errno, "%s", strerror(errno));
		if (!n)
			return wrong(c, -EBADMSG,
				     "truncated: it became shorter");
		into += n;
		at += n;
		length -= n;
	}
	return 0;
}

/* Exactly one frame of @size bytes, of which come exactly @length. */
static int unpack(struct mml_capture *c, const uint8_t *packed, size_t size,
		  uint64_t at, uint8_t *data, size_t length)
{
	size_t n;

	if (ZSTD_findFrameCompressedSize(packed, size) != size)
		return damaged(c, at, "no frame of the size that is told");
	n = ZSTD_decompressDCtx(c->zstd, data, length, packed, size);
	if (ZSTD_isError(n))
		return damaged(c, at, ZSTD_getErrorName(n));
	if (n != length)
		return damaged(c, at, "a block of another size than is told");
	return 0;
}

/* A frame whose size after decompression isn't known yet; to be freed. */
static int read_frame(struct mml_capture *c, uint64_t at, size_t size,
		      size_t most, uint8_t **data, size_t *length)
{
	uint8_t *packed = malloc(size + 1);
	unsigned long long content;
	int ret;

	*data = NULL;
	if (!packed)
		return wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
	ret = read_at(c, packed, size, at);
	if (ret)
		goto out;
	content = ZSTD_getFrameContentSize(packed, size);
	if (content > most) {
		ret = damaged(c, at, "no frame of a size that makes sense");
		goto out;
	}
	*length = content;
	*data = malloc(content + 1);
	ret = *data ? unpack(c, packed, size, at, *data, *length) :
		      wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
	if (ret) {
		free(*data);
		*data = NULL;
	}
out:
	free(packed);
	return ret;
}

/* ---- both ends ---- */

static uint32_t get_le32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static int read_head(struct mml_capture *c)
{
	uint8_t head[MML_HEAD_SIZE];
	int ret;

	if (c->size < 8)
		return wrong(c, -EBADMSG, c->size ? "isn't a capture" :
			     "is empty");
	ret = read_at(c, head, c->size < sizeof(head) ? c->size : sizeof(head),
		      0);
	if (ret)
		return ret;
	if (get_le32(head) != MML_SKIPPABLE ||
	    get_le32(head + 4) != MML_HEAD_SIZE - 8)
		return wrong(c, -EBADMSG, "isn't a capture");
	if (c->size < MML_HEAD_SIZE + MML_TAIL_SIZE)
		return wrong(c, -EBADMSG, "truncated: %llu bytes are left",
			     (unsigned long long)c->size);
	if (memcmp(head + 8, MML_CAPTURE_MAGIC, 15))
		return wrong(c, -EBADMSG, "isn't a capture");
	if (head[23] != MML_CAPTURE_VERSION)
		return wrong(c, -EBADMSG,
			     "is of version %u of the format, this reader knows %u: is there a newer mmlens?",
			     head[23], MML_CAPTURE_VERSION);
	return 0;
}

static int read_tail(struct mml_capture *c)
{
	const uint64_t at = c->size - MML_TAIL_SIZE;
	uint8_t tail[MML_TAIL_SIZE];
	int ret = read_at(c, tail, sizeof(tail), at);

	if (ret)
		return ret;
	if (get_le32(tail) != MML_SKIPPABLE ||
	    get_le32(tail + 4) != MML_TAIL_SIZE - 8 ||
	    memcmp(tail + 16, MML_CAPTURE_END, 8))
		return wrong(c, -EBADMSG,
			     "truncated, or damaged at its end: no index");
	memcpy(&c->index_at, tail + 8, sizeof(c->index_at));
	c->index_at = le64toh(c->index_at);
	if (c->index_at < MML_HEAD_SIZE || c->index_at >= at)
		return damaged(c, at + 8, "no place of the index");
	return 0;
}

static int take_header(struct mml_capture *c, const uint8_t *data,
		       size_t length)
{
	size_t known;

	if (length < sizeof(c->header))
		return damaged(c, MML_HEAD_SIZE, "a header that is too short");
	memcpy(&c->header, data, sizeof(c->header));
	if (c->header.order == __builtin_bswap32(MML_ORDER))
		return wrong(c, -EBADMSG,
			     "was taken on a machine of the other byte order");
	if (c->header.order != MML_ORDER ||
	    c->header.info_size > length - sizeof(c->header))
		return damaged(c, MML_HEAD_SIZE, "a header without sense");
	known = c->header.info_size;
	if (known > sizeof(c->info))
		known = sizeof(c->info);
	memcpy(&c->info, data + sizeof(c->header), known);
	c->info.version[sizeof(c->info.version) - 1] = '\0';
	c->info.release[sizeof(c->info.release) - 1] = '\0';
	if (!mmlens_info_is_sane(&c->info))
		return wrong(c, -EBADMSG,
			     "was taken on a machine that this reader can't make sense of (page size 2^%u, ELF machine %u)",
			     c->info.page_shift, c->info.arch);
	return 0;
}

/* The first frame: as much is read as it may have. */
static int read_header(struct mml_capture *c)
{
	const uint64_t left = c->index_at - MML_HEAD_SIZE;
	size_t room = left < HEADER_MAX ? left : HEADER_MAX, size, length;
	uint8_t *packed = malloc(room + 1), *data = NULL;
	int ret = packed ? read_at(c, packed, room, MML_HEAD_SIZE) : -ENOMEM;

	if (ret)
		goto out;
	size = ZSTD_findFrameCompressedSize(packed, room);
	if (ZSTD_isError(size)) {
		ret = damaged(c, MML_HEAD_SIZE, "no header");
		goto out;
	}
	ret = read_frame(c, MML_HEAD_SIZE, size, HEADER_MAX, &data, &length);
	if (!ret)
		ret = take_header(c, data, length);
	c->blocks_at = MML_HEAD_SIZE + size;
	free(data);
out:
	free(packed);
	return ret;
}

/* ---- the index ---- */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	uint64_t offset;		/* of the next block */
};

static bool take_numbers(struct reader *r, uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!mml_get_varint(&r->at, r->end, &numbers[i]))
			return false;
	return true;
}

static bool take_block(struct mml_capture *c, struct reader *r,
		       struct mml_block *block)
{
	uint64_t n[4];

	if (!take_numbers(r, n, ARRAY_SIZE(n)))
		return false;
	if (!n[0] || n[0] > c->index_at - r->offset || !n[1] ||
	    n[1] > MML_CODED_MAX || !n[2] || n[2] > MML_BLOCK_MAX ||
	    n[0] > ZSTD_COMPRESSBOUND(MML_CODED_MAX))
		return false;
	*block = (struct mml_block) {
		.offset = r->offset,
		.size = n[0],
		.coded = n[1],
		.length = n[2],
		.first = n[3],
	};
	r->offset += n[0];
	return true;
}

static bool take_path(struct reader *r, struct mml_stored *s, uint64_t length)
{
	const bool is_file = s->nr == MML_STORED_FILE;

	if (length > (uint64_t)(r->end - r->at) || !length != !is_file)
		return false;
	if (!is_file)
		return true;
	if (memchr(r->at, '\0', length))
		return false;
	s->path = strndup((const char *)r->at, length);
	r->at += length;
	return s->path;
}

static bool take_stored(struct mml_capture *c, struct reader *r,
			struct mml_stored *s)
{
	uint64_t n[9];

	if (!take_numbers(r, n, ARRAY_SIZE(n)))
		return false;
	if (n[0] > MML_STORED_FILE || n[1] > UINT32_MAX || n[2] > INT32_MAX ||
	    n[3] > 4095 || n[8] > (uint64_t)(r->end - r->at))
		return false;
	*s = (struct mml_stored) {
		.nr = n[0], .flags = n[1], .pid = n[2], .error = n[3],
		.restarts = n[4], .max_hold_ns = n[5], .records = n[6],
	};
	if (!take_path(r, s, n[7]))
		return false;
	s->blocks = calloc(n[8] + 1, sizeof(*s->blocks));
	if (!s->blocks)
		return false;
	for (uint64_t i = 0; i < n[8]; i++)
		if (!take_block(c, r, &s->blocks[s->count++]))
			return false;
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	const struct mml_stored *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int sort_files(struct mml_capture *c)
{
	c->files = calloc(c->count + 1, sizeof(*c->files));
	if (!c->files)
		return wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < c->count; i++)
		if (c->stored[i].path)
			c->files[c->file_count++] = &c->stored[i];
	qsort(c->files, c->file_count, sizeof(*c->files), compare_paths);
	return 0;
}

static int take_index(struct mml_capture *c, const uint8_t *data,
		      size_t length)
{
	struct reader r = { data, data + length, c->blocks_at };
	uint64_t count;

	/* Each takes some bytes: no count is larger than they are. */
	if (!take_numbers(&r, &count, 1) || count > length)
		return damaged(c, c->index_at, "an index without sense");
	c->stored = calloc(count + 1, sizeof(*c->stored));
	if (!c->stored)
		return wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
	while (c->count < count)
		if (!take_stored(c, &r, &c->stored[c->count++]))
			return damaged(c, c->index_at,
				       "an index without sense");
	if (r.at != r.end || r.offset != c->index_at)
		return damaged(c, c->index_at,
			       "an index that doesn't fit the file");
	return sort_files(c);
}

static int read_index(struct mml_capture *c)
{
	const uint64_t size = c->size - MML_TAIL_SIZE - c->index_at;
	uint8_t *data = NULL;
	size_t length;
	int ret;

	if (size > ZSTD_COMPRESSBOUND(INDEX_MAX))
		return damaged(c, c->index_at, "an index that is too large");
	ret = read_frame(c, c->index_at, size, INDEX_MAX, &data, &length);
	if (!ret)
		ret = take_index(c, data, length);
	free(data);
	return ret;
}

/* ---- opening ---- */

static int prepare(struct mml_capture *c)
{
	c->zstd = ZSTD_createDCtx();
	c->coder = malloc(sizeof(*c->coder));
	c->packed = malloc(ZSTD_COMPRESSBOUND(MML_CODED_MAX));
	c->coded = malloc(MML_CODED_MAX);
	if (!c->zstd || !c->coder || !c->packed || !c->coded)
		return wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	/* What a fuzzer changes must get past the checksums to be tried. */
	ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_forceIgnoreChecksum,
			       ZSTD_d_ignoreChecksum);
#endif
	return 0;
}

static int look_at_file(struct mml_capture *c)
{
	struct stat st;

	if (fstat(c->fd, &st))
		return wrong(c, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return wrong(c, -EBADMSG, "isn't a regular file");
	c->size = st.st_size;
	return 0;
}

struct mml_capture *mml_capture_open(int fd, char why[MML_WHY])
{
	struct mml_capture *c = calloc(1, sizeof(*c));
	int ret;

	if (!c) {
		snprintf(why, MML_WHY, "%s", strerror(ENOMEM));
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	c->fd = fd;
	ret = look_at_file(c);
	if (!ret)
		ret = prepare(c);
	if (!ret)
		ret = read_head(c);
	if (!ret)
		ret = read_tail(c);
	if (!ret)
		ret = read_header(c);
	if (!ret)
		ret = read_index(c);
	if (!ret)
		return c;
	memcpy(why, c->why, MML_WHY);
	mml_capture_close(c);
	errno = -ret;
	return NULL;
}

void mml_capture_close(struct mml_capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++) {
		free(c->stored[i].path);
		free(c->stored[i].blocks);
	}
	for (size_t i = 0; i < CACHED; i++)
		free(c->cache[i].data);
	free(c->stored);
	free(c->files);
	free(c->coder);
	free(c->packed);
	free(c->coded);
	ZSTD_freeDCtx(c->zstd);
	close(c->fd);
	free(c);
}

/* ---- what it has ---- */

const struct mml_header *mml_capture_header(const struct mml_capture *capture)
{
	return &capture->header;
}

const struct mmlens_info *mml_capture_info(const struct mml_capture *capture)
{
	return &capture->info;
}

const struct mml_stored *mml_capture_all(const struct mml_capture *capture,
					 size_t *count)
{
	*count = capture->count;
	return capture->stored;
}

const struct mml_stored *mml_capture_find(const struct mml_capture *capture,
					  unsigned int nr, uint32_t flags,
					  int pid)
{
	for (size_t i = 0; i < capture->count; i++) {
		const struct mml_stored *s = &capture->stored[i];

		if (s->nr == nr && s->pid == pid && s->flags == flags)
			return s;
	}
	return NULL;
}

/* ---- blocks ---- */

static int decode_block(struct mml_capture *c, const struct mml_block *block,
			uint8_t *data)
{
	const uint8_t *in = c->coded, *end = in + block->coded;
	size_t at = 0;

	mml_coder_reset(c->coder, c->info.page_shift);
	while (at < block->length) {
		struct mmlens_record *rec = (void *)(data + at);
		const size_t left = block->length - at;

		if (!mml_decode(c->coder, &in, end, rec, left) ||
		    mmlens_record_check(&c->info, rec, left))
			return damaged(c, block->offset,
				       "a record without sense");
		at += rec->size;
	}
	if (in != end)
		return damaged(c, block->offset, "more than its records");
	return 0;
}

static int load(struct mml_capture *c, const struct mml_stored *stored,
		const struct mml_block *block, uint8_t *data)
{
	int ret = read_at(c, c->packed, block->size, block->offset);

	if (!ret)
		ret = unpack(c, c->packed, block->size, block->offset,
			     c->coded, block->coded);
	if (ret)
		return ret;
	if (stored->nr != MML_STORED_FILE)
		return decode_block(c, block, data);
	if (block->length != block->coded)
		return damaged(c, block->offset, "a file of another size");
	memcpy(data, c->coded, block->length);
	return 0;
}

static struct cached *oldest(struct mml_capture *c)
{
	struct cached *oldest = &c->cache[0];

	for (size_t i = 1; i < CACHED; i++)
		if (c->cache[i].used < oldest->used)
			oldest = &c->cache[i];
	return oldest;
}

int mml_capture_block(struct mml_capture *c, const struct mml_stored *stored,
		      size_t i, const uint8_t **data, size_t *length)
{
	const struct mml_block *block = &stored->blocks[i];
	struct cached *slot = NULL;
	int ret;

	for (size_t n = 0; n < CACHED && !slot; n++)
		if (c->cache[n].block == block)
			slot = &c->cache[n];
	if (!slot) {
		slot = oldest(c);
		slot->block = NULL;
		if (!slot->data)
			slot->data = malloc(MML_BLOCK_MAX);
		if (!slot->data)
			return wrong(c, -ENOMEM, "%s", strerror(ENOMEM));
		ret = load(c, stored, block, slot->data);
		if (ret)
			return ret;
		slot->block = block;
		slot->length = block->length;
	}
	slot->used = ++c->clock;
	*data = slot->data;
	*length = slot->length;
	return 0;
}

/* ---- files ---- */

static const struct mml_stored *find_file(const struct mml_capture *c,
					  const char *path)
{
	const struct mml_stored key = { .path = (char *)path }, *at = &key;
	const struct mml_stored **found;

	found = bsearch(&at, c->files, c->file_count, sizeof(*c->files),
			compare_paths);
	return found ? *found : NULL;
}

bool mml_capture_has_file(const struct mml_capture *capture, const char *path)
{
	return find_file(capture, path);
}

char *mml_capture_file(struct mml_capture *c, const char *path, size_t *length)
{
	const struct mml_stored *s = find_file(c, path);
	uint64_t size = 0;
	char *text;

	if (!s) {
		errno = ENOENT;
		return NULL;
	}
	for (size_t i = 0; i < s->count; i++)
		size += s->blocks[i].length;
	if (size > FILE_MAX_BYTES) {
		errno = EFBIG;
		return NULL;
	}
	text = malloc(size + 1);
	if (!text)
		return NULL;
	*length = 0;
	for (size_t i = 0; i < s->count; i++) {
		const uint8_t *data;
		size_t n;
		int ret = mml_capture_block(c, s, i, &data, &n);

		if (ret) {
			free(text);
			errno = -ret;
			return NULL;
		}
		memcpy(text + *length, data, n);
		*length += n;
	}
	text[*length] = '\0';
	return text;
}

int mml_capture_list(const struct mml_capture *c, const char *dir,
		     void (*told)(const char *name, void *context),
		     void *context)
{
	const size_t length = strlen(dir);

	for (size_t i = 0; i < c->file_count; i++) {
		const char *path = c->files[i]->path;
		char *name;

		if (strncmp(path, dir, length) || path[length] != '/')
			continue;
		path += length + 1;
		name = strndup(path, strcspn(path, "/"));
		if (!name)
			return -ENOMEM;
		told(name, context);
		free(name);
	}
	return 0;
}
