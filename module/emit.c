// SPDX-License-Identifier: GPL-2.0-only
/* The sink: records of one step in a bounce buffer. */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "emit.h"

void *mml_emit(struct mml_sink *sink, u8 type, u8 level, size_t size)
{
	void *rec;

	if (WARN_ON_ONCE(size > U16_MAX || size % 8))
		return NULL;
	rec = mml_sink_end(sink, size);
	if (!rec)
		return NULL;
	memset(rec, 0, size);
	mml_sink_commit(sink, type, level, size);
	return rec;
}
