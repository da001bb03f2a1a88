/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts for bench/edge: the data plane alone, set up as agents would, one an edge.
 *
 *   edge-hosts HOST EDGE BPFFS PORT-MAC
 *
 * HOST and EDGE are names of namespaces.  HOST has "node" (a veth to the node, whose MAC is
 * PORT-MAC) and "sub0"; EDGE has "sub0" and "uplink", with addresses and a default route.  The node
 * is 10.0.1.2, its router 10.0.1.1.  Says "ready", and takes everything down when its input ends.
 *
 * The node's way out is the NAT gateway (198.51.100.100); from outside it is 198.51.100.10.  On a
 * line "public" its way out becomes the internet gateway, on "nat" the NAT gateway again.
 */
#include <stdio.h>
#include <string.h>

#include "pair.h"

enum { HOST, EDGE, IGW = 0xf00001, NAT = 0xf00002, TABLE = 1 };

static void set_network(int i)
{
	struct dp_subnet s = {.vni = PAIR_VNI,
			      .prefix = pair_prefix("10.0.1.0", 96 + 24),
			      .router = pair_addr("10.0.1.1"),
			      .router_mac = {{2, 0xff, 0, 0, 0, 1}},
			      .table = TABLE};

	pair_check(datapath_subnet_set(pair_hosts[i].dp, &s), "subnet");
	pair_map(i, pair_addr("10.0.1.2"), HOST, 0);
}

static void set_route(uint32_t handle)
{
	struct dp_route all = {.prefix = prefix_v4(0, 0),
			       .target = DP_TARGET_GATEWAY,
			       .peer = EDGE + 1,
			       .vni = handle};
	struct dp_table t = {.number = TABLE, .n_routes = 1, .routes = &all};

	pair_check(datapath_table_set(pair_hosts[HOST].dp, &t), "route table");
}

static void set_port(const char *mac)
{
	struct dp_port p = {.id = 1,
			    .peer_redirect = true,
			    .vni = PAIR_VNI,
			    .mtu = PAIR_NODE_MTU,
			    .n_addrs = 1};

	p.addrs[0] = pair_addr("10.0.1.2");
	pair_check(mac_parse(mac, &p.mac), mac);
	pair_enter(HOST);
	p.ifindex = pair_link("node", NULL);
	pair_check(datapath_port_set(pair_hosts[HOST].dp, &p), "port");
}

static void set_gateways(void)
{
	struct dp_gateway igw = {.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = PAIR_VNI};
	struct dp_gateway nat = {.handle = NAT,
				 .kind = DP_GATEWAY_NAT,
				 .vni = PAIR_VNI,
				 .public = pair_addr("198.51.100.100"),
				 .port_first = 1024,
				 .port_last = 65535};
	struct dp_public public = {.public = pair_addr("198.51.100.10"),
				   .vni = PAIR_VNI,
				   .addr = pair_addr("10.0.1.2"),
				   .handle = IGW};

	pair_check(datapath_gateway_set(pair_hosts[EDGE].dp, &igw), "internet gateway");
	pair_check(datapath_gateway_set(pair_hosts[EDGE].dp, &nat), "NAT gateway");
	pair_check(datapath_public_set(pair_hosts[EDGE].dp, &public), "public address");
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 5) {
		fprintf(stderr, "usage: edge-hosts HOST EDGE BPFFS PORT-MAC\n");
		return 2;
	}
	for (int i = 0; i < PAIR_HOSTS; i++) {
		pair_hosts[i].config =
			(struct dp_config){.name = i == EDGE ? "bench-edge" : "bench-host",
					   .max_mappings = 1024,
					   .max_flows = 16384};
		pair_open(i, argv[1 + i], argv[3], i == EDGE ? "uplink" : NULL);
	}
	for (int i = 0; i < PAIR_HOSTS; i++) {
		pair_set_peer(i, i == HOST);
		set_network(i);
	}
	set_port(argv[4]);
	set_gateways();
	set_route(NAT);
	pair_say_ready();
	while (fgets(line, sizeof(line), stdin)) {
		set_route(strcmp(line, "public\n") ? NAT : IGW);
		pair_say_ready();
	}
	pair_close();
	return 0;
}
