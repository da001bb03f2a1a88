/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing security groups and their rules; group_view.c shows them. */
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/param.h"
#include "api/rule_params.h"

#include <string.h>

int action_create_security_group(struct ec2_call *c)
{
	static const char *const taggable[] = {"security-group", NULL};
	struct security_group_create_args args = {
		.name = param_text(c, "GroupName"),
		.description = param_text(c, "GroupDescription"),
		.vpc_id = param_text(c, "VpcId"),
	};
	const struct security_group *g;
	int r;

	r = param_tag_specification(c, "security-group", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = security_group_create(c->tx, &c->caller, &args, &g, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, g->o.id);
	ec2_write_tags(c, &g->o);
	return 0;
}

int action_delete_security_group(struct ec2_call *c)
{
	const char *id;
	int r = rule_params_group(c, &id);

	if (!r)
		r = security_group_delete(c->tx, &c->caller, id, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

static int authorize_rules(struct ec2_call *c, bool egress)
{
	static const char *const taggable[] = {"security-group-rule", NULL};
	const struct group_rule **made;
	const struct rule_args *rules;
	const struct tag_args *tags;
	size_t n, n_tags;
	const char *id;
	int r = rule_params_group(c, &id);

	if (!r)
		r = rule_params(c, &rules, &n);
	if (!r)
		r = param_tag_specification(c, "security-group-rule", taggable, &tags, &n_tags);
	if (r)
		return r;
	made = arena_alloc_array(c->arena, n + 1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	r = group_rule_authorize(c->tx, &c->caller, id, egress, rules, n, tags, n_tags, made,
				 &c->refusal);
	if (r)
		return r;
	ec2_write_return(c);
	xml_open(c->xml, "securityGroupRuleSet");
	for (size_t i = 0; i < n; i++)
		group_rule_write(c, made[i]);
	xml_close(c->xml);
	return 0;
}

int action_authorize_security_group_ingress(struct ec2_call *c)
{
	return authorize_rules(c, false);
}

int action_authorize_security_group_egress(struct ec2_call *c)
{
	return authorize_rules(c, true);
}

static int revoke_rules(struct ec2_call *c, bool egress)
{
	const struct rule_args *rules;
	const char *const *ids;
	const char *id;
	size_t n, n_ids;
	int r = rule_params_group(c, &id);

	if (!r)
		r = rule_params(c, &rules, &n);
	if (!r)
		r = param_list(c, "SecurityGroupRuleId", &ids, &n_ids);
	if (r)
		return r;
	if (n && n_ids)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Name rules by SecurityGroupRuleId or by what they say, not both "
				  "ways");
	if (n_ids)
		r = group_rule_revoke_ids(c->tx, &c->caller, id, egress, ids, n_ids, &c->refusal);
	else
		r = group_rule_revoke(c->tx, &c->caller, id, egress, rules, n, &c->refusal);
	if (r)
		return r;
	ec2_write_return(c);
	xml_empty(c->xml, "unknownIpPermissionSet");
	return 0;
}

int action_revoke_security_group_ingress(struct ec2_call *c)
{
	return revoke_rules(c, false);
}

int action_revoke_security_group_egress(struct ec2_call *c)
{
	return revoke_rules(c, true);
}

/* SecurityGroupRule.INDEX.SecurityGroupRule.NAME */
static const char *of_rule(struct ec2_call *c, uint32_t index, const char *name)
{
	const char *full = param_name(c, "SecurityGroupRule.%u.SecurityGroupRule.%s", index, name);

	return full ? full : "";
}

static int read_change(struct ec2_call *c, uint32_t index, struct rule_modify_args *ret)
{
	const char *id = param_name(c, "SecurityGroupRule.%u.SecurityGroupRuleId", index);

	if (!id)
		return -ENOMEM;
	*ret = (struct rule_modify_args){
		.id = param_text(c, id),
		.rule =
			{
				.protocol = param_text(c, of_rule(c, index, "IpProtocol")),
				.from = param_i32(c, of_rule(c, index, "FromPort")),
				.to = param_i32(c, of_rule(c, index, "ToPort")),
				.cidr = param_text(c, of_rule(c, index, "CidrIpv4")),
				.cidr6 = param_text(c, of_rule(c, index, "CidrIpv6")),
				.list_id = param_text(c, of_rule(c, index, "PrefixListId")),
				.group_id = param_text(c, of_rule(c, index, "ReferencedGroupId")),
				.description = param_text(c, of_rule(c, index, "Description")),
			},
	};
	return ret->id ? 0 : ec2_refuse_missing(c, id);
}

int action_modify_security_group_rules(struct ec2_call *c)
{
	struct rule_modify_args *rules;
	const uint32_t *indices;
	size_t n;
	int r = param_indices(c, "SecurityGroupRule", &indices, &n);

	if (r)
		return r;
	rules = arena_alloc_array(c->arena, n + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < n && !r; i++)
		r = read_change(c, indices[i], &rules[i]);
	if (!r)
		r = group_rule_modify(c->tx, &c->caller, param_text(c, "GroupId"), rules, n,
				      &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

static int read_descriptions(struct ec2_call *c, const struct rule_description **ret, size_t *ret_n)
{
	struct rule_description *named;
	const uint32_t *indices;
	int r = param_indices(c, "SecurityGroupRuleDescription", &indices, ret_n);

	if (r)
		return r;
	named = arena_alloc_array(c->arena, *ret_n + 1, sizeof(*named));
	if (!named)
		return -ENOMEM;
	for (size_t i = 0; i < *ret_n; i++) {
		const char *id = param_name(
			c, "SecurityGroupRuleDescription.%u.SecurityGroupRuleId", indices[i]);
		const char *text =
			param_name(c, "SecurityGroupRuleDescription.%u.Description", indices[i]);

		if (!id || !text)
			return -ENOMEM;
		named[i] = (struct rule_description){param_text(c, id), param_text(c, text)};
		if (!named[i].id)
			return ec2_refuse_missing(c, id);
	}
	*ret = named;
	return 0;
}

static int update_descriptions(struct ec2_call *c, bool egress)
{
	const struct rule_description *named = NULL;
	const struct rule_args *rules;
	size_t n, n_named = 0;
	const char *id;
	int r = rule_params_group(c, &id);

	if (!r)
		r = rule_params(c, &rules, &n);
	if (!r)
		r = read_descriptions(c, &named, &n_named);
	if (r)
		return r;
	if (n && n_named)
		return ec2_refuse(
			c, 400, "InvalidParameterCombination",
			"Name rules by IpPermissions or by SecurityGroupRuleDescriptions, "
			"not both ways");
	if (n_named)
		r = group_rule_describe_ids(c->tx, &c->caller, id, egress, named, n_named,
					    &c->refusal);
	else
		r = group_rule_describe(c->tx, &c->caller, id, egress, rules, n, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

int action_update_security_group_rule_descriptions_ingress(struct ec2_call *c)
{
	return update_descriptions(c, false);
}

int action_update_security_group_rule_descriptions_egress(struct ec2_call *c)
{
	return update_descriptions(c, true);
}
