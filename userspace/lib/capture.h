/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture files: how they are laid out (docs/capture.md), written and read.
 *
 *   capture_code.c	records <-> bytes that compress well
 *   capture_pack.c	blocks of them compressed, by threads
 *   capture_write.c	blocks, index, the file's coming to be
 *   capture_read.c	the same backwards, with every byte distrusted
 *   capture_take.c	what goes into one
 *   replay.c		a transport that answers out of one
 */
#ifndef MMLENS_LIB_CAPTURE_H
#define MMLENS_LIB_CAPTURE_H

#include "libmmlens.h"

#define MML_CAPTURE_VERSION	1
#define MML_CAPTURE_MAGIC	"mmlens capture\n"	/* 15 bytes */
#define MML_CAPTURE_END		"mmlens\n"		/* 8 with the NUL */

/* Frames that zstd skips: the first and the last of the file. */
#define MML_SKIPPABLE		0x184d2a5du
#define MML_HEAD_SIZE		24
#define MML_TAIL_SIZE		24

/* Bytes of records in a block, and the most that a longest record may add. */
#define MML_BLOCK_BYTES		(256 * 1024)
#define MML_BLOCK_MAX		(MML_BLOCK_BYTES + 64 * 1024)
/* Ten bytes at most stand for a word of eight. */
#define MML_CODED_MAX		(MML_BLOCK_MAX / 8 * 11 + 16)

/* mml_stored.nr of what isn't a query's answer. */
#define MML_STORED_FILE		255

/* Files that no file system has: what the library found out by other means. */
#define MML_FILE_USERS		"mmlens:users"		/* "UID NAME" lines */
#define MML_FILE_MEMCGS		"mmlens:memcgs"		/* "INODE PATH" lines */
#define MML_FILE_MEMCG_ROOT	"mmlens:memcg_root"	/* where they are mounted */
#define MML_FILE_SYSV		"mmlens:sysv"		/* "MAJOR MINOR" */
#define MML_FILE_KPAGEFLAGS	"mmlens:kpageflags"	/* "PFN COUNT FLAGS" lines */

/* ---- records <-> bytes ---- */

#define MML_FIXED_WORDS		32

struct mml_coder {
	unsigned int page_shift;
	uint64_t prev[256][MML_FIXED_WORDS];	/* by type: the one before */
};

/* A block begins: nothing is known of what stands before. */
void mml_coder_reset(struct mml_coder *coder, unsigned int page_shift);
/* Into @out, which has room for the longest.  Return: bytes. */
size_t mml_encode(struct mml_coder *coder, const struct mmlens_record *rec,
		  uint8_t *out);
/*
 * One record of @in, into @rec, which has @room bytes; moves *@in.
 * Return: its size; 0 when there is none that makes sense.
 */
size_t mml_decode(struct mml_coder *coder, const uint8_t **in,
		  const uint8_t *end, struct mmlens_record *rec, size_t room);

/* Into @out, which has room for 10 bytes.  Return: how many it takes. */
size_t mml_put_varint(uint8_t *out, uint64_t value);
bool mml_get_varint(const uint8_t **in, const uint8_t *end, uint64_t *value);

/* ---- what a capture has ---- */

struct mml_block {
	uint64_t offset;		/* in the file */
	uint32_t size;			/* there */
	uint32_t coded;			/* bytes when decompressed */
	uint32_t length;		/* bytes of records; of a file as @coded */
	uint64_t first;			/* key of its first record, to seek */
};

/**
 * struct mml_stored - An answer, or a file.
 * @nr:		the query; MML_STORED_FILE
 * @flags:	MMLENS_WALK_* it was asked with
 * @pid:	0: the machine
 * @error:	a positive errno that it ended with
 * @restarts:	as in &struct mmlens_stats
 * @max_hold_ns: likewise
 * @records:	how many
 * @path:	of a file
 * @blocks:	its parts
 * @count:	how many
 */
struct mml_stored {
	unsigned int nr;
	uint32_t flags;
	int pid;
	uint32_t error;
	uint64_t restarts;
	uint64_t max_hold_ns;
	uint64_t records;
	char *path;
	struct mml_block *blocks;
	size_t count;
};

struct mml_header {
	uint32_t order;			/* MML_ORDER as the writer has it */
	uint32_t info_size;		/* bytes of mmlens_info behind this */
	uint64_t seconds;		/* since 1970 */
	uint64_t flags;			/* MML_HEADER_* */
};

#define MML_ORDER		0x01020304u
#define MML_HEADER_MACHINE	1u

/* ---- writing ---- */

struct mml_writer;

/* NULL and errno. */
struct mml_writer *mml_writer_open(const char *path,
				   const struct mmlens_info *info,
				   uint64_t flags);
/* An answer begins; of a file with @path.  0 or a negative errno. */
int mml_writer_begin(struct mml_writer *w, unsigned int nr, uint32_t flags,
		     int pid, const char *path);
int mml_writer_record(struct mml_writer *w, const struct mmlens_record *rec);
int mml_writer_bytes(struct mml_writer *w, const void *data, size_t length);
int mml_writer_end(struct mml_writer *w, int error,
		   const struct mmlens_stats *stats);
/* A whole file. */
int mml_writer_file(struct mml_writer *w, const char *path, const void *data,
		    size_t length);
/* Bytes written so far. */
uint64_t mml_writer_size(const struct mml_writer *w);
/* The file takes its name; frees @w.  0 or a negative errno. */
int mml_writer_commit(struct mml_writer *w);
/* Nothing is left; frees @w.  NULL is fine. */
void mml_writer_abort(struct mml_writer *w);
/* Keeps it open without a name, to be read; frees @w.  A descriptor or -errno. */
int mml_writer_finish(struct mml_writer *w);

/* ---- reading ---- */

#define MML_WHY	256

struct mml_capture;

/* Takes @fd.  NULL, errno and in @why what is wrong. */
struct mml_capture *mml_capture_open(int fd, char why[MML_WHY]);
void mml_capture_close(struct mml_capture *capture);
const struct mml_header *mml_capture_header(const struct mml_capture *capture);
const struct mmlens_info *mml_capture_info(const struct mml_capture *capture);
const struct mml_stored *mml_capture_all(const struct mml_capture *capture,
					 size_t *count);
/* The one of a query, with all of these flags; NULL without. */
const struct mml_stored *mml_capture_find(const struct mml_capture *capture,
					  unsigned int nr, uint32_t flags,
					  int pid);
/*
 * Block @i of @stored, taken apart, valid until the next few are asked for.
 * 0 or a negative errno.
 */
int mml_capture_block(struct mml_capture *capture,
		      const struct mml_stored *stored, size_t i,
		      const uint8_t **data, size_t *length);
/* What is wrong, after an error; "" if nothing is. */
char *mml_capture_why(struct mml_capture *capture);

char *mml_capture_file(struct mml_capture *capture, const char *path,
		       size_t *length);
bool mml_capture_has_file(const struct mml_capture *capture, const char *path);
int mml_capture_list(const struct mml_capture *capture, const char *dir,
		     void (*told)(const char *name, void *context),
		     void *context);

/*
 * A connection that answers out of @capture, which it takes.  With @files the
 * library reads its files instead of the running machine's until it is closed.
 */
struct mmlens *mml_replay_open(struct mml_capture *capture, bool files);

#endif
