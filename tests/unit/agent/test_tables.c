/* SPDX-License-Identifier: Apache-2.0 */
/* Small tables: ports, names, next hops. */
#include "agent/names.h"
#include "agent/nexthop.h"
#include "agent/ports.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/limits.h"
#include "datapath/fake.h"
#include "tests/unit/test.h"

static const struct mac mac_a = {{2, 0, 0, 0, 0, 1}}, mac_b = {{2, 0, 0, 0, 0, 2}};

static void test_a_port_keeps_its_number(void **state)
{
	struct port *a, *b, *again;
	struct ports p;

	ports_init(&p);
	assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &a));
	assert_ok(ports_get(&p, "eni-b", 5, &mac_b, &b));
	assert_int_not_equal(a->dp.id, b->dp.id);
	assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &again));
	assert_ptr_equal(a, again);
	assert_ptr_equal(ports_find(&p, b->dp.id), b);
	assert_ptr_equal(ports_find_interface(&p, "eni-b"), b);
	ports_remove(&p, a);
	assert_null(ports_find_interface(&p, "eni-a"));
	ports_deinit(&p);
}

/* requirement: OPS-3 */
static void test_a_number_given_back_is_not_used_again_soon(void **state)
{
	struct ports p;
	struct port *port;
	uint32_t first;

	ports_init(&p);
	assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &port));
	first = port->dp.id;
	ports_remove(&p, port);
	for (int i = 0; i < 1000; i++) {
		assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &port));
		assert_int_not_equal(port->dp.id, first);
		ports_remove(&p, port);
	}
	/* At the end of the range it goes round, past what is in use. */
	assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &port));
	p.last_id = port->dp.id - 1;
	assert_ok(ports_get(&p, "eni-b", 5, &mac_b, &port));
	p.last_id = LIMIT_AGENT_PORTS;
	assert_ok(ports_get(&p, "eni-c", 5, &mac_b, &port));
	assert_int_equal(port->dp.id, 1);
	ports_deinit(&p);
}

/* requirement: OPS-3 */
static void test_ports_found_running_are_taken_by_network_and_mac(void **state)
{
	const struct dp_config config = {.name = "h1", .max_mappings = 16, .max_flows = 16};
	const struct dp_port found = {.id = 17, .ifindex = 4, .vni = 5, .mac = mac_a, .mtu = 1460};
	struct fake_world *world;
	struct datapath *dp;
	struct port *port;
	struct ports p;
	bool adopted;

	assert_ok(fake_world_new(&world));
	assert_ok(datapath_open_fake(world, &config, &dp, &adopted));
	assert_ok(datapath_port_set(dp, &found));
	ports_init(&p);
	assert_ok(ports_adopt(&p, dp));
	assert_ok(ports_get(&p, "eni-x", 6, &mac_a, &port)); /* another network */
	assert_int_not_equal(port->dp.id, 17);
	assert_ok(ports_get(&p, "eni-y", 5, &mac_b, &port)); /* another MAC */
	assert_int_not_equal(port->dp.id, 17);
	assert_ok(ports_get(&p, "eni-a", 5, &mac_a, &port));
	assert_int_equal(port->dp.id, 17);
	assert_true(port->set);
	assert_ok(ports_get(&p, "eni-z", 5, &mac_a, &port)); /* taken already */
	assert_int_not_equal(port->dp.id, 17);
	ports_deinit(&p);
	datapath_close(dp);
	fake_world_free(world);
}

