/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes whose driver takes its time: nothing else on the host waits for it, nothing is said to be
 * done before it is, and what comes back late is compared with what is desired then.
 */
#include "agent/node.h"

#include <string.h>

#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum {
	REMOTE = 0x0a000164,
	SLOW_MS = 10000, /* of one step; a start has three */
	START_MS = 3 * SLOW_MS,
	ENOUGH_MS = 20 * SLOW_MS,
};

static int setup(void **state)
{
	struct rig *r;

	rig_setup(state);
	r = *state;
	r->nodes.slow_ns = SLOW_MS * CLOCK_NS_PER_MS;
	strcpy(r->nodes.slow_node, "i-2");
	return 0;
}

static void assert_pending(const struct rig *r, uint64_t revision, const char *id)
{
	assert_int_equal(rig_ack(r)->revision, revision);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(rig_ack(r)->n_pending, 1);
	assert_string_equal(rig_ack(r)->pending[0], id);
}

static void assert_settled(const struct rig *r, uint64_t revision)
{
	assert_int_equal(rig_ack(r)->revision, revision);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(rig_ack(r)->n_pending, 0);
}

/* The last that was said of 'id', or NULL. */
static const Viaduct__Agent__InstanceStatus *last_status(const struct rig *r, const char *id)
{
	for (size_t i = r->n_frames; i; i--) {
		const Viaduct__Agent__Frame *f = r->frames[i - 1];

		if (f->body_case == VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS &&
		    !strcmp(f->instance_status->id, id))
			return f->instance_status;
	}
	return NULL;
}

static Viaduct__Agent__InstanceStatus__State told(const struct rig *r, const char *id)
{
	const Viaduct__Agent__InstanceStatus *s = last_status(r, id);

	return s ? s->state : VIADUCT__AGENT__INSTANCE_STATUS__STATE__UNSPECIFIED;
}

static const struct port *port_of(const struct rig *r, const char *interface)
{
	const struct port *p = ports_find_interface(&r->agent->ports, interface);

	return p && p->set ? p : NULL;
}

static bool runs(struct rig *r, const char *id)
{
	const struct fake_node *n = fake_nodes_find(&r->nodes, id);

	return n && n->node.running;
}

/* With an IPv6 address, too: its node has to be told. */
static Viaduct__Agent__Object *second_interface(struct rig *r)
{
	Viaduct__Agent__Object *o = rig_interface(r, "eni-2", "i-2", 0x0a000105);
	ProtobufCBinaryData *addrs = arena_alloc_array(&r->arena, 2, sizeof(*addrs));

	addrs[0] = o->interface->addrs[0];
	addrs[1] = rig_text_addr(r, "2001:db8:5::5");
	o->interface->addrs = addrs;
	o->interface->n_addrs = 2;
	return o;
}

static void desire_second(struct rig *r, uint64_t revision)
{
	Viaduct__Agent__Object *o[] = {rig_instance(r, "i-2", true, 1), second_interface(r)};

	rig_desire(r, revision, false, o, ARRAY_SIZE(o));
}

static void remove_key(struct rig *r, uint64_t revision, Viaduct__Agent__ObjectKey *key)
{
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;

	desired.revision = revision;
	desired.n_remove = 1;
	desired.remove = &key;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_DESIRED, &desired);
}

static void remove_instance(struct rig *r, uint64_t revision, const char *id)
{
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;

	key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID;
	key.instance_id = (char *)(uintptr_t)id;
	remove_key(r, revision, &key);
}

static void remove_interface(struct rig *r, uint64_t revision, const char *id)
{
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;

	key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
	key.interface_id = (char *)(uintptr_t)id;
	remove_key(r, revision, &key);
}

