/* SPDX-License-Identifier: Apache-2.0 */
/* Showing security groups; group_filters.c says what they can be found by. */
#include "api/group_view.h"

#include <stdio.h>
#include <string.h>

#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/interface.h"

void group_write_set(struct ec2_call *c, const struct interface *i)
{
	xml_open(c->xml, "groupSet");
	for (size_t n = 0; i && n < i->n_groups; n++) {
		const struct security_group *g = (const struct security_group *)model_get(
			c->model, KIND_SECURITY_GROUP, i->groups[n].id);

		xml_open(c->xml, "item");
		ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, i->groups[n].id);
		xml_text(c->xml, "groupName", g ? g->name : NULL);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static void write_number(struct ec2_call *c, const char *name, int32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	xml_text(c->xml, name, text);
}

/* ---- permissions ---- */

/* What one <ipPermissions> is of. */
struct permissions {
	const struct model *m;
	uint64_t group;
	bool egress;
	bool (*shows)(const struct model *m, const struct group_rule *r);
};

static const struct group_rule *next_rule(const struct permissions *p, struct model_iter *it,
					  const struct traffic *traffic)
{
	const struct group_rule *r;

	while ((r = (const struct group_rule *)model_iter_next(it)))
		if (r->egress == p->egress && (!p->shows || p->shows(p->m, r)) &&
		    (!traffic || traffic_equal(traffic, &r->traffic)))
			return r;
	return NULL;
}

static bool is_of(const struct group_rule *r, enum rule_end end, bool v6)
{
	return r->end == end && (end != RULE_END_PREFIX || prefix_is_v4(&r->prefix) != v6);
}

static void write_pair(struct ec2_call *c, const struct group_rule *r)
{
	xml_text(c->xml, "description", r->description);
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, r->peer);
	ec2_write_owner(c, "userId", r->peer_account);
	if (model_get(c->model, KIND_SECURITY_GROUP, r->group) &&
	    ((const struct security_group *)model_get(c->model, KIND_SECURITY_GROUP, r->group))
			    ->vpc != r->peer_vpc)
		ec2_write_id(c, "vpcId", KIND_VPC, r->peer_vpc);
}

static void write_end(struct ec2_call *c, const struct group_rule *r, bool v6)
{
	xml_open(c->xml, "item");
	switch (r->end) {
	case RULE_END_PREFIX:
		ec2_write_prefix(c, v6 ? "cidrIpv6" : "cidrIp", &r->prefix);
		xml_text(c->xml, "description", r->description);
		break;
	case RULE_END_LIST:
		xml_text(c->xml, "description", r->description);
		ec2_write_id(c, "prefixListId", KIND_PREFIX_LIST, r->list);
		break;
	case RULE_END_GROUP:
		write_pair(c, r);
		break;
	}
	xml_close(c->xml);
}

static void write_ends(struct ec2_call *c, const struct permissions *p,
		       const struct traffic *traffic, const char *name, enum rule_end end, bool v6)
{
	struct model_iter it = model_iter_group(p->m, REL_GROUP_RULES, p->group);
	const struct group_rule *r;

	xml_open(c->xml, name);
	while ((r = next_rule(p, &it, traffic)))
		if (is_of(r, end, v6))
			write_end(c, r, v6);
	xml_close(c->xml);
}

static void write_permission(struct ec2_call *c, const struct permissions *p,
			     const struct traffic *t)
{
	char text[TRAFFIC_TEXT_SIZE];
	int32_t from, to;

	xml_open(c->xml, "item");
	xml_text(c->xml, "ipProtocol", traffic_name(t, text));
	if (traffic_has_ports(t) || traffic_is_icmp(t)) {
		traffic_range(t, &from, &to);
		write_number(c, "fromPort", from);
		write_number(c, "toPort", to);
	}
	write_ends(c, p, t, "groups", RULE_END_GROUP, false);
	write_ends(c, p, t, "ipRanges", RULE_END_PREFIX, false);
	if (!p->shows) /* a stale permission has none, in EC2's model */
		write_ends(c, p, t, "ipv6Ranges", RULE_END_PREFIX, true);
	write_ends(c, p, t, "prefixListIds", RULE_END_LIST, false);
	xml_close(c->xml);
}

/* The first of the rules with its traffic: the others stand beside it. */
static bool is_first(const struct permissions *p, const struct group_rule *rule)
{
	struct model_iter it = model_iter_group(p->m, REL_GROUP_RULES, p->group);

	return next_rule(p, &it, &rule->traffic) == rule;
}

void group_write_permissions(struct ec2_call *c, const char *name, uint64_t group, bool egress,
			     bool (*shows)(const struct model *m, const struct group_rule *r))
{
	const struct permissions p = {c->model, group, egress, shows};
	struct model_iter it = model_iter_group(c->model, REL_GROUP_RULES, group);
	const struct group_rule *r;

	xml_open(c->xml, name);
	while ((r = next_rule(&p, &it, NULL)))
		if (is_first(&p, r))
			write_permission(c, &p, &r->traffic);
	xml_close(c->xml);
}

/* ---- rules ---- */

static void write_reference(struct ec2_call *c, const struct group_rule *r)
{
	xml_open(c->xml, "referencedGroupInfo");
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, r->peer);
	ec2_write_owner(c, "userId", r->peer_account);
	ec2_write_id(c, "vpcId", KIND_VPC, r->peer_vpc);
	xml_close(c->xml);
}

