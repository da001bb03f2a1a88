/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of what goes from node to node on one host, itself or by a node that forwards: the
 * network ACLs that it meets, and where what is forwarded may go.  The lab of policy_lab.h, and a
 * node in a peered network:
 *
 *	a 10.0.1.10, c 10.0.1.12 (a box, when it forwards) on host 1
 *	b 10.0.1.11, d 10.0.2.13 (likewise), x 10.9.9.10 of the other network on host 2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "policy_lab.h"

enum {
	OTHER_VNI = 8,
	TABLE = 3,
	ACL_NEAR = 5, /* of the subnet of a, b and c */
	ACL_FAR = 9,  /* of d's */
	BOX_C = 0xf00031,
	BOX_D = 0xf00032,
	OPEN = 7000, /* the port that nothing is denied to */
};

#define A4 "10.0.1.10"
#define A6 "2001:db8:0:1::10"
#define B4 "10.0.1.11"
#define B6 "2001:db8:0:1::11"
#define D4 "10.0.2.13"
#define D6 "2001:db8:0:2::13"
#define X4 "10.9.9.10"
#define X6 "2001:db8:9:9::10"
/* Of no network, whose packets a box passes on; and on the link of c's neighbours. */
#define AWAY4 "198.51.100.7"
#define AWAY6 "2001:db8:a::7"
#define NEAR4 "10.0.1.77"
#define NEAR6 "2001:db8:0:1::77"

static struct policy_lab *const l = &policy_lab;
static struct lab_node *x;

/* One family of the subnet 10.0.'number'.0/24. */
static void set_subnet(uint8_t number, const char *prefix, const char *router, uint32_t acl)
{
	struct dp_subnet s = {.vni = LAB_VNI,
			      .prefix = lab_prefix(prefix),
			      .router = lab_addr(router),
			      .router_mac = {{0x02, 0xff, 0, 0, 0, number}},
			      .acl = acl,
			      .table = TABLE};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_subnet_set(l->lab.hosts[i].dp, &s), 0);
}

static struct dp_route route(const char *prefix, enum dp_target target, uint32_t vni)
{
	return (struct dp_route){
		.prefix = lab_prefix(prefix), .target = target, .peer = DP_PEER_SELF, .vni = vni};
}

/* What is for nobody here goes to the host's own box. */
static void set_table(int host, uint32_t box)
{
	const struct dp_route routes[] = {
		route("198.51.100.0/24", DP_TARGET_INTERFACE, box),
		route("2001:db8:a::/48", DP_TARGET_INTERFACE, box),
		route("10.9.0.0/16", DP_TARGET_NETWORK, OTHER_VNI),
		route("2001:db8:9::/48", DP_TARGET_NETWORK, OTHER_VNI),
	};
	const struct dp_table t = {
		.number = TABLE, .n_routes = sizeof(routes) / sizeof(routes[0]), .routes = routes};

	assert_int_equal(datapath_table_set(l->lab.hosts[host].dp, &t), 0);
}

static int set_up(void **state)
{
	policy_lab_set_up(state);
	lab_subnet(&l->lab, OTHER_VNI, "10.9.9.0/24", "10.9.9.1", NULL);
	lab_subnet(&l->lab, OTHER_VNI, "2001:db8:9:9::/64", "fe80::100", NULL);
	x = lab_node(&l->lab, 1, OTHER_VNI, X4, "10.9.9.1");
	x->port.addrs[x->port.n_addrs++] = lab_addr(X6);
	lab_set_port(&l->lab, x->host, &x->port);
	set_table(0, BOX_C);
	set_table(1, BOX_D);
	return 0;
}

static void set_box(struct lab_node *n, uint32_t handle, bool forwards)
{
	n->port.handle = handle;
	n->port.forwards = forwards;
	lab_set_port(&l->lab, n->host, &n->port);
}

/* Both families of an ACL: in, all but port 80; out, all but port 53. */
static void deny(uint32_t acl)
{
	struct dp_acl_entry all[8];

	for (size_t v6 = 0; v6 < 2; v6++) {
		struct dp_acl_entry *e = &all[v6 * 4];

		e[0] = policy_entry(false, false, IPPROTO_UDP, 80, 80);
		e[1] = policy_entry(false, true, DP_PROTOCOL_ANY, 0, 65535);
		e[2] = policy_entry(true, false, IPPROTO_UDP, 53, 53);
		e[3] = policy_entry(true, true, DP_PROTOCOL_ANY, 0, 65535);
		for (size_t i = 0; i < 4 && v6; i++)
			e[i].prefix = lab_prefix("::/0");
	}
	policy_set_acl(acl, all, 8);
}

