/* SPDX-License-Identifier: Apache-2.0 */
/* Desired against actual: what is changed, what is left alone, what is reported. */
#include "agent/reconcile.h"

#include <string.h>

#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

static const Viaduct__Agent__InstanceStatus *last_status(const struct rig *r)
{
	const Viaduct__Agent__Frame *f = rig_last(r, VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS);

	assert_non_null(f);
	return f->instance_status;
}

struct tables {
	size_t n_ports, n_subnets, n_peers;
	struct dp_port port;
	struct dp_peer peer;
	struct dp_subnet subnet;
};

static int see_port(const struct dp_port *p, void *arg)
{
	struct tables *t = arg;

	t->n_ports++;
	t->port = *p;
	return 0;
}

static int see_subnet(const struct dp_subnet *s, void *arg)
{
	struct tables *t = arg;

	t->n_subnets++;
	t->subnet = *s;
	return 0;
}

static int see_peer(const struct dp_peer *p, void *arg)
{
	struct tables *t = arg;

	t->n_peers++;
	t->peer = *p;
	return 0;
}

static struct tables tables(const struct rig *r)
{
	struct tables t = {0};

	assert_ok(datapath_ports(r->agent->dp, see_port, &t));
	assert_ok(datapath_subnets(r->agent->dp, see_subnet, &t));
	assert_ok(datapath_peers(r->agent->dp, see_peer, &t));
	return t;
}

/* Its acknowledgement says that the node has the address no more: so it must not, whatever fails.
 * requirement: NIC-3 */
static void test_a_port_that_cannot_lose_an_address_goes(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-1", "i-1", 0x0a000109)};

	r->nodes.fail_plug = -ENOSPC;
	rig_desire(r, 11, false, o, 1);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_int_equal(tables(r).n_ports, 0);
	r->nodes.fail_plug = 0;
	rig_desire(r, 12, false, o, 1);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(tables(r).n_ports, 1);
}

/* requirement: NODE-1 */
static void test_everything_desired_is_made_and_acknowledged(void **state)
{
	struct rig *r = *state;
	struct tables t = tables(r);
	struct ipaddr addr = rig_addr(0x0a000104);
	const struct fake_node *node = fake_nodes_find(&r->nodes, "i-1");

	assert_int_equal(t.n_ports, 1);
	assert_int_equal(t.n_subnets, 1);
	assert_int_equal(t.n_peers, 1);
	assert_int_equal(t.port.vni, RIG_VNI);
	assert_int_equal(t.port.mtu, 1460);
	assert_true(ipaddr_equal(&t.port.addrs[0], &addr));
	assert_int_equal(t.port.ifindex, node->ifindexes[0]);
	assert_int_not_equal(t.peer.nexthop, 0);
	assert_true(node->node.running);
	assert_true(node->online[0]);
	/* and told what DHCP will say */
	assert_true(ipaddr_equal(&node->addresses[0].addr, &addr));
	assert_int_equal(node->addresses[0].len, t.subnet.prefix.len);
	assert_true(ipaddr_equal(&node->addresses[0].router, &t.subnet.router));
	assert_int_equal(rig_ack(r)->revision, 10);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	assert_int_equal(last_status(r)->generation, 1);
}

/* requirement: OPS-3 */
static void test_what_is_right_is_not_touched(void **state)
{
	struct rig *r = *state;
	uint64_t n_set = r->agent->reconcile.n_set, n_deleted = r->agent->reconcile.n_deleted;

	rig_desire_all(r);
	sync_full(r->agent);
	assert_int_equal(r->agent->reconcile.n_set, n_set);
	assert_int_equal(r->agent->reconcile.n_deleted, n_deleted);
	assert_int_equal(r->nodes.n_starts, 1);
	assert_int_equal(r->nodes.n_stops, 0);
}

/* requirement: OPS-3 */
static void test_both_ways_end_in_the_same_state(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *add[] = {rig_peer(r, 3), rig_instance(r, "i-2", true, 1),
					 rig_interface(r, "eni-2", "i-2", 0x0a000105)};
	uint64_t n_set, n_deleted;

	rig_desire(r, 11, false, add, ARRAY_SIZE(add));
	assert_int_equal(tables(r).n_ports, 2);
	assert_int_equal(tables(r).n_peers, 2);
	n_set = r->agent->reconcile.n_set;
	n_deleted = r->agent->reconcile.n_deleted;
	sync_full(r->agent); /* finds nothing to do */
	assert_int_equal(r->agent->reconcile.n_set, n_set);
	assert_int_equal(r->agent->reconcile.n_deleted, n_deleted);
}

/* requirement: OPS-3 */
static void test_a_full_state_removes_what_it_does_not_name(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *objects[] = {rig_host(r)};
	struct tables t;

	rig_desire(r, 11, true, objects, 1);
	t = tables(r);
	assert_int_equal(t.n_ports + t.n_subnets + t.n_peers, 0);
	assert_null(fake_nodes_find(&r->nodes, "i-1"));
	assert_int_equal(rig_ack(r)->revision, 11);
	assert_int_equal(rig_ack(r)->n_failed, 0);
}

