/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The epoch of the keys that a host seals with (docs/negotiation.md, "Sealing").  Rotating is a
 * change of what it uses towards each peer, like any other: the peer has the new key before the
 * host seals with it, and loses the old one when nothing sealed with it can be on its way.
 */
#pragma once

#include "base/err.h"
#include "model/refusal.h"

#include <stdbool.h>
#include <stdint.h>

struct caller;
struct host;
struct model;
struct tx;

/* Whether anything that it sends is sealed.  -ENOMEM */
must_check int host_key_is_used(const struct model *m, const struct host *h, bool *ret);
/* The next epoch, from now.  -ENOMEM */
must_check int host_key_rotate(struct tx *tx, const struct host *h);
/* Since when it has its newest keys, unix ms: its first ones are as old as it is. */
uint64_t host_keyed_ms(const struct host *h);
/* The same by an operator; 'id' is an id or a name.  HOST_NOT_FOUND, NOT_PERMITTED */
must_check int host_key_rotate_asked(struct tx *tx, const struct caller *c, const char *id,
				     struct refusal *reterr);
