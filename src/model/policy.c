/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What groups and ACLs say about a packet.  See policy.h.  Rules are taken as hosts have them
 * (model/plan_items.h), so that there is one meaning of a rule.
 */
#include "model/policy.h"

#include "model/model.h"
#include "model/network_acl.h"
#include "model/plan_items.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/traffic.h"

static bool is_member(const struct interface *i, uint32_t group)
{
	for (size_t n = 0; i && n < i->n_groups; n++)
		if (i->groups[n].number == group)
			return true;
	return false;
}

/* The rule is about such a packet, whatever its port. */
static bool concerns(const struct plan_rule *rule, bool egress, const struct policy_packet *p,
		     const struct interface *other, const struct ipaddr *addr)
{
	if (rule->egress != egress ||
	    (rule->traffic.protocol != TRAFFIC_ANY && rule->traffic.protocol != p->protocol))
		return false;
	if (rule->group)
		return is_member(other, rule->group);
	/* ::/0 is not IPv4 as well, which is mapped into it */
	return prefix_is_v4(&rule->prefix) == ipaddr_is_v4(addr) &&
	       prefix_contains(&rule->prefix, addr);
}

uint32_t policy_next_border(uint32_t port, uint32_t from, uint32_t to, uint32_t next)
{
	const uint32_t borders[] = {from, to + 1};

	for (size_t k = 0; k < ARRAY_SIZE(borders); k++)
		if (borders[k] > port && (!next || borders[k] < next))
			next = borders[k];
	return next;
}

/* The first of the rules that decides, or NULL; the border goes to 'ret'. */
static const struct plan_rule *find(const struct plan_rules *rules, bool egress,
				    const struct policy_packet *p, const struct interface *other,
				    const struct ipaddr *addr, struct policy_decision *ret)
{
	const struct plan_rule *found = NULL;

	for (size_t k = 0; k < rules->n; k++) {
		const struct plan_rule *rule = &rules->v[k];

		if (!concerns(rule, egress, p, other, addr))
			continue;
		ret->next_port = policy_next_border(p->dst_port, rule->traffic.from,
						    rule->traffic.to, ret->next_port);
		if (!found && traffic_covers(&rule->traffic, p->protocol, p->dst_port))
			found = rule;
	}
	return found;
}

int policy_ask_groups(const struct model *m, const struct interface *i,
		      const struct interface *other, bool egress,
		      const struct policy_packet *packet, struct policy_decision *ret)
{
	const struct ipaddr *addr = egress ? &packet->dst : &packet->src;
	_cleanup_(plan_rules_deinit) struct plan_rules rules = {};

	*ret = (struct policy_decision){.asked = i->n_groups, .allowed = !i->n_groups};
	for (size_t n = 0; n < i->n_groups; n++) {
		const struct security_group *g = (const struct security_group *)model_get(
			m, KIND_SECURITY_GROUP, i->groups[n].id);
		const struct plan_rule *rule;
		int r = plan_rules_of_group(m, g, &rules);

		if (r)
			return r;
		rule = find(&rules, egress, packet, other, addr, ret);
		if (!rule || ret->allowed)
			continue;
		ret->allowed = true;
		ret->group = g->o.id;
		ret->rule = rule->rule;
	}
	return 0;
}

int policy_ask_acl(const struct model *m, const struct interface *i, bool egress,
		   const struct policy_packet *packet, struct policy_decision *ret)
{
	const struct ipaddr *addr = egress ? &packet->dst : &packet->src;
	const struct subnet *s = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	const struct network_acl *a =
		(const struct network_acl *)model_get(m, KIND_NETWORK_ACL, s->acl);
	_cleanup_(plan_rules_deinit) struct plan_rules rules = {};
	const struct plan_rule *rule;
	int r;

	*ret = (struct policy_decision){.allowed = true};
	if (!a)
		return 0;
	r = plan_rules_of_acl(a, &rules);
	if (r)
		return r;
	*ret = (struct policy_decision){
		.asked = true,
		.acl = a->o.id,
		.entry = ipaddr_is_v4(addr) ? ACL_RULE_LAST : ACL_RULE_LAST6,
	};
	rule = find(&rules, egress, packet, NULL, addr, ret);
	if (!rule)
		return 0;
	ret->allowed = rule->allow;
	ret->entry = rule->number;
	return 0;
}

/* ICMP and ICMPv6 echoes change their type (RFC 792, RFC 4443 4.2). */
struct policy_packet policy_answer(const struct policy_packet *packet)
{
	enum { ECHO_REPLY = 0, ECHO = 8, ECHO6 = 128, ECHO_REPLY6 = 129 };
	struct policy_packet a = {
		.protocol = packet->protocol,
		.src = packet->dst,
		.dst = packet->src,
		.src_port = packet->dst_port,
		.dst_port = packet->src_port,
	};

	if (packet->protocol == TRAFFIC_ICMP)
		a.dst_port = packet->dst_port >> 8 == ECHO ? ECHO_REPLY << 8 : packet->dst_port;
	if (packet->protocol == TRAFFIC_ICMPV6)
		a.dst_port = packet->dst_port >> 8 == ECHO6 ? ECHO_REPLY6 << 8 : packet->dst_port;
	return a;
}
