/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: network ACLs as parts of other operations.
 */
#pragma once

#include "model/network_acl.h"

struct tx;

/* The default ACL of a VPC that is in the model already: it allows everything. */
must_check int network_acl_make_default(struct tx *tx, const struct vpc *v, struct refusal *reterr);
/* 'v' has got an IPv6 block: its default ACL lets all of IPv6 through in each direction in which
 * nobody has changed it. */
must_check int network_acl_widen(struct tx *tx, const struct vpc *v);
/* Puts an entry, whose number is not there yet, in its place in a copy that is to be put.
 * -ENOMEM */
must_check int network_acl_insert(struct network_acl *a, const struct acl_entry *e);
/* Gives 's', a copy that is to be put, the ACL (NULL: none) by a new association. */
void network_acl_assign(struct tx *tx, struct subnet *s, const struct network_acl *a);
