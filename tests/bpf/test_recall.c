/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of flows that remember their connections (abi/maps.h: DP_RECALL): what is
 * remembered is the place alone, so each case makes something else of what is there.
 *
 * a is a client that may begin anything and be begun nothing with, b on the other host and c on a's
 * own are servers on port 80.  All of it over IPv4 and over IPv6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/connection.h"
#include "abi/drop.h"
#include "base/err.h"
#include "policy_lab.h"

static struct policy_lab *const l = &policy_lab;

enum { CLIENT = 5000, SERVER = 80, TIMES = 4 };

/* In the family that is set. */
static int again(void **state)
{
	const char *all = l->v6 ? "::/0" : "0.0.0.0/0";
	struct dp_rule out[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, all, 0)};
	struct dp_rule in[] = {policy_rule(false, IPPROTO_TCP, SERVER, SERVER, all, 0),
			       policy_rule(false, IPPROTO_UDP, SERVER, SERVER, all, 0)};

	policy_lab_reset(state);
	policy_give(l->a, out, ARRAY_SIZE(out));
	policy_give(l->b, in, ARRAY_SIZE(in));
	policy_give(l->c, in, ARRAY_SIZE(in));
	return 0;
}

static int set_up(void **state)
{
	l->v6 = false;
	return again(state);
}

static int set_up_v6(void **state)
{
	l->v6 = true;
	return again(state);
}

/* There and back so often that everything on the way is known. */
static void speak(const struct lab_node *server, uint16_t port)
{
	for (int i = 0; i < TIMES; i++) {
		assert_int_equal(policy_udp(l->a, server, port, SERVER), 0);
		assert_int_equal(policy_udp(server, l->a, SERVER, port), 0);
	}
}

static void speak_tcp(const struct lab_node *server)
{
	assert_int_equal(policy_tcp(l->a, server, CLIENT, SERVER, SYN), 0);
	assert_int_equal(policy_tcp(server, l->a, SERVER, CLIENT, SYN | ACK), 0);
	for (int i = 0; i < TIMES; i++) {
		assert_int_equal(policy_tcp(l->a, server, CLIENT, SERVER, ACK), 0);
		assert_int_equal(policy_tcp(server, l->a, SERVER, CLIENT, ACK), 0);
	}
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "established");
}

/* More connections than a flow remembers pass, in turn; and nothing passes beside them. */
/* requirement: NIC-6 PKT-3 */
static void test_many(void **state)
{
	enum { MANY = 5 * DP_RECALL };
	struct lab_node *servers[] = {l->b, l->c};

	for (size_t s = 0; s < ARRAY_SIZE(servers); s++) {
		for (int round = 0; round < 3; round++)
			for (uint16_t i = 0; i < MANY; i++)
				speak(servers[s], (uint16_t)(CLIENT + i));
		for (uint16_t i = 0; i < MANY; i++) {
			assert_int_equal(policy_udp(servers[s], l->a, SERVER, (uint16_t)(6000 + i)),
					 DROP_GROUP_EGRESS);
			assert_int_equal(
				policy_udp(servers[s], l->a, SERVER + 1, (uint16_t)(CLIENT + i)),
				DROP_GROUP_EGRESS);
			/* The same ports of another protocol. */
			assert_int_equal(
				policy_tcp(servers[s], l->a, SERVER, (uint16_t)(CLIENT + i), ACK),
				DROP_GROUP_EGRESS);
		}
	}
}

/* ---- something else is in the place ---- */

static void change_hash(struct dp_connection_value *c, uint32_t by)
{
	c->hash ^= by;
}

static void change_protocol(struct dp_connection_value *c, uint32_t to)
{
	c->protocol = (uint8_t)to;
}

static void change_local_port(struct dp_connection_value *c, uint32_t by)
{
	c->local_port = (uint16_t)(c->local_port ^ by);
}

static void change_remote_port(struct dp_connection_value *c, uint32_t by)
{
	c->remote_port = (uint16_t)(c->remote_port ^ by);
}

static void change_state(struct dp_connection_value *c, uint32_t to)
{
	c->state = (uint8_t)to;
}

static void change_seen(struct dp_connection_value *c, uint32_t by)
{
	c->seen -= by;
}

/* One at the node 'of', with another server's address or other ports, is taken for none. */
/* requirement: NIC-6 */
static void test_replaced(void **state)
{
	static const struct {
		void (*change)(struct dp_connection_value *, uint32_t);
		uint32_t arg;
	} table[] = {{change_hash, 1},
		     {change_hash, 1U << 31},
		     {change_protocol, IPPROTO_TCP},
		     {change_local_port, 0x100},
		     {change_remote_port, 0x100},
		     {change_state, CONNECTION_NONE},
		     {change_seen, 1000}};
	struct lab_node *servers[] = {l->b, l->c};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		for (size_t s = 0; s < ARRAY_SIZE(servers); s++)
			for (int at_client = 0; at_client < 2; at_client++) {
				again(state);
				speak(servers[s], CLIENT);
				policy_each(at_client ? l->a : servers[s], table[i].change,
					    table[i].arg);
				assert_int_equal(policy_udp(servers[s], l->a, SERVER, CLIENT),
						 at_client ? DROP_GROUP_INGRESS
							   : DROP_GROUP_EGRESS);
			}
}

