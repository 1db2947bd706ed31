// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "line.h"
#include "view.h"

static void append(struct line *l, const char *bytes, size_t length)
{
	if (length > sizeof(l->text) - l->length)
		length = sizeof(l->text) - l->length;
	memcpy(l->text + l->length, bytes, length);
	l->length += length;
}

void line_string(struct line *l, const char *s)
{
	append(l, s, strlen(s));
}

void line_char(struct line *l, char c)
{
	if (l->length < sizeof(l->text))
		l->text[l->length++] = c;
}

void line_hex(struct line *l, uint64_t value, unsigned int digits)
{
	char room[16];
	size_t at = sizeof(room);

	while (at && (value || digits)) {
		room[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
		digits -= !!digits;
	}
	append(l, room + at, sizeof(room) - at);
}

void line_number(struct line *l, uint64_t value)
{
	char room[20];
	size_t at = sizeof(room);

	do
		room[--at] = '0' + value % 10;
	while (value /= 10);
	append(l, room + at, sizeof(room) - at);
}

void line_pad(struct line *l, size_t column)
{
	do
		line_char(l, ' ');
	while (l->length < column);
}

void line_right(struct line *l, size_t width, const char *s)
{
	for (size_t length = strlen(s); length < width; length++)
		line_char(l, ' ');
	line_string(l, s);
	line_char(l, ' ');
}

void line_size(struct line *l, uint64_t size)
{
	const char *unit = "BKMGTPE";

	while (size && size % 1024 == 0 && unit[1]) {
		size /= 1024;
		unit++;
	}
	line_number(l, size);
	line_char(l, *unit);
}

void line_flags(struct line *l, const struct mmlens_flag *table,
		uint64_t flags, const char *divider)
{
	const char *before = "";

	for (; table->bit; table++) {
		if (!(flags & table->bit))
			continue;
		line_string(l, before);
		line_string(l, table->name);
		before = divider;
	}
}

void line_letters(struct line *l, const struct mmlens_flag *table,
		  uint64_t flags)
{
	for (; table->bit; table++)
		line_char(l, flags & table->bit ? table->brief[0] : '-');
}

void line_raw_bits(struct line *l, const struct mmlens_info *info,
		   unsigned int level, uint32_t flags, uint64_t raw)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	size_t n = mmlens_raw_bits(info, level, flags, raw, names);

	for (size_t i = 0; i < n; i++) {
		if (i)
			line_char(l, ' ');
		line_string(l, names[i]);
	}
}

static void put(struct line *l, struct view *v)
{
	fwrite_unlocked(l->text, 1, l->length, v->out);
	l->length = 0;
	view_check(v);
}

void line_end(struct line *l, struct view *v)
{
	line_char(l, '\n');
	put(l, v);
}

/* ---- JSON ---- */

static void member_key(struct line *l, const char *key)
{
	if (l->length && l->text[l->length - 1] != '{')
		line_string(l, ", ");
	line_char(l, '"');
	line_string(l, key);
	line_string(l, "\": ");
}

void member_hex(struct line *l, const char *key, uint64_t value)
{
	member_key(l, key);
	line_string(l, "\"0x");
	line_hex(l, value, 1);
	line_char(l, '"');
}

void member_number(struct line *l, const char *key, uint64_t value)
{
	member_key(l, key);
	line_number(l, value);
}

void member_bool(struct line *l, const char *key, bool value)
{
	member_key(l, key);
	line_string(l, value ? "true" : "false");
}

void member_name(struct line *l, const char *key, const char *name)
{
	member_key(l, key);
	line_char(l, '"');
	line_string(l, name);
	line_char(l, '"');
}

void member_flags(struct line *l, const char *key,
		  const struct mmlens_flag *table, uint64_t flags)
{
	const char *before = "\"";

	member_key(l, key);
	line_char(l, '[');
	for (; table->bit; table++) {
		if (!(flags & table->bit))
			continue;
		line_string(l, before);
		line_string(l, table->name);
		line_char(l, '"');
		before = ", \"";
	}
	line_char(l, ']');
}

void member_value(struct line *l, uint32_t flags, uint64_t value)
{
	enum mmlens_pte_state state = mmlens_state(flags);

	if (state == MMLENS_STATE_TABLE || mmlens_state_has_pfn(state)) {
		member_number(l, "pfn", value);
	} else if (state == MMLENS_STATE_SWAP) {
		member_key(l, "swap");
		line_char(l, '{');
		member_number(l, "type", MMLENS_SWAP_TYPE(value));
		member_number(l, "offset", MMLENS_SWAP_OFFSET(value));
		line_char(l, '}');
	} else if (state == MMLENS_STATE_MARKER) {
		member_flags(l, "marker", mmlens_marker_flags(), value);
	}
}

void member_raw_bits(struct line *l, const struct mmlens_info *info,
		     unsigned int level, uint32_t flags, uint64_t raw)
{
	const char *names[MMLENS_MAX_RAW_BITS];
	size_t n = mmlens_raw_bits(info, level, flags, raw, names);

	member_key(l, "raw_bits");
	line_char(l, '[');
	for (size_t i = 0; i < n; i++) {
		line_string(l, i ? ", \"" : "\"");
		line_string(l, names[i]);
		line_char(l, '"');
	}
	line_char(l, ']');
}

void member_put(struct line *l, struct view *v, const char *key)
{
	json_before(v, key);
	put(l, v);
}
