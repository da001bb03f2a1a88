/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy-change-bench HOSTS MEMBERS: the time from a rule that is added to a security group with so
 * many members on so many hosts to the moment when the last of the hosts has confirmed it, through
 * the journal, the store's thread, TLS sessions and the hosts' own loop.  Prints a line of JSON;
 * run.py calls it.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "bench/mapping/crowd.h"
#include "model/group_rule.h"
#include "model/interface.h"

enum {
	ROUNDS = 200,
	RULES = 50, /* that the group has before */
	FIRST_PORT = 1000,
};

struct bench {
	struct crowd crowd;
	char group[ID_TEXT_SIZE];
	atomic_size_t n_groups;
};

static void told(struct sim_agent *sim, const Viaduct__Agent__Desired *desired)
{
	struct bench *b = sim->user;

	for (size_t i = 0; i < desired->n_set; i++)
		if (desired->set[i]->object_case == VIADUCT__AGENT__OBJECT__OBJECT_GROUP)
			atomic_fetch_add(&b->n_groups, 1);
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

/* One rule comes, or goes; returns the revision of that. */
static uint64_t change_rule(struct bench *b, int32_t port, bool add)
{
	const struct rule_args rule = {
		.protocol = "tcp", .from = &port, .to = &port, .cidr = "192.0.2.0/24"};
	const struct caller *customer = &b->crowd.cluster->population.customer;
	struct tx *tx = cluster_begin(b->crowd.cluster);
	const struct group_rule *made;
	struct refusal refusal;

	cluster_submit(b->crowd.cluster, tx,
		       add ? group_rule_authorize(tx, customer, b->group, false, &rule, 1, NULL, 0,
						  &made, &refusal)
			   : group_rule_revoke(tx, customer, b->group, false, &rule, 1, &refusal));
	return model_revision(b->crowd.cluster->manager->model);
}

static void wait_for_all(struct bench *b, uint64_t revision)
{
	while (!all_confirmed(&b->crowd, revision))
		cluster_work(b->crowd.cluster);
}

/* The default group, which every interface is in. */
static void choose_group(struct bench *b, size_t n_members)
{
	struct model_iter it = model_iter_kind(b->crowd.cluster->manager->model, KIND_INTERFACE);
	const struct interface *i;
	size_t n = 0;

	while ((i = (const struct interface *)model_iter_next(&it))) {
		id_text(KIND_SECURITY_GROUP, i->groups[0].id, b->group);
		n++;
	}
	if (n != n_members)
		bench_die("members", -ENOENT);
}

static void measure(struct bench *b)
{
	double times[ROUNDS], begun, cpu = 0;
	size_t told_before = 0;

	while (!cluster_all_attached(b->crowd.cluster))
		cluster_work(b->crowd.cluster);
	for (int32_t i = 0; i < RULES; i++)
		wait_for_all(b, change_rule(b, i, true));
	told_before = atomic_load(&b->n_groups);
	for (int32_t i = 0; i < ROUNDS; i++) {
		begun = bench_seconds();
		cpu -= bench_cpu_seconds();
		wait_for_all(b, change_rule(b, FIRST_PORT + i, true));
		times[i] = 1000 * (bench_seconds() - begun);
		cpu += bench_cpu_seconds();
		wait_for_all(b, change_rule(b, FIRST_PORT + i, false));
	}
	/* one item for each host, each time */
	if (atomic_load(&b->n_groups) - told_before != 2 * ROUNDS * b->crowd.n)
		bench_die("items", -EPROTO);
	qsort(times, ROUNDS, sizeof(*times), bench_compare);
	printf("{\"hosts\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"manager_cpu_ms\": %.2f}\n",
	       b->crowd.n, times[ROUNDS / 2], times[ROUNDS * 99 / 100], 1000 * cpu / ROUNDS);
}

int main(int argc, char **argv)
{
	uint32_t n_hosts, n_members;
	struct cluster *cluster;
	struct bench b = {};

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 3 || str_u32(argv[1], 1, POPULATION_HOSTS_MAX, &n_hosts) ||
	    str_u32(argv[2], 1, 62500, &n_members)) {
		fprintf(stderr, "usage: policy-change-bench HOSTS MEMBERS\n");
		return 2;
	}
	cluster = cluster_new(n_hosts, n_members, NULL);
	crowd_init(&b.crowd, cluster, n_hosts);
	for (size_t i = 0; i < n_hosts; i++) {
		b.crowd.agents[i].user = &b;
		b.crowd.agents[i].on_desired = told;
	}
	choose_group(&b, n_members);
	crowd_start(&b.crowd);
	measure(&b);
	crowd_deinit(&b.crowd);
	cluster_free(cluster);
	return 0;
}
