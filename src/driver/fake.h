/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake driver: nodes in memory, for tests and scenarios without a kernel. What it knows
 * outlives driver_free(): it belongs to a 'struct fake_nodes' of the test, as real nodes belong to
 * the host.
 *
 * Its jobs are done by the loop itself, at the end of the iteration or after as much of the loop's
 * time as the test wants them to take; so a test in virtual time sees them in the same order each
 * time.
 */
#pragma once

#include <stddef.h>

#include "base/loop.h"
#include "driver/driver.h"

enum { FAKE_NODES_MAX = 64, FAKE_INTERFACES_MAX = 8 };

struct fake_node {
	struct driver_node node; /* id "": a free place */
	struct driver_interface interfaces[FAKE_INTERFACES_MAX];
	int ifindexes[FAKE_INTERFACES_MAX];
	bool open[FAKE_INTERFACES_MAX];
	bool online[FAKE_INTERFACES_MAX];
	struct driver_address addresses[FAKE_INTERFACES_MAX]; /* that they were told, or zero */
	size_t n_addrs6[FAKE_INTERFACES_MAX];
	size_t n_interfaces;
};

/* Zeroed: an empty host. */
struct fake_nodes {
	struct fake_node nodes[FAKE_NODES_MAX];
	int last_ifindex;
	unsigned int n_starts, n_stops; /* that changed something */
	int fail_start;                 /* when not 0, what starts answer */
	int fail_stop, fail_plug;       /* likewise */
	/* Jobs about 'slow_node' ("": about any) take so long; what they do happens at their end,
	 * or at their beginning when 'slow_to_tell'. */
	uint64_t slow_ns;
	char slow_node[DRIVER_ID_SIZE];
	bool slow_to_tell;
	unsigned int n_jobs; /* that were submitted */
};

must_check int driver_fake_new(struct fake_nodes *nodes, struct loop *loop, struct driver **ret);
struct fake_node *fake_nodes_find(struct fake_nodes *nodes, const char *id); /* or NULL */
