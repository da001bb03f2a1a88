/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node forwards for another to the world, from the API's objects to the edge that translates
 * it.
 *
 *	node, on h1 (10.0.0.4) ... box, on h2 (10.0.9.5)
 *	                             |
 *	                           h3, an edge (and h4, when the scenario adds it)
 *
 * The table of the box's subnet leads to the internet gateway, that of the node's to the box.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "base/limits.h"
#include "cluster.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/pool.h"
#include "model/route_table.h"

#define NODE  "10.0.0.4"
#define WORLD "203.0.113.1"

struct forward {
	struct cluster c;
	struct cluster_node node, box;
	size_t edge;
	uint32_t handle; /* of the internet gateway */
	char allocation[ID_TEXT_SIZE];
	uint32_t n; /* packets sent by the box */
};

static void make_gateway(struct forward *f, char ret_id[static ID_TEXT_SIZE])
{
	struct world *w = f->c.w;
	const struct internet_gateway *g;

	WORLD_DO(w, internet_gateway_create(tx, &w->customer, NULL, 0, &g, &refusal));
	object_id_text(&g->o, ret_id);
	f->handle = g->handle.number;
	WORLD_DO(w, internet_gateway_attach(tx, &w->customer, ret_id, w->vpc, &refusal));
}

/* The box's subnet, with a table of its own that leads to the gateway and a route to the box in the
 * main one. */
static void make_box(struct forward *f, const char *igw)
{
	struct world *w = f->c.w;
	struct subnet_create_args subnet_args = {.vpc_id = w->vpc, .cidr = "10.0.9.0/24"};
	struct route_table_create_args table_args = {.vpc_id = w->vpc};
	char subnet[ID_TEXT_SIZE], table[ID_TEXT_SIZE], main_table[ID_TEXT_SIZE], old[ID_TEXT_SIZE];
	struct route_args out = {.table_id = table, .cidr = "0.0.0.0/0", .gateway_id = igw};
	struct route_args to = {
		.table_id = main_table, .cidr = "0.0.0.0/0", .interface_id = f->box.eni};
	const struct route_table *t;
	const struct subnet *s;
	const struct vpc *v;
	uint64_t association;

	WORLD_DO(w, subnet_create(tx, &w->customer, &subnet_args, &s, &refusal));
	object_id_text(&s->o, subnet);
	WORLD_DO(w, route_table_create(tx, &w->customer, &table_args, &t, &refusal));
	object_id_text(&t->o, table);
	WORLD_DO(w, route_table_associate(tx, &w->customer, table, subnet, &association, &refusal));
	WORLD_DO(w, route_create(tx, &w->customer, &out, &refusal));
	memcpy(old, w->subnet, sizeof(old));
	memcpy(w->subnet, subnet, sizeof(subnet));
	cluster_run(&f->c, 1, "10.0.9.5", &f->box);
	memcpy(w->subnet, old, sizeof(old));
	v = vpc_by_vni(w->manager->model, w->vni);
	id_text(KIND_ROUTE_TABLE, v->main_table, main_table);
	WORLD_DO(w, route_create(tx, &w->customer, &to, &refusal));
}

static void set_check(struct forward *f, bool on)
{
	struct instance_modify_args args = {.instance_id = f->box.id, .source_dest_check = &on};

	WORLD_DO(f->c.w, instance_modify(tx, &f->c.w->customer, &args, &refusal));
}

static void associate(struct forward *f)
{
	struct elastic_associate_args args = {.allocation_id = f->allocation,
					      .interface_id = f->node.eni};
	const struct elastic *e;

	WORLD_DO(f->c.w, elastic_associate(tx, &f->c.w->customer, &args, &e, &refusal));
}

static void disassociate(struct forward *f)
{
	struct world *w = f->c.w;
	char association[ID_TEXT_SIZE];
	struct refusal none = {0};
	const struct elastic *e;

	assert_int_equal(elastic_find(w->manager->model, &w->customer, f->allocation, &e, &none),
			 0);
	id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, association);
	WORLD_DO(w, elastic_disassociate(tx, &w->customer, association, NULL, &refusal));
}

