/* SPDX-License-Identifier: GPL-2.0-only */
/* A module made of a script: what each call gives back, one after another. */
#ifndef MMLENS_TEST_FAKE_H
#define MMLENS_TEST_FAKE_H

#include "libmmlens.h"

/**
 * struct fake_call - What one call gives back.
 * @error:	a negative errno, or 0
 * @data:	the records
 * @length:	their bytes, and what is said in mmlens_walk.written
 * @status:	MMLENS_STATUS_*
 * @stuck:	the cursor stays where it is
 * @restarts:	as in &struct mmlens_walk
 * @max_hold_ns: as in &struct mmlens_walk
 */
struct fake_call {
	int error;
	const void *data;
	size_t length;
	uint32_t status;
	bool stuck;
	uint32_t restarts;
	uint64_t max_hold_ns;
};

/**
 * struct fake - A module.
 * @info:	what it says it is
 * @calls:	what walks give back
 * @count:	how many there are
 * @made:	calls made
 * @broken:	a call didn't go on where the last one had stopped
 * @closed:	the connection is closed
 * @last:	the last call as it came in
 */
struct fake {
	struct mmlens_info info;
	const struct fake_call *calls;
	unsigned int count;
	unsigned int made;
	bool broken;
	bool closed;
	struct mmlens_walk last;
	unsigned long last_request;
};

/* x86-64, four levels, everything it can. */
void fake_init(struct fake *fake, const struct fake_call *calls,
	       unsigned int count);
struct mmlens *fake_open(struct fake *fake);

/* x86-64 as fake_init() has it. */
extern const struct mmlens_info fake_info;

/* ---- records ---- */

/* Records one behind another; full is a programming error. */
struct records {
	size_t length;
	_Alignas(8) char data[32768];
};

void add_record(struct records *r, const void *record, size_t size);
void add_pte(struct records *r, unsigned int level, uint64_t va, uint32_t flags,
	     uint64_t value, uint64_t raw);
/* @count pages from @va and @pfn on; @state is of the first. */
void add_page(struct records *r, unsigned int level, uint64_t va,
	      uint32_t flags, uint64_t pfn, uint32_t count,
	      const struct mmlens_page_state *state);
void add_hole(struct records *r, unsigned int level, uint64_t start,
	      uint64_t end);
void add_level(struct records *r, unsigned int level, uint64_t va,
	       uint32_t flags, uint64_t value, uint64_t raw,
	       uint64_t table_pfn, unsigned int index);
void add_vma(struct records *r, uint64_t start, uint64_t end, uint64_t flags);
void add_name(struct records *r, const char *name);
void add_smaps(struct records *r, uint64_t rss, uint64_t dirty);
void add_proc(struct records *r, int pid, uint32_t uid, uint32_t flags,
	      const char *comm);
void add_table(struct records *r, unsigned int level, uint64_t va,
	       uint32_t flags, unsigned int used);
/* Of a type that nobody knows. */
void add_stranger(struct records *r);

/* A call that gives all of @r and is the last. */
#define WHOLE(r) { .data = (r).data, .length = (r).length, \
		   .status = MMLENS_STATUS_DONE }
#define PART(r) { .data = (r).data, .length = (r).length, \
		  .status = MMLENS_STATUS_TRUNCATED }

#endif
