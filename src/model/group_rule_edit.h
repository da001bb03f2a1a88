/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: rules of security groups as parts of other operations.
 */
#pragma once

#include "model/group_rule.h"

struct tx;

/* Makes 'to' say what 'from' says: direction, traffic, other end. */
void group_rule_say(struct group_rule *to, const struct group_rule *from);
/* A rule of 'g' like 'like' (its tags and identity apart), put. */
must_check int group_rule_make(struct tx *tx, const struct security_group *g,
			       const struct group_rule *like, const struct group_rule **ret);
