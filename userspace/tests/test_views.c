// SPDX-License-Identifier: GPL-2.0-only
/* What the renderers write, to the byte; JSON is parsed again as well. */
#include <errno.h>
#include <locale.h>

#include "fake.h"
#include "line.h"
#include "test.h"
#include "view.h"

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

/* The document, whose form must be right. */
static struct json_object *parsed(struct output *o)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *doc;

	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	doc = json_tokener_parse_ex(t, text(o), (int)strlen(text(o)) + 1);
	CHECK(doc);
	json_tokener_free(t);
	return doc;
}

/* ---- maps ---- */

static struct mmlens_vma vma_of(uint64_t start, uint64_t end, uint64_t flags)
{
	return (struct mmlens_vma) {
		.page_shift = 12,
		.start = start,
		.end = end,
		.flags = flags,
	};
}

static void show_maps(struct output *o, const struct maps_view *view,
		      const struct mmlens_vma *vma, const char *name)
{
	struct mmlens_area area = {
		.vma = vma,
		.name = name,
		.name_length = name ? strlen(name) : 0,
	};

	view->area(&o->view, &area);
}

static void maps_has_the_bytes_of_the_kernel(void)
{
	struct mmlens_vma anon = vma_of(0x400000, 0x401000, MMLENS_VMA_READ);
	struct mmlens_vma file = vma_of(0x7f0000000000, 0x7f0000002000,
					MMLENS_VMA_READ | MMLENS_VMA_EXEC |
					MMLENS_VMA_MAYSHARE | MMLENS_VMA_FILE);
	struct output o;

	file.offset = 0x123456789000;
	file.inode = 1234567890123;
	file.dev_major = 0x103;
	file.dev_minor = 5;
	begin(&o);
	show_maps(&o, &maps_text, &anon, NULL);
	show_maps(&o, &maps_text, &anon, "[heap]");
	show_maps(&o, &maps_text, &file, "/a b\nc");
	anon.start = 0xffffffffff600000;
	anon.end = 0xffffffffff601000;
	show_maps(&o, &maps_text, &anon, "[anon:a\nb]");
	CHECK_STRING(text(&o),
"00400000-00401000 r--p 00000000 00:00 0 \n"
"00400000-00401000 r--p 00000000 00:00 0                                  [heap]\n"
"7f0000000000-7f0000002000 r-xs 123456789000 103:05 1234567890123         /a b\\012c\n"
"ffffffffff600000-ffffffffff601000 r--p 00000000 00:00 0                  [anon:a\nb]\n");
	end(&o);
}

static void a_long_prefix_still_has_its_space(void)
{
	struct mmlens_vma file = vma_of(0xffffffffff600000, 0xffffffffff601000,
					MMLENS_VMA_FILE);
	struct output o;

	file.offset = 0xffffffffff600000;
	file.inode = UINT64_MAX;
	file.dev_major = 0xfff;
	file.dev_minor = 0xfffff;
	begin(&o);
	show_maps(&o, &maps_text, &file, "/f");
	CHECK_STRING(text(&o),
		     "ffffffffff600000-ffffffffff601000 ---p ffffffffff600000 fff:fffff 18446744073709551615  /f\n");
	end(&o);
}

static struct json_object *at(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	CHECK(json_object_object_get_ex(o, key, &value));
	return value;
}

static const char *string_at(struct json_object *o, const char *key)
{
	return json_object_get_string(at(o, key));
}

