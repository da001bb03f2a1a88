/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each host has to have, whole.  See plan.h; the differences are in plan_change.c.
 */
#include "model/plan.h"

#include <stdio.h>
#include <string.h>

#include "model/group_set.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/label.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/plan_items.h"
#include "model/preload.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/subnet_router.h"
#include "model/table.h"
#include "model/unknown_mac.h"
#include "model/vpc.h"

/* The address of the network's router on the link: dummy, the same in all subnets of a network. */
static struct mac plan_router_mac(uint32_t vni)
{
	/* locally administered, and not of those that interfaces get, which begin with 02 */
	return (struct mac){
		{0x0a, 0x56, (uint8_t)(vni >> 16), (uint8_t)(vni >> 8), (uint8_t)vni, 0x01}};
}

/* Its IPv6 address there. */
static struct ipaddr plan_router_link_local(uint32_t vni)
{
	const struct mac mac = plan_router_mac(vni);

	return interface_link_local_of(&mac);
}

bool plan_has_instance(const struct instance *n, uint32_t *ret_host)
{
	*ret_host = n->host;
	return n->host && n->state != INSTANCE_SHUTTING_DOWN && n->state != INSTANCE_TERMINATED;
}

void plan_host_item(const struct host *h, struct plan_item *ret)
{
	*ret = (struct plan_item){.kind = PLAN_HOST};
	ret->host = (struct plan_host){h->number, h->name, h->locators, h->edge};
}

void plan_subnet_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		      struct plan_item *ret)
{
	const struct route_table *table;

	*ret = (struct plan_item){.kind = PLAN_SUBNET};
	ret->subnet.vni = s->vni;
	ret->subnet.prefix = s->prefix;
	ret->subnet.router = subnet_router(s);
	ret->subnet.router_mac = plan_router_mac(s->vni);
	ret->subnet.resolver = vpc_resolver(v);
	ret->subnet.network = v->blocks[0].prefix;
	names_domain(m->region, ret->subnet.domain);
	ret->subnet.acl = s->acl_number;
	table = route_table_of(m, s);
	ret->subnet.table = table ? table->number : 0;
	ret->subnet.preloaded = preload_is_marked(v);
}

void plan_subnet6_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		       struct plan_item *ret)
{
	static const struct prefix none;

	plan_subnet_item(m, s, v, ret);
	ret->subnet.prefix = s->prefix6;
	ret->subnet.router = plan_router_link_local(s->vni);
	ret->subnet.resolver = none.addr;
	ret->subnet.network = v->n_blocks6 ? v->blocks6[0].prefix : none;
}

bool plan_has_link(const struct vpc *v)
{
	return v->n_blocks6;
}

void plan_link_item(const struct model *m, const struct vpc *v, struct plan_item *ret)
{
	*ret = (struct plan_item){.kind = PLAN_SUBNET};
	ret->subnet.vni = v->vni;
	ret->subnet.prefix = (struct prefix){{{0xfe, 0x80}}, 64};
	ret->subnet.router = plan_router_link_local(v->vni);
	ret->subnet.router_mac = plan_router_mac(v->vni);
	names_domain(m->region, ret->subnet.domain);
	ret->subnet.preloaded = preload_is_marked(v);
}

void plan_instance_item(const struct instance *n, struct plan_item *ret)
{
	*ret = (struct plan_item){.kind = PLAN_INSTANCE};
	object_id_text(&n->o, ret->instance.id);
	ret->instance.driver = n->driver;
	ret->instance.running = n->state == INSTANCE_PENDING || n->state == INSTANCE_RUNNING;
	ret->instance.generation = n->generation;
	names_host(&n->private_addr, ret->instance.name);
}

static void set_dhcp(struct plan_interface *p, const struct model *m, const struct vpc *v)
{
	struct dhcp_settings s = dhcp_settings_of(m, v);

	p->domain_name = s.domain;
	p->n_dns = s.n_dns;
	memcpy(p->dns_servers, s.dns, sizeof(s.dns));
	p->n_ntp = s.n_ntp;
	memcpy(p->ntp_servers, s.ntp, sizeof(s.ntp));
}

/* Whom it is attached to. */
static void set_owner(const struct model *m, const struct attachment *a, struct plan_interface *p)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(m, KIND_NAT_GATEWAY, a->gateway);

	if (g) {
		object_id_text(&g->o, p->instance_id);
		p->gateway = g->handle.number;
	} else {
		id_text(KIND_INSTANCE, a->instance, p->instance_id);
	}
}