/* requirement: OPS-3 */
static void test_removals_take_away_one_by_one(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;
	Viaduct__Agent__ObjectKey interface = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__ObjectKey instance = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__ObjectKey peer = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__ObjectKey subnet = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__SubnetKey subnet_key = VIADUCT__AGENT__SUBNET_KEY__INIT;
	Viaduct__Agent__ObjectKey *keys[] = {&interface, &instance, &peer, &subnet};
	struct ipaddr prefix = rig_addr(0x0a000100);
	struct tables t;

	interface.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
	interface.interface_id = (char *)(uintptr_t) "eni-1";
	desired.revision = 11;
	desired.n_remove = 1;
	desired.remove = keys;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_DESIRED, &desired);
	assert_int_equal(tables(r).n_ports, 0);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-1")->n_interfaces, 0);
	assert_true(fake_nodes_find(&r->nodes, "i-1")->node.running);

	instance.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID;
	instance.instance_id = (char *)(uintptr_t) "i-1";
	peer.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER;
	peer.peer_number = RIG_PEER;
	subnet.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET;
	subnet.subnet = &subnet_key;
	subnet_key.vni = RIG_VNI;
	subnet_key.prefix = (ProtobufCBinaryData){.len = 16, .data = prefix.b};
	subnet_key.prefix_len = 120;
	desired.revision = 12;
	desired.n_remove = 3;
	desired.remove = keys + 1;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_DESIRED, &desired);
	t = tables(r);
	assert_int_equal(t.n_peers + t.n_subnets, 0);
	assert_null(fake_nodes_find(&r->nodes, "i-1"));
	assert_int_equal(rig_ack(r)->n_failed, 0);
}

/* requirement: NODE-1 */
static void test_stop_and_start(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *stop = rig_instance(r, "i-1", false, 1);
	Viaduct__Agent__Object *start = rig_instance(r, "i-1", true, 2);

	rig_desire(r, 11, false, &stop, 1);
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED);
	assert_int_equal(tables(r).n_ports, 0);
	assert_false(fake_nodes_find(&r->nodes, "i-1")->node.running);
	rig_desire(r, 12, false, &start, 1);
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	assert_int_equal(last_status(r)->generation, 2);
	assert_int_equal(tables(r).n_ports, 1);
}

/* requirement: NODE-1 */
static void test_a_node_that_ends_by_itself_is_reported_and_not_restarted(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *again = rig_instance(r, "i-1", true, 2);

	rig_forget_frames(r);
	fake_nodes_find(&r->nodes, "i-1")->node.running = false;
	rig_advance_ms(r, 1500);
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED);
	assert_string_equal(last_status(r)->text, "it stopped by itself");
	assert_int_equal(tables(r).n_ports, 0);
	sync_full(r->agent);
	rig_desire_all(r);
	assert_int_equal(r->nodes.n_starts, 1);
	rig_desire(r, 11, false, &again, 1);
	assert_int_equal(r->nodes.n_starts, 2);
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
}

/* requirement: NODE-1 */
static void test_a_start_that_fails_is_cleaned_up_and_reported(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *objects[] = {rig_instance(r, "i-2", true, 1),
					     rig_interface(r, "eni-2", "i-2", 0x0a000105)};

	r->nodes.fail_start = -ENOSPC;
	rig_desire(r, 11, false, objects, ARRAY_SIZE(objects));
	assert_int_equal(last_status(r)->state, VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED);
	assert_non_null(strstr(last_status(r)->text, "No space left"));
	assert_int_equal(rig_ack(r)->revision, 11);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_int_equal(rig_ack(r)->failed[0]->error, ENOSPC);
	assert_string_equal(rig_ack(r)->failed[0]->key->instance_id, "i-2");
	assert_int_equal(tables(r).n_ports, 1);
}

