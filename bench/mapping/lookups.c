/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups: in process, and over TLS sessions on the loopback.  The clients run on a thread of
 * their own; the service's speed is given per second of its own thread's CPU, so that what the
 * clients use of the machine does not count, and as seen by the clock.
 */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "manager/manager.h"

enum { QUESTIONS = 1 << 16, CONNECTIONS = 16, PIPELINE = 64, BATCH = 32 };

static const double run_seconds = 3;

void bench_in_process(size_t n_mappings)
{
	struct population p = {.model = population_model(), .submit = bench_drop_change};
	struct question *questions;
	const struct mapping *mapping;
	size_t n = 0, found = 0;
	double start, took;

	population_add_hosts(&p, population_hosts_for(n_mappings, CONNECTIONS));
	population_enable_hosts(&p);
	population_add_instances(&p, n_mappings, 1);
	questions = population_questions(&p, 0, QUESTIONS);
	start = bench_cpu_seconds();
	do {
		for (size_t i = 0; i < QUESTIONS; i++, n++)
			found += !mapping_resolve(p.model, questions[i].host, MAPPING_SEND,
						  questions[i].vni, &questions[i].asker,
						  &questions[i].addr, NULL, &mapping, NULL);
		took = bench_cpu_seconds() - start;
	} while (took < run_seconds);
	if (found != n)
		bench_die("look-ups were refused", -EINVAL);
	printf("{\"mappings\": %zu, \"lookups_per_s\": %.0f, \"bytes_per_mapping\": %.1f}\n",
	       mapping_count(model_mappings(p.model)), (double)n / took,
	       (double)mapping_memory(model_mappings(p.model)) /
		       (double)mapping_count(model_mappings(p.model)));
	free(questions);
	model_free(p.model);
}

/* One client connection: keeps 'depth' frames of 'batch' questions on their way. */
struct client {
	struct sim_agent agent;
	struct question *questions;
	size_t next;
	uint64_t seq;
	unsigned int batch;
	uint64_t n_answers, n_refused;
};

static void ask(struct client *client)
{
	Viaduct__Agent__Question questions[BATCH];
	Viaduct__Agent__Question *pointers[BATCH];
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int r;

	for (unsigned int i = 0; i < client->batch; i++) {
		struct question *q = &client->questions[client->next++ % QUESTIONS];

		viaduct__agent__question__init(&questions[i]);
		questions[i].vni = q->vni;
		questions[i].asker = (ProtobufCBinaryData){16, q->asker.b};
		questions[i].addr = (ProtobufCBinaryData){16, q->addr.b};
		pointers[i] = &questions[i];
	}
	resolve.seq = ++client->seq;
	resolve.n_questions = client->batch;
	resolve.questions = pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	r = session_send(client->agent.session, &frame);
	if (r)
		bench_die("question", r);
}

static void answered(struct sim_agent *agent, const Viaduct__Agent__Resolved *resolved)
{
	struct client *client = agent->user;

	client->n_answers += resolved->n_answers;
	for (size_t i = 0; i < resolved->n_answers; i++)
		client->n_refused +=
			resolved->answers[i]->status != VIADUCT__AGENT__ANSWER__STATUS__OK;
	ask(client);
}

struct load {
	struct cluster *cluster;
	struct client clients[CONNECTIONS];
	unsigned int depth, batch;
	volatile bool ready, measuring, stop;
	uint64_t n;
	double seconds;
};

static uint64_t count_answers(const struct load *load)
{
	uint64_t n = 0;

	for (size_t i = 0; i < CONNECTIONS; i++)
		n += load->clients[i].n_answers;
	return n;
}

static void *run_clients(void *data)
{
	struct load *load = data;
	struct cluster_clients clients;
	double start = 0;
	uint64_t before;

	pthread_setname_np(pthread_self(), "clients");
	cluster_clients_begin(&clients, load->cluster);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		load->clients[i].agent.user = &load->clients[i];
		load->clients[i].agent.on_resolved = answered;
		cluster_connect(&clients, &load->clients[i].agent, i);
	}
	for (size_t i = 0; i < CONNECTIONS; i++)
		while (!load->clients[i].agent.n_desired)
			cluster_turn(&clients);
	while (!load->ready)
		cluster_turn(&clients);
	for (size_t i = 0; i < CONNECTIONS; i++)
		for (unsigned int k = 0; k < load->depth; k++)
			ask(&load->clients[i]);
	for (start = bench_seconds(); bench_seconds() < start + 0.5;)
		cluster_turn(&clients);
	before = count_answers(load);
	load->measuring = true;
	for (start = bench_seconds(); bench_seconds() < start + run_seconds;)
		cluster_turn(&clients);
	load->seconds = bench_seconds() - start;
	load->n = count_answers(load) - before;
	load->stop = true;
	cluster_clients_end(&clients);
	return NULL;
}

/* What the hosts said when they connected is written. */
static bool has_settled(const struct cluster *cluster)
{
	if (agents_count_connected(&cluster->manager->agents) < CONNECTIONS)
		return false;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (host_waits(cluster->manager->model, cluster->population.numbers[i], UINT64_MAX))
			return false;
	return !journal_is_pending(cluster->manager->journal);
}

static void measure(struct cluster *cluster, const char *name, unsigned int depth,
		    unsigned int batch)
{
	struct load *load = calloc(1, sizeof(*load));
	double cpu = 0, start = 0;
	uint64_t refused = 0;
	pthread_t thread;

	if (!load)
		bench_die("load", -ENOMEM);
	load->cluster = cluster;
	load->depth = depth;
	load->batch = batch;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		sim_agent_init(&load->clients[i].agent, cluster->population.host_ids[i]);
		load->clients[i].agent.forget_mappings = true;
		load->clients[i].agent.only_count = true;
		load->clients[i].batch = batch;
		load->clients[i].questions = population_questions(
			&cluster->population, cluster->population.numbers[i], QUESTIONS);
	}
	pthread_create(&thread, NULL, run_clients, load);
	while (!load->stop) {
		if (!load->ready)
			load->ready = has_settled(cluster);
		if (load->measuring && start == 0)
			start = bench_cpu_seconds();
		if (loop_turn(cluster->loop, 10))
			bench_die("loop", -EIO);
	}
	cpu = bench_cpu_seconds() - start;
	pthread_join(thread, NULL);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		refused += load->clients[i].n_refused;
		free(load->clients[i].questions);
		sim_agent_deinit(&load->clients[i].agent);
	}
	if (refused)
		bench_die("look-ups were refused", -EINVAL);
	printf("\"%s\": {\"lookups_per_s\": %.0f, \"lookups_per_core_s\": %.0f}", name,
	       (double)load->n / load->seconds, (double)load->n / cpu);
	free(load);
}

void bench_tls(size_t n_mappings)
{
	struct cluster *cluster = cluster_new(CONNECTIONS, n_mappings, NULL);

	printf("{");
	measure(cluster, "batched", 4, BATCH);
	printf(", ");
	measure(cluster, "pipelined", PIPELINE, 1);
	printf(", ");
	measure(cluster, "one_at_a_time", 1, 1);
	printf("}\n");
	cluster_free(cluster);
}
