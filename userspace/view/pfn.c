// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pfn: all about a page frame, and who maps page frames. */
#include <inttypes.h>

#include "line.h"
#include "view.h"

static uint64_t physical(const struct view *v, uint64_t pfn)
{
	return pfn << v->info->page_shift;
}

static bool is_free_block(const struct mmlens_pfns *page)
{
	return page->kind == MMLENS_PAGE_KIND_BUDDY;
}

/* Is a mapcount that of the page alone? */
static bool mapcount_is_exact(const struct view *v,
			      const struct mmlens_pfns *page)
{
	return !page->order || is_free_block(page) ||
	       v->info->fields & MMLENS_FIELD_PAGE_MAPCOUNT;
}

/* ---- text: a card ---- */

enum { LABEL = 14 };

static void label(struct line *l, const char *name)
{
	line_string(l, name);
	line_pad(l, LABEL);
}

static void line_pfn(struct line *l, uint64_t pfn)
{
	line_string(l, "0x");
	line_hex(l, pfn, 1);
}

static void text_folio(struct view *v, const struct mmlens_pfns *page)
{
	uint64_t pages = 1ull << page->order;
	struct line l = {};

	label(&l, is_free_block(page) ? "free block" : "folio");
	line_string(&l, is_free_block(page) ? "first " : "head ");
	line_pfn(&l, page->pfn - page->folio_index);
	line_string(&l, ", order ");
	line_number(&l, page->order);
	line_string(&l, " (");
	line_size(&l, pages << v->info->page_shift);
	line_string(&l, "), page ");
	line_number(&l, page->folio_index);
	line_string(&l, " of ");
	line_number(&l, pages);
	line_end(&l, v);
}

static void text_flags(struct view *v, const struct mmlens_pfns *page)
{
	struct line l = {};

	label(&l, "flags");
	if (page->page_flags)
		line_page_flags(&l, page->page_flags);
	else
		line_string(&l, "none");
	line_end(&l, v);
}

static void text_counts(struct view *v, const struct mmlens_pfns *page)
{
	const char *average = mapcount_is_exact(v, page) ? "" :
			      " (an average over its folio)";

	fprintf(v->out, "%-*s%" PRId32 "\n", LABEL, "refcount",
		page->refcount);
	fprintf(v->out, "%-*s%" PRId32 "%s\n", LABEL, "mapcount",
		page->mapcount, average);
}

static void text_place(struct view *v, const struct pfn_card *card)
{
	const struct mmlens_pfns *page = &card->frame->page;

	fprintf(v->out, "%-*s%u\n", LABEL, "node", page->node);
	if (card->labels.zone)
		fprintf(v->out, "%-*s%s\n", LABEL, "zone", card->labels.zone);
	else
		fprintf(v->out, "%-*s%u\n", LABEL, "zone", page->zone);
	fprintf(v->out, "%-*s%s\n", LABEL, "migratetype",
		mmlens_migratetype_label(page->migratetype));
}

static void text_memcg(struct view *v, const struct pfn_card *card)
{
	const struct mmlens_pfns *page = &card->frame->page;
	struct line l = {};

	label(&l, "memcg");
	if (!page->memcg) {
		line_string(&l, "none");
	} else if (card->labels.memcg) {
		line_name(&l, card->labels.memcg);
		line_string(&l, ", ");
	}
	if (page->memcg) {
		line_string(&l, "inode ");
		line_number(&l, page->memcg);
	}
	line_end(&l, v);
}

static void text_lru(struct view *v, const struct mmlens_pfns *page)
{
	struct line l = {};

	label(&l, "LRU");
	line_string(&l, mmlens_lru_name(page->lru));
	if (page->generation) {
		line_string(&l, ", generation ");
		line_number(&l, page->generation - 1);
		line_string(&l, ", tier ");
		line_number(&l, page->tier);
	}
	line_end(&l, v);
}

static void text_inode(struct line *l, const struct mmlens_backing *backing)
{
	line_string(l, " of ");
	line_name(l, backing->filesystem);
	line_string(l, ", device ");
	line_hex(l, backing->dev_major, 2);
	line_char(l, ':');
	line_hex(l, backing->dev_minor, 2);
	line_string(l, ", inode ");
	line_number(l, backing->inode);
	line_string(l, ", offset 0x");
	line_hex(l, backing->offset, 1);
}

static void text_backing(struct view *v, const struct mmlens_backing *backing)
{
	struct line l = {};

	label(&l, "backing");
	line_string(&l, mmlens_backing_kind_name(backing->kind));
	if (backing->flags & MMLENS_BACKING_INODE) {
		text_inode(&l, backing);
	} else if (backing->flags & MMLENS_BACKING_INDEX) {
		line_string(&l, ", index 0x");
		line_hex(&l, backing->index, 1);
	}
	if (backing->flags & MMLENS_BACKING_SWAP) {
		line_string(&l, ", swap type ");
		line_number(&l, MMLENS_SWAP_TYPE(backing->swap));
		line_string(&l, ", offset 0x");
		line_hex(&l, MMLENS_SWAP_OFFSET(backing->swap), 1);
	}
	line_end(&l, v);
}

