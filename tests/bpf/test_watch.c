/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watched ports: what is counted of their flows and under which verdict, and which packets are
 * copied. The lab of policy_lab.h: a and c on host 1, b and d on host 2.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_host.h"
#include "net/csum.h"
#include "policy_lab.h"

static struct policy_lab *const l = &policy_lab;

static struct datapath *plane(const struct lab_node *n)
{
	return l->lab.hosts[n->host].dp;
}

static void log_port(struct lab_node *n, bool logged)
{
	n->port.logged = logged;
	lab_set_port(&l->lab, n->host, &n->port);
}

static void forget(int host)
{
	struct datapath *dp = l->lab.hosts[host].dp;

	(void)!datapath_window_close(dp, 1);
	assert_int_equal(datapath_window_forget(dp), 0);
}

/* Each test begins without records, logs or mirrors. */
static int reset(void **state)
{
	struct lab_node *all[] = {l->a, l->b, l->c, l->d};
	static const struct dp_mirror_value none;

	policy_lab_reset(state);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		log_port(all[i], false);
		lab_enter(&l->lab, l->lab.hosts[all[i]->host].netns);
		assert_int_equal(datapath_mirror_set(plane(all[i]), all[i]->port.id, &none), 0);
		lab_enter(&l->lab, -1);
	}
	forget(0);
	forget(1);
	return 0;
}

/* ---- records ---- */

struct found {
	size_t n;
	struct dp_record r[16];
};

static int take(const struct dp_record *r, void *arg)
{
	struct found *f = arg;

	assert_true(f->n < ARRAY_SIZE(f->r));
	f->r[f->n++] = *r;
	return 0;
}

/* Closes the window of a node's host and gives its records. */
static struct found records(const struct lab_node *n)
{
	struct found f = {};

	assert_int_equal(datapath_window_close(plane(n), 1000), 0);
	assert_int_equal(datapath_records(plane(n), take, &f), 0);
	assert_int_equal(datapath_window_forget(plane(n)), 0);
	return f;
}

static void assert_record(const struct dp_record *r, const struct lab_node *at, bool egress,
			  bool reject, uint64_t packets, uint64_t bytes)
{
	assert_int_equal(r->port, at->port.id);
	assert_int_equal(r->egress, egress);
	assert_int_equal(r->reject, reject);
	assert_int_equal(r->packets, packets);
	assert_int_equal(r->bytes, bytes);
	assert_true(r->first_ns && r->first_ns <= r->last_ns);
}

static void allow(struct lab_node *n, bool in, bool out)
{
	struct dp_rule rules[2];
	size_t k = 0;

	if (in)
		rules[k++] = policy_rule(false, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0);
	if (out)
		rules[k++] = policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0);
	policy_give(n, rules, k);
}

/* requirement: OPS-4 */
static void test_accepted_out(void **state)
{
	struct found f;

	log_port(l->a, true);
	allow(l->a, true, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(policy_udp(l->a, l->b, 1111, 2222), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 3333, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 3333, 80, RST), 0);
	f = records(l->a);
	assert_int_equal(f.n, 2);
	if (f.r[0].protocol == IPPROTO_TCP) {
		struct dp_record r = f.r[0];

		f.r[0] = f.r[1];
		f.r[1] = r;
	}
	assert_record(&f.r[0], l->a, true, false, 3, 3 * (20 + 8 + 32));
	assert_int_equal(f.r[0].source, 1111);
	assert_int_equal(f.r[0].destination, 2222);
	assert_true(ipaddr_equal(&f.r[0].src, &l->a->port.addrs[0]));
	assert_true(ipaddr_equal(&f.r[0].dst, &l->b->port.addrs[0]));
	assert_record(&f.r[1], l->a, true, false, 2, 2 * (20 + 20 + 32));
	assert_int_equal(f.r[1].tcp, SYN | RST);
	/* in a window that is over they are no more */
	assert_int_equal(records(l->a).n, 0);
}

/* Who does not log is not counted; who logs no more goes back to the flow cache. */
static void test_nobody_watches(void **state)
{
	assert_int_equal(policy_udp(l->a, l->b, 1, 2), 0);
	assert_int_equal(records(l->a).n, 0);
	assert_int_equal(records(l->b).n, 0);
}

