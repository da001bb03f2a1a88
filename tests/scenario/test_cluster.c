/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of whole clusters: the manager and whole agents on the fake data plane, packets between
 * their nodes, and what is lost (nothing) when manager or agents go.
 *
 *	a, on h1 (10.0.0.4) --- substrate --- b, on h2 (10.0.0.5)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "base/limits.h"
#include "cluster.h"
#include "model/tx.h"
#include "model/route_table.h"

enum { HOSTS = 2 };

static int setup(void **state)
{
	*state = cluster_pair_new(HOSTS);
	return 0;
}

static enum fake_verdict send_ab(struct cluster_pair *f, uint32_t number)
{
	return scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.0.5", number, NULL);
}

static uint32_t receive_b(struct cluster_pair *f)
{
	return scenario_host_receive(f->c.hosts[1], f->b.eni);
}

/* requirement: MAP-2 */
/* requirement: MAP-4 */
static void first_packets_are_late_and_in_order_and_not_lost(void **state)
{
	struct cluster_pair *f = *state;

	for (uint32_t i = 1; i <= 5; i++)
		assert_int_equal(send_ab(f, i), FAKE_HELD);
	world_advance(f->c.w, 200);
	for (uint32_t i = 1; i <= 5; i++)
		assert_int_equal(receive_b(f), i);
	/* From now on they go by themselves. */
	assert_int_equal(send_ab(f, 6), FAKE_DELIVERED);
	assert_int_equal(receive_b(f), 6);
	assert_int_equal(receive_b(f), 0);
}

/* requirement: OPS-3 */
static void traffic_outlives_the_manager(void **state)
{
	struct cluster_pair *f = *state;

	send_ab(f, 1);
	world_advance(f->c.w, 200);
	assert_int_equal(receive_b(f), 1);
	world_stop_manager(f->c.w);
	for (uint32_t i = 2; i < 50; i++) {
		world_advance(f->c.w, 10000);
		assert_int_equal(send_ab(f, i), FAKE_DELIVERED);
		assert_int_equal(receive_b(f), i);
	}
	world_start_manager(f->c.w);
	world_advance(f->c.w, 60000);
	for (size_t i = 0; i < HOSTS; i++)
		assert_true(scenario_host_is_up(f->c.hosts[i]));
	assert_int_equal(world_instance(f->c.w, f->b.id)->state, INSTANCE_RUNNING);
	assert_int_equal(send_ab(f, 50), FAKE_DELIVERED);
	assert_int_equal(receive_b(f), 50);
	/* The new manager knows who holds what: what ends is heard of. */
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 1000);
	assert_int_not_equal(send_ab(f, 51), FAKE_DELIVERED);
}

