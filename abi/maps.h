/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The tables between the programs (bpf/) and the data plane provider (src/datapath/): keys, values,
 * load-time configuration, notes on upcalls, events.  Fixed-width, no padding that is not named,
 * layouts asserted below by both compilers.  Pinned tables outlive the programs and the agent: a
 * change of layout is a new number in abi/tables.def.  Flows are not pinned: new programs begin
 * with none.
 *
 * Who writes: all but flows, connections, passed, counters, budgets, notices and events are written
 * by the agent alone.
 *
 * Twin records.  Ports, peers and next hops are arrays in shared memory.  The agent fills the copy
 * that is not current and then switches 'current': a program sees the old record or the new one.
 *
 * Generations.  A cached flow is valid while two counters are what they were when the full path was
 * begun: the epoch, which grows when a port, peer or subnet changes (seldom: instances come and go,
 * hosts join), and that of its mapping's bucket (often).  Two and not one for each record, because
 * every counter looked at is a cache line of the packet's time.  The writer changes a table first
 * and the counter afterwards; the full path reads the counter first and the table afterwards: an
 * entry made from old contents never validates.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include "abi/seal.h"

enum {
	/* Grows with each release in which the layout of a table has changed.  Up to 5 there was no
	 * more to say which layouts these are: those of 5 are all 1, and those of before nobody
	 * knows any more. */
	DP_ABI_VERSION = 6,
	DP_ABI_LAYOUTS = 5,     /* from here on abi/tables.def says it */
	DP_SLOTS_MAX = 1024,    /* ports of a host; slot 0 is the host's substrate side */
	DP_PEERS_MAX = 16384,   /* host numbers below this */
	DP_NEXTHOPS_MAX = 1024, /* ids below this */
	DP_NEXTHOPS_OF_PEERS = DP_NEXTHOPS_MAX, /* and a peer's number: its own */
	DP_BUCKETS = 65536,                     /* generation counters of mappings */
	DP_SUBNETS_MAX = 65536,
	DP_LOCALS_MAX = 131072, /* addresses of all ports: more than DP_SLOTS_MAX * 104 */
	/* other choices for some nodes of a peer: rows behind those of peers */
	DP_VARIANTS_MAX = 4096,
	DP_VARIANT_KEYS_MAX = 65536,
	DP_LOCATORS_MAX = 65536,   /* four for each of DP_PEERS_MAX */
	DP_LABELS_MAX = 327680,    /* of mappings, and two for each of DP_LOCALS_MAX that is IPv4 */
	DP_IDENTITIES_MAX = 16384, /* distinct sets of security groups that addresses are in */
	DP_GROUPS_TABLE_MAX = 65536, /* security groups whose rules are known here */
	DP_ACLS_MAX = 4096,
	DP_RANGES_MAX = 262144,    /* of ports, in all lists of what is allowed */
	DP_RANGES_PER_LIST = 4096, /* a look-up takes one step for each doubling */
	DP_LISTS_BY_PREFIX_MAX = 1048576,
	DP_LISTS_BY_GROUP_MAX = 65536,
	DP_PASSED_MAX = 4096, /* first fragments that have passed and whose others have not yet */
	DP_EVENTS_SIZE = 65536,
	DP_EVENTS_PER_SECOND = 100,  /* enough to see each kind, too few to load the agent */
	DP_UPCALLS_PER_WINDOW = 512, /* per port and direction: some 4,000 a second */
	DP_ICMP_PER_WINDOW = 128,    /* ICMP errors per port: some 1,000 a second */
	DP_STALE_PER_WINDOW = 8, /* notices about one peer, STALE and NARROW: some 60 a second */
	DP_DEPARTED_MAX = 16384, /* addresses that were here; more push the oldest out */
	/* how long they are known: mappings of preloaded networks are held for good */
	DP_DEPARTED_S = 3600,
	DP_WINDOW_SHIFT = 27, /* a window is 2^27 ns = 134 ms */
};

/* ---- load-time configuration ---- */

