/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "base/file.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "net/sysctl.h"

static const char *const siit1[] = {"2001:db8:1:101::", "2001:db8:1:102::"};
static const char *const siit2[] = {"2001:db8:8000:1100::", "2001:db8:8000:1200::"};
static const char *const wire_v6[] = {"fd00:1::1", "fd00:1::2"};
static const char *const wire_v4[] = {"192.0.2.1", "192.0.2.2"};
static const uint32_t labels[] = {0xc6120100, 0xc6120200}; /* 198.18.1.0/24 and .2.0/24 */

struct ipaddr lab_addr(const char *text)
{
	struct ipaddr a;

	assert_int_equal(ipaddr_parse(text, &a), 0);
	return a;
}

uint32_t lab_label(int host, uint32_t vni, const struct ipaddr *addr)
{
	return ipaddr_is_v4(addr) ? labels[host] | ((ipaddr_v4(addr) + 32 * (vni - LAB_VNI)) & 0xff)
				  : 0;
}

static struct prefix host_prefix(const char *text, uint8_t len)
{
	struct ipaddr a = lab_addr(text);

	return prefix_make(&a, len);
}

void lab_enter(const struct lab *lab, int netns)
{
	assert_int_equal(netns_enter(netns < 0 ? lab->self : netns), 0);
}

static int make_netns(struct lab *lab, const char *name)
{
	int fd;

	assert_int_equal(netns_create(lab->dir, name), 0);
	assert_int_equal(netns_open(lab->dir, name, &fd), 0);
	return fd;
}

static void add_address(struct rtnl *rtnl, int ifindex, const char *text, uint8_t len)
{
	struct rtnl_addr a = {.ifindex = ifindex, .addr = lab_addr(text), .len = len};

	assert_int_equal(rtnl_addr_add(rtnl, &a), 0);
}

static void set_up_wire(struct lab *lab, int i)
{
	struct lab_host *h = &lab->hosts[i];
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(lab, h->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "wire", &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	add_address(rtnl, link.ifindex, wire_v6[i], 64);
	add_address(rtnl, link.ifindex, wire_v4[i], 96 + 24);
	h->wire_mac = link.mac;
	h->config.substrate_ifindex = link.ifindex;
	rtnl_close(rtnl);
	lab_enter(lab, -1);
}

static void make_wire(struct lab *lab)
{
	struct rtnl_veth_end a = {
		.name = "wire", .netns_fd = lab->hosts[0].netns, .mtu = LAB_WIRE_MTU};
	struct rtnl_veth_end b = {
		.name = "wire", .netns_fd = lab->hosts[1].netns, .mtu = LAB_WIRE_MTU};
	struct rtnl *rtnl;

	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_veth_create(rtnl, &a, &b), 0);
	rtnl_close(rtnl);
	for (int i = 0; i < LAB_HOSTS; i++)
		set_up_wire(lab, i);
}

void lab_open(struct lab *lab, int host)
{
	struct lab_host *h = &lab->hosts[host];
	bool adopted;

	lab_enter(lab, h->netns);
	assert_int_equal(datapath_open(&h->config, &h->dp, &adopted), 0);
	lab_enter(lab, -1);
}

bool lab_has_geneve(const struct lab *lab, int host)
{
	char name[IF_NAMESIZE];
	bool there;

	snprintf(name, sizeof(name), "%s-gn", lab->hosts[host].name);
	lab_enter(lab, lab->hosts[host].netns);
	there = if_nametoindex(name);
	lab_enter(lab, -1);
	return there;
}

void lab_set_format(struct lab *lab, enum format format, bool vxlan_over_v6)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		const struct lab_host *other = &lab->hosts[!i];
		struct dp_nexthop n = {.id = 1,
				       .ifindex = lab->hosts[i].config.substrate_ifindex,
				       .resolved = true,
				       .gateway = other->config.v6,
				       .source = lab->hosts[i].wire_mac,
				       .destination = other->wire_mac,
				       .mtu = LAB_WIRE_MTU};
		struct dp_peer p = {.id = (uint32_t)!i + 1,
				    .siit1 = other->config.siit1,
				    .siit2 = other->config.siit2,
				    .v4 = other->config.v4,
				    .v6 = other->config.v6,
				    .send = format,
				    .accept = FORMAT_BIT(format) |
					      FORMAT_BIT(format == FORMAT_REIP4_1 ? FORMAT_VXLAN_1
										  : FORMAT_IPIP6_1),
				    .labels = other->config.labels,
				    .vxlan_over_v6 = vxlan_over_v6,
				    .path_mtu = LAB_WIRE_MTU,
				    .nexthop = 1};

		assert_int_equal(datapath_nexthop_set(lab->hosts[i].dp, &n), 0);
		assert_int_equal(datapath_peer_set(lab->hosts[i].dp, &p), 0);
	}
}

