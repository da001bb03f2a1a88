/* SPDX-License-Identifier: Apache-2.0 */
/* A world (world.h) whose hosts all run the whole agent (host.h), and the nodes that they run. */
#pragma once

#include "host.h"
#include "world.h"

struct cluster {
	struct world *w;
	struct fake_world *substrate;
	size_t n_hosts;
	struct scenario_host *hosts[WORLD_HOSTS];
};

struct cluster_node {
	size_t host;
	const char *addr;                         /* as it was asked for */
	char id[ID_TEXT_SIZE], eni[ID_TEXT_SIZE]; /* the instance, its primary interface */
};

/* All hosts are linked to the manager when it returns.  'dial' is called with 'arg'; NULL:
 * world_dial() does. */
void cluster_init(struct cluster *c, size_t n_hosts, scenario_dial_fn dial, void *arg);
void cluster_deinit(struct cluster *c);
/* One host more, an edge that is linked to the manager; its index. */
size_t cluster_add_edge(struct cluster *c);
/* Runs a node on 'host' with the address 'addr', or one that is chosen (NULL), and waits until it
 * does. */
void cluster_run(struct cluster *c, size_t host, const char *addr, struct cluster_node *ret);

/* What many scenarios begin with: node a on the first host (10.0.0.4), b on the second
 * (10.0.0.5). */
struct cluster_pair {
	struct cluster c;
	struct cluster_node a, b;
	uint32_t n_sent; /* for the scenario: numbers of packets */
};

struct cluster_pair *cluster_pair_new(size_t n_hosts);
/* cmocka's teardown of a state that is a pair. */
int cluster_pair_teardown(void **state);
