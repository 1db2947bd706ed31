// SPDX-License-Identifier: LGPL-2.1-or-later
/* The translation of one address, and what its steps add up to. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int collect_steps(struct mmlens_stream *stream,
			 struct mmlens_translation *t)
{
	const struct mmlens_record *rec;
	int ret;

	while ((ret = mmlens_stream_next(stream, &rec)) > 0) {
		if (rec->type != MMLENS_REC_LEVEL)
			continue;
		if (t->steps == MMLENS_MAX_STEPS)
			return -EPROTO;
		memcpy(&t->step[t->steps++], rec, sizeof(t->step[0]));
	}
	return ret;
}

static bool is_mapped(const struct mmlens_level *step)
{
	enum mmlens_pte_state state = mmlens_state(step->flags);

	return state == MMLENS_STATE_PRESENT || state == MMLENS_STATE_NUMA_HINT;
}

/* What the entries met so far leave, for a module that doesn't say it. */
static void add_up(struct mmlens_translation *t)
{
	t->user = t->rw = t->steps > 0;
	for (unsigned int i = 0; i < t->steps; i++) {
		t->user &= !!(t->step[i].flags & MMLENS_PTE_USER);
		t->rw &= !!(t->step[i].flags & MMLENS_PTE_WRITE);
		t->nx |= !!(t->step[i].flags & MMLENS_PTE_NX);
	}
}

/* The last step's has all levels in it, and what the architecture adds. */
static void take_effective(struct mmlens_translation *t, uint32_t flags)
{
	t->user = flags & MMLENS_EFF_USER;
	t->rw = flags & MMLENS_EFF_WRITE;
	t->nx = flags & MMLENS_EFF_NX;
}

static int resolve(const struct mmlens_info *info, struct mmlens_translation *t)
{
	const struct mmlens_level *last;

	add_up(t);
	if (!t->steps)
		return 0;
	last = &t->step[t->steps - 1];
	if (!is_mapped(last))
		return 0;
	if (mmlens_has_effective(info))
		take_effective(t, last->flags);
	t->size = mmlens_level_size(info, last->head.level);
	if (!t->size)
		return -EPROTO;
	t->mapped = true;
	t->phys = (last->value << info->page_shift) +
		  (t->address & (t->size - 1));
	return 0;
}

static int translate(struct mmlens *lens, unsigned int nr,
		     struct mmlens_request *request, uint64_t address,
		     struct mmlens_translation *out)
{
	uint64_t page = 1ull << lens->info.page_shift;
	struct mmlens_stream *stream;
	int ret;

	memset(out, 0, sizeof(*out));
	out->address = address;
	request->start = address & ~(page - 1);
	stream = mmlens_stream_open(lens, nr, request);
	if (!stream)
		return -errno;
	ret = collect_steps(stream, out);
	mmlens_stream_close(stream);
	return ret ? ret : resolve(&lens->info, out);
}

int mmlens_translate(struct mmlens *lens, int pid, uint64_t address,
		     struct mmlens_translation *out)
{
	struct mmlens_request request = { .pid = pid };

	return translate(lens, MMLENS_NR_VTOP, &request, address, out);
}

int mmlens_translate_kernel(struct mmlens *lens, uint64_t address, bool user,
			    struct mmlens_translation *out)
{
	struct mmlens_request request = {
		.flags = MMLENS_WALK_LEVELS |
			 (user ? MMLENS_WALK_USER_HALF : 0),
	};

	return translate(lens, MMLENS_NR_KMAP, &request, address, out);
}
