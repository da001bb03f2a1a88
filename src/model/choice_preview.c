/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of policies leads to.  See choice_preview.h.
 */
#include "model/choice_preview.h"

#include <stdlib.h>

#include "model/edit.h"

static int compare(struct tx *tx, const struct choice_rules *before, pair_difference_fn fn,
		   void *data)
{
	const struct choice_rules *after = choice_rules_of(tx->m);
	const struct choice_policy **changed =
		calloc(before->n + after->n + 1, sizeof(const struct choice_policy *));
	struct pair_rules_change c = {before, after, 0, changed, 0};
	const struct pair_walk walk = {fn, NULL, data};
	int r;

	if (!changed)
		return -ENOMEM;
	c.n_changed = choice_rules_changed(before, after, changed);
	r = pair_differences(tx->m, &c, NULL, &walk);
	free(changed);
	return r;
}

static int operate_and_compare(struct tx *tx, choice_operation_fn operate, void *arg,
			       pair_difference_fn fn, void *data)
{
	_cleanup_(choice_rules_deinit) struct choice_rules before = {0};
	int r = choice_rules_copy(choice_rules_of(tx->m), &before);

	if (!r)
		r = operate(tx, arg);
	return r ? r : compare(tx, &before, fn, data);
}

int choice_preview(struct tx *tx, choice_operation_fn operate, void *arg, pair_difference_fn fn,
		   void *data)
{
	size_t mark = tx_mark(tx);
	int r = operate_and_compare(tx, operate, arg, fn, data);

	(void)tx_settle(tx, mark, -ECANCELED);
	return r;
}

int choice_operate(struct tx *tx, choice_operation_fn operate, void *arg, pair_difference_fn fn,
		   void *data)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, operate_and_compare(tx, operate, arg, fn, data));
}