/* A row: what is wrong with an interface, and what the Ack says. */
/* requirement: OPS-3 */
static void test_impossible_objects_are_refused_with_a_reason(void **state)
{
	struct rig *r = *state;
	static const struct row {
		const char *text;
		uint32_t vni, prefix_len, mtu, device_index;
		size_t mac_size;
	} rows[] = {
		{"the interface's VNI is not one of a network", 0, 120, 1460, 0, 6},
		{"the interface's VNI is not one of a network", 0xf00000, 120, 1460, 0, 6},
		{"the interface's subnet is no prefix", RIG_VNI, 129, 1460, 0, 6},
		{"the interface's subnet is no prefix", RIG_VNI, 112, 1460, 0, 6}, /* bits behind */
		{"the interface's MTU is outside of 576 to 65535", RIG_VNI, 120, 500, 0, 6},
		{"the interface has no unicast MAC", RIG_VNI, 120, 1460, 0, 5},
		{"the interface's device index is too large", RIG_VNI, 120, 1460, 99, 6},
		{"the interface's subnet is not known on this host", 6, 120, 1460, 0, 6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", 0x0a000104);

		o->interface->vni = rows[i].vni;
		o->interface->subnet_prefix_len = rows[i].prefix_len;
		o->interface->mtu = rows[i].mtu;
		o->interface->device_index = rows[i].device_index;
		o->interface->mac.len = rows[i].mac_size;
		rig_desire(r, 20 + i, false, &o, 1);
		assert_int_equal(rig_ack(r)->revision, 20 + i);
		assert_int_equal(rig_ack(r)->n_failed, 1);
		assert_string_equal(rig_ack(r)->failed[0]->text, rows[i].text);
		assert_string_equal(rig_ack(r)->failed[0]->key->interface_id, "eni-1");
		assert_int_equal(tables(r).n_ports, 1); /* the node goes on as it was */
	}
}

/* requirement: OPS-3 */
static void test_a_refused_object_of_a_full_state_keeps_the_old_one(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *objects[] = {
		rig_host(r),
		rig_peer(r, RIG_PEER),
		rig_subnet(r),
		rig_instance(r, "i-1", true, 1),
		rig_interface(r, "eni-1", "i-1", 0x0a000104),
	};

	objects[4]->interface->mtu = 1;
	rig_desire(r, 11, true, objects, ARRAY_SIZE(objects));
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_int_equal(tables(r).n_ports, 1);
	assert_int_equal(tables(r).port.mtu, 1460);
}

/* requirement: OPS-3 */
static void test_older_differences_make_it_start_over(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *peer = rig_peer(r, 3);

	rig_desire(r, 12, false, &peer, 1);
	rig_desire(r, 11, false, &peer, 1); /* overtaken on the way */
	rig_advance_ms(r, 1000);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_HELLO), 2);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_HELLO)->hello->revision, 0);
	assert_int_equal(tables(r).n_ports, 1); /* and carries on meanwhile */
}

/* requirement: OPS-3 */
static void test_addresses_change_in_place(void **state)
{
	struct rig *r = *state;
	uint32_t port = rig_port(r);
	Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", 0x0a000104);
	struct ipaddr second = rig_addr(0x0a000177);
	ProtobufCBinaryData addrs[2] = {o->interface->addrs[0], {.len = 16, .data = second.b}};

	o->interface->n_addrs = 2;
	o->interface->addrs = addrs;
	rig_desire(r, 11, false, &o, 1);
	assert_int_equal(tables(r).n_ports, 1);
	assert_int_equal(tables(r).port.id, port);
	assert_int_equal(tables(r).port.n_addrs, 2);
	assert_int_equal(r->nodes.n_stops, 0);
}

/* That it is foreign is a difference, also to an agent that finds the peer in its tables.
 * requirement: PKT-3 */
static void test_a_peer_becomes_foreign(void **state)
{
	struct rig *r = *state;

	assert_false(tables(r).peer.foreign);
	for (int i = 1; i >= 0; i--) {
		Viaduct__Agent__Object *o[] = {rig_host(r), rig_peer(r, RIG_PEER), rig_subnet(r),
					       rig_instance(r, "i-1", true, 1),
					       rig_interface(r, "eni-1", "i-1", 0x0a000104)};

		o[1]->peer->foreign = i;
		rig_desire(r, 12U - (unsigned int)i, true, o, ARRAY_SIZE(o));
		assert_int_equal(tables(r).peer.foreign, i);
	}
}

/* requirement: MAP-3 */
static void test_a_peer_follows_its_next_hop(void **state)
{
	struct rig *r = *state;
	uint32_t before = tables(r).peer.nexthop;

	assert_ok(ipaddr_parse("fe80::2", &r->gateway));
	nexthops_changed(&r->agent->nexthops);
	rig_advance_ms(r, 100);
	assert_int_not_equal(tables(r).peer.nexthop, before);
	r->no_route = true;
	nexthops_changed(&r->agent->nexthops);
	rig_advance_ms(r, 100);
	assert_int_equal(tables(r).peer.nexthop, 0);
	r->no_route = false; /* found by searching, without an event */
	rig_advance_ms(r, 11000);
	assert_int_not_equal(tables(r).peer.nexthop, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
		TEST(test_everything_desired_is_made_and_acknowledged),
		TEST(test_what_is_right_is_not_touched),
		TEST(test_both_ways_end_in_the_same_state),
		TEST(test_a_full_state_removes_what_it_does_not_name),
		TEST(test_removals_take_away_one_by_one),
		TEST(test_stop_and_start),
		TEST(test_a_node_that_ends_by_itself_is_reported_and_not_restarted),
		TEST(test_a_start_that_fails_is_cleaned_up_and_reported),
		TEST(test_impossible_objects_are_refused_with_a_reason),
		TEST(test_a_refused_object_of_a_full_state_keeps_the_old_one),
		TEST(test_older_differences_make_it_start_over),
		TEST(test_addresses_change_in_place),
		TEST(test_a_port_that_cannot_lose_an_address_goes),
		TEST(test_a_peer_becomes_foreign),
		TEST(test_a_peer_follows_its_next_hop),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
