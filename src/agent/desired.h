/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager wants of this host: the tables that the frames Desired fill (abi/agent.proto).
 *
 * Concept. Objects are the host itself, its peers, the subnets, instances and interfaces it
 * carries, what these are allowed (security groups, ACLs), where packets may leave their network
 * (route tables, peerings) and, on an edge, gateways and public addresses. Each has a key; setting
 * one that exists replaces it whole. A full Desired is a *sweep*: what it did not name is removed.
 * Every object that comes from the wire is checked here, so that the rest of the agent only sees
 * values that make sense by themselves; whether they fit together (an interface whose subnet is
 * unknown) is found out when they are applied.
 *
 * Ownership: the tables own their objects; borrowed pointers last until the object is set or
 * removed. Pure: no I/O. One thread. Errors: 0 or a negative errno, with a text for people that is
 * static. The kinds of objects are read in desired_host.c, desired_node.c, desired_policy.c and
 * desired_way.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "agent/dhcp.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"
#include "datapath/datapath.h"
#include "driver/driver.h"

enum {
	DESIRED_NAME_SIZE = 64,    /* of hosts, instances and drivers, for people */
	DESIRED_DOMAIN_SIZE = 254, /* RFC 1035 */
	DESIRED_SERVERS_MAX = 4,   /* of a kind in a set of DHCP options, as EC2 has it */
};

/* What all objects begin with.  'seen' is the reconciling run that was here last, 'applied' the
 * opening of the data plane that took it (struct reconcile); 0 for neither. */
struct desired_item {
	struct hmap_node node;
	uint64_t sweep;
	uint64_t seen, applied;
};

/* The same by the names of its members, for the tables' loops. */
#define DESIRED_ITEM                                                                               \
	union {                                                                                    \
		struct desired_item item;                                                          \
		struct {                                                                           \
			struct hmap_node node;                                                     \
			uint64_t sweep;                                                            \
			uint64_t seen, applied;                                                    \
		};                                                                                 \
	}

struct desired_host {
	bool set;
	uint32_t number;
	char name[DESIRED_NAME_SIZE];
	struct prefix siit1, siit2;
	struct ipaddr v4, v6;
	struct prefix labels; /* the range of them; len 0: none */
	bool edge;
};

enum { DESIRED_PEER_KEYS = 16 };

struct desired_peer_key {
	uint32_t spi;
	enum seal_cipher cipher;
	bool seals;           /* what is sent; else it opens */
	uint64_t made_ms;     /* Unix time */
	uint64_t incarnation; /* of this host, that it is for; 0: of any */
	uint8_t key[SEAL_KEY_SIZE];
};

struct desired_peer {
	DESIRED_ITEM;
	struct dp_peer dp; /* nexthop 0 */
	char name[DESIRED_NAME_SIZE];
	char reason[256];
	uint32_t features; /* of what is sent: FEATURE_BIT()s */
	/* In memory alone. */
	size_t n_keys;
	struct desired_peer_key keys[DESIRED_PEER_KEYS];
	struct dp_variant variants[]; /* dp.n_variants; nexthop 0 */
};

struct desired_subnet {
	DESIRED_ITEM;
	struct dp_subnet dp;
	struct prefix network; /* len 0: not told */
	bool preloaded;        /* the network is */
	char domain[DESIRED_DOMAIN_SIZE];
};

struct desired_instance {
	DESIRED_ITEM;
	char id[DRIVER_ID_SIZE];
	char driver[DESIRED_NAME_SIZE];
	char name[DESIRED_NAME_SIZE];
	bool running;
	uint64_t generation;
};

/* A public address of an address of an interface. */
struct desired_exit {
	struct ipaddr addr, public;
	uint32_t peer; /* number of the edge that owns it; 0: none does now */
	uint32_t handle;
};

/* The mirror sessions of an interface, and their rules as the data plane takes them. */
struct desired_mirrors {
	uint32_t n;
	struct desired_mirror {
		uint32_t number, vni;
		uint32_t length; /* 0: all */
		struct ipaddr target;
	} sessions[DP_MIRROR_SESSIONS];
	struct dp_mirror_value rules;
};

struct desired_interface {
	DESIRED_ITEM;
	char instance_id[DRIVER_ID_SIZE];
	struct driver_interface driver; /* id, device index, MAC, MTU */
	uint32_t vni;
	/* Its node has the device with its addresses, its port has none and carries nothing. */
	bool standby;
	uint32_t n_addrs;
	struct ipaddr addrs[DP_PORT_ADDRS_MAX];
	uint32_t labels[DP_PORT_ADDRS_MAX]; /* 0: none */
	struct prefix subnet;
	char host_name[DESIRED_NAME_SIZE];
	bool dns;
	bool forwards, disabled, shared;
	bool resolves;        /* unknown MACs: its network does */
	uint16_t vlan;        /* 0: none */
	uint32_t handle;      /* 0: none */
	uint32_t gateway;     /* the private NAT gateway that it is; 0: it is an instance's */
	uint32_t connections; /* 0: the host's default */
	uint32_t n_groups;
	uint32_t groups[DP_GROUPS_MAX]; /* ascending, none twice */
	char domain_name[DESIRED_DOMAIN_SIZE];
	size_t n_dns_servers, n_ntp_servers;
	struct ipaddr dns_servers[DESIRED_SERVERS_MAX], ntp_servers[DESIRED_SERVERS_MAX];
	size_t n_routes;
	struct dhcp_route routes[DHCP_ROUTES_MAX]; /* for its node */
	bool logged;
	struct desired_mirrors *mirrors; /* behind the exits; NULL: none */
	uint32_t n_exits;
	struct desired_exit exits[];
};

