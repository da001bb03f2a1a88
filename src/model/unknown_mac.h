/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a frame that a node sends to a MAC that was not handed out to it for the
 * packet's destination (PKT-1): it is refused, or *resolved*, which is to be carried as though it
 * had been sent to the right MAC, that of the neighbour or of the router.  All other checks are the
 * same in both.  MACs of groups (broadcast, multicast) are never resolved.
 *
 * Networks refuse.  One resolves by its tag "viaduct:unknown-macs" with the value "resolve", set
 * by its owner or by an operator; hosts are told with the interfaces (plan.h).
 *
 * Pure.  One thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/refusal.h"

struct caller;
struct tx;
struct vpc;

#define UNKNOWN_MAC_TAG "viaduct:unknown-macs"

bool unknown_mac_is_resolved(const struct vpc *v);
/* "resolve" or "refuse". */
const char *unknown_mac_text(const struct vpc *v);
/* One of these texts as the tag's value: 0, or VALUE. */
must_check int unknown_mac_check(const char *text, struct refusal *reterr);
/* VPC_NOT_FOUND, VALUE, TAG_LIMIT */
must_check int unknown_mac_set(struct tx *tx, const struct caller *c, const char *vpc_id,
			       const char *text, struct refusal *reterr);
