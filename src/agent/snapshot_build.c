/* SPDX-License-Identifier: Apache-2.0 */
/* The desired state as messages of the protocol: hosts and nodes here, the rest in
 * snapshot_policy.c. */
#include <inttypes.h>

#include "agent/convert.h"
#include "agent/snapshot_build.h"

Viaduct__Agent__Object *snapshot_object(struct snapshot *s, Viaduct__Agent__Object__ObjectCase kind)
{
	Viaduct__Agent__Object *o = arena_alloc(&s->arena, sizeof(*o));

	if (!o)
		return NULL;
	viaduct__agent__object__init(o);
	o->object_case = kind;
	s->objects[s->n++] = o;
	return o;
}

char *snapshot_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

char *snapshot_policy_id(struct snapshot *s, uint64_t policy)
{
	return policy ? arena_printf(&s->arena, "np-%017" PRIx64, policy) : snapshot_text("");
}

static ProtobufCBinaryData snapshot_optional(const struct ipaddr *a)
{
	return ipaddr_is_zero(a) ? (ProtobufCBinaryData){0} : convert_bytes(a);
}

static ProtobufCBinaryData snapshot_locator(const struct prefix *p)
{
	return p->len ? convert_bytes(&p->addr) : (ProtobufCBinaryData){0};
}

static ProtobufCBinaryData snapshot_mac(const struct mac *m)
{
	return (ProtobufCBinaryData){.len = sizeof(m->b), .data = (uint8_t *)(uintptr_t)m->b};
}

static int snapshot_host(struct snapshot *s, const struct desired_host *h)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_HOST);
	Viaduct__Agent__HostConfig *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__host_config__init(m);
	o->host = m;
	m->number = h->number;
	m->name = snapshot_text(h->name);
	m->siit1 = snapshot_locator(&h->siit1);
	m->siit2 = snapshot_locator(&h->siit2);
	m->v4 = snapshot_optional(&h->v4);
	m->v6 = snapshot_optional(&h->v6);
	m->aliases = snapshot_locator(&h->labels);
	m->aliases_len = h->labels.len;
	m->edge = h->edge;
	return 0;
}

/* All but the keys: they are not written anywhere. */
static int snapshot_choice(struct snapshot *s, const struct desired_peer *p,
			   Viaduct__Agent__Peer *peer)
{
	static const uint32_t features[SEAL_CIPHERS] = {
		[SEAL_AES_128_GCM] = FEATURE_BIT(FEATURE_CRYPT_1),
		[SEAL_AES_256_GCM] = FEATURE_BIT(FEATURE_CRYPT_2),
		[SEAL_AES_128_GMAC] = FEATURE_BIT(FEATURE_INTEGRITY_1),
	};
	Viaduct__Agent__Choice *m = arena_alloc(&s->arena, sizeof(*m));

	if (!m)
		return -ENOMEM;
	viaduct__agent__choice__init(m);
	peer->choice = m;
	m->send = p->dp.send;
	m->send_features = p->features;
	m->path_mtu = p->dp.path_mtu;
	m->alone = p->dp.alone;
	m->outer_v6 = p->dp.vxlan_over_v6;
	m->rate_bits = p->dp.rate_bits;
	m->rate_burst = p->dp.rate_burst;
	m->policy = snapshot_policy_id(s, p->dp.policy);
	if (!m->policy)
		return -ENOMEM;
	m->accepts = arena_alloc_array(&s->arena, SEAL_CIPHERS, sizeof(*m->accepts));
	if (!m->accepts)
		return -ENOMEM;
	for (int i = 0; i < SEAL_CIPHERS; i++) {
		uint32_t accept = i ? p->dp.accept_sealed[i] : p->dp.accept;
		Viaduct__Agent__Accept *a = arena_alloc(&s->arena, sizeof(*a));

		if (!a)
			return -ENOMEM;
		viaduct__agent__accept__init(a);
		a->formats = accept & ~(uint32_t)SEAL_ACCEPT_LZ4;
		a->features = features[i];
		if (i && accept & SEAL_ACCEPT_LZ4)
			a->features |= FEATURE_BIT(FEATURE_LZ4_1);
		if (a->formats)
			m->accepts[m->n_accepts++] = a;
	}
	return 0;
}

static int snapshot_peer(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_peer *p = (const struct desired_peer *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_PEER);
	Viaduct__Agent__Peer *m = arena_alloc(&s->arena, sizeof(*m));
	int e;

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__peer__init(m);
	o->peer = m;
	m->number = p->dp.id;
	m->name = snapshot_text(p->name);
	m->siit1 = snapshot_locator(&p->dp.siit1);
	m->siit2 = snapshot_locator(&p->dp.siit2);
	m->v4 = snapshot_optional(&p->dp.v4);
	m->v6 = snapshot_optional(&p->dp.v6);
	m->aliases = snapshot_locator(&p->dp.labels);
	m->aliases_len = p->dp.labels.len;
	m->send = p->dp.send;
	m->accept = p->dp.accept;
	m->path_mtu = p->dp.path_mtu;
	m->vxlan_over_v6 = p->dp.vxlan_over_v6;
	m->reason = snapshot_text(p->reason);
	m->edge = p->dp.edge;
	m->foreign = p->dp.foreign;
	e = snapshot_choice(s, p, m);
	return e ? e : snapshot_variants(s, p, m);
}

