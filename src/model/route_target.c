/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where routes lead.  See route_target.h.
 */
#include "model/route_target.h"

#include "base/str.h"
#include "model/edit.h"
#include "model/egress_gateway.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"

const char *route_target_text(enum route_target t)
{
	static const char *const texts[] = {
		[ROUTE_INTERNET_GATEWAY] = "internet-gateway",
		[ROUTE_EGRESS_GATEWAY] = "egress-only-internet-gateway",
		[ROUTE_NAT_GATEWAY] = "nat-gateway",
		[ROUTE_INTERFACE] = "network-interface",
		[ROUTE_PEERING] = "vpc-peering-connection",
	};

	return t < ARRAY_SIZE(texts) ? texts[t] : NULL;
}

enum kind route_target_kind(enum route_target t)
{
	switch (t) {
	case ROUTE_INTERNET_GATEWAY:
		return KIND_INTERNET_GATEWAY;
	case ROUTE_EGRESS_GATEWAY:
		return KIND_EGRESS_GATEWAY;
	case ROUTE_NAT_GATEWAY:
		return KIND_NAT_GATEWAY;
	case ROUTE_PEERING:
		return KIND_PEERING;
	case ROUTE_INTERFACE:
		return KIND_INTERFACE;
	default:
		return KIND_NONE;
	}
}

static int networks_differ(const struct route_args *args, const char *what, const char *id,
			   struct refusal *reterr)
{
	return refuse(reterr, MODEL_E_ROUTE_NETWORKS, args->table_id, what, id);
}

static int target_gateway(const struct model *m, const struct caller *c,
			  const struct route_table *t, const struct route_args *args, bool v6,
			  struct route_end *ret, struct refusal *reterr)
{
	const char *id = args->gateway_id;
	const struct internet_gateway *g;

	if (str_equal(id, "local"))
		return refuse(reterr, MODEL_E_VALUE, id, "gatewayId",
			      "The local routes of a table are there already. ReplaceRoute with "
			      "LocalTarget gives one its own target again.");
	if (str_has_prefix(id, "vpce-"))
		return refuse(reterr, MODEL_E_ROUTE_TARGET, id);
	if (str_has_prefix(id, "vgw-"))
		return refuse(reterr, MODEL_E_VPN_GATEWAY_NOT_FOUND, id);
	if (internet_gateway_find(m, c, id, &g, NULL))
		return refuse(reterr, MODEL_E_GATEWAY_NOT_FOUND, id);
	if (g->vpc != t->vpc)
		return networks_differ(args, "network gateway", id, reterr);
	*ret = (struct route_end){.target = ROUTE_INTERNET_GATEWAY, .id = g->o.id};
	return 0;
}

static int target_egress(const struct model *m, const struct caller *c, const struct route_table *t,
			 const struct route_args *args, bool v6, struct route_end *ret,
			 struct refusal *reterr)
{
	const struct egress_gateway *g;

	if (egress_gateway_find(m, c, args->egress_gateway_id, &g, NULL))
		return refuse(reterr, MODEL_E_GATEWAY_NOT_FOUND, args->egress_gateway_id);
	if (g->vpc != t->vpc)
		return networks_differ(args, "network gateway", args->egress_gateway_id, reterr);
	if (!v6)
		return refuse(reterr, MODEL_E_VALUE, args->egress_gateway_id,
			      "egressOnlyInternetGatewayId", "It serves IPv6 destinations alone.");
	*ret = (struct route_end){.target = ROUTE_EGRESS_GATEWAY, .id = g->o.id};
	return 0;
}

static int target_nat(const struct model *m, const struct caller *c, const struct route_table *t,
		      const struct route_args *args, bool v6, struct route_end *ret,
		      struct refusal *reterr)
{
	const struct nat_gateway *g;

	if (nat_gateway_find(m, c, args->nat_gateway_id, &g, NULL) || g->state == NAT_DELETED ||
	    g->state == NAT_FAILED)
		return refuse(reterr, MODEL_E_NAT_TARGET_NOT_FOUND, args->nat_gateway_id);
	if (g->vpc != t->vpc)
		return networks_differ(args, "network gateway", args->nat_gateway_id, reterr);
	if (v6)
		return refuse(reterr, MODEL_E_VALUE, args->nat_gateway_id, "natGatewayId",
			      "It serves IPv4 destinations alone.");
	*ret = (struct route_end){.target = ROUTE_NAT_GATEWAY, .id = g->o.id};
	return 0;
}

