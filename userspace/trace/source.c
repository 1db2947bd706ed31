// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source of events: the BPF programs of trace.bpf.c, those of them that
 * this kernel has something for.  Written for libbpf 0.3 and later.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel_facts.h"
#include "programs.h"
#include "trace.h"
#include "trace.skel.h"

/* Events of the common rates come in batches this far apart. */
#define NAP_MS 50

struct trace {
	const struct mmlens_info *info;
	struct trace_bpf *bpf;
	struct ring_buffer *ring;
	struct kernel_facts facts;
	uint64_t kinds;		/* that were asked for */
	uint64_t hooks;		/* that are there */
	int pidfd;
	bool follow;
	bool entries;

	/* of trace_read() */
	void (*each)(void *context, const struct trace_event *event);
	void *context;
	int count;
};

/* ---- where physical memory is mapped ---- */

static uint64_t find_direct_map(struct mmlens *lens)
{
	struct mmlens_request request = {
		.start = mmlens_kernel_start(mmlens_get_info(lens)),
	};
	const struct mmlens_record *rec;
	struct mmlens_stream *stream;
	uint64_t start = 0;

	stream = mmlens_stream_open(lens, MMLENS_NR_KMAP, &request);
	if (!stream)
		return 0;
	/* Regions come first. */
	while (!start && mmlens_stream_next(stream, &rec) > 0 &&
	       rec->type == MMLENS_REC_REGION) {
		const struct mmlens_region *region = (const void *)rec;

		if (!strcmp(region->name, "direct_map"))
			start = region->start;
	}
	mmlens_stream_close(stream);
	return start;
}

static unsigned int top_shift(const struct mmlens_info *info)
{
	unsigned int shift = 0;

	for (size_t i = 0; i < sizeof(info->level_shift); i++)
		if (info->level_shift[i] > shift)
			shift = info->level_shift[i];
	return shift;
}

/* ---- programs ---- */

/* Choose the programs of the hooks; what lacks one here is noted. */
static void choose_programs(struct trace *t, uint64_t hooks)
{
	struct bpf_program *program;

	t->hooks = programs_present(&t->facts) & hooks;
	bpf_object__for_each_program(program, t->bpf->obj) {
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program,
			programs_wanted(&t->facts, name, t->hooks, t->follow));
	}
}

static int attach_all(struct trace *t, const char **why)
{
	for (int i = 0; i < t->bpf->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *p = &t->bpf->skeleton->progs[i];
		long error;

		if (!programs_wanted(&t->facts, p->name, t->hooks, t->follow))
			continue;
		*p->link = bpf_program__attach(*p->prog);
		error = libbpf_get_error(*p->link);
		if (error) {
			*p->link = NULL;
			*why = p->name;
			return error;
		}
	}
	return 0;
}

/* Before 5.11 maps count as locked memory. */
static void allow_memory(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &all);
}

/* What goes wrong is returned. */
static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

/* Before libbpf 1.0 it has numbers of its own above those of errno. */
static int plain_error(int error)
{
	return error <= -__LIBBPF_ERRNO__START ? -EINVAL : error;
}

static uint64_t buffer_size(uint64_t wanted)
{
	uint64_t size = sysconf(_SC_PAGESIZE);

	while (size < wanted && size < 1ull << 31)
		size *= 2;
	return size;
}

static int load(struct trace *t, struct mmlens *lens,
		const struct trace_options *o, const char **why)
{
	uint64_t buffer = buffer_size(o->buffer ? o->buffer : TRACE_BUFFER);
	int ret;

	libbpf_set_print(quiet);
	allow_memory();
	t->bpf = trace_bpf__open();
	if (!t->bpf)
		return -errno;
	t->bpf->rodata->direct_map = find_direct_map(lens);
	t->bpf->rodata->top_shift = top_shift(t->info);
	t->bpf->rodata->only_tgid = o->follow ? 0 : o->tgid;
	t->bpf->rodata->wake_at = buffer / 8;
	t->entries = t->bpf->rodata->direct_map;
	ret = bpf_map__set_max_entries(t->bpf->maps.events, buffer);
	if (ret)
		return ret;
	choose_programs(t, trace_hooks_of(o->kinds));
	*why = "loading the BPF programs";
	ret = trace_bpf__load(t->bpf);
	*why = ret ? *why : NULL;
	return plain_error(ret);
}

