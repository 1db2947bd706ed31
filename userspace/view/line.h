/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line of output in the making.  Dumps have millions of lines: printf() and
 * objects of json-c take several times as long as the walk itself.
 */
#ifndef MMLENS_LINE_H
#define MMLENS_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libmmlens.h"

struct view;

/* What doesn't fit is cut off; twice the longest line there is. */
#define LINE_MAX_LENGTH 2048

struct line {
	size_t length;
	char text[LINE_MAX_LENGTH];
};

void line_bytes(struct line *l, const char *bytes, size_t length);

/* Inline: the length of a constant is known. */
static inline void line_string(struct line *l, const char *s)
{
	line_bytes(l, s, strlen(s));
}

void line_char(struct line *l, char c);
/* What others chose: no control character gets to the terminal. */
void line_name(struct line *l, const char *name);
/* Hexadecimal of at least @digits digits. */
void line_hex(struct line *l, uint64_t value, unsigned int digits);
void line_number(struct line *l, uint64_t value);
/* In a column of @width that ends here. */
void line_number_right(struct line *l, size_t width, uint64_t value);
/* Spaces up to a column; one at least. */
void line_pad(struct line *l, size_t column);
/* @s in a column of @width that ends here, then a space. */
void line_right(struct line *l, size_t width, const char *s);
void line_right_number(struct line *l, size_t width, int64_t value);
/* "4K", "2M", "1G" */
void line_size(struct line *l, uint64_t size);
/* Names of the flags that are set, divided by @divider. */
void line_flags(struct line *l, const struct mmlens_flag *table,
		uint64_t flags, const char *divider);
/* A letter for each flag of the table, '-' where it isn't set. */
void line_letters(struct line *l, const struct mmlens_flag *table,
		  uint64_t flags);
/* VmFlags of smaps: mnemonics, each with a space behind it. */
void line_vm_flags(struct line *l, const struct mmlens_smaps_format *format,
		   uint64_t raw);
/*
 * What all levels leave of an entry, as maps has it: u user, r readable,
 * w writable, x executable.  All dashes where it isn't known or there's
 * nothing to access.
 */
void line_effective(struct line *l, const struct mmlens_info *info,
		    uint32_t flags);
/* Long names of page flags, divided by commas; "bit_N" without a name. */
void line_page_flags(struct line *l, uint64_t flags);
/* The architecture's names of the bits that are set, divided by spaces. */
void line_raw_bits(struct line *l, const struct mmlens_info *info,
		   unsigned int level, uint32_t flags, uint64_t raw);

/* Write what there is of the line and make it empty. */
void line_put(struct line *l, struct view *v);
/* Write the line, with a newline, and make it empty. */
void line_end(struct line *l, struct view *v);

/*
 * Members of a JSON object in the making: ', "KEY": VALUE', without the comma
 * behind an opening brace.  Strings are names of this program's own, which
 * need no escapes.
 */
void member_hex(struct line *l, const char *key, uint64_t value);
void member_number(struct line *l, const char *key, uint64_t value);
void member_signed(struct line *l, const char *key, int64_t value);
void member_bool(struct line *l, const char *key, bool value);
void member_name(struct line *l, const char *key, const char *name);
/* What others chose, as json_add_bytes(). */
void member_text(struct line *l, const char *key, const char *text);
void member_flags(struct line *l, const char *key,
		  const struct mmlens_flag *table, uint64_t flags);
/* "pfn", "swap" or "marker", as the state in @flags says. */
void member_value(struct line *l, uint32_t flags, uint64_t value);
/* "effective": long names; nothing where it isn't known. */
void member_effective(struct line *l, const struct mmlens_info *info,
		      uint32_t flags);
/* "flags": those of a page; "bit_N" without a name. */
void member_page_flags(struct line *l, uint64_t flags);
/* "page": {...} */
void member_page(struct line *l, const struct mmlens_page_state *page);
/* "raw_bits": the bits of a raw entry by their architecture's names. */
void member_raw_bits(struct line *l, const struct mmlens_info *info,
		     unsigned int level, uint32_t flags, uint64_t raw);

/* Write the line as a member of an array or object and make it empty. */
void member_put(struct line *l, struct view *v, const char *key);

#endif
