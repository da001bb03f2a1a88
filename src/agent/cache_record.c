/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cache_record.h"

#include <stdlib.h>
#include <string.h>

static enum dp_mapping_state cache_dp_state(enum mapping_state state)
{
	switch (state) {
	case MAPPING_LIVE:
		return DP_MAPPING_LIVE;
	case MAPPING_REFUSED:
		return DP_MAPPING_REFUSED;
	case MAPPING_GONE:
		return DP_MAPPING_GONE;
	default:
		return DP_MAPPING_HELD;
	}
}

/* Writes what is said of 'm' with a new state. */
static int cache_put(struct cache *c, const struct mapping *m, enum mapping_state state,
		     const struct mapping_place *place)
{
	struct dp_mapping record = {.vni = m->vni,
				    .addr = m->addr,
				    .state = cache_dp_state(state),
				    .peer = place->peer,
				    .revision = place->revision,
				    .n_groups = place->n_groups,
				    .n_peers = place->n_peers,
				    .label = place->label};

	memcpy(record.groups, place->groups, place->n_groups * sizeof(record.groups[0]));
	memcpy(record.peers, place->peers, place->n_peers * sizeof(record.peers[0]));
	return c->dp ? datapath_mapping_set(c->dp, &record) : -ENOTCONN;
}

static void cache_enter(struct cache *c, struct mapping *m, enum mapping_state state)
{
	m->state = state;
	list_remove(&m->settling);
	if (state == MAPPING_SETTLING)
		list_push_back(&c->settling, &m->settling);
}

/* Writes the mapping with a new state; only when the data plane took it is '*m' changed. */
int cache_write(struct cache *c, struct mapping *m, enum mapping_state state)
{
	struct mapping_place place = {.peer = m->peer,
				      .revision = m->revision,
				      .n_groups = m->n_groups,
				      .n_peers = m->n_peers,
				      .label = m->label};
	int e;

	if (m->lists) {
		memcpy(place.groups, m->lists, m->n_groups * sizeof(*m->lists));
		memcpy(place.peers, m->lists + m->n_groups, m->n_peers * sizeof(*m->lists));
	}
	e = cache_put(c, m, state, &place);
	if (!e)
		cache_enter(c, m, state);
	return e;
}

/* '*m' is as 'place' says.  Most mappings are in one group or none: the lists are no longer than
 * that. */
int cache_keep(struct mapping *m, const struct mapping_place *place)
{
	const size_t n = place->n_groups + place->n_peers;
	uint32_t *lists = n ? calloc(n, sizeof(*lists)) : NULL;

	if (n && !lists)
		return -ENOMEM;
	if (lists) {
		memcpy(lists, place->groups, place->n_groups * sizeof(*lists));
		memcpy(lists + place->n_groups, place->peers, place->n_peers * sizeof(*lists));
	}
	free(m->lists);
	m->lists = lists;
	m->n_groups = (uint8_t)place->n_groups;
	m->n_peers = (uint8_t)place->n_peers;
	m->peer = place->peer;
	m->revision = place->revision;
	m->label = place->label;
	return 0;
}

/* The same for a mapping that lives somewhere else now, or is in other groups. */
int cache_move(struct cache *c, struct mapping *m, enum mapping_state state,
	       const struct mapping_place *place)
{
	int e = cache_put(c, m, state, place);

	if (!e)
		e = cache_keep(m, place);
	if (!e)
		cache_enter(c, m, state);
	return e;
}
