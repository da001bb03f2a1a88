/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What edges have in a plan: gateways and public addresses; and the exits of interfaces.  See
 * plan_items.h and plan_change.h.
 */
#include "model/drain.h"
#include "model/edge.h"
#include "model/egress_gateway.h"
#include "model/elastic.h"
#include "model/exit.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/plan_change.h"
#include "model/route_table.h"
#include "model/vpc.h"

/* ---- items ---- */

void plan_exits(const struct model *m, const struct interface *i, struct plan_interface *ret)
{
	const struct internet_gateway *g;

	if (!model_count(m, KIND_ADDRESS))
		return;
	g = internet_gateway_of(m, i->vpc);
	for (size_t n = 0; g && n < ret->n_addrs; n++) {
		const struct elastic *e = exit_public(m, i->vni, &ret->addrs[n]);

		if (e)
			ret->exits[ret->n_exits++] = (struct plan_exit){ret->addrs[n], e->public,
									e->edge, g->handle.number};
	}
}

static void internet_item(const struct model *m, const struct internet_gateway *g,
			  struct plan_item *ret)
{
	const struct route_table *t =
		(const struct route_table *)model_get(m, KIND_ROUTE_TABLE, g->table);

	*ret = (struct plan_item){.kind = PLAN_GATEWAY};
	ret->gateway.handle = g->handle.number;
	ret->gateway.kind = PLAN_GATEWAY_INTERNET;
	ret->gateway.vni = g->vni;
	ret->gateway.table = t ? t->number : 0;
	object_id_text(&g->o, ret->gateway.id);
}

static void egress_item(const struct egress_gateway *g, struct plan_item *ret)
{
	*ret = (struct plan_item){.kind = PLAN_GATEWAY};
	ret->gateway.handle = g->handle.number;
	ret->gateway.kind = PLAN_GATEWAY_EGRESS_ONLY;
	ret->gateway.vni = g->vni;
	object_id_text(&g->o, ret->gateway.id);
}

void plan_nat_gateway_item(const struct nat_gateway *g, struct plan_item *ret)
{
	*ret = (struct plan_item){.kind = PLAN_GATEWAY};
	ret->gateway = (struct plan_gateway){
		.handle = g->handle.number,
		.kind = g->is_private ? PLAN_GATEWAY_PRIVATE : PLAN_GATEWAY_NAT,
		.vni = g->vni,
		.public = g->is_private ? g->private_addr : g->public_addr,
		.port_first = NAT_PORT_FIRST,
		.port_last = NAT_PORT_LAST,
		.n_ports = g->n_ports,
		.ports = g->ports,
	};
	object_id_text(&g->o, ret->gateway.id);
}

static void put_formers(const struct model *m, const struct elastic *e, struct plan_public *ret)
{
	struct model_iter it = model_iter_group(m, REL_ADDRESS_DRAINS, e->o.id);
	const struct drain *d;

	while ((d = (const struct drain *)model_iter_next(&it)) &&
	       ret->n_formers < LIMIT_MODEL_DRAINS)
		ret->formers[ret->n_formers++] = d->private_addr;
}

/* False: there is nothing to be told to any edge. */
static bool public_item(const struct model *m, const struct elastic *e, struct plan_item *ret)
{
	const struct internet_gateway *g;

	if (!e->association || e->nat_gateway || !e->edge)
		return false;
	g = internet_gateway_of(m, e->vpc);
	if (!g)
		return false;
	*ret = (struct plan_item){.kind = PLAN_PUBLIC};
	ret->public.public = e->public;
	ret->public.vni = e->vni;
	ret->public.addr = e->private_addr;
	ret->public.handle = g->handle.number;
	object_id_text(&e->o, ret->public.id);
	put_formers(m, e, &ret->public);
	return true;
}

int plan_network_gateway(const struct model *m, const struct vpc *v, uint32_t host, bool remove,
			 plan_sink_fn sink, void *data)
{
	const struct internet_gateway *g = internet_gateway_of(m, v->o.id);
	struct plan_item item;

	if (!g || !edge_is(m, host))
		return 0;
	internet_item(m, g, &item);
	item.remove = remove;
	return sink(data, host, &item);
}