struct desired_group {
	DESIRED_ITEM;
	char id[DESIRED_NAME_SIZE];
	struct dp_group dp; /* of the rules behind */
	struct dp_rule rules[];
};

struct desired_acl {
	DESIRED_ITEM;
	char id[DESIRED_NAME_SIZE];
	struct dp_acl dp;                          /* of the entries behind */
	uint32_t rule_numbers[DP_ACL_ENTRIES_MAX]; /* of the entries, for people */
	struct dp_acl_entry entries[];
};

struct desired_table {
	DESIRED_ITEM;
	char id[DESIRED_NAME_SIZE];
	uint32_t number;
	bool inside;
	size_t n_routes;
	/* 'peer' is the manager's number of the host, 0 for this host or nowhere: see
	 * reconcile_way.c */
	struct dp_route routes[];
};

struct desired_peering {
	DESIRED_ITEM;
	uint32_t vni_a, vni_b; /* ascending */
};

struct desired_gateway {
	DESIRED_ITEM;
	char id[DESIRED_NAME_SIZE];
	struct dp_gateway dp; /* of the static ports behind */
	struct dp_static_port statics[];
};

struct desired_public {
	DESIRED_ITEM;
	char id[DESIRED_NAME_SIZE];
	struct dp_public dp;
};

struct desired {
	struct desired_host host;
	struct hmap peers, subnets, instances, interfaces;
	struct hmap groups, acls, tables, peerings, gateways, publics;
	uint64_t sweep; /* number of the current one */
};

enum desired_kind {
	DESIRED_HOST,
	DESIRED_PEER,
	DESIRED_SUBNET,
	DESIRED_INSTANCE,
	DESIRED_INTERFACE,
	DESIRED_GROUP,
	DESIRED_ACL,
	DESIRED_TABLE,
	DESIRED_PEERING,
	DESIRED_GATEWAY,
	DESIRED_PUBLIC,
	DESIRED_KIND_MAX,
};

struct desired_key {
	enum desired_kind kind;
	uint32_t number; /* of a peer, group, ACL, table; VNI of a subnet; handle of a gateway */
	uint32_t vni_a, vni_b;   /* of a peering */
	struct prefix prefix;    /* of a subnet; a public address, whole */
	char id[DRIVER_ID_SIZE]; /* of an instance, an interface */
};

/* Whether anything to or from it is sealed. */
bool desired_peer_is_sealed(const struct desired_peer *p);

void desired_init(struct desired *d);
void desired_deinit(struct desired *d);

/* Takes over one object.  0 with its key; -EINVAL with '*reterr_text' (and '*ret_key' as far as it
 * could be read) when the object makes no sense: the one that was there before stays; -ENOMEM. */
must_check int desired_set(struct desired *d, const Viaduct__Agent__Object *object,
			   struct desired_key *ret_key, const char **reterr_text);
/* Removes what 'key' names, if it is there. */
must_check int desired_remove(struct desired *d, const Viaduct__Agent__ObjectKey *key,
			      struct desired_key *ret_key, const char **reterr_text);

/* A full Desired: begin, set everything, end.  End removes what was not set (or refused) since. */
void desired_sweep_begin(struct desired *d);
void desired_sweep_end(struct desired *d);

struct desired_peer *desired_find_peer(const struct desired *d, uint32_t number);
struct desired_subnet *desired_find_subnet(const struct desired *d, uint32_t vni,
					   const struct prefix *prefix);
struct desired_instance *desired_find_instance(const struct desired *d, const char *id);
struct desired_interface *desired_find_interface(const struct desired *d, const char *id);
struct desired_group *desired_find_group(const struct desired *d, uint32_t number);
struct desired_acl *desired_find_acl(const struct desired *d, uint32_t number);
struct desired_table *desired_find_table(const struct desired *d, uint32_t number);
struct desired_gateway *desired_find_gateway(const struct desired *d, uint32_t handle);
struct desired_public *desired_find_public(const struct desired *d, const struct ipaddr *public);
/* One that is in no table; to be freed.  -EINVAL with '*text' for what is wrong with it; -ENOMEM. */
must_check int desired_make_gateway(const Viaduct__Agent__Gateway *m, struct desired_gateway **ret,
				    const char **text);
/* A gateway that has a public address, and so the world is told of it. */
bool desired_gateway_is_public(const struct desired_gateway *g);
/* The object that 'key' names (any kind but the host), or NULL; the table of a kind. */
struct desired_item *desired_find(const struct desired *d, const struct desired_key *key);
struct hmap *desired_table(struct desired *d, enum desired_kind kind);
/* The key of an object. */
struct desired_key desired_key_of(enum desired_kind kind, const struct desired_item *item);
