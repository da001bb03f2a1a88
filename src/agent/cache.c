/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cache_record.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

static void cache_on_timer(struct timer *t, void *data);

static bool cache_less(const struct heap_node *a, const struct heap_node *b)
{
	return container_of(a, struct mapping, order)->deadline_ns <
	       container_of(b, struct mapping, order)->deadline_ns;
}

static uint64_t cache_hash(uint32_t vni, const struct ipaddr *addr)
{
	return hash_u64_bytes(vni, addr->b, sizeof(addr->b));
}

static uint64_t cache_now(const struct cache *c)
{
	return clock_mono_ns(loop_clock(c->loop));
}

void cache_init(struct cache *c, struct loop *loop, cache_released_fn released, void *arg)
{
	*c = (struct cache){.loop = loop,
			    .lease_s = LIMIT_AGENT_LEASE_S,
			    .max = LIMIT_AGENT_MAPPINGS,
			    .released = released,
			    .arg = arg};
	hmap_init(&c->mappings);
	heap_init(&c->order, cache_less);
	list_init(&c->settling);
	timer_init(&c->timer, loop, cache_on_timer, c);
}

void cache_abandon(struct cache *c)
{
	struct mapping *m;

	timer_disarm(&c->timer);
	hmap_for_each (m, &c->mappings, node) {
		hmap_remove(&c->mappings, &m->node);
		heap_remove(&c->order, &m->order);
		list_remove(&m->settling);
		free(m->lists);
		free(m);
	}
	c->dp = NULL;
}

void cache_deinit(struct cache *c)
{
	cache_abandon(c);
	free(c->preloaded);
	timer_deinit(&c->timer);
	hmap_deinit(&c->mappings);
}

struct mapping *cache_find(const struct cache *c, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping *m;

	hmap_for_each_at (m, &c->mappings, cache_hash(vni, addr), node)
		if (m->vni == vni && ipaddr_equal(&m->addr, addr))
			return m;
	return NULL;
}

bool mapping_is_held(const struct mapping *m)
{
	return m->state != MAPPING_REFUSED && m->state != MAPPING_GONE;
}

const char *mapping_state_text(enum mapping_state state)
{
	static const char *const texts[] = {
		[MAPPING_LIVE] = "live",       [MAPPING_SETTLING] = "settling",
		[MAPPING_PROVING] = "proving", [MAPPING_REFUSED] = "refused",
		[MAPPING_GONE] = "gone",
	};

	return texts[state];
}

/* ---- time ---- */

#define NEVER UINT64_MAX /* the deadline of what is preloaded */

static void cache_arm(struct cache *c)
{
	struct heap_node *first = heap_first(&c->order);
	uint64_t deadline_ns =
		first ? container_of(first, struct mapping, order)->deadline_ns : NEVER;

	if (deadline_ns != NEVER && c->connected)
		timer_arm_at(&c->timer, deadline_ns);
	else
		timer_disarm(&c->timer);
}

static void cache_schedule(struct cache *c, struct mapping *m, uint64_t deadline_ns)
{
	heap_remove(&c->order, &m->order);
	m->deadline_ns = deadline_ns;
	heap_insert(&c->order, &m->order);
	cache_arm(c);
}

bool cache_is_preloaded(const struct cache *c, uint32_t vni)
{
	size_t low = 0, high = c->n_preloaded;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->preloaded[middle] < vni)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n_preloaded && c->preloaded[low] == vni;
}

/* A lifetime of 'lifetime_s' begins. */
static void cache_begin_lifetime(struct cache *c, struct mapping *m, uint32_t lifetime_s)
{
	uint64_t life_ns, window_ns = LIMIT_AGENT_RENEWAL_MS * CLOCK_NS_PER_MS;

	if (cache_is_preloaded(c, m->vni)) {
		m->asked = false;
		m->end_ns = NEVER;
		cache_schedule(c, m, NEVER);
		return;
	}
	if (!lifetime_s)
		lifetime_s = c->lease_s;
	if (lifetime_s < LIMIT_AGENT_LEASE_MIN_S)
		lifetime_s = LIMIT_AGENT_LEASE_MIN_S;
	life_ns = lifetime_s * CLOCK_NS_PER_S;
	if (window_ns > life_ns / 4)
		window_ns = life_ns / 4;
	m->asked = false;
	m->end_ns = cache_now(c) + life_ns;
	cache_schedule(c, m, m->end_ns - window_ns);
}

