/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage of interfaces.  See usage.h.
 */
#include "model/usage.h"

#include "base/hash.h"
#include "base/limits.h"
#include "model/edit.h"
#include "model/interface.h"
#include "model/payer.h"

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

uint64_t usage_interface(const struct usage *u)
{
	return u->interface ? u->interface : u->o.id;
}

static struct usage_counts minus(const struct usage_counts *a, const struct usage_counts *b)
{
	return (struct usage_counts){
		.tx_packets = a->tx_packets - b->tx_packets,
		.tx_bytes = a->tx_bytes - b->tx_bytes,
		.rx_packets = a->rx_packets - b->rx_packets,
		.rx_bytes = a->rx_bytes - b->rx_bytes,
	};
}

static void add_counts(struct usage_counts *a, const struct usage_counts *b)
{
	a->tx_packets += b->tx_packets;
	a->tx_bytes += b->tx_bytes;
	a->rx_packets += b->rx_packets;
	a->rx_bytes += b->rx_bytes;
}

void usage_part(struct usage *u, const struct usage *stored)
{
	u->sum = minus(&u->sum, &stored->before);
	u->used_ms -= stored->before_ms;
}

/* The record of what 'payer' paid for the interface before, or NULL; '*ret_id' is its number. */
static const struct usage *find_former(const struct model *m, uint64_t interface, uint64_t payer,
				       uint64_t *ret_id)
{
	uint64_t id = hash_u64_bytes(interface, &payer, sizeof(payer));

	for (;; id++) {
		const struct usage *u = usage_find(m, id);

		if (id && (!u || (u->interface == interface && u->billing_account == payer))) {
			*ret_id = id;
			return u;
		}
	}
}

/* What 'u' has for its payer goes to a record of that one's. */
static int settle_former(struct tx *tx, const struct usage *u)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct usage part = *u, *new;
	uint64_t id;
	const struct usage *old = find_former(tx->m, u->o.id, u->billing_account, &id);
	int r = old ? tx_edit(tx, &old->o, &o) : tx_make(tx, KIND_USAGE, u->o.account, &o);

	if (r)
		return r;
	usage_part(&part, u);
	o->id = id;
	new = (struct usage *)o;
	new->interface = u->o.id;
	new->billing_account = u->billing_account;
	add_counts(&new->sum, &part.sum);
	new->used_ms += part.used_ms;
	new->reported_ms = u->reported_ms;
	return tx_put(tx, old ? &old->o : NULL, &o);
}

static int do_put(struct tx *tx, const struct usage *u)
{
	const struct interface *i =
		(const struct interface *)model_get(tx->m, KIND_INTERFACE, u->o.id);
	const struct usage *old = usage_find(tx->m, u->o.id);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	uint64_t payer = i ? payer_of(tx->m, i) : old ? old->billing_account : 0;
	bool another = old && old->billing_account && old->billing_account != payer;
	struct usage *new;
	int r = another ? settle_former(tx, old) : 0;

	if (r || (!old && !i))
		return r;
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
	new->billing_account = payer;
	if (another) {
		new->before = old->sum;
		new->before_ms = old->used_ms;
	}
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
