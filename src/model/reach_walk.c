/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a packet through networks, gateways and nodes that send it on, and that of its answer.
 * See reach_trip.h; it is what the hosts' programs do (ARCHITECTURE.md, "The way of a packet").
 *
 * Where a rule ends the way, the rest is asked as if the packet had come to where it is for.
 */
#include "model/egress_gateway.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/reach_trip.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "model/vpc_block6.h"

static const struct subnet *subnet_of(const struct trip *t, const struct interface *i)
{
	return (const struct subnet *)model_get(t->m, KIND_SUBNET, i->subnet);
}

static bool subnet_has(const struct subnet *s, const struct ipaddr *a)
{
	return ipaddr_is_v4(a) ? prefix_contains(&s->prefix, a)
			       : subnet_has_block6(s) && prefix_contains(&s->prefix6, a);
}

/* The subnet of the network that the address is in, or NULL. */
static const struct subnet *subnet_at(const struct trip *t, uint64_t vpc, const struct ipaddr *a)
{
	struct model_iter it = model_iter_group(t->m, REL_VPC_SUBNETS, vpc);
	const struct subnet *s;

	while ((s = (const struct subnet *)model_iter_next(&it)))
		if (subnet_has(s, a))
			return s;
	return NULL;
}

/* The private NAT gateway whose interface it is; NULL: an ordinary one. */
static const struct nat_gateway *translator_of(const struct trip *t, const struct interface *i)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(t->m, KIND_NAT_GATEWAY, i->managed_by);

	return g && g->is_private ? g : NULL;
}

/* One to one: the private address, an edge has the public one of. */
static const struct elastic *public_of(const struct trip *t, uint32_t vni, const struct ipaddr *a)
{
	const struct elastic *e = elastic_by_private(t->m, vni, a);

	return e && e->edge && !e->nat_gateway ? e : NULL;
}

static const struct reach_end *end_of_way(const struct trip *t)
{
	return t->back ? &t->q->from : &t->to;
}

/* It may end anywhere. */
static bool is_open(const struct trip *t)
{
	return !end_of_way(t)->interface && !end_of_way(t)->gateway;
}

/* ---- into a node ---- */

/* The packet of another node, or of the world ('from' NULL), at the interface of a node: the ACL,
 * then the groups.  Of what a route leads to an interface ('led') hosts compare subnets by the IPv4
 * blocks alone. */
static void judge_in(struct trip *t, const struct reach_place *from, const struct interface *to,
		     bool led)
{
	bool own = from && !from->forwarded && !from->outside;

	if (!own || from->at->subnet != to->subnet || (led && !ipaddr_is_v4(&t->packet.dst)))
		trip_add_acl(t, to, false);
	trip_add_groups(t, to, own ? from->at : NULL, false);
}

/* At the end, which was found, or is supposed. */
static void arrive(struct trip *t, const struct reach_place *from, const struct interface *to)
{
	judge_in(t, from, to, false);
	if (t->back)
		return;
	trip_add_interface(t, to);
	t->arrived = true;
	t->seen = t->packet;
}

/* Where no way led: as if it had come there. */
static void suppose(struct trip *t, const struct reach_place *from)
{
	const struct interface *to = end_of_way(t)->interface;

	if (to)
		arrive(t, from, to);
}

/* ---- out to the world ---- */

/* Whether the world has what the packet is for.  Where the question names a gateway it has. */
static enum reach_code check_outside(const struct trip *t)
{
	const struct prefix private[] = {prefix_v4(0x0a000000, 8), prefix_v4(0xac100000, 12),
					 prefix_v4(0xc0a80000, 16)};
	const struct prefix shared = prefix_v4(0x64400000, 10);
	const struct prefix *pool = vpc_block6_pool(t->m);
	const struct ipaddr *dst = &t->packet.dst;

	if (elastic_by_public(t->m, dst))
		return REACH_REFLECTED;
	if (!is_open(t))
		return REACH_PASSES;
	for (size_t i = 0; i < ARRAY_SIZE(private); i++)
		if (prefix_contains(&private[i], dst))
			return REACH_PRIVATE_OUTSIDE;
	if (prefix_contains(&shared, dst))
		return REACH_SHARED_OUTSIDE;
	return pool && prefix_contains(pool, dst) ? REACH_REFLECTED : REACH_PASSES;
}

