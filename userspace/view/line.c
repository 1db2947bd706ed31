// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "line.h"
#include "view.h"

void line_bytes(struct line *l, const char *bytes, size_t length)
{
	if (length > sizeof(l->text) - l->length)
		length = sizeof(l->text) - l->length;
	memcpy(l->text + l->length, bytes, length);
	l->length += length;
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
	line_bytes(l, room + at, sizeof(room) - at);
}

void line_number_right(struct line *l, size_t width, uint64_t value)
{
	char room[64];
	size_t at = sizeof(room);

	do
		room[--at] = '0' + value % 10;
	while (value /= 10);
	if (width > sizeof(room))
		width = sizeof(room);
	if (at > sizeof(room) - width) {
		memset(room + sizeof(room) - width, ' ',
		       at - (sizeof(room) - width));
		at = sizeof(room) - width;
	}
	line_bytes(l, room + at, sizeof(room) - at);
}

void line_number(struct line *l, uint64_t value)
{
	line_number_right(l, 0, value);
}

static void spaces(struct line *l, size_t count)
{
	if (count > sizeof(l->text) - l->length)
		count = sizeof(l->text) - l->length;
	memset(l->text + l->length, ' ', count);
	l->length += count;
}

void line_name(struct line *l, const char *name)
{
	for (; *name; name++)
		line_char(l, (*name >= 0 && *name < ' ') || *name == 0x7f ?
			     '?' : *name);
}

void line_pad(struct line *l, size_t column)
{
	spaces(l, column > l->length ? column - l->length : 1);
}

static void right(struct line *l, size_t width, const char *s, size_t length)
{
	if (length < width)
		spaces(l, width - length);
	line_bytes(l, s, length);
	line_char(l, ' ');
}

void line_right(struct line *l, size_t width, const char *s)
{
	right(l, width, s, strlen(s));
}

void line_right_number(struct line *l, size_t width, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char room[21];
	size_t at = sizeof(room);

	do
		room[--at] = '0' + left % 10;
	while (left /= 10);
	if (value < 0)
		room[--at] = '-';
	right(l, width, room + at, sizeof(room) - at);
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

static bool has_effective(const struct mmlens_info *info, uint32_t flags)
{
	return mmlens_has_effective(info) &&
	       mmlens_state_is_present(mmlens_state(flags));
}

void line_effective(struct line *l, const struct mmlens_info *info,
		    uint32_t flags)
{
	enum mmlens_pte_state state = mmlens_state(flags);
	bool readable = !(flags & MMLENS_PTE_PROT_NONE) &&
			state != MMLENS_STATE_NUMA_HINT;

	if (!has_effective(info, flags)) {
		line_string(l, "----");
		return;
	}
	line_char(l, flags & MMLENS_EFF_USER ? 'u' : '-');
	line_char(l, readable ? 'r' : '-');
	line_char(l, flags & MMLENS_EFF_WRITE ? 'w' : '-');
	line_char(l, flags & MMLENS_EFF_NX ? '-' : 'x');
}

/* Bits that no table has. */
static uint64_t without_name(const struct mmlens_flag *table, uint64_t flags)
{
	for (; table->bit; table++)
		flags &= ~table->bit;
	return flags;
}

void line_page_flags(struct line *l, uint64_t flags)
{
	uint64_t rest = without_name(mmlens_page_flags(), flags);
	bool first = rest == flags;

	line_flags(l, mmlens_page_flags(), flags, ",");
	for (unsigned int bit = 0; rest; bit++, rest >>= 1) {
		if (!(rest & 1))
			continue;
		line_string(l, first ? "bit_" : ",bit_");
		line_number(l, bit);
		first = false;
	}
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

void line_put(struct line *l, struct view *v)
{
	fwrite_unlocked(l->text, 1, l->length, v->out);
	l->length = 0;
	view_check(v);
}

void line_end(struct line *l, struct view *v)
{
	line_char(l, '\n');
	line_put(l, v);
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

void member_signed(struct line *l, const char *key, int64_t value)
{
	member_key(l, key);
	if (value < 0)
		line_char(l, '-');
	line_number(l, value < 0 ? -(uint64_t)value : (uint64_t)value);
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

/* Is it the same in JSON? */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

void member_text(struct line *l, const char *key, const char *text)
{
	struct json_object *o;

	if (is_plain(text)) {
		member_name(l, key, text);
		return;
	}
	o = json_object_new_object();
	json_add_bytes(o, key, text, strlen(text));
	json_object_object_foreach(o, name, value) {
		member_key(l, name);
		line_string(l, json_object_to_json_string_ext(
				       value, JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(o);
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

void member_effective(struct line *l, const struct mmlens_info *info,
		      uint32_t flags)
{
	if (has_effective(info, flags))
		member_flags(l, "effective", mmlens_effective_flags(), flags);
}

void member_page_flags(struct line *l, uint64_t flags)
{
	uint64_t rest = without_name(mmlens_page_flags(), flags);

	member_flags(l, "flags", mmlens_page_flags(), flags);
	if (!rest)
		return;
	l->length--;	/* the bracket */
	for (unsigned int bit = 0; rest; bit++, rest >>= 1) {
		if (!(rest & 1))
			continue;
		line_string(l, l->text[l->length - 1] == '[' ? "\"bit_" :
							      ", \"bit_");
		line_number(l, bit);
		line_char(l, '"');
	}
	line_char(l, ']');
}

void member_page(struct line *l, const struct mmlens_page_state *page)
{
	member_key(l, "page");
	line_char(l, '{');
	member_page_flags(l, page->flags);
	/* Signed in the kernel, and below 0 for no page that is mapped. */
	member_signed(l, "mapcount", page->mapcount);
	member_number(l, "memcg", page->memcg);
	member_number(l, "order", page->order);
	member_number(l, "folio_index", page->folio_index);
	member_name(l, "lru", mmlens_lru_name(page->lru));
	if (page->generation) {
		member_number(l, "generation", page->generation - 1);
		member_number(l, "tier", page->tier);
	}
	member_number(l, "node", page->node);
	member_number(l, "zone", page->zone);
	line_char(l, '}');
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
	line_put(l, v);
}
