/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz targets share. */
#ifndef MMLENS_FUZZ_H
#define MMLENS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file without a name that has these bytes; a descriptor. */
int fuzz_file(const uint8_t *data, size_t size);

/* A copy with a NUL behind; to be freed. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Standard output and error go nowhere from now on. */
void fuzz_be_silent(void);

#endif
