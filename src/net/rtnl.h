/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's network configuration by rtnetlink (libmnl): links, addresses, routes, neighbours,
 * and a monitor of their changes.
 *
 * Concept.  A 'struct rtnl' is a socket in one namespace: that of the thread that opened it, or one
 * given by descriptor.  It keeps to that namespace wherever the thread goes later.  Requests block
 * for the kernel's answer, which comes at once; they are few and small, so a daemon's loop may make
 * them.
 *
 * Ownership: structs are values.  Threading: one thread at a time per handle.
 * Errors: the kernel's own, negative; -ETIMEDOUT when no answer comes, -EPROTO when it makes no
 * sense. "rtnl_x_add" of something that is there is -EEXIST, "rtnl_x_delete" of what is not
 * -ENOENT, -ENODEV, -ESRCH or -EADDRNOTAVAIL, as the kernel has it; rtnl_is_gone() knows them.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

struct rtnl;

must_check int rtnl_open(struct rtnl **ret);                  /* in the thread's namespace */
must_check int rtnl_open_at(int netns_fd, struct rtnl **ret); /* in that one */
struct rtnl *rtnl_close(struct rtnl *r);
CLEANUP_DEFINE(struct rtnl *, rtnl_close);
/* True for the errors that say "there is no such object (any more)". */
bool rtnl_is_gone(int error);

/* Links. */

struct rtnl_link {
	int ifindex;
	char name[IFNAMSIZ];
	uint32_t mtu;
	struct mac mac;     /* zero: the link has no Ethernet address */
	bool up;            /* IFF_UP: administratively */
	bool carrier;       /* IFF_LOWER_UP */
	uint8_t operstate;  /* IF_OPER_* */
	int peer_ifindex;   /* IFLA_LINK: of a veth, in the peer's namespace; 0: none */
	int peer_netns_id;  /* IFLA_LINK_NETNSID; -1: in this namespace */
	int master_ifindex; /* of the bridge it is in; 0: none */
	char kind[16];      /* "veth", "vxlan", ""; IFLA_INFO_KIND */
};

struct rtnl_veth_end {
	const char *name;      /* at most IFNAMSIZ - 1 bytes */
	int netns_fd;          /* where this end goes; -1: the handle's namespace */
	const struct mac *mac; /* NULL: the kernel chooses */
	uint32_t mtu;          /* 0: 1500 */
};

/* A veth pair, each end in its namespace; both are down.  On failure neither exists. */
must_check int rtnl_veth_create(struct rtnl *r, const struct rtnl_veth_end *a,
				const struct rtnl_veth_end *b);
must_check int rtnl_bridge_create(struct rtnl *r, const char *name);
/* A vxlan device in external (metadata) mode: VNI and remote come with each packet. */
must_check int rtnl_vxlan_create(struct rtnl *r, const char *name, uint16_t udp_port,
				 const struct mac *mac);
/* A geneve device likewise.  -EOPNOTSUPP: the kernel has none. */
must_check int rtnl_geneve_create(struct rtnl *r, const char *name, uint16_t udp_port,
				  const struct mac *mac);
must_check int rtnl_link_delete(struct rtnl *r, int ifindex);
must_check int rtnl_link_set_up(struct rtnl *r, int ifindex, bool up);
must_check int rtnl_link_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu);
must_check int rtnl_link_set_master(struct rtnl *r, int ifindex, int master_ifindex); /* 0: none */
must_check int rtnl_link_get(struct rtnl *r, int ifindex, struct rtnl_link *ret);
must_check int rtnl_link_find(struct rtnl *r, const char *name,
			      struct rtnl_link *ret); /* -ENODEV */

/* Addresses of links. */

struct rtnl_addr {
	int ifindex;
	struct ipaddr addr;
	uint8_t len;    /* of the on-link prefix, in the 128-bit space as in struct prefix */
	bool broadcast; /* to add: IPv4, with the last of the prefix for all (not when read) */
};

