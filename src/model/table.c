/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects and their indexes.  See table.h.
 */
#include "model/table.h"

#include "base/hash.h"
#include "model/carrier.h"
#include "model/choice_note.h"
#include "model/edge.h"
#include "model/interface.h"
#include "model/mapping_table.h"
#include "model/placement_index.h"
#include "model/record.h"
#include "model/table_derived.h"
#include "model/table_group.h"
#include "model/table_uses.h"

enum { CACHE_LINE = 64, PARTS_ABOUT = 64 /* what lies behind an object in its block */ };

struct hmap_node *unique_first(const struct model *m, enum unique u, uint64_t hash)
{
	return hmap_first_at(&m->unique[u], hash);
}

/* ---- hosts ---- */

/* Numbers are given one after another, so nearly all have a place of their own. */
static struct host_state **host_at_hand(const struct model *m, uint32_t number)
{
	return (struct host_state **)&m->hosts_at_hand[number & (MODEL_HOSTS_AT_HAND - 1)];
}

struct host_state *host_state_find(const struct model *m, uint32_t number)
{
	struct host_state *s = *host_at_hand(m, number);

	if (s && s->number == number)
		return s;
	hmap_for_each_at (s, &m->host_states, hash_u64(number), node)
		if (s->number == number)
			return s;
	return NULL;
}

static int reserve_host(struct model *m)
{
	size_t more = m->hosts_allocated ? 2 * m->hosts_allocated : 16;
	struct host_state **hosts;

	if (m->n_hosts_known < m->hosts_allocated)
		return 0;
	hosts = reallocarray(m->hosts_known, more, sizeof(struct host_state *));
	if (!hosts)
		return -ENOMEM;
	m->hosts_known = hosts;
	m->hosts_allocated = more;
	return 0;
}

/* Kept for hosts that are gone, too: a few bytes for each that ever was while this program runs. */
int host_state_prepare(struct model *m, uint32_t number)
{
	struct host_state *s;

	if (host_state_find(m, number))
		return 0;
	s = reserve_host(m) ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->number = number;
	s->view.index = (uint32_t)m->n_hosts_known;
	m->hosts_known[m->n_hosts_known++] = s;
	hmap_insert(&m->host_states, &s->node, hash_u64(number));
	*host_at_hand(m, number) = s;
	return 0;
}

/* ---- replacing ---- */

static size_t count_new_addrs(const struct interface *i, const struct interface *old)
{
	size_t count = !old; /* the link-local one */

	count += i->handle.number && (!old || old->handle.number != i->handle.number);
	for (size_t n = 0; n < i->n_addrs; n++)
		count += !interface_has_addr(old, &i->addrs[n].addr);
	return count;
}

static int prepare_carriers(struct model *m, const struct interface *i, uint32_t host)
{
	int r = host ? carrier_prepare(m, CARRIED_NETWORK, i->vni, host) : 0;

	for (size_t n = 0; !r && n < i->n_groups; n++)
		r = carrier_prepare(m, CARRIED_GROUP, i->groups[n].number, host);
	return r;
}

static int prepare_interface(struct model *m, const struct interface *old, struct interface *new)
{
	int r = mapping_table_reserve(m->mappings, count_new_addrs(new, old));

	if (!r && !interface_is_desired(new))
		r = prepare_carriers(m, new, 0);
	for (size_t n = 0; !r && n < interface_attachment_count(new); n++) {
		struct attachment *a = table_part(&new->o, n);

		a->of = new;
		if (attachment_is_desired(a))
			r = prepare_carriers(m, new, a->host);
	}
	if (!r)
		r = group_set_prepare(m, new, &new->group_set);
	return r ? r : group_set_prepare_hosts(m, new, &new->host_set);
}

