/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks of a capture become frames: coded and compressed by threads while the
 * next one fills, and handed back in the order in which they were filled.
 */
#ifndef MMLENS_LIB_CAPTURE_PACK_H
#define MMLENS_LIB_CAPTURE_PACK_H

#include <zstd.h>

#include "capture.h"

struct mml_packer;

/**
 * mml_compressor - With the level and the checksum that frames have.
 *
 * Return: it, for ZSTD_freeCCtx(); NULL: no memory.
 */
ZSTD_CCtx *mml_compressor(void);

/**
 * struct mml_packed - A block that is to be written.
 * @answer:	the index of the answer that it is of, as told when it was filled
 * @block:	all but its offset
 * @data:	its frame, of @block.size bytes
 */
struct mml_packed {
	size_t answer;
	struct mml_block block;
	const uint8_t *data;
};

/* NULL without memory. */
struct mml_packer *mml_packer_open(unsigned int page_shift);
/* Waits for what is under way; NULL is fine. */
void mml_packer_close(struct mml_packer *p);

/* Where the block that comes next is filled: MML_BLOCK_MAX bytes. */
uint8_t *mml_packer_room(struct mml_packer *p);
/* It is full: records, or the @plain bytes of a file. */
void mml_packer_filled(struct mml_packer *p, size_t answer, size_t length,
		       uint64_t first, bool plain);
/*
 * The oldest block that hasn't been written: with @all or when there is no room
 * for another it is waited for.  Return: 1, valid until mml_packer_room() is
 * called; 0, there is none; a negative errno.
 */
int mml_packer_next(struct mml_packer *p, bool all, struct mml_packed *packed);

#endif
