/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP and DNS through the whole agent: frames of a node in, frames to the node out. */
#include "agent/agent.h"

#include <string.h>

#include "agent/dhcp.h"
#include "agent/dns.h"
#include "agent/reply.h"
#include "base/limits.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

static const struct mac node_mac = {{0x02, 0, 0, 0, 0x01, 0x04}};
static const struct mac router_mac = {{0x02, 0, 0, 0, 0x01, 0x01}};

static void emit(struct rig *r, const struct reply_udp *u)
{
	struct buf b;

	buf_init(&b, 2000);
	reply_build(&b, u);
	assert_ok(buf_error(&b));
	assert_int_equal(fake_send(r->world, "h1", rig_port(r), buf_data(&b), buf_size(&b), NULL),
			 FAKE_HELD);
	buf_deinit(&b);
	rig_settle(r);
}

/* The next frame that the node gets; the caller frees '*ret_frame'. */
static struct reply_udp receive(struct rig *r, uint8_t **ret_frame)
{
	struct reply_udp u;
	size_t size;

	assert_true(fake_receive(r->world, "h1", rig_port(r), ret_frame, &size));
	assert_ok(reply_parse(*ret_frame, size, &u));
	return u;
}

static bool hears_nothing(struct rig *r)
{
	uint8_t *frame;
	size_t size;
	bool heard = fake_receive(r->world, "h1", rig_port(r), &frame, &size);

	if (heard)
		free(frame);
	return !heard;
}

