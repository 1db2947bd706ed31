// SPDX-License-Identifier: GPL-2.0-only
/* Nodes and zones: records put together, and written as zoneinfo has them. */
#include <errno.h>

#include "command.h"
#include "fake.h"
#include "test.h"

static struct fake fake;

/* Of a machine with two nodes; the second one's first zone has no pages. */
static const char sample[] =
	"Node 0, zone      DMA\n"
	"  per-node stats\n"
	"      nr_one       11\n"
	"      nr_a_very_long_name 12\n"
	"  pages free     100\n"
	"        boost    0\n"
	"        min      1\n"
	"        low      2\n"
	"        high     3\n"
	"        spanned  200\n"
	"        present  150\n"
	"        managed  140\n"
	"        cma      0\n"
	"        protection: (0, 7)\n"
	"      nr_free_pages 100\n"
	"      numa_hit     5\n"
	"  pagesets\n"
	"    cpu: 0\n"
	"              count:    4\n"
	"              high:     6\n"
	"              batch:    1\n"
	"              high_min: 5\n"
	"              high_max: 9\n"
	"  vm stats threshold: 2\n"
	"    cpu: 3\n"
	"              count:    0\n"
	"              high:     6\n"
	"              batch:    1\n"
	"              high_min: 5\n"
	"              high_max: 9\n"
	"  vm stats threshold: 2\n"
	"  node_unreclaimable:  0\n"
	"  start_pfn:           1\n"
	"  reserved_highatomic: 8\n"
	"  free_highatomic:     0\n"
	"Node 0, zone  Movable\n"
	"  pages free     0\n"
	"        boost    0\n"
	"        min      32\n"
	"        low      32\n"
	"        high     32\n"
	"        spanned  0\n"
	"        present  0\n"
	"        managed  0\n"
	"        cma      0\n"
	"        protection: (0, 0)\n";

static int parse(struct mmlens_zoneinfo_format *format, const char *text)
{
	char *copy = strdup(text);
	int ret = mmlens_zoneinfo_format_parse(format, copy);

	free(copy);
	return ret;
}

/* ---- the module's answer ---- */

static void add_counters(struct records *r, uint32_t kind, unsigned int n,
			 const uint64_t *values)
{
	struct {
		struct mmlens_counters head;
		uint64_t value[8];
	} rec = { .head = { .head = { 8 + n * 8, MMLENS_REC_COUNTERS, 0 },
			    .kind = kind } };

	memcpy(rec.value, values, n * sizeof(*values));
	add_record(r, &rec, 8 + n * 8);
}

#define COUNTERS(r, kind, ...) \
	add_counters(r, kind, sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, \
		     (uint64_t[]){ __VA_ARGS__ })

static void add_memnode(struct records *r, unsigned int number)
{
	struct mmlens_memnode node = {
		.head = { sizeof(node), MMLENS_REC_MEMNODE, 0 },
		.node = number,
		.zones = 2,
		.kswapd_failures = 15,
	};

	add_record(r, &node, sizeof(node));
}

static void add_cpu(struct records *r, unsigned int cpu, int count)
{
	struct mmlens_pageset set = {
		.head = { sizeof(set), MMLENS_REC_PAGESET, 0 },
		.cpu = cpu, .count = count, .high = 6, .batch = 1,
		.high_min = 5, .high_max = 9, .stat_threshold = 2,
	};

	add_record(r, &set, sizeof(set));
}

static void add_dma(struct records *r)
{
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.flags = MMLENS_ZONE_POPULATED,
		.start_pfn = 1, .spanned = 200, .present = 150, .managed = 140,
		.free = 100, .min = 1, .low = 2, .high = 3, .highatomic = 8,
		.name = "DMA",
	};

	add_record(r, &zone, sizeof(zone));
	COUNTERS(r, MMLENS_COUNTERS_RESERVE, 0, 7);
	COUNTERS(r, MMLENS_COUNTERS_ZONE, 100);
	COUNTERS(r, MMLENS_COUNTERS_NUMA, 5);
	COUNTERS(r, MMLENS_COUNTERS_FREE, 4, 0, 24);
	COUNTERS(r, 99, 1, 2, 3);	/* of a newer module */
	add_cpu(r, 0, 4);
	add_cpu(r, 3, 0);
}

static void add_movable(struct records *r)
{
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.index = 1, .min = 32, .low = 32, .high = 32,
		.name = "Movable",
	};

	add_record(r, &zone, sizeof(zone));
	COUNTERS(r, MMLENS_COUNTERS_RESERVE, 0, 0);
}

static void fill(struct records *r)
{
	r->length = 0;
	add_memnode(r, 0);
	COUNTERS(r, MMLENS_COUNTERS_NODE, 11, 12);
	add_dma(r);
	add_movable(r);
	add_stranger(r);
}

