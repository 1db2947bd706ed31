// SPDX-License-Identifier: GPL-2.0-only
/* One ioctl, and whether it kept the contract. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

int shared_fd;
unsigned char *shared_room;
unsigned char *shared_place;

bool is_poison(const unsigned char *bytes, size_t size)
{
	size_t i = 0;

	for (; i < size && (uintptr_t)(bytes + i) % 8; i++)
		if (bytes[i] != POISON)
			return false;
	for (; i + 8 <= size; i += 8)
		if (*(const uint64_t *)(bytes + i) != 0xa5a5a5a5a5a5a5a5)
			return false;
	for (; i < size; i++)
		if (bytes[i] != POISON)
			return false;
	return true;
}

void poison(unsigned char *bytes, size_t size)
{
	memset(bytes, POISON, size);
}

/* One call, with what is of this run put in. */
struct attempt {
	const struct input *input;
	unsigned long request;
	unsigned char image[IMAGE];	/* what the structure was */
	size_t length;			/* of it */
	unsigned char *arg;
	struct mmlens_walk walk;	/* what the module reads of it */
	unsigned char *buffer;		/* where it may write, and how much */
	size_t mapped;
};

/* ---- before the call ---- */

static const uint64_t *bases(void)
{
	static uint64_t base[BASE_KINDS];

	base[BASE_AREA] = (uintptr_t)area;
	base[BASE_STACK] = stack_page;
	base[BASE_TOP] = task_size;
	base[BASE_DIRECT_MAP] = direct_map;
	base[BASE_MEMORY] = memory_pfn;
	return base;
}

static void put_range(struct fuzzer *f, struct attempt *a)
{
	const struct input *input = a->input;
	const uint64_t base = bases()[input->base];
	const struct mmlens_walk *last;

	a->walk.start += base;
	if (a->walk.end)
		a->walk.end += base;
	if (input->call >= CALL_WALKS || !input->resume)
		return;
	/* Changes of cursor and generation are made to what was there. */
	last = &f->last[input->call];
	a->walk.cursor ^= last->cursor;
	a->walk.generation ^= last->generation;
	if (input->resume == 1) {
		a->walk.start = last->start;
		a->walk.end = last->end;
		a->walk.pid = last->pid;
		a->walk.flags ^= last->flags;
	}
}

static unsigned char *buffer_at(struct fuzzer *f, const struct attempt *a,
				size_t size)
{
	unsigned char *end = f->room + ROOM;

	/* Its size isn't ours to say. */
	if (a->input->place == PLACE_SHARED)
		return shared_room;
	switch (a->input->where) {
	case BUFFER_PLAIN:
		return f->room + GUARD;
	case BUFFER_EDGE:
		return size <= ROOM - GUARD ? end - (size + 7) / 8 * 8 : end;
	case BUFFER_CUT:
		return end - PAGE;
	case BUFFER_FRESH:
		madvise(f->fresh, ROOM, MADV_DONTNEED);
		return f->fresh;
	case BUFFER_STRUCT:
		return f->place + 2 * PAGE;
	case BUFFER_SHARED:
		return shared_room;
	case BUFFER_TARGET:
		return area;
	case BUFFER_READ_ONLY:
		return f->image;
	case BUFFER_NOWHERE:
		return f->hole;
	case BUFFER_KERNEL:
		return (void *)direct_map;
	case BUFFER_EDGE_OF_ALL:
		return (void *)(task_size - PAGE);
	case BUFFER_RAW:
		/* This program isn't to be written over. */
		if (a->walk.buffer >= PAGE && a->walk.buffer < task_size)
			return f->hole + a->walk.buffer % ROOM;
		return (void *)(uintptr_t)a->walk.buffer;
	default:
		return NULL;
	}
}

/* Does only this thread know what is in the buffer? */
static bool buffer_is_ours(const struct input *input)
{
	return input->where <= BUFFER_CUT && input->place != PLACE_SHARED;
}

static void put_buffer(struct fuzzer *f, struct attempt *a)
{
	a->buffer = buffer_at(f, a, a->walk.buffer_size);
	a->walk.buffer = (uintptr_t)a->buffer;
	a->mapped = 0;
	if (buffer_is_ours(a->input)) {
		a->mapped = f->room + ROOM - a->buffer;
		if (a->mapped > a->walk.buffer_size)
			a->mapped = a->walk.buffer_size;
	}
}

