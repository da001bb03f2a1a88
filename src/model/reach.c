/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following a connection through the model.  See reach.h.
 *
 * Every rule on the way is asked, also behind one that refuses: who mends the network sees at once
 * all that is to be mended.
 */
#include "model/reach.h"

#include <string.h>

#include "model/elastic.h"
#include "model/group_rule.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/policy.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"

/* Source ports that clients take: the range of Linux (ip-sysctl, ip_local_port_range). */
enum { SOURCE_PORT_FIRST = 32768, SOURCE_PORT_LAST = 60999 };

const char *reach_code_text(enum reach_code c)
{
	switch (c) {
	case REACH_PASSES:
		return NULL;
	case REACH_BAD_STATE:
		return "BAD_STATE";
	case REACH_GROUP_MISMATCH:
		return "ENI_SG_RULES_MISMATCH";
	case REACH_GROUP_EMPTY:
		return "SG_HAS_NO_RULES";
	case REACH_ACL_DENIES:
		return "SUBNET_ACL_RESTRICTION";
	case REACH_NO_ROUTE:
		return "NO_ROUTE_TO_DESTINATION";
	case REACH_BAD_ROUTE:
		return "BAD_STATE_ROUTE";
	case REACH_NO_PUBLIC_EGRESS:
		return "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS";
	case REACH_NO_PUBLIC_INGRESS:
		return "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS";
	case REACH_NOT_PEERED:
		return "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR";
	case REACH_NO_INGRESS:
		return "GATEWAY_REJECTS_SPOOFED_TRAFFIC";
	case REACH_SOURCE_DEST_CHECK:
		return "ENI_SOURCE_DEST_CHECK_RESTRICTION";
	case REACH_FORWARDS:
		return "CANNOT_ROUTE";
	case REACH_NO_DESTINATION:
		return "NO_POSSIBLE_DESTINATION";
	}
	return NULL;
}

/* One try, with one source port. */
struct trip {
	const struct model *m;
	const struct reach_question *q;
	struct reach_answer *answer;
	bool failed;
};

static struct reach_step *add_step(struct trip *t, struct reach_step step)
{
	struct reach_answer *a = t->answer;

	t->failed |= step.code != REACH_PASSES;
	if (a->n_steps == REACH_STEPS_MAX)
		return &a->steps[REACH_STEPS_MAX - 1];
	a->steps[a->n_steps] = step;
	return &a->steps[a->n_steps++];
}

static void add_interface(struct trip *t, const struct interface *i, bool back)
{
	bool works = interface_host(i) && i->condition == INTERFACE_NORMAL;

	add_step(t, (struct reach_step){.what = REACH_INTERFACE,
					.code = works ? REACH_PASSES : REACH_BAD_STATE,
					.back = back,
					.kind = KIND_INTERFACE,
					.id = i->o.id});
}

/* ---- groups and ACLs ---- */

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

static void add_groups(struct trip *t, const struct interface *i, bool egress,
		       const struct policy_decision *d)
{
	const struct group_rule *rule =
		(const struct group_rule *)model_get(t->m, KIND_SECURITY_GROUP_RULE, d->rule);
	struct reach_step *s;

	if (!d->asked)
		return;
	s = add_step(t,
		     (struct reach_step){.what = REACH_GROUP,
					 .code = d->allowed                   ? REACH_PASSES
						 : has_rules(t->m, i, egress) ? REACH_GROUP_MISMATCH
									      : REACH_GROUP_EMPTY,
					 .egress = egress,
					 .kind = KIND_SECURITY_GROUP,
					 .id = d->allowed ? d->group : i->groups[0].id,
					 .attached_kind = KIND_INTERFACE,
					 .attached = i->o.id});
	if (!d->allowed || !rule)
		return;
	s->rule = d->rule;
	s->allow = true;
	s->protocol = rule->traffic.protocol;
	s->from = rule->traffic.from;
	s->to = rule->traffic.to;
	s->prefix = rule->prefix;
	s->group = rule->end == RULE_END_GROUP ? rule->peer : 0;
}

