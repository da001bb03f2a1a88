/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane's ways out of a network: routes, peering, gateways. */
#include "datapath/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "tests/unit/addr.h"

enum {
	VNI = 7,
	OTHER = 8,
	PORT = 1,
	TABLE = 3,
	IGW = 0xf00001,
	NAT = 0xf00002,
	INTERFACE = 0xf00003
};

/* "a" has the node 10.0.0.4 of VNI; "b", an edge, has 10.9.0.5 of OTHER; each is the other's peer
 * 2. */
struct two {
	struct fake_world *world;
	struct datapath *a, *b;
	struct dp_port port_a, port_b;
};

static struct datapath *make_host(struct fake_world *world, const char *name, const char *siit2,
				  const char *other, bool other_is_edge, const struct dp_port *port)
{
	struct dp_config config = {.name = name,
				   .siit2 = prefix_of(siit2),
				   .max_mappings = 16,
				   .uplink_ifindex = other_is_edge ? 0 : 5};
	struct dp_subnet subnets[] = {
		{.vni = VNI,
		 .prefix = prefix_of("10.0.0.0/24"),
		 .router = addr_of("10.0.0.1"),
		 .table = TABLE},
		{.vni = OTHER, .prefix = prefix_of("10.9.0.0/24"), .router = addr_of("10.9.0.1")}};
	struct dp_peer peer = {.id = 2,
			       .siit2 = prefix_of(other),
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_2),
			       .nexthop = 1,
			       .edge = other_is_edge};
	struct datapath *dp;
	bool adopted;

	assert_int_equal(datapath_open_fake(world, &config, &dp, &adopted), 0);
	assert_int_equal(datapath_port_set(dp, port), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(datapath_subnet_set(dp, &subnets[i]), 0);
	assert_int_equal(datapath_peer_set(dp, &peer), 0);
	assert_int_equal(datapath_peering_set(dp, OTHER, VNI), 0);
	return dp;
}

static void set_table(struct datapath *dp)
{
	const struct dp_route routes[] = {
		{.prefix = prefix_of("10.9.0.0/16"), .target = DP_TARGET_NETWORK, .vni = OTHER},
		{.prefix = prefix_of("192.0.2.0/24"), .target = DP_TARGET_BLACKHOLE},
		{.prefix = prefix_of("192.0.2.8/32"),
		 .target = DP_TARGET_GATEWAY,
		 .peer = 2,
		 .vni = NAT},
		{.prefix = prefix_of("192.0.2.9/32"), .target = DP_TARGET_GATEWAY},
		{.prefix = prefix_of("203.0.113.0/24"), .target = DP_TARGET_INTERNET},
		{.prefix = prefix_of("::/0"), .target = DP_TARGET_BLACKHOLE},
	};
	struct dp_table t = {
		.number = TABLE, .n_routes = sizeof(routes) / sizeof(routes[0]), .routes = routes};

	assert_int_equal(datapath_table_set(dp, &t), 0);
}

static int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->port_a =
		(struct dp_port){.id = PORT, .vni = VNI, .mac = {{2, 0, 0, 0, 0, 1}}, .n_addrs = 1};
	t->port_a.addrs[0] = addr_of("10.0.0.4");
	t->port_b = t->port_a;
	t->port_b.vni = OTHER;
	t->port_b.addrs[0] = addr_of("10.9.0.5");
	assert_int_equal(fake_world_new(&t->world), 0);
	t->a = make_host(t->world, "a", "fd56:6961:8000:100::/56", "fd56:6961:8000:200::/56", true,
			 &t->port_a);
	t->b = make_host(t->world, "b", "fd56:6961:8000:200::/56", "fd56:6961:8000:100::/56", false,
			 &t->port_b);
	set_table(t->a);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct two *t = *state;

	datapath_close(t->a);
	datapath_close(t->b);
	fake_world_free(t->world);
	free(t);
	return 0;
}

static void map(struct datapath *dp, uint32_t vni, const char *addr, uint32_t peer)
{
	struct dp_mapping m = {.vni = vni, .addr = addr_of(addr), .peer = peer, .revision = 9};

	assert_int_equal(datapath_mapping_set(dp, &m), 0);
}

