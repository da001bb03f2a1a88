/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on ways out of networks, for the walk.  See walk.h. */
#include <stdio.h>

#include "model/edge.h"
#include "model/egress_gateway.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/pool.h"
#include "model/route_table.h"
#include "tests/unit/model/walk.h"

static int step_table_create(struct walk *w, struct tx *tx)
{
	struct route_table_create_args args = {.vpc_id = walk_some(w, KIND_VPC)};
	const struct route_table *t;
	int r;

	if (model_count(w->c.m, KIND_ROUTE_TABLE) > 8)
		return 0;
	r = route_table_create(tx, walk_someone(w), &args, &t, &w->c.refusal);
	if (!r)
		walk_remember(w, &t->o);
	return r;
}

static int step_table_delete(struct walk *w, struct tx *tx)
{
	return route_table_delete(tx, walk_someone(w), walk_some(w, KIND_ROUTE_TABLE),
				  &w->c.refusal);
}

/* The main tables come with their networks, and have to be met. */
static const char *some_table(struct walk *w, char buf[static ID_TEXT_SIZE])
{
	const struct vpc *v;

	if (walk_random(w, 3) || vpc_find(w->c.m, &w->c.admin, walk_some(w, KIND_VPC), &v, NULL))
		return walk_some(w, KIND_ROUTE_TABLE);
	return id_text(KIND_ROUTE_TABLE, v->main_table, buf);
}

static struct route_args some_route(struct walk *w, char table[static ID_TEXT_SIZE])
{
	static const char *const cidrs[] = {"0.0.0.0/0",   "192.168.0.0/16", "10.0.0.0/8",
					    "10.0.0.0/24", "10.0.0.0/16",    "10.1.0.0/16",
					    "8.8.8.8/32",  "nonsense"};
	struct route_args args = {.table_id = some_table(w, table), .local = !walk_random(w, 9)};

	if (!walk_random(w, 5))
		args.prefix_list_id = walk_some(w, KIND_PREFIX_LIST);
	else if (walk_random(w, 4))
		args.cidr = cidrs[walk_random(w, ARRAY_SIZE(cidrs))];
	else
		args.ipv6_cidr = walk_random(w, 2) ? "::/0" : "2001:db8::/32";
	switch (walk_random(w, 7)) {
	case 0:
		args.gateway_id = walk_some(w, KIND_INTERNET_GATEWAY);
		break;
	case 4:
		args.peering_id = walk_some(w, KIND_PEERING);
		break;
	case 3:
		args.nat_gateway_id = walk_some(w, KIND_NAT_GATEWAY);
		break;
	case 1:
		args.egress_gateway_id = walk_some(w, KIND_EGRESS_GATEWAY);
		break;
	case 5:
		if (args.local)
			break;
		/* fall through */
	case 2:
		args.interface_id = walk_some(w, KIND_INTERFACE);
		break;
	default:
		args.instance_id = walk_some(w, KIND_INSTANCE);
	}
	return args;
}

static int step_route(struct walk *w, struct tx *tx)
{
	char table[ID_TEXT_SIZE];
	struct route_args args = some_route(w, table);

	switch (walk_random(w, 5)) {
	case 0:
		return route_delete(tx, walk_someone(w), &args, &w->c.refusal);
	case 1:
		return route_replace(tx, walk_someone(w), &args, &w->c.refusal);
	default:
		return route_create(tx, walk_someone(w), &args, &w->c.refusal);
	}
}

static const char *some_association(struct walk *w, char buf[static ID_TEXT_SIZE])
{
	const struct subnet *s;
	const struct vpc *v;
	const struct internet_gateway *g;
	uint64_t id = walk_random(w, 3);

	if (!walk_random(w, 3) &&
	    !internet_gateway_find(w->c.m, &w->c.admin, walk_some(w, KIND_INTERNET_GATEWAY), &g,
				   NULL))
		id = g->table_association;
	else if (walk_random(w, 2) &&
		 !subnet_find(w->c.m, &w->c.admin, walk_some(w, KIND_SUBNET), &s, NULL))
		id = s->table_association;
	else if (!vpc_find(w->c.m, &w->c.admin, walk_some(w, KIND_VPC), &v, NULL))
		id = v->main_association;
	return id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, id, buf);
}

