// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMAs: a VMA record and those that follow it, put together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct mmlens_areas {
	struct mmlens_stream *stream;
	int pid;
	bool gate;			/* still to be appended */
	bool with_smaps;
	int end;			/* what the stream ended with */
	bool ended;
	const struct mmlens_record *ahead;	/* the next area's VMA */
	struct mmlens_vma vma;
	struct mmlens_smaps smaps;
	struct mmlens_area area;
	char *name;
	size_t name_room;
};

struct mmlens_areas *mmlens_areas_open(struct mmlens *lens,
				       const struct mmlens_request *request,
				       unsigned int flags)
{
	unsigned int nr = MMLENS_NR_VMAS;
	struct mmlens_areas *areas = calloc(1, sizeof(*areas));

	if (!areas)
		return NULL;
	areas->pid = request->pid;
	areas->gate = flags & MMLENS_AREAS_GATE && !request->end;
	areas->with_smaps = flags & MMLENS_AREAS_SMAPS;
	if (areas->with_smaps)
		nr = MMLENS_NR_SMAPS;
	areas->stream = mmlens_stream_open(lens, nr, request);
	if (!areas->stream) {
		free(areas);
		return NULL;
	}
	return areas;
}

static int set_name(struct mmlens_areas *areas, const char *name, size_t length)
{
	if (length >= areas->name_room) {
		char *grown = realloc(areas->name, length + 1);

		if (!grown)
			return -ENOMEM;
		areas->name = grown;
		areas->name_room = length + 1;
	}
	memcpy(areas->name, name, length);
	areas->name[length] = '\0';
	areas->area.name = areas->name;
	areas->area.name_length = length;
	return 0;
}

static void begin_area(struct mmlens_areas *areas,
		       const struct mmlens_record *rec)
{
	memcpy(&areas->vma, rec, sizeof(areas->vma));
	areas->area = (struct mmlens_area) { .vma = &areas->vma };
}

static int add_record(struct mmlens_areas *areas,
		      const struct mmlens_record *rec)
{
	const struct mmlens_name *name = (const void *)rec;

	switch (rec->type) {
	case MMLENS_REC_NAME:
		return set_name(areas, name->name, name->length);
	case MMLENS_REC_SMAPS:
		memcpy(&areas->smaps, rec, sizeof(areas->smaps));
		areas->area.smaps = &areas->smaps;
		return 0;
	default:
		return 0;
	}
}

/* The next record that begins an area; what isn't one's part is skipped. */
static int find_vma(struct mmlens_areas *areas)
{
	int ret;

	while (!areas->ahead) {
		const struct mmlens_record *rec;

		if (areas->ended)
			return areas->end;
		ret = mmlens_stream_next(areas->stream, &rec);
		if (ret <= 0) {
			areas->ended = true;
			areas->end = ret;
			return ret;
		}
		if (rec->type == MMLENS_REC_VMA)
			areas->ahead = rec;
	}
	begin_area(areas, areas->ahead);
	areas->ahead = NULL;
	return 1;
}

static int append_gate(struct mmlens_areas *areas)
{
	char name[MMLENS_GATE_NAME];
	int ret;

	areas->gate = false;
	if (!mmlens_gate_find(areas->pid, &areas->vma, name))
		return 0;
	areas->area = (struct mmlens_area) { .vma = &areas->vma };
	if (areas->with_smaps) {
		memset(&areas->smaps, 0, sizeof(areas->smaps));
		areas->area.smaps = &areas->smaps;
	}
	ret = set_name(areas, name, strlen(name));
	return ret ? ret : 1;
}

/* Take the records up to the next area's first. */
static int add_parts(struct mmlens_areas *areas)
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = mmlens_stream_next(areas->stream, &rec)) > 0) {
		if (rec->type == MMLENS_REC_VMA) {
			areas->ahead = rec;
			return 0;
		}
		ret = add_record(areas, rec);
		if (ret)
			return ret;
	}
	areas->ended = true;
	areas->end = ret;
	return 0;
}

int mmlens_areas_next(struct mmlens_areas *areas,
		      const struct mmlens_area **area)
{
	int ret = find_vma(areas);

	*area = &areas->area;
	if (ret == 0 && areas->gate)
		return append_gate(areas);
	if (ret <= 0)
		return ret;
	ret = add_parts(areas);
	if (ret)
		return ret;
	/* The walk ended between an area and its sums: it isn't whole. */
	if (areas->with_smaps && !areas->area.smaps)
		return areas->end ? areas->end : -EPROTO;
	return 1;
}

const struct mmlens_stats *mmlens_areas_stats(const struct mmlens_areas *areas)
{
	return mmlens_stream_stats(areas->stream);
}

void mmlens_areas_close(struct mmlens_areas *areas)
{
	if (!areas)
		return;
	mmlens_stream_close(areas->stream);
	free(areas->name);
	free(areas);
}
