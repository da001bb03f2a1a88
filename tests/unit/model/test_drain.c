/* SPDX-License-Identifier: Apache-2.0 */
/* A public address is associated anew: who had it keeps his connections for a time. */

#include <string.h>

#include "base/limits.h"
#include "model/edge.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/plan.h"
#include "model/pool.h"
#include "tests/unit/model/cluster.h"

enum { NODES = LIMIT_MODEL_DRAINS + 2 };

static struct cluster c;
static char interfaces[NODES][ID_TEXT_SIZE], allocation[ID_TEXT_SIZE];
static uint32_t edges[2];

static void attach_gateway(const char *vpc)
{
	char id[ID_TEXT_SIZE];

	cluster_make_internet(&c, vpc, id);
}

static int setup(void **state)
{
	struct elastic_allocate_args args = {};
	const struct elastic *e;
	const struct pool *p;
	int r;

	cluster_init_network(&c, 2);
	edges[0] = cluster_add_edge(&c, "e1", "fd00::101");
	attach_gateway(c.vpc);
	assert_ok(cluster_end(
		&c, pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal)));
	for (size_t i = 0; i < NODES; i++) {
		char instance[ID_TEXT_SIZE];

		assert_ok(cluster_run(&c, c.subnet, instance));
		object_id_text(&cluster_interface_of(&c, instance)->o, interfaces[i]);
	}
	r = elastic_allocate(cluster_tx(&c), &c.me, &args, &e, &c.refusal);
	assert_ok(r);
	object_id_text(&e->o, allocation);
	assert_ok(cluster_end(&c, r));
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct elastic *elastic(void)
{
	const struct elastic *e;

	assert_ok(elastic_find(c.m, &c.me, allocation, &e, &c.refusal));
	return e;
}

static const struct ipaddr *addr_of(size_t node)
{
	return &cluster_interface(&c, interfaces[node])->addrs[0].addr;
}

static int associate_interface(const char *interface)
{
	struct elastic_associate_args args = {.allocation_id = allocation,
					      .interface_id = interface,
					      .allow_reassociation = true};
	const struct elastic *e;

	return cluster_end(&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal));
}

static void associate(size_t node)
{
	assert_ok(associate_interface(interfaces[node]));
}

/* ---- what hosts are told ---- */

struct told {
	const struct ipaddr *addr;
	bool exit; /* the address has a way out */
	uint32_t peer, handle;
	size_t n_publics;
	struct plan_public public;
};

static int take(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind == PLAN_PUBLIC) {
		t->n_publics++;
		t->public = item->public;
	}
	for (size_t i = 0; item->kind == PLAN_INTERFACE && i < item->interface.n_exits; i++)
		if (ipaddr_equal(&item->interface.exits[i].addr, t->addr)) {
			t->exit = true;
			t->peer = item->interface.exits[i].peer;
			t->handle = item->interface.exits[i].handle;
		}
	return 0;
}

static struct told told(size_t node)
{
	struct told t = {.addr = addr_of(node)};

	for (size_t i = 0; i < 2; i++)
		assert_ok(plan_full(c.m, c.hosts[i], take, &t));
	for (size_t i = 0; i < 2 && edges[i]; i++)
		assert_ok(plan_full(c.m, edges[i], take, &t));
	return t;
}

static size_t n_drains(void)
{
	return model_count(c.m, KIND_DRAIN);
}

/* ---- tests ---- */

/* requirement: EDGE-2 */
static void test_former_keeps_a_way_out(void **state)
{
	uint32_t vni = cluster_interface(&c, interfaces[0])->vni;
	struct told t;

	associate(0);
	assert_int_equal(told(0).public.n_formers, 0);
	assert_false(edge_may_know(c.m, edges[0], vni, addr_of(1)));
	associate(1);
	t = told(0);
	assert_true(t.exit);
	assert_int_equal(t.peer, edges[0]);
	assert_int_equal(t.handle, told(1).handle);
	assert_int_equal(t.n_publics, 1);
	assert_true(ipaddr_equal(&t.public.addr, addr_of(1)));
	assert_int_equal(t.public.n_formers, 1);
	assert_true(ipaddr_equal(&t.public.formers[0], addr_of(0)));
	assert_true(edge_may_know(c.m, edges[0], vni, addr_of(0)));
	assert_false(edge_may_know(c.m, c.hosts[0], vni, addr_of(0)));
	associate(1); /* nothing changes */
	assert_int_equal(told(1).public.n_formers, 1);
}