static int snapshot_subnet(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_subnet *n = (const struct desired_subnet *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_SUBNET);
	Viaduct__Agent__Subnet *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__subnet__init(m);
	o->subnet = m;
	m->vni = n->dp.vni;
	m->prefix = convert_bytes(&n->dp.prefix.addr);
	m->prefix_len = n->dp.prefix.len;
	m->router = convert_bytes(&n->dp.router);
	m->router_mac = snapshot_mac(&n->dp.router_mac);
	m->resolver = snapshot_optional(&n->dp.resolver);
	m->network = snapshot_locator(&n->network);
	m->network_len = n->network.len;
	m->domain = snapshot_text(n->domain);
	m->acl = n->dp.acl;
	m->table = n->dp.table;
	m->preloaded = n->preloaded;
	return 0;
}

static int snapshot_instance(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_instance *i = (const struct desired_instance *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE);
	Viaduct__Agent__Instance *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__instance__init(m);
	o->instance = m;
	m->id = snapshot_text(i->id);
	m->driver = snapshot_text(i->driver);
	m->name = snapshot_text(i->name);
	m->running = i->running;
	m->generation = i->generation;
	return 0;
}

static ProtobufCBinaryData *snapshot_addrs(struct snapshot *s, const struct ipaddr *addrs, size_t n,
					   size_t *ret_n)
{
	ProtobufCBinaryData *list = arena_alloc_array(&s->arena, n + 1, sizeof(*list));

	for (size_t k = 0; list && k < n; k++)
		list[k] = convert_bytes(&addrs[k]);
	*ret_n = n;
	return list;
}

static int snapshot_exits(struct snapshot *s, const struct desired_interface *i,
			  Viaduct__Agent__Interface *m)
{
	Viaduct__Agent__Exit *exits = arena_alloc_array(&s->arena, i->n_exits + 1, sizeof(*exits));

	m->exits = arena_alloc_array(&s->arena, i->n_exits + 1, sizeof(*m->exits));
	if (!exits || !m->exits)
		return -ENOMEM;
	for (uint32_t n = 0; n < i->n_exits; n++) {
		viaduct__agent__exit__init(&exits[n]);
		exits[n].addr = convert_bytes(&i->exits[n].addr);
		exits[n].public_ = convert_bytes(&i->exits[n].public);
		exits[n].peer = i->exits[n].peer;
		exits[n].handle = i->exits[n].handle;
		m->exits[m->n_exits++] = &exits[n];
	}
	return 0;
}

static int snapshot_node_routes(struct snapshot *s, const struct desired_interface *i,
				Viaduct__Agent__Interface *m)
{
	Viaduct__Agent__NodeRoute *routes =
		arena_alloc_array(&s->arena, i->n_routes + 1, sizeof(*routes));

	m->routes = arena_alloc_array(&s->arena, i->n_routes + 1, sizeof(*m->routes));
	if (!routes || !m->routes)
		return -ENOMEM;
	for (size_t n = 0; n < i->n_routes; n++) {
		viaduct__agent__node_route__init(&routes[n]);
		routes[n].prefix = convert_bytes(&i->routes[n].prefix.addr);
		routes[n].prefix_len = i->routes[n].prefix.len;
		routes[n].via = snapshot_optional(&i->routes[n].via);
		m->routes[m->n_routes++] = &routes[n];
	}
	return 0;
}

static void snapshot_mirror_rule(const struct dp_mirror_rule *r, Viaduct__Agent__MirrorRule *m)
{
	viaduct__agent__mirror_rule__init(m);
	m->egress = r->egress;
	m->accept = r->accept;
	m->protocol = r->protocol;
	m->source = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)r->src};
	m->source_len = r->src_len;
	m->destination = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)r->dst};
	m->destination_len = r->dst_len;
	m->source_from = r->src_from;
	m->source_to = r->src_to;
	m->destination_from = r->dst_from;
	m->destination_to = r->dst_to;
}

static int snapshot_mirror(struct snapshot *s, const struct desired_mirrors *all, uint32_t n,
			   Viaduct__Agent__Mirror *m)
{
	const struct desired_mirror *session = &all->sessions[n];
	Viaduct__Agent__MirrorRule *rules =
		arena_alloc_array(&s->arena, all->rules.n + 1, sizeof(*rules));

	viaduct__agent__mirror__init(m);
	m->rules = arena_alloc_array(&s->arena, all->rules.n + 1, sizeof(*m->rules));
	if (!rules || !m->rules)
		return -ENOMEM;
	m->number = session->number;
	m->vni = session->vni;
	m->length = session->length;
	m->target = convert_bytes(&session->target);
	m->dns = all->rules.dns >> n & 1;
	for (uint32_t i = 0; i < all->rules.n; i++) {
		if (all->rules.rules[i].session != n)
			continue;
		snapshot_mirror_rule(&all->rules.rules[i], &rules[i]);
		m->rules[m->n_rules++] = &rules[i];
	}
	return 0;
}

