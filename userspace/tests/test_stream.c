// SPDX-License-Identifier: GPL-2.0-only
/* Streams: continuation, strangers, malformed records, ends. */
#include <errno.h>

#include "fake.h"
#include "test.h"

static const struct mmlens_request request = { .pid = 1 };

/* Open a walk over @calls and count its records; @end gets how it ended. */
static int count_records(struct fake *fake, int *end,
			 struct mmlens_stats *stats)
{
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	struct mmlens *lens = fake_open(fake);
	int n = 0;

	*end = 0;
	stream = mmlens_stream_open(lens, MMLENS_NR_PTES, &request);
	if (!stream) {
		*end = -errno;
		mmlens_close(lens);
		return 0;
	}
	while ((*end = mmlens_stream_next(stream, &rec)) > 0)
		n++;
	/* The end stays the end. */
	CHECK_NUMBER(mmlens_stream_next(stream, &rec), *end);
	if (stats)
		*stats = *mmlens_stream_stats(stream);
	mmlens_stream_close(stream);
	mmlens_close(lens);
	CHECK(fake->closed);
	return n;
}

static void continues_where_the_last_call_stopped(void)
{
	struct records a = {}, b = {};
	struct mmlens_stats stats;
	struct fake fake;
	int end;

	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	add_pte(&a, 1, 0x2000, MMLENS_STATE_PRESENT, 6, 0);
	add_pte(&b, 1, 0x3000, MMLENS_STATE_PRESENT, 7, 0);
	struct fake_call calls[] = { PART(a), PART((struct records) {}),
				     WHOLE(b) };
	calls[0].restarts = 2;
	calls[0].max_hold_ns = 900;
	calls[2].restarts = 1;
	calls[2].max_hold_ns = 300;
	fake_init(&fake, calls, 3);

	CHECK_NUMBER(count_records(&fake, &end, &stats), 3);
	CHECK_NUMBER(end, 0);
	CHECK_NUMBER(fake.made, 3);
	CHECK(!fake.broken);
	CHECK_NUMBER(stats.calls, 3);
	CHECK_NUMBER(stats.restarts, 3);
	CHECK_NUMBER(stats.max_hold_ns, 900);
	CHECK(!stats.truncated);
}

static void hands_out_what_it_does_not_know(void)
{
	struct records a = {};
	struct fake fake;
	int end;

	add_stranger(&a);
	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 2);
	CHECK_NUMBER(end, 0);
}

static void takes_longer_records(void)
{
	uint64_t grown[8] = {};
	struct mmlens_pte pte = {
		.head = { sizeof(grown), MMLENS_REC_PTE, 1 },
		.va = 0x1000,
	};
	struct fake fake;
	int end;

	memcpy(grown, &pte, sizeof(pte));
	const struct fake_call calls[] = {
		{ .data = grown, .length = sizeof(grown),
		  .status = MMLENS_STATUS_DONE },
	};
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 1);
	CHECK_NUMBER(end, 0);
}

/* A first record that is fine, then one with this head. */
static int end_with_head(uint16_t size, uint8_t type)
{
	struct mmlens_record head = { size, type, 1 };
	struct records a = {};
	char tail[56] = {};
	struct fake fake;
	int end;

	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	memcpy(tail, &head, sizeof(head));
	add_record(&a, tail, sizeof(tail));
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 1);
	return end;
}

static void refuses_malformed_records(void)
{
	CHECK_NUMBER(end_with_head(0, MMLENS_REC_PTE), -EPROTO);
	CHECK_NUMBER(end_with_head(33, MMLENS_REC_PTE), -EPROTO);
	CHECK_NUMBER(end_with_head(64, MMLENS_REC_PTE), -EPROTO);
	CHECK_NUMBER(end_with_head(8, MMLENS_REC_PTE), -EPROTO);
	CHECK_NUMBER(end_with_head(4, 200), -EPROTO);
	CHECK_NUMBER(end_with_head(65528, 200), -EPROTO);
}

static void refuses_a_name_beyond_its_record(void)
{
	struct records a = {};
	struct mmlens_name *name;
	struct fake fake;
	int end;

	add_name(&a, "[heap]");
	name = (void *)a.data;
	name->length = name->head.size;
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 0);
	CHECK_NUMBER(end, -EPROTO);
}

/* How a walk ends that has this PAGE record. */
static int end_with_page(unsigned int level, uint64_t va, uint64_t pfn,
			 uint32_t count, unsigned int order, uint32_t index)
{
	const struct mmlens_page_state state = { .order = order,
						 .folio_index = index };
	struct records a = {};
	struct fake fake;
	int end;

	add_page(&a, level, va, MMLENS_STATE_PRESENT, pfn, count, &state);
	const struct fake_call calls[] = { WHOLE(a) };
	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), !end);
	return end;
}

static void refuses_pages_that_cannot_be(void)
{
	const uint64_t last = fake_info.task_size - 0x1000;

	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 1, 0, 0), 0);
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 0, 0, 0), -EPROTO);
	/* Of one table, of more than there is. */
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 100000, 0, 0), 0);
	CHECK_NUMBER(end_with_page(1, 0x1000, ~0ull, 2, 0, 0), -EPROTO);
	CHECK_NUMBER(end_with_page(1, last, 5, 1, 0, 0), 0);
	CHECK_NUMBER(end_with_page(1, last, 5, 2, 0, 0), -EPROTO);
	CHECK_NUMBER(end_with_page(1, ~0ull << 12, 5, UINT32_MAX, 0, 0),
		     -EPROTO);
	/* A leaf above stands for itself. */
	CHECK_NUMBER(end_with_page(2, 0x200000, 512, 1, 9, 0), 0);
	CHECK_NUMBER(end_with_page(2, 0x200000, 512, 2, 9, 0), -EPROTO);
	/* Places in a folio. */
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 1, 0, 1), -EPROTO);
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 3, 2, 1), 0);
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 4, 2, 1), -EPROTO);
	CHECK_NUMBER(end_with_page(1, 0x1000, 5, 1, 2, 4), -EPROTO);
	CHECK_NUMBER(end_with_page(3, 0, 0, 1, 31, UINT32_MAX >> 1), 0);
	CHECK_NUMBER(end_with_page(3, 0, 0, 1, 32, 0), -EPROTO);
}

