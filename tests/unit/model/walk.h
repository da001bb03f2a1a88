/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random walk through the operations, sensible and senseless ones, on a small cluster: subnets
 * are tiny and ids come from a pool with dead and foreign ones in it, so that refusals are as
 * common as successes.
 */
#pragma once

#include "tests/unit/model/cluster.h"

enum { WALK_IDS = 400 };

struct walk {
	struct cluster c;
	uint64_t seed;
	size_t n_ids;
	char ids[WALK_IDS][ID_TEXT_SIZE];
	size_t n_names;
	uint64_t mono_ms;
	size_t done[2]; /* operations refused, and not */
	bool watches;   /* also flow logs and traffic mirroring */
};

void walk_init(struct walk *w, uint64_t seed);
/* The same, every policy being applied by a pass: the test makes its steps. */
void walk_init_passes(struct walk *w, uint64_t seed);
void walk_deinit(struct walk *w);
uint32_t walk_random(struct walk *w, uint32_t below);
/* One random operation in 'tx'; its result. */
int walk_step(struct walk *w, struct tx *tx);

/* An id of 'kind' that there was, mostly a recent one, or now and then nonsense. */
const char *walk_some(struct walk *w, enum kind k);
/* Mostly the account's owner. */
const struct caller *walk_someone(struct walk *w);

/* Steps with IPv6 (walk_ipv6.c). */
int walk_vpc_block6(struct walk *w, struct tx *tx);
int walk_subnet_block6(struct walk *w, struct tx *tx);
int walk_assign6(struct walk *w, struct tx *tx);
int walk_unassign6(struct walk *w, struct tx *tx);
/* Ids that walk_some() gives from now on. */
void walk_remember(struct walk *w, const struct object *o);

/* Ways out of networks: walk_ways.c. */
int walk_step_ways(struct walk *w, struct tx *tx);

/* Policies for negotiation: walk_choice.c. */
int walk_step_choice(struct walk *w, struct tx *tx);

/* Security groups, ACLs and prefix lists: walk_policy.c. */
int walk_step_policy(struct walk *w, struct tx *tx);

/* Flow logs and traffic mirroring: walk_watch.c. */
int walk_step_watch(struct walk *w, struct tx *tx);
