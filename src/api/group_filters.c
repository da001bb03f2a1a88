/* SPDX-License-Identifier: Apache-2.0 */
/* What security groups and their rules can be found by. */
#include "api/filter.h"
#include "api/handlers.h"
#include "model/group_rule.h"
#include "model/security_group.h"

#define GROUP ((const struct security_group *)item)
#define RULE  ((const struct group_rule *)item)

static void by_description(struct filter_probe *p, const void *item)
{
	filter_text(p, GROUP->description);
}

static void by_group_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SECURITY_GROUP, GROUP->o.id);
}

static void by_group_name(struct filter_probe *p, const void *item)
{
	filter_text(p, GROUP->name);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, GROUP->o.account);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, GROUP->vpc);
}

/* ---- values of one rule ---- */

static void rule_cidr(struct filter_probe *p, const struct group_rule *r)
{
	char text[PREFIX_TEXT_SIZE];

	if (r->end == RULE_END_PREFIX && prefix_is_v4(&r->prefix))
		filter_text(p, prefix_text(&r->prefix, text));
}

static void rule_cidr6(struct filter_probe *p, const struct group_rule *r)
{
	char text[PREFIX_TEXT_SIZE];

	if (r->end == RULE_END_PREFIX && !prefix_is_v4(&r->prefix))
		filter_text(p, prefix_text(&r->prefix, text));
}

static void filter_port(struct filter_probe *p, const struct group_rule *r, bool last)
{
	int32_t from, to;

	if (!traffic_has_ports(&r->traffic) && !traffic_is_icmp(&r->traffic))
		return;
	traffic_range(&r->traffic, &from, &to);
	if (last)
		from = to;
	if (from < 0)
		filter_text(p, "-1");
	else
		filter_u64(p, (uint64_t)from);
}

static void rule_from(struct filter_probe *p, const struct group_rule *r)
{
	filter_port(p, r, false);
}

static void rule_to(struct filter_probe *p, const struct group_rule *r)
{
	filter_port(p, r, true);
}

static void rule_group(struct filter_probe *p, const struct group_rule *r)
{
	if (r->end == RULE_END_GROUP)
		filter_id(p, KIND_SECURITY_GROUP, r->peer);
}

static void rule_group_name(struct filter_probe *p, const struct group_rule *r)
{
	const struct security_group *g = (const struct security_group *)model_get(
		p->call->model, KIND_SECURITY_GROUP, r->peer);

	if (r->end == RULE_END_GROUP && g)
		filter_text(p, g->name);
}

static void rule_list(struct filter_probe *p, const struct group_rule *r)
{
	if (r->end == RULE_END_LIST)
		filter_id(p, KIND_PREFIX_LIST, r->list);
}

static void rule_protocol(struct filter_probe *p, const struct group_rule *r)
{
	char text[TRAFFIC_TEXT_SIZE];

	filter_text(p, traffic_name(&r->traffic, text));
	filter_text(p, traffic_number(&r->traffic, text));
}

static void rule_user(struct filter_probe *p, const struct group_rule *r)
{
	if (r->end == RULE_END_GROUP)
		filter_owner(p, r->peer_account);
}

/* A group has the values of all its rules of a direction. */
static void ask_rules(struct filter_probe *p, const struct security_group *g, bool egress,
		      void (*values)(struct filter_probe *p, const struct group_rule *r))
{
	struct model_iter it = model_iter_group(p->call->model, REL_GROUP_RULES, g->o.id);
	const struct group_rule *r;

	while ((r = (const struct group_rule *)model_iter_next(&it)))
		if (r->egress == egress)
			values(p, r);
}

#define BY_RULES(name, egress, values)                                                             \
	static void name(struct filter_probe *p, const void *item)                                 \
	{                                                                                          \
		ask_rules(p, GROUP, egress, values);                                               \
	}

BY_RULES(by_in_cidr, false, rule_cidr)
BY_RULES(by_in_cidr6, false, rule_cidr6)
BY_RULES(by_in_from, false, rule_from)
BY_RULES(by_in_to, false, rule_to)
BY_RULES(by_in_group, false, rule_group)
BY_RULES(by_in_group_name, false, rule_group_name)
BY_RULES(by_in_list, false, rule_list)
BY_RULES(by_in_protocol, false, rule_protocol)
BY_RULES(by_in_user, false, rule_user)
BY_RULES(by_out_cidr, true, rule_cidr)
BY_RULES(by_out_cidr6, true, rule_cidr6)
BY_RULES(by_out_from, true, rule_from)
BY_RULES(by_out_to, true, rule_to)
BY_RULES(by_out_group, true, rule_group)
BY_RULES(by_out_group_name, true, rule_group_name)
BY_RULES(by_out_list, true, rule_list)
BY_RULES(by_out_protocol, true, rule_protocol)
BY_RULES(by_out_user, true, rule_user)

const struct filter group_filters[] = {
	{"description", by_description},
	{"egress.ip-permission.cidr", by_out_cidr},
	{"egress.ip-permission.from-port", by_out_from},
	{"egress.ip-permission.group-id", by_out_group},
	{"egress.ip-permission.group-name", by_out_group_name},
	{"egress.ip-permission.ipv6-cidr", by_out_cidr6},
	{"egress.ip-permission.prefix-list-id", by_out_list},
	{"egress.ip-permission.protocol", by_out_protocol},
	{"egress.ip-permission.to-port", by_out_to},
	{"egress.ip-permission.user-id", by_out_user},
	{"group-id", by_group_id},
	{"group-name", by_group_name},
	{"ip-permission.cidr", by_in_cidr},
	{"ip-permission.from-port", by_in_from},
	{"ip-permission.group-id", by_in_group},
	{"ip-permission.group-name", by_in_group_name},
	{"ip-permission.ipv6-cidr", by_in_cidr6},
	{"ip-permission.prefix-list-id", by_in_list},
	{"ip-permission.protocol", by_in_protocol},
	{"ip-permission.to-port", by_in_to},
	{"ip-permission.user-id", by_in_user},
	{"owner-id", by_owner},
	{"vpc-id", by_vpc},
	{},
};

static void by_rule_group(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SECURITY_GROUP, RULE->group);
}

static void by_rule_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SECURITY_GROUP_RULE, RULE->o.id);
}

const struct filter group_rule_filters[] = {
	{"group-id", by_rule_group},
	{"security-group-rule-id", by_rule_id},
	{},
};
