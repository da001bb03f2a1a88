/* SPDX-License-Identifier: Apache-2.0 */
/* Showing route tables. */
#include "api/describe.h"
#include "api/handlers.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"

static const struct vpc *vpc_of(const struct ec2_call *c, const struct route_table *t)
{
	return (const struct vpc *)model_get(c->model, KIND_VPC, t->vpc);
}

/* The instance that an interface named by a route is attached to, or NULL. */
static const struct instance *instance_of(const struct ec2_call *c, const struct route *r)
{
	const struct interface *i =
		(const struct interface *)model_get(c->model, KIND_INTERFACE, r->target_id);

	if (r->target != ROUTE_INTERFACE || !i || i->attachment.state == ATTACHMENT_NONE)
		return NULL;
	return (const struct instance *)model_get(c->model, KIND_INSTANCE, i->attachment.instance);
}

/* ---- routes ---- */

static void write_local(struct ec2_call *c, const struct prefix *block)
{
	xml_open(c->xml, "item");
	ec2_write_prefix(c,
			 prefix_is_v4(block) ? "destinationCidrBlock" : "destinationIpv6CidrBlock",
			 block);
	xml_text(c->xml, "gatewayId", "local");
	xml_text(c->xml, "state", "active");
	xml_text(c->xml, "origin", "CreateRouteTable");
	xml_close(c->xml);
}

static const char *target_name(enum route_target t)
{
	switch (t) {
	case ROUTE_INTERNET_GATEWAY:
		return "gatewayId";
	case ROUTE_EGRESS_GATEWAY:
		return "egressOnlyInternetGatewayId";
	case ROUTE_NAT_GATEWAY:
		return "natGatewayId";
	case ROUTE_INTERFACE:
		return "networkInterfaceId";
	case ROUTE_PEERING:
		return "vpcPeeringConnectionId";
	}
	return "gatewayId";
}

static const char *state_of(const struct ec2_call *c, const struct route_table *t,
			    const struct route *r)
{
	return route_is_active(c->model, t, r) ? "active" : "blackhole";
}

/* 'local': it stands in the place of a local route. */
static void write_route(struct ec2_call *c, const struct route_table *t, const struct route *r,
			bool local)
{
	const struct instance *n = instance_of(c, r);

	xml_open(c->xml, "item");
	if (r->prefix_list)
		ec2_write_id(c, "destinationPrefixListId", KIND_PREFIX_LIST, r->prefix_list);
	else
		ec2_write_prefix(c,
				 prefix_is_v4(&r->destination) ? "destinationCidrBlock"
							       : "destinationIpv6CidrBlock",
				 &r->destination);
	ec2_write_id(c, target_name(r->target), route_target_kind(r->target), r->target_id);
	if (n) {
		ec2_write_id(c, "instanceId", KIND_INSTANCE, n->o.id);
		ec2_write_owner(c, "instanceOwnerId", n->o.account);
	}
	xml_text(c->xml, "state", state_of(c, t, r));
	xml_text(c->xml, "origin", local ? "CreateRouteTable" : "CreateRoute");
	xml_close(c->xml);
}

static void write_block(struct ec2_call *c, const struct route_table *t, const struct prefix *block)
{
	const struct route *instead = route_table_instead(t, block);

	if (instead)
		write_route(c, t, instead, true);
	else
		write_local(c, block);
}

/* ---- associations ---- */

static void write_association(struct ec2_call *c, const struct route_table *t,
			      const struct subnet *s, const struct internet_gateway *g,
			      uint64_t association)
{
	char id[ID_TEXT_SIZE];

	xml_open(c->xml, "item");
	xml_text(c->xml, "routeTableAssociationId",
		 id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, association, id));
	ec2_write_id(c, "routeTableId", KIND_ROUTE_TABLE, t->o.id);
	if (s)
		ec2_write_id(c, "subnetId", KIND_SUBNET, s->o.id);
	if (g)
		ec2_write_id(c, "gatewayId", KIND_INTERNET_GATEWAY, g->o.id);
	xml_bool(c->xml, "main", !s && !g);
	xml_open(c->xml, "associationState");
	xml_text(c->xml, "state", "associated");
	xml_close(c->xml);
	xml_close(c->xml);
}

