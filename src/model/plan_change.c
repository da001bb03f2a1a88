/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change makes different, host by host.  See plan.h.
 */
#include <string.h>

#include "model/choice_note.h"
#include "model/choice_rules.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/plan_change.h"
#include "model/preload.h"
#include "model/subnet.h"
#include "model/subnet_router.h"
#include "model/unknown_mac.h"
#include "model/vpc.h"

int planner_emit(struct planner *p, uint32_t host, struct plan_item *item, bool remove)
{
	item->remove = remove;
	return p->sink(p->data, host, item);
}

/* ---- hosts ---- */

/* What policies make of labels is told with them, or by a pass. */
static bool labels_matter(const struct model *m, const struct host *a, const struct host *b)
{
	return choice_rules_any(m) && !choice_same_labels(a, b) &&
	       !choice_note_is_about(m, KIND_HOST, b->o.id);
}

/* But for what it can do. */
static bool same_host(const struct model *m, const struct host *a, const struct host *b)
{
	return a->edge == b->edge && !strcmp(a->name, b->name) && !labels_matter(m, a, b) &&
	       !memcmp(&a->locators, &b->locators, sizeof(a->locators));
}

static bool same_abilities(const struct host *a, const struct host *b)
{
	struct ability x = ability_of(a), y = ability_of(b);

	return a->changing_at == b->changing_at && ability_same(&x, &y);
}

/* What it can do is another thing to some of the others now: model/host.h, changing_at. */
static int plan_abilities_change(struct planner *p, const struct host *before,
				 const struct host *after)
{
	struct model_iter it = model_iter_kind(p->m, KIND_HOST);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		const struct host *other = (const struct host *)o;
		struct ability x = ability_towards(before, other),
			       y = ability_towards(after, other);

		if (other != after && !ability_same(&x, &y))
			r = planner_tell_pair(p, after, other);
	}
	return r;
}

static int plan_host_change(struct planner *p, const struct host *before, const struct host *after)
{
	struct model_iter it = model_iter_kind(p->m, KIND_HOST);
	const struct object *o;
	struct plan_item item;
	int r = 0;

	if (before && after && same_host(p->m, before, after))
		return same_abilities(before, after) ? 0 : plan_abilities_change(p, before, after);
	if (after) {
		plan_host_item(after, &item);
		r = planner_emit(p, after->number, &item, false);
	}
	while (!r && (o = model_iter_next(&it))) {
		const struct host *other = (const struct host *)o;

		if (after && o == &after->o)
			continue;
		if (after) {
			r = planner_tell_pair(p, after, other);
			continue;
		}
		item = (struct plan_item){.kind = PLAN_PEER, .peer.number = before->number};
		r = planner_emit(p, other->number, &item, true);
	}
	return r;
}

/* ---- networks ---- */

int plan_interface_everywhere(struct planner *p, const struct interface *i)
{
	struct plan_item item;
	int r = 0;

	for (size_t n = 0; !r && n < interface_attachment_count(i); n++) {
		const struct attachment *a = interface_attachment(i, n);

		if (!attachment_is_desired(a))
			continue;
		plan_interface_item(p->m, i, a, &item);
		r = planner_emit(p, a->host, &item, false);
	}
	return r;
}

static int plan_vpc_interfaces(struct planner *p, const struct vpc *v)
{
	struct model_iter subnets = model_iter_group(p->m, REL_VPC_SUBNETS, v->o.id);
	const struct object *s, *o;
	int r = 0;

	while (!r && (s = model_iter_next(&subnets))) {
		struct model_iter it = model_iter_group(p->m, REL_SUBNET_INTERFACES, s->id);

		while (!r && (o = model_iter_next(&it))) {
			r = plan_interface_everywhere(p, (const struct interface *)o);
		}
	}
	return r;
}

