/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a model from records: see model.h.
 *
 * A model of a million records is in memory larger than any cache, and each record finds its places
 * in some ten tables: what arrives waits for a few others, and then what all of them will touch is
 * fetched together, before they are entered one after another.  Their places in lists they get
 * later, all of a kind that came in a row, in order of their serials: the store has them in order
 * of their ids, which are random.
 */
#include "model/load_check.h"
#include "model/interface.h"
#include "model/mapping_table.h"
#include "model/placement_index.h"
#include "model/record.h"
#include "model/table.h"

CLEANUP_DEFINE(struct object *, record_free);

enum { LIST_AHEAD = 12 }; /* objects that are fetched while those before them get their places */

void model_load_begin(struct model *m, size_t n_records)
{
	/* of the kinds that there may be many of; memory that stays unused is never touched */
	hmap_reserve(&m->kinds[KIND_INTERFACE].by_id, n_records);
	hmap_reserve(&m->kinds[KIND_INSTANCE].by_id, n_records);
	hmap_reserve(&m->unique[UNIQUE_MAC], n_records);
	hmap_reserve(&m->unique[UNIQUE_ATTACHMENT], n_records);
	hmap_reserve(&m->unique[UNIQUE_ATTACHMENT_INSTANCE], n_records);
	if (mapping_table_reserve(m->mappings, n_records))
		return; /* then it grows step by step, or fails where it is needed */
}

/* No address that another one has. */
static bool addrs_are_free(const struct model *m, const struct object *o)
{
	const struct interface *i = (const struct interface *)o;
	const struct mapping *owner;

	if (o->kind != KIND_INTERFACE)
		return true;
	for (size_t a = 0; a < i->n_addrs; a++) {
		owner = mapping_find(m->mappings, i->vni, &i->addrs[a].addr);
		if (owner && owner->interface != o->id)
			return false;
	}
	return true;
}

/*
 * Within one change an address may go from one interface to another, in whatever order the two are
 * stored; and a later version of either may follow.  So who comes too early waits: for the other's
 * next version, or for the end, when all are there.
 */
static int defer(struct model *m, struct object *new)
{
	if (m->n_deferred == m->deferred_allocated) {
		size_t more = m->deferred_allocated ? 2 * m->deferred_allocated : 16;
		void *grown = reallocarray(m->deferred, more, sizeof(*m->deferred));

		if (!grown)
			return -ENOMEM;
		m->deferred = grown;
		m->deferred_allocated = more;
	}
	m->deferred[m->n_deferred++] = new;
	return 0;
}

/* A newer version of the object came, or it went. */
static void forget_deferred(struct model *m, enum kind k, uint64_t id)
{
	for (size_t i = 0; i < m->n_deferred; i++)
		if (m->deferred[i]->kind == k && m->deferred[i]->id == id) {
			record_free(m->deferred[i]);
			m->deferred[i] = m->deferred[--m->n_deferred];
			return;
		}
}

/* ---- places in lists ---- */

