/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts with the real data plane in network namespaces, and nodes on them:
 *
 *	node --- host 1 (fd00:1::1, 192.0.2.1) ===wire=== host 2 (fd00:1::2, 192.0.2.2) --- node
 *
 * Needs root.  Everything is gone after lab_deinit(): namespaces, devices, pins and the bpffs.
 * Functions fail the test (cmocka) instead of returning errors.
 */
#pragma once

#include <net/if.h>

#include "datapath/datapath.h"

enum {
	LAB_HOSTS = 2, /* numbers 1 and 2, index 0 and 1 */
	LAB_NODES = 6,
	LAB_VNI = 7,
	LAB_EDGE = 1,          /* the host that lab_init_edge() makes an edge */
	LAB_TABLE_SIZE = 1024, /* mappings and flows, but for lab_make() */
	LAB_WIRE_MTU = 1500,
	LAB_NODE_MTU = 1430, /* leaves room for every format over this wire */
};

struct lab_host {
	int netns;
	struct datapath *dp;
	struct dp_config config;
	struct mac wire_mac;
	char name[12];
};

struct lab_node {
	int netns;
	int host;    /* index */
	int ifindex; /* of the host's end */
	struct dp_port port;
};

struct lab {
	char dir[64];
	int self; /* the namespace of the test */
	struct lab_host hosts[LAB_HOSTS];
	struct lab_node nodes[LAB_NODES];
	int n_nodes;
	int world; /* its namespace, with lab_init_edge() */
	struct mac uplink_mac;
};

/* Sends in 'format' both ways; accepts it and ipip6. */
void lab_init(struct lab *lab, enum format format);
/* The same with host 2 as an edge: its uplink (198.51.100.2/24) leads to a namespace that is the
 * world, with 198.51.100.1 and 203.0.113.1/24. */
void lab_init_edge(struct lab *lab, enum format format);
/* Both in two steps, for what comes between them: namespaces and wire, with tables for so many
 * mappings and flows; then the programs, whose loading is what takes time. */
void lab_make(struct lab *lab, uint32_t max_mappings, uint32_t max_flows);
void lab_start(struct lab *lab, enum format format);
/* Without nodes and mappings again, in 'format'; subnets stay. */
void lab_reset(struct lab *lab, enum format format);
void lab_deinit(struct lab *lab);
/* Chooses another format for both directions. */
void lab_set_format(struct lab *lab, enum format format, bool vxlan_over_v6);
/* Whether the kernel has given the host a device for geneve. */
bool lab_has_geneve(const struct lab *lab, int host);
void lab_open(struct lab *lab, int host); /* the data plane of 'host', again */
/* 10.'subnet'.0.0/24 style subnets of network 'vni' on both hosts: 'prefix' and its router. */
void lab_subnet(struct lab *lab, uint32_t vni, const char *prefix, const char *router,
		const char *resolver);
void lab_subnet_with(struct lab *lab, uint32_t vni, const char *prefix, const char *router,
		     uint32_t table);
/* A table of routes on both hosts. */
void lab_table(struct lab *lab, uint32_t number, size_t n, const struct dp_route *routes);
/* Both hosts may let the two networks talk, or not. */
void lab_peering(struct lab *lab, uint32_t vni_a, uint32_t vni_b, bool on);
struct prefix lab_prefix(const char *text);
/* A node with 'addr', reached by a veth; its default route is 'router'. */
struct lab_node *lab_node(struct lab *lab, int host, uint32_t vni, const char *addr,
			  const char *router);
void lab_set_port(const struct lab *lab, int host,
		  const struct dp_port *port); /* in its namespace */
/* What stands for an address at a host (reip4), from lab_node() and lab_map() on; 0: an IPv6
 * address. */
uint32_t lab_label(int host, uint32_t vni, const struct ipaddr *addr);
/* Both hosts know where 'addr' lives; 'host' is an index. */
void lab_map(struct lab *lab, uint32_t vni, const char *addr, int host,
	     enum dp_mapping_state state);
void lab_enter(const struct lab *lab, int netns); /* -1: the test's own */
struct ipaddr lab_addr(const char *text);
/* Drops of 'reason' at 'port' (0: the substrate side) of a host. */
uint64_t lab_drops(const struct lab *lab, int host, uint32_t port, uint32_t reason);
/* Prints what was dropped where: for a test that is about to fail. */
void lab_explain(const struct lab *lab);