/* Both items of a subnet. */
static int emit_subnet(struct planner *p, const struct subnet *s, const struct vpc *v)
{
	struct plan_item item;
	int r;

	plan_subnet_item(p->m, s, v, &item);
	r = planner_emit_carriers(p, CARRIED_NETWORK, s->vni, &item, false);
	if (r || !subnet_has_block6(s))
		return r;
	plan_subnet6_item(p->m, s, v, &item);
	return planner_emit_carriers(p, CARRIED_NETWORK, s->vni, &item, false);
}

/* Those that the main route table serves, or all. */
static int plan_vpc_subnets(struct planner *p, const struct vpc *v, bool all)
{
	struct model_iter subnets = model_iter_group(p->m, REL_VPC_SUBNETS, v->o.id);
	const struct object *s;
	int r = 0;

	while (!r && (s = model_iter_next(&subnets)))
		if (all || !((const struct subnet *)s)->table)
			r = emit_subnet(p, (const struct subnet *)s, v);
	return r;
}

static int plan_vpc_change(struct planner *p, const struct vpc *before, const struct vpc *after)
{
	struct plan_item item;
	bool marked;
	int r = 0;

	if (!before || !after)
		return 0;
	marked = preload_is_marked(before) != preload_is_marked(after);
	r = plan_environment_change(p, before, after);
	if (r)
		return r;
	if (plan_has_link(before) != plan_has_link(after) || (marked && plan_has_link(after))) {
		plan_link_item(p->m, after, &item);
		r = planner_emit_carriers(p, CARRIED_NETWORK, after->vni, &item,
					  !plan_has_link(after));
	}
	if (!r && (before->mtu != after->mtu || before->dns_support != after->dns_support ||
		   before->dhcp_options != after->dhcp_options ||
		   unknown_mac_is_resolved(before) != unknown_mac_is_resolved(after)))
		r = plan_vpc_interfaces(p, after);
	if (!r && (marked || before->main_table != after->main_table))
		r = plan_vpc_subnets(p, after, marked);
	if (!r && before->main_table != after->main_table)
		r = plan_nat_outer(p, after->o.id, 0);
	return r ? r : plan_vpc_blocks(p, before, after);
}

/* The IPv6 block of a subnet is an item of its own; 'before' or 'after' may be NULL. */
static int plan_block6_change(struct planner *p, const struct subnet *before,
			      const struct subnet *after)
{
	bool was = before && subnet_has_block6(before), is = after && subnet_has_block6(after);
	struct plan_item item = {.kind = PLAN_SUBNET};
	bool same = was && is && prefix_equal(&before->prefix6, &after->prefix6);
	const struct vpc *v;
	int r = 0;

	if (same && before->acl == after->acl && before->table == after->table)
		return 0;
	if (was && !same) {
		item.subnet.vni = before->vni;
		item.subnet.prefix = before->prefix6;
		r = planner_emit_carriers(p, CARRIED_NETWORK, before->vni, &item, true);
	}
	v = is ? vpc_by_vni(p->m, after->vni) : NULL;
	if (r || !v)
		return r;
	plan_subnet6_item(p->m, after, v, &item);
	return planner_emit_carriers(p, CARRIED_NETWORK, after->vni, &item, false);
}

static bool same_router(const struct subnet *a, const struct subnet *b)
{
	struct ipaddr x = subnet_router(a), y = subnet_router(b);

	return ipaddr_equal(&x, &y);
}

static int plan_block_change(struct planner *p, const struct subnet *before,
			     const struct subnet *after)
{
	const struct subnet *s = after ? after : before;
	const struct vpc *v = vpc_by_vni(p->m, s->vni);
	struct plan_item item = {.kind = PLAN_SUBNET};

	if (before && after && before->acl == after->acl && before->table == after->table &&
	    same_router(before, after))
		return 0;
	if (after && v)
		plan_subnet_item(p->m, s, v, &item);
	item.subnet.vni = s->vni;
	item.subnet.prefix = s->prefix;
	return planner_emit_carriers(p, CARRIED_NETWORK, s->vni, &item, !after);
}