/* What follows from the object beside its places in lists. */
static int prepare(struct model *m, const struct object *old, struct object *new)
{
	uint32_t vni, host;
	int r = 0;

	if (new->kind == KIND_INTERFACE) {
		r = prepare_interface(m, (const struct interface *)old, (struct interface *)new);
	} else if (new->kind == KIND_HOST) {
		r = host_state_prepare(m, ((const struct host *)new)->number);
	} else if (new->kind == KIND_CHOICE_POLICY) {
		choice_policy_compile((struct choice_policy *)new);
		r = choice_rules_prepare(&m->choice_rules);
		if (!r)
			r = choice_passing_prepare(m);
	} else if (new->kind == KIND_CHOICE_CHANGE) {
		choice_policy_compile(&((struct choice_change *)new)->former);
		r = choice_passing_prepare(m);
	} else if (new->kind == KIND_RELEASE) {
		r = mapping_table_reserve(m->mappings, 1);
	} else if (edge_serves(new, &vni, &host)) {
		r = carrier_prepare(m, CARRIED_NETWORK, vni, host);
	}
	return r ? r : placement_index_prepare(m, new);
}

static void replace_unique(struct model *m, struct object *old, struct object *new,
			   const struct unique_use *u)
{
	uint64_t hash;

	if (old && u->hash(old, &hash))
		hmap_remove(&m->unique[u->unique],
			    (struct hmap_node *)(void *)((char *)old + u->offset));
	if (new && u->hash(new, &hash))
		hmap_insert(&m->unique[u->unique],
			    (struct hmap_node *)(void *)((char *)new + u->offset), hash);
}

void table_hash(struct object *o)
{
	o->by_id.hash = hash_u64(o->id);
	for (size_t n = 0; n < table_part_count(o); n++) {
		struct attachment *a = table_part(o, n);

		a->by_id.hash = hash_u64(a->id);
		a->by_instance.hash = hash_u64(a->instance);
	}
}

/* Attachments are found by their ids, and by their instances. */
static void replace_parts(struct model *m, struct object *old, struct object *new)
{
	struct hmap *by_id = &m->unique[UNIQUE_ATTACHMENT];
	struct hmap *by_instance = &m->unique[UNIQUE_ATTACHMENT_INSTANCE];

	for (size_t n = 0; n < table_part_count(old); n++) {
		struct attachment *a = table_part(old, n);

		hmap_remove(by_id, &a->by_id);
		if (a->instance)
			hmap_remove(by_instance, &a->by_instance);
	}
	for (size_t n = 0; n < table_part_count(new); n++) {
		struct attachment *a = table_part(new, n);

		hmap_insert(by_id, &a->by_id, a->by_id.hash);
		if (a->instance)
			hmap_insert(by_instance, &a->by_instance, a->by_instance.hash);
	}
}

/* What objects are found by.  'new' has its hashes: table_hash(). */
static void replace_keys(struct model *m, struct object *old, struct object *new)
{
	struct kind_table *t = &m->kinds[(new ? new : old)->kind];

	if (old)
		hmap_remove(&t->by_id, &old->by_id);
	if (new) {
		hmap_insert(&t->by_id, &new->by_id, new->by_id.hash);
		if (new->id > t->highest_id)
			t->highest_id = new->id;
	}
	t->n = t->n + !!new - !!old;
	for (size_t i = 0; i < t->n_uniques; i++)
		replace_unique(m, old, new, t->uniques[i]);
	replace_parts(m, old, new);
}

int table_replace(struct model *m, struct object *old, struct object *new)
{
	int r = new ? prepare(m, old, new) : 0;

	if (new && !r)
		r = table_lists_prepare(m, new);
	if (r)
		return r;
	if (new)
		table_hash(new);
	replace_keys(m, old, new);
	table_lists_replace(m, old, new);
	table_derived_replace(m, old, new);
	return 0;
}

int table_enter(struct model *m, struct object *new)
{
	int r = prepare(m, NULL, new);

	if (r)
		return r;
	replace_keys(m, NULL, new);
	table_derived_replace(m, NULL, new);
	return 0;
}

/* ---- many at a time ---- */

void table_prefetch_object(const struct object *o, enum kind k)
{
	size_t size = (k ? record_of(k)->size : sizeof(struct interface)) + PARTS_ABOUT;

	for (size_t at = 0; at < size; at += CACHE_LINE)
		__builtin_prefetch((const char *)o + at, 1);
}