static void text_file(struct view *v, const struct pfn_card *card)
{
	struct line l = {};

	if (card->path) {
		label(&l, "file");
		line_name(&l, card->path);
	} else if (card->frame->backing.name[0]) {
		label(&l, "file name");
		line_name(&l, card->frame->backing.name);
	} else {
		return;
	}
	line_end(&l, v);
}

static void text_frame(struct view *v, const struct pfn_card *card)
{
	const struct mmlens_pfns *page = &card->frame->page;

	text_flags(v, page);
	if (page->kind != MMLENS_PAGE_KIND_NONE)
		fprintf(v->out, "%-*s%s\n", LABEL, "kind",
			mmlens_page_kind_name(page->kind));
	text_folio(v, page);
	text_counts(v, page);
	text_place(v, card);
	text_memcg(v, card);
	text_lru(v, page);
	text_backing(v, &card->frame->backing);
	text_file(v, card);
}

enum {
	MAPPER_COMM = 8,
	MAPPER_ADDRESS = 24,
	MAPPER_LEVEL = 43,
	MAPPER_STATE = 49,
	MAPPER_FLAGS = 66,
	MAPPER_EFF = 84,
	MAPPER_NAME = 90,
};

static void mapper_end(struct line *l, struct view *v,
		       const struct pfn_mapper *m)
{
	line_pad(l, MAPPER_LEVEL);
	line_string(l, mmlens_level_name(m->user->head.level));
	line_pad(l, MAPPER_STATE);
	line_string(l, mmlens_state_name(mmlens_state(m->user->flags)));
	line_pad(l, MAPPER_FLAGS);
	line_letters(l, mmlens_pte_flags(), m->user->flags);
	line_pad(l, MAPPER_EFF);
	line_effective(l, v->info, m->user->flags);
	if (m->name) {
		line_pad(l, MAPPER_NAME);
		line_name(l, m->name);
	}
	line_end(l, v);
}

static void text_mapper(struct view *v, const struct pfn_mapper *m)
{
	struct line l = {};

	line_number_right(&l, MAPPER_COMM - 1, m->user->pid);
	line_char(&l, ' ');
	line_name(&l, m->comm ? m->comm : "?");
	line_pad(&l, MAPPER_ADDRESS);
	line_string(&l, "0x");
	line_hex(&l, m->va, 12);
	mapper_end(&l, v, m);
}

