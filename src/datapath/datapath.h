/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane of one host, as the agent sees it: a contract with two back-ends, 'bpf' (the real
 * programs) and 'fake' (tables in memory, for tests without a kernel: datapath/fake.h).
 *
 * Concept.  A *port* is a node's interface on this host.  A *subnet* says which addresses a network
 * has and where its router answers.  A *peer* is a host, this one included (PEER_SELF); a *mapping*
 * says at which peer a virtual address lives.  A *next hop* is where packets for a peer leave this
 * host.  The agent sets these as whole records; setting one that exists replaces it atomically.
 *
 * Packets that the programs cannot finish alone come up as *upcalls* with the packet whole (GSO
 * included); the agent answers them by changing tables and injecting the packet again, or drops it.
 *
 * Ownership: arguments are borrowed for the call.  Threading: one thread, the agent's loop.
 * Errors: 0 or a negative errno; -ENOSPC when a table is full, -ENOENT when the record is absent.
 * Everything set outlives the process: datapath_close() leaves the programs carrying packets, and
 * a later datapath_open() of the same name adopts them with their tables (the iterators then show
 * what is there, for the agent to reconcile).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/format.h"
#include "net/addr.h"

struct datapath;

enum {
	DP_PEER_SELF = 0,      /* the peer id of this host */
	DP_PORT_ADDRS_MAX = 64, /* addresses of one port: EC2's most per interface is 50 */
};

struct dp_config {
	const char *name;       /* of this host's folder in bpffs and of its devices; [a-z0-9-]{1,11} */
	const char *bpffs;      /* where bpffs is mounted, "/sys/fs/bpf" by default */
	int substrate_ifindex;  /* the interface to the wire, in this network namespace */
	struct prefix siit1;    /* this host's /64 of layout siit/1; len 0: has none */
	struct prefix siit2;    /* this host's /56 of layout siit/2; len 0: has none */
	struct ipaddr v4;       /* this host's IPv4 substrate address; zero: has none */
	struct ipaddr v6;       /* this host's ordinary IPv6 substrate address; zero: has none */
	uint16_t vxlan_port;    /* UDP port of vxlan/1, 4789 by default */
	uint32_t max_mappings;  /* sizes of the tables, fixed while pinned */
	uint32_t max_flows;     /* per processor and direction; rounded down to a power of two */
};

/* What this kernel can carry, found out by doing it (NEG-1).  Reported to the manager as it is. */
struct dp_capabilities {
	uint32_t formats;       /* FORMAT_BIT(): those whose probe packet came through exactly */
	bool tcx;               /* else clsact */
	bool tap_uso;           /* the upcall device keeps UDP GSO whole */
	uint32_t substrate_mtu; /* of the substrate interface */
	char kernel[65];        /* uname -r */
	char refused[256];      /* why a format is missing, for people; "" when none is */
};

/* A node's interface. */
struct dp_port {
	uint32_t id;            /* chosen by the agent, 1..; never re-used while packets may be held */
	int ifindex;            /* the host's end */
	bool peer_redirect;     /* a veth whose other end is the node: bpf_redirect_peer may be used */
	uint32_t vni;
	struct mac mac;         /* the node's */
	uint16_t mtu;           /* the largest IPv4 packet the node is told to send */
	uint32_t n_addrs;
	struct ipaddr addrs[DP_PORT_ADDRS_MAX]; /* IPv4 and IPv6 it may send from and receives for */
};

struct dp_subnet {
	uint32_t vni;
	struct prefix prefix;
	struct ipaddr router;   /* the logical router's address inside 'prefix' */
	struct ipaddr resolver; /* the network's DNS address, in whatever subnet; zero: none */
	struct mac router_mac;
};

struct dp_peer {
	uint32_t id;            /* the manager's host number; DP_PEER_SELF for this host */
	struct prefix siit1, siit2;
	struct ipaddr v4, v6;   /* its substrate addresses (zero: none); vxlan goes to v6 if set and chosen, else v4 */
	enum format send;       /* chosen for packets to it; FORMAT_NONE: nothing may be sent */
	uint32_t accept;        /* FORMAT_BIT()s that it may use towards this host */
	bool vxlan_over_v6;
	uint16_t path_mtu;      /* of the substrate between the two, bytes of IP */
	uint32_t nexthop;       /* id of a dp_nexthop, 0: none yet */
};

/* Where packets leave.  Either resolved (MACs known), or 'resolved' false and the kernel finds the
 * neighbour of 'gateway' by itself while the agent keeps asking. */
struct dp_nexthop {
	uint32_t id;            /* 1.. */
	int ifindex;
	bool resolved;
	struct ipaddr gateway;
	struct mac source, destination;
	uint16_t mtu;
};

