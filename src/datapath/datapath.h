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
#include "abi/seal.h"
#include "datapath/watch.h"
#include "net/addr.h"

struct datapath;

enum {
	DP_PEER_SELF = 0,        /* the peer id of this host */
	DP_VLAN_MAX = 4094,      /* IEEE 802.1Q: 4095 is reserved */
	DP_PORT_ADDRS_MAX = 104, /* addresses of one port: EC2's most is 50 of each family */
	DP_GROUPS_MAX = 16,      /* security groups of one interface */
	DP_ACL_ENTRIES_MAX = 80, /* of one ACL: EC2's most is 40 each way */
	DP_PEER_SET_MAX = 16,    /* hosts of one record (NIC-4) */
	DP_PROTOCOL_ANY = 256,
};

struct dp_config {
	const char *name;  /* of this host's folder in bpffs and of its devices; [a-z0-9-]{1,11} */
	const char *bpffs; /* where bpffs is mounted, "/sys/fs/bpf" by default */
	int substrate_ifindex; /* the interface to the wire, in this network namespace */
	struct prefix siit1;   /* this host's /64 of layout siit/1; len 0: has none */
	struct prefix siit2;   /* this host's /56 of layout siit/2; len 0: has none */
	struct ipaddr v4;      /* this host's IPv4 substrate address; zero: has none */
	struct ipaddr v6;      /* this host's ordinary IPv6 substrate address; zero: has none */
	struct prefix labels;  /* reip4: this host's range of labels, IPv4; len 0: has none */
	uint16_t vxlan_port;   /* UDP port of vxlan/1, 4789 by default */
	uint32_t formats;      /* FORMAT_BIT()s that this build carries; 0: all that it knows */
	bool defer;            /* programs that run go on until datapath_activate() */
	int uplink_ifindex;    /* an edge's interface to the world outside; 0: no edge */
	uint32_t max_mappings; /* sizes of the tables, fixed while pinned */
	/* per processor and direction, for IPv6 a quarter; rounded down to a power of two */
	uint32_t max_flows;
	/* tracked on this host; rounded up to a power of two; 0: 65,536 */
	uint32_t max_connections;
};

/* What this kernel can carry, found out by doing it (NEG-1).  Reported to the manager as it is. */
struct dp_capabilities {
	uint32_t formats; /* FORMAT_BIT(): those whose probe packet came through exactly */
	/* what is faster than a peer's rate was held back, and nothing else */
	bool rate;
	bool tcx;               /* else clsact */
	bool tap_uso;           /* the upcall device keeps UDP GSO whole */
	uint32_t substrate_mtu; /* of the substrate interface */
	char kernel[65];        /* uname -r */
	/* why a format or the rate is missing, for people; "" when none is */
	char refused[512];
};

/* A node's interface. */
struct dp_port {
	uint32_t id;        /* chosen by the agent, 1..; never re-used while packets may be held */
	int ifindex;        /* the host's end */
	bool peer_redirect; /* a veth whose other end is the node: bpf_redirect_peer may be used */
	uint32_t vni;
	struct mac mac; /* the node's */
	uint16_t mtu;   /* the largest IPv4 packet the node is told to send */
	uint32_t n_addrs;
	/* IPv4 and IPv6 it may send from and receives for */
	struct ipaddr addrs[DP_PORT_ADDRS_MAX];
	/* reip4: what stands for each on the substrate, in this host's range; 0: nothing.  IPv4
	 * only. */
	uint32_t labels[DP_PORT_ADDRS_MAX];
	uint32_t n_groups;              /* none: no security group is enforced */
	uint32_t groups[DP_GROUPS_MAX]; /* numbers, ascending */
	/* how many of its connections have to fit; 0: a share of the host's */
	uint32_t connections;
	/* may send from and gets packets for addresses that are not its own (PKT-13) */
	bool forwards;
	/* it has no node: it is the private NAT gateway whose address is its first */
	bool translates;
	uint32_t handle; /* a destination VNI that means this port; 0: none */
	bool disabled;   /* nothing passes */
	/* what its node sends to a MAC that was not handed out goes where its IP address leads
	 * (PKT-1); else it is dropped */
	bool resolves;
	/* other hosts have its addresses as well: mappings say which, this one among them */
	bool shared;
	uint16_t vlan; /* its node's frames have this tag (802.1Q), both ways, to 4094; 0: none */
	bool logged;   /* its flows are counted (datapath/watch.h) */
	bool mirrored; /* the data plane's own: it has rules, datapath_mirror_set() */
	uint32_t n_exits;
	struct dp_exit {
		struct ipaddr addr; /* one of addrs */
		/* the edge that has its public address; 0 with handle 0: none has, 0: this host */
		uint32_t peer;
		uint32_t handle; /* of the gateway there */
	} exits[DP_PORT_ADDRS_MAX];
};

