/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Next hops: where packets for each peer leave this host.
 *
 * For each peer's substrate address the kernel's routing table is asked for the way; peers that
 * share a gateway share a next hop. Its neighbour entry is kept alive by probes, because the
 * programs send past the kernel, which would let it grow stale. While the neighbour is unknown the
 * next hop is "unresolved" and the programs leave the search to the kernel.
 *
 * The kernel is behind 'struct nexthop_kernel', so that all this runs without one in tests; changes
 * of routes, links and neighbours are told by nexthops_changed().
 *
 * Numbers that an earlier life of the agent gave, and that peers in the data plane still use, are
 * not given again before nexthops_forget_old().
 *
 * Ownership: embedded; the kernel is borrowed.  Threading: the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"
#include "base/loop.h"
#include "datapath/datapath.h"

/* One way out, as the kernel has it now. */
struct nexthop_way {
	int ifindex;
	struct ipaddr gateway; /* on link: the target itself */
};

struct nexthop_link {
	struct mac mac;
	uint16_t mtu;
};

struct nexthop_kernel {
	/* -ENETUNREACH and the like: no way. */
	int (*route)(void *arg, const struct ipaddr *target, struct nexthop_way *ret);
	int (*link)(void *arg, int ifindex, struct nexthop_link *ret);
	/* -ENODEV: no device has that name. */
	int (*find)(void *arg, const char *name, int *ret_ifindex, struct nexthop_link *ret);
	/* -EADDRNOTAVAIL: no device has that address. */
	int (*find_addr)(void *arg, const struct ipaddr *addr);
	/* What is known of the way to 'target' beside its first link: how large packets may be, 0:
	 * nothing. */
	int (*path_mtu)(void *arg, const struct ipaddr *target, uint16_t *ret);
	/* '*ret_mac' of a neighbour that may be used; -ENOENT: not known now. */
	int (*neighbour)(void *arg, const struct nexthop_way *way, struct mac *ret_mac);
	/* Has the kernel look for the neighbour, or confirm it; the outcome is told by a change. */
	int (*probe)(void *arg, const struct nexthop_way *way);
};

struct nexthop {
	struct hmap_node node;
	struct nexthop_way way;
	struct dp_nexthop dp;
	bool set;         /* the data plane has it as in 'dp' */
	uint32_t n_users; /* peers */
};

/* The next hop of 'peer' is now 'nexthop' (0: there is no way). */
typedef void (*nexthops_moved_fn)(uint32_t peer, uint32_t nexthop, void *arg);

struct nexthops {
	struct loop *loop;
	const struct nexthop_kernel *kernel;
	void *kernel_arg;
	struct datapath *dp;
	struct hmap peers; /* number -> target -> next hop */
	struct hmap hops;  /* by their way */
	uint32_t last_id, n_old;
	struct timer probe; /* keeps neighbours alive, and looks again for ways that are missing */
	struct timer look;  /* changes come in swarms: looked at once per swarm */
	nexthops_moved_fn moved;
	void *arg;
};

void nexthops_init(struct nexthops *n, struct loop *loop, const struct nexthop_kernel *kernel,
		   void *kernel_arg, nexthops_moved_fn moved, void *arg);
void nexthops_deinit(struct nexthops *n); /* the data plane keeps what it has */
/* The data plane opened, or is gone (NULL).  All peers are to be wanted anew. */
void nexthops_set_datapath(struct nexthops *n, struct datapath *dp);
/* 'id' is in use by what was adopted. */
void nexthops_note_old(struct nexthops *n, uint32_t id);
void nexthops_forget_old(struct nexthops *n);

/* The peer is reached at 'target' from now on; returns its next hop, 0 when there is no way
 * (yet). */
uint32_t nexthops_want(struct nexthops *n, uint32_t peer, const struct ipaddr *target);
void nexthops_drop(struct nexthops *n, uint32_t peer);
/* Something about routes, links or neighbours changed. */
void nexthops_changed(struct nexthops *n);
/* Whether packets to 'peer' have a resolved way; '*ret_text' says what is missing, for people. */
bool nexthops_reachable(const struct nexthops *n, uint32_t peer, const char **ret_text);