/* An address is a public one, or a NAT gateway's. */
static int plan_address(const struct model *m, const struct elastic *e, plan_sink_fn sink,
			void *data)
{
	const struct nat_gateway *g;
	struct plan_item item;

	if (!e->nat_gateway)
		return public_item(m, e, &item) ? sink(data, e->edge, &item) : 0;
	g = (const struct nat_gateway *)model_get(m, KIND_NAT_GATEWAY, e->nat_gateway);
	if (!g || !nat_gateway_serves(g))
		return 0;
	plan_nat_gateway_item(g, &item);
	return sink(data, g->edge, &item);
}

int plan_edge(const struct model *m, uint32_t host, plan_sink_fn sink, void *data)
{
	struct model_iter addresses = model_iter_group(m, REL_EDGE_ADDRESSES, host);
	struct model_iter gateways = model_iter_group(m, REL_EDGE_EGRESS_GATEWAYS, host);
	struct model_iter private = model_iter_group(m, REL_EDGE_NAT_GATEWAYS, host);
	const struct object *o;
	struct plan_item item;
	int r = 0;

	while (!r && (o = model_iter_next(&gateways))) {
		egress_item((const struct egress_gateway *)o, &item);
		r = sink(data, host, &item);
	}
	while (!r && (o = model_iter_next(&private))) {
		if (!nat_gateway_serves((const struct nat_gateway *)o))
			continue;
		plan_nat_gateway_item((const struct nat_gateway *)o, &item);
		r = sink(data, host, &item);
	}
	while (!r && (o = model_iter_next(&addresses)))
		r = plan_address(m, (const struct elastic *)o, sink, data);
	return r;
}

/* ---- changes ---- */

/* Of the interface that has the private address now. */
static int emit_exits(struct planner *p, uint32_t vni, const struct ipaddr *addr)
{
	const struct interface *i = vni ? interface_by_addr(p->m, vni, addr) : NULL;

	return i ? plan_interface_everywhere(p, i) : 0;
}

static int remove_public(struct planner *p, const struct elastic *e)
{
	struct plan_item item = {.kind = PLAN_PUBLIC};

	if (!e->association || e->nat_gateway || !e->edge)
		return 0;
	item.public.public = e->public;
	return planner_emit(p, e->edge, &item, true);
}

static bool same_association(const struct elastic *a, const struct elastic *b)
{
	return a->association == b->association && a->edge == b->edge && a->vni == b->vni &&
	       ipaddr_equal(&a->private_addr, &b->private_addr);
}

int plan_elastic_change(struct planner *p, const struct elastic *before,
			const struct elastic *after)
{
	struct plan_item item;
	int r = 0;

	if (before && after && same_association(before, after))
		return 0;
	if (before && (!after || !after->association || after->edge != before->edge))
		r = remove_public(p, before);
	if (!r && after && public_item(p->m, after, &item))
		r = planner_emit(p, after->edge, &item, false);
	if (!r && before)
		r = emit_exits(p, before->vni, &before->private_addr);
	if (!r && after)
		r = emit_exits(p, after->vni, &after->private_addr);
	return r;
}

int plan_drain_change(struct planner *p, const struct drain *before, const struct drain *after)
{
	const struct drain *d = after ? after : before;
	const struct elastic *e = (const struct elastic *)model_get(p->m, KIND_ADDRESS, d->address);
	struct plan_item item;
	int r = 0;

	if (before && after)
		return 0;
	if (e && public_item(p->m, e, &item))
		r = planner_emit(p, e->edge, &item, false);
	return r ? r : emit_exits(p, d->vni, &d->private_addr);
}

/* To the edges that serve the network, and for a removal to those that did until this change. */
static int emit_internet(struct planner *p, const struct internet_gateway *g, bool remove)
{
	const struct carried *c = carried_find(p->m, CARRIED_NETWORK, g->vni);
	struct plan_item item;
	int r = 0;

	internet_item(p->m, g, &item);
	for (size_t i = 0; c && i < c->n_hosts && !r; i++)
		if (edge_is(p->m, c->hosts[i]))
			r = planner_emit(p, c->hosts[i], &item, remove);
	for (size_t i = 0; i < p->n_deltas && remove && !r; i++)
		if (p->deltas[i].kind == CARRIED_NETWORK && p->deltas[i].number == g->vni &&
		    edge_is(p->m, p->deltas[i].host))
			r = planner_emit(p, p->deltas[i].host, &item, true);
	return r;
}

