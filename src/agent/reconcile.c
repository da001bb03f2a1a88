/* SPDX-License-Identifier: Apache-2.0 */
/* Peers and subnets, and the order of both runs; nodes and ports are in reconcile_node.c. */
#include "agent/reconcile.h"

#include <string.h>

/* ---- peers ---- */

/* Where on the substrate the packets for a peer go, by the format chosen.  False: nowhere. */
static bool reconcile_target(const struct dp_peer *p, struct ipaddr *ret)
{
	static const struct ipaddr none;

	switch (p->send) {
	case FORMAT_SIIT_2:
		*ret = p->siit2.addr;
		break;
	case FORMAT_SIIT_1:
		*ret = p->siit1.addr;
		break;
	case FORMAT_IPIP6_1:
		*ret = p->siit2.len ? p->siit2.addr : p->siit1.addr;
		break;
	case FORMAT_VXLAN_1:
		*ret = p->vxlan_over_v6 ? p->v6 : p->v4;
		break;
	default:
		return false;
	}
	return !ipaddr_equal(ret, &none);
}

static struct dp_peer reconcile_peer_record(struct reconcile *r, const struct desired_peer *p)
{
	struct dp_peer record = p->dp;
	struct ipaddr target;

	if (reconcile_target(&record, &target))
		record.nexthop = nexthops_want(r->nexthops, record.id, &target);
	else
		nexthops_drop(r->nexthops, record.id);
	return record;
}

static bool reconcile_peer_equal(const struct dp_peer *a, const struct dp_peer *b)
{
	return a->id == b->id && prefix_equal(&a->siit1, &b->siit1) &&
	       prefix_equal(&a->siit2, &b->siit2) && ipaddr_equal(&a->v4, &b->v4) &&
	       ipaddr_equal(&a->v6, &b->v6) && a->send == b->send && a->accept == b->accept &&
	       a->vxlan_over_v6 == b->vxlan_over_v6 && a->path_mtu == b->path_mtu &&
	       a->nexthop == b->nexthop;
}

int reconcile_peer(struct reconcile *r, const struct desired_peer *p)
{
	const struct dp_peer record = reconcile_peer_record(r, p);
	int e = datapath_peer_set(r->dp, &record);

	if (!e)
		r->n_set++;
	return e;
}

static int reconcile_peer_gone(struct reconcile *r, uint32_t number)
{
	int e;

	cache_drop_peer(r->cache, number);
	e = datapath_peer_delete(r->dp, number);
	nexthops_drop(r->nexthops, number);
	if (!e)
		r->n_deleted++;
	return e == -ENOENT ? 0 : e;
}

/* ---- subnets ---- */

static bool reconcile_subnet_equal(const struct dp_subnet *a, const struct dp_subnet *b)
{
	return a->vni == b->vni && prefix_equal(&a->prefix, &b->prefix) &&
	       ipaddr_equal(&a->router, &b->router) && ipaddr_equal(&a->resolver, &b->resolver) &&
	       mac_equal(&a->router_mac, &b->router_mac);
}

static int reconcile_subnet(struct reconcile *r, const struct desired_subnet *s)
{
	int e = datapath_subnet_set(r->dp, &s->dp);

	if (!e)
		r->n_set++;
	return e;
}

static int reconcile_subnet_gone(struct reconcile *r, uint32_t vni, const struct prefix *prefix)
{
	int e = datapath_subnet_delete(r->dp, vni, prefix);

	if (!e)
		r->n_deleted++;
	return e == -ENOENT ? 0 : e;
}

/* ---- differences ---- */

static void reconcile_set_key(struct reconcile_run *run, const struct desired_key *key)
{
	const struct desired_peer *p;
	const struct desired_subnet *s;
	int e = 0;

	if (key->kind == DESIRED_PEER && (p = desired_find_peer(run->r->desired, key->number)))
		e = reconcile_peer(run->r, p);
	if (key->kind == DESIRED_SUBNET &&
	    (s = desired_find_subnet(run->r->desired, key->number, &key->prefix)))
		e = reconcile_subnet(run->r, s);
	if (e)
		failures_add(run->failures, key, e, "the data plane did not take it");
}

static void reconcile_delete_key(struct reconcile_run *run, const struct desired_key *key)
{
	int e = 0;

	if (key->kind == DESIRED_PEER && !desired_find_peer(run->r->desired, key->number))
		e = reconcile_peer_gone(run->r, key->number);
	if (key->kind == DESIRED_SUBNET &&
	    !desired_find_subnet(run->r->desired, key->number, &key->prefix))
		e = reconcile_subnet_gone(run->r, key->number, &key->prefix);
	if (e)
		failures_add(run->failures, key, e, "the data plane did not let it go");
}

static bool reconcile_key_is_wanted(const struct reconcile_run *run, const struct desired_key *key)
{
	return key->kind == DESIRED_INSTANCE ? !!desired_find_instance(run->r->desired, key->id)
					     : !!desired_find_interface(run->r->desired, key->id);
}

