/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts for bench/edge: the data plane alone, set up as agents would, one an edge.
 *
 *   edge-hosts HOST EDGE BPFFS PORT-MAC
 *
 * HOST and EDGE are names of namespaces.  HOST has "node" (a veth to the node, whose MAC is PORT-MAC)
 * and "sub0"; EDGE has "sub0" and "uplink", with addresses and a default route.  The node is 10.0.1.2,
 * its router 10.0.1.1.  Says "ready", and takes everything down when its input ends.
 *
 * The node's way out is the NAT gateway (198.51.100.100); from outside it is 198.51.100.10.  On a line
 * "public" its way out becomes the internet gateway, on "nat" the NAT gateway again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "datapath/datapath.h"
#include "net/netns.h"
#include "net/rtnl.h"

enum {
	HOST,
	EDGE,
	HOSTS,
	VNI = 7,
	IGW = 0xf00001,
	NAT = 0xf00002,
	TABLE = 1,
	MTU = 1500,
	NODE_MTU = 1400
};

struct host {
	int netns;
	struct dp_config config;
	struct datapath *dp;
	struct mac mac; /* on the substrate */
};

static const char *const siit1[] = {"2001:db8:1:101::", "2001:db8:1:102::"};
static const char *const siit2[] = {"2001:db8:8000:1100::", "2001:db8:8000:1200::"};

static struct host hosts[HOSTS];

static void check(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "edge-hosts: %s: %s\n", what, strerror(-r));
	exit(1);
}

static struct ipaddr addr(const char *text)
{
	struct ipaddr a;

	check(ipaddr_parse(text, &a), text);
	return a;
}

static struct prefix prefix(const char *text, uint8_t len)
{
	struct ipaddr a = addr(text);

	return prefix_make(&a, len);
}

static int find(const char *name, struct mac *ret_mac)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	check(rtnl_open(&rtnl), "rtnetlink");
	check(rtnl_link_find(rtnl, name, &link), name);
	rtnl_close(rtnl);
	if (ret_mac)
		*ret_mac = link.mac;
	return link.ifindex;
}

static void open_host(int i, const char *netns, const char *bpffs)
{
	struct host *h = &hosts[i];
	char path[256];
	bool adopted;

	snprintf(path, sizeof(path), "%s/%d", bpffs, i);
	check(mkdir(path, 0700) ? -errno : 0, path);
	check(mount("bpf", path, "bpf", 0, NULL) ? -errno : 0, path);
	check(netns_open("/run/netns", netns, &h->netns), netns);
	check(netns_enter(h->netns), netns);
	h->config = (struct dp_config){.name = i == EDGE ? "bench-edge" : "bench-host",
				       .bpffs = strdup(path),
				       .siit1 = prefix(siit1[i], 64),
				       .siit2 = prefix(siit2[i], 56),
				       .vxlan_port = 4789,
				       .max_mappings = 1024,
				       .max_flows = 16384,
				       .substrate_ifindex = find("sub0", &h->mac)};
	if (i == EDGE)
		h->config.uplink_ifindex = find("uplink", NULL);
	check(datapath_open(&h->config, &h->dp, &adopted), "data plane");
}

static void set_peer(int i)
{
	const struct host *other = &hosts[!i];
	struct dp_nexthop n = {.id = 1,
			       .ifindex = hosts[i].config.substrate_ifindex,
			       .resolved = true,
			       .source = hosts[i].mac,
			       .destination = other->mac,
			       .mtu = MTU};
	struct dp_peer p = {.id = (uint32_t)!i + 1,
			    .siit1 = other->config.siit1,
			    .siit2 = other->config.siit2,
			    .send = FORMAT_SIIT_2,
			    .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = MTU,
			    .nexthop = 1,
			    .edge = i == HOST};

	check(datapath_nexthop_set(hosts[i].dp, &n), "next hop");
	check(datapath_peer_set(hosts[i].dp, &p), "peer");
}

static void set_network(int i)
{
	struct dp_subnet s = {.vni = VNI,
			      .prefix = prefix("10.0.1.0", 96 + 24),
			      .router = addr("10.0.1.1"),
			      .router_mac = {{2, 0xff, 0, 0, 0, 1}},
			      .table = TABLE};
	struct dp_mapping m = {.vni = VNI,
			       .addr = addr("10.0.1.2"),
			       .peer = i == HOST ? DP_PEER_SELF : 1,
			       .revision = 1};

	check(datapath_subnet_set(hosts[i].dp, &s), "subnet");
	check(datapath_mapping_set(hosts[i].dp, &m), "mapping");
}

static void set_route(uint32_t handle)
{
	struct dp_route all = {.prefix = prefix_v4(0, 0),
			       .target = DP_TARGET_GATEWAY,
			       .peer = EDGE + 1,
			       .vni = handle};
	struct dp_table t = {.number = TABLE, .n_routes = 1, .routes = &all};

	check(datapath_table_set(hosts[HOST].dp, &t), "route table");
}

static void set_port(const char *mac)
{
	struct dp_port p = {
		.id = 1, .peer_redirect = true, .vni = VNI, .mtu = NODE_MTU, .n_addrs = 1};

	p.addrs[0] = addr("10.0.1.2");
	check(mac_parse(mac, &p.mac), mac);
	check(netns_enter(hosts[HOST].netns), "host");
	p.ifindex = find("node", NULL);
	check(datapath_port_set(hosts[HOST].dp, &p), "port");
}

static void set_gateways(void)
{
	struct dp_gateway igw = {.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = VNI};
	struct dp_gateway nat = {.handle = NAT,
				 .kind = DP_GATEWAY_NAT,
				 .vni = VNI,
				 .public = addr("198.51.100.100"),
				 .port_first = 1024,
				 .port_last = 65535};
	struct dp_public public = {.public = addr("198.51.100.10"),
				   .vni = VNI,
				   .addr = addr("10.0.1.2"),
				   .handle = IGW};

	check(datapath_gateway_set(hosts[EDGE].dp, &igw), "internet gateway");
	check(datapath_gateway_set(hosts[EDGE].dp, &nat), "NAT gateway");
	check(datapath_public_set(hosts[EDGE].dp, &public), "public address");
}

static void close_host(struct host *h)
{
	datapath_close(h->dp);
	check(netns_enter(h->netns), h->config.name);
	check(datapath_destroy(&h->config), "data plane");
	umount2(h->config.bpffs, MNT_DETACH);
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 5) {
		fprintf(stderr, "usage: edge-hosts HOST EDGE BPFFS PORT-MAC\n");
		return 2;
	}
	for (int i = 0; i < HOSTS; i++)
		open_host(i, argv[1 + i], argv[3]);
	for (int i = 0; i < HOSTS; i++) {
		set_peer(i);
		set_network(i);
	}
	set_port(argv[4]);
	set_gateways();
	set_route(NAT);
	say_ready();
	while (fgets(line, sizeof(line), stdin)) {
		set_route(strcmp(line, "public\n") ? NAT : IGW);
		say_ready();
	}
	for (int i = 0; i < HOSTS; i++)
		close_host(&hosts[i]);
	return 0;
}