/* What is given to the call: the structure, and behind it the tail. */
static void put_image(struct attempt *a)
{
	struct mmlens_info info = {
		.size = a->walk.size, .flags = a->walk.flags,
	};
	const bool is_info = a->input->call == CALL_INFO;
	const void *from = is_info ? (void *)&info : (void *)&a->walk;
	size_t size = is_info ? sizeof(info) : sizeof(a->walk);

	a->length = a->walk.size < size ? size : a->walk.size;
	if (a->length > PAGE + 8)
		a->length = PAGE + 8;
	memset(a->image, 0, a->length);
	memcpy(a->image, from, size);
	if (a->length >= size + 4)
		memcpy(a->image + size +
		       a->input->tail % (a->length - size - 3),
		       &a->input->tail, sizeof(a->input->tail));
}

/* Its place has room for 16 KiB, and behind that nothing is mapped. */
#define PLACE_SIZE	(4 * PAGE)

static unsigned char *arg_at(struct fuzzer *f, const struct attempt *a)
{
	switch (a->input->place) {
	case PLACE_PLAIN:
		return f->place + 2 * PAGE + GUARD;
	case PLACE_EDGE:
		return f->place + PLACE_SIZE - a->length;
	case PLACE_CUT:
		return f->place + PLACE_SIZE - a->length / 2;
	case PLACE_READ_ONLY:
		memcpy(f->image_rw, a->image, a->length);
		return f->image;
	case PLACE_NOWHERE:
		return f->hole;
	case PLACE_KERNEL:
		return (void *)direct_map;
	case PLACE_SHARED:
		return shared_place;
	default:
		return NULL;
	}
}

static void put_arg(struct fuzzer *f, struct attempt *a)
{
	size_t there = a->length;

	a->arg = arg_at(f, a);
	switch (a->input->place) {
	case PLACE_CUT:
		there = a->length / 2;
		break;
	case PLACE_PLAIN:
	case PLACE_EDGE:
	case PLACE_SHARED:
		break;
	default:
		return;
	}
	memcpy(a->arg, a->image, there);
}

static unsigned long request_of(const struct input *input)
{
	unsigned long request = MMLENS_INFO;

	if (input->call < CALL_WALKS)
		request = queries[input->call].request;
	/* The size in it doesn't count. */
	return request ^ input->command;
}

static void prepare(struct fuzzer *f, const struct input *input,
		    struct attempt *a)
{
	a->input = input;
	a->request = request_of(input);
	a->walk = input->walk;
	a->walk.pid = target_pid(input);
	if (input->call < CALL_WALKS && queries[input->call].system &&
	    input->target != TARGET_RAW)
		a->walk.pid = 0;
	put_range(f, a);
	put_buffer(f, a);
	put_image(a);
	put_arg(f, a);
}

/* ---- after the call ---- */

static bool is_call(const struct attempt *a)
{
	unsigned int number = _IOC_NR(a->request);

	return _IOC_TYPE(a->request) == MMLENS_IOC &&
	       _IOC_DIR(a->request) == (_IOC_READ | _IOC_WRITE) &&
	       number < 64 && all_queries >> number & 1;
}

static const struct query *query_of(const struct attempt *a)
{
	for (size_t i = 0; i < query_count; i++)
		if (_IOC_NR(queries[i].request) == _IOC_NR(a->request))
			return &queries[i];
	return NULL;
}

/* Errors that the contract names for this call. */
static bool error_is_known(const struct attempt *a, int error)
{
	const struct query *query = query_of(a);

	if (!is_call(a))
		return error == ENOTTY;
	switch (error) {
	case EINVAL:
	case E2BIG:
	case EFAULT:
		return true;
	case ESRCH:
	case ENXIO:
		return query && !query->system;
	case ENOMEM:
		return query;
	case EOPNOTSUPP:
		return query && query->request == MMLENS_KMAP;
	}
	return false;
}

/* The contract refuses it, whatever the kernel looks like. */
static bool must_be_refused(const struct attempt *a)
{
	const struct mmlens_walk *w = &a->walk;
	const struct query *query = query_of(a);

	if (!is_call(a))
		return true;
	if (!query)
		return w->size < 160 || w->size > PAGE || w->flags;
	if (w->size < sizeof(*w) || w->size > PAGE || w->reserved ||
	    w->flags & ~(query->flags | needy_flags(query)) ||
	    w->buffer % 8 || w->buffer_size < MMLENS_BUFFER_MIN ||
	    w->buffer_size >> 63 || (w->cursor && !w->generation))
		return true;
	if (query->system)
		return w->pid || (w->end && w->start > w->end);
	return w->pid < 1 || w->start % PAGE || w->end % PAGE ||
	       w->start > task_size || w->end > task_size ||
	       (w->end && w->start > w->end) || w->cursor % PAGE ||
	       (w->generation && w->cursor < w->start) ||
	       (w->generation && w->end && w->cursor > w->end);
}

