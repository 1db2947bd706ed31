// SPDX-License-Identifier: GPL-2.0-only
/* Files of the kernel, as text line by line and as words by number. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* ---- reading ---- */

/* Much at once: the kernel then writes more of it at one moment. */
#define AT_ONCE	(128u * 1024)

static char *read_all(int fd)
{
	size_t room = 2 * AT_ONCE, n = 0;
	char *text = malloc(room), *grown;
	ssize_t got = 1;

	while (text && got) {
		got = read(fd, text + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += got;
		text[n] = '\0';
		if (!got || room - n > AT_ONCE)
			continue;
		room *= 2;
		grown = realloc(text, room);
		if (!grown)
			break;
		text = grown;
	}
	if (!got)
		return text;
	free(text);
	return NULL;
}

char *verify_read(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	int error;

	if (fd < 0)
		return NULL;
	text = read_all(fd);
	error = errno;
	close(fd);
	errno = error;
	return text;
}

char *verify_read_of(int pid, const char *file)
{
	char path[64];
	char *text;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	text = verify_read(path);
	if (!text && errno == ENOENT)
		errno = ESRCH;
	return text;
}

bool verify_has(struct verify *v, const char *path)
{
	if (!access(path, R_OK))
		return true;
	verify_skip(v, "%s: %s", path, strerror(errno));
	return false;
}

bool verify_value(const char *text, const char *key, uint64_t *value)
{
	const size_t length = strlen(key);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, length))
			continue;
		text += length;
		text += strspn(text, ": \t");
		if (!isdigit((unsigned char)*text))
			return false;
		*value = strtoull(text, NULL, 10);
		return true;
	}
	return false;
}

void verify_subject(char room[VERIFY_SUBJECT],
		    const struct verify_target *target)
{
	snprintf(room, VERIFY_SUBJECT, "PID %d (%s)", target->pid,
		 target->comm);
}

long verify_words(int fd, uint64_t first, size_t count, uint64_t *words)
{
	size_t n = 0;

	while (n < count * sizeof(*words)) {
		const ssize_t got = pread(fd, (char *)words + n,
					  count * sizeof(*words) - n,
					  (off_t)(first * sizeof(*words) + n));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += got;
	}
	return (long)(n / sizeof(*words));
}

/* ---- lines ---- */

struct lines {
	char **line;
	size_t count;
};

static bool split(struct lines *lines, char *text)
{
	size_t room = 0;
	char *line;

	*lines = (struct lines) {};
	while ((line = strsep(&text, "\n"))) {
		if (lines->count == room) {
			char **grown;

			room = room ? 2 * room : 256;
			grown = reallocarray(lines->line, room, sizeof(*grown));
			if (!grown)
				return false;
			lines->line = grown;
		}
		/* Spaces at an end are nothing. */
		for (size_t n = strlen(line); n && line[n - 1] == ' '; n--)
			line[n - 1] = '\0';
		lines->line[lines->count++] = line;
	}
	return true;
}

/* "NUMBER" or ">NUMBER", which is a lower bound. */
static bool take_number(const char **at, uint64_t *value, bool *bound)
{
	char *end;

	*bound = **at == '>' && isdigit((unsigned char)(*at)[1]);
	*at += *bound;
	if (!isdigit((unsigned char)**at))
		return false;
	*value = strtoull(*at, &end, 10);
	*at = end;
	return true;
}

static void skip_spaces(const char **at)
{
	*at += strspn(*at, " \t");
}

/* Everything but numbers is the same; these are between those of both looks. */
static bool is_between(const char *before, const char *ours, const char *after,
		       uint64_t slack)
{
	const char *at[3] = { before, ours, after };
	uint64_t n[3], low, high;
	bool bound[3];

	while (*at[0] || *at[1] || *at[2]) {
		bool number = true;

		for (int i = 0; i < 3; i++) {
			skip_spaces(&at[i]);
			number &= take_number(&at[i], &n[i], &bound[i]);
		}
		if (!number) {
			if (*at[0] != *at[1] || *at[1] != *at[2])
				return false;
			for (int i = 0; i < 3; i++)
				at[i] += !!*at[i];
			continue;
		}
		low = n[0] < n[2] ? n[0] : n[2];
		high = n[0] < n[2] ? n[2] : n[0];
		if (n[1] + slack < low ||
		    (n[1] > high + slack && !bound[0] && !bound[2]))
			return false;
	}
	return true;
}

static bool fits(const struct verify_texts *text, const char *before,
		 const char *ours, const char *after)
{
	const uint64_t slack = text->slack ? text->slack(before) : 0;

	if (!strcmp(ours, before) || !strcmp(ours, after))
		return true;
	if (!slack && !strcmp(before, after) && !strchr(before, '>'))
		return false;
	return is_between(before, ours, after, slack);
}

