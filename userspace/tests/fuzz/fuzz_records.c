// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole and sound capture whose answers are any bytes: coded records, behind
 * one byte that says of which query they are.  Replay and views must hold.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "capture_take.h"
#include "fake.h"
#include "fuzz.h"
#include "internal.h"
#include "sample.h"

static int told(const struct mmlens_diff_area *area, void *context)
{
	*(uint64_t *)context += area->changed;
	return 0;
}

static void diff(struct mmlens *lens)
{
	const struct mmlens_diff_told told_area = { .area = told };
	uint64_t changed = 0;

	mmlens_diff(lens, lens, SAMPLE_PID, SAMPLE_PID, &told_area, &changed);
}

static void translate(struct mmlens *lens)
{
	struct mmlens_translation translation;

	for (uint64_t at = 0; at < 1ull << 47; at = at * 3 + 4096)
		mmlens_translate(lens, SAMPLE_PID, at, &translation);
}

/* What goes by rows, however many entries they claim. */
static void sum_up(struct mmlens *lens)
{
	static const uint32_t flags[] = {
		0, MMLENS_WALK_PAGE | MMLENS_WALK_ABSENT, MMLENS_WALK_STATE,
	};
	const struct mmlens_folio_sums *sums;
	struct mmlens_request request = { .pid = SAMPLE_PID };
	struct mmlens_entries *entries;
	const struct mmlens_area *area;
	struct mmlens_folios *folios;
	struct mmlens_entry_run run;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		request.flags = flags[i];
		entries = mmlens_entries_open(lens, &request);
		while (entries && mmlens_runs_next(entries, &run) > 0)
			;
		mmlens_entries_close(entries);
	}
	folios = mmlens_folios_open(lens, &request);
	while (folios && mmlens_folios_next(folios, &area, &sums) > 0)
		;
	mmlens_folios_close(folios);
}

/* Coded bytes can't be given to the writer: they are decoded by its rules. */
static bool put_records(struct mml_writer *w, const uint8_t *data, size_t size)
{
	static struct mml_coder coder;
	static _Alignas(8) char room[65536];
	struct mmlens_record *rec = (void *)room;
	const uint8_t *end = data + size;

	mml_coder_reset(&coder, fake_info.page_shift);
	while (mml_decode(&coder, &data, end, rec, sizeof(room)))
		if (mml_writer_record(w, rec))
			return false;
	return true;
}

/* Parts of the input are answers: a byte that says which, and two of length. */
static void put_answers(struct mml_writer *w, const uint8_t *data, size_t size)
{
	while (size > 3) {
		const struct sample_answer *a =
			&sample_answers[data[0] % SAMPLE_ANSWERS];
		size_t length = data[1] | (data[2] & 15) << 8;

		data += 3;
		size -= 3;
		length = length < size ? length : size;
		if (mml_writer_begin(w, a->nr, a->flags, a->pid, NULL) ||
		    !put_records(w, data, length) ||
		    mml_writer_end(w, 0, NULL))
			return;
		data += length;
		size -= length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mml_writer *w = mml_writer_open("/dev/shm/fuzz", &fake_info, 0);
	char why[MML_WHY] = "";
	struct mml_capture *capture;
	struct mmlens *lens;
	int fd;

	if (!w)
		return 0;
	put_answers(w, data, size);
	fd = mml_writer_finish(w);
	capture = fd < 0 ? NULL : mml_capture_open(fd, why);
	lens = capture ? mml_replay_open(capture, true) : NULL;
	if (!lens)
		return 0;
	diff(lens);
	sum_up(lens);
	translate(lens);
	sample_look(lens);
	return 0;
}
