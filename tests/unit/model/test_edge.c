/* SPDX-License-Identifier: Apache-2.0 */
/* Who has what at the border when edges go and come. */
#include "model/edge.h"

#include "base/limits.h"
#include "model/egress_gateway.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway_edit.h"
#include "model/plan.h"
#include "model/route_table.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static uint32_t first, second;
static char gateway[ID_TEXT_SIZE];

/* The network's gateway is the first edge's; the second has nothing. */
static int setup(void **state)
{
	cluster_init_network(&c, 1);
	first = cluster_add_edge(&c, "e1", "fd00::101");
	cluster_make_internet(&c, c.vpc, gateway);
	second = cluster_add_edge(&c, "e2", "fd00::102");
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static uint32_t owner(void)
{
	const struct internet_gateway *g;

	assert_ok(internet_gateway_find(c.m, &c.me, gateway, &g, &c.refusal));
	return g->edge;
}

static bool settle(uint64_t now_ms)
{
	if (!edge_due(c.m, now_ms))
		return false;
	assert_ok(cluster_end(&c, edge_settle(cluster_tx(&c), now_ms, 100)));
	return true;
}

/* requirement: EDGE-6 */
static void test_an_agent_may_come_back(void **state)
{
	assert_int_equal(owner(), first);
	host_set_connected(c.m, first, false);
	assert_false(settle(1000));
	assert_false(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS - 1));
	host_set_connected(c.m, first, true);
	assert_false(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	host_set_connected(c.m, first, false);
	assert_false(settle(2000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_true(settle(2000 + 2 * LIMIT_MODEL_EDGE_LOST_MS));
	assert_int_equal(owner(), second);
	host_set_connected(c.m, first, true);
	assert_false(settle(3000 + 2 * LIMIT_MODEL_EDGE_LOST_MS));
	assert_int_equal(owner(), second);
}

/* requirement: EDGE-6 */
static void test_a_machine_that_is_gone_is_not_waited_for(void **state)
{
	host_set_silent(c.m, first); /* it is connected by now */
	assert_false(settle(1000));
	host_set_connected(c.m, first, false);
	host_set_silent(c.m, first);
	assert_true(settle(1000));
	assert_int_equal(owner(), second);
}

/* requirement: EDGE-6, OPS-3 */
static void test_nobody_else_is_there(void **state)
{
	host_set_connected(c.m, first, false);
	host_set_connected(c.m, second, false);
	host_set_silent(c.m, first);
	assert_false(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_int_equal(owner(), first);
	host_set_connected(c.m, second, true);
	assert_true(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_int_equal(owner(), second);
}

/* requirement: EDGE-6 */
static void test_one_that_is_removed_is_replaced_at_once(void **state)
{
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "e1", true, &c.refusal)));
	assert_int_equal(owner(), second);
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "e2", true, &c.refusal)));
	assert_int_equal(owner(), 0);
}

/* Its agent would go on answering for what another one has by then. */
/* requirement: EDGE-6 */
static void test_one_that_has_something_is_ended_before_it_is_removed(void **state)
{
	assert_int_equal(
		cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "e1", false, &c.refusal)),
		MODEL_E_HOST_EDGE);
	assert_int_equal(owner(), first);
	host_set_connected(c.m, first, false);
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "e1", false, &c.refusal)));
	assert_int_equal(owner(), second);
}

static int drain(const char *name, bool drained)
{
	const struct host_room_args args = {.drained = &drained};
	const struct host *h;

	return cluster_end(
		&c, host_set(cluster_tx(&c), &c.admin, name, &args, NULL, 0, &h, &c.refusal));
}

static enum edge_drain drain_of(uint32_t number)
{
	return edge_drain_of(c.m, host_by_number(c.m, number));
}

/* requirement: EDGE-6 */
static void test_one_that_is_drained_gives_all_to_the_others(void **state)
{
	assert_ok(drain("e1", true));
	assert_int_equal(edge_choose(c.m), second);
	assert_true(settle(1000));
	assert_int_equal(owner(), second);
	assert_int_equal(edge_load(c.m, first), 0);
	assert_false(settle(1001));
	/* it gets nothing back by itself, and is there again for the next */
	assert_ok(drain("e1", false));
	assert_false(settle(1002));
	assert_int_equal(owner(), second);
	assert_int_equal(edge_choose(c.m), first);
}

