// SPDX-License-Identifier: GPL-2.0-only
/*
 * smaps, numa_maps and pmap -X: formats of several kernels, what is computed
 * from settings, and the bytes that come of it.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"
#include "internal.h"
#include "test.h"
#include "view.h"

/* ---- what kernels write ---- */

#define HEAD "55a7202f2000-55a7202f4000 r--p 00000000 fe:00 247498                     /usr/bin/head\n"
#define SIZES \
"Size:                  8 kB\n" \
"KernelPageSize:        4 kB\n" \
"MMUPageSize:           4 kB\n"
#define RSS \
"Rss:                   8 kB\n" \
"Pss:                   4 kB\n"
#define DIRTY \
"Pss_Dirty:             0 kB\n"
#define SHARED \
"Shared_Clean:          8 kB\n" \
"Shared_Dirty:          0 kB\n" \
"Private_Clean:         0 kB\n" \
"Private_Dirty:         0 kB\n" \
"Referenced:            8 kB\n" \
"Anonymous:             0 kB\n"
#define KSM \
"KSM:                   0 kB\n"
#define HUGE \
"LazyFree:              0 kB\n" \
"AnonHugePages:         0 kB\n" \
"ShmemPmdMapped:        0 kB\n" \
"FilePmdMapped:         0 kB\n" \
"Shared_Hugetlb:        0 kB\n" \
"Private_Hugetlb:       0 kB\n" \
"Swap:                  0 kB\n" \
"SwapPss:               0 kB\n" \
"Locked:                0 kB\n"
#define THP_5 \
"THPeligible:    0\n"
#define THP_6 \
"THPeligible:           0\n"
#define KEY \
"ProtectionKey:         0\n"
#define FLAGS "VmFlags: rd mr mw me \n"
#define NEXT "7ffe00000000-7ffe00001000 r--p 00000000 00:00 0 \n" SIZES
#define ONFAULT "VmFlags: rd mr mw me lo lf \n"

static const char smaps_5_10[] =
	HEAD SIZES RSS SHARED HUGE THP_5 FLAGS NEXT "VmFlags: rd lo ?? \n";
static const char smaps_6_1[] =
	HEAD SIZES RSS DIRTY SHARED HUGE THP_5 KEY FLAGS NEXT;
static const char smaps_6_12[] =
	HEAD SIZES RSS DIRTY SHARED KSM HUGE THP_6 KEY FLAGS NEXT ONFAULT;
static const char smaps_7_3[] =
	HEAD SIZES RSS DIRTY SHARED KSM HUGE THP_6 FLAGS NEXT ONFAULT;
static const char rollup_6_12[] =
	"55af09192000-7ffc4eb62000 ---p 00000000 00:00 0                          [rollup]\n"
	RSS DIRTY
	"Pss_Anon:            116 kB\n"
	"Pss_File:            105 kB\n"
	"Pss_Shmem:             0 kB\n"
	SHARED KSM HUGE;

/* A module on a kernel with these bits: rd 0, mr 4, lo 13, lf 19; 34 hidden. */
static struct mmlens_info info_with_bits(void)
{
	struct mmlens_info info = fake_info;

	info.vma_bit[0] = 1;
	info.vma_bit[4] = 5;
	info.vma_bit[10] = 14;
	info.vma_bit[16] = 20;
	info.vma_hidden = 1ull << 34;
	return info;
}

static struct mmlens_smaps_format format_of(const char *text)
{
	struct mmlens_info info = info_with_bits();
	struct mmlens_smaps_format format;

	CHECK_NUMBER(mmlens_smaps_format_parse(&info, text, &format), 0);
	return format;
}

/* ---- output ---- */

struct output {
	struct view view;
	char *text;
	size_t length;
};

static void begin(struct output *o)
{
	memset(o, 0, sizeof(*o));
	o->view.out = open_memstream(&o->text, &o->length);
	o->view.info = &fake_info;
}

static const char *text(struct output *o)
{
	fflush(o->view.out);
	return o->text;
}

static void end(struct output *o)
{
	fclose(o->view.out);
	free(o->text);
}

/* The mapping that HEAD and what follows are of. */
static const struct mmlens_vma head_vma = {
	.page_shift = 12,
	.start = 0x55a7202f2000,
	.end = 0x55a7202f4000,
	.flags = MMLENS_VMA_READ | MMLENS_VMA_MAYREAD | MMLENS_VMA_FILE,
	.raw_flags = 0x11,
	.inode = 247498,
	.dev_major = 0xfe,
};
static const struct mmlens_smaps head_smaps = {
	.rss = 8192, .pss = 4096ull << 12, .shared_clean = 8192,
	.referenced = 8192,
};
static const struct mmlens_area head_area = {
	.vma = &head_vma,
	.name = "/usr/bin/head",
	.name_length = 13,
	.smaps = &head_smaps,
};

