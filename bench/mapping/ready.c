/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more interface: the time from the request to run an instance until the model, durably, says
 * that it runs, with hosts that confirm at once; and how long the manager takes to start with what
 * is there.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crowd.h"
#include "manager/persist.h"
#include "store/store.h"
#include "store/store_sqlite.h"

enum { READY_HOSTS = 10, READY_ROUNDS = 200 };

static bool runs(struct cluster *cluster, const char *id)
{
	const struct instance *instance;
	struct refusal refusal;

	return !journal_is_pending(cluster->manager->journal) &&
	       !instance_find(cluster->manager->model, &cluster->population.customer, id, &instance,
			      &refusal) &&
	       instance->state == INSTANCE_RUNNING;
}

static double run_one(struct cluster *cluster)
{
	double begun = bench_seconds();
	char id[ID_TEXT_SIZE];

	population_run_one(&cluster->population, id);
	while (!runs(cluster, id))
		cluster_work(cluster);
	return 1000 * (bench_seconds() - begun);
}

void bench_ready(size_t n_interfaces, const char *store)
{
	struct cluster *cluster = cluster_new(READY_HOSTS, n_interfaces, store);
	double times[READY_ROUNDS];
	struct crowd hosts;

	crowd_init(&hosts, cluster, READY_HOSTS);
	crowd_start(&hosts);
	while (agents_count_connected(&cluster->manager->agents) < READY_HOSTS)
		cluster_work(cluster);
	run_one(cluster);
	for (size_t i = 0; i < READY_ROUNDS; i++)
		times[i] = run_one(cluster);
	qsort(times, READY_ROUNDS, sizeof(*times), bench_compare);
	printf("{\"interfaces\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n", n_interfaces,
	       times[READY_ROUNDS / 2], times[READY_ROUNDS * 99 / 100]);
	crowd_deinit(&hosts);
	cluster_free(cluster);
}

static void store_change(struct change *change, void *data)
{
	const struct store_batch *batches[1];
	struct store_batch batch;
	int r;

	store_batch_init(&batch);
	batches[0] = &batch;
	r = persist_change(change, &batch);
	if (!r)
		r = store_commit(data, batches, 1);
	if (r)
		bench_die("store", r);
	store_batch_deinit(&batch);
	change_free(change);
}

static struct store *open_store(const char *path)
{
	struct store_error error;
	struct store *store;
	int r = store_sqlite_open(path, &store, &error);

	if (r)
		bench_die(error.text, r);
	return store;
}

static void fill_store(size_t n_mappings, uint32_t n_addrs, const char *path)
{
	struct population p = {.model = population_model(), .submit = store_change};
	struct store *store = open_store(path);
	bool more;
	int r = 0;

	p.data = store;
	population_add_hosts(&p, population_hosts_for(n_mappings / n_addrs, READY_HOSTS));
	population_enable_hosts(&p);
	population_add_instances(&p, n_mappings / n_addrs, n_addrs);
	/* As a manager that has run for a while leaves it.  At first a store only looks for what an
	 * earlier compaction left. */
	for (unsigned int turn = 0; turn < 2; turn++)
		for (more = true; more && !r;)
			r = store_compact(store, false, &more);
	if (r)
		bench_die("compaction", r);
	store_free(store);
	model_free(p.model);
}

void bench_start(size_t n_mappings, uint32_t n_addrs, const char *path)
{
	struct manager_config config = {.lease_seconds = 300};
	struct manager *manager;
	struct clock clock;
	double begun, opened, loaded, used, thread_used;
	size_t n;
	int r;

	/* Rounds share what takes long to make. */
	if (access(path, F_OK))
		fill_store(n_mappings, n_addrs, path);
	clock_init_real(&clock);
	used = bench_process_seconds();
	thread_used = bench_cpu_seconds();
	begun = bench_seconds();
	r = loop_new(&clock, &config.loop);
	config.store = open_store(path);
	opened = bench_seconds();
	config.model = population_model();
	if (!r)
		r = persist_load(config.store, config.model);
	loaded = bench_seconds();
	if (!r)
		r = manager_new(&config, &manager);
	if (r)
		bench_die("start", r);
	n = mapping_count(model_mappings(manager->model));
	printf("{\"mappings\": %zu, \"open_s\": %.2f, \"load_s\": %.2f, \"total_s\": %.2f, "
	       "\"cpu_s\": %.2f, \"thread_cpu_s\": %.2f}\n",
	       n, opened - begun, loaded - opened, bench_seconds() - begun,
	       bench_process_seconds() - used, bench_cpu_seconds() - thread_used);
	manager_free(manager);
	loop_free(config.loop);
}
