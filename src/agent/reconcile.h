/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what is desired to what is: brings the data plane's tables and the driver's nodes to the
 * desired state.
 *
 * Two ways.  reconcile_some() applies named objects, after a Desired that brought differences.
 * reconcile_full() reads what the data plane and the driver really have and changes what differs:
 * at the start, after a full Desired, and now and then. Both are idempotent and end in the same
 * state; what is as it should be is not touched. The order never cuts what is to stay, and never
 * opens what is to be closed: ports go before nodes, and peers, groups, ACLs and route tables come
 * before what names them and go after it.
 *
 * A run ends with the data plane as it is to be, but for ports of nodes that are not ready.  What
 * is to be done with nodes goes on behind it, in steps off the loop (agent/node.h), one after
 * another for a node and side by side for several; a node is *pending* until it is as it is
 * desired.  Nothing that the network alone is about waits for that: a port goes, or gets other
 * addresses, at once.
 *
 * A node's start: the driver makes it, its interfaces are plugged and become ports, then it is told
 * that it is online. If any of this fails at a start, the node is ended and reported FAILED, and
 * not started again before a new start is asked for. Everything else that fails is kept with its
 * node, and tried again by the next full run.
 *
 * Ownership: borrows all it works on.  Threading: the loop's.  No I/O of its own.
 */
#pragma once

#include "agent/cache.h"
#include "agent/desired.h"
#include "agent/failures.h"
#include "agent/miss.h"
#include "agent/nexthop.h"
#include "agent/node.h"
#include "agent/ports.h"
#include "agent/narrow_path.h"
#include "agent/sealed_path.h"

struct handoff;

struct instance_status {
	const char *id;
	uint64_t generation;
	Viaduct__Agent__InstanceStatus__State state;
	const char *text;
};

struct reconcile {
	struct datapath *dp;   /* NULL: none is open */
	struct driver *driver; /* the loop's: driver_nodes() */
	struct nodes *nodes;
	struct desired *desired;
	struct ports *ports;
	struct nexthops *nexthops;
	struct cache *cache;
	struct miss *miss;
	const struct sealed_paths *sealed_paths; /* NULL: nothing is known of paths */
	const struct narrow_paths *narrow_paths; /* likewise */
	struct handoff *handoff; /* NAT gateways on their way to other edges, and from them */
	/* An instance was brought to, or found in, a state. */
	void (*status)(const struct instance_status *status, void *arg);
	/* An instance that was pending is not any more. */
	void (*settled)(void *arg);
	/* A port is there, or has other addresses. */
	void (*online)(const struct port *port, void *arg);
	void *arg;
	uint64_t round; /* counts runs */
	/* counts openings of the data plane: what an earlier one took may be gone */
	uint64_t opening;
	const uint64_t *revision; /* that was applied last */
	/* What is desired is what an agent before this one was told, the manager has said nothing
	 * yet: an edge's public addresses may be another one's by now. Those that the data plane
	 * has stay, none is added. */
	bool remembers;
	uint64_t n_set,
		n_deleted; /* records written to the data plane, starts and stops of nodes */
};

/* What one run works with. */
struct reconcile_run {
	struct reconcile *r;
	struct failures *failures; /* but for those of nodes */
	bool changed;              /* something else is desired than before */
};

/* What a full run found in the data plane and nobody wants: deleted after the walk.  What is wanted
 * and as it is to be carries the number of the run. */
struct reconcile_actual {
	struct reconcile *r;
	struct desired_key *unwanted;
	size_t n;
};

must_check int reconcile_note_unwanted(struct reconcile_actual *a, const struct desired_key *key);

/* 'changed': else it only looks whether all is still as it was desired. */
void reconcile_full(struct reconcile *r, bool changed, struct failures *failures);
void reconcile_some(struct reconcile *r, const struct desired_key *keys, size_t n_keys,
		    struct failures *failures);
/* Looks for nodes that ended by themselves: gives their ports back and reports them. */
void reconcile_check(struct reconcile *r);
/* The answers of a node's step have come (node_done_fn; 'arg' is the struct reconcile). */
void reconcile_on_node(struct node *n, void *arg);
/* Writes the peer again: its next hop is another one, or something else is known of the way to
 * it. */
must_check int reconcile_peer(struct reconcile *r, struct desired_peer *p);
/* How large packets to the peer may be, as far as is known here. */
uint16_t reconcile_peer_mtu(const struct reconcile *r, const struct desired_peer *p);
/* Who wants a next hop: a peer for itself (variants by their format), back to the peer. */
uint32_t reconcile_wanting_peer(uint32_t wanting);

/* ---- policy, ways out, what an edge has (reconcile_way.c), used by the two runs ---- */

must_check int reconcile_way_set(struct reconcile *r, enum desired_kind kind,
				 struct desired_item *item);
must_check int reconcile_way_delete(struct reconcile *r, const struct desired_key *key);
must_check int reconcile_see_ways(struct reconcile_actual *a);
/* The ways to the Internet of an interface's addresses, as its port has them. */
void reconcile_exits(const struct reconcile *r, const struct desired_interface *i,
		     struct dp_port *port);

/* ---- instances (reconcile_node.c, reconcile_step.c), used by the two runs ---- */

/* Begins the steps that lead the node to what is desired. */
void reconcile_look(struct node *n);
void reconcile_tell(struct reconcile *r, const char *id, uint64_t generation,
		    Viaduct__Agent__InstanceStatus__State state, const char *text);
void reconcile_instance(struct reconcile_run *run, const char *id);
void reconcile_interface(struct reconcile_run *run, const char *id);
/* The ports of private NAT gateways. */
void reconcile_gateways(struct reconcile_run *run);
/* Ends what the driver has and nobody wants. */
void reconcile_unwanted_nodes(struct reconcile_run *run);
void reconcile_unwanted_ports(struct reconcile_run *run);
