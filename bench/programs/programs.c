/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs cost, in ns per packet: the kernel's own statistics of their run time, over
 * real packets between two hosts in namespaces (the laboratory of tests/bpf).  BPF_PROG_RUN would
 * not do: a program that rewrites its packet sees a fresh one only once per call.
 *
 * "hit" is a flow in the flow cache; "full" the full path, by making the cache invalid before each
 * packet.  "pass" is a packet that is none of ours: what the measuring itself and a look at the
 * header cost.  "tracked": both nodes are in a security group, "untracked": the same without;
 * "ipv6": by ipip6; "logged" and "mirrored": both are watched.  Prints JSON; run.py makes a table
 * of it.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/rand.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "net/rtnl.h"
#include "tests/bpf/lab.h"

enum {
	PACKETS = 20000,
	ROUNDS = 5,
	SPREAD = 1000, /* destinations that traffic over many mappings goes to */
	PORT = 4000,
	MAPPINGS_MAX = 1000000,
};

struct cost {
	double out, in; /* of 'port' on host 1 and 'substrate' (or 'tunnel') on host 2 */
};

struct count {
	uint64_t ns, n;
};

struct bench {
	struct lab lab;
	struct lab_node *a, *b;
	int fd;      /* a's socket */
	int to;      /* b's: drains by itself, what overflows is of no interest */
	int in_prog; /* 'substrate' or 'tunnel' */
	uint32_t n_mappings;
	bool v6;
};

static struct count counted(int prog_fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd, &info, &size), 0);
	return (struct count){.ns = info.run_time_ns, .n = info.run_cnt};
}

static double since(int prog_fd, struct count before)
{
	struct count now = counted(prog_fd);

	return now.n > before.n ? (double)(now.ns - before.ns) / (double)(now.n - before.n) : 0;
}

static int udp_socket(struct bench *b, int netns, const char *addr)
{
	struct ipaddr ip = lab_addr(addr);
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(PORT),
				 .sin_addr.s_addr = htonl(ipaddr_v4(&ip))};
	int fd;

	lab_enter(&b->lab, netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	lab_enter(&b->lab, -1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* To b, or one of the mappings by its IPv4 address. */
static void send_v6(const struct bench *b, uint32_t dst)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct ipaddr ip = lab_addr(dst ? "2001:db8:0:3::" : "2001:db8:0:2::b");
	static const char payload[16]; /* 64 bytes of IPv6 */

	memcpy(&to.sin6_addr, ip.b, 16);
	if (dst)
		to.sin6_addr.s6_addr32[3] = htonl(dst);
	sendto(b->fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to));
}

static void send_one(const struct bench *b, uint32_t dst)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(dst)};
	static const char payload[36]; /* 64 bytes of IPv4 */

	if (b->v6) {
		send_v6(b, dst);
		return;
	}
	sendto(b->fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to));
}