static enum fake_verdict send_to(struct two *t, const char *dst, uint32_t *ret_reason)
{
	struct ipaddr src = addr_of("10.0.0.4"), d = addr_of(dst);

	*ret_reason = 0;
	return fake_send_packet(t->world, "a", PORT, &src, &d, 5, ret_reason);
}

static void assert_dropped(struct two *t, const char *dst, uint32_t reason)
{
	uint32_t got;

	assert_int_equal(send_to(t, dst, &got), FAKE_DROPPED);
	assert_int_equal(got, reason);
}

/* requirement: TOPO-1 */
static void test_longest_prefix(void **state)
{
	struct two *t = *state;

	assert_dropped(t, "198.51.100.1", DROP_NO_ROUTE);
	assert_dropped(t, "192.0.2.1", DROP_BLACKHOLE);
	assert_dropped(t, "192.0.2.8", DROP_HANDLE); /* there is no such gateway at the edge */
	assert_dropped(t, "192.0.2.9", DROP_NO_EDGE);
	assert_dropped(t, "203.0.113.1", DROP_NO_PUBLIC);
}

/* Routes for addresses of the network itself: for what goes by the router, not for neighbours. */
/* requirement: TOPO-1 */
static void test_inside(void **state)
{
	struct two *t = *state;
	const struct dp_subnet subnets[] = {
		{.vni = VNI,
		 .prefix = prefix_of("10.0.0.0/24"),
		 .router = addr_of("10.0.0.1"),
		 .router_mac = {{2, 0xff}},
		 .table = TABLE},
		{.vni = VNI, .prefix = prefix_of("10.0.2.0/24"), .router = addr_of("10.0.2.1")}};
	const struct dp_route routes[] = {
		{.prefix = prefix_of("10.0.0.0/16"), .target = DP_TARGET_LOCAL},
		{.prefix = prefix_of("10.0.2.0/24"), .target = DP_TARGET_INTERFACE},
		{.prefix = prefix_of("10.0.0.0/24"), .target = DP_TARGET_INTERFACE},
	};
	struct dp_table table = {.number = TABLE, .inside = true, .n_routes = 3, .routes = routes};
	uint32_t reason;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(datapath_subnet_set(t->a, &subnets[i]), 0);
	assert_int_equal(send_to(t, "10.0.2.9", &reason), FAKE_HELD);
	assert_int_equal(datapath_table_set(t->a, &table), 0);
	assert_dropped(t, "10.0.2.9", DROP_BLACKHOLE); /* nobody has the interface */
	assert_dropped(t, "10.0.1.9", DROP_BLACKHOLE); /* in no subnet */
	assert_int_equal(send_to(t, "10.0.0.9", &reason), FAKE_HELD);
	table.n_routes = 1;
	assert_int_equal(datapath_table_set(t->a, &table), 0);
	assert_int_equal(send_to(t, "10.0.2.9", &reason), FAKE_HELD);
	table.n_routes = 3;
	table.inside = false;
	assert_int_equal(datapath_table_set(t->a, &table), 0);
	assert_int_equal(send_to(t, "10.0.2.9", &reason), FAKE_HELD);
}

/* Each end is asked for in its own network. */
/* requirement: MAP-2 */
/* requirement: MAP-4 */
static void test_peering(void **state)
{
	struct two *t = *state;
	struct dp_upcall *u;
	uint32_t reason, number;

	assert_int_equal(send_to(t, "10.9.0.5", &reason), FAKE_HELD);
	assert_int_equal(datapath_upcall_read(t->a, &u), 0);
	assert_int_equal(u->kind, DP_UPCALL_RESOLVE);
	assert_int_equal(u->vni, VNI);
	assert_int_equal(u->other_vni, OTHER);
	map(t->a, OTHER, "10.9.0.5", 2);
	assert_int_equal(datapath_reinject(t->a, u), 0);
	datapath_upcall_free(u);
	assert_int_equal(datapath_upcall_read(t->b, &u), 0);
	assert_int_equal(u->kind, DP_UPCALL_VERIFY);
	assert_int_equal(u->vni, OTHER);
	assert_int_equal(u->other_vni, VNI);
	map(t->b, VNI, "10.0.0.4", 2);
	assert_int_equal(datapath_reinject(t->b, u), 0);
	datapath_upcall_free(u);
	assert_true(fake_receive_packet(t->world, "b", PORT, &number));
	assert_int_equal(number, 5);
	assert_int_equal(datapath_peering_delete(t->b, VNI, OTHER), 0);
	assert_dropped(t, "10.9.0.5", DROP_NOT_PEERED);
	assert_int_equal(datapath_peering_delete(t->b, VNI, OTHER), -ENOENT);
}