/* What a port is else says nothing about being watched, also to the agent that comes next. */
static void test_a_shared_port_nobody_watches(void **state)
{
	l->a->port.shared = true;
	lab_set_port(&l->lab, l->a->host, &l->a->port);
	assert_int_equal(policy_udp(l->a, l->b, 1, 2), 0);
	assert_int_equal(records(l->a).n, 0);
	datapath_close(plane(l->a));
	lab_open(&l->lab, 0);
	assert_int_equal(policy_udp(l->a, l->b, 1, 2), 0);
	assert_int_equal(records(l->a).n, 0);
	l->a->port.shared = false;
	lab_set_port(&l->lab, l->a->host, &l->a->port);
}

/* requirement: OPS-4 */
static void test_refused(void **state)
{
	struct found f;

	log_port(l->a, true);
	log_port(l->b, true);
	allow(l->a, false, true);
	allow(l->b, false, false);
	assert_int_equal(policy_udp(l->a, l->b, 5, 6), DROP_GROUP_INGRESS);
	f = records(l->b);
	assert_int_equal(f.n, 1);
	assert_record(&f.r[0], l->b, false, true, 1, 20 + 8 + 32);
	assert_int_equal(f.r[0].destination, 6);
	f = records(l->a); /* it left its node */
	assert_int_equal(f.n, 1);
	assert_record(&f.r[0], l->a, true, false, 1, 20 + 8 + 32);
	/* and the other way it does not */
	assert_int_equal(policy_icmp(l->b, l->a, 8, 7), DROP_GROUP_EGRESS);
	f = records(l->b);
	assert_int_equal(f.n, 1);
	assert_record(&f.r[0], l->b, true, true, 1, 20 + 8 + 32);
	assert_int_equal(f.r[0].protocol, IPPROTO_ICMP);
	assert_int_equal(f.r[0].source, 0);
	assert_int_equal(records(l->a).n, 0);
}

/* Two nodes of one host: accepted at one, rejected at the other. */
static void test_refused_by_a_neighbour(void **state)
{
	struct found f;

	log_port(l->a, true);
	log_port(l->c, true);
	allow(l->a, false, true);
	allow(l->c, false, false);
	assert_int_equal(policy_tcp(l->a, l->c, 9, 22, SYN), DROP_GROUP_INGRESS);
	f = records(l->a);
	assert_int_equal(f.n, 2);
	assert_record(&f.r[f.r[0].reject ? 1 : 0], l->a, true, false, 1, 20 + 20 + 32);
	assert_record(&f.r[f.r[0].reject ? 0 : 1], l->c, false, true, 1, 20 + 20 + 32);
	assert_int_equal(f.r[0].tcp, SYN);
}

/* As a node's device would see it. */
static int delivered(const struct lab_node *n, const struct frame *f)
{
	struct frame out;

	return frame_run(&l->lab, n->host, RUN_DELIVERED, n->ifindex, f, &out);
}

static void test_into_a_node(void **state)
{
	struct v4 v = {.src = "10.0.1.11",
		       .dst = "10.0.1.10",
		       .protocol = IPPROTO_UDP,
		       .ttl = 9,
		       .payload = 100};
	struct frame f = frame_v4(&v);
	struct found got;

	log_port(l->a, true);
	assert_int_equal(delivered(l->a, &f), -1); /* on its way, whatever it is */
	assert_int_equal(delivered(l->a, &f), -1);
	/* what the network itself says is no flow: its router, its resolver, DHCP */
	v.src = "10.0.1.1";
	f = frame_v4(&v);
	assert_int_equal(delivered(l->a, &f), -1);
	v.src = "10.0.0.2";
	f = frame_v4(&v);
	frame_put_u16(&f, IP_AT + 20, 53);
	assert_int_equal(delivered(l->a, &f), -1);
	v.src = "10.0.9.9";
	f = frame_v4(&v);
	frame_put_u16(&f, IP_AT + 20, 67);
	frame_put_u16(&f, IP_AT + 22, 68);
	assert_int_equal(delivered(l->a, &f), -1);
	got = records(l->a);
	assert_int_equal(got.n, 1);
	assert_record(&got.r[0], l->a, false, false, 2, 2 * 128);
}