static void maps_json_is_json_for_any_name(void)
{
	struct mmlens_vma vma = vma_of(0x1000, 0x3000, MMLENS_VMA_READ |
				       MMLENS_VMA_FILE);
	struct mmlens_stats stats = { .restarts = 2, .max_hold_ns = 5 };
	struct json_object *doc, *vmas, *first;
	struct output o;

	begin(&o);
	maps_json.begin(&o.view, 7);
	show_maps(&o, &maps_json, &vma, "/tmp/\xff\xed\xa0\x80\xc3\xa9\"\\\n\x01");
	show_maps(&o, &maps_json, &vma, "/tmp/\xc3\xa9");
	show_maps(&o, &maps_json, &vma, NULL);
	show_maps(&o, &maps_json, &vma, "");
	maps_json.end(&o.view, 4, &stats);
	CHECK_NUMBER(o.view.depth, 0);
	doc = parsed(&o);
	vmas = at(doc, "vmas");
	CHECK_NUMBER(json_object_array_length(vmas), 4);
	first = json_object_array_get_idx(vmas, 0);
	CHECK_STRING(string_at(first, "name"),
		     "/tmp/\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\"\\\n\x01");
	CHECK_STRING(string_at(first, "name_hex"),
		     "2f746d702fffeda080c3a9225c0a01");
	CHECK(!json_object_object_get_ex(json_object_array_get_idx(vmas, 1),
					 "name_hex", NULL));
	CHECK_STRING(string_at(first, "start"), "0x1000");
	CHECK_NUMBER(json_object_get_int64(at(doc, "pid")), 7);
	CHECK_NUMBER(json_object_get_int64(at(at(doc, "walk"), "vmas")), 4);
	CHECK_STRING(string_at(at(doc, "mmlens"), "arch"), "x86_64");
	json_object_put(doc);
	end(&o);
}

/* ---- pmap ---- */

static void show_pmap(struct output *o, const struct pmap_view *view,
		      const struct pmap_options *options)
{
	const char cmdline[] = "a\0b c\n";
	struct mmlens_process process = { .tgid = 12, .state = 'S' };
	struct mmlens_vma vmas[] = {
		vma_of(0x1000, 0x3000, MMLENS_VMA_READ | MMLENS_VMA_WRITE),
		vma_of(0x3000, 0x4000, MMLENS_VMA_READ | MMLENS_VMA_STACK),
		vma_of(0x5000, 0x7000, MMLENS_VMA_READ | MMLENS_VMA_MAYSHARE |
				       MMLENS_VMA_FILE),
		vma_of(0x8000, 0x9000, MMLENS_VMA_MAYSHARE | MMLENS_VMA_FILE),
	};
	const char *names[] = { "[anon:x]", "[stack]", "/x/y\tz\n\xc3\xa9",
				"/SYSV00000000 (deleted)" };
	struct mmlens_smaps smaps = { .rss = 8192, .shared_dirty = 4096,
				      .private_dirty = 4096 };
	struct pmap_totals totals = {};
	struct mmlens_stats stats = {};

	vmas[3].inode = 0x42;
	vmas[3].dev_minor = 1;
	view->document(&o->view);
	view->begin(&o->view, options, &process, cmdline, sizeof(cmdline));
	for (size_t i = 0; i < ARRAY_SIZE(vmas); i++) {
		struct mmlens_area area = {
			.vma = &vmas[i],
			.name = names[i],
			.name_length = strlen(names[i]),
			.smaps = &smaps,
		};

		if (!pmap_in_range(options, &area))
			continue;
		view->area(&o->view, options, &area);
		pmap_add(&totals, &area);
	}
	view->end(&o->view, options, &totals, &stats);
	view->finish(&o->view);
}

static void pmap_x_has_the_bytes_of_procps(void)
{
	struct pmap_options options = { .format = PMAP_EXTENDED,
					.high = UINT64_MAX, .have_sysv = true,
					.sysv_minor = 1 };
	struct output o;

	begin(&o);
	show_pmap(&o, &pmap_text, &options);
	CHECK_STRING(text(&o),
"12:   a b c \n"
"Address           Kbytes     RSS   Dirty Mode  Mapping\n"
"0000000000001000       8       8       8 rw---   [ anon ]\n"
"0000000000003000       4       8       8 r----   [ stack ]\n"
"0000000000005000       8       8       8 r--s- y?z\\012??\n"
"0000000000008000       4       8       8 ---s-   [ shmid=0x42 ]\n"
"---------------- ------- ------- ------- \n"
"total kB              24      32      32\n");
	end(&o);
}

static void pmap_sums_up_what_it_shows(void)
{
	struct pmap_options options = { .format = PMAP_EXTENDED, .path = true,
					.low = 0x3fff, .high = 0x5000 };
	struct output o;

	begin(&o);
	show_pmap(&o, &pmap_text, &options);
	CHECK_STRING(text(&o),
"12:   a b c \n"
"Address           Kbytes     RSS   Dirty Mode  Mapping\n"
"0000000000003000       4       8       8 r----   [ stack ]\n"
"0000000000005000       8       8       8 r--s- /x/y?z\\012??\n"
"---------------- ------- ------- ------- \n"
"total kB              12      16      16\n");
	end(&o);
}

