/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded networks (MAP-7) on this host: which ones the desired state names, and mappings of them
 * that nobody asked for.  What is kept is the cache's.  The loop's thread.
 */
#pragma once

struct agent;
struct answer;

/* The subnets have changed, which say what is preloaded; of a network that was, and is not carried
 * any more, nothing is kept. */
void preload_networks(struct agent *a);
/* A mapping was pushed that is not held: keeps it, or says that it does not. */
void preload_take(struct agent *a, const struct answer *told);