static void write_associations(struct ec2_call *c, const struct route_table *t)
{
	struct model_iter it = model_iter_group(c->model, REL_TABLE_SUBNETS, t->o.id);
	const struct internet_gateway *g = route_table_gateway(c->model, t);
	const struct subnet *s;

	xml_open(c->xml, "associationSet");
	if (route_table_is_main(c->model, t))
		write_association(c, t, NULL, NULL, vpc_of(c, t)->main_association);
	if (g)
		write_association(c, t, NULL, g, g->table_association);
	while ((s = (const struct subnet *)model_iter_next(&it)))
		write_association(c, t, s, NULL, s->table_association);
	xml_close(c->xml);
}

void route_table_write(struct ec2_call *c, const struct route_table *t)
{
	const struct vpc *v = vpc_of(c, t);

	ec2_write_id(c, "routeTableId", KIND_ROUTE_TABLE, t->o.id);
	ec2_write_id(c, "vpcId", KIND_VPC, t->vpc);
	ec2_write_owner(c, "ownerId", t->o.account);
	xml_open(c->xml, "routeSet");
	for (size_t i = 0; i < v->n_blocks; i++)
		write_block(c, t, &v->blocks[i].prefix);
	for (size_t i = 0; i < v->n_blocks6; i++)
		write_block(c, t, &v->blocks6[i].prefix);
	for (size_t i = 0; i < t->n_routes; i++)
		if (!route_is_instead(v, &t->routes[i]))
			write_route(c, t, &t->routes[i], false);
	xml_close(c->xml);
	write_associations(c, t);
	xml_empty(c->xml, "propagatingVgwSet");
	ec2_write_tags(c, &t->o);
}

/* ---- filters ---- */

#define ITEM ((const struct route_table *)item)

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_ROUTE_TABLE, ITEM->o.id);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->vpc);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->o.account);
}

/* By a subnet or a gateway. */
static bool is_associated(const struct filter_probe *p, const struct route_table *t)
{
	return model_group_count(p->call->model, REL_TABLE_SUBNETS, t->o.id) ||
	       route_table_gateway(p->call->model, t);
}

/* EC2: tables "that do not have an association ID are not returned", whatever is asked for. */
static void by_main(struct filter_probe *p, const void *item)
{
	if (route_table_is_main(p->call->model, ITEM))
		filter_bool(p, true);
	if (is_associated(p, ITEM))
		filter_bool(p, false);
}

static void by_association(struct filter_probe *p, const void *item)
{
	struct model_iter it = model_iter_group(p->call->model, REL_TABLE_SUBNETS, ITEM->o.id);
	const struct internet_gateway *g = route_table_gateway(p->call->model, ITEM);
	const struct subnet *s;
	char id[ID_TEXT_SIZE];

	if (g)
		filter_text(
			p, id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, g->table_association, id));
	if (route_table_is_main(p->call->model, ITEM))
		filter_text(p, id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION,
						vpc_of(p->call, ITEM)->main_association, id));
	while ((s = (const struct subnet *)model_iter_next(&it)))
		filter_text(
			p, id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, s->table_association, id));
}

/* The table's own id, of those that have an association. */
static void by_association_table(struct filter_probe *p, const void *item)
{
	if (route_table_is_main(p->call->model, ITEM) || is_associated(p, ITEM))
		by_id(p, item);
}

static void by_associated_gateway(struct filter_probe *p, const void *item)
{
	const struct internet_gateway *g = route_table_gateway(p->call->model, ITEM);

	if (g)
		filter_id(p, KIND_INTERNET_GATEWAY, g->o.id);
}

static void by_subnet(struct filter_probe *p, const void *item)
{
	struct model_iter it = model_iter_group(p->call->model, REL_TABLE_SUBNETS, ITEM->o.id);
	const struct subnet *s;

	while ((s = (const struct subnet *)model_iter_next(&it)))
		filter_id(p, KIND_SUBNET, s->o.id);
}

static void by_destination(struct filter_probe *p, const struct route_table *t, bool v4)
{
	const struct vpc *v = vpc_of(p->call, t);
	const struct cidr_block *blocks = v4 ? v->blocks : v->blocks6;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < (v4 ? v->n_blocks : v->n_blocks6); i++)
		filter_text(p, prefix_text(&blocks[i].prefix, text));
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && prefix_is_v4(&t->routes[i].destination) == v4)
			filter_text(p, prefix_text(&t->routes[i].destination, text));
}