static void pmap_has_its_other_forms(void)
{
	struct pmap_options options = { .format = PMAP_DEVICE,
					.high = 0x2000 };
	struct output o;

	begin(&o);
	show_pmap(&o, &pmap_text, &options);
	options.format = PMAP_PLAIN;
	show_pmap(&o, &pmap_text, &options);
	options.quiet = true;
	show_pmap(&o, &pmap_text, &options);
	CHECK_STRING(text(&o),
"12:   a b c \n"
"Address           Kbytes Mode  Offset           Device    Mapping\n"
"0000000000001000       8 rw--- 0000000000000000 000:00000   [ anon ]\n"
"mapped: 8K    writeable/private: 8K    shared: 0K\n"
"12:   a b c \n"
"0000000000001000      8K rw---   [ anon ]\n"
" total                8K\n"
"12:   a b c \n"
"0000000000001000      8K rw---   [ anon ]\n");
	end(&o);
}

static void pmap_json_has_bytes_and_sums(void)
{
	struct pmap_options options = { .format = PMAP_EXTENDED,
					.high = UINT64_MAX };
	struct json_object *doc, *process;
	struct output o;

	begin(&o);
	show_pmap(&o, &pmap_json, &options);
	doc = parsed(&o);
	process = json_object_array_get_idx(at(doc, "processes"), 0);
	CHECK_NUMBER(json_object_array_length(at(process, "vmas")), 4);
	CHECK_NUMBER(json_object_get_int64(at(at(process, "total"), "rss")),
		     32768);
	CHECK_STRING(string_at(process, "cmdline"), "a b c ");
	json_object_put(doc);
	end(&o);
}

/* ---- command lines ---- */

static void check_cmdline(const char *bytes, size_t length, char state,
			  const char *want)
{
	struct mmlens_process process = { .state = state, .comm = "a\tb" };
	char *got = text_cmdline(bytes, length, &process);

	CHECK_STRING(got, want);
	free(got);
}

#define BYTES(s) (s), sizeof(s) - 1

static void command_lines_are_those_of_procps(void)
{
	setlocale(LC_CTYPE, "C");
	check_cmdline(BYTES("redis-server *:6379 "), 'S',
		      "redis-server *:6379");
	check_cmdline(BYTES("sh\0-c\0a\nb\tc\0\0\0"), 'S', "sh -c a b.c");
	check_cmdline(BYTES("\xc3\xa9"), 'S', "??");
	check_cmdline(BYTES("\0\0"), 'S', "?");
	check_cmdline(NULL, 0, 'S', "[a.b]");
	check_cmdline(NULL, 0, 'Z', "[a.b] <defunct>");
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return;
	check_cmdline(BYTES("\xc3\xa9\t\xff\xc2\x85\xc3"), 'S',
		      "\xc3\xa9?" "?" "??" "?");
	check_cmdline(BYTES("\xe2\x82\xac\xf0\x9f\x98\x80"), 'S',
		      "\xe2\x82\xac\xf0\x9f\x98\x80");
}

/* ---- pte ---- */

static const struct mmlens_entry entries[] = {
	{ .va = 0x7f0000001000, .size = 4096, .raw = 0x8000000000003867,
	  .value = 3, .level = MMLENS_LEVEL_PTE,
	  .flags = MMLENS_STATE_PRESENT | MMLENS_PTE_USER | MMLENS_PTE_WRITE |
		   MMLENS_PTE_NX | MMLENS_PTE_ACCESSED | MMLENS_PTE_DIRTY |
		   MMLENS_PTE_EXCLUSIVE | MMLENS_EFF_USER | MMLENS_EFF_NX },
	{ .va = 0x7f0000200000, .size = 2 << 20, .raw = 0x2000e7,
	  .value = 0x200, .level = MMLENS_LEVEL_PMD,
	  .flags = MMLENS_STATE_PRESENT | MMLENS_PTE_LEAF },
	{ .va = 0x7f0000400000, .size = 4096, .raw = 0xabc,
	  .value = 1ull << 58 | 5, .level = MMLENS_LEVEL_PTE,
	  .flags = MMLENS_STATE_SWAP },
	{ .va = 0x7f0000401000, .size = 4096, .raw = 0xdef,
	  .value = MMLENS_MARKER_UFFD | MMLENS_MARKER_GUARD,
	  .level = MMLENS_LEVEL_PTE, .flags = MMLENS_STATE_MARKER },
	{ .va = 0x7f0000402000, .size = 0x1fe000, .level = MMLENS_LEVEL_PTE },
};

