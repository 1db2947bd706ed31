// SPDX-License-Identifier: GPL-2.0-only
/* The sink: records of one step in a bounce buffer. */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "emit.h"

void *mml_emit(struct mml_sink *sink, u8 type, u8 level, size_t size)
{
	struct mmlens_record *head;

	if (WARN_ON_ONCE(size > U16_MAX || size % 8))
		return NULL;
	if (size > mml_sink_room(sink))
		return NULL;

	head = (struct mmlens_record *)(sink->buf + sink->used);
	memset(head, 0, size);
	head->size = size;
	head->type = type;
	head->level = level;
	sink->used += size;
	sink->records++;
	return head;
}