static void add_acl(struct trip *t, const struct interface *i, bool egress, bool back,
		    const struct policy_decision *d)
{
	const struct network_acl *a =
		(const struct network_acl *)model_get(t->m, KIND_NETWORK_ACL, d->acl);
	struct reach_step *s;

	if (!d->asked || !a)
		return;
	s = add_step(t, (struct reach_step){.what = REACH_ACL,
					    .code = d->allowed ? REACH_PASSES : REACH_ACL_DENIES,
					    .back = back,
					    .egress = egress,
					    .kind = KIND_NETWORK_ACL,
					    .id = d->acl,
					    .attached_kind = KIND_SUBNET,
					    .attached = i->subnet,
					    .rule = d->entry,
					    .allow = d->allowed,
					    .protocol = TRAFFIC_ANY,
					    .to = TRAFFIC_MAX});
	if (d->entry == ACL_RULE_LAST && ipaddr_is_v4(&t->q->to.addr))
		s->prefix = prefix_v4(0, 0);
	for (size_t n = 0; n < a->n_entries; n++) {
		const struct acl_entry *e = &a->entries[n];

		if (e->rule != d->entry || e->egress != egress)
			continue;
		s->protocol = e->traffic.protocol;
		s->from = e->traffic.from;
		s->to = e->traffic.to;
		s->prefix = e->prefix;
	}
}

/* ---- routes ---- */

/* The longest prefix of the table that has the address; NULL: none.  Lists decide nothing inside
 * the network's blocks. */
static const struct route *find_route(const struct model *m, const struct route_table *table,
				      const struct ipaddr *a, struct prefix *ret)
{
	const struct vpc *v = table ? (const struct vpc *)model_get(m, KIND_VPC, table->vpc) : NULL;
	const struct route *found = NULL;

	for (size_t n = 0; table && n < table->n_routes; n++) {
		const struct route *r = &table->routes[n];
		const struct prefix_list *list =
			(const struct prefix_list *)model_get(m, KIND_PREFIX_LIST, r->prefix_list);
		size_t n_prefixes = r->prefix_list ? (list ? list->n_entries : 0) : 1;

		for (size_t k = 0; k < n_prefixes; k++) {
			const struct prefix *p =
				r->prefix_list ? &list->entries[k].prefix : &r->destination;

			if (prefix_is_v4(p) != ipaddr_is_v4(a) || !prefix_contains(p, a) ||
			    (r->prefix_list && vpc_block_over(v, p)) ||
			    (found && p->len < ret->len) ||
			    (found && p->len == ret->len &&
			     (r->prefix_list || !found->prefix_list)))
				continue;
			found = r;
			*ret = *p;
		}
	}
	return found;
}

/* The way to 'a' by the table of a subnet or gateway, 'owner'. */
static struct route_hop add_way(struct trip *t, const struct route_table *table, enum kind k,
				uint64_t owner, const struct ipaddr *a, bool back)
{
	struct route_hop hop = {.way = WAY_BLACKHOLE};
	struct reach_step step = {.what = REACH_ROUTE,
				  .code = REACH_NO_ROUTE,
				  .back = back,
				  .egress = true,
				  .kind = KIND_ROUTE_TABLE,
				  .id = table ? table->o.id : 0,
				  .attached_kind = k,
				  .attached = owner};
	const struct route *r = find_route(t->m, table, a, &step.prefix);

	if (r) {
		hop = route_resolve(t->m, table, r, !ipaddr_is_v4(a));
		step.code = hop.way == WAY_BLACKHOLE ? REACH_BAD_ROUTE : REACH_PASSES;
		step.target_kind = route_target_kind(r->target);
		step.target = r->target_id;
	}
	if (hop.way == WAY_INTERFACE && step.target_kind == KIND_INTERFACE)
		step.code =
			((const struct interface *)model_get(t->m, KIND_INTERFACE, r->target_id))
					->source_dest_check
				? REACH_SOURCE_DEST_CHECK
				: REACH_FORWARDS;
	add_step(t, step);
	return hop;
}

/* The way from the subnet of 'i' to 'a', which is in none of its network's blocks, or to a
 * middlebox before it. */
