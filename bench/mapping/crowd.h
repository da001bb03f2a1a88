/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated agents of a cluster's first hosts, on a thread of their own.
 *
 * What differs (features, callbacks, 'user') is set between crowd_init() and crowd_start();
 * callbacks run on that thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "cluster.h"

struct crowd {
	struct cluster *cluster;
	struct sim_agent *agents;
	size_t n;
	pthread_t thread;
	atomic_bool stop;
};

void crowd_init(struct crowd *crowd, struct cluster *cluster, size_t n);
/* They connect one after another, each when the one before has been sent its state. */
void crowd_start(struct crowd *crowd);
/* Ends the thread and the sessions; the cluster stays. */
void crowd_deinit(struct crowd *crowd);
