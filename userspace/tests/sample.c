// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture_take.h"
#include "fake.h"
#include "internal.h"
#include "sample.h"

#define BASE 0x7f0000000000ull

/* Records of an answer that are looked at. */
#define MOST 256

const struct sample_answer sample_answers[SAMPLE_ANSWERS] = {
	{ MMLENS_NR_VMAS, 0, SAMPLE_PID },
	{ MMLENS_NR_PTES, MMLENS_CAPTURE_PTES, SAMPLE_PID },
	{ MMLENS_NR_VTOP, 0, SAMPLE_PID },
	{ MMLENS_NR_SMAPS, 0, SAMPLE_PID },
	{ MMLENS_NR_NUMA_MAPS, 0, SAMPLE_PID },
	{ MMLENS_NR_TABLES, 0, SAMPLE_PID },
	{ MMLENS_NR_PROCS, MMLENS_WALK_TOTAL, 0 },
	{ MMLENS_NR_ZONES, 0, 0 },
	{ MMLENS_NR_FREE, 0, 0 },
	{ MMLENS_NR_PAGEBLOCKS, 0, 0 },
	{ MMLENS_NR_PAGES, 0, 0 },
	{ MMLENS_NR_PAGES, MMLENS_WALK_BACKING, 0 },
	{ MMLENS_NR_USERS, 0, 0 },
	{ MMLENS_NR_KMAP, 0, 0 },
	{ MMLENS_NR_LRU, MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING, 0 },
};

static int put(struct mml_writer *w, const struct records *r)
{
	int ret = 0;

	for (size_t at = 0; at < r->length && !ret;) {
		const struct mmlens_record *rec = (const void *)(r->data + at);

		ret = mml_writer_record(w, rec);
		at += rec->size;
	}
	return ret;
}

static int answer(struct mml_writer *w, unsigned int nr, uint32_t flags,
		  int pid, const struct records *r)
{
	const struct mmlens_stats stats = { .restarts = 1, .max_hold_ns = 900 };
	int ret = mml_writer_begin(w, nr, flags, pid, NULL);

	if (!ret)
		ret = put(w, r);
	return ret ? ret : mml_writer_end(w, 0, &stats);
}

static int write_mappings(struct mml_writer *w)
{
	static struct records vmas, sums;
	int ret;

	vmas.length = sums.length = 0;
	for (uint64_t i = 0; i < 3; i++) {
		const uint64_t start = BASE + i * 0x400000;
		const uint64_t flags = MMLENS_VMA_READ | MMLENS_VMA_NAMED;

		add_vma(&vmas, start, start + 0x200000, flags);
		add_name(&vmas, "/usr/lib/libexample.so.1");
		add_vma(&sums, start, start + 0x200000, flags);
		add_name(&sums, "/usr/lib/libexample.so.1");
		add_smaps(&sums, 4096 * (i + 1), 4096);
	}
	ret = answer(w, MMLENS_NR_VMAS, 0, SAMPLE_PID, &vmas);
	return ret ? ret : answer(w, MMLENS_NR_SMAPS, 0, SAMPLE_PID, &sums);
}

static int write_entries(struct mml_writer *w)
{
	const struct mmlens_page_state state = {
		.flags = 0x5828, .memcg = 7, .mapcount = 1, .lru = 2,
	};
	static struct records r;

	r.length = 0;
	for (uint64_t i = 0; i < 8; i++)
		add_page(&r, MMLENS_LEVEL_PTE, BASE + i * 8 * 4096,
			 MMLENS_STATE_PRESENT | MMLENS_PTE_USER |
			 MMLENS_PTE_DIRTY | MMLENS_PTE_ANON_EXCLUSIVE,
			 0x1000 + i * 77, i % 3 + 1, &state);
	add_hole(&r, MMLENS_LEVEL_PTE, BASE + 0x100000, BASE + 0x200000);
	add_pte(&r, MMLENS_LEVEL_PMD, BASE + 0x400000,
		MMLENS_STATE_PRESENT | MMLENS_PTE_LEAF, 0x2000, 0x2000087);
	add_pte(&r, MMLENS_LEVEL_PTE, BASE + 0x800000, MMLENS_STATE_SWAP,
		5ull << 58 | 99, 0xdeadbeef00);
	return answer(w, MMLENS_NR_PTES, MMLENS_CAPTURE_PTES, SAMPLE_PID, &r);
}

static int write_ways(struct mml_writer *w)
{
	static const unsigned int shifts[] = { 39, 30, 21, 12 };
	static const unsigned int levels[] = { 5, 3, 2, 1 };
	static struct records r, tables;
	int ret;

	r.length = tables.length = 0;
	for (int i = 0; i < 4; i++) {
		add_level(&r, levels[i], BASE & ~((1ull << shifts[i]) - 1),
			  i < 3 ? MMLENS_STATE_TABLE : MMLENS_STATE_PRESENT,
			  0x500 + i, 0x67, 0x400 + i,
			  BASE >> shifts[i] & 511);
		add_table(&tables, levels[i], BASE, 0, 3);
	}
	ret = answer(w, MMLENS_NR_VTOP, 0, SAMPLE_PID, &r);
	return ret ? ret : answer(w, MMLENS_NR_TABLES, 0, SAMPLE_PID, &tables);
}

