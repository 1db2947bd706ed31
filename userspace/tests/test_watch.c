// SPDX-License-Identifier: GPL-2.0-only
/* watch: samples, what is remembered of them, its views and its plots. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "command.h"
#include "pace.h"
#include "test.h"
#include "watch.h"

#include "../lib/internal.h"

static struct fake fake;
static struct records sums, zones, entries, lists;
static struct fake_call calls[2048];
static char pid_text[24];

/* ---- what the module says ---- */

static void add_zone(void)
{
	const struct mmlens_memnode node = {
		.head = { sizeof(node), MMLENS_REC_MEMNODE, 0 },
		.zones = 2,
	};
	struct mmlens_zone zone = {
		.head = { sizeof(zone), MMLENS_REC_ZONE, 0 },
		.flags = MMLENS_ZONE_POPULATED,
		.free = 1000, .min = 10, .low = 20, .high = 30,
		.name = "Normal",
	};
	struct {
		struct mmlens_counters head;
		uint64_t value[3];
	} free = {
		.head = {
			.head = { sizeof(free), MMLENS_REC_COUNTERS, 0 },
			.kind = MMLENS_COUNTERS_FREE,
		},
		.value = { 7, 8, 9 },
	};

	add_record(&zones, &node, sizeof(node));
	add_record(&zones, &zone, sizeof(zone));
	add_record(&zones, &free, sizeof(free));
	zone.flags = 0;
	zone.index = 1;
	strcpy(zone.name, "Movable");
	add_record(&zones, &zone, sizeof(zone));
}

static void add_sums_behind(struct records *r)
{
	const struct mmlens_smaps smaps = {
		.head = { sizeof(smaps), MMLENS_REC_SMAPS, 0 },
		.rss = 9 << 20, .pss = 5ull << 32, .referenced = 3 << 20,
		.shared_dirty = 1 << 20, .private_dirty = 2 << 20,
		.private_clean = 1 << 20,
	};

	add_record(r, &smaps, sizeof(smaps));
}

static void add_mapped(uint64_t va, uint32_t count, unsigned int lru,
		       unsigned int generation, uint64_t memcg)
{
	const struct mmlens_page_state state = {
		.lru = lru, .generation = generation, .memcg = memcg,
	};

	add_page(&entries, MMLENS_LEVEL_PTE, va, MMLENS_STATE_PRESENT, va >> 12,
		 count, &state);
}

static void add_list(unsigned int lru, unsigned int generation, uint64_t seq,
		     uint64_t memcg)
{
	const struct mmlens_lru_list list = {
		.head = { sizeof(list), MMLENS_REC_LRU, 0 },
		.flags = MMLENS_LIST_LAST | MMLENS_LIST_CURRENT,
		.lru = lru, .generation = generation, .seq = seq,
		.memcg = memcg,
	};

	add_record(&lists, &list, sizeof(list));
}

/*
 * Two lruvecs: that of 1 is in generations 5 to 7, that of 2 in 1 and 2.  Nobody
 * knows of 3.
 */
static void add_places(void)
{
	add_mapped(0x10000, 4, MMLENS_LRU_ACTIVE_FILE, 0, 1);
	add_mapped(0x20000, 3, MMLENS_LRU_NONE, 0, 1);
	add_mapped(0x30000, 2, MMLENS_LRU_INACTIVE_ANON, 1 + 7 % 4, 1);
	add_mapped(0x40000, 6, MMLENS_LRU_ACTIVE_ANON, 1 + 5 % 4, 1);
	add_mapped(0x50000, 5, MMLENS_LRU_INACTIVE_FILE, 1 + 1, 2);
	add_mapped(0x60000, 1, MMLENS_LRU_INACTIVE_FILE, 1 + 1, 3);
	add_pte(&entries, MMLENS_LEVEL_PTE, 0x70000, MMLENS_STATE_SWAP, 5, 6);
	for (uint64_t seq = 5; seq <= 7; seq++)
		add_list(MMLENS_LRU_INACTIVE_ANON, 1 + seq % 4, seq, 1);
	add_list(MMLENS_LRU_INACTIVE_FILE, 2, 1, 2);
	add_list(MMLENS_LRU_INACTIVE_FILE, 3, 2, 2);
}

