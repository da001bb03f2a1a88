/* SPDX-License-Identifier: Apache-2.0 */
/* What the twin knows of ways out of networks.  See twin.h. */
#include "model/counters.h"
#include "model/egress_gateway.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/test.h"

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

/* A main table is of its own network; so is a subnet's, and the two are told apart by their association. */
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
		assert_true(((const struct route_table *)find(t, KIND_ROUTE_TABLE, s->table))->vpc ==
			    s->vpc);
}

/* No two routes of a table have one destination, and none lies in the network's own blocks. */
static void check_routes(const struct twin *t, const struct route_table *table)
{
	const struct vpc *v = (const struct vpc *)find(t, KIND_VPC, table->vpc);

	assert_int_equal(v->vni, table->vni);
	assert_true(table->number);
	for (size_t i = 0; i < table->n_routes; i++) {
		for (size_t k = 0; k < i; k++)
			assert_false(prefix_equal(&table->routes[i].destination,
						  &table->routes[k].destination));
		for (size_t k = 0; k < v->n_blocks; k++)
			assert_false(prefix_covers(&v->blocks[k].prefix,
						   &table->routes[i].destination));
	}
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
	default:
		return 0;
	}
}

static void check_two(const struct object *a, const struct object *b)
{
	const struct internet_gateway *x = (const struct internet_gateway *)a;
	const struct internet_gateway *y = (const struct internet_gateway *)b;

	if (handle_of(a))
		assert_int_not_equal(handle_of(a), handle_of(b));
	if (a->kind == KIND_INTERNET_GATEWAY && b->kind == KIND_INTERNET_GATEWAY && x->vpc)
		assert_true(x->vpc != y->vpc);
	if (a->kind == KIND_ROUTE_TABLE && b->kind == KIND_ROUTE_TABLE)
		assert_int_not_equal(((const struct route_table *)a)->number,
				     ((const struct route_table *)b)->number);
}

void twin_ways_check_rules(const struct twin *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];

		check_tables(t, o);
		if (o->kind == KIND_ROUTE_TABLE)
			check_routes(t, (const struct route_table *)o);
		for (size_t k = 0; k < i; k++)
			check_two(o, t->objects[k]);
	}
}