struct dp_rodata {
	__u8 siit1[16], siit2[16]; /* this host's locators */
	__u32 has_siit1, has_siit2;
	__u32 upcall_ifindex;
	__u32 vxlan_ifindex; /* 0: none */
	/* places of a flow cache for each processor, a power of two, less one */
	__u32 flow_mask;
	__u32 uplink_ifindex; /* 0: no edge */
	__be32 labels;        /* this host's range of labels (reip4), */
	__be32 labels_mask;   /* 0: none */
	__u8 uplink_mac[6];
	__u8 pad[2];
	__u64 connection_seed; /* of the hash that finds a connection's place */
	__u32 copy_ifindex;    /* the device that copies of packets go up by */
	__u32 seal_ifindex;    /* the sealing device */
	__u32 formats;         /* FORMAT_BIT()s that these programs carry */
	__u32 geneve_ifindex;  /* 0: none */
};

/* The fixed inner MACs of vxlan/1 and geneve: the device's own, and that of every sender. */
#define DP_VXLAN_MAC_DEVICE                                                                        \
	{                                                                                          \
		0x0e, 0x76, 0x69, 0x61, 0x00, 0x01                                                 \
	}
#define DP_VXLAN_MAC_SENDER                                                                        \
	{                                                                                          \
		0x0e, 0x76, 0x69, 0x61, 0x00, 0x02                                                 \
	}

/* ---- host: array of one ---- */

struct dp_host_value {
	__u32 abi_version;
	__u32 epoch; /* grows with each change of a port, peer, subnet or ACL */
	__u64 connection_seed;
};

/* ---- ports: array by slot ---- */

enum {
	DP_PORT_PEER_REDIRECT = 1 << 0,
	DP_PORT_FORWARDS = 1 << 1, /* source/destination check off */
	DP_PORT_TRACKED = 1 << 2,  /* it is in security groups */
	DP_PORT_DISABLED = 1 << 3, /* nothing passes, either way */
	DP_PORT_SHARED = 1 << 4,   /* its addresses are DP_LOCAL_SHARED */
	DP_PORT_LOGGED = 1 << 5,   /* abi/watch.h */
	DP_PORT_MIRRORED = 1 << 6,
	DP_PORT_TRANSLATES = 1 << 7, /* a private NAT gateway's: no node but program 'delivered' */
	/* frames to a MAC that was not handed out go where their IP address leads (PKT-1) */
	DP_PORT_RESOLVES = 1 << 8,
	/* from this bit on the VLAN of its node's frames (bpf/lib/vlan.h); 0: none */
	DP_PORT_VLAN_SHIFT = 16,
};

/* A port's share of the connection table: sets 'first' to 'first + mask', their number a power of
 * two. */
struct dp_region {
	__u32 first, mask;
};

struct dp_port_copy {
	__u32 present; /* 0: no port */
	__u32 id;
	__u32 ifindex;
	__u32 vni;
	__u8 mac[6];
	__u16 mtu;
	__u32 flags;
	__u32 handle;      /* 0: none */
	__u32 identity;    /* its security groups */
	__u32 connections; /* as dp_port.connections, for the agent to find again */
	struct dp_region region;
	__u8 home[16]; /* its first address */
};

struct dp_port_value {
	struct dp_port_copy copy[2];
	__u32 current;
	__u32 pad;
};

/* port_slots: hash ifindex (__u32) -> slot (__u32) */

/* ---- locals: hash; which port has an address.  IPv4 as ::ffff:a.b.c.d, here and below ---- */

struct dp_addr_key {
	__u32 vni;
	__u8 addr[16];
};

enum {
	DP_LOCAL_EXIT = 1 << 0, /* has a public address, at an edge or nowhere now (handle 0) */
	/* other hosts have it as well: a mapping says which (abi/spread.h) */
	DP_LOCAL_SHARED = 1 << 1,
};

struct dp_local_value {
	__u32 slot;
	__u32 flags;
	__u32 exit_peer, exit_handle;
};

/*
 * ---- departed: LRU hash by dp_addr_key; an address that a port here had, and none has now ----
 *
 * Who sends to it has not heard.  Also, with vni DP_VNI_LABELS, the label (reip4) that stood for
 * one.
 */

struct dp_departed_value {
	__u64 until; /* of the coarse monotonic clock, ns */
	__u32 vni;   /* of a label: what it stood for; else 0 */
	__be32 addr;
};

/* notices: array of dp_budget_value by peer; how many of its packets for such addresses the agent
 * has seen in this window. */

/* ---- subnets: LPM ---- */

struct dp_subnet_key {
	__u32 len; /* 32 + prefix length in the 128-bit space */
	__be32 vni;
	__u8 addr[16];
};

