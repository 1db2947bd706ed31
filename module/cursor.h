/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a walk of several lists stands, in the two words that a caller keeps. */
#ifndef MML_CURSOR_H
#define MML_CURSOR_H

#include <linux/types.h>

/* The lowest bits of @word, which it loses. */
static inline unsigned long mml_take_bits(unsigned long *word,
					  unsigned int bits)
{
	unsigned long low = *word & ((1UL << bits) - 1);

	*word >>= bits;
	return low;
}

/* The other way round: @value, cut off to its bits, below what is there. */
static inline void mml_put_bits(unsigned long *word, unsigned int bits,
				unsigned long value)
{
	*word = *word << bits | (value & ((1UL << bits) - 1));
}

#endif