struct dp_subnet {
	uint32_t vni;
	struct prefix prefix;
	struct ipaddr router;   /* the logical router's address inside 'prefix' */
	struct ipaddr resolver; /* the network's DNS address, in whatever subnet; zero: none */
	struct mac router_mac;
	uint32_t acl;   /* number of a dp_acl; 0: none, all is allowed */
	uint32_t table; /* number of a dp_table; 0: none, only the network's own addresses */
};

/* ---- policy (NIC-6): what a new connection must be allowed by.  Said in abi/agent.proto ---- */

struct dp_rule {
	bool egress;
	uint16_t protocol; /* or DP_PROTOCOL_ANY */
	uint16_t from, to; /* destination ports, or ICMP type << 8 | code */
	uint32_t group;    /* the other end is in this group; 0: it is in 'prefix' */
	struct prefix prefix;
};

/* Rules allow; what none allows is refused.  Ports name groups that may not be set yet: such allow
 * nothing. */
struct dp_group {
	uint32_t number; /* 1.. */
	size_t n_rules;
	const struct dp_rule *rules;
};

struct dp_acl_entry {
	bool egress, allow;
	uint16_t protocol;
	uint16_t from, to;
	struct prefix prefix;
};

/* Stateless, for packets that cross the border of a subnet; the first entry that matches
 * decides. */
struct dp_acl {
	uint32_t number;
	size_t n_entries;
	const struct dp_acl_entry *entries;
};

/* ---- ways out of a network ---- */

enum dp_target {
	DP_TARGET_BLACKHOLE,
	/* IPv4: by the exit of the sender's address; of what a node forwards by the mapping of its
	 * source's (dp_exit_address()), 'vni' the gateway's handle.  IPv6: 'peer', 'vni' */
	DP_TARGET_INTERNET,
	DP_TARGET_GATEWAY,   /* 'peer', 'vni' its handle there */
	DP_TARGET_NETWORK,   /* 'vni' a peered network; the address is looked up there */
	DP_TARGET_INTERFACE, /* 'peer', 'vni' the handle of a port there */
	DP_TARGET_LOCAL, /* the network's own addresses: where they are; in no subnet, nowhere */
};

struct dp_route {
	struct prefix prefix;
	enum dp_target target;
	uint32_t peer; /* DP_PEER_SELF: this host */
	uint32_t vni;  /* written as the destination's */
};

/* The longest prefix decides; addresses in a subnet of the network need no route.  With 'inside'
 * they are looked up all the same where a packet goes through the router: routes lead some of them
 * to a node that looks at it first. */
struct dp_table {
	uint32_t number; /* 1.. */
	bool inside;
	size_t n_routes;
	const struct dp_route *routes;
};

/* ---- edge (EDGE-1): only with an uplink ---- */

enum dp_gateway_kind {
	DP_GATEWAY_INTERNET,
	DP_GATEWAY_NAT,
	DP_GATEWAY_EGRESS_ONLY, /* IPv6: only what answers goes in */
	/* Sends from 'public', an address of its network, which a port that 'translates' has on
	 * this host.  Packets come to the handle of that port, and go on as its own do. */
	DP_GATEWAY_PRIVATE,
};

struct dp_static_port {
	uint8_t protocol;
	uint16_t public_port, port;
	struct ipaddr addr;
};

struct dp_gateway {
	uint32_t handle;
	enum dp_gateway_kind kind;
	uint32_t vni;
	/* INTERNET: what enters goes first where this route table's DP_TARGET_INTERFACE leads,
	 * whole and as it would come to its node; where another route leads is nowhere, and a table
	 * that is not there leads nowhere, too.  0: none */
	uint32_t table;
	struct ipaddr public;           /* NAT, PRIVATE: sends from here; zero otherwise */
	uint16_t port_first, port_last; /* NAT, PRIVATE */
	size_t n_statics;               /* of several that lead to the same, one is in force */
	const struct dp_static_port *statics;
	bool standby; /* NAT: its address is not answered for yet */
	bool closed;  /* NAT, PRIVATE: gives out no more ports; what has one goes on */
};