static int step_associate(struct walk *w, struct tx *tx)
{
	char text[ID_TEXT_SIZE], table[ID_TEXT_SIZE];
	uint64_t id;
	bool main;

	switch (walk_random(w, 4)) {
	case 3:
		return route_table_associate_gateway(tx, walk_someone(w), some_table(w, table),
						     walk_some(w, KIND_INTERNET_GATEWAY), &id,
						     &w->c.refusal);
	case 0:
		return route_table_associate(tx, walk_someone(w), some_table(w, table),
					     walk_some(w, KIND_SUBNET), &id, &w->c.refusal);
	case 1:
		return route_table_disassociate(tx, walk_someone(w), some_association(w, text),
						&w->c.refusal);
	default:
		return route_table_reassociate(tx, walk_someone(w), some_association(w, text),
					       some_table(w, table), &id, &main, &w->c.refusal);
	}
}

static int step_internet_gateway(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERNET_GATEWAY);
	const struct internet_gateway *g;
	int r;

	switch (walk_random(w, 5)) {
	case 0:
		if (model_count(w->c.m, KIND_INTERNET_GATEWAY) > 4)
			return 0;
		r = internet_gateway_create(tx, &w->c.me, NULL, 0, &g, &w->c.refusal);
		if (!r)
			walk_remember(w, &g->o);
		return r;
	case 1:
		return internet_gateway_delete(tx, walk_someone(w), id, &w->c.refusal);
	case 2:
		return internet_gateway_detach(tx, walk_someone(w), id, walk_some(w, KIND_VPC),
					       &w->c.refusal);
	default:
		return internet_gateway_attach(tx, walk_someone(w), id, walk_some(w, KIND_VPC),
					       &w->c.refusal);
	}
}

static int step_egress_gateway(struct walk *w, struct tx *tx)
{
	struct egress_gateway_create_args args = {.vpc_id = walk_some(w, KIND_VPC)};
	const struct egress_gateway *g;
	char token[8];
	int r;

	if (!walk_random(w, 3))
		return egress_gateway_delete(tx, walk_someone(w), walk_some(w, KIND_EGRESS_GATEWAY),
					     &w->c.refusal);
	snprintf(token, sizeof(token), "e%u", walk_random(w, 9));
	if (walk_random(w, 2))
		args.token.token = token;
	r = egress_gateway_create(tx, walk_someone(w), &args, &g, &w->c.refusal);
	if (!r)
		walk_remember(w, &g->o);
	return r;
}

static int step_pool(struct walk *w, struct tx *tx)
{
	static const char *const cidrs[] = {"198.51.100.0/29", "198.51.100.16/32", "203.0.113.0/30",
					    "224.0.0.0/24"};
	const char *cidr = cidrs[walk_random(w, ARRAY_SIZE(cidrs))];
	const struct pool *p;
	int r;

	if (!walk_random(w, 4))
		return pool_remove(tx, &w->c.admin, cidr, &w->c.refusal);
	r = pool_add(tx, walk_random(w, 9) ? &w->c.admin : &w->c.me, cidr, &p, &w->c.refusal);
	if (!r)
		walk_remember(w, &p->o);
	return r;
}

static int step_allocate(struct walk *w, struct tx *tx)
{
	struct elastic_allocate_args args = {
		.address = walk_random(w, 6) ? NULL : "198.51.100.3",
		.pool_id = walk_random(w, 6) ? NULL : walk_some(w, KIND_POOL),
	};
	const struct elastic *e;
	int r;

	if (!walk_random(w, 4))
		return elastic_release(tx, walk_someone(w), walk_some(w, KIND_ADDRESS), NULL,
				       &w->c.refusal);
	r = elastic_allocate(tx, walk_someone(w), &args, &e, &w->c.refusal);
	if (!r)
		walk_remember(w, &e->o);
	return r;
}

static int step_elastic(struct walk *w, struct tx *tx)
{
	struct elastic_associate_args args = {
		.allocation_id = walk_some(w, KIND_ADDRESS),
		.allow_reassociation = walk_random(w, 2),
	};
	char text[ID_TEXT_SIZE], private[IPADDR_TEXT_SIZE];
	const struct interface *i;
	const struct elastic *e;

	if (!walk_random(w, 4) &&
	    !elastic_find(w->c.m, &w->c.admin, args.allocation_id, &e, NULL)) {
		id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, text);
		return elastic_disassociate(tx, walk_someone(w), text, NULL, &w->c.refusal);
	}
	if (walk_random(w, 3))
		args.interface_id = walk_some(w, KIND_INTERFACE);
	else
		args.instance_id = walk_some(w, KIND_INSTANCE);
	if (args.interface_id && walk_random(w, 2) &&
	    !interface_find(w->c.m, &w->c.admin, args.interface_id, &i, NULL))
		args.private_ip =
			ipaddr_text(&i->addrs[walk_random(w, (uint32_t)i->n_addrs)].addr, private);
	return elastic_associate(tx, walk_someone(w), &args, &e, &w->c.refusal);
}

