/* SPDX-License-Identifier: Apache-2.0 */
/* What the twin knows of ways out of networks.  See twin.h. */
#include "model/counters.h"
#include "model/egress_gateway.h"
#include "base/limits.h"
#include "model/drain.h"
#include "model/elastic.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/pool.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/test.h"

static bool elastic_key(const struct elastic *e, enum relation r, uint64_t *ret)
{
	switch (r) {
	case REL_POOL_ADDRESSES:
		*ret = e->pool;
		return true;
	case REL_VPC_ADDRESSES:
		*ret = e->vpc;
		return e->association;
	case REL_EDGE_ADDRESSES:
		*ret = e->edge;
		return e->association;
	default:
		return false;
	}
}

static bool nat_key(const struct nat_gateway *g, enum relation r, uint64_t *ret)
{
	bool over = g->state == NAT_FAILED || g->state == NAT_DELETED;

	switch (r) {
	case REL_VPC_NAT_GATEWAYS:
		return !over && (*ret = g->vpc);
	case REL_SUBNET_NAT_GATEWAYS:
		return !over && (*ret = g->subnet);
	case REL_HOST_WAITING_NAT_GATEWAYS:
		return (g->state == NAT_PENDING || g->state == NAT_DELETING) && (*ret = g->edge);
	case REL_ENDED_NAT_GATEWAYS:
		*ret = 0;
		return over;
	case REL_EDGE_NAT_GATEWAYS:
		*ret = g->edge;
		return g->is_private && !over;
	default:
		return false;
	}
}

static bool peering_key(const struct peering *p, enum relation r, uint64_t *ret)
{
	bool over = p->state != PEERING_PENDING && p->state != PEERING_ACTIVE;

	if (r == REL_PEERINGS) {
		*ret = over;
		return p->state != PEERING_ACTIVE;
	}
	*ret = r == REL_VPC_PEERINGS_OUT ? p->requester.vpc : p->accepter.vpc;
	return !over;
}

bool twin_ways_key(const struct object *o, enum relation r, uint64_t *ret)
{
	switch (r) {
	case REL_VPC_TABLES:
		return o->kind == KIND_ROUTE_TABLE &&
		       (*ret = ((const struct route_table *)o)->vpc, true);
	case REL_TABLE_SUBNETS:
		return o->kind == KIND_SUBNET && (*ret = ((const struct subnet *)o)->table);
	case REL_VPC_INTERNET_GATEWAY:
		return o->kind == KIND_INTERNET_GATEWAY &&
		       (*ret = ((const struct internet_gateway *)o)->vpc);
	case REL_VPC_EGRESS_GATEWAYS:
		return o->kind == KIND_EGRESS_GATEWAY &&
		       (*ret = ((const struct egress_gateway *)o)->vpc);
	case REL_VPC_PEERINGS_OUT:
	case REL_VPC_PEERINGS_IN:
	case REL_PEERINGS:
		return o->kind == KIND_PEERING && peering_key((const struct peering *)o, r, ret);
	case REL_EDGES:
		*ret = 0;
		return o->kind == KIND_HOST && ((const struct host *)o)->edge;
	case REL_EDGE_INTERNET_GATEWAYS:
		return o->kind == KIND_INTERNET_GATEWAY &&
		       ((const struct internet_gateway *)o)->vpc &&
		       (*ret = ((const struct internet_gateway *)o)->edge, true);
	case REL_EDGE_EGRESS_GATEWAYS:
		return o->kind == KIND_EGRESS_GATEWAY &&
		       (*ret = ((const struct egress_gateway *)o)->edge, true);
	default:
		return o->kind == KIND_ADDRESS
			       ? elastic_key((const struct elastic *)o, r, ret)
			       : o->kind == KIND_NAT_GATEWAY &&
					 nat_key((const struct nat_gateway *)o, r, ret);
	}
}

bool twin_ways_carries(const struct object *o, uint32_t vni, uint32_t host)
{
	const struct elastic *e = (const struct elastic *)o;
	const struct internet_gateway *i = (const struct internet_gateway *)o;
	const struct egress_gateway *g = (const struct egress_gateway *)o;

	switch (o->kind) {
	case KIND_ADDRESS:
		return e->association && e->vni == vni && e->edge == host;
	case KIND_INTERNET_GATEWAY:
		return i->vpc && i->vni == vni && i->edge == host;
	case KIND_EGRESS_GATEWAY:
		return g->vni == vni && g->edge == host;
	default:
		return false;
	}
}

static const struct object *find(const struct twin *t, enum kind k, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == k && t->objects[i]->id == id)
			return t->objects[i];
	fail_msg("a reference leads nowhere");
	return NULL;
}