struct dp_subnet_value {
	__u8 router[16];
	__u8 resolver[16]; /* zero: none */
	__u8 router_mac[6];
	__u8 pad[2];
	__u32 table; /* of routes; 0: none */
	__u32 acl;   /* number, 0: none */
};

/* ---- peers: array by host number; locators: hash locator -> host number (__u32) ---- */

enum {
	DP_PEER_HAS_SIIT_1 = 1 << 0,
	DP_PEER_HAS_SIIT_2 = 1 << 1,
	DP_PEER_VXLAN_V6 = 1 << 2,
	DP_PEER_EDGE = 1 << 3,     /* may send from addresses that no network has */
	DP_PEER_RATE = 1 << 4,     /* not faster than its row of 'rates' says */
	DP_PEER_VARIANTS = 1 << 5, /* some of its nodes may have a row of their own */
	/* enum seal_cipher of what is sent to it, two bits: one set if it is sealed. */
	DP_PEER_SEAL_SHIFT = 6,
	DP_PEER_SEALED = 3 << DP_PEER_SEAL_SHIFT,
};

/* In 'present': whether there is one, and what became of the flags for which a byte was not
 * enough. */
enum {
	DP_PEER_PRESENT = 1 << 0,
	/* No host of ours: the MACs inside are the other way round, so that an ordinary VXLAN
	 * device with the sender's takes what comes, and what it sends is not its own to ours. */
	DP_PEER_FOREIGN = 1 << 1,
	/* What reip4 cannot carry is not sent, else by vxlan. */
	DP_PEER_ALONE = 1 << 2,
};

struct dp_peer_copy {
	__u32 present; /* DP_PEER_PRESENT, DP_PEER_FOREIGN, DP_PEER_ALONE; 0: no peer */
	__u32 nexthop;
	__u8 siit1[16], siit2[16];
	__u8 v4[16], v6[16];
	__u32 accept;   /* formats, in the clear and in each seal (abi/seal.h) */
	__u16 path_mtu; /* less what sealing adds */
	__u8 send;      /* enum format */
	__u8 flags;
};

struct dp_peer_value {
	struct dp_peer_copy copy[2];
	__u32 current;
	__u32 pad;
};

/* ---- policies: array, by the rows of peers; the number of the policy that decided what is sent
 * (__u64), 0: none. geneve says it ---- */

/*
 * ---- variants: hash; the row of 'peers', 'rates' and, behind DP_NEXTHOPS_OF_PEERS, 'nexthops'
 * that decides for some nodes of a peer, DP_PEERS_MAX or above ----
 *
 * Looked up on the full path alone, and only for a peer that has variants: by both addresses, then
 * by both networks, the addresses zero; else the peer's own row decides.  A handle counts as the
 * network it is in.
 */
struct dp_variant_key {
	__u32 peer;
	__u32 vni, peer_vni; /* of the end that is here, and the other */
	__u32 pad;
	__u8 addr[16], peer_addr[16];
};

enum dp_locator_kind {
	DP_LOCATOR_SIIT_1 = 1,  /* the first 8 bytes, the rest zero */
	DP_LOCATOR_SIIT_2 = 2,  /* the first 7 bytes, the rest zero */
	DP_LOCATOR_ADDRESS = 3, /* an ordinary address, IPv4 or IPv6 */
};

struct dp_locator_key {
	__u32 kind;
	__u8 addr[16];
};

/*
 * ---- labels (reip4): ordinary IPv4 addresses that stand for a virtual one ----
 *
 * label_ranges: LPM; whose range a label is in (host number, __u32).
 *
 * labels: hash.  With vni 0 and a label it says what the label stands for; with a network and an
 * address of a port here, the label that is written for it.  A label of another host counts only as
 * long as the mapping of what it stands for names it.
 */

struct dp_label_range_key {
	__u32 len; /* of the IPv4 prefix */
	__be32 addr;
};

struct dp_label_value {
	__u32 vni; /* of 'addr'; 0: 'addr' is a label */
	__be32 addr;
};

/*
 * ---- nexthops: array by id ----
 *
 * Ids below DP_NEXTHOPS_MAX are the agent's.  Above, each peer has one of its own, for when what
 * leaves to it is sealed (the device is the sealing one, the MACs are a note) or has a rate.
 */

enum {
	DP_NEXTHOP_PRESENT = 1 << 0,
	DP_NEXTHOP_RESOLVED = 1 << 1,
	DP_NEXTHOP_GATEWAY_V6 = 1 << 2,
};