static int reserve_unlisted(struct model *m)
{
	size_t more = m->unlisted_allocated ? 2 * m->unlisted_allocated : 64;
	struct radix_item *grown;

	if (m->n_unlisted < m->unlisted_allocated)
		return 0;
	grown = reallocarray(m->unlisted, more, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	m->unlisted = grown;
	m->unlisted_allocated = more;
	return 0;
}

static int list_entered(struct model *m)
{
	size_t n = m->n_unlisted;
	int r = radix_sort(m->unlisted, n);

	for (size_t i = 0; i < n && !r; i++) {
		if (i + LIST_AHEAD < n)
			table_prefetch_object(m->unlisted[i + LIST_AHEAD].value, m->unlisted_kind);
		r = table_list(m, m->unlisted[i].value);
	}
	m->n_unlisted = 0;
	return r;
}

/* One that was not there. */
static int enter(struct model *m, struct object *new)
{
	int r = m->unlisted_kind == new->kind ? 0 : list_entered(m);

	if (!r)
		r = reserve_unlisted(m);
	if (!r)
		r = table_enter(m, new);
	if (r)
		return r;
	m->unlisted_kind = new->kind;
	m->unlisted[m->n_unlisted++] = (struct radix_item){new->serial, new};
	return 0;
}

/* One that was there; NULL: it goes. */
static int replace(struct model *m, struct object *old, struct object *new)
{
	int r = list_entered(m);

	if (!r)
		r = table_replace(m, old, new);
	if (!r)
		record_free(old);
	return r;
}

/* Takes the version of an object that is in the model out. */
static int take_out(struct model *m, enum kind k, uint64_t id)
{
	struct object *old = (struct object *)(uintptr_t)model_get(m, k, id);

	return old ? replace(m, old, NULL) : 0;
}

/* ---- what has arrived ---- */

/* The version of it that is in the model, or NULL.  A snapshot is in order of ids, so most are
 * known to be new. */
static struct object *find_old(const struct model *m, enum kind k, uint64_t id)
{
	if (id > m->kinds[k].highest_id)
		return NULL;
	return (struct object *)(uintptr_t)model_get(m, k, id);
}

static int load_one(struct model *m, struct object *new)
{
	struct object *old = find_old(m, new->kind, new->id);
	int r;

	forget_deferred(m, new->kind, new->id);
	if (!addrs_are_free(m, new))
		return defer(m, new);
	r = old ? replace(m, old, new) : enter(m, new);
	if (!r && new->serial > m->last_serial)
		m->last_serial = new->serial;
	return r;
}

/* Puts in those that waited for an address that is free now. */
static int load_deferred(struct model *m)
{
	int r = 0;

	for (size_t i = 0; i < m->n_deferred && !r;) {
		struct object *new = m->deferred[i];

		if (!addrs_are_free(m, new)) {
			i++;
			continue;
		}
		m->deferred[i] = m->deferred[--m->n_deferred];
		r = load_one(m, new);
		if (r)
			record_free(new);
		i = 0;
	}
	return r;
}

/* Puts in what has been decoded.  After a failure what is left is freed with the model. */
static int load_arrived(struct model *m)
{
	size_t n = m->n_arriving;
	int r;

	for (unsigned int stage = 0; stage < 2; stage++)
		for (size_t i = 0; i < n; i++)
			table_prefetch(m, m->arriving[i], stage);
	for (size_t i = 0; i < n; i++) {
		r = load_one(m, m->arriving[i]);
		if (r)
			return r;
		m->arriving[i] = NULL;
	}
	m->n_arriving = 0;
	return load_deferred(m);
}

/* Those that still wait at the end may wait for each other: all of them leave their places
 * first. */
static int load_last(struct model *m)
{
	int r = 0;

	for (size_t i = 0; i < m->n_deferred && !r; i++)
		r = take_out(m, m->deferred[i]->kind, m->deferred[i]->id);
	if (!r)
		r = load_deferred(m);
	return r || !m->n_deferred ? r : -EBADMSG;
}

int model_load_decode(enum kind k, uint64_t id, const void *data, size_t size, struct object **ret)
{
	struct object *new;
	int r;

	if (k <= KIND_NONE || k >= KIND_MAX)
		return -EBADMSG;
	r = record_decode(k, id, data, size, &new);
	if (r)
		return r;
	if (!load_is_sound(new)) {
		record_free(new);
		return -EBADMSG;
	}
	table_hash(new);
	*ret = new;
	return 0;
}

int model_load_object(struct model *m, struct object **new)
{
	int r = 0;

	m->loading = true;
	if (m->n_arriving == ARRAY_SIZE(m->arriving))
		r = load_arrived(m);
	if (r)
		return r;
	table_prefetch_object(*new, KIND_NONE);
	m->arriving[m->n_arriving++] = TAKE_PTR(*new);
	return 0;
}

int model_load_deletion(struct model *m, enum kind k, uint64_t id)
{
	int r;

	if (k <= KIND_NONE || k >= KIND_MAX)
		return -EBADMSG;
	m->loading = true;
	r = load_arrived(m);
	if (r)
		return r;
	forget_deferred(m, k, id);
	return take_out(m, k, id);
}

int model_load(struct model *m, enum kind k, uint64_t id, const void *data, size_t size)
{
	_cleanup_(record_free_cleanup) struct object *new = NULL;
	int r;

	if (!size)
		return model_load_deletion(m, k, id);
	r = model_load_decode(k, id, data, size, &new);
	return r ? r : model_load_object(m, &new);
}

int model_load_settle(struct model *m)
{
	int r = load_arrived(m);

	return r ? r : load_last(m);
}

int model_load_order(struct model *m)
{
	int r = list_entered(m);

	return r ? r : table_sort(m);
}

int model_load_check(const struct model *m, enum model_load_part part)
{
	return load_check_references(m, part);
}

void model_load_finish(struct model *m, uint64_t revision)
{
	m->loading = false;
	m->revision = revision;
	choice_passing_follow(m);
	free(m->unlisted);
	m->unlisted = NULL;
	m->unlisted_allocated = 0;
	placement_index_refresh_all(m);
	table_reclaim(m);
}

int model_load_end(struct model *m, uint64_t revision)
{
	int r = model_load_settle(m);

	if (!r)
		r = model_load_order(m);
	if (r)
		return r;
	model_load_finish(m, revision);
	r = model_load_check(m, MODEL_LOAD_OTHERS);
	return r ? r : model_load_check(m, MODEL_LOAD_INSTANCES);
}
