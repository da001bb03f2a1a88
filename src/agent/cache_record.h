/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the cache (agent/cache.h): a mapping and its record in the data plane, which change
 * together or not at all.
 */
#pragma once

#include "agent/cache.h"

/* Writes 'm' with a new state. */
must_check int cache_write(struct cache *c, struct mapping *m, enum mapping_state state);
/* The same for a mapping that lives somewhere else now, or is in other groups. */
must_check int cache_move(struct cache *c, struct mapping *m, enum mapping_state state,
			  const struct mapping_place *place);
/* '*m' is as 'place' says; the data plane knows. -ENOMEM. */
must_check int cache_keep(struct mapping *m, const struct mapping_place *place);