static void check_smaps(const char *model, const char *want)
{
	struct mmlens_smaps_format format = format_of(model);
	struct output o;

	CHECK_STRING(format.unknown, "");
	begin(&o);
	smaps_text.area(&o.view, &format, &head_area);
	CHECK_STRING(text(&o), want);
	end(&o);
}

#define OUR_FLAGS "VmFlags: rd mr \n"

static void smaps_has_the_bytes_of_each_kernel(void)
{
	check_smaps(smaps_5_10, HEAD SIZES RSS SHARED HUGE THP_5 OUR_FLAGS);
	check_smaps(smaps_6_1,
		    HEAD SIZES RSS DIRTY SHARED HUGE THP_5 KEY OUR_FLAGS);
	check_smaps(smaps_6_12,
		    HEAD SIZES RSS DIRTY SHARED KSM HUGE THP_6 KEY OUR_FLAGS);
	check_smaps(smaps_7_3,
		    HEAD SIZES RSS DIRTY SHARED KSM HUGE THP_6 OUR_FLAGS);
}

static void rollup_has_the_bytes_of_the_kernel(void)
{
	struct mmlens_smaps_format format = format_of(rollup_6_12);
	struct mmlens_vma vma = { .start = 0x55af09192000,
				  .end = 0x7ffc4eb62000 };
	struct mmlens_smaps smaps = head_smaps;
	struct mmlens_area area = { .vma = &vma, .smaps = &smaps };
	struct output o;

	smaps.pss_anon = 116ull << 22 | 0x3fffff;
	smaps.pss_file = 105ull << 22;
	begin(&o);
	rollup_text.area(&o.view, &format, &area);
	CHECK_STRING(text(&o), rollup_6_12);
	CHECK(!format.has_vm_flags);
	end(&o);
}

static const char *line_of(const char *all, const char *key, char room[128])
{
	const char *at = strstr(all, key);

	snprintf(room, 128, "%.*s", at ? (int)strcspn(at, "\n") : 0,
		 at ? at : "");
	return room;
}

static void large_numbers_leave_their_column(void)
{
	struct mmlens_smaps_format format = format_of(smaps_6_1);
	struct mmlens_smaps smaps = {
		.rss = 12345678901ull << 10,
		.private_hugetlb = 123456789ull << 10,
	};
	struct mmlens_vma vma = { .page_shift = 30, .pkey = 15 };
	struct mmlens_area area = { .vma = &vma, .smaps = &smaps,
				    .swap_pss = 7 << 10,
				    .thp_eligible = true };
	struct output o;
	char room[128];

	begin(&o);
	smaps_text.area(&o.view, &format, &area);
	CHECK_STRING(line_of(text(&o), "Rss:", room),
		     "Rss:            12345678901 kB");
	CHECK_STRING(line_of(text(&o), "Private_Hugetlb:", room),
		     "Private_Hugetlb: 123456789 kB");
	CHECK_STRING(line_of(text(&o), "KernelPageSize:", room),
		     "KernelPageSize:  1048576 kB");
	CHECK_STRING(line_of(text(&o), "SwapPss:", room),
		     "SwapPss:               7 kB");
	CHECK_STRING(line_of(text(&o), "THPeligible:", room),
		     "THPeligible:    1");
	CHECK_STRING(line_of(text(&o), "ProtectionKey:", room),
		     "ProtectionKey:        15");
	end(&o);
}

static const char *flags_with(const char *model, uint64_t raw, char room[128])
{
	struct mmlens_smaps_format format = format_of(model);
	struct mmlens_vma vma = head_vma;
	struct mmlens_area area = head_area;
	struct output o;

	vma.raw_flags = raw;
	area.vma = &vma;
	begin(&o);
	smaps_text.area(&o.view, &format, &area);
	line_of(text(&o), "VmFlags:", room);
	end(&o);
	return room;
}

static void vm_flags_have_the_words_of_the_kernel(void)
{
	uint64_t raw = 1 | 1 << 13 | 1 << 19 | 1ull << 34 | 1ull << 63;
	char room[128];

	CHECK_STRING(flags_with(smaps_6_12, raw, room),
		     "VmFlags: rd lo lf ?? ");
	/* It has the flag, but no word for it. */
	CHECK_STRING(flags_with(smaps_5_10, raw, room),
		     "VmFlags: rd lo ?? ?? ");
	CHECK_STRING(flags_with(smaps_6_12, 0, room), "VmFlags: ");
}

