/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy that comes, changes or goes makes of pairs: the operation is done, the differences
 * are told, and it stays or is undone.
 */
#pragma once

#include "model/pair_class.h"

struct tx;

typedef int (*choice_operation_fn)(struct tx *tx, void *arg);

/* What 'operate' refuses or fails with, or what 'fn' returned; 0 otherwise.  Nothing has changed in
 * any case. */
must_check int choice_preview(struct tx *tx, choice_operation_fn operate, void *arg,
			      pair_difference_fn fn, void *data);
/* The same, but what 'operate' did stays when this returns 0. */
must_check int choice_operate(struct tx *tx, choice_operation_fn operate, void *arg,
			      pair_difference_fn fn, void *data);