static void make_host(struct lab *lab, int i, uint32_t max_mappings, uint32_t max_flows)
{
	struct lab_host *h = &lab->hosts[i];

	snprintf(h->name, sizeof(h->name), "host%u", (uint8_t)(i + 1));
	h->netns = make_netns(lab, h->name);
	h->config = (struct dp_config){
		.name = h->name,
		.bpffs = lab->dir,
		.siit1 = host_prefix(siit1[i], 64),
		.siit2 = host_prefix(siit2[i], 56),
		.v4 = lab_addr(wire_v4[i]),
		.v6 = lab_addr(wire_v6[i]),
		.labels = prefix_v4(labels[i], 24),
		.vxlan_port = 4789,
		.max_mappings = max_mappings,
		.max_flows = max_flows,
	};
}

/* What is mounted from here on ends with the process, however that ends: pins and namespaces with
 * it. */
static void mount_for_us_alone(void)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static void make_bpffs(struct lab *lab, int i)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/bpf%d", lab->dir, i);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mount("bpf", path, "bpf", 0, NULL), 0);
	lab->hosts[i].config.bpffs = strdup(path);
}

void lab_make(struct lab *lab, uint32_t max_mappings, uint32_t max_flows)
{
	*lab = (struct lab){};
	mount_for_us_alone();
	snprintf(lab->dir, sizeof(lab->dir), "/tmp/vd-bpf-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	assert_int_equal(netns_open_self(&lab->self), 0);
	for (int i = 0; i < LAB_HOSTS; i++) {
		make_host(lab, i, max_mappings, max_flows);
		make_bpffs(lab, i);
	}
	make_wire(lab);
}

void lab_start(struct lab *lab, enum format format)
{
	for (int i = 0; i < LAB_HOSTS; i++)
		lab_open(lab, i);
	lab_set_format(lab, format, false);
}

void lab_init(struct lab *lab, enum format format)
{
	lab_make(lab, LAB_TABLE_SIZE, LAB_TABLE_SIZE);
	lab_start(lab, format);
}

static void remove_node(struct lab *lab, int i)
{
	struct lab_node *n = &lab->nodes[i];
	struct rtnl *rtnl;
	char name[16];

	snprintf(name, sizeof(name), "node%d", i);
	lab_enter(lab, lab->hosts[n->host].netns);
	assert_int_equal(datapath_port_delete(lab->hosts[n->host].dp, n->port.id), 0);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_delete(rtnl, n->ifindex), 0);
	rtnl_close(rtnl);
	lab_enter(lab, -1);
	close(n->netns);
	assert_int_equal(netns_delete(lab->dir, name), 0);
	*n = (struct lab_node){};
}

struct mappings {
	size_t n;
	struct dp_mapping all[LAB_TABLE_SIZE];
};

static int note_mapping(const struct dp_mapping *m, void *arg)
{
	struct mappings *found = arg;

	assert_true(found->n < LAB_TABLE_SIZE);
	found->all[found->n++] = *m;
	return 0;
}

static void remove_mappings(struct datapath *dp)
{
	static struct mappings found;

	found.n = 0;
	assert_int_equal(datapath_mappings(dp, note_mapping, &found), 0);
	for (size_t i = 0; i < found.n; i++)
		assert_int_equal(datapath_mapping_delete(dp, found.all[i].vni, &found.all[i].addr),
				 0);
}

void lab_reset(struct lab *lab, enum format format)
{
	for (int i = 0; i < lab->n_nodes; i++)
		remove_node(lab, i);
	lab->n_nodes = 0;
	for (int i = 0; i < LAB_HOSTS; i++)
		remove_mappings(lab->hosts[i].dp);
	lab_set_format(lab, format, false);
}