static void cache_begin_negative(struct cache *c, struct mapping *m)
{
	m->asked = false;
	m->end_ns = cache_now(c) + LIMIT_AGENT_NEGATIVE_MS * CLOCK_NS_PER_MS;
	cache_schedule(c, m, m->end_ns);
}

/* ---- its end and its beginning ---- */

static void cache_unlink(struct cache *c, struct mapping *m)
{
	hmap_remove(&c->mappings, &m->node);
	heap_remove(&c->order, &m->order);
	list_remove(&m->settling);
	free(m->lists);
	free(m);
}

/* Takes the mapping out of the data plane and of the cache, and tells who must know. */
static void cache_end(struct cache *c, struct mapping *m)
{
	int e = c->dp ? datapath_mapping_delete(c->dp, m->vni, &m->addr) : 0;

	if (e && e != -ENOENT)
		log_debug("mapping not deleted", LOG_U64("vni", m->vni), LOG_ADDR("addr", &m->addr),
			  LOG_ERRNO(e));
	if (mapping_is_held(m))
		c->released(m, c->arg);
	cache_unlink(c, m);
	cache_arm(c);
}

static struct mapping *cache_add(struct cache *c, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping *m;

	/* No room: the one that would end first makes some. */
	if (hmap_count(&c->mappings) >= c->max)
		cache_end(c, container_of(heap_first(&c->order), struct mapping, order));
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->vni = vni;
	m->addr = *addr;
	m->state = MAPPING_GONE; /* until it is written: nothing to release */
	hmap_insert(&c->mappings, &m->node, cache_hash(vni, addr));
	heap_insert(&c->order, &m->order);
	return m;
}

static void cache_expire(struct cache *c, struct mapping *m)
{
	if (m->asked) {
		/* In use, and the manager owes an answer: what is known serves on (fail static),
		 * and is proved again. */
		m->asked = false;
		m->end_ns = cache_now(c) + 2 * LIMIT_AGENT_RENEWAL_MS * CLOCK_NS_PER_MS;
		cache_schedule(c, m, m->end_ns - LIMIT_AGENT_RENEWAL_MS * CLOCK_NS_PER_MS);
		return;
	}
	if (m->state == MAPPING_LIVE && cache_now(c) < m->end_ns) {
		if (!cache_write(c, m, MAPPING_PROVING)) {
			cache_schedule(c, m, m->end_ns);
			return;
		}
	}
	cache_end(c, m);
}

static void cache_on_timer(struct timer *t, void *data)
{
	struct cache *c = data;
	struct heap_node *first;
	uint64_t now = cache_now(c);

	while ((first = heap_first(&c->order))) {
		struct mapping *m = container_of(first, struct mapping, order);

		if (m->deadline_ns > now)
			break;
		cache_expire(c, m);
	}
	cache_arm(c);
}

void cache_connected(struct cache *c, uint32_t lease_s)
{
	struct mapping *m;

	c->connected = true;
	c->lease_s = lease_s ? lease_s : LIMIT_AGENT_LEASE_S;
	hmap_for_each (m, &c->mappings, node) {
		if (!mapping_is_held(m)) {
			cache_begin_negative(c, m);
			continue;
		}
		cache_begin_lifetime(c, m, 0);
		if (m->state == MAPPING_PROVING && cache_write(c, m, MAPPING_LIVE))
			cache_schedule(c, m, m->end_ns); /* stays as it is until used or over */
	}
	cache_arm(c);
}