static void unknown_fields_are_told(void)
{
	struct mmlens_smaps_format format =
		format_of(HEAD "New:        1 kB\n" RSS "Newer:          0\n"
			  FLAGS);
	struct mmlens_info info = info_with_bits();

	CHECK_STRING(format.unknown, "New, Newer");
	CHECK_NUMBER(format.count, 2);
	CHECK_NUMBER(mmlens_smaps_format_parse(&info, "", &format), -EPROTO);
	CHECK_NUMBER(mmlens_smaps_format_parse(&info, RSS, &format), -EPROTO);
	CHECK_NUMBER(mmlens_smaps_format_parse(&info, HEAD, &format), -EPROTO);
	CHECK_NUMBER(mmlens_smaps_format_parse(&info, HEAD "Rss: x\n", &format),
		     -EPROTO);
	CHECK_NUMBER(mmlens_smaps_format_parse(&info, HEAD "Rss", &format),
		     -EPROTO);
}

static void the_running_kernel_is_understood(void)
{
	struct mmlens_smaps_format format;

	if (access("/proc/self/smaps_rollup", R_OK))
		return;
	CHECK_NUMBER(mmlens_smaps_format_read(&fake_info, false, &format), 0);
	CHECK_STRING(format.unknown, "");
	CHECK(format.has_vm_flags);
	CHECK_NUMBER(mmlens_smaps_format_read(&fake_info, true, &format), 0);
	CHECK_STRING(format.unknown, "");
}

/* ---- JSON ---- */

static struct json_object *at(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	CHECK(json_object_object_get_ex(o, key, &value));
	return value;
}

static long long number_at(struct json_object *o, const char *key)
{
	return json_object_get_int64(at(o, key));
}

static struct json_object *parsed(struct output *o)
{
	struct json_object *doc = json_tokener_parse(text(o));

	CHECK(doc);
	return doc;
}

static const struct mmlens_stats stats;

static void smaps_json_has_every_field(void)
{
	struct mmlens_smaps_format format = format_of(smaps_6_12);
	struct mmlens_area area = head_area;
	struct json_object *doc, *vma;
	struct output o;

	area.swap_pss = 4096;
	begin(&o);
	smaps_json.begin(&o.view, 7);
	smaps_json.area(&o.view, &format, &area);
	smaps_json.end(&o.view, 1, &stats);
	doc = parsed(&o);
	vma = json_object_array_get_idx(at(doc, "vmas"), 0);
	CHECK_NUMBER(number_at(vma, "rss"), 8192);
	CHECK_NUMBER(number_at(vma, "swap_pss"), 4096);
	CHECK_NUMBER(number_at(vma, "protection_key"), 0);
	CHECK(!json_object_get_boolean(at(vma, "thp_eligible")));
	CHECK_STRING(json_object_get_string(at(vma, "vm_flags")),
		     "[ \"rd\", \"mr\" ]");
	json_object_put(doc);
	end(&o);
}

static void rollup_json_is_one_object(void)
{
	struct mmlens_smaps_format format = format_of(rollup_6_12);
	struct json_object *doc;
	struct output o;

	begin(&o);
	rollup_json.begin(&o.view, 7);
	rollup_json.area(&o.view, &format, &head_area);
	rollup_json.end(&o.view, 1, &stats);
	doc = parsed(&o);
	CHECK_NUMBER(number_at(doc, "pss"), 4096);
	CHECK_NUMBER(number_at(doc, "pid"), 7);
	CHECK(!json_object_object_get_ex(doc, "thp_eligible", NULL));
	json_object_put(doc);
	end(&o);
}

/* ---- pmap -X ---- */

static void add_wide(struct output *o, struct pmap_options *options,
		     const struct mmlens_area *area)
{
	pmap_text.area(&o->view, options, area);
}

static void show_wide(struct output *o, struct pmap_options *options)
{
	struct mmlens_smaps smaps = { .rss = 1234567 << 10 };
	struct mmlens_vma vma = {
		.page_shift = 21, .start = 0x7f0000000000,
		.end = 0x7f0000200000, .raw_flags = 0x11, .pkey = 3,
		.offset = 0x123456789000,
		.flags = MMLENS_VMA_WRITE | MMLENS_VMA_MAYSHARE,
	};
	struct mmlens_area anon = { .vma = &vma, .smaps = &smaps,
				    .thp_eligible = true };
	struct pmap_totals totals = {};

	add_wide(o, options, &head_area);
	add_wide(o, options, &anon);
	pmap_text.end(&o->view, options, &totals, &stats);
}

