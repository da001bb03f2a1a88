/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/nexthop.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

struct nexthop_peer {
	struct hmap_node node;
	uint32_t number;
	struct ipaddr target;
	struct nexthop *hop; /* NULL: there is no way */
};

static void nexthops_on_probe(struct timer *t, void *data);
static void nexthops_on_look(struct timer *t, void *data);

void nexthops_init(struct nexthops *n, struct loop *loop, const struct nexthop_kernel *kernel,
		   void *kernel_arg, nexthops_moved_fn moved, void *arg)
{
	*n = (struct nexthops){.loop = loop,
			       .kernel = kernel,
			       .kernel_arg = kernel_arg,
			       .moved = moved,
			       .arg = arg};
	hmap_init(&n->peers);
	hmap_init(&n->hops);
	timer_init(&n->probe, loop, nexthops_on_probe, n);
	timer_init(&n->look, loop, nexthops_on_look, n);
}

void nexthops_set_datapath(struct nexthops *n, struct datapath *dp)
{
	struct nexthop_peer *p;
	struct nexthop *h;

	hmap_for_each (p, &n->peers, node) {
		hmap_remove(&n->peers, &p->node);
		free(p);
	}
	hmap_for_each (h, &n->hops, node) {
		hmap_remove(&n->hops, &h->node);
		free(h);
	}
	n->dp = dp;
	n->last_id = n->n_old = 0;
	timer_disarm(&n->look);
	if (dp)
		timer_arm_in(&n->probe, LIMIT_AGENT_NEXTHOP_SEARCH_MS * CLOCK_NS_PER_MS);
	else
		timer_disarm(&n->probe);
}

void nexthops_deinit(struct nexthops *n)
{
	nexthops_set_datapath(n, NULL);
	timer_deinit(&n->probe);
	timer_deinit(&n->look);
	hmap_deinit(&n->peers);
	hmap_deinit(&n->hops);
}

void nexthops_note_old(struct nexthops *n, uint32_t id)
{
	if (id > n->n_old)
		n->n_old = id;
	n->last_id = n->n_old;
}

void nexthops_forget_old(struct nexthops *n)
{
	struct nexthop *h;

	for (uint32_t id = 1; id <= n->n_old; id++) {
		bool used = false;

		hmap_for_each (h, &n->hops, node)
			used = used || h->dp.id == id;
		if (!used)
			(void)!datapath_nexthop_delete(n->dp, id);
	}
	n->n_old = 0;
}

static struct nexthop_peer *nexthops_find_peer(const struct nexthops *n, uint32_t number)
{
	struct nexthop_peer *p;

	hmap_for_each_at (p, &n->peers, hash_u64(number), node)
		if (p->number == number)
			return p;
	return NULL;
}

static uint64_t nexthops_hash(const struct nexthop_way *way)
{
	return hash_u64_bytes((uint32_t)way->ifindex, way->gateway.b, sizeof(way->gateway.b));
}

static struct nexthop *nexthops_find(const struct nexthops *n, const struct nexthop_way *way)
{
	struct nexthop *h;

	hmap_for_each_at (h, &n->hops, nexthops_hash(way), node)
		if (h->way.ifindex == way->ifindex && ipaddr_equal(&h->way.gateway, &way->gateway))
			return h;
	return NULL;
}

static bool nexthops_id_is_used(const struct nexthops *n, uint32_t id)
{
	const struct nexthop *h;

	if (id <= n->n_old)
		return true;
	hmap_for_each (h, &n->hops, node)
		if (h->dp.id == id)
			return true;
	return false;
}

static bool nexthops_equal(const struct dp_nexthop *a, const struct dp_nexthop *b)
{
	return a->ifindex == b->ifindex && a->resolved == b->resolved && a->mtu == b->mtu &&
	       ipaddr_equal(&a->gateway, &b->gateway) && mac_equal(&a->source, &b->source) &&
	       mac_equal(&a->destination, &b->destination);
}

/* Looks how the next hop is now and tells the data plane when that is new. */
static int nexthops_refresh(struct nexthops *n, struct nexthop *h)
{
	struct dp_nexthop now = {
		.id = h->dp.id, .ifindex = h->way.ifindex, .gateway = h->way.gateway};
	struct nexthop_link link;
	int e;

	e = n->kernel->link(n->kernel_arg, h->way.ifindex, &link);
	if (e)
		return e;
	now.source = link.mac;
	now.mtu = link.mtu;
	now.resolved = !n->kernel->neighbour(n->kernel_arg, &h->way, &now.destination);
	if (!now.resolved)
		(void)!n->kernel->probe(n->kernel_arg, &h->way);
	if (h->set && nexthops_equal(&now, &h->dp))
		return 0;
	e = datapath_nexthop_set(n->dp, &now);
	if (e)
		return e;
	if (!h->set || now.resolved != h->dp.resolved)
		log_info("next hop changed", LOG_U64("nexthop", now.id),
			 LOG_ADDR("gateway", &now.gateway),
			 LOG_STR("resolved", now.resolved ? "yes" : "no"));
	h->dp = now;
	h->set = true;
	return 0;
}

