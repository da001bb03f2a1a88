/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drains of public addresses.  See drain.h.
 */
#include "model/drain.h"

#include "base/limits.h"
#include "model/edit.h"
#include "model/elastic_edit.h"

static bool is_of(const struct drain *d, uint32_t vni, const struct ipaddr *a)
{
	return d->vni == vni && ipaddr_equal(&d->private_addr, a);
}

static const struct drain *find_private(const struct model *m, uint32_t vni, const struct ipaddr *a)
{
	const struct hmap_node *n =
		unique_first(m, UNIQUE_DRAIN_PRIVATE, elastic_private_hash(vni, a));

	for (; n; n = hmap_next_at(n))
		if (is_of(hmap_entry(n, const struct drain, by_private), vni, a))
			return hmap_entry(n, const struct drain, by_private);
	return NULL;
}

const struct elastic *drain_find(const struct model *m, uint32_t vni, const struct ipaddr *a,
				 uint32_t edge)
{
	const struct hmap_node *n =
		unique_first(m, UNIQUE_DRAIN_PRIVATE, elastic_private_hash(vni, a));

	for (; n; n = hmap_next_at(n)) {
		const struct drain *d = hmap_entry(n, const struct drain, by_private);
		const struct elastic *e =
			(const struct elastic *)model_get(m, KIND_ADDRESS, d->address);

		if (is_of(d, vni, a) && e && (!edge || e->edge == edge))
			return e;
	}
	return NULL;
}

int drain_forget_private(struct tx *tx, uint32_t vni, const struct ipaddr *a)
{
	const struct drain *d;
	int r = 0;

	while (!r && (d = find_private(tx->m, vni, a)))
		r = tx_delete(tx, &d->o);
	return r;
}

int drain_end(struct tx *tx, const struct elastic *e, uint32_t vni, const struct ipaddr *a)
{
	struct model_iter it = model_iter_group(tx->m, REL_ADDRESS_DRAINS, e->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (is_of((const struct drain *)o, vni, a))
			return tx_delete(tx, o);
	return 0;
}

/* Makes room for one more: they are in the order in which they began. */
static int make_room(struct tx *tx, const struct elastic *e)
{
	struct model_iter it = model_iter_group(tx->m, REL_ADDRESS_DRAINS, e->o.id);

	if (model_group_count(tx->m, REL_ADDRESS_DRAINS, e->o.id) < LIMIT_MODEL_DRAINS)
		return 0;
	return tx_delete(tx, model_iter_next(&it));
}

int drain_begin(struct tx *tx, const struct elastic *e)
{
	struct object *o = NULL;
	struct drain *d;
	int r = make_room(tx, e);

	if (!r)
		r = tx_make(tx, KIND_DRAIN, e->o.account, &o);
	if (r)
		return r;
	d = (struct drain *)o;
	d->address = e->o.id;
	d->vni = e->vni;
	d->private_addr = e->private_addr;
	d->until_ms = tx->now_ms + LIMIT_MODEL_DRAIN_MS;
	return tx_put(tx, NULL, &o);
}

int drain_end_all(struct tx *tx, const struct elastic *e)
{
	return tx_delete_all(tx, model_iter_group(tx->m, REL_ADDRESS_DRAINS, e->o.id));
}

/* All last equally long, so the first one that lives ends the search. */
int drain_expire(struct tx *tx, size_t *left)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_DRAIN);
	const struct object *o = model_iter_next(&it);

	while (o && *left && ((const struct drain *)o)->until_ms <= tx->now_ms) {
		const struct object *next = model_iter_next(&it);
		int r = tx_delete(tx, o);

		if (r)
			return r;
		--*left;
		o = next;
	}
	return 0;
}