void plan_interface_item(const struct model *m, const struct interface *i,
			 const struct attachment *a, struct plan_item *ret)
{
	const struct subnet *s = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, i->vpc);
	struct plan_interface *p = &ret->interface;

	*ret = (struct plan_item){.kind = PLAN_INTERFACE};
	object_id_text(&i->o, p->id);
	set_owner(m, a, p);
	p->device_index = a->device_index;
	p->shared = i->shared;
	p->standby = a->standby;
	p->vni = i->vni;
	p->mac = i->mac;
	p->mtu = v->mtu;
	for (size_t n = 0; n < i->n_addrs; n++)
		if (!i->addrs[n].arriving) {
			p->labels[p->n_addrs] = i->host_set ? 0
							    : label_of(m, i->vni, &i->addrs[n].addr,
								       interface_addr_host(i, n));
			p->addrs[p->n_addrs++] = i->addrs[n].addr;
		}
	p->addrs[p->n_addrs++] = interface_link_local(i);
	p->subnet = s->prefix;
	names_host(&i->addrs[0].addr, p->host_name);
	p->dns = v->dns_support;
	p->resolves = unknown_mac_is_resolved(v);
	p->vlan = i->vlan;
	p->forwards = !i->source_dest_check;
	p->handle = i->handle.number;
	plan_exits(m, i, p);
	plan_watchers(m, i, p);
	for (uint32_t n = 0; i->group_set && n < i->group_set->n; n++)
		p->groups[p->n_groups++] = i->group_set->numbers[n];
	p->disabled = i->condition == INTERFACE_DISABLED;
	set_dhcp(p, m, v);
	p->n_routes = i->n_routes;
	p->routes = i->routes;
	if (!ipaddr_is_zero(&i->dns_server)) {
		p->n_dns = 1;
		p->dns_servers[0] = i->dns_server;
	}
}

static int plan_hosts(const struct model *m, const struct host *self, plan_sink_fn sink, void *data)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	_cleanup_(plan_variants_deinit) struct plan_variants variants = {0};
	const struct object *o;
	struct plan_item item;
	int r;

	plan_host_item(self, &item);
	r = sink(data, self->number, &item);
	while (!r && (o = model_iter_next(&it))) {
		if (o == &self->o)
			continue;
		r = plan_peer_item(m, self, (const struct host *)o, &variants, &item);
		if (!r)
			r = sink(data, self->number, &item);
	}
	return r;
}

/* Those that subnets have. */
static int plan_network_acls(const struct model *m, const struct vpc *v, uint32_t host, bool remove,
			     plan_sink_fn sink, void *data)
{
	struct model_iter it = model_iter_group(m, REL_VPC_ACLS, v->o.id);
	_cleanup_(plan_rules_deinit) struct plan_rules rules = {};
	const struct object *o;
	struct plan_item item;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		if (!model_group_count(m, REL_ACL_SUBNETS, o->id))
			continue;
		r = plan_acl_item((const struct network_acl *)o, &rules, &item);
		item.remove = remove;
		if (!r)
			r = sink(data, host, &item);
	}
	return r;
}

int plan_network(const struct model *m, uint32_t vni, uint32_t host, bool remove, plan_sink_fn sink,
		 void *data)
{
	const struct vpc *v = vpc_by_vni(m, vni);
	struct model_iter it;
	const struct object *o;
	struct plan_item item;
	int r = 0;

	if (!v) /* what it had went before it, each by itself */
		return 0;
	r = plan_network_acls(m, v, host, remove, sink, data);
	if (!r)
		r = plan_network_ways(m, v, host, remove, sink, data);
	it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	while (!r && (o = model_iter_next(&it))) {
		plan_subnet_item(m, (const struct subnet *)o, v, &item);
		item.remove = remove;
		r = sink(data, host, &item);
		if (r || !subnet_has_block6((const struct subnet *)o))
			continue;
		plan_subnet6_item(m, (const struct subnet *)o, v, &item);
		item.remove = remove;
		r = sink(data, host, &item);
	}
	if (!r && plan_has_link(v)) {
		plan_link_item(m, v, &item);
		item.remove = remove;
		r = sink(data, host, &item);
	}
	return r;
}

static int plan_networks(const struct model *m, const struct host *self, plan_sink_fn sink,
			 void *data)
{
	struct carrier *c;
	int r = 0;

	hmap_for_each (c, &m->carriers, node)
		if (!r && c->carried->kind == CARRIED_NETWORK && c->host == self->number && c->n)
			r = plan_network(m, c->carried->number, self->number, false, sink, data);
	return r;
}

static int plan_nodes(const struct model *m, const struct host *self, plan_sink_fn sink, void *data)
{
	struct model_iter instances = model_iter_group(m, REL_HOST_INSTANCES, self->number);
	struct model_iter interfaces = model_iter_group(m, REL_HOST_INTERFACES, self->number);
	const struct object *o;
	struct plan_item item;
	uint32_t host;
	int r = 0;

	while (!r && (o = model_iter_next(&instances))) {
		if (!plan_has_instance((const struct instance *)o, &host))
			continue;
		plan_instance_item((const struct instance *)o, &item);
		r = sink(data, self->number, &item);
	}
	while (!r && (o = model_iter_next(&interfaces))) {
		const struct interface *i = (const struct interface *)o;

		plan_interface_item(m, i, interface_attachment_at(i, self->number), &item);
		r = sink(data, self->number, &item);
	}
	return r;
}

int plan_full(const struct model *m, uint32_t host, plan_sink_fn sink, void *data)
{
	const struct host *self = host_by_number(m, host);
	int r;

	if (!self)
		return -ENOENT;
	r = plan_hosts(m, self, sink, data);
	if (!r)
		r = plan_networks(m, self, sink, data);
	if (!r)
		r = plan_host_groups(m, host, sink, data);
	if (!r && self->edge)
		r = plan_edge(m, host, sink, data);
	if (!r)
		r = plan_nodes(m, self, sink, data);
	return r;
}