/* A port that is scanned fills its own share, and says how much it lost. */
static void test_bounds(void **state)
{
	uint64_t skipped;
	struct dp_window w;

	log_port(l->a, true);
	log_port(l->c, true);
	for (int i = 0; i < DP_RECORDS_PER_PORT + 5; i++)
		assert_int_equal(policy_udp(l->a, l->b, (uint16_t)(1 + i % 60000), 7), 0);
	assert_int_equal(policy_udp(l->c, l->b, 1, 7), 0);
	assert_int_equal(datapath_window(plane(l->a), &w), -ENOENT);
	assert_int_equal(datapath_window_close(plane(l->a), 99), 0);
	assert_int_equal(datapath_window_close(plane(l->a), 100), -EBUSY);
	assert_int_equal(datapath_window(plane(l->a), &w), 0);
	assert_int_equal(w.closed_ns, 99);
	assert_int_equal(datapath_records_skipped(plane(l->a), l->a->port.id, &skipped), 0);
	assert_int_equal(skipped, 5);
	assert_int_equal(datapath_records_skipped(plane(l->a), l->c->port.id, &skipped), 0);
	assert_int_equal(skipped, 0);
	/* the next window is another one, before the last is told */
	assert_int_equal(policy_udp(l->a, l->b, 1, 7), 0);
	assert_int_equal(datapath_window_forget(plane(l->a)), 0);
	assert_int_equal(records(l->a).n, 1);
}

/* What was counted is there when the agent comes again. */
static void test_a_new_agent(void **state)
{
	struct found f;

	log_port(l->a, true);
	assert_int_equal(policy_udp(l->a, l->b, 1, 2), 0);
	assert_int_equal(datapath_window_close(plane(l->a), 5), 0);
	datapath_close(plane(l->a));
	lab_open(&l->lab, 0);
	assert_int_equal(policy_udp(l->a, l->b, 1, 2), 0); /* in the next one */
	f = (struct found){};
	assert_int_equal(datapath_records(plane(l->a), take, &f), 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.r[0].packets, 1);
	assert_int_equal(datapath_window_forget(plane(l->a)), 0);
	assert_int_equal(records(l->a).n, 1);
}

/* ---- copies ---- */

static struct dp_mirror_rule rule(uint8_t session, bool egress, bool accept, const char *src,
				  const char *dst)
{
	struct dp_mirror_rule r = {
		.session = session,
		.egress = egress,
		.accept = accept,
		.protocol = DP_MIRROR_PROTOCOL_ANY,
		.src_to = 65535,
		.dst_to = 65535,
	};
	struct prefix a = lab_prefix(src), b = lab_prefix(dst);

	memcpy(r.src, a.addr.b, 16);
	memcpy(r.dst, b.addr.b, 16);
	r.src_len = a.len;
	r.dst_len = b.len;
	return r;
}

static void set_mirror(const struct lab_node *n, const struct dp_mirror_rule *rules, uint32_t count,
		       uint32_t dns)
{
	struct dp_mirror_value m = {.n = count, .dns = dns};

	memcpy(m.rules, rules, count * sizeof(*rules));
	lab_enter(&l->lab, l->lab.hosts[n->host].netns);
	assert_int_equal(datapath_mirror_set(plane(n), n->port.id, &m), 0);
	lab_enter(&l->lab, -1);
}

/* The session whose copy waits, which is 'f', or -1. */
static int copy_of(const struct lab_node *n, const struct frame *f)
{
	struct dp_copy c;
	int e = datapath_copy_read(plane(n), &c);

	if (e == -EAGAIN)
		return -1;
	assert_int_equal(e, 0);
	assert_int_equal(c.port, n->port.id);
	assert_int_equal(c.gso_size, 0);
	assert_int_equal(c.size, f->size);
	assert_memory_equal(c.frame, f->b, f->size);
	return c.session;
}

static struct frame udp(const struct lab_node *from, const struct lab_node *to, uint16_t port)
{
	return policy_frame(&(struct policy_packet){.from = from,
						    .to = to,
						    .protocol = IPPROTO_UDP,
						    .source = 4000,
						    .destination = port});
}

static int send_and_copy(const struct lab_node *from, const struct lab_node *to, uint16_t port)
{
	struct frame f = udp(from, to, port);

	assert_int_equal(policy_send_frame(from, to, &f), 0);
	return copy_of(from, &f);
}

/* The first rule of a session that matches decides; the first session that accepts gets the packet.
 * requirement: OPS-4 */