static struct route_hop add_route(struct trip *t, const struct interface *i, const struct ipaddr *a,
				  bool back)
{
	const struct subnet *s = (const struct subnet *)model_get(t->m, KIND_SUBNET, i->subnet);

	return add_way(t, route_table_of(t->m, s), KIND_SUBNET, i->subnet, a, back);
}

/* Of the network, and led nowhere else by the table. */
static bool is_local_by(const struct vpc *v, const struct route_table *table,
			const struct ipaddr *a)
{
	for (size_t n = 0; table && n < table->n_routes; n++)
		if (!table->routes[n].prefix_list &&
		    prefix_is_v4(&table->routes[n].destination) == ipaddr_is_v4(a) &&
		    prefix_contains(&table->routes[n].destination, a) &&
		    vpc_block_over(v, &table->routes[n].destination))
			return false;
	return true;
}

static bool is_local(const struct trip *t, const struct interface *i, const struct ipaddr *a)
{
	const struct subnet *s = (const struct subnet *)model_get(t->m, KIND_SUBNET, i->subnet);

	return is_local_by((const struct vpc *)model_get(t->m, KIND_VPC, i->vpc),
			   route_table_of(t->m, s), a);
}

static void add_local_way(struct trip *t, const struct vpc *v, const struct route_table *table,
			  enum kind k, uint64_t owner, const struct ipaddr *a, bool back)
{
	const struct prefix whole = prefix_make(a, 128);
	const struct prefix *block = vpc_block_over(v, &whole);
	struct reach_step step = {.what = REACH_ROUTE,
				  .back = back,
				  .egress = true,
				  .kind = KIND_ROUTE_TABLE,
				  .id = table ? table->o.id : 0,
				  .attached_kind = k,
				  .attached = owner};

	if (block)
		step.prefix = *block;
	add_step(t, step);
}

static void add_local_route(struct trip *t, const struct interface *i, const struct ipaddr *a,
			    bool back)
{
	const struct subnet *s = (const struct subnet *)model_get(t->m, KIND_SUBNET, i->subnet);

	add_local_way(t, (const struct vpc *)model_get(t->m, KIND_VPC, i->vpc),
		      route_table_of(t->m, s), KIND_SUBNET, i->subnet, a, back);
}

static void add_gateway(struct trip *t, enum kind k, uint64_t id, bool back, enum reach_code code)
{
	add_step(t,
		 (struct reach_step){
			 .what = REACH_GATEWAY, .code = code, .back = back, .kind = k, .id = id});
}

/* Another of the last route's target: that it is a gateway on the way. */
static void add_target(struct trip *t, bool back, enum reach_code code)
{
	const struct reach_step *last = &t->answer->steps[t->answer->n_steps - 1];

	add_gateway(t, last->target_kind, last->target, back, code);
}

/* The last route led to a private NAT gateway. */
static bool is_translated(const struct trip *t, const struct route_hop *hop)
{
	return hop->way == WAY_INTERFACE &&
	       t->answer->steps[t->answer->n_steps - 1].target_kind == KIND_NAT_GATEWAY;
}

/* The interface of the private NAT gateway that the way from 'i' to 'a', of another network, leads
 * to; NULL: to none. */
static const struct interface *find_translator(const struct model *m, const struct interface *i,
					       const struct ipaddr *a)
{
	const struct route_table *table =
		route_table_of(m, (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet));
	struct prefix prefix;
	const struct route *r = find_route(m, table, a, &prefix);
	const struct nat_gateway *g;

	if (!r || r->target != ROUTE_NAT_GATEWAY)
		return NULL;
	g = (const struct nat_gateway *)model_get(m, KIND_NAT_GATEWAY, r->target_id);
	return g && g->is_private && nat_gateway_serves(g)
		       ? (const struct interface *)model_get(m, KIND_INTERFACE, g->interface)
		       : NULL;
}

/* ---- the ways ---- */

/* From one interface to another, one direction. */
static void walk_inside(struct trip *t, const struct interface *from, const struct interface *to,
			const struct ipaddr *dst, bool back)
{
	struct route_hop hop;

	if (from->subnet == to->subnet)
		return;
	if (from->vpc == to->vpc && is_local(t, from, dst)) {
		add_local_route(t, from, dst, back);
		return;
	}
	hop = add_route(t, from, dst, back);
	if (hop.way == WAY_NETWORK)
		add_target(t, back, hop.vni == to->vni ? REACH_PASSES : REACH_NOT_PEERED);
	else if (hop.way == WAY_INTERNET || hop.way == WAY_GATEWAY || is_translated(t, &hop))
		add_target(t, back, REACH_NO_DESTINATION); /* private addresses end there */
}