void lab_deinit(struct lab *lab)
{
	lab_enter(lab, -1);
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct lab_host *h = &lab->hosts[i];

		lab_enter(lab, h->netns);
		datapath_close(h->dp);
		assert_int_equal(datapath_destroy(&h->config), 0);
		lab_enter(lab, -1);
		close(h->netns);
		assert_int_equal(netns_delete(lab->dir, h->name), 0);
		assert_int_equal(umount2(h->config.bpffs, MNT_DETACH), 0);
		free((char *)h->config.bpffs);
	}
	for (int i = 0; i < lab->n_nodes; i++) {
		char name[16];

		snprintf(name, sizeof(name), "node%d", i);
		close(lab->nodes[i].netns);
		assert_int_equal(netns_delete(lab->dir, name), 0);
	}
	if (lab->world) {
		close(lab->world);
		assert_int_equal(netns_delete(lab->dir, "world"), 0);
	}
	close(lab->self);
	assert_int_equal(file_remove_tree(lab->dir), 0);
}

struct prefix lab_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void set_up_world(struct lab *lab)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(lab, lab->world);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "eth0", &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	add_address(rtnl, link.ifindex, "198.51.100.1", 96 + 24);
	add_address(rtnl, link.ifindex, "203.0.113.1", 96 + 24);
	rtnl_close(rtnl);
	lab_enter(lab, -1);
}

static void set_up_uplink(struct lab *lab)
{
	struct lab_host *h = &lab->hosts[LAB_EDGE];
	struct rtnl_route route = {.dst = prefix_v4(0, 0), .gateway = lab_addr("198.51.100.1")};
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(lab, h->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "uplink", &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	add_address(rtnl, link.ifindex, "198.51.100.2", 96 + 24);
	assert_int_equal(rtnl_route_add(rtnl, &route), 0);
	rtnl_close(rtnl);
	lab_enter(lab, -1);
	h->config.uplink_ifindex = link.ifindex;
	lab->uplink_mac = link.mac;
}

static void make_world(struct lab *lab)
{
	struct rtnl_veth_end in = {.name = "eth0", .mtu = LAB_WIRE_MTU};
	struct rtnl_veth_end out = {
		.name = "uplink", .netns_fd = lab->hosts[LAB_EDGE].netns, .mtu = LAB_WIRE_MTU};
	struct rtnl *rtnl;

	lab->world = make_netns(lab, "world");
	in.netns_fd = lab->world;
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_veth_create(rtnl, &out, &in), 0);
	rtnl_close(rtnl);
	set_up_world(lab);
	set_up_uplink(lab);
}

void lab_init_edge(struct lab *lab, enum format format)
{
	lab_make(lab, LAB_TABLE_SIZE, LAB_TABLE_SIZE);
	make_world(lab);
	lab_start(lab, format);
}

void lab_table(struct lab *lab, uint32_t number, size_t n, const struct dp_route *routes)
{
	struct dp_table t = {.number = number, .n_routes = n, .routes = routes};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_table_set(lab->hosts[i].dp, &t), 0);
}

void lab_peering(struct lab *lab, uint32_t vni_a, uint32_t vni_b, bool on)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct datapath *dp = lab->hosts[i].dp;
		/* the order of the two is nothing to the data plane */
		int r = on ? datapath_peering_set(dp, vni_b, vni_a)
			   : datapath_peering_delete(dp, vni_a, vni_b);

		assert_true(!r || (!on && r == -ENOENT));
	}
}

static void set_subnet(struct lab *lab, uint32_t vni, const char *prefix, const char *router,
		       const char *resolver, uint32_t table)
{
	struct dp_subnet s = {
		.vni = vni,
		.table = table,
		.router = lab_addr(router),
		.router_mac = {{0x02, 0xff, 0, 0, 0, (uint8_t)lab_addr(router).b[14]}},
	};

	assert_int_equal(prefix_parse(prefix, &s.prefix), 0);
	if (resolver)
		s.resolver = lab_addr(resolver);
	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_subnet_set(lab->hosts[i].dp, &s), 0);
}

void lab_subnet(struct lab *lab, uint32_t vni, const char *prefix, const char *router,
		const char *resolver)
{
	set_subnet(lab, vni, prefix, router, resolver, 0);
}

void lab_subnet_with(struct lab *lab, uint32_t vni, const char *prefix, const char *router,
		     uint32_t table)
{
	set_subnet(lab, vni, prefix, router, NULL, table);
}

void lab_set_port(const struct lab *lab, int host, const struct dp_port *port)
{
	lab_enter(lab, lab->hosts[host].netns);
	assert_int_equal(datapath_port_set(lab->hosts[host].dp, port), 0);
	lab_enter(lab, -1);
}

/* What a node's kernel would say unasked, of link-local addresses and for routers, would be
 * counted among the test's packets. */