static void discover(struct rig *r, const struct mac *mac)
{
	uint8_t request[300] = {1, 1, 6, 0, 1, 2, 3, 4};
	const struct reply_udp u = {
		.source_mac = node_mac,
		.destination_mac = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		.source = rig_addr(0),
		.destination = rig_addr(0xffffffff),
		.source_port = DHCP_CLIENT_PORT,
		.destination_port = DHCP_SERVER_PORT,
		.payload = request,
		.size = sizeof(request),
	};

	memcpy(request + 28, mac->b, 6);
	memcpy(request + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
	emit(r, &u);
}

/* requirement: PKT-8, PKT-9 */
static void test_a_node_gets_its_own_record(void **state)
{
	struct rig *r = *state;
	struct reply_udp u;
	struct ipaddr own = rig_addr(0x0a000104), router = rig_addr(0x0a000101);
	uint8_t *frame;

	discover(r, &node_mac);
	u = receive(r, &frame);
	assert_true(mac_equal(&u.destination_mac, &node_mac));
	assert_true(mac_equal(&u.source_mac, &router_mac));
	assert_true(ipaddr_equal(&u.source, &router));
	assert_true(ipaddr_equal(&u.destination, &own));
	assert_int_equal(u.source_port, DHCP_SERVER_PORT);
	assert_int_equal(u.destination_port, DHCP_CLIENT_PORT);
	assert_memory_equal(u.payload + 16, "\x0a\x00\x01\x04", 4);
	assert_non_null(memmem(u.payload, u.size, "\x1a\x02\x05\xb4", 4));         /* MTU 1460 */
	assert_non_null(memmem(u.payload, u.size, "\x06\x04\x0a\x00\x00\x02", 6)); /* resolver */
	free(frame);
}

/* requirement: PKT-8, OPS-3 */
static void test_dhcp_goes_on_without_a_manager(void **state)
{
	struct rig *r = *state;
	uint8_t *frame;

	r->unreachable = true;
	rig_cut(r);
	discover(r, &node_mac);
	receive(r, &frame);
	free(frame);
}

/* Whoever asks then: as the router, in the classless routes, and as the server itself. */
/* requirement: PKT-7, PKT-8 */
static void test_a_router_that_was_put_elsewhere_is_told(void **state)
{
	static const uint8_t in_options[][6] = {
		{3, 4, 10, 0, 1, 254},  /* router */
		{54, 4, 10, 0, 1, 254}, /* server */
		{16, 10, 0, 10, 0, 1},  /* the network 10.0.0.0/16 by 10.0.1... */
		{0, 10, 0, 1, 254},     /* the default route by 10.0.1.254 */
	};
	struct rig *r = *state;
	Viaduct__Agent__Object *o = rig_subnet(r);
	struct ipaddr router = rig_addr(0x0a0001fe);
	struct reply_udp u;
	uint8_t *frame;

	o->subnet->router = rig_v4(r, 0x0a0001fe);
	rig_desire(r, 11, false, &o, 1);
	discover(r, &node_mac);
	u = receive(r, &frame);
	assert_true(ipaddr_equal(&u.source, &router));
	for (size_t i = 0; i < ARRAY_SIZE(in_options); i++)
		assert_non_null(memmem(u.payload, u.size, in_options[i], i < 3 ? 6 : 5));
	assert_null(memmem(u.payload, u.size, "\x0a\x00\x01\x01", 4));
	free(frame);
}

/* requirement: PKT-8 */
static void test_another_client_behind_the_port_gets_nothing(void **state)
{
	struct rig *r = *state;
	const struct mac other = {{0x02, 9, 9, 9, 9, 9}};

	discover(r, &other);
	assert_true(hears_nothing(r));
}

static void query_bytes(struct rig *r, const void *payload, size_t size)
{
	const struct reply_udp u = {
		.source_mac = node_mac,
		.destination_mac = router_mac,
		.source = rig_addr(0x0a000104),
		.destination = rig_addr(0x0a000002),
		.source_port = 5353,
		.destination_port = DNS_PORT,
		.payload = payload,
		.size = size,
	};

	emit(r, &u);
}

/* Asks for 'name', which is as on the wire ("\3foo"). */
static void query(struct rig *r, const char *name, uint8_t type)
{
	uint8_t bytes[300] = {0x12, 0x34, 1, 0, 0, 1};
	size_t n = 12 + strlen(name) + 1;

	memcpy(bytes + 12, name, strlen(name) + 1);
	bytes[n + 1] = type;
	bytes[n + 3] = 1;
	query_bytes(r, bytes, n + 4);
}

/* The answer's code, its number of records, and its last four bytes. */
static void assert_answered(struct rig *r, enum dns_rcode rcode, uint8_t n_records,
			    const char *tail)
{
	uint8_t *frame;
	struct reply_udp u = receive(r, &frame);
	struct ipaddr resolver = rig_addr(0x0a000002);

	assert_true(ipaddr_equal(&u.source, &resolver));
	assert_int_equal(u.source_port, DNS_PORT);
	assert_int_equal(u.destination_port, 5353);
	assert_int_equal(u.payload[3] & 0x0f, rcode);
	assert_int_equal(u.payload[7], n_records);
	if (tail)
		assert_memory_equal(u.payload + u.size - 4, tail, 4);
	free(frame);
}

/* requirement: PKT-8 */
static void test_names_of_this_host_are_known_here(void **state)
{
	struct rig *r = *state;

	query(r,
	      "\x0bip-10-0-1-4\x03"
	      "ec2\x08internal",
	      1);
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x04");
	query(r, "\x03i-1", 1);
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x04");
	query(r, "\x0bip-10-0-1-4", 28);
	assert_answered(r, DNS_NOERROR, 0, NULL);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 0);
}

/* requirement: PKT-8 */
static void test_other_names_are_refused(void **state)
{
	struct rig *r = *state;

	query(r,
	      "\x03www\x07"
	      "example\x03"
	      "com",
	      1);
	assert_answered(r, DNS_REFUSED, 0, NULL);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 0);
}

/* requirement: PKT-8, MAP-2 */
static void test_other_instances_are_asked_for_and_remembered(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Answer answer = VIADUCT__AGENT__ANSWER__INIT;
	Viaduct__Agent__Answer *answers[] = {&answer};
	Viaduct__Agent__Mapping mapping = VIADUCT__AGENT__MAPPING__INIT;
	const Viaduct__Agent__Question *q;
	struct ipaddr addr = rig_addr(0x0a000164), asker = rig_addr(0x0a000104);

	query(r,
	      "\x03i-9\x03"
	      "ec2\x08internal",
	      1);
	assert_true(hears_nothing(r));
	q = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->questions[0];
	assert_int_equal(q->kind, VIADUCT__AGENT__QUESTION__KIND__NAME);
	assert_string_equal(q->name, "i-9");
	assert_int_equal(q->vni, RIG_VNI);
	assert_memory_equal(q->asker.data, asker.b, 16);
	mapping.vni = RIG_VNI;
	mapping.addr = (ProtobufCBinaryData){.len = 16, .data = addr.b};
	mapping.host = RIG_PEER;
	answer.mapping = &mapping;
	resolved.seq = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->seq;
	resolved.n_answers = 1;
	resolved.answers = answers;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x64");
	query(r,
	      "\x03i-9\x03"
	      "ec2\x08internal",
	      1);
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x64");
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 1);
	/* Without a manager the name goes on working, however old it is. */
	r->unreachable = true;
	rig_cut(r);
	rig_advance_ms(r, 3600 * 1000);
	query(r, "\x03i-9", 1);
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x64");
}

