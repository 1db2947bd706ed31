// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of /proc and /sys: the running machine's, or those that a capture has.
 * Whatever the library reads besides the module's answers goes through here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "internal.h"

/* Whose files are read; NULL: the running machine's. */
static struct mml_capture *source;

void mmlens_source_set(struct mml_capture *capture)
{
	source = capture;
}

struct mml_capture *mmlens_source(void)
{
	return source;
}

/* A file of /proc says nothing about its size. */
static char *read_all(int fd, size_t *length)
{
	size_t room = 64 * 1024, n = 0;
	char *text = malloc(room);

	while (text) {
		ssize_t got = read(fd, text + n, room - n - 1);
		char *grown;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += got;
		text[n] = '\0';
		*length = n;
		if (!got)
			return text;
		if (room - n > 4096)
			continue;
		room *= 2;
		grown = realloc(text, room);
		if (!grown)
			break;
		text = grown;
	}
	free(text);
	return NULL;
}

static char *read_running(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	int error;

	if (fd < 0)
		return NULL;
	text = read_all(fd, length);
	error = errno;
	close(fd);
	errno = error;
	return text;
}

char *mmlens_source_read(const char *path, size_t *length)
{
	if (source)
		return mml_capture_file(source, path, length);
	return read_running(path, length);
}

char *mmlens_read_file(const char *path)
{
	size_t length;

	return mmlens_source_read(path, &length);
}

/* A stream over a copy of @text. */
static FILE *open_text(const char *text, size_t length)
{
	FILE *f = fmemopen(NULL, length + 1, "w+");

	if (!f)
		return NULL;
	if (fwrite(text, 1, length, f) != length || fflush(f)) {
		fclose(f);
		errno = ENOMEM;
		return NULL;
	}
	rewind(f);
	return f;
}

FILE *mmlens_source_open(const char *path)
{
	size_t length;
	char *text;
	FILE *f;

	if (!source)
		return fopen(path, "re");
	text = mml_capture_file(source, path, &length);
	if (!text)
		return NULL;
	f = open_text(text, length);
	free(text);
	return f;
}

bool mmlens_source_has(const char *path)
{
	if (source)
		return mml_capture_has_file(source, path);
	return !access(path, F_OK);
}

int mmlens_source_list(const char *dir,
		       void (*told)(const char *name, void *context),
		       void *context)
{
	const struct dirent *entry;
	DIR *d;

	if (source)
		return mml_capture_list(source, dir, told, context);
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((entry = readdir(d)))
		told(entry->d_name, context);
	closedir(d);
	return 0;
}

/* ---- who has a user ID ---- */

/* "UID NAME" in each line. */
static char *name_in(const char *text, uint32_t uid)
{
	char key[16];

	snprintf(key, sizeof(key), "%u ", uid);
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, key, strlen(key)))
			return strndup(text + strlen(key),
				       strcspn(text + strlen(key), "\n"));
	}
	return NULL;
}

char *mmlens_user_name(uint32_t uid)
{
	const struct passwd *entry;
	char *text, *name;

	if (!source) {
		entry = getpwuid(uid);
		return entry ? strdup(entry->pw_name) : NULL;
	}
	text = mmlens_read_file(MML_FILE_USERS);
	name = text ? name_in(text, uid) : NULL;
	free(text);
	return name;
}

bool mmlens_has_numa_maps(void)
{
	return mmlens_source_has("/proc/self/numa_maps");
}