static enum reach_code check_internet(const struct trip *t, const struct reach_place *p,
				      uint64_t id)
{
	const struct internet_gateway *g = end_of_way(t)->gateway;

	if (!is_open(t) && (!g || g->o.id != id))
		return REACH_NO_DESTINATION;
	if (ipaddr_is_v4(&t->packet.dst) && !public_of(t, p->at->vni, &t->packet.src))
		return REACH_NO_PUBLIC_EGRESS;
	return t->by.gateway ? REACH_NO_INGRESS : check_outside(t);
}

/* NAT and egress-only gateways.  What the world began goes back as it came: translated otherwise it
 * would not be known, and by an egress-only gateway the first packet had not come in. */
static enum reach_code check_gateway(const struct trip *t, const struct reach_place *p, enum kind k,
				     uint64_t id)
{
	const struct internet_gateway *g = end_of_way(t)->gateway;

	if (!is_open(t) && (!g || g->vpc != p->at->vpc))
		return REACH_NO_DESTINATION;
	if (t->back && !trip_answers_by(t, id) &&
	    (k == KIND_NAT_GATEWAY || p->at == t->to.interface))
		return REACH_NO_INGRESS;
	return check_outside(t);
}

/* As the world gets it, by the gateway of 't->out_kind'. */
static void note_outside(struct trip *t, const struct elastic *public)
{
	const struct nat_gateway *g =
		t->out_kind == KIND_NAT_GATEWAY
			? (const struct nat_gateway *)model_get(t->m, t->out_kind, t->out_id)
			: NULL;

	t->arrived = true;
	t->seen = t->packet;
	if (g) {
		t->seen.src = g->public_addr;
		t->remapped = true;
	} else if (public && ipaddr_is_v4(&t->packet.dst)) {
		t->seen.src = public->public;
	}
}

static void leave(struct trip *t, const struct reach_place *p, const struct reach_way *way)
{
	bool internet = way->hop.way == WAY_INTERNET;
	enum kind k = way->step.target_kind;
	enum reach_code code = internet ? check_internet(t, p, way->step.target)
					: check_gateway(t, p, k, way->step.target);
	struct reach_edge edge = {
		.host = way->hop.host, .vni = p->at->vni, .kind = k, .id = way->step.target};
	const struct elastic *e = public_of(t, p->at->vni, &t->packet.src);

	if (internet && ipaddr_is_v4(&t->packet.dst))
		edge.host = e ? e->edge : 0;
	trip_add_gateway(t, k, way->step.target, code);
	if (k == KIND_NAT_GATEWAY && ipaddr_is_v4(&t->packet.dst))
		trip_add_outer(t, (const struct nat_gateway *)model_get(t->m, k, way->step.target));
	if (code == REACH_PASSES)
		trip_add_carrier_out(t, p, &edge);
	t->out = way->hop.way;
	t->out_kind = k;
	t->out_id = way->step.target;
	if (!t->back && !t->to.interface)
		note_outside(t, e);
	suppose(t, p);
}

/* ---- from node to node ---- */

/* What is asked where a node sends, before the packet is on its way.  'to': whose groups its host
 * knows from the mapping; 'inside': it stays in the subnet. */
static void judge_out(struct trip *t, const struct reach_place *p, const struct interface *to,
		      bool inside)
{
	trip_add_groups(t, p->at, to, true);
	if (!inside)
		trip_add_acl(t, p->at, true);
}

/* At the static port of a private NAT gateway by which it is asked about: true, and '*p' is the
 * packet behind it, with the source that it had.  Hosts take that for an address of another network
 * alone: one of this has a node of its own (bpf/lib/ingress.h). */
static bool enter_private(struct trip *t, struct reach_place *p, const struct interface *to)
{
	const struct nat_gateway *g = translator_of(t, to);

	if (t->back || !g || t->by.gateway != g || t->forwarded ||
	    !ipaddr_equal(&t->packet.dst, &g->private_addr))
		return false;
	judge_in(t, p, to, false);
	trip_add_gateway(t, KIND_NAT_GATEWAY, g->o.id,
			 subnet_at(t, g->vpc, &t->packet.src) ? REACH_NO_INGRESS : REACH_PASSES);
	t->packet.dst = t->by.port->addr;
	t->packet.dst_port = (uint16_t)t->by.port->port;
	t->forwarded = true;
	*p = (struct reach_place){.at = to, .outside = true};
	return true;
}

/* To the interface that has the address, in 'p->at's network or a peered one.  True: that was a
 * private NAT gateway's, and '*p' is the packet behind it. */