/* requirement: PKT-8 */
static void test_names_are_fresh_for_a_while_and_bounded(void **state)
{
	const struct ipaddr a = ipaddr_from_v4(1), b = ipaddr_from_v4(2), six = {{0xfd, 1}};
	struct ipaddr found;
	struct names n;
	bool fresh;
	char label[32];

	names_init(&n);
	names_put(&n, 5, "i-1", &a, 0);
	assert_error(names_get(&n, 6, "i-1", false, 0, &found, &fresh), ENOENT);
	assert_ok(names_get(&n, 5, "i-1", false, DNS_ANSWER_TTL * CLOCK_NS_PER_S - 1, &found,
			    &fresh));
	assert_true(fresh);
	assert_true(ipaddr_equal(&found, &a));
	assert_ok(names_get(&n, 5, "i-1", false, DNS_ANSWER_TTL * CLOCK_NS_PER_S, &found, &fresh));
	assert_false(fresh);
	names_put(&n, 5, "i-1", &b, 7);
	assert_ok(names_get(&n, 5, "i-1", false, 7, &found, &fresh));
	assert_true(ipaddr_equal(&found, &b));
	assert_error(names_get(&n, 5, "i-1", true, 7, &found, &fresh), ENOENT);
	names_put(&n, 5, "i-1", &six, 7); /* beside the other */
	assert_ok(names_get(&n, 5, "i-1", true, 7, &found, &fresh));
	assert_true(ipaddr_equal(&found, &six));
	assert_ok(names_get(&n, 5, "i-1", false, 7, &found, &fresh));
	names_drop(&n, 5, "i-1");
	assert_error(names_get(&n, 5, "i-1", true, 7, &found, &fresh), ENOENT);
	names_put(&n, 5, "i-1", &b, 7);
	for (int i = 0; i < LIMIT_AGENT_NAMES; i++) {
		snprintf(label, sizeof(label), "x-%d", i);
		names_put(&n, 5, label, &a, 8);
	}
	assert_int_equal(hmap_count(&n.names), LIMIT_AGENT_NAMES);
	assert_error(names_get(&n, 5, "i-1", false, 8, &found, &fresh),
		     ENOENT); /* the oldest went */
	names_deinit(&n);
}

/* ---- next hops ---- */

struct lan {
	struct clock clock;
	struct loop *loop;
	struct fake_world *world;
	struct datapath *dp;
	struct nexthops nexthops;
	bool neighbour_known;
	uint8_t last_mac;
	unsigned int n_probes, n_moves;
	uint32_t moved_to;
};

/* Targets 2001:db8:N:: are behind gateway fe80::N. */
static int lan_route(void *arg, const struct ipaddr *target, struct nexthop_way *ret)
{
	*ret = (struct nexthop_way){.ifindex = 3, .gateway = {{0xfe, 0x80}}};
	ret->gateway.b[15] = target->b[5];
	return target->b[5] ? 0 : -ENETUNREACH;
}

static int lan_link(void *arg, int ifindex, struct nexthop_link *ret)
{
	*ret = (struct nexthop_link){.mac = mac_a, .mtu = 1500};
	return 0;
}

static int lan_neighbour(void *arg, const struct nexthop_way *way, struct mac *ret_mac)
{
	struct lan *l = arg;

	*ret_mac = mac_b;
	ret_mac->b[5] = l->last_mac;
	return l->neighbour_known ? 0 : -ENOENT;
}

static int lan_probe(void *arg, const struct nexthop_way *way)
{
	struct lan *l = arg;

	l->n_probes++;
	return 0;
}

static void lan_moved(uint32_t peer, uint32_t nexthop, void *arg)
{
	struct lan *l = arg;

	l->n_moves++;
	l->moved_to = nexthop;
}

static int lan_path_mtu(void *arg, const struct ipaddr *target, uint16_t *ret)
{
	*ret = 0;
	return 0;
}

static const struct nexthop_kernel lan_kernel = {
	.route = lan_route,
	.link = lan_link,
	.path_mtu = lan_path_mtu,
	.neighbour = lan_neighbour,
	.probe = lan_probe,
};

static int make_lan(void **state)
{
	const struct dp_config config = {.name = "h1", .max_mappings = 16, .max_flows = 16};
	struct lan *l = calloc(1, sizeof(*l));
	bool adopted;

	log_set_level(LOG_LEVEL_ERR);
	clock_init_manual(&l->clock, CLOCK_NS_PER_S, 0);
	assert_ok(loop_new(&l->clock, &l->loop));
	assert_ok(fake_world_new(&l->world));
	assert_ok(datapath_open_fake(l->world, &config, &l->dp, &adopted));
	nexthops_init(&l->nexthops, l->loop, &lan_kernel, l, lan_moved, l);
	nexthops_set_datapath(&l->nexthops, l->dp);
	l->neighbour_known = true;
	l->last_mac = 2;
	*state = l;
	return 0;
}

