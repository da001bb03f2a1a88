/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to peers that are narrower than the links at their ends.
 *
 * What a router of the substrate says about a packet of a node here the programs tell that node
 * (bpf/lib/icmp6.h).  About what an edge had from the world, or a node forwards for others, there
 * is nobody to be told; so for some minutes (RFC 8201 4) it is the peer's path MTU, by which the
 * programs refuse what is larger and tell its sender.  That of sealed packets is sealed_path.h's.
 *
 * A word is believed that makes a way narrower than it is known to be, and no narrower than IPv6
 * allows.
 *
 * Ownership: embedded; all else is borrowed.  Threading: the loop's.
 */
#pragma once

#include "agent/desired.h"
#include "base/hmap.h"
#include "base/loop.h"

struct narrow_paths {
	struct loop *loop;
	const struct desired *desired;
	struct hmap by_peer;
	struct timer forget;
	/* Something else is known of the way to the peer. */
	void (*changed)(uint32_t peer, void *arg);
	void *arg;
};

void narrow_paths_init(struct narrow_paths *p, struct loop *loop, const struct narrow_paths *with);
void narrow_paths_deinit(struct narrow_paths *p);
/* A router has said that packets to the peer may be so large. */
void narrow_paths_learn(struct narrow_paths *p, uint32_t peer, uint32_t mtu);
/* How large packets to this peer may be, at most 'mtu'.  'p' may be NULL. */
uint16_t narrow_paths_mtu(const struct narrow_paths *p, uint32_t peer, uint16_t mtu);
