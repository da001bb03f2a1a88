/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of a table: making, changing, deleting, and where they lead.  See route_table.h.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/egress_gateway.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"

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

/* ---- destinations ---- */

struct destination {
	struct prefix prefix;
	const struct prefix_list *list; /* NULL: 'prefix' */
	bool v6;
	const char *text; /* as it was named */
};

/* A table names lists of its owner alone, also when an operator asks. */
static int read_list(const struct model *m, const struct route_table *t, const char *id,
		     struct destination *ret, struct refusal *reterr)
{
	const struct caller owner = {.account = t->o.account};
	int r = prefix_list_find(m, &owner, id, &ret->list, reterr);

	if (r)
		return r;
	ret->text = id;
	ret->v6 = ret->list->v6;
	return 0;
}

static int read_destination(const struct model *m, const struct route_table *t,
			    const struct route_args *args, struct destination *ret,
			    struct refusal *reterr)
{
	int n = !!args->cidr + !!args->ipv6_cidr + !!args->prefix_list_id;

	*ret = (struct destination){.v6 = args->ipv6_cidr};
	if (!n)
		return refuse(reterr, MODEL_E_MISSING,
			      "destinationCidrBlock, destinationIpv6CidrBlock or "
			      "destinationPrefixListId");
	if (n > 1)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Name one destination: destinationCidrBlock, "
			      "destinationIpv6CidrBlock or destinationPrefixListId.");
	if (args->prefix_list_id)
		return read_list(m, t, args->prefix_list_id, ret, reterr);
	ret->text = args->cidr ? args->cidr : args->ipv6_cidr;
	if (args->cidr && cidr_parse(args->cidr, &ret->prefix))
		return refuse(reterr, MODEL_E_VALUE, args->cidr, "destinationCidrBlock",
			      "This is not a valid CIDR block.");
	if (args->ipv6_cidr && cidr6_parse(args->ipv6_cidr, &ret->prefix))
		return refuse(reterr, MODEL_E_VALUE, args->ipv6_cidr, "destinationIpv6CidrBlock",
			      "This is not a valid IPv6 CIDR block.");
	return 0;
}

/* 0.0.0.0/0 is ::ffff:0:0/96, so that ::/0 would cover it if lengths alone decided. */
static bool same_destination(const struct route *r, const struct destination *d)
{
	if (d->list || r->prefix_list)
		return d->list && r->prefix_list == d->list->o.id;
	return prefix_equal(&r->destination, &d->prefix);
}

static size_t find_route(const struct route_table *t, const struct destination *d)
{
	size_t i = 0;

	while (i < t->n_routes && !same_destination(&t->routes[i], d))
		i++;
	return i;
}

/* ---- addresses of the network itself ---- */

const struct route *route_table_instead(const struct route_table *t, const struct prefix *block)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && prefix_equal(&t->routes[i].destination, block))
			return &t->routes[i];
	return NULL;
}

bool route_is_instead(const struct vpc *v, const struct route *r)
{
	const struct prefix *block = r->prefix_list ? NULL : vpc_block_over(v, &r->destination);

	return block && prefix_equal(block, &r->destination);
}

bool route_table_is_inside(const struct vpc *v, const struct route_table *t)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && vpc_block_over(v, &t->routes[i].destination))
			return true;
	return false;
}

static bool is_subnet(const struct model *m, const struct vpc *v, const struct prefix *p)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	const struct subnet *s;

	while ((s = (const struct subnet *)model_iter_next(&it)))
		if (prefix_equal(&s->prefix, p) ||
		    (subnet_has_block6(s) && prefix_equal(&s->prefix6, p)))
			return true;
	return false;
}

/* The block of the network that has the whole destination; NULL: none.  Of a list the local routes
 * decide what lies inside them. */
static const struct prefix *local_block(const struct model *m, const struct route_table *t,
					const struct destination *d)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);

	return d->list ? NULL : vpc_block_over(v, &d->prefix);
}

/* Is it a local route's destination? */
static bool is_block(const struct model *m, const struct route_table *t,
		     const struct destination *d)
{
	const struct prefix *block = local_block(m, t, d);

	return block && prefix_equal(block, &d->prefix);
}

static int check_local(const struct model *m, const struct route_table *t,
		       const struct route_args *args, bool replace, const struct destination *d,
		       struct refusal *reterr)
{
	const struct prefix *block = local_block(m, t, d);
	bool whole = is_block(m, t, d);

