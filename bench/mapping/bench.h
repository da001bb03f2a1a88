/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of bench/mapping; each prints its figures as one line of JSON.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "population.h"

void bench_in_process(size_t n_mappings);
void bench_tls(size_t n_mappings);
/* A mapping changes: until the last of 'n_holders' agents has it. */
void bench_push(size_t n_holders);
/* RunInstances of one, until it is running, on 10 hosts with 'n_interfaces'. */
void bench_ready(size_t n_interfaces, const char *store);
/* RunInstances of 20,000, and then of one after another, on 'n_hosts'. */
void bench_place(size_t n_hosts);
/* Opening a store with 'n_mappings', 'n_addrs' of them for each interface. */
void bench_start(size_t n_mappings, uint32_t n_addrs, const char *store);

/* For populations that are not stored. */
void bench_drop_change(struct change *change, void *data);