/* Instances and interfaces that are wanted, or those that are not. */
static void reconcile_node_keys(struct reconcile_run *run, const struct desired_key *keys,
				size_t n_keys, bool wanted)
{
	for (size_t i = 0; i < n_keys; i++)
		if (keys[i].kind == DESIRED_INSTANCE &&
		    reconcile_key_is_wanted(run, &keys[i]) == wanted)
			reconcile_instance(run, keys[i].id);
	for (size_t i = 0; i < n_keys; i++)
		if (keys[i].kind == DESIRED_INTERFACE &&
		    reconcile_key_is_wanted(run, &keys[i]) == wanted)
			reconcile_interface(run, keys[i].id);
}

void reconcile_some(struct reconcile *r, const struct desired_key *keys, size_t n_keys,
		    struct failures *failures)
{
	struct reconcile_run run = {.r = r, .failures = failures};

	r->round++;
	reconcile_node_keys(&run, keys, n_keys, false);
	for (size_t i = 0; i < n_keys; i++)
		reconcile_set_key(&run, &keys[i]);
	reconcile_node_keys(&run, keys, n_keys, true);
	for (size_t i = 0; i < n_keys; i++)
		reconcile_delete_key(&run, &keys[i]);
}

/* ---- everything ---- */

/* What is in the data plane and wanted as it is carries the number of this run; what is not wanted is
 * noted to be deleted after the walk. */
struct reconcile_actual {
	struct reconcile *r;
	uint32_t *peers;
	struct dp_subnet *subnets;
	size_t n_peers, n_subnets;
};

static int reconcile_see_peer(const struct dp_peer *actual, void *arg)
{
	struct reconcile_actual *a = arg;
	struct desired_peer *p = desired_find_peer(a->r->desired, actual->id);
	uint32_t *grown;

	if (p) {
		const struct dp_peer record = reconcile_peer_record(a->r, p);

		if (reconcile_peer_equal(&record, actual))
			p->seen = a->r->round;
		return 0;
	}
	if (actual->id == DP_PEER_SELF)
		return 0;
	grown = reallocarray(a->peers, a->n_peers + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->peers = grown;
	grown[a->n_peers++] = actual->id;
	return 0;
}

static int reconcile_see_subnet(const struct dp_subnet *actual, void *arg)
{
	struct reconcile_actual *a = arg;
	struct desired_subnet *s = desired_find_subnet(a->r->desired, actual->vni, &actual->prefix);
	struct dp_subnet *grown;

	if (s) {
		if (reconcile_subnet_equal(&s->dp, actual))
			s->seen = a->r->round;
		return 0;
	}
	grown = reallocarray(a->subnets, a->n_subnets + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->subnets = grown;
	grown[a->n_subnets++] = *actual;
	return 0;
}

static void reconcile_set_unseen(struct reconcile_run *run)
{
	struct reconcile *r = run->r;
	struct desired_peer *p;
	struct desired_subnet *s;
	int e;

	hmap_for_each (p, &r->desired->peers, node) {
		e = p->seen == r->round ? 0 : reconcile_peer(r, p);
		if (e)
			failures_add(
				run->failures,
				&(struct desired_key){.kind = DESIRED_PEER, .number = p->dp.id}, e,
				"the data plane did not take the peer");
	}
	hmap_for_each (s, &r->desired->subnets, node) {
		e = s->seen == r->round ? 0 : reconcile_subnet(r, s);
		if (e)
			failures_add(run->failures,
				     &(struct desired_key){.kind = DESIRED_SUBNET,
							   .number = s->dp.vni,
							   .prefix = s->dp.prefix},
				     e, "the data plane did not take the subnet");
	}
}

static void reconcile_delete_unwanted(struct reconcile_run *run, const struct reconcile_actual *a)
{
	struct desired_key key;

	for (size_t i = 0; i < a->n_peers; i++) {
		key = (struct desired_key){.kind = DESIRED_PEER, .number = a->peers[i]};
		reconcile_delete_key(run, &key);
	}
	for (size_t i = 0; i < a->n_subnets; i++) {
		key = (struct desired_key){.kind = DESIRED_SUBNET,
					   .number = a->subnets[i].vni,
					   .prefix = a->subnets[i].prefix};
		reconcile_delete_key(run, &key);
	}
}

void reconcile_full(struct reconcile *r, struct failures *failures)
{
	struct reconcile_run run = {.r = r, .failures = failures};
	struct reconcile_actual actual = {.r = r};
	struct desired_instance *i;
	int e;

	r->round++;
	reconcile_unwanted_ports(&run);
	reconcile_unwanted_nodes(&run);
	e = datapath_peers(r->dp, reconcile_see_peer, &actual);
	if (!e)
		e = datapath_subnets(r->dp, reconcile_see_subnet, &actual);
	if (e)
		failures_add(failures, &(struct desired_key){.kind = DESIRED_HOST}, e,
			     "the data plane's tables cannot be read");
	reconcile_set_unseen(&run);
	hmap_for_each (i, &r->desired->instances, node)
		reconcile_instance(&run, i->id);
	reconcile_delete_unwanted(&run, &actual);
	free(actual.peers);
	free(actual.subnets);
	if (!failures_any(failures))
		nexthops_forget_old(r->nexthops);
}
