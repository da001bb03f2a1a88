/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Tables of the ways out of a network: routes, peerings and handles on every host; public addresses
 * and translation on an edge.  The rules of abi/maps.h hold here too.  Addresses with '__be32' are
 * IPv4; ports are in network order.
 *
 * Who writes: routes, peerings, handles, publics, formers and statics the agent; bindings, sessions
 * and fragments the programs (and the agent a binding for each static port).
 *
 * Translation.  A NAT gateway gives each (protocol, address, port) inside a port of its own outside
 * (RFC 4787 REQ-1, endpoint-independent mapping): its *binding*.  A *session* is a binding and one
 * address and port of the world; only what belongs to a session comes in (REQ-8, address and
 * port-dependent filtering).  An internet gateway translates addresses alone; its sessions remember
 * which node a connection was begun with, for when the public address moves (EDGE-2): the node that
 * had it keeps those connections while it is among the address's *formers*.
 *
 * Each gateway has tables of its own for them, found by its row: one customer's sessions push out
 * no other's.  Nothing is collected: what has expired counts as absent, and the oldest makes room.
 *
 * What enters by an internet gateway that has a route table is looked up in it by the node's
 * address.  A route of target DP_WAY_INTERFACE leads it to that handle: it is sent as it would be
 * to the node, with the world's address as source under the network's VNI, but with the handle as
 * the destination's VNI.  A host takes such a source for a port's handle from edges alone, as it
 * does for a node (bpf/lib/ingress.h).  What the port's node then forwards is its own, under its
 * handle.
 */
#pragma once

#include <linux/types.h>

enum {
	DP_TABLES_MAX = 16384,
	DP_ROUTES_MAX = 262144,
	DP_PEERINGS_MAX = 16384,
	DP_HANDLES_MAX = 8192,
	DP_GATEWAYS_MAX = 1024, /* rows */
	DP_PUBLICS_MAX = 65536,
	DP_STATICS_MAX = 65536,
	DP_FORMERS_MAX = 4, /* of one public address */
	DP_NETWORKS6_MAX = 65536,
	DP_FRAGMENTS_MAX = 4096,
	DP_NAT_PROTOCOLS = 3, /* TCP, UDP, ICMP echo */
	DP_NAT_PROBES = 256,  /* ports looked at before a gateway has none left */
};

/* Seconds without a packet.  TCP: RFC 5382 REQ-5 and RFC 7857 2.1; UDP: RFC 4787 REQ-5; ICMP: RFC
 * 5508 REQ-2.  A NAT gateway ends what was answered when EC2's does, which for TCP is sooner than
 * the RFC asks; the node is told by a reset when it goes on (bpf/lib/edge_reset.h). */
enum {
	DP_TIMEOUT_NAT = 350,
	DP_TIMEOUT_TCP_ESTABLISHED = 7440,
	DP_TIMEOUT_TCP_OPENING = 240,
	DP_TIMEOUT_TCP_CLOSING = 120,
	DP_TIMEOUT_TCP_RESET = 10,
	DP_TIMEOUT_UDP_ANSWERED = 300,
	DP_TIMEOUT_UDP = 120,
	DP_TIMEOUT_ICMP = 60,
	DP_TIMEOUT_OTHER = 600,
	DP_TIMEOUT_FRAGMENT = 30, /* as DP_PASSED_TICKS */
	DP_TIMEOUT_FORMER = 30,   /* unanswered by a node that had the address: it may be dead */
};

/* ---- routes: LPM; tables: hash number (__u32) -> instance (__u32), and DP_INSTANCE_INSIDE ---- */

/* A table is written under a new instance and then switched to: a packet sees the old or the
 * new. */
enum {
	/* Routes of the table lead elsewhere with addresses of its own network: what goes from
	 * subnet to subnet is looked up, too.  Twice the instance is what keys have, so who does
	 * not know the bit finds the rows. */
	DP_INSTANCE_INSIDE = (int)(1U << 31),
};
struct dp_route_key {
	__u32 len;       /* 32 + prefix length in the 128-bit space */
	__be32 instance; /* times 2, and 1 for IPv4: a default route is of one family */
	__u8 addr[16];
};

struct dp_route_value {
	__u32 target; /* enum dp_target of src/datapath/datapath.h, below for the programs */
	__u32 peer;
	/* INTERNET, IPv4: the gateway's handle, for what a node forwards, without 'peer' */
	__u32 vni;
};

