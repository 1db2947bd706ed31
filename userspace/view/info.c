// SPDX-License-Identifier: GPL-2.0-only
/* info: what the module and its kernel can do. */
#include <string.h>

#include "line.h"
#include "view.h"

static void text_line(struct view *v, const char *key)
{
	fprintf(v->out, "%-14s", key);
}

static void text_names(struct view *v, const char *key,
		       const struct mmlens_flag *table, uint64_t flags)
{
	text_line(v, key);
	for (; table->bit; table++)
		if (flags & table->bit)
			fprintf(v->out, " %s", table->name);
	putc('\n', v->out);
}

static void text_levels(struct view *v)
{
	struct line l = {};

	line_string(&l, "levels");
	line_pad(&l, 15);
	line_number(&l, v->info->levels);
	line_char(&l, ':');
	for (int i = MMLENS_LEVEL_PGD; i >= MMLENS_LEVEL_PTE; i--) {
		if (!v->info->level_shift[i])
			continue;
		line_char(&l, ' ');
		line_string(&l, mmlens_level_name(i));
		line_char(&l, ' ');
		line_size(&l, mmlens_level_size(v->info, i));
	}
	line_end(&l, v);
}

void info_text(struct view *v)
{
	const struct mmlens_info *info = v->info;
	char arch[TEXT_ARCH];

	text_line(v, "reader");
	fprintf(v->out, " %s (contract %d)\n", mmlens_lib_version(),
		MMLENS_ABI);
	text_line(v, "module");
	fprintf(v->out, " %s (contract %u)\n", info->version, info->abi);
	text_line(v, "kernel");
	fprintf(v->out, " %s\n", info->release);
	text_line(v, "architecture");
	fprintf(v->out, " %s\n", text_arch(arch, info));
	text_line(v, "page size");
	fprintf(v->out, " %llu\n", 1ull << info->page_shift);
	text_levels(v);
	text_line(v, "user range");
	fprintf(v->out, " 0-0x%llx\n", info->task_size);
	text_names(v, "queries", mmlens_query_flags(), info->queries);
	text_names(v, "fields", mmlens_field_flags(), info->fields);
	view_check(v);
}

static struct json_object *level_sizes(const struct mmlens_info *info)
{
	struct json_object *o = json_object_new_object();

	for (int i = MMLENS_LEVEL_PGD; i >= MMLENS_LEVEL_PTE; i--)
		if (info->level_shift[i])
			json_add_number(o, mmlens_level_name(i),
					mmlens_level_size(info, i));
	return o;
}

void info_json(struct view *v)
{
	const struct mmlens_info *info = v->info;
	struct json_object *o = json_object_new_object();

	json_add_string(o, "reader_version", mmlens_lib_version());
	json_add_number(o, "reader_abi", MMLENS_ABI);
	json_add_number(o, "abi", info->abi);
	json_add_number(o, "levels", info->levels);
	json_object_object_add(o, "level_sizes", level_sizes(info));
	json_add_hex(o, "task_size", info->task_size);
	json_add_flags(o, "queries", mmlens_query_flags(), info->queries);
	json_add_flags(o, "fields", mmlens_field_flags(), info->fields);
	json_document(v);
	json_put_members(v, o);
	json_end(v);
}