/* Nothing is wrong with it: it is answered. */
static bool must_be_answered(const struct attempt *a)
{
	const struct input *input = a->input;

	return !input->damaged && !input->resume &&
	       input->call < CALL_WALKS && is_call(a) &&
	       input->place == PLACE_PLAIN && input->where <= BUFFER_EDGE &&
	       (queries[input->call].system ||
		input->target <= TARGET_THREAD) &&
	       queries[input->call].request != MMLENS_KMAP;
}

/* Is the structure where it was put, and nobody else's? */
static bool arg_is_ours(const struct attempt *a)
{
	return a->input->place <= PLACE_EDGE &&
	       a->input->where != BUFFER_STRUCT;
}

static const char *check_refused(const struct attempt *a, int error)
{
	if (!error_is_known(a, error))
		return wrong("error %d", error);
	if (must_be_answered(a))
		return wrong("a right call is refused: error %d", error);
	if (arg_is_ours(a) && memcmp(a->arg, a->image, a->length))
		return wrong("error %d, but the structure was written to",
			     error);
	if (!buffer_is_ours(a->input))
		return NULL;
	/* What was found wrong at once wrote no record. */
	if ((error == EINVAL || error == E2BIG || error == ENOTTY ||
	     error == ENXIO) && !is_poison(a->buffer, a->mapped))
		return wrong("error %d, but the buffer was written to", error);
	poison(a->buffer, a->mapped);
	return NULL;
}

/* First address, and address behind, of those records that have them. */
static bool range_of(const struct mmlens_record *record, uint64_t *start,
		     uint64_t *end)
{
	const struct mmlens_pte *pte = (const void *)record;
	const struct mmlens_run *run = (const void *)record;
	const struct mmlens_page *page = (const void *)record;
	const struct mmlens_hole *hole = (const void *)record;
	const struct mmlens_pfns *pfns = (const void *)record;
	const struct mmlens_user *user = (const void *)record;

	switch (record->type) {
	case MMLENS_REC_PTE:
		*start = pte->va;
		*end = pte->va + (PAGE << 9 * (record->level - 1));
		return true;
	case MMLENS_REC_RUN:
		*start = run->va;
		*end = run->va + run->count * (PAGE << 9 *
					       (record->level - 1));
		return true;
	case MMLENS_REC_PAGE:
		*start = page->va;
		*end = page->va + page->count * (PAGE << 9 *
						 (record->level - 1));
		return true;
	case MMLENS_REC_HOLE:
		*start = hole->start;
		*end = hole->end;
		return true;
	case MMLENS_REC_PFNS:
		*start = pfns->pfn;
		*end = pfns->pfn + pfns->count;
		return true;
	case MMLENS_REC_USER:
		*start = user->pfn;
		*end = user->pfn + user->count;
		return true;
	}
	return false;
}