static const char small[] = HEAD SIZES RSS SHARED THP_5 KEY FLAGS;

static void pmap_X_has_the_bytes_of_procps(void)
{
	struct mmlens_smaps_format format = format_of(small);
	struct pmap_options options = {
		.format = PMAP_WIDE, .fields = &format,
		.wide = pmap_wide_new(&format, false),
	};
	struct output o;

	begin(&o);
	show_wide(&o, &options);
	CHECK_STRING(text(&o),
"     Address Perm       Offset Device  Inode Size     Rss Pss Referenced Anonymous THPeligible ProtectionKey Mapping\n"
"55a7202f2000 r--p     00000000  fe:00 247498    8       8   4          8         0           0             0 head\n"
"7f0000000000 -w-s 123456789000  00:00      0 2048 1234567   0          0         0           1             3 \n"
"                                             ==== ======= === ========== ========= =========== ============= \n"
"                                             2056 1234575   4          8         0           1             - KB \n");
	end(&o);
	pmap_wide_free(options.wide);
}

static void pmap_XX_quiet_is_as_narrow_as_can_be(void)
{
	struct mmlens_smaps_format format = format_of(small);
	struct pmap_options options = {
		.format = PMAP_ALL, .fields = &format, .quiet = true,
		.path = true, .wide = pmap_wide_new(&format, true),
	};
	struct output o;

	begin(&o);
	show_wide(&o, &options);
	CHECK_STRING(text(&o),
"55a7202f2000 r--p     00000000 fe:00 247498    8    4    4       8 4 8 0 0 0 8 0 0 0 rd mr /usr/bin/head\n"
"7f0000000000 -w-s 123456789000 00:00      0 2048 2048 2048 1234567 0 0 0 0 0 0 0 1 3 rd mr \n");
	end(&o);
	pmap_wide_free(options.wide);
}

static void pmap_XX_sums_up_no_page_sizes(void)
{
	struct mmlens_smaps_format format = format_of(HEAD SIZES FLAGS);
	struct pmap_options options = {
		.format = PMAP_ALL, .fields = &format,
		.wide = pmap_wide_new(&format, true),
	};
	static const char sums[] =
"                                             2056              -           - KB \n";
	struct output o;

	begin(&o);
	/* Of two processes each has its own sums. */
	show_wide(&o, &options);
	show_wide(&o, &options);
	CHECK(strstr(text(&o),
"                                             ==== ============== =========== \n"
"                                             2056              -           - KB \n"
"     Address"));
	CHECK_STRING(text(&o) + strlen(text(&o)) - strlen(sums), sums);
	end(&o);
	pmap_wide_free(options.wide);
}

static void pmap_X_cuts_no_names(void)
{
	struct mmlens_smaps_format format = format_of(small);
	struct pmap_options options = {
		.format = PMAP_WIDE, .fields = &format, .quiet = true,
		.path = true, .wide = pmap_wide_new(&format, false),
	};
	struct pmap_totals totals = {};
	struct mmlens_area area = head_area;
	char name[4000], *at;
	struct output o;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	name[0] = '/';
	name[2000] = '\n';
	area.name = name;
	begin(&o);
	add_wide(&o, &options, &area);
	pmap_text.end(&o.view, &options, &totals, &stats);
	at = strchr(text(&o), '/');
	CHECK(at);
	CHECK_NUMBER(strlen(at), sizeof(name) - 1 + 3 + 1);
	CHECK(!strncmp(at + 2000, "\\012n", 5));
	end(&o);
	pmap_wide_free(options.wide);
}

/* ---- numa_maps ---- */

static void check_policy(uint32_t mode, uint32_t flags, uint64_t nodes,
			 const char *want)
{
	struct mmlens_numa numa = { .mode = mode, .mode_flags = flags,
				    .policy_nodes = { nodes } };
	char got[MMLENS_POLICY_TEXT];

	mmlens_numa_policy(&numa, got);
	CHECK_STRING(got, want);
}

static void policies_have_the_words_of_the_kernel(void)
{
	struct mmlens_numa numa = { .mode = 6, .mode_flags = 3 << 13,
				    .policy_nodes = { 0x5555555555555555,
						      1ull << 63 } };
	char got[MMLENS_POLICY_TEXT];

	check_policy(0, 0, 0, "default");
	check_policy(1, 0, 1, "prefer:0");
	check_policy(2, 1 << 15, 0xe7, "bind=static:0-2,5-7");
	check_policy(2, 1 << 13, 2, "bind=balancing:1");
	check_policy(2, 1 << 15 | 1 << 13, 3, "bind=static|balancing:0-1");
	check_policy(3, 1 << 14, 1ull << 63, "interleave=relative:63");
	check_policy(4, 0, 0, "local");
	check_policy(5, 0, 3, "prefer (many):0-1");
	check_policy(6, 0, 5, "weighted interleave:0,2");
	check_policy(7, 0, 5, "unknown");
	/* The kernel has 63 bytes for it. */
	mmlens_numa_policy(&numa, got);
	CHECK_STRING(got, "weighted interleave=relative|balancing:0,2,4,6,8,10,12,14,16,18");
}