/* What a gateway that gives out ports has given out, or a session of one.  Those of static ports
 * are set with the gateway; their sessions are like others. */
struct dp_translation {
	bool is_session;
	uint8_t protocol;
	uint8_t state; /* of a session: DP_SESSION_*; of a port: whether several may need it */
	uint16_t public_port, port, world_port; /* ICMP: the identifier, 0 */
	struct ipaddr addr, world;              /* inside; IPv4 */
	uint32_t seconds;                       /* that it lasts without a packet */
};

enum { DP_TRANSLATIONS = 512 }; /* in one stretch */

enum { DP_FORMERS = 4 };

/* A public address, one to one with a private one.  The programs answer ARP for it on the uplink;
 * announcing it is the agent's. */
struct dp_public {
	struct ipaddr public;
	uint32_t vni;
	struct ipaddr addr;
	uint32_t handle; /* of the internet gateway */
	uint32_t n_formers;
	/* private addresses in 'vni' that had it: what they began goes on, nothing begins
	 * (EDGE-2) */
	struct ipaddr formers[DP_FORMERS];
};

/* Another choice for some nodes of this host and a peer: those of two networks, or those with two
 * addresses, which decide first. */
struct dp_variant {
	uint32_t vni;       /* of the end that is here */
	struct ipaddr addr; /* zero, and so is the other: all of the networks */
	uint32_t peer_vni;
	struct ipaddr peer_addr;
	/* As in struct dp_peer. */
	enum format send;
	bool alone;
	uint32_t accept;
	bool vxlan_over_v6;
	uint16_t path_mtu;
	enum seal_cipher seal;
	uint32_t accept_sealed[SEAL_CIPHERS];
	uint64_t rate_bits;
	uint32_t rate_burst;
	uint64_t policy;
	uint32_t nexthop;
	uint16_t path_limit; /* of path_mtu, as long as something less is known; 0: nothing is */
	bool lz4;            /* for the sealing worker */
};

struct dp_peer {
	uint32_t id; /* the manager's host number; DP_PEER_SELF for this host */
	struct prefix siit1, siit2;
	struct prefix labels; /* reip4: its range of labels; len 0: none */
	struct ipaddr v4,
		/* its substrate addresses (zero: none); tunnels go to v6 if set and chosen, else
		 * v4 */
		v6;
	enum format send; /* chosen for packets to it; FORMAT_NONE: nothing may be sent */
	bool alone;       /* what reip4 cannot carry is not sent, else by vxlan */
	uint32_t accept;  /* FORMAT_BIT()s that it may use towards this host */
	bool vxlan_over_v6;
	/* of the substrate between the two, bytes of IP, as long as nothing is sealed */
	uint16_t path_mtu;
	/* What is sent to it, unless SEAL_CLEAR, goes to the sealing device, with its number as the
	 * class; the family of its tunnels is that of the seal. */
	enum seal_cipher seal;
	/* FORMAT_BIT()s that it may use inside a seal, by the cipher; with SEAL_ACCEPT_LZ4. */
	uint32_t accept_sealed[SEAL_CIPHERS];
	uint64_t rate_bits;  /* a second, that may be sent to it; 0: no limit */
	uint32_t rate_burst; /* bytes at once; less than a whole GSO packet counts as one */
	/* number of the policy that decided what is sent, 0: none; geneve says it */
	uint64_t policy;
	uint32_t nexthop; /* id of a dp_nexthop, 0: none yet */
	bool edge;        /* may send from addresses that no network has */
	/* an ordinary VXLAN device and no host of ours (docs/substrate.md, "Foreign VXLAN") */
	bool foreign;
	/* Alike ones next to each other share a record.  datapath_peers() gives 1 for any number of
	 * them, and none. */
	size_t n_variants;
	const struct dp_variant *variants;
};

/* Where packets leave.  Either resolved (MACs known), or 'resolved' false and the kernel finds the
 * neighbour of 'gateway' by itself while the agent keeps asking. */