/* As many samples as anybody takes; with @all each also looks at LRU lists. */
static void prepare(bool all)
{
	size_t n = 0;

	sums = zones = entries = lists = (struct records) {};
	add_sums_behind(&sums);
	add_zone();
	add_places();
	while (n + 4 <= ARRAY_SIZE(calls)) {
		calls[n] = (struct fake_call) WHOLE(sums);
		calls[n++].max_hold_ns = 4200;
		if (all) {
			calls[n++] = (struct fake_call) WHOLE(entries);
			calls[n++] = (struct fake_call) WHOLE(lists);
		}
		calls[n++] = (struct fake_call) WHOLE(zones);
	}
	fake_init(&fake, calls, n);
}

static struct mmlens *(*connector)(void) = command_connect;

/* Run "mmlens watch A ..."; NULL ends the arguments. */
static int run_watch(const char *a, ...)
{
	char *argv[24] = { "mmlens", "watch", (char *)a };
	struct captured out, err;
	int status, argc = 2;
	va_list ap;

	va_start(ap, a);
	while (argv[argc])
		argv[++argc] = va_arg(ap, char *);
	va_end(ap);
	capture(&out, stdout);
	capture(&err, stderr);
	command_fake = &fake;
	cli_connect = connector;
	status = cli_run(argc, argv);
	capture_end(&out, output, sizeof(output));
	capture_end(&err, errors, sizeof(errors));
	return status;
}