/* requirement: EDGE-2 */
static void test_back_and_forth(void **state)
{
	struct told t;

	associate(0);
	associate(1);
	associate(0);
	t = told(1);
	assert_true(t.exit);
	assert_int_equal(t.public.n_formers, 1);
	assert_true(ipaddr_equal(&t.public.formers[0], addr_of(1)));
	assert_int_equal(n_drains(), 1);
}

/* requirement: EDGE-2 */
static void test_time_is_over(void **state)
{
	associate(0);
	associate(1);
	c.now_ms += LIMIT_MODEL_DRAIN_MS - 1;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 100)));
	assert_true(told(0).exit);
	c.now_ms += 1;
	assert_ok(cluster_end(&c, tx_expire(cluster_tx(&c), 100)));
	assert_false(told(0).exit);
	assert_int_equal(told(0).public.n_formers, 0);
	assert_false(edge_may_know(c.m, edges[0], cluster_interface(&c, interfaces[0])->vni,
				   addr_of(0)));
}

/* requirement: EDGE-2 */
static void test_the_oldest_makes_room(void **state)
{
	for (size_t i = 0; i < NODES; i++)
		associate(i);
	assert_int_equal(n_drains(), LIMIT_MODEL_DRAINS);
	assert_false(told(0).exit);
	for (size_t i = 1; i < NODES; i++)
		assert_true(told(i).exit);
	assert_int_equal(told(0).public.n_formers, LIMIT_MODEL_DRAINS);
}

/* The private address goes for good: whoever gets it next has nothing of this. */
/* requirement: EDGE-2 */
static void test_private_address_goes(void **state)
{
	const char *text = "10.0.0.77";
	struct interface_assign_args assign = {
		.interface_id = interfaces[0], .addrs = &text, .n_addrs = 1};
	struct elastic_associate_args args = {
		.allocation_id = allocation, .interface_id = interfaces[0], .private_ip = text};
	const struct interface *i;
	const struct elastic *e;
	size_t n;

	assert_ok(cluster_end(
		&c, interface_assign(cluster_tx(&c), &c.me, &assign, &i, &n, &c.refusal)));
	assert_ok(cluster_end(&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal)));
	associate(1);
	assert_int_equal(n_drains(), 1);
	assert_ok(cluster_end(&c, interface_unassign(cluster_tx(&c), &c.me, interfaces[0], &text, 1,
						     &c.refusal)));
	assert_int_equal(n_drains(), 0);
	assert_int_equal(told(1).public.n_formers, 0);
	assert_true(told(1).exit);
}

/* requirement: EDGE-2 */
static void test_public_address_goes(void **state)
{
	char text[IPADDR_TEXT_SIZE];

	associate(0);
	associate(1);
	ipaddr_text(&elastic()->public, text);
	assert_ok(cluster_end(&c,
			      elastic_disassociate(cluster_tx(&c), &c.me, NULL, text, &c.refusal)));
	assert_int_equal(n_drains(), 0);
	assert_false(told(0).exit);
	associate(1); /* who had it before that had it for good */
	assert_int_equal(n_drains(), 0);
}

/* Another edge knows none of the connections; another network has another gateway. */
/* requirement: EDGE-2 */
static void test_nothing_to_keep(void **state)
{
	char vpc[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE], instance[ID_TEXT_SIZE];

	associate(0);
	associate(1);
	edges[1] = cluster_add_edge(&c, "e2", "fd00::102");
	host_set_connected(c.m, edges[0], false);
	assert_ok(cluster_end(&c, edge_settle(cluster_tx(&c), 1, 100)));
	assert_int_equal(n_drains(), 1); /* it may come back */
	assert_ok(cluster_end(&c, edge_settle(cluster_tx(&c), 1 + LIMIT_MODEL_EDGE_LOST_MS, 100)));
	assert_int_equal(elastic()->edge, edges[1]);
	assert_int_equal(n_drains(), 0);
	assert_false(told(0).exit);
	associate(0);
	assert_int_equal(n_drains(), 1);
	cluster_make_vpc(&c, "10.9.0.0/16", vpc);
	cluster_make_subnet(&c, vpc, "10.9.0.0/24", subnet);
	attach_gateway(vpc);
	assert_ok(cluster_run(&c, subnet, instance));
	assert_ok(associate_interface(
		object_id_text(&cluster_interface_of(&c, instance)->o, subnet)));
	assert_int_equal(n_drains(), 0);
	assert_false(told(0).exit);
	assert_false(told(1).exit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_former_keeps_a_way_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back_and_forth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_oldest_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_private_address_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_public_address_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_keep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
