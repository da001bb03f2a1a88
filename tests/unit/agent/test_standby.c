/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interface that stands by: its node has it, with addresses and all, and the network does not know
 * it.  From there to being live, and back, is one write of a table.
 */
#include "agent/node.h"

#include <string.h>

#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum { OWN = 0x0a000109, SLOW_MS = 10000, ENOUGH_MS = 20 * SLOW_MS };

static Viaduct__Agent__Object *second(struct rig *r, bool standby)
{
	Viaduct__Agent__Object *o = rig_interface(r, "eni-2", "i-1", OWN);
	Viaduct__Agent__Interface *m = o->interface;

	m->device_index = 1;
	if (standby) {
		m->standby_addrs = m->addrs;
		m->n_standby_addrs = m->n_addrs;
		m->addrs = NULL;
		m->n_addrs = m->n_labels = 0;
	}
	return o;
}

static void desire(struct rig *r, uint64_t revision, bool standby)
{
	Viaduct__Agent__Object *o[] = {second(r, standby)};

	rig_desire(r, revision, false, o, 1);
}

static const struct port *port_of(const struct rig *r)
{
	const struct port *p = ports_find_interface(&r->agent->ports, "eni-2");

	return p && p->set ? p : NULL;
}

static void assert_standing_by(const struct rig *r)
{
	assert_non_null(port_of(r));
	assert_int_equal(port_of(r)->dp.n_addrs, 0);
	assert_int_equal(port_of(r)->dp.handle, 0);
	assert_true(port_of(r)->dp.disabled);
}

static void assert_live(const struct rig *r)
{
	struct ipaddr own = rig_addr(OWN);

	assert_non_null(port_of(r));
	assert_int_equal(port_of(r)->dp.n_addrs, 1);
	assert_true(ipaddr_equal(&port_of(r)->dp.addrs[0], &own));
	assert_false(port_of(r)->dp.disabled);
}

static void slow_down(struct rig *r)
{
	r->nodes.slow_ns = SLOW_MS * CLOCK_NS_PER_MS;
	strcpy(r->nodes.slow_node, "i-1");
}

/* requirement: NIC-3 */
static void test_the_node_has_it_and_the_network_does_not(void **state)
{
	struct rig *r = *state;
	const struct fake_node *node = fake_nodes_find(&r->nodes, "i-1");
	const char *name = r->agent->config.dp.name;
	struct ipaddr own = rig_addr(OWN);

	desire(r, 11, true);
	assert_int_equal(rig_ack(r)->revision, 11);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(rig_ack(r)->n_pending, 0);
	assert_standing_by(r);
	assert_int_equal(node->n_interfaces, 2);
	assert_true(node->online[1]);
	assert_true(ipaddr_equal(&node->addresses[1].addr, &own));
	/* Another one here may have the address yet: what is sent to it does not end here. */
	assert_int_equal(rig_packet(r, OWN, 1), FAKE_HELD);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(rig_packet(r, OWN, 2), FAKE_DELIVERED);
	assert_int_equal(r->agent->miss.n_asked, 1);
	assert_int_equal(fake_blocked(r->world, name), 0);
	/* The manager may rely on it. */
	assert_true(rig_last(r, VIADUCT__AGENT__FRAME__BODY_HELLO)->hello->capabilities->stands_by);
}

/* Neither way waits for the node.  requirement: NIC-3 */
static void test_it_is_live_and_stands_by_at_once(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;
	int device;

	desire(r, 11, true);
	device = port_of(r)->dp.ifindex;
	slow_down(r);
	desire(r, 12, false);
	assert_live(r);
	rig_advance_ms(r, ENOUGH_MS);
	assert_int_equal(rig_ack(r)->revision, 12);
	assert_int_equal(rig_ack(r)->n_pending, 0);
	assert_live(r);
	desire(r, 13, true);
	assert_standing_by(r);
	rig_advance_ms(r, ENOUGH_MS);
	assert_int_equal(rig_ack(r)->revision, 13);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_standing_by(r);
	assert_int_equal(port_of(r)->dp.ifindex, device);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-1")->n_interfaces, 2);
	assert_int_equal(fake_blocked(r->world, name), 0);
}

static bool has_failed(const struct rig *r, const char *interface)
{
	for (size_t i = 0; i < rig_ack(r)->n_failed; i++)
		if (!strcmp(rig_ack(r)->failed[i]->key->interface_id, interface))
			return true;
	return false;
}

/* requirement: NIC-3 */
static void test_a_node_that_cannot_have_it_says_so(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o[] = {second(r, true)};

	r->nodes.fail_plug = -ENOSPC;
	rig_desire(r, 11, false, o, 1);
	assert_true(has_failed(r, "eni-2"));
	r->nodes.fail_plug = 0;
	rig_desire(r, 12, false, o, 1);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_standing_by(r);
	/* nor can one that is said to be both */
	o[0]->interface->addrs = o[0]->interface->standby_addrs;
	o[0]->interface->n_addrs = 1;
	rig_desire(r, 13, false, o, 1);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_string_equal(rig_ack(r)->failed[0]->text, "the interface stands by, and does not");
	assert_true(!port_of(r) || !port_of(r)->dp.n_addrs);
}

/* One that cannot stop otherwise goes off the network.  requirement: NIC-3 */
static void test_one_that_cannot_stand_by_is_not_live(void **state)
{
	struct rig *r = *state;

	desire(r, 11, false);
	assert_live(r);
	r->nodes.fail_plug = -ENOSPC;
	desire(r, 12, true);
	assert_int_equal(rig_ack(r)->revision, 12);
	assert_true(!port_of(r) || !port_of(r)->dp.n_addrs);
	r->nodes.fail_plug = 0;
}

/* An agent that starts without a manager knows it.  requirement: NIC-3, OPS-3 */
static void test_it_stands_by_after_a_restart(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_desire_all(r);
	desire(r, 11, true);
	assert_standing_by(r);
	rig_stop(r);
	r->unreachable = true;
	rig_start(r);
	assert_standing_by(r);
	assert_int_equal(r->agent->desired.host.number, 1);
	r->unreachable = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
		TEST(test_the_node_has_it_and_the_network_does_not),
		TEST(test_it_is_live_and_stands_by_at_once),
		TEST(test_a_node_that_cannot_have_it_says_so),
		TEST(test_one_that_cannot_stand_by_is_not_live),
#undef TEST
		cmocka_unit_test_setup_teardown(test_it_stands_by_after_a_restart, rig_setup_saving,
						rig_teardown_saving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