struct dp_nexthop {
	uint32_t id; /* 1.. */
	int ifindex;
	bool resolved;
	struct ipaddr gateway;
	struct mac source, destination;
	uint16_t mtu;
};

enum dp_mapping_state {
	DP_MAPPING_LIVE, /* packets go to 'peer' */
	/* known, but packets queue behind those being re-injected: they still come up */
	DP_MAPPING_HELD,
	DP_MAPPING_REFUSED, /* asked for and refused: no such address, or not allowed to know */
	/* was here or there and is not any more: senders hear "host unreachable" */
	DP_MAPPING_GONE,
};

struct dp_mapping {
	uint32_t vni;
	struct ipaddr addr;
	enum dp_mapping_state state;
	uint32_t peer;
	uint64_t revision; /* of the manager, for explaining */
	uint32_t n_groups;
	uint32_t groups[DP_GROUPS_MAX]; /* security groups it is in, ascending */
	/* Of a shared record (NIC-4), each once, DP_PEER_SELF this host: connections are spread
	 * over them and stay where they are (abi/spread.h), and packets from any are the address's;
	 * 'peer' is one of them.  0: 'peer' alone, and nothing has to be remembered. */
	uint32_t n_peers;
	uint32_t peers[DP_PEER_SET_MAX];
	uint32_t label; /* reip4: what stands for it at 'peer'; 0: nothing */
};

/* VNI 0 has no addresses but labels: the mapping of one is REFUSED or absent. */
enum { DP_VNI_LABELS = 0 };

enum dp_upcall_kind {
	DP_UPCALL_RESOLVE, /* port -> unknown destination: 'port', 'vni', 'dst' */
	/* port, or somebody outside of an edge (0), asks for the MAC of an address whose mapping is
	 * unknown: 'port', 'vni', 'dst' */
	DP_UPCALL_ARP,
	/* arrived from the substrate from a source that is unknown here: 'vni', 'src', 'dst' */
	DP_UPCALL_VERIFY,
	DP_UPCALL_DHCP, /* a node's DHCP request: 'port'; the frame as sent */
	DP_UPCALL_DNS, /* a node's DNS query to its network's resolver: 'port'; the frame as sent */
	/* a node's DHCPv6 message or router solicitation: 'port'; the frame as sent */
	DP_UPCALL_CONFIGURE6,
	/* A copy of what was dropped (LOCAL_GONE): 'peer' sent it, from where the source lives, to
	 * an address that a port here had and none has any more: 'vni', 'src', 'dst', 'other_vni'
	 * as for VERIFY.  A few of each peer (DP_STALE_PER_WINDOW); not to be written back. */
	DP_UPCALL_STALE,
	/* A router of the substrate says how large packets to 'peer' may be, 'mtu', about one that
	 * no node here had sent: what an edge had from the world, or a node that forwards from
	 * others. As many as of STALE; not to be written back. */
	DP_UPCALL_NARROW,
};

/* A packet that came up.  Owned by the agent until datapath_upcall_free(). */
struct dp_upcall {
	enum dp_upcall_kind kind;
	uint32_t port; /* 0: from the substrate */
	uint32_t vni;
	/* Virtual addresses.  RESOLVE with 'port' 0: an edge asks for itself, 'src' is the world's;
	 * of what a node forwards to an internet gateway 'dst' is the exit of its source
	 * (abi/gateway.h).  VERIFY: 'dst' is
	 * the receiving node's; all zero for a gateway of this edge; of a node that forwards, its
	 * first address. */
	struct ipaddr src, dst;
	/* RESOLVE: the network of 'dst', VERIFY: of 'src', when it is a peered one; else 0.  VERIFY
	 * of what a node forwards: its handle, and 'src' is 0.a.b.c, the network that it forwards
	 * into: the location asked for is that of the node, if it may. */
	uint32_t other_vni;
	uint32_t peer;     /* STALE: the sender's host; NARROW: the receiver's */
	uint32_t mtu;      /* NARROW: of the substrate's packets, as the router says it */
	bool src_is_label; /* VERIFY: 'src' is a label that is not known here, and 'other_vni' 0 */
	size_t size;       /* of 'frame', without the vnet header */
	/* Ethernet frame; its MACs are the programs' notes, not the node's, but for DHCP and ARP
	 * bodies */
	uint8_t *frame;
	struct datapath *dp;
};