static const char *self(void)
{
	snprintf(pid_text, sizeof(pid_text), "%d", getpid());
	return pid_text;
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* ---- views ---- */

static void lines_have_the_numbers(void)
{
	prepare(false);
	CHECK_NUMBER(run_watch("-n", "3", "-i", "0.01", self(), NULL), 0);
	CHECK_NUMBER(count_of(output, "REFERENCED"), 1);
	/* RSS first, dirty and referenced in a row, and what zones have free. */
	CHECK_NUMBER(count_of(output, "       9216 "), 3);
	CHECK_NUMBER(count_of(output, "       3072       3072 "), 3);
	CHECK_NUMBER(count_of(output, "       4000 "), 3);
	CHECK(strstr(output, "\n3 samples in 0.0 s: ") ||
	      strstr(output, "\n3 samples in 0."));
	CHECK(strstr(output, "; longest lock hold 4.2 us\n"));
	CHECK_NUMBER(fake.made, 6);
}

static void lines_of_lists_and_zones(void)
{
	prepare(true);
	CHECK_NUMBER(run_watch("-n", "1", "--lru", "--zones", self(), NULL),
		     0);
	CHECK(strstr(output, "pages on LRU lists: none 4 active_file 4 anon_gen0 2 anon_gen2 6 file_gen1 5\n"));
	CHECK(strstr(output, "node 0 Normal: pages free 1000 min 10 low 20 high 30, kswapd runs; free blocks by order: 7 8 9\n"));
	CHECK(!strstr(output, "Movable"));
	CHECK_NUMBER(fake.made, 4);
}

static void json_is_a_line_a_sample(void)
{
	prepare(true);
	CHECK_NUMBER(run_watch("-n", "2", "-i", "0.01", "--json", self(), NULL),
		     0);
	CHECK_NUMBER(count_of(output, "\n"), 2);
	CHECK_NUMBER(count_of(output, "{\"mmlens\": {"), 2);
	CHECK_NUMBER(count_of(output, "\"rss\": 9437184"), 2);
	CHECK_NUMBER(count_of(output, "\"pss\": 5242880, \"uss\": 3145728, \"dirty\": 3145728, \"referenced\": 3145728"), 2);
	CHECK_NUMBER(count_of(output, "\"lru_pages\": { \"none\": 4, \"inactive_anon\": 0, \"active_anon\": 0, \"inactive_file\": 0, \"active_file\": 4, \"unevictable\": 0, \"anon_gen0\": 2, \"anon_gen1\": 0, \"anon_gen2\": 6, \"anon_gen3\": 0, \"file_gen0\": 0, \"file_gen1\": 5"), 2);
	CHECK_NUMBER(count_of(output, "\"zones\": [ { \"node\": 0, \"zone\": \"Normal\", \"free\": 1000, \"min\": 10, \"low\": 20, \"high\": 30, \"kswapd\": \"runs\", \"free_blocks\": [ 7, 8, 9 ] } ]"), 2);
	CHECK_NUMBER(count_of(output, "\"max_lock_hold_ns\": 4200"), 2);
	CHECK(strstr(output, "\"seconds\": 0.000"));
}

static void csv_has_a_row_a_sample(void)
{
	const char *row;

	prepare(true);
	CHECK_NUMBER(run_watch("-n", "2", "-i", "0.01", "--csv", self(), NULL),
		     0);
	CHECK_NUMBER(count_of(output, "\n"), 3);
	CHECK(!strncmp(output, "time,seconds,pid,name,state,vsize,", 34));
	CHECK(strstr(output, ",node0_Normal_free,node0_Normal_min,node0_Normal_low,node0_Normal_high,node0_Normal_order0,node0_Normal_order1,node0_Normal_order2,cost_ns,max_lock_hold_ns,clear_refs_ns\n"));
	row = strchr(output, '\n');
	CHECK_NUMBER(count_of(row, ",4,0,0,0,4,0,2,0,6,0,0,5,0,0,1000,10,20,30,7,8,9,"), 2);
	CHECK_NUMBER(count_of(output, ","), 3 * (count_of(row, ",") / 2));
}

static void counters_need_no_walk(void)
{
	prepare(false);
	calls[0] = (struct fake_call) WHOLE(zones);
	CHECK_NUMBER(run_watch("-n", "1", "--counters", self(), NULL), 0);
	CHECK_NUMBER(fake.made, 1);
	CHECK(!strstr(output, "REFERENCED"));
	CHECK(strstr(output, " RSS "));
}

static void the_working_set_is_told(void)
{
	prepare(false);
	CHECK_NUMBER(run_watch("-n", "2", "-i", "0.01", "--accessed", self(),
			       NULL), 0);
	CHECK_NUMBER(count_of(output, "       9216       3072     33.3 "), 2);
	CHECK(strstr(output, "3 MiB referenced on average, 3 MiB at most, of 9 MiB resident (used since the kernel last cleared"));
	CHECK_STRING(errors, "");
}

/* ---- ends ---- */

/*
 * Processes that are ended by the third and the seventh call of the reader; or a
 * signal for itself.
 */
static int victims[2];
static int own_signal;
static const struct mmlens_transport *fake_ops;
static unsigned int walks;

static void end_process(int pid)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
}

static int killing_ioctl(void *context, unsigned long request, void *arg)
{
	walks += request != MMLENS_INFO;
	if (own_signal && walks == 13)
		raise(own_signal);
	else if (!own_signal && walks == 3)
		end_process(victims[0]);
	else if (!own_signal && walks == 7)
		end_process(victims[1]);
	return fake_ops->ioctl(context, request, arg);
}

static struct mmlens *connect_killing(void)
{
	static struct mmlens_transport killing;
	struct mmlens *lens = fake_open(&fake);

	fake_ops = lens->ops;
	killing = *fake_ops;
	killing.ioctl = killing_ioctl;
	lens->ops = &killing;
	walks = 0;
	return lens;
}