static const struct mmlens_stats stats = { .max_hold_ns = 900 };

static const struct pte_options runs = {};
static const struct pte_options each = { .each = true };
static const struct pte_options raw = { .each = true, .raw = true };
static const struct pte_options pages = { .each = true, .pages = true };
static const struct pte_options everything = { true, true, true };
static const struct page_labels no_labels = {};

static void pte_lines_are_in_columns(void)
{
	struct output o;

	begin(&o);
	pte_text.begin(&o.view, &raw, 1);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		pte_text.entry(&o.view, i == 0 ? &raw : &each, &entries[i],
			       &no_labels);
	CHECK_STRING(text(&o),
"ADDRESS      LEVEL  SIZE STATE     FLAGS             EFF  PFN/SWAP     RAW                BITS\n"
"7f0000001000 pte      4K present   uwnad-----------e ur-- 0x3          0x8000000000003867 P RW US A D SW3 NX\n"
"7f0000200000 pmd      2M present   ------l---------- -r-x 0x200        0x00000000002000e7\n"
"7f0000400000 pte      4K swap      ----------------- ---- 1:0x5        0x0000000000000abc\n"
"7f0000401000 pte      4K marker    ----------------- ---- uffd,guard   0x0000000000000def\n"
"7f0000402000 pte   2040K none\n");
	end(&o);
}

static void run_lines_tell_what_is_contiguous(void)
{
	struct mmlens_entry_run run = {
		.start = 0x1000, .end = 0x4000, .entries = 3, .value = 16,
		.flags = MMLENS_STATE_PRESENT, .level = MMLENS_LEVEL_PTE,
		.contiguous = true,
	};
	struct output o;

	begin(&o);
	pte_text.begin(&o.view, &runs, 1);
	pte_text.run(&o.view, &runs, &run, &no_labels);
	run.contiguous = false;
	pte_text.run(&o.view, &runs, &run, &no_labels);
	run.flags = MMLENS_STATE_NONE;
	pte_text.run(&o.view, &runs, &run, &no_labels);
	CHECK_STRING(text(&o),
"START-END                 ENTRIES LEVEL STATE     FLAGS             EFF  PFN/SWAP\n"
"000000001000-000000004000       3 pte   present   ----------------- -r-x 0x10-0x12\n"
"000000001000-000000004000       3 pte   present   ----------------- -r-x 0x10...\n"
"000000001000-000000004000       - pte   none\n");
	end(&o);
}

static void pte_json_is_as_designed(void)
{
	struct output o;

	begin(&o);
	pte_json.begin(&o.view, &each, 1);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		pte_json.entry(&o.view, &each, &entries[i], &no_labels);
	pte_json.end(&o.view, 5, &stats);
	CHECK_STRING(text(&o),
"{\"mmlens\": { \"version\": \"1.2.3\", \"kernel\": \"6.1.0-fake\", \"arch\": \"x86_64\", \"page_size\": 4096 }, \"pid\": 1, \"entries\": [\n"
"  {\"va\": \"0x7f0000001000\", \"level\": \"pte\", \"size\": 4096, \"raw\": \"0x8000000000003867\", \"state\": \"present\", \"flags\": [\"user\", \"rw\", \"nx\", \"accessed\", \"dirty\", \"exclusive\"], \"effective\": [\"user\", \"nx\"], \"pfn\": 3},\n"
"  {\"va\": \"0x7f0000200000\", \"level\": \"pmd\", \"size\": 2097152, \"raw\": \"0x2000e7\", \"state\": \"present\", \"flags\": [\"leaf\"], \"effective\": [], \"pfn\": 512},\n"
"  {\"va\": \"0x7f0000400000\", \"level\": \"pte\", \"size\": 4096, \"raw\": \"0xabc\", \"state\": \"swap\", \"flags\": [], \"swap\": {\"type\": 1, \"offset\": 5}},\n"
"  {\"va\": \"0x7f0000401000\", \"level\": \"pte\", \"size\": 4096, \"raw\": \"0xdef\", \"state\": \"marker\", \"flags\": [], \"marker\": [\"uffd\", \"guard\"]},\n"
"  {\"va\": \"0x7f0000402000\", \"level\": \"pte\", \"size\": 2088960, \"state\": \"none\"}], \"walk\": {\"entries\": 5, \"restarts\": 0, \"truncated\": false, \"max_lock_hold_ns\": 900}}\n");
	json_object_put(parsed(&o));
	end(&o);
}