/* A sampled drop (PKT-15), at most DP_EVENTS_PER_SECOND of them. */
struct dp_drop_event {
	uint32_t reason; /* enum drop_reason, abi/drop_reasons.def */
	uint32_t port;   /* 0: the substrate side */
	uint32_t vni;
	struct ipaddr src, dst;
	uint64_t revision; /* of the configuration that decided */
};

struct dp_port_counters {
	uint64_t tx_packets, tx_bytes; /* from the node */
	uint64_t rx_packets, rx_bytes; /* to the node */
};

/* What was not sent to a peer because of its rate, GSO packets counted as what they become. */
int datapath_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret);
/* The device that packets to be sealed leave by, and opened ones come in by; "" when there is
 * none. */
const char *datapath_seal_device(const struct datapath *dp);

/* Of one gateway of this edge, GSO packets counted as what they become on the wire. */
struct dp_gateway_counters {
	uint64_t out_packets, out_bytes; /* to the world */
	uint64_t in_packets, in_bytes;   /* to nodes */
	uint64_t no_port;                /* dropped: NAT_PORTS */
	uint64_t unsolicited;            /* dropped: UNSOLICITED */
};

/* A host's range of labels: none, or IPv4 of a size that abi/substrate.h allows. */
bool datapath_labels_are_valid(const struct prefix *range);

/* Tries what this host can do, on devices of its own that are gone when it returns. */
int datapath_probe(const struct dp_config *config, struct dp_capabilities *ret);

/* Opens or adopts.  '*ret_adopted' says whether tables were found from before.
 * -EINVAL: 'config' contradicts what is pinned (another size, or a layout of which nothing can be
 * kept): datapath_destroy() first. */
int datapath_open(const struct dp_config *config, struct datapath **ret, bool *ret_adopted);
/* Puts this build's programs in the place of those that run, one by one; again: nothing changes.
 * Only after an open that adopted with 'defer': until then the earlier build's go on, with formats
 * that this one may lack, and work with the tables as they are set here. */
int datapath_activate(struct datapath *dp);
/* What an open has made of tables whose layout is another one in this build
 * (docs/howto/change-a-table.md). */
struct dp_adoption {
	/* tables that the programs of the earlier build do not share with those of this one: they
	 * are to be replaced as soon as all is set */
	uint32_t n_changed;
	/* the names of those that began empty though nobody can tell again what was in them; "" */
	char lost[256];
	/* entries for which there was no room, once the programs are replaced */
	uint64_t n_left_out;
};
void datapath_adoption(const struct datapath *dp, struct dp_adoption *ret);
struct datapath *datapath_close(struct datapath *dp); /* leaves everything running; returns NULL */
/* Detaches, unpins, deletes the devices, whichever build left them.  Of 'config' it needs the name,
 * where pins are, and the devices of substrate and uplink that are still there (else 0). */
int datapath_destroy(const struct dp_config *config);

/* The substrate's interface is this one now: packets from the wire come there.  -ENODEV */
int datapath_substrate_set(struct datapath *dp, int ifindex);
int datapath_port_set(struct datapath *dp, const struct dp_port *port);
int datapath_port_delete(struct datapath *dp, uint32_t id);
int datapath_subnet_set(struct datapath *dp, const struct dp_subnet *subnet);
int datapath_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix);
int datapath_peer_set(struct datapath *dp, const struct dp_peer *peer);
/* Before datapath_peer_set(): decides the classes of the peer's variants, which has no effect on
 * packets.  Errors are those of datapath_peer_set().  A later call for the same peer, or its end,
 * takes back what was never set. */
int datapath_peer_plan(struct datapath *dp, const struct dp_peer *peer);
/* The class that what a variant of a peer, set or planned, seals goes to the sealing device with;
 * -ENOENT. */
int datapath_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
			   uint32_t *ret);
int datapath_peer_delete(struct datapath *dp, uint32_t id);
int datapath_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop);
int datapath_nexthop_delete(struct datapath *dp, uint32_t id);
int datapath_mapping_set(struct datapath *dp, const struct dp_mapping *mapping);
int datapath_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr);

/* Setting a group, ACL or table that exists replaces its contents at once for new connections (a
 * packet sees the old or the new).  -ENOSPC when it does not fit, and the old one stays. */