struct dp_nexthop_copy {
	__u32 ifindex;
	__u32 flags;
	__u8 destination[6], source[6]; /* as in the Ethernet header */
	__u16 mtu;
	__u16 pad;
	__u8 gateway[16];
	__u32 rate; /* row of 'rates'; 0: none */
	__u32 base; /* of a peer's own: the next hop that it was made from */
};

struct dp_nexthop_value {
	struct dp_nexthop_copy copy[2];
	__u32 current;
	__u32 pad;
};

/* ---- rates: array by host number; a token bucket (bpf/lib/rate.h) ---- */

struct dp_rate_value {
	__u64 due;         /* when the bucket is full again */
	__u64 picoseconds; /* of a byte; 0: no limit */
	__u64 burst_ns;    /* how long the bucket takes to fill */
	__u64 held_packets;
	__u64 bits; /* as told */
	__u32 burst;
	/* Of a variant: the row of the wider class that it is part of.  What is held back counts
	 * there too; what is sent, unless this one may send faster.  0: none */
	__u32 wider;
};

/* ---- mappings_v4, mappings_v6: hash ---- */

struct dp_mapping_v4_key {
	__u32 vni;
	__be32 addr;
};

struct dp_mapping_value {
	__u32 peer;  /* or DP_PEER_SPREAD: abi/spread.h */
	__u32 state; /* enum dp_mapping_state of src/datapath/datapath.h, below for the programs */
	__u64 revision;
	__u32 identity; /* its security groups */
	__be32 label;   /* reip4: 0: none */
};

enum {
	DP_STATE_LIVE = 0,
	DP_STATE_HELD = 1,
	DP_STATE_REFUSED = 2,
	DP_STATE_GONE = 3,
};

/* generations: array of __u32 by bucket, and the bucket of a mapping. */
static inline __attribute__((always_inline, unused)) __u32 dp_bucket_v4(__u32 vni, __be32 addr)
{
	return ((vni * 0x9E3779B1U) ^ ((__u32)addr * 0x85EBCA6BU)) >> 16;
}

static inline __attribute__((always_inline, unused)) __u32 dp_bucket_v6(__u32 vni,
									const __u8 addr[16])
{
	__u64 high, low;

	__builtin_memcpy(&high, addr, 8);
	__builtin_memcpy(&low, addr + 8, 8);
	low = (low ^ high * 0x9E3779B97F4A7C15ULL ^ vni) * 0xFF51AFD7ED558CCDULL;
	return (__u32)(low >> 48);
}

/*
 * ---- policy: security groups and ACLs, as look-ups ----
 *
 * What is allowed to or from an address is a *list*: sorted, disjoint ranges of what a packet is
 * about, which is one number: protocol << 16 | destination port (TCP, UDP) or type << 8 | code
 * (ICMP, ICMPv6) or 0.  Lists are contiguous in 'ranges'.
 *
 * A set of security groups, or an ACL, is compiled to a *rulebook*: the number under which its
 * lists are found, by the longest prefix of the other end's address (lists_by_prefix: the list of a
 * prefix counts in all shorter ones), and by a group that the other end is in (lists_by_group).  A
 * changed set is compiled under a new number, then the one word that names it changes, and the old
 * lists go when no packet can look at them any more: a packet sees the old policy or the new one.
 *
 * An *identity* is a number for a set of security groups, 0 for none; it is what mappings and ports
 * carry.
 */

struct dp_range {
	__u32 from, to;
};

struct dp_list {
	__u32 first, n; /* in 'ranges'; n 0: nothing is allowed */
};

enum {
	DP_SUBJECT_MAX = 0xffffff, /* of a range: protocol 255, port 65,535 */
	/* The word that names a rulebook is its number << 2 | for each direction a bit, 1 <<
	 * egress: an identity's has rules that name groups; an ACL's allows everything.  0: nothing
	 * is allowed. */
	DP_RULEBOOK_SHIFT = 2,
	DP_RULEBOOK_BITS = 3,
};

/* lists_by_prefix: LPM */
struct dp_prefix_key {
	__u32 len;    /* 32 + prefix length in the 128-bit space */
	__be32 scope; /* rulebook number << 2 | IPv6 << 1 | egress */
	__u8 addr[16];
};

/* lists_by_group: hash */
struct dp_group_key {
	__u32 scope; /* as above, IPv6 0 */
	__u32 group;
};

