/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked on the way, as steps of the answer.  See reach_trip.h.
 */
#include "base/limits.h"
#include "model/group_rule.h"
#include "model/host.h"
#include "model/label.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/pair.h"
#include "model/reach_trip.h"
#include "model/route_entry.h"
#include "model/subnet.h"

void trip_add(struct trip *t, struct reach_step step)
{
	struct reach_answer *a = t->answer;

	t->failed |= step.code != REACH_PASSES;
	t->failed_there |=
		step.code != REACH_PASSES && !t->back && step.code != REACH_OTHER_SOURCE_PORT;
	t->hopeless |= step.code != REACH_PASSES && step.what != REACH_GROUP &&
		       step.what != REACH_ACL && step.what != REACH_FILTER;
	step.back = t->back;
	if (a->n_steps < REACH_STEPS_MAX)
		a->steps[a->n_steps++] = step;
}

void trip_add_interface(struct trip *t, const struct interface *i)
{
	bool works = interface_host(i) && i->condition != INTERFACE_DISABLED;

	trip_add(t, (struct reach_step){.what = REACH_INTERFACE,
					.code = works ? REACH_PASSES : REACH_BAD_STATE,
					.kind = KIND_INTERFACE,
					.id = i->o.id});
}

void trip_add_gateway(struct trip *t, enum kind k, uint64_t id, enum reach_code code)
{
	trip_add(t, (struct reach_step){.what = REACH_GATEWAY, .code = code, .kind = k, .id = id});
}

/* ---- groups and ACLs ---- */

/* The packet answers one that the node sent or got. */
static bool is_known(const struct trip *t, const struct interface *i)
{
	for (size_t n = 0; n < t->n_passages; n++)
		if (t->passages[n].interface == i &&
		    ipaddr_equal(&t->passages[n].src, &t->packet.dst) &&
		    ipaddr_equal(&t->passages[n].dst, &t->packet.src))
			return true;
	return false;
}

static void note_passage(struct trip *t, const struct interface *i)
{
	if (t->n_passages < ARRAY_SIZE(t->passages))
		t->passages[t->n_passages++] =
			(struct reach_passage){i, t->packet.src, t->packet.dst};
}

/* Any rule at all in that direction? */
static bool has_rules(const struct model *m, const struct interface *i, bool egress)
{
	for (size_t n = 0; n < i->n_groups; n++) {
		struct model_iter it = model_iter_group(m, REL_GROUP_RULES, i->groups[n].id);
		const struct object *o;

		while ((o = model_iter_next(&it)))
			if (((const struct group_rule *)o)->egress == egress)
				return true;
	}
	return false;
}

static struct reach_step group_step(const struct trip *t, const struct interface *i, bool egress,
				    const struct policy_decision *d)
{
	const struct group_rule *rule =
		(const struct group_rule *)model_get(t->m, KIND_SECURITY_GROUP_RULE, d->rule);
	struct reach_step s = {.what = REACH_GROUP,
			       .egress = egress,
			       .kind = KIND_SECURITY_GROUP,
			       .id = d->allowed ? d->group : i->groups[0].id,
			       .attached_kind = KIND_INTERFACE,
			       .attached = i->o.id};

	if (!d->allowed)
		s.code = has_rules(t->m, i, egress) ? REACH_GROUP_MISMATCH : REACH_GROUP_EMPTY;
	if (!d->allowed || !rule)
		return s;
	s.rule = d->rule;
	s.allow = true;
	s.protocol = rule->traffic.protocol;
	s.from = rule->traffic.from;
	s.to = rule->traffic.to;
	s.prefix = rule->prefix;
	s.group = rule->end == RULE_END_GROUP ? rule->peer : 0;
	return s;
}

static void note_border(struct trip *t, const struct policy_decision *d)
{
	uint32_t *next = t->back ? &t->next_src : &t->next_dst;

	if (d->next_port && (!*next || d->next_port < *next))
		*next = d->next_port;
	t->hopeless |= !d->allowed && !d->next_port; /* ports are tried upwards */
}

void trip_add_groups(struct trip *t, const struct interface *i, const struct interface *other,
		     bool egress)
{
	struct policy_decision d;
	int r;

	if (t->back && is_known(t, i))
		return;
	note_passage(t, i);
	r = policy_ask_groups(t->m, i, other, egress, &t->packet, &d);
	if (r) {
		t->error = r;
	} else if (d.asked) {
		note_border(t, &d);
		trip_add(t, group_step(t, i, egress, &d));
	}
}

