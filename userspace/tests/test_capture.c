// SPDX-License-Identifier: GPL-2.0-only
/* Captures: what is written is what is read, and damage is told. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_take.h"
#include "fake.h"
#include "internal.h"
#include "sample.h"
#undef ARRAY_SIZE
#include "test.h"

static char directory[] = "/tmp/mmlens-test-XXXXXX";
static char path[64];

static void begin(void)
{
	if (!*path && !mkdtemp(directory))
		abort();
	snprintf(path, sizeof(path), "%s/a.cap", directory);
}

static unsigned int files_left(void)
{
	DIR *d = opendir(directory);
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* ---- records as bytes ---- */

static uint64_t random_word(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Any type, any size, words that are alike and words that aren't. */
static void make_record(struct mmlens_record *rec, unsigned int i)
{
	uint64_t *words = (void *)rec;
	const size_t count = 1 + random_word() % (i % 50 ? 40 : 8000);

	for (size_t w = 1; w < count; w++) {
		if (random_word() % 4 == 0)
			words[w] = random_word() >> random_word() % 64;
		else if (random_word() % 2)
			words[w] = 0;
	}
	words[0] = random_word() % 2 ? random_word() : words[0];
	rec->size = count * sizeof(*words);
	rec->type = random_word() % 30;
	rec->level = random_word() % 6;
}

static void records_survive(void)
{
	static struct mml_coder there, back;
	static uint8_t bytes[MML_CODED_MAX];
	static _Alignas(8) char in[65536], out[65536];
	struct mmlens_record *rec = (void *)in, *got = (void *)out;

	mml_coder_reset(&there, 12);
	mml_coder_reset(&back, 12);
	for (unsigned int i = 0; i < 20000; i++) {
		const uint8_t *at = bytes;
		size_t n;

		make_record(rec, i);
		n = mml_encode(&there, rec, bytes);
		CHECK_NUMBER(mml_decode(&back, &at, bytes + n, got,
					sizeof(out)), rec->size);
		CHECK_NUMBER(at - bytes, n);
		if (memcmp(rec, got, rec->size)) {
			CHECK(!"the same record");
			return;
		}
	}
}

/* Entries in order come to a few bytes each. */
static void rows_are_small(void)
{
	static struct mml_coder coder;
	static uint8_t bytes[MML_CODED_MAX];
	size_t total = 0;

	mml_coder_reset(&coder, 12);
	for (uint64_t i = 0; i < 1000; i++) {
		const uint64_t pfn = 0x80000 - i;
		const struct mmlens_page page = {
			.head = { sizeof(page), MMLENS_REC_PAGE, 1 },
			.flags = 0x7e2, .va = 0x7f0000000000 + i * 4096,
			.raw = pfn << 12 | 0x67, .value = pfn, .count = 1,
			.page_flags = 0x5828, .memcg = 77, .mapcount = 1,
		};

		total += mml_encode(&coder, &page.head, bytes);
	}
	CHECK(total < 5000);
}

static void varints_are_unique(void)
{
	static const uint64_t values[] = {
		0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX,
		1ull << 63, 1ull << 56, (1ull << 56) - 1, 1ull << 55,
		(1ull << 49) - 1, 1ull << 49, (1ull << 42) + 77,
	};
	static const uint8_t bad[][11] = {
		{ 0x80, 0 },				/* 0 in two bytes */
		{ 0x80 },				/* cut off */
		{ 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 },
	};
	static const size_t lengths[] = { 2, 1, 10 };
	uint8_t bytes[16];
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const size_t n = mml_put_varint(bytes, values[i]);
		const uint8_t *at = bytes;

		CHECK(mml_get_varint(&at, bytes + n, &value));
		CHECK(value == values[i]);
		CHECK_NUMBER(at - bytes, n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint8_t *at = bad[i];

		CHECK(!mml_get_varint(&at, bad[i] + lengths[i], &value));
	}
}

/* ---- files ---- */

static struct mmlens *open_sample(char why[256])
{
	return mmlens_capture_open(path, why, 256);
}

static void a_capture_is_read_as_written(void)
{
	char why[256] = "";
	struct mmlens *lens;
	struct stat st;
	int pids[2];

	begin();
	CHECK_NUMBER(sample_write(path), 0);
	CHECK_NUMBER(files_left(), 1);
	CHECK(!stat(path, &st));
	CHECK_NUMBER(st.st_mode & 0777, 0600);
	lens = open_sample(why);
	CHECK_STRING(why, "");
	if (!lens)
		return;
	CHECK_STRING(mmlens_get_info(lens)->release, fake_info.release);
	CHECK_NUMBER(mmlens_capture_pids(lens, pids, 2), 1);
	CHECK_NUMBER(pids[0], SAMPLE_PID);
	CHECK(sample_look(lens));
	unlink(path);
}

/* ---- more than one block ---- */

#define MANY 40000

static struct mmlens_page many_page(uint64_t i)
{
	const uint64_t pfn = i * 2654435761u % (1u << 22);

	return (struct mmlens_page) {
		.head = { sizeof(struct mmlens_page), MMLENS_REC_PAGE, 1 },
		.flags = MMLENS_STATE_PRESENT | MMLENS_PTE_FILE,
		.va = 0x7f0000000000 + i * 4096, .raw = pfn << 12 | 0x67,
		.value = pfn, .count = 1, .mapcount = i % 7,
	};
}

static int write_many(struct mml_writer *w, const char *text, size_t length)
{
	int ret = mml_writer_begin(w, MMLENS_NR_PTES, MMLENS_CAPTURE_PTES,
				   SAMPLE_PID, NULL);

	for (uint64_t i = 0; i < MANY && !ret; i++) {
		const struct mmlens_page page = many_page(i);

		ret = mml_writer_record(w, &page.head);
	}
	if (!ret)
		ret = mml_writer_end(w, 0, NULL);
	return ret ? ret : mml_writer_file(w, "/proc/x", text, length);
}

/* Entry by entry, without the state that it has. */
static void check_many(struct mmlens *lens)
{
	const struct mmlens_request request = {
		.pid = SAMPLE_PID, .flags = MMLENS_WALK_PAGE,
	};
	struct mmlens_entries *entries = mmlens_entries_open(lens, &request);
	struct mmlens_entry entry;
	uint64_t n = 0;

	while (mmlens_entries_next(entries, &entry) > 0) {
		const struct mmlens_page page = many_page(n++);

		if (entry.va != page.va || entry.raw != page.raw ||
		    entry.value != page.value || entry.flags != page.flags ||
		    entry.has_page) {
			CHECK(!"the same entry");
			break;
		}
	}
	CHECK_NUMBER(n, MANY);
	mmlens_entries_close(entries);
}

/* They are packed at the same time, and stand in the file in order. */
static void many_blocks_are_in_order(void)
{
	static char text[MML_BLOCK_BYTES * 5 / 2];
	struct mml_capture *capture;
	char why[256] = "", *read;
	struct mml_writer *w;
	struct mmlens *lens;
	size_t length = 0;

	begin();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * i >> 8;
	w = mml_writer_open(path, &fake_info, 0);
	CHECK_NUMBER(write_many(w, text, sizeof(text)), 0);
	CHECK_NUMBER(write_many(w, text, 10), 0);
	capture = mml_capture_open(mml_writer_finish(w), why);
	CHECK_STRING(why, "");
	read = mml_capture_file(capture, "/proc/x", &length);
	CHECK(read && (length == sizeof(text) || length == 10));
	CHECK(read && !memcmp(read, text, length));
	free(read);
	lens = mml_replay_open(capture, false);
	check_many(lens);
	mmlens_close(lens);

	w = mml_writer_open(path, &fake_info, 0);
	CHECK_NUMBER(write_many(w, text, sizeof(text)), 0);
	mml_writer_abort(w);
	CHECK_NUMBER(files_left(), 0);
}

/* A record of some bytes claims four billion entries: no walk of them. */
static void claims_cost_no_time(void)
{
	static const uint32_t claimed = 0xffffffff;
	struct mmlens_request request = { .pid = SAMPLE_PID };
	struct mmlens_page page = many_page(0);
	struct mmlens_entries *entries;
	struct mmlens_entry_run run;
	char why[256] = "";
	struct mml_writer *w;
	struct mmlens *lens;

	begin();
	page.va = 0x10000000000;
	page.count = claimed;
	w = mml_writer_open(path, &fake_info, 0);
	mml_writer_begin(w, MMLENS_NR_PTES, MMLENS_CAPTURE_PTES, SAMPLE_PID,
			 NULL);
	CHECK_NUMBER(mml_writer_record(w, &page.head), 0);
	CHECK_NUMBER(mml_writer_end(w, 0, NULL), 0);
	lens = mml_replay_open(mml_capture_open(mml_writer_finish(w), why),
			       false);
	for (int i = 0; i < 2; i++) {
		request.flags = i ? MMLENS_WALK_PAGE | MMLENS_WALK_STATE : 0;
		entries = mmlens_entries_open(lens, &request);
		CHECK_NUMBER(mmlens_runs_next(entries, &run), 1);
		CHECK_NUMBER(run.entries, claimed);
		CHECK(run.has_page == !!i);
		CHECK_NUMBER(!!(run.flags & MMLENS_PTE_FILE), i);
		CHECK_NUMBER(mmlens_runs_next(entries, &run), 0);
		mmlens_entries_close(entries);
	}
	mmlens_close(lens);
}

/* ---- damage ---- */

static char *slurp(size_t *length)
{
	int fd = open(path, O_RDONLY);
	char *data = malloc(65536);
	ssize_t n = read(fd, data, 65536);

	close(fd);
	*length = n > 0 ? n : 0;
	return data;
}

/* Opened and looked at as far as it goes: the hash, or 0 for an error. */
static uint64_t look(const char *data, size_t length)
{
	char why[256] = "";
	struct mmlens *lens;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, length) != (ssize_t)length)
		abort();
	close(fd);
	lens = open_sample(why);
	if (!lens && !*why)
		CHECK(!"an error says what is wrong");
	return lens ? sample_look(lens) : 0;
}

