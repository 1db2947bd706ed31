// SPDX-License-Identifier: GPL-2.0-only
/* frag: why an order can't be had, and what stands in the way. */
#include <inttypes.h>
#include <stdlib.h>

#include "line.h"
#include "view.h"

/* Lines of a candidate unless all are wanted. */
#define LINES 16

static bool shows_order(const struct frag_options *o, size_t order)
{
	return o->filter.order < 0 || (size_t)o->filter.order == order;
}

typedef void (*show_zone)(struct view *v, const struct mmlens_zone_state *zone,
			  const struct frag_options *o);

static void each_zone(struct view *v, const struct mmlens_zones *zones,
		      const struct frag_options *o, show_zone show)
{
	for (size_t i = 0; i < zones->count; i++)
		for (size_t j = 0; j < zones->nodes[i].zone_count; j++)
			if (free_filter_zone(&o->filter,
					     &zones->nodes[i].zones[j].zone))
				show(v, &zones->nodes[i].zones[j], o);
}

/* ---- the indices ---- */

/* As vm.extfrag_threshold has compaction decide. */
static const char *verdict(int extfrag, int threshold)
{
	if (extfrag == -1000)
		return "there is one";
	return extfrag > threshold ? "fragmentation" : "lack of memory";
}

static void put_index(struct line *l, int index)
{
	char text[16];

	snprintf(text, sizeof(text), "%d.%03d", index / 1000, abs(index) % 1000);
	line_right(l, 9, text);
	l->length--;
}

static void put_order(struct view *v, const struct mmlens_numbers *free,
		      unsigned int order, int threshold)
{
	const int extfrag = mmlens_extfrag_index(free, order);
	char room[TEXT_HUMAN];
	struct line l = {};

	line_number_right(&l, 6, order);
	line_char(&l, ' ');
	line_right(&l, 7, text_human(room,
				     1ull << (v->info->page_shift + order)));
	l.length--;
	line_number_right(&l, 11, free->value[order]);
	put_index(&l, extfrag);
	put_index(&l, mmlens_unusable_index(free, order));
	line_char(&l, ' ');
	line_string(&l, verdict(extfrag, threshold));
	line_end(&l, v);
}

static void put_zone(struct view *v, const struct mmlens_zone_state *zone,
		     const struct frag_options *o)
{
	fprintf(v->out, "node %" PRIu32 ", zone %s: %" PRIu64 " pages free\n",
		zone->zone.node, zone->zone.name, (uint64_t)zone->zone.free);
	view_heading(v, " ORDER    SIZE     BLOCKS  EXTFRAG UNUSABLE WHY NOT");
	for (size_t order = 0; order < zone->free.count; order++)
		if (shows_order(o, order))
			put_order(v, &zone->free, order, o->threshold);
}

void frag_text(struct view *v, const struct mmlens_zones *zones,
	       const struct frag_options *o)
{
	each_zone(v, zones, o, put_zone);
	view_check(v);
}

/* ---- the blocks that come closest ---- */

static const char *what_of(const struct mmlens_blocker *b)
{
	if (b->run.bucket == MMLENS_BUCKET_UNTOLD)
		return mmlens_bucket_name(b->obstacle == MMLENS_OBSTACLE_KEPT ?
					  MMLENS_LEDGER_KEPT :
					  MMLENS_LEDGER_REST);
	return mmlens_bucket_name(b->run.bucket);
}

static void put_owner(struct line *l, const struct frag_owner *owner)
{
	if (owner->user) {
		line_char(l, ' ');
		line_string(l, owner->comm ? owner->comm : "?");
		line_char(l, '[');
		line_number(l, (uint64_t)owner->user->pid);
		line_string(l, "] 0x");
		line_hex(l, owner->user->va, 1);
	}
	if (owner->others) {
		line_string(l, " and ");
		line_number(l, owner->others);
		line_string(l, " more");
	}
	if (owner->file[0]) {
		line_string(l, " file ");
		line_string(l, owner->file);
	}
	if (owner->memcg) {
		line_string(l, " memcg ");
		line_string(l, owner->memcg);
	}
}

static void put_blocker(struct view *v, const struct mmlens_blocker *b,
			const struct frag_owner *owner)
{
	struct line l = {};

	line_string(&l, "   0x");
	line_hex(&l, b->run.pfn, 9);
	line_number_right(&l, 8, b->run.count);
	line_char(&l, ' ');
	line_string(&l, mmlens_obstacle_name(b->obstacle));
	line_pad(&l, 33);
	line_string(&l, what_of(b));
	if (owner->user || owner->file[0] || owner->memcg) {
		line_pad(&l, 47);
		put_owner(&l, owner);
	}
	line_end(&l, v);
}

/* Those that can't be moved first. */
static void put_blockers(struct view *v, const struct mmlens_candidate *c,
			 const struct frag_owner *owners, bool all)
{
	size_t left = all ? c->count : LINES, shown = 0;

	for (int obstacle = MMLENS_OBSTACLES - 1; obstacle >= 0; obstacle--)
		for (size_t i = 0; i < c->count && left; i++) {
			if (c->blockers[i].obstacle != obstacle)
				continue;
			put_blocker(v, &c->blockers[i], &owners[i]);
			shown++;
			left--;
		}
	if (shown < c->count)
		fprintf(v->out, "   and %zu more lines (--all)\n",
			c->count - shown);
}

