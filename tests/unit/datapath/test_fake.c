/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane gives the verdicts that its contract promises. */
#include "datapath/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "tests/unit/addr.h"

enum { VNI = 7, PORT = 1, MAX_MAPPINGS = 4 };

struct two {
	struct fake_world *world;
	struct datapath *a, *b;
};

static struct dp_config config_of(const char *name, const char *siit2)
{
	return (struct dp_config){
		.name = name, .siit2 = prefix_of(siit2), .max_mappings = MAX_MAPPINGS};
}

/* A host with one port (VNI, 'addr'), one subnet, itself as a peer and the other host as peer 2. */
static struct datapath *make_host(struct fake_world *world, const char *name, const char *siit2,
				  const char *other, const char *addr)
{
	struct dp_config config = config_of(name, siit2);
	struct dp_port port = {.id = PORT,
			       .vni = VNI,
			       .mac = {{2, 0, 0, 0, 0, 1}},
			       .mtu = 1460,
			       .n_addrs = 1,
			       .addrs = {addr_of(addr)}};
	struct dp_subnet subnet = {
		.vni = VNI, .prefix = prefix_of("10.0.0.0/24"), .router = addr_of("10.0.0.1")};
	struct dp_peer peer = {.id = 2,
			       .siit2 = prefix_of(other),
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_2),
			       .nexthop = 1};
	struct datapath *dp;
	bool adopted;

	assert_int_equal(datapath_open_fake(world, &config, &dp, &adopted), 0);
	assert_false(adopted);
	assert_int_equal(datapath_port_set(dp, &port), 0);
	assert_int_equal(datapath_subnet_set(dp, &subnet), 0);
	assert_int_equal(datapath_peer_set(dp, &peer), 0);
	return dp;
}

static int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_int_equal(fake_world_new(&t->world), 0);
	t->a = make_host(t->world, "a", "fd56:6961:8000:100::/56", "fd56:6961:8000:200::/56",
			 "10.0.0.4");
	t->b = make_host(t->world, "b", "fd56:6961:8000:200::/56", "fd56:6961:8000:100::/56",
			 "10.0.0.5");
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

static void map(struct datapath *dp, const char *addr, uint32_t peer, enum dp_mapping_state state)
{
	struct dp_mapping m = {
		.vni = VNI, .addr = addr_of(addr), .peer = peer, .state = state, .revision = 9};

	assert_int_equal(datapath_mapping_set(dp, &m), 0);
}

static enum fake_verdict send_a_to_b(struct two *t, uint32_t number, uint32_t *ret_reason)
{
	struct ipaddr src = addr_of("10.0.0.4"), dst = addr_of("10.0.0.5");

	return fake_send_packet(t->world, "a", PORT, &src, &dst, number, ret_reason);
}

/* requirement: MAP-2 MAP-4 */
static void unknown_addresses_come_up_and_go_on_when_known(void **state)
{
	struct two *t = *state;
	struct dp_upcall *up;
	uint32_t number;

	assert_int_equal(send_a_to_b(t, 1, NULL), FAKE_HELD);
	assert_int_equal(datapath_upcall_read(t->a, &up), 0);
	assert_int_equal(up->kind, DP_UPCALL_RESOLVE);
	assert_int_equal(up->port, PORT);
	assert_int_equal(up->vni, VNI);
	map(t->a, "10.0.0.5", 2, DP_MAPPING_HELD);
	assert_int_equal(send_a_to_b(t, 2, NULL), FAKE_HELD); /* queues behind */
	assert_int_equal(datapath_reinject(t->a, up), 0);
	datapath_upcall_free(up);
	/* The receiver does not know the sender yet. */
	assert_int_equal(datapath_upcall_read(t->b, &up), 0);
	assert_int_equal(up->kind, DP_UPCALL_VERIFY);
	map(t->b, "10.0.0.4", 2, DP_MAPPING_LIVE);
	assert_int_equal(datapath_reinject(t->b, up), 0);
	datapath_upcall_free(up);
	assert_true(fake_receive_packet(t->world, "b", PORT, &number));
	assert_int_equal(number, 1);
	assert_int_equal(datapath_upcall_read(t->a, &up), 0);
	assert_int_equal(datapath_reinject(t->a, up), 0);
	datapath_upcall_free(up);
	assert_true(fake_receive_packet(t->world, "b", PORT, &number));
	assert_int_equal(number, 2);
	assert_int_equal(datapath_upcall_read(t->a, &up), -EAGAIN);
}

