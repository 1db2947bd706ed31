// SPDX-License-Identifier: GPL-2.0-only
/* The files in debugfs: odd reads, writes and seeks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define DEBUGFS	"/sys/kernel/debug/mmlens"

/* Those of the whole machine, which take long, at the end. */
const char *const file_names[FILES] = {
	"maps", "pte", "smaps", "tables", "target", "version", "stats",
	"zones", "buddy", "lru", "ledger",
};
#define WRITABLE	5

void file_close_all(struct fuzzer *f)
{
	for (int i = 0; i < FILES; i++) {
		if (f->files[i] >= 0)
			close(f->files[i]);
		f->files[i] = -1;
	}
}

static int opened(struct fuzzer *f, unsigned int file)
{
	char path[64];

	if (f->files[file] < 0) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", file_names[file]);
		f->files[file] = open(path, O_CLOEXEC |
				      (file < WRITABLE ? O_RDWR : O_RDONLY));
	}
	return f->files[file];
}

/* % is a PID, @ what follows is relative to the area. */
static size_t expand_text(const struct input *input, char *to, size_t size)
{
	size_t used = 0, length = input->length % (TEXT + 1);

	for (size_t i = 0; i < length && used + 24 < size; i++) {
		unsigned long long number;
		int taken;

		if (input->text[i] == '%') {
			used += sprintf(to + used, "%d", target_pid(input));
		} else if (input->text[i] == '@' && i + 1 < length &&
			   sscanf(input->text + i + 1, "%11llx%n", &number,
				  &taken) == 1) {
			used += sprintf(to + used, "%llx",
					(uintptr_t)area + number);
			i += taken;
		} else {
			to[used++] = input->text[i];
		}
	}
	return used;
}

static const char *check_text(const unsigned char *text, size_t size,
			      int64_t offset)
{
	static const char head[] = "mmlens 1 ";
	size_t n = size < sizeof(head) - 1 ? size : sizeof(head) - 1;

	if (memchr(text, '\0', size) || memchr(text, POISON, size))
		return wrong("a byte that is no text");
	if (!offset && memcmp(text, head, n))
		return wrong("begins with '%.*s'", (int)n, text);
	return NULL;
}

static const char *check_read(struct fuzzer *f, unsigned char *buffer,
			      size_t count, ssize_t got, int64_t offset)
{
	size_t mapped = f->room + ROOM - buffer;
	const char *why = NULL;

	if (got > (ssize_t)count || got > (ssize_t)mapped)
		return wrong("%zd bytes of %zu", got, count);
	if (got > 0)
		why = check_text(buffer, got, offset);
	if (!why && got >= 0 &&
	    !is_poison(buffer + got, mapped - got < 512 ? mapped - got : 512))
		why = wrong("wrote behind what was read");
	/* One that ends where nothing is mapped may have written some. */
	poison(f->room, ROOM);
	return why;
}

static ssize_t read_it(struct fuzzer *f, const struct input *input, int fd,
		       const char **why)
{
	const bool at_edge = input->where == BUFFER_EDGE ||
			     input->where == BUFFER_CUT;
	size_t count = input->count, some = count % (ROOM - GUARD);
	unsigned char *buffer = at_edge ? f->room + ROOM - some :
					  f->room + GUARD;
	int64_t offset = input->offset;
	ssize_t got;
	int error;

	if (!at_edge && count > ROOM - 2 * GUARD)
		count = some;
	if (input->op == FILE_READ) {
		offset = lseek(fd, 0, SEEK_CUR);
		got = read(fd, buffer, count);
	} else {
		got = pread(fd, buffer, count, offset);
	}
	f->covered = f->cover ? f->cover[0] : 0;
	error = errno;
	*why = check_read(f, buffer, count, got, offset);
	errno = error;
	return got;
}

static bool error_is_known(const struct input *input, int error)
{
	switch (error) {
	case EINVAL:
	case EFAULT:
	case ENOMEM:
		return true;
	case EBADF:		/* writing to what is only read */
		return input->op == FILE_WRITE && input->file >= WRITABLE;
	case ESRCH:
	case ENXIO:
		return input->op != FILE_WRITE && input->file < WRITABLE;
	case EOVERFLOW:
		return input->op != FILE_WRITE;
	}
	return false;
}

static ssize_t try_it(struct fuzzer *f, const struct input *input,
		      const char **why)
{
	int fd = opened(f, input->file);
	char text[TEXT + 64];
	ssize_t done = -1;
	size_t size;

	if (fd < 0)
		return -1;
	switch (input->op) {
	case FILE_WRITE:
		size = expand_text(input, text, sizeof(text));
		done = write(fd, input->where == BUFFER_NULL ? NULL : text,
			     size);
		break;
	case FILE_SEEK:
		done = lseek(fd, input->offset, input->whence);
		if (done >= 0)
			done = 0;
		break;
	case FILE_REOPEN:
		close(fd);
		f->files[input->file] = -1;
		return opened(f, input->file) < 0 ? -1 : 0;
	default:
		return read_it(f, input, fd, why);
	}
	f->covered = f->cover ? f->cover[0] : 0;
	if (done > (ssize_t)sizeof(text))
		*why = wrong("%zd bytes written", done);
	return done;
}

const char *file_once(struct fuzzer *f, const struct input *input)
{
	struct counts *counts = &f->file_counts[input->file];
	const char *why = NULL;
	int error = 0;

	f->covered = 0;
	if (try_it(f, input, &why) < 0)
		error = errno;
	counts->total++;
	counts->result[error < ERRNOS ? error : ERRNOS - 1]++;
	f->counts[CALL_DEBUGFS].total++;
	f->counts[CALL_DEBUGFS].result[error < ERRNOS ? error : ERRNOS - 1]++;
	if (!why && error && !error_is_known(input, error))
		why = wrong("debugfs %s: error %d",
			    file_names[input->file], error);
	return why;
}