static int write_machine(struct mml_writer *w)
{
	struct mmlens_pfns run = {
		.head = { sizeof(run), MMLENS_REC_PFNS, 0 },
		.count = 16, .pfn = 0x100, .order = 2, .folio_index = 1,
	};
	struct mmlens_user user = {
		.head = { sizeof(user), MMLENS_REC_USER, 1 },
		.pid = SAMPLE_PID, .count = 3, .va = BASE, .pfn = 0x104,
	};
	struct mmlens_backing backing = {
		.head = { sizeof(backing), MMLENS_REC_BACKING, 0 },
		.flags = MMLENS_BACKING_INODE | MMLENS_BACKING_INDEX,
		.pfn = 0x100, .name = "file",
	};
	struct mmlens_lru_list list = {
		.head = { sizeof(list), MMLENS_REC_LRU, 0 },
		.lru = MMLENS_LRU_ACTIVE_FILE, .count = 1, .cursor = 9,
	};
	struct mmlens_kmap kmap = {
		.head = { sizeof(kmap), MMLENS_REC_KMAP, 1 },
		.flags = MMLENS_STATE_PRESENT, .va = -1ull << 30, .count = 9,
		.value = 0x99, .consecutive = 1,
	};
	static struct records r;
	int ret;

	r.length = 0;
	add_record(&r, &run, sizeof(run));
	ret = answer(w, MMLENS_NR_PAGES, 0, 0, &r);
	add_record(&r, &backing, sizeof(backing));
	if (!ret)
		ret = answer(w, MMLENS_NR_PAGES, MMLENS_WALK_BACKING, 0, &r);
	r.length = 0;
	add_record(&r, &user, sizeof(user));
	if (!ret)
		ret = answer(w, MMLENS_NR_USERS, 0, 0, &r);
	r.length = 0;
	add_record(&r, &list, sizeof(list));
	add_record(&r, &run, sizeof(run));
	add_record(&r, &backing, sizeof(backing));
	if (!ret)
		ret = answer(w, MMLENS_NR_LRU, MMLENS_WALK_FOLIOS |
			     MMLENS_WALK_BACKING, 0, &r);
	r.length = 0;
	add_record(&r, &kmap, sizeof(kmap));
	add_stranger(&r);
	if (!ret)
		ret = answer(w, MMLENS_NR_KMAP, 0, 0, &r);
	r.length = 0;
	add_proc(&r, SAMPLE_PID, 0, 0, "sample");
	add_smaps(&r, 4096, 4096);
	return ret ? ret : answer(w, MMLENS_NR_PROCS, MMLENS_WALK_TOTAL, 0, &r);
}

static int write_all(struct mml_writer *w)
{
	static const char users[] = "\n0 root\n";
	int ret = write_mappings(w);

	if (!ret)
		ret = write_entries(w);
	if (!ret)
		ret = write_ways(w);
	if (!ret)
		ret = write_machine(w);
	return ret ? ret : mml_writer_file(w, MML_FILE_USERS, users,
					   sizeof(users) - 1);
}

int sample_write(const char *path)
{
	struct mml_writer *w = mml_writer_open(path ? path : "/tmp/sample",
					       &fake_info, MML_HEADER_MACHINE);
	int ret = w ? write_all(w) : -errno;

	if (ret) {
		mml_writer_abort(w);
		return ret;
	}
	return path ? mml_writer_commit(w) : mml_writer_finish(w);
}

/* ---- looking ---- */

static void mix(uint64_t *hash, const void *data, size_t length)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < length; i++)
		*hash = (*hash ^ at[i]) * 0x100000001b3ull;
}

/* What this kernel doesn't tell or the capture lacks is no damage. */
static bool is_damage(int error)
{
	return error < 0 && error != -ENODATA && error != -ESRCH &&
	       error != -EOPNOTSUPP;
}

static void look_at(struct mmlens *lens, unsigned int nr,
		    const struct mmlens_request *request, uint64_t *hash,
		    bool *damaged)
{
	struct mmlens_stream *stream = mmlens_stream_open(lens, nr, request);
	const struct mmlens_record *rec;
	int ret = stream ? 0 : -errno;
	unsigned int count = 0;

	/* Of billions that a record claims, some are enough. */
	while (stream && count++ < MOST &&
	       (ret = mmlens_stream_next(stream, &rec)) > 0)
		mix(hash, rec, rec->size);
	mix(hash, &ret, sizeof(ret));
	*damaged |= is_damage(ret);
	mmlens_stream_close(stream);
}

uint64_t sample_look(struct mmlens *lens)
{
	static const uint32_t flags[] = {
		0, MMLENS_WALK_PAGE, MMLENS_CAPTURE_PTES, MMLENS_WALK_TOTAL,
		MMLENS_WALK_BACKING, MMLENS_WALK_FOLIOS | MMLENS_WALK_BACKING,
		MMLENS_WALK_ABSENT, MMLENS_WALK_STATE,
	};
	static const uint64_t ranges[][2] = {
		{ 0, 0 }, { BASE + 0x2000, BASE + 0x7000 }, { 0x103, 0x107 },
		{ 1, 2 },
	};
	uint64_t hash = 0xcbf29ce484222325ull;
	struct mmlens_request request;
	bool damaged = false;
	char *name;

	for (unsigned int nr = 1; nr <= MMLENS_NR_LRU; nr++) {
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
			for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
				request = (struct mmlens_request) {
					.pid = nr < MMLENS_NR_PROCS ?
						SAMPLE_PID : 0,
					.flags = flags[f],
					.start = ranges[i][0],
					.end = ranges[i][1],
				};
				look_at(lens, nr, &request, &hash, &damaged);
			}
		}
	}
	request = (struct mmlens_request) {
		.flags = MMLENS_WALK_FOLIOS, .from = 9,
	};
	look_at(lens, MMLENS_NR_LRU, &request, &hash, &damaged);
	name = mmlens_user_name(0);
	damaged |= !name;
	if (name)
		mix(&hash, name, strlen(name));
	free(name);
	mmlens_close(lens);
	return damaged ? 0 : hash | 1;
}