static void the_last_exit_ends_it(void)
{
	char text[2][24];

	prepare(false);
	/* Sums of those that are left, then zones: each answer is both. */
	add_sums_behind(&zones);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = (struct fake_call) WHOLE(zones);
	for (int i = 0; i < 2; i++) {
		victims[i] = fork();
		if (!victims[i])
			for (;;)
				pause();
		snprintf(text[i], sizeof(text[i]), "%d", victims[i]);
	}
	connector = connect_killing;
	CHECK_NUMBER(run_watch("--lines", "-i", "0.01", text[0], text[1], NULL),
		     0);
	connector = command_connect;
	CHECK_NUMBER(count_of(output, " has exited; last, at "), 2);
	CHECK_NUMBER(count_of(output, ": rss 9216 rss_anon "), 2);
	/* One sample of both, two of one, and the last of none. */
	CHECK(strstr(output, "\n4 samples in "));
	for (int i = 0; i < 2; i++)
		waitpid(victims[i], NULL, 0);
}

static void a_process_that_is_gone(void)
{
	prepare(false);
	CHECK_NUMBER(run_watch("-n", "1", "99999999", self(), NULL), 42);
	CHECK(strstr(errors, "PID 99999999: no such process"));
	CHECK(strstr(output, "1 samples"));
	prepare(false);
	CHECK_NUMBER(run_watch("-n", "1", "99999999", NULL), 42);
	CHECK_NUMBER(fake.made, 0);
	CHECK_STRING(output, "");
}

static void the_module_refuses(void)
{
	prepare(false);
	calls[2] = (struct fake_call) { .error = -EPERM };
	CHECK_NUMBER(run_watch("-i", "0.01", self(), NULL), 1);
	CHECK(strstr(errors, "watch: Operation not permitted"));
	CHECK(strstr(output, "1 samples"));
}

static void time_ends_it(void)
{
	unsigned int n;

	prepare(true);
	CHECK_NUMBER(run_watch("--for", "0.1", "-i", "0.02", "--json", self(),
			       NULL), 0);
	n = count_of(output, "\n");
	CHECK(n >= 2 && n <= 6);
}

/* ---- plots ---- */

/* The first bytes of a file, which is removed. */
static void take_file(const char *path, char *room, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(room, 1, size - 1, f) : 0;

	room[n] = '\0';
	if (f)
		fclose(f);
	unlink(path);
}

static void a_signal_ends_it_with_a_plot(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	static char text[65536];

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		char svg[64], png[64];

		snprintf(svg, sizeof(svg), "/tmp/mmlens-test-%d.svg", getpid());
		snprintf(png, sizeof(png), "/tmp/mmlens-test-%d.png", getpid());
		prepare(true);
		/* Whoever started the tests may ignore it, as nohup(1) does. */
		signal(signals[i], SIG_DFL);
		own_signal = signals[i];
		connector = connect_killing;
		CHECK_NUMBER(run_watch("-i", "0.02", "--plot", svg, "--plot",
				       png, self(), NULL), 0);
		connector = command_connect;
		own_signal = 0;
		/* The sample under way is finished, and is the last. */
		CHECK(strstr(output, "\n4 samples in "));
		take_file(svg, text, sizeof(text));
		CHECK(!strncmp(text, "<?xml", 5));
		CHECK(strstr(text, "referenced</text>"));
		CHECK(strstr(text, "its pages on LRU lists</text>"));
		CHECK(strstr(text, "</svg>\n"));
		take_file(png, text, sizeof(text));
		CHECK(!memcmp(text, "\x89PNG\r\n\x1a\n", 8) || !plot_has_png());
	}
}

static void a_plot_that_cant_be_written(void)
{
	prepare(false);
	CHECK_NUMBER(run_watch("-n", "1", "--plot", "/nowhere/x.svg", self(),
			       NULL), 1);
	CHECK(strstr(errors, "/nowhere/x.svg: No such file or directory"));
	CHECK_NUMBER(fake.made, 0);
}