static int step_nat_gateway(struct walk *w, struct tx *tx)
{
	struct nat_gateway_create_args args = {
		.subnet_id = walk_some(w, KIND_SUBNET),
		.allocation_id = walk_some(w, KIND_ADDRESS),
	};
	const char *id = walk_some(w, KIND_NAT_GATEWAY);
	struct nat_port port = {6, 1 + walk_random(w, 5), {{0}}, 80};
	const struct nat_gateway *g;
	int r;

	args.is_private = !walk_random(w, 4);
	if (args.is_private && walk_random(w, 8))
		args.allocation_id = NULL;
	port.addr = ipaddr_from_v4(0x0a000004 + walk_random(w, 4));
	switch (walk_random(w, 5)) {
	case 0:
		return nat_gateway_delete(tx, walk_someone(w), id, &w->c.refusal);
	case 1:
		return nat_gateway_open(tx, walk_someone(w), id, &port, &w->c.refusal);
	case 2:
		return nat_gateway_close(tx, walk_someone(w), id, 6, port.public_port,
					 &w->c.refusal);
	default:
		r = nat_gateway_create(tx, walk_someone(w), &args, &g, &w->c.refusal);
		if (!r)
			walk_remember(w, &g->o);
		return r;
	}
}

/* A new edge now and then; and time goes by, so that those that are away are lost. */
static int step_edge(struct walk *w, struct tx *tx)
{
	char name[16], v6[32];
	struct host_add_args args = {
		.name = name, .v6 = v6, .edge = true, .instances = walk_random(w, 2)};
	struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_SIIT_2), .substrate_mtu = 1500, .probed_ms = 1};
	const struct host *h;
	int r;

	if (walk_random(w, 4) || model_group_count(w->c.m, REL_EDGES, 0) > 2) {
		w->mono_ms += 4000;
		return edge_due(w->c.m, w->mono_ms)
			       ? edge_settle(tx, w->mono_ms, 1 + walk_random(w, 9))
			       : 0;
	}
	snprintf(name, sizeof(name), "e%u", walk_random(w, 20));
	snprintf(v6, sizeof(v6), "fd00::2:%x", walk_random(w, 20));
	r = host_add(tx, &w->c.admin, &args, &h, &w->c.refusal);
	return r ? r : host_report(tx, h->number, &can, &w->c.refusal);
}

static int step_peering(struct walk *w, struct tx *tx)
{
	struct peering_create_args args = {.vpc_id = walk_some(w, KIND_VPC),
					   .peer_vpc_id = walk_some(w, KIND_VPC)};
	const char *id = walk_some(w, KIND_PEERING);
	const struct peering *p;
	int r;

	switch (walk_random(w, 6)) {
	case 0:
		return peering_reject(tx, walk_someone(w), id, &w->c.refusal);
	case 1:
		return peering_delete(tx, walk_someone(w), id, &w->c.refusal);
	case 2:
	case 3:
		return peering_accept(tx, walk_someone(w), id, &p, &w->c.refusal);
	default:
		r = peering_create(tx, walk_someone(w), &args, &p, &w->c.refusal);
		if (!r)
			walk_remember(w, &p->o);
		return r;
	}
}

int walk_step_ways(struct walk *w, struct tx *tx)
{
	static int (*const steps[])(struct walk * w, struct tx * tx) = {
		step_pool,
		step_allocate,
		step_allocate,
		step_elastic,
		step_elastic,
		step_elastic,
		step_nat_gateway,
		step_nat_gateway,
		step_edge,
		step_edge,
		step_peering,
		step_peering,
		step_table_create,
		step_table_delete,
		step_route,
		step_route,
		step_route,
		step_associate,
		step_associate,
		step_internet_gateway,
		step_internet_gateway,
		step_egress_gateway,
	};

	return steps[walk_random(w, ARRAY_SIZE(steps))](w, tx);
}