static void set(struct cluster_pair *f, const uint32_t *vlan, const char *condition)
{
	struct interface_set_args args = {
		.interface_id = f->a.eni, .vlan = vlan, .condition = condition};
	struct tx *tx = world_begin(f->c.w);
	struct refusal refusal = {0};

	assert_int_equal(interface_set(tx, &f->c.w->customer, &args, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	world_advance(f->c.w, 200);
}

static uint32_t why_not(struct cluster_pair *f)
{
	uint32_t reason = 0;
	enum fake_verdict v =
		scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.0.5", 7, &reason);

	return v == FAKE_DROPPED ? reason : 0;
}

/* The VLAN tag of a record goes from the model to the port of its node, stays there while the agent
 * is away and when it starts again, and is taken back.  (What is done with it:
 * tests/bpf/test_vlan.c.)  requirement: NIC-1 */
static void a_records_tag_is_on_its_port(void **state)
{
	const uint32_t tag = 12, none = 0;
	struct cluster_pair *f = *state;

	send_ab(f, 1);
	world_advance(f->c.w, 200);
	assert_int_equal(receive_b(f), 1);
	set(f, &tag, NULL);
	assert_int_equal(why_not(f), DROP_VLAN);
	scenario_host_kill(f->c.hosts[0]);
	assert_int_equal(why_not(f), DROP_VLAN);
	scenario_host_start(f->c.hosts[0]);
	world_advance(f->c.w, 2000);
	assert_int_equal(why_not(f), DROP_VLAN);
	set(f, &none, NULL);
	assert_int_equal(why_not(f), 0);
	assert_int_equal(receive_b(f), 7);
}

/* requirement: OPS-3 */
static void traffic_outlives_its_agents(void **state)
{
	struct cluster_pair *f = *state;

	send_ab(f, 1);
	world_advance(f->c.w, 200);
	assert_int_equal(receive_b(f), 1);
	scenario_host_kill(f->c.hosts[0]);
	scenario_host_kill(f->c.hosts[1]);
	for (uint32_t i = 2; i < 20; i++) {
		world_advance(f->c.w, 1000);
		assert_int_equal(send_ab(f, i), FAKE_DELIVERED);
		assert_int_equal(receive_b(f), i);
	}
	assert_false(host_is_connected(f->c.w->manager->model, f->c.w->numbers[0]));
	for (size_t i = 0; i < HOSTS; i++)
		scenario_host_start(f->c.hosts[i]);
	for (uint32_t i = 20; i < 40; i++) {
		world_advance(f->c.w, 100);
		assert_int_equal(send_ab(f, i), FAKE_DELIVERED);
		assert_int_equal(receive_b(f), i);
	}
	world_advance(f->c.w, 5000);
	assert_true(host_is_connected(f->c.w->manager->model, f->c.w->numbers[0]));
	assert_int_equal(scenario_host_nodes(f->c.hosts[0]), 1);
	assert_int_equal(send_ab(f, 40), FAKE_DELIVERED);
	assert_int_equal(receive_b(f), 40);
	assert_int_equal(scenario_host_revision(f->c.hosts[0]) > 0, 1);
}

/* requirement: MAP-3 */
static void an_address_that_is_taken_away_is_heard_of_by_its_holders(void **state)
{
	struct cluster_pair *f = *state;
	uint32_t reason = 0;

	send_ab(f, 1);
	world_advance(f->c.w, 200);
	assert_int_equal(receive_b(f), 1);
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 500);
	assert_int_equal(world_instance(f->c.w, f->b.id)->state, INSTANCE_TERMINATED);
	assert_int_equal(scenario_host_nodes(f->c.hosts[1]), 0);
	assert_int_equal(
		scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.0.5", 2, &reason),
		FAKE_DROPPED);
	assert_true(reason == DROP_GONE || reason == DROP_REFUSED);
	/* The address is free again: everybody has heard. */
	cluster_run(&f->c, 0, "10.0.0.5", &f->b);
	world_advance(f->c.w, 60000);
	send_ab(f, 3);
	world_advance(f->c.w, 500);
	assert_int_equal(scenario_host_receive(f->c.hosts[0], f->b.eni), 3);
}

/* requirement: MAP-2 */
static void networks_of_the_same_addresses_do_not_meet(void **state)
{
	struct cluster_node c, d;
	struct cluster_pair *f = *state;

	world_add_network(f->c.w);
	cluster_run(&f->c, 0, "10.0.0.4", &c);
	cluster_run(&f->c, 0, "10.0.0.9", &d);
	/* 10.0.0.5 is in the other network only. */
	scenario_host_send(f->c.hosts[0], c.eni, "10.0.0.4", "10.0.0.5", 1, NULL);
	world_advance(f->c.w, 500);
	assert_int_equal(receive_b(f), 0);
	/* 10.0.0.9 is in this one only. */
	scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.0.9", 2, NULL);
	world_advance(f->c.w, 500);
	assert_int_equal(scenario_host_receive(f->c.hosts[0], d.eni), 0);
	scenario_host_send(f->c.hosts[0], c.eni, "10.0.0.4", "10.0.0.9", 3, NULL);
	world_advance(f->c.w, 500);
	assert_int_equal(scenario_host_receive(f->c.hosts[0], d.eni), 3);
	send_ab(f, 4);
	world_advance(f->c.w, 500);
	assert_int_equal(receive_b(f), 4);
}

/* requirement: MAP-4 */
static void a_sender_that_lies_is_not_believed(void **state)
{
	struct ipaddr b = world_addr("10.0.0.5"), nobody = world_addr("10.0.0.200"), a;
	struct cluster_pair *f = *state;
	uint32_t reason = 0;

	a = world_addr("10.0.0.4");
	/* h1 claims an address that nobody has: held, asked for, refused. */
	fake_arrive(f->c.substrate, "h2", "h1", f->c.w->vni, &nobody, &b, 1, &reason);
	world_advance(f->c.w, 500);
	assert_int_equal(receive_b(f), 0);
	/* The truth passes. */
	fake_arrive(f->c.substrate, "h2", "h1", f->c.w->vni, &a, &b, 2, &reason);
	world_advance(f->c.w, 500);
	assert_int_equal(receive_b(f), 2);
	/* 10.0.0.5 lives on h2: from h1 it is a lie. */
	cluster_run(&f->c, 1, "10.0.0.6", &(struct cluster_node){});
	a = world_addr("10.0.0.6");
	fake_arrive(f->c.substrate, "h2", "h1", f->c.w->vni, &a, &b, 3, &reason);
	world_advance(f->c.w, 500);
	assert_int_equal(receive_b(f), 0);
}

/* The driver of h1 takes 5 s for each step of a node.  Nothing is said to be done before it is, the
 * host's other nodes are served meanwhile, and an agent that is killed in the middle is followed by
 * one that ends it. requirement: NODE-1, MAP-1, OPS-3 */
static void a_slow_driver_delays_its_node_alone(void **state)
{
	char c[ID_TEXT_SIZE], d[ID_TEXT_SIZE];
	struct cluster_pair *f = *state;

	scenario_host_slow(f->c.hosts[0], 5000);
	world_run(f->c.w, 0, "10.0.0.7", c);
	world_settle(f->c.w);
	world_advance(f->c.w, 1000);
	assert_int_equal(world_instance(f->c.w, c)->state, INSTANCE_PENDING);
	assert_int_equal(world_interface(f->c.w, c)->attachment.state, ATTACHMENT_ATTACHING);
	/* a first packet of the host's other node, and changes of the host's state */
	assert_int_equal(send_ab(f, 1), FAKE_HELD);
	world_advance(f->c.w, 200);
	assert_int_equal(receive_b(f), 1);
	set(f, NULL, "disabled");
	assert_int_equal(why_not(f), DROP_DISABLED);
	set(f, NULL, "normal");
	assert_int_equal(world_instance(f->c.w, c)->state, INSTANCE_PENDING);
	world_advance(f->c.w, 20000);
	assert_int_equal(world_instance(f->c.w, c)->state, INSTANCE_RUNNING);
	assert_int_equal(world_interface(f->c.w, c)->attachment.state, ATTACHMENT_ATTACHED);

	/* what is ended during its start */
	world_run(f->c.w, 0, "10.0.0.8", d);
	world_settle(f->c.w);
	world_advance(f->c.w, 7000);
	world_terminate(f->c.w, d);
	world_settle(f->c.w);
	world_advance(f->c.w, 3000);
	assert_int_equal(world_instance(f->c.w, d)->state, INSTANCE_SHUTTING_DOWN);
	world_advance(f->c.w, 20000);
	assert_int_equal(world_instance(f->c.w, d)->state, INSTANCE_TERMINATED);
	assert_int_equal(scenario_host_nodes(f->c.hosts[0]), 2);

	/* and what is begun by one agent */
	world_run(f->c.w, 0, "10.0.0.9", d);
	world_settle(f->c.w);
	world_advance(f->c.w, 12000);
	scenario_host_kill(f->c.hosts[0]);
	world_advance(f->c.w, 1000);
	scenario_host_start(f->c.hosts[0]);
	world_advance(f->c.w, 1000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	assert_int_equal(world_instance(f->c.w, d)->state, INSTANCE_PENDING);
	world_advance(f->c.w, 30000);
	assert_int_equal(world_instance(f->c.w, d)->state, INSTANCE_RUNNING);
	assert_int_equal(scenario_host_nodes(f->c.hosts[0]), 3);
	world_terminate(f->c.w, c);
	world_settle(f->c.w);
	world_advance(f->c.w, 1000);
	assert_int_equal(world_instance(f->c.w, c)->state, INSTANCE_SHUTTING_DOWN);
	world_advance(f->c.w, 20000);
	assert_int_equal(world_instance(f->c.w, c)->state, INSTANCE_TERMINATED);
}

static void lead_to_b(struct cluster_pair *f, const char *cidr)
{
	char table[ID_TEXT_SIZE];
	struct route_args args = {.table_id = table, .cidr = cidr, .interface_id = f->b.eni};
	struct tx *tx = world_begin(f->c.w);
	const struct vpc *v;
	struct refusal refusal = {0};

	assert_int_equal(
		vpc_find(f->c.w->manager->model, &f->c.w->customer, f->c.w->vpc, &v, &refusal), 0);
	id_text(KIND_ROUTE_TABLE, v->main_table, table);
	assert_int_equal(route_create(tx, &f->c.w->customer, &args, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	world_advance(f->c.w, 200);
}

/* A route for a subnet of the network leads what is sent there to b, and nothing else.
 * requirement: TOPO-1 */
static void what_goes_between_subnets_is_led_to_a_node(void **state)
{
	struct cluster_pair *f = *state;
	struct subnet_create_args args = {.vpc_id = f->c.w->vpc, .cidr = "10.0.2.0/24"};
	struct tx *tx = world_begin(f->c.w);
	struct refusal refusal = {0};
	const struct subnet *s;
	struct cluster_node d;
	uint32_t reason = 0;

	assert_int_equal(subnet_create(tx, &f->c.w->customer, &args, &s, &refusal), 0);
	object_id_text(&s->o, f->c.w->subnet);
	assert_int_equal(world_end(f->c.w, tx), 0);
	cluster_run(&f->c, 1, "10.0.2.4", &d);
	scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.2.4", 1, NULL);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], d.eni), 1);
	lead_to_b(f, "10.0.2.0/24");
	scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.2.4", 2, NULL);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], d.eni), 0);
	assert_int_equal(receive_b(f), 2);
	/* what is in no subnet is nowhere; there is no such route for the answers */
	assert_int_equal(
		scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.3.4", 4, &reason),
		FAKE_DROPPED);
	assert_int_equal(reason, DROP_BLACKHOLE);
	scenario_host_send(f->c.hosts[1], d.eni, "10.0.2.4", "10.0.0.4", 5, NULL);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[0], f->a.eni), 5);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, cluster_pair_teardown)

/* What running one instance on h1 alone comes to. */
static int run_on_first(struct world *w, struct refusal *ret)
{
	struct instance_run_args args = {.min_count = 1, .max_count = 1, .subnet_id = w->subnet};
	const struct instance *instance;
	struct tx *tx;
	size_t n;
	int r;

	for (size_t i = 1; i < w->n_hosts; i++)
		host_set_connected(w->manager->model, w->numbers[i], false);
	tx = world_begin(w);
	r = instance_run(tx, &w->customer, &args, &instance, &n, ret);
	tx_abort(tx);
	for (size_t i = 1; i < w->n_hosts; i++)
		host_set_connected(w->manager->model, w->numbers[i], true);
	return r;
}

/* A host whose data plane cannot be opened has confirmed nothing, says so, and is given nothing
 * more; what ran there is not taken for ended either.  When it can, all follows.  requirement:
 * NEG-1  requirement: NODE-1 */
static void a_host_without_a_data_plane_runs_nothing(void **state)
{
	struct cluster_pair *f = *state;
	struct world *w = f->c.w;
	struct refusal refusal = {0};
	const struct host *h;
	char late[ID_TEXT_SIZE];

	scenario_host_kill(f->c.hosts[0]);
	world_settle(w);
	fake_destroy(f->c.substrate, scenario_host_name(f->c.hosts[0]));
	scenario_host_refuse_plane(f->c.hosts[0], -EPERM);
	world_run(w, 0, "10.0.0.9", late);
	scenario_host_start(f->c.hosts[0]);
	world_advance(w, 5000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	h = host_by_number(w->manager->model, w->numbers[0]);
	assert_true(h->can.carries_nothing);
	assert_non_null(
		strstr(h->can.error, "the data plane cannot be opened: Operation not permitted"));
	assert_int_equal(world_instance(w, late)->state, INSTANCE_PENDING);
	assert_int_equal(world_interface(w, late)->attachment.state, ATTACHMENT_ATTACHING);
	assert_int_equal(run_on_first(w, &refusal), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(refusal.message, "1 that carry nothing now"));
	/* It may have nodes of before: that they are gone is for it to say. */
	world_terminate(w, f->a.id);
	world_advance(w, 5000);
	assert_int_equal(world_instance(w, f->a.id)->state, INSTANCE_SHUTTING_DOWN);
	scenario_host_refuse_plane(f->c.hosts[0], 0);
	world_advance(w, LIMIT_AGENT_RESYNC_MS + 5000);
	h = host_by_number(w->manager->model, w->numbers[0]);
	assert_false(h->can.carries_nothing);
	assert_null(h->can.error);
	assert_int_equal(world_instance(w, late)->state, INSTANCE_RUNNING);
	assert_int_equal(world_interface(w, late)->attachment.state, ATTACHMENT_ATTACHED);
	assert_int_equal(world_instance(w, f->a.id)->state, INSTANCE_TERMINATED);
	assert_int_equal(run_on_first(w, &refusal), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_without_a_data_plane_runs_nothing),
		TEST(first_packets_are_late_and_in_order_and_not_lost),
		TEST(traffic_outlives_the_manager),
		TEST(a_records_tag_is_on_its_port),
		TEST(traffic_outlives_its_agents),
		TEST(an_address_that_is_taken_away_is_heard_of_by_its_holders),
		TEST(networks_of_the_same_addresses_do_not_meet),
		TEST(a_sender_that_lies_is_not_believed),
		TEST(a_slow_driver_delays_its_node_alone),
		TEST(what_goes_between_subnets_is_led_to_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
