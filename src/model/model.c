/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, loading and reading a model.  See model.h.
 */
#include "model/model.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/cidr6.h"
#include "model/counters.h"
#include "model/holders.h"
#include "model/mapping_table.h"
#include "model/record.h"
#include "model/interface.h"
#include "model/table.h"
#include "model/table_uses.h"

struct model *model_free(struct model *m)
{
	if (!m)
		return NULL;
	table_deinit(m);
	mapping_table_free(m->mappings);
	holders_free(m->holders);
	for (size_t i = 0; i < MODEL_ZONES; i++)
		free(m->zones[i]);
	free(m->region);
	free(m);
	return NULL;
}

static int add_counters(struct model *m)
{
	struct object *o = calloc(1, sizeof(struct counters));
	int r;

	if (!o)
		return -ENOMEM;
	o->kind = KIND_COUNTERS;
	o->id = COUNTERS_ID;
	r = table_replace(m, NULL, o);
	if (r)
		record_free(o);
	return r;
}

static int name_zones(struct model *m)
{
	for (size_t i = 0; i < MODEL_ZONES; i++) {
		int r = str_printf(&m->zones[i], "%s%c", m->region, (char)('a' + i));

		if (r)
			return r;
	}
	return 0;
}

int model_new(const struct model_config *config, struct model **ret)
{
	_cleanup_(model_free_cleanup) struct model *m = NULL;
	int r;

	if (config->organisation.len != 32 ||
	    (config->ipv6_pool.len && (!cidr6_is_pool(&config->ipv6_pool) ||
				       prefix_overlaps(&config->ipv6_pool, &config->organisation))))
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	table_init(m);
	m->organisation = config->organisation;
	m->ipv6_pool = config->ipv6_pool;
	m->ids = config->ids;
	m->choice_at_once =
		config->choice_at_once ? config->choice_at_once : LIMIT_MODEL_CHOICE_AT_ONCE;
	m->region = strdup(config->region);
	if (!m->region)
		return -ENOMEM;
	r = name_zones(m);
	if (!r)
		r = mapping_table_new(&m->mappings);
	if (!r)
		r = holders_new(&m->holders);
	if (!r)
		r = add_counters(m);
	if (r)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

const char *model_region(const struct model *m)
{
	return m->region;
}

const char *model_zone(const struct model *m, size_t i)
{
	return m->zones[i];
}

uint64_t model_revision(const struct model *m)
{
	return m->revision;
}

size_t model_count(const struct model *m, enum kind k)
{
	return m->kinds[k].n;
}

bool caller_sees(const struct caller *c, const struct object *o)
{
	return c->is_operator || c->account == o->account;
}

const struct object *model_get(const struct model *m, enum kind k, uint64_t id)
{
	const struct hmap_node *n = hmap_first_at(&m->kinds[k].by_id, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct object *o = hmap_entry(n, const struct object, by_id);

		if (o->id == id)
			return o;
	}
	return NULL;
}

const struct mapping_table *model_mappings(const struct model *m)
{
	return m->mappings;
}

struct holders *model_holders(struct model *m)
{
	return m->holders;
}

size_t model_network_hosts(const struct model *m, uint32_t vni, const uint32_t **ret_numbers)
{
	const struct carried *n = carried_find(m, CARRIED_NETWORK, vni);

	*ret_numbers = n ? n->hosts : NULL;
	return n ? n->n_hosts : 0;
}

/* ---- iterating ---- */

static struct model_iter iter_of(const struct list *head, size_t offset)
{
	return (struct model_iter){.head = head, .at = head, .offset = offset};
}

static const struct object *iter_object(const struct model_iter *it, const struct list *l)
{
	return table_object_of_link(l, it->offset, it->part);
}

struct model_iter model_iter_kind(const struct model *m, enum kind k)
{
	return iter_of(&m->kinds[k].all, offsetof(struct object, by_kind));
}

static struct model_iter iter_group(const struct group *g, size_t offset)
{
	return iter_of(g ? &g->members : NULL, offset);
}

struct model_iter model_iter_account(const struct model *m, enum kind k, uint64_t account)
{
	return iter_group(group_find(m, REL_ACCOUNT, k, account), relation_offset(REL_ACCOUNT, k));
}

/* Every instance has interfaces, and most have one: so no group is kept for each, and who goes
 * through them looks for the next one among those of this hash. */
static struct model_iter iter_instance(const struct model *m, uint64_t instance)
{
	return (struct model_iter){.attachments = &m->unique[UNIQUE_ATTACHMENT_INSTANCE],
				   .key = instance,
				   .hash = hash_u64(instance)};
}

static bool is_behind(const struct object *o, uint64_t serial, uint64_t id)
{
	return o->serial != serial ? o->serial > serial : o->id > id;
}

static const struct object *next_attached(struct model_iter *it)
{
	const struct object *next = NULL;
	const struct attachment *a;

	hmap_for_each_at (a, it->attachments, it->hash, by_instance) {
		const struct object *o = &a->of->o;

		if (a->instance == it->key && (!it->begun || is_behind(o, it->serial, it->id)) &&
		    (!next || is_behind(next, o->serial, o->id)))
			next = o;
	}
	if (next) {
		it->begun = true;
		it->serial = next->serial;
		it->id = next->id;
	}
	return next;
}

static size_t count_attached(const struct model *m, uint64_t instance)
{
	struct model_iter it = iter_instance(m, instance);
	const struct attachment *a;
	size_t n = 0;

	hmap_for_each_at (a, it.attachments, it.hash, by_instance)
		n += a->instance == instance;
	return n;
}

struct model_iter model_iter_group(const struct model *m, enum relation r, uint64_t key)
{
	enum kind k = relation_kind(r);
	struct model_iter it;

	if (r == REL_INSTANCE_INTERFACES)
		return iter_instance(m, key);
	it = iter_group(group_find(m, r, k, key), relation_offset(r, k));
	it.part = relation_is_of_parts(r);
	return it;
}

size_t model_group_count(const struct model *m, enum relation r, uint64_t key)
{
	const struct group *g;

	if (r == REL_INSTANCE_INTERFACES)
		return count_attached(m, key);
	g = group_find(m, r, relation_kind(r), key);
	return g ? g->n : 0;
}

size_t model_account_count(const struct model *m, enum kind k, uint64_t account)
{
	const struct group *g = group_find(m, REL_ACCOUNT, k, account);

	return g ? g->n : 0;
}

const struct object *model_iter_next(struct model_iter *it)
{
	if (it->attachments)
		return next_attached(it);
	if (!it->head)
		return NULL;
	it->at = it->at->next;
	if (it->at == it->head) {
		it->at = it->head->prev; /* stays at the end */
		return NULL;
	}
	return iter_object(it, it->at);
}

/* The object's link, if 'base', it or a part of it, is in the list.  It may have left, or be in
 * another one: of another host, say. */
static const struct list *link_in_list(const void *base, const struct model_iter *it)
{
	const void *at = (const char *)base + it->offset;
	const struct list *link = at;
	const struct member *member =
		(const void *)((const char *)at - offsetof(struct member, link));

	if (!it->part && it->offset == offsetof(struct object, by_kind))
		return link;
	return member->group && &member->group->members == it->head ? link : NULL;
}

static const struct list *find_link(const struct object *o, const struct model_iter *it)
{
	const struct list *link = NULL;

	if (!o || !it->part)
		return o ? link_in_list(o, it) : NULL;
	for (size_t n = 0; !link && n < table_part_count(o); n++)
		link = link_in_list(table_part((struct object *)(uintptr_t)o, n), it);
	return link;
}

void model_iter_skip(const struct model *m, struct model_iter *it, enum kind k, uint64_t after_id,
		     uint64_t after_serial)
{
	const struct object *o = model_get(m, k, after_id);
	const struct list *link;

	if (it->attachments) {
		it->begun = true;
		it->serial = o ? o->serial : after_serial;
		it->id = after_id;
	}
	if (!it->head)
		return;
	link = find_link(o, it);
	if (link) {
		it->at = link;
		return;
	}
	for (const struct list *l = it->head->next; l != it->head; l = l->next) {
		o = iter_object(it, l);
		if (o->serial > after_serial)
			return;
		it->at = l;
	}
}