/* Which records a query has, a bit for each type. */
static uint32_t types_of(const struct query *query, uint32_t flags)
{
	static const uint32_t types[CALL_WALKS] = {
		1 << MMLENS_REC_VMA | 1 << MMLENS_REC_NAME,
		1 << MMLENS_REC_PTE | 1 << MMLENS_REC_RUN |
			1 << MMLENS_REC_HOLE | 1 << MMLENS_REC_PAGE,
		1 << MMLENS_REC_LEVEL,
		1 << MMLENS_REC_VMA | 1 << MMLENS_REC_NAME |
			1 << MMLENS_REC_SMAPS,
		1 << MMLENS_REC_VMA | 1 << MMLENS_REC_NAME |
			1 << MMLENS_REC_NUMA | 1 << MMLENS_REC_NODE,
		1 << MMLENS_REC_TABLE,
		1 << MMLENS_REC_PROC | 1 << MMLENS_REC_SMAPS,
		1 << MMLENS_REC_MEMNODE | 1 << MMLENS_REC_ZONE |
			1 << MMLENS_REC_COUNTERS | 1 << MMLENS_REC_PAGESET,
		1 << MMLENS_REC_BLOCKS,
		1 << MMLENS_REC_PAGEBLOCKS,
		1 << MMLENS_REC_PFNS | 1 << MMLENS_REC_BACKING,
		1 << MMLENS_REC_USER,
		1 << MMLENS_REC_REGION | 1 << MMLENS_REC_KMAP |
			1 << MMLENS_REC_LEVEL,
		1 << MMLENS_REC_LRU | 1 << MMLENS_REC_PFNS |
			1 << MMLENS_REC_BACKING,
	};
	uint32_t all = types[query - queries];

	if (!(flags & MMLENS_WALK_BACKING))
		all &= ~(1u << MMLENS_REC_BACKING);
	if (!(flags & MMLENS_WALK_TOTAL) && query->system)
		all &= ~(1u << MMLENS_REC_SMAPS);
	if (!(flags & MMLENS_WALK_ABSENT))
		all &= ~(1u << MMLENS_REC_HOLE);
	if (!(flags & MMLENS_WALK_RUNS))
		all &= ~(1u << MMLENS_REC_RUN);
	if (!(flags & MMLENS_WALK_STATE))
		all &= ~(1u << MMLENS_REC_PAGE);
	return all;
}

/* With TOTAL there is one VMA, from 0 to 0 where there is none in the range. */
static bool is_total_of_nothing(const struct query *query,
				const struct mmlens_walk *w,
				const struct mmlens_record *record)
{
	const struct mmlens_vma *vma = (const void *)record;

	return query->request == MMLENS_SMAPS &&
	       w->flags & MMLENS_WALK_TOTAL &&
	       record->type == MMLENS_REC_VMA &&
	       record->size == sizeof(*vma) && !vma->start && !vma->end &&
	       !vma->flags;
}

static const char *check_one(const struct query *query,
			     const struct mmlens_walk *w,
			     const struct mmlens_record *record, size_t left)
{
	const bool exact = query->request == MMLENS_PAGES ||
			   query->request == MMLENS_USERS;
	const uint64_t last = w->end ? w->end : ~0ull;
	uint64_t start, end;
	const char *why;

	if (is_total_of_nothing(query, w, record))
		return NULL;
	why = check_record(record, left);
	if (why)
		return why;
	if (record->type > 31 ||
	    !(types_of(query, w->flags) & 1u << record->type))
		return wrong("a record of type %u", record->type);
	if (query->request == MMLENS_LRU || !range_of(record, &start, &end))
		return NULL;
	if (exact ? start < w->start || end > last || end <= start :
		    end <= w->start || start >= last)
		return wrong("record of type %u: %#llx-%#llx of %#llx-%#llx",
			     record->type, (unsigned long long)start,
			     (unsigned long long)end, w->start, w->end);
	return NULL;
}

static const char *check_records(struct fuzzer *f, const struct query *query,
				 const struct attempt *a,
				 const struct mmlens_walk *out)
{
	uint64_t count = 0;

	for (size_t at = 0; at < out->written; count++) {
		const struct mmlens_record *record =
			(const void *)(a->buffer + at);
		const char *why = check_one(query, &a->walk, record,
					    out->written - at);

		if (why)
			return why;
		at += record->size;
	}
	f->records += count;
	return count == out->records ? NULL :
	       wrong("%llu records, not %llu", (unsigned long long)count,
		     out->records);
}

/* Members that the call must leave. */
static bool inputs_stayed(const struct mmlens_walk *in,
			  const struct mmlens_walk *out)
{
	return in->size == out->size && in->flags == out->flags &&
	       in->pid == out->pid && in->start == out->start &&
	       in->end == out->end && in->buffer == out->buffer &&
	       in->buffer_size == out->buffer_size &&
	       in->reserved == out->reserved;
}

static const char *check_outputs(const struct query *query,
				 const struct mmlens_walk *in,
				 const struct mmlens_walk *out)
{
	const uint64_t end = in->end ? in->end : task_size;

	if (!inputs_stayed(in, out))
		return wrong("an input was written to");
	if (out->status != MMLENS_STATUS_DONE &&
	    out->status != MMLENS_STATUS_TRUNCATED)
		return wrong("status %#x", out->status);
	if (out->written > in->buffer_size || out->written % 8 ||
	    out->records > out->written / 8)
		return wrong("%llu bytes, %llu records in %llu", out->written,
			     out->records, in->buffer_size);
	if (!out->generation)
		return wrong("no generation");
	/* That of a walk of no address is where it began. */
	if (!query->system && query->request != MMLENS_VTOP &&
	    (out->cursor < in->start || out->cursor > end ||
	     out->cursor % PAGE) && in->start <= end)
		return wrong("cursor %#llx of %#llx-%#llx", out->cursor,
			     in->start, in->end);
	return NULL;
}

