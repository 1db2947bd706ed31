// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What /proc says about a target: names for people, and the two facts that an
 * address space doesn't hold (its gate area, the shared-memory device).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "capture.h"
#include "internal.h"

/* PF_KTHREAD of include/linux/sched.h, as field 9 of /proc/PID/stat shows. */
#define TASK_KTHREAD 0x00200000u

static FILE *open_proc(int pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return mmlens_source_open(path);
}

/* "PID (COMM) STATE PPID PGRP SESSION TTY TPGID FLAGS ..." */
int mmlens_process_parse(char *line, struct mmlens_process *process)
{
	char *open = strchr(line, '(');
	char *close = strrchr(line, ')');
	unsigned int flags;

	if (!open || !close || close < open)
		return -EPROTO;
	*close = '\0';
	snprintf(process->comm, sizeof(process->comm), "%.63s", open + 1);
	if (sscanf(close + 1, " %c %*d %*d %*d %*d %*d %u", &process->state,
		   &flags) != 2)
		return -EPROTO;
	process->kernel_thread = flags & TASK_KTHREAD;
	return 0;
}

static int no_such_file(void)
{
	return errno == ENOENT ? -ESRCH : -errno;
}

/* A name may hold a newline, so the whole file is taken, not a line of it. */
static int read_stat(int pid, struct mmlens_process *process)
{
	char buffer[1024];
	FILE *f = open_proc(pid, "stat");
	size_t n;

	if (!f)
		return no_such_file();
	n = fread(buffer, 1, sizeof(buffer) - 1, f);
	fclose(f);
	if (!n)
		return -ESRCH;
	buffer[n] = '\0';
	return mmlens_process_parse(buffer, process);
}

static void read_tgid(int pid, struct mmlens_process *process)
{
	FILE *f = open_proc(pid, "status");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &process->tgid) == 1)
			break;
	fclose(f);
}

int mmlens_process_read(int pid, struct mmlens_process *process)
{
	int ret;

	memset(process, 0, sizeof(*process));
	process->tgid = pid;
	ret = read_stat(pid, process);
	if (ret)
		return ret;
	read_tgid(pid, process);
	return 0;
}

#define CMDLINE_MAX (128 * 1024)

char *mmlens_process_cmdline(int pid, size_t *length)
{
	FILE *f = open_proc(pid, "cmdline");
	char *buffer, *fitted;
	size_t n;

	if (!f) {
		errno = -no_such_file();
		return NULL;
	}
	buffer = malloc(CMDLINE_MAX);
	if (!buffer) {
		fclose(f);
		return NULL;
	}
	n = fread(buffer, 1, CMDLINE_MAX - 1, f);
	fclose(f);
	buffer[n] = '\0';
	*length = n;
	fitted = realloc(buffer, n + 1);
	/* cppcheck-suppress memleak ; realloc() has freed it, or returns NULL */
	return fitted ? fitted : buffer;
}

/*
 * 32-bit processes (x32 too) have no gate area.  A process whose program can't
 * be looked at is taken for a 64-bit one.
 */
static bool is_32bit(int pid)
{
	unsigned char ident[EI_NIDENT];
	FILE *f = open_proc(pid, "exe");
	size_t n;

	if (!f)
		return false;
	n = fread(ident, 1, sizeof(ident), f);
	fclose(f);
	return n == sizeof(ident) && !memcmp(ident, ELFMAG, SELFMAG) &&
	       ident[EI_CLASS] == ELFCLASS32;
}

static bool parse_gate(const char *line, struct mmlens_vma *vma, char *name)
{
	unsigned long long start, end;
	char perms[5];

	if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %*u %31s", &start, &end,
		   perms, name) != 4)
		return false;
	if (strcmp(name, "[vsyscall]"))
		return false;
	*vma = (struct mmlens_vma) {
		.head = { sizeof(*vma), MMLENS_REC_VMA, MMLENS_LEVEL_NONE },
		.page_shift = 12,
		.start = start,
		.end = end,
		.flags = MMLENS_VMA_NAMED,
	};
	vma->flags |= perms[0] == 'r' ? MMLENS_VMA_READ : 0;
	vma->flags |= perms[1] == 'w' ? MMLENS_VMA_WRITE : 0;
	vma->flags |= perms[2] == 'x' ? MMLENS_VMA_EXEC : 0;
	vma->flags |= perms[3] == 's' ? MMLENS_VMA_MAYSHARE : 0;
	return true;
}

/* VmFlags of the gate area, back to the bits that they stand for. */
static bool parse_gate_flags(const char *line, const struct mmlens_info *info,
			     struct mmlens_vma *vma)
{
	const struct mmlens_flag *f;

	if (strncmp(line, "VmFlags:", 8))
		return false;
	for (f = mmlens_vma_flags(); f->bit; f++) {
		unsigned int bit = info->vma_bit[__builtin_ctzll(f->bit)];
		char word[5];

		snprintf(word, sizeof(word), " %.2s ", f->brief);
		if (!*f->brief || !strstr(line, word))
			continue;
		vma->flags |= f->bit;
		vma->raw_flags |= bit && bit <= 64 ? 1ull << (bit - 1) : 0;
	}
	return true;
}

bool mmlens_gate_find(int pid, const struct mmlens_info *info,
		      struct mmlens_vma *vma, char *name)
{
	bool found = false, whole = false;
	char *line = NULL;
	size_t room = 0;
	FILE *f;

	if (is_32bit(pid))
		return false;
	f = mmlens_source_open(info ? "/proc/self/smaps" : "/proc/self/maps");
	if (!f)
		return false;
	while (!whole && getline(&line, &room, f) >= 0) {
		if (!found)
			found = parse_gate(line, vma, name);
		else
			whole = parse_gate_flags(line, info, vma);
		whole |= found && !info;
	}
	free(line);
	fclose(f);
	return found;
}

/*
 * Segments of System V shared memory live on the kernel's own tmpfs, as
 * memfds do; a memfd tells its device without leaving a segment behind.
 */
static int running_sysv(uint32_t *dev_major, uint32_t *dev_minor)
{
	int fd = memfd_create("mmlens", MFD_CLOEXEC);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		ret = -errno;
	} else {
		*dev_major = major(st.st_dev);
		*dev_minor = minor(st.st_dev);
	}
	close(fd);
	return ret;
}

static int sysv_of_capture(uint32_t *dev_major, uint32_t *dev_minor)
{
	char *text = mmlens_read_file(MML_FILE_SYSV);
	int n;

	if (!text)
		return -errno;
	n = sscanf(text, "%u %u", dev_major, dev_minor);
	free(text);
	return n == 2 ? 0 : -EPROTO;
}

int mmlens_sysv_device(uint32_t *dev_major, uint32_t *dev_minor)
{
	if (mmlens_source())
		return sysv_of_capture(dev_major, dev_minor);
	return running_sysv(dev_major, dev_minor);
}