/* A plot whose only series has the values. */
static struct plot *plot_of(const double *values, size_t count,
			    enum plot_form form)
{
	struct plot *plot = plot_new(count);
	struct plot_panel *panel = plot_add_panel(plot, PLOT_BYTES, "panel");
	struct plot_series *s = plot_add_series(plot, panel, "s", form,
						PLOT_BLUE);

	for (size_t i = 0; i < count; i++) {
		plot->x[i] = i;
		s->y[i] = values[i];
	}
	return plot;
}

static char *svg_of(const struct plot *plot)
{
	size_t length;
	char *text = NULL;
	FILE *f = open_memstream(&text, &length);

	CHECK_NUMBER(plot_svg(plot, f), 0);
	fclose(f);
	return text;
}

/* Where there is no sample there is no line; names can't break the file. */
static void plots_have_gaps(void)
{
	const double values[] = { 1, 2, NAN, 3, 4, 5 };
	struct plot *plot = plot_of(values, ARRAY_SIZE(values), PLOT_LINE);
	char *text = svg_of(plot);

	/* And one in the legend. */
	CHECK_NUMBER(count_of(text, "stroke=\"#0072b2\""), 3);
	free(text);
	plot->x[5] = 9;
	plot->gap = 2;
	snprintf(plot->title, sizeof(plot->title), "<a> & \x01\xff\"");
	text = svg_of(plot);
	CHECK_NUMBER(count_of(text, "stroke=\"#0072b2\""), 4);
	CHECK(strstr(text, "<title>&lt;a&gt; &amp; ??\"</title>"));
	free(text);
	plot_free(plot);
}

static void areas_stand_on_each_other(void)
{
	const double values[] = { 1, 2, 4 };
	struct plot *plot = plot_of(values, ARRAY_SIZE(values), PLOT_AREA);
	struct plot_panel *panel = &plot->panels[0];
	struct plot_series *more = plot_add_series(plot, panel, "t", PLOT_AREA,
						   PLOT_RED);
	double least, most;

	more->y[0] = 10;
	more->y[2] = 20;
	CHECK_NUMBER(plot_top(panel, 1, 0), 11);
	CHECK(isnan(plot_top(panel, 1, 1)));
	CHECK(plot_range(plot, panel, &least, &most));
	CHECK_NUMBER(least, 1);
	CHECK_NUMBER(most, 24);
	plot_free(plot);
}

static void a_plot_of_one_sample(void)
{
	const double value = 5;
	struct plot *plot = plot_of(&value, 1, PLOT_AREA);
	FILE *f = tmpfile();
	char *text = svg_of(plot);

	CHECK(count_of(text, "#0072b2") == 2);
	CHECK(!strstr(text, "nan") && !strstr(text, "inf"));
	free(text);
	CHECK_NUMBER(plot_png(plot, f), plot_has_png() ? 0 : -EOPNOTSUPP);
	fclose(f);
	plot_free(plot);
}

static void numbers_have_units(void)
{
	static const struct {
		enum plot_unit unit;
		double value;
		const char *text;
	} all[] = {
		{ PLOT_BYTES, 0, "0" }, { PLOT_BYTES, 512, "512 B" },
		{ PLOT_BYTES, 4096, "4 KiB" },
		{ PLOT_BYTES, 1536 << 10, "1.5 MiB" },
		{ PLOT_BYTES, 1023.99 * 1024, "1 MiB" },
		{ PLOT_BYTES, 100ull << 30, "100 GiB" },
		{ PLOT_PER_SECOND, 0, "0" }, { PLOT_PER_SECOND, 20, "20/s" },
		{ PLOT_PER_SECOND, 2500, "2.5k/s" },
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		plot_value(text, sizeof(text), all[i].unit, all[i].value);
		CHECK_STRING(text, all[i].text);
	}
	plot_time(text, sizeof(text), 0.5);
	CHECK_STRING(text, "0.5 s");
	plot_time(text, sizeof(text), 90);
	CHECK_STRING(text, "1:30");
	plot_time(text, sizeof(text), 7205);
	CHECK_STRING(text, "2:00:05");
}