/* identities: array */
struct dp_identity_value {
	__u32 n;        /* groups; 0: unused */
	__u32 rulebook; /* when a port here has this identity, else 0 */
	__u32 groups[16];
};

/* acls: hash number (__u32) -> rulebook (__u32); groups: hash number (__u32) -> fingerprint (__u64)
 * of the rules, for the agent alone. */

/*
 * ---- connections: array of sets (abi/connection.h has the states) ----
 *
 * A connection is in one of two sets of its port's region, which its hash names.  A set is changed
 * under its lock, but for 'seen'; the hash is checked before the rest of the key, so that an entry
 * that is being replaced is taken neither for the old nor for the new one.
 */

struct dp_connection_key {
	__u8 local[16], remote[16];     /* of the port's node, and the other end */
	__be16 local_port, remote_port; /* ICMP: connection.h */
	__u8 protocol;
	__u8 pad[3];
} __attribute__((aligned(8)));

struct dp_connection_value {
	__u8 local[16], remote[16];
	__be16 local_port, remote_port;
	__u8 protocol;
	__u8 state; /* enum connection_state; 0: no connection */
	__u8 flags;
	__u8 pad;
	__u32 hash;
	__u32 seen; /* tick of its last packet */
} __attribute__((aligned(8)));

enum {
	DP_SET_CONNECTIONS = 8,
	DP_TICK_SHIFT = 30, /* a tick is 2^30 ns = 1.07 s */
};

struct dp_connection_set {
	struct bpf_spin_lock lock;
	__u32 pad;
	struct dp_connection_value connections[DP_SET_CONNECTIONS];
};

/* passed: LRU hash; the first fragment of a packet, which says what it is about, has passed. */
struct dp_passed_key {
	__u8 src[16], dst[16];
	__be32 id;
	__u16 slot;
	__u8 protocol;
	__u8 egress;
};

/* value: the tick (__u32) of the first fragment */
enum { DP_PASSED_TICKS = 30 }; /* RFC 791 3.2 waits 15 s for the others, most systems 30 */

/*
 * ---- flows: what the full path decided ----
 *
 * A cache of two ways for each processor: the place is found by arithmetic and no entry is shared,
 * so a hit costs less than a look-up in the kernel's LRU hash, and nothing is locked.  An entry
 * that is pushed out, or a flow that changes processors, costs one way through the full path.  It
 * is a plain array, processor after processor: one of the kernel's per-CPU arrays has a table of
 * pointers before its entries, which is a cache line more for each packet.  Entries are whole cache
 * lines, what most packets need is in the first two.
 */

struct dp_stamp {
	__u32 epoch;
	__u32 mapping_generation;
	__u16 slot;
	__u16 bucket;
};

/* What a cached flow does not decide, because it is about ports. */
enum {
	DP_JUDGE_EGRESS = 1 << 0,  /* has the sender's port this connection? */
	DP_JUDGE_INGRESS = 1 << 1, /* has the receiver's? */
	DP_JUDGE_ACL_EGRESS = 1 << 2,
	DP_JUDGE_ACL_INGRESS = 1 << 3,
};

struct dp_flow_out_key {
	__u32 ifindex;
	__be32 saddr, daddr;
};

/* Connections that a flow knows the places of, so that their packets need no search.  A power of
 * two. */
enum {
	DP_RECALL = 8,
	DP_RECALL_TO = 4,
};

/* Where each connection that a flow has seen last is: its set * DP_SET_CONNECTIONS + its place
 * there + 1; 0: none.  At the low bits of its hash's upper half. */

struct dp_flow_out {
	/* What each packet is compared with, and needs. */
	struct dp_stamp stamp;
	struct dp_flow_out_key key;
	__u8 from[12]; /* the MACs that the node's frame has: destination, source */
	__u32 nexthop; /* where it leaves this host */
	__u16 path_mtu;
	__u8 format;   /* enum format; FORMAT_NONE: to a port of this host */
	__u8 ttl_step; /* 1 through a router */
	__u8 judge;    /* DP_JUDGE_*: each packet is asked about */
	__u8 to_flags; /* of the port here that gets it */
	__u16 to_slot;
	__u32 tick, jiffy; /* the clock of the connections, read at that jiffy */
	__u64 hash;        /* of the sender's connections, their addresses' part */
	union {
		/* to another host: the substrate addresses; reip4: the labels, at the end */
		struct {
			__u8 src[16], dst[16];
		};
		struct { /* to a port here: of its connections */
			__u64 to_hash;
			__u32 to_recall[DP_RECALL_TO];
		};
	};
	__u32 recall[DP_RECALL]; /* of the sender's connections */
	/* What fewer need. */
	__u8 to[12];         /* the MACs that a frame to a port of this host gets */
	__u32 to_ifindex;    /* of that port */
	__u32 peer;          /* 0: this host */
	__u32 vni;           /* of the destination, a network or a handle; 0: vxlan cannot say it */
	__u32 checksum_diff; /* siit/1, reip4: from the virtual to the substrate addresses */
	__u32 from_vni;      /* geneve: of the source, a network or a handle */
	struct dp_region region;    /* connections of the sender, */
	struct dp_region to_region; /* of the port here that gets it */
	struct dp_list acl, to_acl; /* what the ACLs allow between the two addresses */
} __attribute__((aligned(8)));