static int snapshot_mirrors(struct snapshot *s, const struct desired_interface *i,
			    Viaduct__Agent__Interface *m)
{
	uint32_t n = i->mirrors ? i->mirrors->n : 0;
	Viaduct__Agent__Mirror *mirrors = arena_alloc_array(&s->arena, n + 1, sizeof(*mirrors));
	int e = 0;

	m->mirrors = arena_alloc_array(&s->arena, n + 1, sizeof(*m->mirrors));
	if (!mirrors || !m->mirrors)
		return -ENOMEM;
	for (uint32_t k = 0; k < n && !e; k++) {
		e = snapshot_mirror(s, i->mirrors, k, &mirrors[k]);
		m->mirrors[m->n_mirrors++] = &mirrors[k];
	}
	return e;
}

static int snapshot_interface(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_interface *i = (const struct desired_interface *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE);
	Viaduct__Agent__Interface *m = arena_alloc(&s->arena, sizeof(*m));
	ProtobufCBinaryData *addrs;
	size_t n_addrs;

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__interface__init(m);
	o->interface = m;
	addrs = snapshot_addrs(s, i->addrs, i->n_addrs, &n_addrs);
	if (i->standby) {
		m->standby_addrs = addrs;
		m->n_standby_addrs = n_addrs;
	} else {
		m->addrs = addrs;
		m->n_addrs = n_addrs;
		m->labels = (uint32_t *)(uintptr_t)i->labels;
		m->n_labels = n_addrs;
	}
	m->dns_servers = snapshot_addrs(s, i->dns_servers, i->n_dns_servers, &m->n_dns_servers);
	m->ntp_servers = snapshot_addrs(s, i->ntp_servers, i->n_ntp_servers, &m->n_ntp_servers);
	m->groups = (uint32_t *)(uintptr_t)i->groups;
	m->n_groups = i->n_groups;
	m->id = snapshot_text(i->driver.id);
	m->instance_id = snapshot_text(i->instance_id);
	m->device_index = i->driver.device_index;
	m->vni = i->vni;
	m->mac = snapshot_mac(&i->driver.mac);
	m->mtu = i->driver.mtu;
	m->subnet_prefix = convert_bytes(&i->subnet.addr);
	m->subnet_prefix_len = i->subnet.len;
	m->host_name = snapshot_text(i->host_name);
	m->dns = i->dns;
	m->forwards = i->forwards;
	m->disabled = i->disabled;
	m->shared = i->shared;
	m->resolves = i->resolves;
	m->vlan = i->vlan;
	m->gateway = i->gateway;
	m->handle = i->handle;
	m->connections = i->connections;
	m->domain_name = snapshot_text(i->domain_name);
	m->logged = i->logged;
	if (!addrs || !m->dns_servers || !m->ntp_servers || snapshot_node_routes(s, i, m) ||
	    snapshot_mirrors(s, i, m))
		return -ENOMEM;
	return snapshot_exits(s, i, m);
}

int snapshot_build(struct snapshot *s, struct desired *d)
{
	static int (*const builders[DESIRED_KIND_MAX])(struct snapshot * s,
						       const struct desired_item *item) = {
		[DESIRED_PEER] = snapshot_peer,         [DESIRED_SUBNET] = snapshot_subnet,
		[DESIRED_INSTANCE] = snapshot_instance, [DESIRED_INTERFACE] = snapshot_interface,
		[DESIRED_GROUP] = snapshot_group,       [DESIRED_ACL] = snapshot_acl,
		[DESIRED_TABLE] = snapshot_table,       [DESIRED_PEERING] = snapshot_peering,
		[DESIRED_GATEWAY] = snapshot_gateway,   [DESIRED_PUBLIC] = snapshot_public,
	};
	const struct desired_item *item;
	size_t max = 1;
	int e = 0;

	for (enum desired_kind kind = DESIRED_PEER; kind < DESIRED_KIND_MAX; kind++)
		max += hmap_count(desired_table(d, kind));
	s->objects = arena_alloc_array(&s->arena, max, sizeof(*s->objects));
	if (!s->objects)
		return -ENOMEM;
	if (d->host.set)
		e = snapshot_host(s, &d->host);
	for (enum desired_kind kind = DESIRED_PEER; kind < DESIRED_KIND_MAX; kind++)
		hmap_for_each (item, desired_table(d, kind), node)
			e = e ?: builders[kind](s, item);
	return e;
}
