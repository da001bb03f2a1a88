/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who owns what at the border (EDGE-1, EDGE-2): each public address that is associated, and each
 * gateway, belongs to one edge, a host with that role.  It is given to the connected edge that has
 * the least, and stays there while the edge lives.  An edge that is removed, that has gone silent
 * (host_set_silent()), or whose agent has been away for longer than LIMIT_MODEL_EDGE_LOST_MS loses
 * all to the others, and does not get it back when it returns.  One that is drained gives it to
 * them, NAT gateways with what they translate, and gets nothing new.  While there is no other it
 * keeps it: it may be forwarding yet.  What no edge has now belongs to 0.
 *
 * A lost edge may still be answering: it was told nothing.  Whoever gets an address announces it on
 * the uplink, and the uplink's neighbours believe the last one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct host;
struct model;
struct object;
struct tx;

/* The connected edge with the least that is not drained, or 0. */
uint32_t edge_choose(const struct model *m);
/* It is a host with that role. */
bool edge_is(const struct model *m, uint32_t number);
/* Addresses and gateways that it has. */
size_t edge_load(const struct model *m, uint32_t number);
/* The edge that has a gateway or address for a network; false: 'o' is nothing of the kind now. */
bool edge_serves(const struct object *o, uint32_t *ret_vni, uint32_t *ret_host);

/* Whether edge_settle() may have anything to do: spares the transaction.  'now_ms' is of a clock
 * that does not jump; it also notes since when edges have been disconnected. */
bool edge_due(struct model *m, uint64_t now_ms);
/* Takes what lost and drained edges have, and gives what no edge has, at most 'max' things. */
must_check int edge_settle(struct tx *tx, uint64_t now_ms, size_t max);
/* What is left on a host that is drained, and what becomes of it. */
struct host;
enum edge_drain {
	EDGE_DRAIN_EMPTY,
	EDGE_DRAIN_INSTANCES, /* nothing else */
	EDGE_DRAIN_MOVES,     /* gateways and public addresses, which go to other edges */
	EDGE_DRAIN_NO_OTHER,  /* the same, and there is none that could have them */
};
enum edge_drain edge_drain_of(const struct model *m, const struct host *h);
/* Part of host_remove(): everything goes to others. */
must_check int edge_evacuate(struct tx *tx, const struct host *h);

/* Of a drained edge, while it lives: its NAT gateways that work are not taken but handed over, with
 * what they translate (manager/handoff.h), one by one.  Who may get the next one: not 'but', if
 * there is another; 0: 'from' hands nothing over (then edge_settle() takes all), or there is nobody
 * that could be given it. */
uint32_t edge_heir(const struct model *m, uint32_t from, uint32_t but);
/* One of those, which is not to be skipped, or NULL. */
struct nat_gateway;
const struct nat_gateway *edge_handed_over(const struct model *m, uint32_t from,
					   bool (*skip)(void *data, const struct nat_gateway *g),
					   void *data);
/* It is another edge's from now on. */
must_check int edge_hand_over(struct tx *tx, uint64_t gateway, uint32_t to);

/* May the edge know where 'addr' is?  Behind one of its public addresses or gateways: MAP-2.
 * Likewise who forwards into a network that it serves (interface_forwarding()). */
struct ipaddr;
bool edge_may_know(const struct model *m, uint32_t host, uint32_t vni, const struct ipaddr *addr);
