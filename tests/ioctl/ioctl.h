/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/mmlens, asked without the library: one case a test.
 */
#ifndef IOCTL_H
#define IOCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mmlens.h"

#define PAGE	4096ul

/* A case returns NULL when all was right, else what wasn't. */
struct test_case {
	const char *name;
	const char *(*run)(void);
};

/* One table a file; a NULL name ends it. */
extern const struct test_case argument_cases[];
extern const struct test_case access_cases[];
extern const struct test_case answer_cases[];
extern const struct test_case change_cases[];
extern const struct test_case compat_cases[];
extern const struct test_case lru_cases[];
extern const struct test_case found_cases[];
extern const struct test_case padding_cases[];

/* All walks, and how to name them. */
struct query {
	unsigned long request;
	const char *name;
	uint32_t flags;		/* that it takes */
	bool system;		/* of the machine: no PID, no addresses */
};

/* One above all flags that any of them takes. */
#define ALL_FLAGS	1024

extern const struct query queries[];
extern const size_t query_count;

/* Text for a case to return; one at a time. */
const char *wrong(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The device, open; it stays so. Ends the program if it can't be. */
int device(void);

/* A request about @pid that is right, with room for records. */
struct mmlens_walk walk_of(pid_t pid);
struct mmlens_walk walk_for(const struct query *query, pid_t pid);

/* One of the machine that takes a range, of another unit than addresses. */
bool has_own_range(const struct query *query);

/* Flags that it takes, but that need more than being asked for. */
uint32_t needy_flags(const struct query *query);

/* A walk over the addresses of one process. */
bool takes_range(const struct query *query);

/* The room that walk_of() gives. */
#define ROOM_SIZE	(256ul << 10)
extern unsigned char room[ROOM_SIZE];

/* What nobody has written to. */
#define POISON		0xa5

/*
 * The call must fail with @error, write nothing to @arg (of @size bytes) and
 * nothing to the room.
 */
const char *refused(int fd, unsigned long request, void *arg, size_t size,
		    int error);
/* refused() for each walk, with @change made to what is right for this
 * process. */
const char *all_refuse(void (*change)(struct mmlens_walk *walk), int error);
/* The same but for those whose range is of another unit than addresses. */
const char *unranged_refuse(void (*change)(struct mmlens_walk *walk),
			    int error);
/* The same for those that are about one process. */
const char *each_refuses(void (*change)(struct mmlens_walk *walk), int error);

/* A process that does nothing until it is killed; and its end. */
pid_t sleeper(void);
void end_of(pid_t pid);

/* Run @body in a child; what it says. It may change its credentials. */
const char *in_child(const char *(*body)(void));

/* All records of a walk, @step bytes of buffer at a time. */
struct records {
	unsigned char *bytes;
	size_t size;
	uint64_t count;
	uint64_t calls;
};

const char *gather(const struct query *query, pid_t pid, uint32_t flags,
		   size_t step, struct records *records);

/* Runs, and pages with their state, become entries; holes are joined. */
void expand(struct records *records);
/* What only MMLENS_WALK_PAGE or _STATE tell of entries becomes 0. */
void forget_pages(struct records *records);

/* Whether a record with @left bytes to the end is as the contract says. */
const char *check_record(const struct mmlens_record *record, size_t left);

#endif /* IOCTL_H */
