/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mappings that this host holds: which virtual address lives at which peer, for how long. It is
 * the agent's memory of the data plane's table and the only one that writes it.
 *
 * Life of a mapping:
 *
 *	          install            settle             soon over            unused: released
 *	(asked) ----------> SETTLING -------> LIVE ----------------> PROVING ----------------> (none)
 *	                        ^                                       |
 *	                        +------------- use: ask again ----------+
 *
 * SETTLING: packets that waited are being written back, later ones still come up and queue behind.
 * PROVING: the same to the programs, so that a packet shows that the mapping is in use; it is then
 * live again at once, and asked for again, which gives it a new lifetime. REFUSED and GONE are
 * short memories of a refusal and of a departure.
 *
 * Mappings of preloaded networks (MAP-7) have no lifetime: they stay LIVE until the manager says
 * otherwise, or the network is preloaded no longer, when they begin one.
 *
 * Lifetimes end only while connected to a manager (fail static): without one nothing ends, and on
 * the next connection all start anew, because the agent then says what it holds. Revisions never go
 * back.
 *
 * Ownership: the cache owns its mappings; a borrowed one lasts until the next change. Threading:
 * the loop's.  Errors: 0 or the data plane's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/heap.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/loop.h"
#include "datapath/datapath.h"

enum mapping_state {
	MAPPING_LIVE,
	MAPPING_SETTLING,
	MAPPING_PROVING,
	MAPPING_REFUSED,
	MAPPING_GONE,
};

/* What the manager says of an address: which host (or hosts, NIC-4: 'peer' is one of them), and the
 * security groups it is in. */
struct mapping_place {
	uint32_t peer;
	uint64_t revision;
	uint32_t n_groups, n_peers;     /* n_peers 0: 'peer' alone */
	uint32_t groups[DP_GROUPS_MAX]; /* ascending */
	uint32_t peers[DP_PEER_SET_MAX];
	uint32_t label; /* what stands for it at 'peer'; 0: nothing */
};

struct mapping {
	struct hmap_node node;
	struct heap_node order; /* by deadline */
	struct list settling;   /* while SETTLING */
	uint32_t vni;
	struct ipaddr addr;
	enum mapping_state state;
	uint32_t peer;
	uint32_t label;
	uint64_t revision;
	uint8_t n_groups, n_peers;
	uint32_t *lists;           /* the groups, then the peers; NULL: none */
	uint64_t deadline_ns;      /* when something happens: see the drawing */
	uint64_t end_ns;           /* of the lifetime */
	bool asked;                /* its renewal is under way */
	uint64_t repeats_since_ns; /* packets that came up though it is live */
	uint32_t n_repeats;
};

/* What the cache tells: 'mapping' is held no more (its lifetime is over, or there is no room). */
typedef void (*cache_released_fn)(const struct mapping *mapping, void *arg);

struct cache {
	struct loop *loop;
	struct datapath *dp; /* NULL until cache_adopt() */
	struct hmap mappings;
	struct heap order;
	struct list settling;
	struct timer timer;
	bool connected;
	uint32_t lease_s;
	size_t max;
	cache_released_fn released;
	void *arg;
	uint32_t *preloaded; /* VNIs, ascending */
	size_t n_preloaded;
};

void cache_init(struct cache *c, struct loop *loop, cache_released_fn released, void *arg);
void cache_deinit(struct cache *c); /* the data plane keeps its table */

/* Takes over what the data plane 'dp' has; earlier mappings of this cache are forgotten.  Those
 * that were being settled or proved when the last agent died become live. */
must_check int cache_adopt(struct cache *c, struct datapath *dp);
/* Forgets everything; 'dp' is gone. */
void cache_abandon(struct cache *c);

/* A session opened ('lease_s': its lifetimes; all lifetimes start now) or ended. */
void cache_connected(struct cache *c, uint32_t lease_s);
void cache_disconnected(struct cache *c);

struct mapping *cache_find(const struct cache *c, uint32_t vni, const struct ipaddr *addr);

/* What the manager answered or pushed.  'lifetime_s' 0: the session's.  A mapping with a newer
 * revision than 'revision' stays as it is.  A new one is SETTLING, one that was held in whatever
 * state for this peer or another stays or becomes what lets packets pass in order. */
must_check int cache_install(struct cache *c, uint32_t vni, const struct ipaddr *addr,
			     const struct mapping_place *place, uint32_t lifetime_s);
/* The preloaded networks are now 'vnis', ascending.  -ENOMEM, and nothing has changed. */
must_check int cache_set_preloaded(struct cache *c, const uint32_t *vnis, size_t n);
bool cache_is_preloaded(const struct cache *c, uint32_t vni);
/* What was pushed of a preloaded network and not known before: it is live at once, for nothing
 * waits for it. -ENOSPC: there is no room; nothing is pushed out for it. */
must_check int cache_preload(struct cache *c, uint32_t vni, const struct ipaddr *addr,
			     const struct mapping_place *place);
/* Drops all that is known of a network. */
void cache_drop_network(struct cache *c, uint32_t vni);
must_check int cache_refuse(struct cache *c, uint32_t vni, const struct ipaddr *addr);
must_check int cache_gone(struct cache *c, uint32_t vni, const struct ipaddr *addr,
			  uint64_t revision);
/* All that waited for SETTLING mappings is written back: they are live. */
void cache_settle(struct cache *c);
bool cache_is_settling(const struct cache *c);
/* A packet came up for a PROVING mapping: it is in use.  It is SETTLING now, and to be asked for
 * again. */
must_check int cache_use(struct cache *c, struct mapping *m);
/* Counts a packet that came up for a live mapping; false: too many, it goes round in circles. */
bool cache_repeat(struct cache *c, struct mapping *m);

/* Drops what is known about an address, or through a peer, without a word to anyone but
 * 'released'. */
void cache_drop(struct cache *c, uint32_t vni, const struct ipaddr *addr);
void cache_drop_peer(struct cache *c, uint32_t peer);
/* Drops a short memory (REFUSED, GONE), when there is one: the address is known to be alive. */
void cache_drop_negative(struct cache *c, uint32_t vni, const struct ipaddr *addr);

/* True for mappings that the manager must know to be here. */
bool mapping_is_held(const struct mapping *m);
const char *mapping_state_text(enum mapping_state state);
