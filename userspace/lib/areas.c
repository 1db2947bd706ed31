// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMAs: a VMA record and those that follow it, put together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct mmlens_areas {
	struct mmlens *lens;
	struct mmlens_stream *stream;
	int pid;
	unsigned int flags;		/* MMLENS_AREAS_* */
	bool gate;			/* still to be appended */
	bool swap_known;
	struct mmlens_swap swap;
	int end;			/* what the stream ended with */
	bool ended;
	const struct mmlens_record *ahead;	/* the next area's VMA */
	struct mmlens_vma vma;
	struct mmlens_smaps smaps;
	struct mmlens_numa numa;
	struct mmlens_node nodes[MMLENS_MAX_NODES];
	struct mmlens_area area;
	char *name;
	size_t name_room;
};

/* What the flags ask the module; 0 for those that exclude each other. */
static unsigned int query_of(unsigned int flags)
{
	bool smaps = flags & MMLENS_AREAS_SMAPS;

	if (flags & MMLENS_AREAS_NUMA)
		return smaps ? 0 : MMLENS_NR_NUMA_MAPS;
	if (smaps)
		return MMLENS_NR_SMAPS;
	if (flags & (MMLENS_AREAS_TOTAL | MMLENS_AREAS_FIELDS))
		return 0;
	return MMLENS_NR_VMAS;
}

struct mmlens_areas *mmlens_areas_open(struct mmlens *lens,
				       const struct mmlens_request *request,
				       unsigned int flags)
{
	struct mmlens_request r = *request;
	unsigned int nr = query_of(flags);
	struct mmlens_areas *areas;

	if (!nr) {
		errno = EINVAL;
		return NULL;
	}
	areas = calloc(1, sizeof(*areas));
	if (!areas)
		return NULL;
	areas->lens = lens;
	areas->pid = r.pid;
	areas->flags = flags;
	areas->gate = flags & MMLENS_AREAS_GATE && !r.end;
	if (flags & MMLENS_AREAS_TOTAL)
		r.flags |= MMLENS_WALK_TOTAL;
	areas->stream = mmlens_stream_open(lens, nr, &r);
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

/* The module tells no more nodes than there is room for. */
static int add_node(struct mmlens_areas *areas, const struct mmlens_record *rec)
{
	struct mmlens_area *area = &areas->area;

	if (area->node_count == MMLENS_MAX_NODES)
		return -EPROTO;
	memcpy(&areas->nodes[area->node_count++], rec, sizeof(areas->nodes[0]));
	area->nodes = areas->nodes;
	return 0;
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
	case MMLENS_REC_NUMA:
		memcpy(&areas->numa, rec, sizeof(areas->numa));
		areas->area.numa = &areas->numa;
		return 0;
	case MMLENS_REC_NODE:
		return add_node(areas, rec);
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
	bool fields = areas->flags & MMLENS_AREAS_FIELDS;
	char name[MMLENS_GATE_NAME];
	int ret;

	areas->gate = false;
	if (!mmlens_gate_find(areas->pid,
			      fields ? mmlens_get_info(areas->lens) : NULL,
			      &areas->vma, name))
		return 0;
	areas->area = (struct mmlens_area) { .vma = &areas->vma };
	if (areas->flags & MMLENS_AREAS_SMAPS) {
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

/* Whether what was asked for has come with the VMA. */
static bool is_whole(const struct mmlens_areas *areas)
{
	if (areas->flags & MMLENS_AREAS_SMAPS && !areas->area.smaps)
		return false;
	return !(areas->flags & MMLENS_AREAS_NUMA) || areas->area.numa;
}

/* A mapping that has changed since has no SwapPss that would be its own. */
static int add_swap_pss(struct mmlens_areas *areas)
{
	const struct mmlens_swap_range *range = NULL;
	bool total = areas->flags & MMLENS_AREAS_TOTAL;
	int ret;

	if (!areas->swap_known) {
		ret = mmlens_swap_read(&areas->swap, areas->pid, total);
		if (ret)
			return ret;
		areas->swap_known = true;
	}
	if (!total)
		range = mmlens_swap_find(&areas->swap, &areas->vma);
	else if (areas->swap.count)
		range = &areas->swap.ranges[0];
	if (range)
		areas->area.swap_pss = range->pss;
	else
		areas->smaps.flags |= MMLENS_SMAPS_RACED;
	return 0;
}

static int add_fields(struct mmlens_areas *areas)
{
	struct mmlens_area *area = &areas->area;

	if (!(areas->flags & MMLENS_AREAS_FIELDS))
		return 0;
	if (!(areas->flags & MMLENS_AREAS_TOTAL))
		area->thp_eligible = mmlens_thp_eligible(
			mmlens_thp_settings(areas->lens), area);
	return areas->smaps.swap_anon ? add_swap_pss(areas) : 0;
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
	if (!is_whole(areas))
		return areas->end ? areas->end : -EPROTO;
	ret = add_fields(areas);
	return ret ? ret : 1;
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
	mmlens_swap_free(&areas->swap);
	free(areas->name);
	free(areas);
}