/* The node has an IPv6 address itself. */
static void become_dual_stack(struct rig *r)
{
	Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", 0x0a000104);
	static const uint8_t six[16] = {0xfd, 0x56, [15] = 0x04};
	ProtobufCBinaryData *addrs = arena_alloc_array(&r->arena, 2, sizeof(*addrs));

	addrs[0] = o->interface->addrs[0];
	addrs[1] = (ProtobufCBinaryData){.len = sizeof(six), .data = (uint8_t *)(uintptr_t)six};
	o->interface->addrs = addrs;
	o->interface->n_addrs = 2;
	rig_desire(r, 50, false, &o, 1);
}

static void answer_name(struct rig *r, const uint8_t *addr, size_t size)
{
	const Viaduct__Agent__Resolve *asked =
		rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve;
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Answer answer = VIADUCT__AGENT__ANSWER__INIT;
	Viaduct__Agent__Answer *answers[] = {&answer};
	Viaduct__Agent__Mapping mapping = VIADUCT__AGENT__MAPPING__INIT;

	mapping.vni = RIG_VNI;
	mapping.addr = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)addr};
	mapping.host = RIG_PEER;
	answer.mapping = &mapping;
	resolved.seq = asked->seq;
	resolved.n_answers = 1;
	resolved.answers = answers;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
}

static uint32_t last_question(struct rig *r)
{
	return rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->questions[0]->kind;
}

/* requirement: PKT-8 */
static void test_ipv6_addresses_of_names(void **state)
{
	static const uint8_t six[16] = {0xfd, 0x56, [15] = 0x64};
	struct ipaddr four = rig_addr(0x0a000164);
	struct rig *r = *state;

	query(r, "\x03i-9", 28); /* who has none asks whether there is the name, as before */
	assert_int_equal(last_question(r), VIADUCT__AGENT__QUESTION__KIND__NAME);
	rig_answer(r, 0, 0);
	assert_answered(r, DNS_REFUSED, 0, NULL);
	become_dual_stack(r);
	query(r, "\x03i-1", 28);
	assert_answered(r, DNS_NOERROR, 1, "\x00\x00\x00\x04");
	query(r, "\x03i-9", 28);
	assert_int_equal(last_question(r), VIADUCT__AGENT__QUESTION__KIND__NAME6);
	answer_name(r, six, sizeof(six));
	assert_answered(r, DNS_NOERROR, 1, "\x00\x00\x00\x64");
	query(r, "\x03i-9", 1); /* the other family is another question */
	assert_int_equal(last_question(r), VIADUCT__AGENT__QUESTION__KIND__NAME);
	answer_name(r, four.b, sizeof(four.b));
	assert_answered(r, DNS_NOERROR, 1, "\x0a\x00\x01\x64");
	/* a name without IPv6 address exists, for both */
	query(r, "\x03i-8", 28);
	rig_answer(r, 0, 0);
	assert_int_equal(last_question(r), VIADUCT__AGENT__QUESTION__KIND__NAME);
	answer_name(r, four.b, sizeof(four.b));
	assert_answered(r, DNS_NOERROR, 0, NULL);
	query(r,
	      "\x03i-7\x03"
	      "ec2\x08internal",
	      28);
	rig_answer(r, 0, 0);
	rig_answer(r, 0, 0);
	assert_answered(r, DNS_NXDOMAIN, 0, NULL);
	r->unreachable = true;
	rig_cut(r);
	rig_advance_ms(r, 3600 * 1000);
	query(r, "\x03i-9", 28);
	assert_answered(r, DNS_NOERROR, 1, "\x00\x00\x00\x64");
	assert_int_equal(r->agent->n_dns, 0);
}