/* Both ACLs deny; c and d forward; the networks are peered. */
static int reset(void **state)
{
	policy_lab_reset(state);
	deny(ACL_NEAR);
	deny(ACL_FAR);
	set_subnet(1, "10.0.1.0/24", "10.0.1.1", ACL_NEAR);
	set_subnet(1, "2001:db8:0:1::/64", "fe80::100", ACL_NEAR);
	set_subnet(2, "10.0.2.0/24", "10.0.2.1", ACL_FAR);
	set_subnet(2, "2001:db8:0:2::/64", "fe80::100", ACL_FAR);
	set_box(l->c, BOX_C, true);
	set_box(l->d, BOX_D, true);
	lab_peering(&l->lab, LAB_VNI, OTHER_VNI, true);
	return 0;
}

/* ---- packets ---- */

struct row {
	const struct lab_node *from, *to;
	const char *src, *dst;
	bool link; /* to the neighbour's own MAC, not by the router */
	uint16_t port;
	uint32_t reason; /* 0: it gets there */
};

static struct frame frame_of(const struct row *r)
{
	const struct ipaddr src = lab_addr(r->src);
	const uint8_t router[6] = {0x02, 0xff, 0, 0, 0, r->from->port.addrs[0].b[14]};
	const uint8_t *mac = r->link ? NULL : router;
	struct v4 v4 = {.src = r->src,
			.dst = r->dst,
			.mac = mac,
			.from = r->from->port.mac.b[5],
			.protocol = IPPROTO_UDP,
			.ttl = 64,
			.payload = 32};
	struct v6 v6 = {.src = r->src,
			.dst = r->dst,
			.mac = mac,
			.from = r->from->port.mac.b[5],
			.protocol = IPPROTO_UDP,
			.hop_limit = 64,
			.payload = 32};
	bool is_v4 = ipaddr_is_v4(&src);
	struct frame f = is_v4 ? frame_v4(&v4) : frame_v6(&v6);

	frame_put_u16(&f, IP_AT + (is_v4 ? 20 : 40) + 2, r->port);
	return f;
}

/* Each of them, and again by what the first has left in the flow cache. */
static void assert_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct frame f = frame_of(r), out;

		for (int again = 0; again < 2; again++) {
			uint32_t reason = policy_send_frame(r->from, r->to, &f);

			if (reason != r->reason)
				print_message("row %zu: %s to %s, port %u\n", i, r->src, r->dst,
					      r->port);
			assert_int_equal(reason, r->reason);
			if (reason)
				continue;
			assert_int_equal(frame_from_node(&l->lab, r->from, &f, &out),
					 TC_ACT_REDIRECT);
			assert_memory_equal(out.b, r->to->port.mac.b, 6);
		}
	}
}

#define ROWS(rows) assert_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* Between the subnets of two nodes the ACLs of both are asked, inside one none. */
/* requirement: NIC-6 PKT-13 */
static void test_from_subnet_to_subnet(void **state)
{
	const struct row rows[] = {
		{l->b, l->d, B4, D4, false, OPEN, 0},
		{l->b, l->d, B4, D4, false, 80, DROP_ACL_INGRESS},
		{l->b, l->d, B4, D4, false, 53, DROP_ACL_EGRESS},
		{l->d, l->b, D4, B4, false, OPEN, 0},
		{l->d, l->b, D4, B4, false, 80, DROP_ACL_INGRESS},
		{l->d, l->b, D4, B4, false, 53, DROP_ACL_EGRESS},
		{l->c, l->a, "10.0.1.12", A4, true, 80, 0},
		{l->c, l->a, "10.0.1.12", A4, true, 53, 0},
		{l->b, l->d, B6, D6, false, OPEN, 0},
		{l->b, l->d, B6, D6, false, 80, DROP_ACL_INGRESS},
		{l->b, l->d, B6, D6, false, 53, DROP_ACL_EGRESS},
		{l->d, l->b, D6, B6, false, OPEN, 0},
		{l->d, l->b, D6, B6, false, 80, DROP_ACL_INGRESS},
		{l->d, l->b, D6, B6, false, 53, DROP_ACL_EGRESS},
		{l->c, l->a, "2001:db8:0:1::12", A6, true, 80, 0},
		{l->c, l->a, "2001:db8:0:1::12", A6, true, 53, 0},
	};

	ROWS(rows);
}