/* By the table itself, when a port may have no more. */
/* requirement: NIC-6 */
static void test_pushed_out(void **state)
{
	uint16_t i = 0;

	l->a->port.connections = 6;
	policy_join(l->a, l->a->port.id);
	speak(l->b, CLIENT);
	while (strcmp(policy_state(l->a, CLIENT, SERVER), "none")) {
		assert_true(i < 100);
		policy_age(l->a, 10);
		speak(l->b, (uint16_t)(10000 + i++));
	}
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), DROP_GROUP_INGRESS);
}

/* Every state that is not settled takes the full path; one that a packet would change, too. */
/* requirement: NIC-6 */
static void test_states(void **state)
{
	speak_tcp(l->b);
	assert_int_equal(policy_tcp(l->a, l->b, CLIENT, SERVER, FIN | ACK), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "closing");
	assert_string_equal(policy_state(l->b, SERVER, CLIENT), "closing");
	for (int i = 0; i < TIMES; i++)
		assert_int_equal(policy_tcp(l->b, l->a, SERVER, CLIENT, ACK), 0);
	assert_int_equal(policy_tcp(l->b, l->a, SERVER, CLIENT, FIN | ACK), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "closed");
	assert_string_equal(policy_state(l->b, SERVER, CLIENT), "closed");
	assert_int_equal(policy_tcp(l->a, l->b, CLIENT, SERVER, ACK), 0);
	/* The server may not begin it again, the client may. */
	assert_int_equal(policy_tcp(l->b, l->a, SERVER, CLIENT, SYN), DROP_GROUP_EGRESS);
	speak_tcp(l->b);
	assert_int_equal(policy_tcp(l->b, l->a, SERVER, CLIENT, RST), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "reset");
	assert_string_equal(policy_state(l->b, SERVER, CLIENT), "reset");
	assert_int_equal(policy_tcp(l->a, l->b, CLIENT, SERVER, ACK), 0);
	assert_string_equal(policy_state(l->b, SERVER, CLIENT), "picked-up");
}

/* The same between two nodes of one host, where both ends are remembered. */
/* requirement: NIC-6 */
static void test_states_on_one_host(void **state)
{
	speak_tcp(l->c);
	assert_int_equal(policy_tcp(l->c, l->a, SERVER, CLIENT, FIN | ACK), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "closing");
	assert_string_equal(policy_state(l->c, SERVER, CLIENT), "closing");
	assert_int_equal(policy_tcp(l->a, l->c, CLIENT, SERVER, RST), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "reset");
	assert_string_equal(policy_state(l->c, SERVER, CLIENT), "reset");
}

/* A datagram of one side alone does not make the other's pass without a look. */
/* requirement: NIC-6 */
static void test_one_way(void **state)
{
	for (int i = 0; i < TIMES; i++)
		assert_int_equal(policy_udp(l->a, l->b, CLIENT, SERVER), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "one-way");
	policy_each(l->b, change_state, CONNECTION_STREAM);
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "stream");
}

/* What is remembered is still used: a packet refreshes it once the clock has moved. */
/* requirement: NIC-6 */
static void test_refreshed(void **state)
{
	struct lab_node *servers[] = {l->b, l->c};

	for (size_t s = 0; s < ARRAY_SIZE(servers); s++) {
		speak(servers[s], CLIENT);
		for (int i = 0; i < 3; i++) {
			policy_age(l->a, 100);
			policy_age(servers[s], 100);
			assert_int_equal(policy_udp(l->a, servers[s], CLIENT, SERVER), 0);
		}
		assert_int_equal(policy_udp(servers[s], l->a, SERVER, CLIENT), 0);
		policy_age(l->a, 182);
		assert_int_equal(policy_udp(servers[s], l->a, SERVER, CLIENT), DROP_GROUP_INGRESS);
	}
}

/* ---- the port's part of the table is another ---- */

/* requirement: NIC-6 */
static void test_region_moved(void **state)
{
	struct lab_node *servers[] = {l->b, l->c};

	for (size_t s = 0; s < ARRAY_SIZE(servers); s++) {
		again(state);
		speak(servers[s], CLIENT);
		l->a->port.connections = 600;
		policy_join(l->a, l->a->port.id);
		assert_string_equal(policy_state(l->a, CLIENT, SERVER), "none");
		assert_int_equal(policy_udp(servers[s], l->a, SERVER, CLIENT), DROP_GROUP_INGRESS);
		/* Begun again, in the new one. */
		speak(servers[s], CLIENT);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
#define TEST(f) cmocka_unit_test_setup(f, set_up), cmocka_unit_test_setup(f, set_up_v6)
		TEST(test_many),      TEST(test_replaced),           TEST(test_pushed_out),
		TEST(test_states),    TEST(test_states_on_one_host), TEST(test_one_way),
		TEST(test_refreshed), TEST(test_region_moved),
#undef TEST
	};

	return cmocka_run_group_tests(all, policy_lab_set_up, policy_lab_tear_down);
}
