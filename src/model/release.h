/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Released addresses: an address that was taken from its node while hosts held, or may
 * have held, its mapping.  It stays in use until every holder has acknowledged the change, or an operator
 * forces it; until then nobody gets it.
 *
 * A release is made by the operation that takes the address, when the table of holders
 * (model_holders()) has a holder of it, or when a host that may hold it has not told what it holds since
 * this manager runs (release_host_known()).  Who runs the sessions keeps that table right and calls
 * release_settle() when a holder is gone or has acknowledged.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

struct release {
	struct object o;
	uint32_t vni;
	struct ipaddr addr;
	uint64_t subnet;
	uint32_t host; /* where it was */

	struct member by_subnet;
};

/* The host has told what it holds: holders of what it did not name it is not. */
void release_host_known(struct model *m, uint32_t number);
/* Nobody holds, or may hold, the released address. */
bool release_is_settled(const struct model *m, const struct release *r);
/* Ends all releases that are settled; '*ret_n' counts them.  The cost grows with the number of releases. */
must_check int release_settle(struct tx *tx, size_t *ret_n);
/* Ends one whatever is held, by an operator's word.  VALUE when there is none, NOT_PERMITTED */
must_check int release_force(struct tx *tx, const struct caller *c, uint32_t vni,
			     const struct ipaddr *addr, struct refusal *reterr);
/* How many there are: 0 spares release_settle(). */
size_t release_count(const struct model *m);
