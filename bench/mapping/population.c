/* SPDX-License-Identifier: Apache-2.0 */
#include "population.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/format.h"
#include "base/rand.h"
#include "model/subnet.h"
#include "model/vpc.h"

enum { PER_NETWORK = 62500, PER_CALL = 500, PER_HOST = 1000 };

static const struct caller the_operator = {.is_operator = true};

void bench_die(const char *what, int r)
{
	fprintf(stderr, "bench: %s: %s\n", what, r < 0 ? strerror(-r) : "refused");
	exit(1);
}

double bench_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_process_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void fill(void *data, void *ret, size_t size)
{
	rand_bytes(ret, size);
}

struct model *population_model(void)
{
	struct model_config config = {.region = "us-east-1", .ids.fill = fill};
	struct model *model;
	int r = prefix_parse("fd56:6961::/32", &config.organisation);

	if (!r)
		r = model_new(&config, &model);
	if (r)
		bench_die("model", r);
	return model;
}

static struct tx *begin(struct population *p)
{
	struct tx *tx;
	int r = tx_begin(p->model, 1764000000000, &tx);

	if (r)
		bench_die("tx_begin", r);
	return tx;
}

static void end(struct population *p, struct tx *tx)
{
	struct change *change = NULL;
	int r = tx_end(tx, &change);

	if (r)
		bench_die("tx_end", r);
	if (change)
		p->submit(change, p->data);
}

static void check(const char *what, int r, const struct refusal *refusal)
{
	if (r > 0)
		fprintf(stderr, "bench: %s\n", refusal->message);
	if (r)
		bench_die(what, r);
}

void population_add_hosts(struct population *p, size_t n)
{
	struct refusal refusal = {0};
	const struct host *host;
	char name[32], addr[32];
	struct tx *tx;
	uint32_t rack;

	for (size_t i = 0; i < n; i++) {
		struct host_add_args args = {.name = name, .v6 = addr, .rack = &rack};

		rack = (uint32_t)(i / 200);
		snprintf(name, sizeof(name), "h%zu", i + 1);
		snprintf(addr, sizeof(addr), "fd00::%zx", i + 1);
		tx = begin(p);
		check("host_add", host_add(tx, &the_operator, &args, &host, &refusal), &refusal);
		p->numbers[p->n_hosts] = host->number;
		object_id_text(&host->o, p->host_ids[p->n_hosts]);
		p->n_hosts++;
		end(p, tx);
	}
}

size_t population_hosts_for(size_t n_instances, size_t n_hosts)
{
	size_t needed = n_instances / PER_HOST + 1;

	return needed > n_hosts ? needed : n_hosts;
}

void population_enable_hosts(struct population *p)
{
	struct capabilities can = {.formats =
					   FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
				   .substrate_mtu = 1500,
				   .kernel = (char *)"6.1.0-sim",
				   .refused = (char *)"",
				   .error = (char *)"",
				   .probed_ms = 1};
	struct refusal refusal = {0};
	struct tx *tx;

	for (size_t i = 0; i < p->n_hosts; i++) {
		tx = begin(p);
		check("host_report", host_report(tx, p->numbers[i], &can, &refusal), &refusal);
		while (host_report_due(p->model))
			check("host_report_step", host_report_step(tx, SIZE_MAX), &refusal);
		end(p, tx);
		host_set_connected(p->model, p->numbers[i], true);
	}
}

static void add_network(struct population *p)
{
	struct account_create_args account_args = {0};
	struct subnet_create_args subnet_args = {.cidr = "10.0.0.0/16"};
	struct refusal refusal = {0};
	const struct account *account;
	const struct subnet *subnet;
	char vpc_id[ID_TEXT_SIZE];
	const struct vpc *vpc;
	struct tx *tx = begin(p);

	check("account_create",
	      account_create(tx, &the_operator, &account_args, &account, &refusal), &refusal);
	p->customer = (struct caller){.account = account->o.id};
	check("vpc_create",
	      vpc_create(tx, &p->customer, &(struct vpc_create_args){.cidr = "10.0.0.0/16"}, &vpc,
			 &refusal),
	      &refusal);
	subnet_args.vpc_id = object_id_text(&vpc->o, vpc_id);
	check("subnet_create", subnet_create(tx, &p->customer, &subnet_args, &subnet, &refusal),
	      &refusal);
	object_id_text(&subnet->o, p->subnet);
	end(p, tx);
}

void population_add_instances(struct population *p, size_t n, uint32_t n_addrs)
{
	static const struct instance *made[PER_CALL];
	struct instance_run_args args = {.type = "m5.large", .secondary_count = n_addrs - 1};
	struct refusal refusal = {0};
	size_t left, now, n_made;
	struct tx *tx;

	if (!n)
		add_network(p);
	while (n) {
		left = n < PER_NETWORK / n_addrs ? n : PER_NETWORK / n_addrs;
		n -= left;
		add_network(p);
		for (; left; left -= now) {
			now = left < PER_CALL ? left : PER_CALL;
			args.subnet_id = p->subnet;
			args.min_count = args.max_count = (uint32_t)now;
			tx = begin(p);
			check("instance_run",
			      instance_run(tx, &p->customer, &args, made, &n_made, &refusal),
			      &refusal);
			end(p, tx);
		}
	}
}

void population_run_one(struct population *p, char ret_id[static ID_TEXT_SIZE])
{
	struct instance_run_args args = {.subnet_id = p->subnet, .min_count = 1, .max_count = 1};
	const struct instance *instance;
	struct refusal refusal = {0};
	struct tx *tx = begin(p);
	size_t n;

	check("instance_run", instance_run(tx, &p->customer, &args, &instance, &n, &refusal),
	      &refusal);
	object_id_text(&instance->o, ret_id);
	end(p, tx);
}

/* xorshift: many of them, and nobody to guess them. */
static uint32_t below(uint32_t n)
{
	static uint64_t word = 0x9e3779b97f4a7c15;

	word ^= word << 13;
	word ^= word >> 7;
	word ^= word << 17;
	return (uint32_t)((word >> 32) * n >> 32);
}

struct question *population_questions(const struct population *p, uint32_t host, size_t n)
{
	const struct mapping_table *table = model_mappings(p->model);
	struct question *questions = calloc(n, sizeof(*questions));
	uint32_t n_mappings = (uint32_t)mapping_count(table);
	const struct mapping *from, *to;

	if (!questions)
		bench_die("questions", -ENOMEM);
	for (size_t i = 0; i < n; i++) {
		do
			from = mapping_at(table, below(n_mappings));
		while (host && from->host != host);
		do
			to = mapping_at(table, below(n_mappings));
		while (to->vni != from->vni);
		questions[i] = (struct question){from->host, from->vni, from->addr, to->addr};
	}
	return questions;
}
