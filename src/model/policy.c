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

const char *policy_step_text(enum policy_step s)
{
	static const char *const texts[POLICY_STEPS] = {
		[POLICY_EGRESS_GROUPS] = "egress security groups",
		[POLICY_EGRESS_ACL] = "egress network ACL",
		[POLICY_INGRESS_ACL] = "ingress network ACL",
		[POLICY_INGRESS_GROUPS] = "ingress security groups",
		[POLICY_ANSWER_EGRESS_ACL] = "egress network ACL, for the answer",
		[POLICY_ANSWER_INGRESS_ACL] = "ingress network ACL, for the answer",
	};

	return s < POLICY_STEPS ? texts[s] : NULL;
}

static bool is_member(const struct interface *i, uint32_t group)
{
	for (size_t n = 0; i && n < i->n_groups; n++)
		if (i->groups[n].number == group)
			return true;
	return false;
}

static bool matches(const struct plan_rule *rule, bool egress, const struct policy_packet *p,
		    const struct interface *other, const struct ipaddr *addr)
{
	if (rule->egress != egress || !traffic_covers(&rule->traffic, p->protocol, p->dst_port))
		return false;
	if (rule->group)
		return is_member(other, rule->group);
	/* ::/0 is not IPv4 as well, which is mapped into it */
	return prefix_is_v4(&rule->prefix) == ipaddr_is_v4(addr) &&
	       prefix_contains(&rule->prefix, addr);
}

/* The groups of 'i' about a packet to or from 'other'. */
static int ask_groups(const struct model *m, const struct interface *i,
		      const struct interface *other, bool egress, const struct policy_packet *p,
		      struct plan_rules *rules, struct policy_decision *ret)
{
	const struct ipaddr *addr = egress ? &p->dst : &p->src;

	if (!i || !i->n_groups)
		return 0;
	ret->asked = true;
	ret->allowed = false;
	for (size_t n = 0; n < i->n_groups; n++) {
		const struct security_group *g = (const struct security_group *)model_get(
			m, KIND_SECURITY_GROUP, i->groups[n].id);
		int r = plan_rules_of_group(m, g, rules);

		if (r)
			return r;
		for (size_t k = 0; k < rules->n; k++) {
			if (!matches(&rules->v[k], egress, p, other, addr))
				continue;
			ret->allowed = true;
			ret->group = g->o.id;
			ret->rule = rules->v[k].rule;
			return 0;
		}
	}
	return 0;
}

/* The ACL of the subnet that 'i' is in. */
static int ask_acl(const struct model *m, const struct interface *i, bool egress,
		   const struct policy_packet *p, struct plan_rules *rules,
		   struct policy_decision *ret)
{
	const struct ipaddr *addr = egress ? &p->dst : &p->src;
	const struct network_acl *a;
	const struct subnet *s;
	int r;

	if (!i)
		return 0;
	s = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	a = (const struct network_acl *)model_get(m, KIND_NETWORK_ACL, s->acl);
	if (!a)
		return 0;
	r = plan_rules_of_acl(a, rules);
	if (r)
		return r;
	ret->asked = true;
	ret->allowed = false;
	ret->acl = a->o.id;
	ret->entry = ACL_RULE_LAST;
	for (size_t k = 0; k < rules->n; k++) {
		if (!matches(&rules->v[k], egress, p, NULL, addr))
			continue;
		ret->allowed = rules->v[k].allow;
		ret->entry = rules->v[k].number;
		return 0;
	}
	return 0;
}

/* What an answer looks like: ICMP and ICMPv6 echoes change their type (RFC 792, RFC 4443 4.2). */
static struct policy_packet answer_to(const struct policy_packet *p)
{
	enum { ECHO_REPLY = 0, ECHO = 8, ECHO6 = 128, ECHO_REPLY6 = 129 };
	struct policy_packet a = {
		.protocol = p->protocol,
		.src = p->dst,
		.dst = p->src,
		.src_port = p->dst_port,
		.dst_port = p->src_port,
	};

	if (p->protocol == TRAFFIC_ICMP)
		a.dst_port = p->dst_port >> 8 == ECHO ? ECHO_REPLY << 8 : p->dst_port;
	if (p->protocol == TRAFFIC_ICMPV6)
		a.dst_port = p->dst_port >> 8 == ECHO6 ? ECHO_REPLY6 << 8 : p->dst_port;
	return a;
}

int policy_allows(const struct model *m, const struct interface *from, const struct interface *to,
		  const struct policy_packet *packet, struct policy_verdict *ret)
{
	_cleanup_(plan_rules_deinit) struct plan_rules rules = {};
	const struct policy_packet answer = answer_to(packet);
	bool crosses = !from || !to || from->subnet != to->subnet;
	struct policy_verdict v = {.allowed = true};
	struct policy_decision *steps = v.steps;
	int r;

	for (enum policy_step s = 0; s < POLICY_STEPS; s++)
		steps[s].allowed = true;
	r = ask_groups(m, from, to, true, packet, &rules, &steps[POLICY_EGRESS_GROUPS]);
	if (!r)
		r = ask_groups(m, to, from, false, packet, &rules, &steps[POLICY_INGRESS_GROUPS]);
	if (!r && crosses)
		r = ask_acl(m, from, true, packet, &rules, &steps[POLICY_EGRESS_ACL]);
	if (!r && crosses)
		r = ask_acl(m, to, false, packet, &rules, &steps[POLICY_INGRESS_ACL]);
	if (!r && crosses)
		r = ask_acl(m, to, true, &answer, &rules, &steps[POLICY_ANSWER_EGRESS_ACL]);
	if (!r && crosses)
		r = ask_acl(m, from, false, &answer, &rules, &steps[POLICY_ANSWER_INGRESS_ACL]);
	if (r)
		return r;
	for (enum policy_step s = 0; s < POLICY_STEPS && v.allowed; s++) {
		v.allowed = steps[s].allowed;
		v.step = s;
	}
	*ret = v;
	return 0;
}
