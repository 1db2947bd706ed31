// SPDX-License-Identifier: GPL-2.0-only
/* mmlens snap: what was written. */
#include "view.h"

void snap_text(struct view *v, const char *path,
	       const struct mmlens_capture_request *request,
	       const struct mmlens_capture_stats *stats)
{
	fprintf(v->out, "%s: ", path);
	if (request->count)
		fprintf(v->out, "%zu process%s%s", request->count,
			request->count == 1 ? "" : "es",
			request->machine ? " and " : "");
	if (request->machine)
		fputs("the machine", v->out);
	fprintf(v->out, ", %llu records, %llu bytes\n",
		(unsigned long long)stats->records,
		(unsigned long long)stats->bytes);
}

void snap_json(struct view *v, const char *path,
	       const struct mmlens_capture_request *request,
	       const struct mmlens_capture_stats *stats)
{
	struct json_object *o = json_object_new_object();
	struct json_object *pids = json_object_new_array();

	for (size_t i = 0; i < request->count; i++)
		json_object_array_add(pids,
				      json_object_new_int(request->pids[i]));
	json_add_string(o, "file", path);
	json_object_object_add(o, "pids", pids);
	json_add_bool(o, "machine", request->machine);
	json_add_number(o, "bytes", stats->bytes);
	json_document(v);
	json_put_members(v, o);
	json_walk(v, "records", stats->records, &stats->walk);
	json_end(v);
}
