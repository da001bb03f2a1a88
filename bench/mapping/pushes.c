/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes: the time from a change of the model to the moment when the last agent has heard of it,
 * through the journal, the store's thread, the sessions and the clients' own loop; and to the
 * moment when the manager has all acknowledgements.
 *
 * Agents on hosts of their own do not wait for each other.  Here one thread has them all, so their
 * acknowledgements, which each sends when it has heard, begin when the last one has: else the
 * figure would be mostly the time that one thread needs to say a thousand times what a thousand
 * hosts say side by side.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"

enum { ROUNDS = 100 };

struct crowd;

/* Instances whose addresses everybody holds: one stops in each round. */
struct target {
	struct ipaddr addr;
	char instance[ID_TEXT_SIZE];
};

/* One agent and the address it asks with. */
struct holder_agent {
	struct sim_agent sim;
	struct ipaddr asker;
	struct crowd *crowd;
};

struct crowd {
	struct cluster *cluster;
	struct holder_agent *agents;
	size_t n;
	uint32_t vni;
	struct target targets[ROUNDS];
	atomic_size_t n_ready, n_told;
	_Atomic double last_told;
	atomic_size_t round;
	size_t acked; /* the round in which all acknowledged last; of the crowd's thread */
	atomic_bool stop;
};

static void told(struct sim_agent *sim, const Viaduct__Agent__Update *update)
{
	struct holder_agent *agent = sim->user;

	atomic_store(&agent->crowd->last_told, bench_seconds());
	atomic_fetch_add(&agent->crowd->n_told, 1);
}

static void resolved(struct sim_agent *sim, const Viaduct__Agent__Resolved *answers)
{
	struct holder_agent *agent = sim->user;

	if (answers->answers[0]->status != VIADUCT__AGENT__ANSWER__STATUS__OK)
		bench_die("the crowd was refused", -EINVAL);
	atomic_fetch_add(&agent->crowd->n_ready, 1);
}

static void ask_all(struct holder_agent *agent)
{
	for (size_t i = 0; i < ROUNDS; i++)
		if (sim_agent_ask(&agent->sim, VIADUCT__AGENT__QUESTION__KIND__SEND,
				  agent->crowd->vni, &agent->asker, &agent->crowd->targets[i].addr,
				  i))
			bench_die("question", -EIO);
}

/* Once all have heard. */
static void acknowledge(struct crowd *crowd)
{
	size_t round = atomic_load(&crowd->round);

	if (crowd->acked == round || atomic_load(&crowd->n_told) < crowd->n)
		return;
	for (size_t i = 0; i < crowd->n; i++)
		if (sim_agent_acknowledge_updates(&crowd->agents[i].sim))
			bench_die("acknowledgement", -EIO);
	crowd->acked = round;
}

static void *run_crowd(void *data)
{
	struct crowd *crowd = data;
	struct cluster_clients clients;

	cluster_clients_begin(&clients, crowd->cluster);
	for (size_t i = 0; i < crowd->n; i++) {
		cluster_connect(&clients, &crowd->agents[i].sim, i);
		while (!crowd->agents[i].sim.n_desired)
			cluster_turn(&clients);
	}
	for (size_t i = 0; i < crowd->n; i++) {
		ask_all(&crowd->agents[i]);
		cluster_turn(&clients);
	}
	while (!atomic_load(&crowd->stop)) {
		cluster_turn(&clients);
		acknowledge(crowd);
	}
	cluster_clients_end(&clients);
	return NULL;
}

/* Each host's first instance asks; the second ones of the first hosts are what is asked for. */
static void choose(struct crowd *crowd)
{
	const struct model *model = crowd->cluster->manager->model;
	const struct mapping_table *table = model_mappings(model);
	const struct interface *interface;
	const struct mapping *mapping;
	size_t n_targets = 0;

	for (size_t i = 0; i < mapping_count(table); i++) {
		mapping = mapping_at(table, i);
		if (!mapping->host)
			continue;
		crowd->vni = mapping->vni;
		/* Numbers are given in the order of registration, from 1. */
		if (ipaddr_is_zero(&crowd->agents[mapping->host - 1].asker)) {
			crowd->agents[mapping->host - 1].asker = mapping->addr;
		} else if (n_targets < ROUNDS) {
			interface = (const struct interface *)model_get(model, KIND_INTERFACE,
									mapping->interface);
			crowd->targets[n_targets].addr = mapping->addr;
			id_text(KIND_INSTANCE, interface->attachment.instance,
				crowd->targets[n_targets++].instance);
		}
	}
	if (n_targets < ROUNDS)
		bench_die("too few instances", -ENOENT);
}

