/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload-bench HOSTS NODES: the time from the mark that preloads a network of so many nodes on so many hosts to the
 * moment when the last host has acknowledged the last mapping.  Prints a line of JSON.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "bench/mapping/cluster.h"
#include "model/holders.h"
#include "model/interface.h"
#include "model/preload.h"

struct crowd {
	struct cluster *cluster;
	struct sim_agent *agents;
	size_t n;
	atomic_size_t n_pushed;
	atomic_bool stop;
};

static void pushed(struct sim_agent *sim, const Viaduct__Agent__Update *update)
{
	struct crowd *crowd = sim->user;

	atomic_fetch_add(&crowd->n_pushed, update->n_mappings);
}

static void *run_crowd(void *data)
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

static void turn(struct cluster *cluster)
{
	if (loop_turn(cluster->loop, 10))
		bench_die("loop", -EIO);
}

static bool all_attached(const struct crowd *crowd)
{
	struct model_iter it = model_iter_kind(crowd->cluster->manager->model, KIND_INTERFACE);
	const struct interface *i;

	while ((i = (const struct interface *)model_iter_next(&it)))
		if (i->attachment.state != ATTACHMENT_ATTACHED)
			return false;
	return !journal_is_pending(crowd->cluster->manager->journal);
}

static bool all_acknowledged(const struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->n; i++) {
		const struct agent *agent = agents_find(&crowd->cluster->manager->agents,
							crowd->cluster->population.numbers[i]);

		if (!agent || agent->n_updates)
			return false;
	}
	return true;
}

static void mark(struct crowd *crowd)
{
	struct model *m = crowd->cluster->manager->model;
	struct model_iter it = model_iter_kind(m, KIND_INTERFACE);
	const struct interface *i = (const struct interface *)model_iter_next(&it);
	char vpc[ID_TEXT_SIZE];
	struct refusal refusal;
	struct change *change;
	struct tx *tx;
	int r = tx_begin(m, 1764000000000, &tx);

	if (!r)
		r = preload_mark(tx, &crowd->cluster->population.customer, id_text(KIND_VPC, i->vpc, vpc),
				 true, &refusal);
	if (!r)
		r = tx_end(tx, &change);
	if (!r)
		r = journal_submit(crowd->cluster->manager->journal, change);
	if (r)
		bench_die("mark", r);
}

int main(int argc, char **argv)
{
	uint32_t n_hosts, n_nodes;
	struct crowd crowd = {};
	double begun, cpu;
	pthread_t thread;
	size_t expected;

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 3 || str_u32(argv[1], 2, POPULATION_HOSTS_MAX, &n_hosts) ||
	    str_u32(argv[2], 2, 62500, &n_nodes)) {
		fprintf(stderr, "usage: preload-bench HOSTS NODES\n");
		return 2;
	}
	crowd.cluster = cluster_new(n_hosts, n_nodes, NULL);
	crowd.n = n_hosts;
	crowd.agents = calloc(n_hosts, sizeof(*crowd.agents));
	if (!crowd.agents)
		bench_die("agents", -ENOMEM);
	for (size_t i = 0; i < crowd.n; i++) {
		sim_agent_init(&crowd.agents[i], crowd.cluster->population.host_ids[i]);
		crowd.agents[i].user = &crowd;
		crowd.agents[i].only_count = true;
		crowd.agents[i].forget_mappings = true;
		crowd.agents[i].preloads = true;
		crowd.agents[i].on_update = pushed;
	}
	if (pthread_create(&thread, NULL, run_crowd, &crowd))
		bench_die("thread", -ENOMEM);
	while (agents_count_connected(&crowd.cluster->manager->agents) < crowd.n || !all_attached(&crowd))
		turn(crowd.cluster);
	/* each host all nodes but its own */
	expected = (size_t)n_nodes * (crowd.n - 1);
	begun = bench_seconds();
	cpu = bench_cpu_seconds();
	mark(&crowd);
	while (atomic_load(&crowd.n_pushed) < expected || !all_acknowledged(&crowd))
		turn(crowd.cluster);
	printf("{\"hosts\": %zu, \"nodes\": %u, \"pushed\": %zu, \"seconds\": %.2f, \"cpu_s\": %.2f, \"holders_mb\": %.1f}\n",
	       crowd.n, n_nodes, atomic_load(&crowd.n_pushed), bench_seconds() - begun,
	       bench_cpu_seconds() - cpu,
	       (double)holders_memory(model_holders(crowd.cluster->manager->model)) / 1e6);
	atomic_store(&crowd.stop, true);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < crowd.n; i++)
		sim_agent_deinit(&crowd.agents[i]);
	free(crowd.agents);
	cluster_free(crowd.cluster);
	return 0;
}