static const struct mmlens_page_state page = {
	.flags = 1 << 3 | 1 << 5 | 1 << 12 | 1ull << 34 | 1ull << 50,
	.memcg = 42, .mapcount = 2, .folio_index = 7, .order = 4,
	.lru = MMLENS_LRU_INACTIVE_ANON, .node = 1, .zone = 2,
};

static struct mmlens_entry entry_with_page(void)
{
	struct mmlens_entry e = entries[0];

	e.has_page = true;
	e.page = page;
	return e;
}

static void pages_stand_behind_their_entries(void)
{
	const struct page_labels labels = { "/a\tb", "Normal" };
	struct mmlens_entry e = entry_with_page();
	struct output o;

	begin(&o);
	pte_text.begin(&o.view, &pages, 1);
	pte_text.entry(&o.view, &pages, &e, &labels);
	e.page = (struct mmlens_page_state) {
		.mapcount = -1, .lru = MMLENS_LRU_ACTIVE_FILE,
		.generation = 4, .tier = 1, .memcg = 0, .zone = 9,
	};
	pte_text.entry(&o.view, &pages, &e, &no_labels);
	pte_text.entry(&o.view, &pages, &entries[2], &no_labels);
	CHECK_STRING(text(&o),
"ADDRESS      LEVEL  SIZE STATE     FLAGS             EFF  PFN/SWAP     RAW                MAPCOUNT ORDER  INDEX LRU              NODE ZONE    PAGE FLAGS                                                      MEMCG\n"
"7f0000001000 pte      4K present   uwnad-----------e ur-- 0x3          0x8000000000003867        2     4      7 inactive_anon       1 Normal  uptodate,lru,anonymous,mappedtodisk,bit_50                      /a?b\n"
"7f0000001000 pte      4K present   uwnad-----------e ur-- 0x3          0x8000000000003867       -1     0      0 file_gen3_tier1     0 9       -                                                               -\n"
"7f0000400000 pte      4K swap      ----------------- ---- 1:0x5        0x0000000000000abc\n");
	end(&o);
}

static void a_memcg_without_a_path_is_a_number(void)
{
	char path[4096] = "/";
	struct page_labels labels = { .memcg = path };
	struct mmlens_entry e = entry_with_page();
	struct output o;

	memset(path, 'x', sizeof(path) - 1);
	begin(&o);
	pte_text.entry(&o.view, &pages, &e, &no_labels);
	CHECK_STRING(strrchr(text(&o), ' '), " 42\n");
	end(&o);
	begin(&o);
	pte_text.entry(&o.view, &pages, &e, &labels);
	CHECK_STRING(strrchr(text(&o), ' '), " 42\n");
	end(&o);
}

static void pte_json_has_pages(void)
{
	struct mmlens_entry e = entry_with_page();
	struct mmlens_entry_run run = {
		.start = 0x1000, .end = 0x3000, .entries = 2, .level = 1,
		.flags = MMLENS_STATE_PRESENT | MMLENS_EFF_WRITE,
		.contiguous = true, .has_page = true, .page = page,
	};
	struct output o;

	begin(&o);
	pte_json.entry(&o.view, &pages, &e, &no_labels);
	CHECK(strstr(text(&o), "\"pfn\": 3, \"page\": {\"flags\": [\"uptodate\", \"lru\", \"anonymous\", \"mappedtodisk\", \"bit_50\"], \"mapcount\": 2, \"memcg\": 42, \"order\": 4, \"folio_index\": 7, \"lru\": \"inactive_anon\", \"node\": 1, \"zone\": 2}}"));
	end(&o);
	begin(&o);
	run.page.flags = 1ull << 60;
	run.page.mapcount = INT32_MIN;
	run.page.generation = 1;
	pte_json.run(&o.view, &pages, &run, &no_labels);
	CHECK(strstr(text(&o), "\"effective\": [\"rw\"], \"pfn\": 0, \"contiguous\": true, \"page\": {\"flags\": [\"bit_60\"], \"mapcount\": -2147483648, "));
	CHECK(strstr(text(&o), "\"lru\": \"inactive_anon\", \"generation\": 0, \"tier\": 0, "));
	end(&o);
	/* An option's absence leaves the member out. */
	begin(&o);
	pte_json.entry(&o.view, &each, &e, &no_labels);
	CHECK(!strstr(text(&o), "page"));
	end(&o);
}

