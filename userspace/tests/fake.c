// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

const struct mmlens_info fake_info = {
	.size = sizeof(struct mmlens_info),
	.abi = MMLENS_ABI,
	.arch = EM_X86_64,
	.page_shift = 12,
	.levels = 4,
	.task_size = 0x7ffffffff000,
	.queries = 0x7fff,
	.fields = 0x1f,
	.level_shift = { 0, 12, 21, 30, 0, 39 },
	.version = "1.2.3",
	.release = "6.1.0-fake",
};

/* Cursors only have to be told apart from 0 and from each other. */
static uint64_t cursor_of(unsigned int call)
{
	return 0x1000ull * call;
}

static int fake_walk(struct fake *fake, struct mmlens_walk *walk)
{
	const struct fake_call *call = &fake->calls[fake->made];

	/* What comes behind the end of a walk is another one. */
	bool first = !fake->made || (fake->calls[fake->made - 1].status &
				     MMLENS_STATUS_DONE);

	if (walk->size != sizeof(*walk) || walk->reserved ||
	    walk->cursor != (first ? 0 : cursor_of(fake->made)) ||
	    walk->generation != (first ? 0 : 77))
		fake->broken = true;
	if (fake->made >= fake->count) {
		fake->broken = true;
		return -EIO;
	}
	fake->last = *walk;
	fake->made++;
	if (call->error)
		return call->error;
	if (call->data && call->length <= walk->buffer_size)
		memcpy((void *)(uintptr_t)walk->buffer, call->data,
		       call->length);
	walk->written = call->length;
	walk->records = 1;
	walk->status = call->status;
	walk->restarts = call->restarts;
	walk->max_hold_ns = call->max_hold_ns;
	if (!call->stuck)
		walk->cursor = cursor_of(fake->made);
	walk->generation = 77;
	return 0;
}

static int fake_ioctl(void *context, unsigned long request, void *arg)
{
	struct fake *fake = context;

	fake->last_request = request;
	if (request == MMLENS_INFO) {
		memcpy(arg, &fake->info, sizeof(fake->info));
		return 0;
	}
	return fake_walk(fake, arg);
}

static void fake_close(void *context)
{
	struct fake *fake = context;

	fake->closed = true;
}

static const struct mmlens_transport fake_transport = {
	.ioctl = fake_ioctl,
	.close = fake_close,
};

void fake_init(struct fake *fake, const struct fake_call *calls,
	       unsigned int count)
{
	*fake = (struct fake) {
		.info = fake_info,
		.calls = calls,
		.count = count,
	};
}

struct mmlens *fake_open(struct fake *fake)
{
	return mmlens_open_transport(&fake_transport, fake);
}

void add_record(struct records *r, const void *record, size_t size)
{
	if (r->length + size > sizeof(r->data))
		abort();
	memcpy(r->data + r->length, record, size);
	r->length += size;
}

void add_pte(struct records *r, unsigned int level, uint64_t va, uint32_t flags,
	     uint64_t value, uint64_t raw)
{
	struct mmlens_pte pte = {
		.head = { sizeof(pte), MMLENS_REC_PTE, level },
		.flags = flags,
		.va = va,
		.raw = raw,
		.value = value,
	};

	add_record(r, &pte, sizeof(pte));
}

void add_page(struct records *r, unsigned int level, uint64_t va,
	      uint32_t flags, uint64_t pfn, uint32_t count,
	      const struct mmlens_page_state *state)
{
	struct mmlens_page page = {
		.head = { sizeof(page), MMLENS_REC_PAGE, level },
		.flags = flags,
		.va = va,
		.raw = pfn << 12 | 0x67,
		.value = pfn,
		.page_flags = state->flags,
		.memcg = state->memcg,
		.count = count,
		.mapcount = state->mapcount,
		.folio_index = state->folio_index,
		.order = state->order,
		.lru = state->lru,
		.generation = state->generation,
		.tier = state->tier,
		.node = state->node,
		.zone = state->zone,
	};

	add_record(r, &page, sizeof(page));
}

void add_hole(struct records *r, unsigned int level, uint64_t start,
	      uint64_t end)
{
	struct mmlens_hole hole = {
		.head = { sizeof(hole), MMLENS_REC_HOLE, level },
		.start = start,
		.end = end,
	};

	add_record(r, &hole, sizeof(hole));
}

void add_level(struct records *r, unsigned int level, uint64_t va,
	       uint32_t flags, uint64_t value, uint64_t raw,
	       uint64_t table_pfn, unsigned int index)
{
	struct mmlens_level step = {
		.head = { sizeof(step), MMLENS_REC_LEVEL, level },
		.flags = flags,
		.va = va,
		.raw = raw,
		.value = value,
		.table_pfn = table_pfn,
		.index = index,
	};

	add_record(r, &step, sizeof(step));
}

void add_vma(struct records *r, uint64_t start, uint64_t end, uint64_t flags)
{
	struct mmlens_vma vma = {
		.head = { sizeof(vma), MMLENS_REC_VMA, 0 },
		.page_shift = 12,
		.start = start,
		.end = end,
		.flags = flags,
	};

	add_record(r, &vma, sizeof(vma));
}

void add_name(struct records *r, const char *name)
{
	size_t length = strlen(name);
	size_t size = (sizeof(struct mmlens_name) + length + 8) & ~7ul;
	struct mmlens_name *record = calloc(1, size);

	record->head = (struct mmlens_record) { size, MMLENS_REC_NAME, 0 };
	record->length = length;
	memcpy(record->name, name, length);
	add_record(r, record, size);
	free(record);
}

void add_smaps(struct records *r, uint64_t rss, uint64_t dirty)
{
	struct mmlens_smaps smaps = {
		.head = { sizeof(smaps), MMLENS_REC_SMAPS, 0 },
		.rss = rss,
		.pss = rss << 12,
		.private_dirty = dirty,
	};

	add_record(r, &smaps, sizeof(smaps));
}

/* 100 MiB of addresses, 40 KiB of page tables. */
void add_proc(struct records *r, int pid, uint32_t uid, uint32_t flags,
	      const char *comm)
{
	struct mmlens_proc proc = {
		.head = { sizeof(proc), MMLENS_REC_PROC, 0 },
		.flags = flags,
		.pid = pid,
		.ppid = 1,
		.uid = uid,
		.threads = 1,
		.vsize = 100 << 20,
		.tables = 40960,
	};

	memcpy(proc.comm, comm, strlen(comm));
	add_record(r, &proc, sizeof(proc));
}

/* Half of the entries of a PGD are the user's. */
void add_table(struct records *r, unsigned int level, uint64_t va,
	       uint32_t flags, unsigned int used)
{
	struct mmlens_table table = {
		.head = { sizeof(table), MMLENS_REC_TABLE, level },
		.flags = flags,
		.va = va,
		.pfn = 0x1000 + (va >> 12),
		.node = va >> 21 & 1,
		.entries = level == MMLENS_LEVEL_PGD ? 256 : 512,
		.used = used,
	};

	if (flags & MMLENS_TABLE_DEPOSITED)
		table.pfn = table.node = 0;
	add_record(r, &table, sizeof(table));
}

void add_stranger(struct records *r)
{
	uint64_t record[3] = {};
	struct mmlens_record head = { sizeof(record), 200, 0 };

	memcpy(record, &head, sizeof(head));
	add_record(r, record, sizeof(record));
}
