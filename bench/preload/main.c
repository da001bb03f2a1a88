/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload-bench HOSTS NODES: the time from the mark that preloads a network of so many nodes on so
 * many hosts to the moment when the last host has acknowledged the last mapping.  Prints a line of
 * JSON.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "bench/mapping/crowd.h"
#include "model/holders.h"
#include "model/interface.h"
#include "model/preload.h"

struct bench {
	struct crowd crowd;
	atomic_size_t n_pushed;
};

static void pushed(struct sim_agent *sim, const Viaduct__Agent__Update *update)
{
	struct bench *b = sim->user;

	atomic_fetch_add(&b->n_pushed, update->n_mappings);
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

static void mark(struct cluster *cluster)
{
	struct model_iter it = model_iter_kind(cluster->manager->model, KIND_INTERFACE);
	const struct interface *i = (const struct interface *)model_iter_next(&it);
	struct tx *tx = cluster_begin(cluster);
	char vpc[ID_TEXT_SIZE];
	struct refusal refusal;

	cluster_submit(cluster, tx,
		       preload_mark(tx, &cluster->population.customer,
				    id_text(KIND_VPC, i->vpc, vpc), true, &refusal));
}

int main(int argc, char **argv)
{
	uint32_t n_hosts, n_nodes;
	struct cluster *cluster;
	struct bench b = {};
	double begun, cpu;
	size_t expected;

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 3 || str_u32(argv[1], 2, POPULATION_HOSTS_MAX, &n_hosts) ||
	    str_u32(argv[2], 2, 62500, &n_nodes)) {
		fprintf(stderr, "usage: preload-bench HOSTS NODES\n");
		return 2;
	}
	cluster = cluster_new(n_hosts, n_nodes, NULL);
	crowd_init(&b.crowd, cluster, n_hosts);
	for (size_t i = 0; i < n_hosts; i++) {
		b.crowd.agents[i].user = &b;
		b.crowd.agents[i].forget_mappings = true;
		b.crowd.agents[i].preloads = true;
		b.crowd.agents[i].on_update = pushed;
	}
	crowd_start(&b.crowd);
	while (agents_count_connected(&cluster->manager->agents) < n_hosts ||
	       !cluster_all_attached(cluster))
		cluster_work(cluster);
	/* each host all nodes but its own */
	expected = (size_t)n_nodes * (n_hosts - 1);
	begun = bench_seconds();
	cpu = bench_cpu_seconds();
	mark(cluster);
	while (atomic_load(&b.n_pushed) < expected || !all_acknowledged(&b.crowd))
		cluster_work(cluster);
	printf("{\"hosts\": %u, \"nodes\": %u, \"pushed\": %zu, \"seconds\": %.2f, \"cpu_s\": "
	       "%.2f, \"holders_mb\": %.1f}\n",
	       n_hosts, n_nodes, atomic_load(&b.n_pushed), bench_seconds() - begun,
	       bench_cpu_seconds() - cpu,
	       (double)holders_memory(model_holders(cluster->manager->model)) / 1e6);
	crowd_deinit(&b.crowd);
	cluster_free(cluster);
	return 0;
}