/* Every cached flow of both hosts has to be decided anew. */
static void invalidate(const struct bench *b)
{
	for (int i = 0; i < LAB_HOSTS; i++)
		bpf_host_bump_epoch(bpf_host_of(b->lab.hosts[i].dp));
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Medians of rounds of PACKETS packets to the 'n' destinations, in turn.  Of what arrives nothing
 * is said when there are many: no node has all these addresses. */
static struct cost measure(const struct bench *b, const uint32_t *destinations, size_t n, bool full)
{
	double out[ROUNDS], in[ROUNDS];
	int out_prog = bpf_program__fd(bpf_host_of(b->lab.hosts[0].dp)->skel->progs.port);

	for (size_t i = 0; i < 2 * n; i++) /* neighbours, flows, caches */
		send_one(b, destinations[i % n]);
	for (int round = 0; round < ROUNDS; round++) {
		struct count out_before = counted(out_prog), in_before = counted(b->in_prog);

		for (size_t i = 0; i < PACKETS; i++) {
			if (full)
				invalidate(b);
			send_one(b, destinations[i % n]);
		}
		out[round] = since(out_prog, out_before);
		in[round] = since(b->in_prog, in_before);
	}
	qsort(out, ROUNDS, sizeof(out[0]), compare);
	qsort(in, ROUNDS, sizeof(in[0]), compare);
	return (struct cost){out[ROUNDS / 2], n == 1 ? in[ROUNDS / 2] : 0};
}

/* The address of mapping 'i': 10.128.0.0 and on, all in a subnet of their own. */
static uint32_t address(uint32_t i)
{
	return 0x0a800000U + 2 + i;
}

static void add_mappings(struct bench *b, uint32_t n)
{
	for (; b->n_mappings < n; b->n_mappings++)
		for (int i = 0; i < LAB_HOSTS; i++) {
			struct dp_mapping m = {.vni = LAB_VNI,
					       .addr = ipaddr_from_v4(address(b->n_mappings)),
					       .peer = i ? DP_PEER_SELF : 2};

			assert_int_equal(datapath_mapping_set(b->lab.hosts[i].dp, &m), 0);
		}
}

/* So that the kernel of node a asks for no neighbour: everything is behind the router. */
static void open_bench(struct bench *b, enum format format, uint32_t max_mappings)
{
	struct bpf_host *in;

	lab_make(&b->lab, max_mappings, 65536);
	lab_start(&b->lab, format);
	lab_subnet(&b->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&b->lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
	lab_subnet(&b->lab, LAB_VNI, "10.128.0.0/9", "10.128.0.1", "10.0.0.2");
	b->a = lab_node(&b->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	b->b = lab_node(&b->lab, 1, LAB_VNI, "10.0.2.11", "10.0.2.1");
	lab_map(&b->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&b->lab, LAB_VNI, "10.0.2.11", 1, DP_MAPPING_LIVE);
	b->fd = udp_socket(b, b->a->netns, "10.0.1.10");
	b->to = udp_socket(b, b->b->netns, "10.0.2.11");
	in = bpf_host_of(b->lab.hosts[1].dp);
	b->in_prog = bpf_program__fd(format == FORMAT_VXLAN_1 ? in->skel->progs.tunnel
							      : in->skel->progs.substrate);
}

static void close_bench(struct bench *b)
{
	close(b->fd);
	close(b->to);
	lab_deinit(&b->lab);
}

static const char *comma = "";

static void report(const char *what, struct cost c)
{
	printf("%s\n \"%s\": {\"out\": %.1f, \"in\": %.1f}", comma, what, c.out, c.in);
	comma = ",";
	fflush(stdout);
}

static void bench_formats(void)
{
	static const struct {
		const char *name;
		enum format format;
	} table[] = {{"siit2 hit", FORMAT_SIIT_2},
		     {"siit1 hit", FORMAT_SIIT_1},
		     {"ipip6 hit", FORMAT_IPIP6_1},
		     {"vxlan hit", FORMAT_VXLAN_1},
		     {"reip4 hit", FORMAT_REIP4_1}};
	const uint32_t b_addr = 0x0a00020b;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct bench b = {};

		open_bench(&b, table[i].format, 1024);
		report(table[i].name, measure(&b, &b_addr, 1, false));
		close_bench(&b);
	}
}

/* Both nodes in a security group whose rules allow everything. */
static void join_group(struct bench *b)
{
	struct dp_rule rules[] = {
		{.egress = true,
		 .protocol = DP_PROTOCOL_ANY,
		 .to = 65535,
		 .prefix = prefix_v4(0, 0)},
		{.protocol = DP_PROTOCOL_ANY, .to = 65535, .prefix = prefix_v4(0, 0)},
		{.egress = true, .protocol = DP_PROTOCOL_ANY, .to = 65535},
		{.protocol = DP_PROTOCOL_ANY, .to = 65535}};
	struct dp_group group = {.number = 1, .n_rules = ARRAY_SIZE(rules), .rules = rules};
	struct lab_node *nodes[] = {b->a, b->b};

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		assert_int_equal(datapath_group_set(b->lab.hosts[nodes[i]->host].dp, &group), 0);
		nodes[i]->port.n_groups = 1;
		nodes[i]->port.groups[0] = 1;
		lab_set_port(&b->lab, nodes[i]->host, &nodes[i]->port);
	}
}

/* Both nodes are logged, or all of both is mirrored (copies are made, and nobody reads them). */
static void watch(struct bench *b, bool logged, bool mirrored)
{
	struct dp_mirror_value m = {.n = mirrored ? 2 : 0};
	struct lab_node *nodes[] = {b->a, b->b};

	for (uint32_t i = 0; i < m.n; i++)
		m.rules[i] = (struct dp_mirror_rule){.egress = i == 0,
						     .accept = 1,
						     .src_len = 96,
						     .dst_len = 96,
						     .src = {[10] = 0xff, [11] = 0xff},
						     .dst = {[10] = 0xff, [11] = 0xff},
						     .protocol = DP_MIRROR_PROTOCOL_ANY,
						     .src_to = 65535,
						     .dst_to = 65535};
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		nodes[i]->port.logged = logged;
		lab_set_port(&b->lab, nodes[i]->host, &nodes[i]->port);
		lab_enter(&b->lab, b->lab.hosts[nodes[i]->host].netns);
		assert_int_equal(
			datapath_mirror_set(b->lab.hosts[nodes[i]->host].dp, nodes[i]->port.id, &m),
			0);
		lab_enter(&b->lab, -1);
	}
}