struct dp_flow_in {
	/* The substrate addresses, exactly: also the key.  reip4: 0 (no locator begins so), the
	 * virtual address, 0x0000ffff, the label. */
	__u8 src[16], dst[16];
	struct dp_stamp stamp;
	__u16 accept;      /* formats in the clear */
	__u8 judge;        /* DP_JUDGE_* */
	__u8 to_flags;     /* of the port */
	__u32 tick, jiffy; /* as above */
	__u64 hash;        /* of the port's connections, their addresses' part */
	__u32 recall[DP_RECALL];
	__u8 to[12]; /* the MACs that the node's frame gets: destination, source */
	__u32 to_ifindex;
	__u32 checksum_diff; /* siit/1, reip4: from the substrate to the virtual addresses */
	__u32 accept_all;    /* as dp_peer_copy's */
	struct dp_region to_region;
	struct dp_list to_acl;
	__u32 peer; /* the sender's host */
	__u32 pad[13];
} __attribute__((aligned(8)));

/* The same for IPv6, with the nodes' addresses as the key beside the interface, */
struct dp_flow_out_v6 {
	struct dp_flow_out flow; /* no addresses in its key */
	__u8 src[16], dst[16];
	__u32 pad[8];
} __attribute__((aligned(8)));

/* or beside the substrate addresses, which for IPv6 say networks and hosts. */
struct dp_flow_in_v6 {
	struct dp_flow_in flow;
	__u8 src[16], dst[16];
	__u32 pad[8];
} __attribute__((aligned(8)));

/* There are so many places for IPv6, of those for IPv4: >>. */
enum { DP_FLOWS_V6_SHIFT = 2 };

/* ---- counters: per-CPU arrays by slot ---- */

/* From a port's node and to it: all that the first sent and what the second got. */
struct dp_traffic {
	__u64 tx_packets, tx_bytes, rx_packets, rx_bytes;
};

enum { DP_COUNTED_FORMATS = 8 }; /* a power of two, and not less than FORMAT_MAX */

/* By the format that a packet was to leave this host in, or came to it in.  FORMAT_NONE: between
 * ports of this host, and what got no further: dropped before there was a format for it, answered,
 * or held by the agent.  So each packet counts in one place of its port.  The row of the host
 * itself, slot 0, has what ports counted that are gone; the agent alone writes it. */
struct dp_counters_value {
	struct dp_traffic formats[DP_COUNTED_FORMATS];
};

struct dp_drops_value {
	__u64 packets[128]; /* DROP_REASON_MAX */
};

/* ---- budgets: array; how much a slot may still ask for in this window ---- */

enum dp_budget_kind {
	DP_BUDGET_UPCALL,
	DP_BUDGET_VERIFY,
	DP_BUDGET_ICMP,
	DP_BUDGET_PIN, /* abi/spread.h */
	DP_BUDGET_KINDS,
};

struct dp_budget_value {
	__u64 window;
	__u64 used;
};

/* ---- notes: in the MAC fields of a frame on the upcall device ---- */

enum {
	DP_NOTE_MAGIC = 0x0a,    /* locally administered, unicast */
	DP_NOTE_ROUTED = 1 << 0, /* the node had sent it to its router */
	/* came by a tunnel: the frame is what was inside; dp_note_tunnel */
	DP_NOTE_TUNNEL = 1 << 1,
	DP_NOTE_OTHER = 1 << 2, /* 'vni' is the destination's, not the port's */
	/* came from the world: 'id' the private IPv4 address that it is for */
	DP_NOTE_UPLINK = 1 << 3,
	DP_NOTE_SEAL_SHIFT = 5, /* VERIFY: enum seal_cipher, two bits */
	/* the agent's own, with a copy inside: its port's policy is not asked */
	DP_NOTE_COPY = 1 << 4,
	/* RESOLVE: not where the destination is but the source's exit (abi/gateway.h) */
	DP_NOTE_EXIT = 1 << 7,
};

