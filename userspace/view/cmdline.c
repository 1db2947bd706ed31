// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines, as library/escape.c and library/readproc.c of procps 4.0.4
 * show them.  (4.0.2 differs for bytes that aren't UTF-8 in a UTF-8 locale.)
 */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "view.h"

static bool is_utf8_locale(void)
{
	return !strcasecmp(nl_langinfo(CODESET), "UTF-8");
}

/*
 * Bytes of the character at @s, 0 for what procps masks.  It lets overlong
 * sequences and surrogates through, unlike utf8_length(), but no C1 control.
 */
static size_t procps_length(const unsigned char *s, size_t left)
{
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (n > left || (*s == 0xc2 && s[1] <= 0x9f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void mask_utf8(unsigned char *s, size_t length)
{
	while (length) {
		size_t n = procps_length(s, length);

		if (!n || *s < 0x20 || *s == 0x7f) {
			*s = '?';
			n = 1;
		}
		s += n;
		length -= n;
	}
}

static void mask_ascii(unsigned char *s, size_t length)
{
	for (; length; s++, length--) {
		if (*s >= 0x80)
			*s = '?';
		else if (*s < 0x20 || *s == 0x7f)
			*s = '.';
	}
}

static void mask(char *s)
{
	if (is_utf8_locale())
		mask_utf8((unsigned char *)s, strlen(s));
	else
		mask_ascii((unsigned char *)s, strlen(s));
}

static char *cmdline_of_name(const struct mmlens_process *process)
{
	const char *format = process->state == 'Z' ? "[%s] <defunct>" : "[%s]";
	char comm[sizeof(process->comm)];
	char *text;

	strcpy(comm, process->comm);
	mask(comm);
	return asprintf(&text, format, comm) < 0 ? NULL : text;
}

char *text_cmdline(const char *cmdline, size_t length,
		   const struct mmlens_process *process)
{
	size_t used = length;
	char *text;

	if (!length)
		return cmdline_of_name(process);
	text = malloc(length + 1);
	if (!text)
		return NULL;
	memcpy(text, cmdline, length);
	text[length] = '\0';

	while (used && !text[used - 1])
		used--;
	for (size_t i = 0; i < used; i++)
		if (!text[i] || text[i] == '\n')
			text[i] = ' ';
	if (text[length - 1] == ' ')
		text[length - 1] = '\0';
	mask(text);
	if (!*text)
		strcpy(text, "?");
	return text;
}
