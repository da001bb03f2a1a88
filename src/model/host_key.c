/* SPDX-License-Identifier: Apache-2.0 */
#include "model/host_key.h"

#include "abi/feature.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/host_edit.h"
#include "model/pair_shift.h"

int host_key_is_used(const struct model *m, const struct host *h, bool *ret)
{
	struct pair_survey survey;
	int r = pair_survey_host(m, h->number, &survey);

	*ret = false;
	for (size_t i = 0; !r && i < survey.n; i++)
		if (survey.items[i].from == h->number &&
		    survey.items[i].terms.features & FEATURES_PAYLOAD)
			*ret = true;
	pair_survey_deinit(&survey);
	return r;
}

static int rotate(struct tx *tx, const struct host *h)
{
	struct pair_survey survey;
	struct host *new;
	int r = pair_survey_host(tx->m, h->number, &survey);

	if (!r)
		r = TX_EDIT(tx, h, &new);
	if (!r) {
		new->key_epoch++;
		new->keyed_ms = tx->now_ms;
		r = TX_PUT(tx, h, &new);
	}
	if (!r)
		r = pair_survey_shift(tx, &survey);
	pair_survey_deinit(&survey);
	return r;
}

int host_key_rotate(struct tx *tx, const struct host *h)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, rotate(tx, h));
}

int host_key_rotate_asked(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr)
{
	const struct host *h = host_find(tx->m, id);
	int r = host_need_operator(c, reterr);

	if (!r && !h)
		r = refuse(reterr, MODEL_E_HOST_NOT_FOUND, id);
	if (!r && h->foreign)
		r = refuse(reterr, MODEL_E_NO_SEAL, h->name);
	return r ? r : host_key_rotate(tx, h);
}
