// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records as bytes: each word as its difference from what it was expected to
 * be, which mostly is none.  A record is
 *
 *	type		one byte
 *	word 0		difference, which also tells the size
 *	masks		a bit for each other word that isn't as expected
 *	words		the differences of those
 *
 * with differences as signed varints.  Words beyond those that a type always
 * has are expected to be as the one before them, the others as in the record
 * before of that type, addresses and PFNs behind its.
 */
#include <endian.h>
#include <string.h>

#include "capture.h"
#include "internal.h"

#define WORD(type, member) \
	(offsetof(struct type, member) / sizeof(uint64_t))
#define WORDS(type) (sizeof(struct type) / sizeof(uint64_t))
#define NO_WORD 0

/**
 * struct layout - What is known of a type.
 * @fixed:	words that each has
 * @va:		the word that has an address
 * @pfn:	the word that has its PFN
 * @raw:	the word that has the entry with that PFN in it
 * @count:	offset of the 32 bits that say how many pages it is of; 0: one
 */
struct layout {
	uint8_t fixed;
	uint8_t va;
	uint8_t pfn;
	uint8_t raw;
	uint8_t count;
};

static const struct layout layouts[] = {
	[MMLENS_REC_VMA] = { .fixed = WORDS(mmlens_vma) },
	[MMLENS_REC_NAME] = { .fixed = 1 },
	[MMLENS_REC_PTE] = {
		.fixed = WORDS(mmlens_pte),
		.va = WORD(mmlens_pte, va),
		.pfn = WORD(mmlens_pte, value),
		.raw = WORD(mmlens_pte, raw),
	},
	[MMLENS_REC_HOLE] = { .fixed = WORDS(mmlens_hole) },
	[MMLENS_REC_LEVEL] = {
		.fixed = WORDS(mmlens_level),
		.pfn = WORD(mmlens_level, value),
		.raw = WORD(mmlens_level, raw),
	},
	[MMLENS_REC_SMAPS] = { .fixed = WORDS(mmlens_smaps) },
	/* The first entry is expected to be as that of the run before. */
	[MMLENS_REC_RUN] = { .fixed = WORDS(mmlens_run) + 1 },
	[MMLENS_REC_PAGE] = {
		.fixed = WORDS(mmlens_page),
		.va = WORD(mmlens_page, va),
		.pfn = WORD(mmlens_page, value),
		.raw = WORD(mmlens_page, raw),
		.count = offsetof(struct mmlens_page, count),
	},
	[MMLENS_REC_NUMA] = { .fixed = WORDS(mmlens_numa) },
	[MMLENS_REC_NODE] = { .fixed = WORDS(mmlens_node) },
	[MMLENS_REC_TABLE] = {
		.fixed = WORDS(mmlens_table),
		.pfn = WORD(mmlens_table, pfn),
	},
	[MMLENS_REC_PROC] = { .fixed = WORDS(mmlens_proc) },
	[MMLENS_REC_MEMNODE] = { .fixed = WORDS(mmlens_memnode) },
	[MMLENS_REC_ZONE] = { .fixed = WORDS(mmlens_zone) },
	[MMLENS_REC_COUNTERS] = { .fixed = 1 },
	[MMLENS_REC_PAGESET] = { .fixed = WORDS(mmlens_pageset) },
	[MMLENS_REC_BLOCKS] = { .fixed = WORDS(mmlens_blocks) },
	[MMLENS_REC_PAGEBLOCKS] = { .fixed = WORDS(mmlens_pageblocks) },
	[MMLENS_REC_PFNS] = {
		.fixed = WORDS(mmlens_pfns),
		.pfn = WORD(mmlens_pfns, pfn),
		.count = offsetof(struct mmlens_pfns, count),
	},
	[MMLENS_REC_USER] = {
		.fixed = WORDS(mmlens_user),
		.va = WORD(mmlens_user, va),
		.pfn = WORD(mmlens_user, pfn),
		.count = offsetof(struct mmlens_user, count),
	},
	[MMLENS_REC_BACKING] = {
		.fixed = WORDS(mmlens_backing),
		.pfn = WORD(mmlens_backing, pfn),
	},
	[MMLENS_REC_REGION] = { .fixed = WORDS(mmlens_region) },
	[MMLENS_REC_KMAP] = { .fixed = WORDS(mmlens_kmap) },
	[MMLENS_REC_LRU] = { .fixed = WORDS(mmlens_lru_list) },
};