/* One to one: the public address of 'private_addr', with an edge that has it. */
static bool has_public(const struct trip *t, const struct interface *i,
		       const struct ipaddr *private_addr)
{
	const struct elastic *e = elastic_by_private(t->m, i->vni, private_addr);

	return e && e->edge && !e->nat_gateway;
}

static void walk_out(struct trip *t, const struct interface *from)
{
	struct route_hop hop = add_route(t, from, &t->q->to.addr, false);

	if (hop.way == WAY_INTERNET)
		add_target(t, false,
			   has_public(t, from, &t->q->from.addr) ? REACH_PASSES
								 : REACH_NO_PUBLIC_EGRESS);
	else if (hop.way == WAY_GATEWAY)
		add_target(t, false, hop.host ? REACH_PASSES : REACH_BAD_STATE);
	else if (hop.way == WAY_NETWORK || is_translated(t, &hop))
		add_target(t, false, REACH_NO_DESTINATION);
}

/* Where the gateway's own table leads what has entered: to the node, or to a middlebox before
 * it. */
static void walk_entered(struct trip *t, const struct internet_gateway *g,
			 const struct interface *to)
{
	const struct vpc *v = (const struct vpc *)model_get(t->m, KIND_VPC, to->vpc);
	const struct route_table *table =
		(const struct route_table *)model_get(t->m, KIND_ROUTE_TABLE, g->table);

	if (is_local_by(v, table, &t->q->to.addr))
		add_local_way(t, v, table, KIND_INTERNET_GATEWAY, g->o.id, &t->q->to.addr, false);
	else
		add_way(t, table, KIND_INTERNET_GATEWAY, g->o.id, &t->q->to.addr, false);
}

static void walk_in(struct trip *t, const struct interface *to)
{
	const struct internet_gateway *g = t->q->from.gateway;
	enum reach_code code = REACH_PASSES;

	if (g->vpc != to->vpc)
		code = REACH_NO_DESTINATION;
	else if (!has_public(t, to, &t->q->to.addr))
		code = REACH_NO_PUBLIC_INGRESS;
	add_gateway(t, KIND_INTERNET_GATEWAY, g->o.id, false, code);
	if (code == REACH_PASSES && g->table)
		walk_entered(t, g, to);
}

/* The answers to the world must leave as they came. */
static void walk_back_out(struct trip *t, const struct interface *to)
{
	struct route_hop hop = add_route(t, to, &t->q->from.addr, true);

	if (hop.way == WAY_GATEWAY || hop.way == WAY_NETWORK || is_translated(t, &hop))
		add_target(t, true, REACH_NO_INGRESS);
}

static void walk(struct trip *t, const struct policy_verdict *v)
{
	const struct interface *from = t->q->from.interface, *to = t->q->to.interface;

	if (from) {
		add_interface(t, from, false);
		add_groups(t, from, true, &v->steps[POLICY_EGRESS_GROUPS]);
		add_acl(t, from, true, false, &v->steps[POLICY_EGRESS_ACL]);
	}
	if (from && to)
		walk_inside(t, from, to, &t->q->to.addr, false);
	else if (from)
		walk_out(t, from);
	else
		walk_in(t, to);
	if (to) {
		add_acl(t, to, false, false, &v->steps[POLICY_INGRESS_ACL]);
		add_groups(t, to, false, &v->steps[POLICY_INGRESS_GROUPS]);
		add_interface(t, to, false);
		add_acl(t, to, true, true, &v->steps[POLICY_ANSWER_EGRESS_ACL]);
	}
	if (from && to)
		walk_inside(t, to, from, &t->q->from.addr, true);
	else if (to)
		walk_back_out(t, to);
	if (from)
		add_acl(t, from, false, true, &v->steps[POLICY_ANSWER_INGRESS_ACL]);
}

