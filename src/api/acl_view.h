/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network ACLs as answers and filters see them.
 */
#pragma once

#include "model/model.h"
#include "model/network_acl.h"

/* The entries that stand at the end of each ACL without being in it: everything else is denied.
 * Returns how many of 'ret' they are. */
size_t acl_last_entries(const struct model *m, const struct network_acl *a, bool egress,
			struct acl_entry ret[static 2]);
