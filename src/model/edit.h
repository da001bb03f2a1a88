/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how operations write.  An operation is
 *
 *	size_t mark = tx_mark(tx);
 *
 *	return tx_settle(tx, mark, do_it(tx, ...));
 *
 * where do_it() copies objects (tx_edit()), makes new ones (tx_make()), and puts them (tx_put()).
 */
#pragma once

#include "model/object.h"
#include "model/record.h"
#include "model/refusal.h"
#include "model/table.h"
#include "model/tx.h"

struct tx_write {
	struct object *before;
	struct object *after;
};

struct tx {
	struct model *m;
	uint64_t now_ms;
	uint64_t revision;
	size_t n, allocated;
	struct tx_write *writes; /* every step, in order */
};

CLEANUP_DEFINE(struct object *, record_free);

size_t tx_mark(const struct tx *tx);
/* Goes back to 'mark' unless 'r' is 0; returns 'r'. */
int tx_settle(struct tx *tx, size_t mark, int r);

/* A new object with an id of its own, owned by 'account', not yet put.  -ENOMEM */
must_check int tx_make(struct tx *tx, enum kind k, uint64_t account, struct object **ret);
/* A copy of 'o', to be changed and put in its place. */
must_check int tx_edit(struct tx *tx, const struct object *o, struct object **ret);
/* Puts '*new' for 'old' (NULL: it is new) and takes it.  -ENOMEM, and then '*new' is freed. */
must_check int tx_put(struct tx *tx, const struct object *old, struct object **new);
must_check int tx_delete(struct tx *tx, const struct object *old);
/* All objects of a walk, from its beginning. */
must_check int tx_delete_all(struct tx *tx, struct model_iter walk);
uint64_t tx_random(struct tx *tx);
/* Random, not 0, and no object's of kind 'k'. */
uint64_t tx_new_id(struct tx *tx, enum kind k);

/* Sets a string field: frees what is there; NULL and "" become NULL. */
must_check int edit_string(char **field, const char *value);

struct tag_args;
/* Sets tags of a copy that is to be put; TAG_* */
must_check int tags_set(struct object *o, const struct tag_args *tags, size_t n,
			struct refusal *reterr);

/* Recomputes a network's MTU if the hosts that carry it have changed, and those of peered networks
 * if they are of other kinds. */
must_check int network_refresh(struct tx *tx, uint32_t vni);
/* Recomputes it whatever has changed. */
must_check int network_recompute_alone(struct tx *tx, uint32_t vni);
/* Recomputes it, and those of peered networks, whatever has changed. */
must_check int network_recompute(struct tx *tx, uint32_t vni);
/* Of two networks that begin or end to be peered. */
must_check int network_recompute_peered(struct tx *tx, uint32_t vni, uint32_t peer_vni);
/* The same for all networks that a host carries, because its abilities have changed. */
must_check int network_refresh_host(struct tx *tx, uint32_t host);

#define TX_EDIT(tx, old, new_) tx_edit(tx, &(old)->o, (struct object **)(new_))
#define TX_PUT(tx, old, new_)  tx_put(tx, (old) ? &(old)->o : NULL, (struct object **)(new_))
