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
	const char *addr; /* as it was asked for */
	char id[ID_TEXT_SIZE], eni[ID_TEXT_SIZE]; /* the instance, its primary interface */
};

/* All hosts are linked to the manager when it returns.  'dial' is called with 'arg'; NULL: world_dial() does. */
void cluster_init(struct cluster *c, size_t n_hosts, scenario_dial_fn dial, void *arg);
void cluster_deinit(struct cluster *c);
/* Runs a node on 'host' with the address 'addr', or one that is chosen (NULL), and waits until it does. */
void cluster_run(struct cluster *c, size_t host, const char *addr, struct cluster_node *ret);
