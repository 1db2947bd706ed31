/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer of /dev/mmlens and of its files in debugfs.
 *
 * An input is numbers alone: what is an address or a PID of this run is named
 * by its kind and put in when the input is tried, so that a seed, or an input
 * that was printed, does the same in another run.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../ioctl/ioctl.h"

/* ---- numbers ---- */

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (rng_next(rng) >> 32) * n >> 32;
}

static inline bool rng_one_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}

/* ---- inputs ---- */

/* What is called: the walks by their place in queries[], then the rest. */
enum {
	CALL_WALKS	= 14,
	CALL_INFO	= CALL_WALKS,
	CALL_UNKNOWN,		/* a number that isn't one */
	CALL_DEBUGFS,
	CALL_KINDS,
};

/* Whose PID. */
enum target {
	TARGET_RICH,		/* stands still, has some of everything */
	TARGET_SELF,
	TARGET_THREAD,		/* a thread of this process */
	TARGET_CHURN,		/* comes and goes */
	TARGET_INIT,
	TARGET_KERNEL,		/* a kernel thread */
	TARGET_ZOMBIE,
	TARGET_DEAD,		/* a number that was a process's */
	TARGET_RAW,		/* the number in the input */
	TARGET_KINDS,
};

/* Where the structure lies. */
enum place {
	PLACE_PLAIN,
	PLACE_EDGE,		/* its last byte is a mapping's last */
	PLACE_CUT,		/* goes on behind the mapping */
	PLACE_READ_ONLY,
	PLACE_NOWHERE,
	PLACE_NULL,
	PLACE_KERNEL,
	PLACE_SHARED,		/* another thread writes to it meanwhile */
	PLACE_KINDS,
};

/* Where the buffer lies. */
enum where {
	BUFFER_PLAIN,
	BUFFER_EDGE,		/* its last byte is a mapping's last */
	BUFFER_CUT,		/* its second half isn't mapped */
	BUFFER_FRESH,		/* faulted in by the call */
	BUFFER_STRUCT,		/* the structure lies inside */
	BUFFER_SHARED,		/* other threads write to it as well */
	BUFFER_TARGET,		/* the memory that is walked */
	BUFFER_READ_ONLY,
	BUFFER_NOWHERE,
	BUFFER_NULL,
	BUFFER_KERNEL,
	BUFFER_EDGE_OF_ALL,	/* around the end of user addresses */
	BUFFER_RAW,		/* the address in the input */
	BUFFER_KINDS,
};

/* What start, end and cursor are relative to. */
enum base {
	BASE_ZERO,
	BASE_AREA,		/* what a target has in the area */
	BASE_STACK,		/* of the main thread */
	BASE_TOP,		/* mmlens_info.task_size */
	BASE_DIRECT_MAP,	/* a kernel address that is mapped */
	BASE_MEMORY,		/* a PFN of the area */
	BASE_KINDS,
};

/* What a thread does with a file in debugfs. */
enum file_op {
	FILE_READ,
	FILE_PREAD,
	FILE_WRITE,
	FILE_SEEK,
	FILE_REOPEN,
	FILE_OPS,
};

#define FILES	11
#define TEXT	80

struct input {
	uint8_t call;
	uint8_t target;
	uint8_t place;
	uint8_t where;
	uint8_t base;
	uint8_t resume;		/* go on where the query's last call ended */
	uint8_t shared_fd;	/* on the descriptor that all threads have */
	uint8_t damaged;	/* something was changed that isn't right */
	uint32_t command;	/* xor'ed into the request */
	uint32_t tail;		/* what is behind the structure */
	struct mmlens_walk walk;
	/* debugfs */
	uint8_t file;
	uint8_t op;
	uint8_t whence;
	uint8_t length;
	uint32_t count;
	int64_t offset;
	char text[TEXT];
};

/* One that is right, or nearly. */
void input_make(struct rng *rng, struct input *input);
/* The same, with something changed. */
void input_mutate(struct rng *rng, struct input *input);
void input_print(const struct input *input);
bool input_parse(const char *text, struct input *input);

/* ---- what inputs are about ---- */

/* In each target at the same address. */
#define AREA_PAGES	1024
extern unsigned char *area;
extern uint64_t stack_page;
extern uint64_t task_size;
extern uint64_t direct_map;
extern uint64_t memory_pfn;
extern uint64_t all_queries;

void targets_start(unsigned int seed);
void targets_end(void);
pid_t target_pid(const struct input *input);

/* ---- a thread of the fuzzer ---- */

#define GUARD		64
#define ROOM_PAGES	16
#define ROOM		(ROOM_PAGES * PAGE)
#define IMAGE		(PAGE + 64)
#define CORPUS		2048
#define ERRNOS		134

/* What came of one kind of call, by errno. */
struct counts {
	uint64_t total;
	uint64_t result[ERRNOS];
};

struct fuzzer {
	unsigned int number;
	struct rng rng;
	int fd;
	int files[FILES];
	pid_t tid;
	unsigned char *room;	/* poisoned; what is behind isn't mapped */
	unsigned char *place;	/* the same, for the structure */
	unsigned char *image;	/* read-only alias of image_rw */
	unsigned char *image_rw;
	unsigned char *fresh;
	unsigned char *hole;	/* not mapped */
	struct mmlens_walk last[CALL_WALKS];
	struct input *corpus;
	unsigned int corpus_size;
	uint64_t *cover;	/* of KCOV */
	uint64_t covered;	/* how many places the last call came to */
	struct counts counts[CALL_KINDS];
	struct counts file_counts[FILES];
	uint64_t calls;
	uint64_t records;
};

/* All threads have them. */
extern int shared_fd;
extern unsigned char *shared_room;
extern unsigned char *shared_place;

/* NULL, or what was wrong. */
const char *call_once(struct fuzzer *f, const struct input *input);
const char *file_once(struct fuzzer *f, const struct input *input);
void file_close_all(struct fuzzer *f);
extern const char *const file_names[FILES];

/* Seconds, of the monotonic clock. */
double now(void);
bool is_poison(const unsigned char *bytes, size_t size);
void poison(unsigned char *bytes, size_t size);

/* ---- coverage ---- */

bool kcov_is_there(void);
/* In the thread that calls. */
void kcov_start(struct fuzzer *f);
/* Before a call; and behind it, how many places of the module were new. */
void kcov_reset(struct fuzzer *f);
unsigned int kcov_new(struct fuzzer *f);
void kcov_report(const char *path);

#endif /* FUZZ_H */
