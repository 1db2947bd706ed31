// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture file of any bytes.  Damage that a checksum would notice is let
 * pass by the reader in this build, so that what is behind it is reached.
 */
#include "fuzz.h"
#include "sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[MML_WHY] = "";
	struct mml_capture *capture =
		mml_capture_open(fuzz_file(data, size), why);
	struct mmlens *lens = capture ? mml_replay_open(capture, true) : NULL;

	if (lens)
		sample_look(lens);
	return 0;
}
