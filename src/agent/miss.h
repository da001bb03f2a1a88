/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The miss path: packets that came up because nobody knew where an address is.
 *
 * Concept.  The first packet about an address asks the manager; it and those behind it are held, in
 * order, within bounds per port and in all.  On the answer the mapping is written so that later
 * packets still come up ("settling"), the held ones are sent through the programs again, and when
 * no more wait the mapping goes live: the first packet is late, not lost, and none overtakes
 * another. A refusal is written as well, and the packets sent again, so that the programs answer
 * and count it as any other.  Out of time: the packets are dropped and counted here.
 *
 * miss_settle() is to be called by whoever reads upcalls once nothing waits to be read.
 *
 * Ownership: the miss path owns the upcalls that it holds.  Threading: the loop's.
 */
#pragma once

#include <stdint.h>

#include "agent/cache.h"
#include "agent/questions.h"
#include "base/hmap.h"

/* Why packets were dropped here; counted since the start. */
enum miss_drop {
	MISS_DROP_BOUND,   /* more than may be held, or may be asked for */
	MISS_DROP_TIMEOUT, /* no answer in time */
	MISS_DROP_LOOP,    /* came up again and again although its mapping is live */
	MISS_DROP_FAULT,   /* could not be written back, or asked for nothing that makes sense */
	MISS_DROP_MAX,
};

struct miss_ops {
	/* Who asks because of 'u': the primary address of the port that sends, the address that
	 * receives; for the world outside, on an edge, zero.  -ENOENT: there is no such port. */
	int (*asker)(const struct dp_upcall *u, struct ipaddr *ret, void *arg);
	/* The data plane's id of the manager's host 'number'.  -ENOENT: unknown here (yet). */
	int (*peer)(uint32_t number, uint32_t *ret_peer, void *arg);
	/* Something is settling: read what waits, then call miss_settle(). */
	void (*drain)(void *arg);
	/* Where an address is, is known now, and was not. */
	void (*learned)(const struct ipaddr *addr, void *arg);
	/* A mapping was told that this host cannot use. */
	void (*unwanted)(const struct answer *answer, void *arg);
};

struct miss {
	struct cache *cache;
	struct questions *questions;
	struct datapath *dp; /* NULL: none is open */
	const struct miss_ops *ops;
	void *arg;
	struct hmap pending; /* by VNI and address */
	struct hmap loads;   /* what each port makes us hold */
	size_t held_bytes;
	uint64_t drops[MISS_DROP_MAX];
	uint64_t n_asked, n_held, n_reinjected;
};

void miss_init(struct miss *m, struct cache *cache, struct questions *questions,
	       const struct miss_ops *ops, void *arg);
void miss_deinit(struct miss *m);
/* The data plane opened ('dp'), or is gone (NULL): what is held is dropped. */
void miss_set_datapath(struct miss *m, struct datapath *dp);

/* Takes an upcall of kind RESOLVE, ARP or VERIFY, which is the miss path's from now on. */
void miss_take(struct miss *m, struct dp_upcall *upcall);
void miss_settle(struct miss *m);
/* A mapping that came without being asked for (a push): answers what is pending for its address. */
must_check int miss_learn(struct miss *m, const struct answer *a);
/* One of a preloaded network, about which nothing is known or pending. */
must_check int miss_preload(struct miss *m, const struct answer *a);
/* Drops what a port that is gone has waiting. */
void miss_drop_port(struct miss *m, uint32_t port);
bool miss_is_pending(const struct miss *m, uint32_t vni, const struct ipaddr *addr);
