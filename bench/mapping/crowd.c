/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <errno.h>
#include <stdlib.h>

void crowd_init(struct crowd *crowd, struct cluster *cluster, size_t n)
{
	*crowd = (struct crowd){.cluster = cluster, .n = n};
	crowd->agents = calloc(n, sizeof(*crowd->agents));
	if (!crowd->agents)
		bench_die("agents", -ENOMEM);
	for (size_t i = 0; i < n; i++) {
		sim_agent_init(&crowd->agents[i], cluster->population.host_ids[i]);
		crowd->agents[i].only_count = true;
	}
}

static void *run(void *data)
{
	struct crowd *crowd = data;
	struct cluster_clients clients;

	cluster_clients_begin(&clients, crowd->cluster);
	for (size_t i = 0; i < crowd->n; i++) {
		cluster_connect(&clients, &crowd->agents[i], i);
		while (!crowd->agents[i].n_desired)
			cluster_turn(&clients);
	}
	while (!atomic_load(&crowd->stop))
		cluster_turn(&clients);
	cluster_clients_end(&clients);
	return NULL;
}

void crowd_start(struct crowd *crowd)
{
	if (pthread_create(&crowd->thread, NULL, run, crowd))
		bench_die("thread", -ENOMEM);
}

void crowd_deinit(struct crowd *crowd)
{
	atomic_store(&crowd->stop, true);
	pthread_join(crowd->thread, NULL);
	for (size_t i = 0; i < crowd->n; i++)
		sim_agent_deinit(&crowd->agents[i]);
	free(crowd->agents);
}
