// SPDX-License-Identifier: GPL-2.0-only
/* The output stream, and small pieces of text that several views share. */
#include <errno.h>

#include "view.h"

void view_check(struct view *v)
{
	if (!v->error && ferror_unlocked(v->out))
		v->error = errno ? errno : EIO;
}

int view_finish(struct view *v)
{
	view_check(v);
	if (!v->error && fflush(v->out))
		v->error = errno;
	return v->error;
}

void view_heading(struct view *v, const char *text)
{
	fprintf(v->out, v->color ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

void text_path(FILE *out, const char *text, size_t length, const char *escaped)
{
	uint64_t set = 0;
	size_t i, done = 0;

	for (; *escaped; escaped++)
		set |= 1ull << *escaped;
	for (i = 0; i < length; i++) {
		unsigned char c = text[i];

		if (c > 63 || !(set >> c & 1))
			continue;
		fwrite_unlocked(text + done, 1, i - done, out);
		fprintf(out, "\\%03o", c);
		done = i + 1;
	}
	fwrite_unlocked(text + done, 1, i - done, out);
}

const char *text_arch(char *room, const struct mmlens_info *info)
{
	const char *name = mmlens_arch_name(info->arch);

	if (name)
		return name;
	snprintf(room, TEXT_ARCH, "em_%u", info->arch);
	return room;
}

size_t utf8_length(const char *text, size_t left)
{
	const unsigned char *s = (const unsigned char *)text;
	/* What the second byte may be: neither overlong nor a surrogate. */
	unsigned char low = *s == 0xe0 ? 0xa0 : *s == 0xf0 ? 0x90 : 0x80;
	unsigned char high = *s == 0xed ? 0x9f : *s == 0xf4 ? 0x8f : 0xbf;
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (n > left || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}