	if (args->local && (!replace || !whole))
		return refuse(reterr, MODEL_E_ROUTE_NOT_LOCAL, d->text, args->table_id);
	if (!block || args->local)
		return 0;
	if (!args->interface_id && !args->instance_id)
		return refuse(reterr, MODEL_E_ROUTE_LOCAL, d->text);
	if (whole)
		return replace ? 0 : refuse(reterr, MODEL_E_ROUTE_EXISTS, d->text);
	return replace || is_subnet(m, (const struct vpc *)model_get(m, KIND_VPC, t->vpc),
				    &d->prefix)
		       ? 0
		       : refuse(reterr, MODEL_E_ROUTE_SUBNET, d->text);
}

/* ---- targets ---- */

struct target {
	bool local;
	enum route_target target;
	uint64_t id;
	const struct interface *interface;
};

static int networks_differ(const struct route_args *args, const char *what, const char *id,
			   struct refusal *reterr)
{
	return refuse(reterr, MODEL_E_ROUTE_NETWORKS, args->table_id, what, id);
}

static int target_gateway(const struct model *m, const struct caller *c,
			  const struct route_table *t, const struct route_args *args, bool v6,
			  struct target *ret, struct refusal *reterr)
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
	*ret = (struct target){.target = ROUTE_INTERNET_GATEWAY, .id = g->o.id};
	return 0;
}

static int target_egress(const struct model *m, const struct caller *c, const struct route_table *t,
			 const struct route_args *args, bool v6, struct target *ret,
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
	*ret = (struct target){.target = ROUTE_EGRESS_GATEWAY, .id = g->o.id};
	return 0;
}

static int target_nat(const struct model *m, const struct caller *c, const struct route_table *t,
		      const struct route_args *args, bool v6, struct target *ret,
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
	*ret = (struct target){.target = ROUTE_NAT_GATEWAY, .id = g->o.id};
	return 0;
}

/* One that is pending is a black hole until it is accepted. */
static int target_peering(const struct model *m, const struct caller *c,
			  const struct route_table *t, const struct route_args *args, bool v6,
			  struct target *ret, struct refusal *reterr)
{
	const struct peering *p;
	int r = peering_find(m, c, args->peering_id, &p, reterr);

	if (r)
		return r;
	if (p->state != PEERING_PENDING && p->state != PEERING_ACTIVE)
		return refuse(reterr, MODEL_E_PEERING_NOT_FOUND, args->peering_id);
	if (!peering_other(p, t->vpc))
		return networks_differ(args, "peering connection", args->peering_id, reterr);
	*ret = (struct target){.target = ROUTE_PEERING, .id = p->o.id};
	return 0;
}

static int target_interface(const struct model *m, const struct caller *c,
			    const struct route_table *t, const struct route_args *args, bool v6,
			    struct target *ret, struct refusal *reterr)
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
	*ret = (struct target){.target = ROUTE_INTERFACE, .id = i->o.id, .interface = i};
	return 0;
}

static int target_instance(const struct model *m, const struct caller *c,
			   const struct route_table *t, const struct route_args *args, bool v6,
			   struct target *ret, struct refusal *reterr)
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
		*ret = (struct target){.target = ROUTE_INTERFACE, .id = i->o.id, .interface = i};
	return r;
}

static int read_target(const struct model *m, const struct caller *c, const struct route_table *t,
		       const struct route_args *args, bool v6, struct target *ret,
		       struct refusal *reterr)
{
	const struct {
		const char *id;
		int (*read)(const struct model *m, const struct caller *c,
			    const struct route_table *t, const struct route_args *args, bool v6,
			    struct target *ret, struct refusal *reterr);
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
		*ret = (struct target){.local = true};
		return 0;
	}
	if (n != 1 || args->local)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The request must contain exactly one of gatewayId, natGatewayId, "
			      "networkInterfaceId, vpcPeeringConnectionId, "
			      "egressOnlyInternetGatewayId, instanceId");
	return targets[found].read(m, c, t, args, v6, ret, reterr);
}

/* Of a table that serves a gateway. */
static int check_gateway(const struct model *m, const struct route_table *t,
			 const struct route_args *args, const struct destination *d,
			 const struct target *target, struct refusal *reterr)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);
	const struct internet_gateway *g = route_table_gateway(m, t);
	const struct route route = {
		.destination = d->prefix,
		.prefix_list = d->list ? d->list->o.id : 0,
		.target = target->target,
	};
	char id[ID_TEXT_SIZE];

	if (!g || target->local || route_suits_gateway(v, &route))
		return 0;
	return refuse(reterr, MODEL_E_GATEWAY_ROUTE, args->table_id, object_id_text(&g->o, id),
		      d->text);
}

