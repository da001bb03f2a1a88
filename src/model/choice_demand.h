/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what policies that match demand together (model/negotiate.h).
 */
#pragma once

#include "model/choice_policy.h"
#include "model/negotiate.h"

/* Adds what 'p' says.  In order, the most specific policy first: prohibitions and requirements
 * accumulate, of preferences and pins the first that says anything counts. */
void choice_demand_add(struct demand *d, const struct choice_policy *p);
