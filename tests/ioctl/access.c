// SPDX-License-Identifier: GPL-2.0-only
/* Callers who may not: refused on open, and again on each call. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ioctl.h"

#define NOBODY	65534

/* Every call on the descriptor fails with EPERM and writes nothing. */
static const char *nothing_goes(int fd)
{
	struct mmlens_info info = { .size = sizeof(info) };
	const char *why = refused(fd, MMLENS_INFO, &info, sizeof(info), EPERM);

	for (size_t i = 0; !why && i < query_count; i++) {
		struct mmlens_walk walk = walk_for(&queries[i], getpid());

		why = refused(fd, queries[i].request, &walk, sizeof(walk),
			      EPERM);
	}
	return why;
}

static const char *cannot_open(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		int fd = open(MMLENS_DEVICE, modes[i] | O_CLOEXEC);

		if (fd >= 0)
			return wrong("the device opens");
		if (errno != EACCES && errno != EPERM)
			return wrong("open: %s", strerror(errno));
	}
	return NULL;
}

static const char *nothing_at_all(int fd)
{
	const char *why = cannot_open();

	return why ?: nothing_goes(fd);
}

static const char *become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return wrong("setresuid: %s", strerror(errno));
	return NULL;
}

static const char *as_nobody(void)
{
	int fd = device();

	return become_nobody() ?: nothing_at_all(fd);
}

static const char *case_nobody(void)
{
	return in_child(as_nobody);
}

/* ---- root with some capabilities less ---- */

static const char *keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = kept, .permitted = kept },
		{ .effective = kept >> 32, .permitted = kept >> 32 },
	};

	if (syscall(SYS_capset, &head, data))
		return wrong("capset: %s", strerror(errno));
	return NULL;
}

/* Still the owner of the device, so that its mode doesn't stop it. */
static const char *without_sys_admin(void)
{
	int fd = device();
	uint64_t all = (1ull << 38) - 1;

	return keep_capabilities(all & ~(1ull << CAP_SYS_ADMIN)) ?:
	       nothing_at_all(fd);
}

static const char *case_root_without_capability(void)
{
	return in_child(without_sys_admin);
}

/* Having it isn't enough, it must be in effect. */
static const char *without_effect(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .permitted = 1u << CAP_SYS_ADMIN },
	};
	int fd = device();

	if (syscall(SYS_capset, &head, data))
		return wrong("capset: %s", strerror(errno));
	return nothing_at_all(fd);
}

static const char *case_capability_without_effect(void)
{
	return in_child(without_effect);
}

/* It is the only one that is needed. */
static const char *with_sys_admin_alone(void)
{
	struct mmlens_walk walk = walk_of(getpid());
	const char *why = keep_capabilities(1ull << CAP_SYS_ADMIN);
	int fd;

	if (why)
		return why;
	fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return wrong("open: %s", strerror(errno));
	if (ioctl(fd, MMLENS_PTES, &walk))
		return wrong("MMLENS_PTES: %s", strerror(errno));
	return NULL;
}

static const char *case_capability_alone(void)
{
	return in_child(with_sys_admin_alone);
}

/* ---- root of a user namespace ---- */

static const char *write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return done ? NULL : wrong("%s: %s", path, strerror(errno));
}

static const char *enter_user_namespace(void)
{
	const char *why;

	if (unshare(CLONE_NEWUSER))
		return wrong("unshare: %s", strerror(errno));
	why = write_file("/proc/self/setgroups", "deny");
	why = why ?: write_file("/proc/self/uid_map", "0 0 1");
	why = why ?: write_file("/proc/self/gid_map", "0 0 1");
	if (!why && geteuid())
		return wrong("not root in the namespace");
	return why;
}

static const char *as_root_of_a_namespace(void)
{
	int fd = device();

	return enter_user_namespace() ?: nothing_at_all(fd);
}

static const char *case_root_in_user_namespace(void)
{
	return in_child(as_root_of_a_namespace);
}

/* ---- a descriptor that somebody else opened ---- */

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int socket, int fd)
{
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control = {};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1;
}

static int receive_descriptor(int socket)
{
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union control control = {};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1)
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

static int sockets[2];

static const char *as_receiver(void)
{
	const char *why = become_nobody();
	int fd;

	if (why)
		return why;
	fd = receive_descriptor(sockets[1]);
	if (fd < 0)
		return wrong("no descriptor came");
	return nothing_goes(fd);
}

