/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed prefix lists.  See prefix_list.h.
 */
#include "model/prefix_list.h"

const char *prefix_list_state_text(enum prefix_list_state s)
{
	static const char *const texts[] = {
		[LIST_CREATED] = "create-complete",
		[LIST_MODIFIED] = "modify-complete",
		[LIST_RESTORED] = "restore-complete",
	};

	return s < ARRAY_SIZE(texts) ? texts[s] : NULL;
}
