/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements and DHCPv6 through the whole agent: frames of a node in, frames to the node
 * out. */
#include "agent/agent.h"

#include <string.h>

#include "agent/dhcp6.h"
#include "agent/ra.h"
#include "agent/reply6.h"
#include "base/arena.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/addr.h"

static const struct mac node_mac = {{0x02, 0, 0, 0, 0x01, 0x04}};
static const struct mac router_mac = {{0x02, 0, 0, 0, 0x01, 0x01}};

/* The IPv6 side of the subnet; 'prefix' of 64 bits. */
static Viaduct__Agent__Object *subnet6(struct rig *r, const char *prefix)
{
	Viaduct__Agent__Object *o = rig_subnet(r);

	o->subnet->prefix = rig_text_addr(r, prefix);
	o->subnet->prefix_len = 64;
	o->subnet->router = rig_text_addr(r, "fe80::1");
	o->subnet->resolver = (ProtobufCBinaryData){0};
	o->subnet->network = (ProtobufCBinaryData){0};
	o->subnet->network_len = 0;
	return o;
}

static Viaduct__Agent__Object *interface6(struct rig *r, size_t n)
{
	Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", 0x0a000104);
	static const char *const own[] = {"10.0.1.4", "fe80::4", "2001:db8:1::a", "2001:db8:1::b"};

	o->interface->n_addrs = n;
	o->interface->addrs = arena_alloc_array(&r->arena, n, sizeof(ProtobufCBinaryData));
	for (size_t i = 0; i < n; i++)
		o->interface->addrs[i] = rig_text_addr(r, own[i]);
	return o;
}

/* The node with 'n' of the addresses above. */
static void desire(struct rig *r, uint64_t revision, size_t n)
{
	Viaduct__Agent__Object *objects[] = {
		rig_host(r),
		rig_peer(r, RIG_PEER),
		rig_subnet(r),
		subnet6(r, "2001:db8:1::"),
		rig_instance(r, "i-1", true, 1),
		interface6(r, n),
	};

	rig_desire(r, revision, true, objects, ARRAY_SIZE(objects));
	rig_settle(r);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	rig_init(r);
	rig_start(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_deinit(*state);
	free(*state);
	return 0;
}

static bool next_frame(struct rig *r, struct reply6 *ret, uint8_t **ret_frame)
{
	size_t size;

	if (!fake_receive(r->world, "h1", rig_port(r), ret_frame, &size))
		return false;
	assert_ok(reply6_parse(*ret_frame, size, ret));
	return true;
}

static void assert_silence(struct rig *r)
{
	struct reply6 u;
	uint8_t *frame;

	assert_false(next_frame(r, &u, &frame));
}

static void assert_advertised(struct rig *r)
{
	struct ipaddr router = addr_of("fe80::1"), all = addr_of("ff02::1");
	struct reply6 u;
	uint8_t *frame;

	assert_true(next_frame(r, &u, &frame));
	assert_true(mac_equal(&u.source_mac, &router_mac));
	assert_true(ipaddr_equal(&u.source, &router));
	assert_true(ipaddr_equal(&u.destination, &all));
	assert_int_equal(u.hop_limit, 255);
	assert_int_equal(u.payload[0], 134);
	assert_non_null(memmem(u.payload, u.size, "\5\1\0\0\0\0\5\xb4", 8)); /* MTU 1460 */
	assert_non_null(memmem(u.payload, u.size, "\x20\1\x0d\xb8\0\1\0\0", 8));
	free(frame);
}

static void emit(struct rig *r, const char *destination, uint8_t protocol, const void *payload,
		 size_t size)
{
	const struct reply6 u = {
		.source_mac = node_mac,
		.destination_mac = {{0x33, 0x33, 0, 0, 0, 2}},
		.source = addr_of("fe80::4"),
		.destination = addr_of(destination),
		.hop_limit = 255,
		.protocol = protocol,
		.source_port = DHCP6_CLIENT_PORT,
		.destination_port = DHCP6_SERVER_PORT,
		.payload = payload,
		.size = size,
	};
	struct buf b;

	buf_init(&b, 2000);
	reply6_build(&b, &u);
	assert_ok(buf_error(&b));
	assert_int_equal(fake_send(r->world, "h1", rig_port(r), buf_data(&b), buf_size(&b), NULL),
			 FAKE_HELD);
	buf_deinit(&b);
	rig_settle(r);
}

/* requirement: PKT-1 */
static void test_the_router_makes_itself_known(void **state)
{
	struct rig *r = *state;

	desire(r, 10, 3);
	assert_advertised(r); /* as soon as the node is there */
	assert_silence(r);
	emit(r, "ff02::2", 58, "\x85\0\0\0\0\0\0\0", 8);
	assert_advertised(r); /* when it asks */
	assert_silence(r);
	rig_advance_ms(r, RA_INTERVAL_S * UINT64_C(1000));
	assert_advertised(r); /* and now and then */
	assert_silence(r);
	emit(r, "ff02::2", 58, "\x85\1\0\0\0\0\0\0", 8); /* malformed */
	assert_silence(r);
	assert_int_equal(r->agent->n_bad_requests, 1);
}

/* requirement: PKT-1 */
static void test_addresses_that_come_later(void **state)
{
	struct rig *r = *state;

	desire(r, 10, 2); /* a subnet with IPv6, an interface without */
	assert_silence(r);
	emit(r, "ff02::2", 58, "\x85\0\0\0\0\0\0\0", 8);
	assert_silence(r);
	assert_int_equal(r->agent->n_bad_requests, 0);
	assert_int_equal(r->nodes.nodes[0].n_addrs6[0], 0);
	desire(r, 11, 4);
	assert_advertised(r);
	assert_int_equal(r->nodes.nodes[0].n_addrs6[0], 2);
	desire(r, 12, 4); /* nothing new */
	assert_silence(r);
	desire(r, 13, 2);
	assert_int_equal(r->nodes.nodes[0].n_addrs6[0], 0);
}

/* requirement: PKT-1, PKT-8 */
static void test_dhcp(void **state)
{
	static const char solicit[] =
		"\1\1\2\3\0\1\0\x0a\0\3\0\1\2\0\0\0\1\4\0\3\0\x0c\0\0\0\1\0\0\0\0\0"
		"\0\0\0";
	struct rig *r = *state;
	struct ipaddr node = addr_of("fe80::4"), a = addr_of("2001:db8:1::a"),
		      b = addr_of("2001:db8:1::b");
	struct reply6 u;
	uint8_t *frame;

	desire(r, 10, 4);
	assert_advertised(r);
	emit(r, "ff02::1:2", 17, solicit, sizeof(solicit) - 1);
	assert_true(next_frame(r, &u, &frame));
	assert_true(mac_equal(&u.destination_mac, &node_mac));
	assert_true(ipaddr_equal(&u.destination, &node));
	assert_int_equal(u.source_port, DHCP6_SERVER_PORT);
	assert_int_equal(u.destination_port, DHCP6_CLIENT_PORT);
	assert_memory_equal(u.payload, "\2\1\2\3", 4);
	assert_non_null(memmem(u.payload, u.size, a.b, 16));
	assert_non_null(memmem(u.payload, u.size, b.b, 16));
	assert_null(memmem(u.payload, u.size, node.b, 16)); /* it has that one already */
	free(frame);
	emit(r, "ff02::1:2", 17, "\1\1\2\3", 4);
	assert_silence(r);
	assert_int_equal(r->agent->n_bad_requests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_router_makes_itself_known, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_addresses_that_come_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dhcp, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
