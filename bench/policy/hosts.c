/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts with a node each for bench/policy: the data plane alone, set up as agents would.
 *
 *   policy-hosts HOST-A HOST-B BPFFS
 *
 * HOST-A and HOST-B are names of namespaces, each with "sub0" to the other and "node" to its node,
 * which is 10.0.1.2 (MAC 02:00:00:00:00:01) or 10.0.2.2 (MAC 02:00:00:00:00:02) and has a router at
 * .1.  Says "ready", and takes everything down when its input ends.
 *
 * Lines of input, each answered with "ready" or, the last, with figures:
 *   none      no node is in a group
 *   rules N   the node at B is in a group of N rules for its port, the last of which allows; A's
 *             may begin all
 *   groups    the rule names a group of 1,000 members, of which A's node is one
 *   crowd     one rule, and at A a second node ("crowd", 10.0.1.3) that has begun four times as
 *             many connections as it may have: each new one pushes out one of its own
 *   fill N    begins so many connections at A's node and says {"connections": C, "bytes": B}: those
 *             that are tracked then, and the table's memory
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "net/csum.h"
#include "pair.h"

enum {
	TRAFFIC_PORT = 5201,
	TRAFFIC_PORTS = 16,
	RULES_MAX = 1000,
	MEMBERS = 1000,
	GROUP_A = 1,
	GROUP_B = 2,
	CONNECTIONS = 1000000,
	CROWD_CONNECTIONS = 8192,
	CROWD_ID = 2,
	PORTS = 60000, /* of one address, for filling */
};

static const char *const nodes[] = {"10.0.1.2", "10.0.2.2"};
static const char *const routers[] = {"10.0.1.1", "10.0.2.1"};

static struct dp_port ports[PAIR_HOSTS]; /* of the nodes */

/* ---- setting up ---- */

static void open_host(int i, const char *netns, const char *bpffs)
{
	pair_hosts[i].config = (struct dp_config){.name = i ? "bench-b" : "bench-a",
						  .max_mappings = 4096,
						  .max_flows = 16384,
						  .max_connections = CONNECTIONS};
	pair_open(i, netns, bpffs, NULL);
	ports[i] = (struct dp_port){.id = 1,
				    .ifindex = pair_link("node", NULL),
				    .peer_redirect = true,
				    .vni = PAIR_VNI,
				    .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}},
				    .mtu = PAIR_NODE_MTU,
				    .n_addrs = 1,
				    .addrs = {pair_addr(nodes[i])}};
}

static void set_port(int i)
{
	pair_enter(i);
	pair_check(datapath_port_set(pair_hosts[i].dp, &ports[i]), "port");
}

static void set_network(int i)
{
	for (int k = 0; k < PAIR_HOSTS; k++) {
		struct dp_subnet s = {.vni = PAIR_VNI,
				      .prefix = pair_prefix(routers[k], 96 + 24),
				      .router = pair_addr(routers[k]),
				      .router_mac = {{2, 0xff, 0, 0, 0, (uint8_t)(k + 1)}}};

		pair_check(datapath_subnet_set(pair_hosts[i].dp, &s), "subnet");
		pair_map(i, pair_addr(nodes[k]), k, 0);
	}
	set_port(i);
}

/* ---- policy ---- */

static void join(int i, uint32_t group)
{
	ports[i].n_groups = group ? 1 : 0;
	ports[i].groups[0] = group;
	set_port(i);
	for (int k = 0; k < PAIR_HOSTS; k++)
		pair_map(k, pair_addr(nodes[i]), i, group);
}

static void set_group(int i, uint32_t number, const struct dp_rule *rules, size_t n)
{
	struct dp_group g = {.number = number, .n_rules = n, .rules = rules};

	pair_check(datapath_group_set(pair_hosts[i].dp, &g), "group");
}

static struct dp_rule rule_for(struct prefix from, uint32_t group)
{
	return (struct dp_rule){.protocol = IPPROTO_TCP,
				.from = TRAFFIC_PORT,
				.to = TRAFFIC_PORT + TRAFFIC_PORTS,
				.prefix = from,
				.group = group};
}

static void may_begin_all(void)
{
	struct dp_rule all = {.egress = true,
			      .protocol = DP_PROTOCOL_ANY,
			      .to = 65535,
			      .prefix = prefix_v4(0, 0)};

	set_group(0, GROUP_A, &all, 1);
	join(0, GROUP_A);
}

static void use_rules(size_t n)
{
	static struct dp_rule rules[RULES_MAX];

	for (size_t k = 0; k + 1 < n; k++) /* hosts of another network, each for itself */
		rules[k] = rule_for(prefix_v4(0x0a640000U + (uint32_t)k, 32), 0);
	rules[n - 1] = rule_for(pair_prefix("10.0.1.0", 96 + 24), 0);
	may_begin_all();
	set_group(1, GROUP_B, rules, n);
	join(1, GROUP_B);
}

static void use_groups(void)
{
	struct dp_rule rule = rule_for((struct prefix){}, GROUP_A);

	may_begin_all();
	for (uint32_t k = 1; k < MEMBERS; k++)
		pair_map(1, ipaddr_from_v4(0x0a000a00U + k), 0, GROUP_A);
	set_group(1, GROUP_B, &rule, 1);
	join(1, GROUP_B);
}