static void keep_quiet(int netns)
{
	assert_int_equal(sysctl_set(netns, "ipv6/conf/default/addr_gen_mode", "1"), 0); /* none */
	assert_int_equal(sysctl_set(netns, "ipv6/conf/default/router_solicitations", "0"), 0);
	assert_int_equal(sysctl_set(netns, "ipv6/conf/default/accept_dad", "0"), 0);
}

static void set_up_node(struct lab *lab, struct lab_node *n, const char *addr, const char *router)
{
	struct rtnl_route route = {.dst = prefix_v4(0, 0), .gateway = lab_addr(router)};
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(lab, n->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "eth0", &link), 0);
	add_address(rtnl, link.ifindex, addr, 96 + 24);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	assert_int_equal(rtnl_route_add(rtnl, &route), 0);
	rtnl_close(rtnl);
	lab_enter(lab, -1);
}

struct lab_node *lab_node(struct lab *lab, int host, uint32_t vni, const char *addr,
			  const char *router)
{
	struct lab_node *n = &lab->nodes[lab->n_nodes];
	char name[16], outer[16];
	struct rtnl_veth_end out = {
		.name = outer, .netns_fd = lab->hosts[host].netns, .mtu = LAB_NODE_MTU};
	struct rtnl_veth_end in = {.name = "eth0", .mtu = LAB_NODE_MTU};
	struct rtnl_link link;
	struct rtnl *rtnl;

	assert_true(lab->n_nodes < LAB_NODES);
	snprintf(name, sizeof(name), "node%d", lab->n_nodes);
	snprintf(outer, sizeof(outer), "n%d", lab->n_nodes);
	lab->n_nodes++;
	n->netns = make_netns(lab, name);
	keep_quiet(n->netns);
	n->host = host;
	n->port = (struct dp_port){.id = (uint32_t)lab->n_nodes,
				   .peer_redirect = true,
				   .vni = vni,
				   .mtu = LAB_NODE_MTU,
				   .n_addrs = 1};
	n->port.addrs[0] = lab_addr(addr);
	n->port.labels[0] = lab_label(host, vni, &n->port.addrs[0]);
	n->port.mac = (struct mac){{0x02, 0, 0, 0, 0, (uint8_t)lab->n_nodes}};
	in.netns_fd = n->netns;
	in.mac = &n->port.mac;
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_veth_create(rtnl, &out, &in), 0);
	rtnl_close(rtnl);
	lab_enter(lab, lab->hosts[host].netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, outer, &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	rtnl_close(rtnl);
	n->ifindex = n->port.ifindex = link.ifindex;
	assert_int_equal(datapath_port_set(lab->hosts[host].dp, &n->port), 0);
	set_up_node(lab, n, addr, router);
	return n;
}

void lab_map(struct lab *lab, uint32_t vni, const char *addr, int host, enum dp_mapping_state state)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct dp_mapping m = {.vni = vni,
				       .addr = lab_addr(addr),
				       .state = state,
				       .peer = i == host ? DP_PEER_SELF : (uint32_t)host + 1,
				       .revision = 1};

		m.label = lab_label(host, vni, &m.addr);
		assert_int_equal(datapath_mapping_set(lab->hosts[i].dp, &m), 0);
	}
}

uint64_t lab_drops(const struct lab *lab, int host, uint32_t port, uint32_t reason)
{
	uint64_t drops[DROP_REASON_MAX];

	assert_int_equal(datapath_drops(lab->hosts[host].dp, port, drops, DROP_REASON_MAX), 0);
	return drops[reason];
}

static const char *reason_text(uint32_t reason)
{
	switch (reason) {
#define DROP_REASON(number, name, event, text)                                                     \
	case number:                                                                               \
		return text;
#include "abi/drop_reasons.def"
#undef DROP_REASON
	default:
		return "?";
	}
}

static void explain_port(const struct lab *lab, int host, uint32_t port)
{
	uint64_t drops[DROP_REASON_MAX];

	if (datapath_drops(lab->hosts[host].dp, port, drops, DROP_REASON_MAX))
		return;
	for (uint32_t i = 0; i < DROP_REASON_MAX; i++)
		if (drops[i])
			print_message("host %d port %u: %lu dropped: %s\n", host + 1, port,
				      (unsigned long)drops[i], reason_text(i));
}

void lab_explain(const struct lab *lab)
{
	for (int host = 0; host < LAB_HOSTS; host++)
		explain_port(lab, host, 0);
	for (int i = 0; i < lab->n_nodes; i++)
		explain_port(lab, lab->nodes[i].host, lab->nodes[i].port.id);
}