/* requirement: MAP-4 */
static void a_sender_where_its_address_does_not_live_is_a_spoof(void **state)
{
	struct two *t = *state;
	struct dp_upcall *up;
	uint64_t drops[DROP_REASON_MAX];
	uint32_t reason = 0;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	map(t->b, "10.0.0.4", 3, DP_MAPPING_LIVE);
	assert_int_equal(send_a_to_b(t, 1, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_SPOOF);
	/* The same found out late: held, then known to live elsewhere. */
	assert_int_equal(datapath_mapping_delete(t->b, VNI, &(struct ipaddr){0}), -ENOENT);
	assert_int_equal(
		datapath_mapping_delete(t->b, VNI, &(struct ipaddr[]){addr_of("10.0.0.4")}[0]), 0);
	assert_int_equal(send_a_to_b(t, 2, NULL), FAKE_HELD);
	assert_int_equal(datapath_upcall_read(t->b, &up), 0);
	map(t->b, "10.0.0.4", 3, DP_MAPPING_LIVE);
	assert_int_equal(datapath_reinject(t->b, up), 0);
	datapath_upcall_free(up);
	assert_int_equal(datapath_drops(t->b, 0, drops, DROP_REASON_MAX), 0);
	assert_int_equal(drops[DROP_SPOOF], 2);
}

/* requirement: NEG-6 NEG-7 PKT-15 */
static void formats_that_were_not_chosen_are_dropped(void **state)
{
	struct two *t = *state;
	struct dp_peer peer = {.id = 2,
			       .siit2 = prefix_of("fd56:6961:8000:100::/56"),
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_VXLAN_1),
			       .nexthop = 1};
	struct dp_drop_event event;
	uint32_t reason = 0;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	map(t->b, "10.0.0.4", 2, DP_MAPPING_LIVE);
	assert_int_equal(datapath_peer_set(t->b, &peer), 0);
	assert_int_equal(send_a_to_b(t, 1, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_FORMAT);
	peer.siit2 = prefix_of("fd56:6961:8000:200::/56");
	peer.send = FORMAT_NONE;
	assert_int_equal(datapath_peer_set(t->a, &peer), 0);
	assert_int_equal(send_a_to_b(t, 2, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_NO_FORMAT);
	assert_int_equal(datapath_event_read(t->a, &event), 0);
	assert_int_equal(event.reason, DROP_NO_FORMAT);
	assert_int_equal(event.port, PORT);
	assert_int_equal(event.revision, 9);
}

/* requirement: OPS-3 */
static void tables_outlive_the_handle_and_carry_on(void **state)
{
	struct two *t = *state;
	struct dp_config config = config_of("a", "fd56:6961:8000:100::/56");
	uint32_t number;
	bool adopted;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	map(t->b, "10.0.0.4", 2, DP_MAPPING_LIVE);
	assert_int_equal(datapath_open_fake(t->world, &config, &t->a, &adopted), -EBUSY);
	t->a = datapath_close(t->a);
	assert_int_equal(send_a_to_b(t, 5, NULL), FAKE_DELIVERED);
	assert_true(fake_receive_packet(t->world, "b", PORT, &number));
	assert_int_equal(number, 5);
	config.max_mappings++;
	assert_int_equal(datapath_open_fake(t->world, &config, &t->a, &adopted), -EINVAL);
	config.max_mappings--;
	assert_int_equal(datapath_open_fake(t->world, &config, &t->a, &adopted), 0);
	assert_true(adopted);
}

/* requirement: PKT-10 */
static void other_peoples_addresses_are_stopped(void **state)
{
	struct two *t = *state;
	struct ipaddr other = addr_of("10.0.0.9"), dst = addr_of("10.0.0.5"),
		      outside = addr_of("192.0.2.1"), own = addr_of("10.0.0.4");
	uint32_t reason = 0;

	assert_int_equal(fake_send_packet(t->world, "a", PORT, &other, &dst, 1, &reason),
			 FAKE_DROPPED);
	assert_int_equal(reason, DROP_SOURCE_ADDR);
	assert_int_equal(fake_send_packet(t->world, "a", PORT, &own, &outside, 1, &reason),
			 FAKE_DROPPED);
	assert_int_equal(reason, DROP_NO_ROUTE);
	assert_int_equal(fake_send_packet(t->world, "a", 99, &own, &dst, 1, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_NO_PORT);
}

static void a_full_table_says_so(void **state)
{
	struct two *t = *state;
	struct dp_mapping m = {.vni = VNI, .peer = 2};

	for (uint32_t i = 0; i < MAX_MAPPINGS; i++) {
		m.addr = ipaddr_from_v4(0x0a000010 + i);
		assert_int_equal(datapath_mapping_set(t->a, &m), 0);
	}
	m.addr = ipaddr_from_v4(0x0a000099);
	assert_int_equal(datapath_mapping_set(t->a, &m), -ENOSPC);
}

/* ---- policy ---- */

/* Port 1 of host 'dp' gets group 'number' and the group a rule for UDP from (or to) 'prefix'. */
static void set_group(struct datapath *dp, const char *addr, uint32_t number, bool egress,
		      const char *prefix, uint32_t remote_group)
{
	struct dp_rule rule = {.egress = egress,
			       .protocol = DP_PROTOCOL_ANY,
			       .to = 65535,
			       .prefix = prefix_of(prefix),
			       .group = remote_group};
	struct dp_group group = {.number = number, .n_rules = 1, .rules = &rule};
	struct dp_port port = {.id = PORT,
			       .vni = VNI,
			       .mac = {{2, 0, 0, 0, 0, 1}},
			       .n_addrs = 1,
			       .addrs = {addr_of(addr)},
			       .n_groups = 1,
			       .groups = {number}};

	assert_int_equal(datapath_group_set(dp, &group), 0);
	assert_int_equal(datapath_port_set(dp, &port), 0);
}

static int count_connection(const struct dp_connection *c, void *arg)
{
	assert_string_equal(c->state, "tracked");
	++*(int *)arg;
	return 0;
}

static int count_number(uint32_t number, void *arg)
{
	assert_int_not_equal(number, 0);
	++*(int *)arg;
	return 0;
}

/* requirement: NIC-6 */
static void groups_decide_and_connections_live_on(void **state)
{
	struct two *t = *state;
	struct ipaddr a = addr_of("10.0.0.4"), b = addr_of("10.0.0.5");
	uint32_t reason = 0;
	int n = 0;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	map(t->b, "10.0.0.4", 2, DP_MAPPING_LIVE);
	set_group(t->a, "10.0.0.4", 1, true, "10.0.0.5/32", 0);
	set_group(t->b, "10.0.0.5", 2, false, "192.0.2.0/24", 0);
	assert_int_equal(send_a_to_b(t, 1, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_GROUP_INGRESS);
	/* b may not begin anything; a's first packet makes the way back. */
	assert_int_equal(fake_send_packet(t->world, "b", PORT, &b, &a, 2, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_GROUP_EGRESS);
	set_group(t->b, "10.0.0.5", 2, false, "10.0.0.0/24", 0);
	assert_int_equal(send_a_to_b(t, 3, &reason), FAKE_DELIVERED);
	assert_int_equal(fake_send_packet(t->world, "b", PORT, &b, &a, 4, &reason), FAKE_DELIVERED);
	/* A rule that goes ends nothing that is tracked. */
	set_group(t->b, "10.0.0.5", 2, false, "192.0.2.0/24", 0);
	assert_int_equal(send_a_to_b(t, 5, &reason), FAKE_DELIVERED);
	assert_int_equal(datapath_connections(t->b, 0, count_connection, &n), 0);
	assert_int_equal(n, 1);
	n = 0;
	assert_int_equal(datapath_groups(t->b, count_number, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(datapath_group_delete(t->b, 2), 0);
	assert_int_equal(datapath_group_delete(t->b, 2), -ENOENT);
}

/* requirement: NIC-6 */
static void groups_of_the_other_end_decide(void **state)
{
	struct two *t = *state;
	struct dp_mapping m = {.vni = VNI, .addr = addr_of("10.0.0.4"), .peer = 2, .n_groups = 1};
	uint32_t reason = 0;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	set_group(t->b, "10.0.0.5", 2, false, "0.0.0.0/0", 9);
	m.groups[0] = 8;
	assert_int_equal(datapath_mapping_set(t->b, &m), 0);
	assert_int_equal(send_a_to_b(t, 1, &reason), FAKE_DROPPED);
	assert_int_equal(reason, DROP_GROUP_INGRESS);
	m.groups[0] = 9;
	assert_int_equal(datapath_mapping_set(t->b, &m), 0);
	assert_int_equal(send_a_to_b(t, 2, &reason), FAKE_DELIVERED);
}

/* A frame of "a" (10.0.0.4) to "b", with a VLAN tag unless 'vlan' is 0. */
static enum fake_verdict send_frame(struct two *t, uint16_t vlan, uint32_t *ret_reason)
{
	static const uint8_t ip[] = {0x45, 0, 0,  20, 0, 0, 0,  0, 64, 253,
				     0,    0, 10, 0,  0, 4, 10, 0, 0,  5};
	const uint8_t tag[] = {0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan};
	uint8_t f[64] = {2, 9, 9, 9, 9, 9, 2, 0, 0, 0, 0, 1};
	size_t at = 12;

	if (vlan) {
		memcpy(f + at, tag, 4);
		at += 4;
	}
	memcpy(f + at, (uint8_t[]){8, 0}, 2);
	memcpy(f + at + 2, ip, sizeof(ip));
	return fake_send(t->world, "a", PORT, f, at + 2 + sizeof(ip), ret_reason);
}

static void set_vlan(struct datapath *dp, const char *addr, uint16_t vlan)
{
	struct dp_port port = {.id = PORT,
			       .vni = VNI,
			       .mac = {{2, 0, 0, 0, 0, 1}},
			       .mtu = 1460,
			       .vlan = vlan,
			       .n_addrs = 1,
			       .addrs = {addr_of(addr)}};

	assert_int_equal(datapath_port_set(dp, &port), 0);
}

/* As the programs do: tests/bpf/test_vlan.c.  requirement: NIC-1 */
static void tags_come_off_and_are_put_on(void **state)
{
	struct two *t = *state;
	uint8_t *frame;
	uint32_t why;
	size_t size;

	map(t->a, "10.0.0.5", 2, DP_MAPPING_LIVE);
	map(t->b, "10.0.0.4", 2, DP_MAPPING_LIVE);
	assert_int_equal(send_frame(t, 12, &why), FAKE_DROPPED);
	assert_int_equal(why, DROP_VLAN);
	set_vlan(t->a, "10.0.0.4", 12);
	assert_int_equal(send_frame(t, 0, &why), FAKE_DROPPED);
	assert_int_equal(why, DROP_VLAN);
	assert_int_equal(send_frame(t, 13, &why), FAKE_DROPPED);
	assert_int_equal(why, DROP_VLAN);
	assert_int_equal(send_frame(t, 12, NULL), FAKE_DELIVERED);
	assert_true(fake_receive(t->world, "b", PORT, &frame, &size));
	assert_int_equal(size, 34);
	assert_memory_equal(frame + 12, ((uint8_t[]){8, 0}), 2);
	free(frame);
	set_vlan(t->b, "10.0.0.5", 0x123);
	assert_int_equal(send_frame(t, 12, NULL), FAKE_DELIVERED);
	assert_true(fake_receive(t->world, "b", PORT, &frame, &size));
	assert_int_equal(size, 38);
	assert_memory_equal(frame + 12, ((uint8_t[]){0x81, 0, 1, 0x23, 8, 0}), 6);
	free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(unknown_addresses_come_up_and_go_on_when_known),
		TEST(a_sender_where_its_address_does_not_live_is_a_spoof),
		TEST(formats_that_were_not_chosen_are_dropped),
		TEST(tables_outlive_the_handle_and_carry_on),
		TEST(other_peoples_addresses_are_stopped),
		TEST(a_full_table_says_so),
		TEST(groups_decide_and_connections_live_on),
		TEST(groups_of_the_other_end_decide),
		TEST(tags_come_off_and_are_put_on),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