/* What a node passes on to a neighbour is another's: the neighbour's ACL is asked, by whichever
 * way. */
/* requirement: NIC-6 TOPO-1 */
static void test_passed_on_to_a_neighbour(void **state)
{
	const struct row rows[] = {
		{l->c, l->a, NEAR4, A4, true, OPEN, 0},
		{l->c, l->a, NEAR4, A4, true, 80, DROP_ACL_INGRESS},
		{l->c, l->a, AWAY4, A4, true, OPEN, 0},
		{l->c, l->a, AWAY4, A4, true, 80, DROP_ACL_INGRESS},
		{l->c, l->a, NEAR6, A6, true, OPEN, 0},
		{l->c, l->a, NEAR6, A6, true, 80, DROP_ACL_INGRESS},
		{l->c, l->a, AWAY6, A6, false, OPEN, 0},
		{l->c, l->a, AWAY6, A6, false, 80, DROP_ACL_INGRESS},
	};

	ROWS(rows);
}

/* ... and to another subnet. */
/* requirement: NIC-6 TOPO-1 */
static void test_passed_on_to_another_subnet(void **state)
{
	const struct row rows[] = {
		{l->d, l->b, AWAY4, B4, false, OPEN, 0},
		{l->d, l->b, AWAY4, B4, false, 80, DROP_ACL_INGRESS},
		{l->d, l->b, AWAY4, B4, false, 53, DROP_ACL_EGRESS},
		{l->d, l->b, AWAY6, B6, false, OPEN, 0},
		{l->d, l->b, AWAY6, B6, false, 80, DROP_ACL_INGRESS},
		{l->d, l->b, AWAY6, B6, false, 53, DROP_ACL_EGRESS},
	};

	ROWS(rows);
}

/* What a route leads to a node that forwards meets the ACL of the node's subnet, unless it comes
 * from there; of IPv6 it is asked all the same. */
/* requirement: NIC-6 TOPO-1 */
static void test_led_to_a_node_that_forwards(void **state)
{
	const struct row rows[] = {
		{l->b, l->d, B4, AWAY4, false, OPEN, 0},
		{l->b, l->d, B4, AWAY4, false, 80, DROP_ACL_INGRESS},
		{l->b, l->d, B4, AWAY4, false, 53, DROP_ACL_EGRESS},
		{l->a, l->c, A4, AWAY4, false, 80, 0},
		{l->b, l->d, B6, AWAY6, false, OPEN, 0},
		{l->b, l->d, B6, AWAY6, false, 80, DROP_ACL_INGRESS},
		{l->b, l->d, B6, AWAY6, false, 53, DROP_ACL_EGRESS},
		{l->a, l->c, A6, AWAY6, false, 80, DROP_ACL_INGRESS},
	};

	ROWS(rows);
}

/* A node's own packets go to a peered network, what it forwards does not: its handle is taken in
 * its own network alone. */
/* requirement: TOPO-1 MAP-4 */
static void test_what_is_forwarded_stays_in_the_network(void **state)
{
	const struct row peered[] = {
		{l->d, x, D4, X4, false, OPEN, 0},
		{l->d, x, AWAY4, X4, false, OPEN, DROP_NOT_PEERED},
		{l->d, x, B4, X4, false, OPEN, DROP_NOT_PEERED},
		{l->d, x, D6, X6, false, OPEN, 0},
		{l->d, x, AWAY6, X6, false, OPEN, DROP_NOT_PEERED},
		{l->d, x, B6, X6, false, OPEN, DROP_NOT_PEERED},
		{l->b, x, B4, X4, false, OPEN, 0},
	};
	const struct row apart[] = {
		{l->d, x, D4, X4, false, OPEN, DROP_NOT_PEERED},
		{l->d, x, D6, X6, false, OPEN, DROP_NOT_PEERED},
	};

	ROWS(peered);
	lab_peering(&l->lab, LAB_VNI, OTHER_VNI, false);
	ROWS(apart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_from_subnet_to_subnet, reset),
		cmocka_unit_test_setup(test_passed_on_to_a_neighbour, reset),
		cmocka_unit_test_setup(test_passed_on_to_another_subnet, reset),
		cmocka_unit_test_setup(test_led_to_a_node_that_forwards, reset),
		cmocka_unit_test_setup(test_what_is_forwarded_stays_in_the_network, reset),
	};

	return cmocka_run_group_tests(tests, set_up, policy_lab_tear_down);
}
