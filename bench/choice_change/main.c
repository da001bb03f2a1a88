/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choice-change-bench HOSTS: the time from a policy that makes every pair of so many hosts use another format to the
 * moment when every direction of every pair has gone there: the receiver ready, the sender changed, the grace time over,
 * all of it acknowledged.  Through the journal, the store's thread, TLS sessions and the hosts' own loop.  Prints a
 * line of JSON.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "bench/mapping/cluster.h"
#include "model/choice_policy.h"

struct crowd {
	struct cluster *cluster;
	struct sim_agent *agents;
	size_t n;
	atomic_bool stop;
};

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

static bool all_confirmed(const struct crowd *crowd)
{
	const struct manager *manager = crowd->cluster->manager;

	for (size_t i = 0; i < crowd->n; i++) {
		const struct agent *agent =
			agents_find(&manager->agents, crowd->cluster->population.numbers[i]);

		if (!agent || !agent->session || agent->acknowledged < agent->sent ||
		    agent->outbox.n_unsent)
			return false;
	}
	return !journal_is_pending(manager->journal);
}

/* Nothing is changing, and every host has confirmed what it was told. */
static void wait_until_settled(struct crowd *crowd)
{
	do
		turn(crowd->cluster);
	while (model_count(crowd->cluster->manager->model, KIND_PAIR_SHIFT) || !all_confirmed(crowd));
}

/* All hosts are pinned to siit/1; returns the seconds that the call itself took. */
static double pin(struct crowd *crowd)
{
	static const struct caller the_operator = {.operator = true};
	const char *what[] = {"siit/1"};
	const struct choice_policy_args args = {.name = "pin", .effect = "pin", .what = what, .n_what = 1};
	const struct choice_policy *made;
	double begun = bench_seconds();
	struct refusal refusal;
	struct change *change;
	struct tx *tx;
	int r = tx_begin(crowd->cluster->manager->model, 1764000000000, &tx);

	if (!r)
		r = choice_policy_create(tx, &the_operator, &args, &made, &refusal);
	if (!r)
		r = tx_end(tx, &change);
	if (!r)
		r = journal_submit(crowd->cluster->manager->journal, change);
	if (r)
		bench_die("policy", r);
	return bench_seconds() - begun;
}

int main(int argc, char **argv)
{
	double begun, call, cpu;
	struct crowd crowd = {};
	pthread_t thread;
	uint32_t n_hosts;

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 2 || str_u32(argv[1], 2, POPULATION_HOSTS_MAX, &n_hosts)) {
		fprintf(stderr, "usage: choice-change-bench HOSTS\n");
		return 2;
	}
	crowd.cluster = cluster_new(n_hosts, 1, NULL);
	crowd.n = n_hosts;
	crowd.agents = calloc(n_hosts, sizeof(*crowd.agents));
	if (!crowd.agents)
		bench_die("agents", -ENOMEM);
	for (size_t i = 0; i < crowd.n; i++) {
		sim_agent_init(&crowd.agents[i], crowd.cluster->population.host_ids[i]);
		crowd.agents[i].formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2);
		crowd.agents[i].only_count = true;
	}
	if (pthread_create(&thread, NULL, run_crowd, &crowd))
		bench_die("thread", -ENOMEM);
	wait_until_settled(&crowd);
	while (agents_count_connected(&crowd.cluster->manager->agents) < crowd.n)
		turn(crowd.cluster);
	wait_until_settled(&crowd);
	begun = bench_seconds();
	cpu = bench_cpu_seconds();
	call = pin(&crowd);
	if (model_count(crowd.cluster->manager->model, KIND_PAIR_SHIFT) != crowd.n * (crowd.n - 1))
		bench_die("shifts", -EPROTO);
	wait_until_settled(&crowd);
	printf("{\"hosts\": %zu, \"call_ms\": %.1f, \"settled_s\": %.2f, \"grace_s\": %.1f, \"cpu_s\": %.2f}\n",
	       crowd.n, 1000 * call, bench_seconds() - begun, LIMIT_MODEL_SHIFT_GRACE_MS / 1000.0,
	       bench_cpu_seconds() - cpu);
	atomic_store(&crowd.stop, true);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < crowd.n; i++)
		sim_agent_deinit(&crowd.agents[i]);
	free(crowd.agents);
	cluster_free(crowd.cluster);
	return 0;
}
