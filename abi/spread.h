/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * One address on several hosts (NIC-4): which of them a connection goes to.
 *
 * Rendezvous hashing (Thaler and Ravishankar 1998): each host has a weight for the connection, the
 * highest takes it. A host that goes moves its own connections and no others; one that comes takes
 * its share of all, and of new ones alone, because a sender *pins* what has begun: the table 'pins'
 * says where each connection is.  A pin is written by the first packet of a connection, whichever
 * end begins it, and used as long as its host is one of the address's.
 *
 *	TCP	a pin serves whatever is no SYN; a SYN, which begins something, only one that was
 *		used lately
 *	other	a pin serves while it was used lately: after a silence the connection is a new one
 *
 * An ICMP error belongs to the connection that it quotes.  Of a packet in fragments the first one
 * has the ports, and leaves a pin for the others.  Pins are in a table that drops the least
 * recently used, and each port begins so many in a window: what is not pinned goes by its weights,
 * which is the same place while the hosts are the same.
 *
 * The one copy of the arithmetic, for the programs and for tests.
 */
#pragma once

#include <linux/types.h>

enum {
	DP_SPREAD_MAX = 16,    /* hosts of an address: DP_PEER_SET_MAX */
	DP_SPREADS_MAX = 8192, /* addresses on several hosts that are known here */
	DP_PINS_MAX = 32768,
	DP_PINS_PER_WINDOW = 512,       /* begun by one port: some 4,000 a second, */
	DP_PINS_PER_WINDOW_EDGE = 8192, /* and from the world beyond an edge */
	DP_PIN_TICKS = 180,             /* "lately" */
	DP_PIN_FRAGMENT_TICKS = 30,     /* DP_PASSED_TICKS */
};

/* As dp_mapping_value.peer: see 'spreads'. */
#define DP_PEER_SPREAD 0xffffffffU

/* spreads: hash dp_addr_key -> the hosts of an address, 0 this one, each once. */
struct dp_spread_value {
	__u32 n;
	__u32 peers[DP_SPREAD_MAX];
};

enum dp_pin_kind {
	DP_PIN_CONNECTION,
	DP_PIN_FRAGMENT, /* ports: the packet's identification */
};

/* pins: LRU hash.  'local' is the end that is here, 'remote' the address on several hosts. */
struct dp_pin_key {
	__u8 local[16], remote[16];
	__u32 ports; /* as in struct dp_connection_key */
	__u32 vni;
	__u16 slot; /* of the port that is 'local'; 0: the world beyond an edge */
	__u8 protocol;
	__u8 kind;
};

struct dp_pin_value {
	__u32 peer;
	__u32 seen; /* tick */
};

/* What the weights of a connection have in common. */
static inline __attribute__((always_inline, unused)) __u64
dp_spread_flow(const struct dp_pin_key *k)
{
	__u64 w[4], h;

	__builtin_memcpy(w, k->local, 16);
	__builtin_memcpy(w + 2, k->remote, 16);
	h = w[0] ^ (w[2] << 32 | w[2] >> 32) ^ k->vni;
	h = (h ^ h >> 32) * 0x9E3779B97F4A7C15ULL;
	h = (h ^ h >> 32 ^ w[1]) * 0xFF51AFD7ED558CCDULL;
	h = (h ^ h >> 32 ^ w[3]) * 0xC4CEB9FE1A85EC53ULL;
	h = (h ^ h >> 32 ^ k->ports ^ (__u64)k->protocol << 32) * 0x9E3779B97F4A7C15ULL;
	return h ^ h >> 32;
}

static inline __attribute__((always_inline, unused)) __u64 dp_spread_weight(__u64 flow, __u32 peer)
{
	__u64 h = (flow ^ (peer + 1ULL) * 0xD6E8FEB86659FD93ULL) * 0xFF51AFD7ED558CCDULL;

	h = (h ^ h >> 32) * 0xC4CEB9FE1A85EC53ULL;
	return h ^ h >> 29;
}

_Static_assert(sizeof(struct dp_spread_value) == 68, "struct dp_spread_value");
_Static_assert(sizeof(struct dp_pin_key) == 44, "struct dp_pin_key");
_Static_assert(sizeof(struct dp_pin_value) == 8, "struct dp_pin_value");
