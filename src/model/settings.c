/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the cluster.  See settings.h.
 */
#include "model/settings.h"

#include "model/edit.h"

static const struct settings *settings_of(const struct model *m)
{
	return (const struct settings *)model_get(m, KIND_SETTINGS, SETTINGS_ID);
}

enum placement_strategy settings_placement(const struct model *m)
{
	const struct settings *s = settings_of(m);

	return s && s->placement ? s->placement : PLACEMENT_LEAST_LOADED;
}

/* A copy of what is set, or a new object. */
static int begin(struct tx *tx, struct object **ret)
{
	const struct settings *old = settings_of(tx->m);
	int r;

	if (old)
		return tx_edit(tx, &old->o, ret);
	r = tx_make(tx, KIND_SETTINGS, 0, ret);
	if (!r)
		(*ret)->id = SETTINGS_ID;
	return r;
}

static int do_set(struct tx *tx, enum placement_strategy placement)
{
	const struct settings *old = settings_of(tx->m);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r = begin(tx, &o);

	if (r)
		return r;
	((struct settings *)o)->placement = placement;
	return tx_put(tx, old ? &old->o : NULL, &o);
}

int settings_set(struct tx *tx, const struct caller *c, const struct settings_args *args,
		 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	enum placement_strategy placement;

	if (!c->is_operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED, "Settings are the operators'");
	if (!args->placement)
		return 0;
	if (placement_strategy_parse(args->placement, &placement))
		return refuse(reterr, MODEL_E_VALUE, args->placement, "placement",
			      "It is least-loaded or round-robin.");
	return tx_settle(tx, mark, do_set(tx, placement));
}