static void an_old_module_says_nothing_of_effective(void)
{
	struct mmlens_info old = fake_info;
	struct output o;

	old.abi = 1;
	begin(&o);
	o.view.info = &old;
	pte_text.entry(&o.view, &each, &entries[0], &no_labels);
	CHECK(strstr(text(&o), "uwnad-----------e ---- 0x3 "));
	end(&o);
	begin(&o);
	o.view.info = &old;
	pte_json.entry(&o.view, &each, &entries[0], &no_labels);
	CHECK(!strstr(text(&o), "effective"));
	end(&o);
}

static void what_hardware_cannot_read_is_not_readable(void)
{
	struct line l = {};

	line_effective(&l, &fake_info, MMLENS_STATE_PRESENT |
		       MMLENS_PTE_PROT_NONE | MMLENS_EFF_WRITE);
	line_effective(&l, &fake_info, MMLENS_STATE_NUMA_HINT |
		       MMLENS_EFF_NX);
	line_effective(&l, &fake_info, MMLENS_STATE_NONE);
	line_char(&l, '\0');
	CHECK_STRING(l.text, "--wx--------");
}

static void an_empty_document_is_one(void)
{
	struct output o;

	begin(&o);
	pte_json.begin(&o.view, &runs, 1);
	pte_json.end(&o.view, 0, &stats);
	json_object_put(parsed(&o));
	end(&o);
}

/* ---- vtop ---- */

static const struct mmlens_translation huge = {
	.address = 0x212345, .steps = 2, .mapped = true, .phys = 0x412345,
	.size = 2 << 20, .user = true, .nx = true,
	.step = {
		{ .head = { .level = MMLENS_LEVEL_PUD }, .va = 0,
		  .flags = MMLENS_STATE_TABLE | MMLENS_PTE_USER |
			   MMLENS_EFF_USER | MMLENS_EFF_WRITE,
		  .raw = 0x8067, .value = 8, .table_pfn = 7, .index = 0 },
		{ .head = { .level = MMLENS_LEVEL_PMD }, .va = 0x200000,
		  .flags = MMLENS_STATE_PRESENT | MMLENS_PTE_LEAF |
			   MMLENS_EFF_USER | MMLENS_EFF_NX,
		  .raw = 0x4000e7, .value = 0x400, .table_pfn = 8,
		  .index = 1 },
	},
};

static void vtop_shows_each_step(void)
{
	struct mmlens_translation swap = huge, none = { .address = 0x10 };
	struct output o;

	swap.mapped = false;
	swap.step[1].flags = MMLENS_STATE_SWAP;
	swap.step[1].value = 1ull << 58 | 0x55;
	begin(&o);
	vtop_text.address(&o.view, &huge);
	vtop_text.address(&o.view, &none);
	CHECK_STRING(text(&o),
"LEVEL TABLE          INDEX RAW                BITS                   EFF  STATE FLAGS\n"
"pud   0x000000007000     0 0x0000000000008067 P RW US A              urwx table user\n"
"pmd   0x000000008000     1 0x00000000004000e7 P RW US A D PS         ur-- present leaf\n"
"0x212345 -> physical 0x412345 (PFN 0x412, offset 0x12345 in a 2M page)\n"
"effective: user, read-only, no execute\n"
"0x10 -> not mapped: no VMA there\n");
	end(&o);
	begin(&o);
	vtop_text.address(&o.view, &swap);
	CHECK(strstr(text(&o), "\n0x212345 -> not present at level pmd: swap, type 1, offset 0x55\n"));
	end(&o);
}

