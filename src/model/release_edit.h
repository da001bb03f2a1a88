/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how operations take addresses from interfaces (model/release.h).
 */
#pragma once

#include "model/interface.h"
#include "model/release.h"

struct tx;
struct host_failure;

/* 'a' has left 'i', which is in the model without it or not any more: keeps it from being given
 * away while somebody may use it as it was.  'live': its node may, too, until its host has
 * acknowledged.  -ENOMEM */
must_check int release_make(struct tx *tx, const struct interface *i, const struct private_addr *a,
			    bool live);
/* 'a' has left 'from', whose node may use it until its host has acknowledged, and is in 'to' as one
 * that arrives.  -ENOMEM */
must_check int release_begin_move(struct tx *tx, const struct interface *from,
				  const struct private_addr *a, uint64_t to, bool back);
/* The release, a copy that is to be put, waits for the hosts of all nodes that may be on the
 * network with 'i', if there are any.  -ENOMEM */
must_check int release_wait(struct tx *tx, struct release *rel, const struct interface *i);
/* A host that has to acknowledge something up to 'revision'. */
bool release_host_waits(const struct model *m, uint32_t number, uint64_t revision);
/* The move that brought or brings 'addr' to the interface, or NULL. */
const struct release *release_find_move(const struct model *m, uint64_t to,
					const struct ipaddr *addr);
/* A move whose first step is being waited for leads nowhere any more: its address has left 'to'. */
must_check int release_end_move(struct tx *tx, const struct release *rel);
/* The interface's host cannot carry it: what is on its way there goes back to where it came
 * from. */
must_check int release_turn_all_back(struct tx *tx, uint64_t to);
/* The first holder is stopped: the second one gets the address. */
must_check int release_arrive(struct tx *tx, const struct release *rel);
/* 'number' has acknowledged 'revision': what waited for that goes on. */
must_check int release_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
				   const struct host_failure *failed, size_t n_failed);