/* requirement: NODE-1, OPS-3 */
static void test_a_slow_start_delays_nothing_else(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *third[] = {rig_instance(r, "i-3", true, 1),
					   rig_interface(r, "eni-3", "i-3", 0x0a000106)};
	Viaduct__Agent__Object *groups[] = {rig_interface(r, "eni-1", "i-1", 0x0a000104)};

	desire_second(r, 11);
	assert_pending(r, 11, "i-2");
	/* a miss, and a push */
	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
	rig_update(r, REMOTE, 0, 7, true);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK)->update_ack->revision,
			 7);
	/* another node */
	rig_desire(r, 12, false, third, ARRAY_SIZE(third));
	assert_int_equal(told(r, "i-3"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	assert_non_null(port_of(r, "eni-3"));
	rig_advance_ms(r, 100);
	assert_pending(r, 12, "i-2");
	/* a change of a port that is there */
	groups[0]->interface->disabled = true;
	rig_desire(r, 13, false, groups, 1);
	assert_true(port_of(r, "eni-1")->dp.disabled);
	rig_advance_ms(r, 100);
	assert_pending(r, 13, "i-2");

	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__UNSPECIFIED);
	assert_null(port_of(r, "eni-2"));
	rig_advance_ms(r, START_MS);
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	assert_non_null(port_of(r, "eni-2"));
	assert_settled(r, 13);
}

/* What the kernel takes its time for is done where the driver's calls are made.  requirement:
 * OPS-3 */
static void test_ports_come_to_devices_that_are_ready(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;
	Viaduct__Agent__Object *o[] = {rig_instance(r, "i-3", true, 1),
				       rig_interface(r, "eni-3", "i-3", 0x0a000106)};
	unsigned int tidied;

	assert_int_equal(fake_blocked(r->world, name), 0);
	o[1]->interface->logged = true;
	rig_desire(r, 11, false, o, ARRAY_SIZE(o));
	assert_non_null(port_of(r, "eni-3"));
	assert_true(fake_is_prepared(r->world, name, port_of(r, "eni-3")->dp.ifindex));
	assert_true(fake_nodes_find(&r->nodes, "i-3")->open[0]);
	assert_int_equal(fake_blocked(r->world, name), 0);
	/* What belonged to the device goes when that has gone. */
	tidied = fake_tidied(r->world, name);
	remove_interface(r, 12, "eni-3");
	assert_settled(r, 12);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-3")->n_interfaces, 0);
	assert_true(fake_tidied(r->world, name) > tidied);
	/* An agent that finds its ports does nothing with their devices. */
	rig_stop(r);
	rig_start(r);
	rig_desire_all(r);
	assert_int_equal(fake_blocked(r->world, name), 0);
}

/* One session, which copies what the interface's node sends. */
static void mirror(struct rig *r, Viaduct__Agent__Interface *i)
{
	Viaduct__Agent__MirrorRule *rule = arena_alloc(&r->arena, sizeof(*rule));
	Viaduct__Agent__Mirror *m = arena_alloc(&r->arena, sizeof(*m));

	viaduct__agent__mirror_rule__init(rule);
	rule->egress = rule->accept = true;
	rule->protocol = DP_MIRROR_PROTOCOL_ANY;
	rule->source = rule->destination = rig_v4(r, 0);
	rule->source_len = rule->destination_len = 96;
	rule->source_to = rule->destination_to = UINT16_MAX;
	viaduct__agent__mirror__init(m);
	m->number = 1;
	m->target = rig_v4(r, REMOTE);
	m->n_rules = 1;
	m->rules = arena_alloc(&r->arena, sizeof(*m->rules));
	m->rules[0] = rule;
	i->n_mirrors = 1;
	i->mirrors = arena_alloc(&r->arena, sizeof(*i->mirrors));
	i->mirrors[0] = m;
}

/* A port that runs gets flow logs and mirroring, and loses them.  requirement: OPS-4 */
static void test_a_port_that_runs_is_watched_without_waiting(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-1", "i-1", 0x0a000104)};
	const struct port *port = port_of(r, "eni-1");
	const int device = port->dp.ifindex;

	strcpy(r->nodes.slow_node, "i-1");
	o[0]->interface->logged = true;
	rig_desire(r, 11, false, o, 1);
	assert_pending(r, 11, "i-1");
	assert_false(port->dp.logged);
	/* Its address does not wait for that. */
	o[0]->interface->addrs[0] = rig_v4(r, 0x0a000177);
	rig_desire(r, 12, false, o, 1);
	assert_int_equal(ipaddr_v4(&port->dp.addrs[0]), 0x0a000177);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
	assert_true(port->dp.logged);
	assert_true(fake_is_watched(r->world, name, device));
	/* Watched it is: what is copied of it, too, is a matter of tables. */
	mirror(r, o[0]->interface);
	rig_desire(r, 13, false, o, 1);
	assert_true(port->dp.mirrored);
	rig_advance_ms(r, ENOUGH_MS);
	/* The program stays until nobody needs it. */
	o[0]->interface->logged = false;
	rig_desire(r, 14, false, o, 1);
	assert_false(port->dp.logged);
	rig_advance_ms(r, ENOUGH_MS);
	assert_true(fake_is_watched(r->world, name, device));
	o[0]->interface->n_mirrors = 0;
	rig_desire(r, 15, false, o, 1);
	assert_false(port->dp.mirrored);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 15);
	assert_false(fake_is_watched(r->world, name, device));
	/* Mirroring alone. */
	mirror(r, o[0]->interface);
	rig_desire(r, 16, false, o, 1);
	assert_false(port->dp.mirrored);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 16);
	assert_true(port->dp.mirrored);
	assert_int_equal(fake_blocked(r->world, name), 0);
}