/* What watching costs beside "tracked": there is no flow cache on the way out, and one program more
 * on the way in, which is a row of its own. */
static void bench_watched(struct bench *b, const char *name, bool logged, bool mirrored)
{
	int delivered = bpf_program__fd(bpf_host_of(b->lab.hosts[1].dp)->skel->progs.delivered);
	const uint32_t b_addr = 0x0a00020b;
	struct count before;
	char text[64];

	watch(b, logged, mirrored);
	before = counted(delivered);
	report(name, measure(b, &b_addr, 1, false));
	snprintf(text, sizeof(text), "%s, into the node", name);
	report(text, (struct cost){0, since(delivered, before)});
}

/* The same packets as "siit2 hit", of a connection that both hosts track. */
static void bench_tracked(void)
{
	const uint32_t b_addr = 0x0a00020b;
	struct bench b = {};

	open_bench(&b, FORMAT_SIIT_2, 1024);
	report("untracked hit", measure(&b, &b_addr, 1, false));
	report("untracked full", measure(&b, &b_addr, 1, true));
	join_group(&b);
	report("tracked hit", measure(&b, &b_addr, 1, false));
	report("tracked full", measure(&b, &b_addr, 1, true));
	bench_watched(&b, "logged", true, false);
	bench_watched(&b, "mirrored", false, true);
	close_bench(&b);
}

/* Packets between the hosts themselves. */
static void bench_pass(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct bench b = {};
	struct count before;
	int fd;

	open_bench(&b, FORMAT_SIIT_2, 1024);
	lab_enter(&b.lab, b.lab.hosts[0].netns);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	lab_enter(&b.lab, -1);
	memcpy(&to.sin6_addr, b.lab.hosts[1].config.v6.b, 16);
	before = counted(b.in_prog);
	for (int i = 0; i < PACKETS; i++)
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	report("pass", (struct cost){0, since(b.in_prog, before)});
	close(fd);
	close_bench(&b);
}

static void bench_mappings(void)
{
	static const uint32_t sizes[] = {1, 1000, 100000, MAPPINGS_MAX};
	static uint32_t destinations[SPREAD];
	const uint32_t one = 0x0a00020b;
	struct bench b = {};
	char name[64];

	open_bench(&b, FORMAT_SIIT_2, MAPPINGS_MAX + 1024);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i] < SPREAD ? sizes[i] : SPREAD;

		add_mappings(&b, sizes[i]);
		for (size_t j = 0; j < n; j++)
			destinations[j] = address(rand_u32_below(sizes[i]));
		snprintf(name, sizeof(name), "hit, %u mappings", sizes[i]);
		report(name, measure(&b, &one, 1, false));
		snprintf(name, sizeof(name), "full, %u mappings", sizes[i]);
		report(name, measure(&b, &one, 1, true));
		if (n == 1)
			continue;
		snprintf(name, sizeof(name), "hit, %u mappings, %zu flows", sizes[i], n);
		report(name, measure(&b, destinations, n, false));
		snprintf(name, sizeof(name), "full, %u mappings, %zu destinations", sizes[i], n);
		report(name, measure(&b, destinations, n, true));
	}
	close_bench(&b);
}

/* ---- IPv6 ---- */

