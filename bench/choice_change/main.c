/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choice-change-bench HOSTS: the time from a policy that makes every pair of so many hosts use
 * another format to the moment when every direction of every pair has gone there: the receiver
 * ready, the sender changed, the grace time over, all of it acknowledged.  Through the journal, the
 * store's thread, TLS sessions and the hosts' own loop.  Prints a line of JSON.
 *
 * Then one host reports that it cannot do that any more, which all others go by; then a host is
 * added, and one removed.
 *
 * Whoever asks the manager something meanwhile waits for the call, and then for no more than a turn
 * of its loop: the longest one is shown, as processor time, with what it was spent for, and how long
 * turns of more than 10 ms were together.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "manager/intake.h"
#include "bench/mapping/crowd.h"
#include "model/choice_policy.h"
#include "model/choice_preview.h"
#include "model/choice_progress.h"
#include "model/host.h"
#include "model/pair.h"
#include "turns.h"

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
static void wait_until_settled(struct crowd *crowd, struct turns *turns)
{
	do {
		turns_begin();
		cluster_work(crowd->cluster);
		turns_end(turns);
	} while (host_report_due(crowd->cluster->manager->model) ||
		 !list_empty(&crowd->cluster->manager->news) ||
		 choice_progress_of_all(crowd->cluster->manager->model) != CHOICE_EFFECTIVE ||
		 model_count(crowd->cluster->manager->model, KIND_PAIR_SHIFT) ||
		 !all_confirmed(crowd));
}

static void wait_until_durable(struct cluster *cluster, struct turns *turns)
{
	while (journal_is_pending(cluster->manager->journal)) {
		turns_begin();
		cluster_work(cluster);
		turns_end(turns);
	}
}

/* Whether the first host sends to all others, and they to it, as the policy has it. */
static bool is_as_pinned(const struct cluster *cluster, size_t n_hosts)
{
	const struct model *m = cluster->manager->model;
	const struct host *first = host_by_number(m, cluster->population.numbers[0]);

	for (size_t i = 1; i < n_hosts; i++) {
		const struct host *other = host_by_number(m, cluster->population.numbers[i]);
		struct choice out, back;

		pair_choice(m, first, other, &pair_all, &out);
		pair_choice(m, other, first, &pair_all, &back);
		if (out.send != FORMAT_SIIT_1 || back.send != FORMAT_SIIT_1)
			return false;
	}
	return true;
}

/* All hosts are pinned to siit/1. */
static int create_pin(struct tx *tx, void *arg)
{
	static const struct caller the_operator = {.is_operator = true};
	const char *what[] = {"siit/1"};
	const struct choice_policy_args args = {
		.name = "pin", .effect = "pin", .what = what, .n_what = 1};
	const struct choice_policy *made;
	struct refusal refusal;

	(void)arg;
	return choice_policy_create(tx, &the_operator, &args, &made, &refusal);
}

static int count(void *data, const struct pair_difference *d)
{
	(void)d;
	++*(size_t *)data;
	return 0;
}

/* Returns the seconds that the call itself took, with what it says of all pairs. */
static double pin(struct cluster *cluster, size_t n_hosts)
{
	double begun = bench_seconds();
	struct tx *tx = cluster_begin(cluster);
	size_t n = 0;

	cluster_submit(cluster, tx, choice_operate(tx, create_pin, NULL, count, &n));
	if (n != n_hosts * (n_hosts - 1))
		bench_die("differences", -EPROTO);
	return bench_seconds() - begun;
}

/* The first one has siit/1 no more: as its agent says it. */
static void report(struct cluster *cluster)
{
	Viaduct__Agent__Capabilities can = VIADUCT__AGENT__CAPABILITIES__INIT;
	struct agent *agent =
		agents_find(&cluster->manager->agents, cluster->population.numbers[0]);

	can.formats = FORMAT_BIT(FORMAT_SIIT_2);
	can.substrate_mtu = 1500;
	can.probed_at = 1;
	intake_capabilities(cluster->manager, agent, &can);
}

static bool is_without_traffic(const struct cluster *cluster)
{
	const struct model *m = cluster->manager->model;
	struct choice choice;

	pair_choice(m, host_by_number(m, cluster->population.numbers[0]),
		    host_by_number(m, cluster->population.numbers[1]), &pair_all, &choice);
	return choice.send == FORMAT_NONE;
}

/* One that is added, or removed, in a call; returns the seconds that it took. */
static double call_about_host(struct cluster *cluster, bool add)
{
	static const struct caller the_operator = {.is_operator = true};
	const uint32_t rack = 99;
	const struct host_add_args args = {.name = "another", .v6 = "fd00::99:1", .rack = &rack};
	double begun = bench_seconds();
	struct tx *tx = cluster_begin(cluster);
	const struct host *host;
	struct refusal refusal;

	cluster_submit(cluster, tx,
		       add ? host_add(tx, &the_operator, &args, &host, &refusal)
			   : host_remove(tx, &the_operator, "h2", true, &refusal));
	return bench_seconds() - begun;
}

int main(int argc, char **argv)
{
	double begun, call, cpu, added, removed;
	struct turns turns = {0}, of_report = {0}, of_hosts = {0};
	struct cluster *cluster;
	struct crowd crowd;
	uint32_t n_hosts;

	log_set_level(LOG_LEVEL_WARN);
	if (argc != 2 || str_u32(argv[1], 2, POPULATION_HOSTS_MAX, &n_hosts)) {
		fprintf(stderr, "usage: choice-change-bench HOSTS\n");
		return 2;
	}
	cluster = cluster_new(n_hosts, 1, NULL);
	crowd_init(&crowd, cluster, n_hosts);
	for (size_t i = 0; i < n_hosts; i++)
		crowd.agents[i].formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2);
	crowd_start(&crowd);
	wait_until_settled(&crowd, &(struct turns){0});
	while (agents_count_connected(&cluster->manager->agents) < n_hosts)
		cluster_work(cluster);
	wait_until_settled(&crowd, &(struct turns){0});
	begun = bench_seconds();
	cpu = bench_cpu_seconds();
	call = pin(cluster, n_hosts);
	if (is_as_pinned(cluster, n_hosts))
		bench_die("nothing changes", -EPROTO);
	wait_until_settled(&crowd, &turns);
	if (!is_as_pinned(cluster, n_hosts))
		bench_die("not as pinned", -EPROTO);
	printf("{\"hosts\": %u, \"call_ms\": %.1f, \"settled_s\": %.2f, \"grace_s\": %.1f, "
	       "\"cpu_s\": %.2f, ",
	       n_hosts, 1000 * call, bench_seconds() - begun, LIMIT_MODEL_SHIFT_GRACE_MS / 1000.0,
	       bench_cpu_seconds() - cpu);
	turns_print("policy", &turns);
	begun = bench_seconds();
	report(cluster);
	wait_until_settled(&crowd, &of_report);
	if (!is_without_traffic(cluster))
		bench_die("not as reported", -EPROTO);
	printf(", \"report_settled_s\": %.2f, ", bench_seconds() - begun);
	turns_print("report", &of_report);
	added = call_about_host(cluster, true);
	wait_until_durable(cluster, &of_hosts);
	removed = call_about_host(cluster, false);
	wait_until_durable(cluster, &of_hosts);
	printf(", \"add_ms\": %.1f, \"remove_ms\": %.1f, ", 1000 * added, 1000 * removed);
	turns_print("hosts", &of_hosts);
	printf("}\n");
	crowd_deinit(&crowd);
	cluster_free(cluster);
	return 0;
}