/* requirement: PKT-8 */
static void test_unknown_names_of_the_domain_do_not_exist(void **state)
{
	struct rig *r = *state;

	query(r,
	      "\x03i-8\x03"
	      "ec2\x08internal",
	      1);
	rig_answer(r, 0, 0);
	assert_answered(r, DNS_NXDOMAIN, 0, NULL);
	query(r, "\x09localhost", 1);
	rig_answer(r, 0, 0);
	assert_answered(r, DNS_REFUSED, 0, NULL);
}

/* requirement: PKT-8 */
static void test_addresses_have_names(void **state)
{
	struct rig *r = *state;
	static const char outside[] = "\x01"
				      "4\x01"
				      "1\x01"
				      "0\x02"
				      "11\x07in-addr\x04"
				      "arpa";

	query(r,
	      "\x01"
	      "4\x01"
	      "1\x01"
	      "0\x02"
	      "10\x07in-addr\x04"
	      "arpa",
	      12);
	assert_answered(r, DNS_NOERROR, 1, NULL);
	query(r,
	      "\x03"
	      "100\x01"
	      "1\x01"
	      "0\x02"
	      "10\x07in-addr\x04"
	      "arpa",
	      12);
	rig_answer(r, RIG_PEER, 5);
	assert_answered(r, DNS_NOERROR, 1, NULL);
	query(r,
	      "\x03"
	      "101\x01"
	      "1\x01"
	      "0\x02"
	      "10\x07in-addr\x04"
	      "arpa",
	      12);
	rig_answer(r, 0, 0);
	assert_answered(r, DNS_NXDOMAIN, 0, NULL);
	query(r, outside, 12);
	assert_answered(r, DNS_REFUSED, 0, NULL);
}

/* requirement: PKT-8 */
static void test_without_an_answer_there_is_an_error(void **state)
{
	struct rig *r = *state;

	query(r, "\x03i-7", 1);
	rig_advance_ms(r, LIMIT_AGENT_QUESTION_MS + 1);
	assert_answered(r, DNS_SERVFAIL, 0, NULL);
	assert_int_equal(r->agent->n_dns, 0);
}

/* requirement: PKT-8 */
static void test_waiting_queries_are_bounded(void **state)
{
	struct rig *r = *state;

	for (int n = 0; n < LIMIT_AGENT_DNS_PER_PORT + 5; n++)
		query(r, "\x03i-7", 1);
	assert_int_equal(r->agent->n_dns, LIMIT_AGENT_DNS_PER_PORT);
	assert_int_equal(r->agent->n_bad_requests, 5);
}

/* requirement: PKT-8 */
static void test_a_network_without_dns_gets_no_answer(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", 0x0a000104);
	uint8_t *frame;
	struct reply_udp u;

	o->interface->dns = false;
	rig_desire(r, 11, false, &o, 1);
	query(r, "\x0bip-10-0-1-4", 1);
	assert_true(hears_nothing(r));
	discover(r, &node_mac);
	u = receive(r, &frame);
	assert_null(memmem(u.payload, u.size, "\x06\x04\x0a\x00\x00\x02", 6));
	free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
		TEST(test_a_node_gets_its_own_record),
		TEST(test_dhcp_goes_on_without_a_manager),
		TEST(test_a_router_that_was_put_elsewhere_is_told),
		TEST(test_another_client_behind_the_port_gets_nothing),
		TEST(test_names_of_this_host_are_known_here),
		TEST(test_other_names_are_refused),
		TEST(test_other_instances_are_asked_for_and_remembered),
		TEST(test_ipv6_addresses_of_names),
		TEST(test_unknown_names_of_the_domain_do_not_exist),
		TEST(test_addresses_have_names),
		TEST(test_without_an_answer_there_is_an_error),
		TEST(test_waiting_queries_are_bounded),
		TEST(test_a_network_without_dns_gets_no_answer),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
