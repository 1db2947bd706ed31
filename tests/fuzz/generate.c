// SPDX-License-Identifier: GPL-2.0-only
/* Inputs: right ones, and what is changed in them. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/*
 * How often each is called. Those that look at all processes or at all memory
 * take a hundred times as long as the others.
 */
static const uint8_t weights[CALL_KINDS] = {
	[0] = 24,	/* vmas */
	[1] = 60,	/* ptes */
	[2] = 40,	/* vtop */
	[3] = 24,	/* smaps */
	[4] = 16,	/* numa_maps */
	[5] = 16,	/* tables */
	[6] = 4,	/* procs */
	[7] = 8,	/* zones */
	[8] = 12,	/* free */
	[9] = 16,	/* pageblocks */
	[10] = 32,	/* pages */
	[11] = 2,	/* users */
	[12] = 16,	/* kmap */
	[13] = 12,	/* lru */
	[CALL_INFO] = 8,
	[CALL_UNKNOWN] = 2,
	[CALL_DEBUGFS] = 24,
};

static const uint64_t numbers[] = {
	0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 95, 96, 97, 127, 128, 255, 256,
	511, 512, 513, 4095, 4096, 4097, 8184, 8191, 8192, 8193, 65535, 65536,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffe000,
	0x7ffffffff000, 0x800000000000, 0xfffffffffffff000,
	0x8000000000000000, 0x7fffffffffffffff, 0xffffffffffffffff,
	0xffff888000000000, 0xffffffff81000000,
};

static uint64_t number(struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		return numbers[rng_below(rng, sizeof(numbers) /
					       sizeof(*numbers))];
	case 1:
		return (1ull << rng_below(rng, 64)) + rng_below(rng, 3) - 1;
	case 2:
		return rng_next(rng) >> rng_below(rng, 64);
	default:
		return rng_below(rng, 4096) * PAGE;
	}
}

static uint8_t pick_call(struct rng *rng)
{
	unsigned int sum = 0, at;

	for (int i = 0; i < CALL_KINDS; i++)
		sum += weights[i];
	at = rng_below(rng, sum);
	for (int i = 0; i < CALL_KINDS; i++) {
		if (at < weights[i])
			return i;
		at -= weights[i];
	}
	return 0;
}

/* Mostly few pages. */
static uint64_t few(struct rng *rng)
{
	return rng_below(rng, rng_one_in(rng, 8) ? AREA_PAGES : 16);
}

static void make_process_range(struct rng *rng, struct input *input)
{
	struct mmlens_walk *walk = &input->walk;

	input->base = rng_one_in(rng, 16) ? BASE_STACK : BASE_AREA;
	walk->start = rng_below(rng, input->base == BASE_STACK ?
				     4 : AREA_PAGES) * PAGE;
	walk->end = walk->start + (input->base == BASE_STACK ?
				   rng_below(rng, 8) : few(rng)) * PAGE;
	if (queries[input->call].request == MMLENS_VTOP)
		walk->end = 0;
	else if (rng_one_in(rng, 64)) {
		input->base = BASE_ZERO;
		walk->start = walk->end = 0;
	}
}

static void make_machine_range(struct rng *rng, struct input *input)
{
	struct mmlens_walk *walk = &input->walk;

	switch (queries[input->call].request) {
	case MMLENS_PAGES:
	case MMLENS_USERS:
		/* Where nobody maps anything all processes are looked at. */
		input->base = rng_one_in(rng, 4) ? BASE_ZERO : BASE_MEMORY;
		walk->start = rng_below(rng, 1 << 18);
		if (input->base == BASE_MEMORY)
			walk->start &= 1023;
		walk->end = walk->start + few(rng);
		break;
	case MMLENS_PAGEBLOCKS:
		walk->start = rng_below(rng, 1 << 19);
		walk->end = rng_one_in(rng, 4) ? 0 : walk->start +
						     rng_below(rng, 1 << 14);
		break;
	case MMLENS_KMAP:
		input->base = BASE_DIRECT_MAP;
		walk->start = rng_below(rng, 4096) * PAGE;
		walk->end = walk->flags & MMLENS_WALK_LEVELS ? 0 :
			    walk->start + few(rng) * PAGE;
		break;
	case MMLENS_LRU:
		if (walk->flags & MMLENS_WALK_FOLIOS) {
			walk->start = rng_below(rng, 64);
			walk->end = walk->start + 1 + rng_below(rng, 8);
		}
		break;
	}
}

static void make_walk(struct rng *rng, struct input *input)
{
	const struct query *query = &queries[input->call];
	struct mmlens_walk *walk = &input->walk;

	walk->size = sizeof(*walk);
	walk->flags = rng_next(rng) & (query->flags | needy_flags(query));
	/* Most kernels have no second table. */
	if (!rng_one_in(rng, 4))
		walk->flags &= ~MMLENS_WALK_USER_HALF;
	walk->buffer_size = MMLENS_BUFFER_MIN + 8 * rng_below(rng, 64);
	if (query->system)
		make_machine_range(rng, input);
	else
		make_process_range(rng, input);
	input->target = rng_one_in(rng, 4) ? rng_below(rng, TARGET_RAW) :
					     TARGET_RICH;
	input->where = rng_one_in(rng, 8) ? rng_below(rng, BUFFER_TARGET) :
					    BUFFER_PLAIN;
	input->resume = rng_one_in(rng, 4);
}

/* ---- text for debugfs ---- */

/* Those that read much of the machine come last, and rarely. */
static uint8_t pick_file(struct rng *rng)
{
	return rng_below(rng, rng_one_in(rng, 12) ? FILES : 8);
}

