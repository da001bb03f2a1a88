/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, loading and reading a model.  See model.h.
 */
#include "model/model.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/account.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/counters.h"
#include "model/egress_gateway.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/mapping_table.h"
#include "model/policy_records.h"
#include "model/record.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/table.h"
#include "model/token.h"
#include "model/vpc.h"

CLEANUP_DEFINE(struct object *, record_free);

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
	for (enum kind k = KIND_NONE; k < KIND_MAX; k++)
		list_init(&m->kinds[k].all);
	list_init(&m->idle_groups);
	list_init(&m->idle_carriers);
	list_init(&m->idle_group_sets);
	m->organisation = config->organisation;
	m->ipv6_pool = config->ipv6_pool;
	m->ids = config->ids;
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
	return c->operator|| c->account == o->account;
}

const struct object *model_get(const struct model *m, enum kind k, uint64_t id)
{
	const struct object *o;

	hmap_for_each_at (o, &m->kinds[k].by_id, hash_u64(id), by_id)
		if (o->id == id)
			return o;
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

uint64_t model_account_host_key(uint64_t account, uint32_t host)
{
	return account << 24 | host; /* 12 digits need 40 bits, HOST_NUMBER_MAX 24 */
}

/* ---- iterating ---- */

static struct model_iter iter_of(const struct list *head, size_t offset)
{
	return (struct model_iter){.head = head, .at = head, .offset = offset};
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

struct model_iter model_iter_group(const struct model *m, enum relation r, uint64_t key)
{
	enum kind k = relation_kind(r);

	return iter_group(group_find(m, r, k, key), relation_offset(r, k));
}

size_t model_group_count(const struct model *m, enum relation r, uint64_t key)
{
	const struct group *g = group_find(m, r, relation_kind(r), key);

	return g ? g->n : 0;
}

size_t model_account_count(const struct model *m, enum kind k, uint64_t account)
{
	const struct group *g = group_find(m, REL_ACCOUNT, k, account);

	return g ? g->n : 0;
}

const struct object *model_iter_next(struct model_iter *it)
{
	if (!it->head)
		return NULL;
	it->at = it->at->next;
	if (it->at == it->head) {
		it->at = it->head->prev; /* stays at the end */
		return NULL;
	}
	return (const struct object *)(const void *)((const char *)it->at - it->offset);
}

/* An object may have left the list, or be in another one: of another host, say. */
static bool is_in_list(const struct object *o, const struct model_iter *it)
{
	const struct member *member;

	if (it->offset == offsetof(struct object, by_kind))
		return true;
	member = (const struct member *)(const void *)((const char *)o + it->offset -
						       offsetof(struct member, link));
	return member->group && &member->group->members == it->head;
}

void model_iter_skip(const struct model *m, struct model_iter *it, enum kind k, uint64_t after_id,
		     uint64_t after_serial)
{
	const struct object *o = model_get(m, k, after_id);

	if (!it->head)
		return;
	if (o && is_in_list(o, it)) {
		it->at = (const struct list *)(const void *)((const char *)o + it->offset);
		return;
	}
	for (const struct list *l = it->head->next; l != it->head; l = l->next) {
		o = (const struct object *)(const void *)((const char *)l - it->offset);
		if (o->serial > after_serial)
			return;
		it->at = l;
	}
}

/* ---- loading ---- */

void model_load_begin(struct model *m, size_t n_records)
{
	/* of the kinds that there may be many of; memory that stays unused is never touched */
	hmap_reserve(&m->kinds[KIND_INTERFACE].by_id, n_records);
	hmap_reserve(&m->unique[UNIQUE_MAC], n_records);
	if (mapping_table_reserve(m->mappings, n_records))
		return; /* then it grows step by step, or fails where it is needed */
}

static bool has_strings(const char *const *strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strings[i])
			return false;
	return true;
}

/* What the rest relies on, and a record of another origin may lack. */
static bool is_sound(const struct model *m, const struct object *o)
{
	const struct interface *i = (const struct interface *)o;
	const struct instance *n = (const struct instance *)o;
	const struct key *k = (const struct key *)o;
	const struct host *h = (const struct host *)o;
	const struct token *t = (const struct token *)o;
	const struct mapping *owner;

	switch (o->kind) {
	case KIND_KEY:
		return has_strings((const char *const[]){k->access_key_id, k->secret}, 2);
	case KIND_HOST:
		return has_strings((const char *const[]){h->name, h->zone}, 2) && h->number &&
		       h->number <= HOST_NUMBER_MAX;
	case KIND_VPC:
		return ((const struct vpc *)o)->n_blocks && ((const struct vpc *)o)->tenancy;
	case KIND_SUBNET:
		return ((const struct subnet *)o)->zone &&
		       cidr_is_allowed(&((const struct subnet *)o)->prefix);
	case KIND_INTERFACE:
		for (size_t a = 0; a < i->n_addrs; a++) {
			owner = mapping_find(m->mappings, i->vni, &i->addrs[a].addr);
			if (owner && owner->interface != o->id)
				return false;
		}
		return i->n_addrs && i->n_addrs <= 2 * LIMIT_MODEL_INTERFACE_ADDRS &&
		       ipaddr_is_v4(&i->addrs[0].addr) &&
		       i->n_groups <= LIMIT_MODEL_INTERFACE_GROUPS;
	case KIND_INSTANCE:
		return has_strings((const char *const[]){n->image, n->type, n->driver, n->zone}, 4);
	case KIND_SECURITY_GROUP:
	case KIND_SECURITY_GROUP_RULE:
	case KIND_NETWORK_ACL:
	case KIND_PREFIX_LIST:
		return policy_is_sound(o);
	case KIND_TOKEN:
		return has_strings((const char *const[]){t->operation, t->token}, 2);
	default:
		return true;
	}
}

static int load_deleted(struct model *m, struct object *old)
{
	int r = old ? table_replace(m, old, NULL) : 0;

	if (!r)
		record_free(old);
	return r;
}

int model_load(struct model *m, enum kind k, uint64_t id, const void *data, size_t size)
{
	_cleanup_(record_free_cleanup) struct object *new = NULL;
	struct object *old;
	int r;

	if (k <= KIND_NONE || k >= KIND_MAX)
		return -EBADMSG;
	m->loading = true;
	old = (struct object *)(uintptr_t)model_get(m, k, id);
	if (!size)
		return load_deleted(m, old);
	r = record_decode(k, id, data, size, &new);
	if (!r && !is_sound(m, new))
		r = -EBADMSG;
	if (!r)
		r = table_replace(m, old, new);
	if (r)
		return r;
	if (new->serial > m->last_serial)
		m->last_serial = new->serial;
	new = NULL;
	record_free(old);
	return 0;
}

static bool is_table_of(const struct model *m, uint64_t table, uint64_t vpc)
{
	const struct object *o = model_get(m, KIND_ROUTE_TABLE, table);

	return !table || (o && ((const struct route_table *)o)->vpc == vpc);
}

/* The same for ways out of networks. */
static bool ways_hold(const struct model *m, const struct object *o)
{
	const struct route_table *t = (const struct route_table *)o;
	const struct internet_gateway *g = (const struct internet_gateway *)o;

	switch (o->kind) {
	case KIND_VPC:
		return is_table_of(m, ((const struct vpc *)o)->main_table, o->id) &&
		       (!((const struct vpc *)o)->dhcp_options ||
			model_get(m, KIND_DHCP_OPTIONS, ((const struct vpc *)o)->dhcp_options));
	case KIND_SUBNET:
		return is_table_of(m, ((const struct subnet *)o)->table,
				   ((const struct subnet *)o)->vpc);
	case KIND_ROUTE_TABLE:
		return t->number && model_get(m, KIND_VPC, t->vpc);
	case KIND_INTERNET_GATEWAY:
		return g->handle.number && (!g->vpc || model_get(m, KIND_VPC, g->vpc));
	case KIND_EGRESS_GATEWAY:
		return ((const struct egress_gateway *)o)->handle.number &&
		       model_get(m, KIND_VPC, ((const struct egress_gateway *)o)->vpc);
	default:
		return true;
	}
}

/* Every object that another one names must be there. */
static bool references_hold(const struct model *m, const struct object *o)
{
	const struct interface *i = (const struct interface *)o;
	const struct instance *n = (const struct instance *)o;
	const struct vpc *v;

	if (!ways_hold(m, o))
		return false;
	switch (o->kind) {
	case KIND_SUBNET:
		v = (const struct vpc *)model_get(m, KIND_VPC, ((const struct subnet *)o)->vpc);
		return v && v->vni == ((const struct subnet *)o)->vni &&
		       policy_references_hold(m, o);
	case KIND_INTERFACE:
		if (i->attachment.state != ATTACHMENT_NONE &&
		    !model_get(m, KIND_INSTANCE, i->attachment.instance))
			return false;
		if (i->host && !host_by_number(m, i->host))
			return false;
		return model_get(m, KIND_SUBNET, i->subnet) && model_get(m, KIND_VPC, i->vpc) &&
		       policy_references_hold(m, o);
	case KIND_INSTANCE:
		return !n->host || host_by_number(m, n->host);
	case KIND_KEY:
		return model_get(m, KIND_ACCOUNT, o->account);
	case KIND_VPC:
	case KIND_SECURITY_GROUP:
	case KIND_SECURITY_GROUP_RULE:
	case KIND_NETWORK_ACL:
		return policy_references_hold(m, o);
	default:
		return true;
	}
}

int model_load_end(struct model *m, uint64_t revision)
{
	int r = table_sort(m);

	if (r)
		return r;
	m->loading = false;
	m->revision = revision;
	table_reclaim(m);
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct model_iter it = model_iter_kind(m, k);
		const struct object *o;

		while ((o = model_iter_next(&it)))
			if (!references_hold(m, o))
				return -EBADMSG;
	}
	return 0;
}
