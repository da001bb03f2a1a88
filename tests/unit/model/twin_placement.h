/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement once more, as plainly as model/placement.h can be read: for each request every object
 * is looked at from the beginning, and nothing is kept.
 */
#pragma once

#include "model/model.h"
#include "model/placement.h"

enum { TWIN_KEYS = 7 };

struct twin_verdict {
	const struct host *host;
	enum placement_reason reason;
	bool own;                 /* the node's own host, to which it goes back */
	uint64_t keys[TWIN_KEYS]; /* the smaller the better, one after another */
};

/* Whether a host named 'name' or labelled so has that capability, by its list of names. */
bool twin_has(const struct host *h, const char *name);
/* The host that it has to be, NULL: none; '*ret_partition' is the partition that it would be in. */
const struct host *twin_place(const struct model *m, const struct placement_request *r,
			      uint32_t *ret_partition);
struct twin_verdict twin_judge(const struct model *m, const struct placement_request *r,
			       uint32_t partition, const struct host *h);
/* Whether what the node was to be near to is there. */
bool twin_near_is_there(const struct model *m, const struct placement_request *r);