static void make_text(struct rng *rng, struct input *input)
{
	static const char *const odd[] = {
		"", " ", "\n", "0", "-1", "1 2 3 4", "99999999999", "1 g",
		"1 0 -1", "0x1", "+1", "1\t1000\t2000\n", "1 1001 2000",
		"1 2000 1000", "1  1000", "% 0x", "1 ffffffffffffffff",
		"1 0 fffffffffffff000", "1 7ffffffff000",
	};
	uint64_t page = rng_below(rng, AREA_PAGES);

	if (rng_one_in(rng, 3))
		snprintf(input->text, TEXT, "%s",
			 odd[rng_below(rng, sizeof(odd) / sizeof(*odd))]);
	else
		/* % and @ stand for a target and for the area. */
		snprintf(input->text, TEXT, "%% @%llx @%llx%s",
			 (unsigned long long)page * PAGE,
			 (unsigned long long)(page + few(rng)) * PAGE,
			 rng_one_in(rng, 2) ? "\n" : "");
	input->length = strlen(input->text);
}

static void make_file(struct rng *rng, struct input *input)
{
	input->file = pick_file(rng);
	input->op = rng_one_in(rng, 16) ? FILE_REOPEN :
					  rng_below(rng, FILE_REOPEN);
	input->count = 1 + rng_below(rng, rng_one_in(rng, 4) ? 16384 : 300);
	input->offset = rng_below(rng, 2000);
	input->whence = rng_below(rng, 3);
	make_text(rng, input);
}

void input_make(struct rng *rng, struct input *input)
{
	memset(input, 0, sizeof(*input));
	input->call = pick_call(rng);
	input->shared_fd = rng_one_in(rng, 2);
	if (input->call < CALL_WALKS)
		make_walk(rng, input);
	else if (input->call == CALL_DEBUGFS)
		make_file(rng, input);
	else
		input->walk.size = input->call == CALL_INFO ?
				   sizeof(struct mmlens_info) :
				   sizeof(struct mmlens_walk);
	if (input->call == CALL_UNKNOWN)
		input->command = 1 + rng_below(rng, ~0u);
}

/* ---- changes ---- */

static void flip(struct rng *rng, __u64 *value)
{
	switch (rng_below(rng, 4)) {
	case 0:
		*value ^= 1ull << rng_below(rng, 64);
		break;
	case 1:
		*value += (int64_t)rng_below(rng, 17) - 8;
		break;
	case 2:
		*value += ((int64_t)rng_below(rng, 17) - 8) * PAGE;
		break;
	default:
		*value = number(rng);
	}
}

static void mutate_member(struct rng *rng, struct input *input)
{
	struct mmlens_walk *walk = &input->walk;

	switch (rng_below(rng, 10)) {
	case 0:
		walk->size = number(rng);
		break;
	case 1:
		walk->flags ^= 1u << rng_below(rng, 32);
		break;
	case 2:
		input->target = TARGET_RAW;
		walk->pid = number(rng);
		break;
	case 3:
		flip(rng, &walk->start);
		break;
	case 4:
		flip(rng, &walk->end);
		break;
	case 5:
		flip(rng, &walk->cursor);
		break;
	case 6:
		flip(rng, &walk->generation);
		break;
	case 7:
		flip(rng, &walk->buffer_size);
		break;
	case 8:
		walk->reserved = number(rng);
		break;
	case 9:
		input->where = BUFFER_RAW;
		walk->buffer = number(rng);
		break;
	}
}

static void mutate_file(struct rng *rng, struct input *input)
{
	switch (rng_below(rng, 5)) {
	case 0:
		input->op = rng_below(rng, FILE_OPS);
		break;
	case 1:
		input->count = number(rng);
		break;
	case 2:
		input->offset = number(rng);
		break;
	case 3:
		input->text[rng_below(rng, TEXT)] = rng_next(rng);
		break;
	case 4:
		input->length = rng_below(rng, TEXT);
		break;
	}
}

static void mutate_once(struct rng *rng, struct input *input)
{
	if (input->call == CALL_DEBUGFS) {
		mutate_file(rng, input);
		return;
	}
	switch (rng_below(rng, 12)) {
	case 0:
		input->target = rng_below(rng, TARGET_KINDS);
		break;
	case 1:
		input->place = rng_below(rng, PLACE_KINDS);
		break;
	case 2:
		input->where = rng_below(rng, BUFFER_KINDS);
		break;
	case 3:
		input->base = rng_below(rng, BASE_KINDS);
		break;
	case 4:
		input->resume = rng_below(rng, 4);
		break;
	case 5:
		input->tail = rng_one_in(rng, 2) ? 0 : number(rng);
		break;
	case 6:
		if (rng_one_in(rng, 4))
			input->command = rng_one_in(rng, 2) ?
				1u << rng_below(rng, 32) : number(rng);
		break;
	default:
		mutate_member(rng, input);
	}
}

void input_mutate(struct rng *rng, struct input *input)
{
	unsigned int n = 1 + rng_below(rng, 3);

	input->damaged = 1;
	while (n--)
		mutate_once(rng, input);
}

/* ---- as text ---- */

void input_print(const struct input *input)
{
	const unsigned char *bytes = (const void *)input;

	printf("input ");
	for (size_t i = 0; i < sizeof(*input); i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

bool input_parse(const char *text, struct input *input)
{
	unsigned char *bytes = (void *)input;
	unsigned int byte;

	if (strlen(text) != 2 * sizeof(*input))
		return false;
	for (size_t i = 0; i < sizeof(*input); i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		bytes[i] = byte;
	}
	return input->call < CALL_KINDS && input->file < FILES;
}
