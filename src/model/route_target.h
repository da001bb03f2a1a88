/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: where a route leads, as it is named in a request.
 */
#pragma once

#include "model/route_table.h"

struct interface;

struct route_end {
	bool local; /* where the network's own routes lead */
	enum route_target target;
	uint64_t id;
	const struct interface *interface; /* or NULL: it is none */
};

/* The one that 'args' name, for a route of 't' with an IPv4 or IPv6 destination.  COMBINATION,
 * VALUE, ROUTE_TARGET, ROUTE_NETWORKS, *_NOT_FOUND */
must_check int route_target_read(const struct model *m, const struct caller *c,
				 const struct route_table *t, const struct route_args *args,
				 bool v6, struct route_end *ret, struct refusal *reterr);
/* A route is about to name it: an interface has a handle from then on. */
must_check int route_target_take(struct tx *tx, const struct route_end *target,
				 struct refusal *reterr);
