/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded networks (MAP-7): the mappings of such a network are pushed whole to the hosts that
 * carry it, so that no packet between its nodes waits for an answer, and none is lost while no
 * manager runs.
 *
 * A VPC is marked by its tag "viaduct:preloaded" with the value "true": by its owner, or by an
 * operator.  Hosts are told with the network's subnets (plan.h), and keep what is pushed for as
 * long as both last.
 *
 * What a host may be pushed is what it may ask for.  A host with a node of the network: all but
 * link-local addresses, which are their subnet's alone.  An edge: what is behind its gateways and
 * public addresses. Of a network with more than LIMIT_PRELOAD_INTERFACES interfaces the oldest are
 * pushed (of each subnet in turn); the rest is asked for when it is needed, as in any other
 * network.
 *
 * Pure.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/refusal.h"

struct caller;
struct mapping;
struct model;
struct tx;
struct vpc;

#define PRELOAD_TAG "viaduct:preloaded"

/* The network is marked. */
bool preload_is_marked(const struct vpc *v);
/* Marks it, or takes the mark away.  VPC_NOT_FOUND, TAG_LIMIT */
must_check int preload_mark(struct tx *tx, const struct caller *c, const char *vpc_id, bool marked,
			    struct refusal *reterr);
/* The network is marked, and 'host' carries it. */
bool preload_is_due(const struct model *m, uint32_t host, uint32_t vni);
/* 'host', to which the network's mappings are due, is to have this one, which is somewhere. */
bool preload_concerns(const struct model *m, uint32_t host, const struct mapping *mapping);
/* New mappings of the network are pushed: it has not more interfaces than the limit. */
bool preload_has_room(const struct model *m, uint32_t vni);

/* A way through the mappings of a network that 'host' is to have, in the order of creation; it can
 * be left and gone on with later.  What is made meanwhile is met or not. */
struct preload_walk {
	uint32_t vni, host;
	uint64_t subnet, subnet_serial;       /* the one that is walked; 0: at the beginning */
	uint64_t interface, interface_serial; /* the last one that was met; 0: none in the subnet */
	size_t n_interfaces;
	size_t place; /* of the next address of the one met last */
};
/* Or NULL: at the end; or where '*budget' is 0 then, of which each interface and each address that
 * is looked at takes one, not yet. */
const struct mapping *preload_next(const struct model *m, struct preload_walk *walk,
				   size_t *budget);