static void put_candidate(struct view *v, const struct mmlens_zone *zone,
			  const struct mmlens_candidate *c, size_t number,
			  unsigned int order)
{
	const char *before = ": ";

	fprintf(v->out, "%zu. PFN 0x%" PRIx64 "-0x%" PRIx64
		", node %u, zone %s, %s", number, c->pfn,
		c->pfn + (UINT64_C(1) << order) - 1, c->node,
		zone ? zone->name : "?",
		mmlens_migratetype_label(c->migratetype));
	if (c->free) {
		fprintf(v->out, "%s%" PRIu64 " pages free", before, c->free);
		before = ", ";
	}
	for (int i = MMLENS_OBSTACLES - 1; i >= 0; i--) {
		if (!c->pages[i])
			continue;
		fprintf(v->out, "%s%" PRIu64 " %s", before, c->pages[i],
			mmlens_obstacle_name(i));
		before = ", ";
	}
	putc('\n', v->out);
}

void frag_candidates_text(struct view *v, const struct mmlens_zones *zones,
			  const struct mmlens_frag *frag,
			  struct frag_owner *const *owners,
			  const struct frag_options *o)
{
	char room[TEXT_HUMAN];

	fprintf(v->out, "order %u (%s): the blocks that come closest\n",
		frag->order,
		text_human(room, 1ull << (v->info->page_shift + frag->order)));
	for (size_t i = 0; i < frag->count; i++) {
		const struct mmlens_candidate *c = &frag->candidates[i];

		put_candidate(v, mmlens_zones_find(zones, c->node, c->zone), c,
			      i + 1, frag->order);
		if (c->count)
			view_heading(v, "   PFN           PAGES WHY       WHAT           WHOSE");
		put_blockers(v, c, owners[i], o->all);
	}
	if (!frag->count)
		fputs("none: there is no block that isn't free as a whole\n",
		      v->out);
	view_hold(v, &frag->stats);
}

/* ---- JSON ---- */

static void put_zone_object(struct view *v,
			    const struct mmlens_zone_state *zone,
			    const struct frag_options *o)
{
	struct json_object *object = json_object_new_object();
	struct json_object *orders = json_object_new_array();

	for (size_t order = 0; order < zone->free.count; order++) {
		struct json_object *of;

		if (!shows_order(o, order))
			continue;
		of = json_object_new_object();
		json_add_number(of, "order", order);
		json_add_number(of, "blocks", zone->free.value[order]);
		json_object_object_add(of, "extfrag_index",
			json_object_new_int(mmlens_extfrag_index(&zone->free,
								 order)));
		json_object_object_add(of, "unusable_index",
			json_object_new_int(mmlens_unusable_index(&zone->free,
								  order)));
		json_object_array_add(orders, of);
	}
	json_add_number(object, "node", zone->zone.node);
	json_add_string(object, "zone", zone->zone.name);
	json_object_object_add(object, "orders", orders);
	json_put(v, NULL, object);
}

static struct json_object *blocker_object(const struct mmlens_blocker *b,
					  const struct frag_owner *owner)
{
	struct json_object *o = json_object_new_object();

	json_add_number(o, "pfn", b->run.pfn);
	json_add_number(o, "pages", b->run.count);
	json_add_string(o, "obstacle", mmlens_obstacle_name(b->obstacle));
	json_add_string(o, "bucket", what_of(b));
	if (owner->user) {
		json_add_number(o, "pid", (uint64_t)owner->user->pid);
		json_add_hex(o, "va", owner->user->va);
		json_add_number(o, "mappings", owner->others + 1);
	}
	if (owner->comm)
		json_add_bytes(o, "comm", owner->comm, strlen(owner->comm));
	if (owner->file[0])
		json_add_bytes(o, "file", owner->file, strlen(owner->file));
	if (owner->memcg)
		json_add_bytes(o, "memcg", owner->memcg, strlen(owner->memcg));
	return o;
}

static struct json_object *
candidate_object(const struct mmlens_candidate *c, const char *zone,
		 const struct frag_owner *owners)
{
	struct json_object *o = json_object_new_object();
	struct json_object *pages = json_object_new_object();
	struct json_object *blockers = json_object_new_array();

	for (unsigned int i = 0; i < MMLENS_OBSTACLES; i++)
		json_add_number(pages, mmlens_obstacle_name(i), c->pages[i]);
	for (size_t i = 0; i < c->count; i++)
		json_object_array_add(blockers, blocker_object(&c->blockers[i],
							       &owners[i]));
	json_add_number(o, "pfn", c->pfn);
	json_add_number(o, "node", c->node);
	json_add_string(o, "zone", zone);
	json_add_string(o, "migratetype",
			mmlens_migratetype_label(c->migratetype));
	json_add_number(o, "free", c->free);
	json_object_object_add(o, "pages", pages);
	json_object_object_add(o, "blockers", blockers);
	return o;
}

void frag_json(struct view *v, const struct mmlens_zones *zones,
	       const struct mmlens_frag *frag,
	       struct frag_owner *const *owners, const struct frag_options *o)
{
	const size_t count = frag ? frag->count : 0;

	json_document(v);
	json_begin(v, "zones", '[');
	each_zone(v, zones, o, put_zone_object);
	json_end(v);
	if (frag)
		json_begin(v, "candidates", '[');
	for (size_t i = 0; i < count; i++) {
		const struct mmlens_candidate *c = &frag->candidates[i];
		const struct mmlens_zone *zone =
			mmlens_zones_find(zones, c->node, c->zone);

		json_put(v, NULL, candidate_object(c, zone ? zone->name : "?",
						   owners[i]));
	}
	if (frag)
		json_end(v);
	json_walk(v, "candidates", count, frag ? &frag->stats : &zones->stats);
	json_end(v);
}
