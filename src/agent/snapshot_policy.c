/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, ACLs, ways out of networks, and what an edge has, as messages of the protocol. */
#include "agent/convert.h"
#include "agent/snapshot_build.h"

/* 'n' elements of 'size' bytes, never none: NULL means that there is no memory. */
static void *snapshot_array(struct snapshot *s, size_t n, size_t size)
{
	return arena_alloc_array(&s->arena, n + 1, size);
}

int snapshot_group(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_group *g = (const struct desired_group *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_GROUP);
	Viaduct__Agent__SecurityGroup *m = snapshot_array(s, 1, sizeof(*m));
	Viaduct__Agent__Rule *rules = snapshot_array(s, g->dp.n_rules, sizeof(*rules));
	Viaduct__Agent__Rule **list = snapshot_array(s, g->dp.n_rules, sizeof(*list));

	if (!o || !m || !rules || !list)
		return -ENOMEM;
	viaduct__agent__security_group__init(m);
	o->group = m;
	m->number = g->dp.number;
	m->id = snapshot_text(g->id);
	m->rules = list;
	m->n_rules = g->dp.n_rules;
	for (size_t n = 0; n < g->dp.n_rules; n++) {
		const struct dp_rule *r = &g->rules[n];

		viaduct__agent__rule__init(&rules[n]);
		rules[n].egress = r->egress;
		rules[n].protocol = r->protocol;
		rules[n].from = r->from;
		rules[n].to = r->to;
		rules[n].group = r->group;
		if (!r->group)
			rules[n].prefix = convert_bytes(&r->prefix.addr);
		rules[n].prefix_len = r->prefix.len;
		list[n] = &rules[n];
	}
	return 0;
}

int snapshot_acl(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_acl *a = (const struct desired_acl *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_ACL);
	Viaduct__Agent__Acl *m = snapshot_array(s, 1, sizeof(*m));
	Viaduct__Agent__AclEntry *entries = snapshot_array(s, a->dp.n_entries, sizeof(*entries));
	Viaduct__Agent__AclEntry **list = snapshot_array(s, a->dp.n_entries, sizeof(*list));

	if (!o || !m || !entries || !list)
		return -ENOMEM;
	viaduct__agent__acl__init(m);
	o->acl = m;
	m->number = a->dp.number;
	m->id = snapshot_text(a->id);
	m->entries = list;
	m->n_entries = a->dp.n_entries;
	for (size_t n = 0; n < a->dp.n_entries; n++) {
		const struct dp_acl_entry *e = &a->entries[n];

		viaduct__agent__acl_entry__init(&entries[n]);
		entries[n].egress = e->egress;
		entries[n].allow = e->allow;
		entries[n].protocol = e->protocol;
		entries[n].from = e->from;
		entries[n].to = e->to;
		entries[n].prefix = convert_bytes(&e->prefix.addr);
		entries[n].prefix_len = e->prefix.len;
		entries[n].rule_number = a->rule_numbers[n];
		list[n] = &entries[n];
	}
	return 0;
}

static Viaduct__Agent__Route__Target snapshot_target(enum dp_target target)
{
	switch (target) {
	case DP_TARGET_INTERNET:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERNET;
	case DP_TARGET_GATEWAY:
		return VIADUCT__AGENT__ROUTE__TARGET__GATEWAY;
	case DP_TARGET_NETWORK:
		return VIADUCT__AGENT__ROUTE__TARGET__NETWORK;
	case DP_TARGET_INTERFACE:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERFACE;
	default:
		return VIADUCT__AGENT__ROUTE__TARGET__BLACKHOLE;
	}
}