must_check int rtnl_addr_add(struct rtnl *r, const struct rtnl_addr *a); /* IPv6: without DAD */
must_check int rtnl_addr_delete(struct rtnl *r, const struct rtnl_addr *a);
must_check int rtnl_addr_dump(struct rtnl *r, int (*fn)(const struct rtnl_addr *a, void *data),
			      void *data);

/* Routes of the main table, which alone is read. */

struct rtnl_route {
	struct prefix dst; /* len 0 (::/0) or 96 of ::ffff:0:0 (0.0.0.0/0): the default routes */
	struct ipaddr gateway; /* zero: on link; of the family of 'dst' */
	struct ipaddr prefsrc; /* zero: the kernel chooses */
	int oif;               /* 0: found by the gateway */
	uint32_t mtu;          /* 0: the link's */
	uint32_t metric;       /* 0: the kernel's default */
	bool blackhole;        /* no way: 'gateway' and 'oif' unset */
	uint8_t table;         /* to change: of that table; 0: the main one */
};

must_check int rtnl_route_add(struct rtnl *r, const struct rtnl_route *route);
must_check int rtnl_route_replace(struct rtnl *r, const struct rtnl_route *route);
must_check int rtnl_route_delete(struct rtnl *r, const struct rtnl_route *route);
/* Asks the kernel which way packets to 'dst' go: fills dst (as a host prefix), gateway, prefsrc,
 * oif, mtu (0: the link's).  -ENETUNREACH, -EHOSTUNREACH: no way; -EINVAL: a blackhole or
 * prohibited. */
must_check int rtnl_route_get(struct rtnl *r, const struct ipaddr *dst, struct rtnl_route *ret);
must_check int rtnl_route_dump(struct rtnl *r,
			       int (*fn)(const struct rtnl_route *route, void *data), void *data);

/* Rules: what is sent from 'from' is looked up in 'table'.  -EEXIST: there is that rule. */
must_check int rtnl_rule_add(struct rtnl *r, const struct ipaddr *from, uint8_t table);

/* Neighbours. */

struct rtnl_neigh {
	int ifindex;
	struct ipaddr addr;
	struct mac mac; /* valid when 'resolved' */
	uint16_t state; /* NUD_* */
	bool resolved;  /* the state says that 'mac' may be used */
};

must_check int rtnl_neigh_get(struct rtnl *r, int ifindex, const struct ipaddr *addr,
			      struct rtnl_neigh *ret); /* -ENOENT: no entry */
/* Has the kernel resolve or re-confirm a neighbour (NTF_USE); its answer comes to a monitor. */
must_check int rtnl_neigh_probe(struct rtnl *r, int ifindex, const struct ipaddr *addr);
/* A permanent entry; replaces what is there. */
must_check int rtnl_neigh_set(struct rtnl *r, int ifindex, const struct ipaddr *addr,
			      const struct mac *mac);

/* The monitor: changes of all of the above in one namespace, as they happen. */

enum rtnl_event_kind {
	RTNL_EVENT_LINK,
	RTNL_EVENT_ADDR,
	RTNL_EVENT_ROUTE,
	RTNL_EVENT_NEIGH,
	RTNL_EVENT_LOST, /* events were lost: the receiver must look at everything anew */
};

struct rtnl_event {
	enum rtnl_event_kind kind;
	bool deleted;
	union {
		struct rtnl_link link;
		struct rtnl_addr addr;
		struct rtnl_route route;
		struct rtnl_neigh neigh;
	};
};

struct rtnl_monitor;
typedef void (*rtnl_event_fn)(const struct rtnl_event *e, void *data);

must_check int rtnl_monitor_open(rtnl_event_fn fn, void *data, struct rtnl_monitor **ret);
/* Non-blocking; readable when there are events: for a watch of the loop. */
int rtnl_monitor_fd(const struct rtnl_monitor *m);
/* Decodes what is there and calls 'fn' for each event.  'fn' must not close the monitor. */
must_check int rtnl_monitor_read(struct rtnl_monitor *m);
struct rtnl_monitor *rtnl_monitor_close(struct rtnl_monitor *m);
CLEANUP_DEFINE(struct rtnl_monitor *, rtnl_monitor_close);
