/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy-change-bench HOSTS MEMBERS: the time from a rule that is added to a security group with so many
 * members on so many hosts to the moment when the last of the hosts has confirmed it, through the journal,
 * the store's thread, TLS sessions and the hosts' own loop.  Prints a line of JSON; run.py calls it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "bench/mapping/cluster.h"
#include "model/group_rule.h"
#include "model/interface.h"

enum {
	ROUNDS = 200,
	RULES = 50, /* that the group has before */
	FIRST_PORT = 1000,
};

struct crowd {
	struct cluster *cluster;
	struct sim_agent *agents;
	size_t n;
	char group[ID_TEXT_SIZE];
	atomic_size_t n_groups;
	atomic_bool stop;
};

static void told(struct sim_agent *sim, const Viaduct__Agent__Desired *desired)
{
	struct crowd *crowd = sim->user;

	for (size_t i = 0; i < desired->n_set; i++)
		if (desired->set[i]->object_case == VIADUCT__AGENT__OBJECT__OBJECT_GROUP)
			atomic_fetch_add(&crowd->n_groups, 1);
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

/* Every host has confirmed the revision. */
static bool all_confirmed(const struct crowd *crowd, uint64_t revision)
{
	for (size_t i = 0; i < crowd->n; i++) {
		const struct agent *agent = agents_find(&crowd->cluster->manager->agents,
							crowd->cluster->population.numbers[i]);

		if (!agent || agent->acknowledged < revision)
			return false;
	}
	return true;
}

static void submit(struct cluster *cluster, struct tx *tx, int r)
{
	struct change *change;

	if (!r)
		r = tx_end(tx, &change);
	if (!r)
		r = journal_submit(cluster->manager->journal, change);
	if (r)
		bench_die("change", r);
}

static struct tx *begin(struct cluster *cluster)
{
	struct tx *tx;
	int r = tx_begin(cluster->manager->model, 1764000000000, &tx);

	if (r)
		bench_die("tx_begin", r);
	return tx;
}

/* One rule comes, or goes; returns the revision of that. */
static uint64_t change_rule(struct crowd *crowd, int32_t port, bool add)
{
	const struct rule_args rule = {
		.protocol = "tcp", .from = &port, .to = &port, .cidr = "192.0.2.0/24"};
	const struct caller *customer = &crowd->cluster->population.customer;
	struct tx *tx = begin(crowd->cluster);
	const struct group_rule *made;
	struct refusal refusal;

	submit(crowd->cluster, tx,
	       add ? group_rule_authorize(tx, customer, crowd->group, false, &rule, 1, NULL, 0,
					  &made, &refusal)
		   : group_rule_revoke(tx, customer, crowd->group, false, &rule, 1, &refusal));
	return model_revision(crowd->cluster->manager->model);
}

static void wait_for_all(struct crowd *crowd, uint64_t revision)
{
	while (!all_confirmed(crowd, revision))
		turn(crowd->cluster);
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

/* The default group, which every interface is in. */
static void choose_group(struct crowd *crowd, size_t n_members)
{
	struct model_iter it = model_iter_kind(crowd->cluster->manager->model, KIND_INTERFACE);
	const struct interface *i;
	size_t n = 0;

	while ((i = (const struct interface *)model_iter_next(&it))) {
		id_text(KIND_SECURITY_GROUP, i->groups[0].id, crowd->group);
		n++;
	}
	if (n != n_members)
		bench_die("members", -ENOENT);
}

static void measure(struct crowd *crowd)
{
	double times[ROUNDS], begun, cpu = 0;
	size_t told_before = 0;

	while (!all_attached(crowd))
		turn(crowd->cluster);
	for (int32_t i = 0; i < RULES; i++)
		wait_for_all(crowd, change_rule(crowd, i, true));
	told_before = atomic_load(&crowd->n_groups);
	for (int32_t i = 0; i < ROUNDS; i++) {
		begun = bench_seconds();
		cpu -= bench_cpu_seconds();
		wait_for_all(crowd, change_rule(crowd, FIRST_PORT + i, true));
		times[i] = 1000 * (bench_seconds() - begun);
		cpu += bench_cpu_seconds();
		wait_for_all(crowd, change_rule(crowd, FIRST_PORT + i, false));
	}
	/* one item for each host, each time */
	if (atomic_load(&crowd->n_groups) - told_before != 2 * ROUNDS * crowd->n)
		bench_die("items", -EPROTO);
	qsort(times, ROUNDS, sizeof(*times), bench_compare);
	printf("{\"hosts\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"manager_cpu_ms\": %.2f}\n",
	       crowd->n, times[ROUNDS / 2], times[ROUNDS * 99 / 100], 1000 * cpu / ROUNDS);
}

int main(int argc, char **argv)
{
	uint32_t n_hosts, n_members;
	struct crowd crowd = {};
	pthread_t thread;

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 3 || str_u32(argv[1], 1, POPULATION_HOSTS_MAX, &n_hosts) ||
	    str_u32(argv[2], 1, 62500, &n_members)) {
		fprintf(stderr, "usage: policy-change-bench HOSTS MEMBERS\n");
		return 2;
	}
	crowd.cluster = cluster_new(n_hosts, n_members, NULL);
	crowd.n = n_hosts;
	crowd.agents = calloc(n_hosts, sizeof(*crowd.agents));
	if (!crowd.agents)
		bench_die("agents", -ENOMEM);
	for (size_t i = 0; i < crowd.n; i++) {
		sim_agent_init(&crowd.agents[i], crowd.cluster->population.host_ids[i]);
		crowd.agents[i].user = &crowd;
		crowd.agents[i].only_count = true;
		crowd.agents[i].on_desired = told;
	}
	choose_group(&crowd, n_members);
	if (pthread_create(&thread, NULL, run_crowd, &crowd))
		bench_die("thread", -ENOMEM);
	measure(&crowd);
	atomic_store(&crowd.stop, true);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < crowd.n; i++)
		sim_agent_deinit(&crowd.agents[i]);
	free(crowd.agents);
	cluster_free(crowd.cluster);
	return 0;
}
