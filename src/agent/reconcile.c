/* SPDX-License-Identifier: Apache-2.0 */
/* Peers and subnets, and the order of both runs; nodes and ports are in reconcile_node.c, the rest
 * in reconcile_way.c. */
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
	case FORMAT_REIP4_1:
		*ret = p->labels.addr;
		break;
	case FORMAT_VXLAN_1:
	case FORMAT_GENEVE_1:
	case FORMAT_GENEVE_2:
		*ret = p->vxlan_over_v6 ? p->v6 : p->v4;
		break;
	default:
		return false;
	}
	return !ipaddr_equal(ret, &none);
}

/* Variants of a peer that go by one format have one way. */
enum { RECONCILE_WANT_SHIFT = 24, RECONCILE_WANT_V6 = 0x80 };

static uint32_t reconcile_variant_want(uint32_t peer, enum format format, bool v6)
{
	return ((uint32_t)format | (v6 ? RECONCILE_WANT_V6 : 0)) << RECONCILE_WANT_SHIFT | peer;
}

uint32_t reconcile_wanting_peer(uint32_t wanting)
{
	return wanting & ((1U << RECONCILE_WANT_SHIFT) - 1);
}

static void reconcile_drop_variants(struct reconcile *r, uint32_t peer, const bool *kept)
{
	for (uint32_t f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		for (uint32_t v6 = 0; v6 < 2; v6++)
			if (!kept || !kept[f << 1 | v6])
				nexthops_drop(r->nexthops,
					      reconcile_variant_want(peer, (enum format)f, v6));
}

/* How large packets to the peer may be, as far as is known here: re-headed ones on IPv6, or the
 * host's own datagrams. */
static uint16_t reconcile_path_mtu(const struct reconcile *r, uint32_t peer, enum format send,
				   uint8_t seal, bool v6, uint16_t mtu)
{
	if (seal || sealed_paths_is_of_kernel(send))
		return sealed_paths_mtu(r->sealed_paths, peer, v6, mtu);
	return FORMAT_BIT(send) & (FORMATS_SIIT | FORMAT_BIT(FORMAT_IPIP6_1))
		       ? narrow_paths_mtu(r->narrow_paths, peer, mtu)
		       : mtu;
}

uint16_t reconcile_peer_mtu(const struct reconcile *r, const struct desired_peer *p)
{
	return reconcile_path_mtu(r, p->dp.id, p->dp.send, p->dp.seal, p->dp.vxlan_over_v6,
				  p->dp.path_mtu);
}

static void reconcile_variants(struct reconcile *r, struct desired_peer *p)
{
	bool kept[FORMAT_MAX << 1] = {false};

	for (size_t i = 0; i < p->dp.n_variants; i++) {
		struct dp_variant *v = &p->variants[i];
		struct dp_peer as = p->dp;
		struct ipaddr target;

		as.send = v->send;
		as.vxlan_over_v6 = v->vxlan_over_v6;
		v->nexthop = 0;
		v->path_limit = reconcile_path_mtu(r, p->dp.id, v->send, v->seal, v->vxlan_over_v6,
						   v->path_mtu);
		if (v->path_limit == v->path_mtu)
			v->path_limit = 0;
		if (!reconcile_target(&as, &target))
			continue;
		kept[(unsigned int)v->send << 1 | v->vxlan_over_v6] = true;
		v->nexthop = nexthops_want(
			r->nexthops, reconcile_variant_want(p->dp.id, v->send, v->vxlan_over_v6),
			&target);
	}
	reconcile_drop_variants(r, p->dp.id, kept);
}

static struct dp_peer reconcile_peer_record(struct reconcile *r, struct desired_peer *p)
{
	struct dp_peer record = p->dp;
	struct ipaddr target;

	if (reconcile_target(&record, &target))
		record.nexthop = nexthops_want(r->nexthops, record.id, &target);
	else
		nexthops_drop(r->nexthops, record.id);
	record.path_mtu = reconcile_peer_mtu(r, p);
	reconcile_variants(r, p);
	return record;
}

static bool reconcile_peer_equal(const struct dp_peer *a, const struct dp_peer *b)
{
	return a->id == b->id && prefix_equal(&a->siit1, &b->siit1) &&
	       prefix_equal(&a->siit2, &b->siit2) && prefix_equal(&a->labels, &b->labels) &&
	       ipaddr_equal(&a->v4, &b->v4) && ipaddr_equal(&a->v6, &b->v6) && a->send == b->send &&
	       a->alone == b->alone && a->accept == b->accept &&
	       a->vxlan_over_v6 == b->vxlan_over_v6 && a->path_mtu == b->path_mtu &&
	       a->nexthop == b->nexthop && a->seal == b->seal && a->rate_bits == b->rate_bits &&
	       a->rate_burst == b->rate_burst && a->policy == b->policy &&
	       !memcmp(a->accept_sealed, b->accept_sealed, sizeof(a->accept_sealed)) &&
	       a->edge == b->edge && a->foreign == b->foreign &&
	       /* which ones there are is not told: they are set again, which changes nothing that
	        * is the same */
	       !a->n_variants && !b->n_variants;
}

int reconcile_peer(struct reconcile *r, struct desired_peer *p)
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
	reconcile_drop_variants(r, number, NULL);
	if (!e)
		r->n_deleted++;
	return e == -ENOENT ? 0 : e;
}

