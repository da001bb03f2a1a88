/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of processors, as lists in the kernel's own form: "0", "2-3,6" (cpuset(7), "List format").
 *
 * Values: to be copied, and compared with memcmp().  Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { CPUS_MAX = 1024 };

/* Processor n is bit n % 64 of word n / 64. */
struct cpus {
	uint64_t words[CPUS_MAX / 64];
};

bool cpus_is_empty(const struct cpus *c);
/* Whether all of 'c' are among 'all'. */
bool cpus_are_among(const struct cpus *c, const struct cpus *all);

/* -EINVAL: no list, or an empty one, or a range that goes down; -ERANGE: a processor of CPUS_MAX or
 * above. */
must_check int cpus_parse(const char *text, struct cpus *ret);
/* Those that this machine has, with the kernel's list of them in 'text'. */
must_check int cpus_read_present(struct cpus *ret, char **ret_text);

/* From now on 'thread' runs on these alone; empty: where the calling thread may run.  -EINVAL: none
 * of them is there. */
must_check int cpus_bind(const struct cpus *c, pthread_t thread);