static void show_numa(struct output *o, uint64_t flags, const char *name,
		      const struct mmlens_numa *numa,
		      const struct mmlens_node *nodes, size_t count)
{
	struct mmlens_vma vma = { .page_shift = 12, .start = 0x400000,
				  .end = 0x500000, .flags = flags };
	struct mmlens_area area = {
		.vma = &vma, .name = name,
		.name_length = name ? strlen(name) : 0,
		.numa = numa, .nodes = nodes, .node_count = count,
	};

	numa_text.area(&o->view, &area);
}

static void numa_maps_has_the_bytes_of_the_kernel(void)
{
	const struct mmlens_node nodes[] = { { .node = 0, .pages = 3 },
					     { .node = 12, .pages = 7 } };
	const struct mmlens_numa none = {};
	const struct mmlens_numa all = {
		.pages = 10, .anon = 1, .dirty = 2, .mapcount_max = 3,
		.swapcache = 4, .active = 5, .writeback = 6,
	};
	const struct mmlens_numa anon = { .pages = 3, .anon = 3, .active = 3,
					  .mapcount_max = 1 };
	struct output o;

	begin(&o);
	show_numa(&o, 0, NULL, &none, NULL, 0);
	show_numa(&o, 0, "[anon:x]", &anon, nodes, 1);
	show_numa(&o, MMLENS_VMA_HEAP, "[heap]", &anon, nodes, 1);
	show_numa(&o, MMLENS_VMA_STACK, "[stack]", &all, nodes, 2);
	show_numa(&o, MMLENS_VMA_FILE | MMLENS_VMA_HUGETLB | MMLENS_VMA_HEAP,
		  "/a b\t=\n (deleted)", &all, nodes, 2);
	show_numa(&o, MMLENS_VMA_FILE, "[anon_shmem:x]", &none, NULL, 0);
	CHECK_STRING(text(&o),
"00400000 default\n"
"00400000 default anon=3 N0=3 kernelpagesize_kB=4\n"
"00400000 default heap anon=3 N0=3 kernelpagesize_kB=4\n"
"00400000 default stack anon=1 dirty=2 mapped=10 mapmax=3 swapcache=4 active=5 writeback=6 N0=3 N12=7 kernelpagesize_kB=4\n"
"00400000 default file=/a\\040b\\011\\075\\012\\040(deleted) huge anon=1 dirty=2 mapped=10 mapmax=3 swapcache=4 writeback=6 N0=3 N12=7 kernelpagesize_kB=4\n"
"00400000 default file=/dev/zero\\040(deleted)\n");
	end(&o);
}

/* Every node with the largest number fits. */
static void no_node_is_cut_off(void)
{
	struct mmlens_node nodes[MMLENS_MAX_NODES];
	const struct mmlens_numa numa = { .pages = 1 };
	struct output o;

	for (unsigned int i = 0; i < MMLENS_MAX_NODES; i++)
		nodes[i] = (struct mmlens_node) { .node = i,
						  .pages = UINT64_MAX };
	begin(&o);
	show_numa(&o, 0, NULL, &numa, nodes, MMLENS_MAX_NODES);
	CHECK(strstr(text(&o), " N127=18446744073709551615 kernelpagesize_kB=4\n"));
	end(&o);
}