int snapshot_table(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_table *t = (const struct desired_table *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_TABLE);
	Viaduct__Agent__RouteTable *m = snapshot_array(s, 1, sizeof(*m));
	Viaduct__Agent__Route *routes = snapshot_array(s, t->n_routes, sizeof(*routes));
	Viaduct__Agent__Route **list = snapshot_array(s, t->n_routes, sizeof(*list));

	if (!o || !m || !routes || !list)
		return -ENOMEM;
	viaduct__agent__route_table__init(m);
	o->table = m;
	m->number = t->number;
	m->id = snapshot_text(t->id);
	m->inside = t->inside;
	m->routes = list;
	m->n_routes = t->n_routes;
	for (size_t n = 0; n < t->n_routes; n++) {
		viaduct__agent__route__init(&routes[n]);
		routes[n].prefix = convert_bytes(&t->routes[n].prefix.addr);
		routes[n].prefix_len = t->routes[n].prefix.len;
		routes[n].target = snapshot_target(t->routes[n].target);
		routes[n].local = t->routes[n].target == DP_TARGET_LOCAL;
		routes[n].peer = t->routes[n].peer;
		routes[n].vni = t->routes[n].vni;
		list[n] = &routes[n];
	}
	return 0;
}

int snapshot_peering(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_peering *p = (const struct desired_peering *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_PEERING);
	Viaduct__Agent__Peering *m = snapshot_array(s, 1, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__peering__init(m);
	o->peering = m;
	m->vni_a = p->vni_a;
	m->vni_b = p->vni_b;
	return 0;
}

static Viaduct__Agent__Gateway__Kind snapshot_kind(enum dp_gateway_kind kind)
{
	switch (kind) {
	case DP_GATEWAY_INTERNET:
		return VIADUCT__AGENT__GATEWAY__KIND__INTERNET;
	case DP_GATEWAY_NAT:
		return VIADUCT__AGENT__GATEWAY__KIND__NAT;
	case DP_GATEWAY_EGRESS_ONLY:
		return VIADUCT__AGENT__GATEWAY__KIND__EGRESS_ONLY;
	case DP_GATEWAY_PRIVATE:
		return VIADUCT__AGENT__GATEWAY__KIND__PRIVATE;
	}
	return VIADUCT__AGENT__GATEWAY__KIND__UNSPECIFIED;
}

int snapshot_gateway(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_gateway *g = (const struct desired_gateway *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY);
	Viaduct__Agent__Gateway *m = snapshot_array(s, 1, sizeof(*m));
	Viaduct__Agent__StaticPort *statics = snapshot_array(s, g->dp.n_statics, sizeof(*statics));
	Viaduct__Agent__StaticPort **list = snapshot_array(s, g->dp.n_statics, sizeof(*list));

	if (!o || !m || !statics || !list)
		return -ENOMEM;
	viaduct__agent__gateway__init(m);
	o->gateway = m;
	m->handle = g->dp.handle;
	m->kind = snapshot_kind(g->dp.kind);
	m->id = snapshot_text(g->id);
	m->vni = g->dp.vni;
	m->table = g->dp.table;
	if (!ipaddr_is_zero(&g->dp.public))
		m->public_ = convert_bytes(&g->dp.public);
	m->port_first = g->dp.port_first;
	m->port_last = g->dp.port_last;
	m->statics = list;
	m->n_statics = g->dp.n_statics;
	for (size_t n = 0; n < g->dp.n_statics; n++) {
		viaduct__agent__static_port__init(&statics[n]);
		statics[n].protocol = g->statics[n].protocol;
		statics[n].public_port = g->statics[n].public_port;
		statics[n].addr = convert_bytes(&g->statics[n].addr);
		statics[n].port = g->statics[n].port;
		list[n] = &statics[n];
	}
	return 0;
}

int snapshot_public(struct snapshot *s, const struct desired_item *item)
{
	const struct desired_public *p = (const struct desired_public *)item;
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC);
	Viaduct__Agent__PublicAddress *m = snapshot_array(s, 1, sizeof(*m));
	ProtobufCBinaryData *formers = snapshot_array(s, p->dp.n_formers + 1, sizeof(*formers));

	if (!o || !m || !formers)
		return -ENOMEM;
	viaduct__agent__public_address__init(m);
	o->public_ = m;
	m->public_ = convert_bytes(&p->dp.public);
	m->vni = p->dp.vni;
	m->addr = convert_bytes(&p->dp.addr);
	m->handle = p->dp.handle;
	m->id = snapshot_text(p->id);
	m->formers = formers;
	m->n_formers = p->dp.n_formers;
	for (size_t n = 0; n < m->n_formers; n++)
		formers[n] = convert_bytes(&p->dp.formers[n]);
	return 0;
}