/* A port that runs gets a VLAN tag; another one, and none, is then a matter of tables.  requirement:
 * NIC-1 */
static void test_a_port_that_runs_is_tagged_without_waiting(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-1", "i-1", 0x0a000104)};
	const struct port *port = port_of(r, "eni-1");
	const int device = port->dp.ifindex;

	strcpy(r->nodes.slow_node, "i-1");
	o[0]->interface->vlan = 7;
	o[0]->interface->disabled = true;
	rig_desire(r, 11, false, o, 1);
	assert_pending(r, 11, "i-1");
	assert_int_equal(port->dp.vlan, 0);
	assert_true(port->dp.disabled); /* which does not wait */
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 11);
	assert_int_equal(port->dp.vlan, 7);
	assert_true(fake_is_watched(r->world, name, device));
	/* Outside its VLAN it has no address. */
	assert_true(ipaddr_is_zero(&fake_nodes_find(&r->nodes, "i-1")->addresses[0].addr));
	o[0]->interface->vlan = 8;
	rig_desire(r, 12, false, o, 1);
	assert_int_equal(port->dp.vlan, 8);
	rig_advance_ms(r, ENOUGH_MS);
	o[0]->interface->vlan = 0;
	rig_desire(r, 13, false, o, 1);
	assert_int_equal(port->dp.vlan, 0);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 13);
	assert_false(fake_is_watched(r->world, name, device));
	assert_int_equal(fake_blocked(r->world, name), 0);
}

/* requirement: OPS-4 */
static void test_a_port_that_cannot_be_watched_says_so(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-1", "i-1", 0x0a000104)};

	fake_fail_prepare(r->world, name, -EPERM);
	o[0]->interface->logged = true;
	rig_desire(r, 11, false, o, 1);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_string_equal(rig_ack(r)->failed[0]->key->interface_id, "eni-1");
	assert_int_equal(rig_ack(r)->failed[0]->error, EPERM);
	assert_false(port_of(r, "eni-1")->dp.logged);
	fake_fail_prepare(r->world, name, 0);
	rig_desire(r, 12, false, o, 1);
	assert_settled(r, 12);
	assert_true(port_of(r, "eni-1")->dp.logged);
}

/* requirement: NIC-2 */
static void test_a_device_that_cannot_be_prepared(void **state)
{
	struct rig *r = *state;
	const char *name = r->agent->config.dp.name;

	fake_fail_prepare(r->world, name, -EPERM);
	desire_second(r, 11);
	rig_advance_ms(r, START_MS + SLOW_MS / 2);
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED);
	assert_null(port_of(r, "eni-2"));
	assert_false(fake_nodes_find(&r->nodes, "i-2")->open[0]);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_string_equal(rig_ack(r)->failed[0]->key->interface_id, "eni-2");
	assert_int_equal(rig_ack(r)->failed[0]->error, EPERM);
	fake_fail_prepare(r->world, name, 0);
}

/* What concerns a node's place in the network does not wait for what is being done to the node.
 * requirement: NIC-3 */
