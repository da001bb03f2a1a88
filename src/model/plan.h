/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan: what each host has to have (abi/agent.proto, Desired), computed from the model.
 *
 * plan_full() gives all of one host.  plan_change() gives what a change makes different, on all
 * hosts it concerns; applied to what the hosts had it leaves what plan_full() says.  Its cost grows
 * with what is different (and for a host that comes, goes or changes its abilities with the number
 * of hosts), not with the number of interfaces.  Call it right after tx_end(), before the next
 * transaction.
 *
 * Items are handed to a sink one by one and borrowed for that call; texts are in the item.  Within
 * one change an item may be set and removed more than once: the last word counts.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/dhcp_options.h"
#include "model/id.h"
#include "model/names.h"
#include "model/pair.h"
#include "model/topology.h"
#include "model/traffic.h"
#include "net/addr.h"

struct change;
struct mirror_filter;
struct model;
struct nat_port;

enum plan_kind {
	PLAN_HOST,      /* the host itself; only ever set */
	PLAN_PEER,      /* key: number */
	PLAN_SUBNET,    /* key: vni, prefix */
	PLAN_INSTANCE,  /* key: id */
	PLAN_INTERFACE, /* key: id */
	PLAN_GROUP,     /* key: number; to hosts that have an interface in it */
	PLAN_ACL,       /* key: number; to hosts that carry a network where a subnet has it */
	PLAN_TABLE,     /* key: number */
	PLAN_GATEWAY,   /* key: handle; to edges */
	PLAN_PUBLIC,    /* key: the public address; to the edge that has it */
	PLAN_PEERING,   /* key: itself; to hosts that carry one of the two networks */
};
enum { PLAN_KINDS = PLAN_PEERING + 1 };

struct plan_host {
	uint32_t number;
	const char *name;
	struct locators locators;
	bool edge;
};

/* Another choice for some nodes of the two hosts: those of two networks, or those with two
 * addresses. */
struct plan_variant {
	uint32_t vni;       /* of the end that is here */
	struct ipaddr addr; /* zero: all of the network */
	uint32_t peer_vni;
	struct ipaddr peer_addr;
	const struct choice *choice;
};

struct plan_peer {
	uint32_t number;
	const char *name;
	struct locators locators;
	struct choice choice;
	bool edge;
	bool foreign; /* a VXLAN endpoint without an agent */
	size_t n_variants;
	const struct plan_variant *variants; /* borrowed for the call of the sink */
};

/* A subnet with IPv6 is two of these, one for each block.  A network with IPv6 has one more for the
 * link-local prefix, by which its router is found; their router is the router's link-local
 * address. */
struct plan_subnet {
	uint32_t vni;
	struct prefix prefix;
	struct ipaddr router;
	struct mac router_mac;
	struct ipaddr resolver;
	struct prefix network;
	char domain[NAMES_SIZE];
	uint32_t acl;   /* number; 0: none */
	uint32_t table; /* number; 0: none */
	bool preloaded; /* the network is: model/preload.h */
};

struct plan_instance {
	char id[ID_TEXT_SIZE];
	const char *driver;
	bool running;
	uint64_t generation;
	char name[NAMES_SIZE]; /* "ip-10-0-0-4" */
};

enum { PLAN_ADDRS_MAX = 2 * LIMIT_MODEL_INTERFACE_ADDRS + 1 };

/* A public address of one of an interface's addresses. */
struct plan_exit {
	struct ipaddr addr;
	struct ipaddr public;
	uint32_t peer;   /* number of the edge that has it; 0: none now */
	uint32_t handle; /* of the internet gateway */
};

/* A traffic mirror session. */
struct plan_mirror {
	uint32_t number;
	uint32_t vni;
	uint32_t length; /* 0: all */
	struct ipaddr target;
	const struct mirror_filter *filter; /* borrowed */
};

struct plan_interface {
	char id[ID_TEXT_SIZE];
	char instance_id[ID_TEXT_SIZE]; /* or the gateway's */
	uint32_t device_index;
	uint32_t vni;
	struct mac mac;
	uint32_t mtu;
	size_t n_addrs;
	/* private addresses of both families, the primary first, then the link-local IPv6 address
	 * of the MAC */
	struct ipaddr addrs[PLAN_ADDRS_MAX];
	uint32_t labels[PLAN_ADDRS_MAX]; /* what stands for each (model/label.h); 0: nothing */
	struct prefix subnet;
	char host_name[NAMES_SIZE];
	bool dns;
	size_t n_groups;
	uint32_t groups[LIMIT_MODEL_INTERFACE_GROUPS]; /* numbers, ascending */
	size_t n_dns;                                  /* 0: the network's resolver */
	struct ipaddr dns_servers[DHCP_SERVERS_MAX];
	const char *domain_name; /* NULL: the subnet's */
	size_t n_ntp;
	struct ipaddr ntp_servers[DHCP_SERVERS_MAX];
	size_t n_routes;
	const struct interface_route *routes; /* of the interface: borrowed */
	bool disabled;
	/* other hosts may have it as well: whether packets are for it here depends */
	bool shared;
	bool resolves;   /* unknown MACs (model/unknown_mac.h) */
	bool standby;    /* its node has it, and nothing passes (model/interface_transfer.h) */
	uint32_t vlan;   /* of its node's frames; 0: none */
	bool forwards;   /* source/destination check is off */
	uint32_t handle; /* 0: no route names it */
	/* handle of the private NAT gateway whose it is; 0: it is an instance's */
	uint32_t gateway;
	bool logged; /* some flow log is about it */
	size_t n_mirrors;
	struct plan_mirror mirrors[LIMIT_MODEL_MIRROR_SESSIONS]; /* by number */
	size_t n_exits;
	struct plan_exit exits[LIMIT_MODEL_INTERFACE_ADDRS];
};

