/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are handed out in turn and not re-used while others last: VNIs, numbers of hosts, groups and ACLs.  One
 * object, so that they survive restarts.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct tx;

enum {
	COUNTERS_ID = 1,
	HOST_NUMBER_MAX = 0xFFFFFF,
};

struct counters {
	struct object o;
	uint32_t last_vni;
	uint32_t last_host;
	uint32_t last_group;
	uint32_t last_acl;
};

/* The next number that is not in use; NUMBERS_EXHAUSTED, -ENOMEM. */
must_check int counters_next_vni(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_host(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_group(struct tx *tx, uint32_t *ret, struct refusal *reterr);
must_check int counters_next_acl(struct tx *tx, uint32_t *ret, struct refusal *reterr);