struct dp_note {
	__u8 magic;
	__u8 kind; /* enum dp_upcall_kind */
	__u8 vni[3];
	__u8 flags;
	__u8 slot[2]; /* big endian, 0: from the substrate */
	__u8 id[4];   /* big endian: of the port or peer */
};

/* A note with DP_NOTE_TUNNEL. */
struct dp_note_tunnel {
	__u8 magic;
	__u8 kind;
	__u8 vni[3]; /* of the destination */
	__u8 flags;
	__u8 format; /* enum format; 0: vxlan/1 */
	__u8 src_vni[3];
	__u8 peer[2]; /* big endian */
};

enum {
	DP_NOTE_RESOLVE, /* the same as enum dp_upcall_kind */
	DP_NOTE_ARP,
	DP_NOTE_VERIFY,
	DP_NOTE_DHCP,
	DP_NOTE_DNS,
	DP_NOTE_CONFIGURE6,
	DP_NOTE_STALE, /* a copy, laid out as VERIFY's; not to be written back */
	/* an ICMPv6 error of the substrate, 'id' the peer that it is about the way to; likewise */
	DP_NOTE_NARROW,
};

/* ---- events: ring buffer ---- */

struct dp_event {
	__u32 reason;
	__u32 port; /* id, 0: the substrate side */
	__u32 vni;
	__u32 pad;
	__u64 revision;
	__u8 src[16], dst[16];
};

#define DP_LAYOUT(type, size) _Static_assert(sizeof(type) == (size), #type)
DP_LAYOUT(struct dp_rodata, 96);
DP_LAYOUT(struct dp_host_value, 16);
DP_LAYOUT(struct dp_port_copy, 64);
DP_LAYOUT(struct dp_port_value, 136);
DP_LAYOUT(struct dp_addr_key, 20);
DP_LAYOUT(struct dp_local_value, 16);
DP_LAYOUT(struct dp_departed_value, 16);
DP_LAYOUT(struct dp_subnet_key, 24);
DP_LAYOUT(struct dp_subnet_value, 48);
DP_LAYOUT(struct dp_peer_copy, 80);
DP_LAYOUT(struct dp_peer_value, 168);
DP_LAYOUT(struct dp_variant_key, 48);
DP_LAYOUT(struct dp_locator_key, 20);
DP_LAYOUT(struct dp_label_range_key, 8);
DP_LAYOUT(struct dp_label_value, 8);
DP_LAYOUT(struct dp_nexthop_copy, 48);
DP_LAYOUT(struct dp_nexthop_value, 104);
DP_LAYOUT(struct dp_rate_value, 48);
DP_LAYOUT(struct dp_mapping_v4_key, 8);
DP_LAYOUT(struct dp_mapping_value, 24);
DP_LAYOUT(struct dp_range, 8);
DP_LAYOUT(struct dp_prefix_key, 24);
DP_LAYOUT(struct dp_group_key, 8);
DP_LAYOUT(struct dp_identity_value, 72);
DP_LAYOUT(struct dp_connection_key, 40);
DP_LAYOUT(struct dp_connection_value, 48);
DP_LAYOUT(struct dp_connection_set, 392);
DP_LAYOUT(struct dp_passed_key, 40);
DP_LAYOUT(struct dp_stamp, 12);
DP_LAYOUT(struct dp_flow_out_key, 12);
DP_LAYOUT(struct dp_flow_out, 192);
DP_LAYOUT(struct dp_flow_in, 192);
DP_LAYOUT(struct dp_flow_out_v6, 256);
DP_LAYOUT(struct dp_flow_in_v6, 256);
DP_LAYOUT(struct dp_traffic, 32);
DP_LAYOUT(struct dp_counters_value, 256);
DP_LAYOUT(struct dp_drops_value, 1024);
DP_LAYOUT(struct dp_budget_value, 16);
DP_LAYOUT(struct dp_note, 12);
DP_LAYOUT(struct dp_note_tunnel, 12);
DP_LAYOUT(struct dp_event, 56);