/* An interface that a route names has a handle from then on. */
static int give_handle(struct tx *tx, const struct target *target, struct refusal *reterr)
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

/* ---- operations ---- */

size_t route_table_size(const struct model *m, const struct route_table *t)
{
	size_t n = t->n_routes;

	for (size_t i = 0; i < t->n_routes; i++) {
		const struct prefix_list *l = (const struct prefix_list *)model_get(
			m, KIND_PREFIX_LIST, t->routes[i].prefix_list);

		if (l)
			n += l->max_entries - 1;
	}
	return n;
}

static int append(struct route_table *t, const struct route *route)
{
	struct route *routes = reallocarray(t->routes, t->n_routes + 1, sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	t->routes = routes;
	routes[t->n_routes++] = *route;
	return 0;
}

static int put_route(struct tx *tx, const struct route_table *old, size_t place,
		     const struct destination *d, const struct target *target)
{
	struct route route = {
		.destination = d->prefix,
		.prefix_list = d->list ? d->list->o.id : 0,
		.target = target->target,
		.target_id = target->id,
	};
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct route_table *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct route_table *)o;
	if (place == new->n_routes)
		r = append(new, &route);
	else
		new->routes[place] = route;
	if (r || record_equal(&old->o, o))
		return r;
	return tx_put(tx, &old->o, &o);
}

static int drop_route(struct tx *tx, const struct route_table *old, size_t place)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct route_table *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct route_table *)o;
	new->n_routes--;
	memmove(&new->routes[place], &new->routes[place + 1],
		(new->n_routes - place) * sizeof(*new->routes));
	return tx_put(tx, &old->o, &o);
}

static int do_create(struct tx *tx, const struct caller *c, const struct route_args *args,
		     bool replace, struct refusal *reterr)
{
	const struct route_table *t;
	struct destination d;
	struct target target;
	size_t place = 0;
	int r = route_table_find(tx->m, c, args->table_id, &t, reterr);

	if (!r)
		r = read_destination(tx->m, t, args, &d, reterr);
	if (!r)
		r = check_local(tx->m, t, args, replace, &d, reterr);
	if (!r)
		r = read_target(tx->m, c, t, args, d.v6, &target, reterr);
	if (!r)
		r = check_gateway(tx->m, t, args, &d, &target, reterr);
	if (r)
		return r;
	place = find_route(t, &d);
	if (target.local)
		return place < t->n_routes ? drop_route(tx, t, place) : 0;
	if (place < t->n_routes && !replace)
		return refuse(reterr, MODEL_E_ROUTE_EXISTS, d.text);
	if (place == t->n_routes && replace && !is_block(tx->m, t, &d))
		return refuse(reterr, MODEL_E_ROUTE_UNDEFINED, d.text);
	if (place == t->n_routes &&
	    route_table_size(tx->m, t) + (d.list ? d.list->max_entries : 1) > LIMIT_MODEL_ROUTES)
		return refuse(reterr, MODEL_E_ROUTE_LIMIT, args->table_id);
	r = give_handle(tx, &target, reterr);
	return r ? r : put_route(tx, t, place, &d, &target);
}

int route_create(struct tx *tx, const struct caller *c, const struct route_args *args,
		 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, false, reterr));
}

int route_replace(struct tx *tx, const struct caller *c, const struct route_args *args,
		  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, true, reterr));
}

static int do_delete(struct tx *tx, const struct caller *c, const struct route_args *args,
		     struct refusal *reterr)
{
	const struct route_table *t;
	struct destination d;
	size_t place;
	int r = route_table_find(tx->m, c, args->table_id, &t, reterr);

	if (!r)
		r = read_destination(tx->m, t, args, &d, reterr);
	if (r)
		return r;
	if (is_block(tx->m, t, &d))
		return refuse(reterr, MODEL_E_ROUTE_STAYS, d.text, args->table_id);
	place = find_route(t, &d);
	return place < t->n_routes
		       ? drop_route(tx, t, place)
		       : refuse(reterr, MODEL_E_ROUTE_NOT_FOUND, d.text, args->table_id);
}

int route_delete(struct tx *tx, const struct caller *c, const struct route_args *args,
		 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_delete(tx, c, args, reterr));
}
