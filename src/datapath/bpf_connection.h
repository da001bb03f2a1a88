/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: who has which part of the table of connections.
 *
 * Concept.  The table's sets are shared out in regions, a power of two of sets each, aligned to
 * their size: a port fills its own and pushes nobody else's connections out.  A port that asks for
 * a number of connections gets a region that holds them, or -ENOSPC; one that does not ask gets
 * what is left over when each port that may still come has its least, or a part of that: never
 * nothing, and the first ports get more.  A region that changes begins empty: what is in progress
 * is picked up by the rules (abi/connection.h).
 */
#pragma once

#include "datapath/bpf_host.h"

/* Sets of a table for so many connections: 0 is 65,536. */
uint32_t bpf_connection_sets(uint32_t max_connections);
/* The region of a port in groups: '*region', if it fits 'port' and the port has it now ('has'),
 * else a new empty one. */
must_check int bpf_connection_region(struct bpf_host *h, uint32_t slot, const struct dp_port *port,
				     bool has, struct dp_region *region);
int bpf_connections(struct datapath *dp, uint32_t port,
		    int (*fn)(const struct dp_connection *, void *), void *arg);
/* Of a set, what has become of its connections from 'before' to 'now' goes into 'current', another
 * copy of it that has changed, too: struct dp_connection_set (bpf_convert.c). */
void bpf_connection_merge(const void *before, const void *now, void *current);