/* requirement: EDGE-6, OPS-3 */
static void test_a_drained_one_keeps_what_nobody_else_can_have(void **state)
{
	assert_ok(drain("e1", true));
	assert_int_equal(drain_of(first), EDGE_DRAIN_MOVES);
	assert_ok(drain("e2", true));
	assert_int_equal(drain_of(first), EDGE_DRAIN_NO_OTHER);
	assert_int_equal(drain_of(second), EDGE_DRAIN_EMPTY);
	assert_int_equal(edge_choose(c.m), 0);
	assert_false(settle(1000));
	assert_int_equal(owner(), first);
	assert_ok(drain("e2", false));
	assert_int_equal(drain_of(first), EDGE_DRAIN_MOVES);
	host_set_connected(c.m, second, false);
	assert_int_equal(drain_of(first), EDGE_DRAIN_NO_OTHER);
	host_set_connected(c.m, second, true);
	assert_true(settle(1001));
	assert_int_equal(owner(), second);
	assert_int_equal(drain_of(first), EDGE_DRAIN_EMPTY);
}

/* ---- what is handed over ---- */

static void report(uint32_t edge, bool hands_over, bool carries_nothing)
{
	const struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
		.substrate_mtu = 1500,
		.probed_ms = 2,
		.hands_over = hands_over,
		.carries_nothing = carries_nothing,
		.error = carries_nothing ? (char *)(uintptr_t) "its device is gone" : NULL,
	};
	struct tx *tx = cluster_tx(&c);
	int r = host_report(tx, edge, &can, &c.refusal);

	while (!r && host_report_due(c.m))
		r = host_report_step(tx, SIZE_MAX);
	assert_ok(cluster_end(&c, r));
}

/* A private NAT gateway; it goes to the second edge, which has nothing. */
static uint64_t make_nat(void)
{
	const struct nat_gateway_create_args args = {.subnet_id = c.subnet, .is_private = true};
	const struct nat_gateway *g;
	uint64_t id;
	int r = nat_gateway_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);

	assert_ok(r);
	assert_int_equal(g->edge, second);
	id = g->o.id;
	assert_ok(cluster_end(&c, r));
	return id;
}

static const struct nat_gateway *nat(uint64_t id)
{
	return (const struct nat_gateway *)model_get(c.m, KIND_NAT_GATEWAY, id);
}

static void acknowledge(uint64_t id)
{
	assert_ok(cluster_end(
		&c, nat_gateway_acknowledge(cluster_tx(&c), second, UINT64_MAX, NULL, 0)));
	assert_int_equal(nat(id)->state, NAT_AVAILABLE);
}

static bool skip_none(void *data, const struct nat_gateway *g)
{
	return data;
}

/* requirement: EDGE-6 */
static void test_a_nat_gateway_that_works_waits_to_be_handed_over(void **state)
{
	uint64_t id = make_nat();

	acknowledge(id);
	report(first, true, false);
	report(second, true, false);
	assert_int_equal(edge_heir(c.m, second, second), 0); /* it is not drained */
	assert_ok(drain("e2", true));
	assert_int_equal(edge_heir(c.m, second, 0), first);
	assert_int_equal(edge_heir(c.m, second, first), first); /* there is no other */
	assert_ptr_equal(edge_handed_over(c.m, second, skip_none, NULL), nat(id));
	assert_null(edge_handed_over(c.m, second, skip_none, &id));
	assert_false(settle(1000));
	assert_int_equal(nat(id)->edge, second);
	assert_ok(cluster_end(&c, edge_hand_over(cluster_tx(&c), id, first)));
	assert_int_equal(nat(id)->edge, first);
	assert_int_equal(nat(id)->state, NAT_AVAILABLE);
	assert_null(edge_handed_over(c.m, second, skip_none, NULL));
	assert_int_equal(edge_load(c.m, second), 0);
}

