/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of VPCs, subnets, interfaces and instances (and labels of hosts): at most 50 on one
 * resource, keys up to 128 characters, values up to 256, "aws:" reserved.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;

/* The tags that the caller has on an object, which he need not own: what another account made has
 * none of its owner's, and of a peering connection each side has its own. */
const struct tag *tags_of(const struct caller *c, const struct object *o, size_t *ret_n);

/* Sets all of 'tags' on all of 'ids', or none.  TAG_*, *_NOT_FOUND */
must_check int tag_create(struct tx *tx, const struct caller *c, const char *const *ids,
			  size_t n_ids, const struct tag_args *tags, size_t n_tags,
			  struct refusal *reterr);
/* Removes the named tags; with a value only if it has that value (NULL: whatever it has); with no
 * tags at all, all of them. */
must_check int tag_delete(struct tx *tx, const struct caller *c, const char *const *ids,
			  size_t n_ids, const struct tag_args *tags, size_t n_tags,
			  struct refusal *reterr);
/* One tag of one resource has this value from now on; with none (NULL) it is removed. */
must_check int tag_set(struct tx *tx, const struct caller *c, const char *id,
		       const struct tag_args *tag, struct refusal *reterr);