/* A gateway's table is of its network, serves nobody else, and leads to interfaces of it alone. */
static void check_gateway_table(const struct twin *t, const struct internet_gateway *g)
{
	const struct route_table *table;
	const struct vpc *v;

	assert_int_equal(!g->table, !g->table_association);
	if (!g->table)
		return;
	table = (const struct route_table *)find(t, KIND_ROUTE_TABLE, g->table);
	v = (const struct vpc *)find(t, KIND_VPC, g->vpc);
	assert_true(table->vpc == g->vpc && v->main_table != g->table);
	for (size_t i = 0; i < t->n; i++)
		assert_false(t->objects[i]->kind == KIND_SUBNET &&
			     ((const struct subnet *)t->objects[i])->table == g->table);
	for (size_t i = 0; i < table->n_routes; i++)
		assert_true(!table->routes[i].prefix_list &&
			    table->routes[i].target == ROUTE_INTERFACE);
}

/* A main table is of its own network; so is a subnet's, and the two are told apart by their
 * association. */
static void check_tables(const struct twin *t, const struct object *o)
{
	const struct subnet *s = (const struct subnet *)o;
	const struct vpc *v = (const struct vpc *)o;

	if (o->kind == KIND_VPC) {
		assert_true(((const struct route_table *)find(t, KIND_ROUTE_TABLE, v->main_table))
				    ->vpc == o->id);
		assert_true(v->main_association);
	}
	if (o->kind != KIND_SUBNET)
		return;
	assert_int_equal(!s->table, !s->table_association);
	if (s->table)
		assert_true(
			((const struct route_table *)find(t, KIND_ROUTE_TABLE, s->table))->vpc ==
			s->vpc);
}

/* No two routes of a table have one destination, and in the network's own blocks they lead to
 * interfaces alone. */
static void check_routes(const struct twin *t, const struct route_table *table)
{
	const struct vpc *v = (const struct vpc *)find(t, KIND_VPC, table->vpc);
	size_t size;

	assert_int_equal(v->vni, table->vni);
	assert_true(table->number);
	size = table->n_routes;
	for (size_t i = 0; i < table->n_routes; i++) {
		const struct prefix_list *l;

		for (size_t k = 0; k < i; k++)
			assert_false(table->routes[i].prefix_list == table->routes[k].prefix_list &&
				     prefix_equal(&table->routes[i].destination,
						  &table->routes[k].destination));
		if (table->routes[i].prefix_list) {
			l = (const struct prefix_list *)find(t, KIND_PREFIX_LIST,
							     table->routes[i].prefix_list);
			assert_int_equal(l->o.account, table->o.account);
			size += l->max_entries - 1;
			continue;
		}
		for (size_t k = 0; k < v->n_blocks; k++)
			assert_true(!prefix_covers(&v->blocks[k].prefix,
						   &table->routes[i].destination) ||
				    table->routes[i].target == ROUTE_INTERFACE);
	}
	assert_true(size <= LIMIT_MODEL_ROUTES);
}

static uint32_t handle_of(const struct object *o)
{
	switch (o->kind) {
	case KIND_INTERFACE:
		return ((const struct interface *)o)->handle.number;
	case KIND_INTERNET_GATEWAY:
		return ((const struct internet_gateway *)o)->handle.number;
	case KIND_EGRESS_GATEWAY:
		return ((const struct egress_gateway *)o)->handle.number;
	case KIND_NAT_GATEWAY:
		return ((const struct nat_gateway *)o)->handle.number;
	default:
		return 0;
	}
}

/* Somebody has it, and not on a foreign host: nothing from an edge arrives there. */
static bool has_private(const struct twin *t, uint32_t vni, const struct ipaddr *a)
{
	for (size_t k = 0; k < t->n; k++) {
		const struct interface *i = (const struct interface *)t->objects[k];

		for (size_t n = 0; i->o.kind == KIND_INTERFACE && i->vni == vni && n < i->n_addrs;
		     n++)
			if (ipaddr_equal(&i->addrs[n].addr, a))
				return !attachment_is_foreign(&i->attachment);
	}
	return false;
}

static bool has_gateway(const struct twin *t, uint64_t vpc)
{
	for (size_t k = 0; k < t->n; k++)
		if (t->objects[k]->kind == KIND_INTERNET_GATEWAY &&
		    ((const struct internet_gateway *)t->objects[k])->vpc == vpc)
			return true;
	return false;
}

/* Whoever has something at the border is an edge. */
static void check_edge(const struct twin *t, uint32_t number)
{
	for (size_t k = 0; k < t->n && number; k++) {
		const struct host *h = (const struct host *)t->objects[k];

		if (h->o.kind != KIND_HOST || h->number != number)
			continue;
		assert_true(h->edge);
		return;
	}
	assert_int_equal(number, 0);
}

