// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON as it comes: json-c makes each member, the document around them is
 * written by hand, so that memory doesn't grow with the number of members.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "view.h"

static void new_line(struct view *v)
{
	putc_unlocked('\n', v->out);
	for (unsigned int i = 0; i < v->depth; i++)
		putc_unlocked(' ', v->out);
}

void json_before(struct view *v, const char *key)
{
	unsigned int open = v->depth - 1;

	if (v->depth && v->begun[open])
		putc_unlocked(',', v->out);
	if (v->depth && v->closer[open] == ']')
		new_line(v);
	else if (v->depth && v->begun[open])
		putc_unlocked(' ', v->out);
	if (v->depth)
		v->begun[open] = true;
	if (key)
		fprintf(v->out, "\"%s\": ", key);
}

void json_begin(struct view *v, const char *key, char opener)
{
	json_before(v, key);
	putc(opener, v->out);
	v->closer[v->depth] = opener == '{' ? '}' : ']';
	v->begun[v->depth] = false;
	v->depth++;
}

void json_end(struct view *v)
{
	v->depth--;
	putc(v->closer[v->depth], v->out);
	if (!v->depth)
		putc('\n', v->out);
	view_check(v);
}

static void put_value(struct view *v, const char *key,
		      struct json_object *value)
{
	size_t length;
	const char *text;

	json_before(v, key);
	text = json_object_to_json_string_length(
		value, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE,
		&length);
	fwrite(text, 1, length, v->out);
	view_check(v);
}

void json_put(struct view *v, const char *key, struct json_object *value)
{
	put_value(v, key, value);
	json_object_put(value);
}

void json_put_members(struct view *v, struct json_object *members)
{
	json_object_object_foreach(members, key, value)
		put_value(v, key, value);
	json_object_put(members);
}

void json_add_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void json_add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

void json_add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void json_add_hex(struct json_object *o, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_add_string(o, key, text);
}

void json_add_flags(struct json_object *o, const char *key,
		    const struct mmlens_flag *table, uint64_t flags)
{
	struct json_object *names = json_object_new_array();

	for (; table->bit; table++)
		if (flags & table->bit)
			json_object_array_add(
				names, json_object_new_string(table->name));
	json_object_object_add(o, key, names);
}

/* ---- bytes that may not be UTF-8 ---- */

/* Copy with U+FFFD for each byte that belongs to no character. */
static size_t replace_invalid(char *to, const char *from, size_t length)
{
	size_t n = 0;

	while (length) {
		size_t good = utf8_length(from, length);

		if (good) {
			memcpy(to + n, from, good);
			n += good;
		} else {
			memcpy(to + n, "\xef\xbf\xbd", 3);
			n += 3;
			good = 1;
		}
		from += good;
		length -= good;
	}
	return n;
}

static void add_hex_bytes(struct json_object *o, const char *key,
			  const char *bytes, size_t length)
{
	char *text = malloc(2 * length + 1);
	char name[64];

	if (!text)
		return;
	for (size_t i = 0; i < length; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)bytes[i]);
	snprintf(name, sizeof(name), "%s_hex", key);
	json_add_string(o, name, text);
	free(text);
}

void json_add_bytes(struct json_object *o, const char *key, const char *bytes,
		    size_t length)
{
	char *text = malloc(3 * length + 1);
	size_t n;

	if (!text)
		return;
	*text = '\0';
	n = replace_invalid(text, bytes, length);
	json_object_object_add(o, key,
			       json_object_new_string_len(text, (int)n));
	if (n != length || memcmp(text, bytes, length))
		add_hex_bytes(o, key, bytes, length);
	free(text);
}

/* ---- what every document has ---- */

void json_document(struct view *v)
{
	const struct mmlens_info *info = v->info;
	struct json_object *o = json_object_new_object();
	char arch[TEXT_ARCH];

	json_add_string(o, "version", info->version);
	json_add_string(o, "kernel", info->release);
	json_add_string(o, "arch", text_arch(arch, info));
	json_add_number(o, "page_size", 1ull << info->page_shift);
	json_begin(v, NULL, '{');
	json_put(v, "mmlens", o);
}

void json_walk(struct view *v, const char *counted, uint64_t count,
	       const struct mmlens_stats *stats)
{
	struct line l = {};

	line_char(&l, '{');
	member_number(&l, counted, count);
	member_number(&l, "restarts", stats->restarts);
	member_bool(&l, "truncated", stats->truncated);
	member_number(&l, "max_lock_hold_ns", stats->max_hold_ns);
	line_char(&l, '}');
	member_put(&l, v, "walk");
}