static void test_rules(void **state)
{
	struct dp_mirror_rule r[] = {
		rule(0, true, false, "0.0.0.0/0", "10.0.1.11/32"),
		rule(0, true, true, "10.0.1.0/24", "0.0.0.0/0"),
		rule(0, false, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(1, true, true, "10.0.1.10/31", "10.0.0.0/16"),
		rule(2, true, true, "0.0.0.0/0", "0.0.0.0/0"),
	};

	r[1].dst_from = 100;
	r[1].dst_to = 200;
	r[3].protocol = IPPROTO_UDP;
	r[3].src_from = r[3].src_to = 4000;
	set_mirror(l->a, r, 5, 0);
	assert_int_equal(send_and_copy(l->a, l->d, 100), 0);
	assert_int_equal(send_and_copy(l->a, l->d, 200), 0);
	assert_int_equal(send_and_copy(l->a, l->d, 99), 1);
	assert_int_equal(send_and_copy(l->a, l->d, 201), 1);
	assert_int_equal(send_and_copy(l->a, l->b, 100), 1); /* 0 has rejected it */
	assert_int_equal(send_and_copy(l->a, l->c, 100), 0); /* to a port of its own host, too */
	r[3].src_from = 4001;
	set_mirror(l->a, r, 5, 0);
	assert_int_equal(send_and_copy(l->a, l->d, 201), 2);
	set_mirror(l->a, r, 4, 0);
	assert_int_equal(send_and_copy(l->a, l->d, 201), -1);
	set_mirror(l->a, r, 0, 0);
	assert_int_equal(send_and_copy(l->a, l->d, 100), -1);
}

/* What policy refuses is copied neither way. */
static void test_no_copy_of_what_is_refused(void **state)
{
	struct dp_mirror_rule r = rule(0, true, true, "0.0.0.0/0", "0.0.0.0/0");
	struct frame f = udp(l->a, l->b, 7);

	set_mirror(l->a, &r, 1, 0);
	allow(l->a, true, false);
	assert_int_equal(policy_send_frame(l->a, l->b, &f), DROP_GROUP_EGRESS);
	assert_int_equal(copy_of(l->a, &f), -1);
}

static void test_copies_in(void **state)
{
	struct dp_mirror_rule r[] = {
		rule(0, true, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(1, false, true, "10.0.1.11/32", "0.0.0.0/0"),
	};
	struct v4 v = {.src = "10.0.1.11",
		       .dst = "10.0.1.10",
		       .protocol = IPPROTO_TCP,
		       .ttl = 9,
		       .payload = 10};
	struct frame f = frame_v4(&v);

	memcpy(f.b, l->a->port.mac.b, 6);
	set_mirror(l->a, r, 2, 0);
	assert_int_equal(delivered(l->a, &f), -1);
	assert_int_equal(copy_of(l->a, &f), 1);
	v.src = "10.0.1.12";
	f = frame_v4(&v);
	assert_int_equal(delivered(l->a, &f), -1);
	assert_int_equal(copy_of(l->a, &f), -1);
}

/* The resolver's answers and the queries are copied only for sessions that ask for it. */
static void test_dns(void **state)
{
	struct dp_mirror_rule r[] = {
		rule(0, true, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(0, false, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(1, true, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(1, false, true, "0.0.0.0/0", "0.0.0.0/0"),
	};
	static const uint8_t router[6] = {0x02, 0xff, 0, 0, 0, 1};
	struct v4 query = {.src = "10.0.1.10",
			   .dst = "10.0.0.2",
			   .mac = router,
			   .from = (uint8_t)l->a->port.id,
			   .protocol = IPPROTO_UDP,
			   .ttl = 64,
			   .payload = 30};
	struct v4 answer = {.src = "10.0.0.2",
			    .dst = "10.0.1.10",
			    .protocol = IPPROTO_UDP,
			    .ttl = 64,
			    .payload = 30};
	struct frame q = frame_v4(&query), a = frame_v4(&answer), out;

	frame_put_u16(&q, IP_AT + 22, 53);
	frame_put_u16(&a, IP_AT + 20, 53);
	memcpy(a.b, l->a->port.mac.b, 6);
	set_mirror(l->a, r, 4, 0);
	frame_from_node(&l->lab, l->a, &q, &out);
	assert_int_equal(copy_of(l->a, &q), -1);
	set_mirror(l->a, r, 4, 1 << 1);
	frame_from_node(&l->lab, l->a, &q, &out);
	assert_int_equal(copy_of(l->a, &q), 1);
	assert_int_equal(delivered(l->a, &a), -1);
	assert_int_equal(copy_of(l->a, &a), 1);
}

/* ---- the way of a copy ---- */

static int listen_udp(const struct lab_node *n, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd;

	lab_enter(&l->lab, n->netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	lab_enter(&l->lab, -1);
	return fd;
}

static void send_copy(const struct lab_node *from, const char *src, const char *dst)
{
	struct v4 v = {.src = src, .dst = dst, .protocol = IPPROTO_UDP, .ttl = 64, .payload = 20};
	struct frame f = frame_v4(&v);

	frame_put_u16(&f, IP_AT + 22, 4789);
	frame_put_u16(&f, IP_AT + 26, 0); /* no checksum */
	lab_enter(&l->lab, l->lab.hosts[from->host].netns);
	assert_int_equal(datapath_copy_send(plane(from), from->port.id, f.b, f.size), 0);
	lab_enter(&l->lab, -1);
}

static bool arrives(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t got[64];

	return poll(&p, 1, 1000) == 1 && recv(fd, got, sizeof(got), 0) == 20;
}

/* It leaves whatever its port's groups say, and is neither counted nor copied there; the target's
 * groups are asked.  requirement: OPS-4 */
static void test_the_way_of_a_copy(void **state)
{
	struct dp_mirror_rule r = rule(0, true, true, "0.0.0.0/0", "0.0.0.0/0");
	int fd = listen_udp(l->b, 4789), far = listen_udp(l->d, 4789);
	struct frame f = {};
	uint64_t dropped;

	log_port(l->a, true);
	set_mirror(l->a, &r, 1, 0);
	allow(l->a, false, false);
	send_copy(l->a, "10.0.1.10", "10.0.1.11");
	assert_true(arrives(fd));
	send_copy(l->a, "10.0.1.10", "10.0.2.13"); /* by the router */
	assert_true(arrives(far));
	assert_int_equal(records(l->a).n, 0);
	assert_int_equal(copy_of(l->a, &f), -1);
	allow(l->b, false, true);
	dropped = lab_drops(&l->lab, 1, l->b->port.id, DROP_GROUP_INGRESS);
	send_copy(l->a, "10.0.1.10", "10.0.1.11");
	send_copy(l->a, "10.0.1.10", "10.0.2.13");
	assert_true(arrives(far)); /* so the other one has been there, too */
	assert_int_equal(lab_drops(&l->lab, 1, l->b->port.id, DROP_GROUP_INGRESS), dropped + 1);
	close(fd);
	close(far);
}

/* Real packets through a watched node: none is lost, both ends agree, and when nobody watches any
 * more, neither is anything counted.  requirement: OPS-4 */
static void test_real_packets(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(5000)};
	struct dp_mirror_rule r[] = {
		rule(0, true, true, "0.0.0.0/0", "0.0.0.0/0"),
		rule(0, false, true, "0.0.0.0/0", "0.0.0.0/0"),
	};
	int a = listen_udp(l->a, 6000), b = listen_udp(l->b, 5000);
	char text[20] = "twenty bytes of text";
	struct dp_copy c;
	struct found f;
	size_t copies = 0;

	assert_int_equal(inet_pton(AF_INET, "10.0.1.11", &to.sin_addr), 1);
	for (int round = 0; round < 2; round++) {
		log_port(l->a, !round);
		log_port(l->b, !round);
		set_mirror(l->b, r, round ? 0 : 2, 0);
		for (int i = 0; i < 50; i++) {
			assert_int_equal(sendto(a, text, sizeof(text), 0, (struct sockaddr *)&to,
						sizeof(to)),
					 20);
			assert_true(arrives(b));
		}
		f = records(l->a);
		assert_int_equal(f.n, !round);
		if (!round)
			assert_record(&f.r[0], l->a, true, false, 50, 50 * 48);
		f = records(l->b);
		assert_int_equal(f.n, !round);
		if (!round)
			assert_record(&f.r[0], l->b, false, false, 50, 50 * 48);
	}
	while (!datapath_copy_read(plane(l->b), &c))
		copies += c.size == 14 + 48 && !memcmp(c.frame + 42, text, 20) && !c.egress;
	assert_int_equal(copies, 50);
	close(a);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_accepted_out, reset),
		cmocka_unit_test_setup(test_nobody_watches, reset),
		cmocka_unit_test_setup(test_a_shared_port_nobody_watches, reset),
		cmocka_unit_test_setup(test_refused, reset),
		cmocka_unit_test_setup(test_refused_by_a_neighbour, reset),
		cmocka_unit_test_setup(test_into_a_node, reset),
		cmocka_unit_test_setup(test_bounds, reset),
		cmocka_unit_test_setup(test_a_new_agent, reset),
		cmocka_unit_test_setup(test_rules, reset),
		cmocka_unit_test_setup(test_no_copy_of_what_is_refused, reset),
		cmocka_unit_test_setup(test_copies_in, reset),
		cmocka_unit_test_setup(test_dns, reset),
		cmocka_unit_test_setup(test_the_way_of_a_copy, reset),
		cmocka_unit_test_setup(test_real_packets, reset),
	};

	return cmocka_run_group_tests_name("watch", tests, policy_lab_set_up, policy_lab_tear_down);
}
