/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a NAT gateway translates, taken from one edge's tables and put into another's: here a
 * gateway that is ended, and one of the same handle that begins with nothing.  The lab of
 * edge_lab.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_gateway.h"
#include "edge_lab.h"

enum { SYN = 2, ACK = 0x10, RST = 4, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP, ICMP = 1, MANY = 20000 };

#define A       "10.0.1.10"
#define B       "10.0.1.11"
#define WORLD   "203.0.113.1"
#define WORLD_2 "203.0.113.2"
#define PUBLIC  EDGE_NAT_PUBLIC

static struct edge_lab fixture;

static struct datapath *edge(void)
{
	return fixture.lab.hosts[LAB_EDGE].dp;
}

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static int reset(void **state)
{
	fixture.nat.closed = fixture.nat.standby = false;
	edge_lab_forget(&fixture);
	edge_lab_next_second(&fixture);
	return 0;
}

/* ---- reading and writing ---- */

struct copy {
	struct dp_translation *rows;
	size_t n, n_stretches;
};

static struct copy copy(void)
{
	struct copy c = {};
	uint64_t at = 0;

	do {
		size_t n = SIZE_MAX;

		c.rows = realloc(c.rows, (c.n + DP_TRANSLATIONS) * sizeof(*c.rows));
		assert_non_null(c.rows);
		assert_int_equal(
			datapath_translations_read(edge(), EDGE_NAT, &at, c.rows + c.n, &n), 0);
		assert_in_range(n, 0, DP_TRANSLATIONS);
		c.n += n;
		c.n_stretches++;
		assert_true(c.n_stretches < 10000);
	} while (at);
	return c;
}

static void paste(const struct copy *c)
{
	assert_int_equal(datapath_translations_write(edge(), EDGE_NAT, c->rows, c->n), 0);
	free(c->rows);
}

static void set(bool standby, bool closed)
{
	fixture.nat.standby = standby;
	fixture.nat.closed = closed;
	assert_int_equal(datapath_gateway_set(edge(), &fixture.nat), 0);
}

/* The gateway goes from one edge to another. */
static void hand_over(void)
{
	struct copy c = copy();

	assert_int_equal(datapath_gateway_delete(edge(), EDGE_NAT), 0);
	set(true, false);
	paste(&c);
	set(false, false);
	edge_lab_next_second(&fixture);
}

/* ---- packets ---- */

static uint16_t sends(const struct lab_node *n, const struct edge_packet *p)
{
	struct frame f = edge_lab_out(&fixture, n, p);
	uint16_t port = edge_sport(&f);

	edge_assert(&f, PUBLIC, port, p->dst, p->dport);
	return port;
}

static void gets(const struct lab_node *n, uint8_t protocol, const char *src, uint16_t sport,
		 uint16_t port, const char *dst, uint16_t dport)
{
	struct edge_packet p = edge_packet_of(protocol, src, sport, PUBLIC, port, ACK);
	struct frame f = edge_lab_in(&fixture, n, &p);

	edge_assert(&f, src, sport, dst, dport);
}

/* A connection of TCP, as far as it goes before data. */
static uint16_t connects(const struct lab_node *n, const char *src, uint16_t sport, const char *dst,
			 uint16_t dport)
{
	struct edge_packet syn = edge_packet_of(TCP, src, sport, dst, dport, SYN);
	uint16_t port = sends(n, &syn);

	gets(n, TCP, dst, dport, port, src, sport);
	return port;
}

/* ---- what goes on ---- */

/* Whoever speaks first: nodes with the ports that they had, and the world to them. */
/* requirement: EDGE-6 */
static void test_connections_go_on(void **state)
{
	struct edge_packet ack = edge_packet_of(TCP, B, 4000, WORLD, 80, ACK);
	struct edge_packet again = edge_packet_of(TCP, A, 4000, WORLD, 80, ACK);
	uint16_t a = connects(fixture.a, A, 4000, WORLD, 80);
	uint16_t b = connects(fixture.b, B, 4000, WORLD, 80);

	assert_int_not_equal(a, b);
	hand_over();
	gets(fixture.a, TCP, WORLD, 80, a, A, 4000); /* one that only listens */
	assert_int_equal(sends(fixture.b, &ack), b);
	assert_int_equal(sends(fixture.a, &again), a);
	gets(fixture.b, TCP, WORLD, 80, b, B, 4000);
}