void group_rule_write(struct ec2_call *c, const struct group_rule *r)
{
	char text[TRAFFIC_TEXT_SIZE], arn[ARN_SIZE];
	int32_t from, to;

	traffic_range(&r->traffic, &from, &to);
	xml_open(c->xml, "item");
	ec2_write_id(c, "securityGroupRuleId", KIND_SECURITY_GROUP_RULE, r->o.id);
	xml_text(c->xml, "securityGroupRuleArn", ec2_arn(c, "security-group-rule", &r->o, arn));
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, r->group);
	ec2_write_owner(c, "groupOwnerId", r->o.account);
	xml_bool(c->xml, "isEgress", r->egress);
	xml_text(c->xml, "ipProtocol", traffic_name(&r->traffic, text));
	write_number(c, "fromPort", from);
	write_number(c, "toPort", to);
	if (r->end == RULE_END_PREFIX)
		ec2_write_prefix(c, prefix_is_v4(&r->prefix) ? "cidrIpv4" : "cidrIpv6", &r->prefix);
	else if (r->end == RULE_END_LIST)
		ec2_write_id(c, "prefixListId", KIND_PREFIX_LIST, r->list);
	else
		write_reference(c, r);
	xml_text(c->xml, "description", r->description);
	ec2_write_tags(c, &r->o);
	xml_close(c->xml);
}

/* ---- describing ---- */

static int find_group(const struct model *m, const struct caller *caller, const char *id,
		      const struct object **ret, struct refusal *reterr)
{
	const struct security_group *g;
	int r = security_group_find(m, caller, id, &g, reterr);

	if (!r)
		*ret = &g->o;
	return r;
}

static void write_group(struct ec2_call *c, const struct object *o, void *data)
{
	const struct security_group *g = (const struct security_group *)o;
	char arn[ARN_SIZE];

	xml_open(c->xml, "item");
	ec2_write_owner(c, "ownerId", o->account);
	xml_text(c->xml, "securityGroupArn", ec2_arn(c, "security-group", o, arn));
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, o->id);
	xml_text(c->xml, "groupName", g->name);
	xml_text(c->xml, "groupDescription", g->description);
	ec2_write_id(c, "vpcId", KIND_VPC, g->vpc);
	group_write_permissions(c, "ipPermissions", o->id, false, NULL);
	group_write_permissions(c, "ipPermissionsEgress", o->id, true, NULL);
	ec2_write_tags(c, o);
	xml_close(c->xml);
}

/* GroupName.N names groups of any of the caller's VPCs. */
static bool is_named(const struct ec2_call *c, const struct object *o)
{
	const char *name = ((const struct security_group *)o)->name;
	const char *const *names;
	size_t n;

	if (param_list(c, "GroupName", &names, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return !n;
}

/* Each name must be that of a group. */
static int check_names(struct ec2_call *c)
{
	const char *const *names;
	size_t n;
	int r = param_list(c, "GroupName", &names, &n);

	for (size_t i = 0; i < n && !r; i++) {
		struct model_iter it =
			model_iter_account(c->model, KIND_SECURITY_GROUP, c->caller.account);
		const struct security_group *g;

		do
			g = (const struct security_group *)model_iter_next(&it);
		while (g && strcmp(g->name, names[i]));
		if (!g)
			r = ec2_refuse(c, 400, "InvalidGroup.NotFound",
				       "The security group '%.255s' does not exist", names[i]);
	}
	return r;
}

int action_describe_security_groups(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"group-id", KIND_SECURITY_GROUP, REL_MAX},
		{"vpc-id", KIND_VPC, REL_VPC_GROUPS},
		{},
	};
	static const struct describe d = {
		.kind = KIND_SECURITY_GROUP,
		.ids = "GroupId",
		.find = find_group,
		.filters = group_filters,
		.groups = groups,
		.ids_exclude_pages = true,
		.write = write_group,
		.shows = is_named,
	};
	int r = check_names(c);

	return r ? r : describe_run(c, &d, "securityGroupInfo", NULL, NULL);
}

static int find_rule(const struct model *m, const struct caller *caller, const char *id,
		     const struct object **ret, struct refusal *reterr)
{
	const struct group_rule *r;
	int code = group_rule_find(m, caller, id, &r, reterr);

	if (!code)
		*ret = &r->o;
	return code;
}

static void write_rule(struct ec2_call *c, const struct object *o, void *data)
{
	group_rule_write(c, (const struct group_rule *)o);
}

/* EC2 refuses a filter for a group's id that is none: to find nothing would hide a mistake. */
static int check_group_ids(struct ec2_call *c)
{
	struct filter_set set;
	uint64_t id;
	int r = filter_parse(c, group_rule_filters, true, &set);

	for (size_t i = 0; !r && i < set.n; i++) {
		const struct filter_wanted *w = &set.wanted[i];

		for (size_t k = 0; !r && !strcmp(w->name, "group-id") && k < w->n_values; k++)
			if (!strpbrk(w->values[k], "*?\\") &&
			    id_parse(KIND_SECURITY_GROUP, w->values[k], &id))
				r = ec2_refuse(c, 400, "InvalidGroupId.Malformed",
					       "Invalid id: \"%.100s\" (expecting \"sg-...\")",
					       w->values[k]);
	}
	return r;
}

int action_describe_security_group_rules(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"security-group-rule-id", KIND_SECURITY_GROUP_RULE, REL_MAX},
		{"group-id", KIND_SECURITY_GROUP, REL_GROUP_RULES},
		{},
	};
	static const struct describe d = {
		.kind = KIND_SECURITY_GROUP_RULE,
		.ids = "SecurityGroupRuleId",
		.find = find_rule,
		.filters = group_rule_filters,
		.groups = groups,
		.write = write_rule,
	};

	int r = check_group_ids(c);

	return r ? r : describe_run(c, &d, "securityGroupRuleSet", NULL, NULL);
}