static void stop_instance(struct cluster *cluster, const char *id)
{
	struct tx *tx = cluster_begin(cluster);
	struct instance_transition transition;
	struct refusal refusal = {0};

	cluster_submit(
		cluster, tx,
		instance_stop(tx, &cluster->population.customer, &id, 1, &transition, &refusal));
}

static bool all_run(const struct crowd *crowd)
{
	const struct instance *instance;
	struct refusal refusal;

	for (size_t i = 0; i < ROUNDS; i++)
		if (instance_find(crowd->cluster->manager->model,
				  &crowd->cluster->population.customer, crowd->targets[i].instance,
				  &instance, &refusal) ||
		    instance->state != INSTANCE_RUNNING)
			return false;
	return true;
}

static struct crowd *gather(struct cluster *cluster, size_t n, pthread_t *ret_thread)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		bench_die("crowd", -ENOMEM);
	crowd->cluster = cluster;
	crowd->n = n;
	crowd->agents = calloc(n, sizeof(*crowd->agents));
	if (!crowd->agents)
		bench_die("crowd", -ENOMEM);
	for (size_t i = 0; i < n; i++) {
		sim_agent_init(&crowd->agents[i].sim, cluster->population.host_ids[i]);
		crowd->agents[i].crowd = crowd;
		crowd->agents[i].sim.user = &crowd->agents[i];
		crowd->agents[i].sim.only_count = true;
		crowd->agents[i].sim.forget_mappings = true;
		crowd->agents[i].sim.acks_updates_later = true;
		crowd->agents[i].sim.on_update = told;
		crowd->agents[i].sim.on_resolved = resolved;
	}
	choose(crowd);
	if (pthread_create(ret_thread, NULL, run_crowd, crowd))
		bench_die("thread", -ENOMEM);
	while (atomic_load(&crowd->n_ready) < n * ROUNDS || !all_run(crowd))
		cluster_work(cluster);
	return crowd;
}

/* Whether the manager knows of each agent but the first 'n' that it has the update; '*n' of them it
 * was known of. */
static bool all_have_acknowledged(const struct cluster *cluster, size_t *n, size_t n_holders)
{
	const struct agents *agents = &cluster->manager->agents;

	while (*n < n_holders && !agents_find(agents, cluster->population.numbers[*n])->n_updates)
		++*n;
	return *n == n_holders;
}

void bench_push(size_t n_holders)
{
	/* Enough that each host has one that asks, and a hundred more. */
	struct cluster *cluster = cluster_new(n_holders, 2 * n_holders, NULL);
	double times[ROUNDS], acked[ROUNDS], begun, cpu = 0;
	struct crowd *crowd;
	pthread_t thread;

	crowd = gather(cluster, n_holders, &thread);
	for (size_t i = 0; i < ROUNDS; i++) {
		size_t n_acked = 0;

		atomic_store(&crowd->n_told, 0);
		atomic_store(&crowd->round, i + 1);
		begun = bench_seconds();
		cpu -= bench_cpu_seconds();
		stop_instance(cluster, crowd->targets[i].instance);
		while (atomic_load(&crowd->n_told) < n_holders)
			cluster_work(cluster);
		times[i] = 1000 * (atomic_load(&crowd->last_told) - begun);
		while (!all_have_acknowledged(cluster, &n_acked, n_holders))
			cluster_work(cluster);
		acked[i] = 1000 * (bench_seconds() - begun);
		cpu += bench_cpu_seconds();
		/* What follows is not to be in the next round. */
		for (begun = bench_seconds(); bench_seconds() < begun + 0.05;)
			cluster_work(cluster);
	}
	qsort(times, ROUNDS, sizeof(*times), bench_compare);
	qsort(acked, ROUNDS, sizeof(*acked), bench_compare);
	printf("{\"holders\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"acknowledged_p50_ms\": "
	       "%.2f, "
	       "\"acknowledged_p99_ms\": %.2f, \"manager_cpu_ms\": %.2f}\n",
	       n_holders, times[ROUNDS / 2], times[ROUNDS * 99 / 100], acked[ROUNDS / 2],
	       acked[ROUNDS * 99 / 100], 1000 * cpu / ROUNDS);
	atomic_store(&crowd->stop, true);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < n_holders; i++)
		sim_agent_deinit(&crowd->agents[i].sim);
	free(crowd->agents);
	free(crowd);
	cluster_free(cluster);
}