static bool deliver(struct trip *t, struct reach_place *p, const struct interface *to)
{
	const struct reach_translation *last;

	trip_add_carrier(t, p, to);
	if (is_open(t) && !translator_of(t, to))
		t->to.interface = to;
	if (to == end_of_way(t)->interface && !translator_of(t, to)) {
		if (t->back && t->forwarded) /* from whom nothing was asked */
			trip_add_gateway(t, KIND_NAT_GATEWAY, t->by.gateway->o.id,
					 REACH_NO_INGRESS);
		arrive(t, p, to);
		return false;
	}
	if (enter_private(t, p, to))
		return true;
	last = t->n_translations ? &t->translations[t->n_translations - 1] : NULL;
	if (!t->back || !last || last->by != to) {
		trip_add_gateway(t, KIND_INTERFACE, to->o.id, REACH_NO_DESTINATION);
		suppose(t, p);
		return false;
	}
	judge_in(t, p, to, false);
	t->packet.dst = last->addr;
	t->n_translations--;
	*p = (struct reach_place){.at = to, .outside = true};
	return true;
}

/* To a private NAT gateway, which sends it on as its own; what answers somebody is not taken for
 * the beginning of anything, but for the answer that it is if it came in there.  As deliver(). */
static bool translate(struct trip *t, struct reach_place *p, const struct reach_step *route)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(t->m, route->target_kind, route->target);
	const struct interface *by =
		(const struct interface *)model_get(t->m, KIND_INTERFACE, g->interface);
	bool fits = t->n_translations < REACH_HOPS_MAX && by != p->at;
	bool answers = trip_answers_by(t, g->o.id);

	trip_add_gateway(t, KIND_NAT_GATEWAY, g->o.id,
			 t->back && !answers ? REACH_NO_INGRESS
			 : fits              ? REACH_PASSES
					     : REACH_NO_DESTINATION);
	if ((t->back && !answers) || !fits) {
		suppose(t, p);
		return false;
	}
	trip_add_carrier(t, p, by);
	judge_in(t, p, by, true);
	if (answers) {
		t->packet.src_port = (uint16_t)t->by.port->public_port;
		t->forwarded = false;
	} else {
		t->translations[t->n_translations++] =
			(struct reach_translation){by, t->packet.src};
		t->remapped = true;
	}
	t->packet.src = by->addrs[0].addr;
	*p = (struct reach_place){.at = by};
	return true;
}

/* To a node that sends it on, unless it is for itself.  As deliver(). */
static bool forward(struct trip *t, struct reach_place *p, const struct interface *by)
{
	if (interface_has_addr(by, &t->packet.dst))
		return deliver(t, p, by);
	trip_add_carrier(t, p, by);
	judge_in(t, p, by, true);
	trip_add_interface(t, by);
	*p = (struct reach_place){.at = by, .forwarded = true};
	return true;
}

static enum reach_code check_forwarder(const struct reach_place *p, const struct interface *by,
				       const struct trip *t)
{
	if (interface_has_addr(by, &t->packet.dst))
		return REACH_PASSES;
	return by == p->at             ? REACH_NO_DESTINATION
	       : by->source_dest_check ? REACH_SOURCE_DEST_CHECK
				       : REACH_PASSES;
}

/* Where the node's own subnet or its router leads; 'to' for what stays in the network. */
struct next {
	bool link; /* straight, by no router */
	bool inside;
	const struct interface *to, *by;
	struct reach_way way;
};

static struct next find_next(struct trip *t, const struct reach_place *p)
{
	const struct subnet *own = subnet_of(t, p->at);
	const struct subnet *its = subnet_at(t, p->at->vpc, &t->packet.dst);
	const struct route_table *table = route_table_of(t->m, own);
	struct next n = {.link = its == own && !translator_of(t, p->at)};

	if (!n.link)
		n.way = trip_find_way(t, table, KIND_SUBNET, own->o.id);
	if (!table && its) {
		n.way.local = true;
		n.way.step.code = REACH_PASSES;
	}
	n.inside = its == own && (n.link || n.way.local);
	if (n.link || (n.way.local && its))
		n.to = interface_by_addr(t->m, p->at->vni, &t->packet.dst);
	else if (n.way.local)
		n.way.step.code = REACH_NO_DESTINATION;
	else if (n.way.hop.way == WAY_NETWORK)
		n.to = interface_by_addr(t->m, n.way.hop.vni, &t->packet.dst);
	else if (n.way.hop.way == WAY_INTERFACE && n.way.step.target_kind == KIND_INTERFACE)
		n.by = (const struct interface *)model_get(t->m, KIND_INTERFACE, n.way.step.target);
	if (n.by)
		n.way.step.code = check_forwarder(p, n.by, t);
	return n;
}