/* An agent that is away for a moment is waited for, as ever; a lost one loses it. */
/* requirement: EDGE-6 */
static void test_a_drained_one_that_is_lost_hands_nothing_over(void **state)
{
	uint64_t id = make_nat();

	acknowledge(id);
	report(first, true, false);
	report(second, true, false);
	assert_ok(drain("e2", true));
	host_set_connected(c.m, second, false);
	assert_false(settle(1000));
	assert_int_equal(nat(id)->edge, second);
	assert_true(settle(1000 + LIMIT_MODEL_EDGE_LOST_MS));
	assert_int_equal(nat(id)->edge, first);
}

/* requirement: EDGE-6 */
static void test_what_cannot_be_handed_over_is_taken(void **state)
{
	uint64_t id = make_nat();

	/* it has never worked */
	report(first, true, false);
	report(second, true, false);
	assert_ok(drain("e2", true));
	assert_true(settle(1000));
	assert_int_equal(nat(id)->edge, first);
	assert_ok(cluster_end(&c, edge_hand_over(cluster_tx(&c), id, second)));
	acknowledge(id);
	assert_false(settle(1001));
	/* it carries nothing; or the others are of an older build; or it is itself */
	report(second, true, true);
	assert_true(settle(1002));
	assert_int_equal(nat(id)->edge, first);
	assert_ok(cluster_end(&c, edge_hand_over(cluster_tx(&c), id, second)));
	report(second, true, false);
	report(first, false, false);
	assert_true(settle(1003));
	assert_ok(cluster_end(&c, edge_hand_over(cluster_tx(&c), id, second)));
	report(second, false, false);
	report(first, true, false);
	assert_int_equal(edge_heir(c.m, second, second), 0);
	assert_true(settle(1004));
	assert_int_equal(nat(id)->edge, first);
}

/* ---- what is told of ways by gateways ---- */

static int note_default_route(void *data, uint32_t host, const struct plan_item *item)
{
	struct plan_route *route = data;

	for (size_t i = 0; item->kind == PLAN_TABLE && i < item->table.n_routes; i++)
		if (!item->table.routes[i].prefix.len)
			*route = item->table.routes[i];
	return 0;
}

/* The route of all IPv6, as 'host' is told of it. */
static struct plan_route told(uint32_t host)
{
	struct plan_route route = {0};

	assert_ok(plan_full(c.m, host, note_default_route, &route));
	assert_int_equal(route.target, PLAN_TARGET_GATEWAY);
	return route;
}

static void route_all_ipv6(const char *egress_id)
{
	const struct vpc *v;
	char rtb[ID_TEXT_SIZE];
	struct route_args args = {
		.table_id = rtb, .ipv6_cidr = "::/0", .egress_gateway_id = egress_id};

	assert_ok(vpc_find(c.m, &c.me, c.vpc, &v, &c.refusal));
	id_text(KIND_ROUTE_TABLE, v->main_table, rtb);
	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

/* By its handle the edge itself knows what answers by it. */
/* requirement: EDGE-1 */
static void test_an_edge_is_told_the_handle_of_what_it_has(void **state)
{
	struct egress_gateway_create_args egress = {.vpc_id = c.vpc};
	char id[ID_TEXT_SIZE], instance[ID_TEXT_SIZE];
	const struct egress_gateway *g;
	struct plan_route route;
	uint32_t handle;
	int r = egress_gateway_create(cluster_tx(&c), &c.me, &egress, &g, &c.refusal);

	assert_ok(r);
	object_id_text(&g->o, id);
	handle = g->handle.number;
	assert_int_equal(g->edge, second);
	assert_ok(cluster_end(&c, r));
	route_all_ipv6(id);
	assert_ok(cluster_run(&c, c.subnet, instance));
	route = told(second);
	assert_int_equal(route.peer, 0); /* here */
	assert_int_equal(route.vni, handle);
	route = told(cluster_instance(&c, instance)->host);
	assert_int_equal(route.peer, second);
	assert_int_equal(route.vni, handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_agent_may_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_machine_that_is_gone_is_not_waited_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_else_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_is_removed_is_replaced_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_one_that_has_something_is_ended_before_it_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_that_is_drained_gives_all_to_the_others,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_edge_is_told_the_handle_of_what_it_has,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_drained_one_keeps_what_nobody_else_can_have,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_nat_gateway_that_works_waits_to_be_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_drained_one_that_is_lost_hands_nothing_over,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_handed_over_is_taken, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