static void use_none(void)
{
	join(0, 0);
	join(1, 0);
}

/* ---- filling ---- */

struct datagram {
	struct ether_header ethernet;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[8];
} __attribute__((packed));

static struct datagram datagram(const struct dp_port *sender, uint32_t to, uint16_t port)
{
	struct datagram d = {
		.ethernet = {.ether_dhost = {2, 0xff, 0, 0, 0, 1},
			     .ether_shost = {2, 0, 0, 0, 0, 1},
			     .ether_type = htons(ETHERTYPE_IP)},
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = htons(sizeof(d) - sizeof(d.ethernet)),
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .frag_off = htons(0x4000)},
		.udp = {.uh_sport = htons(port),
			.uh_dport = htons(TRAFFIC_PORT),
			.uh_ulen = htons(16)},
	};

	memcpy(d.ethernet.ether_shost, sender->mac.b, sizeof(d.ethernet.ether_shost));
	d.ip.saddr = htonl(ipaddr_v4(&sender->addrs[0]));
	d.ip.daddr = htonl(to);
	d.ip.check = csum(&d.ip, sizeof(d.ip));
	return d;
}

static int count(const struct dp_connection *c, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static size_t table_bytes(void)
{
	struct bpf_host *h = bpf_host_of(pair_hosts[0].dp);
	char path[64], line[128];
	size_t bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 bpf_map__fd(h->skel->maps.connections));
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %zu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

/* Begins 'n' connections at a node of A's. */
static void begin(const struct dp_port *sender, size_t n)
{
	int prog = bpf_program__fd(bpf_host_of(pair_hosts[0].dp)->skel->progs.port);
	struct __sk_buff context = {.ifindex = (uint32_t)sender->ifindex};
	static uint8_t out[2048];

	pair_enter(0);
	for (size_t i = 0; i < n; i++) {
		uint32_t to = 0x0a00020aU + (uint32_t)(i / PORTS);
		struct datagram d = datagram(sender, to, (uint16_t)(1024 + i % PORTS));
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &d, .data_size_in = sizeof(d),
			    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &context,
			    .ctx_size_in = sizeof(context));

		if (!(i % PORTS))
			pair_map(0, ipaddr_from_v4(to), 1, 0);
		pair_check(bpf_prog_test_run_opts(prog, &opts), "program");
	}
}

static size_t tracked_at(const struct dp_port *port)
{
	size_t n = 0;

	pair_check(datapath_connections(pair_hosts[0].dp, port->id, count, &n), "connections");
	return n;
}

static void fill(size_t n)
{
	join(0, 0); /* gives back its part of the table: it gets all of it */
	ports[0].connections = (uint32_t)n;
	may_begin_all();
	begin(&ports[0], n);
	printf("{\"connections\": %zu, \"bytes\": %zu}\n", tracked_at(&ports[0]), table_bytes());
}

static void use_crowd(void)
{
	struct dp_port crowd = {.id = CROWD_ID,
				.vni = PAIR_VNI,
				.mac = {{2, 0, 0, 0, 0, 3}},
				.mtu = PAIR_NODE_MTU,
				.n_addrs = 1,
				.addrs = {pair_addr("10.0.1.3")},
				.n_groups = 1,
				.groups = {GROUP_A},
				.connections = CROWD_CONNECTIONS};
	size_t n;

	use_rules(1);
	pair_enter(0);
	crowd.ifindex = pair_link("crowd", NULL);
	pair_check(datapath_port_set(pair_hosts[0].dp, &crowd), "port");
	begin(&crowd, 4 * CROWD_CONNECTIONS);
	n = tracked_at(&crowd);
	/* full, and its own alone went */
	pair_check(n < CROWD_CONNECTIONS / 2 || n > 2 * CROWD_CONNECTIONS ? -ERANGE : 0, "quota");
}

static void leave_crowd(void)
{
	pair_enter(0);
	datapath_port_delete(pair_hosts[0].dp, CROWD_ID); /* if it is there */
}

static void obey(char *line)
{
	size_t n;

	leave_crowd();
	if (!strcmp(line, "none\n"))
		use_none();
	else if (!strcmp(line, "groups\n"))
		use_groups();
	else if (!strcmp(line, "crowd\n"))
		use_crowd();
	else if (sscanf(line, "rules %zu", &n) == 1 && n && n <= RULES_MAX)
		use_rules(n);
	else if (sscanf(line, "fill %zu", &n) == 1) {
		fill(n);
		fflush(stdout);
		return;
	} else {
		pair_check(-EINVAL, line);
	}
	pair_say_ready();
}

int main(int argc, char *argv[])
{
	char line[64];

	if (argc != 4) {
		fprintf(stderr, "usage: policy-hosts HOST-A HOST-B BPFFS\n");
		return 2;
	}
	for (int i = 0; i < PAIR_HOSTS; i++)
		open_host(i, argv[1 + i], argv[3]);
	for (int i = 0; i < PAIR_HOSTS; i++) {
		pair_set_peer(i, false);
		set_network(i);
	}
	pair_say_ready();
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	pair_close();
	return 0;
}