/* ---- events ---- */

static void name_arguments(const struct trace *t, struct trace_event *e)
{
	const struct trace_kind_info *kind = &trace_kinds[e->kind];

	for (int i = 0; i < TRACE_ARGS; i++)
		if (kind->args[i] && kind->form[i] == TRACE_ENUM)
			e->enums[i] = facts_enum_name(&t->facts, kind->args[i],
						      e->record->args[i]);
}

static int on_record(void *context, void *data, size_t size)
{
	struct trace *t = context;
	struct trace_event event;

	if (size < sizeof(struct trace_record))
		return 0;
	trace_event_of(t->info, data, &event);
	if (event.kind == TRACE_KINDS || !(t->kinds & 1ull << event.kind))
		return 0;
	name_arguments(t, &event);
	t->count++;
	t->each(t->context, &event);
	return 0;
}

int trace_read(struct trace *t, int timeout,
	       void (*each)(void *context, const struct trace_event *event),
	       void *context)
{
	int ret;

	t->each = each;
	t->context = context;
	t->count = 0;
	/* Few events don't wake anybody: they are looked for. */
	ret = ring_buffer__poll(t->ring, timeout > NAP_MS ? NAP_MS : timeout);
	if (ret >= 0)
		ret = ring_buffer__consume(t->ring);
	return ret < 0 ? ret : t->count;
}

uint64_t trace_lost(const struct trace *t)
{
	return t->bpf->bss->lost;
}

/* ---- the end ---- */

bool trace_is_over(const struct trace *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
	uint32_t key;

	if (t->follow)
		return bpf_map_get_next_key(bpf_map__fd(t->bpf->maps.targets),
					    NULL, &key) != 0;
	return poll(&p, 1, 0) > 0;
}

void trace_stop(struct trace *t)
{
	trace_bpf__detach(t->bpf);
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	ring_buffer__free(t->ring);
	trace_bpf__destroy(t->bpf);
	facts_free(&t->facts);
	if (t->pidfd >= 0)
		close(t->pidfd);
	free(t);
}

/* ---- the beginning ---- */

/* PIDs of other namespaces mean nothing to the programs. */
static bool in_initial_pid_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == 0xeffffffc;
}

static int add_target(struct trace *t, int tgid)
{
	uint32_t key = tgid;
	uint8_t one = 1;

	if (bpf_map_update_elem(bpf_map__fd(t->bpf->maps.targets), &key, &one,
				BPF_ANY))
		return -errno;
	return 0;
}

static int begin(struct trace *t, struct mmlens *lens,
		 const struct trace_options *o, const char **why)
{
	int ret;

	if (!in_initial_pid_namespace())
		return -EXDEV;
	t->pidfd = syscall(SYS_pidfd_open, o->tgid, 0);
	if (t->pidfd < 0)
		return -errno;
	ret = facts_read(&t->facts);
	if (ret) {
		*why = "/sys/kernel/btf/vmlinux";
		return ret;
	}
	ret = load(t, lens, o, why);
	if (ret)
		return ret;
	t->ring = ring_buffer__new(bpf_map__fd(t->bpf->maps.events), on_record,
				   t, NULL);
	if (libbpf_get_error(t->ring)) {
		t->ring = NULL;
		return -ENOMEM;
	}
	if (o->follow) {
		ret = add_target(t, o->tgid);
		if (ret)
			return ret;
	}
	return attach_all(t, why);
}

struct trace *trace_open(struct mmlens *lens, const struct trace_options *o,
			 const char **why)
{
	struct trace *t = calloc(1, sizeof(*t));
	int ret;

	*why = NULL;
	if (!t)
		return NULL;
	t->info = mmlens_get_info(lens);
	t->kinds = o->kinds;
	t->follow = o->follow;
	t->pidfd = -1;
	ret = begin(t, lens, o, why);
	if (!ret)
		return t;
	trace_close(t);
	errno = -ret;
	return NULL;
}

uint64_t trace_untraced(const struct trace *t)
{
	uint64_t kinds = 0;

	for (int i = 0; i < TRACE_KINDS; i++)
		if (t->kinds & 1ull << i &&
		    !(trace_hooks_of(1ull << i) & t->hooks))
			kinds |= 1ull << i;
	return kinds;
}

bool trace_reads_entries(const struct trace *t)
{
	return t->entries;
}
