/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a model from records: see model.h.
 *
 * A model of a million records is in memory larger than any cache, and each record finds its places in some
 * ten tables: what is decoded waits for a few others, and then what all of them will touch is fetched
 * together, before they are put in one after another.
 */
#include "base/limits.h"
#include "model/account.h"
#include "model/cidr.h"
#include "model/egress_gateway.h"
#include "model/flow_log.h"
#include "model/host.h"
#include "model/insights.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/mapping_table.h"
#include "model/mirror.h"
#include "model/policy_records.h"
#include "model/record.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/table.h"
#include "model/token.h"
#include "model/vpc.h"

enum { PREFETCH_STAGES = 2 };

void model_load_begin(struct model *m, size_t n_records)
{
	/* of the kinds that there may be many of; memory that stays unused is never touched */
	hmap_reserve(&m->kinds[KIND_INTERFACE].by_id, n_records);
	hmap_reserve(&m->kinds[KIND_INSTANCE].by_id, n_records);
	hmap_reserve(&m->unique[UNIQUE_MAC], n_records);
	hmap_reserve(&m->unique[UNIQUE_ATTACHMENT], n_records);
	hmap_reserve(&m->groups, n_records);
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

/* Each to another instance, on another host. */
static bool attachments_are_sound(const struct interface *i)
{
	if (i->attachment.state == ATTACHMENT_NONE)
		return !i->n_others && !i->attachment.host && !i->attachment.plugged;
	if (attachment_is_foreign(&i->attachment))
		return !i->n_others && !i->shared && i->attachment.host && i->attachment.plugged &&
		       i->attachment.state == ATTACHMENT_ATTACHED;
	if (i->n_others && (!i->shared || i->n_others >= LIMIT_MODEL_ATTACHMENTS))
		return false;
	for (size_t n = 1; n <= i->n_others; n++) {
		const struct attachment *a = interface_attachment(i, n);

		if (a->state == ATTACHMENT_NONE || interface_attachment_to(i, a->instance) != a ||
		    (a->host && interface_attachment_at(i, a->host) != a))
			return false;
	}
	return true;
}

/* What the rest relies on, and a record of another origin may lack. */
static bool is_sound(const struct object *o)
{
	const struct interface *i = (const struct interface *)o;
	const struct instance *n = (const struct instance *)o;
	const struct key *k = (const struct key *)o;
	const struct host *h = (const struct host *)o;
	const struct token *t = (const struct token *)o;

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
		return attachments_are_sound(i) && i->n_addrs &&
		       i->n_addrs <= 2 * LIMIT_MODEL_INTERFACE_ADDRS &&
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
	case KIND_PLACEMENT_GROUP:
		return ((const struct placement_group *)o)->name &&
		       ((const struct placement_group *)o)->partitions <= PLACEMENT_PARTITIONS_MAX;
	default:
		return true;
	}
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
 * Within one change an address may go from one interface to another, in whatever order the two are stored;
 * and a later version of either may follow.  So who comes too early waits: for the other's next version, or
 * for the end, when all are there.
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

/* Takes the version of an object that is in the model out. */
static int take_out(struct model *m, enum kind k, uint64_t id)
{
	struct object *old = (struct object *)(uintptr_t)model_get(m, k, id);
	int r = old ? table_replace(m, old, NULL) : 0;

	if (!r)
		record_free(old);
	return r;
}

static int load_one(struct model *m, struct object *new)
{
	struct object *old = (struct object *)(uintptr_t)model_get(m, new->kind, new->id);
	int r;

	forget_deferred(m, new->kind, new->id);
	if (!addrs_are_free(m, new))
		return defer(m, new);
	r = table_replace(m, old, new);
	if (r)
		return r;
	if (new->serial > m->last_serial)
		m->last_serial = new->serial;
	record_free(old);
	return 0;
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

	for (unsigned int stage = 0; stage < PREFETCH_STAGES; stage++)
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

/* Those that still wait at the end may wait for each other: all of them leave their places first. */
static int load_last(struct model *m)
{
	int r = 0;

	for (size_t i = 0; i < m->n_deferred && !r; i++)
		r = take_out(m, m->deferred[i]->kind, m->deferred[i]->id);
	if (!r)
		r = load_deferred(m);
	return r || !m->n_deferred ? r : -EBADMSG;
}

int model_load(struct model *m, enum kind k, uint64_t id, const void *data, size_t size)
{
	struct object *new;
	int r;

	if (k <= KIND_NONE || k >= KIND_MAX)
		return -EBADMSG;
	m->loading = true;
	if (m->n_arriving == ARRAY_SIZE(m->arriving) || !size) {
		r = load_arrived(m);
		if (r)
			return r;
	}
	if (!size) {
		forget_deferred(m, k, id);
		return take_out(m, k, id);
	}
	r = record_decode(k, id, data, size, &new);
	if (r)
		return r;
	if (!is_sound(new)) {
		record_free(new);
		return -EBADMSG;
	}
	m->arriving[m->n_arriving++] = new;
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

/* The same for what watches interfaces. */
static bool watchers_hold(const struct model *m, const struct object *o)
{
	const struct flow_log *f = (const struct flow_log *)o;
	const struct mirror_session *s = (const struct mirror_session *)o;

	switch (o->kind) {
	case KIND_FLOW_LOG:
		return (f->resource_kind == KIND_VPC || f->resource_kind == KIND_SUBNET ||
			f->resource_kind == KIND_INTERFACE) &&
		       model_get(m, f->resource_kind, f->resource);
	case KIND_MIRROR_TARGET:
		return model_get(m, KIND_INTERFACE, ((const struct mirror_target *)o)->interface);
	case KIND_MIRROR_SESSION:
		return model_get(m, KIND_INTERFACE, s->interface) &&
		       model_get(m, KIND_MIRROR_TARGET, s->target) &&
		       model_get(m, KIND_MIRROR_FILTER, s->filter);
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

	if (!ways_hold(m, o) || !watchers_hold(m, o))
		return false;
	switch (o->kind) {
	case KIND_SUBNET:
		v = (const struct vpc *)model_get(m, KIND_VPC, ((const struct subnet *)o)->vpc);
		return v && v->vni == ((const struct subnet *)o)->vni &&
		       policy_references_hold(m, o);
	case KIND_INTERFACE:
		for (size_t k = 0; k < interface_attachment_count(i); k++) {
			const struct attachment *a = interface_attachment(i, k);

			const struct host *h = host_by_number(m, a->host);

			if ((a->host && !h) || (attachment_is_foreign(a)
							? !h || !h->foreign
							: !model_get(m, KIND_INSTANCE, a->instance)))
				return false;
		}
		return model_get(m, KIND_SUBNET, i->subnet) && model_get(m, KIND_VPC, i->vpc) &&
		       policy_references_hold(m, o);
	case KIND_INSTANCE:
		return (!n->host || host_by_number(m, n->host)) &&
		       (!n->placement_group || n->state == INSTANCE_TERMINATED ||
			model_get(m, KIND_PLACEMENT_GROUP, n->placement_group));
	case KIND_INSIGHTS_ANALYSIS:
		return model_get(m, KIND_INSIGHTS_PATH,
				 ((const struct insights_analysis *)o)->path);
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

static void prefetch_references(const struct model *m, const struct object *o, unsigned int stage)
{
	const struct interface *i = (const struct interface *)o;

	if (o->kind == KIND_INTERFACE && i->attachment.instance)
		table_prefetch_id(m, KIND_INSTANCE, i->attachment.instance, stage);
}

static int check_references(const struct model *m, enum kind k)
{
	struct model_iter it = model_iter_kind(m, k);
	const struct object *some[MODEL_LOAD_BATCH];
	size_t n;

	do {
		for (n = 0; n < ARRAY_SIZE(some); n++) {
			some[n] = model_iter_next(&it);
			if (!some[n])
				break;
		}
		for (unsigned int stage = 0; stage < PREFETCH_STAGES; stage++)
			for (size_t i = 0; i < n; i++)
				prefetch_references(m, some[i], stage);
		for (size_t i = 0; i < n; i++)
			if (!references_hold(m, some[i]))
				return -EBADMSG;
	} while (n);
	return 0;
}

int model_load_end(struct model *m, uint64_t revision)
{
	int r = load_arrived(m);

	if (!r)
		r = load_last(m);
	if (!r)
		r = table_sort(m);
	if (r)
		return r;
	m->loading = false;
	m->revision = revision;
	table_reclaim(m);
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX && !r; k++)
		r = check_references(m, k);
	return r;
}
