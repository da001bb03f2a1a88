/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded networks (MAP-7) on this host: which ones the desired state names, and mappings of them
 * that nobody asked for.  What is kept is the cache's.  The loop's thread.
 */
#pragma once

#include <stdbool.h>

struct agent;
struct answer;

/* The subnets have changed, which say what is preloaded; of a network that was, and is not carried
 * any more, nothing is kept. */
void preload_networks(struct agent *a);
/* It is what the edge before this one knew of a network's IPv6 (manager/heir.h): in a subnet that
 * this one is told of. */
bool preload_is_inherited(const struct agent *a, const struct answer *told);
/* A mapping was pushed that is not held: keeps it, what is inherited as though it had been asked
 * for, or says that it does not. */
void preload_take(struct agent *a, const struct answer *told);