/* A rule or an entry, as hosts compare it. */
struct plan_rule {
	bool egress;
	bool allow;
	struct traffic traffic;
	struct prefix prefix; /* the other end, */
	uint32_t group;       /* or, when not 0, the group that it is in */
	uint32_t number;      /* of an ACL's entry, for people */
	uint64_t rule;        /* id of the group's rule, not for hosts */
};

struct plan_group {
	uint32_t number;
	char id[ID_TEXT_SIZE];
	size_t n_rules;
	const struct plan_rule *rules;
};

struct plan_acl {
	uint32_t number;
	char id[ID_TEXT_SIZE];
	size_t n_entries;
	const struct plan_rule *entries; /* in the order of evaluation */
};

/* As abi/agent.proto, Route. */
enum plan_target {
	PLAN_TARGET_BLACKHOLE,
	PLAN_TARGET_INTERNET,
	PLAN_TARGET_GATEWAY,
	PLAN_TARGET_NETWORK,
	PLAN_TARGET_INTERFACE,
	PLAN_TARGET_LOCAL, /* addresses of the network: where they are; in no subnet, nowhere */
};

struct plan_route {
	struct prefix prefix;
	enum plan_target target;
	uint32_t peer;
	uint32_t vni;
};

struct plan_table {
	uint32_t number;
	bool inside; /* routes lead elsewhere with addresses of the network */
	char id[ID_TEXT_SIZE];
	size_t n_routes;
	const struct plan_route *routes; /* borrowed for the call of the sink */
};

enum plan_gateway_kind {
	PLAN_GATEWAY_INTERNET,
	PLAN_GATEWAY_NAT,
	PLAN_GATEWAY_EGRESS_ONLY,
	PLAN_GATEWAY_PRIVATE,
};

struct plan_gateway {
	uint32_t handle;
	enum plan_gateway_kind kind;
	char id[ID_TEXT_SIZE];
	uint32_t vni;
	/* INTERNET: number of its own route table, of what enters; 0: none */
	uint32_t table;
	struct ipaddr public;           /* NAT; PRIVATE: its private address; zero otherwise */
	uint32_t port_first, port_last; /* NAT, PRIVATE */
	size_t n_ports;
	const struct nat_port *ports; /* NAT: connections begun outside that are let in */
};

struct plan_public {
	struct ipaddr public;
	uint32_t vni;
	struct ipaddr addr;
	uint32_t handle; /* of the internet gateway */
	char id[ID_TEXT_SIZE];
	size_t n_formers;
	struct ipaddr formers[LIMIT_MODEL_DRAINS]; /* that had it: model/drain.h */
};

struct plan_peering {
	uint32_t vni_a, vni_b; /* vni_a < vni_b */
};

struct plan_item {
	enum plan_kind kind;
	bool remove; /* then only the key is filled in */
	union {
		struct plan_host host;
		struct plan_peer peer;
		struct plan_subnet subnet;
		struct plan_instance instance;
		struct plan_interface interface;
		struct plan_group group;
		struct plan_acl acl;
		struct plan_table table;
		struct plan_gateway gateway;
		struct plan_public public;
		struct plan_peering peering;
	};
};

/* 'host': the number of the host that the item is for.  0, or a negative errno that ends the
 * plan. */
typedef int (*plan_sink_fn)(void *data, uint32_t host, const struct plan_item *item);

/* A NAT gateway as its edge is told of it. */
struct nat_gateway;
void plan_nat_gateway_item(const struct nat_gateway *g, struct plan_item *ret);

/* 0, -ENOENT for an unknown host, or what the sink returned. */
must_check int plan_full(const struct model *m, uint32_t host, plan_sink_fn sink, void *data);
must_check int plan_change(const struct model *m, const struct change *c, plan_sink_fn sink,
			   void *data);
/* Mappings that a change moved, made or ended: calls 'fn' with what is now so (host 0: gone), for
 * Updates to holders.  'revision' is the change's. */
struct mapping;
void plan_mappings(const struct model *m, const struct change *c,
		   void (*fn)(void *data, const struct mapping *now), void *data);
