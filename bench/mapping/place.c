/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RunInstances in the model alone, on many hosts: what choosing a host and making an instance with
 * its interface take, 500 in a call and one.  Processor time, not time that passed.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { PLACED_BEFORE = 20000, PLACED_ALONE = 2000 };

void bench_place(size_t n_hosts)
{
	static struct population p;
	double begun, many, alone;
	char id[ID_TEXT_SIZE];

	p = (struct population){.model = population_model(), .submit = bench_drop_change};
	population_add_hosts(&p, n_hosts);
	population_enable_hosts(&p);
	begun = bench_cpu_seconds();
	population_add_instances(&p, PLACED_BEFORE, 1);
	many = bench_cpu_seconds() - begun;
	begun = bench_cpu_seconds();
	for (size_t i = 0; i < PLACED_ALONE; i++)
		population_run_one(&p, id);
	alone = bench_cpu_seconds() - begun;
	printf("{\"hosts\": %zu, \"batched_per_s\": %.0f, \"one_at_a_time_per_s\": %.0f}\n",
	       n_hosts, PLACED_BEFORE / many, PLACED_ALONE / alone);
	model_free(p.model);
}