enum {
	DP_WAY_BLACKHOLE = 0,
	DP_WAY_INTERNET = 1,
	DP_WAY_GATEWAY = 2,
	DP_WAY_NETWORK = 3,
	DP_WAY_INTERFACE = 4,
	DP_WAY_LOCAL = 5, /* the network's own addresses: where they are; in no subnet, nowhere */
};

/*
 * ---- exits of others: mappings (abi/maps.h) ----
 *
 * What a node forwards to an internet gateway leaves by the edge that has the public address of its
 * source, wherever that lives.  Which edge that is, is a mapping like others: in the network, of
 * the address ::ffff:0:a.b.c.d for the source a.b.c.d (the IPv4-translated form of RFC 2765 2.1,
 * which is no network's); its peer is the edge.
 */
static inline __attribute__((always_inline, unused)) void dp_exit_address(__u8 ret[16], __be32 addr)
{
	__builtin_memset(ret, 0, 12);
	ret[8] = ret[9] = 0xff;
	__builtin_memcpy(ret + 12, &addr, 4);
}

/* Is it one?  Then '*ret' is the source's. */
static inline __attribute__((always_inline, unused)) int dp_exit_read(const __u8 addr[16],
								      __be32 *ret)
{
	const __u8 prefix[12] = {[8] = 0xff, 0xff};

	if (__builtin_memcmp(addr, prefix, 12))
		return 0;
	__builtin_memcpy(ret, addr + 12, 4);
	return 1;
}

/* ---- peerings: hash -> __u32 1 ---- */

struct dp_peering_key {
	__u32 vni_a, vni_b; /* a < b */
};

/* ---- handles: hash VNI (__u32) -> what it means on this host ---- */

enum dp_handle_kind {
	DP_HANDLE_PORT = 1,
	DP_HANDLE_INTERNET = 2,
	DP_HANDLE_NAT = 3,
	DP_HANDLE_EGRESS_ONLY = 4,
	DP_HANDLE_PRIVATE = 5, /* of tables alone: packets come to the handle of its port */
};

struct dp_handle_value {
	__u32 kind;
	__u32 vni;
	__u32 row; /* a port's slot; a gateway's row */
	union {
		__be32 public; /* NAT; PRIVATE: the address that its port has */
		__u32 table;   /* INTERNET: its own route table, of what enters; 0: none */
	};
	__u16 port_first, port_last; /* NAT, PRIVATE; host order */
};

/* ---- publics: hash address (__be32) -> who has it; publics_of: hash dp_mapping_v4_key -> it; of a
 * private NAT gateway's own address the gateway; of DP_WORLD_* the network's gateway of that kind,
 * if it is on this edge ---- */

/* No node's addresses. */
#define DP_WORLD_INTERNET    0U
#define DP_WORLD_EGRESS_ONLY 1U /* as it lies in memory */

struct dp_public_value {
	__u32 kind; /* DP_HANDLE_INTERNET or DP_HANDLE_NAT */
	__u32 handle;
	__u32 vni;
	__be32 addr; /* INTERNET: the private one */
};

struct dp_public_of_value {
	__be32 public;
	__u32 handle;
};

/* ---- formers: hash public address (__be32) -> who had it and keeps his connections, or 0 ---- */

struct dp_formers_value {
	__be32 addr[DP_FORMERS_MAX];
};

/* ---- statics: hash -> the port outside (__be16 in a __u32) ---- */

struct dp_inside_key {
	__u32 handle;
	__be32 addr;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};

/* ---- fragments: LRU hash; the first fragment of a packet has passed a NAT gateway ---- */

struct dp_fragment_key {
	__u32 handle;
	__be32 here, there; /* as the packet has them */
	__be16 id;
	__u8 protocol;
	__u8 out;
};

struct dp_fragment_value {
	__be32 addr; /* what takes the place of 'here' */
	__u32 seen;  /* in seconds of the monotonic clock */
};

/* ---- by row: bindings (array), inside (LRU hash), sessions (LRU hash) ---- */

enum {
	DP_BINDING_USED = 1 << 0,
	DP_BINDING_STATIC = 1 << 1,             /* never expires */
	DP_BINDINGS = DP_NAT_PROTOCOLS * 65536, /* protocol * 65536 + port outside in host order */
};

/* 'owner' changes as one word: whoever exchanges it has the port. */
struct dp_binding {
	__u64 owner;   /* flags << 48 | port << 32 | address, as they lie in the packet */
	__u32 expires; /* in seconds of the monotonic clock */
	__u32 shared;  /* more than one session may need it: it outlives the end of any */
};

