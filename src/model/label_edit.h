/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how labels follow what they stand for (model/label.h).
 */
#pragma once

#include "model/label.h"

struct interface;

/* An interface has been put in the place of another version, either may be NULL: its addresses get
 * and lose labels.  For tx.c, which does so for every write of one.  -ENOMEM */
must_check int label_follow(struct tx *tx, const struct interface *old,
			    const struct interface *new);
/* The host has another range: all that is there gets labels of it, and holders are to be told.
 * -ENOMEM */
must_check int label_renew(struct tx *tx, const struct host *h);
/* A range for 'h', which is not in the model yet or as it was.  VALUE, EXISTS */
must_check int label_check_range(const struct model *m, const struct host *h,
				 const struct prefix *range, struct refusal *reterr);
