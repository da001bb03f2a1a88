/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: what has gone through an interface, and for how long it was in use; the base for billing.
 *
 * A host counts from when the interface was plugged in there, and says so now and then.  The record
 * keeps the sum, and the host's last numbers, so that nothing is counted twice when host or manager
 * start anew.  It outlives the interface by LIMIT_MODEL_USAGE_MS.
 *
 * When another account pays from now on, what was stored until then is kept for the former one, in
 * a record of its own: one for each interface and former payer, as old as its last report.
 */
#pragma once

#include "model/object.h"

struct tx;
struct model;

struct usage_counts {
	uint64_t tx_packets, tx_bytes; /* from the node */
	uint64_t rx_packets, rx_bytes;
};

struct usage {
	struct object o;          /* o.account owns the interface; o.id is the interface's, but */
	uint64_t interface;       /* of a former payer's record this is; else 0 */
	uint64_t billing_account; /* who paid when it was last stored */
	struct member by_payer;
	struct usage_counts sum;
	uint64_t used_ms;           /* a host had it plugged in */
	struct usage_counts before; /* that much of 'sum' others paid for, */
	uint64_t before_ms;         /* and of 'used_ms' */
	uint32_t host;              /* number, of: */
	struct usage_counts seen;   /* the last report */
	uint64_t reported_ms;
};

/* What a host reported of an interface at 'now_ms' is added to 'u'.  'interval_ms': no report was
 * missed when no more than twice this has passed. */
void usage_add(struct usage *u, uint32_t host, const struct usage_counts *seen, uint64_t now_ms,
	       uint64_t interval_ms);
/* Stores 'u', whose o.id names an interface; nothing when that is gone and was never recorded. */
must_check int usage_put(struct tx *tx, const struct usage *u);
/* Of an interface, or NULL: nothing was reported yet. */
const struct usage *usage_find(const struct model *m, uint64_t interface);
/* The interface whose usage it is. */
uint64_t usage_interface(const struct usage *u);
/* Leaves of 'u', which may be newer than what is stored, what the present payer has to pay. */
void usage_part(struct usage *u, const struct usage *stored);
/* Forgets what belongs to interfaces that have been gone for long, at most 'max'. */
must_check int usage_expire(struct tx *tx, size_t max);