void cache_disconnected(struct cache *c)
{
	struct mapping *m;

	c->connected = false;
	timer_disarm(&c->timer);
	/* Without a manager nobody can renew them: what was to be proved is taken as used. */
	hmap_for_each (m, &c->mappings, node) {
		m->asked = false;
		if (m->state == MAPPING_PROVING)
			(void)!cache_write(c, m, MAPPING_LIVE);
	}
}

/* ---- what the manager says ---- */

int cache_install(struct cache *c, uint32_t vni, const struct ipaddr *addr,
		  const struct mapping_place *place, uint32_t lifetime_s)
{
	struct mapping *m = cache_find(c, vni, addr);
	enum mapping_state state = MAPPING_SETTLING;
	int e;

	if (m && m->state != MAPPING_REFUSED && m->revision > place->revision)
		return 0;
	/* Nothing waits for one that carries packets already: it changes in place. */
	if (m && m->state == MAPPING_LIVE)
		state = MAPPING_LIVE;
	if (!m)
		m = cache_add(c, vni, addr);
	if (!m)
		return -ENOMEM;
	e = cache_move(c, m, state, place);
	if (e) {
		/* An old location must not stay when the new one cannot be written. */
		cache_end(c, m);
		return e;
	}
	cache_begin_lifetime(c, m, lifetime_s);
	return 0;
}

static int cache_negate(struct cache *c, uint32_t vni, const struct ipaddr *addr,
			enum mapping_state state, uint64_t revision)
{
	const struct mapping_place nowhere = {.peer = DP_PEER_SELF, .revision = revision};
	struct mapping *m = cache_find(c, vni, addr);
	int e;

	if (!m)
		m = cache_add(c, vni, addr);
	if (!m)
		return -ENOMEM;
	e = cache_move(c, m, state, &nowhere);
	if (e) {
		cache_end(c, m);
		return e;
	}
	cache_begin_negative(c, m);
	return 0;
}

int cache_refuse(struct cache *c, uint32_t vni, const struct ipaddr *addr)
{
	return cache_negate(c, vni, addr, MAPPING_REFUSED, 0);
}

int cache_gone(struct cache *c, uint32_t vni, const struct ipaddr *addr, uint64_t revision)
{
	const struct mapping *m = cache_find(c, vni, addr);

	if (m && m->state != MAPPING_REFUSED && m->revision > revision)
		return 0;
	return cache_negate(c, vni, addr, MAPPING_GONE, revision);
}

/* ---- preloaded networks ---- */

/* Its network's word has changed: it has no lifetime any more, or one begins, spread so that not
 * all end at once. */
static void cache_review(struct cache *c, struct mapping *m)
{
	uint32_t half_s = c->lease_s / 2;

	cache_begin_lifetime(c, m, c->lease_s - (half_s ? (uint32_t)(m->node.hash % half_s) : 0));
	if (m->end_ns == NEVER && m->state == MAPPING_PROVING && cache_write(c, m, MAPPING_LIVE))
		log_debug("mapping stays to be proved", LOG_U64("vni", m->vni));
}

int cache_set_preloaded(struct cache *c, const uint32_t *vnis, size_t n)
{
	_cleanup_free_ uint32_t *copy = NULL;
	struct mapping *m;

	if (n == c->n_preloaded && (!n || !memcmp(vnis, c->preloaded, n * sizeof(*vnis))))
		return 0;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, vnis, n * sizeof(*vnis));
	free(c->preloaded);
	c->preloaded = TAKE_PTR(copy);
	c->n_preloaded = n;
	hmap_for_each (m, &c->mappings, node)
		if (mapping_is_held(m) && cache_is_preloaded(c, m->vni) != (m->end_ns == NEVER))
			cache_review(c, m);
	return 0;
}

