/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on prefix lists.  Those that change one do it to a copy that is to be
 * put.
 */
#pragma once

#include "model/prefix_list.h"

must_check int prefix_list_check_name(const char *name, struct refusal *reterr);
must_check int prefix_list_check_max(uint32_t max, struct refusal *reterr);
/* One entry more, at the end.  CIDR_MALFORMED, RULE_DESCRIPTION, LIST_ENTRY_EXISTS, LIST_ENTRIES,
 * -ENOMEM */
must_check int prefix_list_add(struct prefix_list *l, const struct prefix_list_entry_args *args,
			       struct refusal *reterr);
/* One less.  CIDR_MALFORMED, LIST_NO_ENTRY */
must_check int prefix_list_take(struct prefix_list *l, const char *cidr, struct refusal *reterr);