int datapath_group_set(struct datapath *dp, const struct dp_group *group);
int datapath_group_delete(struct datapath *dp, uint32_t number);
int datapath_acl_set(struct datapath *dp, const struct dp_acl *acl);
int datapath_acl_delete(struct datapath *dp, uint32_t number);
int datapath_table_set(struct datapath *dp, const struct dp_table *table);
int datapath_table_delete(struct datapath *dp, uint32_t number);
/* Packets of either network may arrive in the other. */
int datapath_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
int datapath_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
/* -EOPNOTSUPP without an uplink. */
int datapath_gateway_set(struct datapath *dp, const struct dp_gateway *gateway);
int datapath_gateway_delete(struct datapath *dp, uint32_t handle);
/* PRIVATE: the device that its port is to have.  -ENOENT: there is no such gateway. */
int datapath_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex);
int datapath_gateway_counters(struct datapath *dp, uint32_t handle,
			      struct dp_gateway_counters *ret);
/* NAT, PRIVATE: what it translates, a stretch of at most DP_TRANSLATIONS, which may be empty, from
 * '*at' on, which is 0 for the first and after the last.  What is there all the while is seen, the
 * ports before the sessions.  -ENOENT, -EOPNOTSUPP: of another kind. */
int datapath_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			       struct dp_translation *ret, size_t *ret_n);
/* Adds to what it translates, in place of what is the same.  -EINVAL: one makes no sense, or its
 * port is a static one. */
int datapath_translations_write(struct datapath *dp, uint32_t handle,
				const struct dp_translation *translations, size_t n);
int datapath_public_set(struct datapath *dp, const struct dp_public *public);
int datapath_public_delete(struct datapath *dp, const struct ipaddr *public);

/* Iterators: 'fn' may not change the table; a non-zero return ends the walk and is returned. */
int datapath_ports(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg);
int datapath_subnets(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg);
int datapath_peers(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg);
int datapath_mappings(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *), void *arg);

/* By number, handle or public address alone: after an adoption the agent deletes what is not
 * desired and sets what is again, which changes nothing where it is the same. */
int datapath_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
int datapath_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
int datapath_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
int datapath_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *),
		      void *arg);
int datapath_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg);
int datapath_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *),
		     void *arg);

/* One tracked connection, as its port's node sees it. */
struct dp_connection {
	uint32_t port;
	uint8_t protocol;
	struct ipaddr local, remote;
	uint16_t local_port, remote_port; /* ICMP echo: the identifier, 0 */
	bool egress;                      /* begun by the node */
	const char *state;   /* "syn-sent", "established", "closing", ...: static text */
	uint32_t expires_in; /* seconds */
};
/* Of one port, or of all (0). */
int datapath_connections(struct datapath *dp, uint32_t port,
			 int (*fn)(const struct dp_connection *, void *), void *arg);

int datapath_upcall_fd(const struct datapath *dp); /* readable when an upcall waits */
int datapath_upcall_read(struct datapath *dp, struct dp_upcall **ret); /* -EAGAIN: none */
struct dp_upcall *datapath_upcall_free(struct dp_upcall *upcall);
/* Sends the packet through the programs once more, as though it had just come from where it came
 * from, HELD mappings counting as LIVE.  'upcall' stays the caller's. */
int datapath_reinject(struct datapath *dp, const struct dp_upcall *upcall);
/* Says on an edge's uplink that a network's IPv6 address is reached by it, as an unsolicited
 * advertisement (RFC 4861 7.2.6), if it is: there is a mapping, and a way from there to the world
 * by this edge.  -EOPNOTSUPP: no uplink. */
int datapath_announce(struct datapath *dp, const struct ipaddr *addr);
/* Delivers an Ethernet frame made by the agent (a DHCP or DNS or ARP answer) to a port's node. */
int datapath_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size);

int datapath_event_fd(const struct datapath *dp);
int datapath_event_read(struct datapath *dp, struct dp_drop_event *ret); /* -EAGAIN: none */
/* Drops of 'port' (0: of the host's substrate side) by reason; 'ret' has 'n' places, by reason
 * number. */
int datapath_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n);
int datapath_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret);
/* What all ports that are here, or were, sent and got, by the format that it was to leave this host
 * in or came to it in.  FORMAT_NONE: between ports of this host, answered or held by it, or dropped
 * before there was a format for it. */
int datapath_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX]);