static void test_a_slow_node_loses_its_address_at_once(void **state)
{
	struct rig *r = *state;
	struct ipaddr second = rig_addr(0x0a000177), first = rig_addr(0x0a000104);
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-1", "i-1", 0x0a000104)};

	strcpy(r->nodes.slow_node, "i-1");
	o[0]->interface->addrs[0] = (ProtobufCBinaryData){.len = 16, .data = second.b};
	rig_desire(r, 11, false, o, 1);
	assert_pending(r, 11, "i-1");
	assert_true(ipaddr_equal(&port_of(r, "eni-1")->dp.addrs[0], &second));
	o[0]->interface->addrs[0] = (ProtobufCBinaryData){.len = 16, .data = first.b};
	rig_desire(r, 12, false, o, 1); /* in the middle of it */
	assert_true(ipaddr_equal(&port_of(r, "eni-1")->dp.addrs[0], &first));
	remove_interface(r, 13, "eni-1");
	assert_null(port_of(r, "eni-1"));
	assert_pending(r, 13, "i-1");
	assert_int_equal(fake_nodes_find(&r->nodes, "i-1")->n_interfaces, 1);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 13);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-1")->n_interfaces, 0);
	assert_null(port_of(r, "eni-1"));
}

static void stop_during(struct rig *r, uint64_t step)
{
	Viaduct__Agent__Object *stop[] = {rig_instance(r, "i-2", false, 1)};

	desire_second(r, 11);
	rig_advance_ms(r, step * SLOW_MS + SLOW_MS / 2);
	rig_desire(r, 12, false, stop, 1);
	assert_null(port_of(r, "eni-2"));
	assert_pending(r, 12, "i-2");
	rig_advance_ms(r, SLOW_MS);
	assert_null(port_of(r, "eni-2"));
	assert_pending(r, 12, "i-2");
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
	assert_int_equal(r->nodes.n_stops, 1);
	assert_false(runs(r, "i-2"));
	assert_null(port_of(r, "eni-2"));
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED);
	for (size_t i = 0; i < r->n_frames; i++) /* it has never been said to run */
		assert_false(r->frames[i]->body_case ==
				     VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS &&
			     !strcmp(r->frames[i]->instance_status->id, "i-2") &&
			     r->frames[i]->instance_status->state ==
				     VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
}

/* requirement: NODE-1 */
static void test_a_stop_while_it_is_started(void **state)
{
	stop_during(*state, 1);
}

/* requirement: NODE-1 */
static void test_a_stop_while_it_is_configured(void **state)
{
	stop_during(*state, 2);
}

/* requirement: NODE-1 */
static void test_a_node_that_is_removed_during_its_start(void **state)
{
	struct rig *r = *state;

	/* at the look, at the start, when it is configured; then also as its removal is under
	 * way */
	for (uint64_t step = 0; step < 5; step++) {
		desire_second(r, 20 + 3 * step);
		rig_advance_ms(r, step * SLOW_MS + SLOW_MS / 2);
		remove_interface(r, 21 + 3 * step, "eni-2");
		assert_null(port_of(r, "eni-2"));
		remove_instance(r, 22 + 3 * step, "i-2");
		assert_pending(r, 22 + 3 * step, "i-2");
		rig_advance_ms(r, ENOUGH_MS);
		assert_settled(r, 22 + 3 * step);
		assert_null(fake_nodes_find(&r->nodes, "i-2"));
		assert_null(nodes_find(&r->agent->nodes, "i-2"));
		assert_null(port_of(r, "eni-2"));
	}
	assert_non_null(port_of(r, "eni-1"));
}

/* requirement: NODE-1 */
static void test_a_node_that_comes_back_while_it_is_removed(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *again[] = {rig_instance(r, "i-2", true, 2),
					   rig_interface(r, "eni-2", "i-2", 0x0a000105)};

	desire_second(r, 11);
	rig_advance_ms(r, ENOUGH_MS);
	remove_interface(r, 12, "eni-2");
	remove_instance(r, 13, "i-2");
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	rig_desire(r, 14, false, again, ARRAY_SIZE(again));
	assert_pending(r, 14, "i-2");
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 14);
	assert_true(runs(r, "i-2"));
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->node.generation, 2);
	assert_non_null(port_of(r, "eni-2"));
}

/* requirement: NODE-1 */
static void test_a_new_generation_during_the_start(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *next[] = {rig_instance(r, "i-2", true, 2)};

	desire_second(r, 11);
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	rig_desire(r, 12, false, next, 1);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->node.generation, 2);
	assert_int_equal(r->nodes.n_starts, 3); /* i-1's, and two of i-2 */
	assert_int_equal(r->nodes.n_stops, 1);
	assert_int_equal(last_status(r, "i-2")->generation, 2);
}