static void areas_have_their_nodes(void)
{
	const struct mmlens_request request = { .pid = 2147483647 };
	struct mmlens_numa numa = {
		.head = { sizeof(numa), MMLENS_REC_NUMA, 0 }, .pages = 3,
	};
	struct mmlens_node node = {
		.head = { sizeof(node), MMLENS_REC_NODE, 0 }, .pages = 3,
	};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	struct records r = {};
	struct mmlens *lens;
	struct fake fake;

	add_vma(&r, 0x1000, 0x2000, 0);
	add_record(&r, &numa, sizeof(numa));
	add_record(&r, &node, sizeof(node));
	node.node = 1;
	add_record(&r, &node, sizeof(node));
	add_vma(&r, 0x2000, 0x3000, 0);
	add_record(&r, &numa, sizeof(numa));
	add_vma(&r, 0x3000, 0x4000, 0);
	const struct fake_call calls[] = { WHOLE(r) };
	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	CHECK(!mmlens_areas_open(lens, &request, MMLENS_AREAS_NUMA |
						 MMLENS_AREAS_SMAPS));
	CHECK_NUMBER(errno, EINVAL);
	areas = mmlens_areas_open(lens, &request, MMLENS_AREAS_NUMA);
	CHECK_NUMBER(fake.last_request, MMLENS_NUMA_MAPS);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->node_count, 2);
	CHECK_NUMBER(area->nodes[1].node, 1);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->node_count, 0);
	CHECK_NUMBER(area->numa->pages, 3);
	/* A mapping without what was asked for. */
	CHECK_NUMBER(mmlens_areas_next(areas, &area), -EPROTO);
	mmlens_areas_close(areas);
	mmlens_close(lens);
}

/* ---- SwapPss ---- */

static void swap_pss_is_found_by_range(void)
{
	char smaps[] = "1000-2000 r--p 00000000 00:00 0\n"
		       "Swap:  8 kB\nSwapPss:  4 kB\n"
		       "3000-5000 r--p 00000000 00:00 0 SwapPss: 9\n"
		       "SwapPss:  12345678 kB\nVmFlags: rd \n"
		       "7000-8000 r--p 00000000 00:00 0\n";
	char bad[] = "12 34\nSwapPss:  4 kB\n";
	struct mmlens_vma vma = { .start = 0x3000, .end = 0x5000 };
	struct mmlens_swap swap;

	CHECK_NUMBER(mmlens_swap_parse(&swap, smaps), 0);
	CHECK_NUMBER(swap.count, 3);
	CHECK_NUMBER(mmlens_swap_find(&swap, &vma)->pss, 12345678ull << 10);
	vma.end = 0x4000;
	CHECK(!mmlens_swap_find(&swap, &vma));
	vma.start = 0x2000;
	CHECK(!mmlens_swap_find(&swap, &vma));
	vma.start = 0x7000;
	vma.end = 0x8000;
	CHECK_NUMBER(mmlens_swap_find(&swap, &vma)->pss, 0);
	mmlens_swap_free(&swap);
	CHECK(!mmlens_swap_find(&swap, &vma));
	CHECK_NUMBER(mmlens_swap_parse(&swap, bad), -EPROTO);
}

/* Without a slot in a page table the kernel isn't asked. */
static void swap_pss_is_asked_for_where_it_must_be(void)
{
	const struct mmlens_request request = { .pid = 2147483647 };
	struct mmlens_smaps smaps = {
		.head = { sizeof(smaps), MMLENS_REC_SMAPS, 0 }, .swap = 4096,
	};
	const struct mmlens_area *area;
	struct mmlens_areas *areas;
	struct records r = {};
	struct mmlens *lens;
	struct fake fake;

	add_vma(&r, 0x1000, 0x2000, 0);
	add_record(&r, &smaps, sizeof(smaps));
	smaps.swap_anon = 4096;
	add_vma(&r, 0x2000, 0x3000, 0);
	add_record(&r, &smaps, sizeof(smaps));
	const struct fake_call calls[] = { WHOLE(r) };
	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	areas = mmlens_areas_open(lens, &request, MMLENS_AREAS_SMAPS |
						  MMLENS_AREAS_FIELDS);
	CHECK_NUMBER(mmlens_areas_next(areas, &area), 1);
	CHECK_NUMBER(area->swap_pss, 0);
	/* There is no such process. */
	CHECK_NUMBER(mmlens_areas_next(areas, &area), -ESTALE);
	mmlens_areas_close(areas);
	mmlens_close(lens);
}

static void a_total_is_asked_for_as_one(void)
{
	const struct mmlens_request request = { .pid = 2147483647 };
	const struct fake_call calls[] = { WHOLE((struct records) {}) };
	struct mmlens_areas *areas;
	struct mmlens *lens;
	struct fake fake;

	fake_init(&fake, calls, 1);
	lens = fake_open(&fake);
	areas = mmlens_areas_open(lens, &request, MMLENS_AREAS_SMAPS |
						  MMLENS_AREAS_TOTAL);
	CHECK(areas);
	CHECK(fake.last.flags & MMLENS_WALK_TOTAL);
	CHECK_NUMBER(fake.last_request, MMLENS_SMAPS);
	mmlens_areas_close(areas);
	CHECK(!mmlens_areas_open(lens, &request, MMLENS_AREAS_TOTAL));
	CHECK_NUMBER(errno, EINVAL);
	mmlens_close(lens);
}