/* requirement: EDGE-6 */
static void test_ports_are_whose_they_were(void **state)
{
	struct edge_packet one = edge_packet_of(UDP, A, 4000, WORLD, 53, 0);
	struct edge_packet two = edge_packet_of(UDP, A, 4000, WORLD_2, 54, 0);
	struct edge_packet other = edge_packet_of(UDP, B, 4000, WORLD_2, 54, 0);
	struct edge_packet ping = edge_packet_of(ICMP, A, 4000, WORLD, 0, 8);
	struct edge_packet stray = edge_packet_of(UDP, WORLD_2, 54, PUBLIC, 4000, 0);
	uint16_t port = sends(fixture.a, &one);

	sends(fixture.a, &ping);
	hand_over();
	/* the world's others are let in when they were spoken to, as before */
	edge_lab_in_refused(&fixture, &stray, DROP_UNSOLICITED);
	assert_int_equal(sends(fixture.a, &two), port);
	gets(fixture.a, UDP, WORLD_2, 54, port, A, 4000);
	assert_int_not_equal(sends(fixture.b, &other), port);
	assert_int_equal(sends(fixture.a, &ping), 4000);
}

/* requirement: EDGE-6 */
static void test_what_was_not_there_is_not_let_by(void **state)
{
	struct edge_packet ack = edge_packet_of(TCP, B, 4001, WORLD, 80, ACK | RST);

	connects(fixture.a, A, 4000, WORLD, 80);
	hand_over();
	edge_lab_out_refused(&fixture, fixture.b, &ack, DROP_CONNECTION_STATE);
}

/* ---- closed, and standing by ---- */

/* requirement: EDGE-6 */
static void test_a_closed_one_gives_out_no_ports(void **state)
{
	struct edge_packet ack = edge_packet_of(TCP, A, 4000, WORLD, 80, ACK);
	struct edge_packet syn = edge_packet_of(TCP, B, 4000, WORLD, 80, SYN);
	struct edge_packet two = edge_packet_of(TCP, A, 4000, WORLD_2, 80, SYN);
	uint16_t port = connects(fixture.a, A, 4000, WORLD, 80);

	set(false, true);
	edge_lab_out_refused(&fixture, fixture.b, &syn, DROP_NAT_PORTS);
	assert_int_equal(sends(fixture.a, &ack), port);
	assert_int_equal(sends(fixture.a, &two), port);
	gets(fixture.a, TCP, WORLD, 80, port, A, 4000);
	set(false, false);
	sends(fixture.b, &syn);
}

/* requirement: EDGE-6 */
static void test_one_that_stands_by_has_no_address(void **state)
{
	const struct bpf_host *h = bpf_host_of(edge());
	uint32_t public = bpf_gateway_v4(&fixture.nat.public);
	struct dp_public other = {.public = fixture.nat.public,
				  .vni = LAB_VNI,
				  .addr = fixture.a->port.addrs[0],
				  .handle = EDGE_IGW};
	struct dp_public_value owner;

	assert_int_equal(datapath_gateway_delete(edge(), EDGE_NAT), 0);
	set(true, false);
	assert_int_equal(bpf_public_find(h, public, &owner), -ENOENT);
	set(false, false);
	assert_int_equal(bpf_public_find(h, public, &owner), 0);
	assert_int_equal(owner.handle, EDGE_NAT);
	/* its end is not another's */
	assert_int_equal(datapath_gateway_delete(edge(), EDGE_NAT), 0);
	set(true, false);
	assert_int_equal(datapath_public_set(edge(), &other), 0);
	assert_int_equal(datapath_gateway_delete(edge(), EDGE_NAT), 0);
	assert_int_equal(bpf_public_find(h, public, &owner), 0);
	assert_int_equal(datapath_public_delete(edge(), &fixture.nat.public), 0);
	set(false, false);
}

/* ---- the contract ---- */

static int by_order(const void *a, const void *b)
{
	const struct dp_translation *x = a, *y = b;

	if (x->is_session != y->is_session)
		return x->is_session - y->is_session;
	return x->public_port != y->public_port ? x->public_port - y->public_port
						: x->world_port - y->world_port;
}