static struct reach_step acl_step(const struct trip *t, const struct interface *i, bool egress,
				  const struct policy_decision *d)
{
	const struct network_acl *a =
		(const struct network_acl *)model_get(t->m, KIND_NETWORK_ACL, d->acl);
	struct reach_step s = {.what = REACH_ACL,
			       .code = d->allowed ? REACH_PASSES : REACH_ACL_DENIES,
			       .egress = egress,
			       .kind = KIND_NETWORK_ACL,
			       .id = d->acl,
			       .attached_kind = KIND_SUBNET,
			       .attached = i->subnet,
			       .rule = d->entry,
			       .allow = d->allowed,
			       .protocol = TRAFFIC_ANY,
			       .to = TRAFFIC_MAX};

	if (d->entry == ACL_RULE_LAST)
		s.prefix = prefix_v4(0, 0);
	for (size_t n = 0; n < a->n_entries; n++) {
		const struct acl_entry *e = &a->entries[n];

		if (e->rule != d->entry || e->egress != egress)
			continue;
		s.protocol = e->traffic.protocol;
		s.from = e->traffic.from;
		s.to = e->traffic.to;
		s.prefix = e->prefix;
	}
	return s;
}

void trip_add_acl(struct trip *t, const struct interface *i, bool egress)
{
	struct policy_decision d;
	int r = policy_ask_acl(t->m, i, egress, &t->packet, &d);

	if (r) {
		t->error = r;
	} else if (d.asked) {
		note_border(t, &d);
		trip_add(t, acl_step(t, i, egress, &d));
	}
}

/* ---- between two hosts ---- */

struct carrier_end {
	const struct interface *interface; /* NULL: an edge */
	size_t n_hosts;
	uint32_t hosts[LIMIT_MODEL_ATTACHMENTS];
	uint32_t vni;
	enum kind kind;
	uint64_t id;
};

static struct carrier_end end_of_interface(const struct interface *i)
{
	struct carrier_end e = {
		.interface = i, .vni = i->vni, .kind = KIND_INTERFACE, .id = i->o.id};

	e.n_hosts = interface_hosts(i, e.hosts);
	return e;
}

static struct carrier_end end_of_edge(const struct reach_edge *edge)
{
	return (struct carrier_end){.n_hosts = 1,
				    .hosts = {edge->host},
				    .vni = edge->vni,
				    .kind = edge->kind,
				    .id = edge->id};
}

/* The interface of 'vni' that has the address, if it is at that host. */
static const struct interface *at_host(const struct trip *t, uint32_t vni,
				       const struct ipaddr *addr, const struct host *h)
{
	const struct interface *i = interface_by_addr(t->m, vni, addr);

	return i && interface_attachment_at(i, h->number) ? i : NULL;
}

/* Hosts know the traffic of two interfaces by both addresses in the packet: what a route leads to a
 * node that forwards, or what that sends on, is not the node's own. */
static struct pair_class class_of(const struct trip *t, const struct carrier_end *from,
				  const struct host *a, const struct carrier_end *to,
				  const struct host *b)
{
	const struct interface *src = at_host(t, from->vni, &t->packet.src, a);
	const struct interface *dst = at_host(t, to->vni, &t->packet.dst, b);
	struct pair_class c = {from->vni, to->vni, 0, 0};

	if (src && dst) {
		c.interface = src->o.id;
		c.peer_interface = dst->o.id;
	}
	return c;
}

/* A label stands for the address, which is that end's own. */
static bool is_labelled(const struct trip *t, const struct carrier_end *e,
			const struct ipaddr *addr, const struct host *h)
{
	return e->interface && interface_has_addr(e->interface, addr) &&
	       label_of(t->m, e->vni, addr, h->number);
}

/* Whether what the two hosts use carries the packet; 'forwarded': by a node that says its handle
 * (docs/substrate.md). */
static bool carries(const struct trip *t, const struct carrier_end *from, const struct host *a,
		    const struct carrier_end *to, const struct host *b, bool forwarded)
{
	struct pair_class c = class_of(t, from, a, to, b);
	bool v6 = !ipaddr_is_v4(&t->packet.dst);
	struct wish w;

	pair_wish_quickly(t->m, NULL, a, b, &c, &w);
	switch (w.send) {
	case FORMAT_NONE:
		return false;
	case FORMAT_VXLAN_1:
		return !forwarded;
	case FORMAT_REIP4_1:
		if (is_labelled(t, from, &t->packet.src, a) &&
		    is_labelled(t, to, &t->packet.dst, b))
			return true;
		return !forwarded && w.formats & FORMAT_BIT(FORMAT_VXLAN_1);
	case FORMAT_SIIT_1:
	case FORMAT_SIIT_2:
		return !v6 || w.formats & FORMAT_BIT(FORMAT_IPIP6_1);
	default:
		return true;
	}
}