/* ---- THPeligible ---- */

static void write_setting(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f);
	fputs(text, f);
	fclose(f);
}

static void remove_settings(const char *dir)
{
	static const char *const names[] = {
		"enabled", "shmem_enabled", "hugepages-2048kB/enabled",
		"hugepages-64kB/enabled", "hugepages-2048kB/shmem_enabled",
		"hugepages-64kB/shmem_enabled", "hugepages-2048kB",
		"hugepages-64kB", "",
	};
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
}

static void settings_are_read(void)
{
	char dir[] = "/tmp/mmlens-thp-XXXXXX", sub[64];
	struct mmlens_thp_settings s;

	CHECK(mkdtemp(dir));
	mmlens_thp_read(&fake_info, dir, &s);
	CHECK_NUMBER(s.anon, MMLENS_THP_SET_NEVER);
	write_setting(dir, "enabled", "always [madvise] never\n");
	write_setting(dir, "shmem_enabled",
		      "always within_size advise never deny [force]\n");
	mmlens_thp_read(&fake_info, dir, &s);
	CHECK_NUMBER(s.anon, MMLENS_THP_SET_ADVISE);
	CHECK_NUMBER(s.shmem, MMLENS_THP_SET_FORCE);
	CHECK_NUMBER(s.pmd, 1 << 9);
	CHECK(!s.shmem_sized);
	CHECK_NUMBER(s.anon_orders[MMLENS_THP_SET_INHERIT], ~0u);

	for (int kb = 64; kb <= 2048; kb *= 32) {
		snprintf(sub, sizeof(sub), "%s/hugepages-%dkB", dir, kb);
		mkdir(sub, 0700);
		write_setting(sub, "enabled", kb == 64 ?
			      "[always] inherit madvise never\n" :
			      "always [inherit] madvise never\n");
		write_setting(sub, "shmem_enabled",
			      "always inherit [within_size] advise never\n");
	}
	mmlens_thp_read(&fake_info, dir, &s);
	CHECK(s.shmem_sized);
	CHECK_NUMBER(s.anon_orders[MMLENS_THP_SET_ALWAYS], 1 << 4);
	CHECK_NUMBER(s.anon_orders[MMLENS_THP_SET_INHERIT], 1 << 9);
	CHECK_NUMBER(s.shmem_orders[MMLENS_THP_SET_WITHIN_SIZE],
		     1 << 4 | 1 << 9);
	CHECK_NUMBER(s.shmem_orders[MMLENS_THP_SET_INHERIT], 0);
	remove_settings(dir);
}

#define PMD (1u << 9)

/* No settings by size: 5.10 and 6.1. */
static struct mmlens_thp_settings old_settings(enum mmlens_thp_setting anon,
					       enum mmlens_thp_setting shmem)
{
	struct mmlens_thp_settings s = { .anon = anon, .shmem = shmem,
					 .pmd = PMD };

	s.anon_orders[MMLENS_THP_SET_INHERIT] = ~0u;
	s.shmem_orders[MMLENS_THP_SET_INHERIT] = ~0u;
	return s;
}

static bool eligible(const struct mmlens_thp_settings *s, uint8_t thp,
		     uint8_t mount, uint32_t orders, bool advised,
		     const char *name)
{
	struct mmlens_vma vma = {
		.thp = thp, .thp_mount = mount, .thp_orders = orders,
		.flags = advised ? MMLENS_VMA_HUGEPAGE : 0,
	};
	struct mmlens_area area = { .vma = &vma, .name = name };

	return mmlens_thp_eligible(s, &area);
}

static void anonymous_memory_follows_enabled(void)
{
	struct mmlens_thp_settings s;

	s = old_settings(MMLENS_THP_SET_ADVISE, MMLENS_THP_SET_NEVER);
	CHECK(!eligible(&s, MMLENS_THP_ANON, 0, PMD, false, NULL));
	CHECK(eligible(&s, MMLENS_THP_ANON, 0, PMD, true, NULL));
	CHECK(!eligible(&s, MMLENS_THP_ANON, 0, 0, true, NULL));
	CHECK(!eligible(&s, MMLENS_THP_FILE, 0, PMD, false, NULL));
	CHECK(eligible(&s, MMLENS_THP_FILE, 0, PMD, true, NULL));
	CHECK(eligible(&s, MMLENS_THP_ALWAYS, 0, PMD, false, NULL));
	CHECK(!eligible(&s, MMLENS_THP_NEVER, 0, PMD, true, NULL));
	s.anon = MMLENS_THP_SET_ALWAYS;
	CHECK(eligible(&s, MMLENS_THP_ANON, 0, PMD, false, NULL));
	s.anon = MMLENS_THP_SET_NEVER;
	CHECK(!eligible(&s, MMLENS_THP_ANON, 0, PMD, true, NULL));
	/* By size: 64 kB always, 2 MB as the common one. */
	s.anon_orders[MMLENS_THP_SET_INHERIT] = PMD;
	s.anon_orders[MMLENS_THP_SET_ALWAYS] = 1 << 4;
	CHECK(!eligible(&s, MMLENS_THP_ANON, 0, PMD, true, NULL));
	CHECK(eligible(&s, MMLENS_THP_ANON, 0, 1 << 4, false, NULL));
	s.anon_orders[MMLENS_THP_SET_ADVISE] = 1 << 5;
	CHECK(eligible(&s, MMLENS_THP_ANON, 0, 1 << 5, true, NULL));
	CHECK(!eligible(&s, MMLENS_THP_ANON, 0, 1 << 5, false, NULL));
}