static void check_elastic(const struct twin *t, const struct elastic *e)
{
	const struct pool *p = (const struct pool *)find(t, KIND_POOL, e->pool);
	const struct nat_gateway *g;

	assert_true(prefix_contains(&p->prefix, &e->public));
	assert_true(e->automatic ? !!e->association : true);
	if (e->association)
		check_edge(t, e->edge);
	assert_int_equal(!e->association, !e->vni);
	if (!e->association)
		return;
	assert_true(has_private(t, e->vni, &e->private_addr));
	assert_true(e->automatic || has_gateway(t, e->vpc));
	if (!e->nat_gateway)
		return;
	g = (const struct nat_gateway *)find(t, KIND_NAT_GATEWAY, e->nat_gateway);
	assert_true(g->address == e->o.id);
	assert_int_equal(g->edge, e->edge);
}

/* Until it is over, its address and interface are its own. */
static void check_nat(const struct twin *t, const struct nat_gateway *g)
{
	bool over = g->state == NAT_FAILED || g->state == NAT_DELETED;
	const struct interface *i;

	assert_int_equal(!!g->wait_revision, g->state == NAT_PENDING || g->state == NAT_DELETING);
	if (over)
		return;
	i = (const struct interface *)find(t, KIND_INTERFACE, g->interface);
	assert_true(i->managed_by == g->o.id);
	if (g->is_private) {
		bool serves = g->state == NAT_PENDING || g->state == NAT_AVAILABLE;

		assert_true(i->attachment.gateway == g->o.id && !i->attachment.instance);
		assert_int_equal(i->attachment.host, serves ? g->edge : 0);
		assert_int_equal(i->attachment.plugged, !!i->attachment.host);
		assert_true(i->handle.number && !i->n_groups && !g->address);
		check_edge(t, g->edge);
		return;
	}
	assert_int_equal(i->attachment.state, ATTACHMENT_NONE);
	assert_true(((const struct elastic *)find(t, KIND_ADDRESS, g->address))->nat_gateway ==
		    g->o.id);
}

/* Peered networks share no address, and live as long as their peering. */
static void check_peering(const struct twin *t, const struct peering *p)
{
	const struct vpc *a, *b;

	if (p->state != PEERING_PENDING && p->state != PEERING_ACTIVE)
		return;
	a = (const struct vpc *)find(t, KIND_VPC, p->requester.vpc);
	b = (const struct vpc *)find(t, KIND_VPC, p->accepter.vpc);
	assert_true(a != b);
	for (size_t i = 0; i < a->n_blocks && p->state == PEERING_ACTIVE; i++)
		for (size_t k = 0; k < b->n_blocks; k++)
			assert_false(prefix_overlaps(&a->blocks[i].prefix, &b->blocks[k].prefix));
}

static void check_drain(const struct twin *t, const struct drain *d)
{
	const struct elastic *e = (const struct elastic *)find(t, KIND_ADDRESS, d->address);
	size_t n = 0;

	assert_true(e->association && e->edge && !e->nat_gateway);
	assert_int_equal(e->vni, d->vni);
	assert_false(ipaddr_equal(&e->private_addr, &d->private_addr));
	for (size_t i = 0; i < t->n; i++)
		n += t->objects[i]->kind == KIND_DRAIN &&
		     ((const struct drain *)t->objects[i])->address == d->address;
	assert_in_range(n, 1, LIMIT_MODEL_DRAINS);
}

static void check_two(const struct object *a, const struct object *b)
{
	const struct internet_gateway *x = (const struct internet_gateway *)a;
	const struct internet_gateway *y = (const struct internet_gateway *)b;

	if (handle_of(a))
		assert_int_not_equal(handle_of(a), handle_of(b));
	if (a->kind == KIND_INTERNET_GATEWAY && b->kind == KIND_INTERNET_GATEWAY && x->vpc)
		assert_true(x->vpc != y->vpc);
	if (a->kind == KIND_ADDRESS && b->kind == KIND_ADDRESS) {
		const struct elastic *e = (const struct elastic *)a;
		const struct elastic *f = (const struct elastic *)b;

		assert_false(ipaddr_equal(&e->public, &f->public));
		assert_false(e->association && e->vni == f->vni &&
			     ipaddr_equal(&e->private_addr, &f->private_addr));
	}
	if (a->kind == KIND_ROUTE_TABLE && b->kind == KIND_ROUTE_TABLE)
		assert_int_not_equal(((const struct route_table *)a)->number,
				     ((const struct route_table *)b)->number);
}

void twin_ways_check_rules(const struct twin *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];

		check_tables(t, o);
		if (o->kind == KIND_INTERNET_GATEWAY)
			check_gateway_table(t, (const struct internet_gateway *)o);
		if (o->kind == KIND_ROUTE_TABLE)
			check_routes(t, (const struct route_table *)o);
		if (o->kind == KIND_ADDRESS)
			check_elastic(t, (const struct elastic *)o);
		if (o->kind == KIND_DRAIN)
			check_drain(t, (const struct drain *)o);
		if (o->kind == KIND_PEERING)
			check_peering(t, (const struct peering *)o);
		if (o->kind == KIND_NAT_GATEWAY)
			check_nat(t, (const struct nat_gateway *)o);
		for (size_t k = 0; k < i; k++)
			check_two(o, t->objects[k]);
	}
}