/* The network has got a gateway, or lost it: what was associated meanwhile works, or does not. */
static int emit_addresses(struct planner *p, uint64_t vpc)
{
	struct model_iter it = model_iter_group(p->m, REL_VPC_ADDRESSES, vpc);
	const struct elastic *e;
	struct plan_item item;
	int r = 0;

	while (!r && (e = (const struct elastic *)model_iter_next(&it))) {
		r = public_item(p->m, e, &item) ? planner_emit(p, e->edge, &item, false)
						: remove_public(p, e);
		if (!r)
			r = emit_exits(p, e->vni, &e->private_addr);
	}
	return r;
}

static int plan_attachment(struct planner *p, const struct internet_gateway *before,
			   const struct internet_gateway *after)
{
	int r = 0;

	if (before && before->vpc) {
		r = emit_internet(p, before, true);
		if (!r)
			r = emit_addresses(p, before->vpc);
	}
	if (!r && after && after->vpc) {
		r = emit_internet(p, after, false);
		if (!r)
			r = emit_addresses(p, after->vpc);
	}
	return r;
}

int plan_internet_gateway_change(struct planner *p, const struct internet_gateway *before,
				 const struct internet_gateway *after)
{
	const struct internet_gateway *any = after ? after : before;
	bool moved = !before || !after || before->vpc != after->vpc;
	int r = 0;

	if (moved)
		r = plan_attachment(p, before, after);
	else if (before->table != after->table && after->vpc)
		r = emit_internet(p, after, false);
	if (!moved && before->edge == after->edge)
		return r;
	if (!r && before && before->vpc)
		r = plan_tables_to(p, before->vpc, ROUTE_INTERNET_GATEWAY, any->o.id);
	if (!r && after && after->vpc)
		r = plan_tables_to(p, after->vpc, ROUTE_INTERNET_GATEWAY, any->o.id);
	return r;
}

int plan_egress_gateway_change(struct planner *p, const struct egress_gateway *before,
			       const struct egress_gateway *after)
{
	const struct egress_gateway *any = after ? after : before;
	struct plan_item item;
	int r = 0;

	if (before && after && before->edge == after->edge)
		return 0;
	egress_item(any, &item);
	if (before && before->edge)
		r = planner_emit(p, before->edge, &item, true);
	if (!r && after && after->edge)
		r = planner_emit(p, after->edge, &item, false);
	return r ? r : plan_tables_to(p, any->vpc, ROUTE_EGRESS_GATEWAY, any->o.id);
}

static bool same_ports(const struct nat_gateway *a, const struct nat_gateway *b)
{
	for (size_t i = 0; i < a->n_ports && a->n_ports == b->n_ports; i++)
		if (a->ports[i].protocol != b->ports[i].protocol ||
		    a->ports[i].public_port != b->ports[i].public_port ||
		    a->ports[i].port != b->ports[i].port ||
		    !ipaddr_equal(&a->ports[i].addr, &b->ports[i].addr))
			return false;
	return a->n_ports == b->n_ports;
}

int plan_nat_gateway_change(struct planner *p, const struct nat_gateway *before,
			    const struct nat_gateway *after)
{
	const struct nat_gateway *any = after ? after : before;
	uint32_t from = before && nat_gateway_serves(before) ? before->edge : 0;
	uint32_t to = after && nat_gateway_serves(after) ? after->edge : 0;
	struct plan_item item;
	int r = 0;

	if (before && after && from == to && same_ports(before, after))
		return 0;
	plan_nat_gateway_item(any, &item);
	if (from && from != to)
		r = planner_emit(p, from, &item, true);
	if (!r && to)
		r = planner_emit(p, to, &item, false);
	return r || from == to ? r : plan_tables_to(p, any->vpc, ROUTE_NAT_GATEWAY, any->o.id);
}
