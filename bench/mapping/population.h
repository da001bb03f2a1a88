/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A populated cloud for the benchmarks: hosts, networks, and instances with one address each, made
 * by the model's own operations.  Faults end the program: a benchmark has nobody to report them to.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/account.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/mapping.h"
#include "model/model.h"
#include "model/tx.h"

enum { POPULATION_HOSTS_MAX = 2048 };

struct population {
	struct model *model;
	void (*submit)(struct change *change, void *data); /* takes every change */
	void *data;
	size_t n_hosts;
	uint32_t numbers[POPULATION_HOSTS_MAX];
	char host_ids[POPULATION_HOSTS_MAX][ID_TEXT_SIZE];
	struct caller customer; /* of the last network */
	char subnet[ID_TEXT_SIZE];
};

struct model *population_model(void);
void population_add_hosts(struct population *p, size_t n);
/* How many hosts that many instances need, and at least 'n_hosts'. */
size_t population_hosts_for(size_t n_instances, size_t n_hosts);
/* Hosts say what they can do, and count as connected: instances may be placed there. */
void population_enable_hosts(struct population *p);
/* Instances of one interface with 'n_addrs' addresses (at most 10), in networks of at most 62,500
 * addresses. */
void population_add_instances(struct population *p, size_t n, uint32_t n_addrs);
/* One more in the last network. */
void population_run_one(struct population *p, char ret_id[static ID_TEXT_SIZE]);

/* A question that has an answer: two addresses of one network and who hosts the first. */
struct question {
	uint32_t host;
	uint32_t vni;
	struct ipaddr asker, addr;
};
/* 'n' random ones; asked by 'host' (0: any).  To be freed. */
struct question *population_questions(const struct population *p, uint32_t host, size_t n);

_Noreturn void bench_die(const char *what, int r);
double bench_seconds(void);                      /* monotonic */
double bench_cpu_seconds(void);                  /* of this thread */
double bench_process_seconds(void);              /* of all threads */
int bench_compare(const void *a, const void *b); /* doubles, for qsort() */
