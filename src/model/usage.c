/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage of interfaces.  See usage.h.
 */
#include "model/usage.h"

#include "base/limits.h"
#include "model/edit.h"
#include "model/interface.h"

static uint64_t grown(uint64_t seen, uint64_t before, bool anew)
{
	return anew ? seen : seen - before;
}

void usage_add(struct usage *u, uint32_t host, const struct usage_counts *seen, uint64_t now_ms,
	       uint64_t interval_ms)
{
	const struct usage_counts *b = &u->seen;
	/* plugged in elsewhere, or again: the host counts from the beginning */
	bool anew = u->host != host || seen->tx_packets < b->tx_packets ||
		    seen->tx_bytes < b->tx_bytes || seen->rx_packets < b->rx_packets ||
		    seen->rx_bytes < b->rx_bytes;

	u->sum.tx_packets += grown(seen->tx_packets, b->tx_packets, anew);
	u->sum.tx_bytes += grown(seen->tx_bytes, b->tx_bytes, anew);
	u->sum.rx_packets += grown(seen->rx_packets, b->rx_packets, anew);
	u->sum.rx_bytes += grown(seen->rx_bytes, b->rx_bytes, anew);
	if (u->reported_ms && now_ms > u->reported_ms &&
	    (now_ms - u->reported_ms <= 2 * interval_ms || !anew))
		u->used_ms += now_ms - u->reported_ms;
	u->host = host;
	u->seen = *seen;
	u->reported_ms = now_ms;
}

const struct usage *usage_find(const struct model *m, uint64_t interface)
{
	return (const struct usage *)model_get(m, KIND_USAGE, interface);
}

static int do_put(struct tx *tx, const struct usage *u)
{
	const struct interface *i =
		(const struct interface *)model_get(tx->m, KIND_INTERFACE, u->o.id);
	const struct usage *old = usage_find(tx->m, u->o.id);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct usage *new;
	int r;

	if (!old && !i)
		return 0;
	r = old ? tx_edit(tx, &old->o, &o) : tx_make(tx, KIND_USAGE, i->o.account, &o);
	if (r)
		return r;
	o->id = u->o.id;
	new = (struct usage *)o;
	new->sum = u->sum;
	new->used_ms = u->used_ms;
	new->host = u->host;
	new->seen = u->seen;
	new->reported_ms = u->reported_ms;
	if (i)
		new->billing_account = i->billing_account ? i->billing_account : i->o.account;
	return tx_put(tx, old ? &old->o : NULL, &o);
}

int usage_put(struct tx *tx, const struct usage *u)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_put(tx, u));
}

static int do_expire(struct tx *tx, size_t max)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_USAGE);
	const struct object *o = model_iter_next(&it), *next;
	int r = 0;

	for (; o && max && !r; o = next) {
		next = model_iter_next(&it);
		if (model_get(tx->m, KIND_INTERFACE, o->id) ||
		    ((const struct usage *)o)->reported_ms + LIMIT_MODEL_USAGE_MS > tx->now_ms)
			continue;
		r = tx_delete(tx, o);
		max--;
	}
	return r;
}

int usage_expire(struct tx *tx, size_t max)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_expire(tx, max));
}
