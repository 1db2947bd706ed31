// SPDX-License-Identifier: LGPL-2.1-or-later
/* Page-table pages: the records as they come, checked. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct mmlens_tables {
	struct mmlens_stream *stream;
};

struct mmlens_tables *mmlens_tables_open(struct mmlens *lens,
					 const struct mmlens_request *request)
{
	struct mmlens_tables *tables = malloc(sizeof(*tables));

	if (!tables)
		return NULL;
	tables->stream = mmlens_stream_open(lens, MMLENS_NR_TABLES, request);
	if (!tables->stream) {
		free(tables);
		return NULL;
	}
	return tables;
}

static bool is_sane(const struct mmlens_table *table)
{
	return table->head.level >= MMLENS_LEVEL_PTE &&
	       table->head.level <= MMLENS_LEVEL_PGD &&
	       table->used <= table->entries;
}

int mmlens_tables_next(struct mmlens_tables *tables,
		       const struct mmlens_table **table)
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = mmlens_stream_next(tables->stream, &rec)) > 0) {
		if (rec->type != MMLENS_REC_TABLE)
			continue;
		*table = (const void *)rec;
		return is_sane(*table) ? 1 : -EPROTO;
	}
	return ret;
}

const struct mmlens_stats *
mmlens_tables_stats(const struct mmlens_tables *tables)
{
	return mmlens_stream_stats(tables->stream);
}

void mmlens_tables_close(struct mmlens_tables *tables)
{
	if (!tables)
		return;
	mmlens_stream_close(tables->stream);
	free(tables);
}