/* inside: dp_inside_key (with handle 0) -> the port outside (__be16 in a __u32), a hint: the
 * binding says whose it is. */

enum {
	DP_SESSION_OUTSIDE = 0,      /* 'here' is the public end */
	DP_SESSION_INSIDE = 1,       /* 'here' is the node's: of internet gateways */
	DP_SESSION_SEEN_IN = 1 << 0, /* state: a packet came in, ... */
	DP_SESSION_FIN_IN = 1 << 1,
	DP_SESSION_FIN_OUT = 1 << 2,
	DP_SESSION_RESET = 1 << 3,
};

struct dp_session_key {
	__be32 here, there;
	__be16 here_port, there_port; /* ICMP echo: the identifier, 0 */
	__u8 protocol;
	__u8 side;
	__u8 pad[2];
};

struct dp_session_value {
	__be32 addr; /* OUTSIDE: the node's; INSIDE: the public one */
	__be16 port;
	__u8 state;
	__u8 pad;
	__u32 expires;
};

/* sessions6 (LRU hash, of egress-only gateways) -> dp_session_value, of which 'addr' and 'port' are
 * not used. */
struct dp_session6_key {
	__u8 node[16], world[16];
	__be16 node_port, world_port; /* ICMPv6: the identifier, 0 */
	__u8 protocol;
	__u8 pad[3];
};

/* ---- networks6: LPM -> VNI (__u32); of an edge: which network has an address of the world ---- */

struct dp_network6_key {
	__u32 len;
	__u8 addr[16];
};

/* ---- gateway_counters: per-CPU array by row ---- */

struct dp_gateway_counters_value {
	__u64 out_packets, out_bytes, in_packets, in_bytes;
	__u64 no_port;     /* refused: NAT_PORTS */
	__u64 unsolicited; /* refused: UNSOLICITED */
};

/*
 * ---- flows_edge: per-CPU array, not pinned; what was decided for a flow in this second ----
 *
 * The place is the hash of the key: one flow pushes another out.
 */

struct dp_flow_edge_key {
	__be32 src, dst; /* as the packet comes */
	__be16 source, destination;
	__u8 protocol;
	__u8 pad[3];
	__u32 handle; /* of the gateway, from inside; 0: from the world */
} __attribute__((aligned(8)));

struct dp_flow_edge {
	struct dp_flow_edge_key key;
	__u32 epoch;  /* of struct dp_host_value */
	__u32 second; /* of the monotonic clock */
	__u32 jiffy;  /* in which that was seen to be so */
	__be32 addr;  /* in place of what is inside, or was public */
	__be16 port;
	__u16 mtu; /* from inside: the uplink's */
	__u32 row; /* of the gateway */
	__u32 vni; /* from the world: the node's network, or the handle that is before it */
	__u32 pad;
} __attribute__((aligned(8)));

#define DP_GATEWAY_LAYOUT(type, size) _Static_assert(sizeof(type) == (size), #type)
DP_GATEWAY_LAYOUT(struct dp_route_key, 24);
DP_GATEWAY_LAYOUT(struct dp_route_value, 12);
DP_GATEWAY_LAYOUT(struct dp_peering_key, 8);
DP_GATEWAY_LAYOUT(struct dp_handle_value, 20);
DP_GATEWAY_LAYOUT(struct dp_public_value, 16);
DP_GATEWAY_LAYOUT(struct dp_public_of_value, 8);
DP_GATEWAY_LAYOUT(struct dp_formers_value, 16);
DP_GATEWAY_LAYOUT(struct dp_inside_key, 12);
DP_GATEWAY_LAYOUT(struct dp_fragment_key, 16);
DP_GATEWAY_LAYOUT(struct dp_fragment_value, 8);
DP_GATEWAY_LAYOUT(struct dp_binding, 16);
DP_GATEWAY_LAYOUT(struct dp_session_key, 16);
DP_GATEWAY_LAYOUT(struct dp_session_value, 12);
DP_GATEWAY_LAYOUT(struct dp_session6_key, 40);
DP_GATEWAY_LAYOUT(struct dp_network6_key, 20);
DP_GATEWAY_LAYOUT(struct dp_gateway_counters_value, 48);
DP_GATEWAY_LAYOUT(struct dp_flow_edge_key, 24);
DP_GATEWAY_LAYOUT(struct dp_flow_edge, 56);