/* requirement: NODE-1 */
static void test_an_interface_that_goes_while_it_is_plugged(void **state)
{
	struct rig *r = *state;

	desire_second(r, 11);
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	remove_interface(r, 12, "eni-2");
	rig_advance_ms(r, SLOW_MS);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->n_interfaces, 1); /* it was plugged */
	assert_null(port_of(r, "eni-2"));
	assert_pending(r, 12, "i-2");
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->n_interfaces, 0);
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
}

/* Its device has one name on the host: the next node gets it when the first has let go.  requirement:
 * NIC-2 */
static void test_an_interface_that_moves_while_it_is_plugged(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o[] = {rig_instance(r, "i-3", true, 1),
				       rig_interface(r, "eni-2", "i-3", 0x0a000105)};
	const struct port *port;

	desire_second(r, 11);
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	rig_desire(r, 12, false, o, ARRAY_SIZE(o));
	rig_advance_ms(
		r, SLOW_MS); /* it is in the second, belongs to the third, and carries nothing */
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->n_interfaces, 1);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-3")->n_interfaces, 0);
	assert_true(fake_nodes_find(&r->nodes, "i-3")->node.running);
	assert_null(port_of(r, "eni-2"));
	assert_int_equal(rig_ack(r)->n_pending, 2);
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
	assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->n_interfaces, 0);
	port = port_of(r, "eni-2");
	assert_non_null(port);
	assert_string_equal(port->instance_id, "i-3");
	assert_int_equal(port->dp.ifindex, fake_nodes_find(&r->nodes, "i-3")->ifindexes[0]);
}

/* requirement: NIC-3 */
static void test_a_port_comes_with_the_addresses_of_then(void **state)
{
	struct rig *r = *state;
	struct ipaddr second = rig_addr(0x0a000177);
	Viaduct__Agent__Object *o[] = {rig_interface(r, "eni-2", "i-2", 0x0a000105)};

	desire_second(r, 11);
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	o[0]->interface->addrs[0] = (ProtobufCBinaryData){.len = 16, .data = second.b};
	rig_desire(r, 12, false, o, 1);
	rig_advance_ms(r, SLOW_MS);
	assert_non_null(port_of(r, "eni-2"));
	assert_true(ipaddr_equal(&port_of(r, "eni-2")->dp.addrs[0], &second));
	assert_pending(r, 12, "i-2");
	rig_advance_ms(r, ENOUGH_MS);
	assert_settled(r, 12);
}

/* requirement: NODE-1 */
static void test_a_late_failure_is_reported_and_cleaned_up(void **state)
{
	struct rig *r = *state;

	r->nodes.fail_plug = -ENOSPC;
	desire_second(r, 11);
	assert_pending(r, 11, "i-2");
	rig_advance_ms(r, START_MS + SLOW_MS / 2); /* the last step is that of cleaning */
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED);
	assert_false(runs(r, "i-2"));
	assert_int_equal(rig_ack(r)->revision, 11);
	assert_int_equal(rig_ack(r)->n_pending, 0);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_string_equal(rig_ack(r)->failed[0]->key->interface_id, "eni-2");
	assert_int_equal(rig_ack(r)->failed[0]->error, ENOSPC);
}

/* No acknowledgement of something else says that it is done.  requirement: NODE-1 */
static void test_a_failed_stop_stays_failed_until_it_is_done(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *stop[] = {rig_instance(r, "i-1", false, 1)};
	Viaduct__Agent__Object *peer[] = {rig_peer(r, 3)};

	r->nodes.fail_stop = -ETIMEDOUT;
	rig_desire(r, 11, false, stop, 1);
	for (uint64_t revision = 11; revision < 13; revision++) {
		assert_int_equal(rig_ack(r)->revision, revision);
		assert_int_equal(rig_ack(r)->n_failed, 1);
		assert_string_equal(rig_ack(r)->failed[0]->key->instance_id, "i-1");
		rig_desire(r, revision + 1, false, peer, 1);
	}
	assert_int_equal(told(r, "i-1"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	r->nodes.fail_stop = 0;
	rig_advance_ms(r, LIMIT_AGENT_RESYNC_MS);
	assert_settled(r, 13);
	assert_int_equal(told(r, "i-1"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED);
}

/* requirement: NEG-8, NODE-1 */
static void test_a_manager_that_knows_no_pending_hears_when_all_is_done(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *peer[] = {rig_peer(r, 3)};
	Viaduct__Agent__Object *third[] = {rig_instance(r, "i-3", true, 1),
					   rig_interface(r, "eni-3", "i-3", 0x0a000106)};

	r->older = true;
	rig_cut(r);
	rig_advance_ms(r, 1000);
	*r->nodes.slow_node = '\0'; /* all */
	desire_second(r, 11);
	rig_desire(r, 12, false, peer, 1);
	rig_advance_ms(r, START_MS / 2);
	assert_settled(r, 10);
	rig_desire(r, 13, false, third, ARRAY_SIZE(third));
	rig_advance_ms(r, START_MS / 2 + SLOW_MS / 2);
	assert_settled(r, 12); /* before the third: nobody can keep it from hearing of the others */
	assert_int_equal(told(r, "i-3"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__UNSPECIFIED);
	rig_advance_ms(r, START_MS);
	assert_settled(r, 13);
}

/* requirement: NODE-1, OPS-3 */
static void test_a_hello_promises_nothing_that_is_pending(void **state)
{
	struct rig *r = *state;

	desire_second(r, 11);
	rig_cut(r);
	rig_advance_ms(r, 1000);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_HELLO)->hello->revision, 10);
	rig_advance_ms(r, START_MS);
	assert_settled(r, 11);
	rig_cut(r);
	rig_advance_ms(r, 1000);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_HELLO)->hello->revision, 11);
}

