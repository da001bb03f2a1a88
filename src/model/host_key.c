/* SPDX-License-Identifier: Apache-2.0 */
#include "model/host_key.h"

#include "abi/feature.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/host_edit.h"
#include "model/pair_class.h"

/* Anything that the host sends to the other one. */
static int is_used_towards(const struct model *m, const struct host *h, const struct host *other,
			   bool classes_too, bool *ret)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	struct wish w;
	int r = 0;

	pair_wish_quickly(m, NULL, h, other, &pair_all, &w);
	*ret = w.features & FEATURES_PAYLOAD;
	if (!*ret && classes_too)
		r = pair_classes_of(m, h, other, &classes);
	for (size_t i = 0; i < classes.n && !*ret; i++) {
		pair_wish_quickly(m, NULL, h, other, &classes.v[i], &w);
		*ret = w.features & FEATURES_PAYLOAD;
	}
	return r;
}

int host_key_is_used(const struct model *m, const struct host *h, bool *ret)
{
	/* without both, no class is told apart */
	const bool classes = choice_rules_any(m) || model_count(m, KIND_PEERING);
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	bool can_seal = (ability_of(h).features | ability_former(h).features) & FEATURES_PAYLOAD;
	const struct object *o;
	bool used = false;
	int r = 0;

	while (can_seal && !used && !r && (o = model_iter_next(&it)))
		if (o != &h->o)
			r = is_used_towards(m, h, (const struct host *)o, classes, &used);
	if (!r)
		*ret = used;
	return r;
}

static int rotate(struct tx *tx, const struct host *h)
{
	const uint32_t number = h->number;
	struct object *o;
	struct host *new;
	int r = h->changing_at ? host_end_change(tx, h) : 0;

	if (r)
		return r;
	h = host_by_number(tx->m, number);
	r = tx_edit(tx, &h->o, &o);
	if (r)
		return r;
	new = (struct host *)o;
	new->key_epoch++;
	new->keyed_ms = tx->now_ms;
	return host_put_changed(tx, h, &o);
}

uint64_t host_keyed_ms(const struct host *h)
{
	uint64_t ms = h->keyed_ms ? h->keyed_ms : h->o.created_ms;

	return ms > h->incarnated_ms ? ms : h->incarnated_ms;
}

int host_key_rotate(struct tx *tx, const struct host *h)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, rotate(tx, h));
}

int host_key_rotate_asked(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr)
{
	const struct host *h;
	int r = host_of_operator(tx->m, c, id, &h, reterr);

	if (!r && h->foreign)
		r = refuse(reterr, MODEL_E_NO_SEAL, h->name);
	return r ? r : host_key_rotate(tx, h);
}
