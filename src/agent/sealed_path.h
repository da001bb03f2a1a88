/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large packets may be on the way of datagrams that are the host's own: sealed ones, and those
 * of the kernel's VXLAN and Geneve devices, which reip4 has beside it.
 *
 * What a router on the way says about one that was too big for its link (RFC 8201, RFC 1191) quotes
 * nothing that a node would know again, so the programs can tell the node nothing.  But the kernel
 * takes it, if it is about a datagram of a socket of the worker or of a device, and keeps it with
 * the route for some minutes.  Here the kernel is asked, for peers to which something was sealed
 * since the last time, for those that tunnels lead to, and for those of which something is known;
 * what it says becomes the peer's path MTU, with which the programs tell nodes themselves.
 *
 * Ownership: embedded; all else is borrowed.  Threading: the loop's.
 */
#pragma once

#include "agent/desired.h"
#include "agent/nexthop.h"
#include "agent/sealing.h"
#include "base/hmap.h"
#include "base/loop.h"

struct sealed_paths {
	const struct nexthop_kernel *kernel;
	void *kernel_arg;
	const struct desired *desired;
	const struct sealing *sealing;
	struct hmap by_peer;
	struct timer look;
	uint64_t round; /* each peer is looked at once in one */
	/* Something else is known of the way to the peer. */
	void (*changed)(uint32_t peer, void *arg);
	void *arg;
};

void sealed_paths_init(struct sealed_paths *p, struct loop *loop, const struct sealed_paths *with);
void sealed_paths_deinit(struct sealed_paths *p);
/* There is a data plane, or none (any more): whether it is looked. */
void sealed_paths_run(struct sealed_paths *p, bool on);
/* What goes in this format does, or may do, so by a device of the kernel's. */
bool sealed_paths_is_of_kernel(enum format send);
/* What packets with their seal may have to go to this peer, over IPv6 or IPv4; at most 'mtu'.  'p'
 * may be NULL. */
uint16_t sealed_paths_mtu(const struct sealed_paths *p, uint32_t peer, bool v6, uint16_t mtu);