/* One that is pending is a black hole until it is accepted. */
static int target_peering(const struct model *m, const struct caller *c,
			  const struct route_table *t, const struct route_args *args, bool v6,
			  struct route_end *ret, struct refusal *reterr)
{
	const struct peering *p;
	int r = peering_find(m, c, args->peering_id, &p, reterr);

	if (r)
		return r;
	if (p->state != PEERING_PENDING && p->state != PEERING_ACTIVE)
		return refuse(reterr, MODEL_E_PEERING_NOT_FOUND, args->peering_id);
	if (!peering_other(p, t->vpc))
		return networks_differ(args, "peering connection", args->peering_id, reterr);
	*ret = (struct route_end){.target = ROUTE_PEERING, .id = p->o.id};
	return 0;
}

static int target_interface(const struct model *m, const struct caller *c,
			    const struct route_table *t, const struct route_args *args, bool v6,
			    struct route_end *ret, struct refusal *reterr)
{
	const struct interface *i;
	int r = interface_find(m, c, args->interface_id, &i, reterr);

	if (r)
		return r;
	if (i->vpc != t->vpc)
		return networks_differ(args, "interface", args->interface_id, reterr);
	if (v6 && i->managed_by)
		return refuse(reterr, MODEL_E_VALUE, args->interface_id, "networkInterfaceId",
			      "It is a NAT gateway's, which serves IPv4 destinations alone.");
	*ret = (struct route_end){.target = ROUTE_INTERFACE, .id = i->o.id, .interface = i};
	return 0;
}

static int target_instance(const struct model *m, const struct caller *c,
			   const struct route_table *t, const struct route_args *args, bool v6,
			   struct route_end *ret, struct refusal *reterr)
{
	const struct interface *i;
	const struct instance *n;
	int r = instance_find(m, c, args->instance_id, &n, reterr);

	if (r)
		return r;
	if (n->vpc != t->vpc)
		return networks_differ(args, "instance", args->instance_id, reterr);
	r = instance_only_interface(m, n, args->instance_id, "the target of a route", &i, reterr);
	if (!r)
		*ret = (struct route_end){.target = ROUTE_INTERFACE, .id = i->o.id, .interface = i};
	return r;
}

int route_target_read(const struct model *m, const struct caller *c, const struct route_table *t,
		      const struct route_args *args, bool v6, struct route_end *ret,
		      struct refusal *reterr)
{
	const struct {
		const char *id;
		int (*read)(const struct model *m, const struct caller *c,
			    const struct route_table *t, const struct route_args *args, bool v6,
			    struct route_end *ret, struct refusal *reterr);
	} targets[] = {
		{args->gateway_id, target_gateway},     {args->egress_gateway_id, target_egress},
		{args->nat_gateway_id, target_nat},     {args->peering_id, target_peering},
		{args->interface_id, target_interface}, {args->instance_id, target_instance},
	};
	size_t n = 0, found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (!targets[i].id)
			continue;
		n++;
		found = i;
	}
	if (args->local && !n) {
		*ret = (struct route_end){.local = true};
		return 0;
	}
	if (n != 1 || args->local)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The request must contain exactly one of gatewayId, natGatewayId, "
			      "networkInterfaceId, vpcPeeringConnectionId, "
			      "egressOnlyInternetGatewayId, instanceId");
	return targets[found].read(m, c, t, args, v6, ret, reterr);
}

int route_target_take(struct tx *tx, const struct route_end *target, struct refusal *reterr)
{
	struct interface *new = NULL;
	int r;

	if (!target->interface || target->interface->handle.number)
		return 0;
	r = TX_EDIT(tx, target->interface, &new);
	if (r)
		return r;
	r = counters_next_handle(tx, &new->handle.number, reterr);
	if (r) {
		record_free(&new->o);
		return r;
	}
	return TX_PUT(tx, target->interface, &new);
}