static void refuses_a_call_that_writes_beyond_the_buffer(void)
{
	const struct fake_call calls[] = {
		{ .data = "", .length = 1 << 20,
		  .status = MMLENS_STATUS_DONE },
	};
	struct fake fake;
	int end;

	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 0);
	CHECK_NUMBER(end, -EPROTO);
}

static void survives_any_bytes(void)
{
	struct records a = {};
	unsigned int seed = 12345;
	struct fake fake;
	int end;

	for (int round = 0; round < 2000; round++) {
		a.length = 8 * (rand_r(&seed) % 64);
		for (size_t i = 0; i < a.length; i++)
			a.data[i] = rand_r(&seed) >> 8;
		/* Sizes that lead somewhere are rarer than they should be. */
		for (size_t i = 0; i < a.length; i += 32) {
			a.data[i] = 8 * (rand_r(&seed) % 12);
			a.data[i + 1] = 0;
			a.data[i + 2] = rand_r(&seed) % 13;
		}
		const struct fake_call calls[] = { WHOLE(a) };
		fake_init(&fake, calls, 1);
		count_records(&fake, &end, NULL);
		CHECK(end == 0 || end == -EPROTO);
	}
}

static void tells_a_lost_target_from_a_missing_one(void)
{
	struct records a = {};
	struct mmlens_stats stats;
	struct fake fake;
	int end;

	add_pte(&a, 1, 0x1000, MMLENS_STATE_PRESENT, 5, 0);
	const struct fake_call missing[] = { { .error = -ESRCH } };
	fake_init(&fake, missing, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 0);
	CHECK_NUMBER(end, -ESRCH);

	const struct fake_call lost[] = { PART(a), { .error = -ESRCH } };
	fake_init(&fake, lost, 2);
	CHECK_NUMBER(count_records(&fake, &end, &stats), 1);
	CHECK_NUMBER(end, -ESTALE);
	CHECK(stats.truncated);

	const struct fake_call zombie[] = { PART(a), { .error = -ENXIO } };
	fake_init(&fake, zombie, 2);
	CHECK_NUMBER(count_records(&fake, &end, &stats), 1);
	CHECK_NUMBER(end, -ESTALE);
}

static void refuses_a_walk_without_end(void)
{
	const struct fake_call calls[] = {
		{ .status = MMLENS_STATUS_TRUNCATED, .stuck = true },
	};
	struct fake fake;
	int end;

	fake_init(&fake, calls, 1);
	CHECK_NUMBER(count_records(&fake, &end, NULL), 0);
	CHECK_NUMBER(end, -EPROTO);
}

static void refuses_what_the_module_cannot(void)
{
	struct fake fake;
	struct mmlens *lens;

	fake_init(&fake, NULL, 0);
	fake.info.queries = 1;
	lens = fake_open(&fake);
	CHECK(!mmlens_stream_open(lens, MMLENS_NR_SMAPS, &request));
	CHECK_NUMBER(errno, EOPNOTSUPP);
	CHECK(!mmlens_stream_open(lens, 63, &request));
	CHECK_NUMBER(errno, EINVAL);
	CHECK(!mmlens_stream_open(lens, MMLENS_NR_INFO, &request));
	CHECK_NUMBER(errno, EINVAL);
	mmlens_close(lens);
	CHECK_NUMBER(fake.made, 0);
}

static void refuses_an_insane_module(void)
{
	struct fake fake;

	fake_init(&fake, NULL, 0);
	fake.info.page_shift = 70;
	CHECK(!fake_open(&fake));
	CHECK_NUMBER(errno, EPROTO);
	CHECK(fake.closed);

	fake_init(&fake, NULL, 0);
	fake.info.abi = 0;
	CHECK(!fake_open(&fake));
	CHECK_NUMBER(errno, EPROTO);
}

static void ends_strings_of_the_module(void)
{
	struct fake fake;
	struct mmlens *lens;

	fake_init(&fake, NULL, 0);
	memset(fake.info.version, 'x', sizeof(fake.info.version));
	lens = fake_open(&fake);
	CHECK_NUMBER(strlen(mmlens_get_info(lens)->version), 31);
	mmlens_close(lens);
}

TESTS(TEST(continues_where_the_last_call_stopped),
      TEST(hands_out_what_it_does_not_know),
      TEST(takes_longer_records),
      TEST(refuses_malformed_records),
      TEST(refuses_a_name_beyond_its_record),
      TEST(refuses_pages_that_cannot_be),
      TEST(refuses_a_call_that_writes_beyond_the_buffer),
      TEST(survives_any_bytes),
      TEST(tells_a_lost_target_from_a_missing_one),
      TEST(refuses_a_walk_without_end),
      TEST(refuses_what_the_module_cannot),
      TEST(refuses_an_insane_module),
      TEST(ends_strings_of_the_module))