/* Every printable character has strokes within its grid. */
static void the_font_has_all_of_ascii(void)
{
	for (int c = '!'; c <= '~'; c++) {
		const char *s = plot_glyph(c);

		CHECK(*s && s != plot_glyph(0x80));
		for (; *s; s += *s == ' ' ? 1 : 2) {
			if (*s == ' ')
				continue;
			CHECK(s[0] >= '0' && s[0] <= '4');
			CHECK(s[1] >= '0' && s[1] <= '8');
		}
	}
}

/* ---- history ---- */

static struct mmlens_sample *new_sample(uint64_t number)
{
	struct mmlens_sample *sample = calloc(1, sizeof(*sample));

	sample->at_ns = number * 1000000000;
	sample->processes = calloc(1, sizeof(*sample->processes));
	sample->process_count = 1;
	return sample;
}

/* Long watches keep some samples, with the first, the last and the one before. */
static void memory_has_an_end(void)
{
	struct watch w = { .interval = 1 };
	size_t wrong = 0;

	CHECK_NUMBER(watch_begin(&w, 1), 0);
	for (uint64_t i = 1; i <= 20000; i++) {
		watch_take(&w, new_sample(i));
		wrong += w.kept > 4096 || w.history[w.kept - 1] != w.now ||
			 w.history[0]->at_ns != 1000000000 ||
			 (i > 1 && w.history[w.kept - 2] != w.before);
	}
	CHECK_NUMBER(wrong, 0);
	CHECK_NUMBER(w.stride, 8);
	CHECK(w.kept > 2000);
	for (size_t i = 2; i < w.kept - 2; i++)
		wrong += w.history[i]->at_ns - w.history[i - 1]->at_ns !=
			 8000000000;
	CHECK_NUMBER(wrong, 0);
	watch_end(&w);
}

static void arguments_make_sense(void)
{
	static const char *const wrong[][4] = {
		{ NULL }, { "x" }, { "0" }, { "-i", "0", "1" },
		{ "-i", "nan", "1" }, { "-n", "0", "1" }, { "-n", "x", "1" },
		{ "--for", "-1", "1" }, { "--csv", "--json", "1" },
		{ "--lines", "--csv", "1" }, { "--plot", "x.gif", "1" },
		{ "--plot", "x", "1" }, { "--counters", "--accessed", "1" },
		{ "--counters", "--lru", "1" }, { "--counters", "--reset", "1" },
		{ "-p", "1,x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		prepare(false);
		CHECK_NUMBER(run_watch(wrong[i][0], wrong[i][1], wrong[i][2],
				       wrong[i][3], NULL), 2);
		CHECK_NUMBER(fake.made, 0);
	}
}

static void processes_are_named_once(void)
{
	char list[64];

	prepare(true);
	snprintf(list, sizeof(list), "%d,%d", getpid(), getpid());
	CHECK_NUMBER(run_watch("-n", "1", "--json", "-p", list, self(), NULL),
		     0);
	CHECK_NUMBER(count_of(output, "\"pid\": "), 1);
}

TESTS(TEST(lines_have_the_numbers),
      TEST(lines_of_lists_and_zones),
      TEST(json_is_a_line_a_sample),
      TEST(csv_has_a_row_a_sample),
      TEST(counters_need_no_walk),
      TEST(the_working_set_is_told),
      TEST(the_last_exit_ends_it),
      TEST(a_process_that_is_gone),
      TEST(the_module_refuses),
      TEST(time_ends_it),
      TEST(a_signal_ends_it_with_a_plot),
      TEST(a_plot_that_cant_be_written),
      TEST(plots_have_gaps),
      TEST(areas_stand_on_each_other),
      TEST(a_plot_of_one_sample),
      TEST(numbers_have_units),
      TEST(the_font_has_all_of_ascii),
      TEST(memory_has_an_end),
      TEST(arguments_make_sense),
      TEST(processes_are_named_once))
