/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where routes lead now.  See route_table.h.
 */
#include "model/egress_gateway.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/route_table.h"

static const struct route_hop nowhere = {.way = WAY_BLACKHOLE};

/* IPv4 leaves by the public address of the sender, which says at which edge; IPv6 by the gateway's
 * own. */
static struct route_hop by_internet(const struct internet_gateway *g, const struct route_table *t,
				    bool v6)
{
	if (!g || g->vpc != t->vpc || (v6 && !g->edge))
		return nowhere;
	return (struct route_hop){WAY_INTERNET, v6 ? g->edge : 0, g->handle.number};
}

static struct route_hop by_egress(const struct egress_gateway *g)
{
	return g && g->edge ? (struct route_hop){WAY_GATEWAY, g->edge, g->handle.number} : nowhere;
}

/* To a private one as to the node that it stands for. */
static struct route_hop by_nat(const struct model *m, const struct nat_gateway *g)
{
	const struct interface *i;

	if (!g || !nat_gateway_serves(g))
		return nowhere;
	if (!g->is_private)
		return (struct route_hop){WAY_GATEWAY, g->edge, g->handle.number};
	i = (const struct interface *)model_get(m, KIND_INTERFACE, g->interface);
	return i ? (struct route_hop){WAY_INTERFACE, g->edge, i->handle.number} : nowhere;
}

static struct route_hop by_peering(const struct peering *p, const struct route_table *t)
{
	const struct peering_side *other = p ? peering_other(p, t->vpc) : NULL;

	return other && p->state == PEERING_ACTIVE
		       ? (struct route_hop){.way = WAY_NETWORK, .vni = other->vni}
		       : nowhere;
}

static struct route_hop by_interface(const struct interface *i, const struct route_table *t)
{
	if (!i || i->vpc != t->vpc || !interface_host(i))
		return nowhere;
	return (struct route_hop){WAY_INTERFACE, interface_host(i), i->handle.number};
}

struct route_hop route_resolve(const struct model *m, const struct route_table *t,
			       const struct route *r, bool v6)
{
	enum kind k = route_target_kind(r->target);
	const struct object *o = k == KIND_NONE ? NULL : model_get(m, k, r->target_id);

	switch (r->target) {
	case ROUTE_INTERNET_GATEWAY:
		return by_internet((const struct internet_gateway *)o, t, v6);
	case ROUTE_EGRESS_GATEWAY:
		return by_egress((const struct egress_gateway *)o);
	case ROUTE_NAT_GATEWAY:
		return by_nat(m, (const struct nat_gateway *)o);
	case ROUTE_PEERING:
		return by_peering((const struct peering *)o, t);
	case ROUTE_INTERFACE:
		return by_interface((const struct interface *)o, t);
	default:
		return nowhere;
	}
}

bool route_is_active(const struct model *m, const struct route_table *t, const struct route *r)
{
	enum kind k = route_target_kind(r->target);
	const struct object *o = k == KIND_NONE ? NULL : model_get(m, k, r->target_id);

	switch (r->target) {
	case ROUTE_INTERNET_GATEWAY:
		return o && ((const struct internet_gateway *)o)->vpc == t->vpc;
	case ROUTE_EGRESS_GATEWAY:
		return o;
	case ROUTE_NAT_GATEWAY:
		return o && (((const struct nat_gateway *)o)->state == NAT_PENDING ||
			     ((const struct nat_gateway *)o)->state == NAT_AVAILABLE);
	case ROUTE_PEERING:
		return by_peering((const struct peering *)o, t).way != WAY_BLACKHOLE;
	case ROUTE_INTERFACE:
		return by_interface((const struct interface *)o, t).way != WAY_BLACKHOLE;
	default:
		return false;
	}
}
