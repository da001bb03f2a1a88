/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager on this thread, listening with TLS on the loopback, and simulated agents that a second
 * thread runs with a loop of its own.
 */
#pragma once

#include "base/loop.h"
#include "manager/gate.h"
#include "manager/manager.h"
#include "population.h"
#include "simulated/agent.h"
#include "store/store_memory.h"
#include "wire/pki.h"
#include "wire/tls.h"

#include <netinet/in.h>

struct cluster {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct manager *manager;
	struct gate *gate;
	struct population population;
	struct pki_pair ca, server;
	struct sockaddr_in addr;
};

/* At least 'n_hosts' hosts that can carry instances, and as many of these as asked for.  'store':
 * the path of an SQLite store to be made, or NULL for one in memory. */
struct cluster *cluster_new(size_t n_hosts, size_t n_instances, const char *store);
struct cluster *cluster_free(struct cluster *cluster);
/* Runs the manager until everything is durable. */
void cluster_settle(struct cluster *cluster);
/* Runs it for a moment: until something happens, or 10 ms. */
void cluster_work(struct cluster *cluster);
/* Every interface is attached, durably. */
bool cluster_all_attached(const struct cluster *cluster);
/* A transaction, and its end: submitted to the journal when 'r' is 0.  Failing ends the bench. */
struct tx *cluster_begin(struct cluster *cluster);
void cluster_submit(struct cluster *cluster, struct tx *tx, int r);

/* The clients' side, on a thread of its own. */
struct cluster_clients {
	struct cluster *cluster;
	struct loop *loop;
	struct clock clock;
};

void cluster_clients_begin(struct cluster_clients *clients, struct cluster *cluster);
void cluster_connect(struct cluster_clients *clients, struct sim_agent *agent, size_t host);
void cluster_turn(struct cluster_clients *clients);
/* Ends all sessions made here. */
void cluster_clients_end(struct cluster_clients *clients);