static void vtop_json_has_the_steps(void)
{
	struct json_object *doc, *first;
	struct output o;

	begin(&o);
	vtop_json.begin(&o.view, 3);
	vtop_json.address(&o.view, &huge);
	vtop_json.end(&o.view);
	doc = parsed(&o);
	first = json_object_array_get_idx(at(doc, "addresses"), 0);
	CHECK_STRING(string_at(first, "phys"), "0x412345");
	CHECK_NUMBER(json_object_array_length(at(first, "levels")), 2);
	CHECK(!json_object_get_boolean(at(at(first, "effective"), "rw")));
	first = json_object_array_get_idx(at(first, "levels"), 1);
	CHECK_STRING(string_at(first, "effective"), "[ \"user\", \"nx\" ]");
	json_object_put(doc);
	end(&o);
}

/* ---- the stream ---- */

static void a_failed_write_is_noticed(void)
{
	struct view v = { .out = fopen("/dev/full", "w"), .info = &fake_info };

	if (!v.out)
		return;
	info_text(&v);
	CHECK_NUMBER(view_finish(&v), ENOSPC);
	CHECK_NUMBER(v.error, ENOSPC);
	fclose(v.out);
}

static const char *size_of(struct line *l, uint64_t size)
{
	l->length = 0;
	line_size(l, size);
	line_char(l, '\0');
	return l->text;
}

static void sizes_have_units(void)
{
	struct line l;

	CHECK_STRING(size_of(&l, 4096), "4K");
	CHECK_STRING(size_of(&l, 1 << 30), "1G");
	CHECK_STRING(size_of(&l, 1ull << 39), "512G");
	CHECK_STRING(size_of(&l, 0), "0B");
	CHECK_STRING(size_of(&l, 5000), "5000B");
}

static void lines_have_an_end(void)
{
	struct line l = {};

	for (int i = 0; i < LINE_MAX_LENGTH; i++)
		line_string(&l, "abc");
	CHECK_NUMBER(l.length, LINE_MAX_LENGTH);
	l.length = 0;
	line_hex(&l, UINT64_MAX, 99);
	line_number(&l, UINT64_MAX);
	line_hex(&l, 0, 1);
	line_number(&l, 0);
	line_char(&l, '\0');
	CHECK_STRING(l.text, "ffffffffffffffff1844674407370955161500");
}

/* The longest entry there can be fits. */
static void no_entry_is_cut_off(void)
{
	struct mmlens_entry e = { .va = ~0ull << 12, .size = 1ull << 63,
				  .raw = ~0ull, .value = ~0ull,
				  .has_page = true };
	struct output o;

	memset(&e.page, 0xff, sizeof(e.page));
	for (e.level = 0; e.level < 7; e.level++) {
		for (unsigned int state = 0; state < 16; state++) {
			e.flags = ~0u << 4 | state;
			begin(&o);
			pte_json.begin(&o.view, &everything, 1);
			pte_json.entry(&o.view, &everything, &e, &no_labels);
			pte_json.end(&o.view, 1, &stats);
			json_object_put(parsed(&o));
			end(&o);
		}
	}
}

TESTS(TEST(maps_has_the_bytes_of_the_kernel),
      TEST(a_long_prefix_still_has_its_space),
      TEST(maps_json_is_json_for_any_name),
      TEST(pmap_x_has_the_bytes_of_procps),
      TEST(pmap_sums_up_what_it_shows),
      TEST(pmap_has_its_other_forms),
      TEST(pmap_json_has_bytes_and_sums),
      TEST(command_lines_are_those_of_procps),
      TEST(pte_lines_are_in_columns),
      TEST(run_lines_tell_what_is_contiguous),
      TEST(pte_json_is_as_designed),
      TEST(pages_stand_behind_their_entries),
      TEST(a_memcg_without_a_path_is_a_number),
      TEST(pte_json_has_pages),
      TEST(an_old_module_says_nothing_of_effective),
      TEST(what_hardware_cannot_read_is_not_readable),
      TEST(an_empty_document_is_one),
      TEST(vtop_shows_each_step),
      TEST(vtop_json_has_the_steps),
      TEST(a_failed_write_is_noticed),
      TEST(sizes_have_units),
      TEST(lines_have_an_end),
      TEST(no_entry_is_cut_off))
