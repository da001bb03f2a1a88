/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who pays for an interface.  See payer.h.
 */
#include "model/payer.h"

#include <string.h>

#include "base/limits.h"
#include "model/account.h"
#include "model/edit.h"
#include "model/interface.h"

/* Where 'owner' is in the list, or its length. */
static size_t find(const struct account *a, uint64_t owner)
{
	size_t k = 0;

	while (k < a->n_pays_for && a->pays_for[k] != owner)
		k++;
	return k;
}

bool payer_agreed(const struct model *m, uint64_t payer, uint64_t owner)
{
	const struct account *a = (const struct account *)model_get(m, KIND_ACCOUNT, payer);

	return payer == owner || (a && find(a, owner) < a->n_pays_for);
}

uint64_t payer_of(const struct model *m, const struct interface *i)
{
	if (i->billing_account &&
	    (i->billing_imposed || payer_agreed(m, i->billing_account, i->o.account)))
		return i->billing_account;
	return i->o.account;
}

int payer_set(const struct model *m, const struct caller *c, struct interface *i,
	      const char *account, struct refusal *reterr)
{
	const struct account *a = account_find(m, account);

	if (*account && !a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, account);
	if (a && !c->is_operator && !payer_agreed(m, a->o.id, i->o.account))
		return refuse(reterr, MODEL_E_PAYER_CONSENT, account);
	i->billing_account = a ? a->o.id : 0;
	i->billing_imposed = a && c->is_operator;
	return 0;
}

/* ---- agreements ---- */

static int add(struct account *a, uint64_t owner, struct refusal *reterr)
{
	uint64_t *grown;
	char id[ID_TEXT_SIZE];

	if (a->n_pays_for >= LIMIT_MODEL_PAYS_FOR)
		return refuse(reterr, MODEL_E_PAYER_LIMIT, object_id_text(&a->o, id));
	grown = reallocarray(a->pays_for, a->n_pays_for + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->pays_for = grown;
	grown[a->n_pays_for++] = owner;
	return 0;
}

static void drop(struct account *a, size_t k)
{
	memmove(&a->pays_for[k], &a->pays_for[k + 1], (--a->n_pays_for - k) * sizeof(*a->pays_for));
	if (a->n_pays_for)
		return;
	free(a->pays_for);
	a->pays_for = NULL;
}

static int set_agreed(struct tx *tx, const struct account *old, uint64_t owner, bool agreed,
		      const struct account **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	size_t k = find(old, owner);
	struct account *new;
	int r;

	*ret = old;
	if ((k < old->n_pays_for) == agreed)
		return 0;
	r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct account *)o;
	if (agreed)
		r = add(new, owner, reterr);
	else
		drop(new, k);
	if (!r)
		r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret = new;
	return r;
}

int payer_agree(struct tx *tx, const struct caller *c, const struct payer_agree_args *args,
		const struct account **ret, struct refusal *reterr)
{
	const struct account *payer = account_find(tx->m, args->payer);
	const struct account *owner = account_find(tx->m, args->owner);
	size_t mark = tx_mark(tx);

	if (!payer || !caller_sees(c, &payer->o))
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->payer);
	if (!owner)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->owner);
	if (owner == payer)
		return refuse(reterr, MODEL_E_VALUE, args->owner, "account",
			      "An account pays for its own unless it names another.");
	return tx_settle(tx, mark, set_agreed(tx, payer, owner->o.id, args->agreed, ret, reterr));
}

int payer_forget_account(struct tx *tx, uint64_t account)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_ACCOUNT);
	const struct object *o, *next;
	const struct account *unused;
	struct refusal refusal;
	int r = 0;

	for (o = model_iter_next(&it); o && !r; o = next) {
		next = model_iter_next(&it);
		r = set_agreed(tx, (const struct account *)o, account, false, &unused, &refusal);
	}
	return r;
}
