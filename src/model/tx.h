/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: how the model changes.
 *
 *	tx_begin(m, now_ms, &tx);
 *	r = vpc_create(tx, &caller, &args, &vpc, &refusal);   0, MODEL_E_*, -errno
 *	...answer from 'vpc'...
 *	tx_end(tx, &change);                                  or tx_abort(tx)
 *
 * Each operation happens whole or not at all: after a refusal or a fault the transaction is as it
 * was before that operation and may go on.  One transaction is open at a time.  All its writes have
 * one revision, the next one; a transaction that wrote nothing uses none up.
 *
 * tx_end() gives a change: what became of which object.  It is encoded for the store, turned into
 * differences of hosts (model/plan.h, at once: while the model is as the change left it), and kept
 * until its commit is known: then change_free(), or, when the commit failed, change_undo(), in
 * reverse order of the changes that were made meanwhile; the model is then as it was.
 *
 * Results of operations are borrowed until the next operation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"
#include "model/refusal.h"

struct tx;
struct change;

/* -EBUSY while another is open, -ENOMEM */
must_check int tx_begin(struct model *m, uint64_t now_ms, struct tx **ret);
/* '*ret' is NULL when nothing was written, or all that was written is gone again.  Takes 'tx' in
 * any case; on -ENOMEM it was aborted. */
must_check int tx_end(struct tx *tx, struct change **ret);
void tx_abort(struct tx *tx);
const struct model *tx_model(const struct tx *tx);
uint64_t tx_revision(const struct tx *tx); /* of its writes */
bool tx_has_writes(const struct tx *tx);

struct write {
	enum kind kind;
	uint64_t id;
	const struct object *before; /* NULL: it is new */
	const struct object *after;  /* NULL: it is deleted */
};

uint64_t change_revision(const struct change *c);
size_t change_count(const struct change *c);
/* i < change_count(); each object occurs once.  'before' lives as long as the change, 'after' until
 * the next transaction. */
struct write change_get(const struct change *c, size_t i);
void change_undo(struct change *c); /* takes it */
struct change *change_free(struct change *c);
CLEANUP_DEFINE(struct change *, change_free);

/* Housekeeping, to be called now and then: forgets client tokens, terminated instances and deleted
 * NAT gateways that are over, at most 'max' of them. */
must_check int tx_expire(struct tx *tx, size_t max);