/* A type that isn't known here is told whole as far as it needs be. */
static const struct layout unknown = { .fixed = 1 };

static const struct layout *layout_of(unsigned int type)
{
	if (type < ARRAY_SIZE(layouts) && layouts[type].fixed)
		return &layouts[type];
	return &unknown;
}

/* ---- numbers ---- */

static size_t put_long_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = value | 0x80;
		value >>= 7;
	}
	out[n++] = value;
	return n;
}

/* 56 bits in groups of seven, one a byte. */
static uint64_t spread(uint64_t value)
{
	value = (value & 0x00fffffff0000000) << 4 | (value & 0x000000000fffffff);
	value = (value & 0x0fffc0000fffc000) << 2 | (value & 0x00003fff00003fff);
	return (value & 0x3f803f803f803f80) << 1 | (value & 0x007f007f007f007f);
}

/* How long the next one is can't be foretold: no branch for each byte. */
size_t mml_put_varint(uint8_t *out, uint64_t value)
{
	unsigned int n;
	uint64_t bytes;

	if (value < 0x80) {
		*out = value;
		return 1;
	}
	if (value >> 56)
		return put_long_varint(out, value);
	n = (70 - __builtin_clzll(value)) / 7;
	bytes = spread(value) | 0x8080808080808080 >> (72 - 8 * n);
	bytes = htole64(bytes);
	memcpy(out, &bytes, sizeof(bytes));
	return n;
}

bool mml_get_varint(const uint8_t **in, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64 && *in < end; shift += 7) {
		const uint8_t byte = *(*in)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			/* One way alone to write a number. */
			return (byte || !shift) && (shift < 63 || byte < 2);
	}
	return false;
}

static size_t put_difference(uint8_t *out, uint64_t difference)
{
	return mml_put_varint(out, difference << 1 ^ -(difference >> 63));
}

static bool get_difference(const uint8_t **in, const uint8_t *end,
			   uint64_t *difference)
{
	uint64_t folded;

	if (!mml_get_varint(in, end, &folded))
		return false;
	*difference = folded >> 1 ^ -(folded & 1);
	return true;
}

/* ---- what is expected ---- */

void mml_coder_reset(struct mml_coder *coder, unsigned int page_shift)
{
	coder->page_shift = page_shift;
	memset(coder->prev, 0, sizeof(coder->prev));
}

/* The PFN apart, an entry mostly is as the one before. */
static uint64_t without_pfn(const struct mml_coder *coder,
			    const struct layout *layout, const uint64_t *words)
{
	return words[layout->raw] - (words[layout->pfn] << coder->page_shift);
}

/* Make what is known of the record before into what is expected of the next. */
static inline void expect(struct mml_coder *coder, const struct layout *layout,
			  const uint64_t *words, size_t count, uint64_t *prev)
{
	uint32_t pages = 1;

	if (count < layout->fixed)
		return;
	memcpy(prev, words, layout->fixed * sizeof(*words));
	if (layout->count)
		memcpy(&pages, (const char *)words + layout->count,
		       sizeof(pages));
	if (layout->raw)
		prev[layout->raw] = without_pfn(coder, layout, words);
	if (layout->va)
		prev[layout->va] += (uint64_t)pages << coder->page_shift;
	if (layout->pfn)
		prev[layout->pfn] += pages;
}

/* ---- there and back ---- */

/* The words behind those that each has.  Return: where the output ends. */
static uint8_t *encode_rest(const uint64_t *words, size_t from, size_t count,
			    uint8_t *masks, uint8_t *out)
{
	for (size_t i = from; i < count; i++) {
		const uint64_t difference = words[i] - words[i - 1];

		if (!difference)
			continue;
		masks[(i - 1) / 8] |= 1u << (i - 1) % 8;
		out += put_difference(out, difference);
	}
	return out;
}