static void any_other_byte_is_noticed(void)
{
	unsigned int harmless = 0;
	size_t length;
	uint64_t whole;
	char *data;

	begin();
	sample_write(path);
	data = slurp(&length);
	whole = look(data, length);
	CHECK(whole);
	for (size_t i = 0; i < length; i++) {
		for (int bit = -1; bit < 8; bit += i % 7 ? 9 : 1) {
			const uint8_t mask = bit < 0 ? 0xff : 1u << bit;
			uint64_t got;

			data[i] ^= mask;
			got = look(data, length);
			data[i] ^= mask;
			if (got && got != whole) {
				fprintf(stderr, "byte %zu: other output\n", i);
				CHECK(!"an error or the same");
			}
			harmless += got == whole;
		}
	}
	/* The bits of a frame's head that nobody looks at, and the time. */
	CHECK(harmless < 64);
	free(data);
	unlink(path);
}

static void any_other_length_is_noticed(void)
{
	size_t length;
	char *data;

	begin();
	sample_write(path);
	data = slurp(&length);
	for (size_t n = 0; n < length; n++)
		if (look(data, n)) {
			fprintf(stderr, "%zu bytes of %zu\n", n, length);
			CHECK(!"an error");
		}
	data[length] = 0;
	CHECK(!look(data, length + 1));
	free(data);
	unlink(path);
}