/* The agent dies in each of the steps of a start, before and behind what the step does; the next
 * one ends with what is desired, and makes nothing twice.  requirement: OPS-3, NODE-1 */
static void test_an_agent_that_dies_during_a_start(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 6; i++) {
		unsigned int n_starts = r->nodes.n_starts;

		r->nodes.slow_to_tell = i % 2;
		desire_second(r, 20 + 2 * (uint64_t)i);
		rig_advance_ms(r, (uint64_t)(i / 2) * SLOW_MS + SLOW_MS / 2);
		rig_stop(r);
		r->nodes.slow_ns = 0;
		rig_start(r);
		rig_desire_all(r); /* without i-2: what was begun of it is cleaned away */
		assert_null(fake_nodes_find(&r->nodes, "i-2"));
		r->nodes.slow_ns = SLOW_MS * CLOCK_NS_PER_MS;

		desire_second(r, 20 + 2 * (uint64_t)i);
		rig_advance_ms(r, (uint64_t)(i / 2) * SLOW_MS + SLOW_MS / 2);
		rig_stop(r);
		n_starts = r->nodes.n_starts - runs(r, "i-2");
		r->nodes.slow_ns = 0;
		rig_start(r);
		{
			Viaduct__Agent__Object *all[] = {
				rig_host(r),
				rig_peer(r, RIG_PEER),
				rig_subnet(r),
				rig_instance(r, "i-1", true, 1),
				rig_interface(r, "eni-1", "i-1", 0x0a000104),
				rig_instance(r, "i-2", true, 1),
				second_interface(r)};

			rig_desire(r, 21 + 2 * (uint64_t)i, true, all, ARRAY_SIZE(all));
		}
		assert_settled(r, 21 + 2 * (uint64_t)i);
		assert_true(runs(r, "i-2"));
		assert_int_equal(r->nodes.n_starts, n_starts + 1);
		assert_non_null(port_of(r, "eni-2"));
		assert_true(fake_nodes_find(&r->nodes, "i-2")->online[0]);
		assert_int_equal(fake_nodes_find(&r->nodes, "i-2")->n_addrs6[0], 1);
		remove_interface(r, 22 + 2 * (uint64_t)i, "eni-2");
		remove_instance(r, 22 + 2 * (uint64_t)i, "i-2");
		assert_null(fake_nodes_find(&r->nodes, "i-2"));
		r->nodes.slow_ns = SLOW_MS * CLOCK_NS_PER_MS;
	}
}

/* requirement: OPS-3 */
static void test_the_data_plane_is_opened_anew_during_a_start(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *host[] = {rig_host(r)};
	struct ipaddr other;

	for (uint64_t step = 0; step < 3; step++) {
		desire_second(r, 20 + 3 * step);
		rig_advance_ms(r, step * SLOW_MS + SLOW_MS / 2);
		assert_ok(ipaddr_parse(step % 2 ? "2001:db8::1" : "2001:db8::9", &other));
		host[0]->host->v6 = (ProtobufCBinaryData){.len = 16, .data = other.b};
		rig_desire(r, 21 + 3 * step, false, host, 1);
		assert_pending(r, 21 + 3 * step, "i-2");
		rig_advance_ms(r, ENOUGH_MS);
		assert_settled(r, 21 + 3 * step);
		assert_non_null(port_of(r, "eni-1"));
		assert_non_null(port_of(r, "eni-2"));
		remove_interface(r, 22 + 3 * step, "eni-2");
		remove_instance(r, 22 + 3 * step, "i-2");
		rig_advance_ms(r, ENOUGH_MS);
	}
}