static int plan_subnet_change(struct planner *p, const struct subnet *before,
			      const struct subnet *after)
{
	int r = plan_subnet_acls(p, before, after);

	if (!r)
		r = plan_block_change(p, before, after);
	if (!r)
		r = plan_block6_change(p, before, after);
	return r ? r : plan_nat_subnet(p, before, after);
}

/* ---- nodes ---- */

static bool same_instance(const struct plan_item *a, const struct plan_item *b)
{
	return a->instance.running == b->instance.running &&
	       a->instance.generation == b->instance.generation &&
	       !strcmp(a->instance.driver, b->instance.driver) &&
	       !strcmp(a->instance.name, b->instance.name);
}

static int plan_instance_change(struct planner *p, const struct instance *before,
				const struct instance *after)
{
	struct plan_item old, new;
	uint32_t from = 0, to = 0;
	bool was = before && plan_has_instance(before, &from);
	bool is = after && plan_has_instance(after, &to);
	int r = 0;

	if (was)
		plan_instance_item(before, &old);
	if (is)
		plan_instance_item(after, &new);
	if (was && (!is || from != to))
		r = planner_emit(p, from, &old, true);
	if (!r && is && (!was || from != to || !same_instance(&old, &new)))
		r = planner_emit(p, to, &new, false);
	return r;
}

static bool same_routes(const struct interface *a, const struct interface *b)
{
	if (a->n_routes != b->n_routes)
		return false;
	for (size_t i = 0; i < a->n_routes; i++)
		if (!prefix_equal(&a->routes[i].prefix, &b->routes[i].prefix) ||
		    !ipaddr_equal(&a->routes[i].via, &b->routes[i].via))
			return false;
	return true;
}

/* What plan_interface_item() takes from the interface itself. */
static bool same_interface(const struct interface *a, const struct interface *b)
{
	if (a->shared != b->shared || a->n_addrs != b->n_addrs || a->group_set != b->group_set ||
	    a->condition != b->condition || a->vlan != b->vlan ||
	    !ipaddr_equal(&a->dns_server, &b->dns_server) || !same_routes(a, b) ||
	    a->source_dest_check != b->source_dest_check || a->handle.number != b->handle.number)
		return false;
	for (size_t i = 0; i < a->n_addrs; i++)
		/* with the revision of where it is its label may change */
		if (!ipaddr_equal(&a->addrs[i].addr, &b->addrs[i].addr) ||
		    a->addrs[i].arriving != b->addrs[i].arriving ||
		    a->addrs[i].revision != b->addrs[i].revision)
			return false;
	return true;
}

/* From hosts that have it no more. */
static int plan_interface_leaves(struct planner *p, const struct interface *before,
				 const struct interface *after)
{
	struct plan_item item = {.kind = PLAN_INTERFACE};
	int r = 0;

	object_id_text(&before->o, item.interface.id);
	for (size_t n = 0; !r && n < interface_attachment_count(before); n++) {
		const struct attachment *a = interface_attachment(before, n);

		if (attachment_is_desired(a) &&
		    (!after || !interface_is_desired_at(after, a->host)))
			r = planner_emit(p, a->host, &item, true);
	}
	return r;
}

static int plan_interface_change(struct planner *p, const struct interface *before,
				 const struct interface *after)
{
	bool same = before && after && same_interface(before, after);
	int r = before ? plan_interface_leaves(p, before, after) : 0;
	const struct attachment *was;
	struct plan_item item;

	for (size_t n = 0; !r && after && n < interface_attachment_count(after); n++) {
		const struct attachment *a = interface_attachment(after, n);

		if (!attachment_is_desired(a))
			continue;
		was = before && interface_is_desired_at(before, a->host)
			      ? interface_attachment_at(before, a->host)
			      : NULL;
		if (same && was && was->instance == a->instance &&
		    was->device_index == a->device_index && was->standby == a->standby)
			continue;
		plan_interface_item(p->m, after, a, &item);
		r = planner_emit(p, a->host, &item, false);
	}
	if (!r)
		r = plan_interface_pairs(p, before, after);
	return r ? r : plan_interface_routes(p, before, after);
}