/* Who asks for an address alone is told nothing of what is behind it if that is another's. */
static bool is_foreign(const struct trip *t, const struct interface *to)
{
	return is_open(t) && to->o.account != t->q->from.interface->o.account;
}

/* Sends the packet one interface further: true while there is more to do. */
static bool go_on(struct trip *t, struct reach_place *p)
{
	struct next n = find_next(t, p);
	const struct reach_step *route = &n.way.step;

	judge_out(t, p, n.to, n.inside);
	if (!n.link)
		trip_add(t, *route);
	if (n.to && is_foreign(t, n.to)) {
		trip_add_gateway(t, route->target_kind, route->target, REACH_NO_DESTINATION);
		return false;
	}
	if (n.way.hop.way == WAY_NETWORK)
		trip_add_gateway(t, route->target_kind, route->target,
				 n.to && !p->forwarded ? REACH_PASSES : REACH_NOT_PEERED);
	else if ((n.link || n.way.local) && !n.to && route->code == REACH_PASSES)
		trip_add_gateway(t, KIND_INTERFACE, p->at->o.id, REACH_NO_DESTINATION);
	if (n.to)
		return deliver(t, p, n.to);
	if (route->code == REACH_PASSES && n.by)
		return forward(t, p, n.by);
	if (n.way.hop.way == WAY_INTERFACE && !n.by)
		return translate(t, p, route);
	if (n.way.hop.way == WAY_INTERNET || n.way.hop.way == WAY_GATEWAY) {
		leave(t, p, &n.way);
		return false;
	}
	suppose(t, p);
	return false;
}

static void walk_on(struct trip *t, struct reach_place p)
{
	for (size_t hops = 0; hops < REACH_HOPS_MAX && !t->error; hops++)
		if (!go_on(t, &p))
			return;
	trip_add_gateway(t, KIND_INTERFACE, p.at->o.id, REACH_NO_DESTINATION);
	suppose(t, &p);
}

/* ---- in from the world ---- */

static void enter_node(struct trip *t, const struct reach_edge *edge, const struct interface *to)
{
	trip_add_carrier_in(t, edge, to);
	arrive(t, NULL, to);
}

/* By the gateway's own table, to the node or to another before it. */
static void enter_by_table(struct trip *t, const struct internet_gateway *g,
			   const struct reach_edge *edge, const struct interface *to)
{
	const struct route_table *table =
		(const struct route_table *)model_get(t->m, KIND_ROUTE_TABLE, g->table);
	struct reach_way way = {.local = true};
	const struct interface *by = NULL;

	if (g->table)
		way = trip_find_way(t, table, KIND_INTERNET_GATEWAY, g->o.id);
	if (way.hop.way == WAY_INTERFACE)
		by = (const struct interface *)model_get(t->m, KIND_INTERFACE, way.step.target);
	if (by && by != to && by->source_dest_check)
		way.step.code = REACH_SOURCE_DEST_CHECK;
	if (g->table)
		trip_add(t, way.step);
	if (!by || by == to || way.step.code != REACH_PASSES) {
		enter_node(t, edge, to);
		return;
	}
	trip_add_carrier_in(t, edge, by);
	judge_in(t, NULL, by, true);
	trip_add_interface(t, by);
	walk_on(t, (struct reach_place){.at = by, .forwarded = true});
}

static struct reach_edge edge_of(const struct trip *t, const struct internet_gateway *g,
				 const struct interface *to)
{
	const struct elastic *e = public_of(t, to->vni, &t->packet.dst);
	struct reach_edge edge = {.vni = to->vni, .kind = KIND_INTERNET_GATEWAY, .id = g->o.id};

	edge.host = ipaddr_is_v4(&t->packet.dst) ? (e ? e->edge : 0) : g->edge;
	return edge;
}