static void shared_memory_follows_its_mount(void)
{
	struct mmlens_thp_settings s;

	s = old_settings(MMLENS_THP_SET_ALWAYS, MMLENS_THP_SET_NEVER);
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 0, PMD, true, "/tmp/a"));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 1, PMD, false, "/tmp/a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 2, PMD, false, "/tmp/a"));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 2, PMD, true, "/tmp/a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 3, PMD, false, "/tmp/a"));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 3, PMD, true, "/tmp/a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, PMD, true, "/memfd:a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 77, PMD, true, "/tmp/a"));
	s.shmem = MMLENS_THP_SET_DENY;
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 1, PMD, true, "/tmp/a"));
	s.shmem = MMLENS_THP_SET_FORCE;
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 0, PMD, false, "/tmp/a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 0, 1 << 4, false, "/tmp/a"));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, PMD, false, "/memfd:a"));
	s.shmem = MMLENS_THP_SET_ADVISE;
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, PMD, true, "/memfd:a"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, PMD, false, "/memfd:a"));
}

static void shared_anonymous_memory_has_settings_by_size(void)
{
	static const char zero[] = "/dev/zero (deleted)";
	struct mmlens_thp_settings s = {
		.shmem = MMLENS_THP_SET_NEVER, .pmd = PMD, .shmem_sized = true,
	};

	s.shmem_orders[MMLENS_THP_SET_INHERIT] = PMD;
	s.shmem_orders[MMLENS_THP_SET_ALWAYS] = 1 << 4;
	s.shmem_orders[MMLENS_THP_SET_ADVISE] = 1 << 5;
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, false, zero));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, false,
		       "[anon_shmem:a]"));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, false,
		       "/memfd:a (deleted)"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, false,
			"/SYSV00000000 (deleted)"));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, PMD, true, zero));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 5, false, zero));
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 5, true, zero));
	s.shmem = MMLENS_THP_SET_ALWAYS;
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, PMD, false, zero));
	s.shmem = MMLENS_THP_SET_DENY;
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, true, zero));
	/* It forces those that inherit, and no other. */
	s.shmem = MMLENS_THP_SET_FORCE;
	CHECK(eligible(&s, MMLENS_THP_SHMEM, 255, PMD, false, zero));
	CHECK(!eligible(&s, MMLENS_THP_SHMEM, 255, 1 << 4, false, zero));
}

TESTS(TEST(smaps_has_the_bytes_of_each_kernel),
      TEST(rollup_has_the_bytes_of_the_kernel),
      TEST(large_numbers_leave_their_column),
      TEST(vm_flags_have_the_words_of_the_kernel),
      TEST(unknown_fields_are_told),
      TEST(the_running_kernel_is_understood),
      TEST(smaps_json_has_every_field),
      TEST(rollup_json_is_one_object),
      TEST(pmap_X_has_the_bytes_of_procps),
      TEST(pmap_XX_quiet_is_as_narrow_as_can_be),
      TEST(pmap_XX_sums_up_no_page_sizes),
      TEST(pmap_X_cuts_no_names),
      TEST(policies_have_the_words_of_the_kernel),
      TEST(numa_maps_has_the_bytes_of_the_kernel),
      TEST(no_node_is_cut_off),
      TEST(areas_have_their_nodes),
      TEST(swap_pss_is_found_by_range),
      TEST(swap_pss_is_asked_for_where_it_must_be),
      TEST(a_total_is_asked_for_as_one),
      TEST(settings_are_read),
      TEST(anonymous_memory_follows_enabled),
      TEST(shared_memory_follows_its_mount),
      TEST(shared_anonymous_memory_has_settings_by_size))