static const char *case_descriptor_passed(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return wrong("socketpair: %s", strerror(errno));
	if (!send_descriptor(sockets[0], device()))
		return wrong("sendmsg: %s", strerror(errno));
	return in_child(as_receiver);
}

/* ---- PIDs in records ---- */

static const char *only_own_pids(const struct records *records, size_t *seen)
{
	for (size_t at = 0; at < records->size;) {
		const struct mmlens_record *head =
			(const void *)(records->bytes + at);
		const struct mmlens_proc *proc = (const void *)head;
		const struct mmlens_user *user = (const void *)head;

		at += head->size;
		if (head->type == MMLENS_REC_PROC) {
			++*seen;
			if (proc->pid != getpid() || proc->ppid)
				return wrong("process %d of %d is told",
					     proc->pid, proc->ppid);
		}
		if (head->type == MMLENS_REC_USER) {
			++*seen;
			if (user->pid != getpid())
				return wrong("a page of process %d is told",
					     user->pid);
		}
	}
	return NULL;
}

/* Nothing of a process that has no number here. */
static const char *as_only_one(void)
{
	const char *why = getpid() != 1 ? wrong("PID %d", getpid()) : NULL;

	for (size_t i = 0; !why && i < query_count; i++) {
		struct records records;
		size_t seen = 0;

		if (queries[i].request != MMLENS_PROCS &&
		    queries[i].request != MMLENS_USERS)
			continue;
		why = gather(&queries[i], 0, 0, ROOM_SIZE, &records);
		why = why ?: only_own_pids(&records, &seen);
		if (!why && !seen)
			why = wrong("%s: nothing of this process",
				    queries[i].name);
	}
	return why;
}

static const char *case_pids_in_records(void)
{
	device();
	if (unshare(CLONE_NEWPID))
		return wrong("unshare: %s", strerror(errno));
	return in_child(as_only_one);
}

/* ---- another security module ---- */

/*
 * Landlock, as linux/landlock.h of 6.10 has it; older headers lack parts of it
 * or all.
 */
#define LL_READ_FILE	(1ull << 2)
#define LL_IOCTL_DEV	(1ull << 15)
#define LL_VERSION	1u

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_restrict_self	446
#endif

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LL_VERSION);
}

/* Nothing may be done any more of what is in @rights. */
static const char *give_up(uint64_t rights)
{
	long ruleset = syscall(SYS_landlock_create_ruleset, &rights,
			       sizeof(rights), 0);

	if (ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, (int)ruleset, 0))
		return wrong("landlock: %s", strerror(errno));
	return NULL;
}

static const char *may_not_open(void)
{
	return give_up(LL_READ_FILE) ?: (open(MMLENS_DEVICE, O_RDONLY) < 0 &&
		errno == EACCES ? NULL : wrong("the device opens"));
}

static const char *may_not_call(void)
{
	struct mmlens_walk walk = walk_of(getpid());
	const char *why = give_up(LL_IOCTL_DEV);
	int fd = open(MMLENS_DEVICE, O_RDONLY | O_CLOEXEC);

	if (why)
		return why;
	if (fd < 0)
		return wrong("open: %s", strerror(errno));
	return refused(fd, MMLENS_PTES, &walk, sizeof(walk), EACCES);
}

/* Root with all capabilities: a security module has the last word. */
static const char *case_open_denied_by_lsm(void)
{
	if (landlock_version() < 1)
		return "skip: this kernel has no Landlock (5.13)";
	return in_child(may_not_open);
}

static const char *case_calls_denied_by_lsm(void)
{
	if (landlock_version() < 5)
		return "skip: Landlock knows no devices' ioctls here (6.10)";
	return in_child(may_not_call);
}

/* ---- the file itself ---- */

static const char *case_device_mode(void)
{
	struct stat st;

	if (stat(MMLENS_DEVICE, &st))
		return wrong("%s: %s", MMLENS_DEVICE, strerror(errno));
	if (!S_ISCHR(st.st_mode) || (st.st_mode & 07777) != 0600 ||
	    st.st_uid || st.st_gid)
		return wrong("mode %o, owner %d:%d", st.st_mode, st.st_uid,
			     st.st_gid);
	return NULL;
}

#define CASE(NAME) { #NAME, case_##NAME }

const struct test_case access_cases[] = {
	CASE(device_mode), CASE(nobody), CASE(root_without_capability),
	CASE(capability_without_effect), CASE(capability_alone),
	CASE(root_in_user_namespace), CASE(descriptor_passed),
	CASE(pids_in_records),
	CASE(open_denied_by_lsm), CASE(calls_denied_by_lsm),
	{ NULL, NULL },
};