static bool is_same(const struct dp_translation *a, const struct dp_translation *b)
{
	return a->is_session == b->is_session && a->protocol == b->protocol &&
	       a->state == b->state && a->public_port == b->public_port && a->port == b->port &&
	       a->world_port == b->world_port && ipaddr_equal(&a->addr, &b->addr) &&
	       ipaddr_equal(&a->world, &b->world) && a->seconds <= b->seconds &&
	       a->seconds + 60 >= b->seconds;
}

/* All of a full table is read, each row once, in stretches that end. */
/* requirement: EDGE-6 */
static void test_a_large_table_is_read_whole(void **state)
{
	struct dp_translation *given = calloc(2 * MANY, sizeof(*given));
	struct copy c;

	assert_non_null(given);
	for (uint32_t i = 0; i < MANY; i++) {
		given[i] = (struct dp_translation){
			.protocol = UDP,
			.state = i % 2,
			.public_port = (uint16_t)(2000 + i),
			.port = (uint16_t)(i % 7 + 1),
			.addr = ipaddr_from_v4(0x0a000000 + i),
			.seconds = 300,
		};
		given[MANY + i] = given[i];
		given[MANY + i].is_session = true;
		given[MANY + i].state = DP_SESSION_SEEN_IN;
		given[MANY + i].world = ipaddr_from_v4(0xcb007101);
		given[MANY + i].world_port = (uint16_t)(i % 5);
	}
	assert_int_equal(datapath_translations_write(edge(), EDGE_NAT, given, 2 * MANY), 0);
	c = copy();
	assert_in_range(c.n_stretches, 2 * MANY / DP_TRANSLATIONS, 4 * MANY / DP_TRANSLATIONS);
	assert_int_equal(c.n, 2 * MANY);
	qsort(c.rows, c.n, sizeof(*c.rows), by_order);
	for (uint32_t i = 0; i < 2 * MANY; i++)
		assert_true(is_same(&c.rows[i], &given[i]));
	free(given);
	free(c.rows);
}

/* requirement: EDGE-1, EDGE-6 */
static void test_static_ports_are_the_gateways_own(void **state)
{
	const struct dp_static_port port = {
		.protocol = TCP, .public_port = 2222, .port = 22, .addr = lab_addr(A)};
	struct dp_translation t = {.protocol = TCP,
				   .public_port = 2222,
				   .port = 4000,
				   .addr = lab_addr(B),
				   .seconds = 60};
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 999, PUBLIC, 2222, SYN);
	struct edge_packet ack = edge_packet_of(TCP, A, 22, WORLD, 999, ACK);
	struct frame f;

	fixture.nat.n_statics = 1;
	fixture.nat.statics = &port;
	set(false, false);
	f = edge_lab_in(&fixture, fixture.a, &syn);
	edge_assert(&f, WORLD, 999, A, 22);
	assert_int_equal(sends(fixture.a, &ack), 2222);
	assert_int_equal(datapath_translations_write(edge(), EDGE_NAT, &t, 1), -EINVAL);
	hand_over();
	assert_int_equal(sends(fixture.a, &ack), 2222);
	f = edge_lab_in(&fixture, fixture.a, &syn);
	edge_assert(&f, WORLD, 999, A, 22);
}

static void test_refusals(void **state)
{
	struct dp_translation t = {.protocol = 47, .public_port = 2000, .addr = lab_addr(A)};
	uint64_t at = 0;
	size_t n;

	assert_int_equal(datapath_translations_write(edge(), EDGE_NAT, &t, 1), -EINVAL);
	t = (struct dp_translation){.protocol = TCP, .is_session = true, .addr = lab_addr(A)};
	assert_int_equal(datapath_translations_write(edge(), EDGE_NAT, &t, 1), -EINVAL);
	assert_int_equal(datapath_translations_read(edge(), EDGE_NAT + 1, &at, &t, &n), -ENOENT);
	assert_int_equal(datapath_translations_read(edge(), EDGE_IGW, &at, &t, &n), -EOPNOTSUPP);
	assert_int_equal(datapath_translations_write(edge(), EDGE_IGW, &t, 0), -EOPNOTSUPP);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connections_go_on),
		TEST(test_ports_are_whose_they_were),
		TEST(test_what_was_not_there_is_not_let_by),
		TEST(test_a_closed_one_gives_out_no_ports),
		TEST(test_one_that_stands_by_has_no_address),
		TEST(test_a_large_table_is_read_whole),
		TEST(test_static_ports_are_the_gateways_own),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