/* By 'via', which is translated to: two ways, each with a verdict of its own, 'v' up to there and
 * 'on' from there. */
static void walk_by(struct trip *t, const struct interface *via, const struct policy_verdict *v,
		    const struct policy_verdict *on)
{
	const struct interface *from = t->q->from.interface, *to = t->q->to.interface;

	add_interface(t, from, false);
	add_groups(t, from, true, &v->steps[POLICY_EGRESS_GROUPS]);
	add_acl(t, from, true, false, &v->steps[POLICY_EGRESS_ACL]);
	add_route(t, from, &t->q->to.addr, false);
	add_target(t, false, REACH_PASSES);
	add_acl(t, via, false, false, &v->steps[POLICY_INGRESS_ACL]);
	add_acl(t, via, true, false, &on->steps[POLICY_EGRESS_ACL]);
	walk_inside(t, via, to, &t->q->to.addr, false);
	add_acl(t, to, false, false, &on->steps[POLICY_INGRESS_ACL]);
	add_groups(t, to, false, &on->steps[POLICY_INGRESS_GROUPS]);
	add_interface(t, to, false);
	add_acl(t, to, true, true, &on->steps[POLICY_ANSWER_EGRESS_ACL]);
	walk_inside(t, to, via, &via->addrs[0].addr, true);
	add_acl(t, via, false, true, &on->steps[POLICY_ANSWER_INGRESS_ACL]);
	add_acl(t, via, true, true, &v->steps[POLICY_ANSWER_EGRESS_ACL]);
	add_acl(t, from, false, true, &v->steps[POLICY_ANSWER_INGRESS_ACL]);
}

/* ---- source ports ---- */

/* The next source port, above 'port', at which an ACL may decide otherwise; 0: none. */
static uint32_t next_border(const struct model *m, const struct interface *i, uint32_t port)
{
	const struct subnet *s =
		i ? (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet) : NULL;
	const struct network_acl *a =
		s ? (const struct network_acl *)model_get(m, KIND_NETWORK_ACL, s->acl) : NULL;
	uint32_t next = 0;

	for (size_t n = 0; a && n < a->n_entries; n++) {
		const uint32_t borders[] = {a->entries[n].traffic.from,
					    a->entries[n].traffic.to + 1};

		for (size_t k = 0; k < 2; k++)
			if (borders[k] > port && borders[k] <= SOURCE_PORT_LAST &&
			    (!next || borders[k] < next))
				next = borders[k];
	}
	return next;
}

static int attempt(const struct model *m, const struct reach_question *q, uint32_t port,
		   struct reach_answer *ret)
{
	const struct policy_packet packet = {.protocol = q->protocol,
					     .src = q->from.addr,
					     .dst = q->to.addr,
					     .src_port = (uint16_t)port,
					     .dst_port = q->port};
	struct trip t = {.m = m, .q = q, .answer = ret};
	const struct interface *from = q->from.interface, *to = q->to.interface, *via = NULL;
	struct policy_packet translated = packet;
	struct policy_verdict verdict, on;
	int r;

	if (from && to && from->vpc != to->vpc)
		via = find_translator(m, from, &packet.dst);
	r = policy_allows(m, from, via ? via : to, &packet, &verdict);
	if (!r && via) {
		translated.src = via->addrs[0].addr;
		r = policy_allows(m, via, to, &translated, &on);
	}
	if (r)
		return r;
	*ret = (struct reach_answer){};
	if (via)
		walk_by(&t, via, &verdict, &on);
	else
		walk(&t, &verdict);
	ret->found = !t.failed;
	return 0;
}

int reach_analyse(const struct model *m, const struct reach_question *q, struct reach_answer *ret)
{
	uint32_t port = SOURCE_PORT_FIRST;
	struct reach_answer other;
	int r = attempt(m, q, port, ret);

	while (!r && !ret->found && port) {
		uint32_t a = next_border(m, q->from.interface, port);
		uint32_t b = next_border(m, q->to.interface, port);

		port = !a || (b && b < a) ? b : a;
		if (port)
			r = attempt(m, q, port, &other);
		if (port && !r && other.found)
			*ret = other;
	}
	return r;
}