int cache_preload(struct cache *c, uint32_t vni, const struct ipaddr *addr,
		  const struct mapping_place *place)
{
	struct mapping *m;
	int e;

	assert(!cache_find(c, vni, addr));
	if (hmap_count(&c->mappings) >= c->max)
		return -ENOSPC;
	m = cache_add(c, vni, addr);
	if (!m)
		return -ENOMEM;
	e = cache_move(c, m, MAPPING_LIVE, place);
	if (e) {
		cache_end(c, m);
		return e;
	}
	cache_begin_lifetime(c, m, 0);
	return 0;
}

void cache_drop_network(struct cache *c, uint32_t vni)
{
	struct mapping *m;

	hmap_for_each (m, &c->mappings, node)
		if (m->vni == vni)
			cache_end(c, m);
}

/* ---- packets ---- */

bool cache_is_settling(const struct cache *c)
{
	return !list_empty(&c->settling);
}

void cache_settle(struct cache *c)
{
	struct mapping *m;

	list_for_each (m, &c->settling, settling)
		if (cache_write(c, m, MAPPING_LIVE))
			cache_end(c, m);
}

int cache_use(struct cache *c, struct mapping *m)
{
	int e = cache_write(c, m, MAPPING_SETTLING);

	if (e)
		return e;
	m->asked = true; /* its deadline stays the end of its lifetime, should no answer come */
	return 0;
}

bool cache_repeat(struct cache *c, struct mapping *m)
{
	uint64_t now = cache_now(c);

	if (now - m->repeats_since_ns >= CLOCK_NS_PER_S) {
		m->repeats_since_ns = now;
		m->n_repeats = 0;
	}
	return ++m->n_repeats <= LIMIT_AGENT_REPEATS_PER_S;
}

/* ---- dropping, adopting ---- */

void cache_drop(struct cache *c, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping *m = cache_find(c, vni, addr);

	if (m)
		cache_end(c, m);
}

void cache_drop_negative(struct cache *c, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping *m = cache_find(c, vni, addr);

	if (m && !mapping_is_held(m))
		cache_end(c, m);
}

static bool mapping_names_peer(const struct mapping *m, uint32_t peer)
{
	for (uint32_t n = 0; n < m->n_peers; n++)
		if (m->lists[m->n_groups + n] == peer)
			return true;
	return m->peer == peer;
}

void cache_drop_peer(struct cache *c, uint32_t peer)
{
	struct mapping *m;

	hmap_for_each (m, &c->mappings, node)
		if (mapping_is_held(m) && mapping_names_peer(m, peer))
			cache_end(c, m);
}

static int cache_adopt_one(const struct dp_mapping *record, void *arg)
{
	struct cache *c = arg;
	struct mapping *m = cache_add(c, record->vni, &record->addr);
	struct mapping_place place = {.peer = record->peer,
				      .revision = record->revision,
				      .n_groups = record->n_groups,
				      .n_peers = record->n_peers,
				      .label = record->label};

	if (!m)
		return -ENOMEM;
	memcpy(place.groups, record->groups, sizeof(place.groups));
	memcpy(place.peers, record->peers, sizeof(place.peers));
	if (cache_keep(m, &place))
		return -ENOMEM;
	switch (record->state) {
	case DP_MAPPING_LIVE:
		m->state = MAPPING_LIVE;
		break;
	case DP_MAPPING_HELD:
		m->state = MAPPING_SETTLING;
		list_push_back(&c->settling, &m->settling);
		break;
	case DP_MAPPING_REFUSED:
		m->state = MAPPING_REFUSED;
		break;
	case DP_MAPPING_GONE:
		m->state = MAPPING_GONE;
		break;
	}
	if (mapping_is_held(m))
		cache_begin_lifetime(c, m, 0);
	else
		cache_begin_negative(c, m);
	return 0;
}

int cache_adopt(struct cache *c, struct datapath *dp)
{
	size_t max = c->max;
	int e;

	cache_abandon(c);
	c->max = SIZE_MAX; /* nothing may be deleted while the table is being walked */
	e = datapath_mappings(dp, cache_adopt_one, c);
	c->max = max;
	c->dp = dp;
	if (e) {
		cache_abandon(c);
		return e;
	}
	cache_settle(c);
	return 0;
}
