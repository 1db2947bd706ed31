// SPDX-License-Identifier: GPL-2.0-only
/* In place of source.c where this was built without libbpf, clang or bpftool. */
#include <errno.h>

#include "trace.h"

struct trace *trace_open(struct mmlens *lens, const struct trace_options *o,
			 const char **why)
{
	(void)lens;
	(void)o;
	*why = "built without libbpf, clang and bpftool";
	errno = EOPNOTSUPP;
	return NULL;
}

uint64_t trace_untraced(const struct trace *t)
{
	(void)t;
	return 0;
}

bool trace_reads_entries(const struct trace *t)
{
	(void)t;
	return false;
}

int trace_read(struct trace *t, int timeout,
	       void (*each)(void *context, const struct trace_event *event),
	       void *context)
{
	(void)t;
	(void)timeout;
	(void)each;
	(void)context;
	return -EOPNOTSUPP;
}

uint64_t trace_lost(const struct trace *t)
{
	(void)t;
	return 0;
}

bool trace_is_over(const struct trace *t)
{
	(void)t;
	return true;
}

void trace_stop(struct trace *t)
{
	(void)t;
}

void trace_close(struct trace *t)
{
	(void)t;
}
