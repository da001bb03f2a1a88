/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on subnets that several operations share.
 */
#pragma once

#include "model/subnet.h"

/* Gives a copy that is to be put its IPv6 block. */
must_check int subnet_set_block6(struct tx *tx, struct subnet *s, const char *cidr,
				 struct refusal *reterr);