/* What the world begins. */
static void enter(struct trip *t)
{
	const struct internet_gateway *g = t->q->from.gateway;
	const struct interface *to = t->to.interface;
	struct reach_edge edge = {0};
	enum reach_code code = REACH_PASSES;

	if (to)
		edge = edge_of(t, g, to);
	if (!to || g->vpc != to->vpc)
		code = REACH_NO_DESTINATION;
	else if (!edge.host)
		code = REACH_NO_PUBLIC_INGRESS;
	trip_add_gateway(t, KIND_INTERNET_GATEWAY, g->o.id, code);
	if (code == REACH_PASSES)
		enter_by_table(t, g, &edge, to);
	else if (to)
		arrive(t, NULL, to);
}

/* The same to a static port of a NAT gateway, which asks no table. */
static void enter_by_forward(struct trip *t)
{
	const struct nat_gateway *g = t->by.gateway;
	const struct reach_edge edge = {
		.host = g->edge, .vni = g->vni, .kind = KIND_NAT_GATEWAY, .id = g->o.id};

	trip_add_gateway(t, KIND_INTERNET_GATEWAY, t->q->from.gateway->o.id, REACH_PASSES);
	trip_add_gateway(t, KIND_NAT_GATEWAY, g->o.id, REACH_PASSES);
	t->packet.dst = t->by.port->addr;
	t->packet.dst_port = (uint16_t)t->by.port->port;
	enter_node(t, &edge, t->by.to);
}

/* The edge of a gateway that is no internet gateway. */
static uint32_t host_of_gateway(const struct trip *t)
{
	const struct object *o = model_get(t->m, t->out_kind, t->out_id);

	switch (o ? t->out_kind : KIND_NONE) {
	case KIND_NAT_GATEWAY:
		return ((const struct nat_gateway *)o)->edge;
	case KIND_EGRESS_GATEWAY:
		return ((const struct egress_gateway *)o)->edge;
	default:
		return 0;
	}
}

/* Who sent to the world; behind a private NAT gateway that. */
static const struct interface *sender(const struct trip *t)
{
	return t->n_translations ? t->translations[t->n_translations - 1].by : t->q->from.interface;
}

/* By which internet gateway the answer comes in; NULL: by a gateway that gives it straight to whom
 * it knows.  An IPv6 one comes by what a node's own table says of the way there, and where that
 * leads to a node in between, by the internet gateway if there is one. */
static const struct internet_gateway *answers_by(struct trip *t, const struct interface *to)
{
	const struct internet_gateway *g = internet_gateway_of(t->m, to->vpc);
	struct reach_way way;

	if (ipaddr_is_v4(&t->packet.dst))
		return t->out == WAY_INTERNET ? g : NULL;
	t->packet = policy_answer(&t->packet);
	way = trip_find_way(t, route_table_of(t->m, subnet_of(t, to)), KIND_SUBNET, to->subnet);
	t->packet = policy_answer(&t->packet);
	if (way.hop.way == WAY_GATEWAY || !g || !g->edge)
		return NULL;
	return g;
}

/* What the world answers. */
static void answer(struct trip *t)
{
	const struct interface *to = sender(t);
	const struct internet_gateway *g = answers_by(t, to);
	struct reach_edge edge = {.vni = to->vni, .kind = t->out_kind, .id = t->out_id};

	if (g) {
		edge = edge_of(t, g, to);
		enter_by_table(t, g, &edge, to);
		return;
	}
	edge.host = host_of_gateway(t);
	if (to == t->q->from.interface) {
		enter_node(t, &edge, to);
		return;
	}
	trip_add_carrier_in(t, &edge, to);
	judge_in(t, NULL, to, false);
	t->packet.dst = t->translations[--t->n_translations].addr;
	walk_on(t, (struct reach_place){.at = to, .outside = true});
}

/* ---- there and back ---- */

void trip_walk(struct trip *t)
{
	const struct interface *from = t->q->from.interface, *to;

	t->to = t->q->to;
	if (t->by.gateway)
		t->to = (struct reach_end){.interface = t->by.to, .addr = t->by.port->addr};
	trip_check_sent(t);
	if (from) {
		trip_add_interface(t, from);
		walk_on(t, (struct reach_place){.at = from});
	} else if (t->by.gateway) {
		enter_by_forward(t);
	} else {
		enter(t);
	}
	trip_check_arrived(t);
	t->packet = policy_answer(&t->packet);
	t->back = true;
	to = t->to.interface;
	if (to)
		walk_on(t, (struct reach_place){.at = to});
	else if (t->out == WAY_INTERNET || t->out == WAY_GATEWAY)
		answer(t);
	else if (from)
		arrive(t, NULL, from);
}
