/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: rules of security groups as parts of other operations.
 */
#pragma once

#include "model/group_rule.h"

struct tx;

/* Makes 'to' say what 'from' says: direction, traffic, other end. */
void group_rule_say(struct group_rule *to, const struct group_rule *from);
/* A rule of 'g' that says what 'like' says, put.  TAG_* */
must_check int group_rule_make(struct tx *tx, const struct security_group *g,
			       const struct group_rule *like, const struct tag_args *tags,
			       size_t n_tags, const struct group_rule **ret,
			       struct refusal *reterr);
/* What a request says of a rule of 'g'; 'ret' borrows the description. */
must_check int group_rule_read(const struct model *m, const struct caller *c,
			       const struct security_group *g, bool egress,
			       const struct rule_args *args, struct group_rule *ret,
			       struct refusal *reterr);
/* A rule of 'group' that says the same, or NULL; 'except' does not count. */
const struct group_rule *group_rule_find_same(const struct model *m, uint64_t group,
					      const struct group_rule *like,
					      const struct group_rule *except);
/* RULE_LIMIT: the group has more rules than its account may have. */
must_check int group_rule_check_limit(const struct model *m, uint64_t group,
				      struct refusal *reterr);
/* Refuses with the rule in EC2's words. */
int group_rule_refuse(int code, const struct group_rule *rule, struct refusal *reterr);