static const char *why_not(const char *data, size_t length)
{
	static char why[256];

	look(data, length);
	CHECK(!open_sample(why));
	return why;
}

static void what_is_wrong_is_told(void)
{
	size_t length;
	char *data;

	begin();
	sample_write(path);
	data = slurp(&length);
	CHECK_STRING(why_not(data, 0), "is empty");
	CHECK_STRING(why_not("#!/bin/sh\necho hello\n", 21), "isn't a capture");
	CHECK(strstr(why_not(data, length / 2), "truncated"));
	CHECK(strstr(why_not(data, 24), "truncated"));
	data[23]++;
	CHECK(strstr(why_not(data, length), "version 2"));
	data[23]--;
	data[length - 100] ^= 1;
	CHECK(strstr(why_not(data, length), "damaged"));
	free(data);
	unlink(path);
}

/* Machines of other kinds: rendered as they say, or refused with words. */
static void other_machines_are_told_apart(void)
{
	struct mmlens_info info = fake_info;
	char why[256] = "";
	struct mml_writer *w;
	struct mmlens *lens;

	begin();
	info.page_shift = 16;
	info.level_shift[MMLENS_LEVEL_PTE] = 16;
	info.arch = 183;	/* EM_AARCH64 */
	w = mml_writer_open(path, &info, 0);
	CHECK_NUMBER(mml_writer_commit(w), 0);
	lens = open_sample(why);
	CHECK(lens);
	if (lens)
		CHECK_NUMBER(mmlens_get_info(lens)->page_shift, 16);
	mmlens_close(lens);

	info.page_shift = 20;
	w = mml_writer_open(path, &info, 0);
	CHECK_NUMBER(mml_writer_commit(w), 0);
	CHECK(!open_sample(why));
	CHECK(strstr(why, "make sense of"));
	unlink(path);
}

static void nothing_is_left_of_what_was_left(void)
{
	struct mml_writer *w;

	begin();
	w = mml_writer_open(path, &fake_info, 0);
	CHECK_NUMBER(files_left(), 0);
	mml_writer_file(w, "/proc/x", "text", 4);
	mml_writer_abort(w);
	CHECK_NUMBER(files_left(), 0);
	CHECK(!mml_writer_open(directory, &fake_info, 0));
	CHECK_NUMBER(errno, EISDIR);
	CHECK(!mml_writer_open("/nowhere/at/all", &fake_info, 0));
	CHECK_NUMBER(errno, ENOENT);
	rmdir(directory);
}

TESTS(
	TEST(records_survive),
	TEST(rows_are_small),
	TEST(varints_are_unique),
	TEST(a_capture_is_read_as_written),
	TEST(many_blocks_are_in_order),
	TEST(claims_cost_no_time),
	TEST(any_other_byte_is_noticed),
	TEST(any_other_length_is_noticed),
	TEST(what_is_wrong_is_told),
	TEST(other_machines_are_told_apart),
	TEST(nothing_is_left_of_what_was_left),
)