static struct mmlens_zones *read_zones(const struct fake_call *calls,
				       unsigned int count)
{
	struct mmlens_zones *zones;
	struct mmlens *lens;
	int error;

	fake_init(&fake, calls, count);
	lens = fake_open(&fake);
	zones = mmlens_zones_read(lens);
	error = errno;
	mmlens_close(lens);
	errno = error;
	return zones;
}

static struct mmlens_zones *zones_of(const struct records *r)
{
	const struct fake_call call = WHOLE(*r);

	return read_zones(&call, 1);
}

/* ---- tests ---- */

static void records_become_zones(void)
{
	static struct records r;
	struct mmlens_zones *zones;

	fill(&r);
	zones = zones_of(&r);
	CHECK(zones);
	CHECK_NUMBER(zones->count, 1);
	CHECK_NUMBER(zones->nodes[0].zone_count, 2);
	CHECK_NUMBER(zones->nodes[0].stats.count, 2);
	CHECK_NUMBER(zones->nodes[0].zones[0].free.count, 3);
	CHECK_NUMBER(zones->nodes[0].zones[0].free.value[2], 24);
	CHECK_NUMBER(zones->nodes[0].zones[0].pageset_count, 2);
	CHECK_NUMBER(zones->nodes[0].zones[1].pageset_count, 0);
	CHECK_STRING(zones->nodes[0].zones[1].zone.name, "Movable");
	mmlens_zones_free(zones);
}

static char *text_of(const struct mmlens_zones *zones,
		     const struct mmlens_zoneinfo_format *format)
{
	struct view view = { .info = &fake_info };
	char *text = NULL;
	size_t length;

	view.out = open_memstream(&text, &length);
	if (format)
		zoneinfo_text(&view, format, zones);
	else
		buddyinfo_text(&view, zones);
	fclose(view.out);
	return text;
}

static void the_form_comes_from_the_file_the_numbers_do_not(void)
{
	static struct records r;
	struct mmlens_zoneinfo_format format;
	struct mmlens_zones *zones;
	char *text;

	fill(&r);
	zones = zones_of(&r);
	CHECK_NUMBER(parse(&format, sample), 0);
	text = text_of(zones, &format);
	CHECK_STRING(text, sample);
	free(text);

	zones->nodes[0].zones[0].zone.free = 77;
	zones->nodes[0].zones[0].pagesets[1].count = 12345;
	zones->nodes[0].node.kswapd_failures = 16;
	text = text_of(zones, &format);
	CHECK(strstr(text, "\n  pages free     77\n"));
	CHECK(strstr(text, "\n              count:    12345\n"));
	CHECK(strstr(text, "\n  node_unreclaimable:  1\n"));
	free(text);
	mmlens_zoneinfo_format_free(&format);
	mmlens_zones_free(zones);
}

static void free_blocks_as_in_buddyinfo(void)
{
	static struct records r;
	struct mmlens_zones *zones;
	char *text;

	fill(&r);
	zones = zones_of(&r);
	text = text_of(zones, NULL);
	CHECK_STRING(text, "Node 0, zone      DMA      4      0     24 \n");
	free(text);
	mmlens_zones_free(zones);
}

/* ---- mmlens zones ---- */

/* A zone of its own, with @free pages against watermarks of 10, 20 and 30. */
static const char *line_with(uint64_t free)
{
	static struct records r;
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.flags = MMLENS_ZONE_POPULATED, .index = 1,
		.spanned = 200, .present = 150, .managed = 140, .free = free,
		.min = 10, .low = 20, .high = 30, .name = "Normal",
	};
	struct fake_call call;

	r.length = 0;
	add_memnode(&r, 0);
	add_dma(&r);
	add_record(&r, &zone, sizeof(zone));
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "zones", NULL, NULL, NULL), CLI_OK);
	return strstr(output, "   0 Normal");
}

static void check_state(uint64_t free, const char *bar, const char *state)
{
	const char *line = line_with(free);
	char end[64];

	snprintf(end, sizeof(end), "[%s %s\n", bar, state);
	CHECK(line && strstr(line, end));
}

static void free_pages_against_watermarks(void)
{
	check_state(0, "    m   l   h           ]", "below_min");
	check_state(9, "=== m   l   h           ]", "below_min");
	check_state(10, "====m   l   h           ]", "below_low");
	check_state(19, "====m== l   h           ]", "below_low");
	check_state(20, "====m===l   h           ]", "below_high");
	check_state(29, "====m===l== h           ]", "below_high");
	check_state(30, "====m===l===h           ]", "above_high");
	check_state(60, "====m===l===h===========]", "above_high");
	check_state(61, "====m===l===h===========>", "above_high");
	CHECK(strstr(output, "node 0 DMA: kept from allocations of Normal 7\n"));
	CHECK(strstr(output, "node 0: kswapd runs, woken for order 0 up to DMA, 15 runs without success\n"));
}

