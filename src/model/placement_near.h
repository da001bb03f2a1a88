/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how far hosts are from what a node shall be near to.
 */
#pragma once

#include "base/limits.h"
#include "model/placement.h"

struct near_target {
	struct topology_place place; /* of a node's host, or: */
	const char *capability;      /* not NULL: any host that has it, */
	size_t length;
	size_t n_racks; /* one place in each rack that has such a host */
	struct topology_place *racks;
};

struct near {
	size_t n;
	struct near_target targets[LIMIT_MODEL_NEAR];
};

/* Reads the list of 'r'; VALUE for an instance that is not the account's or on no host, a
 * capability that no host has, or too many; those that are gone are left out when the node is
 * started again.  -ENOMEM */
must_check int near_init(struct near *n, const struct model *m, const struct placement_request *r,
			 struct refusal *reterr);
void near_deinit(struct near *n);
/* The sum of the distances. */
uint32_t near_distance(const struct near *n, const struct host *h);