/* One user less.  A next hop without users is deleted by the next probe, not at once: the peer in
 * the data plane may still name it. */
static void nexthops_put(struct nexthop *h)
{
	if (h)
		h->n_users--;
}

static void nexthops_delete(struct nexthops *n, struct nexthop *h)
{
	if (h->set)
		(void)!datapath_nexthop_delete(n->dp, h->dp.id);
	hmap_remove(&n->hops, &h->node);
	free(h);
}

/* The next hop of 'way', with one more user; NULL when it cannot be had. */
static struct nexthop *nexthops_get(struct nexthops *n, const struct nexthop_way *way)
{
	struct nexthop *h = nexthops_find(n, way);

	if (h) {
		h->n_users++;
		return h;
	}
	h = hmap_count(&n->hops) < LIMIT_AGENT_NEXTHOPS / 2 ? calloc(1, sizeof(*h)) : NULL;
	if (!h)
		return NULL;
	h->way = *way;
	h->n_users = 1;
	do
		n->last_id = n->last_id % (LIMIT_AGENT_NEXTHOPS - 1) + 1;
	while (nexthops_id_is_used(n, n->last_id));
	h->dp.id = n->last_id;
	hmap_insert(&n->hops, &h->node, nexthops_hash(way));
	if (nexthops_refresh(n, h)) {
		nexthops_delete(n, h);
		return NULL;
	}
	return h;
}

/* Looks for the peer's way anew; says whether its next hop is another one than before. */
static bool nexthops_look_for(struct nexthops *n, struct nexthop_peer *p)
{
	struct nexthop *old = p->hop;
	struct nexthop_way way;

	p->hop = NULL;
	if (!n->kernel->route(n->kernel_arg, &p->target, &way))
		p->hop = nexthops_get(n, &way);
	nexthops_put(old);
	return p->hop != old;
}

uint32_t nexthops_want(struct nexthops *n, uint32_t peer, const struct ipaddr *target)
{
	struct nexthop_peer *p = nexthops_find_peer(n, peer);

	if (p && ipaddr_equal(&p->target, target))
		return p->hop ? p->hop->dp.id : 0;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return 0;
		p->number = peer;
		hmap_insert(&n->peers, &p->node, hash_u64(peer));
	}
	p->target = *target;
	nexthops_look_for(n, p);
	return p->hop ? p->hop->dp.id : 0;
}

void nexthops_drop(struct nexthops *n, uint32_t peer)
{
	struct nexthop_peer *p = nexthops_find_peer(n, peer);

	if (!p)
		return;
	nexthops_put(p->hop);
	hmap_remove(&n->peers, &p->node);
	free(p);
}

void nexthops_changed(struct nexthops *n)
{
	if (n->dp && !timer_armed(&n->look))
		timer_arm_in(&n->look, LIMIT_AGENT_NEXTHOP_SWARM_MS * CLOCK_NS_PER_MS);
}

static void nexthops_on_look(struct timer *t, void *data)
{
	struct nexthops *n = data;
	struct nexthop_peer *p;
	struct nexthop *h;

	hmap_for_each (h, &n->hops, node)
		if (nexthops_refresh(n, h))
			log_debug("next hop not refreshed", LOG_U64("nexthop", h->dp.id));
	hmap_for_each (p, &n->peers, node)
		if (nexthops_look_for(n, p))
			n->moved(p->number, p->hop ? p->hop->dp.id : 0, n->arg);
}

static void nexthops_on_probe(struct timer *t, void *data)
{
	struct nexthops *n = data;
	const struct nexthop_peer *p;
	struct nexthop *h;
	bool missing = false;

	hmap_for_each (h, &n->hops, node) {
		if (!h->n_users) {
			nexthops_delete(n, h);
			continue;
		}
		missing = missing || !h->dp.resolved;
		(void)!n->kernel->probe(n->kernel_arg, &h->way);
	}
	hmap_for_each (p, &n->peers, node)
		missing = missing || !p->hop;
	if (missing)
		nexthops_changed(n);
	timer_arm_in(&n->probe,
		     (missing ? LIMIT_AGENT_NEXTHOP_SEARCH_MS : LIMIT_AGENT_NEXTHOP_PROBE_MS) *
			     CLOCK_NS_PER_MS);
}

bool nexthops_reachable(const struct nexthops *n, uint32_t peer, const char **ret_text)
{
	const struct nexthop_peer *p = nexthops_find_peer(n, peer);

	if (!p || !p->hop)
		*ret_text = p ? "no route to its substrate address" : "it has no substrate address";
	else
		*ret_text = p->hop->dp.resolved ? "" : "its gateway does not answer";
	return p && p->hop && p->hop->dp.resolved;
}