static int end_lan(void **state)
{
	struct lan *l = *state;

	nexthops_deinit(&l->nexthops);
	datapath_close(l->dp);
	fake_world_free(l->world);
	loop_free(l->loop);
	free(l);
	return 0;
}

static struct ipaddr target(uint8_t gateway)
{
	return (struct ipaddr){{0x20, 0x01, 0x0d, 0xb8, 0, gateway}};
}

static void test_peers_share_the_next_hop_of_their_gateway(void **state)
{
	struct lan *l = *state;
	struct ipaddr one = target(1), two = target(2), none = target(0);
	uint32_t a = nexthops_want(&l->nexthops, 1, &one);
	const char *text;

	assert_int_not_equal(a, 0);
	assert_int_equal(nexthops_want(&l->nexthops, 2, &one), a);
	assert_int_not_equal(nexthops_want(&l->nexthops, 3, &two), a);
	assert_int_equal(nexthops_want(&l->nexthops, 4, &none), 0);
	assert_true(nexthops_reachable(&l->nexthops, 1, &text));
	assert_false(nexthops_reachable(&l->nexthops, 4, &text));
	assert_non_null(strstr(text, "route"));
	assert_int_equal(hmap_count(&l->nexthops.hops), 2);
	/* Without peers it goes, but not before they have been moved. */
	nexthops_drop(&l->nexthops, 3);
	assert_int_equal(hmap_count(&l->nexthops.hops), 2);
	assert_ok(loop_advance(l->loop, 2 * LIMIT_AGENT_NEXTHOP_PROBE_MS * CLOCK_NS_PER_MS));
	assert_int_equal(hmap_count(&l->nexthops.hops), 1);
}

static void test_neighbours_are_kept_alive_and_followed(void **state)
{
	struct lan *l = *state;
	struct ipaddr one = target(1);
	uint32_t a = nexthops_want(&l->nexthops, 1, &one);
	const struct nexthop *h;
	const char *text;

	assert_ok(loop_advance(l->loop, 3 * LIMIT_AGENT_NEXTHOP_PROBE_MS * CLOCK_NS_PER_MS));
	assert_in_range(l->n_probes, 2, 5);
	l->last_mac = 9; /* the gateway was replaced */
	nexthops_changed(&l->nexthops);
	nexthops_changed(&l->nexthops);
	assert_ok(loop_advance(l->loop, LIMIT_AGENT_NEXTHOP_SWARM_MS * CLOCK_NS_PER_MS));
	hmap_for_each (h, &l->nexthops.hops, node)
		assert_int_equal(h->dp.destination.b[5], 9);
	l->neighbour_known = false;
	nexthops_changed(&l->nexthops);
	assert_ok(loop_advance(l->loop, LIMIT_AGENT_NEXTHOP_SWARM_MS * CLOCK_NS_PER_MS));
	assert_false(nexthops_reachable(&l->nexthops, 1, &text));
	assert_non_null(strstr(text, "does not answer"));
	assert_int_equal(nexthops_want(&l->nexthops, 1, &one), a); /* the kernel searches on */
	assert_int_equal(l->n_moves, 0);
}

/* requirement: OPS-3 */
static void test_numbers_of_an_earlier_life_are_not_given_again(void **state)
{
	struct lan *l = *state;
	struct ipaddr one = target(1);

	nexthops_note_old(&l->nexthops, 1);
	nexthops_note_old(&l->nexthops, 4);
	assert_true(nexthops_want(&l->nexthops, 1, &one) > 4);
	nexthops_forget_old(&l->nexthops);
	assert_int_equal(l->nexthops.n_old, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_keeps_its_number),
		cmocka_unit_test(test_a_number_given_back_is_not_used_again_soon),
		cmocka_unit_test(test_ports_found_running_are_taken_by_network_and_mac),
		cmocka_unit_test(test_names_are_fresh_for_a_while_and_bounded),
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_lan, end_lan)
		TEST(test_peers_share_the_next_hop_of_their_gateway),
		TEST(test_neighbours_are_kept_alive_and_followed),
		TEST(test_numbers_of_an_earlier_life_are_not_given_again),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
