/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would be if a policy came, changed or went: the operation is done, what it makes of pairs is told, and it is
 * undone.
 */
#pragma once

#include "model/pair_class.h"

struct tx;

typedef int (*choice_operation_fn)(struct tx *tx, void *arg);

/* What 'operate' refuses or fails with, or what 'fn' returned; 0 otherwise.  Nothing has changed in any case. */
must_check int choice_preview(struct tx *tx, choice_operation_fn operate, void *arg, pair_difference_fn fn,
			      void *data);