/* An address of a node, and a way to the router for all others. */
static void give_v6(struct bench *b, struct lab_node *n, const char *addr)
{
	struct rtnl_route route = {.gateway = lab_addr("fe80::100")};
	struct rtnl_addr own = {.addr = lab_addr(addr), .len = 64};
	struct rtnl_link link;
	struct rtnl *rtnl;

	n->port.addrs[n->port.n_addrs++] = lab_addr(addr);
	lab_set_port(&b->lab, n->host, &n->port);
	lab_map(&b->lab, LAB_VNI, addr, n->host, DP_MAPPING_LIVE);
	lab_enter(&b->lab, n->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "eth0", &link), 0);
	own.ifindex = link.ifindex;
	route.oif = link.ifindex;
	assert_int_equal(rtnl_addr_add(rtnl, &own), 0);
	assert_int_equal(rtnl_route_add(rtnl, &route), 0);
	rtnl_close(rtnl);
	lab_enter(&b->lab, -1);
}

static int udp_socket_v6(struct bench *b, int netns, const char *addr)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct ipaddr ip = lab_addr(addr);
	int fd;

	memcpy(&at.sin6_addr, ip.b, 16);
	lab_enter(&b->lab, netns);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	lab_enter(&b->lab, -1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* The IPv6 address of mapping 'i', its last bytes as address() has them. */
static struct ipaddr address_v6(uint32_t i)
{
	struct ipaddr a = lab_addr("2001:db8:0:3::");
	uint32_t v = htonl(address(i));

	memcpy(a.b + 12, &v, sizeof(v));
	return a;
}

static void add_mappings_v6(struct bench *b, uint32_t n)
{
	for (; b->n_mappings < n; b->n_mappings++)
		for (int i = 0; i < LAB_HOSTS; i++) {
			struct dp_mapping m = {.vni = LAB_VNI,
					       .addr = address_v6(b->n_mappings),
					       .peer = i ? DP_PEER_SELF : 2};

			assert_int_equal(datapath_mapping_set(b->lab.hosts[i].dp, &m), 0);
		}
}

static void bench_v6_flows(struct bench *b)
{
	static uint32_t destinations[SPREAD];

	for (size_t i = 0; i < SPREAD; i++)
		destinations[i] = address(rand_u32_below(b->n_mappings));
	report("ipv6 hit, 100000 mappings, 1000 flows", measure(b, destinations, SPREAD, false));
	report("ipv6 full, 100000 mappings, 1000 destinations",
	       measure(b, destinations, SPREAD, true));
}

static void bench_ipv6(void)
{
	struct bench b = {};
	const uint32_t one = 0;

	open_bench(&b, FORMAT_SIIT_2, 101024);
	lab_subnet(&b.lab, LAB_VNI, "fe80::/64", "fe80::100", NULL);
	lab_subnet(&b.lab, LAB_VNI, "2001:db8:0:1::/64", "fe80::100", NULL);
	lab_subnet(&b.lab, LAB_VNI, "2001:db8:0:2::/64", "fe80::100", NULL);
	lab_subnet(&b.lab, LAB_VNI, "2001:db8:0:3::/64", "fe80::100", NULL);
	give_v6(&b, b.a, "2001:db8:0:1::a");
	give_v6(&b, b.b, "2001:db8:0:2::b");
	close(b.fd);
	close(b.to);
	b.fd = udp_socket_v6(&b, b.a->netns, "2001:db8:0:1::a");
	b.to = udp_socket_v6(&b, b.b->netns, "2001:db8:0:2::b");
	b.v6 = true;
	report("ipv6 hit, untracked", measure(&b, &one, 1, false));
	report("ipv6 full, untracked", measure(&b, &one, 1, true));
	add_mappings_v6(&b, 100000);
	report("ipv6 hit, 100000 mappings", measure(&b, &one, 1, false));
	report("ipv6 full, 100000 mappings", measure(&b, &one, 1, true));
	bench_v6_flows(&b);
	join_group(&b);
	report("ipv6 hit, tracked", measure(&b, &one, 1, false));
	report("ipv6 full, tracked", measure(&b, &one, 1, true));
	close_bench(&b);
}

static void run(void **state)
{
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);

	assert_true(stats >= 0);
	bench_pass();
	bench_formats();
	bench_tracked();
	bench_ipv6();
	bench_mappings();
	close(stats);
}

int main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(run)};
	int failed;

	printf("{");
	/* cmocka's own words go to standard error, so that standard output is JSON */
	cmocka_set_message_output(CM_OUTPUT_XML);
	setenv("CMOCKA_XML_FILE", "/dev/stderr", 1);
	failed = cmocka_run_group_tests(all, NULL, NULL);
	printf("\n}\n");
	return failed;
}