enum dp_mapping_state {
	DP_MAPPING_LIVE,   /* packets go to 'peer' */
	DP_MAPPING_HELD,   /* known, but packets queue behind those being re-injected: they still come up */
	DP_MAPPING_REFUSED, /* asked for and refused: no such address, or not allowed to know */
	DP_MAPPING_GONE,   /* was here or there and is not any more: senders hear "host unreachable" */
};

struct dp_mapping {
	uint32_t vni;
	struct ipaddr addr;
	enum dp_mapping_state state;
	uint32_t peer;
	uint64_t revision;      /* of the manager, for explaining */
};

enum dp_upcall_kind {
	DP_UPCALL_RESOLVE,  /* port -> unknown destination: 'port', 'vni', 'dst' */
	DP_UPCALL_ARP,      /* port asks for the MAC of an address whose mapping is unknown: 'port', 'vni', 'dst' */
	DP_UPCALL_VERIFY,   /* arrived from the substrate from a source that is unknown here: 'vni', 'src', 'dst' */
	DP_UPCALL_DHCP,     /* a node's DHCP request: 'port'; the frame as sent */
	DP_UPCALL_DNS,      /* a node's DNS query to its network's resolver: 'port'; the frame as sent */
	DP_UPCALL_ICMP6,    /* an ICMPv6 error of the substrate that the programs could not place */
};

/* A packet that came up.  Owned by the agent until datapath_upcall_free(). */
struct dp_upcall {
	enum dp_upcall_kind kind;
	uint32_t port;          /* 0: from the substrate */
	uint32_t vni;
	struct ipaddr src, dst; /* virtual addresses */
	size_t size;            /* of 'frame', without the vnet header */
	uint8_t *frame;         /* Ethernet frame; its MACs are the programs' notes, not the node's, but for DHCP and ARP bodies */
	struct datapath *dp;
};

/* A sampled drop (PKT-15), at most DP_EVENTS_PER_SECOND of them. */
struct dp_drop_event {
	uint32_t reason;        /* enum drop_reason, abi/drop_reasons.def */
	uint32_t port;          /* 0: the substrate side */
	uint32_t vni;
	struct ipaddr src, dst;
	uint64_t revision;      /* of the configuration that decided */
};

struct dp_port_counters {
	uint64_t tx_packets, tx_bytes; /* from the node */
	uint64_t rx_packets, rx_bytes; /* to the node */
};

/* Tries what this host can do, on devices of its own that are gone when it returns. */
int datapath_probe(const struct dp_config *config, struct dp_capabilities *ret);

/* Opens or adopts.  '*ret_adopted' says whether tables were found from before.
 * -EINVAL: 'config' contradicts what is pinned (another layout or size): datapath_destroy() first. */
int datapath_open(const struct dp_config *config, struct datapath **ret, bool *ret_adopted);
struct datapath *datapath_close(struct datapath *dp);  /* leaves everything running; returns NULL */
int datapath_destroy(const struct dp_config *config);  /* detaches, unpins, deletes the devices */

int datapath_port_set(struct datapath *dp, const struct dp_port *port);
int datapath_port_delete(struct datapath *dp, uint32_t id);
int datapath_subnet_set(struct datapath *dp, const struct dp_subnet *subnet);
int datapath_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix);
int datapath_peer_set(struct datapath *dp, const struct dp_peer *peer);
int datapath_peer_delete(struct datapath *dp, uint32_t id);
int datapath_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop);
int datapath_nexthop_delete(struct datapath *dp, uint32_t id);
int datapath_mapping_set(struct datapath *dp, const struct dp_mapping *mapping);
int datapath_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr);

/* Iterators: 'fn' may not change the table; a non-zero return ends the walk and is returned. */
int datapath_ports(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg);
int datapath_subnets(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg);
int datapath_peers(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg);
int datapath_mappings(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *), void *arg);

int datapath_upcall_fd(const struct datapath *dp); /* readable when an upcall waits */
int datapath_upcall_read(struct datapath *dp, struct dp_upcall **ret); /* -EAGAIN: none */
struct dp_upcall *datapath_upcall_free(struct dp_upcall *upcall);
/* Sends the packet through the programs once more, as though it had just come from where it came
 * from, HELD mappings counting as LIVE.  'upcall' stays the caller's. */
int datapath_reinject(struct datapath *dp, const struct dp_upcall *upcall);
/* Delivers an Ethernet frame made by the agent (a DHCP or DNS or ARP answer) to a port's node. */
int datapath_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size);

int datapath_event_fd(const struct datapath *dp);
int datapath_event_read(struct datapath *dp, struct dp_drop_event *ret); /* -EAGAIN: none */
/* Drops of 'port' (0: of the host's substrate side) by reason; 'ret' has 'n' places, by reason number. */
int datapath_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n);
int datapath_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret);
