/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what placement says when no host fits, and what follows from a choice.
 */
#pragma once

#include "model/placement.h"

struct tx;

/* Why hosts were passed over. */
struct placement_passed {
	size_t total; /* that run instances at all */
	size_t by_reason[PLACEMENT_REASON_MAX];
	size_t by_room[HOST_ROOM_MAX];
	struct placement_verdict only; /* of the only host that would do, if it runs none */
};

void placement_pass(struct placement_passed *p, const struct placement_request *r,
		    const struct placement_verdict *v);
/* NO_CAPACITY */
int placement_refuse(const struct model *m, const struct placement_request *r,
		     const struct placement_passed *p, struct refusal *reterr);
/* To be called when a node was put on a host as requested. */
must_check int placement_done(struct tx *tx, const struct placement_request *r, uint32_t host);