/* What stands before the first number, or a colon. */
static int label_length(const char *line)
{
	size_t n = strcspn(line, ":0123456789");

	while (n && line[n - 1] == ' ')
		n--;
	return (int)(n < 40 ? n : 40);
}

/* The heads that a line stands below: of a zone, and of a CPU in it. */
struct heads {
	char text[96];
	size_t first;		/* bytes of the upper one */
};

/* A key says which line it is, so that it is found again at the next look. */
static void differs(struct verify *v, const struct verify_texts *text,
		    const struct heads *heads, size_t number,
		    const char *before, const char *ours)
{
	const char *label = before + strspn(before, " ");

	ours += strspn(ours, " ");
	if (!text->head)
		verify_differs(v, label, ours, "%s line %zu", text->subject,
			       number);
	else if (text->head(before))
		verify_differs(v, label, ours, "%s %s", text->subject,
			       heads->text);
	else
		verify_differs(v, label, ours, "%s %s%s%.*s", text->subject,
			       heads->text, *heads->text ? " " : "",
			       label_length(label), label);
}

/* The head of a file of mappings is long: its first word is enough. */
static void take_head(struct heads *heads, const char *line, int level)
{
	const size_t room = sizeof(heads->text);
	const bool range = isxdigit((unsigned char)*line) && strchr(line, '-');

	line += strspn(line, " ");
	if (level == 1)
		snprintf(heads->text + heads->first, room - heads->first,
			 " %.40s", line);
	else
		heads->first = snprintf(heads->text, room, "%.*s",
					range ? (int)strcspn(line, " ") : 40,
					line);
}

static void compare(struct verify *v, const struct verify_texts *text,
		    const struct lines *before, const struct lines *ours,
		    const struct lines *after)
{
	struct heads heads = {};

	for (size_t i = 0; i < before->count; i++) {
		const char *line = before->line[i];
		const int level = text->head ? text->head(line) : 0;

		if (level)
			take_head(&heads, line, level);
		if (!*line && !*ours->line[i])
			continue;
		v->compared++;
		if (!fits(text, line, ours->line[i], after->line[i]))
			differs(v, text, &heads, i + 1, line, ours->line[i]);
	}
}

/* The kernel has as many lines as before, and ours are others. */
static void count_differs(struct verify *v, const struct verify_texts *text,
			  const struct lines *before, const struct lines *ours)
{
	char kernel[300], us[300];
	size_t i = 0;

	while (i < before->count && i < ours->count &&
	       !strcmp(before->line[i], ours->line[i]))
		i++;
	snprintf(kernel, sizeof(kernel), "%zu, line %zu is \"%.200s\"",
		 before->count, i + 1,
		 i < before->count ? before->line[i] : "");
	snprintf(us, sizeof(us), "%zu, line %zu is \"%.200s\"", ours->count,
		 i + 1, i < ours->count ? ours->line[i] : "");
	v->compared++;
	verify_differs(v, kernel, us, "%s lines", text->subject);
}

int verify_lines(struct verify *v, struct verify_texts *text)
{
	struct lines before = {}, ours = {}, after = {};
	int ret = -ENOMEM;

	if (split(&before, text->before) && split(&ours, text->ours) &&
	    split(&after, text->after)) {
		ret = 0;
		if (before.count != after.count)
			ret = VERIFY_MOVED;
		else if (before.count != ours.count)
			count_differs(v, text, &before, &ours);
		else
			compare(v, text, &before, &ours, &after);
	}
	free(before.line);
	free(ours.line);
	free(after.line);
	return ret;
}

/* ---- the kernel's, ours, the kernel's ---- */

static int take_kernels(char **text, const struct verify_sources *sources)
{
	errno = EIO;
	*text = sources->kernel(sources->context);
	return *text ? 0 : -errno;
}

static int take_ours(struct verify *v, struct verify_texts *text,
		     const struct verify_sources *sources)
{
	struct view view = { .info = v->info };
	size_t length;
	int ret;

	view.out = open_memstream(&text->ours, &length);
	if (!view.out)
		return -errno;
	ret = sources->ours(v, &view, sources->context);
	return fclose(view.out) ? -ENOMEM : ret;
}

int verify_bracket(struct verify *v, struct verify_texts *text,
		   const struct verify_sources *sources)
{
	int ret = take_kernels(&text->before, sources);

	if (!ret)
		ret = take_ours(v, text, sources);
	if (!ret)
		ret = take_kernels(&text->after, sources);
	if (!ret)
		ret = verify_lines(v, text);
	free(text->before);
	free(text->ours);
	free(text->after);
	return ret;
}