/* The difference of word @i, one of those that each has. */
static inline uint64_t difference_of(const struct mml_coder *coder,
				     const struct layout *layout,
				     const uint64_t *words,
				     const uint64_t *prev, size_t i, bool whole)
{
	if (whole && layout->raw && i == layout->raw)
		return without_pfn(coder, layout, words) - prev[i];
	return words[i] - prev[i];
}

/*
 * Inline, so that one whose layout and length are constants has no loop that
 * asks for them.
 */
static inline __attribute__((always_inline))
size_t encode(struct mml_coder *coder, const struct layout *layout,
	      const uint64_t *words, size_t count, uint8_t *out)
{
	const unsigned int type = ((const struct mmlens_record *)words)->type;
	const bool whole = count >= layout->fixed;
	const size_t known = whole ? layout->fixed : count;
	uint64_t *prev = coder->prev[type];
	uint8_t *const begin = out;
	uint32_t set = 0;
	uint8_t *masks;

	#pragma GCC unroll 8
	for (size_t i = 1; i < known; i++)
		set |= (uint32_t)!!difference_of(coder, layout, words, prev, i,
						 whole) << (i - 1);
	*out++ = type;
	out += put_difference(out, words[0] - prev[0]);
	masks = out;
	out += (count + 6) / 8;
	memset(masks, 0, out - masks);
	for (size_t i = 0; i < (known + 6) / 8; i++)
		masks[i] = set >> 8 * i;
	for (; set; set &= set - 1)
		out += put_difference(out, difference_of(coder, layout, words,
			prev, __builtin_ctz(set) + 1, whole));
	out = encode_rest(words, known, count, masks, out);
	expect(coder, layout, words, count, prev);
	return out - begin;
}

size_t mml_encode(struct mml_coder *coder, const struct mmlens_record *rec,
		  uint8_t *out)
{
	const uint64_t *words = (const void *)rec;

	/* Most are of this kind. */
	if (rec->type == MMLENS_REC_PAGE &&
	    rec->size == sizeof(struct mmlens_page))
		return encode(coder, &layouts[MMLENS_REC_PAGE], words,
			      WORDS(mmlens_page), out);
	return encode(coder, layout_of(rec->type), words,
		      rec->size / sizeof(*words), out);
}

static bool decode_words(const struct layout *layout, const uint64_t *prev,
			 const uint8_t **in, const uint8_t *end,
			 uint64_t *words, size_t count)
{
	const uint8_t *masks = *in;
	const size_t bytes = (count + 6) / 8;

	if ((size_t)(end - *in) < bytes)
		return false;
	*in += bytes;
	for (size_t i = 1; i < count; i++) {
		uint64_t difference = 0;

		if (masks[(i - 1) / 8] >> (i - 1) % 8 & 1 &&
		    !get_difference(in, end, &difference))
			return false;
		words[i] = difference +
			   (i < layout->fixed ? prev[i] : words[i - 1]);
	}
	return true;
}

size_t mml_decode(struct mml_coder *coder, const uint8_t **in,
		  const uint8_t *end, struct mmlens_record *rec, size_t room)
{
	uint64_t *words = (void *)rec, *prev, difference;
	const struct layout *layout;
	uint8_t type;
	size_t count;

	if (*in >= end || room < sizeof(*words))
		return 0;
	type = *(*in)++;
	layout = layout_of(type);
	prev = coder->prev[type];
	if (!get_difference(in, end, &difference))
		return 0;
	words[0] = prev[0] + difference;
	count = rec->size / sizeof(*words);
	if (!count || rec->size % sizeof(*words) || rec->type != type ||
	    rec->size > room)
		return 0;
	if (!decode_words(layout, prev, in, end, words, count))
		return 0;
	if (layout->raw && count >= layout->fixed)
		words[layout->raw] += words[layout->pfn] << coder->page_shift;
	expect(coder, layout, words, count, prev);
	return rec->size;
}