/* A host spreads what is for several over those that it has a format for, whatever policies say
 * about the networks or interfaces (bpf/lib/spread.h). */
static bool is_spread_to(const struct trip *t, const struct host *from, const struct host *to)
{
	struct wish w;

	pair_wish_quickly(t->m, NULL, from, to, &pair_all, &w);
	return w.send != FORMAT_NONE;
}

/* From a host to the other end, of whose hosts it may be any that the way there leads to.  Of those
 * that it does not lead to none answers. */
static bool is_carried_from(const struct trip *t, const struct carrier_end *from,
			    const struct host *a, const struct carrier_end *to, bool forwarded)
{
	bool some = false;

	for (size_t k = 0; k < to->n_hosts; k++) {
		const struct host *b = host_by_number(t->m, to->hosts[k]);

		if (!b || (a != b && !t->back && to->n_hosts > 1 && !is_spread_to(t, a, b)))
			continue;
		some = true;
		if (a == b || (t->back && from->n_hosts > 1 && !is_spread_to(t, b, a)))
			continue;
		if (!carries(t, from, a, to, b, forwarded))
			return false;
	}
	return some || !to->n_hosts;
}

/* All hosts of one with all of the other: which of them it will be is not known. */
static void add_carrier(struct trip *t, const struct carrier_end *from,
			const struct carrier_end *to, bool forwarded)
{
	bool carried = true;

	for (size_t i = 0; i < from->n_hosts && carried; i++) {
		const struct host *a = host_by_number(t->m, from->hosts[i]);

		carried = !a || is_carried_from(t, from, a, to, forwarded);
	}
	if (!carried)
		trip_add(t, (struct reach_step){.what = REACH_SUBSTRATE,
						.code = REACH_NO_FORMAT,
						.kind = to->kind,
						.id = to->id,
						.attached_kind = from->kind,
						.attached = from->id});
}

void trip_add_carrier(struct trip *t, const struct reach_place *from, const struct interface *to)
{
	struct carrier_end a = end_of_interface(from->at), b = end_of_interface(to);

	add_carrier(t, &a, &b, from->forwarded);
}

void trip_add_carrier_out(struct trip *t, const struct reach_place *from,
			  const struct reach_edge *to)
{
	struct carrier_end a = end_of_interface(from->at), b = end_of_edge(to);

	add_carrier(t, &a, &b, from->forwarded);
}

void trip_add_carrier_in(struct trip *t, const struct reach_edge *from, const struct interface *to)
{
	struct carrier_end a = end_of_edge(from), b = end_of_interface(to);

	add_carrier(t, &a, &b, false);
}

/* ---- routes ---- */

struct reach_way trip_find_way(struct trip *t, const struct route_table *table, enum kind k,
			       uint64_t owner)
{
	_cleanup_free_ struct route_entry *entries = NULL;
	const struct route_entry *e;
	size_t n = 0;
	struct reach_way way = {.step = {.what = REACH_ROUTE,
					 .code = REACH_NO_ROUTE,
					 .egress = true,
					 .kind = KIND_ROUTE_TABLE,
					 .id = table ? table->o.id : 0,
					 .attached_kind = k,
					 .attached = owner}};
	int r = table ? route_entries_of(t->m, table, &entries, &n) : 0;

	if (r)
		t->error = r;
	e = route_entries_find(entries, n, &t->packet.dst);
	if (!e)
		return way;
	way.step.prefix = e->prefix;
	if (!e->route) {
		way.local = true;
		way.step.code = REACH_PASSES;
		return way;
	}
	way.hop = route_resolve(t->m, table, e->route, !ipaddr_is_v4(&t->packet.dst));
	way.step.code = way.hop.way == WAY_BLACKHOLE ? REACH_BAD_ROUTE : REACH_PASSES;
	way.step.target_kind = route_target_kind(e->route->target);
	way.step.target = e->route->target_id;
	way.step.list = e->route->prefix_list;
	return way;
}

void trip_add_outer(struct trip *t, const struct nat_gateway *g)
{
	const struct subnet *s = (const struct subnet *)model_get(t->m, KIND_SUBNET, g->subnet);
	struct reach_way way =
		trip_find_way(t, s ? route_table_of(t->m, s) : NULL, KIND_SUBNET, g->subnet);

	if (way.step.code == REACH_PASSES && way.hop.way != WAY_INTERNET)
		way.step.code = REACH_NO_DESTINATION;
	trip_add(t, way.step);
}
