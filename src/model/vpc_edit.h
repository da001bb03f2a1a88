/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on VPCs that several operations share.
 */
#pragma once

#include "model/vpc_block6.h"

/* Gives a copy that is to be put one more IPv6 block. */
must_check int vpc_add_block6(struct tx *tx, struct vpc *v, const struct vpc_block6_args *args,
			      struct refusal *reterr);