static int setup(void **state)
{
	static const struct caller admin = {.is_operator = true};
	struct forward *f = calloc(1, sizeof(*f));
	struct elastic_allocate_args args = {};
	char igw[ID_TEXT_SIZE];
	const struct elastic *e;
	const struct pool *p;

	assert_non_null(f);
	cluster_init(&f->c, 2, NULL, NULL);
	f->edge = cluster_add_edge(&f->c);
	make_gateway(f, igw);
	cluster_run(&f->c, 0, NODE, &f->node);
	make_box(f, igw);
	WORLD_DO(f->c.w, pool_add(tx, &admin, "198.51.100.0/24", &p, &refusal));
	WORLD_DO(f->c.w, elastic_allocate(tx, &f->c.w->customer, &args, &e, &refusal));
	object_id_text(&e->o, f->allocation);
	set_check(f, false);
	world_advance(f->c.w, 1000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct forward *f = *state;

	cluster_deinit(&f->c);
	free(f);
	return 0;
}

/* The box sends on a packet of the node's; the reason if it is dropped here. */
static enum fake_verdict forwards(struct forward *f, uint32_t *ret_reason)
{
	*ret_reason = 0;
	return scenario_host_send(f->c.hosts[1], f->box.eni, NODE, WORLD, ++f->n, ret_reason);
}

static void assert_drops(struct forward *f, uint32_t reason)
{
	uint32_t found;

	assert_int_equal(forwards(f, &found), FAKE_DROPPED);
	assert_int_equal(found, reason);
}

/* It leaves by that edge, without anybody being asked. */
static void assert_goes(struct forward *f, size_t edge)
{
	uint64_t before = scenario_host_sent_out(f->c.hosts[edge], f->handle);
	uint64_t asked = scenario_host_asked(f->c.hosts[1]);
	uint32_t reason;

	assert_int_equal(forwards(f, &reason), FAKE_DELIVERED);
	assert_int_equal(scenario_host_sent_out(f->c.hosts[edge], f->handle), before + 1);
	assert_int_equal(scenario_host_asked(f->c.hosts[1]), asked);
}

/* The first packets wait at the box's host and at the edge, and none is lost. */
/* requirement: EDGE-1 */
/* requirement: PKT-13 */
static void others_packets_leave_by_their_public_address(void **state)
{
	struct forward *f = *state;
	uint32_t reason;

	associate(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(forwards(f, &reason), FAKE_HELD);
	world_advance(f->c.w, 300);
	assert_int_equal(scenario_host_sent_out(f->c.hosts[f->edge], f->handle), 3);
	assert_goes(f, f->edge);
}

/* Once somebody has asked, every change is his at once. */
/* requirement: EDGE-1 */
/* requirement: MAP-3 */
static void changes_are_heard_at_once(void **state)
{
	struct forward *f = *state;
	uint32_t reason;

	assert_int_equal(forwards(f, &reason), FAKE_HELD);
	world_advance(f->c.w, 300);
	assert_drops(f, DROP_NO_PUBLIC);
	associate(f);
	assert_int_equal(forwards(f, &reason), FAKE_HELD); /* the edge asks who forwards */
	world_advance(f->c.w, 300);
	assert_goes(f, f->edge);
	disassociate(f);
	assert_drops(f, DROP_NO_PUBLIC);
	associate(f);
	assert_goes(f, f->edge);
	set_check(f, true);
	assert_drops(f, DROP_SOURCE_ADDR);
	set_check(f, false);
	assert_goes(f, f->edge);
}

/* requirement: EDGE-6 */
/* requirement: MAP-3 */
static void a_lost_edge_takes_nothing_with_it(void **state)
{
	struct forward *f = *state;
	uint32_t reason;
	size_t other;

	associate(f);
	assert_int_equal(forwards(f, &reason), FAKE_HELD);
	world_advance(f->c.w, 300);
	assert_goes(f, f->edge);
	other = cluster_add_edge(&f->c);
	scenario_host_kill(f->c.hosts[f->edge]);
	world_advance(f->c.w, 2 * LIMIT_MODEL_EDGE_LOST_MS);
	/* by the other, which asks who forwards */
	assert_int_equal(forwards(f, &reason), FAKE_HELD);
	world_advance(f->c.w, 300);
	assert_int_equal(scenario_host_sent_out(f->c.hosts[other], f->handle), 1);
	assert_goes(f, other);
}

/* It goes on without a manager, and the next one knows who is to be told. */
/* requirement: OPS-3 */
static void a_new_manager_knows_who_has_asked(void **state)
{
	struct forward *f = *state;
	uint32_t reason;

	associate(f);
	assert_int_equal(forwards(f, &reason), FAKE_HELD);
	world_advance(f->c.w, 300);
	world_stop_manager(f->c.w);
	world_advance(f->c.w, 2000);
	assert_goes(f, f->edge);
	world_start_manager(f->c.w);
	world_advance(f->c.w, 60000);
	for (size_t i = 0; i < f->c.n_hosts; i++)
		assert_true(scenario_host_is_up(f->c.hosts[i]));
	assert_goes(f, f->edge);
	disassociate(f);
	assert_drops(f, DROP_NO_PUBLIC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_packets_leave_by_their_public_address),
		TEST(changes_are_heard_at_once),
		TEST(a_lost_edge_takes_nothing_with_it),
		TEST(a_new_manager_knows_who_has_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