static int plan_write(struct planner *p, const struct write *w)
{
	switch (w->kind) {
	case KIND_HOST:
		return plan_host_change(p, (const struct host *)w->before,
					(const struct host *)w->after);
	case KIND_VPC:
		return plan_vpc_change(p, (const struct vpc *)w->before,
				       (const struct vpc *)w->after);
	case KIND_SUBNET:
		return plan_subnet_change(p, (const struct subnet *)w->before,
					  (const struct subnet *)w->after);
	case KIND_INSTANCE:
		return plan_instance_change(p, (const struct instance *)w->before,
					    (const struct instance *)w->after);
	case KIND_INTERFACE:
		return plan_interface_change(p, (const struct interface *)w->before,
					     (const struct interface *)w->after);
	case KIND_NETWORK_ACL:
		return plan_acl_change(p, (const struct network_acl *)w->before,
				       (const struct network_acl *)w->after);
	case KIND_PREFIX_LIST:
		return plan_list_change(p, (const struct prefix_list *)w->before,
					(const struct prefix_list *)w->after);
	case KIND_ROUTE_TABLE:
		return plan_table_change(p, (const struct route_table *)w->before,
					 (const struct route_table *)w->after);
	case KIND_INTERNET_GATEWAY:
		return plan_internet_gateway_change(p, (const struct internet_gateway *)w->before,
						    (const struct internet_gateway *)w->after);
	case KIND_EGRESS_GATEWAY:
		return plan_egress_gateway_change(p, (const struct egress_gateway *)w->before,
						  (const struct egress_gateway *)w->after);
	case KIND_NAT_GATEWAY:
		return plan_nat_gateway_change(p, (const struct nat_gateway *)w->before,
					       (const struct nat_gateway *)w->after);
	case KIND_PEERING:
		return plan_peering_change(p, (const struct peering *)w->before,
					   (const struct peering *)w->after);
	case KIND_ADDRESS:
		return plan_elastic_change(p, (const struct elastic *)w->before,
					   (const struct elastic *)w->after);
	case KIND_PAIR_SHIFT:
		return plan_shift_change(p, (const struct pair_shift *)w->before,
					 (const struct pair_shift *)w->after);
	case KIND_DRAIN:
		return plan_drain_change(p, (const struct drain *)w->before,
					 (const struct drain *)w->after);
	case KIND_FLOW_LOG:
		return plan_flow_log_change(p, (const struct flow_log *)w->before,
					    (const struct flow_log *)w->after);
	case KIND_MIRROR_SESSION:
		return plan_mirror_session_change(p, (const struct mirror_session *)w->before,
						  (const struct mirror_session *)w->after);
	case KIND_MIRROR_FILTER:
		return plan_mirror_filter_change(p, (const struct mirror_filter *)w->before,
						 (const struct mirror_filter *)w->after);
	default:
		return 0;
	}
}

int plan_change(const struct model *m, const struct change *c, plan_sink_fn sink, void *data)
{
	struct planner p = {.m = m, .change = c, .sink = sink, .data = data};
	int r = planner_collect_carriers(&p);

	if (!r)
		r = plan_carriers(&p);
	if (!r)
		r = plan_group_contents(&p, c);
	for (size_t i = 0; i < change_count(c) && !r; i++) {
		struct write w = change_get(c, i);

		r = plan_write(&p, &w);
	}
	if (!r)
		r = plan_policies_change(&p, c);
	if (!r)
		r = planner_tell_pairs(&p);
	planner_forget_pairs(&p);
	planner_forget_carriers(&p);
	plan_rules_deinit(&p.rules);
	return r;
}