static void zones_without_pages_are_in_json_alone(void)
{
	static struct records r;
	struct fake_call call;

	fill(&r);
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "zones", "-kc", NULL, NULL), CLI_OK);
	CHECK(!strstr(output, "0 Movable"));
	CHECK(strstr(output, " 400.0K "));	/* free */
	CHECK(strstr(output, "CPU 3 keeps 0 pages of 6 (5 to 9), 1 at a time"));
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "zones", "--json", NULL, NULL), CLI_OK);
	CHECK(strstr(output, "\"zone\": \"Movable\", \"state\": \"empty\""));
	CHECK(strstr(output, "\"reserve\": { \"Movable\": 7 }"));
}

/* On a node whose first zone is empty, counters stand in the second. */
static void an_empty_zone_first(void)
{
	const char *dma = strstr(sample, "  per-node");
	const char *movable = strstr(sample, "Node 0, zone  Movable");
	struct mmlens_zoneinfo_format format;
	char text[2 * sizeof(sample)];

	snprintf(text, sizeof(text), "%sNode 0, zone   Normal\n%.*s", movable,
		 (int)(movable - dma), dma);
	CHECK_NUMBER(parse(&format, text), 0);
	CHECK_NUMBER(format.node.count, 2);
	CHECK_NUMBER(format.head.count, 9);
	CHECK_NUMBER(format.stats.count, 2);
	CHECK_NUMBER(format.pageset.count, 6);
	CHECK_NUMBER(format.tail.count, 4);
	mmlens_zoneinfo_format_free(&format);
}

/* What has no known form is refused, whatever it is. */
static void other_texts_are_refused(void)
{
	static const char *const texts[] = {
		"", "\n", "x", "Node 0, zone DMA\n", "  pages free 1\n",
		"Node 0, zone DMA\n  pages free     \n",
		"Node 0, zone DMA\n  per-node stats\n      nr_one\n",
		"Node 0, zone DMA\n      1\n",
	};
	struct mmlens_zoneinfo_format format;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		CHECK_NUMBER(parse(&format, texts[i]), -EPROTO);
}

/* Cut off anywhere it is refused or known, and nothing is lost (ASan). */
static void a_file_that_ends_early(void)
{
	struct mmlens_zoneinfo_format format;
	char text[sizeof(sample)];

	for (size_t n = 0; n < sizeof(sample); n++) {
		snprintf(text, sizeof(text), "%.*s", (int)n, sample);
		if (!parse(&format, text))
			mmlens_zoneinfo_format_free(&format);
	}
}

static void the_file_of_this_machine(void)
{
	struct mmlens_zoneinfo_format format;
	int ret = mmlens_zoneinfo_format_read(&format);

	if (ret == -ENOENT || ret == -EACCES)
		return;
	CHECK_NUMBER(ret, 0);
	CHECK(format.node.count > 10 && format.stats.count > 5);
	mmlens_zoneinfo_format_free(&format);
}

static void records_without_sense(void)
{
	static struct records r;

	r.length = 0;
	add_movable(&r);
	CHECK(!zones_of(&r) && errno == EPROTO);
	r.length = 0;
	add_memnode(&r, 0);
	add_cpu(&r, 0, 1);
	CHECK(!zones_of(&r) && errno == EPROTO);
}

static void a_walk_that_breaks_off(void)
{
	static struct records r;
	struct fake_call calls[2] = {};

	fill(&r);
	calls[0] = (struct fake_call) PART(r);
	calls[1].error = -EPERM;
	CHECK(!read_zones(calls, 2) && errno == EPERM);
}

static void arguments_make_sense(void)
{
	static struct records r;
	const struct fake_call call = WHOLE(r);

	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "zoneinfo", "1", NULL, NULL),
		     CLI_USAGE);
	CHECK(strstr(errors, "one argument too many"));
	CHECK_NUMBER(run_command(&fake, "buddyinfo", "--foo", NULL, NULL),
		     CLI_USAGE);
	CHECK_NUMBER(fake.made, 0);
}

/* Another machine's counters aren't given this one's names. */
static void names_that_do_not_fit(void)
{
	static struct records r;
	struct fake_call call;

	fill(&r);
	call = (struct fake_call) WHOLE(r);
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "zoneinfo", NULL, NULL, NULL),
		     CLI_FAILED);
	CHECK(strstr(errors, "/proc/zoneinfo"));
	CHECK_STRING(output, "");
	fake_init(&fake, &call, 1);
	CHECK_NUMBER(run_command(&fake, "buddyinfo", NULL, NULL, NULL), CLI_OK);
	CHECK(strstr(output, "Node 0, zone      DMA      4"));
}

TESTS(TEST(records_become_zones),
      TEST(the_form_comes_from_the_file_the_numbers_do_not),
      TEST(free_blocks_as_in_buddyinfo),
      TEST(free_pages_against_watermarks),
      TEST(zones_without_pages_are_in_json_alone),
      TEST(an_empty_zone_first),
      TEST(other_texts_are_refused),
      TEST(a_file_that_ends_early),
      TEST(the_file_of_this_machine),
      TEST(records_without_sense),
      TEST(a_walk_that_breaks_off),
      TEST(arguments_make_sense),
      TEST(names_that_do_not_fit))