static const char *check_walk(struct fuzzer *f, const struct attempt *a)
{
	const struct query *query = query_of(a);
	const struct mmlens_walk *out = (const void *)a->arg;
	struct mmlens_walk copy;
	const char *why;

	if (!arg_is_ours(a))
		return NULL;
	memcpy(&copy, out, sizeof(copy));
	why = check_outputs(query, &a->walk, &copy);
	if (why)
		return why;
	if (a->length > sizeof(copy) &&
	    memcmp(a->arg + sizeof(copy), a->image + sizeof(copy),
		   a->length - sizeof(copy)))
		return wrong("what is behind the structure was written to");
	f->last[query - queries] = copy;
	if (!buffer_is_ours(a->input))
		return NULL;
	if (copy.written > a->mapped)
		return wrong("wrote where nothing is");
	why = check_records(f, query, a, &copy);
	if (!why && !is_poison(a->buffer + copy.written,
			       a->mapped - copy.written))
		why = wrong("wrote behind the records");
	poison(a->buffer, copy.written);
	return why;
}

static const char *check_info(const struct attempt *a)
{
	struct mmlens_info info = {};

	if (!arg_is_ours(a))
		return NULL;
	memcpy(&info, a->arg, a->walk.size < sizeof(info) ? a->walk.size :
							   sizeof(info));
	if (info.size != a->walk.size || info.abi != MMLENS_ABI ||
	    info.queries != all_queries || info.task_size != task_size ||
	    info.version[sizeof(info.version) - 1] ||
	    info.release[sizeof(info.release) - 1])
		return wrong("info: size %u, abi %u", info.size, info.abi);
	return NULL;
}

static const char *check_answered(struct fuzzer *f, const struct attempt *a)
{
	const bool read = a->input->place <= PLACE_EDGE;

	if (read && must_be_refused(a))
		return wrong("a wrong call is answered");
	if (a->input->place > PLACE_EDGE && a->input->place != PLACE_SHARED)
		return wrong("a structure that can't be written is answered");
	return query_of(a) ? check_walk(f, a) : check_info(a);
}

/* Guards, and now and then all that is ours. */
static const char *check_around(struct fuzzer *f, const struct attempt *a)
{
	const bool all = f->calls % 256 == 0;
	unsigned char *place = f->place + 2 * PAGE;

	if (!all && buffer_is_ours(a->input) &&
	    (!is_poison(a->buffer - GUARD, GUARD) ||
	     (f->room + ROOM - a->buffer - a->mapped >= GUARD &&
	      !is_poison(a->buffer + a->mapped, GUARD))))
		return wrong("wrote beside the buffer");
	if (all && !is_poison(f->room, ROOM))
		return wrong("wrote where nothing was to be written");
	if (a->input->place == PLACE_PLAIN &&
	    a->input->where != BUFFER_STRUCT &&
	    (!is_poison(place, GUARD) ||
	     !is_poison(a->arg + a->length, GUARD)))
		return wrong("wrote beside the structure");
	return NULL;
}

/* Records may have come over it; what it was is put back. */
static void tidy(struct fuzzer *f, const struct attempt *a)
{
	if (a->input->where == BUFFER_STRUCT)
		poison(f->place, PLACE_SIZE);
	else if (a->input->place <= PLACE_CUT)
		poison(a->arg, a->input->place == PLACE_CUT ?
			       a->length / 2 : a->length);
}

const char *call_once(struct fuzzer *f, const struct input *input)
{
	static _Thread_local struct attempt a;
	struct counts *counts = &f->counts[input->call];
	const char *why;
	int error = 0;

	prepare(f, input, &a);
	if (ioctl(input->shared_fd ? shared_fd : f->fd, a.request, a.arg))
		error = errno;
	/* What follows isn't its. */
	f->covered = f->cover ? f->cover[0] : 0;
	counts->total++;
	counts->result[error < ERRNOS ? error : ERRNOS - 1]++;
	if (error)
		why = check_refused(&a, error);
	else
		why = check_answered(f, &a);
	why = why ?: check_around(f, &a);
	tidy(f, &a);
	return why;
}