static int open_nothing(void *arg, const struct dp_config *config, struct datapath **ret,
			bool *ret_adopted)
{
	return -EPERM;
}

/* requirement: OPS-3, NEG-1 */
static void test_the_data_plane_is_lost_during_a_start(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *host[] = {rig_host(r)};
	int (*const open)(void *, const struct dp_config *, struct datapath **, bool *) =
		r->backend.open;
	struct ipaddr other;

	assert_ok(ipaddr_parse("2001:db8::9", &other));
	host[0]->host->v6 = (ProtobufCBinaryData){.len = 16, .data = other.b};
	desire_second(r, 11);
	rig_advance_ms(r, SLOW_MS + SLOW_MS / 2);
	r->backend.open = open_nothing;
	rig_desire(r, 12, false, host, 1);
	/* It says so, and of what it was told then it has done nothing. */
	assert_true(rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)
			    ->capabilities->carries_nothing);
	assert_non_null(
		strstr(rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities->error,
		       "cannot be opened"));
	assert_true(rig_ack(r)->revision < 12);
	/* it was started and plugged, and there is nothing to be a port of */
	rig_advance_ms(r, SLOW_MS);
	assert_true(runs(r, "i-2"));
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__UNSPECIFIED);
	assert_int_equal(rig_ack(r)->n_pending, 1);
	r->backend.open = open;
	rig_advance_ms(r, LIMIT_AGENT_RESYNC_MS + START_MS);
	assert_non_null(port_of(r, "eni-2"));
	assert_int_equal(told(r, "i-2"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING);
	assert_int_equal(rig_ack(r)->n_pending, 0);
	assert_int_equal(rig_ack(r)->revision, 12);
	assert_false(rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)
			     ->capabilities->carries_nothing);
}

/* Ended by itself while it is looked at, and while something is done to another one.  requirement:
 * NODE-1 */
static void test_a_node_that_ends_while_others_are_slow(void **state)
{
	struct rig *r = *state;

	desire_second(r, 11);
	fake_nodes_find(&r->nodes, "i-1")->node.running = false;
	rig_advance_ms(r, 1500);
	assert_int_equal(told(r, "i-1"), VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED);
	assert_null(port_of(r, "eni-1"));
	rig_advance_ms(r, START_MS);
	assert_settled(r, 11);
	assert_int_equal(r->nodes.n_starts, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
		TEST(test_a_slow_start_delays_nothing_else),
		TEST(test_ports_come_to_devices_that_are_ready),
		TEST(test_a_port_that_runs_is_watched_without_waiting),
		TEST(test_a_port_that_runs_is_tagged_without_waiting),
		TEST(test_a_port_that_cannot_be_watched_says_so),
		TEST(test_a_device_that_cannot_be_prepared),
		TEST(test_a_slow_node_loses_its_address_at_once),
		TEST(test_a_stop_while_it_is_started),
		TEST(test_a_stop_while_it_is_configured),
		TEST(test_a_node_that_is_removed_during_its_start),
		TEST(test_a_node_that_comes_back_while_it_is_removed),
		TEST(test_a_new_generation_during_the_start),
		TEST(test_an_interface_that_goes_while_it_is_plugged),
		TEST(test_an_interface_that_moves_while_it_is_plugged),
		TEST(test_a_port_comes_with_the_addresses_of_then),
		TEST(test_a_late_failure_is_reported_and_cleaned_up),
		TEST(test_a_failed_stop_stays_failed_until_it_is_done),
		TEST(test_a_manager_that_knows_no_pending_hears_when_all_is_done),
		TEST(test_a_hello_promises_nothing_that_is_pending),
		TEST(test_an_agent_that_dies_during_a_start),
		TEST(test_the_data_plane_is_opened_anew_during_a_start),
		TEST(test_the_data_plane_is_lost_during_a_start),
		TEST(test_a_node_that_ends_while_others_are_slow),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