static void by_cidr(struct filter_probe *p, const void *item)
{
	by_destination(p, ITEM, true);
}

static void by_ipv6_cidr(struct filter_probe *p, const void *item)
{
	by_destination(p, ITEM, false);
}

static void by_list(struct filter_probe *p, const void *item)
{
	for (size_t i = 0; i < ITEM->n_routes; i++)
		if (ITEM->routes[i].prefix_list)
			filter_id(p, KIND_PREFIX_LIST, ITEM->routes[i].prefix_list);
}

static void by_target(struct filter_probe *p, const struct route_table *t, enum route_target target)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (t->routes[i].target == target)
			filter_id(p, route_target_kind(target), t->routes[i].target_id);
}

/* Of the local routes, those that lead where they led first. */
static size_t count_local(const struct filter_probe *p, const struct route_table *t)
{
	const struct vpc *v = vpc_of(p->call, t);
	size_t n = v->n_blocks + v->n_blocks6;

	for (size_t i = 0; i < t->n_routes; i++)
		n -= route_is_instead(v, &t->routes[i]);
	return n;
}

static void by_gateway(struct filter_probe *p, const void *item)
{
	if (count_local(p, ITEM))
		filter_text(p, "local");
	by_target(p, ITEM, ROUTE_INTERNET_GATEWAY);
}

static void by_egress_gateway(struct filter_probe *p, const void *item)
{
	by_target(p, ITEM, ROUTE_EGRESS_GATEWAY);
}

static void by_nat_gateway(struct filter_probe *p, const void *item)
{
	by_target(p, ITEM, ROUTE_NAT_GATEWAY);
}

static void by_peering(struct filter_probe *p, const void *item)
{
	by_target(p, ITEM, ROUTE_PEERING);
}

static void by_instance(struct filter_probe *p, const void *item)
{
	for (size_t i = 0; i < ITEM->n_routes; i++) {
		const struct instance *n = instance_of(p->call, &ITEM->routes[i]);

		if (n)
			filter_id(p, KIND_INSTANCE, n->o.id);
	}
}

static void by_origin(struct filter_probe *p, const void *item)
{
	const struct vpc *v = vpc_of(p->call, ITEM);

	filter_text(p, "CreateRouteTable");
	if (ITEM->n_routes > v->n_blocks + v->n_blocks6 - count_local(p, ITEM))
		filter_text(p, "CreateRoute");
}

static void by_state(struct filter_probe *p, const void *item)
{
	if (count_local(p, ITEM))
		filter_text(p, "active");
	for (size_t i = 0; i < ITEM->n_routes; i++)
		filter_text(p, state_of(p->call, ITEM, &ITEM->routes[i]));
}

static void by_nothing(struct filter_probe *p, const void *item)
{
}

const struct filter route_table_filters[] = {
	{"association.gateway-id", by_associated_gateway},
	{"association.main", by_main},
	{"association.route-table-association-id", by_association},
	{"association.route-table-id", by_association_table},
	{"association.subnet-id", by_subnet},
	{"owner-id", by_owner},
	{"route-table-id", by_id},
	{"route.destination-cidr-block", by_cidr},
	{"route.destination-ipv6-cidr-block", by_ipv6_cidr},
	{"route.destination-prefix-list-id", by_list},
	{"route.egress-only-internet-gateway-id", by_egress_gateway},
	{"route.gateway-id", by_gateway},
	{"route.instance-id", by_instance},
	{"route.nat-gateway-id", by_nat_gateway},
	{"route.origin", by_origin},
	{"route.state", by_state},
	{"route.transit-gateway-id", by_nothing},
	{"route.vpc-peering-connection-id", by_peering},
	{"vpc-id", by_vpc},
	{},
};

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct route_table *t;
	int r = route_table_find(m, caller, id, &t, reterr);

	if (!r)
		*ret = &t->o;
	return r;
}

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	route_table_write(c, (const struct route_table *)o);
	xml_close(c->xml);
}

int action_describe_route_tables(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"route-table-id", KIND_ROUTE_TABLE, REL_MAX},
		{"vpc-id", KIND_VPC, REL_VPC_TABLES},
		{},
	};
	static const struct describe d = {
		.kind = KIND_ROUTE_TABLE,
		.ids = "RouteTableId",
		.find = find,
		.filters = route_table_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "routeTableSet", NULL, NULL);
}