static void set_gateways(struct two *t)
{
	struct dp_gateway igw = {.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = VNI};
	struct dp_gateway nat = {.handle = NAT,
				 .kind = DP_GATEWAY_NAT,
				 .vni = VNI,
				 .public = addr_of("198.51.100.100"),
				 .port_first = 1024,
				 .port_last = 2048};

	assert_int_equal(datapath_gateway_set(t->b, &igw), 0);
	assert_int_equal(datapath_gateway_set(t->b, &nat), 0);
	assert_int_equal(datapath_gateway_set(t->a, &nat), -EOPNOTSUPP);
}

static uint64_t gone_out(struct two *t, uint32_t handle)
{
	struct dp_gateway_counters c;

	assert_int_equal(datapath_gateway_counters(t->b, handle, &c), 0);
	return c.out_packets;
}

/* requirement: EDGE-1 */
static void test_gateways(void **state)
{
	struct two *t = *state;
	struct dp_public public = {.public = addr_of("198.51.100.10"),
				   .vni = VNI,
				   .addr = addr_of("10.0.0.4"),
				   .handle = IGW};
	struct ipaddr addr = addr_of("198.51.100.10");
	struct dp_upcall *u;
	uint32_t reason;

	set_gateways(t);
	assert_int_equal(send_to(t, "192.0.2.8", &reason), FAKE_HELD); /* the edge verifies */
	assert_int_equal(datapath_upcall_read(t->b, &u), 0);
	assert_int_equal(u->vni, VNI);
	assert_true(ipaddr_is_zero(&u->dst));
	map(t->b, VNI, "10.0.0.4", 2);
	assert_int_equal(datapath_reinject(t->b, u), 0);
	datapath_upcall_free(u);
	assert_int_equal(gone_out(t, NAT), 1);
	t->port_a.n_exits = 1;
	t->port_a.exits[0] =
		(struct dp_exit){.addr = addr_of("10.0.0.4"), .peer = 2, .handle = IGW};
	assert_int_equal(datapath_port_set(t->a, &t->port_a), 0);
	assert_dropped(t, "203.0.113.1", DROP_NO_PUBLIC); /* says the edge */
	assert_int_equal(datapath_public_set(t->b, &public), 0);
	assert_int_equal(send_to(t, "203.0.113.1", &reason), FAKE_DELIVERED);
	assert_int_equal(gone_out(t, IGW), 1);
	assert_int_equal(datapath_public_delete(t->b, &addr), 0);
	assert_int_equal(datapath_gateway_delete(t->b, IGW), 0);
	assert_dropped(t, "203.0.113.1", DROP_HANDLE);
}

/* What comes from outside comes from an edge. */
/* requirement: MAP-4 */
/* requirement: EDGE-1 */
static void test_from_outside(void **state)
{
	struct two *t = *state;
	struct ipaddr world = addr_of("203.0.113.1"), node = addr_of("10.0.0.4");
	struct dp_peer peer = {.id = 2,
			       .siit2 = prefix_of("fd56:6961:8000:200::/56"),
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_2),
			       .nexthop = 1};

	assert_int_equal(fake_arrive(t->world, "a", "b", VNI, &world, &node, 1, NULL),
			 FAKE_DELIVERED);
	assert_int_equal(datapath_peer_set(t->a, &peer), 0);
	assert_int_equal(fake_arrive(t->world, "a", "b", VNI, &world, &node, 1, NULL), FAKE_HELD);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_longest_prefix), TEST(test_inside),       TEST(test_peering),
		TEST(test_gateways),       TEST(test_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
