// SPDX-License-Identifier: GPL-2.0-only
/*
 * make-sample FILE RECORDS: the capture that fuzzing begins with, and what is in
 * it as tests/fuzz/fuzz_records.c takes it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "sample.h"

static int index_of(const struct mml_stored *stored)
{
	for (int i = 0; i < SAMPLE_ANSWERS; i++)
		if (sample_answers[i].nr == stored->nr &&
		    sample_answers[i].flags == stored->flags)
			return i;
	return -1;
}

/* Which answer, how long it is, and its records coded. */
static void write_answer(FILE *out, struct mml_capture *capture,
			 const struct mml_stored *stored)
{
	static struct mml_coder coder;
	static uint8_t coded[MML_CODED_MAX];
	const int which = index_of(stored);
	const uint8_t *data;
	size_t length, n = 0;

	if (which < 0 || mml_capture_block(capture, stored, 0, &data, &length))
		return;
	mml_coder_reset(&coder, mml_capture_info(capture)->page_shift);
	for (size_t at = 0; at < length;) {
		const struct mmlens_record *rec = (const void *)(data + at);

		n += mml_encode(&coder, rec, coded + n);
		at += rec->size;
	}
	fprintf(out, "%c%c%c", which, (int)n & 255, (int)n >> 8);
	fwrite(coded, 1, n, out);
}

int main(int argc, char **argv)
{
	char why[MML_WHY];
	struct mml_capture *capture;
	const struct mml_stored *all;
	size_t count;
	FILE *out;

	if (argc != 3 || sample_write(argv[1]))
		return 1;
	capture = mml_capture_open(open(argv[1], O_RDONLY), why);
	out = fopen(argv[2], "w");
	if (!capture || !out)
		return 1;
	all = mml_capture_all(capture, &count);
	for (size_t i = 0; i < count; i++)
		if (all[i].nr != MML_STORED_FILE && all[i].count)
			write_answer(out, capture, &all[i]);
	mml_capture_close(capture);
	return fclose(out) ? 1 : 0;
}