/* ---- subnets ---- */

static bool reconcile_subnet_equal(const struct dp_subnet *a, const struct dp_subnet *b)
{
	return a->vni == b->vni && prefix_equal(&a->prefix, &b->prefix) &&
	       ipaddr_equal(&a->router, &b->router) && ipaddr_equal(&a->resolver, &b->resolver) &&
	       mac_equal(&a->router_mac, &b->router_mac) && a->acl == b->acl &&
	       a->table == b->table;
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

/* ---- one object ---- */

/* In this order they are set, in the other they are deleted: each before what names it. */
static const enum desired_kind reconcile_order[] = {
	DESIRED_PEER,    DESIRED_GROUP,   DESIRED_ACL,    DESIRED_TABLE,
	DESIRED_PEERING, DESIRED_GATEWAY, DESIRED_PUBLIC, DESIRED_SUBNET,
};

static const char *reconcile_refusal(int error)
{
	return error == -EOPNOTSUPP ? "this host is no edge: its agent runs without an uplink"
	       : error == -ENOSPC   ? "the data plane has no room for it"
				    : "the data plane did not take it";
}

static void reconcile_set_item(struct reconcile_run *run, const struct desired_key *key,
			       struct desired_item *item)
{
	int e;

	if (key->kind == DESIRED_PEER)
		e = reconcile_peer(run->r, (struct desired_peer *)item);
	else if (key->kind == DESIRED_SUBNET)
		e = reconcile_subnet(run->r, (const struct desired_subnet *)item);
	else
		e = reconcile_way_set(run->r, key->kind, item);
	if (e)
		failures_add(run->failures, key, e, reconcile_refusal(e));
}

static int reconcile_way_gone(struct reconcile *r, const struct desired_key *key)
{
	int e = reconcile_way_delete(r, key);

	if (!e)
		r->n_deleted++;
	return e == -ENOENT || e == -EOPNOTSUPP ? 0 : e;
}

static void reconcile_delete_key(struct reconcile_run *run, const struct desired_key *key)
{
	int e;

	if (key->kind == DESIRED_PEER)
		e = reconcile_peer_gone(run->r, key->number);
	else if (key->kind == DESIRED_SUBNET)
		e = reconcile_subnet_gone(run->r, key->number, &key->prefix);
	else
		e = reconcile_way_gone(run->r, key);
	if (e)
		failures_add(run->failures, key, e, "the data plane did not let it go");
}

/* ---- differences ---- */

static void reconcile_set_keys(struct reconcile_run *run, const struct desired_key *keys, size_t n)
{
	struct desired_item *item;

	for (size_t k = 0; k < ARRAY_SIZE(reconcile_order); k++)
		for (size_t i = 0; i < n; i++)
			if (keys[i].kind == reconcile_order[k] &&
			    (item = desired_find(run->r->desired, &keys[i])))
				reconcile_set_item(run, &keys[i], item);
}

static void reconcile_delete_keys(struct reconcile_run *run, const struct desired_key *keys,
				  size_t n)
{
	for (size_t k = ARRAY_SIZE(reconcile_order); k; k--)
		for (size_t i = 0; i < n; i++)
			if (keys[i].kind == reconcile_order[k - 1] &&
			    !desired_find(run->r->desired, &keys[i]))
				reconcile_delete_key(run, &keys[i]);
}

static bool reconcile_key_is_wanted(const struct reconcile_run *run, const struct desired_key *key)
{
	return desired_find(run->r->desired, key);
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
	struct reconcile_run run = {.r = r, .failures = failures, .changed = true};

	r->round++;
	reconcile_node_keys(&run, keys, n_keys, false);
	reconcile_set_keys(&run, keys, n_keys);
	reconcile_node_keys(&run, keys, n_keys, true);
	reconcile_delete_keys(&run, keys, n_keys);
}

/* ---- everything ---- */

int reconcile_note_unwanted(struct reconcile_actual *a, const struct desired_key *key)
{
	struct desired_key *grown = reallocarray(a->unwanted, a->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	a->unwanted = grown;
	grown[a->n++] = *key;
	return 0;
}

static int reconcile_see_peer(const struct dp_peer *actual, void *arg)
{
	const struct desired_key key = {.kind = DESIRED_PEER, .number = actual->id};
	struct reconcile_actual *a = arg;
	struct desired_peer *p = desired_find_peer(a->r->desired, actual->id);

	if (p) {
		const struct dp_peer record = reconcile_peer_record(a->r, p);

		if (reconcile_peer_equal(&record, actual))
			p->seen = a->r->round;
		return 0;
	}
	return actual->id == DP_PEER_SELF ? 0 : reconcile_note_unwanted(a, &key);
}

static int reconcile_see_subnet(const struct dp_subnet *actual, void *arg)
{
	const struct desired_key key = {
		.kind = DESIRED_SUBNET, .number = actual->vni, .prefix = actual->prefix};
	struct reconcile_actual *a = arg;
	struct desired_subnet *s = desired_find_subnet(a->r->desired, actual->vni, &actual->prefix);

	if (!s)
		return reconcile_note_unwanted(a, &key);
	if (reconcile_subnet_equal(&s->dp, actual))
		s->seen = a->r->round;
	return 0;
}

static void reconcile_set_unseen(struct reconcile_run *run)
{
	struct reconcile *r = run->r;
	struct desired_item *item;

	for (size_t k = 0; k < ARRAY_SIZE(reconcile_order); k++)
		hmap_for_each (item, desired_table(r->desired, reconcile_order[k]), node) {
			const struct desired_key key = desired_key_of(reconcile_order[k], item);

			if (item->seen != r->round)
				reconcile_set_item(run, &key, item);
		}
}

void reconcile_full(struct reconcile *r, bool changed, struct failures *failures)
{
	struct reconcile_run run = {.r = r, .failures = failures, .changed = changed};
	struct reconcile_actual actual = {.r = r};
	struct desired_instance *i;
	int e;

	r->round++;
	reconcile_unwanted_ports(&run);
	reconcile_unwanted_nodes(&run);
	e = datapath_peers(r->dp, reconcile_see_peer, &actual);
	if (!e)
		e = datapath_subnets(r->dp, reconcile_see_subnet, &actual);
	if (!e)
		e = reconcile_see_ways(&actual);
	if (e)
		failures_add(failures, &(struct desired_key){.kind = DESIRED_HOST}, e,
			     "the data plane's tables cannot be read");
	reconcile_set_unseen(&run);
	hmap_for_each (i, &r->desired->instances, node)
		reconcile_instance(&run, i->id);
	reconcile_gateways(&run);
	reconcile_delete_keys(&run, actual.unwanted, actual.n);
	free(actual.unwanted);
	if (!failures_any(failures))
		nexthops_forget_old(r->nexthops);
}