static void mapper_heading(struct view *v, const char *address)
{
	struct line l = {};

	line_string(&l, "    PID COMMAND");
	line_pad(&l, MAPPER_ADDRESS);
	line_string(&l, address);
	line_pad(&l, MAPPER_LEVEL);
	line_string(&l, "LEVEL");
	line_pad(&l, MAPPER_STATE);
	line_string(&l, "STATE");
	line_pad(&l, MAPPER_FLAGS);
	line_string(&l, "FLAGS");
	line_pad(&l, MAPPER_EFF);
	line_string(&l, "EFF   MAPPING");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static void text_mappers(struct view *v, const struct pfn_card *card)
{
	if (!card->count) {
		fprintf(v->out, "%-*s%s\n", LABEL, "mapped by", "no process");
		return;
	}
	fprintf(v->out, "%-*s%zu %s\n", LABEL, "mapped by", card->count,
		card->count == 1 ? "entry" : "entries");
	mapper_heading(v, "ADDRESS");
	for (size_t i = 0; i < card->count; i++)
		text_mapper(v, &card->mappers[i]);
}

static void text_begin(struct view *v)
{
	(void)v;
}

static void text_card(struct view *v, const struct pfn_card *card)
{
	fprintf(v->out, "%-*s0x%" PRIx64 " (%" PRIu64 "), physical 0x%" PRIx64
		"\n", LABEL, "PFN", card->pfn, card->pfn,
		physical(v, card->pfn));
	if (card->frame)
		text_frame(v, card);
	else
		fprintf(v->out, "%-*s%s\n", LABEL, "memory",
			"none that is online");
	if (card->who)
		text_mappers(v, card);
	putc('\n', v->out);
	view_check(v);
}

static void text_end(struct view *v, uint64_t count,
		     const struct mmlens_stats *stats)
{
	(void)count;
	view_hold(v, stats);
}

const struct pfn_view pfn_text = {
	.begin = text_begin,
	.card = text_card,
	.end = text_end,
};

/* ---- text: who maps them ---- */

enum {
	WHO_PAGES = 24,
	WHO_COMM = 41,
	WHO_ADDRESS = 58,
	WHO_LEVEL = 73,
	WHO_STATE = 79,
	WHO_FLAGS = 96,
	WHO_EFF = 114,
};

/* FIRST-LAST, or the only one. */
static void line_pfns(struct line *l, uint64_t pfn, uint64_t count)
{
	line_pfn(l, pfn);
	if (count == 1)
		return;
	line_char(l, '-');
	line_pfn(l, pfn + count - 1);
}

static void text_who(struct view *v, const struct pfn_mapper *m)
{
	struct line l;

	/* Its room needn't be cleared for each of many. */
	l.length = 0;
	line_pfns(&l, m->pfn, m->count);
	line_pad(&l, WHO_PAGES);
	line_number_right(&l, 8, m->count);
	line_number_right(&l, 8, m->user->pid);
	line_char(&l, ' ');
	line_name(&l, m->comm ? m->comm : "?");
	line_pad(&l, WHO_ADDRESS);
	line_string(&l, "0x");
	line_hex(&l, m->va, 12);
	line_pad(&l, WHO_LEVEL);
	line_string(&l, mmlens_level_name(m->user->head.level));
	line_pad(&l, WHO_STATE);
	line_string(&l, mmlens_state_name(mmlens_state(m->user->flags)));
	line_pad(&l, WHO_FLAGS);
	line_letters(&l, mmlens_pte_flags(), m->user->flags);
	line_pad(&l, WHO_EFF);
	line_effective(&l, v->info, m->user->flags);
	line_end(&l, v);
}

static void who_heading(struct view *v)
{
	struct line l = {};

	line_string(&l, "PFNS");
	line_pad(&l, WHO_PAGES);
	line_string(&l, "   PAGES     PID COMMAND");
	line_pad(&l, WHO_ADDRESS);
	line_string(&l, "ADDRESS");
	line_pad(&l, WHO_LEVEL);
	line_string(&l, "LEVEL");
	line_pad(&l, WHO_STATE);
	line_string(&l, "STATE");
	line_pad(&l, WHO_FLAGS);
	line_string(&l, "FLAGS");
	line_pad(&l, WHO_EFF);
	line_string(&l, "EFF");
	line_char(&l, '\0');
	view_heading(v, l.text);
}

static uint64_t count_pages(const struct pfn_mapper *mappers, size_t count)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < count; i++)
		pages += mappers[i].count;
	return pages;
}

void pfn_who_text(struct view *v, uint64_t start, uint64_t end,
		  const struct pfn_mapper *mappers, size_t count,
		  const struct mmlens_stats *stats)
{
	who_heading(v);
	for (size_t i = 0; i < count && !v->error; i++)
		text_who(v, &mappers[i]);
	fprintf(v->out, "of %" PRIu64 " page frames from 0x%" PRIx64
		" on: mapped %" PRIu64 " times\n", end - start, start,
		count_pages(mappers, count));
	view_hold(v, stats);
}

/* ---- JSON ---- */

/* Bits that have a name, and those that have none as "bit_N". */
static struct json_object *page_flags_array(uint64_t flags)
{
	struct json_object *o = json_object_new_object(), *names;
	char name[16];

	json_add_flags(o, "flags", mmlens_page_flags(), flags);
	names = json_object_get(json_object_object_get(o, "flags"));
	json_object_put(o);
	for (const struct mmlens_flag *f = mmlens_page_flags(); f->bit; f++)
		flags &= ~f->bit;
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (!(flags >> bit & 1))
			continue;
		snprintf(name, sizeof(name), "bit_%u", bit);
		json_object_array_add(names, json_object_new_string(name));
	}
	return names;
}

static void add_bytes(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_add_bytes(o, key, text, strlen(text));
}

static struct json_object *block_object(const struct mmlens_pfns *page)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "pfn", page->pfn - page->folio_index);
	json_add_number(o, "order", page->order);
	json_add_number(o, "index", page->folio_index);
	return o;
}

static void add_lru(struct json_object *o, const struct mmlens_pfns *page)
{
	json_add_string(o, "lru", mmlens_lru_name(page->lru));
	if (!page->generation)
		return;
	json_add_number(o, "generation", page->generation - 1);
	json_add_number(o, "tier", page->tier);
}

static void add_inode(struct json_object *o,
		      const struct mmlens_backing *backing)
{
	char device[32];

	snprintf(device, sizeof(device), "%02x:%02x", backing->dev_major,
		 backing->dev_minor);
	json_add_string(o, "device", device);
	json_add_number(o, "inode", backing->inode);
	json_add_number(o, "offset", backing->offset);
	add_bytes(o, "filesystem", backing->filesystem);
}