void table_prefetch_id(const struct model *m, enum kind k, uint64_t id, unsigned int stage)
{
	hmap_prefetch(&m->kinds[k].by_id, hash_u64(id), stage);
}

static void prefetch_addrs(const struct model *m, const struct interface *i)
{
	struct ipaddr link_local = interface_link_local(i);
	struct mapping_key key = mapping_key_of(i->vni, &link_local);

	mapping_prefetch(m->mappings, 0, &key);
	for (size_t n = 0; n < i->n_addrs; n++) {
		key = mapping_key_of(i->vni, &i->addrs[n].addr);
		mapping_prefetch(m->mappings, 0, &key);
	}
}

void table_prefetch(const struct model *m, const struct object *o, unsigned int stage)
{
	const struct interface *i = (const struct interface *)o;
	const struct kind_table *t = &m->kinds[o->kind];
	uint64_t hash;

	if (!stage || o->id <= t->highest_id)
		hmap_prefetch(&t->by_id, o->by_id.hash, stage);
	if (stage || o->kind != KIND_INTERFACE)
		return; /* of the others there are few, or they have no other keys */
	for (size_t n = 0; n < t->n_uniques; n++)
		if (t->uniques[n]->hash(o, &hash))
			hmap_prefetch(&m->unique[t->uniques[n]->unique], hash, 0);
	if (i->attachment.state != ATTACHMENT_NONE) {
		hmap_prefetch(&m->unique[UNIQUE_ATTACHMENT], i->attachment.by_id.hash, 0);
		hmap_prefetch(&m->unique[UNIQUE_ATTACHMENT_INSTANCE],
			      i->attachment.by_instance.hash, 0);
	}
	prefetch_addrs(m, i);
}

/* ---- housekeeping ---- */

void table_init(struct model *m)
{
	size_t n_relations, n_uniques;
	const struct relation_use *relations = table_relations(&n_relations);
	const struct unique_use *uniques = table_uniques(&n_uniques);

	for (enum kind k = KIND_NONE; k < KIND_MAX; k++) {
		struct kind_table *t = &m->kinds[k];

		list_init(&t->all);
		for (size_t i = 0; i < n_relations; i++)
			if (relations[i].kind == KIND_NONE || relations[i].kind == k) {
				assert(t->n_relations < ARRAY_SIZE(t->relations));
				t->relations[t->n_relations++] = &relations[i];
			}
		for (size_t i = 0; i < n_uniques; i++)
			if (uniques[i].kind == k) {
				assert(t->n_uniques < ARRAY_SIZE(t->uniques));
				t->uniques[t->n_uniques++] = &uniques[i];
			}
	}
	list_init(&m->idle_groups);
	list_init(&m->idle_carriers);
	list_init(&m->idle_group_sets);
	list_init(&m->idle_spreads);
}

void table_reclaim(struct model *m)
{
	if (m->n_changes || m->tx)
		return;
	carrier_reclaim(m);
	group_set_reclaim(m);
	placement_index_reclaim(m);
	table_lists_reclaim(m);
}

void table_deinit(struct model *m)
{
	struct host_state *s;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct object *o;

		hmap_for_each (o, &m->kinds[k].by_id, by_id)
			record_free(o);
		hmap_deinit(&m->kinds[k].by_id);
	}
	for (size_t i = 0; i < m->n_arriving; i++)
		record_free(m->arriving[i]);
	for (size_t i = 0; i < m->n_deferred; i++)
		record_free(m->deferred[i]);
	free(m->deferred);
	free(m->unlisted);
	table_lists_deinit(m);
	choice_rules_deinit(&m->choice_rules);
	choice_passing_deinit(&m->choice_passing);
	carrier_deinit(m);
	group_set_deinit(m);
	placement_index_deinit(m);
	hmap_for_each (s, &m->host_states, node)
		free(s);
	hmap_deinit(&m->host_states);
	free(m->hosts_known);
	for (enum unique u = 0; u < UNIQUE_MAX; u++)
		hmap_deinit(&m->unique[u]);
}
