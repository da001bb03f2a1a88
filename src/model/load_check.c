/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loaded record must be.  See load_check.h.
 */
#include "model/load_check.h"

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
#include "model/mirror.h"
#include "model/policy_records.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/table.h"
#include "model/token.h"
#include "model/vpc.h"

static bool has_strings(const char *const *strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strings[i])
			return false;
	return true;
}

/* One of two stands by while an interface goes from one to the other; then alone there are two of
 * one that is not shared. */
static bool standby_is_sound(const struct interface *i)
{
	size_t n_standby = 0;

	for (size_t n = 0; n < interface_attachment_count(i); n++)
		n_standby += interface_attachment(i, n)->standby;
	return i->shared || !i->n_others ? !n_standby : i->n_others == 1 && n_standby;
}

/* Each to another instance, on another host. */
static bool attachments_are_sound(const struct interface *i)
{
	if (i->attachment.state == ATTACHMENT_NONE)
		return !i->n_others && !i->attachment.host && !i->attachment.plugged;
	if (attachment_is_foreign(&i->attachment))
		return !i->n_others && !i->shared && i->attachment.host && i->attachment.plugged &&
		       i->attachment.state == ATTACHMENT_ATTACHED;
	if (i->attachment.gateway)
		return !i->n_others && !i->shared && i->managed_by == i->attachment.gateway &&
		       !i->attachment.instance && i->attachment.plugged == !!i->attachment.host;
	if (i->n_others >= LIMIT_MODEL_ATTACHMENTS || !standby_is_sound(i))
		return false;
	for (size_t n = 1; n <= i->n_others; n++) {
		const struct attachment *a = interface_attachment(i, n);

		if (a->state == ATTACHMENT_NONE || interface_attachment_to(i, a->instance) != a ||
		    (a->host && interface_attachment_at(i, a->host) != a))
			return false;
	}
	return true;
}

bool load_is_sound(const struct object *o)
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
		return g->handle.number && (!g->vpc || model_get(m, KIND_VPC, g->vpc)) &&
		       is_table_of(m, g->table, g->vpc);
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

			if ((a->host && !h) ||
			    (attachment_is_foreign(a) ? !h || !h->foreign
			     : a->gateway             ? !model_get(m, KIND_NAT_GATEWAY, a->gateway)
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

/* In no order: the order of the lists is none of the memory. */
static int check_kind(const struct model *m, enum kind k)
{
	struct hmap_iter it = hmap_iter_begin(&m->kinds[k].by_id);
	const struct object *some[MODEL_LOAD_BATCH];
	size_t n;

	do {
		for (n = 0; n < ARRAY_SIZE(some) && hmap_iter_step(&it); n++) {
			some[n] = hmap_entry(it.current, const struct object, by_id);
			table_prefetch_object(some[n], k);
		}
		for (unsigned int stage = 0; stage < 2; stage++)
			for (size_t i = 0; i < n; i++)
				prefetch_references(m, some[i], stage);
		for (size_t i = 0; i < n; i++)
			if (!references_hold(m, some[i]))
				return -EBADMSG;
	} while (n);
	return 0;
}

int load_check_references(const struct model *m, enum model_load_part part)
{
	int r = 0;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX && !r; k++)
		if ((k == KIND_INSTANCE) == (part == MODEL_LOAD_INSTANCES))
			r = check_kind(m, k);
	return r;
}