static struct json_object *backing_object(const struct mmlens_backing *backing,
					  const char *path)
{
	struct json_object *o = json_object_new_object();

	json_add_string(o, "kind", mmlens_backing_kind_name(backing->kind));
	if (backing->flags & MMLENS_BACKING_INDEX)
		json_add_number(o, "index", backing->index);
	if (backing->flags & MMLENS_BACKING_INODE)
		add_inode(o, backing);
	if (backing->name[0])
		add_bytes(o, "name", backing->name);
	add_bytes(o, "path", path);
	if (backing->flags & MMLENS_BACKING_SWAP) {
		struct json_object *swap = json_object_new_object();

		json_add_number(swap, "type", MMLENS_SWAP_TYPE(backing->swap));
		json_add_number(swap, "offset",
				MMLENS_SWAP_OFFSET(backing->swap));
		json_object_object_add(o, "swap", swap);
	}
	return o;
}

static void add_frame(struct view *v, struct json_object *o,
		      const struct pfn_card *card)
{
	const struct mmlens_pfns *page = &card->frame->page;

	json_object_object_add(o, "flags", page_flags_array(page->page_flags));
	json_add_string(o, "kind", mmlens_page_kind_name(page->kind));
	json_object_object_add(o, is_free_block(page) ? "free_block" : "folio",
			       block_object(page));
	json_object_object_add(o, "refcount",
			       json_object_new_int(page->refcount));
	json_object_object_add(o, "mapcount",
			       json_object_new_int(page->mapcount));
	json_add_bool(o, "mapcount_exact", mapcount_is_exact(v, page));
	json_add_number(o, "node", page->node);
	json_add_number(o, "zone", page->zone);
	add_bytes(o, "zone_name", card->labels.zone);
	json_add_string(o, "migratetype",
			mmlens_migratetype_label(page->migratetype));
	json_add_number(o, "memcg", page->memcg);
	add_bytes(o, "memcg_path", card->labels.memcg);
	add_lru(o, page);
	json_object_object_add(o, "backing",
			       backing_object(&card->frame->backing,
					      card->path));
}

static void add_entry(struct json_object *o, const struct view *v,
		      const struct mmlens_user *user)
{
	json_add_string(o, "level", mmlens_level_name(user->head.level));
	json_add_string(o, "state",
			mmlens_state_name(mmlens_state(user->flags)));
	json_add_flags(o, "flags", mmlens_pte_flags(), user->flags);
	if (mmlens_has_effective(v->info))
		json_add_flags(o, "effective", mmlens_effective_flags(),
			       user->flags);
}

static void json_mapper(struct view *v, const struct pfn_mapper *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(m->user->pid));
	add_bytes(o, "comm", m->comm);
	json_add_hex(o, "va", m->va);
	add_entry(o, v, m->user);
	add_bytes(o, "mapping", m->name);
	json_put(v, NULL, o);
}

static void pfn_json_begin(struct view *v)
{
	json_document(v);
	json_begin(v, "frames", '[');
}

static void pfn_json_card(struct view *v, const struct pfn_card *card)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "pfn", card->pfn);
	json_add_hex(o, "phys", physical(v, card->pfn));
	json_add_bool(o, "online", card->frame);
	if (card->frame)
		add_frame(v, o, card);
	json_begin(v, NULL, '{');
	json_put_members(v, o);
	if (card->who) {
		json_begin(v, "users", '[');
		for (size_t i = 0; i < card->count; i++)
			json_mapper(v, &card->mappers[i]);
		json_end(v);
	}
	json_end(v);
}

static void pfn_json_end(struct view *v, uint64_t count,
			 const struct mmlens_stats *stats)
{
	json_end(v);
	json_walk(v, "frames", count, stats);
	json_end(v);
}

const struct pfn_view pfn_json = {
	.begin = pfn_json_begin,
	.card = pfn_json_card,
	.end = pfn_json_end,
};

static void json_who(struct view *v, const struct pfn_mapper *m)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "pfn", m->pfn);
	json_add_number(o, "count", m->count);
	json_object_object_add(o, "pid", json_object_new_int(m->user->pid));
	add_bytes(o, "comm", m->comm);
	json_add_hex(o, "va", m->va);
	add_entry(o, v, m->user);
	json_put(v, NULL, o);
}

void pfn_who_json(struct view *v, uint64_t start, uint64_t end,
		  const struct pfn_mapper *mappers, size_t count,
		  const struct mmlens_stats *stats)
{
	json_document(v);
	json_put(v, "start", json_object_new_uint64(start));
	json_put(v, "end", json_object_new_uint64(end));
	json_begin(v, "users", '[');
	for (size_t i = 0; i < count && !v->error; i++)
		json_who(v, &mappers[i]);
	json_end(v);
	json_walk(v, "pages", count_pages(mappers, count), stats);
	json_end(v);
}
