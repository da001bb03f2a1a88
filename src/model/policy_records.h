/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what the stored records of groups, rules, ACLs and prefix lists must be like,
 * for loading.
 */
#pragma once

#include <stdbool.h>

#include "model/model.h"

/* By itself; 'o' is of one of the four kinds. */
bool policy_is_sound(const struct object *o);
/* What 'o', of any kind, names of groups, ACLs and prefix lists is there and is what it should
 * be. */
bool policy_references_hold(const struct model *m, const struct object *o);
